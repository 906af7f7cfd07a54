"""Imports against declarations: whether a clean installation brings everything the code imports, and nothing that only sounds right.

Passing title: Everything the code imports is declared, and every declared package is the one that is meant
Failing title: The code imports packages that a clean installation does not bring, or declares the wrong ones
Grading: Each third-party package that production code imports counts once a part. One that nothing declares and nothing brings, a Python import of a module of this
    repository that does not exist, and a declared name that is known to be another package than the one the code imports fail the item. Undeclared packages that are
    imported only inside functions or by files nobody uses, and more than a third of the declared packages used by nothing make it partial. So do, with less weight the
    fewer they are, packages that arrive only through another one or that another part of the repository declares; what a declared framework cannot be without
    (starlette under FastAPI) weighs next to nothing. A declared name one letter from one that everybody uses, and one that no lock holds, are mentioned as hints. Optional imports, type-only imports, tests and scripts do not count.
Done when: Installing into an empty environment from the manifest alone is enough to import every module, and a check of the pipeline proves it.
What it cannot see: Whether a package exists on the index (no network is used), private registries, modules that the host or the base image supplies, and names that differ
    from their package's in ways nobody has written down.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from auditor.checks.declared_names import Declarations, Origin, wrong_name
from auditor.checks.dependency_groups import groups
from auditor.checks.image_installs import named_installs
from auditor.checks.near_names import name_hints
from auditor.checks.package_uses import UNUSED_FROM, UNUSED_LEAST, is_imported, is_mentioned
from auditor.checks.registry import check
from auditor.distributions import is_known_import, normalise
from auditor.model.artifacts import Deployment, Ecosystem, Manifests
from auditor.model.evidence import External, ModuleGraph, Unresolved
from auditor.model.needs import DEPLOYMENT, MANIFESTS, MODULE_GRAPH, PROJECT, SYNTAX, TEXTS
from auditor.model.project import Project
from auditor.model.syntax import ImportKind, Syntax
from auditor.model.verdict import Assessed, Confidence, Finding, NotApplicable
from auditor.words import listed, plural

_PARTIAL = 0.3
_COMPANION, _STEP, _MOST_LUCK = 0.03, 0.03, 0.2
_LUCK = frozenset({Origin.ARRIVES, Origin.ELSEWHERE})
_WAYS = {
    Origin.COMPANION: ("comes along with a package that is declared", "which version that is, the other package decides"),
    Origin.ARRIVES: ("arrives only because another package needs it", "an update elsewhere may take it away or change its version"),
    Origin.ELSEWHERE: (
        "is declared in another part of the repository only",
        "an update elsewhere may take it away or change its version",
    ),
}
_NAMED = 6
"""Packages that one finding names."""
_HINTS = 8
_STYLES = re.compile(r"\.(?:css|scss|sass|less|svg|png|woff2?)$")
_TOOL_SETTINGS = re.compile(r"(?:^|/)\.?(?:eslint|prettier|babel|stylelint|commitlint|release)[\w.-]*rc\.[cm]?js$|\.config\.[cm]?[jt]s$")
_ENTRY = re.compile(
    r"(?:^|/)(?:main|app|server|index|manage|wsgi|asgi|__main__|worker|bot|run|cli|settings|page|layout|route|middleware|_app|_document|\+\w+(?:\.server)?)\.\w+$|(?:^|/)pages/|(?:^|/)management/commands/"
)


@dataclass(frozen=True, slots=True)
class _Use:
    """A third-party package as one ecosystem's production code uses it: the first import, and whether it runs at start in a file in use."""

    first: External
    live: bool
    origin: Origin


@dataclass(frozen=True, slots=True)
class _Code:
    """The module graph, which files are production, which modules another module imports, and the names of own Python folders and modules."""

    graph: ModuleGraph
    project: Project
    used: frozenset[str]
    own: frozenset[str]

    def is_live(self, use: External | Unresolved) -> bool:
        """Whether the import runs as soon as a file in use is loaded."""
        return use.kind is ImportKind.IMPORT_TIME and self.is_used(use.path)

    def is_used(self, path: str) -> bool:
        """Whether another module imports the file, or it is started by its name."""
        return path in self.used or _ENTRY.search(path) is not None

    def counts(self, use: External) -> bool:
        """Whether the import is one of the product's."""
        if use.kind is ImportKind.TYPE_ONLY or use.guarded or use.path not in self.project.production:
            return False
        return not (_STYLES.search(use.package) or _TOOL_SETTINGS.search(use.path))


