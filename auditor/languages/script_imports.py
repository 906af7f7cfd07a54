"""Import and export statements, `require`, dynamic `import()` and what else brings a module in."""

from __future__ import annotations

import re

from tree_sitter import Node

from auditor.languages.script_walk import MODULE, Decorated, Frame, Handle, Use, Walk, decorator_call, decorators_of
from auditor.model.syntax import EnvironmentRead, Export, Import, ImportKind, Value, ValueKind

_WORKER = re.compile(r"^\.{1,2}/.{1,200}\.[cm]?[jt]sx?$")
_STATIC_ENVIRONMENT = re.compile(r"^\$env/static/(?:private|public)$")
_TYPE_DECLARATIONS = frozenset({"interface_declaration", "type_alias_declaration"})


def _source(walk: Walk, node: Node) -> str:
    found = node.child_by_field_name("source")
    return walk.values.string(found) if found is not None and found.type == "string" else ""


def _has(node: Node, *words: str) -> bool:
    return any(child.type in words for child in node.children if not child.is_named)


def _import(walk: Walk, node: Node, frame: Frame, _use: Use) -> None:
    module = _source(walk, node)
    line = node.start_point[0] + 1
    names: list[tuple[str, str]] = []
    typed: list[bool] = []
    for child in node.named_children:
        if child.type == "import_clause":
            _clause(walk, child, names, typed)
        elif child.type == "import_require_clause":
            module = _source(walk, child)
            names += [("*", walk.values.text(part)) for part in child.named_children if part.type == "identifier"]
            typed.append(False)
    for _, local in names:
        walk.declare(local, frame.scope)
    only_types = _has(node, "type", "typeof") or (bool(names) and bool(typed) and all(typed))
    kind = ImportKind.TYPE_ONLY if only_types else ImportKind.IMPORT_TIME
    walk.elidable.add(len(walk.imports))
    walk.imports.append(Import(module, tuple(names), kind, line, frame.definition))
    if _STATIC_ENVIRONMENT.match(module):
        for name, local in names:
            walk.environment.append(EnvironmentRead(name, None, required=True, line=line, scope=frame.definition, target=local))


def _clause(walk: Walk, clause: Node, names: list[tuple[str, str]], typed: list[bool]) -> None:
    for child in clause.named_children:
        if child.type == "identifier":
            names.append(("default", walk.values.text(child)))
            typed.append(False)
        elif child.type == "namespace_import":
            names += [("*", walk.values.text(part)) for part in child.named_children if part.type == "identifier"]
            typed.append(False)
        elif child.type == "named_imports":
            for part in child.named_children:
                if part.type == "import_specifier":
                    names.append(_specifier(walk, part))
                    typed.append(_has(part, "type", "typeof"))


def _specifier(walk: Walk, node: Node) -> tuple[str, str]:
    name, alias = node.child_by_field_name("name"), node.child_by_field_name("alias")
    written = _export_name(walk, name)
    return written, _export_name(walk, alias) if alias is not None else written


def _export_name(walk: Walk, node: Node | None) -> str:
    if node is None:
        return ""
    return walk.values.string(node) if node.type == "string" else walk.values.text(node)


# -- exports -----------------------------------------------------------------------------------------------------------------------------


def _export(walk: Walk, node: Node, frame: Frame, _use: Use) -> None:
    line = node.start_point[0] + 1
    types = _has(node, "type")
    declaration, value = node.child_by_field_name("declaration"), node.child_by_field_name("value")
    if node.child_by_field_name("source") is not None:
        _reexport(walk, node, frame, types=types)
    elif declaration is not None:
        _exported_declaration(walk, node, declaration, frame)
    elif _has(node, "default"):
        local = walk.values.text(value) if value is not None and value.type == "identifier" else "default"
        walk.exports.append(Export("default", local, "", line))
        walk.exported.add(local)
        walk.later(value, frame, Use("default", "default"))
    elif _has(node, "="):
        inner = next((child for child in node.named_children if child.type != "comment"), None)
        walk.exports.append(Export("=", walk.values.path(inner) if inner is not None else "", "", line))
        walk.later(inner, frame)
    else:
        _local_names(walk, node, types=types)
    for decorator in decorators_of(node):
        walk.later(decorator, frame)


