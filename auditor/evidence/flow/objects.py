"""Objects, containers and checked values: how members are found, how a method gets its object, what a list or dict holds after a call."""

from __future__ import annotations

from dataclasses import replace

from auditor.evidence.flow.values import HARMLESS, Unset, Value, finer, join_all


def clean_value(value: Value, origins: set[tuple[str, int, str]], classes: frozenset[str], depth: int = 0) -> Value:
    """The value with the marks of `origins` made harmless for `classes`, entries included."""
    if not value.marks and not value.items:
        return value
    marks = frozenset(mark.cleaned(classes) if mark.origin in origins else mark for mark in value.marks)
    items = value.items
    if items and depth < 4:
        items = {key: clean_value(part, origins, classes, depth + 1) for key, part in items.items()}
    return value if marks == value.marks and items == value.items else replace(value, marks=marks, items=items)


def members(value: Value) -> Value:
    """Any one entry of something that is iterated over."""
    if isinstance(value.const, str):
        return HARMLESS
    own = finer(value, "")
    return join_all([*([own] if own.marks else []), *value.items.values()]) if value.items else own


def named(value: Value, name: str) -> Value:
    """A value nothing is known of is at least known by the name it was given."""
    return (
        value if not isinstance(value.const, Unset) or value.closure or value.blueprint or value.shape else replace(value, path=f"~{name}")
    )


def given_back(value: Value) -> Value:
    """What a function gives back: what is not known of the texts it writes is its own matter, and so is that of the texts in a pair or an object."""
    if value.written and not value.known:
        return replace(value, composed=True)
    if value.items and any(part.written and not part.owned for part in value.items.values()):
        items = {key: replace(part, composed=True) if part.written and not part.known else part for key, part in value.items.items()}
        return replace(value, items=items)
    return value


def inherited(base: Value, name: str) -> Value | None:
    """A method or class variable of the object's class or of one of its bases, nearest first."""
    pending = [base.blueprint] if base.blueprint is not None else []
    for _ in range(20):
        if not pending:
            return None
        blueprint = pending.pop(0)
        found = blueprint.members.get(name)
        if found is not None:
            return bound_to(found, base)
        pending.extend(parent.blueprint for parent in blueprint.bases if parent.blueprint is not None)
    return None


def bound_to(found: Value, base: Value) -> Value:
    """A method as it is reached through its object or class; static methods get no object."""
    if found.closure is None:
        return found
    kinds = {getattr(decorator, "id", "") for decorator in found.closure.function.decorators}
    if "staticmethod" in kinds or (
        base.blueprint is not None and base.path and not base.path.endswith("()") and "classmethod" not in kinds
    ):
        return replace(found, closure=replace(found.closure, static=True))
    return replace(found, closure=replace(found.closure, bound=base))


def signature(value: Value) -> object:
    """What makes two calls of a function alike."""
    items = tuple(sorted(((repr(key), signature(part)) for key, part in value.items.items()), key=lambda p: p[0])) if value.items else ()
    const = None if isinstance(value.const, Unset) else (type(value.const), value.const)
    return (
        value.marks,
        value.known,
        value.composed,
        const,
        value.path,
        value.skeleton,
        value.shape,
        id(value.closure.function) if value.closure else 0,
        items,
    )
