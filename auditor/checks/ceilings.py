"""Ceilings that stand in a repository, and those somebody took away: memory of containers, sizes of requests, times of servers, turns of agents."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from auditor.checks.model_calls import model_imports
from auditor.checks.starts import DEVELOPMENT_FILE, launch_texts
from auditor.model.artifacts import ComposeService, Deployment
from auditor.model.syntax import FileFacts, Value, ValueKind

_PARSERS = re.compile(r"^(?:express|bodyParser|body_?parser)\.(?:json|urlencoded|raw|text)$|^(?:koaBody|bodyParser)$")
_SIZES = frozenset({
    "bodyLimit", "fileSize", "maxFileSize", "bodySizeLimit", "sizeLimit", "maxRequestBodySize", "client_max_size", "maxHttpBufferSize",
    "max_request_body_size", "MAX_CONTENT_LENGTH", "DATA_UPLOAD_MAX_MEMORY_SIZE",
})  # fmt: skip
_TIMES = frozenset({"maxDuration"})
_TURNS = frozenset(
    {"max_iterations", "max_turns", "max_steps", "maxSteps", "maxTurns", "maxIterations", "recursion_limit", "recursionLimit"}
)
_ENDLESS = re.compile(r"^(?:Infinity|Number\.POSITIVE_INFINITY|math\.inf|float\([\"']inf[\"']\)|Number\.MAX_SAFE_INTEGER|sys\.maxsize)$")
_GIGABYTES = re.compile(r"^\s*\d+(?:\.\d+)?\s*[gt]b?\s*$", re.IGNORECASE)
_OPERATED = re.compile(r"^(?:always|unless-stopped|on-failure)")
_PRODUCTION_FILE = re.compile(r"(?:prod|production|deploy|stack)[\w-]*\.ya?ml$")
_MEMORY = frozenset({"mem_limit", "deploy.resources.limits.memory"})
_WORKER_TIME = re.compile(r"\bgunicorn\b.*?(?:--timeout|(?<!\S)-t)[ =]+(\d+)\b")
_PORT_OF_HOST = re.compile(r"\$\{?PORT\b")
"""The host that names the port ends requests itself; its own guide says to turn the server's time off."""


@dataclass(frozen=True, slots=True)
class Ceiling:
    """One ceiling; `rule` is what is wrong when it is missing or taken away, "" when it holds. `kind`: "memory", "size", "time" or "spending"."""

    kind: str
    rule: str
    path: str
    line: int
    what: str


def of_containers(deployment: Deployment) -> Iterator[Ceiling]:
    """Memory of the containers that a cluster or a composed production keeps running."""
    clustered = [(p.path, each) for p in deployment.platforms for each in p.containers if not DEVELOPMENT_FILE.search(p.path)]
    defaults = any(key == "kind" and value == "LimitRange" for p in deployment.platforms for key, value in p.settings)
    given = {each.name for _, each in clustered if each.memory}
    for path, each in clustered:
        if each.image:
            held = defaults or bool(each.memory) or each.name in given
            yield Ceiling("memory", "" if held else "memory-without-ceiling", path, each.line, f"The container {each.name}")
    services: defaultdict[tuple[str, str], list[ComposeService]] = defaultdict(list)
    for service in deployment.compose:
        if not DEVELOPMENT_FILE.search(service.path):
            services[service.path.rpartition("/")[0], service.name].append(service)
    for group in services.values():
        settings = [pair for service in group for pair in service.settings]
        own = next((service for service in group if service.build), None)
        if own is None or any(key.startswith("extends") for key, _ in settings) or not _operated(group):
            continue
        held = any(key in _MEMORY for key, _ in settings)
        yield Ceiling("memory", "" if held else "memory-without-ceiling", own.path, own.line, f"The service {own.name}")


def _operated(group: list[ComposeService]) -> bool:
    """Whether a service is kept running: started again when it ends, or described in a file of production."""
    return any(
        _PRODUCTION_FILE.search(service.path)
        or any(key in {"restart", "deploy.restart_policy.condition"} and _OPERATED.match(value) for key, value in service.settings)
        for service in group
    )


def of_servers(deployment: Deployment) -> Iterator[Ceiling]:
    """How long a worker may take, and what a proxy lets through."""
    for place, text in launch_texts(deployment, None):
        plain = re.sub(r"[\"',\[\]]+", " ", text)
        found = _WORKER_TIME.search(plain)
        if found and not (found[1] == "0" and _PORT_OF_HOST.search(plain)):
            yield Ceiling("time", "" if int(found[1]) else "time-ceiling-removed", place.path, place.line, "gunicorn")
    for platform in deployment.platforms:
        for key, value in platform.settings:
            if platform.platform == "nginx" and key == "client_max_body_size":
                yield Ceiling("size", "size-ceiling-removed" if value.strip() == "0" else "", platform.path, 0, "nginx")
            elif key.rpartition(".")[2] in _TIMES and value.isdigit():
                yield Ceiling("time", "", platform.path, 0, key)


def of_code(files: Iterable[FileFacts]) -> Iterator[Ceiling]:
    """Sizes, times and turns that code sets or takes away."""
    for facts in files:
        asks = bool(model_imports([facts]))
        for key, value, line, parser in _settings(facts):
            if key in _SIZES or (parser and key in {"limit", "jsonLimit"}):
                yield Ceiling("size", "size-ceiling-removed" if _none(value) else "", facts.path, line, key)
            elif key in _TIMES and value.kind is ValueKind.NUMBER:
                yield Ceiling("time", "", facts.path, line, key)
            elif asks and key in _TURNS:
                yield Ceiling("spending", "turns-without-ceiling" if _none(value) else "", facts.path, line, key)


def _settings(facts: FileFacts) -> Iterator[tuple[str, Value, int, bool]]:
    """(name, value, line, whether a parser of requests gets it) of every setting that is written down."""
    for call in facts.calls:
        parser = _PARSERS.match(call.callee) is not None
        for argument in call.arguments:
            if argument.name:
                yield argument.name, argument.value, call.line, parser
            for key, value in _entries(argument.value):
                yield key, value, call.line, parser
    for assignment in facts.assignments:
        if assignment.value is not None:
            name = re.sub(r".*\[[\"'](\w+)[\"']\]$", r"\1", assignment.target).rpartition(".")[2]
            yield name, assignment.value, assignment.line, False
            if assignment.scope < 0:
                for key, value in _entries(assignment.value):
                    yield key, value, assignment.line, False


def _entries(value: Value) -> Iterator[tuple[str, Value]]:
    for key, inner in value.items if value.kind is ValueKind.COLLECTION else ():
        yield key, inner
        yield from _entries(inner)


def _none(value: Value) -> bool:
    """Whether a setting lets everything through."""
    endless = value.kind in {ValueKind.NAME, ValueKind.CALL} and _ENDLESS.match(value.text) is not None
    return value.kind is ValueKind.NONE or endless or (value.kind is ValueKind.STRING and _GIGABYTES.match(value.literal) is not None)
