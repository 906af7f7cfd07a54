"""Expressions of a migration's code as its readers look at them: texts, constants, entries of objects, and calls as chains of links."""

from __future__ import annotations

from dataclasses import dataclass

from auditor.languages import flow_ir as ir

HOLE = "auditor_hole"
"""Stands in a text where a value is put in that nobody can read off."""

_DEEP = 40
_CHAIN_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Link:
    """One part of a chain `base.name(arguments).name`; a part that is not called has no arguments and `called` False."""

    name: str
    arguments: tuple[ir.Expression, ...] = ()
    keywords: tuple[tuple[str, ir.Expression], ...] = ()
    line: int = 0
    called: bool = True

    def argument(self, name: str, position: int = -1) -> ir.Expression | None:
        """The keyword `name`, else the positional argument at `position` (from 0)."""
        for key, value in self.keywords:
            if key == name and name:
                return value
        return self.arguments[position] if 0 <= position < len(self.arguments) else None


@dataclass(frozen=True, slots=True)
class Step:
    """A call with everything it hangs on: `base` is the dotted name in front of the first call, `links` the calls after it, the called name of `base` among them.

    `blocks`: dotted callees of the `with` blocks around it. `looped`: it stands in a loop that could not be unrolled, `over` is what that loop goes over.
    """

    base: str
    links: tuple[Link, ...]
    line: int
    blocks: tuple[str, ...] = ()
    looped: bool = False
    over: ir.Expression | None = None

    @property
    def callee(self) -> str:
        """The dotted path of the whole chain."""
        return ".".join((self.base, *(link.name for link in self.links))).lstrip(".")

    @property
    def last(self) -> Link:
        """The call the chain ends in."""
        return self.links[-1]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A way that raises: `stated` says whether with a reason."""

    line: int
    stated: bool


def text_of(value: ir.Expression | None, depth: int = 0) -> str | None:
    """The text of an evaluated expression, `HOLE` for what is put in; None when it is no text."""
    if depth > _DEEP:
        return None
    match value:
        case ir.Const(value=str() as text):
            return text
        case ir.Template():
            return "".join(_piece(part, depth) for part in value.parts)
        case ir.Call() if value.arguments and _wraps_text(value):
            return text_of(value.arguments[0], depth + 1)
        case ir.Call(function=ir.Attribute(base=base, name=name)) if name in {
            "strip",
            "format",
            "trim",
            "replace",
            "bindparams",
            "execution_options",
        }:
            return text_of(base, depth + 1)
        case _:
            return None


def _piece(part: ir.Expression, depth: int) -> str:
    text = text_of(part, depth + 1)
    if text is not None:
        return text
    return str(part.value) if isinstance(part, ir.Const) and part.value is not None and not isinstance(part.value, bool) else HOLE


def _wraps_text(call: ir.Call) -> bool:
    return dotted(call.function).rpartition(".")[2] in {"text", "dedent", "cleandoc", "DDL", "SQL", "raw", "literal", "f"}


def dotted(value: ir.Expression | None) -> str:
    """The dotted path of names an expression consists of, calls on the way written as their callee."""
    parts: list[str] = []
    seen = 0
    while value is not None and seen < _CHAIN_LIMIT:
        seen += 1
        match value:
            case ir.Attribute():
                parts.append(value.name)
                value = value.base
            case ir.Call():
                value = value.function
            case ir.Index():
                value = value.base
            case ir.Name():
                parts.append(value.id)
                value = None
            case _:
                value = None
    return ".".join(reversed(parts))


def entry(value: ir.Expression | None, *names: str) -> ir.Expression | None:
    """The first of the entries `names` of an object."""
    if isinstance(value, ir.Mapping):
        for name in names:
            for key, item in value.entries:
                if isinstance(key, ir.Const) and key.value == name:
                    return item
    return None


def constant(value: ir.Expression | None) -> ir.Constant:
    """The constant an expression is; None also for what is none."""
    return value.value if isinstance(value, ir.Const) else None


def words(value: ir.Expression | None) -> tuple[str, ...]:
    """The texts of a list of texts, or the one text itself."""
    if isinstance(value, ir.Sequence):
        return tuple(text for item in value.items if (text := text_of(item)) is not None)
    text = text_of(value)
    return (text,) if text is not None else ()


def chain(call: ir.Call) -> tuple[str, tuple[Link, ...]]:
    """The dotted name a chain begins with and its links, the first call's name among the links."""
    links: list[Link] = []
    value: ir.Expression = call
    while len(links) < _CHAIN_LIMIT:
        match value:
            case ir.Call(function=ir.Attribute(base=base, name=name)):
                links.append(Link(name, value.arguments, value.keywords, value.line))
                value = base
            case ir.Call(function=ir.Name(id=name)):
                links.append(Link(name, value.arguments, value.keywords, value.line))
                return "", tuple(reversed(links))
            case ir.Call(function=function):
                links.append(Link("", value.arguments, value.keywords, value.line))
                value = function
            case ir.Attribute(base=base, name=name) if links:
                if isinstance(base, ir.Name | ir.Attribute) and _plain(base):
                    return f"{dotted(base)}.{name}", tuple(reversed(links))
                links.append(Link(name, line=value.line, called=False))
                value = base
            case ir.Index(base=base):
                links.append(Link("[]", line=value.line, called=False))
                value = base
            case ir.Name(id=name):
                return name, tuple(reversed(links))
            case _:
                break
    return "?", tuple(reversed(links))


def _plain(value: ir.Expression) -> bool:
    while isinstance(value, ir.Attribute):
        value = value.base
    return isinstance(value, ir.Name)
