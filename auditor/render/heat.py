"""Where in the code it hurts: risk points of open items by folder and category, and the files that several items name."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from auditor.model.report import Category, Report
from auditor.model.verdict import Severity
from auditor.render import summary
from auditor.render.grouping import group_paths
from auditor.render.language import decimal

ROWS = 25
GROUPS = 60
CROWDED = 10
_LEVELS = (0.0, 0.5, 2.0, 6.0, 15.0)
"""Risk points above which a field is one step darker."""


@dataclass(frozen=True, slots=True)
class Heat:
    """One field: risk points as printed, their level from 0 (none) to 5, places, and whether a blocker is among them."""

    points: str
    level: int
    places: int
    blocker: bool


@dataclass(frozen=True, slots=True)
class HeatRow:
    """A folder or file with a field for each category, in the order of the columns."""

    name: str
    fields: tuple[Heat, ...]
    points: str
    places: int


@dataclass(frozen=True, slots=True)
class HeatMap:
    """The hottest rows; `left_out` rows and the points that have no place in a file are said below."""

    columns: tuple[Category, ...]
    rows: tuple[HeatRow, ...]
    left_out: int
    elsewhere: str


@dataclass(frozen=True, slots=True)
class Crowded:
    """A file that several open items name: the ids, worst first, and the number of places."""

    path: str
    items: tuple[str, ...]
    places: int


def heat_map(report: Report, opened: list[summary.Open]) -> HeatMap | None:
    """Each item's risk points shared out over its places, summed by folder and category; None when nothing open has a place."""
    named = {finding.path for entry in opened for finding in entry.outcome.findings if finding.path}
    if not named:
        return None
    paths = tuple(sorted(named | {file.path for file in report.files}))
    home = {path: name for name, own in group_paths(paths, GROUPS) for path in own}
    points: defaultdict[str, defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
    places: defaultdict[str, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    stopped: set[tuple[str, str]] = set()
    elsewhere = 0.0
    for entry in opened:
        findings = entry.outcome.findings
        elsewhere += entry.risk if not findings else entry.risk * sum(not finding.path for finding in findings) / len(findings)
        for finding in findings:
            if finding.path:
                name = home[finding.path]
                points[name][entry.outcome.category] += entry.risk / len(findings)
                places[name][entry.outcome.category] += 1
                if entry.outcome.severity is Severity.BLOCKER:
                    stopped.add((name, entry.outcome.category))
    hot = sorted(points, key=lambda name: (-sum(points[name].values()), name))
    columns = tuple(category for category in report.categories if any(category.id in points[name] for name in hot))
    rows = [
        HeatRow(
            name,
            tuple(_heat(points[name].get(c.id, 0.0), places[name].get(c.id, 0), (name, c.id) in stopped) for c in columns),
            _printed(sum(points[name].values())),
            sum(places[name].values()),
        )
        for name in hot[:ROWS]
    ]
    return HeatMap(columns, tuple(rows), max(0, len(hot) - ROWS), _printed(elsewhere))


def _heat(points: float, places: int, blocker: bool) -> Heat:
    return Heat(_printed(points) if places else "", sum(points > border for border in _LEVELS) if places else 0, places, blocker)


def _printed(points: float) -> str:
    return "0" if points <= 0 else "<0.1" if points < 0.1 else decimal(points)


def crowded(opened: list[summary.Open]) -> tuple[Crowded, ...]:
    """Files that more than one open item names, the most named first."""
    items: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for entry in opened:
        for finding in entry.outcome.findings:
            if finding.path:
                items[finding.path][entry.outcome.id] += 1
    found = [Crowded(path, tuple(counts), sum(counts.values())) for path, counts in items.items() if len(counts) > 1]
    return tuple(sorted(found, key=lambda file: (-len(file.items), -file.places, file.path))[:CROWDED])
