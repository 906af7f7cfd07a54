"""Tables that SQL makes: migrations, scripts that are run by hand, and statements in code. Part of the evidence STORES."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice

from auditor.languages import operations as ops
from auditor.languages import schema_state
from auditor.languages.migration_set import MigrationSet
from auditor.languages.operations import Operation
from auditor.languages.schema_state import end_state
from auditor.languages.sql import read_sql
from auditor.model.syntax import FileFacts, Value, ValueKind
from auditor.model.tables import Column, Table
from auditor.model.verdict import Place

_STRUCTURE = re.compile(
    r"\s*(?:--[^\n]*\n\s*){0,20}(?:create\s+(?:unlogged\s+)?table|alter\s+table|create\s+(?:unique\s+)?index)\b", re.IGNORECASE
)
_HOLE = re.compile(r"\{\}")
_PLAIN_TYPE = re.compile(
    r"^(?:big|small|tiny|medium)?int\w*$|^(?:big|small)?serial\d?$|char|text|^num|^dec|^float|^double|^real$|^bool|^bit|^date|^time|interval|json|uuid|byte|blob|^inet$|^cidr$|^xml$|"
    r"vector|money|\[\]$|^citext$|^enum|^set$|^point$|geo|^oid$|^$"
)
_MOST_TEXTS = 2_000


def migrated_tables(changes: MigrationSet, databases: frozenset[str]) -> tuple[Table, ...]:
    """The tables that migrations leave; numbered scripts of no tool only where no tool has made tables."""
    by_tool = tuple(name for name, entries in changes.series.items() if entries and entries[0].framework not in {"sql", "script"})
    schema = changes.schema(*by_tool) if by_tool else changes.schema()
    added = {
        (operation.table, column.name): migration.path
        for migration in changes.migrations
        for operation in migration.up.operations
        if operation.kind in {ops.ADD_COLUMN, ops.ALTER_COLUMN}
        for column in operation.columns
    }
    return tuple(_table(table, added, zones=databases <= {"postgresql", "configured"}) for table in schema.tables.values() if table.columns)


def scripted_tables(scripts: Iterable[tuple[str, str]], databases: frozenset[str]) -> tuple[Table, ...]:
    """The tables of SQL files (path, text) that somebody runs by hand."""
    schema = end_state((path, read_sql(text)) for path, text in scripts)
    return tuple(_table(table, {}, zones=databases <= {"postgresql"}) for table in schema.tables.values() if table.columns)


def stated_tables(files: Iterable[FileFacts], dialect: str) -> tuple[Table, ...]:
    """The tables that statements in code make, in the order of the files."""
    read = ((facts.path, operations) for facts in files for _, _, operations in stated_texts(facts, dialect))
    steps = list(islice(read, _MOST_TEXTS))
    schema = end_state(steps)
    added = {(o.table, c.name): path for path, operations in steps for o in operations if o.kind == ops.ADD_COLUMN for c in o.columns}
    return tuple(_table(table, added, zones=False) for table in schema.tables.values() if table.columns and table.complete)


def stated_texts(facts: FileFacts, dialect: str = "") -> Iterator[tuple[Value, int, tuple[Operation, ...]]]:
    """Every statement of one file that makes or changes tables: the text, its line, and what it does, with lines of the file."""
    for value, line in _texts(facts):
        if _STRUCTURE.match(value.literal):
            moved = (
                replace(o, line=o.line + line - 1, columns=tuple(replace(c, line=line) for c in o.columns))
                for o in read_sql(_HOLE.sub("x", value.literal), dialect)
            )
            yield value, line, tuple(moved)


def made_by(found: schema_state.Table, *, whole: bool) -> Table:
    """A table as its makers leave it, under its plain name."""
    return replace(_table(found, {}, zones=False), whole=whole)


def _texts(facts: FileFacts) -> Iterator[tuple[Value, int]]:
    """Every text that a call is given or a name is bound to, with its line."""
    pending: list[tuple[Value, int]] = [(argument.value, call.line) for call in facts.calls for argument in call.arguments]
    pending += [(entry.value, entry.line) for entry in facts.assignments if entry.value is not None and entry.scope == -1]
    for value, line in pending:
        if value.kind in {ValueKind.STRING, ValueKind.TEMPLATE}:
            yield value, line
        elif value.kind is ValueKind.COLLECTION:
            yield from ((item, line) for _, item in value.items if item.kind in {ValueKind.STRING, ValueKind.TEMPLATE})


def _table(found: schema_state.Table, added: dict[tuple[str, str], str], *, zones: bool) -> Table:
    checked = {name for entry in found.constraints if entry.kind == ops.CHECK for name in entry.columns}
    columns = tuple(
        Column(
            name=column.name,
            line=column.line or found.line,
            type=column.type,
            null=not column.not_null and not column.primary,
            primary=column.primary,
            unique=column.unique,
            references=column.references,
            cascades=column.cascades,
            limited=column.checked or column.name in checked or column.type.startswith("bool") or _PLAIN_TYPE.search(column.type) is None,
            zoned=_zoned(column.type) if zones else None,
            default=column.default or column.generated,
            path=path if (path := added.get((found.name, column.name), "")) != found.path else "",
        )
        for column in found.columns.values()
    )
    uniques = [entry.columns for entry in found.constraints if entry.kind in {ops.PRIMARY, ops.UNIQUE} and entry.columns]
    uniques += [index.columns for index in found.indexes.values() if index.unique]
    indexes = tuple(index.columns for index in found.indexes.values() if not index.unique)
    place = Place(found.path, found.line, found.line)
    return Table(found.name.rsplit(".", 1)[-1], found.name, place, "sql", columns, tuple(uniques), indexes, found.complete)


def _zoned(kind: str) -> bool | None:
    return True if kind in {"timestamptz", "timetz"} else False if kind == "timestamp" else None


def completed(models: Iterable[Table], made: Iterable[Table]) -> Iterator[Table]:
    """The tables of models with the rules that only a migration gave them."""
    by_name = {table.table.lower(): table for table in made}
    for model in models:
        other = by_name.get(model.table.lower()) or by_name.get(f"{model.table.lower()}s")
        if other is None or not model.table:
            yield model
            continue
        columns = tuple(_joined(column, other.column(column.name)) for column in model.columns)
        yield replace(model, columns=columns, uniques=(*model.uniques, *other.uniques), indexes=(*model.indexes, *other.indexes))


def _joined(column: Column, other: Column | None) -> Column:
    if other is None:
        return column
    return replace(
        column,
        null=column.null and other.null,
        unique=column.unique or other.unique,
        references=column.references or other.references,
        cascades=column.cascades or other.cascades,
        limited=column.limited or other.limited,
    )
