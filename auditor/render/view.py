"""What the HTML report shows, arranged for its templates: nothing is judged or computed here that the `Report` does not already say."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum

from auditor.model.comparison import State
from auditor.model.report import EvidenceNote, Report
from auditor.model.verdict import Severity, Verdict
from auditor.render import dsm, executive, heat, ledger, mass, past, structure, summary, way
from auditor.render.categories import CategoryView, ItemView, categories
from auditor.render.grouping import fold
from auditor.render.json_report import to_json
from auditor.render.language import N_, tr
from auditor.render.layout import Drawing, draw

BLOCKERS = 5
HIGHLIGHTS = 3
GAPS = 25
LETTERS = (("A", 80), ("B", 60), ("C", 40), ("D", 20), ("E", 0))
"""Score from which each letter is given, for the bar's borders; `auditor.score` decides."""


class Edition(StrEnum):
    """How much of the report is printed."""

    FULL = "full"
    EXECUTIVE = "executive"


@dataclass(frozen=True, slots=True)
class Section:
    """A numbered section: its anchor and its name in the contents."""

    number: int
    anchor: str
    title: str


_SECTIONS = {
    "verdict": N_("Verdict"),
    "executive": N_("For those who decide"),
    "account": N_("Statement of account"),
    "heat": N_("Where it hurts"),
    "items": N_("Findings by category"),
    "architecture": N_("Architecture"),
    "duplication": N_("Duplication"),
    "history": N_("History"),
    "roadmap": N_("What to do, and when"),
    "changes": N_("Before and after"),
    "interview": N_("Interview"),
    "limits": N_("What could not be seen"),
    "appendix": N_("Appendix"),
}
_SHORT = frozenset({"verdict", "executive", "account", "roadmap", "limits"})
"""Sections of the executive edition."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A file that was not examined: why, and for which evidence."""

    path: str
    reason: str
    needs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Architecture:
    """The pictures of the code's structure, each None where there is nothing to draw."""

    drawing: Drawing | None
    boxes: tuple[structure.BoxRow, ...]
    insides: tuple[structure.Inside, ...]
    circles: tuple[structure.Circle, ...]
    matrix: dsm.Matrix | None
    tiles: tuple[mass.Tile, ...]
    scatter: mass.Scatter | None


@dataclass(frozen=True, slots=True)
class Fresh:
    """What is open now and was not at the earlier audit: ids of items, fingerprints of findings; empty without one."""

    items: frozenset[str]
    findings: frozenset[str]


@dataclass(frozen=True, slots=True)
class View:
    """The whole page."""

    report: Report
    edition: Edition
    sections: tuple[Section, ...]
    headline: str
    counts: str
    outlook: str
    blockers: tuple[ItemView, ...]
    blockers_total: int
    strengths: tuple[ItemView, ...]
    conditions: tuple[ItemView, ...]
    risks: tuple[executive.Risk, ...]
    matrix: tuple[executive.MatrixRow, ...]
    budget: tuple[executive.Budget, ...]
    categories: tuple[CategoryView, ...]
    stages: tuple[way.Stage, ...]
    climb: way.Climb | None
    account: tuple[ledger.AccountView, ...]
    falls: tuple[ledger.Fall, ...]
    hot: heat.HeatMap | None
    crowded: tuple[heat.Crowded, ...]
    unknown: tuple[summary.UnknownGroup, ...]
    missing: tuple[EvidenceNote, ...]
    gaps: tuple[Gap, ...]
    production: str
    claims: dict[str, str]
    later: int
    copies: tuple[structure.CopyView, ...]
    architecture: Architecture
    time_line: past.TimeLine | None
    risk: str
    lost: str
    digest: str
    kinds: str
    revision: str
    fresh: Fresh

    @property
    def full(self) -> bool:
        """Whether every section is there, so that items and places can be linked to."""
        return self.edition is Edition.FULL

    def number(self, anchor: str) -> int:
        """The number of a section."""
        return next(section.number for section in self.sections if section.anchor == anchor)

    def has(self, anchor: str) -> bool:
        """Whether a section is in this edition."""
        return any(section.anchor == anchor for section in self.sections)


