"""Columns, tables and rows: what adding, changing, renaming and emptying them does while others use them."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.languages import operations as ops
from auditor.languages.column_types import Change, change
from auditor.languages.operations import CHECK, Column, Operation
from auditor.languages.risk_context import NEW_TABLE, OTHER_DATABASE, ROWWISE, Here, Risk, danger, safe

_UNLESS_UTC = ", unless the session's time zone is UTC"


def add_column(here: Here, operation: Operation) -> Iterator[Risk]:
    """A new column: required, rewriting, or bringing checks and indexes along."""
    for column in operation.columns:
        if operation.table in here.new:
            yield safe(operation, "", NEW_TABLE)
            continue
        risks = [*_new_column(here, operation, column)]
        yield from risks or [safe(operation, "", _why_free(column))]


def _why_free(column: Column) -> str:
    if column.default:
        return "its default is the same for all rows, so that no row is touched"
    return "it may be empty, so that no row is touched and old code need not know it"


def _new_column(here: Here, operation: Operation, column: Column) -> Iterator[Risk]:
    changing = [
        other for other in here.later(ops.SET_DEFAULT, ops.DROP_DEFAULT) if (other.table, other.name) == (operation.table, column.name)
    ]
    kept = bool(column.default) or bool(column.generated)
    if changing:
        kept = changing[-1].kind == ops.SET_DEFAULT and (kept or column.filled)
    rewritten = column.generated in {"serial", "identity", "stored"} or column.volatile
    if rewritten and here.dialect in ROWWISE:
        what = f"a {column.generated} column" if column.generated else f"the default {column.default}"
        yield danger(
            operation,
            "add_column_rewrite",
            f"{what} gives each row a value of its own, so that the whole table is rewritten under an exclusive lock",
        )
    if column.not_null and not kept and not (rewritten and not changing):
        yield danger(operation, "add_not_null_no_default", _why_required(column, dropped=bool(changing)))
    if not here.postgres:
        return
    if column.unique and not column.primary:
        yield danger(operation, "add_unique_blocking", "the index that keeps it unique is built while reads and writes wait")
    if column.references and column.default and not column.generated:
        yield danger(
            operation, "add_fk_validating", "with a default every row is checked against the other table while writes to both wait"
        )
    if column.checked:
        yield danger(operation, "add_check_validating", "every row is checked while reads and writes wait")
    if column.indexed:
        yield danger(operation, "index_not_concurrent", "the index that comes with the column is built while writes wait")


def _why_required(column: Column, *, dropped: bool) -> str:
    if column.filled or dropped or column.default:
        return "rows that are there are filled once, but the database keeps no default: code of the old version, which does not know the column, can insert nothing any more"
    return "it fails on a table that has rows, and code of the old version, which does not know the column, can insert nothing"


def drop_column(here: Here, operation: Operation) -> Iterator[Risk]:
    """Values lost, and old code that names them."""
    if operation.table in here.new or (operation.table, operation.name) in here.columns:
        yield safe(operation, "drop_column", "the column is made in this same change")
    else:
        yield danger(operation, "drop_column", "its values are gone for good, and code of the old version that still names it fails")


def rename_column(here: Here, operation: Operation) -> Iterator[Risk]:
    """Two versions, two names."""
    if operation.table in here.new or (operation.table, operation.before) in here.columns:
        yield safe(operation, "rename_column", "the column is made in this same change")
    elif operation.before and operation.before == operation.name:
        return
    else:
        yield danger(
            operation,
            "rename_column",
            "code of the old version asks for the old name, and code of the new one for the new: one of them fails during the deployment",
        )


def change_type(here: Here, operation: Operation) -> Iterator[Risk]:
    """By what the old type was, where it shows."""
    after = operation.columns[0] if operation.columns else Column(operation.name)
    before = operation.previous or here.schema.column(operation.table, operation.name)
    yield from _typed(here, operation, before, after)


def _typed(here: Here, operation: Operation, before: Column | None, after: Column) -> Iterator[Risk]:
    if operation.table in here.new or (operation.table, operation.name) in here.columns:
        yield safe(operation, "change_type", "the column is made in this same change")
        return
    if here.dialect not in ROWWISE:
        yield safe(operation, "change_type", OTHER_DATABASE)
        return
    cost = change(before, after, converted=operation.converted)
    if cost in {Change.REWRITE, Change.NARROWS}:
        known = before is not None and before.type
        step = f"from {_written(before)} to {_written(after)}" if known and before is not None else f"to {_written(after)}"
        zoned = before is not None and {before.type, after.type} == {"timestamp", "timestamptz"} and not operation.converted
        yield danger(operation, "change_type", f"{step}: {cost.value}{_UNLESS_UTC if zoned else ''}")
    elif cost is not Change.NONE or operation.kind == ops.CHANGE_TYPE:
        yield safe(operation, "change_type", cost.value)


def _written(column: Column) -> str:
    return column.type + (f"({', '.join(str(number) for number in column.size)})" if column.size else "")


def alter_column(here: Here, operation: Operation) -> Iterator[Risk]:
    """A column declared anew: what differs from what it was."""
    after = operation.columns[0] if operation.columns else Column(operation.name)
    before = operation.previous or here.schema.column(operation.table, operation.name) or here.schema.column(operation.table, after.name)
    if operation.table in here.new:
        yield safe(operation, "", NEW_TABLE)
        return
    if before is None and (here.migration.framework == "django" or operation.text == "restated"):
        yield safe(operation, "change_type", "what the column was before stands in no file here")
        return
    yield from _typed(here, operation, before, after)
    if before is None:
        return
    if after.not_null and not before.not_null:
        yield from set_not_null(here, operation)
    if not here.postgres:
        return
    if after.unique and not before.unique:
        yield danger(operation, "add_unique_blocking", "the index that keeps it unique is built while reads and writes wait")
    if after.references and not before.references and before.type:
        yield danger(operation, "add_fk_validating", "every row is checked against the other table while writes to both wait")
    if after.indexed and not before.indexed and not before.unique:
        yield danger(operation, "index_not_concurrent", "the index is built while writes wait")


def set_not_null(here: Here, operation: Operation) -> Iterator[Risk]:
    """Looks at every row, unless a validated check has."""
    if operation.table in here.new:
        yield safe(operation, "set_not_null", NEW_TABLE)
        return
    known = here.schema.column(operation.table, operation.name)
    if operation.kind == ops.SET_NOT_NULL and (
        (known is not None and known.not_null) or (operation.previous is not None and operation.previous.not_null)
    ):
        yield safe(operation, "set_not_null", "the column is required already")
    elif here.dialect not in ROWWISE:
        yield safe(operation, "set_not_null", OTHER_DATABASE)
    elif here.postgres and _proven(here, operation):
        yield safe(operation, "set_not_null", "a validated check already proves that no row is empty, so that no row is looked at")
    else:
        yield danger(
            operation,
            "set_not_null",
            "every row is looked at while reads and writes wait, and it fails on the first empty one; old code that leaves it out can insert nothing",
        )


def _proven(here: Here, operation: Operation) -> bool:
    """Whether a validated check demands the column; one that is validated here and was made out of sight is taken for it."""
    table = here.schema.tables.get(operation.table)
    constraints = table.constraints if table is not None else []
    if any(entry.kind == CHECK and entry.validated and operation.name in entry.required for entry in constraints):
        return True
    named = {entry.name for entry in constraints}
    return any(o.kind == ops.VALIDATE and o.table == operation.table and o.name not in named for o in here.operations[: here.position])


def drop_table(here: Here, operation: Operation) -> Iterator[Risk]:
    """Rows lost, unless the table is new or never was."""
    if operation.table in here.new:
        yield safe(operation, "drop_table", "the table is made in this same change")
    elif here.dialect == "sqlite" and any(
        other.name == operation.table and other.table in here.new for other in here.later(ops.RENAME_TABLE)
    ):
        yield safe(operation, "drop_table", "SQLite changes a table by building it anew and putting it in the old one's place")
    elif here.first and operation.conditional and operation.table not in here.schema.tables:
        yield safe(operation, "drop_table", "nothing was there before this first migration")
    else:
        yield danger(operation, "drop_table", "all its rows are gone for good, and code of the old version that still uses it fails")


def rename_table(here: Here, operation: Operation) -> Iterator[Risk]:
    """Two versions, two names, unless a view serves the old one."""
    if operation.table in here.new:
        yield safe(operation, "rename_table", "the table is made in this same change")
    elif any(view.table == operation.table for view in here.later(ops.CREATE_VIEW)):
        yield safe(operation, "rename_table", "a view under the old name serves code of the old version")
    elif any(other.name == operation.table for other in here.later(ops.RENAME_TABLE)):
        yield safe(operation, "rename_table", "another table is put in its place in the same change")
    else:
        yield danger(
            operation,
            "rename_table",
            "code of the old version asks for the old name, and code of the new one for the new: one of them fails during the deployment",
        )


def emptied(here: Here, operation: Operation) -> Iterator[Risk]:
    """TRUNCATE, or DELETE of all rows."""
    if operation.kind == ops.DELETE and not operation.whole_table:
        yield safe(operation, "", "deletes chosen rows")
    elif operation.table in here.new:
        yield safe(operation, "data_loss_dml", "the table is made in this same change")
    else:
        yield danger(operation, "data_loss_dml", "all rows of the table are gone for good")


def update(here: Here, operation: Operation) -> Iterator[Risk]:
    """UPDATE of all rows in one go."""
    every = operation.whole_table or any(_empty(here.columns.get((operation.table, name))) for name in operation.emptied)
    if not every:
        yield safe(operation, "", "changes chosen rows")
    elif operation.table in here.new:
        yield safe(operation, "unbatched_backfill", NEW_TABLE)
    elif here.dialect not in ROWWISE:
        yield safe(operation, "unbatched_backfill", OTHER_DATABASE)
    else:
        yield danger(
            operation,
            "unbatched_backfill",
            "every row is written in one transaction: rows stay locked until it ends, and the table grows by a copy of itself",
        )


def _empty(column: Column | None) -> bool:
    """Whether a column made in this same change is empty in every row, so that asking for empty ones asks for all."""
    return column is not None and not column.default and not column.generated and not column.filled
