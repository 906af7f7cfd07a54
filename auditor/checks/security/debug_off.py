"""Debug modes, development servers and internal pages are off in production.

Passing title: Debug modes and development servers stay out of production
Failing title: Production runs in a debug mode or on a development server
Grading: Fail when the way production starts reaches a debug switch or a development server: in the image, the platform file, the start script, the settings it loads,
    or in the only way the program can be started at all. Partial when only the direct run of a file does, when a switch is on unless the environment turns it off
    and the deployment does so, when every host name is accepted, when an internal page (debug, seed, playground) is reachable without a login, or when an answer holds a stack trace.
Done when: Debug is off unless a variable turns it on, the image starts a production server, and debug and seed routes are gone from production code.
What it cannot see: Switches set in the platform's own settings, and internal pages with other names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.checks.cross_origin import in_development_branch
from auditor.checks.handler_classes import names_before
from auditor.checks.images import is_development_server
from auditor.checks.reach import within
from auditor.checks.registry import check
from auditor.checks.shown_errors import shown_traces
from auditor.checks.starts import Start, production_server, runs_file, starts_of
from auditor.model.artifacts import CiWorkflow, Deployment, Manifests, TaskFile
from auditor.model.evidence import RouteKind, Routes
from auditor.model.needs import CI, DEPLOYMENT, MANIFESTS, PROJECT, ROUTES, SYNTAX, TASKS, TEXTS
from auditor.model.project import SERVING, Kind, Project
from auditor.model.syntax import Assignment, FileFacts, Syntax, Value, ValueKind
from auditor.model.verdict import Assessed, Finding, Judgement, NotApplicable
from auditor.words import plural

_RUNS = frozenset({"run", "run_app", "run_server"})
_SWITCHES = ("debug", "reload", "use_debugger", "auto_reload", "dev")
_APPS = frozenset({"FastAPI", "Starlette", "Flask", "Quart", "Litestar", "Sanic"})
_DEVELOPMENT_NAME = re.compile(
    r"(?:^|[/_.-])(?:dev|devel|development|local|test|testing|tests|ci|staging|debug|example)(?:[_.-]|\.py$|/|$)|(?:Dev|Test|Local|CI|Staging|Debug)\w*(?:Config|Settings)|^(?:Dev|Test|Local)",
    re.IGNORECASE,
)
_PRODUCTION_NAME = re.compile(r"(?:^|[/_.-])prod(?:uction)?(?:[_.-]|$)|Prod\w*", re.IGNORECASE)
_ON_BY_DEFAULT = re.compile(
    r"""(?:getenv|environ\.get|config|env\w*(?:\.bool)?|get_?bool|os\.environ\.get|strtobool\([^()]{0,40})\(\s*["']\w*DEBUG\w*["']\s*,\s*(?:default\s*=\s*)?(?:True|1|["'](?:True|true|1|yes|on)["'])"""
)
_OFF_IN_TEXT = re.compile(r"^\s*(?:export\s+|ENV\s+|-\s*)?\w{0,30}DEBUG\s*[=: ]\s*[\"']?(?:False|false|0|no|off)\b", re.MULTILINE)
_ENVIRONMENT_ON = re.compile(
    r"\b(?:FLASK_DEBUG\s*[=: ]\s*[\"']?(?:1|true|True)|FLASK_ENV\s*[=: ]\s*[\"']?development|DJANGO_DEBUG\s*[=: ]\s*[\"']?(?:1|true|True)|(?<![\w-])DEBUG\s*[= ]\s*[\"']?(?:1|true|True)\b|NODE_ENV\s*[=: ]\s*[\"']?development)"
)
_INTERNAL = re.compile(
    r"^(?:_?debug_?|__debug__|debug-?sentry|sentry-?debug|seed|seed-?(?:db|data|database)|reset-?(?:db|database)|dev-?login|test-?(?:email|mail|error|login|db|sms)|phpinfo|graphiql|playground)$",
    re.IGNORECASE,
)
_GUARD = re.compile(r"auth|login|admin|permission|guard|require|session|user|token|staff", re.IGNORECASE)
_ENVIRONMENT_FILE = re.compile(
    r"(?:^|/)(?:\.env[\w.-]*|[\w.-]*\.env(?:\.\w+)?|env\.example|app\.json|fly\.toml|render\.ya?ml|docker-compose[\w.-]*\.ya?ml|compose[\w.-]*\.ya?ml|Dockerfile[\w.-]*|[\w-]*configmap[\w-]*\.ya?ml)$"
)
_IMAGE_FILE = re.compile(
    r"(?:^|/)(?:Dockerfile[\w.-]*|Containerfile[\w.-]*|Procfile[\w.]*|[\w.-]+\.(?:sh|service)|(?:docker-)?compose[\w.-]*\.ya?ml)$",
    re.IGNORECASE,
)
"""Where an image or a platform names what it runs."""
_START_FILE = re.compile(
    r"(?:^|/)(?:Dockerfile[\w.-]*|Containerfile[\w.-]*|Procfile[\w.]*|[\w.-]+\.(?:sh|service|toml|ya?ml|cfg)|setup\.py|package\.json)$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Fault:
    """A finding and how bad it is."""

    badness: float
    finding: Finding


@check("security.debug-off", needs=(PROJECT, MANIFESTS, TEXTS), corroborating=(SYNTAX, ROUTES), optional=(DEPLOYMENT, TASKS, CI))
def debug_off(  # noqa: PLR0917 - one per need, in their order
    project: Project,
    manifests: Manifests,
    texts: dict[str, str],
    syntax: Syntax,
    routes: Routes,
    deployment: Deployment | None,
    tasks: tuple[TaskFile, ...] | None,
    workflows: tuple[CiWorkflow, ...] | None,
) -> Judgement:
    """Collect switches, servers and pages; the worst one counts."""
    if project.kinds <= {Kind.LIBRARY, Kind.CLI, Kind.PIPELINE}:
        return NotApplicable("This is a library or a command: nothing of it serves visitors.")
    starts = starts_of(deployment, manifests, tasks or (), workflows or ())
    server = production_server(starts, manifests)
    files = [facts for facts in syntax.of(project.production) if not _DEVELOPMENT_NAME.search(facts.path)]
    faults = [*_servers(starts, project), *_environment(deployment)]
    for facts in files:
        if facts.path.endswith(".py"):
            faults.extend(_runs(facts, starts, server, texts))
            faults.extend(_settings(facts, files, texts))
        elif project.on_server(facts.path):
            faults.extend(_graphql(facts, texts))
        if project.on_server(facts.path):
            faults.extend(_Fault(0.5, finding) for finding in shown_traces(facts, texts.get(facts.path, "")))
    faults.extend(_pages(routes, syntax))
    unread = tuple(
        (f.path, f"does not parse (line {f.error_line})")
        for f in syntax.of(project.server)
        if f.error_line and re.search(r"debug", texts.get(f.path, ""), re.IGNORECASE)
    )
    worst = max((fault.badness for fault in faults), default=0.0)
    ordered = sorted(faults, key=lambda fault: (-fault.badness, fault.finding.path, fault.finding.line))
    return Assessed(
        bad=0,
        total=0,
        floor=worst,
        summary=_summary(faults, starts, server),
        findings=tuple(fault.finding for fault in ordered),
        evidence=tuple(start.place for start in starts if not is_development_server(start.leaf))[:3],
        signals=(
            f"start commands: {len(starts)}",
            f"production server: {server or 'none found'}",
            f"routes looked at: {len(routes.routes)}",
        ),
        unexamined=unread,
    )


def _summary(faults: list[_Fault], starts: tuple[Start, ...], server: str) -> str:
    if faults:
        return f"{plural(len(faults), 'place', 'places')} where a debug mode, a development server, an internal page or a stack trace can be reached."
    how = f", production runs {server}" if server else f", {plural(len(starts), 'start command')} looked at" if starts else ""
    return f"No debug switch, development server or internal page was found{how}."


def _servers(starts: tuple[Start, ...], project: Project) -> Iterator[_Fault]:
    for start in starts:
        if not is_development_server(start.leaf):
            continue
        if start.by == "package" and not project.part_of(start.place.path).kinds & SERVING:
            continue  # the start script of a pure browser application is its development server by convention
        badness = 0.5 if start.by == "compose" else 1.0
        command = " ".join(start.leaf.words[:4])
        message = f"Production is started with `{command}`, a server made for one developer: it shows source code in errors, reloads files, and falls over under load."
        yield _Fault(badness, Finding("development-server", start.place.path, message, start.place.line, start.place.end_line, cwe=489))


def _environment(deployment: Deployment | None) -> Iterator[_Fault]:
    """Debug variables baked into the production image or its services."""
    if deployment is None:
        return
    for dockerfile in deployment.dockerfiles:
        for instruction in dockerfile.instructions:
            if dockerfile.purpose == "production" and instruction.keyword == "ENV" and _ENVIRONMENT_ON.search(instruction.text):
                last_stage = max((i.stage for i in dockerfile.instructions), default=0)
                if instruction.stage == last_stage:
                    message = "The production image switches the debug mode on for everybody who runs it."
                    yield _Fault(1.0, Finding("debug-in-image", dockerfile.path, message, instruction.line, instruction.end_line, cwe=489))


def _runs(facts: FileFacts, starts: tuple[Start, ...], server: str, texts: dict[str, str]) -> Iterator[_Fault]:
    """`app.run(debug=True)`, `uvicorn.run(..., reload=True)`, `FastAPI(debug=True)`."""
    for call in facts.calls:
        name = call.callee.rsplit(".", 1)[-1]
        constructs = name in _APPS and _is_on(facts, call.argument("debug"))
        switch = next((key for key in _SWITCHES if _is_on(facts, call.argument(key))), "") if name in _RUNS and "." in call.callee else ""
        if not constructs and not switch:
            continue
        if in_development_branch(texts.get(facts.path, ""), call.line):
            continue
        direct = runs_file(starts, facts.path)
        if constructs or direct is not None:
            badness, how = 1.0, "in production"
        elif server and (facts.main_lines[0] <= call.line <= facts.main_lines[1] or starts):
            badness, how = 0.4, "when somebody starts this file directly instead of through the production server"
        elif _started_elsewhere(facts, starts, texts):
            badness, how = 0.4, "when somebody starts this file directly; what is installed starts another one"
        else:
            badness, how = 1.0, "in the only way the repository starts it"
        message = f"`{name}({switch or 'debug'}=True)` turns the debug mode on {how}: an error page shows visitors source code and settings, or lets them run code."
        yield _Fault(badness, Finding("debug-run", facts.path, message, call.line, call.end_line, cwe=489))


def _started_elsewhere(facts: FileFacts, starts: tuple[Start, ...], texts: dict[str, str]) -> bool:
    """Whether the product has a start command, and no script or settings of a start names this file or its module."""
    name = facts.path.rpartition("/")[2]
    module = facts.path.removesuffix(".py").replace("/", ".").removesuffix(".__main__")
    runs = re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])|-m\s+[\w.]*{re.escape(module)}\b|=\s*[\"'][\w.]*{re.escape(module)}:main\b")
    installed = any(start.by in {"image", "platform"} for start in starts)
    places = _IMAGE_FILE if installed else _START_FILE
    return bool(starts) and not any(places.search(path) and runs.search(text[:200_000]) for path, text in texts.items())


def _is_on(facts: FileFacts, value: Value | None) -> bool:
    if value is None:
        return False
    if value.kind is ValueKind.NAME:
        assigned = [a.value for a in facts.assignments if a.target == value.literal and a.value is not None]
        return bool(assigned) and assigned[-1].kind is not ValueKind.NAME and _is_on(facts, assigned[-1])
    return value.text in {"True", "1"} or bool(_ON_BY_DEFAULT.search(value.text))


def _settings(facts: FileFacts, files: list[FileFacts], texts: dict[str, str]) -> Iterator[_Fault]:
    targets = {assignment.target for assignment in facts.assignments}
    is_settings = (
        bool(targets & {"INSTALLED_APPS", "ROOT_URLCONF", "MIDDLEWARE", "SQLALCHEMY_DATABASE_URI"})
        or re.search(r"(?:^|/)(?:settings|config)\w*(?:/\w+)?\.py$", facts.path) is not None
    )
    for assignment in facts.assignments:
        value = assignment.value
        if value is None or not re.search(r"(?:^|\.)(?:DEBUG|debug|ALLOWED_HOSTS)$", assignment.target):
            continue
        if in_development_branch(texts.get(facts.path, ""), assignment.line):
            continue
        if is_settings and assignment.target == "DEBUG" and not _in_development_class(facts, assignment):
            yield from _debug_setting(facts, assignment, value, files, texts)
        elif (
            assignment.target == "ALLOWED_HOSTS"
            and re.match(r"[\[(]\s*[\"']\*[\"']\s*,?\s*[\])]$", value.text)
            and not _overridden(files, facts, "ALLOWED_HOSTS", "")
        ):
            message = "Every host name is accepted: links in mails and cached pages can be made to point to somebody else's site."
            yield _Fault(0.3, Finding("any-host", facts.path, message, assignment.line, assignment.line, cwe=644))
        elif assignment.target.endswith("app.debug") and value.text == "True":
            message = (
                "The application object is put into debug mode wherever it runs: an error page shows visitors source code and settings."
            )
            yield _Fault(1.0, Finding("debug-setting", facts.path, message, assignment.line, assignment.line, cwe=489))


def _in_development_class(facts: FileFacts, assignment: Assignment) -> bool:
    scope = assignment.scope
    return scope >= 0 and bool(_DEVELOPMENT_NAME.search(facts.definitions[scope].name))


def _debug_setting(
    facts: FileFacts, assignment: Assignment, value: Value, files: list[FileFacts], texts: dict[str, str]
) -> Iterator[_Fault]:
    always = value.text == "True"
    by_default = bool(_ON_BY_DEFAULT.search(value.text))
    if not always and not by_default:
        return
    if _overridden(files, facts, "DEBUG", "False") or _turned_off_later(facts, assignment):
        return
    turned_off = by_default and any(_ENVIRONMENT_FILE.search(path) and _OFF_IN_TEXT.search(text[:200_000]) for path, text in texts.items())
    if turned_off:
        message = (
            "The debug mode is on unless a variable turns it off; the deployment files do so, and an installation without them does not."
        )
        yield _Fault(0.4, Finding("debug-by-default", facts.path, message, assignment.line, assignment.line, cwe=489))
    else:
        unless = " unless a variable turns it off, and no deployment file does" if by_default else ""
        message = f"The debug mode is on{unless}: an error page shows visitors source code, settings and queries."
        yield _Fault(1.0 if always else 0.8, Finding("debug-setting", facts.path, message, assignment.line, assignment.line, cwe=489))


def _overridden(files: list[FileFacts], own: FileFacts, target: str, text: str) -> bool:
    """Whether settings for production give the name another value."""
    for facts in files:
        for assignment in facts.assignments:
            if assignment.target != target or assignment.value is None or (text and assignment.value.text != text):
                continue
            where = facts.definitions[assignment.scope].name if assignment.scope >= 0 else facts.path
            if (facts is not own or assignment.scope >= 0) and _PRODUCTION_NAME.search(where):
                return True
    return False


def _turned_off_later(facts: FileFacts, assignment: Assignment) -> bool:
    return any(
        a.target == "DEBUG" and a.scope == assignment.scope and a.line > assignment.line and a.value is not None and a.value.text == "False"
        for a in facts.assignments
    )


def _graphql(facts: FileFacts, texts: dict[str, str]) -> Iterator[_Fault]:
    for call in facts.calls:
        for argument in call.arguments:
            for key in ("playground", "graphiql"):
                value = argument.value.item(key)
                if value is not None and value.text == "true" and not in_development_branch(texts.get(facts.path, ""), call.line):
                    message = f"The {key} of the GraphQL server is on for everybody: strangers get a workbench with the whole schema."
                    yield _Fault(0.3, Finding("playground", facts.path, message, call.line, call.end_line, cwe=489))


def _pages(routes: Routes, syntax: Syntax) -> Iterator[_Fault]:
    """Internal endpoints without a guard."""
    for route in routes.routes:
        parts = [part for part in route.path.split("/") if part]
        named = next((part for part in parts if _INTERNAL.match(part)), "")
        if not named or route.kind is RouteKind.PAGE or any(_GUARD.search(name) for name in names_before(route, syntax)):
            continue
        facts = syntax.files.get(route.place.path)
        if facts is None or route.handler_scope < 0 or _asks_first(facts, route.handler_scope):
            continue
        message = f"{route.method} {route.path} is an internal page that anybody can call in production."
        yield _Fault(0.5, Finding("internal-page", route.place.path, message, route.place.line, route.place.end_line, cwe=489))


def _asks_first(facts: FileFacts, scope: int) -> bool:
    """Whether a handler looks at a setting or at the caller, or refuses in some case."""
    inside = within(facts, scope)
    asks = re.compile(r"abort|not_?found|config|settings|environ|getenv|HTTPException|forbidden|unauthori[sz]ed", re.IGNORECASE)
    calls = any(call.scope in inside and (asks.search(call.callee) or _GUARD.search(call.callee)) for call in facts.calls)
    return calls or any(read.scope in inside for read in facts.environment) or any(raised.scope in inside for raised in facts.raises)
