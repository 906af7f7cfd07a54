"""The built wheel works alone: rules and templates are inside, nothing needs the source tree."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.support.repositories import FIXTURES, from_fixture

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.wheel


def run(*command: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV", "PIP_TARGET"))}
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, cwd=cwd, env=clean, timeout=600)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of the working tree, built in isolation where an index is at hand and with the installed back end where not."""
    target = tmp_path_factory.mktemp("dist")
    for more in ((), ("--no-isolation",)):
        done = run(sys.executable, "-m", "build", "--wheel", "--outdir", target, *more, ROOT, cwd=target)
        if done.returncode == 0:
            break
    assert done.returncode == 0, done.stdout + done.stderr
    return next(target.glob("*.whl"))


def test_the_wheel_holds_rules_and_templates_and_no_tests(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    rules = {f"auditor/_data/rules/{path.relative_to(ROOT / 'rules').as_posix()}" for path in (ROOT / "rules").rglob("*.yaml")}
    assert rules <= set(names)
    assert any(name.startswith("auditor/_data/templates/") for name in names)
    assert "auditor/checklist.json" in names
    assert not [name for name in names if name.startswith(("tests/", "fixtures/"))]


def test_it_audits_with_the_source_out_of_the_way(wheel: Path, tmp_path: Path) -> None:
    """Its own environment; the dependencies, which the lock file fixes, come from this one through a path file."""
    home = tmp_path / "environment"
    assert run(sys.executable, "-m", "venv", "--without-pip", home, cwd=tmp_path).returncode == 0
    python = home / "bin" / "python"
    site = next(home.glob("lib/python3*/site-packages"))
    installed = run(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", site, wheel, cwd=tmp_path)
    assert installed.returncode == 0, installed.stderr
    here = next(path for path in map(Path, sys.path) if path.name == "site-packages")
    (site / "dependencies.pth").write_text(f"import sys; sys.path.append({str(here)!r})\n")
    where = run(python, "-c", "import auditor; print(auditor.__file__)", cwd=tmp_path)
    assert where.stdout.startswith(str(site)), where.stdout + where.stderr

    app = from_fixture(FIXTURES / "apps" / "bad-shop", tmp_path / "app")
    report = tmp_path / "report.json"
    page = tmp_path / "report.html"
    done = run(
        python,
        "-m",
        "auditor.cli",
        "audit",
        app,
        "--json",
        report,
        "--html",
        page,
        "--cache-dir",
        tmp_path / "cache",
        "--date",
        "2026-03-01",
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(report.read_bytes())
    assert result["score"]["letter"] in {"D", "E"}
    verdicts = {outcome["id"]: outcome["verdict"] for outcome in result["outcomes"]}
    assert verdicts["security.sql-parameterised"] == "fail"
    available = {note["need"]: note["available"] for note in result["evidence"]}
    assert available["semgrep"]
    assert available["bandit"]
    assert "<html" in page.read_text()
