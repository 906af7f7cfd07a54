"""Endpoints of Django and Django REST framework: URL configurations, nested includes, class-based views and view sets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from auditor.evidence.route_names import Names, Spot
from auditor.evidence.route_table import Mount, Table, joined, place_of
from auditor.languages.migrations import last, texts_of
from auditor.model.evidence import Route, RouteKind
from auditor.model.syntax import Call, DefinitionKind, FileFacts, Value, ValueKind

_ENTRIES = frozenset({"path", "re_path", "url"})
_METHODS = ("get", "post", "put", "patch", "delete", "head", "options")
_GENERIC = (
    (re.compile(r"RetrieveUpdateDestroyAPIView$"), ("GET", "PUT", "PATCH", "DELETE")),
    (re.compile(r"RetrieveUpdateAPIView$"), ("GET", "PUT", "PATCH")),
    (re.compile(r"RetrieveDestroyAPIView$"), ("GET", "DELETE")),
    (re.compile(r"ListCreateAPIView$"), ("GET", "POST")),
    (re.compile(r"CreateAPIView$"), ("POST",)),
    (re.compile(r"UpdateAPIView$"), ("PUT", "PATCH")),
    (re.compile(r"DestroyAPIView$"), ("DELETE",)),
    (re.compile(r"(?:List|Detail|Template|Redirect|Archive|Year|Month|Day|Retrieve)(?:API)?View$"), ("GET",)),
    (re.compile(r"DeleteView$"), ("GET", "POST", "DELETE")),
    (re.compile(r"(?:Create|Update|Form|Login|Password\w*)View$"), ("GET", "POST")),
)
"""What the generic views of Django and REST framework answer to."""
_SET_ACTIONS = (
    ("list", "GET", ""), ("create", "POST", ""), ("retrieve", "GET", "{pk}"), ("update", "PUT", "{pk}"), ("partial_update", "PATCH", "{pk}"), ("destroy", "DELETE", "{pk}"),
)  # fmt: skip
_DEPTH = 8


@dataclass(frozen=True, slots=True)
class Where:
    """Where a view set is registered, and what runs before its actions."""

    path: str
    line: int
    through: tuple[str, ...]


class DjangoRoutes:
    """Collects the endpoints of all URL configurations into a table."""

    def __init__(self, names: Names, table: Table, files: Iterable[FileFacts]) -> None:
        self._names = names
        self._table = table
        self._files = {facts.path: facts for facts in files}
        self._lists: dict[Spot, list[Call]] = {}
        self._included: set[Spot] = set()

    def run(self) -> None:
        """Read every list of URL entries, then walk from those nothing includes.

        A list that is wrapped in itself (`urlpatterns = [path("", include((urlpatterns, "app")))]`) stays what it was.
        """
        for facts in self._files.values():
            if any(s.module.startswith(("django.urls", "django.conf.urls", "rest_framework", "django.contrib")) for s in facts.imports):
                self._read_lists(facts)
        for spot in sorted(self._lists, key=lambda item: (item.path, item.name)):
            self._lists[spot] = [call for call in self._lists[spot] if self._include_target(spot.path, call) != spot]
            for call in self._lists[spot]:
                self._note_include(spot.path, call)
        for spot in sorted(self._lists, key=lambda item: (item.path, item.name)):
            if spot not in self._included and spot.name == "urlpatterns":
                self._walk(spot, "", _DEPTH)
                for added in self._added(spot.path):
                    self._walk(added, "", _DEPTH)

    def _read_lists(self, facts: FileFacts) -> None:
        """Each entry belongs to the list whose assignment begins last before it."""
        lists = sorted((a.line, a.target) for a in facts.assignments if a.scope == -1 and self._holds_entries(a.value))
        lists += sorted(
            (a.line, a.target) for a in facts.assignments if a.scope == -1 and a.target == "urlpatterns" and (a.line, a.target) not in lists
        )
        lists.sort()
        for call in facts.calls:
            if last(call.callee) not in _ENTRIES or not call.arguments:
                continue
            name = next((target for line, target in reversed(lists) if line <= call.line), "urlpatterns")
            if lists:
                self._lists.setdefault(Spot(facts.path, name), []).append(call)

    def _added(self, path: str) -> Iterator[Spot]:
        """Lists of entries that are appended to the URL patterns by name: `urlpatterns += extra`."""
        for assignment in self._files[path].assignments:
            if assignment.target == "urlpatterns" and assignment.value is not None and assignment.value.kind is ValueKind.OPERATION:
                spots = (self._names.spot(path, name) for name in assignment.value.names if name != "urlpatterns")
                yield from (spot for spot in spots if spot is not None and spot in self._lists and spot not in self._included)

    @staticmethod
    def _holds_entries(value: Value | None) -> bool:
        return value is not None and any(last(name) in _ENTRIES for name in value.names)

    def _note_include(self, path: str, call: Call) -> None:
        target = self._include_target(path, call)
        if target is not None:
            self._included.add(target)

    def _include_target(self, path: str, call: Call) -> Spot | None:
        """The list an `include(...)` entry leads to."""
        value = call.argument("view", 1)
        if value is None or value.kind is not ValueKind.CALL or last(value.literal) != "include":
            return None
        inner = value.items[0][1] if value.items else None
        if inner is None:
            inner = next(
                (
                    c.arguments[0].value
                    for c in self._files[path].calls
                    if last(c.callee) == "include" and call.line <= c.line <= call.end_line and c.arguments
                ),
                None,
            )
        if inner is None:
            return None
        if inner.kind is ValueKind.COLLECTION:  # include(("app.urls", "app")) or include([path(...)])
            inner = inner.items[0][1] if inner.items else inner
        if inner.kind is ValueKind.STRING:
            module = self._names.resolved_module(path, inner.literal)
            return Spot(module, "urlpatterns") if module else None
        if inner.kind is ValueKind.NAME:
            spot = self._names.spot(path, inner.literal)
            if spot is not None and not spot.name:
                return Spot(spot.path, "urlpatterns")
            return spot
        return None

    # -- walking -----------------------------------------------------------------------------------------------------------------------

    def _walk(self, spot: Spot, prefix: str, depth: int) -> None:
        if not depth:
            return
        facts = self._files.get(spot.path)
        if facts is None:
            return
        for call in self._lists.get(spot, ()):
            self._entry(facts, call, prefix, depth)
        if spot.name == "urlpatterns":
            included = {target.name for call in self._lists.get(spot, ()) if (target := self._include_target(facts.path, call)) is not None}
            mounted = {name for name in self._mounted_routers(facts) if f"{name}.urls" not in included}
            self._view_sets(facts, prefix, mounted)

    def _entry(self, facts: FileFacts, call: Call, prefix: str, depth: int) -> None:
        text = self._names.text(facts.path, call.argument("route", 0) or call.argument("regex", 0))
        if text is None:
            self._table.unresolved.append((f"{facts.path}:{call.line}", "the path of this URL entry is computed"))
            text = "{}"
        outer = self._outer_prefix(facts, call)
        full = joined(joined(prefix or "/", outer), text.removeprefix("^").removesuffix("$"))
        target = self._include_target(facts.path, call)
        if target is not None:
            if target in self._lists:
                self._walk(target, full, depth - 1)
            else:
                self._view_sets(self._files.get(target.path, facts), full, {target.name.removesuffix(".urls")})
            return
        value = call.argument("view", 1)
        listed = {name.removesuffix(".urls") for name in value.names if name.endswith(".urls")} if value is not None else set()
        if value is not None and listed and re.match(r"include\(\s*[\[(]", value.text):  # include([..., *router.urls])
            self._view_sets(facts, full, listed)
        if value is not None and re.match(r"include\((?!\s*[\[(])", value.text):
            here = Spot(facts.path, "urlpatterns")
            self._table.opaque.append(Mount(here, here, full, call.line))
        if (
            value is not None
            and not (value.kind is ValueKind.CALL and last(value.literal) == "include")
            and not value.text.startswith("include")
        ):
            self._view(facts, call, full, value)

    def _outer_prefix(self, facts: FileFacts, call: Call) -> str:
        """The prefix of an entry written inside `path("x/", include([...]))`, however deep; calls come outermost first."""
        prefix = ""
        for outer in facts.calls:
            if outer is call:
                break
            if last(outer.callee) not in _ENTRIES or not (outer.line <= call.line and call.end_line <= outer.end_line):
                continue
            view = outer.argument("view", 1)
            if view is None or view.literal != "include":
                continue
            if outer.line < call.line or (call.arguments and f"({call.arguments[0].value.text}" in view.text):
                text = self._names.text(facts.path, outer.argument("route", 0)) or ""
                prefix = joined(prefix, text.removeprefix("^")) if prefix else text.removeprefix("^")
        return prefix

    def _view(self, facts: FileFacts, call: Call, path: str, value: Value) -> None:
        name, wrappers = _view_name(value)
        spot = self._names.spot(facts.path, name) if name else None
        index = self._names.definition(spot) if spot is not None else -1
        if spot is None or index < 0:
            place = place_of(facts.path, call.line)
            if not name.startswith(("admin", "static")) or name == "admin.site.urls":
                self._table.add(None, Route(RouteKind.HTTP, "ANY", path, name, place, "django", -1, None, wrappers), call.line)
            return
        home = self._names.facts[spot.path]
        registered = place_of(facts.path, call.line)
        for method, number, through in self._handlers(home, index, value):
            place = place_of(home.path, home.definitions[number].line)
            qualname = home.definitions[number].qualname
            self._table.add(
                None, Route(RouteKind.HTTP, method, path, qualname, place, "django", number, registered, (*wrappers, *through)), call.line
            )

    def _handlers(self, home: FileFacts, index: int, value: Value) -> Iterator[tuple[str, int, tuple[str, ...]]]:
        """Method, definition and what runs before, for a view function or class."""
        definition = home.definitions[index]
        through = self._through(home, index)
        if definition.kind is not DefinitionKind.CLASS:
            for method in self._allowed(home, index):
                yield method, index, through
            return
        through = (*through, *definition.bases)
        mapped = [(key.upper(), item.literal) for _, argument in value.items for key, item in argument.items if key in _METHODS]
        own = {d.name: n for n, d in enumerate(home.definitions) if d.parent == index}
        if mapped:
            yield from ((method, own.get(name, index), through) for method, name in mapped)
            return
        found = [(name.upper(), own[name]) for name in _METHODS if name in own]
        if found:
            yield from ((method, number, (*through, *self._through(home, number))) for method, number in found)
            return
        methods = next((m for base in definition.bases for pattern, m in _GENERIC if pattern.search(last(base))), ("ANY",))
        yield from ((method, index, through) for method in methods)

    def _through(self, home: FileFacts, index: int) -> tuple[str, ...]:
        definition = home.definitions[index]
        names = [decorator.callee for decorator in definition.decorators]
        for decorator in definition.decorators:
            if last(decorator.callee) in {
                "method_decorator",
                "permission_classes",
                "authentication_classes",
                "user_passes_test",
                "permission_required",
            }:
                names.extend(name for argument in decorator.arguments for name in argument.value.names)
        for assignment in home.assignments:
            if (
                assignment.scope == index
                and assignment.target in {"permission_classes", "authentication_classes", "throttle_classes"}
                and assignment.value is not None
            ):
                names.extend(assignment.value.names)
                if assignment.target == "permission_classes" and not assignment.value.names and not assignment.value.items:
                    names.append("AllowAny")  # an empty list lifts the default permissions
        return tuple(dict.fromkeys(names))

    @staticmethod
    def _limits(home: FileFacts, index: int) -> frozenset[str]:
        """The permission classes a class names."""
        stated = (a.value for a in home.assignments if a.scope == index and a.target == "permission_classes" and a.value is not None)
        return frozenset(name for value in stated for name in value.names)

    def _allowed(self, home: FileFacts, index: int) -> tuple[str, ...]:
        """Methods a view function is limited to by its decorators."""
        for decorator in home.definitions[index].decorators:
            match last(decorator.callee):
                case "require_POST":
                    return ("POST",)
                case "require_GET" | "require_safe":
                    return ("GET",)
                case "require_http_methods" | "api_view":
                    texts = tuple(text.upper() for argument in decorator.arguments for text in texts_of(argument.value))
                    return texts or ("GET",)
                case _:
                    pass
        return ("ANY",)

    # -- REST framework ----------------------------------------------------------------------------------------------------------------

    def _mounted_routers(self, facts: FileFacts) -> set[str]:
        """Routers whose `urls` are added to or assigned as the URL patterns themselves."""
        return {
            name.removesuffix(".urls")
            for assignment in facts.assignments
            if assignment.target == "urlpatterns" and assignment.value is not None
            for name in assignment.value.names
            if name.endswith(".urls") and name != "admin.site.urls" and assignment.value.kind is not ValueKind.COLLECTION
        }

    def _view_sets(self, facts: FileFacts, prefix: str, routers: set[str]) -> None:
        for call in facts.calls:
            base, _, verb = call.callee.rpartition(".")
            if verb != "register" or base not in routers or len(call.arguments) < 2:
                continue
            text = self._names.text(facts.path, call.argument("prefix", 0)) or ""
            value = call.argument("viewset", 1)
            spot = self._names.spot(facts.path, value.literal) if value is not None else None
            index = self._names.definition(spot) if spot is not None else -1
            if spot is None or index < 0:
                self._table.unresolved.append((f"{facts.path}:{call.line}", "the view set of this route could not be found"))
                continue
            self._view_set(self._names.facts[spot.path], index, joined(prefix or "/", text), facts.path, call.line)

    def _view_set(self, home: FileFacts, index: int, prefix: str, registered: str, line: int) -> None:
        definition = home.definitions[index]
        through = (*self._through(home, index), *definition.bases)
        own = {d.name: n for n, d in enumerate(home.definitions) if d.parent == index}
        bases = " ".join(definition.bases)
        for name, method, suffix in _SET_ACTIONS:
            if name in own or _offers(bases, name):
                number = own.get(name, index)
                self._add(home, number, method, joined(prefix, suffix), Where(registered, line, through))
        for number in own.values():
            for decorator in home.definitions[number].decorators:
                if last(decorator.callee) == "action":
                    self._action(home, number, decorator, prefix, Where(registered, line, through))

    def _action(self, home: FileFacts, number: int, decorator: Call, prefix: str, where: Where) -> None:
        """An extra action of a view set."""
        methods = tuple(text.upper() for text in texts_of(decorator.argument("methods"))) or ("GET",)
        detail, url, limits = decorator.argument("detail", 0), decorator.argument("url_path"), decorator.argument("permission_classes")
        tail = url.literal if url is not None and url.kind is ValueKind.STRING else home.definitions[number].name
        middle = joined(prefix, "{pk}") if detail is not None and detail.text == "True" else prefix
        through = where.through
        if limits is not None:  # they take the place of those of the class
            own = self._limits(home, home.definitions[number].parent)
            through = (*(name for name in through if name not in own), *(limits.names or ("AllowAny",)))
        for method in methods:
            self._add(home, number, method, joined(middle, tail), replace(where, through=through))

    def _add(self, home: FileFacts, number: int, method: str, path: str, where: Where) -> None:
        definition = home.definitions[number]
        place = place_of(home.path, definition.line)
        registered = place_of(where.path, where.line)
        self._table.add(
            None, Route(RouteKind.HTTP, method, path, definition.qualname, place, "drf", number, registered, where.through), where.line
        )


def _offers(bases: str, action: str) -> bool:
    if "ReadOnlyModelViewSet" in bases:
        return action in {"list", "retrieve"}
    if "ModelViewSet" in bases:
        return True
    mixins = {
        "list": "ListModelMixin",
        "create": "CreateModelMixin",
        "retrieve": "RetrieveModelMixin",
        "update": "UpdateModelMixin",
        "partial_update": "UpdateModelMixin",
        "destroy": "DestroyModelMixin",
    }
    return mixins[action] in bases


def _view_name(value: Value) -> tuple[str, tuple[str, ...]]:
    """The dotted name of a view and the functions wrapped around it."""
    wrappers: list[str] = []
    for _ in range(4):
        if value.kind is ValueKind.NAME:
            return value.literal, tuple(wrappers)
        if value.kind is not ValueKind.CALL:
            return "", tuple(wrappers)
        if last(value.literal) == "as_view":
            return value.literal.removesuffix(".as_view"), tuple(wrappers)
        wrappers.append(value.literal.removesuffix("()"))
        inner = next((item for _, item in value.items if item.kind in {ValueKind.NAME, ValueKind.CALL}), None)
        if inner is None:
            return value.literal, tuple(wrappers)
        value = inner
    return "", tuple(wrappers)
