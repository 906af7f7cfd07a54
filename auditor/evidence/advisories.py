"""Evidence ADVISORIES: known vulnerabilities of the locked dependencies, from the user's store, from data given, or from a look-up that is allowed.

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
from auditor.tools import advisory_store, osv, osv_service, pip_audit
from auditor.words import plural

ITEM = "deps.no-known-vulnerabilities"
STALE_DAYS = 30
"""Age of the data from which it is said beside every verdict."""
WORTHLESS_DAYS = 90
"""Age from which "nothing found" proves nothing: the same pins had 0 advisories in data two years older and 33 in fresh data."""
_FORMAT = "advisories-2"
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class _Found:
    """One vulnerability of one package, whoever reported it."""

    id: str
    aliases: tuple[str, ...]
    severity: str
    fixed: str

    @property
    def malicious(self) -> bool:
        """Whether the package itself is the attack (OpenSSF's malicious-packages advisories)."""
        return any(name.startswith("MAL-") for name in (self.id, *self.aliases))


@dataclass(frozen=True, slots=True)
class _Source:
    """A list of packages to look up: a lock file, or the exact pins of a manifest that no lock covers."""

    path: str
    ecosystem: str
    packages: tuple[LockedPackage, ...]
    gap: str = ""


@dataclass(slots=True)
class _Knowledge:
    """All answers by (ecosystem, name, version), why an ecosystem's answers do not suffice, and where its answers come from."""

    found: dict[tuple[str, str, str], list[_Found]] = field(default_factory=dict)
    gaps: dict[str, str] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    stamp: ToolStamp = field(default_factory=own_stamp)


@provides(ADVISORIES, needs=(MANIFESTS,))
def advisories(context: Context, manifests: Manifests) -> Known[ToolHits] | Unavailable:
    """Look up every locked package."""
    if context.advisories is None and not context.online:
        return Unavailable("advisory data", "there is none and look-ups over the network are not allowed.")
    sources = _sources(manifests)
    knowledge = _Knowledge()
    try:
        if context.advisories is not None:
            _from_data(context, _load(context, context.advisories, sources), sources, knowledge)
        if context.online:
            _from_service(context, sources, knowledge)
    except (osv.AdvisoryError, OSError) as error:
        return Unavailable("advisory data", f"{error}.")
    except pip_audit.PipAuditError as error:
        return Unavailable("pip-audit", f"{error}.")
    hits, unexamined = _judge(sources, knowledge)
    examined = frozenset(source.path for source in sources) - {path for path, _ in unexamined}
    return Known(ToolHits(hits, unexamined, _notes(sources, knowledge)), knowledge.stamp, examined, unexamined)


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


def _from_data(context: Context, data: osv.AdvisoryData, sources: tuple[_Source, ...], knowledge: _Knowledge) -> None:
    started = time.monotonic()
    for ecosystem in sorted({source.ecosystem for source in sources}):
        if ecosystem not in data.modified:
            knowledge.gaps[ecosystem] = f"the advisory data given holds nothing about {ecosystem}"
            continue
        _weigh_data(context, ecosystem, data, knowledge)
        _answer(
            ecosystem,
            {pin: data.packages.get((ecosystem, osv.normal_name(ecosystem, pin[0])), []) for pin in _pins(sources, ecosystem)},
            knowledge,
        )
    context.progress(f"advisories: {len(knowledge.found)} packages looked up, {time.monotonic() - started:.1f} s")


def _answer(ecosystem: str, advisories: dict[tuple[str, str], list[osv.Advisory]], knowledge: _Knowledge) -> None:
    """Enter what the advisories of each package mean for its version."""
    if ecosystem == "pypi" and advisories:
        knowledge.stamp = ToolStamp("pip-audit", pip_audit.version())
        for pin, holes in pip_audit.look_up(list(advisories), advisories).items():
            knowledge.found[ecosystem, *pin] = [_Found(one.id, one.aliases, one.severity, one.fixed) for one in holes]
    elif ecosystem != "pypi":
        for (name, version), published in advisories.items():
            fixes = ((one, osv.affects(one, ecosystem, version)) for one in published)
            knowledge.found[ecosystem, name, version] = [
                _Found(one.id, one.aliases, one.severity, fixed) for one, fixed in fixes if fixed is not None
            ]


def _load(context: Context, path: Path, sources: tuple[_Source, ...]) -> osv.AdvisoryData:
    """The part of the data that concerns the locked packages; from an export it is remembered by the content of the file."""
    wanted = {(source.ecosystem, osv.normal_name(source.ecosystem, package.name)) for source in sources for package in source.packages}
    if advisory_store.is_store(path):
        return advisory_store.look_up(path, wanted)
    names = hashlib.sha256(repr(sorted(wanted)).encode()).hexdigest()
    key = cache_key(_FORMAT, advisory_store.identity(path), names)
    stored = context.cache.get_many([key]).get(key)
    if stored is not None:
        return msgspec.msgpack.decode(stored, type=osv.AdvisoryData)
    context.progress("advisories: reading the data")
    data = osv.load(path)
    data.packages = {name: found for name, found in data.packages.items() if name in wanted}
    context.cache.put_many({key: msgspec.msgpack.encode(data)})
    return data


def _weigh_data(context: Context, ecosystem: str, data: osv.AdvisoryData, knowledge: _Knowledge) -> None:
    """Say how much and how old the data is, and whether "nothing found" in it means anything."""
    modified = data.modified[ecosystem]
    days = _days_between(modified, context.date)
    count = plural(data.counts.get(ecosystem, 0), "advisory", "advisories")
    if days is None:
        knowledge.origins[ecosystem] = f"{count} without a date"
        knowledge.gaps[ecosystem] = f"the {ecosystem} advisory data has no date"
        return
    age = f"{plural(days, 'day')} old" if days >= 0 else f"{plural(-days, 'day')} younger than this audit's date"
    warning = "; newer ones are missing" if days > STALE_DAYS else ""
    gap = data.gap(ecosystem)
    knowledge.origins[ecosystem] = f"{count} of {modified}, {age}{warning}" + (f"; it {gap}" if gap else "")
    if days > WORTHLESS_DAYS:
        knowledge.gaps[ecosystem] = f"the {ecosystem} advisory data is {days} days old"
    elif gap:
        knowledge.gaps[ecosystem] = f"the {ecosystem} advisory data {gap}"


def _days_between(earlier: str, later: str) -> int | None:
    try:
        return (dt.date.fromisoformat(later) - dt.date.fromisoformat(earlier)).days
    except ValueError:
        return None


def _from_service(context: Context, sources: tuple[_Source, ...], knowledge: _Knowledge) -> None:
    """Ask OSV about what the data did not settle; an answer that failed leaves its packages unexamined."""
    service = context.osv_service or osv_service.SERVICE
    for ecosystem in sorted({source.ecosystem for source in sources}):
        settled = ecosystem in knowledge.origins and ecosystem not in knowledge.gaps
        asked = [] if settled else [(ecosystem, *pin) for pin in _pins(sources, ecosystem)]
        if not asked:
            continue
        answer = osv_service.look_up(
            asked, service=service, deadline=context.deadline, cancelled=context.cancelled, progress=context.progress
        )
        published = {(name, version): found for (_, name, version), found in answer.found.items()}
        _answer(ecosystem, published, knowledge)
        missing = len(asked) - len(published)
        if missing:
            before = f"{knowledge.gaps[ecosystem]}, and " if ecosystem in knowledge.gaps else ""
            knowledge.gaps[ecosystem] = f"{before}OSV gave no answer for {missing} of {len(asked)} packages ({answer.reason})"
        else:
            knowledge.gaps.pop(ecosystem, None)
            knowledge.origins[ecosystem] = f"OSV's live service on {context.date}"


def _pins(sources: tuple[_Source, ...], ecosystem: str) -> list[tuple[str, str]]:
    """The packages of an ecosystem whose versions can be compared."""
    every = {(package.name, package.version) for source in sources if source.ecosystem == ecosystem for package in source.packages}
    return sorted(pin for pin in every if osv.readable_version(ecosystem, pin[1]))


def _notes(sources: tuple[_Source, ...], knowledge: _Knowledge) -> tuple[str, ...]:
    """For each ecosystem how many packages were looked up, and in what."""
    notes = []
    for ecosystem in sorted({source.ecosystem for source in sources if source.packages}):
        every = {(package.name, package.version) for source in sources if source.ecosystem == ecosystem for package in source.packages}
        answered = sum((ecosystem, *pin) in knowledge.found for pin in every)
        origin = knowledge.origins.get(ecosystem) or knowledge.gaps.get(ecosystem, "nothing")
        notes.append(f"{ecosystem}: {answered:,} of {plural(len(every), 'package')} looked up ({origin})")
    return tuple(notes)


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
    severity = "malicious" if one.malicious else one.severity or "severity not stated"
    fixed = f"fixed in {one.fixed}" if one.fixed else "to be removed" if one.malicious else "no fix published"
    use = ", development only" if package.dev else ""
    message = f"{package.name} {package.version}: {one.id}, {severity}, {fixed}{use}"
    return ToolHit(ITEM, one.id, path, package.line, package.line, message, cwe=1395, grade=_grade(one, dev=package.dev))


def _grade(one: _Found, *, dev: bool) -> str:
    """Only what can be put right and is serious counts in full; what nobody can fix yet is mentioned."""
    if one.malicious:
        return "fail"  # on the developer's machine too
    if not one.fixed:
        return "note"
    if one.severity in {"critical", "high"}:
        return "partial" if dev else "fail"
    return "partial" if one.severity == "medium" or (not one.severity and not dev) else "note"


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN} more"
