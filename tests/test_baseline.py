"""The baseline file: small, sorted, merged line by line, pruned, and honest about what it cannot be used for."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.baseline import Baseline, foreign, of_report, other_rules, parse, pruned, read, to_text
from auditor.errors import UsageError
from auditor.matching import Known
from auditor.model.verdict import Verdict
from tests.gates import KEYS, OWNERSHIP, SQL, finding, outcome, report

FULL = report(outcome(SQL, finding("a.py", 3), finding("b b.py", 7)), outcome(OWNERSHIP, verdict=Verdict.UNKNOWN))


def text_of(baseline: Baseline) -> str:
    return to_text(baseline)


def test_it_is_read_back_as_it_was_written() -> None:
    made = of_report(FULL)
    assert dataclasses.replace(parse(to_text(made).encode(), "b.txt"), source="") == made
    assert (made.letter, made.unknown) == ("D", {OWNERSHIP})


@given(
    st.lists(
        st.builds(
            Known, st.just(SQL), st.sampled_from(["", "rule"]), st.text(max_size=30), st.text("0123456789abcdef", min_size=1, max_size=20)
        )
    )
)
def test_any_path_is_read_back(findings: list[Known]) -> None:
    made = dataclasses.replace(of_report(FULL), findings=tuple(sorted(set(findings))))
    try:
        data = to_text(made).encode()
    except UnicodeEncodeError:
        return
    assert parse(data, "b.txt").findings == made.findings


def test_lines_are_sorted_and_hold_no_code() -> None:
    lines = [line for line in to_text(of_report(FULL)).splitlines() if line.startswith(SQL)]
    assert lines == sorted(lines)
    assert all(line.split(" ", 3)[3] in {"a.py", "b b.py"} for line in lines)
    assert "Something is wrong" not in to_text(of_report(FULL))


def test_two_branches_merge_by_keeping_the_lines_of_both() -> None:
    one = report(outcome(SQL, finding("a.py", 3), finding("b.py", 7)))
    two = report(outcome(SQL, finding("a.py", 3)), outcome(KEYS, finding("c.py", 1, rule="api-key")))
    ours, theirs = to_text(of_report(one)).splitlines(), to_text(of_report(two)).splitlines()
    merged = parse("\n".join([*ours, *theirs]).encode(), "b.txt")
    assert {known.path for known in merged.findings} == {"a.py", "b.py", "c.py"}
    assert merged.value == min(one.score.value, two.score.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no baseline of auditor"),
        ("{}", "no baseline of auditor"),
        ("format 2\n<<<<<<< ours\n", "line 2: a merge was not finished"),
        ("format 2\nwhat is this\n", "line 2"),
        ("format 2\ngrade B\n", "is no grade"),
        ('format 2\nsecurity.debug-off r f "broken\n', "is no path"),
    ],
)
def test_what_is_no_baseline_is_one_line(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        parse(text.encode(), "b.txt")


def test_a_missing_file_says_how_to_write_one(tmp_path) -> None:
    with pytest.raises(UsageError, match="auditor baseline"):
        read(tmp_path / "missing.txt")


def test_pruning_drops_what_is_gone_and_takes_nothing_in() -> None:
    old = of_report(report(outcome(SQL, finding("a.py", 3), finding("b.py", 7))))
    now = report(outcome(SQL, finding("moved/a.py", 9, "a.py3"), finding("c.py", 1)))
    result = pruned(old, now)
    assert (result.kept, result.gone, result.left_out) == (1, 1, 1)
    assert [known.path for known in result.baseline.findings] == ["moved/a.py"]


def test_pruning_keeps_a_better_grade_and_never_a_worse_one() -> None:
    bad, good = FULL, report()
    assert pruned(of_report(bad), good).baseline.letter == "A"
    assert pruned(of_report(good), bad).baseline.letter == "A"


def test_items_that_were_not_judged_stay() -> None:
    old = of_report(report(outcome(SQL, finding("a.py", 3)), outcome(KEYS, finding("c.py", 1, rule="api-key"))))
    now = report(outcome(SQL, finding("a.py", 3)))
    part = dataclasses.replace(now, outcomes=now.outcomes[:1])
    assert {known.item for known in pruned(old, part).baseline.findings} == {SQL, KEYS}


def test_it_says_what_it_cannot_be_compared_with() -> None:
    made = dataclasses.replace(of_report(FULL), source="b.txt")
    assert foreign(made, FULL) == other_rules(made, FULL) == ""
    assert "score model 1" in foreign(dataclasses.replace(made, model="1"), FULL)
    assert "format 1" in foreign(dataclasses.replace(made, format=1), FULL)
    assert "auditor 9.9" in other_rules(dataclasses.replace(made, version="9.9"), FULL)
