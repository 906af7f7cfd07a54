"""A comment for a pull request, of at most 30 lines, and the summary of a pipeline's step: the same with a table of the categories."""

from __future__ import annotations

import re
from collections import Counter

from auditor.model.gate import Gate, State
from auditor.model.report import Report
from auditor.model.verdict import Severity, Verdict
from auditor.render import summary
from auditor.render.entries import Entry, entries
from auditor.render.json_report import canonical
from auditor.render.text import cut, visible
from auditor.words import decimal, listed, percent, plural

LINES = 30
MARK = "<!-- auditor -->"
"""First line of every comment, by which the next run finds and replaces it."""
_FINDINGS = 7
_FIXES = 2
_LONGEST = 220
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~&$])")


def to_comment(report: Report) -> bytes:
    """The comment as UTF-8 Markdown; everything of the repository's own words is escaped."""
    return ("\n".join(_comment(canonical(report))) + "\n").encode("utf-8", "backslashreplace")


def to_summary(report: Report) -> bytes:
    """The comment and the categories, for a step's summary."""
    stored = canonical(report)
    scores = {score.id: score for score in stored.score.categories}
    lines = [*_comment(stored), "", "| Category | Score | Pass | Partial | Fail | Unknown |", "|---|---:|---:|---:|---:|---:|"]
    for category in stored.categories:
        score = scores.get(category.id)
        if score is not None:
            value = "–" if score.value is None else decimal(score.value)
            lines.append(f"| {escaped(category.title)} | {value} | {score.passed} | {score.partial} | {score.failed} | {score.unknown} |")
    return ("\n".join(lines) + "\n").encode("utf-8", "backslashreplace")


def escaped(text: str) -> str:
    """The text as Markdown that shows exactly it: no mark-up, no mention, no reference, no link."""
    plain = _SPECIAL.sub(r"\\\1", cut(visible(text), _LONGEST))
    return (
        plain.replace("\\<", "&lt;")
        .replace("\\>", "&gt;")
        .replace("\\&", "&amp;")
        .replace("@", "&#64;")
        .replace("://", ":&#47;&#47;")
        .replace("www.", "www&#46;")
    )


def code(text: str) -> str:
    """The text as a code span."""
    shown = cut(visible(text), _LONGEST).replace("|", "\\|")
    fence = "``" if "`" in shown else "`"
    return f"{fence} {shown} {fence}" if "`" in shown else f"{fence}{shown}{fence}"


def _comment(report: Report) -> list[str]:
    found = entries(report)
    gate = report.gate
    new = [entry for entry in found if (entry.counts if gate else not entry.accepted)]
    lines = [MARK, f"**{escaped(gate.answer if gate else summary.headline(report))}**", "", *_table(report, found), ""]
    shown = new[:_FINDINGS]
    lines += [_line(entry) for entry in shown]
    if len(new) > len(shown):
        lines.append(f"- and {len(new) - len(shown):,} more")
    if shown:
        lines += ["", *_fixes(shown)]
    return [*lines, *_rest(report, found), f"<sub>{escaped(_source(report))}</sub>"][:LINES]


def _table(report: Report, found: list[Entry]) -> list[str]:
    """New, fixed and still open by severity; without a gate only what is open."""
    if report.gate is None:
        counts = Counter(entry.severity for entry in found if not entry.accepted)
        cells = " | ".join(str(counts[severity]) for severity in Severity)
        return [f"| | {' | '.join(severity.value for severity in Severity)} |", "|---|---:|---:|---:|---:|", f"| open findings | {cells} |"]
    states = Counter((entry.severity, entry.state) for entry in found)
    fixed = _fixed(report.gate, report)
    rows = [
        f"| {severity} | {states[severity, State.NEW]} | {fixed[severity]} | {states[severity, State.UNCHANGED]} |" for severity in Severity
    ]
    return ["| | new | fixed | still open |", "|---|---:|---:|---:|", *rows]


def _fixed(gate: Gate, report: Report) -> Counter[Severity]:
    items, weights = summary.items_by_id(report), dict(gate.weights)
    return Counter(weights.get(one.item, items[one.item].severity) for one in gate.fixed if one.item in items)


def _line(entry: Entry) -> str:
    place = f"{code(entry.place)} " if entry.place else ""
    return f"- **{entry.severity}** {place}{escaped(entry.message)} ({escaped(entry.item.id)})"


def _fixes(shown: list[Entry]) -> list[str]:
    """How to put the first items right, folded."""
    items = list({entry.item.id: entry.item for entry in shown}.values())
    steps = [f"- {escaped(item.id)}: {escaped(item.fix)}" for item in items[:_FIXES] if item.fix]
    return ["<details><summary>How to fix</summary>", "", *steps, "", "</details>", ""] if steps else []


def _grade(report: Report) -> str:
    score, gate = report.score, report.gate
    if score.value is None or score.letter is None:
        return f"No grade: {escaped(score.no_grade)}."
    now = f"{score.letter}, {decimal(score.value)} of 100"
    before = (
        f"{gate.letter_before}, {decimal(gate.score_before)} → " if gate and gate.letter_before and gate.score_before is not None else ""
    )
    return f"Code grade {before}{now}; assurance {percent(score.assurance)}."


def _rest(report: Report, found: list[Entry]) -> list[str]:
    """The grade and what was not counted; what could not be decided, and whether only a part is shown."""
    first, second = [_grade(report)], []
    if report.gate is not None:
        old, accepted = (sum(entry.state is state for entry in found) for state in (State.UNCHANGED, State.SUPPRESSED))
        if old or accepted:
            first.append(f"Not counted: {plural(old, 'finding')} known before, {accepted:,} accepted.")
    unknown = [outcome.id for outcome in report.outcomes if outcome.verdict is Verdict.UNKNOWN]
    if unknown:
        second.append(f"Could not be decided: {escaped(listed(unknown))}.")
    if report.shown:
        second.append(f"Shown: {escaped(report.shown)}.")
    return [" ".join(first), *([" ".join(second)] if second else [])]


def _source(report: Report) -> str:
    gate = report.gate
    setting = f", profile {gate.profile}, against {gate.against}" if gate else ""
    return f"auditor {report.version}, {report.scope.name} at {summary.revision(report)}, {report.date}{setting}"
