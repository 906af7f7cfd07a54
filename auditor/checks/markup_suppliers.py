"""What server code supplies to a template under a name, and whether all of it is known to be harmless as mark-up.

Templates are found by the names of their variables, not by their paths: if everything that any page is given under a name is cleaned, encoded or
rendered by a template engine, so is what this page is given. A name nobody is seen to supply says nothing.
"""

from __future__ import annotations

import re
from collections import defaultdict

from auditor.checks.own_values import Origin, OwnValues
from auditor.model.evidence import ToolHit
from auditor.model.syntax import FileFacts, Syntax, Value, ValueKind

_DEPTH = 5
_MOST = 12
"""Suppliers, callers or functions of one name that are looked at; with more of them the name says nothing."""
_CLEANS = re.compile(
    r"(?:^|\.)(?:urlencode|quote|quote_plus|escape|html_escape|conditional_escape|format_html|sanitize\w*|clean_html|bleach\.clean|nh3\.clean|linkify|striptags|strip_tags|"
    r"render_template|render_template_string|render_to_string|dumps|tojson)$"
)
"""Calls that give text without mark-up of others, or mark-up made by a template engine that escapes."""


class MarkupSuppliers:
    """Answers whether what a template shows can only be harmless; one instance per check run."""

    def __init__(self, syntax: Syntax, paths: frozenset[str], texts: dict[str, str]) -> None:
        self._files = {path: syntax.files[path] for path in sorted(paths) if path in syntax.files and path.endswith(".py")}
        self._origins = OwnValues(syntax, paths, texts)
        self._given: defaultdict[str, list[tuple[str, int, int, Value]]] = defaultdict(list)
        self._functions: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
        for path, facts in self._files.items():
            for index, definition in enumerate(facts.definitions):
                self._functions[definition.name].append((path, index))
            self._collect(facts)

    def _collect(self, facts: FileFacts) -> None:
        for call in facts.calls:
            for argument in call.arguments:
                if argument.name:
                    self._given[argument.name].append((facts.path, call.scope, call.line, argument.value))
                self._entries(argument.value, facts.path, call.scope, call.line)
        for entry in facts.assignments:
            key = re.search(r"\[[\"'](\w+)[\"']\]$", entry.target)
            if entry.value is not None and key:
                self._given[key[1]].append((facts.path, entry.scope, entry.line, entry.value))
            elif entry.value is not None:
                self._entries(entry.value, facts.path, entry.scope, entry.line)

    def _entries(self, value: Value, path: str, scope: int, line: int) -> None:
        for key, item in value.items if value.kind is ValueKind.COLLECTION else ():
            if key:
                self._given[key.strip("\"'")].append((path, scope, line, item))

    def harmless(self, shown: str) -> bool:
        """Whether everything supplied under the name that a template shows is harmless; of `record.html`, what gives the attribute."""
        head, _, last = shown.strip().rpartition(".")
        if head not in {"", "this", "$props"}:
            return self._attribute(last, _DEPTH)
        given = self._given.get(last, [])
        if not given:
            return bool(head) and self._attribute(last, _DEPTH)
        return len(given) <= _MOST and all(self._value(value, path, scope, line, _DEPTH) for path, scope, line, value in given)

    def hands_on(self, hit: ToolHit) -> bool:
        """Whether a function only marks its own parameter as mark-up and is called here: whether that is right is decided by its callers, who are followed too."""
        facts = self._files.get(hit.path)
        call = next((call for call in facts.calls if call.line == hit.line and call.scope >= 0), None) if facts else None
        if facts is None or call is None or len(call.arguments) != 1:
            return False
        definition = facts.definitions[call.scope]
        value = call.arguments[0].value
        own = value.kind is ValueKind.NAME and value.literal in {parameter.name for parameter in definition.parameters}
        return own and bool(self._origins.calls_of(definition.name))

    def _value(self, value: Value, path: str, scope: int, line: int, depth: int) -> bool:
        if depth < 0:
            return False
        match value.kind:
            case ValueKind.STRING | ValueKind.NUMBER | ValueKind.BOOLEAN | ValueKind.NONE:
                return True
            case ValueKind.CALL:
                return (
                    bool(_CLEANS.search(value.literal))
                    or self._made(value.literal.rpartition(".")[2], depth)
                    or self._constant(value, path, scope, line)
                )
            case ValueKind.OPERATION | ValueKind.TEMPLATE if value.items:
                return all(self._value(item, path, scope, line, depth - 1) for _, item in value.items)
            case ValueKind.NAME:
                return self._named(value, path, scope, line, depth)
            case _:
                return self._constant(value, path, scope, line)

    def _named(self, value: Value, path: str, scope: int, line: int, depth: int) -> bool:
        given = [entry for entry in self._files[path].assignments if entry.scope == scope and entry.target == value.literal]
        if given:
            return all(entry.value is not None and self._value(entry.value, path, scope, entry.line, depth - 1) for entry in given)
        if self._constant(value, path, scope, line):
            return True
        return "." in value.literal and self._attribute(value.literal.rpartition(".")[2], depth - 1)

    def _constant(self, value: Value, path: str, scope: int, line: int) -> bool:
        return self._origins.of(value, path, scope, line) is Origin.CONSTANT

    def _attribute(self, name: str, depth: int) -> bool:
        """Whether all properties of that name give what was cleaned."""
        return self._made(name, depth)

    def _made(self, name: str, depth: int) -> bool:
        """Whether every function of the code with that name gives what went through a cleaner in it, be it one that a setting may switch off."""
        places = self._functions.get(name, [])
        return 0 < len(places) <= _MOST and all(self._cleans(path, index, depth - 1) for path, index in places)

    def _cleans(self, path: str, index: int, depth: int) -> bool:
        if depth < 0:
            return False
        facts = self._files[path]
        called = {call.callee for call in facts.calls if call.scope == index}
        if any(_CLEANS.search(callee) for callee in called):
            return True
        returns = [entry for entry in facts.returns if entry.scope == index and entry.value is not None]
        return bool(returns) and all(
            entry.value is not None
            and entry.value.kind is ValueKind.CALL
            and any(self._made(part, depth) for part in _callees(entry.value))
            for entry in returns
        )


def _callees(value: Value) -> list[str]:
    """The functions that a nested call goes through, from the outside in: `markup(build(text))`."""
    found: list[str] = []
    pending = [value]
    while pending and len(found) < _MOST:
        inner = pending.pop(0)
        if inner.kind is ValueKind.CALL:
            found.append(inner.literal.rpartition(".")[2])
            pending += [item for _, item in inner.items]
    return found
