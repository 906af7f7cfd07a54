"""The module graph as a square matrix in the order of the layers (a design structure matrix): what stands above the diagonal leans back."""

from __future__ import annotations

from dataclasses import dataclass

from auditor.render.grouping import Boxes, Link
from auditor.render.layout import in_layers

LEAST, MOST = 4, 40
"""Rows below which a matrix says nothing, and above which nobody reads it."""
ROOMY = 30
LABEL = 216
HEAD = 26
_WORDS = {
    "use": "an import in the order of the layers",
    "back": "leans back on what stands above it",
    "circle": "part of a circle of files while they load",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A module or folder with its number and the top of its row."""

    number: int
    name: str
    y: float


@dataclass(frozen=True, slots=True)
class Mark:
    """Imports from the module of the column to the module of the row; `kind`: "use" (in order), "back" (against it) or "circle"."""

    x: float
    y: float
    link: Link
    kind: str


@dataclass(frozen=True, slots=True)
class Frame:
    """A group of modules that reach each other."""

    at: float
    size: float
    members: int


@dataclass(frozen=True, slots=True)
class Matrix:
    """The whole picture; `against` are the links above the diagonal, for the table beside it, `alone` the boxes that neither import nor are imported."""

    cell: int
    width: float
    height: float
    rows: tuple[Row, ...]
    marks: tuple[Mark, ...]
    frames: tuple[Frame, ...]
    against: tuple[tuple[Link, str], ...]
    alone: int


def matrix(graph: Boxes) -> Matrix | None:
    """The folded graph as a matrix; None where it is too small or too large for one, or nothing imports anything."""
    linked = {name for link in graph.links for name in (link.source, link.target)}
    count = len(linked)
    if not LEAST <= count <= MOST:
        return None
    cell = 20 if count <= ROOMY else 16
    groups = [group for group in in_layers(graph) if linked.issuperset(group)]
    order = [name for group in groups for name in group]
    place = {name: number for number, name in enumerate(order)}
    marks = []
    for link in graph.links:
        above = place[link.target] < place[link.source]
        kind = "circle" if link.circular else "back" if above else "use"
        marks.append(Mark(_at(place[link.source], cell), HEAD + place[link.target] * cell, link, kind))
    frames = [Frame(place[group[0]] * cell, len(group) * cell, len(group)) for group in groups if len(group) > 1]
    against = [(mark.link, _WORDS[mark.kind]) for mark in marks if place[mark.link.target] < place[mark.link.source]]
    return Matrix(
        cell=cell,
        width=LABEL + count * cell + 2,
        height=HEAD + count * cell + 2,
        rows=tuple(Row(number + 1, name, HEAD + number * cell) for name, number in place.items()),
        marks=tuple(marks),
        frames=tuple(frames),
        against=tuple(against),
        alone=len(graph.boxes) - count,
    )


def _at(number: int, cell: int) -> float:
    return LABEL + number * cell
