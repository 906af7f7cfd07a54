"""The summary in a terminal: 40 lines of 80 columns, colour only where wanted, nothing hostile passes."""

from __future__ import annotations

import re
import unicodedata

import pytest

from auditor import command_line
from auditor.model.verdict import Severity, Verdict
from auditor.render.terminal import COLUMNS, LINES, to_line, to_terminal
from auditor.render.text import cut, cut_path, pad, visible, width, wrap
from tests.render.sample import HOSTILE_TEXTS, REPORTS, rich

COLOUR = re.compile(r"\x1b\[\d+m")
named = pytest.mark.parametrize("name", sorted(REPORTS))


@named
@pytest.mark.parametrize("colour", [False, True])
def test_it_fits_forty_lines_of_eighty_columns(name: str, *, colour: bool) -> None:
    text = to_terminal(REPORTS[name](), colour=colour, saved=("audits/" + "very-long-name-" * 9 + ".html", "b.json"))
    lines = COLOUR.sub("", text).splitlines()
    assert len(lines) <= LINES
    assert not [line for line in lines if width(line) > COLUMNS]


@named
def test_colour_adds_nothing_but_colour(name: str) -> None:
    plain, coloured = (to_terminal(REPORTS[name](), colour=colour) for colour in (False, True))
    assert "\x1b" not in plain
    assert COLOUR.sub("", coloured) == plain


@named
def test_no_control_character_of_the_repository_reaches_the_terminal(name: str) -> None:
    text = to_terminal(REPORTS[name]()) + to_line(REPORTS[name]())
    assert not [c for c in text if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")]


def test_the_worst_comes_first_in_words() -> None:
    lines = to_terminal(rich(), saved=("audit.html",)).splitlines()
    assert "Not ready for production." in lines[3]
    assert "Grade D, 51.8 of 100 (D, 56.6 if what is unknown is good); assurance 94 %" in lines
    first = next(line for line in lines if line.startswith("BLOCKER"))
    assert first.split()[1] == "fails"
    assert [line.split()[0] for line in lines if line[:8].strip() in ("BLOCKER", "HIGH", "MEDIUM")][:2] == ["BLOCKER", "BLOCKER"]
    assert lines[-1] == "Full report: audit.html"


def test_every_category_is_there() -> None:
    text = to_terminal(rich())
    for category in rich().categories:
        assert category.title[:25] in text


def test_one_line_holds_verdict_grade_and_counts() -> None:
    assert to_line(rich()).endswith("8 fail, 8 partial, 2 unknown, 13 pass, 1 not applicable\n")
    assert to_line(rich()).count("\n") == 1
    for name in REPORTS:
        assert to_line(REPORTS[name]()).count("\n") == 1


def test_what_is_left_out_is_said() -> None:
    text = to_terminal(rich())
    open_items = sum(o.verdict in (Verdict.FAIL, Verdict.PARTIAL) for o in rich().outcomes)
    shown = sum(line[:8].strip().lower() in set(Severity) for line in text.splitlines())
    assert f"{shown} of {open_items} open items shown" in text


@pytest.mark.parametrize(
    ("environment", "terminal", "wanted"),
    [
        ({}, True, True),
        ({"NO_COLOR": "1"}, True, False),
        ({"TERM": "dumb"}, True, False),
        ({}, False, False),
        ({"NO_COLOR": ""}, True, True),
    ],
)
def test_colour_follows_the_terminal_and_no_color(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], *, terminal: bool, wanted: bool
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for key, value in environment.items():
        monkeypatch.setenv(key, value)
    monkeypatch.setattr("sys.stdout.isatty", lambda: terminal, raising=False)
    assert command_line.wants_colour() is wanted


@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_cutting_keeps_the_width(text: str) -> None:
    shown = visible(text)
    for columns in (1, 5, 20, 79):
        assert width(cut(shown, columns)) <= columns
        assert width(cut_path(shown, columns)) <= columns
        assert width(pad(shown, columns)) == columns
        assert all(width(line) <= columns for line in wrap(shown, columns, 3))
