"""Tables and collections declared by calls: Drizzle, Sequelize, Mongoose. Part of the evidence STORES."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace

from auditor.languages.migrations import last
from auditor.model.syntax import Call, FileFacts, Value, ValueKind
from auditor.model.tables import Column, Table
from auditor.model.verdict import Place

_DRIZZLE_TABLE = re.compile(r"^(?:pg|mysql|sqlite|singlestore)Table$|^(?:\w+[sS]chema)\.table$")
_ON_DELETE = re.compile(r"\bonDelete:\s*[\"'`]cascade", re.IGNORECASE)
_REFERENCE = re.compile(r"=>\s*(?:\{\s*return\s+)?\(?\s*(\w+)\.")
_SCHEMA = re.compile(r"^new (?:\w+\.)?Schema$|^(?:new )?mongoose\.Schema$")
_TIMES = frozenset({"timestamp", "datetime"})


def script_tables(files: Iterable[FileFacts], texts: dict[str, str]) -> Iterator[Table]:
    """The tables of all files that import one of the mappers."""
    read = list(files)
    yield from _drizzle(read)
    belongs = _belongings(read)
    for facts in read:
        modules = {statement.module for statement in facts.imports}
        if any(module.startswith("sequelize") for module in modules) or any("sequelize" in call.callee.lower() for call in facts.calls):
            yield from _sequelize(facts, belongs, texts.get(facts.path, ""))
        if "mongoose" in modules:
            yield from _mongoose(facts, texts.get(facts.path, ""))


def _line_of(key: str, call: Call, lines: list[str]) -> int:
    """The line of a property of an object literal that a call is given; expressions carry no lines of their own."""
    pattern = re.compile(rf"^\s*[\"']?{re.escape(key)}[\"']?\s*:")
    return next((number for number in range(call.line, min(call.end_line, len(lines)) + 1) if pattern.match(lines[number - 1])), call.line)


# -- Drizzle -----------------------------------------------------------------------------------------------------------------------------


def _drizzle(files: list[FileFacts]) -> Iterator[Table]:
    declared = [(facts, call) for facts in files for call in facts.calls if _is_drizzle(facts, call)]
    names = {call.target: call.arguments[0].value.literal for _, call in declared if call.target}
    for facts, call in declared:
        inner = _inner_calls(facts, call)
        columns = call.argument("", 1)
        found = [_drizzle_column(key, value, inner, names, call) for key, value in (columns.items if columns is not None else ())]
        uniques, indexes = _drizzle_rules(inner)
        kept = [column for column in found if column is not None]
        by_attribute = {column.attribute or column.name: column.name for column in kept}
        primary = {name for name, group in _composite_keys(inner) for name in group}
        yield Table(
            call.target or call.arguments[0].value.literal,
            call.arguments[0].value.literal,
            Place(facts.path, call.line, call.line),
            "drizzle",
            tuple(replace(column, primary=column.primary or (column.attribute or column.name) in primary) for column in kept),
            (*_renamed(uniques, by_attribute), *_renamed([group for _, group in _composite_keys(inner)], by_attribute)),
            tuple(_renamed(indexes, by_attribute)),
            whole=columns is not None and columns.kind is ValueKind.COLLECTION and not any(key == "..." for key, _ in columns.items),
        )


def _is_drizzle(facts: FileFacts, call: Call) -> bool:
    first = call.argument("", 0)
    return (
        _DRIZZLE_TABLE.match(call.callee) is not None
        and first is not None
        and first.kind is ValueKind.STRING
        and any(statement.module.startswith("drizzle-orm") for statement in facts.imports)
    )


def _inner_calls(facts: FileFacts, outer: Call) -> list[Call]:
    return [call for call in facts.calls if call is not outer and outer.line <= call.line and call.end_line <= outer.end_line]


def _drizzle_column(key: str, value: Value, inner: list[Call], names: dict[str, str], outer: Call) -> Column | None:
    """One property of the column object: a chain such as `text("email").notNull().unique()`."""
    if value.kind is not ValueKind.CALL or not key or key == "...":
        return None
    steps = value.literal.split("().")
    begin = value.text.split("(", 1)[0]
    own = next(
        (
            call
            for call in inner
            if call.callee == begin and call.arguments and f"{begin}(" in value.text and call.arguments[0].value.text in value.text
        ),
        None,
    )
    first = own.arguments[0].value if own is not None else None
    name = first.literal if first is not None and first.kind is ValueKind.STRING else key
    later = {step.rsplit(".", 1)[-1] for step in steps[1:]}
    reference = _REFERENCE.search(value.text.split("references", 1)[1]) if "references" in later else None
    kind = last(begin).lower()
    primary = "primaryKey" in later
    return Column(
        name=name,
        line=own.line if own is not None else outer.line,
        type=kind,
        null="notNull" not in later and not primary,
        primary=primary,
        unique=primary or "unique" in later,
        references=names.get(reference[1], reference[1]) if reference else "?" if "references" in later else "",
        cascades="references" in later and _ON_DELETE.search(value.text) is not None,
        limited="enum" in kind or kind == "boolean" or "enum:" in value.text,
        zoned=("withTimezone: true" in value.text if kind in _TIMES else None),
        default="given" if any(step.startswith(("default", "$default", "$onUpdate")) for step in later) else "",
        attribute=key if key != name else "",
    )


def _drizzle_rules(inner: list[Call]) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    """`index("x").on(t.a, t.b)`, `uniqueIndex("x").on(...)`, `unique().on(...)`."""
    uniques, indexes = [], []
    for call in inner:
        if not call.callee.endswith(("().on", "().using")):
            continue
        names = tuple(
            last(argument.value.literal) if argument.value.kind is ValueKind.NAME else f"({argument.value.text})"
            for argument in call.arguments
        )
        kind = call.callee.split("()", 1)[0]
        if kind in {"uniqueIndex", "unique"}:
            uniques.append(names)
        elif kind == "index":
            indexes.append(names)
    return uniques, indexes


def _composite_keys(inner: list[Call]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for call in inner:
        if call.callee != "primaryKey":
            continue
        first = call.argument("", 0)
        columns = first.item("columns") if first is not None else None
        values = [item for _, item in columns.items] if columns is not None else [argument.value for argument in call.arguments]
        yield "primary", tuple(last(value.literal) for value in values if value.kind is ValueKind.NAME)


def _renamed(groups: list[tuple[str, ...]], names: dict[str, str]) -> list[tuple[str, ...]]:
    return [tuple(names.get(name, name) for name in group) for group in groups]


# -- Sequelize ---------------------------------------------------------------------------------------------------------------------------


def _sequelize(facts: FileFacts, belongs: list[tuple[str, str, str]], text: str) -> Iterator[Table]:
    """`sequelize.define("user", {...})` and `User.init({...}, { sequelize })`."""
    lines = text.split("\n")
    for call in facts.calls:
        first = call.argument("", 0)
        defined = re.search(r"(?:sequelize|(?:^|\.)db)\.define$", call.callee, re.IGNORECASE) is not None
        if defined and first is not None and first.kind is ValueKind.STRING:
            name, attributes, options = first.literal, call.argument("", 1), call.argument("", 2)
        elif call.callee.endswith(".init") and _is_init(call):
            name, attributes, options = last(call.callee.removesuffix(".init")).removeprefix("super"), first, call.argument("", 1)
            name = name or _class_around(facts, call)
        else:
            continue
        named = options.item("tableName") if options is not None else None
        columns = [
            _sequelize_column(key, value, _line_of(key, call, lines)) for key, value in (attributes.items if attributes is not None else ())
        ]
        keys = {key: target for owner, key, target in belongs if owner in {name, call.target}}
        listed = [replace(c, references=c.references or keys.pop(c.name, "")) for c in columns if c is not None]
        listed.extend(Column(key, call.line, null=True, references=target) for key, target in keys.items())
        uniques, indexes = _option_indexes(options)
        has_key = any(column.primary for column in listed)
        implicit = () if has_key else (Column("id", call.line, "integer", primary=True, unique=True),)
        table = named.literal if named is not None and named.kind is ValueKind.STRING else name if defined else ""
        yield Table(name, table, Place(facts.path, call.line, call.line), "sequelize", (*implicit, *listed), tuple(uniques), tuple(indexes))


def _is_init(call: Call) -> bool:
    options = call.argument("", 1)
    return options is not None and (options.item("sequelize") is not None or options.item("modelName") is not None)


def _class_around(facts: FileFacts, call: Call) -> str:
    scope = call.scope
    while scope >= 0:
        definition = facts.definitions[scope]
        if definition.kind.value == "class":
            return definition.name
        scope = definition.parent
    return ""


def _belongings(files: list[FileFacts]) -> list[tuple[str, str, str]]:
    """(model, column, other model) of `Post.belongsTo(User, { foreignKey: "userId" })`: the mapper makes a foreign key of it."""
    found = []
    for facts in files:
        for call in facts.calls:
            owner, _, method = call.callee.rpartition(".")
            other = call.argument("", 0)
            if method not in {"belongsTo", "hasMany", "hasOne"} or not owner or other is None:
                continue
            options = call.argument("", 1)
            key = options.item("foreignKey") if options is not None else None
            name = (key.item("name") or key) if key is not None else None
            unconstrained = options is not None and options.item("constraints") is not None
            target, holder = (last(other.literal), last(owner)) if method == "belongsTo" else (last(owner), last(other.literal))
            column = name.literal if name is not None and name.kind is ValueKind.STRING else f"{target[:1].lower()}{target[1:]}Id"
            if not unconstrained:
                found.append((holder, column, target))
    return found


def _sequelize_column(key: str, value: Value, line: int) -> Column | None:
    if key in {"", "..."}:
        return None
    options = value if value.kind is ValueKind.COLLECTION else None
    typed = options.item("type") if options is not None else value
    if typed is None:
        return None
    kind = last(typed.literal).lower()
    if kind == "virtual":
        return None
    references = options.item("references") if options is not None else None
    target = (references.item("model") or references.item("table")) if references is not None else None
    allowed = options.item("allowNull") if options is not None else None
    named = options.item("field") if options is not None else None
    primary = _true(options, "primaryKey")
    return Column(
        name=named.literal if named is not None and named.kind is ValueKind.STRING else key,
        line=line,
        type=kind,
        null=not primary and (allowed is None or allowed.text != "false"),
        primary=primary,
        unique=primary or _true(options, "unique"),
        references=(last(target.literal) or "?") if target is not None else "",
        cascades=target is not None and options is not None and _ON_DELETE.search(options.text) is not None,
        limited=kind in {"enum", "boolean"} or (options is not None and "isIn" in options.text),
        zoned=True if kind == "date" else None,
        default="given" if options is not None and options.item("defaultValue") is not None else "",
        attribute=key if named is not None and named.literal != key else "",
    )


def _option_indexes(options: Value | None) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    """`indexes: [{ unique: true, fields: ["a", "b"] }]`."""
    uniques: list[tuple[str, ...]] = []
    indexes: list[tuple[str, ...]] = []
    listed = options.item("indexes") if options is not None else None
    for _, entry in listed.items if listed is not None else ():
        fields = entry.item("fields")
        names = tuple(item.literal for _, item in fields.items if item.kind is ValueKind.STRING) if fields is not None else ()
        names = names or (tuple(re.findall(r"[\"'](\w+)[\"']", fields.text)) if fields is not None else ())
        if names:
            (uniques if _true(entry, "unique") else indexes).append(names)
    return uniques, indexes


def _true(options: Value | None, key: str) -> bool:
    value = options.item(key) if options is not None else None
    return value is not None and value.text not in {"false", "undefined"}


# -- Mongoose ----------------------------------------------------------------------------------------------------------------------------


def _mongoose(facts: FileFacts, text: str) -> Iterator[Table]:
    """`new Schema({ email: { type: String, required: true } })`; a schema nested in another one is part of that one's documents."""
    lines = text.split("\n")
    rules: defaultdict[str, tuple[list[tuple[str, ...]], list[tuple[str, ...]]]] = defaultdict(lambda: ([], []))
    models: dict[str, str] = {}
    for call in facts.calls:
        owner, _, method = call.callee.rpartition(".")
        first = call.argument("", 0)
        if method == "index" and first is not None and first.kind is ValueKind.COLLECTION:
            names = tuple(key for key, _ in first.items if key != "...")
            rules[owner][0 if _true(call.argument("", 1), "unique") else 1].append(names)
        elif last(call.callee) == "model" and first is not None and first.kind is ValueKind.STRING:
            schema = call.argument("", 1)
            if schema is not None:
                models[schema.literal] = first.literal
    for call in facts.calls:
        fields = call.argument("", 0)
        if not _SCHEMA.match(call.callee) or fields is None or fields.kind is not ValueKind.COLLECTION:
            continue
        uniques, indexes = rules[call.target]
        name = models.get(call.target, re.sub(r"[sS]chema$", "", call.target) or "document")
        columns = tuple(_mongoose_field(key, value, _line_of(key, call, lines)) for key, value in fields.items if key not in {"", "..."})
        place = Place(facts.path, call.line, call.line)
        identity = Column("_id", call.line, "objectid", primary=True, unique=True)
        yield Table(name, name, place, "mongoose", (identity, *columns), tuple(uniques), tuple(indexes))


def _mongoose_field(key: str, value: Value, line: int) -> Column:
    options = value if value.kind is ValueKind.COLLECTION and value.item("type") is not None else None
    typed = options.item("type") if options is not None else value
    kind = (
        last(typed.literal).lower()
        if typed is not None and typed.literal
        else "array"
        if typed is not None and typed.text.startswith("[")
        else "object"
    )
    required = options.item("required") if options is not None else None
    reference = options.item("ref") if options is not None else None
    bounded = ("enum", "min", "max", "minlength", "maxlength", "minLength", "maxLength", "match", "validate")
    return Column(
        name=key,
        line=line,
        type=kind,
        null=required is None or required.text == "false",
        unique=_true(options, "unique"),
        indexed=_true(options, "index"),
        references=reference.literal or "?" if reference is not None else "",
        limited=kind == "boolean" or any(options is not None and options.item(word) is not None for word in bounded),
        default="given" if options is not None and options.item("default") is not None else "",
    )
