"""Lines that were ever added in a git history, read with libgit2: nothing of the repository is executed, every version of a file is looked at once.

Commits are read from the oldest on, each against its first parent; what a merge brings in from its other parents has been seen on their own way.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pygit2
from pygit2.enums import DeltaStatus, DiffOption, FileMode, SortMode

from auditor.tools.history import Head
from auditor.tools.landings import subtree

COMMITS = 30_000
VERSIONS = 300_000
ADDED_BYTES = 300_000_000
BLOB_BYTES = 5_000_000
"""Text files above this size are named as not read."""
LINE_BYTES = 50_000
"""Longer lines are data, or code that a program wrote."""
_FLAGS = DiffOption.IGNORE_SUBMODULES | DiffOption.FORCE_TEXT  # an attribute of the repository ("*.env binary") must not hide changes


@dataclass(frozen=True, slots=True)
class Version:
    """The lines that `commit` added to the file at `path`, whose whole text then is the blob `blob`."""

    commit: str
    time: int
    path: str
    blob: str
    added: str


@dataclass(slots=True)
class Progress:
    """How far a reading got: commits read, versions and bytes looked at, what was absent or too large, and the bound that ended it ("" for none)."""

    commits: int = 0
    versions: int = 0
    added_bytes: int = 0
    missing: int = 0
    large: int = 0
    stopped: str = ""


def reachable(repository: pygit2.Repository, head: Head) -> list[str]:
    """Ids of all commits of the history, newest first."""
    return [str(commit.id) for commit in repository.walk(head.commit, SortMode.TIME | SortMode.TOPOLOGICAL)]


def unread(repository: pygit2.Repository, head: Head, read: str) -> list[str]:
    """Ids of the commits, newest first, that cannot be reached from the commit `read`."""
    walker = repository.walk(head.commit, SortMode.TIME | SortMode.TOPOLOGICAL)
    walker.hide(read)
    return [str(commit.id) for commit in walker]


class PastVersions:
    """Reads the added lines of commits one version of a file after the other; `progress` tells how far it got."""

    def __init__(self, repository: pygit2.Repository, head: Head, is_read: Callable[[str], bool], should_stop: Callable[[], bool]) -> None:
        self._repository = repository
        self._prefix = head.prefix
        self._is_read = is_read
        self._should_stop = should_stop
        self._seen: set[str] = set()
        self.progress = Progress()

    def read(self, commits: list[str]) -> Iterator[Version]:
        """The versions that the commits (newest first) brought, the oldest first."""
        if len(commits) > COMMITS:
            self.progress.stopped = f"only the {COMMITS:,} newest commits are read"
        for commit_id in reversed(commits[:COMMITS]):
            stopped = self._bound()
            if stopped:
                self.progress.stopped = stopped
                return
            try:
                yield from self._versions(self._repository[commit_id].peel(pygit2.Commit))
            except (pygit2.GitError, KeyError, ValueError):
                self.progress.missing += 1
            self.progress.commits += 1

    def _bound(self) -> str:
        if self._should_stop():
            return "the time limit was reached"
        if self.progress.versions > VERSIONS:
            return f"more than {VERSIONS:,} versions of files"
        return f"more than {ADDED_BYTES // 1_000_000} MB of added lines" if self.progress.added_bytes > ADDED_BYTES else ""

    def _versions(self, commit: pygit2.Commit) -> Iterator[Version]:
        new = subtree(commit.tree, self._prefix)
        if new is None:
            return
        old = subtree(commit.parents[0].tree, self._prefix) if commit.parent_ids and not self._is_border(commit) else None
        diff = old.diff_to_tree(new, _FLAGS, 0) if old is not None else new.diff_to_tree(flags=_FLAGS, context_lines=0, swap=True)
        for number, delta in enumerate(diff.deltas):
            side = delta.new_file
            if delta.status == DeltaStatus.DELETED or side.mode in {FileMode.COMMIT, FileMode.LINK} or str(side.id) in self._seen:
                continue
            if self._is_read(side.path):
                self._seen.add(str(side.id))
                added = self._added(diff, number, delta)
                if added:
                    self.progress.versions += 1
                    self.progress.added_bytes += len(added)
                    yield Version(str(commit.id), commit.commit_time, side.path, str(side.id), added)

    def _is_border(self, commit: pygit2.Commit) -> bool:
        """Whether the clone is cut off here: the parents are named and not there."""
        return self._repository.is_shallow and commit.parent_ids[0] not in self._repository

    def _added(self, diff: pygit2.Diff, number: int, delta: pygit2.DiffDelta) -> str:
        blob = self._repository.get(delta.new_file.id)
        if not isinstance(blob, pygit2.Blob):
            self.progress.missing += 1
            return ""
        utf16 = blob.size < BLOB_BYTES and blob.data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        if utf16:
            return text_of(blob.data)
        if blob.is_binary:
            return ""
        if blob.size > BLOB_BYTES:
            self.progress.large += 1
            return ""
        if delta.status == DeltaStatus.ADDED:
            return _short_lines(blob.data.split(b"\n"))
        patch = diff[number]
        if patch is None:  # nothing but the file's mode changed
            return ""
        return _short_lines([line[1:] for line in patch.data.split(b"\n") if line.startswith(b"+")][1:])


def _short_lines(lines: list[bytes]) -> str:
    return text_of(b"\n".join(line for line in lines if len(line) <= LINE_BYTES))


def text_of(content: bytes) -> str:
    """Content as text, in one form of line ends."""
    utf16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    text = content.decode("utf-16" if utf16 else "utf-8", "replace")
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def blob_text(repository: pygit2.Repository, blob_id: str) -> str | None:
    """The text of a version, None when this clone does not have it."""
    try:
        blob = repository[blob_id]
    except (KeyError, ValueError, pygit2.GitError):
        return None
    return text_of(blob.data) if isinstance(blob, pygit2.Blob) else None
