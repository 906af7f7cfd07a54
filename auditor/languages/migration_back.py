"""Whether a migration can be taken back: its way up beside its way down, operation by operation."""

from __future__ import annotations

from collections.abc import Iterable

from auditor.languages import operations as ops
from auditor.languages.column_types import Change, change
from auditor.languages.migration_expressions import HOLE
from auditor.languages.migrations import NO, PARTIAL, REFUSED, TRIVIAL, UNKNOWN, YES, Back, Migration
from auditor.languages.operations import Operation

_ROWS = frozenset({ops.DELETE, ops.TRUNCATE})


def judged_back(migration: Migration) -> Back:
    """The way back of one migration."""
    if migration.broken:
        return Back(UNKNOWN, f"does not parse (line {migration.broken})", line=migration.broken)
    up = tuple(operation for operation in migration.up.operations if operation.kind not in ops.NOTHING)
    lost = loses(up)
    if not up:
        return Back(TRIVIAL, "changes nothing that would have to be undone", line=migration.line)
    line = up[0].line
    down = migration.down
    if down is None:
        reason = "has a data step without a way back" if migration.automatic else "has no way down"
        return Back(NO, reason, lost, line)
    line = down.line if down.line > 1 else line
    undone = tuple(operation for operation in down.operations if operation.kind not in ops.NOTHING)
    if down.refusal and not undone:
        if down.refusal == "stated":
            return Back(REFUSED, "refuses to be undone, with a stated reason", lost, line)
        return Back(NO, "raises an error instead of undoing anything", lost, line)
    return _automatic(up, undone, lost, line) if migration.automatic else _written(up, undone, lost, line)


def _automatic(up: tuple[Operation, ...], undone: tuple[Operation, ...], lost: bool, line: int) -> Back:
    """Django reverses its own operations; only steps on rows and SQL need something of their own."""
    rows = [operation for operation in up if operation.kind in {*_ROWS, ops.UPDATE, ops.CODE}]
    if undone or not rows:
        return Back(YES, "reverses by itself" if not rows else "has a reverse step", lost, line)
    deleted = next((operation for operation in rows if operation.kind in _ROWS), None)
    if deleted is not None:
        return Back(NO, "deletes rows, and undoing it does nothing", destructive=True, line=deleted.line)
    added = {(o.table, column.name) for o in up if o.kind in {ops.ADD_COLUMN, ops.CREATE_TABLE} for column in o.columns}
    tables = {table for table, _ in added}
    for row in rows:
        if row.kind == ops.UPDATE and row.table not in tables:
            return Back(PARTIAL, "rewrites values, and undoing it does nothing", lost, row.line)
    return Back(YES, "needs no undoing beyond its structure", lost, line)


def _written(up: tuple[Operation, ...], undone: tuple[Operation, ...], lost: bool, line: int) -> Back:
    if not undone:
        return Back(NO, "has an empty way down", lost, line)
    if any(o.kind == ops.DROP_CONSTRAINT and o.text == "unnamed" for o in undone):
        return Back(PARTIAL, "has a way down that drops a constraint without naming it, which is refused", lost, line)
    if any(operation.kind == ops.UNREAD for operation in undone):
        return Back(UNKNOWN, "has a way down that could not be read", lost, line)
    left = left_behind(up, undone)
    if left:
        return Back(PARTIAL, f"has a way down that leaves {left} behind", lost, line)
    gone = next((operation for operation in up if operation.kind in _ROWS and operation.table not in _made(up)), None)
    if gone is not None:
        return Back(PARTIAL, "deletes rows that the way down does not bring back", lost, line)
    return Back(YES, "has a way down", lost, line)


def _made(operations: Iterable[Operation]) -> set[str]:
    return {operation.table for operation in operations if operation.kind == ops.CREATE_TABLE}


