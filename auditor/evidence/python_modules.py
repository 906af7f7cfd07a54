"""Resolves Python imports to files of the tree, and says which ones lead nowhere. Pure: paths and facts in, edges and gaps out."""

from __future__ import annotations

import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from auditor.distributions import NAMESPACES, distributions_of, is_known_import
from auditor.evidence.ignored_paths import IgnoredPaths
from auditor.evidence.python_dynamic import named_imports
from auditor.evidence.python_tree import PythonTree, Shape, Target, join, parent
from auditor.model.evidence import External, Unresolved
from auditor.model.syntax import FileFacts, Import, ImportKind

_STDLIB = sys.stdlib_module_names | {"distutils", "imp", "asyncore", "asynchat", "smtpd", "__main__", "_typeshed", "typing_extensions_"}
_OWN = """
app api src backend server core common config configs conf settings utils util helpers helper database db models model schemas
schema services service routes routers controllers views handlers middleware crud constants main auth deps dependencies lib libs
modules tasks jobs workers exceptions errors
"""
_OWN_NAMES = frozenset(_OWN.split())
"""Top-level names that people give to their own modules: one that is nowhere is a missing module, not a missing package."""
_DYNAMIC = re.compile(r"^(?:globals|vars|locals|exec|setattr|__import__|globals\(\)\.update|sys\.modules\[\]\.\w+|sys\.modules\.\w+)$")
_PATH_HACK = re.compile(r"^(?:sys\.path\.(?:insert|append|extend)|site\.addsitedir|sys\.path\.__\w+__)$")
_IMPLICIT = frozenset(
    {"__name__", "__file__", "__doc__", "__path__", "__package__", "__spec__", "__loader__", "__dict__", "__builtins__", "__cached__"}
)


@dataclass(slots=True)
class Links:
    """What the resolvers collect: edges as (source path, target path) -> (kind, line), gaps and third-party imports."""

    edges: dict[tuple[str, str], tuple[ImportKind, int]] = field(default_factory=dict)
    unresolved: list[Unresolved] = field(default_factory=list)
    externals: list[External] = field(default_factory=list)

    def link(self, source: str, target: str, kind: ImportKind, line: int) -> None:
        """Add an edge; of several imports the one that takes effect earliest counts."""
        known = self.edges.get((source, target))
        if source != target and (known is None or _STRENGTH[kind] > _STRENGTH[known[0]]):
            self.edges[source, target] = (kind, line)


_STRENGTH = {ImportKind.IMPORT_TIME: 3, ImportKind.LAZY: 2, ImportKind.TYPE_ONLY: 1}


