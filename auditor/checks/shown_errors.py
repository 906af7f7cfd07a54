"""Stack traces that are sent to whoever caused the error; switches for whole debug modes are in `auditor.checks.security.debug_off`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.checks.cross_origin import in_development_branch
from auditor.checks.value_origins import Origins
from auditor.model.syntax import FileFacts, Value, ValueKind
from auditor.model.verdict import Confidence, Finding

_TRACE = re.compile(r"^traceback\.(?:format_exc|format_exception|format_tb)$|^format_exc$|^sys\.exc_info$")
_PYTHON_ANSWERS = re.compile(
    r"^(?:\w+\.)?(?:jsonify|make_response|Response|HttpResponse\w*|JsonResponse|JSONResponse|HTMLResponse|PlainTextResponse|HTTPException|abort|render_template\w*)$"
)
_SCRIPT_ANSWERS = re.compile(
    r"^(?:res|response|reply|resp|ctx|c)(?:\.(?:status|code|type|set|header)\(\))*\.(?:json|send|end|write|render|text|html)$|^(?:Next)?Response\.json$|^new (?:Next)?Response$"
)
_ROUTE = re.compile(
    r"(?:^|\.)(?:route|get|post|put|patch|delete|errorhandler|app_errorhandler|exception_handler|websocket|api_view|require_\w+)$"
)
_STACK = re.compile(r"(?:^|\.)(?:e|err|error|ex|exception|reason|cause)\??\.stack$", re.IGNORECASE)


def shown_traces(facts: FileFacts, text: str) -> Iterator[Finding]:
    """Answers of one server file that hold a stack trace outside of what only runs in development."""
    lines = _in_python(facts) if facts.path.endswith(".py") else _in_script(facts)
    for line in sorted(set(lines)):
        if not in_development_branch(text, line):
            message = (
                "The stack trace of an error is sent to whoever caused it: it shows files, libraries and sometimes values of the server."
            )
            yield Finding("trace-shown", facts.path, message, line, line, Confidence.HIGH, "syntax", 209)


def _in_python(facts: FileFacts) -> Iterator[int]:
    if not any(_TRACE.match(call.callee) for call in facts.calls):
        return
    for use in Origins(facts, lambda value: value.literal if _TRACE.match(value.literal) else "").uses():
        answer = any(a.line == use.line and a.scope == use.scope for a in facts.returns) and _answers(facts, use.scope)
        if answer or (use.kind in {"call", "field"} and any(c.line == use.line and _PYTHON_ANSWERS.match(c.callee) for c in facts.calls)):
            yield use.line


def _answers(facts: FileFacts, scope: int) -> bool:
    return any(_ROUTE.search(decorator.callee) for decorator in facts.definitions[scope].decorators)


def _in_script(facts: FileFacts) -> Iterator[int]:
    for call in facts.calls:
        if _SCRIPT_ANSWERS.match(call.callee) and any(_holds_stack(argument.value) for argument in call.arguments):
            yield call.line


def _holds_stack(value: Value) -> bool:
    """Whether a stack is in an answer whatever the kind of environment; a condition around it is left alone."""
    pending = [value]
    while pending:
        current = pending.pop()
        if current.kind is ValueKind.NAME and _STACK.search(current.literal):
            return True
        if current.kind in {ValueKind.COLLECTION, ValueKind.TEMPLATE} or (
            current.kind is ValueKind.CALL and current.literal == "JSON.stringify"
        ):
            pending += [item for _, item in current.items]
    return False