@check("deps.declared-and-real", needs=(MANIFESTS, PROJECT, DEPLOYMENT, TEXTS), corroborating=(MODULE_GRAPH, SYNTAX))
def declared_and_real(  # noqa: PLR0917 - one argument for each need
    manifests: Manifests, project: Project, deployment: Deployment, texts: dict[str, str], graph: ModuleGraph, syntax: Syntax
) -> Assessed | NotApplicable:
    """Compare imports and declarations, ecosystem by ecosystem."""
    if not graph.externals and not any(manifest.requirements for manifest in manifests.manifests):
        return NotApplicable("No third-party package is imported or declared.")
    code = _Code(graph, project, _in_use(graph), _own_names(graph))
    also = frozenset(normalise(name) for install in named_installs(deployment) for name in install.names)
    python = _uses(Ecosystem.PYPI, Declarations.of(manifests, Ecosystem.PYPI), code, also)
    uses = [*python, *_uses(Ecosystem.NPM, Declarations.of(manifests, Ecosystem.NPM), code, frozenset())]
    bare = _without_manifest(uses, manifests)
    missing = [use for use in uses if use.origin is Origin.NOWHERE and use not in bare]
    serious = [*_nothing_declared(bare), *(_missing(use) for use in missing if use.live), *_wrong(manifests, graph), *_local(code)]
    risky = [*(_missing(use) for use in missing if not use.live), *_unused(manifests, graph, texts)]
    lucky, companions = _indirect(uses, _LUCK), _indirect(uses, frozenset({Origin.COMPANION}))
    slight = [*risky, *_together(lucky, code), *_together(companions, code)]
    unsure = [(use.first.path, f"no telling which package supplies {use.first.package}") for use in uses if use.origin is Origin.UNSURE]
    unsure += _unread(project, syntax)
    total = max(len(uses), len(serious), 1)
    return Assessed(
        bad=len(serious),
        total=total,
        floor=1.0 if serious else _floor(len(risky), len(lucky), len(companions)),
        summary=_summary(uses, serious, len(risky) + len(lucky) + len(companions)),
        findings=(*serious, *slight),
        signals=(
            f"{plural(len(uses), 'third-party package')} imported by production code",
            *islice(name_hints(manifests, groups(manifests, project)), _HINTS),
        ),
        unexamined=tuple(unsure),
    )


def _floor(risky: int, lucky: int, companions: int) -> float:
    """How bad slight faults are together. What a declared framework cannot be without weighs next to nothing."""
    if risky:
        return _PARTIAL
    return min(_MOST_LUCK, _COMPANION + _STEP * lucky) if lucky else _COMPANION if companions else 0.0


def _in_use(graph: ModuleGraph) -> frozenset[str]:
    """Paths of modules that another module imports."""
    paths = {module.id: module.path for module in graph.modules}
    return frozenset(paths[edge.target] for edge in graph.edges if edge.kind is not ImportKind.TYPE_ONLY and edge.target in paths)


def _own_names(graph: ModuleGraph) -> frozenset[str]:
    paths = (module.path.removesuffix(".py").split("/") for module in graph.modules if module.path.endswith(".py"))
    return frozenset(part for parts in paths for part in parts)


def _unread(project: Project, syntax: Syntax) -> list[tuple[str, str]]:
    """Files that do not parse and show no import: of others the imports could be read all the same."""
    return [
        (facts.path, f"does not parse (line {facts.error_line})")
        for facts in syntax.of(project.production)
        if facts.error_line and not facts.imports
    ]


def _uses(ecosystem: Ecosystem, declared: Declarations, code: _Code, also: frozenset[str]) -> Iterator[_Use]:
    """One entry for each package and part, the import that matters most first."""
    best: dict[tuple[str, str], External] = {}
    for use in code.graph.externals:
        if use.path.endswith(".py") is not (ecosystem is Ecosystem.PYPI) or not code.counts(use) or _is_folder(use, declared, code):
            continue
        if ecosystem is Ecosystem.NPM and not declared.scope(use.path):
            continue  # sources without a package.json above them are fed in a way that is not visible
        key = (code.project.part_of(use.path).root, use.package)
        if key not in best or (code.is_live(use) and not code.is_live(best[key])):
            best[key] = use
    for use in best.values():
        origin = declared.origin(use.path, use.package, also)
        live = code.is_live(use)
        doubtful = use.path.endswith(".py") and not is_known_import(use.package)
        runs = live or (not doubtful and (use.kind is ImportKind.IMPORT_TIME or code.is_used(use.path)))
        if origin in {Origin.DECLARED, Origin.COMPANION, Origin.ARRIVES} or runs:
            yield _Use(use, live, origin)


def _is_folder(use: External, declared: Declarations, code: _Code) -> bool:
    """Whether the name is that of the repository's own code, found by a base directory or a search path: no package is meant."""
    if use.path.endswith(".py"):
        return use.package in code.own and not is_known_import(use.package)
    roots = {f"{manifest.root}/{use.package}/" if manifest.root else f"{use.package}/" for manifest in declared.scope(use.path)}
    return any(module.path.startswith(root) for root in roots for module in code.graph.modules)


def _without_manifest(uses: list[_Use], manifests: Manifests) -> list[_Use]:
    """Uses in a language for which there is no manifest at all: one fault, however many packages it concerns."""
    declaring = {manifest.ecosystem for manifest in manifests.manifests if manifest.requirements or manifest.problem}
    python, script = Ecosystem.PYPI in declaring, Ecosystem.NPM in declaring
    return [use for use in uses if use.origin is Origin.NOWHERE and not (python if use.first.path.endswith(".py") else script)]


