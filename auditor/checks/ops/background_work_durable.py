"""Work that is done beside requests: queued or scheduled outside the process, or lost with it.

Passing title: Background work survives a restart and is tried again
Failing title: Background work is lost with the process or done by every one of them
Grading: Every job of a queue, every schedule and every piece of work that is started beside requests and that somebody would miss (it stores, sends, or moves money) is one place.
    What a queue with retries, a platform's schedule or a worker of its own does is good; work in the memory of the process that answers requests (timer, thread, task after
    the answer) counts half, and so does a queue in which no job is ever tried again; so does what is due by the clock but lives in a page's timer. It fails when money moves in such work, when a timer that acts for people runs in each of
    several processes without a lock, and when a timer or an answer that nobody waits for stands in functions that are frozen after each answer. A twentieth is tolerated.
Done when: What must not be lost is a job of a queue with retries and a place for what failed for good, and each schedule is kept by one platform, database or worker.
What it cannot see: Timers that set themselves anew, schedules set in a console or a server's crontab, work that a request waits for although it is long, whether jobs are idempotent, and whether anybody
    looks at those that failed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from auditor.checks.async_work import AsyncWork, Lapse
from auditor.checks.background_work import PERIODIC, BackgroundWork, Effect, Manner, Work, ends_with_its_function, goes_round
from auditor.checks.job_queues import Durable, jobs_of, schedules_of
from auditor.checks.outgoing_sites import outgoing_sites
from auditor.checks.processes import COMMAND, loads_before_it_forks, run_as_functions, several_processes
from auditor.checks.registry import check
from auditor.model.artifacts import Deployment
from auditor.model.evidence import Routes
from auditor.model.needs import DEPLOYMENT, PROJECT, ROUTES, SYNTAX, TEXTS
from auditor.model.project import RUNNING, Project, Side
from auditor.model.syntax import FileFacts, Syntax
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable, Place
from auditor.words import plural

_TOLERANCE = 0.05
_IN_MEMORY = 0.5
_FAIL = 0.65
_WORKER_FILE = re.compile(r"(?:^|/)(?:management/commands/\w+|\w*(?:worker|daemon|consumer|poller)\w*)\.py$")
_SCHEDULED_DUTY = re.compile(
    r"automat|escalat|dunning|recurr|cron|(?:run|process)_?(?:job|task|queue|pending|due|scheduled)|send_?(?:due|reminder)|expire_?(?:order|book|subscr)",
    re.IGNORECASE,
)
"""Names of what is due by the clock whoever is there, other than the refreshing of a page or the saving of a draft."""
_MARKUP = (".tsx", ".jsx", ".vue", ".svelte")
_STARTED = {
    Manner.TIMER: "a timer of the process that answers requests",
    Manner.LOOP: "a loop in the process that answers requests",
    Manner.THREAD: "a thread of the process that answers requests",
    Manner.TASK: "a task that nobody waits for",
    Manner.AFTER: "a task that runs in memory after the answer",
}


_WORDS = {Manner.TIMER: "timer", Manner.LOOP: "loop", Manner.THREAD: "thread", Manner.TASK: "task", Manner.AFTER: "task after the answer"}


@dataclass(frozen=True, slots=True)
class _Weighed:
    """One finding and what it adds to the share; `grave` ends in a failure."""

    finding: Finding
    weight: float
    grave: bool = False


@check("ops.background-work-durable", needs=(PROJECT, SYNTAX, TEXTS), corroborating=(ROUTES,), optional=(DEPLOYMENT,), tolerance=_TOLERANCE)
def background_work_durable(
    project: Project, syntax: Syntax, texts: dict[str, str], routes: Routes, deployment: Deployment | None
) -> Judgement:
    """Weigh every piece of work that is done beside requests."""
    files = tuple(facts for facts in syntax.of(project.server) if project.part_of(facts.path).kinds & RUNNING)
    sites = [site for site in outgoing_sites(files, project) if not site.browser]
    finder = BackgroundWork(syntax, frozenset(facts.path for facts in files) | project.browser, sites)
    in_pages = [_in_a_page(work) for facts in syntax.of(project.browser) for work in finder.of(facts) if _acts_for_others(work)]
    if not files and not in_pages:
        return NotApplicable("Nothing here runs on as a service of its own: there is no process that could do work beside requests.")
    durable = [*jobs_of(files), *schedules_of(deployment, texts), *_workers(files)]
    resident = tuple(facts for facts in files if _stays(facts, project))
    works = [work for facts in resident for work in finder.of(facts) if not ends_with_its_function(facts, work)]
    kept = [work for work in works if work.effects and Effect.QUEUED not in work.effects]
    unseen = tuple(
        (work.path, f"line {work.line}: {work.what}, started by a {_WORDS[work.manner]}: what it does could not be followed")
        for work in works
        if work.unseen
    )
    processes = None if loads_before_it_forks(deployment) else several_processes(deployment)
    weighed = [_weigh(work, processes, functions=run_as_functions(work.path, project, deployment)) for work in kept]
    weighed += [_lost(lapse) for lapse in _dropped_answers(files, project, routes, texts, deployment)]
    weighed += in_pages
    weighed += _queue_findings(durable)
    if not durable and not weighed:
        return _nothing(works, unseen)
    return _assess(durable, weighed, unseen, works)


def _stays(facts: FileFacts, project: Project) -> bool:
    """Whether a file is part of the process that answers, not of a command or a page."""
    if facts.path.endswith((".py", ".pyw")):
        return not COMMAND.search(facts.path)
    side = project.sides.get(facts.path)
    return (
        side in {Side.SERVER, Side.UNKNOWN}
        and not facts.path.endswith(_MARKUP)
        and "use client" not in facts.directives
        and not COMMAND.search(facts.path)
    )


def _workers(files: tuple[FileFacts, ...]) -> list[Durable]:
    """Commands that go round by themselves: what is to be done stands in the database, and is still there after a restart."""
    found = []
    for facts in files:
        if _WORKER_FILE.search(facts.path):
            index = next((i for i, _ in enumerate(facts.definitions) if goes_round(facts, i)), None)
            if index is not None:
                found.append(Durable(Place(facts.path, facts.definitions[index].line), "worker", facts.path, retried=True))
    return found


def _weigh(work: Work, processes: Place | None, *, functions: bool) -> _Weighed:
    deed = _deed(work)
    if functions and work.manner is not Manner.AFTER:
        message = f"{work.what} {deed}, started by a {_WORDS[work.manner]} in a function that is frozen after each answer: it runs by chance or never."
        return _weighed("never-runs-in-functions", work, message, 1.0, grave=True)
    if Effect.MONEY in work.effects and work.manner not in PERIODIC:
        message = f"{work.what} moves money in {_STARTED[work.manner]}: a restart or an error in between loses it, and nothing tries again."
        return _weighed("money-in-memory", work, message, 1.0, grave=True)
    if work.manner in PERIODIC and processes is not None and not work.locked and work.effects & {Effect.MONEY, Effect.MESSAGE}:
        message = f"{work.what} {deed} in each of the processes that {processes.path} starts: people get it once per process."
        return _weighed("runs-in-every-process", work, message, 1.0, grave=True)
    if work.manner in PERIODIC:
        message = f"{work.what} {deed} in {_STARTED[work.manner]}: with a second instance it is done twice, and after a crash not at all until somebody restarts it."
        return _weighed("schedule-in-memory", work, message, _IN_MEMORY)
    message = (
        f"{work.what} {deed} in {_STARTED[work.manner]}: a restart, a deployment or an error in between loses it, and nothing tries again."
    )
    return _weighed("job-in-memory", work, message, _IN_MEMORY)


def _weighed(rule: str, work: Work, message: str, weight: float, *, grave: bool = False) -> _Weighed:
    return _Weighed(Finding(rule, work.path, message, work.line, work.end_line, Confidence.MEDIUM), weight, grave)


def _deed(work: Work) -> str:
    if Effect.MONEY in work.effects:
        return "moves money"
    return "sends messages" if Effect.MESSAGE in work.effects else "stores data"


def _acts_for_others(work: Work) -> bool:
    """Whether a page's timer does what a schedule of the service should do, by what it is called and what it changes."""
    return work.manner is Manner.TIMER and Effect.STORED in work.effects and bool(_SCHEDULED_DUTY.search(work.what))


