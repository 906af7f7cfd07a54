"""Operations that may be asked for twice: messages of other services, payments, jobs that are tried again, imports."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from auditor.checks.incoming_webhooks import Hook, Proof
from auditor.checks.reach import within
from auditor.checks.repeats import Act, Effect, Guarding, Repeats
from auditor.model.evidence import Routes
from auditor.model.project import Project
from auditor.model.syntax import Call, Definition, DefinitionKind, FileFacts, ValueKind


class Origin(StrEnum):
    """What brings the operation about a second time."""

    MESSAGE = "message of another service"
    PAYMENT = "payment"
    JOB = "job that is tried again"
    IMPORT = "import"


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: where it begins, what adds up in it, and those of its effects that add up and that nothing keeps from happening again.

    `adds`: it has effects that add up, kept from it or not. `why`: why it could not be decided, "" if it was.
    """

    origin: Origin
    name: str
    path: str
    line: int
    end_line: int
    money: bool = False
    acts: tuple[Act, ...] = ()
    adds: bool = False
    why: str = ""


_TASK = re.compile(r"(?:^|\.)(?:shared_task|task|actor|db_task|job|Process)$")
_TRIED_AGAIN = frozenset({"autoretry_for", "acks_late", "retries", "max_retries"})
_RETRY = re.compile(r"^self\.retry$")
_WORKER = re.compile(r"^new (?:\w+\.)?Worker$")
_QUEUES = frozenset({"bullmq", "bull"})
_ACTOR_PACKAGES = frozenset({"dramatiq"})
_IMPORT = re.compile(
    r"(?:^|[/_-])(?:bulk[_-]?)?(?:import|upload[_-](?:csv|excel|xlsx)|(?:csv|excel|bulk)[_-]upload)(?:$|[/_-])", re.IGNORECASE
)
_FALLIBLE = re.compile(r"^(?:requests|httpx|session|client|axios|urllib|aiohttp)\.|^(?:fetch|axios)$|(?:^|\.)(?:urlopen)$")
_UNDONE = re.compile(r"transaction\.atomic|\.begin\(\)|\$transaction|\.transaction\(")
_MANY = re.compile(
    r"(?:createMany|create_many|bulk_create|insertMany|insert_many|bulkCreate|bulk_save_objects|add_all|bulk_insert\w*)(?:\(|$)"
)
_MOST_CALLERS = 8
_CALLER_STEPS = 3


def operations(repeats: Repeats, hooks: list[Hook], routes: Routes, project: Project) -> Iterator[Operation]:
    """Every operation of the server side, each once."""
    files = repeats.syntax.of(project.server)
    hooked: set[tuple[str, int]] = set()
    for hook in hooks:
        hooked.update(repeats.reach.surely(hook.route.place.path, hook.route.handler_scope) if hook.route.handler_scope >= 0 else ())
        found = _hook(repeats, hook)
        if found is not None:
            yield found
    handlers = frozenset((route.place.path, route.handler_scope) for route in routes.routes if route.handler_scope >= 0)
    yield from _payments(repeats, files, handlers, hooked)
    yield from _jobs(repeats, files)
    yield from _imports(repeats, routes)


def _hook(repeats: Repeats, hook: Hook) -> Operation | None:
    """A message of another service: senders repeat what was not answered in time, and now and then what was."""
    route = hook.route
    operation = Operation(Origin.MESSAGE, route.path, route.place.path, hook.line, hook.end_line, hook.payment)
    if hook.proof is Proof.HARMLESS:
        return None
    if route.handler_scope < 0 or route.place.path not in repeats.syntax.files:
        return replace(operation, why=f"the handler of {route.path} could not be followed")
    functions = repeats.reach.surely(route.place.path, route.handler_scope)
    if hook.payment and not repeats.stores(functions):
        return replace(operation, why=f"where {route.path} stores what it was told could not be followed")
    return _judged(repeats, operation, functions, repeats.acts(functions))


def _judged(repeats: Repeats, operation: Operation, functions: list[tuple[str, int]], acts: list[Act]) -> Operation:
    """The operation with those of its effects that nothing keeps from happening again; undecided when something might."""
    guards = {act: repeats.guarding(functions, act) for act in acts}
    loose = tuple(act for act, guard in guards.items() if guard is Guarding.NONE)
    maybe = not loose and any(guard is Guarding.MAYBE for guard in guards.values())
    why = f"{operation.name} may recognise a repeat by a state or a unique key; which, could not be seen" if maybe else ""
    return replace(operation, acts=loose, adds=bool(acts), why=why)


def _payments(
    repeats: Repeats, files: tuple[FileFacts, ...], handlers: frozenset[tuple[str, int]], hooked: set[tuple[str, int]]
) -> Iterator[Operation]:
    """Calls that move money at a payment service: a second click, or a second try after a lost answer, moves it again."""
    for facts in files:
        paid: dict[int, list[Act]] = {}
        for act in repeats.acts((facts.path, index) for index, definition in enumerate(facts.definitions) if definition.parent < 0):
            if act.effect is Effect.MONEY:
                paid.setdefault(_asked_for(facts, act.scope, handlers), []).append(act)
        for index, acts in paid.items():
            definition = facts.definitions[index]
            callers = _callers(files, facts, definition) if definition.name else []
            known = (facts.path, index)
            if known in hooked or not (callers or definition.decorators or known in handlers):
                continue  # part of a message's work, or nobody asks for it
            name = definition.name or "this handler"
            operation = Operation(Origin.PAYMENT, name, facts.path, acts[0].line, acts[0].end_line, money=True)
            operation = _judged(repeats, operation, [known], acts)
            elsewhere = any(repeats.guarding([caller], acts[0]) is not Guarding.NONE for caller in callers)
            if operation.acts and (elsewhere or len(callers) >= _MOST_CALLERS or _handed(facts, acts[0])):
                why = f"whether {name} is kept from paying twice is decided by what calls it or by the options it is handed"
                operation = replace(operation, acts=(), why=why)
            yield operation


