"""Development, test and production do not share their data, and are described.

Passing title: Development and production are separate and described
Failing title: Trying something out happens on the real data
Grading: Pass when files describe at least two environments that people work in (compose files, overlays, settings, platform files, deployments to each, a local copy of the hosted database) or a document
    explains them. Partial when stores and keys come from the environment, so that they can differ, but nothing describes the environments; also when they are described and
    one store is nevertheless fixed in the code. Fail when the address of the one database or hosted project stands in the repository, or when nothing can be set from outside. A set-up for tests alone is no
    second environment. Confidence is medium: names tell little about what is really kept apart.
Done when: a fresh clone starts against a store of its own, production is reached with settings nobody has on a laptop, and a file says how the two are set up.
What it cannot see: values and projects kept in a hosting platform, infrastructure described elsewhere, and whether two settings name the same database.
"""

from __future__ import annotations

import re

from auditor.checks.environments import Described, Fixed, described, fixed_stores
from auditor.checks.registry import check
from auditor.model.artifacts import CiWorkflow, Deployment, Documents
from auditor.model.evidence import Stores
from auditor.model.needs import CI, DEPLOYMENT, DOCUMENTS, PROJECT, SNAPSHOT, STORES, SYNTAX, TEXTS
from auditor.model.project import RUNNING, Kind, Project
from auditor.model.snapshot import Snapshot
from auditor.model.syntax import Syntax
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable, Place
from auditor.words import listed, plural

_DEPLOYED = RUNNING | {Kind.FRONTEND, Kind.PIPELINE}
_BACKING = re.compile(
    r"DATABASE|(?:^|_)DB(?:_|$)|POSTGRES|MYSQL|MONGO|REDIS|SUPABASE|FIREBASE|SQLALCHEMY|SQLITE|NEON|TURSO|DYNAMO|BUCKET|STORAGE|DATA_?DIR|(?:^|_)DSN(?:_|$)|(?:API|BACKEND|SERVER|SERVICE|BASE)_(?:URL|HOST|KEY)|_(?:KEY|TOKEN|SECRET|PASSWORD|ENDPOINT)$",
    re.IGNORECASE,
)
_MODE = re.compile(
    r"^(?:APP_?ENV|ENVIRONMENT|ENV|NODE_ENV|FLASK_ENV|DJANGO_ENV|DJANGO_SETTINGS_MODULE|STAGE|DEPLOY_ENV|VERCEL_ENV|MODE|DEBUG)$"
)
_ALONE = 0.4
_BOTH = 0.35
_SHARED = 0.8
_NOTHING = 0.7


@check("deploy.environments-separate", needs=(PROJECT, SNAPSHOT, SYNTAX, TEXTS, CI, DEPLOYMENT, DOCUMENTS, STORES))
def environments_separate(  # noqa: PLR0917 - evidence comes by position
    project: Project,
    snapshot: Snapshot,
    syntax: Syntax,
    texts: dict[str, str],
    workflows: tuple[CiWorkflow, ...],
    deployment: Deployment,
    documents: Documents,
    stores: Stores,
) -> Judgement:
    """Look for descriptions of environments, for what can be set, and for stores that cannot."""
    if not any(part.kinds & _DEPLOYED for part in project.parts):
        return NotApplicable("Nothing here is deployed as a running system: " + listed(sorted(part.reason for part in project.parts)) + ".")
    ways = described(snapshot, project, syntax, workflows, deployment, documents)
    fixed = fixed_stores(project, syntax, snapshot, texts)
    backing, modes = _settings(project, syntax)
    if not (ways or fixed or backing or modes or stores.relational or stores.document):
        return NotApplicable("Nothing here keeps data or is given an address or a key, so there is nothing that environments could share.")
    signals = (
        f"{plural(len(ways), 'description')} of environments, {plural(len(backing), 'setting')} of stores and keys from the environment, {plural(len(fixed), 'store')} fixed in the repository",
    )
    if fixed:
        return _shared(fixed, ways, signals)
    if ways:
        summary = f"More than one environment is described: {listed([way.what for way in ways])}."
        return Assessed(0, 1, summary, evidence=_places(ways), signals=signals, confidence=Confidence.MEDIUM)
    return _undescribed(backing, modes, stores, signals)


def _settings(project: Project, syntax: Syntax) -> tuple[list[Place], list[Place]]:
    """Reads of the environment in production code: those of stores and keys, and those that name the environment."""
    backing: list[Place] = []
    modes: list[Place] = []
    for facts in syntax.of(project.production):
        for read in facts.environment:
            if _MODE.match(read.name):
                modes.append(Place(facts.path, read.line))
            elif _BACKING.search(read.name):
                backing.append(Place(facts.path, read.line))
        settings = {
            number for number, definition in enumerate(facts.definitions) if any(base.endswith("Settings") for base in definition.bases)
        }
        backing += [
            Place(facts.path, assignment.line)
            for assignment in facts.assignments
            if assignment.scope in settings and _BACKING.search(assignment.target)
        ]
    return backing, modes


def _places(ways: tuple[Described, ...]) -> tuple[Place, ...]:
    return tuple(place for way in ways for place in way.places)[:6]


def _shared(fixed: tuple[Fixed, ...], ways: tuple[Described, ...], signals: tuple[str, ...]) -> Assessed:
    first = fixed[0]
    more = f", {plural(len(fixed) - 1, 'more place', 'more places')} besides" if len(fixed) > 1 else ""
    known = " although several environments are described" if ways else ""
    message = f"{first.what[:1].upper()}{first.what[1:]} is fixed in the repository{more}{known}: a copy that is only there to try something out reaches the same data."
    finding = Finding("one-store-for-all", first.place.path, message, first.place.line, first.place.line, confidence=Confidence.MEDIUM)
    bad = _BOTH if ways else _SHARED
    return Assessed(bad, 1, message, findings=(finding,), evidence=_places(ways), signals=signals, confidence=Confidence.MEDIUM)


def _undescribed(backing: list[Place], modes: list[Place], stores: Stores, signals: tuple[str, ...]) -> Assessed:
    if backing or modes:
        place = (backing or modes)[0]
        message = "Stores and keys can be set from outside, but no file says which environments there are and how each is set up: everybody's copy may point at the real data."
        finding = Finding("environments-undescribed", place.path, message, place.line, place.line, confidence=Confidence.MEDIUM)
        return Assessed(_ALONE, 1, message, findings=(finding,), signals=signals, confidence=Confidence.MEDIUM)
    place = (*stores.relational, *stores.document)[0]
    message = "The store is fixed in the code and nothing about it can be set from outside: there is one environment, and trying something out happens in it."
    finding = Finding("one-environment", place.path, message, place.line, place.line, confidence=Confidence.MEDIUM)
    return Assessed(_NOTHING, 1, message, findings=(finding,), signals=signals, confidence=Confidence.MEDIUM)
