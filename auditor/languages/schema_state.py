"""The schema that migrations leave behind, operation by operation: tables with their columns, keys, constraints, indexes and row policies.

`Schema.apply` follows one operation; `end_state` the ways up of migrations in the order they are applied. Names nobody could read leave a mark in `unread`, so that whoever compares
the schema with something else can tell what is missing from what was not seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from auditor.languages import operations as ops
from auditor.languages.operations import PRIMARY, UNIQUE, Column, Constraint, Operation, Policy
from auditor.languages.postgres_columns import constrained


@dataclass(frozen=True, slots=True)
class Index:
    """An index: `columns` or expressions in order; `unique` over the whole table."""

    name: str
    columns: tuple[str, ...]
    unique: bool = False


@dataclass(slots=True)
class Table:
    """A table as it stands after some migrations.

    `columns` by name; a foreign key, uniqueness or primary key over one column alone stands at the column, every one in `constraints`. `complete`: all its
    columns showed; `made`: a migration makes it, and not only changes it. `secured`: row-level security is on. `path` and `line`: where it was made.
    """

    name: str
    columns: dict[str, Column] = field(default_factory=dict)
    constraints: list[Constraint] = field(default_factory=list)
    indexes: dict[str, Index] = field(default_factory=dict)
    policies: dict[str, Policy] = field(default_factory=dict)
    secured: bool = False
    complete: bool = True
    made: bool = True
    path: str = ""
    line: int = 0

    def unique_sets(self) -> frozenset[frozenset[str]]:
        """Sets of columns no two rows share: primary keys, unique constraints and unique indexes."""
        named = [constraint.columns for constraint in self.constraints if constraint.kind in {PRIMARY, UNIQUE}]
        named += [index.columns for index in self.indexes.values() if index.unique]
        named += [(column.name,) for column in self.columns.values() if column.unique]
        return frozenset(frozenset(columns) for columns in named if columns)


@dataclass(slots=True)
class Schema:
    """Tables by name, in the order they were made; `unread` holds (path, line) of what could have changed them unseen."""

    tables: dict[str, Table] = field(default_factory=dict)
    unread: list[tuple[str, int]] = field(default_factory=list)

    def column(self, table: str, name: str) -> Column | None:
        """A column as far as it is known."""
        found = self.tables.get(table)
        return found.columns.get(name) if found is not None else None

    def apply(self, operation: Operation, path: str = "") -> None:
        """Follow one operation of a way up; what concerns unknown tables is left alone, except that adding a column makes the table known in part."""
        if operation.kind == ops.UNREAD:
            self.unread.append((path, operation.line))
            if "ENABLE ROW LEVEL SECURITY" in operation.text.upper():  # a loop over the tables there are
                for known in self.tables.values():
                    known.secured = True
            return
        if operation.kind == ops.CREATE_TABLE:
            self._create(operation, path)
            return
        table = self.tables.get(operation.table)
        if table is None and operation.kind in _MAKES_KNOWN:
            table = self.tables[operation.table] = Table(operation.table, complete=False, made=False, path=path, line=operation.line)
        if operation.kind == ops.DROP_INDEX:
            self._drop_index(operation)
        elif table is not None:
            follow = _FOLLOW.get(operation.kind)
            if operation.kind in {ops.DROP_TABLE, ops.RENAME_TABLE, ops.SET_SCHEMA}:
                self._move(operation, table)
            elif follow is not None:
                follow(table, operation)

    def _create(self, operation: Operation, path: str) -> None:
        if operation.temporary or (operation.conditional and operation.table in self.tables):
            return
        table = Table(operation.table, complete=bool(operation.columns), path=path, line=operation.line)
        table.columns = {column.name: column for column in operation.columns}
        table.constraints = list(operation.constraints)
        table.constraints += [
            Constraint(PRIMARY, "", (column.name,)) for column in operation.columns if column.primary and not _stated(table, PRIMARY)
        ]
        table.indexes = {f"{table.name}.{c.name}": Index("", (c.name,)) for c in operation.columns if c.indexed}
        self.tables[operation.table] = table

    def _move(self, operation: Operation, table: Table) -> None:
        del self.tables[operation.table]
        if operation.kind == ops.DROP_TABLE:
            return
        schema, _, plain = table.name.rpartition(".")
        if operation.kind == ops.SET_SCHEMA:
            table.name = plain if operation.name == "public" else f"{operation.name}.{plain}"
        else:
            table.name = f"{schema}.{operation.name}" if schema and "." not in operation.name else operation.name
        for other in self.tables.values():
            for name, column in other.columns.items():
                if column.references == operation.table:
                    other.columns[name] = replace(column, references=table.name)
        self.tables[table.name] = table

    def _drop_index(self, operation: Operation) -> None:
        name = operation.name or operation.table.rpartition(".")[2]
        for table in self.tables.values():
            table.indexes.pop(name, None)


def _stated(table: Table, kind: str) -> bool:
    return any(constraint.kind == kind for constraint in table.constraints)


def _add_column(table: Table, operation: Operation) -> None:
    for column in operation.columns:
        if operation.conditional and column.name in table.columns:
            continue
        table.columns[column.name] = column
        if column.indexed:
            table.indexes[f"{table.name}.{column.name}"] = Index("", (column.name,))


def _drop_column(table: Table, operation: Operation) -> None:
    table.columns.pop(operation.name, None)
    table.constraints = [entry for entry in table.constraints if operation.name not in entry.columns]
    table.indexes = {name: index for name, index in table.indexes.items() if operation.name not in index.columns}


def _rename_column(table: Table, operation: Operation) -> None:
    old, new = operation.before, operation.name
    table.columns = {(new if name == old else name): (replace(c, name=new) if name == old else c) for name, c in table.columns.items()}
    table.constraints = [replace(entry, columns=_renamed(entry.columns, old, new)) for entry in table.constraints]
    table.indexes = {name: replace(index, columns=_renamed(index.columns, old, new)) for name, index in table.indexes.items()}


def _renamed(columns: tuple[str, ...], old: str, new: str) -> tuple[str, ...]:
    return tuple(new if column == old else column for column in columns)


def _change_type(table: Table, operation: Operation) -> None:
    known = table.columns.get(operation.name)
    for column in operation.columns:
        table.columns[operation.name] = column if known is None else replace(known, type=column.type, size=column.size)


def _declare(table: Table, operation: Operation) -> None:
    known = table.columns.get(operation.name)
    for declared in operation.columns:
        column = declared
        if known is not None:
            kept = operation.previous is None  # only Django's fields say of a key that it is gone
            column = replace(
                column,
                primary=column.primary or known.primary,
                unique=column.unique or (kept and known.unique),
                references=column.references or (known.references if kept else ""),
                cascades=column.cascades or (kept and not column.references and known.cascades),
            )
        table.columns[operation.name] = column


def _require(table: Table, operation: Operation) -> None:
    _set(table, operation.name, not_null=True)


def _allow(table: Table, operation: Operation) -> None:
    _set(table, operation.name, not_null=False)


def _default(table: Table, operation: Operation) -> None:
    _set(table, operation.name, default=operation.columns[0].default if operation.columns else "?")


def _no_default(table: Table, operation: Operation) -> None:
    _set(table, operation.name, default="")


def _set(table: Table, name: str, *, not_null: bool | None = None, default: str | None = None) -> None:
    column = table.columns.get(name)
    if column is None:
        return
    required = column.not_null if not_null is None else not_null
    table.columns[name] = replace(column, not_null=required, default=column.default if default is None else default)


def _add_constraint(table: Table, operation: Operation) -> None:
    for constraint in operation.constraints:
        taken = table.indexes.get(constraint.index)
        stated = replace(constraint, columns=taken.columns) if taken is not None and not constraint.columns else constraint
        table.constraints.append(stated)
        for column in constrained(list(table.columns.values()), stated):
            table.columns[column.name] = column


def _drop_constraint(table: Table, operation: Operation) -> None:
    gone = [entry for entry in table.constraints if entry.name and entry.name == operation.name]
    table.constraints = [entry for entry in table.constraints if entry not in gone]
    for constraint in gone:
        for name in constraint.columns:
            column = table.columns.get(name)
            if column is not None and constraint.kind == ops.FOREIGN:
                table.columns[name] = replace(column, references="", cascades=False)
            elif column is not None and constraint.kind == UNIQUE and len(constraint.columns) == 1:
                table.columns[name] = replace(column, unique=False)


def _validate(table: Table, operation: Operation) -> None:
    table.constraints = [replace(entry, validated=True) if entry.name == operation.name else entry for entry in table.constraints]


def _add_index(table: Table, operation: Operation) -> None:
    name = operation.name or f"{table.name}.{','.join(operation.keys)}"
    table.indexes[name] = Index(operation.name, operation.keys, operation.unique)


def _secure(table: Table, operation: Operation) -> None:
    table.secured = operation.kind == ops.ENABLE_RLS


def _add_policy(table: Table, operation: Operation) -> None:
    if operation.policy is not None:
        table.policies[operation.name] = operation.policy


def altered_policy(known: Policy, operation: Operation) -> Policy:
    """A policy after ALTER POLICY, which changes only what it names."""
    new = operation.policy
    if new is None:
        return known
    return replace(
        known,
        roles=new.roles or known.roles,
        using_true=new.using_true if operation.text == "using" else known.using_true,
        check_true=new.check_true if new.has_check else known.check_true,
        has_check=new.has_check or known.has_check,
    )


def _alter_policy(table: Table, operation: Operation) -> None:
    known = table.policies.get(operation.name)
    if known is not None:
        table.policies[operation.name] = altered_policy(known, operation)


def _drop_policy(table: Table, operation: Operation) -> None:
    table.policies.pop(operation.name, None)


_FOLLOW: dict[str, Callable[[Table, Operation], None]] = {
    ops.ADD_COLUMN: _add_column,
    ops.DROP_COLUMN: _drop_column,
    ops.RENAME_COLUMN: _rename_column,
    ops.CHANGE_TYPE: _change_type,
    ops.ALTER_COLUMN: _declare,
    ops.SET_NOT_NULL: _require,
    ops.DROP_NOT_NULL: _allow,
    ops.SET_DEFAULT: _default,
    ops.DROP_DEFAULT: _no_default,
    ops.ADD_CONSTRAINT: _add_constraint,
    ops.DROP_CONSTRAINT: _drop_constraint,
    ops.VALIDATE: _validate,
    ops.CREATE_INDEX: _add_index,
    ops.ENABLE_RLS: _secure,
    ops.DISABLE_RLS: _secure,
    ops.CREATE_POLICY: _add_policy,
    ops.ALTER_POLICY: _alter_policy,
    ops.DROP_POLICY: _drop_policy,
}


_MAKES_KNOWN = frozenset({ops.ADD_COLUMN, ops.ALTER_COLUMN, ops.ENABLE_RLS, ops.ADD_CONSTRAINT, ops.CREATE_POLICY})
"""Operations that show that a table exists although nothing here made it."""


def end_state(steps: Iterable[tuple[str, Iterable[Operation]]]) -> Schema:
    """The schema after (path, operations of the way up) of migrations in the order they are applied."""
    schema = Schema()
    for path, operations in steps:
        for operation in operations:
            schema.apply(operation, path)
    return schema
