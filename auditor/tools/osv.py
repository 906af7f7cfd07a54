"""Advisories as they are published: an OSV zip, OSV records in JSON or YAML, a JSON file of Retire.js rows, or a directory of such files.

The data comes from outside and is read with suspicion: a broken record is skipped and counted, sizes are bounded. Nothing is downloaded here; how
advisories are kept for later audits stands in `auditor.tools.advisory_store`.
"""

from __future__ import annotations

import gzip
import json
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from auditor.tools.cvss import severity_of_vector
from auditor.tools.semver import semver_key

_RECORD_BYTES = 5_000_000
_RECORDS = 600_000
_UNPACKED_BYTES = 2_000_000_000
_FILES = 400_000
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
ECOSYSTEMS = {"pypi": "PyPI", "npm": "npm"}
"""Ecosystems that are looked up, with the names OSV and its exports use for them."""
LEAST_COMPLETE = 1_000
"""Fewer advisories than this are no full export of an ecosystem: PyPI's held 6,811 in July 2026, npm's several times as many."""
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
    """One advisory for one package; `severity` is "critical", "high", "medium", "low" or "" (not stated).

    `versions` are single affected versions, kept only where no range is given: beside ranges they add 29 of 579,188 versions.
    """

    id: str
    aliases: tuple[str, ...]
    severity: str
    ranges: tuple[Range, ...]
    versions: tuple[str, ...] = ()


@dataclass(slots=True)
class AdvisoryData:
    """All advisories by (ecosystem, package).

    `modified` is the newest date of each ecosystem's data, `counts` how many advisories it had before any selection, `partial` names ecosystems of which
    only some libraries are covered, `complete` those that OSV records are given for. `broken` records could not be read.
    """

    packages: dict[tuple[str, str], list[Advisory]] = field(default_factory=dict)
    modified: dict[str, str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    partial: set[str] = field(default_factory=set)
    complete: set[str] = field(default_factory=set)
    broken: int = 0

    def add(self, ecosystem: str, package: str, advisory: Advisory, modified: str) -> None:
        """Enter one advisory."""
        self.packages.setdefault((ecosystem, normal_name(ecosystem, package)), []).append(advisory)
        self.modified[ecosystem] = max(self.modified.get(ecosystem, ""), modified[:10] if _DATE.match(modified) else "")

    def gap(self, ecosystem: str) -> str:
        """Why the data of an ecosystem is not all there is, "" when it is taken for complete."""
        if ecosystem in self.partial:
            return "covers only some well-known libraries"
        count = self.counts.get(ecosystem, 0)
        return f"holds only {count:,} advisories, no full export" if count < LEAST_COMPLETE else ""


def normal_name(ecosystem: str, name: str) -> str:
    """The name under which a package is looked up."""
    return canonicalize_name(name) if ecosystem == "pypi" else name


def load(*paths: Path) -> AdvisoryData:
    """Read the data at the paths; files in directories that are no advisories cost only themselves.

    Raises:
        AdvisoryError: one cannot be read, or they hold no advisory for PyPI or npm.
    """
    data = AdvisoryData()
    for path in paths:
        for file in _files(path):
            try:
                _read_file(file, data)
            except _UNREADABLE as error:
                if not path.is_dir():
                    raise AdvisoryError(f"{path.name} cannot be read as advisory data ({type(error).__name__})") from None
                data.broken += 1
    data.partial -= data.complete
    if not data.packages:
        raise AdvisoryError(f"{' and '.join(path.name for path in paths)} holds no advisory for PyPI or npm")
    return data


_UNREADABLE = (
    OSError,
    EOFError,
    zipfile.BadZipFile,
    zlib.error,
    ValueError,
    RecursionError,
    NotImplementedError,
    RuntimeError,
    YAMLError,
)


def _files(path: Path) -> list[Path]:
    """The file, or the advisories of a directory and those below it, such as a checkout of an advisory database."""
    if not path.is_dir():
        return [path]
    found = (entry for entry in path.rglob("*") if entry.suffix in {".json", ".yaml", ".yml", ".zip", ".gz"} and entry.is_file())
    return sorted(islice(found, _FILES))


def _read_file(path: Path, data: AdvisoryData) -> None:
    if path.suffix in {".yaml", ".yml"}:
        _read_record(_yaml(path), data)
        return
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


def _yaml(path: Path) -> Any:
    """One record of the Python Packaging Advisory Database, which is kept in YAML."""
    if path.stat().st_size > _RECORD_BYTES:
        raise ValueError("too large")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return YAML(typ="safe").load(path.read_text("utf-8"))


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
        ecosystems = set()
        for affected in record.get("affected") or []:
            ecosystem = str(affected["package"]["ecosystem"]).split(":", 1)[0].lower()
            if ecosystem not in ECOSYSTEMS:
                continue
            ranges = tuple(_ranges(affected.get("ranges") or ()))
            advisory = Advisory(
                str(record["id"]),
                tuple(str(alias) for alias in record.get("aliases") or ()),
                stated or _severity(affected),
                ranges,
                () if ranges else tuple(str(version) for version in affected.get("versions") or ()),
            )
            ecosystems.add(ecosystem)
            data.add(ecosystem, str(affected["package"]["name"]), advisory, str(record.get("modified", "")))
    except (AttributeError, KeyError, TypeError):
        data.broken += 1
        return
    data.complete |= ecosystems
    for ecosystem in ecosystems:
        data.counts[ecosystem] = data.counts.get(ecosystem, 0) + 1


def read_records(records: Iterable[Any]) -> AdvisoryData:
    """The data a list of OSV records makes, such as the answers of a live service."""
    data = AdvisoryData()
    for record in records:
        _read_record(record, data)
    return data


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
    return worst(found)


def worst(severities: Iterable[str]) -> str:
    """The gravest of some severity words, "" when none is stated."""
    return max(severities, key=lambda word: _RANK[word], default="")


def _read_retire(content: dict[str, Any], data: AdvisoryData) -> None:
    """Rows of Retire.js: known holes of some well-known browser libraries only."""
    data.partial.add("npm")
    for row in content["rows"]:
        try:
            name = str((row.get("cve") or [None])[0] or row.get("ghsa") or f"retire-{row['package']}-{row.get('below')}")
            ranges = (Range(str(row.get("atOrAbove") or "0"), str(row.get("below") or "")),)
            advisory = Advisory(name, tuple(filter(None, [row.get("ghsa")])), _SEVERITIES.get(str(row.get("severity")), ""), ranges)
            data.add("npm", str(row["package"]), advisory, str(content.get("date", "")))
            data.counts["npm"] = data.counts.get("npm", 0) + 1
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
