"""Work that runs beside requests inside the process that answers them: timers, threads, tasks after the answer; what starts it, and what it does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from auditor.checks.failures import is_payment, is_write
from auditor.checks.job_queues import hands_over
from auditor.checks.outgoing import Site, Target
from auditor.checks.outgoing_python import expand, imported
from auditor.checks.reach import Reach, within
from auditor.model.syntax import Call, Definition, DefinitionKind, FileFacts, Syntax, Value, ValueKind

_DEPTH = 3
_FEW = 3
_TIMER_MODULES = re.compile(
    r"^(?:node-cron|cron|croner|node-schedule|toad-scheduler|@nestjs/schedule|bree|cron-async|apscheduler|schedule|aiocron|rocketry|fastapi_utils|fastapi_utilities|flask_apscheduler|django_apscheduler|flask_crontab|sched)(?:[./]|$)"
)
_JOB_MARK = re.compile(r"(?:^|\.)(?:scheduled_job|repeat_every|repeat_at|crontab|task|Cron|Interval|repeat)$")
_JOB_CALL = re.compile(
    r"(?:^|\.)(?:add_job|schedule|scheduleJob|do|enter|enterabs)$|^new (?:Cron|CronJob|SimpleIntervalJob|AsyncTask)$|^CronJob\.from$"
)
_THREAD = re.compile(r"^(?:threading\.(?:Thread|Timer)|multiprocessing\.Process)$")
_TASK = re.compile(r"(?:^|\.)(?:create_task|ensure_future)$")
_AFTER_ANSWER = re.compile(r"(?:^|[._])(?:bg|background|background_?tasks?|bg_tasks|tasks)\.add_task$|^BackgroundTask$", re.IGNORECASE)
_AFTER_TYPES = frozenset({"BackgroundTasks", "BackgroundTask"})
_AFTER_NEXT = re.compile(r"^(?:after|unstable_after|waitUntil|(?:\w+\.)*waitUntil)$")
_SMALL_MATTERS = re.compile(
    r"clean|purge|prune|expire|evict|sweep|vacuum|housekeep|rotate|garbage|stale|cache|warm|refresh|heart_?beat|keep_?alive|\bping|presence|health|metric|statsd?|telemetry|posthog|analytic|track|usage|page_?view|visit|hits?\b|activit|audit|last_?(?:seen|used|active|login)|logg?(?:er|ing)?\b|monitor_?memory|broadcast|version|update_?check|check_?(?:for_?)?updates?|reload|watch_?file|tick\b|count_?down|delete_?old|remove_?old|rmtree|unlink|thumb",
    re.IGNORECASE,
)
"""Names of work that may be lost or run twice: the next time makes good for it."""
_MEASURING = re.compile(r"posthog|telemetry|analytics|metrics", re.IGNORECASE)
"""Names of classes that measure the product."""
_MESSAGE = re.compile(
    r"(?:^|[._])(?:send_?(?:mail|email|sms|message|notification|reminder|invoice|push|webhook)\w*|sendMail|emails\.send|messages\.create|EmailMessage\(\)\.send|sendgrid\w*\.send|sgMail\.send|mail\.send|sendNotification)$",
    re.IGNORECASE,
)
_POSTS = re.compile(r"(?:^|\.)(?:post|put|patch)$")
_SLEEPS = re.compile(r"(?:^|\.)(?:sleep|setTimeout|wait|delay|wait_for)$")
_LOCK = re.compile(
    r"(?:^|[._])(?:lock|acquire|try_?lock|advisory\w*|redlock|flock|lockf|leader\w*|select_for_update|with_for_update|setnx|is_leader)$",
    re.IGNORECASE,
)
_LOCK_TEXT = re.compile(r"FOR UPDATE|pg_(?:try_)?advisory|SKIP LOCKED|GET_LOCK\(", re.IGNORECASE)
_DELETES = re.compile(r"(?:^|\.)(?:delete\w*|remove\w*|destroy\w*|unlink\w*)$", re.IGNORECASE)
_COMMIT = re.compile(r"(?:^|\.)(?:commit|executemany)$")
_ADDS = re.compile(r"(?:^|\.)(?:add|add_all|merge|execute|exec|insert|update|save|create|bulk_create|bulk_save_objects)$")


class Manner(StrEnum):
    """How work is started beside requests."""

    TIMER = "timer"
    LOOP = "loop"  # a task or thread that goes round for as long as the process lives
    THREAD = "thread"
    TASK = "task"
    AFTER = "after"  # the framework runs it when the answer is out


PERIODIC = frozenset({Manner.TIMER, Manner.LOOP})
"""Manners in which what was missed is done the next time, provided that the process lives."""


class Effect(StrEnum):
    """What a piece of work does that somebody would miss."""

    MONEY = "money"
    MESSAGE = "message"
    STORED = "stored"
    QUEUED = "queued"  # it only hands work to a queue


@dataclass(frozen=True, slots=True)
class Work:
    """One piece of work: where it is started, in which manner, what it runs and what that does; `locked`: only one process does it at a time.

    `unseen`: nothing that somebody would miss was seen, and not all it does either.
    """

    path: str
    line: int
    end_line: int
    scope: int
    manner: Manner
    what: str
    effects: frozenset[Effect]
    locked: bool
    unseen: bool


class BackgroundWork:
    """Finds the work of server files; `sites` are the outgoing calls of all of them."""

    def __init__(self, syntax: Syntax, paths: frozenset[str], sites: list[Site]) -> None:
        self._syntax = syntax
        self._reach = Reach(syntax, paths)
        self._sites = {(site.path, site.line): site.target for site in sites}

    def of(self, facts: FileFacts) -> Iterator[Work]:
        """Every piece of work that one file starts and that somebody may miss, or of which nobody can say what it does."""
        full = imported(facts) if facts.path.endswith((".py", ".pyw")) else {}
        timers = {local for entry in facts.imports if _TIMER_MODULES.match(entry.module) for _, local in entry.names}
        for call in facts.calls:
            started = self._started(facts, call, expand(full, call.callee), timers)
            if started is not None:
                yield from self._work(facts, call, *started)
        for index, definition in enumerate(facts.definitions):
            mark = next((m for m in definition.decorators if timers and _JOB_MARK.search(m.callee)), None)
            if mark is not None and (mark.callee.partition(".")[0] in timers or "." in mark.callee or mark.callee in timers):
                yield self._piece(facts, mark, Manner.TIMER, definition.name, [(facts.path, index)])

    def _started(self, facts: FileFacts, call: Call, name: str, timers: set[str]) -> tuple[Manner, Value | None] | None:
        python = facts.path.endswith((".py", ".pyw"))
        if python and _THREAD.match(name):
            joined = any(
                each.callee.endswith(".join") and each.callee.partition(".")[0] == call.target for each in facts.calls if call.target
            )
            return None if joined else (Manner.THREAD, call.argument("target", 1) or call.argument("function", 1))
        if python and _TASK.search(name):
            return Manner.TASK, call.argument("coro", 0)
        if python and _AFTER_ANSWER.search(call.callee) and any(_AFTER_TYPES & {n for n, _ in e.names} for e in facts.imports):
            return Manner.AFTER, call.argument("func", 0)
        if (
            not python
            and _AFTER_NEXT.match(call.callee)
            and any(local == call.callee.rpartition(".")[2] for e in facts.imports for _, local in e.names)
        ):
            return Manner.AFTER, call.argument("", 0)
        if call.callee in {"setInterval", "global.setInterval"}:
            return Manner.TIMER, call.argument("", 0)
        if timers and _JOB_CALL.search(call.callee) and (call.callee.removeprefix("new ").partition(".")[0] in timers or python):
            functions = [
                a.value for a in call.arguments if a.value.kind in {ValueKind.FUNCTION, ValueKind.NAME} or a.name in {"func", "onTick"}
            ]
            return Manner.TIMER, functions[-1 if not python else 0] if functions else None
        return None

    def _work(self, facts: FileFacts, call: Call, manner: Manner, value: Value | None) -> Iterator[Work]:
        targets = self._targets(facts, call, value)
        name = value.literal.removesuffix("()") if value is not None else ""
        loops = any(self._goes_round(path, index) for path, index in targets)
        if manner in {Manner.TASK, Manner.THREAD} and loops:
            manner = Manner.LOOP
        elif manner is Manner.TASK and call.used:
            return  # somebody holds it and waits for it
        yield self._piece(facts, call, manner, name, targets)

    def _piece(self, facts: FileFacts, call: Call, manner: Manner, name: str, targets: list[tuple[str, int]]) -> Work:
        calls = [(path, each) for where, index in targets for path, each in self._reach.calls(where, index, _DEPTH)]
        named = [name, *(self._name(path, index) for path, index in targets)]
        if not any(named):
            named = [call.target, *self._only_calls(targets)]
        small = any(_SMALL_MATTERS.search(each) for each in named if each) or any(
            _MEASURING.search(self._syntax.files[path].definitions[index].qualname) for path, index in targets
        )
        effects = frozenset(self._effects(calls, small=small))
        locked = any(_LOCK.search(each.callee) for _, each in calls) or any(
            _LOCK_TEXT.search(text)
            for where, index in targets
            for path, scope in self._reach.functions(where, index, 2)
            for text in self._reach.texts(path, scope)
        )
        what = next((each for each in named if each), call.callee)
        return Work(
            facts.path,
            call.line,
            call.end_line,
            call.scope,
            manner,
            what,
            effects,
            locked,
            not effects and not small and self._hides(targets),
        )

    def _targets(self, facts: FileFacts, call: Call, value: Value | None) -> list[tuple[str, int]]:
        """The functions a piece of work runs."""
        inline = [
            (facts.path, index)
            for index, d in enumerate(facts.definitions)
            if d.parent == call.scope and call.line <= d.line <= d.end_line <= call.end_line and d.kind is DefinitionKind.FUNCTION
        ]
        if inline and (value is None or value.kind is ValueKind.FUNCTION):
            return inline
        if value is None:
            return []
        name = value.literal.removesuffix(".bind").removesuffix("()")
        return self._reach.named(facts.path, name) if name else []

    def _only_calls(self, targets: list[tuple[str, int]]) -> list[str]:
        """What a function without a name calls, if that is little enough to say what it is for."""
        names = [c.callee for path, i in targets for c in self._syntax.files[path].calls if c.scope in within(self._syntax.files[path], i)]
        return names if len(names) <= _FEW else []

    def _hides(self, targets: list[tuple[str, int]]) -> bool:
        """Whether a piece of work may do more than what was seen: it was not found, or goes on in first-party functions."""
        if not targets:
            return True
        return any(len(list(self._reach.functions(path, index, 1))) > 1 for path, index in targets)

    def _goes_round(self, path: str, index: int) -> bool:
        facts = self._syntax.files[path]
        inside = within(facts, index)
        return any(goes_round(facts, loop_scope) for loop_scope in inside)

    def _name(self, path: str, index: int) -> str:
        definition: Definition = self._syntax.files[path].definitions[index]
        return definition.name

    def _effects(self, calls: list[tuple[str, Call]], *, small: bool) -> Iterator[Effect]:
        """What somebody would miss; of work whose name says that it may be lost, only money and what people are sent."""
        names = {call.callee for _, call in calls}
        commits = any(_COMMIT.search(name) for name in names)
        for path, call in calls:
            target = self._sites.get((path, call.line))
            if hands_over(call):
                yield Effect.QUEUED
            elif is_payment(call.callee):
                yield Effect.MONEY
            elif target is Target.MAIL or _MESSAGE.search(call.callee):
                yield Effect.MESSAGE
            elif small:
                continue
            elif target is Target.HTTP and _POSTS.search(call.callee):
                yield Effect.MESSAGE
            elif is_write(call.callee) and not _DELETES.search(call.callee) and not _COMMIT.search(call.callee):
                yield Effect.STORED
        if commits and not small and any(_ADDS.search(name) for name in names):
            yield Effect.STORED


def ends_with_its_function(facts: FileFacts, work: Work) -> bool:
    """Whether a timer is stopped by the function that starts it: it only accompanies what that one does."""
    inside = within(facts, work.scope) if work.scope >= 0 else frozenset()
    return any(call.callee == "clearInterval" and call.scope in inside for call in facts.calls)


def goes_round(facts: FileFacts, scope: int) -> bool:
    """Whether a function goes round with pauses until somebody stops it."""
    for loop in facts.loops:
        if loop.scope == scope and loop.header.startswith("while"):
            lines = range(loop.line, loop.end_line + 1)
            if any(call.line in lines and _SLEEPS.search(call.callee) for call in facts.calls):
                return True
    return False
