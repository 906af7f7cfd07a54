"""Places that try something again after a failure: own loops and recursion, and libraries. What ends them, and how far apart the attempts are.

A loop that serves for ever (a worker, a consumer, a server) retries nothing: it goes on to the next piece of work. A retry is a loop whose attempt leaves it when it
worked and comes round again when it failed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum

from auditor.checks.failures import is_cleanup, is_expected, is_remote, is_write
from auditor.model.syntax import Argument, Call, FileFacts, Handler, HandlerEffect, Loop, Value, ValueKind

_COUNTS = re.compile(
    r"(?:^|[^a-zA-Z]|[a-z](?=[A-Z]))(?:[aA]ttempts?|ATTEMPTS?|[rR]etr(?:y|ies)|RETR(?:Y|IES)|[tT]ries|TRIES|[bB]ackoff)(?![a-z])"
)
_OVER_THINGS = re.compile(
    r"^for\s*(?:await\s*)?\(\s*(?:const|let|var)\s+[^;]*\b(?:of|in)\b|^(?:async\s+)?for\s+.*\bin\s+(?!.*(?:range|count|[rR]etry|[bB]ackoff|delays?)\b)"
)
_ASKS = re.compile(
    r"(?:^|\.)_?(?:fetch\w*|request\w*|connect\w*|send\w*|execute\w*|query\w*|ping|invoke\w*|download\w*|upload\w*|authenticate\w*|open_?connection\w*|create_?(?:pool|connection|engine)\w*|call_?api\w*|login)$",
    re.IGNORECASE,
)
_POLLS = re.compile(r"poll", re.IGNORECASE)
_NOT_ASKED = frozenset({"arrayBuffer", "blob", "formData"})
_CONSUMES = re.compile(
    r"(?:^|\.)(?:recv\w*|receive\w*|get_nowait|getMessages?|poll\w*|accept|consume\w*|b?[lr]pop|xread\w*|next\w*|read\w*|input|prompt|question|listen\w*|subscribe\w*|iter\w*|dequeue\w*)$|(?:queue|jobs|tasks|inbox|channel|messages|stream|consumer|pubsub|q)\.(?:get|get_message)$"
)
_PAUSES = re.compile(r"(?:^|\.)_?(?:sleep\w*|delay\w*|wait|pause|backoff\w*|setTimeout|sleep_ms|timeout)$", re.IGNORECASE)
_CLOCK = re.compile(r"(?:^|\.)(?:time|monotonic|perf_counter|now|is_set|elapsed\w*)$|deadline", re.IGNORECASE)
_LIMIT_NAME = re.compile(r"attempt|retr|tries|fail|count|error|deadline|left|remaining|elapsed", re.IGNORECASE)
_PAYS = re.compile(
    r"(?:^|\.)(?:stripe|razorpay|braintree|paypal|mollie)\b.*\.create$|(?:^|\.)(?:charge|capture_?payment|create_?payment\w*|send_?mail|send_?email|send_?sms|sendMail|refund)$",
    re.IGNORECASE,
)
_STEADY_WAITS = frozenset({"wait_fixed", "wait_none"})
_FETCHING_HOOKS = re.compile(r"react-query|/(?:vue|svelte|solid)-query|^swr")
_ENDS = {"tenacity": ("stop",), "retrying": ("stop_max_attempt_number", "stop_max_delay", "stop_func"), "backoff": ("max_tries", "max_time"), "retry": ("tries",)}  # fmt: skip
"""Python packages whose decorator tries again for ever unless one of these arguments is given."""
_ONCE_MORE = frozenset({ValueKind.BOOLEAN, ValueKind.STRING, ValueKind.NUMBER})
_ONLY_CAUGHT = 2  # complexity of a function whose only branch is the handler
_SHORT = 60  # lines of a function that may call itself as a retry


class Spacing(StrEnum):
    """What lies between two attempts."""

    NONE = "none"
    CONSTANT = "constant"
    GROWING = "growing"
    LIBRARY = "library"  # the library's own, which grows


@dataclass(frozen=True, slots=True)
class Retry:
    """One place that tries again; `endless`: nothing stops it; `pays`: a payment or message that each attempt repeats, "" for none."""

    path: str
    line: int
    end_line: int
    what: str
    endless: bool
    spacing: Spacing
    pays: str = ""


def retries_of(facts: FileFacts, outside: Collection[str] = ()) -> Iterator[Retry]:
    """Every place of one file that tries again; `outside` are callees known to ask another system."""
    for loop in facts.loops:
        found = _by_loop(facts, loop, outside)
        if found is not None:
            yield found
    yield from _by_recursion(facts, outside)
    yield from _by_decorator(facts)
    yield from _by_option(facts)


# -- loops ----------------------------------------------------------------------------------------------------------------------------------


def _by_loop(facts: FileFacts, loop: Loop, outside: Collection[str]) -> Retry | None:
    counting = bool(_COUNTS.search(loop.header)) and not _POLLS.search(loop.header) and not _OVER_THINGS.match(loop.header)
    if not counting and not loop.endless:
        return None
    inside = [call for call in facts.calls if loop.line <= call.line <= loop.end_line]
    handlers = [h for h in facts.handlers if h.scope == loop.scope and loop.line < h.line <= loop.end_line]
    if counting:
        tries = bool(handlers) or any(_PAUSES.search(call.callee) for call in inside)
        asked = next((c.callee for c in inside if tries and c.scope == loop.scope and _asks(c.callee, outside)), "")
        endless = False
    else:
        handler = next((h for h in handlers if _comes_round(loop, h, outside)), None)
        asked = next((callee for callee in handler.tried if _asks(callee, outside)), "") if handler is not None else ""
        endless = not _gives_up(facts, loop, inside)
    if not asked:
        return None
    return Retry(
        facts.path, loop.line, loop.end_line, f"{asked.removeprefix('new ')}()", endless, _spacing(facts, loop, inside), _paid(inside)
    )


def _asks(callee: str, outside: Collection[str]) -> bool:
    if is_cleanup(callee) or callee.rpartition(".")[2] in _NOT_ASKED:
        return False
    return callee in outside or is_remote(callee) or is_write(callee) or bool(_ASKS.search(callee))


def _comes_round(loop: Loop, handler: Handler, outside: Collection[str]) -> bool:
    """Whether an attempt that works leaves an endless loop from its guarded code, and one that fails stays in it."""
    if any(_CONSUMES.search(callee) for callee in handler.tried) or not any(_asks(callee, outside) for callee in handler.tried):
        return False
    if handler.types and all(is_expected(kind) or kind.endswith(("ValueError", "Empty")) for kind in handler.types):
        return False
    tried = range(handler.line - handler.tried_lines - 1, handler.line)
    failed = range(handler.line, handler.end_line + 1)
    return (
        any(line in tried for line in loop.exits)
        and not any(line in failed for line in loop.exits)
        and (handler.effect is not HandlerEffect.RAISE or handler.statements > 1)
    )


def _gives_up(facts: FileFacts, loop: Loop, inside: list[Call]) -> bool:
    """Whether something in an endless loop counts, looks at the clock or raises."""
    lines = range(loop.line, loop.end_line + 1)
    return (
        any(raised.line in lines and raised.scope == loop.scope for raised in facts.raises)
        or any(a.line in lines and _LIMIT_NAME.search(a.target) for a in facts.assignments)
        or any(_CLOCK.search(call.callee) for call in inside)
    )


def _spacing(facts: FileFacts, loop: Loop, inside: list[Call]) -> Spacing:
    pauses = [call for call in inside if _PAUSES.search(call.callee)]
    if not pauses:
        return Spacing.NONE
    changing = {a.target for a in facts.assignments if loop.line <= a.line <= loop.end_line} | set(re.findall(r"\w+", loop.header))
    values = [argument.value for call in pauses for argument in call.arguments if argument.value.kind is not ValueKind.FUNCTION]
    if not values or any(_changes(value, changing) for value in values):
        return Spacing.GROWING
    return Spacing.CONSTANT


def _changes(value: Value, changing: set[str]) -> bool:
    """Whether a pause depends on what changes from one attempt to the next, or on chance."""
    if any(re.search(r"random|jitter|backoff", name, re.IGNORECASE) for name in value.names):
        return True
    if any(name in changing and name not in {"resolve", "r", "res"} for name in value.names):
        return True
    return value.kind is ValueKind.CALL and bool(value.names)


def _paid(inside: list[Call]) -> str:
    """A payment or a message among the calls that every attempt repeats, where no key makes the repetition harmless."""
    for call in inside:
        if _PAYS.search(call.callee) and not any(
            "dempoten" in argument.value.text or "dempoten" in argument.name for argument in call.arguments
        ):
            return f"{call.callee}()"
    return ""


# -- recursion ------------------------------------------------------------------------------------------------------------------------------


def _by_recursion(facts: FileFacts, outside: Collection[str]) -> Iterator[Retry]:
    """`catch { return load(url); }` inside of load: bounded when a parameter counts or something raises."""
    for handler in facts.handlers:
        if handler.scope < 0:
            continue
        definition = facts.definitions[handler.scope]
        name = definition.name
        if not name or definition.end_line - definition.line > _SHORT or not any(_asks(callee, outside) for callee in handler.tried):
            continue
        lines = range(handler.line, handler.end_line + 1)
        again = [
            c
            for c in facts.calls
            if c.line in lines and c.callee.rpartition(".")[2] == name and c.callee.rpartition(".")[0] in {"", "self", "this"}
        ]
        timers = [
            c for c in facts.calls if c.line in lines and c.callee.endswith("setTimeout") and c.arguments and _names(c.arguments[0], name)
        ]
        if not again and not timers:
            continue
        if again and all(any(argument.value.kind in _ONCE_MORE for argument in call.arguments) for call in again):
            continue  # one more time, said by a flag: a fresh token, another cache
        counted = any(_LIMIT_NAME.search(p.name) for p in definition.parameters) or any(
            argument.value.kind is not ValueKind.NAME for call in again for argument in call.arguments
        )
        conditional = definition.complexity > _ONLY_CAUGHT
        pauses = [c for c in facts.calls if c.line in lines and _PAUSES.search(c.callee)]
        spacing = Spacing.NONE if not pauses else Spacing.GROWING if _grows(pauses) else Spacing.CONSTANT
        endless = not counted and not conditional and handler.effect is not HandlerEffect.RAISE
        yield Retry(facts.path, handler.line, handler.end_line, f"{name}()", endless, spacing)


def _names(argument: Argument, name: str) -> bool:
    return any(used.rpartition(".")[2] == name for used in argument.value.names)


def _grows(pauses: list[Call]) -> bool:
    return any(a.value.kind in {ValueKind.OPERATION, ValueKind.CALL} and a.value.names for call in pauses for a in call.arguments)


# -- libraries ------------------------------------------------------------------------------------------------------------------------------


def _by_decorator(facts: FileFacts) -> Iterator[Retry]:
    """Decorators and iterators of the usual Python packages, and Celery's tasks."""
    origin = {local: entry.module.partition(".")[0] for entry in facts.imports for _, local in entry.names}
    marks = [mark for definition in facts.definitions for mark in definition.decorators]
    for call in (*marks, *(c for c in facts.calls if c.callee.rpartition(".")[2] in {"Retrying", "AsyncRetrying"})):
        head, last = call.callee.partition(".")[0], call.callee.rpartition(".")[2]
        package = origin.get(head, "")
        names = {argument.name for argument in call.arguments}
        if package in _ENDS and last in {"retry", "on_exception", "on_predicate", "Retrying", "AsyncRetrying"}:
            endless = not names & {*_ENDS[package], "*", "**"} and not (package == "tenacity" and any(a.name == "" for a in call.arguments))
            yield Retry(facts.path, call.line, call.end_line, f"@{call.callee}", endless, _library_spacing(package, call))
        elif "autoretry_for" in names:
            given = call.argument("max_retries")
            grows = "retry_backoff" in names
            yield Retry(
                facts.path,
                call.line,
                call.end_line,
                "the task",
                given is not None and given.kind is ValueKind.NONE,
                Spacing.GROWING if grows else Spacing.CONSTANT,
            )
        elif package == "stamina":
            yield Retry(facts.path, call.line, call.end_line, f"@{call.callee}", endless=False, spacing=Spacing.LIBRARY)


