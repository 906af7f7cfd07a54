"""Takes functions of a useful size out of repositories, with the statements and names a mutation may touch."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import tree_sitter

from auditor.languages.tree import Grammar, parse
from auditor.model.snapshot import Language, Role
from auditor.snapshot import read_tree

SHORTEST, LONGEST = 10, 60
_STATEMENTS = 6
_FUNCTIONS = {"function_definition", "function_declaration", "method_definition"}
SIMPLE = {
    "assert_statement",
    "expression_statement",
    "lexical_declaration",
    "raise_statement",
    "return_statement",
    "throw_statement",
    "variable_declaration",
}
GRAMMARS = {"py": Grammar.PYTHON, "ts": Grammar.TYPESCRIPT}
_LANGUAGES = {Language.PYTHON: "py", Language.TYPESCRIPT: "ts"}


@dataclass(frozen=True, slots=True)
class Function:
    """One function: the repository it is of, its language ("py", "ts"), and its text without the indentation of its place."""

    origin: str
    language: str
    text: str


def functions_of(tree: Path) -> list[Function]:
    """The functions of 10 to 60 lines with six simple statements or more in the production code of a tree."""
    reading = read_tree(tree)
    found = []
    for file in reading.snapshot.with_role(Role.FIRST_PARTY):
        language = _LANGUAGES.get(file.language)
        if language is not None:
            source = reading.texts[file.path].encode()
            found += [Function(tree.name, language, text) for text in _texts(source, language)]
    return found


def _texts(source: bytes, language: str) -> Iterator[str]:
    for node in walk(parse(GRAMMARS[language], source).root_node):
        lines = node.end_point[0] - node.start_point[0] + 1
        if node.type in _FUNCTIONS and SHORTEST <= lines <= LONGEST and not node.has_error and len(simple_statements(node)) >= _STATEMENTS:
            start = source.rfind(b"\n", 0, node.start_byte) + 1
            yield textwrap.dedent(source[start : node.end_byte].decode()) + "\n"


def walk(node: tree_sitter.Node) -> Iterator[tree_sitter.Node]:
    """A node and everything below it, in the order of the text."""
    yield node
    for child in node.named_children:
        yield from walk(child)


def simple_statements(node: tree_sitter.Node) -> list[tree_sitter.Node]:
    """The statements below a node that hold no other statement's block, docstrings left out."""
    return [
        each
        for each in walk(node)
        if each.type in SIMPLE
        and not any(below.type in {"block", "statement_block"} for below in walk(each))
        and not (each.named_child_count == 1 and each.named_children[0].type == "string")
    ]
