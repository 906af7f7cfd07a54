"""A repository that tries to configure, silence or use its auditor: nothing of it runs, nothing it hides is lost."""

from __future__ import annotations

from pathlib import Path

import pygit2
import pytest

from auditor.cache import Cache
from auditor.evidence.bandit import bandit_hits
from auditor.evidence.history import history
from auditor.evidence.registry import Context
from auditor.evidence.semgrep import semgrep_hits
from auditor.model.need import Known
from auditor.snapshot import read_tree
from auditor.tools import radon
from tests.support.repositories import from_texts, replay

CODE = "import subprocess\nfrom flask import request\n\n\ndef view():\n    subprocess.run(request.args['x'], shell=True)  # nosec  # nosemgrep\n"
SILENCERS = {
    "app.py": CODE,
    "hidden/app.py": CODE + "\n\ndef more():\n    pass\n",
    ".bandit": "[bandit]\nexclude = app.py,hidden\nskips = B602\ntests = B101\n",
    "bandit.yaml": "skips: [B602]\n",
    "pyproject.toml": '[tool.bandit]\nexclude_dirs = ["hidden"]\nskips = ["B602"]\n[tool.radon]\nexclude = "*"\n',
    "setup.cfg": "[radon]\nexclude = *\n[bandit]\nexclude = *\n",
    "radon.cfg": "[radon]\nexclude = *\n",
    ".semgrepignore": "*\n",
    ".semgrep.yml": "rules: []\n",
    ".semgrep/settings.yml": "anonymous_user_id: x\n",
    ".gitattributes": "*.py filter=evil diff=evil binary\n* merge=evil\n",
    "sitecustomize.py": "open('TOUCHED', 'w').close()\n",
    "bandit.py": "open('TOUCHED', 'w').close()\n",
    "ast.py": "open('TOUCHED', 'w').close()\n",
    "conftest.py": "open('TOUCHED', 'w').close()\n",
    "setup.py": "open('TOUCHED', 'w').close()\n",
}
HOOKS = ("post-checkout", "pre-commit", "post-index-change", "fsmonitor-watchman", "reference-transaction")


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    root = from_texts(tmp_path / "app", SILENCERS)
    replay(root, [{"message": "one", "files": {}}])
    touch = f"touch {tmp_path}/TOUCHED"
    with (root / ".git" / "config").open("a") as config:
        config.write(
            f'[core]\n\tfsmonitor = "{touch}"\n\tpager = "{touch}"\n\teditor = "{touch}"\n\tsshCommand = "{touch}"\n\thooksPath = {root}/.git/hooks\n'
            f'[filter "evil"]\n\tclean = "{touch}"\n\tsmudge = "{touch}"\n\tprocess = "{touch}"\n\trequired = true\n'
            f'[diff "evil"]\n\ttextconv = "{touch}"\n\tcommand = "{touch}"\n[diff]\n\texternal = "{touch}"\n'
            f'[merge "evil"]\n\tdriver = "{touch}"\n[credential]\n\thelper = "!{touch}"\n[gpg]\n\tprogram = "{touch}"\n'
        )
    for name in HOOKS:
        hook = root / ".git" / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\n{touch}\n")
        hook.chmod(0o755)
    return root


def content(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


@pytest.mark.tools
def test_nothing_is_executed_and_nothing_is_lost(hostile: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = content(hostile)
    monkeypatch.chdir(hostile)
    reading = read_tree(hostile)
    context = Context(hostile, Cache(tmp_path / "cache"), "2026-01-01")
    bandit = bandit_hits(context, reading.snapshot, reading.texts)
    semgrep = semgrep_hits(context, reading.snapshot, reading.texts)
    past = history(context)
    assert isinstance(bandit, Known)
    assert isinstance(semgrep, Known)
    assert isinstance(past, Known)
    assert [(hit.path, hit.line, hit.rule) for hit in bandit.value.hits] == [("app.py", 6, "B602"), ("hidden/app.py", 6, "B602")]
    assert [(hit.path, hit.line, hit.grade) for hit in semgrep.value.hits] == [("app.py", 6, "fail"), ("hidden/app.py", 6, "fail")]
    assert bandit.unexamined == semgrep.unexamined == ()
    changes = {change.path: change.added for commit in past.value.commits for change in commit.changes}
    assert changes["app.py"] == 6
    assert isinstance(radon.complexities(CODE), dict)
    assert not (tmp_path / "TOUCHED").exists()
    assert content(hostile) == before


@pytest.mark.tools
def test_links_out_of_the_tree_are_not_followed(tmp_path: Path) -> None:
    root = from_texts(tmp_path / "app", {"a.py": "x = 1\n"})
    (tmp_path / "secret.py").write_text(CODE)
    (root / "link.py").symlink_to(tmp_path / "secret.py")
    reading = read_tree(root)
    context = Context(root, Cache(None), "2026-01-01")
    for evidence in (bandit_hits(context, reading.snapshot, reading.texts), semgrep_hits(context, reading.snapshot, reading.texts)):
        assert isinstance(evidence, Known)
        assert evidence.value.hits == ()


def test_libgit2_does_not_read_the_users_configuration() -> None:
    assert pygit2.settings.search_path[pygit2.enums.ConfigLevel.GLOBAL] == ""
