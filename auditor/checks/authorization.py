"""What looks at the caller before an endpoint answers: guards by name, by their own body, around everything, and inside the handler."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from auditor.checks import authorization_words as words
from auditor.checks.authorization_covers import Covers
from auditor.checks.guard import Guard, Strength, last_name
from auditor.checks.reach import Reach
from auditor.checks.refusals import Function, Refusal, is_read
from auditor.model.evidence import Route, Routes
from auditor.model.project import Project
from auditor.model.syntax import Assignment, Definition, DefinitionKind, FileFacts, Syntax, ValueKind
from auditor.model.verdict import Place

_LIFECYCLE = frozenset(
    {"dispatch", "initial", "prepare", "setup", "test_func", "check_permissions", "has_permission", "before_request", "canActivate"}
)
_BLOCK = re.compile(r"(?m)^[ \t]*+/\*(?:[^*]|\*(?!/))*+\*/")
_DEPTH = 4
_MOST_LINES = 400
_MOST_FUNCTIONS = 120


class Guards:
    """Finds what guards each endpoint of a repository."""

    def __init__(self, project: Project, texts: dict[str, str], syntax: Syntax, routes: Routes) -> None:
        self._project = project
        self._syntax = syntax
        self.reach = Reach(syntax, project.production)
        self._lines = {path: _without_comments(path, texts.get(path, "")).split("\n") for path in sorted(project.production)}
        self._texts = texts
        self._bound: defaultdict[str, list[tuple[str, Assignment]]] = defaultdict(list)
        self._names: dict[tuple[str, str], Guard] = {}
        self._bodies: dict[tuple[str, int], tuple[Refusal, ...]] = {}
        self._refusing: dict[tuple[str, int], bool] = {}
        server = [path for path in sorted(project.production) if path in syntax.files]
        for path in server:
            for assignment in syntax.files[path].assignments:
                value = assignment.value
                held = value is not None and value.kind in {ValueKind.NAME, ValueKind.CALL} and "." not in assignment.target
                if value is not None and (assignment.scope == -1 or assignment.target.startswith(("self.", "this.")) or held):
                    self._bound[assignment.target].append((path, assignment))
        self._handlers = {(route.place.path, route.handler_scope) for route in routes.routes if route.handler_scope >= 0}
        self._graphql = [r for r in routes.routes if r.framework != "graphql" and re.search(r"graphql/?$", r.path)]
        self._directives = dict(_directives(texts)) if any(r.framework == "graphql" for r in routes.routes) else {}
        self._covers = tuple(Covers(self, project, texts, syntax).all(server, routes))

    # -- one endpoint ------------------------------------------------------------------------------------------------------------------

    def of(self, route: Route) -> Guard:
        """The guard of one endpoint."""
        opened = any(words.OPENED.match(last_name(name)) for name in route.through)
        lifted = any(last_name(name) == "AllowAny" for name in route.through)
        found = self._through(route)
        if found.strength is Strength.SEEN:
            return found
        if route.handler_scope >= 0 and self.refuses(route.place.path, route.handler_scope):
            return Guard(Strength.SEEN, route.handler, route.place)
        if route.handler_scope >= 0:
            inner = Guard(Strength.NONE) if lifted else self._inside_class(route.place.path, route.handler_scope)
            if inner.strength is not Strength.NONE:
                return inner
            if any(words.CALLED.search(call.callee) for _, call in self.reach.calls(route.place.path, route.handler_scope, 0)):
                return Guard(Strength.NAMED, route.handler)
        if not opened:
            part = self._project.part_of(route.place.path).root
            for cover in self._covers:
                matches = cover.pattern is None or cover.pattern.search(route.path) is not None
                rest = cover.through is None or route.framework == "drf" or any(cover.through.search(name) for name in route.through)
                if cover.root == part and matches and rest and (not cover.framework or route.framework in cover.framework):
                    return cover.guard
        if found.strength is Strength.NONE and route.framework == "graphql" and not opened:
            found = self._before_graphql(route)
        if found.strength is Strength.NONE and (
            route.handler_scope < 0 or (route.framework == "remix" and self._refusing_layout(route.place.path))
        ):
            return Guard(Strength.UNKNOWN)
        return found

    def _before_graphql(self, route: Route) -> Guard:
        """What guards the one endpoint all fields are asked through, or a directive of the schema on the field."""
        part = self._project.part_of(route.place.path).root
        for endpoint in self._graphql:
            found = self._through(endpoint)
            if found.strength is not Strength.NONE and self._project.part_of(endpoint.place.path).root == part:
                return found
        field = route.path.rpartition("/")[2]
        return Guard(Strength.NAMED, f"@{self._directives[field]}") if field in self._directives else Guard(Strength.NONE)

    def _refusing_layout(self, path: str) -> bool:
        """Whether a layout above a Remix route sends strangers away: the page is not shown then, though its own loader can be asked alone."""
        folders = path.split("/")[:-1]
        for length in range(len(folders), 0, -1):
            for ending in ("tsx", "ts", "jsx", "js"):
                layout = f"{'/'.join(folders[:length])}/_layout.{ending}"
                facts = self._syntax.files.get(layout)
                if facts is not None and any(
                    d.name == "loader" and self.refuses(layout, index) for index, d in enumerate(facts.definitions)
                ):
                    return True
        return False

    def _through(self, route: Route) -> Guard:
        where = route.registered.path if route.registered is not None else route.place.path
        named = Guard(Strength.NONE)
        for name in route.through:
            found = self.named(where, name) if name != "(inline)" else self._inline(where)
            if found.strength is Strength.NONE and where != route.place.path and name != "(inline)":
                found = self.named(route.place.path, name)
            if found.strength is Strength.SEEN:
                return found
            named = found if found.strength is Strength.NAMED else named
        return named

    def _inline(self, path: str) -> Guard:
        """A function written where middleware is added: `app.use((request, response, next) => ...)`."""
        facts = self._syntax.files.get(path)
        for call in facts.calls if facts is not None else ():
            if not call.callee.endswith((".use", ".addHook")):
                continue
            for index, definition in enumerate(facts.definitions if facts is not None else ()):
                if definition.line >= call.line and definition.end_line <= call.end_line and self.refuses(path, index):
                    return Guard(Strength.SEEN, "middleware", Place(path, call.line, call.end_line))
        return Guard(Strength.NONE)

    def _inside_class(self, path: str, scope: int) -> Guard:
        """Dependencies and bases of the class a handler stands in, and the router its decorator names."""
        facts = self._syntax.files[path]
        own = facts.definitions[scope]
        parent = scope if own.kind is DefinitionKind.CLASS else own.parent
        if parent >= 0 and facts.definitions[parent].kind is DefinitionKind.CLASS:
            found = self._class(path, parent, _DEPTH)
            if found.strength is not Strength.NONE:
                return found
        for decorator in facts.definitions[scope].decorators:
            router = decorator.callee.rpartition(".")[0]
            if not router:
                continue
            for home, assignment in self._bound.get(router, ()):
                if home == path and assignment.value is not None:
                    for target, index in self.reach.named(path, assignment.value.literal):
                        found = self._class(target, index, _DEPTH)
                        if found.strength is not Strength.NONE:
                            return found
        return Guard(Strength.NONE)

    def _class(self, path: str, index: int, depth: int) -> Guard:
        """What a class of handlers runs before its methods: `Depends` of its attributes and constructor, and its bases."""
        facts = self._syntax.files[path]
        definition = facts.definitions[index]
        if definition.kind is not DefinitionKind.CLASS or not depth:
            return Guard(Strength.NONE)
        text = self._head(facts, index)
        for name in words.DEPENDS.findall(text):
            found = self.named(path, name)
            if found.strength is not Strength.NONE:
                return found
        for assignment in facts.assignments:
            if (
                assignment.scope == index
                and assignment.target in {"permission_classes", "decorators", "method_decorators"}
                and assignment.value is not None
            ):
                for name in assignment.value.names:
                    found = self.named(path, name)
                    if found.strength is not Strength.NONE:
                        return found
        for number, inner in enumerate(facts.definitions):
            if inner.parent == index and inner.name in _LIFECYCLE and self.refuses(path, number):
                return Guard(Strength.SEEN, inner.qualname, Place(path, inner.line, inner.end_line))
        for base in definition.bases:
            if words.KNOWN.match(last_name(base.split("(", maxsplit=1)[0])):
                return Guard(Strength.SEEN, base)
            for home, number in self.reach.named(path, base.split("[", maxsplit=1)[0]):
                found = self._class(home, number, depth - 1)
                if found.strength is not Strength.NONE:
                    return found
        return Guard(Strength.NONE)

    def _head(self, facts: FileFacts, index: int) -> str:
        """The text of a class without its methods other than the constructor."""
        definition = facts.definitions[index]
        left_out: set[int] = set()
        for inner in facts.definitions:
            if inner.parent == index and inner.name not in {"__init__", "dispatch", "prepare", "initial", "check_permissions"}:
                left_out.update(range(inner.line, inner.end_line + 1))
        lines = self._lines.get(facts.path, [])
        wanted = range(definition.line, min(definition.end_line, definition.line + _MOST_LINES) + 1)
        return "\n".join(lines[number - 1] for number in wanted if number not in left_out and number <= len(lines))

    # -- guards by name ----------------------------------------------------------------------------------------------------------------

    def named(self, path: str, name: str, depth: int = _DEPTH) -> Guard:
        """What a name before an endpoint stands for, as the file at `path` writes it."""
        key = (path, name)
        if key not in self._names:
            self._names[key] = Guard(Strength.NONE)  # a name that leads to itself guards nothing
            self._names[key] = self._resolve(path, name, depth)
        return self._names[key]

    def _resolve(self, path: str, name: str, depth: int) -> Guard:
        last = last_name(name)
        if not depth or words.NO_GUARD.search(last):
            return Guard(Strength.NONE)
        bodies = self.reach.named(path, name)
        for home, index in bodies:
            if self._refuses_or_delegates(home, index, depth):
                definition = self._syntax.files[home].definitions[index]
                return Guard(Strength.SEEN, name, Place(home, definition.line, definition.end_line))
        if bodies:
            return Guard(Strength.NONE)
        if words.KNOWN.match(name) or words.KNOWN.match(last):
            return Guard(Strength.SEEN, name)
        written = self._written(path, name)
        if written.strength is not Strength.NONE:
            return written
        for home, inner in self._values(path, name):
            found = self.named(home, inner, depth - 1)
            if found.strength is not Strength.NONE:
                return found
        named = words.NAMED.search(last) and not words.ANONYMOUS.search(last)
        return Guard(Strength.NAMED, name) if named else Guard(Strength.NONE)

    def _written(self, path: str, name: str) -> Guard:
        """A guard written where a library makes it: `const isAdmin = t.middleware(async ({ ctx, next }) => {...})`."""
        found = self._bound.get(name) or self._bound.get(last_name(name), [])
        for home, assignment in [entry for entry in found if entry[0] == path] or (found if len(found) <= 3 else []):
            facts = self._syntax.files[home]
            call = next((c for c in facts.calls if c.target == assignment.target and c.line == assignment.line), None)
            for index, definition in enumerate(facts.definitions if call is not None else ()):
                if call is not None and call.line <= definition.line and definition.end_line <= call.end_line and self.refuses(home, index):
                    return Guard(Strength.SEEN, name, Place(home, call.line, call.end_line))
        return Guard(Strength.NONE)

    def _values(self, path: str, name: str) -> list[tuple[str, str]]:
        """What a module-level name is made of: `passport.authenticate("jwt")`, or another procedure in `loggedIn.use(...)`."""
        found = self._bound.get(name) or self._bound.get(last_name(name), [])
        near = [entry for entry in found if entry[0] == path]
        chosen = near or (found if len(found) <= 3 else [])
        return [
            (home, inner.removesuffix(".use"))
            for home, assignment in chosen
            if assignment.value is not None
            for inner in assignment.value.names[:8]
            if inner != name
        ]

    def _refuses_or_delegates(self, path: str, index: int, depth: int) -> bool:
        if self.refuses(path, index):
            return True
        facts = self._syntax.files[path]
        definition = facts.definitions[index]
        inner = [base.split("(", maxsplit=1)[0] for base in definition.bases]
        inner += [name for parameter in definition.parameters for name in words.DEPENDS.findall(parameter.annotation)]
        inner += words.DEPENDS.findall(self._signature(facts, index))
        return any(self.named(path, name, depth - 1).strength is Strength.SEEN for name in inner if last_name(name) != definition.name)

    def _signature(self, facts: FileFacts, index: int) -> str:
        definition = facts.definitions[index]
        return "\n".join(self._lines.get(facts.path, [])[definition.line - 1 : definition.line + 12])

    # -- bodies ------------------------------------------------------------------------------------------------------------------------

    def refuses(self, path: str, index: int) -> bool:
        """Whether a function, or first-party functions it calls, turns callers away by who they are."""
        key = (path, index)
        if key not in self._refusing:
            self._refusing[key] = self._refuses(path, index)
        return self._refusing[key]

    def _refuses(self, path: str, index: int) -> bool:
        reached = self._stopping(path, index)
        if any(entry != (path, index) and self._decorated(*entry) for entry in reached):
            return True
        tested: frozenset[str] | None = None
        for home, inner in reached:
            itself = (home, inner) == (path, index)
            endpoint = itself and (path, index) in self._handlers
            found = [r for r in self._own_refusals(home, inner) if (itself or not r.silent) and (endpoint or not r.wraps)]
            if not found:
                continue
            if (home, inner) == (path, index) or any(refusal.leaves for refusal in found):
                return True
            tested = tested if tested is not None else frozenset().union(*(self._function(*entry).tested() for entry in reached))
            if self.reach.name_of(path, home, inner) in tested:
                return True
        return False

    def _stopping(self, path: str, index: int) -> list[tuple[str, int]]:
        """The function itself, then those two calls deep whose refusal stops it too; a method named as another endpoint's is not taken for it."""
        reached = [(path, index)]
        for _ in range(2):
            for home, inner in tuple(reached):
                caller = self._function(home, inner)
                for entry in self.reach.functions(home, inner, 1):
                    name = self.reach.name_of(home, *entry)
                    if entry not in reached and entry not in self._handlers and caller.passes_on(name):
                        reached.append(entry)
            if len(reached) > _MOST_FUNCTIONS:
                break
        return reached

    def _function(self, path: str, index: int) -> Function:
        return Function(self._syntax.files[path], index, self._lines.get(path, []))

    def _own_refusals(self, path: str, index: int) -> tuple[Refusal, ...]:
        """The refusals of one function that are about the caller; a database client with the caller's own token refuses by row policies."""
        key = (path, index)
        if key not in self._bodies:
            facts = self._syntax.files[path]
            indices = [index] if is_read(facts, index) else _methods(facts, index)
            found = [refusal for number in indices for refusal in self._function(path, number).refusals()]
            if words.OWN_CLIENT.search(self.body(path, index)):
                found.append(Refusal(facts.definitions[index].line, leaves=True))
            self._bodies[key] = tuple(found)
        return self._bodies[key]

    def _decorated(self, path: str, index: int) -> bool:
        """Whether a function another one hands its work to has a guard of its own."""
        decorators = self._syntax.files[path].definitions[index].decorators
        return any(self.named(path, decorator.callee).strength is Strength.SEEN for decorator in decorators)

    def definition(self, path: str, index: int) -> Definition:
        """One definition of a file that was read."""
        return self._syntax.files[path].definitions[index]

    def handed_over(self, route: Route) -> tuple[str, ...]:
        """The parameters of an endpoint that a guard fills, with the caller or what it found out about them."""
        if route.handler_scope < 0:
            return ()
        return tuple(
            parameter.name
            for parameter in self.definition(route.place.path, route.handler_scope).parameters
            for name in words.DEPENDS.findall(f"{parameter.annotation} {parameter.default.text if parameter.default is not None else ''}")
            if self.named(route.place.path, name).strength is Strength.SEEN
        )

    def tests(self, path: str, index: int) -> Iterator[str]:
        """What the branches of a function ask."""
        facts = self._syntax.files.get(path)
        yield from (branch.test for branch in (facts.branches if facts is not None else ()) if branch.scope == index)

    def body(self, path: str, index: int) -> str:
        """The source of a function without comments that have lines of their own; strings of documentation are left out as well."""
        facts = self._syntax.files.get(path)
        if facts is None or index < 0:
            return ""
        definition = facts.definitions[index]
        if definition.kind is DefinitionKind.CLASS or "csrf" in definition.name.lower() or "rate" in definition.name.lower():
            return "" if definition.kind is not DefinitionKind.CLASS else self._class_body(facts, index)
        lines = self._lines.get(path, [])[definition.line - 1 : min(definition.end_line, definition.line + _MOST_LINES)]
        text = "\n".join(line for line in lines if not line.lstrip().startswith(("#", "//", "*", "/*")))
        return text.replace(definition.docstring, "") if definition.docstring else text

    def _class_body(self, facts: FileFacts, index: int) -> str:
        definition = facts.definitions[index]
        lines = self._lines.get(facts.path, [])[definition.line - 1 : min(definition.end_line, definition.line + _MOST_LINES)]
        return "\n".join(line for line in lines if not line.lstrip().startswith(("#", "//", "*", "/*")))


def _directives(texts: dict[str, str]) -> Iterator[tuple[str, str]]:
    """(field, directive) of schemas in which a directive such as `@auth` stands behind a field."""
    for path in sorted(texts):
        if path.endswith((".graphql", ".graphqls", ".gql", ".js", ".ts")) and "@" in texts[path][:400_000]:
            for found in words.DIRECTIVE.finditer(texts[path][:400_000]):
                if words.NAMED.search(found["directive"]) and not (
                    words.NO_GUARD.search(found["directive"]) or words.ANONYMOUS.search(found["directive"])
                ):
                    yield found["field"], found["directive"]


def _without_comments(path: str, text: str) -> str:
    """A script without the block comments that begin a line, lines kept: code that is put away guards nothing."""
    if path.endswith(".py") or "/*" not in text:
        return text
    return _BLOCK.sub(lambda found: "\n" * found[0].count("\n"), text)


def _methods(facts: FileFacts, index: int) -> list[int]:
    """The methods of a class; none for a function."""
    if facts.definitions[index].kind is not DefinitionKind.CLASS:
        return []
    return [number for number, inner in enumerate(facts.definitions) if inner.parent == index and is_read(facts, number)]
