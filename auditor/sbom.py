"""The bill of materials of a repository: every locked package of its lock files as CycloneDX JSON (https://cyclonedx.org/specification/overview/).

What a lock does not tell is left out, never guessed: a package without a stated licence has none here. Equal trees and dates give equal bytes.
"""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, Property, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.output.json import JsonV1Dot5, JsonV1Dot6
from packageurl import PackageURL

from auditor.cache import Cache
from auditor.errors import UsageError
from auditor.evidence.registry import Context
from auditor.gather import gather
from auditor.model.artifacts import Checksum, Ecosystem, LockedPackage, Manifests
from auditor.model.need import Known
from auditor.model.needs import MANIFESTS
from auditor.snapshot import read_tree
from auditor.version import __version__
from auditor.words import listed

VERSIONS = {"1.5": JsonV1Dot5, "1.6": JsonV1Dot6}
_SPACE = uuid.UUID("6f0c3b0e-4c8e-5d1a-9a3e-2f1f9c1e7a55")
"""Name space of the serial numbers, which are made from the tree so that they stay the same."""
_ALGORITHMS = {
    "md5": HashAlgorithm.MD5,
    "sha1": HashAlgorithm.SHA_1,
    "sha256": HashAlgorithm.SHA_256,
    "sha384": HashAlgorithm.SHA_384,
    "sha512": HashAlgorithm.SHA_512,
}
_LENGTHS = {"md5": 32, "sha1": 40, "sha256": 64, "sha384": 96, "sha512": 128}
_PURL_TYPES = {Ecosystem.PYPI: "pypi", Ecosystem.NPM: "npm"}


@dataclass(frozen=True, slots=True)
class Sbom:
    """The document, how many packages stand in it, and what could not be read or has no version: (path, reason)."""

    document: bytes
    packages: int
    gaps: tuple[tuple[str, str], ...]


def sbom(path: Path, *, date: str, version: str = "1.6") -> Sbom:
    """The bill of materials of the tree at `path`, on `date` (ISO 8601).

    Raises:
        UsageError: the path, the date or the version is wrong.
        NothingToAuditError: there are no files.
    """
    if version not in VERSIONS:
        raise UsageError(f"CycloneDX {version} is not written: {' or '.join(VERSIONS)}")
    try:
        when = dt.datetime.combine(dt.date.fromisoformat(date), dt.time(), dt.UTC)
    except ValueError:
        raise UsageError(f"--date {date!r} is not a date: write it as YYYY-MM-DD") from None
    reading = read_tree(path)
    found = gather(Context(path, Cache(None), date), reading, [MANIFESTS])[MANIFESTS.name]
    if not isinstance(found, Known):
        raise UsageError(f"the lock files cannot be read: {found.reason}")
    name = path.resolve().name or "repository"
    entries = _entries(found.value)
    bom = _bom(entries, name, when, uuid.uuid5(_SPACE, f"{name}\0{reading.snapshot.digest}\0{date}"))
    document = VERSIONS[version](bom).output_as_string(indent=2).encode() + b"\n"
    return Sbom(document, len(entries), (*found.unexamined, *_unversioned(sorted(entries), entries)))


def _bom(entries: dict[_Key, list[_Held]], name: str, when: dt.datetime, serial: uuid.UUID) -> Bom:
    bom = Bom(serial_number=serial)
    bom.metadata.timestamp = when
    bom.metadata.tools.components.add(Component(name="auditor", version=__version__, type=ComponentType.APPLICATION))
    root = bom.metadata.component = Component(name=name, type=ComponentType.APPLICATION, bom_ref="root")
    components = {key: _component(key, held) for key, held in entries.items()}
    for key, held in sorted(entries.items()):
        bom.components.add(components[key])
        targets = {(key[0], *wanted) for one in held for wanted in one.package.wants}
        bom.register_dependency(components[key], [components[target] for target in sorted(targets & components.keys())])
    bom.register_dependency(root, [components[key] for key, held in sorted(entries.items()) if any(one.direct for one in held)])
    return bom


