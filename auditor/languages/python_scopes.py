"""Names of one Python file: which scope binds what, and which uses are bound nowhere.

Flow-insensitive on purpose: a name that any statement of a visible scope binds counts as bound, so what remains is certain.
"""

from __future__ import annotations

import builtins
from dataclasses import dataclass, field
from enum import Enum

from auditor.model.syntax import Reference

_KNOWN = frozenset(dir(builtins)) | {
    "__file__", "__name__", "__path__", "__doc__", "__package__", "__spec__", "__loader__", "__builtins__", "__annotations__", "__debug__",
    "__dict__", "__module__", "__qualname__", "__class__", "__classdict__", "__type_params__", "__firstlineno__", "__static_attributes__",
    "__cached__", "__conditional_annotations__", "_", "ngettext",  # gettext.install() puts the two into builtins
    "WindowsError", "PythonFinalizationError", "reveal_type", "reveal_locals",
}  # fmt: skip
_NOTEBOOK = frozenset({"get_ipython", "display"})


class ScopeKind(Enum):
    """What opens a scope."""

    MODULE = "module"
    CLASS = "class"
    FUNCTION = "function"  # lambdas and type parameter lists too
    COMPREHENSION = "comprehension"


@dataclass(slots=True)
class Scope:
    """One scope: the names bound in it, the ones it declares global, and its uses as (name, line, definition)."""

    kind: ScopeKind
    parent: Scope | None
    sees_class: bool = False  # a type parameter list looks into the class around it
    bound: set[str] = field(default_factory=set)
    globals: set[str] = field(default_factory=set)
    uses: list[tuple[str, int, int]] = field(default_factory=list)


class Scopes:
    """All scopes of one file."""

    def __init__(self) -> None:
        self.module = Scope(ScopeKind.MODULE, None)
        self.all = [self.module]
        self.decidable = True

    def open(self, kind: ScopeKind, parent: Scope, *, sees_class: bool = False) -> Scope:
        """A new scope inside `parent`."""
        scope = Scope(kind, parent, sees_class)
        self.all.append(scope)
        return scope

    def bind(self, scope: Scope, name: str, *, walrus: bool = False) -> None:
        """Bind a name; `:=` in a comprehension binds in the scope around it."""
        while walrus and scope.kind is ScopeKind.COMPREHENSION and scope.parent is not None:
            scope = scope.parent
        if name in scope.globals:
            scope = self.module
        scope.bound.add(name)

    def declare_global(self, scope: Scope, name: str) -> None:
        """`global name`: bindings go to the module, which may be the only place that binds it."""
        scope.globals.add(name)
        self.module.bound.add(name)

    def undefined(self) -> tuple[Reference, ...]:
        """Uses of names that nothing binds, in line order; empty when scoping could not be decided."""
        if not self.decidable:
            return ()
        found: list[Reference] = []
        for scope in self.all:
            unknown: dict[str, bool] = {}
            for name, line, definition in scope.uses:
                if name not in unknown:
                    unknown[name] = not _resolves(scope, name)
                if unknown[name]:
                    found.append(Reference(name, line, definition))
        return tuple(sorted(found, key=lambda use: (use.line, use.name)))


def _resolves(start: Scope, name: str) -> bool:
    if name in _KNOWN or name in _NOTEBOOK:
        return True
    scope: Scope | None = start
    visible = True
    while scope is not None:
        if name in scope.bound and (visible or scope.kind is not ScopeKind.CLASS):
            return True
        visible = scope.sees_class
        scope = scope.parent
    return False
