"""Our reader of schema changes is held to the set of migrations in `fixtures/migrations`; and how answers to it are counted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.migrations.cases import Case, Expected, load
from benchmarks.migrations.scoring import Counts, score

SET = Path(__file__).parents[1] / "fixtures" / "migrations"


@pytest.fixture(scope="module")
def answers():
    """What the reader says of each case: texts by path in, the values of the command's JSON out."""
    from auditor.migrations import classify_migration

    told = []
    for case in load([SET]):
        files = {path.relative_to(case.root).as_posix(): path.read_text() for path in sorted(case.root.rglob("*")) if path.is_file()}
        files.pop("expected.json")
        answer = classify_migration(files)
        entries = {entry.path: {"unsafe": entry.unsafe, "reversible": entry.reversible, "reason": entry.reason} for entry in answer.files}
        told.append((case, entries, frozenset(problem.kind for problem in answer.problems)))
    return told


def test_the_reader_holds_to_the_set(answers):
    result = score(answers)
    told = "\n".join(result.complaints)
    assert result.unsafe.f1 >= 0.95, told
    assert result.kinds.f1 >= 0.90, told
    assert result.right_ways_back / result.ways_back >= 0.95, told
    assert result.problems.f1 >= 0.90, told
    assert result.broken_named == result.broken, told


def test_the_set_is_large_mixed_and_whole():
    cases = load([SET])
    files = [expected for case in cases for expected in case.files]
    assert len(files) >= 130
    assert 0.4 < sum(not expected.unsafe for expected in files) / len(files) < 0.6
    assert len({expected.framework for expected in files}) == 12
    for case in cases:
        assert case.why
        for expected in case.files:
            assert (case.root / expected.path).is_file(), f"{case.name}: {expected.path}"
            assert not expected.unsafe & expected.tolerated, case.name


def test_every_expectation_says_all_it_has_to():
    for place in SET.rglob("expected.json"):
        told = json.loads(place.read_text())
        assert told["files"] or told["problems"], place
        assert set(told) <= {"why", "database", "files", "problems", "tolerated_problems"}, place


def _case(unsafe: str = "", tolerated: str = "", reversible: bool | str | None = True) -> Case:
    expected = Expected("a.sql", "sql", frozenset(unsafe.split()), frozenset(tolerated.split()), reversible, broken=False)
    return Case(SET, "sql/a", "", "postgresql", (expected,), frozenset(), frozenset())


def test_a_tolerated_kind_is_neither_right_nor_wrong():
    result = score([(_case(tolerated="drop_not_null"), {"a.sql": {"unsafe": ["drop_not_null"], "reversible": True}}, frozenset())])
    assert (result.unsafe.hit, result.unsafe.wrong, result.kinds.wrong) == (0, 0, 0)
    assert result.complaints == []


def test_a_file_that_is_not_answered_is_missed():
    result = score([(_case(unsafe="drop_table"), {}, frozenset())])
    assert (result.unsafe.missed, result.kinds.missed, result.right_ways_back) == (1, 1, 0)


def test_true_is_not_the_word_partial():
    result = score([(_case(reversible="partial"), {"a.sql": {"unsafe": [], "reversible": True}}, frozenset())])
    assert result.right_ways_back == 0


def test_f1_of_nothing_to_find_is_one():
    assert Counts().f1 == 1.0
