"""Imports, names and calls that lead nowhere.

Passing title: Everything the code imports and calls exists
Failing title: Code imports or calls things that do not exist
Grading: One import, name or call on a path that runs and that leads nowhere, or to what every current version of the language has removed, fails; where the only such imports are caught when they fail, it is partial.
Done when: Every first-party import, name and call resolves, and a type checker or linter for undefined names runs in CI.
What it cannot see: Attributes of objects, names made at run time, exports of modules that compute them, and names that pages or plug-ins define.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from auditor.checks.registry import check
from auditor.checks.removed_functions import removed_functions
from auditor.model.artifacts import Manifests
from auditor.model.evidence import ModuleGraph, Unresolved
from auditor.model.needs import MANIFESTS, MODULE_GRAPH, PROJECT, SYNTAX, TEXTS
from auditor.model.project import Project
from auditor.model.syntax import FileFacts, ImportKind, Reference, Syntax
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable
from auditor.words import plural

_AUTO_IMPORTS = frozenset(
    {
        "unplugin-auto-import",
        "nuxt",
        "nuxt3",
        "nuxt-edge",
        "@nuxt/kit",
        "wxt",
        "meteor-base",
        "vite-plugin-auto-import",
        "umi",
        "@umijs/max",
    }
)
_GLOBAL_OWNER = re.compile(r"^(?:window|globalThis|global|self|root|top|parent)\.([\w$]+)(?:\.|$)")
_BUILD_CONSTANT = re.compile(r"^__\w+__$|^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+$")
_LOCAL_SETTINGS = re.compile(r"local|settings|config|version|secret", re.IGNORECASE)
_SCRIPT_PATH = re.compile(r"\.(?:[cm]?[jt]sx?|vue|svelte)$")
_PAGE = re.compile(r"\.(?:html?|ejs|hbs|pug|jinja2?|j2|njk|twig|php|erb|astro|mdx)$")
_BUILD_SCRIPT = re.compile(r"\.(?:sh|bash|[cm]?js|ts)$|(?:^|/)(?:package\.json|Makefile|justfile|Taskfile\.ya?ml|[Dd]ockerfile[\w.-]*)$")
_COPIES = re.compile(r"\b(?:cp|copy|copyfiles|cpy|cpx|mv)\s")
_OUTPUT = r"(?:build|dist|out|output|target|lib)(?:/|\b)"
_LONGEST_PAGE = 2_000_000
_MOST_IMPORTERS = 30
_ENTRIES = frozenset(
    [
        "index",
        "main",
        "app",
        "App",
        "server",
        "__main__",
        "__init__",
        "manage",
        "wsgi",
        "asgi",
        "page",
        "layout",
        "route",
        "middleware",
        "instrumentation",
        "loading",
        "error",
        "not-found",
        "template",
        "settings",
        "urls",
        "models",
        "admin",
        "apps",
        "views",
        "tasks",
        "signals",
        "conftest",
        "cli",
        "run",
        "start",
        "entry",
        "bootstrap",
        "default",
    ]
)


@check("wiring.names-resolve", needs=(MODULE_GRAPH, SYNTAX, PROJECT), optional=(MANIFESTS, TEXTS))
def names_resolve(
    graph: ModuleGraph, syntax: Syntax, project: Project, manifests: Manifests | None, texts: dict[str, str] | None
) -> Judgement:
    """Gaps of the module graph, calls that do not fit, and names that nothing defines."""
    files = syntax.of(project.production)
    if not any(facts.code_lines for facts in files):
        return NotApplicable("There is no executable production code in a language that is read.")
    gaps = [gap for gap in graph.unresolved if gap.path in project.production and gap.kind is not ImportKind.TYPE_ONLY]
    moved = _moved_by_the_build({gap.path for gap in gaps}, texts or {})
    starts = _Starts(graph, files)
    gaps = [gap for gap in gaps if not (gap.path in moved and gap.module.startswith(".")) and not starts.resolve(gap)]
    unused = _Unused(graph, texts or {})
    hard = [gap for gap in gaps if not gap.guarded]
    soft = [gap for gap in gaps if gap.guarded and not _LOCAL_SETTINGS.search(gap.module)]
    miscalls = [miscall for miscall in graph.miscalls if miscall.path in project.production]
    undefined = list(_Names(syntax, project, manifests, texts or {}).undefined())
    findings = [_gap(gap) for gap in hard]
    findings += [
        Finding("miscall", miscall.path, f"{miscall.callee} is called in a way that cannot work: {miscall.problem}.", miscall.line, cwe=628)
        for miscall in miscalls
    ]
    findings += [_undefined(facts, reference) for facts, reference in undefined]
    removed = [finding for facts in files for finding in removed_functions(facts, (texts or {}).get(facts.path, ""))]
    findings += removed
    findings.sort(key=lambda finding: (finding.path, finding.line, finding.rule))
    findings += [_gap(gap) for gap in soft]
    references = sum(len(facts.imports) + len(facts.calls) for facts in files)
    broken = len(hard) + len(miscalls) + len(undefined) + len(removed)
    alive = [finding for finding in findings if finding.rule != "optional-import" and not unused.is_unused(finding.path)]
    findings.sort(key=lambda finding: finding not in alive)
    floor = 1.0 if alive else 0.5 if broken or soft else 0.0
    signals = (
        f"imports and calls looked at: {references:,} in {plural(len(files), 'file')}",
        f"imports that lead nowhere: {len(hard)} (caught when they fail: {len(soft)}); calls that do not fit: {len(miscalls)}; undefined names: {len(undefined)}",
    )
    summary = (
        f"{plural(broken, 'place')} would fail when they run: something imported, named or called does not exist."
        if broken
        else f"{plural(len(soft), 'optional import leads', 'optional imports lead')} nowhere."
        if soft
        else f"All of {references:,} imports and calls that could be followed lead somewhere."
    )
    return Assessed(bad=broken, total=max(references, 1), summary=summary, floor=floor, findings=tuple(findings), signals=signals)


class _Starts:
    """Tells Python imports that hold when the program is started in a folder of the tree (`from app import app` in backend/wsgi.py)."""

    def __init__(self, graph: ModuleGraph, files: tuple[FileFacts, ...]) -> None:
        self._paths = {module.path for module in graph.modules}
        modules = {statement.module for facts in files if facts.path.endswith(".py") for statement in facts.imports}
        self._packages = {".".join(parts[:depth]) for module in modules if (parts := module.split(".")) for depth in range(1, len(parts))}

    def resolve(self, gap: Unresolved) -> bool:
        """Whether a folder above the file holds the module, and nothing imports by that folder's own name, which needs another start."""
        if gap.name or gap.module.startswith(".") or not gap.path.endswith(".py"):
            return False
        tail = gap.module.replace(".", "/")
        folder = gap.path.rpartition("/")[0]
        while folder:
            if {f"{folder}/{tail}.py", f"{folder}/{tail}/__init__.py"} & self._paths:
                return folder.rpartition("/")[2] not in self._packages and folder.replace("/", ".") not in self._packages
            folder = folder.rpartition("/")[0]
        return False


