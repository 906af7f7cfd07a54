"""What the readers of migration files have in common: one record per file, whatever the framework.

`migrations_alembic`, `migrations_django` and `migrations_script` read code, `migrations_sql` folders of SQL; `migration_set` reads all files together and puts
them in order; `migration_back` judges the way back, `migration_risks` the way up.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from auditor.languages import operations as ops
from auditor.languages.operations import Operation
from auditor.model.syntax import Value, ValueKind

YES, NO, PARTIAL, UNKNOWN, TRIVIAL, REFUSED = "yes", "no", "partial", "unknown", "trivial", "refused"


@dataclass(frozen=True, slots=True)
class Back:
    """Whether a migration can be undone: the word `MigrationStep.reversible` uses, the reason, whether its way up loses data."""

    reversible: str
    reason: str
    destructive: bool = False
    line: int = 0


@dataclass(frozen=True, slots=True)
class Way:
    """One direction of a migration: what it does, and whether it raises instead ("stated" with a reason, "bare" without one)."""

    operations: tuple[Operation, ...] = ()
    line: int = 1
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Migration:
    """One migration as its file shows it.

    `series`: what it is ordered within (a folder). `revision` and `parents` name it and what it builds on where the tool keeps a graph. `order`: sorts the files
    of one series. `up` and `down`: its two ways; `down` None where there is none. `automatic`: the framework works the way down out by itself.
    `transaction`: the runner puts it into one. `dialect`: the database where it is known, "" else. `opaque`: it builds structure from the models
    of the code, so names do not show. `broken`: the first line that does not parse, 0 when all do. `back` is filled in when all files are known.
    """

    path: str
    framework: str
    series: str
    order: str
    up: Way
    down: Way | None = None
    back: Back = Back(UNKNOWN, "was not judged")
    line: int = 1
    revision: str = ""
    parents: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    branch: bool = False
    automatic: bool = False
    transaction: bool = True
    dialect: str = ""
    opaque: bool = False
    broken: int = 0

    @property
    def created(self) -> tuple[str, ...]:
        """Names of the tables and views it makes."""
        return tuple(sorted({o.table for o in self.up.operations if o.kind in {ops.CREATE_TABLE, ops.CREATE_VIEW} and not o.temporary}))

    @property
    def columns(self) -> tuple[tuple[str, str], ...]:
        """(table, column) of what it adds or renames."""
        pairs = {(o.table, column.name) for o in self.up.operations if o.kind in {ops.CREATE_TABLE, ops.ADD_COLUMN} for column in o.columns}
        pairs |= {(o.table, o.name) for o in self.up.operations if o.kind == ops.RENAME_COLUMN}
        return tuple(sorted(pairs))


def last(callee: str) -> str:
    """The last name of a dotted callee."""
    return callee.rsplit(".", 1)[-1].removeprefix("new ")


def texts_of(value: Value | None, depth: int = 4) -> Iterator[str]:
    """All string literals within an expression."""
    if value is None or depth < 0:
        return
    if value.kind in {ValueKind.STRING, ValueKind.TEMPLATE}:
        yield value.literal
    for _, item in value.items:
        yield from texts_of(item, depth - 1)
