"""Calls: what is handed over is judged, functions of the audited code are entered, everything else gives what its language's tables say."""

from __future__ import annotations

from dataclasses import replace

from auditor.evidence.flow.callbacks import Callbacks
from auditor.evidence.flow.containers import container_call
from auditor.evidence.flow.interpreter import Frame
from auditor.evidence.flow.language import Arguments
from auditor.evidence.flow.objects import given_back, signature
from auditor.evidence.flow.values import ALL, ANY, NOTHING, Closure, Mark, Scope, Value, join_all
from auditor.evidence.flow.weaknesses import HANDS_ON
from auditor.languages import flow_ir as ir

CALL_DEPTH = 4
"""How many calls deep functions of the audited code are entered."""
_SMALL, _SMALL_DEPTH = 4, 2
"""Functions of so few statements are entered so many calls deeper: helpers at the bottom are where texts are cleaned."""
_ADDRESSES = frozenset({"url", "redirect", "path"})
NESTING = 80


class Calls(Callbacks):
    """Follows calls, a few levels deep into functions of the audited code."""

    def call(self, call: ir.Call, frame: Frame) -> Value:
        """The value of a call, which is judged on the way."""
        self.step()
        function, receiver = self.callee(call, frame)
        arguments = self.arguments(call, function, receiver, frame)
        shapes = self.language.declared(arguments)
        if shapes:
            self.declared |= {value.closure.function: shapes for value in arguments.positional if value.closure is not None}
        if function.closure is not None:
            return self._made_by_function(function, arguments) if call.creates else self._called(function.closure, arguments, frame)
        for harm in self.language.sinks(arguments):
            self.judge(harm, frame, (call.line, call.end_line), arguments.path)
        module = self.language.loads(arguments)
        if module:
            return self.imported(module, "") or Value(path=module)
        made = self._through_schema(call, arguments, frame)
        if made is None and function.blueprint is not None and not function.path.endswith("()"):
            made = self._instance(function, arguments)
        if made is None:
            made = self._wrapped(call, arguments)
        if made is not None:
            return made
        handed = self.enter_callbacks(arguments) if self.depth <= CALL_DEPTH else None
        changed = self._container_method(call, receiver, arguments, frame) if handed is None else None
        if changed is not None:
            return changed
        if self.language.converts(arguments):
            self.clean_everywhere(arguments.get(0).every_mark, ALL, frame)
        result = self.language.transfer(arguments)
        if result is None:
            marks = frozenset().union(receiver.every_mark, *(value.every_mark for value in arguments.every))
            result = Value(marks, known=bool(marks) and arguments.known and (arguments.receiver.known or not arguments.receiver.path))
        if handed is not None:
            result = handed
        return replace(result, path=result.path or (f"{function.path}()" if function.path else ""))

    def _called(self, closure: Closure, arguments: Arguments, frame: Frame) -> Value:
        """What a function of the audited code gives; all it does is said of the line it is called on, too."""
        outside, self.places.within = self.places.within, {}
        result = self.call_closure(closure, arguments)
        self.places.of_call(frame.scope.source, arguments.call, outside)
        return self.language.own_function(arguments, result)

    def callee(self, call: ir.Call, frame: Frame) -> tuple[Value, Value]:
        """The function a call calls, and the object it is a method of."""
        if not isinstance(call.function, ir.Attribute):
            return self.evaluate(call.function, frame), NOTHING
        receiver = self.evaluate(call.function.base, frame)
        return self.attribute(receiver, call.function.name, call.line), receiver

    def arguments(self, call: ir.Call, function: Value, receiver: Value, frame: Frame) -> Arguments:
        """The values a call hands over."""
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
        return Arguments(call, function.path, receiver, tuple(positional), named, function)

    def _through_schema(self, call: ir.Call, arguments: Arguments, frame: Frame) -> Value | None:
        """A call that makes a schema, or sends a value through one."""
        made = self.language.schema(arguments)
        if made is not None:
            return self._later(arguments) or made
        parsing = self.language.parsing(arguments)
        return None if parsing is None else self.parse(parsing, call, frame)

    def _later(self, arguments: Arguments) -> Value | None:
        """`z.lazy(() => schema)`: the schema its function gives; where that is the one being made, nothing is known yet."""
        closure = arguments.get(0).closure
        body = closure.function.body if closure is not None else ()
        if (
            closure is None
            or not arguments.path.endswith(".lazy")
            or len(body) != 1
            or not isinstance(body[0], ir.Leave)
            or body[0].value is None
        ):
            return None
        made = self.evaluate(body[0].value, Frame(Scope({}, closure.scope)))
        return made if made.shape is not None else None

    @staticmethod
    def _wrapped(call: ir.Call, arguments: Arguments) -> Value | None:
        """A function made of one of the code's own by a wrapper nobody sees into (`traced(...)(load)`, `memo(load)`): taken for that function."""
        only = arguments.every[0] if len(arguments.every) == 1 else NOTHING
        named = isinstance(only.closure and only.closure.function.name, str) and bool(only.closure and only.closure.function.name)
        return only if named and not isinstance(call.function, ir.Attribute) else None

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
            self.bind_parameter(parameter, values.get(parameter.name, NOTHING), scope)
        self.depth += 1
        self.follow(closure.function, Frame(scope, function=closure.function))
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
            self.bind_parameter(parameter, values.get(parameter.name, NOTHING), scope)
        self.depth += 1
        self.follow(closure.function, Frame(scope, function=closure.function))
        self.depth -= 1
        return scope.variables["this"]

    def _container_method(self, call: ir.Call, receiver: Value, arguments: Arguments, frame: Frame) -> Value | None:
        """Methods of lists and dicts that change or read entries; None when the receiver is not known to be one."""
        if not isinstance(call.function, ir.Attribute) or receiver.items is None or receiver.blueprint is not None:
            return None
        done = container_call(call.function.name, receiver, arguments, self.language)
        if done is None:
            return None
        result, changed = done
        if changed is not receiver:
            self.store(call.function.base, changed, frame)
        return result

    # functions of the audited code

    def bind_parameter(self, parameter: ir.Parameter, value: Value, scope: Scope) -> None:
        """Give a parameter its value, taken apart where it is a pattern."""
        scope.variables[parameter.name] = value
        if parameter.pattern is not None:
            self.assign(parameter.pattern, value, Frame(scope), parameter.pattern.line)

    def follow(self, function: ir.Function, frame: Frame) -> Value:
        """Run the body of a function whose parameters are bound; the join of what it returns."""
        if function in self.active or len(self.active) > NESTING:
            return NOTHING
        self.active.append(function)
        self.execute(function.body, frame)
        self.active.pop()
        return join_all(frame.returns)

    def call_closure(self, closure: Closure, arguments: Arguments) -> Value:
        """Enter a function of the audited code with these arguments."""
        function = closure.function
        if function in self.active:
            return self._handed_over(closure, arguments)
        if self.depth >= CALL_DEPTH:
            if not arguments.every and len(function.body) <= _SMALL and self.depth < CALL_DEPTH + _SMALL_DEPTH:
                return self._entered(closure, arguments)  # it depends on nothing here, and is followed once for all
            self.places.drop(function, closure.scope.source, arguments.every)
            return self._handed_over(closure, arguments)
        return self._entered(closure, arguments)

    def call_back(self, closure: Closure, arguments: Arguments) -> Value:
        """Enter a function that was handed over; it is a part of the function that hands it over, which was entered."""
        return (
            self.call_closure(closure, arguments)
            if self.depth != CALL_DEPTH or closure.function in self.active
            else self._entered(closure, arguments)
        )

    def _handed_over(self, closure: Closure, arguments: Arguments) -> Value:
        """What a function that is too deep to be followed gives back: the texts it gets, but not those inside of objects, of which it may use any.

        An address or a file name is another matter: where the name says that something is looked up, it is one that was stored, and where the
        function is small enough to be looked into after all, it may have been confined.
        """
        function = closure.function
        handed = join_all([Value(marks) for marks in (_handed(value) for value in arguments.every) if marks])
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
        level = max(0, self.depth - CALL_DEPTH + 1)  # what is seen from further down is less, and must not stand for the whole
        key = (id(function), id(closure.scope), level, tuple(signature(values[name]) for name in sorted(values)))
        self.places.called.add((closure.scope.source, function.line, function.name))
        if key in self.memo:
            self.places.include(self.memo[key][2])
            return self.memo[key][1]
        outside, self.places.within = self.places.within, {}
        scope = Scope({}, closure.scope)
        for parameter in function.parameters:
            self.bind_parameter(parameter, values.get(parameter.name, NOTHING), scope)
        deeper = int(len(function.body) > 1)  # a function that only hands over costs nothing
        self.depth += deeper
        result = given_back(self.follow(function, Frame(scope, function=function)))
        self.depth -= deeper
        inside, self.places.within = self.places.within, outside
        self.places.include(inside)
        self.memo[key] = (closure.scope, result, inside)  # the scope is kept, so that its id stays its own
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
                values[parameter.name] = self.evaluate(parameter.default, Frame(closure.scope))
        return values


def _handed(value: Value, depth: int = 0) -> frozenset[Mark]:
    """The marks of a text or of the texts in a list; not those of fields."""
    items = value.items or {}
    named = any(isinstance(key, str) and key != ANY for key in items)
    if named or value.path == "~Object.fromEntries()" or depth > _SMALL:
        return frozenset()
    return value.marks.union(*(_handed(part, depth + 1) for part in items.values()))
