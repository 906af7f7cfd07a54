"""What the arguments of a script router's calls name: handlers, middleware, methods of this file. Part of the evidence ROUTES."""

from __future__ import annotations

import re

from auditor.languages.migrations import last
from auditor.model.syntax import FileFacts, Value, ValueKind


def begins_chain(callee: str) -> bool:
    """Whether `new Hono().use(guard)` begins the chain the routes are in: all calls of a chain have the line it begins at."""
    return re.match(r"^new \w+(?:\(\))?(?:\.(?:basePath|use)(?:\(\))?)*\.use$", callee) is not None


def by_member(facts: FileFacts, name: str) -> int:
    """`this.create` or `controller.create`: the only method of that name in this file."""
    wanted = last(name)
    same = [index for index, d in enumerate(facts.definitions) if d.name == wanted]
    return same[0] if len(same) == 1 and "." in name else -1


def callable_name(value: Value) -> str:
    """The dotted name of a handler: `create`, `controller.create`, `wrap(create)`, `controller.create.bind(controller)`."""
    if value.kind is ValueKind.NAME:
        return value.literal
    if value.kind is ValueKind.CALL:
        if value.literal.endswith(".bind"):
            return value.literal.removesuffix(".bind")
        inner = [item for _, item in value.items if item.kind in {ValueKind.NAME, ValueKind.FUNCTION, ValueKind.CALL}]
        if inner and inner[-1].kind is not ValueKind.FUNCTION:
            return callable_name(inner[-1])
    return ""


def names_of(value: Value | None) -> list[str]:
    """The names of middleware in one argument: a name, a call of a factory, an array of both."""
    if value is None:
        return []
    if value.kind in {ValueKind.NAME, ValueKind.CALL}:
        return [value.literal]
    if value.kind is ValueKind.FUNCTION:
        return ["(inline)"]
    return [item.literal for _, item in value.items if item.kind in {ValueKind.NAME, ValueKind.CALL}]
