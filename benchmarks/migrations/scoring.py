"""Counts: what a reader said of the set against what the set expects."""

from __future__ import annotations

import collections
from dataclasses import dataclass, field

from benchmarks.migrations.cases import Case, Expected


@dataclass(slots=True)
class Counts:
    """True and false positives, and what was missed."""

    hit: int = 0
    wrong: int = 0
    missed: int = 0

    def add(self, expected: frozenset[str], told: frozenset[str]) -> None:
        """Count one answer that is a set."""
        self.hit += len(expected & told)
        self.wrong += len(told - expected)
        self.missed += len(expected - told)

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall; 1 when there was nothing to find and nothing was found."""
        total = 2 * self.hit + self.wrong + self.missed
        return 2 * self.hit / total if total else 1.0


@dataclass(slots=True)
class Score:
    """The four figures, by framework and in all, and every answer that was wrong."""

    unsafe: Counts = field(default_factory=Counts)
    kinds: Counts = field(default_factory=Counts)
    problems: Counts = field(default_factory=Counts)
    right_ways_back: int = 0
    ways_back: int = 0
    known_right: int = 0
    known: int = 0
    broken_named: int = 0
    broken: int = 0
    by_framework: dict[str, Counts] = field(default_factory=lambda: collections.defaultdict(Counts))
    by_kind: dict[str, Counts] = field(default_factory=lambda: collections.defaultdict(Counts))
    complaints: list[str] = field(default_factory=list)


Told = dict[str, dict]
"""What a reader said of each file, by path: `unsafe`, `reversible`, `reason`."""


def score(answers: list[tuple[Case, Told, frozenset[str]]]) -> Score:
    """Add up (case, what was said of its files, problems that were named)."""
    result = Score()
    for case, told, problems in answers:
        for expected in case.files:
            _file(result, case, expected, told.get(expected.path))
        named = problems - (case.tolerated_problems - case.problems)
        result.problems.add(case.problems, named)
        if named != case.problems:
            result.complaints.append(f"{case.name}: problems {_set(named)}, expected {_set(case.problems)}")
    return result


def _file(result: Score, case: Case, expected: Expected, told: dict | None) -> None:
    name = f"{case.name}: {expected.path.rsplit('/', 1)[-1]}"
    if told is None:
        result.complaints.append(f"{name}: not in the answer")
        told = {}
    kinds = frozenset(told.get("unsafe", [])) - (expected.tolerated - expected.unsafe)
    result.unsafe.add(_flag(expected.unsafe), _flag(kinds))
    result.kinds.add(expected.unsafe, kinds)
    result.by_framework[expected.framework].add(_flag(expected.unsafe), _flag(kinds))
    for kind in expected.unsafe | kinds:
        result.by_kind[kind].add(expected.unsafe & {kind}, kinds & {kind})
    if kinds != expected.unsafe:
        result.complaints.append(f"{name}: {_set(kinds)}, expected {_set(expected.unsafe)} ({case.why})")
    _way_back(result, name, expected, told)
    if expected.broken:
        result.broken += 1
        result.broken_named += bool(told.get("reason"))


def _way_back(result: Score, name: str, expected: Expected, told: dict) -> None:
    """Where nothing says how to go back, "none" and "not known" are the same answer."""
    said = told.get("reversible", "nothing")
    right = (
        said in (None, False) if expected.reversible is None else (said == expected.reversible and type(said) is type(expected.reversible))
    )
    result.ways_back += 1
    result.right_ways_back += right
    if expected.reversible is not None:
        result.known += 1
        result.known_right += right
    if not right:
        result.complaints.append(f"{name}: reversible {said}, expected {expected.reversible}")


def _flag(kinds: frozenset[str]) -> frozenset[str]:
    return frozenset({"unsafe"}) if kinds else frozenset()


def _set(kinds: frozenset[str]) -> str:
    return ", ".join(sorted(kinds)) or "nothing"


def table(result: Score) -> str:
    """The figures as Markdown."""
    lines = ["| measure | value | found | wrong | missed |", "|---|---|---|---|---|"]
    for name, counts in (
        ("something unsafe here, F1", result.unsafe),
        ("kinds, F1", result.kinds),
        ("problems of a whole set, F1", result.problems),
    ):
        lines.append(f"| {name} | {counts.f1:.3f} | {counts.hit} | {counts.wrong} | {counts.missed} |")
    accuracy, known = result.right_ways_back / max(1, result.ways_back), result.known_right / max(1, result.known)
    lines.append(f"| reversible, accuracy | {accuracy:.3f} | {result.right_ways_back} of {result.ways_back} | | |")
    lines.append(
        f"| reversible where a way back is written or missing, accuracy | {known:.3f} | {result.known_right} of {result.known} | | |"
    )
    lines.append(f"| broken files named with a reason | | {result.broken_named} of {result.broken} | | |")
    lines += ["", "| framework | something unsafe here, F1 |", "|---|---|"]
    lines += [f"| {framework} | {counts.f1:.3f} |" for framework, counts in sorted(result.by_framework.items())]
    lines += ["", "| kind | F1 | found | wrong | missed |", "|---|---|---|---|---|"]
    lines += [f"| {kind} | {c.f1:.2f} | {c.hit} | {c.wrong} | {c.missed} |" for kind, c in sorted(result.by_kind.items())]
    return "\n".join(lines)
