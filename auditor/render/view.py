"""What the HTML report shows, arranged for its templates: nothing is judged or computed here that the `Report` does not already say."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass

from auditor.model.report import AccountLine, Category, CategoryScore, Item, Report
from auditor.model.verdict import Confidence, Finding, Outcome, Severity, Verdict
from auditor.render import summary
from auditor.render.grouping import fold
from auditor.render.json_report import to_json
from auditor.render.layout import Drawing, draw
from auditor.words import plural

EXCERPTS = 3
PLACES = 40
BLOCKERS = 5
HIGHLIGHTS = 3

_CONFIDENCE = {Confidence.HIGH: 0, Confidence.MEDIUM: 1, Confidence.LOW: 2}
_STATE = {Verdict.FAIL: "Not met", Verdict.PARTIAL: "Partly met", Verdict.UNKNOWN: "Not known", Verdict.PASS: "Holds"}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an excerpt."""

    number: int
    text: str
    marked: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """A finding with its excerpt; `message` is empty when it repeats the one above."""

    finding: Finding
    message: str
    lines: tuple[Line, ...]
    anchor: str


@dataclass(frozen=True, slots=True)
class ItemView:
    """One judged item: its words, the findings shown in full, the places only listed, and how many are in the JSON alone."""

    item: Item
    outcome: Outcome
    title: str
    shown: tuple[Shown, ...]
    more: tuple[Finding, ...]
    left_out: int
    risk: float
    gain: float


@dataclass(frozen=True, slots=True)
class CategoryView:
    """One category: its question, the one-line answer with the verdict that colours it, and its items, worst first."""

    category: Category
    number: int
    score: CategoryScore | None
    verdict: Verdict | None
    state: str
    answer: str
    open: tuple[ItemView, ...]
    unknown: tuple[ItemView, ...]
    passed: tuple[ItemView, ...]
    not_applicable: tuple[ItemView, ...]
    later: tuple[Item, ...]

    @property
    def judged(self) -> int:
        """Number of items with a verdict that counts."""
        return len(self.open) + len(self.unknown) + len(self.passed)


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of the way: the open items of one weight, what they take and what they cost today."""

    title: str
    items: tuple[summary.Open, ...]
    effort: summary.Effort
    days: str
    risk: float


@dataclass(frozen=True, slots=True)
class AccountView:
    """A line of the statement with the words to print."""

    line: AccountLine
    item: Item
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Gap:
    """A file that was not examined: why, and for which evidence."""

    path: str
    reason: str
    needs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class View:
    """The whole page."""

    report: Report
    headline: str
    counts: str
    blockers: tuple[summary.Open, ...]
    blockers_total: int
    strengths: tuple[ItemView, ...]
    conditions: tuple[summary.Open, ...]
    categories: tuple[CategoryView, ...]
    phases: tuple[Phase, ...]
    account: tuple[AccountView, ...]
    unknown: tuple[summary.UnknownGroup, ...]
    gaps: tuple[Gap, ...]
    later: int
    digest: str
    drawing: Drawing | None
    kinds: str
    revision: str


def view(report: Report) -> View:
    """Arrange a (canonical) report for the templates."""
    categories = _categories(report)
    opened = summary.open_items(report)
    blockers = [entry for entry in opened if entry.outcome.severity is Severity.BLOCKER and entry.outcome.verdict is Verdict.FAIL]
    first, _, rest = summary.headline(report).partition(". ")
    return View(
        report=report,
        headline=first.rstrip(".") + ".",
        counts=rest,
        blockers=tuple(blockers[:BLOCKERS]),
        blockers_total=len(blockers),
        strengths=_strengths(categories),
        conditions=tuple([entry for entry in opened if entry not in blockers][:HIGHLIGHTS]),
        categories=categories,
        phases=_phases(opened),
        account=_account(report),
        unknown=tuple(summary.unknown_groups(report)),
        gaps=_gaps(report),
        later=sum(not item.judged for item in report.items),
        digest=hashlib.sha256(to_json(report)).hexdigest(),
        drawing=draw(fold(report.graph)) if report.graph and report.graph.modules else None,
        kinds=summary.kinds_of(report),
        revision=summary.revision(report),
    )


def title_of(item: Item, verdict: Verdict) -> str:
    """The sentence that says how the item stands; the claim where the check has no words of its own."""
    if verdict in summary.OPEN and item.failing_title:
        return item.failing_title.rstrip(".")
    if verdict is Verdict.PASS and item.passing_title:
        return item.passing_title.rstrip(".")
    return item.claim.rstrip(".")


def _categories(report: Report) -> tuple[CategoryView, ...]:
    items = summary.items_by_id(report)
    lines = {line.id: line for line in report.score.account}
    scores = {score.id: score for score in report.score.categories}
    found = []
    for number, category in enumerate(report.categories, 1):
        own = summary.in_order(outcome for outcome in report.outcomes if outcome.category == category.id)
        views = [_item_view(summary.item_of(items, outcome), outcome, lines.get(outcome.id)) for outcome in own]
        judged = {outcome.id for outcome in own}
        later = tuple(item for item in report.items if item.category == category.id and item.id not in judged)
        verdict, state, answer = _answer(views)
        found.append(
            CategoryView(
                category=category,
                number=number,
                score=scores.get(category.id),
                verdict=verdict,
                state=state,
                answer=answer,
                open=tuple(entry for entry in views if entry.outcome.verdict in summary.OPEN),
                unknown=tuple(entry for entry in views if entry.outcome.verdict is Verdict.UNKNOWN),
                passed=tuple(entry for entry in views if entry.outcome.verdict is Verdict.PASS),
                not_applicable=tuple(entry for entry in views if entry.outcome.verdict is Verdict.NOT_APPLICABLE),
                later=later,
            )
        )
    return tuple(found)


def _item_view(item: Item, outcome: Outcome, line: AccountLine | None) -> ItemView:
    ranked = sorted(enumerate(outcome.findings), key=lambda pair: (_CONFIDENCE[pair[1].confidence], not pair[1].excerpt, pair[0]))
    ordered = [finding for _, finding in ranked]
    shown: list[Shown] = []
    for number, finding in enumerate(ordered[:EXCERPTS], 1):
        repeated = any(earlier.finding.message == finding.message for earlier in shown)
        shown.append(Shown(finding, "" if repeated else finding.message, _lines(finding), f"F-{outcome.id}-{number}"))
    more = ordered[EXCERPTS : EXCERPTS + PLACES]
    return ItemView(
        item=item,
        outcome=outcome,
        title=title_of(item, outcome.verdict),
        shown=tuple(shown),
        more=tuple(more),
        left_out=len(ordered) - len(shown) - len(more),
        risk=line.risk if line else 0.0,
        gain=line.gain if line else 0.0,
    )


def _lines(finding: Finding) -> tuple[Line, ...]:
    last = max(finding.line, finding.end_line)
    return tuple(
        Line(number, text.replace("\n", " "), finding.line <= number <= last)
        for number, text in enumerate(finding.excerpt, finding.excerpt_start)
    )


def _answer(views: list[ItemView]) -> tuple[Verdict | None, str, str]:
    """The verdict, one word and one line that answer a category's question."""
    counted = [entry for entry in views if entry.outcome.verdict is not Verdict.NOT_APPLICABLE]
    if not views:
        return None, "Not judged", "This version does not judge the items of this category yet."
    if not counted:
        return Verdict.NOT_APPLICABLE, "Does not arise", views[0].outcome.reason
    worst = counted[0]
    verdict = worst.outcome.verdict
    if verdict is Verdict.PASS:
        return verdict, _STATE[verdict], f"{plural(len(counted), 'judged item')}, and {'it holds' if len(counted) == 1 else 'all hold'}."
    others = sum(entry.outcome.verdict in summary.OPEN for entry in counted) - (verdict in summary.OPEN)
    extra = f", and {plural(others, 'more gap')}" if others else ""
    if verdict is Verdict.UNKNOWN:
        undecided = sum(entry.outcome.verdict is Verdict.UNKNOWN for entry in counted)
        return verdict, _STATE[verdict], f"{plural(undecided, 'item')} could not be decided: {worst.title}."
    return verdict, _STATE[verdict], f"{worst.title}{extra}."


