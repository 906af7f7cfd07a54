"""What becomes of a value inside one file: from the call that makes it, through conversions and names, to the places that say what it is for.

Works on the facts of syntax alone, function by function, in the order of lines: a name holds what it was last given above. A call nobody can see
inside hands nothing on, unless it is a known conversion. What the value is, and which purposes matter, the caller says.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from auditor.model.syntax import Call, FileFacts, Value, ValueKind

_ROUNDS = 4
"""How many names in a row a value is followed through."""
_CONVERSIONS = re.compile(
    r"^(?:str|String|int|Number|parseInt|bytes|bytearray|format|join|encode|decode|hex|hexdigest|digest|b(?:16|32|64|85)encode|urlsafe_b64encode|hexlify|toString|toFixed|toUpperCase|toLowerCase|upper|lower"
    r"|substring|substr|slice|padStart|padEnd|zfill|rjust|ljust|replace|replaceAll|strip|trim|rstrip|lstrip|removeprefix|floor|round|ceil|abs|trunc|charAt|at|from|map|concat|fill|btoa|reverse|split|list|tuple|Array|to_bytes|fromCharCode|chr"
    r"|md5|sha1|sha256|sha512|update|resolve|capitalize)$"
)
_STORES = re.compile(r"(?:^|\.)(?:set|setex|setEx|psetex|setItem|put|hset|hSet|setdefault)$")
_KEY = re.compile(r"\[\s*(?:[fru]?[\"'`](?P<text>[^\"'`]{1,100})[\"'`]|(?P<name>[A-Za-z_$][\w$]*))\s*\]$")
_WRITES = re.compile(r"^(?P<file>[A-Za-z_$][\w$]*)\.(?:write|writelines)$")


@dataclass(frozen=True, slots=True)
class Origin:
    """The call that made a value, and the lines of the statement it stands in."""

    callee: str
    line: int
    end_line: int


@dataclass(frozen=True, slots=True)
class Use:
    """A place that says what a value is for; `kind` is "name", "field", "file", "return" or "call", `name` the word that says it."""

    kind: str
    name: str
    line: int
    scope: int
    origin: Origin


class Origins:
    """Where the values of one kind go in one file; `makes` tells whether a call makes such a value, `elsewhere` names functions of other files that do."""

    def __init__(self, facts: FileFacts, makes: Callable[[Value], str], elsewhere: Mapping[str, Origin] | None = None) -> None:
        self.facts = facts
        self._makes = makes
        self._held: defaultdict[tuple[int, str], list[tuple[int, Origin | None]]] = defaultdict(list)
        imported = {local for statement in facts.imports for _, local in statement.names}
        self.makers: dict[str, Origin] = {name: origin for name, origin in (elsewhere or {}).items() if name in imported}
        """Functions that give such a value back, by name."""
        self.foreign = frozenset(self.makers.values())
        """What is made in other files."""
        for _ in range(_ROUNDS):
            before = (len(self.makers), sum(entry[1] is not None for held in self._held.values() for entry in held))
            self._read_assignments()
            self._read_returns()
            if before == (len(self.makers), sum(entry[1] is not None for held in self._held.values() for entry in held)):
                break

    # -- what holds the value ----------------------------------------------------------------------------------------------------

    def _read_assignments(self) -> None:
        held: defaultdict[tuple[int, str], list[tuple[int, Origin | None]]] = defaultdict(list)
        for assignment in self.facts.assignments:
            if assignment.value is None:
                continue
            for target, value in _pairs(assignment.target, assignment.value):
                scope = -1 if target.startswith(("self.", "this.")) else assignment.scope
                held[scope, target].append((assignment.line, self.carried(value, assignment.scope, assignment.line)))
        for call in self.facts.calls:
            known = self._of_call(call)
            if call.target and known is not None and not any(line == call.line for line, _ in held[call.scope, call.target]):
                held[call.scope, call.target].append((call.line, known))
        self._held = held

    def _of_call(self, call: Call) -> Origin | None:
        value = Value(ValueKind.CALL, "", call.callee, (call.callee,), tuple((a.name, a.value) for a in call.arguments))
        return self.carried(value, call.scope, call.line)

    def _read_returns(self) -> None:
        for returned in self.facts.returns:
            if returned.value is None or returned.scope < 0:
                continue
            name = self.facts.definitions[returned.scope].name
            known = self.carried(returned.value, returned.scope, returned.line)
            if known is not None and len(name) > 2:
                self.makers.setdefault(name, known)

    def _lookup(self, name: str, scope: int, line: int) -> Origin | None:
        """What a name holds at a line: what it was last given above, or else anywhere."""
        while True:
            known = self._held.get((scope, name))
            if known:
                above = [origin for number, origin in known if number <= line]
                return above[-1] if above else known[-1][1]
            if scope < 0:
                return None
            scope = self.facts.definitions[scope].parent

    def carried(self, value: Value, scope: int, line: int) -> Origin | None:
        """The origin of the value if it is one, or is made of one by conversions alone."""
        match value.kind:
            case ValueKind.CALL:
                return self._from_call(value, scope, line)
            case ValueKind.NAME:
                name = value.literal.removesuffix("[]")
                return self._lookup(name, scope, line) or (self._slice(value, scope, line) if value.literal != name else None)
            case ValueKind.TEMPLATE if not value.items:
                return self._named(value, scope, line)
            case ValueKind.TEMPLATE:
                return self._any(value, scope, line)
            case ValueKind.OPERATION if not value.items:
                return self._named(value, scope, line)
            case ValueKind.OPERATION if value.items[0][0] in {"+", "+=", "*", "-", "%", "||", "or", "??", "?:", "|", "/", "//", ">>>"}:
                return self._any(value, scope, line) or (self._named(value, scope, line) if value.items[0][0] == "+=" else None)
            case ValueKind.OTHER:
                return self._named(value, scope, line)
            case _:
                return None

    def _any(self, value: Value, scope: int, line: int) -> Origin | None:
        return next((known for _, item in value.items if (known := self.carried(item, scope, line)) is not None), None)

    def _slice(self, value: Value, scope: int, line: int) -> Origin | None:
        """`str(value)[2:]`: a part of what a call gives, not an entry chosen by it."""
        return self._named(value, scope, line) if re.match(r"[\w.]+\(.*\)\[[^\[\]]*\]$", value.text) else None

    def _from_call(self, value: Value, scope: int, line: int) -> Origin | None:
        made = self._makes(value)
        if made:
            return Origin(made, line, line)
        callee = value.literal
        root, _, last = callee.rpartition(".")
        if callee in self.makers or (root in {"self", "this", "cls"} and last in self.makers):
            return self.makers[last or callee]
        if not _CONVERSIONS.match(last):
            return None
        receiver = next((inner for inner in _inner(root) if self._makes(Value(ValueKind.CALL, value.text, inner, value.names))), "")
        if receiver:
            return Origin(receiver, line, line)
        maker = next((self.makers[inner] for inner in _inner(root) if inner in self.makers), None)
        if maker is not None:
            return maker
        first = callee.split(".", 1)[0]
        held = self._lookup(root, scope, line) or (self._lookup(first, scope, line) if "()" in root else None)
        if held is not None:
            return held
        found = self._any(value, scope, line)
        chain = list(_inner(root))
        whole = last in {"join", "map", "from"} or (chain and all(_CONVERSIONS.match(inner.rsplit(".", 1)[-1]) for inner in chain))
        return found or (self._named(value, scope, line) if whole else None)

    def _named(self, value: Value, scope: int, line: int) -> Origin | None:
        """For texts and comprehensions whose parts are known by name only."""
        for name in value.names:
            made = self._makes(Value(ValueKind.OTHER, value.text, name, value.names))
            if made:
                return Origin(made, line, line)
            if name in self.makers:
                return self.makers[name]
            held = self._lookup(name, scope, line) if value.kind is not ValueKind.NAME else None
            if held is not None:
                return held
        return None

    # -- what it is for ----------------------------------------------------------------------------------------------------------

    def uses(self) -> Iterator[Use]:
        """Every place that says what such a value is for."""
        for assignment in self.facts.assignments:
            if assignment.value is None:
                continue
            for target, value in _pairs(assignment.target, assignment.value):
                known = self.carried(value, assignment.scope, assignment.line)
                if known is not None:
                    yield Use("name", self._purpose(target, assignment.scope), assignment.line, assignment.scope, known)
            yield from self._entries(assignment.value, assignment.scope, assignment.line)
        for returned in self.facts.returns:
            if returned.value is None or returned.scope < 0:
                continue
            known = self.carried(returned.value, returned.scope, returned.line)
            if known is not None:
                yield Use("return", self.facts.definitions[returned.scope].name, returned.line, returned.scope, known)
            yield from self._entries(returned.value, returned.scope, returned.line)
        for call in self.facts.calls:
            yield from self._handed(call)

    def _handed(self, call: Call) -> Iterator[Use]:
        for argument in call.arguments:
            if argument.name and argument.name[0].isalpha():
                known = self.carried(argument.value, call.scope, call.line)
                if known is not None:
                    yield Use("field", argument.name, call.line, call.scope, known)
            yield from self._entries(argument.value, call.scope, call.line)
        carried = [self.carried(argument.value, call.scope, call.line) for argument in call.arguments]
        known = next((origin for origin in carried if origin is not None), None)
        if known is None:
            return
        yield Use("call", call.callee, call.line, call.scope, known)
        first = call.arguments[0].value
        if _STORES.search(call.callee) and carried[0] is None and first.kind in {ValueKind.STRING, ValueKind.TEMPLATE}:
            yield Use("field", first.literal, call.line, call.scope, known)
        written = _WRITES.match(call.callee)
        if written:
            yield from (Use("file", name, call.line, call.scope, known) for name in self._opened(written["file"], call.scope))

    def _opened(self, name: str, scope: int) -> Iterator[str]:
        """The constant part of the path a file variable was opened with."""
        for call in self.facts.calls:
            if call.target == name and call.scope == scope and re.search(r"(?:^|\.)open$", call.callee) and call.arguments:
                yield call.arguments[0].value.literal

    def _entries(self, value: Value, scope: int, line: int) -> Iterator[Use]:
        """Named entries of collections, however they are nested."""
        pending = [value]
        while pending:
            current = pending.pop()
            if current.kind is not ValueKind.COLLECTION:
                continue
            for key, entry in current.items:
                known = self.carried(entry, scope, line) if key and key != "..." else None
                if known is not None:
                    yield Use("field", key, line, scope, known)
                pending.append(entry)

    def _purpose(self, target: str, scope: int) -> str:
        """The name a target says the value is for: the key of an entry, the attribute or the variable."""
        key = _KEY.search(target)
        if key is None:
            return target.rsplit(".", 1)[-1]
        if key["text"]:
            return key["text"]
        bound = [a.value for a in self.facts.assignments if a.target == key["name"] and a.scope == scope and a.value is not None]
        texts = [value.literal for value in bound if value.kind in {ValueKind.STRING, ValueKind.TEMPLATE}]
        return texts[-1] if texts else key["name"]


def _pairs(target: str, value: Value) -> list[tuple[str, Value]]:
    """`a, b = x, y` taken apart."""
    if value.kind is not ValueKind.COLLECTION or "," not in target:
        return [(target, value)]
    names = [name.strip() for name in target.strip("[]()").split(",")]
    values = [item for _, item in value.items]
    return list(zip(names, values, strict=True)) if len(names) == len(values) else []


def _inner(path: str) -> Iterator[str]:
    """The calls inside a chain, the innermost first: "a.b().c()" gives "a.b" and "a.b().c"."""
    position = path.find("()")
    while position >= 0:
        yield path[:position]
        position = path.find("()", position + 1)