def _local_names(walk: Walk, node: Node, *, types: bool) -> None:
    for clause in node.named_children:
        for part in clause.named_children if clause.type == "export_clause" else ():
            if part.type == "export_specifier":
                local, name = _specifier(walk, part)
                only = types or _has(part, "type")
                walk.exports.append(Export(name, local, "", part.start_point[0] + 1, type_only=only))
                walk.exported.add(local)
                if not only:
                    walk.exported_values[local] = part.start_point[0] + 1


def _reexport(walk: Walk, node: Node, frame: Frame, *, types: bool) -> None:
    module = _source(walk, node)
    line = node.start_point[0] + 1
    names: list[tuple[str, str]] = []
    only: list[bool] = []
    for child in node.named_children:
        if child.type == "export_clause":
            for part in child.named_children:
                if part.type == "export_specifier":
                    local, name = _specifier(walk, part)
                    names.append((local, name))
                    only.append(types or _has(part, "type"))
                    walk.exports.append(Export(name, local, module, part.start_point[0] + 1, type_only=only[-1]))
        elif child.type == "namespace_export":
            name = next((_export_name(walk, part) for part in child.named_children), "")
            names.append(("*", name))
            walk.exports.append(Export(name, name, module, line, type_only=types))
    if _has(node, "*"):
        names.append(("*", "*"))
        walk.exports.append(Export("*", "*", module, line, type_only=types))
    kind = ImportKind.TYPE_ONLY if types or (bool(only) and all(only) and len(only) == len(names)) else ImportKind.IMPORT_TIME
    walk.imports.append(Import(module, tuple(names), kind, line, frame.definition, reexport=True))


def _exported_declaration(walk: Walk, node: Node, declaration: Node, frame: Frame) -> None:
    default = _has(node, "default")
    line = node.start_point[0] + 1
    inner = declaration
    if inner.type == "ambient_declaration":
        inner = next((child for child in inner.named_children if child.type != "comment"), inner)
    names = _declared(walk, inner)
    types = inner.type in _TYPE_DECLARATIONS
    if default:
        walk.exports.append(Export("default", names[0] if names else "default", "", line, type_only=types))
        walk.exported.update(names or ["default"])
    else:
        walk.exports.extend(Export(name, name, "", line, type_only=types) for name in names)
        walk.exported.update(names)
    outer = tuple(decorator_call(walk, child, frame) for child in decorators_of(node))
    walk.later(declaration, frame, Decorated(outer, "default" if default and not names else ""))


def _declared(walk: Walk, node: Node) -> list[str]:
    """The names a declaration binds."""
    if node.type in {"lexical_declaration", "variable_declaration"}:
        found: list[str] = []
        for declarator in node.named_children:
            name = declarator.child_by_field_name("name") if declarator.type == "variable_declarator" else None
            if name is not None and name.type == "identifier":
                found.append(walk.values.text(name))
            elif name is not None:
                found.extend(walk.bound_leaves(name))
        return found
    name = node.child_by_field_name("name")
    if name is None and node.type == "import_alias":
        name = node.named_child(0)
    if name is None or name.type == "string":
        return []
    return [walk.values.path(name).split(".")[0]]


# -- calls that import -------------------------------------------------------------------------------------------------------------------


def _specifier_of(walk: Walk, value: Value) -> str:
    if value.kind in {ValueKind.STRING, ValueKind.TEMPLATE}:
        return value.literal
    return walk.constants.get(value.literal, "") if value.kind is ValueKind.NAME else ""