def _moved_by_the_build(paths: set[str], texts: dict[str, str]) -> frozenset[str]:
    """Files that a script of the build copies beside its output: their neighbours are there, not here."""
    commands = [
        line
        for path, text in sorted(texts.items())
        if _BUILD_SCRIPT.search(path) and len(text) < _LONGEST_PAGE
        for line in text.splitlines()
        if _COPIES.search(line[:500])
    ]
    names = {path: "/".join(path.split("/")[-2:]) for path in paths}
    return frozenset(
        path
        for path, name in names.items()
        if any(re.search(rf"(?<![\w.-]){re.escape(name)}[\"']?\s+\S{{0,100}}{_OUTPUT}", line[:500]) for line in commands)
    )


def _gap(gap: Unresolved) -> Finding:
    what = f"{gap.name} of {gap.module}" if gap.name else gap.module
    when = "when the file is loaded" if gap.kind is ImportKind.IMPORT_TIME else "when that code runs"
    if gap.guarded:
        message = f"The optional import of {what} can never succeed ({gap.reason}), so what it is for is always off."
        return Finding("optional-import", gap.path, message, gap.line, confidence=Confidence.MEDIUM)
    message = f"{what} is imported and does not exist ({gap.reason}): it fails {when}."
    return Finding("unresolved-name" if gap.name else "unresolved-import", gap.path, message, gap.line)


def _undefined(facts: FileFacts, reference: Reference) -> Finding:
    where = facts.definitions[reference.scope].name if 0 <= reference.scope < len(facts.definitions) else ""
    place = f" in {where}" if where else ""
    message = f"{reference.name} is used{place} and defined nowhere: whoever gets there gets an error in place of a result."
    return Finding("undefined-name", facts.path, message, reference.line)


class _Unused:
    """Tells files that nothing imports and nothing names: what is wrong in them waits for the day somebody uses them."""

    def __init__(self, graph: ModuleGraph, texts: dict[str, str]) -> None:
        paths = {module.id: module.path for module in graph.modules}
        self._importers: dict[str, set[str]] = {}
        for edge in graph.edges:
            self._importers.setdefault(paths[edge.target], set()).add(paths[edge.source])
        read = set(paths.values())
        self._texts = {path: text for path, text in sorted(texts.items()) if len(text) < _LONGEST_PAGE and _names_files(path, read)}
        self._names = Counter(path.rpartition("/")[2] for path in read)
        self._known: dict[str, bool] = {}

    def is_unused(self, path: str) -> bool:
        """Whether no chain of imports, no page and no configuration leads to a file."""
        reached = [path]
        for current in reached:
            if current not in self._known:
                self._known[current] = self._is_named(current)
            if self._known[current] or len(reached) > _MOST_IMPORTERS:
                return False
            reached.extend(sorted(self._importers.get(current, set()) - set(reached)))
        return True

    def _is_named(self, path: str) -> bool:
        folder, _, name = path.rpartition("/")
        stem = name.split(".")[0]
        if stem in _ENTRIES or not self._texts:
            return True
        parent = re.escape(folder.rpartition("/")[2])
        pattern = rf"(?<![\w-]){parent}[/.]{re.escape(stem)}\b"
        if self._names[name] == 1:
            pattern += rf"|(?<![\w-]){re.escape(name)}\b"
        wanted = re.compile(pattern)
        return any(wanted.search(text) for other, text in self._texts.items() if other != path)


