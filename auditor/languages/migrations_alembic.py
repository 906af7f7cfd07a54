"""Alembic revisions: `op.*`, `batch_alter_table`, SQL texts and SQLAlchemy statements, from their code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePosixPath

from auditor.languages import flow_ir as ir
from auditor.languages import operations as ops
from auditor.languages.alembic_columns import column_of, default_of, type_of
from auditor.languages.flow_python import lower_python
from auditor.languages.migration_code import Walker
from auditor.languages.migration_expressions import Link, Step, chain, constant, dotted, text_of, words
from auditor.languages.migration_sql_calls import sql_operations
from auditor.languages.migrations import Migration, Way
from auditor.languages.operations import CHECK, EXCLUDE, FOREIGN, PRIMARY, UNIQUE, Column, Constraint, Operation
from auditor.languages.sql import read_sql

_CREATE_DATE = re.compile(r"^Create Date:\s*(\d{4}-\d\d-\d\d[ T]?[\d:.]*)", re.MULTILINE)
_SIGNS = re.compile(r"^(?:down_revision)\b", re.MULTILINE)
_EXECUTES = frozenset({"execute", "exec_driver_sql", "scalar", "scalars"})
_KNOWN_SELF = frozenset(
    {
        "get_bind",
        "get_context",
        "f",
        "batch_alter_table",
        "inline_literal",
        "autocommit_block",
        "create_table_comment",
        "drop_table_comment",
    }
)


def is_alembic(text: str) -> bool:
    """Whether a Python file looks like a revision; `read_alembic` decides."""
    return _SIGNS.search(text) is not None and "def upgrade" in text


def read_alembic(path: str, text: str, dialect: str = "") -> Migration | None:
    """One revision; None when the file is none after all. The graph comes from the variables, never from the docstring."""
    module = lower_python(path, text)
    walker = Walker(module, dialect=dialect or "postgres")
    upgrade, downgrade = walker.globals.get("upgrade"), walker.globals.get("downgrade")
    if not isinstance(upgrade, ir.Function) or not {"revision", "down_revision"} <= {*walker.globals}:
        return None
    date = _CREATE_DATE.search(text[:3000])
    ups, downs = _ways(walker, "upgrade", upgrade), _ways(walker, "downgrade", downgrade)
    operations, opaque = _operations(walker, ups, dialect)
    down = None
    if isinstance(downgrade, ir.Function):
        walker.refusals.clear()
        undone, _ = _operations(walker, downs, dialect)
        refusal = ("stated" if walker.refusals[0].stated else "bare") if walker.refusals else ""
        down = Way(undone, downgrade.line, refusal)
    return Migration(
        path=path,
        framework="alembic",
        series=str(PurePosixPath(path).parent),
        order=date[1] if date else "",
        up=Way(operations, upgrade.line),
        down=down,
        line=upgrade.line,
        revision=next(iter(words(walker.globals["revision"])), ""),
        parents=words(walker.globals["down_revision"]),
        branch=bool(words(walker.globals.get("branch_labels"))),
        dialect=dialect,
        opaque=opaque,
    )


def _ways(walker: Walker, name: str, way: ir.Expression | None) -> tuple[ir.Function, ...]:
    """The function, and those of its name with an ending, one for each database, which it calls by a name put together."""
    several = tuple(value for key, value in walker.globals.items() if key.startswith(f"{name}_") and isinstance(value, ir.Function))
    called = isinstance(way, ir.Function) and any("globals" in dotted(part.value) for part in way.body if isinstance(part, ir.Evaluate))
    return several if called and several else (way,) if isinstance(way, ir.Function) else ()


def _operations(walker: Walker, functions: tuple[ir.Function, ...], dialect: str) -> tuple[tuple[Operation, ...], bool]:
    found: list[Operation] = []
    opaque = False
    for step in (step for function in functions for step in walker.steps(function)):
        if step.last.name in {"create_all", "drop_all"} or any("create_all" in dotted(argument) for argument in step.last.arguments):
            opaque = True
            found.append(Operation(ops.UNREAD, step.line, name="tables made from the models of the code"))
            continue
        everything = step.looped and _goes_over_all(step.over)
        outside = any(block.endswith("autocommit_block") for block in step.blocks)
        for operation in _step(step, dialect):
            by_row = everything and operation.kind == ops.UPDATE
            found.append(replace(operation, outside=outside, whole_table=operation.whole_table or by_row))
    return tuple(found), opaque


def _goes_over_all(value: ir.Expression | None) -> bool:
    """Whether a loop goes over all rows of a table: a SELECT without condition or limit that was executed."""
    if not isinstance(value, ir.Call):
        return False
    executed = next((link for link in chain(value)[1] if link.name in _EXECUTES), None)
    statement = executed.argument("sqltext", 0) if executed is not None else None
    text = text_of(statement)
    if text is not None:
        return any(operation.kind == ops.SELECT and operation.whole_table for operation in read_sql(text))
    if not isinstance(statement, ir.Call):
        return False
    names = {link.name for link in chain(statement)[1]}
    return "select" in names and not names & {"where", "filter", "limit", "filter_by", "join"}


def _step(step: Step, dialect: str) -> Iterator[Operation]:
    """What one call does to the database; nothing for calls that only read or compute."""
    link, line = step.last, step.line
    names = [entry.name for entry in step.links]
    if link.name in _EXECUTES and link.called:
        yield from _executed(link, step, dialect)
    elif step.base.rpartition(".")[2] in {"op", "operations", "batch_op", "alembic_op"}:
        if "batch_alter_table" in names[:-1]:
            batch = step.links[names.index("batch_alter_table")]
            yield from _structure(link, _qualified(batch, batch.argument("table_name", 0)), line, batch=True)
        elif link.name not in _KNOWN_SELF and len(names) == 1:
            yield from _structure(link, _table_argument(link), line, batch=False)
    elif link.name in {"create", "drop"} and re.search(r"\bENUM|Enum|enum", step.callee):
        yield Operation(ops.CREATE_OTHER if link.name == "create" else ops.DROP_OTHER, line, text="type")
    elif link.name in {"update", "delete"} and "query" in names:
        whole = not set(names) & {"filter", "filter_by", "where"}
        yield Operation(ops.UPDATE if link.name == "update" else ops.DELETE, line, whole_table=whole)
    elif link.name == "=" and step.looped and re.search(r"\[each\]\.\w+$", step.base):
        if "query" in step.base and not re.search(r"\.(?:filter|filter_by|where|limit|get)\b", step.base):
            yield Operation(ops.UPDATE, line, whole_table=True)
    elif step.base == "" and not names[0].islower():
        return


def _executed(link: Link, step: Step, dialect: str) -> Iterator[Operation]:
    """`execute(...)` of a text or of a statement built with SQLAlchemy."""
    statement = link.argument("sqltext", 0) or link.argument("statement")
    if statement is None:
        return
    if text_of(statement) is None and isinstance(statement, ir.Call):
        base, links = chain(statement)
        names = [entry.name for entry in links]
        verb = next((name for name in names if name in {"update", "delete", "insert", "select"}), "")
        if verb:
            kind = {"update": ops.UPDATE, "delete": ops.DELETE, "insert": ops.INSERT, "select": ops.SELECT}[verb]
            yield Operation(kind, step.line, _statement_table(base, links), whole_table="where" not in names and "filter" not in names)
            return
        ddl = {
            "CreateSequence": ops.CREATE_OTHER,
            "DropSequence": ops.DROP_OTHER,
            "CreateSchema": ops.CREATE_OTHER,
            "DropSchema": ops.DROP_OTHER,
        }
        if names and names[-1] in ddl:
            yield Operation(ddl[names[-1]], step.line)
            return
    yield from sql_operations(statement, step.line, dialect=dialect)


def _statement_table(base: str, links: tuple[Link, ...]) -> str:
    """The table of `table("x", ...).update()` or of `update(table("x"))`."""
    for link in links:
        if link.name in {"table", "Table", "TableClause"}:
            return next(iter(words(link.argument("name", 0))), "")
        if link.name in {"update", "delete", "insert"} and link.arguments and isinstance(link.arguments[0], ir.Call):
            return _statement_table(*chain(link.arguments[0]))
    return "" if base in {"", "sa", "?"} else base.rpartition(".")[2]


def _qualified(link: Link, value: ir.Expression | None) -> str:
    name = text_of(value) or ""
    schema = constant(link.argument("schema"))
    return f"{schema}.{name}" if isinstance(schema, str) and schema != "public" else name


_TABLE_PLACES = {
    "drop_index": ("table_name", 1), "create_index": ("table_name", 1), "create_foreign_key": ("source_table", 1), "create_unique_constraint": ("table_name", 1),
    "create_check_constraint": ("table_name", 1), "create_primary_key": ("table_name", 1), "create_exclude_constraint": ("table_name", 1), "drop_constraint": ("table_name", 1),
    "rename_table": ("old_table_name", 0), "bulk_insert": ("table", 0),
}  # fmt: skip


def _table_argument(link: Link) -> str:
    name, position = _TABLE_PLACES.get(link.name, ("table_name", 0))
    return _qualified(link, link.argument(name, position))


def _structure(link: Link, table: str, line: int, *, batch: bool) -> Iterator[Operation]:
    reader = _READERS.get(link.name)
    if reader is not None:
        yield from reader(link, table, line, 0 if batch else 1)
    elif link.name in {"create_entity", "replace_entity"}:
        yield Operation(ops.CREATE_OTHER, line)
    elif link.name == "drop_entity":
        yield Operation(ops.DROP_OTHER, line)
    elif link.name == "sync_enum_values":
        yield Operation(ops.ALTER_OTHER, line)
    elif link.name in {"run_async", "invoke"} or link.name.startswith(("create_", "drop_", "alter_")):
        yield Operation(ops.UNREAD, line, name=f"op.{link.name}")


def _create_table(link: Link, table: str, line: int, _first: int) -> Iterator[Operation]:
    columns: list[Column] = []
    constraints: list[Constraint] = []
    for argument in link.arguments[1:]:
        column = column_of(argument)
        if column is not None:
            columns.append(column)
        elif isinstance(argument, ir.Call):
            constraint = _constraint(argument)
            if constraint is not None:
                constraints.append(constraint)
    from auditor.languages.postgres_columns import constrained

    for constraint in constraints:
        columns = constrained(columns, constraint)
    temporary = "TEMPORARY" in words(link.argument("prefixes"))
    conditional = constant(link.argument("if_not_exists")) is True
    yield Operation(
        ops.CREATE_TABLE, line, table, conditional=conditional, temporary=temporary, columns=tuple(columns), constraints=tuple(constraints)
    )


def _constraint(call: ir.Call) -> Constraint | None:
    """`sa.ForeignKeyConstraint([...], [...])` and its siblings inside `create_table`."""
    _, links = chain(call)
    link = links[-1]
    name = text_of(link.argument("name")) or ""
    match link.name:
        case "ForeignKeyConstraint":
            target = next(iter(words(link.argument("refcolumns", 1))), "")
            table = target.rpartition(".")[0].removeprefix("public.")
            return Constraint(FOREIGN, name, words(link.argument("columns", 0)), references=table, cascades=_cascades(link))
        case "PrimaryKeyConstraint":
            return Constraint(PRIMARY, name, tuple(text for argument in link.arguments for text in words(argument)))
        case "UniqueConstraint":
            return Constraint(UNIQUE, name, tuple(text for argument in link.arguments for text in words(argument)))
        case "CheckConstraint":
            return Constraint(CHECK, name)
        case "ExcludeConstraint":
            return Constraint(EXCLUDE, name)
        case _:
            return None


def _drop_table(link: Link, table: str, line: int, _first: int) -> Iterator[Operation]:
    yield Operation(ops.DROP_TABLE, line, table, conditional=constant(link.argument("if_exists")) is True)


def _rename_table(link: Link, table: str, line: int, _first: int) -> Iterator[Operation]:
    yield Operation(ops.RENAME_TABLE, line, table, text_of(link.argument("new_table_name", 1)) or "", before=table)


def _add_column(link: Link, table: str, line: int, first: int) -> Iterator[Operation]:
    column = column_of(link.argument("column", first))
    if column is None:
        yield Operation(ops.UNREAD, line, table, name="a column put together while it runs")
        return
    conditional = constant(link.argument("if_not_exists")) is True
    yield Operation(ops.ADD_COLUMN, line, table, column.name, conditional=conditional, columns=(replace(column, line=line),))
    if column.references:  # Alembic adds the foreign key by a statement of its own
        yield Operation(
            ops.ADD_CONSTRAINT,
            line,
            table,
            constraints=(Constraint(FOREIGN, "", (column.name,), references=column.references, cascades=column.cascades),),
            text="of a new column",
        )
    if column.indexed:
        yield Operation(ops.CREATE_INDEX, line, table, keys=(column.name,), unique=column.unique, text="of a new column")


def _drop_column(link: Link, table: str, line: int, first: int) -> Iterator[Operation]:
    yield Operation(
        ops.DROP_COLUMN,
        line,
        table,
        text_of(link.argument("column_name", first)) or "",
        conditional=constant(link.argument("if_exists")) is True,
    )


def _alter_column(link: Link, table: str, line: int, first: int) -> Iterator[Operation]:
    name = text_of(link.argument("column_name", first)) or ""
    existing = link.argument("existing_type")
    previous = (
        Column(name, *type_of(existing), not_null=constant(link.argument("existing_nullable")) is False) if existing is not None else None
    )
    kind = link.argument("type_")
    if kind is not None:
        after = Column(name, *type_of(kind), line=line)
        yield Operation(
            ops.CHANGE_TYPE, line, table, name, columns=(after,), previous=previous, converted=link.argument("postgresql_using") is not None
        )
    nullable = constant(link.argument("nullable"))
    if isinstance(nullable, bool):
        yield Operation(ops.DROP_NOT_NULL if nullable else ops.SET_NOT_NULL, line, table, name, previous=previous)
    default = link.argument("server_default")
    if default is not None:
        text, _ = default_of(default)
        gone = not text
        yield Operation(ops.DROP_DEFAULT if gone else ops.SET_DEFAULT, line, table, name, columns=(Column(name, default=text, line=line),))
    renamed = text_of(link.argument("new_column_name") or link.argument("name"))
    if renamed and renamed != name:
        yield Operation(ops.RENAME_COLUMN, line, table, renamed, before=name)


def _create_index(link: Link, table: str, line: int, first: int) -> Iterator[Operation]:
    keys = link.argument("columns", first + 1)
    partial = link.argument("postgresql_where") is not None
    yield Operation(
        ops.CREATE_INDEX,
        line,
        table,
        text_of(link.argument("index_name", 0)) or "",
        conditional=constant(link.argument("if_not_exists")) is True,
        concurrent=constant(link.argument("postgresql_concurrently")) is True,
        unique=constant(link.argument("unique")) is True and not partial,
        keys=tuple(text_of(item) or "?" for item in keys.items) if isinstance(keys, ir.Sequence) else words(keys),
    )


def _drop_index(link: Link, table: str, line: int, _first: int) -> Iterator[Operation]:
    concurrent = constant(link.argument("postgresql_concurrently")) is True
    yield Operation(ops.DROP_INDEX, line, table, text_of(link.argument("index_name", 0)) or "", concurrent=concurrent)


def _create_foreign_key(link: Link, table: str, line: int, first: int) -> Iterator[Operation]:
    columns, target = words(link.argument("local_cols", first + 2)), text_of(link.argument("referent_table", first + 1)) or ""
    yield _added(FOREIGN, link, table, line, columns, references=target)


def _create_unique(link: Link, table: str, line: int, first: int) -> Iterator[Operation]:
    yield _added(UNIQUE, link, table, line, words(link.argument("columns", first + 1)))


def _create_primary(link: Link, table: str, line: int, first: int) -> Iterator[Operation]:
    yield _added(PRIMARY, link, table, line, words(link.argument("columns", first + 1)))


def _create_check(link: Link, table: str, line: int, first: int) -> Iterator[Operation]:
    condition = text_of(link.argument("condition", first + 1)) or ""
    found = re.fullmatch(r"\s*\"?(\w+)\"?\s+IS\s+NOT\s+NULL\s*", condition, re.IGNORECASE)
    yield _added(CHECK, link, table, line, (), required=(found[1],) if found else ())


def _create_exclude(link: Link, table: str, line: int, _first: int) -> Iterator[Operation]:
    yield _added(EXCLUDE, link, table, line, ())


def _cascades(link: Link) -> bool:
    """Whether a key says `ondelete="CASCADE"`."""
    return (text_of(link.argument("ondelete")) or "").upper() == "CASCADE"


def _added(
    kind: str, link: Link, table: str, line: int, columns: tuple[str, ...], *, references: str = "", required: tuple[str, ...] = ()
) -> Operation:
    name = text_of(link.argument("constraint_name", 0)) or ""
    validated = constant(link.argument("postgresql_not_valid")) is not True
    constraint = Constraint(kind, name, columns, references, validated, required=required, cascades=_cascades(link))
    return Operation(ops.ADD_CONSTRAINT, line, table, name, constraints=(constraint,))


def _drop_constraint(link: Link, table: str, line: int, _first: int) -> Iterator[Operation]:
    given = link.argument("constraint_name", 0)
    unnamed = isinstance(given, ir.Const) and given.value is None
    yield Operation(ops.DROP_CONSTRAINT, line, table, text_of(given) or "", text="unnamed" if unnamed else "")


def _bulk_insert(link: Link, _table: str, line: int, _first: int) -> Iterator[Operation]:
    target = link.argument("table", 0)
    yield Operation(ops.INSERT, line, _statement_table(*chain(target)) if isinstance(target, ir.Call) else dotted(target))


_READERS = {
    "create_table": _create_table,
    "drop_table": _drop_table,
    "rename_table": _rename_table,
    "add_column": _add_column,
    "drop_column": _drop_column,
    "alter_column": _alter_column,
    "create_index": _create_index,
    "drop_index": _drop_index,
    "create_foreign_key": _create_foreign_key,
    "create_unique_constraint": _create_unique,
    "create_primary_key": _create_primary,
    "create_check_constraint": _create_check,
    "create_exclude_constraint": _create_exclude,
    "drop_constraint": _drop_constraint,
    "bulk_insert": _bulk_insert,
}
