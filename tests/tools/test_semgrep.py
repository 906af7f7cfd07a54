"""The port to semgrep survives each known way in which semgrep looks successful without having looked."""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from auditor.cache import Cache
from auditor.evidence.registry import Context
from auditor.evidence.semgrep import semgrep_hits
from auditor.model.evidence import ToolHits
from auditor.model.need import Known, Unavailable
from auditor.snapshot import read_tree
from auditor.tools import semgrep
from tests.support.repositories import from_texts

RULES = frozenset({"a-rule"})
RULE = json.dumps(
    {"id": "a-rule", "languages": ["python", "javascript", "typescript"], "severity": "ERROR", "message": "m", "pattern": "danger($X)"}
)


def target(path: str, text: str = "danger(x)\n", language: str = "python") -> semgrep.Target:
    return semgrep.Target(path, language, text, RULES)


def fake(tmp_path: Path, body: str, name: str = "fake") -> str:
    """A stand-in for semgrep: `names` are the file names it was asked about, it prints the JSON of `answer`."""
    program = tmp_path / name
    program.write_text(
        f"#!{sys.executable} -I\n"
        "import json, sys\n"
        "argv = sys.argv[1:]\n"
        "names = [a for a in argv if a.startswith('f0')]\n"
        "if '-targets' in argv:\n"
        "    names = [entry[1]['path']['fpath'] for entry in json.load(open(argv[argv.index('-targets') + 1]))[1]]\n"
        "answer = {'results': [], 'errors': [], 'paths': {'scanned': list(names)}}\n"
        f"{body}\n"
        "print(json.dumps(answer))\n"
    )
    program.chmod(0o755)
    return str(program)


def scan(targets: list[semgrep.Target], **programs: str | None) -> semgrep.Scan:
    return semgrep.scan({"a-rule": RULE}, targets, root=Path("/nowhere"), workers=2, timeout=60, cancelled=threading.Event(), **programs)


def test_a_clean_answer_means_examined(tmp_path: Path) -> None:
    account = scan([target("a.py")], core=fake(tmp_path, ""))
    assert (account.matches, account.unread) == ({"a.py": []}, {})


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ({"error_type": "Syntax error", "severity": "warn", "message": ""}, "Syntax error, line 7"),
        ({"error_type": "Timeout", "severity": "warn", "message": ""}, "Timeout, line 7"),
        ({"error_type": ["PartialParsing", []], "severity": "warn", "message": ""}, "PartialParsing, line 7"),
    ],
)
def test_a_file_named_in_errors_is_not_examined_though_scanned(tmp_path: Path, error: dict[str, Any], reason: str) -> None:
    body = f"answer['errors'].append({error!r} | {{'location': {{'path': names[0], 'start': {{'line': 7}}}}}})"
    account = scan([target("a.py")], core=fake(tmp_path, body))
    assert account.matches == {}
    assert reason in account.unread["a.py"]
    assert ("a.py" in account.transient) == (error["error_type"] == "Timeout")


def test_a_file_that_is_not_reported_as_scanned_is_not_examined(tmp_path: Path) -> None:
    account = scan([target("a.py"), target("b.py")], core=fake(tmp_path, "answer['paths']['scanned'].pop()"))
    assert len(account.matches) == 1
    assert list(account.unread.values()) == ["semgrep did not scan it"]


def test_an_invalid_rule_is_named(tmp_path: Path) -> None:
    body = "answer['errors'].append({'error_type': 'Rule parse error', 'severity': 'error', 'rule_id': 'a-rule', 'message': ''})"
    assert scan([target("a.py")], core=fake(tmp_path, body)).broken_rules == {"a-rule": "Rule parse error"}


def test_prefixed_rule_ids_and_missing_lines_are_read(tmp_path: Path) -> None:
    result = "{'check_id': 'tmp.x.a-rule', 'path': names[0], 'start': {'line': 2}, 'end': {'line': 3}, 'extra': {'message': 'm', 'lines': 'requires login'}}"
    account = scan([target("a.py")], core=fake(tmp_path, f"answer['results'].append({result})"))
    assert account.matches["a.py"] == [semgrep.Match("a-rule", 2, 3, "m")]


@pytest.mark.parametrize(
    "body",
    [
        "sys.exit(2)",
        "answer = {'errors': []}",
        "answer = None",
        "answer['errors'].append({'error_type': 'Fatal error', 'severity': 'error', 'message': ''})",
    ],
)
def test_an_unusable_core_falls_back_to_the_command_line(tmp_path: Path, body: str) -> None:
    account = scan([target("a.py"), target("b.py")], core=fake(tmp_path, body, "core"), cli=fake(tmp_path, "", "cli"))
    assert sorted(account.matches) == ["a.py", "b.py"]
    with pytest.raises(semgrep.SemgrepError):
        scan([target("a.py")], core=fake(tmp_path, body, "core"))


def test_a_file_that_kills_semgrep_takes_no_other_with_it(tmp_path: Path) -> None:
    body = "if any('kill' in open(name).read() for name in names): import os; os.abort()"
    account = scan([target(f"{number}.py", "kill" if number == 3 else "fine") for number in range(8)], core=fake(tmp_path, body))
    assert account.unread == {"3.py": "semgrep broke down on it"}
    assert len(account.matches) == 7


