"""The port to pip-audit, used as a library: our own list of exact versions on one side, our own advisories on the other.

pip-audit pairs dependencies with advisories and brings together what several databases call by different names. It neither reads a manifest nor resolves,
installs or asks a server here. How it lies: a dependency that was skipped comes back with an empty list, exactly like one without a known hole, so
every answer is held against what was asked; what it merges into another loses its own number, so each goes in as an alias of itself. Its modules are private, so their use stands here alone and a test holds them to it.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from auditor.tools import osv

Pin = tuple[str, str]
"""A package's name as locked and its exact version."""


class PipAuditError(Exception):
    """pip-audit gave no answer; the message is the reason as a clause."""


@dataclass(frozen=True, slots=True)
class Vulnerability:
    """One hole of one version under all its names; `severity` and `fixed` (the first version without it) come from our data, pip-audit carries neither."""

    id: str
    aliases: tuple[str, ...]
    severity: str
    fixed: str


def version() -> str:
    """The installed version, "" when pip-audit is not installed."""
    try:
        return importlib.metadata.version("pip-audit")
    except importlib.metadata.PackageNotFoundError:
        return ""


def look_up(pins: Sequence[Pin], known: Mapping[Pin, Sequence[osv.Advisory] | None]) -> dict[Pin, list[Vulnerability]]:
    """The holes of each version for which `known` has advisories of its package (an empty list: none was ever published; None or no entry: nobody knows).

    A version that is not in the answer was not examined.

    Raises:
        PipAuditError: it is not installed, or another one than this port was written for.
    """
    try:
        from pip_audit._audit import Auditor
    except ImportError:
        raise PipAuditError("pip-audit is not installed") from None
    asked: dict[Pin, Pin] = {(canonicalize_name(name), text): (name, text) for name, text in pins if _version(text) is not None}
    concerned = {pin: _concerning(known.get(original), pin[1]) for pin, original in asked.items()}
    found: dict[Pin, list[Vulnerability]] = {}
    try:
        source, service = _adapters(list(asked), concerned)
        for pin, (dependency, results) in zip(asked, Auditor(service).audit(source), strict=True):
            if not dependency.is_skipped() and dependency.canonical_name == pin[0]:
                found[asked[pin]] = [_vulnerability(result, concerned[pin] or {}) for result in results]
    except (AttributeError, TypeError, ImportError, ValueError) as error:
        raise PipAuditError(f"pip-audit {version()} cannot be used as a library ({type(error).__name__})") from None
    return found


def _concerning(advisories: Sequence[osv.Advisory] | None, text: str) -> dict[str, tuple[osv.Advisory, str]] | None:
    """The advisories that hold for a version, with what fixes each, by their number."""
    if advisories is None:
        return None
    fixes = ((one, osv.affects(one, "pypi", text)) for one in advisories)
    return {one.id: (one, fixed) for one, fixed in fixes if fixed is not None}


def _adapters(pins: list[Pin], concerned: Mapping[Pin, Mapping[str, tuple[osv.Advisory, str]] | None]) -> tuple[Any, Any]:
    """Our source and our service in the forms pip-audit wants; defined late, since importing pip-audit takes a third of a second."""
    from pip_audit._dependency_source import DependencySource
    from pip_audit._service import Dependency, ResolvedDependency, SkippedDependency, VulnerabilityResult, VulnerabilityService

    class Pins(DependencySource):  # type: ignore[misc] # untyped base
        def collect(self) -> Iterator[Any]:
            return iter([ResolvedDependency(name, Version(text)) for name, text in pins])

        def fix(self, fix_version: Any) -> None:
            raise NotImplementedError(f"nothing is changed here: {fix_version}")

    class Known(VulnerabilityService):  # type: ignore[misc] # untyped base
        def query(self, spec: Dependency) -> tuple[Any, list[Any]]:
            raise NotImplementedError(f"versions are looked up as they were locked, all at once: {spec}")

        def query_all(self, specs: Iterator[Any]) -> Iterator[tuple[Any, list[Any]]]:
            for pin, spec in zip(pins, specs, strict=True):
                advisories = concerned[pin]
                if advisories is None:
                    yield SkippedDependency(name=spec.name, skip_reason="no advisory data"), []
                else:
                    yield spec, [VulnerabilityResult(one.id, "", [], {one.id, *one.aliases}) for one, _ in advisories.values()]

    return Pins(), Known()


def _vulnerability(result: Any, concerned: Mapping[str, tuple[osv.Advisory, str]]) -> Vulnerability:
    """A merged result with the worst severity and the furthest fix of what was merged."""
    names = {str(result.id), *map(str, result.aliases)}
    same = [(one, fixed) for one, fixed in concerned.values() if one.id in names]
    fixes = [fixed for _, fixed in same if fixed]
    fixed = max(fixes, key=lambda text: _version(text) or Version("0"), default="")
    return Vulnerability(str(result.id), tuple(sorted(names - {result.id})), osv.worst(one.severity for one, _ in same), fixed)


def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None
