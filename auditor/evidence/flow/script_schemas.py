"""Schemas of JavaScript and TypeScript: zod, valibot, yup and joi. Which calls make a schema, change one, or send a value through one.

The four libraries name most of their types alike, so one table serves them; where a name means something else in one of them, that is said.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from auditor.evidence.flow.language import Arguments, Parsing, last_name
from auditor.evidence.flow.shapes import AS_IT_CAME, PLAIN, TEXT, merged, of_list, of_object, one_of, opened, then
from auditor.evidence.flow.values import NOTHING, Shape, Value
from auditor.languages import flow_ir as ir

_LIBRARY = re.compile(
    r"^~?(?P<library>zod(?:/v\d(?:-mini)?|/mini)?|@hono/zod-openapi|astro[:/](?:zod|schema)|valibot|yup|joi|@hapi/joi|celebrate|@sinclair/typebox|typebox|elysia)(?:\.(?:default|z|Joi|Type|t))?\.(?P<name>[\w.]+)$"
)
_HARMLESS = frozenset(
    {
        *("number", "int", "int32", "uint32", "int64", "uint64", "float32", "float64", "bigint", "boolean", "bool", "stringbool", "date", "nan", "null", "undefined", "void", "never"),
        *("uuid", "uuidv4", "uuidv6", "uuidv7", "guid", "nanoid", "cuid2", "ulid", "ipv4", "ipv6", "cidrv4", "cidrv6", "isoDate", "isoDateTime", "isoTimestamp", "isoTime"),
        *("enum", "nativeEnum", "literal", "picklist", "enum_", "base64", "base64url", "hex", "hash", "iso.date", "iso.datetime", "iso.time", "iso.duration", "null_", "void_", "undefined_"),
    }
)  # fmt: skip
_TEXTS = frozenset({"string", "email", "url", "httpUrl", "hostname", "emoji", "cuid", "xid", "ksuid", "e164", "templateLiteral"})
_NARROWS = frozenset(
    {
        *("uuid", "guid", "datetime", "date", "time", "isoDate", "nanoid", "cuid2", "ulid", "ip", "ipv4", "ipv6", "cidr", "alphanum", "hex", "hexadecimal", "token", "digits", "base64"),
        *("isoTimestamp", "isoDateTime", "hexColor", "integer", "valid", "equal", "oneOf", "literal", "only"),
    }
)  # fmt: skip
"""Methods of a text, or actions in a pipe, after which it is an id, a date or one of a few."""
_PATTERNS = frozenset({"regex", "pattern", "matches"})
_REFINES = frozenset({"refine", "check", "test", "assert", "superRefine"})
_TRANSFORMS = frozenset({"transform", "overwrite", "rawTransform"})
_CAPITALISED = frozenset({"typebox", "elysia"})
"""Libraries whose types begin with a capital letter, otherwise named as zod's."""
_OTHERWISE = {"Integer": "int", "Numeric": "number", "UnionEnum": "enum", "Intersect": "intersection", "Composite": "intersection"}
_OPENS = frozenset({"passthrough", "loose", "catchall", "unknown"})
_PLAIN_PARSE = frozenset({"parse", "parseAsync", "decode", "decodeAsync", "validateSync", "cast", "validateAsync", "attempt"})
_WRAPPED_PARSE = frozenset({"safeParse", "safeParseAsync", "safeDecode", "safeDecodeAsync", "spa"})


def schema_call(arguments: Arguments) -> Value | None:
    """The schema a call makes or derives from another one; None when it has nothing to do with schemas."""
    receiver = arguments.receiver.shape
    if receiver is not None:
        changed = _changed(receiver, last_name(arguments.path), arguments)
        return None if changed is None else _schema(_as_in(changed, arguments.receiver.path), arguments.receiver.path)
    known = _LIBRARY.match(arguments.path)
    if known is None or known["name"].rsplit(".", 1)[-1] in _PLAIN_PARSE | _WRAPPED_PARSE:
        return None
    name = known["name"].removeprefix("coerce.")
    if known["library"].removeprefix("@sinclair/") in _CAPITALISED:
        name = _OTHERWISE.get(name, name[:1].lower() + name[1:])
    made = _made(name, arguments)
    return _schema(_as_in(made, known["library"]), f"{known['library']}.{known['name']}()") if made is not None else None


def _as_in(shape: Shape, library: str) -> Shape:
    """Yup lets fields through that nobody declared."""
    return opened(shape) if library.startswith("yup") and shape.kind == "object" else shape


def _schema(shape: Shape, path: str) -> Value:
    """A schema as a value; the fields of an object can be taken out of it again (`schema.shape.name`)."""
    bare = shape.inner if shape.kind == "steps" and shape.inner is not None else shape
    fields = Value(items={name: _schema(inner, path) for name, inner in bare.fields.items()}, known=True) if bare.fields else None
    items: Mapping[ir.Constant, Value] | None = {"shape": fields, "entries": fields} if fields is not None else None
    return Value(path=path, shape=shape, items=items, known=True)


