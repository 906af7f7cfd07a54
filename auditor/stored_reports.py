"""Whole reports kept for trees that have not changed: same bytes, same history, same program and same inputs give the same report.

The key holds everything a report depends on. A report that was cut short (a time limit, a tool that was missing or broke) is never kept.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import re
import sys
from collections.abc import Iterable
from pathlib import Path

import msgspec

from auditor.cache import Cache, cache_key
from auditor.evidence.history import history_state
from auditor.evidence.registry import Context
from auditor.model.report import Report
from auditor.resources import data_dir
from auditor.snapshot import Reading
from auditor.tools import advisory_store
from auditor.tools.osv import AdvisoryError

_FORMAT = "report-2"
_LIBRARIES = (
    "bandit", "semgrep", "radon", "pip-audit", "networkx", "numpy", "tree-sitter", "tree-sitter-python", "tree-sitter-javascript", "tree-sitter-typescript",
    "pyflakes", "packaging", "ruamel.yaml", "pathspec", "markdown-it-py", "pygit2", "postgast", "sqlglot", "license-expression",
)  # fmt: skip
"""What a verdict can depend on beside our own code."""
_MAY_BE_MISSING = frozenset({"advisories", "history", "secret-history"})
_PASSING = re.compile(r"time limit|in the time|timed out|took too long|killed|crashed|out of memory", re.IGNORECASE)
"""Reasons that are not properties of the tree: another run may get further."""


def key_of(context: Context, reading: Reading, chosen: Iterable[str]) -> str | None:
    """The key of the report this audit would give; None when it also depends on the network, or on data that cannot be read."""
    if context.online:
        return None
    untracked = hashlib.sha256("\0".join(file.path for file in reading.snapshot.files if not file.tracked).encode()).hexdigest()
    try:
        advisories = advisory_store.identity(context.advisories) if context.advisories else ""
    except AdvisoryError:
        return None
    settings = context.settings
    parts = (
        context.root.resolve().name,
        reading.snapshot.digest,
        reading.snapshot.origin,
        reading.snapshot.commit,
        untracked,
        history_state(context.root),
        context.date,
        advisories,
        ",".join(sorted(chosen)),
        context.part,
        repr((settings.source, settings.include, settings.exclude, sorted((root, sorted(kinds)) for root, kinds in settings.kinds))),
    )
    return cache_key(_FORMAT, _program(), *parts)


def load(cache: Cache, key: str | None) -> Report | None:
    """The stored report, None when there is none or it cannot be read."""
    stored = cache.get_many([key]).get(key) if key else None
    if stored is None:
        return None
    try:
        return msgspec.msgpack.decode(stored, type=Report)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return None


def save(cache: Cache, key: str | None, report: Report) -> None:
    """Keep a report that is complete."""
    if key and _is_complete(report):
        try:
            cache.put_many({key: msgspec.msgpack.encode(report)})
        except UnicodeEncodeError:
            return  # a file name that is no text: worked out anew each time


def _is_complete(report: Report) -> bool:
    for note in report.evidence:
        if not note.available and note.need not in _MAY_BE_MISSING:
            return False
        if _PASSING.search(note.reason) or any(_PASSING.search(reason) for _, reason in note.unexamined):
            return False
    return not any(_PASSING.search(reason) for _, reason in report.scope.skipped)


@functools.cache
def _program() -> str:
    """Digest of this program's own code and rules, and the versions of what it stands on."""
    joined = hashlib.sha256(sys.version.encode())
    package = Path(__file__).parent
    for source in sorted((*package.rglob("*.py"), *package.glob("*.json"), *package.glob("*.toml"), *data_dir("rules").rglob("*.yaml"))):
        joined.update(source.read_bytes())
    for name in _LIBRARIES:
        joined.update(f"{name} {_version(name)}\0".encode())
    return joined.hexdigest()


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""
