"""Tables declared for SQLAlchemy, Flask-SQLAlchemy and SQLModel. Part of the evidence STORES."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from auditor.evidence.tables_classes import PythonClass, PythonClasses
from auditor.languages.migrations import last
from auditor.model.syntax import Assignment, FileFacts, Value, ValueKind
from auditor.model.tables import Column, Table
from auditor.model.verdict import Place

_COLUMN_CALLS = frozenset({"Column", "mapped_column"})
_SNAKE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_ROOTS = re.compile(
    r"^(?:DeclarativeBase\w*|DeclarativeMeta|MappedAsDataclass|AsyncAttrs|SQLModel|BaseModel|Model|Base|object|Generic|Protocol|ABC|UserMixin|str|Enum|SerializerMixin)$"
)
"""Bases of the libraries that bring no columns of their own."""
_PLAIN_TYPES_WORDS = """
    str int float bool bytes datetime date time timedelta decimal uuid uuid4 dict list any json text integer string unicode numeric boolean guid uuid1 object none biginteger
    smallinteger largebinary datetime.datetime datetime.date uuid.uuid
    """
_PLAIN_TYPES = frozenset(_PLAIN_TYPES_WORDS.split())
_NOT_A_COLUMN = re.compile(r"\b(?:ClassVar|list|List|Relationship|relationship|DynamicMapped|WriteOnlyMapped|AssociationProxy)\b")
_WRAPPERS = re.compile(r"\b(?:Mapped|DynamicMapped|WriteOnlyMapped|Optional|List|Sequence|Set|Union|None)\b")
_MADE = re.compile(
    r"(?:^|\.)(?:relationship|column_property|association_proxy|synonym|query_expression|composite|deferred|hybrid_property)$"
)


def snake(name: str) -> str:
    """CamelCase as snake_case, the way mappers name tables."""
    return _SNAKE.sub("_", name).lower()


def alchemy_tables(classes: PythonClasses, texts: dict[str, str]) -> Iterator[Table]:
    """The tables that classes declare; the columns of mixins and bases included."""
    for found in classes.all:
        header = _header(found, texts)
        lineage = list(classes.lineage(found))
        table = _table_name(found, lineage, header)
        if table is None:
            continue
        sqlmodel = any(name.rsplit(".", 1)[-1] == "SQLModel" for _, name in lineage)
        columns, uniques, indexes = _of_lineage(lineage, sqlmodel=sqlmodel)
        columns, uniques, indexes = _with_arguments(lineage, columns, uniques, indexes)
        place = Place(found.facts.path, found.definition.line, found.definition.line)
        whole = all(owner is not None or _ROOTS.match(re.sub(r"\[.*", "", name).rsplit(".", 1)[-1]) for owner, name in lineage)
        removes = tuple(dict.fromkeys(name for owner, _ in lineage if owner is not None for name in _removed_along(owner.own)))
        yield Table(found.definition.name, table, place, "sqlalchemy", tuple(columns), tuple(uniques), tuple(indexes), whole, removes)


def core_tables(files: Iterable[FileFacts]) -> Iterator[Table]:
    """`Table("users", metadata, Column(...), ...)`."""
    for facts in files:
        if not any(statement.module.split(".", 1)[0] in {"sqlalchemy", "flask_sqlalchemy"} for statement in facts.imports):
            continue
        for call in facts.calls:
            first = call.argument("", 0)
            if last(call.callee) != "Table" or first is None or first.kind is not ValueKind.STRING:
                continue
            parts = [argument.value for argument in call.arguments if argument.value.kind is ValueKind.CALL]
            columns = [column for value in parts if (column := _column("", value, "", call.line)) is not None]
            if columns:
                uniques, indexes = _rules(parts)
                place = Place(facts.path, call.line, call.line)
                rules = tuple(_referred(columns, parts))
                yield Table(call.target or first.literal, first.literal, place, "sqlalchemy", rules, tuple(uniques), tuple(indexes))


def _header(found: PythonClass, texts: dict[str, str]) -> str:
    lines = texts.get(found.facts.path, "").split("\n")
    return " ".join(lines[found.definition.line - 1 : found.definition.line + 3])[:400].split("):", maxsplit=1)[0]


def _table_name(found: PythonClass, lineage: list[tuple[PythonClass | None, str]], header: str) -> str | None:
    """The name of the table, "" where it is computed, None for a class that is no table."""
    values = {assignment.target: assignment.value for assignment in found.own}
    if "__abstract__" in values:
        return None
    declared = values.get("__tablename__")
    if declared is not None:
        return declared.literal if declared.kind is ValueKind.STRING else ""
    if any(base in {"db.Model", "database.Model"} for base in found.bases):
        return snake(found.definition.name)
    if re.search(r"\btable\s*=\s*True\b", header):
        return found.definition.name.lower()
    made = [assignment.value for assignment in found.own if assignment.value is not None and assignment.value.kind is ValueKind.CALL]
    own = any(last(value.literal) in _COLUMN_CALLS for value in made)
    named_by_base = any(
        definition.name == "__tablename__" and definition.parent == owner.index
        for owner, _ in lineage[1:]
        if owner is not None
        for definition in owner.facts.definitions
    )
    return "" if own and named_by_base and not _is_mixin(found) else None


def _is_mixin(found: PythonClass) -> bool:
    return "mixin" in found.definition.name.lower() or not found.bases


def _of_lineage(
    lineage: list[tuple[PythonClass | None, str]], *, sqlmodel: bool
) -> tuple[list[Column], list[tuple[str, ...]], list[tuple[str, ...]]]:
    """Columns of the class and of what it is made from, each name once, the nearest declaration first."""
    columns: dict[str, Column] = {}
    for owner, _ in lineage:
        if owner is None:
            continue
        if owner is not lineage[0][0] and any(assignment.target == "__tablename__" for assignment in owner.own):
            break  # a table of its own: the child is joined to it
        elsewhere = owner.facts.path if owner is not lineage[0][0] else ""
        for column in _columns(owner.own, sqlmodel=sqlmodel):
            columns.setdefault(column.attribute or column.name, replace(column, path=elsewhere))
    return list(columns.values()), [], []


def _columns(own: tuple[Assignment, ...], *, sqlmodel: bool) -> Iterator[Column]:
    for assignment in own:
        if assignment.target.startswith("_") or "." in assignment.target:
            continue
        value = assignment.value
        if value is not None and value.kind is ValueKind.CALL:
            if last(value.literal) in _COLUMN_CALLS:
                column = _column(assignment.target, value, assignment.annotation, assignment.line)
                if column is not None:
                    yield column
                continue
            if not sqlmodel or last(value.literal) != "Field" or _MADE.search(value.literal):
                continue
        elif not sqlmodel and not assignment.annotation.startswith(("Mapped[", "orm.Mapped[", "so.Mapped[")):
            continue
        if assignment.annotation and not _NOT_A_COLUMN.search(assignment.annotation) and not _entity(assignment.annotation):
            yield _field(assignment, sqlmodel=sqlmodel)


def _entity(annotation: str) -> bool:
    """Whether an annotation in quotes names another model, so that the attribute is a relation."""
    return re.search(r"[\"'][A-Z]\w*[\"']", annotation) is not None


def _column(attribute: str, value: Value, annotation: str, line: int) -> Column | None:
    """A `Column(...)` or `mapped_column(...)`; None for other calls."""
    if last(value.literal) not in _COLUMN_CALLS:
        return None
    positional = [item for key, item in value.items if not key]
    named = next((item.literal for item in positional[:1] if item.kind is ValueKind.STRING), "")
    explicit = value.item("name")
    name = explicit.literal if explicit is not None and explicit.kind is ValueKind.STRING else named or attribute
    foreign = next((item for item in positional if last(item.literal) == "ForeignKey"), None)
    typed = next((item for item in positional if item.kind is not ValueKind.STRING and item is not foreign), None)
    primary = is_set(value, "primary_key")
    inner = _plain(annotation)
    kind = _type(typed) or inner
    null = is_set(value, "nullable") if value.item("nullable") is not None else not primary and _may_be_none(annotation, value)
    return Column(
        name=name,
        line=line,
        type=kind,
        null=null,
        primary=primary,
        unique=is_set(value, "unique"),
        indexed=is_set(value, "index"),
        references=_target(foreign),
        cascades=foreign is not None and _says_cascade(foreign, "ondelete"),
        limited=_limited(typed, inner),
        zoned=_zoned(typed, kind),
        default=_default(value),
        attribute=attribute if attribute != name else "",
    )


def _may_be_none(annotation: str, value: Value) -> bool:
    if not annotation:
        return True
    return _optional(annotation) or (not annotation.startswith(("Mapped", "orm.Mapped", "so.Mapped")) and last(value.literal) == "Column")


def _optional(annotation: str) -> bool:
    return re.search(r"\bOptional\b|\|\s*None\b|\bNone\s*\|", annotation) is not None


def _field(assignment: Assignment, *, sqlmodel: bool) -> Column:
    """A field of an SQLModel table, or `Mapped[...]` without a call."""
    value = assignment.value if assignment.value is not None and assignment.value.kind is ValueKind.CALL else None
    sa_column = value.item("sa_column") if value is not None else None
    if sa_column is not None and sa_column.kind is ValueKind.CALL:
        column = _column(assignment.target, sa_column, assignment.annotation, assignment.line)
        if column is not None:
            return column
    inner = _plain(assignment.annotation)
    typed = value.item("sa_type") if value is not None else None
    foreign = value.item("foreign_key") if value is not None else None
    primary = value is not None and is_set(value, "primary_key")
    nullable = value.item("nullable") if value is not None else None
    kind = _type(typed) or inner
    default = _default(value) if value is not None else (assignment.value.text if assignment.value is not None and sqlmodel else "")
    return Column(
        name=assignment.target,
        line=assignment.line,
        type=kind,
        null=nullable.text == "True" if nullable is not None else _optional(assignment.annotation) and not primary,
        primary=primary,
        unique=value is not None and is_set(value, "unique"),
        indexed=value is not None and is_set(value, "index"),
        references=foreign.literal.rsplit(".", 1)[0] if foreign is not None and foreign.kind is ValueKind.STRING else "",
        cascades=value is not None and _says_cascade(value, "ondelete"),
        limited=_limited(typed, inner),
        zoned=_zoned(typed, kind),
        default=default,
    )


def _plain(annotation: str) -> str:
    """The type inside `Mapped[Optional[...]]`, in lower case."""
    text = re.sub(r"[\"']", "", annotation)
    for wrapper in (r"(?:orm\.|so\.)?Mapped", r"(?:typing\.|t\.)?Optional", r"(?:typing\.|t\.)?Annotated", r"(?:typing\.|t\.)?Union"):
        text = re.sub(rf"^\s*{wrapper}\[(.*)\]\s*$", r"\1", text)
    parts = [part.strip() for part in re.split(r"\||,(?![^\[]*\])", text)]
    return next((part for part in parts if part and part != "None"), "").lower()


def _type(value: Value | None) -> str:
    if value is None:
        return ""
    if value.kind is ValueKind.CALL and last(value.literal) == "with_variant":
        return ""
    return last(value.literal).lower()


def _limited(typed: Value | None, annotation: str) -> bool:
    """Whether a type bounds its values: an enum, or an annotation with a class that is no plain type."""
    kind = _type(typed)
    if kind:
        return "enum" in kind or kind in {"boolean", "choicetype"}
    if annotation.startswith("literal["):
        return True
    bare = annotation.split("[", 1)[0]
    return bool(bare) and bare.rsplit(".", 1)[-1] not in _PLAIN_TYPES and bare not in _PLAIN_TYPES


def _zoned(typed: Value | None, kind: str) -> bool | None:
    """Whether a time keeps its zone; None for what is no time, and for types somebody wrote themselves."""
    if typed is not None and typed.kind is ValueKind.CALL and kind in {"datetime", "timestamp"}:
        zone = typed.item("timezone")
        positional = next((item for key, item in typed.items if not key), None)
        return (zone or positional) is not None and (zone or positional).text != "False"  # type: ignore[union-attr]
    if typed is not None and typed.kind is not ValueKind.CALL and kind in {"datetime", "timestamp"}:
        return False
    return False if typed is None and kind in {"datetime", "datetime.datetime"} else None


def _default(value: Value) -> str:
    for key in ("server_default", "default", "default_factory", "insert_default"):
        found = value.item(key)
        if found is not None and found.text not in {"None", "..."}:
            return found.text
    return ""


def is_set(value: Value, key: str) -> bool:
    """Whether a call gives `key=True`."""
    found = value.item(key)
    return found is not None and found.text == "True"


def _says_cascade(value: Value, key: str) -> bool:
    """Whether a call gives `ondelete="CASCADE"`, or a cascade that takes removed rows along."""
    found = value.item(key)
    return found is not None and re.search(r"\b(?:cascade|delete|all)\b", found.literal, re.IGNORECASE) is not None


def _removed_along(own: tuple[Assignment, ...]) -> Iterator[str]:
    """The models behind relations that remove their rows with the row they hang on: `relationship("Order", cascade="all, delete-orphan")`."""
    for assignment in own:
        value = assignment.value
        if value is None or value.kind is not ValueKind.CALL or last(value.literal) not in {"relationship", "Relationship"}:
            continue
        if _says_cascade(value, "cascade") or is_set(value, "cascade_delete"):
            first = next((item for key, item in value.items if not key), None)
            named = re.findall(r"\b[A-Z]\w*", _WRAPPERS.sub("", assignment.annotation))
            yield from [last(first.literal)] if first is not None and first.literal else named[-1:]


def _target(foreign: Value | None) -> str:
    """The table of `ForeignKey("users.id")`, or the class of `ForeignKey(User.id)`."""
    if foreign is None:
        return ""
    first = next((item for key, item in foreign.items if key in {"", "column"}), None)
    if first is None:
        return "?"
    return (first.literal.rsplit(".", 1)[0] or first.literal) if first.literal else "?"


# -- rules of the whole table ------------------------------------------------------------------------------------------------------------


def _with_arguments(
    lineage: list[tuple[PythonClass | None, str]], columns: list[Column], uniques: list[tuple[str, ...]], indexes: list[tuple[str, ...]]
) -> tuple[list[Column], list[tuple[str, ...]], list[tuple[str, ...]]]:
    """With what `__table_args__` adds, and `Index(...)` objects of the class."""
    parts: list[Value] = []
    for owner, _ in lineage:
        for assignment in owner.own if owner is not None else ():
            value = assignment.value
            if value is None:
                continue
            if assignment.target == "__table_args__":
                parts.extend(item for _, item in value.items)
            elif value.kind is ValueKind.CALL and last(value.literal) in {"Index", "UniqueConstraint"}:
                parts.append(value)
    found_uniques, found_indexes = _rules(parts)
    return list(_referred(columns, parts)), [*uniques, *found_uniques], [*indexes, *found_indexes]


def _rules(parts: list[Value]) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    """Unique rules and indexes over columns."""
    uniques, indexes = [], []
    for part in parts:
        kind = last(part.literal)
        if part.kind is not ValueKind.CALL or kind not in {"UniqueConstraint", "Index", "PrimaryKeyConstraint"}:
            continue
        given = [item for key, item in part.items if not key]
        names = tuple(_named(item) for item in (given[1:] if kind == "Index" else given))
        if names and (kind != "Index" or is_set(part, "unique")):
            uniques.append(names)
        elif names:
            indexes.append(names)
    return uniques, indexes


def _named(value: Value) -> str:
    """The column a rule speaks of; an expression over it in brackets."""
    if value.kind is ValueKind.STRING:
        return value.literal
    return last(value.literal) if value.kind is ValueKind.NAME else f"({value.text})"


def _referred(columns: list[Column], parts: list[Value]) -> Iterator[Column]:
    """The columns with foreign keys and checks that stand apart from them."""
    foreign: dict[str, str] = {}
    checked: set[str] = set()
    for part in parts:
        if last(part.literal) == "ForeignKeyConstraint" and len(part.items) >= 2:
            own, theirs = part.items[0][1], part.items[1][1]
            for (_, name), (_, target) in zip(own.items, theirs.items, strict=False):
                foreign[name.literal] = target.literal.rsplit(".", 1)[0]
        elif last(part.literal) == "CheckConstraint" and part.items:
            checked.update(re.findall(r"\w+", part.items[0][1].literal))
    for column in columns:
        yield replace(
            column, references=column.references or foreign.get(column.name, ""), limited=column.limited or column.name in checked
        )
