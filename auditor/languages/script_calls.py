"""Calls, names, texts, mark-up and environment reads of scripts."""

from __future__ import annotations

import re

from tree_sitter import Node

from auditor.languages.script_handlers import promise_handler
from auditor.languages.script_imports import dynamic_import, glob_import, required_module, worker_import
from auditor.languages.script_nodes import FUNCTIONS
from auditor.languages.script_walk import PLAIN, Frame, Handle, Use, Walk
from auditor.languages.tree import end_line_of
from auditor.model.syntax import Argument, Call, Control, EnvironmentRead, Literal, Reference, Value

_ITERATIONS = frozenset(
    {
        "map",
        "forEach",
        "flatMap",
        "filter",
        "reduce",
        "reduceRight",
        "some",
        "every",
        "find",
        "findIndex",
        "each",
        "eachSeries",
        "mapSeries",
    }
)
_LATER = frozenset({"setTimeout", "setInterval", "setImmediate", "nextTick", "addEventListener", "on", "once", "subscribe", "queueMicrotask", "requestAnimationFrame", "useEffect"})  # fmt: skip
_NUMBERS = frozenset({"Number", "parseInt", "parseFloat", "String", "Boolean", "Number.parseInt", "Number.parseFloat"})
_WRAPPING = re.compile(r"^(?:React\.)?(?:memo|forwardRef|useCallback|cache)$|^[a-z]\w*$")
_SHORTEST_TEXT = 4
_LONGEST_TEXT = 400
_LONGEST_ATTRIBUTE = 120
_ACTS = frozenset({"href", "to", "onClick", "onPress", "onSubmit"})
"""Attributes that make an element do something when it is used."""
_INLINE = Use(inline=True)
_LOOPED = Use(inline=True, loops=True)


def _call(walk: Walk, node: Node, frame: Frame, use: Use) -> None:
    function = node.child_by_field_name("function")
    listed = node.child_by_field_name("arguments")
    if function is None:
        walk.children(node, frame)
        return
    callee = walk.values.path(function)
    inner = _promise_frame(walk, function, callee, listed, frame)
    _record(walk, node, callee, frame, use)
    if function.type == "import" or callee == "require":
        (dynamic_import if callee == "import" else required_module)(walk, node, frame, use)
        if listed is not None and all(child.type in {"string", "comment"} for child in listed.named_children):
            return
    elif callee in {"import.meta.glob", "import.meta.globEager"}:
        glob_import(walk, node, frame)
    elif callee == "eval":
        walk.scoped = False
    elif callee in {"Deno.env.get", "Bun.env.get"}:
        _environment_call(walk, node, frame, use)
    _queue_arguments(walk, listed, callee, frame, use)
    walk.later(function, inner)


def _promise_frame(walk: Walk, function: Node, callee: str, listed: Node | None, frame: Frame) -> Frame:
    """The frame of what stands before the call: guarded where the call is a promise's error handler, which is noted."""
    if listed is None or not callee.endswith((".catch", ".then")) or function.type != "member_expression":
        return frame
    given = [child for child in listed.named_children if child.type != "comment"] if listed.type == "arguments" else []
    position = 0 if callee.endswith(".catch") else 1
    promise = function.child_by_field_name("object")
    if len(given) <= position or promise is None:
        return frame
    walk.handlers.append(promise_handler(walk, given[position], promise, frame))
    return frame.guard()


def _is_awaited(node: Node, use: Use) -> bool:
    """Whether a call is awaited; the grammar puts `await` inside of a call with type arguments (`await load<T>()`)."""
    function = node.child_by_field_name("function")
    inside = function is not None and function.type == "await_expression" and node.child_by_field_name("type_arguments") is not None
    return use.awaited or inside


def _record(walk: Walk, node: Node, callee: str, frame: Frame, use: Use) -> None:
    arguments = tuple(Argument(name, value) for name, value in walk.values.arguments(node))
    walk.calls.append(
        Call(
            callee,
            arguments,
            node.start_point[0] + 1,
            end_line_of(node),
            frame.definition,
            awaited=_is_awaited(node, use),
            target=use.target,
            guarded=frame.guarded,
            used=use.used,
            in_loop=frame.loop,
        )
    )


