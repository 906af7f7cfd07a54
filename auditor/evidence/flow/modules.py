"""Names that one file takes from another of the audited code, as values: the other file's top level is followed once, when first asked for.

`used` tells which files a file's flows depend on, so that stored results can be trusted only while none of them changes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping

from auditor.evidence.flow.engine import Engine
from auditor.evidence.flow.interpreter import TooMuchError
from auditor.evidence.flow.language import Language
from auditor.evidence.flow.values import NOTHING, Scope, Value
from auditor.evidence.python_tree import PythonTree, Shape
from auditor.evidence.script_modules import ScriptResolver, Where
from auditor.languages import flow_ir as ir
from auditor.languages.flow_python import lower_python
from auditor.languages.flow_script import lower_script
from auditor.languages.tree import Grammar

LONGEST = 400_000
"""Characters of a file beyond which it is not followed: no person writes such a file."""


class Modules(ABC):
    """The top-level scopes of the files of one language, made when first needed."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self._lowered: dict[str, ir.Module] = {}
        self._scopes: dict[str, Scope | None] = {}
        self._used: dict[str, set[str]] = {}

    @abstractmethod
    def lower(self, path: str) -> ir.Module:
        """Read one file."""

    @abstractmethod
    def look_up(self, path: str, origin: str, member: str) -> Value | None:
        """What an import of the file at `path` stands for; None when it is not of the audited code."""

    def module(self, path: str) -> ir.Module:
        """The intermediate form of one file."""
        if path not in self._lowered:
            self._lowered[path] = self.lower(path)
        return self._lowered[path]

    def resolver(self, path: str) -> Callable[[str, str], Value | None]:
        """The look-up for the imports of one file."""
        found: dict[tuple[str, str], Value | None] = {}

        def resolve(origin: str, member: str) -> Value | None:
            key = (origin, member)
            if key not in found:
                found[key] = self.look_up(path, origin, member)
            return found[key]

        return resolve

    def used(self, path: str) -> tuple[str, ...]:
        """The other files that the flows of the file at `path` depend on, directly or not."""
        found: set[str] = set()
        pending = [path]
        while pending:
            for other in self._used.get(pending.pop(), ()):
                if other not in found:
                    found.add(other)
                    pending.append(other)
        return tuple(sorted(found - {path}))

    def scope(self, user: str, path: str) -> Scope | None:
        """The top-level variables of the file at `path`, which the file at `user` imports; None inside a circle of imports."""
        self._used.setdefault(user, set()).add(path)
        if path not in self._scopes:
            self._scopes[path] = None
            try:
                self._scopes[path] = Engine(self.language, self.resolver(path)).top_level(self.module(path))
            except TooMuchError:
                return None
        return self._scopes[path]

    def forget(self, path: str) -> None:
        """Drop the intermediate form of a file that was followed; its top-level scope stays."""
        if path not in self._scopes:
            self._lowered.pop(path, None)


class PythonModules(Modules):
    """Python files, found through the import roots near the importing file."""

    def __init__(self, texts: Mapping[str, str], language: Language) -> None:
        super().__init__(language)
        self.texts = texts
        self.tree = PythonTree(texts)

    def lower(self, path: str) -> ir.Module:
        """Read one file."""
        return lower_python(path, self.texts[path])

    def look_up(self, path: str, origin: str, member: str) -> Value | None:  # noqa: ARG002 - Python's origin includes the member
        """The longest prefix of the dotted origin that is a file; the rest is looked up in its scope."""
        level = len(origin) - len(origin.lstrip("."))
        parts = origin.lstrip(".").split(".")
        roots = self.tree.near_roots(path)
        if level:
            folder = path.rpartition("/")[0]
            for _ in range(level - 1):
                folder = folder.rpartition("/")[0]
            roots = (folder,)
        for root in roots:
            for length in range(len(parts) - 1, 0, -1):
                target = self.tree.find(root, parts[:length])
                if target is not None and target.shape is Shape.FILE and target.path in self.texts:
                    return self._member(path, target.path, parts[length:])
        return None

    def _member(self, user: str, path: str, names: list[str]) -> Value | None:
        scope = self.scope(user, path) if len(self.texts[path]) <= LONGEST else None
        value = scope.variables.get(names[0]) if scope is not None else None
        return value if value is not None and len(names) == 1 and _says_something(value) else None


class ScriptModules(Modules):
    """JavaScript and TypeScript files, found as the module graph finds them."""

    def __init__(self, texts: Mapping[str, str], grammars: Mapping[str, Grammar], resolver: ScriptResolver, language: Language) -> None:
        super().__init__(language)
        self.texts = texts
        self.grammars = grammars
        self.files = resolver
        self._open: set[str] = set()
        self._objects: dict[str, Value] = {}

    def lower(self, path: str) -> ir.Module:
        """Read one file."""
        return lower_script(path, self.texts[path], self.grammars[path])

    def look_up(self, path: str, origin: str, member: str) -> Value | None:
        """A member of a module of the tree, or the module as an object of all it exports."""
        found = self.files.resolve(path, origin)
        if found.where is not Where.FILE or found.path not in self.grammars or len(self.texts[found.path]) > LONGEST:
            return None
        exported = self._exported(path, found.path)
        if not member:
            return exported
        value = (exported.items or {}).get(member)
        if value is None and member == "default":
            return exported if _says_something(exported) else None  # a CommonJS module imported as a whole
        return value if value is not None and _says_something(value) else None

    def _exported(self, user: str, path: str) -> Value:
        """What a file exports, as an object; a CommonJS file may export a function or class itself."""
        scope = self.scope(user, path)
        if path in self._objects:
            return self._objects[path]
        if scope is None or path in self._open:
            return NOTHING
        self._open.add(path)
        module = self.module(path)
        items: dict[ir.Constant, Value] = {}
        for other in module.reexports:
            again = self.look_up(path, other, "")
            items.update((again.items or {}) if again is not None else {})
        common = (scope.variables["module"].items or {}).get("exports", NOTHING)
        items.update(scope.variables["exports"].items or {})
        items.update(common.items or {})
        items.update({name: scope.variables[local] for name, local in module.exports.items() if local in scope.variables})
        self._open.discard(path)
        self._objects[path] = Value(path=common.path, items=items, closure=common.closure, blueprint=common.blueprint)
        return self._objects[path]


def _says_something(value: Value) -> bool:
    """Whether the other file says more about it than its name: a function, a class, a schema, a constant, a container."""
    return bool(value.closure or value.blueprint or value.items or value.marks or value.shape) or isinstance(
        value.const, (str, int, float, bool)
    )
