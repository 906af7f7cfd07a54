"""Tables declared as Django models. Part of the evidence STORES."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from auditor.evidence.tables_classes import PythonClass, PythonClasses
from auditor.evidence.tables_sqlalchemy import is_set, snake
from auditor.languages.migrations import last
from auditor.model.syntax import Assignment, Value, ValueKind
from auditor.model.tables import Column, Table
from auditor.model.verdict import Place

_FIELD_CALL = re.compile(r"(?:Field|ForeignKey)$")
_ROOT = re.compile(r"^(?:(?:\w+\.)*models\.Model|Model)$")
_ACCOUNTS = {
    "AbstractUser": (
        Column("username", type="charfield", unique=True),
        Column("email", type="emailfield"),
        Column("password", type="charfield"),
    ),
    "AbstractBaseUser": (Column("password", type="charfield"),),
}
"""Columns that Django's own bases of an account bring."""
_PLAIN = re.compile(r"^(?:models\.Model|object|Model|\w*Mixin|Generic)$")
_KEYS = frozenset({"ForeignKey", "OneToOneField", "ParentalKey", "TreeForeignKey"})
_LIMITED = re.compile(r"(?:Boolean|Enum|Choice|TextChoices|IntegerChoices)\w*Field$")


def django_tables(classes: PythonClasses) -> Iterator[Table]:
    """Models that have a table of their own: abstract, proxy and unmanaged ones are left out."""
    for found in classes.all:
        if not _imports_django(found):
            continue
        lineage = list(classes.lineage(found))
        if not any(owner is None and (_ROOT.match(name) or last(name) in _ACCOUNTS) for owner, name in lineage) or _unmanaged(found):
            continue
        yield _table(found, lineage)


def _imports_django(found: PythonClass) -> bool:
    return any(statement.module.split(".", maxsplit=1)[0] == "django" for statement in found.facts.imports) or any(
        base.endswith("models.Model") for base in found.bases
    )


def _unmanaged(found: PythonClass) -> bool:
    values = {a.target: a.value.text for a in found.nested.get("Meta", ()) if a.value is not None}
    return values.get("abstract") == "True" or values.get("proxy") == "True" or values.get("managed") == "False"


def _table(found: PythonClass, lineage: list[tuple[PythonClass | None, str]]) -> Table:
    columns: dict[str, Column] = {}
    uniques: list[tuple[str, ...]] = []
    indexes: list[tuple[str, ...]] = []
    for owner, name in lineage:
        if owner is None:
            for column in _ACCOUNTS.get(last(name), ()):
                columns.setdefault(column.name, column)
            continue
        if owner is not found and not is_abstract(owner):
            continue  # a table of its own, joined to this one
        elsewhere = owner.facts.path if owner is not found else ""
        for column in _columns(owner.own):
            columns.setdefault(column.attribute or column.name, replace(column, path=elsewhere))
        for assignment in owner.nested.get("Meta", ()):
            if assignment.value is not None:
                _meta(assignment.target, assignment.value, uniques, indexes)
    if not any(column.primary for column in columns.values()):
        columns = {"id": Column("id", found.definition.line, "autofield", primary=True, unique=True), **columns}
    whole = all(owner is not None or _PLAIN.match(name) or _ROOT.match(name) or last(name) in _ACCOUNTS for owner, name in lineage)
    place = Place(found.facts.path, found.definition.line, found.definition.line)
    table = _declared_name(found) or snake(found.definition.name)
    return Table(found.definition.name, table, place, "django", tuple(columns.values()), tuple(uniques), tuple(indexes), whole)


def is_abstract(owner: PythonClass) -> bool:
    """Whether a class only lends its fields to others and has no table."""
    return any(a.target == "abstract" and a.value is not None and a.value.text == "True" for a in owner.nested.get("Meta", ()))


def _declared_name(found: PythonClass) -> str:
    values = {a.target: a.value for a in found.nested.get("Meta", ()) if a.value is not None}
    declared = values.get("db_table")
    return declared.literal if declared is not None and declared.kind is ValueKind.STRING else ""


def _columns(own: tuple[Assignment, ...]) -> Iterator[Column]:
    for assignment in own:
        value = assignment.value
        if value is None or value.kind is not ValueKind.CALL or "." in assignment.target:
            continue
        kind = last(value.literal)
        if not _FIELD_CALL.search(kind) and kind not in _KEYS:
            continue
        if "Generic" in kind or "ManyToMany" in kind:
            continue
        yield _column(assignment.target, value, kind, assignment.line)


def _column(name: str, value: Value, kind: str, line: int) -> Column:
    foreign = kind in _KEYS
    explicit = value.item("db_column")
    target = next((item for key, item in value.items if key in {"", "to"}), None) if foreign else None
    constrained = value.item("db_constraint")
    db_name = explicit.literal if explicit is not None and explicit.kind is ValueKind.STRING else f"{name}_id" if foreign else name
    choices = value.item("choices")
    index = value.item("db_index")
    primary = is_set(value, "primary_key")
    default = value.item("default") or value.item("db_default")
    automatic = is_set(value, "auto_now") or is_set(value, "auto_now_add")
    return Column(
        name=db_name,
        line=line,
        type=kind.lower(),
        null=is_set(value, "null"),
        primary=primary,
        unique=primary or is_set(value, "unique") or kind == "OneToOneField",
        indexed=index.text == "True" if index is not None else foreign or kind == "SlugField",
        references=(last(target.literal.split(" ")[0]) if target is not None and target.literal else "?")
        if foreign and not (constrained is not None and constrained.text == "False")
        else "",
        cascades=foreign and _cascades(value),
        limited=choices is not None or _LIMITED.search(kind) is not None,
        zoned=True if kind == "DateTimeField" else None,
        default=default.text if default is not None else "now" if automatic else "",
        attribute=name if name != db_name else "",
    )


def _cascades(value: Value) -> bool:
    """Whether a key says `on_delete=models.CASCADE`, by name or as its second argument."""
    given = [item for key, item in value.items if not key]
    chosen = value.item("on_delete") or next(iter(given[1:]), None)
    return chosen is not None and last(chosen.literal) == "CASCADE"


def _meta(target: str, value: Value, uniques: list[tuple[str, ...]], indexes: list[tuple[str, ...]]) -> None:
    """What `class Meta` says of several columns."""
    match target:
        case "unique_together":
            uniques.extend(_groups(value))
        case "index_together":
            indexes.extend(_groups(value))
        case "constraints" | "indexes":
            for _, item in value.items:
                if item.kind is not ValueKind.CALL:
                    continue
                names = _fields(item)
                if last(item.literal) == "UniqueConstraint" and names:
                    uniques.append(names)
                elif target == "indexes" and names:
                    indexes.append(names)
        case _:
            pass


def _groups(value: Value) -> Iterator[tuple[str, ...]]:
    """`("a", "b")` or `[("a", "b"), ...]`."""
    texts = tuple(item.literal for _, item in value.items if item.kind is ValueKind.STRING)
    if texts:
        yield texts
    for _, item in value.items:
        inner = tuple(each.literal for _, each in item.items if each.kind is ValueKind.STRING)
        if item.kind is ValueKind.COLLECTION and inner:
            yield inner


def _fields(value: Value) -> tuple[str, ...]:
    fields = value.item("fields")
    if fields is not None:
        names = [item.literal.removeprefix("-") for _, item in fields.items if item.kind is ValueKind.STRING]
        return tuple(names) or tuple(re.findall(r"[\"']-?(\w+)[\"']", fields.text))
    return tuple(f"({item.text})" for key, item in value.items if not key)
