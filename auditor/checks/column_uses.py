"""Columns that queries ask by: conditions and orders of mappers, clients and query texts, with the table each belongs to. What one call shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.checks.query_texts import QueryText
from auditor.checks.stored_writes import chains_of
from auditor.model.syntax import Argument, Call, FileFacts, Value, ValueKind


@dataclass(frozen=True, slots=True)
class ColumnUse:
    """One column in one query; `owner` is the table or model as the code names it."""

    path: str
    line: int
    owner: str
    column: str


_COMPARED = re.compile(r"\b([A-Z]\w*)\.(\w+)\s*(?:==|<=?|>=?|\.in_\(|\.desc\(|\.asc\(|\.between\()")
_ASKS = re.compile(r"(?:^|\.)(?:filter|where|order_by|filter_by|get_or_404|join)$")
_QUERY_OF = re.compile(r"(?:^|\.)([A-Z]\w*)\.query\b")
_DJANGO = re.compile(r"(\w+)\.objects(?:\.\w+\(\))*\.(?:filter|get|aget|exclude|order_by|get_or_create|update_or_create)$")
_LOOKUPS = frozenset({"exact", "iexact", "in", "gt", "gte", "lt", "lte", "range", "date", "startswith", "isnull", "pk", "id"})
_WHERE_OWNER = re.compile(
    r"(?:^|\.)(\w+?)(?:_?[rR]epo(?:sitory)?)?\.(?:findMany|findFirst|findFirstOrThrow|findUnique|find|findOne|findBy|findOneBy|findAll|findAndCountAll|findAndCount|count|updateMany|deleteMany|update|destroy|countDocuments|updateOne|deleteOne)$"
)
_HOSTED_COLUMN = re.compile(r"\.(?:eq|in|in_|gt|gte|lt|lte|order|match)$")
_SELECT_ONE = re.compile(
    r"\s*(?:select\b[\s\S]{0,1500}?\bfrom|update|delete\s+from)\s+[\"'`\[]?(?:public\.)?(\w+)[\"'`\]]?(?![\s\S]{0,3000}\bjoin\b)",
    re.IGNORECASE,
)
_CONDITION = re.compile(r"\b(?:where|and|or)\s+\(?(?:\w+\.)?[\"`]?(\w+)[\"`]?\s*(?:=|>=?|<=?|\bin\b|\bbetween\b)", re.IGNORECASE)
_ORDER = re.compile(r"\border\s+by\s+(?:\w+\.)?[\"`]?(\w+)", re.IGNORECASE)


def column_uses(facts: FileFacts, queries: tuple[QueryText, ...]) -> Iterator[ColumnUse]:
    """Every use of one file; the same column twice in one query is one use."""
    seen: set[tuple[int, str, str]] = set()
    chains = chains_of(facts)
    for call in facts.calls:
        for owner, column in _of_call(call, chains[call.line, call.scope]):
            if owner and (call.line, owner, column) not in seen:
                seen.add((call.line, owner, column))
                yield ColumnUse(facts.path, call.line, owner, column)
    for query in queries:
        for owner, column in _of_text(query.value.literal):
            if (query.line, owner, column) not in seen:
                seen.add((query.line, owner, column))
                yield ColumnUse(facts.path, query.line, owner, column)


def _of_call(call: Call, chain: list[Call]) -> Iterator[tuple[str, str]]:
    if _ASKS.search(call.callee):
        yield from _alchemy(call, chain)
    django = _DJANGO.search(call.callee)
    if django:
        yield from ((django[1], name) for name in _django_names(call.arguments, ordered=call.callee.endswith("order_by")))
    owner = _WHERE_OWNER.search(call.callee)
    if owner and call.arguments:
        yield from ((owner[1], name) for name in _where_keys(call.arguments[0].value))
    if _HOSTED_COLUMN.search(call.callee) and call.arguments and call.arguments[0].value.kind is ValueKind.STRING:
        table = _hosted_table(chain)
        if table:
            yield table, call.arguments[0].value.literal


def _alchemy(call: Call, chain: list[Call]) -> Iterator[tuple[str, str]]:
    for argument in call.arguments:
        for found in _COMPARED.finditer(argument.value.text):
            yield found[1], found[2]
        value = argument.value
        if call.callee.endswith("order_by") and value.kind is ValueKind.NAME and re.match(r"^[A-Z]\w*\.\w+$", value.literal):
            model, _, column = value.literal.partition(".")
            yield model, column
        if argument.name and call.callee.endswith("filter_by"):
            owner = _QUERY_OF.search(call.callee)
            model = owner[1] if owner else _queried(chain)
            if model:
                yield model, argument.name


def _queried(chain: list[Call]) -> str:
    for call in chain:
        if re.search(r"(?:^|\.)(?:query|select)$", call.callee) and call.arguments and call.arguments[0].value.kind is ValueKind.NAME:
            return call.arguments[0].value.literal.partition(".")[0]
    return ""


def _django_names(arguments: tuple[Argument, ...], *, ordered: bool) -> Iterator[str]:
    for argument in arguments:
        if ordered and argument.value.kind is ValueKind.STRING and "__" not in argument.value.literal:
            yield argument.value.literal.removeprefix("-")
        elif argument.name not in {"", "*", "**", "defaults"}:
            first, _, rest = argument.name.partition("__")
            if not rest or rest in _LOOKUPS:
                yield first


def _where_keys(value: Value) -> Iterator[str]:
    """Columns of `{ where: {...}, orderBy: {...} }`, or of a condition that is given by itself."""
    where = value.item("where")
    conditions = where if where is not None else value if value.item("orderBy") is None and value.item("include") is None else None
    if conditions is not None and conditions.kind is ValueKind.COLLECTION:
        yield from (key for key, _ in conditions.items if re.fullmatch(r"[a-z]\w*", key) and key not in {"where", "take", "skip", "select"})
    order = value.item("orderBy") or value.item("order")
    if order is not None:
        yield from (key for key, _ in order.items if re.fullmatch(r"[a-z]\w*", key))
        yield from (
            key
            for _, entry in order.items
            if entry.kind is ValueKind.COLLECTION
            for key, _ in entry.items
            if re.fullmatch(r"[a-z]\w*", key)
        )


def _hosted_table(chain: list[Call]) -> str:
    for call in chain:
        if re.search(r"(?:^|\.)(?:from_?|table)$", call.callee) and call.arguments and call.arguments[0].value.kind is ValueKind.STRING:
            return call.arguments[0].value.literal
    return ""


def _of_text(text: str) -> Iterator[tuple[str, str]]:
    found = _SELECT_ONE.match(text)
    if found is None:
        return
    rest = text[found.end() :]
    for pattern in (_CONDITION, _ORDER):
        for column in pattern.finditer(rest):
            yield found[1], column[1]
