"""What a schema leaves of a value, field by field: the values of a shape, and how shapes are put together. Pure functions; which calls make shapes stands in the tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Final

from auditor.evidence.flow.objects import members
from auditor.evidence.flow.values import ANY, HARMLESS, Blueprint, Mark, Shape, Value, element, join_all
from auditor.languages import flow_ir as ir

AS_IT_CAME: Final = Shape("any")
TEXT: Final = Shape("text")
PLAIN: Final = Shape("harmless")
TEXT_PATH: Final = "String()"
"""What a value is known as that can only be a text."""
_CHOICES = 40
_DEPTH = 8
"""Objects inside of one another that are told apart."""

Step = Callable[[str, Value, Value], Value]
"""What a value is after a step of the code's own: its kind, the function, the value before it."""


def of_object(fields: Mapping[ir.Constant, Shape], *, is_open: bool = False, model: Blueprint | None = None) -> Shape:
    """An object with these fields, and further ones if it is open."""
    return Shape("object", fields=fields, open=is_open, model=model)


def of_list(inner: Shape) -> Shape:
    """A list, or an object with entries under keys nobody knows."""
    return Shape("list", inner=inner)


def one_of(choices: Iterable[Shape]) -> Shape:
    """Any one of several."""
    given = tuple(choices)
    return given[0] if len(given) == 1 else Shape("union", choices=given) if given else AS_IT_CAME


def then(shape: Shape, kind: str, function: Value) -> Shape:
    """A shape with one more step after it: "refine" refuses what the function does not accept, "transform" goes on with what it gives."""
    if shape.kind == "steps":
        return replace(shape, steps=(*shape.steps, (kind, function)))
    return Shape("steps", inner=shape, steps=((kind, function),))


def merged(one: Shape, other: Shape) -> Shape:
    """Both objects in one, the fields of the later first, for each of the choices there are; what is no object stays as it is."""
    base, added = _bare(one), _bare(other)
    if "union" in {base.kind, added.kind}:
        pairs = [(a, b) for a in base.choices or (base,) for b in added.choices or (added,)]
        return one_of(merged(a, b) for a, b in pairs[:_CHOICES])
    if base.kind != "object" or added.kind != "object":
        return AS_IT_CAME
    return of_object({**base.fields, **added.fields}, is_open=base.open or added.open)


def opened(shape: Shape) -> Shape:
    """The same object, which lets further fields through."""
    bare = _bare(shape)
    return replace(bare, open=True) if bare.kind == "object" else bare


def _bare(shape: Shape) -> Shape:
    """The shape without the steps after it: those look at the object as a whole."""
    while shape.kind == "steps" and shape.inner is not None:
        shape = shape.inner
    return shape


def narrowed(value: Value, shape: Shape, step: Step, depth: int = 0) -> Value:
    """What is left of `value` after it went through `shape`."""
    if depth > _DEPTH:
        return value
    match shape.kind:
        case "harmless":
            return HARMLESS
        case "text":
            return replace(value.cleaned(shape.clean), items=None, path=TEXT_PATH)
        case "list" if shape.inner is not None:
            return Value(items={ANY: narrowed(members(value), shape.inner, step, depth + 1)}, known=True)
        case "union":
            return join_all(narrowed(value, choice, step, depth + 1) for choice in shape.choices)
        case "steps" if shape.inner is not None:
            result = narrowed(value, shape.inner, step, depth + 1)
            for kind, function in shape.steps:
                result = step(kind, function, result)
            return result
        case "object":
            fields = {name: narrowed(_field(value, name), inner, step, depth + 1) for name, inner in shape.fields.items()}
            own = value.marks if shape.open else frozenset()
            path = f"~{shape.model.name}()" if shape.model is not None else ""
            return Value(own, items=fields, known=value.known if shape.open else True, blueprint=shape.model, path=path)
        case _:
            return value


def _field(value: Value, name: ir.Constant) -> Value:
    return element(value, name, name if isinstance(name, str) else "")


def looked_at(value: Value, shape: Shape, step: Step) -> Value:
    """The value itself after a schema has looked at it and refused what it does not allow: its fields are as narrow, further ones are still there."""
    bare = _bare(shape)
    if bare.kind != "object":
        return value.cleaned(frozenset({"*"})) if bare.kind == "harmless" else value
    return replace(value, items={**(value.items or {}), **(narrowed(value, bare, step).items or {})})


def refused(mark: Mark, shape: Shape) -> Iterable[Mark]:
    """The fields of something marked that are harmless once the schema has let it through, as marks."""
    bare = _bare(shape)
    for name, inner in bare.fields.items() if bare.kind == "object" else ():
        if _bare(inner).kind == "harmless":
            yield replace(mark, detail=f"{mark.detail}.{name}".strip(".")[:80], clean=frozenset({"*"}))
