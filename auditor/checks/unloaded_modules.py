"""Python parts that register themselves when their module is loaded: tasks, receivers of signals, apps, middleware. Which of them nothing loads.

A module counts as loaded when production code imports it, when a text of the code or of the settings beside it names it, or when a framework looks for it by its place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.model.evidence import ModuleGraph
from auditor.model.project import RUNNING, Project
from auditor.model.syntax import Call, Definition, DefinitionKind, FileFacts, Syntax, ValueKind

_TEST = re.compile(r"(?:^|/)(?:tests?|testing|conftest)(?:/|\.py$)|(?:^|/)test_\w+\.py$")
_SETTINGS = re.compile(
    r"(?:^|/)(?:Procfile|Makefile|Dockerfile[^/]*|[^/]+\.(?:ya?ml|toml|cfg|ini|sh|env|json|conf|service|md|txt))$", re.IGNORECASE
)
_SETTINGS_LIMIT = 200_000
_DYNAMIC = re.compile(r"^(?:pkgutil\.\w+|(?:importlib\.)?import_module|import_string|__import__|load_module|find_modules)$")
_TASK = re.compile(r"(?:^|\.)(?:shared_task|task|periodic_task)$")
_CRITICAL = re.compile(r"auth|csrf|secur|permission|tenant|limit|cors|pay|invoice|bill|refund|backup|delete|expire|remind", re.IGNORECASE)
_CONFIGURES = re.compile(r"(?:^|/)[\w-]*(?:settings?|config|conf|environments?)(?:/|\.py$)", re.IGNORECASE)
_MIDDLEWARE_BASES = frozenset({"BaseHTTPMiddleware", "MiddlewareMixin"})


@dataclass(frozen=True, slots=True)
class Registrable:
    """Something that has to be registered; `lost`: nothing does, and `message` says so; `critical`: safety or money hangs on it."""

    rule: str
    path: str
    line: int
    lost: bool
    message: str = ""
    critical: bool = False


class PythonModules:
    """The Python modules of a tree, and by what each is loaded."""

    def __init__(self, syntax: Syntax, graph: ModuleGraph, project: Project, texts: dict[str, str]) -> None:
        self.files = [facts for facts in syntax.of(project.production) if facts.path.endswith(".py") and not _TEST.search(facts.path)]
        self._project = project
        paths = {module.id: module.path for module in graph.modules}
        self._imported = {paths[e.target] for e in graph.edges if e.source != e.target and not _TEST.search(paths[e.source])}
        self._named = frozenset(lit.text for facts in self.files for lit in facts.literals if re.fullmatch(r"[\w.]+(?::\w+)?", lit.text))
        self._settings = "\n".join(text[:_SETTINGS_LIMIT] for path, text in sorted(texts.items()) if _SETTINGS.search(path))
        self.dynamic = any(_DYNAMIC.match(call.callee) and not _is_constant(call) for facts in self.files for call in facts.calls)
        self.names = frozenset(name for facts in self.files for name in _mentioned(facts))

    def is_loaded(self, path: str) -> bool:
        """Whether something imports a module or names it."""
        return path in self._imported or self.is_named(_dotted(path))

    def is_named(self, dotted: str) -> bool:
        """Whether a text names a module or something in it, from whatever folder the names begin."""
        parts = dotted.split(".")
        tails = {".".join(parts[start:]) for start in range(len(parts))}
        if any(text == tail or text.startswith((f"{tail}.", f"{tail}:")) for text in self._named for tail in tails):
            return True
        return any("." in tail and re.search(rf"(?<![\w/]){re.escape(tail)}(?!\w)", self._settings) for tail in tails)

    def runs(self, path: str) -> bool:
        """Whether a file belongs to something that is run by its owner, and is not a library for others."""
        return bool(self._project.part_of(path).kinds & RUNNING)

    def uses(self, path: str, framework: str) -> bool:
        """Whether the part a file belongs to uses a framework."""
        return self._project.part_of(path).uses(framework)


def _is_constant(call: Call) -> bool:
    first = call.argument("", 0)
    return first is not None and first.kind is ValueKind.STRING


def _dotted(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _mentioned(facts: FileFacts) -> Iterator[str]:
    """Names a file uses in other ways than defining them."""
    for call in facts.calls:
        yield from re.findall(r"\w+", call.callee)
        yield from (word for argument in call.arguments for name in argument.value.names for word in name.split("."))
    for entry in (*facts.assignments, *facts.returns):
        yield from (word for name in (entry.value.names if entry.value is not None else ()) for word in name.split("."))
    yield from (original for statement in facts.imports for original, _ in statement.names)
    yield from (re.sub(r"\[.*", "", base).rsplit(".", 1)[-1] for definition in facts.definitions for base in definition.bases)
    yield from (lit.text.rsplit(".", 1)[-1] for lit in facts.literals if re.fullmatch(r"[\w.]+", lit.text))


def unloaded(modules: PythonModules) -> Iterator[Registrable]:
    """Every part of these kinds, and whether it is registered."""
    yield from _tasks(modules)
    yield from _receivers(modules)
    yield from _apps(modules)
    yield from _middleware(modules)


# -- tasks -------------------------------------------------------------------------------------------------------------------------------


def _tasks(modules: PythonModules) -> Iterator[Registrable]:
    """Tasks of Celery by module, and entries of its schedule by the task they name."""
    apps = [facts for facts in modules.files if any(call.callee in {"Celery", "celery.Celery"} for call in facts.calls)]
    if not apps:
        return
    bound = frozenset(call.target for facts in apps for call in facts.calls if call.callee in {"Celery", "celery.Celery"})
    found = {facts.path: names for facts in modules.files if (names := list(_task_names(facts, bound)))}
    holders = {facts.path for facts in apps}
    searched = [call for facts in modules.files for call in facts.calls if call.callee.endswith("autodiscover_tasks")]
    for path, names in found.items():
        loaded = path in holders or modules.dynamic or modules.is_loaded(path) or any(_searches(call, path) for call in searched)
        message = f"{names[0][0]} is a task in a module that no worker loads: it never runs, and calls of it by name are refused."
        yield Registrable("unloaded-task", path, names[0][1], not loaded, message, _CRITICAL.search(names[0][0]) is not None)
    yield from _scheduled(modules, {name for names in found.values() for name, _ in names})


def _task_names(facts: FileFacts, bound: frozenset[str]) -> Iterator[tuple[str, int]]:
    """Functions that are tasks of Celery, with the name they are given; `bound`: names of the applications."""
    celery = any("celery" in statement.module.lower() for statement in facts.imports)
    celery = celery or any(original in bound or "celery" in local.lower() for s in facts.imports for original, local in s.names)
    for definition in facts.definitions if celery else ():
        for decorator in definition.decorators:
            if _TASK.search(decorator.callee):
                named = decorator.argument("name")
                yield (named.literal.rsplit(".", 1)[-1] if named is not None and named.literal else definition.name), definition.line


def _searches(call: Call, path: str) -> bool:
    """Whether Celery's search for tasks comes to a module: by default to `tasks` of every package named, or of every app."""
    related = call.argument("related_name", 1)
    if related is not None and related.literal != "tasks":
        return True
    parts = _dotted(path).split(".")
    packages = call.argument("packages", 0)
    if "tasks" not in parts:
        return False
    if (
        packages is None
        or packages.kind is not ValueKind.COLLECTION
        or any(item.kind is not ValueKind.STRING for _, item in packages.items)
    ):
        return True
    package = ".".join(parts[: parts.index("tasks")])
    return any(package == item.literal or package.endswith(f".{item.literal}") for _, item in packages.items)


