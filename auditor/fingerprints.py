"""What a finding is recognised by in the next audit: its item and rule, the definition it stands in and the code there, never the line.

Neither the path nor white space, quotes, commas and brackets count, so that a moved function, a renamed file and reformatted code keep their
fingerprints. Equal ones of one item are numbered: two identical findings stay two. What belongs to which is decided in `auditor.matching`.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import tree_sitter

from auditor.catalogue import catalogue
from auditor.classify import role_by_path
from auditor.languages.script_components import read_component
from auditor.languages.tree import Grammar, encoded, parse
from auditor.model.snapshot import Language
from auditor.model.verdict import Finding, Outcome

FORMAT = 2
"""Raised when equal code gets another fingerprint: a baseline of another format cannot be compared."""

_GRAMMARS = {
    Language.PYTHON: Grammar.PYTHON,
    Language.JAVASCRIPT: Grammar.JAVASCRIPT,
    Language.TYPESCRIPT: Grammar.TYPESCRIPT,
    Language.TSX: Grammar.TSX,
}
_COMPONENTS = frozenset({Language.VUE, Language.SVELTE})
_BLOCKS = frozenset({"module", "program", "block", "statement_block", "class_body", "switch_body", "object_type", "interface_body"})
_CLAUSES = frozenset(
    {"except_clause", "finally_clause", "else_clause", "elif_clause", "case_clause", "catch_clause", "switch_case", "switch_default"}
)
_SMALL = frozenset(
    {"pair", "keyword_argument", "call", "call_expression", "jsx_opening_element", "jsx_self_closing_element", "jsx_attribute"}
)
_DEFINITIONS = frozenset(
    {
        "function_definition", "class_definition", "function_declaration", "generator_function_declaration", "class_declaration",
        "abstract_class_declaration", "method_definition", "interface_declaration", "function_expression",
    }
)  # fmt: skip
_FUNCTIONS = frozenset({"arrow_function", "function_expression", "function", "lambda"})
_IGNORED = frozenset({"comment", ",", ";", "(", ")", '"', "'", "`", "string_start", "string_end", "line_continuation", "\\"})
_LONG_STATEMENT = 40
"""Lines from which a statement is no longer taken as one place: a page's mark-up, a table of settings."""
_TOKENS = 400
_LINES = 6
"""Lines looked at where there is no grammar."""


@dataclass(frozen=True, slots=True)
class Place:
    """What stands at a line: `symbol` is the name of the definition around it ("" at the top of a file), `code` the code without its form."""

    symbol: str = ""
    code: str = ""


def identified(outcomes: Iterable[Outcome], texts: Mapping[str, str], most: int) -> list[Outcome]:
    """The outcomes with fingerprints on their first `most` findings; the others are dropped."""
    kept = [(outcome, outcome.findings[:most]) for outcome in outcomes]
    places = _places((finding for _, findings in kept for finding in findings), texts)
    return [_numbered(outcome, findings, places) for outcome, findings in kept]


def base_of(fingerprint: str) -> str:
    """The fingerprint without its number among equal ones."""
    return fingerprint.partition("-")[0]


def loose_of(fingerprint: str) -> str:
    """The part that stays when the code inside a named definition is changed."""
    return fingerprint[:_LOOSE]


_LOOSE, _WHOLE = 10, 20


def of_item(item: str) -> str:
    """The fingerprint of an item that is open without a place."""
    return _digest(item, "", "")[:_LOOSE] + _digest(item)[: _WHOLE - _LOOSE]


def _numbered(outcome: Outcome, findings: tuple[Finding, ...], places: Mapping[tuple[str, int, int], Place]) -> Outcome:
    seen: Counter[str] = Counter()
    done = []
    for finding in findings:
        base = _base(outcome.id, finding, places.get((finding.path, finding.line, finding.end_line), Place()))
        seen[base] += 1
        done.append(replace(finding, fingerprint=base if seen[base] == 1 else f"{base}-{seen[base]}"))
    return replace(outcome, findings=tuple(done))


def _base(item: str, finding: Finding, place: Place) -> str:
    rule = catalogue().item(item).rule(finding.rule)
    once = rule is not None and rule.per != "place"
    symbol, code = ("", "") if once else (place.symbol, place.code)
    loose = _digest(item, finding.rule, symbol) if symbol else _digest(item, finding.rule, "", code)
    return loose[:_LOOSE] + _digest(item, finding.rule, symbol, code)[: _WHOLE - _LOOSE]


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x00".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def _places(findings: Iterable[Finding], texts: Mapping[str, str]) -> dict[tuple[str, int, int], Place]:
    """The place of each finding with a line; each file is parsed once and its tree dropped."""
    wanted: defaultdict[str, set[tuple[int, int]]] = defaultdict(set)
    for finding in findings:
        if finding.line:
            wanted[finding.path].add((finding.line, finding.end_line))
    found = {}
    for path, spans in wanted.items():
        text = texts.get(path, "")
        reader = _Reader(path, text)
        found.update({(path, line, end): reader.place(line, end) for line, end in sorted(spans)})
    return found


