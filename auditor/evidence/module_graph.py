"""Supplies the module graph: the modules of the tree, who imports whom and when, what leads nowhere, and what comes from outside."""

from __future__ import annotations

from auditor.distributions import normalise
from auditor.evidence.ignored_paths import IgnoredPaths
from auditor.evidence.python_calls import miscalls
from auditor.evidence.python_modules import Links, PythonResolver
from auditor.evidence.python_tree import PythonTree
from auditor.evidence.registry import Context, own_stamp, provides
from auditor.evidence.script_config import ScriptConfig
from auditor.evidence.script_modules import ScriptResolver
from auditor.model.artifacts import Ecosystem, Manifests
from auditor.model.evidence import Edge, Module, ModuleGraph
from auditor.model.need import Known, Unavailable
from auditor.model.needs import MANIFESTS, MODULE_GRAPH, SNAPSHOT, SYNTAX, TEXTS
from auditor.model.snapshot import SCRIPT_LANGUAGES, Language, Role, Snapshot
from auditor.model.syntax import FileFacts, Syntax

_NO_NODES = frozenset({Role.VENDORED, Role.MINIFIED})


@provides(MODULE_GRAPH, needs=(SNAPSHOT, SYNTAX, MANIFESTS, TEXTS))
def supply(
    _context: Context, snapshot: Snapshot, syntax: Syntax, manifests: Manifests, texts: dict[str, str]
) -> Known[ModuleGraph] | Unavailable:
    """The module graph of everything that is not vendored or minified."""
    graph = build(snapshot, syntax, manifests, texts)
    nodes = {module.path for module in graph.modules}
    broken = tuple(
        (path, f"does not parse (line {syntax.files[path].error_line})") for path in sorted(nodes) if syntax.files[path].error_line
    )
    return Known(graph, own_stamp(), frozenset(nodes) - {path for path, _ in broken}, broken)


def build(snapshot: Snapshot, syntax: Syntax, manifests: Manifests, texts: dict[str, str]) -> ModuleGraph:
    """The module graph of a tree, in id order."""
    ignored = IgnoredPaths(texts)
    readable = {file.path: file for file in snapshot.files if file.role not in _NO_NODES and file.path in syntax.files}
    python = {path: syntax.files[path] for path, file in readable.items() if file.language is Language.PYTHON}
    scripts = {path: syntax.files[path] for path, file in readable.items() if file.language in SCRIPT_LANGUAGES}
    every = [file.path for file in snapshot.files]
    skipped = [entry.path for entry in snapshot.skipped]
    resolver = python_resolver(every, skipped, python, manifests, ignored)
    links = resolver.run()
    wrong = miscalls(resolver, texts)
    if scripts:
        config = ScriptConfig.read(texts)
        ScriptResolver(frozenset((*every, *skipped)), scripts, config, ignored, texts).run(links)
    names = {**resolver.tree.names(resolver.used_roots), **{path: path for path in scripts}}
    modules = sorted(
        (
            Module(names[path], path, file.language.value, file.lines)
            for path, file in readable.items()
            if path in python or path in scripts
        ),
        key=lambda module: module.id,
    )
    return ModuleGraph(
        modules=tuple(modules),
        edges=_edges(links, names, {**python, **scripts}),
        unresolved=tuple(sorted(links.unresolved, key=lambda gap: (gap.path, gap.line, gap.module, gap.name))),
        externals=tuple(sorted(set(links.externals), key=lambda use: (use.path, use.line, use.package, use.kind, use.guarded))),
        miscalls=wrong,
    )


def python_resolver(
    every: list[str], skipped: list[str], facts: dict[str, FileFacts], manifests: Manifests, ignored: IgnoredPaths
) -> PythonResolver:
    """The resolver of a tree's Python imports; `every` are all paths, `facts` those of the files that take part."""
    present = [path for path in every if path.endswith((".py", ".pyi", ".pyw"))]
    own = {normalise(manifest.name) for manifest in manifests.manifests if manifest.ecosystem is Ecosystem.PYPI}
    declared = frozenset(normalise(name) for name in manifests.declared(Ecosystem.PYPI)) - own
    return PythonResolver(PythonTree(present, [*every, *skipped]), facts, declared, ignored)


def _edges(links: Links, names: dict[str, str], nodes: dict[str, FileFacts]) -> tuple[Edge, ...]:
    found = [
        Edge(names[source], names[target], kind, line)
        for (source, target), (kind, line) in links.edges.items()
        if source in nodes and target in nodes
    ]
    return tuple(sorted(found, key=lambda edge: (edge.source, edge.target)))
