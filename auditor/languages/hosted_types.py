"""Reads the types that Supabase generates of a database: `Database["public"]["Tables"]["orders"]["Row"]`. The file is a picture of the structure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import tree_sitter

from auditor.languages.tree import Grammar, encoded, line_of, parse, text_of

_SIGNS = re.compile(r"\bTables\s*:\s*\{[\s\S]{0,2000}?\bRow\s*:\s*\{")
_LIMIT = 4_000_000
_OBJECTS = frozenset({"object_type", "interface_body"})


@dataclass(frozen=True, slots=True)
class TypedTable:
    """One table or view of the types: its columns with the line each stands in."""

    name: str
    line: int
    columns: tuple[tuple[str, int], ...]


def is_types_of_a_database(text: str) -> bool:
    """Whether a text may be such a file."""
    return len(text) < _LIMIT and _SIGNS.search(text) is not None


def typed_tables(text: str) -> Iterator[TypedTable]:
    """Tables and views of the schema that a hosted API serves by itself ("public"); nothing for a file that is of another kind."""
    source = encoded(text)
    for declared in parse(Grammar.TYPESCRIPT, source).root_node.named_children:
        inner = declared.child_by_field_name("declaration") if declared.type == "export_statement" else declared
        if inner is None or inner.type not in {"type_alias_declaration", "interface_declaration"}:
            continue
        whole = inner.child_by_field_name("value") or inner.child_by_field_name("body")
        public = dict(_properties(whole, source)).get("public")
        for group in ("Tables", "Views"):
            for name, table in _properties(dict(_properties(public, source)).get(group), source):
                row = dict(_properties(table, source)).get("Row")
                if row is not None:
                    columns = tuple((column, line_of(node)) for column, node in _entries(row, source))
                    yield TypedTable(name, line_of(table), columns)


def _entries(node: tree_sitter.Node | None, source: bytes) -> Iterator[tuple[str, tree_sitter.Node]]:
    """(name, property) of an object type."""
    if node is None or node.type not in _OBJECTS:
        return
    for member in node.named_children:
        name = member.child_by_field_name("name") if member.type == "property_signature" else None
        if name is not None:
            yield text_of(name, source).strip("\"'"), member


def _properties(node: tree_sitter.Node | None, source: bytes) -> Iterator[tuple[str, tree_sitter.Node]]:
    """(name, type) of an object type."""
    for name, member in _entries(node, source):
        annotation = member.child_by_field_name("type")
        inner = annotation.named_children[0] if annotation is not None and annotation.named_children else None
        if inner is not None:
            yield name, inner
