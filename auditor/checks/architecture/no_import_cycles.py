"""Modules that import each other in a circle.

Passing title: Modules do not depend on each other in circles
Failing title: Modules depend on each other in circles
Grading: The share of production modules that stand in a circle of imports that run when the program is loaded; a circle that only closes through imports
    inside functions counts a quarter, one through types alone nothing. Above 5 % is partial; it fails when one circle holds more than a quarter of
    the modules or the share passes 60 %.
Done when: No module can reach itself through its imports, and the build refuses a new circle.
What it cannot see: Circles through names looked up at run time, dependency injection by strings, and calls between services.
"""

from __future__ import annotations

from itertools import pairwise

from auditor.checks.registry import check
from auditor.graphs import circles, shortest_circle
from auditor.model.evidence import Edge, ModuleGraph
from auditor.model.needs import MODULE_GRAPH, PROJECT, SYNTAX
from auditor.model.project import Project
from auditor.model.syntax import ImportKind, Syntax
from auditor.model.verdict import Assessed, Finding, Judgement, NotApplicable
from auditor.words import listed, percent, plural

_FEWEST_MODULES = 5
_LAZY_WEIGHT = 0.25
_LARGEST_SHARE = 0.25
_RECORDS = frozenset({"Entity", "Table", "Schema", "ObjectType", "ChildEntity", "Model"})


@check("architecture.no-import-cycles", needs=(MODULE_GRAPH, PROJECT), optional=(SYNTAX,), tolerance=0.05)
def no_import_cycles(graph: ModuleGraph, project: Project, syntax: Syntax | None) -> Judgement:
    """Strongly connected components of the import graph, those of load time first."""
    modules = {module.id: module.path for module in graph.modules if module.path in project.production}
    if len(modules) < _FEWEST_MODULES:
        return NotApplicable(f"Only {plural(len(modules), 'module')}: too few to depend on each other in circles.")
    related = _records(syntax)
    edges = [
        edge
        for edge in graph.edges
        if edge.source in modules
        and edge.target in modules
        and not _is_package_door(edge, modules)
        and not {modules[edge.source], modules[edge.target]} <= related
    ]
    at_load = [(edge.source, edge.target) for edge in edges if edge.kind is ImportKind.IMPORT_TIME]
    at_run = [(edge.source, edge.target) for edge in edges if edge.kind is not ImportKind.TYPE_ONLY]
    hard = circles(modules, at_load)
    inside = {name for circle in hard for name in circle}
    soft = [circle for circle in circles(modules, at_run) if not set(circle) <= inside]
    tangled = {name for circle in soft for name in circle} - inside
    bad = len(inside) + min(_LAZY_WEIGHT * len(tangled), 0.5 * len(modules))
    floor = 0.6 if hard and len(hard[0]) > _LARGEST_SHARE * len(modules) and len(hard[0]) > _FEWEST_MODULES else 0.0
    findings = [_finding("circle", circle, at_load, edges, modules) for circle in hard]
    findings += [_finding("lazy-circle", circle, at_run, edges, modules) for circle in soft]
    summary = (
        f"{plural(len(inside), 'module stands', 'modules stand')} in {plural(len(hard), 'circle')} of {plural(len(modules), 'module')}."
        if inside
        else f"No circle among the imports of {plural(len(modules), 'module')} that run at load time."
    )
    signals = (
        f"modules: {len(modules)}, imports between them: {len(edges)}",
        f"in circles at load time: {percent(len(inside) / len(modules))}; in circles closed by imports inside functions: {len(tangled)}",
        f"largest circle: {len(hard[0]) if hard else 0} modules",
    )
    return Assessed(bad=bad, total=len(modules), summary=summary, floor=floor, findings=tuple(findings), signals=signals)


def _records(syntax: Syntax | None) -> frozenset[str]:
    """Files of classes that a mapper declares as stored records: relations between two of them name both ways by design."""
    if syntax is None:
        return frozenset()
    return frozenset(
        path
        for path, facts in syntax.files.items()
        if any(call.callee.rpartition(".")[2] in _RECORDS for definition in facts.definitions for call in definition.decorators)
    )


def _is_package_door(edge: Edge, modules: dict[str, str]) -> bool:
    """A module that imports the package it lies in: the package's own file only passes names on, the circle is not one of design."""
    return edge.source.startswith(edge.target + ".") and modules[edge.target].endswith("__init__.py")


def _finding(rule: str, circle: tuple[str, ...], pairs: list[tuple[str, str]], edges: list[Edge], modules: dict[str, str]) -> Finding:
    walk = shortest_circle(circle, pairs) or (*circle[:2], circle[0])
    steps = set(pairwise(walk))
    places = {(edge.source, edge.target): edge for edge in edges if (edge.source, edge.target) in steps}
    first = next((places[step] for step in pairwise(walk) if step in places), None)
    others = f" ({len(circle)} modules hang together in it)" if len(circle) > len(walk) - 1 else ""
    names = [modules[name] for name in walk[:6]]
    chain = " → ".join(names) + (" → …" if len(walk) > 6 else "")
    what = (
        "import each other in a circle, so none of them can be changed, tested or loaded without the others"
        if rule == "circle"
        else "need each other in a circle that imports inside functions hide"
    )
    message = f"{listed(sorted(set(names)), 3)} {what}{others}: {chain}."
    return Finding(rule, modules[walk[0]], message, first.line if first is not None else 0, cwe=1047)
