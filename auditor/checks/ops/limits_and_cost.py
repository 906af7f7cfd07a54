"""Ceilings of memory, time, request size and spending.

Passing title: What the product may use and spend has ceilings
Failing title: Somebody outside, or a loop, can use or spend without an end
Grading: Looked at are the memory of containers that a cluster or a composed production keeps running, ceilings of request sizes and working times that code or a deployment sets or takes away,
    the length of the answers of paid language models or the number of the calls, and loops that ask a model again. It fails when anybody can have a paid model answer as often and at such length as they like, with neither a
    guard nor a limiter nor a limit of the answer, or when a loop around a paid model has no way out and no pause. Other missing ceilings are partial. What a platform or a framework limits by
    itself is neither praised nor charged; where neither memory nor spending has a ceiling here, the item is undecided.
Done when: Every container has a memory limit, every paid call a limit of its answer or a limiter before it, every loop of an agent a greatest number of turns, and the account at the vendor a hard stop.
What it cannot see: Spending caps and alarms set in a vendor's console, ceilings of a platform or a proxy described elsewhere, and whether a ceiling is low enough.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.checks.authorization import Guards
from auditor.checks.ceilings import Ceiling, of_code, of_containers, of_servers
from auditor.checks.guard import Strength
from auditor.checks.limiters import before_everything
from auditor.checks.model_callers import ModelCallers
from auditor.checks.model_calls import ModelCall, keys_of, model_calls
from auditor.checks.processes import COMMAND
from auditor.checks.registry import check
from auditor.language_models import SCRIPT_FUNCTIONS, UNMISTAKABLE
from auditor.model.artifacts import Deployment
from auditor.model.evidence import RouteKind, Routes
from auditor.model.needs import DEPLOYMENT, PROJECT, ROUTES, SYNTAX, TEXTS
from auditor.model.project import RUNNING, SERVING, Project
from auditor.model.syntax import Call, FileFacts, Loop, Syntax, ValueKind
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable, Place, Undecided
from auditor.words import listed, plural

_FAIL, _PARTIAL = 0.7, 0.4
_WEIGHTY = frozenset({"memory", "spending"})
"""What a pass must rest on: a limit of sizes or times alone leaves the rest to the platform."""
_ELSEWHERE = "No ceiling of memory or spending stands in the repository and none was taken away: those of the platform hold, which its console shows."
_SEVERE = frozenset({"open-spending", "endless-spending"})
_GOES_ON = re.compile(r"tool_?calls?|tool_?use|stop_?reason|finish_?reason|function_?calls?", re.IGNORECASE)
_COUNTED = re.compile(r"[<>]|max|limit|budget|rounds|iterations|remaining|attempts", re.IGNORECASE)
_WAITS = re.compile(
    r"(?:^|\.)(?:input|prompt|question|ask|recv\w*|receive\w*|read\w*|listen|accept|poll\w*|b[lr]pop\w*|consume\w*|wait\w*|x?sleep\w*|delay|setTimeout|dequeue\w*|get|next|take|pop|xread\w*|get_?updates)$|(?:job|task|message|event|item|work)s?$",
    re.IGNORECASE,
)
"""What a loop waits for: a person, a message, a queue, a while."""
_MESSAGES = {
    "memory-without-ceiling": "{what} has no memory limit: when it grows, it takes the whole machine down with it.",
    "size-ceiling-removed": "{what} lets requests of any size in: one of them can fill the memory or the disk.",
    "time-ceiling-removed": "{what} never ends a worker that hangs: each hanging request takes one away until none answers.",
    "turns-without-ceiling": "{what} lets an agent go on for ever: it calls the model until somebody sees the bill.",
    "loop-without-ceiling": "The model alone decides when this loop around {what}() ends: one that goes on asking for tools is paid for without an end.",
    "endless-spending": "This loop around {what}() has no way out and no pause: it pays for answers until somebody stops the process.",
    "answer-without-ceiling": "{what}() asks a paid model with no limit of the answer's length, and no limiter was seen before it: what the calls cost is up to the model.",
    "open-spending": "{what} has a paid model answer anybody, as often and at such length as they like: no guard, no limiter and no limit of the answer.",
}
_CWES = {"endless-spending": 835, "loop-without-ceiling": 835, "turns-without-ceiling": 835, "time-ceiling-removed": 400}


@check("ops.limits-and-cost", needs=(PROJECT, SYNTAX, TEXTS), corroborating=(ROUTES,), optional=(DEPLOYMENT,))
def limits_and_cost(project: Project, syntax: Syntax, texts: dict[str, str], routes: Routes, deployment: Deployment | None) -> Judgement:
    """Collect the ceilings that should be there, and ask which are missing."""
    if not project.has(*RUNNING):
        return NotApplicable("Nothing here is kept running by the owner: it uses the machine of whoever starts it.")
    files = syntax.of(frozenset(path for path in project.server if not COMMAND.search(path)))
    calls = tuple(call for call in model_calls(files) if not call.local)
    ceilings = list(of_code(files))
    if deployment is not None:
        ceilings += [*of_containers(deployment), *of_servers(deployment)]
    ceilings = _proxies_excused(ceilings)
    unclear: list[tuple[str, str]] = []
    if calls:
        guards = Guards(project, texts, syntax, routes)
        spending = _Spending(calls, files, ModelCallers(calls, syntax, guards), guards)
        limited = before_everything(syntax, project, texts) is not None
        ceilings += [*spending.endpoints(routes, limited=limited), *spending.answers(), *spending.loops()]
        unclear += spending.unclear()
    return _judged(ceilings, unclear, project)


def _judged(ceilings: list[Ceiling], unclear: list[tuple[str, str]], project: Project) -> Judgement:
    told = any(each.rule or each.kind in _WEIGHTY for each in ceilings)
    if not told and unclear:
        return Undecided(f"A paid model is called, and {unclear[0][1]} ({unclear[0][0]}).")
    if not ceilings and not project.has(*SERVING):
        return NotApplicable("Nothing here costs money per call, and no container of it is described.")
    if not told:
        return Undecided(_ELSEWHERE, tuple(Place(each.path, each.line) for each in ceilings[:5]))
    missing = sorted((each for each in ceilings if each.rule), key=lambda each: (each.rule not in _SEVERE, each.kind, each.path, each.line))
    held = [each for each in ceilings if not each.rule]
    severe = any(each.rule in _SEVERE for each in missing)
    return Assessed(
        bad=0,
        total=0,
        floor=_FAIL if severe else _PARTIAL if missing else 0.0,
        summary=_summary(ceilings, missing),
        findings=tuple(_finding(each) for each in missing),
        evidence=tuple(Place(each.path, each.line) for each in held[:5]),
        signals=tuple(
            f"ceilings of {kind}: {sum(each.kind == kind for each in held)} of {sum(each.kind == kind for each in ceilings)}"
            for kind in sorted({each.kind for each in ceilings})
        ),
        unexamined=tuple(unclear),
        confidence=Confidence.MEDIUM,
    )


def _summary(ceilings: list[Ceiling], missing: list[Ceiling]) -> str:
    kinds = listed(sorted({each.kind for each in missing or ceilings}))
    if missing:
        return f"{len(missing)} of {plural(len(ceilings), 'ceiling')} {'is' if len(missing) == 1 else 'are'} missing: {kinds}."
    return f"{plural(len(ceilings), 'ceiling')} of {kinds}, and none is missing where one was looked for."


def _finding(each: Ceiling) -> Finding:
    message = _MESSAGES[each.rule].format(what=each.what)
    return Finding(each.rule, each.path, message, each.line, each.line, Confidence.MEDIUM, cwe=_CWES.get(each.rule, 770))


def _proxies_excused(ceilings: list[Ceiling]) -> list[Ceiling]:
    """A proxy may let everything through to a program that limits sizes itself."""
    own = any(each.kind == "size" and not each.rule and each.what != "nginx" for each in ceilings)
    return [each for each in ceilings if not (own and each.rule == "size-ceiling-removed" and each.what == "nginx")]


# -- spending ----------------------------------------------------------------------------------------------------------------------------


class _Spending:
    """Paid calls of models: how long an answer may be, how often a loop asks, and who may set it off."""

    def __init__(self, calls: tuple[ModelCall, ...], files: tuple[FileFacts, ...], callers: ModelCallers, guards: Guards) -> None:
        self._calls = calls
        self._files = files
        self._callers = callers
        self._reach = guards.reach
        self._told: set[tuple[str, int]] = set()
        self._counted: set[tuple[str, int]] = set()

    def answers(self) -> Iterator[Ceiling]:
        """The length of each answer, or the number of calls; what was told of its endpoint is not told again."""
        for each in self._calls:
            held = self._holds(each)
            if (each.path, each.line) not in self._told and (held or _is_plain(each)):
                yield Ceiling("spending", "" if held else "answer-without-ceiling", each.path, each.line, each.callee)

    def unclear(self) -> Iterator[tuple[str, str]]:
        """Calls whose settings stand elsewhere."""
        for each in self._calls:
            if not self._holds(each) and not _is_plain(each):
                yield f"{each.path}:{each.line}", f"whether the answer of {each.callee}() has a limit was not seen"

    def _holds(self, call: ModelCall) -> bool:
        return call.limited or (call.path, call.line) in self._counted

    def endpoints(self, routes: Routes, *, limited: bool) -> Iterator[Ceiling]:
        """Endpoints at which anybody spends without an end."""
        counted: set[tuple[str, int]] = set()
        uncounted: set[tuple[str, int]] = set()
        for route in routes.routes:
            calls = self._callers.reached(route)
            slowed = bool(calls) and (limited or self._callers.limited(route))
            (counted if slowed else uncounted).update((call.path, call.line) for call in calls)
            open_ended = [call for call in calls if not call.limited and _is_plain(call)]
            if (
                open_ended
                and not slowed
                and route.kind is not RouteKind.PAGE
                and not self._callers.administrators_only(route)
                and self._callers.guard(route) is Strength.NONE
            ):
                self._told.update((call.path, call.line) for call in open_ended)
                yield Ceiling("spending", "open-spending", route.place.path, route.place.line, f"{route.method} {route.path}")
        self._counted = counted - uncounted

    def loops(self) -> Iterator[Ceiling]:
        """Loops that ask a model again: until it wants no more tools, or for ever."""
        for facts in self._files:
            for loop in facts.loops:
                inside = [call for call in facts.calls if loop.line <= call.line <= loop.end_line and call.scope == loop.scope]
                tests = [b.test for b in facts.branches if loop.line < b.line <= loop.end_line]
                agent = _GOES_ON.search(" ".join([loop.header, *tests])) is not None and loop.header.lstrip().startswith(("while", "do"))
                if not (agent or loop.endless):
                    continue
                asked = next((call for call in inside if self._pays(facts.path, call)), None)
                if asked is not None and (rule := _rule(loop, inside, tests, agent=agent)) is not None:
                    yield Ceiling("spending", rule, facts.path, loop.line, asked.callee)

    def _pays(self, path: str, call: Call) -> bool:
        if (path, call.line) in self._callers.paid:
            return True
        return any(
            (place, one.line) in self._callers.paid
            for place, index in self._reach.named(path, call.callee)[:3]
            for _, one in self._reach.calls(place, index, 0)
        )


def _rule(loop: Loop, inside: list[Call], tests: list[str], *, agent: bool) -> str | None:
    """What is wrong with a loop around a paid call: "" when it is bounded, None when it is no loop of an agent."""
    waits = any(_WAITS.search(call.callee) for call in inside)
    if agent and (loop.exits or not loop.endless):
        return "" if any(_COUNTED.search(test) for test in (loop.header, *tests)) else "loop-without-ceiling"
    return "endless-spending" if loop.endless and not loop.exits and not waits else None


def _is_plain(each: ModelCall) -> bool:
    """Whether a call says all of its settings itself: none come in a name, a spread or a client made elsewhere."""
    arguments = each.call.arguments
    values = [value for argument in arguments for value in (argument.value, *(inner for _, inner in argument.value.items))]
    if any(name in {"...", "**", "*"} for a in arguments for name in (a.name, *(key for key, _ in a.value.items))):
        return False
    if not (UNMISTAKABLE.search(each.callee) or each.callee in SCRIPT_FUNCTIONS):
        bodies = [value for value in values if value.kind in {ValueKind.CALL, ValueKind.COLLECTION}]
        return any(key in {"messages", "contents"} for body in bodies for key in keys_of(body))
    if "generate" in each.callee and "ontent" in each.callee and not any(a.name or a.value.kind is ValueKind.COLLECTION for a in arguments):
        return False  # a model that was given its settings when it was made
    return bool(arguments) and not any(a.name == "" and a.value.kind in {ValueKind.NAME, ValueKind.OTHER} for a in arguments)
