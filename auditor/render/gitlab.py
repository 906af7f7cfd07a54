"""The open findings as GitLab's Code Quality report, which a merge request compares with that of its target branch."""

from __future__ import annotations

import hashlib
import json

from auditor.model.report import Report
from auditor.model.verdict import Severity
from auditor.render.entries import entries
from auditor.render.json_report import canonical
from auditor.render.text import visible

_SEVERITY = {Severity.BLOCKER: "blocker", Severity.HIGH: "critical", Severity.MEDIUM: "major", Severity.LOW: "minor"}
_NOWHERE = "."
"""The path of what concerns the whole repository; GitLab wants one."""


def to_gitlab(report: Report) -> bytes:
    """The report as indented UTF-8 JSON; what is accepted is left out."""
    found = []
    for entry in entries(canonical(report)):
        if entry.accepted:
            continue
        rule, fingerprint = (entry.finding.rule, entry.finding.fingerprint) if entry.finding else ("", "")
        name = f"{entry.item.id}/{rule}" if rule else entry.item.id
        line = max(1, entry.finding.line) if entry.finding else 1
        found.append(
            {
                "description": visible(entry.message),
                "check_name": name,
                "fingerprint": hashlib.sha256(f"{name}\x00{fingerprint}".encode()).hexdigest()[:40],
                "severity": _SEVERITY[entry.severity],
                "categories": ["Security"] if entry.item.category in {"security", "secrets", "deps"} else ["Bug Risk"],
                "location": {
                    "path": visible(entry.finding.path) if entry.finding and entry.finding.path else _NOWHERE,
                    "lines": {"begin": line},
                },
            }
        )
    return (json.dumps(found, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "backslashreplace")
