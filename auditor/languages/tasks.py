"""Named commands outside package manifests: Makefiles, justfiles, Taskfiles, tox, nox and invoke sessions, shell scripts."""

from __future__ import annotations

import configparser
import re
from collections.abc import Iterator

from auditor.languages.data_texts import line_of
from auditor.languages.structured import load_toml
from auditor.languages.yaml_nodes import read_yaml
from auditor.model.artifacts import Script, TaskFile
from auditor.model.verdict import Place

_SIZE_LIMIT = 300_000
_SHELL_LIMIT = 20_000
_TASKS = 400
_RULE = re.compile(
    r"^([A-Za-z0-9_./%$(){}-][A-Za-z0-9_./%$(){} -]{0,200}?)\s*::?(?!=)\s*([^=#\n]{0,2000}?)(?:;(.{0,2000}))?(?:#.{0,2000})?$"
)
_RECIPE = re.compile(r"^@?([A-Za-z_][\w-]{0,80})((?:\s+[^:=]{1,200})?)\s*:(?!=)\s*([^#\n]{0,1000})$")
_SESSION = re.compile(r"^(?:@(?:nox\.)?session|@(?:invoke\.)?task)\b.{0,500}\n(?:[@)\s].{0,500}\n){0,10}?def\s+(\w+)", re.MULTILINE)
_RUN = re.compile(r"\b(?:session|c|ctx|context)\.run(?:_always|_install)?\(([^()]{0,600})")


def kind_of(path: str) -> str:
    """The kind of task file at this place, "" for none."""
    name = path.rpartition("/")[2]
    if name in {"Makefile", "makefile", "GNUmakefile"} or name.endswith(".mk"):
        return "make"
    if name.lower() in {"justfile", ".justfile"}:
        return "just"
    if name.lower() in {"taskfile.yml", "taskfile.yaml"}:
        return "taskfile"
    if name == "tox.ini":
        return "tox"
    if name == "noxfile.py":
        return "nox"
    if name == "tasks.py":
        return "invoke"
    return "shell" if name.endswith((".sh", ".bash")) else ""


def read_tasks(path: str, text: str) -> TaskFile | None:
    """The tasks of a file, None when it is no task file or holds none."""
    kind = kind_of(path) or ("shell" if re.match(r"#![^\n]{0,80}\b(?:ba|da|z|k)?sh\b", text) else "")
    if not kind or len(text) > _SIZE_LIMIT:
        return None
    readers = {"make": _make, "just": _just, "taskfile": _taskfile, "tox": _tox, "nox": _sessions, "invoke": _sessions, "shell": _shell}
    tasks = tuple(readers[kind](path, text)[:_TASKS])
    return TaskFile(path, kind, tasks) if tasks else None


def _make(path: str, text: str) -> list[Script]:
    """Targets; a target's prerequisites stand as `make NAME` lines before its own recipe."""
    found: list[Script] = []
    names: list[str] = []
    body: list[str] = []
    line = 0

    def close() -> None:
        found.extend(Script(name, "\n".join(body), Place(path, line)) for name in names if not name.startswith("."))

    for number, content in _folded(text):
        rule = None if content.startswith(("\t", "#", " ")) else _RULE.match(content[:3_000])
        if rule:
            close()
            names, line = rule[1].split()[:10], number
            body = [f"make {word}" for word in rule[2].split()[:30] if re.fullmatch(r"[A-Za-z0-9_.-]+", word)]
            body += [rule[3].strip()] if rule[3] else []
        elif names and content.startswith("\t"):
            body.append(content.strip().lstrip("@+"))
        elif content.strip() and not content.startswith((" ", "#")):
            close()
            names, body = [], []
    close()
    return found


def _folded(text: str) -> Iterator[tuple[int, str]]:
    """Lines with the number they begin at, continued ones joined."""
    parts: list[str] = []
    first = 1
    for number, content in enumerate(text.split("\n"), 1):
        first = first if parts else number
        if content.endswith("\\"):
            parts.append(content[:-1].strip() if parts else content[:-1].rstrip())
            continue
        yield first, " ".join([*parts, content.strip()]) if parts else content
        parts = []


