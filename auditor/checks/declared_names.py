"""Which manifest declares what a file imports, and how else a package may arrive. Used by the check on declared dependencies."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import IntEnum

from auditor.distributions import (
    ARRIVES_WITH_NPM,
    ARRIVES_WITH_PYPI,
    DISTRIBUTIONS,
    POPULAR_PYPI,
    distributions_of,
    is_known_import,
    normalise,
)
from auditor.model.artifacts import Ecosystem, LockFile, Manifest, Manifests

_PROVIDED = """
    pkg_resources setuptools pip wheel distutils _pytest typing_extensions js pyodide micropip bpy maya unreal hou nuke dbutils awsglue machine board
    utime micropython RPi gi apt AppKit Foundation objc win32api win32con win32gui pythoncom pywintypes ida_kernwin idaapi sublime sublime_plugin
    obspython xbmc xbmcgui c4d FreeCAD qgis arcpy vapoursynth gdb lldb vscode k6 figma photoshop uxp
"""
PROVIDED = frozenset(_PROVIDED.split())
"""Modules that the host program or the platform supplies, no package index."""

WRONG_NAMES: dict[str, tuple[str, str]] = {
    "cv2": ("opencv-python", "cv2"),
    "opencv": ("opencv-python", "cv2"),
    "pil": ("pillow", "PIL"),
    "yaml": ("pyyaml", "yaml"),
    "sklearn": ("scikit-learn", "sklearn"),
    "pytorch": ("torch", "torch"),
    "dateutil": ("python-dateutil", "dateutil"),
    "sqlite3": ("nothing: it is part of Python", "sqlite3"),
    "tkinter": ("nothing: it is part of Python", "tkinter"),
    "fitz": ("pymupdf", "fitz"),
    "docx": ("python-docx", "docx"),
    "jose": ("python-jose", "jose"),
    "serial": ("pyserial", "serial"),
    "jwt": ("pyjwt", "jwt"),
    "crypto": ("pycryptodome", "Crypto"),
    "modelcontextprotocol": ("mcp", "mcp"),
}
"""Names on the Python index that are taken for another package's: declared name -> (the package that is meant, its import name)."""

_FRAMEWORKS = frozenset(
    {"flask", "django", "fastapi", "torch", "transformers", "langchain", "crewai", "openai", "scikit-learn", "matplotlib", "plotly"}
)
_OFTEN_BROUGHT = frozenset(name for names in ARRIVES_WITH_PYPI.values() for name in names) - _FRAMEWORKS
"""Distributions that so many others bring that only a lock could prove their absence."""
_MEANT_NOTHING = "nothing: "
_LEAST_SHARED = 4
_CHAIN = 3


class Origin(IntEnum):
    """How an imported package comes to be installed, the soundest first."""

    DECLARED = 0
    COMPANION = 1  # always brought by a declared package: starlette under fastapi
    ELSEWHERE = 2  # declared in another part of the repository only
    ARRIVES = 3  # in the lock because something else needs it
    UNSURE = 4  # no telling which package supplies it
    NOWHERE = 5