def view(report: Report, edition: Edition = Edition.FULL) -> View:
    """Arrange a (canonical) report for the templates."""
    found = categories(report)
    opened = summary.open_items(report)
    blockers = [entry for entry in opened if entry.outcome.severity is Severity.BLOCKER and entry.outcome.verdict is Verdict.FAIL]
    views = {entry.outcome.id: entry for category in found for entry in category.open}
    stages = way.stages(report, opened, found)
    top = executive.risks(opened)
    first, _, rest = summary.headline(report).partition(". ")
    return View(
        report=report,
        edition=edition,
        sections=_sections(report, edition),
        headline=first.rstrip(".") + ".",
        counts=rest,
        outlook=executive.outlook(report, stages),
        blockers=tuple(views[entry.outcome.id] for entry in blockers[:BLOCKERS]),
        blockers_total=len(blockers),
        strengths=_strengths(found),
        conditions=_conditions(found, {entry.outcome.id for entry in blockers}),
        risks=top,
        matrix=executive.matrix(opened, top),
        budget=executive.budget(stages),
        categories=found,
        stages=stages,
        climb=way.climb(report, stages),
        account=ledger.account(report),
        falls=ledger.falls(report),
        hot=heat.heat_map(report, opened),
        crowded=heat.crowded(opened),
        unknown=tuple(summary.unknown_groups(report)),
        missing=_missing(report),
        gaps=_gaps(report),
        production=summary.production(report),
        claims={item.id: item.claim for item in report.items},
        later=sum(not item.judged and item.how != "ask" for item in report.items),
        copies=structure.copies(report.clones),
        architecture=_architecture(report),
        time_line=past.time_line(report.history),
        risk=ledger.hundredths(round(report.score.risk * 100)),
        lost=ledger.tenths(1000 - round(report.score.account[-1].score_after * 10)) if report.score.account else "0",
        digest=hashlib.sha256(to_json(report)).hexdigest(),
        kinds=summary.kinds_of(report),
        revision=summary.revision(report),
        fresh=_fresh(report),
    )


def _sections(report: Report, edition: Edition) -> tuple[Section, ...]:
    """The sections of an edition, numbered without gaps."""
    chosen = [anchor for anchor in _SECTIONS if edition is Edition.FULL or anchor in _SHORT]
    if report.before is None:
        chosen = [anchor for anchor in chosen if anchor != "changes"]
    return tuple(Section(number, anchor, tr(_SECTIONS[anchor])) for number, anchor in enumerate(chosen, 1))


def _architecture(report: Report) -> Architecture:
    graph = report.graph if report.graph and report.graph.modules else None
    drawing = draw(fold(graph)) if graph else None
    return Architecture(
        drawing=drawing,
        boxes=structure.boxes(drawing),
        insides=structure.insides(graph, drawing),
        circles=structure.circles(graph),
        matrix=dsm.matrix(fold(graph, dsm.MOST)) if graph else None,
        tiles=mass.tiles(report),
        scatter=mass.scatter(report),
    )


def _strengths(categories: tuple[CategoryView, ...]) -> tuple[ItemView, ...]:
    """The heaviest items that hold, from different categories where possible."""
    best = [entry for category in categories for entry in category.passed[:1]]
    rest = [entry for category in categories for entry in category.passed[1:]]
    weight = list(Severity)
    ordered = sorted(best, key=lambda e: weight.index(e.outcome.severity)) + sorted(rest, key=lambda e: weight.index(e.outcome.severity))
    return tuple(ordered[:HIGHLIGHTS])


def _conditions(categories: tuple[CategoryView, ...], blockers: set[str]) -> tuple[ItemView, ...]:
    """What comes after the blockers: the most severe that is open, and what is undecided and could hold the grade down."""
    weighty = (Severity.BLOCKER, Severity.HIGH)
    undecided = [entry for category in categories for entry in category.unknown if entry.outcome.severity in weighty]
    rest = [entry for category in categories for entry in category.open if entry.outcome.id not in blockers]
    order, verdicts = list(Severity), (Verdict.FAIL, Verdict.UNKNOWN, Verdict.PARTIAL)
    ranked = sorted([*rest, *undecided], key=lambda e: (order.index(e.outcome.severity), verdicts.index(e.outcome.verdict), -e.risk))
    return tuple(ranked[:HIGHLIGHTS])


def _fresh(report: Report) -> Fresh:
    changes = report.before.changes if report.before else ()
    new = [change for change in changes if change.state in (State.NEW, State.REOPENED)]
    return Fresh(frozenset(change.item for change in new), frozenset(change.fingerprint for change in new))


def _missing(report: Report) -> tuple[EvidenceNote, ...]:
    """Evidence that is missing and that no undecided item has already given as its reason."""
    said = [outcome.reason for outcome in report.outcomes if outcome.verdict is Verdict.UNKNOWN]
    return tuple(
        note for note in report.evidence if not note.available and not any(note.reason and note.reason in reason for reason in said)
    )


def _gaps(report: Report) -> tuple[Gap, ...]:
    needs: dict[tuple[str, str], list[str]] = defaultdict(list)
    for note in report.evidence:
        for path, reason in note.unexamined:
            needs[path, reason].append(note.need)
    return tuple(Gap(path, reason, tuple(names)) for (path, reason), names in sorted(needs.items()))
