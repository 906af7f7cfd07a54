"""A small intermediate form of code, the same for Python and JavaScript/TypeScript, on which values can be followed.

Only what the flow of values needs is kept: no types, no positions but lines. `flow_python` and `flow_script` produce it, `auditor.evidence.flow` reads it.
Nodes are plain slotted classes, not frozen: a large repository has millions of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

Constant = str | int | float | bool | None


@dataclass(slots=True, eq=False)
class Const:
    """A literal without parts."""

    value: Constant
    line: int


@dataclass(slots=True, eq=False)
class Name:
    """A variable."""

    id: str
    line: int


@dataclass(slots=True, eq=False)
class Attribute:
    """`base.name`; optional chaining and private names read the same."""

    base: Expression
    name: str
    line: int


@dataclass(slots=True, eq=False)
class Index:
    """`base[key]`; a slice has no key."""

    base: Expression
    key: Expression | None
    line: int


@dataclass(slots=True, eq=False)
class Call:
    """`function(arguments, keyword=value)`, also `new C()` (`creates`) and tagged templates (`tagged`: the parts are bound, not pasted)."""

    function: Expression
    arguments: tuple[Expression, ...]
    keywords: tuple[tuple[str, Expression], ...]
    line: int
    end_line: int
    tagged: bool = False
    creates: bool = False


@dataclass(slots=True, eq=False)
class Template:
    """Text put together from parts: f-strings, template literals, `+` and `%` with text."""

    parts: tuple[Expression, ...]
    line: int


@dataclass(slots=True, eq=False)
class Operation:
    """Any other operator; `operator` as in Python ("and", "or", "not", "==", "in", "+", ...); `??` and `||` are "or", `&&` is "and"."""

    operator: str
    operands: tuple[Expression, ...]
    line: int


@dataclass(slots=True, eq=False)
class Choice:
    """`then if test else other`."""

    test: Expression
    then: Expression
    other: Expression
    line: int


@dataclass(slots=True, eq=False)
class Sequence:
    """List, tuple, set or array; entries may be `Spread`."""

    items: tuple[Expression, ...]
    line: int


@dataclass(slots=True, eq=False)
class Mapping:
    """Dict or object; key None marks a spread."""

    entries: tuple[tuple[Expression | None, Expression], ...]
    line: int


@dataclass(slots=True, eq=False)
class Spread:
    """`*value`, `...value`."""

    value: Expression
    line: int


@dataclass(slots=True, eq=False)
class Comprehension:
    """`[element for target in iterable if condition]`; nested generators are nested in `element`."""

    target: Expression
    iterable: Expression
    conditions: tuple[Expression, ...]
    element: Expression
    line: int


@dataclass(slots=True, eq=False)
class Binding:
    """An assignment that is an expression: `(x := value)`, JavaScript's `x = value`."""

    target: Expression
    value: Expression
    line: int


@dataclass(slots=True, eq=False)
class Parameter:
    """One parameter of a function; `pattern` for destructured ones; `annotation` as text."""

    name: str
    annotation: str = ""
    default: Expression | None = None
    pattern: Expression | None = None
    kind: str = ""  # "", "*", "**"


@dataclass(slots=True, eq=False)
class Function:
    """A function, method, lambda or arrow function. `decorators` are expressions; `owner` is the name of the class around it or ""."""

    name: str
    parameters: tuple[Parameter, ...]
    body: tuple[Statement, ...]
    line: int
    end_line: int
    decorators: tuple[Expression, ...] = ()
    owner: str = ""
    is_async: bool = False


@dataclass(slots=True, eq=False)
class Other:
    """An expression of another kind; its parts still carry their values."""

    parts: tuple[Expression, ...]
    line: int


Expression = (
    Const
    | Name
    | Attribute
    | Index
    | Call
    | Template
    | Operation
    | Choice
    | Sequence
    | Mapping
    | Spread
    | Comprehension
    | Binding
    | Function
    | Other
)


@dataclass(slots=True, eq=False)
class Assign:
    """`target = value`; targets may be patterns (`Sequence`, `Mapping`). `operator` is set for augmented assignment ("+")."""

    target: Expression
    value: Expression
    line: int
    operator: str = ""


@dataclass(slots=True, eq=False)
class Evaluate:
    """An expression for its effect."""

    value: Expression
    line: int


@dataclass(slots=True, eq=False)
class If:
    """A branch."""

    test: Expression
    then: tuple[Statement, ...]
    other: tuple[Statement, ...]
    line: int


@dataclass(slots=True, eq=False)
class Loop:
    """`for target in iterable` or, without them, `while test`."""

    target: Expression | None
    iterable: Expression | None
    test: Expression | None
    body: tuple[Statement, ...]
    other: tuple[Statement, ...]
    line: int


@dataclass(slots=True, eq=False)
class Try:
    """`handlers` are (name of the error or "", body)."""

    body: tuple[Statement, ...]
    handlers: tuple[tuple[str, tuple[Statement, ...]], ...]
    other: tuple[Statement, ...]
    final: tuple[Statement, ...]
    line: int


@dataclass(slots=True, eq=False)
class With:
    """`with value as target`."""

    bindings: tuple[tuple[Expression, Expression | None], ...]
    body: tuple[Statement, ...]
    line: int


@dataclass(slots=True, eq=False)
class Match:
    """`match`/`switch`: each case has the constants it matches (None = not only constants, () = default), a guard and a body that may fall through."""

    subject: Expression
    cases: tuple[tuple[tuple[Constant, ...] | None, Expression | None, tuple[Statement, ...]], ...]
    line: int
    falls_through: bool = False


@dataclass(slots=True, eq=False)
class Leave:
    """`return` (value or None), `raise`/`throw` ("raise"), `break`, `continue`."""

    kind: str
    value: Expression | None
    line: int


@dataclass(slots=True, eq=False)
class Import:
    """`name` now stands for `member` of the module `origin` ("" = the module itself); in Python the dotted `origin` may include the member."""

    name: str
    origin: str
    line: int
    member: str = ""

    @property
    def path(self) -> str:
        """Module and member as one dotted path."""
        return f"{self.origin}.{self.member}" if self.member else self.origin


@dataclass(slots=True, eq=False)
class Class:
    """A class: base expressions, decorators, methods and class-level statements; `fields` are the annotated names in its body with their types as text."""

    name: str
    bases: tuple[Expression, ...]
    body: tuple[Statement, ...]
    line: int
    decorators: tuple[Expression, ...] = ()
    fields: tuple[tuple[str, str], ...] = ()


Statement = Assign | Evaluate | If | Loop | Try | With | Match | Leave | Import | Class | Function


@dataclass(slots=True, eq=False)
class Module:
    """A whole file."""

    path: str
    body: tuple[Statement, ...]
    exports: dict[str, str] = field(default_factory=dict)
    """JavaScript: exported name -> local name."""
    reexports: tuple[str, ...] = ()
    """JavaScript: modules all of whose names are exported again."""


def added(values: tuple[Expression, ...], line: int) -> Expression:
    """`a + b + c`: a text with holes as soon as one operand is a text, else an operation."""
    if any(isinstance(value, Template) or (isinstance(value, Const) and isinstance(value.value, str)) for value in values):
        return Template(values, line)
    return Operation("+", values, line)
