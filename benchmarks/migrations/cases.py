"""The set as it lies on disk: one folder per case, the migrations as they lie in a repository, and `expected.json` beside them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

EXPECTATION = "expected.json"


@dataclass(frozen=True, slots=True)
class Expected:
    """What one file does. `tolerated` kinds may be reported or not; `reversible` is None where nothing says how to go back."""

    path: str
    framework: str
    unsafe: frozenset[str]
    tolerated: frozenset[str]
    reversible: bool | str | None
    broken: bool


@dataclass(frozen=True, slots=True)
class Case:
    """One folder: the judged files in the order in which they are applied, and what is wrong with the set as a whole."""

    root: Path
    name: str
    why: str
    database: str
    files: tuple[Expected, ...]
    problems: frozenset[str]
    tolerated_problems: frozenset[str]


def load(roots: list[Path]) -> list[Case]:
    """Every case below the folders, by name."""
    places = [(place.parent, root) for root in roots for place in sorted(root.rglob(EXPECTATION))]
    return [_case(place, place.relative_to(root).as_posix()) for place, root in places]


def _case(folder: Path, name: str) -> Case:
    told = json.loads((folder / EXPECTATION).read_text())
    return Case(
        root=folder,
        name=name if name != "." else folder.name,
        why=told.get("why", ""),
        database=told.get("database", "postgresql"),
        files=tuple(_expected(entry) for entry in told["files"]),
        problems=frozenset(told.get("problems", [])),
        tolerated_problems=frozenset(told.get("tolerated_problems", [])),
    )


def _expected(entry: dict) -> Expected:
    return Expected(
        path=entry["path"],
        framework=entry["framework"],
        unsafe=frozenset(entry["unsafe"]),
        tolerated=frozenset(entry.get("tolerated", [])),
        reversible=entry["reversible"],
        broken=entry.get("broken", False),
    )
