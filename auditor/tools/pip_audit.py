"""The port to pip-audit, used only when look-ups over the network are allowed.

It gets a requirements file of our own with exact versions and is told neither to resolve nor to install anything. A dependency counts as
examined when it was answered; the exit code is the same for "found" and "crashed" and is not looked at.
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from packaging.utils import canonicalize_name

from auditor.tools.process import find_program, run, workspace


class PipAuditError(Exception):
    """pip-audit gave no answer; the message is the reason as a clause."""


@dataclass(frozen=True, slots=True)
class Vulnerability:
    """One answer about one dependency; pip-audit does not state severities."""

    id: str
    aliases: tuple[str, ...]
    fixed: tuple[str, ...]


@dataclass(slots=True)
class LookUp:
    """What was answered, by (normalised name, version), and why the others were not."""

    answered: dict[tuple[str, str], list[Vulnerability]] = field(default_factory=dict)
    skipped: dict[tuple[str, str], str] = field(default_factory=dict)


def version() -> str:
    """The installed version, "" when pip-audit is not installed."""
    try:
        return importlib.metadata.version("pip-audit")
    except importlib.metadata.PackageNotFoundError:
        return ""


def look_up(
    packages: Sequence[tuple[str, str]], *, root: Path, timeout: float | None, cancelled: threading.Event, program: str | None = None
) -> LookUp:
    """Ask about (name, version) pairs.

    Raises:
        PipAuditError: it is not installed, did not finish, or wrote no readable answer.
    """
    program = program or find_program("pip-audit", Path(sys.executable))
    if program is None:
        raise PipAuditError("pip-audit is not installed")
    wanted = sorted({(str(canonicalize_name(name)), version) for name, version in packages})
    with workspace(root) as directory:
        listing = directory / "requirements.txt"
        listing.write_text("".join(f"{name}=={version}\n" for name, version in wanted), encoding="utf-8")
        options = ["--no-deps", "--disable-pip", "--format", "json", "--progress-spinner", "off"]
        completed = run([program, "-r", listing.name, *options], cwd=directory, timeout=timeout, cancelled=cancelled, network=True)
    if not completed.exited:
        raise PipAuditError(f"pip-audit: {completed.ending.value}")
    return read_answer(completed.stdout, wanted)


def read_answer(output: str, wanted: Sequence[tuple[str, str]]) -> LookUp:
    """The account of pip-audit's JSON; whatever it does not mention was not answered.

    Raises:
        PipAuditError: the output is no answer (no network, a traceback).
    """
    found = LookUp()
    try:
        for entry in json.loads(output)["dependencies"]:
            key: tuple[str, str] = (canonicalize_name(str(entry["name"])), str(entry.get("version", "")))
            if "vulns" not in entry:
                versions = [version for name, version in wanted if name == key[0]]
                found.skipped.update({(key[0], version): str(entry.get("skip_reason", "no answer"))[:120] for version in versions})
                continue
            found.answered[key] = [
                Vulnerability(str(one["id"]), tuple(map(str, one.get("aliases") or ())), tuple(map(str, one.get("fix_versions") or ())))
                for one in entry["vulns"]
            ]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise PipAuditError("pip-audit wrote no readable answer (no network?)") from None
    for asked in wanted:
        if asked not in found.answered:
            found.skipped.setdefault(asked, "no answer")
    return found
