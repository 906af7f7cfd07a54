"""The page for those who decide: what can happen, how likely it is, what it costs to remove, and for how long. No path, no tool, no weakness number."""

from __future__ import annotations

from dataclasses import dataclass

from auditor.model.report import Phase, Report, Trigger
from auditor.model.verdict import Severity
from auditor.render import summary
from auditor.render.categories import title_of
from auditor.render.language import N_, tr
from auditor.render.way import Stage

RISKS = 5
IMPACT = {
    Severity.BLOCKER: N_("data, money or trust lost at once"),
    Severity.HIGH: N_("an incident, or a much longer one"),
    Severity.MEDIUM: N_("cost and slowness that add up"),
    Severity.LOW: N_("friction"),
}
LIKELIHOOD = {
    Trigger.VISITOR: N_("any visitor can set it off"),
    Trigger.DAY: N_("a normal day is enough"),
    Trigger.BAD_DAY: N_("it takes a bad day"),
    Trigger.INSIDER: N_("only an insider can"),
}
_FIRST = {
    Phase.BLEEDING: N_("{0} to stop the bleeding"),
    Phase.RECOVERABLE: N_("{0} to make it recoverable"),
    Phase.CHANGEABLE: N_("{0} to make it changeable"),
    Phase.GROW: N_("{0} to make it grow"),
}
_TRIGGERS = tuple(Trigger)


@dataclass(frozen=True, slots=True)
class Risk:
    """One of the top risks; `number` is what the matrix shows."""

    number: int
    entry: summary.Open
    title: str
    trigger: Trigger | None


@dataclass(frozen=True, slots=True)
class Cell:
    """A field of the matrix: the top risks in it, and how many other open items; `level` is 0 (calm) to 4 (act now)."""

    risks: tuple[Risk, ...]
    others: int
    level: int


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """The open items of one impact, by trigger, the likeliest first."""

    severity: Severity
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Budget:
    """What a phase takes, and in the last row all of them."""

    title: str
    items: int
    settle: int
    effort: summary.Effort
    days: str


def risks(opened: list[summary.Open]) -> tuple[Risk, ...]:
    """The open items that would hurt most and are set off most easily."""

    def rank(entry: summary.Open) -> tuple[int, int, float, str]:
        trigger = _TRIGGERS.index(entry.item.trigger) if entry.item.trigger else len(_TRIGGERS)
        return summary.SEVERITIES.index(entry.outcome.severity), trigger, -entry.risk, entry.outcome.id

    ranked = sorted(opened, key=rank)[:RISKS]
    return tuple(Risk(n, entry, title_of(entry.item, entry.outcome.verdict), entry.item.trigger) for n, entry in enumerate(ranked, 1))


def matrix(opened: list[summary.Open], top: tuple[Risk, ...]) -> tuple[MatrixRow, ...]:
    """Impact by likelihood; empty when no item says what sets it off (a report of before the triggers)."""
    if not any(entry.item.trigger for entry in opened):
        return ()
    shown = {risk.entry.outcome.id for risk in top}
    rows = []
    for weight, severity in enumerate(Severity):
        cells = []
        for column, trigger in enumerate(Trigger):
            own = [entry for entry in opened if entry.outcome.severity is severity and entry.item.trigger is trigger]
            inside = tuple(risk for risk in top if risk.entry in own)
            cells.append(Cell(inside, sum(entry.outcome.id not in shown for entry in own), max(0, 4 - weight - (column + 1) // 2)))
        rows.append(MatrixRow(severity, tuple(cells)))
    return tuple(rows)


def budget(found: tuple[Stage, ...]) -> tuple[Budget, ...]:
    """Work by phase, and in all."""
    rows = [Budget(stage.title, len(stage.steps), len(stage.settle), stage.effort, stage.days) for stage in found]
    if len(rows) > 1:
        whole = summary.effort(step.entry.item for stage in found for step in stage.steps)
        days = summary.days(whole) if any(stage.steps for stage in found) else ""
        rows.append(Budget(tr("In all"), sum(row.items for row in rows), sum(row.settle for row in rows), whole, days))
    return tuple(rows)


def outlook(report: Report, found: tuple[Stage, ...]) -> str:
    """How long it takes, in a sentence: for the first phase and to a sound state; "" when nothing is to be done."""
    rows = budget(found)
    if report.score.no_grade or not rows or not rows[-1].days:
        return ""
    first = tr(_FIRST[found[0].reached.phase], rows[0].days) if rows[0].days and found[0].reached.phase else ""
    whole = tr("{0} to a sound state", rows[-1].days) if len(rows) > 1 else ""
    text = "; ".join(part for part in (first, whole) if part)
    return f"{text[0].upper()}{text[1:]}."
