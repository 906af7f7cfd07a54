"""A machine can ask the running service whether it is alive and able to work.

Passing title: A machine can ask the service whether it is able to work
Failing title: Nothing can ask the service whether it is able to work
Grading: Pass when a health or readiness route asks something the service depends on (database, cache, queue), when a container or platform probe does,
    or when there is nothing it depends on and a route or probe answers. Partial when the only answer is a constant although there are dependencies. Fail when there is
    neither a route nor a probe.
Done when: One route answers whether the process runs, another whether it reaches its database and queue, and the platform's probes call them.
What it cannot see: Checks that stand outside the repository, and whether anybody looks at the answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.checks.reach import Reach
from auditor.checks.registry import check
from auditor.model.artifacts import ComposeService, Deployment
from auditor.model.evidence import Route, RouteKind, Routes, Stores
from auditor.model.needs import DEPLOYMENT, PROJECT, ROUTES, STORES, SYNTAX
from auditor.model.project import Kind, Part, Project
from auditor.model.syntax import Call, Syntax
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable, Place
from auditor.words import listed, plural

_NAME = re.compile(
    r"^_?(?:health[_-]?(?:z|check|checks|status|probe)?|healthcheckz?|live(?:z|ness)?|liveness[_-]?probe|ready(?:z)?|readiness|readyness|is[_-]?alive|alive|heartbeat|up|ping|status|statusz|deep-?ping)$",
    re.IGNORECASE,
)
_GENERAL = re.compile(
    r"^(?:_|-)?(?:api|v\d+|rest|internal|system|app|monitoring|monitor|ops|actuator|service|server|public|health\w*|probes?|management|admin|core|_)$",
    re.IGNORECASE,
)
_HOLE = re.compile(r"[{<:\[*]")
_DEPENDENCY_CALL = re.compile(
    r"(?:^|\.)(?:execute|executemany|exec_driver_sql|query|\$queryRaw(?:Unsafe)?|\$executeRaw(?:Unsafe)?|\$connect|raw|authenticate|ensure_connection|is_usable|fetchone|fetchall|fetchval|fetchrow|list_collection_names"
    r"|server_info|pingCheck|isInitialized|admin\(\)\.ping|adminCommand|listCollections|scalar|scalars|scalar_one|exec)$"
)
_STORE_METHOD = re.compile(
    r"(?:^|\.)(?:ping|command|first|all|count|exists|find|findOne|findFirst|findMany|find_one|findUnique|aggregate|get|select|info|connect|getConnection|acquire|cursor|all_?keys|estimatedDocumentCount|check|status|limit)$"
)
_STORE_WORD = re.compile(
    r"(?:^|[._])(?:db|database|session|prisma|objects|knex|pool|redis|cache|mongo\w*|client|conn|connection|engine|queue|rabbit\w*|kafka|celery|supabase|store|repository|repo|orm|drizzle|sequelize|sql|query)(?:$|[._(])",
    re.IGNORECASE,
)
_CHECKING_NAME = re.compile(
    r"(?:check|ping|verify|test|probe|is)_?\w*(?:db|database|redis|cache|postgres|mysql|mongo|queue|broker|connection)|(?:db|database|redis|prisma|mongo)\w*(?:health|alive|ready|ping|check|status)",
    re.IGNORECASE,
)
_SELECT = re.compile(r"^\s*SELECT\b", re.IGNORECASE)
_INFRASTRUCTURE = re.compile(
    r"(?:^|/)(?:postgres\w*|postgis|pgvector|timescaledb|mysql|mariadb|redis|valkey|keydb|mongo\w*|rabbitmq|clickhouse[\w-]*|elasticsearch|opensearch|minio|cp-\w+|kafka|zookeeper|nginx|traefik|caddy|adminer|pgadmin\d?|mailhog|mailpit"
    r"|memcached|nats|grafana|prometheus|loki|jaeger|localstack|vault|consul|etcd|influxdb|meilisearch|typesense|qdrant|neo4j|mssql|server|keycloak|haproxy|dapr|hasura|gotrue|kong)(?::|@|$)"
)
_DEVELOPMENT = re.compile(r"(?:^|[/._-])(?:dev|development|local|tests?|ci|e2e)(?:[/._-])")
_LIBRARIES = re.compile(r"(?:^|\.)(?:createTerminus|createLightship|healthcheck|HealthCheck|health\.add_section|HealthCheckService)$")
_HOSTED = frozenset({"vercel", "netlify", "cloudflare", "supabase", "firebase", "serverless"})
_SELF_RUN = frozenset(
    {
        "procfile",
        "fly",
        "render",
        "railway",
        "heroku",
        "appengine",
        "kubernetes",
        "helm",
        "nixpacks",
        "systemd",
        "pm2",
        "ansible",
        "kamal",
        "elasticbeanstalk",
        "digitalocean",
        "replit",
        "nginx",
    }
)
_BUILT_IN = frozenset({"streamlit", "gradio"})
_FUNCTIONS = frozenset({"supabase", "firebase", "serverless"})
_DESKTOP = frozenset({"electron", "tauri", "qt", "tkinter", "kivy", "pygame", "react-native", "expo", "ionic", "capacitor", "vscode"})
_REMOTE_STORES = ("redis", "mongodb", "celery", "rq", "dramatiq", "bullmq")


@dataclass(frozen=True, slots=True)
class _Answer:
    """Something a machine can ask: a route or a probe, and whether it asks on."""

    place: Place
    shown: str
    asks: bool


@check("observability.health-endpoint", needs=(ROUTES, PROJECT, STORES), corroborating=(SYNTAX,), optional=(DEPLOYMENT,))
def health_endpoint(routes: Routes, project: Project, stores: Stores, syntax: Syntax, deployment: Deployment | None) -> Judgement:
    """Look for routes and probes, then for what they ask."""
    excuse = _not_running(routes, project, deployment)
    if excuse:
        return NotApplicable(excuse)
    reach = Reach(syntax, project.production)
    answers = [*_routes(routes, reach), *_libraries(syntax, project), *_probes(deployment), *_built_in(project)]
    dependency = _dependency(stores, project)
    signals = (
        f"health routes and probes: {listed([answer.shown for answer in answers], 6) or 'none'}",
        f"depends on: {dependency[0] if dependency else 'nothing that was found'}",
        f"routes looked at: {len(routes.routes)}",
    )
    asking = [answer for answer in answers if answer.asks]
    if asking or (answers and dependency is None):
        summary = f"{(asking or answers)[0].shown} answers" + (
            " and asks what the service depends on." if asking else "; nothing it depends on was found."
        )
        return Assessed(
            bad=0, total=1, summary=summary, evidence=tuple(answer.place for answer in (asking or answers)[:3]), signals=signals
        )
    if not answers:
        return _nothing(routes, project, signals)
    return _constant(answers, dependency, signals)


def _nothing(routes: Routes, project: Project, signals: tuple[str, ...]) -> Assessed:
    first = routes.routes[0].place if routes.routes else Place(min(project.server, default=""), 1)
    message = (
        "No route and no probe says whether this service works: whoever sends people to it keeps doing so after it has lost its database."
    )
    return Assessed(
        bad=1,
        total=1,
        summary=f"No health route among {plural(len(routes.routes), 'route')} and no probe in container or platform files.",
        findings=(Finding("no-health-route", first.path, message, first.line, first.end_line),),
        signals=signals,
        confidence=Confidence.HIGH if routes.routes else Confidence.MEDIUM,
    )


def _constant(answers: list[_Answer], dependency: tuple[str, Place] | None, signals: tuple[str, ...]) -> Assessed:
    name = dependency[0] if dependency else "what it depends on"
    findings = tuple(
        Finding(
            "constant-answer",
            answer.place.path,
            f"{answer.shown} says that all is well without asking {name}: an instance that lost it keeps getting visitors.",
            answer.place.line,
            answer.place.end_line,
        )
        for answer in answers[:4]
    )
    return Assessed(bad=0.5, total=1, summary=f"{answers[0].shown} answers, and does not ask {name}.", findings=findings, signals=signals)


def _not_running(routes: Routes, project: Project, deployment: Deployment | None) -> str:
    """Why nobody has to ask, "" when this is a long-running service."""
    parts = [part for part in project.parts if part.kinds & {Kind.SERVICE, Kind.FULLSTACK} or _is_server_app(part)]
    if not parts:
        return "Nothing here runs as a service: no part listens for requests."
    platforms = {platform.platform for platform in deployment.platforms} if deployment is not None else set()
    own_image = deployment is not None and bool([file for file in deployment.dockerfiles if file.purpose == "production"])
    if own_image or platforms & _SELF_RUN:
        return ""
    frameworks = {route.framework for route in routes.routes if route.kind not in {RouteKind.PAGE, RouteKind.COMMAND}}
    if frameworks and frameworks <= _FUNCTIONS:
        return "The server side consists of functions that a hosting platform starts for each request."
    if platforms & _HOSTED and all(
        part.uses("nextjs", "sveltekit", "nuxt", "astro", "remix") or part.kinds <= {Kind.FRONTEND} for part in parts
    ):
        return "A hosting platform runs the server side as functions: there is no long-running process to ask."
    return ""


def _is_server_app(part: Part) -> bool:
    return Kind.APP in part.kinds and part.uses(*sorted(_BUILT_IN), "chainlit", "dash", "nicegui") and not part.uses(*sorted(_DESKTOP))


def _routes(routes: Routes, reach: Reach) -> Iterator[_Answer]:
    pages = {_HOLE.split(route.path, maxsplit=1)[0].rstrip("/") for route in routes.routes if _HOLE.search(route.path)}
    for route in routes.routes:
        if route.path.rstrip("/") in pages and not re.search(r"health|live|ready", route.path, re.IGNORECASE):
            continue  # `/status` beside `/status/:page` shows things called so
        if route.kind is RouteKind.HTTP and route.method in {"GET", "HEAD", "ANY"} and _is_health(route):
            asks = (
                any(_is_dependency(call) for _, call in reach.calls(route.place.path, route.handler_scope))
                if route.handler_scope >= 0
                else False
            )
            asks = asks or (
                route.handler_scope >= 0 and any(_SELECT.match(text) for text in reach.texts(route.place.path, route.handler_scope))
            )
            yield _Answer(route.place, f"{route.method} {route.path}", asks)


def _is_health(route: Route) -> bool:
    parts = [part for part in route.path.strip("/^$").split("/") if part]
    if not parts or len(parts) > 5 or _HOLE.search(route.path.removeprefix("/{}")):
        return False
    named = parts[-1].lower().removesuffix(".json")
    if not named.startswith(("health", "_health", "liveness", "readiness")) and not all(_GENERAL.match(part) for part in parts[:-1]):
        return False  # the state of an order, the ping of a monitored job
    beneath = len(parts) > 1 and re.match(r"^health", parts[-2], re.IGNORECASE) and re.match(r"^(?:live|ready|db|deep|check|status)", named)
    return bool(_NAME.match(named) or beneath)


def _is_dependency(call: Call) -> bool:
    base = call.callee.rpartition(".")[0]
    if re.match(
        r"^(?:res|req|response|request|reply|ctx|c|console|logger|log|json|JSON|Math|Object|os|process|headers|params|config|settings|app)(?:\.|$)",
        call.callee,
    ):
        return False
    if _DEPENDENCY_CALL.search(call.callee) or _CHECKING_NAME.search(call.callee):
        return True
    return bool(_STORE_METHOD.search(call.callee) and _STORE_WORD.search(base))


def _libraries(syntax: Syntax, project: Project) -> Iterator[_Answer]:
    """Health checks that a library serves: django-health-check, terminus, lightship."""
    for facts in syntax.of(project.server):
        for call in facts.calls:
            if _LIBRARIES.search(call.callee) and call.arguments and "Service" not in call.callee:
                asks = any(
                    "health" in name.lower() or "check" in name.lower() for argument in call.arguments for name in argument.value.names
                )
                yield _Answer(Place(facts.path, call.line, call.line), call.callee, asks)
            elif call.callee.endswith("include") and any(a.value.literal == "health_check.urls" for a in call.arguments):
                yield _Answer(Place(facts.path, call.line, call.line), "django-health-check", asks=True)


def _probes(deployment: Deployment | None) -> Iterator[_Answer]:
    if deployment is None:
        return
    for dockerfile in deployment.dockerfiles:
        for instruction in dockerfile.instructions:
            if (
                instruction.keyword == "HEALTHCHECK"
                and not instruction.text.upper().startswith("NONE")
                and dockerfile.purpose == "production"
            ):
                yield _Answer(
                    Place(dockerfile.path, instruction.line, instruction.end_line),
                    "the image's health check",
                    _command_asks(instruction.text),
                )
    for service in deployment.compose:
        if (
            service.healthcheck
            and not _DEVELOPMENT.search(service.path)
            and not _INFRASTRUCTURE.search(service.image)
            and not _is_disabled(service)
        ):
            command = " ".join(value for key, value in service.settings if key.startswith("healthcheck.test"))
            yield _Answer(
                Place(service.path, service.line, service.line), f"the health check of the service {service.name}", _command_asks(command)
            )
    for platform in deployment.platforms:
        if platform.health:
            yield _Answer(Place(platform.path, 1, 1), f"the {platform.platform} probe", asks=False)


def _is_disabled(service: ComposeService) -> bool:
    settings = dict(service.settings)
    return settings.get("healthcheck.disable") == "true" or settings.get("healthcheck.test.0") == "NONE"


def _command_asks(command: str) -> bool:
    """Whether a probe's own command looks beyond the web server."""
    return bool(re.search(r"\b(?:pg_isready|redis-cli|mysqladmin|check --database|celery\b.{0,80}\binspect|SELECT 1)\b", command[:2_000]))


def _built_in(project: Project) -> Iterator[_Answer]:
    for part in project.parts:
        for framework in part.frameworks:
            if framework.name in _BUILT_IN and Kind.APP in part.kinds:
                yield _Answer(framework.place, f"the health route {framework.name.capitalize()} brings", asks=False)


def _dependency(stores: Stores, project: Project) -> tuple[str, Place] | None:
    """The first thing the service cannot work without, and where that shows."""
    if stores.relational:
        return "the database", stores.relational[0]
    if stores.migrations:
        return "the database", Place(stores.migrations[0].path, stores.migrations[0].line)
    if stores.document:
        return "the data store", stores.document[0]
    framework = project.uses(*_REMOTE_STORES)
    return (framework.name, framework.place) if framework is not None else None
