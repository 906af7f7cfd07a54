"""What the address of a call is made of: texts, and holes for what is not known. Part of the evidence OWN_CALLS."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.evidence.route_names import Names, Spot
from auditor.languages.migrations import last
from auditor.model.syntax import DefinitionKind, FileFacts, Value, ValueKind

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


_OF_DATA = re.compile(
    r"\b(?:dataset|attributes)\.\w+|getAttribute\(|\.(?:attr|prop|data)\([\"'](?:\w*[-_])?(?:action|href|src|url|uri)|\.action$|location\.(?:href|pathname)$"
    r"|(?<!this\.)(?<!self\.)(?<!config)(?<!settings)(?<!env)\.(?:\w*_)?(?:url|uri|src|href|link|uploadUrl|signedUrl|publicUrl|(?:file|image|photo|video|audio|media|avatar|logo|download|upload|thumbnail|preview|attachment|signed|public|blob|pdf|document)\w*(?:Url|URL|Uri|URI))$",
)
"""An address that a page, a record or an answer brings along: the code does not say where it leads."""


_SEVERAL = re.compile(r"path|endpoint|url|uri|route|suffix|action|segment|resource|(?<!\w)(?:key|rest|sub)\b", re.IGNORECASE)


def carries_a_path(hole: Hole) -> bool:
    """Whether a piece may stand for several segments, by its name."""
    return _SEVERAL.search(hole.text) is not None


def is_data(hole: Hole) -> bool:
    """Whether an address comes from a record or a page, so that no address is stated in the code."""
    return hole.kind in {"unknown", "parameter"} and _OF_DATA.search(hole.text) is not None


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
        return self._chosen(facts, dotted, scope, depth) or ((Hole("unknown", dotted),),)

    def _chosen(self, facts: FileFacts, dotted: str, scope: int, depth: int) -> tuple[Pieces, ...]:
        """What a name of this function comes to that is given one of a few texts on different branches."""
        given = [a.value for a in facts.assignments if a.target == dotted and a.scope == scope and a.value is not None]
        if scope < 0 or not 1 < len(given) <= _MOST or any(dotted in value.names for value in given):
            return ()
        found = [pieces for value in given for pieces in self.expand(facts, value, scope, depth - 1)]
        return tuple(dict.fromkeys(found)) if len(found) <= _MOST else ()

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
            here = [a for a in here if a.value is None or a.value.literal != f"{a.target}.replace"] or here  # parameters filled in
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
        return self._returned(facts, value, scope, depth)

    def _pair(self, facts: FileFacts, base: Value, path: Value, scope: int, depth: int) -> tuple[Pieces, ...]:
        bases = self.expand(facts, base, scope, depth - 1) or ((Hole("unknown", base.text),),)
        paths = self.expand(facts, path, scope, depth - 1)
        return tuple((*_without_slash(one), *other) for one in bases for other in paths)[:_MOST]

    def _returned(self, facts: FileFacts, value: Value, scope: int, depth: int) -> tuple[Pieces, ...]:
        """What a first-party function returns, its parameters replaced by what the call hands over."""
        found = self.function(facts, value.literal, scope)
        if found is None or any(key in {"*", "**", "..."} for key, _ in value.items):
            return ((Hole("unknown", value.text),),)
        home, index = found
        returned = [r.value for r in home.returns if r.scope == index and r.value is not None][: _MOST + 1]
        texts = [pieces for each in returned for pieces in self.expand(home, each, index, depth - 1)]
        if not texts or len(returned) > _MOST or any(a.target.endswith("+=") for a in home.assignments if a.scope == index):
            return ((Hole("unknown", value.text),),)
        names = [p.name for p in home.definitions[index].parameters if p.name not in {"self", "cls"}]
        given = self._given(facts, value, scope, names, depth)
        return tuple(dict.fromkeys(_filled(pieces, index, given) for pieces in _without_whole(texts)))[:_MOST]

    def _given(self, facts: FileFacts, call: Value, scope: int, names: list[str], depth: int) -> dict[int, Pieces]:
        """What a call hands over, by the position of the parameter among `names`; the first of several texts stands for them."""
        found: dict[int, Pieces] = {}
        for number, (key, item) in enumerate(call.items):
            position = names.index(key) if key in names else number
            found[position] = next(iter(self.expand(facts, item, scope, depth - 1)), (Hole("unknown", item.text),))
        return found

    def function(self, facts: FileFacts, dotted: str, scope: int) -> tuple[FileFacts, int] | None:
        """The first-party function a callee means, by file and number: by name, or as a method of the class around."""
        head, _, rest = dotted.partition(".")
        if head in {"this", "self"}:
            return self.method(facts, scope, rest) if rest and "." not in rest else None
        spot = self._names.spot(facts.path, dotted)
        index = self._names.definition(spot) if spot is not None else -1
        return (self._names.facts[spot.path], index) if spot is not None and index >= 0 else None

    def method(self, facts: FileFacts, scope: int, name: str) -> tuple[FileFacts, int] | None:
        """A method of the class around a place or of its bases; in an object of methods the only one of that name."""
        while scope >= 0 and facts.definitions[scope].kind is not DefinitionKind.CLASS:
            scope = facts.definitions[scope].parent
        if scope < 0:
            same = [n for n, d in enumerate(facts.definitions) if d.name == name and d.kind is not DefinitionKind.CLASS]
            return (facts, same[0]) if len(same) == 1 else None
        own = [number for number, d in enumerate(facts.definitions) if d.parent == scope and d.name == name]
        if own:
            return facts, own[-1]
        for base in facts.definitions[scope].bases:
            spot = self._names.spot(facts.path, base.partition("<")[0])
            index = self._names.definition(Spot(spot.path, f"{spot.name}.{name}")) if spot is not None else -1
            if spot is not None and index >= 0:
                return self._names.facts[spot.path], index
        return None


def _without_whole(texts: list[Pieces]) -> list[Pieces]:
    """The texts without a parameter by itself, where others put something in front of it: that branch is for whole addresses of other hosts."""
    prefixed = {piece for pieces in texts for piece in pieces[1:] if isinstance(pieces[0], str) and re.search(r"\w", pieces[0])}
    prefixed |= {piece for pieces in texts for piece in pieces[2:]}
    return [pieces for pieces in texts if len(pieces) > 1 or pieces[0] not in prefixed]


def _filled(pieces: Pieces, index: int, given: dict[int, Pieces]) -> Pieces:
    """The pieces with what is handed over in the place of the function's own parameters."""
    found: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, Hole) and piece.kind == "parameter" and piece.scope == index:
            whole = given.get(piece.position, (Hole("unknown", piece.text),))
            found += (Hole("unknown", piece.text),) if piece.key else whole
        else:
            found.append(piece)
    return tuple(found)


def _around(facts: FileFacts, scope: int) -> Iterator[int]:
    while scope >= 0:
        yield scope
        scope = facts.definitions[scope].parent


def _without_slash(pieces: Pieces) -> Pieces:
    return (*pieces[:-1], pieces[-1].rstrip("/")) if pieces and isinstance(pieces[-1], str) else pieces


def substituted(pieces: Pieces, hole: Hole, inner: Pieces) -> Pieces:
    """The pieces with what a caller hands over in the place of a parameter."""
    return tuple(part for piece in pieces for part in (inner if piece == hole else (piece,)))
