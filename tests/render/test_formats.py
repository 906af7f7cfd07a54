"""The outputs for pipelines: each well-formed, of the shape its reader wants, and with the figures of all others."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import os
import re
from collections import Counter
from functools import cache
from pathlib import Path
from xml.etree import ElementTree as ET

import jsonschema
import pytest

from auditor.baseline import of_report
from auditor.fingerprints import identified
from auditor.gate import Comparison, judge
from auditor.model.gate import State
from auditor.model.report import Report
from auditor.model.settings import POLICIES, Profile, Settings, Suppression
from auditor.model.theme import Theme
from auditor.model.triage import Decision, Ruling, Triage
from auditor.model.verdict import Severity, Verdict
from auditor.render.badge import to_badge
from auditor.render.entries import entries, filtered
from auditor.render.github import MOST, to_annotations
from auditor.render.gitlab import to_gitlab
from auditor.render.html import to_html
from auditor.render.json_report import from_json, to_json
from auditor.render.junit import to_junit
from auditor.render.markdown import LINES, MARK, escaped, to_comment, to_summary
from auditor.render.register import COLUMNS, to_register
from auditor.render.sarif import RESULTS, to_sarif
from auditor.render.terminal import to_terminal
from tests.render import sample

OPEN = (Verdict.FAIL, Verdict.PARTIAL)
SCHEMAS = Path(os.environ.get("AUDITOR_SCHEMAS", "no such folder"))
"""Folder with the published schemas (sarif-schema-2.1.0.json, junit-10.xsd), which are not part of this repository."""
published = pytest.mark.skipif(not SCHEMAS.is_dir(), reason="AUDITOR_SCHEMAS names no folder with the published schemas")


@cache
def gated() -> Report:
    """The rich sample after a gate: old, new and accepted findings, one item off."""
    rich = sample.REPORTS["rich"]()
    rich = dataclasses.replace(rich, outcomes=tuple(identified(rich.outcomes, {}, 500)))
    spoken = next(
        outcome for outcome in rich.outcomes if outcome.severity is Severity.HIGH and outcome.findings and outcome.verdict in OPEN
    )
    first = spoken.findings[0]
    rich = dataclasses.replace(
        rich,
        suppressions=(
            Suppression(spoken.id, "", first.path, first.line, "known | <b>", "ann", "2099-01-01", f"{first.path}:{first.line}"),
        ),
    )
    old = dataclasses.replace(
        rich, outcomes=tuple(o if o.severity is not Severity.BLOCKER else dataclasses.replace(o, findings=()) for o in rich.outcomes)
    )
    settings = Settings(policy=POLICIES[Profile.STANDARD], off=(("observability.error-reporting", "the platform"),))
    return dataclasses.replace(rich, gate=judge(rich, settings, Comparison(of_report(old), "the baseline")))


REPORTS = sample.REPORTS | {"gated": gated}
named = pytest.mark.parametrize("name", sorted(REPORTS))


def test_the_gated_sample_has_everything() -> None:
    states = Counter(entry.state for entry in entries(gated()))
    assert all(states[state] for state in State)
    assert gated().gate is not None
    assert gated().gate.counting


@named
def test_equal_reports_give_equal_bytes_from_a_stored_report_too(name: str) -> None:
    report = REPORTS[name]()
    stored = from_json(to_json(report))
    for render in (to_junit, to_gitlab, to_comment, to_summary, to_register, to_badge, to_sarif, to_annotations):
        assert render(report) == render(stored)


@named
def test_open_findings_are_the_same_everywhere(name: str) -> None:
    report = REPORTS[name]()
    found = entries(from_json(to_json(report)))
    shown = [entry for entry in found if not entry.accepted]
    assert len(json.loads(to_gitlab(report))) == len(shown)
    results = json.loads(to_sarif(report))["runs"][0]["results"]
    assert len(results) == min(RESULTS, len(found))
    assert sum("suppressions" in result for result in results) == sum(bool(entry.accepted) for entry in found[:RESULTS])
    rows = list(csv.reader(io.StringIO(to_register(report).decode("utf-8-sig"))))[1:]
    assert [row[0] for row in rows] == list(dict.fromkeys(entry.item.id for entry in found))
    assert sum(int(row[COLUMNS.index("findings")]) for row in rows) == len(found)
    lines = to_annotations(report).splitlines()
    counts = Counter(line.split(" ")[0] for line in lines)
    left = re.search(r"::([\d,]+) more", to_annotations(report))
    told = [entry for entry in shown if entry.state is not State.UNCHANGED]
    assert sum(counts.values()) + (int(left[1].replace(",", "")) - 1 if left else 0) == len(told)
    assert all(count <= MOST + 1 for count in counts.values())
    cases = [case for case in ET.fromstring(to_junit(report)).iter("testcase") if case.get("name") != "gate"]
    assert len(cases) == len(report.outcomes)


@named
def test_junit_counts_what_it_holds(name: str) -> None:
    report = REPORTS[name]()
    root = ET.fromstring(to_junit(report))
    for suite in root:
        assert int(suite.get("tests")) == len(suite.findall("testcase"))
        assert int(suite.get("failures")) == len(suite.findall("testcase/failure"))
        assert int(suite.get("skipped")) == len(suite.findall("testcase/skipped"))
    assert int(root.get("failures")) == len(root.findall(".//failure"))
    by_verdict = Counter(outcome.verdict for outcome in report.outcomes)
    assert len(root.findall(".//skipped")) == by_verdict[Verdict.UNKNOWN] + by_verdict[Verdict.NOT_APPLICABLE]
    if report.gate is None:
        held = {entry.item.id for entry in entries(report) if not entry.accepted}
        assert len(root.findall(".//failure")) == len(held) <= by_verdict[Verdict.FAIL] + by_verdict[Verdict.PARTIAL]
    else:
        assert len(root.findall(".//failure")) == 1 + len({one.item for one in report.gate.counting})


@named
@published
def test_junit_follows_the_schema_of_jenkins(name: str) -> None:
    xmlschema = pytest.importorskip("xmlschema")
    xmlschema.XMLSchema10(str(SCHEMAS / "junit-10.xsd")).validate(to_junit(REPORTS[name]()).decode())


@named
@published
def test_sarif_follows_the_schema_of_oasis(name: str) -> None:
    schema = json.loads((SCHEMAS / "sarif-schema-2.1.0.json").read_text())
    jsonschema.validators.validator_for(schema)(schema).validate(json.loads(to_sarif(REPORTS[name]())))


CODE_QUALITY = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "description": {"type": "string", "minLength": 1},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "fingerprint": {"type": "string", "pattern": "^[0-9a-f]{40}$"},
            "location": {
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "pattern": "^[^/]"},
                    "lines": {"properties": {"begin": {"type": "integer", "minimum": 1}}, "required": ["begin"]},
                },
            },
        },
    },
}
"""What GitLab documents of its Code Quality report."""


@pytest.mark.parametrize("name", sorted({*REPORTS} - {"hostile"}))
def test_code_quality_has_the_documented_shape_and_unique_fingerprints(name: str) -> None:
    found = json.loads(to_gitlab(REPORTS[name]()))
    jsonschema.validate(found, CODE_QUALITY)
    assert len({one["fingerprint"] for one in found}) == len(found)


@named
def test_a_comment_is_short_and_begins_with_its_mark(name: str) -> None:
    lines = to_comment(REPORTS[name]()).decode().splitlines()
    assert len(lines) <= LINES
    assert lines[0] == MARK
    assert lines[-1].startswith("<sub>auditor ")


@named
def test_no_word_of_the_repository_is_mark_up(name: str) -> None:
    text = to_summary(REPORTS[name]()).decode()
    allowed = {"<!-- auditor -->", "<details>", "</details>", "<summary>", "</summary>", "<sub>", "</sub>"}
    outside = re.sub(r"``? ?.*? ?``?", "", text)
    assert set(re.findall(r"<[^>\n]*>", outside)) <= allowed
    assert "](" not in outside
    assert "://" not in outside


def test_what_github_would_act_on_is_escaped() -> None:
    assert escaped("@team see #12 <img src=x> [a](https://x.y) `c` | d") == (
        "&#64;team see \\#12 &lt;img src=x&gt; \\[a\\]\\(https:&#47;&#47;x.y\\) \\`c\\` \\| d"
    )


def test_annotations_cannot_carry_a_second_command() -> None:
    report = sample.REPORTS["hostile"]()
    for line in to_annotations(report).splitlines():
        assert re.match(r"^::(error|warning|notice) [^\n]*::", line)
        head = line.split("::")[1]
        assert head.count("file=") <= 1


def test_a_register_holds_no_formula() -> None:
    for row in csv.reader(io.StringIO(to_register(sample.REPORTS["hostile"]()).decode("utf-8-sig"))):
        assert not any(cell.startswith(("=", "+", "-", "@")) for cell in row)
        assert len(row) == len(COLUMNS)


@named
def test_a_badge_names_its_grade_date_and_commit(name: str) -> None:
    report = REPORTS[name]()
    root = ET.fromstring(to_badge(report))
    label = root.get("aria-label")
    assert label.startswith("auditor code grade: ")
    assert report.date in label
    assert (f"{report.score.letter} " if report.score.letter else "no grade") in label
    assert b"href" not in to_badge(report)


def test_states_and_exceptions_reach_sarif() -> None:
    results = json.loads(to_sarif(gated()))["runs"][0]["results"]
    assert {result["baselineState"] for result in results} == {"new", "unchanged"}
    (accepted,) = [r for r in results if "suppressions" in r and r["suppressions"][0]["kind"] == "inSource"]
    assert accepted["suppressions"][0] == {"kind": "inSource", "status": "accepted", "justification": "known | <b>, ann, until 2099-01-01"}
    assert any(r["suppressions"][0]["kind"] == "external" for r in results if "suppressions" in r)
    prints = [(r["ruleId"], r["partialFingerprints"]["primaryLocationLineHash"]) for r in results if "partialFingerprints" in r]
    assert len(set(prints)) == len(prints)


@pytest.mark.parametrize("name", ["rich", "gated", "no_grade"])
@pytest.mark.parametrize(
    "filters", [({Severity.BLOCKER}, ()), ((), {"security", "secrets"}), ({Severity.HIGH}, {"tests"}), ({Severity.LOW}, {"deps"})]
)
def test_a_filter_holds_for_every_output_and_leaves_the_figures(name: str, filters: tuple) -> None:
    report = REPORTS[name]()
    part = filtered(report, *filters)
    severities, categories = filters
    assert all((not severities or o.severity in severities) and (not categories or o.category in categories) for o in part.outcomes)
    assert part.score == report.score
    assert from_json(to_json(part)).shown.startswith("only ")
    for render in (to_junit, to_gitlab, to_comment, to_summary, to_register, to_badge, to_sarif, to_annotations, to_terminal, to_html):
        render(part)
    for entry in entries(part):
        assert not categories or entry.item.category in categories


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_page_lists_exceptions_and_what_became_of_them(language: str) -> None:
    page = to_html(gated(), theme=Theme(language=language)).decode()
    section = page[page.index('id="exceptions"') :]
    assert {"en": "<td>obeyed", "de": "<td>befolgt"}[language] in section
    assert "known | &lt;b&gt;" in section
    plain = dataclasses.replace(gated(), gate=None)
    assert {"en": "not obeyed", "de": "nicht befolgt"}[language] in to_html(plain, theme=Theme(language=language)).decode()
    assert 'id="exceptions"' not in to_html(sample.REPORTS["all_pass"]()).decode()


def test_what_people_ruled_out_is_accepted_in_every_list() -> None:
    rich = dataclasses.replace(sample.REPORTS["rich"](), triage=None)
    outcome = next(one for one in rich.outcomes if one.verdict in OPEN and len(one.findings) == 1)
    ruling = Ruling(Decision.FALSE_POSITIVE, outcome.id, outcome.findings[0].fingerprint, reason="a test account", by="ann")
    ruled = dataclasses.replace(rich, triage=Triage((ruling,)))
    assert [entry.accepted for entry in entries(ruled) if entry.outcome.id == outcome.id] == ["false positive: a test account, ann"]
    assert len(json.loads(to_gitlab(ruled))) == len(json.loads(to_gitlab(rich))) - 1
    (result,) = [one for one in json.loads(to_sarif(ruled))["runs"][0]["results"] if "suppressions" in one]
    assert result["suppressions"][0]["justification"] == "false positive: a test account, ann"
    failing = {case.get("name") for case in ET.fromstring(to_junit(ruled)).iter("testcase") if case.find("failure") is not None}
    assert outcome.id not in failing
    assert ruled.score == rich.score
