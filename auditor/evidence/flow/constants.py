"""Folding of constants: what operators give for literals, bounded so that hostile code cannot make it costly."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from auditor.evidence.flow.values import SKELETON_LIMIT, UNSET, Mark, Unset, Value, constant, text_of
from auditor.languages import flow_ir as ir

_LARGEST = 10**9

_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "==": operator.eq,
    "===": operator.eq,
    "!=": operator.ne,
    "!==": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "in": lambda needle, text: needle in text,
    "not in": lambda needle, text: needle not in text,
    "is": operator.eq,
    "is not": operator.ne,
}
_ANSWERS = frozenset({"==", "===", "!=", "!==", "<", "<=", ">", ">=", "in", "not in", "is", "is not", "not", "instanceof", "typeof"})
"""Operators whose result is no text, whatever goes in."""


def fold(sign: str, values: tuple[Value, ...]) -> Value:
    """The value of an operator; constant where all operands are and the result is small."""
    sign = " ".join(sign.split())
    constants = [value.const for value in values]
    if not any(isinstance(known, Unset) for known in constants):
        if sign == "not" and len(constants) == 1:
            return constant(not constants[0])
        if sign in _ARITHMETIC and len(constants) == 2:
            result = _apply(_ARITHMETIC[sign], constants[0], constants[1])
            if not isinstance(result, Unset):
                return constant(result)
    if sign in _ANSWERS:
        return Value(path="~answer", known=True)
    if sign == "+":
        if any(value.items is not None for value in values) and not any(value.marks for value in values):
            entries: dict[ir.Constant, Value] = dict(enumerate(part for value in values for part in (value.items or {}).values()))
            return Value(items=entries, known=all(value.known for value in values))
        return text_of(values)
    marks: frozenset[Mark] = frozenset().union(*(value.every_mark for value in values))
    return Value(marks, known=all(value.known for value in values))


def _apply(function: Callable[[Any, Any], Any], one: Any, other: Any) -> Any:
    if any(isinstance(value, (int, float)) and abs(value) > _LARGEST for value in (one, other)):
        return UNSET
    if function is operator.mul and (isinstance(one, str) or isinstance(other, str)):
        return UNSET
    try:
        result = function(one, other)
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return UNSET
    return UNSET if isinstance(result, str) and len(result) > SKELETON_LIMIT else result


def truth_of(value: Value) -> bool | None:
    """Whether a value is certainly true or false; None when it may be either."""
    return None if isinstance(value.const, Unset) else bool(value.const)
