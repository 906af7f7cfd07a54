"""Finds code that was written twice: exact copies, and copies with consistently renamed identifiers, as families.

Windows of 50 tokens that begin at a line are hashed and sorted; runs of matching windows make fragments of at least six lines. Tables, declarations and
import lists do not count, mark-up counts half, and a renamed copy must keep most of its names: looking at shape alone calls half of any repository a copy.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from auditor.evidence.clone_tokens import Bools, Ints, Stream, read_stream
from auditor.evidence.registry import Context, own_stamp, provides
from auditor.model.evidence import CloneFamily, Clones, Fragment
from auditor.model.need import Known, Unavailable
from auditor.model.needs import CLONES, SNAPSHOT, TEXTS
from auditor.model.snapshot import READ_LANGUAGES, Language, Role, Snapshot, SourceFile

WINDOW = 50
LINES = 6
_KEPT_NAMES = 0.6
"""Least share of identifiers that a renamed copy has in common with its twin."""
_CONTROL_PER_LINE = 0.12
"""Least number of control tokens per line: below it a stretch is a table or a declaration."""
_LARGEST_FILE = 1_500_000
_KIT_FOLDER = re.compile(r"(?:^|/)components/ui/|(?:^|/)ui/components/")
_KIT_MARKS = ("class-variance-authority", "@radix-ui/", "radix-ui", "/lib/utils", "cmdk", "reka-ui", "bits-ui")

_Words = NDArray[np.uint64]


@provides(CLONES, needs=(SNAPSHOT, TEXTS))
def supply(_context: Context, snapshot: Snapshot, texts: dict[str, str]) -> Known[Clones] | Unavailable:
    """Clones of the production code in the languages that are read."""
    files = [file for file in snapshot.with_role(Role.FIRST_PARTY) if file.language in READ_LANGUAGES and file.path in texts]
    wanted = [file for file in files if file.size <= _LARGEST_FILE and not _is_kit_copy(file, texts[file.path])]
    left = tuple((file.path, "too large to be searched for copies") for file in files if file.size > _LARGEST_FILE)
    return Known(find_clones(wanted, texts), own_stamp(), frozenset(file.path for file in files) - {path for path, _ in left}, left)


def _is_kit_copy(file: SourceFile, text: str) -> bool:
    """A component that a kit's generator copies into every project, or a declaration file."""
    if file.path.endswith((".d.ts", ".pyi")):
        return True
    return bool(_KIT_FOLDER.search(file.path)) and any(mark in text[:3000] for mark in _KIT_MARKS)


def find_clones(files: list[SourceFile], texts: dict[str, str]) -> Clones:
    """All clone families among the given files, longest first."""
    families: list[CloneFamily] = []
    duplicated, total = 0.0, 0
    for python in (True, False):
        chosen = [
            (f.path, texts[f.path], f.language) for f in sorted(files, key=lambda f: f.path) if (f.language is Language.PYTHON) is python
        ]
        stream = read_stream(chosen, python=python)
        found, lines = _search(stream)
        families.extend(found)
        duplicated += lines
        total += stream.code_lines
    families.sort(key=lambda family: (-family.tokens * (len(family.fragments) - 1), family.fragments[0].path, family.fragments[0].line))
    return Clones(tuple(families), round(duplicated), total)


@dataclass(frozen=True, slots=True)
class _Run:
    """A stretch of tokens that repeats an older one `distance` tokens before it; `end` is exclusive."""

    start: int
    end: int
    distance: int
    exact: bool


def _search(stream: Stream) -> tuple[list[CloneFamily], float]:
    size = len(stream.symbol)
    if size < 2 * WINDOW:
        return [], 0.0
    first_of_line = np.ones(size, dtype=bool)
    first_of_line[1:] = (stream.line[1:] != stream.line[:-1]) | (stream.file[1:] != stream.file[:-1])
    anchors = np.flatnonzero(first_of_line[: size - WINDOW + 1])
    anchors = anchors[stream.file[anchors] == stream.file[anchors + WINDOW - 1]]
    copied = np.zeros(size, dtype=bool)
    sums = _Sums(stream, first_of_line)
    runs: list[_Run] = []
    for exact in (True, False):
        hashes = _exact_hashes(stream.symbol, anchors) if exact else _renamed_hashes(stream, anchors)
        for found in _runs(stream, anchors, hashes, exact=exact):
            run = _extended(stream, found)
            if not _counts(stream, sums, run) or (not exact and copied[run.start : run.end].mean() > 0.5):
                continue
            runs.append(run)
            copied[run.start : run.end] = True
    weights = np.where(stream.mark_up, 0.5, 1.0)
    return _families(stream, runs), float(weights[copied & first_of_line].sum())


class _Sums:
    """Running totals that answer questions about a stretch of tokens at once."""

    __slots__ = ("control", "lines")

    def __init__(self, stream: Stream, first_of_line: Bools) -> None:
        weight = np.where(stream.mark_up, 0.5, 1.0) * first_of_line
        self.lines = np.concatenate(([0.0], np.cumsum(weight)))
        self.control = np.concatenate(([0], np.cumsum(stream.control)))


def _mix(values: Ints) -> _Words:
    """Well-spread 64-bit words from small numbers (splitmix64), so that sums of them do not collide."""
    words = values.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


_BASE = 0x5851F42D4C957F2D


def _exact_hashes(symbol: Ints, anchors: Ints) -> _Words:
    """Polynomial hash of the window at each anchor."""
    mixed = _mix(symbol)
    total = np.zeros(len(anchors), dtype=np.uint64)
    for step in range(WINDOW):
        total = total * np.uint64(_BASE) + mixed[anchors + step]
    return total


