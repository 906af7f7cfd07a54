"""Expressions of JavaScript and TypeScript as `Value`s: kinds, decoded strings, dotted paths, names. Looks only downwards and never recurses without bound."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice

from tree_sitter import Node

from auditor.languages.script_nodes import FUNCTIONS, WRAPPERS, decoded, unwrapped
from auditor.languages.tree import descendants, folded
from auditor.model.syntax import TEXT_LIMIT, Value, ValueKind

ITEM_DEPTH = 3
"""How deep items are nested inside one value."""

_LONGEST_CHAIN = 60
_MOST_NAMES = 60
_MOST_NODES = 400
_LEAST_NODES = 12
_PIECES_LIMIT = 4000
_LEAVES = frozenset(
    {
        "identifier",
        "property_identifier",
        "private_property_identifier",
        "shorthand_property_identifier",
        "shorthand_property_identifier_pattern",
        "type_identifier",
        "this",
        "super",
        "import",
        "statement_identifier",
    }
)
_PATHS = frozenset(
    {"identifier", "member_expression", "subscript_expression", "this", "super", "meta_property", "shorthand_property_identifier"}
)
_TAGS = frozenset({"jsx_opening_element", "jsx_self_closing_element", "jsx_closing_element"})
_TYPES = frozenset({"type_annotation", "type_arguments", "type_parameters", "comment", "string", "number", "jsx_text", "regex"})


class Values:
    """Reads expressions of one file."""

    __slots__ = ("_budget", "_kinds", "source")

    def __init__(self, source: bytes) -> None:
        self.source = source
        self._budget = 20_000 + len(source)
        self._kinds: dict[str, Callable[[Node, int], Value]] = {
            "string": self._string,
            "template_string": self._template,
            "binary_expression": self._binary,
            "ternary_expression": self._ternary,
            "unary_expression": self._unary,
            "update_expression": self._unary,
            "call_expression": self._call,
            "new_expression": self._call,
            "array": self._array,
            "object": self._object,
            "assignment_expression": self._right,
            "augmented_assignment_expression": self._right,
            "sequence_expression": self._last,
            "type_assertion": self._last,
        }

    def text(self, node: Node) -> str:
        """The source of a node, uncut."""
        return self.source[node.start_byte : node.end_byte].decode("utf-8", "replace")

    def string(self, node: Node) -> str:
        """The decoded text of a string node."""
        return decoded(self.text(node)[1:-1])

    def looked_at(self, wanted: int) -> int:
        """How many of the wanted nodes may be looked at again: nested places share one budget per file, so that no nesting costs its square."""
        granted = wanted if self._budget > 0 else min(wanted, _LEAST_NODES)
        self._budget -= granted
        return granted

    def below(self, node: Node, wanted: int) -> list[Node]:
        """The named nodes below a node in source order, as many as may be looked at."""
        granted = self.looked_at(wanted)
        found = list(islice(descendants(node), granted))
        self._budget += granted - len(found)
        return found

    # -- paths ---------------------------------------------------------------------------------------------------------------------

    def path(self, node: Node) -> str:
        """The dotted path of an expression with `()` for calls and `[]` for subscripts; starts with "." where its root has no name."""
        if node.type == "identifier":
            return self.text(node)
        parts: list[str] = []
        prefix = ""
        for _ in range(_LONGEST_CHAIN):
            kind = node.type
            following: Node | None
            if kind in _LEAVES:
                parts.append(self.text(node))
                break
            if kind in {"member_expression", "nested_identifier"}:
                following = node.child_by_field_name("object")
                name = node.child_by_field_name("property")
                parts.append("." + (self.text(name) if name is not None else ""))
            elif kind == "call_expression":
                following = node.child_by_field_name("function")
                parts.append("()")
            elif kind == "subscript_expression":
                following = node.child_by_field_name("object")
                parts.append("[]")
            elif kind == "new_expression":
                following = node.child_by_field_name("constructor")
                prefix = "new "
            elif kind in WRAPPERS:
                following = next((child for child in node.named_children if child.type != "comment"), None)
            elif kind == "meta_property":
                parts.append(self.text(node))
                break
            else:
                break
            if following is None:
                break
            node = following
        parts.append(prefix)
        parts.reverse()
        return "".join(parts)[:TEXT_LIMIT]

    # -- values --------------------------------------------------------------------------------------------------------------------

    def value(self, node: Node, depth: int = ITEM_DEPTH) -> Value:
        """What an expression is."""
        kind = node.type
        if kind in WRAPPERS:
            node = unwrapped(node)
            kind = node.type
        if kind == "identifier":
            name = self.text(node)
            if name == "undefined":
                return Value(ValueKind.NONE, name)
            return Value(ValueKind.NAME, name, name, (name,))
        if kind in _PATHS:
            return self._name(node)
        reader = self._kinds.get(kind)
        if reader is not None:
            return reader(node, depth)
        if kind == "number":
            text = self.text(node)[:TEXT_LIMIT]
            return Value(ValueKind.NUMBER, text, text)
        if kind in {"true", "false"}:
            return Value(ValueKind.BOOLEAN, kind, kind)
        if kind in {"null", "undefined"}:
            return Value(ValueKind.NONE, kind)
        if kind in FUNCTIONS:
            return Value(ValueKind.FUNCTION, folded(node, self.source), "", self._function_names(node))
        if kind == "class":
            return Value(ValueKind.FUNCTION, folded(node, self.source))
        return Value(ValueKind.OTHER, folded(node, self.source), "", self.names(node))

    def _name(self, node: Node) -> Value:
        path = self.path(node)
        inner = node if node.type in {"subscript_expression", "member_expression"} and not path.replace(".", "").isidentifier() else None
        names = (path,) if inner is None else _unique([path, *self.names(inner)])
        text = path if inner is None else folded(node, self.source)
        return Value(ValueKind.NAME, text, path, names)

    def _function_names(self, node: Node) -> tuple[str, ...]:
        body = node.child_by_field_name("body")
        return self.names(body) if body is not None and body.type != "statement_block" else ()

    def _string(self, node: Node, _depth: int) -> Value:
        raw = self.text(node)
        return Value(ValueKind.STRING, " ".join(raw[: TEXT_LIMIT * 2].split())[:TEXT_LIMIT], decoded(raw[1:-1]))

    def pieces(self, node: Node) -> tuple[str, list[Node]]:
        """The constant text of a template string with "{}" at each hole, and the expressions in the holes."""
        parts: list[str] = []
        holes: list[Node] = []
        length = 0
        for child in node.named_children:
            if child.type == "template_substitution":
                parts.append("{}")
                holes.extend(inner for inner in child.named_children if inner.type != "comment")
            elif length < _PIECES_LIMIT * 10:
                parts.append(decoded(self.text(child)))
                length += len(parts[-1])
        return "".join(parts), holes

    def _template(self, node: Node, depth: int) -> Value:
        literal, holes = self.pieces(node)
        if not holes:
            return Value(ValueKind.STRING, folded(node, self.source), literal)
        inner = [self._inside(hole, depth - 1) for hole in holes[:_MOST_NAMES]]
        items = tuple(("", value) for value in inner) if depth > 0 else ()
        return Value(ValueKind.TEMPLATE, folded(node, self.source), literal, _names_of(inner), items)

    def _call(self, node: Node, depth: int) -> Value:
        callee = self.callee(node)
        arguments = self.arguments(node, depth - 1)
        function = node.child_by_field_name("function")
        names = [callee]
        if function is not None and not callee.replace(".", "").isidentifier():
            names.extend(self.names(function))
        for _, value in arguments:
            names.extend(value.names)
        return Value(ValueKind.CALL, folded(node, self.source), callee, _unique(names), tuple(arguments) if depth > 0 else ())

    def callee(self, node: Node) -> str:
        """The dotted callee of a call or `new` expression."""
        if node.type == "new_expression":
            constructor = node.child_by_field_name("constructor")
            return f"new {self.path(constructor)}" if constructor is not None else "new "
        function = node.child_by_field_name("function")
        return self.path(function) if function is not None else ""

    def arguments(self, node: Node, depth: int = ITEM_DEPTH) -> list[tuple[str, Value]]:
        """The arguments of a call, a tagged template's text as the only one; "..." marks a spread."""
        found = node.child_by_field_name("arguments")
        if found is None:
            return []
        if found.type == "template_string":
            return [("", self._inside(found, depth))]
        return self._elements(found, depth)

    def _elements(self, node: Node, depth: int) -> list[tuple[str, Value]]:
        entries: list[tuple[str, Value]] = []
        for child in node.named_children:
            kind = child.type
            if kind == "comment":
                continue
            if kind == "spread_element":
                inner = child.named_child(0)
                if inner is not None:
                    entries.append(("...", self._inside(inner, depth)))
            else:
                entries.append(("", self._inside(child, depth)))
        return entries

    def _inside(self, node: Node, depth: int) -> Value:
        """The value of a part; below the deepest level only its kind, text and names."""
        if depth >= 0 or node.type in _PATHS:
            return self.value(node, depth)
        bare = unwrapped(node)
        kind, literal = _SHALLOW.get(bare.type, ValueKind.OTHER), ""
        if kind is ValueKind.STRING:
            literal = self.string(bare)
        elif kind is ValueKind.TEMPLATE:
            literal, holes = self.pieces(bare)
            kind = kind if holes else ValueKind.STRING
        elif kind is ValueKind.CALL:
            literal = self.callee(bare)
        elif kind in {ValueKind.NUMBER, ValueKind.BOOLEAN}:
            literal = self.text(bare)[:TEXT_LIMIT]
        return Value(kind, folded(bare, self.source), literal, self.names(bare))

    def _array(self, node: Node, depth: int) -> Value:
        entries = self._elements(node, depth - 1)
        return self._collection(node, entries, depth)

    def _object(self, node: Node, depth: int) -> Value:
        entries: list[tuple[str, Value]] = []
        for child in node.named_children:
            kind = child.type
            if kind == "pair":
                value = child.child_by_field_name("value")
                if value is not None:
                    entries.append((self.key(child.child_by_field_name("key")), self._inside(value, depth - 1)))
            elif kind == "shorthand_property_identifier":
                name = self.text(child)
                entries.append((name, Value(ValueKind.NAME, name, name, (name,))))
            elif kind == "spread_element":
                inner = child.named_child(0)
                if inner is not None:
                    entries.append(("...", self._inside(inner, depth - 1)))
            elif kind == "method_definition":
                name = self.key(child.child_by_field_name("name"))
                entries.append((name, Value(ValueKind.FUNCTION, folded(child, self.source))))
        return self._collection(node, entries, depth)

    def _collection(self, node: Node, entries: list[tuple[str, Value]], depth: int) -> Value:
        names = _names_of(value for _, value in entries)
        return Value(ValueKind.COLLECTION, folded(node, self.source), "", names, tuple(entries) if depth > 0 else ())

    def key(self, node: Node | None) -> str:
        """The name of a property; a computed one keeps its brackets."""
        if node is None:
            return ""
        if node.type == "string":
            return self.string(node)
        if node.type == "computed_property_name" and node.named_child_count == 1:
            inner = node.named_children[0]
            if inner.type == "string":
                return self.string(inner)
        return folded(node, self.source)

    # -- operations ----------------------------------------------------------------------------------------------------------------

    def operands(self, node: Node) -> tuple[str, list[Node]]:
        """The operator and the operands of a chain of the same binary operator, left to right."""
        operator = self._operator(node)
        found: list[Node] = []
        for _ in range(_MOST_NODES + 1):
            left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
            if right is not None:
                found.append(right)
            if left is None:
                break
            if left.type != "binary_expression" or self._operator(left) != operator or len(found) == _MOST_NODES:
                found.append(left)
                break
            node = left
        found.reverse()
        return operator, found

    def _operator(self, node: Node) -> str:
        operator = node.child_by_field_name("operator")
        return operator.type if operator is not None else ""

    def _binary(self, node: Node, depth: int) -> Value:
        operator, operands = self.operands(node)
        parts = [self._inside(operand, depth - 1) for operand in operands]
        text = folded(node, self.source)
        if operator == "+" and any(part.kind in {ValueKind.STRING, ValueKind.TEMPLATE} for part in parts):
            return _joined(text, parts, depth)
        return Value(ValueKind.OPERATION, text, "", _names_of(parts), tuple((operator, part) for part in parts) if depth > 0 else ())

    def _ternary(self, node: Node, depth: int) -> Value:
        fields = (node.child_by_field_name(name) for name in ("condition", "consequence", "alternative"))
        parts = [self._inside(part, depth - 1) for part in fields if part is not None]
        items = tuple(("?:", part) for part in parts) if depth > 0 else ()
        return Value(ValueKind.OPERATION, folded(node, self.source), "", _names_of(parts), items)

    def _unary(self, node: Node, depth: int) -> Value:
        operator = self._operator(node)
        argument = node.child_by_field_name("argument")
        text = folded(node, self.source)
        if argument is None or operator == "void":
            return Value(ValueKind.NONE if operator == "void" else ValueKind.OTHER, text)
        if operator in {"-", "+"} and argument.type == "number":
            return Value(ValueKind.NUMBER, text, text)
        part = self._inside(argument, depth - 1)
        return Value(ValueKind.OPERATION, text, "", part.names, ((operator, part),) if depth > 0 else ())

    def _right(self, node: Node, depth: int) -> Value:
        right = node.child_by_field_name("right")
        return self._inside(right, depth - 1) if right is not None else Value(ValueKind.OTHER, folded(node, self.source))

    def _last(self, node: Node, depth: int) -> Value:
        inner = [child for child in node.named_children if child.type != "comment"]
        return self._inside(inner[-1], depth - 1) if inner else Value(ValueKind.OTHER, folded(node, self.source))

    # -- names ---------------------------------------------------------------------------------------------------------------------

    def names(self, node: Node) -> tuple[str, ...]:
        """Dotted paths in an expression, bodies of nested functions left out; bounded."""
        found: dict[str, None] = {}
        pending = [node]
        limit = self.looked_at(_MOST_NODES)
        steps = 0
        while steps < limit:
            steps += 1
            if not pending or len(found) >= _MOST_NAMES:
                break
            current = pending.pop()
            kind = current.type
            if kind in {"identifier", "shorthand_property_identifier"}:
                found[self.text(current)] = None
                continue
            if kind in _TYPES or kind == "statement_block":
                continue
            if kind in {"member_expression", "subscript_expression"}:
                path = self.path(current)
                found[path] = None
                if path.replace(".", "").isidentifier():
                    continue
            elif kind in {"call_expression", "new_expression"}:
                found[self.callee(current)] = None
            elif kind in _TAGS:
                tag = current.child_by_field_name("name")
                if tag is not None and self.source[tag.start_byte : tag.start_byte + 1].islower():
                    pending.extend(child for child in current.named_children[:0:-1])
                    continue
            pending.extend(reversed(current.named_children))
        self._budget += limit - steps
        found.pop("undefined", None)
        found.pop("", None)
        return tuple(found)


