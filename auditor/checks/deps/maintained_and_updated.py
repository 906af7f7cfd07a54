"""Supported versions of run-times and frameworks, and somebody or something that keeps the packages up to date.

Passing title: What runs is still supported, and its updates are taken care of
Failing title: Something runs in a version that gets no security fixes any more, or nobody updates the packages
Grading: A run-time (Python, Node.js) whose version in production gets no security fixes on the day of the audit, or a framework locked in such a version, fails the item.
    Where several places name a version, the surest counts: the last stage of a production image, then a platform's setting, then version files and engines;
    an ended version that only builds, that only tests run on, that carries the system below, or that one of several images runs makes it partial. So does a repository that neither a service (Dependabot, Renovate, a
    scheduled pipeline) watches nor a person updates: three days with updates of packages in the year before the last commit count as a person. Two or
    more packages in direct use that their authors have given up make it partial, one is mentioned. A range counts as ended when every version it allows is.
Done when: Every version named here has been raised to a supported one, and an updater opens pull requests for all directories with packages.
What it cannot see: Settings of an updater outside the repository, run-times chosen at the hosting platform, how old a package is (age is no fault), paid
    long-term support, and releases after the date of its own table, which count as supported.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from auditor.checks.registry import check
from auditor.end_of_life import AS_OF, ENDS, FRAMEWORKS, GIVEN_UP, TITLES, ended_on, release_of, releases_in
from auditor.model.artifacts import Ecosystem, Firmness, Manifests, RuntimeStatement, Upkeep
from auditor.model.evidence import Commit, History
from auditor.model.needs import HISTORY, MANIFESTS, UPKEEP
from auditor.model.verdict import Assessed, Confidence, Finding, NotApplicable, Place
from auditor.words import listed, plural

_FAIL, _STEP = 0.6, 0.1
_NO_UPDATER, _SLIGHT, _MOST_PARTIAL = 0.3, 0.15, 0.55
_SEVERAL = 2
_DAYS_WITH_UPDATES = 3
_YEAR = 365 * 86_400
_EXACT = re.compile(r"v?\d+(?:\.\d+){0,2}(?:\.[x*])?")
_RUNTIMES = {Ecosystem.PYPI: "python", Ecosystem.NPM: "node"}
_UPDATES = re.compile(
    r"\b(?:bump(?:s|ed)?|upgrad(?:e|es|ed|ing)|renovate|deps|dependenc(?:y|ies))\b|\bupdat(?:e|es|ed|ing)\b.{1,80}(?:\bto v?\d|\bpackages?\b|\brequirements\b|\block\b|\bversions?\b)",
    re.IGNORECASE,
)
_MANIFEST = re.compile(
    r"(?:^|/)(?:package(?:-lock)?\.json|pnpm-lock\.yaml|yarn\.lock|bun\.lockb?|uv\.lock|poetry\.lock|pdm\.lock|Pipfile(?:\.lock)?|pyproject\.toml|setup\.(?:py|cfg)|[\w.-]*requirements[\w./-]*\.(?:txt|in))$"
)
_WHERE = {
    Firmness.IMAGE: "a production image runs on",
    Firmness.PLATFORM: "the hosting platform is told to run",
    Firmness.FILE: "the repository asks for",
    Firmness.BUILD: "an image is built with",
    Firmness.PIPELINE: "the pipeline tests on",
}


@dataclass(frozen=True, slots=True)
class _Stated:
    """A statement with what the tables say: `ended` is the day support ended; `open`: it allows ended and supported versions alike."""

    statement: RuntimeStatement
    ended: str = ""
    open: bool = False


@check("deps.maintained-and-updated", needs=(MANIFESTS, UPKEEP), optional=(HISTORY,), roles=())
def maintained_and_updated(manifests: Manifests, upkeep: Upkeep, history: History | None) -> Assessed | NotApplicable:
    """Weigh run-times, frameworks, packages given up, and updaters."""
    if not any(manifest.requirements for manifest in manifests.manifests):
        return NotApplicable("No third-party packages are declared.")
    date = upkeep.date
    stated = [_weigh(statement, date) for statement in upkeep.runtimes]
    running, slight = _ended(stated)
    serious = [*running, *_frameworks(manifests, date)]
    given_up = list(_given_up(manifests))
    by_hand = _by_hand(history)
    watched = [updater for updater in upkeep.updaters if not updater.fault]
    missing = [] if watched or by_hand else [_no_updater(manifests, upkeep)]
    several = given_up if len(given_up) >= _SEVERAL else []
    partial = _NO_UPDATER * len(missing) + _SLIGHT * len(slight) + _SLIGHT * bool(several)
    return Assessed(
        bad=0,
        total=0,
        floor=min(1.0, _FAIL + _STEP * (len(serious) - 1)) if serious else min(_MOST_PARTIAL, partial),
        summary=_summary(serious, slight, several, missing=bool(missing)),
        findings=(*serious, *missing, *slight, *several),
        evidence=tuple(updater.place for updater in watched)[:5],
        signals=tuple(_signals(stated, by_hand, given_up if not several else [])),
        unexamined=tuple(_untold(manifests, stated)),
    )


def _weigh(statement: RuntimeStatement, date: str) -> _Stated:
    if not statement.version:
        return _Stated(statement)
    if _EXACT.fullmatch(statement.version) or statement.product == "debian":
        return _Stated(statement, ended_on(statement.product, statement.version, date))
    lines = releases_in(statement.product, statement.version)
    if not lines:
        return _Stated(statement, open=True)
    ends = [ended_on(statement.product, line, date) if line != "later" else "" for line in lines]
    return _Stated(statement, max(ends) if all(ends) else "", open=any(ends) and not all(ends))


def _ended(stated: list[_Stated]) -> tuple[list[Finding], list[Finding]]:
    """Versions out of support: those that run in production as far as the surest statements tell, and the others."""
    serious: dict[tuple[str, str], Finding] = {}
    slight: dict[tuple[str, str], Finding] = {}
    for one in stated:
        if not one.ended or _tested_beside_supported(one, stated):
            continue
        key = (one.statement.product, release_of(one.statement.product, one.statement.version) or one.statement.version)
        (serious if _runs(one, stated) else slight).setdefault(key, _finding(one))
    return list(serious.values()), [finding for key, finding in slight.items() if key not in serious]


def _runs(one: _Stated, stated: list[_Stated]) -> bool:
    """Whether production surely runs what a statement says: none is surer, none as sure says another, and no image runs something else in its place."""
    product, firmness = one.statement.product, one.statement.firmness
    if product not in _RUNTIMES.values() or firmness >= Firmness.BUILD or _only_builds(product, stated):
        return False
    rivals = [other for other in stated if other.statement.product == product and not other.open and other.statement.firmness <= firmness]
    return all(other.ended and other.statement.firmness is firmness for other in rivals)


def _only_builds(product: str, stated: list[_Stated]) -> bool:
    """Whether production images exist and none of them runs this product."""
    running = {one.statement.product for one in stated if one.statement.firmness is Firmness.IMAGE}
    return bool(running) and product not in running


def _tested_beside_supported(one: _Stated, stated: list[_Stated]) -> bool:
    """Whether a pipeline tests on this version and on supported ones too: that is care for users of old ones."""
    same = [other for other in stated if other.statement.product == one.statement.product and other.statement.firmness is Firmness.PIPELINE]
    return one.statement.firmness is Firmness.PIPELINE and not all(other.ended for other in same)


def _finding(one: _Stated) -> Finding:
    statement = one.statement
    name = f"{TITLES[statement.product]} {statement.version}"
    message = f"{_WHERE[statement.firmness].capitalize()} {name}, which has had no security fixes since {one.ended}: a hole found in it stays open, and packages stop supporting it."
    return Finding("ended-version", statement.place.path, message, statement.place.line, statement.place.line, cwe=1104)


def _frameworks(manifests: Manifests, date: str) -> Iterator[Finding]:
    """Frameworks in direct use that are locked, pinned or ranged to ended versions."""
    seen: set[tuple[str, str]] = set()
    for ecosystem, name, version, place in _in_use(manifests):
        if name not in FRAMEWORKS[ecosystem.value]:
            continue
        ended = _framework_end(name, version, date)
        key = (name, release_of(name, version))
        if ended and key not in seen:
            seen.add(key)
            message = f"{TITLES[name]} {version} is in use, which has had no security fixes since {ended}: the next hole in it is closed only for versions you do not run."
            yield Finding("ended-framework", place.path, message, place.line, place.line, cwe=1104)


def _framework_end(name: str, version: str, date: str) -> str:
    if _EXACT.fullmatch(version) or re.fullmatch(r"v?\d+\.\d+\.\d+[\w.+-]*", version):
        return ended_on(name, version, date)
    lines = releases_in(name, version) if version else None
    ends = [ended_on(name, line, date) if line != "later" else "" for line in lines or ()]
    return max(ends) if ends and all(ends) else ""


def _in_use(manifests: Manifests) -> Iterator[tuple[Ecosystem, str, str, Place]]:
    """What production asks for directly: the locked versions, or the declared ones where no lock holds the package."""
    asked = {
        (manifest.ecosystem, entry.name): entry
        for manifest in manifests.manifests
        for entry in manifest.requirements
        if entry.group == "runtime" and entry.source == "registry"
    }
    locked = set()
    for lock in manifests.locks:
        for package in lock.packages:
            key = (lock.ecosystem, package.name)
            told = any(one.direct for one in lock.packages)
            if key in asked and (package.direct or not told):
                locked.add(key)
                yield lock.ecosystem, package.name, package.version, Place(lock.path, package.line or 1)
    for (ecosystem, name), entry in asked.items():
        if (ecosystem, name) not in locked:
            yield ecosystem, name, entry.specifier.removeprefix("=="), entry.place


def _given_up(manifests: Manifests) -> Iterator[Finding]:
    """Packages in direct use whose authors say that they are over."""
    said = {
        (lock.ecosystem, package.name): package.deprecated
        for lock in manifests.locks
        for package in lock.packages
        if package.deprecated and package.direct and not package.dev
    }
    seen: set[str] = set()
    for ecosystem, name, version, place in _in_use(manifests):
        instead = GIVEN_UP[ecosystem.value].get(name, "")
        if name in seen or not (instead or (ecosystem, name) in said):
            continue
        seen.add(name)
        what = (
            f"{name} has been given up by its authors ({instead} takes its place)"
            if instead
            else f"{name} {version} is marked as deprecated by its authors"
        )
        message = f"{what}: nobody will close the next hole in it."
        yield Finding("given-up", place.path, message, place.line, place.line, Confidence.MEDIUM, cwe=1104)


def _by_hand(history: History | None) -> int:
    """Days in the year before the last commit on which packages were updated."""
    if history is None or not history.commits:
        return 0
    newest = history.commits[0].when
    days = {commit.when // 86_400 for commit in history.commits if newest - commit.when <= _YEAR and _updates_packages(commit)}
    return len(days) if len(days) >= _DAYS_WITH_UPDATES else 0


def _updates_packages(commit: Commit) -> bool:
    return _UPDATES.search(commit.subject) is not None and any(_MANIFEST.search(change.path) for change in commit.changes)


def _no_updater(manifests: Manifests, upkeep: Upkeep) -> Finding:
    first = min(
        (entry.place for manifest in manifests.manifests for entry in manifest.requirements), key=lambda place: (place.path, place.line)
    )
    if upkeep.updaters:
        broken = upkeep.updaters[0]
        message = f"{broken.tool.capitalize()} is set up, but {broken.fault}: new versions of the packages come to nobody's notice."
        return Finding("no-updater", broken.place.path, message, broken.place.line, broken.place.line)
    message = (
        "Nothing watches the packages for new versions, and the history shows nobody who does: fixes of known holes arrive only by chance."
    )
    return Finding("no-updater", first.path, message, first.line, first.line)


def _untold(manifests: Manifests, stated: list[_Stated]) -> Iterator[tuple[str, str]]:
    """Run-times of which no file says which version is in use."""
    told = {one.statement.product for one in stated if not one.open}
    for ecosystem, product in _RUNTIMES.items():
        if _only_builds(product, stated):
            continue
        declaring = [manifest for manifest in manifests.manifests if manifest.ecosystem is ecosystem and manifest.requirements]
        if declaring and product not in told:
            yield declaring[0].path, f"no file says which version of {TITLES[product]} runs it"


def _signals(stated: list[_Stated], by_hand: int, single: list[Finding]) -> Iterator[str]:
    products = sorted({one.statement.product for one in stated})
    for product in products:
        versions = sorted({one.statement.version or "the newest" for one in stated if one.statement.product == product})
        yield f"{TITLES[product]}: {listed(versions, 6)}"
    if by_hand:
        yield f"packages were updated on {plural(by_hand, 'day')} of the last year"
    for finding in single:
        yield finding.message
    yield f"table of {plural(sum(map(len, ENDS.values())), 'release')} as of {AS_OF}"


def _summary(serious: list[Finding], slight: list[Finding], several: Iterable[Finding], *, missing: bool) -> str:
    parts = []
    if serious:
        parts.append(f"{plural(len(serious), 'version')} in use without security fixes")
    if slight:
        parts.append(f"{plural(len(slight), 'ended version')} beside production")
    if several:
        parts.append("packages that their authors have given up")
    if missing:
        parts.append("nothing and nobody that updates the packages")
    text = ", ".join(parts)
    return f"{text[0].upper()}{text[1:]}." if parts else "Every version that is named is supported, and updates are taken care of."
