"""Lock files of npm, pnpm, Yarn and Bun.

Those of pnpm and Yarn are read line by line in the layout their tools write, which is many times quicker than a YAML parser and gives line
numbers; a file laid out differently is reported as unread, never as empty.
"""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from auditor.languages.structured import at, load_json, table
from auditor.model.artifacts import Ecosystem, LockedPackage, LockFile, Manifest

_OBJECT = re.compile(r'\s*"([^"\\]{0,300})":\s*[{\[]')
_PNPM_5 = re.compile(r"(@[^/@]{1,100}/[^/@]{1,214}|[^/@]{1,214})/(\d[^/_]{0,100})")
_LONGEST_LINE = 4_000
_DEPENDENCIES = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")


def _lock(path: str, packages: Iterable[LockedPackage], problem: str = "") -> LockFile:
    name = path.rsplit("/", 1)[-1]
    kind = {"npm-shrinkwrap.json": "package-lock.json", "bun.lockb": "bun.lock"}.get(name, name)
    ordered = tuple(sorted(set(packages), key=lambda package: (package.line, package.name, package.version)))
    return LockFile(path, kind, Ecosystem.NPM, path.rpartition("/")[0], ordered, problem)


class _KeyLines:
    """Lines of the JSON keys whose value is an object or a list, handed out in the order of the file."""

    def __init__(self, text: str) -> None:
        self._lines: defaultdict[str, deque[int]] = defaultdict(deque)
        for number, line in enumerate(text.split("\n"), 1):
            found = _OBJECT.match(line[:400])
            if found:
                self._lines[found[1]].append(number)

    def next(self, key: str) -> int:
        lines = self._lines.get(key)
        return lines.popleft() if lines else 0


def read_package_lock(path: str, text: str) -> LockFile:
    """package-lock.json and npm-shrinkwrap.json, versions 1 to 3."""
    value, problem = load_json(text)
    if not isinstance(value, dict):
        return _lock(path, (), problem or "it holds no object")
    lines = _KeyLines(text)
    if isinstance(value.get("packages"), dict):
        return _lock(path, _npm_packages(table(value["packages"]), lines), problem)
    if isinstance(value.get("dependencies"), dict):
        return _lock(path, _npm_tree(table(value["dependencies"]), lines), problem)
    complete = value.get("lockfileVersion") is not None
    return _lock(path, (), problem if complete else "it is no lock file of npm")


def _npm_packages(packages: dict[str, Any], lines: _KeyLines) -> Iterator[LockedPackage]:
    roots = [entry for key, entry in packages.items() if "node_modules/" not in key]
    asked = {name for entry in roots for group in _DEPENDENCIES for name in table(at(entry, group))}
    for key, entry in packages.items():
        _, separator, place = key.rpartition("node_modules/")
        if not separator or not isinstance(entry, dict) or entry.get("link") is True or not isinstance(entry.get("version"), str):
            continue
        name = entry["name"] if isinstance(entry.get("name"), str) else place
        yield LockedPackage(
            name,
            entry["version"],
            dev=entry.get("dev") is True,
            hashed=isinstance(entry.get("integrity"), str),
            direct=place in asked and key.count("node_modules/") == 1,
            line=lines.next(key),
        )


def _npm_tree(dependencies: dict[str, Any], lines: _KeyLines) -> Iterator[LockedPackage]:
    """Version 1: nested tables. Which packages the root asks for stands in package.json only."""
    waiting = deque(dependencies.items())
    while waiting:
        name, entry = waiting.popleft()
        if not isinstance(entry, dict):
            continue
        waiting.extendleft(reversed(table(entry.get("dependencies")).items()))
        line = lines.next(name)
        if isinstance(entry.get("version"), str):
            yield LockedPackage(name, entry["version"], entry.get("dev") is True, isinstance(entry.get("integrity"), str), line=line)


@dataclass(slots=True)
class _Entry:
    """One package of a lock while its file is being read; `wants` are keys of other entries."""

    name: str
    version: str
    line: int
    hashed: bool = False
    dev: bool = False
    wants: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Reading:
    """Everything a lock says: entries by key, and the keys the projects ask for by themselves."""

    entries: dict[str, _Entry] = field(default_factory=dict)
    runtime: list[str] = field(default_factory=list)
    dev: list[str] = field(default_factory=list)

    def packages(self, *, known_dev: bool = False) -> Iterator[LockedPackage]:
        """The packages; what only development reaches is `dev`, unless the lock itself says so (`known_dev`)."""
        used = reachable(self.runtime, {key: entry.wants for key, entry in self.entries.items()})
        asked = {*self.runtime, *self.dev}
        graded = bool(self.runtime or self.dev)
        for key, entry in self.entries.items():
            dev = entry.dev if known_dev else graded and key not in used
            yield LockedPackage(entry.name, entry.version, dev, entry.hashed, key in asked, entry.line)


