"""The tables and collections of the system with their columns, keys and rules, from all that declares them. Part of the evidence STORES."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from auditor.evidence.tables_prisma import provider, relation_mode
from auditor.evidence.tables_sql import completed, migrated_tables, scripted_tables, stated_tables
from auditor.languages.migration_set import MigrationSet
from auditor.model.artifacts import Manifests
from auditor.model.syntax import FileFacts
from auditor.model.tables import DataModel, Table
from auditor.model.verdict import Place

_URL = re.compile(r"^(sqlite|postgres|mysql|mariadb|mssql|oracle|cockroachdb)(?:ql)?(?:\+\w+)?:/")
_ENGINE = re.compile(r"^django\.db\.backends\.(\w+)$")
_DIALECTS = {
    "pg": "postgresql", "postgres": "postgresql", "postgresql": "postgresql", "postgresql_psycopg2": "postgresql", "mysql2": "mysql", "mysql": "mysql", "mariadb": "mysql",
    "sqlite": "sqlite", "sqlite3": "sqlite", "better-sqlite3": "sqlite", "aiosqlite": "sqlite", "psycopg2": "postgresql", "psycopg": "postgresql", "asyncpg": "postgresql",
    "supabase": "postgresql", "@supabase/supabase-js": "postgresql", "pymysql": "mysql", "MySQLdb": "mysql", "cockroachdb": "postgresql",
}  # fmt: skip
_NAMES_DIALECT = frozenset({"type", "dialect", "client", "ENGINE"})
_PRAGMA = re.compile(r"foreign_keys\s*=\s*(?:on|1|true)", re.IGNORECASE)


_CONFIGURED = "configured"


@dataclass(frozen=True, slots=True)
class Scripts:
    """Files that declare tables and are no code: Prisma's `schemas` and `sql` files outside of migrations, as (path, text)."""

    schemas: list[tuple[str, str]]
    sql: list[tuple[str, str]]


def data_model(
    models: tuple[Table, ...], changes: MigrationSet, production: list[FileFacts], scripts: Scripts, manifests: Manifests
) -> DataModel:
    """The tables of mappers, completed by what only migrations say; without mappers those of SQL."""
    schemas = scripts.schemas
    databases = frozenset((*_databases(production), *_of_schemas(schemas), *_drivers(manifests)))
    made = migrated_tables(changes, databases)
    relational = any(model.mapper != "mongoose" for model in models)
    tables = tuple(completed(models, made)) if relational else (*models, *(made or _by_hand(scripts.sql, production, databases)))
    ordered = tuple(sorted(tables, key=lambda table: (table.place.path, table.place.line, table.name)))
    return DataModel(ordered, databases, tuple(_unenforced(ordered, databases, schemas, production)))


def _by_hand(scripts: list[tuple[str, str]], production: list[FileFacts], databases: frozenset[str]) -> tuple[Table, ...]:
    """The tables of scripts, and those that code makes itself and no script does."""
    written = scripted_tables(scripts, databases)
    known = {table.table for table in written}
    dialect = "sqlite" if databases == {"sqlite"} else "mysql" if databases == {"mysql"} else ""
    return (*written, *(table for table in stated_tables(production, dialect) if table.table not in known))


def _of_schemas(schemas: list[tuple[str, str]]) -> Iterator[str]:
    return (_DIALECTS.get(name, name) for _, text in schemas if (name := provider(text)))


def _databases(production: Iterable[FileFacts]) -> Iterator[str]:
    """Kinds of database by addresses, settings and drivers; an address that is only what a setting falls back to leaves the kind open."""
    for facts in production:
        fallbacks = {read.line + number for read in facts.environment if read.default is not None for number in range(2)}
        fallbacks |= {
            a.line for a in facts.assignments if a.scope >= 0 and any("Settings" in base for base in facts.definitions[a.scope].bases)
        }
        for literal in facts.literals:
            url, engine = _URL.match(literal.text), _ENGINE.match(literal.text)
            if url:
                yield _CONFIGURED if literal.line in fallbacks else _DIALECTS.get(url[1], url[1])
            elif engine:
                yield _DIALECTS.get(engine[1], engine[1])
        for statement in facts.imports:
            if statement.module in _DIALECTS:
                yield _DIALECTS[statement.module]
        for call in facts.calls:
            for argument in call.arguments:
                for key in _NAMES_DIALECT:
                    value = argument.value.item(key)
                    if value is not None and value.literal in _DIALECTS:
                        yield _DIALECTS[value.literal]


def _drivers(manifests: Manifests) -> Iterator[str]:
    for manifest in manifests.manifests:
        for requirement in manifest.requirements:
            if requirement.name.removesuffix("-binary") in _DIALECTS and not requirement.name.startswith("sqlite"):
                yield _DIALECTS[requirement.name.removesuffix("-binary")]


def _in_code(table: Table) -> bool:
    """Whether the program itself declares a table to a driver that leaves it to the program to have keys watched."""
    return table.mapper == "sqlalchemy" or (table.mapper == "sql" and not table.place.path.endswith(".sql"))


def _unenforced(
    tables: tuple[Table, ...], databases: frozenset[str], schemas: list[tuple[str, str]], production: list[FileFacts]
) -> Iterator[tuple[Place, str]]:
    """Where foreign keys are declared and nothing in the database watches them."""
    for path, text in schemas:
        place = relation_mode(path, text)
        if place is not None:
            yield place, "relationMode"
    keyed = [t for t in tables if _in_code(t) and any(column.references for column in t.columns)]
    if keyed and databases == {"sqlite"} and not any(_PRAGMA.search(literal.text) for facts in production for literal in facts.literals):
        yield keyed[0].place, "pragma"
