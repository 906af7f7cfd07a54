"""Modules that only a server can run, and code for the browser that pulls one of them in through its imports."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.model.evidence import ModuleGraph
from auditor.model.project import Kind, Project
from auditor.model.syntax import FileFacts, ImportKind, Syntax

_NODE_ONLY = frozenset(
    {"fs", "fs/promises", "net", "tls", "child_process", "dns", "dns/promises", "dgram", "cluster", "http2", "worker_threads", "readline", "repl"}
)  # fmt: skip
"""Modules of Node.js that no bundler replaces."""
_SERVER_PACKAGES = frozenset(
    {"server-only", "next/headers", "pg", "pg-promise", "mysql", "mysql2", "mysql2/promise", "mongodb", "mongoose", "better-sqlite3", "sqlite3", "ioredis", "nodemailer", "bcrypt", "firebase-admin",
     "firebase-admin/app", "firebase-admin/auth", "firebase-admin/firestore", "tedious", "mssql", "oracledb", "amqplib", "kafkajs", "bullmq", "drizzle-orm/node-postgres", "drizzle-orm/postgres-js", "drizzle-orm/mysql2",
     "drizzle-orm/better-sqlite3", "typeorm", "sequelize", "knex", "express", "fastify", "koa"}
)  # fmt: skip
_CONNECTS = re.compile(r"^new (?:\w+\.)?PrismaClient$")
_ENTRY = re.compile(r"(?:^|/)src/(?:main|index)\.[jt]sx?$")
_LONGEST_WAY = 12


@dataclass(frozen=True, slots=True)
class Crossing:
    """Code for the browser at `path`, whose import at `line` brings in `target`; `way` leads from there to the module that needs `needs`."""

    path: str
    line: int
    target: str
    way: tuple[str, ...]
    needs: str


def server_only(facts: FileFacts) -> str:
    """What a module needs that there is on a server alone, "" for nothing."""
    for statement in facts.imports:
        module = statement.module.removeprefix("node:")
        if statement.kind is ImportKind.IMPORT_TIME and (module in _SERVER_PACKAGES or module in _NODE_ONLY):
            return statement.module
    return "a connection to the database" if any(_CONNECTS.match(call.callee) for call in facts.calls) else ""


def crossings(graph: ModuleGraph, project: Project, syntax: Syntax) -> tuple[Crossing, ...]:
    """The imports of browser code that lead to code for a server, by path and line; of several ways from one file the shortest."""
    scripts = project.production & project.sides.keys()
    needs = {path: what for path in scripts if (what := server_only(syntax.files[path]))}
    actions = frozenset(path for path in scripts if "use server" in syntax.files[path].directives)
    ways = _Ways(_steps(graph), needs, actions)
    starts = _browser_code(project, syntax, ways.steps)
    return tuple(crossing for path in sorted(starts) if (crossing := ways.first(path, starts, syntax)) is not None)


def browser_roots(project: Project, syntax: Syntax) -> Iterator[str]:
    """Files that certainly run in a browser: client components of Next.js, and where the pages of a part without a server begin."""
    for path in sorted(project.production & project.sides.keys()):
        part = project.part_of(path)
        if part.uses("nextjs"):
            if "use client" in syntax.files[path].directives:
                yield path
        elif part.kinds == {Kind.FRONTEND} and _ENTRY.search(path):
            yield path


def _steps(graph: ModuleGraph) -> dict[str, tuple[tuple[str, int], ...]]:
    """For each file the files it loads when it is loaded, with the line of the import."""
    paths = {module.id: module.path for module in graph.modules}
    found: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
    for edge in graph.edges:
        if edge.kind is ImportKind.IMPORT_TIME:
            found[paths[edge.source]].append((paths[edge.target], edge.line))
    return {path: tuple(sorted(targets)) for path, targets in found.items()}


def _browser_code(project: Project, syntax: Syntax, steps: dict[str, tuple[tuple[str, int], ...]]) -> frozenset[str]:
    """The roots, and in parts without a server everything they load."""
    roots = list(browser_roots(project, syntax))
    found = set(roots)
    pending = [path for path in roots if not project.part_of(path).uses("nextjs")]
    while pending:
        for target, _ in steps.get(pending.pop(), ()):
            if target not in found and target in project.production and project.part_of(target).kinds == {Kind.FRONTEND}:
                found.add(target)
                pending.append(target)
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class _Ways:
    """Ways along the imports; `needs`: files that need a server, and what for; `actions`: files whose functions a page calls over the network."""

    steps: dict[str, tuple[tuple[str, int], ...]]
    needs: dict[str, str]
    actions: frozenset[str]

    def first(self, path: str, starts: frozenset[str], syntax: Syntax) -> Crossing | None:
        """The shortest way from a browser file to one that needs a server; what another browser file brings in is told there."""
        if path in self.needs:
            line = next((entry.line for entry in syntax.files[path].imports if entry.module == self.needs[path]), 1)
            return Crossing(path, line, path, (), self.needs[path])
        ways: list[tuple[tuple[str, ...], int]] = [((target,), line) for target, line in self.steps.get(path, ())]
        seen = {path}
        for way, line in ways:
            target = way[-1]
            if target in seen or target in starts or target in self.actions:
                continue
            seen.add(target)
            if target in self.needs:
                return Crossing(path, line, way[0], way[1:], self.needs[target])
            if len(way) < _LONGEST_WAY:
                ways.extend(((*way, following), line) for following, _ in self.steps.get(target, ()))
        return None
