"""Advisory data given with `--advisories`: an OSV zip, a JSON file of Retire.js rows, or a directory of such files. Nothing is downloaded.

The data comes from outside and is read with suspicion: a broken record is skipped and counted, sizes are bounded.
"""

from __future__ import annotations

import gzip
import json
import re
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from auditor.tools.cvss import severity_of_vector
from auditor.tools.semver import semver_key

_RECORD_BYTES = 5_000_000
_RECORDS = 600_000
_UNPACKED_BYTES = 2_000_000_000
_SEVERITIES = {"critical": "critical", "high": "high", "moderate": "medium", "medium": "medium", "low": "low"}
_RANK = {"": 0, "low": 1, "medium": 2, "high": 3, "critical": 4}


class AdvisoryError(Exception):
    """The given file holds no usable advisory data; the message is the reason as a clause."""


@dataclass(frozen=True, slots=True)
class Range:
    """Versions from `introduced` ("0" = from the first) up to `fixed` (excluded) or `last` (included); both empty = all later ones."""

    introduced: str
    fixed: str = ""
    last: str = ""


@dataclass(frozen=True, slots=True)
class Advisory:
    """One advisory for one package; `severity` is "critical", "high", "medium", "low" or "" (not stated)."""

    id: str
    aliases: tuple[str, ...]
    severity: str
    ranges: tuple[Range, ...]
    versions: tuple[str, ...] = ()


@dataclass(slots=True)
class AdvisoryData:
    """All advisories by (ecosystem, package).

    `modified` is the newest date of each ecosystem's data, `partial` names incomplete ones, `complete` those that OSV records are given for.
    """

    packages: dict[tuple[str, str], list[Advisory]] = field(default_factory=dict)
    modified: dict[str, str] = field(default_factory=dict)
    partial: set[str] = field(default_factory=set)
    complete: set[str] = field(default_factory=set)
    broken: int = 0

    def add(self, ecosystem: str, package: str, advisory: Advisory, modified: str) -> None:
        """Enter one advisory."""
        self.packages.setdefault((ecosystem, normal_name(ecosystem, package)), []).append(advisory)
        self.modified[ecosystem] = max(self.modified.get(ecosystem, ""), modified[:10])


def normal_name(ecosystem: str, name: str) -> str:
    """The name under which a package is looked up."""
    return canonicalize_name(name) if ecosystem == "pypi" else name


def load(path: Path) -> AdvisoryData:
    """Read the data at `path`.

    Raises:
        AdvisoryError: it cannot be read or holds no advisory for PyPI or npm.
    """
    data = AdvisoryData()
    files = sorted(entry for entry in path.iterdir() if entry.is_file()) if path.is_dir() else [path]
    for file in files:
        try:
            _read_file(file, data)
        except (OSError, EOFError, zipfile.BadZipFile, zlib.error, ValueError, RecursionError, NotImplementedError, RuntimeError) as error:
            if not path.is_dir():
                raise AdvisoryError(f"{path.name} cannot be read as advisory data ({type(error).__name__})") from None
    data.partial -= data.complete
    if not data.packages:
        raise AdvisoryError(f"{path.name} holds no advisory for PyPI or npm")
    return data


