"""Changes a function the way people who copy code do: its layout, its names and literals, some of its statements.

Every mutation takes and gives text; a seeded generator decides, so that a run can be repeated.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable

import tree_sitter

from auditor.languages.tree import parse
from benchmarks.clones.functions import GRAMMARS, Function, simple_statements, walk

Mutation = Callable[[Function, list[Function], random.Random], str]
_Edit = tuple[int, int, str]

_WORDS = [
    "account",
    "basket",
    "camera",
    "delivery",
    "engine",
    "folder",
    "garden",
    "harbour",
    "invoice",
    "journey",
    "kitchen",
    "ladder",
    "market",
    "needle",
    "orchard",
    "parcel",
    "quarry",
    "river",
    "saddle",
    "ticket",
]


def layout(function: Function, _others: list[Function], chance: random.Random) -> str:
    """The same tokens with other line breaks, comments and empty lines."""
    mark = "#" if function.language == "py" else "//"
    edits: list[_Edit] = []
    for node in walk(_root(function.text, function.language)):
        if node.type in {"argument_list", "arguments", "parameters", "formal_parameters"} and node.named_child_count > 1:
            if not any(child.type == "comment" for child in node.children):
                edits += [(child.end_byte, child.end_byte, "\n        ") for child in node.children if child.type == ","]
        elif node.type in {"expression_statement", "return_statement", "if_statement", "for_statement"} and chance.random() < 0.4:
            start = function.text.encode().rfind(b"\n", 0, node.start_byte) + 1
            if not function.text.encode()[start : node.start_byte].strip():
                edits.append((start, start, f"\n{' ' * node.start_point[1]}{mark} {chance.choice(_WORDS)} {chance.choice(_WORDS)}\n"))
    return _apply(function.text, edits)


def renamed(function: Function, _others: list[Function], chance: random.Random) -> str:
    """Every name the function binds itself gets another one, everywhere; every literal another value."""
    root = _root(function.text, function.language)
    names = _bound(root)
    fresh = {name: f"{chance.choice(_WORDS)}_{number}" for number, name in enumerate(sorted(names))}
    edits: list[_Edit] = []
    for node in walk(root):
        text = _text(node)
        if node.type in {"identifier", "shorthand_property_identifier_pattern"} and text in fresh and not _is_attribute(node):
            edits.append((node.start_byte, node.end_byte, fresh[text]))
        elif node.type == "shorthand_property_identifier" and text in fresh:
            edits.append((node.start_byte, node.end_byte, f"{text}: {fresh[text]}"))
        elif node.type in {"integer", "number"}:
            edits.append((node.start_byte, node.end_byte, str(chance.randrange(2, 900))))
        elif node.type in {"string_content", "string_fragment"} and not node.named_children:
            edits.append((node.start_byte, node.end_byte, f"{chance.choice(_WORDS)} {chance.choice(_WORDS)}"))
    return _apply(function.text, edits)


def changed(share: float) -> Mutation:
    """A mutation that deletes, replaces or adds this share of the simple statements, with statements of other functions."""

    def change(function: Function, others: list[Function], chance: random.Random) -> str:
        statements = simple_statements(_root(function.text, function.language))
        wanted = max(1, round(share * len(statements)))
        edits: list[_Edit] = []
        for node in chance.sample(statements, min(wanted, len(statements))):
            kind = chance.choice(("delete", "replace", "insert"))
            alone = node.parent is not None and len(node.parent.named_children) == 1
            foreign = _foreign(others, chance)
            if kind == "insert":
                edits.append((node.end_byte, node.end_byte, f"\n{' ' * node.start_point[1]}{foreign}"))
            else:
                edits.append((node.start_byte, node.end_byte, "" if kind == "delete" and not alone else foreign))
        return _apply(function.text, edits)

    return change


def both(first: Mutation, second: Mutation) -> Mutation:
    """One mutation after the other."""

    def change(function: Function, others: list[Function], chance: random.Random) -> str:
        return second(Function(function.origin, function.language, first(function, others, chance)), others, chance)

    return change


def scrambled(function: Function, others: list[Function], chance: random.Random) -> str:
    """The shape alone: each occurrence of a name becomes another function's name. No copy, however alike it looks."""
    pool = [name for other in chance.sample(others, 8) for name in re.findall(r"\b[a-z_]\w{2,}\b", other.text)]
    edits = [
        (node.start_byte, node.end_byte, chance.choice(pool))
        for node in walk(_root(function.text, function.language))
        if node.type in {"identifier", "property_identifier", "shorthand_property_identifier", "shorthand_property_identifier_pattern"}
    ]
    return _apply(function.text, edits)


