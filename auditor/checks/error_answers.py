"""Answers of a server that carry the text of an exception: which handler caught what, and what it sends back.

Texts of one's own, narrow error types are meant for the caller; what a handler of everything catches is not, for it may hold a query, a path or a host.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.checks.failures import is_broad
from auditor.model.syntax import Call, Definition, FileFacts, Value, ValueKind

_PYTHON_ANSWER = re.compile(
    r"(?:^|\.)(?:HTTPException|JsonResponse|JSONResponse|ORJSONResponse|jsonify|make_response|Response|HttpResponse\w*|PlainTextResponse|HTMLResponse|abort|APIException|APIResponse|HttpError)$"
)
_OUTSIDE_PYTHON = re.compile(
    r"(?:^|\.)(?:SQLAlchemyError|OperationalError|IntegrityError|ProgrammingError|DatabaseError|DBAPIError|PyMongoError|OSError|IOError|RequestException|SMTP\w+|ClientError|BotoCoreError"
    r"|(?:sqlite3|psycopg2?|pymysql|MySQLdb)\.Error)$"
)
_TRACE = re.compile(r"^(?:traceback\.format_\w+|format_exc|sys\.exc_info)$")
_SCRIPT_ANSWER = re.compile(
    r"^(?:res|resp|response|reply|ctx|c|context)\b(?:\.\w+(?:\(\))?){0,4}\.(?:json|send|end|write|text|html|jsonp)$"
    r"|^(?:NextResponse|Response)\.json$|^new (?:Next)?Response$|^new (?:TRPCError|HttpException|InternalServerErrorException|BadRequestException|GraphQLError|HTTPException)$|^createError$"
)
_OWN_ANSWER = re.compile(r"^(?:\w*\.)?\w*(?:[sS]erverError|[eE]rrorResponse|[sS]endError|[jJ]sonError|[aA]piError|[bB]adRequest)\w*$")
_SERIALISED = re.compile(r"serializeError|\.stack$")
_ONLY_DEVELOPMENT = re.compile(
    r"NODE_ENV|\bDEBUG\b|(?:^|\.)(?:debug|isDev\w*|isProd\w*|is_production|expose\w*)$|ENVIRONMENT|import\.meta\.env"
)
_TYPED = re.compile(
    r"instanceof\s+(?!Error\b)|is[A-Z]\w*Error\(|\.name\s*={2,3}|\.code\s*={2,3}|isOperational|\.expose\b|NODE_ENV|\bDEBUG\b|\.status\w*\s*(?:<\s*500|={2,3}\s*4\d\d\b)|isinstance\("
)
_ERROR_PARAMETER = re.compile(r"^(?:err|error|e|ex|exc|exception|_?err(?:or)?)$")
_ALIAS = re.compile(r"\bmessage\b|\.stack\b|serializeError|String\(|stringify|getErrorMessage|format_exc|\bstr\(|repr\(")
_NO_TEXT = re.compile(r"^(?:status|code|is[A-Z_]|has[A-Z_]|should[A-Z_]|kind|reason_code)|(?:[sS]tatus|[cC]ode)$")
"""Names of what is chosen by an error's text without holding it."""
_KEY = re.compile(r"(?<=[\w$])\[([\w$.]{1,80})\]")
_LINES_BEFORE = 4  # in which a condition around the answer stands
_FIRST_SERVER_ERROR, _FIRST_REFUSAL = 500, 400


@dataclass(frozen=True, slots=True)
class Leak:
    """One answer that carries an exception's text; `trace` says that it carries the stack, `refusal` that it is sent as the caller's own mistake."""

    path: str
    line: int
    end_line: int
    trace: bool
    refusal: bool
    everywhere: bool = False

    @property
    def weight(self) -> float:
        """How many ordinary places it counts for."""
        return 2.0 if self.trace or self.everywhere else 0.5 if self.refusal else 1.0


@dataclass(frozen=True, slots=True)
class _Caught:
    """Lines in which a name stands for an error that may be anything."""

    name: str
    line: int
    end_line: int
    everywhere: bool = False  # the last-resort handler of the whole server