def _queue_arguments(walk: Walk, listed: Node | None, callee: str, frame: Frame, use: Use) -> None:
    if listed is None:
        return
    if listed.type != "arguments":
        walk.later(listed, frame)
        return
    last = callee.rsplit(".", 1)[-1]
    callback = PLAIN if last in _LATER else _LOOPED if last in _ITERATIONS and "." in callee else _INLINE
    default = use.default if callee in _NUMBERS else None
    if use.name and _WRAPPING.match(callee):
        callback = Use(name=use.name, inline=callback.inline)
    for child in listed.named_children[::-1]:
        if child.type in FUNCTIONS:
            walk.later(child, frame, callback)
        elif default is not None or (callee in _NUMBERS and use.target):
            walk.later(child, frame, Use(use.target, default=default) if child.type != "call_expression" else Use(default=default))
        else:
            walk.later(child, frame)


def _new(walk: Walk, node: Node, frame: Frame, use: Use) -> None:
    constructor = node.child_by_field_name("constructor")
    callee = walk.values.callee(node)
    _record(walk, node, callee, frame, use)
    if callee == "new URL":
        worker_import(walk, node, frame)
    _queue_arguments(walk, node.child_by_field_name("arguments"), callee, frame, PLAIN)
    walk.later(constructor, frame)


# -- names -------------------------------------------------------------------------------------------------------------------------------


def _identifier(walk: Walk, node: Node, frame: Frame, _use: Use) -> None:
    walk.mention(walk.values.text(node), node, frame)


def _member(walk: Walk, node: Node, frame: Frame, use: Use) -> None:
    inner = node.child_by_field_name("object")
    if inner is None:
        return
    if walk.reads_environment and walk.is_environment(inner):
        name = node.child_by_field_name("property")
        if name is not None:
            _read(walk, walk.values.text(name), node, frame, use)
    elif inner.type in {"super", "this"}:
        return
    walk.later(inner, frame)


def _subscript(walk: Walk, node: Node, frame: Frame, use: Use) -> None:
    inner, index = node.child_by_field_name("object"), node.child_by_field_name("index")
    if inner is not None and index is not None and walk.reads_environment and walk.is_environment(inner):
        name = walk.values.string(index) if index.type == "string" else walk.constants.get(walk.values.path(index), "")
        if name:
            _read(walk, name, node, frame, use)
    walk.later(index, frame)
    walk.later(inner, frame)


# -- environment -------------------------------------------------------------------------------------------------------------------------


def _read(walk: Walk, name: str, node: Node, frame: Frame, use: Use) -> None:
    line = node.start_point[0] + 1
    walk.environment.append(EnvironmentRead(name, use.default, required=False, line=line, scope=frame.definition, target=use.target))


def _environment_call(walk: Walk, node: Node, frame: Frame, use: Use) -> None:
    arguments = walk.values.arguments(node)
    if arguments and arguments[0][1].literal:
        _read(walk, arguments[0][1].literal, node, frame, use)


def environment_pattern(walk: Walk, pattern: Node, frame: Frame) -> None:
    """Settings taken out of the environment by destructuring; defaults in the pattern are fallbacks."""
    for child in pattern.named_children[:300]:
        inner: Node | None = child
        name = ""
        default: Value | None = None
        if child.type == "pair_pattern":
            name = walk.values.key(child.child_by_field_name("key"))
            inner = child.child_by_field_name("value")
        if inner is not None and inner.type in {"assignment_pattern", "object_assignment_pattern"}:
            right = inner.child_by_field_name("right")
            default = walk.values.value(right) if right is not None else None
            inner = inner.child_by_field_name("left")
        if inner is None or inner.type not in {"identifier", "shorthand_property_identifier_pattern"}:
            continue
        local = walk.values.text(inner)
        line = child.start_point[0] + 1
        walk.environment.append(EnvironmentRead(name or local, default, required=False, line=line, scope=frame.definition, target=local))


# -- texts -------------------------------------------------------------------------------------------------------------------------------


