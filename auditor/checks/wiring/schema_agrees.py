"""Tables, columns and fields that code uses and that nothing declares.

Passing title: Every table and column the code uses is declared
Failing title: The code uses tables or columns that no model, migration or script makes
Grading: A statement or a call that names a table, column or field which the repository declares nowhere fails, as does a model that no migration knows, a statement that makes a table and is no SQL, and a table that is asked for before it is made.
    Where only unused files name such a thing, it is partial.
Done when: every name in queries and models is made by a migration or script of the repository, and a check in the pipeline compares models with migrations.
What it cannot see: what was added to a running database by hand, tables of other systems' databases, columns inside JSON, and names put together at run time.
"""

from __future__ import annotations

import re
from collections import Counter

from auditor.checks.registry import check
from auditor.model.evidence import ModuleGraph, Stores
from auditor.model.needs import MODULE_GRAPH, SCHEMA_NAMES, STORES
from auditor.model.schema_names import Lookup, SchemaNames, SchemaUse
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable, Place, Undecided
from auditor.words import listed, plural

_LAG = frozenset({"model_without_migration", "column_without_migration"})
_ENTRY = re.compile(
    r"(?:^|/)(?:app|pages|routes?|api|functions|scripts|bin|jobs|tasks|workers?|commands|middleware)/|(?:^|/)(?:main|index|server|app|manage|wsgi|asgi|cli|worker|run|bot|db|database|streamlit_app)\.\w+$",
    re.IGNORECASE,
)
"""Files that something else than an import starts."""


@check("wiring.schema-agrees", needs=(SCHEMA_NAMES, STORES, MODULE_GRAPH))
def schema_agrees(names: SchemaNames, stores: Stores, graph: ModuleGraph) -> Judgement:
    """Weigh the names that were looked up."""
    states = Counter(use.found for use in names.uses)
    lost = [use for use in names.uses if use.found in {Lookup.NO_TABLE, Lookup.NO_COLUMN}]
    lag = _lag(stores, {use.place for use in names.uses})
    broken = [*(_broken(*one) for one in stores.table_sources.broken), *(_early(*one) for one in stores.table_sources.early)]
    known = states[Lookup.DECLARED] + len(lost) + sum(len(found) for found in lag) + len(broken)
    if not known:
        return _nothing_to_compare(names, stores)
    findings = [*broken, *map(_missing, _by_place(lost)), *map(_behind, lag)]
    idle = _idle(graph)
    alive = bool(broken or lag) or any(use.place.path not in idle for use in lost)
    bad = len({(use.way, use.table, use.column) for use in lost}) + sum(len(found) for found in lag) + len(broken)
    summary = (
        f"{plural(bad, 'name of a table or column does', 'names of tables and columns do')} not agree with what the repository declares."
        if bad
        else f"All of {plural(known, 'use')} of tables, columns and fields name something that is declared."
    )
    return Assessed(
        min(bad, known),
        known,
        summary,
        (0.7 if alive else 0.3) if bad else 0.0,
        tuple(findings),
        tuple(dict.fromkeys(use.declared for use in names.uses if use.found is Lookup.DECLARED and use.declared is not None))[:3],
        (f"uses looked up: {known}; of tables whose columns are not all in the repository: {states[Lookup.OPEN]}",),
        (*_open(names), *names.unread),
        confidence=Confidence.MEDIUM,
    )


def _nothing_to_compare(names: SchemaNames, stores: Stores) -> Judgement:
    if names.uses:
        return NotApplicable("The structure of the database that the code asks is not in the repository.", (names.uses[0].place,))
    if names.unread:
        return Undecided(
            f"{plural(len(names.unread), 'query', 'queries')} of the code could not be read, and nothing else names a table or column."
        )
    if stores.relational or stores.models:
        return NotApplicable(
            "No query or call names a table or column in words that could be compared with a declaration.", stores.relational[:1]
        )
    return NotApplicable("The code asks no database whose structure is declared.")


