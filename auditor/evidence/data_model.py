"""Evidence DATA_MODEL: the tables and collections of the system with their columns, keys and rules."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from auditor.evidence.registry import Context, own_stamp, provides
from auditor.evidence.stores_models import declared
from auditor.evidence.tables_prisma import provider, relation_mode
from auditor.model.artifacts import Manifests
from auditor.model.need import Known, Unavailable
from auditor.model.needs import DATA_MODEL, MANIFESTS, SNAPSHOT, SYNTAX, TEXTS
from auditor.model.snapshot import NOT_OURS, Language, Role, Snapshot
from auditor.model.syntax import FileFacts, Syntax
from auditor.model.tables import DataModel, Table
from auditor.model.verdict import Place

_URL = re.compile(r"^(sqlite|postgres|mysql|mariadb|mssql|oracle|cockroachdb)(?:ql)?(?:\+\w+)?:/")
_ENGINE = re.compile(r"^django\.db\.backends\.(\w+)$")
_DIALECTS = {
    "pg": "postgresql", "postgres": "postgresql", "postgresql": "postgresql", "postgresql_psycopg2": "postgresql", "mysql2": "mysql", "mysql": "mysql", "mariadb": "mysql",
    "sqlite": "sqlite", "sqlite3": "sqlite", "better-sqlite3": "sqlite", "aiosqlite": "sqlite", "psycopg2": "postgresql", "psycopg": "postgresql", "asyncpg": "postgresql",
    "pymysql": "mysql", "MySQLdb": "mysql", "cockroachdb": "postgresql",
}  # fmt: skip
_NAMES_DIALECT = frozenset({"type", "dialect", "client", "ENGINE"})
_PRAGMA = re.compile(r"foreign_keys\s*=\s*(?:on|1|true)", re.IGNORECASE)


_CONFIGURED = "configured"


@provides(DATA_MODEL, needs=(SNAPSHOT, TEXTS, SYNTAX, MANIFESTS))
def data_model(
    _context: Context, snapshot: Snapshot, texts: dict[str, str], syntax: Syntax, manifests: Manifests
) -> Known[DataModel] | Unavailable:
    """Read the declarations of all mappers; files that do not parse are unexamined."""
    files = [file for file in snapshot.files if file.role not in NOT_OURS and file.path in texts]
    production = [syntax.files[file.path] for file in files if file.role is Role.FIRST_PARTY and file.path in syntax.files]
    schemas = [(file.path, texts[file.path]) for file in files if file.language is Language.PRISMA]
    tables = tuple(sorted(declared(production, schemas, texts), key=lambda table: (table.place.path, table.place.line, table.name)))
    databases = frozenset((*_databases(production), *_of_schemas(schemas), *_drivers(manifests)))
    value = DataModel(tables, databases, tuple(_unenforced(tables, databases, schemas, production)))
    broken = tuple((facts.path, f"does not parse (line {facts.error_line})") for facts in production if facts.error_line)
    return Known(value, own_stamp(), frozenset(facts.path for facts in production if not facts.error_line), broken)


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


def _unenforced(
    tables: tuple[Table, ...], databases: frozenset[str], schemas: list[tuple[str, str]], production: list[FileFacts]
) -> Iterator[tuple[Place, str]]:
    """Where foreign keys are declared and nothing in the database watches them."""
    for path, text in schemas:
        place = relation_mode(path, text)
        if place is not None:
            yield place, "relationMode"
    keyed = [table for table in tables if table.mapper in {"sqlalchemy", "sql"} and any(column.references for column in table.columns)]
    if keyed and databases == {"sqlite"} and not any(_PRAGMA.search(literal.text) for facts in production for literal in facts.literals):
        yield keyed[0].place, "pragma"
