"""Facts of JavaScript, TypeScript, Vue and Svelte files. The reading itself is divided over the `script_*` modules beside this one."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import accumulate

import tree_sitter

from auditor.languages import script_calls, script_definitions, script_imports, script_statements
from auditor.languages.script_components import Component, read_component
from auditor.languages.script_globals import RUNES, is_global
from auditor.languages.script_tags import without_tag_types
from auditor.languages.script_walk import MODULE, Handle, Walk
from auditor.languages.tree import Grammar, encoded, error_line, parse
from auditor.model.snapshot import Language
from auditor.model.syntax import TEXT_LIMIT, Comment, Definition, FileFacts, Import, ImportKind, Reference

_HANDLERS: dict[str, Handle] = {
    **script_statements.HANDLERS,
    **script_definitions.HANDLERS,
    **script_calls.HANDLERS,
    **script_imports.HANDLERS,
}
_GRAMMARS = {Language.JAVASCRIPT: Grammar.JAVASCRIPT, Language.TYPESCRIPT: Grammar.TYPESCRIPT, Language.TSX: Grammar.TSX}
_COMMENTS = "(comment) @comment"
_IMPORT_CALLS = "(call_expression function: (import)) @call"
_TAG_TYPES = """
(binary_expression left: (binary_expression operator: "<") operator: ">" right: (template_string)) @tag
(call_expression function: (arrow_function body: (instantiation_expression)) arguments: (template_string)) @tag
"""
"""How the grammar reads the type arguments of a tagged template: as two comparisons, or as a call of the function around it."""
_MARKER = re.compile(r"^(?://+|/\*+!?|<!--|#!)\s*|\s*(?:\*+/|-->)$")
_STARS = re.compile(r"\s*\n\s*\*?\s*")
_PRAGMA = re.compile(r"@(?:jsx\w*\s+\S{1,80}|ts-nocheck|jest-environment\s+\S{1,80}|vitest-environment\s+\S{1,80}|flow)")
_DECLARED_GLOBALS = re.compile(r"^\s*(?:globals?|exported)\s+(.+)", re.DOTALL)


_GRAMMAR_GAPS: tuple[tuple[re.Pattern[bytes], bytes | Callable[[re.Match[bytes]], bytes]], ...] = (
    # an ampersand in the text of an element; between types and numbers `|` reads the same
    (re.compile(rb"(?<!&)&(?![&=#]|[A-Za-z]\w{0,20};)"), rb"|"),
    # two of them in the text of an element; a condition reads the same with `||`
    (re.compile(rb"&&"), rb"||"),
    # an imported type with brackets after it
    (re.compile(rb"(\bimport\([^()\n]{1,200}\)(?:\.\w{1,80}){1,5})\[\]"), rb"\1"),
    # a member of a type whose name is an operator or begins with one
    (re.compile(rb"(?m)^([ \t]{1,200})(?:in|instanceof)((?:_\w{0,80})?\??:|\()"), rb"\1_\2"),
    # a member of a type with the name of a modifier
    (re.compile(rb"(?<=[{;,\s])abstract(?=\??:)"), rb"abstract_"),
    # a call signature that only a line break ends, before another one with type parameters
    (re.compile(rb"(?m)^([ \t]{1,200}\):[ \t]*[\w.\[\]|]{1,80})(\n[ \t]{1,200}<)"), rb"\1;\2"),
)
"""What the TypeScript grammar is known not to read, and how to write it otherwise on the same lines; used only where it fails."""
_TEMPLATE_TAG = re.compile(rb"<%[^%]{0,2000}%>|\{\{[^{}]{0,500}\}\}|\{%[^%]{0,500}%\}")
"""Tags of a template engine in a script that a server fills in."""
_COMPONENTS = frozenset({Language.VUE, Language.SVELTE})


def read_script(path: str, text: str, language: Language) -> FileFacts:
    """All facts of one script or component file."""
    component = read_component(text, language) if language in _COMPONENTS else None
    source = encoded(component.script if component is not None else text)
    grammar = component.grammar if component is not None else _GRAMMARS[language]
    tree = parse(grammar, source)
    if tree.root_node.has_error:
        source, grammar, tree = _second_try(source, grammar, tree)
    elif b">`" in source and grammar is not Grammar.JAVASCRIPT and _query(tree, grammar, _TAG_TYPES):
        source = without_tag_types(source)
        tree = parse(grammar, source)
    walk = Walk(source, language, _HANDLERS)
    walk.run(tree.root_node)
    if b"import(" in source:
        script_imports.type_imports(walk, _query(tree, grammar, _IMPORT_CALLS))
    return _facts(path, walk, tree, grammar, component)


def _second_try(source: bytes, grammar: Grammar, tree: tree_sitter.Tree) -> tuple[bytes, Grammar, tree_sitter.Tree]:
    """JavaScript that carries type annotations is read as TSX; what the TypeScript grammar is known not to read is written otherwise."""
    if b"<%" in source or b"{{" in source or b"{%" in source:
        filled = _TEMPLATE_TAG.sub(lambda tag: b"0" + b"\n" * tag[0].count(b"\n"), source)
        again = parse(grammar, filled)
        if not again.root_node.has_error:
            return filled, grammar, again
    if grammar is Grammar.JAVASCRIPT:
        typed = parse(Grammar.TSX, source)
        if not typed.root_node.has_error:
            return source, Grammar.TSX, typed
    written = without_tag_types(source)
    if written != source:
        again = parse(grammar, written)
        if not again.root_node.has_error:
            return written, grammar, again
    for pattern, replacement in _GRAMMAR_GAPS:
        written, count = pattern.subn(replacement, written)
        again = parse(grammar, written) if count else tree
        if not again.root_node.has_error:
            return written, grammar, again
    return source, grammar, tree


_queries: dict[tuple[Grammar, str], tree_sitter.Query] = {}


def _query(tree: tree_sitter.Tree, grammar: Grammar, text: str) -> list[tree_sitter.Node]:
    """Nodes that match a query with one capture, in source order."""
    query = _queries.get((grammar, text))
    if query is None:
        query = _queries[grammar, text] = tree_sitter.Query(tree.language, text)
    captures = tree_sitter.QueryCursor(query).captures(tree.root_node)
    return sorted((node for nodes in captures.values() for node in nodes), key=lambda node: node.start_byte)


def _facts(path: str, walk: Walk, tree: tree_sitter.Tree, grammar: Grammar, component: Component | None) -> FileFacts:
    nodes = _query(tree, grammar, _COMMENTS) if b"/*" in walk.source or b"//" in walk.source or b"<!--" in walk.source else []
    comments = [Comment(_comment_text(walk.source, node), node.start_point[0] + 1) for node in nodes]
    lines = _Lines(walk, nodes)
    pragmas = [found[0] for comment in comments[:40] for found in _PRAGMA.finditer(comment.text)]
    imports = [Import(module, (), ImportKind.IMPORT_TIME, line, MODULE) for module, line in component.sources] if component else []
    imports += _kinds(walk, grammar, component.words if component is not None else frozenset())
    broken = error_line(tree.root_node)
    scoped = walk.scoped and not broken
    elements = [*walk.elements, *(component.elements if component is not None else ())]
    return FileFacts(
        path=path,
        imports=tuple(sorted(imports, key=lambda entry: entry.line)),
        definitions=tuple(_definitions(walk, lines, nodes, comments)),
        calls=tuple(walk.calls),
        assignments=tuple(walk.assignments),
        handlers=tuple(walk.handlers),
        environment=tuple(walk.environment),
        literals=tuple(walk.literals),
        exports=tuple(walk.exports),
        comments=tuple(comments),
        raises=tuple(walk.raises),
        returns=tuple(walk.returns),
        loops=tuple(walk.loops),
        branches=tuple(walk.branches),
        directives=(*walk.directives, *pragmas),
        bound=tuple(walk.root.names),
        undefined=tuple(_undefined(walk, comments)) if scoped else (),
        elements=tuple(sorted(elements, key=lambda element: element.line)),
        controls=tuple(walk.controls),
        scoped=scoped,
        code_lines=lines.code[-1],
        error_line=broken,
    )


def _kinds(walk: Walk, grammar: Grammar, outside: frozenset[str]) -> list[Import]:
    """Imports with their kinds: TypeScript drops an import whose names are used as types only."""
    if grammar is Grammar.JAVASCRIPT or walk.language is Language.JAVASCRIPT:
        return walk.imports
    used = outside | walk.used_values() | walk.kept_types | walk.exported_values.keys()
    found: list[Import] = []
    for position, entry in enumerate(walk.imports):
        found.extend(_divided(entry, used) if position in walk.elidable else (entry,))
    return found


def _divided(entry: Import, used: frozenset[str]) -> Iterator[Import]:
    """The part of an import that is there at run time, and the part that only types need."""
    values = tuple((name, local) for name, local in entry.names if local in used or local in {"*", "React"})
    if entry.kind is not ImportKind.IMPORT_TIME or len(values) == len(entry.names):
        yield entry
        return
    types = tuple(pair for pair in entry.names if pair not in values)
    if values:
        yield replace(entry, names=values)
    yield replace(entry, names=types, kind=ImportKind.TYPE_ONLY)


# -- names -------------------------------------------------------------------------------------------------------------------------------


def _undefined(walk: Walk, comments: list[Comment]) -> Iterator[Reference]:
    known = walk.probed | _declared_globals(comments)
    svelte = walk.language is Language.SVELTE
    for name, line, definition in walk.free():
        if name in known or is_global(name):
            continue
        if svelte and name.startswith("$") and (name in RUNES or name.lstrip("$") in walk.root.names or name.startswith("$$")):
            continue
        yield Reference(name, line, definition)


def _declared_globals(comments: list[Comment]) -> set[str]:
    """Names that linter comments declare (`/* global $, app:writable */`)."""
    found: set[str] = set()
    for comment in comments:
        match = _DECLARED_GLOBALS.match(comment.text)
        if match:
            found.update(part.partition(":")[0].strip() for part in re.split(r"[,\s]+", match[1]))
    return found


# -- lines -------------------------------------------------------------------------------------------------------------------------------


def _comment_text(source: bytes, node: tree_sitter.Node) -> str:
    raw = source[node.start_byte : min(node.end_byte, node.start_byte + TEXT_LIMIT * 8)].decode("utf-8", "replace")
    return " ".join(_STARS.sub(" ", _MARKER.sub("", _MARKER.sub("", raw.strip()))).split())[:TEXT_LIMIT]


class _Lines:
    """How many lines hold code, only mark-up, or text of a long literal, counted from the start of the file."""

    def __init__(self, walk: Walk, comments: list[tree_sitter.Node]) -> None:
        plain = bytearray(walk.source)
        for node in comments:
            start, end = node.start_byte, node.end_byte
            breaks = plain.count(b"\n", start, end)
            plain[start:end] = b" " * (end - start - breaks) + b"\n" * breaks if breaks else b" " * (end - start)
        holds = [bool(line.strip()) for line in bytes(plain).split(b"\n")]
        self.code = list(accumulate(holds, initial=0))
        self.markup = list(accumulate((held and bool(mark) for held, mark in zip(holds, walk.markup_lines, strict=False)), initial=0))
        self.text = list(accumulate((held and bool(mark) for held, mark in zip(holds, walk.text_lines, strict=False)), initial=0))

    def within(self, counts: list[int], first: int, last: int) -> int:
        """The count of the lines from `first` to `last`, inclusive."""
        top = len(counts) - 1
        return counts[min(last, top)] - counts[min(first - 1, top)]


def _definitions(walk: Walk, lines: _Lines, nodes: list[tree_sitter.Node], comments: list[Comment]) -> Iterator[Definition]:
    ends = [node.end_point[0] + 1 for node in nodes]
    for draft in walk.definitions:
        exported = draft.name in walk.exported and draft.parent == MODULE and bool(draft.name)
        position = bisect_left(ends, draft.first_line - 1)
        docstring = ""
        if position < len(ends) and ends[position] == draft.first_line - 1 and walk.source.startswith(b"/**", nodes[position].start_byte):
            docstring = comments[position].text
        yield draft.finished(
            exported=exported,
            code=lines.within(lines.code, draft.line, draft.end_line),
            markup=lines.within(lines.markup, draft.line, draft.end_line),
            text=lines.within(lines.text, draft.line, draft.end_line),
            docstring=docstring,
        )
