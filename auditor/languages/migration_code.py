"""Follows the code of one way of a migration to the calls it makes, in the order they run. Knows Python and scripts through `flow_ir`, and no framework.

Constants, helpers of the same file, loops over written lists and texts put together from constants are followed; a loop over anything else is entered once, and
the step says so. Nothing is run: what is not a constant stays an expression.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

from auditor.languages import flow_ir as ir
from auditor.languages.migration_expressions import Link, Refusal, Step, chain, constant, dotted, entry, text_of, words

_STEPS_LIMIT = 20_000
_VALUES_LIMIT = 400_000
_ITEMS_LIMIT = 5_000
_TEXT_LIMIT = 2_000_000
_CALLS_DEEP = 6
_UNROLLED = 60
_DEEP = 40
_PROMISES = frozenset({"then", "catch", "finally"})

Environment = dict[str, ir.Expression]


class Walker:
    """Walks functions of one module."""

    def __init__(self, module: ir.Module, *, dialect: str = "postgres", keep: frozenset[str] = frozenset()) -> None:
        """`keep`: names of calls whose function arguments are read by whoever gets the step, not walked here."""
        self._dialect = dialect
        self._keep = keep
        self._count = self._values = 0
        self._active: list[ir.Function] = []
        self._over: ir.Expression | None = None
        self.refusals: list[Refusal] = []
        self.globals: Environment = {}
        self.methods: dict[str, ir.Function] = {}
        self._bind_module(module.body)

    def _bind_module(self, body: tuple[ir.Statement, ...]) -> None:
        for statement in body:
            match statement:
                case ir.Function():
                    self.globals[statement.name] = statement
                case ir.Class():
                    self.methods |= {part.name: part for part in statement.body if isinstance(part, ir.Function)}
                case ir.Assign(target=ir.Name(id=name)) if not statement.operator:
                    self.globals[name] = self.value(statement.value, self.globals)
                case ir.Assign(target=ir.Attribute(base=base, name=name)) if isinstance(statement.value, ir.Function) and dotted(
                    base
                ).endswith("exports"):
                    self.globals.setdefault(name, statement.value)
                case _:
                    pass

    def steps(self, function: ir.Function, environment: Environment | None = None) -> Iterator[Step]:
        """The calls of a function and of what it calls in this file, in order."""
        self._active.append(function)
        local = dict(self.globals if environment is None else environment)
        yield from self._block(function.body, local, (), looped=False)
        self._active.pop()

    # -- statements

    def _block(self, body: tuple[ir.Statement, ...], env: Environment, blocks: tuple[str, ...], *, looped: bool) -> Iterator[Step]:
        for statement in body:
            if self._count > _STEPS_LIMIT:
                return
            match statement:
                case ir.Evaluate():
                    yield from self._visit(statement.value, env, blocks, looped=looped)
                case ir.Assign():
                    yield from self._assign(statement, env, blocks, looped=looped)
                case ir.Leave():
                    if statement.kind == "raise":
                        self.refusals.append(Refusal(statement.line, _has_reason(statement.value)))
                    elif statement.value is not None:
                        yield from self._visit(statement.value, env, blocks, looped=looped)
                case ir.Function():
                    env[statement.name] = statement
                case _:
                    yield from self._compound(statement, env, blocks, looped=looped)

    def _assign(self, statement: ir.Assign, env: Environment, blocks: tuple[str, ...], *, looped: bool) -> Iterator[Step]:
        value = self.value(statement.value, env)
        if not isinstance(value, ir.Function):
            yield from self._visit(statement.value, env, blocks, looped=looped)
        match statement.target:
            case ir.Name(id=name) if statement.operator:
                known = env.get(name)
                env[name] = self.value(ir.added((known, value), statement.line), env) if known is not None else value
            case ir.Name(id=name):
                env[name] = value
            case ir.Attribute():
                # a field of an object is set: the readers of data functions want to know
                yield Step(
                    dotted(self.value(statement.target, env)), (Link("=", (value,), line=statement.line),), statement.line, blocks, looped
                )
            case ir.Mapping(entries=entries) if isinstance(value, ir.Call | ir.Attribute | ir.Name):
                for key, target in entries:
                    if isinstance(target, ir.Name) and isinstance(key, ir.Const):
                        env[target.id] = ir.Attribute(value, str(key.value), statement.line)
            case _:
                pass

    def _compound(self, statement: ir.Statement, env: Environment, blocks: tuple[str, ...], *, looped: bool) -> Iterator[Step]:
        match statement:
            case ir.If():
                yield from self._branch(statement, env, blocks, looped=looped)
            case ir.Loop():
                yield from self._loop(statement, env, blocks, looped=looped)
            case ir.Try():
                for part in (statement.body, statement.other, statement.final):
                    yield from self._block(part, env, blocks, looped=looped)
            case ir.With():
                for value, target in statement.bindings:
                    yield from self._visit(value, env, blocks, looped=looped)
                    read = self.value(value, env)
                    blocks = (*blocks, dotted(read))
                    if isinstance(target, ir.Name):
                        env[target.id] = read
                yield from self._block(statement.body, env, blocks, looped=looped)
            case ir.Match():
                for _, _, body in statement.cases:
                    yield from self._block(body, env, blocks, looped=looped)
            case _:
                return

    def _branch(self, statement: ir.If, env: Environment, blocks: tuple[str, ...], *, looped: bool) -> Iterator[Step]:
        """Both ways, unless the test asks for the database."""
        holds = self._about_dialect(self.value(statement.test, env))
        refused = len(self.refusals)
        if holds is not False:
            yield from self._block(statement.then, env, blocks, looped=looped)
        if holds is not True:
            yield from self._block(statement.other, env, blocks, looped=looped)
        if holds is None:
            del self.refusals[refused:]  # refuses in some cases only

    def _about_dialect(self, test: ir.Expression) -> bool | None:
        """Whether a comparison of a dialect's or vendor's name holds for the database at hand; None for other tests."""
        if (
            isinstance(test, ir.Call)
            and isinstance(test.function, ir.Attribute)
            and test.function.name in {"startswith", "startsWith"}
            and test.arguments
        ):
            named = [_database(word) for word in words(test.arguments[0])]  # an address of a database begins with its name
            return (
                self._dialect == named[0] if named and named[0] in _DATABASES.values() and "url" in dotted(test.function).lower() else None
            )
        if isinstance(test, ir.Operation) and test.operator == "not" and test.operands:
            inner = self._about_dialect(test.operands[0])
            return None if inner is None else not inner
        if not isinstance(test, ir.Operation) or len(test.operands) != 2 or test.operator not in {"==", "!=", "in", "not in", "is"}:
            return None
        left, right = test.operands
        if not dotted(left).endswith(("dialect.name", ".vendor", "client.config.client", "dialect", "options.type", "get_dialect")):
            left, right = right, left
        if not dotted(left).endswith(("dialect.name", ".vendor", "client.config.client", "dialect", "options.type", "get_dialect")):
            return None
        wanted = {_database(word) for word in words(right)}
        if not wanted:
            return None
        return (self._dialect in wanted) == (test.operator in {"==", "in", "is"})

    def _loop(self, statement: ir.Loop, env: Environment, blocks: tuple[str, ...], *, looped: bool) -> Iterator[Step]:
        iterable = self.value(statement.iterable, env) if statement.iterable is not None else None
        if iterable is not None:
            yield from self._visit(iterable, env, blocks, looped=looped)
        if isinstance(iterable, ir.Sequence) and len(iterable.items) <= _UNROLLED and statement.target is not None:
            for item in iterable.items:
                _bind(statement.target, item, env)
                yield from self._block(statement.body, env, blocks, looped=looped)
            return
        if statement.target is not None and iterable is not None:
            _bind(statement.target, ir.Attribute(iterable, "[each]", statement.line), env)
        around, self._over = self._over, iterable
        yield from self._block(statement.body, env, blocks, looped=True)
        self._over = around

    def _comprehended(self, value: ir.Comprehension, env: Environment, depth: int) -> ir.Expression:
        """A comprehension over a written list is the list it makes."""
        items = _unrolled(value, self.value(value.iterable, env, depth + 1))
        if items is None:
            return value
        made = []
        for item in items:
            local = dict(env)
            _bind(value.target, item, local)
            made.append(self.value(value.element, local, depth + 1))
        return ir.Sequence(tuple(made), value.line)

    # -- expressions

    def _visit(self, value: ir.Expression, env: Environment, blocks: tuple[str, ...], *, looped: bool) -> Iterator[Step]:
        """The calls of an expression, inner ones first."""
        self._count += 1
        if self._count > _STEPS_LIMIT:
            return
        match value:
            case ir.Call():
                yield from self._call(value, env, blocks, looped=looped)
            case ir.Sequence():
                for item in value.items:
                    yield from self._visit(item, env, blocks, looped=looped)
            case ir.Mapping():
                for _, item in value.entries:
                    yield from self._visit(item, env, blocks, looped=looped)
            case ir.Attribute() | ir.Index():
                yield from self._visit(value.base, env, blocks, looped=looped)
            case ir.Spread() | ir.Binding():
                yield from self._visit(value.value, env, blocks, looped=looped)
            case ir.Choice():
                yield from self._visit(value.then, env, blocks, looped=looped)
                yield from self._visit(value.other, env, blocks, looped=looped)
            case ir.Operation(operands=parts) | ir.Template(parts=parts) | ir.Other(parts=parts):
                for part in parts:
                    yield from self._visit(part, env, blocks, looped=looped)
            case ir.Comprehension():
                yield from self._visit(value.iterable, env, blocks, looped=looped)
                yield from self._visit(value.element, env, blocks, looped=True)
            case _:
                return

    def _call(self, call: ir.Call, env: Environment, blocks: tuple[str, ...], *, looped: bool) -> Iterator[Step]:
        helper = self._helper(call, env)
        if helper is not None and helper not in self._active and len(self._active) < _CALLS_DEEP:
            yield from self._enter(helper, call, env, blocks, looped=looped)
            return
        promise = isinstance(call.function, ir.Attribute) and call.function.name in _PROMISES
        yield from self._inner_bases(call, env, blocks, looped=looped, promise=promise)
        made = self.value(call, env)
        if isinstance(made, ir.Call) and not promise:
            base, links = chain(made)
            yield Step(base, links, links[-1].line if links else call.line, blocks, looped, self._over if looped else None)
        name = dotted(call.function).rpartition(".")[2]
        for argument in (*call.arguments, *(item for _, item in call.keywords)):
            read = self.value(argument, env) if isinstance(argument, ir.Name) else argument
            if isinstance(read, ir.Function):
                if name not in self._keep and read not in self._active and len(self._active) < _CALLS_DEEP:
                    yield from self._callback(read, call, env, blocks, looped=looped or name in {"map", "forEach"})
            else:
                yield from self._visit(argument, env, blocks, looped=looped)

    def _callback(self, function: ir.Function, call: ir.Call, env: Environment, blocks: tuple[str, ...], *, looped: bool) -> Iterator[Step]:
        """A function handed to a call: `list.forEach(x => ...)` is a loop, everything else is entered once."""
        receiver = self.value(call.function.base, env) if isinstance(call.function, ir.Attribute) else None
        items: tuple[ir.Expression | None, ...] = (None,)
        if looped and isinstance(receiver, ir.Sequence) and len(receiver.items) <= _UNROLLED:
            items, looped = receiver.items, False
        for item in items:
            local = dict(env)
            for parameter in function.parameters:
                local.pop(parameter.name, None)
            if item is not None and function.parameters:
                first = function.parameters[0]
                _bind(first.pattern or ir.Name(first.name, function.line), item, local)
            self._active.append(function)
            yield from self._block(function.body, local, (*blocks, dotted(call.function)), looped=looped)
            self._active.pop()

    def _inner_bases(self, call: ir.Call, env: Environment, blocks: tuple[str, ...], *, looped: bool, promise: bool) -> Iterator[Step]:
        """Calls earlier in the chain only matter for the functions they are given (`a.then(() => ...).then(...)`)."""
        base: ir.Expression = call.function
        while isinstance(base, ir.Attribute | ir.Index):
            base = base.base
        if isinstance(base, ir.Call):
            functions = any(isinstance(argument, ir.Function) for argument in base.arguments)
            if promise or (functions and dotted(base.function).rpartition(".")[2] not in self._keep):
                yield from self._call(base, env, blocks, looped=looped)

    def _helper(self, call: ir.Call, env: Environment) -> ir.Function | None:
        match call.function:
            case ir.Name(id=name):
                found = env.get(name)
                return found if isinstance(found, ir.Function) else None
            case ir.Attribute(base=ir.Name(id="this" | "self"), name=name):
                return self.methods.get(name)
            case _:
                return None

    def _enter(self, helper: ir.Function, call: ir.Call, env: Environment, blocks: tuple[str, ...], *, looped: bool) -> Iterator[Step]:
        local = dict(env)
        parameters = [parameter for parameter in helper.parameters if parameter.name not in {"this", "self"}]
        for parameter in parameters:
            local.pop(parameter.name, None)
            if parameter.default is not None:
                local[parameter.name] = self.value(parameter.default, env)
        for parameter, argument in zip(parameters, call.arguments, strict=False):
            if not parameter.kind:
                _bind(parameter.pattern or ir.Name(parameter.name, call.line), self.value(argument, env), local)
        for name, argument in call.keywords:
            local[name] = self.value(argument, env)
        self._active.append(helper)
        yield from self._block(helper.body, local, blocks, looped=looped)
        self._active.pop()

    def value(self, value: ir.Expression, env: Environment, depth: int = 0) -> ir.Expression:
        """An expression with what is known put in for its names, texts joined."""
        self._values += 1
        if depth > _DEEP or self._values > _VALUES_LIMIT:
            return value
        again: Callable[[ir.Expression], ir.Expression] = lambda part: self.value(part, env, depth + 1)  # noqa: E731 - bound to this depth
        match value:
            case ir.Name(id=name):
                known = env.get(name)
                return known if known is not None else value
            case ir.Attribute(base=base, name=name):
                read = again(base)
                found = entry(read, name)
                return found if found is not None else value if read is base else ir.Attribute(read, name, value.line)
            case ir.Index(base=base, key=key):
                return _picked(again(base), again(key) if key is not None else None, value)
            case ir.Call():
                keywords = tuple((name, again(item)) for name, item in value.keywords)
                arguments = tuple(again(item) for item in value.arguments)
                return ir.Call(again(value.function), arguments, keywords, value.line, value.end_line, value.tagged, value.creates)
            case ir.Template(parts=parts):
                read_parts = tuple(again(part) for part in parts)
                return _joined(read_parts, value.line)
            case ir.Sequence(items=items):
                return ir.Sequence(tuple(islice(_spread(tuple(again(item) for item in items)), _ITEMS_LIMIT)), value.line)
            case ir.Mapping(entries=entries):
                read_entries = _entries((again(key) if key is not None else None, again(item)) for key, item in entries)
                return ir.Mapping(tuple(islice(read_entries, _ITEMS_LIMIT)), value.line)
            case ir.Spread():
                return ir.Spread(again(value.value), value.line)
            case ir.Operation(operator=operator, operands=operands):
                read_operands = tuple(again(part) for part in operands)
                if operator == "+" and all(isinstance(part, ir.Sequence) for part in read_operands):  # lists put together
                    items = tuple(item for part in read_operands if isinstance(part, ir.Sequence) for item in part.items)
                    return ir.Sequence(items[:_ITEMS_LIMIT], value.line)
                return ir.Operation(operator, read_operands, value.line)
            case ir.Comprehension():
                return self._comprehended(value, env, depth)
            case ir.Choice():
                return ir.Choice(again(value.test), again(value.then), again(value.other), value.line)
            case _:
                return value


def _unrolled(value: ir.Comprehension, iterable: ir.Expression) -> tuple[ir.Expression, ...] | None:
    """The entries a comprehension goes over, None where they do not show."""
    if value.conditions or not isinstance(iterable, ir.Sequence) or len(iterable.items) > _UNROLLED:
        return None
    return iterable.items


def _bind(target: ir.Expression, value: ir.Expression, env: Environment) -> None:
    match target:
        case ir.Name(id=name):
            env[name] = value
        case ir.Sequence(items=items):
            given = value.items if isinstance(value, ir.Sequence) else ()
            for position, part in enumerate(items):
                if position < len(given):
                    _bind(part, given[position], env)
                elif isinstance(part, ir.Name):
                    env.pop(part.id, None)
        case ir.Mapping(entries=entries):
            for key, part in entries:
                found = entry(value, str(constant(key)))
                if found is not None:
                    _bind(part, found, env)
        case _:
            pass


def _picked(base: ir.Expression, key: ir.Expression | None, value: ir.Index) -> ir.Expression:
    wanted = constant(key)
    if isinstance(wanted, str):
        found = entry(base, wanted)
        if found is not None:
            return found
    if isinstance(wanted, int) and isinstance(base, ir.Sequence) and 0 <= wanted < len(base.items):
        return base.items[wanted]
    return ir.Index(base, key, value.line)


def _joined(parts: tuple[ir.Expression, ...], line: int) -> ir.Expression:
    """Text put together: nested texts are laid flat, so that their size shows and can be bounded."""
    flat: list[ir.Expression] = []
    size = 0
    for part in parts:
        flat.extend(part.parts if isinstance(part, ir.Template) else (part,))
        size += len(str(constant(part)))
        if len(flat) > _ITEMS_LIMIT or size > _TEXT_LIMIT:
            return ir.Other((), line)
    if all(isinstance(part, ir.Const) for part in flat):
        return ir.Const("".join(str(constant(part)) for part in flat), line)
    return ir.Template(tuple(flat), line)


def _spread(items: tuple[ir.Expression, ...]) -> Iterator[ir.Expression]:
    for item in items:
        if isinstance(item, ir.Spread) and isinstance(item.value, ir.Sequence):
            yield from item.value.items
        else:
            yield item


def _entries(entries: Iterator[tuple[ir.Expression | None, ir.Expression]]) -> Iterator[tuple[ir.Expression | None, ir.Expression]]:
    for key, item in entries:
        if key is None and isinstance(item, ir.Mapping):
            yield from item.entries
        else:
            yield key, item


def _has_reason(value: ir.Expression | None) -> bool:
    """Whether what is raised carries a text."""
    if not isinstance(value, ir.Call):
        return False
    return any(text_of(argument) for argument in (*value.arguments, *(item for _, item in value.keywords)))


_DATABASES = {
    "mysql": "mysql",
    "sqlite": "sqlite",
    "postgres": "postgres",
    "postgresql": "postgres",
    "pg": "postgres",
    "postgis": "postgres",
    "mariadb": "mysql",
    "mysql2": "mysql",
    "sqlite3": "sqlite",
    "better-sqlite3": "sqlite",
    "mssql": "tsql",
}


def _database(word: str) -> str:
    return _DATABASES.get(word.lower(), word.lower())
