"""What becomes of something that has to be given back: closed where it was opened, handed on, kept at something that lives longer, or left open."""

from __future__ import annotations

import re
from enum import StrEnum

from auditor.checks.lifetimes import inside
from auditor.model.syntax import Call, FileFacts, Value, ValueKind

_CLOSES = frozenset(
    {"close", "aclose", "release", "end", "disconnect", "$disconnect", "dispose", "destroy", "terminate", "quit", "shutdown", "stop", "remove", "__exit__", "__aexit__", "detach", "unlink", "kill"}
)  # fmt: skip
_TAKES_BACK = re.compile(
    r"(?:^|\.)(?:putconn|release\w*|close\w*|dispose\w*|disconnect|aclose|addfinalizer|callback|push|register|closing|aclosing|enter_context|enter_async_context|finali[sz]e|defer)$"
)
_READS = re.compile(r"(?:^|\.)(?:load|loads|safe_load|reader|DictReader|read_\w+|list|dict|tuple|set|len|str|jsonify|parse|from_file)$")
_OWNS = re.compile(r"(?:^|\.)(?:closing|aclosing|enter_context|enter_async_context)$")


class Fate(StrEnum):
    """What becomes of what a call opens."""

    RELEASED = "released"
    HANDED_ON = "handed-on"  # the caller gets it
    KEPT = "kept"  # a field or a variable of the module holds it
    UNKNOWN = "unknown"  # used without a name, or given away at once
    LEFT_OPEN = "left-open"


def fate(facts: FileFacts, call: Call, text: str) -> Fate:
    """What becomes of the result of a call inside a function; `text` is that of the file."""
    if call.managed or any(_OWNS.search(c.callee) and c.line <= call.line <= c.end_line and c.scope == call.scope for c in facts.calls):
        return Fate.RELEASED
    target = call.target
    if not target:
        returned = any(r.scope == call.scope and r.value is not None and r.value.literal == call.callee for r in facts.returns)
        return Fate.HANDED_ON if returned else Fate.UNKNOWN
    if call.scope < 0 or "." in target or "[" in target:
        return Fate.KEPT
    scopes = inside(facts, call.scope)
    if target.isidentifier() and _is_closed(facts, target, scopes, text):
        return Fate.RELEASED
    if any(r.scope in scopes and r.value is not None and _hands_on(r.value, target) for r in facts.returns):
        return Fate.HANDED_ON
    if _is_kept(facts, call, scopes):
        return Fate.KEPT
    return Fate.LEFT_OPEN if target.isidentifier() else Fate.UNKNOWN


def _hands_on(value: Value, target: str) -> bool:
    """Whether a returned value holds the thing itself, and not only what was read from it."""
    return target in value.names and not (value.kind is ValueKind.CALL and _READS.search(value.literal))


def _is_closed(facts: FileFacts, target: str, scopes: frozenset[int], text: str) -> bool:
    for call in facts.calls:
        if call.scope not in scopes:
            continue
        owner, _, last = call.callee.rpartition(".")
        if owner == target and last in _CLOSES:
            return True
        given = any(target in argument.value.names for argument in call.arguments)
        handed = given and _TAKES_BACK.search(call.callee)
        if handed or any(name in {f"{target}.{close}" for close in _CLOSES} for a in call.arguments for name in a.value.names):
            return True
    return re.search(rf"\bwith\s+\(?(?:[^\n]{{0,200}},\s*)?{re.escape(target)}\s*(?:[:,)]|as\b)", text) is not None


def _is_kept(facts: FileFacts, call: Call, scopes: frozenset[int]) -> bool:
    """Whether the name is a variable of the module, or is put into something that lives longer."""
    if call.target in facts.bound:
        return True
    for assignment in facts.assignments:
        value = assignment.value
        if assignment.scope in scopes and value is not None and value.kind is ValueKind.NAME and value.literal == call.target:
            return "." in assignment.target or "[" in assignment.target or assignment.target in facts.bound
    return False
