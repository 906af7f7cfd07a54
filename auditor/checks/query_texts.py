"""Finds the places where production code hands a text to a database, wrappers of the code's own included."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.model.syntax import Call, Definition, FileFacts, Value, ValueKind

_ROUNDS = 3
_ANY_TEXT = re.compile(
    r"(?:^|\.)(?:execute|executemany|executescript|exec_driver_sql|raw|RawSQL|text|literal_column|read_sql|read_sql_query|fetch|fetchrow|fetchval|fetch_all|fetch_one|"
    r"query|sql|rpc|unsafe|prepare|exec|all|run|each|get|queryRaw|\$queryRawUnsafe|\$executeRawUnsafe|whereRaw|orderByRaw|havingRaw|joinRaw|literal)$"
)
_FRAGMENT = re.compile(r"(?:^|\.)(?:whereRaw|orderByRaw|havingRaw|joinRaw|RawSQL)$")
_STATEMENT = re.compile(
    r"^[\s(]*(?:select\s[\s\S]{0,4000}?\bfrom\b|select\s+[\w(\"'`{*]|insert\s+(?:or\s+\w+\s+|ignore\s+)?into\b|update\s+\S+\s+set\b|delete\s+from\b|"
    r"(?:create|drop|alter)\s+(?:or\s+replace\s+|unique\s+|temp(?:orary)?\s+)?(?:table|database|index|schema|user|role|view|extension|type|sequence|trigger|function|policy|column)\b|"
    r"truncate\s+|replace\s+into\b|with\s+(?:recursive\s+)?\S+\s+as\b|set\s+(?:local\s+|session\s+)?[\w.]+\s*(?:=|to\b)|kill\s|grant\s|revoke\s|pragma\s|show\s+\w|vacuum\b|"
    r"call\s+\w|copy\s+\S+\s+(?:from|to)\b|lock\s+tables?\b|explain\s|merge\s+into\b|attach\s+)",
    re.IGNORECASE,
)


_TAGS = frozenset({"sql", "queryRaw", "$queryRaw", "$executeRaw"})
"""Tags of templates in scripts: they look like interpolation and bind every value."""


@dataclass(frozen=True, slots=True)
class QueryText:
    """One text for the database: the value that holds it, where it is used and where it is put together."""

    path: str
    scope: int
    line: int
    end_line: int
    value: Value
    made_line: int
    assembled: bool = True
    """Whether a text in the code has pieces put into it; else the whole text comes from elsewhere."""


def query_texts(files: tuple[FileFacts, ...]) -> tuple[QueryText, ...]:
    """Every query text that a sink or a wrapper of one gets, except a wrapper's own parameter (its callers are there instead)."""
    found: dict[tuple[str, int, int], QueryText] = {}
    wrappers: dict[str, tuple[str, int]] = {}
    for _ in range(_ROUNDS):
        before = len(wrappers)
        for facts in files:
            for call, value in _handed_over(facts, wrappers):
                wrapper = _wrapper(facts, call, value)
                if wrapper is not None:
                    wrappers.setdefault(wrapper[0], wrapper[1:])
                    continue
                known = _text(facts, call, value)
                if known is not None:
                    found[known.path, known.line, known.made_line] = known
        if len(wrappers) == before:
            break
    return tuple(found[key] for key in sorted(found))


def _handed_over(facts: FileFacts, wrappers: dict[str, tuple[str, int]]) -> Iterator[tuple[Call, Value]]:
    """Calls of sinks and known wrappers with the argument that is the query text."""
    for call in facts.calls:
        last = call.callee.rpartition(".")[2]
        value = None
        if last in _TAGS and not facts.path.endswith(".py"):
            continue
        if last in wrappers:
            value = call.argument(*wrappers[last])
        elif _ANY_TEXT.search(call.callee):
            value = next((found for found in (call.argument(name, 0) for name in ("sql", "query", "statement")) if found), None)
        if value is not None:
            yield call, value


def _wrapper(facts: FileFacts, call: Call, value: Value) -> tuple[str, str, int] | None:
    """Name of the function, name and position of its parameter, when a first-party function passes its own parameter on as the query text."""
    if call.scope < 0 or value.kind is not ValueKind.NAME or not call.callee.rpartition(".")[0]:
        return None
    definition = facts.definitions[call.scope]
    parameter = _wrapped_parameter(definition, value, facts, call.scope)
    return (definition.name, *parameter) if parameter is not None and definition.name else None


def _text(facts: FileFacts, call: Call, value: Value) -> QueryText | None:
    """The query text of a call, followed to where it was put together; None when it does not look like a query."""
    made = value
    made_line = call.line
    if value.kind is ValueKind.NAME:
        made, made_line = _made(facts, call, value) or (value, call.line)
    if made.kind is ValueKind.CALL and made.items and made.literal.rpartition(".")[2] == "text":
        made = made.items[0][1]
    if not _FRAGMENT.search(call.callee) and not _STATEMENT.match(
        made.literal if made.kind in {ValueKind.STRING, ValueKind.TEMPLATE} else ""
    ):
        return None
    return QueryText(facts.path, call.scope, call.line, call.end_line, value, made_line, _is_assembled(facts, call, value))


def _is_assembled(facts: FileFacts, call: Call, value: Value) -> bool:
    """Whether the text, or what is added to the variable that holds it, is put together of several pieces."""
    if value.kind is not ValueKind.NAME:
        return True
    given = [entry for entry in facts.assignments if entry.scope in {call.scope, -1} and entry.target == value.literal]
    if not given or given[0].value is None or given[0].value.kind is ValueKind.STRING:
        return True
    return any(entry.value is None or entry.value.kind in {ValueKind.TEMPLATE, ValueKind.OPERATION} for entry in given)


def _made(facts: FileFacts, call: Call, value: Value) -> tuple[Value, int] | None:
    """The assignment of the scope (or the module) that first gives the name a text."""
    for scope in (call.scope, -1):
        for entry in facts.assignments:
            if (
                entry.scope == scope
                and entry.target == value.literal
                and entry.value is not None
                and entry.value.kind in {ValueKind.STRING, ValueKind.TEMPLATE}
            ):
                return entry.value, entry.line
    return None


def _wrapped_parameter(definition: Definition, value: Value, facts: FileFacts, scope: int) -> tuple[str, int] | None:
    """The parameter of `definition` that `value` is, directly or through one assignment; with its position among the arguments of a call."""
    name = value.literal if value.kind is ValueKind.NAME else ""
    for entry in facts.assignments:
        if name and entry.scope == scope and entry.target == name and entry.value is not None:
            source = entry.value
            name = (
                source.literal
                if source.kind is ValueKind.NAME
                else source.literal.partition(".")[0]
                if source.kind is ValueKind.CALL
                else name
            )
            break
    offset = 1 if definition.parameters and definition.parameters[0].name in {"self", "cls"} else 0
    for position, parameter in enumerate(definition.parameters):
        if parameter.name == name and parameter.kind in {"positional", "keyword"}:
            return name, position - offset
    return None
