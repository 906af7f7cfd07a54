"""Imports past a boundary: server code in the browser, a layer that reaches up, the insides of another package.

Passing title: Modules talk through what other modules offer, and layers only reach down
Failing title: Imports cross boundaries: into insides of other modules, up through the layers, or from the browser into the server
Grading: The share of imports between folders that reach into a package's private modules and names from outside of it, leave their own package of a workspace by a
    relative path, or lead from records up to rules or from rules up to routes. One private name that many borrow counts once. Above 3 % is partial, from 25 % fails. Code for the
    browser that loads a module for the server fails.
Done when: no import crosses one of these boundaries and the pipeline refuses new ones (import-linter, dependency-cruiser, eslint-plugin-boundaries).
What it cannot see: boundaries that only people know, what is reached through objects handed over, and layers whose folders are called something else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.checks.client_boundary import Crossing, crossings
from auditor.checks.registry import check
from auditor.model.artifacts import Ecosystem, Manifests
from auditor.model.evidence import Edge, ModuleGraph
from auditor.model.needs import MANIFESTS, MODULE_GRAPH, PROJECT, STRUCTURE, SYNTAX
from auditor.model.project import Project
from auditor.model.structure import Breach, Structure
from auditor.model.syntax import ImportKind, Syntax
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable
from auditor.words import percent, plural

_FEWEST_MODULES = 10
_TOLERANCE = 0.05
_PARTIAL_SHARE = 0.03
_FAIL_SHARE = 0.25
_PRIVATE = re.compile(r"^_(?!_)\w")
_INSIDE_FOLDER = re.compile(r"(?:^|/)(?:_?internals?|_private)/")
_ENFORCERS = frozenset(
    {"import-linter", "tach", "grimp", "pytest-archon", "dependency-cruiser", "eslint-plugin-boundaries", "@nx/eslint-plugin", "eslint-plugin-import-x"}
)  # fmt: skip


@check("architecture.boundaries-respected", needs=(MODULE_GRAPH, PROJECT, SYNTAX, STRUCTURE, MANIFESTS), tolerance=_TOLERANCE)
def boundaries_respected(graph: ModuleGraph, project: Project, syntax: Syntax, structure: Structure, manifests: Manifests) -> Judgement:
    """Count what crosses a boundary against all imports between folders."""
    modules = {module.id: module.path for module in graph.modules if module.path in project.production}
    if len(modules) < _FEWEST_MODULES:
        return NotApplicable(f"Only {plural(len(modules), 'module')}: too few to have boundaries inside.")
    edges = [edge for edge in graph.edges if edge.source in modules and edge.target in modules and edge.kind is not ImportKind.TYPE_ONLY]
    between = sum(_folder(modules[edge.source]) != _folder(modules[edge.target]) for edge in edges)
    crossed = crossings(graph, project, syntax)
    inner = [*_private(edges, modules, syntax), *_inner_folders(edges, modules), *_other_packages(edges, modules, syntax, manifests)]
    upward = [_upward(breach, modules) for breach in structure.breaches]
    weight = len({(finding.rule, finding.message) for finding in inner}) + len(upward)
    share = min(1.0, weight / (between or len(edges) or 1))
    findings = [*map(_crossing, crossed), *_once_each(inner), *upward]
    badness = max(0.7 if crossed else 0.0, _badness(share, weight, len(upward)))
    enforcers = sorted({entry.name for manifest in manifests.manifests for entry in manifest.requirements} & _ENFORCERS)
    signals = (
        f"imports between folders: {between}; across a boundary: {weight} ({percent(share)})",
        f"browser code that loads server code: {len(crossed)}; into insides: {len(inner)}; up through layers: {len(upward)}",
        f"boundaries are held by: {', '.join(enforcers) or 'nothing found'}",
    )
    return Assessed(badness, 1, _summary(crossed, weight, between), findings=tuple(findings), signals=signals, confidence=Confidence.MEDIUM)


def _badness(share: float, weight: int, upward: int) -> float:
    """The tolerance at 3 %, the failing grade from 25 %; a single borrowed name never weighs more than the tolerance."""
    if share <= _PARTIAL_SHARE or (weight <= 1 and not upward):
        return _TOLERANCE * min(1.0, share / _PARTIAL_SHARE)
    return min(1.0, 0.1 + 0.5 * (share - _PARTIAL_SHARE) / (_FAIL_SHARE - _PARTIAL_SHARE))


def _summary(crossed: tuple[Crossing, ...], weight: int, between: int) -> str:
    if crossed:
        return f"{plural(len(crossed), 'file')} for the browser {'loads' if len(crossed) == 1 else 'load'} code that only a server can run."
    if weight:
        return f"{plural(weight, 'import')} of {between:,} between folders {'crosses' if weight == 1 else 'cross'} a boundary."
    return f"None of {plural(between, 'import')} between folders crosses a boundary."


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _crossing(crossing: Crossing) -> Finding:
    through = f" through {' → '.join(crossing.way[-3:])}" if crossing.way else ""
    what = f"loads {crossing.target}{through}, which needs" if crossing.target != crossing.path else "needs"
    message = f"{crossing.path} runs in the browser and {what} {crossing.needs}: the build stops there, or the page breaks and carries server code to everybody."
    return Finding("server-code-in-browser", crossing.path, message, crossing.line, crossing.line, cwe=1061)


def _upward(breach: Breach, modules: dict[str, str]) -> Finding:
    message = f"{modules[breach.source]} belongs to the {breach.lower} and imports {modules[breach.target]} of the {breach.upper} above it: it cannot be used, tested or changed without them."
    return Finding("upward-import", modules[breach.source], message, breach.line, breach.line, Confidence.MEDIUM, cwe=1054)


def _private(edges: list[Edge], modules: dict[str, str], syntax: Syntax) -> Iterator[Finding]:
    """Python: names and modules with a leading underscore, taken from outside the package they are private to."""
    for edge in edges:
        source, target = modules[edge.source], modules[edge.target]
        if not source.endswith(".py"):
            continue
        names = {
            name for entry in syntax.files[source].imports if entry.line == edge.line for name, _ in entry.names if _PRIVATE.match(name)
        }
        bound = sorted(names & set(syntax.files[target].bound)) if names else []
        if bound and not _is_inside(source, _folder(target)):
            yield _inside("private-name", source, edge.line, f"{bound[0]} of {target}")
            continue
        home = _private_home(target)
        if home is not None and not _is_inside(source, home):
            yield _inside("private-module", source, edge.line, target)


def _private_home(path: str) -> str | None:
    """The package a module with a private part in its path belongs to."""
    parts = path.removesuffix(".py").split("/")
    place = next((number for number, part in enumerate(parts) if _PRIVATE.match(part)), None)
    return None if place is None else "/".join(parts[:place])


def _is_inside(path: str, folder: str) -> bool:
    return not folder or path.startswith(folder + "/")


def _inner_folders(edges: list[Edge], modules: dict[str, str]) -> Iterator[Finding]:
    """Folders called internal, entered from outside of the folder they lie in."""
    for edge in edges:
        found = _INSIDE_FOLDER.search(modules[edge.target])
        if found and not _is_inside(modules[edge.source], modules[edge.target][: found.start()]):
            yield _inside("private-module", modules[edge.source], edge.line, modules[edge.target])


def _other_packages(edges: list[Edge], modules: dict[str, str], syntax: Syntax, manifests: Manifests) -> Iterator[Finding]:
    """JS/TS: relative paths that leave their own package of a workspace and end in another one."""
    roots = sorted((m.root for m in manifests.manifests if m.ecosystem is Ecosystem.NPM and m.name and m.root), key=lambda root: -len(root))
    for edge in edges if len(roots) > 1 else ():
        source, target = modules[edge.source], modules[edge.target]
        home, other = (next((root for root in roots if path.startswith(root + "/")), "") for path in (source, target))
        apart = home and other and home != other and not other.startswith(home + "/")
        if apart and any(entry.line == edge.line and entry.module.startswith("..") for entry in syntax.files[source].imports):
            yield _inside("past-the-package", source, edge.line, target)


def _inside(rule: str, source: str, line: int, what: str) -> Finding:
    reasons = {
        "private-name": "the underscore says that it may change without notice",
        "private-module": "its name says that it may change without notice",
        "past-the-package": "it goes past what that package offers, and breaks when a file there moves",
    }
    return Finding(rule, source, f"{what} is reached from outside of its package: {reasons[rule]}.", line, line, cwe=1061)


def _once_each(findings: list[Finding]) -> Iterator[Finding]:
    """One finding for each thing that is borrowed, at its first borrower."""
    seen: set[tuple[str, str]] = set()
    for finding in sorted(findings, key=lambda one: (one.path, one.line)):
        if (finding.rule, finding.message) not in seen:
            seen.add((finding.rule, finding.message))
            yield finding
