"""Known vulnerabilities: never a silent pass, whatever is missing, old, broken or not answered."""

from __future__ import annotations

import gzip
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.cache import Cache
from auditor.evidence.advisories import advisories
from auditor.evidence.registry import Context
from auditor.model.artifacts import Ecosystem, LockedPackage, LockFile, Manifest, Manifests, Requirement
from auditor.model.evidence import ToolHits
from auditor.model.need import Known, Unavailable
from auditor.model.verdict import Place
from auditor.tools import osv, pip_audit
from auditor.tools.cvss import base_score, severity_of_vector
from auditor.tools.semver import semver_key

CRITICAL = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
MEDIUM = "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N"


def record(name: str, events: list[dict[str, str]], *, id_: str = "X-1", ecosystem: str = "PyPI", **more: Any) -> dict[str, Any]:
    return {
        "id": id_,
        "modified": "2026-01-20T00:00:00Z",
        "affected": [{"package": {"ecosystem": ecosystem, "name": name}, "ranges": [{"type": "ECOSYSTEM", "events": events}]}],
        **more,
    }


def archive(path: Path, records: list[Any]) -> Path:
    with zipfile.ZipFile(path, "w") as made:
        for number, entry in enumerate(records):
            made.writestr(f"{number}.json", entry if isinstance(entry, str) else json.dumps(entry))
    return path


def lock(*packages: LockedPackage, ecosystem: Ecosystem = Ecosystem.PYPI, path: str = "uv.lock") -> LockFile:
    return LockFile(path, path, ecosystem, "", packages)


def look_up(
    tmp_path: Path,
    data: Path | None,
    *locks: LockFile,
    manifests: tuple[Manifest, ...] = (),
    date: str = "2026-02-01",
    online: bool = False,
    osv_service: str = "",
) -> Known[ToolHits] | Unavailable:
    context = Context(tmp_path, Cache(tmp_path / "cache"), date, advisories=data, online=online, osv_service=osv_service)
    return advisories(context, Manifests(manifests, locks))


@pytest.fixture(autouse=True)
def _small_data_is_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(osv, "LEAST_COMPLETE", 1)


def test_a_handful_of_advisories_is_no_export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(osv, "LEAST_COMPLETE", 1_000)
    found = look_up(tmp_path, archive(tmp_path / "x.zip", [record("a", FIXED)]), lock(LockedPackage("b", "1.0")))
    assert isinstance(found, Known)
    assert found.unexamined == (("uv.lock", "the pypi advisory data holds only 1 advisories, no full export"),)


FIXED = [{"introduced": "0"}, {"fixed": "2.0"}]


def hits(found: Known[ToolHits] | Unavailable) -> list[tuple[str, str]]:
    assert isinstance(found, Known)
    return [(hit.rule, hit.grade) for hit in found.value.hits]


def test_without_data_there_is_no_evidence(tmp_path: Path) -> None:
    assert isinstance(look_up(tmp_path, None, lock(LockedPackage("a", "1.0"))), Unavailable)


@pytest.mark.parametrize(
    ("severity", "events", "dev", "grade"),
    [
        (CRITICAL, FIXED, False, "fail"),
        (CRITICAL, FIXED, True, "partial"),
        (CRITICAL, [{"introduced": "0"}], False, "note"),
        (MEDIUM, FIXED, False, "partial"),
        ("", FIXED, False, "partial"),
        ("", FIXED, True, "note"),
    ],
)
def test_the_grade_follows_severity_fix_and_use(tmp_path: Path, severity: str, events: list[dict[str, str]], dev: bool, grade: str) -> None:
    data = archive(tmp_path / "x.zip", [record("a", events, severity=[{"type": "CVSS_V3", "score": severity}])])
    found = look_up(tmp_path, data, lock(LockedPackage("a", "1.0", dev=dev, line=7)))
    assert hits(found) == [("X-1", grade)]
    assert isinstance(found, Known)
    assert found.value.hits[0].line == 7
    assert found.examined == {"uv.lock"}


def test_the_message_says_what_to_do(tmp_path: Path) -> None:
    data = archive(tmp_path / "x.zip", [record("a", FIXED, severity=[{"type": "CVSS_V3", "score": CRITICAL}])])
    found = look_up(tmp_path, data, lock(LockedPackage("a", "1.0")))
    assert isinstance(found, Known)
    assert found.value.hits[0].message == "a 1.0: X-1, critical, fixed in 2.0"
    assert found.value.notes == ("pypi: 1 of 1 package looked up (1 advisory of 2026-01-20, 12 days old)",)


