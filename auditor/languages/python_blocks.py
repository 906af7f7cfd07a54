"""The walk over a Python syntax tree: statements that open a block, and the facts put together at the end."""

from __future__ import annotations

import re
from dataclasses import replace

from tree_sitter import Node

from auditor.languages.loops import loop_of
from auditor.languages.python_definitions import DefinitionWalk
from auditor.languages.python_handlers import CHAIN_KEPT, HandlerDraft
from auditor.languages.python_lines import Lines
from auditor.languages.python_scopes import Scope
from auditor.languages.python_values import last_line, parts
from auditor.languages.python_walk import PLAIN, Around, DefinitionDraft, Hint, Reasons, directives
from auditor.languages.tree import end_line_of, folded, line_of, text_of
from auditor.model.syntax import (
    Branch,
    Definition,
    FileFacts,
)

_IMPORT_FAILURE = re.compile(r"(?:^|\.)(?:ImportError|ModuleNotFoundError|Exception|BaseException)$")
_NAME_FAILURE = re.compile(r"(?:^|\.)(?:NameError|Exception|BaseException)$")
_MAIN = re.compile(r"^\(?\s*__name__\s*(?:==|in)\s*\W*__main__|^['\"]__main__['\"]\s*==\s*__name__")
_TYPE_CHECKING = re.compile(r"^(?:\w+\.)?TYPE_CHECKING$")
_SUPPRESS = frozenset({"contextlib.suppress", "suppress"})


class Walk(DefinitionWalk):
    """The whole walk over one file."""

    def __init__(self, path: str, source: bytes, root: Node) -> None:
        super().__init__(path, source, root)
        self.readers.update(
            {
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
        self.docstring(self.root)
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
            loops=tuple(self.loops),
            branches=tuple(self.branches),
            directives=directives(comments, self.source),
            bound=tuple(sorted(self.scopes.module.bound)),
            undefined=self.scopes.undefined(),
            scoped=self.scopes.decidable,
            main_lines=self.main_lines,
            code_lines=lines.total,
            error_line=error_line,
        )

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
            if block is not None:
                names = self.values.value(condition).names
                lines = (line_of(branch), end_line_of(block), end_line_of(node))
                self.branches.append(Branch(text, names, *lines, around.definition))
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
        self.loops.append(loop_of(node, self.source, around.definition))
        inside = replace(self.deeper(around), loop=True)
        left = node.child_by_field_name("left")
        entries: list[tuple[Node | None, Around]] = [(part, around) for part in (self.bind(left, around.names) if left is not None else ())]
        entries += [(right, around) for right in node.children_by_field_name("right")]
        entries.append((node.child_by_field_name("body"), inside))
        self.push_all(entries + self._else(node, around))

    def _while(self, node: Node, around: Around, _hint: Hint) -> None:
        self.decision(around)
        self.loops.append(loop_of(node, self.source, around.definition))
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
            hint = Hint(managed=True)
            if value is not None and value.type == "as_pattern":
                alias = value.child_by_field_name("alias")
                if alias is not None:
                    hint = hint._replace(target=folded(alias, self.source))
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
