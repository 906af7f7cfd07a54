"""The walk over a Python syntax tree: what each kind of node adds to the facts, and in which surroundings its parts are read.

Iterative: the stack holds (node, surroundings, hint); a handler pushes the parts of its node. Statements that open blocks or define something are
in `python_definitions` and `python_blocks`, simple ones in `python_statements`, expressions here.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

from tree_sitter import Node

from auditor.languages.python_environment import EnvironmentReader
from auditor.languages.python_handlers import HandlerDraft
from auditor.languages.python_lines import Lines
from auditor.languages.python_scopes import Scope, ScopeKind, Scopes
from auditor.languages.python_values import Values, parts, string_value
from auditor.languages.tree import end_line_of, folded, line_of, text_of
from auditor.model.syntax import (
    TEXT_LIMIT,
    Assertion,
    Assignment,
    Branch,
    Call,
    Comment,
    Definition,
    EnvironmentRead,
    Import,
    Literal,
    Loop,
    Value,
    ValueKind,
)

LITERAL_LENGTH = 4
LITERAL_LIMIT = 400
_PRAGMA = re.compile(r"^(?:mypy|flake8|ruff|pylint|pyright|isort|fmt|yapf|type|pragma|nosec|noqa|bandit|pytype)\b\s*[:=-]?|^-\*-|^!")
_NO_REASON = re.compile(
    r"^(?:noqa|nosec|type:|pragma|pylint|pyright|mypy|fmt:|ruff:|isort|flake8|NOSONAR|lgtm|codespell|cov\b|E\d|[WFBS]\d)"
)


@dataclass(frozen=True, slots=True)
class Around:
    """The surroundings of a node. `function` is the definition whose complexity it adds to, -1 for none."""

    names: Scope
    definition: int = -1
    function: int = -1
    nesting: int = 0
    lazy: bool = False
    loop: bool = False
    guarded: bool = False
    import_guarded: bool = False
    name_guarded: bool = False
    type_only: bool = False
    tries: tuple[HandlerDraft, ...] = ()
    handlers: tuple[HandlerDraft, ...] = ()


class Hint(NamedTuple):
    """What becomes of an expression's result; `setting` is the name that a setting read somewhere inside ends up in; `managed`: a `with` closes it."""

    target: str = ""
    awaited: bool = False
    used: bool = True
    setting: str = ""
    fallback: Node | None = None
    managed: bool = False


PLAIN = Hint()
UNUSED = Hint(used=False)


@dataclass(slots=True)
class DefinitionDraft:
    """A definition, with the counters its body adds to."""

    fact: Definition
    complexity: int = 1
    nesting: int = 0


