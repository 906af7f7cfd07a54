"""Finds code that was written twice: exact copies, copies with consistently renamed identifiers, and functions that were changed since, as families.

Windows of 50 tokens that begin at a line are hashed and sorted; runs of matching windows make fragments of at least six lines. Tables, declarations and
import lists do not count, mark-up counts half, and a renamed run must keep most of its names: looking at shape alone calls half of any repository a copy.
What a copied function has gained or lost since breaks such runs; `clone_functions` compares functions as wholes.
"""

from __future__ import annotations

import re

import numpy as np

from auditor.evidence.clone_families import CLOSE, Run, function_families, run_families
from auditor.evidence.clone_functions import SEED, SMALLEST, Span, Twin, Words, twins
from auditor.evidence.clone_tokens import Bools, Ints, Stream, read_stream
from auditor.evidence.registry import Context, own_stamp, provides
from auditor.model.evidence import CloneFamily, Clones
from auditor.model.need import Known, Unavailable
from auditor.model.needs import CLONES, SNAPSHOT, SYNTAX, TEXTS
from auditor.model.snapshot import READ_LANGUAGES, Language, Role, Snapshot, SourceFile
from auditor.model.syntax import DefinitionKind, FileFacts, Syntax

WINDOW = 50
LINES = 6
_KEPT_NAMES = 0.6
"""Least share of identifiers that a renamed copy has in common with its twin."""
_CONTROL_PER_LINE = 0.12
"""Least number of control tokens per line: below it a stretch is a table or a declaration."""
_DOES_PER_LINE = 0.25
"""The same for whole functions, calls included: what only calls is no table."""
_TOLD = 0.9
"""Share of a function that a run must hold to say everything about it."""
_NESTED = 200
_LARGEST_FILE = 1_500_000
_KIT_FOLDER = re.compile(r"(?:^|/)components/ui/|(?:^|/)ui/components/")
_KIT_MARKS = ("class-variance-authority", "@radix-ui/", "radix-ui", "/lib/utils", "cmdk", "reka-ui", "bits-ui")


@provides(CLONES, needs=(SNAPSHOT, TEXTS, SYNTAX))
def supply(_context: Context, snapshot: Snapshot, texts: dict[str, str], syntax: Syntax) -> Known[Clones] | Unavailable:
    """Clones of the production code in the languages that are read."""
    files = [file for file in snapshot.with_role(Role.FIRST_PARTY) if file.language in READ_LANGUAGES and file.path in texts]
    wanted = [file for file in files if file.size <= _LARGEST_FILE and not _is_kit_copy(file, texts[file.path])]
    left = tuple((file.path, "too large to be searched for copies") for file in files if file.size > _LARGEST_FILE)
    return Known(find_clones(wanted, texts, syntax), own_stamp(), frozenset(file.path for file in files) - {path for path, _ in left}, left)


def _is_kit_copy(file: SourceFile, text: str) -> bool:
    """A component that a kit's generator copies into every project, or a declaration file."""
    if file.path.endswith((".d.ts", ".pyi")):
        return True
    return bool(_KIT_FOLDER.search(file.path)) and any(mark in text[:3000] for mark in _KIT_MARKS)


def find_clones(files: list[SourceFile], texts: dict[str, str], syntax: Syntax) -> Clones:
    """All clone families among the given files, longest first."""
    families: list[CloneFamily] = []
    duplicated, total = 0.0, 0
    for python in (True, False):
        chosen = [
            (f.path, texts[f.path], f.language) for f in sorted(files, key=lambda f: f.path) if (f.language is Language.PYTHON) is python
        ]
        stream = read_stream(chosen, python=python)
        found, lines = _search(stream, syntax)
        families.extend(found)
        duplicated += lines
        total += stream.code_lines
    families.sort(key=lambda family: (-family.tokens * (len(family.fragments) - 1), family.fragments[0].path, family.fragments[0].line))
    return Clones(tuple(families), round(duplicated), total)


