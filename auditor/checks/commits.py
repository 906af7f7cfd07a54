"""What commits change and call themselves, for the checks on the history."""

from __future__ import annotations

import datetime as dt
import re

from auditor.classify import role_by_path
from auditor.model.evidence import Commit, FileChange
from auditor.model.snapshot import READ_LANGUAGES, UNREAD_LANGUAGES, Language, Role

HOUR = 3_600
DAY = 24 * HOUR
SHALLOW = "The clone is shallow: only a part of the history is here. Audit a full clone (`git fetch --unshallow`)."

_CODE = READ_LANGUAGES | UNREAD_LANGUAGES | {Language.SQL, Language.HTML, Language.CSS, Language.SHELL}
_OWN = frozenset({Role.FIRST_PARTY, Role.TEST, Role.SCRIPT, Role.MIGRATION})
_TOOLING = re.compile(r"(?:^|/)(?:extra|releases?|tools?|tooling|hack|ci|dev|devtools|maintenance)/")
"""Folders of tools for the people who work on the product: trying out a release script is no guessing at the product's faults."""
_CONVENTIONAL = re.compile(r"^\s*(?P<type>[a-z]+)(?:\((?P<scope>[^)]{1,60})\))?!?:\s*", re.IGNORECASE)
_FIX = re.compile(
    r"\b(?:hot-?|bug-?)?fix(?:e[sd]|ing)?\b|\bbugs?\b|\brepair(?:s|ed)?\b|\bcorrect(?:s|ed) (?:the |a |an )?(?:bug|error|crash|behaviou?r|handling)|\b(?:corrige|corrigir|corrigido|corregi[rd]\w*|arregla\w*|behebt|behoben|fehler behoben)\b|修复|修正",
    re.IGNORECASE,
)
_NO_FAULT = re.compile(
    r"\b(?:typos?|lint(?:er|ing)?|eslint|ruff|prettier|format(?:ting)?|spelling|grammar|comments?|docs?|documentation|readme|changelog|translations?|i18n|wording|copy|text|styles?|styling|css|colou?rs?|spacing|padding|margins?|align(?:ment)?|layout|icons?|ci|workflows?|build|docker\w*|deps|dependenc(?:y|ies)|types?|typings?|imports?|warnings?|tests?|flaky|merge|conflicts?|version|release)\b",
    re.IGNORECASE,
)
_NO_PRODUCT = frozenset(
    {
        "ci",
        "docs",
        "doc",
        "deps",
        "build",
        "lint",
        "style",
        "test",
        "tests",
        "i18n",
        "types",
        "release",
        "dev",
        "docker",
        "translations",
        "chore",
        "refactor",
        "ui",
        "css",
    }
)


def is_code(path: str) -> bool:
    """Whether a file is code that people of the project write: product, tests, scripts, migrations, in any language."""
    language, role = role_by_path(path)
    return role in _OWN and language in _CODE


def is_production(change: FileChange) -> bool:
    """Whether a change touches source of the product."""
    language, role = role_by_path(change.path)
    return role is Role.FIRST_PARTY and language in READ_LANGUAGES and not _TOOLING.search(change.path)


def touches_test(commit: Commit) -> bool:
    """Whether a commit changes a test."""
    return any(role_by_path(change.path)[1] is Role.TEST for change in commit.changes)


def is_fix(commit: Commit) -> bool:
    """Whether a commit says that it mends a fault of the product, and changes its code.

    Fixes of spelling, looks, types, tests, documents and pipelines mend no behaviour a test would have caught.
    """
    found = _CONVENTIONAL.match(commit.subject)
    if found is not None:
        if found["type"].lower() not in {"fix", "bugfix", "hotfix"} and not _FIX.match(commit.subject):
            return False
        if (found["scope"] or "").lower() in _NO_PRODUCT:
            return False
    elif not _FIX.search(commit.subject):
        return False
    return not _NO_FAULT.search(commit.subject) and any(is_production(change) for change in commit.changes)


def day_of(seconds: int) -> str:
    """The date of a commit's time, ISO 8601."""
    try:
        return dt.datetime.fromtimestamp(seconds, tz=dt.UTC).date().isoformat()
    except (OverflowError, OSError, ValueError):
        return "an impossible date"
