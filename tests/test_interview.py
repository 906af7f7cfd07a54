"""The interview: what people state fills what nobody could see, never overrules what was seen, and never touches the code grade."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from auditor.catalogue import catalogue
from auditor.errors import UsageError
from auditor.interview import form, hold, questions, read
from auditor.model.interview import Answer
from auditor.model.project import Kind
from auditor.model.report import Report
from auditor.model.verdict import Verdict
from tests.render import sample

HEAD = "who: Ada\ndate: 2026-02-01\n"
ASK = [item.id for item in catalogue().items if item.how == "ask"]


def write(folder: Path, text: str) -> Path:
    path = folder / "interview.yml"
    path.write_text(HEAD + text)
    return path


def answered(folder: Path, text: str, report: Report | None = None) -> Report:
    return hold(report or sample.REPORTS["rich"](), read(write(folder, text)))


def outcome(report: Report, item: str):
    return next(entry for entry in report.interview.outcomes if entry.id == item)


def test_the_empty_form_asks_every_question_and_reads_as_not_answered(tmp_path: Path) -> None:
    path = tmp_path / "interview.yml"
    path.write_text(form())
    assert read(path) == questions()
    assert all(question.answer is Answer.OPEN for question in questions())
    assert {item for question in questions() for item in question.items} >= set(ASK)
    known = {item.id for item in catalogue().items}
    assert {item for question in questions() for item in question.items} <= known


def test_without_an_interview_the_production_grade_charges_what_nobody_was_asked() -> None:
    report = hold(sample.REPORTS["all_pass"]())
    assert not report.interview.held
    assert {entry.id for entry in report.interview.outcomes} == set(ASK)
    assert report.production.risk > report.score.risk
    assert report.production.letter > report.score.letter
    assert report.production.optimistic_value == report.score.optimistic_value


def test_a_good_answer_lifts_the_production_grade_and_leaves_the_code_grade(tmp_path: Path) -> None:
    before = hold(sample.REPORTS["rich"]())
    after = answered(tmp_path, "Q4: {answer: yes, evidence: rehearsed on 2026-01-10}\n")
    assert after.score == before.score
    assert after.production.risk < before.production.risk
    assert outcome(after, "secrets.rotation-known").verdict is Verdict.PASS
    assert "Stated by Ada on 2026-02-01" in outcome(after, "secrets.rotation-known").reason


@pytest.mark.parametrize(("word", "verdict"), [("no", Verdict.FAIL), ("unknown", Verdict.UNKNOWN), ("partly", Verdict.PARTIAL)])
def test_a_worse_answer_never_helps(tmp_path: Path, word: str, verdict: Verdict) -> None:
    good = answered(tmp_path, "Q4: {answer: yes, evidence: rehearsed}\n")
    worse = answered(tmp_path, f"Q4: {{answer: {word}, evidence: a list}}\n")
    assert outcome(worse, "secrets.rotation-known").verdict is verdict
    assert worse.production.risk > good.production.risk


def test_half_the_questions_of_an_item_prove_nothing(tmp_path: Path) -> None:
    report = answered(tmp_path, "Q1: {answer: yes, evidence: restored on 2026-01-05 in 40 minutes}\n")
    assert outcome(report, "data.backups-restorable").verdict is Verdict.UNKNOWN


def test_a_statement_settles_what_the_repository_leaves_open_and_nothing_else(tmp_path: Path) -> None:
    report = sample.REPORTS["rich"]()
    unknown = next(entry.id for entry in report.outcomes if entry.verdict is Verdict.UNKNOWN)
    failed = next(entry.id for entry in report.outcomes if entry.verdict is Verdict.FAIL)
    lines = "".join(f"  - {{item: {item}, answer: yes, evidence: gateway rule 12}}\n" for item in (unknown, failed))
    held = answered(tmp_path, f"outside:\n{lines}")
    assert outcome(held, unknown).verdict is Verdict.PASS
    assert failed not in {entry.id for entry in held.interview.outcomes}
    assert [entry.item for entry in held.interview.contradictions] == [failed]
    assert held.outcomes == report.outcomes


def test_a_library_is_not_asked_who_is_woken_at_night() -> None:
    report = sample.REPORTS["rich"]()
    library = dataclasses.replace(report, parts=tuple(dataclasses.replace(part, kinds=(Kind.LIBRARY,)) for part in report.parts))
    assert outcome(hold(report), "observability.alerting-owned").verdict is Verdict.UNKNOWN
    assert outcome(hold(library), "observability.alerting-owned").verdict is Verdict.NOT_APPLICABLE


def test_no_grade_gives_no_production_grade() -> None:
    report = hold(sample.REPORTS["no_grade"]())
    assert report.production is None
    assert report.interview.outcomes == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Q1: {answer: perhaps}", "line 3: 'perhaps' is no answer"),
        ("Q1: {answer: yes}", "needs evidence"),
        ("Q33: {answer: no}", "did you mean 'Q3'"),
        ("Q1: {answr: no}", "did you mean 'answer'"),
        ("Q1: no", "should hold answer"),
        ("Q1: {answer: no, date: yesterday}", "not a date"),
        ("outside: [{item: security.rate-limitd, answer: no}]", "did you mean security.rate-limited"),
        ("outside: [{item: security.rate-limited}]", "has no answer"),
        ("Q1: [", "not valid YAML"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read(write(tmp_path, text))


def test_an_answer_has_a_person_and_a_day(tmp_path: Path) -> None:
    path = tmp_path / "interview.yml"
    path.write_text("Q1: {answer: no}\n")
    with pytest.raises(UsageError, match="line 1: an answer needs `who`"):
        read(path)


def test_what_is_no_form(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read"):
        read(tmp_path / "missing.yml")
    (tmp_path / "binary.yml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="is not text"):
        read(tmp_path / "binary.yml")
