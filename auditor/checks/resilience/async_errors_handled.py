"""Asynchronous work without anybody who waits for it or learns of its failure, and calls that make every other request wait.

Passing title: Asynchronous work is waited for, watched, and holds nobody up
Failing title: Asynchronous work fails unseen or holds up every other request
Grading: Every asynchronous function, and every function that starts asynchronous work and drops it, is one place. It is bad when a promise that can be rejected is dropped, a
    task's result is thrown away, a coroutine never runs, a loop does not wait for its asynchronous bodies, or a slow synchronous call stands in it. A database call that holds
    up the loop, reading a file while answering, and a page's dropped promise count half. A write that nobody waits for is a failure. A twentieth of all places is tolerated.
Done when: Each promise is awaited or handed to a handler of errors, each task is kept and its outcome looked at, and slow synchronous calls run in threads.
What it cannot see: Promises of functions that are not marked as asynchronous, calls through objects whose type is not known, work that is only slow to compute, and
    whether a dropped piece of work was allowed to be lost.
"""

from __future__ import annotations

from collections.abc import Iterator

from auditor.checks.async_work import AsyncWork, Lapse
from auditor.checks.registry import check
from auditor.model.evidence import Routes
from auditor.model.needs import PROJECT, ROUTES, SYNTAX, TEXTS
from auditor.model.project import RUNNING, Project, Side
from auditor.model.syntax import Syntax
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable
from auditor.words import listed, percent, plural

_TOLERANCE = 0.05
_FAIL = 0.65
_CWE = {"blocks-the-event-loop": 1088}
_IN_PAGE = "promise-not-watched-in-page"
_MESSAGES = {
    "task-dropped": "The task made by {what} is not kept: it may vanish half-way, and when it fails nobody learns of it.",
    "write-not-awaited": "Nobody waits for {what}: the answer goes out whether or not it was stored, and with some clients it is never sent at all.",
    "coroutine-never-runs": "{what} is called without await: the coroutine is thrown away and nothing in it ever runs.",
    "promise-not-watched": "Nobody waits for {what} or catches its failure: an error in it is lost, or ends the process.",
    _IN_PAGE: "Nobody waits for {what} or catches its failure: the visitor sees nothing of an error in it.",
    "loop-not-awaited": "{what} does not wait for its asynchronous bodies: what follows runs before they are done, and their failures are lost.",
    "blocks-the-event-loop": "While {what} waits here, the event loop stands still: no other request is answered.",
}


@check("resilience.async-errors-handled", needs=(PROJECT, SYNTAX, ROUTES, TEXTS), tolerance=_TOLERANCE)
def async_errors_handled(project: Project, syntax: Syntax, routes: Routes, texts: dict[str, str]) -> Judgement:
    """Count functions with dropped or blocking work among all asynchronous ones."""
    files = syntax.of(project.production)
    total = sum(definition.is_async for facts in files for definition in facts.definitions)
    browser = frozenset(path for path in project.production if project.sides.get(path) is Side.BROWSER)
    work = AsyncWork(files, browser)
    lapses: list[Lapse] = []
    for facts in files:
        handlers = frozenset(r.handler_scope for r in routes.routes if r.place.path == facts.path and r.handler_scope >= 0)
        serves = bool(project.part_of(facts.path).kinds & RUNNING)
        lapses += work.lapses(facts, texts.get(facts.path, ""), handlers, serves=serves)
    if not total and not lapses:
        return NotApplicable("Production code has no asynchronous function and starts no asynchronous work.")
    worst: dict[tuple[str, int], float] = {}
    for lapse in lapses:
        key = (lapse.path, lapse.scope)
        worst[key] = max(worst.get(key, 0.0), lapse.weight)
    outside = sum(scope < 0 or not syntax.files[path].definitions[scope].is_async for path, scope in worst)
    total += outside
    bad = sum(worst.values())
    lost = [lapse for lapse in lapses if lapse.write]
    ordered = sorted(lapses, key=lambda lapse: (not lapse.write, lapse.rule == _IN_PAGE, -lapse.weight, lapse.path, lapse.line))
    return Assessed(
        bad=bad,
        total=total,
        floor=_FAIL if lost else 0.0,
        summary=_summary(lapses, worst, total, lost),
        findings=tuple(_findings(ordered)),
        signals=(f"{plural(total, 'function')} with asynchronous work, {len(worst)} with something dropped or held up",),
        confidence=Confidence.MEDIUM,
    )


def _findings(ordered: list[Lapse]) -> Iterator[Finding]:
    """One for each place; of a page's file one for all its calls, which have one cure."""
    pages: dict[str, list[Lapse]] = {}
    for lapse in ordered:
        if lapse.rule == _IN_PAGE:
            pages.setdefault(lapse.path, []).append(lapse)
    for lapse in ordered:
        together = pages[lapse.path] if lapse.rule == _IN_PAGE else [lapse]
        if lapse is together[0]:
            yield _finding(lapse, listed(list(dict.fromkeys(f"{each.what}()" for each in together))))


def _finding(lapse: Lapse, what: str) -> Finding:
    message = _MESSAGES[lapse.rule].format(what=what)
    return Finding(lapse.rule, lapse.path, message, lapse.line, lapse.end_line, Confidence.MEDIUM, cwe=_CWE.get(lapse.rule, 248))


def _summary(lapses: list[Lapse], worst: dict[tuple[str, int], float], total: int, lost: list[Lapse]) -> str:
    if not lapses:
        return f"All {plural(total, 'function')} with asynchronous work wait for it or watch it."
    text = f"{len(worst)} of {plural(total, 'function')} with asynchronous work ({percent(len(worst) / total)}) drop some of it or hold up the event loop"
    return f"{text}; {plural(len(lost), 'write is', 'writes are')} not waited for." if lost else f"{text}."
