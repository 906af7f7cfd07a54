"""Finds the deployable parts of the repository and their frameworks (PROJECT).

What kind a part is decides `auditor.evidence.kinds`, where its files run `auditor.evidence.sides`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

from auditor.evidence.frameworks import APPS, BROWSER_UI, FULLSTACK, KIND_WORDS, NPM_PACKAGES, PIPELINES, PYTHON_PACKAGES
from auditor.evidence.kinds import Material, kinds_of, servers_of
from auditor.evidence.registry import Context, own_stamp, provides
from auditor.evidence.sides import sides_of
from auditor.model.artifacts import Ecosystem, Manifests
from auditor.model.evidence import ModuleGraph
from auditor.model.need import Known, Unavailable
from auditor.model.needs import MANIFESTS, MODULE_GRAPH, PROJECT, SNAPSHOT, SYNTAX, TEXTS
from auditor.model.project import Framework, Kind, Part, Project
from auditor.model.snapshot import READ_LANGUAGES, Language, Role, Snapshot, SourceFile
from auditor.model.syntax import ImportKind, Syntax
from auditor.model.verdict import Place

_BUILT_WITH = frozenset(
    {"vite", "electron", "astro", "svelte", "@sveltejs/kit", "nuxt", "vue", "expo", "react-scripts", "gatsby", "@tauri-apps/cli", "@11ty/eleventy",
     "@docusaurus/core", "vitepress", "vuepress", "@remix-run/node", "solid-js", "preact"}
)  # fmt: skip
"""Packages that belong to the product although they are usually declared for development."""
_FEW_FILES = 10
"""Code files beside a workspace's members up to which they are glue (launchers, hooks) and no part of their own."""


@provides(PROJECT, needs=(SNAPSHOT, TEXTS, SYNTAX, MANIFESTS, MODULE_GRAPH))
def project(  # noqa: PLR0917 - an argument for each need
    context: Context, snapshot: Snapshot, texts: dict[str, str], syntax: Syntax, manifests: Manifests, graph: ModuleGraph
) -> Known[Project] | Unavailable:
    """The parts in root order; there is always at least one."""
    own = [file for file in snapshot.files if file.role is Role.FIRST_PARTY]
    production = frozenset(file.path for file in own if file.language in READ_LANGUAGES and not file.path.endswith((".d.ts", ".pyi")))
    roots = _roots(own, manifests)
    stated = dict(context.settings.kinds)
    parts = tuple(
        _stated(_part(root, _material(root, roots, own, _Sources(syntax, manifests, texts))), stated.get(root, frozenset()))
        for root in roots
    )
    sides = sides_of(parts, own, syntax, graph)
    return Known(Project(parts, sides, production), own_stamp())


def _roots(files: list[SourceFile], manifests: Manifests) -> tuple[str, ...]:
    """Directories of manifests with first-party code of their own below them, and "" when code is left over."""
    candidates = {manifest.root for manifest in manifests.manifests if not manifest.root.startswith(".")}
    owned: defaultdict[str, int] = defaultdict(int)
    for file in files:
        if file.language in READ_LANGUAGES | {Language.HTML}:
            owned[_longest(candidates | {""}, file.path)] += 1
    roots = [root for root in candidates | {""} if owned[root]]
    if len(roots) > 1 and owned[""] <= _FEW_FILES and any(not entry.root and entry.workspaces for entry in manifests.manifests):
        roots = [root for root in roots if root]
    return tuple(sorted(roots)) or ("",)


def _longest(roots: Iterable[str], path: str) -> str:
    return max((root for root in roots if not root or path.startswith(root + "/")), key=len, default="")


@dataclass(frozen=True, slots=True)
class _Sources:
    """The evidence parts are made from."""

    syntax: Syntax
    manifests: Manifests
    texts: dict[str, str]


def _material(root: str, roots: tuple[str, ...], files: list[SourceFile], sources: _Sources) -> Material:
    own = tuple(file for file in files if _longest(roots, file.path) == root)
    facts = tuple(sources.syntax.files[file.path] for file in own if file.path in sources.syntax.files)
    return Material(root, own, facts, tuple(manifest for manifest in sources.manifests.manifests if manifest.root == root), sources.texts)


def _part(root: str, material: Material) -> Part:
    frameworks = _frameworks(material)
    names = {framework.name for framework in frameworks}
    servers = servers_of(material, names)
    kinds = kinds_of(material, names, servers)
    shown = ", ".join(sorted(servers | (names & (APPS | FULLSTACK | BROWSER_UI | PIPELINES))))
    reason = " and ".join(KIND_WORDS[kind] for kind in sorted(kinds)) + (f" ({shown})" if shown else "")
    return Part(root, frozenset(kinds), frameworks, reason)


def _stated(part: Part, kinds: frozenset[Kind]) -> Part:
    """The part as its owner says it is, where the owner does."""
    return replace(part, kinds=kinds, reason=f"{' and '.join(sorted(kinds))}, as its owner states") if kinds else part


def _frameworks(material: Material) -> tuple[Framework, ...]:
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
        for requirement in (
            manifest.requirements if not manifest.path.endswith(".lock") else ()
        ):  # what arrives with others says nothing of this part
            table = NPM_PACKAGES if manifest.ecosystem is Ecosystem.NPM else PYTHON_PACKAGES
            key = requirement.name if manifest.ecosystem is Ecosystem.NPM else requirement.name.replace("-", "_")
            if key in table and (requirement.group == "runtime" or key in _BUILT_WITH):
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
