"""Where a product begins: modules that something other than an import starts, by their own code, their place, or because their name is written somewhere.

Every doubt makes an entry, since what is no entry and not imported is called dead.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from pathlib import PurePosixPath

from auditor.model.project import Kind, Project
from auditor.model.snapshot import Language, Role, Snapshot
from auditor.model.syntax import Call, FileFacts, ValueKind

_BY_PLACE_PYTHON = re.compile(
    r"(?:^|/)(?:management/commands|templatetags|migrations|alembic|versions|plugins|commands|dags|pages|blueprints|settings)/"
    r"|(?:^|/)(?:__init__|__main__|apps|admin|models|tasks|signals|receivers|checks|translation|search_indexes|urls|settings\w*|wsgi|asgi|main|app|manage"
    r"|conftest|env|celery|celeryconfig|gunicorn\w*|fabfile|hooks?|sitecustomize|context_processors|handler|lambda_function|function_app)\.py$"
)
_BY_PLACE_SCRIPT = re.compile(
    r"(?:^|/)(?:pages|app|api|functions|middleware|plugins|layouts|server|routes|composables|middlewares|content|stories|public|static|netlify|edge-functions"
    r"|i18n|locales?|workers?|bin|cli|entities|subscribers|templates|emails)/"
    r"|(?:^|/)(?:main|index|app|server|worker|client|entry|middleware|proxy|instrumentation(?:-client)?|service-worker|sw|preload|background|content|popup|hooks|setup|bootstrap|register|polyfills?|vite-env|global)"
    r"(?:[.-][\w.-]+)?\.[cm]?[jt]sx?$"
    r"|(?:^|/)[\w.-]*(?:config|rc)\.[cm]?[jt]s$|(?:^|/)\+|(?:^|/)_\w+\.[jt]sx?$|\.d\.[cm]?ts$|\.(?:entity|model|module|resolver|controller|subscriber|migration|stories|worker)\.[cm]?[jt]sx?$"
    r"|(?:^|/)App\.(?:[jt]sx?|vue|svelte)$|(?:^|/)components/ui/"
)
"""Places that frameworks serve, load or import from by themselves. `components/ui` holds what a component library's tool copies in whole."""
_LOADERS = re.compile(
    r"^(?:importlib\.)?(?:import_module|util\.spec_from_file_location)$|^__import__$|^(?:pkgutil\.)?(?:iter_modules|walk_packages)$|(?:^|\.)(?:entry_points|load_entry_point)$"
    r"|(?:^|\.)import_string$|(?:^|\.)(?:find_modules|load_modules|autodiscover_modules)$|^require\.context$|\w*[aA]uto[lL]oad$|^(?:fs\.)?(?:readdirSync|readdir)$|^(?:glob|globSync|fg|fastGlob)(?:\.\w+)?$"
)
_BEGINNING = re.compile(r"^((?:\w+\.){2,6}|\.{1,2}/(?:[\w.-]+/){1,6})\{")
"""How a text with a hole begins that can name a module: with a package and a dot, or with a folder beside the file."""
_COMPUTED = frozenset({"require", "import"})
_SILENT = frozenset({Role.DOC, Role.TEST, Role.EXAMPLE, Role.VENDORED, Role.MINIFIED, Role.ASSET, Role.GENERATED})
"""Roles of files whose words start nothing."""
_LOCK = re.compile(r"(?:^|/)(?:package-lock\.json|pnpm-lock\.yaml|yarn\.lock|poetry\.lock|uv\.lock|Pipfile\.lock|bun\.lockb?)$")
_LONGEST = 1_000_000
_SHORTEST_STEM = 3


def starts_itself(facts: FileFacts) -> bool:
    """Whether loading or running the file does something: it has a main guard, or a call at its top level whose result nobody keeps."""
    return facts.main_lines[0] > 0 or any(call.scope < 0 and not call.used for call in facts.calls)


def begins_by_place(path: str) -> bool:
    """Whether the place or the name of a file is one that frameworks and tools start from."""
    return bool((_BY_PLACE_PYTHON if path.endswith(".py") else _BY_PLACE_SCRIPT).search(path))