def test_running_out_of_time_leaves_the_files_unexamined(tmp_path: Path) -> None:
    program = fake(tmp_path, "import time; time.sleep(60)")
    account = semgrep.scan(
        {"a-rule": RULE}, [target("a.py")], root=Path("/nowhere"), workers=1, timeout=0.5, cancelled=threading.Event(), core=program
    )
    assert "time limit" in account.unread["a.py"]
    assert account.transient == {"a.py"}


def test_a_text_no_rule_can_match_is_examined_without_a_scan(tmp_path: Path) -> None:
    idle = semgrep.Target("a.py", "python", "x = 1", frozenset())
    assert scan([idle], core=fake(tmp_path, "sys.exit(9)")).matches == {"a.py": []}


def test_grouping_by_rules_loses_no_file() -> None:
    targets = [semgrep.Target(f"{n}.py", "python", "x" * n, frozenset({f"r{n % 40}", f"r{n % 7}"})) for n in range(300)]
    parts = semgrep._parts(targets, 2)
    assert sorted(target.path for part in parts for target in part) == sorted(target.path for target in targets)
    assert len({frozenset(rule for target in part for rule in target.rules) for part in parts}) <= 3 * semgrep._GROUPS


@pytest.mark.tools
@pytest.mark.parametrize("way", ["core", "cli"])
def test_the_real_tool_through_both_doors(way: str) -> None:
    targets = [
        target("app/tests/a.py", "danger(1)\ndanger(2)  # nosemgrep\n"),
        target("b.ts", "danger(1) // nosemgrep: a-rule\n", "typescript"),
        target("c.tsx", "const a = <b>{danger(1)}</b>\n", "tsx"),
        target("new.py", "type X = int\ndef f[T](a: T) -> T: return danger(a)\n"),
        target("broken.js", "function ( { danger(1) <%", "javascript"),
    ]
    programs = {"core": semgrep.core_binary() if way == "core" else None, "cli": semgrep.cli_binary() if way == "cli" else None}
    account = scan(targets, **programs)
    lines = {path: [match.line for match in matches] for path, matches in account.matches.items()}
    assert lines == {"app/tests/a.py": [1, 2], "b.ts": [1], "c.tsx": [1], "new.py": [2]}
    assert list(account.unread) == ["broken.js"]
    assert account.broken_rules == {}


@pytest.mark.tools
@pytest.mark.parametrize("way", ["core", "cli"])
def test_the_real_tool_names_a_broken_rule(way: str) -> None:
    bad = json.dumps({"id": "bad-rule", "languages": ["python"], "severity": "ERROR", "message": "m", "pattern": "danger($X"})
    programs = {"core": semgrep.core_binary() if way == "core" else None, "cli": semgrep.cli_binary() if way == "cli" else None}
    account = semgrep.scan(
        {"a-rule": RULE, "bad-rule": bad},
        [semgrep.Target("a.py", "python", "danger(1)", frozenset({"a-rule", "bad-rule"}))],
        root=Path("/nowhere"),
        workers=1,
        timeout=60,
        cancelled=threading.Event(),
        **programs,
    )
    assert list(account.broken_rules) == ["bad-rule"]


def evidence(root: Path, cache: Path | None = None) -> Known[ToolHits] | Unavailable:
    reading = read_tree(root)
    return semgrep_hits(Context(root, Cache(cache), "2026-01-01"), reading.snapshot, reading.texts)


@pytest.mark.tools
def test_evidence_is_the_same_cold_and_warm(tmp_path: Path) -> None:
    root = from_texts(
        tmp_path / "app",
        {
            "app.py": "import os\nfrom flask import request\n\ndef f():\n    os.system(request.args['x'])\n",
            "view.vue": '<template><a/></template>\n<script setup lang="ts">\nconst f = new Function(text)\n</script>\n',
            "tests/test_a.py": "import os\nos.system(x)\n",
        },
    )
    cold, warm = evidence(root, tmp_path / "cache"), evidence(root, tmp_path / "cache")
    assert cold == warm == evidence(root)
    assert isinstance(cold, Known)
    assert [(hit.path, hit.line, hit.grade) for hit in cold.value.hits] == [("app.py", 5, "fail"), ("view.vue", 3, "partial")]
    assert cold.examined == {"app.py", "view.vue"}


def test_without_semgrep_the_evidence_is_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = from_texts(tmp_path / "app", {"app.py": "eval(x)\n"})
    monkeypatch.setattr(semgrep, "version", lambda: "")
    assert isinstance(evidence(root), Unavailable)


def test_a_broken_rule_makes_the_evidence_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = from_texts(tmp_path / "app", {"app.py": "eval(x)\n"})
    body = (
        "answer['errors'].append({'error_type': 'Rule parse error', 'severity': 'error', 'rule_id': 'python-code-variable', 'message': ''})"
    )
    program = fake(tmp_path, body)

    def replace() -> str:
        return program

    monkeypatch.setattr(semgrep, "core_binary", replace)
    found = evidence(root)
    assert isinstance(found, Unavailable)
    assert "python-code-variable" in found.reason
