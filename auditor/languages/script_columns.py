"""Columns as the script mappers write them: Knex's chains, the objects of TypeORM, Sequelize and node-pg-migrate."""

from __future__ import annotations

from auditor.languages import flow_ir as ir
from auditor.languages.column_types import canonical, written
from auditor.languages.migration_expressions import Link, chain, constant, dotted, entry, text_of, words
from auditor.languages.operations import Column
from auditor.languages.postgres_columns import VOLATILE

_KNEX_TYPES = {
    "increments": "int4", "bigIncrements": "int8", "integer": "int4", "bigInteger": "int8", "bigint": "int8", "smallint": "int2", "tinyint": "int2", "mediumint": "int4",
    "text": "text", "string": "varchar", "float": "float4", "double": "float8", "decimal": "numeric", "boolean": "bool", "date": "date", "datetime": "timestamptz",
    "time": "time", "timestamp": "timestamptz", "binary": "bytea", "enu": "enum", "enum": "enum", "json": "json", "jsonb": "jsonb", "uuid": "uuid", "geometry": "geometry",
    "geography": "geography", "point": "point",
}  # fmt: skip
"""Methods of Knex's table builder that declare a column."""


def knex_column(links: tuple[Link, ...]) -> Column | None:
    """`t.string("x", 20).notNullable().defaultTo("y")`; None when the chain declares no column."""
    first = links[0]
    if first.name == "specificType":
        name_type, size = written(text_of(first.argument("", 1)) or "")
    elif first.name in _KNEX_TYPES:
        name_type, size = _KNEX_TYPES[first.name], _knex_size(first)
    else:
        return None
    made = {link.name: link for link in links[1:]}
    name = text_of(first.argument("", 0)) or ("id" if "ncrements" in first.name else "")
    default, volatile = default_of(made["defaultTo"].argument("", 0)) if "defaultTo" in made else ("", False)
    increments = "ncrements" in first.name
    primary = "primary" in made or increments
    return Column(
        name,
        name_type,
        size,
        not_null="notNullable" in made or "notNull" in made or primary,
        unique="unique" in made or primary,
        primary=primary,
        default=default,
        volatile=volatile,
        generated="serial" if increments else "",
        references=_knex_target(made),
        cascades=knex_cascades(made),
        checked=any(link.startswith("check") for link in made),
        indexed="index" in made,
        line=first.line,
    )


def _knex_size(link: Link) -> tuple[int, ...]:
    if link.name == "string":
        length = constant(link.argument("", 1))
        return (length if isinstance(length, int) else 255,)
    if link.name == "decimal":
        numbers = [constant(link.argument("", position)) for position in (1, 2)]
        return tuple(given if isinstance(given, int) else usual for given, usual in zip(numbers, (8, 2), strict=True))
    return ()


def knex_cascades(made: dict[str, Link]) -> bool:
    """Whether a chain says `.onDelete("CASCADE")`."""
    return "onDelete" in made and (text_of(made["onDelete"].argument("", 0)) or "").upper() == "CASCADE"


def _knex_target(made: dict[str, Link]) -> str:
    if "inTable" in made:
        return text_of(made["inTable"].argument("", 0)) or ""
    if "references" in made:
        target = text_of(made["references"].argument("", 0)) or ""
        return target.rpartition(".")[0]
    return ""


def default_of(value: ir.Expression | None) -> tuple[str, bool]:
    """A default as SQL and whether it is worked out for each row; `knex.fn`, `raw` and `literal` are expressions, plain values are constants."""
    match value:
        case None:
            return "", False
        case ir.Const(value=None):
            return "", False
        case ir.Const():
            return f"'{value.value}'" if isinstance(value.value, str) else str(value.value).lower(), False
        case ir.Call():
            link = chain(value)[1][-1]
            text = text_of(link.argument("", 0)) if link.name in {"raw", "literal", "fn", "func", "query", "cast"} else None
            written_as = text if text is not None else f"{link.name}()"
            written_as = f"{written_as}()" if link.name == "fn" else written_as
            return written_as, VOLATILE.search(written_as) is not None
        case ir.Attribute() | ir.Name():
            path = f"{dotted(value)}()"
            name = path.rpartition(".")[2]
            if name.lower() in {"undefined()", "null()"}:
                return "", False
            return name, VOLATILE.search(name) is not None or name.upper().startswith("UUIDV")
        case _:
            return "?", False


