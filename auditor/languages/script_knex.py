"""Knex: its schema and table builders, and queries that write rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from auditor.languages import flow_ir as ir
from auditor.languages import operations as ops
from auditor.languages.migration_expressions import Link, Step, chain, constant, entry, text_of, words
from auditor.languages.migration_sql_calls import sql_operations
from auditor.languages.operations import CHECK, FOREIGN, PRIMARY, UNIQUE, Column, Constraint, Operation
from auditor.languages.postgres_columns import constrained
from auditor.languages.script_columns import knex_cascades, knex_column


def knex_operations(step: Step, dialect: str) -> Iterator[Operation]:
    """What one chain of Knex does; `schema.a().b()` does both."""
    links = step.links
    schema = step.base.endswith(".schema") or any(link.name == "schema" and not link.called for link in links) or step.base == "schema"
    if schema:
        prefix = next((text_of(link.argument("", 0)) for link in links if link.name == "withSchema"), None)
        for link in links:
            if link.called:
                yield from (_in_schema(operation, prefix) for operation in _knex_schema(link, dialect))
        return
    yield from _knex_rows(step)


def _in_schema(operation: Operation, schema: str | None) -> Operation:
    return replace(operation, table=f"{schema}.{operation.table}") if schema and schema != "public" and operation.table else operation


def _knex_schema(link: Link, dialect: str) -> Iterator[Operation]:
    table, line = text_of(link.argument("", 0)) or "", link.line
    match link.name:
        case "createTable" | "createTableIfNotExists":
            yield _knex_created(link, table)
        case "alterTable" | "table":
            yield from _knex_altered(link, table)
        case "dropTable" | "dropTableIfExists":
            yield Operation(ops.DROP_TABLE, line, table, conditional=link.name.endswith("Exists"))
        case "renameTable":
            yield Operation(ops.RENAME_TABLE, line, table, text_of(link.argument("", 1)) or "", before=table)
        case "raw":
            yield from sql_operations(link.argument("", 0), line, dialect=dialect)
        case "createSchema" | "createSchemaIfNotExists" | "createExtension" | "createView" | "createViewOrReplace":
            yield Operation(ops.CREATE_OTHER, line)
        case "dropSchema" | "dropSchemaIfExists" | "dropView" | "dropViewIfExists":
            yield Operation(ops.DROP_OTHER, line)
        case _:
            return


def _builder(link: Link) -> tuple[ir.Function | None, str]:
    """The function that gets the table builder, and the builder's name in it."""
    function = next((argument for argument in reversed(link.arguments) if isinstance(argument, ir.Function)), None)
    if function is None:
        return None, ""
    named = [parameter.name for parameter in function.parameters if parameter.name != "this"]
    return function, named[0] if named else "this"


def _chains(body: tuple[ir.Statement, ...], builder: str) -> Iterator[tuple[Link, ...]]:
    """The chains on a table builder, branches and loops in it entered."""
    pending: list[ir.Statement] = list(reversed(body))
    while pending:
        statement = pending.pop()
        value: ir.Expression | None = None
        match statement:
            case ir.Evaluate():
                value = statement.value
            case ir.Leave() | ir.Assign():
                value = statement.value
            case ir.If():
                pending.extend(reversed((*statement.then, *statement.other)))
            case ir.Loop():
                pending.extend(reversed(statement.body))
            case ir.Try():
                pending.extend(reversed(statement.body))
            case _:
                pass
        if isinstance(value, ir.Call):
            base, links = chain(value)
            if base == builder and links:
                yield links


def _knex_created(link: Link, table: str) -> Operation:
    columns: list[Column] = []
    constraints: list[Constraint] = []
    function, builder = _builder(link)
    for links in _chains(function.body, builder) if function is not None else ():
        column = knex_column(links)
        if column is not None:
            columns.append(column)
        elif links[0].name == "timestamps":
            columns += _timestamps(links[0])
        else:
            constraint = _knex_constraint(links)
            if constraint is not None:
                constraints.append(constraint)
    for constraint in constraints:
        columns = constrained(columns, constraint)
    conditional = link.name.endswith("NotExists")
    return Operation(ops.CREATE_TABLE, link.line, table, conditional=conditional, columns=tuple(columns), constraints=tuple(constraints))


def _timestamps(link: Link) -> list[Column]:
    kept = constant(link.argument("", 1)) is True or constant(entry(link.argument("", 0), "defaultToNow")) is True
    camel = constant(entry(link.argument("", 0), "useCamelCase")) is True or constant(link.argument("", 2)) is True
    names = ("createdAt", "updatedAt") if camel else ("created_at", "updated_at")
    return [Column(name, "timestamptz", not_null=kept, default="now()" if kept else "", line=link.line) for name in names]


def _knex_constraint(links: tuple[Link, ...]) -> Constraint | None:
    first = links[0]
    columns = words(first.argument("", 0))
    match first.name:
        case "foreign":
            named = {link.name: link for link in links}
            target = text_of(named["inTable"].argument("", 0)) if "inTable" in named else None
            if target is None and "references" in named:
                target = (text_of(named["references"].argument("", 0)) or "").rpartition(".")[0]
            return Constraint(
                FOREIGN, text_of(first.argument("", 1)) or "", columns, references=target or "", cascades=knex_cascades(named)
            )
        case "primary":
            return Constraint(PRIMARY, "", columns)
        case "unique":
            return Constraint(UNIQUE, text_of(first.argument("", 1)) or "", columns)
        case "check" | "checkPositive":
            return Constraint(CHECK)
        case _:
            return None


