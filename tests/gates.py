"""Hand-made reports for the tests of the gate: outcomes with findings, scored as an audit would."""

from __future__ import annotations

import dataclasses

from auditor.catalogue import catalogue
from auditor.model.report import Report
from auditor.model.settings import Suppression
from auditor.model.verdict import Confidence, Finding, Outcome, Verdict
from auditor.score import score
from tests.render.sample import REPORTS

SQL, DEBUG, KEYS, OWNERSHIP = "security.sql-parameterised", "security.debug-off", "secrets.none-committed", "security.object-ownership"


def finding(path: str, line: int, print_: str = "", rule: str = "sql-injection") -> Finding:
    return Finding(
        rule,
        path,
        f"Something is wrong in {path}.",
        line,
        line,
        fingerprint=(print_ or f"{path}{line}".replace(" ", "_")).ljust(20, "0")[:20],
    )


def outcome(item: str, *findings: Finding, verdict: Verdict = Verdict.FAIL) -> Outcome:
    known = catalogue().item(item)
    bad = 1.0 if verdict is Verdict.FAIL else 0.3 if verdict is Verdict.PARTIAL else 0.0
    ceiling = 1.0 if verdict is Verdict.UNKNOWN else bad
    return Outcome(item, known.category, known.severity, verdict, bad, ceiling, Confidence.HIGH, "Because.", findings, (), (), 9, 9, bad, 1)


def report(*outcomes: Outcome, date: str = "2026-06-01", suppressions: tuple[Suppression, ...] = ()) -> Report:
    """A report of exactly these outcomes, every other item passing."""
    given = {one.id: one for one in outcomes}
    others = [outcome(item.id, verdict=Verdict.PASS) for item in catalogue().items if item.judged and item.id not in given]
    every = (*outcomes, *others)
    base = REPORTS["all_pass"]()
    return dataclasses.replace(base, outcomes=every, score=score(every), date=date, suppressions=suppressions, clones=None, graph=None)
