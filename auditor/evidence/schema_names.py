"""Evidence SCHEMA_NAMES: every table, column, model and field that production code names, looked up in what the repository declares."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

from auditor.evidence.registry import Context, own_stamp, provides
from auditor.evidence.route_names import Names
from auditor.evidence.schema_lookup import Database, Model
from auditor.evidence.schema_uses import Named, hosted_uses, query_uses
from auditor.evidence.schema_uses_django import django_uses
from auditor.evidence.schema_uses_drizzle import drizzle_uses
from auditor.evidence.schema_uses_prisma import prisma_uses
from auditor.evidence.schema_uses_python import alchemy_uses
from auditor.evidence.tables_classes import PythonClasses
from auditor.languages.database_kind import database_of
from auditor.languages.hosted_types import is_types_of_a_database, typed_tables
from auditor.model.artifacts import Manifests
from auditor.model.evidence import Stores
from auditor.model.need import Known, Unavailable
from auditor.model.needs import MANIFESTS, SCHEMA_NAMES, SNAPSHOT, STORES, SYNTAX, TEXTS
from auditor.model.schema_names import Lookup, SchemaNames, SchemaUse
from auditor.model.snapshot import NOT_OURS, Language, Role, Snapshot
from auditor.model.syntax import FileFacts, Syntax
from auditor.model.tables import Table
from auditor.model.verdict import Place

_DIALECTS = ("postgres", "sqlite", "mysql", "tsql")


@provides(SCHEMA_NAMES, needs=(SNAPSHOT, TEXTS, SYNTAX, MANIFESTS, STORES))
def schema_names(
    _context: Context, snapshot: Snapshot, texts: dict[str, str], syntax: Syntax, manifests: Manifests, stores: Stores
) -> Known[SchemaNames] | Unavailable:
    """Read all uses; a file that does not parse is unexamined."""
    files = [syntax.files[f.path] for f in snapshot.files if f.role is Role.FIRST_PARTY and f.path in syntax.files]
    typed = list(_typed(snapshot, texts))
    database = Database(stores.data.tables, stores.table_sources, typed)
    named, unread = _named(files, texts, database)
    uses = [*_looked_up(named, database), *prisma_uses(files, _schemas(snapshot, texts))]
    if {table.mapper for table in stores.data.tables} & {"sqlalchemy", "django", "drizzle"}:
        uses += _of_mappers(files, stores.data.tables, Names(snapshot, texts, syntax, manifests))
    unread += _not_compared(stores.data.tables)
    value = SchemaNames(tuple(sorted(dict.fromkeys(uses), key=lambda u: (u.place.path, u.place.line, u.table, u.column))), tuple(unread))
    broken = tuple((facts.path, f"does not parse (line {facts.error_line})") for facts in files if facts.error_line)
    return Known(value, own_stamp(), frozenset(facts.path for facts in files) - {path for path, _ in broken}, broken)


def _of_mappers(files: list[FileFacts], tables: tuple[Table, ...], names: Names) -> Iterator[SchemaUse]:
    """What code names of models that stand in code themselves."""
    python = [facts for facts in files if facts.path.endswith(".py")]
    classes = PythonClasses(python)
    yield from alchemy_uses(python, classes, tables, names)
    yield from django_uses(python, classes, tables, names)
    yield from drizzle_uses([facts for facts in files if not facts.path.endswith(".py")], tables, names)


def _not_compared(tables: tuple[Table, ...]) -> list[tuple[str, str]]:
    """Mappers whose queries are not read, each with the first of its models."""
    first: dict[str, Table] = {}
    for table in tables:
        if table.mapper in {"typeorm", "sequelize"}:
            first.setdefault(table.mapper, table)
    return [
        (f"{t.place.path}:{t.place.line}", f"what code asks of models of {mapper} is not compared") for mapper, t in sorted(first.items())
    ]


def _schemas(snapshot: Snapshot, texts: dict[str, str]) -> list[tuple[str, str]]:
    return [(f.path, texts[f.path]) for f in snapshot.files if f.language is Language.PRISMA and f.role not in NOT_OURS and f.path in texts]


def _typed(snapshot: Snapshot, texts: dict[str, str]) -> Iterator[Model]:
    """The tables of generated types, which tell what the database looked like when they were made."""
    for file in snapshot.files:
        if file.path.endswith(".ts") and is_types_of_a_database(texts.get(file.path, "")):
            for table in typed_tables(texts[file.path]):
                yield Model(table.name, Place(file.path, table.line, table.line), frozenset(name for name, _ in table.columns))


def _named(files: list[FileFacts], texts: dict[str, str], database: Database) -> tuple[list[Named], list[tuple[str, str]]]:
    """What clients and query texts name, and the queries nobody could read."""
    tables = frozenset(database.tables)
    named = [use for facts in files for use in hosted_uses(facts, tables)]
    unread: list[tuple[str, str]] = []
    own = {"tsql": "tsql", "mysql": "mysql", "sqlite": "sqlite"}.get(database_of(texts), "postgres")
    for use in query_uses(files, tuple(dict.fromkeys((own, *_DIALECTS)))) if tables else ():
        if isinstance(use, Named):
            named.append(use)
        else:
            unread.append((f"{use[0]}:{use[1]}", "a query that no grammar here reads"))
    return named, unread


def _looked_up(named: list[Named], database: Database) -> Iterator[SchemaUse]:
    """The names as they are found; tables of a database that is kept elsewhere are no mistakes."""
    found: list[SchemaUse] = []
    for use in named:
        place = Place(use.path, use.line, use.line)
        if not use.column:
            found.append(database.table(place, use.tables[0], use.way, writes=use.writes))
            continue
        column = database.column(place, use.tables, use.column, use.way, writes=use.writes)
        if column is not None:
            found.append(column)
    yield from _kept_here(found)


def _kept_here(found: list[SchemaUse]) -> Iterator[SchemaUse]:
    """Missing tables are open where most tables of a client, or of a file with query texts, are declared nowhere: their database is another's."""
    known: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    missing: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for use in found:
        for key in ((use.way, ""), (use.way, use.place.path)):
            if not use.column and use.found in {Lookup.DECLARED, Lookup.NO_TABLE}:
                (known if use.found is Lookup.DECLARED else missing)[key].add(use.table.lower())
    for use in found:
        if use.found is Lookup.NO_TABLE:
            whole, here = (use.way, ""), (use.way, use.place.path)
            elsewhere = len(known[whole]) <= len(missing[whole]) or (use.way == "sql" and len(known[here]) < len(missing[here]))
            yield replace(use, found=Lookup.OPEN) if elsewhere else use
        else:
            yield use
