"""The way to a sound state as arithmetic: each step helps, and the last one leaves nothing."""

from __future__ import annotations

import dataclasses

from hypothesis import given

from auditor.model.report import Phase
from auditor.model.verdict import Outcome, Verdict
from auditor.score import LETTERS, charge, score
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
def test_every_item_that_costs_something_stands_in_one_phase(found: list[Outcome]) -> None:
    result = score(found, "")
    costly = sorted(outcome.id for outcome in found if charge(outcome, pessimistic=True) > 0)
    assert sorted(name for milestone in result.milestones for name in milestone.items) == ([] if result.value is None else costly)
    phases = [milestone.phase for milestone in result.milestones]
    assert phases == [phase for phase in Phase if phase in phases]


@given(outcomes())
def test_each_phase_reaches_what_scoring_again_would_say(found: list[Outcome]) -> None:
    result = score(found, "")
    done: set[str] = set()
    for milestone in result.milestones:
        done |= set(milestone.items)
        again = score([dataclasses.replace(o, verdict=Verdict.PASS, badness=0.0, ceiling=0.0) if o.id in done else o for o in found])
        assert (again.value, again.letter) == (milestone.value, milestone.letter)
