"""Tables, columns, models and fields that code names, each looked up in what the repository declares."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from auditor.model.tables import Table
from auditor.model.verdict import Place


class Lookup(StrEnum):
    """What became of one name."""

    DECLARED = "declared"
    NO_TABLE = "no table"  # no declaration, script or migration makes the table, view or model
    NO_COLUMN = "no column"  # the table is declared with all its columns, and this one is not among them
    OPEN = "open"  # cannot be told: the table, or all of its columns, are not in the repository


@dataclass(frozen=True, slots=True)
class SchemaUse:
    """One name in one place of the code.

    `table` and `column` as the code writes them, `column` "" for the table itself. `found`: what became of it; `declared`: where the table is
    declared, None where it is not; `near`: the declared name that is most like it, "" for none. `writes`: the statement changes rows.
    `way`: how the code reaches the database ("supabase", "sql", "prisma", ...).
    """

    place: Place
    table: str
    column: str
    found: Lookup
    way: str
    writes: bool = False
    declared: Place | None = None
    near: str = ""


@dataclass(frozen=True, slots=True)
class TableSources:
    """What SQL makes, wherever it stands: `tables` of migrations, scripts and statements in code; `views`.

    `unread`: places of statements no grammar reads; `broken`: those of them that stand whole in the code and make a table, with its name.
    `early`: (table, where it is asked for, where it is made) of tables that a function asks for before it makes them.
    `partly`: tables (in lower case) of which a text with holes, or a builder, makes more than can be read. `words`: every word of the scripts and migrations, in lower case.
    """

    tables: tuple[Table, ...] = ()
    views: frozenset[str] = frozenset()
    unread: tuple[Place, ...] = ()
    broken: tuple[tuple[str, Place], ...] = ()
    early: tuple[tuple[str, Place, Place], ...] = ()
    partly: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class SchemaNames:
    """All uses in the order of path and line; `unread`: (place, reason) of queries that could not be read."""

    uses: tuple[SchemaUse, ...] = ()
    unread: tuple[tuple[str, str], ...] = ()
