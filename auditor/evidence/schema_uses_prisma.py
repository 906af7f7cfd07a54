"""Models and fields that code names to Prisma's client, looked up in the schema files. Part of the evidence SCHEMA_NAMES."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from auditor.evidence.schema_lookup import Model, looked_up
from auditor.evidence.tables_prisma import prisma_models
from auditor.languages.migrations import last
from auditor.model.schema_names import Lookup, SchemaUse
from auditor.model.syntax import Call, FileFacts, Value, ValueKind
from auditor.model.verdict import Place

_METHODS_WORDS = """
    findUnique findUniqueOrThrow findFirst findFirstOrThrow findMany create createMany createManyAndReturn update updateMany
    updateManyAndReturn upsert delete deleteMany count aggregate groupBy
    """
_METHODS = frozenset(_METHODS_WORDS.split())
_WRITES = frozenset(
    {"create", "createMany", "createManyAndReturn", "update", "updateMany", "updateManyAndReturn", "upsert", "delete", "deleteMany"}
)
_CLIENT = re.compile(r"(?:^|\.)_?prisma(?:Client|Service)?$")
_PLAIN = re.compile(r"^[A-Za-z]\w*$")
_JOINS = frozenset({"AND", "OR", "NOT"})
_VIEW = re.compile(r"^[ \t]*view[ \t]+\w+", re.MULTILINE)


def prisma_uses(files: Iterable[FileFacts], schemas: list[tuple[str, str]]) -> Iterator[SchemaUse]:
    """Every model and field that calls of the client name."""
    models: dict[str, Model] = {}
    for name, place, fields in prisma_models(schemas):
        key = f"{name[:1].lower()}{name[1:]}"
        models[key] = Model.joined(models.get(key), Model(name, place, frozenset(fields)))
    if not models:
        return
    views = any(_VIEW.search(text) for _, text in schemas)
    read = list(files)
    extended = any(last(call.callee) == "$extends" for facts in read for call in facts.calls)
    for facts in read:
        for call in facts.calls:
            yield from _call(facts, call, models, views=views, extended=extended)


def _call(facts: FileFacts, call: Call, models: dict[str, Model], *, views: bool, extended: bool) -> Iterator[SchemaUse]:
    head, _, method = call.callee.rpartition(".")
    client, _, name = head.rpartition(".")
    if method not in _METHODS or not client or name.startswith("$"):
        return
    writes = method in _WRITES
    place = Place(facts.path, call.line, call.line)
    model = models.get(name)
    if model is None:
        if _CLIENT.search(client) and _PLAIN.match(name) and not views:
            yield looked_up(place, name, "", models, "prisma", writes=writes)
        return
    yield SchemaUse(place, name, "", Lookup.DECLARED, "prisma", writes, model.place)
    options = call.argument("", 0)
    for key, value in options.items if options is not None and options.kind is ValueKind.COLLECTION else ():
        if not (extended and key in {"select", "include", "omit"}):
            for field in _fields(key, value):
                yield model.use(place, name, field, "prisma", writes=writes)


def _fields(option: str, value: Value) -> Iterator[str]:
    """The fields an option of a call names."""
    if option in {"distinct", "by"}:
        yield from (item.literal for _, item in value.items if item.kind is ValueKind.STRING)
    elif option in {"where", "data", "select", "include", "omit", "create", "update", "orderBy", "cursor"}:
        pending = [value]
        while pending:
            record = pending.pop()
            for key, item in record.items if record.kind is ValueKind.COLLECTION else ():
                if not key or key in _JOINS:
                    pending.append(item)
                elif _PLAIN.match(key):
                    yield key
