"""One loop statement as a fact, for both languages: its header, whether anything in it ends it, and where the body leaves it."""

from __future__ import annotations

from itertools import islice

from tree_sitter import Node

from auditor.languages.tree import end_line_of, folded, line_of
from auditor.model.syntax import Loop

HEADER_LIMIT = 120
"""Longest text kept of a loop's header, in characters."""

_FUNCTIONS = frozenset(
    [
        "function_definition",
        "lambda",
        "class_definition",
        "function_declaration",
        "function_expression",
        "generator_function",
        "generator_function_declaration",
        "arrow_function",
        "method_definition",
        "class_declaration",
        "class",
    ]
)
_BREAKABLE = frozenset({"for_statement", "while_statement", "do_statement", "for_in_statement", "switch_statement"})
_ALWAYS = frozenset({"True", "true", "1"})
_LOOKED_AT = 4_000  # nodes of one body; a retry is short


def loop_of(node: Node, source: bytes, scope: int) -> Loop:
    """The fact of a `for`, `while` or `do` statement."""
    condition, body = node.child_by_field_name("condition"), node.child_by_field_name("body")
    if node.type == "for_statement" and node.child_by_field_name("right") is None:
        endless = condition is None or condition.type == "empty_statement"
    else:
        endless = condition is not None and folded(condition, source, HEADER_LIMIT).strip("() ") in _ALWAYS
    shown = condition if node.type == "do_statement" and condition is not None else node
    header = folded(shown, source, HEADER_LIMIT)
    if body is not None and shown is node:
        whole = source[node.start_byte : min(body.start_byte, node.start_byte + HEADER_LIMIT * 8)].decode("utf-8", "replace")
        header = " ".join(whole.split())[:HEADER_LIMIT]
    exits = _exits(body) if endless and body is not None else ()
    return Loop(header, line_of(node), end_line_of(node), scope, endless, exits)


def _exits(body: Node) -> tuple[int, ...]:
    """The lines of each `return`, and of each `break` of this loop itself, in its body."""
    found: list[int] = []
    pending = [(body, True)]
    for _ in range(_LOOKED_AT):
        if not pending:
            break
        node, own = pending.pop()
        if node.type == "return_statement" or (node.type == "break_statement" and (own or node.named_child_count)):
            found.append(line_of(node))
        if node.type not in _FUNCTIONS:
            pending.extend((child, own and node.type not in _BREAKABLE) for child in islice(node.named_children, _LOOKED_AT))
    return tuple(sorted(found))
