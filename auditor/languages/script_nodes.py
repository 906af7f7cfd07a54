"""Kinds of syntax nodes of scripts that several readers tell apart, and the texts of string literals."""

from __future__ import annotations

import re

from tree_sitter import Node

from auditor.languages.tree import MAX_DEPTH

WRAPPERS = frozenset({"parenthesized_expression", "non_null_expression", "await_expression", "as_expression", "satisfies_expression"})
"""Expressions whose value is that of their first part."""

FUNCTIONS = frozenset({"arrow_function", "function_expression", "function", "generator_function"})

_ESCAPE = re.compile(r"\\(?:u\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(\r\n|.))", re.DOTALL)
_SIMPLE_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "\n": "", "\r\n": "", "\r": ""}


def decoded(raw: str) -> str:
    """The text a string literal's source stands for, without its quotes."""
    return _ESCAPE.sub(_unescaped, raw) if "\\" in raw else raw


def _unescaped(match: re.Match[str]) -> str:
    code = match[1] or match[2] or match[3]
    if code:
        number = int(code, 16)
        return chr(number) if number < 0x110000 and not 0xD800 <= number < 0xE000 else "�"
    return _SIMPLE_ESCAPES.get(match[4], match[4])


def unwrapped(node: Node) -> Node:
    """The expression inside parentheses, await, casts and non-null marks."""
    for _ in range(MAX_DEPTH):
        if node.type not in WRAPPERS:
            break
        inner = next((child for child in node.named_children if child.type != "comment"), None)
        if inner is None:
            break
        node = inner
    return node
