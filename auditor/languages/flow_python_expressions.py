# ruff: noqa: D102 - each method reads the kinds of node that the table at the end gives it
"""Expressions of Python to those of `flow_ir`. Nothing is judged here.

What the tree cannot tell becomes `Other`: its parts still carry their values.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable

from tree_sitter import Node

from auditor.languages import flow_ir as ir
from auditor.languages.flow_reader import NodeReader
from auditor.languages.tree import addends, end_line_of, line_of

_TEXT_NODES = {"string", "concatenated_string"}
_CONVERSION = re.compile(r"(?<!%)%(?:\(\w+\))?[-+ #0]*[\d*]*(?:\.[\d*]+)?[a-zA-Z]")


def _unescaped(raw: str) -> str:
    """The text of a string literal; as it stands when the literal cannot be evaluated."""
    try:
        value = ast.literal_eval(raw)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return raw.strip("rRbBuUfF").strip("\"'")
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


class ExpressionReader(NodeReader):
    """Turns nodes into expressions."""

    def __init__(self, source: bytes) -> None:
        super().__init__(source)
        self.owner = ""

    def one(self, node: Node) -> ir.Expression:
        return _EXPRESSIONS.get(node.type, ExpressionReader.other)(self, node)

    def other(self, node: Node) -> ir.Expression:
        if len(node.named_children) == 1 and node.type in _TRANSPARENT:
            return self.expression(node.named_children[0])
        return ir.Other(tuple(self.expression(child) for child in node.named_children), line_of(node))

    def name(self, node: Node) -> ir.Expression:
        return ir.Name(self.text(node), line_of(node))

    def string(self, node: Node) -> ir.Expression:
        if not any(child.type == "interpolation" for child in node.children):
            return ir.Const(_unescaped(self.text(node)), line_of(node))
        parts: list[ir.Expression] = []
        for child in node.children:
            if child.type == "string_content":
                parts.append(ir.Const(self.text(child), line_of(child)))
            elif child.type == "interpolation":
                parts.append(self.expression(child.child_by_field_name("expression")))
        return ir.Template(tuple(parts), line_of(node))

    def concatenated(self, node: Node) -> ir.Expression:
        parts = [self.expression(child) for child in node.named_children if child.type == "string"]
        if all(isinstance(part, ir.Const) for part in parts):
            return ir.Const("".join(str(part.value) for part in parts if isinstance(part, ir.Const)), line_of(node))
        return ir.Template(tuple(parts), line_of(node))

    def number(self, node: Node) -> ir.Expression:
        try:
            value = ast.literal_eval(self.text(node))
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            value = None
        return ir.Const(value, line_of(node)) if isinstance(value, (int, float)) else ir.Other((), line_of(node))

    def word(self, node: Node) -> ir.Expression:
        return ir.Const({"true": True, "false": False}.get(node.type), line_of(node))

    def attribute(self, node: Node) -> ir.Expression:
        base = self.expression(node.child_by_field_name("object"))
        return ir.Attribute(base, self.text(node.child_by_field_name("attribute")), line_of(node))

    def subscript(self, node: Node) -> ir.Expression:
        keys = node.children_by_field_name("subscript")
        key = self.expression(keys[0]) if len(keys) == 1 and keys[0].type != "slice" else None
        return ir.Index(self.expression(node.child_by_field_name("value")), key, line_of(node))

    def call(self, node: Node) -> ir.Expression:
        arguments: list[ir.Expression] = []
        keywords: list[tuple[str, ir.Expression]] = []
        given = node.child_by_field_name("arguments")
        if given is not None and given.type == "generator_expression":
            arguments.append(self.expression(given))
        else:
            for child in given.named_children if given is not None else ():
                if child.type == "keyword_argument":
                    keywords.append((self.text(child.child_by_field_name("name")), self.expression(child.child_by_field_name("value"))))
                elif child.type != "comment":
                    arguments.append(self.expression(child))
        function = self.expression(node.child_by_field_name("function"))
        return ir.Call(function, tuple(arguments), tuple(keywords), line_of(node), end_line_of(node))

    def operation(self, node: Node) -> ir.Expression:
        operator = self.text(node.child_by_field_name("operator"))
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if operator == "+":
            return self._sum(node)
        values = (self.expression(left), self.expression(right))
        if operator == "%" and left is not None and left.type in _TEXT_NODES:
            return _formatted(values[0], values[1], line_of(node))
        return ir.Operation(operator, values, line_of(node))

    def _sum(self, node: Node) -> ir.Expression:
        return ir.added(tuple(self.expression(operand) for operand in addends(node)), line_of(node))

    def comparison(self, node: Node) -> ir.Expression:
        values = tuple(self.expression(child) for child in node.named_children)
        operators = [self.text(child) for child in node.children if not child.is_named]
        return ir.Operation(" ".join(operators), values, line_of(node))

    def boolean(self, node: Node) -> ir.Expression:
        values = (self.expression(node.child_by_field_name("left")), self.expression(node.child_by_field_name("right")))
        return ir.Operation(self.text(node.child_by_field_name("operator")), values, line_of(node))

    def negation(self, node: Node) -> ir.Expression:
        return ir.Operation("not", (self.expression(node.child_by_field_name("argument")),), line_of(node))

    def unary(self, node: Node) -> ir.Expression:
        value = self.expression(node.child_by_field_name("argument"))
        if isinstance(value, ir.Const) and isinstance(value.value, (int, float)) and self.text(node).startswith("-"):
            return ir.Const(-value.value, value.line)
        return ir.Operation("-", (value,), line_of(node))

    def choice(self, node: Node) -> ir.Expression:
        parts = [self.expression(child) for child in node.named_children if child.type != "comment"]
        return ir.Choice(parts[1], parts[0], parts[2], line_of(node)) if len(parts) == 3 else ir.Other(tuple(parts), line_of(node))

    def sequence(self, node: Node) -> ir.Expression:
        return ir.Sequence(tuple(self.expression(child) for child in node.named_children if child.type != "comment"), line_of(node))

    def mapping(self, node: Node) -> ir.Expression:
        entries: list[tuple[ir.Expression | None, ir.Expression]] = []
        for child in node.named_children:
            if child.type == "pair":
                entries.append((self.expression(child.child_by_field_name("key")), self.expression(child.child_by_field_name("value"))))
            elif child.type == "dictionary_splat" and child.named_children:
                entries.append((None, self.expression(child.named_children[0])))
        return ir.Mapping(tuple(entries), line_of(node))

    def spread(self, node: Node) -> ir.Expression:
        return ir.Spread(self.expression(node.named_children[0] if node.named_children else None), line_of(node))

    def comprehension(self, node: Node) -> ir.Expression:
        body = node.child_by_field_name("body")
        if body is not None and body.type == "pair":
            key, value = body.child_by_field_name("key"), body.child_by_field_name("value")
            element: ir.Expression = ir.Mapping(((self.expression(key), self.expression(value)),), line_of(node))
        else:
            element = self.expression(body)
        conditions: list[ir.Expression] = []
        for clause in reversed(node.named_children):
            if clause.type == "if_clause" and clause.named_children:
                conditions.append(self.expression(clause.named_children[0]))
            elif clause.type == "for_in_clause":
                target, iterable = clause.child_by_field_name("left"), clause.child_by_field_name("right")
                element = ir.Comprehension(self.expression(target), self.expression(iterable), tuple(conditions), element, line_of(node))
                conditions = []
        return element

    def lambda_(self, node: Node) -> ir.Expression:
        body = node.child_by_field_name("body")
        leave = ir.Leave("return", self.expression(body), line_of(node))
        return ir.Function("", self.parameters(node.child_by_field_name("parameters")), (leave,), line_of(node), end_line_of(node))

    def walrus(self, node: Node) -> ir.Expression:
        target, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        return ir.Binding(self.expression(target), self.expression(value), line_of(node))

    def parameters(self, node: Node | None) -> tuple[ir.Parameter, ...]:
        found = []
        for child in node.named_children if node is not None else ():
            kind = {"list_splat_pattern": "*", "dictionary_splat_pattern": "**"}.get(child.type, "")
            named = child.child_by_field_name("name") or (child.named_children[0] if child.named_children else child)
            if named.type in {"list_splat_pattern", "dictionary_splat_pattern"}:
                kind = "*" if named.type == "list_splat_pattern" else "**"
            default = child.child_by_field_name("value")
            found.append(
                ir.Parameter(
                    self.text(named).lstrip("*"),
                    self.text(child.child_by_field_name("type")),
                    self.expression(default) if default is not None else None,
                    kind=kind,
                )
            )
        return tuple(found)


def _formatted(pattern: ir.Expression, values: ir.Expression, line: int) -> ir.Template:
    """`"... %s ..." % values`: the pieces of the pattern with the values between them, in order."""
    given = list(values.items) if isinstance(values, ir.Sequence) else [values]
    if not isinstance(pattern, ir.Const) or not isinstance(pattern.value, str):
        return ir.Template((pattern, *given), line)
    parts: list[ir.Expression] = []
    for number, piece in enumerate(_CONVERSION.split(pattern.value)):
        if number and given:
            parts.append(given.pop(0))
        parts.append(ir.Const(piece.replace("%%", "%"), line))
    return ir.Template((*parts, *given), line)


_TRANSPARENT = frozenset(
    {"parenthesized_expression", "await", "type", "expression_list", "as_pattern_target", "case_pattern", "keyword_separator"}
)

_EXPRESSIONS: dict[str, Callable[[ExpressionReader, Node], ir.Expression]] = {
    "identifier": ExpressionReader.name,
    "string": ExpressionReader.string,
    "concatenated_string": ExpressionReader.concatenated,
    "integer": ExpressionReader.number,
    "float": ExpressionReader.number,
    "true": ExpressionReader.word,
    "false": ExpressionReader.word,
    "none": ExpressionReader.word,
    "attribute": ExpressionReader.attribute,
    "subscript": ExpressionReader.subscript,
    "call": ExpressionReader.call,
    "binary_operator": ExpressionReader.operation,
    "comparison_operator": ExpressionReader.comparison,
    "boolean_operator": ExpressionReader.boolean,
    "not_operator": ExpressionReader.negation,
    "unary_operator": ExpressionReader.unary,
    "conditional_expression": ExpressionReader.choice,
    "list": ExpressionReader.sequence,
    "tuple": ExpressionReader.sequence,
    "set": ExpressionReader.sequence,
    "expression_list": ExpressionReader.sequence,
    "pattern_list": ExpressionReader.sequence,
    "tuple_pattern": ExpressionReader.sequence,
    "list_pattern": ExpressionReader.sequence,
    "dictionary": ExpressionReader.mapping,
    "list_splat": ExpressionReader.spread,
    "dictionary_splat": ExpressionReader.spread,
    "list_splat_pattern": ExpressionReader.spread,
    "list_comprehension": ExpressionReader.comprehension,
    "set_comprehension": ExpressionReader.comprehension,
    "generator_expression": ExpressionReader.comprehension,
    "dictionary_comprehension": ExpressionReader.comprehension,
    "lambda": ExpressionReader.lambda_,
    "named_expression": ExpressionReader.walrus,
}