class PythonResolver:
    """Resolves the imports of all Python files of one tree; `declared` are the normalised names of declared distributions."""

    def __init__(self, tree: PythonTree, facts: dict[str, FileFacts], declared: frozenset[str], ignored: IgnoredPaths) -> None:
        self.tree = tree
        self.facts = facts
        self.links = Links()
        self.used_roots: dict[str, Counter[str]] = defaultdict(Counter)
        self._declared = declared
        self._ignored = ignored
        self._names: dict[str, frozenset[str] | None] = {}
        self._found: dict[tuple[str, tuple[str, ...]], Target | None] = {}
        self._roots: dict[tuple[str, tuple[str, ...]], str] = {}
        self._hacks = frozenset(path for path, file in facts.items() if any(_PATH_HACK.match(call.callee) for call in file.calls))

    def run(self) -> Links:
        """Resolve everything; the second pass knows which namespaces the first one saw in use."""
        order = sorted(path for path in self.facts if path in self.tree.files)
        gaps: list[tuple[str, Import]] = []
        for path in order:
            gaps.extend((path, statement) for statement in self.facts[path].imports if not self._import(path, statement))
            for named in named_imports(self.facts[path]):
                target = self.resolve(path, named.module)
                if target is not None and target.shape is Shape.FILE:
                    self.links.link(path, target.path, named.kind, named.line)
        for path, statement in gaps:
            self._gap(path, statement)
        return self.links

    # -- resolving -----------------------------------------------------------------------------------------------------------------

    def resolve(self, path: str, module: str) -> Target | None:
        """What `module`, as written in the file at `path`, leads to inside the tree."""
        return self._relative(path, module) if module.startswith(".") else self._absolute(path, tuple(module.split(".")))

    def _relative(self, path: str, module: str) -> Target | None:
        rest = module.lstrip(".")
        folder = parent(path)
        for _ in range(len(module) - len(rest) - 1):
            if not folder:
                return None
            folder = parent(folder)
        parts = tuple(rest.split(".")) if rest else ()
        target = self.tree.find(folder, parts)
        return target if target is not None or parts else Target(Shape.NAMESPACE, folder)

    def _absolute(self, path: str, parts: tuple[str, ...]) -> Target | None:
        key = (parent(path), parts)
        if key not in self._found:
            self._found[key] = self._search(path, parts)
        if self._found[key] is None and self._runs_alone(path) and not self._foreign(parts[0]):
            return self.tree.find(parent(path), parts)
        root = self._roots.get(key)
        found = self._found[key]
        if root is not None and found is not None:
            natural = self.tree.natural_root(parent(found.path) if found.shape is Shape.FILE else found.path)
            self.used_roots[natural + "/"][root] += 1
        return found

    def _runs_alone(self, path: str) -> bool:
        """Whether the file is started by its path: its own folder is then searched, package or not."""
        return path in self._hacks or self.facts[path].main_lines[0] > 0

    def _search(self, path: str, parts: tuple[str, ...]) -> Target | None:
        foreign = self._foreign(parts[0])
        near = self.tree.near_roots(path)
        far = () if foreign else self.tree.far_roots(path, parts[0])
        weak: tuple[Target, str] | None = None
        for root in (*near, *far):
            target = self.tree.find(root, parts)
            if target is None or (foreign and not self._beats_package(root, path, parts, target)):
                continue
            if target.shape is Shape.NAMESPACE:
                weak = weak or (target, root)
                continue
            self._roots[parent(path), parts] = root
            return target
        if weak is None or foreign:
            return None
        return weak[0]

    def _foreign(self, top: str) -> bool:
        return top in _STDLIB or self._is_declared(top) or is_known_import(top)

    def _is_declared(self, top: str) -> bool:
        return not self._declared.isdisjoint(distributions_of(top))

    def _beats_package(self, root: str, path: str, parts: tuple[str, ...], target: Target) -> bool:
        """Whether a local module is meant although an installed one has the same name: it must be a package, or lie deeper."""
        if target.shape is not Shape.FILE:
            return False
        if join(root, parts[0]) in self.tree.packages:
            return parts[0] not in _STDLIB or len(parts) > 1 or path.startswith(join(root, parts[0]) + "/")
        return len(parts) > 1

    # -- edges ---------------------------------------------------------------------------------------------------------------------

    def _import(self, path: str, statement: Import) -> bool:
        """Add the edges of one import; False when it needs a second look."""
        target = self.resolve(path, statement.module)
        if target is None:
            return False
        if target.shape is Shape.OPAQUE:
            return True
        if not statement.from_form:
            if target.shape is Shape.FILE:
                self.links.link(path, target.path, statement.kind, statement.line)
            return target.shape is Shape.FILE or not self._foreign(statement.module.split(".")[0])
        complete = True
        for name, _ in statement.names:
            complete = self._from(path, statement, target, name) and complete
        return complete

    def _from(self, path: str, statement: Import, target: Target, name: str) -> bool:
        sub = self.submodule(target, name) if name != "*" else None
        if sub is not None:
            if sub.shape is Shape.FILE:
                self.links.link(path, sub.path, statement.kind, statement.line)
            return True
        if target.shape is not Shape.FILE:
            return name == "*"
        self.links.link(path, target.path, statement.kind, statement.line)
        known = self.names(target.path)
        return name == "*" or known is None or name in known or target.path == path

    def submodule(self, target: Target, name: str) -> Target | None:
        """The module `name` inside a package, if there is one."""
        if target.shape is Shape.NAMESPACE:
            return self.tree.find(target.path, (name,))
        is_package = target.path.rpartition("/")[2].startswith("__init__.")
        return self.tree.find(parent(target.path), (name,)) if is_package else None

    # -- names of a module -----------------------------------------------------------------------------------------------------------

    def names(self, path: str, seen: frozenset[str] = frozenset()) -> frozenset[str] | None:
        """The names the module at `path` binds, star imports followed; None when that cannot be known."""
        if path in self._names:
            return self._names[path]
        if path in seen:
            return frozenset()
        found = self._collect_names(path, seen | {path})
        if not seen:
            self._names[path] = found
        return found

    def _collect_names(self, path: str, seen: frozenset[str]) -> frozenset[str] | None:
        file = self.facts.get(path)
        if file is None or file.error_line or path.endswith(".pyi") or "__getattr__" in file.bound:
            return None
        if any(_DYNAMIC.match(call.callee) for call in file.calls):
            return None
        names = set(file.bound) | _IMPLICIT
        for statement in file.imports:
            if any(name == "*" and statement.from_form for name, _ in statement.names):
                target = self.resolve(path, statement.module)
                inner = self.names(target.path, seen) if target is not None and target.shape is Shape.FILE else None
                if inner is None:
                    return None
                names |= inner
        return frozenset(names)

    # -- what leads nowhere ------------------------------------------------------------------------------------------------------------

    def _gap(self, path: str, statement: Import) -> None:
        target = self.resolve(path, statement.module)
        top = statement.module.split(".")[0]
        if target is not None and statement.from_form and not (target.shape is Shape.NAMESPACE and top and self._foreign(top)):
            for name, _ in statement.names:
                if not self._exists(path, target, name):
                    self._missing_name(path, statement, target, name)
        elif statement.module.startswith("."):
            self._missing_module(path, statement, self._relative_base(path, statement.module), "no such module beside or above this file")
        elif top in _STDLIB:
            return
        elif self._own(path, statement):
            self._missing_module(
                path, statement, statement.module.replace(".", "/"), "no such module in the tree, and no declared package of that name"
            )
        else:
            for package in self._packages(statement):
                self.links.externals.append(External(path, statement.line, package, statement.kind, statement.guarded))

    def _exists(self, path: str, target: Target, name: str) -> bool:
        if name == "*" or self.submodule(target, name) is not None or target.path == path:
            return True
        known = self.names(target.path) if target.shape is Shape.FILE else frozenset()
        return known is None or name in known

    def _missing_name(self, path: str, statement: Import, target: Target, name: str) -> None:
        folder = parent(target.path) if target.shape is Shape.FILE else target.path
        if target.shape is Shape.FILE and self._ignored.expects(target.path):
            return
        if self._ignored.expects(join(folder, f"{name}.py")):
            return
        where = target.path if target.shape is Shape.FILE else f"{target.path or '.'}/"
        self.links.unresolved.append(
            Unresolved(
                path, statement.line, statement.module, name, f"{where} has no name or submodule {name}", statement.guarded, statement.kind
            )
        )

    def _missing_module(self, path: str, statement: Import, base: str, reason: str) -> None:
        candidates = [f"{base}.py", f"{base}/__init__.py"]
        if not statement.module.startswith("."):
            candidates += [join(root, candidate) for root in self.tree.near_roots(path) for candidate in tuple(candidates)]
        if any(self._ignored.expects(candidate) for candidate in candidates):
            return
        self.links.unresolved.append(Unresolved(path, statement.line, statement.module, "", reason, statement.guarded, statement.kind))

    @staticmethod
    def _relative_base(path: str, module: str) -> str:
        rest = module.lstrip(".")
        folder = parent(path)
        for _ in range(len(module) - len(rest) - 1):
            folder = parent(folder)
        return join(folder, rest.replace(".", "/"))

    def _own(self, path: str, statement: Import) -> bool:
        """Whether an absolute import that leads nowhere surely means a module of this tree."""
        top = statement.module.split(".")[0]
        if self._is_declared(top) or is_known_import(top) or path in self._hacks:
            return False
        for root in self.tree.near_roots(path):
            found = self.tree.find(root, (top,))
            if found is None:
                continue
            if found.shape is Shape.FILE:
                return "." in statement.module
            if found.shape is Shape.OPAQUE:
                return False
            if self._in_use(found.path):
                return True
        return top in _OWN_NAMES and not self.tree.far_roots(path, top)

    def _in_use(self, folder: str) -> bool:
        """Whether a directory without `__init__` is imported from as a package somewhere."""
        return any(target.startswith(folder + "/") and not source.startswith(folder + "/") for source, target in self.links.edges) or any(
            len(parts) > 1
            and found is not None
            and found.path.startswith(folder + "/")
            and join(*parts).startswith(folder.rpartition("/")[2] + "/")
            for (_, parts), found in self._found.items()
        )

    @staticmethod
    def _packages(statement: Import) -> Iterator[str]:
        """Top-level name, or up to three parts of a name in a namespace that many distributions share."""
        parts = statement.module.split(".")
        if parts[0] not in NAMESPACES:
            yield parts[0]
        elif statement.from_form and len(parts) < 3:
            yield from sorted({".".join((*parts, name))[:120] if name != "*" else statement.module for name, _ in statement.names})
        else:
            yield ".".join(parts[:3])
