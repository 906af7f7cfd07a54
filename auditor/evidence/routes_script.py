"""Endpoints of Express, Koa, Fastify, Hono, Polka and Restify: routers, nested mounts, chains, plugins."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from auditor.evidence.route_names import Names, Spot
from auditor.evidence.route_table import Layer, Mount, Table, place_of
from auditor.evidence.routes_script_values import begins_chain, by_member, callable_name, names_of
from auditor.languages.migrations import last
from auditor.model.evidence import Route, RouteKind
from auditor.model.syntax import Call, DefinitionKind, FileFacts, Value, ValueKind

_VERBS = frozenset({"get", "post", "put", "patch", "delete", "del", "head", "options", "all", "any"})
_CONSTRUCTORS = re.compile(
    r"^(?:(?:express|app)(?:\.default)?|require\(\)(?:\.Router)?|new require\(\)|(?:express\.)?Router|(?:new )?(?:express\.)?Router|[Ff]astify|new (?:Koa|Koa\.Router|KoaRouter|Hono|OpenAPIHono|Elysia|FindMyWay|Polka)"
    r"|polka|restify\.createServer|createServer|new Hono\.basePath|jsonServer\.create|new KoaRouter|PromiseRouter|createRouter|createHandler|new OpenAPIHono\.basePath)$"
)
_FRAMEWORKS = {
    "express": "express", "express-promise-router": "express", "koa": "koa", "@koa/router": "koa", "koa-router": "koa", "fastify": "fastify", "hono": "hono", "@hono/zod-openapi": "hono",
    "polka": "polka", "restify": "restify", "elysia": "elysia", "itty-router": "itty-router", "router": "router", "next-connect": "nextjs", "h3": "h3",
}  # fmt: skip
_SERVER_NAME = re.compile(r"(?:^|\.|_)(?:app|router|routes|server|fastify|instance|expressApp|koa|hono|\w*(?:Router|App))$")
_SERVER_TYPE = re.compile(r"\b(?:FastifyInstance|express\.(?:Application|Express|Router)|Express|Application|Hono)\b")
_PARAMETER_PATH = re.compile(r"^(?:/|\*|\^|$|\{\})")
_CHAIN = re.compile(r"^(?P<base>.+?)\.route\(\)(?:\.\w+\(\))*\.(?P<verb>\w+)$")


class ScriptRoutes:
    """Collects the endpoints of server-side script files into a table."""

    def __init__(self, names: Names, table: Table, files: Iterable[FileFacts]) -> None:
        self._names = names
        self._table = table
        self._files = tuple(files)
        self._frameworks: dict[Spot, str] = {}
        self._plugins: set[tuple[str, int]] = set()

    def run(self) -> None:
        """Routers first, so that a mount in one file finds the router of another."""
        for facts in self._files:
            self._routers(facts)
            self._registered(facts)
        for facts in self._files:
            self._calls(facts)

    def _routers(self, facts: FileFacts) -> None:
        framework = self._framework(facts)
        if not framework:
            return
        for call in facts.calls:
            if not _CONSTRUCTORS.match(call.callee):
                continue
            target = call.target or self._default_target(facts, call)
            if target:
                spot = Spot(facts.path, target)
                self._frameworks[spot] = framework
                if "Router" in call.callee:
                    self._table.parts.add(spot)
                prefix = self._prefix(facts, call)
                if prefix:
                    self._table.prefixes[spot] = prefix
        for call in facts.calls:  # chains: const api = new Hono().get(...).post(...)
            if (
                call.target
                and framework in {"hono", "elysia", "express", "koa"}
                and re.match(
                    r"^(?:new (?:Hono|OpenAPIHono|Elysia|Router|KoaRouter)|Router\(\)|express\(\))(?:\.\w+\(\))*\.\w+$", call.callee
                )
            ):
                self._frameworks.setdefault(Spot(facts.path, call.target), framework)

    def _registered(self, facts: FileFacts) -> None:
        """Functions that are handed a server to put their routes on, whatever they call it."""
        for call in facts.calls:
            if not call.callee.endswith(".register") or not call.arguments:
                continue
            value = call.arguments[0].value
            if value.kind is ValueKind.FUNCTION:
                inside = (i for i, d in enumerate(facts.definitions) if call.line <= d.line <= call.end_line and d.parent == call.scope)
                self._plugins.update((facts.path, index) for index in list(inside)[:1])
            elif value.kind is ValueKind.NAME and (spot := self._names.spot(facts.path, value.literal)) is not None:
                index = self._names.definition(spot)
                if index >= 0:
                    self._plugins.add((spot.path, index))
        for index, definition in enumerate(facts.definitions):
            if definition.parameters and _SERVER_TYPE.search(definition.parameters[0].annotation):
                self._plugins.add((facts.path, index))

    @staticmethod
    def _framework(facts: FileFacts) -> str:
        for statement in facts.imports:
            if statement.module in _FRAMEWORKS:
                return _FRAMEWORKS[statement.module]
        return ""

    @staticmethod
    def _default_target(facts: FileFacts, call: Call) -> str:
        """`module.exports = express.Router()` has no other name."""
        line = call.line
        return next((a.target for a in facts.assignments if a.line == line and a.target.endswith("exports")), "")

    def _prefix(self, facts: FileFacts, call: Call) -> str:
        options = call.argument("", 0)
        if options is not None and options.kind is ValueKind.COLLECTION:
            return self._names.text(facts.path, options.item("prefix")) or ""
        return self._names.text(facts.path, options) or "" if call.callee.endswith("basePath") else ""

    # -- routers by name ---------------------------------------------------------------------------------------------------------------

    def _router(self, facts: FileFacts, base: str, scope: int) -> Spot | None:
        """The router `base` means at a place: a known one, or the parameter of a plugin function, named after that function."""
        head = base.split(".", maxsplit=1)[0]
        current = scope
        while current != -1:
            definition = facts.definitions[current]
            if any(
                head == parameter.name or (parameter.kind == "destructured" and re.search(rf"\b{re.escape(head)}\b", parameter.name))
                for parameter in definition.parameters
            ):
                handed = (facts.path, current) in self._plugins and definition.parameters[0].name == head
                own = Spot(facts.path, f"({definition.name or definition.line})")
                return own if _SERVER_NAME.search(base) or handed else None
            current = definition.parent
        spot = self._names.spot(facts.path, base)
        if spot is not None and spot in self._frameworks:
            return spot
        own = Spot(facts.path, base)
        if own in self._frameworks:
            return own
        alias = next(
            (a.value for a in facts.assignments if a.target == head and a.value is not None and a.value.kind is ValueKind.NAME), None
        )
        if alias is not None and alias.literal != base and _SERVER_NAME.search(alias.literal) and _SERVER_NAME.search(base):
            return self._router(facts, alias.literal, scope) if alias.literal.split(".", maxsplit=1)[0] != head else None
        return None

    # -- calls -------------------------------------------------------------------------------------------------------------------------

    def _calls(self, facts: FileFacts) -> None:
        framework = self._framework(facts) or "express"
        for number, call in enumerate(facts.calls):
            base, _, verb = call.callee.rpartition(".")
            if not base:
                continue
            chain = _CHAIN.match(call.callee)
            if chain and chain["verb"] in _VERBS:
                self._chained(facts, number, chain["base"], chain["verb"])
                continue
            base = self._unchained(facts, base, call)
            router = self._router(facts, base, call.scope)
            if router is None:
                continue
            kind = self._frameworks.get(router, framework)
            if verb in _VERBS:
                self._verb(facts, call, router, verb, kind)
            elif verb in {"use", "register", "route", "mount"}:
                self._mounting(facts, call, router, verb, kind)
            elif verb in {"addHook", "onBeforeHandle"}:
                self._hook(call, router)
            elif verb == "on" and kind == "hono":
                self._on(facts, call, router, kind)

    def _unchained(self, facts: FileFacts, base: str, call: Call) -> str:
        """The variable a chain of calls on one router ends in: `new Hono().get().post` bound to `api`, `router.get().post` -> `router`."""
        if "()" not in base and not base.startswith("new "):
            return base
        if base.startswith(("new ", "Router()", "express()", "express.Router()")):
            whole = [
                other
                for other in facts.calls
                if other.target and other.line <= call.line <= other.end_line and other.callee.startswith(base.split(".", maxsplit=1)[0])
            ]
            return whole[0].target if whole else base
        head = base.split("()", maxsplit=1)[0]
        return head.rpartition(".")[0] if head.rpartition(".")[2] in _VERBS | {"use"} else base

    def _chained(self, facts: FileFacts, number: int, base: str, verb: str) -> None:
        """`router.route("/x").get(a).post(b)`."""
        call = facts.calls[number]
        router = self._router(facts, base, call.scope)
        start = next((c for c in facts.calls[number + 1 : number + 60] if c.callee == f"{base}.route" and c.scope == call.scope), None)
        if router is None or start is None:
            return
        path = self._names.text(facts.path, start.argument("", 0))
        handlers = [argument.value for argument in call.arguments]
        if handlers:
            self._endpoint(facts, call, router, verb, path=path, handlers=handlers, framework=self._frameworks.get(router, "express"))

    def _verb(self, facts: FileFacts, call: Call, router: Spot, verb: str, framework: str) -> None:
        values = [argument.value for argument in call.arguments]
        if not values or (len(values) == 1 and framework != "itty-router"):
            return  # app.get("setting"), or no handler
        handlers = values[1:]
        if handlers[-1].kind in {ValueKind.STRING, ValueKind.NUMBER, ValueKind.BOOLEAN} or (
            handlers[-1].kind is ValueKind.COLLECTION and framework != "fastify" and not handlers[-1].items
        ):
            return
        for path in self._paths(facts, values[0]):
            if path is not None and not _PARAMETER_PATH.match(path) and framework in {"express", "koa"}:
                return  # a client or a map that happens to be called like a router
            self._endpoint(facts, call, router, verb, path=path, handlers=handlers, framework=framework)

    def _paths(self, facts: FileFacts, value: Value) -> Iterator[str | None]:
        if value.kind is ValueKind.COLLECTION and value.items and not value.items[0][0]:
            for _, item in value.items:
                yield self._names.text(facts.path, item)
        elif value.text.startswith("/") and value.kind is ValueKind.OTHER:
            yield "^" + value.text.strip("/").removeprefix("^")
        else:
            yield self._names.text(facts.path, value)

    def _endpoint(
        self, facts: FileFacts, call: Call, router: Spot | None, verb: str, *, path: str | None, handlers: list[Value], framework: str
    ) -> None:
        if path is None:
            self._table.unresolved.append((f"{facts.path}:{call.line}", "the path of this route is computed"))
            path = "{}"
        method = {"all": "ANY", "any": "ANY", "del": "DELETE"}.get(verb, verb.upper())
        options = handlers[0] if len(handlers) > 1 and handlers[0].kind is ValueKind.COLLECTION and framework == "fastify" else None
        before = [name for value in handlers[:-1] for name in names_of(value)]
        if options is not None:
            before = [name for key in ("onRequest", "preValidation", "preHandler") for name in names_of(options.item(key))]
        self._place(facts, call, router, method, path=path, handler=handlers[-1], framework=framework, before=tuple(before))

    def _place(
        self,
        facts: FileFacts,
        call: Call,
        router: Spot | None,
        method: str,
        *,
        path: str,
        handler: Value,
        framework: str,
        before: tuple[str, ...],
    ) -> None:
        home, index, name = self.handler(facts, call, handler)
        if handler.kind is ValueKind.CALL and not handler.literal.endswith(".bind"):
            before = (*before, handler.literal)
        place = place_of(home.path, home.definitions[index].line) if index >= 0 else place_of(facts.path, call.line)
        registered = place_of(facts.path, call.line) if place.path != facts.path or place.line != call.line else None
        self._table.add(router, Route(RouteKind.HTTP, method, path, name, place, framework, index, registered, before), call.line)

    def handler(self, facts: FileFacts, call: Call, value: Value) -> tuple[FileFacts, int, str]:
        """The facts and definition of a handler: inline, wrapped, or named, also from another file."""
        if value.kind is ValueKind.COLLECTION and value.items:
            value = value.item("handler") or value.items[-1][1]
        name = callable_name(value)
        if name:
            spot = self._names.spot(facts.path, name.removesuffix(".bind"))
            if spot is not None and spot.path in self._names.facts:
                index = self._names.definition(spot)
                if index >= 0:
                    return self._names.facts[spot.path], index, name
            return facts, by_member(facts, name), name
        if value.kind in {ValueKind.FUNCTION, ValueKind.CALL}:
            inside = [
                i
                for i, d in enumerate(facts.definitions)
                if call.line <= d.line <= call.end_line and d.parent == call.scope and d.kind is not DefinitionKind.CLASS
            ]
            if inside:
                return facts, inside[-1], facts.definitions[inside[-1]].qualname
        return facts, -1, ""

    # -- mounts and middleware ---------------------------------------------------------------------------------------------------------

    def _mounting(self, facts: FileFacts, call: Call, router: Spot, verb: str, framework: str) -> None:
        values = [argument.value for argument in call.arguments]
        if not values:
            return
        if verb == "route" and values[0].kind is ValueKind.COLLECTION:
            self._route_object(facts, call, router, values[0], framework)
            return
        if verb == "route" and len(values) < 2:
            return
        prefix: str | None = ""
        if values[0].kind in {ValueKind.STRING, ValueKind.TEMPLATE, ValueKind.OPERATION} or (
            values[0].kind is ValueKind.NAME and self._names.text(facts.path, values[0]) is not None
        ):
            prefix, values = self._names.text(facts.path, values[0]), values[1:]
        if verb == "register" and len(values) > 1 and values[1].kind is ValueKind.COLLECTION:
            prefix, values = self._names.text(facts.path, values[1].item("prefix")) or "", values[:1]
        before: list[str] = []
        for value in values:
            child = self._child(facts, call, value)
            if child is not None:
                self._table.mounts.append(Mount(router, child, prefix or "", call.line, tuple(before)))
                continue
            names = names_of(value)
            before.extend(names)
        if values and self._from_a_loop(facts, call, values[-1]):
            self._table.loops.append(Mount(router, router, "", call.line, tuple(name for name in before if name != values[-1].literal)))
            return
        if before and not any(self._child(facts, call, value) for value in values):
            if prefix:
                self._table.opaque.append(Mount(router, router, prefix, call.line))
            line = call.line - 1 if begins_chain(call.callee) else call.line
            self._table.layers.extend(Layer(router, prefix or "", name, line) for name in before)

    def _from_a_loop(self, facts: FileFacts, call: Call, value: Value) -> bool:
        """Whether what is mounted is the variable of a loop or of a callback: `routes.forEach((route) => app.use(route.router))`."""
        if value.kind is not ValueKind.NAME or not _SERVER_NAME.search(value.literal):
            return False
        head = value.literal.split(".", maxsplit=1)[0]
        around = facts.definitions[call.scope] if call.scope >= 0 else None
        return (call.in_loop and head not in facts.bound) or (around is not None and any(p.name == head for p in around.parameters))

    def _child(self, facts: FileFacts, call: Call, value: Value) -> Spot | None:
        """The router, or plugin function standing for one, that a mounted value is."""
        spot: Spot | None = None
        if value.kind is ValueKind.NAME:
            spot = self._names.spot(facts.path, value.literal)
        elif value.kind is ValueKind.CALL:
            module = next((item.literal for _, item in value.items if item.kind is ValueKind.STRING), "")
            if value.literal in {"require", "import"} and module:
                spot = self._names.exported(facts.path, module)
            elif last(value.literal) in {"routes", "middleware", "default", "plugin"} and "." in value.literal:
                spot = self._names.spot(facts.path, value.literal.rpartition(".")[0])
            else:
                spot = self._names.spot(facts.path, value.literal)
        elif value.kind is ValueKind.FUNCTION and call.callee.endswith("register"):
            inside = [d for d in facts.definitions if call.line <= d.line <= call.end_line and d.parent == call.scope]
            spot = Spot(facts.path, str(inside[0].line)) if inside else None
        if spot is None:
            return None
        if spot in self._frameworks:
            return spot
        made = self._made(spot)
        if made is not None:
            return made
        plugin = Spot(spot.path, f"({spot.name})")
        return plugin if self._has_plugin(plugin) else None

    def _made(self, spot: Spot) -> Spot | None:
        """The router a factory returns, or the one an object keeps in a field."""
        kept = Spot(spot.path, f"this.{last(spot.name)}")
        if "." in spot.name and kept in self._frameworks:
            return kept
        index = self._names.definition(spot)
        facts = self._names.facts.get(spot.path)
        for returned in facts.returns if facts is not None and index >= 0 else ():
            if returned.scope == index and returned.value is not None:
                own = Spot(spot.path, returned.value.literal)
                if own in self._frameworks:
                    return own
        return None

    def _has_plugin(self, plugin: Spot) -> bool:
        """Whether a function registers routes on a parameter of its own, or makes a router inside."""
        facts = self._names.facts.get(plugin.path)
        if facts is None:
            return False
        name = plugin.name.strip("()")
        for index, definition in enumerate(facts.definitions):
            if (
                (definition.name == name or str(definition.line) == name)
                and definition.parameters
                and (_SERVER_NAME.search(definition.parameters[0].name) or (plugin.path, index) in self._plugins)
            ):
                return any(call.scope == index and last(call.callee) in _VERBS | {"route", "register", "use"} for call in facts.calls)
        return False

    def _hook(self, call: Call, router: Spot) -> None:
        values = [argument.value for argument in call.arguments]
        if len(values) > 1 and values[0].literal in {"onRequest", "preHandler", "preValidation", "preParsing"}:
            name = next(iter(names_of(values[1])), "")
            self._table.layers.append(Layer(router, "", name or values[0].literal, 0))

    def _route_object(self, facts: FileFacts, call: Call, router: Spot, options: Value, framework: str) -> None:
        path = self._names.text(facts.path, options.item("url") or options.item("path"))
        method = options.item("method")
        methods = (
            [method.literal]
            if method is not None and method.kind is ValueKind.STRING
            else [item.literal for _, item in (method.items if method else ())]
        )
        handler = options.item("handler") or options
        before = [name for key in ("onRequest", "preValidation", "preHandler") for name in names_of(options.item(key))]
        for verb in methods or ["ANY"]:
            if path is None:
                self._table.unresolved.append((f"{facts.path}:{call.line}", "the path of this route is computed"))
            self._place(facts, call, router, verb.upper(), path=path or "{}", handler=handler, framework=framework, before=tuple(before))

    def _on(self, facts: FileFacts, call: Call, router: Spot, framework: str) -> None:
        values = [argument.value for argument in call.arguments]
        if len(values) < 3:
            return
        methods = [item.literal for _, item in values[0].items] or [values[0].literal]
        for method in methods:
            self._endpoint(
                facts, call, router, method.lower(), path=self._names.text(facts.path, values[1]), handlers=values[2:], framework=framework
            )
