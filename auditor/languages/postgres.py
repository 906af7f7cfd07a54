"""PostgreSQL statements through PostgreSQL's own parser; called by `auditor.languages.sql` alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import postgast
from google.protobuf.message import DecodeError

from auditor.languages import sql
from auditor.languages.sql import Column, Operation

_OBJECTS = {"OBJECT_TABLE": sql.DROP_TABLE, "OBJECT_VIEW": sql.DROP_VIEW, "OBJECT_MATVIEW": sql.DROP_VIEW, "OBJECT_INDEX": sql.DROP_INDEX}
_DROPS = {**_OBJECTS, "OBJECT_POLICY": sql.DROP_POLICY, "OBJECT_COLUMN": sql.DROP_COLUMN}
_COMMANDS = {
    "AT_DropColumn": sql.DROP_COLUMN,
    "AT_SetNotNull": sql.SET_NOT_NULL,
    "AT_DropNotNull": sql.DROP_NOT_NULL,
    "AT_DropConstraint": sql.DROP_CONSTRAINT,
    "AT_EnableRowSecurity": sql.ENABLE_RLS,
    "AT_DisableRowSecurity": sql.DISABLE_RLS,
}
_FAILURES = (postgast.PgQueryError, DecodeError, UnicodeError, ValueError)


def accepts(text: str) -> bool:
    """Whether the whole script is PostgreSQL."""
    try:
        postgast.parse(text)
    except _FAILURES:
        return False
    return True


def statements(text: str) -> Iterator[tuple[int, int, Any]]:
    """Byte offset, byte length and syntax tree of each statement; the tree is None where the grammar refuses the statement."""
    try:
        parsed = postgast.parse(text)
    except _FAILURES:
        yield from _one_by_one(text)
        return
    for raw in parsed.stmts:
        yield raw.stmt_location, raw.stmt_len, raw.stmt


def _one_by_one(text: str) -> Iterator[tuple[int, int, Any]]:
    data = text.encode("utf-8", "replace")
    try:
        pieces = postgast.split(text, method="scanner")
    except _FAILURES:
        pieces = [text]
    offset = 0
    for piece in pieces:
        raw = piece.encode("utf-8", "replace")
        found = data.find(raw, offset)
        start = found if found >= 0 else offset
        offset = start + len(raw)
        yield start, len(raw), _parsed(piece)


def _parsed(piece: str) -> Any:
    try:
        parsed = postgast.parse(piece)
    except _FAILURES:
        return None
    return parsed.stmts[0].stmt if parsed.stmts else None


def operations(node: Any, line: int) -> Iterator[Operation]:
    """What one statement does."""
    kind = node.WhichOneof("node")
    statement = getattr(node, kind) if kind else None
    reader = _READERS.get(kind or "")
    if reader is not None:
        yield from reader(statement, line)
    elif kind and kind.startswith(("create_", "define_", "comp", "view")):
        yield Operation(sql.CREATE_OTHER, line)
    elif kind and kind.startswith("alter_"):
        yield Operation(sql.ALTER_OTHER, line)
    else:
        yield Operation(sql.OTHER, line)


def _table(relation: Any) -> str:
    schema = relation.schemaname
    return f"{schema}.{relation.relname}" if schema and schema != "public" else str(relation.relname)


def _create_table(statement: Any, line: int) -> Iterator[Operation]:
    relation = statement.relation
    columns: list[Column] = []
    constraints: list[Any] = []
    for element in statement.table_elts:
        match element.WhichOneof("node"):
            case "column_def":
                columns.append(_column(element.column_def, line))
            case "constraint":
                constraints.append(element.constraint)
            case _:
                pass
    for constraint in constraints:
        columns = _constrained(columns, constraint)
    yield Operation(
        sql.CREATE_TABLE,
        line,
        _table(relation),
        conditional=statement.if_not_exists,
        temporary=relation.relpersistence == "t",
        columns=tuple(columns),
    )


def _column(node: Any, line: int) -> Column:
    kinds = [_enum(entry.constraint, "contype") for entry in node.constraints]
    references = next((_table(entry.constraint.pktable) for entry in node.constraints if entry.constraint.HasField("pktable")), "")
    return Column(
        node.colname,
        _type(node.type_name),
        not_null="CONSTR_NOTNULL" in kinds or "CONSTR_PRIMARY" in kinds,
        unique="CONSTR_UNIQUE" in kinds or "CONSTR_PRIMARY" in kinds,
        primary="CONSTR_PRIMARY" in kinds,
        default=bool({"CONSTR_DEFAULT", "CONSTR_IDENTITY", "CONSTR_GENERATED"} & set(kinds)),
        references=references,
        line=line,
    )


def _constrained(columns: list[Column], constraint: Any) -> list[Column]:
    """The columns with a table constraint over one of them applied."""
    kind = _enum(constraint, "contype")
    keys = {entry.string.sval for entry in (constraint.fk_attrs if kind == "CONSTR_FOREIGN" else constraint.keys)}
    if kind == "CONSTR_FOREIGN":
        target = _table(constraint.pktable)
        return [replace(column, references=target) if column.name in keys else column for column in columns]
    if kind == "CONSTR_PRIMARY":
        alone = len(keys) == 1
        return [replace(c, primary=True, not_null=True, unique=alone or c.unique) if c.name in keys else c for c in columns]
    if kind == "CONSTR_UNIQUE" and len(keys) == 1:
        return [replace(column, unique=True) if column.name in keys else column for column in columns]
    return columns


def _type(type_name: Any) -> str:
    names = [entry.string.sval for entry in type_name.names]
    name = ".".join(names[1:] if names[:1] == ["pg_catalog"] else names)
    return name.lower() + ("[]" if type_name.array_bounds else "")


def _enum(message: Any, field: str) -> str:
    descriptor = message.DESCRIPTOR.fields_by_name[field]
    return str(descriptor.enum_type.values_by_number[getattr(message, field)].name)


def _alter_table(statement: Any, line: int) -> Iterator[Operation]:
    if _enum(statement, "objtype") != "OBJECT_TABLE":
        yield Operation(sql.ALTER_OTHER, line)
        return
    table = _table(statement.relation)
    for entry in statement.cmds:
        command = entry.alter_table_cmd
        yield from _command(command, _enum(command, "subtype"), table, line)


def _command(command: Any, subtype: str, table: str, line: int) -> Iterator[Operation]:
    if subtype == "AT_AddColumn":
        column = _column(getattr(command, "def").column_def, line)
        yield Operation(sql.ADD_COLUMN, line, table, column.name, conditional=command.missing_ok, columns=(column,))
    elif subtype == "AT_ColumnDefault":
        yield Operation(sql.SET_DEFAULT if command.HasField("def") else sql.DROP_DEFAULT, line, table, command.name)
    elif subtype == "AT_AddConstraint":
        yield Operation(sql.ADD_CONSTRAINT, line, table, getattr(command, "def").constraint.conname)
    elif subtype == "AT_AlterColumnType":
        column = Column(command.name, _type(getattr(command, "def").column_def.type_name), line=line)
        yield Operation(sql.CHANGE_TYPE, line, table, command.name, columns=(column,))
    else:
        yield Operation(_COMMANDS.get(subtype, sql.ALTER_OTHER), line, table, command.name, conditional=command.missing_ok)


def _rename(statement: Any, line: int) -> Iterator[Operation]:
    match _enum(statement, "rename_type"):
        case "OBJECT_TABLE":
            yield Operation(sql.RENAME_TABLE, line, _table(statement.relation), statement.newname)
        case "OBJECT_COLUMN":
            yield Operation(sql.RENAME_COLUMN, line, _table(statement.relation), statement.newname)
        case _:
            yield Operation(sql.ALTER_OTHER, line)


def _drop(statement: Any, line: int) -> Iterator[Operation]:
    kind = _DROPS.get(_enum(statement, "remove_type"), sql.DROP_OTHER)
    for entry in statement.objects:
        names = [item.string.sval for item in entry.list.items] if entry.HasField("list") else []
        names = names[1:] if len(names) > 1 and names[0] == "public" else names
        table = ".".join(names[:-1]) if kind == sql.DROP_POLICY else ".".join(names)
        yield Operation(kind, line, table, names[-1] if names else "", conditional=statement.missing_ok, concurrent=statement.concurrent)


def _index(statement: Any, line: int) -> Iterator[Operation]:
    table = _table(statement.relation)
    yield Operation(sql.CREATE_INDEX, line, table, statement.idxname, conditional=statement.if_not_exists, concurrent=statement.concurrent)


def _view(statement: Any, line: int) -> Iterator[Operation]:
    yield Operation(sql.CREATE_VIEW, line, _table(statement.view))


def _table_as(statement: Any, line: int) -> Iterator[Operation]:
    relation = statement.into.rel
    if _enum(statement, "objtype") == "OBJECT_MATVIEW":
        yield Operation(sql.CREATE_VIEW, line, _table(relation), conditional=statement.if_not_exists)
    else:
        temporary = relation.relpersistence == "t"
        yield Operation(sql.CREATE_TABLE, line, _table(relation), conditional=statement.if_not_exists, temporary=temporary)


def _truncate(statement: Any, line: int) -> Iterator[Operation]:
    for entry in statement.relations:
        yield Operation(sql.TRUNCATE, line, _table(entry.range_var))


def _policy(statement: Any, line: int) -> Iterator[Operation]:
    yield Operation(sql.CREATE_POLICY, line, _table(statement.table), statement.policy_name)


def _insert(statement: Any, line: int) -> Iterator[Operation]:
    yield Operation(sql.INSERT, line, _table(statement.relation))


def _update(statement: Any, line: int) -> Iterator[Operation]:
    yield Operation(sql.UPDATE, line, _table(statement.relation), whole_table=not statement.HasField("where_clause"))


def _delete(statement: Any, line: int) -> Iterator[Operation]:
    yield Operation(sql.DELETE, line, _table(statement.relation), whole_table=not statement.HasField("where_clause"))


def _select(_statement: Any, line: int) -> Iterator[Operation]:
    yield Operation(sql.SELECT, line)


def _alter_enum(statement: Any, line: int) -> Iterator[Operation]:
    renamed = bool(statement.old_val)
    yield Operation(sql.RENAME_VALUE if renamed else sql.ALTER_OTHER, line, name=statement.new_val)


_READERS = {
    "create_stmt": _create_table,
    "create_table_as_stmt": _table_as,
    "alter_table_stmt": _alter_table,
    "rename_stmt": _rename,
    "drop_stmt": _drop,
    "index_stmt": _index,
    "view_stmt": _view,
    "truncate_stmt": _truncate,
    "create_policy_stmt": _policy,
    "insert_stmt": _insert,
    "update_stmt": _update,
    "delete_stmt": _delete,
    "select_stmt": _select,
    "alter_enum_stmt": _alter_enum,
}
