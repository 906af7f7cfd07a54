"""Where production code makes what it reaches a database server through: pools, engines, clients and single connections. Files and HTTP clients are none.

Whether a database is a file is read from its address, as far as that stands in the code; a client whose requests are plain HTTP holds no connection.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from auditor.checks.outgoing import assigned_values
from auditor.checks.outgoing_python import expand, imported
from auditor.model.syntax import Call, DefinitionKind, FileFacts, Value, ValueKind


class Shape(StrEnum):
    """What is made."""

    POOL = "pool"  # lends connections: an engine, a mapper, the client of a driver that pools by itself
    CONNECTION = "connection"  # one connection


@dataclass(frozen=True, slots=True)
class Handle:
    """One place that makes a pool or a connection; `named` is what it is called in its library."""

    path: str
    line: int
    scope: int
    shape: Shape
    named: str
    call: Call


_PYTHON_POOLS = frozenset(
    {
        "sqlalchemy.create_engine", "sqlmodel.create_engine", "sqlalchemy.engine.create_engine", "sqlalchemy.ext.asyncio.create_async_engine", "sqlalchemy.ext.asyncio.engine.create_async_engine",
        "pymongo.MongoClient", "pymongo.AsyncMongoClient", "pymongo.mongo_client.MongoClient", "motor.motor_asyncio.AsyncIOMotorClient", "asyncpg.create_pool", "psycopg_pool.ConnectionPool",
        "psycopg_pool.AsyncConnectionPool", "psycopg2.pool.SimpleConnectionPool", "psycopg2.pool.ThreadedConnectionPool", "aiomysql.create_pool", "mysql.connector.pooling.MySQLConnectionPool",
        "databases.Database", "flask_sqlalchemy.SQLAlchemy", "tortoise.Tortoise.init", "tortoise.contrib.fastapi.register_tortoise", "mongoengine.connect", "dbutils.pooled_db.PooledDB", "oracledb.create_pool",
        "flask_pymongo.PyMongo", "flask_mongoengine.MongoEngine", "peewee.PostgresqlDatabase", "peewee.MySQLDatabase", "playhouse.pool.PooledPostgresqlDatabase", "playhouse.pool.PooledMySQLDatabase",
        "playhouse.db_url.connect", "neo4j.GraphDatabase.driver", "clickhouse_connect.get_client",
    }
)  # fmt: skip
_PYTHON_CONNECTIONS = frozenset(
    {
        "psycopg2.connect", "psycopg.connect", "psycopg.Connection.connect", "psycopg.AsyncConnection.connect", "asyncpg.connect", "pymysql.connect", "pymysql.Connection", "MySQLdb.connect",
        "mysql.connector.connect", "aiomysql.connect", "pyodbc.connect", "oracledb.connect", "cx_Oracle.connect", "pymssql.connect", "mariadb.connect", "asyncmy.connect",
    }
)  # fmt: skip
_SCRIPT_POOLS: dict[str, frozenset[str]] = {
    "new PrismaClient": frozenset({"@prisma/client", "prisma"}),
    "new Pool": frozenset({"pg", "@neondatabase/serverless", "pg-pool"}), "new pg.Pool": frozenset({"pg"}),
    "postgres": frozenset({"postgres"}), "pgp": frozenset({"pg-promise"}),
    "mysql.createPool": frozenset({"mysql2", "mysql", "mysql2/promise", "promise-mysql"}), "createPool": frozenset({"mysql2", "mysql2/promise", "mysql", "mariadb", "@vercel/postgres"}),
    "mariadb.createPool": frozenset({"mariadb"}),
    "mongoose.connect": frozenset({"mongoose"}), "connect": frozenset({"mongoose"}), "mongoose.createConnection": frozenset({"mongoose"}), "new MongoClient": frozenset({"mongodb"}), "MongoClient.connect": frozenset({"mongodb"}),
    "new Sequelize": frozenset({"sequelize", "sequelize-typescript"}), "new DataSource": frozenset({"typeorm"}), "createConnection": frozenset({"typeorm"}),
    "TypeOrmModule.forRoot": frozenset({"@nestjs/typeorm"}), "TypeOrmModule.forRootAsync": frozenset({"@nestjs/typeorm"}), "SequelizeModule.forRoot": frozenset({"@nestjs/sequelize"}),
    "MongooseModule.forRoot": frozenset({"@nestjs/mongoose"}), "MongooseModule.forRootAsync": frozenset({"@nestjs/mongoose"}),
    "knex": frozenset({"knex"}), "Knex": frozenset({"knex"}), "MikroORM.init": frozenset({"@mikro-orm/core", "@mikro-orm/postgresql", "@mikro-orm/mysql"}),
}  # fmt: skip
_SCRIPT_CONNECTIONS: dict[str, frozenset[str]] = {
    "new Client": frozenset({"pg", "@neondatabase/serverless"}), "new pg.Client": frozenset({"pg"}),
    "mysql.createConnection": frozenset({"mysql2", "mysql", "mysql2/promise", "promise-mysql"}), "createConnection": frozenset({"mysql2", "mysql2/promise", "mysql"}),
    "mariadb.createConnection": frozenset({"mariadb"}),
}  # fmt: skip
_FILE_ADDRESS = re.compile(r"sqlite|:memory:|\.db\b|libsql|better-sqlite3|duckdb", re.IGNORECASE)
_SERVER_ADDRESS = re.compile(r"postgres|mysql|mssql|oracle|mariadb|cockroach|asyncpg|psycopg|pymysql", re.IGNORECASE)
_SERVER_DRIVER = re.compile(
    r"\b(?:psycopg2?(?:-binary|-c)?|asyncpg|pymysql|mysqlclient|mysql-connector-python|aiomysql|pyodbc|oracledb)\b", re.IGNORECASE
)
_DECLARING = re.compile(r"(?:^|/)(?:requirements[\w.-]*\.(?:txt|in)|pyproject\.toml|Pipfile|setup\.(?:cfg|py))$")
_ADDRESS_SETTING = re.compile(r"SQLALCHEMY_DATABASE_URI|MONGO_URI")
_PRISMA_FILE = re.compile(r"provider\s{0,9}=\s{0,9}\"sqlite\"")
_PRISMA_SERVER = re.compile(r"provider\s{0,9}=\s{0,9}\"(?:postgresql|postgres|mysql|sqlserver|cockroachdb|mongodb)\"")
_MAY_BE_A_FILE = re.compile(
    r"create_(?:async_)?engine$|Database$|^SQLAlchemy$|^new (?:Sequelize|DataSource|PrismaClient)$|^[kK]nex$|Module\.forRoot(?:Async)?$"
)
"""Makers that open files as well as servers."""


def database_handles(files: tuple[FileFacts, ...], texts: dict[str, str]) -> tuple[Handle, ...]:
    """Every place that makes a pool or a connection to a database server, in path and line order."""
    values = assigned_values(files)
    prisma = prisma_opens_file(texts)
    for name in [name for name in values if name in {"engine", "url"}]:
        del values[name]  # too common to mean the same thing everywhere
    settings = [a.value.text for facts in files for a in facts.assignments if a.value is not None and _ADDRESS_SETTING.search(a.target)]
    server = any(_SERVER_DRIVER.search(texts[path][:200_000]) for path in sorted(texts) if _DECLARING.search(path))
    found: list[Handle] = []
    for facts in files:
        python = facts.path.endswith((".py", ".pyw"))
        for handle in _python(facts) if python else _scripts(facts):
            if _MAY_BE_A_FILE.search(handle.named) and _opens_file(facts, handle, values, settings, prisma=prisma, server=server):
                continue
            found.append(handle)
    return tuple(sorted(found, key=lambda each: (each.path, each.line)))


def prisma_opens_file(texts: dict[str, str]) -> bool:
    """Whether every Prisma schema of the tree speaks of SQLite alone."""
    schemas = [texts[path][:200_000] for path in sorted(texts) if path.endswith(".prisma")]
    return any(_PRISMA_FILE.search(text) for text in schemas) and not any(_PRISMA_SERVER.search(text) for text in schemas)


def _python(facts: FileFacts) -> Iterator[Handle]:
    full = imported(facts)
    for call in facts.calls:
        name = expand(full, call.callee)
        if name in _PYTHON_POOLS:
            yield Handle(facts.path, call.line, call.scope, Shape.POOL, call.callee, call)
        elif name in _PYTHON_CONNECTIONS:
            yield Handle(facts.path, call.line, call.scope, Shape.CONNECTION, call.callee, call)


def _scripts(facts: FileFacts) -> Iterator[Handle]:
    modules = {local: statement.module for statement in facts.imports for _, local in statement.names}
    for call in facts.calls:
        module = modules.get(call.callee.removeprefix("new ").partition(".")[0], "")
        for shape, table in ((Shape.POOL, _SCRIPT_POOLS), (Shape.CONNECTION, _SCRIPT_CONNECTIONS)):
            homes = table.get(call.callee)
            known = homes is not None and (module in homes or (call.callee == "new PrismaClient" and "prisma" in module.lower()))
            if known:
                yield Handle(facts.path, call.line, call.scope, shape, call.callee, call)
                break
    for index, definition in enumerate(facts.definitions):
        if (
            definition.kind is DefinitionKind.CLASS
            and "prisma" in modules.get("PrismaClient", "").lower()
            and "PrismaClient" in definition.bases
        ):
            call = Call("new PrismaClient", (), definition.line, definition.line, index, target=definition.name)
            yield Handle(facts.path, definition.line, index, Shape.POOL, "new PrismaClient", call)


def _opens_file(
    facts: FileFacts, handle: Handle, values: dict[str, list[Value]], settings: list[str], *, prisma: bool, server: bool
) -> bool:
    """Whether the address of a handle names a file and no server; a default that is a file says nothing where a server's driver is declared too."""
    if handle.named == "new PrismaClient":
        return prisma
    if server and facts.path.endswith((".py", ".pyw")) and facts.environment:
        return False
    texts = (
        settings
        if handle.named.endswith("SQLAlchemy")
        else [t for argument in handle.call.arguments for t in _texts(facts, argument.value, values)]
    )
    return any(_FILE_ADDRESS.search(text) for text in texts) and not any(_SERVER_ADDRESS.search(text) for text in texts)


def _texts(facts: FileFacts, value: Value, values: dict[str, list[Value]], depth: int = 2) -> Iterator[str]:
    """The text of a value and of what the names in it are bound to, in its own file first."""
    yield value.text
    if not depth:
        return
    for name in value.names[:20]:
        own = [a.value for a in facts.assignments if a.target == name and a.value is not None]
        for bound in (own or values.get(name.rpartition(".")[2], []))[:10]:
            if bound.kind in {
                ValueKind.STRING,
                ValueKind.TEMPLATE,
                ValueKind.OPERATION,
                ValueKind.CALL,
                ValueKind.NAME,
                ValueKind.COLLECTION,
            }:
                yield from _texts(facts, bound, values, depth - 1)
    yield from (
        read.default.text
        for read in facts.environment
        if read.default is not None and (read.target in value.names or read.name in value.text)
    )
