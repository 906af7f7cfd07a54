"""Names of column types in one writing, PostgreSQL's own, and what changing one type to another costs there.

Source of the costs: PostgreSQL's documentation of ALTER TABLE and its casts (pg_cast: only a binary coercible cast keeps the table as it is).
"""

from __future__ import annotations

import re
from enum import Enum

from auditor.languages.operations import Column

_SAME = {
    "int": "int4", "integer": "int4", "smallint": "int2", "tinyint": "int2", "mediumint": "int4", "bigint": "int8", "serial": "int4", "bigserial": "int8",
    "character varying": "varchar", "nvarchar": "varchar", "char": "bpchar", "character": "bpchar", "nchar": "bpchar", "string": "varchar",
    "boolean": "bool", "decimal": "numeric", "dec": "numeric", "money": "money", "real": "float4", "double": "float8", "double precision": "float8", "float": "float8",
    "timestamp with time zone": "timestamptz", "timestamp without time zone": "timestamp", "datetime": "timestamp", "time without time zone": "time", "time with time zone": "timetz",
    "mediumtext": "text", "longtext": "text", "tinytext": "text", "clob": "text", "blob": "bytea", "binary": "bytea", "varbinary": "bytea", "longblob": "bytea",
    # Python mappers
    "biginteger": "int8", "smallinteger": "int2", "unicode": "varchar", "unicodetext": "text", "autostring": "varchar", "largebinary": "bytea", "guid": "uuid",
    "charfield": "varchar", "slugfield": "varchar", "emailfield": "varchar", "urlfield": "varchar", "filefield": "varchar", "imagefield": "varchar", "filepathfield": "varchar",
    "textfield": "text", "integerfield": "int4", "positiveintegerfield": "int4", "bigintegerfield": "int8", "positivebigintegerfield": "int8",
    "smallintegerfield": "int2", "positivesmallintegerfield": "int2", "autofield": "int4", "bigautofield": "int8", "smallautofield": "int2",
    "booleanfield": "bool", "nullbooleanfield": "bool", "decimalfield": "numeric", "floatfield": "float8", "datefield": "date", "datetimefield": "timestamptz",
    "timefield": "time", "durationfield": "interval", "uuidfield": "uuid", "jsonfield": "jsonb", "binaryfield": "bytea", "genericipaddressfield": "inet",
    # script mappers
    "biginteger64": "int8", "increments": "int4", "bigincrements": "int8", "jsonb": "jsonb", "dateonly": "date", "timestamps": "timestamptz",
}  # fmt: skip
_LENGTHS = {"emailfield": 254, "urlfield": 200, "slugfield": 50, "filefield": 100, "imagefield": 100, "filepathfield": 100}
"""Length a Django field has when none is given."""
_WRITTEN = re.compile(r"^\s*([A-Za-z_][\w. ]*?)\s*(?:\(\s*(\d{1,9})\s*(?:,\s*(\d{1,9})\s*)?\)(.*))?\s*(\[\])?$")


def canonical(name: str) -> str:
    """A type's name as PostgreSQL's grammar calls it, lower case; a name nobody knows stays as it is."""
    lowered = name.strip().lower()
    return _SAME.get(lowered, lowered)


def written(text: str) -> tuple[str, tuple[int, ...]]:
    """A type as written ("VARCHAR(20)", "numeric(10, 2)", "timestamp(3) with time zone") as its name and the numbers in its brackets."""
    found = _WRITTEN.match(text)
    if found is None:
        return canonical(text.split("(", 1)[0]), ()
    name = canonical(f"{found[1]}{found[4] or ''}" if (found[4] or "").strip() else found[1])
    return f"{name}{found[5] or ''}", tuple(int(part) for part in (found[2], found[3]) if part)


def usual_length(name: str) -> tuple[int, ...]:
    """The length a field type of Django has by itself."""
    length = _LENGTHS.get(name.lower())
    return (length,) if length else ()


class Change(Enum):
    """What a change of type does to a table that is in use."""

    NONE = "nothing changes"
    FREE = "only the catalogue changes"
    REWRITE = "every row is rewritten under an exclusive lock"
    NARROWS = "values that do not fit make it fail, and every row is looked at under an exclusive lock"
    UNKNOWN = "the old type does not show"


_TEXTS = frozenset({"varchar", "text"})
_WHOLE = {"int2": 2, "int4": 4, "int8": 8}
_FREE = frozenset({("cidr", "inet"), ("citext", "text"), ("citext", "varchar"), ("xml", "text")})
_SPRAWLING = frozenset({"varchar", "varbit", "numeric", "timestamp", "timestamptz", "time", "timetz", "interval"})
"""Types whose bracketed limit may be raised or taken away without touching a row."""


def change(before: Column | None, after: Column, *, converted: bool = False) -> Change:
    """What it costs to turn one type into another; `converted`: by an expression of the script's own."""
    if before is None or not before.type or not after.type:
        return _from_unknown(after, converted=converted)
    old, new = before.type, after.type
    if old == new:
        return _resized(before, after)
    if {old, new} <= _TEXTS:
        if new == "text" or not after.size:
            return Change.FREE
        return Change.NARROWS
    if (old, new) in _FREE:
        return Change.FREE
    if old in _WHOLE and new in _WHOLE and _WHOLE[new] < _WHOLE[old]:
        return Change.NARROWS
    return Change.REWRITE


def _resized(before: Column, after: Column) -> Change:
    if before.size == after.size:
        return Change.NONE
    if after.type not in _SPRAWLING:
        return Change.REWRITE
    if not after.size:
        return Change.FREE
    if not before.size:
        return Change.NARROWS
    if after.type == "numeric":
        scales = [(size[1] if len(size) > 1 else 0) for size in (before.size, after.size)]
        if scales[0] != scales[1]:
            return Change.REWRITE
    return Change.FREE if after.size[0] >= before.size[0] else Change.NARROWS


def _from_unknown(after: Column, *, converted: bool) -> Change:
    """Without the old type: text holds whatever was text before; a limited text may be wider or narrower; other types nearly always rewrite."""
    if converted:
        return Change.REWRITE
    return Change.UNKNOWN if after.type in {"", *_TEXTS, "numeric"} else Change.REWRITE
