"""Functions handed to methods that call them: with each member of a list, with the list as it grows, with a part of a text."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace

from auditor.evidence.flow.language import Arguments, last_name
from auditor.evidence.flow.objects import members
from auditor.evidence.flow.schemas import Schemas
from auditor.evidence.flow.values import ANY, HARMLESS, HOLE, NOTHING, UNSET, Closure, Value, finer, join, text_of
from auditor.languages import flow_ir as ir

_MAPS, _SORTS, _FINDS = frozenset({"map", "flatMap"}), frozenset({"sort", "toSorted"}), frozenset({"find", "findLast"})
_ANSWERS = frozenset({"forEach", "some", "every", "findIndex", "findLastIndex"})
_GATHERS, _REPLACES = frozenset({"reduce", "reduceRight"}), frozenset({"replace", "replaceAll"})
_ITERATES = _MAPS | _SORTS | _FINDS | _ANSWERS | _GATHERS | {"filter"}
_PARTS = 6
"""Parts of a match that the function of a replacement gets."""


class Callbacks(Schemas):
    """Enters functions that are handed over, and gives what the method makes of their results."""

    @abstractmethod
    def call_back(self, closure: Closure, arguments: Arguments) -> Value:
        """Enter a function that was handed over."""

    def enter_callbacks(self, arguments: Arguments) -> Value | None:
        """The result of a method that calls a function it was handed; None for every other call."""
        given = [value.closure for value in arguments.positional if value.closure is not None]
        name, receiver = last_name(arguments.path), arguments.receiver
        if not given or not (receiver.every_mark or receiver.items or name in self.language.callbacks):
            return None
        if name in self.language.callbacks & _REPLACES:
            part = replace(finer(receiver, ""), known=receiver.known, composed=receiver.owned)
            made = self._call(given[0], arguments.call, *[part] * _PARTS)
            return replace(text_of([receiver, made]), skeleton=receiver.skeleton, const=UNSET)
        if name in self.language.whole_callbacks:
            return self._call(given[0], arguments.call, receiver) if receiver.every_mark else None
        if name in self.language.callbacks & _ITERATES:
            return self._iterated(name, given[0], arguments)
        for closure in given if receiver.every_mark else ():
            self._call(closure, arguments.call, members(receiver))
        return None

    def _iterated(self, name: str, closure: Closure, arguments: Arguments) -> Value:
        receiver, call = arguments.receiver, arguments.call
        member = members(receiver)
        if name in _GATHERS:
            return self._gathered(closure, arguments, member)
        result = self._call(closure, call, *((member, member) if name in _SORTS else (member, HARMLESS, receiver)))
        if name in _MAPS:
            return Value(items={ANY: members(result) if name == "flatMap" and result.items else result}, known=True)
        if name in _ANSWERS:
            return HARMLESS
        kept = member if name in _SORTS else self._kept(closure, member)
        if name in _FINDS:
            return kept
        return replace(receiver, items={ANY: kept}, marks=kept.marks, skeleton=HOLE) if receiver.items or receiver.marks else receiver

    def _gathered(self, closure: Closure, arguments: Arguments, member: Value) -> Value:
        start = arguments.get(1) if len(arguments.positional) > 1 else member
        result = start
        for _ in range(2):
            result = join(result, self._call(closure, arguments.call, result, member, HARMLESS))
        return result

    def _kept(self, closure: Closure, member: Value) -> Value:
        """A member that the function accepted."""
        body, parameters = closure.function.body, closure.function.parameters
        if len(body) == 1 and parameters and isinstance(body[0], ir.Leave) and body[0].value is not None:
            return self.tested(closure, body[0].value, member)
        return member

    def _call(self, closure: Closure, call: ir.Call, *given: Value) -> Value:
        return self.call_back(closure, Arguments(call, "", NOTHING, given, {}))
