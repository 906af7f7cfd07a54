"""Database queries in the code that answers requests and draws pages, in place of modules made for them.

Passing title: Database access lives in a few modules made for it
Failing title: Database queries are spread over handlers and pages
Grading: Of all queries, the share that stands in modules that answer requests or draw pages, in place of modules those call (models, repositories, services).
    Fetching one record by its key, making tables, commands and stand-alone scripts do not count. Up to 20 % passes, from 70 % fails; a single module with
    fewer than ten queries is partial at most.
Done when: Handlers and pages call named functions or methods of a data layer, and a search for the database client finds that layer only.
What it cannot see: Queries through clients and helpers it does not know, which of two layers a module belongs to, and whether the layer's functions are well cut.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from auditor.checks.database_calls import DatabaseCall, database_calls
from auditor.checks.registry import check
from auditor.model.evidence import ModuleGraph, RouteKind, Routes, Stores
from auditor.model.needs import MODULE_GRAPH, PROJECT, ROUTES, STORES, SYNTAX
from auditor.model.project import Project
from auditor.model.syntax import FileFacts, ImportKind, Syntax, ValueKind
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable, Place, Undecided
from auditor.words import percent, plural

_FEWEST_MODULES = 5
_TOLERANCE = 0.2
_FAIL_SHARE = 0.7
_FEW_QUERIES = 10
_MARKUP = 8
"""Lines of mark-up from which a script file draws something; a provider of a context has fewer."""
_ROUTER = re.compile(r"^(?:\w*[rR]outer|app)\.(?:get|post|put|patch|delete|del|all)$")
_COMMAND = re.compile(
    r"(?:^|/)(?:management/commands|commands|cli|scripts?|bin|jobs|tasks|cron|seeds?|seeders?)/|(?:^|/)(?:cli|manage|seed\w*|commands)\.\w+$"
)


@dataclass(frozen=True, slots=True)
class _Module:
    """A module that queries: its queries that are more than a look-up by key, and what it is for."""

    path: str
    queries: tuple[DatabaseCall, ...]
    answers: bool
    draws: bool

    @property
    def is_outer(self) -> bool:
        """Whether it answers requests or draws pages."""
        return self.answers or self.draws


@check("architecture.data-access-contained", needs=(SYNTAX, PROJECT, ROUTES, STORES, MODULE_GRAPH), tolerance=_TOLERANCE)
def data_access_contained(syntax: Syntax, project: Project, routes: Routes, stores: Stores, graph: ModuleGraph) -> Judgement:
    """Weigh the queries of handlers and pages against all queries that other modules could hold."""
    files = syntax.of(project.production)
    calls = database_calls(files)
    if len(files) < _FEWEST_MODULES:
        return NotApplicable(f"Only {plural(len(files), 'module')}: too few for a layer of their own.")
    if not calls:
        return _nothing_found(stores)
    modules = [module for module in _modules(calls, syntax, routes, graph) if module.queries]
    outer = [module for module in modules if module.is_outer]
    inner = [module for module in modules if not module.is_outer]
    spread = sum(len(module.queries) for module in outer)
    total = spread + sum(len(module.queries) for module in inner)
    share = spread / total if total else 0.0
    badness = _badness(share, outer, modules)
    return Assessed(
        bad=badness,
        total=1,
        summary=_summary(spread, total, outer),
        findings=tuple(_finding(module) for module in sorted(outer, key=lambda one: (-len(one.queries), one.path)))
        if badness > _TOLERANCE
        else (),
        evidence=tuple(Place(module.path, module.queries[0].line) for module in sorted(inner, key=lambda one: -len(one.queries))[:5]),
        signals=(
            f"queries in handlers and pages: {spread} of {total} ({percent(share)}), in {len(outer)} of {len(modules)} modules",
            f"look-ups of one record by its key, left out: {sum(call.lookup for found in calls.values() for call in found)}",
        ),
        confidence=Confidence.MEDIUM,
    )


def _nothing_found(stores: Stores) -> Judgement:
    """Without a query in sight there is no database, or one that is asked in ways nobody here knows."""
    places = (*stores.relational, *stores.document)
    if places:
        reason = "A database is opened, and no query through it was recognised: look for the modules that talk to it, and whether handlers do so themselves."
        return Undecided(reason, places[:3])
    return NotApplicable("No database is queried by this code.")


def _modules(calls: dict[str, tuple[DatabaseCall, ...]], syntax: Syntax, routes: Routes, graph: ModuleGraph) -> list[_Module]:
    """The querying modules; commands and scripts that no module imports are left out."""
    paths = {module.id: module.path for module in graph.modules}
    imported = {paths[edge.target] for edge in graph.edges if edge.kind is not ImportKind.TYPE_ONLY and edge.target in paths}
    # A server action is a function that pages call: its module may well be the layer.
    answering = {
        place.path for route in routes.routes if route.kind is not RouteKind.ACTION for place in (route.place, route.registered) if place
    }
    found = []
    for path, entries in calls.items():
        module = _Module(
            path,
            tuple(entry for entry in entries if not entry.lookup),
            answers=path in answering or _registers(syntax.files[path]),
            draws=_draws(syntax.files[path]),
        )
        if module.is_outer or (path in imported and not _COMMAND.search(path)):
            found.append(module)
    return found


def _registers(facts: FileFacts) -> bool:
    """Whether handlers are handed to a router here, under whatever kind of path."""
    return any(
        _ROUTER.search(call.callee) and len(call.arguments) > 1 and call.arguments[0].value.kind is ValueKind.STRING for call in facts.calls
    )


def _draws(facts: FileFacts) -> bool:
    """Whether a script file draws a part of a page."""
    if facts.path.endswith((".vue", ".svelte")):
        return True
    return sum(definition.jsx_lines for definition in facts.definitions if definition.parent == -1) >= _MARKUP


def _badness(share: float, outer: list[_Module], modules: list[_Module]) -> float:
    """The share itself up to the tolerance, then rising to the failing grade at 70 %."""
    if share <= _TOLERANCE:
        return share
    small = len(modules) == 1 and len(outer[0].queries) < _FEW_QUERIES
    if share >= _FAIL_SHARE and not small:
        return min(1.0, 0.6 + (share - _FAIL_SHARE))
    return min(0.55, 0.25 + 0.3 * (share - _TOLERANCE) / (_FAIL_SHARE - _TOLERANCE))


def _summary(spread: int, total: int, outer: list[_Module]) -> str:
    if not total:
        return "Queries are look-ups by key only, or stand in commands and scripts."
    if not outer:
        return f"All {plural(total, 'query', 'queries')} stand in modules that handlers and pages call."
    return f"{spread} of {plural(total, 'query', 'queries')} stand in {plural(len(outer), 'module')} that answer requests or draw pages."


def _finding(module: _Module) -> Finding:
    kind = "answers requests" if module.answers else "draws pages"
    count = plural(len(module.queries), "query", "queries")
    message = f"{module.path} {kind} and holds {count} of its own: whoever renames a column has to find this place too, and nothing of it can be used or tested alone."
    return Finding("queries-in-handler", module.path, message, module.queries[0].line, confidence=Confidence.MEDIUM, cwe=1057)
