"""Lock files of Python tools: uv, Poetry, PDM, Pipenv and the standard pylock.toml (PEP 751)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from packaging.utils import canonicalize_name

from auditor.languages.lock_graph import reachable
from auditor.languages.structured import Lines, at, load_json, load_toml, strings, table
from auditor.model.artifacts import Checksum, Ecosystem, LockedPackage, LockFile, Manifest

_LOCAL = ("editable", "virtual", "directory")
_MAIN = {"main", "default"}
_HASH = re.compile(r"(md5|sha1|sha256|sha384|sha512):([0-9a-fA-F]{32,128})")


def _lock(path: str, packages: Iterable[LockedPackage], problem: str) -> LockFile:
    name = path.rsplit("/", 1)[-1]
    kind = "pylock.toml" if name.startswith("pylock.") else name
    ordered = tuple(sorted(set(packages), key=lambda package: (package.line, package.name, package.version)))
    return LockFile(path, kind, Ecosystem.PYPI, path.rpartition("/")[0], ordered, problem)


def _entries(text: str, key: str) -> tuple[list[tuple[dict[str, Any], int]], dict[str, Any], str]:
    """The packages of a TOML lock with the line of each, the whole data, and what is wrong with it."""
    data, problem = load_toml(text)
    found = data.get(key)
    entries = [table(entry) for entry in found] if isinstance(found, list) else []
    heading = f"[[{key}]]"
    lines = [number for number, line in enumerate(text.splitlines(), 1) if line.startswith(heading)]
    numbers = lines if len(lines) == len(entries) else [0] * len(entries)
    return list(zip(entries, numbers, strict=True)), data, problem


def _name(entry: dict[str, Any]) -> str:
    return canonicalize_name(str(entry.get("name", "")))


def _version(entry: dict[str, Any]) -> str:
    return entry["version"] if isinstance(entry.get("version"), str) else ""


def _names(value: Any) -> list[str]:
    """The names of a list of `{ name = ... }` tables."""
    return [_name(table(entry)) for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _versions(entries: list[tuple[dict[str, Any], int]]) -> dict[str, list[str]]:
    """The versions in which each package is locked."""
    found: dict[str, list[str]] = {}
    for entry, _ in entries:
        if _version(entry):
            found.setdefault(_name(entry), []).append(_version(entry))
    return found


def _wants(named: Iterable[tuple[str, str]], versions: dict[str, list[str]]) -> tuple[tuple[str, str], ...]:
    """(name, version) of wanted packages; one that is locked in several versions only where the lock says which."""
    found = set()
    for name, version in named:
        locked = versions.get(name, [])
        if version in locked or len(locked) == 1:
            found.add((name, version if version in locked else locked[0]))
    return tuple(sorted(found))


def _checksum(stated: Any, file: str = "") -> tuple[Checksum, ...]:
    """`sha256:…` as a checksum, nothing where it is none."""
    match = _HASH.fullmatch(stated) if isinstance(stated, str) else None
    return (Checksum(match[1], match[2].lower(), file),) if match else ()


def _listed(value: Any) -> list[dict[str, Any]]:
    return [table(entry) for entry in value] if isinstance(value, list) else []


def read_uv_lock(path: str, text: str) -> LockFile:
    """uv.lock: the workspace's own packages say what is asked for, and for what."""
    entries, _, problem = _entries(text, "package")
    runtime: list[str] = []
    dev: list[str] = []
    edges: dict[str, list[str]] = {}
    for entry, _line in entries:
        wants = [name for name, _ in _uv_wants(entry)]
        edges.setdefault(_name(entry), []).extend(wants)
        if _is_local(entry):
            runtime += wants
            for names in table(entry.get("dev-dependencies")).values():
                dev += _names(names)
    used, asked, versions = reachable(runtime, edges), {*runtime, *dev}, _versions(entries)
    packages = (
        LockedPackage(
            _name(entry),
            _version(entry),
            bool(asked) and _name(entry) not in used,
            _uv_hashed(entry),
            _name(entry) in asked,
            line,
            _uv_checksums(entry),
            _wants(_uv_wants(entry), versions),
        )
        for entry, line in entries
        if _version(entry) and not _is_local(entry)
    )
    return _lock(path, packages, problem)


def _uv_wants(entry: dict[str, Any]) -> list[tuple[str, str]]:
    """(name, version) of what a package needs, its extras included; the version is stated only where there are several."""
    groups = [entry.get("dependencies"), *table(entry.get("optional-dependencies")).values()]
    return [(_name(wanted), _version(wanted)) for group in groups for wanted in _listed(group)]


def _uv_checksums(entry: dict[str, Any]) -> tuple[Checksum, ...]:
    files = [*_listed(entry.get("wheels")), table(entry.get("sdist"))]
    return tuple(found for file in files for found in _checksum(file.get("hash"), str(file.get("url") or file.get("path") or "")))


