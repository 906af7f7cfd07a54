"""How long something lives that a place in the code makes: as long as the process, or no longer than one request. Used where making it is dear.

A module is read once, a remembered value is made once, and what is kept at the application outlives the request. Of functions it counts who calls them: only what
a handler, a dependency of one, or a page that runs anew with each click leads to is made for one request.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from enum import StrEnum

from auditor.checks.reach import Reach, within
from auditor.model.evidence import Route, RouteKind, Routes
from auditor.model.syntax import Assignment, Call, DefinitionKind, FileFacts, Syntax, ValueKind

_DEPTH = 3
_CALLERS = 40
_REMEMBERS = re.compile(
    r"(?:^|\.)(?:lru_cache|cache|cached|memoize|cached_property|cache_resource|singleton|once|experimental_singleton|on_event|asynccontextmanager|before_serving|before_first_request|alru_cache)$"
)
_OUTLIVES = re.compile(
    r"^(?:globalThis|global|globals\(\)|app|application|g(?:lobal)?For\w+|server|fastify|(?:self|this)\.(?:app|bot|server|state)|request\.app|req\.app|ctx\.app|cls|bot|client|module|exports)\b.*[.\[]"
)
_OF_THE_REQUEST = re.compile(r"^(?:g|flask\.g|request|req|ctx|context|info\.context|_app_ctx_stack\.top|local)\b(?!\.app\b)")
_ONE_OBJECT = re.compile(r"(?:^|\.)_{0,2}(?:instance|singleton)$|^(?:global|globalThis)\.")
_LAZY = frozenset({"??", "||", "or", "?:", "??=", "||="})
_KEPT_CLASSES = frozenset({"Injectable", "Singleton", "singleton", "injectable", "Service", "Global"})
_RERUN = ("streamlit",)


class Lifetime(StrEnum):
    """How long what is made lives."""

    PROCESS = "process"
    REQUEST = "request"
    UNKNOWN = "unknown"  # no handler was seen to lead there


class Lifetimes:
    """Knows what the handlers of a repository reach."""

    def __init__(self, syntax: Syntax, paths: frozenset[str], routes: Routes) -> None:
        self._syntax = syntax
        self._reach = Reach(syntax, paths)
        self._reached: dict[tuple[str, int], str] = {}
        self._pages: dict[str, str] = {}
        for route in routes.routes:
            self._follow(route)
        self._calls: defaultdict[str, list[tuple[str, Call]]] = defaultdict(list)
        for path in sorted(paths & syntax.files.keys()):
            for call in syntax.files[path].calls:
                self._calls[call.callee.removeprefix("new ").rpartition(".")[2]].append((path, call))

    def of(self, path: str, call: Call, steps: int = 2) -> Lifetime:
        """How long what a call makes lives; callers are followed some steps up."""
        facts = self._syntax.files[path]
        if call.scope < 0:
            return Lifetime.REQUEST if path in self._pages else Lifetime.PROCESS
        scope = self._owner(facts, call)
        definition = facts.definitions[scope]
        if definition.kind is DefinitionKind.CLASS:
            return self._of_object(path, scope, call, steps)
        if is_remembered(facts, call):
            return Lifetime.PROCESS
        if any((path, index) in self._reached for index in _around(facts, scope)):
            return Lifetime.REQUEST
        if _at_load(facts, scope) or any(self._keeps(where, made, steps) for where, made in self._callers(path, definition.name)):
            return Lifetime.PROCESS
        return Lifetime.UNKNOWN

    def _callers(self, path: str, name: str) -> list[tuple[str, Call]]:
        """The calls of a function by its name, where only one function of the repository has it or the call stands in the same file."""
        if not name:
            return []
        alone = len(self._reach.named("", name)) == 1
        return [(where, call) for where, call in self._calls[name] if alone or where == path][:_CALLERS]

    def _keeps(self, path: str, call: Call, steps: int) -> bool:
        return steps > 0 and self.of(path, call, steps - 1) is Lifetime.PROCESS

    def request(self, path: str, scope: int) -> str:
        """The request that leads to a function, in words; "" when none was seen."""
        if scope < 0:
            return self._pages.get(path, "")
        facts = self._syntax.files[path]
        return next((self._reached[path, index] for index in _around(facts, scope) if (path, index) in self._reached), "")

    def _follow(self, route: Route) -> None:
        words = f"{route.method} {route.path}" if route.kind is RouteKind.HTTP else route.path
        if route.kind is RouteKind.PAGE and route.framework in _RERUN:
            self._pages.setdefault(route.place.path, words)
            starts = [(route.place.path, -1)]
        else:
            starts = [(route.place.path, route.handler_scope)] if route.handler_scope >= 0 else []
        where = route.registered.path if route.registered is not None else route.place.path
        for name in route.through:
            starts += [(p, i) for p, i in (self._reach.named(route.place.path, name) or self._reach.named(where, name)) if i >= 0]
        for path, scope in starts:
            for place, index in self._reach.surely(path, scope, _DEPTH):
                if index >= 0:
                    self._reached.setdefault((place, index), words)

    def _owner(self, facts: FileFacts, call: Call) -> int:
        """The class whose objects hold what is made, else the function around the call."""
        parent = facts.definitions[call.scope].parent
        held = call.target.startswith(("self.", "this.")) or facts.definitions[call.scope].kind is DefinitionKind.CLASS
        if facts.definitions[call.scope].kind is DefinitionKind.CLASS:
            return call.scope
        return parent if held and parent >= 0 and facts.definitions[parent].kind is DefinitionKind.CLASS else call.scope

    def _of_object(self, path: str, scope: int, held: Call, steps: int) -> Lifetime:
        """What the objects of a class hold lives as long as they do."""
        definition = self._syntax.files[path].definitions[scope]
        in_body = held.scope == scope and path.endswith(".py")
        if in_body or any(mark.callee.rpartition(".")[2] in _KEPT_CLASSES for mark in definition.decorators):
            return Lifetime.PROCESS
        if any(_ONE_OBJECT.search(assignment.target) for assignment in self._syntax.files[path].assignments):
            return Lifetime.PROCESS
        makers = self._calls[definition.name][:_CALLERS] if definition.name else []
        if any(call.scope >= 0 and steps > 0 and self.of(where, call, steps - 1) is Lifetime.REQUEST for where, call in makers):
            return Lifetime.REQUEST
        return Lifetime.PROCESS


def is_remembered(facts: FileFacts, call: Call) -> bool:
    """Whether a call is made once and its result kept: under a decorator that remembers, behind a look at the variable, or at something that outlives requests."""
    scopes = _around(facts, call.scope)
    if any(_REMEMBERS.search(mark.callee) for index in scopes for mark in facts.definitions[index].decorators):
        return True
    targets = {target for target in (call.target, *_targets(facts, call)) if target and not _OF_THE_REQUEST.match(target)}
    if any(_OUTLIVES.match(target) for target in targets):
        return True
    looked_at = {name for branch in facts.branches if branch.scope in scopes and branch.line <= call.line for name in branch.names}
    return any(_looks(target, looked_at) for target in targets) or _is_lazy(facts, call)


def _targets(facts: FileFacts, call: Call) -> Iterator[str]:
    """The names the result ends up under: bound directly, or by what its own name is handed to next."""
    named = {call.target} - {""}
    for assignment in facts.assignments:
        value = assignment.value
        if assignment.scope != call.scope or value is None:
            continue
        inside = assignment.line <= call.line and call.callee in value.names
        if inside or (value.kind is ValueKind.NAME and value.literal in named):
            yield assignment.target


def _looks(target: str, looked_at: set[str]) -> bool:
    """Whether a branch asks for the variable or the collection that keeps the result: `if cached.conn is None`, `if key in pools`."""
    held = target.partition("[")[0]
    return bool(target) and any(name in {target, held} or name.startswith(f"{target}.") for name in looked_at)


def _is_lazy(facts: FileFacts, call: Call) -> bool:
    """`pool = pool ?? make()`: made when there is none yet."""
    for assignment in facts.assignments:
        value = assignment.value
        if value is None or assignment.scope != call.scope or not assignment.line <= call.line:
            continue
        if value.kind is ValueKind.OPERATION and call.callee in value.names and any(key in _LAZY for key, _ in value.items):
            return _keeps(facts, assignment)
    return False


def _keeps(facts: FileFacts, assignment: Assignment) -> bool:
    """Whether what is assigned was there before the function ran."""
    return assignment.scope < 0 or assignment.target in facts.bound or "." in assignment.target or "[" in assignment.target


def _at_load(facts: FileFacts, scope: int) -> bool:
    """Whether a function is written into a call of the module itself, as in `once("pool", () => new Pool())`."""
    definition = facts.definitions[scope]
    return definition.parent < 0 and any(call.scope < 0 and call.line <= definition.line <= call.end_line for call in facts.calls)


def _around(facts: FileFacts, scope: int) -> list[int]:
    """A definition and those it is nested in, the innermost first."""
    found = []
    while scope >= 0:
        found.append(scope)
        scope = facts.definitions[scope].parent
    return found


def inside(facts: FileFacts, scope: int) -> frozenset[int]:
    """The outermost function around a place with everything nested in it; classes are no function."""
    outer = [index for index in _around(facts, scope) if facts.definitions[index].kind is not DefinitionKind.CLASS]
    return within(facts, outer[-1]) if outer else frozenset({-1})
