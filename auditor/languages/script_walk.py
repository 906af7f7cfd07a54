"""The one walk over a script's syntax tree: where a node stands (frame, scope), what becomes of its value (use), and the facts found so far.

Handlers of node types live in the `script_*` modules beside this one; a node without handler passes its children on. Nothing recurses:
handlers put what is still to be read on a stack.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tree_sitter import Node

from auditor.languages.script_values import Values
from auditor.languages.tree import MAX_DEPTH, end_line_of
from auditor.model.snapshot import Language
from auditor.model.syntax import (
    Argument,
    Assignment,
    Branch,
    Call,
    Control,
    Definition,
    DefinitionKind,
    EnvironmentRead,
    Export,
    Handler,
    Import,
    Literal,
    Loop,
    Parameter,
    Reference,
    Value,
)

_DEEPEST_SCOPE = 300  # scopes looked through outwards; people nest a dozen

MODULE = -1
"""The definition index of module level."""


class Scope:
    """One lexical scope: the names it binds, and the names used in it with the first place (line, definition)."""

    __slots__ = ("function", "names", "open", "parent", "uses")

    def __init__(self, parent: Scope | None, *, function: bool = False, open_ended: bool = False) -> None:
        self.parent = parent
        self.function = function
        self.open = open_ended  # names may come from elsewhere: a merged namespace
        self.names: dict[str, None] = {}
        self.uses: dict[str, tuple[int, int]] = {}


class Frame:
    """Where a node stands."""

    __slots__ = ("definition", "guarded", "jsx", "loop", "nesting", "scope")

    def __init__(self, definition: int, scope: Scope, nesting: int, *, loop: bool, guarded: bool, jsx: bool) -> None:
        self.definition = definition
        self.scope = scope
        self.nesting = nesting
        self.loop = loop
        self.guarded = guarded
        self.jsx = jsx

    def block(self) -> Frame:
        """The frame of a block inside."""
        return Frame(self.definition, Scope(self.scope), self.nesting, loop=self.loop, guarded=self.guarded, jsx=self.jsx)

    def nested(self, *, loop: bool = False, guarded: bool = False) -> Frame:
        """The frame of a control structure inside."""
        return Frame(
            self.definition, Scope(self.scope), self.nesting + 1, loop=self.loop or loop, guarded=self.guarded or guarded, jsx=self.jsx
        )

    def guard(self) -> Frame:
        """The same place under an error handler."""
        return self if self.guarded else Frame(self.definition, self.scope, self.nesting, loop=self.loop, guarded=True, jsx=self.jsx)

    def markup(self) -> Frame:
        """The same place inside mark-up."""
        return Frame(self.definition, self.scope, self.nesting, loop=self.loop, guarded=self.guarded, jsx=True)


class Use:
    """What becomes of an expression's value. `name` is for a function's definition; `inline` a callback that runs where it stands."""

    __slots__ = ("awaited", "default", "inline", "loops", "name", "target", "used")

    def __init__(
        self,
        target: str = "",
        name: str = "",
        *,
        awaited: bool = False,
        used: bool = True,
        inline: bool = False,
        loops: bool = False,
        default: Value | None = None,
    ) -> None:
        self.target = target
        self.name = name
        self.awaited = awaited
        self.used = used
        self.inline = inline
        self.loops = loops
        self.default = default

    def under_await(self) -> Use:
        """The same use of an awaited expression."""
        return Use(self.target, awaited=True, used=self.used, default=self.default)

    def falling_back(self, default: Value) -> Use:
        """The same use with a fallback value."""
        return Use(self.target, used=self.used, default=default)


class Decorated(Use):
    """The use of a method or an exported class that has decorators in front of it."""

    __slots__ = ("decorators",)

    def __init__(self, decorators: tuple[Call, ...], name: str = "") -> None:
        super().__init__(name=name)
        self.decorators = decorators


PLAIN = Use()
UNUSED = Use(used=False)


class Draft:
    """A definition while its body is being read."""

    __slots__ = ("bases", "complexity", "decorators", "end_line", "first_line", "is_async", "kind", "line", "name", "nesting", "parameters", "parent", "qualname")  # fmt: skip

    def __init__(self, kind: DefinitionKind, name: str, *, qualname: str, line: int, end_line: int, parent: int) -> None:
        self.kind = kind
        self.name = name
        self.qualname = qualname
        self.line = line
        self.first_line = line
        self.end_line = end_line
        self.parent = parent
        self.parameters: tuple[Parameter, ...] = ()
        self.decorators: tuple[Call, ...] = ()
        self.bases: tuple[str, ...] = ()
        self.is_async = False
        self.complexity = 1
        self.nesting = 0

    def finished(self, *, exported: bool, code: int, markup: int, text: int, docstring: str) -> Definition:
        """The definition as a fact."""
        return Definition(
            kind=self.kind,
            name=self.name,
            qualname=self.qualname,
            line=self.line,
            end_line=self.end_line,
            parent=self.parent,
            parameters=self.parameters,
            decorators=self.decorators,
            bases=self.bases,
            is_async=self.is_async,
            exported=exported,
            code_lines=code,
            jsx_lines=markup,
            string_lines=text,
            complexity=self.complexity,
            nesting=self.nesting,
            docstring=docstring,
        )


Handle = Callable[["Walk", Node, Frame, Use], None]


class Walk:
    """State of one walk: what is still to be read, and the facts found."""

    def __init__(self, source: bytes, language: Language, handlers: dict[str, Handle]) -> None:
        self.source = source
        self.language = language
        self.values = Values(source)
        self.root = Scope(None, function=True)
        self.scopes: list[Scope] = [self.root]
        self.definitions: list[Draft] = []
        self.imports: list[Import] = []
        self.exports: list[Export] = []
        self.calls: list[Call] = []
        self.assignments: list[Assignment] = []
        self.handlers: list[Handler] = []
        self.environment: list[EnvironmentRead] = []
        self.literals: list[Literal] = []
        self.raises: list[Assignment] = []
        self.returns: list[Assignment] = []
        self.loops: list[Loop] = []
        self.branches: list[Branch] = []
        self.elements: list[Reference] = []
        self.controls: list[Control] = []
        self.directives: list[str] = []
        self.constants: dict[str, str] = {}
        self.environment_names: set[bytes] = {b"process.env", b"import.meta.env", b"Bun.env", b"globalThis.process.env"}
        self.probed: set[str] = set()
        self.kept_types: set[str] = set()
        self.exported: set[str] = set()
        self.exported_values: dict[str, int] = {}
        self.elidable: set[int] = set()
        self.imported_calls: set[int] = set()
        self.scoped = True
        self.strict = False
        self.reads_environment = b"env" in source
        lines = source.count(b"\n") + 2
        self.markup_lines = bytearray(lines)
        self.text_lines = bytearray(lines)
        self._stack: list[tuple[Node, Frame, Use]] = []
        self._types = handlers

    def run(self, node: Node) -> None:
        """Read everything below `node`."""
        stack, types = self._stack, self._types
        stack.append((node, Frame(MODULE, self.root, 0, loop=False, guarded=False, jsx=False), PLAIN))
        while stack:
            current, frame, use = stack.pop()
            handler = types.get(current.type)
            if handler is not None:
                handler(self, current, frame, use)
            else:
                for child in current.named_children[::-1]:
                    stack.append((child, frame, PLAIN))

    def later(self, node: Node | None, frame: Frame, use: Use = PLAIN) -> None:
        """Read a node next; what is asked for last is read first."""
        if node is not None:
            self._stack.append((node, frame, use))

    def children(self, node: Node, frame: Frame, use: Use = PLAIN) -> None:
        """Read all children of a node next, in their order."""
        stack = self._stack
        for child in node.named_children[::-1]:
            stack.append((child, frame, use))

    # -- scopes --------------------------------------------------------------------------------------------------------------------

    def declare(self, name: str, scope: Scope, *, hoisted: bool = False) -> None:
        """Bind a name in a scope; a hoisted one also in the function around it."""
        scope.names[name] = None
        if hoisted:
            inner = scope
            while not inner.function and inner.parent is not None:
                inner = inner.parent
            inner.names[name] = None

    def mention(self, name: str, node: Node, frame: Frame) -> None:
        """Note that a name is used at a place."""
        uses = frame.scope.uses
        if name not in uses:
            if not uses:
                self.scopes.append(frame.scope)
            uses[name] = (node.start_point[0] + 1, frame.definition)

    def bind(self, pattern: Node, frame: Frame, *, hoisted: bool = False) -> None:
        """Declare the names of a binding pattern; defaults and computed keys inside it are read as expressions."""
        pending = [pattern]
        while pending:
            node = pending.pop()
            kind = node.type
            if kind in _BINDING_NAMES:
                self.declare(self.values.text(node), frame.scope, hoisted=hoisted)
            elif kind in {"assignment_pattern", "object_assignment_pattern"}:
                self.later(node.child_by_field_name("right"), frame)
                pending.extend(part for part in (node.child_by_field_name("left"),) if part is not None)
            elif kind == "pair_pattern":
                key, value = node.child_by_field_name("key"), node.child_by_field_name("value")
                if key is not None and key.type == "computed_property_name":
                    self.later(key, frame)
                pending.extend(part for part in (value,) if part is not None)
            elif kind in {"required_parameter", "optional_parameter"}:
                self.later(node.child_by_field_name("value"), frame)
                pending.extend(part for part in (node.child_by_field_name("pattern"),) if part is not None)
            elif kind in {"object_pattern", "array_pattern", "rest_pattern"}:
                pending.extend(reversed(node.named_children))
            elif kind in {"member_expression", "subscript_expression"}:
                self.later(node, frame)

    def bound_names(self, pattern: Node) -> tuple[tuple[str, str], ...]:
        """(property, local name) of an object pattern; the property is "*" where it is not a plain name."""
        found: list[tuple[str, str]] = []
        for child in pattern.named_children[:200]:
            kind = child.type
            inner: Node | None = child
            name = "*"
            if kind == "pair_pattern":
                name = self.values.key(child.child_by_field_name("key"))
                inner = child.child_by_field_name("value")
            elif kind == "rest_pattern":
                inner = child.named_child(0)
            for _ in range(MAX_DEPTH):
                if inner is None or inner.type not in {"assignment_pattern", "object_assignment_pattern"}:
                    break
                inner = inner.child_by_field_name("left")
            if inner is not None and inner.type in _BINDING_NAMES:
                local = self.values.text(inner)
                found.append((local if kind not in {"pair_pattern", "rest_pattern"} else name, local))
            elif inner is not None and kind == "pair_pattern":
                found.append((name, self.values.text(inner)[:80]))
        return tuple(found)

    def bound_leaves(self, pattern: Node) -> list[str]:
        """Every name a binding pattern binds."""
        leaves = (leaf for leaf in self.values.below(pattern, 1000) if leaf.type in _BINDING_NAMES)
        return [self.values.text(leaf) for leaf in leaves]

    def free(self) -> Iterable[tuple[str, int, int]]:
        """Every name used in a scope and bound in none around it: (name, line, definition), in source order."""
        missing: list[tuple[int, str, int]] = []
        for scope in self.scopes:
            for name, (line, definition) in scope.uses.items():
                inner: Scope | None = scope
                depth = 0
                while inner is not None and name not in inner.names and not inner.open and depth < _DEEPEST_SCOPE:
                    inner = inner.parent
                    depth += 1
                if inner is None:
                    missing.append((line, name, definition))
        return [(name, line, definition) for line, name, definition in sorted(set(missing))]

    def used_values(self) -> set[str]:
        """Names used as values anywhere that module scope binds."""
        found: set[str] = set()
        for scope in self.scopes:
            for name in scope.uses:
                inner: Scope | None = scope
                depth = 0
                while inner is not None and name not in inner.names and depth < _DEEPEST_SCOPE:
                    inner = inner.parent
                    depth += 1
                if inner is None or inner.parent is None or depth == _DEEPEST_SCOPE:
                    found.add(name)
        return found

    def is_environment(self, node: Node) -> bool:
        """Whether an expression is the environment itself: `process.env` or another name for it."""
        return self.source[node.start_byte : node.end_byte] in self.environment_names

    # -- definitions ---------------------------------------------------------------------------------------------------------------

    def define(self, kind: DefinitionKind, name: str, node: Node, frame: Frame) -> int:
        """Open a definition and give its index."""
        outer = self.definitions[frame.definition].qualname if frame.definition >= 0 else ""
        qualname = f"{outer}.{name}" if outer and name else outer or name
        line, end = node.start_point[0] + 1, end_line_of(node)
        self.definitions.append(Draft(kind, name, qualname=qualname[-400:], line=line, end_line=end, parent=frame.definition))
        return len(self.definitions) - 1

    def decide(self, frame: Frame, count: int = 1) -> None:
        """Count decisions for the definition a place belongs to."""
        if frame.definition >= 0:
            self.definitions[frame.definition].complexity += count

    def deepen(self, frame: Frame) -> None:
        """Note how deep the control structures around a place are nested."""
        if frame.definition >= 0:
            draft = self.definitions[frame.definition]
            draft.nesting = max(draft.nesting, frame.nesting)


_BINDING_NAMES = frozenset({"identifier", "shorthand_property_identifier_pattern", "type_identifier"})


def decorators_of(node: Node) -> list[Node]:
    """The decorators that stand directly in a node."""
    return [child for child in node.named_children if child.type == "decorator"]


def decorator_call(walk: Walk, node: Node, frame: Frame) -> Call:
    """A decorator as a call; a bare one has no arguments."""
    inner = next((child for child in node.named_children if child.type != "comment"), node)
    line, end = inner.start_point[0] + 1, end_line_of(inner)
    if inner.type != "call_expression":
        return Call(walk.values.path(inner), (), line, end, frame.definition)
    arguments = tuple(Argument(name, value) for name, value in walk.values.arguments(inner))
    return Call(walk.values.callee(inner), arguments, line, end, frame.definition)
