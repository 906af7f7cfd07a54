"""Columns, constraints, types and expressions of PostgreSQL's syntax trees; called by `auditor.languages.postgres` alone."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import postgast
from google.protobuf.message import DecodeError

from auditor.languages.operations import CHECK, EXCLUDE, FOREIGN, PRIMARY, UNIQUE, Column, Constraint

_KINDS = {
    "CONSTR_FOREIGN": FOREIGN,
    "CONSTR_CHECK": CHECK,
    "CONSTR_UNIQUE": UNIQUE,
    "CONSTR_PRIMARY": PRIMARY,
    "CONSTR_EXCLUSION": EXCLUDE,
}
_CASCADE = "c"
_SERIAL = frozenset({"serial", "bigserial", "smallserial", "serial4", "serial8", "serial2"})
_OWN_TYPE = {"serial": "int4", "serial4": "int4", "bigserial": "int8", "serial8": "int8", "smallserial": "int2", "serial2": "int2"}
VOLATILE = re.compile(
    r"\b(?:\w*(?:uuid|ulid|nanoid|cuid|random|snowflake)\w*|nextval|setval|clock_timestamp|timeofday|txid_current\w*|pg_current_xact_id)\s*\(",
    re.IGNORECASE,
)
"""Calls of functions that give another value for each row. `now()` and what else is fixed for a transaction are none of them."""


def enum(message: Any, field: str) -> str:
    """The name of an enumerated field's value."""
    descriptor = message.DESCRIPTOR.fields_by_name[field]
    return str(descriptor.enum_type.values_by_number[getattr(message, field)].name)


def table_of(relation: Any) -> str:
    """A table's name, its schema kept unless it is "public"."""
    schema = relation.schemaname
    return f"{schema}.{relation.relname}" if schema and schema != "public" else str(relation.relname)


def deparsed(node: Any) -> str:
    """An expression as SQL; "?" where it cannot be written."""
    try:
        select = postgast.parse("SELECT 1")
        select.stmts[0].stmt.select_stmt.target_list[0].res_target.val.CopyFrom(node)
        return str(postgast.deparse(select)).removeprefix("SELECT ")
    except (postgast.PgQueryError, DecodeError, ValueError, AttributeError):
        return "?"


def column_of(node: Any, line: int) -> Column:
    """A column definition with its own constraints."""
    constraints = {enum(entry.constraint, "contype"): entry.constraint for entry in node.constraints}
    name, size = type_of(node.type_name)
    default = deparsed(constraints["CONSTR_DEFAULT"].raw_expr) if "CONSTR_DEFAULT" in constraints else ""
    primary = "CONSTR_PRIMARY" in constraints
    foreign = constraints.get("CONSTR_FOREIGN")
    return Column(
        node.colname,
        _OWN_TYPE.get(name, name),
        size,
        not_null="CONSTR_NOTNULL" in constraints or primary or name in _SERIAL or "CONSTR_IDENTITY" in constraints,
        unique=primary or "CONSTR_UNIQUE" in constraints,
        primary=primary,
        default="" if default.upper() == "NULL" else default,
        volatile=VOLATILE.search(default) is not None,
        generated=_generated(constraints, name),
        references=table_of(foreign.pktable) if foreign is not None else "",
        cascades=foreign is not None and foreign.fk_del_action == _CASCADE,
        checked="CONSTR_CHECK" in constraints,
        line=line,
    )


def _generated(constraints: dict[str, Any], type_name: str) -> str:
    if type_name in _SERIAL:
        return "serial"
    if "CONSTR_IDENTITY" in constraints:
        return "identity"
    if "CONSTR_GENERATED" in constraints:
        return "virtual" if constraints["CONSTR_GENERATED"].generated_kind == "v" else "stored"
    return ""


def type_of(type_name: Any) -> tuple[str, tuple[int, ...]]:
    """A type's name in lower case and the numbers in its brackets."""
    names = [entry.string.sval for entry in type_name.names]
    name = ".".join(names[1:] if names[:1] == ["pg_catalog"] else names).lower()
    if type_name.array_bounds:
        return f"{name}[]", ()
    size = tuple(entry.a_const.ival.ival for entry in type_name.typmods if entry.HasField("a_const") and entry.a_const.HasField("ival"))
    return name, size


def constraint_of(node: Any) -> Constraint | None:
    """A table constraint; None for what is none (NOT NULL of newer versions, LIKE)."""
    kind = _KINDS.get(enum(node, "contype"))
    if kind is None:
        return None
    keys = node.fk_attrs if kind == FOREIGN else node.keys
    return Constraint(
        kind,
        node.conname,
        tuple(entry.string.sval for entry in keys),
        references=table_of(node.pktable) if kind == FOREIGN else "",
        validated=not node.skip_validation,
        index=node.indexname,
        required=tuple(_required(node.raw_expr)) if kind == CHECK else (),
        cascades=kind == FOREIGN and node.fk_del_action == _CASCADE,
    )


def _required(expression: Any) -> Iterable[str]:
    """The columns a check demands to be not null: `a IS NOT NULL`, also joined by AND."""
    match expression.WhichOneof("node"):
        case "null_test" if enum(expression.null_test, "nulltesttype") == "IS_NOT_NULL":
            yield from column_named(expression.null_test.arg)
        case "bool_expr" if enum(expression.bool_expr, "boolop") == "AND_EXPR":
            for argument in expression.bool_expr.args:
                if argument.WhichOneof("node") == "null_test":
                    yield from _required(argument)
        case _:
            return


def column_named(expression: Any) -> tuple[str, ...]:
    """The column an expression consists of; nothing when it is more than a column."""
    if expression.WhichOneof("node") != "column_ref":
        return ()
    fields = [field.string.sval for field in expression.column_ref.fields if field.HasField("string")]
    return (fields[-1],) if fields else ()


def emptied_columns(where: Any) -> tuple[str, ...]:
    """The columns of a condition that consists of `a IS NULL` alone."""
    if where.WhichOneof("node") != "null_test" or enum(where.null_test, "nulltesttype") != "IS_NULL":
        return ()
    return column_named(where.null_test.arg)


def always(expression: Any) -> bool:
    """Whether a condition is true for every row, written as a constant: `true`, `1 = 1`."""
    match expression.WhichOneof("node"):
        case "a_const":
            return bool(expression.a_const.boolval.boolval)
        case "a_expr":
            left, right = expression.a_expr.lexpr, expression.a_expr.rexpr
            names = [entry.string.sval for entry in expression.a_expr.name]
            constants = left.WhichOneof("node") == right.WhichOneof("node") == "a_const"
            return constants and names == ["="] and _value(left) == _value(right)
        case _:
            return False


def _value(node: Any) -> str:
    constant = node.a_const
    return f"{constant.ival.ival}|{constant.sval.sval}|{constant.boolval.boolval}"


def constrained(columns: list[Column], constraint: Constraint) -> list[Column]:
    """The columns with a table constraint over one of them applied."""
    keys = set(constraint.columns)
    alone = len(keys) == 1
    if constraint.kind == FOREIGN:
        target, cascades = constraint.references, constraint.cascades
        return [replace(c, references=target, cascades=cascades) if c.name in keys else c for c in columns]
    if constraint.kind == PRIMARY:
        return [replace(c, primary=True, not_null=True, unique=alone or c.unique) if c.name in keys else c for c in columns]
    if constraint.kind == UNIQUE and alone:
        return [replace(column, unique=True) if column.name in keys else column for column in columns]
    return columns
