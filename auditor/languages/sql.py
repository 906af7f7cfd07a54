"""Reads SQL scripts into the operations they carry out. The only module that knows a SQL parser.

PostgreSQL is read with PostgreSQL's own grammar (postgast), everything else with sqlglot. A statement that neither can read becomes an
operation of kind `UNREAD`: nothing is guessed from its words.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from auditor.languages.operations import UNREAD, Operation

if TYPE_CHECKING:
    from auditor.languages.query_names import QueryName

SIZE_LIMIT = 4_000_000
"""Characters of one script that are read; more is a data dump."""

_MYSQL = re.compile(
    r"`|\bALGORITHM\s*=|\bLOCK\s*=\s*(?:NONE|SHARED)|\b(?:MODIFY|CHANGE)\s+COLUMN\b|\bUNSIGNED\b|\bENGINE\s*=\s*(?:InnoDB|MyISAM)\b|\bAUTO_INCREMENT\b",
    re.IGNORECASE,
)
_CLICKHOUSE = re.compile(r"\bENGINE\s*=\s*\w*MergeTree\b|\bON\s+CLUSTER\b|\bMODIFY\s+ORDER\s+BY\b", re.IGNORECASE)
_SQLITE = re.compile(r"\bAUTOINCREMENT\b|^\s*PRAGMA\b", re.IGNORECASE | re.MULTILINE)
_TSQL = re.compile(r"^\s*GO\s*$|\[dbo\]|\bIDENTITY\s*\(\s*\d", re.IGNORECASE | re.MULTILINE)
_COPY_DATA = re.compile(r"^COPY\b[^;\n]{0,2000}\bFROM\s+stdin;\n(?:(?!\\\.$).*\n)*+\\\.$", re.IGNORECASE | re.MULTILINE)
_PLACEHOLDER = re.compile(r"\$\{[\w.:-]{1,80}\}")
"""What Flyway and others put in before they run a script."""
_COMMENT_MARK = re.compile(r"/\*|\*/")
_COMMENTS_LIMIT = 200
_META = re.compile(r"^\\.*$", re.MULTILINE)
_SKIP = re.compile(r"(?:\s+|--[^\n]*+|/\*(?:[^*]|\*(?!/))*+\*/)*+")
_SQLITE_OPTIONS = re.compile(r"\)(?:\s*,?\s*(?:WITHOUT\s+ROWID|STRICT)\b)+(?=\s*(?:;|$))", re.IGNORECASE)
"""Options of SQLite's tables, which the parser does not know and which change nothing about the columns."""


def dialect_of(text: str) -> str:
    """The dialect a script is written in, by words that occur in no other; "postgres" when nothing speaks against it."""
    head = text[:200_000]
    if _CLICKHOUSE.search(head):
        return "clickhouse"
    if _TSQL.search(head):
        return "tsql"
    if _SQLITE.search(head) or _SQLITE_OPTIONS.search(head):
        return "sqlite"
    return "mysql" if _MYSQL.search(head) else "postgres"


def read_sql(text: str, dialect: str = "") -> tuple[Operation, ...]:
    """The operations of a script in order; without a `dialect`, PostgreSQL's grammar is asked first and then `dialect_of`."""
    return read_script(text, dialect)[1]


def read_script(text: str, dialect: str = "") -> tuple[str, tuple[Operation, ...]]:
    """The dialect a script was read in, and its operations in order."""
    if len(text) > SIZE_LIMIT:
        return dialect, (Operation(UNREAD, 1, name="too large to be a structure script"),)
    if _comment_depth(text) > _COMMENTS_LIMIT:
        return dialect, (Operation(UNREAD, 1, name="comments nested deeper than people write them"),)
    from auditor.languages import postgres

    if dialect in {"", "postgres"}:
        text = _PLACEHOLDER.sub(lambda found: "public" if "schema" in found[0].lower() else "placeholder", text)
        cleaned = _without_data(text)
        chosen = dialect or ("postgres" if postgres.accepts(cleaned) else dialect_of(text))
        if chosen == "postgres":
            return "postgres", tuple(_read_postgres(cleaned))
    chosen = dialect or dialect_of(text)
    if chosen == "sqlite":
        text = _SQLITE_OPTIONS.sub(lambda found: ")" + "\n" * found[0].count("\n"), text)
    return chosen, tuple(_read_generic(text, chosen, 0))


def _comment_depth(text: str) -> int:
    """How deep block comments are nested: the scanner of PostgreSQL takes quadratic time over them."""
    depth = deepest = 0
    for found in _COMMENT_MARK.finditer(text):
        depth = depth + 1 if found[0] == "/*" else max(0, depth - 1)
        deepest = max(deepest, depth)
    return deepest


def _without_data(text: str) -> str:
    """The script without psql commands and inline COPY data, lines kept."""
    if "\\" not in text:
        return text
    text = _COPY_DATA.sub(lambda found: "\n" * found[0].count("\n"), text)
    return _META.sub("", text)


class _Lines:
    """Line numbers of byte offsets, at the first character of a statement that is neither white space nor comment."""

    def __init__(self, text: str) -> None:
        self.data = text.encode("utf-8", "replace")
        self._starts = [0, *(found.end() for found in re.finditer(rb"\n", self.data))]

    def at(self, offset: int, length: int) -> int:
        statement = self.data[offset : offset + length if length else None][:20_000].decode("utf-8", "replace")
        skipped = _SKIP.match(statement)
        inside = len(statement[: skipped.end()].encode()) if skipped else 0
        return bisect_right(self._starts, offset + inside)


def _read_postgres(text: str) -> Iterator[Operation]:
    from auditor.languages import postgres

    lines = _Lines(text)
    for offset, length, statement in postgres.statements(text):
        line = lines.at(offset, length)
        if statement is None:
            piece = lines.data[offset : offset + length].decode("utf-8", "replace")
            yield from _read_generic(piece, "", line - 1 - _first_line(piece))
            continue
        yield from postgres.operations(statement, line)


def _first_line(piece: str) -> int:
    """Line breaks before the first word of a piece."""
    skipped = _SKIP.match(piece)
    return piece.count("\n", 0, skipped.end()) if skipped else 0


def _read_generic(text: str, dialect: str, shift: int) -> Iterator[Operation]:
    from auditor.languages import generic_sql

    for operation in generic_sql.operations(text, dialect):
        yield operation if not shift else _moved(operation, shift)


def _moved(operation: Operation, shift: int) -> Operation:
    return replace(operation, line=operation.line + shift)


def read_query(text: str, dialects: tuple[str, ...]) -> tuple[QueryName, ...] | None:
    """The tables and columns a query text names, `{}` for what the code puts in; None when no dialect reads it."""
    from auditor.languages import query_names

    return query_names.names_of(text, dialects)
