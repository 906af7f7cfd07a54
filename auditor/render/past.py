"""The history as the report shows it: a time line of commits with fixes, reverts and loops, and figures by month. Evidence of process, not of guilt."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from statistics import median

from auditor.model.report import CommitMark, HistorySummary, Loop
from auditor.render.language import plural, thousands, tr

LEAST = 8
"""Commits below which there is no time line worth drawing."""
SLOTS = 72
LOOPS = 12
MONTHS = 24
PEOPLE = 12
WIDTH, HEIGHT = 860, 230
LEFT, TOP, BASE = 40, 56, 196
"""Left end of the axis, top of the tallest bar, and the axis itself, in the picture's units."""
_DAY = 86_400
_EARLIEST = 315_532_800
"""1980: a commit from before git and before most clocks were right is left out of the time line."""
_LATEST = 4_102_444_800


@dataclass(frozen=True, slots=True)
class Bar:
    """The commits of one slot of time: a bar for all of them and, from below, one for the fixes among them."""

    x: float
    y: float
    height: float
    fixes_height: float
    commits: int
    fixes: int


@dataclass(frozen=True, slots=True)
class Span:
    """A loop as a frame on the time line; `row` keeps frames that overlap apart."""

    number: int
    x: float
    width: float
    row: int


@dataclass(frozen=True, slots=True)
class LoopView:
    """A loop in words."""

    number: int
    loop: Loop
    says: str
    since: str


@dataclass(frozen=True, slots=True)
class Month:
    """The figures of one month."""

    name: str
    commits: int
    fixes: int
    tested: int
    reverts: int


@dataclass(frozen=True, slots=True)
class TimeLine:
    """Everything the section shows; `ticks` are (x, date), `most` the commits of the fullest slot, `slot` its length in words."""

    bars: tuple[Bar, ...]
    bar_width: float
    reverts: tuple[float, ...]
    spans: tuple[Span, ...]
    ticks: tuple[tuple[float, str], ...]
    most: int
    slot: str
    loops: tuple[LoopView, ...]
    loops_total: int
    months: tuple[Month, ...]
    earlier: int
    people: tuple[tuple[str, int], ...]
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class _Axis:
    """Time from left to right, in slots of as many seconds as make the bars readable."""

    start: int
    end: int
    slot: int

    @property
    def scale(self) -> float:
        """Units of the picture in a second."""
        return (WIDTH - LEFT) / (self.end - self.start + self.slot)

    def at(self, when: int) -> float:
        """Where a moment stands; what lies outside stands at the edge."""
        return round(LEFT + (min(max(when, self.start), self.end) - self.start) * self.scale, 1)

    def part(self, share: int) -> int:
        """The moment so many quarters along."""
        return self.start + share * (self.end - self.start) // 4


