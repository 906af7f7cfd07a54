"""Fingerprints: what may change around a finding without making it another one, and what may not."""

from __future__ import annotations

import pytest

from auditor.fingerprints import identified
from auditor.matching import Known, match
from auditor.model.verdict import Confidence, Finding, Outcome, Severity, Verdict

ITEM = "security.sql-parameterised"
PYTHON = """import db


def find(name):
    return db.execute("SELECT * FROM people WHERE name = '%s'" % name, timeout=5)


def other():
    return 1
"""
SCRIPT = """const db = require('db')

app.get('/people', (req, res) => {
  db.query('SELECT * FROM people WHERE name = ' + req.query.name, { timeout: 5 })
})
"""


def known(texts: dict[str, str], *places: tuple[str, str], item: str = ITEM, rule: str = "assembled-query") -> list[Known]:
    """The findings at the lines that begin with a text, as a later audit would look them up."""
    findings = []
    for path, beginning in places:
        lines = texts[path].split("\n")
        findings += [Finding(rule, path, "m", n, n) for n, line in enumerate(lines, 1) if line.strip().startswith(beginning)]
    outcome = Outcome(item, "security", Severity.BLOCKER, Verdict.FAIL, 1.0, 1.0, Confidence.HIGH, "r", tuple(findings), (), (), 1, 1, 1, 1)
    done = identified([outcome], texts, 500)[0]
    return [Known(item, finding.rule, finding.path, finding.fingerprint) for finding in done.findings]


def prints(texts: dict[str, str], *places: tuple[str, str]) -> list[str]:
    return [one.fingerprint for one in known(texts, *places)]


REFORMATTED = {
    "python": (
        PYTHON,
        PYTHON.replace(
            """    return db.execute("SELECT * FROM people WHERE name = '%s'" % name, timeout=5)""",
            """    return db.execute(\n        "SELECT * FROM people WHERE name = '%s'" % name,\n        timeout=5,\n    )""",
        ),
        "return db",
        "a.py",
    ),
    "script": (
        SCRIPT,
        SCRIPT.replace("(req, res) =>", "async function handler(req, res)")
        .replace("async function handler(req, res)", "(req, res) =>")
        .replace(
            "db.query('SELECT * FROM people WHERE name = ' + req.query.name, { timeout: 5 })",
            'db.query(\n    "SELECT * FROM people WHERE name = " + req.query.name,\n    {\n      timeout: 5,\n    },\n  );',
        )
        .replace("'", '"'),
        "db.query",
        "a.js",
    ),
    "component": (
        f"<template><p/></template>\n<script>\n{SCRIPT}</script>\n",
        f"<template>\n  <p />\n</template>\n\n<script>\n{SCRIPT.replace('name, {', 'name,' + chr(10) + '    {')}</script>\n",
        "db.query",
        "A.vue",
    ),
}


@pytest.mark.parametrize("case", sorted(REFORMATTED))
def test_reformatted_code_keeps_its_fingerprint(case: str) -> None:
    before, after, beginning, path = REFORMATTED[case]
    assert before != after
    assert prints({path: before}, (path, beginning)) == prints({path: after}, (path, beginning))


def test_a_finding_in_the_middle_of_a_statement_survives_a_reformatter_that_joins_it() -> None:
    split = "client = connect(\n    host,\n    password='abc',\n)\n"
    joined = 'client = connect(host, password="abc")\n'
    assert prints({"a.py": split}, ("a.py", "password")) == prints({"a.py": joined}, ("a.py", "client"))


def test_a_moved_function_and_a_renamed_file_keep_it() -> None:
    head, body = PYTHON.split("\n\n\n", 1)
    find, other = body.split("\n\n\n")
    moved = "\n\n\n".join((head, other.strip(), "# moved down\n\n" + find)) + "\n"
    before = prints({"a.py": PYTHON}, ("a.py", "return db"))
    assert prints({"a.py": moved}, ("a.py", "return db")) == before
    assert prints({"app/new_name.py": PYTHON}, ("app/new_name.py", "return db")) == before


