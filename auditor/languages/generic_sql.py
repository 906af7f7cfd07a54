"""SQL of MySQL, SQLite, ClickHouse, SQL Server and the like through sqlglot; called by `auditor.languages.sql` alone."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import sqlglot
from sqlglot import expressions as exp
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

from auditor.languages import sql
from auditor.languages.sql import Column, Operation

logging.getLogger("sqlglot").setLevel(logging.ERROR)  # it warns of every statement it keeps as opaque text; we account for those ourselves

_STATEMENTS_LIMIT = 20_000
_CREATED = {"TABLE": sql.CREATE_TABLE, "INDEX": sql.CREATE_INDEX, "VIEW": sql.CREATE_VIEW}
_DROPPED = {"TABLE": sql.DROP_TABLE, "INDEX": sql.DROP_INDEX, "VIEW": sql.DROP_VIEW}


def operations(text: str, dialect: str) -> Iterator[Operation]:
    """What a script does, statement by statement."""
    chosen = sqlglot.Dialect.get_or_raise(dialect or None)
    try:
        tokens = chosen.tokenize(text)
    except (SqlglotError, RecursionError, ValueError):
        yield Operation(sql.UNREAD, 1, name="text that is no SQL of a known dialect")
        return
    for number, piece in enumerate(_pieces(tokens)):
        if number >= _STATEMENTS_LIMIT:
            yield Operation(sql.UNREAD, piece[0].line, name="more statements than a structure script has")
            return
        line = piece[0].line
        try:
            parsed = chosen.parser().parse(list(piece), text)
        except (SqlglotError, RecursionError, ValueError, AttributeError, KeyError, TypeError):
            yield Operation(sql.UNREAD, line)
            continue
        for statement in parsed:
            if statement is not None:
                yield from _operation(statement, line)


def _pieces(tokens: list[Token]) -> Iterator[list[Token]]:
    piece: list[Token] = []
    for token in tokens:
        if token.token_type is TokenType.SEMICOLON:
            if piece:
                yield piece
            piece = []
        else:
            piece.append(token)
    if piece:
        yield piece


def _operation(statement: Any, line: int) -> Iterator[Operation]:
    match statement:
        case exp.Create():
            yield _create(statement, line)
        case exp.Drop():
            kind = _DROPPED.get(str(statement.args.get("kind") or "").upper(), sql.DROP_OTHER)
            for target in statement.args.get("tables") or (statement.this,):
                yield Operation(kind, line, _table(target), conditional=bool(statement.args.get("exists")))
        case exp.Alter():
            yield from _alter(statement, line)
        case exp.Insert():
            yield Operation(sql.INSERT, line, _table(statement.this))
        case exp.Update():
            yield Operation(sql.UPDATE, line, _table(statement.this), whole_table=statement.args.get("where") is None)
        case exp.Delete():
            yield Operation(sql.DELETE, line, _table(statement.this), whole_table=statement.args.get("where") is None)
        case exp.TruncateTable():
            for table in statement.expressions:
                yield Operation(sql.TRUNCATE, line, _table(table))
        case exp.Query():
            yield Operation(sql.SELECT, line)
        case exp.Command():
            yield Operation(sql.UNREAD, line, name=str(statement.this)[:40])
        case _:
            yield Operation(sql.OTHER, line)


def _table(node: Any) -> str:
    if isinstance(node, exp.Schema):
        node = node.this
    if isinstance(node, exp.Index):
        node = node.args.get("table")
    if isinstance(node, exp.Table):
        schema = node.db
        return f"{schema}.{node.name}" if schema and schema not in {"public", "dbo"} else str(node.name)
    return str(getattr(node, "name", "") or "")


def _create(statement: Any, line: int) -> Operation:
    kind = _CREATED.get(str(statement.args.get("kind") or "").upper(), sql.CREATE_OTHER)
    columns: tuple[Column, ...] = ()
    if kind == sql.CREATE_TABLE and isinstance(statement.this, exp.Schema):
        columns = tuple(_column(node, line) for node in statement.this.expressions if isinstance(node, exp.ColumnDef))
    properties = statement.args.get("properties")
    temporary = properties is not None and any(isinstance(entry, exp.TemporaryProperty) for entry in properties.expressions)
    name = str(getattr(statement.this, "name", "") or "") if kind == sql.CREATE_INDEX else ""
    conditional = bool(statement.args.get("exists"))
    return Operation(kind, line, _table(statement.this), name, conditional=conditional, temporary=temporary, columns=columns)


def _column(node: Any, line: int) -> Column:
    kinds = [constraint.args.get("kind") for constraint in node.args.get("constraints") or ()]
    reference = next((kind for kind in kinds if isinstance(kind, exp.Reference)), None)
    primary = any(isinstance(kind, exp.PrimaryKeyColumnConstraint) for kind in kinds)
    required = any(isinstance(kind, exp.NotNullColumnConstraint) and not kind.args.get("allow_null") for kind in kinds)
    return Column(
        str(node.name),
        str(node.args["kind"].sql()).lower() if node.args.get("kind") else "",
        not_null=primary or required,
        unique=primary or any(isinstance(kind, exp.UniqueColumnConstraint) for kind in kinds),
        primary=primary,
        default=any(isinstance(kind, exp.DefaultColumnConstraint) for kind in kinds),
        references=_table(reference.this) if reference is not None else "",
        line=line,
    )


def _alter(statement: Any, line: int) -> Iterator[Operation]:
    if str(statement.args.get("kind") or "").upper() != "TABLE":
        yield Operation(sql.ALTER_OTHER, line)
        return
    table = _table(statement.this)
    for action in statement.args.get("actions") or ():
        if isinstance(action, exp.Drop):
            kind = sql.DROP_COLUMN if str(action.args.get("kind") or "").upper() == "COLUMN" else sql.DROP_CONSTRAINT
            for target in action.args.get("tables") or (action.this,):
                yield Operation(kind, line, table, str(getattr(target, "name", "") or ""))
        else:
            yield _action(action, table, line)


def _action(action: Any, table: str, line: int) -> Operation:
    match action:
        case exp.ColumnDef():
            return Operation(sql.ADD_COLUMN, line, table, str(action.name), columns=(_column(action, line),))
        case exp.AlterRename():
            return Operation(sql.RENAME_TABLE, line, table, _table(action.this))
        case exp.RenameColumn():
            return Operation(sql.RENAME_COLUMN, line, table, str(action.args["to"].name))
        case exp.AddConstraint():
            return Operation(sql.ADD_CONSTRAINT, line, table)
        case exp.AlterColumn() | exp.ModifyColumn():
            node = action.this if isinstance(action, exp.ModifyColumn) else action
            kind = node.args.get("kind") or node.args.get("dtype")
            column = Column(str(node.name), str(kind.sql()).lower() if kind is not None else "", line=line)
            return Operation(_changed(action), line, table, column.name, columns=(column,))
        case _:
            return Operation(sql.ALTER_OTHER, line, table)


def _changed(action: Any) -> str:
    if isinstance(action, exp.ModifyColumn) or action.args.get("dtype"):
        return sql.CHANGE_TYPE
    if action.args.get("default"):
        return sql.SET_DEFAULT
    if action.args.get("allow_null") is not None:
        return sql.DROP_NOT_NULL if action.args["allow_null"] else sql.SET_NOT_NULL
    return sql.DROP_DEFAULT if action.args.get("drop") else sql.ALTER_OTHER
