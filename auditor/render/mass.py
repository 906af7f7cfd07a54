"""Where the mass lies: a treemap of lines by folder, tinted by what makes code hard to keep, and a scatter of how often and how hard files are to change."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass

from auditor.model.report import FileMeasure, Report
from auditor.render.grouping import group_paths
from auditor.render.text import cut_path
from auditor.words import percent

TILES = 40
WIDTH, HEIGHT = 860, 440
HOTSPOTS = 12
NAMED = 8
POINTS = 300
LEFT_EDGE = 56.0
FEWEST_COMMITS = 30
"""With a shorter history nothing can be said about how often files change."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A folder or file as a rectangle; the levels 0 to 4 and the words of each measure: branches, copies, changes."""

    name: str
    label: str
    x: float
    y: float
    width: float
    height: float
    files: int
    lines: int
    branches: tuple[int, str]
    copies: tuple[int, str]
    changes: tuple[int, str]


Rectangle = tuple[float, float, float, float]


def tiles(report: Report) -> tuple[Tile, ...]:
    """Folders and files by lines, the largest first; none without measures."""
    by_path = {file.path: file for file in report.files if file.lines}
    if not by_path:
        return ()
    groups = [(name, [by_path[path] for path in paths]) for name, paths in group_paths(tuple(sorted(by_path)), TILES)]
    groups.sort(key=lambda group: (-_lines(group[1]), group[0]))
    busiest = max(sum(file.changes for file in files) for _, files in groups)
    places = squarified([_lines(files) for _, files in groups], (0.0, 0.0, float(WIDTH), float(HEIGHT)))
    return tuple(_tile(name, files, place, busiest) for (name, files), place in zip(groups, places, strict=True))


def _lines(files: Sequence[FileMeasure]) -> int:
    return sum(file.lines for file in files)


def _tile(name: str, files: list[FileMeasure], place: Rectangle, busiest: int) -> Tile:
    lines = _lines(files)
    density = 100 * sum(file.complexity for file in files) / lines
    share = sum(file.copied for file in files) / lines
    changes = sum(file.changes for file in files)
    return Tile(
        name=name,
        label="/".join(name.rstrip("/*").split("/")[-2:]) or "top level",
        x=round(place[0], 1),
        y=round(place[1], 1),
        width=round(place[2], 1),
        height=round(place[3], 1),
        files=len(files),
        lines=lines,
        branches=(_level(density, (6, 12, 18, 25)), f"{density:.0f}"),
        copies=(_level(share, (0.0, 0.05, 0.1, 0.2)), percent(share)),
        changes=(_level(changes / busiest if busiest else 0.0, (0.0, 0.25, 0.5, 0.75)), str(changes)),
    )


def _level(value: float, borders: tuple[float, float, float, float]) -> int:
    return sum(value > border for border in borders)


def squarified(sizes: Sequence[float], inside: Rectangle) -> list[Rectangle]:
    """Rectangles of the given areas (in proportion), largest first, as near to squares as rows allow (Bruls, Huizing and van Wijk, 2000)."""
    x, y, width, height = inside
    scale = width * height / sum(sizes) if sum(sizes) else 0.0
    areas = [size * scale for size in sizes]
    found: list[Rectangle] = []
    while areas:
        side = min(width, height)
        row = [areas.pop(0)]
        while areas and _worst([*row, areas[0]], side) <= _worst(row, side):
            row.append(areas.pop(0))
        depth = sum(row) / side if side else 0.0
        along = 0.0
        for area in row:
            length = area / depth if depth else 0.0
            found.append((x, y + along, depth, length) if width >= height else (x + along, y, length, depth))
            along += length
        x, y, width, height = (x + depth, y, width - depth, height) if width >= height else (x, y + depth, width, height - depth)
    return found


def _worst(row: list[float], side: float) -> float:
    """The worst ratio of sides in a row of these areas laid along `side`."""
    total = sum(row)
    if not total or not side:
        return math.inf
    return max(max(side * side * area / total**2, total**2 / (side * side * area)) if area else math.inf for area in row)


@dataclass(frozen=True, slots=True)
class Spot:
    """A file in the scatter; those worth naming have a label where there is room for it, from `at_x` on, at the height `at_y`."""

    file: FileMeasure
    x: float
    y: float
    radius: float
    named: bool = False
    label: str = ""
    at_x: float = 0.0
    at_y: float = 0.0


@dataclass(frozen=True, slots=True)
class Scatter:
    """Changes against branches, one mark for each file; axes go from 0 to `most_changes` and `most_branches`."""

    width: int
    height: int
    left: int
    bottom: int
    most_changes: int
    most_branches: int
    spots: tuple[Spot, ...]
    ranked: tuple[FileMeasure, ...]
    left_out: int


def scatter(report: Report) -> Scatter | None:
    """The files by changes and branches; None where the history is too short to say how often anything changes."""
    if report.history is None or report.history.read < FEWEST_COMMITS:
        return None
    moving = [file for file in report.files if file.changes and file.complexity]
    ranked = sorted(moving, key=lambda file: (-file.changes * file.complexity, file.path))
    if not ranked:
        return None
    width, height, left, bottom = 860, 380, int(LEFT_EDGE), 46
    shown = ranked[:POINTS]
    most_x, most_y = _round_up(max(file.changes for file in shown)), _round_up(max(file.complexity for file in shown))
    largest = max(file.lines for file in shown)
    spots: list[Spot] = []
    taken: list[tuple[float, float, float]] = []
    for number, file in enumerate(shown):
        x = left + (width - left - 20) * file.changes / most_x
        y = (height - bottom) - (height - bottom - 18) * file.complexity / most_y
        radius = 3.0 + 11.0 * math.sqrt(file.lines / largest)
        spot = Spot(file, round(x, 1), round(y, 1), round(radius, 1))
        spots.append(_named(spot, taken, width) if number < NAMED else spot)
    return Scatter(width, height, left, bottom, most_x, most_y, tuple(reversed(spots)), tuple(ranked[:HOTSPOTS]), len(ranked) - len(shown))


def _named(spot: Spot, taken: list[tuple[float, float, float]], width: int) -> Spot:
    """The spot with its label beside, above or below it; without one where others stand on all sides (the table names it)."""
    label = cut_path("/".join(spot.file.path.split("/")[-2:]), 28)
    room = 6.8 * len(label)
    away, middle = spot.radius + 4, spot.x - room / 2
    corners = [(spot.x + away, 4.0), (spot.x - away - room, 4.0), (middle, -away - 2), (middle, away + 10)]
    for start, down in corners:
        line = spot.y + down
        free = not any(abs(line - other) < 13 and start < end and begin < start + room for begin, end, other in taken)
        if free and start > LEFT_EDGE and start + room < width:
            taken.append((start, start + room, line))
            return dataclasses.replace(spot, named=True, label=label, at_x=round(start, 1), at_y=round(line, 1))
    return dataclasses.replace(spot, named=True)


def _round_up(value: int) -> int:
    """The next figure that makes a good end of an axis of four steps."""
    return next(step * int(10**power) for power in range(12) for step in (4, 8, 12, 20, 32) if step * 10**power >= value or power == 11)
