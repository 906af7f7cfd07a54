"""Models of Prisma schema files. Part of the evidence STORES.

A schema file is read line by line: one field or attribute stands on one line by the grammar of the language.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from auditor.model.tables import Column, Table
from auditor.model.verdict import Place

_BLOCK = re.compile(r"^[ \t]*(model|enum)[ \t]+(\w+)[ \t]*\{", re.MULTILINE)
_END = re.compile(r"^[ \t]*\}", re.MULTILINE)
_FIELD = re.compile(r"^[ \t]*(\w+)[ \t]+(\w+)(\[\])?(\?)?([^\n]*)$", re.MULTILINE)
_MAP = re.compile(r"@map\(\s*(?:name:\s*)?\"([^\"]+)\"")
_TABLE_MAP = re.compile(r"@@map\(\s*(?:name:\s*)?\"([^\"]+)\"")
_RELATION = re.compile(r"@relation\([^)]*\bfields:\s*\[([^\]]*)\]")
_CASCADES = re.compile(r"\bonDelete:\s*Cascade\b")
_GROUP = re.compile(r"@@(unique|index|id|fulltext)\(\s*(?:fields:\s*)?\[([^\]]*)\]")
_KEY_NAME = re.compile(r"@@(?:unique|id)\([^\n]*?\bname:\s*\"(\w+)\"")
_DEFAULT = re.compile(r"@default\(([^\n]{0,120})\)")
_PROVIDER = re.compile(r"datasource\s+\w+\s*\{[^}]{0,2000}?provider\s*=\s*(?:\[\s*)?\"(\w+)\"")
_RELATION_MODE = re.compile(r"^\s*relationMode\s*=\s*\"prisma\"", re.MULTILINE)
_LIMIT = 2_000_000


@dataclass(frozen=True, slots=True)
class _Block:
    path: str
    name: str
    line: int
    body: str


def provider(text: str) -> str:
    """The database a schema is for, "" when it names none."""
    found = _PROVIDER.search(text[:200_000])
    return found[1] if found else ""


def relation_mode(path: str, text: str) -> Place | None:
    """Where a schema keeps its relations out of the database."""
    found = _RELATION_MODE.search(text[:200_000])
    line = text.count("\n", 0, found.end()) + 1 if found else 0
    return Place(path, line, line) if found else None


def prisma_tables(schemas: Iterable[tuple[str, str]]) -> Iterator[Table]:
    """The models of all schema files (path, text); relations lead from one file to another."""
    blocks = _blocks(schemas)
    models = frozenset(block.name for block in blocks["model"])
    enums = frozenset(block.name for block in blocks["enum"])
    for block in blocks["model"]:
        yield _table(block, models, enums)


def prisma_models(schemas: Iterable[tuple[str, str]]) -> Iterator[tuple[str, Place, dict[str, str]]]:
    """Each model with all its fields, relations included, and the name of each field's type; names given to keys over several fields have the type ""."""
    for block in _blocks(schemas)["model"]:
        fields = {found[1]: found[2] for found in _FIELD.finditer(block.body)}
        named = dict.fromkeys(_KEY_NAME.findall(block.body), "")
        joined = {"_".join(_names(group[2])): "" for group in _GROUP.finditer(block.body)}
        yield block.name, Place(block.path, block.line, block.line), {**named, **joined, **fields}


def _blocks(schemas: Iterable[tuple[str, str]]) -> dict[str, list[_Block]]:
    """The blocks of all files by kind."""
    blocks: dict[str, list[_Block]] = {"model": [], "enum": []}
    for path, text in schemas:
        ends = [end.start() for end in _END.finditer(text[:_LIMIT])]
        for found in _BLOCK.finditer(text[:_LIMIT]):
            place = bisect_right(ends, found.end())
            body = re.sub(r"//[^\n]*", "", text[found.end() : ends[place]]) if place < len(ends) else ""
            blocks[found[1]].append(_Block(path, found[2], text.count("\n", 0, found.start(2)) + 1, body))
    return blocks


def _table(block: _Block, models: frozenset[str], enums: frozenset[str]) -> Table:
    columns: list[Column] = []
    keys: dict[str, str] = {}
    cascading: set[str] = set()
    for field in _FIELD.finditer(block.body):
        name, kind, many, optional, rest = field[1], field[2], bool(field[3]), bool(field[4]), field[5]
        if kind in models or "@relation" in rest:
            relation = _RELATION.search(rest)
            held = _names(relation[1]) if relation else []
            keys.update(dict.fromkeys(held, kind))
            cascading.update(held if _CASCADES.search(rest) else ())
        elif "@ignore" not in rest:
            line = block.line + block.body.count("\n", 0, field.start(1))
            columns.append(_column(name, kind + ("[]" if many else ""), rest, optional=optional, limited=kind in enums, line=line))
    mapped = {column.attribute: column.name for column in columns if column.attribute}
    uniques: list[tuple[str, ...]] = []
    indexes: list[tuple[str, ...]] = []
    for group in _GROUP.finditer(block.body):
        names = tuple(mapped.get(name, name) for name in _names(group[2]))
        (uniques if group[1] in {"unique", "id"} else indexes).append(names)
    primary = {name for group in _GROUP.finditer(block.body) if group[1] == "id" for name in _names(group[2])}
    columns = [
        replace(
            column,
            references=keys.get(column.attribute or column.name, ""),
            cascades=(column.attribute or column.name) in cascading,
            primary=column.primary or (column.attribute or column.name) in primary,
        )
        for column in columns
    ]
    table = _TABLE_MAP.search(block.body)
    place = Place(block.path, block.line, block.line)
    return Table(block.name, table[1] if table else block.name, place, "prisma", tuple(columns), tuple(uniques), tuple(indexes))


def _column(name: str, kind: str, rest: str, *, optional: bool, limited: bool, line: int) -> Column:
    renamed = _MAP.search(rest)
    default = _DEFAULT.search(rest)
    key = re.search(r"@id\b", rest) is not None
    return Column(
        name=renamed[1] if renamed else name,
        line=line,
        type=kind.lower(),
        null=optional,
        primary=key,
        unique=key or re.search(r"@unique\b", rest) is not None,
        limited=limited or kind == "Boolean",
        zoned=True if kind == "DateTime" else None,  # the client writes and reads UTC
        default=default[1] if default else "now" if "@updatedAt" in rest else "",
        attribute=name if renamed else "",
    )


def _names(text: str) -> list[str]:
    """Field names of a list; `(sort: Desc)` and the like are left out."""
    return re.findall(r"(?:^|,)\s*(\w+)", re.sub(r"\([^)]*\)", "", text))
