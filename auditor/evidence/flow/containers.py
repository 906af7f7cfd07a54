"""Methods of lists, dicts and arrays: what they give, and what the container holds afterwards. Pure functions of values."""

from __future__ import annotations

from dataclasses import replace

from auditor.evidence.flow.language import Arguments, Language
from auditor.evidence.flow.objects import members
from auditor.evidence.flow.values import ANY, NOTHING, UNSET, Unset, Value, constant, element, finer, join, join_all, text_of
from auditor.languages import flow_ir as ir

_Done = tuple[Value, Value]
_Items = dict[ir.Constant, Value]


def container_call(name: str, receiver: Value, arguments: Arguments, language: Language) -> _Done | None:
    """(result, receiver afterwards) of a method of a known container; None for a method that is none of a container's."""
    items = dict(receiver.items or {})
    if name in {"pop", "shift", "popleft"}:
        return _pop(name, receiver, items, arguments)
    if name in {"get", "setdefault", "getlist"}:
        return _get(receiver, items, arguments, language), receiver
    if name in {"values", "copy"}:
        return receiver, receiver
    if name == "concat":
        return Value(
            items={ANY: join_all([members(receiver), *(members(a) if a.items else a for a in arguments.positional)])}, known=True
        ), receiver
    if name == "keys":
        names: _Items = {number: constant(key) for number, key in enumerate(items) if key != ANY}
        return Value(items=names, known=receiver.known and ANY not in items), receiver
    if name == "getvalue":
        return text_of(items.values()), receiver
    if name == "items":
        pairs = (Value(items={0: NOTHING if key == ANY else constant(key), 1: part}, known=True) for key, part in items.items())
        return Value(items=dict(enumerate(pairs)), known=receiver.known), receiver
    if name in language.setters and arguments.positional:
        items[".".join(str(value.const) for value in arguments.positional[:-1])] = arguments.positional[-1]
        return NOTHING, replace(receiver, items=items)
    changed = _added(name, items, arguments)
    return None if changed is None else (NOTHING, replace(receiver, items=changed))


def _added(name: str, items: _Items, arguments: Arguments) -> _Items | None:
    first = arguments.get(0)
    match name:
        case "append" | "add" | "push" | "appendleft" | "write":
            key: ir.Constant = ANY if ANY in items else len(items)
            items[key] = join(items[key], first) if key in items else first
        case "extend" | "update":
            items.update(first.items or {})
            items.update(arguments.named)
            if first.marks:
                items[ANY] = join(items.get(ANY, NOTHING), finer(first, ""))
        case "insert" | "unshift":
            moved = [arguments.get(1 if name == "insert" else 0), *items.values()]
            certain = name == "unshift" or first.const == 0
            items = dict(enumerate(moved)) if certain else {ANY: join_all(moved)}
        case "clear":
            items = {}
        case _:
            return None
    return items


def _get(receiver: Value, items: _Items, arguments: Arguments, language: Language) -> Value:
    keyed = receiver.path in language.keyed
    known = arguments.get(0).const
    if keyed and len(arguments.positional) > 1:
        known = ".".join(str(value.const) for value in arguments.positional)
    found = element(receiver, known)
    certain = keyed or (not isinstance(known, Unset) and known in items)
    return found if certain else join(found, arguments.get(1))


def _pop(name: str, receiver: Value, items: _Items, arguments: Arguments) -> _Done:
    key = arguments.get(0).const
    if isinstance(key, Unset):
        key = 0 if name in {"shift", "popleft"} else len(items) - 1
    if ANY in items or key not in items:
        return join(element(receiver, UNSET), arguments.get(1)), receiver
    found = items.pop(key)
    if isinstance(key, int) and not isinstance(key, bool):
        items = dict(enumerate(items.values()))
    return found, replace(receiver, items=items)
