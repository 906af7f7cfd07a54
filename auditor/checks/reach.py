"""What a function does in the end: its calls, and those of first-party functions it calls, a few steps deep, across files."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterator

from auditor.model.syntax import Call, DefinitionKind, FileFacts, Syntax, Value, ValueKind

_SAME_NAMES = 3
_MOST_CALLS = 2_000
_MOST_FUNCTIONS = 120
_WHOLE = frozenset({"exports", "default"})
"""What a function is called that is all a module gives away: `module.exports = async () => {...}`."""
_ENDINGS = ("", ".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs", "/index.ts", "/index.js")
_RUN_BY_MAKING = frozenset({"__init__", "__call__", "__enter__", "__aenter__", "__post_init__", "constructor"})
_SHORT = re.compile(r"^[a-z]+$")


class Reach:
    """Follows calls by name among the production files; a name that more than a few functions share is not followed into other files."""

    def __init__(self, syntax: Syntax, paths: frozenset[str]) -> None:
        self._facts = {path: syntax.files[path] for path in sorted(paths) if path in syntax.files}
        self._by_name: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
        self._classes: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
        self._wholes: dict[str, dict[str, tuple[str, int]]] = {}
        for path, facts in self._facts.items():
            for index, definition in enumerate(facts.definitions):
                if definition.name:
                    table = self._classes if definition.kind is DefinitionKind.CLASS else self._by_name
                    table[definition.name].append((path, index))

    def calls(self, path: str, scope: int, depth: int = 3, *, classes: bool = False, used: bool = False) -> Iterator[tuple[str, Call]]:
        """(file, call) of everything the function reaches, its own calls first; `scope` -1 is the module itself.

        With `classes`, making an object of a first-party class reaches all of its methods (forms, serialisers and services work that way);
        with `used` as well, only its constructor and the methods that the function itself calls.
        """
        count = 0
        for place, _, calls in self._walk(path, scope, depth, classes=classes, used=used):
            for call in calls:
                count += 1
                if count > _MOST_CALLS:
                    return
                yield place, call

    def functions(self, path: str, scope: int, depth: int = 3, *, classes: bool = False) -> Iterator[tuple[str, int]]:
        """(file, definition) of the function itself and of everything it reaches."""
        for number, (place, index, _) in enumerate(self._walk(path, scope, depth, classes=classes)):
            if number == _MOST_FUNCTIONS:
                return
            yield place, index

    def surely(self, path: str, scope: int, depth: int = 3) -> list[tuple[str, int]]:
        """As `functions`, less what only a short word led to in another file: `create` or `get` may mean too many things."""
        return [
            (place, index)
            for place, index in self.functions(path, scope, depth)
            if place == path or index < 0 or not _SHORT.match(self._facts[place].definitions[index].name)
        ]

    def named(self, path: str, name: str) -> list[tuple[str, int]]:
        """The first-party functions and classes a name may mean, those of the same file alone if there are any."""
        last = name.rsplit(".", 1)[-1].removesuffix("()").removeprefix("new ")
        same = [*self._by_name.get(last, []), *self._classes.get(last, [])]
        near = [entry for entry in same if entry[0] == path]
        return near or (same if len(same) <= _SAME_NAMES else [])

    def name_of(self, caller: str, path: str, index: int) -> str:
        """What a file calls a definition: its name, or that under which the file imports the module that is nothing else."""
        name = self._facts[path].definitions[index].name
        if name not in _WHOLE:
            return name
        locals_of = (local for entry in self._facts[caller].imports for _, local in entry.names)
        return next((local for local in locals_of if (path, index) in self._whole_module(caller, local)), name)

    def _whole_module(self, path: str, name: str) -> list[tuple[str, int]]:
        """The function that a whole module, imported under this name, consists of."""
        if path not in self._wholes:
            self._wholes[path] = dict(self._whole_modules(path))
        found = self._wholes[path].get(name)
        return [found] if found is not None else []

    def _whole_modules(self, path: str) -> Iterator[tuple[str, tuple[str, int]]]:
        facts = self._facts.get(path)
        for entry in facts.imports if facts is not None else ():
            local = next((local for of, local in entry.names if of in {"*", "default"}), "")
            if not local or not entry.module.startswith("."):
                continue
            home = posixpath.normpath(posixpath.join(posixpath.dirname(path), entry.module))
            target = next((self._facts[home + ending] for ending in _ENDINGS if home + ending in self._facts), None)
            whole = [i for i, d in enumerate(target.definitions) if d.name in _WHOLE and d.parent == -1] if target is not None else []
            if target is not None and len(whole) == 1:
                yield local, (target.path, whole[0])

    def _walk(self, path: str, scope: int, depth: int, *, classes: bool, used: bool = False) -> Iterator[tuple[str, int, list[Call]]]:
        pending: list[tuple[str, int, int]] = [(path, scope, depth)]
        seen: set[tuple[str, int]] = set()
        while pending:
            place, index, left = pending.pop(0)
            facts = self._facts.get(place)
            if facts is None or (place, index) in seen:
                continue
            seen.add((place, index))
            inside = within(facts, index)
            calls = [call for call in facts.calls if call.scope in inside]
            yield place, index, calls
            if left:
                pending.extend((p, i, left - 1) for call in calls for p, i in self._targets(place, call, classes=classes and not used))
                if used:
                    pending.extend((p, i, left - 1) for p, i in self._used_methods(calls))

    def _used_methods(self, calls: list[Call]) -> Iterator[tuple[str, int]]:
        """Of the classes of which objects are made, the constructor and what is called or handed over."""
        given = (name for call in calls for argument in call.arguments for name in argument.value.names)
        names = {name.rsplit(".", 1)[-1] for name in (*(call.callee for call in calls), *given)} | _RUN_BY_MAKING
        for call in calls:
            made = self._classes.get(call.callee.rsplit(".", 1)[-1].removeprefix("new "), [])
            for path, index in made if len(made) <= _SAME_NAMES else ():
                definitions = self._facts[path].definitions
                yield from (
                    (path, i) for i in range(index + 1, len(definitions)) if definitions[i].parent == index and definitions[i].name in names
                )

    def _of_class(self, name: str, same: list[tuple[str, int]]) -> list[tuple[str, int]]:
        """Of several functions of one name, those of the class the call names: `Student.create`."""
        owner = name.rsplit(".", 2)[-2] if "." in name else ""
        if not owner[:1].isupper():
            return same
        return [(path, index) for path, index in same if self._facts[path].definitions[index].qualname.split(".")[-2:-1] == [owner]] or same

    def _of_instance(self, path: str, call: Call) -> Iterator[tuple[str, int]]:
        """`check = KeyChecker(...)`, then `check(request)`: the method that is run where an object is called."""
        if "." in call.callee or "__call__" not in self._by_name:
            return
        made = (
            entry.value.literal
            for entry in self._facts[path].assignments
            if entry.target == call.callee
            and entry.scope in {call.scope, -1}
            and entry.value is not None
            and entry.value.kind is ValueKind.CALL
        )
        owners = {name.rsplit(".", 1)[-1] for name in made}
        for place, index in self._by_name["__call__"]:
            if self._facts[place].definitions[index].qualname.split(".")[-2:-1] in [[owner] for owner in owners]:
                yield place, index

    def texts(self, path: str, scope: int) -> Iterator[str]:
        """The string literals inside a function."""
        facts = self._facts.get(path)
        if facts is not None:
            inside = within(facts, scope)
            yield from (literal.text for literal in facts.literals if literal.scope in inside)

    def _targets(self, path: str, call: Call, *, classes: bool) -> Iterator[tuple[str, int]]:
        """The functions a call may run: what it names, and first-party functions handed to it."""
        names = [call.callee, *(name for argument in call.arguments for name in _names(argument.value))]
        for name in names:
            same = self._by_name.get(name.rsplit(".", 1)[-1].removesuffix("()"), []) or self._whole_module(path, name)
            if len(same) > _SAME_NAMES:
                same = self._of_class(name, same)
            near = [entry for entry in same if entry[0] == path]
            yield from near or (same if len(same) <= _SAME_NAMES else ())
        yield from self._of_instance(path, call)
        if classes:
            made = self._classes.get(call.callee.rsplit(".", 1)[-1].removeprefix("new "), [])
            yield from made if len(made) <= _SAME_NAMES else ()


def within(facts: FileFacts, root: int) -> frozenset[int]:
    """A definition and everything nested in it; -1 is the module level alone."""
    if root < 0:
        return frozenset({-1})
    inside = {root}
    for index in range(root + 1, len(facts.definitions)):
        if facts.definitions[index].parent in inside:
            inside.add(index)
    return frozenset(inside)


def _names(value: Value) -> tuple[str, ...]:
    return value.names if value.literal in value.names else ()
