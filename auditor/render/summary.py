"""What every output says alike: the verdict sentence, the order of the open items, counts and effort. One source, no second truth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from auditor.model.interview import Answer
from auditor.model.report import Item, Report
from auditor.model.verdict import Outcome, Severity, Verdict
from auditor.render.language import N_, decimal, plural, tr

SENTENCES = {
    "ready": N_("Ready for production."),
    "ready with conditions": N_("Ready for production with conditions."),
    "not ready": N_("Not ready for production."),
    "cannot be judged": N_("Production readiness cannot be judged."),
}
SEVERITIES = tuple(Severity)
EFFORT_DAYS: dict[str, tuple[float, float | None]] = {"S": (0.25, 0.5), "M": (0.5, 3.0), "L": (3.0, None)}
"""Days of one experienced engineer; a large item has no honest upper limit."""
EFFORT_WORDS = {"S": N_("under half a day"), "M": N_("half a day to 3 days"), "L": N_("more than 3 days")}

OPEN = (Verdict.FAIL, Verdict.PARTIAL)
_VERDICT_ORDER = {
    verdict: rank for rank, verdict in enumerate((Verdict.FAIL, Verdict.PARTIAL, Verdict.UNKNOWN, Verdict.PASS, Verdict.NOT_APPLICABLE))
}


@dataclass(frozen=True, slots=True)
class Open:
    """One open item with the words to print: what it costs in risk points and what fixing it would gain in score."""

    outcome: Outcome
    item: Item
    risk: float
    gain: float


@dataclass(frozen=True, slots=True)
class Effort:
    """How many items of each size, and the days they take together; `most` is None when there is no honest upper limit."""

    small: int
    medium: int
    large: int
    least: float
    most: float | None


@dataclass(frozen=True, slots=True)
class UnknownGroup:
    """Items that are unknown for the same reason."""

    reason: str
    ids: tuple[str, ...]


def items_by_id(report: Report) -> dict[str, Item]:
    """The checklist items by id."""
    return {item.id: item for item in report.items}


def item_of(items: dict[str, Item], outcome: Outcome) -> Item:
    """The item of an outcome; a bare one when the report does not hold it (a report made by hand)."""
    return items.get(outcome.id) or Item(outcome.id, outcome.category, outcome.id, outcome.severity, "", "", "", "", "", "", judged=True)


def in_order(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """Worst first: verdict, severity, badness, id."""
    return sorted(outcomes, key=lambda o: (_VERDICT_ORDER[o.verdict], SEVERITIES.index(o.severity), -o.badness, o.id))


def open_items(report: Report) -> list[Open]:
    """Items that fail or hold only partly, the most severe first, inside a severity the dearest first, then in the categories' order."""
    items, lines = items_by_id(report), {line.id: line for line in report.score.account}
    found = []
    for outcome in report.outcomes:
        if outcome.verdict in OPEN:
            line = lines.get(outcome.id)
            found.append(Open(outcome, item_of(items, outcome), line.risk if line else 0.0, line.gain if line else 0.0))
    place = {category.id: number for number, category in enumerate(report.categories)}

    def rank(entry: Open) -> tuple[int, int, float, int, str]:
        outcome = entry.outcome
        severity, verdict = SEVERITIES.index(outcome.severity), _VERDICT_ORDER[outcome.verdict]
        return severity, verdict, -entry.risk, place.get(outcome.category, len(place)), outcome.id

    return sorted(found, key=rank)


def verdict_counts(outcomes: Iterable[Outcome]) -> dict[Verdict, int]:
    """How many outcomes have each verdict, in the order fail, partial, unknown, pass, not applicable."""
    counts = Counter(outcome.verdict for outcome in outcomes)
    return {verdict: counts[verdict] for verdict in _VERDICT_ORDER}


def severity_counts(outcomes: Iterable[Outcome]) -> dict[Severity, int]:
    """How many open items there are of each severity."""
    counts = Counter(outcome.severity for outcome in outcomes if outcome.verdict in OPEN)
    return {severity: counts[severity] for severity in SEVERITIES}


def headline(report: Report) -> str:
    """The verdict in one or two sentences of business words."""
    first = tr(SENTENCES.get(report.score.sentence, report.score.sentence))
    if report.score.no_grade:
        return f"{first} {tr('No grade: {0}.', report.score.no_grade)}"
    failed = [o.severity for o in report.outcomes if o.verdict is Verdict.FAIL]
    partial = sum(o.verdict is Verdict.PARTIAL for o in report.outcomes)
    unknown = sum(o.verdict is Verdict.UNKNOWN for o in report.outcomes)
    parts = [
        *([plural(failed.count(Severity.BLOCKER), "blocker")] if Severity.BLOCKER in failed else []),
        *([f"{plural(failed.count(Severity.HIGH), 'serious gap')}"] if Severity.HIGH in failed else []),
        *([plural(len([s for s in failed if s in (Severity.MEDIUM, Severity.LOW)]), "smaller gap")] if _lesser(failed) else []),
        *([tr("{0} partly met", partial)] if partial else []),
        *([tr("{0} undecided", unknown)] if unknown else []),
    ]
    if not parts:
        return f"{first} {tr('Every judged item holds.')}"
    joined = parts[0] if len(parts) == 1 else tr("{0} and {1}", ", ".join(parts[:-1]), parts[-1])
    return f"{first} {joined[0].upper()}{joined[1:]}."


