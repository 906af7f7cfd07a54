"""The port to git history: read with libgit2, which runs no hook, filter, pager, external diff or file-system monitor of the repository.

Authors become pseudonyms, lines become hashes, so that nothing personal and no source text leaves this module.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import Enum, auto
from itertools import islice
from pathlib import Path

import pygit2
from pygit2.enums import DiffOption, FileMode, SortMode

from auditor.model.evidence import Commit, FileChange, History
from auditor.tools.landings import People, ReadingStopped, read_landings, subject_of, subtree

COMMITS = 400
FILES_PER_COMMIT = 300
LINES_PER_FILE = 2_000
LINE_CHARACTERS = 12
"""Shorter lines (braces, returns) recur everywhere and prove nothing."""
_BLOB_BYTES = 2_000_000
_TAGS = 100
_MISSING = -1
_MISSING_SHARE = 0.05
"""Share of changes whose content may be missing: a clone filtered by size lacks large files only, one without contents lacks all."""
_INCOMPLETE = "parts of it are missing or damaged; a partial clone lacks them"
_STOPPED = "the time limit was reached while reading it"
_NOTHING = pygit2.Oid(hex="0" * 40)

pygit2.option(pygit2.enums.Option.SET_OWNER_VALIDATION, False)
pygit2.option(pygit2.enums.Option.SET_CACHE_OBJECT_LIMIT, pygit2.enums.ObjectType.BLOB, 1_000_000)  # each version is read twice or more

_TRAILER = re.compile(r"^(?:co-authored-by|co-developed-by|generated-by|assisted-by):\s*(.+)$", re.IGNORECASE | re.MULTILINE)
_GENERATED = re.compile(r"\bgenerated with \[?([\w .-]{3,30})", re.IGNORECASE)
_ASSISTANTS = (
    "claude",
    "copilot",
    "cursor",
    "codex",
    "chatgpt",
    "gemini",
    "aider",
    "windsurf",
    "devin",
    "lovable",
    "replit",
    "bolt",
    "v0",
    "jules",
    "amazon q",
    "openhands",
    "cline",
)


class _Content(Enum):
    """Kinds of file content: text of bounded size, anything else, or not in this clone."""

    TEXT = auto()
    OTHER = auto()
    MISSING = auto()


class HistoryError(Exception):
    """There is no readable history; the message is the reason as a clause."""


@dataclass(frozen=True, slots=True)
class Head:
    """Where the history of an audited directory begins: the commit, and the directory's path inside the work tree ("" for its root)."""

    commit: str
    prefix: str


def version() -> str:
    """Version of pygit2."""
    return importlib.metadata.version("pygit2")


def open_repository(root: Path) -> tuple[pygit2.Repository, Head]:
    """The repository that the directory `root` belongs to.

    Raises:
        HistoryError: there is none, it has no commit, or it cannot be read.
    """
    try:
        found = pygit2.discover_repository(str(root))
        if found is None:
            raise HistoryError("there is no git history here")
        repository = pygit2.Repository(found)
        if repository.workdir is None:
            raise HistoryError("the repository has no work tree")
        if repository.head_is_unborn:
            raise HistoryError("the repository has no commit yet")
        prefix = root.resolve().relative_to(Path(repository.workdir).resolve()).as_posix()
        return repository, Head(str(repository.head.target), "" if prefix == "." else prefix)
    except (pygit2.GitError, KeyError, ValueError, OSError) as error:
        raise HistoryError(f"the repository cannot be read ({type(error).__name__})") from None


def read_history(repository: pygit2.Repository, head: Head, should_stop: Callable[[], bool] = lambda: False) -> History:
    """The newest non-merge commits that touch the audited directory.

    Raises:
        HistoryError: objects are missing (a partial clone) or damaged, or `should_stop` said so.
    """
    try:
        ids = [commit.id for commit in repository.walk(head.commit, SortMode.TIME | SortMode.TOPOLOGICAL)]
        chosen = list(islice(_relevant(repository, ids, head.prefix, should_stop), COMMITS + 1))
        if head.prefix and not chosen:
            raise HistoryError("there is no git history of this directory")
        people = People(commit.author for commit, _ in reversed(chosen[:COMMITS]))
        commits = tuple(_commit(commit, changes, people) for commit, changes in chosen[:COMMITS])
        landings = tuple(read_landings(repository, head.commit, head.prefix, people, should_stop))
        tags = _tags(repository)
    except ReadingStopped:
        raise HistoryError(_STOPPED) from None
    except (pygit2.GitError, KeyError, ValueError, OSError):
        raise HistoryError(_INCOMPLETE) from None
    commits = _without_missing(commits)
    return History(commits, len(ids), repository.is_shallow, tags, len(chosen) > COMMITS, landings)


def _without_missing(commits: tuple[Commit, ...]) -> tuple[Commit, ...]:
    """The commits with absent contents counted like binary ones, as long as they are few."""
    changes = [change for commit in commits for change in commit.changes]
    missing = sum(change.added == _MISSING for change in changes)
    if missing > _MISSING_SHARE * len(changes):
        raise HistoryError(_INCOMPLETE)
    if not missing:
        return commits
    return tuple(
        replace(commit, changes=tuple(replace(c, added=max(0, c.added), removed=max(0, c.removed)) for c in commit.changes))
        for commit in commits
    )


