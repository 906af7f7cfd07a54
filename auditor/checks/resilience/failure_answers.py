"""What a caller gets when something unexpected fails, and whether the process or the page survives it.

Passing title: Unexpected failures end in a controlled answer
Failing title: Unexpected failures show internals, end the server or blank the page
Grading: Fails when a debug mode is on where production starts, when answers carry the text of whatever was caught as a habit (five places or more and three of
    ten, or three and most of them), when several handlers of a server that does not catch rejections can end it, or when a React application that stands alone has no
    error boundary. More than one such answer in twenty, a stack trace, an Express server without an error handler, or pages without a boundary beside a server are partial. A
    framework's own plain answer, without debug, is controlled.
Done when: One last-resort handler answers with a fixed text and an id, the exception goes to the log alone, and each page has an error boundary.
What it cannot see: Texts of errors that a helper far away puts into an answer, pages a proxy shows instead, and whether own error types hold internals.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.checks.error_answers import Leak, is_error_middleware, leaks_of
from auditor.checks.reach import within
from auditor.checks.registry import check
from auditor.checks.security.debug_off import debug_off
from auditor.model.artifacts import CiWorkflow, Deployment, Manifests, TaskFile
from auditor.model.evidence import Routes
from auditor.model.needs import CI, DEPLOYMENT, MANIFESTS, PROJECT, ROUTES, SYNTAX, TASKS, TEXTS
from auditor.model.project import SERVING, Kind, Project
from auditor.model.syntax import FileFacts, HandlerEffect, Syntax
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable, Place
from auditor.words import plural

_TOLERANCE = 0.05  # one answer in twenty may tell a text without being a habit
_HABIT, _HABIT_SHARE, _SMALL_HABIT, _MOST = 5, 0.3, 3, 0.6
_FAIL, _MOST_PARTIAL, _LEAST_PARTIAL = 0.65, 0.5, 0.15
_RARE = 0.05
_DEBUG = {"debug-setting": 0.8, "debug-in-image": 0.8, "debug-by-default": 0.4}
_INCOMPLETE = 0.4
_CRASHES, _CRASHES_SHARE = 3, 0.25
_CHOOSES = re.compile(r"^(?:FLASK_|APP_|DJANGO_)?(?:ENV|ENVIRONMENT|CONFIG|CONFIG_NAME|SETTINGS|MODE)$")
_REACT = ("react", "preact", "nextjs", "remix", "gatsby")
_WITH_DEFAULT_BOUNDARY = ("remix", "react-router")
_BOUNDARY_NAME = re.compile(
    r"Error\w{0,20}Boundary|CatchBoundary|componentDidCatch|getDerivedStateFromError|errorElement|errorComponent|withErrorBoundary"
)
_BOUNDARY_FILE = re.compile(r"(?:^|/)(?:error|global-error|_error|\+error)\.(?:tsx?|jsx?|svelte)$")
_ROUTER_WITH_BOUNDARY = frozenset(
    {"createBrowserRouter", "createHashRouter", "createMemoryRouter", "createRootRoute", "createRootRouteWithContext"}
)
_NODE_PRODUCTION = re.compile(r"NODE_ENV['\"]?\s*[=: ]\s*['\"]?production")
_ENVIRONMENT_PLACE = re.compile(
    r"(?:^|/)(?:Dockerfile[\w.-]*|package\.json|\.env[\w.-]*|Procfile|[\w.-]+\.(?:ya?ml|toml|service|sh)|ecosystem\.config\.\w+)$"
)
_WRAPPED = re.compile(r"\b\w{0,30}(?:[aA]sync[A-Z]\w{0,30}|[wW]rap\w{0,30}|[cC]atch\w{0,30}|tryCatch\w{0,30}|[hH]andler)\(\s*async\b")
_ASYNC_PACKAGES = frozenset({"express-async-errors", "express-promise-router", "express-async-handler", "async-express"})


@dataclass(frozen=True, slots=True)
class _Fault:
    badness: float
    finding: Finding


@check(
    "resilience.failure-answers",
    needs=(PROJECT, MANIFESTS, TEXTS),
    corroborating=(SYNTAX, ROUTES),
    optional=(DEPLOYMENT, TASKS, CI),
    tolerance=_TOLERANCE,
)
def failure_answers(  # noqa: PLR0917 - one per need, in their order
    project: Project,
    manifests: Manifests,
    texts: dict[str, str],
    syntax: Syntax,
    routes: Routes,
    deployment: Deployment | None,
    tasks: tuple[TaskFile, ...] | None,
    workflows: tuple[CiWorkflow, ...] | None,
) -> Judgement:
    """Debug modes, answers with exception texts, handlers that end the server, pages without a boundary: the worst counts."""
    if project.kinds <= {Kind.LIBRARY, Kind.CLI, Kind.PIPELINE}:
        return NotApplicable(
            "This is a library or a command: it answers no visitor, and an uncaught error ends it with a message and a code."
        )
    drawn = any(facts.elements for facts in syntax.of(project.browser))
    if project.kinds <= {Kind.LIBRARY, Kind.CLI, Kind.PIPELINE, Kind.FRONTEND} and not routes.routes and not drawn:
        return NotApplicable("These are static pages: no server answers, and no program draws the page that an error could take away.")
    serving = [facts for facts in syntax.of(project.server) if project.part_of(facts.path).kinds & SERVING]
    scopes = {(route.place.path, route.handler_scope) for route in routes.routes}
    leaks = [
        leak
        for facts in serving
        for leak in leaks_of(facts, texts.get(facts.path, ""), frozenset(scope for path, scope in scopes if path == facts.path))
    ]
    answering = sum(handler.effect is HandlerEffect.ANSWER for facts in serving for handler in facts.handlers)
    faults = [
        *_debug(debug_off(project, manifests, texts, syntax, routes, deployment, tasks, workflows)),
        *_development_by_default(serving, texts),
        *_told(leaks, answering),
        *_express(serving, routes, manifests, texts, project),
        *_pages(project, syntax, texts),
    ]
    ordered = sorted(faults, key=lambda fault: (-fault.badness, fault.finding.path, fault.finding.line))
    worst = max((fault.badness for fault in faults), default=0.0)
    return Assessed(
        bad=0,
        total=0,
        floor=worst,
        summary=_summary(faults, leaks),
        findings=tuple(fault.finding for fault in ordered),
        evidence=tuple(_last_resorts(serving))[:4],
        signals=(
            f"answers with the text of an exception: {len(leaks)}; error handlers that answer: {answering}",
            f"last-resort handlers: {len(list(_last_resorts(serving)))}",
        ),
        confidence=min(
            (fault.finding.confidence for fault in ordered if fault.badness == worst), default=Confidence.HIGH, key=list(Confidence).index
        ),
    )


def _summary(faults: list[_Fault], leaks: list[Leak]) -> str:
    if not faults:
        return "Unexpected failures end in a controlled answer: no debug mode, no exception text, no handler that ends the server."
    rules = {fault.finding.rule for fault in faults}
    parts = []
    if rules & {"debug-setting", "debug-in-image", "debug-by-default", "debug-run"}:
        parts.append("a debug mode can be on in production")
    if leaks:
        parts.append(f"{plural(len(leaks), 'answer carries', 'answers carry')} the text of whatever was caught")
    if "rejection-ends-server" in rules:
        parts.append("a rejected promise in a handler ends the server")
    if "no-error-handler" in rules:
        parts.append("the server has no error handler")
    if "no-error-boundary" in rules:
        parts.append("no error boundary keeps a page up")
    text = "; ".join(parts)
    return text[:1].upper() + text[1:] + "."


def _debug(judgement: Judgement) -> Iterator[_Fault]:
    """The debug switches, as the item on debug modes judges them."""
    if not isinstance(judgement, Assessed):
        return
    for number, finding in enumerate(judgement.findings):
        if finding.rule in _DEBUG:
            yield _Fault(_DEBUG[finding.rule], finding)
        elif finding.rule == "debug-run" and judgement.floor >= _FAIL and not number:
            yield _Fault(_FAIL, finding)  # a developer's direct run beside a production server answers no visitor


def _development_by_default(files: list[FileFacts], texts: dict[str, str]) -> Iterator[_Fault]:
    """Settings with debug on that are taken whenever nobody names others: `os.environ.get("FLASK_ENV", "development")`."""
    debugging = any(
        assignment.target == "DEBUG"
        and assignment.value is not None
        and assignment.value.text == "True"
        and assignment.scope >= 0
        and facts.definitions[assignment.scope].name.lower().startswith("dev")
        for facts in files
        for assignment in facts.assignments
    )
    for facts in files if debugging else ():
        for read in facts.environment:
            if not _CHOOSES.search(read.name) or read.default is None or read.default.literal.lower() not in {"dev", "development"}:
                continue
            chosen = re.compile(rf"\b{re.escape(read.name)}['\"]?\s*[=: ]\s*['\"]?prod", re.IGNORECASE)
            if any(_ENVIRONMENT_PLACE.search(path) and chosen.search(text[:200_000]) for path, text in texts.items()):
                continue
            message = (
                f"Unless {read.name} is set, the settings for development with debug on are used, and no file for the deployment sets it:"
                " an error page shows visitors source code and settings."
            )
            yield _Fault(_FAIL, Finding("debug-by-default", facts.path, message, read.line, read.line, Confidence.MEDIUM, cwe=489))


def _told(leaks: list[Leak], answering: int) -> Iterator[_Fault]:
    weight = sum(leak.weight for leak in leaks)
    share = weight / max(answering, len(leaks), 1)
    habit = (weight >= _HABIT and share >= _HABIT_SHARE) or (weight >= _SMALL_HABIT and len(leaks) >= _SMALL_HABIT and share >= _MOST)
    rare = len(leaks) / max(answering, 1) <= _RARE and not any(leak.trace for leak in leaks)
    badness = _FAIL if habit else _RARE if rare else min(_MOST_PARTIAL, _LEAST_PARTIAL + share * 0.4)
    for leak in sorted(leaks, key=lambda each: (-each.weight, each.path, each.line)):
        what = "the stack trace" if leak.trace else "the text"
        whom = "every unexpected error" if leak.everywhere else "whatever was caught here"
        message = f"The caller gets {what} of {whom}: queries, paths and host names go to strangers, and users read what helps nobody."
        rule = "trace-in-answer" if leak.trace else "exception-text-in-answer"
        yield _Fault(badness, Finding(rule, leak.path, message, leak.line, leak.end_line, cwe=209))


def _last_resorts(files: list[FileFacts]) -> Iterator[Place]:
    for facts in files:
        python = facts.path.endswith(".py")
        for definition in facts.definitions:
            marked = any(
                mark.callee.rpartition(".")[2] in {"exception_handler", "errorhandler", "app_errorhandler"}
                for mark in definition.decorators
            )
            if marked or (not python and is_error_middleware(definition)):
                yield Place(facts.path, definition.line, definition.end_line)
        for call in facts.calls:
            if call.callee.rpartition(".")[2] in {
                "add_exception_handler",
                "register_error_handler",
                "setErrorHandler",
                "useGlobalFilters",
                "onError",
            }:
                yield Place(facts.path, call.line, call.end_line)


# -- Express --------------------------------------------------------------------------------------------------------------------------------


def _express(files: list[FileFacts], routes: Routes, manifests: Manifests, texts: dict[str, str], project: Project) -> Iterator[_Fault]:
    """What Express 4 does with errors nobody handles: a trace in the answer, and no catch of a rejected promise."""
    mine = [route for route in routes.routes if route.framework == "express" and route.place.path in project.server]
    if not mine:
        return
    by_path = {facts.path: facts for facts in files}
    if not any(is_error_middleware(d) for facts in files for d in facts.definitions) and not _runs_as_production(texts, files):
        first = min(mine, key=lambda route: (route.place.path, route.place.line)).place
        message = "The server has no error handler: Express answers an unexpected error with its stack trace unless NODE_ENV is set to production, which no file here does."
        yield _Fault(_INCOMPLETE, Finding("no-error-handler", first.path, message, first.line, first.end_line, cwe=209))
    if _forwards_rejections(manifests) or any("unhandledRejection" in texts.get(path, "") for path in by_path):
        return
    handlers = sorted({(r.place.path, r.handler_scope) for r in mine if r.handler_scope >= 0 and r.place.path in by_path})
    waiting = [(path, scope) for path, scope in handlers if by_path[path].definitions[scope].is_async]
    ending = [(path, scope) for path, scope in waiting if _can_reject(by_path[path], scope, texts.get(path, ""))]
    habit = len(ending) >= _CRASHES and len(ending) >= _CRASHES_SHARE * len(waiting)
    for path, scope in ending:
        definition = by_path[path].definitions[scope]
        message = (
            "When a promise awaited in this handler is rejected, nobody catches it: Node.js ends the whole server, for all users at once."
        )
        yield _Fault(
            _FAIL if habit else _INCOMPLETE,
            Finding("rejection-ends-server", path, message, definition.line, definition.end_line, Confidence.MEDIUM, cwe=248),
        )


def _runs_as_production(texts: dict[str, str], files: list[FileFacts]) -> bool:
    """Whether something switches Express to the plain answers of production: a file of the deployment, or the program itself."""
    if any(
        a.target == "process.env.NODE_ENV" and a.value is not None and a.value.literal == "production" for f in files for a in f.assignments
    ):
        return True
    return any(_ENVIRONMENT_PLACE.search(path) and _NODE_PRODUCTION.search(text[:200_000]) for path, text in texts.items())


def _forwards_rejections(manifests: Manifests) -> bool:
    """Whether Express itself (from version 5) or a package hands rejected promises to the error handler."""
    for manifest in manifests.manifests:
        for requirement in manifest.requirements:
            if requirement.name in _ASYNC_PACKAGES or (
                requirement.name == "express" and not re.match(r"[\^~=v]*4\b", requirement.specifier.strip())
            ):
                return True
    return False


def _can_reject(facts: FileFacts, scope: int, text: str) -> bool:
    """Whether a handler awaits outside of every try, and nothing around it catches."""
    inside = within(facts, scope)
    definition = facts.definitions[scope]
    lines = text.splitlines()[max(0, definition.line - 3) : definition.line]
    if _WRAPPED.search(" ".join(line[:300] for line in lines)):
        return False
    return any(call.scope in inside and call.awaited and not call.guarded for call in facts.calls)


# -- pages ----------------------------------------------------------------------------------------------------------------------------------


def _pages(project: Project, syntax: Syntax, texts: dict[str, str]) -> Iterator[_Fault]:
    """React takes the whole page down when rendering fails and no boundary is there."""
    parts = [part for part in project.parts if part.uses(*_REACT) and part.kinds & {Kind.FRONTEND, Kind.FULLSTACK}]
    files = syntax.of(project.browser)
    if not parts or not any(facts.elements for facts in files) or any(part.uses(*_WITH_DEFAULT_BOUNDARY) for part in parts):
        return
    if any(_BOUNDARY_FILE.search(facts.path) or _has_boundary(facts, texts.get(facts.path, "")) for facts in syntax.of(project.production)):
        return
    alone = not project.has(*SERVING)
    framed = any(part.uses("nextjs") for part in parts)
    start = re.compile(r"(?:^|/)(?:main|index|App|app/layout|_app|layout)\.[jt]sx?$")
    first = min((facts.path for facts in files), key=lambda path: (not start.search(path), path.count("/"), path))
    message = "No error boundary: one unexpected value while a page is drawn takes the whole page from the visitor, who sees a blank screen or a bare notice."
    badness = 0.2 if framed else _FAIL if alone else _INCOMPLETE
    yield _Fault(badness, Finding("no-error-boundary", first, message, confidence=Confidence.MEDIUM, cwe=248))


def _has_boundary(facts: FileFacts, text: str) -> bool:
    return any(call.callee in _ROUTER_WITH_BOUNDARY for call in facts.calls) or bool(_BOUNDARY_NAME.search(text))
