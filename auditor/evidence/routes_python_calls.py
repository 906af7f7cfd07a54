"""Python endpoints declared by a call instead of a decorator: what each call says of path, handler and methods. Part of the evidence ROUTES."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from auditor.languages.migrations import last
from auditor.model.syntax import Call, FileFacts, Value, ValueKind

METHODS = frozenset({"get", "post", "put", "patch", "delete", "head", "options", "trace"})
_ADDING = frozenset({"add_get", "add_post", "add_put", "add_patch", "add_delete", "add_head", "add_view"})


@dataclass(frozen=True, slots=True)
class Declared:
    """An endpoint as a call states it; `router` is the dotted name it is called on, "" when the path is complete."""

    router: str
    path: Value | None
    handler: Value | None
    methods: tuple[str, ...]
    framework: str = ""
    prefix: Value | None = None


def declared_routes(facts: FileFacts, call: Call, modules: frozenset[str]) -> Iterator[Declared]:
    """The endpoints one call declares; `modules` are the top-level packages the file imports."""
    base, _, verb = call.callee.rpartition(".")
    match verb:
        case "add_url_rule":
            yield Declared(base, call.argument("rule", 0), call.argument("view_func", 2), listed(call.argument("methods")) or ("GET",))
        case "add_api_route" | "add_route" if modules & {"fastapi", "starlette"}:
            handler = call.argument("endpoint", 1) or call.argument("route", 1)
            yield Declared(base, call.argument("path", 0), handler, listed(call.argument("methods")) or ("GET",))
        case "add_route" if modules & {"falcon", "sanic"}:
            yield _falcon(call, base)
        case "add_route" if "aiohttp" in modules:
            stated = call.argument("method", 0)
            method = stated.literal.upper().replace("*", "ANY") if stated is not None and stated.kind is ValueKind.STRING else "ANY"
            yield Declared(base, call.argument("path", 1), call.argument("handler", 2), (method,))
        case adding if adding in _ADDING:
            method = "ANY" if verb == "add_view" else verb.removeprefix("add_").upper()
            yield Declared(base, call.argument("path", 0), call.argument("handler", 1), (method,))
        case "add_resource" if modules & {"flask_restful", "flask_restx", "flask"}:
            positional = [argument.value for argument in call.arguments if not argument.name]
            for value in positional[1:]:
                yield Declared(base, value, positional[0], ("ANY",), "flask-restful")
        case "get" | "post" | "put" | "patch" | "delete" | "view" if base in {"web", "aiohttp.web"}:
            method = "ANY" if verb == "view" else verb.upper()
            yield Declared(_adding(facts, call), call.argument("path", 0), call.argument("handler", 1), (method,), "aiohttp")
        case _ if call.callee in {"Route", "WebSocketRoute"} and modules & {"starlette", "fastapi"}:
            methods = ("ANY",) if call.callee == "WebSocketRoute" else listed(call.argument("methods")) or ("GET",)
            yield Declared("", call.argument("path", 0), call.argument("endpoint", 1), methods, "starlette", _outer(facts, call))
        case _ if last(call.callee) == "Application" and "tornado" in modules:
            yield from _tornado(facts, call)
        case _:
            pass


def _adding(facts: FileFacts, call: Call) -> str:
    """The application of `app.add_routes([web.get(...)])` around a route."""
    around = (outer for outer in facts.calls if last(outer.callee) == "add_routes" and outer.line <= call.line <= outer.end_line)
    return next((outer.callee.rpartition(".")[0].removesuffix(".router") for outer in around), "")


def _outer(facts: FileFacts, call: Call) -> Value | None:
    """The path of `Mount("/users", routes=[Route(...)])` around a route."""
    text = call.arguments[0].value.text if call.arguments else ""
    for outer in facts.calls:
        routes = outer.argument("routes", 1)
        if (
            last(outer.callee) == "Mount"
            and routes is not None
            and outer.line <= call.line <= outer.end_line
            and f"Route({text}" in routes.text
        ):
            return outer.argument("path", 0)
    return None


def _falcon(call: Call, base: str) -> Declared:
    """Falcon names the path first, Sanic the handler."""
    first, second = call.argument("", 0), call.argument("", 1)
    swapped = first is not None and first.kind is not ValueKind.STRING
    path, handler = (second, first) if swapped else (first, second)
    return Declared(base, path, handler, listed(call.argument("methods")) or ("ANY",))


def _tornado(facts: FileFacts, call: Call) -> Iterator[Declared]:
    """`Application([(r"/x", Handler), ...])`, also with the list in a variable."""
    handlers = call.argument("handlers", 0)
    if handlers is not None and handlers.kind is ValueKind.NAME:
        name = handlers.literal
        handlers = next((a.value for a in facts.assignments if a.target == name), None)
    for _, item in handlers.items if handlers is not None else ():
        parts = [value for _, value in item.items]
        if len(parts) >= 2:
            yield Declared("", parts[0], parts[1], ("ANY",), "tornado")


def handler_name(value: Value | None) -> str:
    """The dotted name of a handler: `view`, `View.as_view("x")`, `Resource()`, `wrapper(view)`."""
    if value is None:
        return ""
    if value.kind is ValueKind.NAME:
        return value.literal
    if value.kind is ValueKind.CALL:
        if last(value.literal) in {"as_view", "as_asgi"}:
            return value.literal.rpartition(".")[0]
        if last(value.literal)[:1].isupper():
            return value.literal
        inner = next((item for _, item in value.items if item.kind in {ValueKind.NAME, ValueKind.CALL}), None)
        return inner.literal if inner is not None and inner.kind is ValueKind.NAME else value.literal
    return ""


def listed(value: Value | None) -> tuple[str, ...]:
    """The methods a list (or a single text) names, in upper case."""
    if value is None:
        return ()
    found = [item.literal.upper() for _, item in value.items if item.kind is ValueKind.STRING]
    if value.kind is ValueKind.STRING:
        found = [value.literal.upper()]
    return tuple(found)
