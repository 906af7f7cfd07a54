"""Findings, what a check says of them, and the outcome the engine makes of it: three types, three owners."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """The five answers to an item's claim."""

    PASS = "pass"  # noqa: S105 - a verdict, no password
    PARTIAL = "partial"
    FAIL = "fail"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not_applicable"


class Severity(StrEnum):
    """How bad it is when the claim is false; see `POINTS`."""

    BLOCKER = "blocker"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


POINTS: dict[Severity, int] = {Severity.BLOCKER: 25, Severity.HIGH: 8, Severity.MEDIUM: 3, Severity.LOW: 1}
"""Risk points at stake for an item of each severity (checklist, scoring rule 1)."""
CURVE = 180
"""Risk points that cut the score to 37 %. Scaled with the stakes of the items judged by this version; a change raises the number of the score model."""


class Confidence(StrEnum):
    """How sure a finding is: seen in the code, inferred from it, or one weak signal."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class Place:
    """A place a reader can open; `line` counts from 1, 0 means the file as a whole."""

    path: str
    line: int = 0
    end_line: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """One witness against a claim.

    `rule` is finer than the item ("command-injection"); `cwe` is a number or 0; `detector` names who saw it ("syntax", "semgrep",
    "bandit", ...). `weight` is what it adds to `Assessed.bad` when the check counts places. The engine fills in `fingerprint` and
    `excerpt`; a check leaves them empty. `message` is one sentence in the owner's words and must not hold a secret value.
    """

    rule: str
    path: str
    message: str
    line: int = 0
    end_line: int = 0
    confidence: Confidence = Confidence.HIGH
    detector: str = "syntax"
    cwe: int = 0
    fingerprint: str = ""
    excerpt: tuple[str, ...] = ()
    excerpt_start: int = 0


@dataclass(frozen=True, slots=True)
class Assessed:
    """What a check found: `bad` of `total` like things, never a verdict.

    Badness is `max(floor, bad / total)`; `total` 0 means there was nothing of the kind (badness is then `floor`). `bad` may be
    fractional (half a place). `floor` is the least badness whatever the share. `evidence` is what convinced the check where the claim
    holds, `signals` what was searched for and counted, in words. `unexamined` lists the places that could not be resolved:
    they count as if they were bad when the engine asks whether a pass is proven. `summary` is one sentence for the report.
    """

    bad: float
    total: float
    summary: str
    floor: float = 0.0
    findings: tuple[Finding, ...] = ()
    evidence: tuple[Place, ...] = ()
    signals: tuple[str, ...] = ()
    unexamined: tuple[tuple[str, str], ...] = ()
    confidence: Confidence = Confidence.HIGH


@dataclass(frozen=True, slots=True)
class NotApplicable:
    """The claim does not arise here; `reason` names the positive evidence for that."""

    reason: str
    evidence: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True)
class Undecided:
    """The check looked, and what it needs is not in the repository; `reason` says what is missing and how to supply it."""

    reason: str
    evidence: tuple[Place, ...] = ()


Judgement = Assessed | NotApplicable | Undecided


@dataclass(frozen=True, slots=True)
class Outcome:
    """The verdict on one item, with everything needed to defend it.

    `badness` is what is proven, 0 to 1; `ceiling` what it would be if everything that was not examined were bad (1 for an
    unknown): the headline score charges the ceiling. `examined` and `scope` count the files the item's evidence
    covered and should have covered; `bad` and `total` are the share behind the badness.
    """

    id: str
    category: str
    severity: Severity
    verdict: Verdict
    badness: float
    ceiling: float
    confidence: Confidence
    reason: str
    findings: tuple[Finding, ...]
    evidence: tuple[Place, ...]
    signals: tuple[str, ...]
    examined: int
    scope: int
    bad: float
    total: float
    unexamined: tuple[tuple[str, str], ...] = ()
