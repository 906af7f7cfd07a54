"""Narrows a reading of the tree: to what an owner's settings leave in, or to one part of a monorepo.

Files that settings leave out stay readable as somebody else's code, so that imports of them still lead somewhere. A part keeps what it stands on: files in
the folders above it, the pipelines, and the packages of the same repository that its manifests name.
"""

from __future__ import annotations

import hashlib
import json
import posixpath
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from pathspec import GitIgnoreSpec

from auditor.errors import UsageError
from auditor.model.settings import Settings
from auditor.model.snapshot import Role, Snapshot, SourceFile
from auditor.snapshot import Reading

_PIPELINES = (".github/", ".gitlab/", ".gitlab-ci", ".circleci/", ".buildkite/", ".azure/", ".ci/", ".husky/")
_DEPENDENCIES = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")
_DEEPEST = 8


def matcher(patterns: tuple[str, ...]) -> GitIgnoreSpec:
    """The patterns, read as in .gitignore, anchored at the root of the audited tree."""
    return GitIgnoreSpec.from_lines(patterns)


def left_out(settings: Settings, path: str) -> bool:
    """Whether the settings leave a path out."""
    return _outside(path, matcher(settings.include) if settings.include else None, matcher(settings.exclude))


def narrowed(reading: Reading, settings: Settings) -> tuple[Reading, int]:
    """The reading with what the settings leave out as somebody else's code, and the number of those files."""
    if not settings.include and not settings.exclude:
        return reading, 0
    include, exclude = matcher(settings.include) if settings.include else None, matcher(settings.exclude)
    out = {file.path for file in reading.snapshot.files if _outside(file.path, include, exclude)}
    files = tuple(replace(file, role=Role.VENDORED) if file.path in out else file for file in reading.snapshot.files)
    return replace(reading, snapshot=replace(reading.snapshot, files=files)), len(out)


def _outside(path: str, include: GitIgnoreSpec | None, exclude: GitIgnoreSpec) -> bool:
    return (include is not None and not include.match_file(path)) or exclude.match_file(path)


def part_of(reading: Reading, folder: str) -> Reading:
    """The reading of one part.

    Raises:
        UsageError: the tree holds no such folder.
    """
    root = posixpath.normpath(folder.replace("\\", "/")).strip("/")
    if root in {"", "."}:
        return reading
    if not any(file.path.startswith(root + "/") for file in reading.snapshot.files):
        raise UsageError(f"the repository has no folder {folder!r} with files in it; --part takes a path from the repository's root")
    roots = _with_packages(root, reading.texts)
    snapshot = reading.snapshot
    kept = tuple(file for file in snapshot.files if _belongs(file.path, roots))
    texts = {path: text for path, text in reading.texts.items() if _belongs(path, roots)}
    skipped = tuple(entry for entry in snapshot.skipped if _belongs(entry.path, roots))
    return Reading(Snapshot(kept, skipped, snapshot.origin, snapshot.commit, _digest(kept, root)), texts)


def _belongs(path: str, roots: frozenset[str]) -> bool:
    folder = posixpath.dirname(path)
    return path.startswith(_PIPELINES) or any(path.startswith(root + "/") or not folder or root.startswith(folder + "/") for root in roots)


def _with_packages(root: str, texts: Mapping[str, str]) -> frozenset[str]:
    """The part's folder and those of the packages it needs from the same repository, directly or not."""
    folders = {str(_json(text).get("name")): posixpath.dirname(path) for path, text in texts.items() if path.endswith("package.json")}
    found, pending = {root}, [(root, 0)]
    while pending:
        current, depth = pending.pop()
        for path in _needed(current, texts, folders):
            if path and path not in found and depth < _DEEPEST:
                found.add(path)
                pending.append((path, depth + 1))
    return frozenset(found)


def _needed(folder: str, texts: Mapping[str, str], folders: Mapping[str, str]) -> Iterator[str]:
    manifests = {path: text for path, text in texts.items() if path.startswith(folder + "/") or posixpath.dirname(path) == folder}
    for path, text in manifests.items():
        if path.endswith("/package.json"):
            table = _json(text)
            for group in _DEPENDENCIES:
                names = table.get(group)
                yield from (folders[name] for name in names if name in folders) if isinstance(names, dict) else ()
        elif path.endswith("/pyproject.toml"):
            yield from (posixpath.normpath(posixpath.join(posixpath.dirname(path), relative)) for relative in _paths_in(text))


def _json(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _paths_in(text: str) -> Iterator[str]:
    """The values of every `path` key: how Poetry, PDM and uv name a package that lies beside."""
    try:
        pending: list[Any] = [tomllib.loads(text)]
    except (ValueError, RecursionError):
        return
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            if isinstance(value.get("path"), str):
                yield value["path"]
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)


def _digest(files: tuple[SourceFile, ...], root: str) -> str:
    joined = hashlib.sha256(root.encode())
    for file in files:
        joined.update(f"{file.path}\x00{file.digest}\x00".encode())
    return joined.hexdigest()
