"""Tests whose outcome is kept in a variable: `allowed = name in NAMES`, and `if allowed:` further down.

A variable counts when the function gives it a value in one place only, and when everything the test looked at got its value before: it cannot look at itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from auditor.languages import flow_ir as ir

_TESTS = frozenset({"not", "and", "or", "in", "not in", "not  in", "==", "!=", "===", "!==", "is", "is not", "<", "<=", ">", ">="})
_MOST_NODES = 20_000


def kept_tests(function: ir.Function) -> dict[str, ir.Expression]:
    """Variable -> the test that decides it."""
    lines: defaultdict[str, list[int]] = defaultdict(list)
    values: dict[str, tuple[ir.Expression, int]] = {}
    for node in _nodes(function.body):
        if isinstance(node, ir.Assign | ir.Binding):
            for name in _names(node.target):
                lines[name].append(node.line)
            plain = isinstance(node, ir.Binding) or not node.operator
            if isinstance(node.target, ir.Name) and plain and _is_test(node.value):
                values[node.target.id] = (node.value, node.line)
        elif isinstance(node, ir.Loop) and node.target is not None:
            for name in _names(node.target):
                lines[name].append(node.line)
    return {
        name: test
        for name, (test, line) in values.items()
        if len(lines[name]) == 1 and all(given < line for part in _names(test) for given in lines[part])
    }


def _is_test(value: ir.Expression) -> bool:
    return isinstance(value, ir.Call) or (isinstance(value, ir.Operation) and value.operator in _TESTS)


def _names(part: object) -> Iterator[str]:
    return (node.id for node in _nodes(part) if isinstance(node, ir.Name))


def _nodes(part: object) -> Iterator[object]:
    """A piece of code and everything in it, in no order that matters."""
    pending = [part]
    for _ in range(_MOST_NODES):
        if not pending:
            return
        node = pending.pop()
        if isinstance(node, tuple):
            pending.extend(node)
        elif hasattr(node, "__slots__"):
            yield node
            pending.extend(getattr(node, name) for name in type(node).__slots__)
