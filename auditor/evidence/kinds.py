"""Decides what kind of thing a deployable part is, from its code, its manifests and the frameworks in use. Used by PROJECT."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.evidence.frameworks import (
    APPS,
    BROWSER_UI,
    COMMAND_LINES,
    CONSTRUCTORS,
    FULLSTACK,
    MOBILE,
    NPM_PACKAGES,
    PIPELINES,
    PYTHON_PACKAGES,
    SELF_STARTING,
    STATIC_SITES,
)
from auditor.model.artifacts import Ecosystem, Manifest
from auditor.model.project import Kind
from auditor.model.snapshot import SCRIPT_LANGUAGES, Language, SourceFile
from auditor.model.syntax import Call, DefinitionKind, FileFacts

_SERVER_FRAMEWORKS = (
    frozenset(CONSTRUCTORS.values())
    | {"django", "drf", "django-ninja", "supabase-functions", "serverless", "lambda", "cloud-functions", "workers"}
    | SELF_STARTING
)
_LIBRARY_SERVERS: dict[str, tuple[str, ...]] = {
    "node-http": ("http", "https", "http2"),
    "socketio": ("socket.io",),
    "websocket": ("ws",),
    "elysia": ("elysia",),
    "deno": ("std/http", "@std/http", "@hono/node-server", "srvx"),
}
"""Servers whose constructor has an everyday name: the module it must come from."""
_RUNTIME_SERVERS = {"Deno.serve": "deno", "Bun.serve": "bun"}
_TEMPLATE_FOLDERS = re.compile(r"(?:^|/)(?:templates|views|static|public|assets|www|ui|frontend|client|pages)/")
_MAIL = re.compile(r"mail|newsletter|notification", re.IGNORECASE)
_RENDERS = frozenset({"render_template", "TemplateResponse", "render", "render_template_string", "Jinja2Templates"})
_MARKUP = re.compile(r"<(?:!doctype html|html|body|form|h1)\b", re.IGNORECASE)
_DJANGO_FILES = ("manage.py", "wsgi.py", "asgi.py", "settings.py")
_FUNCTIONS = re.compile(r"(?:^|/)(?:api|netlify/functions|functions/src)/.+\.[tj]s$")
_HANDLER = re.compile(r"\b(?:VercelRequest|NextApiRequest|onRequest|onCall|req\s{0,9},\s{0,9}res)\b|handler\s{0,9}[=(:]")
_MCP_OVER_HTTP = frozenset({"sse_app", "streamable_http_app", "http_app", "run_sse_async", "run_streamable_http_async", "run_http_async"})
_EDGE_FUNCTION = re.compile(r"(?:^|/)supabase/functions/[^/_][^/]*/index\.[tj]s$")
_DEV_SERVER = re.compile(
    r"\b(?:vite|react-scripts|ng serve|webpack[- ](?:dev-)?serve|parcel|astro|gatsby|live-server|http-server)\b(?!\s+build)"
)


@dataclass(frozen=True, slots=True)
class Material:
    """What one part is judged by: its first-party files and their facts, its manifests, and all texts of the tree."""

    root: str
    files: tuple[SourceFile, ...]
    facts: tuple[FileFacts, ...]
    manifests: tuple[Manifest, ...]
    texts: dict[str, str]

    @property
    def scripts(self) -> tuple[str, ...]:
        """Paths of JavaScript and TypeScript files."""
        return tuple(file.path for file in self.files if file.language in SCRIPT_LANGUAGES)

    def has(self, *names: str) -> bool:
        """Whether a text file of one of these names stands in the part's directory."""
        prefix = f"{self.root}/" if self.root else ""
        return any(f"{prefix}{name}" in self.texts for name in names)


def servers_of(material: Material, names: set[str]) -> set[str]:
    """Server frameworks that are really set up in the part; `names` are the frameworks it uses."""
    found = {name for facts in material.facts for name in _constructed(facts, names)}
    if "django" in names and any(file.path.endswith(_DJANGO_FILES) or "/settings/" in file.path for file in material.files):
        found.add("django")
    found |= names & SELF_STARTING
    if any(_EDGE_FUNCTION.search(path) for path in material.scripts):
        found.add("supabase-functions")
    if _has_functions(material, names):
        found.add("serverless")
    if material.has("wrangler.toml", "wrangler.json", "wrangler.jsonc") and material.scripts:
        found.add("workers")
    return found - {"mcp"} if not _speaks_mcp_over_network(material) else found


