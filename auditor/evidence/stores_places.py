"""Where code shows that it keeps data in a store, and where it makes tables by itself. Part of the evidence STORES."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from auditor.languages.migrations import last
from auditor.model.artifacts import Manifests
from auditor.model.syntax import Call, DefinitionKind, FileFacts, ImportKind, Value, ValueKind
from auditor.model.verdict import Place

_MAPPERS = re.compile(
    r"^(?:(?:sqlalchemy\.|sa\.|db\.)?create_(?:async_)?engine|SQLAlchemy|flask_sqlalchemy\.SQLAlchemy|async_engine_from_config|engine_from_config"
    r"|SqliteDatabase|PostgresqlDatabase|MySQLDatabase|peewee\.\w+Database|Tortoise\.init|register_tortoise|databases\.Database|new PrismaClient|drizzle|new DataSource"
    r"|createConnection|TypeOrmModule\.forRoot(?:Async)?|new Sequelize|SequelizeModule\.forRoot(?:Async)?|MikroORM\.init|new Kysely|knex|Knex)$"
)
_MAPPER_MODULES = frozenset(
    {
        "sqlalchemy",
        "sqlmodel",
        "flask_sqlalchemy",
        "peewee",
        "tortoise",
        "databases",
        "@prisma/client",
        "typeorm",
        "@nestjs/typeorm",
        "sequelize",
        "@nestjs/sequelize",
    }
    | {"sequelize-typescript", "knex", "kysely", "drizzle-orm", "@mikro-orm/core"}
)
_DRIVERS = re.compile(
    r"^(?:(?:aio)?sqlite3?\.connect|psycopg2?\.connect|psycopg2\.pool\.\w+|psycopg_pool\.\w+|(?:psycopg\.)?AsyncConnection\.connect|asyncpg\.(?:connect|create_pool)|pymysql\.connect"
    r"|MySQLdb\.connect|mysql\.connector\.connect|aiomysql\.(?:connect|create_pool)|pyodbc\.connect|new (?:pg\.)?Pool|new (?:pg\.)?Client|postgres|neon|createPool"
    r"|mysql2?\.create(?:Connection|Pool)|new (?:BetterSqlite3|Database|DatabaseSync|sqlite3?\.(?:verbose\(\)\.)?Database)|new sqlite\.Database|SQLite\.openDatabase(?:Sync|Async)?|open|new Database)$"
)
_DRIVER_MODULES = frozenset(
    {
        "sqlite3",
        "aiosqlite",
        "psycopg2",
        "psycopg",
        "psycopg_pool",
        "asyncpg",
        "pymysql",
        "MySQLdb",
        "mysql",
        "aiomysql",
        "pyodbc",
        "pg",
        "postgres",
        "mysql2",
        "better-sqlite3",
        "sqlite",
    }
    | {"@neondatabase/serverless", "@vercel/postgres", "@libsql/client", "node:sqlite", "bun:sqlite", "sql.js", "pg-promise"}
)
_DOCUMENT_MODULES = frozenset(
    {
        "pymongo",
        "motor",
        "mongoengine",
        "beanie",
        "odmantic",
        "mongoose",
        "mongodb",
        "@nestjs/mongoose",
        "firebase_admin",
        "firebase-admin",
        "firebase",
        "ueberdb2",
        "couchdb",
        "nano",
        "pouchdb",
    }
    | {
        "@aws-sdk/client-dynamodb",
        "@aws-sdk/lib-dynamodb",
        "tinydb",
        "lowdb",
        "dexie",
        "nedb",
        "realm",
        "flask_pymongo",
        "cassandra",
        "elasticsearch",
    }
)
_WRITES = re.compile(
    r"^\s*(?:INSERT\s+(?:OR\s+\w+\s+)?INTO|REPLACE\s+INTO|UPDATE\s+\S+\s+SET|DELETE\s+FROM|ALTER\s+TABLE)\b", re.IGNORECASE
)
_CREATES = re.compile(r"\bCREATE\s+TABLE\b", re.IGNORECASE)
_TEMPORARY = re.compile(r":memory:|mode=memory|\bcache\b|[_./-]cache[_./-]?", re.IGNORECASE)
CACHE_FILE = re.compile(r"(?:^|[/_.-])cache\.\w+$", re.IGNORECASE)
"""A module that is a cache: what it keeps is thrown away when its form changes, so it needs no migration."""
_SUPABASE_QUERY = re.compile(r"(?:^|\.)(?:from|from_|table)\(\)\.(?:select|insert|upsert|update|delete)$")
_CREATE_ALL = re.compile(r"(?:^|\.)(?:create_all|create_tables|generate_schemas|create_db_and_tables)$")
_ENTRIES = frozenset(
    {"create_app", "make_app", "app_factory", "get_app", "build_app", "main", "lifespan", "startup", "on_startup", "ready", "application"}
)
"""Functions that servers and frameworks call by name."""
_SYNC = re.compile(r"^(?:\w+\.)*(?:(?i:sequelize|db|models?|database|orm)|[A-Z]\w*)(?:\.\w+)*\.sync$")
_SCHEMA_BUILDER = re.compile(r"(?:^|\.)schema(?:\.\w+\(\))*\.createTable(?:IfNotExists)?$")


def packages(facts: FileFacts) -> frozenset[str]:
    """Packages a file imports at run time: the top-level name for Python, the package name for scripts."""
    python = facts.path.endswith(".py")
    found = set()
    for statement in facts.imports:
        if statement.kind is ImportKind.TYPE_ONLY or statement.module.startswith("."):
            continue
        parts = statement.module.split("." if python else "/")
        found.add("/".join(parts[:2]) if statement.module.startswith("@") else parts[0])
        found.add(statement.module)
    return frozenset(found)


def relational_places(production: Iterable[FileFacts]) -> Iterator[Place]:
    """Where a relational store of the system's own is opened or mapped; a driver alone counts when something is written through it."""
    files = sorted(production, key=lambda facts: facts.path)
    writes = any(_WRITES.match(literal.text) or _CREATES.search(literal.text) for facts in files for literal in facts.literals)
    for facts in files:
        imported = packages(facts)
        for call in facts.calls:
            mapped = _MAPPERS.match(call.callee) and (imported & _MAPPER_MODULES or call.callee[:1].isupper())
            driven = writes and imported & _DRIVER_MODULES and _DRIVERS.match(call.callee)
            if (mapped or driven) and not _temporary(call):
                yield Place(facts.path, call.line, call.line)


