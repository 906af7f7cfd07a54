"""What people ruled about findings, as data. The grade never depends on it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Decision(StrEnum):
    """What somebody says of a finding: it is so; it is not so; it is so and somebody answers for it; or just a remark."""

    CONFIRMED = "confirmed"
    FALSE_POSITIVE = "false positive"
    ACCEPTED = "accepted risk"
    NOTE = "note"


class Standing(StrEnum):
    """Whether a ruling counts in this report: it applies; its end date has passed; or nothing here is what it speaks of."""

    APPLIES = "applies"
    EXPIRED = "expired"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class Ruling:
    """One ruling. `fingerprint` "" means the item as a whole, with all its findings.

    `path` is where the finding lay when it was ruled on. `until` and `date` are days, ISO 8601, or "". `reason` is obligatory for false positives and
    accepted risks, `owner` and `until` for accepted risks, `note` for notes. `hint` says what a stale ruling may have meant.
    """

    decision: Decision
    item: str
    fingerprint: str = ""
    path: str = ""
    reason: str = ""
    note: str = ""
    owner: str = ""
    until: str = ""
    by: str = ""
    date: str = ""
    standing: Standing = Standing.APPLIES
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Triage:
    """All rulings of one file, in its order, and how many findings of open items each decision covers."""

    rulings: tuple[Ruling, ...]
    counts: tuple[tuple[Decision, int], ...] = ()

    def of(self, item: str, fingerprint: str = "") -> tuple[Ruling, ...]:
        """The rulings that apply to a finding; without a fingerprint those about the item as a whole."""
        return tuple(
            one
            for one in self.rulings
            if one.item == item and one.standing is Standing.APPLIES and (not one.fingerprint or one.fingerprint == fingerprint)
        )

    def decided(self, item: str, fingerprint: str, decision: Decision) -> bool:
        """Whether a ruling of this kind applies to a finding, or to its whole item."""
        return any(one.decision is decision for one in self.of(item, fingerprint))
