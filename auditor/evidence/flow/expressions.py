"""Expressions: the value of names, attributes, operators, literals of containers and comprehensions."""

from __future__ import annotations

from dataclasses import replace

from auditor.evidence.flow.assignments import Assignments
from auditor.evidence.flow.constants import fold, truth_of
from auditor.evidence.flow.interpreter import Frame
from auditor.evidence.flow.objects import bound_to, inherited, members
from auditor.evidence.flow.values import ANY, UNSET, Closure, Mark, Unset, Value, constant, element, finer, join, join_all, text_of
from auditor.languages import flow_ir as ir


class Expressions(Assignments):
    """Evaluates expressions on a frame."""

    def evaluate(self, expression: ir.Expression, frame: Frame) -> Value:
        """The value of an expression; calls are followed and judged on the way."""
        match expression:
            case ir.Const():
                return constant(expression.value)
            case ir.Name():
                found = frame.scope.get(expression.id)
                return self.language.source(found if found is not None else Value(path=f"~{expression.id}"), expression.line)
            case ir.Attribute():
                return self.proven(self.attribute(self.evaluate(expression.base, frame), expression.name, expression.line), frame)
            case ir.Index():
                return self.proven(self._index(expression, frame), frame)
            case ir.Call():
                return self.proven(self.call(expression, frame), frame)
            case ir.Template():
                return text_of([self.language.pasted(self.evaluate(part, frame)) for part in expression.parts])
            case ir.Operation():
                return self._operation(expression, frame)
            case ir.Choice():
                return self._choice(expression, frame)
            case ir.Sequence():
                return self._sequence(expression, frame)
            case ir.Mapping():
                return self._mapping(expression, frame)
            case ir.Spread():
                return self.evaluate(expression.value, frame)
            case ir.Comprehension():
                return self._comprehension(expression, frame)
            case ir.Binding():
                value = self.evaluate(expression.value, frame)
                self.assign(expression.target, value, frame, expression.line)
                return value
            case ir.Function():
                self.queue(expression, frame.scope)
                return Value(path="~function", closure=Closure(expression, frame.scope))
            case ir.Other():
                return Value(frozenset().union(*(self.evaluate(part, frame).every_mark for part in expression.parts)))

    def attribute(self, base: Value, name: str, line: int) -> Value:
        """A member of an object or module, or a field of something from outside."""
        if base.items is not None and name in base.items:
            return bound_to(base.items[name], base)
        of_class = inherited(base, name)
        if of_class is not None:
            return of_class
        path = f"{base.path}.{name}" if base.path else f"~.{name}"
        if not base.marks and not path.startswith("~"):
            found = self.imported(path, "")
            if found is not None:
                return found
        part = finer(base, "" if base.path.endswith(")") else name)
        if base.items and ANY in base.items:
            part = join(part, base.items[ANY]) if part.marks else base.items[ANY]
        return self.language.source(replace(part, path=path), line)

    def _index(self, expression: ir.Index, frame: Frame) -> Value:
        base = self.evaluate(expression.base, frame)
        if expression.key is None:
            return replace(base, const=UNSET, skeleton="{}")
        key = self.evaluate(expression.key, frame).const
        found = element(base, key, key if isinstance(key, str) else "")
        path = f"{base.path}[]" if base.path and not found.path else found.path
        return self.language.source(replace(found, path=path), expression.line)

    def _operation(self, expression: ir.Operation, frame: Frame) -> Value:
        if expression.operator in {"and", "or"}:
            first = self.evaluate(expression.operands[0], frame)
            known = truth_of(first)
            if known is not None and known is (expression.operator == "or"):
                return first
            before = frame.scope.variables
            frame.scope.variables = dict(before)
            self.refine(expression.operands[0], frame, outcome=expression.operator == "and")
            second = self.evaluate(expression.operands[1], frame)
            frame.scope.variables = before
            return second if known is not None else join(first, second)
        values = tuple(self.evaluate(part, frame) for part in expression.operands)
        return self.language.operator(expression.operator, values) or fold(expression.operator, values)

    def _choice(self, expression: ir.Choice, frame: Frame) -> Value:
        known = truth_of(self.evaluate(expression.test, frame))
        before = frame.scope.variables
        results = []
        for outcome, part in ((True, expression.then), (False, expression.other)):
            if known is None or known is outcome:
                frame.scope.variables = dict(before)
                self.refine(expression.test, frame, outcome=outcome)
                results.append(self.evaluate(part, frame))
        frame.scope.variables = before
        return join_all(results)

    def _sequence(self, expression: ir.Sequence, frame: Frame) -> Value:
        items: dict[ir.Constant, Value] = {}
        loose: list[Value] = []
        for part in expression.items:
            value = self.evaluate(part, frame)
            if isinstance(part, ir.Spread):
                loose.append(members(value))
            elif loose:
                loose.append(value)
            else:
                items[len(items)] = value
        if loose:
            items[ANY] = join_all(loose)
        return Value(items=items, known=True)

    def _mapping(self, expression: ir.Mapping, frame: Frame) -> Value:
        items: dict[ir.Constant, Value] = {}
        marks: frozenset[Mark] = frozenset()
        known_spreads = True
        for key, part in expression.entries:
            value = self.evaluate(part, frame)
            if key is None:
                known_spreads = known_spreads and value.known
                items.update(value.items or {})
                marks |= value.marks
                continue
            known = self.evaluate(key, frame).const
            name = ANY if isinstance(known, Unset) else known
            items[name] = value if name is not ANY or ANY not in items else join(items[ANY], value)
        return Value(marks, items=items, known=known_spreads)

    def _comprehension(self, expression: ir.Comprehension, frame: Frame) -> Value:
        iterable = self.evaluate(expression.iterable, frame)
        before = frame.scope.variables
        frame.scope.variables = dict(before)
        self.assign(expression.target, members(iterable), frame, expression.line)
        for condition in expression.conditions:
            self.evaluate(condition, frame)
            self.refine(condition, frame, outcome=True)
        value = self.evaluate(expression.element, frame)
        frame.scope.variables = before
        return value if isinstance(expression.element, ir.Comprehension) else Value(items={ANY: value}, known=iterable.known)
