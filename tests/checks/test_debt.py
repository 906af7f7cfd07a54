"""What stubs, dead code and silenced checkers are recognised by."""

from __future__ import annotations

import pytest

from auditor.checks.checker_runs import works_of
from auditor.checks.commented_code import commented_code
from auditor.checks.dead_controls import dead_controls
from auditor.checks.remarks import admits
from auditor.checks.stubs import Extended, stubs
from auditor.checks.suppressions import loose_types, silences
from auditor.languages.python import read_python
from auditor.languages.script import read_script
from auditor.model.snapshot import Language
from auditor.model.static_checks import Work


@pytest.mark.parametrize(
    "text",
    [
        "In a real application, this would call the API",
        "For now, we'll just simulate a successful payment",
        "TODO: integrate the payment provider",
        "Placeholder implementation",
        "in production, you would fetch this from the database",
        "Simulate API call delay",
    ],
)
def test_remarks_that_admit_a_stand_in(text: str) -> None:
    assert admits(text)


@pytest.mark.parametrize(
    "text",
    [
        "In production this is cached by the platform",
        "in the real world requests arrive twice",
        "TODO: implement caching",
        "mock client for the tests",
        "Fall back to mock data if the API fails",
        "Simulate human typing delay",
        "a placeholder image for items without one",
        "for now we only support sorting by name",
    ],
)
def test_remarks_that_admit_nothing(text: str) -> None:
    assert not admits(text)


def test_a_raising_method_is_a_stub_only_where_nobody_else_fills_it_in() -> None:
    text = """
class Base:
    def run(self):
        raise NotImplementedError


class Report(Base):
    def run(self):
        return 1


class Plain:
    def send(self):
        raise NotImplementedError


def export():
    raise NotImplementedError("later")


def convert(kind):
    if kind == "a":
        return 1
    raise NotImplementedError(kind)
"""
    facts = read_python("app.py", text)
    assert [found.what for found in stubs(facts, text, Extended.of((facts,)))] == ["send", "export"]


def test_controls_that_do_nothing() -> None:
    text = """export function Bar() {
  return (
    <nav>
      <button onClick={() => {}}>Export</button>
      <button onClick={() => console.log("share")}>Share</button>
      <button onClick={() => {}} disabled>Later</button>
      <button onClick={() => {}} {...props}>Spread</button>
      <a href="#">Privacy</a>
      <a href="#" onClick={open}>Open</a>
      <a href="#">Back to top</a>
    </nav>
  );
}
"""
    facts = read_script("src/Bar.tsx", text, Language.TSX)
    assert [(found.line, found.rule) for found in dead_controls(facts, text)] == [(4, "dead-button"), (5, "dead-button"), (8, "dead-link")]


def test_code_in_comments_is_told_from_words_about_code() -> None:
    text = """# The rate is taken from the table below, and
# the table is read once. If it is empty the
# default is used. Callers pass the country,
# the amount and the date. The result is
# rounded to two places, as the law wants it,
# and never negative.

# Example:
# total = net + tax
# total = round(total)
# total = max(total, 0)
# print(total)
# save(total)
# send(total)

# def old(amount):
#     if amount < 0:
#         return 0
#     total = amount * 2
#     save(total)
#     return total
"""
    facts = read_python("app.py", text)
    assert [(found.line, found.end_line) for found in commented_code(facts, text)] == [(16, 21)]


@pytest.mark.parametrize(
    ("command", "works"),
    [
        ("ruff check .", {Work.LINT}),
        ("ruff format --check .", set()),
        ("python -m mypy src", {Work.TYPES}),
        ("yarn tsc", {Work.TYPES}),
        ("npx tsc --noEmit", {Work.TYPES}),
        ("pnpm exec eslint .", {Work.LINT}),
        ("biome format .", set()),
        ("biome ci .", {Work.LINT}),
        ("next build", {Work.TYPES}),
        ("vite build", set()),
        ("eslint --version", set()),
    ],
)
def test_what_a_command_looks_for(command: str, works: set[Work]) -> None:
    assert {work for _, work in works_of(tuple(command.split()))} == works


def test_silencing_comments_weigh_by_what_they_say() -> None:
    text = "import os  # noqa\nimport sys  # noqa: F401\nx = f()  # type: ignore[arg-type]\n# a note about noqa\n"
    assert [silence.weight for silence in silences(read_python("app.py", text))] == [1.0, 0.3, 0.3]
    script = "// @ts-nocheck\n// eslint-disable-next-line no-console\nconst a = 1; // @ts-ignore\n"
    found = list(silences(read_script("a.ts", script, Language.TYPESCRIPT)))
    assert [(silence.what, silence.whole) for silence in found] == [
        ("@ts-nocheck", True),
        ("eslint-disable-next-line", False),
        ("@ts-ignore", False),
    ]


def test_any_is_counted_where_it_is_a_type() -> None:
    text = (
        "const a: any = 1;\nfunction f(x: any[], y: Record<string, any>) { return x as any; }\nconst company = 'any';\n// if any of them\n"
    )
    assert loose_types("a.ts", text) == 4
    assert loose_types("a.js", text) == 0
