"""The repository itself says how it is built and started in production.

Passing title: The repository holds the recipe for building and starting the system
Failing title: Only its maker knows how this is built and started
Grading: For each part that runs somewhere: a container file, platform manifest, deploying pipeline or script builds it, starts a production server and fixes the version of its
    run-time: pass. One of them missing, or a step that cannot work from a clean clone (a copied file that is not there, a build argument nobody takes) is partial, as are
    the framework's own build and start scripts without a manifest. Nothing but instructions for a developer's machine fails. b is the mean over the parts.
    A variant of a container file that copies a lock file nobody has is mentioned as a left-over.
Done when: a clean clone can be built and started with a command that stands in a file of the repository, on a stated version of its run-time, without a development server.
What it cannot see: settings in a hosting platform's console, and whether the build really succeeds (nothing is executed).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from auditor.checks.build_faults import known_paths, lost_arguments, missing_manifests, missing_sources
from auditor.checks.commands import Commands
from auditor.checks.images import is_development_server, leftovers
from auditor.checks.recipes import Recipe, Start, deploying_steps, recipes_of
from auditor.checks.registry import check
from auditor.model.artifacts import CiWorkflow, Deployment, Manifests, PlatformFile, TaskFile
from auditor.model.needs import CI, DEPLOYMENT, MANIFESTS, PROJECT, SNAPSHOT, SYNTAX, TASKS
from auditor.model.project import RUNNING, Kind, Part, Project
from auditor.model.snapshot import Snapshot
from auditor.model.syntax import Syntax
from auditor.model.verdict import Assessed, Finding, Judgement, NotApplicable, Place
from auditor.words import listed, plural

_DEPLOYED = RUNNING | {Kind.FRONTEND, Kind.PIPELINE}
_VERSION_FILES = frozenset(
    {
        ".nvmrc",
        ".node-version",
        ".python-version",
        ".tool-versions",
        "runtime.txt",
        ".bun-version",
        "mise.toml",
        ".mise.toml",
        ".prototools",
        "devenv.nix",
        "flake.nix",
    }
)
_MISSING_COST = {0: 0.0, 1: 0.35}
_CONVENTION = 0.5
_LEFTOVER = 0.05
_SERVERS_OF_DATA = ("postgres", "mysql", "mongodb", "supabase", "firebase", "dynamodb", "neon", "turso")


@dataclass(frozen=True, slots=True)
class _Judged:
    """One part with its badness, what is missing in words and where it is seen."""

    part: Part
    badness: float
    missing: tuple[str, ...]
    recipe: Recipe | None


@check("deploy.build-defined", needs=(SNAPSHOT, PROJECT, DEPLOYMENT, MANIFESTS, TASKS, CI), optional=(SYNTAX,), tolerance=0.05)
def build_defined(  # noqa: PLR0917 - evidence comes by position
    snapshot: Snapshot,
    project: Project,
    deployment: Deployment,
    manifests: Manifests,
    tasks: tuple[TaskFile, ...],
    workflows: tuple[CiWorkflow, ...],
    syntax: Syntax | None,
) -> Judgement:
    """Judge every part that runs somewhere."""
    parts = [part for part in project.parts if part.kinds & _DEPLOYED]
    if not parts:
        return NotApplicable(_not_deployed(project, manifests), tuple(Place(manifest.path) for manifest in manifests.manifests[:2]))
    recipes = recipes_of(deployment, manifests, tasks, workflows, syntax)
    known = known_paths(snapshot)
    left = leftovers(deployment, manifests)
    faults = [
        *(
            finding
            for d in deployment.dockerfiles
            if d.purpose == "production" and d.path not in left
            for finding in missing_sources(d, known)
        ),
        *missing_manifests(deploying_steps(workflows), known),
        *lost_arguments(deployment, workflows),
    ]
    ephemeral = frozenset(platform.path for platform in deployment.platforms if _loses_its_disk(platform))
    sources = _Sources(recipes, snapshot, manifests, tasks, workflows, ephemeral)
    judged = [_judge(part, sources) for part in parts]
    findings = [_finding(entry) for entry in judged if entry.badness] + faults + [_leftover(path) for path in sorted(left)]
    bad = sum(entry.badness for entry in judged)
    good = tuple(entry.recipe.place for entry in judged if entry.recipe and not entry.badness)
    floor = 0.3 if faults or any(entry.badness >= 1 and entry.part.kinds & RUNNING for entry in judged) else 0.0
    if left:
        floor = max(floor, _LEFTOVER)
    seen = listed(sorted({recipe.name for recipe in recipes})) or "nothing"
    return Assessed(
        bad,
        len(judged),
        _summary(judged, faults),
        floor,
        tuple(findings),
        good[:3],
        (f"{plural(len(judged), 'part')} that run somewhere; found: {seen}",),
    )


def _leftover(path: str) -> Finding:
    message = (
        "This container file copies a lock file that is not in the repository: nobody can build it, and whoever tries first loses time."
    )
    return Finding("leftover-container-file", path, message, 1, 1, detector="dockerfile")


def _not_deployed(project: Project, manifests: Manifests) -> str:
    if project.has(Kind.LIBRARY) and any(manifest.publishable for manifest in manifests.manifests):
        return "This is a published package: its package metadata says how it is built."
    return "Nothing here runs as a deployed system: " + listed(sorted(part.reason for part in project.parts)) + "."


@dataclass(frozen=True, slots=True)
class _Sources:
    """What the parts are judged by."""

    recipes: tuple[Recipe, ...]
    snapshot: Snapshot
    manifests: Manifests
    tasks: tuple[TaskFile, ...]
    workflows: tuple[CiWorkflow, ...]
    ephemeral: frozenset[str]


def _judge(part: Part, sources: _Sources) -> _Judged:
    pinned = _is_pinned(part, sources)
    options = []
    for recipe in sources.recipes:
        if _related(recipe.root, part.root):
            missing = _missing(recipe, pinned=pinned)
            if recipe.place.path in sources.ephemeral and part.uses("sqlite") and not part.uses(*_SERVERS_OF_DATA):
                missing = (*missing, "a disk that outlives a restart, which its SQLite file needs")
            options.append(_Judged(part, _MISSING_COST.get(len(missing), 0.5), missing, recipe))
    if options:
        return min(
            options,
            key=lambda entry: (entry.badness, entry.recipe.kind if entry.recipe else "", entry.recipe.place.path if entry.recipe else ""),
        )
    if _follows_convention(part, sources.manifests, sources.tasks):
        return _Judged(part, _CONVENTION, ("a manifest that says where and how it runs",), None)
    return _Judged(part, 1.0, ("any recipe for building and starting it",), None)


def _loses_its_disk(platform: PlatformFile) -> bool:
    """Whether what the program writes to disk is gone with its next instance."""
    target = dict(platform.settings).get("deployment.deploymentTarget", "")
    return platform.platform in {"vercel", "netlify", "heroku", "appengine"} or (
        platform.platform == "replit" and target in {"autoscale", "cloudrun"}
    )


def _missing(recipe: Recipe, *, pinned: bool) -> tuple[str, ...]:
    found = []
    if recipe.start is Start.DEVELOPMENT:
        found.append(f"a production server (it starts {recipe.command[:60]})")
    elif recipe.start is Start.MISSING:
        found.append("the command that starts the production server")
    if not (recipe.pinned or (pinned and recipe.kind != "container")):
        found.append("a fixed version of the run-time")
    return tuple(found)


def _related(recipe: str, part: str) -> bool:
    """Whether a recipe of one directory can be about a part of another: one lies in the other."""
    return not recipe or not part or recipe == part or part.startswith(f"{recipe}/") or recipe.startswith(f"{part}/")


def _is_pinned(part: Part, sources: _Sources) -> bool:
    roots = {part.root, ""}
    if any(file.path.rpartition("/")[2] in _VERSION_FILES and file.path.rpartition("/")[0] in roots for file in sources.snapshot.files):
        return True
    if any(manifest.engines and manifest.root in roots for manifest in sources.manifests.manifests):
        return True
    deploying = {step.job.name for step in deploying_steps(sources.workflows)}
    versions = ("node-version", "python-version", "node-version-file", "python-version-file", "bun-version")
    return any(
        key in versions or re.search(r":\d", job.image)
        for w in sources.workflows
        for job in w.jobs
        if job.name in deploying
        for step in job.steps
        for key, _ in step.with_
    )


def _follows_convention(part: Part, manifests: Manifests, tasks: tuple[TaskFile, ...]) -> bool:
    """Build and start scripts as hosting platforms call them."""
    commands = Commands(manifests, tasks)
    for manifest in manifests.manifests:
        if manifest.kind == "package.json" and manifest.root in {part.root, ""}:
            scripts = {script.name: script.command for script in manifest.scripts}
            started = [
                leaf
                for name in ("start", "serve", "start:prod")
                if name in scripts
                for leaf in commands.leaves(scripts[name], manifest.root)
            ]
            if started and not any(is_development_server(leaf) for leaf in started):
                return True
            if "build" in scripts and part.kinds & {Kind.FRONTEND, Kind.FULLSTACK}:
                return True
    return False


def _finding(entry: _Judged) -> Finding:
    where = entry.part.root or "the repository"
    if entry.recipe is None:
        rule = "convention-only" if entry.badness < 1 else "no-recipe"
        message = (
            f"{where} has the usual build and start scripts and nothing that says on which platform, version and settings they run in production."
            if entry.badness < 1
            else f"Nothing in {where} says how it is built and started in production: on the day the server is lost, the recipe is in somebody's head."
        )
        path = next((framework.place.path for framework in entry.part.frameworks), "")
        return Finding(rule, path, message, detector="deployment")
    place = entry.recipe.place
    message = f"{entry.recipe.name.capitalize()} builds {where}, but it lacks {' and '.join(entry.missing)}."
    rule = "development-server" if entry.recipe.start is Start.DEVELOPMENT else "recipe-incomplete"
    return Finding(rule, place.path, message, place.line, place.end_line or place.line, detector="deployment")


def _summary(judged: list[_Judged], faults: list[Finding]) -> str:
    whole = sum(entry.badness == 0 for entry in judged)
    text = f"{whole} of {plural(len(judged), 'part')} can be built and started in production from what stands in the repository."
    return f"{text} {plural(len(faults), 'step')} of the build cannot work as written." if faults else text
