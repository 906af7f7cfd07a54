"""Python source to the intermediate form of `flow_ir`, from tree-sitter's tree. Nothing is judged here.

What the tree cannot tell (errors in the middle of a file) becomes `Other`: its parts still carry their values.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable

from tree_sitter import Node

from auditor.languages import flow_ir as ir
from auditor.languages.tree import MAX_DEPTH, Grammar, addends, end_line_of, line_of, parse, text_of

_TEXT_NODES = {"string", "concatenated_string"}
_CONVERSION = re.compile(r"(?<!%)%(?:\(\w+\))?[-+ #0]*[\d*]*(?:\.[\d*]+)?[a-zA-Z]")


def lower_python(path: str, text: str) -> ir.Module:
    """The whole file; never fails, whatever the text."""
    source = text.encode("utf-8", "replace")
    reader = _Reader(source)
    return ir.Module(path, reader.block(parse(Grammar.PYTHON, source).root_node))


def _unescaped(raw: str) -> str:
    """The text of a string literal; as it stands when the literal cannot be evaluated."""
    try:
        value = ast.literal_eval(raw)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return raw.strip("rRbBuUfF").strip("\"'")
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


class _Reader:
    """Turns nodes into statements and expressions; below `MAX_DEPTH` everything is `Other` without parts."""

    def __init__(self, source: bytes) -> None:
        self.source = source
        self.depth = 0
        self.owner = ""

    def text(self, node: Node | None) -> str:
        return text_of(node, self.source) if node is not None else ""

    # statements

    def block(self, node: Node | None) -> tuple[ir.Statement, ...]:
        if node is None or self.depth > MAX_DEPTH:
            return ()
        self.depth += 1
        found: list[ir.Statement] = []
        for child in node.named_children:
            found.extend(self.statement(child))
        self.depth -= 1
        return tuple(found)

    def statement(self, node: Node) -> list[ir.Statement]:
        reader = _STATEMENTS.get(node.type)
        if reader is not None:
            return reader(self, node)
        if node.type in {"ERROR", "block"}:
            return list(self.block(node))
        return []

    def expression_statement(self, node: Node) -> list[ir.Statement]:
        found: list[ir.Statement] = []
        for child in node.named_children:
            if child.type == "assignment":
                found.extend(self.assignment(child))
            elif child.type == "augmented_assignment":
                found.append(self.augmented(child))
            else:
                found.append(ir.Evaluate(self.expression(child), line_of(child)))
        return found

    def assignment(self, node: Node) -> list[ir.Statement]:
        targets, value = [], node
        while value.type == "assignment":
            left = value.child_by_field_name("left")
            if left is not None:
                targets.append(left)
            right = value.child_by_field_name("right")
            if right is None:
                return []  # only an annotation
            value = right
        read = self.expression(value)
        return [ir.Assign(self.expression(target), read, line_of(target)) for target in targets]

    def augmented(self, node: Node) -> ir.Assign:
        operator = self.text(node.child_by_field_name("operator")).rstrip("=")
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        return ir.Assign(self.expression(left), self.expression(right), line_of(node), operator or "+")

    def if_statement(self, node: Node) -> list[ir.Statement]:
        alternatives = node.children_by_field_name("alternative")
        return [self._branch(node, alternatives)]

    def _branch(self, node: Node, alternatives: list[Node]) -> ir.If:
        """`elif` clauses are nested branches; they are folded from the last to the first, without recursion."""
        other: tuple[ir.Statement, ...] = ()
        for clause in reversed(alternatives):
            last = clause.type == "else_clause"
            other = self.block(clause.child_by_field_name("body")) if last else (self._one_branch(clause, other),)
        return self._one_branch(node, other)

    def _one_branch(self, node: Node, other: tuple[ir.Statement, ...]) -> ir.If:
        test = self.expression(node.child_by_field_name("condition"))
        return ir.If(test, self.block(node.child_by_field_name("consequence")), other, line_of(node))

    def _else(self, node: Node) -> tuple[ir.Statement, ...]:
        clause = next((child for child in node.named_children if child.type == "else_clause"), None)
        return self.block(clause.child_by_field_name("body")) if clause is not None else ()

    def for_statement(self, node: Node) -> list[ir.Statement]:
        target = self.expression(node.child_by_field_name("left"))
        iterable = self.expression(node.child_by_field_name("right"))
        return [ir.Loop(target, iterable, None, self.block(node.child_by_field_name("body")), self._else(node), line_of(node))]

    def while_statement(self, node: Node) -> list[ir.Statement]:
        test = self.expression(node.child_by_field_name("condition"))
        return [ir.Loop(None, None, test, self.block(node.child_by_field_name("body")), self._else(node), line_of(node))]

    def try_statement(self, node: Node) -> list[ir.Statement]:
        handlers: list[tuple[str, tuple[ir.Statement, ...]]] = []
        final: tuple[ir.Statement, ...] = ()
        for child in node.named_children:
            if child.type in {"except_clause", "except_group_clause"}:
                alias = next((c.child_by_field_name("alias") for c in child.named_children if c.type == "as_pattern"), None)
                body = next((c for c in child.named_children if c.type == "block"), None)
                handlers.append((self.text(alias), self.block(body)))
            elif child.type == "finally_clause":
                final = self.block(next((c for c in child.named_children if c.type == "block"), None))
        return [ir.Try(self.block(node.child_by_field_name("body")), tuple(handlers), self._else(node), final, line_of(node))]

    def with_statement(self, node: Node) -> list[ir.Statement]:
        bindings: list[tuple[ir.Expression, ir.Expression | None]] = []
        clause = next((child for child in node.named_children if child.type == "with_clause"), None)
        for item in clause.named_children if clause is not None else ():
            value = item.child_by_field_name("value") if item.type == "with_item" else item
            if value is not None and value.type == "as_pattern":
                alias = value.child_by_field_name("alias")
                target = alias.named_children[0] if alias is not None and alias.named_children else None
                bindings.append((self.expression(value.named_children[0]), self.expression(target) if target is not None else None))
            elif value is not None:
                bindings.append((self.expression(value), None))
        return [ir.With(tuple(bindings), self.block(node.child_by_field_name("body")), line_of(node))]

    def match_statement(self, node: Node) -> list[ir.Statement]:
        subject = node.child_by_field_name("subject")
        body = node.child_by_field_name("body")
        cases = [self._case(clause) for clause in (body.named_children if body is not None else ()) if clause.type == "case_clause"]
        return [ir.Match(self.expression(subject), tuple(cases), line_of(node))]

    def _case(self, clause: Node) -> tuple[tuple[ir.Constant, ...] | None, ir.Expression | None, tuple[ir.Statement, ...]]:
        patterns = [child for child in clause.named_children if child.type == "case_pattern"]
        guard = clause.child_by_field_name("guard")
        test = self.expression(guard.named_children[0]) if guard is not None and guard.named_children else None
        return self._constants(patterns), test, self.block(clause.child_by_field_name("consequence"))

    def _constants(self, patterns: list[Node]) -> tuple[ir.Constant, ...] | None:
        """The literals a case stands for; () for `case _`, None when a pattern is more than literals."""
        found: list[ir.Constant] = []
        pending = list(patterns)
        while pending:
            node = pending.pop()
            if node.type in {"case_pattern", "union_pattern"} and node.named_children:
                pending.extend(node.named_children)
            elif self.text(node) == "_":
                return ()
            else:
                value = self.expression(node)
                if not isinstance(value, ir.Const):
                    return None
                found.append(value.value)
        return tuple(sorted(found, key=repr)) or None

    def leave(self, node: Node) -> list[ir.Statement]:
        kind = node.type.removesuffix("_statement")
        value = self.expression(node.named_children[0]) if node.named_children else None
        return [ir.Leave(kind, value, line_of(node))]

    def assertion(self, node: Node) -> list[ir.Statement]:
        """`assert x` leaves when x is false."""
        test = self.expression(node.named_children[0]) if node.named_children else ir.Const(value=True, line=line_of(node))
        return [ir.If(test, (), (ir.Leave("raise", None, line_of(node)),), line_of(node))]

    def deletion(self, _node: Node) -> list[ir.Statement]:
        return []

    def imports(self, node: Node) -> list[ir.Statement]:
        found: list[ir.Statement] = []
        for child in node.children_by_field_name("name"):
            if child.type == "aliased_import":
                found.append(
                    ir.Import(self.text(child.child_by_field_name("alias")), self.text(child.child_by_field_name("name")), line_of(node))
                )
            else:
                top = self.text(child).split(".", maxsplit=1)[0]
                found.append(ir.Import(top, top, line_of(node)))
        return found

    def from_imports(self, node: Node) -> list[ir.Statement]:
        module = "".join(self.text(node.child_by_field_name("module_name")).split())
        joint = "" if module.endswith(".") else "."
        found: list[ir.Statement] = []
        for child in node.children_by_field_name("name"):
            name, alias = child.child_by_field_name("name"), child.child_by_field_name("alias")
            original = self.text(name if child.type == "aliased_import" else child)
            local = self.text(alias) if child.type == "aliased_import" else original
            found.append(ir.Import(local, f"{module}{joint}{original}", line_of(node)))
        return found

    def definition(self, node: Node) -> list[ir.Statement]:
        decorators: tuple[ir.Expression, ...] = ()
        inner: Node | None = node
        if node.type == "decorated_definition":
            decorators = tuple(
                self.expression(c.named_children[0]) for c in node.named_children if c.type == "decorator" and c.named_children
            )
            inner = node.child_by_field_name("definition")
        if inner is None:
            return []
        name = self.text(inner.child_by_field_name("name"))
        owner = self.owner
        if inner.type == "class_definition":
            bases = inner.child_by_field_name("superclasses")
            self.owner = name
            read: ir.Statement = ir.Class(
                name,
                tuple(self.expression(base) for base in (bases.named_children if bases is not None else ())),
                self.block(inner.child_by_field_name("body")),
                line_of(inner),
                decorators,
            )
        else:
            self.owner = ""
            read = self._function(inner, name, decorators, owner)
        self.owner = owner
        return [read]

    def _function(self, node: Node, name: str, decorators: tuple[ir.Expression, ...], owner: str) -> ir.Function:
        parameters = node.child_by_field_name("parameters")
        return ir.Function(
            name,
            self.parameters(parameters),
            self.block(node.child_by_field_name("body")),
            line_of(node),
            end_line_of(node),
            decorators,
            owner,
            is_async=any(child.type == "async" for child in node.children),
        )

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

    # expressions

    def expression(self, node: Node | None) -> ir.Expression:
        if node is None:
            return ir.Other((), 0)
        if self.depth > MAX_DEPTH:
            return ir.Other((), line_of(node))
        self.depth += 1
        reader = _EXPRESSIONS.get(node.type, _Reader.other)
        found = reader(self, node)
        self.depth -= 1
        return found

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

_STATEMENTS: dict[str, Callable[[_Reader, Node], list[ir.Statement]]] = {
    "expression_statement": _Reader.expression_statement,
    "if_statement": _Reader.if_statement,
    "for_statement": _Reader.for_statement,
    "while_statement": _Reader.while_statement,
    "try_statement": _Reader.try_statement,
    "with_statement": _Reader.with_statement,
    "match_statement": _Reader.match_statement,
    "return_statement": _Reader.leave,
    "raise_statement": _Reader.leave,
    "break_statement": _Reader.leave,
    "continue_statement": _Reader.leave,
    "assert_statement": _Reader.assertion,
    "import_statement": _Reader.imports,
    "import_from_statement": _Reader.from_imports,
    "function_definition": _Reader.definition,
    "class_definition": _Reader.definition,
    "decorated_definition": _Reader.definition,
}

_EXPRESSIONS: dict[str, Callable[[_Reader, Node], ir.Expression]] = {
    "identifier": _Reader.name,
    "string": _Reader.string,
    "concatenated_string": _Reader.concatenated,
    "integer": _Reader.number,
    "float": _Reader.number,
    "true": _Reader.word,
    "false": _Reader.word,
    "none": _Reader.word,
    "attribute": _Reader.attribute,
    "subscript": _Reader.subscript,
    "call": _Reader.call,
    "binary_operator": _Reader.operation,
    "comparison_operator": _Reader.comparison,
    "boolean_operator": _Reader.boolean,
    "not_operator": _Reader.negation,
    "unary_operator": _Reader.unary,
    "conditional_expression": _Reader.choice,
    "list": _Reader.sequence,
    "tuple": _Reader.sequence,
    "set": _Reader.sequence,
    "expression_list": _Reader.sequence,
    "pattern_list": _Reader.sequence,
    "tuple_pattern": _Reader.sequence,
    "list_pattern": _Reader.sequence,
    "dictionary": _Reader.mapping,
    "list_splat": _Reader.spread,
    "dictionary_splat": _Reader.spread,
    "list_splat_pattern": _Reader.spread,
    "list_comprehension": _Reader.comprehension,
    "set_comprehension": _Reader.comprehension,
    "generator_expression": _Reader.comprehension,
    "dictionary_comprehension": _Reader.comprehension,
    "lambda": _Reader.lambda_,
    "named_expression": _Reader.walrus,
}