def is_library(project: Project, path: str) -> bool:
    """Whether the file belongs to a part whose modules others may import."""
    return Kind.LIBRARY in project.part_of(path).kinds


def loaded_folders(files: Iterable[FileFacts], folders: frozenset[str]) -> frozenset[str]:
    """Folders from which modules are loaded by computed names: those of the files that do so, and those a text with a hole begins with; `folders` are all."""
    listed = tuple(files)
    found = {facts.path.rpartition("/")[0] for facts in listed if any(_loads(call) for call in facts.calls)}
    begun = {
        (facts.path, match[1]) for facts in listed for text in facts.literals if text.template and (match := _BEGINNING.match(text.text))
    }
    for path, text in begun:
        inner = (
            posixpath.normpath(posixpath.join(posixpath.dirname(path), text)) if text.startswith(".") else text.replace(".", "/").strip("/")
        )
        found |= {folder for folder in folders if folder == inner or folder.endswith(f"/{inner}")}
    return frozenset(found)


def _loads(call: Call) -> bool:
    if _LOADERS.search(call.callee):
        first = call.argument("name", 0)
        return first is None or first.kind is not ValueKind.STRING or not call.callee.endswith("import_module")
    return call.callee in _COMPUTED and bool(call.arguments) and call.arguments[0].value.kind is not ValueKind.STRING


def named_elsewhere(candidates: Iterable[str], snapshot: Snapshot, texts: dict[str, str]) -> frozenset[str]:
    """The candidates whose name stands in a file of the repository that is no candidate, test or document: as a path, a dotted name, or a whole text."""
    unreached = frozenset(candidates)
    by_stem: dict[str, set[str]] = {}
    for path in unreached:
        by_stem.setdefault(stem(path), set()).add(path)
    short = {name for name in by_stem if len(name) < _SHORTEST_STEM}
    found = {path for name in short for path in by_stem[name]}
    wanted = sorted(by_stem.keys() - short, key=lambda name: (-len(name), name))
    if not wanted:
        return frozenset(found)
    mention = re.compile(
        r"(?<![\w-])(?:(?P<before>[\w@~$-]*[/.:])|(?P<quote>[\"'`]))(?P<stem>"
        + "|".join(map(re.escape, wanted))
        + r")(?![\w-])(?P<after>\.\w{1,6}\b|[\"'`])?"
    )
    for file in snapshot.files:
        text = texts.get(file.path, "")
        if (
            file.path in unreached
            or file.role in _SILENT
            or file.language is Language.MARKDOWN
            or len(text) > _LONGEST
            or _LOCK.search(file.path)
        ):
            continue
        for hit in mention.finditer(text):
            if hit["before"] or hit["after"] == hit["quote"]:
                found |= {path for path in by_stem[hit["stem"]] if _fits(path, hit["before"] or "")}
    return frozenset(found)


def used_as_elements(candidates: Iterable[str], files: Iterable[FileFacts]) -> frozenset[str]:
    """The Vue components that templates use without an import, as tools that import by name allow: by their file's name, behind those of its folders."""
    components = {path: _plain(stem(path)) for path in candidates if path.endswith(".vue")}
    if not components:
        return frozenset()
    elements = {_plain(element.name) for facts in files for element in facts.elements}
    return frozenset(path for path, name in components.items() if any(element.endswith(name) for element in elements))


def _plain(name: str) -> str:
    return name.replace("-", "").lower()


def stem(path: str) -> str:
    """The name others would write: the file's, or its folder's for an index."""
    place = PurePosixPath(path)
    name = place.name.split(".", 1)[0]
    return place.parent.name if name in {"index", "__init__"} and place.parent.name else name


def _fits(path: str, before: str) -> bool:
    """Whether what stands in front of the name can be the folder the file lies in."""
    folder = before.rstrip("/.:").rpartition("/")[2]
    parts = PurePosixPath(path).parts[:-1]
    return not folder or folder in {"@", "~", "$lib"} or folder in parts
