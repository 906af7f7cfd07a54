"""The result as JUnit XML for build servers: a suite for each category, a case for each item.

What is unknown or does not apply is skipped with the reason. After a gate, only what closes it is a failure: accepted and old findings are passed cases that say so.
"""

from __future__ import annotations

from collections import defaultdict
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from auditor.model.gate import Gate, Standing
from auditor.model.report import Report
from auditor.model.verdict import Outcome, Verdict
from auditor.render import summary
from auditor.render.entries import Entry, entries
from auditor.render.json_report import canonical
from auditor.render.text import visible
from auditor.words import plural

_PLACES = 25
_OPEN = (Verdict.FAIL, Verdict.PARTIAL)


def to_junit(report: Report) -> bytes:
    """The report as UTF-8 XML, the same bytes for equal reports."""
    stored = canonical(report)
    found: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in entries(stored):
        found[entry.outcome.id].append(entry)
    suites = [_gate_suite(stored.gate)] if stored.gate else []
    for category in stored.categories:
        outcomes = [outcome for outcome in summary.in_order(stored.outcomes) if outcome.category == category.id]
        if outcomes:
            suites.append(_suite(category.title, [_case(outcome, found[outcome.id], stored) for outcome in outcomes]))
    root = Element("testsuites", name=_clean(f"auditor: {stored.scope.name}"))
    for key in ("tests", "failures", "errors"):
        root.set(key, str(sum(int(suite.get(key, "0")) for suite in suites)))
    root.extend(suites)
    indent(root, " ")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}\n'.encode()


def _suite(name: str, cases: list[Element]) -> Element:
    suite = Element("testsuite", name=_clean(name), tests=str(len(cases)))
    for key, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(key, str(sum(case.find(tag) is not None for case in cases)))
    suite.extend(cases)
    return suite


def _gate_suite(gate: Gate) -> Element:
    case = Element("testcase", name="gate", classname="auditor")
    if gate.standing is not Standing.PASSED:
        tag = "failure" if gate.standing is Standing.FAILED else "error"
        SubElement(case, tag, message=_clean(gate.sentence), type=gate.standing.value).text = _clean("\n".join(gate.reasons))
    else:
        SubElement(case, "system-out").text = _clean(gate.sentence)
    return _suite("Gate", [case])


def _case(outcome: Outcome, found: list[Entry], report: Report) -> Element:
    case = Element("testcase", name=outcome.id, classname=f"auditor.{outcome.category}")
    if outcome.verdict in {Verdict.UNKNOWN, Verdict.NOT_APPLICABLE}:
        SubElement(case, "skipped", message=_clean(f"{outcome.verdict.value.replace('_', ' ')}: {outcome.reason}"))
    elif outcome.verdict in _OPEN:
        bad = [entry for entry in found if (entry.counts if report.gate else not entry.accepted)]
        if bad:
            SubElement(case, "failure", message=_clean(outcome.reason), type=outcome.severity.value).text = _listed(bad)
        else:
            words = plural(len(found), "finding", "findings")
            SubElement(case, "system-out").text = _clean(f"{words} known before or accepted, none that counts:\n") + _listed(found)
    return case


def _listed(found: list[Entry]) -> str:
    lines = [
        f"{entry.place or 'the repository'}: {entry.message}{f' (accepted: {entry.accepted})' if entry.accepted else ''}"
        for entry in found[:_PLACES]
    ]
    more = [f"and {len(found) - _PLACES:,} more"] if len(found) > _PLACES else []
    return "\n".join(_clean(line) for line in (*lines, *more))


def _clean(text: str) -> str:
    """The text with everything XML forbids written out; line breaks stay."""
    return "\n".join(visible(line) for line in text.split("\n"))
