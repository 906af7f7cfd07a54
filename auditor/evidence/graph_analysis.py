"""What the report shows of the module graph: production modules, their layers, circles at import time, tangles at run time, circles of types."""

from __future__ import annotations

from auditor.graphs import circles, layers
from auditor.model.evidence import ModuleGraph
from auditor.model.report import GraphReport
from auditor.model.structure import Structure
from auditor.model.syntax import ImportKind


def analyse(graph: ModuleGraph, production: frozenset[str], structure: Structure | None = None) -> GraphReport:
    """The part of the graph that lies in `production` (paths), analysed; `structure` goes with it as it is."""
    modules = tuple(module for module in graph.modules if module.path in production)
    names = {module.id for module in modules}
    edges = tuple(edge for edge in graph.edges if edge.source in names and edge.target in names)
    at_import = [(edge.source, edge.target) for edge in edges if edge.kind is ImportKind.IMPORT_TIME]
    at_run = [(edge.source, edge.target) for edge in edges if edge.kind is not ImportKind.TYPE_ONLY]
    tangles = circles(names, at_run)
    together = [set(tangle) for tangle in tangles]
    every = circles(names, [(edge.source, edge.target) for edge in edges])
    return GraphReport(
        modules=modules,
        edges=edges,
        layers=layers(names, at_import),
        cycles=circles(names, at_import),
        tangles=tangles,
        type_cycles=tuple(circle for circle in every if not any(set(circle) <= tangle for tangle in together)),
        structure=structure,
    )
