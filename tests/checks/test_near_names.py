"""Hints about names: near misses of what everybody uses, and names that no lock holds."""

from __future__ import annotations

import pytest

from auditor.checks.dependency_groups import Group, Hold
from auditor.checks.near_names import is_one_edit, name_hints
from auditor.model.artifacts import Ecosystem, LockedPackage, LockFile, Manifest, Manifests, Requirement
from auditor.model.verdict import Place


@pytest.mark.parametrize(
    ("one", "other", "near"),
    [
        ("requests", "requests", False),
        ("requestes", "requests", True),
        ("request", "requests", True),
        ("reqeusts", "requests", True),
        ("raquests", "requests", True),
        ("rquest", "requests", False),
        ("equests", "requests", True),
        ("sqlalchemyy", "sqlalchemy", True),
        ("abcde", "badce", False),
        ("", "a", True),
    ],
)
def test_one_edit(one: str, other: str, near: bool) -> None:
    assert is_one_edit(one, other) is near
    assert is_one_edit(other, one) is near


def hints(ecosystem: Ecosystem, *names: str, lock: tuple[LockedPackage, ...] = (), missing: str = "") -> list[str]:
    entries = tuple(Requirement(name, "", "runtime", Place("m", number)) for number, name in enumerate(names, 1))
    manifest = Manifest("m", "m", ecosystem, "", requirements=entries)
    group = Group(ecosystem, "", (manifest,), (), entries, Hold.OUT_OF_STEP, tuple(entry for entry in entries if entry.name == missing))
    locks = (LockFile("l", "l", ecosystem, "", lock),)
    return [text.partition(" ")[0] for text in name_hints(Manifests((manifest,), locks), (group,))]


def test_only_strange_names_near_popular_ones_are_mentioned() -> None:
    assert hints(Ecosystem.PYPI, "reqeusts", "requests", "numpyy", "flaskk-cors", "six2", "werkzeug") == [
        "reqeusts",
        "numpyy",
        "flaskk-cors",
    ]
    assert hints(Ecosystem.NPM, "expres", "preact", "@own/react", "lodahs") == ["expres", "lodahs"]


def test_what_other_packages_need_is_real() -> None:
    wanting = LockedPackage("a", "1.0.0", wants=(("expres", "1.0.0"),))
    assert hints(Ecosystem.NPM, "expres", lock=(wanting,)) == []


def test_names_that_no_lock_holds_are_to_be_verified() -> None:
    assert hints(Ecosystem.NPM, "made-up-helper", "express", missing="made-up-helper") == ["made-up-helper"]
