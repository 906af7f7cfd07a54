"""SQL texts that code hands to a database, read with the reader of scripts; shared by the readers of migrations written in code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from auditor.languages import flow_ir as ir
from auditor.languages import operations as ops
from auditor.languages.migration_expressions import HOLE, text_of
from auditor.languages.operations import Operation
from auditor.languages.sql import read_sql

_PERCENT = re.compile(r"%\((\w+)\)s|%s")
_COLON = re.compile(r"(?<![:\w]):(?=[A-Za-z_])\w+")
_QUESTION = re.compile(r"\?\??(?=[\s,);]|$)")
_ASSEMBLED = "a statement put together while it runs"


def sql_operations(value: ir.Expression | None, line: int, *, dialect: str = "", outside: bool = False) -> Iterator[Operation]:
    """What the SQL of an evaluated expression does; one `UNREAD` where its text does not show."""
    text = text_of(value)
    if text is None:
        yield Operation(ops.UNREAD, line, name=_ASSEMBLED)
        return
    if text.strip() in {"", HOLE}:
        if HOLE in text:
            yield Operation(ops.UNREAD, line, name=_ASSEMBLED)
        return
    start = value.line if isinstance(value, ir.Const | ir.Template) and "\n" in text else line
    for operation in _read(text, dialect):
        yield replace(operation, line=start + operation.line - 1, outside=outside)


def _read(text: str, dialect: str) -> tuple[Operation, ...]:
    """Bound values are written in ways of their drivers; a text that does not parse is tried again with constants in their places."""
    found = read_sql(text, dialect)
    if any(operation.kind == ops.UNREAD for operation in found):
        plain = _QUESTION.sub("1", _COLON.sub("1", _PERCENT.sub("1", text)))
        if plain != text:
            again = read_sql(plain, dialect)
            if not any(operation.kind == ops.UNREAD for operation in again):
                return again
    return found
