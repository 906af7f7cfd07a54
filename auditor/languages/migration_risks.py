"""What each operation of a migration does to a system that is running while it is applied: whether it is dangerous here, and why or why not.

The kinds are those of the table in `auditor/migration_kinds.toml`. Judged is the way up alone, against the schema the earlier migrations left. Locks are spoken of only where the database is
PostgreSQL, or not known to be another.

Sources: PostgreSQL's documentation of ALTER TABLE, CREATE INDEX and explicit locking; MySQL's of online DDL; tried on PostgreSQL 15.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from auditor.languages import operations as ops
from auditor.languages import risk_indexes, risk_policies, risk_tables
from auditor.languages.migration_expressions import HOLE
from auditor.languages.migrations import Migration
from auditor.languages.operations import Operation
from auditor.languages.risk_context import Here, Risk, safe
from auditor.languages.schema_state import Schema

_NOT_COLUMNS = frozenset(
    {
        ops.CREATE_INDEX,
        ops.DROP_INDEX,
        ops.ADD_CONSTRAINT,
        ops.DROP_CONSTRAINT,
        ops.VALIDATE,
        ops.CREATE_POLICY,
        ops.ALTER_POLICY,
        ops.DROP_POLICY,
        ops.RENAME_VALUE,
    }
)
_NAMELESS = frozenset({ops.RENAME_TABLE, ops.SET_SCHEMA, ops.DROP_TABLE, ops.DROP_VIEW, ops.UNREAD, ops.CODE})


def target_of(operation: Operation) -> str:
    """The one column an operation is about, "" where it is about none or several."""
    if operation.kind in _NAMELESS:
        return ""
    if operation.kind not in _NOT_COLUMNS:
        return operation.before or operation.name
    named = operation.keys or tuple(name for constraint in operation.constraints for name in constraint.columns)
    return named[0] if len(named) == 1 else ""


def shown(name: str) -> str:
    """A name for people: "" where it is put together while the migration runs."""
    return "" if HOLE in name else name


def risks_of(migration: Migration, schema: Schema, end: Schema, *, first: bool = False) -> tuple[Risk, ...]:
    """Judge the way up of a migration; `schema` is brought up to date on the way.

    `end` is the schema after all migrations: what is undone later is not held against an earlier file. `first`: nothing was there before this file, as
    the others of its series show.
    """
    if migration.replaces:
        return _squashed(migration, schema)
    here = Here(migration, schema, end, first, migration.up.operations, inside=migration.transaction)
    found: list[Risk] = []
    for position, operation in enumerate(here.operations):
        here.position = position
        judge = _JUDGES.get(operation.kind)
        before = len(found)
        if judge is not None:
            found.extend(judge(here, operation))
        if len(found) == before:
            found.append(Risk(operation, "", unsafe=False, why=_HARMLESS.get(operation.kind, "")))
        here.follow(operation)
    return tuple(found)


def _squashed(migration: Migration, schema: Schema) -> tuple[Risk, ...]:
    """A migration that stands for others runs on empty databases alone: those in use have had the others."""
    for operation in migration.up.operations:
        schema.apply(operation, migration.path)
    return tuple(
        safe(operation, "", "runs on empty databases alone: those in use have had the migrations it replaces")
        for operation in migration.up.operations
    )


_HARMLESS = {
    ops.CREATE_TABLE: "a new table is in nobody's way",
    ops.DROP_NOT_NULL: "only the catalogue changes",
    ops.SET_DEFAULT: "only the catalogue changes; rows that are there keep their values",
    ops.DROP_DEFAULT: "only the catalogue changes; code that relies on the default has to be gone",
    ops.VALIDATE: "reads the table while others go on reading and writing",
    ops.DROP_CONSTRAINT: "only the catalogue changes",
    ops.INSERT: "adds rows",
    ops.UNREAD: "could not be read",
    ops.CODE: "code that stands elsewhere or does not show what it changes",
}


_JUDGES: dict[str, Callable[[Here, Operation], Iterator[Risk]]] = {
    ops.ADD_COLUMN: risk_tables.add_column,
    ops.DROP_COLUMN: risk_tables.drop_column,
    ops.RENAME_COLUMN: risk_tables.rename_column,
    ops.CHANGE_TYPE: risk_tables.change_type,
    ops.ALTER_COLUMN: risk_tables.alter_column,
    ops.SET_NOT_NULL: risk_tables.set_not_null,
    ops.DROP_TABLE: risk_tables.drop_table,
    ops.RENAME_TABLE: risk_tables.rename_table,
    ops.SET_SCHEMA: risk_tables.rename_table,
    ops.TRUNCATE: risk_tables.emptied,
    ops.DELETE: risk_tables.emptied,
    ops.UPDATE: risk_tables.update,
    ops.CREATE_INDEX: risk_indexes.create_index,
    ops.DROP_INDEX: risk_indexes.drop_index,
    ops.ALTER_OTHER: risk_indexes.other,
    ops.ADD_CONSTRAINT: risk_indexes.add_constraint,
    ops.LOCK: risk_indexes.lock,
    ops.RENAME_VALUE: risk_indexes.rename_value,
    ops.DISABLE_RLS: risk_policies.disable_rls,
    ops.CREATE_POLICY: risk_policies.create_policy,
    ops.ALTER_POLICY: risk_policies.alter_policy,
}
