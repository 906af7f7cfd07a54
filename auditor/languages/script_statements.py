"""Control structures, returns, throws, error handlers and declarations of scripts; types are passed over."""

from __future__ import annotations

from tree_sitter import Node

from auditor.languages.loops import loop_of
from auditor.languages.script_handlers import catch_handler
from auditor.languages.script_nodes import WRAPPERS, unwrapped
from auditor.languages.script_walk import PLAIN, UNUSED, Frame, Handle, Scope, Use, Walk
from auditor.model.snapshot import Language
from auditor.model.syntax import Assignment, Branch

_CASTS = {"as_expression", "satisfies_expression"}
_MODULE_STATEMENTS = {"import_statement", "export_statement"}


def _program(walk: Walk, node: Node, frame: Frame, _use: Use) -> None:
    children = node.named_children
    walk.strict = any(child.type in _MODULE_STATEMENTS for child in children)
    for position, child in enumerate(children):
        if child.type in {"comment", "hash_bang_line"}:
            continue
        inner = child.named_child(0) if child.type == "expression_statement" else None
        if inner is None or inner.type != "string":
            children = children[position:]
            break
        walk.directives.append(walk.values.string(inner))
    else:
        children = []
    for child in reversed(children):
        walk.later(child, frame)


def _block(walk: Walk, node: Node, frame: Frame, _use: Use) -> None:
    walk.children(node, frame.block())


def _expression_statement(walk: Walk, node: Node, frame: Frame, _use: Use) -> None:
    if frame.jsx:
        _logic_lines(walk, node)
    walk.children(node, frame, UNUSED)


def _logic_lines(walk: Walk, node: Node) -> None:
    """Statements between mark-up are not mark-up."""
    first, last = node.start_point[0], node.end_point[0]
    walk.markup_lines[first : last + 1] = bytes(last + 1 - first)


def _if(walk: Walk, node: Node, frame: Frame, use: Use) -> None:
    """An else-if stays on the level of its if."""
    walk.decide(frame)
    inner = frame if use.name == "else" else frame.nested()
    walk.deepen(inner)
    if frame.jsx:
        _logic_lines(walk, node)
    alternative = node.child_by_field_name("alternative")
    condition, consequence = node.child_by_field_name("condition"), node.child_by_field_name("consequence")
    if condition is not None and consequence is not None:
        test = walk.values.value(unwrapped(condition))
        lines = (node.start_point[0] + 1, consequence.end_point[0] + 1, node.end_point[0] + 1)
        walk.branches.append(Branch(test.text, test.names, *lines, frame.definition))
    if alternative is not None:
        for child in alternative.named_children[::-1]:
            walk.later(child, inner, Use(name="else") if child.type == "if_statement" else PLAIN)
    walk.later(consequence, inner)
    walk.later(condition, inner)


def _loop(walk: Walk, node: Node, frame: Frame, _use: Use) -> None:
    walk.decide(frame)
    walk.loops.append(loop_of(node, walk.source, frame.definition))
    inner = frame.nested(loop=True)
    walk.deepen(inner)
    walk.children(node, inner)


def _for_in(walk: Walk, node: Node, frame: Frame, _use: Use) -> None:
    walk.decide(frame)
    walk.loops.append(loop_of(node, walk.source, frame.definition))
    inner = frame.nested(loop=True)
    walk.deepen(inner)
    walk.later(node.child_by_field_name("body"), inner)
    walk.later(node.child_by_field_name("right"), frame)
    left, kind = node.child_by_field_name("left"), node.child_by_field_name("kind")
    if left is not None and kind is not None:
        walk.bind(left, inner, hoisted=kind.type == "var")
    elif left is not None and left.type == "identifier":
        walk.probed.add(walk.values.text(left))


def _switch(walk: Walk, node: Node, frame: Frame, _use: Use) -> None:
    inner = frame.nested()
    walk.deepen(inner)
    walk.children(node, inner)


def _case(walk: Walk, node: Node, frame: Frame, _use: Use) -> None:
    walk.decide(frame)
    walk.children(node, frame)


