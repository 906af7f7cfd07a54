"""Python source to the intermediate form of `flow_ir`, from tree-sitter's tree. Nothing is judged here.

What the tree cannot tell (errors in the middle of a file) becomes `Other`: its parts still carry their values.
"""

from __future__ import annotations

from collections.abc import Callable

from tree_sitter import Node

from auditor.languages import flow_ir as ir
from auditor.languages.flow_python_expressions import ExpressionReader
from auditor.languages.tree import MAX_DEPTH, Grammar, end_line_of, line_of, parse


def lower_python(path: str, text: str) -> ir.Module:
    """The whole file; never fails, whatever the text."""
    source = text.encode("utf-8", "replace")
    reader = _Reader(source)
    return ir.Module(path, reader.block(parse(Grammar.PYTHON, source).root_node))


class _Reader(ExpressionReader):
    """Turns nodes into statements."""

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
                self._fields(inner.child_by_field_name("body")),
            )
        else:
            self.owner = ""
            read = self._function(inner, name, decorators, owner)
        self.owner = owner
        return [read]

    def _fields(self, body: Node | None) -> tuple[tuple[str, str], ...]:
        """The annotated names of a class body."""
        statements = [child for child in (body.named_children if body is not None else ()) if child.type == "expression_statement"]
        typed = [
            (part, part.child_by_field_name("type")) for child in statements for part in child.named_children if part.type == "assignment"
        ]
        return tuple((self.text(part.child_by_field_name("left")), self.text(kind)) for part, kind in typed if kind is not None)

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