def parsing(arguments: Arguments) -> Parsing | None:
    """What a call sends through which schema, and where in its result the value is."""
    tail, receiver = last_name(arguments.path), arguments.receiver
    shape, value = receiver.shape, arguments.get(0)
    if shape is None:
        standalone = _LIBRARY.match(arguments.path)
        given = next((part for part in arguments.positional if part.shape is not None), None)
        if standalone is None or given is None:
            return None
        shape = given.shape
        value = next((part for part in arguments.positional if part.shape is None), NOTHING)
    assert shape is not None
    if tail in _PLAIN_PARSE:
        return Parsing(shape, value, ())
    if tail in _WRAPPED_PARSE:
        return Parsing(shape, value, ("data", "output"))
    if tail == "validate":  # yup gives the value, joi an object that holds it
        return Parsing(shape, value, ("value",) if "joi" in receiver.path else ())
    return None


def _made(name: str, arguments: Arguments) -> Shape | None:
    if name in _HARMLESS:
        return PLAIN
    if name in _TEXTS:
        return TEXT
    maker = _MAKERS.get(name)
    return maker(arguments) if maker is not None else AS_IT_CAME if name in _UNKNOWN else _action(name, arguments)


_UNKNOWN = frozenset(
    {"any", "unknown", "mixed", "custom", "instanceof", "json", "file", "binary", "func", "function", "promise", "symbol", "blob", "lazy"}
)


def _action(name: str, arguments: Arguments) -> Shape | None:
    """A part of a pipe that stands alone (`v.regex(...)`, `v.transform(...)`): what it makes of a text."""
    return _changed(TEXT, name, arguments) if name in _PATTERNS | _NARROWS | _REFINES | _TRANSFORMS else None


def _fields(value: Value) -> dict[ir.Constant, Shape]:
    return {name: _shape(inner) for name, inner in (value.items or {}).items()}


def _shape(value: Value) -> Shape:
    return value.shape or AS_IT_CAME


def _object(arguments: Arguments) -> Shape:
    given = arguments.get(0)
    return of_object(_fields(given), is_open=not arguments.positional or given.items is None or bool(given.marks))


def _list(arguments: Arguments) -> Shape:
    return of_list(_shape(arguments.get(0)) if arguments.positional else AS_IT_CAME)


def _record(arguments: Arguments) -> Shape:
    return of_list(_shape(arguments.positional[-1]) if arguments.positional else AS_IT_CAME)


def _several(arguments: Arguments) -> list[Shape]:
    found = [part for value in arguments.positional for part in ((value.items or {}).values() if value.shape is None else (value,))]
    return [_shape(part) for part in found if not isinstance(part.const, str)]


def _union(arguments: Arguments) -> Shape:
    return one_of(_several(arguments))


def _both(arguments: Arguments) -> Shape:
    given = _several(arguments)
    return merged(given[0], given[1]) if len(given) == 2 else AS_IT_CAME


def _inner(arguments: Arguments) -> Shape:
    return next((value.shape for value in arguments.positional if value.shape is not None), AS_IT_CAME)


def _pipe(arguments: Arguments) -> Shape:
    """`v.pipe(v.string(), v.trim(), v.uuid())`: the narrowest of what its parts say."""
    shapes = [value.shape for value in arguments.positional if value.shape is not None]
    if not shapes:
        return AS_IT_CAME
    result = shapes[0]
    for shape in shapes[1:]:
        if shape.kind == "harmless":
            result = shape
        for kind, function in shape.steps:
            result = then(result, kind, function)
    return result


_MAKERS: dict[str, Callable[[Arguments], Shape]] = {
    **dict.fromkeys(("object", "strictObject", "interface"), _object),
    **dict.fromkeys(("looseObject", "objectWithRest"), lambda a: opened(_object(a))),
    **dict.fromkeys(("array", "set", "tuple"), _list),
    **dict.fromkeys(("record", "partialRecord", "map"), _record),
    **dict.fromkeys(("union", "or", "discriminatedUnion", "variant", "alternatives"), _union),
    **dict.fromkeys(("intersection", "intersect", "and"), _both),
    **dict.fromkeys(("optional", "nullable", "nullish", "exactOptional", "preprocess", "readonly", "prefault", "fallback", "compile"), _inner),
    "pipe": _pipe,
}  # fmt: skip


def _changed(shape: Shape, name: str, arguments: Arguments) -> Shape | None:
    """The shape after a method of a schema; None for a method that gives no schema."""
    first = arguments.get(0)
    if name in _PLAIN_PARSE | _WRAPPED_PARSE | {"validate", "isValid", "isValidSync"}:
        return None
    if name in {"or", "try"}:
        return one_of([shape, *_several(arguments)]) if name == "or" else _union(arguments)
    if name in _PATTERNS:
        return then(shape, "matches", first)
    if name in _NARROWS:
        return PLAIN if shape.kind in {"text", "any"} else shape
    if name in _REFINES:
        return then(shape, "refine", next((value for value in arguments.positional if value.closure), first))
    if name in _TRANSFORMS:
        return then(shape, "transform", first)
    if name == "pipe":
        return _shape(first) if _shape(first).kind != "any" else then(shape, "transform", NOTHING)
    if name in {"extend", "safeExtend", "augment", "merge", "keys", "append", "concat", "and", "shape"}:
        added = first.shape if first.shape is not None else of_object(_fields(first), is_open=first.items is None)
        return merged(of_object({}), added) if name in {"keys", "shape"} and not shape.fields else merged(shape, added)
    if name == "array" and not arguments.positional:
        return of_list(shape)
    if name in {"items", "of"}:
        return of_list(_union(arguments))
    return opened(shape) if name in _OPENS and (first.shape is not None or first.const is not False) else shape