def _is_local(entry: dict[str, Any]) -> bool:
    return any(key in table(entry.get("source")) for key in _LOCAL)


def _uv_hashed(entry: dict[str, Any]) -> bool:
    wheels = entry.get("wheels")
    first = wheels[0] if isinstance(wheels, list) and wheels else None
    return isinstance(at(entry, "sdist", "hash"), str) or isinstance(at(first, "hash"), str)


def read_poetry_lock(path: str, text: str, manifests: tuple[Manifest, ...] = ()) -> LockFile:
    """poetry.lock and pdm.lock: what only development needs is said in the lock (newer ones) or follows from the manifest."""
    entries, data, problem = _entries(text, "package")
    runtime = [entry.name for manifest in manifests for entry in manifest.requirements if entry.group in {"runtime", "optional"}]
    asked = {entry.name for manifest in manifests for entry in manifest.requirements}
    used = reachable(runtime, {_name(entry): _wanted(entry) for entry, _ in entries})
    old_hashes = table(at(data, "metadata", "files")) or table(at(data, "metadata", "hashes"))
    versions = _versions(entries)
    packages = (
        LockedPackage(
            _name(entry),
            _version(entry),
            _poetry_dev(entry, asked, used),
            bool(entry.get("files") or old_hashes.get(str(entry.get("name")))),
            _name(entry) in asked,
            line,
            _poetry_checksums(entry, old_hashes),
            _wants(((name, "") for name in _wanted(entry)), versions),
        )
        for entry, line in entries
        if _version(entry)
    )
    return _lock(path, packages, problem)


def _poetry_checksums(entry: dict[str, Any], older: dict[str, Any]) -> tuple[Checksum, ...]:
    files = _listed(entry.get("files")) or _listed(older.get(str(entry.get("name"))))
    return tuple(found for file in files for found in _checksum(file.get("hash"), str(file.get("url") or file.get("file") or "")))


def _wanted(entry: dict[str, Any]) -> list[str]:
    """Poetry lists dependencies as a table, PDM as requirement texts."""
    wanted = entry.get("dependencies")
    names = list(wanted) if isinstance(wanted, dict) else [re.split(r"[\s\[;<>=!~@(]", text, maxsplit=1)[0] for text in strings(wanted)]
    return [canonicalize_name(name) for name in names]


def _poetry_dev(entry: dict[str, Any], asked: set[str], used: set[str]) -> bool:
    groups = strings(entry.get("groups"))
    if groups:
        return not _MAIN.intersection(groups)
    if isinstance(entry.get("category"), str):
        return str(entry["category"]) == "dev"
    return bool(asked) and _name(entry) not in used


def read_pipfile_lock(path: str, text: str) -> LockFile:
    """Pipfile.lock."""
    value, problem = load_json(text)
    if not isinstance(value, dict):
        return _lock(path, (), problem or "it holds no object")
    return _lock(path, _pipenv(value, Lines(text)), problem)


def _pipenv(value: dict[str, Any], lines: Lines) -> Iterator[LockedPackage]:
    runtime = set(table(value.get("default")))
    for key in sorted(set(value) - {"_meta"}):
        start = lines.of(key)
        for name, entry in table(value[key]).items():
            details = table(entry)
            version = details.get("version")
            if isinstance(version, str) and not (key != "default" and name in runtime):
                hashed, direct = bool(details.get("hashes")), "index" in details
                sums = tuple(found for stated in strings(details.get("hashes")) for found in _checksum(stated))
                line = lines.of(name, start)
                yield LockedPackage(canonicalize_name(name), version.lstrip("= "), key != "default", hashed, direct, line, sums)


def read_pylock(path: str, text: str) -> LockFile:
    """pylock.toml (PEP 751)."""
    entries, _, problem = _entries(text, "packages")
    versions = _versions(entries)
    packages = (
        LockedPackage(
            _name(entry),
            _version(entry),
            hashed=_pylock_hashed(entry),
            line=line,
            checksums=tuple(_pylock_checksums(entry)),
            wants=_wants(((_name(wanted), _version(wanted)) for wanted in _listed(entry.get("dependencies"))), versions),
        )
        for entry, line in entries
        if _version(entry)
    )
    return _lock(path, packages, problem)


def _pylock_files(entry: dict[str, Any]) -> list[dict[str, Any]]:
    return [*_listed(entry.get("wheels")), table(entry.get("sdist")), table(entry.get("archive"))]


def _pylock_hashed(entry: dict[str, Any]) -> bool:
    return any(isinstance(file.get("hashes"), dict) for file in _pylock_files(entry))


def _pylock_checksums(entry: dict[str, Any]) -> Iterator[Checksum]:
    for file in _pylock_files(entry):
        for algorithm, value in table(file.get("hashes")).items():
            yield from _checksum(f"{algorithm}:{value}", str(file.get("url") or file.get("name") or ""))