def _asked_for(facts: FileFacts, scope: int, handlers: frozenset[tuple[str, int]]) -> int:
    """The function around a place that something asks for by name or address; callbacks inside it are part of it."""
    while not facts.definitions[scope].name and (facts.path, scope) not in handlers and facts.definitions[scope].parent >= 0:
        scope = facts.definitions[scope].parent
    return scope


def _handed(facts: FileFacts, act: Act) -> bool:
    """Whether the call is handed options nobody can see here."""
    return any(call.line == act.line and len(call.arguments) > 1 and call.arguments[1].value.kind is ValueKind.NAME for call in facts.calls)


def _callers(files: tuple[FileFacts, ...], facts: FileFacts, definition: Definition) -> list[tuple[str, int]]:
    """The functions that call this one, and those that call these, as far as there are few."""
    found: dict[tuple[str, int], None] = {}
    wanted = [(facts, definition)]
    for _ in range(_CALLER_STEPS):
        fresh = {
            (other.path, call.scope): (other, other.definitions[call.scope])
            for other in files
            for call in other.calls
            if call.scope >= 0 and any(_may_mean(other, call, *each) for each in wanted)
        }
        wanted = [each for place, each in fresh.items() if place not in found and each[1].name]
        found.update(dict.fromkeys(fresh))
        if len(found) >= _MOST_CALLERS:
            break
    return list(found)


def _may_mean(facts: FileFacts, call: Call, target: FileFacts, definition: Definition) -> bool:
    """Whether a call may be one of this function: of a method only through its own object or one that is named like its class."""
    owner, _, last = call.callee.rpartition(".")
    if last != definition.name:
        return False
    if definition.kind is not DefinitionKind.METHOD or definition.parent < 0:
        return not owner or owner not in {"this", "self"}
    name = owner.rpartition(".")[2].removesuffix("()").removeprefix("new ").replace("_", "").lower()
    if name in {"this", "self", "cls"}:
        return facts is target
    made = target.definitions[definition.parent].name.lower()
    return bool(name) and (made.startswith(name) or made.endswith(name))


def _jobs(repeats: Repeats, files: tuple[FileFacts, ...]) -> Iterator[Operation]:
    """Jobs that a queue runs again when they fail: what they did before the failing step is done again."""
    for facts in files:
        packages = {statement.module.partition(".")[0] for statement in facts.imports}
        workers = [call for call in facts.calls if _WORKER.match(call.callee)] if packages & _QUEUES else []
        for index, definition in enumerate(facts.definitions):
            if not (_is_retried(facts, index, definition, packages) or any(_runs(call, definition) for call in workers)):
                continue
            body = "\n".join(repeats.texts.get(facts.path, "").split("\n")[definition.line - 1 : definition.end_line])
            acts = [] if _UNDONE.search(body) else _before_a_failure(facts, index, repeats.acts([(facts.path, index)]))
            operation = Operation(Origin.JOB, definition.name or "the worker", facts.path, definition.line, definition.line)
            yield _judged(repeats, operation, [(facts.path, index)], acts)


def _is_retried(facts: FileFacts, index: int, definition: Definition, packages: set[str]) -> bool:
    marks = [decorator for decorator in definition.decorators if _TASK.search(decorator.callee)]
    if not marks:
        return False
    if any(argument.name in _TRIED_AGAIN and argument.value.literal not in {"0", "False"} for mark in marks for argument in mark.arguments):
        return True
    inside = within(facts, index)
    return bool(packages & _ACTOR_PACKAGES) or any(_RETRY.match(call.callee) for call in facts.calls if call.scope in inside)


def _runs(call: Call, definition: Definition) -> bool:
    """Whether the function is written where the worker is made."""
    return not definition.name and call.line <= definition.line <= definition.end_line <= call.end_line


def _before_a_failure(facts: FileFacts, index: int, acts: list[Act]) -> list[Act]:
    """The effects after which another outside step of the same function can still fail and bring the job back."""
    inside = within(facts, index)
    steps = [act.line for act in acts if act.effect in {Effect.MESSAGE, Effect.MONEY}]
    steps += [call.line for call in facts.calls if call.scope in inside and not call.guarded and _FALLIBLE.search(call.callee)]
    return [act for act in acts if any(step > act.line for step in steps)]


def _imports(repeats: Repeats, routes: Routes) -> Iterator[Operation]:
    """Endpoints that take in many records at once: whoever sends the file again has everything twice."""
    seen = set()
    for route in routes.routes:
        key = (route.place.path, route.handler_scope)
        if route.method not in {"POST", "PUT", "ANY"} or route.handler_scope < 0 or key in seen or key[0] not in repeats.syntax.files:
            continue
        if not _IMPORT.search(route.path):
            continue
        seen.add(key)
        functions = repeats.reach.surely(*key)
        acts = [act for act in repeats.acts(functions) if act.effect is Effect.ROW and (act.loop or _MANY.search(act.what))]
        if acts:
            operation = Operation(Origin.IMPORT, route.path, route.place.path, route.place.line, route.place.line)
            yield _judged(repeats, operation, functions, acts)
