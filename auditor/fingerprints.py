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
from auditor.model.evidence import CloneFamily, Fragment
from auditor.model.report import Copy
from auditor.model.snapshot import Language
from auditor.model.verdict import Finding, Outcome

FORMAT = 2
"""Raised when equal code gets another fingerprint: a baseline of another format cannot be compared."""

GRAMMARS = {
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
COPIES, COPIED = "debt.no-duplication", "copied-block"
"""Item and rule under which copies are compared, place by place."""
_SUBSTANCE = 100
"""Tokens from which a copy is worth a word, about ten lines; tokens, because a formatter changes lines."""
_STEP, _SHARE = 3, 0.3
"""A copy is looked at every third line, and belongs to the definitions that hold this share of it."""
_LINES = 6
"""Lines looked at where there is no grammar."""


@dataclass(frozen=True, slots=True)
class Place:
    """What stands at a line: `symbol` is the name of the definition around it ("" at the top of a file), `code` the code without its form."""

    symbol: str = ""
    code: str = ""


def identified(outcomes: Iterable[Outcome], texts: Mapping[str, str], most: int) -> list[Outcome]:
    """The outcomes with fingerprints on their first `most` findings; the others are dropped, and so is what two detectors say of one statement."""
    kept = [(outcome, outcome.findings[:most]) for outcome in outcomes]
    places = _places((finding for _, findings in kept for finding in findings), texts)
    return [_numbered(outcome, findings, places) for outcome, findings in kept]


def copies(families: Iterable[CloneFamily], texts: Mapping[str, str]) -> tuple[Copy, ...]:
    """Every place of a family beyond its first, one for each definition it reaches into, in path order."""
    wanted: defaultdict[str, list[tuple[Fragment, Fragment]]] = defaultdict(list)
    for family in families:
        if family.tokens >= _SUBSTANCE:
            for fragment in family.fragments[1:]:
                wanted[fragment.path].append((fragment, family.fragments[0]))
    found: dict[tuple[str, str], Copy] = {}
    for path, pairs in sorted(wanted.items()):
        reader = Reader(path, texts.get(path, ""))
        for fragment, first in pairs:
            for symbol, lines in reader.definitions(fragment).items():
                line = lines[0]
                code = "" if symbol else reader.place(line, line).code
                base = _base(COPIES, Finding(COPIED, path, "", line), Place(symbol, code))
                found.setdefault((path, base), Copy(path, line, len(lines) * _STEP, base, first.path, first.line))
    counts: Counter[str] = Counter()
    numbered = []
    for copy in sorted(found.values(), key=lambda one: (one.path, one.line, one.fingerprint)):
        counts[copy.fingerprint] += 1
        number = counts[copy.fingerprint]
        numbered.append(copy if number == 1 else replace(copy, fingerprint=f"{copy.fingerprint}-{number}"))
    return tuple(numbered)


def base_of(fingerprint: str) -> str:
    """The fingerprint without its number among equal ones."""
    return fingerprint.partition("-")[0]


def loose_of(fingerprint: str) -> str:
    """The part that stays when the code inside a named definition is changed."""
    return fingerprint[:_LOOSE]


_LOOSE, _WHOLE = 10, 20


def of_item(item: str) -> str:
    """The fingerprint of an item that is open without a place."""
    return named_fingerprint(item)


def named_fingerprint(*names: str) -> str:
    """The fingerprint of what is known by names alone."""
    return _digest(*names)[:_WHOLE]


def _numbered(outcome: Outcome, findings: tuple[Finding, ...], places: Mapping[tuple[str, int, int], Place]) -> Outcome:
    seen: defaultdict[str, list[Finding]] = defaultdict(list)
    done = []
    for finding in findings:
        base = _base(outcome.id, finding, places.get((finding.path, finding.line, finding.end_line), Place()))
        if any(_same_seen_twice(finding, other) for other in seen[base]):
            continue
        seen[base].append(finding)
        number = len(seen[base])
        done.append(replace(finding, fingerprint=base if number == 1 else f"{base}-{number}"))
    return replace(outcome, findings=tuple(done))


def _same_seen_twice(one: Finding, other: Finding) -> bool:
    """Whether two detectors report one statement that is written over several lines, each at a line of its own."""
    overlap = one.line <= max(other.line, other.end_line) and other.line <= max(one.line, one.end_line)
    return one.path == other.path and one.detector != other.detector and bool(one.line) and overlap


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
        reader = Reader(path, text)
        found.update({(path, line, end): reader.place(line, end) for line, end in sorted(spans)})
    return found


class Reader:
    """One file, and its syntax tree where there is a grammar: what stands at a line, and how far it reaches."""

    def __init__(self, path: str, text: str) -> None:
        self._lines = text.split("\n")
        self._root: tree_sitter.Node | None = None
        language = role_by_path(path)[0]
        if language in GRAMMARS:
            self._parse(GRAMMARS[language], text)
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
        leaf = self._leaf(line)
        if leaf is not None:
            return Place(_symbol(leaf, self._source), self._code(leaf))
        shown = self._lines[line - 1 : max(line, min(end, line + _LINES - 1))]
        return Place("", "".join("".join(shown).replace('"', "").replace("'", "").split()))

    def reach(self, line: int) -> tuple[int, int]:
        """First and last line of the statement at a line, of a definition its decorators and header, of mark-up the tag; the line alone where it is long or unknown."""
        leaf = self._leaf(line)
        if leaf is None:
            return line, line
        statement, small = _statement(leaf)
        _, rows = _tokens(small if small is not None and small.type.startswith("jsx_") else statement, self._source)
        first, last = min(rows, default=line - 1) + 1, max(rows, default=line - 1) + 1
        return (first, last) if first <= line <= last and last - first < _LONG_STATEMENT else (line, line)

    def definitions(self, fragment: Fragment) -> dict[str, list[int]]:
        """The names of the definitions a stretch of the file reaches into by some lines, each with the lines looked at (every third)."""
        found: defaultdict[str, list[int]] = defaultdict(list)
        for line in range(fragment.line, min(fragment.end_line, len(self._lines)) + 1, _STEP):
            if self._lines[line - 1].strip():
                found[self.place(line, line).symbol].append(line)
        looked = sum(len(lines) for lines in found.values())
        return {symbol: lines for symbol, lines in found.items() if len(lines) >= _SHARE * looked}

    def _leaf(self, line: int) -> tree_sitter.Node | None:
        """The first node of a line, None where there is no grammar, no line or no code in it."""
        if self._root is None or not 1 <= line <= len(self._code_lines):
            return None
        text = self._code_lines[line - 1]
        if not text.strip():
            return None
        column = len(text[: len(text) - len(text.lstrip())].encode("utf-8", "replace"))
        leaf = self._root.descendant_for_point_range((line - 1, column), (line - 1, column + 1))
        return None if leaf is None or leaf.type in _BLOCKS else leaf

    def _code(self, leaf: tree_sitter.Node) -> str:
        statement, small = _statement(leaf)
        tokens, rows = _tokens(statement, self._source)
        if len(rows) > _LONG_STATEMENT and small is not None:
            tokens, _ = _tokens(small, self._source)
        return "\x1f".join(tokens)


def _statement(leaf: tree_sitter.Node) -> tuple[tree_sitter.Node, tree_sitter.Node | None]:
    """The statement a node stands in, and the innermost part of it that can be taken alone where it is long."""
    statement, small = leaf, None
    node: tree_sitter.Node | None = leaf
    while node is not None:
        statement = node
        if node.type in _CLAUSES or (node.parent is not None and node.parent.type in _BLOCKS):
            break
        if small is None and node.type in _SMALL:
            small = node
        node = node.parent
    return statement, small


def _tokens(unit: tree_sitter.Node, source: bytes) -> tuple[list[str], set[int]]:
    """The words of a statement without white space, quotes, commas and brackets, bodies left out; and the rows they stand on, from 0."""
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
    return found, rows


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
