"""Models against the schema that the migrations leave: tables, columns and rules that only one of them has. Part of the evidence STORES.

Nothing is said where a name could not be read: a table the fold knows in part, a migration that builds from the models or holds what no grammar reads.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from auditor.evidence.tables_sqlalchemy import snake
from auditor.languages import operations as ops
from auditor.languages import schema_state
from auditor.languages.migration_set import MigrationSet
from auditor.languages.migrations import Migration
from auditor.languages.schema_state import Schema
from auditor.model.tables import Column, Table
from auditor.model.verdict import Place

Problem = tuple[str, Place, str]

_WORD = re.compile(r"\w+")
_TOOLS = {
    "sqlalchemy": frozenset({"alembic", "sql", "flyway", "dbmate", "golang-migrate", "goose", "supabase"}),
    "django": frozenset({"django"}),
    "prisma": frozenset({"prisma"}),
    "drizzle": frozenset({"drizzle"}),
    "typeorm": frozenset({"typeorm", "script"}),
    "sequelize": frozenset({"sequelize", "script"}),
}
_MAKES_KEYS = frozenset({"sqlalchemy", "prisma", "typeorm", "drizzle"})
"""Mappers whose models stand for the unique rules and foreign keys of the database; Sequelize's may be a note for the program alone."""
_WRITES_ALL = frozenset({"sqlalchemy", "prisma", "drizzle", "typeorm"})
"""Mappers that name each column they fill."""


@dataclass(frozen=True, slots=True)
class _Made:
    """What the migrations of one mapper leave; `words` of all their texts, `blind`: something in them could not be read."""

    schema: Schema
    words: frozenset[str]
    blind: bool
    apps: frozenset[str]


def drift(models: Iterable[Table], changes: MigrationSet, texts: dict[str, str], *, keyless: bool) -> Iterator[Problem]:
    """Where models and migrations part; `keyless`: the client keeps relations out of the database on purpose."""
    grouped: defaultdict[str, list[Table]] = defaultdict(list)
    for model in models:
        grouped[model.mapper].append(model)
    for mapper, declared in sorted(grouped.items()):
        series = {
            name: entries for name, entries in changes.series.items() if entries and entries[0].framework in _TOOLS.get(mapper, frozenset())
        }
        if not series:
            continue
        made = _made(changes, series, texts)
        if mapper == "django":
            yield from _django(declared, made)
        elif not any(migration.opaque for entries in series.values() for migration in entries):
            for model in declared:
                yield from _of_model(model, made, keyless=keyless)


def _made(changes: MigrationSet, series: dict[str, tuple[Migration, ...]], texts: dict[str, str]) -> _Made:
    schema = changes.schema(*series)
    entries = [migration for each in series.values() for migration in each]
    words = frozenset(word.lower() for migration in entries for word in _WORD.findall(texts.get(migration.path, "")))
    renamed = any(operation.kind == ops.CODE for migration in entries for operation in migration.up.operations)
    apps = frozenset(str(PurePosixPath(name).parent) for name in series)
    return _Made(schema, words, bool(schema.unread) or renamed, apps)


def _of_model(model: Table, made: _Made, *, keyless: bool) -> Iterator[Problem]:
    if model.mapper == "sqlalchemy" and not any(not column.path for column in model.columns):
        return  # lives in the table of its parent class
    table = _table(made.schema, table_names(model))
    if table is None:
        if not {name.lower() for name in table_names(model)} & made.words:
            shown = f"the table {model.table} of {model.name}" if model.table else f"the table of {model.name}"
            yield "model_without_migration", model.place, f"{shown} is made by no migration"
        return
    yield from _columns(model, table, made)
    yield from _rules(model, table, keyless=keyless)
    yield from _left_over(model, table)


def table_names(model: Table) -> list[str]:
    """What the table may be called: as declared, or as mappers make it of the class."""
    if model.table:
        return [model.table]
    plain, parts = model.name, snake(model.name)
    return [plain, parts, f"{plain}s", f"{parts}s", f"{parts[:-1]}ies", f"{parts}es"]