class _Reader:
    """One file, and its syntax tree where there is a grammar."""

    def __init__(self, path: str, text: str) -> None:
        self._lines = text.split("\n")
        self._root: tree_sitter.Node | None = None
        language = role_by_path(path)[0]
        if language in _GRAMMARS:
            self._parse(_GRAMMARS[language], text)
        elif language in _COMPONENTS:
            component = read_component(text, language)
            self._parse(component.grammar, component.script)

    def _parse(self, grammar: Grammar, text: str) -> None:
        self._source = encoded(text)
        self._tree = parse(grammar, self._source)
        self._root = self._tree.root_node
        self._code_lines = text.split("\n")

    def place(self, line: int, end: int) -> Place:
        """The place of a finding from `line` to `end`, counted from 1."""
        if not 1 <= line <= len(self._lines):
            return Place()
        if self._root is not None and line <= len(self._code_lines) and (text := self._code_lines[line - 1]).strip():
            column = len(text[: len(text) - len(text.lstrip())].encode("utf-8", "replace"))
            leaf = self._root.descendant_for_point_range((line - 1, column), (line - 1, column + 1))
            if leaf is not None and leaf.type not in _BLOCKS:
                return Place(_symbol(leaf, self._source), self._code(leaf))
        shown = self._lines[line - 1 : max(line, min(end, line + _LINES - 1))]
        return Place("", "".join("".join(shown).replace('"', "").replace("'", "").split()))

    def _code(self, leaf: tree_sitter.Node) -> str:
        statement, small = leaf, None
        node: tree_sitter.Node | None = leaf
        while node is not None:
            statement = node
            if node.type in _CLAUSES or (node.parent is not None and node.parent.type in _BLOCKS):
                break
            if small is None and node.type in _SMALL:
                small = node
            node = node.parent
        tokens, rows = _tokens(statement, self._source)
        if rows > _LONG_STATEMENT and small is not None:
            tokens, _ = _tokens(small, self._source)
        return "\x1f".join(tokens)


def _tokens(unit: tree_sitter.Node, source: bytes) -> tuple[list[str], int]:
    """The words of a statement without white space, quotes, commas and brackets, bodies left out; and the lines they stand on."""
    found: list[str] = []
    rows: set[int] = set()
    pending = [unit]
    while pending and len(found) < _TOKENS:
        node = pending.pop()
        if node.type in _IGNORED or (node.type in _BLOCKS and node is not unit):
            continue
        if node.child_count:
            pending.extend(reversed(node.children))
        elif text := "".join(source[node.start_byte : node.end_byte].decode("utf-8", "replace").split()):
            found.append(text)
            rows.add(node.start_point[0])
    return found, len(rows)


def _symbol(leaf: tree_sitter.Node, source: bytes) -> str:
    """The name of the innermost definition around a place; for a nameless function, that of the call it is handed to."""
    node: tree_sitter.Node | None = leaf
    while node is not None:
        name: tree_sitter.Node | None = None
        if node.type == "decorated_definition":
            inner = node.child_by_field_name("definition")
            name = inner.child_by_field_name("name") if inner is not None else None
        elif node.type in _DEFINITIONS:
            name = node.child_by_field_name("name")
        if name is None and node.type in _FUNCTIONS and node.parent is not None:
            label = _label(node.parent, source)
            if label:
                return label
        if name is not None:
            return _text(name, source)
        if node.type == "variable_declarator" and (value := node.child_by_field_name("value")) is not None and value.type in _FUNCTIONS:
            return _text(node.child_by_field_name("name"), source)
        node = node.parent
    return ""


def _label(parent: tree_sitter.Node, source: bytes) -> str:
    """What a nameless function is called by its place: the variable, the property, or the call with its first text."""
    if parent.type in {"variable_declarator", "public_field_definition"}:
        return _text(parent.child_by_field_name("name"), source)
    if parent.type == "pair":
        return _text(parent.child_by_field_name("key"), source)
    call = parent.parent
    if parent.type == "arguments" and call is not None and parent.named_children and parent.named_children[0].type == "string":
        return f"{_text(call.child_by_field_name('function'), source)} {_text(parent.named_children[0], source)}"
    return ""


def _text(node: tree_sitter.Node | None, source: bytes) -> str:
    return (
        "".join(source[node.start_byte : node.end_byte][:200].decode("utf-8", "replace").split()).strip("\"'`") if node is not None else ""
    )