def _knex_altered(link: Link, table: str) -> Iterator[Operation]:
    function, builder = _builder(link)
    for links in _chains(function.body, builder) if function is not None else ():
        yield from _knex_change(links, table)


def _knex_change(links: tuple[Link, ...], table: str) -> Iterator[Operation]:
    first = links[0]
    column = knex_column(links)
    if column is not None:
        yield from _knex_new(column, links, table)
        return
    if first.name == "timestamps":
        yield from (Operation(ops.ADD_COLUMN, first.line, table, made.name, columns=(made,)) for made in _timestamps(first))
        return
    constraint = _knex_constraint(links)
    if constraint is not None:
        yield Operation(ops.ADD_CONSTRAINT, first.line, table, constraint.name, constraints=(constraint,))
        return
    names = words(first.argument("", 0))
    match first.name:
        case "dropColumn" | "dropColumns":
            named = [text for argument in first.arguments for text in words(argument)]
            yield from (Operation(ops.DROP_COLUMN, first.line, table, name) for name in named or ["?"])
        case "dropTimestamps":
            yield from (Operation(ops.DROP_COLUMN, first.line, table, name) for name in ("created_at", "updated_at"))
        case "renameColumn":
            yield Operation(ops.RENAME_COLUMN, first.line, table, text_of(first.argument("", 1)) or "", before=names[0] if names else "")
        case "setNullable":
            yield Operation(ops.DROP_NOT_NULL, first.line, table, names[0] if names else "")
        case "dropNullable":
            yield Operation(ops.SET_NOT_NULL, first.line, table, names[0] if names else "")
        case "index":
            yield Operation(ops.CREATE_INDEX, first.line, table, text_of(first.argument("", 1)) or "", keys=names)
        case "dropIndex":
            yield Operation(ops.DROP_INDEX, first.line, table, text_of(first.argument("", 1)) or "")
        case "dropForeign" | "dropUnique" | "dropPrimary" | "dropChecks":
            yield Operation(ops.DROP_CONSTRAINT, first.line, table, text_of(first.argument("", 1)) or "")
        case _:
            return


def _knex_new(column: Column, links: tuple[Link, ...], table: str) -> Iterator[Operation]:
    line = column.line
    if any(link.name == "alter" for link in links):
        given = next(link for link in links if link.name == "alter").argument("", 0)
        partly = constant(entry(given, "alterNullable")) is False
        nullable = any(link.name == "nullable" for link in links)
        kind = ops.CHANGE_TYPE if partly and not nullable else ops.ALTER_COLUMN
        yield Operation(kind, line, table, column.name, columns=(column,))
        return
    yield Operation(ops.ADD_COLUMN, line, table, column.name, columns=(column,))
    if column.references:  # Knex adds foreign keys by a statement of their own
        yield Operation(
            ops.ADD_CONSTRAINT,
            line,
            table,
            constraints=(Constraint(FOREIGN, "", (column.name,), references=column.references, cascades=column.cascades),),
            text="of a new column",
        )
    if column.indexed:
        yield Operation(ops.CREATE_INDEX, line, table, keys=(column.name,), text="of a new column")


def _knex_rows(step: Step) -> Iterator[Operation]:
    """`knex("table").where(...).update(...)` and its siblings."""
    names = [link.name for link in step.links]
    last = step.last.name
    first = step.links[0]
    opened = first.name in {"knex", "trx", "db", "table", "from"} or (first.name == "" and step.base in {"knex", "trx", "db"})
    if not opened and not {"into", "from", "table"} & set(names):
        return
    named = next((link for link in step.links if link.name in {"into", "from", "table", "knex", "trx", "db", ""} and link.arguments), None)
    table = text_of(named.argument("", 0)) if named is not None else None
    narrowed = any(
        name.lower().startswith(("where", "andwhere", "orwhere", "limit", "join", "innerjoin", "leftjoin", "havin")) for name in names
    )
    verbs = {
        "update": ops.UPDATE,
        "del": ops.DELETE,
        "delete": ops.DELETE,
        "truncate": ops.TRUNCATE,
        "insert": ops.INSERT,
        "batchInsert": ops.INSERT,
        "increment": ops.UPDATE,
    }
    verb = next((name for name in reversed(names) if name in verbs), "")
    if verb and last:
        yield Operation(verbs[verb], step.line, table or "", whole_table=not narrowed, emptied=_knex_emptied(step.links))


def _knex_emptied(links: tuple[Link, ...]) -> tuple[str, ...]:
    conditions = [link for link in links if "where" in link.name.lower()]
    if len(conditions) == 1 and conditions[0].name == "whereNull":
        return words(conditions[0].argument("", 0))
    if len(conditions) == 1 and conditions[0].name == "where" and len(conditions[0].arguments) == 1:
        given = conditions[0].arguments[0]
        if (
            isinstance(given, ir.Mapping)
            and len(given.entries) == 1
            and isinstance(given.entries[0][1], ir.Const)
            and given.entries[0][1].value is None
        ):
            return (str(constant(given.entries[0][0])),)
    return ()
