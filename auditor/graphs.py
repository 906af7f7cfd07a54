"""Pure graph helpers over names: strongly connected components, a short circle inside one, the edge to cut, and layers. Knows nothing of modules or files."""

from __future__ import annotations

from collections import Counter
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


_EXAMINED = 400
"""Edges of a circle that are tried when the best one to cut is looked for."""


def cut(members: Iterable[str], edges: Pairs) -> tuple[str, str] | None:
    """The edge whose removal leaves the smallest circle; among equals the one that begins where most lean on, for that is where it is least expected."""
    import networkx as nx

    inside = set(members)
    pairs = sorted({pair for pair in edges if pair[0] != pair[1]})
    into = Counter(target for _, target in pairs)
    own = [pair for pair in pairs if pair[0] in inside and pair[1] in inside]
    graph = _digraph(inside, own)
    best: tuple[tuple[int, int, int], tuple[str, str]] | None = None
    for source, target in own[:_EXAMINED]:
        graph.remove_edge(source, target)
        left = max((len(part) for part in nx.strongly_connected_components(graph)), default=0)
        graph.add_edge(source, target)
        rank = ((left, -into[source], into[target]), (source, target))
        best = rank if best is None or rank < best else best
    return best[1] if best else None


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
