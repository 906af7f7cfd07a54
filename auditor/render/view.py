"""What the HTML report shows, arranged for its templates: nothing is judged or computed here that the `Report` does not already say."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from itertools import takewhile

from auditor.model.report import AccountLine, Category, CategoryScore, EvidenceNote, Item, Milestone, Report
from auditor.model.verdict import Confidence, Finding, Outcome, Severity, Verdict
from auditor.render import structure, summary
from auditor.render.grouping import fold
from auditor.render.json_report import to_json
from auditor.render.layout import Drawing, draw
from auditor.words import plural

EXCERPTS = 3
PLACES = 40
BLOCKERS = 5
HIGHLIGHTS = 3
CROWDED = 10
GAPS = 25
LETTERS = (("A", 80), ("B", 60), ("C", 40), ("D", 20), ("E", 0))
"""Score from which each letter is given, for the bar's borders; `auditor.score` decides."""

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
    def judged(self) -> tuple[ItemView, ...]:
        """The items with a verdict that counts, worst first."""
        return (*self.open, *self.unknown, *self.passed)


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of the way: the open items of one weight, the undecided ones to settle, what it takes and the grade it reaches."""

    title: str
    items: tuple[summary.Open, ...]
    settle: tuple[ItemView, ...]
    days: str
    reached: Milestone | None


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
class Gap:
    """A file that was not examined: why, and for which evidence."""

    path: str
    reason: str
    needs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Crowded:
    """A file that several open items name: the ids, worst first, and the number of places."""

    path: str
    items: tuple[str, ...]
    places: int


@dataclass(frozen=True, slots=True)
class View:
    """The whole page."""

    report: Report
    headline: str
    counts: str
    blockers: tuple[ItemView, ...]
    blockers_total: int
    strengths: tuple[ItemView, ...]
    conditions: tuple[summary.Open, ...]
    categories: tuple[CategoryView, ...]
    phases: tuple[Phase, ...]
    account: tuple[AccountView, ...]
    crowded: tuple[Crowded, ...]
    unknown: tuple[summary.UnknownGroup, ...]
    missing: tuple[EvidenceNote, ...]
    gaps: tuple[Gap, ...]
    production: str
    claims: dict[str, str]
    later: int
    copies: tuple[structure.CopyView, ...]
    circles: tuple[structure.Circle, ...]
    boxes: tuple[structure.BoxRow, ...]
    risk: str
    lost: str
    digest: str
    drawing: Drawing | None
    kinds: str
    revision: str


def view(report: Report) -> View:
    """Arrange a (canonical) report for the templates."""
    categories = _categories(report)
    opened = summary.open_items(report)
    blockers = [entry for entry in opened if entry.outcome.severity is Severity.BLOCKER and entry.outcome.verdict is Verdict.FAIL]
    views = {entry.outcome.id: entry for category in categories for entry in category.open}
    first, _, rest = summary.headline(report).partition(". ")
    drawing = draw(fold(report.graph)) if report.graph and report.graph.modules else None
    return View(
        report=report,
        headline=first.rstrip(".") + ".",
        counts=rest,
        blockers=tuple(views[entry.outcome.id] for entry in blockers[:BLOCKERS]),
        blockers_total=len(blockers),
        strengths=_strengths(categories),
        conditions=tuple([entry for entry in opened if entry not in blockers][:HIGHLIGHTS]),
        categories=categories,
        phases=_phases(report, opened, categories),
        account=_account(report),
        crowded=_crowded(opened),
        unknown=tuple(summary.unknown_groups(report)),
        missing=_missing(report),
        gaps=_gaps(report),
        production=summary.production(report),
        claims={item.id: item.claim for item in report.items},
        later=sum(not item.judged and item.how != "ask" for item in report.items),
        copies=structure.copies(report.clones),
        circles=structure.circles(report.graph),
        boxes=structure.boxes(drawing),
        risk=_hundredths(round(report.score.risk * 100)),
        lost=_tenths(1000 - round(report.score.account[-1].score_after * 10)) if report.score.account else "0",
        digest=hashlib.sha256(to_json(report)).hexdigest(),
        drawing=drawing,
        kinds=summary.kinds_of(report),
        revision=summary.revision(report),
    )


def title_of(item: Item, verdict: Verdict) -> str:
    """The sentence that says how the item stands, and that it is only so in part where that is the verdict."""
    return f"In part: {_sentence(item, verdict)}" if verdict is Verdict.PARTIAL else _sentence(item, verdict)


def _sentence(item: Item, verdict: Verdict) -> str:
    """The check's words for the verdict; the claim where it has none of its own."""
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
        return None, "Not judged", "No item of this category was judged."
    if not counted:
        return Verdict.NOT_APPLICABLE, "Does not arise", views[0].outcome.reason
    worst = counted[0]
    verdict = worst.outcome.verdict
    sentence = _sentence(worst.item, verdict)
    if verdict is Verdict.PASS:
        return verdict, _STATE[verdict], f"{plural(len(counted), 'judged item')}, and {'it holds' if len(counted) == 1 else 'all hold'}."
    others = sum(entry.outcome.verdict in summary.OPEN for entry in counted) - (verdict in summary.OPEN)
    extra = f", and {plural(others, 'more gap')}" if others else ""
    if verdict is Verdict.UNKNOWN:
        undecided = sum(entry.outcome.verdict is Verdict.UNKNOWN for entry in counted)
        return verdict, _STATE[verdict], f"{plural(undecided, 'item')} could not be decided: {sentence}."
    return verdict, _STATE[verdict], f"{sentence}{extra}."


