"""Columns, types and defaults as SQLAlchemy writes them in code."""

from __future__ import annotations

from collections.abc import Mapping

from auditor.languages import flow_ir as ir
from auditor.languages.column_types import canonical
from auditor.languages.migration_expressions import chain, constant, dotted, text_of, words
from auditor.languages.operations import Column
from auditor.languages.postgres_columns import VOLATILE


def column_of(value: ir.Expression | None) -> Column | None:
    """`sa.Column("name", sa.Integer(), sa.ForeignKey("a.id"), nullable=False, server_default=...)`; None for anything else."""
    if not isinstance(value, ir.Call):
        return None
    link = chain(value)[1][-1]
    if link.name != "Column":
        return None
    given = list(link.arguments)
    name = text_of(link.argument("name")) or (text_of(given.pop(0)) if given and text_of(given[0]) is not None else "") or ""
    extras = {chain(part)[1][-1].name: part for part in given if isinstance(part, ir.Call)}
    kind = link.argument("type_") or next((part for part in given if _is_type(part)), None)
    default, volatile = default_of(link.argument("server_default"))
    primary = constant(link.argument("primary_key")) is True
    nullable = constant(link.argument("nullable"))
    type_name, size = type_of(kind)
    unique = constant(link.argument("unique")) is True
    return Column(
        name,
        type_name,
        size,
        not_null=nullable is False or (primary and nullable is not True),
        unique=unique or primary,
        primary=primary,
        default=default,
        volatile=volatile,
        generated=_generated(extras),
        references=_target(extras.get("ForeignKey")),
        cascades=_cascades(extras.get("ForeignKey")),
        indexed=constant(link.argument("index")) is True,
        line=value.line,
    )


_NO_TYPES = frozenset({"ForeignKey", "Computed", "Identity", "Sequence", "CheckConstraint", "FetchedValue"})


def _is_type(value: ir.Expression) -> bool:
    name = dotted(value.function if isinstance(value, ir.Call) else value).rpartition(".")[2]
    return bool(name) and name[:1].isupper() and name not in _NO_TYPES


def type_of(value: ir.Expression | None) -> tuple[str, tuple[int, ...]]:
    """A type written as class or call: name as PostgreSQL calls it, numbers in its brackets."""
    if value is None:
        return "", ()
    if not isinstance(value, ir.Call):
        return canonical(dotted(value).rpartition(".")[2]), ()
    link = chain(value)[1][-1]
    name = canonical(link.name)
    if name == "timestamp" and constant(link.argument("timezone")) is True:
        return "timestamptz", ()
    if name == "array":
        return f"{type_of(link.argument('item_type', 0))[0]}[]", ()
    if name == "enum":
        return text_of(link.argument("name")) or "enum", ()
    if name == "with_variant":
        return type_of(value.function.base) if isinstance(value.function, ir.Attribute) else ("", ())
    numbers = [
        constant(part) for part in (link.argument("length", 0) or link.argument("precision"), link.argument("scale", 1)) if part is not None
    ]
    sized = name in {"varchar", "numeric", "bpchar", "varbit"}
    return name, tuple(number for number in numbers if isinstance(number, int) and not isinstance(number, bool)) if sized else ()


def default_of(value: ir.Expression | None) -> tuple[str, bool]:
    """A server default as SQL and whether it is worked out for each row; a plain text is a literal, `sa.text` and `sa.func` are expressions."""
    if value is None or (isinstance(value, ir.Const) and value.value in {None, False}):
        return "", False
    if isinstance(value, ir.Const):
        return f"'{value.value}'", False
    text = text_of(value)
    if text is not None:
        return ("" if text.strip().upper() == "NULL" else text), VOLATILE.search(text) is not None
    path = dotted(value)
    called = f"{path.rpartition('.')[2]}()"
    return called, VOLATILE.search(called) is not None or path.endswith(("Sequence", ".next_value"))


def _generated(extras: Mapping[str, ir.Expression]) -> str:
    if "Identity" in extras:
        return "identity"
    computed = extras.get("Computed")
    if isinstance(computed, ir.Call):
        kept = constant(chain(computed)[1][-1].argument("persisted"))
        return "virtual" if kept is False else "stored"
    return ""


def _cascades(value: ir.Expression | None) -> bool:
    """Whether a `ForeignKey` says `ondelete="CASCADE"`."""
    return isinstance(value, ir.Call) and (text_of(chain(value)[1][-1].argument("ondelete")) or "").upper() == "CASCADE"


def _target(value: ir.Expression | None) -> str:
    """The table a `ForeignKey("schema.table.column")` leads to."""
    if not isinstance(value, ir.Call):
        return ""
    target = next(iter(words(chain(value)[1][-1].argument("column", 0))), "")
    return target.rpartition(".")[0].removeprefix("public.") or target