def _names_files(path: str, read: set[str]) -> bool:
    """Whether a text may tell the program to use a file: code that was read, pages and configuration; no built bundles, no prose."""
    return path in read or not (_SCRIPT_PATH.search(path) or path.endswith((".md", ".rst", ".map", "manifest.json", ".lock")))


class _Names:
    """Undefined names that nothing outside their file can define either."""

    def __init__(self, syntax: Syntax, project: Project, manifests: Manifests | None, texts: dict[str, str]) -> None:
        self._syntax = syntax
        self._project = project
        self._texts = texts
        self._shared = _shared_globals(syntax)
        self._automatic = _automatic_roots(manifests)
        self._pages: frozenset[str] | None = None

    def undefined(self) -> Iterator[tuple[FileFacts, Reference]]:
        """(file, name), the first place of each name in a file."""
        for facts in self._syntax.of(self._project.production):
            seen: set[str] = set()
            for reference in facts.undefined:
                if reference.name not in seen and self._counts(facts, reference):
                    seen.add(reference.name)
                    yield facts, reference

    def _counts(self, facts: FileFacts, reference: Reference) -> bool:
        name = reference.name
        if not _SCRIPT_PATH.search(facts.path):
            return not any("NameError" in handler.types for handler in facts.handlers) and not _only_annotates(facts, reference)
        if name in self._shared or _BUILD_CONSTANT.match(name) or any(facts.path.startswith(root) for root in self._automatic):
            return False
        if name in self._page_words() or self._is_defined_elsewhere(name):
            return False
        if _is_module(facts):
            return True
        return not name[0].isupper() and any(call.callee == name for call in facts.calls)

    def _is_defined_elsewhere(self, name: str) -> bool:
        """Whether a script that is not read (a library's copy, a built file) mentions the name: it may define it."""
        word = re.compile(rf"(?<![\w$]){re.escape(name)}(?![\w$])")
        others = (text for path, text in sorted(self._texts.items()) if _SCRIPT_PATH.search(path) and path not in self._syntax.files)
        return any(word.search(text) for text in others)

    def _page_words(self) -> frozenset[str]:
        """Every word of pages and templates: their own scripts may define it."""
        if self._pages is None:
            pages = (
                text for path, text in sorted(self._texts.items()) if _PAGE.search(path) and len(text) < _LONGEST_PAGE and "<script" in text
            )
            self._pages = frozenset(word for text in pages for word in re.findall(r"[\w$]+", text))
        return self._pages


def _only_annotates(facts: FileFacts, reference: Reference) -> bool:
    """Whether a Python name stands in an annotation that is never evaluated: of a local variable, in quotes, or anywhere after the future import."""
    word = re.compile(rf"(?<!\w){re.escape(reference.name)}(?!\w)")
    postponed = any(statement.module == "__future__" and ("annotations", "annotations") in statement.names for statement in facts.imports)
    noted = [(a.annotation, a.scope >= 0) for a in facts.assignments if a.line == reference.line]
    for definition in facts.definitions:
        if definition.line <= reference.line <= definition.end_line:
            noted += [(parameter.annotation, False) for parameter in definition.parameters]
    return any(word.search(text) and (local or postponed or text.startswith(("'", '"'))) for text, local in noted)


def _is_module(facts: FileFacts) -> bool:
    return bool(facts.exports) or any(True for _ in facts.imports)


def _shared_globals(syntax: Syntax) -> frozenset[str]:
    """Names that plain scripts and declarations share, and what is put on the global object anywhere."""
    found: set[str] = set()
    for facts in syntax.files.values():
        if not _SCRIPT_PATH.search(facts.path):
            continue
        if facts.path.endswith((".d.ts", ".d.mts")) or not _is_module(facts):
            found.update(facts.bound)
        for assignment in facts.assignments:
            match = _GLOBAL_OWNER.match(assignment.target)
            if match:
                found.add(match[1])
        for call in facts.calls:
            if call.callee in {"Object.assign", "Object.defineProperty", "vi.stubGlobal"} and call.arguments:
                found.update(key for argument in call.arguments for key, _ in argument.value.items if key.isidentifier())
                found.update(argument.value.literal for argument in call.arguments[1:2] if argument.value.literal.isidentifier())
    return frozenset(found)


def _automatic_roots(manifests: Manifests | None) -> tuple[str, ...]:
    """Directories of packages whose build writes imports by itself."""
    if manifests is None:
        return ()
    roots = {m.root for m in manifests.manifests if any(r.name in _AUTO_IMPORTS for r in m.requirements)}
    return tuple(sorted(root + "/" if root else "" for root in roots))
