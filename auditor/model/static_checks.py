"""Linters and type checkers as configuration describes them: which are set up, how strictly, and what a build or a hook has them do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from auditor.model.verdict import Place


class Work(StrEnum):
    """What a tool looks for."""

    LINT = "lint"
    TYPES = "types"


@dataclass(frozen=True, slots=True)
class Checker:
    """A linter or type checker that is set up.

    `language` is "python" or "script". `loosened`: (setting, line) of what is switched off although the tool is for it: strictness of the compiler, whole
    groups of rules, errors as a whole.
    """

    tool: str
    language: str
    work: Work
    place: Place
    loosened: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class StaticChecks:
    """Every checker in path order; `hooks`: (place, command) of what runs when a change is committed; `ignored`: (work, place, setting) of builds that go on in spite of errors."""

    checkers: tuple[Checker, ...]
    hooks: tuple[tuple[Place, str], ...]
    ignored: tuple[tuple[Work, Place, str], ...]
