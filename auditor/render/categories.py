"""The judged items as the report prints them: their words, their places with excerpts, and the categories that answer a question each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import takewhile

from auditor.model.report import AccountLine, Category, CategoryScore, Item, Report
from auditor.model.verdict import Confidence, Finding, Outcome, Verdict
from auditor.render import summary
from auditor.render.language import N_, Spoken, plural, tr

EXCERPTS = 3
PLACES = 40

_CONFIDENCE = {Confidence.HIGH: 0, Confidence.MEDIUM: 1, Confidence.LOW: 2}
_STATE = Spoken(
    {Verdict.FAIL: N_("Not met"), Verdict.PARTIAL: N_("Partly met"), Verdict.UNKNOWN: N_("Not known"), Verdict.PASS: N_("Holds")}
)


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
    def judged(self) -> tuple[ItemView, ...]:
        """The items with a verdict that counts, worst first."""
        return (*self.open, *self.unknown, *self.passed)


def title_of(item: Item, verdict: Verdict) -> str:
    """The sentence that says how the item stands, and that it is only so in part where that is the verdict."""
    return tr("In part: {0}", sentence(item, verdict)) if verdict is Verdict.PARTIAL else sentence(item, verdict)


def sentence(item: Item, verdict: Verdict) -> str:
    """The check's words for the verdict; the claim where it has none of its own."""
    if verdict in summary.OPEN and item.failing_title:
        return item.failing_title.rstrip(".")
    if verdict is Verdict.PASS and item.passing_title:
        return item.passing_title.rstrip(".")
    return item.claim.rstrip(".")


def categories(report: Report) -> tuple[CategoryView, ...]:
    """The categories in order, each with its items, worst first."""
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
                category=replace(category, title=tr(category.title), question=tr(category.question)),
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
        shown.append(Shown(finding, "" if repeated else finding.message, _lines(finding), anchor(outcome, number)))
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


def anchor(outcome: Outcome, number: int) -> str:
    """The name a link leads to: the finding of that number in the order printed, from 1."""
    return f"F-{outcome.id}-{number}"


def _lines(finding: Finding) -> tuple[Line, ...]:
    """The excerpt without the indentation that all its lines share."""
    last = max(finding.line, finding.end_line)
    shared = _indentation(finding.excerpt)
    return tuple(
        Line(number, text.replace("\n", " ")[shared:], finding.line <= number <= last)
        for number, text in enumerate(finding.excerpt, finding.excerpt_start)
    )


def _indentation(lines: tuple[str, ...]) -> int:
    """Length of the white space that all lines with text begin with."""
    starts = [line[: len(line) - len(line.lstrip(" \t"))] for line in lines if line.strip()]
    return sum(1 for _ in takewhile(lambda column: len(set(column)) == 1, zip(*starts, strict=False)))


def _answer(views: list[ItemView]) -> tuple[Verdict | None, str, str]:
    """The verdict, one word and one line that answer a category's question."""
    counted = [entry for entry in views if entry.outcome.verdict is not Verdict.NOT_APPLICABLE]
    if not views:
        return None, tr("Not judged"), tr("No item of this category was judged.")
    if not counted:
        return Verdict.NOT_APPLICABLE, tr("Does not arise"), views[0].outcome.reason
    worst = counted[0]
    verdict = worst.outcome.verdict
    words = sentence(worst.item, verdict)
    if verdict is Verdict.PASS:
        return verdict, _STATE[verdict], f"{plural(len(counted), 'judged item, and it holds', 'judged items, and all hold')}."
    others = sum(entry.outcome.verdict in summary.OPEN for entry in counted) - (verdict in summary.OPEN)
    extra = tr(", and {0}", plural(others, "more gap")) if others else ""
    if verdict is Verdict.UNKNOWN:
        undecided = sum(entry.outcome.verdict is Verdict.UNKNOWN for entry in counted)
        return verdict, _STATE[verdict], tr("{0} could not be decided: {1}.", plural(undecided, "item"), words)
    return verdict, _STATE[verdict], f"{words}{extra}."
