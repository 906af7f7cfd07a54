"""Follows values through one file: an abstract interpreter over `flow_ir`, the same for every language.

Statements are run in order on a `Scope`; branches are run apart and joined; loops are run twice; constants are folded, so that a branch that cannot be taken is not
taken. Functions of the file are entered where they are called (a few levels deep) and once on their own, with the parameters that
a framework fills marked as coming from outside. What is outside, dangerous, harmless or a check stands in the `Language` tables.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from auditor.evidence.flow.constants import fold, truth_of
from auditor.evidence.flow.containers import container_call
from auditor.evidence.flow.language import WITHOUT, Arguments, Flow, Language
from auditor.evidence.flow.objects import bound_to, clean_value, inherited, members, named, signature
from auditor.evidence.flow.values import (
    ALL,
    ANY,
    NOTHING,
    PROVEN,
    UNSET,
    Blueprint,
    Closure,
    Mark,
    Scope,
    Unset,
    Value,
    constant,
    element,
    finer,
    join,
    join_all,
    join_variables,
    text_of,
)
from auditor.evidence.flow.weaknesses import HANDS_ON
from auditor.languages import flow_ir as ir

CALL_DEPTH = 4
"""How many calls deep functions of the audited code are entered."""
_SMALL, _SMALL_DEPTH = 4, 2
"""Functions of so few statements are entered so many calls deeper: helpers at the bottom are where texts are cleaned."""
_ADDRESSES = frozenset({"url", "redirect", "path"})
BUDGET = 60_000
"""Statements and calls followed in one file; beyond that the file is given up as unexamined."""
NESTING = 80


class TooMuchError(Exception):
    """The file needs more steps than `BUDGET`."""


@dataclass(slots=True)
class _Frame:
    """One function being followed."""

    scope: Scope
    returns: list[Value] = field(default_factory=list)
    breaks: list[dict[str, Value]] = field(default_factory=list)
    continues: list[dict[str, Value]] = field(default_factory=list)
    function: ir.Function | None = None
    decorators: tuple[Value, ...] = ()
    answers: bool = False


class Engine:
    """Follows one file; `flows` holds what was found, `imported` supplies names of other files of the audited code.

    `doubtful`: parameters that nobody in sight fills carry a mark of their own, so that what is shown as mark-up can be told from what is known to be harmless.
    """

    def __init__(
        self,
        language: Language,
        imported: Callable[[str, str], Value | None] = lambda _origin, _member: None,
        *,
        doubtful: bool = False,
    ) -> None:
        self.language = language
        self.imported = imported
        self.doubtful = doubtful
        self.flows: dict[tuple[str, str, int, str], Flow] = {}
        self.steps = 0
        self.depth = 0
        self.active: list[ir.Function] = []
        self.memo: dict[tuple[int, int, int, tuple[object, ...]], tuple[Scope, Value]] = {}
        self.pending: list[tuple[ir.Function, Scope, tuple[Value, ...], tuple[Value, ...], Value | None]] = []
        self.seen: set[int] = set()

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
        self.execute(module.body, _Frame(scope))
        return scope

    # functions

    def _enter_alone(
        self, function: ir.Function, outer: Scope, decorators: tuple[Value, ...], bases: tuple[Value, ...], bound: Value | None
    ) -> None:
        """Follow a function as the framework, or anybody, would call it."""
        filled = self.language.entry(function, decorators, bases)
        scope = Scope({}, outer)
        frame = _Frame(scope, function=function, decorators=decorators, answers=True)
        for number, parameter in enumerate(function.parameters):
            value = filled.get(parameter.name)
            if value is not None and value.marks and self._is_enumeration(parameter.annotation, outer):
                value = replace(value, marks=frozenset())
            if value is None:
                value = bound if bound is not None and number == 0 else self._unknown(parameter, function)
            self._bind_parameter(parameter, value, scope)
        self._follow(function, frame)

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

    def _bind_parameter(self, parameter: ir.Parameter, value: Value, scope: Scope) -> None:
        scope.variables[parameter.name] = value
        if parameter.pattern is not None:
            self.assign(parameter.pattern, value, _Frame(scope), parameter.pattern.line)

    def _follow(self, function: ir.Function, frame: _Frame) -> Value:
        if function in self.active or len(self.active) > NESTING:
            return NOTHING
        self.active.append(function)
        self.execute(function.body, frame)
        self.active.pop()
        return join_all(frame.returns)

    def call_closure(self, closure: Closure, arguments: Arguments) -> Value:
        """Enter a function of the audited code with these arguments."""
        function = closure.function
        if self.depth >= CALL_DEPTH or function in self.active:
            return self._handed_over(closure, arguments)
        return self._entered(closure, arguments)

    def _handed_over(self, closure: Closure, arguments: Arguments) -> Value:
        """What a function that is too deep to be followed gives back: whatever it gets.

        An address or a file name is another matter: where the name says that something is looked up, it is one that was stored, and where the
        function is small enough to be looked into after all, it may have been confined.
        """
        function = closure.function
        handed = join_all([Value(marks) for marks in (value.every_mark for value in arguments.every) if marks])
        if not HANDS_ON.search(function.name):
            return handed.cleaned(_ADDRESSES)
        if handed.marks and len(function.body) <= _SMALL and self.depth < CALL_DEPTH + _SMALL_DEPTH and function not in self.active:
            seen = self._entered(closure, arguments).every_mark
            if not any(mark.harms(weakness) for mark in seen for weakness in _ADDRESSES):
                return handed.cleaned(_ADDRESSES)
        return handed

    def _entered(self, closure: Closure, arguments: Arguments) -> Value:
        function = closure.function
        values = self._bound(closure, arguments)
        deeper = max(0, self.depth - CALL_DEPTH + 1)  # what is seen from further down is less, and must not stand for the whole
        key = (id(function), id(closure.scope), deeper, tuple(signature(values[name]) for name in sorted(values)))
        if key in self.memo:
            return self.memo[key][1]
        scope = Scope({}, closure.scope)
        for parameter in function.parameters:
            self._bind_parameter(parameter, values.get(parameter.name, NOTHING), scope)
        self.depth += 1
        result = self._follow(function, _Frame(scope, function=function))
        self.depth -= 1
        self.memo[key] = (closure.scope, result)  # the scope is kept, so that its id stays its own
        return result

    def _bound(self, closure: Closure, arguments: Arguments) -> dict[str, Value]:
        """Parameter name -> value of one call."""
        given = list(arguments.positional)
        if closure.bound is not None and closure.function.owner and not closure.static:
            given.insert(0, closure.bound)
        values: dict[str, Value] = {}
        for parameter in closure.function.parameters:
            if parameter.kind == "*":
                values[parameter.name] = Value(items=dict(enumerate(given)))
                given = []
            elif parameter.kind == "**":
                values[parameter.name] = Value(items={name: v for name, v in arguments.named.items() if name not in values})
            elif parameter.name in arguments.named:
                values[parameter.name] = arguments.named[parameter.name]
            elif given:
                values[parameter.name] = given.pop(0)
            elif parameter.default is not None:
                values[parameter.name] = self.evaluate(parameter.default, _Frame(closure.scope))
        return values

    # statements

    def execute(self, statements: Iterable[ir.Statement], frame: _Frame) -> bool:
        """Run statements in order; False when the end is not reached."""
        for statement in statements:
            self.steps += 1
            if self.steps > BUDGET:
                raise TooMuchError
            if not self._execute_one(statement, frame):
                return False
        return True

    def _execute_one(self, statement: ir.Statement, frame: _Frame) -> bool:
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

    def _define(self, function: ir.Function, frame: _Frame) -> None:
        decorators = tuple(self.evaluate(decorator, frame) for decorator in function.decorators)
        frame.scope.variables[function.name] = Value(path=f"~{function.name}", closure=Closure(function, frame.scope))
        self._queue(function, frame.scope, decorators)

    def _queue(
        self,
        function: ir.Function,
        scope: Scope,
        decorators: tuple[Value, ...] = (),
        bases: tuple[Value, ...] = (),
        bound: Value | None = None,
    ) -> None:
        if id(function) not in self.seen:
            self.seen.add(id(function))
            self.pending.append((function, scope, decorators, bases, bound))

    def _define_class(self, statement: ir.Class, frame: _Frame) -> None:
        bases = tuple(self.evaluate(base, frame) for base in statement.bases)
        own = _Frame(Scope({}, frame.scope))
        functions = [part for part in statement.body if isinstance(part, ir.Function)]
        self.execute([part for part in statement.body if not isinstance(part, ir.Function)], own)
        members: dict[ir.Constant, Value] = dict(own.scope.variables.items())
        for function in functions:
            members[function.name] = Value(path=f"~{function.name}", closure=Closure(function, frame.scope))
        blueprint = Blueprint(statement.name, members, bases)
        frame.scope.variables[statement.name] = Value(path=f"~{statement.name}", blueprint=blueprint)
        instance = Value(path=f"~{statement.name}()", items=members, blueprint=blueprint)
        for function in functions:
            decorators = tuple(self.evaluate(decorator, frame) for decorator in function.decorators)
            self._queue(function, frame.scope, decorators, bases, instance)

    def _branch(self, statement: ir.If, frame: _Frame) -> bool:
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

    def _rejoin(self, ends: list[dict[str, Value]], before: dict[str, Value], frame: _Frame) -> bool:
        """Continue with the join of all branches that reach their end."""
        if not ends:
            frame.scope.variables = before
            return False
        result = ends[0]
        for other in ends[1:]:
            result = join_variables(result, other)
        frame.scope.variables = result
        return True

    def _loop(self, statement: ir.Loop, frame: _Frame) -> bool:
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

    def _try(self, statement: ir.Try, frame: _Frame) -> bool:
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

    def _match(self, statement: ir.Match, frame: _Frame) -> bool:
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

    def _leave(self, statement: ir.Leave, frame: _Frame) -> bool:
        value = self.evaluate(statement.value, frame) if statement.value is not None else NOTHING
        match statement.kind:
            case "return":
                frame.returns.append(value)
                if frame.answers and frame.function is not None:
                    for weakness, rule, mark in self.language.returned(frame.function, frame.decorators, value):
                        self._report(Flow(weakness, rule, frame.scope.source, statement.line, statement.line, "return", mark))
            case "break":
                frame.breaks.append(frame.scope.variables)
            case "continue":
                frame.continues.append(frame.scope.variables)
        return False

    # assignment

    def assign(self, target: ir.Expression, value: Value, frame: _Frame, line: int) -> None:
        """Bind a name, pattern, attribute or entry."""
        match target:
            case ir.Name():
                frame.scope.variables[target.id] = value if value.path or value.marks or value.items else named(value, target.id)
            case ir.Sequence():
                for number, part in enumerate(target.items):
                    inner = part.value if isinstance(part, ir.Spread) else part
                    self.assign(inner, element(value, UNSET if isinstance(part, ir.Spread) else number), frame, line)
            case ir.Mapping():
                for key, part in target.entries:
                    known = self.evaluate(key, frame).const if key is not None else UNSET
                    detail = known if isinstance(known, str) else ""
                    found = self._attribute(value, detail, line) if detail else element(value)
                    self.assign(part, found, frame, line)
            case ir.Binding():
                default = self.evaluate(target.value, frame)
                self.assign(target.target, join(value, default), frame, line)
            case ir.Attribute() | ir.Index():
                self._assign_inside(target, value, frame, line)

    def _assign_inside(self, target: ir.Attribute | ir.Index, value: Value, frame: _Frame, line: int) -> None:
        base = self.evaluate(target.base, frame)
        if isinstance(target, ir.Attribute):
            key = constant(target.name)
            whole = replace(base, path=f"{base.path}.{target.name}" if base.path else "")
        else:
            key = self.evaluate(target.key, frame) if target.key is not None else NOTHING
            whole = replace(base, path=f"{base.path}[]" if base.path else "")
        for weakness, rule, mark in self.language.assigned(whole, key, value):
            self._report(Flow(weakness, rule, frame.scope.source, line, line, whole.path, mark))
        name = key.const if not isinstance(key.const, Unset) else ANY
        items = dict(base.items or {})
        items[name] = value if name is not ANY else join(items[ANY], value) if ANY in items else value
        self._store(target.base, replace(base, items=items), frame)

    def _store(self, expression: ir.Expression, value: Value, frame: _Frame) -> None:
        """Put a changed container back where it came from."""
        if isinstance(expression, ir.Name):
            scope: Scope | None = frame.scope
            while scope is not None and expression.id not in scope.variables:
                scope = scope.outer
            (scope or frame.scope).variables[expression.id] = value
        elif isinstance(expression, ir.Attribute):
            base = self.evaluate(expression.base, frame)
            self._store(expression.base, replace(base, items={**(base.items or {}), expression.name: value}), frame)
        elif isinstance(expression, ir.Index) and expression.key is not None:
            base, key = self.evaluate(expression.base, frame), self.evaluate(expression.key, frame).const
            name = ANY if isinstance(key, Unset) else key
            self._store(expression.base, replace(base, items={**(base.items or {}), name: value}), frame)

    # expressions

    def evaluate(self, expression: ir.Expression, frame: _Frame) -> Value:
        """The value of an expression; calls are followed and judged on the way."""
        match expression:
            case ir.Const():
                return constant(expression.value)
            case ir.Name():
                found = frame.scope.get(expression.id)
                return self.language.source(found if found is not None else Value(path=f"~{expression.id}"), expression.line)
            case ir.Attribute():
                return self._proven(self._attribute(self.evaluate(expression.base, frame), expression.name, expression.line), frame)
            case ir.Index():
                return self._proven(self._index(expression, frame), frame)
            case ir.Call():
                return self._proven(self._call(expression, frame), frame)
            case ir.Template():
                return text_of([self.evaluate(part, frame) for part in expression.parts])
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
                self._queue(expression, frame.scope)
                return Value(path="~function", closure=Closure(expression, frame.scope))
            case ir.Other():
                return Value(frozenset().union(*(self.evaluate(part, frame).every_mark for part in expression.parts)))

    def _attribute(self, base: Value, name: str, line: int) -> Value:
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
        known = base.items[ANY] if base.items and ANY in base.items else NOTHING
        part = finer(base, "" if base.path.endswith(")") else name)
        return self.language.source(replace(join(part, known), path=path), line)

    def _index(self, expression: ir.Index, frame: _Frame) -> Value:
        base = self.evaluate(expression.base, frame)
        if expression.key is None:
            return replace(base, const=UNSET, skeleton="{}")
        key = self.evaluate(expression.key, frame).const
        found = element(base, key, key if isinstance(key, str) else "")
        path = f"{base.path}[]" if base.path and not found.path else found.path
        return self.language.source(replace(found, path=path), expression.line)

    def _operation(self, expression: ir.Operation, frame: _Frame) -> Value:
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

    def _choice(self, expression: ir.Choice, frame: _Frame) -> Value:
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

    def _sequence(self, expression: ir.Sequence, frame: _Frame) -> Value:
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
        return Value(items=items)

    def _mapping(self, expression: ir.Mapping, frame: _Frame) -> Value:
        items: dict[ir.Constant, Value] = {}
        marks: frozenset[Mark] = frozenset()
        for key, part in expression.entries:
            value = self.evaluate(part, frame)
            if key is None:
                items.update(value.items or {})
                marks |= value.marks
                continue
            known = self.evaluate(key, frame).const
            name = ANY if isinstance(known, Unset) else known
            items[name] = value if name is not ANY or ANY not in items else join(items[ANY], value)
        return Value(marks, items=items)

    def _comprehension(self, expression: ir.Comprehension, frame: _Frame) -> Value:
        iterable = self.evaluate(expression.iterable, frame)
        before = frame.scope.variables
        frame.scope.variables = dict(before)
        self.assign(expression.target, members(iterable), frame, expression.line)
        for condition in expression.conditions:
            self.evaluate(condition, frame)
            self.refine(condition, frame, outcome=True)
        value = self.evaluate(expression.element, frame)
        frame.scope.variables = before
        return value if isinstance(expression.element, ir.Comprehension) else Value(items={ANY: value})

    # calls

    def _call(self, call: ir.Call, frame: _Frame) -> Value:
        self.steps += 1
        if self.steps > BUDGET:
            raise TooMuchError
        receiver = NOTHING
        if isinstance(call.function, ir.Attribute):
            receiver = self.evaluate(call.function.base, frame)
            function = self._attribute(receiver, call.function.name, call.line)
        else:
            function = self.evaluate(call.function, frame)
        arguments = self._arguments(call, function, receiver, frame)
        for weakness, rule, mark in self.language.sinks(arguments) if function.closure is None else ():
            self._report(Flow(weakness, rule, frame.scope.source, call.line, call.end_line, arguments.path, mark))
        if function.blueprint is not None and function.closure is None and not function.path.endswith("()"):
            return self._instance(function, arguments)
        module = self.language.loads(arguments)
        if module:
            return self.imported(module, "") or Value(path=module)
        if call.creates and function.closure is not None:
            return self._made_by_function(function, arguments)
        if function.closure is not None:
            return self.language.own_function(arguments, self.call_closure(function.closure, arguments))
        changed = self._container_method(call, receiver, arguments, frame)
        if changed is not None:
            return changed
        handed = self._enter_callbacks(arguments)
        if self.language.converts(arguments):
            self._clean_everywhere(arguments.get(0).every_mark, ALL, frame)
        result = self.language.transfer(arguments)
        if result is None:
            marks = frozenset().union(receiver.every_mark, *(value.every_mark for value in arguments.every))
            result = Value(marks)
        if handed is not None:
            result = handed
        return replace(result, path=result.path or (f"{function.path}()" if function.path else ""))

    def _arguments(self, call: ir.Call, function: Value, receiver: Value, frame: _Frame) -> Arguments:
        positional: list[Value] = []
        for part in call.arguments:
            value = self.evaluate(part, frame)
            if isinstance(part, ir.Spread) and value.items and all(isinstance(key, int) for key in value.items):
                positional.extend(value.items.values())
            else:
                positional.append(value)
        named: dict[ir.Constant, Value] = {}
        for name, part in call.keywords:
            named[name] = self.evaluate(part, frame)
        return Arguments(call, function.path, receiver, tuple(positional), named)

    def _enter_callbacks(self, arguments: Arguments) -> Value | None:
        """A function handed to an unknown method is called by it, with what the receiver holds: `rows.map(row => ...)`, `answer.then(data => ...)`."""
        if not arguments.receiver.every_mark or self.depth >= CALL_DEPTH:
            return None
        name = arguments.path.rsplit(".", maxsplit=1)[-1]
        given = arguments.receiver if name in self.language.whole_callbacks else members(arguments.receiver)
        results = [
            self.call_closure(value.closure, Arguments(arguments.call, "", NOTHING, (given,), {}))
            for value in arguments.positional
            if value.closure is not None
        ]
        if not results or name not in self.language.whole_callbacks | self.language.mapping_callbacks:
            return None
        return results[0] if name in self.language.whole_callbacks else Value(items={ANY: results[0]})

    def _instance(self, function: Value, arguments: Arguments) -> Value:
        blueprint = function.blueprint
        assert blueprint is not None
        instance = Value(path=f"{function.path}()", items=blueprint.members, blueprint=blueprint)
        maker = blueprint.members.get("__init__") or blueprint.members.get("constructor")
        if maker is None and arguments.named:  # a data class or model: each value is the field of its name
            marks = frozenset().union(*(value.every_mark for value in arguments.positional)) if arguments.positional else frozenset()
            return replace(instance, marks=marks, items={**blueprint.members, **arguments.named})
        if maker is None or maker.closure is None or self.depth >= CALL_DEPTH or maker.closure.function in self.active:
            marks = frozenset().union(*(value.every_mark for value in arguments.every)) if arguments.every else frozenset()
            return replace(instance, marks=marks)
        closure = replace(maker.closure, bound=instance)
        values = self._bound(closure, arguments)
        scope = Scope({}, closure.scope)
        for parameter in closure.function.parameters:
            self._bind_parameter(parameter, values.get(parameter.name, NOTHING), scope)
        self.depth += 1
        self._follow(closure.function, _Frame(scope, function=closure.function))
        self.depth -= 1
        first = closure.function.parameters[0].name if closure.function.parameters else "this"
        return scope.variables.get(first, instance)

    def _made_by_function(self, function: Value, arguments: Arguments) -> Value:
        """`new F()` of a plain function: what it put on `this`."""
        closure = function.closure
        assert closure is not None
        if self.depth >= CALL_DEPTH or closure.function in self.active:
            return Value(path=f"{function.path}()")
        scope = Scope({"this": Value(path=f"{function.path}()", items={})}, closure.scope)
        values = self._bound(closure, arguments)
        for parameter in closure.function.parameters:
            self._bind_parameter(parameter, values.get(parameter.name, NOTHING), scope)
        self.depth += 1
        self._follow(closure.function, _Frame(scope, function=closure.function))
        self.depth -= 1
        return scope.variables["this"]

    def _container_method(self, call: ir.Call, receiver: Value, arguments: Arguments, frame: _Frame) -> Value | None:
        """Methods of lists and dicts that change or read entries; None when the receiver is not known to be one."""
        if not isinstance(call.function, ir.Attribute) or receiver.items is None or receiver.blueprint is not None:
            return None
        done = container_call(call.function.name, receiver, arguments, self.language)
        if done is None:
            return None
        result, changed = done
        if changed is not receiver:
            self._store(call.function.base, changed, frame)
        return result

    # conditions

    def refine(self, test: ir.Expression, frame: _Frame, *, outcome: bool) -> None:
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

    def _refine_position(self, test: ir.Operation, frame: _Frame, *, outcome: bool) -> None:
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

    def _refine_membership(self, test: ir.Operation, frame: _Frame, *, inside: bool) -> None:
        needle, container = (self.evaluate(part, frame) for part in test.operands)
        if inside and needle.every_mark and not container.marks:
            self._clean_everywhere(needle.every_mark, ALL, frame)
        elif not inside and isinstance(needle.const, str) and container.every_mark:
            self._clean_everywhere(container.every_mark, WITHOUT.get(needle.const, frozenset()), frame)

    def _refine_equality(self, test: ir.Operation, frame: _Frame, *, equal: bool) -> None:
        if not equal:
            return
        values = [self.evaluate(part, frame) for part in test.operands]
        for value, other in (values, values[::-1]):
            if value.every_mark and not other.every_mark and (not isinstance(other.const, Unset) or other.path):
                self._clean_everywhere(value.every_mark, ALL, frame)

    def _refine_call(self, test: ir.Call, frame: _Frame, *, outcome: bool) -> None:
        receiver = NOTHING
        if isinstance(test.function, ir.Attribute):
            receiver = self.evaluate(test.function.base, frame)
            function = self._attribute(receiver, test.function.name, test.line)
        else:
            function = self.evaluate(test.function, frame)
        arguments = self._arguments(test, function, receiver, frame)
        for value, classes in self.language.proves(arguments, outcome=outcome):
            self._clean_everywhere(value.every_mark, classes, frame)

    def _clean_everywhere(self, marks: frozenset[Mark], classes: frozenset[str], frame: _Frame) -> None:
        """What was checked is harmless in every variable that holds it, not only in the one that was looked at."""
        if not marks or not classes:
            return
        origins = {mark.origin for mark in marks}
        frame.scope.variables = {name: clean_value(value, origins, classes) for name, value in frame.scope.variables.items()}
        known = frame.scope.variables.get(PROVEN, NOTHING).marks
        frame.scope.variables[PROVEN] = Value(known | frozenset(mark.cleaned(classes) for mark in marks))

    def _report(self, flow: Flow) -> None:
        self.flows.setdefault((flow.weakness, flow.path, flow.line, flow.rule), flow)

    @staticmethod
    def _proven(value: Value, frame: _Frame) -> Value:
        """The value with what was checked about the same field before: reading it again gives the same text."""
        known = frame.scope.variables.get(PROVEN)
        if known is None or not value.marks:
            return value
        clean = {mark.origin: mark.clean for mark in known.marks}
        return replace(value, marks=frozenset(mark.cleaned(clean.get(mark.origin, frozenset())) for mark in value.marks))