def test_two_identical_findings_in_one_file_stay_two() -> None:
    line = "    db.execute(text)\n    log()\n    db.execute(text)\n"
    text = f"def f(text):\n{line}"
    twice = prints({"a.py": text}, ("a.py", "db.execute"))
    assert len(set(twice)) == 2
    once = known({"a.py": text.replace("    log()\n    db.execute(text)\n", "")}, ("a.py", "db.execute"))
    assert len(match(once, known({"a.py": text}, ("a.py", "db.execute"))).new) == 1


def test_other_code_another_definition_and_another_rule_are_other_findings() -> None:
    base = prints({"a.py": PYTHON}, ("a.py", "return db"))
    assert prints({"a.py": PYTHON.replace("name = ", "town = ")}, ("a.py", "return db")) != base
    assert prints({"a.py": PYTHON.replace("def find", "def search")}, ("a.py", "return db")) != base
    assert known({"a.py": PYTHON}, ("a.py", "return db"), rule="sql-injection")[0].fingerprint != base[0]


def test_the_nearest_place_is_the_old_one() -> None:
    """A copy in a file that comes first must not make the old place the new one."""
    old = known({"z.py": PYTHON}, ("z.py", "return db"))
    texts = {"a.py": PYTHON, "z.py": PYTHON}
    now = known(texts, ("a.py", "return db"), ("z.py", "return db"))
    assert [now[position].path for position in match(old, now).new] == ["a.py"]


def test_code_that_is_changed_inside_its_function_is_not_new() -> None:
    old = known({"a.py": PYTHON}, ("a.py", "return db"))
    now = known({"a.py": PYTHON.replace("timeout=5", "timeout=10")}, ("a.py", "return db"))
    assert old != now
    assert match(old, now).new == ()


def test_another_value_at_the_top_of_a_file_is_new() -> None:
    old = known({"a.py": "KEY = 'one'\n"}, ("a.py", "KEY"))
    now = known({"a.py": "KEY = 'two'\n"}, ("a.py", "KEY"))
    assert match(old, now).new == (0,)


def test_what_is_said_once_of_a_file_does_not_depend_on_the_line_it_points_at() -> None:
    item, rule = "observability.real-logging", "printed-instead-of-logged"
    old = known({"a.py": "print(1)\nprint(2)\n"}, ("a.py", "print(1)"), item=item, rule=rule)
    now = known({"a.py": "print(2)\n"}, ("a.py", "print(2)"), item=item, rule=rule)
    assert match(old, now).new == ()


@pytest.mark.parametrize("path", ["a.py", "a.ts", "A.vue", "a.yml", "a.unknown"])
def test_anything_can_be_read(path: str) -> None:
    for text in ("", "\n", "\x00", "(" * 5000, "a\n" * 3, "{[(" * 200 + "\n" + "x = 1"):
        assert known({path: text}, (path, "")) is not None


def test_the_body_of_a_definition_is_no_part_of_its_header() -> None:
    route = "@app.get('/x')\nasync def f(a: int):\n    return a\n"
    base = prints({"a.py": route}, ("a.py", "async def"))
    assert prints({"a.py": route.replace("return a", "return a + 1")}, ("a.py", "async def")) == base
    assert prints({"a.py": route}, ("a.py", "@app")) == base


def test_what_two_detectors_say_of_one_statement_is_one_finding() -> None:
    text = "def f(name):\n    return db.execute(\n        'SELECT ' + name,\n    )\n"
    findings = tuple(
        Finding("sql-injection", "a.py", "m", line, end, detector=who) for line, end, who in ((2, 4, "flows"), (3, 3, "semgrep"))
    )
    outcome = Outcome(ITEM, "security", Severity.BLOCKER, Verdict.FAIL, 1.0, 1.0, Confidence.HIGH, "r", findings, (), (), 1, 1, 1, 1)
    assert len(identified([outcome], {"a.py": text}, 500)[0].findings) == 1
    alone = tuple(Finding("sql-injection", "a.py", "m", line, end) for line, end in ((2, 4), (3, 3)))
    twice = Outcome(ITEM, "security", Severity.BLOCKER, Verdict.FAIL, 1.0, 1.0, Confidence.HIGH, "r", alone, (), (), 1, 1, 1, 1)
    assert len(identified([twice], {"a.py": text}, 500)[0].findings) == 2
