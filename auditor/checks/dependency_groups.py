"""What each directory of the repository installs, and how firmly its versions are held. Shared by the checks on dependencies."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from auditor.distributions import ARRIVES_WITH_PYPI
from auditor.model.artifacts import Ecosystem, LockFile, Manifest, Manifests, Requirement
from auditor.model.project import Kind, Project

TOOL_NAMES = {Ecosystem.PYPI: "Python", Ecosystem.NPM: "JavaScript"}
_COMPLETE_FROM = 0.8
"""Share of the packages known to arrive with the pinned ones that must be pinned too, so that a list counts as complete."""
_SAME_LOCK_FROM = 0.5
"""Share of a directory's dependencies that a lock further up must hold to be its lock."""


class Hold(IntEnum):
    """How firmly versions are held, the firmest first."""

    LOCKED = 0
    OUT_OF_STEP = 1
    PINNED = 2
    LOOSE = 3


@dataclass(frozen=True, slots=True)
class Group:
    """The manifests of one ecosystem in one directory, the locks that speak for them, and what they hold.

    `wanted` are the dependencies that an installation fetches; `missing` those of them that the lock does not hold;
    `loose` those without an exact version. `unread` is the directory's lock where none could be read.
    """

    ecosystem: Ecosystem
    root: str
    manifests: tuple[Manifest, ...]
    locks: tuple[LockFile, ...]
    wanted: tuple[Requirement, ...]
    hold: Hold
    missing: tuple[Requirement, ...] = ()
    loose: tuple[Requirement, ...] = ()
    unread: tuple[LockFile, ...] = ()
    library: bool = False

    @property
    def where(self) -> str:
        """The directory in words."""
        return f"`{self.root}`" if self.root else "the repository's root"


def groups(manifests: Manifests, project: Project) -> tuple[Group, ...]:
    """Every directory that installs third-party packages, in order."""
    keys = sorted({(manifest.ecosystem, manifest.root) for manifest in manifests.manifests})
    found = (_group(ecosystem, root, manifests, project) for ecosystem, root in keys)
    return tuple(group for group in found if group is not None)


def _group(ecosystem: Ecosystem, root: str, manifests: Manifests, project: Project) -> Group | None:
    own = tuple(manifest for manifest in manifests.manifests if (manifest.ecosystem, manifest.root) == (ecosystem, root))
    wanted = _wanted(own)
    if not wanted:
        return None
    library = project.part_of(f"{root}/x" if root else "x").kinds == {Kind.LIBRARY}
    above = [lock for lock in manifests.locks if lock.ecosystem is ecosystem and _is_above(lock.root, root)]
    real = [lock for lock in above if lock.kind != "requirements.txt"]
    pinned = [lock for lock in above if lock.kind == "requirements.txt" and lock.root == root]
    names = {entry.name for entry in wanted}
    speaking = tuple(lock for lock in real if _speaks(lock, root, names)) or tuple(lock for lock in pinned if _is_complete(lock, own))
    unread = tuple(lock for lock in real if lock.problem and lock.root == root) if not speaking else ()
    held = {package.name for lock in speaking for package in lock.packages}
    missing = tuple(entry for entry in wanted if entry.name not in held and entry.source == "registry") if speaking else ()
    exact = {entry.name for entry in wanted if entry.pinned} | {package.name for lock in pinned for package in lock.packages}
    loose = tuple(entry for entry in wanted if entry.name not in exact)
    hold = (Hold.OUT_OF_STEP if missing else Hold.LOCKED) if speaking else Hold.LOOSE if loose else Hold.PINNED
    return Group(ecosystem, root, own, speaking or tuple(pinned), wanted, hold, missing, loose, unread, library)


def _wanted(own: tuple[Manifest, ...]) -> tuple[Requirement, ...]:
    """What an installation fetches: for npm the build tools too, for Python what the program needs at run time."""
    fetched = [entry for manifest in own for entry in manifest.requirements if entry.source in {"registry", "git", "url"}]
    if own[0].ecosystem is Ecosystem.NPM:
        return _distinct(entry for entry in fetched if entry.group in {"runtime", "dev"})
    return _distinct(entry for entry in fetched if entry.group == "runtime")


def _distinct(entries: Iterable[Requirement]) -> tuple[Requirement, ...]:
    """One entry a name, pinned ones preferred: a source list and the list compiled from it name the same package."""
    best: dict[str, Requirement] = {}
    for entry in entries:
        if entry.name not in best or (entry.pinned and not best[entry.name].pinned):
            best[entry.name] = entry
    return tuple(sorted(best.values(), key=lambda entry: (entry.place.path, entry.place.line, entry.name)))


def _is_above(above: str, root: str) -> bool:
    return not above or root == above or root.startswith(above + "/")


def _speaks(lock: LockFile, root: str, names: set[str]) -> bool:
    """Whether a lock was made for this directory: it stands in it, or holds most of what is asked for."""
    if lock.problem or not lock.packages:
        return False
    held = {package.name for package in lock.packages}
    return len(names & held) >= _SAME_LOCK_FROM * len(names) if lock.root != root else bool(names & held)


def _is_complete(lock: LockFile, own: tuple[Manifest, ...]) -> bool:
    """Whether pinned requirements hold the indirect packages too: written by a tool, or nothing that must arrive is missing."""
    settings = {key for manifest in own if manifest.path == lock.path for key, _ in manifest.settings}
    if settings & {"generated-by", "hashes"}:
        return True
    names = {package.name for package in lock.packages}
    arriving = {indirect for name in names for indirect in ARRIVES_WITH_PYPI.get(name, ())}
    return bool(arriving) and len(arriving & names) >= _COMPLETE_FROM * len(arriving)


def rival_locks(manifests: Manifests) -> tuple[tuple[LockFile, ...], ...]:
    """Locks of different tools for one directory: which one is installed depends on who installs. Deno's is of what Deno runs, beside the others."""
    places: dict[tuple[Ecosystem, str], list[LockFile]] = {}
    for lock in manifests.locks:
        if lock.kind not in {"requirements.txt", "pylock.toml", "deno.lock"} and (lock.packages or lock.problem):
            places.setdefault((lock.ecosystem, lock.root), []).append(lock)
    return tuple(tuple(locks) for _, locks in sorted(places.items()) if len({lock.kind for lock in locks}) > 1)
