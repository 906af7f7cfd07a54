"""Suppressions in comments: where they are read, which line they speak of, and what is wrong with those that cannot be used."""

from __future__ import annotations

import pytest

from auditor.suppressions import declared

ITEM = "security.sql-parameterised"


def only(text: str, path: str = "a.py"):
    (found,) = declared({path: text})
    return found


@pytest.mark.parametrize(
    ("path", "text", "line"),
    [
        ("a.py", f"run(q)  # auditor: ignore[{ITEM}] checked\n", 1),
        ("a.py", f"# auditor: ignore[{ITEM}] checked\n\n# more words\nrun(q)\n", 4),
        ("a.ts", f"// auditor: ignore[{ITEM}] checked\nrun(q)\n", 2),
        ("a.ts", f"run(q) /* auditor: ignore[{ITEM}] checked */\n", 1),
        ("a.tsx", f"const a = <p>\n  {{/* auditor: ignore[{ITEM}] checked */}}\n  <b/>\n</p>\n", 3),
        ("a.vue", f"<script>\nrun(q) // auditor: ignore[{ITEM}] checked\n</script>\n", 2),
        ("a.html", f"<!-- auditor: ignore[{ITEM}] checked -->\n<p></p>\n", 2),
        ("a.sql", f"-- auditor: ignore[{ITEM}] checked\nselect 1;\n", 2),
        ("Dockerfile", f"# auditor: ignore[{ITEM}] checked\nFROM x\n", 2),
        ("a.yml", f"key: value  # auditor: ignore[{ITEM}] checked\n", 1),
    ],
)
def test_a_comment_speaks_of_its_line_or_the_next(path: str, text: str, line: int) -> None:
    found = only(text, path)
    assert (found.item, found.reason, found.line, found.problem) == (ITEM, "checked", line, "")


def test_owner_end_and_several_items() -> None:
    first, second = declared(
        {"a.py": f"# auditor: ignore[{ITEM}/sql-injection, security.debug-off] a reason; owner=ann until=2026-12-31\nx = 1\n"}
    )
    assert (first.item, first.rule, second.item) == (ITEM, "sql-injection", "security.debug-off")
    assert {(one.reason, one.owner, one.until, one.place) for one in (first, second)} == {("a reason", "ann", "2026-12-31", "a.py:1")}


@pytest.mark.parametrize(
    ("comment", "problem"),
    [
        ("auditor: ignore", "names no item"),
        ("auditor: ignore[] why", "names no item"),
        (f"auditor: ignore[{ITEM}]", "gives no reason"),
        (f"auditor: ignore[{ITEM}] - ", "gives no reason"),
        ("auditor: ignore[security.sql-parametrised] why", f"did you mean {ITEM}"),
        (f"auditor: ignore[{ITEM}/sql] why", "has no rule 'sql'"),
        (f"auditor: ignore[{ITEM}] why until=tomorrow", "not a date"),
    ],
)
def test_what_is_written_wrongly_is_kept_and_says_so(comment: str, problem: str) -> None:
    assert problem in only(f"x = 1  # {comment}\n").problem


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.py", f'text = "# auditor: ignore[{ITEM}] x"\n'),
        ("a.py", f'"""\n# auditor: ignore[{ITEM}] x\n"""\n'),
        ("a.ts", f"const text = `\n// auditor: ignore[{ITEM}] x\n`\n"),
        ("README.md", f"```python\nrun(q)  # auditor: ignore[{ITEM}] x\n```\n"),
        ("a.yml", f"text: '# auditor: ignore[{ITEM}] x'\n"),
    ],
)
def test_what_only_shows_how_it_is_written_is_none(path: str, text: str) -> None:
    assert declared({path: text}) == ()


@pytest.mark.parametrize(
    ("text", "reach"),
    [
        (f"# auditor: ignore[{ITEM}] checked\n@app.get('/x')\n@limited\nasync def f(\n    a: int,\n):\n    return a\n", (2, 6)),
        (f"x = run(\n    q,  # auditor: ignore[{ITEM}] checked\n    2,\n)\n", (1, 3)),
        (f"def f():  # auditor: ignore[{ITEM}] checked\n    return run(q)\n", (1, 1)),
        (f"if a:\n    # auditor: ignore[{ITEM}] checked\n    run(q)\n    run(r)\n", (3, 3)),
    ],
)
def test_a_comment_reaches_as_far_as_its_statement(text: str, reach: tuple[int, int]) -> None:
    found = only(text)
    assert (found.line, found.end_line) == reach
