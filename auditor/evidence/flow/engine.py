"""Follows values through one file: an abstract interpreter over `flow_ir`, the same for every language.

Functions of the file are entered where they are called (a few levels deep) and once on their own, with the parameters that
a framework fills marked as coming from outside. What is outside, dangerous, harmless or a check stands in the `Language` tables.
"""

from __future__ import annotations

import re
from dataclasses import replace

from auditor.evidence.flow.interpreter import Frame
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
        self.execute(module.body, Frame(scope))
        return scope

    # functions

    def _enter_alone(
        self, function: ir.Function, outer: Scope, decorators: tuple[Value, ...], bases: tuple[Value, ...], bound: Value | None
    ) -> None:
        """Follow a function as the framework, or anybody, would call it."""
        filled = self.language.entry(function, decorators, bases)
        scope = Scope({}, outer)
        frame = Frame(scope, function=function, decorators=decorators, answers=True)
        for number, parameter in enumerate(function.parameters):
            value = filled.get(parameter.name)
            if value is not None and value.marks and self._is_enumeration(parameter.annotation, outer):
                value = replace(value, marks=frozenset())
            if value is None:
                value = bound if bound is not None and number == 0 else self._unknown(parameter, function)
            self.bind_parameter(parameter, value, scope)
        self.follow(function, frame)

    @staticmethod
    def _is_enumeration(annotation: str, scope: Scope) -> bool:
        """Whether a parameter's type is an enumeration of the audited code: the framework refuses every other text."""
        names = [part for part in re.findall(r"\w+", annotation) if part not in {"Optional", "Annotated", "Union", "None", "Query", "Path"}]
        known = scope.get(names[0]) if names else None
        bases = known.blueprint.bases if known is not None and known.blueprint is not None else ()
        return any(re.search(r"(?:^|\.)~?\w*Enum$", base.path) for base in bases)

    def _unknown(self, parameter: ir.Parameter, function: ir.Function) -> Value:
        """A parameter nobody in sight fills: marked as unclear where the file shows mark-up, else as nothing."""
        marks = frozenset({Mark("unclear", function.line, parameter.name)}) if self.doubtful else frozenset()
        return Value(marks, path=f"~{parameter.name}")
