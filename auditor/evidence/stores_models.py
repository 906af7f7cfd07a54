"""Data models declared in code and schema files, and whether migrations know their tables and columns. Part of the evidence STORES."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from auditor.evidence.tables_classes import PythonClasses
from auditor.evidence.tables_django import django_tables
from auditor.evidence.tables_entities import entity_tables
from auditor.evidence.tables_prisma import prisma_tables
from auditor.evidence.tables_script import script_tables
from auditor.evidence.tables_sqlalchemy import alchemy_tables, core_tables, snake
from auditor.languages.migrations import Migration
from auditor.model.syntax import FileFacts
from auditor.model.tables import Table
from auditor.model.verdict import Place


def declared(files: Iterable[FileFacts], schemas: Iterable[tuple[str, str]], texts: dict[str, str]) -> Iterator[Table]:
    """Every table that production code and Prisma's schema files (path, text) declare."""
    read = list(files)
    python = [facts for facts in read if facts.path.endswith(".py")]
    scripts = [facts for facts in read if not facts.path.endswith(".py")]
    classes = PythonClasses(python)
    yield from alchemy_tables(classes, texts)
    yield from core_tables(python)
    yield from django_tables(classes)
    yield from prisma_tables(schemas)
    yield from script_tables(scripts, texts)
    yield from entity_tables(scripts)


# -- models against migrations -----------------------------------------------------------------------------------------------------

_WORD = re.compile(r"\w+")
_MAPPER_TOOLS = {
    "sqlalchemy": frozenset({"alembic", "sql", "flyway", "dbmate", "golang-migrate", "goose", "supabase"}),
    "django": frozenset({"django"}),
    "prisma": frozenset({"prisma"}),
    "drizzle": frozenset({"drizzle"}),
    "typeorm": frozenset({"typeorm", "script"}),
    "sequelize": frozenset({"sequelize", "script"}),
}
_COMPARED = frozenset({"sqlalchemy", "prisma"})
"""Mappers whose columns are compared one by one."""


def lag(models: Iterable[Table], migrations: tuple[Migration, ...], texts: dict[str, str]) -> Iterator[tuple[str, Place, str]]:
    """Models and columns that no migration makes, as problems; nothing is said where migrations compute their names."""
    for mapper, declared in sorted(_by_mapper(models).items()):
        relevant = [migration for migration in migrations if migration.framework in _MAPPER_TOOLS.get(mapper, frozenset())]
        if not relevant:
            continue
        if mapper == "django":
            yield from _django_lag(declared, relevant, texts)
        elif not any(migration.opaque for migration in relevant):
            yield from _table_lag(declared, relevant, texts)


def _by_mapper(models: Iterable[Table]) -> dict[str, list[Table]]:
    grouped: defaultdict[str, list[Table]] = defaultdict(list)
    for model in models:
        grouped[model.mapper].append(model)
    return grouped


def _words(migrations: Iterable[Migration], texts: dict[str, str]) -> frozenset[str]:
    return frozenset(word for migration in migrations for word in _WORD.findall(texts.get(migration.path, "")))


def _table_lag(models: list[Table], migrations: list[Migration], texts: dict[str, str]) -> Iterator[tuple[str, Place, str]]:
    words = _words(migrations, texts)
    lower = {word.lower() for word in words}
    made = {name for migration in migrations for name in migration.created}
    columns = {pair for migration in migrations for pair in migration.columns}
    anywhere = {column for table, column in columns if not table}
    for model in models:
        if not model.table:
            if not lower & {model.name.lower(), snake(model.name), f"{snake(model.name)}s"}:
                yield "model_without_migration", model.place, f"the table of {model.name} is made by no migration"
            continue
        if model.mapper == "sqlalchemy" and not model.columns:
            continue  # lives in the table of its parent class
        if model.table not in words:
            yield "model_without_migration", model.place, f"the table {model.table} of {model.name} is made by no migration"
            continue
        if model.table not in made:
            continue  # renamed or made by a helper: columns cannot be compared
        for column in model.columns if model.mapper in _COMPARED else ():
            known = (model.table, column.name) in columns or column.name in anywhere
            if column.line and not known and _compared(model.table, columns):
                yield "column_without_migration", column.place(model), f"the column {column.name} of {model.table} is made by no migration"


def _compared(table: str, columns: set[tuple[str, str]]) -> bool:
    """Whether the columns of a table show in the migration that makes it."""
    return any(name == table for name, _ in columns)


def _django_lag(models: list[Table], migrations: list[Migration], texts: dict[str, str]) -> Iterator[tuple[str, Place, str]]:
    """Per app: models and fields whose name occurs in none of the app's migrations."""
    apps: defaultdict[str, list[Migration]] = defaultdict(list)
    for migration in migrations:
        apps[str(PurePosixPath(migration.series).parent)].append(migration)
    words = {app: _words(entries, texts) for app, entries in apps.items()}
    for model in models:
        app = _app_of(model.place.path, frozenset(apps))
        if app is None:
            if _is_model_file(model.place.path):
                yield "model_without_migration", model.place, f"the model {model.name} stands in an app without migrations"
            continue
        if model.name not in words[app] and model.name.lower() not in words[app]:
            yield "model_without_migration", model.place, f"the model {model.name} is made by no migration of its app"
            continue
        for column in model.columns:
            field = column.attribute or column.name
            if column.line and field != "id" and field not in words[app]:
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
