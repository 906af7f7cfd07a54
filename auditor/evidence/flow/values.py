"""The lattice values are followed on: where a value comes from, what is known of it, and how two ways to it are joined.

Bottom is a value with nothing outside in it; a join unites marks and forgets every fact on which the two sides differ. Marks only
ever grow under joins, and there are finitely many sources and weakness classes in a file, so following a loop twice reaches the fixed point of marks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import Final

from auditor.languages import flow_ir as ir

ALL: Final = frozenset({"*"})
"""Clean for every weakness: the text can only be one of a few harmless ones."""
QUOTED: Final = {quote: frozenset({f"begins {quote}", f"ends {quote}", f"without {quote}"}) for quote in "'\""}
"""What must be proven of a text for it to be one literal when it is run as code: it begins and ends with a quote and has none between."""
PROVEN: Final = "\x00proven"
"""Name of the variable that holds what has been checked so far, as cleaned marks."""
ANY: Final = "\x00any"
"""Key of the entries of a container whose position is not known."""
SETTING: Final = "setting"
"""Source of what the environment of the process says: who may set it has the passwords of every database the program can reach anyway."""
_QUERIES: Final = frozenset({"sql", "nosql", "ldap", "xpath"})
HOLE: Final = "{}"
OWN_HOLE: Final = "{_}"
"""A part of a text that is not known and does not come from outside."""
SKELETON_LIMIT: Final = 600
_PART_OF_A_HOLE: Final = re.compile(r"\{_?$")
_VALUE_FOLLOWS: Final = re.compile(r"(?:['\"]%?|(?:[=<>]|\b(?:like|ilike|in|values|limit|offset))\s*)$", re.IGNORECASE)
"""The end of a query text after which a value stands, not a piece of the query's own language."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Something from outside: `source` names the kind ("request", "arguments", ...), `detail` the field; `clean` the weaknesses it can no longer cause."""

    source: str
    line: int
    detail: str = ""
    clean: frozenset[str] = frozenset()

    def cleaned(self, classes: frozenset[str]) -> Mark:
        """The same mark, harmless for further weaknesses."""
        if classes <= self.clean:
            return self
        clean = self.clean | classes
        return replace(self, clean=clean | {"code"} if any(facts <= clean for facts in QUOTED.values()) else clean)

    def harms(self, weakness: str) -> bool:
        """Whether it can still cause `weakness`."""
        return weakness not in self.clean and "*" not in self.clean and not (self.source == SETTING and weakness in _QUERIES)

    @property
    def origin(self) -> tuple[str, int, str]:
        """What stays the same when the mark is cleaned."""
        return self.source, self.line, self.detail


class Unset:
    """There is no known constant; a type of its own because None is a constant."""

    def __repr__(self) -> str:
        return "unset"


UNSET: Final = Unset()


@dataclass(frozen=True, slots=True)
class Closure:
    """A function of the audited code with the variables it was defined in; `bound` is the object of a method, `static` says that it gets none."""

    function: ir.Function
    scope: Scope
    bound: Value | None = None
    static: bool = False


@dataclass(frozen=True, slots=True)
class Blueprint:
    """A class of the audited code: its own methods and class variables, its bases as values, the types of its annotated fields."""

    name: str
    members: Mapping[ir.Constant, Value]
    bases: tuple[Value, ...]
    fields: tuple[tuple[str, str], ...] = ()
    scope: Scope | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """What is left of a value that went through a schema, which refuses everything else.

    `kind`: "any" (as it came), "text" (harmless for `clean`), "harmless" (a number, a date, one of a few texts), "object" (`fields`, and further ones
    if it is `open`), "list" (of `inner`), "union" (one of `choices`), "steps" (`inner`, then functions of the code that check or change it). `model` is the class that objects of this shape are made of.
    """

    kind: str
    clean: frozenset[str] = frozenset()
    fields: Mapping[ir.Constant, Shape] = field(default_factory=dict)
    open: bool = False
    inner: Shape | None = None
    choices: tuple[Shape, ...] = ()
    steps: tuple[tuple[str, Value], ...] = ()
    model: Blueprint | None = None


