"""Functions of the tree that send what they are given: `request(path, options)` and methods of clients. Part of the evidence OWN_CALLS."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from auditor.evidence.own_calls_clients import Instance, Sent, instance, options_method, package_of, sent
from auditor.evidence.own_calls_values import Hole, Pieces, Values, carries_a_path, is_data, substituted
from auditor.evidence.route_names import Names, Spot
from auditor.languages.migrations import last
from auditor.model.syntax import Call, FileFacts, Value, ValueKind

_ROUNDS = 4
_MOST_WRAPPERS = 2_000


@dataclass(frozen=True, slots=True)
class Wrapper:
    """A function, by file and number, that sends to addresses with parameters of its own in them."""

    path: str
    index: int
    sent: Sent


class Clients:
    """All calls over HTTP of a tree, wrappers resolved."""

    def __init__(self, names: Names, files: Iterable[FileFacts]) -> None:
        self._names = names
        self._files = tuple(files)
        self._values = Values(names)
        self._instances: dict[Spot, Instance] = {}
        self.brought: set[tuple[str, int]] = set()
        self._alone: dict[tuple[str, int, Pieces], tuple[FileFacts, Sent]] = {}
        self._packages = {f.path: self._aliases(f) for f in self._files}
        for facts in self._files:
            for call in facts.calls:
                made = instance(facts, self._renamed(facts, call), self._values)
                if made is not None and call.target:
                    self._instances[Spot(facts.path, call.target)] = made

    def find(self) -> list[tuple[FileFacts, Sent]]:
        """Every call whose address holds no parameter of the function around it."""
        found: list[tuple[FileFacts, Sent]] = []
        fresh: list[Wrapper] = []
        for facts in self._files:
            modules = frozenset(statement.module for statement in facts.imports)
            for call in facts.calls:
                one = sent(facts, self._renamed(facts, call), self._values, self._instance(facts, call), modules)
                if one is not None:
                    self._sort(facts, Sent(call, one.addresses, one.method), found, fresh)
        known: set[tuple[str, int, Pieces]] = set()
        for _ in range(_ROUNDS):
            wrappers: defaultdict[tuple[str, int], list[Wrapper]] = defaultdict(list)
            for wrapper in fresh:
                key = (wrapper.path, wrapper.index, wrapper.sent.addresses[0])
                if key not in known and len(known) < _MOST_WRAPPERS:
                    known.add(key)
                    wrappers[wrapper.path, wrapper.index].append(wrapper)
            if not wrappers:
                break
            fresh = []
            self._round(wrappers, found, fresh)
        return [*found, *self._alone.values()]

    def _round(self, wrappers: dict[tuple[str, int], list[Wrapper]], found: list[tuple[FileFacts, Sent]], fresh: list[Wrapper]) -> None:
        words = {self._names.facts[path].definitions[index].name for path, index in wrappers}
        for facts in self._files:
            for call in facts.calls:
                if last(call.callee) not in words:
                    continue
                target = self._definition(facts, call)
                for wrapper in wrappers.get(target, ()) if target is not None else ():
                    self._alone.pop((wrapper.path, wrapper.index, wrapper.sent.addresses[0]), None)
                    self._sort(facts, self._applied(facts, call, wrapper), found, fresh)

    def _sort(self, facts: FileFacts, one: Sent, found: list[tuple[FileFacts, Sent]], fresh: list[Wrapper]) -> None:
        """What still depends on a caller is a wrapper; the rest is a call of its own."""
        for address in one.addresses:
            leading = address[:2] if address and not isinstance(address[0], str) else address[:1]
            holes = [piece for piece in address if isinstance(piece, Hole) and piece.kind == "parameter"]
            if isinstance(address[0], Hole) and is_data(address[0]):
                self.brought.add((facts.path, one.call.line))  # a record or a page says where it goes
                continue
            decides = [hole for hole in holes if hole in leading or not _has_path(address)]
            single = Sent(one.call, (address,), one.method)
            further = [] if decides else [hole for hole in holes if _goes_on(address, hole)]
            if further:  # a call by itself where nobody is seen who hands the rest over
                self._alone[facts.path, further[0].scope, address] = (facts, single)
                fresh.append(Wrapper(facts.path, further[0].scope, single))
            elif decides:
                fresh.append(Wrapper(facts.path, decides[0].scope, single))
            elif isinstance(one.method, Hole):
                fresh.append(Wrapper(facts.path, one.method.scope, single))
            else:
                found.append((facts, single))

    def _applied(self, facts: FileFacts, call: Call, wrapper: Wrapper) -> Sent:
        home = self._names.facts[wrapper.path]
        addresses: tuple[Pieces, ...] = wrapper.sent.addresses
        for hole in dict.fromkeys(
            p for a in addresses for p in a if isinstance(p, Hole) and p.kind == "parameter" and p.scope == wrapper.index
        ):
            value = _argument(home, call, hole)
            inner = self._values.expand(facts, value, call.scope) if value is not None else ()
            inner = inner or ((Hole("unknown", hole.text),),)
            addresses = tuple(substituted(address, hole, one) for address in addresses for one in inner)[:6]
        return Sent(call, addresses, self._method(facts, home, call, wrapper))

    def _method(self, facts: FileFacts, home: FileFacts, call: Call, wrapper: Wrapper) -> str | Hole:
        method = wrapper.sent.method
        if not isinstance(method, Hole) or method.scope != wrapper.index:
            return method if isinstance(method, str) else "ANY"
        value = _argument(home, call, method)
        if method.kind == "options":
            return "GET" if value is None else options_method(facts, value, call.scope, self._values, "GET")
        default = next(iter(_default(home, method)), None)
        value = value or default
        if value is not None and value.kind is ValueKind.STRING:
            return value.literal.upper()
        hole = self._values.parameter(facts, value.literal, call.scope) if value is not None and value.kind is ValueKind.NAME else None
        return hole if hole is not None else "ANY"

    # -- what a callee means -----------------------------------------------------------------------------------------------------------

    @staticmethod
    def _aliases(facts: FileFacts) -> dict[str, str]:
        """Local names of client libraries: `import http from "axios"` -> axios."""
        pairs = ((local, package_of(s.module)) for s in facts.imports for original, local in s.names if original in {"default", "*"})
        return {local: package for local, package in pairs if package and local != package}

    def _renamed(self, facts: FileFacts, call: Call) -> Call:
        head, dot, rest = call.callee.partition(".")
        package = self._packages[facts.path].get(head)
        if package is None:
            return call
        return Call(f"{package}{dot}{rest}", call.arguments, call.line, call.end_line, call.scope, target=call.target)

    def _instance(self, facts: FileFacts, call: Call) -> Instance | None:
        """The client a call is made on: `api.get`, `this.client.post`, `api(...)`."""
        if not self._instances:
            return None
        for dotted in (call.callee.rpartition(".")[0], call.callee):
            if not dotted:
                continue
            own = Spot(facts.path, dotted)
            if own in self._instances:
                return self._instances[own]
            spot = self._names.spot(facts.path, dotted)
            if spot is not None and spot in self._instances:
                return self._instances[spot]
        return None

    def _definition(self, facts: FileFacts, call: Call) -> tuple[str, int] | None:
        head, _, rest = call.callee.partition(".")
        if head in {"this", "self"} and rest and "." not in rest:
            method = self._values.method(facts, call.scope, rest)
            return (method[0].path, method[1]) if method is not None else None
        spot = self._names.spot(facts.path, call.callee)
        index = self._names.definition(spot) if spot is not None else -1
        if spot is not None and index >= 0:
            return spot.path, index
        return self._from_a_maker(facts, call)

    def _from_a_maker(self, facts: FileFacts, call: Call) -> tuple[str, int] | None:
        """`const { get } = useApi()`, `const api = useApi(); api.get(...)`: a function inside the one that made it."""
        head, name = call.callee.partition(".")[0], last(call.callee)
        for assignment in facts.assignments:
            if assignment.value is None or assignment.value.kind is not ValueKind.CALL:
                continue
            if assignment.target != head and not (
                assignment.target.startswith("{") and re.search(rf"\b{re.escape(name)}\b", assignment.target)
            ):
                continue
            spot = self._names.spot(facts.path, assignment.value.literal.removeprefix("new "))
            maker = self._names.definition(spot) if spot is not None else -1
            if spot is None or maker < 0:
                continue
            inside = [n for n, d in enumerate(self._names.facts[spot.path].definitions) if d.name == name and d.parent == maker]
            if len(inside) == 1:
                return spot.path, inside[0]
        return None


def _has_path(address: Pieces) -> bool:
    """Whether some of the path is known."""
    text = "".join(piece for piece in address if isinstance(piece, str))
    return re.search(r"[A-Za-z]", re.sub(r"^\w+://[^/]*", "", text)) is not None


def _goes_on(address: Pieces, hole: Hole) -> bool:
    """Whether a parameter brings a part of the path that may be several segments: put on without a slash, or named so."""
    before = "".join(piece for piece in address[: address.index(hole)] if isinstance(piece, str))
    return "?" not in before and (before[-1:].isalnum() or (before[-1:] == "/" and carries_a_path(hole)))


def _argument(home: FileFacts, call: Call, hole: Hole) -> Value | None:
    """What a call hands over for a parameter, or for an entry of it."""
    parameters = [p for p in home.definitions[hole.scope].parameters if p.name not in {"self", "cls"}]
    name = parameters[hole.position].name if hole.position < len(parameters) else ""
    value = call.argument(name if home.path.endswith(".py") else "", hole.position)
    if hole.key and value is not None:
        return value.item(hole.key) if value.kind is ValueKind.COLLECTION else None
    return value


def _default(home: FileFacts, hole: Hole) -> Iterator[Value]:
    parameters = [p for p in home.definitions[hole.scope].parameters if p.name not in {"self", "cls"}]
    if hole.position < len(parameters) and (default := parameters[hole.position].default) is not None:
        yield default