def supabase_tables(production: Iterable[FileFacts]) -> Iterator[tuple[str, Place]]:
    """Tables of a hosted PostgreSQL that code names in queries through its client, storage buckets left out."""
    for facts in sorted(production, key=lambda facts: facts.path):
        if not _uses_supabase(facts):
            continue
        queried = {call.line for call in facts.calls if _SUPABASE_QUERY.search(call.callee)}
        for call in facts.calls:
            value = call.argument("", 0)
            if (
                last(call.callee) in {"from", "from_", "table"}
                and "storage" not in call.callee
                and value is not None
                and value.kind is ValueKind.STRING
            ):
                near = any(call.line <= line <= call.end_line + 3 or line == call.line for line in queried)
                if near and re.fullmatch(r"\w{1,63}", value.literal):
                    yield value.literal, Place(facts.path, call.line, call.line)


def _uses_supabase(facts: FileFacts) -> bool:
    return any("supabase" in statement.module.lower() for statement in facts.imports) or any(
        call.callee.lower().startswith("supabase") for call in facts.calls
    )


def document_places(production: Iterable[FileFacts]) -> Iterator[Place]:
    """Imports of the clients of schema-less stores."""
    for facts in sorted(production, key=lambda facts: facts.path):
        for statement in facts.imports:
            module = statement.module
            top = "/".join(module.split("/")[:2]) if module.startswith("@") else re.split(r"[./]", module)[0]
            if (
                statement.kind is not ImportKind.TYPE_ONLY
                and top in _DOCUMENT_MODULES
                and not module.startswith((".", "firebase/auth", "firebase/app"))
            ):
                yield Place(facts.path, statement.line, statement.line)