def _library_spacing(package: str, call: Call) -> Spacing:
    if package == "backoff":
        return Spacing.CONSTANT if call.arguments and call.arguments[0].value.literal.endswith("constant") else Spacing.GROWING
    if package == "tenacity":
        waits = [argument.value for argument in call.arguments if argument.name == "wait"]
        if not waits and not any(argument.name in {"", "*", "**"} for argument in call.arguments):
            return Spacing.NONE
        steady = waits and waits[0].kind is ValueKind.CALL and waits[0].literal.rpartition(".")[2] in _STEADY_WAITS
        return Spacing.CONSTANT if steady else Spacing.GROWING
    names = {argument.name for argument in call.arguments}
    return (
        Spacing.GROWING
        if names & {"wait_exponential_multiplier", "wait_random_min", "backoff", "jitter"}
        else Spacing.CONSTANT
        if names
        else Spacing.NONE
    )


def _by_option(facts: FileFacts) -> Iterator[Retry]:
    """Options of clients, queues and fetching hooks, and packages that wrap a call."""
    origin = {local: entry.module for entry in facts.imports for _, local in entry.names}
    for call in facts.calls:
        callee = call.callee.removeprefix("new ")
        package = origin.get(callee.partition(".")[0], "")
        options = {
            key: value for argument in call.arguments for key, value in (*argument.value.items, (argument.name, argument.value)) if key
        }
        for nested in [value for value in options.values() if value.kind is ValueKind.COLLECTION]:
            options |= {key: value for key, value in nested.items if key and key not in options}
        found = _option(callee, package, options)
        if found is not None:
            yield Retry(facts.path, call.line, call.end_line, f"{callee}()", found[0], found[1])


