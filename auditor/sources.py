"""What the user names as the thing to audit: a directory, an archive that is unpacked, or the address of a git repository that is cloned.

Both are put into a directory of our own that is removed afterwards. The network is used for an address only, because the user gave one.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from auditor.errors import UnreachableError, UsageError
from auditor.tools import archives
from auditor.tools.network import NetworkError, clone, shown

_ADDRESS = re.compile(r"^([a-z][a-z0-9+.-]{1,20})://", re.IGNORECASE)
_SHORT = re.compile(r"^[\w.-]{1,80}@[\w.-]{1,200}:[^\s:]{1,500}$")
_ALLOWED = ("https", "http", "ssh", "file")


@contextmanager
def opened(given: str, progress: Callable[[str], None] = lambda _text: None) -> Iterator[Path]:
    """The directory to audit.

    Raises:
        UsageError: the address is of a kind that is not cloned, or the archive cannot be unpacked.
        UnreachableError: the repository could not be cloned.
    """
    if is_address(given):
        with _folder() as folder:
            yield _cloned(given, folder, progress)
    elif archives.is_archive(Path(given)):
        with _folder() as folder:
            yield _unpacked(Path(given), folder, progress)
    else:
        yield Path(given)


def is_address(given: str) -> bool:
    """Whether this is the address of a repository and not a path."""
    return bool(_ADDRESS.match(given) or (_SHORT.match(given) and not Path(given).exists()))


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="auditor-source-", ignore_cleanup_errors=True) as name:
        yield Path(name)


def _cloned(given: str, folder: Path, progress: Callable[[str], None]) -> Path:
    scheme = _ADDRESS.match(given)
    if scheme and scheme[1].lower() not in _ALLOWED:
        raise UsageError(f"{shown(given)} cannot be cloned: the address begins with one of {', '.join(_ALLOWED)}")
    target = folder / _name(given)
    progress(f"cloning {shown(given)}")
    try:
        clone(given, target, progress=lambda size: progress(f"cloning: {size // 1_000_000:,} MB"))
    except NetworkError as error:
        raise UnreachableError(f"{error}") from None
    return target


def _unpacked(archive: Path, folder: Path, progress: Callable[[str], None]) -> Path:
    progress(f"unpacking {archive.name}")
    target = folder / (re.sub(r"(?:\.tar)?\.\w+$", "", archive.name) or "archive")
    target.mkdir(mode=0o700)
    try:
        return archives.unpack(archive, target)
    except archives.ArchiveError as error:
        raise UsageError(f"{archive} was not audited: {error}") from None


def _name(given: str) -> str:
    """The repository's name, as far as a folder can have it."""
    last = re.split(r"[/:]", given.split("?", 1)[0].rstrip("/"))[-1].removesuffix(".git")
    return re.sub(r"[^\w.-]", "-", last).strip(".-")[:100] or "repository"