def _try(walk: Walk, node: Node, frame: Frame, _use: Use) -> None:
    clause = node.child_by_field_name("handler")
    body = node.child_by_field_name("body")
    inner = frame.nested(guarded=clause is not None)
    walk.deepen(inner)
    walk.later(node.child_by_field_name("finalizer"), frame)
    if clause is not None:
        walk.decide(frame)
        handler = frame.nested()
        walk.handlers.append(catch_handler(walk, clause, body, frame))
        walk.later(clause.child_by_field_name("body"), handler)
        parameter = clause.child_by_field_name("parameter")
        if parameter is not None:
            walk.bind(parameter, handler)
    walk.later(body, inner)


def _return(walk: Walk, node: Node, frame: Frame, _use: Use) -> None:
    _leave(walk, node, frame, "return")


def _throw(walk: Walk, node: Node, frame: Frame, _use: Use) -> None:
    _leave(walk, node, frame, "raise")


def _leave(walk: Walk, node: Node, frame: Frame, target: str) -> None:
    value = next((child for child in node.named_children if child.type != "comment"), None)
    fact = Assignment(target, walk.values.value(value) if value is not None else None, node.start_point[0] + 1, frame.definition)
    (walk.returns if target == "return" else walk.raises).append(fact)
    walk.later(value, frame)


def _labeled(walk: Walk, node: Node, frame: Frame, _use: Use) -> None:
    """A label; in Svelte `$: name = ...` declares the name."""
    body = node.child_by_field_name("body")
    if walk.language is Language.SVELTE and body is not None and body.type == "expression_statement":
        for inner in body.named_children:
            left = inner.child_by_field_name("left") if inner.type == "assignment_expression" else None
            if left is not None:
                walk.bind(left, frame)
    walk.later(body, frame)


def _with(walk: Walk, node: Node, frame: Frame, _use: Use) -> None:
    walk.scoped = False
    walk.children(node, frame)


# -- operators ---------------------------------------------------------------------------------------------------------------------------


def _wrapped(walk: Walk, node: Node, frame: Frame, use: Use) -> None:
    """The expression inside parentheses, await, casts; types are passed over."""
    inner = [child for child in node.named_children if child.type != "comment"]
    if not inner:
        return
    if node.type in _CASTS:
        inner = inner[:1]
    elif node.type == "type_assertion":
        inner = inner[-1:]
    through = use.under_await() if node.type == "await_expression" else use
    for child in reversed(inner):
        walk.later(child, frame, through)


def _ternary(walk: Walk, node: Node, frame: Frame, use: Use) -> None:
    walk.decide(frame)
    walk.later(node.child_by_field_name("alternative"), frame, _branch(use))
    walk.later(node.child_by_field_name("consequence"), frame, _branch(use))
    walk.later(node.child_by_field_name("condition"), frame)


def _binary(walk: Walk, node: Node, frame: Frame, use: Use) -> None:
    operator, operands = walk.values.operands(node)
    if operator not in {"||", "&&", "??"}:
        for operand in reversed(operands):
            walk.later(operand, frame)
        return
    walk.decide(frame, len(operands) - 1)
    last = len(operands) - 1
    for position in range(last, 0, -1):
        walk.later(operands[position], frame, _branch(use) if operator != "&&" or position == last else PLAIN)
    if operator == "&&":
        walk.later(operands[0], frame)
    else:
        walk.later(operands[0], frame, Use(use.target, default=walk.values.value(operands[-1])) if walk.reads_environment else _bound(use))


def _branch(use: Use) -> Use:
    """The use of one of several possible results."""
    return use if use is PLAIN or use is UNUSED else Use(use.target, use.name, used=use.used)


def _bound(use: Use) -> Use:
    return Use(use.target) if use.target else PLAIN


def _unary(walk: Walk, node: Node, frame: Frame, use: Use) -> None:
    operator = node.child_by_field_name("operator")
    argument = node.child_by_field_name("argument")
    if argument is None or operator is None:
        return
    if operator.type == "typeof":
        probed = unwrapped(argument)
        if probed.type == "identifier":
            walk.probed.add(walk.values.text(probed))
            return
    walk.later(argument, frame, UNUSED if operator.type == "void" and not use.used else PLAIN)


# -- declarations that only TypeScript has -----------------------------------------------------------------------------------------------


