"""What the lock files of JavaScript tools have in common: packages that want packages, and what the projects ask for by themselves."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from auditor.model.artifacts import Checksum, Ecosystem, LockedPackage, LockFile

_INTEGRITY = re.compile(r"\b(sha1|sha256|sha384|sha512)-([A-Za-z0-9+/]{20,90}={0,2})")


def checksums(integrity: object) -> tuple[Checksum, ...]:
    """The checksums of an `integrity` text (https://www.w3.org/TR/sri-2/), in hexadecimal."""
    found = []
    for algorithm, encoded in _INTEGRITY.findall(integrity[:1_000]) if isinstance(integrity, str) else ():
        try:
            found.append(Checksum(algorithm, base64.b64decode(encoded, validate=True).hex()))
        except (binascii.Error, ValueError):
            continue
    return tuple(found)


def npm_lock(path: str, packages: Iterable[LockedPackage], problem: str = "") -> LockFile:
    """The lock at a path, its packages in the order of the file."""
    name = path.rsplit("/", 1)[-1]
    kind = {"npm-shrinkwrap.json": "package-lock.json", "bun.lockb": "bun.lock"}.get(name, name)
    ordered = tuple(sorted(set(packages), key=lambda package: (package.line, package.name, package.version)))
    return LockFile(path, kind, Ecosystem.NPM, path.rpartition("/")[0], ordered, problem)


@dataclass(slots=True)
class Entry:
    """One package of a lock while its file is being read; `wants` are keys of other entries."""

    name: str
    version: str
    line: int
    hashed: bool = False
    dev: bool = False
    checksums: tuple[Checksum, ...] = ()
    deprecated: str = ""
    wants: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Reading:
    """Everything a lock says: entries by key, and the keys the projects ask for by themselves."""

    entries: dict[str, Entry] = field(default_factory=dict)
    runtime: list[str] = field(default_factory=list)
    dev: list[str] = field(default_factory=list)

    def packages(self, *, known_dev: bool = False) -> Iterator[LockedPackage]:
        """The packages; what only development reaches is `dev`, unless the lock itself says so (`known_dev`)."""
        used = reachable(self.runtime, {key: entry.wants for key, entry in self.entries.items()})
        asked = {*self.runtime, *self.dev}
        graded = bool(self.runtime or self.dev)
        for key, entry in self.entries.items():
            dev = entry.dev if known_dev else graded and key not in used
            yield LockedPackage(
                entry.name,
                entry.version,
                dev,
                entry.hashed,
                key in asked,
                entry.line,
                entry.checksums,
                self._wanted(entry),
                deprecated=entry.deprecated,
            )

    def _wanted(self, entry: Entry) -> tuple[tuple[str, str], ...]:
        targets = (self.entries[key] for key in entry.wants if key in self.entries)
        return tuple(sorted({(target.name, target.version) for target in targets}))


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
