"""Commands that documents tell people to type, and whether what they name is in the repository: scripts, targets, files, modules."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.checks.commands import Leaf
from auditor.checks.shell import ShellCommand, commands_of, joined
from auditor.model.artifacts import Document, Manifests, TaskFile
from auditor.model.snapshot import Snapshot

_SHELLS = frozenset(
    {
        "",
        "sh",
        "bash",
        "shell",
        "console",
        "zsh",
        "shell-session",
        "shellsession",
        "terminal",
        "cmd",
        "powershell",
        "ps1",
        "text",
        "txt",
        "prompt",
    }
)
_PROMPT = re.compile(r"^\s*(?:\([\w.-]+\)\s*)?(?:[\w.@~:/-]{0,40}[$%>]|PS [^>]{0,60}>|C:\\[^>]{0,60}>)\s+")
_STARTS = re.compile(
    r"^(?:sudo |npx )?(?:npm|pnpm|yarn|bun|make|just|python\d?(?:\.\d+)?|node|bash|sh|\./|cp|docker|docker-compose|uvicorn|gunicorn|flask|pip\d?|uv|poetry|cd|source|streamlit|pytest|alembic|kubectl|helm|deno|tsx|ts-node)\b|^\./"
)
_STAND_IN = re.compile(
    r"[<>{}$*]|\.\.\.|path/to|your[-_]|my[-_]?(?:app|repo|project)|example\.(?:com|org)|^https?:|^/|^~|^[A-Z]:|xxx", re.IGNORECASE
)
_MADE_LATER = re.compile(
    r"(?:^|/)(?:\.?venv|env|node_modules|dist|build|out|\.next|target|coverage|site|tmp|logs?|data|backups?|output)(?:/|$)|(?:^|/)\.env(?:\.local)?$|\.(?:log|db|sqlite3?|zip|tar|gz|sql|dump|pem|key|crt)$"
)
_BUILT_IN = frozenset({"--version", "-v", "add", "approve-builds", "audit", "cache", "ci", "config", "corepack", "create", "dedupe", "deploy", "dlx", "env", "exec", "fund", "global", "help", "i", "import", "info", "init", "install", "link", "list", "login", "ls", "node", "npm", "outdated", "pack", "patch", "ping", "plugin", "prune", "publish", "rebuild", "remove", "run", "self-update", "set", "setup", "start", "store", "test", "up", "update", "upgrade", "upgrade-interactive", "use", "version", "view", "why", "workspace", "workspaces", "x"})  # fmt: skip
_TAKE_VALUE = frozenset({"--filter", "-F", "--prefix", "-C", "--cwd", "--dir", "-w", "--workspace"})
_RUNS_FILE = re.compile(r"^(?:python\d?(?:\.\d+)?|py|node|bash|sh|zsh|tsx|ts-node|deno|php|ruby|streamlit)$")
_MODULE = re.compile(r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*(?:\(\))?$")


@dataclass(frozen=True, slots=True)
class Documented:
    """A command of a document; `missing` says what it names that is not there, "" when everything is, None when nothing could be looked up."""

    path: str
    line: int
    text: str
    missing: str | None


class Repository:
    """What commands can name."""

    def __init__(self, snapshot: Snapshot, manifests: Manifests, tasks: tuple[TaskFile, ...]) -> None:
        self.paths = {file.path for file in snapshot.files} | {entry.path for entry in snapshot.skipped}
        self.names = {path.rsplit("/", maxsplit=1)[-1] for path in self.paths}
        self.folders = {"/".join(path.split("/")[:depth]) for path in self.paths for depth in range(1, path.count("/") + 1)}
        packages = [manifest for manifest in manifests.manifests if manifest.kind == "package.json"]
        self.scripts = {script.name for manifest in packages for script in manifest.scripts}
        self.tools = {requirement.name for manifest in packages for requirement in manifest.requirements}
        self.targets = {script.name for file in tasks if file.kind in {"make", "just"} for script in file.tasks}
        self.known = not any(manifest.problem for manifest in packages)

    def has_file(self, path: str, directory: str) -> bool:
        """Whether the file is there, seen from the directory, from the root, or under the same name anywhere: documents leave out where they stand."""
        name = posixpath.normpath(path)
        return (
            joined(directory, name) in self.paths | self.folders
            or name in self.paths | self.folders
            or name.rsplit("/", maxsplit=1)[-1] in self.names
        )


def documented_commands(document: Document, repository: Repository) -> Iterator[Documented]:
    """Every command of the document's code, in order."""
    folder = posixpath.dirname(document.path)
    prose = "\n".join(f"{section.title}\n{section.text}" for section in document.sections)[:400_000]
    for section in document.sections:
        blocks = [(code, line) for language, code, line in section.code if language in _SHELLS]
        blocks += [
            (span, section.line) for span in re.findall(r"`([^`\n]{4,160})`", section.text[:50_000]) if _STARTS.match(span) and " " in span
        ]
        for code, line in blocks:
            text = "\n".join(_PROMPT.sub("", entry) for entry in code[:20_000].split("\n"))
            for command in commands_of(text, folder):
                if command.words:
                    missing = what_is_missing(command, repository)
                    if missing and missing.startswith("no file") and _is_made_by_reader(missing, prose):
                        missing = None
                    yield Documented(document.path, max(1, line + command.line), " ".join(command.words)[:120], missing)


