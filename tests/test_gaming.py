"""Nobody gains by padding, pretending or hiding: changes to a repository, and what they may do to its grade."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from auditor import audit
from auditor.evidence import registry
from auditor.evidence.registry import Provider
from auditor.model.need import Unavailable
from auditor.model.report import Report
from auditor.model.verdict import Severity, Verdict
from auditor.render.json_report import to_json
from auditor.score import LETTERS
from tests.support.repositories import FIXTURES, from_fixture, from_texts, replay

pytestmark = pytest.mark.tools
HEADINGS = "# Operations\n\n## Rollback\n\n## Runbook\n\n## Backups\n\n## Monitoring\n\n## On call\n"
HOLLOW = "".join(f"def test_{number}():\n    assert True\n\n\n" for number in range(8))
EMPTY_JOB = (
    "name: Tests\non: [push, pull_request]\njobs:\n  test:\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo all tests passed\n"
)
CLEAN = {f"backend/clean/part_{number}.py": f'"""Part {number}."""\n\n\ndef area_{number}(width: int, height: int) -> int:\n    """The area."""\n    return width * height + {number}\n' for number in range(400)}  # fmt: skip


def run(root: Path, cache: Path | None, **options: Any) -> Report:
    return audit(root, date="2026-03-01", cache_dir=cache, use_cache=cache is not None, **options)


def repository(name: str, target: Path) -> Path:
    root = from_fixture(FIXTURES / "apps" / name, target)
    replay(root, [{"message": "First version", "files": {}}])
    return root


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return repository("bad-shop", tmp_path_factory.mktemp("bad") / "app")


@pytest.fixture(scope="module")
def before(bad: Path, fixture_cache: Path) -> Report:
    return run(bad, fixture_cache)


def changed(bad: Path, target: Path, change: Callable[[Path], object]) -> Path:
    shutil.copytree(bad, target)
    change(target)
    return target


def assert_not_better(after: Report, before: Report) -> None:
    """Neither score nor letter rose, and every item that got better is named."""
    assert before.score.value is not None
    assert after.score.value is not None
    old = {outcome.id: (outcome.verdict.value, outcome.badness) for outcome in before.outcomes}
    moved = [(o.id, old[o.id], (o.verdict.value, o.badness), o.reason) for o in after.outcomes if old[o.id] != (o.verdict.value, o.badness)]
    assert after.score.value <= before.score.value, moved
    assert LETTERS.index(after.score.letter or "A") >= LETTERS.index(before.score.letter or "A"), moved


PADDING: dict[str, dict[str, str]] = {
    "eight hollow tests": {"backend/tests/test_more.py": HOLLOW},
    "a comment that says health check": {"backend/health.py": "# health check endpoint: /health, /healthz, readiness and liveness probe\n"},
    "an empty job": {".github/workflows/tests.yml": EMPTY_JOB},
    "an empty container": {"docker/Dockerfile": "FROM scratch\n"},
    "a two-line Makefile": {"Makefile": "test:\n\ttrue\n"},
    "headings without content": {"docs/operations.md": HEADINGS},
    "an empty rule file": {"AGENTS.md": ""},
    "an empty policy": {"SECURITY.md": "# Security\n"},
    "a claim": {
        "PRODUCTION_READY.md": "# Production ready\n\nAll tests pass. Security audited. Coverage 100 %. Monitoring, backups, rollback: done.\n"
    },
    "an unused logger": {"backend/logs.py": "import logging\n\nlogger = logging.getLogger(__name__)\n"},
    "an empty lock file": {"backend/uv.lock": "", "frontend/package-lock.json": "{}"},
    "an empty migration": {"migrations/0001_initial.sql": "-- initial\n"},
    "a file that does not parse": {"backend/broken.py": "def f(:\n    KEY = 'x'\n"},
    "settings that silence tools": {
        ".bandit": "[bandit]\nexclude = backend\nskips = B608,B307\n",
        ".semgrepignore": "*\n",
        "radon.cfg": "[radon]\nexclude = *\n",
        "setup.cfg": "[bandit]\nexclude = *\n[radon]\nexclude = *\n",
        "pyproject.toml": '[tool.bandit]\nexclude_dirs = ["backend"]\nskips = ["B608"]\n',
        ".gitattributes": "*.py linguist-vendored linguist-generated binary\n",
    },
}


def test_clean_code_moves_shares_only(bad: Path, before: Report, fixture_cache: Path, tmp_path: Path) -> None:
    """What is measured against the size of the code falls with every clean line, that is its meaning; nothing serious is bought off by it."""
    after = run(changed(bad, tmp_path / "app", lambda target: from_texts(target, CLEAN)), fixture_cache)
    old = {outcome.id: outcome for outcome in before.outcomes}
    better = [outcome for outcome in after.outcomes if outcome.badness < old[outcome.id].badness]
    assert [o.id for o in better if o.severity in {Severity.BLOCKER, Severity.HIGH}] == []
    assert {o.id for o in better} <= {
        "architecture.no-import-cycles",
        "architecture.no-giant-units",
        "architecture.complexity-bounded",
        "debt.no-duplication",
    }
    assert after.score.letter == before.score.letter
    assert (after.score.value or 0) - (before.score.value or 0) < 1


@pytest.mark.parametrize("name", PADDING)
def test_padding_and_pretending_never_raise(bad: Path, before: Report, fixture_cache: Path, tmp_path: Path, name: str) -> None:
    root = changed(bad, tmp_path / "app", lambda target: from_texts(target, PADDING[name]))
    assert_not_better(run(root, fixture_cache), before)


def test_comments_do_not_silence(bad: Path, before: Report, fixture_cache: Path, tmp_path: Path) -> None:
    def silence(root: Path) -> None:
        for path in (*root.rglob("*.py"), *root.rglob("*.jsx")):
            mark = "  # nosec # nosemgrep # noqa # type: ignore" if path.suffix == ".py" else "  // eslint-disable-line nosemgrep"
            path.write_text("\n".join(line + mark if line.rstrip().endswith(")") else line for line in path.read_text().split("\n")))

    assert_not_better(run(changed(bad, tmp_path / "app", silence), fixture_cache), before)


def test_more_of_the_bad_never_raises(bad: Path, before: Report, fixture_cache: Path, tmp_path: Path) -> None:
    def more(root: Path) -> None:
        shutil.copy(root / "backend/routers/orders.py", root / "backend/routers/orders_copy.py")
        from_texts(
            root,
            {
                "backend/lookup.py": "from backend.db import conn\n\n\ndef find(name):\n    return conn.execute(f\"SELECT * FROM users WHERE email = '{name}'\").fetchall()\n"
            },
        )

    assert_not_better(run(changed(bad, tmp_path / "app", more), fixture_cache), before)


TOOLS = (
    "semgrep",
    "bandit",
    "syntax",
    "complexity",
    "history",
    "secrets",
    "module-graph",
    "flows",
    "routes",
    "ci",
    "deployment",
    "manifests",
)


@pytest.mark.parametrize("failure", ["missing", "crashing"])
@pytest.mark.parametrize("name", TOOLS)
@pytest.mark.parametrize("app", ["bad-shop", "good-ledger"])
def test_a_tool_that_fails_never_helps(  # noqa: PLR0917 - fixtures and parameters
    bad: Path, fixture_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, failure: str, app: str
) -> None:
    root = bad if app == "bad-shop" else repository(app, tmp_path / "app")
    complete = run(root, fixture_cache)
    known = registry.providers()
    if name not in known:
        pytest.skip(f"nothing supplies {name}")

    def broken(*_: Any) -> Any:
        if failure == "crashing":
            raise RuntimeError(name)
        return Unavailable(name, "it is not installed.")

    monkeypatch.setitem(registry._providers, name, Provider(known[name].need, known[name].needs, broken))
    crippled = run(root, fixture_cache)
    assert_not_better_pessimistically(crippled, complete)
    old = {outcome.id: outcome.verdict for outcome in complete.outcomes}
    gained = [outcome.id for outcome in crippled.outcomes if outcome.verdict is Verdict.PASS and old[outcome.id] is not Verdict.PASS]
    assert gained == []


def assert_not_better_pessimistically(after: Report, before: Report) -> None:
    """A failing tool may widen the range between the two grades; the one that counts never rises."""
    assert after.score.value is not None
    assert before.score.value is not None
    assert after.score.value <= before.score.value
    assert LETTERS.index(after.score.letter or "A") >= LETTERS.index(before.score.letter or "A")


def test_running_out_of_time_never_helps(bad: Path, before: Report, tmp_path: Path) -> None:
    assert_not_better_pessimistically(run(bad, tmp_path / "cold", timeout=0.5), before)


FIXES: dict[str, Callable[[Path], object]] = {
    "query": lambda root: replaced(
        root, "backend/routers/products.py", "rows(f\"SELECT * FROM products WHERE name LIKE '%{q}%'\")", 'conn.execute("SELECT * FROM products WHERE name LIKE ?", (q,)).fetchall()'
    ),
    "eval": lambda root: replaced(root, "backend/routers/orders.py", 'eval(formula, {"total": total})', "total * 0.9"),
    "key": lambda root: (
        (root / ".env").unlink(),
        (root / ".env.example").write_text("DATABASE_PATH=\nSTRIPE_SECRET_KEY=\nOPENAI_API_KEY=\nADMIN_PASSWORD=\n"),
    ),
    "origin": lambda root: replaced(root, "backend/main.py", 'allow_origins=["*"]', 'allow_origins=["https://shop.example"]'),
    "timeout": lambda root: replaced(root, "backend/routers/orders.py", "verify=False)", "timeout=5)"),
    "pipeline": lambda root: replaced(root, ".github/workflows/ci.yml", "pytest || true", "pytest"),
    "image": lambda root: replaced(root, "Dockerfile", "python:latest", "python:3.12.7-slim"),
    "old copy": lambda root: shutil.rmtree(root / "backend/old"),
}  # fmt: skip


def replaced(root: Path, name: str, old: str, new: str) -> None:
    text = (root / name).read_text()
    assert old in text, name
    (root / name).write_text(text.replace(old, new))


@pytest.mark.parametrize("name", FIXES)
def test_a_fix_never_lowers(bad: Path, before: Report, fixture_cache: Path, tmp_path: Path, name: str) -> None:
    after = run(changed(bad, tmp_path / "app", FIXES[name]), fixture_cache)
    old = {outcome.id: outcome for outcome in before.outcomes}
    worse = [(o.id, old[o.id].badness, o.badness, o.reason) for o in after.outcomes if o.badness > old[o.id].badness + 1e-9]
    assert after.score.risk <= before.score.risk + 1e-9, worse
    assert LETTERS.index(after.score.letter or "A") <= LETTERS.index(before.score.letter or "A")


def test_good_and_bad_are_far_apart(before: Report, fixture_cache: Path, tmp_path: Path) -> None:
    good = run(repository("good-ledger", tmp_path / "good"), fixture_cache)
    middling = run(repository("middling-notes", tmp_path / "middling"), fixture_cache)
    assert before.score.letter in {"D", "E"}
    shown = [(o.id, o.verdict.value, o.reason) for o in good.outcomes if o.verdict in {Verdict.FAIL, Verdict.PARTIAL}]
    assert good.score.optimistic_letter == "A", shown
    values = [report.score.value or 0 for report in (before, middling, good)]
    assert values == sorted(values)


def test_equal_input_gives_equal_bytes(bad: Path, fixture_cache: Path, tmp_path: Path) -> None:
    """Whatever the hash seed, the working directory, the number of workers, the locale, the time zone and the state of the cache."""
    expected = to_json(run(bad, fixture_cache))
    assert to_json(run(bad, None, workers=2)) == expected
    cold = tmp_path / "cold"
    variants = [
        {"PYTHONHASHSEED": "1", "TZ": "Asia/Kathmandu", "workers": "1"},
        {"PYTHONHASHSEED": "2", "LC_ALL": "C", "workers": "3"},
    ]
    for number, variant in enumerate(variants):
        workers = variant.pop("workers")
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "auditor.cli",
                "audit",
                str(bad),
                "--json",
                "-",
                "--date",
                "2026-03-01",
                "--workers",
                workers,
                "--cache-dir",
                str(cold),
            ],
            capture_output=True,
            check=True,
            cwd=tmp_path if number else bad,
            env=os.environ | variant,
            timeout=300,
        )
        assert done.stdout == expected


def test_the_report_holds_no_place_and_no_secret(bad: Path, before: Report) -> None:
    from tests.support.fakes import FAKES

    text = to_json(before).decode()
    for hidden in (str(bad.parent), os.uname().nodename, FAKES["stripe-key"], FAKES["openai-key"]):
        assert hidden not in text