def _scheduled(modules: PythonModules, names: set[str]) -> Iterator[Registrable]:
    folders = {part for facts in modules.files for part in facts.path.removesuffix(".py").split("/")}
    for facts in modules.files:
        for assignment in facts.assignments:
            value = assignment.value
            if (
                not re.search(r"beat_schedule$", assignment.target, re.IGNORECASE)
                or value is None
                or value.kind is not ValueKind.COLLECTION
            ):
                continue
            for _, entry in value.items:
                task = entry.item("task")
                if task is None or task.kind is not ValueKind.STRING or task.literal.split(".", 1)[0] not in folders:
                    continue
                name = task.literal.rsplit(".", 1)[-1]
                message = f"The schedule starts {task.literal}, and no task has that name: the job never runs."
                lost = name not in names and not modules.dynamic
                yield Registrable("unknown-scheduled-task", facts.path, assignment.line, lost, message, critical=lost)


# -- Django ------------------------------------------------------------------------------------------------------------------------------


def _receivers(modules: PythonModules) -> Iterator[Registrable]:
    for facts in modules.files:
        if not any(statement.module == "django.dispatch" for statement in facts.imports) or not modules.uses(facts.path, "django"):
            continue
        first = next((d for d in facts.definitions if any(c.callee.endswith("receiver") for c in d.decorators)), None)
        if first is not None:
            by_itself = facts.path.rsplit("/", 1)[-1] in {"models.py", "apps.py", "__init__.py", "admin.py", "urls.py", "tasks.py"}
            lost = not (by_itself or modules.dynamic or modules.is_loaded(facts.path))
            message = f"{first.name} waits for a signal in a module that nothing imports: it is never called."
            yield Registrable("unloaded-receiver", facts.path, first.line, lost, message, _CRITICAL.search(first.name) is not None)


