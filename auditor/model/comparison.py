"""What became of an earlier audit's findings, as data; `auditor.comparison` makes it, a `Report` may carry it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from auditor.model.verdict import Severity, Verdict


class State(StrEnum):
    """What became of one finding. Every finding of an open item, old or new, has exactly one state.

    `FIXED`: gone, and the item was judged again. `STILL_OPEN`: there before and now. `NEW`: not there before. `REOPENED`: there again after
    it had been fixed. `FIRST_SEEN`: here now, but the earlier run did not decide the item, so nobody can say since when. `NOT_APPLICABLE`: the claim no longer arises, which fixes nothing.
    `UNDECIDED`: nobody looked this time. `TOLERATED`: still there, and the item holds all the same. `ACCEPTED`: open, and somebody answers for it.
    `FALSE_POSITIVE`: open by our rules, and somebody says it is not so.
    """

    FIXED = "fixed"
    NEW = "new"
    STILL_OPEN = "still_open"
    REOPENED = "reopened"
    FIRST_SEEN = "first_seen"
    NOT_APPLICABLE = "not_applicable"
    UNDECIDED = "undecided"
    TOLERATED = "tolerated"
    ACCEPTED = "accepted"
    FALSE_POSITIVE = "false_positive"


class Match(StrEnum):
    """How a finding was known again.

    `SAME`: by its fingerprint, wherever its line went. `MOVED`: the same code in another file. `CHANGED`: the code was edited, and is still at fault
    in the same definition. `NONE`: it was not.
    """

    SAME = "same"
    MOVED = "moved"
    CHANGED = "changed"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Change:
    """One finding and what became of it; the place is the newest known, `was` the earlier one where it differs.

    An open item that has no single place is one change with an empty path.
    """

    state: State
    match: Match
    item: str
    severity: Severity
    rule: str
    path: str
    line: int
    message: str
    fingerprint: str
    was: str = ""


@dataclass(frozen=True, slots=True)
class Closed:
    """A finding that was fixed once, kept so that its return is noticed."""

    item: str
    rule: str
    path: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Run:
    """One of the two audits: what was audited, when, with what, and how many items it judged."""

    name: str
    commit: str
    date: str
    version: str
    rules: str
    model: str
    judged: int


@dataclass(frozen=True, slots=True)
class Standing:
    """A grade before and after, all in one score model; None where there was none."""

    old: float | None
    new: float | None
    old_letter: str | None
    new_letter: str | None


@dataclass(frozen=True, slots=True)
class CategoryStanding:
    """The score of one category before and after, on the categories' own curve, with the letters of its borders."""

    id: str
    standing: Standing


@dataclass(frozen=True, slots=True)
class ItemChange:
    """An item whose verdict is another one than before; None: it was not judged in that run."""

    item: str
    severity: Severity
    old: Verdict | None
    new: Verdict | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two audits of one repository.

    `grade`: the headline grades; `common`: those over the items that both runs judged, None where they judged the same. `assurance`: before
    and after. `caveats`: sentences a reader must know before trusting a figure. `closed`: all that was fixed up to now and has not come back.
    """

    old: Run
    new: Run
    grade: Standing
    common: Standing | None
    assurance: tuple[float, float]
    categories: tuple[CategoryStanding, ...]
    items: tuple[ItemChange, ...]
    changes: tuple[Change, ...]
    caveats: tuple[str, ...]
    closed: tuple[Closed, ...] = ()

    def of(self, state: State) -> tuple[Change, ...]:
        """The findings in this state, worst first."""
        return tuple(change for change in self.changes if change.state is state)

    @property
    def worse(self) -> bool:
        """Whether something is open that was not open before."""
        return any(change.state in (State.NEW, State.REOPENED) for change in self.changes)
