"""`auditor gate` and `auditor baseline` through the real command line: exit codes, the file, the history, the configuration."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pygit2
import pytest

from tests.support.repositories import from_texts, replay
from tests.test_cli import auditor, complains

SQL, DEBUG = "security.sql-parameterised", "security.debug-off"
HEAD = "import os\nimport sqlite3\n\nfrom fastapi import FastAPI\n\napp = FastAPI()\n"
BAD = '\n\n@app.get("/{0}")\ndef {0}(name: str):\n    db = sqlite3.connect(os.environ["DB"])\n    return db.execute("SELECT * FROM {0} WHERE name = \'" + name + "\'").fetchall()\n'
GOOD = '\n\n@app.get("/{0}")\ndef {0}(name: str):\n    db = sqlite3.connect(os.environ["DB"])\n    return db.execute("SELECT * FROM {0} WHERE name = ?", (name,)).fetchall()\n'
OLD = HEAD + BAD.format("people")
NAME = "auditor-baseline.txt"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with one old finding, in git."""
    folder = from_texts(tmp_path / "app", {"app/main.py": OLD, "README.md": "# App\n"})
    replay(folder, [{"message": "start"}])
    return folder


@pytest.fixture
def run(root: Path, fixture_cache: Path):
    def start(word: str, *arguments: object) -> subprocess.CompletedProcess[str]:
        return auditor(word, root, "--only", SQL, "--cache-dir", fixture_cache, "--date", "2026-06-01", *arguments)

    return start


def commit(root: Path, texts: dict[str, str]) -> str:
    from_texts(root, texts)
    repository = pygit2.Repository(str(root))
    repository.index.add_all()
    repository.index.write()
    person = pygit2.Signature("One", "one@example.org", 1_780_000_000, 0)
    parents = [repository.head.target]
    return str(repository.create_commit("HEAD", person, person, "change", repository.index.write_tree(), parents))


def test_the_way_of_a_new_user(root: Path, run) -> None:
    assert run("gate").returncode == 1
    done = run("baseline")
    assert (done.returncode, done.stdout) == (0, f"{root / NAME}: 1 finding of 1 item accepted as they stand\n")
    passed = run("gate", "--quiet")
    assert (passed.returncode, passed.stdout) == (0, f"Gate passed: nothing new that counts (standard, against {NAME})\n")

    from_texts(root, {"app/new.py": HEAD + BAD.format("towns")})
    failed = run("gate")
    assert failed.returncode == 1
    assert failed.stdout.splitlines()[0] == f"Gate failed: 1 new blocker finding; first {SQL} in app/new.py:12 (standard, against {NAME})"
    assert "app/main.py" not in failed.stdout

    from_texts(root, {"app/new.py": HEAD + GOOD.format("towns")})
    assert run("gate").returncode == 0


def test_a_baseline_is_pruned_and_takes_nothing_in_unasked(root: Path, run) -> None:
    run("baseline")
    before = (root / NAME).read_text()
    (root / "app/main.py").rename(root / "app/renamed.py")
    from_texts(root, {"app/new.py": HEAD + BAD.format("towns")})
    assert "1 finding kept, 0 gone and taken out; 1 new not taken in" in run("baseline").stdout
    assert (root / NAME).read_text() == before.replace("app/main.py", "app/renamed.py")
    assert "2 findings of 1 item accepted" in run("baseline", "--accept").stdout
    (root / "app/renamed.py").unlink()
    assert "1 finding kept, 1 gone" in run("baseline").stdout


def test_moved_renamed_and_reformatted_code_is_not_new(root: Path, run) -> None:
    run("baseline")
    text = OLD.replace('db.execute("SELECT', 'db.execute(\n        "SELECT').replace('"\'").fetchall()', '"\'",\n    ).fetchall()')
    (root / "app/main.py").unlink()
    from_texts(root, {"service/db.py": "# moved\n\n" + text})
    done = run("gate")
    assert done.returncode == 0, done.stdout


def test_what_is_wrong_is_one_line_and_exit_code_2(root: Path, run) -> None:
    for arguments, words in (
        (["--baseline", "missing.txt"], ["missing.txt", "auditor baseline"]),
        (["--profile", "strict"], ["experimental, standard, critical"]),
        (["--changed-since", "no-such-branch"], ["no-such-branch", "fetch"]),
        (["--config", "missing.toml"], ["missing.toml"]),
    ):
        done = run("gate", *arguments)
        assert done.returncode == 2, done
        complains(done, *words)
    (root / "auditor.toml").write_text("profle = 'standard'\n")
    for word in ("gate", "baseline"):
        done = run(word)
        assert done.returncode == 2
        complains(done, "auditor.toml", "did you mean 'profile'")


def test_a_baseline_of_another_model_is_exit_code_3(root: Path, run) -> None:
    run("baseline")
    path = root / NAME
    path.write_text(path.read_text().replace("\nmodel ", "\nmodel 0"))
    done = run("gate")
    assert done.returncode == 3
    assert "cannot say" in done.stdout.splitlines()[0]
    assert "score model" in done.stdout
    again = run("baseline")
    assert again.returncode == 2
    complains(again, "--accept")


