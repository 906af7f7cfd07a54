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


class _Sums:
    """Risk points and places by name of a place and category; what has no place is `elsewhere`."""

    def __init__(self, home: dict[str, str]) -> None:
        self.home = home
        self.points: defaultdict[str, defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
        self.places: defaultdict[str, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
        self.stopped: set[tuple[str, str]] = set()
        self.elsewhere = 0.0

    def add(self, entry: summary.Open) -> None:
        """Share an item's points out over its findings."""
        findings, category = entry.outcome.findings, entry.outcome.category
        if not findings:
            self.elsewhere += entry.risk
        for finding in findings:
            if not finding.path:
                self.elsewhere += entry.risk / len(findings)
                continue
            name = self.home[finding.path]
            self.points[name][category] += entry.risk / len(findings)
            self.places[name][category] += 1
            if entry.outcome.severity is Severity.BLOCKER:
                self.stopped.add((name, category))

    def row(self, name: str, columns: tuple[Category, ...]) -> HeatRow:
        """One row as printed."""
        points, places = self.points[name], self.places[name]
        fields = tuple(_heat(points.get(c.id, 0.0), places.get(c.id, 0), (name, c.id) in self.stopped) for c in columns)
        return HeatRow(name, fields, _printed(sum(points.values())), sum(places.values()))


def heat_map(report: Report, opened: list[summary.Open]) -> HeatMap | None:
    """Each item's risk points shared out over its places, summed by folder and category; None when nothing open has a place."""
    named = {finding.path for entry in opened for finding in entry.outcome.findings if finding.path}
    if not named:
        return None
    paths = tuple(sorted(named | {file.path for file in report.files}))
    sums = _Sums({path: name for name, own in group_paths(paths, GROUPS) for path in own})
    for entry in opened:
        sums.add(entry)
    hot = sorted(sums.points, key=lambda name: (-sum(sums.points[name].values()), name))
    columns = tuple(category for category in report.categories if any(category.id in sums.points[name] for name in hot))
    rows = tuple(sums.row(name, columns) for name in hot[:ROWS])
    return HeatMap(columns, rows, max(0, len(hot) - ROWS), _printed(sums.elsewhere))


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
