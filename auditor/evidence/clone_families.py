"""Puts copies into families: the places that hold the same code, how alike they are, and which names differ."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass

import numpy as np

from auditor.evidence.clone_functions import Span, Twin
from auditor.evidence.clone_tokens import Stream
from auditor.model.evidence import CloneFamily, Fragment

CLOSE = 0.8
"""Share from which two functions say more than the runs inside them, and from which two families are one."""
_NAMES = 6
"""Renamed names that a family tells."""


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of tokens that repeats an older one `distance` tokens before it; `end` is exclusive."""

    start: int
    end: int
    distance: int
    exact: bool


def run_families(stream: Stream, runs: list[Run]) -> list[CloneFamily]:
    """Runs whose twins overlap by half belong together."""
    ordered = sorted(runs, key=lambda run: (run.start - run.distance, run.end - run.distance, run.start))
    groups: list[list[Run]] = []
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


def _family(stream: Stream, runs: list[Run]) -> CloneFamily:
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
            (_fragment(stream, begin, end) for places in by_file.values() for begin, end in places),
            key=lambda fragment: (fragment.path, fragment.line),
        )
    )
    longest = max(runs, key=lambda run: (run.end - run.start, -run.start))
    lines = int(stream.line[longest.end - 1] - stream.line[longest.start]) + 1
    return CloneFamily(fragments, longest.end - longest.start, lines, all(run.exact for run in runs))


def _fragment(stream: Stream, begin: int, end: int) -> Fragment:
    return Fragment(stream.paths[int(stream.file[begin])], int(stream.line[begin]), int(stream.line[end - 1]))


def function_families(stream: Stream, pairs: list[Twin]) -> list[CloneFamily]:
    """Functions that are much alike belong together; one that is less alike joins them, but never joins two families into one."""
    family: dict[Span, list[Twin]] = {}
    for twin in sorted(pairs, key=lambda twin: (-twin.share, twin.first.start, twin.second.start)):
        one, other = family.get(twin.first), family.get(twin.second)
        if one is not None and other is not None and one is not other and twin.share < CLOSE:
            continue
        joined = one if one is not None else other if other is not None else []
        if other is not None and other is not joined:
            joined.extend(other)
        joined.append(twin)
        for member in joined if other is not joined else (twin,):
            family[member.first] = family[member.second] = joined
    unique = {id(members): members for members in family.values()}
    return [_changed_family(stream, members) for members in unique.values()]


def _changed_family(stream: Stream, pairs: list[Twin]) -> CloneFamily:
    nearest = pairs[0]
    spans = sorted({span for twin in pairs for span in (twin.first, twin.second)}, key=lambda span: (span.start, -span.end))
    outer = [span for number, span in enumerate(spans) if not number or span.end > max(before.end for before in spans[:number])]
    best = {span: max(twin.share for twin in pairs if span in {twin.first, twin.second}) for span in outer}
    return CloneFamily(
        fragments=tuple(_fragment(stream, span.start, span.end) for span in outer),
        tokens=len(nearest.others),
        lines=len(np.unique(stream.line[nearest.others])),
        exact=False,
        alike=round(min(best.values()), 2),
        renamed=_renamed(stream, nearest),
    )


def _renamed(stream: Stream, twin: Twin) -> tuple[str, ...]:
    """What the copy calls otherwise, the most frequent first."""
    ones, others = stream.name[twin.ones], stream.name[twin.others]
    differ = (ones >= 0) & (ones != others)
    table = Counter(zip(ones[differ].tolist(), others[differ].tolist(), strict=True))
    words = [(-count, stream.words[one], stream.words[other]) for (one, other), count in table.items()]
    return tuple(f"{one} → {other}" for _, one, other in sorted(words)[:_NAMES])
