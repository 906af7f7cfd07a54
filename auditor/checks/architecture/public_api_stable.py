"""Interfaces that programs outside call, without a written contract, a version, or anything that notices a change.

Passing title: Published interfaces have a contract and versions, and a change to them is noticed
Failing title: Published interfaces can change without anybody noticing
Grading: For interfaces that others than the repository's own pages call. A contract is a committed description (OpenAPI, GraphQL schema, Protocol Buffers), one made from the code, or,
    at less, a document; a missing version and nothing that notices changes weigh further. No contract at all fails where the repository has no pages of its own.
Done when: the description is committed, the pipeline refuses a breaking change of it, and addresses or headers carry a version.
What it cannot see: Who really calls, contracts kept in other repositories, and changes that keep the form and alter the meaning.
"""

from __future__ import annotations

from dataclasses import dataclass

from auditor.checks.published_interfaces import (
    api_routes,
    described_by_hand,
    describes_itself,
    descriptions,
    has_own_pages,
    has_versions,
    outside_callers,
    what_notices_changes,
)
from auditor.checks.registry import check
from auditor.model.artifacts import CiWorkflow, Documents, Manifests
from auditor.model.evidence import Route, Routes
from auditor.model.needs import CI, DOCUMENTS, MANIFESTS, PROJECT, ROUTES, SNAPSHOT, SYNTAX
from auditor.model.project import SERVING, Project
from auditor.model.snapshot import Snapshot
from auditor.model.syntax import Syntax
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable, Place
from auditor.words import plural

_NO_CONTRACT = 0.7
_NO_CONTRACT_BUT_VERSIONS = 0.6
_MOST_PARTIAL = 0.55
_KIND = {"committed": 0.0, "generated": 0.1, "by hand": 0.2}
_NO_VERSION, _UNNOTICED = 0.2, 0.25


@dataclass(frozen=True, slots=True)
class _Contract:
    """How an interface is described: `kind` is a key of the weights, "" for not at all; `by` says with what."""

    kind: str
    by: str


@check("architecture.public-api-stable", needs=(ROUTES, PROJECT, SNAPSHOT, SYNTAX, MANIFESTS, CI, DOCUMENTS))
def public_api_stable(  # noqa: PLR0917 - evidence comes by position
    routes: Routes,
    project: Project,
    snapshot: Snapshot,
    syntax: Syntax,
    manifests: Manifests,
    workflows: tuple[CiWorkflow, ...],
    documents: Documents,
) -> Judgement:
    """Contract, version and watch of the interface, where anybody outside calls it."""
    published = api_routes(routes)
    if not published or not project.has(*SERVING):
        return NotApplicable("No endpoint that programs could call was found: there is no published interface.")
    callers = outside_callers(snapshot, syntax, project, routes, documents)
    if callers is None and has_own_pages(project):
        return NotApplicable(
            f"{plural(len(published), 'endpoint')} and the pages that call them lie in one repository, and nothing shows that others call them too."
        )
    contract = _contract(published, snapshot, syntax, manifests, project, documents)
    versions = has_versions(published, syntax, project, documents)
    notices = what_notices_changes(workflows, snapshot, documents)
    signals = (
        f"endpoints: {len(published)}; called from outside: {callers[1] if callers else 'there are no pages of its own'}",
        f"contract: {f'{contract.kind} ({contract.by})' if contract.kind else 'none'}; versions: {'yes' if versions else 'no'}; changes are noticed: {notices[1] if notices else 'no'}",
    )
    badness = _badness(contract, versions=versions, noticed=notices is not None)
    if has_own_pages(project):
        badness = min(badness, _MOST_PARTIAL)  # the description may be kept elsewhere, beside the documents for its callers
    findings = _findings(published, contract, versions=versions, noticed=notices is not None) if badness else []
    evidence = tuple(place for place in (callers[0] if callers else None, notices[0] if notices else None) if place is not None)
    return Assessed(
        badness,
        1,
        _summary(contract, len(published), versions=versions, noticed=notices is not None),
        0.0,
        tuple(findings),
        evidence,
        signals,
        confidence=Confidence.MEDIUM,
    )


def _contract(  # noqa: PLR0917 - evidence comes by position
    published: tuple[Route, ...], snapshot: Snapshot, syntax: Syntax, manifests: Manifests, project: Project, documents: Documents
) -> _Contract:
    committed = next(descriptions(snapshot), None)
    if committed is not None:
        return _Contract("committed", committed)
    generator = describes_itself(published, manifests, syntax, project)
    if generator:
        return _Contract("generated", generator)
    document = described_by_hand(documents)
    return _Contract("by hand", document.path) if document is not None else _Contract("", "")


def _badness(contract: _Contract, *, versions: bool, noticed: bool) -> float:
    if not contract.kind:
        return _NO_CONTRACT_BUT_VERSIONS if versions else _NO_CONTRACT
    if versions and noticed:
        return 0.0
    weight = _KIND[contract.kind] + (0 if versions else _NO_VERSION) + (0 if noticed else _UNNOTICED)
    return min(_MOST_PARTIAL, weight)


def _summary(contract: _Contract, count: int, *, versions: bool, noticed: bool) -> str:
    has = {
        "committed": "a committed contract",
        "generated": "a contract made from the code",
        "by hand": "a document in place of a contract",
        "": "no contract",
    }[contract.kind]
    rest = f"{'versions' if versions else 'no version'}, and {'something notices changes' if noticed else 'nothing that notices a change'}"
    return f"The published interface of {plural(count, 'endpoint')} has {has}, {rest}."


def _findings(published: tuple[Route, ...], contract: _Contract, *, versions: bool, noticed: bool) -> list[Finding]:
    place = min((route.place for route in published), key=lambda one: (one.path, one.line))
    found = []
    if contract.kind in {"", "by hand"}:
        what = f"only {contract.by} describes" if contract.kind else "nothing describes"
        found.append(
            _finding(
                "no-contract",
                place,
                f"Other programs call {plural(len(published), 'endpoint')}, and {what} what they answer: callers learn of a change when they break.",
                1059,
            )
        )
    if not versions:
        found.append(
            _finding(
                "no-version",
                place,
                "The addresses of the published interface carry no version: whoever changes an answer changes it for all callers at once.",
                0,
            )
        )
    if not noticed:
        kept = (
            f"The contract ({contract.by}) is compared with nothing"
            if contract.kind
            else "Nothing compares the interface before and after a change"
        )
        found.append(_finding("unnoticed-change", place, f"{kept}: a renamed field passes every check and breaks the callers.", 0))
    return found


def _finding(rule: str, place: Place, message: str, cwe: int) -> Finding:
    return Finding(rule, place.path, message, place.line, place.line, Confidence.MEDIUM, cwe=cwe)
