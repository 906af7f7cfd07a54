"""What code names of a database through clients and query texts: tables, columns. Part of the evidence SCHEMA_NAMES.

Whether a name exists is not asked here.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from auditor.evidence.chains import Chain, chains
from auditor.languages.migrations import last
from auditor.languages.selected_columns import conditions, selected
from auditor.languages.sql import read_query
from auditor.model.syntax import Call, FileFacts, Value, ValueKind


@dataclass(frozen=True, slots=True)
class Named:
    """A table (`column` "") or a column of one of the `tables`, as the code names them; `via`: the relation of the first table through which the second is reached."""

    path: str
    line: int
    tables: tuple[str, ...]
    column: str
    way: str
    writes: bool = False


_HOSTED_FROM = ("from", "from_", "table")
_HOSTED_VERBS = frozenset({"select", "insert", "upsert", "update", "delete"})
_HOSTED_HEAD = re.compile(r"supabase|(?:^|\.)(?:db|client|admin|sb|service|this\.client|self\.client|sql)\w*$", re.IGNORECASE)
_FILTERS_WORDS = """
    eq neq gt gte lt lte like ilike likeAllOf likeAnyOf is_ is in in_ contains contained_by containedBy overlaps textSearch text_search not
    not_ filter order rangeGt rangeGte rangeLt rangeLte rangeAdjacent
    """
_FILTERS = frozenset(_FILTERS_WORDS.split())
_ELSEWHERE = ("foreignTable", "referencedTable", "foreign_table", "referenced_table")
_COLUMN = re.compile(r"^[A-Za-z_]\w*$")
_WRITING = frozenset({"insert", "upsert", "update"})


def hosted_uses(facts: FileFacts, tables: frozenset[str]) -> Iterator[Named]:
    """Names given to Supabase's client; `tables`: names that are known to be tables, by which relations are told from columns."""
    bound: defaultdict[tuple[int, str], set[str]] = defaultdict(set)
    for chain in chains(facts):
        table = _hosted_table(facts, chain)
        if table:
            if chain.target:
                bound[chain.calls[0].scope, chain.target].add(table)
        else:
            known = bound.get((chain.calls[0].scope, chain.head.partition(".")[0]), set())
            table = next(iter(known)) if len(known) == 1 and chain.steps[0] in _FILTERS | {"select", "or", "or_", "match"} else ""
        if table:
            yield from _hosted(facts, chain, table, tables)


def uses_hosted(facts: FileFacts) -> bool:
    """Whether a file works with Supabase's client."""
    return any("supabase" in statement.module.lower() or any("supabase" in local.lower() for _, local in statement.names) for statement in facts.imports) or any(
        re.match(r"^(?:this\.|self\.)?_?supabase", call.callee, re.IGNORECASE) for call in facts.calls
    )  # fmt: skip


def _hosted_table(facts: FileFacts, chain: Chain) -> str:
    steps = chain.steps
    if len(steps) < 2 or steps[0] not in _HOSTED_FROM or steps[1] not in _HOSTED_VERBS or "storage" in chain.head.lower():
        return ""
    if not (_HOSTED_HEAD.search(chain.head) and uses_hosted(facts)):
        return ""
    value = chain.calls[0].argument("", 0)
    return _text(facts, value, chain.calls[0].scope) if value is not None else ""


def _text(facts: FileFacts, value: Value, scope: int) -> str:
    """The text of a literal, or of a name that is given one only once."""
    if value.kind is ValueKind.STRING:
        return value.literal if _COLUMN.match(value.literal) else ""
    made = _made(facts, value, scope)
    return made.literal if made is not None and made.kind is ValueKind.STRING and _COLUMN.match(made.literal) else ""


def _made(facts: FileFacts, value: Value, scope: int) -> Value | None:
    """What a plain name is bound to, in the function or the module, if that happens once."""
    if value.kind is not ValueKind.NAME or "." in value.literal:
        return None
    for place in dict.fromkeys((scope, -1)):
        found = [a.value for a in facts.assignments if a.scope == place and a.target == value.literal]
        if found:
            return found[0] if len(found) == 1 else None
    return None


def _hosted(facts: FileFacts, chain: Chain, table: str, tables: frozenset[str]) -> Iterator[Named]:
    writes = any(step in _WRITING or step == "delete" for step in chain.steps)
    yield Named(facts.path, chain.calls[0].line, (table,), "", "supabase", writes)
    for call in chain.calls:
        name = last(call.callee)
        first = call.argument("", 0)
        if first is None:
            continue
        if name == "select" and first.kind in {ValueKind.STRING, ValueKind.TEMPLATE}:
            yield from _select(facts.path, call.line, table, first.literal, tables)
        elif name in _WRITING:
            keys = _keys(facts, first, call.scope)
            yield from (Named(facts.path, call.line, (table,), key, "supabase", writes=True) for key in keys)
        else:
            for column in _filtered(name, call, first):
                yield Named(facts.path, call.line, (table,), column, "supabase", writes)


