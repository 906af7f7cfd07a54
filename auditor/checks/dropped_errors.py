"""Tells a handler that drops an error from one that handles it, from the facts of one file. Weights are places, a half for "printed and gone on"."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass

from auditor.checks.drop_words import culprit_of, message_of
from auditor.checks.failures import changes_or_asks, is_broad, is_cleanup, is_expected, is_local, is_outside, is_pure, is_remote, is_write
from auditor.model.syntax import Assignment, Call, Definition, FileFacts, Handler, HandlerEffect, Value, ValueKind

_LETTING_GO = re.compile(
    r"^_{0,2}(?:close|aclose|shutdown|dispose|cleanup|clean_up|stop|teardown|tear_down|exit|aexit|del|disconnect|destroy|unmount)_{0,2}$"
)
_PASSED_ON = re.compile(
    r"(?:^|\.)(?:throw\w*|reject|exit|callback|cb|next|done|emit|fail\w*|abort|raise\w*|sendError|onError|dispatch|handle\w*Error|set\w*Error)$"
)
_PRINTING = re.compile(
    r"^(?:print|pprint|console\.\w+|traceback\.\w+|sys\.std(?:out|err)\.\w+|process\.std(?:out|err)\.write|rich\.print)$"
)
_NEUTRAL = frozenset(
    {
        "str",
        "repr",
        "String",
        "type",
        "len",
        "format",
        "JSON.stringify",
        "Date.now",
        "time.sleep",
        "asyncio.sleep",
        "sleep",
        "setTimeout",
        "clearTimeout",
    }
)
_ANSWERING = re.compile(r"^(?:res|response|reply|ctx)\b|(?:^|\.)(?:reject|cb|callback|next|done|exit|throw\w*|close|emit|resolve)$")
_CALLS_LOOKED_AT = 60  # calls before a callback among which the one that takes it stands
_ANSWER_NEAR = 4  # lines after the print within which an answer belongs to the failure
_REFUSED_WITHIN = 4
_STATE = re.compile(r"^(?:this\.)?set[A-Z]\w*$")
_LEVELLED = frozenset({"console.error", "console.warn"})
"""What a page has for a log: the visitor's console, with a level and the error."""
_REASON_WORDS = 4
_ERROR_PARAMETER = re.compile(r"^(?:err|error|e)$")


@dataclass(frozen=True, slots=True)
class Drop:
    """A place that drops an error; `write` names the call whose failed write it hides, "" for none."""

    path: str
    line: int
    end_line: int
    rule: str
    weight: float
    message: str
    write: str = ""