def _string(walk: Walk, node: Node, frame: Frame, _use: Use) -> None:
    if node.end_byte - node.start_byte >= _SHORTEST_TEXT + 2:
        text = walk.values.string(node)
        walk.literals.append(Literal(text[:_LONGEST_TEXT], node.start_point[0] + 1, frame.definition))


def _template(walk: Walk, node: Node, frame: Frame, _use: Use) -> None:
    literal, holes = walk.values.pieces(node)
    if len(literal) >= _SHORTEST_TEXT:
        walk.literals.append(Literal(literal[:_LONGEST_TEXT], node.start_point[0] + 1, frame.definition, template=bool(holes)))
    first, last = node.start_point[0], node.end_point[0]
    if last > first:
        walk.text_lines[first + 1 : last + 1] = b"\1" * (last - first)
    for hole in reversed(holes):
        walk.later(hole, frame)


# -- mark-up -----------------------------------------------------------------------------------------------------------------------------


def _element(walk: Walk, node: Node, frame: Frame, _use: Use) -> None:
    """A JSX element or fragment: its lines are mark-up, apart from statements inside it."""
    inner = frame
    if not frame.jsx:
        inner = frame.markup()
    _paint(walk, node)
    walk.children(node, inner)


def _paint(walk: Walk, node: Node) -> None:
    first, column = node.start_point
    last = node.end_point[0]
    begin = node.start_byte - column
    if walk.source[begin : node.start_byte].strip(b" \t("):
        first += 1
    if last >= first and not all(walk.markup_lines[first : min(last + 1, first + 200)]):
        walk.markup_lines[first : last + 1] = b"\1" * (last + 1 - first)


def _tag(walk: Walk, node: Node, frame: Frame, _use: Use) -> None:
    """An opening or self-closing tag: a component is used, attributes are read."""
    name = node.child_by_field_name("name")
    for child in node.named_children[::-1]:
        if name is None or child.id != name.id:
            walk.later(child, frame)
    if name is None:
        return
    path = walk.values.path(name) if name.type != "jsx_namespace_name" else ""
    _control(walk, node, path, frame)
    if path and (not path[0].islower() or "." in path):
        walk.elements.append(Reference(path, name.start_point[0] + 1, frame.definition))
        root = path.split(".", 1)[0]
        if root != "this":
            walk.mention(root, name, frame)


def _control(walk: Walk, node: Node, tag: str, frame: Frame) -> None:
    """Remember an element that leads somewhere or does something when it is used."""
    attributes = [_attribute(child) for child in node.named_children if child.type in {"jsx_attribute", "jsx_expression"}]
    if _ACTS.isdisjoint(name for name, _ in attributes):
        return
    text = ""
    if node.type == "jsx_opening_element" and node.parent is not None:
        inside = (child for child in node.parent.named_children if child.type in {"jsx_text", "jsx_expression"})
        text = " ".join("".join("{}" if child.type == "jsx_expression" else _decoded(child) for child in inside).split())
    walk.controls.append(Control(tag, tuple(attributes), text[:_LONGEST_ATTRIBUTE], node.start_point[0] + 1, frame.definition))


def _attribute(node: Node) -> tuple[str, str]:
    """Name and value of an attribute; a spread is called "..."."""
    if node.type == "jsx_expression":
        return "...", ""
    parts = node.named_children
    value = _decoded(parts[1]).strip() if len(parts) > 1 else ""
    if value[:1] in {'"', "'", "{"}:
        value = value[1:-1].strip()
    return _decoded(parts[0]), " ".join(value.split())[:_LONGEST_ATTRIBUTE]


def _decoded(node: Node) -> str:
    return (node.text or b"").decode("utf-8", "replace")


def _closing(_walk: Walk, _node: Node, _frame: Frame, _use: Use) -> None:
    """The tag was read when it opened."""


HANDLERS: dict[str, Handle] = {
    "call_expression": _call,
    "new_expression": _new,
    "identifier": _identifier,
    "shorthand_property_identifier": _identifier,
    "member_expression": _member,
    "subscript_expression": _subscript,
    "string": _string,
    "template_string": _template,
    "jsx_element": _element,
    "jsx_self_closing_element": _tag,
    "jsx_opening_element": _tag,
    "jsx_closing_element": _closing,
}
