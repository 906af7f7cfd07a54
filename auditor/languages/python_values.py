"""Python expressions as `Value`s: kinds, decoded texts, dotted paths and the names that occur. Bounded in depth and in nodes looked at."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tree_sitter import Node

from auditor.languages.tree import MAX_DEPTH, end_line_of, folded, text_of
from auditor.model.syntax import TEXT_LIMIT, Argument, Value, ValueKind

ITEM_DEPTH = 3
"""Levels of nested items a value keeps."""

_ITEMS_KEPT = 400
_NAMES_KEPT = 80
_NODES_PER_VALUE = 1_500
_LITERAL_LIMIT = 4_000

EXTRAS = frozenset({"comment", "line_continuation"})
_STRINGS = frozenset({"string", "concatenated_string"})
_COLLECTIONS = frozenset(
    {"list", "tuple", "set", "dictionary", "expression_list", "pattern_list", "tuple_pattern", "list_pattern", "argument_list"}
)
_CONSTANTS = {
    "integer": ValueKind.NUMBER,
    "float": ValueKind.NUMBER,
    "true": ValueKind.BOOLEAN,
    "false": ValueKind.BOOLEAN,
    "none": ValueKind.NONE,
}
_PERCENT = re.compile(r"%(?:\(\w{0,60}\))?[-#0 +]{0,5}(?:\d{1,9}|\*)?(?:\.(?:\d{1,9}|\*))?[hlL]?[a-zA-Z]|%%")
_BRACES = re.compile(r"\{\{|\}\}|\{[^{}]{0,200}\}")
_ESCAPE = re.compile(r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{1,3}|N\{[^}]{1,100}\}|\r?\n|.)", re.DOTALL)
_SIMPLE_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'", '"': '"', "a": "\a", "b": "\b", "f": "\f", "v": "\v", "\n": ""}


def parts(node: Node) -> list[Node]:
    """The named children of a node without comments and line continuations."""
    return [child for child in node.named_children if child.type not in EXTRAS]


def unwrapped(node: Node) -> Node:
    """The expression inside parentheses, `await` and `:=`."""
    for _ in range(MAX_DEPTH):
        kind = node.type
        if kind == "named_expression":
            inner = node.child_by_field_name("value")
        elif kind in {"parenthesized_expression", "await", "type"}:
            inside = parts(node)
            inner = inside[0] if len(inside) == 1 else None
        else:
            return node
        if inner is None:
            return node
        node = inner
    return node


def last_line(node: Node) -> int:
    """The 1-based line a statement ends at, trailing comments left out (the grammar counts them to the block before)."""
    while node.type not in _STRINGS:
        last = next((child for child in reversed(node.children) if child.type not in EXTRAS), None)
        if last is None:
            break
        node = last
    return end_line_of(node)


def _unescape(found: re.Match[str]) -> str:
    text = found[0][1:]
    head = text[0]
    if head in "xuU":
        number = int(text[1:], 16) if len(text) > 1 else -1
        return chr(number) if 0 <= number < 0xD800 or 0xE000 <= number < 0x110000 else found[0]  # half a surrogate pair is no text
    if head in "01234567":
        return chr(int(text, 8))
    if head == "\r":
        return ""
    return _SIMPLE_ESCAPES.get(text, found[0])


def string_value(node: Node, source: bytes) -> tuple[str, bool]:
    """The text of a string or of adjacent strings, "{}" at each hole, and whether there are holes."""
    if node.type == "concatenated_string":
        pieces = [string_value(part, source) for part in parts(node)[:_ITEMS_KEPT] if part.type == "string"]
        return "".join(text for text, _ in pieces)[:_LITERAL_LIMIT], any(holes for _, holes in pieces)
    children = node.children
    if len(children) < 2:
        return "", False
    prefix = text_of(children[0], source).rstrip("'\"").lower()
    start = children[0].end_byte
    end = max(start, children[-1].start_byte)
    if "f" not in prefix and "t" not in prefix:
        text = source[start : min(end, start + _LITERAL_LIMIT)].decode("utf-8", "replace")
        return (text if "r" in prefix or "\\" not in text else _ESCAPE.sub(_unescape, text)), False
    found: list[str] = []
    holes = False
    for child in children[1:-1][:_ITEMS_KEPT]:
        if child.type == "interpolation":
            holes = True
            found.append("{}")
        elif child.type == "string_content":
            text = source[child.start_byte : min(child.end_byte, child.start_byte + _LITERAL_LIMIT)].decode("utf-8", "replace")
            text = text.replace("{{", "{").replace("}}", "}")
            found.append(text if "r" in prefix or "\\" not in text else _ESCAPE.sub(_unescape, text))
    return "".join(found)[:_LITERAL_LIMIT], holes


def _hole(found: re.Match[str]) -> str:
    return {"%%": "%", "{{": "{", "}}": "}"}.get(found[0], "{}")


def _filled_in(values: list[Value], depth: int) -> tuple[tuple[str, Value], ...]:
    """The parts of a text put together that are no constants; those of a tuple for `%` one by one."""
    if depth <= 0:
        return ()
    first = values[0] if len(values) == 1 else None
    inner = [value for _, value in first.items] if first is not None and first.kind is ValueKind.COLLECTION and first.items else values
    return tuple(("", value) for value in inner if value.kind is not ValueKind.STRING)


class Values:
    """Reads the values of one file; a budget over the whole file keeps hostile nesting linear."""

    __slots__ = ("_budget", "_simple", "_source")

    def __init__(self, source: bytes, nodes: int) -> None:
        self._source = source
        self._simple: dict[str, Value] = {}  # one value for all uses of a name
        self._budget = 12 * nodes + 20_000

    # -- paths -----------------------------------------------------------------------------------------------------------------------

    def path(self, node: Node) -> str:
        """The dotted path of an expression: `a.b`, `a().b`, `a[].b`; "" when it does not begin with something that has a name."""
        pieces: list[str] = []
        for _ in range(MAX_DEPTH):
            kind = node.type
            if kind == "identifier":
                pieces.append(text_of(node, self._source))
                break
            if kind == "attribute":
                name = node.child_by_field_name("attribute")
                pieces.append("." + (text_of(name, self._source) if name is not None else ""))
                inner = node.child_by_field_name("object")
            elif kind == "call":
                pieces.append("()")
                inner = node.child_by_field_name("function")
            elif kind == "subscript":
                pieces.append("[]")
                inner = node.child_by_field_name("value")
            elif kind in _STRINGS:
                pieces.append('""')
                break
            elif kind in {"parenthesized_expression", "await", "named_expression"}:
                inner = unwrapped(node)
                if inner == node:
                    break
            else:
                break
            if inner is None:
                break
            node = inner
        if not pieces or pieces[-1][:1] in {"", ".", "(", "["}:  # a name the parser had to invent has no text
            return "?" + "".join(reversed(pieces)) if pieces else ""
        return "".join(reversed(pieces))[:TEXT_LIMIT]

    # -- values ----------------------------------------------------------------------------------------------------------------------

    def value(self, node: Node, depth: int = ITEM_DEPTH) -> Value:
        """The value of an expression, with `depth` levels of items."""
        inner = unwrapped(node)
        kind = inner.type
        text = folded(node, self._source)
        if kind == "identifier":
            known = self._simple.get(text)
            if known is None:
                known = self._simple[text] = Value(ValueKind.NAME, text, text, (text,))
            return known
        if kind in _CONSTANTS:
            return Value(_CONSTANTS[kind], text, text)
        if kind in _STRINGS:
            literal, holes = string_value(inner, self._source)
            if holes:
                return Value(ValueKind.TEMPLATE, text, literal, self.names(inner), self._holes(inner, depth))
            return Value(ValueKind.STRING, text, literal)
        if kind in {"attribute", "subscript"}:
            return Value(ValueKind.NAME, text, self.path(inner), self.names(inner))
        if kind == "call":
            return self._call(inner, text, depth)
        if kind in _COLLECTIONS:
            items = self._items(inner, depth) if depth > 0 else ()
            return Value(ValueKind.COLLECTION, text, "", self.names(inner), items)
        if kind == "lambda":
            return Value(ValueKind.FUNCTION, text, "", self.names(inner))
        if kind in {
            "binary_operator",
            "boolean_operator",
            "comparison_operator",
            "not_operator",
            "unary_operator",
            "conditional_expression",
        }:
            return self._operation(inner, text, depth)
        return Value(ValueKind.OTHER, text, "", self.names(inner))

    def arguments(self, call: Node, depth: int = ITEM_DEPTH) -> tuple[Argument, ...]:
        """The arguments of a call."""
        given = call.child_by_field_name("arguments")
        if given is None:
            return ()
        if given.type != "argument_list":  # f(x for x in y)
            return (Argument("", self.value(given, depth)),)
        return tuple(self._argument(child, depth) for child in parts(given)[:_ITEMS_KEPT])

    def _argument(self, node: Node, depth: int) -> Argument:
        kind = node.type
        if kind == "keyword_argument":
            name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
            if name is not None and value is not None:
                return Argument(text_of(name, self._source), self.value(value, depth))
        if kind in {"list_splat", "dictionary_splat"} and node.named_children:
            return Argument("*" if kind == "list_splat" else "**", self.value(node.named_children[-1], depth))
        return Argument("", self.value(node, depth))

    def _call(self, node: Node, text: str, depth: int) -> Value:
        function = node.child_by_field_name("function")
        callee = self.path(function) if function is not None else ""
        if callee == '"".format' and function is not None:
            owner = function.child_by_field_name("object")
            literal = string_value(unwrapped(owner), self._source)[0] if owner is not None else ""
            given = tuple(("", argument.value) for argument in self.arguments(node, depth - 1)) if depth > 0 else ()
            return Value(ValueKind.TEMPLATE, text, _BRACES.sub(_hole, literal), self.names(node), given)
        items = tuple((argument.name, argument.value) for argument in self.arguments(node, depth - 1)) if depth > 0 else ()
        return Value(ValueKind.CALL, text, callee, self.names(node), items)

    def _items(self, node: Node, depth: int) -> tuple[tuple[str, Value], ...]:
        found: list[tuple[str, Value]] = []
        for child in parts(node)[:_ITEMS_KEPT]:
            if child.type == "pair":
                key, value = child.child_by_field_name("key"), child.child_by_field_name("value")
                if key is not None and value is not None:
                    name = string_value(key, self._source)[0] if key.type in _STRINGS else folded(key, self._source)
                    found.append((name, self.value(value, depth - 1)))
            elif child.type in {"list_splat", "dictionary_splat", "list_splat_pattern"} and child.named_children:
                found.append(("...", self.value(child.named_children[-1], depth - 1)))
            else:
                found.append(("", self.value(child, depth - 1)))
        return tuple(found)

    def _operation(self, node: Node, text: str, depth: int) -> Value:
        operator, operands = self._operands(node)
        if operator in {"-", "+"} and len(operands) == 1 and operands[0].type in {"integer", "float"}:
            return Value(ValueKind.NUMBER, text, text)
        values = [self.value(operand, depth - 1) if depth > 0 else self._shallow(operand) for operand in operands]
        if operator == "%" and values[0].kind in {ValueKind.STRING, ValueKind.TEMPLATE}:
            return Value(ValueKind.TEMPLATE, text, _PERCENT.sub(_hole, values[0].literal), self.names(node), _filled_in(values[1:], depth))
        if operator == "+" and any(value.kind in {ValueKind.STRING, ValueKind.TEMPLATE} for value in values):
            literal = "".join(v.literal if v.kind in {ValueKind.STRING, ValueKind.TEMPLATE} else "{}" for v in values)[:_LITERAL_LIMIT]
            if all(value.kind is ValueKind.STRING for value in values):
                return Value(ValueKind.STRING, text, literal)
            return Value(ValueKind.TEMPLATE, text, literal, self.names(node), _filled_in(values, depth))
        items = tuple((operator, value) for value in values) if depth > 0 else ()
        return Value(ValueKind.OPERATION, text, "", self.names(node), items)

    def _holes(self, node: Node, depth: int) -> tuple[tuple[str, Value], ...]:
        """What stands in the holes of an f-string, in order."""
        strings = [node] if node.type == "string" else [part for part in parts(node)[:_ITEMS_KEPT] if part.type == "string"]
        holes = [child for string in strings for child in string.named_children if child.type == "interpolation"]
        inner = [hole.child_by_field_name("expression") for hole in holes[:_ITEMS_KEPT]] if depth > 0 else []
        return tuple(("", self.value(expression, depth - 1)) for expression in inner if expression is not None)

    def _shallow(self, node: Node) -> Value:
        node = unwrapped(node)
        if node.type in _STRINGS:
            literal, holes = string_value(node, self._source)
            return Value(ValueKind.TEMPLATE if holes else ValueKind.STRING, "", literal)
        return Value(ValueKind.OTHER, "")

    def _operands(self, node: Node) -> tuple[str, list[Node]]:
        """Operator and operands; a chain of one left-associative operator is flattened."""
        inside = parts(node)
        if node.type == "conditional_expression":
            order = (1, 0, 2) if len(inside) == 3 else range(len(inside))
            return "?:", [inside[index] for index in order]
        operator = self._operator(node)
        if node.type not in {"binary_operator", "boolean_operator"} or len(inside) != 2:
            return operator, inside
        operands = [inside[1]]
        left = inside[0]
        while left.type == node.type and len(operands) < _ITEMS_KEPT and self._operator(left) == operator:
            pair = parts(left)
            if len(pair) != 2:
                break
            operands.append(pair[1])
            left = pair[0]
        return operator, [left, *reversed(operands)]

    def _operator(self, node: Node) -> str:
        if node.type == "not_operator":
            return "not"
        signs = [text_of(child, self._source) for child in node.children if not child.is_named]
        if node.type == "comparison_operator":
            signs = signs[:1]
        return " ".join(signs[0].split()) if signs else ""

    # -- names -----------------------------------------------------------------------------------------------------------------------

    def names(self, node: Node) -> tuple[str, ...]:
        """The dotted paths that occur in an expression, in order, without duplicates."""
        found: dict[str, None] = {}
        pending = [node]
        left = min(_NODES_PER_VALUE, max(20, self._budget))
        while pending and left > 0 and len(found) < _NAMES_KEPT:
            left -= 1
            self._budget -= 1
            current = pending.pop()
            kind = current.type
            if kind == "identifier":
                found[text_of(current, self._source)] = None
            elif kind in {"attribute", "call", "subscript"}:
                pending.extend(reversed(self._chain(current, found)))
            elif kind == "keyword_argument":
                value = current.child_by_field_name("value")
                if value is not None:
                    pending.append(value)
            elif current.named_child_count:
                pending.extend(reversed(current.named_children))
        return tuple(found)

    def _chain(self, node: Node, found: dict[str, None]) -> list[Node]:
        """Add the paths of one chain of attributes, calls and subscripts; the expressions inside it are left to the caller."""
        inside: list[Iterable[Node]] = []
        top = True
        for _ in range(MAX_DEPTH):
            kind = node.type
            if kind == "call":
                given = node.child_by_field_name("arguments")
                inside.append([given] if given is not None else [])
                inner = node.child_by_field_name("function")
                top = True
            elif kind == "attribute":
                inner = node.child_by_field_name("object")
            elif kind == "subscript":
                inside.append(node.children_by_field_name("subscript"))
                inner = node.child_by_field_name("value")
            else:
                if kind == "identifier":
                    if top:
                        found[text_of(node, self._source)] = None
                elif kind not in _STRINGS:
                    inside.append([node])
                break
            if kind != "call" and top:
                path = self.path(node)
                if path and path[0] not in '"?':
                    found[path] = None
                top = False
            if inner is None:
                break
            node = inner
        return [child for group in reversed(inside) for child in group]
