"""Functions, classes, parameters and bindings of scripts."""

from __future__ import annotations

from tree_sitter import Node

from auditor.languages.script_calls import environment_pattern
from auditor.languages.script_nodes import FUNCTIONS, unwrapped
from auditor.languages.script_walk import MODULE, PLAIN, Decorated, Draft, Frame, Handle, Scope, Use, Walk, decorator_call, decorators_of
from auditor.languages.tree import folded
from auditor.model.syntax import Assignment, Call, DefinitionKind, Parameter, Value, ValueKind

_PATTERN_KINDS = {"object_pattern": "destructured", "array_pattern": "destructured", "rest_pattern": "args"}
_DEEPEST_TYPE = 6


def _function(walk: Walk, node: Node, frame: Frame, use: Use) -> None:
    """A function, arrow function or function declaration."""
    own = node.child_by_field_name("name")
    declared = node.type in {"function_declaration", "generator_function_declaration"}
    name = walk.values.text(own) if own is not None else use.name
    if declared and own is not None:
        walk.declare(name, frame.scope, hoisted=True)
    inner = _enter(walk, node, frame, use, (DefinitionKind.FUNCTION, name))
    if own is not None and not declared:
        walk.declare(name, inner.scope)
    _body(walk, node, inner)


def _method(walk: Walk, node: Node, frame: Frame, use: Use, decorators: tuple[Call, ...] = ()) -> None:
    """A method of a class or an object literal."""
    key = node.child_by_field_name("name")
    if key is not None and key.type == "computed_property_name":
        walk.later(key, frame)
    inner = _enter(walk, node, frame, use, (DefinitionKind.METHOD, walk.values.key(key)))
    draft = walk.definitions[inner.definition]
    draft.decorators = decorators
    if decorators:
        draft.first_line = min(draft.first_line, decorators[0].line)
        _keep_types(walk, node)
    elif draft.name == "constructor" and frame.definition >= 0 and walk.definitions[frame.definition].decorators:
        _keep_types(walk, node)
    _body(walk, node, inner)


def _enter(walk: Walk, node: Node, frame: Frame, use: Use, what: tuple[DefinitionKind, str]) -> Frame:
    """Open a definition; gives the frame of its body."""
    index = walk.define(*what, node, frame)
    walk.definitions[index].is_async = any(child.type == "async" for child in node.children[:4])
    guarded = frame.guarded and use.inline
    return Frame(index, Scope(frame.scope, function=True), 0, loop=use.loops, guarded=guarded, jsx=frame.jsx)


def _body(walk: Walk, node: Node, inner: Frame) -> None:
    """Queue the body, then the defaults of the parameters, which are read first."""
    body = node.child_by_field_name("body")
    if body is not None and body.type == "statement_block":
        walk.children(body, inner)
    elif body is not None:
        walk.returns.append(Assignment("return", walk.values.value(body), body.start_point[0] + 1, inner.definition))
        walk.later(body, inner)
    single = node.child_by_field_name("parameter")
    draft = walk.definitions[inner.definition]
    if single is not None:
        walk.bind(single, inner)
        draft.parameters = (Parameter(walk.values.text(single)),)
        return
    listed = node.child_by_field_name("parameters")
    if listed is None:
        return
    found = []
    for child in listed.named_children:
        if child.type == "comment":
            continue
        walk.bind(child, inner)
        found.append(_parameter(walk, child))
        for decorator in decorators_of(child):
            walk.later(decorator, inner)
    draft.parameters = tuple(found)


def _parameter(walk: Walk, node: Node) -> Parameter:
    default: Node | None
    pattern: Node = node
    annotation = ""
    if node.type in {"required_parameter", "optional_parameter"}:
        pattern = node.child_by_field_name("pattern") or node
        annotation = annotation_of(walk, node)
        default = node.child_by_field_name("value")
    elif node.type == "assignment_pattern":
        pattern = node.child_by_field_name("left") or node
        default = node.child_by_field_name("right")
    else:
        default = None
    kind = _PATTERN_KINDS.get(pattern.type, "positional")
    named = (pattern.named_child(0) if kind == "args" else None) or pattern
    return Parameter(folded(named, walk.source), kind, annotation, walk.values.value(default) if default is not None else None)


def annotation_of(walk: Walk, node: Node) -> str:
    """The text of a node's type annotation, "" when it has none."""
    found = node.child_by_field_name("type")
    return folded(found, walk.source).lstrip(": ") if found is not None else ""


def _keep_types(walk: Walk, node: Node) -> None:
    """Types in a decorated signature exist at run time: frameworks that inject dependencies read them."""
    listed = node.child_by_field_name("parameters")
    annotated = [part.child_by_field_name("type") for part in listed.named_children] if listed is not None else []
    for annotation in (*annotated, node.child_by_field_name("return_type"), node.child_by_field_name("type")):
        kept = _constructor(annotation)
        if kept is not None:
            walk.kept_types.add(walk.values.text(kept))


