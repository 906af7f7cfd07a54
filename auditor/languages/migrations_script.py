"""Migrations written in JavaScript and TypeScript: Knex, TypeORM, Sequelize, node-pg-migrate, MikroORM and their like."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePosixPath

from auditor.languages import flow_ir as ir
from auditor.languages import operations as ops
from auditor.languages.flow_script import lower_script
from auditor.languages.migration_code import Walker
from auditor.languages.migration_expressions import Step, constant, entry, text_of
from auditor.languages.migration_sql_calls import sql_operations
from auditor.languages.migrations import Migration, Way
from auditor.languages.operations import Operation
from auditor.languages.script_knex import knex_operations
from auditor.languages.script_objects import object_operations
from auditor.languages.tree import Grammar

_BASES = {
    "knex": "knex",
    "typeorm": "typeorm",
    "sequelize": "sequelize",
    "kysely": "kysely",
    "node-pg-migrate": "node-pg-migrate",
    "@mikro-orm/migrations": "mikro-orm",
    "umzug": "umzug",
}
_SIGNS = (
    ("queryInterface", "sequelize"),
    ("queryRunner", "typeorm"),
    ("pgm.", "node-pg-migrate"),
    ("this.addSql", "mikro-orm"),
    (".schema", "knex"),
    ("knex", "knex"),
    ("Sequelize", "sequelize"),
    ("DataTypes", "sequelize"),
)
_RAW = frozenset({"raw", "query", "addSql", "sql", "execute", "executeSql", "unsafe", "noTransaction"})
_UP, _DOWN = re.compile(r"\bup\b"), re.compile(r"\bdown\b")
_NUMBER = re.compile(r"^(\d{1,14})[-_]|(\d{13})")
_KEEP = frozenset({"createTable", "createTableIfNotExists", "alterTable", "table", "createTableLike", "createView"})
_CHANGES = re.compile(
    r"\b(?:createTable|alterTable|addColumn|dropTable|removeColumn|dropColumn|renameColumn|changeColumn|addIndex|createIndex|addConstraint|renameTable|bulk(?:Insert|Update|Delete)"
    r"|schema|raw|query|addSql|pgm|queryInterface|queryRunner)\b"
)


def is_script_migration(text: str) -> bool:
    """Whether a script looks like a migration: a way `up`, and calls that change a database; `read_script_migration` decides."""
    return _UP.search(text) is not None and (_DOWN.search(text) is not None or _CHANGES.search(text) is not None)


def read_script_migration(path: str, text: str, dialect: str = "") -> Migration | None:
    """One migration module or class; None when it defines no way `up` of its own."""
    module = lower_script(path, text, grammar_of(path))
    walker = Walker(module, dialect=dialect or "postgres", keep=_KEEP)
    ways = _ways(module, walker)
    up = ways.get("up")
    if up is None or (ways.get("down") is None and not _CHANGES.search(text)):
        return None
    framework = _framework(module, text)
    operations, alone = _operations(walker, up, framework, dialect)
    down = None
    if "down" in ways:
        walker.refusals.clear()
        undone, _ = _operations(walker, ways["down"], framework, dialect)
        refusal = ("stated" if walker.refusals[0].stated else "bare") if walker.refusals else ""
        down = Way(undone, ways["down"].line, refusal)
    place = PurePosixPath(path)
    number = _NUMBER.search(place.name)
    return Migration(
        path=path,
        framework=framework,
        series=str(place.parent),
        order=re.sub(r"\d+", lambda found: found[0][-20:].zfill(20), place.name),
        up=Way(operations, up.line),
        down=down,
        line=up.line,
        revision=(number[1] or number[2]) if number else "",
        transaction=_transaction(module, walker, framework) and not alone,
        dialect=dialect,
    )


def grammar_of(path: str) -> Grammar:
    """The grammar of a script, by its name."""
    if path.endswith((".ts", ".mts", ".cts")):
        return Grammar.TYPESCRIPT
    return Grammar.TSX if path.endswith(".tsx") else Grammar.JAVASCRIPT


def _ways(module: ir.Module, walker: Walker) -> dict[str, ir.Function]:
    """`up` and `down`, however they are exported: functions, properties of `exports`, entries of the exported object, methods of a class."""
    found: dict[str, ir.Function] = {}
    for name in ("up", "down"):
        value = walker.globals.get(name)
        for holder in (walker.globals.get("default"), *_exported(module, walker)):
            value = value if isinstance(value, ir.Function) else entry(holder, name)
        if not isinstance(value, ir.Function):
            value = walker.methods.get(name)
        if isinstance(value, ir.Function):
            found[name] = value
    return found


def _exported(module: ir.Module, walker: Walker) -> Iterator[ir.Expression]:
    for statement in module.body:
        if isinstance(statement, ir.Assign) and isinstance(statement.target, ir.Attribute) and statement.target.name == "exports":
            yield walker.value(statement.value, walker.globals)


def _framework(module: ir.Module, text: str) -> str:
    for statement in module.body:
        if isinstance(statement, ir.Import) and statement.origin in _BASES:
            return _BASES[statement.origin]
    return framework_of(text)


def framework_of(text: str) -> str:
    """The framework whose objects a text speaks of."""
    return next((framework for sign, framework in _SIGNS if sign in text), "script")


def _transaction(module: ir.Module, walker: Walker, framework: str) -> bool:
    """Whether the runner puts the migration into a transaction: Sequelize never does; Knex and TypeORM do unless the file says otherwise."""
    if framework in {"sequelize", "umzug"}:
        return False
    settings = [walker.globals.get("config"), *(entry(holder, "config") for holder in _exported(module, walker))]
    for statement in module.body:
        if isinstance(statement, ir.Assign) and isinstance(statement.target, ir.Attribute) and statement.target.name == "config":
            settings.append(statement.value)
        if isinstance(statement, ir.Class):
            fields = [part for part in statement.body if isinstance(part, ir.Assign) and isinstance(part.target, ir.Name)]
            if any(
                part.target.id == "transaction" and constant(part.value) is False for part in fields if isinstance(part.target, ir.Name)
            ):
                return False
    return not any(constant(entry(setting, "transaction")) is False for setting in settings if setting is not None)


def _operations(walker: Walker, function: ir.Function, framework: str, dialect: str) -> tuple[tuple[Operation, ...], bool]:
    """What a way does, and whether it asks for no transaction."""
    found: list[Operation] = []
    alone = False
    for step in walker.steps(function):
        alone = alone or (step.last.name == "noTransaction" and step.last.called)
        inside = any(block.endswith(".transaction") for block in step.blocks) or _handed_over(step)
        found.extend(replace(operation, inside=True) if inside else operation for operation in _step(step, framework, dialect))
    return tuple(found), alone


def _handed_over(step: Step) -> bool:
    """Whether the call is given a transaction that the migration opened (Sequelize's option)."""
    given = (entry(argument, "transaction") for argument in step.last.arguments)
    return any(value is not None and not isinstance(value, ir.Const) for value in given)


def _step(step: Step, framework: str, dialect: str) -> Iterator[Operation]:
    link = step.last
    if link.name in _RAW and link.called and _speaks_sql(step):
        yield from sql_operations(link.argument("", 0), step.line, dialect=dialect)
    elif framework == "kysely":
        if link.name == "execute":
            yield Operation(ops.UNREAD, step.line, name="a schema builder that is not read")
    elif framework in {"knex", "script"}:
        yield from knex_operations(step, dialect)
    else:
        yield from object_operations(step, framework)


def _speaks_sql(step: Step) -> bool:
    """Whether a call named like a query really is one and no `Map.query`: its text shows, or it hangs on a database by name."""
    first = step.last.argument("", 0)
    if first is None or step.last.name == "noTransaction":
        return False
    text = text_of(first)
    return (
        text is not None
        or re.search(r"(?:knex|trx|queryRunner|sequelize|queryInterface|pgm|client|db|connection|manager|this)\b", step.callee) is not None
    )
