"""Endpoints declared by decorators of script classes (NestJS, routing-controllers, GraphQL resolvers, gateways) and by tRPC procedures."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from auditor.evidence.route_names import Names
from auditor.evidence.route_table import Table, joined, place_of
from auditor.languages.migrations import last
from auditor.model.evidence import Route, RouteKind
from auditor.model.syntax import Call, Definition, DefinitionKind, FileFacts, Value, ValueKind

_VERBS = {
    "Get": "GET",
    "Post": "POST",
    "Put": "PUT",
    "Patch": "PATCH",
    "Delete": "DELETE",
    "Head": "HEAD",
    "Options": "OPTIONS",
    "All": "ANY",
    "Sse": "GET",
}
_RESOLVING = {"Query": "GET", "Mutation": "POST", "Subscription": "GET"}
_CONTROLLERS = frozenset({"Controller", "JsonController", "RestController"})
_TABLES = frozenset({"router", "createTRPCRouter", "createRouter"})
_PROCEDURE = re.compile(r"^(?P<start>\w*[pP]rocedure\w*(?:\(\))?)(?:\.\w+\(\))*\.(?P<verb>query|mutation|subscription)$")


def decorated_routes(names: Names, table: Table, files: Iterable[FileFacts]) -> None:
    """Controllers, resolvers and gateways."""
    listed = tuple(files)
    everywhere = _global_prefix(names, listed)
    for facts in listed:
        if not any(
            re.match(r"@nestjs/|routing-controllers|type-graphql|inversify-express", statement.module) for statement in facts.imports
        ):
            continue
        for index, definition in enumerate(facts.definitions):
            if definition.kind is DefinitionKind.CLASS:
                _class(names, table, facts, index, everywhere)


def _global_prefix(names: Names, files: tuple[FileFacts, ...]) -> str:
    for facts in files:
        for call in facts.calls:
            if last(call.callee) == "setGlobalPrefix" and call.arguments:
                return names.text(facts.path, call.arguments[0].value) or ""
    return ""


def _class(names: Names, table: Table, facts: FileFacts, index: int, everywhere: str) -> None:
    definition = facts.definitions[index]
    roles = {decorator.callee: decorator for decorator in definition.decorators}
    controller = next((roles[name] for name in sorted(_CONTROLLERS) if name in roles), None)
    guards = tuple(_guards(definition))
    for number, method in enumerate(facts.definitions):
        if method.parent != index:
            continue
        own = (*guards, *_guards(method))
        for decorator in method.decorators:
            if controller is not None and decorator.callee in _VERBS:
                for path in _paths(names, facts, controller, decorator):
                    route = Route(
                        RouteKind.HTTP,
                        _VERBS[decorator.callee],
                        joined("/" + everywhere.strip("/"), path),
                        method.qualname,
                        place_of(facts.path, method.line),
                        "nestjs",
                        number,
                        None,
                        own,
                    )
                    table.add(None, route, decorator.line)
            elif "Resolver" in roles and decorator.callee in _RESOLVING:
                route = Route(
                    RouteKind.HTTP,
                    _RESOLVING[decorator.callee],
                    f"/graphql/{method.name}",
                    method.qualname,
                    place_of(facts.path, method.line),
                    "graphql",
                    number,
                    None,
                    own,
                )
                table.add(None, route, decorator.line)
            elif decorator.callee == "SubscribeMessage":
                event = names.text(facts.path, decorator.argument("", 0)) or method.name
                route = Route(
                    RouteKind.WEBSOCKET, "ANY", event, method.qualname, place_of(facts.path, method.line), "nestjs", number, None, own
                )
                table.add(None, route, decorator.line)


def _paths(names: Names, facts: FileFacts, controller: Call, decorator: Call) -> Iterator[str]:
    for prefix in _texts(names, facts, controller.argument("", 0)):
        for path in _texts(names, facts, decorator.argument("", 0)):
            yield joined("/" + prefix.strip("/"), path)


def _texts(names: Names, facts: FileFacts, value: Value | None) -> list[str]:
    """The paths of a decorator: none, one text, a list, or an object with `path`."""
    if value is None:
        return [""]
    if value.kind is ValueKind.COLLECTION:
        inner = value.item("path")
        if inner is not None:
            return _texts(names, facts, inner)
        listed = [names.text(facts.path, item) for key, item in value.items if not key]
        return [text if text is not None else "{}" for text in listed] or [""]
    text = names.text(facts.path, value)
    return [text if text is not None else "{}"]


def _guards(definition: Definition) -> Iterator[str]:
    """What stands before a class or method: `@UseGuards(A, B)` by the names of the guards, other decorators by their own."""
    for decorator in definition.decorators:
        if decorator.callee in {"UseGuards", "UseInterceptors", "UseBefore", "UseMiddleware", "Authorized"}:
            named = [name for argument in decorator.arguments for name in argument.value.names]
            yield from named or [decorator.callee]
        elif decorator.callee not in {*_VERBS, *_CONTROLLERS, *_RESOLVING, "Resolver"}:
            yield decorator.callee


def procedures(table: Table, files: Iterable[FileFacts]) -> None:
    """Procedures of tRPC: the builder they start from is what runs before them."""
    for facts in files:
        for call in facts.calls:
            found = _PROCEDURE.match(call.callee)
            if not found or not call.arguments:
                continue
            inside = [(i, d) for i, d in enumerate(facts.definitions) if call.line <= d.line <= call.end_line and d.parent == call.scope]
            index, line = (inside[-1][0], inside[-1][1].line) if inside else (-1, call.line)
            name = call.target or _property(facts, call)
            method = "POST" if found["verb"] == "mutation" else "GET"
            route = Route(
                RouteKind.HTTP,
                method,
                f"/trpc/{name or '{}'}",
                name,
                place_of(facts.path, line),
                "trpc",
                index,
                place_of(facts.path, call.line),
                (found["start"].removesuffix("()"),),
            )
            table.add(None, route, call.line)


def _property(facts: FileFacts, call: Call) -> str:
    """The property a procedure stands under in `router({ name: procedure... })`: both lists are in the order of the source."""
    tables = [n for n, c in enumerate(facts.calls) if last(c.callee) in _TABLES]
    for table in reversed(tables):
        outer = facts.calls[table]
        if not _inside(call, outer):
            continue
        listed = [(k, v.literal) for argument in outer.arguments for k, v in argument.value.items if _PROCEDURE.match(v.literal)]
        inner = [n for n in tables if n > table and _inside(facts.calls[n], outer)]
        own = [
            c
            for n, c in enumerate(facts.calls)
            if n > table
            and c.arguments
            and _PROCEDURE.match(c.callee)
            and _inside(c, outer)
            and not any(n > other and _inside(c, facts.calls[other]) for other in inner)
        ]
        if call in own and [c.callee for c in own] == [literal for _, literal in listed]:
            return listed[own.index(call)][0]
    return ""


def _inside(call: Call, outer: Call) -> bool:
    return outer.line <= call.line and call.end_line <= outer.end_line
