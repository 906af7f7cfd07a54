"""What a verification says: settled only where the item was decided or the file examined, and a fault that moves stays open."""

from __future__ import annotations

import dataclasses

import pytest

from auditor.model.report import Report
from auditor.model.verdict import Confidence, Finding, Outcome, Severity, Verdict
from auditor.verification import Answer, verify
from tests.render.sample import rich as sample

ITEM = "security.sql-parameterised"
ONE = Finding("sql-injection", "app/a.py", "A query is put together.", 4, fingerprint="a" * 10 + "b" * 10)
OTHER = Finding("sql-injection", "app/b.py", "Another query is.", 9, fingerprint="c" * 10 + "d" * 10)


def holding(verdict: Verdict, *findings: Finding, unexamined: tuple[tuple[str, str], ...] = ()) -> Report:
    outcome = Outcome(
        ITEM, "security", Severity.BLOCKER, verdict, 0.5, 0.5, Confidence.HIGH, "the reason.", findings, (), (), 1, 1, 1, 1, unexamined
    )
    return dataclasses.replace(sample(), outcomes=(outcome,))


@pytest.mark.parametrize(
    ("verdict", "answer"),
    [
        (Verdict.PASS, Answer.SETTLED),
        (Verdict.NOT_APPLICABLE, Answer.SETTLED),
        (Verdict.UNKNOWN, Answer.CANNOT_SAY),
        (Verdict.PARTIAL, Answer.OPEN),
        (Verdict.FAIL, Answer.OPEN),
    ],
)
def test_an_item_is_settled_when_it_holds(verdict: Verdict, answer: Answer) -> None:
    assert verify(holding(verdict), ITEM).answer is answer


def test_a_finding_that_is_there_is_open_and_named() -> None:
    said = verify(holding(Verdict.FAIL, ONE, OTHER), ITEM, ONE.fingerprint)
    assert (said.answer, said.places) == (Answer.OPEN, (ONE,))


def test_a_finding_that_is_gone_is_settled_while_others_are_open() -> None:
    said = verify(holding(Verdict.FAIL, OTHER), ITEM, ONE.fingerprint)
    assert said.answer is Answer.SETTLED
    assert "1 other" in said.sentence


def test_moving_a_fault_to_another_file_does_not_settle_it() -> None:
    moved = dataclasses.replace(ONE, path="app/c.py", line=1)
    assert verify(holding(Verdict.FAIL, moved), ITEM, ONE.fingerprint, holding(Verdict.FAIL, ONE)).answer is Answer.OPEN
    changed = dataclasses.replace(ONE, fingerprint="a" * 10 + "e" * 10)
    assert verify(holding(Verdict.FAIL, changed), ITEM, ONE.fingerprint, holding(Verdict.FAIL, ONE)).answer is Answer.OPEN


def test_breaking_the_file_does_not_settle_it() -> None:
    broken = holding(Verdict.UNKNOWN, unexamined=(("app/a.py", "does not parse: line 2"),))
    assert verify(broken, ITEM, ONE.fingerprint, holding(Verdict.FAIL, ONE)).answer is Answer.CANNOT_SAY
    partly = holding(Verdict.FAIL, OTHER, unexamined=(("app/a.py", "does not parse: line 2"),))
    assert verify(partly, ITEM, ONE.fingerprint, holding(Verdict.FAIL, ONE)).answer is Answer.CANNOT_SAY


def test_an_item_that_was_not_judged_is_no_answer() -> None:
    with pytest.raises(LookupError):
        verify(holding(Verdict.PASS), "data.transactions")
