"""Finds the places where production code asks a database something: through mappers, clients, drivers and query texts."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from auditor.checks.query_texts import query_texts
from auditor.model.syntax import Call, FileFacts, Import, ImportKind

_SESSION = re.compile(
    r"(?:^|\.)(?:\w*[sS]ession\w*|db|database|conn|connection|tx)(?:\(\))?\."
    r"(?:query|execute|scalars?|exec|add|add_all|merge|bulk_\w+|get_one|stream_scalars)(?:\(|$)"
)
_FLASK_MODEL = re.compile(r"^(?:\w+\.)?[A-Z]\w*\.query\.\w+")
_DJANGO = re.compile(r"\.(?:objects|_default_manager)\.\w+|^get_(?:object|list)_or_404$")
_MONGO = re.compile(
    r"\.(?:find_one|insert_one|insert_many|update_one|update_many|delete_one|delete_many|replace_one|find_one_and_\w+|count_documents|aggregate)$"
    r"|(?:\[\]|[cC]ollection\w*|\bdb\.\w+)\.find(?:\(|$)"
)
_HOSTED = re.compile(r"(?:^|\.)(?i:\w*supabase\w*|sb)(?:\(\))?\.(?:schema\(\)\.)?(?:from_?|table|rpc)(?:\(|$)")
_PRISMA = re.compile(
    r"\.(?:findMany|findUnique|findFirst|findUniqueOrThrow|findFirstOrThrow|createMany|createManyAndReturn|updateMany|deleteMany|groupBy)$"
    r"|(?:^|\.)(?:prisma|\w*Prisma\w*|tx)\.(?:client\.)?\w+\.(?:create|update|upsert|delete|count|aggregate)$"
)
_MODEL_METHODS = (
    "find|findOne|findById|findAll|findByPk|findAndCountAll|findOrCreate|create|bulkCreate|insertMany|updateOne|updateMany|update|deleteOne|deleteMany|destroy|"
    "findByIdAndUpdate|findByIdAndDelete|findOneAndUpdate|findOneAndDelete|countDocuments|count|aggregate|exists|distinct"
)
_ACTIVE_MODEL = re.compile(rf"^(?:(?:db|models?)\.)?[A-Z]\w*(?:\.(?:scope|unscoped|withScope)\(\))?\.(?:{_MODEL_METHODS})(?:\(|$)")
_TYPEORM = re.compile(
    r"(?:[rR]epo(?:sitory)?|(?:^|\.)(?:manager|em|entityManager)|getRepository\(\)|(?:^|\.)[A-Z]\w*)\."
    r"(?:find|findBy|findOne|findOneBy|findOneOrFail|findAndCount|save|insert|update|delete|remove|softDelete|count|createQueryBuilder|query)(?:\(|$)"
)
_BUILDER = re.compile(
    r"(?:^|\.)(?:db|tx|trx|database|orm|drizzle|kysely)(?:\(\))?\.(?:select|selectDistinct|insert|update|delete|query\.\w+\.find\w+|selectFrom|insertInto|updateTable|deleteFrom|execute)(?:\(|$)"
)
_KNEX = re.compile(r"^(?:\w+\.)?(?:knex|db|trx|database)(?:\(\)\.\w+|\.(?:select|from|insert|raw|table))(?:\(|$)")
_FIRESTORE = re.compile(
    r"^(?:getDocs?|addDoc|setDoc|updateDoc|deleteDoc|onSnapshot|runTransaction)$|\.collection\(\)(?:\.\w+\(\))*\.(?:get|add|set|update|delete|onSnapshot)$"
)
_BEANS = re.compile(r"^R\.(?:find|findOne|findAll|findLast|load|store|trash|getAll|getRow|getCol|getCell|exec|count|convertToBean\w*)$")
_KEYS = re.compile(r"(?:^|\.)(?:db|DB|database)\.(?:get|set|getSub|setSub|remove|findKeys|delete)$")

_CLIENTS: tuple[tuple[frozenset[str], re.Pattern[str]], ...] = (
    (frozenset({"sqlalchemy", "sqlmodel", "flask_sqlalchemy"}), _SESSION),
    (frozenset({"sqlalchemy", "flask_sqlalchemy"}), _FLASK_MODEL),
    (frozenset({"django", "mongoengine"}), _DJANGO),
    (frozenset({"pymongo", "motor", "flask_pymongo"}), _MONGO),
    (frozenset({"supabase", "@supabase/supabase-js", "@supabase/ssr", "@supabase/auth-helpers-nextjs"}), _HOSTED),
    (frozenset({"@prisma/client", "@prisma/adapter-pg", "@prisma/extension-read-replicas"}), _PRISMA),
    (frozenset({"mongoose", "sequelize", "sequelize-typescript", "@nestjs/mongoose", "@nestjs/sequelize"}), _ACTIVE_MODEL),
    (frozenset({"typeorm", "@nestjs/typeorm", "@mikro-orm/core"}), _TYPEORM),
    (frozenset({"drizzle-orm", "kysely"}), _BUILDER),
    (frozenset({"knex"}), _KNEX),
    (frozenset({"firebase", "firebase-admin", "firebase_admin"}), _FIRESTORE),
    (frozenset({"redbean-node"}), _BEANS),
    (frozenset({"ueberdb2", "keyv", "lowdb", "level"}), _KEYS),
)
"""Packages that give access to a database, and how calls through them look; a pattern is looked for only where a package of its row is imported."""
_OWN_CLIENTS = (("supabase", "supabase"), ("prisma", "@prisma/client"))
_STRUCTURE = re.compile(r"\s*(?:create|alter|drop|pragma|vacuum|set|truncate)\b", re.IGNORECASE)
_LOOKUP = re.compile(
    r"^get_(?:object|list)_or_404$|\.objects\.get$|\.query\.(?:get|get_or_404)$|\.(?:get_one|findById|findByPk|findUnique|findUniqueOrThrow|maybeSingle|getDoc|load)$|^getDoc$"
)


@dataclass(frozen=True, slots=True)
class DatabaseCall:
    """One place that reads from or writes to a database; `lookup`: it only fetches one record by its key. `call` is the longest call of its chain."""

    path: str
    line: int
    scope: int
    lookup: bool
    call: Call | None


def database_calls(files: tuple[FileFacts, ...]) -> dict[str, tuple[DatabaseCall, ...]]:
    """The database calls of each file that has some, by path, in line order; statements that make or change tables are left out."""
    used = _used(files)
    patterns = {suffix: tuple(pattern for names, pattern in _CLIENTS if names & used[suffix]) for suffix in (True, False)}
    found: defaultdict[str, dict[tuple[int, int], DatabaseCall]] = defaultdict(dict)
    for text in query_texts(files):
        if _STRUCTURE.match(text.value.literal):
            continue
        found[text.path][text.line, text.scope] = DatabaseCall(text.path, text.line, text.scope, lookup=False, call=None)
    for facts in files:
        for call in _longest(facts, patterns[facts.path.endswith(".py")]):
            found[facts.path][call.line, call.scope] = DatabaseCall(facts.path, call.line, call.scope, _is_lookup(call), call)
    return {path: tuple(found[path][key] for key in sorted(found[path])) for path in sorted(found)}


def _used(files: Iterable[FileFacts]) -> dict[bool, frozenset[str]]:
    """Packages that Python files (True) and scripts (False) import; a client of the code's own counts by the name of its module."""
    names: dict[bool, set[str]] = {True: set(), False: set()}
    for facts in files:
        python = facts.path.endswith(".py")
        for statement in facts.imports:
            if statement.kind is ImportKind.TYPE_ONLY:
                continue
            names[python].add(package_of(statement, python=python))
            # The module that makes the client is often a generated one, which nobody reads.
            names[python].update(package for word, package in _OWN_CLIENTS if word in statement.module.lower())
    return {language: frozenset(found) for language, found in names.items()}


def package_of(statement: Import, *, python: bool) -> str:
    """The package an import statement names: the top-level name for Python, the name in the registry for scripts; "" for a file of its own."""
    module = statement.module
    if module.startswith("."):
        return ""
    parts = module.split("." if python else "/")
    return "/".join(parts[:2]) if module.startswith("@") else parts[0]


def _longest(facts: FileFacts, patterns: tuple[re.Pattern[str], ...]) -> Iterator[Call]:
    """Of each chain of calls that begins with a query the longest."""
    best: dict[tuple[int, int], Call] = {}
    for call in facts.calls:
        if not any(pattern.search(call.callee) for pattern in patterns):
            continue
        key = (call.line, call.scope)
        if key not in best or len(call.callee) > len(best[key].callee):
            best[key] = call
    yield from best.values()


def _is_lookup(call: Call) -> bool:
    return _LOOKUP.search(call.callee) is not None
