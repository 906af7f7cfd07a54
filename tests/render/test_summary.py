"""The words every output shares: sentence, order, counts, effort, causes."""

from __future__ import annotations

import dataclasses

import pytest

from auditor.model.report import Item
from auditor.model.verdict import Severity, Verdict
from auditor.render import summary
from tests.render.sample import REPORTS, all_pass, build, no_grade, outcome, rich, undecided


def test_the_headline_counts_what_fails_by_weight() -> None:
    assert summary.headline(rich()) == "Not ready for production. 2 blockers, 4 serious gaps, 2 smaller gaps, 8 partly met and 2 undecided."
    assert summary.headline(all_pass()) == "Ready for production. Every judged item holds."
    assert summary.headline(undecided()).startswith("Production readiness cannot be judged. ")
    assert "No grade: more than half" in summary.headline(no_grade())


@pytest.mark.parametrize("name", sorted(REPORTS))
def test_counts_cover_every_outcome_once(name: str) -> None:
    report = REPORTS[name]()
    counts = summary.verdict_counts(report.outcomes)
    assert sum(counts.values()) == len(report.outcomes)
    assert next(iter(counts)) is Verdict.FAIL
    assert sum(summary.severity_counts(report.outcomes).values()) == counts[Verdict.FAIL] + counts[Verdict.PARTIAL]


def test_open_items_come_by_severity_then_verdict_then_cost() -> None:
    entries = summary.open_items(rich())
    keys = [(list(Severity).index(e.outcome.severity), e.outcome.verdict is not Verdict.FAIL, -e.risk) for e in entries]
    assert keys == sorted(keys)
    assert {e.outcome.id for e in entries} == {o.id for o in rich().outcomes if o.verdict in summary.OPEN}


def test_worst_first_is_the_same_whatever_the_order_they_come_in() -> None:
    forwards = summary.in_order(rich().outcomes)
    assert summary.in_order(reversed(rich().outcomes)) == forwards
    assert forwards[0].verdict is Verdict.FAIL
    assert forwards[-1].verdict is Verdict.NOT_APPLICABLE


def test_equal_causes_of_not_knowing_are_told_once() -> None:
    groups = summary.unknown_groups(undecided())
    assert len(groups) == 1
    assert len(groups[0].ids) == sum(o.verdict is Verdict.UNKNOWN for o in undecided().outcomes)
    assert list(groups[0].ids) == sorted(groups[0].ids)


def _items(*efforts: str) -> list[Item]:
    bare = Item("a.b", "a", "claim", Severity.LOW, "", "auto", "", "", "", "", judged=True)
    return [dataclasses.replace(bare, effort=effort) for effort in efforts]


@pytest.mark.parametrize(
    ("efforts", "words"),
    [
        ("", "under half a day"),
        ("S", "under half a day"),
        ("SS", "half a day to 1 day"),
        ("M", "half a day to 3 days"),
        ("MM", "1 to 6 days"),
        ("L", "at least 3 days"),
        ("SSLL", "at least 7 days"),
    ],
)
def test_effort_is_a_range_and_never_rounded_down(efforts: str, words: str) -> None:
    assert summary.days(summary.effort(_items(*efforts))) == words


def test_a_place_is_named_with_its_line_where_it_has_one() -> None:
    found = next(o for o in rich().outcomes if o.id == "security.sql-parameterised")
    assert summary.place_of(found) == "backend/api/invoices.py:41"
    assert summary.place_of(dataclasses.replace(found, findings=())) == ""
    whole = dataclasses.replace(found.findings[0], line=0)
    assert summary.place_of(dataclasses.replace(found, findings=(whole,))) == "backend/api/invoices.py"


def test_kinds_and_revision_in_a_few_words() -> None:
    assert summary.kinds_of(rich()) == "frontend, service (fastapi, react, vite)"
    assert summary.kinds_of(dataclasses.replace(rich(), parts=())) == "unknown kind"
    assert summary.revision(rich()) == "3f2a91c"
    loose = dataclasses.replace(rich(), scope=dataclasses.replace(rich().scope, commit=""))
    assert summary.revision(loose) == "no git, digest 9c1185a"


def test_an_item_the_report_does_not_hold_still_has_a_name() -> None:
    one = outcome("ops.runbook", Verdict.FAIL, 1.0, "None.")
    assert summary.open_items(dataclasses.replace(build([one]), items=()))[0].item.claim == "ops.runbook"


def test_the_next_step_says_what_it_takes_and_what_it_reaches() -> None:
    assert summary.next_step(rich()) == "stop the bleeding: 2 items to put right (half a day to 1 day); then C, 68.4"
    assert summary.next_step(undecided()) == "stop the bleeding: 4 items to find out; then C, 69.3"
    assert summary.next_step(all_pass()) == ""
    low = outcome("architecture.no-import-cycles", Verdict.FAIL, 1.0, "One.")
    assert summary.next_step(build([low])) == "make it changeable: 1 item to put right (half a day to 3 days); then A, 100"
