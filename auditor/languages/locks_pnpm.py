"""pnpm-lock.yaml, read line by line in the layout pnpm writes.

That is many times quicker than a YAML parser and gives line numbers; a file laid out differently is reported as unread, never as empty.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.languages.lock_graph import Entry, Reading, checksums, npm_lock
from auditor.model.artifacts import LockFile

_PNPM_5 = re.compile(r"(?:[\w-]{1,60}(?:\.[\w-]{1,60}){1,6}(?::\d{1,5})?/)?(@[^/@]{1,100}/[^/@]{1,214}|[^/@]{1,214})/(\d[^/_]{0,100})")
_LONGEST_LINE = 4_000


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
    reading = Reading()
    sections = set()
    flagged = False
    for keys, value, line in _block_lines(text):
        sections.add(keys[0])
        if keys[0] == "packages" and len(keys) >= 2:
            flagged = _pnpm_package(reading, keys, value, line) or flagged
        elif keys[0] == "snapshots" and len(keys) == 4 and keys[2] in {"dependencies", "optionalDependencies"}:
            owner = reading.entries.get(_pnpm_key(keys[1]))
            if owner:
                owner.wants.append(_pnpm_target(keys[3], value))
        else:
            _pnpm_root(reading, keys, value)
    reading.entries = {key: entry for key, entry in reading.entries.items() if entry.name and entry.version}
    if "lockfileVersion" not in sections or ("packages" in sections and not reading.entries):
        return npm_lock(path, (), "it is not laid out as pnpm writes it")
    return npm_lock(path, reading.packages(known_dev=flagged))


def _pnpm_package(reading: Reading, keys: tuple[str, ...], value: str, line: int) -> bool:
    """One line below `packages`; whether it is a mark of development-only packages (before version 9)."""
    key = _pnpm_key(keys[1])
    if len(keys) == 2:
        name, version = _pnpm_name(keys[1])  # those of git and of archives have their names in lines of their own
        reading.entries[key] = Entry(name, version, line)
        return False
    entry = reading.entries.get(key)
    if entry is None:
        return False
    if keys[2] == "resolution" and ("integrity:" in value or keys[-1] == "integrity"):
        entry.hashed, entry.checksums = True, checksums(value)
    elif keys[2:] == ("deprecated",):
        entry.deprecated = value.strip("'\"")[:300] or "deprecated"
    elif len(keys) == 4 and keys[2] in {"dependencies", "optionalDependencies"}:
        entry.wants.append(_pnpm_target(keys[3], value))
    elif keys[2:] == ("version",):
        entry.version = value.strip("'\"")
    elif keys[2:] == ("name",):
        entry.name = value.strip("'\"")
    elif keys[2:] == ("dev",):
        entry.dev = value == "true"
        return True
    return False


def _pnpm_root(reading: Reading, keys: tuple[str, ...], value: str) -> None:
    """A dependency of a project of the workspace: below `importers`, or at the top of a lock for one project."""
    inner = keys[2:] if keys[0] == "importers" else keys
    if len(inner) == 3 and inner[2] != "version":
        return
    if not value or len(inner) not in {2, 3} or inner[0] not in {"dependencies", "devDependencies", "optionalDependencies"}:
        return
    (reading.dev if inner[0] == "devDependencies" else reading.runtime).append(_pnpm_target(inner[1], value))


def _pnpm_target(name: str, value: str) -> str:
    """The key of the package a dependency was resolved to: a version, or for an alias the whole key."""
    plain = value.strip("'\"")
    version = plain.split("_", 1)[0] if plain[:1].isdigit() else plain
    return _pnpm_key(version.lstrip("/") if _pnpm_name(version)[0] and not version[:1].isdigit() else f"{name}@{version}")


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
