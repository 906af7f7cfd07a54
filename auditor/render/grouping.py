"""Folds a module graph into few enough boxes to be read: folders, and single files where there is room for them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from auditor.model.report import GraphReport
from auditor.model.syntax import ImportKind

BOXES = 40
FILES_OPENED = 4
"""A folder with more files of its own stays one box, unless every file of the graph fits."""


@dataclass(frozen=True, slots=True)
class Box:
    """A file, or a folder with everything below it; `own` says that only the files directly in the folder are meant."""

    name: str
    modules: tuple[str, ...]
    folder: bool
    lines: int
    depth: float
    circles: int

    @property
    def label(self) -> str:
        """The last part of the path, a folder marked by its slash."""
        return self.name.rstrip("/*").rpartition("/")[2] + ("/" if self.folder else "")

    @property
    def parent(self) -> str:
        """The path above the label."""
        return self.name.rstrip("/*").rpartition("/")[0]


@dataclass(frozen=True, slots=True)
class Link:
    """Imports from one box to another: how many, whether one of them is part of a circle of files at import time, whether all come later."""

    source: str
    target: str
    count: int
    circular: bool
    lazy: bool


@dataclass(frozen=True, slots=True)
class Boxes:
    """The folded graph, in name order."""

    boxes: tuple[Box, ...]
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class _Group:
    """Paths that make one box; `kind` is "tree" (a folder and all below), "own" (its direct files) or "file"."""

    name: str
    kind: str
    paths: tuple[str, ...]


def fold(graph: GraphReport, limit: int = BOXES) -> Boxes:
    """The graph with at most `limit` boxes (folders are opened from the fullest one on, as long as there is room)."""
    groups = _groups(tuple(sorted({module.path for module in graph.modules})), limit)
    home = {path: group.name for group in groups for path in group.paths}
    path_of = {module.id: module.path for module in graph.modules}
    ring = {module: number for number, cycle in enumerate(graph.cycles) for module in cycle}
    box_of = {module.id: home[module.path] for module in graph.modules}
    links = _links(graph, box_of, ring)
    return Boxes(tuple(_box(group, graph, path_of, ring) for group in sorted(groups, key=lambda g: g.name)), links)


def group_paths(paths: tuple[str, ...], limit: int) -> list[tuple[str, tuple[str, ...]]]:
    """Sorted paths in at most `limit` named groups, folders and files, by name; a folder's name ends with a slash, or an asterisk for its own files."""
    return sorted((group.name, group.paths) for group in _groups(paths, limit))


def group_name(name: str) -> str:
    """The name of a group in words: what stands for a folder's own files says so."""
    if name.startswith("("):
        return name.rstrip("/*")
    return f"{name[:-1] or 'top level'}: own files" if name.endswith("*") else name or "top level"


def _groups(paths: tuple[str, ...], limit: int) -> list[_Group]:
    if len(paths) <= limit:
        return [_Group(path, "file", (path,)) for path in paths]
    groups = _open(_Group(shared_start(paths), "tree", paths))
    while True:
        candidates = sorted((group for group in groups if group.kind != "file"), key=lambda g: (-len(g.paths), g.name))
        for group in candidates:
            opened = _open(group)
            if opened != [group] and len(groups) - 1 + len(opened) <= limit:
                groups = [other for other in groups if other is not group] + opened
                break
        else:
            break
    if len(groups) <= limit:
        return groups
    kept = sorted(groups, key=lambda g: (-len(g.paths), g.name))
    rest = tuple(sorted(path for group in kept[limit - 1 :] for path in group.paths))
    return [*kept[: limit - 1], _Group("(everything else)/*", "rest", rest)]


def shared_start(names: tuple[str, ...], separator: str = "/") -> str:
    """What all the names begin with, up to and with the last separator."""
    first, last = min(names), max(names)
    length = next((n for n, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), min(len(first), len(last)))
    return first[: first.rfind(separator, 0, length) + 1]


def _open(group: _Group) -> list[_Group]:
    """What a group consists of, one level down; the group itself when it stays closed."""
    below: dict[str, list[str]] = defaultdict(list)
    own = []
    for path in group.paths:
        head, slash, _ = path[len(group.name) :].partition("/")
        if slash and group.kind == "tree":
            below[group.name + head + "/"].append(path)
        else:
            own.append(path)
    trees = [_Group(name, "tree", tuple(found)) for name, found in sorted(below.items())]
    if not own or (trees and len(own) > FILES_OPENED):
        return [*trees, *([_Group(group.name + "*", "own", tuple(own))] if own else [])]
    if len(own) <= FILES_OPENED:
        return [*trees, *(_Group(path, "file", (path,)) for path in own)]
    return [group]


def _box(group: _Group, graph: GraphReport, path_of: dict[str, str], ring: dict[str, int]) -> Box:
    inside = set(group.paths)
    modules = tuple(module.id for module in graph.modules if path_of[module.id] in inside)
    level = {module: depth for depth, layer in enumerate(graph.layers) for module in layer}
    depths = [level.get(module, len(graph.layers)) for module in modules]
    members: dict[int, int] = defaultdict(int)
    for module in modules:
        if module in ring:
            members[ring[module]] += 1
    return Box(
        name=group.name,
        modules=modules,
        folder=group.kind != "file",
        lines=sum(module.lines for module in graph.modules if path_of[module.id] in inside),
        depth=sum(depths) / len(depths) if depths else 0.0,
        circles=sum(count > 1 for count in members.values()),
    )


def _links(graph: GraphReport, box_of: dict[str, str], ring: dict[str, int]) -> tuple[Link, ...]:
    counts: dict[tuple[str, str], int] = defaultdict(int)
    circular: set[tuple[str, str]] = set()
    eager: set[tuple[str, str]] = set()
    for edge in graph.edges:
        pair = (box_of.get(edge.source, ""), box_of.get(edge.target, ""))
        if not all(pair) or pair[0] == pair[1] or edge.kind is ImportKind.TYPE_ONLY:
            continue
        counts[pair] += 1
        if edge.kind is ImportKind.IMPORT_TIME:
            eager.add(pair)
        if edge.source in ring and ring.get(edge.target) == ring[edge.source]:
            circular.add(pair)
    return tuple(Link(*pair, count, pair in circular, pair not in eager) for pair, count in sorted(counts.items()))
