"""SQL of MySQL, SQLite, ClickHouse, SQL Server and the like through sqlglot; called by `auditor.languages.sql` alone."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from typing import Any

import sqlglot
from sqlglot import expressions as exp
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

from auditor.languages import operations as ops
from auditor.languages.column_types import written
from auditor.languages.operations import CHECK, FOREIGN, PRIMARY, UNIQUE, Column, Constraint, Operation
from auditor.languages.postgres_columns import VOLATILE, constrained

logging.getLogger("sqlglot").setLevel(logging.ERROR)  # it warns of every statement it keeps as opaque text; we account for those ourselves

_STATEMENTS_LIMIT = 20_000
_CREATED = {"TABLE": ops.CREATE_TABLE, "INDEX": ops.CREATE_INDEX, "VIEW": ops.CREATE_VIEW}
_DROPPED = {"TABLE": ops.DROP_TABLE, "INDEX": ops.DROP_INDEX, "VIEW": ops.DROP_VIEW}
_COPYING = re.compile(r"\b(ALGORITHM\s*=?\s*COPY|LOCK\s*=?\s*(?:SHARED|EXCLUSIVE))\b", re.IGNORECASE)
_ONLINE = re.compile(
    r",?\s*\b(?:ALGORITHM\s*=?\s*(?:COPY|INPLACE|INSTANT|DEFAULT)|LOCK\s*=?\s*(?:NONE|SHARED|EXCLUSIVE|DEFAULT))\b", re.IGNORECASE
)
_LOCKS = re.compile(r"^\s*LOCK\s+TABLES?\b", re.IGNORECASE)
_RENAMES = re.compile(r"^\s*RENAME\s+TABLE\s+(.+)$", re.IGNORECASE | re.DOTALL)
_PAIR = re.compile(r"([\w.`\"]+)\s+TO\s+([\w.`\"]+)", re.IGNORECASE)
_TRANSACTIONS: dict[type, str] = {exp.Transaction: ops.BEGIN, exp.Commit: ops.COMMIT, exp.Rollback: ops.COMMIT}


def operations(text: str, dialect: str) -> Iterator[Operation]:
    """What a script does, statement by statement."""
    chosen = sqlglot.Dialect.get_or_raise(dialect or None)
    try:
        tokens = chosen.tokenize(text)
    except (SqlglotError, RecursionError, ValueError):
        yield Operation(ops.UNREAD, 1, name="text that is no SQL of a known dialect")
        return
    for number, piece in enumerate(_pieces(tokens)):
        if number >= _STATEMENTS_LIMIT:
            yield Operation(ops.UNREAD, piece[0].line, name="more statements than a structure script has")
            return
        yield from _statement(chosen, piece, text, dialect)


def _statement(chosen: Any, piece: list[Token], text: str, dialect: str) -> Iterator[Operation]:
    line = piece[0].line
    source = text[piece[0].start : piece[-1].end + 1]
    if _LOCKS.match(source):
        yield Operation(ops.LOCK, line, text="LOCK TABLES")
        return
    renamed = _RENAMES.match(source)
    if renamed:
        for old, new in ((_plain(old), _plain(new)) for old, new in _PAIR.findall(renamed[1])):
            yield Operation(ops.RENAME_TABLE, line, old, new, before=old)
        return
    found = _parsed(chosen, piece, text)
    if dialect == "mysql" and (found is None or isinstance(found[0], exp.Command)) and _ONLINE.search(source):
        found = (
            _parsed(chosen, chosen.tokenize(_ONLINE.sub("", source)), source) or found
        )  # how it is carried out is no part of what it does
    if found is None:
        yield Operation(ops.UNREAD, line)
        return
    copying = _COPYING.search(source) if dialect == "mysql" else None
    for statement in found:
        yield from _operation(statement, line)
    if copying:
        target = found[0].find(exp.Table) if found else None
        yield Operation(ops.LOCK, line, _table(target), text=copying[1].upper())


def _plain(name: str) -> str:
    return name.replace("`", "").replace('"', "").removeprefix("public.")


def _parsed(chosen: Any, piece: list[Token], text: str) -> list[Any] | None:
    try:
        return [statement for statement in chosen.parser().parse(list(piece), text) if statement is not None]
    except (SqlglotError, RecursionError, ValueError, AttributeError, KeyError, TypeError):
        return None


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
            kind = _DROPPED.get(str(statement.args.get("kind") or "").upper(), ops.DROP_OTHER)
            for target in statement.args.get("tables") or (statement.this,):
                yield Operation(kind, line, _table(target), _named(target), conditional=bool(statement.args.get("exists")))
        case exp.Alter():
            yield from _alter(statement, line)
        case exp.Insert():
            yield Operation(ops.INSERT, line, _table(statement.this))
        case exp.Update():
            yield _update(statement, line)
        case exp.Delete():
            yield Operation(ops.DELETE, line, _table(statement.this), whole_table=_unconditional(statement))
        case exp.TruncateTable():
            for table in statement.expressions:
                yield Operation(ops.TRUNCATE, line, _table(table))
        case exp.Query():
            yield Operation(ops.SELECT, line)
        case exp.Command():
            yield Operation(ops.UNREAD, line, name=str(statement.this)[:40])
        case _:
            yield Operation(_TRANSACTIONS.get(type(statement), ops.OTHER), line)


def _unconditional(statement: Any) -> bool:
    where = statement.args.get("where")
    return (where is None or isinstance(where.this, exp.Boolean)) and statement.args.get("limit") is None


def _update(statement: Any, line: int) -> Operation:
    where = statement.args.get("where")
    emptied: tuple[str, ...] = ()
    if where is not None and isinstance(where.this, exp.Is) and isinstance(where.this.expression, exp.Null):
        emptied = (str(where.this.this.name),)
    keys = tuple(str(entry.this.name) for entry in statement.expressions if isinstance(entry, exp.EQ))
    return Operation(ops.UPDATE, line, _table(statement.this), whole_table=_unconditional(statement), emptied=emptied, keys=keys)


def _table(node: Any) -> str:
    if isinstance(node, exp.Schema):
        node = node.this
    if isinstance(node, exp.Index):
        node = node.args.get("table")
    if isinstance(node, exp.Table):
        schema = node.db
        return f"{schema}.{node.name}" if schema and schema not in {"public", "dbo"} else str(node.name)
    return str(getattr(node, "name", "") or "")


def _named(node: Any) -> str:
    return str(getattr(node, "name", "") or "")


def _create(statement: Any, line: int) -> Operation:
    kind = _CREATED.get(str(statement.args.get("kind") or "").upper(), ops.CREATE_OTHER)
    columns: list[Column] = []
    constraints: list[Constraint] = []
    if kind == ops.CREATE_TABLE and isinstance(statement.this, exp.Schema):
        for node in statement.this.expressions:
            if isinstance(node, exp.ColumnDef):
                columns.append(_column(node, line))
            else:
                constraints += _constraints(node)
        for constraint in constraints:
            columns = constrained(columns, constraint)
    properties = statement.args.get("properties")
    temporary = properties is not None and any(isinstance(entry, exp.TemporaryProperty) for entry in properties.expressions)
    index = kind == ops.CREATE_INDEX
    return Operation(
        kind,
        line,
        _table(statement.this),
        _named(statement.this) if index else "",
        conditional=bool(statement.args.get("exists")),
        temporary=temporary,
        concurrent=bool(statement.args.get("concurrently")),
        unique=index and bool(statement.args.get("unique")),
        columns=tuple(columns),
        constraints=tuple(constraints),
        keys=tuple(str(column.name) for column in statement.this.find_all(exp.Column)) if index else (),
    )


def _constraints(node: Any) -> Iterator[Constraint]:
    if isinstance(node, exp.Constraint):
        for inner in node.expressions:
            yield from (Constraint(c.kind, str(node.name), c.columns, c.references, cascades=c.cascades) for c in _constraints(inner))
        return
    match node:
        case exp.ForeignKey():
            reference = node.args.get("reference")
            target = _table(reference.this) if reference is not None else ""
            yield Constraint(FOREIGN, "", _names(node.expressions), references=target, cascades=_cascades(reference))
        case exp.PrimaryKey():
            yield Constraint(PRIMARY, "", _names(node.expressions))
        case exp.UniqueColumnConstraint():
            yield Constraint(UNIQUE, "", _names(node.this.expressions if isinstance(node.this, exp.Schema) else ()))
        case exp.CheckColumnConstraint():
            yield Constraint(CHECK)
        case _:
            return


def _names(nodes: Any) -> tuple[str, ...]:
    return tuple(str(getattr(node, "name", "") or "") for node in nodes)


def _column(node: Any, line: int) -> Column:
    kinds = [constraint.args.get("kind") for constraint in node.args.get("constraints") or ()]
    reference = next((kind for kind in kinds if isinstance(kind, exp.Reference)), None)
    primary = any(isinstance(kind, exp.PrimaryKeyColumnConstraint) for kind in kinds)
    required = any(isinstance(kind, exp.NotNullColumnConstraint) and not kind.args.get("allow_null") for kind in kinds)
    default = next((kind.this.sql() for kind in kinds if isinstance(kind, exp.DefaultColumnConstraint)), "")
    name, size = written(str(node.args["kind"].sql())) if node.args.get("kind") else ("", ())
    return Column(
        str(node.name),
        name,
        size,
        not_null=primary or required,
        unique=primary or any(isinstance(kind, exp.UniqueColumnConstraint) for kind in kinds),
        primary=primary,
        default="" if default.upper() == "NULL" else default,
        volatile=VOLATILE.search(default) is not None,
        generated=_generated(kinds),
        references=_table(reference.this) if reference is not None else "",
        cascades=_cascades(reference),
        checked=any(isinstance(kind, exp.CheckColumnConstraint) for kind in kinds),
        line=line,
    )


def _cascades(reference: Any) -> bool:
    """Whether a reference says ON DELETE CASCADE."""
    return reference is not None and any(str(option).upper() == "ON DELETE CASCADE" for option in reference.args.get("options") or ())


def _generated(kinds: list[Any]) -> str:
    for kind in kinds:
        if isinstance(kind, (exp.AutoIncrementColumnConstraint, exp.GeneratedAsIdentityColumnConstraint)):
            return "identity"
        if isinstance(kind, exp.ComputedColumnConstraint):
            return "stored" if kind.args.get("persisted") else "virtual"
    return ""


def _alter(statement: Any, line: int) -> Iterator[Operation]:
    if str(statement.args.get("kind") or "").upper() != "TABLE":
        yield Operation(ops.ALTER_OTHER, line)
        return
    table = _table(statement.this)
    for action in statement.args.get("actions") or ():
        yield from _action(action, table, line)


def _action(action: Any, table: str, line: int) -> Iterator[Operation]:
    match action:
        case exp.Drop():
            kind = {"COLUMN": ops.DROP_COLUMN, "INDEX": ops.DROP_INDEX}.get(str(action.args.get("kind") or "").upper(), ops.DROP_CONSTRAINT)
            for target in action.args.get("tables") or (action.this,):
                yield Operation(kind, line, table, _named(target))
        case exp.ColumnDef():
            yield Operation(ops.ADD_COLUMN, line, table, str(action.name), columns=(_column(action, line),))
        case exp.AlterRename():
            yield Operation(ops.RENAME_TABLE, line, table, _table(action.this), before=table)
        case exp.RenameColumn():
            yield Operation(ops.RENAME_COLUMN, line, table, str(action.args["to"].name), before=str(action.this.name))
        case exp.AddConstraint():
            for node in action.expressions:
                if isinstance(node, exp.IndexColumnConstraint):
                    yield Operation(ops.CREATE_INDEX, line, table, _named(node), keys=_names(node.expressions))
                for constraint in _constraints(node):
                    yield Operation(ops.ADD_CONSTRAINT, line, table, constraint.name, constraints=(constraint,))
        case exp.AlterColumn() | exp.ModifyColumn():
            yield from _changed(action, table, line)
        case _:
            yield Operation(ops.ALTER_OTHER, line, table)


def _changed(action: Any, table: str, line: int) -> Iterator[Operation]:
    if isinstance(action, exp.ModifyColumn):
        column = _column(action.this, line)
        old = action.args.get("rename_from")
        if old is not None and str(old.name) != column.name:
            yield Operation(ops.RENAME_COLUMN, line, table, column.name, before=str(old.name))
        renamed = old is not None and str(old.name) != column.name
        yield Operation(ops.ALTER_COLUMN, line, table, column.name, columns=(column,), text="restated" if renamed else "")
        return
    kind = action.args.get("dtype")
    name, size = written(str(kind.sql())) if kind is not None else ("", ())
    yield Operation(_alteration(action), line, table, str(action.name), columns=(Column(str(action.name), name, size, line=line),))


def _alteration(action: Any) -> str:
    if action.args.get("dtype"):
        return ops.CHANGE_TYPE
    if action.args.get("default"):
        return ops.SET_DEFAULT
    if action.args.get("allow_null") is not None:
        return ops.DROP_NOT_NULL if action.args["allow_null"] else ops.SET_NOT_NULL
    return ops.DROP_DEFAULT if action.args.get("drop") else ops.ALTER_OTHER
