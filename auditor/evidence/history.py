"""Evidence HISTORY: the newest commits of the audited directory, remembered by the commit the history begins at."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec

from auditor.cache import cache_key
from auditor.evidence.registry import Context, provides
from auditor.model.evidence import History
from auditor.model.need import Known, ToolStamp, Unavailable
from auditor.model.needs import HISTORY
from auditor.tools import history as git

_FORMAT = "history-2"


def history_state(root: Path) -> str:
    """What the history of a directory depends on, cheaply: the commit it begins at, the place inside the work tree, shallowness, tags."""
    try:
        repository, head = git.open_repository(root)
        return "\0".join((head.commit, head.prefix, str(repository.is_shallow), *git.tag_names(repository)))
    except git.HistoryError as error:
        return f"none: {error}"


@provides(HISTORY)
def history(context: Context) -> Known[History] | Unavailable:
    """Read the history the audited directory has in git."""
    try:
        repository, head = git.open_repository(context.root)
        stamp = ToolStamp("pygit2", git.version())
        key = cache_key(_FORMAT, stamp.version, head.commit, head.prefix, str(repository.is_shallow), *git.tag_names(repository))
        stored = context.cache.get_many([key]).get(key)
        if stored is not None:
            return Known(msgspec.msgpack.decode(stored, type=History), stamp)
        started = time.monotonic()
        context.progress("history: reading commits")
        found = git.read_history(repository, head, lambda: context.cancelled.is_set() or context.remaining() == 0)
        context.progress(f"history: {len(found.commits)} of {found.total} commits, {time.monotonic() - started:.1f} s")
    except git.HistoryError as error:
        return Unavailable("git history", f"{error}.")
    context.cache.put_many({key: msgspec.msgpack.encode(found)})
    return Known(found, stamp)
