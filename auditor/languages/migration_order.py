"""In which order migrations are applied, and whether those of a series form one line: heads, gaps and forks."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import PurePosixPath

from auditor.languages.migrations import Migration

Problem = tuple[str, str, str]
"""Kind, path and message of what is wrong with a set of migrations."""


def by_series(migrations: Iterable[Migration]) -> dict[str, list[Migration]]:
    """The migrations of each folder, in the order they are applied."""
    series: defaultdict[str, list[Migration]] = defaultdict(list)
    for migration in migrations:
        series[migration.series].append(migration)
    return {name: _ordered(entries) for name, entries in sorted(series.items())}


def _ordered(entries: list[Migration]) -> list[Migration]:
    """In graph order where the tool keeps a graph (parents first, ties by date and name), else by name."""
    plain = sorted(entries, key=lambda migration: (migration.order, migration.path))
    if not any(migration.parents for migration in entries):
        return plain
    known = {migration.revision for migration in entries}
    waiting = [{parent for parent in m.parents if parent in known and parent != m.revision} for m in plain]
    children: defaultdict[str, list[int]] = defaultdict(list)
    for position, parents in enumerate(waiting):
        for parent in parents:
            children[parent].append(position)
    ready = [position for position, parents in enumerate(waiting) if not parents]
    left = set(range(len(plain)))
    ordered: list[Migration] = []
    while left:
        position = heapq.heappop(ready) if ready else min(left)  # a circle is broken at its first file
        if position not in left:
            continue
        left.remove(position)
        ordered.append(plain[position])
        for child in children[plain[position].revision]:
            waiting[child].discard(plain[position].revision)
            if not waiting[child]:
                heapq.heappush(ready, child)
    return [
        replace(migration, order=f"{position:05d}") if migration.framework == "alembic" else migration
        for position, migration in enumerate(ordered)
    ]


def order_problems(series: dict[str, list[Migration]]) -> Iterator[Problem]:
    """Several heads, missing parents and revisions that share an id."""
    for entries in series.values():
        match entries[0].framework:
            case "alembic":
                yield from _alembic(entries)
            case "django":
                yield from _django(entries)
            case _:
                pass


def _alembic(entries: list[Migration]) -> Iterator[Problem]:
    known = {migration.revision: migration for migration in entries}
    built_on = {parent for migration in entries for parent in migration.parents}
    for migration in entries if len(entries) > 1 else ():  # one file alone is a piece of a line that stands elsewhere
        for parent in migration.parents:
            if parent not in known and not any(len(parent) >= 4 and revision.startswith(parent) for revision in known):
                name = PurePosixPath(migration.path).name
                yield "broken_chain", migration.path, f"{name} builds on the revision {parent}, which no file here defines"
    loose = [parent for parent in built_on if parent not in known]
    heads = [migration for migration in entries if migration.revision not in built_on and not _prefix(migration.revision, loose)]
    if not heads:
        yield "broken_chain", entries[0].path, "the revisions build on each other in a circle"
    if len(heads) > 1 and not any(migration.branch for migration in entries):
        names = ", ".join(head.revision for head in heads[:4])
        yield (
            "multiple_heads",
            heads[-1].path,
            f"there are {len(heads)} newest revisions ({names}), so that upgrading to the newest one stops",
        )
    seen: set[str] = set()
    for migration in entries:
        if migration.revision in seen:
            yield "duplicate_version", migration.path, f"the revision id {migration.revision} is used twice"
        seen.add(migration.revision)


def _prefix(revision: str, built_on: Iterable[str]) -> bool:
    """Whether a parent is written by the beginning of its id, as Alembic allows."""
    return any(len(parent) >= 4 and revision.startswith(parent) for parent in built_on)


def _django(entries: list[Migration]) -> Iterator[Problem]:
    replaced = {name for migration in entries for name in migration.replaces}
    built_on = {parent for migration in entries for parent in migration.parents} | replaced
    known = {migration.revision for migration in entries} | replaced
    for migration in entries if len(entries) > 1 else ():
        gone = next((parent for parent in migration.parents if parent not in known and not parent.startswith("__")), "")
        if gone:
            yield "broken_chain", migration.path, f"{migration.revision} builds on {gone}, which is not here"
    heads = [migration for migration in entries if migration.revision not in built_on]
    if len(heads) > 1:
        names = " and ".join(head.revision for head in heads[:4])
        yield (
            "multiple_heads",
            heads[-1].path,
            f"{names} are both the newest migration of one app, so that migrating stops with a conflict",
        )