def _ambient(walk: Walk, node: Node, frame: Frame, _use: Use) -> None:
    """`declare ...`: its names exist, nothing in it runs."""
    pending = list(node.named_children)
    while pending:
        child = pending.pop()
        kind = child.type
        name = child.child_by_field_name("name")
        if kind in {
            "lexical_declaration",
            "variable_declaration",
            "statement_block",
            "export_statement",
            "expression_statement",
            "ambient_declaration",
        }:
            pending.extend(child.named_children)
        elif kind == "variable_declarator" and name is not None:
            walk.bind(name, Frame(-1, walk.root, 0, loop=False, guarded=False, jsx=False))
        elif name is not None and name.type in {"identifier", "type_identifier"}:
            walk.declare(walk.values.text(name), walk.root)
            walk.declare(walk.values.text(name), frame.scope)


def _enum(walk: Walk, node: Node, frame: Frame, _use: Use) -> None:
    name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
    if name is None or body is None:
        return
    walk.declare(walk.values.text(name), frame.scope)
    inner = frame.block()
    for member in body.named_children:
        if member.type == "comment":
            continue
        key = member.child_by_field_name("name") if member.type == "enum_assignment" else member
        walk.declare(walk.values.key(key), inner.scope)
    for member in reversed(body.named_children):
        if member.type == "enum_assignment":
            walk.later(member.child_by_field_name("value"), inner)


def _namespace(walk: Walk, node: Node, frame: Frame, _use: Use) -> None:
    """A namespace: its parts may stand in several files, so a name it lacks may still exist."""
    name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
    if name is not None and name.type != "string":
        walk.declare(walk.values.path(name).split(".")[0], frame.scope)
    inner = Frame(
        frame.definition,
        Scope(frame.scope, function=True, open_ended=True),
        frame.nesting,
        loop=frame.loop,
        guarded=frame.guarded,
        jsx=frame.jsx,
    )
    if body is not None:
        walk.children(body, inner)


def _signature(walk: Walk, node: Node, frame: Frame, _use: Use) -> None:
    """A declaration without body, or a type: the name exists."""
    name = node.child_by_field_name("name")
    if name is not None and node.type in {"function_signature", "interface_declaration", "type_alias_declaration"}:
        frame.scope.names.setdefault(walk.values.text(name))


def _import_alias(walk: Walk, node: Node, frame: Frame, _use: Use) -> None:
    parts = [child for child in node.named_children if child.type != "comment"]
    if parts:
        walk.declare(walk.values.text(parts[0]), frame.scope)
    for part in parts[1:]:
        root = part
        for _ in range(50):
            following = root.child_by_field_name("object")
            if following is None:
                break
            root = following
        walk.mention(walk.values.text(root), root, frame)


def _skip(_walk: Walk, _node: Node, _frame: Frame, _use: Use) -> None:
    """Nothing in here is a value."""


_TYPES = """
type_annotation type_arguments type_parameters predefined_type type_identifier implements_clause type_predicate_annotation asserts_annotation
asserts type_predicate opting_type_annotation omitting_type_annotation adding_type_annotation abstract_method_signature method_signature index_signature
comment property_identifier private_property_identifier statement_identifier number regex true false null undefined this super empty_statement
accessibility_modifier override_modifier break_statement continue_statement optional_chain hash_bang_line generic_type union_type object_type literal_type
"""

HANDLERS: dict[str, Handle] = {
    **dict.fromkeys(_TYPES.split(), _skip),
    **dict.fromkeys((*WRAPPERS, "type_assertion"), _wrapped),
    **dict.fromkeys(("for_statement", "while_statement", "do_statement"), _loop),
    **dict.fromkeys(("function_signature", "interface_declaration", "type_alias_declaration"), _signature),
    **dict.fromkeys(("internal_module", "module"), _namespace),
    "program": _program,
    "statement_block": _block,
    "expression_statement": _expression_statement,
    "if_statement": _if,
    "for_in_statement": _for_in,
    "switch_statement": _switch,
    "switch_case": _case,
    "try_statement": _try,
    "return_statement": _return,
    "throw_statement": _throw,
    "labeled_statement": _labeled,
    "with_statement": _with,
    "ternary_expression": _ternary,
    "binary_expression": _binary,
    "unary_expression": _unary,
    "ambient_declaration": _ambient,
    "enum_declaration": _enum,
    "import_alias": _import_alias,
}
