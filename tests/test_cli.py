"""The command line: exit codes, one clear line for every mistake, what goes to stdout and what to stderr."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from auditor import __version__
from tests.support.repositories import from_texts

ITEM = "security.sql-parameterised"
REPOSITORY = {
    "app/main.py": "import sqlite3\n\n\ndef names(db):\n    return db.execute('SELECT name FROM people').fetchall()\n",
    "README.md": "# App\n",
}


def auditor(*arguments: object, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "auditor.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env=os.environ | {"NO_COLOR": "1"} | environment,
        timeout=120,
    )


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return from_texts(tmp_path / "app", REPOSITORY)


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory, fixture_cache: Path) -> Path:
    """A JSON report of a small audit."""
    folder = tmp_path_factory.mktemp("stored")
    root = from_texts(folder / "app", REPOSITORY)
    target = folder / "report.json"
    done = auditor("audit", root, "--only", ITEM, "--json", target, "--date", "2026-01-02", "--cache-dir", fixture_cache)
    assert done.returncode == 0, done.stderr
    return target


def complains(done: subprocess.CompletedProcess[str], *words: str) -> None:
    lines = done.stderr.strip().split("\n")
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("auditor: ")
    for word in words:
        assert word in lines[0]
    assert done.stdout == ""


def test_the_report_is_complete_and_names_its_date(stored: Path) -> None:
    report = json.loads(stored.read_bytes())
    assert (report["date"], report["tool"], report["version"]) == ("2026-01-02", "auditor", __version__)
    assert [outcome["id"] for outcome in report["outcomes"]] == [ITEM]
    assert report["outcomes"][0]["verdict"] == "pass"
    assert report["score"]["no_grade"] == "only selected items were judged"


def test_json_on_stdout_is_nothing_but_json(repository: Path, fixture_cache: Path) -> None:
    done = auditor("audit", repository, "--only", ITEM, "--json", "-", "--cache-dir", fixture_cache, "--progress")
    assert json.loads(done.stdout)["outcomes"]
    assert "reading the tree" in done.stderr


def test_quiet_is_one_line(repository: Path, fixture_cache: Path) -> None:
    done = auditor("audit", repository, "--only", ITEM, "--quiet", "--cache-dir", fixture_cache)
    assert (done.returncode, done.stdout.count("\n"), done.stderr) == (0, 1, "")


def test_render_gives_the_same_from_a_stored_report(stored: Path, tmp_path: Path) -> None:
    done = auditor("render", stored)
    assert done.returncode == 0
    assert "app" in done.stdout
    page = tmp_path / "report.html"
    assert auditor("render", stored, "--html", page).returncode == 0
    assert page.read_text().startswith("<!doctype html>")
    short = tmp_path / "short.html"
    assert auditor("render", stored, "--html", short, "--edition", "executive").returncode == 0
    assert "executive edition" in short.read_text()
    assert short.stat().st_size < page.stat().st_size


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["audit", "missing"], ["does not exist"]),
        (["audit", "file"], ["not a directory"]),
        (["audit", ".", "--date", "tomorrow"], ["YYYY-MM-DD"]),
        (["audit", ".", "--timeout", "0"], ["--timeout"]),
        (["audit", ".", "--workers", "0"], ["--workers"]),
        (["audit", ".", "--advisories", "missing.zip"], ["missing.zip"]),
        (["audit", ".", "--only", "security.sql-parametrised"], ["did you mean security.sql-parameterised"]),
        (["audit", ".", "--json", "no/such/folder/x.json"], ["no/such/folder"]),
        (["explain", "sql-parameterised"], ["security.sql-parameterised"]),
        (["explain", "zzz"], ["auditor checks"]),
        (["render", "missing.json"], ["missing.json"]),
        (["audit", ".", "--interview", "missing.yml"], ["missing.yml"]),
        (["interview", "file"], ["auditor interview FILE"]),
        (["render", "file"], ["file"]),
        (["audit", ".", "--edition", "short"], ["full or executive"]),
        (["render", "file", "--edition", "short"], ["full or executive"]),
    ],
)
def test_wrong_use_is_one_clear_line_and_exit_code_2(tmp_path: Path, arguments: list[str], words: list[str]) -> None:
    (tmp_path / "file").write_text("{}")
    (tmp_path / "a.py").write_text("x = 1\n")
    done = auditor(*arguments, cwd=tmp_path)
    assert done.returncode == 2, done
    complains(done, *words)


def test_unknown_options_are_wrong_use() -> None:
    assert auditor("audit", ".", "--frobnicate").returncode == 2


def test_nothing_to_audit_is_exit_code_4(tmp_path: Path, fixture_cache: Path) -> None:
    done = auditor("audit", tmp_path)
    assert done.returncode == 4
    complains(done, "nothing to audit")
    (tmp_path / "README.md").write_text("# only words\n")
    assert auditor("audit", tmp_path, "--only", ITEM, "--cache-dir", fixture_cache).returncode == 4


def test_a_defect_of_ours_is_exit_code_5_and_one_line(tmp_path: Path, repository: Path) -> None:
    broken = from_texts(
        tmp_path / "site",
        {
            "sitecustomize.py": "import auditor.engine\n\n\ndef audit(*_, **__):\n    raise RuntimeError('boom')\n\n\nauditor.engine.audit = audit\n"
        },
    )
    done = auditor("audit", repository, PYTHONPATH=str(broken))
    assert done.returncode == 5
    complains(done, "internal error (RuntimeError: boom)", "--debug")
    assert "Traceback" in auditor("audit", repository, "--debug", PYTHONPATH=str(broken)).stderr


def test_hostile_names_do_not_reach_the_terminal_raw(tmp_path: Path) -> None:
    done = auditor("audit", tmp_path / "a\x1b[2Jb")
    assert "\x1b" not in done.stderr


def test_explain_checks_and_doctor(tmp_path: Path) -> None:
    text = auditor("explain", ITEM).stdout
    assert "outside values" in text
    listed = json.loads(auditor("checks", "--json").stdout)
    assert len(listed) == 105
    assert ITEM in auditor("checks").stdout
    done = auditor("doctor")
    assert done.returncode == 0
    assert all(tool in done.stdout for tool in ("semgrep", "bandit", "radon", "pip-audit"))
    assert auditor("--version").stdout == f"auditor {__version__}\n"


def test_an_interview_is_written_checked_and_weighed(stored: Path, tmp_path: Path) -> None:
    form = tmp_path / "interview.yml"
    assert "questions to fill in" in auditor("interview", form).stdout
    form.write_text(
        form.read_text().replace("who: ", "who: Ada").replace("date: ", "date: 2026-02-01").replace("answer:\n", "answer: no\n", 1)
    )
    assert "1 answered, 18 open" in auditor("interview", form).stdout
    again = tmp_path / "again.json"
    assert auditor("render", stored, "--interview", form, "--json", again).returncode == 0
    said = json.loads(again.read_text())["interview"]["statements"][0]
    assert (said["answer"], said["who"], said["date"]) == ("no", "Ada", "2026-02-01")


def test_a_reader_that_goes_away_is_no_error(stored: Path) -> None:
    done = subprocess.run(
        f"{sys.executable} -m auditor.cli render {stored} | head -c 1", shell=True, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_time_limit_makes_items_unknown_and_is_kept(repository: Path, tmp_path: Path) -> None:
    started = time.monotonic()
    done = auditor("audit", repository, "--only", ITEM, "--timeout", "0.001", "--json", "-", "--cache-dir", tmp_path / "cache")
    assert done.returncode == 0
    assert time.monotonic() - started < 60
    outcome = json.loads(done.stdout)["outcomes"][0]
    assert outcome["verdict"] == "unknown"
    assert "time limit" in outcome["reason"]


def test_help_is_quick() -> None:
    auditor("--help")
    started = time.monotonic()
    assert auditor("--help").returncode == 0
    assert time.monotonic() - started < 20


def test_nothing_is_written_into_the_audited_tree(repository: Path, fixture_cache: Path) -> None:
    before = sorted(str(path) for path in repository.rglob("*"))
    auditor("audit", repository, "--only", ITEM, "--cache-dir", fixture_cache, cwd=repository)
    assert sorted(str(path) for path in repository.rglob("*")) == before


def children(process: int) -> list[int]:
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == process:
            found.append(int(status.parent.name))
    return found + [grandchild for child in found for grandchild in children(child)]


@pytest.mark.tools
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux's /proc")
def test_an_interrupt_ends_everything_at_once(tmp_path: Path) -> None:
    root = from_texts(
        tmp_path / "app", {f"app/m{number}.py": "import os\n\n\ndef f(x):\n    os.system(x)\n" * 300 for number in range(150)}
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "auditor.cli", "audit", str(root), "--no-cache"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    tools: list[int] = []
    deadline = time.monotonic() + 60
    while not tools and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)
        tools = children(process.pid)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=15)
    assert process.returncode == 130
    assert errors.strip().split("\n")[-1] == "auditor: interrupted"
    time.sleep(1)
    left = [
        tool
        for tool in tools
        if Path(f"/proc/{tool}").exists() and "Z" not in Path(f"/proc/{tool}/stat").read_text().rpartition(")")[2].split()[0]
    ]
    assert left == []