def _constructor(annotation: Node | None) -> Node | None:
    """The name that a compiler writes down for a type: of `A<B>` and of `A | null` it is A, of arrays, objects and choices none of the code's own."""
    node = annotation
    for _ in range(_DEEPEST_TYPE):
        if node is None or node.type in {"type_identifier", "identifier"}:
            return node
        inner = [child for child in node.named_children if child.type != "comment" and child.text not in {b"null", b"undefined"}]
        if node.type in {"generic_type", "nested_type_identifier", "nested_identifier"}:
            node = inner[0] if inner else None
        elif node.type in {"type_annotation", "parenthesized_type", "union_type"} and len(inner) == 1:
            node = inner[0]
        else:
            return None
    return None


# -- classes -----------------------------------------------------------------------------------------------------------------------------


def _class(walk: Walk, node: Node, frame: Frame, use: Use) -> None:
    own = node.child_by_field_name("name")
    name = walk.values.text(own) if own is not None else use.name
    if own is not None and node.type != "class":
        walk.declare(name, frame.scope)
    index = walk.define(DefinitionKind.CLASS, name, node, frame)
    draft = walk.definitions[index]
    outer = use.decorators if isinstance(use, Decorated) else ()  # they may stand before `export`
    draft.decorators = (*outer, *(decorator_call(walk, child, frame) for child in decorators_of(node)))
    if draft.decorators:
        draft.first_line = min(draft.first_line, *(call.line for call in draft.decorators))
    inner = Frame(index, Scope(frame.scope), 0, loop=False, guarded=frame.guarded, jsx=frame.jsx)
    if own is not None:
        walk.declare(name, inner.scope)
    body = node.child_by_field_name("body")
    if body is not None:
        walk.later(body, inner)
    for child in node.named_children:
        if child.type == "class_heritage":
            _heritage(walk, child, frame, draft)
        elif child.type == "decorator":
            walk.later(child, frame)


def _heritage(walk: Walk, node: Node, frame: Frame, draft: Draft) -> None:
    clauses = [child for child in node.named_children if child.type == "extends_clause"]
    bases = [part for clause in clauses for part in (clause.child_by_field_name("value"),) if part is not None]
    if not clauses:
        bases = [child for child in node.named_children if child.type not in {"implements_clause", "comment"}]
    draft.bases = tuple(folded(base, walk.source) for base in bases)
    for base in reversed(bases):
        walk.later(base, frame)


def _class_body(walk: Walk, node: Node, frame: Frame, _use: Use) -> None:
    """Members in their order; decorators stand before the member they belong to."""
    members: list[tuple[Node, tuple[Call, ...]]] = []
    waiting: list[Call] = []
    for child in node.named_children:
        if child.type == "decorator":
            waiting.append(decorator_call(walk, child, frame))
            members.append((child, ()))
        elif child.type != "comment":
            members.append((child, tuple(waiting)))
            waiting = []
    for member, decorators in reversed(members):
        if decorators and member.type == "method_definition":
            walk.later(member, frame, Decorated(decorators))
        else:
            walk.later(member, frame)


def _member_method(walk: Walk, node: Node, frame: Frame, use: Use) -> None:
    _method(walk, node, frame, use, use.decorators if isinstance(use, Decorated) else ())


def _field(walk: Walk, node: Node, frame: Frame, _use: Use) -> None:
    """A class field, with or without value."""
    key = node.child_by_field_name("name") or node.child_by_field_name("property")
    value = node.child_by_field_name("value")
    name = walk.values.key(key)
    decorators = decorators_of(node)
    if decorators:
        _keep_types(walk, node)
    read = walk.values.value(value) if value is not None else None
    calls = tuple(decorator_call(walk, decorator, frame) for decorator in decorators)
    walk.assignments.append(Assignment(name, read, node.start_point[0] + 1, frame.definition, annotation_of(walk, node), calls))
    if value is not None:
        walk.later(value, frame, Use(name, name))
    if key is not None and key.type == "computed_property_name":
        walk.later(key, frame)
    for decorator in reversed(decorators):
        walk.later(decorator, frame)


# -- bindings ----------------------------------------------------------------------------------------------------------------------------


def _declarator(walk: Walk, node: Node, frame: Frame, use: Use) -> None:
    """`name = value` of a const, let or var."""
    pattern, value = node.child_by_field_name("name"), node.child_by_field_name("value")
    if pattern is None:
        return
    target = walk.values.text(pattern) if pattern.type == "identifier" else folded(pattern, walk.source)
    line = node.start_point[0] + 1
    read = walk.values.value(value) if value is not None else None
    walk.assignments.append(Assignment(target, read, line, frame.definition, annotation_of(walk, node)))
    simple = pattern.type == "identifier"
    if value is not None:
        if walk.reads_environment:
            _environment_alias(walk, pattern, value, frame)
        if simple and frame.definition == MODULE and read is not None and read.kind == "string":
            walk.constants[target] = read.literal
        walk.later(value, frame, Use(target, target if simple else ""))
    walk.bind(pattern, frame, hoisted=use.name == "var")


