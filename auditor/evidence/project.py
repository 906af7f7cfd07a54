"""Finds the deployable parts of the repository, their kinds and frameworks (PROJECT). Where files run is `auditor.evidence.sides`."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from auditor.evidence.frameworks import (
    APPS,
    BROWSER_UI,
    COMMAND_LINES,
    CONSTRUCTORS,
    FULLSTACK,
    KIND_WORDS,
    MOBILE,
    NPM_PACKAGES,
    PIPELINES,
    PYTHON_PACKAGES,
)
from auditor.evidence.registry import Context, own_stamp, provides
from auditor.evidence.sides import sides_of
from auditor.model.artifacts import Ecosystem, Manifest, Manifests
from auditor.model.evidence import ModuleGraph
from auditor.model.need import Known, Unavailable
from auditor.model.needs import MANIFESTS, MODULE_GRAPH, PROJECT, SNAPSHOT, SYNTAX, TEXTS
from auditor.model.project import Framework, Kind, Part, Project
from auditor.model.snapshot import READ_LANGUAGES, SCRIPT_LANGUAGES, Language, Role, Snapshot, SourceFile
from auditor.model.syntax import FileFacts, ImportKind, Syntax
from auditor.model.verdict import Place

_SERVER_FRAMEWORKS = frozenset(CONSTRUCTORS.values()) | {"django", "drf", "django-ninja"}
_BARE_SERVERS = frozenset({"node-http", "deno", "bun", "socketio", "websocket", "elysia"})
_TEMPLATE_FOLDERS = re.compile(r"(?:^|/)(?:templates|views|static|public|assets|www|ui|frontend|client)/")


@provides(PROJECT, needs=(SNAPSHOT, TEXTS, SYNTAX, MANIFESTS, MODULE_GRAPH))
def project(
    _context: Context, snapshot: Snapshot, texts: dict[str, str], syntax: Syntax, manifests: Manifests, graph: ModuleGraph
) -> Known[Project] | Unavailable:
    """The parts in root order; there is always at least one."""
    own = [file for file in snapshot.files if file.role is Role.FIRST_PARTY]
    production = frozenset(file.path for file in own if file.language in READ_LANGUAGES and not file.path.endswith((".d.ts", ".pyi")))
    roots = _roots(own, manifests)
    parts = tuple(_part(root, _material(root, roots, own, Sources(syntax, manifests, texts))) for root in roots)
    sides = sides_of(parts, own, syntax, graph)
    return Known(Project(parts, sides, production), own_stamp())


def _roots(files: list[SourceFile], manifests: Manifests) -> tuple[str, ...]:
    """Directories of manifests with first-party code of their own below them, and "" when code is left over."""
    candidates = {manifest.root for manifest in manifests.manifests if not manifest.root.startswith(".")}
    owned: defaultdict[str, int] = defaultdict(int)
    for file in files:
        if file.language in READ_LANGUAGES | {Language.HTML}:
            owned[_longest(candidates | {""}, file.path)] += 1
    return tuple(sorted(root for root in candidates | {""} if owned[root])) or ("",)


def _longest(roots: Iterable[str], path: str) -> str:
    return max((root for root in roots if not root or path.startswith(root + "/")), key=len, default="")


@dataclass(frozen=True, slots=True)
class _Material:
    """What one part is judged by."""

    files: tuple[SourceFile, ...]
    facts: tuple[FileFacts, ...]
    manifests: tuple[Manifest, ...]
    texts: dict[str, str]

    @property
    def scripts(self) -> tuple[str, ...]:
        return tuple(file.path for file in self.files if file.language in SCRIPT_LANGUAGES)


@dataclass(frozen=True, slots=True)
class Sources:
    """The evidence parts are made from."""

    syntax: Syntax
    manifests: Manifests
    texts: dict[str, str]


def _material(root: str, roots: tuple[str, ...], files: list[SourceFile], sources: Sources) -> _Material:
    own = tuple(file for file in files if _longest(roots, file.path) == root)
    facts = tuple(sources.syntax.files[file.path] for file in own if file.path in sources.syntax.files)
    return _Material(own, facts, tuple(manifest for manifest in sources.manifests.manifests if manifest.root == root), sources.texts)


def _part(root: str, material: _Material) -> Part:
    frameworks = _frameworks(material)
    names = {framework.name for framework in frameworks}
    servers = _servers(material, names)
    kinds = _kinds(material, names, servers)
    shown = ", ".join(sorted(servers | (names & (APPS | FULLSTACK | BROWSER_UI | PIPELINES))))
    reason = " and ".join(KIND_WORDS[kind] for kind in sorted(kinds)) + (f" ({shown})" if shown else "")
    return Part(root, frozenset(kinds), frameworks, reason)


def _frameworks(material: _Material) -> tuple[Framework, ...]:
    """Frameworks that production code imports, or that a manifest declares for run time."""
    found: dict[str, Place] = {}
    for facts in material.facts:
        python = facts.path.endswith(".py")
        for statement in facts.imports:
            if statement.kind is ImportKind.TYPE_ONLY:
                continue
            name = _python_framework(statement.module, statement.names) if python else _npm_framework(statement.module)
            if name:
                found.setdefault(name, Place(facts.path, statement.line, statement.line))
    for manifest in material.manifests:
        for requirement in manifest.requirements:
            table = NPM_PACKAGES if manifest.ecosystem is Ecosystem.NPM else PYTHON_PACKAGES
            key = requirement.name if manifest.ecosystem is Ecosystem.NPM else requirement.name.replace("-", "_")
            if key in table and (requirement.group == "runtime" or key in {"vite", "electron", "astro"}):
                found.setdefault(table[key], requirement.place)
    return tuple(Framework(name, found[name]) for name in sorted(found))


def _python_framework(module: str, names: tuple[tuple[str, str], ...]) -> str:
    top = module.split(".", maxsplit=1)[0]
    if top == "aiohttp":
        return "aiohttp" if module == "aiohttp.web" or any(name == "web" for name, _ in names) else ""
    if top == "tornado":
        return "tornado"
    if top == "langchain" or top.startswith("langchain_"):
        return "langchain"
    return PYTHON_PACKAGES.get(top, "")


def _npm_framework(specifier: str) -> str:
    if specifier.startswith((".", "/", "node:")):
        return ""
    parts = specifier.split("/")
    package = "/".join(parts[:2]) if specifier.startswith("@") else parts[0]
    return NPM_PACKAGES.get(package, "")


def _servers(material: _Material, names: set[str]) -> set[str]:
    """Server frameworks that are really set up here."""
    found = set()
    for facts in material.facts:
        for call in facts.calls:
            framework = CONSTRUCTORS.get(call.callee)
            if framework and (framework in names or (framework in _BARE_SERVERS and _imports(facts, framework))):
                found.add(framework)
    if "django" in names and any(
        file.path.endswith(("manage.py", "wsgi.py", "asgi.py", "settings.py")) or "/settings/" in file.path for file in material.files
    ):
        found.add("django")
    if any(re.search(r"(?:^|/)supabase/functions/[^/]+/index\.[tj]s$", path) for path in material.scripts):
        found.add("supabase-functions")
    if (
        any(re.search(r"(?:^|/)(?:api|netlify/functions|functions/src)/.+\.[tj]s$", path) for path in material.scripts)
        and names & {"vite", "cra", "firebase"}
        and _exports_handler(material)
    ):
        found.add("serverless")
    return found


def _exports_handler(material: _Material) -> bool:
    """A serverless function of the platform convention: a default export that takes a request."""
    pattern = re.compile(r"(?:^|/)(?:api|netlify/functions|functions/src)/.+\.[tj]s$")
    for facts in material.facts:
        if pattern.search(facts.path) and re.search(
            r"\b(?:VercelRequest|NextApiRequest|onRequest|onCall|req\s*,\s*res)\b|handler\s*[=(:]", material.texts.get(facts.path, "")
        ):
            return True
    return False


def _imports(facts: FileFacts, framework: str) -> bool:
    modules = {statement.module.removeprefix("node:") for statement in facts.imports}
    wanted = {"node-http": {"http", "https", "http2"}, "socketio": {"socket.io"}, "websocket": {"ws"}, "elysia": {"elysia"}}.get(framework)
    return wanted is None or bool(wanted & modules)


def _kinds(material: _Material, names: set[str], servers: set[str]) -> set[Kind]:
    kinds: set[Kind] = set()
    serves = bool(servers & (_SERVER_FRAMEWORKS | {"elysia", "supabase-functions", "serverless"}))
    interface = bool(names & BROWSER_UI) or _has_pages(material)
    if (names & FULLSTACK and material.scripts) or (serves and interface):
        kinds.add(Kind.FULLSTACK)
    elif serves:
        kinds.add(Kind.SERVICE)
    elif names & BROWSER_UI and not names & MOBILE and _is_frontend(material, names):
        kinds.add(Kind.FRONTEND)
    if names & APPS and not kinds & {Kind.FULLSTACK, Kind.SERVICE}:
        kinds.add(Kind.APP)
    if names & MOBILE:
        kinds |= {Kind.APP, Kind.FRONTEND}
    if names & PIPELINES and not serves:
        kinds.add(Kind.PIPELINE)
    return kinds or _kinds_without_framework(material, names)


def _has_pages(material: _Material) -> bool:
    return any(file.language is Language.HTML and _TEMPLATE_FOLDERS.search(file.path) for file in material.files) or any(
        call.callee
        in {
            "render_template",
            "TemplateResponse",
            "templates.TemplateResponse",
            "HTMLResponse",
            "render",
            "res.render",
            "render_template_string",
            "Jinja2Templates",
        }
        for facts in material.facts
        for call in facts.calls
    )


def _is_frontend(material: _Material, names: set[str]) -> bool:
    """A browser application rather than a component library: a page, or a dev server in its scripts."""
    pages = any(file.language is Language.HTML for file in material.files)
    starts = any(
        re.search(r"\b(?:vite|react-scripts|ng serve|webpack[- ](?:dev-)?serve|parcel|astro|gatsby)\b", script.command)
        for m in material.manifests
        for script in m.scripts
    )
    published = any(manifest.publishable and not manifest.private for manifest in material.manifests)
    return not published and (pages or starts or bool(names & {"cra", "vite"}))


def _kinds_without_framework(material: _Material, names: set[str]) -> set[Kind]:
    python = [facts for facts in material.facts if facts.path.endswith(".py")]
    if any(manifest.scripts and manifest.ecosystem is Ecosystem.PYPI for manifest in material.manifests) or any(
        dict(m.settings).get("bin") for m in material.manifests
    ):
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