def _filtered(name: str, call: Call, first: Value) -> Iterator[str]:
    if any(argument.value.item(key) is not None or argument.name in _ELSEWHERE for argument in call.arguments for key in _ELSEWHERE):
        return
    if name in _FILTERS and first.kind is ValueKind.STRING:
        plain = first.literal.partition("->")[0]
        if _COLUMN.match(plain):
            yield plain
    elif name == "match" and first.kind is ValueKind.COLLECTION:
        yield from (key for key, _ in first.items if _COLUMN.match(key))
    elif name in {"or", "or_"} and first.kind in {ValueKind.STRING, ValueKind.TEMPLATE}:
        yield from (column for column in conditions(first.literal) if _COLUMN.match(column))


def _select(path: str, line: int, table: str, text: str, tables: frozenset[str]) -> Iterator[Named]:
    pending = [(table, text)]
    while pending:
        owner, inner = pending.pop()
        for entry in selected(inner):
            if entry.column and "{}" not in entry.column:
                yield Named(path, line, (owner,), entry.column, "supabase")
            elif entry.relation.lower() in tables:
                pending.append((entry.relation, entry.inside))


def _keys(facts: FileFacts, value: Value, scope: int) -> tuple[str, ...]:
    """The columns of a record or of a list of them."""
    made = value if value.kind is ValueKind.COLLECTION else _made(facts, value, scope)
    if made is None or made.kind is not ValueKind.COLLECTION:
        return ()
    records = [made] if any(key for key, _ in made.items) else [item for _, item in made.items if item.kind is ValueKind.COLLECTION]
    return tuple(dict.fromkeys(key for record in records for key, _ in record.items if _COLUMN.match(key)))


# -- query texts -------------------------------------------------------------------------------------------------------------------------

_QUERY = re.compile(
    r"\s*(?:SELECT\s[\s\S]{0,4000}?\sFROM\s|INSERT\s+(?:OR\s+\w+\s+|IGNORE\s+)?INTO\s|REPLACE\s+INTO\s|UPDATE\s+\S+\s+SET\s|DELETE\s+FROM\s|WITH\s+(?:RECURSIVE\s+)?\w+\s+AS\s*\()"
)
_QUERY_LOWER = re.compile(_QUERY.pattern, re.IGNORECASE)
_SINK = re.compile(
    r"(?:^|\.)(?:execute|executemany|exec|exec_driver_sql|text|raw|query|sql|prepare|all|run|get|each|fetch|fetchrow|fetchval|fetch_all|fetch_one|fetchall|fetchone|read_sql|read_sql_query"
    r"|unsafe|one|oneOrNone|many|manyOrNone|any|none|\$?queryRaw(?:Unsafe)?|\$?executeRaw(?:Unsafe)?|\$queryRawUnsafe|\$executeRawUnsafe|getFirstAsync|getAllAsync|runAsync|execAsync|execAsync)$"
)
_MOST = 4_000


def query_uses(files: Iterable[FileFacts], dialects: tuple[str, ...]) -> Iterator[Named | tuple[str, int]]:
    """Names in query texts; (path, line) for a text that is a query and that no dialect reads."""
    count = 0
    for facts in files:
        seen: set[tuple[int, str]] = set()
        for value, line in _queries(facts):
            if (line, value.literal) in seen or count >= _MOST:
                continue
            seen.add((line, value.literal))
            count += 1
            names = read_query(value.literal, dialects)
            if names is None:
                yield facts.path, line
            for name in names or ():
                yield Named(facts.path, line, name.tables, name.column, "sql", name.writes)


def _queries(facts: FileFacts) -> Iterator[tuple[Value, int]]:
    """Texts that are queries: in capitals wherever they are handed over or kept, in small letters where a call is one that sends queries."""
    for call in facts.calls:
        for argument in call.arguments[:3]:
            for value in _texts(argument.value):
                pattern = _QUERY_LOWER if _SINK.search(call.callee) else _QUERY
                if pattern.match(value.literal):
                    yield value, call.line
    for assignment in (*facts.assignments, *facts.returns):
        if (
            assignment.value is not None
            and assignment.value.kind in {ValueKind.STRING, ValueKind.TEMPLATE}
            and _QUERY.match(assignment.value.literal)
        ):
            yield assignment.value, assignment.line


def _texts(value: Value) -> Iterator[Value]:
    if value.kind in {ValueKind.STRING, ValueKind.TEMPLATE}:
        yield value
    elif value.kind in {ValueKind.CALL, ValueKind.COLLECTION}:
        yield from (item for _, item in value.items if item.kind in {ValueKind.STRING, ValueKind.TEMPLATE})
