"""What the engine asks of a language's tables, and what it tells them of a call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from auditor.evidence.flow.shapes import Step
from auditor.evidence.flow.values import NOTHING, Mark, Scope, Shape, Value
from auditor.languages import flow_ir as ir

Harm = tuple[str, str, Value]
"""A value where it can do harm: the weakness, the rule, and the value, which is harmless unless a mark of it says otherwise."""


@dataclass(frozen=True, slots=True)
class Flow:
    """A value from outside that arrives where it does harm."""

    weakness: str
    rule: str
    path: str
    line: int
    end_line: int
    callee: str
    mark: Mark


@dataclass(slots=True)
class Arguments:
    """The values of a call's arguments, and the call itself."""

    call: ir.Call
    path: str
    receiver: Value
    positional: tuple[Value, ...]
    named: dict[ir.Constant, Value]
    function: Value = NOTHING

    def get(self, position: int, *names: str) -> Value:
        """The argument at `position` or under one of `names`; bottom when it is not given."""
        for name in names:
            if name in self.named:
                return self.named[name]
        return self.positional[position] if 0 <= position < len(self.positional) else NOTHING

    @property
    def every(self) -> tuple[Value, ...]:
        """All argument values."""
        return (*self.positional, *self.named.values())

    @property
    def known(self) -> bool:
        """Whether every piece of every argument was seen."""
        return all(part.known for value in self.every for part in value.parts())


@dataclass(frozen=True, slots=True)
class Parsing:
    """A value sent through a schema; the result holds what is left of it in each of `fields`, or is it when there are none. `model`: the class of a result that has methods."""

    shape: Shape
    value: Value
    fields: tuple[str, ...]
    model: Value = NOTHING


class Language(Protocol):
    """The tables of one language and its frameworks."""

    setters: frozenset[str]
    """Methods that store their last argument under the others ("set(section, key, value)")."""
    keyed: frozenset[str]
    """Objects whose `get` takes several keys."""
    leaving: frozenset[str]
    """Paths of calls that never return ("flask.abort()")."""
    whole_callbacks: frozenset[str]
    """Methods whose function gets the receiver itself and gives the result ("then")."""
    answers: frozenset[str]
    """Calls that make an answer whose type may be set afterwards."""
    callbacks: frozenset[str]
    """Methods that call the function they are handed, whatever they are a method of ("map", "forEach")."""
    matching: str
    """Path of a call that tries a pattern, its receiver, on a text."""

    def source(self, value: Value, line: int) -> Value:
        """The value of a name or attribute path that may stand for something from outside."""

    def entry(self, function: ir.Function, decorators: tuple[Value, ...], owner_bases: tuple[Value, ...]) -> dict[str, Value]:
        """The marks of the parameters that a framework fills."""

    def operator(self, sign: str, values: tuple[Value, ...]) -> Value | None:
        """The result of an operator with a meaning of its own for these values, None for the usual one."""

    def transfer(self, arguments: Arguments) -> Value | None:
        """The result of a call of a known function, None for the default (it carries what goes in)."""

    def pasted(self, value: Value) -> Value:
        """What becomes of a value that is pasted into a text."""

    def schema(self, arguments: Arguments) -> Value | None:
        """The schema a call makes of its arguments or of its receiver, None for every other call."""

    def parsing(self, arguments: Arguments) -> Parsing | None:
        """What a call sends through which schema, None for every other call."""

    def annotated(self, annotation: str, scope: Scope) -> Shape | None:
        """What a framework lets through where a parameter has this type, None for a type it does not check."""

    def declared(self, arguments: Arguments) -> dict[str, Shape]:
        """What a call that registers a handler says of the parts of its requests; empty for every other call."""

    def received(self, request: Value, shapes: Mapping[str, Shape], step: Step) -> Value:
        """A request whose parts went through the shapes its route declares."""

    def own_function(self, arguments: Arguments, result: Value) -> Value:
        """The result of a function of the audited code, as far as its name says more than its body."""

    def sinks(self, arguments: Arguments) -> Iterable[Harm]:
        """What a call does harm with, whether or not anything outside is in it."""

    def returned(self, function: ir.Function, decorators: tuple[Value, ...], value: Value) -> Iterable[Harm]:
        """What a route handler's answer does harm with."""

    def assigned(self, target: Value, key: Value | None, value: Value) -> Iterable[Harm]:
        """What an assignment to an attribute or entry does harm with."""

    def withdraws(self, target: Value, key: Value, value: Value) -> str:
        """The weakness that an assignment shows not to be one after all (an answer gets a type no browser renders), "" for none."""

    def proves(self, arguments: Arguments, *, outcome: bool) -> Iterable[tuple[Value, frozenset[str]]]:
        """What a call used as a condition proves harmless when it answers `outcome`: (value, weaknesses)."""

    def loads(self, arguments: Arguments) -> str:
        """The module a call loads (`require("x")`), "" for every other call."""

    def globals(self) -> dict[str, Value]:
        """Variables every file starts with."""

    def converts(self, arguments: Arguments) -> bool:
        """Whether the call raises unless its argument is harmless (a number, an id)."""


WITHOUT: dict[str, frozenset[str]] = {
    "..": frozenset({"path"}),
    "../": frozenset({"path"}),
    "'": frozenset({"sql", "xpath", "without '"}),
    '"': frozenset({"sql", "xpath", 'without "'}),
    "<": frozenset({"markup"}),
}
"""What a text without these characters can no longer do."""


def last_name(path: str) -> str:
    """The last name of a dotted path, or the name of a variable nothing is known of."""
    return path.rsplit(".", maxsplit=1)[-1].lstrip("~")
