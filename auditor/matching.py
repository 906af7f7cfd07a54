"""Which findings of two audits are the same one, as far as fingerprints tell.

In order: equal fingerprint and path; equal fingerprint elsewhere (of several, the file of the same name, then of the same folder), which is
code that moved or a file with a new name; the same item, rule and definition in
the same file, which is code that was changed and is still at fault. Each finding is used once, so more of the same is new.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass

from auditor.fingerprints import base_of, loose_of, of_item
from auditor.model.report import Report
from auditor.model.verdict import Verdict


@dataclass(frozen=True, slots=True, order=True)
class Known:
    """What is needed of a finding to find it again; `rule` and `path` are "" for an item that is open without a place."""

    item: str
    rule: str
    path: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Matched:
    """Positions of the findings of `now` that are old and their partners, and what is left over on both sides."""

    pairs: tuple[tuple[int, int], ...]
    new: tuple[int, ...]
    gone: tuple[int, ...]


_WAYS: tuple[Callable[[Known], Hashable], ...] = (
    lambda one: (one.item, one.fingerprint, one.path),
    lambda one: (one.item, base_of(one.fingerprint), one.path),
    lambda one: (one.item, base_of(one.fingerprint), one.path.rpartition("/")[2]),
    lambda one: (one.item, base_of(one.fingerprint), one.path.rpartition("/")[0]),
    lambda one: (one.item, base_of(one.fingerprint)),
    lambda one: (one.item, one.rule, loose_of(one.fingerprint), one.path),
)


def match(before: Sequence[Known], now: Sequence[Known]) -> Matched:
    """Pair the findings of two audits; positions are those in the sequences given."""
    left_before, left_now = list(range(len(before))), list(range(len(now)))
    pairs: list[tuple[int, int]] = []
    for key in _WAYS:
        waiting: defaultdict[Hashable, list[int]] = defaultdict(list)
        for position in reversed(left_before):
            waiting[key(before[position])].append(position)
        still = []
        for position in left_now:
            partners = waiting.get(key(now[position]))
            if partners:
                pairs.append((partners.pop(), position))
            else:
                still.append(position)
        used = {old for old, _ in pairs}
        left_before, left_now = [position for position in left_before if position not in used], still
    return Matched(tuple(sorted(pairs)), tuple(left_now), tuple(left_before))


def known_findings(report: Report, items: Iterable[str] | None = None) -> list[Known]:
    """Every finding of a report in report order, whatever its item's verdict, and one entry for each item that is open without a place."""
    wanted = None if items is None else frozenset(items)
    found = []
    for outcome in report.outcomes:
        if wanted is not None and outcome.id not in wanted:
            continue
        found += [Known(outcome.id, finding.rule, finding.path, finding.fingerprint) for finding in outcome.findings]
        if not outcome.findings and outcome.verdict in {Verdict.FAIL, Verdict.PARTIAL}:
            found.append(Known(outcome.id, "", "", of_item(outcome.id)))
    return found