def _result_names(target: str, pattern: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    return pattern or ((("*", target or "*")),)


def dynamic_import(walk: Walk, node: Node, frame: Frame, use: Use) -> None:
    """`import("x")`."""
    arguments = walk.values.arguments(node, 0)
    walk.imported_calls.add(node.start_byte)
    module = _specifier_of(walk, arguments[0][1]) if arguments else ""
    if module:
        names = _pattern_names(use.target) if use.awaited else ()
        local = use.target if use.awaited and use.target.isidentifier() else ""
        walk.imports.append(
            Import(module, _result_names(local, names), ImportKind.LAZY, node.start_point[0] + 1, frame.definition, guarded=frame.guarded)
        )


def required_module(walk: Walk, node: Node, frame: Frame, use: Use) -> None:
    """`require("x")`: at module level it runs with the import, in a function when that is called."""
    arguments = walk.values.arguments(node, 0)
    module = _specifier_of(walk, arguments[0][1]) if len(arguments) == 1 else ""
    if module:
        kind = ImportKind.IMPORT_TIME if frame.definition == MODULE else ImportKind.LAZY
        names = _pattern_names(use.target)
        if not names and use.used:
            names = (("*", use.target if use.target.isidentifier() else "*"),)
        walk.imports.append(Import(module, names, kind, node.start_point[0] + 1, frame.definition, guarded=frame.guarded))


_PATTERN_ENTRY = re.compile(r"([\w$]+)\s*(?::\s*([\w$]+))?\s*(?:=[^,{}]*)?(?:,|$)")


def _pattern_names(target: str) -> tuple[tuple[str, str], ...]:
    """(name, local) pairs of a flat object pattern's text; () for anything else."""
    if not target.startswith("{") or not target.endswith("}"):
        return ()
    inside = target[1:-1].strip()
    if "{" in inside or "[" in inside or "..." in inside:
        return ()
    return tuple((entry[1], entry[2] or entry[1]) for entry in _PATTERN_ENTRY.finditer(inside))


def worker_import(walk: Walk, node: Node, frame: Frame) -> None:
    """`new URL("./worker.js", import.meta.url)`: bundlers make the file part of the program."""
    arguments = walk.values.arguments(node, 0)
    if len(arguments) == 2 and arguments[1][1].literal == "import.meta.url" and _WORKER.match(arguments[0][1].literal):
        walk.imports.append(Import(arguments[0][1].literal, (), ImportKind.LAZY, node.start_point[0] + 1, frame.definition))


def glob_import(walk: Walk, node: Node, frame: Frame) -> None:
    """`import.meta.glob("./pages/*.vue")`: every file of the pattern is part of the program, at load time where it says eager."""
    arguments = [value for _, value in walk.values.arguments(node)]
    if not arguments:
        return
    options = arguments[1].item("eager") if len(arguments) > 1 else None
    eager = walk.values.callee(node).endswith("Eager") or (options is not None and options.literal == "true")
    kind = ImportKind.IMPORT_TIME if eager else ImportKind.LAZY
    for value in (arguments[0], *(entry for _, entry in arguments[0].items)):
        if value.kind is ValueKind.STRING and not value.literal.startswith("!"):
            walk.imports.append(Import(value.literal, (("*", "*"),), kind, node.start_point[0] + 1, frame.definition))


def type_imports(walk: Walk, nodes: list[Node]) -> None:
    """`import("x").Name` inside types, which the walk passes over."""
    for node in nodes:
        if node.start_byte in walk.imported_calls:
            continue
        arguments = walk.values.arguments(node, 0)
        if arguments and arguments[0][1].kind is ValueKind.STRING:
            walk.imports.append(Import(arguments[0][1].literal, (("*", "*"),), ImportKind.TYPE_ONLY, node.start_point[0] + 1, MODULE))


HANDLERS: dict[str, Handle] = {"import_statement": _import, "export_statement": _export}