def tables_made_at_start(production: Iterable[FileFacts]) -> Iterator[Place]:
    """Where the program makes its tables itself instead of a migration; commands and functions that nothing calls are left out."""
    files = sorted(production, key=lambda facts: facts.path)
    found = {facts.path: _making_places(facts) for facts in files}
    if not any(found.values()):
        return
    used = frozenset(name for facts in files for name in _references(facts))
    for facts in files:
        yield from (Place(facts.path, line, line) for line, scope in sorted(found[facts.path]) if _runs(facts, scope, used))


def _making_places(facts: FileFacts) -> set[tuple[int, int]]:
    """(line, scope) of what makes tables in a file."""
    places = {(call.line, call.scope) for call in facts.calls if _makes_tables(call)}
    places |= {(entry.line, entry.scope) for entry in facts.literals if _CREATES.search(entry.text) and _looks_like_sql(entry.text)}
    places |= {
        (a.line, a.scope) for a in facts.assignments if last(a.target) == "synchronize" and a.value is not None and a.value.text == "true"
    }
    return places


def _references(facts: FileFacts) -> Iterator[str]:
    """Names a file calls, passes on or binds."""
    for call in facts.calls:
        yield last(call.callee)
        for argument in call.arguments:
            yield from (last(name) for name in argument.value.names)
    for assignment in (*facts.assignments, *facts.returns):
        if assignment.value is not None:
            yield from (last(name) for name in assignment.value.names)


def _runs(facts: FileFacts, scope: int, used: frozenset[str]) -> bool:
    """Whether the program itself reaches a place: not through a command a person types, nor inside a function nothing refers to."""
    while scope != -1:
        definition = facts.definitions[scope]
        if any(re.search(r"(?:^|\.)command$", decorator.callee) for decorator in definition.decorators):
            return False
        dead = definition.kind is DefinitionKind.FUNCTION and definition.name and definition.name not in used
        if dead and not definition.decorators and facts.path.endswith(".py") and definition.name not in _ENTRIES:
            return False
        scope = definition.parent
    return True


def _looks_like_sql(text: str) -> bool:
    found = _CREATES.search(text)
    if found is None or re.match(r"\s+(?:TEMP|TEMPORARY)\b", text[found.end() :], re.IGNORECASE):
        return False
    return re.match(r"\s+(?:IF\s+NOT\s+EXISTS\s+)?[\w\"`\[{.$}]{1,80}\s*(?:\(|AS\b|$)", text[found.end() :], re.IGNORECASE) is not None


def _makes_tables(call: Call) -> bool:
    if _CREATE_ALL.search(call.callee) or _SCHEMA_BUILDER.search(call.callee):
        return not re.match(r"^(?:self\.)?create_tables$", call.callee)
    if any(argument.value.kind is ValueKind.NAME and argument.value.literal.endswith("metadata.create_all") for argument in call.arguments):
        return True
    name = last(call.callee)
    options = call.argument("", 0)
    if name == "sync" and _SYNC.match(call.callee):
        forced = options is not None and any(options.item(key) is not None for key in ("force", "alter"))
        return forced or re.search(r"sequelize", call.callee, re.IGNORECASE) is not None
    if name == "generate_mapping":
        made = call.argument("create_tables")
        return made is not None and made.text == "True"
    if name == "synchronize":
        return re.search(r"(?:data)?source\.synchronize$", call.callee, re.IGNORECASE) is not None
    return any(_synchronises(argument.value.item("synchronize")) for argument in call.arguments)


