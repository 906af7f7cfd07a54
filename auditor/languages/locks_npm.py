"""Lock files in JSON: npm's own, Bun's and Deno's."""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Iterator
from typing import Any

from auditor.languages.lock_graph import Entry, Reading, checksums, npm_lock
from auditor.languages.structured import at, load_json, strings, table
from auditor.model.artifacts import LockedPackage, LockFile

_OBJECT = re.compile(r'\s*"([^"\\]{0,300})":\s*[{\[]')
_DEPENDENCIES = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")
_DEEPEST = 100
_NEEDED = ("dependencies", "optionalDependencies", "peerDependencies")


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
        return npm_lock(path, (), problem or "it holds no object")
    lines = _KeyLines(text)
    if isinstance(value.get("packages"), dict):
        return npm_lock(path, _npm_packages(table(value["packages"]), lines), problem)
    if isinstance(value.get("dependencies"), dict):
        return npm_lock(path, _npm_tree(table(value["dependencies"]), lines), problem)
    complete = value.get("lockfileVersion") is not None
    return npm_lock(path, (), problem if complete else "it is no lock file of npm")


def _npm_packages(packages: dict[str, Any], lines: _KeyLines) -> Iterator[LockedPackage]:
    roots = [entry for key, entry in packages.items() if "node_modules/" not in key]
    asked = {name for entry in roots for group in _DEPENDENCIES for name in table(at(entry, group))}
    for key, entry in packages.items():
        _, separator, place = key.rpartition("node_modules/")
        if not separator or not isinstance(entry, dict) or entry.get("link") is True or not isinstance(entry.get("version"), str):
            continue
        yield LockedPackage(
            entry["name"] if isinstance(entry.get("name"), str) else place,
            entry["version"],
            dev=entry.get("dev") is True,
            hashed=isinstance(entry.get("integrity"), str),
            direct=place in asked and key.count("node_modules/") == 1,
            line=lines.next(key),
            checksums=checksums(entry.get("integrity")),
            wants=tuple(sorted(_npm_wants(packages, key, entry))),
            licence=_licence(entry),
            deprecated=_text(entry.get("deprecated"))[:300],
        )


def _npm_wants(packages: dict[str, Any], key: str, entry: dict[str, Any]) -> set[tuple[str, str]]:
    """What a package needs, found as Node.js finds it: below the package itself, then below each directory above it."""
    found = set()
    for name in {name for group in _NEEDED for name in table(entry.get(group))}:
        above, target = key, packages.get(f"{key}/node_modules/{name}")
        while target is None and above:
            outer, nested, _ = above.rpartition("/node_modules/")
            above = outer if nested else "" if above.startswith("node_modules/") else above.rpartition("/")[0]
            target = packages.get(f"{above}/node_modules/{name}".lstrip("/"))
        if isinstance(target, dict) and isinstance(target.get("version"), str):
            found.add((_text(target.get("name")) or name, target["version"]))
    return found


def _licence(entry: dict[str, Any]) -> str:
    """The licence as the package states it: an SPDX expression, or the older table and list forms."""
    stated = entry.get("license", entry.get("licenses"))
    parts = stated if isinstance(stated, list) else [stated]
    names = [_text(part) or _text(at(part, "type")) for part in parts]
    return " OR ".join(name for name in names if name)[:200]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _npm_tree(dependencies: dict[str, Any], lines: _KeyLines) -> Iterator[LockedPackage]:
    """Version 1: nested tables. Which packages the root asks for stands in package.json only."""
    waiting: deque[tuple[str, Any, tuple[dict[str, Any], ...]]] = deque(
        (name, entry, (dependencies,)) for name, entry in dependencies.items()
    )
    while waiting:
        name, entry, scopes = waiting.popleft()
        if not isinstance(entry, dict):
            continue
        inner = table(entry.get("dependencies"))
        below = (inner, *scopes)[:_DEEPEST]
        waiting.extendleft((one, nested, below) for one, nested in reversed(inner.items()))
        line = lines.next(name)
        if isinstance(entry.get("version"), str):
            yield LockedPackage(
                name,
                entry["version"],
                entry.get("dev") is True,
                isinstance(entry.get("integrity"), str),
                line=line,
                checksums=checksums(entry.get("integrity")),
                wants=tuple(sorted(_tree_wants(table(entry.get("requires")), below))),
            )