@pytest.mark.parametrize(
    ("version", "affected"),
    [("0.9", False), ("1.0", True), ("1.5", True), ("2.0", False), ("2.0rc1", True), ("3.1", True), ("3.2", True), ("3.3", False)],
)
def test_ranges(tmp_path: Path, version: str, affected: bool) -> None:
    events = [{"introduced": "1.0"}, {"fixed": "2.0"}, {"introduced": "3.0"}, {"last_affected": "3.2"}]
    found = look_up(tmp_path, archive(tmp_path / "x.zip", [record("A_b", events)]), lock(LockedPackage("a-b", version)))
    assert bool(hits(found)) is affected


def test_the_same_hole_under_two_names_counts_once(tmp_path: Path) -> None:
    records = [
        record("a", FIXED, id_="PYSEC-1", aliases=["CVE-1"]),
        record("a", FIXED, id_="GHSA-1", aliases=["CVE-1"], database_specific={"severity": "HIGH"}),
        record("a", FIXED, id_="W-1", withdrawn="2026-01-01"),
    ]
    found = look_up(tmp_path, archive(tmp_path / "x.zip", records), lock(LockedPackage("a", "1.0")))
    assert hits(found) == [("PYSEC-1", "fail")]


def test_npm_versions_and_lists(tmp_path: Path) -> None:
    data = archive(
        tmp_path / "x.zip",
        [
            record("left", [{"introduced": "1.0.0-beta.2"}, {"fixed": "1.10.0"}], ecosystem="npm"),
            record("MAL", [{"introduced": "0"}], id_="MAL-1", ecosystem="npm"),
        ],
    )
    found = look_up(tmp_path, data, lock(LockedPackage("left", "1.9.0"), LockedPackage("MAL", "1.0.0"), ecosystem=Ecosystem.NPM))
    assert hits(found) == [("MAL-1", "fail"), ("X-1", "partial")]


def test_what_nobody_looked_up_is_unexamined(tmp_path: Path) -> None:
    data = archive(tmp_path / "x.zip", [record("a", FIXED)])
    found = look_up(
        tmp_path,
        data,
        lock(LockedPackage("b", "1.0"), LockedPackage("c", "git+https://x")),
        lock(LockedPackage("d", "1.0.0"), ecosystem=Ecosystem.NPM, path="package-lock.json"),
    )
    assert isinstance(found, Known)
    assert found.unexamined == (
        ("package-lock.json", "the advisory data given holds nothing about npm"),
        ("uv.lock", "no advisory data for c git+https://x"),
    )
    assert found.examined == frozenset()
    assert found.value.unexamined == found.unexamined


def test_old_data_proves_nothing(tmp_path: Path) -> None:
    data = archive(tmp_path / "x.zip", [record("a", FIXED)])
    month = look_up(tmp_path, data, lock(LockedPackage("b", "1.0")), date="2026-03-15")
    year = look_up(tmp_path, data, lock(LockedPackage("b", "1.0")), date="2027-01-20")
    assert isinstance(month, Known)
    assert isinstance(year, Known)
    assert month.value.notes == ("pypi: 1 of 1 package looked up (1 advisory of 2026-01-20, 54 days old; newer ones are missing)",)
    assert month.unexamined == ()
    assert year.unexamined == (("uv.lock", "the pypi advisory data is 365 days old"),)


def test_manifests_without_a_lock(tmp_path: Path) -> None:
    def requirement(name: str, specifier: str, pinned: bool) -> Requirement:
        return Requirement(name, specifier, "runtime", Place("requirements.txt", 3), pinned=pinned)

    manifest = Manifest(
        "requirements.txt",
        "requirements.txt",
        Ecosystem.PYPI,
        "",
        requirements=(requirement("a", "==1.0", True), requirement("b", ">=1", False)),
    )
    covered = Manifest("web/pyproject.toml", "pyproject.toml", Ecosystem.PYPI, "web", requirements=(requirement("a", ">=1", False),))
    data = archive(tmp_path / "x.zip", [record("a", FIXED)])
    found = look_up(tmp_path, data, manifests=(manifest,))
    assert hits(found) == [("X-1", "partial")]
    assert isinstance(found, Known)
    assert found.unexamined == (("requirements.txt", "not pinned, so the installed version is unknown: b"),)
    found = look_up(tmp_path, data, lock(LockedPackage("a", "2.0")), manifests=(covered,))
    assert isinstance(found, Known)
    assert (found.examined, found.unexamined) == ({"uv.lock"}, ())


def test_a_lock_that_does_not_hold_a_dependency_does_not_cover_it(tmp_path: Path) -> None:
    pinned = Requirement("a", "==1.0", "runtime", Place("web/pyproject.toml", 3), pinned=True)
    manifest = Manifest("web/pyproject.toml", "pyproject.toml", Ecosystem.PYPI, "web", requirements=(pinned,))
    data = archive(tmp_path / "x.zip", [record("a", FIXED)])
    found = look_up(tmp_path, data, lock(LockedPackage("b", "1.0")), manifests=(manifest,))
    assert hits(found) == [("X-1", "partial")]
    assert isinstance(found, Known)
    assert found.value.hits[0].path == "web/pyproject.toml"


