"""The walk over a Python syntax tree, second half: imports, definitions and statements that open a block."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from tree_sitter import Node

from auditor.languages.python_handlers import CHAIN_KEPT, HandlerDraft
from auditor.languages.python_lines import Lines
from auditor.languages.python_scopes import Scope, ScopeKind
from auditor.languages.python_values import EXTRAS, last_line, parts, string_value
from auditor.languages.python_walk import PLAIN, Around, DefinitionDraft, ExpressionWalk, Hint, Reasons, directives
from auditor.languages.tree import end_line_of, folded, line_of, text_of
from auditor.model.syntax import (
    Call,
    Definition,
    DefinitionKind,
    FileFacts,
    Import,
    ImportKind,
    Parameter,
)

_DOCSTRING_LIMIT = 1_000
_IMPORT_FAILURE = re.compile(r"(?:^|\.)(?:ImportError|ModuleNotFoundError|Exception|BaseException)$")
_NAME_FAILURE = re.compile(r"(?:^|\.)(?:NameError|Exception|BaseException)$")
_MAIN = re.compile(r"^\(?\s*__name__\s*(?:==|in)\s*\W*__main__|^['\"]__main__['\"]\s*==\s*__name__")
_TYPE_CHECKING = re.compile(r"^(?:\w+\.)?TYPE_CHECKING$")
_SUPPRESS = frozenset({"contextlib.suppress", "suppress"})


class Walk(ExpressionWalk):
    """The whole walk over one file."""

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
                "if_statement": self._if,
                "for_statement": self._for,
                "while_statement": self._while,
                "try_statement": self._try,
                "with_statement": self._with,
                "match_statement": self._match,
            }
        )

    def run(self, error_line: int) -> FileFacts:
        """All facts of the file."""
        around = Around(self.scopes.module)
        self._docstring(self.root)
        self.push(self.root.named_children, around)
        self.walk()
        self.readers.clear()  # bound methods: a cycle that would keep the tree alive until the next garbage collection
        comments = self.comments()
        reasons = Reasons(comments)
        handlers = sorted(self.handlers, key=lambda handler: (handler.line, handler.end_line))
        lines = self.lines()
        return FileFacts(
            path=self.path,
            imports=tuple(self.imports),
            definitions=tuple(_finished(draft, lines) for draft in self.definitions),
            calls=tuple(self.calls),
            assignments=tuple(self.assignments),
            handlers=tuple(handler.finish(comment=reasons.between(handler.line, handler.end_line)) for handler in handlers),
            environment=tuple(self.environment),
            literals=tuple(self.literals),
            assertions=tuple(self.assertions),
            comments=comments,
            raises=tuple(self.raises),
            returns=tuple(self.returns),
            directives=directives(comments, self.source),
            bound=tuple(sorted(self.scopes.module.bound)),
            undefined=self.scopes.undefined(),
            scoped=self.scopes.decidable,
            main_lines=self.main_lines,
            code_lines=lines.total,
            error_line=error_line,
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

    def _docstring(self, body: Node | None) -> str:
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
            docstring=self._docstring(body),
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

    # -- blocks ----------------------------------------------------------------------------------------------------------------------

    def _if(self, node: Node, around: Around, _hint: Hint) -> None:
        inside = self.deeper(around)
        entries: list[tuple[Node | None, Around]] = []
        types_elsewhere = False
        for branch in (node, *node.children_by_field_name("alternative")):
            condition, block = branch.child_by_field_name("condition"), branch.child_by_field_name("consequence")
            if condition is None:
                entries.append((branch.child_by_field_name("body"), replace(inside, type_only=True) if types_elsewhere else inside))
                continue
            self.decision(around)
            entries.append((condition, around))
            text = folded(condition, self.source)
            if _TYPE_CHECKING.match(text):
                entries.append((block, replace(inside, type_only=True)))
                continue
            if branch is node and around.definition < 0 and _MAIN.match(text) and block is not None:
                self.main_lines = (line_of(node), last_line(node))
            types_elsewhere = types_elsewhere or bool(text.startswith("not ") and _TYPE_CHECKING.match(text[4:].strip()))
            entries.append((block, inside))
        self.push_all(entries)

    def _for(self, node: Node, around: Around, _hint: Hint) -> None:
        self.decision(around)
        inside = replace(self.deeper(around), loop=True)
        left = node.child_by_field_name("left")
        entries: list[tuple[Node | None, Around]] = [(part, around) for part in (self.bind(left, around.names) if left is not None else ())]
        entries += [(right, around) for right in node.children_by_field_name("right")]
        entries.append((node.child_by_field_name("body"), inside))
        self.push_all(entries + self._else(node, around))

    def _while(self, node: Node, around: Around, _hint: Hint) -> None:
        self.decision(around)
        inside = replace(self.deeper(around), loop=True)
        entries = [(node.child_by_field_name("condition"), replace(around, loop=True)), (node.child_by_field_name("body"), inside)]
        self.push_all(entries + self._else(node, around))

    def _else(self, node: Node, around: Around) -> list[tuple[Node | None, Around]]:
        """The `else` of a loop, a decision of its own."""
        found: list[tuple[Node | None, Around]] = []
        for branch in node.children_by_field_name("alternative"):
            self.decision(around)
            found.append((branch.child_by_field_name("body"), self.deeper(around)))
        return found

    def _try(self, node: Node, around: Around, _hint: Hint) -> None:
        inside = self.deeper(around)
        clauses = [child for child in node.named_children if child.type in {"except_clause", "except_group_clause"}]
        body = node.child_by_field_name("body")
        length = last_line(body) - line_of(body) + 1 if body is not None else 0
        drafts = [self._clause(clause, around, length) for clause in clauses]
        self.handlers.extend(drafts)
        self.decision(around, len(drafts))
        caught = [kind for draft in drafts for kind in draft.types or ("Exception",)]
        entries: list[tuple[Node | None, Around]] = [(body, self._tried(inside, drafts, caught) if drafts else inside)]
        following = iter(zip(clauses, drafts, strict=True))
        for child in node.named_children:
            if child.type in {"except_clause", "except_group_clause"}:
                clause, draft = next(following)
                entries += self._clause_parts(clause, draft, around, inside)
            elif child.type == "else_clause":
                self.decision(around)
                entries.append((child.child_by_field_name("body"), inside))
            elif child.type == "finally_clause":
                entries += [(part, inside) for part in child.named_children]
        self.push_all(entries)

    def _tried(self, inside: Around, drafts: list[HandlerDraft], caught: list[str]) -> Around:
        return replace(
            inside,
            guarded=True,
            import_guarded=inside.import_guarded or any(_IMPORT_FAILURE.search(kind) for kind in caught),
            name_guarded=inside.name_guarded or any(_NAME_FAILURE.search(kind) for kind in caught if kind.endswith("NameError")),
            tries=(*inside.tries, *drafts)[:CHAIN_KEPT],
        )

    def _clause(self, clause: Node, around: Around, length: int) -> HandlerDraft:
        types, binding = self._caught(clause)
        block = next((child for child in clause.named_children if child.type == "block"), None)
        statements = len(parts(block)) if block is not None else 0
        return HandlerDraft(
            "except",
            line_of(clause),
            end_line_of(clause),
            around.definition,
            tuple(folded(kind, self.source) for kind in types),
            text_of(binding, self.source) if binding is not None else "",
            length,
            statements,
        )

    def _caught(self, clause: Node) -> tuple[list[Node], Node | None]:
        """The caught types and the name the error is bound to."""
        values = [child for child in parts(clause) if child.type != "block"]
        binding: Node | None = clause.child_by_field_name("alias")
        if binding is not None:
            values = [value for value in values if value != binding]
        if len(values) == 1 and values[0].type == "as_pattern":
            alias = values[0].child_by_field_name("alias")
            inside = parts(alias) if alias is not None else []
            binding = inside[0] if inside else None
            values = parts(values[0])[:1]
        if len(values) == 1 and values[0].type in {"tuple", "expression_list", "parenthesized_expression"}:
            values = parts(values[0])
        return values, binding

    def _clause_parts(self, clause: Node, draft: HandlerDraft, around: Around, inside: Around) -> list[tuple[Node | None, Around]]:
        types, _ = self._caught(clause)
        if draft.binding:
            self.scopes.bind(around.names, draft.binding)
        within = replace(inside, handlers=(*inside.handlers, draft)[-CHAIN_KEPT:])
        blocks: list[tuple[Node | None, Around]] = [(child, within) for child in clause.named_children if child.type == "block"]
        return [*((kind, around) for kind in types), *blocks]

    def _with(self, node: Node, around: Around, _hint: Hint) -> None:
        inside = around
        clause = next((child for child in node.named_children if child.type == "with_clause"), None)
        body = node.child_by_field_name("body")
        items = [item for item in parts(clause) if item.type == "with_item"] if clause is not None else []
        entries: list[tuple[Node, Hint]] = []
        for item in items:
            value = item.child_by_field_name("value")
            hint = PLAIN
            if value is not None and value.type == "as_pattern":
                alias = value.child_by_field_name("alias")
                if alias is not None:
                    hint = Hint(target=folded(alias, self.source))
                    entries.extend((part, PLAIN) for part in self.bind(alias, around.names))
                value = next(iter(parts(value)), None)
            if value is None:
                continue
            entries.append((value, hint))
            inside = self._suppressed(value, node, body, around, inside)
        self.push((body,), inside)
        for part, hint in reversed(entries):
            self.push((part,), around, hint)

    def _suppressed(self, value: Node, node: Node, body: Node | None, around: Around, inside: Around) -> Around:
        """The surroundings of a block whose errors `contextlib.suppress` drops; unchanged for any other context manager."""
        function = value.child_by_field_name("function") if value.type == "call" else None
        if function is None or self.values.path(function) not in _SUPPRESS:
            return inside
        given = value.child_by_field_name("arguments")
        types = tuple(folded(part, self.source) for part in parts(given)) if given is not None else ()
        length = last_line(body) - line_of(body) + 1 if body is not None else 0
        draft = HandlerDraft("suppress", line_of(node), end_line_of(node), around.definition, types, tried_lines=length)
        self.handlers.append(draft)
        return self._tried(inside, [draft], list(types))

    def _match(self, node: Node, around: Around, _hint: Hint) -> None:
        inside = self.deeper(around)
        entries: list[tuple[Node | None, Around]] = [(subject, around) for subject in node.children_by_field_name("subject")]
        body = node.child_by_field_name("body")
        cases = [case for case in parts(body) if case.type == "case_clause"] if body is not None else []
        catch_all = False
        for case in cases:
            patterns = [child for child in parts(case) if child.type == "case_pattern"]
            catch_all = catch_all or (len(patterns) == 1 and self._irrefutable(patterns[0]))
            for pattern in patterns:
                entries += [(part, around) for part in self._bind_pattern(pattern, around.names)]
            guard = case.child_by_field_name("guard")
            entries += [(guard, around), (case.child_by_field_name("consequence"), inside)]
        self.decision(around, max(0, len(cases) - catch_all))
        self.push_all(entries)

    def _irrefutable(self, pattern: Node) -> bool:
        inside = parts(pattern)
        return not inside or (len(inside) == 1 and inside[0].type == "dotted_name" and len(parts(inside[0])) == 1)

    def _bind_pattern(self, pattern: Node, scope: Scope) -> list[Node]:
        """Bind the names a pattern captures; gives the names and values it compares with."""
        loose: list[Node] = []
        pending = [pattern]
        while pending:
            node = pending.pop()
            inside = parts(node)
            if node.type == "dotted_name":
                if len(inside) == 1:
                    self.scopes.bind(scope, text_of(inside[0], self.source))
                else:
                    loose.extend(inside[:1])
            elif node.type == "class_pattern" and inside:
                loose.extend(parts(inside[0])[:1])
                pending.extend(inside[1:])
            elif node.type == "keyword_pattern":
                pending.extend(inside[1:])
            elif node.type == "identifier":
                self.scopes.bind(scope, text_of(node, self.source))
            else:
                pending.extend(inside)
        return loose


def _finished(draft: DefinitionDraft, lines: Lines) -> Definition:
    fact = draft.fact
    return replace(
        fact,
        code_lines=lines.code(fact.line, fact.end_line),
        string_lines=lines.inside_strings(fact.line, fact.end_line),
        complexity=draft.complexity,
        nesting=draft.nesting,
    )
