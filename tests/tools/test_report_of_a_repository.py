"""The report of a whole repository, as a client gets it: every place is the right one, no secret is in it, it is small, and it is the same each time."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from auditor import audit
from auditor.model.report import Report
from auditor.model.verdict import Verdict
from auditor.render.html import to_html
from auditor.render.json_report import to_json
from auditor.render.sarif import to_sarif
from auditor.render.terminal import to_terminal
from auditor.render.view import Edition
from tests.render.reading import read
from tests.report_samples import lived
from tests.support.fakes import FAKES
from tests.support.repositories import FIXTURES, from_fixture, replay

pytestmark = pytest.mark.tools

APP = "bad-shop"
TYPICAL = 1_000_000


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An application full of gaps and dummy credentials, with a history."""
    made = from_fixture(FIXTURES / "apps" / APP, tmp_path_factory.mktemp("apps") / APP)
    replay(made, lived(made, guessing=True))
    return made


@pytest.fixture(scope="module")
def report(root: Path) -> Report:
    return audit(root, date="2026-03-01", use_cache=False)


def test_every_place_shows_the_right_line(report: Report, root: Path) -> None:
    checked = 0
    for outcome in report.outcomes:
        for finding in outcome.findings:
            if not finding.excerpt:
                continue
            lines = (root / finding.path).read_text().split("\n")
            assert finding.excerpt_start <= finding.line < finding.excerpt_start + len(finding.excerpt)
            for number, shown in enumerate(finding.excerpt, finding.excerpt_start):
                kept = shown.split("… (")[0]
                assert lines[number - 1].startswith(kept[:200]) or "…" in shown, (finding.path, number)
            checked += 1
    assert checked > 100


def test_every_fail_has_a_place_or_a_reason(report: Report) -> None:
    assert all(o.findings or o.reason for o in report.outcomes if o.verdict in (Verdict.FAIL, Verdict.PARTIAL))


def test_no_output_holds_a_secret(report: Report, root: Path) -> None:
    planted = [
        value
        for value in FAKES.values()
        if any(value in path.read_text() for path in root.rglob("*") if path.is_file() and ".git" not in path.parts)
    ]
    assert planted
    outputs = {
        "html": to_html(report),
        "short": to_html(report, Edition.EXECUTIVE),
        "json": to_json(report),
        "sarif": to_sarif(report),
        "terminal": to_terminal(report).encode(),
    }
    for name, data in outputs.items():
        text = data.decode()
        assert not [value[:6] for value in planted for line in value.split("\n") if len(line) > 12 and line in text], name


def test_it_is_small_and_every_section_is_filled(report: Report) -> None:
    html = to_html(report)
    page = read(html)
    assert len(html) < TYPICAL
    sections = [attributes["aria-labelledby"] for tag, attributes in page.tags if tag == "section"]
    assert sections == [
        "verdict",
        "executive",
        "account",
        "heat",
        "items",
        "architecture",
        "duplication",
        "history",
        "roadmap",
        "interview",
        "limits",
        "appendix",
    ]
    for table in (
        "questions",
        "matrix",
        "budget",
        "falls",
        "account",
        "heat",
        "boxes",
        "masses",
        "hotspots",
        "twins",
        "loops",
        "months",
        "roadmap",
        "all",
    ):
        assert len(page.tables[table]) > 1, table
    pictures = [attributes for tag, attributes in page.tags if tag == "svg" and attributes.get("role") == "img"]
    assert len(pictures) >= 18
    assert all(attributes.get("aria-label") or attributes.get("aria-labelledby") for attributes in pictures)


def test_people_and_subjects_stay_out(report: Report) -> None:
    for data in (to_html(report), to_json(report)):
        assert b"example.org" not in data
        assert b"fix login again" not in data


def test_the_same_repository_gives_the_same_bytes(report: Report, root: Path) -> None:
    again = audit(root, date="2026-03-01", use_cache=False)
    assert to_json(again) == to_json(report)
    assert to_html(again) == to_html(report)
    assert not re.search(rb"/tmp/|pytest-of", to_html(report))
