"""What the body of a Python `except` clause does with the error."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from auditor.model.syntax import Call, Handler, HandlerEffect, Value, ValueKind

TRIED_KEPT = 40
CHAIN_KEPT = 20
"""Enclosing try blocks or handlers that still take note of what stands in them."""

_EXITS = frozenset({"sys.exit", "exit", "quit", "os._exit", "os.abort", "abort", "flask.abort", "pytest.fail", "pytest.skip", "self.fail"})
_LEVELS = frozenset({"debug", "info", "warning", "warn", "error", "exception", "critical", "fatal", "log", "success", "trace"})
_LOGGERS = re.compile(
    r"(?i:(?:^|[._])(?:log|logs|logger|logging|audit|structlog)\d?(?:\[\]|\(\))?$)|Log(?:ger|ging)?(?:\(\)|\[\])?$|getLogger\(\)|get_logger\(\)|get_task_logger\(\)"
)
_TRACKERS = re.compile(
    r"(?:^|\.)(?:capture_exception|capture_message|captureException|captureMessage|report_exc_info|report_exception|notify_exception|notice_error"
    r"|record_exception|log_exception|set_exception|add_error|non_field_errors|print_exception_to_log|send_error|mail_admins|notify|put_error"
    r"|showerror|showwarning|toast|flash|handle_exception|handleError|handle_error|on_error|retry)$"
)
_OWN_REPORT = re.compile(r"(?:^|[._])(?:log|report|notify|alert|capture|audit)_\w{1,60}$|_(?:log|alert)$")
_USER = re.compile(
    r"^(?:messages|st|streamlit|QMessageBox|messagebox|gr|ui)\.(?:error|warning|warn|info|critical|exception|success|add_message|Error|Warning|notify|toast|debug)$"
)
_TERMINAL = re.compile(
    r"^(?:click\.(?:echo|secho)|typer\.(?:echo|secho)|self\.(?:stdout|stderr)\.write|warnings\.warn|parser\.error|parser\.exit|ctx\.fail|ctx\.exit)$"
)
_PRINTS = re.compile(
    r"^(?:print|pprint|pprint\.pprint|pp|traceback\.print_exc|traceback\.print_exception|traceback\.print_stack|sys\.std(?:out|err)\.write|(?:\w+\.)?console\.print|rich\.print|print_exc)$"
)
_NEUTRAL = frozenset({
    "str", "repr", "type", "isinstance", "issubclass", "getattr", "hasattr", "len", "format", "int", "bool", "any", "all", "print", "pprint", "id",
    "super", "vars", "dir", "set", "list", "tuple", "dict", "sorted", "json.dumps", "traceback.format_exc", "traceback.format_exception",
})  # fmt: skip
_ANSWERS = re.compile(
    r"(?:Response\w*|HttpResponse\w*|jsonify|make_response|render|render_template|render_to_string|redirect|abort|send_error|\w*[Ee]rror\w*|\w*Fail\w*|fail\w*"
    r"|\w*NotFound|\w*Forbidden|Err|Left|reject|invalid\w*|problem\w*|TemplateResponse|\w*Result)$"
)
_ERROR_WORD = re.compile(
    r"err|fail|invalid|unable|cannot|not exist|no longer|could not|couldn't|can't|problem|not found|denied|missing|exception|warning|wrong|unavailable|issue",
    re.IGNORECASE,
)
_ERROR_KEY = re.compile(
    r"^(?:\w*err(?:or)?s?|error\w*|detail|details|message|msg|status|status_?code|ok|success|succeeded|reason|exception|valid|warnings?|fail\w*|code|unavailable)$",
    re.IGNORECASE,
)


@dataclass(slots=True)
class HandlerDraft:
    """A handler while its body is being read."""

    kind: str
    line: int
    end_line: int
    scope: int
    types: tuple[str, ...] = ()
    binding: str = ""
    tried_lines: int = 0
    statements: int = 0
    uses_binding: bool = False
    raises: bool = False
    jumps: bool = False
    other: bool = False
    tried: dict[str, None] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    returned: list[Value | None] = field(default_factory=list)
    yielded: list[Value] = field(default_factory=list)
    assigned: list[tuple[str, Value | None]] = field(default_factory=list)

    def note_tried(self, callee: str) -> None:
        """A call in the guarded code."""
        if len(self.tried) < TRIED_KEPT:
            self.tried[callee] = None

    def finish(self, *, comment: bool) -> Handler:
        """The fact, when the whole body was read."""
        value = next((value for value in self.returned if value is not None), None)
        callees = tuple(dict.fromkeys(call.callee for call in self.calls))
        return Handler(
            kind=self.kind,
            line=self.line,
            end_line=self.end_line,
            scope=self.scope,
            types=self.types,
            binding=self.binding,
            uses_binding=self.uses_binding,
            effect=self._effect(),
            tried=tuple(self.tried),
            calls=callees,
            returned=value,
            comment=comment,
            statements=self.statements,
            tried_lines=self.tried_lines,
        )

    def _effect(self) -> HandlerEffect:
        if self.kind == "suppress":
            return HandlerEffect.EMPTY
        if self.raises or any(call.callee in _EXITS for call in self.calls):
            return HandlerEffect.RAISE
        if any(self._reports(call) for call in self.calls):
            return HandlerEffect.REPORT
        if any(value is not None and self._carries(value) for value in (*self.returned, *self.yielded)):
            return HandlerEffect.ANSWER
        if any(self._keeps(target, value) for target, value in self.assigned):
            return HandlerEffect.ANSWER
        if any(_PRINTS.match(call.callee) for call in self.calls):
            return HandlerEffect.PRINT
        if self.returned and all(value is None or is_constant(value) for value in self.returned):
            return HandlerEffect.RETURN_CONSTANT
        if self.jumps:
            return HandlerEffect.CONTINUE
        if self.returned or self.calls or self.assigned or self.other:
            return HandlerEffect.OTHER
        return HandlerEffect.EMPTY

    def _reports(self, call: Call) -> bool:
        """Whether a call tells somebody: a logger, an error tracker, the user, or anything that is given the error itself."""
        callee = call.callee
        owner, _, name = callee.rpartition(".")
        if name in _LEVELS and owner and _LOGGERS.search(owner):
            return True
        if _TRACKERS.search(callee) or _USER.match(callee) or _TERMINAL.match(callee) or _OWN_REPORT.search(callee):
            return True
        if _PRINTS.match(callee) or callee in _NEUTRAL or name in {"rollback", "format", "startswith", "append_to_log", "lower", "get"}:
            return False
        if name in {"append", "add", "extend", "setdefault", "update", "put", "put_nowait", "setText", "set"}:
            return any(self._carries(argument.value) for argument in call.arguments) or bool(_ERROR_WORD.search(owner))
        return bool(self.binding) and any(self._mentions(argument.value) for argument in call.arguments)

    def _mentions(self, value: Value) -> bool:
        prefix = self.binding + "."
        return any(name == self.binding or name.startswith(prefix) for name in value.names)

    def _carries(self, value: Value) -> bool:
        """Whether a value tells its receiver that something went wrong."""
        if self.binding and self._mentions(value):
            return True
        if any(name.startswith(("traceback.format_exc", "sys.exc_info")) for name in value.names):
            return True
        if value.kind is ValueKind.CALL:
            return bool(_ANSWERS.search(value.literal)) or any(
                _ERROR_KEY.match(key) for key, _ in value.items if key and not key.startswith("*")
            )
        if value.kind in {ValueKind.STRING, ValueKind.TEMPLATE}:
            return bool(_ERROR_WORD.search(value.literal))
        if value.kind is ValueKind.NAME:
            return bool(_ERROR_WORD.search(value.literal))
        if value.kind is ValueKind.COLLECTION:
            return any(self._entry_tells(key, item) for key, item in value.items)
        return False

    def _entry_tells(self, key: str, item: Value) -> bool:
        if _ERROR_KEY.match(key):
            return True
        if item.kind is ValueKind.NUMBER:
            return bool(re.fullmatch(r"[45]\d\d", item.literal))
        if item.kind in {ValueKind.STRING, ValueKind.TEMPLATE}:
            return not key and bool(_ERROR_WORD.search(item.literal))
        return item.kind is ValueKind.CALL and bool(_ANSWERS.search(item.literal))

    def _keeps(self, target: str, value: Value | None) -> bool:
        """Whether an assignment keeps the error, or says that there was one, for later."""
        if value is None or value.kind is ValueKind.NONE:
            return False
        if self.binding and self._mentions(value):
            return True
        return bool(re.search(r"(?:^|[._])(?:\w{0,40}errors?|err|failed|failures?|success|ok|is_valid|valid|status)(?:\[\])?$", target))


def is_constant(value: Value) -> bool:
    """Whether a value is the same whatever went wrong: a literal, or an empty or constant collection."""
    if value.kind in {ValueKind.NONE, ValueKind.BOOLEAN, ValueKind.NUMBER, ValueKind.STRING}:
        return True
    return value.kind is ValueKind.COLLECTION and not value.names
