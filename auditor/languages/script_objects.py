"""Calls of Sequelize, TypeORM and node-pg-migrate that take objects."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from auditor.languages import flow_ir as ir
from auditor.languages import operations as ops
from auditor.languages.migration_expressions import Link, Step, constant, dotted, entry, text_of, words
from auditor.languages.migration_sql_calls import sql_operations
from auditor.languages.operations import CHECK, FOREIGN, PRIMARY, UNIQUE, Column, Constraint, Operation
from auditor.languages.postgres_columns import constrained
from auditor.languages.script_columns import object_column


def object_operations(step: Step, framework: str) -> Iterator[Operation]:
    """What one call on the runner's object does."""
    link = step.last
    if framework == "typeorm" and link.name == "execute" and "createQueryBuilder" in step.callee:
        yield from _query_builder(step)
        return
    if framework == "typeorm" and _is_manager(step):
        yield from _entity_rows(link)
        return
    reader = _READERS.get(link.name)
    if reader is None or not link.called:
        return
    yield from reader(link, _named_table(link.argument("", 0)), framework)


def _is_manager(step: Step) -> bool:
    return step.last.name in {"update", "delete", "clear"} and "manager" in step.callee


def _entity_rows(link: Link) -> Iterator[Operation]:
    """`manager.update(Entity, criteria, values)` and its siblings."""
    table = text_of(link.argument("", 0)) or dotted(link.argument("", 0))
    if link.name == "clear":
        yield Operation(ops.TRUNCATE, link.line, table)
    else:
        kind = ops.UPDATE if link.name == "update" else ops.DELETE
        yield Operation(kind, link.line, table, whole_table=_unconditional(link.argument("", 1)))


def _query_builder(step: Step) -> Iterator[Operation]:
    named = {link.name: link for link in step.links}
    kind = next((kind for name, kind in (("update", ops.UPDATE), ("delete", ops.DELETE), ("insert", ops.INSERT)) if name in named), "")
    if kind:
        target = next((text_of(named[name].argument("", 0)) for name in ("update", "from", "into") if name in named), None)
        yield Operation(kind, step.line, target or "", whole_table=not any(name.lower().endswith("where") for name in named))


def _named_table(value: ir.Expression | None) -> str:
    """A table given by its name, `{ tableName, schema }`, `new Table({ name })`."""
    text = text_of(value)
    if text is not None:
        return text.removeprefix("public.")
    if isinstance(value, ir.Call) and value.arguments:
        value = value.arguments[0]
    name = text_of(entry(value, "tableName", "name")) or ""
    schema = text_of(entry(value, "schema"))
    return f"{schema}.{name}" if schema and schema != "public" else name


def _given(value: ir.Expression | None) -> ir.Expression | None:
    """The object given to `new TableColumn({...})`, or the object itself."""
    return value.arguments[0] if isinstance(value, ir.Call) and value.arguments else value


def _items(value: ir.Expression | None) -> tuple[ir.Expression, ...]:
    return value.items if isinstance(value, ir.Sequence) else (value,) if value is not None else ()


def _column_entries(value: ir.Expression | None) -> Iterator[Column]:
    for key, item in value.entries if isinstance(value, ir.Mapping) else ():
        name = constant(key)
        if isinstance(name, str):
            yield object_column(name, item)


def _typeorm_column(value: ir.Expression | None) -> Column:
    given = _given(value)
    return object_column(text_of(entry(given, "name")) or "", given, raw_defaults=True)


def _create_table(link: Link, table: str, framework: str) -> Iterator[Operation]:
    if framework == "typeorm":
        yield from _typeorm_table(link, table)
        return
    fields = link.argument("", 1)
    columns = list(_column_entries(fields))
    constraints: list[Constraint] = []
    options = link.argument("", 2)
    unique = entry(options, "uniqueKeys")
    for _, item in unique.entries if isinstance(unique, ir.Mapping) else ():
        constraints.append(Constraint(UNIQUE, "", words(entry(item, "fields"))))
    for constraint in constraints:
        columns = constrained(columns, constraint)
    yield Operation(ops.CREATE_TABLE, link.line, table, columns=tuple(columns), constraints=tuple(constraints))