def _nothing_declared(bare: list[_Use]) -> Iterator[Finding]:
    if bare:
        first = min((use.first for use in bare), key=lambda use: (use.path, use.line))
        names = listed(sorted({use.first.package for use in bare}), 6)
        message = f"No file declares what to install, and the code imports {names}: nobody but its author's computer can run it, and names are guessed."
        yield Finding("undeclared", first.path, message, first.line, first.line)


def _missing(use: _Use) -> Finding:
    first = use.first
    when = "cannot start" if use.live else "fails as soon as this code runs"
    message = f"{first.package} is imported and no manifest brings it: a fresh installation {when}, and whoever guesses the package's name may install a stranger's."
    confidence = Confidence.HIGH if use.live else Confidence.MEDIUM
    return Finding("undeclared", first.path, message, first.line, first.line, confidence)


def _indirect(uses: list[_Use], origins: frozenset[Origin]) -> list[_Use]:
    return [use for use in uses if use.origin in origins and (use.origin is not Origin.ELSEWHERE or use.live)]


def _together(uses: list[_Use], code: _Code) -> Iterator[Finding]:
    """One finding for all packages of a part that come the same way: one manifest has to name them."""
    groups: dict[tuple[str, Origin], list[_Use]] = {}
    for use in uses:
        groups.setdefault((code.project.part_of(use.first.path).root, use.origin), []).append(use)
    for (_, origin), found in groups.items():
        first = found[0].first
        how, then = _WAYS[origin]
        others = [use.first.package for use in found[1:]]
        too = f" The same goes for {listed(others, _NAMED)}." if others else ""
        message = f"{first.package} is imported here and {how}: {then}.{too}"
        yield Finding("declared-indirectly", first.path, message, first.line, first.line)


def _wrong(manifests: Manifests, graph: ModuleGraph) -> Iterator[Finding]:
    """Declared Python names that are not the package that is meant."""
    imported = frozenset(use.package.split(".")[0] for use in graph.externals if use.path.endswith(".py"))
    for manifest in manifests.manifests:
        for entry in manifest.requirements if manifest.ecosystem is Ecosystem.PYPI else ():
            meant = wrong_name(entry.name, imported) if entry.source == "registry" else ""
            if meant:
                message = f"{entry.name} is declared, and the package that is meant is {meant}: the installation fails, or brings a stranger's code."
                yield Finding("wrong-package", entry.place.path, message, entry.place.line, entry.place.line)


def _local(code: _Code) -> Iterator[Finding]:
    """Python imports that look like this repository's own and lead nowhere."""
    seen: set[tuple[str, str]] = set()
    paths = {f"/{module.path}" for module in code.graph.modules}
    for gap in code.graph.unresolved:
        ours = gap.path.endswith(".py") and gap.path in code.project.production and not gap.guarded
        if gap.name or not ours or not code.is_live(gap) or (gap.path, gap.module) in seen or _elsewhere(gap.module, paths):
            continue
        seen.add((gap.path, gap.module))
        message = f"{gap.module} is imported and exists neither in the repository nor as a declared package: this file cannot be loaded."
        yield Finding("missing-module", gap.path, message, gap.line, gap.line)


def _elsewhere(module: str, paths: set[str]) -> bool:
    """Whether an absolute import would be found if the program were started in another directory of the repository."""
    tail = "/" + module.replace(".", "/")
    return not module.startswith(".") and any(path.endswith((f"{tail}.py", f"{tail}/__init__.py")) for path in paths)


def _unused(manifests: Manifests, graph: ModuleGraph, texts: dict[str, str]) -> Iterator[Finding]:
    """Manifests of which more than a third is used by nothing."""
    files = {manifest.path for manifest in manifests.manifests} | {lock.path for lock in manifests.locks}
    imported = {use.package for use in graph.externals}
    for manifest in manifests.manifests:
        if manifest.publishable or any(key in {"generated-by", "hashes"} for key, _ in manifest.settings):
            continue
        entries = [entry for entry in manifest.requirements if entry.group == "runtime" and entry.source == "registry"]
        idle = [entry for entry in entries if not is_imported(entry, manifest, imported)]
        if len(entries) < UNUSED_LEAST or len(idle) <= UNUSED_FROM * len(entries):
            continue
        idle = [entry for entry in idle if not is_mentioned(entry.name, manifest, files, texts)]
        if len(idle) > UNUSED_FROM * len(entries):
            names = listed([entry.name for entry in idle], 5)
            message = f"{len(idle)} of {len(entries)} declared packages are used by nothing ({names}): each is code of strangers that is installed for no reason."
            yield Finding("unused-packages", manifest.path, message, idle[0].place.line, idle[0].place.line, Confidence.MEDIUM)


def _summary(uses: list[_Use], serious: list[Finding], slight: int) -> str:
    if serious:
        return f"{plural(len(serious), 'import or declaration', 'imports or declarations')} that a clean installation cannot serve."
    if slight:
        return f"All {plural(len(uses), 'imported package')} can be installed; {plural(slight, 'place rests', 'places rest')} on luck."
    return f"All {plural(len(uses), 'imported package')} are declared."
