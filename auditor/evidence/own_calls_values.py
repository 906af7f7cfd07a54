"""What the address of a call is made of: texts, and holes for what is not known. Part of the evidence OWN_CALLS."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.evidence.route_names import Names
from auditor.languages.migrations import last
from auditor.model.syntax import FileFacts, Value, ValueKind

_DEPTH = 6
_MOST = 4
_SETTING = re.compile(r"^(?:process\.env|import\.meta\.env|Deno\.env|Bun\.env|os\.environ|env|settings|config)\b.*?([A-Z][A-Z0-9_]{2,})")
_ORIGIN = re.compile(r"^(?:(?:window|self|globalThis|document)\.)?location\.(?:origin|protocol)$")
_READ_SETTING = re.compile(r"^(?:os\.getenv|getenv|os\.environ\.get|environ\.get|Deno\.env\.get|config|env)$")
_JOINS = frozenset({"urljoin", "urllib.parse.urljoin", "parse.urljoin"})
_SAME = frozenset({"String", "str", "encodeURI", "trim", "toString", "rstrip", "replace", "strip", "removesuffix"})


@dataclass(frozen=True, slots=True)
class Hole:
    """A piece that is not a text: `kind` "parameter" (of definition `scope`, number `position`, and within it the entry `key`), "setting", "origin" or "unknown"."""

    kind: str
    text: str
    scope: int = -1
    position: int = -1
    key: str = ""


Piece = str | Hole
Pieces = tuple[Piece, ...]


class Values:
    """Expands expressions of one tree."""

    def __init__(self, names: Names) -> None:
        self._names = names

    def expand(self, facts: FileFacts, value: Value | None, scope: int, depth: int = _DEPTH) -> tuple[Pieces, ...]:
        """Every text an expression may come to, at most a few."""
        if value is None:
            return ()
        if not depth:
            return ((Hole("unknown", value.text),),)
        match value.kind:
            case ValueKind.STRING:
                return ((value.literal,),)
            case ValueKind.NUMBER:
                return ((value.text,),)
            case ValueKind.TEMPLATE:
                return self._template(facts, value, scope, depth)
            case ValueKind.OPERATION:
                return self._operation(facts, value, scope, depth)
            case ValueKind.NAME:
                return self._name(facts, value.literal, scope, depth)
            case ValueKind.CALL:
                return self._call(facts, value, scope, depth)
            case ValueKind.NONE:
                return ()
            case _:
                return ((Hole("unknown", value.text),),)

    def _template(self, facts: FileFacts, value: Value, scope: int, depth: int) -> tuple[Pieces, ...]:
        texts = value.literal.split("{}")
        holes = [item for _, item in value.items]
        if len(holes) != len(texts) - 1:
            holes = []
        found: list[Pieces] = [(texts[0],)]
        for number, text in enumerate(texts[1:]):
            inner = self.expand(facts, holes[number], scope, depth - 1) if holes else ()
            if number and len(inner) > 1:  # what comes later is a part of the path or a query: one hole is enough
                inner = ((Hole("unknown", holes[number].text),),)
            inner = inner or ((Hole("unknown", ""),),)
            found = [(*before, *middle, text) for before in found for middle in inner][:_MOST]
        return tuple(found)

    def _operation(self, facts: FileFacts, value: Value, scope: int, depth: int) -> tuple[Pieces, ...]:
        keys = {key for key, _ in value.items}
        items = [item for _, item in value.items]
        if keys == {"+"}:
            found: list[Pieces] = [()]
            for item in items:
                inner = self.expand(facts, item, scope, depth - 1) or ((Hole("unknown", item.text),),)
                found = [(*before, *middle) for before in found for middle in inner][:_MOST]
            return tuple(found)
        if keys == {"?:"} and len(items) == 3:
            branches = [found for item in items[1:] for found in self.expand(facts, item, scope, depth - 1)]
            return tuple(dict.fromkeys(branches))[:_MOST]
        if keys & {"||", "??", "or"}:
            return self._fallback(facts, items, scope, depth)
        return ((Hole("unknown", value.text),),)

    def _fallback(self, facts: FileFacts, items: list[Value], scope: int, depth: int) -> tuple[Pieces, ...]:
        """`setting || text`: the text says what the setting looks like."""
        for item in reversed(items):
            found = self.expand(facts, item, scope, depth - 1)
            if found and any(isinstance(piece, str) and piece for pieces in found for piece in pieces):
                return found
        first = self.expand(facts, items[0], scope, depth - 1) if items else ()
        return first or ((Hole("unknown", ""),),)

    def _name(self, facts: FileFacts, dotted: str, scope: int, depth: int) -> tuple[Pieces, ...]:
        if _ORIGIN.match(dotted):
            return ((Hole("origin", dotted),),)
        if (setting := _SETTING.match(dotted)) is not None and dotted.startswith(("process", "import", "Deno", "Bun", "os")):
            return ((Hole("setting", setting[1]),),)
        hole = self.parameter(facts, dotted, scope)
        if hole is not None:
            return ((hole,),)
        value, home, where = self._assigned(facts, dotted, scope)
        if value is not None and home is not None:
            return self.expand(home, value, where, depth - 1) or ((Hole("unknown", dotted),),)
        return ((Hole("unknown", dotted),),)

    def parameter(self, facts: FileFacts, dotted: str, scope: int) -> Hole | None:
        """The parameter of an enclosing function that a name means."""
        head, _, key = dotted.partition(".")
        current = scope
        while current >= 0:
            definition = facts.definitions[current]
            positions = [p for p in definition.parameters if p.name not in {"self", "cls"}]
            for number, parameter in enumerate(positions):
                if parameter.name == head:
                    return Hole("parameter", dotted, current, number, key)
                if parameter.kind == "destructured" and re.search(rf"[{{,]\s*{re.escape(head)}\b", parameter.name):
                    return Hole("parameter", dotted, current, number, head)
            current = definition.parent
        return None

    def _assigned(self, facts: FileFacts, dotted: str, scope: int) -> tuple[Value | None, FileFacts | None, int]:
        """The only value a name is given: in this function and those around it, in a class, or in the module it is imported from."""
        own = last(dotted) if dotted.startswith(("this.", "self.")) else dotted
        targets = {dotted, own, f"this.{own}", f"self.{own}"} if own != dotted else {dotted}
        scopes = set(_around(facts, scope)) | {-1}
        here = [a for a in facts.assignments if a.target in targets and (a.scope in scopes or own != dotted)]
        if here:
            values = {a.value.text for a in here if a.value is not None}
            return (here[0].value, facts, here[0].scope) if len(values) == 1 else (None, None, -1)
        spot = self._names.spot(facts.path, dotted)
        home = self._names.facts.get(spot.path) if spot is not None else None
        if spot is None or home is None or (home is facts and spot.name == dotted):
            return self._entry(facts, dotted)
        found = [a for a in home.assignments if a.target == spot.name and a.scope == -1]
        return (found[0].value, home, -1) if len(found) == 1 else self._entry(home, spot.name)

    @staticmethod
    def _entry(home: FileFacts, dotted: str) -> tuple[Value | None, FileFacts | None, int]:
        """`CONFIG.API_URL`, `Endpoints.orders.list`: an entry of an object."""
        head, _, rest = dotted.partition(".")
        value = next((a.value for a in home.assignments if a.target == head and a.scope == -1), None)
        for key in rest.split(".") if rest else ():
            value = value.item(key) if value is not None and value.kind is ValueKind.COLLECTION else None
        return (value, home, -1) if rest and value is not None else (None, None, -1)

    def _call(self, facts: FileFacts, value: Value, scope: int, depth: int) -> tuple[Pieces, ...]:
        items = [item for _, item in value.items]
        if _READ_SETTING.match(value.literal) and items:
            default = self.expand(facts, items[1], scope, depth - 1) if len(items) > 1 else ()
            return default or ((Hole("setting", items[0].literal or items[0].text),),)
        if value.literal in _JOINS and len(items) == 2:
            return self._pair(facts, items[0], items[1], scope, depth)
        if value.literal in {"new URL", "URL"} and items:
            return self._pair(facts, items[1], items[0], scope, depth) if len(items) > 1 else self.expand(facts, items[0], scope, depth - 1)
        if last(value.literal) in _SAME and items and value.literal in _SAME:
            return self.expand(facts, items[0], scope, depth - 1)
        if value.literal.endswith((".rstrip", ".toString", ".trim", ".replace", ".strip")) and "()" not in value.literal:
            return self._name(facts, value.literal.rpartition(".")[0], scope, depth - 1)
        return self._returned(facts, value, depth)

    def _pair(self, facts: FileFacts, base: Value, path: Value, scope: int, depth: int) -> tuple[Pieces, ...]:
        bases = self.expand(facts, base, scope, depth - 1) or ((Hole("unknown", base.text),),)
        paths = self.expand(facts, path, scope, depth - 1)
        return tuple((*_without_slash(one), *other) for one in bases for other in paths)[:_MOST]

    def _returned(self, facts: FileFacts, value: Value, depth: int) -> tuple[Pieces, ...]:
        """What a first-party function without arguments returns, if that is one expression."""
        spot = self._names.spot(facts.path, value.literal) if not value.items else None
        index = self._names.definition(spot) if spot is not None else -1
        if spot is not None and index >= 0:
            home = self._names.facts[spot.path]
            returned = [r.value for r in home.returns if r.scope == index and r.value is not None]
            if len(returned) == 1:
                return self.expand(home, returned[0], index, depth - 1)
        return ((Hole("unknown", value.text),),)


def _around(facts: FileFacts, scope: int) -> Iterator[int]:
    while scope >= 0:
        yield scope
        scope = facts.definitions[scope].parent


def _without_slash(pieces: Pieces) -> Pieces:
    return (*pieces[:-1], pieces[-1].rstrip("/")) if pieces and isinstance(pieces[-1], str) else pieces


def substituted(pieces: Pieces, hole: Hole, inner: Pieces) -> Pieces:
    """The pieces with what a caller hands over in the place of a parameter."""
    return tuple(part for piece in pieces for part in (inner if piece == hole else (piece,)))
