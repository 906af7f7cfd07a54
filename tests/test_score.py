"""The grade as arithmetic: what must hold for any set of outcomes whatsoever."""

from __future__ import annotations

import math
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.model.verdict import CURVE, Confidence, Outcome, Severity, Verdict
from auditor.score import LETTERS, letter_of, score, score_value, verdict_of

WORSE = {"pass": 0, "not_applicable": 0, "partial": 1, "unknown": 2, "fail": 2}


def outcome(item: str, severity: Severity, verdict: Verdict, badness: float = 0.0, ceiling: float = 0.0) -> Outcome:
    return Outcome(item, item.split(".", maxsplit=1)[0], severity, verdict, badness, ceiling, Confidence.HIGH, "", (), (), (), 0, 0, 0, 0)


@st.composite
def outcomes(draw, least: int = 1) -> list[Outcome]:
    found = []
    for number in range(draw(st.integers(least, 40))):
        severity = draw(st.sampled_from(list(Severity)))
        verdict = draw(st.sampled_from(list(Verdict)))
        badness = {
            Verdict.PASS: 0.0,
            Verdict.NOT_APPLICABLE: 0.0,
            Verdict.UNKNOWN: 0.0,
            Verdict.PARTIAL: draw(st.floats(0.01, 0.59)),
            Verdict.FAIL: draw(st.floats(0.6, 1.0)),
        }[verdict]
        ceiling = 1.0 if verdict is Verdict.UNKNOWN else max(badness, draw(st.floats(0, 1))) if badness else 0.0
        found.append(outcome(f"c{number % 5}.i{number}", severity, verdict, badness, ceiling))
    return found


def rank(letter: str | None) -> int:
    assert letter is not None
    return LETTERS.index(letter)


@given(outcomes())
def test_the_statement_of_account_adds_up(found: list[Outcome]) -> None:
    result = score(found, "")
    if result.value is None:
        return
    assert math.isclose(math.fsum(line.risk for line in result.account), result.risk, abs_tol=1e-9)
    assert math.isclose(math.fsum(category.risk for category in result.categories), result.risk, abs_tol=1e-9)
    running = 100.0
    for line in result.account:
        assert line.score_before == running
        running = line.score_after
    assert running == result.value


@given(outcomes(), st.data())
def test_a_fix_never_lowers(found: list[Outcome], data: st.DataObject) -> None:
    position = data.draw(st.integers(0, len(found) - 1))
    better = replace(found[position], verdict=Verdict.PASS, badness=0.0, ceiling=0.0)
    before, after = score(found, "x"), score([*found[:position], better, *found[position + 1 :]], "x")
    assert after.risk <= before.risk + 1e-9
    graded = [score(each, "") for each in (found, [*found[:position], better, *found[position + 1 :]])]
    if graded[0].value is not None and graded[1].value is not None:
        assert graded[1].value >= graded[0].value
        assert rank(graded[1].letter) <= rank(graded[0].letter)
        assert rank(graded[1].optimistic_letter) <= rank(graded[0].optimistic_letter)


@given(outcomes(), st.data())
def test_more_badness_never_raises(found: list[Outcome], data: st.DataObject) -> None:
    position = data.draw(st.integers(0, len(found) - 1))
    old = found[position]
    badness = data.draw(st.floats(max(old.badness, 0.01), 1.0))
    worse = replace(old, verdict=verdict_of(badness), badness=badness, ceiling=max(badness, old.ceiling))
    before, after = score(found, ""), score([*found[:position], worse, *found[position + 1 :]], "")
    if before.value is not None and after.value is not None and old.verdict is not Verdict.UNKNOWN:
        assert after.value <= before.value
        assert rank(after.letter) >= rank(before.letter)


