"""Files of production code that nothing leads to: no chain of imports from an entry point, no page, no configuration and no framework.

What is doubtful lives: folders below a loader that computes names, packages that are published, files whose name stands in a text of any other file.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from auditor.checks.framework_entries import KIT, is_entry
from auditor.model.artifacts import Ecosystem, Manifests
from auditor.model.evidence import ModuleGraph
from auditor.model.project import Kind, Project
from auditor.model.syntax import Call, FileFacts, Syntax, ValueKind

_PAIR = re.compile(r"[\w@-]+(?:[/.\\:]+[\w@-]+)+")
_SPLIT = re.compile(r"[/.\\:]+")
_CONFIGURATION = re.compile(
    r"\.(?:html?|ejs|hbs|pug|jinja2?|j2|njk|twig|php|erb|astro|mdx|ya?ml|toml|ini|cfg|json|jsonc|xml|sh|bash|ps1|plist|conf|env|sql|gradle|tf|service|prisma|graphql)$|(?:^|/)(?:[Dd]ockerfile[\w.-]*|Makefile|justfile|Procfile|Pipfile|\.\w+)$"
)
_NO_CONFIGURATION = re.compile(
    r"(?:^|[/.-])(?:package-lock|pnpm-lock|composer\.lock|locales?|translations?|i18n|lang|messages|fixtures)\b|lock\.(?:json|ya?ml)$|\.map$"
)
_LONGEST = 1_000_000
_LOADERS = re.compile(
    r"^(?:import|require|importlib\.import_module|import_module|__import__|require\.resolve|lazy|defineAsyncComponent|pkgutil\.(?:iter_modules|walk_packages)|find_spec|importlib\.util\.spec_from_file_location|load_module|import_string|glob\.(?:sync|glob)|globSync|fg\.sync|fs\.readdirSync|readdirSync|fs\.readdir|readdir|os\.listdir|entry_points|import\.meta\.glob\w*|require\.context|autodiscover\w*|\w*\.?auto_?load\w*|config\.scan|jiti|createJiti\(\)|pathToFileURL|new Worker|Worker|fork|child_process\.fork|runpy\.run_\w+)$",
    re.IGNORECASE,
)
_BY_LISTING = re.compile(
    r"readdir|listdir|iter_modules|walk_packages|glob|autodiscover|auto_?load|scan$|require\.context|entry_points", re.IGNORECASE
)
_GLOB_SUFFIX = re.compile(r"\*(\.[a-z][a-z-]{2,30})(?=[.{*]|$)")
"""The part of a name that all files have which a pattern in code stands for (`**/*.entity{.ts,.js}`)."""
_CODE = re.compile(r"\.(?:pyi?|[cm]?[jt]sx?|vue|svelte)$")
_ENDINGS = frozenset(
    {".test", ".spec", ".tsx", ".jsx", ".mjs", ".cjs", ".mts", ".vue", ".svelte", ".html", ".css", ".scss", ".json", ".mdx"}
)
_STARTS = re.compile(
    r"(?:^|\.)(?:run|main|serve|serve_forever|run_app|run_server|mainloop|launch|start|start_polling|run_polling|parse_args|execute_from_command_line|exit)$"
)
_COMMON = frozenset({"index", "main", "mod", "page", "route", "layout", "types", "utils", "constants", "helpers"})
"""Names that say nothing without their folder."""
_WORK = 5
"""Lines of code below which a file is not worth a word."""
_BACKUP = re.compile(
    r"^(?P<base>.+?)(?:[ ._-](?:old|backup|bak|copy|orig|original|deprecated|unused|disabled)\d*|(?:Old|Backup|Copy|Deprecated|Unused)|[ ._-]?\(\d\)| copy(?: \d)?)$"
)
_COPY_OF = re.compile(r"^(?:copy[ _-]of[ _-]|old[_-]|backup[_-])(?P<base>.+)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class DeadModule:
    """A file that nothing leads to; `original` is the file or folder it is a left-over copy of, "" for none."""

    path: str
    lines: int
    original: str = ""


def dead_modules(
    graph: ModuleGraph, syntax: Syntax, project: Project, manifests: Manifests, texts: dict[str, str]
) -> tuple[DeadModule, ...]:
    """The dead files in path order."""
    paths = {module.id: module.path for module in graph.modules}
    imports: defaultdict[str, set[str]] = defaultdict(set)
    for edge in graph.edges:
        imports[paths[edge.source]].add(paths[edge.target])
    copies = _Copies(frozenset(texts))
    roots = (
        path
        for path in _roots(set(paths.values()), syntax, project, manifests)
        if path not in project.production or not copies.original(path)
    )
    alive = _reached(roots, imports)
    left = sorted(project.production & set(paths.values()) - alive)
    if left:
        mentions = _Mentions(syntax, texts, imports)
        alive |= _reached((path for path in left if mentions.name(path)), imports)
    return tuple(
        DeadModule(path, syntax.files[path].code_lines, copies.original(path))
        for path in left
        if path not in alive and syntax.files[path].code_lines >= _WORK and not syntax.files[path].error_line
    )


def _reached(roots: Iterable[str], imports: dict[str, set[str]]) -> set[str]:
    pending = list(roots)
    found = set(pending)
    while pending:
        for target in imports.get(pending.pop(), ()):
            if target not in found:
                found.add(target)
                pending.append(target)
    return found


def _roots(paths: set[str], syntax: Syntax, project: Project, manifests: Manifests) -> Iterator[str]:
    """Everything that is not product code, and what of it is started, found by a framework, published or possibly loaded by a computed name."""
    loaded = tuple(sorted({folder for path in paths for folder in _loaded_folders(syntax.files[path])}))
    published = tuple(
        f"{m.root}/" if m.root else "" for m in manifests.manifests if m.publishable and not m.private and m.ecosystem is Ecosystem.NPM
    )
    for path in sorted(paths):
        facts = syntax.files[path]
        part = project.part_of(path)
        if (
            path not in project.production
            or facts.main_lines != (0, 0)
            or Kind.LIBRARY in part.kinds
            or is_entry(path, part)
            or KIT.search(path)
            or path.startswith(loaded)
            or (path.startswith(published) and not path.endswith(".py"))
            or _runs_by_itself(facts)
        ):
            yield path


def _runs_by_itself(facts: FileFacts) -> bool:
    """A script: it does its work when it is loaded and hands nothing out, or starts what it defines; whoever runs it is not in the tree."""
    if facts.path.endswith((".py", ".pyw")):
        own = {definition.name for definition in facts.definitions if definition.parent < 0}
        started = any(call.scope < 0 and not call.used and (call.callee in own or _STARTS.search(call.callee)) for call in facts.calls)
        unnamed = "-" in facts.path.rpartition("/")[2]  # no import statement can name it
        return started or unnamed or (not own and any(call.scope < 0 for call in facts.calls))
    exported = bool(facts.exports) or any(a.target.startswith(("module.exports", "exports.")) for a in facts.assignments)
    return not exported and any(call.scope < 0 for call in facts.calls)


def _loaded_folders(facts: FileFacts) -> Iterator[str]:
    """Folders below a place that loads code by computed names or by listing files."""
    for call in facts.calls:
        if _LOADERS.match(call.callee) and _is_computed(call):
            folder = facts.path.rpartition("/")[0]
            named = _named_folder(call) if _BY_LISTING.search(call.callee) else ""
            yield f"{named}/" if named else f"{folder}/" if folder else ""


def _named_folder(call: Call) -> str:
    """The folder of the tree that a listing names in plain words ("./server/models")."""
    first = call.arguments[0].value if call.arguments else None
    text = first.literal if first is not None and first.kind is ValueKind.STRING else ""
    return text.removeprefix("./").rstrip("/") if re.fullmatch(r"(?:\./)?[\w-]+(?:/[\w-]+)+/?", text) else ""


def _is_computed(call: Call) -> bool:
    if _BY_LISTING.search(call.callee):
        return True
    first = call.arguments[0].value if call.arguments else None
    return first is not None and first.kind in {ValueKind.TEMPLATE, ValueKind.OPERATION, ValueKind.NAME, ValueKind.CALL}


class _Mentions:
    """Tells whether a text of another file or of configuration names a file, so that something may load it."""

    def __init__(self, syntax: Syntax, texts: dict[str, str], imports: dict[str, set[str]]) -> None:
        self._pairs: set[tuple[str, str]] = set()
        self._words: set[str] = set()
        self._suffixes: set[str] = set()
        for path, facts in syntax.files.items():
            known = {_stem(target) for target in imports.get(path, ())}
            own = _stem(path)
            for literal in facts.literals:
                if literal.text != own:
                    self._add(literal.text)
                if "*." in literal.text:
                    self._suffixes.update(set(_GLOB_SUFFIX.findall(literal.text)) - _ENDINGS)
            for statement in facts.imports:
                if _SPLIT.split(statement.module)[-1] not in known:
                    self._add(statement.module)
        for path, text in sorted(texts.items()):
            told = _CODE.search(path) or (_CONFIGURATION.search(path) and not _NO_CONFIGURATION.search(path))
            if told and len(text) < _LONGEST and path not in syntax.files and ".min." not in path:
                for token in _PAIR.findall(text):
                    self._add(token)

    def _add(self, text: str) -> None:
        if len(text) > 300:
            return
        if re.fullmatch(r"[a-z_][\w-]*", text):
            self._words.add(text)
        parts = [part for part in _SPLIT.split(text) if part]
        self._pairs.update(pairwise(parts))

    def name(self, path: str) -> bool:
        """Whether the folder and name of a file, or its name with its ending, stand somewhere."""
        folder, _, name = path.rpartition("/")
        stem, _, ending = name.partition(".")
        parent = folder.rpartition("/")[2]
        if any(suffix in name for suffix in self._suffixes):
            return True
        if stem in _COMMON:
            return (parent, stem) in self._pairs
        return (parent, stem) in self._pairs or (stem, ending.rpartition(".")[2]) in self._pairs or (len(stem) > 3 and stem in self._words)


def _stem(path: str) -> str:
    return path.rpartition("/")[2].partition(".")[0]


class _Copies:
    """Tells copies that were left beside their original."""

    def __init__(self, paths: frozenset[str]) -> None:
        self._stems = {re.sub(r"\.\w+$", "", path) for path in paths}
        self._folders = {path[: match.start()] for path in paths for match in re.finditer("/", path)}

    def original(self, path: str) -> str:
        """The file or folder that a path is a left-over copy of, "" for none."""
        stem = re.sub(r"\.\w+$", "", path)
        folder, _, name = stem.rpartition("/")
        found = _base(name)
        if found and (beside := f"{folder}/{found}" if folder else found) in self._stems:
            return beside
        parts = path.split("/")
        for position, part in enumerate(parts[:-1]):
            found = _base(part)
            beside = "/".join([*parts[:position], found])
            if found and beside in self._folders:
                return beside
        return ""


def _base(name: str) -> str:
    match = _BACKUP.match(name) or _COPY_OF.match(name)
    return match["base"] if match else ""
