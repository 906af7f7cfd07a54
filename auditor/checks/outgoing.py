"""Outgoing network calls of production code and whether each has a time limit: what Python and script readers share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from auditor.model.syntax import Call, Definition, FileFacts, Value, ValueKind

LOW = 0.5
"""Weight of a connection to the own database (it is near and watched) and of a browser's call (one visitor waits, not the service)."""


class Limit(StrEnum):
    """Where the time limit of a call comes from."""

    EXPLICIT = "explicit"
    DEFAULT = "default"  # the client's own limit is a minute or less
    NONE = "none"
    CALLER = "caller"  # handed through from a parameter: the callers decide


class Target(StrEnum):
    """What is at the other end."""

    HTTP = "http"
    MODEL = "model"
    MAIL = "mail"
    DATABASE = "database"
    BROKER = "broker"


@dataclass(frozen=True, slots=True)
class Site:
    """One outgoing call; `what` names it, `default` says what happens without a limit of its own, `weight` is 0.5 where less hangs on it."""

    path: str
    line: int
    end_line: int
    what: str
    target: Target
    limit: Limit
    default: str
    weight: float = 1.0
    browser: bool = False


def site(facts: FileFacts, call: Call, target: Target, limit: Limit, default: str, *, weight: float = 1.0, browser: bool = False) -> Site:
    """The site of one call."""
    what = call.callee.removeprefix("new ")
    if target is Target.DATABASE:
        weight *= LOW
    return Site(facts.path, call.line, call.end_line, what, target, limit, default, weight, browser)


def enclosing(facts: FileFacts, scope: int) -> Definition | None:
    """The function around a place, classes left out."""
    return facts.definitions[scope] if scope >= 0 else None


def assigned_values(files: Iterable[FileFacts]) -> dict[str, list[Value]]:
    """Values by the last part of the name they are bound to, over all files: settings are read by name."""
    found: defaultdict[str, list[Value]] = defaultdict(list)
    for facts in files:
        for assignment in facts.assignments:
            if assignment.value is not None and assignment.scope < 0:
                found[assignment.target.rpartition(".")[2]].append(assignment.value)
    return found


def is_nothing(value: Value) -> bool:
    """Whether a value switches the limit off: None, null, undefined, 0, False."""
    return value.kind is ValueKind.NONE or (
        value.kind in {ValueKind.NUMBER, ValueKind.BOOLEAN} and value.literal.lower() in {"0", "0.0", "false"}
    )
