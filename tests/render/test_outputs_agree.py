"""One source, no second truth: the figures are the same in the HTML report, the JSON report, SARIF and the terminal."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from auditor.model.verdict import Verdict
from auditor.render.html import VERDICT_WORDS
from auditor.render.json_report import to_json
from auditor.render.sarif import RESULTS, to_sarif
from auditor.render.summary import production
from auditor.render.terminal import to_line, to_terminal
from auditor.words import decimal
from tests.render.reading import page_of
from tests.render.sample import REPORTS

named = pytest.mark.parametrize("name", sorted(REPORTS))


@named
def test_grade_and_score(name: str) -> None:
    report = REPORTS[name]()
    stored, page, text = json.loads(to_json(report))["score"], page_of(name), to_terminal(report)
    if stored["value"] is None:
        assert "No grade" in page.text
        assert "no grade" in text
        return
    figure = decimal(stored["value"])
    assert f"Grade {stored['letter']}, {figure} of 100" in text
    assert f"{figure} of 100" in page.text
    assert any(f"score {figure} of 100, grade {stored['letter']}" in (a.get("aria-label") or "") for _, a in page.tags)
    if stored["optimistic_value"] != stored["value"]:
        assert f"{stored['optimistic_letter']}, {decimal(stored['optimistic_value'])}" in text
        assert f"{stored['optimistic_letter']}, {decimal(stored['optimistic_value'])}" in page.text


@named
def test_the_production_grade(name: str) -> None:
    report = REPORTS[name]()
    words = production(report)
    page, text = page_of(name), " ".join(to_terminal(report).split())
    assert bool(words) == (report.production is not None)
    if words:
        assert f"{report.production.letter}, {decimal(report.production.value)} of 100" in words
        assert words in " ".join(page.text.split())
        assert words in text


@named
def test_verdicts_and_their_counts(name: str) -> None:
    report = REPORTS[name]()
    stored = Counter(entry["verdict"] for entry in json.loads(to_json(report))["outcomes"])
    rows = page_of(name).tables["all"][1:]
    shown = Counter(row[2] for row in rows)
    line = to_line(report)
    for verdict in Verdict:
        assert shown[VERDICT_WORDS[verdict]] == stored[verdict.value]
        assert f"{stored[verdict.value]} {verdict.value.replace('_', ' ')}" in line


@named
def test_category_scores(name: str) -> None:
    report = REPORTS[name]()
    stored = {entry["id"]: entry["value"] for entry in json.loads(to_json(report))["score"]["categories"]}
    rows = page_of(name).tables["questions"][1:]
    text = to_terminal(report)
    for category, row in zip(report.categories, rows, strict=True):
        value = stored.get(category.id)
        figure = "–" if value is None else decimal(value)
        assert row[-1] == figure
        if value is not None:
            assert figure in text


@named
def test_the_sentence(name: str) -> None:
    report = REPORTS[name]()
    first = {
        "ready": "Ready for production.",
        "ready with conditions": "Ready for production with conditions.",
        "not ready": "Not ready for production.",
        "cannot be judged": "Production readiness cannot be judged.",
    }[json.loads(to_json(report))["score"]["sentence"]]
    assert first in page_of(name).text
    assert first in to_terminal(report)


@named
def test_open_items(name: str) -> None:
    report = REPORTS[name]()
    stored = {entry["id"] for entry in json.loads(to_json(report))["outcomes"] if entry["verdict"] in ("fail", "partial")}
    results = json.loads(to_sarif(report))["runs"][0]["results"]
    page = page_of(name)
    named_in_sarif = {result["ruleId"].split("/")[0] for result in results}
    assert named_in_sarif == stored if len(results) < RESULTS else named_in_sarif < stored
    assert {a["id"] for tag, a in page.tags if tag == "details" and a.get("data-verdict") in ("fail", "partial")} == {
        f"item-{i}" for i in stored
    }
