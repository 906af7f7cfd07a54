"""Tables that a function asks for before they are made: on a fresh database the first start ends there. Part of the evidence STORES.

Only where nothing else makes the table: the statement that does stands later in the same function, or in a function that is called from there alone, and later.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from auditor.languages import operations as ops
from auditor.languages.migrations import last
from auditor.languages.sql import read_query, read_sql
from auditor.model.syntax import Call, FileFacts, Value, ValueKind
from auditor.model.verdict import Place

_MAKES = re.compile(r"\s*create\s+table\b", re.IGNORECASE)
_ASKS = re.compile(r"\s*(?:select\b|insert\s+|update\s+\S+\s+set\b|delete\s+from\b)", re.IGNORECASE)
_RUNS = re.compile(r"(?:^|\.)(?:execute|executescript|exec|run)$")
_DIALECTS = ("sqlite", "postgres", "mysql")


@dataclass(frozen=True, slots=True)
class Early:
    """A table that is asked for at one place and made at another that comes later."""

    table: str
    asked: Place
    made: Place


def early(files: Iterable[FileFacts], elsewhere: frozenset[str]) -> Iterator[Early]:
    """Every table of one file that is asked for too early; `elsewhere`: names of tables that migrations and scripts make."""
    read = [facts for facts in files if any(_MAKES.match(value.literal) for call in facts.calls for value in _texts(call))]
    makers: defaultdict[str, list[tuple[FileFacts, Call]]] = defaultdict(list)
    for facts in read:
        for call in facts.calls:
            for value in _texts(call):
                if _MAKES.match(value.literal):
                    for operation in read_sql(value.literal.replace("{}", "x")):
                        if operation.kind == ops.CREATE_TABLE:
                            makers[operation.table.lower()].append((facts, call))
    for facts in read:
        known = {
            table: found[0][1] for table, found in makers.items() if len(found) == 1 and found[0][0] is facts and table not in elsewhere
        }
        yield from _of_file(facts, known)


def _of_file(facts: FileFacts, known: dict[str, Call]) -> Iterator[Early]:
    told: set[str] = set()
    making = {call.scope for call in known.values() if call.scope >= 0}
    callers = {scope for made in making for scope in _only_caller(facts, made)}
    for call in facts.calls:
        if call.scope not in making | callers or not _RUNS.search(call.callee) or call.guarded or _depends(facts, call):
            continue
        for value in _texts(call):
            names = read_query(value.literal, _DIALECTS) if _ASKS.match(value.literal) else ()
            for table in dict.fromkeys(name.tables[0].lower() for name in names or () if not name.column):
                made = known.get(table)
                if made is not None and table not in told and _comes_later(facts, made, call):
                    told.add(table)
                    yield Early(table, Place(facts.path, call.line, call.end_line), Place(facts.path, made.line, made.end_line))


def _texts(call: Call) -> Iterator[Value]:
    return (a.value for a in call.arguments[:1] if a.value.kind in {ValueKind.STRING, ValueKind.TEMPLATE})


def _depends(facts: FileFacts, call: Call) -> bool:
    """Whether a call is made under a condition only."""
    return any(b.scope == call.scope and b.line < call.line <= b.last_line for b in facts.branches) or call.in_loop


def _only_caller(facts: FileFacts, scope: int) -> frozenset[int]:
    """The function that alone calls another, if there is one."""
    name = facts.definitions[scope].name
    scopes = frozenset(call.scope for call in facts.calls if last(call.callee) == name)
    return scopes if len(scopes) == 1 and -1 not in scopes and name else frozenset()


def _comes_later(facts: FileFacts, made: Call, asked: Call) -> bool:
    """Whether a table is made after it was asked for: in the same function, or in one that this one calls afterwards."""
    if made.scope == asked.scope:
        return made.line > asked.line
    if made.scope < 0 or asked.scope not in _only_caller(facts, made.scope):
        return False
    name = facts.definitions[made.scope].name
    return all(call.line > asked.line for call in facts.calls if last(call.callee) == name)