def _speaks_mcp_over_network(material: Material) -> bool:
    """Whether a server of the Model Context Protocol is given another transport than the pipes of the program that starts it, which are the default."""
    for facts in material.facts:
        imported = any(PYTHON_PACKAGES.get(statement.module.split(".", 1)[0]) == "mcp" for statement in facts.imports)
        for call in facts.calls:
            tail = call.callee.rsplit(".", 1)[-1]
            transport = call.argument("transport", 0 if imported and tail in {"run", "run_async"} else -1)
            if tail in _MCP_OVER_HTTP or (transport is not None and transport.literal != "stdio"):
                return True
    return False


def _constructed(facts: FileFacts, names: set[str]) -> Iterator[str]:
    """Frameworks whose application object one file makes, subclasses it, or whose function handlers it defines."""
    python = facts.path.endswith(".py")
    local = {} if python else _local_names(facts)
    for call in facts.calls:
        framework = _framework_of(call, local, python=python)
        if framework in names and framework not in _LIBRARY_SERVERS:
            yield framework
        elif call.callee in _RUNTIME_SERVERS:
            yield _RUNTIME_SERVERS[call.callee]
        elif framework in _LIBRARY_SERVERS and _imports(facts, framework):
            yield framework
    for definition in facts.definitions:
        if definition.kind is DefinitionKind.CLASS:
            bases = {CONSTRUCTORS.get(base, "") for base in definition.bases}
            yield from (bases & names) - set(_LIBRARY_SERVERS) if python else ()
        elif python and _is_lambda(definition.name, tuple(parameter.name for parameter in definition.parameters)):
            yield "lambda"
        if any(decorator.callee.startswith("functions_framework.") for decorator in definition.decorators):
            yield "cloud-functions"


def _framework_of(call: Call, local: dict[str, str], *, python: bool) -> str:
    known = CONSTRUCTORS.get(call.callee) or local.get(call.callee)
    if known is None and python:
        known = CONSTRUCTORS.get(call.callee.rsplit(".", 1)[-1])
    return known or ""


def _local_names(facts: FileFacts) -> dict[str, str]:
    """Names under which a script calls the default export of a server framework, whatever it calls it."""
    found: dict[str, str] = {}
    for statement in facts.imports:
        framework = NPM_PACKAGES.get(statement.module, "")
        if framework in _SERVER_FRAMEWORKS and framework not in _LIBRARY_SERVERS:
            for name, local in statement.names:
                if name in {"default", "*"}:
                    found |= {local: framework, f"new {local}": framework}
            found["require()"] = framework
    return found


def _imports(facts: FileFacts, framework: str) -> bool:
    modules = {statement.module.removeprefix("node:").removeprefix("npm:").removeprefix("jsr:") for statement in facts.imports}
    return any(wanted in module if "/" in wanted else wanted == module for wanted in _LIBRARY_SERVERS[framework] for module in modules)


def _is_lambda(name: str, parameters: tuple[str, ...]) -> bool:
    return name == "lambda_handler" or (name in {"handler", "main_handler"} and parameters == ("event", "context"))


def _has_functions(material: Material, names: set[str]) -> bool:
    """Serverless functions by the convention of a hosting platform: a file in its folder that takes a request."""
    if not names & {"vite", "cra", "firebase", "astro", "react", "vue", "svelte"}:
        return False
    return any(_FUNCTIONS.search(facts.path) and _HANDLER.search(material.texts.get(facts.path, "")) for facts in material.facts)


def kinds_of(material: Material, names: set[str], servers: set[str]) -> set[Kind]:
    """The kinds of a part; never empty."""
    kinds: set[Kind] = set()
    serves = bool(servers & _SERVER_FRAMEWORKS)
    apps = names & APPS - ({"tauri"} if not _is_tauri_app(material) else set())
    if (names & FULLSTACK and material.scripts) or (serves and (names & BROWSER_UI or _has_pages(material))):
        kinds.add(Kind.FULLSTACK)
    elif serves:
        kinds.add(Kind.SERVICE)
    elif (names & (BROWSER_UI | STATIC_SITES)) and not names & MOBILE and _is_frontend(material, names):
        kinds.add(Kind.FRONTEND)
    if apps and not kinds & {Kind.FULLSTACK, Kind.SERVICE}:
        kinds.add(Kind.APP)
    if names & MOBILE:
        kinds |= {Kind.APP, Kind.FRONTEND}
    if (names & PIPELINES or material.has("dbt_project.yml")) and not serves:
        kinds.add(Kind.PIPELINE)
    if kinds and _own_command(material, names):
        kinds.add(Kind.CLI)
    return kinds or _kinds_without_framework(material, names)


