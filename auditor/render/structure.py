"""The structure of the code as the HTML report tells it in words: boxes of the picture, circles of modules, families of copies."""

from __future__ import annotations

from dataclasses import dataclass

from auditor.graphs import shortest_circle
from auditor.model.evidence import CloneFamily
from auditor.model.report import CloneReport, GraphReport
from auditor.model.syntax import ImportKind
from auditor.render.layout import Drawing

CIRCLES = 20
FAMILIES = 25
FAMILY_PLACES = 8


@dataclass(frozen=True, slots=True)
class CopyView:
    """A family of copies: the places printed, and how many are in the JSON alone."""

    family: CloneFamily
    places: tuple[str, ...]
    left_out: int


@dataclass(frozen=True, slots=True)
class Circle:
    """Modules that import each other while they load; `shortest` is a closed walk through some of them, first repeated at the end."""

    members: tuple[str, ...]
    shortest: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BoxRow:
    """A box of the picture in words: what it imports and what imports it."""

    name: str
    files: int
    lines: int
    imports: tuple[str, ...]
    imported_by: int


def copies(clones: CloneReport | None) -> tuple[CopyView, ...]:
    """The largest families first: by the lines that would go if one place were kept."""
    families = sorted(
        clones.families if clones else (),
        key=lambda family: (-family.lines * (len(family.fragments) - 1), family.fragments[0].path, family.fragments[0].line),
    )
    return tuple(
        CopyView(
            family,
            tuple(f"{part.path}:{part.line}–{part.end_line}" for part in family.fragments[:FAMILY_PLACES]),
            max(0, len(family.fragments) - FAMILY_PLACES),
        )
        for family in families[:FAMILIES]
    )


def circles(graph: GraphReport | None) -> tuple[Circle, ...]:
    """The largest circles; where there are more than two modules, also a short way round: one of its imports is the one to cut."""
    if graph is None:
        return ()
    eager = [(edge.source, edge.target) for edge in graph.edges if edge.kind is ImportKind.IMPORT_TIME]
    return tuple(Circle(members, shortest_circle(members, eager) if len(members) > 2 else ()) for members in graph.cycles[:CIRCLES])


def boxes(drawing: Drawing | None) -> tuple[BoxRow, ...]:
    """The boxes from top to bottom; none without a picture."""
    if drawing is None:
        return ()
    return tuple(
        BoxRow(
            placed.box.name,
            len(placed.box.modules),
            placed.box.lines,
            tuple(sorted({link.target for link in drawing.links if link.source == placed.box.name})),
            placed.fan_in,
        )
        for placed in drawing.boxes
    )
