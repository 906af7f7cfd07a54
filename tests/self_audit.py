"""The audit of this very repository, which must keep the gate it asks of others: `python -m tests.self_audit`.

Nothing failing that is a blocker or high, and the letter at least B. What cannot be known here (advisory data on a machine without network) may stay
unknown; the letter charges it like a failure all the same.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from auditor import audit
from auditor.model.report import Report
from auditor.model.verdict import Severity, Verdict
from auditor.render.terminal import to_terminal

ROOT = Path(__file__).parents[1]
LEAST = "B"
SERIOUS = (Severity.BLOCKER, Severity.HIGH)
ACCEPTED = {
    (
        "secrets.history-clean",
        "tests/evidence/test_secrets.py",
    ): "an early version of these tests spelled out a made-up password, which never opened anything",
    (
        "data.migrations-versioned",
        "auditor/tools/advisory_store.py",
    ): "the store is written anew by each update and refused in another format; there is nothing to carry over",
    (
        "data.lists-bounded",
        "auditor/tools/advisory_store.py",
    ): "an update carries the whole of an ecosystem over from the old file to the new one; nobody's use makes it grow",
}
"""Findings that are right and need nothing, by item and path, with the reason."""


def complaints(report: Report) -> list[str]:
    """Why the gate stays closed; empty when it opens."""
    found = [
        f"{outcome.id} fails: {outcome.reason} ({finding.path}:{finding.line} {finding.message})"
        for outcome in report.outcomes
        if outcome.verdict is Verdict.FAIL and outcome.severity in SERIOUS
        for finding in outcome.findings[:3]
        if (outcome.id, finding.path) not in ACCEPTED
    ]
    if report.score.letter is None or report.score.letter > LEAST:
        found.append(f"the letter is {report.score.letter}, at least {LEAST} is asked for: {report.score.cap or report.score.no_grade}")
        charged = [f"  {line.id}: {line.risk:.1f} points" for line in report.score.account[:12]]
        found.extend(charged)
    crashed = [outcome.id for outcome in report.outcomes if "crashed" in outcome.reason]
    return found + [f"the check {item} crashed" for item in crashed]


def main() -> int:
    """Audit, print, judge; 0 when the gate opens."""
    with tempfile.TemporaryDirectory() as cache:
        directory = Path(os.environ.get("AUDITOR_CACHE") or cache)
        report = audit(ROOT, cache_dir=directory)
    sys.stdout.write(to_terminal(report, colour=False, saved=()))
    found = complaints(report)
    for complaint in found:
        sys.stderr.write(f"self-audit: {complaint}\n")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
