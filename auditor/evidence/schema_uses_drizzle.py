"""Columns of Drizzle's tables that queries name as attributes, and keys of new rows, looked up in the tables. Part of the evidence SCHEMA_NAMES."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from auditor.evidence.chains import Chain, chains
from auditor.evidence.route_names import Names
from auditor.evidence.schema_lookup import Model
from auditor.languages.migrations import last
from auditor.model.schema_names import SchemaUse
from auditor.model.syntax import Call, FileFacts, Value, ValueKind
from auditor.model.tables import Table
from auditor.model.verdict import Place

_OPERATORS_WORDS = """
    eq ne gt gte lt lte and or not isNull isNotNull inArray notInArray between notBetween like ilike notLike notIlike asc desc count
    countDistinct sum avg min max exists arrayContains where orderBy groupBy having leftJoin innerJoin rightJoin fullJoin select
    selectDistinct returning
    """
_OPERATORS = frozenset(_OPERATORS_WORDS.split())
_BROUGHT = frozenset({"$inferSelect", "$inferInsert", "_", "enableRLS", "getSQL", "shouldOmitSQLParens"})
_PLAIN = re.compile(r"^[A-Za-z_$][\w$]*$")


def drizzle_uses(files: Iterable[FileFacts], tables: Iterable[Table], names: Names) -> Iterator[SchemaUse]:
    """Every `users.email` in a query, and every key of `insert(users).values({...})` and `update(users).set({...})`."""
    known = {
        (table.place.path, table.name): Model(table.name, table.place, frozenset(c.attribute or c.name for c in table.columns) | _BROUGHT, table.whole and bool(table.columns))
        for table in tables
        if table.mapper == "drizzle"
    }  # fmt: skip
    words = {name for _, name in known}
    for facts in files if known else ():
        if not any(statement.module.startswith("drizzle-orm") for statement in facts.imports) and not words & {
            local for statement in facts.imports for _, local in statement.names
        }:
            continue
        reader = _Reader(facts, known, names)
        for chain in chains(facts):
            yield from reader.chain(chain)


class _Reader:
    """Uses of tables in one file."""

    def __init__(self, facts: FileFacts, known: dict[tuple[str, str], Model], names: Names) -> None:
        self._facts = facts
        self._known = known
        self._names = names
        self._shadowed = frozenset(a.target for a in facts.assignments if a.scope >= 0) | frozenset(
            p.name for d in facts.definitions for p in d.parameters
        )

    def chain(self, chain: Chain) -> Iterator[SchemaUse]:
        changed = self._model(chain.given("insert", "update")) if len(chain.calls) > 1 else None
        for call in chain.calls:
            step = last(call.callee)
            if step in _OPERATORS:
                for dotted in dict.fromkeys(name for argument in call.arguments for name in argument.value.names):
                    yield from self._attribute(dotted, call)
            if changed is not None and step in {"values", "set"} and call.arguments:
                for key in _keys(call.arguments[0].value):
                    yield changed.use(self._place(call), changed.name, key, "drizzle", writes=True)

    def _model(self, value: Value | None) -> Model | None:
        return self._table(value.literal) if value is not None and value.kind is ValueKind.NAME else None

    def _table(self, dotted: str) -> Model | None:
        if dotted.partition(".")[0] in self._shadowed:
            return None
        spot = self._names.spot(self._facts.path, dotted)
        return self._known.get((spot.path, spot.name)) if spot is not None else None

    def _attribute(self, dotted: str, call: Call) -> Iterator[SchemaUse]:
        owner, _, attribute = dotted.rpartition(".")
        model = self._table(owner) if owner and _PLAIN.match(attribute) else None
        if model is not None:
            yield model.use(self._place(call), model.name, attribute, "drizzle")

    def _place(self, call: Call) -> Place:
        return Place(self._facts.path, call.line, call.line)


def _keys(value: Value) -> Iterator[str]:
    records = [value] if any(key for key, _ in value.items) else [item for _, item in value.items if item.kind is ValueKind.COLLECTION]
    for record in records if value.kind is ValueKind.COLLECTION else ():
        yield from (key for key, _ in record.items if _PLAIN.match(key))
