# ruff: noqa: D102 - each method reads the kinds of node that the table at the end gives it
"""Expressions of JavaScript and TypeScript to those of `flow_ir`. Nothing is judged here.

Types are dropped; JSX elements are calls of `jsx.element` with the attributes as keywords.
"""

from __future__ import annotations

import ast
import re
from abc import abstractmethod
from collections.abc import Callable

from tree_sitter import Node

from auditor.languages import flow_ir as ir
from auditor.languages.flow_reader import NodeReader
from auditor.languages.tree import addends, end_line_of, line_of

_ESCAPE = re.compile(r"\\(u\{[0-9a-fA-F]+\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)", re.DOTALL)
_PLAIN = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "\n": ""}
_OPERATORS = {"&&": "and", "||": "or", "??": "or", "===": "==", "!==": "!="}


def _unescape(match: re.Match[str]) -> str:
    code = match[1]
    if code[0] in "ux" and len(code) > 1:
        number = int(code.strip("ux{}"), 16)
        return chr(number) if number < 0x110000 else ""
    return _PLAIN.get(code, code)


class ExpressionReader(NodeReader):
    """Turns nodes into expressions."""

    def __init__(self, source: bytes) -> None:
        super().__init__(source)
        self.exports: dict[str, str] = {}
        self.reexports: list[str] = []

    @abstractmethod
    def function(self, node: Node, owner: str = "") -> ir.Function:
        """A function, method or arrow function."""

    def one(self, node: Node) -> ir.Expression:
        return _EXPRESSIONS.get(node.type, ExpressionReader.other)(self, node)

    def other(self, node: Node) -> ir.Expression:
        parts = [child for child in node.named_children if child.type not in _TYPES]
        if node.type in _TRANSPARENT and parts:
            return self.expression(parts[0])
        return ir.Other(tuple(self.expression(child) for child in parts), line_of(node))

    def name(self, node: Node) -> ir.Expression:
        return ir.Name(self.text(node), line_of(node))

    def string(self, node: Node) -> ir.Expression:
        raw = self.text(node)[1:-1]
        return ir.Const(_ESCAPE.sub(_unescape, raw) if "\\" in raw else raw, line_of(node))

    def template(self, node: Node) -> ir.Expression:
        parts = self._parts(node)
        if all(isinstance(part, ir.Const) for part in parts):
            return ir.Const("".join(str(part.value) for part in parts if isinstance(part, ir.Const)), line_of(node))
        return ir.Template(tuple(parts), line_of(node))

    def _parts(self, node: Node) -> list[ir.Expression]:
        parts: list[ir.Expression] = []
        position = node.start_byte + 1
        for child in node.named_children:
            if child.type == "template_substitution":
                text = self.source[position : child.start_byte].decode("utf-8", "replace")
                if text:
                    parts.append(ir.Const(_ESCAPE.sub(_unescape, text), line_of(child)))
                parts.append(self.expression(child.named_children[0] if child.named_children else None))
                position = child.end_byte
        text = self.source[position : node.end_byte - 1].decode("utf-8", "replace")
        if text or not parts:
            parts.append(ir.Const(_ESCAPE.sub(_unescape, text), line_of(node)))
        return parts

    def number(self, node: Node) -> ir.Expression:
        try:
            value = ast.literal_eval(self.text(node).replace("_", "").rstrip("n"))
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            value = None
        return ir.Const(value, line_of(node)) if isinstance(value, (int, float)) else ir.Other((), line_of(node))

    def word(self, node: Node) -> ir.Expression:
        return ir.Const({"true": True, "false": False}.get(node.type), line_of(node))

    def regex(self, node: Node) -> ir.Expression:
        pattern = ir.Const(self.text(node.child_by_field_name("pattern")), line_of(node))
        return ir.Call(ir.Name("RegExp", line_of(node)), (pattern,), (), line_of(node), line_of(node))

    def member(self, node: Node) -> ir.Expression:
        base = self.expression(node.child_by_field_name("object"))
        return ir.Attribute(base, self.text(node.child_by_field_name("property")), line_of(node))

    def subscript(self, node: Node) -> ir.Expression:
        return ir.Index(
            self.expression(node.child_by_field_name("object")), self.expression(node.child_by_field_name("index")), line_of(node)
        )

    def call(self, node: Node) -> ir.Expression:
        function = self.expression(node.child_by_field_name("function") or node.child_by_field_name("constructor"))
        given = node.child_by_field_name("arguments")
        if given is not None and given.type == "template_string":
            holes = tuple(part for part in self._parts(given) if not isinstance(part, ir.Const))
            return ir.Call(function, holes, (), line_of(node), end_line_of(node), tagged=True)
        arguments = tuple(
            self.expression(child) for child in (given.named_children if given is not None else ()) if child.type != "comment"
        )
        return ir.Call(function, arguments, (), line_of(node), end_line_of(node), creates=node.type == "new_expression")

    def operation(self, node: Node) -> ir.Expression:
        operator = self.text(node.child_by_field_name("operator"))
        if operator == "+":
            return self._sum(node)
        values = (self.expression(node.child_by_field_name("left")), self.expression(node.child_by_field_name("right")))
        return ir.Operation(_OPERATORS.get(operator, operator), values, line_of(node))

    def _sum(self, node: Node) -> ir.Expression:
        return ir.added(tuple(self.expression(operand) for operand in addends(node)), line_of(node))

    def unary(self, node: Node) -> ir.Expression:
        operator = self.text(node.child_by_field_name("operator"))
        value = self.expression(node.child_by_field_name("argument"))
        if operator == "-" and isinstance(value, ir.Const) and isinstance(value.value, (int, float)):
            return ir.Const(-value.value, value.line)
        return ir.Operation({"!": "not"}.get(operator, operator), (value,), line_of(node))

    def choice(self, node: Node) -> ir.Expression:
        test, then, other = (self.expression(node.child_by_field_name(name)) for name in ("condition", "consequence", "alternative"))
        return ir.Choice(test, then, other, line_of(node))

    def assignment(self, node: Node) -> ir.Expression:
        if node.type == "augmented_assignment_expression":
            made = self.augmented(node)
            value: ir.Expression = ir.Operation(made.operator, (made.target, made.value), made.line)
            return ir.Binding(made.target, value, made.line)
        target, value = self.expression(node.child_by_field_name("left")), self.expression(node.child_by_field_name("right"))
        return ir.Binding(target, value, line_of(node))

    def pattern_default(self, node: Node) -> ir.Expression:
        """`{ a = 1 }` and `[a = 1]` inside a pattern: a target with a default."""
        target, value = self.expression(node.child_by_field_name("left")), self.expression(node.child_by_field_name("right"))
        return ir.Binding(target, value, line_of(node))

    def sequence(self, node: Node) -> ir.Expression:
        return ir.Sequence(tuple(self.expression(child) for child in node.named_children if child.type != "comment"), line_of(node))

    def last(self, node: Node) -> ir.Expression:
        parts = [self.expression(child) for child in node.named_children]
        return parts[-1] if parts else ir.Other((), line_of(node))

    def mapping(self, node: Node) -> ir.Expression:
        entries: list[tuple[ir.Expression | None, ir.Expression]] = []
        for child in node.named_children:
            line = line_of(child)
            match child.type:
                case "pair" | "pair_pattern":
                    key = child.child_by_field_name("key")
                    entries.append((self._key(key), self.expression(child.child_by_field_name("value"))))
                case "shorthand_property_identifier" | "shorthand_property_identifier_pattern":
                    entries.append((ir.Const(self.text(child), line), ir.Name(self.text(child), line)))
                case "object_assignment_pattern":
                    left = child.child_by_field_name("left")
                    entries.append((ir.Const(self.text(left), line), self.pattern_default(child)))
                case "spread_element" | "rest_pattern":
                    entries.append((None, self.expression(child.named_children[0] if child.named_children else None)))
                case "method_definition":
                    entries.append((ir.Const(self.text(child.child_by_field_name("name")), line), self.function(child)))
        return ir.Mapping(tuple(entries), line_of(node))

    def _key(self, node: Node | None) -> ir.Expression:
        if node is None:
            return ir.Other((), 0)
        if node.type == "computed_property_name":
            return self.expression(node.named_children[0] if node.named_children else None)
        return self.string(node) if node.type == "string" else ir.Const(self.text(node), line_of(node))

    def spread(self, node: Node) -> ir.Expression:
        return ir.Spread(self.expression(node.named_children[0] if node.named_children else None), line_of(node))

    def function_expression(self, node: Node) -> ir.Expression:
        return self.function(node)

    def class_expression(self, node: Node) -> ir.Expression:
        return ir.Other((), line_of(node))

    def element(self, node: Node) -> ir.Expression:
        """A JSX element: attributes as keywords, children as arguments."""
        opening = node.child_by_field_name("open_tag") or (node if node.type == "jsx_self_closing_element" else None)
        attributes = [child for child in (opening.named_children if opening is not None else ()) if child.type == "jsx_attribute"]
        keywords = [(self.text(a.named_children[0]), self.expression(a.named_children[1])) for a in attributes if len(a.named_children) > 1]
        inner = tuple(self.expression(child) for child in node.named_children if child.type in _INNER_JSX)
        tag = self.text(opening.child_by_field_name("name")) if opening is not None else ""
        function = ir.Attribute(ir.Name("jsx", line_of(node)), "element", line_of(node))
        return ir.Call(function, (ir.Const(tag, line_of(node)), *inner), tuple(keywords), line_of(node), end_line_of(node))

    def augmented(self, node: Node) -> ir.Assign:
        operator = self.text(node.child_by_field_name("operator")).removesuffix("=")
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        return ir.Assign(self.expression(left), self.expression(right), line_of(node), _OPERATORS.get(operator, operator) or "+")


