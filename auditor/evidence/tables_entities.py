"""Tables declared by decorated classes: TypeORM, sequelize-typescript, Nest's Mongoose. Part of the evidence STORES."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace

from auditor.languages.migrations import last
from auditor.model.syntax import Assignment, Call, Definition, DefinitionKind, FileFacts, Value, ValueKind
from auditor.model.tables import Column, Table
from auditor.model.verdict import Place

_COLUMNS_WORDS = """
    Column PrimaryColumn PrimaryGeneratedColumn CreateDateColumn UpdateDateColumn DeleteDateColumn VersionColumn ObjectIdColumn ViewColumn Generated Prop
    CreatedAt UpdatedAt DeletedAt
    """
_COLUMNS = frozenset(_COLUMNS_WORDS.split())
_KEYS = frozenset({"ManyToOne", "OneToOne"})
_LIBRARIES = {"typeorm": "typeorm", "sequelize-typescript": "sequelize", "@nestjs/mongoose": "mongoose"}
_TABLES = {"typeorm": "Entity", "sequelize": "Table", "mongoose": "Schema"}
_TARGET = re.compile(r"=>\s*\(?\s*(\w+)")
_DEPTH = 6

_Class = tuple[FileFacts, int]


def entity_tables(files: Iterable[FileFacts]) -> Iterator[Table]:
    """The tables of decorated classes, with the columns of the classes they extend."""
    read = list(files)
    by_name: defaultdict[str, list[_Class]] = defaultdict(list)
    fields: dict[str, dict[int, list[Assignment]]] = {}
    for facts in read:
        decorated: defaultdict[int, list[Assignment]] = defaultdict(list)
        for assignment in facts.assignments:
            if assignment.decorators:
                decorated[assignment.scope].append(assignment)
        fields[facts.path] = decorated
        for index, definition in enumerate(facts.definitions):
            if definition.kind is DefinitionKind.CLASS:
                by_name[definition.name].append((facts, index))
    for facts in read:
        mapper = next((mapper for library, mapper in _LIBRARIES.items() if any(s.module == library for s in facts.imports)), "")
        for index, definition in enumerate(facts.definitions) if mapper else ():
            entity = next((call for call in definition.decorators if call.callee == _TABLES[mapper]), None)
            if entity is not None and definition.kind is DefinitionKind.CLASS:
                yield _table((facts, index), entity, mapper, by_name, fields)


def _table(
    found: _Class, entity: Call, mapper: str, by_name: dict[str, list[_Class]], fields: dict[str, dict[int, list[Assignment]]]
) -> Table:
    facts, index = found
    definition = facts.definitions[index]
    chain = list(_lineage(found, by_name))
    columns: dict[str, Column] = {}
    keys: dict[str, str] = {}
    uniques: list[tuple[str, ...]] = []
    indexes: list[tuple[str, ...]] = []
    for owner in chain:
        if owner is None:
            continue
        own, at = owner
        for field in fields[own.path].get(at, ()):
            for column in _columns(field, mapper, keys):
                columns.setdefault(column.name, replace(column, path=own.path if own is not facts else ""))
        for decorator in own.definitions[at].decorators:
            _group(decorator, uniques, indexes)
    place = Place(facts.path, definition.line, definition.line)
    whole = all(owner is not None for owner in chain)
    off = {key for key in ("createdAt", "updatedAt", "deletedAt") if _switched_off(entity, key)}
    listed = [_keyed(column, keys) for column in columns.values() if (column.attribute or column.name) not in off]
    return Table(definition.name, _named(entity), place, mapper, tuple(listed), tuple(uniques), tuple(indexes), whole)


def _lineage(found: _Class, by_name: dict[str, list[_Class]]) -> Iterator[_Class | None]:
    """The class and what it extends; None where a class is not among the files."""
    current: _Class | None = found
    for _ in range(_DEPTH):
        if current is None:
            return
        yield current
        definition: Definition = current[0].definitions[current[1]]
        base = re.sub(r"[<(].*", "", definition.bases[0]).rsplit(".", 1)[-1] if definition.bases else ""
        if not base or base in {"BaseEntity", "Model", "Document"}:
            return
        same = by_name.get(base, [])
        near = [each for each in same if each[0].path == current[0].path] or same
        current = near[0] if len(near) == 1 and near[0] != current else None
        if current is None:
            yield None


def _switched_off(entity: Call, key: str) -> bool:
    """Whether a table is told to do without one of its times."""
    own, every = _option(entity, key), _option(entity, "timestamps")
    return any(value is not None and value.text == "false" for value in (own, every))


def _named(entity: Call) -> str:
    """The name of the table in the decorator, "" where the mapper makes it up."""
    first = entity.argument("", 0)
    if first is None:
        return ""
    if first.kind is ValueKind.STRING:
        return first.literal
    for key in ("name", "tableName", "collection"):
        value = first.item(key)
        if value is not None and value.kind is ValueKind.STRING:
            return value.literal
    return ""


def _columns(field: Assignment, mapper: str, keys: dict[str, str]) -> Iterator[Column]:
    """The column of a decorated field, and of a relation the one that holds its key."""
    decorators = {call.callee: call for call in field.decorators}
    relation = next((call for name, call in decorators.items() if name in _KEYS), None)
    if relation is not None and (relation.callee == "ManyToOne" or "JoinColumn" in decorators):
        joined = decorators.get("JoinColumn")
        options = joined.argument("", 0) if joined is not None else None
        named = options.item("name") if options is not None else None
        name = named.literal if named is not None and named.literal else f"{field.target}Id"
        constrained = _option(relation, "createForeignKeyConstraints")
        if not (constrained is not None and constrained.text == "false"):
            keys[name] = _target(relation)
        null = _option(relation, "nullable")
        unique = relation.callee == "OneToOne"
        removal = _option(relation, "onDelete")
        yield Column(
            name,
            field.line,
            "",
            null=null is None or null.text != "false",
            unique=unique,
            indexed="Index" in decorators,
            cascades=removal is not None and removal.literal.upper() == "CASCADE",
        )
    made = next((call for name, call in decorators.items() if name in _COLUMNS), None)
    column = _column(field, made, decorators, mapper, keys) if made is not None else None
    if column is not None:
        yield column


def _column(field: Assignment, made: Call, decorators: dict[str, Call], mapper: str, keys: dict[str, str]) -> Column | None:
    named = _option(made, "name") or _option(made, "field")
    name = named.literal if named is not None and named.kind is ValueKind.STRING else field.target
    if "ForeignKey" in decorators:
        keys[name] = _target(decorators["ForeignKey"])
    if "References" in decorators or (mapper == "mongoose" and _option(made, "ref") is not None):
        keys[name] = "?"
    kind = _type(field, made)
    if kind == "virtual":
        return None
    primary = made.callee.startswith("Primary") or "PrimaryKey" in decorators
    default = _option(made, "default") or _option(made, "defaultValue")
    automatic = made.callee in {"CreateDateColumn", "UpdateDateColumn", "CreatedAt", "UpdatedAt"}
    return Column(
        name=name,
        line=field.line,
        type=kind,
        null=_null(field, made, decorators, mapper) and not primary and not automatic,
        primary=primary,
        unique=primary or _true(made, "unique") or "Unique" in decorators or _unique_index(decorators),
        indexed="Index" in decorators or _true(made, "index"),
        limited=kind in {"enum", "boolean", "bool", "set"} or _option(made, "enum") is not None or "IsIn" in decorators,
        zoned=_zoned(kind, automatic=automatic, mapper=mapper),
        default=default.text if default is not None else "now" if automatic or "Generated" in decorators else "",
        attribute=field.target if field.target != name else "",
    )


def _null(field: Assignment, made: Call, decorators: dict[str, Call], mapper: str) -> bool:
    if mapper == "typeorm":
        return _true(made, "nullable") or made.callee == "DeleteDateColumn"
    if mapper == "mongoose":
        required = _option(made, "required")
        return required is None or required.text == "false"
    allowed = _option(made, "allowNull")
    if allowed is not None:
        return allowed.text != "false"
    return "AllowNull" in decorators or "null" in field.annotation or not {"NotNull", "Default", "IsNotNull"} & decorators.keys()


def _type(field: Assignment, made: Call) -> str:
    first = made.argument("", 0)
    value = first if first is not None and first.kind is not ValueKind.COLLECTION else _option(made, "type")
    if value is not None and value.kind is ValueKind.FUNCTION:
        value = None
    if value is not None and (value.literal or value.kind is ValueKind.STRING):
        return last(value.literal).lower()
    if made.callee == "PrimaryGeneratedColumn":
        return "int"
    if "Date" in made.callee or made.callee in {"CreatedAt", "UpdatedAt", "DeletedAt"}:
        return "timestamp"
    return re.split(r"[\s|\[]", field.annotation.strip(), maxsplit=1)[0].lower()


def _zoned(kind: str, *, automatic: bool, mapper: str) -> bool | None:
    """Whether a time keeps its zone: TypeORM's default for dates on PostgreSQL does not, Sequelize's and Mongoose's do."""
    if kind in {"timestamptz", "timestamp with time zone"}:
        return True
    if kind not in {"date", "timestamp", "datetime", "timestamp without time zone"} or (
        kind == "date" and mapper == "typeorm" and automatic
    ):
        return None
    return mapper != "typeorm" or None


