"""What a gate said of a report, finding by finding."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from auditor.model.settings import Profile, Suppression
from auditor.model.verdict import Severity


class Standing(StrEnum):
    """The three answers of a gate."""

    PASSED = "passed"
    FAILED = "failed"
    CANNOT_SAY = "cannot say"


class State(StrEnum):
    """How a finding stands to the baseline."""

    NEW = "new"
    UNCHANGED = "unchanged"
    SUPPRESSED = "suppressed"


@dataclass(frozen=True, slots=True)
class Judged:
    """One open finding under the gate. `severity` is the gate's, which own weights can change; `counts`: it closes the gate.

    `suppression` is the position of the suppression that covers it in `Gate.suppressions`, -1 without one.
    """

    item: str
    rule: str
    path: str
    line: int
    message: str
    fingerprint: str
    severity: Severity
    state: State
    counts: bool
    suppression: int = -1


@dataclass(frozen=True, slots=True)
class Fixed:
    """A finding of the baseline that is not there any more."""

    item: str
    rule: str
    path: str
    fingerprint: str


class Use(StrEnum):
    """What became of a suppression."""

    OBEYED = "obeyed"
    UNUSED = "unused"
    EXPIRED = "expired"
    MALFORMED = "malformed"
    NOT_OBEYED = "not obeyed"


@dataclass(frozen=True, slots=True)
class Applied:
    """A suppression, what became of it, how many findings it covers, and why it was not obeyed where it was not."""

    declared: Suppression
    use: Use
    findings: int
    why: str = ""


@dataclass(frozen=True, slots=True)
class Gate:
    """The answer, in one line and in all its reasons. The grade never depends on it.

    `against` says what the findings were compared with; `changed_since` is the revision that narrows what can fail, "" without one.
    `letter_before` and `score_before` are None where nothing says what they were. `notes`: what a reader must know beside the reasons.
    """

    standing: Standing
    sentence: str
    reasons: tuple[str, ...]
    profile: Profile
    against: str
    changed_since: str
    findings: tuple[Judged, ...]
    fixed: tuple[Fixed, ...]
    suppressions: tuple[Applied, ...]
    off: tuple[tuple[str, str], ...]
    weights: tuple[tuple[str, Severity], ...]
    letter_before: str | None
    score_before: float | None
    notes: tuple[str, ...] = ()

    @property
    def counting(self) -> tuple[Judged, ...]:
        """The findings that close the gate."""
        return tuple(finding for finding in self.findings if finding.counts)

    @property
    def answer(self) -> str:
        """The answer and its reasons, without place and setting."""
        if self.standing is Standing.PASSED:
            fixed = "1 old finding" if len(self.fixed) == 1 else f"{len(self.fixed):,} old findings"
            return f"Gate passed: nothing new that counts{f', {fixed} fixed' if self.fixed else ''}"
        together = "; " if any(":" in reason for reason in self.reasons) else ", "
        return f"Gate {'failed' if self.standing is Standing.FAILED else 'cannot say'}: {together.join(self.reasons)}"