def _option(callee: str, package: str, options: dict[str, Value]) -> tuple[bool, Spacing] | None:
    """(endless, spacing) of a call that is told to try again; None when it is not."""
    if package in {"p-retry", "async-retry", "promise-retry"}:
        forever = options.get("forever")
        return forever is not None and forever.literal == "true", Spacing.LIBRARY
    if package == "axios-retry" and callee.rpartition(".")[2] in {"axiosRetry", "default"}:
        return False, Spacing.LIBRARY if "retryDelay" in options else Spacing.NONE
    if callee.rpartition(".")[2] == "Retry" and package.startswith(("urllib3", "requests")):
        once = "total" in options and options["total"].literal in {"0", "1"}
        return False, Spacing.LIBRARY if "backoff_factor" in options or once else Spacing.NONE
    if _FETCHING_HOOKS.search(package):
        retry = options.get("retry")
        endless = retry is not None and retry.literal == "true"
        return (endless, Spacing.LIBRARY) if endless or callee in {"QueryClient", "useSWR", "SWRConfig"} else None
    if "attempts" in options and (
        "backoff" in options or callee.rpartition(".")[2] in {"add", "addBulk", "Queue", "registerQueue", "forRoot"}
    ):
        return (False, Spacing.GROWING if "backoff" in options else Spacing.NONE) if options["attempts"].literal not in {"0", "1"} else None
    told = next((value for key, value in options.items() if re.fullmatch(r"max_?[rR]etries|maxAttempts|retries", key)), None)
    if (
        told is not None
        and told.literal not in {"0", "None", "null", "false"}
        and (told.kind is ValueKind.NUMBER or (told.kind is ValueKind.NAME and _COUNTS.search(told.literal)))
    ):
        return False, Spacing.LIBRARY
    return None
