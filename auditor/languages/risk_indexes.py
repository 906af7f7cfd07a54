"""Indexes, constraints and explicit locks: who waits while they are made."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.languages.operations import CHECK, EXCLUDE, FOREIGN, PRIMARY, UNIQUE, Constraint, Operation
from auditor.languages.risk_context import NEW_TABLE, OTHER_DATABASE, Here, Risk, danger, safe


def create_index(here: Here, operation: Operation) -> Iterator[Risk]:
    """An index on a table others write to."""
    if operation.concurrent:
        yield from _concurrent(here, operation, "the index is built beside reads and writes")
    elif operation.table in here.new:
        yield safe(operation, "index_not_concurrent", NEW_TABLE)
    elif not here.postgres:
        yield safe(operation, "index_not_concurrent", OTHER_DATABASE)
    elif operation.text == "only":
        yield safe(operation, "index_not_concurrent", "on the parent alone it is empty; the partitions get theirs one by one")
    else:
        yield danger(operation, "index_not_concurrent", "writes to the table wait until the index is built")


def _concurrent(here: Here, operation: Operation, why: str) -> Iterator[Risk]:
    if here.postgres and (operation.inside or (here.inside and not operation.outside)):
        yield danger(operation, "concurrent_in_transaction", _why_inside(here.migration.framework))
    else:
        yield safe(operation, "", why)


def _why_inside(framework: str) -> str:
    if framework == "flyway":
        return "Flyway holds its own lock in a transaction that the statement waits for, and refuses it beside other statements"
    return "PostgreSQL refuses CONCURRENTLY inside a transaction, and this one runs in one: the migration fails"


def drop_index(here: Here, operation: Operation) -> Iterator[Risk]:
    """Short, but exclusive."""
    if operation.concurrent:
        yield from _concurrent(here, operation, "the index is dropped beside reads and writes")
    elif operation.table in here.new or not here.postgres:
        yield safe(operation, "drop_index_blocking", OTHER_DATABASE)
    else:
        yield safe(operation, "drop_index_blocking", "takes an exclusive lock for a moment: give it a lock timeout where the table is busy")


def other(here: Here, operation: Operation) -> Iterator[Risk]:
    """What else can be done concurrently, such as detaching a partition."""
    if operation.concurrent:
        yield from _concurrent(here, operation, "it waits for nobody")


_CONSTRAINT_KINDS = {
    FOREIGN: ("add_fk_validating", "every row is checked against the other table while writes to both wait"),
    CHECK: ("add_check_validating", "every row is checked while reads and writes wait"),
    UNIQUE: ("add_unique_blocking", "the index that keeps it unique is built while reads and writes wait"),
    PRIMARY: ("add_pk_blocking", "its index is built, and every row looked at, while reads and writes wait"),
    EXCLUDE: ("add_unique_blocking", "its index is built while reads and writes wait"),
}


def add_constraint(here: Here, operation: Operation) -> Iterator[Risk]:
    """Checked against all rows at once, unless it says otherwise."""
    for constraint in operation.constraints:
        kind, why = _CONSTRAINT_KINDS[constraint.kind]
        reason = _why_harmless(here, operation, constraint)
        yield safe(operation, kind, reason) if reason else danger(operation, kind, why)


def _why_harmless(here: Here, operation: Operation, constraint: Constraint) -> str:
    if operation.table in here.new:
        return NEW_TABLE
    if not here.postgres and not (here.dialect == "mysql" and constraint.kind == FOREIGN):
        return OTHER_DATABASE
    if not constraint.validated:
        return "NOT VALID: rows that are there are not looked at yet"
    return "it takes over an index that is there" if constraint.index else ""


def lock(here: Here, operation: Operation) -> Iterator[Risk]:
    """Locks and rebuilds asked for by name."""
    if operation.text.upper().startswith(("ALGORITHM", "LOCK=", "LOCK =", "LOCK SHARED", "LOCK EXCLUSIVE")):
        yield danger(operation, "mysql_table_copy", f"{operation.text}: the table is copied or locked while writes wait")
    elif operation.concurrent:
        yield from _concurrent(here, operation, "it is rebuilt beside reads and writes")
    elif operation.table in here.new:
        yield safe(operation, "explicit_lock", NEW_TABLE)
    else:
        yield danger(operation, "explicit_lock", f"{operation.text} keeps everybody else out of the table until it is done")


def rename_value(_here: Here, operation: Operation) -> Iterator[Risk]:
    """A value of an enumeration under another name."""
    yield danger(operation, "rename_enum_value", "code of the old version writes and compares the old value and fails")