def _environment_alias(walk: Walk, pattern: Node, value: Node, frame: Frame) -> None:
    """`const env = process.env` gives the environment another name; `const { A } = process.env` reads from it."""
    inner = unwrapped(value)
    if walk.is_environment(inner):
        if pattern.type == "identifier":
            walk.environment_names.add(walk.source[pattern.start_byte : pattern.end_byte])
        elif pattern.type == "object_pattern":
            environment_pattern(walk, pattern, frame)


def _variable(walk: Walk, node: Node, frame: Frame, _use: Use) -> None:
    walk.children(node, frame, Use(name="var") if node.type == "variable_declaration" else PLAIN)


def _assignment(walk: Walk, node: Node, frame: Frame, _use: Use) -> None:
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    if left is None or right is None:
        return
    left = unwrapped(left)
    target = walk.values.path(left) if left.type not in _PATTERN_KINDS else folded(left, walk.source)
    walk.assignments.append(Assignment(target, walk.values.value(right), node.start_point[0] + 1, frame.definition))
    name = target.rsplit(".", 1)[-1] if left.type in {"identifier", "member_expression"} else ""
    if name and (target.startswith(("exports.", "module.exports"))):
        walk.exported.add(name)
        _export_object(walk, right)
    walk.later(right, frame, Use(target, name))
    _written(walk, left, frame)


def _changed(walk: Walk, node: Node, frame: Frame, _use: Use) -> None:
    """`n += 1` and `n++`: noted as in Python, the old value among the operands."""
    target = node.child_by_field_name("argument") or node.child_by_field_name("left")
    if target is not None:
        sign = node.child_by_field_name("operator")
        operator = walk.values.text(sign) if sign is not None else ""
        target = unwrapped(target)
        old = walk.values.value(target)
        added = node.child_by_field_name("right")
        operands = [old] if added is None else [old, walk.values.value(added)]
        names = tuple(dict.fromkeys(name for operand in operands for name in operand.names))
        value = Value(ValueKind.OPERATION, folded(node, walk.source), "", names, tuple((operator, operand) for operand in operands))
        walk.assignments.append(Assignment(walk.values.path(target), value, node.start_point[0] + 1, frame.definition))
    walk.children(node, frame)


def _export_object(walk: Walk, right: Node) -> None:
    """Names that `module.exports = {...}` gives to others."""
    if right.type == "identifier":
        walk.exported.add(walk.values.text(right))
    elif right.type == "object":
        for child in right.named_children[:500]:
            if child.type == "shorthand_property_identifier":
                walk.exported.add(walk.values.text(child))
            elif child.type == "pair":
                value = child.child_by_field_name("value")
                if value is not None and value.type == "identifier":
                    walk.exported.add(walk.values.text(value))


def _written(walk: Walk, left: Node, frame: Frame) -> None:
    """A name that is written: outside of modules that declares a global one."""
    if left.type == "identifier":
        name = walk.values.text(left)
        if walk.strict:
            walk.mention(name, left, frame)
        else:
            _assigned(walk, name, frame)
    elif left.type in _PATTERN_KINDS:
        pending = [left]
        while pending:
            node = pending.pop()
            if node.type in {"identifier", "shorthand_property_identifier_pattern"}:
                _assigned(walk, walk.values.text(node), frame)
            elif node.type in {"member_expression", "subscript_expression"}:
                walk.later(node, frame)
            elif node.type == "pair_pattern":
                pending.extend(part for part in (node.child_by_field_name("value"),) if part is not None)
            else:
                pending.extend(reversed(node.named_children))
    elif left.type == "member_expression":
        walk.later(left.child_by_field_name("object"), frame)
    else:
        walk.children(left, frame)


def _assigned(walk: Walk, name: str, frame: Frame) -> None:
    scope: Scope | None = frame.scope
    while scope is not None and name not in scope.names:
        scope = scope.parent
    if scope is None:
        walk.probed.add(name)


def _is_kept(walk: Walk, value: Node) -> bool:
    """Whether a value is a function that React only keeps between renderings."""
    callee = value.child_by_field_name("function") if value.type == "call_expression" else None
    return callee is not None and walk.values.text(callee) in {"useCallback", "React.useCallback"}


def _pair(walk: Walk, node: Node, frame: Frame, _use: Use) -> None:
    """A property of an object literal."""
    key, value = node.child_by_field_name("key"), node.child_by_field_name("value")
    if value is not None:
        named = value.type in FUNCTIONS or value.type == "class" or _is_kept(walk, value)
        walk.later(value, frame, Use(name=walk.values.key(key)) if named else PLAIN)
    if key is not None and key.type in {"computed_property_name", "string"}:
        walk.later(key, frame)


HANDLERS: dict[str, Handle] = {
    **dict.fromkeys((*FUNCTIONS, "function_declaration", "generator_function_declaration"), _function),
    **dict.fromkeys(("class", "class_declaration", "abstract_class_declaration"), _class),
    "method_definition": _member_method,
    "class_body": _class_body,
    "field_definition": _field,
    "public_field_definition": _field,
    "variable_declarator": _declarator,
    "variable_declaration": _variable,
    "assignment_expression": _assignment,
    "augmented_assignment_expression": _changed,
    "update_expression": _changed,
    "pair": _pair,
}
