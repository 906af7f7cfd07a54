"""What a script's framework lets through before a handler runs: schemas of Fastify's routes, Hono's validators, classes with decorators of class-validator.

Each gives shapes by the part of the request they are about; the engine narrows the handler's request with them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from auditor.evidence.flow.language import Arguments, last_name
from auditor.evidence.flow.shapes import AS_IT_CAME, PLAIN, TEXT, Step, narrowed, of_list, of_object, one_of
from auditor.evidence.flow.values import NOTHING, Scope, Shape, Unset, Value, finer
from auditor.languages import flow_ir as ir

_ROUTES = frozenset({"get", "post", "put", "patch", "delete", "all", "on", "route", "openapi"})
_PARTS: Final[Mapping[str, str]] = {"querystring": "query", "query": "query", "body": "body", "params": "params", "headers": "headers"}
"""Part of a route's schema -> field of the request."""
_PLAIN_TYPES = frozenset({"integer", "number", "boolean", "null"})
_PLAIN_FORMATS = frozenset({"uuid", "date", "date-time", "time", "ipv4", "ipv6"})
_DEPTH = 6
VALIDATED: Final = "\x00validated "
"""Key under which a request holds what its validators let through, by the part they are about."""
_VALIDATORS = re.compile(r"^@hono/(?:zod|valibot|standard|typebox)-validator\.\w+$")
_DECORATED = re.compile(r"@(?:Body|Query|Param)\b.*:\s*(\w+)\s*$", re.DOTALL)
_PLAIN_DECORATORS = re.compile(
    r"@(?:Is(?:Int|Number\w*|Boolean\w*|Date\w*|ISO8601|RFC3339|In|Enum|UUID|MongoId|Positive|Negative|Alpha|Alphanumeric|Port|IP|Hash|Hexadecimal|HexColor|"
    r"DivisibleBy|Latitude|Longitude|LatLong|SemVer|Decimal|ISO\d\w*|Locale|TimeZone|MilitaryTime|Octal)|Min|Max|Equals)\("
)
_TEXT_DECORATORS = re.compile(r"@(?:IsString|IsEmail|IsUrl|IsNotEmpty|Length|MinLength|MaxLength|Matches|Contains|IsAscii|IsPhoneNumber)\(")


def validator(arguments: Arguments) -> Value | None:
    """`zValidator("query", schema)`: middleware that lets through what a schema does."""
    if not _VALIDATORS.match(arguments.path):
        return None
    return Value(path=f"{arguments.path}()", items={"part": arguments.get(0), "by": arguments.get(1)}, known=True)


def declared(arguments: Arguments) -> dict[str, Shape]:
    """Part of the request -> shape, of a call that registers a handler."""
    if last_name(arguments.path) not in _ROUTES:
        return {}
    found: dict[str, Shape] = {}
    for value in arguments.positional:
        items = value.items or {}
        part, by = items.get("part", NOTHING).const, items.get("by", NOTHING).shape
        if _VALIDATORS.match(value.path.removesuffix("()")) and isinstance(part, str) and by is not None:
            found[f"{VALIDATED}{part}"] = by
        for name, schema in (items.get("schema", NOTHING).items or {}).items():
            if name in _PARTS:
                found[_PARTS[str(name)]] = schema.shape or json_shape(schema)
    return found


def received(request: Value, shapes: Mapping[str, Shape], step: Step) -> Value:
    """A request whose parts went through the shapes of its route."""
    parts = {name: shape for name, shape in shapes.items() if not name.startswith(VALIDATED)}
    fields: dict[ir.Constant, Value] = {name: narrowed(finer(request, name), shape, step) for name, shape in parts.items()}
    validated: dict[ir.Constant, Value] = {
        name: narrowed(finer(request, name.removeprefix(VALIDATED)), shape, step) for name, shape in shapes.items() if name not in parts
    }
    if validated:
        fields["req"] = replace(finer(request, "req"), items=validated, path=f"{request.path}.req")
    return replace(request, items={**(request.items or {}), **fields})


def validated(arguments: Arguments) -> Value | None:
    """`c.req.valid("query")`."""
    part = arguments.get(0).const
    found = (arguments.receiver.items or {}).get(f"{VALIDATED}{part}")
    return found if last_name(arguments.path) == "valid" and not isinstance(part, Unset) else None


def json_shape(schema: Value, depth: int = 0) -> Shape:
    """The shape of a JSON schema written as an object."""
    if schema.shape is not None:
        return schema.shape
    items = schema.items or {}
    kind, form = items.get("type", NOTHING).const, items.get("format", NOTHING).const
    if depth > _DEPTH or schema.items is None:
        return AS_IT_CAME
    if kind in _PLAIN_TYPES or form in _PLAIN_FORMATS or "enum" in items or "const" in items:
        return PLAIN
    if kind == "string":
        return TEXT
    if kind == "array":
        return of_list(json_shape(items["items"], depth + 1)) if "items" in items else AS_IT_CAME
    if "anyOf" in items or "oneOf" in items:
        return one_of(json_shape(choice, depth + 1) for choice in ((items.get("anyOf") or items["oneOf"]).items or {}).values())
    if kind == "object" or "properties" in items:
        properties = items.get("properties", NOTHING).items or {}
        is_open = items.get("additionalProperties", NOTHING).const is not False
        return of_object({name: json_shape(part, depth + 1) for name, part in properties.items()}, is_open=is_open)
    return AS_IT_CAME


def of_class(annotation: str, scope: Scope) -> Shape | None:
    """What a framework lets through of a parameter whose class says by decorators what its fields are."""
    named = _DECORATED.search(annotation)
    known = scope.get(named[1]) if named else None
    blueprint = known.blueprint if known is not None else None
    if blueprint is None or not any("@" in text for _, text in blueprint.fields):
        return None
    return of_object({name: _field(text) for name, text in blueprint.fields}, is_open=True)


def _field(text: str) -> Shape:
    return PLAIN if _PLAIN_DECORATORS.search(text) else TEXT if _TEXT_DECORATORS.search(text) else AS_IT_CAME
