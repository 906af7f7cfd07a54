"""Licences of the packages against the use that the project makes of them.

Passing title: The licences of the packages allow what the product does with them
Failing title: Packages are used in a way that their licences do not allow
Grading: Compared are the project's own licence (its LICENSE text, else what its manifests state; none means closed) and the licences of the packages that production uses, as
    far as a lock states them or they are common knowledge. A closed product with a package under a licence that reaches users over the network (AGPL, SSPL), or with one
    under the GPL in what browsers load, fails the item. A GPL package on the server of a closed product, a GPL or AGPL package in a product that promises milder terms, and a
    package that has to be paid for make it partial. The mildest of several alternatives
    counts; packages for development only do not; LGPL and MPL are no obstacle. A lock that does not state the licences of more than a tenth of its packages
    proves nothing: then the item does not pass.
Done when: A lawyer or the owner has cleared every package named here, or it is replaced, and the pipeline compares licences with a list of allowed ones.
What it cannot see: Licences that no lock states (those of Python and of pnpm and Yarn locks), licences bought, code copied from elsewhere, fonts, images and data,
    and whether the product is handed to others at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.checks.registry import check
from auditor.licences import STATED, Terms, recognise, terms_of
from auditor.model.artifacts import Ecosystem, LockedPackage, LockFile, Manifests
from auditor.model.evidence import ModuleGraph
from auditor.model.needs import MANIFESTS, MODULE_GRAPH, PROJECT, TEXTS
from auditor.model.project import Project, Side
from auditor.model.verdict import Assessed, Confidence, Finding, NotApplicable, Place, Undecided
from auditor.words import listed, plural

_FAIL, _PARTIAL, _STEP, _MOST_PARTIAL = 0.7, 0.3, 0.05, 0.55
_UNSTATED_FROM = 0.1
_LICENCE_FILE = re.compile(r"^(?:LICEN[CS]E|COPYING|UNLICENSE)(?:[-.][\w.-]{1,30})?$", re.IGNORECASE)
_MANIFEST_KEYS = ("license", "project.license", "project.license.text", "tool.poetry.license")
_TOLD = {
    Terms.STRONG: "whoever gets the program may demand all its source code",
    Terms.NETWORK: "every user of the site may demand all its source code",
}


@dataclass(frozen=True, slots=True)
class _Own:
    """The project's own licence as recognised ("" = none), and where it stands."""

    name: str
    place: Place | None

    @property
    def terms(self) -> Terms:
        """What it asks; without one nobody else may use the code, which is as closed as can be."""
        return terms_of(self.name) if self.name else Terms.PAID

    @property
    def words(self) -> str:
        """The product in words."""
        return f"a product under {self.name}" if self.name else "a product without a licence of its own, so closed"


@dataclass(frozen=True, slots=True)
class _Used:
    """A package of production with its stated licence."""

    ecosystem: Ecosystem
    package: LockedPackage
    lock: LockFile
    licence: str
    terms: Terms


@check("deps.licences-compatible", needs=(MANIFESTS, TEXTS, PROJECT), corroborating=(MODULE_GRAPH,), roles=())
def licences_compatible(
    manifests: Manifests, texts: dict[str, str], project: Project, graph: ModuleGraph
) -> Assessed | NotApplicable | Undecided:
    """Weigh every package of production that asks something."""
    if not any(manifest.requirements for manifest in manifests.manifests):
        return NotApplicable("No third-party packages are declared.")
    used = list(_used(manifests))
    own = _own(manifests, texts)
    if own.place is not None and not own.name:
        return Undecided(f"The project's own licence ({own.place.path}) is none that is recognised.", (own.place,))
    in_browser = frozenset(use.package for use in graph.externals if project.sides.get(use.path) is Side.BROWSER)
    judged = [(one, _grade(one, own, in_browser=one.package.name in in_browser)) for one in used]
    fails = [_finding(one, own, grade) for one, grade in judged if grade == "fail"]
    partial = [_finding(one, own, grade) for one, grade in judged if grade == "partial"]
    stating = [one for one in used if one.licence]
    return Assessed(
        bad=0,
        total=0,
        floor=_FAIL if fails else min(_MOST_PARTIAL, _PARTIAL + _STEP * (len(partial) - 1)) if partial else 0.0,
        summary=_summary(own, fails, partial, stating),
        findings=(*fails, *partial),
        evidence=(own.place,) if own.place else (),
        signals=tuple(_signals(own, used, stating)),
        unexamined=tuple(_without_licences(manifests)),
        confidence=Confidence.MEDIUM,
    )


def _own(manifests: Manifests, texts: dict[str, str]) -> _Own:
    """The licence text of the root, else what a manifest of the root states."""
    for path, text in sorted(texts.items()):
        if _LICENCE_FILE.match(path) and text.strip():
            return _Own(recognise(text), Place(path, 1))
    for manifest in manifests.manifests:
        stated = next((value for key, value in manifest.settings if key in _MANIFEST_KEYS), "") if not manifest.root else ""
        if stated and stated.upper() != "UNLICENSED" and terms_of(stated) is not Terms.UNKNOWN:
            return _Own(stated, Place(manifest.path, 1))
    return _Own("", None)


