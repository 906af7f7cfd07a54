"""The open items as a risk register: CSV with a row for each, and empty columns for owner, date and decision."""

from __future__ import annotations

import csv
import io
from collections import defaultdict

from auditor.model.gate import State
from auditor.model.report import Report
from auditor.render import summary
from auditor.render.entries import Entry, entries
from auditor.render.json_report import canonical
from auditor.render.text import visible
from auditor.words import decimal

COLUMNS = (
    "item", "category", "severity", "verdict", "confidence", "risk", "why it matters", "remedy", "effort", "score gain", "findings", "new", "accepted",
    "first place", "owner", "due", "decision",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def to_register(report: Report) -> bytes:
    """The register as UTF-8 CSV (RFC 4180) with a byte-order mark, worst first."""
    stored = canonical(report)
    found: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in entries(stored):
        found[entry.outcome.id].append(entry)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for opened in summary.open_items(stored):
        own, item, outcome = found[opened.outcome.id], opened.item, opened.outcome
        first = next((entry.place for entry in sorted(own, key=lambda entry: not entry.counts) if entry.place), "")
        new = sum(entry.state is State.NEW for entry in own) if stored.gate else ""
        accepted = sum(bool(entry.accepted) for entry in own)
        severity = own[0].severity if own else outcome.severity
        row = [item.id, item.category, severity, outcome.verdict, outcome.confidence, outcome.reason, item.why, item.fix, item.effort]
        writer.writerow([_cell(cell) for cell in (*row, decimal(opened.gain), len(own), new, accepted, first, "", "", "")])
    return ("\ufeff" + text.getvalue()).encode("utf-8", "backslashreplace")


def _cell(value: object) -> str:
    """The cell as one line; what a spreadsheet would take for a formula is marked as text."""
    text = visible(str(value))
    return f"'{text}" if text.startswith(_FORMULA) else text
