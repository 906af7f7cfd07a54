"""Arranges a comparison for the page: the slope chart's geometry and the lists, cut to a readable length."""

from __future__ import annotations

from dataclasses import dataclass

from auditor.model.comparison import Change, Comparison, ItemChange, Standing, State
from auditor.model.report import Report
from auditor.render.changes import WORDS, grades, how_known, tally
from auditor.render.language import N_, decimal, tr

LISTED = 25
"""Findings of one state that are listed; the JSON report holds all."""
TOP, BOTTOM, LEFT, RIGHT, WIDTH = 40, 380, 230, 490, 720
_LABEL = 17
"""Least distance between two labels, in units of the drawing."""


@dataclass(frozen=True, slots=True)
class Slope:
    """One category in the chart: where its line begins and ends, where its labels stand, and in words which way it went.

    `old_y` and `new_y` are None where the category had no score in that run.
    """

    title: str
    trend: str
    old: str
    new: str
    old_letter: str
    new_letter: str
    old_y: float | None
    new_y: float | None
    old_label: float
    new_label: float


@dataclass(frozen=True, slots=True)
class Entry:
    """A finding in a list: its item's words, its place, and how it was known again."""

    change: Change
    claim: str
    known: str
    linked: bool


@dataclass(frozen=True, slots=True)
class StateView:
    """All findings of one state."""

    state: State
    heading: str
    meaning: str
    total: int
    shown: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class ChangesView:
    """The before-and-after section."""

    comparison: Comparison
    takeaway: str
    tally: str
    grades: str
    common: str
    slopes: tuple[Slope, ...]
    states: tuple[StateView, ...]
    items: tuple[tuple[ItemChange, str, bool], ...]


def changes_view(report: Report) -> ChangesView | None:
    """What changed since the earlier audit, None where the report has none to compare with."""
    comparison = report.before
    if comparison is None:
        return None
    claims = {item.id: item.claim.rstrip(".") for item in report.items}
    judged = {outcome.id for outcome in report.outcomes}
    titles = {category.id: tr(category.title) for category in report.categories}
    return ChangesView(
        comparison=comparison,
        takeaway=_takeaway(comparison),
        tally=tally(comparison),
        grades=grades(comparison.grade),
        common=grades(comparison.common) if comparison.common else "",
        slopes=_slopes([(titles.get(one.id, one.id), one.standing) for one in comparison.categories]),
        states=tuple(_state(comparison, state, claims, judged) for state in WORDS if comparison.of(state)),
        items=tuple((one, claims.get(one.item, one.item), one.item in judged) for one in comparison.items),
    )


def _takeaway(comparison: Comparison) -> str:
    fixed, worse = len(comparison.of(State.FIXED)), len(comparison.of(State.NEW)) + len(comparison.of(State.REOPENED))
    standing = comparison.grade
    if standing.old_letter and standing.new_letter and standing.old_letter != standing.new_letter:
        better = standing.new_letter < standing.old_letter
        text = N_("From {0} to {1}: better than on {2}.") if better else N_("From {0} to {1}: worse than on {2}.")
        return tr(text, standing.old_letter, standing.new_letter, comparison.old.date)
    if not fixed and not worse:
        return tr("Nothing was fixed and nothing is new since {0}.", comparison.old.date)
    return tr("The same letter as on {0}: {1} fixed, {2} new or reopened.", comparison.old.date, fixed, worse)


def _state(comparison: Comparison, state: State, claims: dict[str, str], judged: set[str]) -> StateView:
    found = comparison.of(state)
    heading, meaning = (tr(text) for text in WORDS[state])
    shown = tuple(
        Entry(change, claims.get(change.item, change.item), how_known(change), change.item in judged) for change in found[:LISTED]
    )
    return StateView(state, heading, meaning, len(found), shown)


def _slopes(standings: list[tuple[str, Standing]]) -> tuple[Slope, ...]:
    """One line a category; labels that would overlap are moved apart, the lines stay where they belong."""
    olds = [_height(standing.old) for _, standing in standings]
    news = [_height(standing.new) for _, standing in standings]
    old_labels, new_labels = _apart(olds), _apart(news)
    return tuple(
        Slope(
            title=title,
            trend=_trend(standing),
            old="–" if standing.old is None else decimal(standing.old),
            new="–" if standing.new is None else decimal(standing.new),
            old_letter=standing.old_letter or "",
            new_letter=standing.new_letter or "",
            old_y=olds[number],
            new_y=news[number],
            old_label=old_labels[number],
            new_label=new_labels[number],
        )
        for number, (title, standing) in enumerate(standings)
    )


def _height(value: float | None) -> float | None:
    return None if value is None else round(BOTTOM - (BOTTOM - TOP) * value / 100, 1)


def _trend(standing: Standing) -> str:
    if standing.old is None or standing.new is None:
        return N_("not comparable") if standing.old is not standing.new else N_("not scored")
    return N_("same") if standing.old == standing.new else N_("better") if standing.new > standing.old else N_("worse")


def _apart(heights: list[float | None]) -> list[float]:
    """Label positions as close to the heights as their size allows, in the same order; what has no height stands below the scale."""
    below = float(BOTTOM + _LABEL)
    order = sorted(range(len(heights)), key=lambda n: (below if heights[n] is None else heights[n], n))
    placed: list[list[float]] = []
    for number in order:  # groups of labels that touch are centred on the mean of their heights
        height = heights[number]
        placed.append([below if height is None else height, 1])
        while len(placed) > 1 and placed[-1][0] - placed[-2][0] < _LABEL * (placed[-1][1] + placed[-2][1]) / 2:
            centre, count = placed.pop()
            placed[-1] = [(placed[-1][0] * placed[-1][1] + centre * count) / (placed[-1][1] + count), placed[-1][1] + count]
    spread = [centre + _LABEL * (index - (count - 1) / 2) for centre, count in placed for index in range(int(count))]
    shift = min(0.0, BOTTOM + 2 * _LABEL - max(spread, default=0.0))
    positions = [0.0] * len(heights)
    for number, place in zip(order, spread, strict=True):
        positions[number] = round(place + shift, 1)
    return positions
