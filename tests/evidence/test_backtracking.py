"""Regular expressions that a crafted text keeps busy, told from those that only look like them."""

from __future__ import annotations

import re
import time

import pytest

from auditor.evidence.flow.backtracking import is_exponential

COUNTLESS = [
    (r"^(a+)+$", "a", "!"),
    (r"([0-9]+)+#", "7", "!"),
    (r"(a*)*b", "a", "!"),
    (r"^(\d+,?)+$", "1", "!"),
    (r"^(a|aa)+$", "a", "!"),
    (r"^(\s*\w+\s*)*;$", "a", "!"),
    (r"(x+x+)+y", "x", "!"),
    (r"^([a-z]{2,4})+$", "a", "!"),
    (r"^(?:[a-z.]+|\w)*@", "a", "!"),
    (r"^(?P<name>(\.[\w.-]+)+)\(", ".a", "!"),
]
ONE_WAY = [
    r"^[a-z]+$",
    r"(a+)+",  # whatever follows, the first try succeeds
    r"(a+)+[\s\S]*",
    r"^(\w+\s)*\w+$",
    r"^(?:[a-z0-9]+-)*[a-z0-9]+$",
    r"^(a{1,3}b)+$",
    r'"(?:[^"\\]|\\.)*"',
    r"^([^,]+,)*[^,]+$",
    r"^((\d{1,3})\.){3}\d+$",
    r"^(https?://)?([\w-]+\.)+[a-z]{2,}(/[^\s]*)?$",
    r"^[a-z0-9]+[._]?[a-z0-9]+@\w+[.]\w{2,3}$",
    r"^\s+|\s+$",  # slow on a long text, but not exponential
]
UNDECIDED = [r"^(a+)\1+$", r"^(?:(?=a)a+)+$", r"((a+", r"^(?:\ba+)+$", "(a+)+$" * 400]


@pytest.mark.parametrize(("pattern", "pump", "end"), COUNTLESS)
def test_a_pattern_of_countless_ways_is_found_and_does_keep_the_engine_busy(pattern: str, pump: str, end: str) -> None:
    assert is_exponential(pattern)
    expression = re.compile(pattern)

    def seconds(length: int) -> float:
        started = time.process_time()
        expression.search(pump * length + end)
        return time.process_time() - started

    length = next(length for length in range(8, 60) if seconds(length) > 0.001)
    assert seconds(length + 4) > 2 * seconds(length)


@pytest.mark.parametrize("pattern", ONE_WAY)
def test_a_pattern_of_one_way_is_not(pattern: str) -> None:
    assert not is_exponential(pattern)


@pytest.mark.parametrize("pattern", UNDECIDED)
def test_what_is_not_covered_is_not_claimed(pattern: str) -> None:
    assert not is_exponential(pattern)


def test_words_of_javascript_are_ascii() -> None:
    assert is_exponential(r"^#(?:[\w-]|[^\x00-\xa0])*$")
    assert not is_exponential(r"^#(?:[\w-]|[^\x00-\xa0])*$", ascii_words=True)


def test_a_full_match_can_fail_where_a_search_cannot() -> None:
    assert not is_exponential(r"(a+)+")
    assert is_exponential(r"(a+)+", whole=True)