@dataclass(slots=True, eq=False)
class Scope:
    """Variables of a function or module; lookups go outwards. `file` is the path of the source, set on the outermost one."""

    variables: dict[str, Value] = field(default_factory=dict)
    outer: Scope | None = None
    file: str = ""

    @property
    def source(self) -> str:
        """The file this scope belongs to."""
        scope = self
        while scope.outer is not None:
            scope = scope.outer
        return scope.file

    def get(self, name: str) -> Value | None:
        """The value of a name here or further out."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.variables:
                return scope.variables[name]
            scope = scope.outer
        return None


@dataclass(frozen=True, slots=True)
class Value:
    """What is known of one value.

    `const`: the literal it is; `skeleton`: its text with `{}` for every part that is not constant; `path`: the dotted name of what it
    is, calls written `()` ("sqlite3.connect().cursor"); a path that begins with "~" is the name of a variable nothing is known of. `items`: entries of a container or attributes of an object; `shape`: of a schema, what it lets through.
    `written`: it is a text with words of the code in it; `composed`: what is not known of it stands inside of a text that another function wrote.
    `known`: every piece of it is a constant of the code, a number, or has a mark; else some piece comes from where nobody looked.
    """

    marks: frozenset[Mark] = frozenset()
    const: ir.Constant | Unset = UNSET
    skeleton: str = HOLE
    path: str = ""
    items: Mapping[ir.Constant, Value] | None = None
    closure: Closure | None = None
    blueprint: Blueprint | None = None
    known: bool = False
    shape: Shape | None = None
    written: bool = False
    composed: bool = False

    @property
    def owned(self) -> bool:
        """Whether what is not known of it stands inside of texts that functions of the code write."""
        return self.known or self.composed

    @property
    def every_mark(self) -> frozenset[Mark]:
        """Its own marks and those of everything in it."""
        if not self.items:
            return self.marks
        found = set(self.marks)
        pending = list(self.items.values())
        for _ in range(200):
            if not pending:
                break
            value = pending.pop()
            found |= value.marks
            pending.extend((value.items or {}).values())
        return frozenset(found)

    def harmful(self, weakness: str) -> tuple[Mark, ...]:
        """The marks that can cause `weakness`, in a fixed order."""
        return tuple(sorted((mark for mark in self.every_mark if mark.harms(weakness)), key=lambda mark: mark.origin))

    def settled(self, weakness: str) -> bool:
        """Whether every piece of it, entries included, was seen and can not cause `weakness`."""
        return all(part.known and not any(mark.harms(weakness) for mark in part.marks) for part in self.parts())

    def closed(self, weakness: str) -> bool:
        """Whether it cannot cause `weakness` as far as it was seen, and the rest is the matter of functions that write texts."""
        return all(part.owned and not any(mark.harms(weakness) for mark in part.marks) for part in self.parts())

    def parts(self) -> Iterator[Value]:
        """Itself and everything in it; where that is too much, something unknown at the end."""
        pending = [self]
        for _ in range(200):
            if not pending:
                return
            value = pending.pop()
            yield value
            pending.extend((value.items or {}).values())
        yield NOTHING

    def cleaned(self, classes: frozenset[str]) -> Value:
        """The value made harmless for some weaknesses, entries included."""
        items = {key: value.cleaned(classes) for key, value in self.items.items()} if self.items else self.items
        return replace(self, marks=frozenset(mark.cleaned(classes) for mark in self.marks), items=items)


NOTHING: Final = Value()
"""Nothing is known of it, and nothing outside is in it."""
HARMLESS: Final = Value(known=True)
"""Some number or answer: no text anybody chose."""


def constant(value: ir.Constant) -> Value:
    """The value of a literal."""
    text = value if isinstance(value, str) else HOLE if value is None else str(value)
    return Value(const=value, skeleton=text[:SKELETON_LIMIT], known=True, written=isinstance(value, str))


def join(one: Value, other: Value) -> Value:
    """What is known when either may be the case."""
    if one is other or one == other:
        return one
    return Value(
        marks=one.marks | other.marks,
        const=one.const if _same(one.const, other.const) else UNSET,
        skeleton=one.skeleton if one.skeleton == other.skeleton else _common(one, other),
        path=one.path if one.path == other.path else one.path or other.path if not (one.path and other.path) else "",
        items=_joined_items(one.items, other.items),
        closure=one.closure or other.closure,
        blueprint=one.blueprint or other.blueprint,
        known=one.known and other.known,
        written=(one.written or one.known) and (other.written or other.known) and (one.written or other.written),
        composed=one.owned and other.owned,
        shape=one.shape if other.shape is None or one.shape is other.shape else other.shape if one.shape is None else None,
    )


def _same(one: ir.Constant | Unset, other: ir.Constant | Unset) -> bool:
    return type(one) is type(other) and one == other


def _common(one: Value, other: Value) -> str:
    """The skeleton that holds the outside part (a constant on the other side, a default, says nothing against it), or how both begin."""
    if not one.marks and other.marks:
        return other.skeleton
    if not other.marks and one.marks:
        return one.skeleton
    alike = takewhile(lambda pair: pair[0] == pair[1], zip(one.skeleton, other.skeleton, strict=False))
    begins = _PART_OF_A_HOLE.sub("", "".join(letter for letter, _ in alike))
    return begins + (HOLE if one.marks else OWN_HOLE) if begins else HOLE


def _joined_items(one: Mapping[ir.Constant, Value] | None, other: Mapping[ir.Constant, Value] | None) -> Mapping[ir.Constant, Value] | None:
    if one is None or other is None:
        return one if other is None else other
    if one is other:
        return one
    return {key: join(one[key], other[key]) if key in one and key in other else one.get(key) or other[key] for key in {**one, **other}}


def join_all(values: Iterable[Value]) -> Value:
    """The join of all; bottom for none."""
    result: Value | None = None
    for value in values:
        result = value if result is None else join(result, value)
    return result or NOTHING


def join_variables(one: dict[str, Value], other: dict[str, Value]) -> dict[str, Value]:
    """The variables after a branch, either side of which may have been taken."""
    if one is other:
        return one
    result = dict(one)
    if PROVEN in one:
        result[PROVEN] = Value(one[PROVEN].marks & other[PROVEN].marks) if PROVEN in other else NOTHING
    for name, value in other.items():
        mine = one.get(name)
        if name == PROVEN:
            continue
        result[name] = value if mine is None or mine is value else join(mine, value)
    return result


def text_of(parts: Iterable[Value]) -> Value:
    """The text put together from parts: constant when all are, marked with what any of them carries."""
    marks: set[Mark] = set()
    pieces: list[str] = []
    constants, known, written, owned = True, True, False, True
    for part in parts:
        written = written or (part.written and part.skeleton != "")
        follows = part.composed and not part.known and pieces and _VALUE_FOLLOWS.search(pieces[-1])
        owned = owned and part.owned and not follows
        known = known and (part.known or not isinstance(part.const, Unset))
        marks |= part.every_mark
        pieces.append(OWN_HOLE if part.skeleton == HOLE and not part.every_mark else part.skeleton)
        constants = constants and not isinstance(part.const, Unset)
    skeleton = "".join(pieces)[:SKELETON_LIMIT]
    return Value(frozenset(marks), skeleton if constants else UNSET, skeleton, known=known, written=written, composed=owned)


def element(container: Value, key: ir.Constant | Unset = UNSET, detail: str = "") -> Value:
    """The entry of a container at `key` (any entry when the key is not known); a field of a marked value carries its mark, made finer."""
    if isinstance(container.const, str):
        if isinstance(key, int) and not isinstance(key, bool) and -len(container.const) <= key < len(container.const):
            return constant(container.const[key])
        return HARMLESS
    items = container.items
    own = finer(container, detail)
    if items is None:
        return own
    if not isinstance(key, Unset):
        if isinstance(key, int) and not isinstance(key, bool) and key < 0 and ANY not in items:
            key += len(items)
        if key in items:  # a field by its name is what was put there under that name, as where it is read with a dot
            return items[key] if ANY not in items or isinstance(key, str) else join(items[key], items[ANY])
        return (join(own, items[ANY]) if own.marks else items[ANY]) if ANY in items else own
    return join_all([*([own] if own.marks else []), *items.values()]) if items else own


def finer(value: Value, detail: str) -> Value:
    """A part of a marked value: the same marks, named after the part."""
    if not value.marks:
        return HARMLESS if value.known else NOTHING
    marks = frozenset(replace(mark, detail=f"{mark.detail}.{detail}".strip(".")[:80]) if detail else mark for mark in value.marks)
    return Value(marks, known=value.known)
