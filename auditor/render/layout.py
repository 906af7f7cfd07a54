"""Places boxes in ranked rows, importers above what they import, and draws the arrows: a small, deterministic Sugiyama layout.

Steps: components of mutually reachable boxes, an order inside them, rows by longest path, dummy points for long arrows, barycentre sweeps, coordinates.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise

from auditor.render.grouping import Box, Boxes, Link

BOX_WIDTH = 148.0
BOX_HEIGHT = 58.0
GAP = 18.0
DUMMY = 14.0
ROW_STEP = 108.0
ROW_BOXES = 7
"""Boxes side by side; a fuller row is broken into two."""
MARGIN = 14.0
_SWEEPS = 12
_KINDS = ("down", "back", "circle")
"""Drawing order: what matters is painted last."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A box with its top left corner, and how many other boxes import it."""

    box: Box
    x: float
    y: float
    fan_in: int


@dataclass(frozen=True, slots=True)
class Arrow:
    """An arrow as an SVG path; `kind` is "down", "back" (against the order) or "circle" (files in a circle)."""

    link: Link
    path: str
    kind: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """Everything the picture holds; `implied` arrows are left out because a longer way says the same, `links` are all of them."""

    width: float
    height: float
    boxes: tuple[Placed, ...]
    arrows: tuple[Arrow, ...]
    implied: int
    links: tuple[Link, ...] = ()


def draw(graph: Boxes) -> Drawing:
    """The layout of a folded graph."""
    boxes = {box.name: box for box in graph.boxes}
    order = _order(graph)
    position = {name: index for index, name in enumerate(order)}
    forward = [link for link in graph.links if position[link.source] < position[link.target]]
    backward = [link for link in graph.links if position[link.source] > position[link.target]]
    kept = _reduced(forward, order)
    rows = _broken(_rows(order, forward), boxes)
    chains, grid = _chains(rows, [*kept, *backward])
    grid = _untangled(grid, chains)
    xs = _coordinates(grid, chains, boxes)
    left = min([0.0, *(xs[name] - BOX_WIDTH / 2 for name in boxes)])
    centre = {name: x - left + MARGIN for name, x in xs.items()}
    row_of = {name: number for number, row in enumerate(rows) for name in row}
    fan_in = {name: sum(link.target == name for link in graph.links) for name in boxes}
    ports = _Ports(chains, centre, boxes)
    arrows = [Arrow(link, ports.path(link, row_of), "circle" if link.circular else "down") for link in kept]
    arrows += [Arrow(link, ports.path(link, row_of), "circle" if link.circular else "back") for link in backward]
    return Drawing(
        width=round(max((x + (BOX_WIDTH / 2 if name in boxes else DUMMY) for name, x in centre.items()), default=0.0) + MARGIN, 1),
        height=MARGIN * 2 + BOX_HEIGHT + (len(rows) - 1) * ROW_STEP,
        boxes=_placed(boxes, rows, centre, fan_in),
        arrows=tuple(sorted(arrows, key=lambda arrow: (_KINDS.index(arrow.kind), arrow.link.source, arrow.link.target))),
        implied=len(forward) - len(kept),
        links=graph.links,
    )


