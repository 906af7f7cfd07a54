"""Follows values through one file: an abstract interpreter over `flow_ir`, the same for every language.

Functions of the file are entered where they are called (a few levels deep) and once on their own, with the parameters that
a framework fills marked as coming from outside. What is outside, dangerous, harmless or a check stands in the `Language` tables.
"""

from __future__ import annotations

from auditor.evidence.flow.interpreter import Frame
from auditor.evidence.flow.shapes import narrowed
from auditor.evidence.flow.statements import Statements
from auditor.evidence.flow.values import Mark, Scope, Value
from auditor.languages import flow_ir as ir


class Engine(Statements):
    """The whole interpreter: follows one file, function by function."""

    def run(self, module: ir.Module) -> Scope:
        """Follow the whole file; returns its top-level variables.

        Raises:
            TooMuchError: the budget is spent.
        """
        scope = self.top_level(module)
        while self.pending:
            function, outer, decorators, bases, bound = self.pending.pop(0)
            self._enter_alone(function, outer, decorators, bases, bound)
        return scope

    def top_level(self, module: ir.Module) -> Scope:
        """Follow only what runs when the file is loaded."""
        scope = Scope(self.language.globals(), file=module.path)
        self.places.root = (module.path, 0, "")
        self.execute(module.body, Frame(scope))
        return scope

    # functions

    def _enter_alone(
        self, function: ir.Function, outer: Scope, decorators: tuple[Value, ...], bases: tuple[Value, ...], bound: Value | None
    ) -> None:
        """Follow a function as the framework, or anybody, would call it."""
        filled = self.language.entry(function, decorators, bases)
        self.places.root = (outer.source, function.line, function.name)
        if filled:
            self.places.entries.add(self.places.root)
        scope = Scope({}, outer)
        frame = Frame(scope, function=function, decorators=decorators, answers=True)
        for number, parameter in enumerate(function.parameters):
            value = filled.get(parameter.name)
            if value is not None and value.marks:
                value = self._let_through(value, parameter, function, outer)
                shapes = self.declared.get(function)
                if shapes and value.path.endswith(".request"):
                    value = self.language.received(value, shapes, self.step_of(_entering(function)))
            if value is None:
                value = bound if bound is not None and number == 0 else self._unknown(parameter, function)
            self.bind_parameter(parameter, value, scope)
        self.follow(function, frame)

    def _let_through(self, value: Value, parameter: ir.Parameter, function: ir.Function, scope: Scope) -> Value:
        """What a framework lets through of a value that it fills a parameter with, by the parameter's type and by what its default says."""
        call = _entering(function)
        default = self.evaluate(parameter.default, Frame(scope)).shape if isinstance(parameter.default, ir.Call) else None
        for shape in (self.language.annotated(parameter.annotation, scope) if parameter.annotation else None, default):
            value = value if shape is None else narrowed(value, shape, self.step_of(call))
        return value

    def _unknown(self, parameter: ir.Parameter, function: ir.Function) -> Value:
        """A parameter nobody in sight fills: marked as unclear where the file shows mark-up, else as nothing."""
        marks = frozenset({Mark("unclear", function.line, parameter.name)}) if self.doubtful else frozenset()
        return Value(marks, path=f"~{parameter.name}")


def _entering(function: ir.Function) -> ir.Call:
    """The call by which a framework runs a function."""
    return ir.Call(ir.Name(function.name, function.line), (), (), function.line, function.line)
