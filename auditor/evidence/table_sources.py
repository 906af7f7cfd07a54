"""What SQL makes of tables and views, wherever it stands: migrations, scripts that are run by hand, statements in code. Part of the evidence STORES.

Other than the data model, which describes each table once, this keeps every source beside the others, so that a name can be looked up in all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.evidence.table_order import early
from auditor.evidence.tables_sql import made_by, stated_texts
from auditor.languages import operations as ops
from auditor.languages.migration_set import MigrationSet
from auditor.languages.operations import Operation
from auditor.languages.schema_state import Schema, end_state
from auditor.languages.sql import read_sql
from auditor.model.schema_names import TableSources
from auditor.model.syntax import FileFacts, ValueKind
from auditor.model.tables import Table
from auditor.model.verdict import Place

_WORD = re.compile(r"\w+")
_WORDS_LIMIT = 1_000_000
_CREATES = re.compile(r"\s*create\s+table\s+(?:if\s+not\s+exists\s+)?[\"`\[]?(\w+)", re.IGNORECASE)
_BUILDER = re.compile(r"(?:^|\.)schema(?:\.\w+\(\))*\.(?:createTable|createTableIfNotExists|alterTable|table)$")
_DIALECTS = ("", "sqlite", "mysql", "tsql", "oracle", "clickhouse", "duckdb", "snowflake", "bigquery", "redshift", "spark")

_Steps = list[tuple[str, tuple[Operation, ...]]]


def table_sources(
    changes: MigrationSet, scripts: list[tuple[str, str]], production: tuple[FileFacts, ...], texts: dict[str, str]
) -> TableSources:
    """Tables and views of all sources; `scripts` are SQL files outside of migrations, as (path, text), each a source of its own: nobody knows their order."""
    stated = [entry for facts in production for entry in _stated(facts)]
    sources: list[_Steps] = [[(m.path, m.up.operations) for m in entries] for entries in changes.series.values()]
    sources += [[(path, read_sql(text))] for path, text in scripts]
    paths = {path for steps in sources for path, _ in steps}
    elsewhere = frozenset(_plain(o.table) for steps in sources for _, each in steps for o in each if o.kind == ops.CREATE_TABLE)
    sources.append([(entry.path, entry.operations) for entry in stated])
    every = [(path, operation) for steps in sources for path, operations in steps for operation in operations]
    hidden = {Place(path, o.line, o.line) for path, o in every if o.kind == ops.UNREAD or (o.kind == ops.CODE and o.name)}
    partly = {o.table for entry in stated if entry.holes for o in entry.operations} | set(_built(production))
    return TableSources(
        tables=tuple(table for steps in sources for table in _tables(end_state(steps))),
        views=frozenset(_plain(o.table or o.name) for _, o in every if o.kind == ops.CREATE_VIEW),
        unread=tuple(sorted(hidden, key=lambda place: (place.path, place.line))),
        broken=tuple((entry.broken, Place(entry.path, entry.line, entry.line)) for entry in stated if entry.broken),
        early=tuple((e.table, e.asked, e.made) for e in early(production, elsewhere)),
        partly=frozenset(_plain(name) for name in partly if name),
        words=frozenset(word.lower() for path in sorted(paths) for word in _WORD.findall(texts.get(path, "")[:_WORDS_LIMIT])),
    )


def _tables(schema: Schema) -> Iterator[Table]:
    """The tables of one source; one that is only changed there is known in part."""
    return (made_by(table, whole=table.complete and table.made) for table in schema.tables.values())


def _plain(name: str) -> str:
    return name.rsplit(".", 1)[-1].lower()


def _built(production: tuple[FileFacts, ...]) -> Iterator[str]:
    """Tables that code makes through a builder: their columns are not read there."""
    for facts in production:
        for call in facts.calls:
            first = call.argument("", 0)
            if _BUILDER.search(call.callee) and first is not None and first.kind is ValueKind.STRING:
                yield first.literal


@dataclass(frozen=True, slots=True)
class _Stated:
    """A statement in code; `broken`: the table of one that makes it, stands there whole, and that no dialect reads; `holes`: something is put into it."""

    path: str
    line: int
    operations: tuple[Operation, ...]
    broken: str
    holes: bool


def _stated(facts: FileFacts) -> Iterator[_Stated]:
    for value, line, operations in stated_texts(facts):
        creates = _CREATES.match(value.literal)
        whole = creates is not None and value.kind is ValueKind.STRING and any(o.kind == ops.UNREAD for o in operations)
        broken = creates[1] if creates and whole and not any(_reads(value.literal, dialect) for dialect in _DIALECTS) else ""
        yield _Stated(facts.path, line, operations, broken, "{}" in value.literal)


def _reads(text: str, dialect: str) -> bool:
    return not any(operation.kind == ops.UNREAD for operation in read_sql(text, dialect))