def _idle(graph: ModuleGraph) -> frozenset[str]:
    """Files that nothing imports and nothing else starts."""
    paths = {module.id: module.path for module in graph.modules}
    used = {paths[edge.target] for edge in graph.edges if edge.source != edge.target}
    return frozenset(path for path in paths.values() if path not in used and not _ENTRY.search(path))


def _by_place(lost: list[SchemaUse]) -> list[list[SchemaUse]]:
    """What one statement misses of one table together, the same thing missed elsewhere with it; statements that write first."""
    columns: dict[tuple[str, str, str], list[SchemaUse]] = {}
    for use in lost:
        columns.setdefault((use.way, use.table, use.column), []).append(use)
    first = {key: next((use for use in uses if use.writes), uses[0]) for key, uses in columns.items()}
    groups: dict[tuple[Place, str, bool], list[SchemaUse]] = {}
    for key, uses in columns.items():
        told = first[key]
        others = [use for use in uses if use is not told]
        groups.setdefault((told.place, told.table, told.column == ""), []).extend([told, *others])
    return sorted(groups.values(), key=lambda uses: (not uses[0].writes, uses[0].place.path, uses[0].place.line))


def _missing(uses: list[SchemaUse]) -> Finding:
    use = uses[0]
    does = "writes" if use.writes else "asks for"
    others = len({each.place for each in uses} - {use.place})
    more = f"; so do {plural(others, 'other place')}" if others else ""
    near = f" (the nearest is {use.near})" if use.near else ""
    if use.found is Lookup.NO_TABLE:
        message = f"This {does} {use.table}, and no model, migration or script of the repository makes it{near}: every call fails{more}."
        return Finding("missing-table", use.place.path, message, use.place.line, confidence=Confidence.MEDIUM)
    named = list(dict.fromkeys(each.column for each in uses))
    at = f" ({use.declared.path}:{use.declared.line})" if use.declared is not None else ""
    rest = near if len(named) == 1 else ""
    message = f"This {does} {listed(named)} of {use.table}, which is declared without {'it' if len(named) == 1 else 'them'}{at}{rest}: the call fails or the value is lost{more}."
    return Finding("missing-column", use.place.path, message, use.place.line, confidence=Confidence.MEDIUM)


def _broken(name: str, place: Place) -> Finding:
    message = f"The statement that makes the table {name} is no SQL of any database: a fresh database never gets the table, and all that reads or writes it fails."
    return Finding("broken-table-statement", place.path, message, place.line, confidence=Confidence.MEDIUM)


def _early(table: str, asked: Place, made: Place) -> Finding:
    message = f"This asks for {table}, which is made only later ({made.path}:{made.line}): on a fresh database the first start ends here."
    return Finding("read-before-made", asked.path, message, asked.line, asked.end_line, confidence=Confidence.MEDIUM)


def _lag(stores: Stores, told: set[Place]) -> list[list[tuple[Place, str]]]:
    """Models that the migrations do not know, all together, and columns, file by file; tables that queries name were looked up already and are `told` of."""
    files: dict[tuple[str, str], list[tuple[Place, str]]] = {}
    for kind, place, message in stores.problems:
        if kind in _LAG and place not in told:
            files.setdefault((kind, "" if kind == "model_without_migration" else place.path), []).append((place, message))
    return list(files.values())


def _behind(found: list[tuple[Place, str]]) -> Finding:
    place, message = found[0]
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    text = f"{message[:1].upper()}{message[1:]}{more}: a database that the migrations made refuses what the code sends."
    return Finding("model-without-migration", place.path, text, place.line, place.end_line, confidence=Confidence.MEDIUM)


def _open(names: SchemaNames) -> tuple[tuple[str, str], ...]:
    """Places that keep a pass away: columns of tables that are declared in part. What is kept elsewhere altogether belongs to somebody else."""
    open_ = ((use.place, use.table) for use in names.uses if use.found is Lookup.OPEN and use.column)
    return tuple(
        (f"{place.path}:{place.line}", f"not all columns of {table} are in the repository") for place, table in dict.fromkeys(open_)
    )
