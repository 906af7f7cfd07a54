"""Data that requests keep in variables of the process: what a second process does not see and a restart loses."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.checks.reach import Reach, within
from auditor.model.evidence import RouteKind, Routes
from auditor.model.syntax import Assignment, DefinitionKind, FileFacts, Value, ValueKind


@dataclass(frozen=True, slots=True)
class Kept:
    """One variable that outlives a request and the place in a request's work that changes it; `counter`: a number, not a collection."""

    name: str
    path: str
    line: int
    changed_path: str
    changed_line: int
    request: str
    counter: bool


@dataclass(frozen=True, slots=True)
class _Variable:
    path: str
    name: str
    line: int
    counter: bool
    owner: int
    """The class whose one object holds it, -1 for a variable of the module."""


_MAKERS = re.compile(r"^(?:new )?(?:\w+\.)?(?:dict|list|set|defaultdict|OrderedDict|deque|Counter|Map|Set|Array)$")
_KEEPING = frozenset({"append", "appendleft", "extend", "insert", "add", "update", "setdefault", "push", "unshift", "splice", "set"})
_TOLERATED = re.compile(
    r"cach|memo|lru|ttl|seen|metric|stat(?:s|istics)|histogram|buffer|logs?$|queue|rate|limit|attempt|throttl|connect|clients?$|sockets?$|subscri|listener|observer|handler|callback|hook|registr|plugin|pool|lock|mutex|timer|"
    r"timeout|interval|pending|in_?flight|watch|debug|warn|instance|engine|loaded|initiali|background|running|active|config|settings|option|route|middleware|breaker|circuit|bucket|recent|throttle|dedup|process|worker|stream|channel|rooms?$|"
    r"peers?$|abort|cancel|provider|model$|models$|template|schema|mock|fake|test|online|presence|typing|nonce|failure|fail|block|ban|health|telemetry|counter_?metric|schedul|cron|debounce|events?$|emitter|refresh|promise|^_?(?:last|latest|previous)(?:_|[A-Z])",
    re.IGNORECASE,
)
"""Names of what may be lost or belongs to one process: caches, measurements, connections, registries."""
_SAID = re.compile(r"^[\s*/#]{0,6}.{0,40}\bcach(?:e|es|ed|ing)\b", re.IGNORECASE)
_COMMENT_LINES = 14
"""How far above a variable, or the class that holds it, the comment on it may begin."""
_LOCKS = re.compile(r"(?:^|[._ ])(?:R?Lock|Mutex|Semaphore|BoundedSemaphore|AsyncLock|RWLock|withLock|runExclusive)$")
_CHANGING_METHODS = frozenset({"POST", "PUT", "PATCH", "DELETE", "ANY"})


class ProcessMemory:
    """Finds what requests keep in the memory of one process, among the server's files."""

    def __init__(self, files: tuple[FileFacts, ...], reach: Reach, routes: Routes) -> None:
        self._files = {facts.path: facts for facts in files}
        self._reach = reach
        self._routes = routes.routes
        self._by_file: defaultdict[str, list[_Variable]] = defaultdict(list)
        for facts in files:
            if not any(_LOCKS.search(call.callee) for call in facts.calls):
                variables = [*_module_variables(facts), *_held_by_objects(facts)]
                self._by_file[facts.path] = [variable for variable in variables if not _is_said_to_be_cache(facts, variable)]

    def kept(self) -> list[Kept]:
        """Every such variable once, with the first request that changes it."""
        found: dict[tuple[str, str], Kept] = {}
        for route in self._routes:
            if (
                route.kind is RouteKind.WEBSOCKET
                or route.method not in _CHANGING_METHODS
                or route.handler_scope < 0
                or route.place.path not in self._files
            ):
                continue
            for path, scope in self._reach.surely(route.place.path, route.handler_scope):
                for variable, line in self._changed(path, scope):
                    request = f"{route.method} {route.path}" if route.method != "ANY" else route.path
                    found.setdefault(
                        (variable.path, variable.name),
                        Kept(variable.name, variable.path, variable.line, path, line, request, variable.counter),
                    )
        return sorted(found.values(), key=lambda each: (each.path, each.line))

    def unreached(self, kept: list[Kept], paths: set[str]) -> list[tuple[str, str]]:
        """(file, variable) of those in the given files that a function there changes and that no known request leads to."""
        known = {(each.path, each.name) for each in kept}
        found = {
            (variable.path, variable.name)
            for path in paths & self._files.keys()
            for scope in range(len(self._files[path].definitions))
            for variable, _ in self._changed(path, scope)
        }
        return sorted(found - known)

    def _changed(self, path: str, scope: int) -> Iterator[tuple[_Variable, int]]:
        """The variables that a function changes, with the line."""
        facts = self._files.get(path)
        if facts is None:
            return
        inside = within(facts, scope)
        for name, variable in self._visible(facts, scope).items():
            if variable.owner < 0 and _is_local(facts, inside, name):
                continue
            line = _change(facts, inside, name, counter=variable.counter)
            if line and not _is_looked_up_first(facts, inside, name, line):
                yield variable, line

    def _visible(self, facts: FileFacts, scope: int) -> dict[str, _Variable]:
        """What a function can change by which name: its module's, what it imports, and what its object holds."""
        names = {variable.name: variable for variable in self._by_file[facts.path] if variable.owner < 0}
        for statement in facts.imports:
            stem = re.split(r"[./]", statement.module.removesuffix(".js").removesuffix(".ts"))[-1]
            for imported, local in statement.names:
                for path, variables in self._by_file.items():
                    if path.rpartition("/")[2].partition(".")[0] == stem and imported != "*":
                        names.update((local, each) for each in variables if each.owner < 0 and each.name == imported and not each.counter)
        owner = facts.definitions[scope].parent if scope >= 0 else -1
        held = {each.name: each for each in self._by_file[facts.path] if each.owner >= 0 and each.owner == owner}
        names.update({f"{this}.{name}": each for name, each in held.items() for this in ("self", "this")})
        return names


