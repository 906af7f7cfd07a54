"""The tables and columns that one query text names, by sqlglot; called by `auditor.languages.sql` alone.

Only what is certain: a column whose table is a subquery, a function or a hole belongs to nobody, one that several tables may have is said to belong to all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlglot
from sqlglot import expressions as exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.scope import Scope, traverse_scope

HOLE = "hole__"
"""What stands where the code puts something in."""
_LIMIT = 8_000
_PARAMETERS = re.compile(r"\{\{[^{}]{1,80}\}\}|\{\w+:[^{}]{1,80}\}|%\(\w+\)s|%s|(?<![:\w]):(?=\w)\w+|\$\d+|(?<![@\w])@\w+")
_CLAUSE = re.compile(r"^[ \t]*\{\}[ \t]*$", re.MULTILINE)
"""A hole on a line of its own is a whole clause: a join, a condition more."""
_SYSTEM = frozenset(
    {"rowid", "_rowid_", "oid", "ctid", "xmin", "xmax", "tableoid", "current_date", "current_timestamp", "current_time", "current_user"}
    | {"localtime", "localtimestamp", "session_user", "user", "default", "value", "true", "false", "rank", "row", "level", "sysdate", "rownum"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class QueryName:
    """A table (`column` "") or a column with the tables it may belong to; `writes`: rows of the table are added or changed by it."""

    tables: tuple[str, ...]
    column: str = ""
    writes: bool = False


def names_of(text: str, dialects: tuple[str, ...]) -> tuple[QueryName, ...] | None:
    """Every name of a query, each once; None when no dialect reads it."""
    if len(text) > _LIMIT:
        return None
    for marked, dialect in _attempts(text, dialects):
        try:
            statements = sqlglot.parse(marked, read=dialect)
            if not any(statement is None or isinstance(statement, exp.Command) for statement in statements):
                return tuple(dict.fromkeys(name for statement in statements for name in _Statement(statement, dialect).names()))
        except (SqlglotError, RecursionError, ValueError, AttributeError, KeyError, TypeError):
            continue
    return None


def _attempts(text: str, dialects: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """The text as each dialect may read it: holes as names first, then without those that are whole clauses."""
    marked = _PARAMETERS.sub("?", text.replace("{}", HOLE))
    bare = _PARAMETERS.sub("?", _CLAUSE.sub(" ", text).replace("{}", HOLE))
    yield from ((marked, dialect) for dialect in dialects)
    yield from ((bare, dialect) for dialect in dialects if bare != marked)


class _Statement:
    """One parsed statement."""

    def __init__(self, statement: Any, dialect: str) -> None:
        self._root = statement
        self._quoted_is_name = dialect == "postgres"
        self._named = frozenset(cte.alias.lower() for cte in statement.find_all(exp.CTE))

    def names(self) -> Iterator[QueryName]:
        root = self._root
        if isinstance(root, exp.Insert):
            yield from self._insert(root)
        elif isinstance(root, exp.Update):
            yield from self._update(root)
        elif isinstance(root, exp.Delete):
            yield from self._single(root, root.this, writes=True)
        elif isinstance(root, exp.Query):
            yield from self._scopes(root)

    def _insert(self, root: Any) -> Iterator[QueryName]:
        target = root.this
        table = self._plain(target.this if isinstance(target, exp.Schema) else target)
        if table is None:
            return
        yield QueryName((table,), writes=True)
        for column in target.expressions if isinstance(target, exp.Schema) else ():
            name = getattr(column, "name", "")
            if name and HOLE not in name:
                yield QueryName((table,), name, writes=True)
        if isinstance(root.expression, exp.Query):
            yield from self._scopes(root.expression)

    def _update(self, root: Any) -> Iterator[QueryName]:
        yield from self._single(root, root.this, writes=True)

    def _single(self, root: Any, target: Any, *, writes: bool) -> Iterator[QueryName]:
        """A statement over one table; with a second one (FROM, USING, a join) or a subquery its bare columns belong to nobody."""
        table = self._plain(target)
        if table is None:
            return
        yield QueryName((table,), writes=writes)
        inner = list(root.find_all(exp.Query))
        alone = not inner and not any(root.args.get(key) for key in ("from_", "from", "using")) and not target.args.get("joins")
        names = {table.lower(), (target.alias or table).lower()}
        for column in root.find_all(exp.Column):
            if any(column.find_ancestor(exp.Query) is query for query in inner):
                continue
            owner = column.table.lower()
            if self._speaks(column) and (owner in names or (not owner and alone)):
                yield QueryName((table,), column.name, writes=writes)
        for query in inner:
            if query.find_ancestor(exp.Query) is None:
                yield from (name for name in self._scopes(query) if not name.column or len(name.tables) == 1)

    def _scopes(self, query: Any) -> Iterator[QueryName]:
        for scope in traverse_scope(query):
            for source in scope.sources.values():
                table = self._plain(source) if isinstance(source, exp.Table) else None
                if table is not None:
                    yield QueryName((table,))
            aliases = {alias.alias.lower() for alias in scope.expression.find_all(exp.Alias)}
            for column in scope.columns:
                if column.find_ancestor(exp.Query) is not scope.expression:
                    continue  # of a query inside, where it is asked again
                owners = self._owners(column, scope)
                if owners and self._speaks(column) and not (column.name.lower() in aliases and not column.table):
                    yield QueryName(owners, column.name)

    def _owners(self, column: Any, scope: Scope) -> tuple[str, ...]:
        """The tables a column may belong to; empty where one of the candidates is no plain table, or the query hangs on one around it."""
        if column.table:
            source = next((found for name, found in scope.sources.items() if name.lower() == column.table.lower()), None)
            table = self._plain(source) if isinstance(source, exp.Table) else None
            return (table,) if table is not None else ()
        if scope.expression.find_ancestor(exp.Lateral) is not None:
            return ()  # it sees the tables beside it
        outer: Scope | None = scope
        found: list[str] = []
        while outer is not None:
            for name, source in outer.sources.items():
                table = self._plain(source) if isinstance(source, exp.Table) else None
                if table is None or name.lower() == column.name.lower():
                    return ()
                found.append(table)
            outer = outer.parent if outer.is_subquery else None  # only a subquery sees the tables around it
        return tuple(dict.fromkeys(found))

    def _plain(self, table: Any) -> str | None:
        """The name of a table of this database's own schema; None for a hole, a function, another schema, or a name the query itself gives."""
        if not isinstance(table, exp.Table) or not isinstance(table.this, exp.Identifier):
            return None
        name = table.name
        if HOLE in name or not name or name.lower() in self._named or (table.db or "public").lower() not in {"public", "main", "dbo"}:
            return None
        return str(name)

    def _speaks(self, column: Any) -> bool:
        """Whether a column is surely one: not a hole, a word of the dialect, or a text in the wrong quotes."""
        name = column.name
        quoted = isinstance(column.this, exp.Identifier) and column.this.args.get("quoted")
        if not name or isinstance(column.this, exp.Star) or HOLE in name or HOLE in column.table:
            return False
        return name.lower() not in _SYSTEM and not (quoted and not self._quoted_is_name)
