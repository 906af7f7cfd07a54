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
    """Make a git repository of `root` from the given commits; whatever files are there already belong to the first one.

    A commit has `message`, `files` (None removes one) and, where wanted, `days`, `author`, `committer` ("GitHub" is the host), `branch` (made on that
    branch instead of the main line) and `merge` (brings that branch in). A branch is merged before the main line goes on.
    """
    repository = pygit2.init_repository(root)
    for number, commit in enumerate(history):
        for name, text in commit.get("files", {}).items():
            path = root / name
            if text is None:
                path.unlink(missing_ok=True)
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
        _commit(repository, commit, commit.get("days", number))


def _commit(repository: pygit2.Repository, commit: Mapping, days: float) -> None:
    index = repository.index
    index.add_all()
    index.write()
    author = commit.get("author", "One")
    signatures = [_signature(name, days) for name in (author, commit.get("committer", author))]
    parents = [] if repository.head_is_unborn else [repository.head.target]
    target = "HEAD"
    if "branch" in commit:
        target = f"refs/heads/{commit['branch']}"
        parents = [repository.references[target].target] if target in repository.references else parents
    if "merge" in commit:
        parents = [*parents, repository.references[f"refs/heads/{commit['merge']}"].target]
    repository.create_commit(target, *signatures, commit["message"], index.write_tree(), parents)


def _signature(name: str, days: float) -> pygit2.Signature:
    address = "noreply@github.com" if name == "GitHub" else f"{name.lower().replace(' ', '.')}@example.org"
    return pygit2.Signature(name, address, int(_EPOCH + days * 86_400), 0)


def _fill(path: Path) -> None:
    try:
        text = path.read_text()
    except UnicodeDecodeError:
        return
    if "@@FAKE:" in text:
        from tests.support.fakes import FAKES

        path.write_text(_FAKE.sub(lambda match: FAKES[match[1]], text))