def _apps(modules: PythonModules) -> Iterator[Registrable]:
    """Packages with models that no list of apps names."""
    listing = [f for f in modules.files if any(a.target.endswith("INSTALLED_APPS") for a in f.assignments)]
    if not listing or modules.dynamic:
        return
    for facts in modules.files:
        folder, _, name = facts.path.rpartition("/")
        model = next((d for d in facts.definitions if d.kind is DefinitionKind.CLASS and "models.Model" in d.bases), None)
        if name != "models.py" or not folder or model is None or not modules.uses(facts.path, "django") or _is_abstract_only(facts):
            continue
        lost = not _is_listed(folder.replace("/", "."), modules)
        message = f"The models of {folder} stand in an app that INSTALLED_APPS does not list: they get no tables, and loading them fails."
        yield Registrable("unlisted-app", facts.path, model.line, lost, message, critical=lost and modules.is_loaded(facts.path))


def _is_listed(app: str, modules: PythonModules) -> bool:
    """Whether a text of the settings is the name of an app, or of its configuration."""
    parts = app.split(".")
    tails = {".".join(parts[start:]) for start in range(len(parts))}
    settings = (f for f in modules.files if _CONFIGURES.search(f.path) or any(a.target.endswith("INSTALLED_APPS") for a in f.assignments))
    return any(lit.text.partition(".apps.")[0] in tails for facts in settings for lit in facts.literals)


def _is_abstract_only(facts: FileFacts) -> bool:
    """Whether all models of a file only lend their fields, or say themselves which app they belong to."""
    marked = {a.scope for a in facts.assignments if a.target in {"abstract", "app_label", "proxy", "managed"}}
    owners = {facts.definitions[scope].parent for scope in marked if scope >= 0}
    models = [i for i, d in enumerate(facts.definitions) if d.kind is DefinitionKind.CLASS and "models.Model" in d.bases]
    return all(index in owners for index in models)


# -- middleware --------------------------------------------------------------------------------------------------------------------------


def _middleware(modules: PythonModules) -> Iterator[Registrable]:
    for facts in modules.files:
        for index, definition in enumerate(facts.definitions):
            if definition.kind is not DefinitionKind.CLASS or not _is_middleware(facts, index, definition) or not modules.runs(facts.path):
                continue
            lost = definition.name not in modules.names and not modules.dynamic
            message = f"{definition.name} is middleware that no application is given: no request ever passes through it."
            yield Registrable(
                "unused-middleware", facts.path, definition.line, lost, message, _CRITICAL.search(definition.name) is not None
            )


def _is_middleware(facts: FileFacts, index: int, definition: Definition) -> bool:
    if {base.rsplit(".", 1)[-1] for base in definition.bases} & _MIDDLEWARE_BASES:
        return True
    methods = {d.name: [p.name for p in d.parameters] for d in facts.definitions if d.parent == index}
    return "__call__" in methods and "get_response" in methods.get("__init__", [])
