"""What a command really does: package scripts, make targets, tox sessions, shell scripts and workspace runners followed to their leaves."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from auditor.checks.shell import ShellCommand, commands_of, joined
from auditor.model.artifacts import Manifest, Manifests, Script, TaskFile

_DEPTH = 6
_LEAVES = 400
_PACKAGE_MANAGERS = re.compile(r"^(?:[a-z]?npm|yarn|pnpm|bun|npm-run-all2?|run-s|run-p)(?:\.cmd)?$")
_NOT_SCRIPTS = frozenset(
    {
        "install",
        "i",
        "ci",
        "add",
        "exec",
        "dlx",
        "publish",
        "login",
        "config",
        "cache",
        "audit",
        "pack",
        "version",
        "link",
        "create",
        "init",
        "remove",
        "up",
        "update",
    }
)
_FLAGS_WITH_VALUE = frozenset({"-C", "--prefix", "--cwd", "--dir", "--filter", "-F", "-w", "--workspace", "-e", "--env", "-s", "--session", "-t", "--target", "--targets", "-p", "--projects", "--exclude", "-f", "--file", "--scope", "-k", "--parallel", "-j"})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Leaf:
    """A command that leads nowhere further. `line` is its line in the text that was given; `swallowed` along the whole way to it."""

    words: tuple[str, ...]
    directory: str
    line: int
    swallowed: bool

    @property
    def text(self) -> str:
        """The words joined."""
        return " ".join(self.words)


class Commands:
    """Follows commands through the named ones of a tree."""

    def __init__(self, manifests: Manifests, tasks: tuple[TaskFile, ...]) -> None:
        self._packages = [manifest for manifest in manifests.manifests if manifest.kind == "package.json"]
        self._by_root = {manifest.root: manifest for manifest in self._packages}
        self._tasks = {task_file.path: task_file for task_file in tasks}

    def leaves(self, text: str, directory: str = "") -> tuple[Leaf, ...]:
        """The commands a text comes to in the end, in order."""
        found: list[Leaf] = []
        seen: set[tuple[str, ...]] = set()
        pending = [(command, command.line, 0) for command in commands_of(text, directory)]
        while pending and len(found) < _LEAVES:
            command, line, depth = pending.pop(0)
            key = (*command.words, command.directory, str(command.swallowed))
            if depth >= _DEPTH or key in seen:
                continue
            seen.add(key)
            inner = self._inner(command)
            if inner is None:
                found.append(Leaf(command.words, command.directory, line, command.swallowed))
            else:
                pending[:0] = [(replace(c, swallowed=c.swallowed or command.swallowed), line, depth + 1) for c in inner]
        return tuple(found)

    def _inner(self, command: ShellCommand) -> list[ShellCommand] | None:
        """The commands behind a named one, None when it is not a name or leads nowhere known."""
        head = command.words[0].rpartition("/")[2]
        if head in {"bash", "sh", "zsh", "dash"} and len(command.words) > 2 and command.words[1] in {"-c", "-lc", "-ec", "-xc", "-exc"}:
            return list(commands_of(command.words[2], command.directory))
        if head in {"concurrently", "start-server-and-test", "start-test"}:
            named = command.words[1:] if head == "concurrently" else command.words[-1:]
            texts = [word.replace("npm:", "npm run ", 1) if word.startswith("npm:") else word for word in named if not word.startswith("-")]
            plain = head == "concurrently"  # the others take the name of a script, or a command in quotes
            lines = [text if plain or " " in text else f"npm run {text}" for text in texts]
            return [inner for line in lines for inner in commands_of(line, command.directory)]
        if head in {"turbo", "nx", "lerna"}:
            return self._workspace_runner(command)
        if _PACKAGE_MANAGERS.match(head):
            return self._package_script(command)
        if head in {"make", "gmake", "$(MAKE)", "${MAKE}", "just", "task", "tox", "nox", "invoke", "inv"}:
            return self._named_task(
                command, {"gmake": "make", "$(MAKE)": "make", "${MAKE}": "make", "inv": "invoke", "task": "taskfile"}.get(head, head)
            )
        return self._shell_script(command)

    def _shell_script(self, command: ShellCommand) -> list[ShellCommand] | None:
        words = command.words
        named = (
            next((word for word in words[1:] if not word.startswith("-")), "")
            if words[0] in {"bash", "sh", "source", ".", "zsh"}
            else words[0]
        )
        for path in (joined(command.directory, named), joined("", named)):
            task_file = self._tasks.get(path)
            if task_file and task_file.kind == "shell":
                return list(commands_of(task_file.tasks[0].command, command.directory))
        return None

    def _package_script(self, command: ShellCommand) -> list[ShellCommand] | None:
        words, options = _options(command.words[1:])
        head = command.words[0]
        directory = command.directory
        for flag in ("-C", "--prefix", "--cwd", "--dir"):
            directory = joined(directory, options[flag]) if options.get(flag) else directory
        if head in {"run-s", "run-p", "npm-run-all", "npm-run-all2"}:
            return self._scripts_at(directory, words)
        everywhere = any(flag in options for flag in ("-r", "--recursive", "--workspaces", "-ws", "--ws"))
        chosen = (
            options.get("--filter") or options.get("-F") or options.get("-w") or options.get("--workspace") or options.get("--scope") or ""
        )
        if words[:1] == ["workspaces"]:
            everywhere, words = True, [word for word in words[1:] if word not in {"run", "foreach"}]
        elif words[:1] == ["workspace"] and len(words) > 2:
            chosen, words = words[1], words[2:]
        asked = words[:1] in (["run"], ["run-script"], ["rum"])
        if asked:
            words = words[1:]
        elif head == "bun" and words[:1] == ["test"]:
            return None
        if not words or (words[0] in _NOT_SCRIPTS and not asked):
            return None
        name = {"t": "test", "tst": "test"}.get(words[0], words[0])
        if everywhere or chosen:
            return self._everywhere(name, chosen)
        return self._scripts_at(directory, [name])

    def _scripts_at(self, directory: str, names: list[str]) -> list[ShellCommand] | None:
        """The scripts of the nearest manifest at or above a directory, with what runs before and after them."""
        manifest = self._nearest(directory)
        if manifest is None:
            return None
        scripts = {script.name: script for script in reversed(manifest.scripts)}
        wanted = [
            match
            for name in names
            for match in ([s.name for s in manifest.scripts if fnmatchcase(s.name, name)] if "*" in name else [name])
        ]
        found: list[ShellCommand] = []
        for name in wanted[:100]:
            for hook in (f"pre{name}", name, f"post{name}"):
                if hook in scripts:
                    found.extend(commands_of(scripts[hook].command, manifest.root))
        return found or None

    def _nearest(self, directory: str) -> Manifest | None:
        if directory == "?":
            return self._packages[0] if len(self._packages) == 1 else None
        folder = directory
        while True:
            if folder in self._by_root:
                return self._by_root[folder]
            if not folder:
                return None
            folder = folder.rpartition("/")[0]

    def _everywhere(self, name: str, chosen: str) -> list[ShellCommand] | None:
        wanted = chosen.strip(".{}[]!").removeprefix("/").rstrip("/")
        members = [
            m
            for m in self._packages
            if not wanted or fnmatchcase(m.name, wanted) or fnmatchcase(m.root, wanted) or m.root.endswith(f"/{wanted}")
        ]
        found: list[ShellCommand] = []
        for manifest in members or self._packages:
            for script in manifest.scripts:
                if script.name == name and not _runs_workspace(script):
                    found.extend(commands_of(script.command, manifest.root))
        return found or None

    def _workspace_runner(self, command: ShellCommand) -> list[ShellCommand] | None:
        words, options = _options(command.words[1:])
        targets = options.get("-t") or options.get("--target") or options.get("--targets") or ""
        names = [name for name in re.split(r"[,\s]+", targets) if name]
        plain = [word for word in words if word not in {"run", "run-many", "affected", "watch"}]
        if not names:
            mark = {"nx": ":", "turbo": "#"}.get(command.words[0], " ")  # between a project and its task
            names = [part.rpartition(mark)[2] for part in plain] if command.words[0] != "nx" or "run" in words else plain[:1]
            names = [name.removeprefix("affected:") for name in names]
        found: list[ShellCommand] = []
        for name in names:
            found += self._everywhere(name, options.get("--filter") or options.get("--scope") or "") or []
        return found or None

    def _named_task(self, command: ShellCommand, kind: str) -> list[ShellCommand] | None:
        words, options = _options(command.words[1:])
        directory = joined(command.directory, options["-C"]) if options.get("-C") else command.directory
        names = [word for word in words if "=" not in word]
        if kind in {"tox", "nox"}:
            names = [name for flag in ("-e", "--env", "-s", "--session") for name in re.split(r"[,\s]+", options.get(flag) or "") if name]
        found: list[ShellCommand] = []
        for path, task_file in self._tasks.items():
            if task_file.kind == kind and (directory == "?" or path.rpartition("/")[0] == directory):
                for task in _chosen(task_file, names):
                    found.extend(commands_of(task.command, directory))
        return found or None


def _runs_workspace(script: Script) -> bool:
    """A root script that hands on to the same script of its members (followed from there, or it would go round in circles)."""
    return bool(
        re.match(
            r"\s*(?:turbo|nx|lerna|pnpm\s+(?:-r|--recursive|--filter)|yarn\s+workspaces|npm\s+.{0,80}(?:-ws|--workspaces))\b",
            script.command,
        )
    )


def _chosen(task_file: TaskFile, names: list[str]) -> list[Script]:
    if not names:
        return list(task_file.tasks) if task_file.kind in {"tox", "nox"} else list(task_file.tasks[:1])
    found = [task for task in task_file.tasks if task.name in names]
    if task_file.kind == "tox" and any(name not in {task.name for task in task_file.tasks} for name in names):
        found += [task for task in task_file.tasks if not task.name]  # `py311` and factors run the common section
    if task_file.kind == "nox" and not found:
        found = [task for task in task_file.tasks if any(name.startswith(f"{task.name}-") or "$" in name for name in names)]
    return found


def _options(words: tuple[str, ...]) -> tuple[list[str], dict[str, str]]:
    """Plain words and options; an option that takes a value holds it, others hold ""."""
    plain: list[str] = []
    options: dict[str, str] = {}
    position = 0
    while position < len(words):
        word = words[position]
        if word == "--":
            break
        if word.startswith("-") and len(word) > 1:
            name, equals, value = word.partition("=")
            if not equals and name in _FLAGS_WITH_VALUE and position + 1 < len(words):
                position += 1
                value = words[position]
            options.setdefault(name, value)
        else:
            plain.append(word)
        position += 1
    return plain, options