def _tree_wants(requires: dict[str, Any], scopes: tuple[dict[str, Any], ...]) -> set[tuple[str, str]]:
    """What a package of version 1 requires, from the nearest table that has it."""
    found = set()
    for name in requires:
        target = next((scope[name] for scope in scopes if name in scope), None)
        if isinstance(target, dict) and isinstance(target.get("version"), str):
            found.add((name, target["version"]))
    return found


def read_bun_lock(path: str, text: str) -> LockFile:
    """bun.lock, the text lock of Bun 1.2 and later."""
    value, problem = load_json(text)
    if not isinstance(value, dict) or not isinstance(value.get("packages", {}), dict):
        return npm_lock(path, (), problem or "it is not laid out as Bun writes it")
    lines, packages = _KeyLines(text), table(value.get("packages"))
    reading = Reading()
    for key, entry in packages.items():
        line = lines.next(key)
        if not (isinstance(entry, list) and entry and isinstance(entry[0], str)):
            continue
        name, version = _split(entry[0])
        if name and not version.startswith(("workspace:", "file:", "link:")):
            hashed = isinstance(entry[-1], str) and entry[-1].startswith("sha")
            wants = [_bun_key(packages, key, want) for part in entry if isinstance(part, dict) for want in _bun_wants(part)]
            reading.entries[key] = Entry(name, version, line, hashed, checksums=checksums(entry[-1]), wants=wants)
    for workspace in table(value.get("workspaces")).values():
        reading.runtime += [name for group in ("dependencies", "optionalDependencies") for name in table(at(workspace, group))]
        reading.dev += list(table(at(workspace, "devDependencies")))
    return npm_lock(path, reading.packages(), problem)


def _split(key: str) -> tuple[str, str]:
    at_sign = key.find("@", 1)
    return (key[:at_sign], key[at_sign + 1 :]) if at_sign > 0 else ("", "")


def _bun_wants(part: dict[str, Any]) -> list[str]:
    return [name for group in ("dependencies", "optionalDependencies", "peerDependencies") for name in table(part.get(group))]


def _bun_key(packages: dict[str, Any], owner: str, name: str) -> str:
    nested = f"{owner}/{name}"
    return nested if nested in packages else name


def read_deno_lock(path: str, text: str) -> LockFile:
    """deno.lock, versions 3 to 5: packages of npm; those of JSR are of another registry, remote modules have no version."""
    value, problem = load_json(text)
    if not isinstance(value, dict) or not _text(value.get("version")).isdigit():
        return npm_lock(path, (), problem or "it is not laid out as Deno writes it")
    older = table(value.get("packages"))
    packages = table(value.get("npm")) or table(older.get("npm"))
    lines, reading, keys = _KeyLines(text), Reading(), _deno_keys(packages)
    for key, entry in packages.items():
        name, version = _deno_name(key)
        if name:
            wants = [*table(at(entry, "dependencies")).values(), *strings(at(entry, "dependencies"))]
            stated = at(entry, "integrity")
            targets = [keys[want] for want in wants if isinstance(want, str) and want in keys]
            reading.entries[key] = Entry(name, version, lines.next(key), bool(stated), checksums=checksums(stated), wants=targets)
    specifiers = table(value.get("specifiers")) or table(older.get("specifiers"))
    for wanted, resolved in specifiers.items():
        if wanted.startswith("npm:") and isinstance(resolved, str):
            plain = resolved.removeprefix("npm:")
            target = plain if plain in keys else f"{_split(wanted[4:])[0] or wanted[4:]}@{plain}"
            reading.runtime += [keys[target]] if target in keys else []
    return npm_lock(path, reading.packages(), problem)


def _deno_keys(packages: dict[str, Any]) -> dict[str, str]:
    """The key of a package under all that may stand for it: the key itself, `name@version`, and the bare name where there is one version."""
    keys: dict[str, str] = {}
    for key in packages:
        name, version = _deno_name(key)
        keys.setdefault(name, key)
        keys.setdefault(f"{name}@{version}", key)
    return keys | {key: key for key in packages}


def _deno_name(key: str) -> tuple[str, str]:
    """Name and version of `@scope/name@1.2.3_peer@4.5.6`."""
    name, version = _split(key)
    return name, version.partition("_")[0]