def tag_names(repository: pygit2.Repository) -> list[str]:
    """Names of all tags, in name order."""
    return sorted(name for name in repository.references if name.startswith("refs/tags/"))


def _relevant(
    repository: pygit2.Repository, ids: list[pygit2.Oid], prefix: str, should_stop: Callable[[], bool]
) -> Iterator[tuple[pygit2.Commit, tuple[FileChange, ...]]]:
    border = _border(repository)
    for commit_id in ids:
        if should_stop():
            raise HistoryError(_STOPPED)
        commit = repository[commit_id].peel(pygit2.Commit)
        if len(commit.parent_ids) > 1 or str(commit_id) in border:
            continue
        changes = _changes(repository, commit, prefix)
        if changes or not prefix:
            yield commit, changes


def _border(repository: pygit2.Repository) -> frozenset[str]:
    """Commits whose parents a shallow clone left out: everything in them would look newly added."""
    if not repository.is_shallow:
        return frozenset()
    return frozenset((Path(repository.path) / "shallow").read_text(encoding="ascii", errors="replace").split())


def _changes(repository: pygit2.Repository, commit: pygit2.Commit, prefix: str) -> tuple[FileChange, ...]:
    new = subtree(commit.tree, prefix)
    old = subtree(commit.parents[0].tree, prefix) if commit.parent_ids else None
    # FORCE_TEXT: an attribute of the repository ("*.py binary") must not hide changes; what is binary is decided here
    flags = DiffOption.IGNORE_SUBMODULES | DiffOption.FORCE_TEXT
    if new is not None and old is not None:
        diff = old.diff_to_tree(new, flags=flags, context_lines=0)
    elif new is not None:
        diff = new.diff_to_tree(flags=flags, context_lines=0, swap=True)
    elif old is not None:
        diff = old.diff_to_tree(flags=flags, context_lines=0)
    else:
        return ()
    found = [_file_change(repository, diff, number, delta) for number, delta in enumerate(islice(diff.deltas, FILES_PER_COMMIT))]
    return tuple(sorted(found, key=lambda change: change.path))


def _file_change(repository: pygit2.Repository, diff: pygit2.Diff, number: int, delta: pygit2.DiffDelta) -> FileChange:
    path = delta.new_file.path or delta.old_file.path
    sides = {_content(repository, delta.old_file), _content(repository, delta.new_file)}
    if _Content.MISSING in sides:
        return FileChange(path, _MISSING, _MISSING)
    if _Content.OTHER in sides:
        return FileChange(path, 0, 0)
    patch = diff[number]
    if patch is None:  # nothing but the file's mode changed
        return FileChange(path, 0, 0)
    _, added, removed = patch.line_stats
    hashes: dict[str, list[int]] = {"+": [], "-": []}
    for line in islice((line for hunk in patch.hunks for line in hunk.lines), LINES_PER_FILE):
        hashed = _hash(line.raw_content)
        if hashed is not None and line.origin in hashes:
            hashes[line.origin].append(hashed)
    return FileChange(path, added, removed, tuple(hashes["+"]), tuple(hashes["-"]))


def _content(repository: pygit2.Repository, side: pygit2.DiffFile) -> _Content:
    """What stands on one side of a change; a side that does not exist counts as text."""
    if side.id == _NOTHING:
        return _Content.TEXT
    if side.mode == FileMode.COMMIT:
        return _Content.OTHER
    try:
        blob = repository[side.id]
    except KeyError:
        return _Content.MISSING
    is_text = isinstance(blob, pygit2.Blob) and not blob.is_binary and blob.size <= _BLOB_BYTES
    return _Content.TEXT if is_text else _Content.OTHER


def _hash(content: bytes) -> int | None:
    stripped = content.strip()
    if len(stripped) < LINE_CHARACTERS:
        return None
    return int.from_bytes(hashlib.blake2b(stripped, digest_size=8).digest(), "big")


def _commit(commit: pygit2.Commit, changes: tuple[FileChange, ...], people: People) -> Commit:
    message = commit.raw_message.decode("utf-8", "replace")
    return Commit(str(commit.id), commit.commit_time, people.of(commit.author), subject_of(message), _assistants(message), changes)


def _assistants(message: str) -> tuple[str, ...]:
    """Assistants named in trailers, as one lower-case word each; people's names stay out."""
    named = [found[1].lower() for pattern in (_TRAILER, _GENERATED) for found in pattern.finditer(message)]
    return tuple(sorted({assistant for assistant in _ASSISTANTS for text in named if re.search(rf"\b{re.escape(assistant)}\b", text)}))


def _tags(repository: pygit2.Repository) -> tuple[str, ...]:
    """Tag names, those of the newest commits first."""
    found: list[tuple[int, str]] = []
    for name in tag_names(repository):
        try:
            commit = repository.references[name].peel(pygit2.Commit)
        except (pygit2.GitError, KeyError, ValueError):
            continue
        found.append((commit.commit_time, name.removeprefix("refs/tags/")))
    return tuple(name for _, name in sorted(found, key=lambda entry: (-entry[0], entry[1]))[:_TAGS])
