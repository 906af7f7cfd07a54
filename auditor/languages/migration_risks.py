"""What each operation of a migration does to a system that is running while it is applied: whether it is dangerous here, and why or why not.

The kinds are those of the table in `auditor/migration_kinds.toml`. Judged is the way up alone, against the schema the earlier migrations left. Locks are spoken of only where the database is
PostgreSQL, or not known to be another.

Sources: PostgreSQL's documentation of ALTER TABLE, CREATE INDEX and explicit locking; MySQL's of online DDL; tried on PostgreSQL 15.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from auditor.languages import operations as ops
from auditor.languages.column_types import Change, change
from auditor.languages.migration_expressions import HOLE
from auditor.languages.migrations import Migration
from auditor.languages.operations import CHECK, EXCLUDE, FOREIGN, PRIMARY, UNIQUE, Column, Constraint, Operation, Policy
from auditor.languages.schema_state import Schema, Table, altered_policy

_POSTGRES = frozenset({"", "postgres"})
_ROWWISE = frozenset({"", "postgres", "mysql"})
"""Databases whose tables others write to while a migration runs, so that it matters how long a row stays locked."""
_EVERYBODY = frozenset({"", "public", "anon", "authenticated"})
_NEW_TABLE = "the table is made in this same change, so nobody waits for it"
_OTHER_DATABASE = "this database does not lock the table for it, or not for long"


@dataclass(frozen=True, slots=True)
class Risk:
    """A judged operation: `kind` is "" for what is none of the kinds; `why` says why it is dangerous here, or why it is not."""

    operation: Operation
    kind: str
    unsafe: bool
    why: str


@dataclass(slots=True)
class _Here:
    """What is known at one operation of one migration."""

    migration: Migration
    schema: Schema
    end: Schema
    first: bool
    operations: tuple[Operation, ...]
    new: set[str] = field(default_factory=set)
    columns: dict[tuple[str, str], Column] = field(default_factory=dict)
    position: int = 0
    inside: bool = False

    @property
    def dialect(self) -> str:
        return self.migration.dialect

    @property
    def postgres(self) -> bool:
        return self.dialect in _POSTGRES

    def later(self, *kinds: str) -> Iterator[Operation]:
        """The operations of these kinds that follow in the same migration."""
        return (operation for operation in self.operations[self.position + 1 :] if operation.kind in kinds)

    def follow(self, operation: Operation) -> None:
        """Remember what an operation made, after it was judged."""
        match operation.kind:
            case ops.CREATE_TABLE if not (operation.conditional and operation.table in self.schema.tables):
                self.new.add(operation.table)
            case ops.CREATE_VIEW:
                self.new.add(operation.table)
            case ops.RENAME_TABLE if operation.table in self.new:
                self.new.add(operation.name)
            case ops.ADD_COLUMN:
                self.columns |= {(operation.table, column.name): column for column in operation.columns}
            case ops.RENAME_COLUMN if (operation.table, operation.before) in self.columns:
                self.columns[operation.table, operation.name] = self.columns.pop((operation.table, operation.before))
            case ops.BEGIN:
                self.inside = True
            case ops.COMMIT:
                self.inside = False
            case _:
                pass
        self.schema.apply(operation, self.migration.path)


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
    here = _Here(migration, schema, end, first, migration.up.operations, inside=migration.transaction)
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
        _safe(operation, "", "runs on empty databases alone: those in use have had the migrations it replaces")
        for operation in migration.up.operations
    )


def _danger(operation: Operation, kind: str, why: str) -> Risk:
    return Risk(operation, kind, unsafe=True, why=why)


def _safe(operation: Operation, kind: str, why: str) -> Risk:
    return Risk(operation, kind, unsafe=False, why=why)


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


# -- columns -----------------------------------------------------------------------------------------------------------------------


def _add_column(here: _Here, operation: Operation) -> Iterator[Risk]:
    for column in operation.columns:
        if operation.table in here.new:
            yield _safe(operation, "", _NEW_TABLE)
            continue
        risks = [*_new_column(here, operation, column)]
        yield from risks or [_safe(operation, "", _why_free(column))]


def _why_free(column: Column) -> str:
    if column.default:
        return "its default is the same for all rows, so that no row is touched"
    return "it may be empty, so that no row is touched and old code need not know it"


def _new_column(here: _Here, operation: Operation, column: Column) -> Iterator[Risk]:
    changing = [
        other for other in here.later(ops.SET_DEFAULT, ops.DROP_DEFAULT) if (other.table, other.name) == (operation.table, column.name)
    ]
    kept = bool(column.default) or bool(column.generated)
    if changing:
        kept = changing[-1].kind == ops.SET_DEFAULT and (kept or column.filled)
    rewritten = column.generated in {"serial", "identity", "stored"} or column.volatile
    if rewritten and here.dialect in _ROWWISE:
        what = f"a {column.generated} column" if column.generated else f"the default {column.default}"
        yield _danger(
            operation,
            "add_column_rewrite",
            f"{what} gives each row a value of its own, so that the whole table is rewritten under an exclusive lock",
        )
    if column.not_null and not kept and not (rewritten and not changing):
        yield _danger(operation, "add_not_null_no_default", _why_required(column, dropped=bool(changing)))
    if not here.postgres:
        return
    if column.unique and not column.primary:
        yield _danger(operation, "add_unique_blocking", "the index that keeps it unique is built while reads and writes wait")
    if column.references and column.default and not column.generated:
        yield _danger(
            operation, "add_fk_validating", "with a default every row is checked against the other table while writes to both wait"
        )
    if column.checked:
        yield _danger(operation, "add_check_validating", "every row is checked while reads and writes wait")
    if column.indexed:
        yield _danger(operation, "index_not_concurrent", "the index that comes with the column is built while writes wait")


def _why_required(column: Column, *, dropped: bool) -> str:
    if column.filled or dropped or column.default:
        return "rows that are there are filled once, but the database keeps no default: code of the old version, which does not know the column, can insert nothing any more"
    return "it fails on a table that has rows, and code of the old version, which does not know the column, can insert nothing"


def _drop_column(here: _Here, operation: Operation) -> Iterator[Risk]:
    if operation.table in here.new or (operation.table, operation.name) in here.columns:
        yield _safe(operation, "drop_column", "the column is made in this same change")
    else:
        yield _danger(operation, "drop_column", "its values are gone for good, and code of the old version that still names it fails")


def _rename_column(here: _Here, operation: Operation) -> Iterator[Risk]:
    if operation.table in here.new or (operation.table, operation.before) in here.columns:
        yield _safe(operation, "rename_column", "the column is made in this same change")
    elif operation.before and operation.before == operation.name:
        return
    else:
        yield _danger(
            operation,
            "rename_column",
            "code of the old version asks for the old name, and code of the new one for the new: one of them fails during the deployment",
        )


def _change_type(here: _Here, operation: Operation) -> Iterator[Risk]:
    after = operation.columns[0] if operation.columns else Column(operation.name)
    before = operation.previous or here.schema.column(operation.table, operation.name)
    yield from _typed(here, operation, before, after)


def _typed(here: _Here, operation: Operation, before: Column | None, after: Column) -> Iterator[Risk]:
    if operation.table in here.new or (operation.table, operation.name) in here.columns:
        yield _safe(operation, "change_type", "the column is made in this same change")
        return
    if here.dialect not in _ROWWISE:
        yield _safe(operation, "change_type", _OTHER_DATABASE)
        return
    cost = change(before, after, converted=operation.converted)
    if cost in {Change.REWRITE, Change.NARROWS}:
        known = before is not None and before.type
        step = f"from {_written(before)} to {_written(after)}" if known and before is not None else f"to {_written(after)}"
        yield _danger(operation, "change_type", f"{step}: {cost.value}")
    elif cost is not Change.NONE or operation.kind == ops.CHANGE_TYPE:
        yield _safe(operation, "change_type", cost.value)


def _written(column: Column) -> str:
    return column.type + (f"({', '.join(str(number) for number in column.size)})" if column.size else "")


def _alter_column(here: _Here, operation: Operation) -> Iterator[Risk]:
    """A column declared anew: what differs from what it was."""
    after = operation.columns[0] if operation.columns else Column(operation.name)
    before = operation.previous or here.schema.column(operation.table, operation.name) or here.schema.column(operation.table, after.name)
    if operation.table in here.new:
        yield _safe(operation, "", _NEW_TABLE)
        return
    if before is None and (here.migration.framework == "django" or operation.text == "restated"):
        yield _safe(operation, "change_type", "what the column was before stands in no file here")
        return
    yield from _typed(here, operation, before, after)
    if before is None:
        return
    if after.not_null and not before.not_null:
        yield from _set_not_null(here, operation)
    if not here.postgres:
        return
    if after.unique and not before.unique:
        yield _danger(operation, "add_unique_blocking", "the index that keeps it unique is built while reads and writes wait")
    if after.references and not before.references and before.type:
        yield _danger(operation, "add_fk_validating", "every row is checked against the other table while writes to both wait")
    if after.indexed and not before.indexed and not before.unique:
        yield _danger(operation, "index_not_concurrent", "the index is built while writes wait")


def _set_not_null(here: _Here, operation: Operation) -> Iterator[Risk]:
    if operation.table in here.new:
        yield _safe(operation, "set_not_null", _NEW_TABLE)
        return
    known = here.schema.column(operation.table, operation.name)
    if operation.kind == ops.SET_NOT_NULL and (
        (known is not None and known.not_null) or (operation.previous is not None and operation.previous.not_null)
    ):
        yield _safe(operation, "set_not_null", "the column is required already")
    elif here.dialect not in _ROWWISE:
        yield _safe(operation, "set_not_null", _OTHER_DATABASE)
    elif here.postgres and _proven(here, operation):
        yield _safe(operation, "set_not_null", "a validated check already proves that no row is empty, so that no row is looked at")
    else:
        yield _danger(
            operation,
            "set_not_null",
            "every row is looked at while reads and writes wait, and it fails on the first empty one; old code that leaves it out can insert nothing",
        )


def _proven(here: _Here, operation: Operation) -> bool:
    """Whether a validated check demands the column; one that is validated here and was made out of sight is taken for it."""
    table = here.schema.tables.get(operation.table)
    constraints = table.constraints if table is not None else []
    if any(entry.kind == CHECK and entry.validated and operation.name in entry.required for entry in constraints):
        return True
    named = {entry.name for entry in constraints}
    return any(o.kind == ops.VALIDATE and o.table == operation.table and o.name not in named for o in here.operations[: here.position])


# -- tables ------------------------------------------------------------------------------------------------------------------------


def _drop_table(here: _Here, operation: Operation) -> Iterator[Risk]:
    if operation.table in here.new:
        yield _safe(operation, "drop_table", "the table is made in this same change")
    elif here.dialect == "sqlite" and any(
        other.name == operation.table and other.table in here.new for other in here.later(ops.RENAME_TABLE)
    ):
        yield _safe(operation, "drop_table", "SQLite changes a table by building it anew and putting it in the old one's place")
    elif here.first and operation.conditional and operation.table not in here.schema.tables:
        yield _safe(operation, "drop_table", "nothing was there before this first migration")
    else:
        yield _danger(operation, "drop_table", "all its rows are gone for good, and code of the old version that still uses it fails")


def _rename_table(here: _Here, operation: Operation) -> Iterator[Risk]:
    if operation.table in here.new:
        yield _safe(operation, "rename_table", "the table is made in this same change")
    elif any(view.table == operation.table for view in here.later(ops.CREATE_VIEW)):
        yield _safe(operation, "rename_table", "a view under the old name serves code of the old version")
    elif any(other.name == operation.table for other in here.later(ops.RENAME_TABLE)):
        yield _safe(operation, "rename_table", "another table is put in its place in the same change")
    else:
        yield _danger(
            operation,
            "rename_table",
            "code of the old version asks for the old name, and code of the new one for the new: one of them fails during the deployment",
        )


def _emptied(here: _Here, operation: Operation) -> Iterator[Risk]:
    if operation.kind == ops.DELETE and not operation.whole_table:
        yield _safe(operation, "", "deletes chosen rows")
    elif operation.table in here.new:
        yield _safe(operation, "data_loss_dml", "the table is made in this same change")
    else:
        yield _danger(operation, "data_loss_dml", "all rows of the table are gone for good")


def _update(here: _Here, operation: Operation) -> Iterator[Risk]:
    every = operation.whole_table or any(_empty(here.columns.get((operation.table, name))) for name in operation.emptied)
    if not every:
        yield _safe(operation, "", "changes chosen rows")
    elif operation.table in here.new:
        yield _safe(operation, "unbatched_backfill", _NEW_TABLE)
    elif here.dialect not in _ROWWISE:
        yield _safe(operation, "unbatched_backfill", _OTHER_DATABASE)
    else:
        yield _danger(
            operation,
            "unbatched_backfill",
            "every row is written in one transaction: rows stay locked until it ends, and the table grows by a copy of itself",
        )


def _empty(column: Column | None) -> bool:
    """Whether a column made in this same change is empty in every row, so that asking for empty ones asks for all."""
    return column is not None and not column.default and not column.generated and not column.filled


# -- indexes and constraints -------------------------------------------------------------------------------------------------------


def _create_index(here: _Here, operation: Operation) -> Iterator[Risk]:
    if operation.concurrent:
        yield from _concurrent(here, operation, "the index is built beside reads and writes")
    elif operation.table in here.new:
        yield _safe(operation, "index_not_concurrent", _NEW_TABLE)
    elif not here.postgres:
        yield _safe(operation, "index_not_concurrent", _OTHER_DATABASE)
    elif operation.text == "only":
        yield _safe(operation, "index_not_concurrent", "on the parent alone it is empty; the partitions get theirs one by one")
    else:
        yield _danger(operation, "index_not_concurrent", "writes to the table wait until the index is built")


def _concurrent(here: _Here, operation: Operation, why: str) -> Iterator[Risk]:
    if here.postgres and (operation.inside or (here.inside and not operation.outside)):
        yield _danger(operation, "concurrent_in_transaction", _why_inside(here.migration.framework))
    else:
        yield _safe(operation, "", why)


def _why_inside(framework: str) -> str:
    if framework == "flyway":
        return "Flyway holds its own lock in a transaction that the statement waits for, and refuses it beside other statements"
    return "PostgreSQL refuses CONCURRENTLY inside a transaction, and this one runs in one: the migration fails"


def _drop_index(here: _Here, operation: Operation) -> Iterator[Risk]:
    if operation.concurrent:
        yield from _concurrent(here, operation, "the index is dropped beside reads and writes")
    elif operation.table in here.new or not here.postgres:
        yield _safe(operation, "drop_index_blocking", _OTHER_DATABASE)
    else:
        yield _safe(
            operation, "drop_index_blocking", "takes an exclusive lock for a moment: give it a lock timeout where the table is busy"
        )


def _other(here: _Here, operation: Operation) -> Iterator[Risk]:
    if operation.concurrent:
        yield from _concurrent(here, operation, "it waits for nobody")


_CONSTRAINT_KINDS = {
    FOREIGN: ("add_fk_validating", "every row is checked against the other table while writes to both wait"),
    CHECK: ("add_check_validating", "every row is checked while reads and writes wait"),
    UNIQUE: ("add_unique_blocking", "the index that keeps it unique is built while reads and writes wait"),
    PRIMARY: ("add_pk_blocking", "its index is built, and every row looked at, while reads and writes wait"),
    EXCLUDE: ("add_unique_blocking", "its index is built while reads and writes wait"),
}


def _add_constraint(here: _Here, operation: Operation) -> Iterator[Risk]:
    for constraint in operation.constraints:
        kind, why = _CONSTRAINT_KINDS[constraint.kind]
        reason = _why_harmless(here, operation, constraint)
        yield _safe(operation, kind, reason) if reason else _danger(operation, kind, why)


def _why_harmless(here: _Here, operation: Operation, constraint: Constraint) -> str:
    if operation.table in here.new:
        return _NEW_TABLE
    if not here.postgres and not (here.dialect == "mysql" and constraint.kind == FOREIGN):
        return _OTHER_DATABASE
    if not constraint.validated:
        return "NOT VALID: rows that are there are not looked at yet"
    return "it takes over an index that is there" if constraint.index else ""


def _lock(here: _Here, operation: Operation) -> Iterator[Risk]:
    if operation.text.upper().startswith(("ALGORITHM", "LOCK=", "LOCK =", "LOCK SHARED", "LOCK EXCLUSIVE")):
        yield _danger(operation, "mysql_table_copy", f"{operation.text}: the table is copied or locked while writes wait")
    elif operation.concurrent:
        yield from _concurrent(here, operation, "it is rebuilt beside reads and writes")
    elif operation.table in here.new:
        yield _safe(operation, "explicit_lock", _NEW_TABLE)
    else:
        yield _danger(operation, "explicit_lock", f"{operation.text} keeps everybody else out of the table until it is done")


def _rename_value(_here: _Here, operation: Operation) -> Iterator[Risk]:
    yield _danger(operation, "rename_enum_value", "code of the old version writes and compares the old value and fails")


# -- row-level security ------------------------------------------------------------------------------------------------------------


def _disable_rls(here: _Here, operation: Operation) -> Iterator[Risk]:
    table = here.end.tables.get(operation.table)
    if operation.table in here.new:
        yield _safe(operation, "disable_rls", _NEW_TABLE)
    elif here.end.tables and (table is None or table.secured):
        yield _safe(operation, "disable_rls", "a later migration turns it on again, or drops the table")
    else:
        yield _danger(operation, "disable_rls", "whoever reaches the table reads and writes every row of it")


def _create_policy(here: _Here, operation: Operation) -> Iterator[Risk]:
    if operation.policy is not None:
        yield from _opened(here, operation, operation.policy)


def _alter_policy(here: _Here, operation: Operation) -> Iterator[Risk]:
    before = here.schema.tables.get(operation.table)
    known = before.policies.get(operation.name) if before is not None else None
    if known is not None:
        yield from _opened(here, operation, altered_policy(known, operation))


def _opened(here: _Here, operation: Operation, policy: Policy) -> Iterator[Risk]:
    if not lets_everybody_write(policy):
        return
    table: Table | None = here.end.tables.get(operation.table)
    if table is not None and table.policies.get(operation.name) != policy:
        yield _safe(operation, "permissive_policy", "a later migration replaces it")
    else:
        who = "every signed-in user" if {*policy.roles} == {"authenticated"} else "everybody"
        yield _danger(
            operation,
            "permissive_policy",
            f"{who} may {_verb(policy)} any row: its condition is always true and no role is named that would limit it",
        )


def lets_everybody_write(policy: Policy) -> bool:
    """Whether a policy lets everybody, or every signed-in user, write any row; what its name promises does not count."""
    if policy.restrictive or (policy.roles and not _EVERYBODY & {*policy.roles}):
        return False
    match policy.command:
        case "insert":
            return policy.check_true
        case "update":
            return policy.using_true and (policy.check_true or not policy.has_check)
        case "delete":
            return policy.using_true
        case "all":
            return policy.using_true or policy.check_true
        case _:
            return False


def _verb(policy: Policy) -> str:
    return {"insert": "insert", "update": "change", "delete": "delete"}.get(policy.command, "read, change and delete")


_JUDGES: dict[str, Callable[[_Here, Operation], Iterator[Risk]]] = {
    ops.ADD_COLUMN: _add_column,
    ops.DROP_COLUMN: _drop_column,
    ops.RENAME_COLUMN: _rename_column,
    ops.CHANGE_TYPE: _change_type,
    ops.ALTER_COLUMN: _alter_column,
    ops.SET_NOT_NULL: _set_not_null,
    ops.DROP_TABLE: _drop_table,
    ops.RENAME_TABLE: _rename_table,
    ops.SET_SCHEMA: _rename_table,
    ops.TRUNCATE: _emptied,
    ops.DELETE: _emptied,
    ops.UPDATE: _update,
    ops.CREATE_INDEX: _create_index,
    ops.DROP_INDEX: _drop_index,
    ops.ALTER_OTHER: _other,
    ops.ADD_CONSTRAINT: _add_constraint,
    ops.LOCK: _lock,
    ops.RENAME_VALUE: _rename_value,
    ops.DISABLE_RLS: _disable_rls,
    ops.CREATE_POLICY: _create_policy,
    ops.ALTER_POLICY: _alter_policy,
}
