"""What the readers of both languages share: the text of a node, and how deep expressions are read."""

from __future__ import annotations

from abc import ABC, abstractmethod

from tree_sitter import Node

from auditor.languages import flow_ir as ir
from auditor.languages.tree import MAX_DEPTH, line_of, text_of


class NodeReader(ABC):
    """Turns nodes of one source into `flow_ir`; below `MAX_DEPTH` everything is `Other` without parts."""

    def __init__(self, source: bytes) -> None:
        self.source = source
        self.depth = 0

    @abstractmethod
    def one(self, node: Node) -> ir.Expression:
        """An expression, by the kind of its node."""

    def text(self, node: Node | None) -> str:
        """The source of a node; empty for none."""
        return text_of(node, self.source) if node is not None else ""

    def expression(self, node: Node | None) -> ir.Expression:
        """An expression; a missing one, and one too deep, is `Other` without parts."""
        if node is None:
            return ir.Other((), 0)
        if self.depth > MAX_DEPTH:
            return ir.Other((), line_of(node))
        self.depth += 1
        found = self.one(node)
        self.depth -= 1
        return found