def left_behind(up: tuple[Operation, ...], down: tuple[Operation, ...]) -> str:
    """What the way up makes or changes and the way down does not take back, "" when there is nothing; names nobody can read excuse everything."""
    if any(HOLE in operation.table or HOLE in operation.name or operation.kind == ops.CODE for operation in (*up, *down)):
        return ""
    gone = {o.table for o in down if o.kind in {ops.DROP_TABLE, ops.RENAME_TABLE}}
    if any(operation.kind == ops.RENAME_TABLE for operation in up) or any(o.kind in {ops.DROP_OTHER, ops.ALTER_OTHER} for o in down):
        gone |= {operation.table for operation in up}  # names change on the way, or a schema is dropped as a whole
    for operation in up:
        if operation.temporary or operation.table in gone:
            continue
        missing = _missing(operation, up, down)
        if missing:
            return missing
    return ""


def _missing(operation: Operation, up: tuple[Operation, ...], down: tuple[Operation, ...]) -> str:
    same = [other for other in down if other.table == operation.table]
    kinds = {(other.kind, other.name) for other in same}
    columns = {column.name for other in same if other.kind in {ops.ADD_COLUMN, ops.CREATE_TABLE} for column in other.columns}
    columns |= {other.name for other in same if other.kind == ops.RENAME_COLUMN}
    made_as = _final_name(operation, up)
    dropped = {name for kind, name in kinds if kind in {ops.DROP_COLUMN, ops.RENAME_COLUMN}} | {
        o.before for o in same if o.kind == ops.RENAME_COLUMN
    }
    added = {column.name for other in up if other.kind == ops.ADD_COLUMN and other.table == operation.table for column in other.columns}
    name = f"{operation.table}.{operation.name}"
    match operation.kind:
        case ops.CREATE_TABLE:
            return f"the table {operation.table}"
        case ops.ADD_COLUMN if made_as not in dropped:
            return f"the column {name}"
        case ops.DROP_TABLE if operation.table not in {o.table for o in same if o.kind == ops.CREATE_TABLE} | _made(up):
            return (
                "" if any(o.kind == ops.RENAME_TABLE and o.name == operation.table for o in up) else f"the dropped table {operation.table}"
            )
        case ops.DROP_COLUMN if operation.name not in columns and operation.table not in _made(up):
            return f"the dropped column {name}"
        case ops.RENAME_COLUMN if (
            operation.before not in added and not any(o.kind == ops.RENAME_COLUMN for o in same) and operation.before not in columns
        ):
            return f"the new name of the column {name}"
        case ops.CHANGE_TYPE if not any(o.kind in {ops.CHANGE_TYPE, ops.ALTER_COLUMN} for o in same) and made_as not in dropped | columns:
            return f"the new type of {name}"
        case ops.SET_NOT_NULL if not any(o.kind in {ops.DROP_NOT_NULL, ops.ALTER_COLUMN} for o in same) and made_as not in dropped:
            return f"the NOT NULL of {name}"
        case _:
            return ""


def _final_name(operation: Operation, up: tuple[Operation, ...]) -> str:
    """The name a column has when the way up is through."""
    name = operation.name
    for other in up:
        if other.kind == ops.RENAME_COLUMN and other.table == operation.table and other.before == name:
            name = other.name
    return name


def loses(operations: Iterable[Operation]) -> bool:
    """Whether a way up drops or overwrites what was there before it began; what it made itself does not count."""
    made: set[str] = set()
    columns: set[tuple[str, str]] = set()
    for operation in operations:
        if operation.kind == ops.CREATE_TABLE:
            made.add(operation.table)
        elif operation.kind == ops.ADD_COLUMN:
            columns.add((operation.table, operation.name))
        elif (
            operation.kind in ops.DESTRUCTIVE
            and operation.table not in made
            and (operation.table, operation.name) not in columns
            and not _widens(operation)
        ):
            return True
    return False


_ROOMY = frozenset({"text", "int8", "timestamptz", "jsonb", "json", "float8", "numeric", "bytea", "timestamp", "varchar"})


def _widens(operation: Operation) -> bool:
    if operation.kind != ops.CHANGE_TYPE:
        return False
    after = operation.columns[0] if operation.columns else None
    if after is None:
        return False
    cost = change(operation.previous, after)
    return cost in {Change.FREE, Change.NONE} or (after.type in _ROOMY and cost is not Change.NARROWS)
