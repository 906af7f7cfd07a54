"""Schemas of Python: types of parameters and fields that FastAPI and pydantic check, marshmallow's schemas, forms and serializers of Django."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from auditor.evidence.flow.language import Arguments, Parsing, last_name
from auditor.evidence.flow.shapes import AS_IT_CAME, PLAIN, TEXT, of_list, of_object, one_of, opened, then
from auditor.evidence.flow.values import NOTHING, Blueprint, Scope, Shape, Value, constant
from auditor.languages import flow_ir as ir

_LONGEST, _DEPTH, _BASES = 400, 6, 20
_MODEL = re.compile(
    r"^(?:pydantic(?:\.\w+)*\.BaseModel|pydantic_settings\.BaseSettings|sqlmodel\.SQLModel|ninja\.(?:Schema|ModelSchema)|msgspec\.Struct)$"
)
_ENUMERATION = re.compile(r"(?:^|[.~])(?:\w*Enum|IntFlag|Flag|(?:Text|Integer)?Choices)$")
_PLAIN_TYPES = frozenset(
    {
        *("int", "float", "bool", "complex", "UUID", "UUID1", "UUID3", "UUID4", "UUID5", "UUID7", "date", "datetime", "time", "timedelta", "Decimal", "Literal", "NoneType"),
        *("PositiveInt", "NonNegativeInt", "NegativeInt", "NonPositiveInt", "PositiveFloat", "NonNegativeFloat", "StrictInt", "StrictFloat", "StrictBool", "conint", "confloat", "condecimal", "condate"),
        *("AwareDatetime", "NaiveDatetime", "PastDate", "FutureDate", "PastDatetime", "FutureDatetime", "ObjectId", "PydanticObjectId", "IPv4Address", "IPv6Address", "IPvAnyAddress", "ByteSize"),
    }
)  # fmt: skip
_LISTS = frozenset(
    {"list", "List", "set", "Set", "frozenset", "FrozenSet", "tuple", "Tuple", "Sequence", "Iterable", "Collection", "conlist", "conset"}
)
_TABLES = frozenset({"dict", "Dict", "Mapping", "MutableMapping", "defaultdict"})
_TEXTS = frozenset(
    {"str", "constr", "StrictStr", "AnyStr", "bytes", "EmailStr", "AnyUrl", "HttpUrl", "AnyHttpUrl", "SecretStr", "NameEmail"}
)
_PARSES = frozenset({"model_validate", "parse_obj", "model_validate_json", "parse_raw", "model_validate_strings", "from_orm"})

_FIELD = re.compile(
    r"^(?:marshmallow\.fields|webargs\.fields|apiflask\.fields|flask_marshmallow\.(?:fields|Marshmallow\(\)(?:\.fields)?)|django\.forms(?:\.fields)?|rest_framework\.(?:serializers|fields|relations))\.(?P<name>\w+)$"
)
_CHECK = re.compile(r"^marshmallow\.validate\.(?P<name>\w+)$")
_EXTRA = re.compile(
    r"^(?:pydantic(?:\.\w+)?\.(?:Field|constr|StringConstraints)|fastapi(?:\.\w+)?\.(?:Query|Path|Body|Form|Header|Cookie|Param)|sqlmodel\.Field)$"
)
_PLAIN_FIELDS = re.compile(
    r"^(?:Int|Integer|Float|Decimal|Number|Bool|Boolean|NullBoolean|UUID|Date|DateTime|NaiveDateTime|AwareDateTime|Time|TimeDelta|Duration|Enum|IP|IPv4|IPv6|IPAddress|GenericIPAddress|Slug|Choice|TypedChoice"
    r"|MultipleChoice|TypedMultipleChoice|ModelChoice|ModelMultipleChoice|PrimaryKeyRelated|SlugRelated)(?:Field)?$"
)


# -- types ---------------------------------------------------------------------------------------------------------------------------


def annotated(annotation: str, scope: Scope) -> Shape | None:
    """What a value of the annotated type can be; None for a type that lets everything through, or that nobody here knows."""
    if len(annotation) > _LONGEST:
        return None
    try:
        read = ast.parse(annotation.strip("\"' "), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None
    shape = _of_type(read, scope, 0)
    return None if shape is AS_IT_CAME else shape


def _of_type(node: ast.expr, scope: Scope, depth: int) -> Shape:
    if depth > _DEPTH:
        return AS_IT_CAME
    match node:
        case ast.Constant(value=None):
            return PLAIN
        case ast.Constant(value=str() as text) if len(text) <= _LONGEST:
            return annotated(text, scope) or AS_IT_CAME
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return one_of((_of_type(left, scope, depth + 1), _of_type(right, scope, depth + 1)))
        case ast.Subscript(value=base, slice=inner):
            return _of_generic(_last(base), list(inner.elts) if isinstance(inner, ast.Tuple) else [inner], scope, depth)
        case ast.Call(func=function):
            return _constrained(_named(_last(function), scope, depth), node)
        case ast.Name() | ast.Attribute():
            return _named(_last(node), scope, depth)
        case _:
            return AS_IT_CAME


def _of_generic(name: str, given: list[ast.expr], scope: Scope, depth: int) -> Shape:
    if name == "Annotated" and given:
        shape = _of_type(given[0], scope, depth + 1)
        for extra in given[1:]:
            shape = _constrained(shape, extra) if isinstance(extra, ast.Call) else shape
        return shape
    if name in {"Optional", "Union"}:
        return one_of([_of_type(part, scope, depth + 1) for part in given])
    if name in _LISTS:
        return of_list(one_of([_of_type(part, scope, depth + 1) for part in given if not isinstance(part, ast.Constant)]))
    if name in _TABLES:
        return of_list(_of_type(given[-1], scope, depth + 1))
    return _named(name, scope, depth)


def _constrained(shape: Shape, call: ast.Call) -> Shape:
    """A type with a pattern it must match from its first letter to its last."""
    texts = [k.value.value for k in call.keywords if k.arg in {"pattern", "regex"} and isinstance(k.value, ast.Constant)]
    return _matching(shape, constant(texts[0])) if texts and isinstance(texts[0], str) else shape


def _matching(shape: Shape, pattern: Value) -> Shape:
    whole = isinstance(pattern.const, str) and pattern.const.startswith("^")
    return then(shape, "matches", Value(items={"pattern": pattern})) if whole else shape


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _named(name: str, scope: Scope, depth: int) -> Shape:
    known = scope.get(name)
    blueprint = known.blueprint if known is not None else None
    if blueprint is not None:
        if any(_ENUMERATION.search(base.path) for base in _bases(blueprint)):
            return PLAIN
        return _of_model(blueprint, depth) or AS_IT_CAME
    if name in _PLAIN_TYPES:
        return PLAIN
    return TEXT if name in _TEXTS else AS_IT_CAME


def _bases(blueprint: Blueprint) -> Iterator[Value]:
    """All bases of a class, its own first."""
    pending = list(blueprint.bases)
    for _ in range(_BASES):
        if not pending:
            return
        base = pending.pop(0)
        yield base
        pending.extend(base.blueprint.bases if base.blueprint is not None else ())


def _of_model(blueprint: Blueprint, depth: int = 0) -> Shape | None:
    """The shape of a class whose objects are checked when they are made; None for other classes."""
    bases = list(_bases(blueprint))
    if not any(_MODEL.match(base.path) for base in bases):
        return None
    fields: dict[ir.Constant, Shape] = {}
    for part in (*(base.blueprint for base in reversed(bases) if base.blueprint is not None), blueprint):
        for name, annotation in part.fields:
            shape = _of_type(_parsed(annotation), part.scope or Scope(), depth + 1)
            extra = part.members.get(name, NOTHING).shape
            fields[name] = then_all(shape, extra) if extra is not None else shape
    return of_object(fields, model=blueprint)


def then_all(shape: Shape, extra: Shape) -> Shape:
    """A shape with the steps of another one after it."""
    for kind, function in extra.steps:
        shape = then(shape, kind, function)
    return shape


def _parsed(annotation: str) -> ast.expr:
    try:
        return ast.parse(annotation if len(annotation) <= _LONGEST else "None", mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return ast.Name("object")


# -- fields ---------------------------------------------------------------------------------------------------------------------------


def schema_field(arguments: Arguments) -> Value | None:
    """The field of a schema, form or serializer that a call declares, or a check that a field is given."""
    path = arguments.path
    field, check = _FIELD.match(path), _CHECK.match(path)
    if field is not None:
        shape = _of_field(field["name"], arguments)
    elif check is not None:
        shape = PLAIN if check["name"] in {"OneOf", "Equal", "ContainsOnly"} else _matching(TEXT, arguments.get(0, "regex"))
    elif _EXTRA.match(path) and ("pattern" in arguments.named or "regex" in arguments.named):
        shape = _matching(TEXT, arguments.get(-1, "pattern", "regex"))
    else:
        return None
    return Value(path=f"{path}()", shape=shape)


def _of_field(name: str, arguments: Arguments) -> Shape:
    if _PLAIN_FIELDS.match(name):
        return PLAIN
    first = arguments.get(0, "nested", "cls_or_instance", "child")
    if name == "Nested":
        return (_of_fields(first.blueprint) if first.blueprint is not None else None) or AS_IT_CAME
    if name in {"List", "ListField", "DelimitedList"}:
        return of_list(first.shape or AS_IT_CAME)
    if name == "RegexField":
        return _matching(TEXT, arguments.get(0, "regex"))
    check = arguments.named.get("validate", NOTHING)
    checks = [value.shape for value in (check, *(check.items or {}).values()) if value.shape is not None]
    if any(shape is PLAIN for shape in checks):
        return PLAIN
    text = TEXT
    for shape in checks:
        text = then_all(text, shape)
    return text if name in {"Str", "String", "CharField", "Email", "EmailField", "Url", "URL", "URLField"} else AS_IT_CAME


def _of_fields(blueprint: Blueprint) -> Shape | None:
    """The shape of a class whose class variables declare fields; None for a class without."""
    classes = [*(base.blueprint for base in reversed(list(_bases(blueprint))) if base.blueprint is not None), blueprint]
    fields = {name: value.shape for part in classes for name, value in part.members.items() if value.shape is not None}
    return of_object(fields) if fields else None


# -- values sent through them ---------------------------------------------------------------------------------------------------------


def parsing(arguments: Arguments) -> Parsing | None:
    """What a call sends through a model, a schema, a form or a serializer."""
    made, receiver, tail = arguments.function, arguments.receiver.blueprint, last_name(arguments.path)
    if made.blueprint is not None and not made.path.endswith("()"):
        return _made_of(made, made.blueprint, arguments)
    if receiver is None:
        return None
    if tail in _PARSES:
        shape = _of_model(receiver)
        return Parsing(shape, arguments.get(0), ()) if shape is not None else None
    if tail in {"load", "loads"}:
        shape = _of_fields(receiver)
        return Parsing(shape, arguments.get(0), ()) if shape is not None else None
    return None


def _made_of(made: Value, blueprint: Blueprint, arguments: Arguments) -> Parsing | None:
    """`Model(**data)`, `Form(request.POST)`, `Serializer(data=request.data)`."""
    if "__init__" not in blueprint.members:
        shape = _of_model(blueprint)
        if shape is not None:
            spread = next(iter(arguments.positional), NOTHING)
            given = Value(spread.marks, items={**(spread.items or {}), **arguments.named}, known=spread.known or not arguments.positional)
            return Parsing(shape, given, ())
    shape = _of_fields(blueprint)
    bound = arguments.get(0, "data")
    if shape is None or not bound.marks or not any(base.path.startswith(("django.", "rest_framework.")) for base in _bases(blueprint)):
        return None
    return Parsing(opened(shape), bound, ("cleaned_data", "validated_data"), made)