COPIES: dict[str, Mutation] = {
    "layout": layout,
    "renamed": both(renamed, layout),
    "12 % changed": changed(0.12),
    "12 % changed, renamed": both(changed(0.12), renamed),
    "30 % changed": changed(0.30),
    "30 % changed, renamed": both(changed(0.30), renamed),
}


def shape(function: Function) -> frozenset[tuple[str, ...]]:
    """Runs of five tokens with all names and literals made equal."""
    tokens = re.findall(r"\"[^\"\n]*\"|'[^'\n]*'|\w+|[^\s\w]", function.text)
    plain = tuple(
        "N" if token[0].isalpha() and len(token) > 2 and token not in _KEPT else "L" if token[0] in "\"'" else token for token in tokens
    )
    return frozenset(plain[start : start + 5] for start in range(len(plain) - 4))


_KEPT = frozenset(
    [
        "def",
        "return",
        "for",
        "while",
        "with",
        "try",
        "except",
        "raise",
        "else",
        "elif",
        "not",
        "and",
        "const",
        "let",
        "function",
        "await",
        "async",
        "throw",
        "new",
        "catch",
        "typeof",
        "yield",
        "import",
    ]
)


def _root(text: str, language: str) -> tree_sitter.Node:
    return parse(GRAMMARS[language], text.encode()).root_node


def _bound(root: tree_sitter.Node) -> set[str]:
    """Names of the function, its parameters and what it assigns to."""
    found: set[str] = set()
    for node in walk(root):
        target = None
        if node.type in {"assignment", "augmented_assignment", "for_statement", "for_in_statement", "for_in_clause"}:
            target = node.child_by_field_name("left")
        elif node.type in {"variable_declarator", "function_definition", "function_declaration"}:
            target = node.child_by_field_name("name")
        elif node.type in {"parameters", "formal_parameters", "lambda_parameters", "as_pattern_target"}:
            target = node
        if target is not None and target.type not in {"attribute", "subscript", "member_expression", "subscript_expression"}:
            found |= {
                _text(each)
                for each in walk(target)
                if each.type in {"identifier", "shorthand_property_identifier_pattern"} and not _is_attribute(each) and not _in_type(each)
            }
    return found - {"self", "cls", "this"}


def _is_attribute(node: tree_sitter.Node) -> bool:
    """Whether an identifier names something of another object: an attribute or a keyword argument."""
    parent = node.parent
    if parent is None:
        return False
    if parent.type == "attribute":
        return parent.child_by_field_name("attribute") == node
    return parent.type == "keyword_argument" and parent.child_by_field_name("name") == node


def _in_type(node: tree_sitter.Node) -> bool:
    parent = node.parent
    while parent is not None and parent.type not in {"parameters", "formal_parameters"}:
        if parent.type in {"type", "type_annotation"}:
            return True
        parent = parent.parent
    return False


def _foreign(others: list[Function], chance: random.Random) -> str:
    """A statement of one line from another function."""
    while True:
        other = chance.choice(others)
        texts = [_text(node) for node in simple_statements(_root(other.text, other.language))]
        short = [text for text in texts if "\n" not in text]
        if short:
            return chance.choice(short)


def _text(node: tree_sitter.Node) -> str:
    return node.text.decode() if node.text else ""


def _apply(text: str, edits: list[_Edit]) -> str:
    source, last = text.encode(), len(text.encode()) + 1
    for start, end, new in sorted(edits, reverse=True):
        if end <= last:
            source = source[:start] + new.encode() + source[end:]
            last = start
    return source.decode()