def squashed(name: str) -> str:
    """A name reduced to its letters and digits."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


@dataclass(slots=True)
class Declarations:
    """What one ecosystem's manifests and locks say, by directory."""

    ecosystem: Ecosystem
    manifests: tuple[Manifest, ...]
    locks: tuple[LockFile, ...]
    _scopes: dict[str, tuple[Manifest, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, manifests: Manifests, ecosystem: Ecosystem) -> Declarations:
        """The declarations of an ecosystem; lists that a tool compiled from another manifest count as locks, not as declarations."""
        own = tuple(manifest for manifest in manifests.manifests if manifest.ecosystem is ecosystem)
        compiled = {manifest.path for manifest in own if any(key == "generated-by" for key, _ in manifest.settings)}
        sources = tuple(manifest for manifest in own if manifest.path not in compiled and manifest.requirements)
        declaring = tuple(
            manifest for manifest in own if manifest.path not in compiled or not any(_same_place(source, manifest) for source in sources)
        )
        return cls(ecosystem, declaring, tuple(lock for lock in manifests.locks if lock.ecosystem is ecosystem))

    def scope(self, path: str) -> tuple[Manifest, ...]:
        """The manifests that speak for a file: in its directory and above it."""
        folder = path.rpartition("/")[0]
        if folder not in self._scopes:
            self._scopes[folder] = tuple(
                manifest
                for manifest in self.manifests
                if not manifest.root or folder == manifest.root or folder.startswith(f"{manifest.root}/")
            )
        return self._scopes[folder]

    def names(self, scope: tuple[Manifest, ...]) -> frozenset[str]:
        """Everything the manifests declare, and their own names."""
        own = {normalise(manifest.name) if self.ecosystem is Ecosystem.PYPI else manifest.name for manifest in scope if manifest.name}
        return frozenset(entry.name for manifest in scope for entry in manifest.requirements) | own

    def origin(self, path: str, package: str, also: frozenset[str]) -> Origin:
        """How `package`, imported by the file at `path`, comes to be installed; `also` is installed by other means."""
        scope = self.scope(path) or (self.manifests if self.ecosystem is Ecosystem.PYPI else ())
        names = self.names(scope) | also
        if self.supplies(names, package) or package in PROVIDED:
            return Origin.DECLARED
        wanted = self._suppliers(package)
        if wanted & self._arriving(names):
            return Origin.COMPANION
        if wanted & self.names(self.manifests):
            return Origin.ELSEWHERE
        if wanted & {entry.name for lock in self.locks for entry in lock.packages}:
            return Origin.ARRIVES
        if self._may_arrive(wanted, names):
            return Origin.ARRIVES
        if any(manifest.problem for manifest in scope) or any(lock.problem for lock in self.locks):
            return Origin.UNSURE
        return Origin.NOWHERE if self._is_certain(package, names) else Origin.UNSURE

    def _may_arrive(self, wanted: frozenset[str], names: frozenset[str]) -> bool:
        """Whether a package that often comes along is asked for, no lock tells, and there is a declared package whose needs are not known."""
        if self.ecosystem is not Ecosystem.PYPI or any(lock.kind != "requirements.txt" for lock in self.locks):
            return False
        return bool(wanted & _OFTEN_BROUGHT) and any(name not in ARRIVES_WITH_PYPI for name in names)

    def _suppliers(self, package: str) -> frozenset[str]:
        """Names of packages known to supply an import."""
        return frozenset(distributions_of(package)) if self.ecosystem is Ecosystem.PYPI else frozenset({package, _types_of(package)})

    def supplies(self, names: frozenset[str], package: str) -> bool:
        """Whether one of the declared names supplies the imported package."""
        return bool(self._suppliers(package) & names) or self._alike(package, names)

    def _alike(self, package: str, names: frozenset[str]) -> bool:
        """Python packages whose import name is part of their own, or the reverse: python-foo-bar gives foo_bar."""
        if self.ecosystem is not Ecosystem.PYPI or is_known_import(package):
            return False
        plain = squashed(package)
        return len(plain) >= _LEAST_SHARED and any(
            plain in squashed(name) or squashed(name) in plain for name in names if len(name) >= _LEAST_SHARED
        )

    def _arriving(self, names: frozenset[str]) -> frozenset[str]:
        """What installing the named packages brings, over a few steps."""
        table = ARRIVES_WITH_PYPI if self.ecosystem is Ecosystem.PYPI else ARRIVES_WITH_NPM
        found: set[str] = set()
        level = set(names)
        for _ in range(_CHAIN):
            level = {brought for name in level for brought in table.get(name, ())} - found
            found |= level
        return frozenset(found)

    def _is_certain(self, package: str, names: frozenset[str]) -> bool:
        """Whether no declared package can be the one that supplies the import: for Python the names may differ."""
        if self.ecosystem is Ecosystem.NPM or is_known_import(package):
            return True
        return all(name in _KNOWN for name in names - {normalise(manifest.name) for manifest in self.manifests if manifest.name})


def _same_place(source: Manifest, compiled: Manifest) -> bool:
    return source.root == compiled.root or not source.root


def _types_of(package: str) -> str:
    """The package of type declarations that stands for an import without code of its own."""
    scope, _, name = package.removeprefix("@").partition("/")
    return f"@types/{scope}__{name}" if package.startswith("@") else f"@types/{package}"


_KNOWN = POPULAR_PYPI | {name for names in DISTRIBUTIONS.values() for name in names} | set(ARRIVES_WITH_PYPI)
"""Distributions whose import names are known, so that they surely do not supply an unknown one."""


def wrong_name(name: str, imported: frozenset[str]) -> str:
    """What was meant by a declared Python package that is not the one it is taken for, "" when the name is sound.

    `imported` are the import names in use: where the meant package is imported, the slip is certain.
    """
    meant, module = WRONG_NAMES.get(name, ("", ""))
    return meant if meant and (module in imported or meant.startswith(_MEANT_NOTHING)) else ""