def test_nothing_to_audit_is_exit_code_4(tmp_path: Path, fixture_cache: Path) -> None:
    folder = from_texts(tmp_path / "words", {"README.md": "# words\n"})
    assert auditor("gate", folder, "--only", SQL, "--cache-dir", fixture_cache).returncode == 4


def test_a_change_is_compared_with_the_revision_it_began_at(root: Path, run) -> None:
    repository = pygit2.Repository(str(root))
    repository.branches.local.create("start", repository.head.peel())
    commit(root, {"app/new.py": HEAD + BAD.format("towns")})
    failed = run("gate", "--changed-since", "start")
    assert failed.returncode == 1, failed
    assert failed.stdout.splitlines()[0].endswith("(standard, against an audit of start, changed since start)")
    assert "app/new.py:12" in failed.stdout
    assert "app/main.py:" not in failed.stdout

    commit(root, {"app/new.py": HEAD + GOOD.format("towns"), "app/main.py": "# a word\n" + OLD})
    assert run("gate", "--changed-since", "start").returncode == 0
    from_texts(root, {"app/uncommitted.py": HEAD + BAD.format("streets")})
    assert run("gate", "--changed-since", "start").returncode == 1


def test_a_change_loosens_neither_its_baseline_nor_its_settings_nor_its_findings(root: Path, run) -> None:
    run("baseline")
    start = commit(root, {})
    bad = HEAD + BAD.format("towns").replace("    return", f"    # auditor: ignore[{SQL}] it is fine\n    return")
    commit(root, {"app/new.py": bad, "auditor.toml": f'[off]\n"{SQL}" = "not today"\n'})
    assert run("gate").returncode == 0
    accepted = run("baseline", "--accept")
    assert accepted.returncode == 0
    commit(root, {})
    done = run("gate", "--changed-since", start)
    assert done.returncode == 1, done.stdout
    assert f"{NAME} of {start}" in done.stdout
    assert "it came with this change" in done.stdout
    assert "the configuration is new in this change" in done.stderr


def test_an_audit_lists_suppressions_and_settings_and_obeys_neither(root: Path, run, tmp_path: Path) -> None:
    from_texts(
        root,
        {
            "app/main.py": OLD.replace("    return db", f"    # auditor: ignore[{SQL}] it is fine\n    return db"),
            "auditor.toml": f'[paths]\nexclude = ["app/main.py"]\n[off]\n"{SQL}" = "not today"\n',
            "app/other.py": "import app.main\n",
        },
    )
    target = tmp_path / "report.json"
    assert run("audit", "--json", target).returncode == 0
    report = json.loads(target.read_bytes())
    assert report["outcomes"][0]["verdict"] == "fail"
    assert [(one["item"], one["path"], one["line"]) for one in report["suppressions"]] == [(SQL, "app/main.py", 13)]
    assert report["configuration"].startswith("auditor.toml of the repository was not used")
    assert report["gate"] is None

    assert run("gate", "--json", target).returncode == 0
    report = json.loads(target.read_bytes())
    assert report["configuration"].startswith("auditor.toml was used: 1 file left out by its paths")
    assert report["gate"]["standing"] == "passed"


def test_an_audit_uses_the_settings_it_is_pointed_to(root: Path, run, tmp_path: Path) -> None:
    settings = tmp_path / "mine.toml"
    settings.write_text('[paths]\nexclude = ["app/"]\n')
    target = tmp_path / "report.json"
    assert run("audit", "--json", target, "--config", settings).returncode in {0, 4}
    assert json.loads(target.read_bytes())["outcomes"][0]["verdict"] != "fail"


def test_a_gate_writes_every_output_before_it_answers(root: Path, run, tmp_path: Path) -> None:
    names = {
        "html": "h.html",
        "json": "r.json",
        "sarif": "s.json",
        "junit": "j.xml",
        "gitlab": "g.json",
        "markdown": "c.md",
        "summary": "s.md",
        "csv": "r.csv",
    }
    options = [part for option, name in names.items() for part in (f"--{option}", tmp_path / name)]
    (tmp_path / "s.md").write_text("# Before\n")
    done = run("gate", *options, "--badge", tmp_path / "b.svg", "--annotations", "--quiet")
    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith(f"::error file=app/main.py,line=12,title=blocker%3A {SQL}::")
    assert done.stdout.splitlines()[-1].startswith("Gate failed")
    assert all((tmp_path / name).stat().st_size for name in (*names.values(), "b.svg"))
    assert (tmp_path / "s.md").read_text().startswith("# Before\n<!-- auditor -->\n**Gate failed")
    assert json.loads((tmp_path / "s.json").read_bytes())["runs"][0]["results"][0]["baselineState"] == "new"

    again = auditor("render", tmp_path / "r.json", "--markdown", tmp_path / "again.md", "--severity", "high", "--category", "security")
    assert again.returncode == 0, again.stderr
    assert SQL not in (tmp_path / "again.md").read_text().replace("first security", "")
    complains(auditor("render", tmp_path / "r.json", "--severity", "hihg"), "did you mean 'high'")
    complains(auditor("render", tmp_path / "r.json", "--category", "secrits"), "did you mean 'secrets'")