def reachable(roots: Iterable[str], edges: dict[str, list[str]]) -> set[str]:
    """Every key that can be reached from the roots."""
    found = set(roots)
    waiting = list(found)
    while waiting:
        for target in edges.get(waiting.pop(), ()):
            if target not in found:
                found.add(target)
                waiting.append(target)
    return found


def _block_lines(text: str) -> Iterator[tuple[tuple[str, ...], str, int]]:
    """The mapping lines of a machine-written YAML text as (path of keys, rest of the line, line number)."""
    stack: list[tuple[int, str]] = []
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw[:_LONGEST_LINE].rstrip()
        body = line.lstrip(" ")
        if not body or body[0] in "#-":
            continue
        key, value = _key_and_value(body)
        if not key:
            continue
        indent = len(line) - len(body)
        while stack and stack[-1][0] >= indent:
            stack.pop()
        if len(stack) < 10:
            stack.append((indent, key))
            yield tuple(name for _, name in stack), value, number


def _key_and_value(body: str) -> tuple[str, str]:
    if body[0] in "'\"":
        end = body.find(body[0], 1)
        rest = body[end + 1 :]
        return (body[1:end], rest[1:].strip()) if end > 0 and rest.startswith(":") else ("", "")
    if body.endswith(":") and ": " not in body:
        return body[:-1], ""
    key, separator, value = body.partition(": ")
    return (key, value.strip()) if separator else ("", "")


def read_pnpm_lock(path: str, text: str) -> LockFile:
    """pnpm-lock.yaml, lock versions 5 to 9."""
    reading = _Reading()
    sections = set()
    flagged = False
    for keys, value, line in _block_lines(text):
        sections.add(keys[0])
        if keys[0] == "packages" and len(keys) >= 2:
            flagged = _pnpm_package(reading, keys, value, line) or flagged
        elif keys[0] == "snapshots" and len(keys) == 4 and keys[2] in {"dependencies", "optionalDependencies"}:
            owner = reading.entries.get(_pnpm_key(keys[1]))
            if owner:
                owner.wants.append(_pnpm_key(f"{keys[3]}@{value.strip(chr(39))}"))
        else:
            _pnpm_root(reading, keys, value)
    if "lockfileVersion" not in sections or ("packages" in sections and not reading.entries):
        return _lock(path, (), "it is not laid out as pnpm writes it")
    return _lock(path, reading.packages(known_dev=flagged))


def _pnpm_package(reading: _Reading, keys: tuple[str, ...], value: str, line: int) -> bool:
    """One line below `packages`; whether it is a mark of development-only packages (before version 9)."""
    key = _pnpm_key(keys[1])
    if len(keys) == 2:
        name, version = _pnpm_name(keys[1])
        if name:
            reading.entries[key] = _Entry(name, version, line)
        return False
    entry = reading.entries.get(key)
    if entry is None:
        return False
    if keys[2] == "resolution" and ("integrity:" in value or keys[-1] == "integrity"):
        entry.hashed = True
    elif keys[2:] == ("version",):
        entry.version = value.strip("'\"")
    elif keys[2:] == ("name",):
        entry.name = value.strip("'\"")
    elif keys[2:] == ("dev",):
        entry.dev = value == "true"
        return True
    return False


def _pnpm_root(reading: _Reading, keys: tuple[str, ...], value: str) -> None:
    """A dependency of a project of the workspace: below `importers`, or at the top of a lock for one project."""
    inner = keys[2:] if keys[0] == "importers" else keys
    if len(inner) == 3 and inner[2] != "version":
        return
    if not value or len(inner) not in {2, 3} or inner[0] not in {"dependencies", "devDependencies", "optionalDependencies"}:
        return
    version = value.strip("'\"").split("_", 1)[0] if value.strip("'\"")[:1].isdigit() else value.strip("'\"")
    target = version.lstrip("/") if _pnpm_name(version)[0] and not version[:1].isdigit() else f"{inner[1]}@{version}"
    (reading.dev if inner[0] == "devDependencies" else reading.runtime).append(_pnpm_key(target))


def _pnpm_key(key: str) -> str:
    """`name@version` without the peers it was resolved with, for any lock version."""
    name, version = _pnpm_name(key)
    return f"{name}@{version}" if name else key


def _pnpm_name(key: str) -> tuple[str, str]:
    plain = key.removeprefix("/").split("(", 1)[0]
    old = _PNPM_5.match(plain)
    if old:
        return old[1], old[2]
    at_sign = plain.find("@", 1)
    return (plain[:at_sign], plain[at_sign + 1 :].removeprefix("npm:")) if at_sign > 0 else ("", "")


