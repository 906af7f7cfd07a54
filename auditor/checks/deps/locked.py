"""Lock files: whether an installation tomorrow gives the same versions as today.

Passing title: Installing tomorrow gives the same versions as today
Failing title: Tomorrow's installation may bring other versions than today's
Grading: Every directory that installs third-party packages counts once. A lock file that holds what the manifest asks for is good; so is a requirements file
    that pins the indirect packages too. A lock that misses declared packages, and direct packages pinned exactly without a lock of the indirect ones, count half;
    ranges and bare names count in full, mixtures in between. If at least one part is locked the item does not fail. Two locks of different tools for one directory,
    and an image that installs where the lock was never copied make it partial; a tool that a production image installs without a version does so with little weight.
    Members of a workspace are linked and need no lock. Pure libraries are left
    out: ranges are right there.
Done when: Each part has one lock file in the repository, made by the tool that installs it, and images and pipelines install from it (`npm ci`, `uv sync --locked`, hashes).
What it cannot see: Whether the platform that builds the product uses the lock, what operating-system packages bring, and locks kept outside the repository.
"""

from __future__ import annotations

from collections.abc import Iterator

from auditor.checks.dependency_groups import TOOL_NAMES, Group, Hold, groups, rival_locks
from auditor.checks.image_installs import Install, Lockless, lockless_installs, named_installs
from auditor.checks.registry import check
from auditor.distributions import POPULAR_NPM, is_known_import
from auditor.model.artifacts import Deployment, Ecosystem, Manifests, TaskFile
from auditor.model.evidence import External, ModuleGraph
from auditor.model.needs import DEPLOYMENT, MANIFESTS, MODULE_GRAPH, PROJECT, TASKS
from auditor.model.project import Kind, Project
from auditor.model.syntax import ImportKind
from auditor.model.verdict import Assessed, Confidence, Finding, NotApplicable, Place
from auditor.words import listed, plural

_PARTIAL = 0.3
_LOOSE_TOOL = 0.1
_CEILING_WITH_A_LOCK = 0.55


@check(  # what of a manifest or lock could not be read is weighed here, part by part, so no role stands against a pass by itself
    "deps.locked",
    needs=(MANIFESTS, PROJECT, DEPLOYMENT),
    corroborating=(MODULE_GRAPH,),
    optional=(TASKS,),
    roles=(),
)
def locked(
    manifests: Manifests, project: Project, deployment: Deployment, graph: ModuleGraph, tasks: tuple[TaskFile, ...] | None
) -> Assessed | NotApplicable:
    """Weigh every directory that installs something."""
    every = groups(manifests, project)
    judged = [group for group in every if not (group.library and group.hold is not Hold.LOCKED)]
    undeclared = list(_without_manifest(manifests, project, graph))
    if not judged and not undeclared:
        if every:
            return NotApplicable("Only libraries are here: ranges are right for them, whoever uses them makes the lock.", _places(every))
        return NotApplicable("No third-party packages are declared or imported.")
    findings = [*undeclared, *(finding for group in judged for finding in _findings(group))]
    side = [*_rivals(manifests), *_image(manifests, deployment, tasks or ())]
    total = len(judged) + len(undeclared)
    bad = sum(_weight(group) for group in judged) + len(undeclared)
    if any(group.hold in {Hold.LOCKED, Hold.OUT_OF_STEP} for group in judged):
        bad = min(bad, _CEILING_WITH_A_LOCK * total)
    unread = tuple((lock.path, lock.problem) for group in judged for lock in group.unread if not _is_binary(lock.problem))
    return Assessed(
        bad=bad,
        total=total,
        floor=_LOOSE_TOOL if side and all(finding.rule == "image-installs-latest" for finding in side) else _PARTIAL if side else 0.0,
        summary=_summary(judged, undeclared, side),
        findings=(*findings, *side),
        evidence=tuple(Place(lock.path, 1) for group in judged if group.hold is Hold.LOCKED for lock in group.locks)[:10],
        signals=tuple(f"{group.where}: {_state(group)}" for group in judged),
        unexamined=unread,
    )


def _is_binary(problem: str) -> bool:
    return problem.startswith("a binary lock file")


def _places(every: tuple[Group, ...]) -> tuple[Place, ...]:
    return tuple(Place(group.manifests[0].path, 1) for group in every)[:10]


def _binary_only(group: Group) -> bool:
    """A lock that exists and is in a form this version does not read: it holds the versions all the same."""
    return not group.locks and any(_is_binary(lock.problem) for lock in group.unread)


def _weight(group: Group) -> float:
    if group.hold is Hold.LOCKED or group.unread:
        return 0.0
    if group.hold in {Hold.OUT_OF_STEP, Hold.PINNED}:
        return 0.5
    return 1 - 0.5 * (1 - len(group.loose) / len(group.wanted))


