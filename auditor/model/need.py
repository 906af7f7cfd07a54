"""The typed tokens by which checks ask for evidence, and the two shapes evidence comes in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Need(Generic[T]):
    """A token for one kind of evidence; `remedy` tells the user what to do when it is missing."""

    name: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class ToolStamp:
    """Which program, in which version, produced the evidence."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class Known(Generic[T]):
    """Evidence that was gathered.

    `examined` are the paths that were really looked at, `unexamined` the ones that should have been, with the reason;
    both may be empty for evidence that is not about single files.
    """

    value: T
    source: ToolStamp
    examined: frozenset[str] = frozenset()
    unexamined: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Evidence that could not be gathered at all: every check that needs it is unknown."""

    tool: str
    reason: str
    remedy: str = ""
