"""The documents say what the code does: generated ones are fresh, the written ones name what exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer

from auditor import cli, docs
from auditor.catalogue import catalogue
from auditor.errors import ExitCode
from auditor.model.verdict import CURVE, POINTS, Severity
from auditor.score import BORDERS, CATEGORY_K, FAIL_FROM, MODEL

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
WRITTEN = (
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docs/scoring.md",
    "docs/assistants.md",
    "docs/gate.md",
    "docs/report.md",
    "docs/schema-changes.md",
)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def test_generated_documents_are_fresh() -> None:
    stale = [name for name, data in docs.pages().items() if not (DOCS / name).exists() or (DOCS / name).read_bytes() != data]
    extra = {f"checks/{path.name}" for path in (DOCS / "checks").glob("*.md")} - set(docs.pages())
    assert not stale, "run `make docs`"
    assert not extra, "run `make docs`"


def test_writing_them_twice_changes_nothing_and_old_pages_go(tmp_path: Path) -> None:
    assert set(docs.write(tmp_path)) == set(docs.pages())
    assert docs.write(tmp_path) == ()
    (tmp_path / "checks" / "gone.item.md").write_text("old")
    assert docs.write(tmp_path) == ("checks/gone.item.md",)
    assert not (tmp_path / "checks" / "gone.item.md").exists()


def test_the_checklist_names_every_item() -> None:
    text = docs.pages()["checklist.md"].decode()
    for item in catalogue().items:
        assert f"### `{item.id}`" in text
        assert (f"checks/{item.id}.md" in text) == item.judged


@pytest.mark.parametrize("name", WRITTEN)
def test_links_inside_the_project_lead_somewhere(name: str) -> None:
    page = ROOT / name
    targets = [target for target in LINK.findall(page.read_text()) if "://" not in target and not target.startswith("mailto:")]
    assert not [target for target in targets if not (page.parent / target).exists()]


def test_the_scoring_rules_are_those_of_the_code() -> None:
    text = (DOCS / "scoring.md").read_text()
    assert f"score model {MODEL}" in text
    assert f"100 · e^(−R/{CURVE:g})" in text
    assert f"e^(−R/{CATEGORY_K:g})" in text
    assert f"from {FAIL_FROM:g} it fails" in text
    for severity in Severity:
        assert f"| {severity.value} | {POINTS[severity]} |" in text
    for border, letter in BORDERS:
        assert (f"{letter} from {border:g}" if border else f"{letter} below") in text


def test_the_readme_names_both_commands_and_every_exit_code() -> None:
    text = (ROOT / "README.md").read_text()
    assert text.index("make audit REPO=") < text.index("make test") < text.index("## ")
    for code in ExitCode:
        assert f"| {int(code)} |" in text


def test_the_readme_names_every_option_and_no_other() -> None:
    """Options of `audit` against the table, commands against the examples."""
    program = typer.main.get_command(cli.app)
    commands = program.commands  # type: ignore[attr-defined]
    text = (ROOT / "README.md").read_text()
    table = text[text.index("| Option of `audit`") : text.index("| Exit code")]
    known = {name for option in commands["audit"].params for name in option.opts if name.startswith("--")}
    assert set(re.findall(r"--[a-z]+(?:-[a-z]+)*", table)) == known
    for name in commands:
        assert f"auditor {name}" in text


def test_the_architecture_names_every_module_of_the_package() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    table = text[text.index("## Modules") : text.index("## Verdicts")]
    names = {path.stem for path in (ROOT / "auditor").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()} - {"__init__"}
    assert not {name for name in names if not re.search(rf"`{name}[`/]", table)}
