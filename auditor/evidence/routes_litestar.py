"""Endpoints of Litestar: decorated functions, controllers, and the routers that list them. Part of the evidence ROUTES."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from auditor.evidence.route_names import Names, Spot
from auditor.evidence.route_table import Mount, Table, place_of
from auditor.languages.migrations import last
from auditor.model.evidence import Route, RouteKind
from auditor.model.syntax import Call, FileFacts, Value

_DECORATOR = re.compile(r"^(?:litestar\.)?(?P<verb>get|post|put|patch|delete|head|route|websocket)$")
_LISTING = frozenset({"Litestar", "Router"})


def litestar_routes(names: Names, table: Table, files: Iterable[FileFacts]) -> None:
    """Each handler and controller is a router of its own; `route_handlers=[...]` mounts them."""
    for facts in files:
        if not any(statement.module.split(".", maxsplit=1)[0] == "litestar" for statement in facts.imports):
            continue
        for index, definition in enumerate(facts.definitions):
            for decorator in definition.decorators:
                found = _DECORATOR.match(decorator.callee)
                if found:
                    _handler(names, table, facts, index, decorator)
        for call in facts.calls:
            if last(call.callee) in _LISTING:
                _listed(names, table, facts, call)


def _handler(names: Names, table: Table, facts: FileFacts, index: int, decorator: Call) -> None:
    verb = last(decorator.callee)
    definition = facts.definitions[index]
    parent = definition.parent
    own = Spot(facts.path, facts.definitions[parent].qualname if parent >= 0 else definition.qualname)
    guards = [*_guards(decorator.argument("guards"))]
    if parent >= 0:
        fields = {a.target: a.value for a in facts.assignments if a.scope == parent}
        table.prefixes[own] = names.text(facts.path, fields.get("path")) or ""
        guards = [*_guards(fields.get("guards")), *guards]
    kind = RouteKind.WEBSOCKET if verb == "websocket" else RouteKind.HTTP
    method = "ANY" if verb in {"route", "websocket"} else verb.upper()
    path = names.text(facts.path, decorator.argument("path", 0)) or "/"
    place = place_of(facts.path, definition.line)
    table.add(own, Route(kind, method, path, definition.qualname, place, "litestar", index, None, tuple(guards)), decorator.line)


def _listed(names: Names, table: Table, facts: FileFacts, call: Call) -> None:
    value = call.argument("route_handlers", 1 if last(call.callee) == "Router" else 0)
    router = Spot(facts.path, call.target or f"({call.line})")
    prefix = names.text(facts.path, call.argument("path")) or ""
    for _, item in value.items if value is not None else ():
        child = names.spot(facts.path, item.literal) if item.literal else None
        if child is not None:
            table.mounts.append(Mount(router, child, prefix, call.line, tuple(_guards(call.argument("guards")))))


def _guards(value: Value | None) -> Iterator[str]:
    yield from value.names if value is not None else ()
