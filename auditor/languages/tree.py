"""What all readers of syntax trees share: parsers, texts of nodes, the first place a parser could not read.

Parsers are kept per thread (they are not safe to share). Nothing here recurses: trees of hostile files may be arbitrarily deep, so readers
walk with a stack of their own and give up below `MAX_DEPTH` where they have to look inwards.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from enum import StrEnum

import tree_sitter
import tree_sitter_javascript
import tree_sitter_python
import tree_sitter_typescript

from auditor.model.syntax import TEXT_LIMIT

MAX_DEPTH = 60
"""How deep a reader looks into one expression; nothing written by people comes near it."""

_FOLDING_ROOM = 8  # raw bytes looked at per character kept: enough for multi-byte characters and indentation


class Grammar(StrEnum):
    """The grammars at hand."""

    PYTHON = "python"
    JAVASCRIPT = "javascript"  # JSX included
    TYPESCRIPT = "typescript"
    TSX = "tsx"


_GRAMMARS = {
    Grammar.PYTHON: tree_sitter_python.language,
    Grammar.JAVASCRIPT: tree_sitter_javascript.language,
    Grammar.TYPESCRIPT: tree_sitter_typescript.language_typescript,
    Grammar.TSX: tree_sitter_typescript.language_tsx,
}


@functools.cache
def language_of(grammar: Grammar) -> tree_sitter.Language:
    """The compiled grammar, for queries."""
    return tree_sitter.Language(_GRAMMARS[grammar]())


class _Parsers(threading.local):
    """The parsers of one thread, made when first used."""

    def __init__(self) -> None:
        self.made: dict[Grammar, tree_sitter.Parser] = {}

    def get(self, grammar: Grammar) -> tree_sitter.Parser:
        parser = self.made.get(grammar)
        if parser is None:
            parser = self.made[grammar] = tree_sitter.Parser(language_of(grammar))
        return parser


_parsers = _Parsers()


def encoded(text: str) -> bytes:
    """The bytes a text is parsed from; lone surrogates of a broken decoding become question marks."""
    return text.encode("utf-8", "replace")


def parse(grammar: Grammar, source: bytes) -> tree_sitter.Tree:
    """The syntax tree of `source`; never fails, errors are nodes of the tree."""
    return _parsers.get(grammar).parse(source)


def text_of(node: tree_sitter.Node, source: bytes) -> str:
    """The source text of a node, uncut."""
    return source[node.start_byte : node.end_byte].decode("utf-8", "replace")


def folded(node: tree_sitter.Node, source: bytes, limit: int = TEXT_LIMIT) -> str:
    """The source text of a node with white space folded, cut at `limit` characters."""
    end = min(node.end_byte, node.start_byte + limit * _FOLDING_ROOM)
    return " ".join(source[node.start_byte : end].decode("utf-8", "replace").split())[:limit]


def line_of(node: tree_sitter.Node) -> int:
    """The 1-based line a node begins at."""
    return node.start_point[0] + 1


def end_line_of(node: tree_sitter.Node) -> int:
    """The 1-based line a node ends at; a node that ends with a line break ends on the line before it."""
    row, column = node.end_point
    return row + 1 if column or row == node.start_point[0] else row


def error_line(root: tree_sitter.Node) -> int:
    """The first line with something the parser could not read, 0 when there is none."""
    node = root
    if not node.has_error:
        return 0
    while not (node.is_error or node.is_missing):
        broken = next((child for child in node.children if child.has_error or child.is_missing), None)
        if broken is None:
            break
        node = broken
    return line_of(node)


def descendants(node: tree_sitter.Node, *, stop: frozenset[str] = frozenset()) -> Iterator[tree_sitter.Node]:
    """All named nodes below `node` in source order, `node` itself left out; nodes of the types in `stop` are given but not entered."""
    pending = node.named_children[::-1]
    while pending:
        current = pending.pop()
        yield current
        if current.type not in stop:
            pending.extend(reversed(current.named_children))


def addends(node: tree_sitter.Node) -> list[tree_sitter.Node]:
    """The operands of `a + b + c` in order, however many: read in a loop, because generated sums are deeper than the stack."""
    operands: list[tree_sitter.Node] = []
    current: tree_sitter.Node | None = node
    while current is not None and current.type == node.type:
        operator = current.child_by_field_name("operator")
        if operator is None or operator.type != "+":
            break
        right = current.child_by_field_name("right")
        if right is not None:
            operands.append(right)
        current = current.child_by_field_name("left")
    if current is not None:
        operands.append(current)
    return operands[::-1]
