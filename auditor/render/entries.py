"""The open findings in the order of every output, each with what a gate said of it, and the filter by severity and category: one source, no second truth."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from auditor.model.gate import Judged, State
from auditor.model.report import Item, Report
from auditor.model.triage import Decision
from auditor.model.verdict import Finding, Outcome, Severity
from auditor.render import summary

_COPIES = "debt.no-duplication"
"""A gate looks at every copy; the item itself shows the largest families only."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One open finding; `finding` is None for an item that is open without a place.

    `severity` is the gate's where one was asked, else the item's. `state` is None without a gate; `counts`: it closes the gate. `accepted` says
    why it is not held against anybody ("" when it is): an exception a gate obeys, or a ruling. `in_source` whether that is written beside the code.
    """

    item: Item
    outcome: Outcome
    finding: Finding | None
    severity: Severity
    state: State | None = None
    counts: bool = False
    accepted: str = ""
    in_source: bool = False

    @property
    def place(self) -> str:
        """`path:line`, `path`, or "" where there is none."""
        if self.finding is None:
            return ""
        return f"{self.finding.path}:{self.finding.line}" if self.finding.path and self.finding.line else self.finding.path

    @property
    def message(self) -> str:
        """What is wrong, in a sentence."""
        return self.finding.message if self.finding else self.outcome.reason


def entries(report: Report) -> list[Entry]:
    """Every open finding, in the order of `summary.open_items`."""
    judged = {(one.item, one.fingerprint if one.path else ""): one for one in report.gate.findings} if report.gate else {}
    found = []
    for opened in summary.open_items(report):
        outcome = opened.outcome
        findings: tuple[Finding | None, ...] = outcome.findings or (None,)
        if report.gate is not None and outcome.id == _COPIES:
            findings = tuple(_copy(one) for one in report.gate.findings if one.item == _COPIES) or findings
        for finding in findings:
            plain = Entry(opened.item, outcome, finding, outcome.severity)
            key = (outcome.id, finding.fingerprint if finding and finding.path else "")
            entry = _judged(plain, judged.get(key), report) if report.gate else plain
            found.append(entry if entry.accepted else replace(entry, accepted=_ruled(entry, report)))
    return found


def _ruled(entry: Entry, report: Report) -> str:
    """What somebody ruled that takes a finding off the list: that it is none, or that they answer for it; "" without such a ruling."""
    rulings = report.triage.of(entry.outcome.id, entry.finding.fingerprint if entry.finding else "") if report.triage else ()
    for one in rulings:
        if one.decision in {Decision.FALSE_POSITIVE, Decision.ACCEPTED}:
            who = "".join(f", {word}" for word in (one.owner or one.by, f"until {one.until}" if one.until else "") if word)
            return f"{one.decision}: {one.reason}{who}"
    return ""


def _copy(one: Judged) -> Finding:
    return Finding(one.rule, one.path, one.message, one.line, one.line, cwe=1041, fingerprint=one.fingerprint)


def _judged(entry: Entry, one: Judged | None, report: Report) -> Entry:
    assert report.gate is not None
    if one is None:
        reason = dict(report.gate.off).get(entry.outcome.id, "its path is left out")
        return replace(entry, state=State.SUPPRESSED, accepted=f"off for the gate: {reason}")
    accepted, in_source = "", False
    if one.state is State.SUPPRESSED:
        declared = report.gate.suppressions[one.suppression].declared
        owner, until = f", {declared.owner}" if declared.owner else "", f", until {declared.until}" if declared.until else ""
        accepted, in_source = f"{declared.reason}{owner}{until}", bool(declared.line)
    return replace(entry, severity=one.severity, state=one.state, counts=one.counts, accepted=accepted, in_source=in_source)


def filtered(report: Report, severities: Collection[Severity], categories: Collection[str]) -> Report:
    """The report with the outcomes of these severities and categories (empty: all); the figures stay those of the whole audit."""
    if not severities and not categories:
        return report

    def wanted(item: str, severity: Severity) -> bool:
        return (not severities or severity in severities) and (not categories or item.partition(".")[0] in categories)

    words = [", ".join(one for one in Severity if one in severities), ", ".join(sorted(categories))]
    gate = report.gate and replace(report.gate, findings=tuple(one for one in report.gate.findings if wanted(one.item, one.severity)))
    shown = {one.item for one in gate.findings} if gate else frozenset()
    before = report.before and replace(
        report.before,
        items=tuple(one for one in report.before.items if wanted(one.item, one.severity)),
        changes=tuple(one for one in report.before.changes if wanted(one.item, one.severity)),
    )
    return replace(
        report,
        outcomes=tuple(outcome for outcome in report.outcomes if wanted(outcome.id, outcome.severity) or outcome.id in shown),
        gate=gate,
        before=before,
        shown=f"only {' in '.join(filter(None, words))}; {len(report.outcomes)} items were judged",
    )
