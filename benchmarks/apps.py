"""Scores the audit against small vulnerable applications by what these document about themselves (`apps.toml`); nothing of theirs is part of this repository."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from auditor import audit
from auditor.checks.registry import all_checks
from auditor.model.report import Report
from benchmarks.weaknesses import related

EXPECTED = Path(__file__).with_name("apps.toml")


@dataclass(frozen=True, slots=True)
class Weakness:
    """One documented weakness: where it stands, and the items that ought to tell it."""

    what: str
    cwe: int
    files: frozenset[str]
    items: frozenset[str]


def apps(checkouts: Path, advisories: Path | None = None) -> str:
    """Every application of the table whose checkout, named owner+name, is there."""
    rows, missed = ["| application | documented | found | found or named by an item that fails | |", "|---|---|---|---|---|"], []
    sums: dict[str, list[int]] = {}
    for entry in tomllib.loads(EXPECTED.read_text())["app"]:
        root = checkouts / entry["repository"].replace("/", "+")
        if not root.is_dir():
            continue
        weaknesses = [Weakness(w["what"], w["cwe"], frozenset(w["files"]), frozenset(w["items"])) for w in entry["weakness"]]
        report = audit(root, date="2026-01-01", use_cache=False, advisories=advisories, only=sorted(_checked(weaknesses)))
        told = [_told(report, weakness) for weakness in weaknesses]
        hit = [_found(report, weakness) for weakness in weaknesses]
        near = [found or named for found, named in zip(hit, told, strict=True)]
        rows.append(f"| {entry['repository']} | {len(weaknesses)} | {sum(hit)} | {sum(near)} | {entry['role']} |")
        total = sums.setdefault(entry["role"], [0, 0, 0])
        sums[entry["role"]] = [total[0] + len(weaknesses), total[1] + sum(hit), total[2] + sum(near)]
        missed += [f"- {entry['repository']}: {w.what} (CWE-{w.cwe})" for w, found in zip(weaknesses, hit, strict=True) if not found]
    rows += [f"| **{role}** | {n} | {hit} ({hit / n:.0%}) | {near} ({near / n:.0%}) | |" for role, (n, hit, near) in sorted(sums.items())]
    return "\n".join([*rows, "", "Not found:", *missed])


def _checked(weaknesses: Iterable[Weakness]) -> set[str]:
    """The items named by the table that this version judges."""
    return {item for weakness in weaknesses for item in weakness.items} & set(all_checks())


def _found(report: Report, weakness: Weakness) -> bool:
    """Whether a finding of one of the items stands in one of the files and names a related weakness."""
    return any(
        finding.path in weakness.files and finding.cwe in related(weakness.cwe)
        for outcome in report.outcomes
        if outcome.id in weakness.items
        for finding in outcome.findings
    )


def _told(report: Report, weakness: Weakness) -> bool:
    """Whether one of the items is not passed, with a related finding in any file."""
    return any(
        finding.cwe in related(weakness.cwe) for outcome in report.outcomes if outcome.id in weakness.items for finding in outcome.findings
    )
