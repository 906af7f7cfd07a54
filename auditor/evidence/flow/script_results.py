"""What calls of known functions give in JavaScript and TypeScript: the transfer functions of the flow analysis."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from auditor.evidence.flow.language import Arguments, last_name
from auditor.evidence.flow.objects import members
from auditor.evidence.flow.values import ALL, ANY, HOLE, NOTHING, OWN_HOLE, UNSET, Value, constant, element, text_of
from auditor.evidence.flow.weaknesses import is_local_target
from auditor.languages import flow_ir as ir

_NESTED = 4


def _joined(arguments: Arguments) -> Value:
    parts: list[Value] = []
    for value in arguments.positional:
        parts += [value, constant("/")]
    return replace(text_of(parts[:-1]), path=f"{arguments.path}()")


def _relative(arguments: Arguments) -> Value:
    """`path.relative(folder, file)`: where the file lies from there; it begins with two dots when that is outside."""
    given = arguments.get(1)
    return Value(given.every_mark, path=f"{arguments.path}()", known=arguments.known)


def _receiver(arguments: Arguments) -> Value:
    value = arguments.receiver
    marks = value.every_mark | frozenset().union(*(part.every_mark for part in arguments.every))
    known = value.known and arguments.known
    read = last_name(arguments.path) in {"json", "text"}  # the body of a request is still its fields
    path = value.path if read else f"{arguments.path}()"
    owned = value.owned and arguments.known
    return replace(value, marks=marks, items=None, const=UNSET if marks else value.const, path=path, known=known, composed=owned)


def _replaced(arguments: Arguments) -> Value:
    result = _receiver(arguments)
    pattern = (arguments.get(0).items or {}).get("pattern", arguments.get(0)).const
    if isinstance(pattern, str) and re.match(r"^\[\^[\w\s.\\-]+\][+*]?$", pattern):
        return result.cleaned(ALL)
    if isinstance(pattern, str) and pattern.startswith("[") and {"*", "+", "("} <= set(pattern) and "\\" in str(arguments.get(1).const):
        return result.cleaned(frozenset({"pattern"}))
    if isinstance(pattern, str) and pattern in {"<", "[<>]", "[&<>]", "[&<>\"']", "[<>&\"']", "&"}:
        return result.cleaned(frozenset({"markup"}))
    return result


def _array_text(arguments: Arguments) -> Value:
    receiver = arguments.receiver
    if receiver.items is None:
        return Value(receiver.marks, known=receiver.known)
    separators = (arguments.get(0),) if arguments.positional else ()
    return replace(text_of([*receiver.items.values(), *separators]), marks=receiver.every_mark, const=UNSET)


def _split(arguments: Arguments) -> Value | None:
    """The pieces of a text: of each as much is known as of the whole."""
    text = arguments.receiver
    if text.items is not None or not text.owned:
        return None
    return Value(items={ANY: Value(text.marks, known=text.known, composed=True)}, known=True)


def _formatted_address(arguments: Arguments) -> Value:
    """`url.format({ pathname, query })` begins with its path name."""
    given = arguments.get(0)
    path = (given.items or {}).get("pathname", NOTHING)
    host = (given.items or {}).get("host")
    return Value(given.every_mark, skeleton=f"{path.skeleton}?{HOLE}" if host is None else HOLE)


def _address(arguments: Arguments) -> Value:
    """`new URL(path, base)`: the host is the base's unless the path brings its own."""
    given, base = arguments.get(0), arguments.get(1)
    if len(arguments.positional) > 1 and not base.every_mark and is_local_target(given.skeleton):
        return Value(given.every_mark, skeleton=OWN_HOLE + given.skeleton, path="~URL()", known=arguments.known)
    return Value(given.every_mark | base.every_mark, skeleton=given.skeleton, path="~URL()", known=arguments.known)


def _written(arguments: Arguments) -> Value:
    """A text made of a structure, which stays known: what is sent to a model is written so."""
    return Value(arguments.get(0).every_mark, items={"json": arguments.get(0)})


def _first(arguments: Arguments) -> Value:
    return arguments.get(0)


def _text(arguments: Arguments) -> Value:
    return replace(arguments.get(0), path="String()", items=None, marks=arguments.get(0).every_mark)


def _keys(arguments: Arguments) -> Value:
    """The names of an object's fields: constants where the code wrote them, as outside as the object where it came so."""
    given = arguments.get(0)
    found: dict[ir.Constant, Value] = {number: constant(key) for number, key in enumerate(given.items or {}) if key != ANY}
    if given.items is None or given.marks or ANY in given.items:
        found[ANY] = Value(given.marks, known=given.known and given.items is None)
    return Value(items=found, known=True)


def _values(arguments: Arguments) -> Value:
    return Value(items={ANY: members(arguments.get(0))}, known=True)


def _pairs(arguments: Arguments) -> Value:
    return Value(items={ANY: Value(items={0: members(_keys(arguments)), 1: members(arguments.get(0))}, known=True)}, known=True)


def _of_pairs(arguments: Arguments) -> Value:
    given = arguments.get(0)
    if given.items is None:
        return Value(given.marks, known=given.known)
    return Value(items={ANY: element(members(given), 1)}, known=True)


def shown(value: Value, depth: int = 0) -> Value:
    """A value as it stands in a text: of an object, whose class has no say in it, nothing but that it is one."""
    if not value.items or value.path or value.blueprint is not None or depth > _NESTED:
        return value
    if any(isinstance(key, str) and key != ANY for key in value.items):
        return Value(value.marks, known=value.known)
    return replace(value, items={key: shown(part, depth + 1) for key, part in value.items.items()})


RESULTS: dict[str, Callable[[Arguments], Value]] = {
    **dict.fromkeys(("path.join", "path.resolve", "join", "resolve", "path.posix.join", "path.normalize"), _joined),
    **dict.fromkeys(("path.relative", "path.posix.relative"), _relative), "URL": _address, "url.format": _formatted_address, "String": _text, "Object.assign": _first, "structuredClone": _first, "Object.freeze": _first,
    "Object.keys": _keys, "Object.values": _values, "Object.entries": _pairs, "Object.fromEntries": _of_pairs, "Promise.resolve": _first, "decodeHtml": _first,
    "JSON.stringify": _written, "@vercel/functions.geolocation": lambda _: NOTHING,
    "RegExp": lambda a: Value(path="RegExp()", items={"pattern": a.get(0)}),
}  # fmt: skip
METHOD_RESULTS: dict[str, Callable[[Arguments], Value | None]] = {
    **dict.fromkeys(("trim", "toLowerCase", "toUpperCase", "toString", "trimEnd", "trimStart", "padStart", "slice", "substring", "concat", "normalize", "json", "text", "valueOf"), _receiver),
    **dict.fromkeys(("readFile", "readFileSync", "readdir", "readdirSync", "createReadStream", "existsSync", "stat", "statSync"), lambda _: NOTHING),
    "replace": _replaced, "replaceAll": _replaced, "join": _array_text, "split": _split,
}  # fmt: skip