_APPLIES = re.compile(
    r"(?:^|\.)(?:alembic\.)?command\.upgrade$|(?:^|\.)flask_migrate\.upgrade$|(?:^|\.)migrate\.latest$|(?:[Dd]ata_?[Ss]ource|[Cc]onnection|[Oo]rm)\w*\.runMigrations$|\.migrateToLatest$|(?:^|\.)umzug\.up$|\.getMigrator\(\)\.up$"
)
_APPLYING_FILE = re.compile(
    r"(?:^|/)(?:scripts?|bin|cli|commands?|management)/|(?:^|/)[\w.-]*(?:migrat|backup|restore|export|import)[\w.-]*\.\w+$|(?:^|/)(?:manage|setup|install|tasks?|cli)\.\w+$",
    re.IGNORECASE,
)
"""Files that are run by hand or as a step of their own, not by the process that serves."""


def migrated_at_start(production: Iterable[FileFacts]) -> Iterator[Place]:
    """Where the program applies its migrations itself when it starts; commands and functions that nothing calls are left out."""
    files = sorted((facts for facts in production if not _APPLYING_FILE.search(facts.path)), key=lambda facts: facts.path)
    found = {facts.path: _applying_places(facts) for facts in files}
    if not any(found.values()):
        return
    used = frozenset(name for facts in files for name in _references(facts))
    for facts in files:
        yield from (Place(facts.path, line, line) for line, scope in sorted(found[facts.path]) if _runs(facts, scope, used))


def _applying_places(facts: FileFacts) -> set[tuple[int, int]]:
    imported = {local: f"{statement.module}.{name}" for statement in facts.imports for name, local in statement.names}
    places = {(call.line, call.scope) for call in facts.calls if _applies(call, imported)}
    options = ((call, argument.value.item("migrationsRun")) for call in facts.calls for argument in call.arguments)
    return places | {(call.line, call.scope) for call, value in options if value is not None and value.text == "true"}


def _applies(call: Call, imported: dict[str, str]) -> bool:
    if _APPLIES.search(call.callee):
        return True
    origin = imported.get(call.callee, "")
    if origin == "flask_migrate.upgrade" or ("drizzle-orm" in origin and origin.endswith(".migrate")):
        return True
    first = call.argument("", 0)
    return last(call.callee) == "call_command" and first is not None and first.literal == "migrate"


def _synchronises(value: Value | None) -> bool:
    return value is not None and value.text == "true"


def _temporary(call: Call) -> bool:
    return any(_TEMPORARY.search(argument.value.text) for argument in call.arguments[:1])


_PUSH = re.compile(r"\b(?:prisma\s+db\s+push|drizzle-kit\s+push|typeorm\b[^&|;\n]{0,80}\bschema:sync|sequelize\s+db:sync)\b")
_STARTS = re.compile(r"^(?:pre|post)?(?:start|build|deploy|release|serve|prod|production|vercel-build|heroku-postbuild)(?:[:_-].*)?$")
_START_FILE = re.compile(
    r"(?:^|/)(?:[Dd]ockerfile[^/]*|[^/]*entrypoint[^/]*\.sh|start[^/]*\.sh|Procfile|docker-compose[^/]*\.ya?ml|compose\.ya?ml|render\.ya?ml|railway\.(?:json|toml)|nixpacks\.toml|fly\.toml)$"
)


def pushes(manifests: Manifests, texts: dict[str, str]) -> Iterator[Place]:
    """Where the schema is pushed into the production database without a migration: in start and build scripts, images and platform files."""
    for manifest in manifests.manifests:
        for script in manifest.scripts:
            if _PUSH.search(script.command) and _STARTS.match(script.name):
                yield script.place
    for path in sorted(texts):
        if not _START_FILE.search(path):
            continue
        for number, line in enumerate(texts[path][:200_000].split("\n"), start=1):
            if _PUSH.search(line[:2_000]) and not line.lstrip().startswith("#"):
                yield Place(path, number, number)


def is_base_sql(path: str, text: str) -> bool:
    """Whether a SQL file outside of any migration folder makes tables."""
    folders = {part.lower() for part in PurePosixPath(path).parts[:-1]}
    return not folders & {"test", "tests", "fixtures", "examples", "seeds", "queries", "docs"} and bool(_CREATES.search(text[:400_000]))
