"""The statement of account in printed figures: every line, and the same by category as a fall from 100 to the score. Both add up to the last digit."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from auditor.model.report import AccountLine, Item, Report
from auditor.model.verdict import Verdict
from auditor.render import summary
from auditor.render.categories import title_of
from auditor.render.language import figure, tr


@dataclass(frozen=True, slots=True)
class AccountView:
    """A line of the statement with the words to print; `risk` is rounded so that the printed column adds up to the printed sum."""

    line: AccountLine
    item: Item
    verdict: Verdict
    title: str
    risk: str
    lost: str


@dataclass(frozen=True, slots=True)
class Fall:
    """What one category takes from the score, in points of score: from `before` down to `after`; `open`, `unknown`: its items that cost something."""

    category: str
    title: str
    lost: str
    before: float
    after: float
    open: int
    unknown: int


def account(report: Report) -> tuple[AccountView, ...]:
    """The statement's lines. Each printed risk is the step between two rounded running sums, so no line is lost in rounding."""
    items = summary.items_by_id(report)
    outcomes = {outcome.id: outcome for outcome in report.outcomes}
    lines, running = [], 0.0
    for position, line in enumerate(report.score.account, 1):
        before = round(running * 100)
        running = report.score.risk if position == len(report.score.account) else running + line.risk
        outcome = outcomes.get(line.id)
        if outcome is None:
            continue
        item = summary.item_of(items, outcome)
        risk = hundredths(round(running * 100) - before)
        lines.append(AccountView(line, item, outcome.verdict, title_of(item, outcome.verdict), risk, tenths(_lost(line))))
    return tuple(lines)


def falls(report: Report) -> tuple[Fall, ...]:
    """The lines of the statement by category, the dearest category first."""
    outcomes = {outcome.id: outcome for outcome in report.outcomes}
    lines: defaultdict[str, list[AccountLine]] = defaultdict(list)
    for line in report.score.account:
        if line.id in outcomes:
            lines[outcomes[line.id].category].append(line)
    titles = {category.id: tr(category.title) for category in report.categories}
    found, left = [], 1000
    for name, own in sorted(lines.items(), key=lambda pair: (-sum(map(_lost, pair[1])), pair[0])):
        lost = sum(map(_lost, own))
        unknown = sum(outcomes[line.id].verdict is Verdict.UNKNOWN for line in own)
        found.append(Fall(name, titles.get(name, name), tenths(lost), left / 10, (left - lost) / 10, len(own) - unknown, unknown))
        left -= lost
    return tuple(found)


def _lost(line: AccountLine) -> int:
    """Tenths of a point."""
    return round(line.score_before * 10) - round(line.score_after * 10)


def hundredths(count: int) -> str:
    """A count of hundredths as a figure."""
    return figure(f"{count // 100:,}.{count % 100:02d}")


def tenths(count: int) -> str:
    """A count of tenths as a figure."""
    return figure(f"{count // 10}.{count % 10}")