def _renamed_hashes(stream: Stream, anchors: Ints) -> _Words:
    """The same with each identifier replaced by the distance to its previous occurrence in the window."""
    back = _previous(stream)
    named = stream.name >= 0
    fixed = _mix(np.where(named, 1, stream.symbol + 2))
    total = np.zeros(len(anchors), dtype=np.uint64)
    for step in range(WINDOW):
        place = anchors + step
        distance = back[place]
        inside = (distance > 0) & (distance <= step)
        total = total * np.uint64(_BASE) + fixed[place] + np.where(inside, _mix(distance + 10_000_019), np.uint64(0))
    return total


def _previous(stream: Stream) -> Ints:
    """Tokens since the previous occurrence of the same identifier in the file, 0 when there is none or it is no identifier."""
    places = np.flatnonzero(stream.name >= 0)
    order = places[np.argsort(stream.name[places], kind="stable")]
    distance = np.zeros(len(stream.name), dtype=np.int64)
    same = (stream.name[order[1:]] == stream.name[order[:-1]]) & (stream.file[order[1:]] == stream.file[order[:-1]])
    distance[order[1:][same]] = (order[1:] - order[:-1])[same]
    return distance


def _runs(stream: Stream, anchors: Ints, hashes: _Words, *, exact: bool) -> list[_Run]:
    """Maximal stretches whose windows all repeat windows at one distance; the twin is the first occurrence in the tree."""
    order = np.argsort(hashes, kind="stable")
    ordered = hashes[order]
    new = np.concatenate(([True], ordered[1:] != ordered[:-1]))
    leaders = order[np.maximum.accumulate(np.where(new, np.arange(len(order)), 0))]
    first = np.empty(len(order), dtype=np.int64)
    first[order] = leaders
    repeats = np.flatnonzero(first != np.arange(len(first)))
    found: list[_Run] = []
    start = previous = -1
    for index in repeats.tolist():
        distance = int(anchors[index] - anchors[first[index]])
        joined = (
            previous == index - 1
            and distance == int(anchors[previous] - anchors[first[previous]])
            and stream.file[anchors[index]] == stream.file[anchors[previous]]
            and stream.file[anchors[first[index]]] == stream.file[anchors[first[previous]]]
        )
        if not joined:
            if start >= 0:
                found.append(_run(anchors, first, start, previous, exact=exact))
            start = index
        previous = index
    if start >= 0:
        found.append(_run(anchors, first, start, previous, exact=exact))
    return [run for run in found if run.end - run.start >= WINDOW and run.distance >= run.end - run.start]


def _run(anchors: Ints, first: Ints, start: int, end: int, *, exact: bool) -> _Run:
    distance = int(anchors[start] - anchors[first[start]])
    return _Run(int(anchors[start]), min(int(anchors[end]) + WINDOW, int(anchors[start]) + max(distance, WINDOW)), distance, exact)


def _extended(stream: Stream, run: _Run) -> _Run:
    """The run with the tokens that follow and still agree: windows end at full size, copies do not."""
    end = run.end
    limit = min(len(stream.symbol), run.start + run.distance, run.end + WINDOW)
    while (
        end < limit
        and stream.symbol[end] == stream.symbol[end - run.distance]
        and stream.file[end] == stream.file[run.start]
        and stream.file[end - run.distance] == stream.file[run.start - run.distance]
    ):
        end += 1
    return run if end == run.end else _Run(run.start, end, run.distance, run.exact)


def _counts(stream: Stream, sums: _Sums, run: _Run) -> bool:
    """Whether a run is long enough, does something, and (renamed) keeps most of its names."""
    lines = sums.lines[run.end] - sums.lines[run.start]
    control = sums.control[run.end] - sums.control[run.start]
    if lines < LINES or control < max(2, lines * _CONTROL_PER_LINE):
        return False
    if run.exact:
        return True
    own = stream.name[run.start : run.end]
    twin = stream.name[run.start - run.distance : run.end - run.distance]
    named = own >= 0
    return bool((own[named] == twin[named]).mean() >= _KEPT_NAMES)


def _families(stream: Stream, runs: list[_Run]) -> list[CloneFamily]:
    """Runs whose twins overlap by half belong together."""
    ordered = sorted(runs, key=lambda run: (run.start - run.distance, run.end - run.distance, run.start))
    groups: list[list[_Run]] = []
    low = high = -1
    for run in ordered:
        begin, end = run.start - run.distance, run.end - run.distance
        shared = min(high, end) - max(low, begin)
        if groups and shared * 2 >= min(high - low, end - begin) > 0:
            groups[-1].append(run)
            high = max(high, end)
        else:
            groups.append([run])
            low, high = begin, end
    return [_family(stream, group) for group in groups]


def _family(stream: Stream, runs: list[_Run]) -> CloneFamily:
    spans = [(run.start - run.distance, run.end - run.distance) for run in runs] + [(run.start, run.end) for run in runs]
    by_file: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for begin, end in sorted(set(spans)):
        places = by_file[int(stream.file[begin])]
        if places and begin < places[-1][1]:
            places[-1] = (places[-1][0], max(end, places[-1][1]))
        else:
            places.append((begin, end))
    fragments = tuple(
        sorted(
            (
                Fragment(stream.paths[file], int(stream.line[begin]), int(stream.line[end - 1]))
                for file, places in by_file.items()
                for begin, end in places
            ),
            key=lambda fragment: (fragment.path, fragment.line),
        )
    )
    longest = max(runs, key=lambda run: (run.end - run.start, -run.start))
    lines = int(stream.line[longest.end - 1] - stream.line[longest.start]) + 1
    return CloneFamily(fragments, longest.end - longest.start, lines, all(run.exact for run in runs))
