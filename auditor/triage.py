"""Reads what people ruled about findings (`triage.toml`), and lays it beside them. Verdicts and grade stay what they are.

A ruling finds its finding by fingerprint, so it survives moved lines and renamed files; where the code itself was edited it is stale, because nobody
has looked at the new code.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from auditor.catalogue import catalogue
from auditor.errors import UsageError
from auditor.fingerprints import base_of
from auditor.matching import Known, match
from auditor.model.report import Report
from auditor.model.triage import Decision, Ruling, Standing, Triage
from auditor.model.verdict import Verdict
from auditor.toml_files import Table, read_toml

_WORDS = ("decision", "reason", "note", "owner", "until", "by", "date")
_FINDING = ("fingerprint", "item", "path", *_WORDS)
_ITEM = ("id", *_WORDS)
_OPEN = (Verdict.FAIL, Verdict.PARTIAL)


def read(path: Path) -> tuple[Ruling, ...]:
    """The rulings of a file: `[[finding]]` tables name a fingerprint, `[[item]]` tables an item of the checklist.

    Raises:
        UsageError: it cannot be read, or something in it is wrong; the message names the table and, where there is one, the nearest right word.
    """
    root = read_toml(path)
    root.only(("finding", "item"))
    found = [*(_of_finding(table) for table in root.tables("finding")), *(_of_item(table) for table in root.tables("item"))]
    twice = [key for key, count in Counter((one.item, one.fingerprint) for one in found).items() if count > 1]
    if twice:
        root.wrong(f"two rulings on {twice[0][1] or twice[0][0]}: keep one")
    return tuple(found)


def apply(report: Report, rulings: Sequence[Ruling]) -> Report:
    """The report with the rulings laid beside its findings; nothing else in it changes."""
    findings = [Known(outcome.id, one.rule, one.path, one.fingerprint) for outcome in report.outcomes for one in outcome.findings]
    lies_at = {one.fingerprint: one.path for one in findings}
    asked = [Known(one.item, "", one.path or lies_at.get(one.fingerprint, ""), one.fingerprint) for one in rulings]
    partner = {
        ruling: findings[finding]
        for ruling, finding in match(asked, findings).pairs
        if base_of(asked[ruling].fingerprint) == base_of(findings[finding].fingerprint)
    }
    placed = [_placed(one, partner.get(number), findings, report) for number, one in enumerate(rulings)]
    triage = Triage(tuple(placed))
    return dataclasses.replace(report, triage=dataclasses.replace(triage, counts=_counts(triage, report)))


def _of_finding(table: Table) -> Ruling:
    table.only(_FINDING)
    fingerprint = table.line("fingerprint")
    if not fingerprint:
        table.wrong("fingerprint is missing; the page and the JSON report show it at each finding")
    item = table.line("item")
    if not item:
        table.wrong("item is missing: the id of the item the finding belongs to")
    return _ruling(table, item, fingerprint)


def _of_item(table: Table) -> Ruling:
    table.only(_ITEM)
    return _ruling(table, table.line("id"), "")


def _ruling(table: Table, item: str, fingerprint: str) -> Ruling:
    try:
        known = catalogue().item(item).id
    except UsageError as error:
        table.wrong(str(error))
    ruling = Ruling(
        decision=table.choice("decision", Decision),
        item=known,
        fingerprint=fingerprint,
        path=table.line("path"),
        reason=table.line("reason"),
        note=table.line("note"),
        owner=table.line("owner"),
        until=table.day("until"),
        by=table.line("by"),
        date=table.day("date"),
    )
    needed = {
        Decision.CONFIRMED: (),
        Decision.FALSE_POSITIVE: ("reason",),
        Decision.ACCEPTED: ("reason", "owner", "until"),
        Decision.NOTE: ("note",),
    }[ruling.decision]
    for name in needed:
        if not getattr(ruling, name):
            table.wrong(f"{ruling.decision.value!r} needs {name}")
    return ruling


def _placed(ruling: Ruling, found: Known | None, findings: Sequence[Known], report: Report) -> Ruling:
    """The ruling with its standing in this report, and with the fingerprint its finding has now."""
    if ruling.until and ruling.until < report.date:
        standing = Standing.EXPIRED
    elif ruling.fingerprint:
        standing = Standing.APPLIES if found else Standing.STALE
    else:
        standing = Standing.APPLIES if any(outcome.id == ruling.item for outcome in report.outcomes) else Standing.STALE
    if found:
        return dataclasses.replace(ruling, fingerprint=found.fingerprint, standing=standing)
    return dataclasses.replace(ruling, standing=standing, hint=_hint(ruling, findings, report) if standing is Standing.STALE else "")


def _hint(ruling: Ruling, findings: Sequence[Known], report: Report) -> str:
    if not ruling.fingerprint:
        return "the item was not judged"
    owner = next((one.item for one in findings if one.fingerprint == ruling.fingerprint), "")
    if owner:
        return f"that fingerprint belongs to {owner}"
    near = difflib.get_close_matches(ruling.fingerprint, [one.fingerprint for one in findings], n=1, cutoff=0.9)
    if near:
        return f"did you mean {near[0]}?"
    there = [outcome for outcome in report.outcomes if outcome.id == ruling.item]
    if there and ruling.path and any(finding.path == ruling.path for finding in there[0].findings):
        return "there are findings of the item in that file, on other or edited code: look again"
    return "no finding has this fingerprint: it is gone, or its code was edited"


def _counts(triage: Triage, report: Report) -> tuple[tuple[Decision, int], ...]:
    """Findings of open items that each decision covers; an open item without a place counts as one."""
    covered: Counter[Decision] = Counter()
    for outcome in report.outcomes:
        if outcome.verdict in _OPEN:
            for fingerprint in [one.fingerprint for one in outcome.findings] or [""]:
                covered.update({one.decision for one in triage.of(outcome.id, fingerprint)})
    return tuple((decision, covered[decision]) for decision in Decision if covered[decision])


def complaints(rulings: Iterable[Ruling]) -> Iterable[str]:
    """One line for each ruling that does not count here."""
    for one in rulings:
        what = one.fingerprint or one.item
        if one.standing is Standing.EXPIRED:
            yield f"triage: {what} ({one.decision.value}): ended on {one.until}, no longer counted"
        elif one.standing is Standing.STALE:
            yield f"triage: {what} ({one.item}, {one.decision.value}): {one.hint}"
