"""Entries of script servers that have no router: socket events and plain Node servers. Part of the evidence ROUTES."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from auditor.evidence.route_table import Table, place_of
from auditor.evidence.routes_script import ScriptRoutes
from auditor.model.evidence import Route, RouteKind
from auditor.model.syntax import Call, FileFacts, ValueKind

_SOCKET_MODULES = frozenset({"socket.io", "ws", "@fastify/websocket", "express-ws"})
_LISTENING = re.compile(r"(?:^|\.)(?:io|wss|namespace)\.(?:on|sockets\.on|of\(\)\.on)$")
_SOCKET = re.compile(r"(?:^|\.)(?:socket|client|ws|conn|connection)$")
_LIFE = frozenset({"error", "disconnect", "close", "disconnecting", "open", "pong", "ping"})


def socket_routes(routes: ScriptRoutes, table: Table, files: Iterable[FileFacts]) -> None:
    """Events a client can send over a socket."""
    for facts in files:
        modules = {statement.module for statement in facts.imports}
        if not modules & _SOCKET_MODULES and not any(_LISTENING.search(call.callee) for call in facts.calls):
            continue
        before = tuple(_before(facts))
        for call in facts.calls:
            base, _, verb = call.callee.rpartition(".")
            event = call.argument("", 0)
            if verb != "on" or event is None or event.kind is not ValueKind.STRING or len(call.arguments) < 2:
                continue
            if _SOCKET.search(base) and event.literal not in _LIFE:
                _add(
                    routes,
                    table,
                    facts,
                    call,
                    Route(RouteKind.WEBSOCKET, "ANY", event.literal, "", place_of(facts.path, call.line), "socketio", -1, None, before),
                )


def _before(facts: FileFacts) -> Iterator[str]:
    """What `io.use(...)` runs before a socket is let in."""
    for call in facts.calls:
        if re.search(r"(?:^|\.)(?:io|wss|namespace|nsp)(?:\.of\(\))?\.use$", call.callee) and call.arguments:
            value = call.arguments[0].value
            yield value.literal or "(inline)"


def plain_servers(routes: ScriptRoutes, table: Table, files: Iterable[FileFacts]) -> None:
    """`http.createServer((req, res) => ...)`: one handler for everything."""
    for facts in files:
        modules = {statement.module.removeprefix("node:") for statement in facts.imports}
        for call in facts.calls:
            if call.callee not in {"http.createServer", "https.createServer", "createServer", "Bun.serve"} or not call.arguments:
                continue
            if (modules & {"http", "https", "http2"} or "Bun" in call.callee) and call.arguments[-1].value.kind is ValueKind.FUNCTION:
                _add(routes, table, facts, call, Route(RouteKind.HTTP, "ANY", "/{}", "", place_of(facts.path, call.line), "node-http"))


def _add(routes: ScriptRoutes, table: Table, facts: FileFacts, call: Call, route: Route) -> None:
    home, index, name = routes.handler(facts, call, call.arguments[-1].value)
    place = place_of(home.path, home.definitions[index].line) if index >= 0 else route.place
    table.add(None, replace(route, handler=name, place=place, handler_scope=index), call.line)