def _state(group: Group) -> str:
    if _binary_only(group):
        return "a binary lock file"
    if group.unread:
        return "a lock file that cannot be read"
    match group.hold:
        case Hold.LOCKED:
            return f"{listed([lock.kind for lock in group.locks])} holds all {plural(len(group.wanted), 'dependency', 'dependencies')}"
        case Hold.OUT_OF_STEP:
            return f"{listed([lock.kind for lock in group.locks])} misses {listed([entry.name for entry in group.missing])}"
        case Hold.PINNED:
            return f"{plural(len(group.wanted), 'direct dependency', 'direct dependencies')} pinned, the indirect ones open"
        case _:
            return f"{len(group.loose)} of {len(group.wanted)} dependencies without an exact version, no lock"


def _findings(group: Group) -> Iterator[Finding]:
    language = TOOL_NAMES[group.ecosystem]
    if group.hold is Hold.LOCKED or group.unread:
        return
    first = (group.missing or group.loose or group.wanted)[0]
    if group.hold is Hold.OUT_OF_STEP:
        names = listed([entry.name for entry in group.missing])
        message = f"{group.locks[0].path} does not hold {names}, which {first.place.path} asks for: the lock is out of step, so an installation resolves them afresh or stops."
        yield Finding("lock-out-of-step", first.place.path, message, first.place.line, first.place.line)
    elif group.hold is Hold.PINNED:
        message = f"The direct {language} packages of {group.where} are pinned, but what they bring along is not: an indirect package may change under the product overnight."
        yield Finding("indirect-not-locked", first.place.path, message, first.place.line, first.place.line)
    else:
        names = listed([entry.name for entry in group.loose])
        message = f"{names} may come in another version with the next installation of the {language} part in {group.where}: there is no lock file and no exact version."
        yield Finding("no-lock", first.place.path, message, first.place.line, first.place.line)


def _without_manifest(manifests: Manifests, project: Project, graph: ModuleGraph) -> Iterator[Finding]:
    """Third-party imports in a language for which nothing is declared anywhere."""
    declared = {manifest.ecosystem for manifest in manifests.manifests}
    for ecosystem in (Ecosystem.PYPI, Ecosystem.NPM):
        if ecosystem in declared or project.kinds == {Kind.LIBRARY}:
            continue
        uses = [use for use in graph.externals if _counts(use, project) and use.path.endswith(".py") is (ecosystem is Ecosystem.PYPI)]
        known = [use for use in uses if (is_known_import(use.package) if ecosystem is Ecosystem.PYPI else use.package in POPULAR_NPM)]
        if known:
            names = listed(sorted({use.package for use in known}))
            message = f"The code imports {names}, and no file says which packages in which versions to install."
            yield Finding("no-manifest", known[0].path, message, known[0].line, known[0].line)


def _counts(use: External, project: Project) -> bool:
    return use.path in project.production and use.kind is not ImportKind.TYPE_ONLY and not use.guarded


def _rivals(manifests: Manifests) -> Iterator[Finding]:
    for locks in rival_locks(manifests):
        names = listed([lock.path for lock in locks], 4)
        message = f"{names} stand side by side: which versions are installed depends on the tool that somebody happens to use."
        yield Finding("rival-locks", locks[0].path, message, 1, 1)


def _image(manifests: Manifests, deployment: Deployment, tasks: tuple[TaskFile, ...]) -> Iterator[Finding]:
    own = {manifest.name for manifest in manifests.manifests}
    for install in named_installs(deployment):
        loose = [name for name in install.loose if name not in own]
        if loose:
            yield _loose_install(install, loose)
    for step in lockless_installs(deployment, tuple(lock.path for lock in manifests.locks), tasks):
        yield _lockless(step)


def _loose_install(install: Install, loose: list[str]) -> Finding:
    message = f"The production image installs {listed(loose)} in whatever version is newest on the day it is built."
    return Finding("image-installs-latest", install.path, message, install.line, install.line, confidence=Confidence.MEDIUM)


def _lockless(step: Lockless) -> Finding:
    message = f"The image runs {step.tool} without {step.lock} being copied before: it resolves all versions afresh at each build."
    return Finding("image-without-lock", step.path, message, step.line, step.line, confidence=Confidence.MEDIUM)


def _summary(judged: list[Group], undeclared: list[Finding], side: list[Finding]) -> str:
    locked_parts = sum(group.hold is Hold.LOCKED or _binary_only(group) for group in judged)
    total = len(judged) + len(undeclared)
    text = f"{locked_parts} of {plural(total, 'part')} that {'install' if total > 1 else 'installs'} packages {'is' if locked_parts == 1 else 'are'} locked."
    return text + (f" {plural(len(side), 'place')} beside the lock." if side else "")