def _is_made_by_reader(missing: str, prose: str) -> bool:
    """The page also speaks of the file outside its commands, with a word for making it."""
    name = missing.split("`")[1].rsplit("/", maxsplit=1)[-1]
    return bool(
        re.search(
            rf"(?:create|save|download|copy|write|put|make|new file|add)\b[^\n]{{0,160}}{re.escape(name)}|{re.escape(name)}[^\n]{{0,80}}(?:with the following|containing|as follows|contents?)|create your own[^\n]{{0,60}}(?:compose|file)",
            prose,
            re.IGNORECASE,
        )
    )


def what_is_missing(command: ShellCommand | Leaf, repository: Repository) -> str | None:
    """What a command names that is not there: "" when everything is, None when nothing could be looked up."""
    words = [word for word in command.words if word not in {"sudo", "npx", "time", "exec"}]
    if not words or any(_STAND_IN.search(word) for word in words[:3]):
        return None
    tool, rest = words[0], list(words[1:])
    if tool in {"npm", "pnpm", "yarn", "bun"}:
        return _script(tool, rest, repository)
    if tool in {"make", "just", "gmake"}:
        names = [word for word in rest if not word.startswith("-") and "=" not in word]
        return (
            None
            if "-C" in rest or "-f" in rest or not names
            else next((f"no target `{name}`" for name in names[:1] if name not in repository.targets), "")
        )
    if tool in {"uvicorn", "gunicorn", "hypercorn", "daphne"}:
        return _module(rest, repository)
    return _file(tool, rest, command, repository)


def _script(tool: str, rest: list[str], repository: Repository) -> str | None:
    if not repository.known:
        return None
    rest = [word for position, word in enumerate(rest) if position == 0 or rest[position - 1] not in _TAKE_VALUE]
    plain = [word for word in rest if not word.startswith("-")]
    if not plain:
        return None
    named = (
        plain[1]
        if plain[0] in {"run", "run-script"} and len(plain) > 1
        else plain[0]
        if tool in {"yarn", "pnpm", "bun"} or plain[0] in {"test", "start"}
        else ""
    )
    if not named or (named in _BUILT_IN and plain[0] not in {"run", "run-script", "test", "start"}) or "/" in named or "." in named:
        return None
    if named in repository.scripts or named in repository.tools or (named == "start" and "server.js" in repository.names):
        return ""
    surely = plain[0] in {"run", "run-script", "test", "start"} or (
        tool == "yarn" and ":" in named
    )  # else a program that a dependency brings
    return f"no script `{named}`" if surely else None


def _module(rest: list[str], repository: Repository) -> str | None:
    target = next((word for word in rest if _MODULE.match(word)), "")
    if not target:
        return None
    path = target.split(":", maxsplit=1)[0].replace(".", "/")
    found = any(
        candidate == name or candidate.endswith("/" + name)
        for name in (f"{path}.py", f"{path}/__init__.py")
        for candidate in repository.paths
    )
    return "" if found or "--app-dir" in rest else f"no module `{target}`"


def _chooses_a_file(tool: str, rest: list[str]) -> bool:
    """Whether `-f` names a file: that of a build, or of compose when it stands in front of what compose shall do (`logs -f` follows)."""
    before = [word for word in rest[: rest.index("-f")] if not word.startswith("-")]
    return before in ([], ["compose"]) if tool == "docker-compose" or "compose" in rest else "build" in before


def _file(tool: str, rest: list[str], command: ShellCommand | Leaf, repository: Repository) -> str | None:
    named = ""
    if tool == "cp" and len([word for word in rest if not word.startswith("-")]) == 2:
        named = next(word for word in rest if not word.startswith("-"))
    elif tool in {"pip", "pip3", "uv"} and "-r" in rest[:-1]:
        named = rest[rest.index("-r") + 1]
    elif tool in {"docker", "docker-compose"} and "-f" in rest[:-1] and _chooses_a_file(tool, rest):
        named = rest[rest.index("-f") + 1]
    elif tool.startswith("./") and "." in tool[2:]:
        named = tool
    elif _RUNS_FILE.match(tool):
        arguments = [word for word in rest if word != "run"]
        first = next(iter(arguments), "")
        named = first if re.search(r"\.(?:py|[cm]?[jt]s|sh|php|rb)$", first) else ""
    if not named or _STAND_IN.search(named) or _MADE_LATER.search(named):
        return None
    if repository.has_file(named, command.directory):
        return ""
    return None if command.directory == "?" else f"no file `{named}`"  # after a `cd` out of the repository
