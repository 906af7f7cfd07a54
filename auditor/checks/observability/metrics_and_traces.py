"""Request rate, errors and duration are measured, and slow queries can be found.

Passing title: How many requests, how many failures and how slow: it is measured
Failing title: Nobody measures how much is asked, what fails and how long it takes
Grading: Pass when the server is started under an agent, instruments its framework or keeps histograms of its own, so that rate, errors and duration come out. Partial when only traces of an
    error tracker are sampled, only counters or durations in log lines exist, the database logs slow queries and nothing else is measured, or a hosting platform measures its functions by itself.
    Fail when nothing is measured. A package that is declared and never used measures nothing; page views and product analytics are no measurements of the service.
Done when: one page shows rate, errors and duration of the last day for every service, and the slowest query of yesterday can be named.
What it cannot see: agents that a platform or an operator adds, what a load balancer measures, and whether anybody looks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.checks.log_statements import calls, entry_of
from auditor.checks.registry import check
from auditor.checks.starts import LAUNCHER, launch_texts
from auditor.model.artifacts import Deployment, Manifests
from auditor.model.evidence import Routes
from auditor.model.needs import DEPLOYMENT, MANIFESTS, PROJECT, ROUTES, SYNTAX
from auditor.model.project import SERVING, Project
from auditor.model.syntax import Call, FileFacts, ImportKind, Syntax, ValueKind
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable, Place
from auditor.words import listed, plural

_INSTRUMENTS = re.compile(
    r"^(?:prometheus_fastapi_instrumentator|starlette_exporter|starlette_prometheus|prometheus_flask_exporter|django_prometheus|aioprometheus|flask_monitoringdashboard|express-prom-bundle|prometheus-api-metrics|express-prometheus-middleware|fastify-metrics|@hono/prometheus|koa-prom-bundle|swagger-stats|measured-(?:core|reporting)"
    r"|ddtrace|dd-trace|newrelic|elasticapm|elastic-apm-node|scout_apm|@appsignal/nodejs|appsignal|opentelemetry\.instrumentation\.(?!logging)\w+|@opentelemetry/(?:auto-instrumentations-node|sdk-node|instrumentation-(?:http|express|fastify|koa|nestjs-core))|@vercel/otel|@hono/otel|@fastify/otel|applicationinsights|azure\.monitor\.opentelemetry|logfire|skywalking|sw_apm"
    r"|@google-cloud/opentelemetry[\w-]*)(?:[./]|$)"
)
_METRICS = re.compile(
    r"^(?:prometheus_client|prom-client|statsd|node-statsd|hot-shots|datadog|datadog-metrics|@opentelemetry/(?:api|sdk-metrics)|opentelemetry(?:\.(?:metrics|sdk\.metrics))?|@willsoto/nestjs-prometheus|markus|aws_lambda_powertools(?:\.metrics)?|@aws-lambda-powertools/metrics|influxdb_client|micrometer\w*)(?:[./]|$)"
)
_DURATION = re.compile(
    r"(?:^|\.|new )(?:Histogram|Summary|histogram|distribution|timing|timer|timed|createHistogram|create_histogram|startTimer|start_timer|makeHistogramProvider|time|summary)$"
)
_COUNT = re.compile(
    r"(?:^|\.|new )(?:Counter|Gauge|counter|gauge|incr|increment|inc|createCounter|create_counter|makeCounterProvider|collectDefaultMetrics|add_metric|addMetric)$"
)
_OWN_CLIENT = re.compile(r"^(?:self\.|this\.)?(?:statsd|metrics|Metrics|stats)\.(?:timing|incr|increment|gauge|count|observe|record)$")
_SETTING = re.compile(r"^(?:django_prometheus|scout_apm\.django|elasticapm\.contrib\.django)")
_TRACES = frozenset({"traces_sample_rate", "tracesSampleRate", "traces_sampler", "tracesSampler"})
_LOGGED_DURATION = re.compile(
    r"^(?:x-process-time|x-response-time)$|(?:request|duration|took|elapsed|finished|completed)\b.{0,80}\{\}\s{0,3}m?s\b|:response-time|\bin \{\} ?m?s\b",
    re.IGNORECASE,
)
_DURATION_NAME = re.compile(
    r"(?:^|\.)(?:duration(?:_?ms)?|elapsed(?:_?ms)?|response_?time|process_?time|latency(?:_?ms)?|durationMs|elapsedMs|responseTime)$",
    re.IGNORECASE,
)
_MIDDLEWARE = re.compile(r"middleware|interceptor|before_request|after_request|dispatch|log_?requests?|process_?time|timing", re.IGNORECASE)
_ACCESS_LOGS = frozenset(
    {"pino-http", "morgan", "nestjs-pino", "express-winston", "koa-logger", "hono/logger", "express-pino-logger", "response-time"}
)
_SLOW_QUERIES = re.compile(r"log_min_duration_statement|slow_query_log|pg_stat_statements|long_query_time|auto_explain")
_FUNCTIONS = frozenset({"supabase", "firebase", "serverless", "vercel", "netlify", "cloudflare"})
_PARTIAL = 0.5


@dataclass(frozen=True, slots=True)
class _Measure:
    """Something that measures; `whole`: rate, errors and duration of requests come out of it."""

    name: str
    place: Place
    whole: bool


@check("observability.metrics-and-traces", needs=(PROJECT, SYNTAX), optional=(MANIFESTS, DEPLOYMENT, ROUTES))
def metrics_and_traces(
    project: Project, syntax: Syntax, manifests: Manifests | None, deployment: Deployment | None, routes: Routes | None
) -> Judgement:
    """Look for what measures the services of the repository."""
    if not any(part.kinds & SERVING for part in project.parts):
        return NotApplicable("Nothing here answers requests: there is no rate, error or duration of them to measure.")
    files = tuple(facts for facts in syntax.of(project.server) if project.part_of(facts.path).kinds & SERVING)
    if not files:
        return NotApplicable("No code of the repository runs on a server.")
    found = [*_launched(deployment, manifests), *(measure for facts in files for measure in _in_file(facts)), *_database(deployment)]
    signals = (
        f"measures: {listed(sorted({f'{measure.name} in {measure.place.path}' for measure in found}), 4) or 'none'}",
        f"{plural(len(files), 'server file')} looked at",
    )
    whole = [measure for measure in found if measure.whole]
    if whole:
        return Assessed(
            0, 1, f"{whole[0].name} measures the requests.", evidence=tuple(measure.place for measure in whole[:3]), signals=signals
        )
    if found:
        first = found[0]
        message = f"{first.name} is all that is measured: rate, failures and duration of the requests cannot be read from it together."
        finding = Finding("measured-in-part", first.place.path, message, first.place.line)
        return Assessed(_PARTIAL, 1, message, findings=(finding,), evidence=(first.place,), signals=signals)
    entry = entry_of(project.parts, files)
    platform = _functions(routes, deployment)
    if platform:
        message = f"Only {platform} measures: its console counts calls and failures of each function, and nothing here adds what the product does inside."
        return Assessed(
            _PARTIAL,
            1,
            message,
            findings=(Finding("platform-figures-only", entry.path, message, entry.line, confidence=Confidence.MEDIUM),),
            signals=signals,
        )
    message = "Nothing measures how many requests come, how many fail and how long they take: “it feels slow” is the only figure there is."
    return Assessed(
        1,
        1,
        "Neither metrics nor traces are produced.",
        findings=(Finding("not-measured", entry.path, message, entry.line, cwe=778),),
        signals=signals,
    )


def _launched(deployment: Deployment | None, manifests: Manifests | None) -> Iterator[_Measure]:
    for place, text in launch_texts(deployment, manifests):
        match = LAUNCHER.search(text[:4000])
        if match and "sentry" not in match[0]:
            yield _Measure(match[0], place, whole=True)


def _in_file(facts: FileFacts) -> Iterator[_Measure]:
    metrics = False
    for statement in facts.imports:
        if statement.kind is ImportKind.TYPE_ONLY or statement.guarded:
            continue  # an import that may fail is a shim for an agent that need not be there
        if _INSTRUMENTS.match(statement.module):
            yield _Measure(statement.module, Place(facts.path, statement.line), whole=True)
        elif statement.module in _ACCESS_LOGS:
            yield _Measure(f"the duration {statement.module} logs", Place(facts.path, statement.line), whole=False)
        metrics = metrics or bool(_METRICS.match(statement.module))
    if any(
        re.search(r"(?:^|[./])(?:statsd|metrics)$", s.module) or any(name in {"statsd", "metrics"} for name, _ in s.names)
        for s in facts.imports
    ):
        sent = next((call for call in facts.calls if _OWN_CLIENT.match(call.callee)), None)
        if sent is not None:
            yield _Measure(f"what the code sends itself ({sent.callee})", Place(facts.path, sent.line), whole=False)
    for literal in facts.literals:
        if _SETTING.match(literal.text):
            yield _Measure(literal.text.split(".")[0], Place(facts.path, literal.line), whole=True)
    for call in facts.calls:
        if metrics and call.arguments and _DURATION.search(call.callee) and call.callee not in {"time.time", "console.time"}:
            yield _Measure(f"a histogram ({call.callee})", Place(facts.path, call.line), whole=True)
        elif metrics and _COUNT.search(call.callee):
            yield _Measure(f"counting ({call.callee})", Place(facts.path, call.line), whole=False)
        elif _samples_traces(call):
            yield _Measure("a sample of traces in the error tracker", Place(facts.path, call.line), whole=False)
    yield from _logged_durations(facts)


def _samples_traces(call: Call) -> bool:
    given = [(a.name, a.value) for a in call.arguments] + [entry for a in call.arguments for entry in a.value.items]
    return call.callee.endswith("init") and any(
        name in _TRACES and not (value.kind is ValueKind.NUMBER and not float_of(value.literal)) for name, value in given
    )


def float_of(text: str) -> float:
    """The number a literal stands for, 0 when it is none."""
    try:
        return float(text.replace("_", ""))
    except ValueError:
        return 0.0


def _logged_durations(facts: FileFacts) -> Iterator[_Measure]:
    """Lines of a middleware that tell how long a request took."""
    for call, _ in calls(facts):
        inside = facts.definitions[call.scope].qualname if call.scope >= 0 else ""
        if not _MIDDLEWARE.search(f"{facts.path} {inside}"):
            continue
        told = any(_LOGGED_DURATION.search(a.value.literal) for a in call.arguments)
        named = any(_DURATION_NAME.search(name) for a in call.arguments for name in (*a.value.names, *(key for key, _ in a.value.items)))
        if told or named:
            yield _Measure("a duration in the log", Place(facts.path, call.line), whole=False)
            return


def _database(deployment: Deployment | None) -> Iterator[_Measure]:
    for service in deployment.compose if deployment is not None else ():
        if _SLOW_QUERIES.search(service.command):
            yield _Measure("the database's log of slow queries", Place(service.path, service.line), whole=False)


def _functions(routes: Routes | None, deployment: Deployment | None) -> str:
    """The platform that runs the server side as functions and counts their calls, "" for a process of one's own."""
    if deployment is not None and any(file.purpose == "production" for file in deployment.dockerfiles):
        return ""
    frameworks = {route.framework for route in routes.routes} if routes is not None else set()
    if frameworks and frameworks <= {"supabase", "firebase", "serverless"}:
        return min(frameworks)
    hosted = sorted({platform.platform for platform in deployment.platforms} & _FUNCTIONS) if deployment is not None else []
    return hosted[0] if hosted else ""
