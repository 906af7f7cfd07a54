"""Conditions: what a test that turned out true or false proves of the values it looked at."""

from __future__ import annotations

from dataclasses import replace

from auditor.evidence.flow.interpreter import Frame, Interpreter
from auditor.evidence.flow.kept_tests import kept_tests
from auditor.evidence.flow.language import WITHOUT
from auditor.evidence.flow.values import ALL, PROVEN, Unset, Value
from auditor.languages import flow_ir as ir


class Conditions(Interpreter):
    """Refines the variables of a frame by conditions."""

    def refine(self, test: ir.Expression, frame: Frame, *, outcome: bool) -> None:
        """What is known of the variables when `test` turned out true or false."""
        match test:
            case ir.Operation(operator="not"):
                self.refine(test.operands[0], frame, outcome=not outcome)
            case ir.Operation(operator="and") if outcome:
                for part in test.operands:
                    self.refine(part, frame, outcome=True)
            case ir.Operation(operator="or") if not outcome:
                for part in test.operands:
                    self.refine(part, frame, outcome=False)
            case ir.Operation(operator="in" | "not in" | "not  in") if len(test.operands) == 2:
                self._refine_membership(test, frame, inside=(test.operator == "in") is outcome)
            case ir.Operation(operands=(ir.Call(function=ir.Attribute(name="indexOf")), ir.Const())):
                self._refine_position(test, frame, outcome=outcome)
            case ir.Operation(operator="==" | "!=" | "is" | "===" | "!==") if len(test.operands) == 2:
                self._refine_equality(test, frame, equal=(test.operator not in {"!=", "!=="}) is outcome)
            case ir.Call():
                self._refine_call(test, frame, outcome=outcome)
            case ir.Binding():
                self.refine(test.target, frame, outcome=outcome)
            case ir.Name() if frame.function is not None:
                kept = self._tests_of(frame.function).get(test.id)
                if kept is not None:
                    self.refine(kept, frame, outcome=outcome)

    def _tests_of(self, function: ir.Function) -> dict[str, ir.Expression]:
        """The tests whose outcome the function keeps in variables."""
        if function not in self.kept:
            self.kept[function] = kept_tests(function)
        return self.kept[function]

    def _refine_position(self, test: ir.Operation, frame: Frame, *, outcome: bool) -> None:
        """`list.indexOf(x) === -1` and its relatives: whether the list has it."""
        call, bound = test.operands
        assert isinstance(call, ir.Call)
        assert isinstance(call.function, ir.Attribute)
        assert isinstance(bound, ir.Const)
        absent = (test.operator, bound.value) in {("==", -1), ("<", 0), ("<=", -1)}
        present = (test.operator, bound.value) in {("!=", -1), (">", -1), (">=", 0)}
        if (absent or present) and call.arguments:
            inside = ir.Operation("in", (call.arguments[0], call.function.base), test.line)
            self._refine_membership(inside, frame, inside=present is outcome)

    def _refine_membership(self, test: ir.Operation, frame: Frame, *, inside: bool) -> None:
        needle, container = (self.evaluate(part, frame) for part in test.operands)
        if inside and needle.every_mark and not container.marks:
            self.clean_everywhere(needle.every_mark, ALL, frame)
        elif not inside and isinstance(needle.const, str) and container.every_mark:
            self.clean_everywhere(container.every_mark, WITHOUT.get(needle.const, frozenset()), frame)

    def _refine_equality(self, test: ir.Operation, frame: Frame, *, equal: bool) -> None:
        if not equal:
            return
        for part, kind in (test.operands, test.operands[::-1]):
            if isinstance(part, ir.Operation) and part.operator == "typeof" and isinstance(kind, ir.Const):
                marks = self.evaluate(part.operands[0], frame).every_mark
                self.clean_everywhere(marks, frozenset({"nosql"}) if kind.value == "string" else ALL, frame)
        values = [self.evaluate(part, frame) for part in test.operands]
        for value, other in (values, values[::-1]):
            if value.every_mark and not other.every_mark and (not isinstance(other.const, Unset) or other.path):
                self.clean_everywhere(value.every_mark, ALL, frame)

    def _refine_call(self, test: ir.Call, frame: Frame, *, outcome: bool) -> None:
        function, receiver = self.callee(test, frame)
        arguments = self.arguments(test, function, receiver, frame)
        for value, classes in self.language.proves(arguments, outcome=outcome):
            self.clean_everywhere(value.every_mark, classes, frame)

    @staticmethod
    def proven(value: Value, frame: Frame) -> Value:
        """The value with what was checked about the same field before: reading it again gives the same text."""
        known = frame.scope.variables.get(PROVEN)
        if known is None or not value.marks:
            return value
        clean = {mark.origin: mark.clean for mark in known.marks}
        return replace(value, marks=frozenset(mark.cleaned(clean.get(mark.origin, frozenset())) for mark in value.marks))
