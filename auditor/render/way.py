"""The way to a sound state as the report prints it: phases with numbered steps, what each needs first, what it takes, and the grade it reaches."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from auditor.model.report import Milestone, Phase, Report, Trigger
from auditor.render import summary
from auditor.render.categories import CategoryView, ItemView, title_of
from auditor.render.language import N_, tr

TITLES = {
    Phase.BLEEDING: (N_("Stop the bleeding"), N_("What a stranger or an ordinary day can turn into loss: these first, and at once.")),
    Phase.RECOVERABLE: (N_("Make it recoverable"), N_("So that a failure is noticed, survived and undone.")),
    Phase.CHANGEABLE: (N_("Make it changeable"), N_("So that the next change does not break the last one.")),
    Phase.GROW: (N_("Make it grow"), N_("What costs time and money as use grows.")),
}
_DAYS = {"S": 0.375, "M": 1.75, "L": 5.0}
"""Middle of each size in days, for the order inside a phase only."""
QUICK_GAIN = 1.0
"""Points of score from which a small repair is a quick win, or one weighing this share of its phase."""
QUICK = 3
SHORT = 5
"""Steps of a phase that the executive edition prints."""


@dataclass(frozen=True, slots=True)
class Step:
    """One row: its number over all phases, and the numbers of the rows that are better done before; `quick`: much gained for little work."""

    number: int
    entry: summary.Open
    title: str
    needs: tuple[int, ...]
    quick: bool


@dataclass(frozen=True, slots=True)
class Stage:
    """A phase: its steps, the undecided items to settle, what it takes, how long, and the grade it reaches."""

    title: str
    why: str
    steps: tuple[Step, ...]
    settle: tuple[ItemView, ...]
    effort: summary.Effort
    days: str
    reached: Milestone


def stages(report: Report, opened: list[summary.Open], categories: tuple[CategoryView, ...]) -> tuple[Stage, ...]:
    """The phases of the score's milestones; a report of before the phases has none."""
    undecided = {entry.outcome.id: entry for category in categories for entry in category.unknown}
    by_id = {entry.outcome.id: entry for entry in opened}
    numbers: dict[str, int] = {}
    found = []
    for milestone in report.score.milestones:
        if milestone.phase is None:
            continue
        title, why = (tr(words) for words in TITLES[milestone.phase])
        due = in_order([by_id[name] for name in milestone.items if name in by_id])
        settle = tuple(undecided[name] for name in milestone.items if name in undecided)
        for entry in due:
            numbers[entry.outcome.id] = len(numbers) + 1
        effort = summary.effort(entry.item for entry in due)
        days = summary.days(effort) if due else ""
        found.append(Stage(title, why, _steps(due, numbers), settle, effort, days, milestone))
    return tuple(found)


def in_order(due: list[summary.Open]) -> list[summary.Open]:
    """What gains most for its work first, but nothing before what it needs."""
    waiting = sorted(due, key=_worth)
    found: list[summary.Open] = []
    while waiting:
        missing = {entry.outcome.id for entry in waiting}
        ready = next((entry for entry in waiting if not missing.intersection(entry.item.after)), waiting[0])
        found.append(ready)
        waiting.remove(ready)
    return found


def _worth(entry: summary.Open) -> tuple[float, bool, int, float, str]:
    """Gain for the work; among equals leaked keys first, then what is set off most easily."""
    trigger = list(Trigger).index(entry.item.trigger) if entry.item.trigger else len(Trigger)
    gain = round(entry.gain / _DAYS.get(entry.item.effort, 5.0), 1)
    return -gain, entry.outcome.category != "secrets", trigger, -entry.risk, entry.outcome.id


def _steps(due: list[summary.Open], numbers: dict[str, int]) -> tuple[Step, ...]:
    small = [entry for entry in due if entry.item.effort == "S" and entry.gain >= QUICK_GAIN]
    quick = {entry.outcome.id for entry in sorted(small, key=lambda entry: -entry.gain)[:QUICK]}
    return tuple(
        Step(
            number=numbers[entry.outcome.id],
            entry=entry,
            title=title_of(entry.item, entry.outcome.verdict),
            needs=tuple(sorted(numbers[name] for name in entry.item.after if numbers.get(name, 0) > 0)),
            quick=entry.outcome.id in quick,
        )
        for entry in due
    )


@dataclass(frozen=True, slots=True)
class Climb:
    """The score by phase as a step line: (x, y, letter, value, label) of each landing in a field of `width` by `height`."""

    width: int
    height: int
    path: str
    landings: tuple[Landing, ...]


@dataclass(frozen=True, slots=True)
class Landing:
    """One level of the step line, from `x` to `end`, at height `y`."""

    x: float
    end: float
    y: float
    letter: str
    value: float
    label: str


TOP, LEFT, BOTTOM = 22, 34, 40


def climb(report: Report, found: Iterable[Stage]) -> Climb | None:
    """The expected score from today on, phase by phase; None without a grade or without a way to go."""
    stages_, score = tuple(found), report.score
    if score.value is None or score.letter is None or not stages_:
        return None
    width, height = 720, 250
    span = (width - LEFT) / (len(stages_) + 1)
    levels = [(tr("Today"), score.value, score.letter), *((s.title, s.reached.value, s.reached.letter) for s in stages_)]
    landings = tuple(
        Landing(
            x=round(LEFT + number * span, 1),
            end=round(LEFT + (number + 1) * span, 1),
            y=round(TOP + (100 - value) / 100 * (height - TOP - BOTTOM), 1),
            letter=letter,
            value=value,
            label=label,
        )
        for number, (label, value, letter) in enumerate(levels)
    )
    path = "".join(f"{'M' if not number else 'L'}{one.x} {one.y}H{one.end}" for number, one in enumerate(landings))
    return Climb(width, height, path, landings)
