"""How a deployed process is told to stop: whether the signal reaches the program that answers requests, and whether that program finishes what it has begun."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.checks.images import Builds, images_of
from auditor.checks.processes import COMMAND, run_as_functions
from auditor.checks.reach import within
from auditor.model.artifacts import Deployment, Instruction, TaskFile
from auditor.model.project import SERVING, Project
from auditor.model.syntax import Call, FileFacts, ImportKind, ValueKind

_LISTENS = re.compile(r"(?:^|\.)listen$")
_SERVER_OBJECT = re.compile(
    r"^(?:\w*[aA]pp|\w*[sS]erver|fastify|http|https|io|express\(\)|\w*\.(?:app|server|httpServer))\.listen$|\(\)\.listen$"
)
_SERVES = frozenset({"@hono/node-server", "srvx"})
_OWN_SHUTDOWN = (
    "nextjs",
    "nuxt",
    "sveltekit",
    "remix",
    "strapi",
    "adonis",
    "keystone",
    "payload",
    "tanstack-start",
    "electron",
    "vscode",
    "supabase-functions",
)
"""Frameworks whose own start command closes the server when it is told to."""
_SHUTDOWN_PACKAGES = re.compile(
    r"^(?:http-graceful-shutdown|http-terminator|@godaddy/terminus|stoppable|lightship|close-with-grace|fastify-graceful-shutdown|@gquittet/graceful-server|http-shutdown|node-graceful-shutdown|shutdown-async|node-cleanup|death|exit-hook|async-exit-hook|signal-exit|@nestjs/terminus|fastify-cli)$"
)
_CLOSES = re.compile(
    r"(?:^|\.)(?:close|closeAllConnections|closeIdleConnections|stop|shutdown|drain|disconnect|\$disconnect|destroy|end|quit|terminate|\w*[sS]hutdown\w*|\w*[cC]leanup\w*|execute|dispose|exit[A-Z]\w*)$"
)
_MAY, _LOST = 0.2, 0.3
_MANAGERS = frozenset({"npm", "pnpm", "yarn"})
_HANDS_OVER = re.compile(
    r"(?m)(?:^|&&|;|\bthen|\belse|\|\|)\s*exec\s|\btini\b|\bdumb-init\b|\bs6-|\bsupervisord\b|\bpm2-runtime\b|\btrap\s"
)
_RUNS_ON = re.compile(
    r"\b(?:gunicorn|uvicorn|uwsgi|hypercorn|daphne|granian|waitress-serve|fastapi\s+run|flask\s+run|runserver|celery|streamlit\s+run|node|bun|deno|npm|pnpm|yarn|python[\d.]*)\s"
)
_NOT_OURS = re.compile(r"\b(?:nginx|apache2ctl|httpd|caddy|redis-server|postgres|mysqld)\b")


@dataclass(frozen=True, slots=True)
class Stop:
    """One place where stopping goes wrong; `weight` is the least badness it stands for."""

    rule: str
    path: str
    line: int
    end_line: int
    what: str
    weight: float


# -- the program -------------------------------------------------------------------------------------------------------------------------


def servers_that_fall(files: tuple[FileFacts, ...], project: Project, deployment: Deployment | None) -> Iterator[Stop]:
    """Servers in JavaScript that end in the middle of a request: node does nothing of its own when it is told to stop."""
    for part in project.parts:
        if not part.kinds & SERVING or part.uses(*_OWN_SHUTDOWN):
            continue
        own = [facts for facts in files if project.part_of(facts.path) is part and not facts.path.endswith((".py", ".pyw"))]
        found = next((place for facts in own if not COMMAND.search(facts.path) for place in _listening(facts)), None)
        if found is None or run_as_functions(found[0], project, deployment):
            continue
        handlers = [handler for facts in own for handler in _handlers(facts)]
        if any(
            _SHUTDOWN_PACKAGES.match(entry.module) for facts in own for entry in facts.imports if entry.kind is not ImportKind.TYPE_ONLY
        ):
            continue
        if any(call.callee.endswith(".enableShutdownHooks") for facts in own for call in facts.calls):
            continue
        if not handlers:
            yield Stop("stops-mid-request", *found, "listen", 0.4)
        elif not any(_closes(facts, call) for facts, call in handlers):
            facts, call = handlers[0]
            yield Stop("exits-at-once", facts.path, call.line, call.end_line, call.callee, 0.4)


def _listening(facts: FileFacts) -> Iterator[tuple[str, int, int]]:
    serves = {local for entry in facts.imports if entry.module in _SERVES for name, local in entry.names if name == "serve"}
    for call in facts.calls:
        if call.callee in serves or (_LISTENS.search(call.callee) and _SERVER_OBJECT.search(call.callee)):
            yield facts.path, call.line, call.end_line


def _handlers(facts: FileFacts) -> Iterator[tuple[FileFacts, Call]]:
    """Places where a function is registered for the signal to stop."""
    literal = any("SIGTERM" in entry.text for entry in facts.literals)
    for call in facts.calls:
        if call.callee in {"process.on", "process.once", "process.addListener", "Deno.addSignalListener"} and call.arguments:
            first = call.arguments[0].value
            if first.literal == "SIGTERM" or (first.kind is not ValueKind.STRING and literal):
                yield facts, call


def _closes(facts: FileFacts, call: Call) -> bool:
    """Whether what is registered for the signal closes something; a function out of sight is believed."""
    given = call.arguments[-1].value
    if given.kind is ValueKind.NAME:
        indices = [i for i, d in enumerate(facts.definitions) if d.name == given.literal.rpartition(".")[2]]
        if not indices:
            return True
    else:
        indices = [i for i, d in enumerate(facts.definitions) if call.line <= d.line <= call.end_line]
    inside = {scope for index in indices for scope in within(facts, index)}
    called = [each.callee for each in facts.calls if each.scope in inside]
    own = {d.name for d in facts.definitions if d.name}
    return any(_CLOSES.search(callee) or callee in own for callee in called)


# -- the container -----------------------------------------------------------------------------------------------------------------------


def signals_lost(deployment: Deployment | None, builds: Builds, tasks: tuple[TaskFile, ...]) -> Iterator[Stop]:
    """Images whose first process is a shell or a package manager, which does not hand the signal on."""
    scripts = {task_file.path.rpartition("/")[2]: task_file for task_file in tasks if task_file.kind == "shell" and task_file.tasks}
    for dockerfile in deployment.dockerfiles if deployment is not None else ():
        if dockerfile.purpose != "production":
            continue
        for image in images_of(dockerfile, builds):
            entries, starts = image.of("ENTRYPOINT"), image.of("CMD")
            entry, start = entries[-1] if entries else None, starts[-1] if starts else None
            found = _lost(entry, start, scripts)
            if found is not None:
                rule, at, what = found
                yield Stop(rule, dockerfile.path, at.line, at.end_line, what, _MAY if rule.endswith("manager") else _LOST)


def _lost(entry: Instruction | None, start: Instruction | None, scripts: dict[str, TaskFile]) -> tuple[str, Instruction, str] | None:
    """What keeps the signal from the server, if anything does."""
    for instruction in (entry, start):
        if instruction is None or instruction.text in {"", "[]"}:
            continue
        words = instruction.exec_form
        text = (
            words[-1]
            if words and words[0].rpartition("/")[2] in {"sh", "bash", "ash"} and "-c" in words[:2]
            else ""
            if words
            else instruction.text
        )
        if text and _RUNS_ON.search(f"{text} ") and not _HANDS_OVER.search(text) and not _NOT_OURS.search(text):
            return "signal-lost-in-shell", instruction, text
        if words and words[0] in _MANAGERS and not (entry is not None and instruction is start and _HANDS_OVER.search(entry.text)):
            return "signal-lost-in-package-manager", instruction, " ".join(words[:3])
        named = next((word.rpartition("/")[2] for word in (*words, *text.split()) if word.endswith(".sh")), "")
        script = scripts.get(named)
        if script is not None:
            body = script.tasks[0].command
            if not _HANDS_OVER.search(body) and _RUNS_ON.search(body) and not _NOT_OURS.search(body):
                return "signal-lost-in-shell", instruction, named
    return None
