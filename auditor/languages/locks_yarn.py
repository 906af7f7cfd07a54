"""yarn.lock of every generation, read line by line in the layout Yarn writes; a file laid out differently is reported as unread."""

from __future__ import annotations

import re

from auditor.languages.lock_graph import Entry, Reading, checksums, npm_lock
from auditor.model.artifacts import LockFile, Manifest

_LONGEST_LINE = 4_000


def read_yarn_lock(path: str, text: str, manifests: tuple[Manifest, ...] = ()) -> LockFile:
    """yarn.lock of Yarn 1 and of Yarn 2 and later; what only development needs follows from the manifests beside and below it."""
    reading = Reading()
    patterns: dict[str, str] = {}
    entry: Entry | None = None
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
            if name == "integrity":  # Yarn's later "checksum" is of its own archive, of use to nobody else
                entry.checksums = checksums(value)
    for one in reading.entries.values():
        one.wants = [patterns[want] for want in map(_yarn_pattern, one.wants) if want in patterns]
    _yarn_roots(reading, patterns, manifests)
    packages = [package for package in reading.packages() if package.version and package.version != "0.0.0-use.local"]
    recognised = "yarn lockfile" in text[:300] or "__metadata" in text[:2_000] or packages
    return npm_lock(path, packages, "" if recognised else "it is not laid out as Yarn writes it")


def _yarn_header(reading: Reading, patterns: dict[str, str], line: str, number: int) -> Entry | None:
    if not line.endswith(":") or line == "__metadata:":
        return None
    names = [part.strip().strip('"') for part in line[:-1].strip('"').split(",")]
    key = names[0]
    name, resolution = _yarn_split(key)
    if not name:
        return None
    alias = re.match(r"npm:(@?[^@]{1,214})@", resolution)
    entry = reading.entries[key] = Entry(alias[1] if alias else name, "", number)
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


def _yarn_roots(reading: Reading, patterns: dict[str, str], manifests: tuple[Manifest, ...]) -> None:
    for manifest in manifests:
        for entry in manifest.requirements:
            key = patterns.get(f"{entry.name}@{entry.specifier.removeprefix('npm:')}")
            if key:
                (reading.dev if entry.group == "dev" else reading.runtime).append(key)
