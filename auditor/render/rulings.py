"""What people ruled about findings, arranged for the page and the terminal. Shown and counted; the grade is untouched, and every output says so."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass

from markupsafe import Markup, escape

from auditor.model.report import Report
from auditor.model.triage import Decision, Ruling, Standing
from auditor.words import plural

TONES = {Decision.CONFIRMED: "confirmed", Decision.FALSE_POSITIVE: "false", Decision.ACCEPTED: "accepted", Decision.NOTE: "note"}
TITLES = {
    Decision.CONFIRMED: "Confirmed",
    Decision.FALSE_POSITIVE: "Called a false alarm",
    Decision.ACCEPTED: "Accepted risk",
    Decision.NOTE: "Note",
}
_COUNTED = {
    Decision.CONFIRMED: ("confirmed", "confirmed"),
    Decision.FALSE_POSITIVE: ("false alarm", "false alarms"),
    Decision.ACCEPTED: ("accepted risk", "accepted risks"),
    Decision.NOTE: ("note", "notes"),
}
_FIELDS = ("decision", "item", "fingerprint", "path", "reason", "note", "owner", "until", "by", "date", "standing")


@dataclass(frozen=True, slots=True)
class RulingView:
    """One ruling in words."""

    ruling: Ruling
    title: str
    tone: str
    who: str


@dataclass(frozen=True, slots=True)
class RulingsView:
    """All rulings: those of one finding, those of an item, those that do not count; and the whole list as data for the page's own triage."""

    by_finding: dict[str, tuple[RulingView, ...]]
    by_item: dict[str, tuple[RulingView, ...]]
    applied: tuple[RulingView, ...]
    idle: tuple[RulingView, ...]
    sentence: str
    data: Markup

    def finding(self, fingerprint: str) -> tuple[RulingView, ...]:
        """The rulings on one finding."""
        return self.by_finding.get(fingerprint, ())

    def item(self, item: str) -> tuple[RulingView, ...]:
        """The rulings on an item as a whole."""
        return self.by_item.get(item, ())


def rulings_view(report: Report) -> RulingsView:
    """The rulings of a report; an empty view where there are none."""
    rulings = report.triage.rulings if report.triage else ()
    finding: dict[str, list[RulingView]] = defaultdict(list)
    item: dict[str, list[RulingView]] = defaultdict(list)
    applied, idle = [], []
    for one in rulings:
        shown = RulingView(one, TITLES[one.decision], TONES[one.decision], _who(one))
        if one.standing is not Standing.APPLIES:
            idle.append(shown)
            continue
        applied.append(shown)
        (finding[one.fingerprint] if one.fingerprint else item[one.item]).append(shown)
    data = [{name: getattr(one, name) for name in _FIELDS} for one in rulings]
    return RulingsView(
        by_finding={key: tuple(found) for key, found in finding.items()},
        by_item={key: tuple(found) for key, found in item.items()},
        applied=tuple(applied),
        idle=tuple(idle),
        sentence=sentence(report),
        data=escape(json.dumps(data)),  # ASCII: whole, and without a hidden character
    )


def sentence(report: Report) -> str:
    """How many findings people ruled on, and that the grade counts them all the same; "" without rulings."""
    if report.triage is None or not report.triage.rulings:
        return ""
    counts = [f"{count:,} {_COUNTED[decision][count > 1]}" for decision, count in report.triage.counts]
    idle = sum(one.standing is not Standing.APPLIES for one in report.triage.rulings)
    said = f"People ruled on findings: {', '.join(counts)}." if counts else "People ruled on findings, none of which is open here."
    rest = f" {plural(idle, 'ruling')} no longer {'counts' if idle == 1 else 'count'}." if idle else ""
    return f"{said} Verdicts and grade count every finding all the same.{rest}"


def _who(ruling: Ruling) -> str:
    parts = [
        *([f"answered for by {ruling.owner}"] if ruling.owner else []),
        *([f"until {ruling.until}"] if ruling.until else []),
        *([f"ruled by {ruling.by}"] if ruling.by else []),
        *([f"on {ruling.date}"] if ruling.date else []),
    ]
    return ", ".join(parts)
