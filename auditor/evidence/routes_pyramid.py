"""Endpoints of Pyramid: named routes and the views that answer for them. Part of the evidence ROUTES."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from auditor.evidence.route_names import Names
from auditor.evidence.route_table import Table, place_of
from auditor.languages.migrations import last
from auditor.model.evidence import Route, RouteKind
from auditor.model.syntax import Call, DefinitionKind, FileFacts, Value, ValueKind


@dataclass(frozen=True, slots=True)
class Stated:
    """A view as a decorator or call states it, with the paths of all named routes."""

    facts: FileFacts
    call: Call
    patterns: dict[str, str]


def pyramid_routes(names: Names, table: Table, files: Iterable[FileFacts]) -> None:
    """Views of every route; `permission=` stands before a view."""
    mine = [facts for facts in files if any(statement.module.split(".", maxsplit=1)[0] == "pyramid" for statement in facts.imports)]
    patterns: dict[str, str] = {}
    for facts in mine:
        for call in facts.calls:
            if last(call.callee) == "add_route":
                name, pattern = names.text(facts.path, call.argument("name", 0)), names.text(facts.path, call.argument("pattern", 1))
                if name and pattern:
                    patterns[name] = pattern
    for facts in mine:
        for index, definition in enumerate(facts.definitions):
            for decorator in definition.decorators:
                if last(decorator.callee) == "view_config":
                    home = index
                    if definition.kind is DefinitionKind.CLASS and (attribute := decorator.argument("attr")) is not None:
                        home = next(
                            (n for n, d in enumerate(facts.definitions) if d.parent == index and d.name == attribute.literal), index
                        )
                    _view(names, table, Stated(facts, decorator, patterns), (facts, home))
        for call in facts.calls:
            if last(call.callee) == "add_view" and any(argument.name == "route_name" for argument in call.arguments):
                value = call.argument("view", 0)
                spot = names.spot(facts.path, value.literal) if value is not None and value.literal else None
                index = names.definition(spot) if spot is not None else -1
                handler = (names.facts[spot.path], index) if spot is not None and index >= 0 else None
                _view(names, table, Stated(facts, call, patterns), handler)


def _view(names: Names, table: Table, stated: Stated, handler: tuple[FileFacts, int] | None) -> None:
    facts, call, patterns = stated.facts, stated.call, stated.patterns
    route = names.text(facts.path, call.argument("route_name"))
    path = patterns.get(route or "", "")
    if not path:
        table.unresolved.append((f"{facts.path}:{call.line}", "the route of this view could not be found"))
        path = "/{}"
    registered = place_of(facts.path, call.line)
    home, index = handler if handler is not None else (facts, -1)
    definition = home.definitions[index] if index >= 0 else None
    place = place_of(home.path, definition.line) if definition is not None else registered
    name = definition.qualname if definition is not None else ""
    permission = call.argument("permission")
    before = (
        ()
        if permission is None or permission.literal in {"NO_PERMISSION_REQUIRED", "__no_permission_required__"}
        else ("permission_required",)
    )
    for method in _methods(call.argument("request_method")):
        table.add(None, Route(RouteKind.HTTP, method, path, name, place, "pyramid", index, registered, before), call.line)


def _methods(value: Value | None) -> Iterator[str]:
    if value is None:
        yield "ANY"
    elif value.kind is ValueKind.STRING:
        yield value.literal.upper()
    else:
        yield from (item.literal.upper() for _, item in value.items) if value.items else ("ANY",)
