"""Commands, images, pipelines and documents that name files, modules and scripts which are not there.

Passing title: What commands, images and pipelines name is there
Failing title: A start, build or deploy command names something that does not exist
Grading: A command that starts, builds or deploys the product and names something missing fails. Missing in pipelines for checks, other scripts and documents only, it is partial.
Done when: every file, module, script and target that configuration and documents name is in the repository, and each documented command has been run once from a clean clone.
What it cannot see: files that a build or a person makes first, commands that dependencies install, and names put together by a shell.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.checks.build_faults import known_paths, missing_manifests, missing_sources
from auditor.checks.documented_commands import Repository, documented_commands, what_is_missing
from auditor.checks.images import leftovers
from auditor.checks.pipelines import run_steps
from auditor.checks.recipes import deploying_steps, deploys
from auditor.checks.registry import check
from auditor.checks.shell import commands_of, joined
from auditor.checks.start_targets import StartTargets
from auditor.checks.starts import DEVELOPMENT_FILE, Start, starts_of
from auditor.model.artifacts import CiWorkflow, Deployment, Documents, Ecosystem, Manifests, TaskFile
from auditor.model.needs import CI, DEPLOYMENT, DOCUMENTS, MANIFESTS, SNAPSHOT, SYNTAX, TASKS
from auditor.model.snapshot import Snapshot
from auditor.model.syntax import Syntax
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable, Place
from auditor.words import plural

_PRODUCT = re.compile(r"^(?:build|deploy|postinstall|release|serve|start)(?::prod(?:uction)?)?$")
_DOCUMENTS = frozenset({"readme", "contributing", "agent-rules", "runbook"})
_BROUGHT = re.compile(r"\bgit\s+clone\b|\bcurl\b|\bwget\b|\bunzip\b|\btar\s+-?x|^<<", re.MULTILINE)
_FOLDER = re.compile(r"^[\w.-]+(?:/[\w.-]+)*$")
_FETCHES = re.compile(r"download-artifact|cache/restore|checkout-action|clone|actions/cache", re.IGNORECASE)
_MADE = re.compile(
    r"(?:^|/)(?:dist|build|out|output|target|lib|bin|\.next|\.output|standalone|public/build|release|compiled|generated)(?:/|$)"
)


@dataclass(frozen=True, slots=True)
class _Named:
    """Something that a place names; `missing` says what is not there, "" when it is; `vital`: the product is started, built or deployed by it."""

    place: Place
    text: str
    missing: str
    vital: bool


@check("wiring.entry-points-exist", needs=(SNAPSHOT, SYNTAX, MANIFESTS, TASKS, DEPLOYMENT, CI, DOCUMENTS))
def entry_points_exist(  # noqa: PLR0917 - evidence comes by position
    snapshot: Snapshot,
    syntax: Syntax,
    manifests: Manifests,
    tasks: tuple[TaskFile, ...],
    deployment: Deployment,
    workflows: tuple[CiWorkflow, ...],
    documents: Documents,
) -> Judgement:
    """Look up what every command names."""
    repository = Repository(snapshot, manifests, tasks)
    targets = StartTargets(snapshot, syntax, manifests)
    named = [
        *_started(starts_of(deployment, manifests, tasks, workflows), deployment, repository, targets),
        *_console(manifests, targets),
        *_package_scripts(manifests, repository),
        *_pipelines(workflows, repository, targets),
        *_directories(workflows, repository),
    ]
    findings = [
        *_images(deployment, snapshot, leftovers(deployment, manifests)),
        *missing_manifests(deploying_steps(workflows), known_paths(snapshot)),
    ]
    copies = sum(i.keyword in {"COPY", "ADD"} for d in deployment.dockerfiles for i in d.instructions)
    written = list(_written(documents, workflows, repository))
    total = len(named) + len(written) + copies
    if not total:
        return NotApplicable("No manifest, image, pipeline or document names a file, module or script to run.")
    lost = list(dict.fromkeys(one for one in (*named, *written) if one.missing))
    vital = bool(findings) or any(one.vital for one in lost)
    bad = len(lost) + len(findings)
    findings += [_finding(one) for one in sorted(lost, key=lambda one: not one.vital)]
    summary = (
        f"{bad} of {plural(total, 'name')} {'leads' if bad == 1 else 'lead'} to nothing that is there."
        if bad
        else f"All of {plural(total, 'name')} that could be looked up are there."
    )
    return Assessed(
        min(bad, total),
        total,
        summary,
        (0.7 if vital else 0.3) if bad else 0.0,
        tuple(findings),
        tuple(one.place for one in named if not one.missing)[:3],
        (f"looked up: {len(named)} in commands, {copies} copied into images, {len(written)} in documents",),
    )


def _finding(one: _Named) -> Finding:
    where = "The product is started, built or deployed with" if one.vital else "This says to run"
    message = f"{where} `{one.text[:120]}`, and there is {one.missing}: whoever runs it gets an error."
    rule = "missing-start" if one.vital else "missing-command"
    return Finding(rule, one.place.path, message, one.place.line, one.place.end_line, confidence=Confidence.MEDIUM, detector="manifest")


def _started(starts: tuple[Start, ...], deployment: Deployment, repository: Repository, targets: StartTargets) -> Iterator[_Named]:
    """Start commands of images, platforms, services and packages."""
    texts = {d.path: "\n".join(i.text + " ".join(i.flags) for i in d.instructions) for d in deployment.dockerfiles}
    elsewhere = any(_BROUGHT.search(text) for text in texts.values())
    for start in starts:
        words = start.leaf.words
        missing = targets.missing(words) if words else None
        if missing is None and words and start.by == "package":
            missing = what_is_missing(start.leaf, repository)
        elif missing is None and words:
            missing = _file_missing(start, texts, repository)
        if missing is not None and not (missing and (elsewhere or _MADE.search(start.leaf.text)) and start.by in {"image", "compose"}):
            yield _Named(start.place, start.leaf.text, missing, vital=True)


def _file_missing(start: Start, texts: dict[str, str], repository: Repository) -> str | None:
    """A script that is started where other stages or commands may have put it: only Python files and those a platform starts can be looked up."""
    missing = what_is_missing(start.leaf, repository)
    if not missing or start.by == "platform":
        return missing
    name = missing.split("`")[1].rpartition("/")[2] if "`" in missing else ""
    made = any(text.count(name) > 1 or "--from" in text for text in texts.values()) if name else True
    return None if made or not name.endswith(".py") else missing


def _console(manifests: Manifests, targets: StartTargets) -> Iterator[_Named]:
    """Console scripts of Python packages."""
    for manifest in manifests.manifests:
        declared = dict(manifest.settings).get("console-scripts", "").split(", ") if manifest.ecosystem is Ecosystem.PYPI else []
        for script in manifest.scripts:
            missing = targets.target(script.command) if script.name in declared and ":" in script.command else None
            if missing is not None:
                yield _Named(script.place, script.command, missing, vital=True)


def _package_scripts(manifests: Manifests, repository: Repository) -> Iterator[_Named]:
    for manifest in manifests.manifests:
        if manifest.kind != "package.json":
            continue
        for script in manifest.scripts:
            for command in commands_of(script.command, manifest.root):
                if command.words[-1:] == ("server.js",) and any(r.name == "next" for r in manifest.requirements):
                    continue  # what Next.js writes for an image of its own
                missing = what_is_missing(command, repository) if command.words else None
                if missing is not None and not (missing and (_MADE.search(command.text) or command.swallowed)):
                    yield _Named(script.place, command.text, missing, vital=bool(_PRODUCT.match(script.name)))


def _pipelines(workflows: tuple[CiWorkflow, ...], repository: Repository, targets: StartTargets) -> Iterator[_Named]:
    for step in run_steps(workflows):
        if not step.step.run or any("repository" in dict(other.with_) for other in step.job.steps):
            continue
        others = "\n".join(other.run for other in step.job.steps if other is not step.step)
        for command in commands_of(step.step.run, step.directory):
            missing = targets.missing(command.words) if command.words else None
            missing = what_is_missing(command, repository) if missing is None and command.words else missing
            if missing is None:
                continue
            name = missing.split("`")[1].rpartition("/")[2] if "`" in missing else ""
            unsure = command.swallowed or _MADE.search(command.text) or (name and (name in others or step.step.run.count(name) > 1))
            if not (missing and unsure):
                yield _Named(step.place(command.line), command.text, missing, vital=deploys(command.text))


def _directories(workflows: tuple[CiWorkflow, ...], repository: Repository) -> Iterator[_Named]:
    """The folders that pipelines run their steps in, each once a file."""
    seen: set[tuple[str, str]] = set()
    for step in run_steps(workflows):
        folder = step.directory
        fetched = any(_FETCHES.search(other.uses) for other in step.job.steps)
        if not step.step.run or fetched or not _FOLDER.match(folder) or (step.path, folder) in seen:
            continue
        seen.add((step.path, folder))
        others = "\n".join(other.run for other in step.job.steps)
        made = folder.rpartition("/")[2] in others or _BROUGHT.search(others) is not None
        lost = folder not in repository.folders and not made
        first = step.step.run.strip().partition("\n")[0]
        yield _Named(step.place(0), first, f"no folder `{folder}` to run it in" if lost else "", vital=deploys(step.step.run))


def _written(documents: Documents, workflows: tuple[CiWorkflow, ...], repository: Repository) -> Iterator[_Named]:
    """Commands of documents; a file that a pipeline names is made when the product is released."""
    made = "\n".join(step.run for workflow in workflows for job in workflow.jobs for step in job.steps)
    for document in documents.documents:
        for one in documented_commands(document, repository) if document.purpose in _DOCUMENTS else ():
            if one.missing is not None and not (one.missing.startswith("no file") and one.missing.split("`")[1].rpartition("/")[2] in made):
                yield _Named(Place(one.path, one.line), one.text, one.missing, vital=False)


def _images(deployment: Deployment, snapshot: Snapshot, variants: frozenset[str]) -> Iterator[Finding]:
    """Files that production images copy, and build contexts of services; variants of an image that nobody builds are left out."""
    known = known_paths(snapshot)
    for dockerfile in deployment.dockerfiles:
        if dockerfile.purpose == "production" and not dockerfile.problem and dockerfile.path not in variants:
            yield from missing_sources(dockerfile, known)
    for service in deployment.compose:
        if not service.build or DEVELOPMENT_FILE.search(service.path) or "://" in service.build:
            continue
        context = joined(service.path.rpartition("/")[0], service.build)
        named = dict(service.settings).get("build.dockerfile", "Dockerfile")
        path = joined(context, named)
        inline = any(key.startswith("build.dockerfile_inline") for key, _ in service.settings)
        if "?" not in {context, path} and not context.startswith("..") and path not in known and not inline:
            message = (
                f"The service {service.name} is built from {path}, which is not in the repository: from a clean clone the build stops here."
            )
            yield Finding("missing-source", service.path, message, service.line, service.line, detector="dockerfile")