def _strengths(categories: tuple[CategoryView, ...]) -> tuple[ItemView, ...]:
    """The heaviest items that hold, from different categories where possible."""
    best = [entry for category in categories for entry in category.passed[:1]]
    rest = [entry for category in categories for entry in category.passed[1:]]
    weight = list(Severity)
    ordered = sorted(best, key=lambda e: weight.index(e.outcome.severity)) + sorted(rest, key=lambda e: weight.index(e.outcome.severity))
    return tuple(ordered[:HIGHLIGHTS])


def _phases(opened: list[summary.Open]) -> tuple[Phase, ...]:
    groups = (
        ("First: remove what stops the release", (Severity.BLOCKER,)),
        ("Then: make it safe to run", (Severity.HIGH,)),
        ("After that: make it easy to change", (Severity.MEDIUM, Severity.LOW)),
    )
    found = []
    for title, severities in groups:
        items = tuple(entry for entry in opened if entry.outcome.severity in severities)
        if items:
            effort = summary.effort(entry.item for entry in items)
            found.append(Phase(title, items, effort, summary.days(effort), sum(entry.risk for entry in items)))
    return tuple(found)


def _account(report: Report) -> tuple[AccountView, ...]:
    items = summary.items_by_id(report)
    outcomes = {outcome.id: outcome for outcome in report.outcomes}
    return tuple(
        AccountView(line, summary.item_of(items, outcomes[line.id]), outcomes[line.id].verdict)
        for line in report.score.account
        if line.id in outcomes
    )


def _gaps(report: Report) -> tuple[Gap, ...]:
    needs: dict[tuple[str, str], list[str]] = defaultdict(list)
    for note in report.evidence:
        for path, reason in note.unexamined:
            needs[path, reason].append(note.need)
    return tuple(Gap(path, reason, tuple(names)) for (path, reason), names in sorted(needs.items()))