def _typeorm_table(link: Link, table: str) -> Iterator[Operation]:
    given = _given(link.argument("", 0))
    columns = [_typeorm_column(item) for item in _items(entry(given, "columns"))]
    constraints = [_typeorm_foreign(item) for item in _items(entry(given, "foreignKeys"))]
    constraints += [Constraint(UNIQUE, "", words(entry(_given(item), "columnNames"))) for item in _items(entry(given, "uniques"))]
    for constraint in constraints:
        columns = constrained(columns, constraint)
    yield Operation(ops.CREATE_TABLE, link.line, table, columns=tuple(columns), constraints=tuple(constraints))
    for item in _items(entry(given, "indices")):
        yield _typeorm_index(item, table, link.line)


def _typeorm_foreign(value: ir.Expression | None) -> Constraint:
    given = _given(value)
    target = text_of(entry(given, "referencedTableName")) or ""
    cascades = (text_of(entry(given, "onDelete")) or "").upper() == "CASCADE"
    return Constraint(
        FOREIGN, text_of(entry(given, "name")) or "", words(entry(given, "columnNames")), references=target, cascades=cascades
    )


def _typeorm_index(value: ir.Expression | None, table: str, line: int) -> Operation:
    given = _given(value)
    return Operation(
        ops.CREATE_INDEX,
        line,
        table,
        text_of(entry(given, "name")) or "",
        keys=words(entry(given, "columnNames")),
        unique=constant(entry(given, "isUnique")) is True,
        concurrent=constant(entry(given, "isConcurrent")) is True,
    )


def _drop_table(link: Link, table: str, _framework: str) -> Iterator[Operation]:
    yield Operation(ops.DROP_TABLE, link.line, table)


def _rename_table(link: Link, table: str, _framework: str) -> Iterator[Operation]:
    yield Operation(ops.RENAME_TABLE, link.line, table, _named_table(link.argument("", 1)), before=table)


def _add_column(link: Link, table: str, framework: str) -> Iterator[Operation]:
    if framework == "typeorm":
        columns = [_typeorm_column(item) for item in _items(link.argument("", 1))]
    elif isinstance(link.argument("", 1), ir.Mapping):
        columns = list(_column_entries(link.argument("", 1)))
    else:
        columns = [object_column(text_of(link.argument("", 1)) or "", link.argument("", 2))]
    for column in columns:
        yield Operation(ops.ADD_COLUMN, link.line, table, column.name, columns=(replace(column, line=link.line),))


def _drop_column(link: Link, table: str, framework: str) -> Iterator[Operation]:
    given = link.argument("", 1)
    names = words(given)
    if framework == "typeorm" and not names:
        names = tuple(text_of(entry(_given(item), "name")) or text_of(item) or "?" for item in _items(given))
    yield from (Operation(ops.DROP_COLUMN, link.line, table, name) for name in names or ("?",))


def _rename_column(link: Link, table: str, _framework: str) -> Iterator[Operation]:
    old, given = link.argument("", 1), link.argument("", 2)
    before = text_of(old) or text_of(entry(_given(old), "name")) or ""
    yield Operation(ops.RENAME_COLUMN, link.line, table, text_of(given) or text_of(entry(_given(given), "name")) or "", before=before)


def _change_column(link: Link, table: str, framework: str) -> Iterator[Operation]:
    old, given = link.argument("", 1), link.argument("", 2)
    if framework == "typeorm":
        column = _typeorm_column(given)
        before = text_of(old) or (_typeorm_column(old).name if old is not None else "")
        previous = _typeorm_column(old) if isinstance(old, ir.Call) else None
        if before and column.name and before != column.name:
            yield Operation(ops.RENAME_COLUMN, link.line, table, column.name, before=before)
        yield Operation(ops.ALTER_COLUMN, link.line, table, column.name, columns=(replace(column, line=link.line),), previous=previous)
        return
    name = text_of(old) or ""
    if framework == "node-pg-migrate":
        yield from _pgm_changes(link, table, name, given)
        return
    yield Operation(ops.ALTER_COLUMN, link.line, table, name, columns=(replace(object_column(name, given), line=link.line),))


