"""Where each JavaScript or TypeScript file runs: on the server, in the browser, or in both. Used by PROJECT."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

from auditor.model.evidence import ModuleGraph
from auditor.model.project import SERVING, Kind, Part, Side
from auditor.model.snapshot import SCRIPT_LANGUAGES, SourceFile
from auditor.model.syntax import FileFacts, ImportKind, Syntax

_BROWSER_FOLDERS = re.compile(
    r"(?:^|/)(?:static|public|assets|client|frontend|www|browser|components)/|(?:^|/)(?:hooks|composables)/(?:.+/)?use[-_A-Z]"
)
_NUXT_PAGES = re.compile(r"(?:^|/)(?:components|composables|layouts|pages|plugins|stores?)/(?!.*\.server\.)")
_SERVER_FOLDERS = re.compile(
    r"(?:^|/)(?:server|api|backend|functions|middleware|lib/server)/|(?:^|/)(?:middleware|instrumentation|proxy)\.[tj]s$"
)
_ROUTE_FILES = re.compile(
    r"(?:^|/)app/(?:.+/)?route\.[tj]sx?$|(?:^|/)pages/api/|(?:^|/)\+(?:server|page\.server|layout\.server|hooks\.server)\.[tj]s$|(?:^|/)server/|\.server\.[tj]sx?$"
)
_SERVER_MODULES = frozenset(
    {"fs", "path", "http", "https", "net", "child_process", "crypto", "os", "express", "fastify", "koa", "hono", "pg", "mysql2", "mongoose", "mongodb", "ioredis", "redis", "@prisma/client", "nodemailer",
     "next/headers", "next/server", "server-only", "socket.io", "better-sqlite3", "sqlite3", "bcrypt", "jsonwebtoken", "drizzle-orm", "typeorm", "sequelize", "knex"}
)  # fmt: skip
_ANYWHERE = frozenset({"jsonwebtoken", "path", "crypto", "http", "https", "os"})
"""Modules of servers that bundlers also put into pages."""
_BROWSER_MODULES = frozenset(
    {"js-cookie", "vuex", "vuex-pathify", "vue-router", "pinia", "react-dom", "react-dom/client", "localforage", "jquery"}
)
_BROWSER_CALLS = re.compile(
    r"^(?:document|window|localStorage|sessionStorage|navigator|\$|jQuery)(?:\.|$)|^use(?:State|Effect|Ref|Reducer|LayoutEffect)$|^createRoot$|^ReactDOM\."
)


def sides_of(parts: Iterable[Part], files: Iterable[SourceFile], syntax: Syntax, graph: ModuleGraph) -> dict[str, Side]:
    """The side of every first-party script file, by path."""
    ordered = sorted(parts, key=lambda part: -len(part.root))
    scripts = [file.path for file in files if file.language in SCRIPT_LANGUAGES]
    seeds: dict[str, Side] = {}
    directives = {path: syntax.files[path].directives for path in scripts if path in syntax.files}
    for path in scripts:
        part = next((part for part in ordered if not part.root or path.startswith(part.root + "/")), None)
        seeds[path] = _seed(path, part, syntax.files.get(path))
    return _spread(seeds, directives, graph)


def _seed(path: str, part: Part | None, facts: FileFacts | None) -> Side:
    """What the file itself and its part say; UNKNOWN when only its importers can tell."""
    if facts is not None and "use client" in facts.directives:
        return Side.BROWSER
    if (facts is not None and "use server" in facts.directives) or _ROUTE_FILES.search(path):
        return Side.SERVER
    kinds = part.kinds if part else frozenset()
    if not kinds & SERVING:
        return (
            Side.BROWSER
            if Kind.FRONTEND in kinds or path.endswith((".vue", ".svelte"))
            else Side.SERVER
            if kinds & {Kind.CLI}
            else Side.UNKNOWN
        )
    modules = (
        {statement.module.removeprefix("node:") for statement in facts.imports if statement.kind is not ImportKind.TYPE_ONLY}
        if facts
        else set()
    )
    if modules & _BROWSER_MODULES and not modules & _SERVER_MODULES - _ANYWHERE:
        return Side.BROWSER
    if modules & _SERVER_MODULES:
        return Side.SERVER
    if facts is not None and any(_BROWSER_CALLS.match(call.callee) for call in facts.calls):
        return Side.BROWSER
    if path.endswith((".vue", ".svelte")) or (part and part.uses("nuxt") and _NUXT_PAGES.search(path)):
        return Side.BROWSER  # what a page does on the server is to render it once
    if part and part.uses("nextjs", "nuxt", "sveltekit", "remix", "tanstack-start"):
        return Side.UNKNOWN
    if _SERVER_FOLDERS.search(path):
        return Side.SERVER
    if path.endswith((".vue", ".svelte", ".tsx", ".jsx")) or _BROWSER_FOLDERS.search(path):
        return Side.BROWSER
    return Side.UNKNOWN


def _spread(seeds: dict[str, Side], directives: dict[str, tuple[str, ...]], graph: ModuleGraph) -> dict[str, Side]:
    """Files without a side of their own take that of whoever imports them; imported from both sides means both."""
    path_of = {module.id: module.path for module in graph.modules}
    targets: defaultdict[str, set[str]] = defaultdict(set)
    for edge in graph.edges:
        if edge.kind is not ImportKind.TYPE_ONLY:
            targets[path_of[edge.source]].add(path_of[edge.target])
    reached: dict[str, set[Side]] = {path: {side} for path, side in seeds.items() if side is not Side.UNKNOWN}
    for side in (Side.SERVER, Side.BROWSER):
        pending = sorted(path for path, own in seeds.items() if own is side)
        while pending:
            for target in sorted(targets[pending.pop()]):
                if seeds.get(target) is Side.UNKNOWN and side not in reached.setdefault(target, set()):
                    if side is Side.BROWSER and "use server" in directives.get(target, ()):
                        continue
                    reached[target].add(side)
                    pending.append(target)
    result = {}
    for path, seed in sorted(seeds.items()):
        found = reached.get(path, {seed})
        result[path] = Side.BOTH if len(found) == 2 else next(iter(found), Side.UNKNOWN)
    return result