def _strengths(categories: tuple[CategoryView, ...]) -> tuple[ItemView, ...]:
    """The heaviest items that hold, from different categories where possible."""
    best = [entry for category in categories for entry in category.passed[:1]]
    rest = [entry for category in categories for entry in category.passed[1:]]
    weight = list(Severity)
    ordered = sorted(best, key=lambda e: weight.index(e.outcome.severity)) + sorted(rest, key=lambda e: weight.index(e.outcome.severity))
    return tuple(ordered[:HIGHLIGHTS])


def _phases(report: Report, opened: list[summary.Open], categories: tuple[CategoryView, ...]) -> tuple[Phase, ...]:
    """The open items in three steps, the same steps as the score's milestones."""
    titles = {
        Severity.BLOCKER: "First: remove what stops the release",
        Severity.HIGH: "Then: make it safe to run",
        Severity.MEDIUM: "After that: make it easy to change",
    }
    reached = {severity: milestone for milestone in report.score.milestones for severity in milestone.severities}
    undecided = [entry for category in categories for entry in category.unknown]
    found = []
    for first, title in titles.items():
        severities = (first, Severity.LOW) if first is Severity.MEDIUM else (first,)
        items = tuple(entry for entry in opened if entry.outcome.severity in severities)
        settle = tuple(entry for entry in undecided if entry.outcome.severity in severities)
        if items or settle:
            found.append(
                Phase(title, items, settle, summary.days(summary.effort(e.item for e in items)) if items else "", reached.get(first))
            )
    return tuple(found)


def _account(report: Report) -> tuple[AccountView, ...]:
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
        lost = round(line.score_before * 10) - round(line.score_after * 10)
        risk = _hundredths(round(running * 100) - before)
        lines.append(AccountView(line, item, outcome.verdict, title_of(item, outcome.verdict), risk, _tenths(lost)))
    return tuple(lines)


def _hundredths(count: int) -> str:
    return f"{count // 100:,}.{count % 100:02d}"


def _tenths(count: int) -> str:
    return f"{count // 10}.{count % 10}"


def _crowded(opened: list[summary.Open]) -> tuple[Crowded, ...]:
    """Files that more than one open item names, the most named first."""
    items: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for entry in opened:
        for finding in entry.outcome.findings:
            if finding.path:
                items[finding.path][entry.outcome.id] += 1
    found = [Crowded(path, tuple(counts), sum(counts.values())) for path, counts in items.items() if len(counts) > 1]
    return tuple(sorted(found, key=lambda file: (-len(file.items), -file.places, file.path))[:CROWDED])


def _missing(report: Report) -> tuple[EvidenceNote, ...]:
    """Evidence that is missing and that no undecided item has already given as its reason."""
    said = [outcome.reason for outcome in report.outcomes if outcome.verdict is Verdict.UNKNOWN]
    return tuple(
        note for note in report.evidence if not note.available and not any(note.reason and note.reason in reason for reason in said)
    )


def _gaps(report: Report) -> tuple[Gap, ...]:
    needs: dict[tuple[str, str], list[str]] = defaultdict(list)
    for note in report.evidence:
        for path, reason in note.unexamined:
            needs[path, reason].append(note.need)
    return tuple(Gap(path, reason, tuple(names)) for (path, reason), names in sorted(needs.items()))
