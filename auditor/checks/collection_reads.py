"""Reads that return collections: what bounds each of them, and which are asked once per row of another. What one function shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from auditor.checks.database_calls import DatabaseCall
from auditor.checks.query_texts import QueryText
from auditor.checks.stored_writes import chains_of
from auditor.model.syntax import Argument, Call, DefinitionKind, FileFacts, Value, ValueKind


class Bound(StrEnum):
    """How many rows a read may return."""

    LIMITED = "limited"  # a limit, a page, or a list of keys
    PARENT = "parent"  # the children of one record: of a user, an order, a team
    GROWING = "growing"  # children of one record in the order of time
    NONE = "none"  # whatever the table holds
    UNKNOWN = "unknown"  # the conditions are put together elsewhere


@dataclass(frozen=True, slots=True)
class CollectionRead:
    """One place that reads a list; `table` as the code names it."""

    path: str
    line: int
    end_line: int
    scope: int
    table: str
    bound: Bound


_PRISMA = re.compile(r"(\w+)\.findMany$")
_SEQUELIZE = re.compile(r"(?:^|\.)([A-Z]\w*)(?:\.\w+\(\))*\.(?:findAll|find)(?:\(|$)")
_REPOSITORY = re.compile(r"(\w+?)_?[rR]epo(?:sitory)?\.(?:find|findBy)$")
_SQLALCHEMY = re.compile(r"\.all$|\.fetchall$")
_MONGO = re.compile(r"(\w+|\[\])\.find(?:\(\)(?:\.\w+\(\))*(?:\.\w+)?)?$")
_DJANGO_WHOLE = re.compile(
    r"(\w+)\.objects(?:\.(?:select_related|prefetch_related|order_by|only|defer)\(\))*\.all$|(\w+)\.objects\.all\(\)(?:\.(?:select_related|prefetch_related|order_by|values|values_list|only)(?:\(\))?)*$"
)
_DJANGO_PART = re.compile(
    r"(\w+)\.objects(?:\.(?:select_related|prefetch_related|order_by|only|defer|annotate|exclude|distinct)\(\))*\.(?:filter|exclude)(?:\(\)(?:\.(?:select_related|prefetch_related|order_by|only|defer|annotate|exclude|distinct|filter|all|values|values_list)(?:\(\))?)*)?$"
)
_DRIZZLE = re.compile(r"(?:^|\.)(?:db|database|tx|orm)(?:\(\))?\.(?:select|selectDistinct)\(\)\.from(?:\(|$)")
_LIMITS = re.compile(
    r"(?:^|\.)(?:limit|take|first|one|one_or_none|scalar|scalar_one|scalar_one_or_none|slice|paginate\w*|fetchmany|fetchone|range|page|per_page|maybeSingle|single|skip|offset|top|count|"
    r"get_page|Paginator|apply_pagination|with_pagination|paginated?\w*|pagedQuery|islice|chunk\w*|batch\w*|exists|in_|whereIn|inArray|stream\w*|yield_per|iterator|group_by|groupBy)(?:\(|$)",
)
_LIMIT_KEYS = frozenset({"take", "limit", "first", "perPage", "per_page", "pageSize", "page_size", "max", "top", "cursor", "count"})
_IN_LIST = re.compile(r"\bin\s*:\s|\$in\b|__in\b|\bIn\(|Op\.in\b|\.in_\(|\bIN\s*\(|=\s*ANY\s*\(", re.IGNORECASE)
_WINDOW = re.compile(r"\bBetween\(|\bgte\b|\$gte|__gte\b|__gt\b|__range\b|MoreThan\w*\(|\.between\(|>=\s|\bBETWEEN\b", re.IGNORECASE)
_TIMED = re.compile(
    r"(?:order(?:By|_by)?\b[\s\S]{0,60}?|\b)(?:created|updated|timestamp|sent|taken|logged|occurred|recorded)_?(?:at|on|date)?\b[\s\S]{0,12}?(?:desc|DESC|-1|asc\b|ASC\b|\.desc)|ORDER\s+BY\s+\w*\.?\w*(?:timestamp|date|time|_at|_on)\b",
    re.IGNORECASE,
)
_ONE = re.compile(
    r"(?:^|[^\w])(?:id|_id|uuid|pk|slug|key|code|token|email|username)\s*(?::|==?|=\s)|[{,]\s*(?:id|slug|code|token|email)\s*[,}]|\.id\s*==|\bid\s*=\s*(?:\?|\$|%|:)",
    re.IGNORECASE,
)
_PARENT = re.compile(
    r"\b\w+(?:_id|Id|_ids|Ids|ID|_uid|Uid|UID)\b|\buid\b|\bcurrent_?[uU]ser\b|\b(?:request|req|ctx|session)\.user\b|\b(?:user|owner|author|account|team|project|organi[sz]ation|tenant|customer|profile|company|parent)\s*[=:]"
)
_SELECT = re.compile(
    r"\s*(?:with\b[\s\S]{0,3000}?\)\s*)?select\b(?P<what>[\s\S]{0,1500}?)\bfrom\s+[\"'`\[]?(?:public\.)?(?P<table>[\w{}]+)(?P<rest>[\s\S]*)",
    re.IGNORECASE,
)
_TEXT_LIMIT = re.compile(r"\blimit\b|\bfetch\s+(?:first|next)\b|\btop\s*\(?\s*\d|\brownum\b", re.IGNORECASE)
_NO_CONDITION = re.compile(
    r"\b(?:orderBy|order|sort|select|attributes|relations|populate)\s*[:=]\s*(?:\{[^{}]{0,400}\}|\[(?:[^\[\]]|\[[^\[\]]*\]){0,400}\])|[\w.]+\.(?:asc|desc)\(\)"
)
"""Options that say how rows come back, not which."""
_LIMIT_WORD = re.compile(r"\bLIMIT\s+(?:\?|\$|:|\d|%|\{)|\b(?:take|limit|first)\s*:")
_HELD_VALUE = re.compile(r"([=<>]\s*|\blike\s+)(?:\{\}|'[^'{}]*\{\}[^'{}]*')", re.IGNORECASE)
"""A piece that is put into the text where a value stands: it chooses rows as a bound value does."""
_GROUPED = re.compile(r"\bgroup\s+by\b", re.IGNORECASE)
_AGGREGATE = re.compile(r"^\s*(?:distinct\s+)?(?:count|sum|avg|min|max|exists|coalesce|json_agg|now|version|1\b|total)\b", re.IGNORECASE)
_ONE_ROW = re.compile(r"(?:^|\.)(?:fetchone|fetchrow|fetchval|fetch_one|fetch_val|get|first|one|scalar|pluck|oneOrNone|getRow|getCell)$")
_SMALL_WORDS = """
country countries language languages locale locales currency currencies role roles permission permissions category categories setting settings config configs configuration option options plan plans
unit units license licenses licence licences timezone timezones status statuses state states type types kind kinds level levels theme themes template templates migration migrations feature features
flag flags metadata information_schema sqlite_master pg_tables brackets bracket provider providers integration integrations muscle muscles equipment tag tags label labels
"""
_SMALL = frozenset(_SMALL_WORDS.split())
"""Words of tables that people fill by hand and that stay short."""


def collection_reads(facts: FileFacts, databases: tuple[DatabaseCall, ...], queries: tuple[QueryText, ...]) -> Iterator[CollectionRead]:
    """The reads of one file that return lists, small look-up tables left out."""
    chains = chains_of(facts)
    seen: set[tuple[int, int]] = set()
    for database in databases:
        call = database.call
        if call is None or call.line <= 0:
            continue
        read = _read(facts, call, chains[call.line, call.scope])
        if read is not None and (read.line, read.scope) not in seen:
            seen.add((read.line, read.scope))
            yield read
    for query in queries:
        read = _of_text(facts, query, chains.get((query.line, query.scope), []))
        if read is not None and (read.line, read.scope) not in seen:
            yield read


def is_small(table: str) -> bool:
    """Whether a table is one of those that stay short."""
    found = [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", table)]
    return bool(_SMALL & set(found[-1:]))


def _read(facts: FileFacts, call: Call, chain: list[Call]) -> CollectionRead | None:
    whole = max(chain, key=lambda each: len(each.callee)) if chain else call
    if call.scope >= 0 and facts.definitions[call.scope].kind is DefinitionKind.CLASS:
        return None  # an attribute of a view, which is judged by itself
    table = _table(whole, chain)
    if table is None or (table and is_small(table)):
        return None
    end = max(each.end_line for each in chain) if chain else call.end_line
    return CollectionRead(facts.path, call.line, end, call.scope, table, _bound(facts, whole, chain))


def _table(call: Call, chain: list[Call]) -> str | None:
    """The table of a list that is read, "" where it does not show, None for calls that read no list."""
    callee = call.callee
    found = _DJANGO_WHOLE.search(callee)
    if found and call.scope < 0:
        return None
    if found:
        return found[1] or found[2]
    hosted = re.search(r"(?:from_?|table)\(\)\.select(?:\(|$)", callee)
    if hosted:
        return None if re.search(r"[sS]ingle(?:\(|$)", callee) else _named(chain)
    lazy = _DJANGO_PART.search(callee)
    if lazy:
        return lazy[1]
    if ".objects" in callee:
        return None
    if re.search(r"(?:^|\.)R\.(?:find|findAll)$", callee):
        return chain[-1].arguments[0].value.literal if chain and chain[-1].arguments else ""
    for pattern in (_PRISMA, _REPOSITORY, _SEQUELIZE):
        found = pattern.search(callee)
        if found:
            return found[1]
    if _DRIZZLE.search(callee) or (_SQLALCHEMY.search(callee) and not callee.endswith("Promise.all")):
        return _named(chain)
    if _MONGO.search(callee) and not _LIMITS.search(callee):
        return str(_MONGO.search(callee)[1]) if ".find" in callee else None  # type: ignore[index]
    if callee.endswith(("findKeys", "getDocs")):
        return ""
    return None


def _named(chain: list[Call]) -> str:
    """What a query is about: `select(Task)`, `query(Task)`, `.from(tasks)`, `Task.query`."""
    for each in chain:
        owner = re.match(r"(?:\w+\.)?([A-Z]\w*)\.query\b", each.callee)
        if owner:
            return owner[1]
        if re.search(r"(?:^|\.)(?:select|query|from|select_from)$", each.callee) and each.arguments:
            value = each.arguments[0].value
            if value.kind is ValueKind.NAME:
                return value.literal.split(".")[-2] if value.literal.count(".") else value.literal
    return ""


def _bound(facts: FileFacts, call: Call, chain: list[Call]) -> Bound:
    """What limits a read: in its own chain, in what its conditions were put together from, or anywhere in the same function."""
    steps = [each.callee for each in chain]
    if any(_LIMITS.search(step) for step in steps):
        return Bound.LIMITED
    if ").select" in call.callee:
        return Bound.LIMITED  # the hosted database's interface returns a thousand rows at most
    if ".objects" in call.callee:
        return _lazy_bound(call, chain)
    arguments = [argument for each in chain for argument in each.arguments]
    if any(argument.name in _LIMIT_KEYS or _has_limit(argument.value) for argument in arguments):
        return Bound.LIMITED
    text = " ".join(f"{argument.name}={argument.value.text}" if argument.name else argument.value.text for argument in arguments)
    where = [value for argument in arguments if (value := argument.value.item("where")) is not None and value.kind is ValueKind.NAME]
    names = (
        {argument.value.literal for argument in arguments if argument.value.kind is ValueKind.NAME}
        | {value.literal for value in where}
        | {call.callee.split(".")[0].removesuffix("()")}
    )
    made, optional = _made_from(facts, call, names)
    text = f"{text} {made}"
    if (
        _LIMIT_WORD.search(text)
        or _IN_LIST.search(text)
        or _WINDOW.search(text)
        or _LIMITS.search(made)
        or _limits_in(facts, call.scope, names)
    ):
        return Bound.LIMITED
    conditions = _NO_CONDITION.sub("", text)
    if _ONE.search(conditions) or _PARENT.search(conditions):
        return Bound.GROWING if _TIMED.search(text) else Bound.PARENT
    if not _named(chain) and _table(call, chain) == "" and not call.callee.endswith("findKeys"):
        return Bound.UNKNOWN
    if any(_is_open(argument.value.item("where"), optional) for argument in arguments):
        return Bound.UNKNOWN
    loose = any(argument.value.kind is ValueKind.NAME and argument.value.literal not in optional for argument in arguments) and not made
    return Bound.UNKNOWN if loose and not _whole_table(call, arguments) else Bound.NONE


def _lazy_bound(call: Call, chain: list[Call]) -> Bound:
    """A queryset is read where it is used: without a condition on a parent, nobody can say here how much of it."""
    if _DJANGO_WHOLE.search(call.callee):
        return Bound.UNKNOWN
    text = " ".join(f"{argument.name}=" for each in chain for argument in each.arguments if argument.name)
    return Bound.PARENT if _PARENT.search(text) or _ONE.search(text) or _WINDOW.search(text) else Bound.UNKNOWN


def _whole_table(call: Call, arguments: list[Argument]) -> bool:
    """Whether names among the arguments are tables or orders, so that nothing about the conditions is missing."""
    return all(
        argument.value.kind is not ValueKind.NAME
        or argument.value.literal[:1].isupper()
        or "." in argument.value.literal
        or call.callee.endswith("from")
        for argument in arguments
    )


def _is_open(where: Value | None, found: set[str]) -> bool:
    """Whether a condition is put together elsewhere, as a whole or in part."""
    if where is None:
        return False
    if where.kind is ValueKind.COLLECTION:
        return any(key == "..." or value.kind in {ValueKind.NAME, ValueKind.CALL} or _is_open(value, found) for key, value in where.items)
    return where.kind in {ValueKind.NAME, ValueKind.CALL} and where.literal not in found


def _has_limit(value: Value) -> bool:
    return any(value.item(key) is not None for key in _LIMIT_KEYS) or any(key == "..." for key, _ in value.items)


def _made_from(facts: FileFacts, call: Call, names: set[str]) -> tuple[str, set[str]]:
    """The text of what the names of a query were assigned on every way to it; names that were found at all."""
    texts: list[str] = []
    found: set[str] = set()
    for assignment in facts.assignments:
        if assignment.scope != call.scope or assignment.target not in names or assignment.value is None or assignment.line > call.line:
            continue
        found.add(assignment.target)
        sometimes = any(
            b.scope == call.scope and b.line < assignment.line <= b.last_line and not b.line < call.line <= b.last_line
            for b in facts.branches
        )
        if not sometimes:
            first, last = (
                assignment.line,
                max((c.end_line for c in facts.calls if c.line == assignment.line and c.scope == call.scope), default=assignment.line),
            )
            texts.append(assignment.value.text)
            texts.extend(a.value.text for c in facts.calls if c.scope == call.scope and first <= c.line <= last for a in c.arguments)
    return " ".join(texts), found


def _limits_in(facts: FileFacts, scope: int, names: set[str]) -> bool:
    """Whether the query of one of these names is cut anywhere in the function."""
    return any(
        call.scope == scope
        and _LIMITS.search(call.callee)
        and (call.callee.split(".")[0] in names or any(a.value.literal in names for a in call.arguments))
        for call in facts.calls
    )


def _of_text(facts: FileFacts, query: QueryText, chain: list[Call]) -> CollectionRead | None:
    found = _SELECT.match(query.value.literal)
    if (
        found is None
        or query.value.literal.lstrip()[:4].lower() == "with"
        or _AGGREGATE.match(found["what"])
        or is_small(found["table"])
        or found["table"].startswith("{")
    ):
        return None
    if _GROUPED.search(found["rest"]):
        return None
    near = [call for call in facts.calls if call.scope == query.scope and query.line <= call.line <= query.end_line + 2]
    if any(_ONE_ROW.search(call.callee) for call in (*chain, *near)):
        return None
    rest = _HELD_VALUE.sub(r"\1?", found["rest"])
    if _TEXT_LIMIT.search(rest) or _WINDOW.search(rest) or _IN_LIST.search(rest) or _TEXT_LIMIT.search(found["what"]):
        bound = Bound.LIMITED
    elif "{}" in rest:
        bound = Bound.UNKNOWN
    else:
        parent = Bound.GROWING if re.search(r"\border\s+by\b[\s\S]{0,80}", rest, re.IGNORECASE) and _TIMED.search(rest) else Bound.PARENT
        bound = parent if re.search(r"\bwhere\b", rest, re.IGNORECASE) and (_ONE.search(rest) or _PARENT.search(rest)) else Bound.NONE
    return CollectionRead(facts.path, query.line, query.end_line, query.scope, found["table"], bound)