def _is_tauri_app(material: Material) -> bool:
    return material.has("src-tauri/tauri.conf.json", "src-tauri/Tauri.toml", "src-tauri/tauri.conf.json5", "src-tauri/Cargo.toml")


def _has_pages(material: Material) -> bool:
    """Whether the part answers with pages for people: templates and static HTML (mail templates aside), or HTML made in code."""
    if any(
        file.language is Language.HTML and _TEMPLATE_FOLDERS.search(file.path) and not _MAIL.search(file.path) for file in material.files
    ):
        return True
    return any(_renders(facts) for facts in material.facts) or _writes_pages(material)


def _writes_pages(material: Material) -> bool:
    """Pages that Python code puts together by itself: an HTML answer, and mark-up in the sources."""
    answers = any(name == "HTMLResponse" for facts in material.facts for statement in facts.imports for name, _ in statement.names)
    return answers and any(_MARKUP.search(material.texts.get(facts.path, "")) for facts in material.facts if facts.path.endswith(".py"))


def _renders(facts: FileFacts) -> bool:
    tails = (call.callee.rsplit(".", 1) for call in facts.calls)
    return any(tail[-1] in _RENDERS and (tail[-1] != "render" or tail[0] in {"render", "res", "reply", "request", "ctx"}) for tail in tails)


def _is_frontend(material: Material, names: set[str]) -> bool:
    """A browser application rather than a component library: a page, or a dev server in its scripts."""
    pages = any(file.language is Language.HTML for file in material.files)
    starts = any(_DEV_SERVER.search(script.command) for manifest in material.manifests for script in manifest.scripts)
    published = any(manifest.publishable and not manifest.private for manifest in material.manifests)
    return (not published or bool(names & STATIC_SITES)) and (pages or starts or bool(names & {"cra", "vite"} | (names & STATIC_SITES)))


def console_scripts(manifest: Manifest) -> tuple[str, ...]:
    """Names of the commands that installing a manifest's package puts on the path."""
    settings = dict(manifest.settings)
    text = settings.get("console-scripts" if manifest.ecosystem is Ecosystem.PYPI else "bin", "")
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _own_command(material: Material, names: set[str]) -> bool:
    """A console script whose module stands apart from the folders of the service: a program of its own."""
    serving = {
        facts.path.rpartition("/")[0].split("/")[0]
        for facts in material.facts
        if facts.path.endswith(_DJANGO_FILES) or any(True for _ in _constructed(facts, names))
    }
    for manifest in material.manifests:
        wanted = set(console_scripts(manifest)) if manifest.ecosystem is Ecosystem.PYPI else set()
        for script in manifest.scripts:
            module = script.command.split(":", 1)[0].strip().replace(".", "/")
            facts = next((facts for facts in material.facts if facts.path.endswith((f"{module}.py", f"{module}/__init__.py"))), None)
            if script.name in wanted and facts is not None and facts.path.rpartition("/")[0].split("/")[0] not in serving:
                return not _starts_server(facts)
    return False


def _starts_server(facts: FileFacts) -> bool:
    starts = {"uvicorn.run", "app.run", "serve", "execute_from_command_line", "hypercorn.run", "waitress.serve", "web.run_app", "mcp.run"}
    return any(call.callee in starts or call.callee.rsplit(".", 1)[-1] in CONSTRUCTORS for call in facts.calls)


def _kinds_without_framework(material: Material, names: set[str]) -> set[Kind]:
    python = [facts for facts in material.facts if facts.path.endswith(".py")]
    if any(console_scripts(manifest) for manifest in material.manifests):
        return {Kind.CLI}
    if any(manifest.publishable for manifest in material.manifests):
        return {Kind.LIBRARY}
    if any(facts.main_lines != (0, 0) for facts in python) or names & COMMAND_LINES:
        return {Kind.CLI}
    if any(file.language is Language.HTML for file in material.files):
        return {Kind.FRONTEND}
    if any(path.endswith((".tsx", ".jsx", ".vue", ".svelte")) for path in material.scripts):
        return {Kind.LIBRARY}
    runs = any(script.name in {"start", "serve"} for manifest in material.manifests for script in manifest.scripts)
    return {Kind.CLI} if runs else {Kind.LIBRARY}
