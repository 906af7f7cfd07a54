"""What may stand before an endpoint: a guard, how surely it is one, and a guard before everything."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from auditor.model.verdict import Place


class Strength(StrEnum):
    """How an endpoint is guarded, the surest first."""

    SEEN = "seen"  # the refusal stands in code that was read, or in a library known for it
    NAMED = "named"  # something that is called like a guard stands before it, and could not be read
    NONE = "none"
    UNKNOWN = "unknown"  # the handler itself could not be read


@dataclass(frozen=True, slots=True)
class Guard:
    """What guards one endpoint; `place` is where the refusal was seen."""

    strength: Strength
    name: str = ""
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Cover:
    """A guard before everything in one part of the repository; `pattern` limits the paths, `framework` the kind of endpoint ("" = any)."""

    root: str
    guard: Guard
    pattern: re.Pattern[str] | None = None
    framework: tuple[str, ...] = ()
    through: re.Pattern[str] | None = None


def last_name(name: str) -> str:
    """The last part of a dotted name, brackets of a call and `new` taken away."""
    return name.removesuffix("()").rpartition(".")[2].removesuffix("()").removeprefix("new ")
