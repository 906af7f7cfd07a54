"""The set of migrations in `fixtures/migrations` and how answers to it are counted."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.migrations.cases import Case, Expected, load
from benchmarks.migrations.scoring import Counts, score

SET = Path(__file__).parents[1] / "fixtures" / "migrations"


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
