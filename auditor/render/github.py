"""The open findings as workflow commands, which GitHub shows beside the lines of a pull request; after a gate only what is new."""

from __future__ import annotations

from collections import Counter

from auditor.model.gate import State
from auditor.model.report import Report
from auditor.model.verdict import Severity, Verdict
from auditor.render.entries import Entry, entries
from auditor.render.json_report import canonical
from auditor.render.text import visible

MOST = 10
"""Annotations of one level that GitHub shows of one step."""


def to_annotations(report: Report) -> str:
    """One workflow command a line, what closes a gate first; further ones of a level are counted in a notice."""
    stored = canonical(report)
    found = [entry for entry in entries(stored) if not entry.accepted and entry.state is not State.UNCHANGED]
    lines, written = [], Counter[str]()
    for entry in sorted(found, key=lambda entry: not entry.counts):
        level = _level(entry)
        written[level] += 1
        if written[level] <= MOST:
            lines.append(_command(level, entry))
    left = sum(max(0, count - MOST) for count in written.values())
    if left:
        lines.append(f"::notice title=auditor::{left:,} more findings stand in the report")
    return "".join(f"{line}\n" for line in lines)


def _level(entry: Entry) -> str:
    if entry.state is not None:
        return "error" if entry.counts else "warning"
    serious = entry.severity in {Severity.BLOCKER, Severity.HIGH}
    return "error" if serious and entry.outcome.verdict is Verdict.FAIL else "notice" if entry.severity is Severity.LOW else "warning"


def _command(level: str, entry: Entry) -> str:
    finding = entry.finding
    properties = {"title": f"{entry.severity}: {entry.item.id}"}
    if finding is not None and finding.path:
        properties = {"file": finding.path} | ({"line": str(finding.line)} if finding.line else {}) | properties
    given = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{level} {given}::{_data(entry.message)}"


def _data(text: str) -> str:
    return visible(text).replace("%", "%25")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
