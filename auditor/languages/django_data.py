"""What the functions of Django's `RunPython` do to rows: query sets that are written or deleted, rows saved one by one, SQL through a cursor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from auditor.languages import flow_ir as ir
from auditor.languages import operations as ops
from auditor.languages.migration_code import Walker
from auditor.languages.migration_expressions import Link, Step, chain, constant, dotted, text_of
from auditor.languages.migration_sql_calls import sql_operations
from auditor.languages.operations import Operation

Tables = Mapping[tuple[str, str], str]

_WHOLE = frozenset(
    {
        "get_model",
        "objects",
        "_base_manager",
        "_default_manager",
        "all",
        "using",
        "order_by",
        "iterator",
        "only",
        "defer",
        "values",
        "values_list",
        "select_related",
    }
)
_WHOLE_TOO = frozenset({"prefetch_related", "annotate", "distinct", "[each]", "get_queryset", "db_manager", "select_for_update", "alias"})
_NARROWING = frozenset({"filter", "exclude", "get", "first", "last", "[]", "in_bulk", "earliest", "latest", "none"})
_CHANGING = frozenset({"update", "save", "delete", "create", "bulk_create", "bulk_update", "get_or_create", "update_or_create"})
_MADE = frozenset({"create", "bulk_create", "get_or_create", "update_or_create"})


def data_operations(walker: Walker, code: ir.Expression | None, line: int, tables: Tables, dialect: str) -> Iterator[Operation]:
    """What a data function does; one `CODE` where it stands in another file."""
    if dotted(code).endswith("noop"):
        return
    if isinstance(code, ir.Call) and code.arguments:  # functools.partial and decorators of the project's own
        code = next((part for part in code.arguments if isinstance(part, ir.Function)), code)
    if not isinstance(code, ir.Function):
        yield Operation(ops.CODE, line, name=f"{dotted(code) or 'a function'}, which stands in another file")
        return
    touched = False
    for step in walker.steps(code):
        touched = touched or _sets_each(step)
        for operation in _step(step, tables, dialect):
            collected = touched and operation.text == "collected" and not step.looped
            yield replace(operation, whole_table=operation.whole_table or collected, text="")


def _step(step: Step, tables: Tables, dialect: str) -> Iterator[Operation]:
    link = step.last
    if link.name in {"execute", "executemany", "execute_sql"} and link.called:
        yield from sql_operations(link.argument("sql", 0), step.line, dialect=dialect)
        return
    names = [entry.name for entry in step.links]
    if "get_model" not in names and ".objects" not in f".{step.base}.":
        if link.name in _CHANGING or any(dotted(argument) in {"apps", "schema_editor"} for argument in link.arguments):
            yield Operation(ops.CODE, step.line)
        return
    table = _table(step.links, step.base, tables)
    links = step.links[:-1]
    match link.name:
        case "update" | "aupdate":
            yield Operation(
                ops.UPDATE,
                step.line,
                table,
                whole_table=_whole(links),
                emptied=_emptied(links),
                keys=tuple(key for key, _ in link.keywords),
            )
        case "delete" | "_raw_delete" | "adelete":
            yield Operation(ops.DELETE, step.line, table, whole_table=_whole(links) and "[each]" not in names)
        case "save" | "asave" if "[each]" in names:
            yield Operation(ops.UPDATE, step.line, table, whole_table=_whole(links), emptied=_emptied(links))
        case "bulk_update":
            given = link.argument("objs", 0)
            rows = chain(given)[1] if isinstance(given, ir.Call) else ()
            whole = bool(rows) and not step.looped and _whole(rows)
            yield Operation(ops.UPDATE, step.line, table, whole_table=whole, emptied=_emptied(rows), text="" if rows else "collected")
        case "save" | "asave":
            yield Operation(ops.UPDATE, step.line, table)
        case name if name in _MADE:
            yield Operation(ops.INSERT, step.line, table)
        case _:
            return


def _sets_each(step: Step) -> bool:
    """Whether a field of each row of a whole table is set, so that a list of them written at once is the whole table."""
    if step.last.name != "=" or ".objects." not in f"{step.base}." or "[each]" not in step.base:
        return False
    return not {*step.base.split(".")} & (_NARROWING - {"[]"})


def _whole(links: tuple[Link, ...]) -> bool:
    """Whether a query set holds all rows: nothing in its chain narrows it, and everything in it is known."""
    names = {link.name for link in links}
    return not names & _NARROWING and names <= _WHOLE | _WHOLE_TOO


def _emptied(links: tuple[Link, ...]) -> tuple[str, ...]:
    """The field of `filter(field__isnull=True)` (or of a filter on an empty text) when that is all that narrows a query set."""
    narrowing = [link for link in links if link.name in _NARROWING]
    if len(narrowing) != 1 or narrowing[0].name != "filter" or len(narrowing[0].keywords) != 1 or narrowing[0].arguments:
        return ()
    key, value = narrowing[0].keywords[0]
    if key.endswith("__isnull") and constant(value) is True:
        return (key.removesuffix("__isnull"),)
    return (key,) if "__" not in key and isinstance(value, ir.Const) and value.value in {"", None} else ()


def _table(links: tuple[Link, ...], base: str, tables: Tables) -> str:
    for link in links:
        if link.name == "get_model":
            given = [text_of(argument) or "" for argument in (*link.arguments, *(value for _, value in link.keywords))]
            app, model = given[:2] if len(given) >= 2 else given[0].split(".", 1) if given and "." in given[0] else ("", "")
            return tables.get((app, model.lower()), f"{app}_{model.lower()}")
    return base.partition(".objects")[0].rpartition(".")[2].lower()
