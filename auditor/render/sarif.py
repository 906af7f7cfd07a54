"""The findings as SARIF 2.1.0, for code-scanning services and editors.

Each finding has its own rule, finer than its item ("security.no-dynamic-execution/command-injection"); an open item without a place
is a result without location; an unknown item is a notification, never a result. Passes are not repeated here. After a gate, results carry their state
against the baseline, and what was accepted its justification.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from auditor.model.gate import State
from auditor.model.report import Item, Report
from auditor.model.verdict import Finding, Outcome, Severity, Verdict
from auditor.render import summary
from auditor.render.entries import Entry, entries
from auditor.render.json_report import canonical
from auditor.render.text import visible

RESULTS = 5_000
"""Results written; code-scanning services cut longer lists off, so the worst items come first and the rest is counted."""

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_SECURITY_SEVERITY = {Severity.BLOCKER: "9.0", Severity.HIGH: "7.5", Severity.MEDIUM: "5.0", Severity.LOW: "3.0"}
"""Lower border of critical, high, medium and a low figure, as code scanning reads `security-severity`."""
_SECURITY_CATEGORIES = frozenset({"security", "secrets", "deps"})
_SECURITY_ITEMS = frozenset(
    {"deploy.container-hardened", "deploy.ci-hardened", "data.privacy-lifecycle", "observability.no-sensitive-logs"}
)

Json = dict[str, Any]


def to_sarif(report: Report) -> bytes:
    """The report as indented UTF-8 SARIF, the same bytes for equal reports."""
    stored = canonical(report)
    items = summary.items_by_id(stored)
    rules: dict[str, Json] = {}
    results: list[Json] = []
    left_out = 0
    for entry in entries(stored):
        if len(results) >= RESULTS:
            left_out += 1
            continue
        rule = _rule(rules, entry.item, entry.outcome, entry.finding)
        results.append(_result(rule["id"], entry))
    index = {name: position for position, name in enumerate(rules)}
    for result in results:
        result["ruleIndex"] = index[result["ruleId"]]
    run = {
        "tool": {"driver": _driver(stored, list(rules.values()))},
        "automationDetails": {"id": "auditor/"},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"SRCROOT": {"description": {"text": "The root of the audited repository."}}},
        "invocations": [{"executionSuccessful": True, "toolExecutionNotifications": list(_notifications(stored, items))}],
        "results": results,
        "properties": _properties(stored, left_out),
    }
    return (json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, ensure_ascii=False, indent=1) + "\n").encode(
        "utf-8", "backslashreplace"
    )


def _driver(report: Report, rules: list[Json]) -> Json:
    return {"name": report.tool, "version": report.version, "rules": rules}


def _rule(rules: dict[str, Json], item: Item, outcome: Outcome, finding: Finding | None) -> Json:
    """The rule of a finding, made when it is first met."""
    name = f"{item.id}/{finding.rule}" if finding and finding.rule else item.id
    if name not in rules:
        rules[name] = _descriptor(name, item, outcome, finding)
    elif finding and finding.cwe:
        _tag(rules[name], f"external/cwe/cwe-{finding.cwe:03d}")
    return rules[name]


def _descriptor(name: str, item: Item, outcome: Outcome, finding: Finding | None) -> Json:
    known = item.rule(finding.rule) if finding else None
    cwe = finding.cwe if finding else 0
    security = item.category in _SECURITY_CATEGORIES or item.id in _SECURITY_ITEMS
    tags = [*(["security"] if security else []), item.category, *([f"external/cwe/cwe-{cwe:03d}"] if cwe else [])]
    properties: Json = {
        "tags": list(dict.fromkeys(tags)),
        "precision": "high" if outcome.confidence.value == "high" else outcome.confidence.value,
        "problem.severity": {"error": "error", "warning": "warning", "note": "recommendation"}[_level(outcome)],
        "item": item.id,
        "severity": item.severity.value,
    }
    if security:
        properties["security-severity"] = _SECURITY_SEVERITY[item.severity]
    described = {
        "id": name,
        "shortDescription": {"text": known.says if known else item.failing_title or item.claim},
        "fullDescription": {"text": item.claim},
        "defaultConfiguration": {"level": _level(outcome)},
        "help": {"text": _help(item, ""), "markdown": _help(item, "**")},
        "properties": properties,
    }
    return described | ({"helpUri": f"https://cwe.mitre.org/data/definitions/{cwe}.html"} if cwe else {})


def _tag(rule: Json, tag: str) -> None:
    tags = rule["properties"]["tags"]
    if tag not in tags:
        tags.append(tag)


def _help(item: Item, bold: str) -> str:
    parts = (("Why it matters", item.why), ("How to fix", item.fix), ("Done when", item.done_when), ("What it cannot see", item.cannot_see))
    lines = [f"{bold}{title}:{bold} {text}" for title, text in parts if text]
    return "\n\n".join([*lines, *([f"{bold}References:{bold} {item.references}"] if item.references else [])])


def _level(outcome: Outcome) -> str:
    if outcome.severity is Severity.LOW:
        return "note"
    return "error" if outcome.verdict is Verdict.FAIL and outcome.severity in {Severity.BLOCKER, Severity.HIGH} else "warning"


def _result(rule: str, entry: Entry) -> Json:
    finding = entry.finding
    result: Json = {"ruleId": rule, "level": _level(entry.outcome), "message": {"text": visible(entry.message)}, "locations": []}
    if finding is not None:
        result["locations"] = [{"physicalLocation": _location(finding)}] if finding.path else []
        result["partialFingerprints"] = _fingerprints(finding)
        result["properties"] = {"confidence": finding.confidence.value, "detector": finding.detector}
        if finding.cwe:
            result["properties"]["tags"] = [f"external/cwe/cwe-{finding.cwe:03d}"]
    if entry.state is not None:
        result["baselineState"] = "new" if entry.state is State.NEW else "unchanged"
        result.setdefault("properties", {})["failsGate"] = entry.counts
    if entry.accepted:
        kind = "inSource" if entry.in_source else "external"
        result["suppressions"] = [{"kind": kind, "status": "accepted", "justification": visible(entry.accepted)}]
    return result


def _fingerprints(finding: Finding) -> Json:
    """Our fingerprint, and the one code scanning matches alerts by: the same code and its number among equal ones."""
    base, _, number = finding.fingerprint.partition("-")
    return {"auditorFinding/v2": finding.fingerprint, "primaryLocationLineHash": f"{base}:{number or 1}"}


def _location(finding: Finding) -> Json:
    location: Json = {"artifactLocation": {"uri": quote(finding.path.encode("utf-8", "backslashreplace")), "uriBaseId": "SRCROOT"}}
    if finding.line:
        location["region"] = {"startLine": finding.line, "endLine": max(finding.line, finding.end_line)}
    return location


def _notifications(report: Report, items: dict[str, Item]) -> Iterator[Json]:
    """What could not be decided: said, so that no result is not taken for no problem."""
    for outcome in report.outcomes:
        if outcome.verdict is Verdict.UNKNOWN:
            text = f"{outcome.id} could not be decided: {visible(outcome.reason)}"
            item = summary.item_of(items, outcome)
            yield {"descriptor": {"id": item.id}, "level": "warning", "message": {"text": text}}


def _properties(report: Report, left_out: int) -> Json:
    score = report.score
    return {
        "score": score.value,
        "letter": score.letter,
        "productionScore": report.production.value if report.production else None,
        "productionLetter": report.production.letter if report.production else None,
        "assurance": score.assurance,
        "scoreModel": score.model,
        "rules": report.rules,
        "date": report.date,
        "commit": report.scope.commit,
        "resultsLeftOut": left_out,
        **({"gate": report.gate.standing.value, "gateSentence": visible(report.gate.sentence)} if report.gate else {}),
        **({"shown": report.shown} if report.shown else {}),
    }