def _known(manifests: Manifests) -> dict[tuple[Ecosystem, str], str]:
    """Licences by package: what any lock states, else what is common knowledge."""
    known = {(ecosystem, name): licence for ecosystem in Ecosystem for name, licence in STATED[ecosystem.value].items()}
    locked = ((lock.ecosystem, package) for lock in manifests.locks for package in lock.packages if package.licence)
    return known | {(ecosystem, package.name): package.licence for ecosystem, package in locked}


def _used(manifests: Manifests) -> Iterator[_Used]:
    """Every locked package of production once, and declared ones whose licence is common knowledge where nothing is locked."""
    seen: set[tuple[Ecosystem, str]] = set()
    known = _known(manifests)
    for lock in manifests.locks:
        for package in lock.packages:
            if package.dev or (lock.ecosystem, package.name) in seen:
                continue
            seen.add((lock.ecosystem, package.name))
            licence = package.licence or known.get((lock.ecosystem, package.name), "")
            yield _Used(lock.ecosystem, package, lock, licence, terms_of(licence))
    for manifest in manifests.manifests:
        for entry in manifest.requirements:
            licence = STATED[manifest.ecosystem.value].get(entry.name, "")
            if licence and entry.group == "runtime" and (manifest.ecosystem, entry.name) not in seen:
                seen.add((manifest.ecosystem, entry.name))
                package = LockedPackage(entry.name, "", direct=True, line=entry.place.line)
                yield _Used(manifest.ecosystem, package, LockFile(manifest.path, "", manifest.ecosystem, ""), licence, terms_of(licence))


def _grade(one: _Used, own: _Own, *, in_browser: bool) -> str:
    """How one package weighs in this product: fail, partial, or nothing."""
    match one.terms:
        case Terms.PAID:
            return "partial"
        case Terms.NETWORK if own.terms is Terms.PAID:
            return "fail"
        case Terms.NETWORK:
            return "" if own.terms in {Terms.NETWORK, Terms.STRONG} else "partial"
        case Terms.STRONG if own.terms is Terms.PAID:
            return "fail" if in_browser else "partial"
        case Terms.STRONG:
            return "" if own.terms in {Terms.NETWORK, Terms.STRONG} else "partial"
        case _:
            return ""


def _finding(one: _Used, own: _Own, grade: str) -> Finding:
    name = f"{one.package.name} {one.package.version}".strip()
    if one.terms is Terms.PAID:
        message = f"{name} is under {one.licence}, which is not free for every use: make sure that what this product does with it is paid for or allowed."
    elif grade == "fail":
        message = f"{name} is under {one.licence} and part of {own.words}: {_TOLD[one.terms]}, and a buyer's lawyers will stop at it."
    elif own.terms is Terms.PAID:
        message = f"{name} is under {one.licence} and runs on the server of {own.words}: nothing is owed while it stays there, and {_TOLD[one.terms]} once it is handed to anybody."
    else:
        message = f"{name} is under {one.licence}, and the product promises the milder {own.name}: the whole can be passed on only under the stricter terms."
    line = one.package.line or 1
    return Finding("licence-conflict", one.lock.path, message, line, line, Confidence.MEDIUM)


def _without_licences(manifests: Manifests) -> Iterator[tuple[str, str]]:
    """Locks that state too few licences (older versions of a tool leave them out), and manifests that nothing locks."""
    known = _known(manifests)
    for lock in manifests.locks:
        unstated = [package.name for package in lock.packages if not package.dev and (lock.ecosystem, package.name) not in known]
        if len(unstated) > _UNSTATED_FROM * len(lock.packages):
            yield lock.path, f"states no licence of {len(unstated)} of its {plural(len(lock.packages), 'package')} ({listed(unstated)})"
    roots = {(lock.ecosystem, lock.root) for lock in manifests.locks if lock.packages}
    locked = {ecosystem for ecosystem, root in roots if not root}
    for manifest in manifests.manifests:
        if manifest.requirements and manifest.ecosystem not in locked and (manifest.ecosystem, manifest.root) not in roots:
            yield manifest.path, "its packages are not locked, so their licences are not stated"


def _signals(own: _Own, used: list[_Used], stating: list[_Used]) -> Iterator[str]:
    yield f"own licence: {own.name or 'none'}"
    yield f"{plural(len(stating), 'package')} of production with a stated licence"
    odd = sorted({one.licence for one in used if one.licence and one.terms is Terms.UNKNOWN})
    if odd:
        yield f"licences that are not graded: {listed(odd, 5)}"


def _summary(own: _Own, fails: list[Finding], partial: list[Finding], stating: list[_Used]) -> str:
    if fails:
        return f"{plural(len(fails), 'package')} whose licence does not fit {own.words}."
    if partial:
        return f"{plural(len(partial), 'point')} about licences to be cleared with a lawyer for {own.words}."
    return f"No licence of the {plural(len(stating), 'package')} that {'state' if len(stating) != 1 else 'states'} one stands against {own.words}."
