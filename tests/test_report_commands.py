"""The commands on stored reports: what they print, write and end with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from auditor.model.verdict import Verdict
from auditor.render.json_report import to_json
from tests.render.sample import build, outcome, rich
from tests.test_cli import auditor as run

ITEM = "resilience.outbound-timeouts"


@pytest.fixture
def reports(tmp_path: Path) -> tuple[Path, Path]:
    """An earlier report that passes, a later one that does not."""
    paths = tmp_path / "old.json", tmp_path / "new.json"
    for path, verdict in zip(paths, (Verdict.PASS, Verdict.FAIL), strict=True):
        path.write_bytes(to_json(build([outcome(ITEM, verdict, float(verdict is Verdict.FAIL), "Some.")])))
    return paths


def test_compare_says_writes_and_ends(reports: tuple[Path, Path], tmp_path: Path) -> None:
    old, new = reports
    page, data = tmp_path / "c.html", tmp_path / "c.json"
    done = run("compare", old, new, "--html", page, "--json", data)
    assert (done.returncode, done.stderr) == (0, "")
    assert "3 new" in done.stdout
    assert {change["state"] for change in json.loads(data.read_bytes())["changes"]} == {"new"}
    assert "New: 3" in page.read_text()
    assert run("compare", old, new, "--exit-code").returncode == 1
    assert run("compare", new, old, "--exit-code").returncode == 0
    assert run("compare", old, old, "--exit-code").returncode == 0


def test_compare_refuses_what_is_no_report(reports: tuple[Path, Path], tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    other.write_text('{"tool": "other", "schema": "1.0"}')
    for arguments, word in (((other, reports[0]), "'other'"), ((tmp_path / "none.json", reports[0]), "cannot read")):
        done = run("compare", *arguments)
        assert done.returncode == 2
        assert done.stderr.count("\n") == 1
        assert word in done.stderr


def test_render_puts_the_baseline_into_the_report(reports: tuple[Path, Path], tmp_path: Path) -> None:
    old, new = reports
    page, stored = tmp_path / "r.html", tmp_path / "r.json"
    assert run("render", new, "--baseline", old, "--html", page, "--json", stored).returncode == 0
    assert 'id="changes"' in page.read_text()
    again = tmp_path / "again.html"
    assert run("render", stored, "--html", again).returncode == 0
    assert again.read_bytes() == page.read_bytes()


def test_a_report_from_before_findings_could_be_recognised_is_refused(tmp_path: Path) -> None:
    data = json.loads(to_json(rich()))
    del data["before"]
    data["schema"] = "1.1"
    old = tmp_path / "old.json"
    old.write_text(json.dumps(data))
    assert run("render", old, "--terminal").returncode == 0
    done = run("compare", old, old)
    assert done.returncode == 2
    assert "audit that revision again" in done.stderr
