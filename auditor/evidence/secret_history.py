"""Evidence SECRET_HISTORY: credentials in lines that were added once and are gone from the tree.

Added lines are searched first, many of one file at a time; where something shows, the whole version it stands in is judged as a file of the tree would be. What
is remembered are the versions that are worth a look, under the commit the search got to: the next audit reads the commits after it.
"""

from __future__ import annotations

import datetime as dt
import functools
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pygit2

from auditor import classify
from auditor.cache import Cache, cache_key
from auditor.evidence.registry import Context, provides
from auditor.languages.credentials import Surroundings, Vanished, find_credentials, scanner_digest, searched, surroundings_of
from auditor.model.evidence import PastSecret, SecretHistory
from auditor.model.need import Known, ToolStamp, Unavailable
from auditor.model.needs import SECRET_HISTORY, TEXTS
from auditor.tools import history as git
from auditor.tools.past_versions import PastVersions, Progress, Version, blob_text, reachable, unread

_FORMAT = "secret-history-1"
_NEVER = 0
"""The date at which no token has run out: what is worth a look does not depend on the day of the audit."""
_BATCH = 200_000
"""Characters of one file's added lines that are searched together."""
_PENDING = 20_000_000
_SUSPECTS = 1_000
_FOUND = 200
_ANCESTORS = 600
"""Commits back from the newest for which a remembered search is looked for."""
_SECONDS = 120.0


class _Suspect(msgspec.Struct, frozen=True):
    """A version in which something looks like a credential."""

    commit: str
    time: int
    path: str
    blob: str


class _Search(msgspec.Struct):
    """What a search of all commits up to one found, and how far it got."""

    suspects: list[_Suspect]
    commits: int
    total: int = 0
    missing: int = 0
    large: int = 0
    stopped: str = ""


@provides(SECRET_HISTORY, needs=(TEXTS,))
def secret_history(context: Context, texts: dict[str, str]) -> Known[SecretHistory] | Unavailable:
    """Search the history of the audited directory."""
    stamp = ToolStamp("pygit2", git.version())
    try:
        repository, head = git.open_repository(context.root)
    except git.HistoryError as error:
        if _has_no_history(context.root):
            return Known(SecretHistory((), 0, 0), stamp)
        return Unavailable("git history", f"{error}.")
    try:
        search = _search(context, repository, head)
    except (pygit2.GitError, KeyError, ValueError, OSError):
        return Unavailable("git history", "parts of it are missing or damaged; a partial clone lacks them.")
    found, lost = _vanished(repository, search.suspects, texts, _seconds(context.date))
    search.missing += lost
    return Known(SecretHistory(tuple(found), search.commits, search.total, _gap(repository, search, len(found))), stamp)


def _has_no_history(root: Path) -> bool:
    """Whether no repository is there at all, or one without a commit: nothing can have been removed."""
    try:
        place = pygit2.discover_repository(str(root))
        return place is None or pygit2.Repository(place).head_is_unborn
    except (pygit2.GitError, KeyError, ValueError, OSError):
        return False


def _gap(repository: pygit2.Repository, search: _Search, found: int) -> str:
    """Why the search is not complete, as a clause; "" when it is."""
    reasons = []
    if search.stopped:
        reasons.append(search.stopped)
    if repository.is_shallow:
        reasons.append("the clone is shallow: earlier commits are not in it")
    if search.missing:
        reasons.append(f"{search.missing} commits or versions of files are not in this clone")
    if search.large:
        reasons.append(f"{search.large} versions of files are too large to be read")
    if len(search.suspects) >= _SUSPECTS or found >= _FOUND:
        reasons.append("there are more versions with something like a credential than are looked at")
    return "; ".join(reasons)


def _search(context: Context, repository: pygit2.Repository, head: git.Head) -> _Search:
    """The search up to the newest commit, continued from the nearest one that is remembered."""
    earlier, start = _remembered(context.cache, repository, head, [head.commit])
    if start:
        return earlier
    commits = reachable(repository, head)
    earlier, start = _remembered(context.cache, repository, head, commits[:_ANCESTORS])
    started = time.monotonic()
    context.progress("secrets: searching the history")
    pending = commits if not start else unread(repository, head, start)
    versions = PastVersions(repository, head, lambda path: _surroundings(path) is not None, _limit(context))
    suspects = [*earlier.suspects, *_suspects(versions.read(pending))]
    search = _combined(earlier, versions.progress, suspects[:_SUSPECTS], len(commits))
    context.progress(f"secrets: {search.commits} commits, {versions.progress.versions} versions, {time.monotonic() - started:.1f} s")
    if "time limit" not in search.stopped:
        context.cache.put_many({_key(repository, head, head.commit): msgspec.msgpack.encode(search)})
    return search


