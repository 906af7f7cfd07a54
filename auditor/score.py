"""The grade: pure arithmetic from outcomes to score, letters, caps and the statement of account (score model 4).

Each applicable item adds stake x badness risk points (25 blocker, 8 high, 3 medium, 1 low); their sum R gives
score = 100 * exp(-R / CURVE). The headline figures are pessimistic: what was not examined is charged as if it were bad, for caps too. No
mean is taken anywhere, so a good item never buys off a bad one and leaving something out never helps.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from auditor.model.report import AccountLine, CategoryScore, Milestone, Phase, Score
from auditor.model.verdict import CURVE, POINTS, Outcome, Severity, Verdict

MODEL = "4"
"""Raised whenever `CURVE` or the set of judged items changes."""
CATEGORY_K = 25.0
BORDERS = ((80.0, "A"), (60.0, "B"), (40.0, "C"), (20.0, "D"), (0.0, "E"))
FAIL_FROM = 0.6
"""Badness from which an item fails (checklist section 0)."""
LETTERS = "ABCDE"
_DOORS = frozenset({"security", "secrets"})
"""Categories whose serious gaps cannot wait for a second week."""
_CHANGE = frozenset({"tests", "architecture", "debt", "specs", "wiring"})
"""Categories that decide whether the code can be changed without fear."""


@dataclass(frozen=True, slots=True)
class _Grade:
    value: float
    letter: str
    cap: str


def verdict_of(badness: float, tolerance: float = 0.0) -> Verdict:
    """The verdict a badness stands for."""
    if badness <= tolerance:
        return Verdict.PASS
    return Verdict.PARTIAL if badness < FAIL_FROM else Verdict.FAIL


def score_value(risk: float, k: float = CURVE) -> float:
    """Score for `risk` points, 0 to 100, cut (never rounded up) to one decimal."""
    return math.floor(1000 * math.exp(-risk / k)) / 10


def letter_of(value: float) -> str:
    """The letter of a score before caps."""
    return next(letter for border, letter in BORDERS if value >= border)


def charge(outcome: Outcome, *, pessimistic: bool) -> float:
    """Risk points of one outcome."""
    stake = POINTS[outcome.severity]
    match outcome.verdict:
        case Verdict.NOT_APPLICABLE | Verdict.PASS:
            return 0.0
        case Verdict.UNKNOWN:
            return float(stake) if pessimistic else 0.0
        case _:
            return stake * (outcome.ceiling if pessimistic else outcome.badness)


def grade(outcomes: Sequence[Outcome], *, pessimistic: bool) -> _Grade:
    """Score and capped letter under one reading of the unknowns."""
    value = score_value(math.fsum(charge(outcome, pessimistic=pessimistic) for outcome in outcomes))
    letter = letter_of(value)
    for limit, reason in _caps(outcomes, pessimistic=pessimistic):
        if LETTERS.index(limit) > LETTERS.index(letter):
            return _Grade(value, limit, reason)
    return _Grade(value, letter, "")


def _standing(outcome: Outcome, *, pessimistic: bool) -> Verdict:
    """The verdict as the caps see it."""
    if outcome.verdict is Verdict.UNKNOWN:
        return Verdict.FAIL if pessimistic else Verdict.PASS
    if outcome.verdict is Verdict.PARTIAL and pessimistic:
        return verdict_of(outcome.ceiling)
    return outcome.verdict


def _caps(outcomes: Sequence[Outcome], *, pessimistic: bool) -> list[tuple[str, str]]:
    """Caps that apply, strictest first: (letter at most, reason)."""
    standing = [(outcome.severity, _standing(outcome, pessimistic=pessimistic)) for outcome in outcomes]
    known = {(outcome.severity, outcome.verdict) for outcome in outcomes}
    blockers = standing.count((Severity.BLOCKER, Verdict.FAIL))
    halves = standing.count((Severity.BLOCKER, Verdict.PARTIAL))
    highs = standing.count((Severity.HIGH, Verdict.FAIL))
    words = {severity: "not met or not known" if (severity, Verdict.UNKNOWN) in known else "not met" for severity in Severity}
    rules = (
        (blockers >= 3, "E", f"{blockers} blockers are {words[Severity.BLOCKER]}: at most E"),
        (blockers >= 1, "D", f"{blockers} blocker{'s are' if blockers > 1 else ' is'} {words[Severity.BLOCKER]}: at most D"),
        (highs >= 5, "C", f"{highs} high items are {words[Severity.HIGH]}: at most C"),
        (halves >= 1, "B", f"{halves} blocker{'s are' if halves > 1 else ' is'} only partly met: at most B"),
        (highs >= 1, "B", f"{highs} high item{'s are' if highs > 1 else ' is'} {words[Severity.HIGH]}: at most B"),
    )
    return [(letter, reason) for applies, letter, reason in rules if applies]


def score(outcomes: Iterable[Outcome], no_grade: str = "") -> Score:
    """The whole score of an audit; with a `no_grade` reason value and letters are None."""
    judged = tuple(outcomes)
    applicable = [outcome for outcome in judged if outcome.verdict is not Verdict.NOT_APPLICABLE]
    stake = sum(POINTS[outcome.severity] for outcome in applicable)
    decided = sum(POINTS[outcome.severity] for outcome in applicable if outcome.verdict is not Verdict.UNKNOWN)
    if not no_grade and not applicable:
        no_grade = "no item of the checklist applies here"
    low, high = grade(judged, pessimistic=True), grade(judged, pessimistic=False)
    return Score(
        model=MODEL,
        value=None if no_grade else low.value,
        letter=None if no_grade else low.letter,
        optimistic_value=None if no_grade else high.value,
        optimistic_letter=None if no_grade else high.letter,
        risk=math.fsum(charge(outcome, pessimistic=True) for outcome in judged),
        stake=stake,
        assurance=decided / stake if stake else 0.0,
        cap=low.cap,
        sentence="cannot be judged" if no_grade else _sentence(low, high, judged),
        no_grade=no_grade,
        categories=_categories(judged),
        account=_account(judged),
        milestones=() if no_grade else _milestones(judged),
    )


def _sentence(low: _Grade, high: _Grade, outcomes: Sequence[Outcome]) -> str:
    if LETTERS.index(low.letter) - LETTERS.index(high.letter) >= 2:
        return "cannot be judged"
    if low.letter in "DE" or any(o.severity is Severity.BLOCKER and o.verdict is Verdict.FAIL for o in outcomes):
        return "not ready"
    return "ready" if low.letter == "A" else "ready with conditions"


def _categories(outcomes: Sequence[Outcome]) -> tuple[CategoryScore, ...]:
    scores = []
    for category in dict.fromkeys(outcome.category for outcome in outcomes):
        own = [outcome for outcome in outcomes if outcome.category == category]
        counts = {verdict: sum(outcome.verdict is verdict for outcome in own) for verdict in Verdict}
        stake = sum(POINTS[outcome.severity] for outcome in own if outcome.verdict is not Verdict.NOT_APPLICABLE)
        risk = math.fsum(charge(outcome, pessimistic=True) for outcome in own)
        scores.append(
            CategoryScore(
                id=category,
                value=score_value(risk, CATEGORY_K) if stake else None,
                risk=risk,
                stake=stake,
                passed=counts[Verdict.PASS],
                partial=counts[Verdict.PARTIAL],
                failed=counts[Verdict.FAIL],
                unknown=counts[Verdict.UNKNOWN],
                not_applicable=counts[Verdict.NOT_APPLICABLE],
            )
        )
    return tuple(scores)


def _account(outcomes: Sequence[Outcome]) -> tuple[AccountLine, ...]:
    """Open items, dearest first. What the score lost is shared out by risk points, so that equal risks cost the same; the last line ends at the score."""
    charges = [(charge(outcome, pessimistic=True), outcome) for outcome in outcomes]
    open_items = sorted(((risk, outcome) for risk, outcome in charges if risk > 0), key=lambda pair: (-pair[0], pair[1].id))
    total = math.fsum(risk for risk, _ in charges)
    value = score_value(total)
    lines, running, before = [], 0.0, 100.0
    for position, (risk, outcome) in enumerate(open_items, 1):
        running += risk
        after = value if position == len(open_items) else round(100.0 - (100.0 - value) * running / total, 1)
        gain = score_value(max(0.0, total - risk)) - value
        lines.append(
            AccountLine(outcome.id, POINTS[outcome.severity], risk / POINTS[outcome.severity], risk, before, after, round(gain, 1))
        )
        before = after
    return tuple(lines)


def phase_of(outcome: Outcome) -> Phase:
    """When it is best put right: open doors first, then what a failure would make worse, then what stands in the way of change, then the rest."""
    high = outcome.severity is Severity.HIGH
    if outcome.severity is Severity.BLOCKER or (high and outcome.category in _DOORS):
        return Phase.BLEEDING
    if high and outcome.category not in _CHANGE:
        return Phase.RECOVERABLE
    if outcome.severity is not Severity.LOW and outcome.category in _CHANGE:
        return Phase.CHANGEABLE
    return Phase.GROW


def _milestones(outcomes: Sequence[Outcome]) -> tuple[Milestone, ...]:
    """The headline grade after each phase that has something to put right."""
    found, remaining = [], list(outcomes)
    for phase in Phase:
        due = [o for o in remaining if phase_of(o) is phase and charge(o, pessimistic=True) > 0]
        if due:
            remaining = [o for o in remaining if o not in due]
            reached = grade(remaining, pessimistic=True)
            risk = math.fsum(charge(outcome, pessimistic=True) for outcome in remaining)
            severities = tuple(severity for severity in Severity if any(o.severity is severity for o in due))
            found.append(Milestone(severities, reached.value, reached.letter, risk, phase, tuple(o.id for o in due)))
    return tuple(found)
