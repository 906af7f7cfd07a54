"""Evidence ADVISORIES: known vulnerabilities of the locked dependencies, from data the user gives or from a look-up the user allows.

Nothing is downloaded unless asked, and nothing is concluded without data: a package nobody looked up stays unexamined.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from auditor.cache import cache_key
from auditor.evidence.registry import Context, own_stamp, provides
from auditor.model.artifacts import LockedPackage, LockFile, Manifest, Manifests, Requirement
from auditor.model.evidence import ToolHit, ToolHits
from auditor.model.need import Known, ToolStamp, Unavailable
from auditor.model.needs import ADVISORIES, MANIFESTS
from auditor.tools import osv, pip_audit

ITEM = "deps.no-known-vulnerabilities"
STALE_DAYS = 30
"""Age of the data from which it is said beside every verdict."""
WORTHLESS_DAYS = 90
"""Age from which "nothing found" proves nothing: the same pins had 0 advisories in data two years older and 33 in fresh data."""
_FORMAT = "advisories-1"
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class _Found:
    """One vulnerability of one package, whoever reported it."""

    id: str
    aliases: tuple[str, ...]
    severity: str
    fixed: str


@dataclass(frozen=True, slots=True)
class _Source:
    """A list of packages to look up: a lock file, or the exact pins of a manifest that no lock covers."""

    path: str
    ecosystem: str
    packages: tuple[LockedPackage, ...]
    gap: str = ""


@dataclass(slots=True)
class _Knowledge:
    """All answers by (ecosystem, name, version), what was not answered, and what to say about the data."""

    found: dict[tuple[str, str, str], list[_Found]] = field(default_factory=dict)
    gaps: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    stamp: ToolStamp = field(default_factory=own_stamp)


@provides(ADVISORIES, needs=(MANIFESTS,))
def advisories(context: Context, manifests: Manifests) -> Known[ToolHits] | Unavailable:
    """Look up every locked package."""
    if context.advisories is None and not context.online:
        return Unavailable("advisory data", "none was given and look-ups over the network are not allowed.")
    sources = _sources(manifests)
    knowledge = _Knowledge()
    try:
        if context.advisories is not None:
            _from_file(context, context.advisories, sources, knowledge)
        if context.online:
            _from_network(context, sources, knowledge)
    except (osv.AdvisoryError, OSError) as error:
        return Unavailable("advisory data", f"{error}.")
    except pip_audit.PipAuditError as error:
        return Unavailable("pip-audit", f"{error}.")
    hits, unexamined = _judge(sources, knowledge)
    examined = frozenset(source.path for source in sources) - {path for path, _ in unexamined}
    return Known(ToolHits(hits, unexamined, tuple(knowledge.notes)), knowledge.stamp, examined, unexamined)


def _sources(manifests: Manifests) -> tuple[_Source, ...]:
    """Lock files, and what manifests ask for that no lock of their directory or one above holds."""
    sources = [_Source(lock.path, lock.ecosystem.value, lock.packages, lock.problem) for lock in manifests.locks]
    paths = {lock.path for lock in manifests.locks}
    for manifest in manifests.manifests:
        if manifest.path in paths:
            continue
        source = _unlocked(manifest, _locks_of(manifest, manifests.locks))
        if source is not None:
            sources.append(source)
    return tuple(sorted(sources, key=lambda source: source.path))


def _locks_of(manifest: Manifest, locks: tuple[LockFile, ...]) -> list[LockFile]:
    """Locks in its directory or above; pinned requirements speak for their own directory only."""
    above = set(_above(manifest.root))
    return [
        lock
        for lock in locks
        if lock.ecosystem is manifest.ecosystem and (lock.root == manifest.root or (lock.root in above and lock.kind != "requirements.txt"))
    ]


def _unlocked(manifest: Manifest, locks: list[LockFile]) -> _Source | None:
    """The dependencies of a manifest that its locks do not hold, None when there are none or the lock itself could not be read."""
    if any(lock.problem for lock in locks):
        return None
    held = {package.name for lock in locks for package in lock.packages}
    wanted = [entry for entry in manifest.requirements if _installs(entry) and entry.name not in held]
    if not wanted and not (manifest.problem and not locks):
        return None
    pins = tuple(
        LockedPackage(entry.name, entry.specifier.strip("=v ").strip(), entry.group == "dev", line=entry.place.line)
        for entry in wanted
        if entry.pinned
    )
    loose = [entry.name for entry in wanted if not entry.pinned]
    gap = manifest.problem or (f"not pinned, so the installed version is unknown: {_listed(loose)}" if loose else "")
    return _Source(manifest.path, manifest.ecosystem.value, pins, gap)


def _installs(entry: Requirement) -> bool:
    """Whether the entry brings a package of the registry in on every machine."""
    return entry.source == "registry" and entry.group not in {"peer", "optional"}


def _above(root: str) -> Iterable[str]:
    """`root` and every directory above it, up to the repository ("")."""
    parts = root.split("/") if root else []
    return ("/".join(parts[:length]) for length in range(len(parts), -1, -1))


def _from_file(context: Context, path: Path, sources: tuple[_Source, ...], knowledge: _Knowledge) -> None:
    started = time.monotonic()
    data = _load(context, path, sources)
    for ecosystem in sorted({source.ecosystem for source in sources}):
        if ecosystem not in data.modified:
            knowledge.gaps[ecosystem] = f"the advisory data given holds nothing about {ecosystem}"
            continue
        _note_age(context, ecosystem, data, knowledge)
        for name, version in _packages(sources, ecosystem):
            if not osv.readable_version(ecosystem, version):
                continue
            knowledge.found[ecosystem, name, version] = [
                _Found(one.id, one.aliases, "critical" if one.id.startswith("MAL-") else one.severity, fixed)
                for one in data.packages.get((ecosystem, osv.normal_name(ecosystem, name)), [])
                if (fixed := osv.affects(one, ecosystem, version)) is not None
            ]
    context.progress(f"advisories: {len(knowledge.found)} packages looked up, {time.monotonic() - started:.1f} s")


def _load(context: Context, path: Path, sources: tuple[_Source, ...]) -> osv.AdvisoryData:
    """The part of the data that concerns the locked packages, remembered by the content of the file."""
    wanted = {(source.ecosystem, osv.normal_name(source.ecosystem, package.name)) for source in sources for package in source.packages}
    digest = hashlib.sha256()
    for file in sorted(path.iterdir()) if path.is_dir() else [path]:
        if file.is_file():
            with file.open("rb") as handle:
                digest.update(hashlib.file_digest(handle, "sha256").digest())
    names = hashlib.sha256(repr(sorted(wanted)).encode()).hexdigest()
    key = cache_key(_FORMAT, digest.hexdigest(), names)
    stored = context.cache.get_many([key]).get(key)
    if stored is not None:
        return msgspec.msgpack.decode(stored, type=osv.AdvisoryData)
    context.progress("advisories: reading the data")
    data = osv.load(path)
    data.packages = {name: found for name, found in data.packages.items() if name in wanted}
    context.cache.put_many({key: msgspec.msgpack.encode(data)})
    return data


def _note_age(context: Context, ecosystem: str, data: osv.AdvisoryData, knowledge: _Knowledge) -> None:
    modified = data.modified[ecosystem]
    days = _days_between(modified, context.date)
    if days is None:
        knowledge.gaps[ecosystem] = f"the {ecosystem} advisory data has no date"
        return
    knowledge.notes.append(f"{ecosystem} advisory data of {modified}" + (f", {days} days old" if days > STALE_DAYS else ""))
    if days > WORTHLESS_DAYS:
        knowledge.gaps[ecosystem] = f"the {ecosystem} advisory data is {days} days old"
    elif ecosystem in data.partial:
        knowledge.gaps[ecosystem] = f"the {ecosystem} advisory data covers only some well-known libraries"


def _days_between(earlier: str, later: str) -> int | None:
    try:
        return (dt.date.fromisoformat(later) - dt.date.fromisoformat(earlier)).days
    except ValueError:
        return None


def _from_network(context: Context, sources: tuple[_Source, ...], knowledge: _Knowledge) -> None:
    """Ask pip-audit about the Python packages that the given data did not settle."""
    asked = [entry for entry in _packages(sources, "pypi") if osv.readable_version("pypi", entry[1])]
    settled = "pypi" not in knowledge.gaps and any(ecosystem == "pypi" for ecosystem, _, _ in knowledge.found)
    if not asked or settled:
        return
    context.progress(f"pip-audit: {len(asked)} packages")
    answer = pip_audit.look_up(asked, root=context.root, timeout=context.remaining(), cancelled=context.cancelled)
    context.progress("pip-audit: done")
    knowledge.gaps.pop("pypi", None)
    knowledge.stamp = ToolStamp("pip-audit", pip_audit.version())
    knowledge.notes.append(f"{len(answer.answered)} Python packages looked up on {context.date}")
    for name, version in asked:
        key = (osv.normal_name("pypi", name), version)
        if key in answer.answered:
            knowledge.found["pypi", name, version] = [
                _Found(one.id, one.aliases, "", one.fixed[0] if one.fixed else "") for one in answer.answered[key]
            ]


def _packages(sources: tuple[_Source, ...], ecosystem: str) -> list[tuple[str, str]]:
    return sorted({(package.name, package.version) for source in sources if source.ecosystem == ecosystem for package in source.packages})


def _judge(sources: tuple[_Source, ...], knowledge: _Knowledge) -> tuple[tuple[ToolHit, ...], tuple[tuple[str, str], ...]]:
    hits: list[ToolHit] = []
    unexamined: list[tuple[str, str]] = []
    for source in sources:
        missing: list[str] = []
        for package in source.packages:
            found = knowledge.found.get((source.ecosystem, package.name, package.version))
            if found is None:
                missing.append(f"{package.name} {package.version}".strip())
            else:
                hits.extend(_hit(source.path, package, one) for one in _distinct(found))
        gap = source.gap or knowledge.gaps.get(source.ecosystem, "")
        if missing and not gap:
            gap = f"no advisory data for {_listed(missing)}"
        if gap:
            unexamined.append((source.path, gap))
    return tuple(sorted(set(hits), key=lambda hit: (hit.path, hit.line, hit.message))), tuple(unexamined)


def _distinct(found: list[_Found]) -> list[_Found]:
    """One entry per vulnerability: the same one is published by several databases under names that list each other."""
    order = ("critical", "high", "medium", "low", "")
    kept: list[_Found] = []
    known: set[str] = set()
    for one in sorted(found, key=lambda one: (order.index(one.severity), not one.fixed, one.id)):
        names = {one.id, *one.aliases}
        if not names & known:
            kept.append(one)
        known |= names
    return kept


def _hit(path: str, package: LockedPackage, one: _Found) -> ToolHit:
    severity = one.severity or "severity not stated"
    fixed = f"fixed in {one.fixed}" if one.fixed else "no fix published"
    use = ", development only" if package.dev else ""
    message = f"{package.name} {package.version}: {one.id}, {severity}, {fixed}{use}"
    return ToolHit(ITEM, one.id, path, package.line, package.line, message, cwe=1395, grade=_grade(one, dev=package.dev))


def _grade(one: _Found, *, dev: bool) -> str:
    """Only what can be put right and is serious counts in full; what nobody can fix yet is mentioned."""
    if not one.fixed:
        return "note"
    if one.severity in {"critical", "high"}:
        return "partial" if dev else "fail"
    return "partial" if one.severity == "medium" or (not one.severity and not dev) else "note"


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN} more"
