"""Builds small repositories for tests: from a fixture folder, from a dict of texts, with a git history where wanted."""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import pygit2

FIXTURES = Path(__file__).parents[2] / "fixtures"
_FAKE = re.compile(r"@@FAKE:([a-z0-9-]+)@@")
_EPOCH = dt.datetime(2026, 1, 1, tzinfo=dt.UTC).timestamp()


def from_fixture(source: Path, target: Path) -> Path:
    """Copy a fixture folder to `target`, put dummy credentials in place and replay `_commits.json` if there is one."""
    shutil.copytree(source, target)
    for path in sorted(target.rglob("*")):
        if path.is_file():
            _fill(path)
    commits = target / "_commits.json"
    if commits.exists():
        history = json.loads(commits.read_text())
        commits.unlink()
        replay(target, history)
    return target


def from_texts(target: Path, texts: Mapping[str, str | bytes]) -> Path:
    """Write files below `target`."""
    for name, text in texts.items():
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return target


def replay(root: Path, history: list[dict]) -> None:
    """Make a git repository of `root`: first the given commits, then whatever files are there as a last one."""
    repository = pygit2.init_repository(root)
    for number, commit in enumerate(history):
        for name, text in commit["files"].items():
            path = root / name
            if text is None:
                path.unlink(missing_ok=True)
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
        _commit(repository, commit["message"], commit.get("days", number), commit.get("author", "One"))


def _commit(repository: pygit2.Repository, message: str, days: float, author: str) -> None:
    index = repository.index
    index.add_all()
    index.write()
    signature = pygit2.Signature(author, f"{author.lower()}@example.org", int(_EPOCH + days * 86_400), 0)
    parents = [] if repository.head_is_unborn else [repository.head.target]
    repository.create_commit("HEAD", signature, signature, message, index.write_tree(), parents)


def _fill(path: Path) -> None:
    try:
        text = path.read_text()
    except UnicodeDecodeError:
        return
    if "@@FAKE:" in text:
        from tests.support.fakes import FAKES

        path.write_text(_FAKE.sub(lambda match: FAKES[match[1]], text))
