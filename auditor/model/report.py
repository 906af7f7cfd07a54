"""The whole result of an audit as data; renderers see nothing else.

The JSON output is exactly this (see `auditor.render.json_report`); names are stable within one `schema` major version.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from auditor.model.comparison import Comparison
from auditor.model.evidence import CloneFamily, Edge, Module
from auditor.model.gate import Gate
from auditor.model.interview import Interview
from auditor.model.need import ToolStamp
from auditor.model.project import Part
from auditor.model.settings import Suppression
from auditor.model.structure import Structure
from auditor.model.triage import Triage
from auditor.model.verdict import Outcome, Severity

SCHEMA_VERSION = "1.2"


class Trigger(StrEnum):
    """What it takes for a gap to do harm, the likeliest first."""

    VISITOR = "any visitor"
    DAY = "a normal day"
    BAD_DAY = "a bad day"
    INSIDER = "only an insider"


class Phase(StrEnum):
    """The stretches of the way to a sound state, in the order they are best gone."""

    BLEEDING = "stop the bleeding"
    RECOVERABLE = "make it recoverable"
    CHANGEABLE = "make it changeable"
    GROW = "make it grow"


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing a finding of an item can say, finer than the item; `cwes` are the numbers it can stand for.

    The id "*" documents a family that is open (kinds of credentials, ids of advisories). `per`: what one finding stands for: a "place" in the
    code, a whole "file", or the "repository"; the latter two stay the same finding when the line they point at changes.
    """

    id: str
    cwes: tuple[int, ...]
    says: str
    per: str = "place"


@dataclass(frozen=True, slots=True)
class Item:
    """A checklist item as printed: the words a reader needs, the same in every output.

    `effort` is S (under half a day), M (up to three days) or L (more). `judged`: this version gives verdicts on it. `trigger`: what sets the harm
    off, None where nobody has said. `after`: ids of items that are better put right first.
    """

    id: str
    category: str
    claim: str
    severity: Severity
    effort: str
    how: str
    not_applicable_when: str
    why: str
    fix: str
    references: str
    judged: bool
    passing_title: str = ""
    failing_title: str = ""
    done_when: str = ""
    cannot_see: str = ""
    rules: tuple[Rule, ...] = ()
    trigger: Trigger | None = None
    after: tuple[str, ...] = ()

    def rule(self, name: str) -> Rule | None:
        """The documentation of the rule of that name, or of the family it belongs to."""
        return next((rule for wanted in (name, "*") for rule in self.rules if rule.id == wanted), None)


@dataclass(frozen=True, slots=True)
class Category:
    """One of the thirteen categories with the question it answers."""

    id: str
    title: str
    question: str


@dataclass(frozen=True, slots=True)
class CategoryScore:
    """Score of one category, 0 to 100, on its own curve (for the picture only), and its verdict counts.

    `value` is the pessimistic score, None when nothing in the category applies or was judged.
    """

    id: str
    value: float | None
    risk: float
    stake: float
    passed: int
    partial: int
    failed: int
    unknown: int
    not_applicable: int


@dataclass(frozen=True, slots=True)
class AccountLine:
    """One line of the statement of account: risk points an item adds, and what the score would gain if it were fixed.

    What the score lost in all is shared out by risk points; `score_before` and `score_after` are the running balance, from 100 to the score.
    """

    id: str
    stake: float
    badness: float
    risk: float
    score_before: float
    score_after: float
    gain: float


@dataclass(frozen=True, slots=True)
class Milestone:
    """The grade once the open and undecided `items` of this phase, and of the phases before, are put right; `severities` are theirs."""

    severities: tuple[Severity, ...]
    value: float
    letter: str
    risk: float
    phase: Phase | None = None
    items: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Score:
    """The grade. `value`, `letter` and `risk` are the pessimistic ones (an unknown is charged in full); None without a grade.

    `assurance` is the stake decided over the stake applicable (0 to 1). `cap` says which rule held the letter down, "" if none.
    `sentence`: "ready", "ready with conditions", "not ready" or "cannot be judged". `no_grade` gives the reason when there is no grade.
    """

    model: str
    value: float | None
    letter: str | None
    optimistic_value: float | None
    optimistic_letter: str | None
    risk: float
    stake: float
    assurance: float
    cap: str
    sentence: str
    no_grade: str
    categories: tuple[CategoryScore, ...]
    account: tuple[AccountLine, ...]
    milestones: tuple[Milestone, ...] = ()


@dataclass(frozen=True, slots=True)
class LanguageCount:
    """Files and lines of one language among first-party code."""

    language: str
    files: int
    lines: int


@dataclass(frozen=True, slots=True)
class Scope:
    """What was audited: counts by role and language, what was left out and why (bounded list, `skipped_total` is the true number)."""

    name: str
    commit: str
    origin: str
    digest: str
    files: int
    lines: int
    roles: tuple[tuple[str, int], ...]
    languages: tuple[LanguageCount, ...]
    skipped: tuple[tuple[str, str], ...]
    skipped_total: int