def _pgm_changes(link: Link, table: str, name: str, given: ir.Expression | None) -> Iterator[Operation]:
    """node-pg-migrate changes only what the object names."""
    column = replace(object_column(name, given), line=link.line)
    if entry(given, "type") is not None:
        yield Operation(ops.CHANGE_TYPE, link.line, table, name, columns=(column,), converted=entry(given, "using") is not None)
    required = constant(entry(given, "notNull"))
    if isinstance(required, bool):
        yield Operation(ops.SET_NOT_NULL if required else ops.DROP_NOT_NULL, link.line, table, name)
    if entry(given, "default") is not None:
        yield Operation(ops.SET_DEFAULT if column.default else ops.DROP_DEFAULT, link.line, table, name, columns=(column,))


def _add_index(link: Link, table: str, framework: str) -> Iterator[Operation]:
    if framework == "typeorm":
        yield from (_typeorm_index(item, table, link.line) for item in _items(link.argument("", 1)))
        return
    given, options = link.argument("", 1), link.argument("", 2)
    holder = given if isinstance(given, ir.Mapping) else options
    keys = words(entry(given, "fields")) if isinstance(given, ir.Mapping) else words(given)
    concurrent = any(constant(entry(part, "concurrently")) is True for part in (given, options))
    unique = constant(entry(holder, "unique")) is True or text_of(entry(holder, "type")) == "UNIQUE"
    name = text_of(entry(holder, "name")) or ""
    yield Operation(
        ops.CREATE_INDEX, link.line, table, name, keys=keys, unique=unique and entry(holder, "where") is None, concurrent=concurrent
    )


def _drop_index(link: Link, table: str, _framework: str) -> Iterator[Operation]:
    given = link.argument("", 1)
    concurrent = any(constant(entry(part, "concurrently")) is True for part in link.arguments)
    yield Operation(ops.DROP_INDEX, link.line, table, text_of(given) or text_of(entry(_given(given), "name")) or "", concurrent=concurrent)


def _foreign_keys(link: Link, table: str, _framework: str) -> Iterator[Operation]:
    for item in _items(link.argument("", 1)):
        constraint = _typeorm_foreign(item)
        yield Operation(ops.ADD_CONSTRAINT, link.line, table, constraint.name, constraints=(constraint,))


def _unique(link: Link, table: str, _framework: str) -> Iterator[Operation]:
    given = _given(link.argument("", 1))
    constraint = Constraint(UNIQUE, text_of(entry(given, "name")) or "", words(entry(given, "columnNames")))
    yield Operation(ops.ADD_CONSTRAINT, link.line, table, constraint.name, constraints=(constraint,))


def _check(link: Link, table: str, _framework: str) -> Iterator[Operation]:
    given = _given(link.argument("", 1))
    yield Operation(ops.ADD_CONSTRAINT, link.line, table, text_of(entry(given, "name")) or "", constraints=(Constraint(CHECK),))


def _primary(link: Link, table: str, _framework: str) -> Iterator[Operation]:
    yield Operation(ops.ADD_CONSTRAINT, link.line, table, constraints=(Constraint(PRIMARY, "", words(link.argument("", 1))),))


_CONSTRAINTS = {"foreign key": FOREIGN, "unique": UNIQUE, "primary key": PRIMARY, "check": CHECK}


def _add_constraint(link: Link, table: str, framework: str) -> Iterator[Operation]:
    given = link.argument("", 1)
    if isinstance(given, ir.Mapping):  # Sequelize
        kind = _CONSTRAINTS.get((text_of(entry(given, "type")) or "").lower(), CHECK)
        name, columns, target = text_of(entry(given, "name")) or "", words(entry(given, "fields")), entry(given, "references")
        yield Operation(
            ops.ADD_CONSTRAINT,
            link.line,
            table,
            name,
            constraints=(Constraint(kind, name, columns, references=_named_table(entry(target, "table", "model")) if target else ""),),
        )
        return
    name, definition = text_of(given) or "", link.argument("", 2)
    if framework != "node-pg-migrate":
        yield Operation(ops.ADD_CONSTRAINT, link.line, table, name, constraints=(Constraint(CHECK, name),))
        return
    text = text_of(definition)
    if text is not None:
        yield from sql_operations(ir.Const(f"ALTER TABLE {table} ADD CONSTRAINT {name or 'unnamed'} {text}", link.line), link.line)
        return
    for key, kind in (("foreignKeys", FOREIGN), ("unique", UNIQUE), ("primaryKey", PRIMARY), ("check", CHECK)):
        if entry(definition, key) is not None:
            yield Operation(ops.ADD_CONSTRAINT, link.line, table, name, constraints=(Constraint(kind, name),))


