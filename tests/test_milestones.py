"""The way to a sound state as arithmetic: each step helps, and the last one leaves nothing."""

from __future__ import annotations

from hypothesis import given

from auditor.model.verdict import Outcome
from auditor.score import LETTERS, STEPS, charge, score
from tests.test_score import outcomes, rank


@given(outcomes())
def test_every_step_helps_and_the_last_one_ends_at_the_top(found: list[Outcome]) -> None:
    result = score(found, "")
    if result.value is None:
        assert result.milestones == ()
        return
    values = [result.value, *(milestone.value for milestone in result.milestones)]
    letters = [rank(result.letter), *(LETTERS.index(milestone.letter) for milestone in result.milestones)]
    assert values == sorted(values)
    assert letters == sorted(letters, reverse=True)
    if result.risk > 0:
        assert (result.milestones[-1].value, result.milestones[-1].letter, result.milestones[-1].risk) == (100.0, "A", 0.0)


@given(outcomes())
def test_there_is_a_step_for_every_weight_that_costs_something(found: list[Outcome]) -> None:
    result = score(found, "")
    costly = {outcome.severity for outcome in found if charge(outcome, pessimistic=True) > 0}
    assert [milestone.severities for milestone in result.milestones] == [step for step in STEPS if costly & set(step)]