@dataclass(frozen=True, slots=True)
class EvidenceNote:
    """One kind of evidence: which tool supplied it, how many files it covered, or why it is missing."""

    need: str
    tool: str
    version: str
    available: bool
    examined: int
    unexamined: tuple[tuple[str, str], ...]
    reason: str
    remedy: str


@dataclass(frozen=True, slots=True)
class GraphReport:
    """The module graph of production code.

    `layers`: module ids by layer, top (entry points) first; `cycles`: strongly connected components over import-time edges; `tangles`:
    those over run-time edges (lazy ones too); `type_cycles`: those that only close through imports of types. `structure`: measures and what follows from them.
    """

    modules: tuple[Module, ...]
    edges: tuple[Edge, ...]
    layers: tuple[tuple[str, ...], ...]
    cycles: tuple[tuple[str, ...], ...]
    tangles: tuple[tuple[str, ...], ...]
    type_cycles: tuple[tuple[str, ...], ...] = ()
    structure: Structure | None = None


@dataclass(frozen=True, slots=True)
class Stretch:
    """Lines of a file as they may be shown: nothing that looks like a credential, long lines cut."""

    path: str
    line: int
    text: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CopySample:
    """Two members of a family of copies with their code; `family` is its place in `CloneReport.families`."""

    family: int
    left: Stretch
    right: Stretch


@dataclass(frozen=True, slots=True)
class Copy:
    """A stretch of code that stands elsewhere too, cut at definitions: its place, what it is recognised by, and the first of its twins."""

    path: str
    line: int
    lines: int
    fingerprint: str
    twin: str
    twin_line: int


@dataclass(frozen=True, slots=True)
class CloneReport:
    """Duplication of production code.

    `families`: the largest in full; `samples`: the code of those that would save most lines; `copies`: every place of substance that repeats another one.
    """

    families: tuple[CloneFamily, ...]
    duplicated_lines: int
    total_lines: int
    samples: tuple[CopySample, ...] = ()
    copies: tuple[Copy, ...] = ()


@dataclass(frozen=True, slots=True)
class CommitMark:
    """One commit on the time line: when (seconds since the epoch), whose (a pseudonym), how wide, and what it calls itself.

    `fix`: it says that it mends a fault of the product; `revert`: that it takes a change back; `tested`: it changes a test too;
    `assisted`: an assistant wrote or co-wrote it, as its author or its trailers say.
    """

    id: str
    when: int
    author: str
    files: int
    lines: int
    fix: bool
    revert: bool
    tested: bool
    assisted: bool


@dataclass(frozen=True, slots=True)
class Loop:
    """A run of attempts at one file that undo each other; `commits` are short ids, oldest first.

    `kind`: "chain" (versions that replace each other's lines), "fixes" (self-declared fixes that do) or "return" (the same lines written and removed twice).
    """

    path: str
    kind: str
    commits: tuple[str, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class HistorySummary:
    """What the history offered: commits read, all commits, whether it was shallow, the marks of the time line (oldest first), and loops."""

    read: int
    total: int
    shallow: bool
    commits: tuple[CommitMark, ...] = ()
    loops: tuple[Loop, ...] = ()


@dataclass(frozen=True, slots=True)
class FileMeasure:
    """One file of production code in figures.

    `complexity` is the sum of McCabe's number over its functions, `worst` the highest; `changes`: commits of the history that was read which
    touched it; `copied`: lines that stand somewhere else too.
    """

    path: str
    language: str
    lines: int
    complexity: int
    worst: int
    changes: int
    copied: int


@dataclass(frozen=True, slots=True)
class Report:
    """One audit. Equal input, versions and date give equal bytes.

    `score` is the code grade, from the repository alone; `production` the grade with what people stated in the interview, where what
    was not answered counts as unknown. `files` are the largest of production code, in path order. `before` compares it with an earlier audit;
    `triage` is what people ruled about findings, which changes no figure.
    `configuration` says whether settings were used for it, or lie in the tree and were not; `suppressions` are the exceptions declared in the tree: an audit lists them and obeys none. `gate` is the answer of a gate that was asked.
    `shown` says what a filter left in, "" for everything: figures are always those of the whole audit.
    """

    schema: str
    tool: str
    version: str
    rules: str
    date: str
    scope: Scope
    parts: tuple[Part, ...]
    score: Score
    outcomes: tuple[Outcome, ...]
    items: tuple[Item, ...]
    categories: tuple[Category, ...]
    evidence: tuple[EvidenceNote, ...]
    graph: GraphReport | None
    clones: CloneReport | None
    history: HistorySummary | None
    tools: tuple[ToolStamp, ...]
    interview: Interview | None = None
    production: Score | None = None
    files: tuple[FileMeasure, ...] = ()
    before: Comparison | None = None
    triage: Triage | None = None
    configuration: str = ""
    suppressions: tuple[Suppression, ...] = ()
    gate: Gate | None = None
    shown: str = ""
