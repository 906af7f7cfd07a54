"""Endpoints of FastAPI, Starlette, Flask, Quart, Flask-RESTX, aiohttp, Sanic, Tornado, Falcon, Django Ninja, Litestar and the standard library."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from auditor.evidence.route_names import Names, Spot
from auditor.evidence.route_table import Layer, Mount, Table, joined, place_of
from auditor.evidence.routes_preprocessors import preprocessors
from auditor.evidence.routes_python_calls import METHODS, Declared, declared_routes, handler_name, listed
from auditor.languages.migrations import last
from auditor.model.evidence import Route, RouteKind
from auditor.model.syntax import Call, DefinitionKind, FileFacts, Value, ValueKind

_ROUTERS = {
    "FastAPI": "fastapi", "APIRouter": "fastapi", "Flask": "flask", "Blueprint": "flask", "APIFlask": "flask", "Quart": "quart", "Starlette": "starlette", "Router": "starlette",
    "Application": "aiohttp", "RouteTableDef": "aiohttp", "Sanic": "sanic", "Bottle": "bottle", "Namespace": "flask-restx", "Api": "flask-restx", "NinjaAPI": "django-ninja",
    "Litestar": "litestar", "App": "falcon", "API": "falcon", "OpenAPI": "flask", "APIBlueprint": "flask", "ApiRouter": "fastapi", "FastMCP": "mcp", "Robyn": "robyn",
}  # fmt: skip
_HOMES = {
    "fastapi": ("fastapi",), "flask": ("flask", "apiflask", "flask_openapi3", "flask_smorest"), "quart": ("quart",), "starlette": ("starlette",), "aiohttp": ("aiohttp", "tornado"), "sanic": ("sanic",),
    "bottle": ("bottle",), "flask-restx": ("flask_restx", "flask_restful", "flask_restplus", "flask_smorest"), "django-ninja": ("ninja", "ninja_extra"), "litestar": ("litestar",),
    "falcon": ("falcon",), "mcp": ("mcp", "fastmcp"), "robyn": ("robyn",),
}  # fmt: skip
_ROUTE_DECORATOR = re.compile(
    r"^(?P<base>[\w.]+)\.(?P<verb>get|post|put|patch|delete|head|options|trace|route|api_route|websocket|websocket_route|custom_route|view)$"
)
_VERB = re.compile(r"^(?:get|post|put|patch|delete|route)$")
_DEPENDS = re.compile(r"\b(?:Depends|Security)\(\s*([\w.]+)")


class PythonRoutes:
    """Collects the endpoints of the production Python files into a table."""

    def __init__(self, names: Names, table: Table, files: Iterable[FileFacts]) -> None:
        self._names = names
        self._table = table
        self._files = tuple(files)
        self._frameworks: dict[Spot, str] = {}
        self._aliases = self._dependency_aliases()
        self._preprocessors = tuple(preprocessors(self._files))

    def run(self) -> None:
        """Routers first, so that a route in one file finds the router of another."""
        for facts in self._files:
            self._routers(facts)
        for facts in self._files:
            self._decorated(facts)
            self._mounts(facts)
            self._calls(facts)
            self._server_classes(facts)

    # -- routers -----------------------------------------------------------------------------------------------------------------------

    def _routers(self, facts: FileFacts) -> None:
        modules = {statement.module.split(".", maxsplit=1)[0] for statement in facts.imports}
        for call in facts.calls:
            name = last(call.callee)
            framework = _ROUTERS.get(name)
            if framework is None or not call.target:
                continue
            framework = _by_module(name, framework, modules)
            if not modules.intersection(_HOMES[framework]):
                continue
            if name == "Application" and "tornado" in modules and "aiohttp" not in modules:
                continue
            spot = Spot(facts.path, call.target)
            self._frameworks[spot] = framework
            if name in {"APIRouter", "Blueprint", "APIBlueprint", "ApiRouter", "Router"}:
                self._table.parts.add(spot)
            prefix = self._prefix(facts, call, name)
            if prefix:
                self._table.prefixes[spot] = prefix
            for dependency in self._dependencies(call):
                self._table.layers.append(Layer(spot, "", dependency, 0))
            if name == "Api" and call.arguments and call.arguments[0].value.kind is ValueKind.NAME:
                self._mount(facts, call.arguments[0].value.literal, spot, "", call)

    def _prefix(self, facts: FileFacts, call: Call, name: str) -> str:
        keywords = ("url_prefix",) if name in {"Blueprint", "APIBlueprint"} else ("prefix", "root_path", "path")
        value = next((found for keyword in keywords if (found := call.argument(keyword)) is not None), None)
        text = self._names.text(facts.path, value)
        if name == "Namespace" and text is None and call.arguments:
            own = self._names.text(facts.path, call.arguments[0].value)
            return f"/{own}" if own else ""
        return "" if name in {"FastAPI", "Flask"} else text or ""

    def _dependencies(self, call: Call) -> Iterator[str]:
        value = call.argument("dependencies")
        if value is not None:
            yield from _DEPENDS.findall(value.text)
        auth = call.argument("auth")
        if auth is not None and auth.kind is not ValueKind.NONE:
            yield auth.literal or "auth"
        for keyword in ("middlewares", "middleware"):
            listed_before = call.argument(keyword)
            yield from listed_before.names if listed_before is not None else ()

    def _dependency_aliases(self) -> dict[str, tuple[str, ...]]:
        """`CurrentUser = Annotated[User, Depends(get_current_user)]`: alias -> dependencies."""
        found: dict[str, tuple[str, ...]] = {}
        for facts in self._files:
            for assignment in facts.assignments:
                if assignment.value is not None and assignment.scope == -1 and "Depends(" in assignment.value.text:
                    found[assignment.target] = tuple(_DEPENDS.findall(assignment.value.text))
        return found

    def _router(self, facts: FileFacts, base: str) -> Spot | None:
        """The router a dotted name means, if it is one."""
        spot = self._names.spot(facts.path, base)
        if spot is not None and spot in self._frameworks:
            return spot
        own = Spot(facts.path, base)
        return own if own in self._frameworks else None

    # -- decorated handlers ------------------------------------------------------------------------------------------------------------

    def _decorated(self, facts: FileFacts) -> None:
        modules = {statement.module.split(".", maxsplit=1)[0] for statement in facts.imports}
        for index, definition in enumerate(facts.definitions):
            for decorator in definition.decorators:
                found = _ROUTE_DECORATOR.match(decorator.callee)
                if found:
                    self._decorated_route(facts, index, decorator, found["base"], found["verb"])
                elif "bottle" in modules and _VERB.match(decorator.callee):
                    self._frameworks[Spot(facts.path, "(bottle)")] = "bottle"
                    self._decorated_route(facts, index, decorator, "(bottle)", decorator.callee)
                elif last(decorator.callee) in {"before_request", "before_app_request"}:
                    self._layer(facts, decorator.callee.rpartition(".")[0], definition.name)

    def _decorated_route(self, facts: FileFacts, index: int, decorator: Call, base: str, verb: str) -> None:
        router = self._router(facts, base)
        if router is None:
            if base in {"app", "bp", "blueprint", "router", "api"} and decorator.arguments and _first(decorator, "/"):
                router = Spot(facts.path, base)
                framework = "flask" if verb == "route" else "fastapi"
            else:
                return
        else:
            framework = self._frameworks[router]
        path_value = decorator.argument("rule") or decorator.argument("path") or decorator.argument("uri") or decorator.argument("", 0)
        paths = self._paths(facts, decorator, path_value, framework)
        if not paths:
            self._table.unresolved.append((f"{facts.path}:{decorator.line}", "the path of this route is computed"))
            paths = ["{}"]
        for path in paths:
            self._register(facts, index, router, path, decorator, verb=verb, framework=framework)

    def _paths(self, facts: FileFacts, decorator: Call, value: Value | None, framework: str) -> list[str]:
        if framework == "flask-restx":
            texts = [self._names.text(facts.path, argument.value) for argument in decorator.arguments if not argument.name]
            return [text for text in texts if text is not None]
        text = self._names.text(facts.path, value)
        return [] if text is None else [text]

    def _register(self, facts: FileFacts, index: int, router: Spot, path: str, decorator: Call, *, verb: str, framework: str) -> None:
        definition = facts.definitions[index]
        through = self._through(facts, index, decorator)
        if definition.kind is DefinitionKind.CLASS:
            for number, inner in enumerate(facts.definitions):
                if inner.parent == index and inner.name in METHODS:
                    own = (*through, *self._through(facts, number, None))
                    self._entry(facts, number, router, path, inner.name.upper(), framework=framework, line=decorator.line, through=own)
            return
        if verb.startswith("websocket"):
            self._entry(
                facts, index, router, path, "ANY", framework=framework, line=decorator.line, through=through, kind=RouteKind.WEBSOCKET
            )
            return
        for method in _methods(decorator, verb, framework):
            self._entry(facts, index, router, path, method, framework=framework, line=decorator.line, through=through)

    def _entry(
        self,
        facts: FileFacts,
        index: int,
        router: Spot | None,
        path: str,
        method: str,
        *,
        framework: str,
        line: int,
        through: tuple[str, ...] = (),
        kind: RouteKind = RouteKind.HTTP,
        registered: str = "",
    ) -> None:
        definition = facts.definitions[index]
        elsewhere = place_of(registered, line) if registered and registered != facts.path else None
        place = place_of(facts.path, definition.line)
        self._table.add(router, Route(kind, method, path, definition.qualname, place, framework, index, elsewhere, through), line)

    def _through(self, facts: FileFacts, index: int, route: Call | None) -> tuple[str, ...]:
        """Decorators below the routing one, dependencies of the decorator and of the parameters."""
        definition = facts.definitions[index]
        routing = (_ROUTE_DECORATOR, _VERB)
        names = [decorator.callee for decorator in definition.decorators if not any(known.match(decorator.callee) for known in routing)]
        if route is not None:
            names.extend(self._dependencies(route))
        for parameter in definition.parameters:
            names.extend(_DEPENDS.findall(parameter.annotation))
            names.extend(self._aliases.get(parameter.annotation, ()))
            if (
                parameter.default is not None
                and parameter.default.kind is ValueKind.CALL
                and last(parameter.default.literal) in {"Depends", "Security"}
            ):
                names.extend(_DEPENDS.findall(parameter.default.text))
        for assignment in facts.assignments:
            if assignment.scope == index and assignment.target in {"decorators", "method_decorators"} and assignment.value is not None:
                names.extend(assignment.value.names)
        if route is not None:
            names.extend(self._preprocessed(facts, route))
        return tuple(dict.fromkeys(names))

    def _preprocessed(self, facts: FileFacts, route: Call) -> Iterator[str]:
        """Flask's preprocessors of the values in a path: each route that has the values one of them takes passes through it first."""
        path = route.arguments[0].value.literal if route.arguments else ""
        base = route.callee.rpartition(".")[0]
        for found in self._preprocessors:
            here = (
                found.whole
                or (found.path, found.router) == (facts.path, base)
                or self._router(facts, base) == Spot(found.path, found.router)
            )
            if here and found.takes(path):
                yield found.name

    # -- mounts ------------------------------------------------------------------------------------------------------------------------

    def _mounts(self, facts: FileFacts) -> None:
        for call in facts.calls:
            base, _, verb = call.callee.rpartition(".")
            match verb:
                case (
                    "include_router"
                    | "add_router"
                    | "register_blueprint"
                    | "add_namespace"
                    | "mount"
                    | "blueprint"
                    | "add_subapp"
                    | "add_routes"
                    | "init_app"
                ) if base:
                    self._mount_call(facts, call, base, verb)
                case "before_request" | "before_app_request" if base and call.arguments and call.arguments[0].value.kind is ValueKind.NAME:
                    self._layer(facts, base, call.arguments[0].value.literal)
                case _:
                    pass

    def _mount_call(self, facts: FileFacts, call: Call, base: str, verb: str) -> None:
        path_first = verb in {"mount", "add_subapp"} or (verb == "add_router")
        value = call.argument("", 1 if path_first else 0) or call.argument("router") or call.argument("app") or call.argument("blueprint")
        prefix_value = (
            call.argument("url_prefix") or call.argument("prefix") or call.argument("path") or call.argument("", 0 if path_first else 1)
        )
        if value is None:
            return
        if value.kind is not ValueKind.NAME:
            if last(value.literal) != "StaticFiles":
                self._opaque(facts, call, base, prefix_value)
            return
        child = self._instance_router(facts, value.literal) or self._names.spot(facts.path, value.literal)
        if child is None:
            self._opaque(facts, call, base, prefix_value)
            return
        if child not in self._frameworks:
            named = Spot(child.path, f"{child.name}.router".lstrip("."))
            child = named if named in self._frameworks else child
        if child not in self._frameworks:
            parent = self._router(facts, base)
            if call.in_loop and parent is not None and verb in {"include_router", "register_blueprint", "blueprint"}:
                self._table.loops.append(Mount(parent, parent, "", call.line, tuple(self._dependencies(call))))
            self._opaque(facts, call, base, prefix_value)
            return
        prefix = self._names.text(facts.path, prefix_value) if prefix_value is not value else ""
        if verb in {"register_blueprint", "add_namespace"} and prefix and self._table.prefixes.get(child):
            self._table.prefixes.pop(child)  # the prefix given when registering replaces the blueprint's own
        self._mount(facts, base, child, prefix or "", call)

    def _opaque(self, facts: FileFacts, call: Call, base: str, prefix: Value | None) -> None:
        """Something is mounted whose endpoints are not read."""
        parent = self._router(facts, base)
        if parent is not None:
            self._table.opaque.append(Mount(parent, parent, self._names.text(facts.path, prefix) or "", call.line))

    def _instance_router(self, facts: FileFacts, dotted: str) -> Spot | None:
        """`Things().router`, or `things.router` where `things = Things()`: the router a class makes for itself."""
        made, _, attribute = dotted.rpartition(".")
        if not made.endswith("()"):
            made = next((a.value.literal for a in facts.assignments if a.target == made and a.value is not None), "")
        home = self._names.spot(facts.path, made.removesuffix("()")) if made else None
        own = Spot(home.path, f"self.{attribute}") if home is not None else None
        return own if own in self._frameworks else None

    def _mount(self, facts: FileFacts, base: str, child: Spot, prefix: str, call: Call) -> None:
        parent = self._router(facts, base) or self._names.spot(facts.path, base) or Spot(facts.path, base)
        apart = last(call.callee) == "mount"  # an application of its own: dependencies of the outer one are not asked
        self._table.mounts.append(Mount(parent, child, prefix, call.line, tuple(self._dependencies(call)), apart))

    def _layer(self, facts: FileFacts, base: str, name: str) -> None:
        router = self._router(facts, base)
        if router is not None:
            self._table.layers.append(Layer(router, "", name, 0))

    # -- routes by call ----------------------------------------------------------------------------------------------------------------

    def _calls(self, facts: FileFacts) -> None:
        modules = frozenset(statement.module.split(".", maxsplit=1)[0] for statement in facts.imports)
        for call in facts.calls:
            for declared in declared_routes(facts, call, modules):
                self._by_call(facts, call, declared)

    def _by_call(self, facts: FileFacts, call: Call, declared: Declared) -> None:
        base = declared.router
        router = (self._router(facts, base) or self._router(facts, base.removesuffix(".router"))) if base else None
        if base and router is None and not base.endswith(("app", "router", "bp", "blueprint", "api", "self")):
            return
        framework = declared.framework or (self._frameworks[router] if router is not None else "flask")
        path = self._names.text(facts.path, declared.path)
        if path is None:
            self._table.unresolved.append((f"{facts.path}:{call.line}", "the path of this route is computed"))
            path = "{}"
        path = joined(self._names.text(facts.path, declared.prefix) or "", path)
        name = handler_name(declared.handler)
        spot = self._names.spot(facts.path, name) if name else None
        index = self._names.definition(spot) if spot is not None else -1
        if spot is None or index < 0:
            place = place_of(facts.path, call.line)
            for method in declared.methods:
                self._table.add(router, Route(RouteKind.HTTP, method, path, name or "", place, framework), call.line)
            return
        home = self._names.facts[spot.path]
        if home.definitions[index].kind is DefinitionKind.CLASS:
            self._class_methods(home, index, router, path, framework=framework, line=call.line, registered=facts.path)
            return
        through = self._through(home, index, call)
        for method in declared.methods:
            self._entry(home, index, router, path, method, framework=framework, line=call.line, through=through, registered=facts.path)

    def _class_methods(
        self, home: FileFacts, index: int, router: Spot | None, path: str, *, framework: str, registered: str, line: int
    ) -> None:
        through = (*self._through(home, index, None), *home.definitions[index].bases)
        methods = [(n, d) for n, d in enumerate(home.definitions) if d.parent == index and (d.name in METHODS or d.name.startswith("on_"))]
        for number, method in methods:
            own = (*through, *self._through(home, number, None))
            verb = method.name.removeprefix("on_").upper()
            self._entry(home, number, router, path, verb, framework=framework, line=line, through=own, registered=registered)
        if not methods:
            self._entry(home, index, router, path, "ANY", framework=framework, line=line, through=through, registered=registered)

    def _server_classes(self, facts: FileFacts) -> None:
        """Handlers of the standard library's HTTP server."""
        for index, definition in enumerate(facts.definitions):
            if definition.kind is DefinitionKind.CLASS and any(
                last(base) in {"BaseHTTPRequestHandler", "SimpleHTTPRequestHandler"} for base in definition.bases
            ):
                for number, method in enumerate(facts.definitions):
                    if method.parent == index and method.name.startswith("do_"):
                        self._entry(facts, number, None, "/{}", method.name[3:].upper(), framework="http.server", line=method.line)


def _by_module(name: str, framework: str, modules: set[str]) -> str:
    """The framework a constructor belongs to whose name several share."""
    if name == "Router" and "ninja" in modules:
        return "django-ninja"
    if name == "Blueprint" and "flask" not in modules:
        return next((other for other in ("sanic", "quart") if other in modules), framework)
    return framework


def _first(call: Call, start: str) -> bool:
    value = call.argument("", 0)
    return value is not None and value.kind in {ValueKind.STRING, ValueKind.TEMPLATE} and value.literal.startswith(start)


def _methods(decorator: Call, verb: str, framework: str) -> tuple[str, ...]:
    if verb in METHODS:
        return (verb.upper(),)
    stated = listed(decorator.argument("methods")) or listed(decorator.argument("method"))
    if stated:
        return stated
    return ("GET",) if framework in {"flask", "quart", "fastapi", "starlette", "sanic", "bottle"} and verb != "view" else ("ANY",)