@given(outcomes(), st.data())
def test_not_knowing_is_never_better_than_any_verdict(found: list[Outcome], data: st.DataObject) -> None:
    position = data.draw(st.integers(0, len(found) - 1))
    hidden = replace(found[position], verdict=Verdict.UNKNOWN, badness=0.0, ceiling=1.0)
    before, after = score(found, ""), score([*found[:position], hidden, *found[position + 1 :]], "")
    if before.value is not None and after.value is not None:
        assert after.value <= before.value
        assert rank(after.letter) >= rank(before.letter)
        assert after.assurance <= before.assurance + 1e-9


@given(outcomes(), st.sampled_from(list(Severity)))
def test_another_good_item_never_buys_off_a_bad_one(found: list[Outcome], severity: Severity) -> None:
    more = [*found, outcome("c9.good", severity, Verdict.PASS)]
    before, after = score(found, ""), score(more, "")
    if before.value is not None:
        assert (after.value, after.letter) == (before.value, before.letter)


@given(outcomes())
def test_pessimistic_is_never_above_optimistic(found: list[Outcome]) -> None:
    result = score(found, "")
    if result.value is not None and result.optimistic_value is not None:
        assert result.value <= result.optimistic_value
        assert rank(result.letter) >= rank(result.optimistic_letter)
        assert 0 <= result.assurance <= 1


@given(st.floats(0, 2_000))
def test_values_are_cut_and_letters_follow(risk: float) -> None:
    value = score_value(risk)
    assert 0 <= value <= 100
    assert value <= 100 * math.exp(-risk / CURVE) + 1e-9
    assert letter_of(value) in LETTERS


@settings(max_examples=30)
@given(st.integers(1, 6), st.integers(0, 6))
def test_caps(blockers: int, highs: int) -> None:
    found = [outcome(f"a.b{n}", Severity.BLOCKER, Verdict.FAIL, 1, 1) for n in range(blockers)]
    found += [outcome(f"a.h{n}", Severity.HIGH, Verdict.FAIL, 1, 1) for n in range(highs)]
    letter = score(found, "").letter
    assert rank(letter) >= rank("E" if blockers >= 3 else "D")


def one(severity: Severity, verdict: Verdict, badness: float) -> tuple[str | None, str]:
    result = score([outcome("a.b", severity, verdict, badness, badness or 1.0)], "")
    return result.letter, result.sentence


def test_single_findings_and_their_sentences() -> None:
    assert one(Severity.BLOCKER, Verdict.FAIL, 1.0) == ("D", "not ready")
    assert one(Severity.BLOCKER, Verdict.PARTIAL, 0.5) == ("B", "ready with conditions")
    assert one(Severity.BLOCKER, Verdict.UNKNOWN, 0.0) == ("D", "cannot be judged")
    assert one(Severity.HIGH, Verdict.FAIL, 1.0) == ("B", "ready with conditions")
    assert one(Severity.LOW, Verdict.FAIL, 1.0) == ("A", "ready")


def test_five_highs_cap_at_c() -> None:
    assert score([outcome(f"a.h{n}", Severity.HIGH, Verdict.FAIL, 0.6, 0.6) for n in range(5)], "").letter == "C"


def test_no_grade() -> None:
    for result in (score([], ""), score([outcome("a.b", Severity.LOW, Verdict.NOT_APPLICABLE)], ""), score([], "nothing to audit")):
        assert (result.value, result.letter, result.sentence) == (None, None, "cannot be judged")
        assert result.no_grade


def test_the_borders_between_verdicts() -> None:
    assert [verdict_of(b, 0.05).value for b in (0, 0.05, 0.051, 0.59, 0.6, 1)] == ["pass", "pass", "partial", "partial", "fail", "fail"]


def test_a_rule_that_holds_the_grade_down_says_whether_all_of_it_was_seen() -> None:
    failed = outcome("a.one", Severity.HIGH, Verdict.FAIL, 1.0, 1.0)
    open_ = outcome("a.two", Severity.HIGH, Verdict.UNKNOWN, 0.0, 1.0)
    assert score([failed]).cap == "1 high item is not met: at most B"
    assert score([open_]).cap == "1 high item is not met or not known: at most B"
