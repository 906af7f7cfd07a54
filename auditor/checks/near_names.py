"""Hints that a declared package may not be the one that is meant, or may not exist. Hints only: most near misses are honest packages.

One edit from a name that everybody uses, five letters or more: about half of known look-alikes are that near, and so are a few honest names.
"""

from __future__ import annotations

from collections.abc import Iterator

from auditor.checks.dependency_groups import Group
from auditor.checks.rival_libraries import PYTHON_JOBS, SCRIPT_JOBS
from auditor.distributions import ARRIVES_WITH_NPM, ARRIVES_WITH_PYPI, DISTRIBUTIONS, POPULAR_NPM, POPULAR_PYPI
from auditor.model.artifacts import Ecosystem, Manifests, Requirement

_LEAST_LETTERS = 5
_HONEST = frozenset(
    {"preact", "mysql2", "sqlite", "boto", "pypdf3", "kafka", "jinja", "markdown2", "tslint", "mssql", "ijson", "colord", "cssom"}
)
"""Well-known packages of their own, or slips that another rule names."""
_POPULAR = {Ecosystem.PYPI: POPULAR_PYPI, Ecosystem.NPM: POPULAR_NPM}
_REAL = {
    Ecosystem.PYPI: POPULAR_PYPI | {name for table in (ARRIVES_WITH_PYPI, DISTRIBUTIONS) for names in table.values() for name in names},
    Ecosystem.NPM: POPULAR_NPM | {name for names in ARRIVES_WITH_NPM.values() for name in names},
}
_REAL[Ecosystem.PYPI] |= ARRIVES_WITH_PYPI.keys() | {name for job in PYTHON_JOBS for name in job.families}
_REAL[Ecosystem.NPM] |= ARRIVES_WITH_NPM.keys() | {name for job in SCRIPT_JOBS for name in job.families}
"""Names that are surely packages of their own."""


def name_hints(manifests: Manifests, every: tuple[Group, ...]) -> Iterator[str]:
    """One sentence for each name to look at."""
    needed = {
        (lock.ecosystem, name) for lock in manifests.locks for package in lock.packages for name, _ in package.wants if name != package.name
    }
    missing = {(group.ecosystem, entry.name) for group in every for entry in group.missing}
    seen: set[tuple[Ecosystem, str]] = set()
    for manifest in manifests.manifests:
        for entry in manifest.requirements:
            key = (manifest.ecosystem, entry.name)
            if entry.source != "registry" or key in seen or key in needed or entry.name in _REAL[manifest.ecosystem] | _HONEST:
                continue
            seen.add(key)
            near = _near(entry, _POPULAR[manifest.ecosystem])
            if near:
                yield f"{entry.name} ({entry.place.path}:{entry.place.line}) is one letter from {near}: make sure that it is the package that is meant"
            elif key in missing:
                yield f"{entry.name} ({entry.place.path}:{entry.place.line}) is declared and in no lock: verify that it exists"


def _near(entry: Requirement, popular: frozenset[str]) -> str:
    """The popular name one edit away, "" when there is none; a scope or a plural of one's own is no slip."""
    name = entry.name
    if len(name) < _LEAST_LETTERS or name.startswith("@"):
        return ""
    return next((known for known in sorted(popular) if len(known) >= _LEAST_LETTERS and is_one_edit(name, known)), "")


def is_one_edit(one: str, other: str) -> bool:
    """Whether one letter inserted, left out, replaced or exchanged with its neighbour makes one of the other."""
    if one == other or abs(len(one) - len(other)) > 1:
        return False
    start = next((index for index, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    left, right = one[start:], other[start:]
    if len(left) == len(right):
        return left[1:] == right[1:] or (left[:2] == right[:2][::-1] and left[2:] == right[2:])
    return left[1:] == right if len(left) > len(right) else left == right[1:]
