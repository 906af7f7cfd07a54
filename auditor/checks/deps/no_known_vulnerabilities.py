"""Known vulnerabilities of the installed packages, from advisory data with a date.

Passing title: No installed package has a known serious hole for which a fix exists
Failing title: Installed packages have known holes, and the fixed versions are out
Grading: Every locked or exactly pinned package is looked up in the advisory data. A critical or high hole of a package that runs in production, with a fixed version
    published, and a package that is itself malware, fail the item, more of them the more clearly; a medium one, or a serious one of a package for development only, makes it partial. Holes that nobody has
    fixed yet, and low ones, are mentioned. Nothing passes unseen: packages without an exact version, indirect packages that no lock names, an ecosystem without
    data, data that covers only some libraries, and data older than 90 days leave the item unknown unless a hole was found.
Done when: The packages named here are at the fixed version, and an updater (Dependabot, Renovate) opens a pull request when the next advisory appears.
What it cannot see: Whether the vulnerable function is ever called, packages of the operating system and base images, and holes that were published after the date of the data.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.checks.dependency_groups import Hold, groups
from auditor.checks.registry import check
from auditor.model.artifacts import Manifests
from auditor.model.evidence import ToolHit, ToolHits
from auditor.model.needs import ADVISORIES, MANIFESTS, PROJECT
from auditor.model.project import Project
from auditor.model.verdict import Assessed, Finding, NotApplicable, Undecided
from auditor.words import listed, plural

_FAIL, _STEP = 0.6, 0.05
_PARTIAL, _MOST_PARTIAL = 0.2, 0.55


@dataclass(frozen=True, slots=True)
class _Affected:
    """A package in one version, with its advisories, the worst first; `grade` is the worst of theirs."""

    package: str
    hits: tuple[ToolHit, ...]
    grade: str


@check("deps.no-known-vulnerabilities", needs=(MANIFESTS, PROJECT), optional=(ADVISORIES,))
def no_known_vulnerabilities(manifests: Manifests, project: Project, advisories: ToolHits | None) -> Assessed | NotApplicable | Undecided:
    """Weigh the advisories of every package once, however many locks name it."""
    if not any(lock.packages or lock.problem for lock in manifests.locks) and not groups(manifests, project):
        return NotApplicable("No third-party packages are declared.")
    if advisories is None:
        return Undecided(f"Nothing was looked up: there is no advisory data. {ADVISORIES.remedy}")
    affected = _affected(advisories)
    serious = [one for one in affected if one.grade == "fail"]
    medium = [one for one in affected if one.grade == "partial"]
    gaps = tuple(sorted({*advisories.unexamined, *_indirect(manifests, project)}))
    packages = {(lock.ecosystem, package.name, package.version) for lock in manifests.locks for package in lock.packages}
    return Assessed(
        bad=len(serious) + 0.5 * len(medium),
        total=max(len(packages), len(affected), 1),
        floor=_floor(len(serious), len(medium)),
        summary=f"{_summary(serious, medium, len(packages))} {_data(advisories)}".rstrip(),
        findings=tuple(_finding(one) for one in (*serious, *medium)),
        signals=(
            *advisories.notes,
            *(f"known and without a published fix, or minor: {_words(one)}" for one in affected if one.grade == "note"),
        )[:20],
        unexamined=gaps,
    )


def _floor(serious: int, medium: int) -> float:
    if serious:
        return min(1.0, _FAIL + _STEP * (serious - 1))
    return min(_MOST_PARTIAL, _PARTIAL + _STEP * (medium - 1)) if medium else 0.0


def _affected(advisories: ToolHits) -> list[_Affected]:
    """One entry for each package and version, at the first place that names it."""
    by_package: defaultdict[str, dict[str, ToolHit]] = defaultdict(dict)
    order = {"fail": 0, "partial": 1, "note": 2}
    for hit in sorted(advisories.hits, key=lambda hit: (order[hit.grade], hit.path.endswith(".txt"), hit.path, hit.line)):
        by_package[hit.message.partition(":")[0]].setdefault(hit.rule, hit)
    found = [_Affected(package, tuple(hits.values()), next(iter(hits.values())).grade) for package, hits in by_package.items()]
    return sorted(found, key=lambda one: (order[one.grade], one.package))


def _indirect(manifests: Manifests, project: Project) -> Iterator[tuple[str, str]]:
    """Lists of direct packages: what these bring along has no version that could be looked up."""
    for group in groups(manifests, project):
        if group.hold is Hold.PINNED:
            yield group.wanted[0].place.path, "only the direct packages have a version here; what they bring along was not looked up"


def _finding(one: _Affected) -> Finding:
    first = one.hits[0]
    name, _, version = one.package.rpartition(" ")
    rules = listed([hit.rule for hit in one.hits], 4)
    if "malicious" in first.message:
        message = f"{name} {version} is known malware ({rules}): whoever installs it runs an attacker's code, on developers' machines and in the pipeline too. Remove it and treat every secret of those machines as stolen."
        return Finding(first.rule, first.path, message, first.line, first.end_line, detector="advisories", cwe=506)
    fixes = [part.removeprefix("fixed in ") for hit in one.hits for part in hit.message.split(", ") if part.startswith("fixed in ")]
    fix = f"{max(fixes, key=_order)} closes all that are closed" if len(one.hits) > 1 else f"{fixes[0]} closes it"
    use = " It is used for development only." if "development only" in first.message else ""
    severity = first.message.split(", ")[1].removeprefix("severity ") if ", " in first.message else ""
    message = f"{name} {version} has {plural(len(one.hits), 'published hole')} ({rules}; severity {severity}): anybody can read how to use {'them' if len(one.hits) > 1 else 'it'}, and {fix}.{use}"
    return Finding(first.rule, first.path, message, first.line, first.end_line, detector="advisories", cwe=first.cwe)


def _order(version: str) -> tuple[int, ...]:
    """A rough order of versions: the numbers in them."""
    return tuple(int(number) for number in re.findall(r"\d{1,9}", version))


def _data(advisories: ToolHits) -> str:
    """What was looked up where, with the data's age and coverage: part of every verdict."""
    return "".join(f"{note[0].upper()}{note[1:]}. " for note in advisories.notes).replace("Pypi:", "PyPI:").rstrip()


def _words(one: _Affected) -> str:
    return f"{one.package} ({listed([hit.rule for hit in one.hits])})"


def _summary(serious: list[_Affected], medium: list[_Affected], packages: int) -> str:
    if serious:
        return f"{plural(len(serious), 'package')} with a serious known hole and a published fix, of {plural(packages, 'package')} with a version."
    if medium:
        return f"{plural(len(medium), 'package')} with a medium known hole, or for development only, of {plural(packages, 'package')} with a version."
    if not packages:
        return "No package has a version that could be looked up."
    return f"No serious hole with a fix is known for the {plural(packages, 'package')} with a version."
