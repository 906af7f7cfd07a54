"""Routers, controllers, pages, tasks, receivers, apps and middleware that are written and that nothing registers.

Passing title: Every part that is written is also registered
Failing title: Parts are written and never registered: nobody can reach them
Grading: b is the share of parts that nothing mounts, lists, loads or routes to; any is partial at least,
    and where a quarter or more of what is written is never registered, or an endpoint for signing in, paying or deleting, a scheduled job or a guard is among it, it fails.
Done when: each router, controller and page is mounted, listed in a module or given a route, each module with tasks or receivers is loaded, each middleware is given to the application, or deleted; a test at start lists what is registered.
What it cannot see: registration by computed names, and parts a plug-in system or another repository picks up.
"""

from __future__ import annotations

import re
from collections import defaultdict

from auditor.checks.misplaced_scripts import misplaced
from auditor.checks.registry import check
from auditor.checks.unloaded_modules import PythonModules, unloaded
from auditor.model.evidence import ModuleGraph, Route, Routes
from auditor.model.needs import MODULE_GRAPH, PROJECT, ROUTES, SNAPSHOT, SYNTAX, TEXTS
from auditor.model.project import Project
from auditor.model.snapshot import Snapshot
from auditor.model.syntax import Call, DefinitionKind, FileFacts, Syntax
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable, Place
from auditor.words import plural

_WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE", "ANY"})
_CRITICAL = re.compile(r"login|sign-?in|auth|pay|checkout|refund|webhook|delete|confirm|password", re.IGNORECASE)
_PAGE = re.compile(r"(?:^|/)src/(?:[\w-]+/){0,3}(?:pages|views|screens)/(?:[\w-]+/){0,3}[A-Z]\w*\.(?:tsx|jsx|vue)$")
_ROUTERS = frozenset({"react-router-dom", "react-router", "vue-router", "wouter", "@tanstack/react-router"})
_FILE_ROUTING = ("nextjs", "nuxt", "remix", "sveltekit", "astro", "tanstack-start", "gatsby")
_BY_PATTERN = re.compile(r"^(?:import\.meta\.glob\w*|require\.context|import)$")


@check("wiring.parts-registered", needs=(ROUTES, MODULE_GRAPH, SYNTAX, PROJECT, SNAPSHOT, TEXTS))
def parts_registered(  # noqa: PLR0917 - evidence comes by position
    routes: Routes, graph: ModuleGraph, syntax: Syntax, project: Project, snapshot: Snapshot, texts: dict[str, str]
) -> Judgement:
    """Compare what is written with what is mounted, listed and imported."""
    lost = _by_file(routes.unmounted)
    controllers, unlisted = _controllers(syntax, project)
    pages, unrouted = _pages(graph, syntax, project)
    served = {route.place.path for route in routes.routes} - lost.keys()
    others = [*unloaded(PythonModules(syntax, graph, project, texts)), *misplaced(syntax, graph, project, snapshot, texts)]
    forgotten = [part for part in others if part.lost]
    total = len(served | lost.keys()) + len(pages) + len(others)
    if not total:
        return NotApplicable(
            "Nothing in the repository is registered with a framework: there are no routers, controllers, tasks or pages with routes."
        )
    findings = [_router(path, found) for path, found in sorted(lost.items())]
    findings += [_controller(facts.path, name, line) for facts, name, line in unlisted]
    findings += [_page(path) for path in unrouted]
    findings += [Finding(part.rule, part.path, part.message, part.line, confidence=Confidence.MEDIUM) for part in forgotten]
    bad = len(forgotten) + len(lost) + len({facts.path for facts, _, _ in unlisted} - lost.keys()) + len(unrouted)
    writes = any(route.method in _WRITES for found in lost.values() for route in found) or bool(unlisted)
    critical = any(_CRITICAL.search(route.path) and route.method in _WRITES for found in lost.values() for route in found)
    critical = critical or any(part.critical for part in forgotten) or any(_CRITICAL.search(facts.path) for facts, _, _ in unlisted)
    summary = (
        f"{plural(bad, 'part')} of {total:,} that are written are registered nowhere."
        if bad
        else f"All of {plural(total, 'part')} that are written are registered."
    )
    share = bad / total
    floor = 0.7 if critical or ((writes or forgotten) and share >= 0.25) else 0.2 if bad else 0.0
    signals = (
        f"files with endpoints: {len(served)} served, {len(lost)} not; controllers: {controllers}; pages with routes of their own: {len(pages)}; tasks, receivers, apps, middleware and workers: {len(others)}",
    )
    evidence = tuple(Place(path) for path in sorted(served)[:3])
    return Assessed(bad, total, summary, floor, tuple(findings), evidence, signals, confidence=Confidence.MEDIUM)