@dataclass(frozen=True, slots=True)
class _Returned:
    """What a handler of requests answers by returning it."""

    line: int
    value: Value


def leaks_of(facts: FileFacts, text: str, handler_scopes: frozenset[int]) -> Iterator[Leak]:
    """Every answer of one server file that carries the text of an arbitrary exception, once per line."""
    python = facts.path.endswith((".py", ".pyw"))
    lines = text.splitlines()
    calls = sorted(facts.calls, key=lambda call: call.line)
    starts = [call.line for call in calls]
    seen: set[int] = set()
    for caught in _caught_in_python(facts) if python else _caught_in_script(facts):
        names = _names(facts, caught)
        inside = calls[bisect_left(starts, caught.line) : bisect_left(starts, caught.end_line + 1)]
        for call in inside:
            if call.line in seen or not _answers(call, python=python) or _is_conditional(lines, caught.line, call.line):
                continue
            used = [name for argument in call.arguments for name in _told_names(argument.value)]
            told = _tells(used, names, python=python)
            if not told or (_OWN_ANSWER.match(call.callee) and not _SCRIPT_ANSWER.match(call.callee) and told != "trace"):
                continue
            seen.add(call.line)
            yield Leak(facts.path, call.line, call.end_line, told == "trace", _is_refusal(call, inside), caught.everywhere)
        for place in _returned(facts, caught, handler_scopes) if python else ():
            if place.line not in seen and _tells(_told_names(place.value), names, python=True):
                seen.add(place.line)
                yield Leak(facts.path, place.line, place.line, trace=False, refusal=bool(re.search(r"\b4\d\d\b", place.value.text)))
        for number in _yielded(lines, caught) if python else ():
            if number not in seen:
                seen.add(number)
                yield Leak(facts.path, number, number, trace=False, refusal=False)


def _caught_in_python(facts: FileFacts) -> Iterator[_Caught]:
    for handler in facts.handlers:
        if handler.kind != "suppress" and (is_broad(handler.types) or any(_OUTSIDE_PYTHON.search(kind) for kind in handler.types)):
            yield _Caught(handler.binding, handler.line, handler.end_line)
    for definition in facts.definitions:
        marks = [mark for mark in definition.decorators if mark.callee.rpartition(".")[2] in {"exception_handler", "errorhandler"}]
        if any(argument.value.text in {"Exception", "500"} for mark in marks for argument in mark.arguments[:1]):
            name = next((p.name for p in definition.parameters if _ERROR_PARAMETER.match(p.name)), "")
            yield _Caught(name, definition.line, definition.end_line, everywhere=True)


def _caught_in_script(facts: FileFacts) -> Iterator[_Caught]:
    for definition in facts.definitions:
        if not definition.parameters or not _ERROR_PARAMETER.match(definition.parameters[0].name):
            continue
        if not definition.name or is_error_middleware(
            definition
        ):  # a named function with such a parameter may be given a text of one's own
            yield _Caught(definition.parameters[0].name, definition.line, definition.end_line, everywhere=is_error_middleware(definition))
    for handler in facts.handlers:
        if re.fullmatch(r"[\w$]+", handler.binding):
            yield _Caught(handler.binding, handler.line, handler.end_line)


def is_error_middleware(definition: Definition) -> bool:
    """Whether a function has the four parameters by which Express knows the handler of errors."""
    return len(definition.parameters) == 4 and bool(_ERROR_PARAMETER.match(definition.parameters[0].name))


def _names(facts: FileFacts, caught: _Caught) -> frozenset[str]:
    """The error's name, and what its text is put into on the way."""
    found = {caught.name} - {""}
    for assignment in facts.assignments:
        value = assignment.value
        if value is None or not caught.line <= assignment.line <= caught.end_line:
            continue
        if not _ALIAS.search(value.text) or _NO_TEXT.search(assignment.target):
            continue
        roots = {name.partition(".")[0] for name in value.names}
        if (roots & found or any(_TRACE.match(name) for name in value.names)) and not any(_ONLY_DEVELOPMENT.search(n) for n in value.names):
            suffix = ".stack" if any(_TRACE.match(name) or _SERIALISED.search(name) for name in value.names) else ""
            found.add(assignment.target + suffix)
    return frozenset(found)