def _read_file(path: Path, data: AdvisoryData) -> None:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            _read_zip(archive, data)
        return
    with path.open("rb") as raw:
        handle = gzip.GzipFile(fileobj=raw) if path.suffix == ".gz" else raw
        text = handle.read(_UNPACKED_BYTES // 10)
    content = json.loads(text)
    if isinstance(content, dict) and isinstance(content.get("rows"), list):
        _read_retire(content, data)
    else:
        _read_record(content, data)


def _read_zip(archive: zipfile.ZipFile, data: AdvisoryData) -> None:
    total = 0
    for info in sorted(archive.infolist(), key=lambda info: info.filename)[:_RECORDS]:
        if not info.filename.endswith(".json") or info.file_size > _RECORD_BYTES:
            continue
        total += info.file_size
        if total > _UNPACKED_BYTES:
            raise ValueError("too much data")
        try:
            _read_record(json.loads(archive.read(info)), data)
        except (ValueError, RecursionError, zlib.error, zipfile.BadZipFile):
            data.broken += 1


def _read_record(record: Any, data: AdvisoryData) -> None:
    """One OSV record (https://ossf.github.io/osv-schema/)."""
    try:
        if record.get("withdrawn"):
            return
        stated = _severity(record)
        for affected in record.get("affected") or []:
            ecosystem = str(affected["package"]["ecosystem"]).split(":", 1)[0].lower()
            if ecosystem not in {"pypi", "npm"}:
                continue
            advisory = Advisory(
                str(record["id"]),
                tuple(str(alias) for alias in record.get("aliases") or ()),
                stated or _severity(affected),
                tuple(_ranges(affected.get("ranges") or ())),
                tuple(str(version) for version in affected.get("versions") or ()),
            )
            data.complete.add(ecosystem)
            data.add(ecosystem, str(affected["package"]["name"]), advisory, str(record.get("modified", "")))
    except (AttributeError, KeyError, TypeError):
        data.broken += 1


def _ranges(ranges: Iterable[Any]) -> Iterable[Range]:
    for entry in ranges:
        if entry.get("type") not in {"ECOSYSTEM", "SEMVER"}:
            continue
        introduced = ""
        for event in entry.get("events") or []:
            if "introduced" in event:
                if introduced:
                    yield Range(introduced)
                introduced = str(event["introduced"])
            elif introduced and ("fixed" in event or "last_affected" in event):
                yield Range(introduced, str(event.get("fixed", "")), str(event.get("last_affected", "")))
                introduced = ""
        if introduced:
            yield Range(introduced)


def _severity(record: Any) -> str:
    words = [str((record.get("database_specific") or {}).get("severity", "")).lower()]
    found = [_SEVERITIES[word] for word in words if word in _SEVERITIES]
    found += [severity_of_vector(str(entry.get("score", ""))) for entry in record.get("severity") or []]
    return max(found, key=lambda word: _RANK[word], default="")


def _read_retire(content: dict[str, Any], data: AdvisoryData) -> None:
    """Rows of Retire.js: known holes of some well-known browser libraries only."""
    data.partial.add("npm")
    for row in content["rows"]:
        try:
            name = str((row.get("cve") or [None])[0] or row.get("ghsa") or f"retire-{row['package']}-{row.get('below')}")
            ranges = (Range(str(row.get("atOrAbove") or "0"), str(row.get("below") or "")),)
            advisory = Advisory(name, tuple(filter(None, [row.get("ghsa")])), _SEVERITIES.get(str(row.get("severity")), ""), ranges)
            data.add("npm", str(row["package"]), advisory, str(content.get("date", "")))
        except (AttributeError, KeyError, TypeError, IndexError):
            data.broken += 1


def affects(advisory: Advisory, ecosystem: str, version: str) -> str | None:
    """The fixing version ("" when there is none) if `version` is affected, None if it is not or cannot be compared."""
    order = _pypi_key if ecosystem == "pypi" else semver_key
    here = order(version)
    if here is None:
        return "" if version in advisory.versions else None
    for entry in advisory.ranges:
        if _inside(here, entry, order):
            return entry.fixed
    return "" if version in advisory.versions else None


def _pypi_key(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None


def _inside(here: Any, entry: Range, order: Any) -> bool:
    start = None if entry.introduced == "0" else order(entry.introduced)
    if entry.introduced != "0" and (start is None or here < start):
        return False
    end = order(entry.fixed or entry.last)
    if end is None:
        return not (entry.fixed or entry.last)
    return bool(here < end if entry.fixed else here <= end)


def readable_version(ecosystem: str, version: str) -> bool:
    """Whether a locked version can be compared at all."""
    return re.search(r"\d", version) is not None and (_pypi_key(version) if ecosystem == "pypi" else semver_key(version)) is not None
