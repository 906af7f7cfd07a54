"""Where Python modules live: import roots, packages, namespace packages, and the dotted name of each file. Works on paths alone."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

_SOURCE = (".py", ".pyi", ".pyw")
_OPAQUE = re.compile(r"\.(?:so|pyd|pyx|pxd|c|cpp|rs|dll|dylib|pyc)$")
_SOURCE_FOLDERS = ("src", "lib", "python", "source")


class Shape(StrEnum):
    """What a dotted name leads to."""

    FILE = "file"
    NAMESPACE = "namespace"  # a directory with Python files below it and no __init__
    OPAQUE = "opaque"  # there is something of that name whose inside cannot be read (extension module, skipped file)


@dataclass(frozen=True, slots=True)
class Target:
    """The place a dotted name leads to: the file's path, or the directory of a namespace package."""

    shape: Shape
    path: str


def join(*parts: str) -> str:
    """A POSIX path from parts, empty ones left out."""
    return "/".join(part for part in parts if part)


def parent(path: str) -> str:
    """The directory of a path, "" for the top."""
    return path.rpartition("/")[0]


def ancestors(directory: str) -> list[str]:
    """The directory itself and everything above it, nearest first, "" last."""
    found = [directory]
    while found[-1]:
        found.append(parent(found[-1]))
    return found


class PythonTree:
    """An index of the Python files of a tree. `others` are all further paths, read or not, that may stand for a module."""

    def __init__(self, python: Iterable[str], others: Iterable[str] = ()) -> None:
        self.files = frozenset(path for path in python if path.endswith(_SOURCE))
        self.folders = frozenset(folder for path in self.files for folder in ancestors(parent(path)) if folder)
        self.packages = frozenset(parent(path) for path in self.files if path.rpartition("/")[2] in {"__init__.py", "__init__.pyi"})
        self._opaque = frozenset(self._stem(path) for path in others if _OPAQUE.search(path) or path.endswith(_SOURCE))
        self._roots_of: dict[str, tuple[str, ...]] = {}
        self._tops = self._index_tops()

    @staticmethod
    def _stem(path: str) -> str:
        folder, _, name = path.rpartition("/")
        return join(folder, name.split(".", 1)[0])

    def _index_tops(self) -> dict[str, list[str]]:
        """Top-level module name -> natural roots that hold it."""
        tops: dict[str, set[str]] = defaultdict(set)
        for path in self.files:
            root = self.natural_root(parent(path))
            rest = path[len(root) + 1 :] if root else path
            tops[rest.split("/", 1)[0].split(".", 1)[0]].add(root)
        return {name: sorted(roots) for name, roots in tops.items()}

    def natural_root(self, folder: str) -> str:
        """The first directory above `folder` (or itself) that is no package: what stands on the import path when the package is used."""
        while folder in self.packages and folder:
            folder = parent(folder)
        return folder

    def find(self, root: str, parts: Iterable[str]) -> Target | None:
        """What `parts` lead to below the import root `root`; as in the language, a package goes before a module of the same name."""
        base = join(root, *parts)
        for candidate in (f"{base}/__init__.py", f"{base}.py", f"{base}/__init__.pyi", f"{base}.pyi", f"{base}.pyw"):
            if candidate in self.files:
                return Target(Shape.FILE, candidate)
        if base in self._opaque or f"{base}/__init__" in self._opaque:
            return Target(Shape.OPAQUE, base)
        return Target(Shape.NAMESPACE, base) if base in self.folders else None

    def near_roots(self, path: str) -> tuple[str, ...]:
        """Import roots an import in `path` may count on: its own, those above it, and source folders beside them."""
        folder = parent(path)
        if folder not in self._roots_of:
            upward = ancestors(self.natural_root(folder))
            beside = [join(root, name) for root in upward for name in _SOURCE_FOLDERS if join(root, name) in self.folders]
            self._roots_of[folder] = tuple(dict.fromkeys((*upward, *beside)))
        return self._roots_of[folder]

    def far_roots(self, path: str, top: str) -> tuple[str, ...]:
        """Other roots of the tree that hold a module named `top`, the nearest to `path` first."""
        near = set(self.near_roots(path))
        return tuple(sorted((root for root in self._tops.get(top, ()) if root not in near), key=lambda root: (-_shared(root, path), root)))

    def names(self, used_roots: dict[str, Counter[str]]) -> dict[str, str]:
        """A unique dotted name for each file; `used_roots` counts, per file, the roots from which it was imported."""
        first = {path: self._dotted(path, self._naming_root(path, used_roots)) for path in sorted(self.files)}
        taken = Counter(first.values())
        named = {path: name if taken[name] == 1 else self._dotted(path, "") for path, name in first.items()}
        again = Counter(named.values())
        return {path: name if again[name] == 1 else path for path, name in named.items()}

    def _naming_root(self, path: str, used_roots: dict[str, Counter[str]]) -> str:
        folder = parent(path)
        if folder in self.packages:
            root = self.natural_root(folder)
            used = used_roots.get(root + "/") or Counter()
            return min(used, key=lambda name: (-used[name], name)) if used else root
        used = used_roots.get(folder + "/") or Counter()
        above = {root: count for root, count in used.items() if root != folder}
        if above:
            return min(above, key=lambda name: (-above[name], name))
        return "src" if path.startswith("src/") else ""

    @staticmethod
    def _dotted(path: str, root: str) -> str:
        rest = path[len(root) + 1 :] if root and path.startswith(root + "/") else path
        parts = rest.rpartition(".")[0].split("/")
        if parts[-1] == "__init__" and len(parts) > 1:
            parts.pop()
        return ".".join(parts)


def _shared(one: str, other: str) -> int:
    """How many leading directories two paths share."""
    count = 0
    for left, right in zip(one.split("/"), other.split("/"), strict=False):
        if left != right:
            break
        count += 1
    return count