def _search(stream: Stream, syntax: Syntax) -> tuple[list[CloneFamily], float]:
    size = len(stream.symbol)
    if size < 2 * WINDOW:
        return [], 0.0
    first_of_line = np.ones(size, dtype=bool)
    first_of_line[1:] = (stream.line[1:] != stream.line[:-1]) | (stream.file[1:] != stream.file[:-1])
    sums = _Sums(stream, first_of_line)
    copied = np.zeros(size, dtype=bool)
    runs = _all_runs(stream, sums, first_of_line, copied)
    pairs = _untold([twin for twin in _changed(stream, syntax) if _does_something(stream, twin)], runs)
    weights = np.where(stream.mark_up, 0.5, 1.0)
    lines = float(weights[copied & first_of_line].sum())
    close = [twin for twin in pairs if twin.share >= CLOSE]
    return run_families(stream, _not_inside(runs, close)) + function_families(stream, pairs), lines


def _all_runs(stream: Stream, sums: _Sums, first_of_line: Bools, copied: Bools) -> list[Run]:
    """The runs that count, exact ones first; their tokens are marked in `copied`."""
    anchors = np.flatnonzero(first_of_line[: len(stream.symbol) - WINDOW + 1])
    anchors = anchors[stream.file[anchors] == stream.file[anchors + WINDOW - 1]]
    runs: list[Run] = []
    for exact in (True, False):
        hashes = _exact_hashes(stream.symbol, anchors) if exact else _renamed_hashes(stream, anchors, WINDOW)
        for found in _runs(stream, anchors, hashes, exact=exact):
            run = _extended(stream, found)
            if not _counts(stream, sums, run) or (not exact and copied[run.start : run.end].mean() > 0.5):
                continue
            runs.append(run)
            copied[run.start : run.end] = True
    return runs


def _changed(stream: Stream, syntax: Syntax) -> list[Twin]:
    """Pairs of functions that agree in half of their code or more."""
    hashes = _renamed_hashes(stream, np.arange(len(stream.symbol) - SEED + 1), SEED)
    spans = [span for number, path in enumerate(stream.paths) for span in _spans(stream, number, syntax.files.get(path))]
    return twins(stream, spans, np.concatenate((hashes, np.zeros(SEED - 1, dtype=np.uint64))))


def _spans(stream: Stream, number: int, facts: FileFacts | None) -> list[Span]:
    """The functions of one file that are large enough, as tokens of the stream."""
    if facts is None:
        return []
    low, high = np.searchsorted(stream.file, (number, number + 1))
    lines = stream.line[low:high]
    found = set()
    for definition in facts.definitions:
        if definition.kind is not DefinitionKind.CLASS and definition.end_line - definition.line + 1 >= LINES:
            start, end = np.searchsorted(lines, (definition.line, definition.end_line + 1))
            if end - start >= SMALLEST:
                found.add((int(low + start), int(low + end)))
    return [Span(start, end) for start, end in sorted(found)]


class _Sums:
    """Running totals that answer questions about a stretch of tokens at once."""

    __slots__ = ("control", "lines")

    def __init__(self, stream: Stream, first_of_line: Bools) -> None:
        weight = np.where(stream.mark_up, 0.5, 1.0) * first_of_line
        self.lines = np.concatenate(([0.0], np.cumsum(weight)))
        self.control = np.concatenate(([0], np.cumsum(stream.control)))


def _mix(values: Ints) -> Words:
    """Well-spread 64-bit words from small numbers (splitmix64), so that sums of them do not collide."""
    words = values.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


_BASE = 0x5851F42D4C957F2D


def _exact_hashes(symbol: Ints, anchors: Ints) -> Words:
    """Polynomial hash of the window at each anchor."""
    mixed = _mix(symbol)
    total = np.zeros(len(anchors), dtype=np.uint64)
    for step in range(WINDOW):
        total = total * np.uint64(_BASE) + mixed[anchors + step]
    return total


