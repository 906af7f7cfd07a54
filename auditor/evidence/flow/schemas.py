"""Schemas: what a value is after a schema has looked at it, the schema's own checks and conversions followed where they are functions of the code."""

from __future__ import annotations

from dataclasses import replace

from auditor.evidence.flow.expressions import Expressions
from auditor.evidence.flow.interpreter import Frame
from auditor.evidence.flow.language import Arguments, Parsing
from auditor.evidence.flow.shapes import Step, looked_at, narrowed, refused
from auditor.evidence.flow.values import ALL, HARMLESS, NOTHING, PROVEN, Closure, Mark, Scope, Value
from auditor.languages import flow_ir as ir

_PROBE = Mark("probe", 0)


class Schemas(Expressions):
    """Sends values through schemas."""

    def parse(self, parsing: Parsing, call: ir.Call, frame: Frame) -> Value:
        """The result of a call that sends a value through a schema; what was sent is as narrow from here on, since the code looks at the answer."""
        step = self.step_of(call)
        result = narrowed(parsing.value, parsing.shape, step)
        self._looked_at(parsing, step, frame)
        if not parsing.fields:
            return result
        items: dict[ir.Constant, Value] = dict.fromkeys(parsing.fields, result)
        made = parsing.model
        if made.blueprint is None:
            return Value(items=items, known=result.known)
        return Value(path=f"{made.path}()", items={**made.blueprint.members, **items}, blueprint=made.blueprint)

    def _looked_at(self, parsing: Parsing, step: Step, frame: Frame) -> None:
        """What was sent is narrower in every variable that holds it, and where it is read again."""
        marks = parsing.value.marks
        if not marks:
            return
        origins = {mark.origin for mark in marks}
        proven = {part for mark in marks for part in refused(mark, parsing.shape)} | frame.scope.variables.get(PROVEN, NOTHING).marks
        frame.scope.variables = {
            name: looked_at(value, parsing.shape, step)
            if value.marks and value.items is None and {mark.origin for mark in value.marks} <= origins
            else value
            for name, value in frame.scope.variables.items()
        }
        frame.scope.variables[PROVEN] = Value(frozenset(proven))

    def step_of(self, call: ir.Call) -> Step:
        """How the functions of a schema are followed; `call` is where the value goes through it."""

        def step(kind: str, function: Value, value: Value) -> Value:
            if kind == "matches":
                return self._proven(Arguments(call, self.language.matching, function, (value,), {}), value)
            if kind == "refine":
                return self._accepted(function, value, call)
            given = Arguments(call, function.path, NOTHING, (value,), {})
            if function.closure is not None:
                return self.call_closure(function.closure, given)
            return self.language.transfer(given) or Value(value.every_mark)

        return step

    def _accepted(self, function: Value, value: Value, call: ir.Call) -> Value:
        """What a check of the code's own proves of the value it accepts: by its one expression, or else by its name."""
        closure = function.closure
        body = closure.function.body if closure is not None else ()
        if closure is not None and len(body) == 1 and closure.function.parameters and isinstance(body[0], ir.Leave) and body[0].value:
            return self.tested(closure, body[0].value, value)
        return self._proven(Arguments(call, function.path, NOTHING, (value,), {}), value)

    def tested(self, closure: Closure, test: ir.Expression, value: Value) -> Value:
        """The value where `test` is true; it carries a mark of its own meanwhile, so that a test of something unknown is seen too."""
        name = closure.function.parameters[0].name
        frame = Frame(Scope({name: replace(value, marks=value.marks | {_PROBE})}, closure.scope), function=closure.function)
        self.refine(test, frame, outcome=True)
        marks = frame.scope.variables[name].marks
        if any(mark.source == _PROBE.source and not mark.harms("") for mark in marks):
            return HARMLESS
        return replace(value, marks=frozenset(mark for mark in marks if mark.source != _PROBE.source))

    def _proven(self, arguments: Arguments, value: Value) -> Value:
        for subject, classes in self.language.proves(arguments, outcome=True) if arguments.path else ():
            if subject is value:
                value = HARMLESS if classes >= ALL else value.cleaned(classes)
                break
        return value
