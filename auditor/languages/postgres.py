"""PostgreSQL statements through PostgreSQL's own parser; called by `auditor.languages.sql` alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import postgast
from google.protobuf.message import DecodeError

from auditor.languages import operations as ops
from auditor.languages.operations import Column, Constraint, Operation, Policy
from auditor.languages.postgres_columns import (
    always,
    column_of,
    constrained,
    constraint_of,
    deparsed,
    emptied_columns,
    enum,
    table_of,
    type_of,
)

_OBJECTS = {"OBJECT_TABLE": ops.DROP_TABLE, "OBJECT_VIEW": ops.DROP_VIEW, "OBJECT_MATVIEW": ops.DROP_VIEW, "OBJECT_INDEX": ops.DROP_INDEX}
_DROPS = {**_OBJECTS, "OBJECT_POLICY": ops.DROP_POLICY, "OBJECT_COLUMN": ops.DROP_COLUMN}
_COMMANDS = {
    "AT_DropColumn": ops.DROP_COLUMN,
    "AT_SetNotNull": ops.SET_NOT_NULL,
    "AT_DropNotNull": ops.DROP_NOT_NULL,
    "AT_DropConstraint": ops.DROP_CONSTRAINT,
    "AT_ValidateConstraint": ops.VALIDATE,
    "AT_EnableRowSecurity": ops.ENABLE_RLS,
    "AT_DisableRowSecurity": ops.DISABLE_RLS,
}
_FAILURES = (postgast.PgQueryError, DecodeError, UnicodeError, ValueError)
_TRANSACTIONS = {
    "TRANS_STMT_BEGIN": ops.BEGIN,
    "TRANS_STMT_START": ops.BEGIN,
    "TRANS_STMT_COMMIT": ops.COMMIT,
    "TRANS_STMT_ROLLBACK": ops.COMMIT,
}


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
        yield Operation(ops.CREATE_OTHER, line)
    elif kind and kind.startswith("alter_"):
        yield Operation(ops.ALTER_OTHER, line)
    else:
        yield Operation(ops.OTHER, line)


def _create_table(statement: Any, line: int) -> Iterator[Operation]:
    relation = statement.relation
    columns: list[Column] = []
    constraints: list[Constraint] = []
    for element in statement.table_elts:
        match element.WhichOneof("node"):
            case "column_def":
                columns.append(column_of(element.column_def, line))
            case "constraint":
                constraint = constraint_of(element.constraint)
                if constraint is not None:
                    constraints.append(constraint)
            case _:
                pass
    for constraint in constraints:
        columns = constrained(columns, constraint)
    yield Operation(
        ops.CREATE_TABLE,
        line,
        table_of(relation),
        conditional=statement.if_not_exists,
        temporary=relation.relpersistence == "t",
        columns=tuple(columns),
        constraints=tuple(constraints),
    )


def _alter_table(statement: Any, line: int) -> Iterator[Operation]:
    if enum(statement, "objtype") != "OBJECT_TABLE":
        yield Operation(ops.ALTER_OTHER, line)
        return
    table = table_of(statement.relation)
    for entry in statement.cmds:
        command = entry.alter_table_cmd
        yield from _command(command, enum(command, "subtype"), table, line)


def _command(command: Any, subtype: str, table: str, line: int) -> Iterator[Operation]:
    defined = getattr(command, "def")
    match subtype:
        case "AT_AddColumn":
            column = column_of(defined.column_def, line)
            yield Operation(ops.ADD_COLUMN, line, table, column.name, conditional=command.missing_ok, columns=(column,))
        case "AT_ColumnDefault":
            kept = command.HasField("def") and deparsed(defined).upper() != "NULL"
            column = Column(command.name, default=deparsed(defined) if kept else "", line=line)
            yield Operation(ops.SET_DEFAULT if kept else ops.DROP_DEFAULT, line, table, command.name, columns=(column,))
        case "AT_AddConstraint":
            constraint = constraint_of(defined.constraint)
            kind = ops.ADD_CONSTRAINT if constraint is not None else ops.ALTER_OTHER
            yield Operation(kind, line, table, defined.constraint.conname, constraints=(constraint,) if constraint is not None else ())
        case "AT_AlterColumnType":
            name, size = type_of(defined.column_def.type_name)
            column = Column(command.name, name, size, line=line)
            converted = defined.column_def.HasField("raw_default")
            yield Operation(ops.CHANGE_TYPE, line, table, command.name, columns=(column,), converted=converted)
        case "AT_DetachPartition":
            yield Operation(ops.ALTER_OTHER, line, table, concurrent=defined.partition_cmd.concurrent)
        case _:
            kind = _COMMANDS.get(subtype, ops.ALTER_OTHER)
            yield Operation(
                kind, line, table, command.name, conditional=command.missing_ok, text=subtype if kind == ops.ALTER_OTHER else ""
            )


def _rename(statement: Any, line: int) -> Iterator[Operation]:
    match enum(statement, "rename_type"):
        case "OBJECT_TABLE":
            table = table_of(statement.relation)
            yield Operation(ops.RENAME_TABLE, line, table, statement.newname, before=table)
        case "OBJECT_COLUMN":
            yield Operation(ops.RENAME_COLUMN, line, table_of(statement.relation), statement.newname, before=statement.subname)
        case _:
            yield Operation(ops.ALTER_OTHER, line)


def _drop(statement: Any, line: int) -> Iterator[Operation]:
    kind = _DROPS.get(enum(statement, "remove_type"), ops.DROP_OTHER)
    if enum(statement, "remove_type") == "OBJECT_SCHEMA":
        cascading = enum(statement, "behavior") == "DROP_CASCADE"
        for entry in statement.objects:  # with everything in it, or only when it is empty
            yield Operation(
                ops.DROP_TABLE if cascading else ops.DROP_OTHER, line, f"{entry.string.sval}.*", conditional=statement.missing_ok
            )
        return
    for entry in statement.objects:
        names = [item.string.sval for item in entry.list.items] if entry.HasField("list") else []
        names = names[1:] if len(names) > 1 and names[0] == "public" else names
        table = ".".join(names[:-1]) if kind == ops.DROP_POLICY else ".".join(names)
        yield Operation(kind, line, table, names[-1] if names else "", conditional=statement.missing_ok, concurrent=statement.concurrent)


def _index(statement: Any, line: int) -> Iterator[Operation]:
    alone = not statement.relation.inh  # ON ONLY: the partitions get theirs one by one, this one is empty
    keys = tuple(entry.index_elem.name or deparsed(entry.index_elem.expr) for entry in statement.index_params)
    yield Operation(
        ops.CREATE_INDEX,
        line,
        table_of(statement.relation),
        statement.idxname,
        conditional=statement.if_not_exists,
        concurrent=statement.concurrent,
        unique=statement.unique and not statement.HasField("where_clause"),
        keys=keys,
        text="only" if alone else "",
    )


def _view(statement: Any, line: int) -> Iterator[Operation]:
    yield Operation(ops.CREATE_VIEW, line, table_of(statement.view))


def _table_as(statement: Any, line: int) -> Iterator[Operation]:
    relation = statement.into.rel
    if enum(statement, "objtype") == "OBJECT_MATVIEW":
        yield Operation(ops.CREATE_VIEW, line, table_of(relation), conditional=statement.if_not_exists)
    else:
        temporary = relation.relpersistence == "t"
        yield Operation(ops.CREATE_TABLE, line, table_of(relation), conditional=statement.if_not_exists, temporary=temporary)


def _truncate(statement: Any, line: int) -> Iterator[Operation]:
    for entry in statement.relations:
        yield Operation(ops.TRUNCATE, line, table_of(entry.range_var))


def _policy(statement: Any, line: int) -> Iterator[Operation]:
    policy = replace(_policy_of(statement, statement.cmd_name or "all"), restrictive=not statement.permissive)
    yield Operation(ops.CREATE_POLICY, line, table_of(statement.table), statement.policy_name, policy=policy)


def _policy_of(statement: Any, command: str) -> Policy:
    roles = tuple(_role(entry.role_spec) for entry in statement.roles)
    return Policy(
        command,
        tuple(role for role in roles if role),
        using_true=statement.HasField("qual") and always(statement.qual),
        check_true=statement.HasField("with_check") and always(statement.with_check),
        has_check=statement.HasField("with_check"),
    )


def _role(role: Any) -> str:
    return "public" if enum(role, "roletype") == "ROLESPEC_PUBLIC" else str(role.rolename)


def _alter_policy(statement: Any, line: int) -> Iterator[Operation]:
    """What the statement leaves out stays as it was: its roles are none, its conditions not said to be true."""
    policy = _policy_of(statement, "")
    yield Operation(
        ops.ALTER_POLICY,
        line,
        table_of(statement.table),
        statement.policy_name,
        policy=policy,
        text="using" if statement.HasField("qual") else "",
    )


def _insert(statement: Any, line: int) -> Iterator[Operation]:
    yield Operation(ops.INSERT, line, table_of(statement.relation))


def _update(statement: Any, line: int) -> Iterator[Operation]:
    whole = not statement.HasField("where_clause") or always(statement.where_clause)
    emptied = () if whole else emptied_columns(statement.where_clause)
    keys = tuple(entry.res_target.name for entry in statement.target_list)
    yield Operation(ops.UPDATE, line, table_of(statement.relation), whole_table=whole, emptied=emptied, keys=keys)


def _delete(statement: Any, line: int) -> Iterator[Operation]:
    whole = not statement.HasField("where_clause") or always(statement.where_clause)
    yield Operation(ops.DELETE, line, table_of(statement.relation), whole_table=whole)


def _select(statement: Any, line: int) -> Iterator[Operation]:
    whole = bool(statement.from_clause) and not statement.HasField("where_clause") and not statement.HasField("limit_count")
    yield Operation(ops.SELECT, line, whole_table=whole)


def _alter_enum(statement: Any, line: int) -> Iterator[Operation]:
    renamed = bool(statement.old_val)
    name = ".".join(entry.string.sval for entry in statement.type_name)
    yield Operation(ops.RENAME_VALUE if renamed else ops.ALTER_OTHER, line, name, statement.new_val, before=statement.old_val)


def _lock(statement: Any, line: int) -> Iterator[Operation]:
    for entry in statement.relations:
        yield Operation(ops.LOCK, line, table_of(entry.range_var), text="LOCK TABLE")


def _reindex(statement: Any, line: int) -> Iterator[Operation]:
    concurrent = any(entry.def_elem.defname == "concurrently" for entry in statement.params)
    table = table_of(statement.relation) if statement.HasField("relation") else ""
    yield Operation(ops.LOCK, line, table, concurrent=concurrent, text="REINDEX")


def _vacuum(statement: Any, line: int) -> Iterator[Operation]:
    full = statement.is_vacuumcmd and any(entry.def_elem.defname == "full" for entry in statement.options)
    table = table_of(statement.rels[0].vacuum_relation.relation) if statement.rels else ""
    yield Operation(ops.LOCK if full else ops.OTHER, line, table, text="VACUUM FULL" if full else "")


def _cluster(statement: Any, line: int) -> Iterator[Operation]:
    yield Operation(ops.LOCK, line, table_of(statement.relation), text="CLUSTER")


def _transaction(statement: Any, line: int) -> Iterator[Operation]:
    yield Operation(_TRANSACTIONS.get(enum(statement, "kind"), ops.OTHER), line)


def _schema(statement: Any, line: int) -> Iterator[Operation]:
    if enum(statement, "object_type") == "OBJECT_TABLE":
        yield Operation(ops.SET_SCHEMA, line, table_of(statement.relation), statement.newschema)
    else:
        yield Operation(ops.ALTER_OTHER, line)


def _block(statement: Any, line: int) -> Iterator[Operation]:
    """A DO block runs now: its statements are read, those it puts together as texts are not."""
    bodies = [entry.def_elem.arg.string.sval for entry in statement.args if entry.def_elem.defname == "as"]
    body = bodies[0] if bodies else ""
    quote = "$auditor_block$"
    try:
        parsed = postgast.parse_plpgsql(f"DO {quote}{body}{quote}") if quote not in body else None
    except (*_FAILURES, RecursionError):
        parsed = None
    if parsed is None:
        yield Operation(ops.UNREAD, line, name="a block that does not parse")
        return
    yield from _statements_of(parsed, line)


def _statements_of(parsed: Any, line: int) -> Iterator[Operation]:
    """The statements anywhere in the tree of a block, in order, with their lines."""
    pending: list[Any] = [parsed]
    while pending:
        node = pending.pop()
        if isinstance(node, list):
            pending.extend(reversed(node))
        elif isinstance(node, dict):
            place = line + max(0, int(node.get("lineno") or 1) - 1) if isinstance(node.get("lineno", 1), int) else line
            if "sqlstmt" in node:
                yield from _inner(str(node["sqlstmt"].get("PLpgSQL_expr", {}).get("query", "")), place)
            elif "query" in node and "params" not in node and "var" not in node and "rec" not in node:
                yield from _dynamic(node["query"], place)
            pending.extend(
                value for key, value in reversed(node.items()) if key not in {"sqlstmt", "datums"} and isinstance(value, (dict, list))
            )


def _dynamic(query: Any, line: int) -> Iterator[Operation]:
    """`EXECUTE 'text'`: read where the text is a constant; where it is assembled, nobody can say what it does."""
    text = str(query.get("PLpgSQL_expr", {}).get("query", "")) if isinstance(query, dict) else ""
    try:
        parsed = postgast.parse(f"SELECT {text}").stmts[0].stmt.select_stmt.target_list[0].res_target.val
    except (*_FAILURES, IndexError):
        return
    if parsed.WhichOneof("node") == "a_const" and parsed.a_const.sval.sval:
        yield from _inner(parsed.a_const.sval.sval, line)
    else:
        yield Operation(ops.UNREAD, line, name="a statement put together while it runs", text=text[:500])


def _inner(text: str, line: int) -> Iterator[Operation]:
    for _offset, _length, statement in statements(text):
        if statement is not None and statement.WhichOneof("node") != "do_stmt":
            yield from operations(statement, line)


_READERS = {
    "create_stmt": _create_table,
    "create_table_as_stmt": _table_as,
    "alter_table_stmt": _alter_table,
    "alter_object_schema_stmt": _schema,
    "rename_stmt": _rename,
    "drop_stmt": _drop,
    "index_stmt": _index,
    "view_stmt": _view,
    "truncate_stmt": _truncate,
    "create_policy_stmt": _policy,
    "alter_policy_stmt": _alter_policy,
    "insert_stmt": _insert,
    "update_stmt": _update,
    "delete_stmt": _delete,
    "select_stmt": _select,
    "alter_enum_stmt": _alter_enum,
    "lock_stmt": _lock,
    "reindex_stmt": _reindex,
    "vacuum_stmt": _vacuum,
    "cluster_stmt": _cluster,
    "transaction_stmt": _transaction,
    "do_stmt": _block,
}
