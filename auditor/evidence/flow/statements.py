"""Statements: run in order; branches are run apart and joined, loops are run twice, branches that cannot be taken are not taken."""

from __future__ import annotations

from collections.abc import Iterable

from auditor.evidence.flow.calls import Calls
from auditor.evidence.flow.constants import fold, truth_of
from auditor.evidence.flow.interpreter import Frame
from auditor.evidence.flow.objects import members
from auditor.evidence.flow.values import NOTHING, Blueprint, Closure, Scope, Unset, Value, join_variables
from auditor.languages import flow_ir as ir


class Statements(Calls):
    """Executes statements on a frame."""

    def execute(self, statements: Iterable[ir.Statement], frame: Frame) -> bool:
        """Run statements in order; False when the end is not reached."""
        for statement in statements:
            self.step()
            if not self._execute_one(statement, frame):
                return False
        return True

    def _execute_one(self, statement: ir.Statement, frame: Frame) -> bool:
        match statement:
            case ir.Assign():
                value = self.evaluate(statement.value, frame)
                if statement.operator:
                    old = self.evaluate(statement.target, frame)
                    value = fold(statement.operator, (old, value))
                self.assign(statement.target, value, frame, statement.line)
            case ir.Evaluate():
                return self.evaluate(statement.value, frame).path not in self.language.leaving
            case ir.If():
                return self._branch(statement, frame)
            case ir.Loop():
                return self._loop(statement, frame)
            case ir.Try():
                return self._try(statement, frame)
            case ir.With():
                for expression, target in statement.bindings:
                    value = self.evaluate(expression, frame)
                    if target is not None:
                        self.assign(target, value, frame, statement.line)
                return self.execute(statement.body, frame)
            case ir.Match():
                return self._match(statement, frame)
            case ir.Leave():
                return self._leave(statement, frame)
            case ir.Import():
                frame.scope.variables[statement.name] = self.imported(statement.origin, statement.member) or Value(path=statement.path)
            case ir.Function():
                self._define(statement, frame)
            case ir.Class():
                self._define_class(statement, frame)
        return True

    def _define(self, function: ir.Function, frame: Frame) -> None:
        decorators = tuple(self.evaluate(decorator, frame) for decorator in function.decorators)
        frame.scope.variables[function.name] = Value(path=f"~{function.name}", closure=Closure(function, frame.scope))
        self.queue(function, frame.scope, decorators)

    def _define_class(self, statement: ir.Class, frame: Frame) -> None:
        bases = tuple(self.evaluate(base, frame) for base in statement.bases)
        own = Frame(Scope({}, frame.scope))
        functions = [part for part in statement.body if isinstance(part, ir.Function)]
        self.execute([part for part in statement.body if not isinstance(part, ir.Function)], own)
        members: dict[ir.Constant, Value] = dict(own.scope.variables.items())
        for function in functions:
            members[function.name] = Value(path=f"~{function.name}", closure=Closure(function, frame.scope))
        blueprint = Blueprint(statement.name, members, bases, statement.fields, frame.scope)
        frame.scope.variables[statement.name] = Value(path=f"~{statement.name}", blueprint=blueprint)
        instance = Value(path=f"~{statement.name}()", items=members, blueprint=blueprint)
        for function in functions:
            decorators = tuple(self.evaluate(decorator, frame) for decorator in function.decorators)
            self.queue(function, frame.scope, decorators, bases, instance)

    def _branch(self, statement: ir.If, frame: Frame) -> bool:
        value = self.evaluate(statement.test, frame)
        known = truth_of(value)
        before = frame.scope.variables
        ends: list[dict[str, Value]] = []
        for outcome, body in ((True, statement.then), (False, statement.other)):
            if known is not None and known is not outcome:
                continue
            frame.scope.variables = dict(before)
            self.refine(statement.test, frame, outcome=outcome)
            if self.execute(body, frame):
                ends.append(frame.scope.variables)
        return self._rejoin(ends, before, frame)

    def _rejoin(self, ends: list[dict[str, Value]], before: dict[str, Value], frame: Frame) -> bool:
        """Continue with the join of all branches that reach their end."""
        if not ends:
            frame.scope.variables = before
            return False
        result = ends[0]
        for other in ends[1:]:
            result = join_variables(result, other)
        frame.scope.variables = result
        return True

    def _loop(self, statement: ir.Loop, frame: Frame) -> bool:
        iterable = self.evaluate(statement.iterable, frame) if statement.iterable is not None else None
        endless = statement.test is not None and truth_of(self.evaluate(statement.test, frame)) is True
        outer_breaks, outer_continues = frame.breaks, frame.continues
        frame.breaks, frame.continues = [], []
        state = frame.scope.variables
        for _ in range(2):
            frame.scope.variables = dict(state)
            if statement.target is not None and iterable is not None:
                self.assign(statement.target, members(iterable), frame, statement.line)
            if statement.test is not None:
                self.refine(statement.test, frame, outcome=True)
            reached = self.execute(statement.body, frame)
            ends = [*frame.continues, *([frame.scope.variables] if reached else [])]
            for end in ends:
                state = join_variables(state, end)
        exits = [*frame.breaks, *([] if endless else [state])]
        frame.breaks, frame.continues = outer_breaks, outer_continues
        if not self._rejoin(exits, state, frame):
            return False
        return self.execute(statement.other, frame)

    def _try(self, statement: ir.Try, frame: Frame) -> bool:
        before = dict(frame.scope.variables)
        reached = self.execute(statement.body, frame)
        after = frame.scope.variables
        if reached and statement.other:
            reached = self.execute(statement.other, frame)
        ends = [frame.scope.variables] if reached else []
        for name, body in statement.handlers:
            frame.scope.variables = join_variables(dict(before), after)
            if name:
                frame.scope.variables[name] = Value(path="~error")
            if self.execute(body, frame):
                ends.append(frame.scope.variables)
        alive = self._rejoin(ends, after, frame)
        return self.execute(statement.final, frame) and alive

    def _match(self, statement: ir.Match, frame: Frame) -> bool:
        subject = self.evaluate(statement.subject, frame)
        before = frame.scope.variables
        ends: list[dict[str, Value]] = []
        open_end = True
        carried: dict[str, Value] | None = None
        for constants, guard, body in statement.cases:
            if not isinstance(subject.const, Unset) and constants and subject.const not in constants and carried is None:
                continue
            certain = not isinstance(subject.const, Unset) and bool(constants) and subject.const in (constants or ()) and guard is None
            frame.scope.variables = dict(before) if carried is None else join_variables(dict(before), carried)
            outer, frame.breaks = frame.breaks, []
            reached = self.execute(body, frame)
            left, frame.breaks = (
                frame.breaks if statement.falls_through else [],
                outer if statement.falls_through else [*outer, *frame.breaks],
            )
            ends.extend(left)
            carried = frame.scope.variables if reached and statement.falls_through else None
            if reached and not statement.falls_through:
                ends.append(frame.scope.variables)
            if (certain and carried is None) or (constants == () and guard is None):
                open_end = False
                break
        if carried is not None:
            ends.append(carried)
        if open_end:
            ends.append(before)
        return self._rejoin(ends, before, frame)

    def _leave(self, statement: ir.Leave, frame: Frame) -> bool:
        value = self.evaluate(statement.value, frame) if statement.value is not None else NOTHING
        match statement.kind:
            case "return":
                frame.returns.append(value)
                if frame.answers and frame.function is not None:
                    for harm in self.language.returned(frame.function, frame.decorators, value):
                        self.judge(harm, frame, (statement.line, statement.line), "return")
            case "break":
                frame.breaks.append(frame.scope.variables)
            case "continue":
                frame.continues.append(frame.scope.variables)
        return False
