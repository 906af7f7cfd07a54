"""Pure graph helpers over names: circles and what to cut in them, layers, reach, betweenness, communities. Knows nothing of modules or files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
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


def cheapest_cuts(members: Iterable[str], edges: Pairs, prices: Mapping[tuple[str, str], int]) -> tuple[tuple[str, str], ...]:
    """Edges inside a strongly connected component without which it has no circle, as cheap together as a greedy order finds them.

    A heuristic for the feedback arc set after Eades, Lin and Smyth (1993): nodes are put in a row, sinks last and sources first, else the one that gives
    most more than it takes; edges against the row are cut, and those that can stay without closing a circle are put back, the dearest first.
    """
    import networkx as nx

    inside = sorted(set(members))
    kept = set(inside)
    graph = _digraph(inside, (pair for pair in edges if pair[0] in kept and pair[1] in kept))
    position = {name: number for number, name in enumerate(_greedy_order(graph, prices))}
    against = [(one, two) for one, two in graph.edges if position[one] > position[two]]
    graph.remove_edges_from(against)
    cut = []
    for one, two in sorted(against, key=lambda pair: (-prices.get(pair, 1), pair)):
        if nx.has_path(graph, two, one):
            cut.append((one, two))
        else:
            graph.add_edge(one, two)
    return tuple(sorted(cut))


def _greedy_order(graph: nx.DiGraph[str], prices: Mapping[tuple[str, str], int]) -> list[str]:
    """The nodes in a row in which few and cheap edges lead back."""
    gives = {name: sum(prices.get((name, other), 1) for other in graph.successors(name)) for name in graph}
    takes = {name: sum(prices.get((other, name), 1) for other in graph.predecessors(name)) for name in graph}
    first: list[str] = []
    last: list[str] = []
    left = dict.fromkeys(graph)
    while left:
        sink = next((name for name in left if not gives[name]), None)
        source = None if sink is not None else next((name for name in left if not takes[name]), None)
        chosen = sink or source or max(left, key=lambda name: (gives[name] - takes[name], name))
        (last if sink is not None else first).append(chosen)
        del left[chosen]
        for other in graph.successors(chosen):
            takes[other] -= prices.get((chosen, other), 1)
        for other in graph.predecessors(chosen):
            gives[other] -= prices.get((other, chosen), 1)
    return [*first, *reversed(last)]


def reach(nodes: Iterable[str], edges: Pairs) -> dict[str, tuple[int, int]]:
    """For each node how many others it reaches, and how many reach it, over any number of steps."""
    import networkx as nx

    condensed = nx.condensation(_digraph(nodes, edges))
    members = {number: sorted(names) for number, names in condensed.nodes(data="members")}
    bits = {number: 1 << place for place, number in enumerate(sorted(members))}
    sizes = [len(members[number]) for number in sorted(members)]
    order = list(nx.topological_sort(condensed))
    down = _gathered(reversed(order), condensed.successors, bits)
    up = _gathered(order, condensed.predecessors, bits)
    counts = {number: (_weight(down[number], sizes) - 1, _weight(up[number], sizes) - 1) for number in members}
    return {name: counts[number] for number, names in members.items() for name in names}


def _gathered(order: Iterable[int], following: Callable[[int], Iterable[int]], bits: dict[int, int]) -> dict[int, int]:
    """For each component, as a set of bits, itself and all components it leads to."""
    found: dict[int, int] = {}
    for number in order:
        found[number] = bits[number]
        for other in following(number):
            found[number] |= found[other]
    return found


def _weight(bits: int, sizes: list[int]) -> int:
    total = 0
    while bits:
        lowest = bits & -bits
        total += sizes[lowest.bit_length() - 1]
        bits ^= lowest
    return total


def betweenness(nodes: Iterable[str], edges: Pairs, pivots: int) -> dict[str, float]:
    """The share of shortest ways between two others that lead through a node (Brandes 2001), from `pivots` starts spread evenly over the names."""
    import networkx as nx

    graph = _digraph(nodes, edges)
    names = list(graph)
    starts = names if len(names) <= pivots else [names[place * len(names) // pivots] for place in range(pivots)]
    found = nx.betweenness_centrality_subset(graph, starts, names)
    pairs = max(1, len(starts) * max(1, len(names) - 2))
    return {name: value / pairs for name, value in found.items()}


def communities(nodes: Iterable[str], edges: Pairs) -> tuple[tuple[str, ...], ...]:
    """Groups of nodes with more edges among each other than to others (Louvain, started from a fixed state), largest first, then by name."""
    import networkx as nx

    graph = _digraph(nodes, edges).to_undirected()
    found = [tuple(sorted(group)) for group in nx.community.louvain_communities(graph, seed=1)]
    return tuple(sorted(found, key=lambda group: (-len(group), group)))


def _digraph(nodes: Iterable[str], edges: Pairs) -> nx.DiGraph[str]:
    """The graph with nodes and edges in sorted order, so that every walk over it is the same each time; no edge from a node to itself."""
    import networkx as nx

    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(sorted(set(nodes)))
    graph.add_edges_from(sorted({(source, target) for source, target in edges if source != target}))
    return graph