def _module_variables(facts: FileFacts) -> Iterator[_Variable]:
    for assignment in facts.assignments:
        value = assignment.value
        if assignment.scope != -1 or value is None or not assignment.target.isidentifier() or _TOLERATED.search(assignment.target):
            continue
        if _is_collection(value) or (value.kind is ValueKind.NUMBER and not assignment.target.isupper()):
            yield _Variable(facts.path, assignment.target, assignment.line, value.kind is ValueKind.NUMBER, -1)


def _held_by_objects(facts: FileFacts) -> Iterator[_Variable]:
    """Collections of a class of which the module makes its one object, or the container does (`@Injectable`)."""
    made = {assignment.value.literal.removeprefix("new ") for assignment in facts.assignments if assignment.scope == -1 and assignment.value is not None and assignment.value.kind is ValueKind.CALL}  # fmt: skip
    for index, definition in enumerate(facts.definitions):
        single = definition.name in made or any(decorator.callee == "Injectable" for decorator in definition.decorators)
        if definition.kind is not DefinitionKind.CLASS or not single or _TOLERATED.search(definition.name):
            continue
        for assignment in facts.assignments:
            name = assignment.target.removeprefix("self.").removeprefix("this.")
            in_class = assignment.scope == index or (assignment.scope >= 0 and facts.definitions[assignment.scope].parent == index and facts.definitions[assignment.scope].name in {"__init__", "constructor"})  # fmt: skip
            if in_class and name.isidentifier() and not _TOLERATED.search(name) and assignment.value is not None and _is_collection(assignment.value):  # fmt: skip
                yield _Variable(facts.path, name, assignment.line, counter=False, owner=index)


def _is_collection(value: Value) -> bool:
    return (value.kind is ValueKind.COLLECTION and not value.text.startswith("(")) or (
        value.kind is ValueKind.CALL and _MAKERS.match(value.literal) is not None
    )


def _is_local(facts: FileFacts, inside: frozenset[int], name: str) -> bool:
    """Whether the function has a variable of its own under this name."""
    if any(parameter.name == name for index in inside if index >= 0 for parameter in facts.definitions[index].parameters):
        return True
    return any(a.scope in inside and a.target == name and not _from_itself(a, name) for a in facts.assignments)


def _from_itself(assignment: Assignment, name: str) -> bool:
    """`n += 1`, `rows = [...rows, row]`: the new value is made of the old one."""
    return assignment.value is not None and any(used == name or used.startswith(f"{name}.") for used in assignment.value.names)


def _change(facts: FileFacts, inside: frozenset[int], name: str, *, counter: bool) -> int:
    """The line where something is kept in the variable, 0 when nothing is."""
    for assignment in facts.assignments:
        if assignment.scope in inside:
            if assignment.target == name and _from_itself(assignment, name):
                return assignment.line
            if not counter and assignment.target.startswith(f"{name}["):
                return assignment.line
    if not counter:
        for call in facts.calls:
            owner, _, last = call.callee.rpartition(".")
            if call.scope in inside and owner in {name, f"{name}[]", f"{name}.setdefault()"} and last in _KEEPING:
                return call.line
    return 0


def _is_said_to_be_cache(facts: FileFacts, variable: _Variable) -> bool:
    """Whether the comment above a variable, or above the class that holds it, begins by calling it a cache."""
    lines = {variable.line, *([facts.definitions[variable.owner].line] if variable.owner >= 0 else [])}
    return any(0 <= line - comment.line <= _COMMENT_LINES and _SAID.match(comment.text) for comment in facts.comments for line in lines)


def _is_looked_up_first(facts: FileFacts, inside: frozenset[int], name: str, line: int) -> bool:
    """Whether what is put into a collection is what was not found there: `found = kept.get(id); if found: return found`."""
    found = {
        call.target for call in facts.calls if call.scope in inside and call.line < line and call.callee == f"{name}.get" and call.target
    }
    found |= {
        given.target
        for given in facts.assignments
        if given.scope in inside and given.line < line and given.value is not None and given.value.text.startswith(f"{name}[")
    }
    return any(
        answer.scope in inside
        and answer.line < line
        and answer.value is not None
        and (answer.value.literal in found or _is_entry(answer.value, name))
        for answer in facts.returns
    )


def _is_entry(value: Value, name: str) -> bool:
    return value.text.startswith((f"{name}[", f"{name}.get("))