def test_retire_rows_are_partial_knowledge(tmp_path: Path) -> None:
    path = tmp_path / "npm.json.gz"
    rows = [
        {"package": "jquery", "atOrAbove": "1.2.0", "below": "3.5.0", "severity": "medium", "cve": ["CVE-1"], "ghsa": None},
        {"package": 3},
        None,
    ]
    path.write_bytes(gzip.compress(json.dumps({"date": "2026-01-20", "rows": rows}).encode()))
    found = look_up(tmp_path, path, lock(LockedPackage("jquery", "3.4.0"), LockedPackage("react", "18.0.0"), ecosystem=Ecosystem.NPM))
    assert hits(found) == [("CVE-1", "partial")]
    assert isinstance(found, Known)
    assert "only some" in found.unexamined[0][1]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 broken", b"[]", b"{}", b"\x1f\x8b broken", b"[" * 100_000])
def test_unusable_data_is_said(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.zip").write_bytes(content)
    assert isinstance(look_up(tmp_path, tmp_path / "x.zip", lock(LockedPackage("a", "1.0"))), Unavailable)
    assert isinstance(look_up(tmp_path, tmp_path / "missing.zip", lock(LockedPackage("a", "1.0"))), Unavailable)


def test_broken_records_cost_only_themselves(tmp_path: Path) -> None:
    odd = [
        record("a", [{"introduced": "nonsense"}]),
        "not json",
        "[]",
        "3",
        {"id": 1, "affected": 7},
        record("a", FIXED, severity="x"),
        {"affected": [{"package": None}]},
    ]
    found = look_up(tmp_path, archive(tmp_path / "x.zip", [*odd, record("a", FIXED, id_="GOOD")]), lock(LockedPackage("a", "1.0")))
    assert ("GOOD", "partial") in hits(found)


def answers(pins: list[tuple[str, str]], known: dict[tuple[str, str], Any]) -> dict[tuple[str, str], list[pip_audit.Vulnerability]]:
    return pip_audit.look_up(pins, known)


def test_pip_audit_answers_from_our_data_and_skips_what_nobody_knows() -> None:
    """The contract with the installed pip-audit: its private modules still take our source and our service."""
    hole = osv.Advisory("GHSA-1", ("CVE-1",), "high", (osv.Range("0", "2.0"),))
    same = osv.Advisory("PYSEC-1", ("CVE-1",), "", (osv.Range("0", "1.9"),))
    elsewhere = osv.Advisory("GHSA-2", (), "critical", (osv.Range("5.0"),))
    pins = [("a", "1.0"), ("b", "2.0"), ("c", "3.0"), ("d", "not a version")]
    found = answers(pins, {("a", "1.0"): [hole, same, elsewhere], ("b", "2.0"): [], ("c", "3.0"): None})
    assert found == {("a", "1.0"): [pip_audit.Vulnerability("PYSEC-1", ("CVE-1", "GHSA-1"), "high", "2.0")], ("b", "2.0"): []}


def test_another_pip_audit_is_an_error_not_a_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pip_audit._audit.Auditor", lambda _service: None)
    with pytest.raises(pip_audit.PipAuditError):
        answers([("a", "1.0")], {("a", "1.0"): []})


@pytest.mark.parametrize(
    ("vector", "score"),
    [
        (CRITICAL, 9.8),
        (MEDIUM, 6.1),
        ("CVSS:3.0/AV:L/AC:H/PR:L/UI:N/S:U/C:L/I:N/A:N", 2.5),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 10.0),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", 0.0),
        ("CVSS:3.1/AV:X", None),
        ("AV:N/AC:L/Au:N", None),
    ],
)
def test_base_scores_match_the_published_calculator(vector: str, score: float | None) -> None:
    assert base_score(vector) == score


def test_severity_words() -> None:
    assert severity_of_vector(CRITICAL) == "critical"
    assert severity_of_vector("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N") == "critical"
    assert severity_of_vector("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:H/SC:N/SI:N/SA:N") == "high"
    assert severity_of_vector("nonsense") == ""


def test_npm_version_order() -> None:
    order = [
        "0.0.1",
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.beta",
        "1.0.0-beta",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "1.0.0",
        "1.2",
        "1.10.0",
    ]
    assert sorted(order, key=semver_key) == order  # type: ignore[arg-type, return-value]
    assert semver_key("git+ssh://x") is None
    assert semver_key("1.2.3(react@18)") == semver_key("1.2.3")


@given(st.text())
def test_no_version_text_breaks_the_comparison(text: str) -> None:
    advisory = osv.Advisory("X", (), "", (osv.Range("0", "2.0"), osv.Range(text, text)))
    for ecosystem in ("pypi", "npm"):
        osv.affects(advisory, ecosystem, text)
        osv.readable_version(ecosystem, text)
    severity_of_vector(text)
