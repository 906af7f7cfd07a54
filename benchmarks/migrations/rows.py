"""Fills empty tables with rows, so that a migration meets what it would meet in a database that is in use."""

from __future__ import annotations

import psycopg

from benchmarks.migrations.observe import OWN_TABLES

ROWS = 1200
"""More than one batch of the migrations that work in batches."""
_TABLES = """
SELECT c.oid, format('%%I.%%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND NOT c.relname = ANY(%s)
ORDER BY 1
"""
_COLUMNS = """
SELECT a.attnum, format('%%I', a.attname), a.attnotnull, t.typname, t.typtype, t.typcategory, greatest(a.atttypmod - 4, 0),
       (SELECT quote_literal(min(enumlabel)) FROM pg_enum WHERE enumtypid = t.oid), t.oid::regtype::text
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND a.attidentity = ''
  AND coalesce(pg_get_expr(d.adbin, d.adrelid), '') NOT LIKE 'nextval(%%'
"""
_KEYS = """
SELECT k.conkey[1], k.confrelid, k.confrelid::regclass::text, format('%%I', a.attname)
FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = k.confkey[1]
WHERE k.conrelid = %s AND k.contype = 'f'
"""
_BY_TYPE = {
    "bool": "(i %% 2 = 0)",
    "int2": "(i %% 30000)::int2",
    "numeric": "(i %% 1000)",
    "uuid": "gen_random_uuid()",
    "date": "(date '2024-01-01' + i)",
    "timestamp": "(timestamp '2024-01-01' + i * interval '1 minute')",
    "timestamptz": "(timestamptz '2024-01-01 00:00+00' + i * interval '1 minute')",
    "json": "'{}'::json",
    "jsonb": "'{}'::jsonb",
}


def fill(connection: psycopg.Connection, *, gaps: bool) -> bool:
    """Fill every empty table, those first that others refer to; with `gaps`, each tenth optional value is missing. False when a check forbids such rows."""
    waiting = dict(connection.execute(_TABLES, (list(OWN_TABLES),)).fetchall())
    while waiting:
        ready = [oid for oid in waiting if not _parents(connection, oid) & (waiting.keys() - {oid})] or list(waiting)[:1]
        for oid in ready:
            name = waiting.pop(oid)
            if connection.execute(f"SELECT 1 FROM {name} LIMIT 1").fetchone() is None:
                try:
                    _fill(connection, oid, name, gaps=gaps)
                except psycopg.errors.IntegrityError:
                    return False
    return True


def _parents(connection: psycopg.Connection, oid: int) -> set[int]:
    return {row[1] for row in connection.execute(_KEYS, (oid,)).fetchall()}


def _fill(connection: psycopg.Connection, oid: int, name: str, *, gaps: bool) -> None:
    keys = {number: (parent, column) for number, _, parent, column in connection.execute(_KEYS, (oid,)).fetchall()}
    names, values, joins = [], [], []
    for number, column, required, *shape, cast in connection.execute(_COLUMNS, (oid,)).fetchall():
        if number in keys and keys[number][0].strip('"') != name.rsplit(".", 1)[-1].strip('"'):
            parent, target = keys[number]
            joins.append(
                f"LEFT JOIN (SELECT {target} AS v, row_number() OVER (ORDER BY {target}) AS r FROM {parent}) p{number}"
                f" ON p{number}.r = 1 + (i - 1) %% greatest((SELECT count(*) FROM {parent}), 1)"
            )
            value = f"p{number}.v"
        else:
            value = "NULL" if number in keys else f"{_value(column, *shape)}::{cast}"
        names.append(column)
        values.append(f"CASE WHEN i %% 10 = 0 THEN NULL ELSE {value} END" if gaps and not required else value)
    if names:
        chosen = f"({', '.join(names)}) SELECT {', '.join(values)} FROM generate_series(1, {ROWS}) AS i {' '.join(joins)}"
        connection.execute(f"INSERT INTO {name} {chosen}".replace("%%", "%"))
    else:
        connection.execute(f"INSERT INTO {name} DEFAULT VALUES")


def _value(column: str, kind: str, form: str, category: str, length: int, label: str | None) -> str:  # noqa: PLR0917 - a row of the catalogue
    if form == "e":
        return label or "NULL"
    if category == "A":
        return "'{}'"
    if kind in _BY_TYPE:
        return _BY_TYPE[kind]
    if category == "S":
        stem = column.strip('"').capitalize()[:6]
        return f"left('{stem}-' || i, {length})" if length and kind != "text" else f"('{stem}-' || i)"
    return "i"
