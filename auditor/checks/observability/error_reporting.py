"""Unhandled errors of the running program reach a person.

Passing title: Unhandled errors reach a person
Failing title: Nobody is told when the program fails
Grading: Pass when an error tracker, a telemetry exporter or a mail on errors is set up where each runtime starts (server and browser, where both are written here). Partial when
    only one of the two is covered, when the set-up is never reached, or when only the dependency is there. Fail when there is nothing of the kind.
Done when: Each runtime starts a tracker with its key from the configuration, and a forced error was seen to arrive.
What it cannot see: Whether the key is set in production, whether anybody reads what arrives, and alerts a hosting platform sends by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.checks.registry import check
from auditor.checks.starts import LAUNCHER, launch_texts
from auditor.model.artifacts import Deployment, Manifests
from auditor.model.evidence import ModuleGraph
from auditor.model.needs import DEPLOYMENT, MANIFESTS, MODULE_GRAPH, PROJECT, SYNTAX
from auditor.model.project import Kind, Project, Side
from auditor.model.syntax import Call, FileFacts, ImportKind, Syntax, Value, ValueKind
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable, Place
from auditor.words import listed

_TRACKER = re.compile(
    r"^(?:@?sentry(?:[_/-].*)?|sentry_sdk(?:\..*)?|raven(?:[.-].*)?|@?rollbar(?:[./-].*)?|@?bugsnag(?:[./].*)?|@?honeybadger(?:-io)?(?:[./-].*)?|newrelic(?:\..*)?|@newrelic/.*|ddtrace(?:\..*)?|dd-trace|@datadog/.*|datadog"
    r"|elasticapm(?:\..*)?|elastic-apm-node|@elastic/apm-.*|applicationinsights(?:\..*)?|@microsoft/applicationinsights.*|azure[.-]monitor.*|opencensus\.ext\.azure.*|@azure/monitor-opentelemetry|opentelemetry(?:[.-].*)?"
    r"|@opentelemetry/(?:sdk|exporter|auto).*|@vercel/otel|logrocket.*|@highlight-run/.*|highlight_io|raygun.*|trackjs|airbrake.*|@airbrake/.*|pybrake|appsignal.*|@appsignal/.*|scout[_-]apm.*|logfire|@grafana/faro.*|@bugsnag/.*"
    r"|@nuxtjs/sentry|@sentry-internal/.*|@baselime/.*|@axiomhq/.*|hyperdx.*|@hyperdx/.*|@glitchtip/.*|@posthog/nextjs|@google-cloud/error-reporting|google\.cloud\.error_reporting|google\.cloud\.logging)$"
)
_METRICS_ONLY = re.compile(
    r"^(?:datadog|@datadog/datadog-ci|@sentry/(?:cli|types|utils|vite-plugin|webpack-plugin|esbuild-plugin|profiling-node|wizard)|opentelemetry-api|@opentelemetry/api)$"
)
_STARTS = re.compile(
    r"(?:^|\.|new )(?:init|start|configure|setup|register|registerOTel|install|patch_all|initialize|instrument|instrument_app|configure_azure_monitor|useAzureMonitor|NodeSDK|Client|Rollbar|Notifier|init_app|Sentry|ElasticAPM|loadAppInsights"
    r"|ApplicationInsights|OTLPSpanExporter|OTLPTraceExporter|AzureLogHandler|initializeFaro|BrowserAgent|withSentryConfig|ErrorReporting|setup_logging|StructuredLogHandler|CloudLoggingHandler|instrument_fastapi|instrument_flask|sentryVitePlugin"
    r"|rg4js|sentryHandle|handleErrorWithSentry|wrapRequestHandler|wrapApp)$"
)
_BUILD_ONLY = re.compile(r"(?:withSentryConfig|sentryVitePlugin)$")
_MAILS = re.compile(r"(?:^|\.)(?:SMTPHandler|MailHandler)$")
_MIDDLEWARE = re.compile(
    r"^(?:raven\.contrib\.|rollbar\.contrib\.|elasticapm\.contrib\.|honeybadger\.contrib\.|bugsnag\.django|scout_apm\.django|@nuxtjs/sentry|@sentry/nuxt/module|@sentry/astro|airbrake\.)"
)
_BROWSER_PACKAGE = re.compile(
    r"^(?:@sentry/(?:react|vue|browser|svelte|angular|solid|electron)|@datadog/browser.*|logrocket.*|@bugsnag/js|@elastic/apm-rum.*|trackjs|@grafana/faro.*|@microsoft/applicationinsights.*|@newrelic/.*|@highlight-run/.*)$"
)
_SERVER_PACKAGE = re.compile(
    r"^(?:@sentry/(?:node|nestjs|bun|deno|serverless|aws-serverless|google-cloud-serverless|cloudflare)|dd-trace|newrelic|elastic-apm-node|@opentelemetry/.*|@vercel/otel|@azure/.*|@google-cloud/.*)$"
)
_BROWSER_FILE = re.compile(r"(?:^|[/.])(?:instrumentation-client|sentry\.client|hooks\.client|entry\.client|client|browser)(?:[/.]|$)")
_SERVER_FILE = re.compile(r"(?:^|[/.])(?:instrumentation|sentry\.(?:server|edge)|hooks\.server|entry\.server|server)(?:[/.]|$)")
_START_FILE = re.compile(
    r"(?:^|/)(?:main|index|app|server|start|run|cli|wsgi|asgi|manage|settings|base|production|prod|config|celery|worker|bootstrap|boot|__init__|__main__|application|_app|_document|root|layout|instrumentation(?:-client)?"
    r"|sentry\.(?:client|server|edge)\.config|hooks\.(?:client|server)|entry[.-](?:client|server)|handler|lambda_function|function_app|streamlit_app)\.\w+$|(?:^|/)plugins/|(?:^|/)settings/|(?:^|/)functions/"
)
_MAIN_FILE = re.compile(r"(?:^|/)(?:main|server|app|index|wsgi|asgi|manage|settings|application)\.\w+$")
_HOOKS = frozenset(
    {
        "register",
        "ready",
        "setup",
        "main",
        "create_app",
        "lifespan",
        "startup",
        "on_startup",
        "bootstrap",
        "init",
        "install",
        "mount",
        "default",
        "onClientEntry",
        "enhanceApp",
    }
)
_WEB = ("react", "vue", "svelte", "angular", "nextjs", "nuxt", "sveltekit", "remix", "astro", "solid", "preact", "gatsby", "vite")


@dataclass(frozen=True, slots=True)
class _Setup:
    """One place that starts a reporter: which sides it covers, and whether the program gets there."""

    place: Place
    name: str
    sides: frozenset[Side]
    reached: bool


@check("observability.error-reporting", needs=(PROJECT,), corroborating=(SYNTAX, MODULE_GRAPH), optional=(MANIFESTS, DEPLOYMENT))
def error_reporting(
    project: Project, syntax: Syntax, graph: ModuleGraph, manifests: Manifests | None, deployment: Deployment | None
) -> Judgement:
    """Look for what starts a reporter, then for the way the program gets there."""
    if not project.kinds - {Kind.LIBRARY, Kind.CLI}:
        return NotApplicable("A library or a command-line tool: whoever runs it sees its errors.")
    found = [*_Search(syntax, project, graph).setups(), *_launched(deployment, manifests)]
    wanted = _wanted(project)
    covered = {side for setup in found if setup.reached for side in setup.sides} & wanted
    declared = sorted({*_declared(manifests)}, key=lambda found: (found[0], found[1].path, found[1].line))
    signals = (
        f"set-ups found: {listed([f'{setup.name} in {setup.place.path}' for setup in found], 5) or 'none'}",
        f"runtimes written here: {listed(sorted(side.value for side in wanted))}; covered: {listed(sorted(side.value for side in covered)) or 'none'}",
        f"declared packages: {listed([requirement for requirement, _ in declared], 5) or 'none'}",
    )
    evidence = tuple(setup.place for setup in found if setup.reached)[:4]
    if covered == wanted:
        names = listed(sorted({setup.name for setup in found if setup.reached}))
        return Assessed(bad=0, total=1, summary=f"{names} is set up where the program starts.", evidence=evidence, signals=signals)
    if covered:
        return _half(covered, wanted, found, signals, evidence)
    if found or declared:
        return _idle(found, declared, signals)
    return _nothing(syntax, project, signals)


def _half(covered: set[Side], wanted: set[Side], found: list[_Setup], signals: tuple[str, ...], evidence: tuple[Place, ...]) -> Assessed:
    missing = listed(sorted(side.value for side in wanted - covered))
    present = listed(sorted(side.value for side in covered))
    first = next(setup for setup in found if setup.reached)
    message = f"{first.name} reports errors of the {present}; what fails in the {missing} is seen by the user alone."
    finding = Finding("one-side-only", first.place.path, message, first.place.line)
    return Assessed(
        0.5,
        1,
        f"Errors of the {present} are reported, those of the {missing} are not.",
        findings=(finding,),
        evidence=evidence,
        signals=signals,
    )


def _idle(found: list[_Setup], declared: list[tuple[str, Place]], signals: tuple[str, ...]) -> Assessed:
    if found:
        place, name = found[0].place, found[0].name
        message = f"{name} is set up in code that the program never gets to: no error is reported."
        return Assessed(
            0.5,
            1,
            f"{name} is never started.",
            findings=(Finding("never-started", place.path, message, place.line, confidence=Confidence.MEDIUM),),
            signals=signals,
        )
    name, place = declared[0]
    message = f"{name} is installed and nothing starts it: no error is reported."
    return Assessed(
        0.5,
        1,
        f"{name} is installed and never started.",
        findings=(Finding("never-started", place.path, message, place.line),),
        signals=signals,
    )


def _nothing(syntax: Syntax, project: Project, signals: tuple[str, ...]) -> Assessed:
    files = sorted(project.production, key=lambda path: (path not in project.server, path.count("/"), path))
    first = next((path for pattern in (_MAIN_FILE, _START_FILE) for path in files if pattern.search(path)), files[0] if files else "")
    message = (
        "Nothing reports an unhandled error to anybody: the first to know is the customer it happens to, and most of them say nothing."
    )
    finding = Finding("no-error-reporting", first, message)
    summary = f"No error tracker, telemetry exporter or mail on errors in {len(syntax.of(project.production)):,} source files."
    return Assessed(1, 1, summary, findings=(finding,), signals=signals)


def _wanted(project: Project) -> set[Side]:
    """The runtimes this repository is responsible for."""
    wanted: set[Side] = set()
    for part in project.parts:
        if part.kinds & {Kind.SERVICE, Kind.FULLSTACK, Kind.APP, Kind.PIPELINE}:
            wanted.add(Side.SERVER)
        if Kind.FRONTEND in part.kinds or (Kind.FULLSTACK in part.kinds and part.uses(*_WEB)):
            wanted.add(Side.BROWSER)
    return wanted or {Side.SERVER}


def _declared(manifests: Manifests | None) -> Iterator[tuple[str, Place]]:
    for manifest in manifests.manifests if manifests is not None else ():
        for requirement in manifest.requirements:
            if requirement.group == "runtime" and _TRACKER.match(requirement.name) and not _METRICS_ONLY.match(requirement.name):
                yield requirement.name, requirement.place


def _launched(deployment: Deployment | None, manifests: Manifests | None) -> Iterator[_Setup]:
    """Commands that start the program under a reporter."""
    for place, text in launch_texts(deployment, manifests):
        match = LAUNCHER.search(text[:4000])
        if match:
            yield _Setup(place, match[0], frozenset({Side.SERVER}), reached=True)


class _Search:
    """Finds set-ups in the code and how the program gets to them."""

    def __init__(self, syntax: Syntax, project: Project, graph: ModuleGraph) -> None:
        self._project = project
        self._files = syntax.of(project.production | _start_files(syntax))
        paths = {module.id: module.path for module in graph.modules}
        self._imported = {
            paths[e.target] for e in graph.edges if e.kind is not ImportKind.TYPE_ONLY and paths[e.source] in project.production
        }
        self._called = {call.callee.rpartition(".")[2] for facts in self._files for call in facts.calls}
        self._passed = {
            name for facts in self._files for call in facts.calls for argument in call.arguments for name in argument.value.names
        }

    def setups(self) -> Iterator[_Setup]:
        """Every set-up, by path and line."""
        for facts in self._files:
            modules = _import_names(facts)
            for call in facts.calls:
                module = _module_of(call, modules)
                if module and _STARTS.search(_imported_callee(call, modules)) and not _BUILD_ONLY.search(call.callee):
                    yield self._setup(facts, call, module)
                elif _MAILS.search(call.callee):
                    yield _Setup(Place(facts.path, call.line, call.end_line), "mail on errors", frozenset({Side.SERVER}), reached=True)
            yield from self._settings(facts)
            for statement in facts.imports:
                if (
                    statement.module == "newrelic"
                    and statement.kind is ImportKind.IMPORT_TIME
                    and facts.path.endswith((".js", ".ts", ".mjs", ".cjs"))
                ):
                    yield _Setup(Place(facts.path, statement.line), "newrelic", frozenset({Side.SERVER}), self._reaches(facts, -1))

    def _settings(self, facts: FileFacts) -> Iterator[_Setup]:
        """Django settings and framework modules that switch reporting on by a name."""
        for assignment in facts.assignments:
            if (
                assignment.target == "ADMINS"
                and facts.path.endswith(".py")
                and assignment.value is not None
                and _holds_something(assignment.value)
            ):
                yield _Setup(Place(facts.path, assignment.line), "mail to ADMINS", frozenset({Side.SERVER}), reached=True)
        for literal in facts.literals:
            if _MIDDLEWARE.match(literal.text):
                sides = frozenset({Side.SERVER}) if facts.path.endswith(".py") else frozenset({Side.SERVER, Side.BROWSER})
                yield _Setup(Place(facts.path, literal.line), literal.text, sides, reached=True)

    def _setup(self, facts: FileFacts, call: Call, module: str) -> _Setup:
        return _Setup(
            Place(facts.path, call.line, call.end_line),
            module.split("/v", maxsplit=1)[0],
            self._sides(facts.path, module),
            self._reaches(facts, call.scope),
        )

    def _sides(self, path: str, module: str) -> frozenset[Side]:
        if path.endswith(".py") or _SERVER_PACKAGE.match(module):
            return frozenset({Side.SERVER})
        if _BROWSER_PACKAGE.match(module) or _BROWSER_FILE.search(path):
            return frozenset({Side.BROWSER})
        if _SERVER_FILE.search(path):
            return frozenset({Side.SERVER})
        side = self._project.sides.get(path, Side.UNKNOWN)
        return frozenset({Side.SERVER, Side.BROWSER}) if side in {Side.BOTH, Side.UNKNOWN} else frozenset({side})

    def _reaches(self, facts: FileFacts, scope: int) -> bool:
        """Whether the program gets to a place: the file is started or imported, and the functions around it are called."""
        if not (
            facts.path in self._imported
            or _START_FILE.search(facts.path)
            or facts.main_lines[0]
            or "listen" in {c.callee.rpartition(".")[2] for c in facts.calls}
        ):
            return False
        while scope >= 0:
            definition = facts.definitions[scope]
            name = definition.name
            runs = (
                not name
                or name in self._called
                or name in self._passed
                or name in _HOOKS
                or definition.decorators
                or definition.kind.value == "class"
            )
            if not runs and not any(passed.rpartition(".")[2] == name for passed in self._passed):
                return False
            scope = definition.parent
        return True


def _start_files(syntax: Syntax) -> frozenset[str]:
    """Files a framework loads by their name, wherever they stand."""
    pattern = re.compile(
        r"(?:^|/)(?:sentry\.(?:client|server|edge)\.config|instrumentation(?:-client)?|hooks\.(?:client|server)|nuxt\.config|astro\.config)\.\w+$"
    )
    return frozenset(path for path in syntax.files if pattern.search(path))


def _import_names(facts: FileFacts) -> dict[str, tuple[str, str]]:
    """Local name -> (module, name there) of what comes from a reporter's package."""
    return {local: (entry.module, name) for entry in facts.imports if _TRACKER.match(entry.module) for name, local in entry.names}


def _module_of(call: Call, modules: dict[str, tuple[str, str]]) -> str:
    root = call.callee.removeprefix("new ").split(".", 1)[0].removesuffix("()")
    if root in modules:
        return modules[root][0]
    if root == "require" and call.callee.startswith("require()."):
        return next((module for module, _ in modules.values()), "")
    return ""


def _imported_callee(call: Call, modules: dict[str, tuple[str, str]]) -> str:
    """The callee with an imported function's own name in place of its local one."""
    bare = call.callee.removeprefix("new ")
    if bare in modules:
        module, name = modules[bare]
        return name if name not in {"*", "default"} else f"{module}.init" if call.arguments or call.callee.startswith("new ") else bare
    return call.callee


def _holds_something(value: Value) -> bool:
    if value.kind is ValueKind.COLLECTION:
        return bool(value.items) or bool(value.names)
    return value.kind in {ValueKind.NAME, ValueKind.CALL, ValueKind.OPERATION}