def _in_a_page(work: Work) -> _Weighed:
    message = f"{work.what} stores data by a timer of a page: it is done while somebody has the page open, once for each such person, and otherwise never."
    return _weighed("schedule-in-a-page", work, message, _IN_MEMORY)


def _dropped_answers(
    files: tuple[FileFacts, ...], project: Project, routes: Routes, texts: dict[str, str], deployment: Deployment | None
) -> list[Lapse]:
    """Writes that nobody waits for in functions that are frozen after each answer."""
    hosted = [facts for facts in files if run_as_functions(facts.path, project, deployment)]
    if not hosted:
        return []
    work = AsyncWork(files, frozenset())
    handled = {route.place.path for route in routes.routes}
    lapses = [
        lapse
        for facts in hosted
        if facts.path in handled
        for lapse in work.lapses(facts, texts.get(facts.path, ""), frozenset(), serves=False)
    ]
    return [lapse for lapse in lapses if lapse.write and lapse.rule in {"write-not-awaited", "loop-not-awaited", "promise-not-watched"}]


def _lost(lapse: Lapse) -> _Weighed:
    message = f"Nobody waits for {lapse.what}() in a function that is frozen when the answer is out: what it stores is lost whenever the answer is quicker."
    finding = Finding("lost-after-the-answer", lapse.path, message, lapse.line, lapse.end_line, Confidence.MEDIUM)
    return _Weighed(finding, 1.0, grave=True)


