"""How the product is started in production, as far as images, platform files and manifests say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.checks.commands import Commands, Leaf
from auditor.checks.images import Builds, builds_of, images_of, start_leaves
from auditor.model.artifacts import CiWorkflow, Deployment, Ecosystem, Manifests, TaskFile
from auditor.model.verdict import Place

_START = re.compile(r"^(?:start|web|release|serve|app|api|run|cmd|command|args|worker)(?:[:._-]prod(?:uction)?)?$", re.IGNORECASE)
DEVELOPMENT_FILE = re.compile(
    r"(?:dev|development|local|override|test|ci|debug)[\w-]*\.ya?ml$|(?:^|/)(?:\.devcontainer|dev|devel|development|local|tests?|testing|e2e|ci|debug)/|(?:^|/)\.replit$",
    re.IGNORECASE,
)
_DOCUMENTS = re.compile(r"(?:^|/)(?:docs?|documentation|website)/")
"""Sites about the product: their start is the writer's preview, what visitors get is built."""
LAUNCHER = re.compile(
    r"(?:\bddtrace-run|newrelic-admin run-program|\bopentelemetry-instrument|(?:(?<!\S)-r|--require|--import)[ =](?:dd-trace/init|newrelic|@sentry/[\w./-]+|@opentelemetry/auto\S*|elastic-apm-node/start)|-javaagent:\S*(?:newrelic|dd-java-agent|opentelemetry))"
)
"""Programs that watch the one they start."""
_SERVERS = re.compile(r"\b(?:gunicorn|uwsgi|waitress-serve|hypercorn|daphne|granian|uvicorn|mod_wsgi-express|gevent|passenger|pm2)\b")
_SERVER_PACKAGES = frozenset(
    {"gunicorn", "uwsgi", "pyuwsgi", "waitress", "mod-wsgi", "hypercorn", "daphne", "granian", "bjoern", "cheroot"}
)


@dataclass(frozen=True, slots=True)
class Start:
    """One command the product is started with; `by` is "image", "platform", "compose" or "package"."""

    leaf: Leaf
    place: Place
    by: str


def starts_of(
    deployment: Deployment | None, manifests: Manifests, tasks: tuple[TaskFile, ...], workflows: tuple[CiWorkflow, ...] = ()
) -> tuple[Start, ...]:
    """Every start command, followed through scripts to what really runs."""
    commands = Commands(manifests, tasks)
    found: list[Start] = []
    if deployment is not None:
        found.extend(_deployed(deployment, commands, builds_of(workflows, deployment, manifests, tasks)))
    for manifest in manifests.manifests:
        for script in manifest.scripts:
            if manifest.kind == "package.json" and script.name in {"start", "start:prod", "serve"} and not _DOCUMENTS.search(manifest.path):
                found.extend(Start(leaf, script.place, "package") for leaf in commands.leaves(script.command, manifest.root))
    return tuple(found)


def _deployed(deployment: Deployment, commands: Commands, builds: Builds) -> Iterator[Start]:
    for dockerfile in deployment.dockerfiles:
        if dockerfile.purpose != "production":
            continue
        for image in images_of(dockerfile, builds):
            if image.start is not None:
                place = Place(dockerfile.path, image.start.line, image.start.end_line)
                yield from (Start(leaf, place, "image") for leaf in start_leaves(image, commands))
    for platform in deployment.platforms:
        for script in platform.commands:
            if _START.match(script.name) and not DEVELOPMENT_FILE.search(platform.path):
                directory = platform.path.rpartition("/")[0]
                yield from (Start(leaf, script.place, "platform") for leaf in commands.leaves(script.command, directory))
    for service in deployment.compose:
        if service.command and service.build and not DEVELOPMENT_FILE.search(service.path):
            place = Place(service.path, service.line, service.line)
            yield from (Start(leaf, place, "compose") for leaf in commands.leaves(service.command, service.path.rpartition("/")[0]))


def launch_texts(deployment: Deployment | None, manifests: Manifests | None) -> Iterator[tuple[Place, str]]:
    """Every text that may start the product, as written: instructions of images, commands of services, platforms and packages."""
    if deployment is not None:
        for dockerfile in deployment.dockerfiles:
            if dockerfile.purpose == "production":
                yield from ((Place(dockerfile.path, i.line, i.end_line), i.text) for i in dockerfile.instructions)
        yield from ((Place(service.path, service.line), service.command) for service in deployment.compose)
        yield from ((command.place, command.command) for platform in deployment.platforms for command in platform.commands)
    for manifest in manifests.manifests if manifests is not None else ():
        if manifest.ecosystem is Ecosystem.NPM:
            yield from ((script.place, script.command) for script in manifest.scripts)


def production_server(starts: tuple[Start, ...], manifests: Manifests) -> str:
    """The name of the server that production runs, "" when nothing tells."""
    for start in starts:
        found = _SERVERS.search(start.leaf.text)
        if found and "--reload" not in start.leaf.text:
            return found[0]
    declared = [
        r.name for manifest in manifests.manifests for r in manifest.requirements if r.name in _SERVER_PACKAGES and r.group != "dev"
    ]
    return declared[0] if declared else ""


def runs_file(starts: tuple[Start, ...], path: str) -> Start | None:
    """The start command that runs a Python file directly."""
    name = path.rpartition("/")[2]
    for start in starts:
        words = start.leaf.words
        by_python = bool(words) and re.match(r"^(?:python[\d.]*|py|uv|poetry|pipenv)$", words[0].rpartition("/")[2]) is not None
        if by_python and any(word.rpartition("/")[2] == name for word in words[1:]):
            return start
    return None