def _renamed_hashes(stream: Stream, anchors: Ints, window: int) -> Words:
    """The same with each identifier replaced by the distance to its previous occurrence in the window."""
    back = _previous(stream)
    named = stream.name >= 0
    fixed = _mix(np.where(named, 1, stream.symbol + 2))
    total = np.zeros(len(anchors), dtype=np.uint64)
    for step in range(window):
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


def _runs(stream: Stream, anchors: Ints, hashes: Words, *, exact: bool) -> list[Run]:
    """Maximal stretches whose windows all repeat windows at one distance; the twin is the first occurrence in the tree."""
    order = np.argsort(hashes, kind="stable")
    ordered = hashes[order]
    new = np.concatenate(([True], ordered[1:] != ordered[:-1]))
    leaders = order[np.maximum.accumulate(np.where(new, np.arange(len(order)), 0))]
    first = np.empty(len(order), dtype=np.int64)
    first[order] = leaders
    repeats = np.flatnonzero(first != np.arange(len(first)))
    found: list[Run] = []
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


def _run(anchors: Ints, first: Ints, start: int, end: int, *, exact: bool) -> Run:
    distance = int(anchors[start] - anchors[first[start]])
    return Run(int(anchors[start]), min(int(anchors[end]) + WINDOW, int(anchors[start]) + max(distance, WINDOW)), distance, exact)


def _extended(stream: Stream, run: Run) -> Run:
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
    return run if end == run.end else Run(run.start, end, run.distance, run.exact)


def _counts(stream: Stream, sums: _Sums, run: Run) -> bool:
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


def _does_something(stream: Stream, twin: Twin) -> bool:
    """Whether what two functions share is long enough and decides or calls something."""
    lines = len(np.unique(stream.line[twin.others]))
    does = stream.control[twin.others] | stream.call[twin.others]
    return lines >= LINES and bool(does.sum() >= max(2, lines * _DOES_PER_LINE))


def _untold(pairs: list[Twin], runs: list[Run]) -> list[Twin]:
    """The pairs that neither a run, which may reach beyond the functions, nor a pair of functions round them says already."""
    start, end, distance = _columns(runs)
    kept: list[Twin] = []
    for twin in sorted(pairs, key=lambda twin: (twin.first.start, -twin.first.end, twin.second.start, -twin.second.end)):
        first, second = twin.first, twin.second
        shared = np.minimum(np.minimum(end, second.end), first.end + distance) - np.maximum(
            np.maximum(start, second.start), first.start + distance
        )
        told = bool((shared >= _TOLD * (second.end - second.start)).any())
        if not told and not any(_holds(outer, twin) for outer in kept[-_NESTED:]):
            kept.append(twin)
    return kept


def _holds(outer: Twin, twin: Twin) -> bool:
    """Whether both functions of a pair stand inside those of another."""
    return (
        outer.first.start <= twin.first.start
        and twin.first.end <= outer.first.end
        and outer.second.start <= twin.second.start
        and twin.second.end <= outer.second.end
    )


def _not_inside(runs: list[Run], pairs: list[Twin]) -> list[Run]:
    """The runs that are no part of what a pair of functions shares."""
    first = np.array([(twin.first.start, twin.first.end) for twin in pairs], dtype=np.int64).reshape(-1, 2)
    second = np.array([(twin.second.start, twin.second.end) for twin in pairs], dtype=np.int64).reshape(-1, 2)
    return [
        run
        for run in runs
        if not (
            (second[:, 0] <= run.start)
            & (run.end <= second[:, 1])
            & (first[:, 0] <= run.start - run.distance)
            & (run.end - run.distance <= first[:, 1])
        ).any()
    ]


def _columns(runs: list[Run]) -> tuple[Ints, Ints, Ints]:
    table = np.array([(run.start, run.end, run.distance) for run in runs], dtype=np.int64).reshape(-1, 3)
    return table[:, 0], table[:, 1], table[:, 2]