_INNER_JSX = frozenset({"jsx_element", "jsx_self_closing_element", "jsx_expression", "jsx_fragment"})
_TYPES = frozenset(
    {
        "type_annotation",
        "type_arguments",
        "type_identifier",
        "predefined_type",
        "comment",
        "object_type",
        "union_type",
        "generic_type",
        "array_type",
        "literal_type",
        "const",
    }
)
_TRANSPARENT = frozenset(
    {"parenthesized_expression", "await_expression", "as_expression", "satisfies_expression", "non_null_expression", "type_assertion", "jsx_expression", "type_annotation", "yield_expression"}
)  # fmt: skip

_EXPRESSIONS: dict[str, Callable[[ExpressionReader, Node], ir.Expression]] = {
    "identifier": ExpressionReader.name,
    "shorthand_property_identifier_pattern": ExpressionReader.name,
    "this": ExpressionReader.name,
    "super": ExpressionReader.name,
    "import": ExpressionReader.name,
    "string": ExpressionReader.string,
    "template_string": ExpressionReader.template,
    "number": ExpressionReader.number,
    "true": ExpressionReader.word,
    "false": ExpressionReader.word,
    "null": ExpressionReader.word,
    "undefined": ExpressionReader.word,
    "regex": ExpressionReader.regex,
    "member_expression": ExpressionReader.member,
    "subscript_expression": ExpressionReader.subscript,
    "call_expression": ExpressionReader.call,
    "new_expression": ExpressionReader.call,
    "binary_expression": ExpressionReader.operation,
    "unary_expression": ExpressionReader.unary,
    "ternary_expression": ExpressionReader.choice,
    "assignment_expression": ExpressionReader.assignment,
    "augmented_assignment_expression": ExpressionReader.assignment,
    "assignment_pattern": ExpressionReader.pattern_default,
    "array": ExpressionReader.sequence,
    "array_pattern": ExpressionReader.sequence,
    "sequence_expression": ExpressionReader.last,
    "object": ExpressionReader.mapping,
    "object_pattern": ExpressionReader.mapping,
    "spread_element": ExpressionReader.spread,
    "rest_pattern": ExpressionReader.spread,
    "arrow_function": ExpressionReader.function_expression,
    "function_expression": ExpressionReader.function_expression,
    "generator_function": ExpressionReader.function_expression,
    "class": ExpressionReader.class_expression,
    "jsx_element": ExpressionReader.element,
    "jsx_self_closing_element": ExpressionReader.element,
}
