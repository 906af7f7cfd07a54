"""Writes an output file: whole or not at all, wherever the user says."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from auditor.errors import UsageError


def check_target(target: Path) -> None:
    """Refuse a target that cannot be written, before any work is done.

    Raises:
        UsageError: it is a directory, its directory does not exist, or one may not write there.
    """
    if target.is_dir():
        raise UsageError(f"{target} is a directory: name a file to write to")
    parent = target.parent
    if not parent.is_dir():
        raise UsageError(f"cannot write {target}: the directory {parent} does not exist")
    special = target.exists() and not target.is_file()
    if not os.access(target if special else parent, os.W_OK):
        raise UsageError(f"cannot write {target}: no permission to write there")


def write_file(target: Path, data: bytes) -> None:
    """Write `data` to `target` in one step: readers see the old file or the new one, never half of it.

    Raises:
        UsageError: it cannot be written.
    """
    check_target(target)
    try:
        if target.exists() and not target.is_file():
            target.write_bytes(data)  # a pipe or a device cannot be replaced
            return
        _replace(target.resolve(), data)
    except OSError as error:
        raise UsageError(f"cannot write {target}: {error.strerror or error}") from None


def _replace(target: Path, data: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:40]}.", suffix=".tmp")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        temporary.chmod(target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