def object_column(name: str, value: ir.Expression | None, *, raw_defaults: bool = False) -> Column:
    """`{ type: ..., allowNull: false, defaultValue: ... }` of Sequelize, node-pg-migrate and TypeORM; a bare type stands for itself.

    `raw_defaults`: a default that is a text is SQL, not a literal (TypeORM).
    """
    if not isinstance(value, ir.Mapping):
        name_type, size = type_of(value)
        return Column(name, name_type, size, line=value.line if value is not None else 0)
    name_type, size = type_of(entry(value, "type"))
    length = constant(entry(value, "length"))
    if length is not None and str(length).isdigit():
        size = (int(str(length)),)
    given = entry(value, "defaultValue", "default")
    text = text_of(given)
    default, volatile = (text, VOLATILE.search(text) is not None) if raw_defaults and text is not None else default_of(given)
    primary = constant(entry(value, "primaryKey", "isPrimary")) is True
    required = constant(entry(value, "allowNull")) is False or constant(entry(value, "notNull")) is True
    nullable = constant(entry(value, "isNullable", "nullable"))
    if raw_defaults:  # TypeORM: columns are required unless they say otherwise
        required = nullable is not True
    return Column(
        name,
        name_type,
        size,
        not_null=required or primary,
        unique=primary or constant(entry(value, "unique", "isUnique")) is True,
        primary=primary,
        default="" if default.upper() == "NULL" else default,
        volatile=volatile,
        generated=_object_generated(value),
        references=_object_target(value),
        cascades=(text_of(entry(value, "onDelete")) or "").upper() == "CASCADE",
        checked=entry(value, "check") is not None,
        line=value.line,
    )


def _object_generated(value: ir.Mapping) -> str:
    if constant(entry(value, "autoIncrement", "isGenerated")) is True:
        strategy = constant(entry(value, "generationStrategy"))
        return "" if strategy == "uuid" else "serial"
    stored = constant(entry(value, "generatedType"))
    if stored is not None or entry(value, "asExpression", "expressionGenerated") is not None:
        return "virtual" if str(stored).upper() == "VIRTUAL" else "stored"
    return ""


def _object_target(value: ir.Mapping) -> str:
    target = entry(value, "references")
    named = entry(target, "model", "table", "tableName") if isinstance(target, ir.Mapping) else target
    if isinstance(named, ir.Mapping):
        named = entry(named, "tableName", "name")
    return next(iter(words(named)), dotted(named)).rpartition("(")[0] or next(iter(words(named)), dotted(named))


def type_of(value: ir.Expression | None) -> tuple[str, tuple[int, ...]]:
    """`Sequelize.STRING(20)`, `DataTypes.BIGINT`, `"varchar(20)"` or a column type's text."""
    text = text_of(value)
    if text is not None:
        return written(text)
    if isinstance(value, ir.Call):
        link = chain(value)[1][-1]
        name = link.name.lower()
        if name == "array":
            return f"{type_of(link.argument('', 0))[0]}[]", ()
        numbers = [constant(argument) for argument in link.arguments]
        size = tuple(number for number in numbers if isinstance(number, int) and not isinstance(number, bool))
        return _sequelize(name), size if _sequelize(name) in {"varchar", "numeric", "bpchar"} else ()
    name = dotted(value).rpartition(".")[2].lower()
    return _sequelize(name), (255,) if name == "string" else ()


def _sequelize(name: str) -> str:
    return {"date": "timestamptz", "double": "float8", "float": "float8", "real": "float4", "now": ""}.get(name, canonical(name))
