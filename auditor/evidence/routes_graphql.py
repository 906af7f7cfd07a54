"""GraphQL fields that answer queries and mutations: Strawberry, Graphene and Ariadne; resolver maps of Apollo and its relatives. Part of the evidence ROUTES.

Fields of other types are reached through these and are no entries of their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from auditor.evidence.route_names import Names
from auditor.evidence.route_table import Table, place_of
from auditor.languages.migrations import last
from auditor.model.evidence import Route, RouteKind
from auditor.model.syntax import Call, DefinitionKind, FileFacts, Value, ValueKind

_ROOTS = {"query": "GET", "mutation": "POST", "subscription": "GET"}
_MODULES = frozenset({"strawberry", "strawberry_django", "graphene", "graphene_django", "graphene_sqlalchemy", "ariadne"})
_ROOT_CLASS = re.compile(r"^(?:\w*?)(?P<kind>Query|Queries|Mutation|Mutations|Subscription)$")
_ROOT_KIND = {"Query": "GET", "Queries": "GET", "Mutation": "POST", "Mutations": "POST", "Subscription": "GET"}
_MAP = re.compile(r"resolver", re.IGNORECASE)


def python_fields(table: Table, files: Iterable[FileFacts]) -> None:
    """Fields of the root types of the three Python libraries."""
    for facts in files:
        modules = {statement.module.split(".", maxsplit=1)[0] for statement in facts.imports}
        if not modules & _MODULES:
            continue
        for index, definition in enumerate(facts.definitions):
            if definition.kind is DefinitionKind.CLASS:
                _class(table, facts, index)
            else:
                _bound(table, facts, index)


def _class(table: Table, facts: FileFacts, index: int) -> None:
    definition = facts.definitions[index]
    root = _ROOT_CLASS.match(definition.name)
    mutates = any(
        last(base) in {"Mutation", "ClientIDMutation", "SerializerMutation", "DjangoModelFormMutation"} for base in definition.bases
    )
    for number, inner in enumerate(facts.definitions):
        if inner.parent != index:
            continue
        decorators = {last(decorator.callee): decorator for decorator in inner.decorators}
        if mutates and inner.name in {"mutate", "mutate_and_get_payload"}:
            _add(table, facts, number, "POST", definition.name)
        elif root and inner.name.startswith("resolve_"):
            _add(table, facts, number, _ROOT_KIND[root["kind"]], inner.name.removeprefix("resolve_"))
        elif "mutation" in decorators:
            _add(table, facts, number, "POST", inner.name, decorators["mutation"])
        elif root and decorators.keys() & {"field", "subscription"}:
            _add(table, facts, number, _ROOT_KIND[root["kind"]], inner.name, decorators.get("field"))


def _bound(table: Table, facts: FileFacts, index: int) -> None:
    """Ariadne: `@query.field("orders")` on `query = QueryType()`."""
    for decorator in facts.definitions[index].decorators:
        base, _, verb = decorator.callee.rpartition(".")
        made = next((a.value.literal for a in facts.assignments if a.target == base and a.value is not None), "") if verb == "field" else ""
        kind = last(made).removesuffix("Type").lower()
        name = decorator.argument("name", 0)
        if kind in _ROOTS:
            _add(table, facts, index, _ROOTS[kind], name.literal if name is not None else facts.definitions[index].name)


def _add(  # noqa: PLR0917 - one field and what it says
    table: Table, facts: FileFacts, index: int, method: str, field: str, decorator: Call | None = None
) -> None:
    definition = facts.definitions[index]
    stated = decorator.argument("permission_classes") if decorator is not None else None
    others = (entry.callee for entry in definition.decorators if last(entry.callee) not in {"field", "mutation", "subscription"})
    before = tuple(dict.fromkeys((*(stated.names if stated is not None else ()), *others)))
    place = place_of(facts.path, definition.line)
    route = Route(RouteKind.HTTP, method, f"/graphql/{field}", definition.qualname, place, "graphql", index, None, before)
    table.add(None, route, definition.line)


# -- resolver maps -----------------------------------------------------------------------------------------------------------------


def resolver_maps(names: Names, table: Table, files: Iterable[FileFacts]) -> None:
    """`const resolvers = { Query: { users: ... }, Mutation: { ... } }`, also one root type a file."""
    for facts in files:
        for assignment in facts.assignments:
            value = assignment.value
            if assignment.scope != -1 or value is None or value.kind is not ValueKind.COLLECTION:
                continue
            roots = [(key, item) for key, item in value.items if key.lower() in _ROOTS and item.kind is ValueKind.COLLECTION]
            if roots and (_MAP.search(assignment.target) or _MAP.search(facts.path) or len(value.items) == len(roots)):
                for root, item in roots:
                    shape = Route(RouteKind.HTTP, _ROOTS[root.lower()], "", "", place_of(facts.path, assignment.line), "graphql")
                    _fields(names, table, facts, shape, item)


def _fields(names: Names, table: Table, facts: FileFacts, shape: Route, fields: Value) -> None:
    line = shape.place.line
    for key, value in fields.items:
        if not key or key == "...":
            continue
        home, index, before = _resolver(names, facts, line, key, value)
        place = place_of(home.path, home.definitions[index].line) if index >= 0 else shape.place
        own = replace(shape, path=f"/graphql/{key}", handler=key, place=place, handler_scope=index)
        table.add(None, replace(own, registered=shape.place, through=before), line)


def _resolver(names: Names, facts: FileFacts, line: int, key: str, value: Value) -> tuple[FileFacts, int, tuple[str, ...]]:
    """The function behind a field: written in place, named, or wrapped by what stands before it."""
    inside = [i for i, d in enumerate(facts.definitions) if d.name == key and d.line >= line and d.parent == -1]
    if value.kind in {ValueKind.FUNCTION, ValueKind.OTHER} and inside:
        return facts, inside[0], ()
    before: list[str] = []
    for name in _called(value):
        spot = names.spot(facts.path, name)
        index = names.definition(spot) if spot is not None else -1
        if spot is not None and index >= 0 and name == value.literal and value.kind is ValueKind.NAME:
            return names.facts[spot.path], index, tuple(before)
        before.append(name)
    written = [i for i, d in enumerate(facts.definitions) if d.name in {key, ""} and _within(facts, d.line, value, line)]
    return facts, (written[0] if len(written) == 1 else -1), tuple(before)


def _called(value: Value) -> Iterator[str]:
    yield from (value.literal,) if value.kind in {ValueKind.NAME, ValueKind.CALL} else ()


def _within(facts: FileFacts, line: int, value: Value, first: int) -> bool:
    """Whether a function stands inside the wrapping call of a field."""
    return any(call.callee == value.literal and call.line >= first and call.line <= line <= call.end_line for call in facts.calls)
