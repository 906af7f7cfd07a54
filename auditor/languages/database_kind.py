"""Which database a project runs on, read off its settings, addresses and drivers: only to keep silent about locks where it is known to be another than PostgreSQL."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

_SETTINGS = re.compile(
    r"^(?:alembic\.ini|flyway\.conf|application[\w.-]*\.(?:properties|ya?ml)|.*\.(?:toml|prisma)|\.env[\w.-]*|(?:docker-)?compose[\w.-]*\.ya?ml|requirements[\w.-]*\.txt|package\.json|Pipfile|setup\.(?:py|cfg)|config\.json|\.sequelizerc"
    r"|(?:settings|config|database|databases|db|base|production|prod|env|data-?source|ormconfig|knexfile|drizzle\.config|app\.module|sequelize)\w*\.(?:py|[cm]?[jt]s|json))$",
    re.IGNORECASE,
)
_NAMES = re.compile(
    r"(?P<url>\b(?:postgres(?:ql)?|mysql|mariadb|sqlite|mssql|cockroachdb)(?:\+\w+)?:/{2,4})"
    r"|django\.db\.backends\.(?P<django>postgresql|mysql|sqlite3)"
    r"|\b(?:client|dialect|type|provider)[\"']?\s*[:=]\s*[\"'](?P<named>postgres(?:ql)?|pg|mysql2?|mariadb|sqlite3?|better-sqlite3|mssql|sqlserver|turso)[\"']"
    r"|(?:^|[\"'\s])(?P<driver>psycopg2?(?:-binary)?|asyncpg|pg|postgres|mysqlclient|pymysql|mysql2|aiomysql|asyncmy|better-sqlite3|sqlite3|aiosqlite|pyodbc|tedious)[\"'\s\[=<>~:]",
    re.IGNORECASE | re.MULTILINE,
)
_FAMILIES = (
    ("postgres", "postgres"),
    ("psycopg", "postgres"),
    ("asyncpg", "postgres"),
    ("pg", "postgres"),
    ("cockroach", "postgres"),
    ("mysql", "mysql"),
    ("pymysql", "mysql"),
)
_MORE = (
    ("maria", "mysql"),
    ("aiomysql", "mysql"),
    ("asyncmy", "mysql"),
    ("sqlite", "sqlite"),
    ("better-sqlite", "sqlite"),
    ("aiosqlite", "sqlite"),
    ("turso", "sqlite"),
)
_OTHERS = (("mssql", "tsql"), ("sqlserver", "tsql"), ("pyodbc", "tsql"), ("tedious", "tsql"))
_READ = 100_000


def family(name: str) -> str:
    """The family of a database, driver or dialect by its name: "postgres", "mysql", "sqlite", "tsql"; "" for others."""
    lowered = name.lower()
    return next((found for beginning, found in (*_FAMILIES, *_MORE, *_OTHERS) if lowered.startswith(beginning)), "")


def database_of(texts: Mapping[str, str]) -> str:
    """The one database a project is known to run on when it is not PostgreSQL, else ""; SQLite beside a server is taken for the developer's."""
    named = {entry for path in sorted(texts) if _SETTINGS.match(PurePosixPath(path).name) for entry in _named(texts[path][:_READ])}
    found = {name for name, said in named if said}
    if not found - {"sqlite"}:  # a driver may serve something else than the own data, so it counts only beside no server that is named
        found |= {name for name, _ in named}
    if "postgres" in found or not found:
        return ""
    servers = found - {"sqlite"}
    if len(servers) > 1:
        return ""
    return next(iter(servers), "sqlite")


def _named(text: str) -> Iterator[tuple[str, bool]]:
    """Families, and whether a setting or an address says so and not only a driver."""
    for match in _NAMES.finditer(text):
        name = family(match.group(match.lastgroup or 0))
        if name:
            yield name, match.lastgroup != "driver"
