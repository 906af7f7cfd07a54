"""What the owner of a repository sets: what is looked at, and by which rules the gate judges. The grade sees the scope only, never the rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from auditor.model.project import Kind
from auditor.model.verdict import Severity


class Profile(StrEnum):
    """How strict a gate is, named by what is at stake."""

    EXPERIMENTAL = "experimental"
    STANDARD = "standard"
    CRITICAL = "critical"


class Fall(StrEnum):
    """Which fall of the grade closes the gate."""

    LETTER = "letter"
    SCORE = "score"
    OFF = "off"


class Unknown(StrEnum):
    """Which blockers that could not be decided leave the gate without an answer: those decided before, or every one."""

    NEW = "new"
    ANY = "any"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Policy:
    """The thresholds of a gate.

    `fail_on`: severities of which a new finding closes it; `copies`: so does a new copy of code; `fall`: so does a falling grade; `lowest`: and a
    letter below this one, "" for none. `assurance`: share of the stake (0 to 1) that must have been decided for the gate to say anything;
    `unknown`: blockers that must have been. `answered_for`: a suppression of a blocker or high finding needs an owner and an end.
    """

    profile: Profile
    fail_on: frozenset[Severity]
    copies: bool
    fall: Fall
    lowest: str
    assurance: float
    unknown: Unknown
    answered_for: bool


POLICIES = {
    Profile.EXPERIMENTAL: Policy(
        Profile.EXPERIMENTAL, frozenset({Severity.BLOCKER}), copies=False, fall=Fall.OFF, lowest="", assurance=0.0, unknown=Unknown.OFF, answered_for=False
    ),
    Profile.STANDARD: Policy(
        Profile.STANDARD,
        frozenset({Severity.BLOCKER, Severity.HIGH}),
        copies=True,
        fall=Fall.LETTER,
        lowest="",
        assurance=0.8,
        unknown=Unknown.NEW,
        answered_for=False,
    ),
    Profile.CRITICAL: Policy(
        Profile.CRITICAL,
        frozenset({Severity.BLOCKER, Severity.HIGH, Severity.MEDIUM}),
        copies=True,
        fall=Fall.SCORE,
        lowest="",
        assurance=0.9,
        unknown=Unknown.ANY,
        answered_for=True,
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Suppression:
    """A declared exception from one item: by a comment beside the code, or by an entry of the configuration.

    `rule` narrows it to one rule of the item, "" for all. `path` is the file of a comment, or a pattern of the configuration ("" where a `fingerprint`
    says which finding is meant); `line` to `end_line` are the lines a comment speaks of, 0 for an entry. `until` is the last day it holds, ISO 8601, or "".
    `place` says where it is written, `problem` why it cannot be used ("" when it can).
    """

    item: str
    rule: str
    path: str
    line: int
    reason: str
    owner: str
    until: str
    place: str
    fingerprint: str = ""
    problem: str = ""
    end_line: int = 0


@dataclass(frozen=True, slots=True)
class Settings:
    """A configuration that was read and is valid; `source` names the file, "" for none.

    `include`, `exclude`: patterns as in .gitignore (`include` empty: everything). `kinds`: what parts are, by their folder ("" is the root). `off`:
    items the gate leaves out, with the reason; `weights`: severities of items for the gate. `layers`: names and patterns from the top down.
    """

    source: str = ""
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    kinds: tuple[tuple[str, frozenset[Kind]], ...] = ()
    policy: Policy = field(default=POLICIES[Profile.STANDARD])
    baseline: str = ""
    off: tuple[tuple[str, str], ...] = ()
    weights: tuple[tuple[str, Severity], ...] = ()
    layers: tuple[tuple[str, tuple[str, ...]], ...] = ()
    suppressions: tuple[Suppression, ...] = ()

    @property
    def narrows(self) -> bool:
        """Whether an audit with these settings can differ from one without."""
        return bool(self.include or self.exclude or self.kinds)
