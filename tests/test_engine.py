"""A whole audit as data: what it covers, what it says of the tree, and when there is no grade."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor import audit
from auditor.engine import rules_digest
from auditor.errors import NothingToAuditError, UsageError
from auditor.model.report import Report
from auditor.model.verdict import Verdict
from tests.support.repositories import from_texts

ITEM = "security.sql-parameterised"


def quick(root: Path, **options: object) -> Report:
    return audit(root, only=[ITEM], date="2026-01-01", use_cache=False, workers=1, **options)  # type: ignore[arg-type]


def test_the_scope_counts_what_was_there(tmp_path: Path) -> None:
    root = from_texts(
        tmp_path / "shop",
        {"app.py": "a = 1\nb = 2\n", "web/main.ts": "export {};\n", "test_app.py": "def test_a(): ...\n", "README.md": "# Shop\n"},
    )
    (root / "link").symlink_to(root / "app.py")
    scope = quick(root).scope
    assert (scope.name, scope.files, scope.lines, scope.origin, scope.commit) == ("shop", 4, 3, "tree", "")
    assert [(count.language, count.lines) for count in scope.languages] == [("python", 2), ("typescript", 1)]
    assert dict(scope.roles) == {"doc": 1, "first_party": 2, "test": 1}
    assert scope.skipped == (("link", "a symbolic link: not followed"),)


def test_selected_items_get_no_grade(tmp_path: Path) -> None:
    report = quick(from_texts(tmp_path, {"app.py": "x = 1\n"}))
    assert [outcome.id for outcome in report.outcomes] == [ITEM]
    assert (report.score.letter, report.score.no_grade) == (None, "only selected items were judged")


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        ({"README.md": "# words\n"}, "no first-party source code"),
        ({"main.go": "package main\n" * 50, "x.py": "x = 1\n"}, "languages this version does not read"),
        ({"tests/test_a.py": "def test_a(): ...\n"}, "no first-party source code"),
    ],
)
@pytest.mark.tools
def test_trees_without_a_grade(tmp_path: Path, texts: dict[str, str], words: str) -> None:
    report = audit(from_texts(tmp_path, texts), date="2026-01-01", use_cache=False, workers=1)
    assert report.score.letter is None
    assert words in report.score.no_grade


def test_wrong_calls(tmp_path: Path) -> None:
    from_texts(tmp_path, {"a.py": "x = 1\n"})
    for options in ({"date": "soon"}, {"timeout": 0}, {"workers": 0}, {"advisories": tmp_path / "none.zip"}, {"only": ["no.such"]}):
        with pytest.raises(UsageError):
            audit(tmp_path, **options)  # type: ignore[arg-type]
    with pytest.raises(NothingToAuditError):
        audit(from_texts(tmp_path / "empty", {}) if (tmp_path / "empty").mkdir() is None else tmp_path)


def test_the_rules_have_a_digest() -> None:
    assert len(rules_digest()) == 12


def _tree(path: Path, texts: dict[str, str]) -> Path:
    path.mkdir()
    return from_texts(path, texts)


@pytest.mark.tools
def test_code_in_other_languages_holds_back_what_speaks_for_the_whole(tmp_path: Path) -> None:
    """A page beside a service in another language: nothing passes, and nothing is out of place, for want of a service in sight."""
    page = {
        "package.json": '{"name": "shop", "dependencies": {"react": "19.0.0"}, "scripts": {"build": "vite build"}, "devDependencies": {"vite": "7.0.0"}}',
        "src/main.tsx": "import { createRoot } from 'react-dom/client';\n" + "export const total = (a: number, b: number) => a + b;\n" * 40,
    }
    service = {f"service/src/Order{n}.java": "package shop;\n" + f"class Order{n} {{ int total; }}\n" * 4 for n in range(8)}
    items = ["observability.health-endpoint", "security.no-dynamic-execution", "specs.agent-rules"]
    without = {outcome.id: outcome for outcome in audit(_tree(tmp_path / "page", page), only=items, use_cache=False).outcomes}
    beside = {outcome.id: outcome for outcome in audit(_tree(tmp_path / "both", page | service), only=items, use_cache=False).outcomes}
    assert without["observability.health-endpoint"].verdict is Verdict.NOT_APPLICABLE
    assert without["security.no-dynamic-execution"].verdict is Verdict.PASS
    for item in items[:2]:
        assert beside[item].verdict is Verdict.UNKNOWN
        assert "8 files of the product (40 lines of java) are in a language this version does not read" in beside[item].reason
    assert beside["specs.agent-rules"].verdict is without["specs.agent-rules"].verdict
