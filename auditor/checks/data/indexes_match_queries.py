"""Columns that are filtered, joined or sorted on often have an index.

Passing title: What is asked for often can be found by an index
Failing title: What is asked for often is searched row by row
Grading: Hot are columns that at least two queries in the code filter or sort by, on tables that grow with use. An index counts when it begins with the column, or with another
    column of the same query, and so do primary keys, unique
    rules, and the keys that a mapper or MySQL indexes by itself. Flags and columns of a few values are left out. Counts hot columns without an index of all hot columns; fails from six
    tenths where there are three or more, and never because of one column.
Done when: Each hot column is the first of an index that came by a migration, and EXPLAIN on data like production's shows that it is used.
What it cannot see: How large the tables are, indexes made by hand in a running database, and queries whose conditions are put together elsewhere.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace

from auditor.checks.collection_reads import is_small
from auditor.checks.column_uses import ColumnUse, column_uses
from auditor.checks.model_names import TableNames, is_blob, is_state
from auditor.checks.query_texts import QueryText, query_texts
from auditor.checks.registry import check
from auditor.model.evidence import Stores
from auditor.model.needs import PROJECT, STORES, SYNTAX
from auditor.model.project import Project
from auditor.model.syntax import Syntax
from auditor.model.tables import Column, DataModel, Table
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable, Undecided
from auditor.words import plural

_OFTEN = 2
_SEVERAL = 3
_HALF = 0.5


@check("data.indexes-match-queries", needs=(STORES, PROJECT, SYNTAX), tolerance=0.1)
def indexes_match_queries(stores: Stores, project: Project, syntax: Syntax) -> Judgement:
    """Hold what queries ask by against the indexes of the data model."""
    if not (stores.relational or stores.document or stores.data.tables):
        return NotApplicable("No database is used here.")
    if not stores.data.tables:
        return Undecided(
            "A database is used, and nothing that could be read declares its tables.", (stores.relational or stores.document)[:3]
        )
    files = syntax.of(project.production)
    queries: defaultdict[str, list[QueryText]] = defaultdict(list)
    for query in query_texts(files):
        queries[query.path].append(query)
    uses = [use for facts in files for use in column_uses(facts, tuple(queries[facts.path]))]
    asked = _resolved(uses, stores.data)
    hot = _hot(asked)
    if not hot:
        return NotApplicable("No column of a growing table is asked for in two places of the code.")
    bare = _hot([use for use in asked if not use.served])
    bad = float(len(bare)) if len(bare) >= _SEVERAL else min(float(len(bare)), _HALF * len(hot))
    return Assessed(
        bad=bad,
        total=len(hot),
        summary=_summary(len(bare), len(hot)),
        findings=tuple(_finding(*entry) for entry in bare),
        evidence=tuple(column.place(table) for table, column, _ in hot if is_indexed(table, column, stores.data))[:3],
        signals=(f"columns asked for in {_OFTEN} places or more: {len(hot)}", f"of them served by an index: {len(hot) - len(bare)}"),
        confidence=Confidence.MEDIUM,
    )


def _summary(bare: int, hot: int) -> str:
    if not bare:
        return f"{plural(hot, 'column')} asked for in several places, each with an index."
    return f"{bare} of {plural(hot, 'column')} that several queries ask for {'has' if bare == 1 else 'have'} no index."


@dataclass(frozen=True, slots=True)
class _Asked:
    """A use with its table and column; `served`: an index leads this query to its rows, by this column or by another one of the same query."""

    use: ColumnUse
    table: Table
    column: Column
    served: bool


def _resolved(uses: list[ColumnUse], model: DataModel) -> list[_Asked]:
    """The uses whose table and column are known, on tables that can grow."""
    names = TableNames(model.tables)
    found: list[_Asked] = []
    by_query: defaultdict[tuple[str, int, str], list[bool]] = defaultdict(list)
    for use in uses:
        tables = names.named(use.owner)
        column = tables[0].column(use.column) if len(tables) == 1 else None
        if column is None:
            continue
        served = is_indexed(tables[0], column, model)
        by_query[use.path, use.line, tables[0].name].append(served)
        if _counts(tables[0], column):
            found.append(_Asked(use, tables[0], column, served))
    return [replace(entry, served=any(by_query[entry.use.path, entry.use.line, entry.table.name])) for entry in found]


def _hot(asked: list[_Asked]) -> list[tuple[Table, Column, list[ColumnUse]]]:
    """Columns with the queries that ask by them, two at least."""
    grouped: defaultdict[tuple[str, str, str], list[_Asked]] = defaultdict(list)
    for entry in asked:
        grouped[entry.table.place.path, entry.table.name, entry.column.name].append(entry)
    often = [entries for _, entries in sorted(grouped.items()) if len(entries) >= _OFTEN]
    return [(entries[0].table, entries[0].column, [entry.use for entry in entries]) for entries in often]


def _counts(table: Table, column: Column) -> bool:
    """Whether an index would help: not for flags, a few words, structures, and tables that stay short."""
    few = column.limited or "bool" in column.type or is_state(column) or is_blob(column)
    return not few and table.whole and not is_small(table.name) and not is_small(table.table)


def is_indexed(table: Table, column: Column, model: DataModel) -> bool:
    """Whether the database can find rows by the column."""
    if column.primary or column.unique or column.indexed:
        return True
    if column.references and "mysql" in model.databases and len(model.databases - {"configured"}) == 1:
        return True
    own = {column.name.lower(), (column.attribute or column.name).lower()}
    return any(
        group and (group[0].lower() in own or any(f"({name}" in group[0].lower() for name in own))
        for group in (*table.indexes, *table.uniques)
    )


def _finding(table: Table, column: Column, found: list[ColumnUse]) -> Finding:
    place = column.place(table)
    first = found[0]
    name = table.table or table.name
    message = f"{plural(len(found), 'query', 'queries')} (the first in {first.path}, line {first.line}) ask {name} by {column.name}, and no index leads them to their rows: each of them reads the whole table."
    return Finding("hot-column-without-index", place.path, message, place.line, place.end_line, Confidence.MEDIUM, cwe=1067)
