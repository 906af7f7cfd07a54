"""Facts of one source file, the same for Python, JavaScript, TypeScript and TSX (and the script parts of Vue and Svelte files).

Every fact has a 1-based `line`; `scope` is an index into `FileFacts.definitions` of the innermost function, method or class that
holds the place, -1 for module level. Texts are source text with white space folded, cut at `TEXT_LIMIT` characters.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

TEXT_LIMIT = 240
"""Longest source text kept for one expression, in characters."""


class ValueKind(StrEnum):
    """What an expression is made of."""

    STRING = "string"  # a literal without interpolation (adjacent literals and constant `+` folded)
    TEMPLATE = "template"  # text assembled from parts: f-string, `${}`, "a" + b, "%s" % x, "{}".format(x)
    NUMBER = "number"
    BOOLEAN = "boolean"
    NONE = "none"  # None, null, undefined
    NAME = "name"  # identifier, attribute path or subscript of one
    CALL = "call"
    COLLECTION = "collection"  # list, tuple, set, dict, array, object
    FUNCTION = "function"  # lambda, arrow function, function expression
    OPERATION = "operation"  # any other operator expression: comparison, boolean, conditional, arithmetic
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Value:
    """An expression, as far as checks need to see it.

    `literal`: for STRING the decoded text; for TEMPLATE the constant pieces joined with "{}" at each hole; for NUMBER and
    BOOLEAN the source; for NAME the dotted path; for CALL the dotted callee. `names`: dotted paths that occur in it, in order,
    without duplicates, callees included. `items`: entries of a collection (key, value), key "" for elements of a list, "..." for a
    spread; what stands in the holes of a TEMPLATE; operands of an OPERATION with key = the operator ("or", "||", "??", "and", "?:", ...); arguments of a CALL (key = keyword
    or ""); nested at most three deep.
    """

    kind: ValueKind
    text: str
    literal: str = ""
    names: tuple[str, ...] = ()
    items: tuple[tuple[str, Value], ...] = ()

    def item(self, key: str) -> Value | None:
        """The first entry, keyword argument or property named `key`."""
        return next((value for name, value in self.items if name == key), None)


class ImportKind(StrEnum):
    """When an import takes effect."""

    IMPORT_TIME = "import-time"
    LAZY = "lazy"  # inside a function; dynamic import(), require() in a function, next/dynamic, React.lazy
    TYPE_ONLY = "type-only"  # under TYPE_CHECKING; `import type`


@dataclass(frozen=True, slots=True)
class Import:
    """One import or re-export statement of one module.

    `module` is as written: Python with its leading dots ("..pkg.mod", "." for `from . import x`), JS the specifier. `names` are
    (imported name, local name) pairs: ("*", local or "*") for a whole-module or star import, ("default", local) for a JS default
    import; empty for a side-effect import (`import "x"`); Python's `import a.b` is names=(("*", "a"),), `import a.b as c` is (("*", "c"),).
    `guarded`: inside a try whose handler catches the import's failure (ImportError, Exception, bare; any JS catch).
    `reexport`: JS `export ... from`. `from_form`: Python `from m import x`, where x may be a submodule.
    """

    module: str
    names: tuple[tuple[str, str], ...]
    kind: ImportKind
    line: int
    scope: int
    guarded: bool = False
    reexport: bool = False
    from_form: bool = False


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter; `kind` is "positional", "keyword", "args", "kwargs" or "destructured" (name = the pattern's text)."""

    name: str
    kind: str = "positional"
    annotation: str = ""
    default: Value | None = None


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a call; `name` is the keyword ("" positional, "*"/"**"/"..." unpacked)."""

    name: str
    value: Value


@dataclass(frozen=True, slots=True)
class Call:
    """One call or `new` expression.

    `callee` is the dotted path with calls inside the chain written `()` and subscripts `[]`: "requests.get", "z.object().parse",
    "supabase.from().select().eq", "new Pool" for constructors with `new`. `awaited`: directly under await. `target`: the name the
    result is bound to ("" when none; destructured: the pattern's text). `guarded`: inside a try body that has a handler (or a promise with
    `.catch` on it). `used`: the result is used (not an expression statement); `in_loop`: lexically inside a loop of the same function.
    `managed`: a Python `with` statement opens and closes the result.
    """

    callee: str
    arguments: tuple[Argument, ...]
    line: int
    end_line: int
    scope: int
    awaited: bool = False
    target: str = ""
    guarded: bool = False
    used: bool = True
    in_loop: bool = False
    managed: bool = False

    def argument(self, name: str, position: int = -1) -> Value | None:
        """The value of the keyword `name` ("" for none), or else of the positional argument at `position` (from 0)."""
        for argument in self.arguments:
            if name and argument.name == name:
                return argument.value
        positional = [argument.value for argument in self.arguments if argument.name == ""]
        return positional[position] if 0 <= position < len(positional) else None


class DefinitionKind(StrEnum):
    """What a definition defines."""

    FUNCTION = "function"
    METHOD = "method"
    CLASS = "class"


@dataclass(frozen=True, slots=True)
class Definition:
    """A function, method or class (JS: also arrow functions and function expressions; name = the binding, property or "").

    `qualname` joins the enclosing names with dots. `parent` is the index of the enclosing definition or -1. `code_lines` counts
    lines that hold code, blank and comment lines left out, nested definitions included; `jsx_lines` those of them that are only mark-up;
    `string_lines` those inside multi-line literals. `complexity` is McCabe's (1 + decisions: if, elif, for, while, except/catch,
    case, conditional expression, each boolean operator, comprehension condition; nested functions count for themselves only);
    `nesting` the deepest nesting of control structures. `bases`: superclasses as text. `exported`: JS export; Python: public
    module-level name. `decorators` are calls (a bare decorator has no arguments).
    """

    kind: DefinitionKind
    name: str
    qualname: str
    line: int
    end_line: int
    parent: int
    parameters: tuple[Parameter, ...] = ()
    decorators: tuple[Call, ...] = ()
    bases: tuple[str, ...] = ()
    is_async: bool = False
    exported: bool = False
    code_lines: int = 0
    jsx_lines: int = 0
    string_lines: int = 0
    complexity: int = 1
    nesting: int = 0
    docstring: str = ""


@dataclass(frozen=True, slots=True)
class Assignment:
    """A binding `target = value` (also attributes, class fields, object-pattern texts, annotated fields without value).

    Of `n += x` and `n++` the value is an OPERATION with the operator as written as the key of its items, the old value first.
    `decorators` of a JS/TS class field are calls, a bare one without arguments; `line` is then the first decorator's.
    """

    target: str
    value: Value | None
    line: int
    scope: int
    annotation: str = ""
    decorators: tuple[Call, ...] = ()


class HandlerEffect(StrEnum):
    """What the body of an error handler does, the strongest first."""

    RAISE = "raise"  # re-raises, throws, rejects, exits the process, calls next(error)
    REPORT = "report"  # logs through a logger or an error tracker, notifies the user, records the error
    ANSWER = "answer"  # turns it into an error answer or a value that carries the error
    PRINT = "print"  # print / console only
    RETURN_CONSTANT = "return-constant"  # None, [], {}, "", False, 0, a literal
    CONTINUE = "continue"
    EMPTY = "empty"  # pass, ..., {}, only a comment
    OTHER = "other"  # does something else: fallback computation, assignment


@dataclass(frozen=True, slots=True)
class Handler:
    """An `except`, `catch`, `.catch(...)` callback or `contextlib.suppress`.

    `types`: caught types as text, empty for a bare one. `binding`: the error's name or "". `uses_binding`: the body mentions it.
    `tried`: dotted callees of the guarded code (bounded at 40). `calls`: dotted callees of the body. `returned`: the value
    returned by the body, if any. `comment`: a comment stands in the body (a stated reason). `statements`: of the body.
    `tried_lines`: length of the guarded block in lines.
    """

    kind: str
    line: int
    end_line: int
    scope: int
    types: tuple[str, ...]
    binding: str
    uses_binding: bool
    effect: HandlerEffect
    tried: tuple[str, ...]
    calls: tuple[str, ...]
    returned: Value | None
    comment: bool
    statements: int
    tried_lines: int


@dataclass(frozen=True, slots=True)
class Branch:
    """An `if`, or an else-if by itself: `test` as text, `names` the dotted paths in it, callees included.

    It begins at `line`; `end_line` is the last line of what it does when the test holds, `last_line` the last of everything that depends on it.
    """

    test: str
    names: tuple[str, ...]
    line: int
    end_line: int
    last_line: int
    scope: int


@dataclass(frozen=True, slots=True)
class EnvironmentRead:
    """A setting read from the environment (os.environ, os.getenv, process.env, import.meta.env, Deno.env, decouple/environs/django-environ).

    `default` is the fallback value or None; `required`: a missing value raises (os.environ["X"], env("X") without default).
    """

    name: str
    default: Value | None
    required: bool
    line: int
    scope: int
    target: str = ""


@dataclass(frozen=True, slots=True)
class Loop:
    """A `for`, `while` or `do` statement.

    `header` is its text in front of the body (of a `do`, its condition), cut. `endless`: nothing in the header ends it (`while True`, `for (;;)`);
    `exits` are then the lines of a `return`, or of a `break` of its own, in the body.
    """

    header: str
    line: int
    end_line: int
    scope: int
    endless: bool = False
    exits: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Literal:
    """A string literal or template of at least 4 characters that is not a docstring (`text` cut at 400 characters)."""

    text: str
    line: int
    scope: int
    template: bool = False


@dataclass(frozen=True, slots=True)
class Assertion:
    """A Python `assert`. `trivial`: it can never fail (`assert True`, `assert x == x`, a non-empty tuple or string)."""

    text: str
    trivial: bool
    line: int
    scope: int


@dataclass(frozen=True, slots=True)
class Export:
    """A JS/TS export: `name` ("default", "*", or a name), `local` the local name, `module` the source of a re-export or ""."""

    name: str
    local: str
    module: str
    line: int
    type_only: bool = False


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment, its marker stripped, cut at `TEXT_LIMIT` characters; consecutive line comments stay separate."""

    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Reference:
    """A use of a name: `name` is the identifier used."""

    name: str
    line: int
    scope: int


