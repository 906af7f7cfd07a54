"""Supplies which production modules the product reaches from where it begins, and which nothing starts or imports."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from auditor.evidence.entry_points import begins_by_place, is_library, loaded_folders, named_elsewhere, starts_itself, used_as_elements
from auditor.evidence.registry import Context, own_stamp, provides
from auditor.model.evidence import ModuleGraph, Routes
from auditor.model.need import Known, Unavailable
from auditor.model.needs import MODULE_GRAPH, PROJECT, REACHABILITY, ROUTES, SNAPSHOT, SYNTAX, TEXTS
from auditor.model.project import Project
from auditor.model.snapshot import Role, Snapshot
from auditor.model.structure import Reachability
from auditor.model.syntax import Syntax

_NO_PRODUCT = frozenset({Role.TEST, Role.EXAMPLE})


@provides(REACHABILITY, needs=(SNAPSHOT, TEXTS, SYNTAX, MODULE_GRAPH, PROJECT, ROUTES))
def supply(  # noqa: PLR0917 - evidence comes by position
    _context: Context, snapshot: Snapshot, texts: dict[str, str], syntax: Syntax, graph: ModuleGraph, project: Project, routes: Routes
) -> Known[Reachability] | Unavailable:
    """Reachability over all imports, those for types included."""
    return Known(reachability(snapshot, texts, syntax, graph, project, routes), own_stamp())


def reachability(  # noqa: PLR0917 - evidence comes by position
    snapshot: Snapshot, texts: dict[str, str], syntax: Syntax, graph: ModuleGraph, project: Project, routes: Routes
) -> Reachability:
    """What the entries reach, what tests reach beside them, and what is left."""
    paths = {module.id: module.path for module in graph.modules}
    nodes = frozenset(paths.values())
    targets: defaultdict[str, set[str]] = defaultdict(set)
    for edge in graph.edges:
        targets[paths[edge.source]].add(paths[edge.target])
    roles = {file.path: file.role for file in snapshot.files}
    production = project.production & nodes
    served = {place.path for route in routes.routes for place in (route.place, route.registered) if place is not None}
    outside = {path for path in nodes - production if roles.get(path) not in _NO_PRODUCT}
    begun = {
        path
        for path in production
        if path in served or begins_by_place(path) or starts_itself(syntax.files[path]) or is_library(project, path)
    }
    reached = _closure(begun | outside, targets)
    left = production - reached
    named = named_elsewhere(left, snapshot, texts) | used_as_elements(left, syntax.of(nodes))
    reached = _closure(reached | named, targets)
    by_tests = _closure({path for path in nodes if roles.get(path) in _NO_PRODUCT}, targets)
    folders = loaded_folders(syntax.of(production), frozenset(path.rpartition("/")[0] for path in nodes))
    left = production - reached
    unknown = {path for path in left if syntax.files[path].error_line or _below(path, folders)}
    unknown = _closure(unknown, targets) & left
    left -= unknown
    return Reachability(
        entries=tuple(sorted((begun | named) & production)),
        unreachable=tuple(sorted(left - by_tests)),
        tested_only=tuple(sorted(left & by_tests)),
        unknown=tuple(sorted(unknown)),
    )


def _closure(starts: Iterable[str], targets: dict[str, set[str]]) -> set[str]:
    """Everything imports lead to; a Python module brings the packages it lies in."""
    reached: set[str] = set()
    pending = sorted(starts)
    while pending:
        path = pending.pop()
        if path in reached:
            continue
        reached.add(path)
        pending.extend(targets.get(path, ()))
        if path.endswith(".py"):
            folder = path.rpartition("/")[0]
            while folder:
                pending.append(f"{folder}/__init__.py")
                folder = folder.rpartition("/")[0]
    return reached


def _below(path: str, folders: frozenset[str]) -> bool:
    folder = path.rpartition("/")[0]
    while folder:
        if folder in folders:
            return True
        folder = folder.rpartition("/")[0]
    return "" in folders
