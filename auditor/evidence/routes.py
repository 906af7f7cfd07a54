"""Evidence ROUTES: every entry from outside, with its full path, its handler and what runs before it."""

from __future__ import annotations

from auditor.evidence.registry import Context, own_stamp, provides
from auditor.evidence.route_names import Names
from auditor.evidence.route_table import Table
from auditor.evidence.routes_bots import python_commands, script_commands
from auditor.evidence.routes_decorated import decorated_routes, procedures
from auditor.evidence.routes_django import DjangoRoutes
from auditor.evidence.routes_files import file_routes, streamlit_pages
from auditor.evidence.routes_graphql import python_fields, resolver_maps
from auditor.evidence.routes_litestar import litestar_routes
from auditor.evidence.routes_openapi import connexion_routes
from auditor.evidence.routes_pyramid import pyramid_routes
from auditor.evidence.routes_python import PythonRoutes
from auditor.evidence.routes_script import ScriptRoutes
from auditor.evidence.routes_sockets import plain_servers, socket_routes
from auditor.evidence.routes_unmounted import unmounted_routers
from auditor.model.artifacts import Manifests
from auditor.model.evidence import Routes
from auditor.model.need import Known, Unavailable
from auditor.model.needs import MANIFESTS, PROJECT, ROUTES, SNAPSHOT, SYNTAX, TEXTS
from auditor.model.project import Project
from auditor.model.snapshot import Role, Snapshot
from auditor.model.syntax import FileFacts, ImportKind, Syntax

_ANSWERING = frozenset(
    {
        "express",
        "koa",
        "@koa/router",
        "fastify",
        "hono",
        "http",
        "node:http",
        "https",
        "node:https",
        "socket.io",
        "fs",
        "node:fs",
        "net",
        "node:net",
    }
)


@provides(ROUTES, needs=(SNAPSHOT, TEXTS, SYNTAX, MANIFESTS, PROJECT))
def routes(
    _context: Context, snapshot: Snapshot, texts: dict[str, str], syntax: Syntax, manifests: Manifests, project: Project
) -> Known[Routes] | Unavailable:
    """The endpoints of all production files that run on a server; files that do not parse are unexamined."""
    names = Names(snapshot, texts, syntax, manifests)
    table = Table()
    files = syntax.of(frozenset(path for path in project.production if project.on_server(path) or _answers(syntax.files.get(path))))
    python = [facts for facts in files if facts.path.endswith(".py")]
    scripts = [facts for facts in files if not facts.path.endswith(".py")]
    PythonRoutes(names, table, python).run()
    DjangoRoutes(names, table, python).run()
    litestar_routes(names, table, python)
    pyramid_routes(names, table, python)
    connexion_routes(names, table, python, texts)
    python_fields(table, python)
    streamlit_pages(table, python)
    python_commands(names, table, python)
    router_calls = ScriptRoutes(names, table, scripts)
    router_calls.run()
    socket_routes(router_calls, table, scripts)
    plain_servers(router_calls, table, scripts)
    script_commands(router_calls, table, scripts)
    decorated_routes(names, table, scripts)
    procedures(table, scripts)
    resolver_maps(names, table, scripts)
    file_routes(table, scripts, project)
    broken = tuple((facts.path, f"does not parse (line {facts.error_line})") for facts in files if facts.error_line)
    examined = frozenset(facts.path for facts in files if not facts.error_line)
    others = frozenset(file.path for file in snapshot.files if file.role in {Role.FIRST_PARTY, Role.SCRIPT})
    unmounted = unmounted_routers(names, table, syntax.of(others))
    return Known(table.routes(unmounted), own_stamp(), examined, broken)


def _answers(facts: FileFacts | None) -> bool:
    """Whether a file imports what no browser has, whatever else was found about the side it runs on."""
    return facts is not None and any(s.module in _ANSWERING and s.kind is ImportKind.IMPORT_TIME for s in facts.imports)