@dataclass(frozen=True, slots=True)
class _Held:
    """What one lock, or a manifest where no lock does, says of a package."""

    path: str
    package: LockedPackage
    direct: bool
    range: str = ""


_Key = tuple[Ecosystem, str, str]


def _entries(manifests: Manifests) -> dict[_Key, list[_Held]]:
    """Every package and version once with all who hold it; declared ones that no lock holds come last, without a version unless it is exact."""
    asked = {(manifest.ecosystem, entry.name) for manifest in manifests.manifests for entry in manifest.requirements}
    found: defaultdict[_Key, list[_Held]] = defaultdict(list)
    for lock in manifests.locks:
        told = any(package.direct for package in lock.packages)  # requirement files and npm's first format do not say: the manifests do
        for package in lock.packages:
            direct = package.direct if told else (lock.ecosystem, package.name) in asked
            found[lock.ecosystem, package.name, package.version].append(_Held(lock.path, package, direct))
    locked = {(ecosystem, name) for ecosystem, name, _ in found}
    for manifest in manifests.manifests:
        for entry in manifest.requirements:
            if entry.source == "registry" and entry.group != "peer" and (manifest.ecosystem, entry.name) not in locked:
                version = entry.specifier.strip("=v ") if entry.pinned else ""
                package = LockedPackage(entry.name, version, entry.group == "dev")
                found[manifest.ecosystem, entry.name, version].append(_Held(manifest.path, package, direct=True, range=entry.specifier))
    return dict(found)


def _component(key: _Key, held: list[_Held]) -> Component:
    ecosystem, name, version = key
    namespace, _, plain = name.rpartition("/")
    purl = PackageURL(_PURL_TYPES[ecosystem], namespace or None, plain, version or None)
    sums = {checksum for one in held for checksum in one.package.checksums if _is_sound(checksum)}
    licence = next((one.package.licence for one in held if one.package.licence), "")
    component = Component(
        name=plain,
        group=namespace or None,
        version=version or None,
        type=ComponentType.LIBRARY,
        bom_ref=purl.to_string(),
        purl=purl,
        scope=ComponentScope.EXCLUDED if all(one.package.dev for one in held) else ComponentScope.REQUIRED,
        hashes=[HashType(alg=_ALGORITHMS[one.algorithm], content=one.value) for one in sums if not one.file],
        licenses=[LicenseFactory().make_from_string(licence)] if licence else None,
        external_references=_distributions(sums),
    )
    for path in sorted({one.path for one in held}):
        component.properties.add(Property(name="auditor:source", value=path))
    for text in sorted({one.range for one in held if not version and one.range}):
        component.properties.add(Property(name="auditor:range", value=text))
    return component


def _is_sound(checksum: Checksum) -> bool:
    return len(checksum.value) == _LENGTHS.get(checksum.algorithm)


def _distributions(sums: Iterable[Checksum]) -> list[ExternalReference]:
    """The files of a package that has several, with the checksums of each."""
    files: defaultdict[str, set[Checksum]] = defaultdict(set)
    for checksum in sums:
        if checksum.file:
            files[re.sub(r"://[^/@\s]{1,300}@", "://", checksum.file.split("?", 1)[0])].add(checksum)
    return [
        ExternalReference(
            type=ExternalReferenceType.DISTRIBUTION,
            url=XsUri(file),
            hashes=[HashType(alg=_ALGORITHMS[one.algorithm], content=one.value) for one in found],
        )
        for file, found in sorted(files.items())
    ]


def _unversioned(entries: Iterable[_Key], held: dict[_Key, list[_Held]]) -> tuple[tuple[str, str], ...]:
    """Packages that stand in the document without a version, by the manifest that declares them."""
    names: defaultdict[str, list[str]] = defaultdict(list)
    for ecosystem, name, version in entries:
        if not version:
            names[held[ecosystem, name, version][0].path].append(name)
    return tuple((path, f"no exact version of {listed(sorted(found))}") for path, found in sorted(names.items()))
