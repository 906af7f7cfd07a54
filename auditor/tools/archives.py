"""Unpacks an archive of strangers into a directory of ours: bounded, and with nothing in it that could lead out.

Links, devices and pipes are left out; a name that leads out of the archive refuses the whole of it. What counts is what comes out, not what the archive says.
"""

from __future__ import annotations

import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from lzma import LZMAError
from pathlib import Path
from typing import IO

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
_CHUNK = 1 << 20


class ArchiveError(Exception):
    """The archive is broken, too large or hostile; the message is the reason as a clause."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Most bytes and files that may come out of an archive, and how deep its folders may be."""

    total_bytes: int = 2_000_000_000
    files: int = 200_000
    depth: int = 100


def is_archive(path: Path) -> bool:
    """Whether a file is named like an archive that can be unpacked."""
    return path.name.lower().endswith(SUFFIXES) and path.is_file()


def unpack(archive: Path, target: Path, limits: Limits = Limits()) -> Path:
    """Unpack into the empty directory `target`; returns the folder the tree begins at: the only one at the top where there is only one.

    Raises:
        ArchiveError: it cannot be unpacked whole within the limits.
    """
    budget = limits.total_bytes
    count = 0
    try:
        for name, content in _members(archive):
            count += 1
            if count > limits.files:
                raise ArchiveError(f"it holds more than {limits.files:,} files")
            path = target.joinpath(*_parts(name, limits.depth))
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with content, path.open("wb") as file:
                budget = _copy(content, file, budget, limits.total_bytes)
    except (
        OSError,
        EOFError,
        ValueError,
        RuntimeError,
        NotImplementedError,
        zipfile.BadZipFile,
        tarfile.TarError,
        zlib.error,
        LZMAError,
    ) as error:
        raise ArchiveError(f"it cannot be unpacked ({str(error) or type(error).__name__})") from None
    if not count:
        raise ArchiveError("it holds no files")
    entries = list(target.iterdir())
    return entries[0] if len(entries) == 1 and entries[0].is_dir() else target


def _members(archive: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """Names and contents of the regular files."""
    if archive.name.lower().endswith(".zip"):
        with zipfile.ZipFile(archive) as zipped:
            for entry in zipped.infolist():
                kind = stat.S_IFMT(entry.external_attr >> 16)
                if not entry.is_dir() and kind in {0, stat.S_IFREG}:
                    yield entry.filename, zipped.open(entry)
    else:
        with tarfile.open(archive, "r:*") as tar:
            for member in tar:
                content = tar.extractfile(member) if member.isreg() else None
                if content is not None:
                    yield member.name, content


def _parts(name: str, depth: int) -> list[str]:
    parts = [part for part in name.split("/") if part not in {"", "."}]
    if name.startswith("/") or ".." in parts or not parts or "\0" in name:
        raise ArchiveError("it holds a path that leads out of it")
    if len(parts) > depth:
        raise ArchiveError(f"it holds more than {depth} folders inside each other")
    return parts


def _copy(source: IO[bytes], target: IO[bytes], budget: int, total: int) -> int:
    while chunk := source.read(_CHUNK):
        budget -= len(chunk)
        if budget < 0:
            raise ArchiveError(f"more than {total // 1_000_000:,} MB come out of it")
        target.write(chunk)
    return budget
