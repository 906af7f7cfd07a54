"""JavaScript and TypeScript parts that a framework or a command starts: Next.js' middleware by its place, queue workers by a start command."""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.checks.unloaded_modules import Registrable
from auditor.model.evidence import ModuleGraph
from auditor.model.project import Project
from auditor.model.snapshot import Snapshot
from auditor.model.syntax import FileFacts, Syntax, ValueKind

_MIDDLEWARE = re.compile(r"^(?:.*/)?middleware\.(?:ts|js|mjs)$")
_STARTING = re.compile(
    r"(?:^|/)(?:Procfile|Makefile|Dockerfile[^/]*|[^/]+\.(?:ya?ml|toml|sh|json|conf|service|md)|(?:ecosystem|pm2|tsup|esbuild|webpack|rollup|vite|nest-cli)[\w.]*\.[cm]?[jt]s)$",
    re.IGNORECASE,
)
_LIMIT = 200_000


def misplaced(syntax: Syntax, graph: ModuleGraph, project: Project, snapshot: Snapshot, texts: dict[str, str]) -> Iterator[Registrable]:
    """Every part of these kinds, and whether something starts it."""
    paths = {module.id: module.path for module in graph.modules}
    imported = {paths[edge.target] for edge in graph.edges if edge.source != edge.target}
    files = [facts for facts in syntax.of(project.production) if not facts.path.endswith(".py")]
    yield from _middleware(files, imported, project, snapshot)
    yield from _workers(files, imported, texts)


def _middleware(files: list[FileFacts], imported: set[str], project: Project, snapshot: Snapshot) -> Iterator[Registrable]:
    """Next.js runs `middleware` beside the folder of the pages only: in the root, or in `src` where the pages are in it."""
    every = {file.path for file in snapshot.files}
    for facts in files:
        part = project.part_of(facts.path)
        if not _MIDDLEWARE.match(facts.path) or not part.uses("nextjs") or not any(s.module == "next/server" for s in facts.imports):
            continue
        root = f"{part.root}/" if part.root else ""
        inside = any(path.startswith((f"{root}src/app/", f"{root}src/pages/")) for path in every)
        outside = any(path.startswith((f"{root}app/", f"{root}pages/")) for path in every)
        if not inside and not outside:
            continue
        homes = {f"{root}{folder}{name}" for folder in ([""] * outside + ["src/"] * inside) for name in _names()}
        lost = facts.path not in homes and facts.path not in imported and not homes & every
        place = f"{root}src" if inside and not outside else root or "the root"
        message = f"This middleware stands where the framework does not look for it (it belongs into {place.rstrip('/')}): no request passes through it."
        yield Registrable("misplaced-middleware", facts.path, 1, lost, message, critical=lost)


def _names() -> Iterator[str]:
    for name in ("middleware", "proxy"):
        yield from (f"{name}.{suffix}" for suffix in ("ts", "js", "mjs"))


def _workers(files: list[FileFacts], imported: set[str], texts: dict[str, str]) -> Iterator[Registrable]:
    """Workers of BullMQ whose file nothing imports and no command names."""
    workers = [
        (facts, call)
        for facts in files
        if any(s.module == "bullmq" for s in facts.imports)
        for call in facts.calls
        if call.callee == "new Worker"
    ]
    commands = "\n".join(text[:_LIMIT] for path, text in sorted(texts.items()) if _STARTING.search(path)) if workers else ""
    for facts, call in workers:
        stem = re.sub(r"\.[cm]?[jt]sx?$", "", facts.path.rsplit("/", 1)[-1])
        named = stem == "index" or re.search(rf"(?<![\w-]){re.escape(stem)}(?![\w-])", commands) is not None
        first = call.argument("", 0)
        queue = first.literal if first is not None and first.kind is ValueKind.STRING else "its queue"
        message = f"The worker for {queue} stands in a file that nothing imports and no command starts: its jobs wait for ever."
        lost = facts.path not in imported and not named
        yield Registrable("unstarted-worker", facts.path, call.line, lost, message, critical=lost)
