"""Compares the module graph with grimp's and dependency-cruiser's, edge for edge: `python -m benchmarks.graph TREE... [--cruiser FOLDER]`.

Prints Markdown: for each tree, view by view, how many edges are the same, how many one side has alone, and whether the strongly connected components agree;
then the differences by what explains them, those that nothing explains one by one.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from auditor.cache import Cache
from auditor.evidence.registry import Context
from auditor.evidence.script_modules import package_name
from auditor.gather import gather
from auditor.graphs import circles
from auditor.model.evidence import ModuleGraph
from auditor.model.need import Known, Unavailable
from auditor.model.needs import MANIFESTS, MODULE_GRAPH, SYNTAX
from auditor.model.syntax import ImportKind, Syntax
from auditor.snapshot import read_tree
from benchmarks.graph_references import Pair, Reference, cruiser_reference, grimp_reference

VIEWS = {
    "all": frozenset(ImportKind),
    "runtime": frozenset({ImportKind.IMPORT_TIME, ImportKind.LAZY}),
    "import-time": frozenset({ImportKind.IMPORT_TIME}),
}
BY_NAME = "importlib.import_module with a constant name, which grimp does not follow"
BESIDE = "a file started by its path imports its neighbours by their bare names, which grimp takes for packages from outside"
WORKER = "a file the bundler adds (`new URL(..., import.meta.url)`), which dependency-cruiser does not follow"
GLOB = "files of a bundler's glob import, which dependency-cruiser does not follow"
BUILT = "a package of the workspace whose entry is only there after its build; ours leads to its source"
ALIAS = "an alias of the bundler's settings, which dependency-cruiser was not given"
UNEXPLAINED = "not explained"


@dataclass(frozen=True, slots=True)
class Ours:
    """Our graph over the files of one language family; `written`: what stands in the import of an edge, "" when it is no statement; `packages`: npm packages of the tree."""

    files: frozenset[str]
    edges: dict[Pair, ImportKind]
    written: dict[Pair, str]
    packages: frozenset[str]


@dataclass(frozen=True, slots=True)
class Difference:
    """An edge in which the two differ: `only` says which side has it alone, "" when both have it with another kind."""

    pair: Pair
    only: str
    ours: ImportKind | None
    theirs: ImportKind | None


def our_graphs(root: Path) -> tuple[Ours, Ours]:
    """The module graph of a tree, nothing remembered: Python's part and that of scripts."""
    found = gather(Context(root, Cache(None), "2026-01-01"), read_tree(root), [MODULE_GRAPH, SYNTAX, MANIFESTS])
    graph, syntax, manifests = (_value(found[need.name]) for need in (MODULE_GRAPH, SYNTAX, MANIFESTS))
    packages = frozenset(manifest.name for manifest in manifests.manifests if manifest.name)
    return _part(graph, syntax, frozenset(), python=True), _part(graph, syntax, packages, python=False)


def _value(evidence: Known[Any] | Unavailable) -> Any:
    assert isinstance(evidence, Known), evidence
    return evidence.value


def _part(graph: ModuleGraph, syntax: Syntax, packages: frozenset[str], *, python: bool) -> Ours:
    paths = {module.id: module.path for module in graph.modules if (module.language == "python") is python}
    edges = [edge for edge in graph.edges if edge.source in paths and edge.target in paths]
    written = {}
    for edge in edges:
        source = paths[edge.source]
        on_line = [statement.module for statement in syntax.files[source].imports if statement.line == edge.line]
        written[source, paths[edge.target]] = on_line[0] if on_line else ""
    kinds = {(paths[edge.source], paths[edge.target]): edge.kind for edge in edges}
    return Ours(frozenset(paths.values()), kinds, written, packages)


def differences(ours: Ours, theirs: Reference) -> Iterator[Difference]:
    """Every edge between files that both know in which the two differ."""
    both = ours.files & theirs.files
    for pair in sorted(ours.edges.keys() | theirs.edges.keys()):
        if pair[0] == pair[1] or not both.issuperset(pair):
            continue
        if pair not in theirs.edges:
            yield Difference(pair, "ours", ours.edges[pair], None)
        elif pair not in ours.edges:
            yield Difference(pair, "theirs", None, theirs.edges[pair])
        elif theirs.edges[pair] is not None and theirs.edges[pair] is not ours.edges[pair]:
            yield Difference(pair, "", ours.edges[pair], theirs.edges[pair])


def reason(difference: Difference, ours: Ours) -> str:
    """What explains a difference, from what our edge was made of."""
    written = ours.written.get(difference.pair, "")
    if difference.only != "ours":
        return UNEXPLAINED
    if difference.pair[0].endswith(".py"):
        return _reason_python(difference.pair, written)
    if "*" in written:
        return GLOB
    if written.startswith("."):
        return WORKER if difference.ours is ImportKind.LAZY else UNEXPLAINED
    return BUILT if package_name(written) in ours.packages else ALIAS


def _reason_python(pair: Pair, written: str) -> str:
    if not written:
        return BY_NAME
    beside = f"{pair[0].rpartition('/')[0]}/{written.replace('.', '/')}"
    return BESIDE if pair[1].startswith((f"{beside}.", f"{beside}/")) else UNEXPLAINED


def report(ours: Ours, theirs: Reference) -> Iterator[str]:
    """The comparison as Markdown."""
    both = ours.files & theirs.files
    yield f"{len(both):,} files in both graphs; {len(ours.files - both)} more in ours."
    yield ""
    yield "| view | edges equal | only ours | only theirs | components | equal |"
    yield "|---|---|---|---|---|---|"
    for view, kinds in VIEWS.items():
        mine = {pair for pair, kind in ours.edges.items() if kind in kinds and both.issuperset(pair) and pair[0] != pair[1]}
        other = {
            pair
            for pair, kind in theirs.edges.items()
            if (kind or ours.edges.get(pair)) in kinds and both.issuperset(pair) and pair[0] != pair[1]
        }
        here, there = circles(both, mine), circles(both, other)
        yield f"| {view} | {len(mine & other):,} | {len(mine - other)} | {len(other - mine)} | {len(here)} | {'yes' if here == there else f'no ({len(there)})'} |"
    yield ""
    yield from _explained(ours, differences(ours, theirs))


def _explained(ours: Ours, found: Iterable[Difference]) -> Iterator[str]:
    groups: dict[str, list[Difference]] = defaultdict(list)
    for difference in found:
        groups[reason(difference, ours)].append(difference)
    for why, members in sorted(groups.items(), key=lambda group: (group[0] == UNEXPLAINED, group[0])):
        yield f"- {len(members)}: {why}"
        for one in members if why == UNEXPLAINED else ():
            yield f"  - {one.pair[0]} -> {one.pair[1]}: ours {one.ours or '-'}, theirs {one.theirs or '-'}"


def main() -> None:
    """Compare the trees given."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("trees", nargs="+", type=Path)
    parser.add_argument("--cruiser", type=Path, help="folder into which npm installed dependency-cruiser; without it JS/TS is left out")
    arguments = parser.parse_args()
    for tree in arguments.trees:
        python, scripts = our_graphs(tree)
        print(f"## {tree.name}\n")
        if python.files:
            print("### grimp\n", *report(python, grimp_reference(tree, python.files)), "", sep="\n")
        if scripts.files and arguments.cruiser:
            print(
                "### dependency-cruiser\n",
                *report(scripts, cruiser_reference(tree, scripts.files, arguments.cruiser)),
                "",
                sep="\n",
                flush=True,
            )


if __name__ == "__main__":
    main()
