"""Log lines can be tied to a request, user and time, and security events are recorded.

Passing title: A log line leads to its request, and sign-ins leave a trace
Failing title: Log lines cannot be told apart by request, and nobody sees who signed in
Grading: Three claims, a third each: lines are written in a machine-readable form with their time (a plain format with the time is half); they carry an identifier of the request (one the hosting
    platform adds is half); sign-ins, refusals or administrators' acts are logged or written to a table of events. The third is left out where nobody signs in here or a hosted provider does it.
Done when: from one complaint with a time and an account, all lines of that request are found with one search, and the last ten failed sign-ins can be listed.
What it cannot see: what a proxy, platform or identity provider records, formats set up outside the code, and whether the identifier reaches jobs and other services.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.checks.log_statements import calls, entry_of, helpers_of
from auditor.checks.registry import check
from auditor.model.artifacts import Deployment
from auditor.model.evidence import Routes, Stores
from auditor.model.needs import DEPLOYMENT, PROJECT, ROUTES, STORES, SYNTAX, TEXTS
from auditor.model.project import SERVING, Project
from auditor.model.syntax import FileFacts, Syntax, ValueKind
from auditor.model.verdict import Assessed, Finding, Judgement, NotApplicable, Place

_STRUCTURED = re.compile(
    r"^(?:structlog|pythonjsonlogger|python_json_logger|json_log_formatter|ecs_logging|logfire|google\.cloud\.logging|aws_lambda_powertools|django_structlog|pino|pino-http|nestjs-pino|bunyan|evlog|@logtape/logtape|firebase-functions/logger|@aws-lambda-powertools/logger|@google-cloud/logging[\w-]*|@axiomhq/\w+)(?:[./]|$)"
)
_JSON_FORMAT = re.compile(
    r"(?:^|[._])(?:Json|JSON|Structured|Ecs|StackdriverJson)\w*(?:Formatter|Renderer|Handler)$|format\.json$|(?:^|\.)JSONRenderer$"
)
_JSON_CLASS = re.compile(r"jsonlogger|JsonFormatter|json_log_formatter|JSONFormatter|structlog")
_TIMED = re.compile(r"%\(asctime\)|\{asctime|\{time[:}]|format\.timestamp|%d\{ISO8601|\[%d\]")
_ASKS_TIME = re.compile(r"toISOString$|strftime$|isoformat$|dayjs|moment\(|toLocale(?:Time)?String$")
_OWN_TIME = frozenset({"winston", "log4js", "consola", "loguru", "@nestjs/common", "signale", "tslog", "fastify", "roarr"})
"""Loggers whose lines carry the time unless told otherwise."""
_CORRELATION = re.compile(
    r"^(?:asgi_correlation_id|django_guid|django_structlog|log_request_id|flask_log_request_id|request_id|starlette_context|pino-http|nestjs-pino|express-pino-logger|koa-pino-logger|cls-rtracer|express-request-id|nestjs-cls|cls-hooked|hono/request-id|correlation-id|@fastify/request-context|ddtrace|dd-trace"
    r"|opentelemetry\.instrumentation\.logging|@opentelemetry/instrumentation-(?:pino|winston|bunyan))(?:[./]|$)"
)
_CORRELATION_SETTING = re.compile(r"^(?:django_guid|log_request_id|django_structlog|request_id)\.middleware|^django_structlog\.middlewares")
_HEADER = re.compile(r"^(?:x-)?(?:request|correlation|trace)-id$|^traceparent$|^x-amzn-trace-id$|^x-cloud-trace-context$", re.IGNORECASE)
_NAMED = re.compile(
    r"^(?:request|correlation|trace)_?id(?:_var|_ctx|_context)?$|^(?:requestId|correlationId|traceId|reqId)$", re.IGNORECASE
)
_CARRIES = re.compile(
    r"(?:^|\.|new )(?:ContextVar|AsyncLocalStorage|bind_contextvars|contextualize|bind|child|setContext|LoggerAdapter|setLogRecordFactory|addFilter)$"
)
_MARKED_FUNCTION = re.compile(
    r"log[-_]?in|sign[-_]?in|sign[-_]?up|authenticat|logout|register[-_]?user|password|permission|forbidden|unauthori|two_?factor|totp|mfa|revoke|impersonat",
    re.IGNORECASE,
)
_MARKED_TEXT = re.compile(
    r"\blog(?:ged)?[ -]?in\b|\bsign(?:ed)?[ -]?(?:in|up)\b|\blogin\b|authenticat|unauthori[sz]ed|forbidden|(?:permission|access) denied|not (?:allowed|permitted)|(?:invalid|wrong|incorrect|bad|expired) (?:password|credentials?|token|signature|username)|password (?:was )?(?:reset|changed)"
    r"|registered successfully|account (?:created|deleted|locked)|rate limit exceeded|too many (?:attempts|requests|logins?)|impersonat",
    re.IGNORECASE,
)
_TROUBLE = re.compile(
    r"error (?:checking|fetching|loading|sending)|(?:send|sending|fetch|load|check|refresh)\w* failed|fail\w* to (?:send|load|fetch|check|refresh)|could not",
    re.IGNORECASE,
)
"""Something did not work: no record of what somebody did."""
_EVENT_LEVELS = frozenset({"info", "warning", "warn", "log", "notice", "error", "critical", "success", "print"})
_LOG_SETTINGS = re.compile(
    r"(?:^|/)log(?:ging|ger)?[-_.]?conf\w*[.\w-]*\.(?:json|ini|ya?ml|toml|conf)$|(?:^|/)logging\.(?:ini|conf|ya?ml|json)$"
)
_EVENT_TABLE = re.compile(
    r"(?:^|_)(?:audit|security|activity|access|event|action|admin|login)_?(?:logs?|events?|entr(?:y|ies)|trails?|records?|attempts?|histor(?:y|ies)|actions?)$|^audits?$|^log_?entr(?:y|ies)$",
    re.IGNORECASE,
)
_EVENT_LIBRARY = re.compile(r"^(?:axes|auditlog|easyaudit|django_auditlog|actstream|flask_audit\w*|sqlalchemy_continuum|casbin)(?:\.|$)")
_EVENT_SIGNAL = re.compile(r"user_(?:logged_in|login_failed|logged_out)")
_HOSTED_LOGIN = re.compile(
    r"^(?:@clerk/|@auth0/|auth0|@supabase/|@workos|@kinde|@stytch|@descope|firebase(?:/auth|-admin)|firebase_admin|@okta/|supabase)"
)
_HOSTED = frozenset({"vercel", "netlify", "cloudflare", "supabase", "firebase", "serverless", "appengine", "procfile"})
_LOGIN_PATH = re.compile(r"(?:log-?in|sign-?in|token|authenticate|register|sign-?up)/?$", re.IGNORECASE)
_LOGIN_NAME = re.compile(
    r"^(?:post_?|handle_?|do_?|api_?|user_?)?(?:log_?in|sign_?in|authenticate)(?:_?user|_?view|_?access_?token)?$", re.IGNORECASE
)
_HALF = 0.5


@dataclass(frozen=True, slots=True)
class _Claim:
    """One of the three: how much of it is missing (0, a half or 1), what was found, and where."""

    missing: float
    found: str
    place: Place | None = None


@check("observability.correlated-logs", needs=(PROJECT, SYNTAX, TEXTS), optional=(ROUTES, STORES, DEPLOYMENT))
def correlated_logs(  # noqa: PLR0917 - evidence comes by position
    project: Project, syntax: Syntax, texts: dict[str, str], routes: Routes | None, stores: Stores | None, deployment: Deployment | None
) -> Judgement:
    """Judge the server code of services by the three claims."""
    if not any(part.kinds & SERVING for part in project.parts):
        return NotApplicable("Nothing here answers requests, so there is no request to tie a line to.")
    files = tuple(facts for facts in syntax.of(project.server) if project.part_of(facts.path).kinds & SERVING)
    if not files:
        return NotApplicable("No code of the repository runs on a server.")
    claims = {
        "structure": _structure(files, texts),
        "request": _request(files, _platform(routes, deployment)),
        "events": _events(tuple(facts for facts in files if facts.path not in project.browser), routes, stores),
    }
    judged = {name: claim for name, claim in claims.items() if claim is not None}
    missing = sum(claim.missing for claim in judged.values())
    first = entry_of(project.parts, files)
    return Assessed(
        missing,
        len(judged),
        f"{_met(judged)} of {len(judged)} claims on log lines hold.",
        findings=tuple(_finding(name, claim, first) for name, claim in judged.items() if claim.missing),
        evidence=tuple(claim.place for claim in judged.values() if claim.place is not None and claim.missing < 1),
        signals=tuple(f"{name}: {claim.found}" for name, claim in judged.items()),
    )


def _met(judged: dict[str, _Claim]) -> str:
    met = len(judged) - sum(claim.missing for claim in judged.values())
    return f"{met:g}"


def _structure(files: tuple[FileFacts, ...], texts: dict[str, str]) -> _Claim:
    timed: Place | None = None
    for path in sorted(path for path in texts if _LOG_SETTINGS.search(path)):
        if _JSON_CLASS.search(texts[path]):
            return _Claim(0, f"a formatter in {path}", Place(path, 1))
        timed = Place(path, 1) if _TIMED.search(texts[path]) else timed
    for facts in files:
        for statement in facts.imports:
            if _STRUCTURED.match(statement.module):
                return _Claim(0, f"{statement.module} in {facts.path}", Place(facts.path, statement.line))
        for call in facts.calls:
            serialised = call.argument("serialize")
            if _JSON_FORMAT.search(call.callee) or (serialised is not None and serialised.literal == "True"):
                return _Claim(0, f"{call.callee} in {facts.path}", Place(facts.path, call.line))
        for definition in facts.definitions:
            if _JSON_FORMAT.search(definition.name) and definition.bases:
                return _Claim(0, f"{definition.name} in {facts.path}", Place(facts.path, definition.line))
        for literal in facts.literals:
            if _JSON_FORMAT.search(literal.text) and "." in literal.text:
                return _Claim(0, f"{literal.text} in {facts.path}", Place(facts.path, literal.line))
        timed = timed or _timed(facts)
    if timed is not None:
        return _Claim(_HALF, f"lines of plain text with the time ({timed.path})", timed)
    return _Claim(1, "plain lines")


def _timed(facts: FileFacts) -> Place | None:
    line = next((literal.line for literal in facts.literals if _TIMED.search(literal.text)), 0)
    if not line:
        line = next(
            (
                s.line
                for s in facts.imports
                if s.module in _OWN_TIME and (s.module != "@nestjs/common" or any(name == "Logger" for name, _ in s.names))
            ),
            0,
        )
    if not line:
        line = next((call.line for call, _ in calls(facts) if call.scope >= 0 and _writes_time(facts, call.scope)), 0)
    return Place(facts.path, line) if line else None


def _writes_time(facts: FileFacts, scope: int) -> bool:
    """Whether a function that is there to log asks for the time."""
    if not re.match(r"_?(?:log|write|emit|output|format)", facts.definitions[scope].name, re.IGNORECASE):
        return False
    return any(call.scope == scope and _ASKS_TIME.search(call.callee) for call in facts.calls)


def _platform(routes: Routes | None, deployment: Deployment | None) -> str:
    """The hosting platform that numbers requests by itself, "" when none is known."""
    if deployment is not None and any(file.purpose == "production" for file in deployment.dockerfiles):
        return ""  # it runs somewhere else than on a platform that numbers requests
    frameworks = {route.framework for route in routes.routes} if routes is not None else set()
    hosted = {platform.platform for platform in deployment.platforms} if deployment is not None else set()
    return next(iter(sorted((frameworks | hosted) & _HOSTED)), "")


def _request(files: tuple[FileFacts, ...], platform: str) -> _Claim:
    for facts in files:
        for statement in facts.imports:
            if _CORRELATION.match(statement.module):
                return _Claim(0, f"{statement.module} in {facts.path}", Place(facts.path, statement.line))
        for literal in facts.literals:
            if _CORRELATION_SETTING.match(literal.text):
                return _Claim(0, f"{literal.text} in {facts.path}", Place(facts.path, literal.line))
    logged = next(_identified(files), None)
    if logged is not None:
        return _Claim(0, f"an identifier of the request is logged ({logged.path})", logged)
    header = next(((f.path, literal.line) for f in files for literal in f.literals if _HEADER.match(literal.text)), None)
    if header is not None:
        return _Claim(_HALF, f"an identifier is read or answered in {header[0]}, no log line carries it", Place(*header))
    return _Claim(_HALF, f"{platform} adds one") if platform else _Claim(1, "none")


def _identified(files: tuple[FileFacts, ...]) -> Iterator[Place]:
    """Places that put an identifier of the request onto lines: logged by name, or kept in a context together with its header or name."""
    for facts in files:
        for call, _ in calls(facts):
            names = [
                name
                for a in call.arguments
                for name in (
                    *a.value.names,
                    a.name,
                    *(key for key, _ in a.value.items),
                    *(key for _, inner in a.value.items for key, _ in inner.items),
                )
            ]
            if any(_NAMED.match(name.rpartition(".")[2]) for name in names if name):
                yield Place(facts.path, call.line)
        named = any(_HEADER.match(literal.text) or _NAMED.match(literal.text) for literal in facts.literals)
        carried = next((call for call in facts.calls if _CARRIES.search(call.callee)), None)
        if (
            named
            and carried is not None
            and any(
                call.callee.rpartition(".")[2] in {"uuid4", "randomUUID", "nanoid", "v4", "uuidv4", "ulid", "token_hex", "uuid"}
                or _CARRIES.search(call.callee)
                for call in facts.calls
            )
        ):
            yield Place(facts.path, carried.line)


def _events(files: tuple[FileFacts, ...], routes: Routes | None, stores: Stores | None) -> _Claim | None:
    """What is recorded of sign-ins and refusals; None where nobody signs in here."""
    table = next((entry for entry in (stores.models if stores is not None else ()) if _EVENT_TABLE.search(_snake(entry[0]))), None)
    if table is not None:
        return _Claim(0, f"the table {table[0]}", table[1])
    for facts in files:
        for statement in facts.imports:
            if _EVENT_LIBRARY.match(statement.module) or any(_EVENT_SIGNAL.match(name) for name, _ in statement.names):
                return _Claim(0, f"{statement.module} in {facts.path}", Place(facts.path, statement.line))
        for literal in facts.literals:
            if _EVENT_LIBRARY.fullmatch(literal.text):
                return _Claim(0, f"{literal.text} in {facts.path}", Place(facts.path, literal.line))
    recorded = next(_recorded(files), None)
    if recorded is not None:
        return _Claim(0, f"sign-ins or refusals are logged in {recorded.path}", recorded)
    return _Claim(1, "none") if _signs_in(files, routes) else None


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.rpartition(".")[2]).lower()


def _recorded(files: tuple[FileFacts, ...]) -> Iterator[Place]:
    helpers = helpers_of(files)
    for facts in files:
        for call in (*(call for call, _ in calls(facts)), *(call for call in facts.calls if call.callee in helpers)):
            inside = facts.definitions[call.scope].qualname if call.scope >= 0 else ""
            told = " ".join(a.value.literal for a in call.arguments if a.value.kind in {ValueKind.STRING, ValueKind.TEMPLATE})
            level = call.callee.rpartition(".")[2]
            if (level not in _EVENT_LEVELS and level not in helpers) or _TROUBLE.search(told):
                continue
            if _MARKED_TEXT.search(told) or (_MARKED_FUNCTION.search(inside) and level not in {"error", "critical", "print"}):
                yield Place(facts.path, call.line)


def _signs_in(files: tuple[FileFacts, ...], routes: Routes | None) -> bool:
    """Whether this code checks who somebody is itself."""
    if any(_HOSTED_LOGIN.match(statement.module) for facts in files for statement in facts.imports):
        return False
    by_path = any(_LOGIN_PATH.search(route.path) for route in routes.routes) if routes is not None else False
    return by_path or any(_LOGIN_NAME.match(definition.name) for facts in files for definition in facts.definitions)


def _finding(name: str, claim: _Claim, first: Place) -> Finding:
    place = claim.place or first
    message = {
        "structure": "Log lines are plain text"
        + (
            " with the time in it: no tool can filter them by field."
            if claim.missing < 1
            else " without time or fields: they cannot be put in order, filtered or counted."
        ),
        "request": "An identifier of the request exists, but the log lines do not carry it: lines of one request cannot be collected."
        if claim.missing < 1
        else "No line says which request it belongs to: among forty customers nobody can tell whose error this was.",
        "events": "Neither sign-ins nor refusals leave a trace: after a break-in nobody can say who came in, when and as whom.",
    }[name]
    return Finding(f"no-{name}" if claim.missing == 1 else f"half-{name}", place.path, message, place.line, cwe=778)
