"""What is known at one operation of one migration, and the verdict on it; shared by the judges of columns and tables, of indexes and of row policies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from auditor.languages import operations as ops
from auditor.languages.migrations import Migration
from auditor.languages.operations import Column, Operation
from auditor.languages.schema_state import Schema

POSTGRES = frozenset({"", "postgres"})
ROWWISE = frozenset({"", "postgres", "mysql"})
"""Databases whose tables others write to while a migration runs, so that it matters how long a row stays locked."""
EVERYBODY = frozenset({"", "public", "anon", "authenticated"})
NEW_TABLE = "the table is made in this same change, so nobody waits for it"
OTHER_DATABASE = "this database does not lock the table for it, or not for long"


@dataclass(frozen=True, slots=True)
class Risk:
    """A judged operation: `kind` is "" for what is none of the kinds; `why` says why it is dangerous here, or why it is not."""

    operation: Operation
    kind: str
    unsafe: bool
    why: str


@dataclass(slots=True)
class Here:
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
        """The database, "" where it is not known."""
        return self.migration.dialect

    @property
    def postgres(self) -> bool:
        """Whether the database is PostgreSQL, or not known to be another."""
        return self.dialect in POSTGRES

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


def danger(operation: Operation, kind: str, why: str) -> Risk:
    """A judged operation that is dangerous here."""
    return Risk(operation, kind, unsafe=True, why=why)


def safe(operation: Operation, kind: str, why: str) -> Risk:
    """A judged operation that is not, although it looks like one of its kind."""
    return Risk(operation, kind, unsafe=False, why=why)
