"""Queries that are asked once per row of a list: in a loop, in the callback of a list's method, or in a function that a loop calls."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.checks.database_calls import DatabaseCall
from auditor.checks.model_names import words
from auditor.checks.query_texts import QueryText
from auditor.checks.stored_writes import Write
from auditor.checks.units_of_work import given_to
from auditor.model.syntax import Call, DefinitionKind, FileFacts


@dataclass(frozen=True, slots=True)
class PerRow:
    """A query in a loop; `through` is the function of the program that asks it, "" where the loop does so itself.

    `relation`: what a serialiser reads of each row.
    """

    path: str
    line: int
    end_line: int
    scope: int
    what: str
    through: str = ""
    relation: str = ""


_EACH = re.compile(r"\.(?:map|forEach|flatMap|reduce|filter|some|every)$")
_HARMLESS_HEADER = re.compile(
    r"^(?:while|do)\b|\brange\(|(?i:chunk|batch)|\b[pP]ages?\b|in\s*[\[({]\s*[\"'\d]|of\s*\[\s*[\"'\d]|\b(?:of|in)\s+[A-Z][A-Z_]+\b|\bfor\s*\(\s*(?:let|var)\s+\w+\s*=\s*\d|(?i:retry|retries|attempt)"
)
"""Headers of loops that go over a few constants, tries, or blocks of many rows."""
_READS = re.compile(
    r"(?:get|find|fetch|select|query|load|lookup|execute|exec|scalars?|first|one|all|count|from|filter|aggregate|objects)", re.IGNORECASE
)
_SESSION_GET = re.compile(r"(?:^|\.)(?:\w*[sS]ession|db)\.get$")
_ASKS = frozenset(
    {"get", "find", "load", "fetch", "list", "count", "read", "is", "has", "lookup", "resolve", "build", "to", "serialize", "format"}
)
_BATCHED = re.compile(r"loader\.load$|[dD]ataloader|\.none$|\.cache\.|[cC]ache[dD]?\w*\.(?:get|has)")


def per_row_queries(
    facts: FileFacts, databases: tuple[DatabaseCall, ...], queries: tuple[QueryText, ...], written: list[Write], helpers: frozenset[str]
) -> Iterator[PerRow]:
    """Those of one file, each line once; `helpers` are functions of the program that ask the database, by name."""
    writes = {(write.line, write.scope) for write in written}
    asked = {(d.line, d.scope): d.call for d in databases if d.call is not None and _is_read(d.call)}
    texts = {(q.line, q.scope) for q in queries if q.value.literal.lstrip()[:6].lower() == "select"}
    seen: set[int] = set()
    for call in facts.calls:
        place = (call.line, call.scope)
        name = call.callee.rpartition(".")[2]
        direct = place not in writes and (asked.get(place) is call or (place in texts and _READS.search(name) is not None))
        direct = direct or _by_key(call)
        through = name if name in helpers and not direct else ""
        if (direct or through) and call.line not in seen and _repeats(facts, call):
            seen.add(call.line)
            yield PerRow(facts.path, call.line, call.end_line, call.scope, call.callee.removeprefix("new "), through)


def _by_key(call: Call) -> bool:
    """`session.get(User, id)`: other sessions have a `get` as well."""
    first = call.argument("", 0)
    return _SESSION_GET.search(call.callee) is not None and first is not None and first.literal[:1].isupper() and len(call.arguments) > 1


def _is_read(call: Call) -> bool:
    return _READS.search(call.callee) is not None and _BATCHED.search(call.callee) is None


def _repeats(facts: FileFacts, call: Call) -> bool:
    """Whether a call is made for each element of something of unknown length."""
    if call.in_loop:
        around = [loop for loop in facts.loops if loop.scope == call.scope and loop.line <= call.line <= loop.end_line]
        inner = [loop for loop in around if loop.line < call.line or loop.end_line > loop.line]
        if around and not any(loop.line == call.line and call.line != loop.end_line for loop in around):
            return not any(_HARMLESS_HEADER.search(loop.header) for loop in inner)
        return not around  # in a comprehension
    scope = call.scope
    if scope < 0:
        return False
    outer = given_to(facts, scope)
    return outer is not None and _EACH.search(outer.callee) is not None and not outer.callee.startswith(("Object.keys", "["))


def asking_helpers(files: tuple[FileFacts, ...], databases: dict[str, tuple[DatabaseCall, ...]]) -> frozenset[str]:
    """Functions that ask the database themselves and are the only ones of their name."""
    names = Counter(d.name for facts in files for d in facts.definitions if d.kind is not DefinitionKind.CLASS)
    found: defaultdict[str, int] = defaultdict(int)
    for facts in files:
        for database in databases.get(facts.path, ()):
            if database.call is None or database.scope < 0 or not (_is_read(database.call) or _by_key(database.call)):
                continue
            name = facts.definitions[database.scope].name
            if names[name] == 1 and len(words(name)) > 1 and words(name)[0] in _ASKS:
                found[name] += 1
    return frozenset(found)
