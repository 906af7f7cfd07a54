"""The data model: tables (and collections with a declared schema) as the code and its schema files declare them."""

from __future__ import annotations

from dataclasses import dataclass

from auditor.model.verdict import Place


@dataclass(frozen=True, slots=True)
class Column:
    """One column; `name` is the one in the database, `attribute` the one in code ("" where they are the same).

    `type` is the declared type in lower case, without arguments ("float", "models.decimalfield", "timestamptz"); "" where nothing shows it. `null`: it may be
    empty. `references`: the table or model a foreign key of the database leads to. `limited`: an enum, choices or a check bound what it may hold.
    `zoned`: a time keeps its zone; None where the type does not say. `default`: source of the default, "" for none. `cascades`: the row goes when the one it refers to is removed. `indexed`: an index of its own
    (one that a primary key or unique rule brings is not repeated here). `path`: the file of the declaration where it is not the table's own (a mixin).
    """

    name: str
    line: int = 0
    type: str = ""
    null: bool = False
    primary: bool = False
    unique: bool = False
    indexed: bool = False
    references: str = ""
    limited: bool = False
    zoned: bool | None = None
    default: str = ""
    cascades: bool = False
    attribute: str = ""
    path: str = ""

    def place(self, table: Table) -> Place:
        """Where the column of a table is declared."""
        return Place(self.path or table.place.path, self.line or table.place.line, self.line or table.place.line)


@dataclass(frozen=True, slots=True)
class Table:
    """One table or collection.

    `name`: the class or model, `table`: its name in the database, "" where it does not show. `mapper`: "sqlalchemy", "django", "prisma", "drizzle", "typeorm",
    "sequelize", "mongoose" or "sql". `removes`: models whose rows the mapper removes with a row of this one. `uniques`, `indexes`: names of columns that together are unique or have an index, in their order, an expression as "(…)". `whole`:
    False where columns or rules may come from something that was not read (a base class of a library, a computed name).
    """

    name: str
    table: str
    place: Place
    mapper: str
    columns: tuple[Column, ...] = ()
    uniques: tuple[tuple[str, ...], ...] = ()
    indexes: tuple[tuple[str, ...], ...] = ()
    whole: bool = True
    removes: tuple[str, ...] = ()

    def column(self, name: str) -> Column | None:
        """The column of that name, in the database or in code."""
        return next((column for column in self.columns if name in {column.name, column.attribute}), None)


@dataclass(frozen=True, slots=True)
class DataModel:
    """All tables in the order of path and line, without those of tests, examples and migrations.

    `databases`: kinds of database the settings or schema files name ("postgresql", "sqlite", ...), "configured" where a setting decides. `unenforced`: where foreign keys are declared but never reach the
    database (Prisma's relation mode), or are not watched by it (SQLite without its pragma), with the reason.
    """

    tables: tuple[Table, ...] = ()
    databases: frozenset[str] = frozenset()
    unenforced: tuple[tuple[Place, str], ...] = ()