def _answers(call: Call, *, python: bool) -> bool:
    if python:
        return bool(_PYTHON_ANSWER.search(call.callee))
    return bool(_SCRIPT_ANSWER.match(call.callee) or _OWN_ANSWER.match(call.callee))


def _tells(used: list[str], names: frozenset[str], *, python: bool) -> str:
    """Whether names in an answer tell the error's text ("text"), its stack ("trace") or nothing of it ("")."""
    if any(_ONLY_DEVELOPMENT.search(name) for name in used):
        return ""
    traced = {name.removesuffix(".stack") for name in names if name.endswith(".stack")}
    if any(_TRACE.match(name) for name in used) or any(name in traced for name in used):
        return "trace"
    if any(name.endswith(".stack") and name.removesuffix(".stack") in names for name in used):
        return "trace"
    for name in used:
        root, _, rest = name.partition(".")
        if root in names and (
            not rest or rest in ({"orig", "args", "__str__"} if python else {"message", "toString", "sqlMessage", "detail"})
        ):
            return "text"
    return ""


def _told_names(value: Value) -> list[str]:
    """The names in a value, without those that only choose an entry of a table (`MESSAGES[error.message]`)."""
    choosing = set(_KEY.findall(value.text))
    told = _KEY.sub("", value.text) if choosing else ""
    return [name for name in value.names if name not in choosing or name in told]


def _is_conditional(lines: list[str], start: int, line: int) -> bool:
    """Whether the answer stands under a condition about the kind of error, or is for development alone."""
    for number in range(line, max(start, line - _LINES_BEFORE) - 1, -1):
        shown = lines[number - 1][:400] if number <= len(lines) else ""
        if _TYPED.search(shown):
            return True
        if number < line and re.match(r"\s*\}\s*(?!else|\s*$)|\s*\}\s*$", shown):
            return False
    return False


def _is_refusal(call: Call, near: list[Call]) -> bool:
    values = [argument.value for argument in call.arguments]
    values += [
        a.value
        for other in near
        if call.line - 1 <= other.line <= call.line and other.callee.endswith((".status", ".code"))
        for a in other.arguments
    ]
    statuses = [status for value in values for status in _statuses(value)]
    return bool(statuses) and all(_FIRST_REFUSAL <= status < _FIRST_SERVER_ERROR for status in statuses)


def _statuses(value: Value) -> Iterator[int]:
    candidates = [value, *(item for key, item in value.items if key in {"status", "statusCode", "status_code"})]
    for one in candidates:
        found = re.fullmatch(r"(?:(?:http_)?status\.|HTTPStatus\.)?(?:HTTP_)?([45]\d\d)(?:_\w{1,40})?", one.text)
        if one.kind in {ValueKind.NUMBER, ValueKind.NAME} and found:
            yield int(found[1])


def _returned(facts: FileFacts, caught: _Caught, handler_scopes: frozenset[int]) -> Iterator[_Returned]:
    """What a handler of requests returns from inside an error handler, where that is the answer."""
    for entry in facts.returns:
        value = entry.value
        if value is None or entry.scope not in handler_scopes or not caught.line <= entry.line <= caught.end_line:
            continue
        if value.kind in {ValueKind.COLLECTION, ValueKind.STRING, ValueKind.TEMPLATE}:
            yield _Returned(entry.line, value)


def _yielded(lines: list[str], caught: _Caught) -> Iterator[int]:
    """Lines of a stream that hand the error's text to whoever reads it."""
    if not caught.name:
        return
    shown = re.compile(rf"\byield\b.{{0,200}}(?:str\(|repr\(|\{{){re.escape(caught.name)}\b(?!\.)")
    for number in range(caught.line, min(caught.end_line, len(lines)) + 1):
        if shown.search(lines[number - 1][:400]):
            yield number