def _limit(context: Context) -> Callable[[], bool]:
    end = time.monotonic() + _SECONDS
    return lambda: context.cancelled.is_set() or context.remaining() == 0 or time.monotonic() > end


def _combined(earlier: _Search, progress: Progress, suspects: list[_Suspect], total: int) -> _Search:
    return _Search(
        suspects,
        earlier.commits + progress.commits,
        total,
        earlier.missing + progress.missing,
        earlier.large + progress.large,
        progress.stopped,
    )


def _remembered(cache: Cache, repository: pygit2.Repository, head: git.Head, commits: list[str]) -> tuple[_Search, str]:
    """The stored search of the newest of these commits that has one, and the commit; an incomplete one only serves the commit it was made for."""
    keys = {_key(repository, head, commit): commit for commit in commits}
    stored = cache.get_many(keys)
    for key, commit in keys.items():
        if key in stored:
            try:
                search = msgspec.msgpack.decode(stored[key], type=_Search)
            except (msgspec.DecodeError, msgspec.ValidationError):
                continue
            if commit == head.commit or not (search.stopped or search.missing):
                return search, commit
    return _Search([], 0), ""


def _key(repository: pygit2.Repository, head: git.Head, commit: str) -> str:
    return cache_key(_FORMAT, scanner_digest(), git.version(), head.prefix, str(repository.is_shallow), commit)


@functools.lru_cache(maxsize=100_000)
def _surroundings(path: str) -> Surroundings | None:
    return searched(path)


@dataclass(slots=True)
class _Batch:
    """Versions of one file whose added lines are searched together."""

    versions: list[Version] = field(default_factory=list)
    size: int = 0


def _suspects(versions: Iterator[Version]) -> list[_Suspect]:
    """The versions in whose added lines something looks like a working credential, the oldest first."""
    batches: dict[str, _Batch] = {}
    found: list[tuple[int, Version]] = []
    order: dict[tuple[str, str], int] = {}
    pending = 0
    for version in versions:
        order[version.path, version.blob] = len(order)
        batch = batches.setdefault(version.path, _Batch())
        batch.versions.append(version)
        batch.size += len(version.added)
        pending += len(version.added)
        if batch.size > _BATCH:
            pending -= batch.size
            found.extend((order[hit.path, hit.blob], hit) for hit in _suspicious(batches.pop(version.path).versions))
        elif pending > _PENDING:
            found.extend((order[hit.path, hit.blob], hit) for entry in batches.values() for hit in _suspicious(entry.versions))
            batches, pending = {}, 0
    found.extend((order[hit.path, hit.blob], hit) for entry in batches.values() for hit in _suspicious(entry.versions))
    found.sort(key=lambda entry: entry[0])
    return [_Suspect(hit.commit, hit.time, hit.path, hit.blob) for _, hit in found]


def _suspicious(versions: list[Version]) -> list[Version]:
    surroundings = _surroundings(versions[0].path)
    assert surroundings is not None
    starts, line = [], 1
    for version in versions:
        starts.append(line)
        line += version.added.count("\n") + 2
    secrets = find_credentials("\n\n".join(version.added for version in versions), surroundings, _NEVER)
    working = {bisect_right(starts, secret.line) - 1 for secret in secrets if secret.certainty == "working"}
    return [versions[position] for position in sorted(working)]


def _vanished(repository: pygit2.Repository, suspects: list[_Suspect], texts: dict[str, str], today: int) -> tuple[list[PastSecret], int]:
    """What stands in the suspicious versions and not in the tree, and how many versions are not there to be read."""
    vanished = Vanished(texts.values(), today)
    found: list[PastSecret] = []
    lost = 0
    for suspect in suspects:
        text = blob_text(repository, suspect.blob)
        if text is None:
            lost += 1
            continue
        surroundings = surroundings_of(suspect.path, *classify.classify(suspect.path, text))
        found.extend(PastSecret(secret, suspect.commit, suspect.time) for secret in vanished.find(text, surroundings))
        if len(found) >= _FOUND:
            break
    return found[:_FOUND], lost


def _seconds(date: str) -> int:
    try:
        return int(dt.datetime.fromisoformat(date).replace(tzinfo=dt.UTC).timestamp())
    except ValueError:
        return 0
