"""SARIF holds exactly the open findings of the report, each with a rule, a place and a stable fingerprint, in the shape code scanning reads."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import jsonschema
import pytest

from auditor.model.report import Report, Rule
from auditor.model.verdict import Verdict
from auditor.render.sarif import RESULTS, to_sarif
from tests.render import sample

OPEN = (Verdict.FAIL, Verdict.PARTIAL)
TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}}
RULE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["id", "shortDescription", "fullDescription", "help", "defaultConfiguration", "properties"],
    "properties": {
        "id": {"type": "string", "minLength": 1},
        "shortDescription": TEXT,
        "fullDescription": TEXT,
        "defaultConfiguration": {"properties": {"level": {"enum": ["none", "note", "warning", "error"]}}},
        "help": {"required": ["text", "markdown"]},
        "helpUri": {"type": "string", "pattern": r"^https://cwe\.mitre\.org/data/definitions/\d+\.html$"},
        "properties": {
            "required": ["tags", "precision", "problem.severity"],
            "properties": {"tags": {"type": "array", "uniqueItems": True}},
        },
    },
}
LOCATION = {
    "type": "object",
    "required": ["physicalLocation"],
    "properties": {
        "physicalLocation": {
            "required": ["artifactLocation"],
            "properties": {
                "artifactLocation": {"required": ["uri", "uriBaseId"], "properties": {"uri": {"type": "string", "pattern": r"^[^\s<>]+$"}}},
                "region": {"properties": {"startLine": {"type": "integer", "minimum": 1}, "endLine": {"type": "integer", "minimum": 1}}},
            },
        }
    },
}
RESULT = {
    "type": "object",
    "additionalProperties": False,
    "required": ["ruleId", "ruleIndex", "level", "message", "locations"],
    "properties": {
        "ruleId": {"type": "string"},
        "ruleIndex": {"type": "integer", "minimum": 0},
        "level": {"enum": ["note", "warning", "error"]},
        "message": TEXT,
        "locations": {"type": "array", "items": LOCATION, "maxItems": 1},
        "partialFingerprints": {"type": "object", "additionalProperties": {"type": "string", "minLength": 1}},
        "baselineState": {"enum": ["new", "unchanged"]},
        "suppressions": {
            "type": "array",
            "items": {
                "additionalProperties": False,
                "required": ["kind", "status", "justification"],
                "properties": {
                    "kind": {"enum": ["inSource", "external"]},
                    "status": {"const": "accepted"},
                    "justification": {"minLength": 1},
                },
            },
        },
        "properties": {"type": "object"},
    },
}
LOG = {
    "type": "object",
    "additionalProperties": False,
    "required": ["$schema", "version", "runs"],
    "properties": {
        "$schema": {"type": "string", "format": "uri"},
        "version": {"const": "2.1.0"},
        "runs": {
            "minItems": 1,
            "maxItems": 1,
            "items": {
                "required": ["tool", "results"],
                "properties": {
                    "tool": {"properties": {"driver": {"required": ["name", "version"], "properties": {"rules": {"items": RULE}}}}},
                    "results": {"type": "array", "items": RESULT},
                },
            },
        },
    },
}
"""The part of the SARIF 2.1.0 schema that this output uses, closed where a misspelt name would otherwise go unnoticed."""


def run_of(report: Report) -> dict[str, Any]:
    return json.loads(to_sarif(report))["runs"][0]


@pytest.mark.parametrize("name", sorted(sample.REPORTS))
def test_every_sample_has_the_shape_of_sarif(name: str) -> None:
    jsonschema.validate(json.loads(to_sarif(sample.REPORTS[name]())), LOG)


def test_one_result_for_each_open_finding_and_each_open_item_without_one() -> None:
    report = sample.REPORTS["rich"]()
    expected = sum(max(1, len(outcome.findings)) for outcome in report.outcomes if outcome.verdict in OPEN)
    assert len(run_of(report)["results"]) == expected


def test_results_point_at_their_rules() -> None:
    run = run_of(sample.REPORTS["rich"]())
    rules = run["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in run["results"])


def test_a_weakness_is_tagged_on_result_and_rule() -> None:
    run = run_of(sample.REPORTS["rich"]())
    tagged = [result for result in run["results"] if "external/cwe/cwe-089" in result.get("properties", {}).get("tags", [])]
    assert tagged
    for result in tagged:
        properties = run["tool"]["driver"]["rules"][result["ruleIndex"]]["properties"]
        assert "external/cwe/cwe-089" in properties["tags"]
        assert "security" in properties["tags"]
        assert float(properties["security-severity"]) >= 7.0


def test_an_unknown_item_is_a_notification_and_never_a_result() -> None:
    report = sample.REPORTS["rich"]()
    unknown = {outcome.id for outcome in report.outcomes if outcome.verdict is Verdict.UNKNOWN}
    run = run_of(report)
    assert {note["descriptor"]["id"] for note in run["invocations"][0]["toolExecutionNotifications"]} == unknown
    assert unknown
    assert not any(result["ruleId"].split("/")[0] in unknown for result in run["results"])


def test_long_lists_are_cut_and_the_rest_is_counted() -> None:
    report = sample.REPORTS["rich"]()
    index, outcome = next((i, o) for i, o in enumerate(report.outcomes) if o.findings and o.verdict in OPEN)
    many = dataclasses.replace(outcome, findings=outcome.findings[:1] * (RESULTS + 7))
    run = run_of(dataclasses.replace(report, outcomes=(*report.outcomes[:index], many, *report.outcomes[index + 1 :])))
    assert len(run["results"]) == RESULTS
    assert run["properties"]["resultsLeftOut"] >= 7


def test_file_names_cannot_break_the_address() -> None:
    run = run_of(sample.REPORTS["hostile"]())
    for result in run["results"]:
        for location in result["locations"]:
            assert not set(location["physicalLocation"]["artifactLocation"]["uri"]) & set(' <>"\n')


def test_what_is_missing_everywhere_has_no_place() -> None:
    report = sample.REPORTS["rich"]()
    index, outcome = next((i, o) for i, o in enumerate(report.outcomes) if o.findings and o.verdict in OPEN)
    missing = dataclasses.replace(outcome, findings=(dataclasses.replace(outcome.findings[0], path="", line=0, end_line=0, rule="absent"),))
    run = run_of(dataclasses.replace(report, outcomes=(*report.outcomes[:index], missing, *report.outcomes[index + 1 :])))
    assert [result["locations"] for result in run["results"] if result["ruleId"].endswith("/absent")] == [[]]


def test_a_rule_carries_its_own_words() -> None:
    report = sample.REPORTS["rich"]()
    index, outcome = next((i, o) for i, o in enumerate(report.outcomes) if o.findings and o.verdict in OPEN)
    place = outcome.findings[0]
    item = next(item for item in report.items if item.id == outcome.id)
    words = dataclasses.replace(item, rules=(Rule("known", (89,), "What the rule says"),))
    shown = dataclasses.replace(outcome, findings=tuple(dataclasses.replace(place, rule=rule) for rule in ("known", "new")))
    run = run_of(
        dataclasses.replace(
            report,
            items=tuple(words if entry is item else entry for entry in report.items),
            outcomes=(*report.outcomes[:index], shown, *report.outcomes[index + 1 :]),
        )
    )
    said = {rule["id"]: rule["shortDescription"]["text"] for rule in run["tool"]["driver"]["rules"]}
    assert said[f"{item.id}/known"] == "What the rule says"
    assert said[f"{item.id}/new"] == item.failing_title
