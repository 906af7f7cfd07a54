"""Finds functions that were copied and then changed: other names, other literals, statements added, dropped or replaced.

Short windows of tokens, in which names count only by where they were last seen, propose pairs of functions that share rare ones. A pair is a copy when the windows
that both hold in one order cover half of each, and when a name in the one stands for one name in the other: what merely has the same shape does not keep that up.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from auditor.evidence.clone_tokens import Ints, Stream

SEED = 10
"""Tokens of the windows that are compared: about one statement and a half."""
SMALLEST = 50
"""Tokens of the smallest function that is looked at."""
_COMMON = 24
"""A window that stands in more functions than this is an idiom and proposes nothing."""
_SHARED = 3
"""Rare windows that two functions must share to be looked at."""
_HINT = 0.2
"""Share of the windows of the shorter one that these must be."""
_ECHOES = 4
"""A window that stands more often than this within one function is left out when its order is compared."""
_COVERED = 0.45
"""Least share of both functions that agrees."""
_LOOSE, _STRICT = 0.65, 0.9
"""Least consistency of names where many of them stayed, and where nearly all were changed."""
_STAYED = 0.3
_REPEATED = 6
"""Least number of names seen again for a consistent renaming to mean something by itself."""

Words = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Span:
    """A function as tokens: from `start` to `end`, exclusive."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Twin:
    """Two functions of which the later repeats the earlier: the tokens that agree, side by side, and the share of the longer one that does."""

    first: Span
    second: Span
    ones: Ints
    others: Ints
    share: float


def twins(stream: Stream, spans: list[Span], hashes: Words) -> list[Twin]:
    """Pairs of functions that agree in half of their code or more. `hashes` holds one word per token: that of the window which begins there."""
    found = []
    for one, other in _candidates(spans, hashes):
        first, second = sorted((spans[one], spans[other]), key=lambda span: span.start)
        if first.end <= second.start and (twin := _compare(stream, first, second, hashes)) is not None:
            found.append(twin)
    return found


def _candidates(spans: list[Span], hashes: Words) -> list[tuple[int, int]]:
    """Pairs of functions, by index, that share several rare windows."""
    sizes = np.array([max(0, span.end - span.start - SEED + 1) for span in spans], dtype=np.int64)
    starts = np.array([span.start for span in spans], dtype=np.int64)
    unit = np.repeat(np.arange(len(spans)), sizes)
    word = hashes[np.arange(len(unit)) - np.repeat(np.cumsum(sizes) - sizes - starts, sizes)]
    order = np.lexsort((unit, word))
    word, unit = word[order], unit[order]
    fresh = np.ones(len(word), dtype=bool)
    fresh[1:] = (word[1:] != word[:-1]) | (unit[1:] != unit[:-1])
    word, unit = word[fresh], unit[fresh]
    counts = np.diff(np.append(np.flatnonzero(np.concatenate(([True], word[1:] != word[:-1]))[: len(word)]), len(word)))
    rare = np.repeat((counts > 1) & (counts <= _COMMON), counts)
    word, unit = word[rare], unit[rare]
    keys = [np.zeros(0, dtype=np.int64)]
    for step in range(1, _COMMON):
        together = word[step:] == word[:-step]
        keys.append(unit[:-step][together] * len(spans) + unit[step:][together])
    pairs, shared = np.unique(np.concatenate(keys), return_counts=True)
    ones, others = np.divmod(pairs, len(spans))
    shorter, longer = np.minimum(sizes[ones], sizes[others]), np.maximum(sizes[ones], sizes[others])
    worth = (shared >= np.maximum(_SHARED, _HINT * shorter)) & (shorter >= _COVERED * longer - SEED)
    return list(zip(ones[worth].tolist(), others[worth].tolist(), strict=True))


def _compare(stream: Stream, first: Span, second: Span, hashes: Words) -> Twin | None:
    """The pair as a copy, or None."""
    if not _might_cover(first, second, hashes):
        return None
    chain = _chain(first, second, hashes)
    if not len(chain):
        return None
    others, index = np.unique(chain[:, 1][:, None] + np.arange(SEED), return_index=True)
    ones = (chain[:, 0][:, None] + np.arange(SEED)).ravel()[index]
    share = min(_covered(chain[:, 0]) / (first.end - first.start), len(others) / (second.end - second.start))
    if share < _COVERED or not _consistent(stream.name[ones], stream.name[others]):
        return None
    return Twin(first, second, ones, others, share)


def _might_cover(first: Span, second: Span, hashes: Words) -> bool:
    """Whether the windows that both hold, in whatever order, cover half of the first."""
    held = np.isin(hashes[first.start : first.end - SEED + 1], hashes[second.start : second.end - SEED + 1])
    return _covered(np.flatnonzero(held)) >= _COVERED * (first.end - first.start)


def _covered(begins: Ints) -> int:
    """Number of tokens in the windows that begin at these places, which ascend."""
    return int(np.minimum(np.diff(begins), SEED).sum()) + SEED if len(begins) else 0


def _chain(first: Span, second: Span, hashes: Words) -> Ints:
    """Windows that both hold, in the order of both, as rows of two places: the longest increasing row of matches."""
    places: dict[int, list[int]] = defaultdict(list)
    for place, word in enumerate(hashes[second.start : second.end - SEED + 1].tolist(), second.start):
        places[word].append(place)
    ends: list[int] = []
    last: list[int] = []
    rows: list[tuple[int, int, int]] = []
    for place, word in enumerate(hashes[first.start : first.end - SEED + 1].tolist(), first.start):
        found = places.get(word, ())
        for other in reversed(found) if len(found) <= _ECHOES else ():
            at = bisect_left(ends, other)
            if at == len(ends):
                ends.append(other)
                last.append(len(rows))
            else:
                ends[at], last[at] = other, len(rows)
            rows.append((place, other, last[at - 1] if at else -1))
    chain = []
    row = last[-1] if last else -1
    while row >= 0:
        place, other, row = rows[row]
        chain.append((place, other))
    return np.array(chain[::-1], dtype=np.int64).reshape(-1, 2)


def _consistent(ones: Ints, others: Ints) -> bool:
    """Whether a name in the one stands for one name in the other, told from the names that are seen again."""
    named = ones >= 0
    table = Counter(zip(ones[named].tolist(), others[named].tolist(), strict=True))
    seen = [_agreement(table, side) for side in (0, 1)]
    agreement = min(share for share, _ in seen)
    stayed = sum(1 for one, other in table if one == other) / max(1, len({one for one, _ in table}))
    repeated = min(count for _, count in seen)
    return agreement >= _LOOSE if stayed >= _STAYED else agreement >= _STRICT and repeated >= _REPEATED


def _agreement(table: Counter[tuple[int, int]], side: int) -> tuple[float, int]:
    """Of the names of one side that are seen again, the share that stands for the same name as mostly; and how many those are."""
    total: Counter[int] = Counter()
    most: Counter[int] = Counter()
    for pair, count in table.items():
        total[pair[side]] += count
        most[pair[side]] = max(most[pair[side]], count)
    again = sum(count - 1 for count in total.values())
    return (sum(count - 1 for count in most.values()) / again if again else 0.0), again
