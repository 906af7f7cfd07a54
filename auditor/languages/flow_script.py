"""JavaScript and TypeScript source to the intermediate form of `flow_ir`, from tree-sitter's trees. Nothing is judged here.

Types are dropped; a method has its object as a first parameter `this`; JSX elements are calls of `jsx.element` with the attributes as keywords.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tree_sitter import Node

from auditor.languages import flow_ir as ir
from auditor.languages.flow_script_expressions import ExpressionReader
from auditor.languages.tree import MAX_DEPTH, Grammar, end_line_of, line_of, parse


def lower_script(path: str, text: str, grammar: Grammar) -> ir.Module:
    """The whole file; never fails, whatever the text."""
    source = text.encode("utf-8", "replace")
    reader = _Reader(source)
    body = reader.block(parse(grammar, source).root_node)
    return ir.Module(path, body, reader.exports, tuple(reader.reexports))


class _Reader(ExpressionReader):
    """Turns nodes into statements."""

    def block(self, node: Node | None) -> tuple[ir.Statement, ...]:
        """The statements of a block; function declarations first, as the language hoists them."""
        if node is None or self.depth > MAX_DEPTH:
            return ()
        self.depth += 1
        found: list[ir.Statement] = []
        children = node.named_children if node.type in _BLOCKS else [node]
        for child in children:
            found.extend(self.statement(child))
        self.depth -= 1
        hoisted = [part for part in found if isinstance(part, ir.Function)]
        return (*hoisted, *(part for part in found if not isinstance(part, ir.Function))) if hoisted else tuple(found)

    def statement(self, node: Node) -> list[ir.Statement]:
        reader = _STATEMENTS.get(node.type)
        if reader is not None:
            return reader(self, node)
        return list(self.block(node)) if node.type in _BLOCKS else []

    def expression_statement(self, node: Node) -> list[ir.Statement]:
        found: list[ir.Statement] = []
        for child in node.named_children:
            if child.type == "assignment_expression":
                left, right = child.child_by_field_name("left"), child.child_by_field_name("right")
                if right is not None and right.type == "class":  # module.exports = class Name { ... }
                    found.append(self._class(right))
                found.append(ir.Assign(self.expression(left), self.expression(right), line_of(child)))
            elif child.type == "augmented_assignment_expression":
                found.append(self.augmented(child))
            elif child.type != "comment":
                found.append(ir.Evaluate(self.expression(child), line_of(child)))
        return found

    def declaration(self, node: Node) -> list[ir.Statement]:
        found: list[ir.Statement] = []
        for child in node.named_children:
            value = child.child_by_field_name("value")
            if child.type == "variable_declarator" and value is not None:
                target = child.child_by_field_name("name")
                read = self.expression(value)
                if isinstance(read, ir.Function) and not read.name:
                    read.name = self.text(target)
                found.append(ir.Assign(self.expression(target), read, line_of(child)))
        return found

    def if_statement(self, node: Node) -> list[ir.Statement]:
        chain, current = [], node
        other: tuple[ir.Statement, ...] = ()
        while True:
            chain.append(current)
            clause = current.child_by_field_name("alternative")
            following = clause.named_children[0] if clause is not None and clause.named_children else None
            if following is None or following.type != "if_statement":
                other = self.block(following)
                break
            current = following
        for part in reversed(chain):
            test = self.expression(part.child_by_field_name("condition"))
            other = (ir.If(test, self.block(part.child_by_field_name("consequence")), other, line_of(part)),)
        return list(other)

    def for_statement(self, node: Node) -> list[ir.Statement]:
        start = node.child_by_field_name("initializer")
        test = node.child_by_field_name("condition")
        step = node.child_by_field_name("increment")
        body = self.block(node.child_by_field_name("body"))
        if step is not None:
            body = (*body, ir.Evaluate(self.expression(step), line_of(step)))
        found = self.statement(start) if start is not None else []
        condition = self.expression(
            test.named_children[0] if test is not None and test.type == "expression_statement" and test.named_children else test
        )
        return [*found, ir.Loop(None, None, condition, body, (), line_of(node))]

    def for_in(self, node: Node) -> list[ir.Statement]:
        target = self.expression(node.child_by_field_name("left"))
        iterable = self.expression(node.child_by_field_name("right"))
        if self.text(node.child_by_field_name("operator")) == "in":
            iterable = ir.Call(ir.Attribute(iterable, "keys", line_of(node)), (), (), line_of(node), line_of(node))
        return [ir.Loop(target, iterable, None, self.block(node.child_by_field_name("body")), (), line_of(node))]

    def while_statement(self, node: Node) -> list[ir.Statement]:
        test = self.expression(node.child_by_field_name("condition"))
        loop = ir.Loop(None, None, test, self.block(node.child_by_field_name("body")), (), line_of(node))
        return [*loop.body, loop] if node.type == "do_statement" else [loop]

    def try_statement(self, node: Node) -> list[ir.Statement]:
        handler, final = node.child_by_field_name("handler"), node.child_by_field_name("finalizer")
        handlers: tuple[tuple[str, tuple[ir.Statement, ...]], ...] = ()
        if handler is not None:
            handlers = ((self.text(handler.child_by_field_name("parameter")), self.block(handler.child_by_field_name("body"))),)
        ending = self.block(final.child_by_field_name("body")) if final is not None else ()
        return [ir.Try(self.block(node.child_by_field_name("body")), handlers, (), ending, line_of(node))]

    def switch(self, node: Node) -> list[ir.Statement]:
        body = node.child_by_field_name("body")
        cases: list[tuple[tuple[ir.Constant, ...] | None, ir.Expression | None, tuple[ir.Statement, ...]]] = []
        for clause in body.named_children if body is not None else ():
            value = clause.child_by_field_name("value")
            statements = [part for child in clause.children_by_field_name("body") for part in self.statement(child)]
            read = self.expression(value) if value is not None else None
            constants = () if read is None else (read.value,) if isinstance(read, ir.Const) else None
            cases.append((constants, None, tuple(statements)))
        return [ir.Match(self.expression(node.child_by_field_name("value")), tuple(cases), line_of(node), falls_through=True)]

    def leave(self, node: Node) -> list[ir.Statement]:
        kind = {"return_statement": "return", "throw_statement": "raise", "break_statement": "break"}.get(node.type, "continue")
        value = next((child for child in node.named_children if child.type not in {"comment", "statement_identifier"}), None)
        return [ir.Leave(kind, self.expression(value) if value is not None else None, line_of(node))]

    def labelled(self, node: Node) -> list[ir.Statement]:
        return list(self.block(node.child_by_field_name("body")))

    def imports(self, node: Node) -> list[ir.Statement]:
        source = node.child_by_field_name("source")
        module = self._module(source)
        found: list[ir.Statement] = []
        clause = next((child for child in node.named_children if child.type == "import_clause"), None)
        for child in clause.named_children if clause is not None else ():
            if child.type == "identifier":
                found.append(ir.Import(self.text(child), module, line_of(node), "default"))
            elif child.type == "namespace_import" and child.named_children:
                found.append(ir.Import(self.text(child.named_children[0]), module, line_of(node)))
            elif child.type == "named_imports":
                for part in child.named_children:
                    name, alias = self.text(part.child_by_field_name("name")), self.text(part.child_by_field_name("alias"))
                    found.append(ir.Import(alias or name, module, line_of(node), name))
        return found

    def _module(self, source: Node | None) -> str:
        return self.text(source).strip("\"'`").removeprefix("node:")

    def export(self, node: Node) -> list[ir.Statement]:
        declaration, value = node.child_by_field_name("declaration"), node.child_by_field_name("value")
        default = any(child.type == "default" for child in node.children)
        found: list[ir.Statement] = []
        if declaration is not None:
            found = self.statement(declaration)
            for part in found:
                name = part.name if isinstance(part, (ir.Function, ir.Class)) else getattr(getattr(part, "target", None), "id", "")
                self.exports["default" if default else name] = name
        elif value is not None:
            read = self.expression(value)
            found = [ir.Assign(ir.Name("default", line_of(node)), read, line_of(node))]
            self.exports["default"] = "default"
        else:
            found = self._named_exports(node)
        return found

    def _named_exports(self, node: Node) -> list[ir.Statement]:
        """`export { a as b }`, and the same from another module: an import under a name nobody else uses."""
        source = node.child_by_field_name("source")
        found: list[ir.Statement] = []
        clause = next((child for child in node.named_children if child.type == "export_clause"), None)
        for part in clause.named_children if clause is not None else ():
            name = self.text(part.child_by_field_name("name"))
            exported = self.text(part.child_by_field_name("alias")) or name
            self.exports[exported] = name if source is None else f"export {exported}"
            if source is not None:
                found.append(ir.Import(f"export {exported}", self._module(source), line_of(node), name))
        if clause is None and source is not None:
            self.reexports.append(self._module(source))
        return found

    def function_declaration(self, node: Node) -> list[ir.Statement]:
        return [self.function(node)]

    def function(self, node: Node, owner: str = "") -> ir.Function:
        body = node.child_by_field_name("body")
        if body is not None and body.type != "statement_block":
            statements: tuple[ir.Statement, ...] = (ir.Leave("return", self.expression(body), line_of(body)),)
        else:
            statements = self.block(body)
        single = node.child_by_field_name("parameter")
        given = node.child_by_field_name("parameters")
        parameters = (ir.Parameter(self.text(single)),) if single is not None else self.parameters(given)
        parameters = tuple(
            parameter for parameter in parameters if parameter.name != "this"
        )  # TypeScript: the type of the object, not handed over
        if owner:
            parameters = (ir.Parameter("this"), *parameters)
        return ir.Function(
            self.text(node.child_by_field_name("name")),
            parameters,
            statements,
            line_of(node),
            end_line_of(node),
            owner=owner,
            decorators=(ir.Name("classmethod", line_of(node)),) if owner and any(child.type == "static" for child in node.children) else (),
            is_async=any(child.type == "async" for child in node.children),
        )

    def parameters(self, node: Node | None) -> tuple[ir.Parameter, ...]:
        found = []
        for number, child in enumerate(node.named_children if node is not None else ()):
            if child.type == "comment":
                continue
            pattern = child.child_by_field_name("pattern") or child
            value = child.child_by_field_name("value")
            if pattern.type == "assignment_pattern":
                value = pattern.child_by_field_name("right")
                pattern = pattern.child_by_field_name("left") or pattern
            kind = "*" if pattern.type == "rest_pattern" else ""
            inner = pattern.named_children[0] if kind and pattern.named_children else pattern
            plain = inner.type in {"identifier", "this"}
            decorators = " ".join(self.text(part) for part in child.named_children if part.type == "decorator")
            found.append(
                ir.Parameter(
                    self.text(inner) if plain else f"\x00{number}",
                    f"{decorators}{self.text(child.child_by_field_name('type'))}".lstrip(": ") if child.type != pattern.type else "",
                    self.expression(value) if value is not None else None,
                    None if plain else self.expression(inner),
                    kind,
                )
            )
        return tuple(found)

    def class_declaration(self, node: Node) -> list[ir.Statement]:
        return [self._class(node)]

    def _class(self, node: Node) -> ir.Class:
        name = self.text(node.child_by_field_name("name"))
        heritage = next((child for child in node.named_children if child.type == "class_heritage"), None)
        bases = tuple(self.expression(part) for part in _heritage(heritage))
        body: list[ir.Statement] = []
        content = node.child_by_field_name("body")
        waiting: list[ir.Expression] = []
        for child in content.named_children if content is not None else ():
            if child.type == "decorator" and child.named_children:
                waiting.append(self.expression(child.named_children[0]))
                continue
            if child.type == "method_definition":
                method = self.function(child, owner=name or "class")
                method.decorators = (*method.decorators, *waiting)
                body.append(method)
            elif child.type in {"field_definition", "public_field_definition"}:
                body.extend(self._field(child, name))
            waiting = []
        decorators = tuple(self.expression(c.named_children[0]) for c in node.named_children if c.type == "decorator" and c.named_children)
        return ir.Class(name, bases, tuple(body), line_of(node), decorators, tuple(self._declared(content)))

    def _declared(self, content: Node | None) -> Iterator[tuple[str, str]]:
        """The fields of a class with their decorators and types as text."""
        for child in content.named_children if content is not None else ():
            named = child.child_by_field_name("name")
            if child.type == "public_field_definition" and named is not None:
                said = [self.text(part) for part in child.named_children if part.type in {"decorator", "type_annotation"}]
                yield self.text(named), " ".join(said)

    def _field(self, node: Node, owner: str) -> list[ir.Statement]:
        named = node.child_by_field_name("property") or node.child_by_field_name("name")
        value = node.child_by_field_name("value")
        if value is None or named is None:
            return []
        if value.type in {"arrow_function", "function_expression"}:
            method = self.function(value, owner=owner or "class")
            method.name = self.text(named)
            return [method]
        return [ir.Assign(ir.Name(self.text(named), line_of(node)), self.expression(value), line_of(node))]


def _heritage(node: Node | None) -> list[Node]:
    found: list[Node] = []
    for child in node.named_children if node is not None else ():
        if child.type == "extends_clause":
            found.extend(child.children_by_field_name("value"))
        elif child.type != "implements_clause":
            found.append(child)
    return found


_BLOCKS = frozenset({"program", "statement_block", "ERROR", "else_clause", "class_static_block"})

_STATEMENTS: dict[str, Callable[[_Reader, Node], list[ir.Statement]]] = {
    "expression_statement": _Reader.expression_statement,
    "lexical_declaration": _Reader.declaration,
    "variable_declaration": _Reader.declaration,
    "if_statement": _Reader.if_statement,
    "for_statement": _Reader.for_statement,
    "for_in_statement": _Reader.for_in,
    "while_statement": _Reader.while_statement,
    "do_statement": _Reader.while_statement,
    "try_statement": _Reader.try_statement,
    "switch_statement": _Reader.switch,
    "return_statement": _Reader.leave,
    "throw_statement": _Reader.leave,
    "break_statement": _Reader.leave,
    "continue_statement": _Reader.leave,
    "labeled_statement": _Reader.labelled,
    "import_statement": _Reader.imports,
    "export_statement": _Reader.export,
    "function_declaration": _Reader.function_declaration,
    "generator_function_declaration": _Reader.function_declaration,
    "class_declaration": _Reader.class_declaration,
    "abstract_class_declaration": _Reader.class_declaration,
}
