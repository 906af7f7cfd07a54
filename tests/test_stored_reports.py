"""A report is kept for a tree that has not changed, and for nothing else."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from auditor import audit, stored_reports
from auditor.cache import Cache
from auditor.evidence.registry import Context
from auditor.model.report import EvidenceNote
from auditor.snapshot import read_tree
from tests.render import sample
from tests.support.repositories import from_texts

TREE = {"app.py": "import os\n\n\ndef home():\n    return os.environ['HOME']\n", "README.md": "# App\n"}


def key(root: Path, date: str = "2026-03-01", **changes: object) -> str | None:
    context = dataclasses.replace(Context(root, Cache(None), date), **changes)
    return stored_reports.key_of(context, read_tree(root), ())


def test_everything_a_report_depends_on_is_in_the_key(tmp_path: Path) -> None:
    root = from_texts(tmp_path / "tree", TREE)
    advisories = tmp_path / "advisories.zip"
    advisories.write_bytes(b"1")
    first = key(root)
    assert first == key(root)
    other_name = from_texts(tmp_path / "other", TREE)
    assert len({first, key(root, "2026-03-02"), key(other_name), key(root, advisories=advisories)}) == 4
    (root / "app.py").write_text(TREE["app.py"] + "\n")
    assert key(root) != first


def test_a_report_that_asked_the_network_is_not_kept(tmp_path: Path) -> None:
    assert key(from_texts(tmp_path, TREE), online=True) is None


def test_the_second_audit_gives_the_first_report_and_says_so(tmp_path: Path) -> None:
    root, said = from_texts(tmp_path / "tree", TREE), []
    first = audit(root, date="2026-03-01", cache_dir=tmp_path / "cache")
    second = audit(root, date="2026-03-01", cache_dir=tmp_path / "cache", progress=said.append)
    assert second == first
    assert "nothing has changed since the last audit" in said
    (root / "new.py").write_text("x = 1\n")
    assert audit(root, date="2026-03-01", cache_dir=tmp_path / "cache") != first


@pytest.mark.parametrize(
    "note",
    [
        EvidenceNote("semgrep", "semgrep", "", available=False, examined=0, unexamined=(), reason="it is not installed.", remedy=""),
        EvidenceNote("bandit", "bandit", "1", available=True, examined=3, unexamined=(("a.py", "timed out"),), reason="", remedy=""),
        EvidenceNote(
            "flows",
            "auditor",
            "1",
            available=True,
            examined=3,
            unexamined=(("a.py", "not followed in the time allowed"),),
            reason="",
            remedy="",
        ),
    ],
    ids=["missing tool", "time of one file", "time of all"],
)
def test_what_was_cut_short_is_not_kept(note: EvidenceNote, tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    report = dataclasses.replace(sample.rich(), evidence=(note,))
    stored_reports.save(cache, "k", report)
    assert stored_reports.load(cache, "k") is None
    stored_reports.save(cache, "k", dataclasses.replace(report, evidence=()))
    assert stored_reports.load(cache, "k") is not None


def test_a_damaged_entry_is_none(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.put_many({"k": b"\xc1 no report"})
    assert stored_reports.load(cache, "k") is None