def read_yarn_lock(path: str, text: str, manifests: tuple[Manifest, ...] = ()) -> LockFile:
    """yarn.lock of Yarn 1 and of Yarn 2 and later; what only development needs follows from the manifests beside and below it."""
    reading = _Reading()
    patterns: dict[str, str] = {}
    entry: _Entry | None = None
    inside = ""
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw[:_LONGEST_LINE].rstrip()
        if not line or line.startswith("#"):
            continue
        if not line.startswith(" "):
            entry = _yarn_header(reading, patterns, line, number)
            inside = ""
        elif entry is not None and line.startswith("    ") and inside:
            name, version = _yarn_pair(line)
            entry.wants.append(f"{name}@{version}")
        elif entry is not None:
            name, value = _yarn_pair(line)
            inside = name if name in {"dependencies", "optionalDependencies"} and not value else ""
            if name == "version":
                entry.version = value
            entry.hashed = entry.hashed or name in {"integrity", "checksum"}
    for one in reading.entries.values():
        one.wants = [patterns[want] for want in map(_yarn_pattern, one.wants) if want in patterns]
    _yarn_roots(reading, patterns, manifests)
    packages = [package for package in reading.packages() if package.version and package.version != "0.0.0-use.local"]
    recognised = "yarn lockfile" in text[:300] or "__metadata" in text[:2_000] or packages
    return _lock(path, packages, "" if recognised else "it is not laid out as Yarn writes it")


def _yarn_header(reading: _Reading, patterns: dict[str, str], line: str, number: int) -> _Entry | None:
    if not line.endswith(":") or line == "__metadata:":
        return None
    names = [part.strip().strip('"') for part in line[:-1].strip('"').split(",")]
    key = names[0]
    name, resolution = _yarn_split(key)
    if not name:
        return None
    alias = re.match(r"npm:(@?[^@]{1,214})@", resolution)
    entry = reading.entries[key] = _Entry(alias[1] if alias else name, "", number)
    patterns.update((_yarn_pattern(one), key) for one in names)
    return entry


def _yarn_split(pattern: str) -> tuple[str, str]:
    at_sign = pattern.find("@", 1)
    return (pattern[:at_sign], pattern[at_sign + 1 :]) if at_sign > 0 else ("", "")


def _yarn_pattern(pattern: str) -> str:
    """`name@range`, the same for both generations."""
    name, wanted = _yarn_split(pattern)
    return f"{name}@{wanted.removeprefix('npm:')}"


def _yarn_pair(line: str) -> tuple[str, str]:
    """`name "value"` of Yarn 1 and `name: value` of later ones."""
    found = re.match(r"""\s+"?(@?[^\s":]+(?:/[^\s":]+)?)"?:?(?:\s+"?([^"]*)"?)?$""", line)
    return (found[1], (found[2] or "").strip()) if found else ("", "")


def _yarn_roots(reading: _Reading, patterns: dict[str, str], manifests: tuple[Manifest, ...]) -> None:
    for manifest in manifests:
        for entry in manifest.requirements:
            key = patterns.get(f"{entry.name}@{entry.specifier.removeprefix('npm:')}")
            if key:
                (reading.dev if entry.group == "dev" else reading.runtime).append(key)


def read_bun_lock(path: str, text: str) -> LockFile:
    """bun.lock, the text lock of Bun 1.2 and later."""
    value, problem = load_json(text)
    if not isinstance(value, dict) or not isinstance(value.get("packages", {}), dict):
        return _lock(path, (), problem or "it is not laid out as Bun writes it")
    lines, packages = _KeyLines(text), table(value.get("packages"))
    reading = _Reading()
    for key, entry in packages.items():
        line = lines.next(key)
        if not (isinstance(entry, list) and entry and isinstance(entry[0], str)):
            continue
        name, version = _yarn_split(entry[0])
        if name and not version.startswith(("workspace:", "file:", "link:")):
            hashed = isinstance(entry[-1], str) and entry[-1].startswith("sha")
            wants = [_bun_key(packages, key, want) for part in entry if isinstance(part, dict) for want in _bun_wants(part)]
            reading.entries[key] = _Entry(name, version, line, hashed, wants=wants)
    for workspace in table(value.get("workspaces")).values():
        reading.runtime += [name for group in ("dependencies", "optionalDependencies") for name in table(at(workspace, group))]
        reading.dev += list(table(at(workspace, "devDependencies")))
    return _lock(path, reading.packages(), problem)


def _bun_wants(part: dict[str, Any]) -> list[str]:
    return [name for group in ("dependencies", "optionalDependencies", "peerDependencies") for name in table(part.get(group))]


def _bun_key(packages: dict[str, Any], owner: str, name: str) -> str:
    nested = f"{owner}/{name}"
    return nested if nested in packages else name