def production(report: Report) -> str:
    """The production grade in a sentence: how far the interview got, and what it makes of the grade; "" when there is none."""
    score, interview = report.production, report.interview
    if score is None or interview is None or score.value is None or score.letter is None:
        return ""
    asked = [statement for statement in interview.statements if statement.question]
    answered = sum(statement.answer is not Answer.OPEN for statement in asked)
    how = (
        tr("with {0} of {1} questions of the interview answered", answered, len(asked))
        if interview.held
        else tr("the interview was not held")
    )
    text = tr("Production grade ({0}): {1}, {2} of 100", how, score.letter, decimal(score.value))
    if score.optimistic_value is not None and (score.optimistic_value, score.optimistic_letter) != (score.value, score.letter):
        text += tr("; {0}, {1} if every open question turns out well", score.optimistic_letter, decimal(score.optimistic_value))
    return f"{text}."


def _lesser(failed: list[Severity]) -> bool:
    return any(severity in (Severity.MEDIUM, Severity.LOW) for severity in failed)


def unknown_groups(report: Report) -> list[UnknownGroup]:
    """Unknown items grouped by cause, the largest group first."""
    groups: dict[str, list[str]] = {}
    for outcome in report.outcomes:
        if outcome.verdict is Verdict.UNKNOWN:
            groups.setdefault(outcome.reason, []).append(outcome.id)
    found = [UnknownGroup(reason, tuple(sorted(ids))) for reason, ids in groups.items()]
    return sorted(found, key=lambda group: (-len(group.ids), group.ids))


def effort(items: Iterable[Item]) -> Effort:
    """The work the given items stand for."""
    sizes = Counter(item.effort for item in items)
    least = sum(EFFORT_DAYS[size][0] * count for size, count in sizes.items() if size in EFFORT_DAYS)
    most = None if sizes["L"] else sum((EFFORT_DAYS[size][1] or 0.0) * count for size, count in sizes.items() if size in EFFORT_DAYS)
    return Effort(sizes["S"], sizes["M"], sizes["L"], least, most)


def days(effort_: Effort) -> str:
    """Effort in words, as a range: `half a day to 3 days`, `at least 4 days`."""
    least = max(0.5, effort_.least)
    if effort_.most is None:
        return tr("at least {0}", _days(least))
    if effort_.most <= 0.5:
        return tr("under half a day")
    return (
        tr("{0} to {1}", _days(least, unit=False) if least >= 1 else tr("half a day"), _days(effort_.most))
        if effort_.most > least
        else _days(least)
    )


def _days(count: float, *, unit: bool = True) -> str:
    """Whole days above one, never rounded down."""
    if count <= 0.5:
        return tr("half a day")
    whole = int(count) + (count > int(count))
    return plural(whole, "day") if unit else f"{whole}"


def next_step(report: Report) -> str:
    """The first thing to do, its effort and the grade it reaches: `stop the bleeding: 2 items to put right (half a day to 1 day); then C, 50.5`; "" when there is nothing."""
    if not report.score.milestones:
        return ""
    first = report.score.milestones[0]
    repair = [entry.item for entry in open_items(report) if entry.outcome.id in first.items]
    settle = sum(o.verdict is Verdict.UNKNOWN and o.id in first.items for o in report.outcomes)
    parts = [
        *([f"{plural(len(repair), 'item')} to put right ({days(effort(repair))})"] if repair else []),
        *([f"{settle:,} to find out" if repair else f"{plural(settle, 'item')} to find out"] if settle else []),
    ]
    goal = f"{first.phase.value}: " if first.phase else ""
    return f"{goal}{', '.join(parts)}; then {first.letter}, {decimal(first.value)}" if parts else ""


def place_of(outcome: Outcome) -> str:
    """The first place of an outcome as `path:line`, "" when it has none."""
    if not outcome.findings:
        return ""
    first = outcome.findings[0]
    return f"{first.path}:{first.line}" if first.line else first.path


def kinds_of(report: Report) -> str:
    """What was audited, in a few words: `fullstack, library (fastapi, nextjs)`."""
    kinds = sorted({kind.value for part in report.parts for kind in part.kinds})
    frameworks = list(dict.fromkeys(framework.name for part in report.parts for framework in part.frameworks))
    text = ", ".join(kinds) or tr("unknown kind")
    return f"{text} ({', '.join(frameworks[:5])}{', …' if len(frameworks) > 5 else ''})" if frameworks else text


def revision(report: Report) -> str:
    """The short commit hash, or what stands in its place."""
    return report.scope.commit[:7] if report.scope.commit else tr("no git, digest {0}", report.scope.digest[:7])
