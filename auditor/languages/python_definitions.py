"""The walk over a Python syntax tree: imports, functions and classes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tree_sitter import Node

from auditor.languages.python_scopes import Scope, ScopeKind
from auditor.languages.python_statements import StatementWalk
from auditor.languages.python_values import EXTRAS, last_line, parts, string_value
from auditor.languages.python_walk import Around, DefinitionDraft, Hint
from auditor.languages.tree import end_line_of, folded, line_of, text_of
from auditor.model.syntax import Call, Definition, DefinitionKind, Import, ImportKind, Parameter

_DOCSTRING_LIMIT = 1_000


class DefinitionWalk(StatementWalk):
    """Handlers of imports and of what defines something."""

    def __init__(self, path: str, source: bytes, root: Node) -> None:
        super().__init__(path, source, root)
        self._decorators: dict[int, tuple[Call, ...]] = {}
        self.readers.update(
            {
                "import_statement": self._import,
                "import_from_statement": self._import_from,
                "future_import_statement": self._future,
                "decorated_definition": self._decorated,
                "function_definition": self._function,
                "class_definition": self._class,
                "type_alias_statement": self._type_alias,
                "global_statement": self._global,
                "nonlocal_statement": self._nonlocal,
            }
        )

    # -- imports ---------------------------------------------------------------------------------------------------------------------

    def _add_import(self, node: Node, around: Around, module: str, names: Iterable[tuple[str, str]], *, from_form: bool) -> None:
        kind = ImportKind.TYPE_ONLY if around.type_only else ImportKind.LAZY if around.lazy else ImportKind.IMPORT_TIME
        pairs = tuple(names)
        self.imports.append(
            Import(module, pairs, kind, line_of(node), around.definition, guarded=around.import_guarded, from_form=from_form)
        )
        for name, local in pairs:
            if local == "*":
                self.scopes.decidable = False
            else:
                self.scopes.bind(around.names, local)
                self.settings.imported(module, name, local, from_form=from_form)

    def _entry(self, node: Node) -> tuple[str, str]:
        """Imported name and alias ("" when there is none) of one entry."""
        if node.type == "aliased_import":
            name, alias = node.child_by_field_name("name"), node.child_by_field_name("alias")
            return (self._dotted(name) if name is not None else "", text_of(alias, self.source) if alias is not None else "")
        return self._dotted(node), ""

    def _dotted(self, node: Node) -> str:
        return "".join(text_of(node, self.source).split())

    def _import(self, node: Node, around: Around, _hint: Hint) -> None:
        for entry in node.children_by_field_name("name"):
            module, alias = self._entry(entry)
            self._add_import(entry, around, module, [("*", alias or module.split(".")[0])], from_form=False)

    def _import_from(self, node: Node, around: Around, _hint: Hint) -> None:
        source = node.child_by_field_name("module_name")
        if source is None:
            return
        module = self._dotted(source)
        if any(child.type == "wildcard_import" for child in node.named_children):
            self._add_import(node, around, module, [("*", "*")], from_form=True)
            return
        entries = [self._entry(entry) for entry in node.children_by_field_name("name")]
        self._add_import(node, around, module, [(name, alias or name) for name, alias in entries], from_form=True)

    def _future(self, node: Node, around: Around, _hint: Hint) -> None:
        entries = [self._entry(entry) for entry in node.children_by_field_name("name")]
        self._add_import(node, around, "__future__", [(name, alias or name) for name, alias in entries], from_form=True)

    def _global(self, node: Node, around: Around, _hint: Hint) -> None:
        for child in parts(node):
            self.scopes.declare_global(around.names, text_of(child, self.source))

    def _nonlocal(self, node: Node, around: Around, hint: Hint) -> None:
        """Nothing: the name is bound in a function around, and lookups climb there."""

    # -- definitions -----------------------------------------------------------------------------------------------------------------

    def docstring(self, body: Node | None) -> str:
        """The docstring a body begins with, "" without one."""
        first = next((child for child in body.named_children if child.type not in EXTRAS), None) if body is not None else None
        if first is None or first.type != "expression_statement":
            return ""
        inside = parts(first)
        if len(inside) != 1 or inside[0].type not in {"string", "concatenated_string"}:
            return ""
        return string_value(inside[0], self.source)[0].strip()[:_DOCSTRING_LIMIT]

    def _decorated(self, node: Node, around: Around, _hint: Hint) -> None:
        definition = node.child_by_field_name("definition")
        outside = replace(around, function=-1)
        expressions = [part for child in node.named_children if child.type == "decorator" for part in parts(child)]
        if definition is not None:
            self._decorators[definition.id] = tuple(self._decorator(expression, around) for expression in expressions)
        self.push((definition,), around)
        self.push(expressions, outside)

    def _decorator(self, node: Node, around: Around) -> Call:
        function = node.child_by_field_name("function") if node.type == "call" else node
        arguments = self.values.arguments(node) if node.type == "call" else ()
        callee = self.values.path(function) if function is not None else ""
        return Call(callee or folded(node, self.source), arguments, line_of(node), end_line_of(node), around.definition)

    def _add_definition(self, node: Node, around: Around, kind: DefinitionKind, body: Node | None) -> int:
        name_node = node.child_by_field_name("name")
        name = text_of(name_node, self.source) if name_node is not None else ""
        outer = self.definitions[around.definition].fact if around.definition >= 0 else None
        if kind is DefinitionKind.FUNCTION and outer is not None and outer.kind is DefinitionKind.CLASS:
            kind = DefinitionKind.METHOD
        self.scopes.bind(around.names, name)
        fact = Definition(
            kind=kind,
            name=name,
            qualname=f"{outer.qualname}.{name}"[-400:] if outer is not None else name,
            line=line_of(node),
            end_line=last_line(node),
            parent=around.definition,
            decorators=self._decorators.pop(node.id, ()),
            is_async=bool(node.children) and node.children[0].type == "async",
            exported=outer is None and not name.startswith("_"),
            docstring=self.docstring(body),
        )
        self.definitions.append(DefinitionDraft(fact))
        return len(self.definitions) - 1

    def _type_scope(self, node: Node, around: Around) -> Around:
        """The surroundings of what may use the type parameters of `node`."""
        outside = replace(around, function=-1)
        listed = node.child_by_field_name("type_parameters")
        if listed is None:
            return outside
        scope = self.scopes.open(ScopeKind.FUNCTION, around.names, sees_class=around.names.kind is ScopeKind.CLASS)
        outside = replace(outside, names=scope)
        for entry in parts(listed):
            inside = parts(entry)
            while len(inside) == 1 and inside[0].type in {"type", "constrained_type", "splat_type", "typevar", "list_splat"}:
                inside = parts(inside[0])
            if inside and inside[0].type == "type":
                inside = [*parts(inside[0]), *inside[1:]]
            name = inside[0] if inside else entry
            self.scopes.bind(scope, text_of(name, self.source).lstrip("*"))
            self.push(inside[1:], outside)
        return outside

    def _function(self, node: Node, around: Around, _hint: Hint) -> None:
        body = node.child_by_field_name("body")
        index = self._add_definition(node, around, DefinitionKind.FUNCTION, body)
        types = self._type_scope(node, around)
        scope = self.scopes.open(ScopeKind.FUNCTION, types.names)
        inside = Around(scope, index, index, lazy=True, type_only=around.type_only)
        self.push((body,), inside)
        self.push((node.child_by_field_name("return_type"),), types)
        listed = node.child_by_field_name("parameters")
        parameters = self._parameters(listed, scope, replace(around, function=-1), types) if listed is not None else ()
        draft = self.definitions[index]
        draft.fact = replace(draft.fact, parameters=parameters)

    def _parameters(self, listed: Node, scope: Scope, outside: Around, types: Around) -> tuple[Parameter, ...]:
        found: list[Parameter] = []
        entries: list[tuple[Node | None, Around]] = []
        keyword_only = False
        for node in parts(listed):
            if node.type == "keyword_separator":
                keyword_only = True
                continue
            if node.type == "positional_separator":
                continue
            annotation, default = node.child_by_field_name("type"), node.child_by_field_name("value")
            plain = node.type in {"identifier", "tuple_pattern", "list_splat_pattern", "dictionary_splat_pattern"}
            pattern = node if plain else node.child_by_field_name("name") or next(iter(parts(node)), node)
            kind = {"list_splat_pattern": "args", "dictionary_splat_pattern": "kwargs", "tuple_pattern": "destructured"}.get(
                pattern.type, "keyword" if keyword_only else "positional"
            )
            keyword_only = keyword_only or kind == "args"
            found.append(
                Parameter(
                    folded(pattern, self.source).lstrip("* "),
                    kind,
                    folded(annotation, self.source) if annotation is not None else "",
                    self.values.value(default) if default is not None else None,
                )
            )
            self.bind(pattern, scope)
            entries += [(annotation, types), (default, outside)]
        self.push_all(entries)
        return tuple(found)

    def _class(self, node: Node, around: Around, _hint: Hint) -> None:
        body, bases = node.child_by_field_name("body"), node.child_by_field_name("superclasses")
        index = self._add_definition(node, around, DefinitionKind.CLASS, body)
        types = self._type_scope(node, around)
        scope = self.scopes.open(ScopeKind.CLASS, types.names)
        draft = self.definitions[index]
        named = tuple(folded(base, self.source) for base in parts(bases) if base.type != "keyword_argument") if bases is not None else ()
        draft.fact = replace(draft.fact, bases=named)
        self.push((body,), replace(around, names=scope, definition=index, function=-1))
        self.push((bases,), types)

    def _type_alias(self, node: Node, around: Around, _hint: Hint) -> None:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        name = left
        for _ in range(3):
            inside = parts(name) if name is not None and name.type in {"type", "generic_type"} else []
            name = inside[0] if inside else name
        scope = self.scopes.open(ScopeKind.FUNCTION, around.names, sees_class=around.names.kind is ScopeKind.CLASS)
        if name is None or left is None or name.type != "identifier":  # `type(x).y = z`, which the grammar takes for an alias
            self.push(node.named_children, around)
            return
        self.scopes.bind(around.names, text_of(name, self.source))
        if left is not None:
            self.bind(left, scope)
        self.push((right,), replace(around, names=scope, function=-1))