def _queue_findings(durable: list[Durable]) -> list[_Weighed]:
    """One finding for a product whose jobs are tried once only, wherever they stand."""
    jobs = [each for each in durable if each.kind == "job"]
    if not jobs or any(each.retried for each in jobs):
        return []
    first = min(jobs, key=lambda each: (each.place.path, each.place.line))
    message = (
        f"No job of the queue, such as {first.what}, is tried again or put aside when it fails: one error of a moment and its work is gone."
    )
    return [
        _Weighed(
            Finding("queue-without-retry", first.place.path, message, first.place.line, confidence=Confidence.MEDIUM),
            _IN_MEMORY * len(jobs),
        )
    ]


def _nothing(works: list[Work], unseen: tuple[tuple[str, str], ...]) -> Judgement:
    if unseen:
        summary = f"{plural(len(unseen), 'piece')} of work beside requests, of which it could not be seen whether anybody would miss it."
        return Assessed(bad=0, total=len(unseen), summary=summary, unexamined=unseen, confidence=Confidence.LOW)
    if works:
        small = f"{plural(len(works), 'timer or task', 'timers and tasks')} beside requests only keep the house (caches, clean-up, measuring); nothing that somebody would miss is queued or scheduled."
        return NotApplicable(small, tuple(Place(work.path, work.line, work.end_line) for work in works[:4]))
    return NotApplicable("No work is queued, scheduled or started beside requests.")


def _assess(durable: list[Durable], weighed: list[_Weighed], unseen: tuple[tuple[str, str], ...], works: list[Work]) -> Assessed:
    findings = [each.finding for each in sorted(weighed, key=lambda each: not each.grave)]
    in_memory = sum(each.finding.rule != "queue-without-retry" for each in weighed)
    total = len(durable) + in_memory
    bad = sum(each.weight for each in weighed)
    return Assessed(
        bad=min(bad, total),
        total=total,
        floor=_FAIL if any(each.grave for each in weighed) else 0.0,
        summary=_summary(len(durable), in_memory, bad=bool(weighed)),
        findings=tuple(findings),
        evidence=tuple(each.place for each in durable[:5]),
        signals=(
            f"jobs of queues: {sum(each.kind == 'job' for each in durable)}, schedules kept outside: {sum(each.kind == 'schedule' for each in durable)}, workers: {sum(each.kind == 'worker' for each in durable)}",
            f"started in the process that answers: {len(works)}, of which somebody would miss {in_memory}",
        ),
        unexamined=unseen,
        confidence=Confidence.MEDIUM,
    )


def _summary(durable: int, in_memory: int, *, bad: bool) -> str:
    if not bad:
        return f"{plural(durable, 'job, schedule or worker outlives', 'jobs, schedules and workers outlive')} the process that answers requests."
    if not in_memory:
        return f"{plural(durable, 'job or worker', 'jobs and workers')} outlive the process, and none is tried again."
    return f"{in_memory} of {plural(durable + in_memory, 'piece')} of background work {'lives' if durable + in_memory == 1 else 'live'} in the memory of the process that answers requests."