class FileHandlers:
    """The handlers of one file; `prints_are_fine` where print is how the program talks to its user or feeds a logger, `page` where it runs in a browser."""

    def __init__(self, facts: FileFacts, *, python: bool, prints_are_fine: bool, page: bool = False) -> None:
        self._facts = facts
        self._python = python
        self._prints_are_fine = prints_are_fine
        self._page = page
        self._call_lines = [call.line for call in sorted(facts.calls, key=lambda call: call.line)]
        self._calls = sorted(facts.calls, key=lambda call: call.line)
        self._rejections = {
            line
            for handler in facts.handlers
            if handler.kind != "catch"
            for line in range(handler.line, min(handler.end_line, handler.line + 500) + 1)
        }
        self._assigned = sorted(facts.assignments, key=lambda assignment: assignment.line)
        self._assigned_lines = [assignment.line for assignment in self._assigned]
        self._comments = sorted(facts.comments, key=lambda comment: comment.line)
        self._comment_lines = [comment.line for comment in self._comments]
        self._raising = {raised.scope for raised in facts.raises}
        self._valued: defaultdict[int, list[Value]] = defaultdict(list)
        for assignment in (*facts.returns, *facts.assignments):
            if assignment.value is not None:
                self._valued[assignment.scope].append(assignment.value)

    def counted(self) -> list[Handler]:
        """Handlers that could drop something: import guards are none."""
        return [
            handler
            for handler in self._facts.handlers
            if not (handler.types and all("Import" in kind or "ModuleNotFound" in kind for kind in handler.types))
        ]

    def drops(self) -> list[Drop]:
        """The handlers that drop an error."""
        return [drop for handler in self.counted() if (drop := self._judge(handler)) is not None]

    def callbacks(self) -> tuple[int, list[Drop]]:
        """How many error-first callbacks there are, and those that only print the error and let the rest go on."""
        count = 0
        found = []
        for index, definition in enumerate(self._facts.definitions):
            if self._python or not definition.parameters or not _ERROR_PARAMETER.match(definition.parameters[0].name):
                continue
            if self._is_handler(definition) or not self._is_callback(definition):
                continue
            count += 1
            drop = self._callback_drop(index, definition)
            if drop is not None:
                found.append(drop)
        return count, found

    # -- one handler -----------------------------------------------------------------------------------------------------------------

    def _judge(self, handler: Handler) -> Drop | None:
        if handler.effect in {HandlerEffect.RAISE, HandlerEffect.REPORT, HandlerEffect.ANSWER}:
            return None
        if handler.types and all(is_expected(kind) for kind in handler.types):
            return None
        broad = is_broad(handler.types)
        if not broad and not self._matters(handler):
            return None
        work = [callee for callee in handler.tried if not is_pure(callee) and not _PRINTING.match(callee)]
        write = next((callee for callee in handler.tried if is_write(callee)), "")
        if not work or all(is_cleanup(callee) for callee in work) or (not write and self._lets_go(handler)):
            return None
        weight, rule = self._weight(handler, broad=broad)
        if not weight:
            return None
        culprit = write or culprit_of(handler, work)
        if write and self._is_refused(handler):
            weight, write = 0.5, ""
        hidden = write if weight >= 1 and not handler.comment else ""  # a stated reason: a place like any other
        message = message_of(rule, culprit, hidden, handler, page=self._page)
        return Drop(self._facts.path, handler.line, handler.end_line, rule, weight, message, hidden)

    def _is_refused(self, handler: Handler) -> bool:
        """`const token = await tokens.delete().catch(() => null); if (!token) throw …`: the caller learns that it failed, not why."""
        end = handler.end_line
        return handler.kind != "catch" and any(
            raised.scope == handler.scope and end < raised.line <= end + _REFUSED_WITHIN for raised in self._facts.raises
        )

    @staticmethod
    def _matters(handler: Handler) -> bool:
        """Whether a narrow handler catches what somebody should learn of: not a missing file, a name that is not there, an odd value."""
        outside = [kind for kind in handler.types if is_outside(kind)]
        if not outside or (handler.comment and all(kind.endswith("IntegrityError") for kind in outside)):
            return False  # "already there" is what a stated reason beside an integrity error says
        return not all(is_local(kind) for kind in outside) or any(changes_or_asks(callee) for callee in handler.tried)

    def _lets_go(self, handler: Handler) -> bool:
        scope = handler.scope
        return scope >= 0 and bool(_LETTING_GO.match(self._facts.definitions[scope].name))

    def _weight(self, handler: Handler, *, broad: bool) -> tuple[float, str]:
        calls = [callee for callee in handler.calls if callee not in _NEUTRAL]
        if handler.uses_binding and handler.effect is not HandlerEffect.PRINT:
            return 0, ""  # something is done with the error itself
        match handler.effect:
            case HandlerEffect.EMPTY:
                return (0, "") if self._reasons(handler) and not _asks(handler) else (1, "dropped")
            case HandlerEffect.CONTINUE:
                waits = any(callee.endswith("sleep") for callee in handler.calls)
                return (0, "") if waits or calls else (1, "dropped")
            case HandlerEffect.PRINT:
                return (0, "") if self._prints_are_fine or not broad or self._goes_on_well(handler, calls) else (0.5, "printed")
            case HandlerEffect.RETURN_CONSTANT:
                if calls and not all(is_cleanup(callee) for callee in calls):
                    return 0, ""
                return (1, "made-up-result") if says_nothing(handler.returned) else (0, "")
            case _:
                return self._other(handler, calls, broad=broad)

    def _goes_on_well(self, handler: Handler, calls: list[str]) -> bool:
        """Whether a handler that prints does more: says why that is enough, waits and tries again, hands on, falls back, or answers that it failed.

        In a page the console is the log, so that there only a call of a server or a store that fails unseen is left to speak of.
        """
        others = [callee for callee in calls if not _PRINTING.match(callee)]
        waits = any(callee.endswith("sleep") for callee in handler.calls) and self._in_loop(handler)
        if waits or any(not is_cleanup(callee) and not is_pure(callee) and not _STATE.match(callee) for callee in others):
            return True
        if not handler.uses_binding or _LEVELLED.isdisjoint(handler.calls):
            return False
        answers = handler.returned is not None and (_says_no(handler.returned) or not says_nothing(handler.returned))
        replaced = answers or self._falls_back(handler) or self._tries_something_else(handler)
        return replaced or self._reasons(handler) or (self._page and not self._waits_for_others(handler))

    def _tries_something_else(self, handler: Handler) -> bool:
        """Whether what is guarded leaves the function when it works, so that what comes after the handler is the other way."""
        first, scope = handler.line - handler.tried_lines - 1, handler.scope
        left = any(returned.scope == scope and first <= returned.line < handler.line for returned in self._facts.returns)
        after = bisect_left(self._call_lines, handler.end_line + 1)
        return scope >= 0 and left and any(call.scope == scope for call in self._calls[after : after + _CALLS_LOOKED_AT])

    def _waits_for_others(self, handler: Handler) -> bool:
        """Whether what is guarded asks a server or a store, or is waited for, as such work is."""
        first = handler.line - handler.tried_lines - 1
        return _asks(handler) or any(
            call.awaited and call.callee in handler.tried and not is_pure(call.callee) for call in self._between(first, handler.line)
        )

    def _reasons(self, handler: Handler) -> bool:
        """Whether a comment in the handler says why the error may be left alone; two words say nothing."""
        if not handler.comment:
            return False
        inside = self._comments[bisect_left(self._comment_lines, handler.line) : bisect_left(self._comment_lines, handler.end_line + 1)]
        return sum(len(comment.text.split()) for comment in inside) >= _REASON_WORDS

    def _in_loop(self, handler: Handler) -> bool:
        return any(loop.scope == handler.scope and loop.line <= handler.line <= loop.end_line for loop in self._facts.loops)

    def _falls_back(self, handler: Handler) -> bool:
        """Whether something usable takes the place of the result: any value but a switch or nothing."""
        return any(
            assignment.value is not None
            and assignment.value.kind not in {ValueKind.BOOLEAN, ValueKind.OTHER}
            and not says_nothing(assignment.value)
            for assignment in self._assigned_between(handler)
        )

    def _assigned_between(self, handler: Handler) -> list[Assignment]:
        lines = self._assigned_lines
        return self._assigned[bisect_left(lines, handler.line) : bisect_left(lines, handler.end_line + 1)]

    def _other(self, handler: Handler, calls: list[str], *, broad: bool) -> tuple[float, str]:
        """A handler that does something else: only letting go, only fixed values in place of the result, or a real alternative."""
        if handler.returned is not None:
            return 0, ""
        if calls and all(is_cleanup(callee) for callee in calls):
            return 1, "dropped"
        if calls and all(_STATE.match(callee) for callee in calls):
            inside = self._between(handler.line, handler.end_line)
            fixed = all(says_nothing(argument.value) for call in inside for argument in call.arguments)
            return (0.5, "made-up-result") if fixed else (0, "")
        if calls or not broad:
            return 0, ""
        values = [assignment.value for assignment in self._assigned_between(handler)]
        stated = self._reasons(handler) and not _asks(handler)
        return (0.5, "made-up-result") if values and not stated and all(says_nothing(value) for value in values) else (0, "")

    def _between(self, line: int, end_line: int) -> list[Call]:
        return self._calls[bisect_left(self._call_lines, line) : bisect_left(self._call_lines, end_line + 1)]

    # -- error-first callbacks -------------------------------------------------------------------------------------------------------

    def _is_handler(self, definition: Definition) -> bool:
        """Whether the function is what `.catch(...)` or `.on("error", ...)` runs: counted as a handler, or an event."""
        return definition.line in self._rejections

    def _is_callback(self, definition: Definition) -> bool:
        """Whether the function is the last argument of a call, as for `db.run(sql, (err) => ...)`."""
        before = bisect_left(self._call_lines, definition.line + 1)
        for call in reversed(self._calls[max(0, before - _CALLS_LOOKED_AT) : before]):
            if (
                call.end_line < definition.line
                or not call.arguments
                or call.callee.endswith((".on", ".once", ".catch", ".then", ".addEventListener", ".use"))
            ):
                continue
            last = call.arguments[-1].value
            if last.kind is ValueKind.FUNCTION and call.end_line >= definition.end_line and _opens_with(last, definition):
                return True
        return False

    def _callback_drop(self, index: int, definition: Definition) -> Drop | None:
        if self._prints_are_fine or index in self._raising:
            return None
        parameter = definition.parameters[0].name
        inside = [call for call in self._between(definition.line, definition.end_line) if call.scope == index]
        told = [call for call in inside if _mentions(call, parameter)]
        if not told or not all(_PRINTING.match(call.callee) for call in told):
            return None
        answers = any(returned.scope == index and not says_nothing(returned.value) for returned in self._facts.returns)
        if answers or any(_about(value, parameter) for value in self._valued[index]):
            return None
        if any(told[0].line <= call.line <= told[0].line + _ANSWER_NEAR and _ANSWERING.search(call.callee) for call in inside):
            return None
        message = "A failure reported to this callback is only printed, and whatever comes next goes on as if it had worked."
        return Drop(self._facts.path, definition.line, definition.end_line, "printed", 0.5, message)


