"""Durable work: jobs of queues that outlive the process, whether they are tried again, and schedules that a platform, a database or a process of its own keeps."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.model.artifacts import Deployment, PlatformFile
from auditor.model.syntax import Call, FileFacts, Import, ImportKind
from auditor.model.verdict import Place

_QUEUES = re.compile(
    r"^(?:celery|rq|django_rq|flask_rq2?|dramatiq|django_dramatiq|huey|arq|saq|procrastinate|taskiq|django_q|django\.tasks|temporalio|prefect|rocketry_redis|streaq"
    r"|bullmq|bull|@nestjs/bullmq?|bee-queue|pg-boss|agenda|@hokify/agenda|graphile-worker|inngest|@trigger\.dev/sdk|@temporalio/\w+|@upstash/(?:qstash|workflow)|@google-cloud/tasks"
    r"|@defer/client|@vercel/queue|sidequest|amqplib|kafkajs|pika|aio_pika|aiokafka|faststream|confluent_kafka|workflow)(?:[./]|$)"
)
"""Packages whose jobs are kept outside the process until they are done."""
_BROKERS = re.compile(r"^(?:amqplib|kafkajs|pika|aio_pika|aiokafka|faststream|confluent_kafka)")
"""Brokers of messages: that one is spoken to is no job yet."""
_RETRIES_BY_ITSELF = re.compile(
    r"^(?:dramatiq|django_dramatiq|arq|temporalio|django_q|pg-boss|graphile-worker|inngest|@trigger\.dev/sdk|@temporalio/|@upstash/|@google-cloud/tasks|@vercel/queue|workflow|sidequest|amqplib|kafkajs|pika|aio_pika|aiokafka|faststream|confluent_kafka)"
)
"""Queues that try a failed job again unless told not to, and brokers that keep a message until it is confirmed."""
_TASK_MARK = re.compile(
    r"(?:^|\.)(?:shared_task|task|db_task|periodic_task|db_periodic_task|actor|job|Process|Processor|broker\.task|activity\.defn|workflow\.defn)$"
)
_REGISTERS = re.compile(
    r"^new (?:Worker|WorkerHost)$|(?:^|\.)(?:createFunction|boss\.work|queue\.process|agenda\.define|defineQueue|on_after_configure\.connect|create_task_runner)$|^(?:task|schemaTask|schedules\.task)$"
)
_HANDS_OVER = re.compile(
    r"(?:^|\.)(?:delay|apply_async|send_task|enqueue(?:_in|_at|_call|Job|_job)?|add_job_to_queue|send_with_options|kiq|defer_async|async_task|sendToQueue|publishJSON|triggerJob|addBulk)$"
    r"|(?:[qQ]ueue\w*(?:\(\))?|boss|inngest|agenda|qstash|jobs?|jobsClient|producer|broker|tasks)\.(?:add|send|schedule|now|publish|trigger|push|triggerJob|addJob|add_job)$"
)
_RETRY_WORD = re.compile(
    r"^(?:autoretry_for|max_retries|retry_kwargs|retry_backoff|retry_policy|attempts|retryLimit|retries|retry|maxAttempts|max_attempts|max_tries|on_failure|deadLetter|dead_letter\w*|failed_ttl|retry_on_error|task_acks_late|acks_late|backoff)$"
)
_CRON_SQL = re.compile(r"\bcron\.schedule(?:_in_database)?\s*\(", re.IGNORECASE)
_PLATFORM_SCHEDULE = re.compile(r"(?:^|\.)(?:crons(?:\.|$)|triggers\.crons|schedule$|schedule\.(?:rate|cron)|events\.\d+\.schedule)")
_WORKER_COMMAND = re.compile(
    r"\b(?:celery\b.{0,120}\b(?:worker|beat)|rq worker|rqworker|dramatiq|arq|huey_consumer|run_huey|qcluster|procrastinate worker|taskiq worker|db_worker)\b"
)


@dataclass(frozen=True, slots=True)
class Durable:
    """One piece of work that survives a restart: `kind` is "job", "schedule" or "worker"; `retried`: a failed one is tried again."""

    place: Place
    kind: str
    what: str
    retried: bool


def queue_imports(facts: FileFacts) -> tuple[Import, ...]:
    """The imports of queues that take effect in one file."""
    return tuple(entry for entry in facts.imports if entry.kind is not ImportKind.TYPE_ONLY and entry.names and _QUEUES.match(entry.module))


def hands_over(call: Call) -> bool:
    """Whether a call puts work into a queue."""
    return bool(_HANDS_OVER.search(call.callee))


def jobs_of(files: tuple[FileFacts, ...]) -> list[Durable]:
    """The jobs that queues run, one for each function that is one; a file that only speaks to a queue counts when no job is seen anywhere."""
    found: list[Durable] = []
    clients: list[Durable] = []
    for facts in files:
        imports = queue_imports(facts)
        if not imports:
            continue
        own = any(_RETRIES_BY_ITSELF.match(entry.module) for entry in imports)
        told = _names_retries(facts)
        found.extend(Durable(Place(facts.path, line), "job", name, own or told) for line, name in _jobs_in(facts))
        if any(not _BROKERS.match(entry.module) for entry in imports):
            clients.append(Durable(Place(facts.path, imports[0].line), "job", imports[0].module, own or told))
    return found or clients[:1]


def _jobs_in(facts: FileFacts) -> Iterator[tuple[int, str]]:
    for definition in facts.definitions:
        if any(_TASK_MARK.search(mark.callee) for mark in definition.decorators):
            yield definition.line, definition.name
    for call in facts.calls:
        if _REGISTERS.search(call.callee):
            yield call.line, call.callee.removeprefix("new ")


def _names_retries(facts: FileFacts) -> bool:
    """Whether a file of a queue says how often a job is tried, or where a failed one goes."""
    marks = (mark for definition in facts.definitions for mark in definition.decorators)
    for call in (*facts.calls, *marks):
        if call.callee.endswith(".retry"):
            return True
        for argument in call.arguments:
            if _RETRY_WORD.match(argument.name) or _says(argument.value.items):
                return True
    return any(
        _RETRY_WORD.match(each.target.rpartition(".")[2].lower()) is not None or (each.value is not None and _says(each.value.items))
        for each in facts.assignments
    )


def _says(items: tuple[tuple[str, object], ...]) -> bool:
    pending = [items]
    while pending:
        for key, value in pending.pop():
            if _RETRY_WORD.match(key):
                return True
            pending.append(getattr(value, "items", ()))
    return False


def schedules_of(deployment: Deployment | None, texts: dict[str, str]) -> list[Durable]:
    """What a platform or the database itself starts by the clock, and the commands of workers."""
    found = [
        Durable(Place(path, texts[path].count("\n", 0, match.start()) + 1), "schedule", "cron.schedule", True)
        for path in sorted(texts)
        if path.endswith(".sql") and (match := _CRON_SQL.search(texts[path][:400_000]))
    ]
    if deployment is None:
        return found
    found += [
        Durable(Place(p.path), "schedule", f"the schedule of {p.platform}", retried=True) for p in deployment.platforms if _is_scheduled(p)
    ]
    commands = [(Place(s.path, s.line), s.command) for s in deployment.compose]
    commands += [(each.place, each.command) for platform in deployment.platforms for each in platform.commands]
    found.extend(Durable(place, "worker", "a worker of its own", True) for place, text in commands if _WORKER_COMMAND.search(text))
    return found


def _is_scheduled(platform: PlatformFile) -> bool:
    if platform.platform in {"vercel", "cloudflare", "serverless", "netlify"}:
        return any(_PLATFORM_SCHEDULE.search(key) for key, _ in platform.settings)
    if platform.platform in {"render", "digitalocean"}:
        return any(key.endswith((".type", ".kind")) and value.lower() in {"cron", "scheduled"} for key, value in platform.settings)
    return platform.platform == "kubernetes" and any(key.endswith("kind") and value == "CronJob" for key, value in platform.settings)