def _table(schema: Schema, names: list[str]) -> schema_state.Table | None:
    known = {name.rsplit(".", 1)[-1].lower(): table for name, table in schema.tables.items()}
    return next((known[name.lower()] for name in names if name.lower() in known), None)


def _known(table: schema_state.Table, column: Column) -> ops.Column | None:
    """The column as the migrations leave it, under the name of the model or the one a naming rule makes of it."""
    found = {name.lower(): entry for name, entry in table.columns.items()}
    return next(
        (found[name] for name in (column.name.lower(), snake(column.name), column.name.replace("_", "").lower()) if name in found), None
    )


def _columns(model: Table, table: schema_state.Table, made: _Made) -> Iterator[Problem]:
    if not table.complete:
        return
    for column in model.columns:
        if column.line and _known(table, column) is None and not (made.blind and column.name.lower() in made.words):
            yield "column_without_migration", column.place(model), f"the column {column.name} of {table.name} is made by no migration"


def _rules(model: Table, table: schema_state.Table, *, keyless: bool) -> Iterator[Problem]:
    """Uniqueness and keys that the model promises and no migration makes."""
    uniques = {frozenset(name.lower() for name in group) for group in table.unique_sets()}
    for column in model.columns:
        known = _known(table, column)
        if known is None or not table.complete or column.primary:
            continue
        if (
            column.unique
            and model.mapper in _MAKES_KEYS
            and frozenset({known.name.lower()}) not in uniques
            and not any(_is_over(index, known.name) for index in table.indexes.values())
        ):
            message = f"{model.name} calls {column.name} unique, and no migration makes it so in {table.name}: two rows with the same value are accepted"
            yield "rule_without_migration", column.place(model), message
        if column.references and not known.references and not keyless and model.mapper in _MAKES_KEYS:
            message = f"{model.name} says that {column.name} leads to {column.references}, and no migration makes that foreign key in {table.name}: rows that lead nowhere are accepted"
            yield "rule_without_migration", column.place(model), message


def _is_over(index: schema_state.Index, name: str) -> bool:
    """Whether a unique index is over an expression of the column."""
    return index.unique and any(name.lower() in column.lower() for column in index.columns)


def _left_over(model: Table, table: schema_state.Table) -> Iterator[Problem]:
    """Columns that the database insists on and the model never fills."""
    if not model.whole or not table.complete or model.mapper not in _WRITES_ALL:
        return
    filled = {name for column in model.columns for name in (column.name.lower(), snake(column.name), column.name.replace("_", "").lower())}
    for name, column in table.columns.items():
        if name.lower() not in filled and column.not_null and not column.primary and not (column.default or column.generated):
            message = f"the migrations leave {table.name} with the column {name}, which must be filled and which {model.name} does not know: every new row is refused"
            yield "column_without_model", model.place, message


# -- Django ------------------------------------------------------------------------------------------------------------------------------


def _django(models: list[Table], made: _Made) -> Iterator[Problem]:
    """Tables are named after the app, which is the folder that holds the migrations."""
    for model in models:
        app = _app_of(model.place.path, made.apps)
        if app is None:
            if _is_model_file(model.place.path):
                yield "model_without_migration", model.place, f"the model {model.name} stands in an app without migrations"
            continue
        table = _table(made.schema, [model.table, f"{PurePosixPath(app).name}_{model.name}"])
        if table is None:
            if model.name.lower() not in made.words:
                yield "model_without_migration", model.place, f"the model {model.name} is made by no migration of its app"
            continue
        for column in model.columns if table.complete else ():
            field = column.attribute or column.name
            made_here = _known(table, column) is not None or field.lower() in {name.lower() for name in table.columns}
            if column.line and field != "id" and not made_here and not (made.blind and field.lower() in made.words):
                yield "column_without_migration", column.place(model), f"the field {field} of {model.name} is made by no migration"


def _app_of(path: str, apps: frozenset[str]) -> str | None:
    """The nearest folder above a file that has migrations."""
    for folder in PurePosixPath(path).parents:
        name = str(folder)
        if name in apps and name != ".":
            return name
    return "." if "." in apps else None


def _is_model_file(path: str) -> bool:
    place = PurePosixPath(path)
    return place.name == "models.py" or place.parent.name == "models"
