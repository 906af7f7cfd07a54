"""What pipelines include: schemas of the files, and the scripts of the action run against the real program and a stand-in for GitHub."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from tests.support.repositories import from_texts, replay

ROOT = Path(__file__).parents[1]
PINNED = re.compile(r"^[\w./-]+@[0-9a-f]{40}$")
CODE = {
    "app/main.py": "import sqlite3\n\n\ndef names(db, name):\n    return db.execute('SELECT name FROM people').fetchall()\n",
    "README.md": "# App\n",
}


def loaded(path: str) -> Any:
    return YAML(typ="safe").load((ROOT / path).read_text())


def published(name: str) -> dict[str, Any]:
    """A schema that check-jsonschema carries."""
    package = importlib.util.find_spec("check_jsonschema")
    if package is None or package.origin is None:
        pytest.skip("check-jsonschema is not installed")
    return json.loads((Path(package.origin).parent / "builtin_schemas" / "vendor" / f"{name}.json").read_text())


@pytest.mark.parametrize(("path", "schema"), [("action.yml", "github-actions"), ("integrations/gitlab/auditor.yml", "gitlab-ci")])
def test_files_follow_the_schema_of_their_service(path: str, schema: str) -> None:
    wanted = published(schema)
    jsonschema.validators.validator_for(wanted)(wanted).validate(loaded(path))


def test_every_action_is_pinned_and_no_input_reaches_a_shell() -> None:
    steps = loaded("action.yml")["runs"]["steps"]
    assert all(PINNED.match(step["uses"]) for step in steps if "uses" in step)
    assert not any("${{" in step.get("run", "") for step in steps)
    assert all(step.get("shell") == "bash" for step in steps if "run" in step)


def test_the_action_names_inputs_outputs_and_scripts_that_exist() -> None:
    action = loaded("action.yml")
    text = (ROOT / "action.yml").read_text()
    assert set(re.findall(r"inputs\.([\w-]+)", text)) == set(action["inputs"])
    script = (ROOT / "integrations/github/gate.sh").read_text()
    for name in re.findall(r"steps\.gate\.outputs\.([\w-]+)", text):
        assert f"{name}=" in script
    for path in re.findall(r"\$ACTION/([\w./-]+\.sh)", text):
        assert (ROOT / path).is_file()


def test_the_container_is_pinned_and_runs_without_rights() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    assert all(re.search(r"@sha256:[0-9a-f]{64}", line) for line in lines if line.startswith("FROM"))
    assert any(re.fullmatch(r"USER [1-9]\d+", line) for line in lines)
    assert "--require-hashes" in "\n".join(lines)
    for line in lines:
        if line.startswith("COPY ") and "--from" not in line:
            assert all((ROOT / source).exists() for source in line.split()[1:-1])


def test_the_hook_has_what_pre_commit_asks_for() -> None:
    (hook,) = loaded(".pre-commit-hooks.yaml")
    assert {"id", "name", "entry", "language"} <= set(hook)
    assert hook["pass_filenames"] is False


@pytest.mark.parametrize(
    "command",
    [
        ["shellcheck", "integrations/github/gate.sh", "integrations/github/comment.sh"],
        ["zizmor", "--offline", "--quiet", "action.yml", ".github/workflows"],
    ],
    ids=lambda command: command[0],
)
def test_linters_have_nothing_to_say(command: list[str]) -> None:
    beside = Path(sys.executable).parent / command[0]
    found = str(beside) if beside.exists() else shutil.which(command[0])
    if found is None:
        pytest.skip(f"{command[0]} is not installed")
    done = subprocess.run([found, *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def program(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def script(name: str, **environment: object) -> subprocess.CompletedProcess[str]:
    given = {key: str(value) for key, value in environment.items()}
    return subprocess.run(
        ["bash", str(ROOT / "integrations/github" / name)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env=os.environ | {"GITHUB_BASE_REF": ""} | given,
    )


@pytest.mark.parametrize(("bad", "result"), [(False, "passed"), (True, "failed")])
def test_the_script_of_the_action_leaves_every_report_and_its_result(
    tmp_path: Path, fixture_cache: Path, *, bad: bool, result: str
) -> None:
    text = (
        CODE["app/main.py"].replace("'SELECT name FROM people'", "'SELECT * FROM people WHERE name = ' + input()")
        if bad
        else CODE["app/main.py"]
    )
    root = from_texts(tmp_path / "app", CODE | {"app/main.py": text})
    replay(root, [{"message": "start"}])
    store = tmp_path / "no-store"
    wrapper = f'#!/bin/sh\n[ "$1" = gate ] || exit 6\nexec {sys.executable} -m auditor.cli "$@" --only security.sql-parameterised\n'
    output, summary, reports = tmp_path / "output", tmp_path / "summary", tmp_path / "reports"
    done = script(
        "gate.sh",
        AUDITOR=program(tmp_path / "bin", "auditor", wrapper),
        CACHE=fixture_cache,
        REPORTS=reports,
        GATE_PATH=root,
        GITHUB_OUTPUT=output,
        GITHUB_STEP_SUMMARY=summary,
    )
    assert done.returncode == 0, done.stderr
    assert not store.exists()
    assert "::warning title=auditor::known vulnerabilities could not be fetched" in done.stdout
    told = dict(line.split("=", 1) for line in output.read_text().splitlines())
    assert told["result"] == result
    assert told["sentence"].startswith(f"Gate {result}")
    assert {path.name for path in reports.iterdir()} >= {
        "auditor.html",
        "auditor.json",
        "auditor.sarif",
        "auditor-junit.xml",
        "auditor-register.csv",
    }
    assert summary.read_text().startswith("<!-- auditor -->")
    assert ("::error file=app/main.py" in done.stdout) is bad


GH = """#!{python}
import json, pathlib, sys
log = pathlib.Path({log!r})
if "--method" in sys.argv:
    log.write_text(log.read_text() + " ".join(sys.argv[1:]) + "\\n" if log.exists() else " ".join(sys.argv[1:]) + "\\n")
else:
    assert "startswith" in sys.argv[-1]
    print({found!r}, end="")
"""


@pytest.mark.parametrize(
    ("found", "call"),
    [
        ("", "api --method POST repos/a/b/issues/7/comments -F body=@"),
        ("41\n42\n", "api --method PATCH repos/a/b/issues/comments/41 -F body=@"),
    ],
)
def test_there_is_one_comment_and_it_is_brought_up_to_date(tmp_path: Path, found: str, call: str) -> None:
    comment, log = tmp_path / "c.md", tmp_path / "log"
    comment.write_text("<!-- auditor -->\n**Gate passed**\n")
    program(tmp_path / "bin", "gh", GH.format(python=sys.executable, log=str(log), found=found))
    done = script("comment.sh", COMMENT=comment, REPOSITORY="a/b", NUMBER=7, PATH=f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    assert done.returncode == 0, done.stderr
    assert log.read_text().startswith(call)
    assert log.read_text().count("\n") == 1