class ExpressionWalk:
    """State of the walk, and the handlers of expressions and simple statements."""

    def __init__(self, path: str, source: bytes, root: Node) -> None:
        self.path = path
        self.source = source
        self.root = root
        self.values = Values(source, root.descendant_count)
        self.scopes = Scopes()
        self.settings = EnvironmentReader()
        self.stack: list[tuple[Node, Around, Hint]] = []
        self.imports: list[Import] = []
        self.definitions: list[DefinitionDraft] = []
        self.calls: list[Call] = []
        self.assignments: list[Assignment] = []
        self.handlers: list[HandlerDraft] = []
        self.environment: list[EnvironmentRead] = []
        self.literals: list[Literal] = []
        self.assertions: list[Assertion] = []
        self.raises: list[Assignment] = []
        self.returns: list[Assignment] = []
        self.loops: list[Loop] = []
        self.branches: list[Branch] = []
        self.string_rows: list[tuple[int, int]] = []
        self.prose_rows: list[tuple[int, int]] = []
        self.main_lines = (0, 0)
        self.readers: dict[str, Callable[[Node, Around, Hint], None]] = {
            "identifier": self._identifier,
            "attribute": self._attribute,
            "call": self._call,
            "subscript": self._subscript,
            "keyword_argument": self._keyword_argument,
            "await": self._await,
            "parenthesized_expression": self._parenthesized,
            "named_expression": self._named,
            "boolean_operator": self._boolean,
            "conditional_expression": self._conditional,
            "lambda": self._lambda,
            "list_comprehension": self._comprehension,
            "set_comprehension": self._comprehension,
            "dictionary_comprehension": self._comprehension,
            "generator_expression": self._comprehension,
            "string": self._string,
            "concatenated_string": self._string,
            "assignment": self._assignment,
            "augmented_assignment": self._augmented,
            "comment": self._nothing,
        }

    # -- the walk --------------------------------------------------------------------------------------------------------------------

    def walk(self) -> None:
        """Read everything that is on the stack."""
        stack, readers = self.stack, self.readers
        while stack:
            node, around, hint = stack.pop()
            reader = readers.get(node.type)
            if reader is not None:
                reader(node, around, hint)
            elif node.named_child_count:
                stack.extend([(child, around, PLAIN) for child in reversed(node.named_children)])

    def push(self, nodes: Iterable[Node | None], around: Around, hint: Hint = PLAIN) -> None:
        """Put parts on the stack so that the first is read next; parts that are missing are left out."""
        self.stack.extend([(node, around, hint) for node in nodes if node is not None][::-1])

    def push_all(self, entries: list[tuple[Node | None, Around]]) -> None:
        """As `push`, for parts with surroundings of their own."""
        self.stack.extend([(node, around, PLAIN) for node, around in reversed(entries) if node is not None])

    def decision(self, around: Around, count: int = 1) -> None:
        """Add to the complexity of the function around."""
        if around.function >= 0:
            self.definitions[around.function].complexity += count

    def deeper(self, around: Around) -> Around:
        """The surroundings inside a control structure."""
        nesting = around.nesting + 1
        if around.function >= 0 and self.definitions[around.function].nesting < nesting:
            self.definitions[around.function].nesting = nesting
        return replace(around, nesting=nesting)

    # -- names and chains ------------------------------------------------------------------------------------------------------------

    def _nothing(self, node: Node, around: Around, hint: Hint) -> None:
        """Comments are read apart."""

    def _identifier(self, node: Node, around: Around, _hint: Hint) -> None:
        name = text_of(node, self.source)
        if not around.name_guarded:
            around.names.uses.append((name, line_of(node), around.definition))
        for handler in around.handlers:
            if handler.binding == name:
                handler.uses_binding = True

    def _attribute(self, node: Node, around: Around, _hint: Hint) -> None:
        self.push((node.child_by_field_name("object"),), around)

    def _subscript(self, node: Node, around: Around, hint: Hint) -> None:
        owner, keys = node.child_by_field_name("value"), node.children_by_field_name("subscript")
        if owner is not None and len(keys) == 1 and keys[0].type in {"string", "concatenated_string"}:
            key = self.values.value(keys[0], 0)
            read = self.settings.subscripted(self.values.path(owner), key, line_of(node), around.definition, hint.target or hint.setting)
            if read is not None:
                self.environment.append(read)
        self.push((owner, *keys), around)

    def _call(self, node: Node, around: Around, hint: Hint) -> None:
        function = node.child_by_field_name("function")
        callee = self.values.path(function) if function is not None else ""
        call = Call(
            callee=callee,
            arguments=self.values.arguments(node),
            line=line_of(node),
            end_line=end_line_of(node),
            scope=around.definition,
            awaited=hint.awaited,
            target=hint.target,
            guarded=around.guarded,
            used=hint.used,
            in_loop=around.loop,
            managed=hint.managed,
        )
        self._note_call(call, around)
        setting = hint.target or hint.setting
        fallback = self.values.value(hint.fallback) if hint.fallback is not None else None
        read = self.settings.called(call, setting, fallback)
        if read is not None:
            self.environment.append(read)
        given = node.child_by_field_name("arguments")
        inner = Hint(setting=setting) if setting else PLAIN
        entries = parts(given) if given is not None and given.type == "argument_list" else [given]
        self.push(entries, around, inner)
        self.push((function,), around)

    def _note_call(self, call: Call, around: Around) -> None:
        self.calls.append(call)
        for attempt in around.tries:
            attempt.note_tried(call.callee)
        for handler in around.handlers:
            handler.calls.append(call)
        if call.callee in {"exec", "globals", "execfile"}:
            self.scopes.decidable = False

    def _keyword_argument(self, node: Node, around: Around, hint: Hint) -> None:
        self.push((node.child_by_field_name("value"),), around, hint)

    def _await(self, node: Node, around: Around, hint: Hint) -> None:
        self.push(node.named_children, around, hint._replace(awaited=True))

    def _parenthesized(self, node: Node, around: Around, hint: Hint) -> None:
        self.push(node.named_children, around, hint)

    def _named(self, node: Node, around: Around, hint: Hint) -> None:
        name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        if name is None or value is None:
            self.push(node.named_children, around)
            return
        target = text_of(name, self.source)
        self.scopes.bind(around.names, target, walrus=True)
        self._assign(target, value, line_of(node), around)
        self.push((value,), around, hint._replace(target=target))

    def _boolean(self, node: Node, around: Around, hint: Hint) -> None:
        self.decision(around)
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        operator = node.child_by_field_name("operator")
        self.push((right,), around, hint._replace(fallback=None) if hint is not PLAIN else PLAIN)
        if operator is not None and operator.type == "or":
            self.push((left,), around, Hint(hint.target, setting=hint.setting, fallback=right))
        else:
            self.push((left,), around)

    def _conditional(self, node: Node, around: Around, hint: Hint) -> None:
        self.decision(around)
        self.push(node.named_children, around, Hint(setting=hint.target or hint.setting))

    def _lambda(self, node: Node, around: Around, _hint: Hint) -> None:
        scope = self.scopes.open(ScopeKind.FUNCTION, around.names)
        parameters = node.child_by_field_name("parameters")
        inside = replace(around, names=scope, loop=False, guarded=False, lazy=True, tries=(), handlers=())
        self.push((node.child_by_field_name("body"),), inside)
        if parameters is not None:
            for parameter in parts(parameters):
                name = parameter.child_by_field_name("name") or parameter
                self.push(self.bind(name, scope), around)
                self.push((parameter.child_by_field_name("value"),), around)

    def _comprehension(self, node: Node, around: Around, _hint: Hint) -> None:
        scope = self.scopes.open(ScopeKind.COMPREHENSION, around.names)
        inside = replace(around, names=scope, loop=True)
        entries: list[tuple[Node | None, Around]] = []
        first = True
        for part in parts(node):
            if part.type == "for_in_clause":
                self.decision(around)
                left = part.child_by_field_name("left")
                entries.extend((loose, inside) for loose in (self.bind(left, scope) if left is not None else ()))
                entries.extend((right, around if first else inside) for right in part.children_by_field_name("right"))
                first = False
            else:
                self.decision(around, part.type == "if_clause")
                entries.append((part, inside))
        self.push_all(entries)

    def _string(self, node: Node, around: Around, _hint: Hint) -> None:
        first, last = node.start_point[0], node.end_point[0]
        if first != last:
            self.string_rows.append((first, last))
        text, holes = string_value(node, self.source)
        if len(text) >= LITERAL_LENGTH:
            self.literals.append(Literal(text[:LITERAL_LIMIT], first + 1, around.definition, holes))
        if holes:
            strings = [node] if node.type == "string" else [part for part in parts(node) if part.type == "string"]
            self.push([hole for string in strings for hole in string.named_children if hole.type == "interpolation"], around)

    # -- bindings --------------------------------------------------------------------------------------------------------------------

    def bind(self, pattern: Node, scope: Scope) -> list[Node]:
        """Bind the names of an assignment target; gives the parts that are only read (`a` and `i` of `a.b`, `a[i]`)."""
        loose: list[Node] = []
        pending = [pattern]
        while pending:
            node = pending.pop()
            kind = node.type
            if kind == "identifier":
                self.scopes.bind(scope, text_of(node, self.source))
            elif kind == "attribute":
                inner = node.child_by_field_name("object")
                loose.extend([inner] if inner is not None else [])
            elif kind == "subscript":
                loose.extend(parts(node))
            elif kind in {"call", "string"}:
                loose.append(node)
            else:
                pending.extend(reversed(parts(node)))
        return loose

    def _assign(self, target: str, value: Node, line: int, around: Around, annotation: str = "") -> None:
        read = self.values.value(value)
        self.assignments.append(Assignment(target, read, line, around.definition, annotation))
        self.settings.assigned(target, read)
        for handler in around.handlers:
            handler.assigned.append((target, read))

    def _assignment(self, node: Node, around: Around, hint: Hint) -> None:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        annotation = node.child_by_field_name("type")
        if left is None:
            self.push(node.named_children, around)
            return
        target = folded(left, self.source)
        noted = folded(annotation, self.source) if annotation is not None else ""
        final = right
        while final is not None and final.type == "assignment":
            final = final.child_by_field_name("right")
        if final is not None:
            self._assign(target, final, line_of(node), around, noted)
        else:
            self.assignments.append(Assignment(target, None, line_of(node), around.definition, noted))
        loose = self.bind(left, around.names)
        self.push((right,), around, Hint(target=hint.target or target))
        self.push((*loose, annotation), around)

    def _augmented(self, node: Node, around: Around, _hint: Hint) -> None:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if left is None or right is None:
            self.push(node.named_children, around)
            return
        operator = node.child_by_field_name("operator")
        sign = text_of(operator, self.source) if operator is not None else ""
        target, added = self.values.value(left), self.values.value(right)
        names = tuple(dict.fromkeys((*target.names, *added.names)))
        value = Value(ValueKind.OPERATION, folded(node, self.source), "", names, ((sign, target), (sign, added)))
        self.assignments.append(Assignment(target.text, value, line_of(node), around.definition))
        for handler in around.handlers:
            handler.assigned.append((target.text, value))
        self.bind(left, around.names)
        self.push((left, right), around)

    # -- what is read apart ------------------------------------------------------------------------------------------------------------

    def comments(self) -> tuple[Comment, ...]:
        """All comments, in source order, their marker stripped."""
        found = []
        pending = [self.root] if b"#" in self.source else []
        while pending:
            node = pending.pop()
            if node.type == "comment":
                text = source_head(node, self.source).lstrip("#").strip()
                found.append(Comment(text[:TEXT_LIMIT], line_of(node)))
            elif node.named_child_count:
                pending.extend(reversed(node.named_children))
        return tuple(found)

    def lines(self) -> Lines:
        """The counts of code lines, once everything was walked."""
        return Lines(self.source, self.string_rows, self.prose_rows)


def source_head(node: Node, source: bytes) -> str:
    """The text of a node, cut well above `TEXT_LIMIT`."""
    end = min(node.end_byte, node.start_byte + 8 * TEXT_LIMIT)
    return source[node.start_byte : end].decode("utf-8", "replace")


def directives(comments: tuple[Comment, ...], source: bytes) -> tuple[str, ...]:
    """File pragmas: comments alone on their line that talk to a tool."""
    wanted = [comment for comment in comments if _PRAGMA.match(comment.text)]
    if not wanted:
        return ()
    rows = source.split(b"\n")
    return tuple(comment.text for comment in wanted if rows[comment.line - 1].lstrip()[:1] == b"#")


class Reasons:
    """Where comments stand that give a reason, as opposed to a word to a tool."""

    __slots__ = ("_lines",)

    def __init__(self, comments: tuple[Comment, ...]) -> None:
        self._lines = [comment.line for comment in comments if comment.text and not _NO_REASON.match(comment.text)]

    def between(self, line: int, end_line: int) -> bool:
        """Whether one stands between two lines, both included."""
        return bisect_left(self._lines, line) < bisect_right(self._lines, end_line)
