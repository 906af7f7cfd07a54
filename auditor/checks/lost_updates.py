"""Changes that are computed from what was read before: two at once, and one of them is lost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.checks.database_calls import DatabaseCall
from auditor.checks.failures import is_write
from auditor.checks.reach import within
from auditor.checks.repeats import AMOUNT
from auditor.model.syntax import Call, FileFacts, Value, ValueKind


@dataclass(frozen=True, slots=True)
class LostUpdate:
    """A stored quantity that is written as its old value plus or minus something; `worth`: it is money, stock, credit or the like."""

    path: str
    line: int
    end_line: int
    what: str
    worth: bool


_COUNTER = re.compile(
    r"(?:^|[._])(?:count|counter|views?|likes?|votes?|hits?|downloads?|uses|usage|used|visits|score|num_\w+|\w+_count|current_\w*uses|\w+_used)$|(?:Count|Views|Likes|Votes|Uses|Used)$"
)
_TIME = re.compile(r"expires?_?at$", re.IGNORECASE)
_SIGNS = frozenset({"+=", "-=", "+", "-", "++", "--"})
_SAFE = re.compile(
    r"for_update|FOR\s+UPDATE|forUpdate|pessimistic|[sS]erializable|SERIALIZABLE|runTransaction|run_transaction|\btransactional\b|BEGIN\s+(?:IMMEDIATE|EXCLUSIVE)|\bF\(|\b_?[lL]ock(?:s|ed|ing)?\b|_lock\b|\block_|[a-z]Lock(?:ed)?\b|\block[A-Z]|[mM]utex|[sS]emaphore|optimistic|"
    r"\bversion\b|\bwatch\(|[rR]unExclusive|advisory"
)
_ROUND = re.compile(r"^(?:Number|parseInt|parseFloat|BigInt|Math\.\w+|int|float|round|max|min|(?:decimal\.)?Decimal)$")
_SAVES = re.compile(r"(?:^|\.)(?:save|commit|flush|update|updateOne|update_one|put|persist|asave)$")
_WRITES = re.compile(
    r"\.(?:update|updateOne|updateMany|update_one|set|findByIdAndUpdate|findOneAndUpdate|upsert|save)(?:\(\)|$)|^(?:updateDoc|setDoc)$"
)
_UPDATE_TEXT = re.compile(r"\s*update\s+\S+\s+set\b", re.IGNORECASE)


def lost_updates(facts: FileFacts, databases: tuple[DatabaseCall, ...], text: str) -> Iterator[LostUpdate]:
    """Those of one file, each line once; functions that lock, compare a version or let the database compute are left out."""
    lines = text.split("\n")
    seen = set()
    for found, scope in (*_saved(facts), *_written(facts, databases)):
        outer = _outermost(facts, scope)
        if found.line in seen or outer < 0:
            continue
        definition = facts.definitions[outer]
        seen.add(found.line)
        if not _SAFE.search("\n".join(lines[definition.line - 1 : definition.end_line])[:60_000]):
            yield found


def _outermost(facts: FileFacts, scope: int) -> int:
    """The function around a place, with the functions around it, classes left out; -1 for the module."""
    best = -1
    while scope >= 0:
        if facts.definitions[scope].kind.value != "class":
            best = scope
        scope = facts.definitions[scope].parent
    return best


class _Steps:
    """What the names of one function hold: a stored quantity as it was read, or one step up or down from it."""

    def __init__(self, facts: FileFacts, inside: frozenset[int]) -> None:
        self._read: dict[str, str] = {}
        self._stepped: dict[str, str] = {}
        self.saved: list[tuple[str, int]] = []
        for assignment in facts.assignments:
            if assignment.scope in inside and assignment.value is not None:
                self._follow(assignment.target, assignment.value, assignment.line)

    def _follow(self, target: str, value: Value, line: int) -> None:
        stepped = self.of(value)
        if "." in target:
            if stepped == target:
                self.saved.append((target, line))
            return
        held = next((self._read.get(each.literal, each.literal) for each in _unwrapped(value) if each.kind is ValueKind.NAME), "")
        if stepped:
            self._stepped[target] = stepped
        elif "." in held and _is_quantity(held):
            self._read[target] = held

    def of(self, value: Value) -> str:
        """The quantity a value is one step away from, "" for any other value."""
        for each in _unwrapped(value):
            if each.kind is ValueKind.NAME and each.literal in self._stepped:
                return self._stepped[each.literal]
            if each.kind is ValueKind.OPERATION and each.items and each.items[0][0] in _SIGNS:
                for name in each.names:
                    read = self._read.get(name, self._stepped.get(name, name))
                    if "." in read and _is_quantity(read):
                        return read
        return ""


def _unwrapped(value: Value) -> Iterator[Value]:
    """The value itself, or what a conversion or a limit is put round."""
    if value.kind is ValueKind.CALL and _ROUND.match(value.literal):
        yield from (inner for _, inner in value.items)
    else:
        yield value


def _saved(facts: FileFacts) -> Iterator[tuple[LostUpdate, int]]:
    """`item.stock -= n`, in one line or in several, on a record that the same function read and then saves."""
    for scope in sorted({assignment.scope for assignment in facts.assignments if assignment.scope >= 0}):
        inside = within(facts, scope)
        for target, line in _Steps(facts, frozenset({scope})).saved:
            root = target.partition(".")[0]
            if not _is_quantity(target):
                continue
            later = [call for call in facts.calls if call.scope in inside and call.line >= line and _SAVES.search(call.callee)]
            own = any(call.callee in {f"{root}.save", f"{root}.asave"} for call in later)
            read = any(call.scope in inside and _names(call.target, root) and call.line < line and _is_read(call) for call in facts.calls)
            if own or (read and any(call.callee.endswith(".commit") or _names_in(call, root) for call in later)):
                yield _lost(facts, target, line, line), scope


def _written(facts: FileFacts, databases: tuple[DatabaseCall, ...]) -> Iterator[tuple[LostUpdate, int]]:
    """`update({stock: product.stock - n})`, the value written there or bound to a name before, and the parameters of an UPDATE text."""
    known = {(each.line, each.scope) for each in databases}
    for call in facts.calls:
        if call.scope < 0 or not ((call.line, call.scope) in known or is_write(call.callee)):
            continue
        text = bool(call.arguments) and _UPDATE_TEXT.match(call.arguments[0].value.literal) is not None
        if not text and not _WRITES.search(call.callee):
            continue
        steps = _Steps(facts, frozenset({call.scope}))
        for argument in call.arguments:
            for key, value in _entries(argument.value):
                name = steps.of(value)
                if name and (text or _plain(key) == _plain(name.rpartition(".")[2])) and not _compares(facts, call, name):
                    yield _lost(facts, name, call.line, call.end_line), call.scope


def _entries(value: Value) -> Iterator[tuple[str, Value]]:
    pending = list(value.items) if value.kind is ValueKind.COLLECTION else []
    while pending:
        key, inner = pending.pop(0)
        yield key, inner
        if inner.kind is ValueKind.COLLECTION:
            pending.extend(inner.items)


def _compares(facts: FileFacts, call: Call, name: str) -> bool:
    """Whether the change names the value it expects to find: `.eq("stock", product.stock)`, `where: {stock: product.stock}`."""
    chained = [other for other in facts.calls if other.scope == call.scope and call.line - 1 <= other.line <= call.end_line + 8]
    if any(
        other.callee.endswith((".eq", ".match")) and any(argument.value.literal == name for argument in other.arguments)
        for other in chained
    ):
        return True
    where = next((argument.value.item("where") for argument in call.arguments if argument.value.item("where") is not None), None)
    return where is not None and name in where.names


def _is_quantity(name: str) -> bool:
    return bool((AMOUNT.search(name) and not _TIME.search(name)) or _COUNTER.search(name))


def _is_read(call: Call) -> bool:
    return re.search(r"(?:get|find|query|first|one|select|scalar|filter|execute|load|all)", call.callee, re.IGNORECASE) is not None


def _names(target: str, root: str) -> bool:
    return root in re.findall(r"\w+", target)


def _names_in(call: Call, root: str) -> bool:
    return any(root in argument.value.names for argument in call.arguments)


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def _lost(facts: FileFacts, name: str, line: int, end_line: int) -> LostUpdate:
    return LostUpdate(facts.path, line, end_line, name, AMOUNT.search(name) is not None)
