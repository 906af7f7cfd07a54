"""The walk over a Python syntax tree: simple statements."""

from __future__ import annotations

from dataclasses import replace

from tree_sitter import Node

from auditor.languages.python_values import parts, string_value, unwrapped
from auditor.languages.python_walk import PLAIN, UNUSED, Around, ExpressionWalk, Hint
from auditor.languages.tree import end_line_of, folded, line_of
from auditor.model.syntax import Argument, Assertion, Assignment, Call, ValueKind


class StatementWalk(ExpressionWalk):
    """Handlers of statements that hold no block."""

    def __init__(self, path: str, source: bytes, root: Node) -> None:
        super().__init__(path, source, root)
        self.readers.update(
            {
                "expression_statement": self._expression_statement,
                "print_statement": self._old_statement,
                "exec_statement": self._old_statement,
                "return_statement": self._return,
                "raise_statement": self._raise,
                "assert_statement": self._assert,
                "delete_statement": self._delete,
                "yield": self._yield,
                "continue_statement": self._jump,
                "break_statement": self._jump,
            }
        )

    def _expression_statement(self, node: Node, around: Around, _hint: Hint) -> None:
        inside = parts(node)
        if len(inside) == 1 and inside[0].type in {"string", "concatenated_string"}:
            only = inside[0]
            self.prose_rows.append((only.start_point[0], only.end_point[0]))
            if string_value(only, self.source)[1]:
                self._string(only, around, PLAIN)
            return
        self.push(inside, around, UNUSED)

    def _old_statement(self, node: Node, around: Around, _hint: Hint) -> None:
        """`print x` and `exec x` of Python 2."""
        inside = parts(node)
        arguments = tuple(Argument("", self.values.value(part)) for part in inside[:20])
        callee = node.type.removesuffix("_statement")
        self._note_call(
            Call(
                callee,
                arguments,
                line_of(node),
                end_line_of(node),
                around.definition,
                guarded=around.guarded,
                used=False,
                in_loop=around.loop,
            ),
            around,
        )
        self.push(inside, around)

    def _return(self, node: Node, around: Around, _hint: Hint) -> None:
        inside = parts(node)
        value = self.values.value(inside[0]) if inside else None
        self.returns.append(Assignment("return", value, line_of(node), around.definition))
        for handler in around.handlers:
            handler.returned.append(value)
        self.push(inside, around)

    def _raise(self, node: Node, around: Around, _hint: Hint) -> None:
        inside = parts(node)
        cause = node.child_by_field_name("cause")
        raised = [part for part in inside if part != cause]
        value = self.values.value(raised[0]) if raised else None
        self.raises.append(Assignment("raise", value, line_of(node), around.definition))
        for handler in around.handlers:
            handler.raises = True
        self.push(inside, around)

    def _assert(self, node: Node, around: Around, _hint: Hint) -> None:
        self.decision(around)
        inside = parts(node)
        if inside:
            trivial = self._never_fails(inside[0])
            self.assertions.append(Assertion(folded(inside[0], self.source), trivial, line_of(node), around.definition))
        self.push(inside, replace(around, function=-1))

    def _never_fails(self, node: Node) -> bool:
        if node.type in {"tuple", "list"}:
            return bool(parts(node))
        node = unwrapped(node)
        value = self.values.value(node)
        if value.kind is ValueKind.STRING:
            return bool(value.literal)
        if value.kind is ValueKind.NUMBER:
            return value.literal.strip("0.") != ""
        if node.type == "not_operator":
            inner = parts(node)
            return len(inner) == 1 and folded(inner[0], self.source) in {"False", "None", "0", '""', "''", "[]", "{}", "()"}
        if node.type == "comparison_operator" and len(value.items) == 2:
            (operator, left), (_, right) = value.items
            constants = {ValueKind.NUMBER, ValueKind.STRING, ValueKind.BOOLEAN, ValueKind.NONE, ValueKind.NAME}
            return operator in {"==", "is", ">=", "<="} and left.kind in constants and left.text == right.text
        if node.type == "boolean_operator" and value.items and value.items[0][0] == "or":
            return any(item.kind is ValueKind.BOOLEAN and item.literal == "True" for _, item in value.items)
        return value.kind is ValueKind.BOOLEAN and value.literal == "True"

    def _delete(self, node: Node, around: Around, _hint: Hint) -> None:
        pending = parts(node)
        while pending:
            part = pending.pop()
            if part.type in {"expression_list", "tuple", "parenthesized_expression"}:
                pending.extend(parts(part))
            else:
                self.push(parts(part) if part.type == "subscript" else (part,), around)
        for handler in around.handlers:
            handler.other = True

    def _yield(self, node: Node, around: Around, _hint: Hint) -> None:
        inside = parts(node)
        for handler in around.handlers:
            handler.other = True
            if inside:
                handler.yielded.append(self.values.value(inside[0]))
        self.push(node.named_children, around)

    def _jump(self, _node: Node, around: Around, _hint: Hint) -> None:
        for handler in around.handlers:
            handler.jumps = True
