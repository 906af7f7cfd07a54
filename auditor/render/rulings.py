"""What people ruled about findings, arranged for the page and the terminal. Shown and counted; the grade is untouched, and every output says so."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass

from markupsafe import Markup, escape

from auditor.model.report import Report
from auditor.model.triage import Decision, Ruling, Standing
from auditor.render.language import N_, plural, thousands, tr

TONES = {Decision.CONFIRMED: "confirmed", Decision.FALSE_POSITIVE: "false", Decision.ACCEPTED: "accepted", Decision.NOTE: "note"}
TITLES = {
    Decision.CONFIRMED: N_("Confirmed"),
    Decision.FALSE_POSITIVE: N_("Called a false alarm"),
    Decision.ACCEPTED: N_("Accepted risk"),
    Decision.NOTE: N_("Note"),
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
        shown = RulingView(one, tr(TITLES[one.decision]), TONES[one.decision], _who(one))
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
    found = dict(report.triage.counts)
    counts = [
        *([tr("{0} confirmed", thousands(found[Decision.CONFIRMED]))] if Decision.CONFIRMED in found else []),
        *([plural(found[Decision.FALSE_POSITIVE], "false alarm")] if Decision.FALSE_POSITIVE in found else []),
        *([plural(found[Decision.ACCEPTED], "accepted risk")] if Decision.ACCEPTED in found else []),
        *([plural(found[Decision.NOTE], "note")] if Decision.NOTE in found else []),
    ]
    idle = sum(one.standing is not Standing.APPLIES for one in report.triage.rulings)
    parts = [
        tr("People ruled on findings: {0}.", ", ".join(counts)) if counts else tr("People ruled on findings, none of which is open here."),
        tr("Verdicts and grade count every finding all the same."),
        *([f"{plural(idle, 'ruling no longer counts', 'rulings no longer count')}."] if idle else []),
    ]
    return " ".join(parts)


def _who(ruling: Ruling) -> str:
    parts = [
        *([tr("answered for by {0}", ruling.owner)] if ruling.owner else []),
        *([tr("until {0}", ruling.until)] if ruling.until else []),
        *([tr("ruled by {0}", ruling.by)] if ruling.by else []),
        *([tr("on {0}", ruling.date)] if ruling.date else []),
    ]
    return ", ".join(parts)