def _just(path: str, text: str) -> list[Script]:
    found: list[Script] = []
    name, body, line = "", [""], 0
    for number, content in enumerate([*text.split("\n"), "end:"], 1):
        recipe = None if content.startswith((" ", "\t", "#")) else _RECIPE.match(content[:1_500])
        if recipe:
            if name:
                found.append(Script(name, "\n".join(body).strip(), Place(path, line)))
            name, line = recipe[1], number
            body = [f"just {word}" for word in re.findall(r"[A-Za-z_][\w-]*", recipe[3])[:20]]
        elif name and content.startswith((" ", "\t")):
            body.append(content.strip().lstrip("@"))
    return found


def _taskfile(path: str, text: str) -> list[Script]:
    found = []
    for name, task in read_yaml(text).root.get("tasks").items():
        commands = [f"task {entry.text or entry.get('task').text}" for entry in task.get("deps").elements()[:50]]
        for command in (task.get("cmds") or task.get("cmd") or task).elements()[:200]:
            called = command.get("task").text
            commands.append(f"task {called}" if called else command.get("cmd").text or command.text)
        found.append(Script(name, "\n".join(command for command in commands if command), Place(path, task.key_line)))
    return found


def _tox(path: str, text: str) -> list[Script]:
    parser = configparser.ConfigParser(interpolation=None, strict=False, allow_no_value=True)
    try:
        parser.read_string(text)
    except (configparser.Error, RecursionError):
        return []
    found = []
    for section in parser.sections():
        if section == "testenv" or section.startswith("testenv:"):
            commands = parser.get(section, "commands", fallback="") or ""
            name = section.partition(":")[2]
            found.append(Script(name, commands.strip(), Place(path, line_of(text, f"[{section}]"))))
    return found


def tox_of_toml(path: str, text: str) -> TaskFile | None:
    """The tox environments of a `tox.toml` or of `[tool.tox]` in a `pyproject.toml`."""
    table, _problem = load_toml(text)
    tool = table.get("tool")
    root = table if path.endswith("tox.toml") else (tool.get("tox") if isinstance(tool, dict) else None)
    if not isinstance(root, dict):
        return None
    if isinstance(root.get("legacy_tox_ini"), str):
        inner = _tox(path, root["legacy_tox_ini"])
        return TaskFile(path, "tox", tuple(inner)) if inner else None
    environments = root.get("env") if isinstance(root.get("env"), dict) else {}
    base = root.get("env_run_base") if isinstance(root.get("env_run_base"), dict) else {}
    found = []
    for name, settings in [("", base), *(environments or {}).items()]:
        commands = settings.get("commands", []) if isinstance(settings, dict) else []
        words = (
            [" ".join(str(word) for word in entry) for entry in commands if isinstance(entry, list)] if isinstance(commands, list) else []
        )
        if words:
            found.append(Script(name, "\n".join(words), Place(path, line_of(text, "tox"))))
    return TaskFile(path, "tox", tuple(found)) if found else None


def _sessions(path: str, text: str) -> list[Script]:
    matches = list(_SESSION.finditer(text))
    found = []
    for number, match in enumerate(matches):
        end = matches[number + 1].start() if number + 1 < len(matches) else len(text)
        commands = []
        for call in _RUN.finditer(text[match.end() : end]):
            words = re.findall(r"[\"']([^\"'\n]{0,300})[\"']", call[1])
            commands.append(" ".join(words))
        found.append(
            Script(match[1], "\n".join(command for command in commands if command), Place(path, text.count("\n", 0, match.start()) + 1))
        )
    return found


def _shell(path: str, text: str) -> list[Script]:
    return [Script(path.rpartition("/")[2], text[:_SHELL_LIMIT], Place(path, 1))]
