"""The structure of the code as the HTML report tells it in words: boxes of the picture, circles of modules, families of copies."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from auditor.graphs import cut, shortest_circle
from auditor.model.evidence import CloneFamily, Edge
from auditor.model.report import CloneReport, GraphReport
from auditor.model.syntax import ImportKind
from auditor.render.grouping import fold, shared_start
from auditor.render.layout import Drawing, draw
from auditor.render.twins import Pair, pairs

CIRCLES = 20
FAMILIES = 25
FAMILY_PLACES = 8
INSIDES = 10
"""Folders of the picture that are drawn again, opened."""


@dataclass(frozen=True, slots=True)
class CopyView:
    """A family of copies: the places printed, how many are in the JSON alone, and two of its members side by side where the report has their code."""

    family: CloneFamily
    places: tuple[str, ...]
    left_out: int
    files: int
    pair: Pair | None = None


@dataclass(frozen=True, slots=True)
class Circle:
    """Modules that import each other while they load; `shortest` is a closed walk through some of them, first repeated at the end.

    `shared` is what the names of all begin with, up to a dot or slash. `cut` is the import whose removal leaves least of the circle, `place` where it stands.
    """

    members: tuple[str, ...]
    shortest: tuple[str, ...]
    cut: Edge | None
    place: str
    shared: str = ""


@dataclass(frozen=True, slots=True)
class Inside:
    """What a folder of the picture looks like inside."""

    name: str
    files: int
    drawing: Drawing
    rows: tuple[BoxRow, ...]


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
    numbered = sorted(
        enumerate(clones.families if clones else ()),
        key=lambda pair: (-pair[1].lines * (len(pair[1].fragments) - 1), pair[1].fragments[0].path, pair[1].fragments[0].line),
    )
    side_by_side = pairs(clones)
    return tuple(
        CopyView(
            family,
            tuple(f"{part.path}:{part.line}–{part.end_line}" for part in family.fragments[:FAMILY_PLACES]),
            max(0, len(family.fragments) - FAMILY_PLACES),
            len({part.path for part in family.fragments}),
            side_by_side.get(number),
        )
        for number, family in numbered[:FAMILIES]
    )


def circles(graph: GraphReport | None) -> tuple[Circle, ...]:
    """The largest circles with the import to cut; where there are more than two modules, also a short way round."""
    if graph is None:
        return ()
    eager = {(edge.source, edge.target): edge for edge in graph.edges if edge.kind is ImportKind.IMPORT_TIME}
    path_of = {module.id: module.path for module in graph.modules}
    found = []
    for members in graph.cycles[:CIRCLES]:
        edge = eager.get(cut(members, eager) or ("", ""))
        place = f"{path_of.get(edge.source, edge.source)}:{edge.line}" if edge else ""
        found.append(
            Circle(
                members,
                shortest_circle(members, eager) if len(members) > 2 else (),
                edge,
                place,
                shared_start(members, "/" if "/" in members[0] else "."),
            )
        )
    return tuple(found)


def insides(graph: GraphReport | None, drawing: Drawing | None) -> tuple[Inside, ...]:
    """The fullest folders of the picture, opened, in the picture's order."""
    if graph is None or drawing is None:
        return ()
    folders = [placed.box for placed in drawing.boxes if placed.box.folder and len(placed.box.modules) > 2]
    chosen = {box.name for box in sorted(folders, key=lambda box: (-len(box.modules), box.name))[:INSIDES]}
    found = []
    for box in folders:
        if box.name in chosen:
            inner = draw(fold(_part(graph, frozenset(box.modules))))
            found.append(Inside(box.name, len(box.modules), inner, boxes(inner)))
    return tuple(found)


def _part(graph: GraphReport, inside: frozenset[str]) -> GraphReport:
    """The graph of some of its modules; layers stay those of the whole."""
    cycles = (tuple(name for name in cycle if name in inside) for cycle in graph.cycles)
    return dataclasses.replace(
        graph,
        modules=tuple(module for module in graph.modules if module.id in inside),
        edges=tuple(edge for edge in graph.edges if edge.source in inside and edge.target in inside),
        cycles=tuple(cycle for cycle in cycles if len(cycle) > 1),
    )


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