def _by_file(routes: tuple[Route, ...]) -> dict[str, list[Route]]:
    found: defaultdict[str, list[Route]] = defaultdict(list)
    for route in routes:
        found[route.place.path].append(route)
    return found


def _router(path: str, found: list[Route]) -> Finding:
    first = found[0]
    message = f"{plural(len(found), 'endpoint')} ({first.method} {first.path} first) stand on a router that nothing includes or imports: nobody can reach them."
    return Finding("unmounted-router", path, message, first.place.line, confidence=Confidence.MEDIUM)


def _controller(path: str, name: str, line: int) -> Finding:
    message = f"The controller {name} is listed in no module: its endpoints answer nobody."
    return Finding("unlisted-controller", path, message, line, confidence=Confidence.MEDIUM)


def _page(path: str) -> Finding:
    name = path.rpartition("/")[2].partition(".")[0]
    return Finding(
        "unrouted-page",
        path,
        f"The page {name} is imported by nothing and has no route: nobody can open it.",
        1,
        confidence=Confidence.MEDIUM,
    )


def _controllers(syntax: Syntax, project: Project) -> tuple[int, list[tuple[FileFacts, str, int]]]:
    """How many NestJS controllers there are, and those whose name stands in no module."""
    files = syntax.of(project.production)
    modules = [
        (facts, decorator)
        for facts in files
        for definition in facts.definitions
        for decorator in definition.decorators
        if decorator.callee == "Module" and any(statement.module == "@nestjs/common" for statement in facts.imports)
    ]
    found = [
        (facts, definition.name, definition.line)
        for facts in files
        for definition in facts.definitions
        if definition.kind is DefinitionKind.CLASS
        and any(d.callee == "Controller" for d in definition.decorators)
        and any(statement.module == "@nestjs/common" for statement in facts.imports)
    ]
    if not modules:
        return len(found), []
    named = {local for facts, _ in modules for statement in facts.imports for pair in statement.names for local in pair}
    same = {facts.path for facts, _ in modules}
    extended = {base.partition("<")[0] for facts in files for definition in facts.definitions for base in definition.bases}
    mentioned = {name for facts in files for statement in facts.imports for name, _ in statement.names}
    return len(found), [
        (facts, name, line)
        for facts, name, line in found
        if name not in named | extended | mentioned and facts.path not in same and not facts.path.endswith(".module.ts")
    ]


def _pages(graph: ModuleGraph, syntax: Syntax, project: Project) -> tuple[list[str], list[str]]:
    """Page components of single-page applications whose routes are written by hand, and those that nothing imports."""
    routed = {
        project.part_of(facts.path).root for facts in syntax.of(project.production) if any(s.module in _ROUTERS for s in facts.imports)
    }
    by_pattern = {
        project.part_of(facts.path).root for facts in syntax.of(project.production) if any(_loads_by_pattern(call) for call in facts.calls)
    }
    pages = [
        path
        for path in sorted(project.production)
        if _PAGE.search(path)
        and (part := project.part_of(path)).root in routed
        and not part.uses(*_FILE_ROUTING)
        and (path.endswith(".vue") or any(export.name == "default" or export.name in path for export in syntax.files[path].exports))
    ]
    paths = {module.id: module.path for module in graph.modules}
    imported = {paths[edge.target] for edge in graph.edges if edge.source != edge.target and not _is_test(paths[edge.source])}
    return pages, [path for path in pages if path not in imported and project.part_of(path).root not in by_pattern]


def _loads_by_pattern(call: Call) -> bool:
    """Whether files are loaded by a pattern or a computed name; texts and pictures are no pages."""
    first = call.argument("", 0)
    if not _BY_PATTERN.match(call.callee) or first is None or (call.callee == "import" and first.literal):
        return False
    return not re.search(r"\.(?:mdx?|json|svg|png|jpe?g|css|ya?ml)[\"'`]?$", first.text)


def _is_test(path: str) -> bool:
    return re.search(r"\.(?:test|spec|stories|cy)\.\w+$|(?:^|/)(?:__tests__|tests?|cypress)/", path) is not None
