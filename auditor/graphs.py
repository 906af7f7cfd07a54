"""Pure graph helpers over names: strongly connected components, a short circle inside one, and layers. Knows nothing of modules or files."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import networkx as nx

Pairs = Iterable[tuple[str, str]]


def circles(nodes: Iterable[str], edges: Pairs) -> tuple[tuple[str, ...], ...]:
    """Strongly connected components of more than one node, largest first, then by name; members in name order."""
    import networkx as nx

    found = [tuple(sorted(part)) for part in nx.strongly_connected_components(_digraph(nodes, edges)) if len(part) > 1]
    return tuple(sorted(found, key=lambda part: (-len(part), part)))


def shortest_circle(members: Iterable[str], edges: Pairs) -> tuple[str, ...]:
    """A shortest closed walk through the first member that has one, first node repeated at the end; () when there is none."""
    import networkx as nx

    inside = sorted(set(members))
    graph = _digraph(inside, (pair for pair in edges if pair[0] in set(inside) and pair[1] in set(inside)))
    best: tuple[str, ...] = ()
    for start in inside[:50]:
        for successor in sorted(graph.successors(start)):
            if nx.has_path(graph, successor, start):
                walk = (start, *nx.shortest_path(graph, successor, start))
                if not best or len(walk) < len(best):
                    best = walk
        if len(best) == 3:  # two nodes that import each other: nothing is shorter
            break
    return best


def layers(nodes: Iterable[str], edges: Pairs) -> tuple[tuple[str, ...], ...]:
    """Nodes by distance from the top: what nothing points at first; the members of a circle share a layer."""
    import networkx as nx

    condensed = nx.condensation(_digraph(nodes, edges))
    members = condensed.nodes(data="members")
    return tuple(
        tuple(sorted(name for component in generation for name in members[component]))
        for generation in nx.topological_generations(condensed)
    )


def _digraph(nodes: Iterable[str], edges: Pairs) -> nx.DiGraph[str]:
    """The graph with nodes and edges in sorted order, so that every walk over it is the same each time; no edge from a node to itself."""
    import networkx as nx

    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(sorted(set(nodes)))
    graph.add_edges_from(sorted({(source, target) for source, target in edges if source != target}))
    return graph