def _successors(links: list[Link]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for link in links:
        found[link.source].append(link.target)
    return found


def in_layers(graph: Boxes) -> list[tuple[str, ...]]:
    """All boxes so that imports point forward, in groups of mutually dependent ones; inside a group the files' own layers decide."""
    boxes = {box.name: box for box in graph.boxes}
    after = _reachable(sorted(boxes), _successors(list(graph.links)))
    mates = {name: frozenset(other for other in after[name] if name in after[other]) | {name} for name in boxes}
    groups = {tuple(sorted(group, key=lambda name: (boxes[name].depth, name))) for group in mates.values()}
    return sorted(groups, key=lambda group: (-len(after[group[0]] | mates[group[0]]), min(group)))


def _order(graph: Boxes) -> list[str]:
    return [name for group in in_layers(graph) for name in group]


def _reachable(names: list[str], successors: dict[str, list[str]]) -> dict[str, frozenset[str]]:
    found = {}
    for name in names:
        seen: set[str] = set()
        pending = list(successors[name])
        while pending:
            current = pending.pop()
            if current not in seen:
                seen.add(current)
                pending.extend(successors[current])
        found[name] = frozenset(seen)
    return found


def _reduced(forward: list[Link], order: list[str]) -> list[Link]:
    """Forward links that no longer way replaces; links that are part of a circle of files always stay."""
    successors = _successors(forward)
    after = _reachable(order, successors)
    return [
        link
        for link in forward
        if link.circular or not any(link.target in after[middle] for middle in successors[link.source] if middle != link.target)
    ]


def _rows(order: list[str], forward: list[Link]) -> list[list[str]]:
    """Rows by longest path from the top; boxes without any link go to a row of their own at the bottom."""
    rank = dict.fromkeys(order, 0)
    into: dict[str, list[str]] = defaultdict(list)
    linked: set[str] = set()
    for link in forward:
        into[link.target].append(link.source)
        linked.update((link.source, link.target))
    for name in order:
        rank[name] = max((rank[source] + 1 for source in into[name]), default=0)
    depth = max((rank[name] for name in order if name in linked), default=-1) + 1
    rows: list[list[str]] = [[] for _ in range(depth + 1)]
    for name in order:
        rows[rank[name] if name in linked else depth].append(name)
    return [row for row in rows if row]


def _broken(rows: list[list[str]], boxes: dict[str, Box]) -> list[list[str]]:
    """Rows no wider than the page, each part about equally full."""
    result = []
    for row in rows:
        ordered = sorted(row, key=lambda name: (boxes[name].parent, name))
        parts = -(-len(ordered) // ROW_BOXES)
        size = -(-len(ordered) // parts)
        result += [ordered[start : start + size] for start in range(0, len(ordered), size)]
    return result


def _chains(rows: list[list[str]], links: list[Link]) -> tuple[dict[tuple[str, str], list[str]], list[list[str]]]:
    """For each link the nodes it runs through, dummies included, from the upper row to the lower; and the rows with dummies."""
    row_of = {name: number for number, row in enumerate(rows) for name in row}
    grid = [list(row) for row in rows]
    chains = {}
    for link in links:
        upper, lower = sorted((link.source, link.target), key=lambda name: (row_of[name], name))
        chain = [upper]
        for number in range(row_of[upper] + 1, row_of[lower]):
            dummy = f"\x00{link.source}\x00{link.target}\x00{number}"
            grid[number].append(dummy)
            chain.append(dummy)
        chains[link.source, link.target] = [*chain, lower]
    return chains, grid


def _neighbours(chains: dict[tuple[str, str], list[str]]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    above: dict[str, list[str]] = defaultdict(list)
    below: dict[str, list[str]] = defaultdict(list)
    for chain in chains.values():
        for upper, lower in pairwise(chain):
            above[lower].append(upper)
            below[upper].append(lower)
    return above, below


def _untangled(grid: list[list[str]], chains: dict[tuple[str, str], list[str]]) -> list[list[str]]:
    """The rows reordered by barycentre sweeps; the ordering with the fewest crossings is kept."""
    above, below = _neighbours(chains)
    best, fewest = [list(row) for row in grid], _crossings(grid, below)
    current = [list(row) for row in grid]
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        for number in range(1, len(current)) if down else range(len(current) - 2, -1, -1):
            fixed = current[number - 1 if down else number + 1]
            place = {name: (index + 0.5) / len(fixed) for index, name in enumerate(fixed)}
            current[number] = _by_barycentre(current[number], above if down else below, place)
        crossings = _crossings(current, below)
        if crossings < fewest:
            best, fewest = [list(row) for row in current], crossings
    return best


def _by_barycentre(row: list[str], links: dict[str, list[str]], place: dict[str, float]) -> list[str]:
    def key(entry: tuple[int, str]) -> tuple[float, int]:
        near = [place[name] for name in links[entry[1]] if name in place]
        return (sum(near) / len(near) if near else (entry[0] + 0.5) / len(row), entry[0])

    return [name for _, name in sorted(enumerate(row), key=key)]


def _crossings(grid: list[list[str]], below: dict[str, list[str]]) -> int:
    total = 0
    for upper, lower in pairwise(grid):
        place = {name: index for index, name in enumerate(lower)}
        ends = [sorted(place[name] for name in below[source] if name in place) for source in upper]
        flat = [end for group in ends for end in group]
        total += sum(first > second for index, first in enumerate(flat) for second in flat[index + 1 :])
    return total


def _coordinates(grid: list[list[str]], chains: dict[tuple[str, str], list[str]], boxes: dict[str, Box]) -> dict[str, float]:
    """Centre of every node: packed rows, then pulled towards their neighbours without changing the order."""
    sizes = {name: BOX_WIDTH + GAP if name in boxes else DUMMY for row in grid for name in row}
    page = max((sum(sizes[name] for name in row) for row in grid), default=0.0)
    xs: dict[str, float] = {}
    for row in grid:
        cursor = (page - sum(sizes[name] for name in row)) / 2
        for name in row:
            xs[name] = cursor + sizes[name] / 2
            cursor += sizes[name]
    above, below = _neighbours(chains)
    for sweep in range(_SWEEPS):
        rows = grid if sweep % 2 == 0 else grid[::-1]
        for row in rows:
            wanted = [_pull(name, above, below, xs) for name in row]
            xs.update(zip(row, _spread(wanted, [sizes[name] for name in row], page), strict=True))
    return xs


def _pull(name: str, above: dict[str, list[str]], below: dict[str, list[str]], xs: dict[str, float]) -> float:
    near = [xs[other] for other in (*above[name], *below[name])]
    return sum(near) / len(near) if near else xs[name]


def _spread(wanted: list[float], sizes: list[float], page: float) -> list[float]:
    """Positions near the wanted ones, in order, without overlap, inside the page."""
    placed: list[float] = []
    edge = 0.0
    for x, size in zip(wanted, sizes, strict=True):
        centre = max(x, edge + size / 2)
        placed.append(centre)
        edge = centre + size / 2
    edge = page
    for index in range(len(placed) - 1, -1, -1):
        placed[index] = min(placed[index], edge - sizes[index] / 2)
        edge = placed[index] - sizes[index] / 2
    return placed


def _placed(boxes: dict[str, Box], rows: list[list[str]], centre: dict[str, float], fan_in: dict[str, int]) -> tuple[Placed, ...]:
    return tuple(
        Placed(boxes[name], round(centre[name] - BOX_WIDTH / 2, 1), MARGIN + number * ROW_STEP, fan_in[name])
        for number, row in enumerate(rows)
        for name in sorted(row, key=lambda entry: centre[entry])
    )


class _Ports:
    """Where arrows leave and enter their boxes: spread along the edge, in the order of their other ends, so that they do not cross there."""

    def __init__(self, chains: dict[tuple[str, str], list[str]], centre: dict[str, float], boxes: dict[str, Box]) -> None:
        self.chains = chains
        self.centre = centre
        self.bottom = self._edge(boxes, 0)
        self.top = self._edge(boxes, -1)

    def _edge(self, boxes: dict[str, Box], end: int) -> dict[tuple[tuple[str, str], str], float]:
        """Where each link ends: x at the bottom (end 0, of the upper box) or at the top (end -1, of the lower box)."""
        at: dict[str, list[tuple[float, tuple[str, str]]]] = defaultdict(list)
        for key, chain in self.chains.items():
            at[chain[end]].append((self.centre[chain[1 if end == 0 else -2]], key))
        found = {}
        for name in boxes:
            ends = sorted(at[name])
            step = min(16.0, (BOX_WIDTH - 28) / max(1, len(ends)))
            for index, (_, key) in enumerate(ends):
                found[key, name] = self.centre[name] + (index - (len(ends) - 1) / 2) * step
        return found

    def path(self, link: Link, row_of: dict[str, int]) -> str:
        """The arrow's curve from source to target."""
        key = (link.source, link.target)
        chain = self.chains[key]
        first = row_of[chain[0]]
        points = [(self.bottom[key, chain[0]], MARGIN + first * ROW_STEP + BOX_HEIGHT)]
        for step, name in enumerate(chain[1:-1], 1):
            top = MARGIN + (first + step) * ROW_STEP
            points += [(self.centre[name], top), (self.centre[name], top + BOX_HEIGHT)]
        points.append((self.top[key, chain[-1]], MARGIN + row_of[chain[-1]] * ROW_STEP))
        if link.source != chain[0]:
            points.reverse()
        return _curve(points)


def _curve(points: list[tuple[float, float]]) -> str:
    x, y = points[0]
    parts = [f"M{x:.1f} {y:.1f}"]
    for (x1, y1), (x2, y2) in pairwise(points):
        if abs(x1 - x2) < 0.05:
            parts.append(f"L{x2:.1f} {y2:.1f}")
        else:
            middle = (y1 + y2) / 2
            parts.append(f"C{x1:.1f} {middle:.1f} {x2:.1f} {middle:.1f} {x2:.1f} {y2:.1f}")
    return "".join(parts)