def _opens_with(value: Value, definition: Definition) -> bool:
    parameter = definition.parameters[0].name
    return bool(re.match(rf"(?:async\s*)?(?:function\s*\w*\s*)?\(?\s*{re.escape(parameter)}\b", value.text))


def _mentions(call: Call, name: str) -> bool:
    return any(_about(argument.value, name) for argument in call.arguments)


def _about(value: Value, name: str) -> bool:
    return any(used == name or used.startswith(name + ".") for used in value.names)


def says_nothing(value: Value | None) -> bool:
    """Whether a value looks like an ordinary empty (or good) result: nothing, empty, true."""
    if value is None or value.kind is ValueKind.NONE:
        return True
    if value.kind is ValueKind.STRING:
        return not value.literal.strip()
    if value.kind is ValueKind.COLLECTION:
        return not value.items and value.text.strip("()[]{} ") in {"", "null", "undefined"}
    if value.kind is ValueKind.BOOLEAN:
        return value.literal.lower() == "true"
    return value.kind is ValueKind.NAME and value.literal == "undefined"


def _asks(handler: Handler) -> bool:
    """Whether what is guarded asks something outside the process or stores something."""
    return any(is_remote(callee) or is_write(callee) for callee in handler.tried)


def _says_no(value: Value) -> bool:
    """Whether a returned value says by itself that there is no result: false, null, nothing."""
    return value.kind is ValueKind.NONE or (value.kind is ValueKind.BOOLEAN and value.literal.lower() == "false")


def bindings_of_console(facts: FileFacts) -> bool:
    """Whether the file sends the console's output to a logger (`console.error = logger.error.bind(logger)`)."""
    return any(_is_redirect(assignment) for assignment in facts.assignments)


def _is_redirect(assignment: Assignment) -> bool:
    return bool(re.fullmatch(r"(?:global(?:This)?\.)?console\.(?:error|log|warn)", assignment.target)) and (
        assignment.value is not None
        and any(re.search(r"log", name, re.IGNORECASE) and not name.startswith("console") for name in assignment.value.names)
    )