def _keyed(column: Column, keys: dict[str, str]) -> Column:
    target = keys.get(column.name) or keys.get(column.attribute)
    if not target:
        return column
    return replace(column, references=target)


def _target(call: Call) -> str:
    """The class a relation leads to: `() => User`, `type => User`, `User`, `"User"`."""
    first = call.argument("", 0)
    if first is None:
        return "?"
    found = _TARGET.search(first.text)
    return found[1] if found else first.literal or "?"


def _option(call: Call, key: str) -> Value | None:
    """An entry of the options, the last object a decorator is given."""
    return next((value for argument in reversed(call.arguments) if (value := argument.value.item(key)) is not None), None)


def _true(call: Call, key: str) -> bool:
    value = _option(call, key)
    return value is not None and value.text not in {"false", "undefined"}


def _unique_index(decorators: dict[str, Call]) -> bool:
    index = decorators.get("Index")
    return index is not None and _true(index, "unique")


def _group(decorator: Call, uniques: list[tuple[str, ...]], indexes: list[tuple[str, ...]]) -> None:
    """`@Unique(["a", "b"])`, `@Index(["a", "b"], { unique: true })`, `@Index("name", ["a"])`, on the class."""
    if decorator.callee not in {"Unique", "Index"}:
        return
    names = next(
        (
            tuple(item.literal for _, item in argument.value.items if item.kind is ValueKind.STRING)
            for argument in decorator.arguments
            if argument.value.kind is ValueKind.COLLECTION and any(not key for key, _ in argument.value.items)
        ),
        (),
    )
    if names:
        (uniques if decorator.callee == "Unique" or _true(decorator, "unique") else indexes).append(names)
