"""Dotenv files: names and shapes of values, never the values."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.cache import Cache
from auditor.evidence.environment_files import environment_files
from auditor.evidence.registry import Context
from auditor.languages.dotenv import entries, is_dotenv, is_template
from auditor.model.artifacts import EnvironmentFile
from auditor.snapshot import read_tree
from tests.support.fakes import FAKES
from tests.support.repositories import from_texts


def read(tmp_path: Path, texts: dict[str, str]) -> dict[str, EnvironmentFile]:
    root = from_texts(tmp_path / "app", texts)
    reading = read_tree(root)
    known = environment_files(Context(root, Cache(None), "2026-03-01"), reading.snapshot, reading.texts)
    return {file.path: file for file in known.value}


def test_names_and_shapes_without_values(tmp_path: Path) -> None:
    text = f"# comment\nexport PORT=8000\nSECRET_KEY='{FAKES['signing-key']}' # note\nEMPTY=\nTOKEN=<your token>\nKEY=\"line one\nline two\"\nLAST=yes\nnot an entry\n"
    found = read(tmp_path, {".env": text, "backend/.env.example": "TOKEN=changeme\n", "src/env.ts": "A=1", "node_modules/x/.env": "A=1"})
    assert sorted(found) == [".env", "backend/.env.example"]
    assert found[".env"].entries == (
        ("PORT", "literal", 2),
        ("SECRET_KEY", "literal", 3),
        ("EMPTY", "", 4),
        ("TOKEN", "placeholder", 5),
        ("KEY", "literal", 6),
        ("LAST", "literal", 8),
    )
    assert (found[".env"].example, found["backend/.env.example"].example) == (False, True)
    assert FAKES["signing-key"] not in repr(found)


@pytest.mark.parametrize(
    "name", [".env", ".env.production", "prod.env", ".flaskenv", ".envrc", ".dev.vars", "env.example", "a/b/.env.local"]
)
def test_what_is_a_dotenv_file(name: str) -> None:
    assert is_dotenv(name)


@pytest.mark.parametrize("name", ["env.py", "env.ts", "environment.ts", "vite-env.d.ts", ".environment/readme.md", "event.env.json"])
def test_what_is_none(name: str) -> None:
    assert not is_dotenv(name)


def test_templates_say_so_in_their_name() -> None:
    assert all(is_template(name) for name in (".env.example", ".env.sample", "env.template", ".env.dist", ".env.default"))
    assert not any(is_template(name) for name in (".env", ".env.local", ".env.production", ".env.test"))


def test_an_unclosed_quote_does_not_swallow_the_file() -> None:
    text = 'A="open\n' + "B=1\n" * 500
    assert len(list(entries(text))) == 501
