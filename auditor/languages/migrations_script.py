"""Migrations written in JavaScript and TypeScript: Knex, TypeORM, Sequelize, node-pg-migrate, MikroORM, Kysely and their like."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from auditor.languages import sql
from auditor.languages.migrations import (
    NO,
    PARTIAL,
    REFUSED,
    TRIVIAL,
    YES,
    Back,
    Migration,
    calls_in,
    last,
    literal_only,
    loses,
    refuses,
    texts_of,
    words_of,
)
from auditor.languages.sql import Operation, read_sql
from auditor.model.syntax import Call, FileFacts, ValueKind

_TALK = re.compile(r"^(?:console\.|log(?:ger)?\.|Promise\.|require$|JSON\.|Object\.|Array\.|String|Number|new (?:Date|Error|Promise))")
_DROPS = frozenset(
    {
        "dropTable",
        "dropTableIfExists",
        "dropColumn",
        "dropColumns",
        "removeColumn",
        "dropTables",
        "dropAllTables",
        "truncate",
        "del",
        "delete",
        "bulkDelete",
    }
)
_RAW = frozenset({"raw", "query", "addSql", "sql", "execute", "executeSql", "unsafe"})
_MAKES_TABLE = frozenset({"createTable", "createTableIfNotExists", "createCollection"})
_BASES = {
    "knex": "knex",
    "typeorm": "typeorm",
    "sequelize": "sequelize",
    "kysely": "kysely",
    "node-pg-migrate": "node-pg-migrate",
    "@mikro-orm/migrations": "mikro-orm",
    "umzug": "umzug",
}
_NUMBER = re.compile(r"^(\d{1,14})[-_]|(\d{13})")


def is_script_migration(facts: FileFacts) -> bool:
    """Whether a file defines a way `up` that changes a database (and usually a way `down`)."""
    up = _way(facts, "up")
    return up is not None and (_way(facts, "down") is not None or any(last(c.callee) in _MAKES_TABLE | _RAW for c in calls_in(facts, up)))


def read_script_migration(facts: FileFacts) -> Migration:
    """One migration module or class."""
    up = _way(facts, "up")
    assert up is not None
    calls = calls_in(facts, up)
    place = PurePosixPath(facts.path)
    created = {text for call in calls if last(call.callee) in _MAKES_TABLE for text in _name(call)}
    created |= {operation.table for call in calls for operation in _sql_of(call) if operation.kind == sql.CREATE_TABLE}
    number = _NUMBER.search(place.name)
    return Migration(
        path=facts.path,
        framework=_framework(facts, calls),
        series=str(place.parent),
        order=re.sub(r"\d+", lambda found: found[0][-20:].zfill(20), place.name),
        back=_back(facts, up, calls),
        line=facts.definitions[up].line,
        revision=(number[1] or number[2]) if number else "",
        created=tuple(sorted(created)),
    )


def _way(facts: FileFacts, name: str) -> int | None:
    """The function, method or property named `up` or `down`, however it is exported."""
    for index, definition in enumerate(facts.definitions):
        if definition.name.rsplit(".", 1)[-1] == name:
            return index
    return None


def _framework(facts: FileFacts, calls: tuple[Call, ...]) -> str:
    for statement in facts.imports:
        if statement.module in _BASES:
            return _BASES[statement.module]
    callees = " ".join(call.callee for call in calls)
    signs = (
        ("queryInterface", "sequelize"),
        ("queryRunner", "typeorm"),
        ("pgm.", "node-pg-migrate"),
        ("this.addSql", "mikro-orm"),
        (".schema", "knex"),
        ("knex", "knex"),
    )
    return next((framework for sign, framework in signs if sign in callees), "script")


def _name(call: Call) -> tuple[str, ...]:
    value = call.argument("", 0)
    if value is None:
        return ()
    if value.kind is ValueKind.STRING:
        return (value.literal,)
    table = value.item("name") or next((item.item("name") for _, item in value.items if item.item("name")), None)
    return (table.literal,) if table is not None and table.kind is ValueKind.STRING else ()


def _sql_of(call: Call) -> tuple[Operation, ...]:
    value = call.argument("", 0)
    if last(call.callee) not in _RAW or value is None or value.kind is not ValueKind.STRING:
        return ()
    return read_sql(value.literal)


def _real(calls: tuple[Call, ...]) -> tuple[Call, ...]:
    return tuple(call for call in calls if not _TALK.match(call.callee))


def _back(facts: FileFacts, up: int, up_calls: tuple[Call, ...]) -> Back:
    line = facts.definitions[up].line
    steps = _real(up_calls)
    if not steps:
        return Back(TRIVIAL, "changes nothing that would have to be undone", line=line)
    made = {text for call in steps if last(call.callee) in _MAKES_TABLE for text in _name(call)}
    destructive = any(_drops(call, made) or loses(_sql_of(call)) for call in steps)
    down = _way(facts, "down")
    if down is None:
        return Back(NO, "has no way down", destructive, line)
    line = facts.definitions[down].line
    undone = _real(calls_in(facts, down))
    if not undone:
        stated = refuses(facts, down)
        if stated:
            return Back(REFUSED, "refuses to be undone, with a stated reason", destructive, line)
        return Back(NO, "has an empty way down", destructive, line)
    left = _left_behind(made, undone)
    if left:
        return Back(PARTIAL, f"has a way down that leaves the table {left} behind", destructive, line)
    return Back(YES, "has a way down", destructive, line)


def _drops(call: Call, made: set[str]) -> bool:
    return last(call.callee) in _DROPS and made.isdisjoint(_name(call))


def _left_behind(made: set[str], undone: tuple[Call, ...]) -> str:
    """A table made on the way up whose name occurs nowhere on the way down; nothing where names are computed there."""
    if not literal_only(undone) or any(call.in_loop for call in undone):
        return ""
    named = " ".join((*words_of(undone), *(text for call in undone for argument in call.arguments for text in texts_of(argument.value))))
    return next((name for name in sorted(made) if not re.search(rf"\b{re.escape(name)}\b", named)), "")
