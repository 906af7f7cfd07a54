"""Supplies the structure of production code: measures of modules and folders, what to cut in circles, communities, imports against the layers."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from auditor.evidence.registry import Context, own_stamp, provides
from auditor.graphs import betweenness, cheapest_cuts, circles, communities, reach
from auditor.layers import inferred_layer, upward
from auditor.model.evidence import Edge, Module, ModuleGraph
from auditor.model.need import Known, Unavailable
from auditor.model.needs import MODULE_GRAPH, PROJECT, STRUCTURE, SYNTAX
from auditor.model.project import Project, Side
from auditor.model.structure import Breach, Community, Cut, Folder, Measure, Structure
from auditor.model.syntax import DefinitionKind, FileFacts, ImportKind, Syntax

_PIVOTS = 100
_SMALLEST_COMMUNITY = 3
_ABSTRACT = re.compile(r"(?:^|\.)(?:ABC|ABCMeta|Protocol|TypedDict|Interface)(?:\[|$)|metaclass=ABCMeta")


@provides(STRUCTURE, needs=(MODULE_GRAPH, PROJECT, SYNTAX))
def supply(_context: Context, graph: ModuleGraph, project: Project, syntax: Syntax) -> Known[Structure] | Unavailable:
    """The structure with inferred layers."""
    return Known(structure(graph, project, syntax), own_stamp())


def structure(graph: ModuleGraph, project: Project, syntax: Syntax) -> Structure:
    """Measure production modules; layers are inferred from the names of folders. Those an owner declared are the gate's (`auditor.matching`)."""
    modules = tuple(module for module in graph.modules if module.path in project.production)
    names = frozenset(module.id for module in modules)
    inner = [edge for edge in graph.edges if edge.source in names and edge.target in names and edge.kind is not ImportKind.TYPE_ONLY]
    pairs = [(edge.source, edge.target) for edge in inner]
    reached = reach(names, pairs)
    return Structure(
        measures=tuple(_measures(modules, pairs, reached)),
        folders=tuple(_folders(modules, pairs, syntax)),
        communities=tuple(_communities(modules, pairs)),
        cuts=tuple(_cuts(modules, inner, syntax)),
        breaches=tuple(_breaches(modules, inner, project)),
        propagation_cost=sum(down + 1 for down, _ in reached.values()) / len(names) ** 2 if names else 0.0,
    )


def _measures(modules: Sequence[Module], pairs: list[tuple[str, str]], reached: dict[str, tuple[int, int]]) -> Iterator[Measure]:
    fan_in, fan_out = Counter(target for _, target in pairs), Counter(source for source, _ in pairs)
    between = betweenness([module.id for module in modules], pairs, _PIVOTS)
    for module in modules:
        down, up = reached[module.id]
        yield Measure(module.id, fan_in[module.id], fan_out[module.id], up, down, round(between[module.id], 6))


def _cuts(modules: Sequence[Module], edges: list[Edge], syntax: Syntax) -> Iterator[Cut]:
    """The cheapest imports to cut in each circle of import time: those that bring the fewest names."""
    paths = {module.id: module.path for module in modules}
    eager = {(edge.source, edge.target): edge for edge in edges if edge.kind is ImportKind.IMPORT_TIME}
    for circle in circles(paths, eager):
        inside = frozenset(circle)
        prices = {pair: _names(syntax.files[paths[pair[0]]], edge.line) for pair, edge in eager.items() if inside.issuperset(pair)}
        for pair in cheapest_cuts(circle, prices, prices):
            yield Cut(pair[0], pair[1], eager[pair].line, prices[pair])


def _names(facts: FileFacts, line: int) -> int:
    return max(1, *(len(statement.names) for statement in facts.imports if statement.line == line), 1)


def _folders(modules: Sequence[Module], pairs: list[tuple[str, str]], syntax: Syntax) -> Iterator[Folder]:
    home = {module.id: _folder(module.path) for module in modules}
    inside: defaultdict[str, list[Module]] = defaultdict(list)
    incoming: defaultdict[str, set[str]] = defaultdict(set)
    outgoing: defaultdict[str, set[str]] = defaultdict(set)
    for module in modules:
        inside[home[module.id]].append(module)
    for source, target in pairs:
        if home[source] != home[target]:
            outgoing[home[source]].add(target)
            incoming[home[target]].add(source)
    for path, members in sorted(inside.items()):
        into, out = len(incoming[path]), len(outgoing[path])
        instability = out / (into + out) if into + out else 0.0
        abstract = _abstractness([syntax.files[module.path] for module in members])
        lines = sum(module.lines for module in members)
        yield Folder(
            path, len(members), lines, into, out, round(instability, 4), round(abstract, 4), round(abs(abstract + instability - 1), 4)
        )


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _abstractness(files: list[FileFacts]) -> float:
    """The share of public definitions that only describe."""
    described = total = 0
    for facts in files:
        classes = [entry for entry in facts.definitions if entry.kind is DefinitionKind.CLASS and entry.parent < 0]
        types = {export.name for export in facts.exports if export.type_only}
        described += len(types) + sum(any(_ABSTRACT.search(base) for base in entry.bases) for entry in classes)
        total += len(types) + sum(entry.parent < 0 for entry in facts.definitions)
    return min(1.0, described / total) if total else 0.0


def _communities(modules: Sequence[Module], pairs: list[tuple[str, str]]) -> Iterator[Community]:
    """Communities of several modules; single ones say nothing."""
    paths = {module.id: module.path for module in modules}
    for group in communities(paths, pairs):
        if len(group) >= _SMALLEST_COMMUNITY:
            folders = Counter(_folder(paths[name]) for name in group)
            folder = min(folders, key=lambda name: (-folders[name], name))
            yield Community(group, folder, round(folders[folder] / len(group), 4))


def _breaches(modules: Sequence[Module], edges: list[Edge], project: Project) -> Iterator[Breach]:
    """Imports that lead upwards, each deployable part by itself."""
    by_part: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for module in modules:
        browser = project.sides.get(module.path) in {Side.BROWSER, Side.BOTH}
        layer = inferred_layer(module.path, browser=browser)
        part = project.part_of(module.path).root
        by_part[part][module.id] = layer
    at = {(edge.source, edge.target): edge.line for edge in edges}
    for _, placed in sorted(by_part.items()):
        for source, target in upward(at, placed):
            yield Breach(source, target, at[source, target], placed[source], placed[target])
