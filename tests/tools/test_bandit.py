"""The port to bandit survives each known way in which bandit looks successful without having looked."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from auditor.cache import Cache
from auditor.catalogue import catalogue
from auditor.evidence.bandit import bandit_hits
from auditor.evidence.registry import Context
from auditor.model.need import Known, Unavailable
from auditor.snapshot import read_tree
from auditor.tools import bandit
from auditor.tools.bandit_map import IGNORED, USED
from tests.support.repositories import FIXTURES, from_texts

SHELL = "import subprocess\nsubprocess.run(command, shell=True)\n"


def examine(texts: list[tuple[str, str]], worker: Path | None = None, timeout: float = 60) -> bandit.Answer:
    options = {} if worker is None else {"worker": worker}
    return bandit.examine(texts, root=Path("/nowhere"), workers=2, timeout=timeout, cancelled=threading.Event(), **options)


def fake(tmp_path: Path, body: str) -> Path:
    worker = tmp_path / "worker.py"
    worker.write_text(
        f"import json, os, sys, time\nfor name, text in json.load(sys.stdin)['files']:\n    {body}\n    print(json.dumps([name, '', []]), flush=True)\n"
    )
    return worker


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # bandit's own, while its plugins load
def test_every_test_of_the_installed_bandit_has_a_meaning_or_a_reason() -> None:
    from bandit.core import extension_loader

    installed = set(extension_loader.MANAGER.plugins_by_id) | set(extension_loader.MANAGER.blacklist_by_id)
    assert installed == set(USED) | set(IGNORED)
    assert not set(USED) & set(IGNORED)


def test_meanings_name_checklist_items_and_grades() -> None:
    items = {item.id for item in catalogue().items}
    assert {meaning.item for meaning in USED.values()} <= items
    assert {meaning.grade for meaning in USED.values()} <= {"fail", "partial", "note"}


@pytest.mark.tools
def test_suppressions_in_the_text_are_not_honoured() -> None:
    answer = examine([("a.py", "import subprocess\nsubprocess.run(command, shell=True)  # nosec\n")])
    assert [hit.test for hit in answer.hits["a.py"]] == ["B602"]


@pytest.mark.tools
def test_files_it_cannot_read_are_named() -> None:
    answer = examine(
        [
            ("ok.py", SHELL),
            ("broken.py", "def f(:\n"),
            ("deep.py", "x = " + "(" * 5_000 + ")" * 5_000),
            ("chain.py", "x = " + "a." * 20_000 + "a"),
            ("nul.py", "x = '\x00'"),
            ("latin.py", "# -*- coding: latin-1 -*-\nx = 'é'\n"),
            ("nonsense.py", "# -*- coding: no-such-codec -*-\nx = 1\n"),
        ]
    )
    assert {"broken.py", "deep.py", "chain.py", "nul.py"} == set(answer.unread)
    assert {"ok.py", "latin.py", "nonsense.py"} == set(answer.hits)


@pytest.mark.tools
def test_a_bandit_test_that_raises_makes_the_file_unexamined(tmp_path: Path) -> None:
    worker = tmp_path / "worker.py"
    source = (Path(bandit.__file__).parent / "bandit_worker.py").read_text()
    worker.write_text(
        source.replace(
            '    tests = test_set.BanditTestSet(config.BanditConfig(), {"include": ids})\n',
            '    tests = test_set.BanditTestSet(config.BanditConfig(), {"include": ids})\n'
            "    def breaks(context):\n        raise ValueError\n"
            "    breaks._test_id = 'B999'\n"
            "    tests.tests['Call'].append(breaks)\n",
        )
    )
    answer = examine([("a.py", SHELL), ("b.py", "x = 1\n")], worker)
    assert answer.unread == {"a.py": "one of bandit's tests broke on it"}
    assert [hit.test for hit in answer.hits["a.py"]] == ["B602"]  # what the other tests found is kept
    assert answer.hits["b.py"] == []


def test_a_worker_that_dies_costs_one_file(tmp_path: Path) -> None:
    worker = fake(tmp_path, "os._exit(1) if 'kill' in text else None")
    answer = examine([(f"{n}.py", "kill" if n == 2 else "fine") for n in range(6)], worker)
    assert answer.unread == {"2.py": "bandit crashed on it"}
    assert len(answer.hits) == 5


def test_a_worker_that_always_dies_is_no_evidence(tmp_path: Path) -> None:
    with pytest.raises(bandit.BanditError):
        examine([(f"{n}.py", "x") for n in range(9)], fake(tmp_path, "os._exit(1)"))


def test_running_out_of_time_leaves_files_unexamined(tmp_path: Path) -> None:
    answer = examine([("a.py", "x"), ("slow.py", "slow")], fake(tmp_path, "time.sleep(60) if 'slow' in text else None"), timeout=1)
    assert "time limit" in answer.unread["slow.py"]
    assert answer.transient >= {"slow.py"}


@pytest.mark.tools
def test_it_finds_what_the_command_line_finds(tmp_path: Path) -> None:
    """Skipping nodes no wanted test looks at must not change a result."""
    sources = sorted((Path(bandit.__file__).parents[1]).rglob("*.py"))[:30] + sorted((FIXTURES / "rules").rglob("*.py"))
    texts = [(str(path), path.read_text()) for path in sources]
    ours = {(path, hit.test, hit.line) for path, hits in examine(texts).hits.items() for hit in hits}
    done = subprocess.run(
        [sys.executable, "-m", "bandit", "-q", "-f", "json", "--ignore-nosec", "-t", ",".join(USED), *(str(path) for path in sources)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    theirs = {(one["filename"].removeprefix("./"), one["test_id"], one["line_number"]) for one in json.loads(done.stdout)["results"]}
    assert ours == theirs
    assert len(ours) > 10


@pytest.mark.tools
def test_evidence_covers_production_code_and_is_the_same_warm(tmp_path: Path) -> None:
    root = from_texts(
        tmp_path / "app", {"app.py": SHELL, "const.py": SHELL.replace("command", "'ls'"), "tests/test_a.py": SHELL, "b.py": "def f(:"}
    )
    reading = read_tree(root)

    def evidence(cache: Path | None) -> Known:
        found = bandit_hits(Context(root, Cache(cache), "2026-01-01"), reading.snapshot, reading.texts)
        assert isinstance(found, Known)
        return found

    cold = evidence(tmp_path / "cache")
    assert cold == evidence(tmp_path / "cache") == evidence(None)
    assert [(hit.path, hit.rule, hit.grade, hit.cwe) for hit in cold.value.hits] == [
        ("app.py", "B602", "partial", 78),
        ("const.py", "B602", "note", 78),
    ]
    assert cold.examined == {"app.py", "const.py"}
    assert cold.unexamined == cold.value.unexamined
    assert cold.unexamined[0][0] == "b.py"


def test_without_bandit_the_evidence_is_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reading = read_tree(from_texts(tmp_path / "app", {"app.py": SHELL}))
    monkeypatch.setattr(bandit, "version", lambda: "")
    assert isinstance(bandit_hits(Context(tmp_path, Cache(None), "2026-01-01"), reading.snapshot, reading.texts), Unavailable)