def time_line(history: HistorySummary | None) -> TimeLine | None:
    """The picture and the figures; None where there is too little history, or a report from before it was kept."""
    marks = [mark for mark in history.commits if _EARLIEST <= mark.when <= _LATEST] if history else []
    if history is None or len(marks) < LEAST:
        return None
    axis = _axis(marks)
    bars = _bars(marks, axis)
    loops = tuple(LoopView(n, loop, _words(loop), _day(loop.start)) for n, loop in enumerate(history.loops[:LOOPS], 1))
    months = _months(marks)
    return TimeLine(
        bars=bars,
        bar_width=round(max(2.0, axis.slot * axis.scale - 1.5), 1),
        reverts=tuple(axis.at(mark.when) for mark in marks if mark.revert),
        spans=_spans([(axis.at(one.loop.start), axis.at(one.loop.end)) for one in loops]),
        ticks=tuple((axis.at(axis.part(quarter)), _day(axis.part(quarter))) for quarter in range(5)),
        most=max(bar.commits for bar in bars),
        slot=plural(axis.slot // _DAY, "day") if axis.slot >= _DAY else plural(max(1, round(axis.slot / 3_600)), "hour"),
        loops=loops,
        loops_total=len(history.loops),
        months=months[-MONTHS:],
        earlier=len(months[:-MONTHS]),
        people=_people(marks),
        facts=_facts(marks, history),
    )


def _axis(marks: list[CommitMark]) -> _Axis:
    """From the first commit to the last, in slots of whole days where the time is long."""
    start, end = min(mark.when for mark in marks), max(mark.when for mark in marks)
    slot = -(-(end - start + 1) // SLOTS)
    return _Axis(start, end, -(-slot // _DAY) * _DAY if slot > _DAY else max(3_600, slot))


def _bars(marks: list[CommitMark], axis: _Axis) -> tuple[Bar, ...]:
    counts = Counter((mark.when - axis.start) // axis.slot for mark in marks)
    fixes = Counter((mark.when - axis.start) // axis.slot for mark in marks if mark.fix)
    unit = (BASE - TOP) / max(counts.values())
    return tuple(
        Bar(
            x=axis.at(axis.start + number * axis.slot),
            y=round(BASE - count * unit, 1),
            height=round(count * unit, 1),
            fixes_height=round(fixes[number] * unit, 1),
            commits=count,
            fixes=fixes[number],
        )
        for number, count in sorted(counts.items())
    )


def _spans(ends: list[tuple[float, float]]) -> tuple[Span, ...]:
    found: list[Span] = []
    for number, (left, right) in enumerate(ends, 1):
        width = max(8.0, right - left)
        used = {other.row for other in found if other.x < left + width + 4 and left < other.x + other.width + 4}
        found.append(Span(number, left, round(width, 1), min(row for row in range(len(ends) + 1) if row not in used)))
    return tuple(found)


def _words(loop: Loop) -> str:
    hours = max(1, round((loop.end - loop.start) / 3_600))
    count = len(loop.commits)
    span = plural(hours, "hour") if hours < 72 else plural(round(hours / 24), "day")
    return {
        "chain": tr("{0} versions in {1}, each replacing lines of the one before", count, span),
        "fixes": tr("{0} fixes in {1} that undo each other's lines", count, span),
        "return": tr("the same lines written and removed twice, in {0} commits within {1}", count, span),
    }.get(loop.kind, tr("{0} commits in {1}", count, span))


def _months(marks: list[CommitMark]) -> tuple[Month, ...]:
    found: dict[str, list[CommitMark]] = {}
    for mark in sorted(marks, key=lambda mark: mark.when):
        found.setdefault(_day(mark.when)[:7], []).append(mark)
    return tuple(
        Month(
            name,
            len(own),
            sum(mark.fix for mark in own),
            sum(mark.fix and mark.tested for mark in own),
            sum(mark.revert for mark in own),
        )
        for name, own in found.items()
    )


def _people(marks: list[CommitMark]) -> tuple[tuple[str, int], ...]:
    """Pseudonyms with their commits, by pseudonym and not by rank."""
    counts = Counter(mark.author for mark in marks)
    named = sorted(counts.items(), key=lambda pair: (pair[0].rpartition(" ")[0], len(pair[0]), pair[0]))
    rest = sum(count for _, count in named[PEOPLE:])
    return (*named[:PEOPLE], *([(tr("{0} others", len(named) - PEOPLE), rest)] if rest else []))


def _facts(marks: list[CommitMark], history: HistorySummary) -> tuple[tuple[str, str], ...]:
    fixes = [mark for mark in marks if mark.fix]
    tested = sum(mark.tested for mark in fixes)
    assisted = sum(mark.assisted for mark in marks)
    files, lines = median(mark.files for mark in marks), median(mark.lines for mark in marks)
    return (
        (
            tr("Commits read"),
            f"{tr('{0} of {1}', thousands(history.read), thousands(history.total))}{tr(', the copy is shallow') if history.shallow else ''}",
        ),
        (tr("From, to"), f"{_day(min(m.when for m in marks))}, {_day(max(m.when for m in marks))}"),
        (tr("Call themselves a fix"), thousands(len(fixes))),
        (tr("Fixes that change a test too"), tr("{0} of {1}", thousands(tested), thousands(len(fixes)))),
        (tr("Reverts"), thousands(sum(mark.revert for mark in marks))),
        (tr("Width of a commit (median)"), f"{plural(int(files), 'file')}, {plural(int(lines), 'line')}"),
        (tr("With an assistant's name"), tr("{0} of {1}", thousands(assisted), thousands(len(marks))) if assisted else tr("none seen")),
    )


def _day(seconds: int) -> str:
    return dt.datetime.fromtimestamp(min(max(seconds, _EARLIEST), _LATEST), tz=dt.UTC).date().isoformat()