def _drop_constraint(link: Link, table: str, _framework: str) -> Iterator[Operation]:
    given = link.argument("", 1)
    yield Operation(ops.DROP_CONSTRAINT, link.line, table, text_of(given) or text_of(entry(_given(given), "name")) or "")


def _truncate(link: Link, table: str, _framework: str) -> Iterator[Operation]:
    yield Operation(ops.TRUNCATE, link.line, table)


def _bulk_insert(link: Link, table: str, _framework: str) -> Iterator[Operation]:
    yield Operation(ops.INSERT, link.line, table)


def _bulk_update(link: Link, table: str, _framework: str) -> Iterator[Operation]:
    where = link.argument("", 2)
    yield Operation(ops.UPDATE, link.line, table, whole_table=_unconditional(where), emptied=_null_entries(where))


def _bulk_delete(link: Link, table: str, _framework: str) -> Iterator[Operation]:
    yield Operation(ops.DELETE, link.line, table, whole_table=_unconditional(link.argument("", 1)))


def _unconditional(where: ir.Expression | None) -> bool:
    """No condition at all: nothing, null or an empty object."""
    return where is None or (isinstance(where, ir.Const) and where.value is None) or (isinstance(where, ir.Mapping) and not where.entries)


def _null_entries(where: ir.Expression | None) -> tuple[str, ...]:
    if isinstance(where, ir.Mapping) and len(where.entries) == 1:
        key, value = where.entries[0]
        if isinstance(value, ir.Const) and value.value is None:
            return (str(constant(key)),)
    return ()


def _pgm_rename_constraint(link: Link, table: str, _framework: str) -> Iterator[Operation]:
    yield Operation(ops.ALTER_OTHER, link.line, table)


def _made(link: Link, _table: str, _framework: str) -> Iterator[Operation]:
    yield Operation(ops.CREATE_OTHER, link.line)


def _committed(link: Link, _table: str, _framework: str) -> Iterator[Operation]:
    yield Operation(ops.COMMIT, link.line)


def _begun(link: Link, _table: str, _framework: str) -> Iterator[Operation]:
    yield Operation(ops.BEGIN, link.line)


def _gone(link: Link, _table: str, _framework: str) -> Iterator[Operation]:
    yield Operation(ops.DROP_OTHER, link.line)


_READERS: dict[str, Callable[[Link, str, str], Iterator[Operation]]] = {
    "createTable": _create_table,
    "dropTable": _drop_table,
    "renameTable": _rename_table,
    "addColumn": _add_column,
    "addColumns": _add_column,
    "removeColumn": _drop_column,
    "dropColumn": _drop_column,
    "dropColumns": _drop_column,
    "renameColumn": _rename_column,
    "changeColumn": _change_column,
    "alterColumn": _change_column,
    "addIndex": _add_index,
    "createIndex": _add_index,
    "createIndices": _add_index,
    "removeIndex": _drop_index,
    "dropIndex": _drop_index,
    "createForeignKey": _foreign_keys,
    "createForeignKeys": _foreign_keys,
    "createUniqueConstraint": _unique,
    "createCheckConstraint": _check,
    "createPrimaryKey": _primary,
    "addConstraint": _add_constraint,
    "createConstraint": _add_constraint,
    "removeConstraint": _drop_constraint,
    "dropConstraint": _drop_constraint,
    "dropForeignKey": _drop_constraint,
    "dropUniqueConstraint": _drop_constraint,
    "dropCheckConstraint": _drop_constraint,
    "dropPrimaryKey": _drop_constraint,
    "renameConstraint": _pgm_rename_constraint,
    "clearTable": _truncate,
    "bulkInsert": _bulk_insert,
    "bulkUpdate": _bulk_update,
    "bulkDelete": _bulk_delete,
    "createType": _made,
    "createExtension": _made,
    "createSchema": _made,
    "createFunction": _made,
    "commitTransaction": _committed,
    "startTransaction": _begun,
    "dropType": _gone,
    "dropSchema": _gone,
    "dropFunction": _gone,
}