@dataclass(frozen=True, slots=True)
class Control:
    """An element of JSX mark-up that leads somewhere or does something when it is used: it has `href`, `to`, `onClick`, `onPress` or `onSubmit`.

    `element`: its tag as written. `attributes`: (name, source text without quotes or braces, cut at 120 characters), "" for one without a value and the name
    "..." for a spread. `text`: what stands directly in it, expressions as "{}".
    """

    element: str
    attributes: tuple[tuple[str, str], ...]
    text: str
    line: int
    scope: int

    def attribute(self, name: str) -> str | None:
        """The source text of an attribute, None where the element has none of that name."""
        return next((value for key, value in self.attributes if key == name), None)


@dataclass(frozen=True, slots=True)
class FileFacts:
    """All facts of one file; order is source order everywhere.

    `directives`: "use client", "use server", "@jsx", "# type: ignore"-like file pragmas. `undefined`: names used and never bound in the
    file, its builtins or known globals (empty when `scoped` is False, i.e. scoping could not be decided, for instance after a star import). `bound`: names bound at module level.
    `raises`: line and text of raise/throw statements as assignments of target "raise". `main_guard`: line of
    `if __name__ == "__main__"` (0 = none); what stands inside it has a line in `main_lines` (start, end).
    `code_lines`: lines that hold code. `error_line`: first line the parser could not read, 0 when the file parses.
    """

    path: str
    imports: tuple[Import, ...] = ()
    definitions: tuple[Definition, ...] = ()
    calls: tuple[Call, ...] = ()
    assignments: tuple[Assignment, ...] = ()
    handlers: tuple[Handler, ...] = ()
    environment: tuple[EnvironmentRead, ...] = ()
    literals: tuple[Literal, ...] = ()
    assertions: tuple[Assertion, ...] = ()
    exports: tuple[Export, ...] = ()
    comments: tuple[Comment, ...] = ()
    raises: tuple[Assignment, ...] = ()
    returns: tuple[Assignment, ...] = ()
    branches: tuple[Branch, ...] = ()
    directives: tuple[str, ...] = ()
    bound: tuple[str, ...] = ()
    undefined: tuple[Reference, ...] = ()
    elements: tuple[Reference, ...] = ()
    controls: tuple[Control, ...] = ()
    loops: tuple[Loop, ...] = ()
    scoped: bool = True
    main_lines: tuple[int, int] = (0, 0)
    code_lines: int = 0
    error_line: int = 0


@dataclass(frozen=True, slots=True)
class Syntax:
    """The facts of every source file in a read language, by path; files that do not parse are here with what could be read."""

    files: dict[str, FileFacts]

    def of(self, paths: frozenset[str]) -> tuple[FileFacts, ...]:
        """The facts of the given paths, in path order."""
        return tuple(self.files[path] for path in sorted(paths) if path in self.files)