_SHALLOW = {
    "string": ValueKind.STRING,
    "template_string": ValueKind.TEMPLATE,
    "number": ValueKind.NUMBER,
    "true": ValueKind.BOOLEAN,
    "false": ValueKind.BOOLEAN,
    "null": ValueKind.NONE,
    "undefined": ValueKind.NONE,
    "call_expression": ValueKind.CALL,
    "new_expression": ValueKind.CALL,
    "array": ValueKind.COLLECTION,
    "object": ValueKind.COLLECTION,
    "binary_expression": ValueKind.OPERATION,
    "ternary_expression": ValueKind.OPERATION,
    "unary_expression": ValueKind.OPERATION,
    **dict.fromkeys(FUNCTIONS, ValueKind.FUNCTION),
}


def _joined(text: str, parts: list[Value], depth: int) -> Value:
    """Text put together with `+`: a constant when every part is one."""
    texts = {ValueKind.STRING, ValueKind.TEMPLATE}
    literal = "".join(part.literal if part.kind in texts else "{}" for part in parts)
    if all(part.kind is ValueKind.STRING for part in parts):
        return Value(ValueKind.STRING, text, literal)
    holes = tuple(("", part) for part in parts if part.kind is not ValueKind.STRING) if depth > 0 else ()
    return Value(ValueKind.TEMPLATE, text, literal, _names_of(parts), holes)


def _names_of(values: Iterable[Value]) -> tuple[str, ...]:
    return _unique(name for value in values for name in value.names)


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    found = dict.fromkeys(names)
    found.pop("", None)
    return tuple(found)[:_MOST_NAMES]
