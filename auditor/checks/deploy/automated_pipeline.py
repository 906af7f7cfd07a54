"""Deployment is done by a pipeline from the main line after checks, not by hand.

Passing title: A pipeline delivers what has passed the checks
Failing title: The product goes live by hand
Grading: Pass when every pipeline that deploys, or publishes the image others run, does so only after the tests have passed on the same commit (an earlier step, a job it needs, a workflow
    whose result it looks at). Partial when it delivers untested or only linted commits, when its settings are still stand-ins, when a hosting platform deploys each push by itself, or when
    there is a script a person runs. Fail when nothing in the repository delivers. Previews of pull requests and sites of documentation are no delivery; a pipeline that only a person can
    start is judged where there is no other.
Done when: a commit with a failing test cannot be delivered, and what runs can be traced to a commit of the main line.
What it cannot see: branch protection and required reviews at the host, deployments configured in a platform's console, and what scripts of other repositories do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.checks.commands import Commands
from auditor.checks.deliveries import Delivery, Gate, by_workflow, deliveries
from auditor.checks.recipes import deploying_tasks, deploys
from auditor.checks.registry import check
from auditor.model.artifacts import CiWorkflow, Deployment, Manifests, PlatformFile, TaskFile
from auditor.model.needs import CI, DEPLOYMENT, MANIFESTS, PROJECT, TASKS
from auditor.model.project import RUNNING, Kind, Project
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable, Place, Undecided
from auditor.words import listed, plural

_DEPLOYED = RUNNING | {Kind.FRONTEND, Kind.PIPELINE}
_FROM_GIT = frozenset({"vercel", "netlify", "render", "railway", "digitalocean"})
"""Platforms that deploy each push of the connected branch by themselves."""
_SWITCHED_OFF = re.compile(r"(?:^|\.)(?:autoDeploy|auto_deploy|deploymentEnabled|deploy_on_push|autoDeployTrigger)$")
_OF_DOCUMENTATION = re.compile(
    r"(?:^|[\s/])(?:docs?|documentation|storybook(?:-static)?)(?:/|$|\s)|mkdocs|sphinx|docusaurus|vitepress|typedoc", re.IGNORECASE
)
_AFTER_CHECKS = re.compile(r"(?:^|\.)autoDeployTrigger$")
_GITOPS = re.compile(r"argoproj\.io|fluxcd\.io")
_BASE = re.compile(r"(?:^|[\s/_.-])base(?:$|[\s/_.-])", re.IGNORECASE)
_UNGATED = {Gate.NOTHING: 0.5, Gate.QUALITY: 0.35, Gate.TESTS: 0.0}
_BY_HAND = 0.55


@check("deploy.automated-pipeline", needs=(PROJECT, CI, DEPLOYMENT, MANIFESTS, TASKS))
def automated_pipeline(
    project: Project, workflows: tuple[CiWorkflow, ...], deployment: Deployment, manifests: Manifests, tasks: tuple[TaskFile, ...]
) -> Judgement:
    """Look for deliveries and what stands before them, then for platforms and scripts."""
    if not any(part.kinds & _DEPLOYED for part in project.parts):
        return NotApplicable("Nothing here is deployed as a running system: " + listed(sorted(part.reason for part in project.parts)) + ".")
    found = _own(deliveries(workflows, Commands(manifests, tasks), deployment))
    platforms = [platform for platform in deployment.platforms if platform.platform in _FROM_GIT and not _serves_documentation(platform)]
    signals = (
        f"{plural(len(workflows), 'pipeline file')}, {plural(len(found), 'step')} that deliver; platforms that deploy from git: {listed(sorted({p.platform for p in platforms})) or 'none'}",
    )
    if found:
        return _delivered(found, signals)
    checked = next((place for platform in deployment.platforms if (place := _gated_platform(platform))), None)
    if checked is not None:
        return Assessed(0, 1, "The platform deploys by itself after the checks have passed.", evidence=(checked,), signals=signals)
    unread = [workflow for workflow in workflows if workflow.problem]
    if unread:
        return Undecided(
            f"{unread[0].path} could not be read ({unread[0].problem}): whether it delivers stands there.", (Place(unread[0].path),)
        )
    return _without_pipeline(platforms, [*_scripts(manifests, tasks, deployment)], workflows, signals)


def _own(found: tuple[Delivery, ...]) -> list[Delivery]:
    """Deliveries of the product: not of images it is only built on, and those a person starts only where nothing else does."""
    product = [delivery for delivery in found if not _BASE.search(f"{delivery.step.workflow.path} {delivery.step.workflow.name}")]
    chosen = product or list(found)
    return [delivery for delivery in chosen if delivery.automatic] or chosen


def _delivered(found: list[Delivery], signals: tuple[str, ...]) -> Assessed:
    bad, findings, good = 0.0, [], []
    groups = list(by_workflow(found))
    for _workflow, group in groups:
        weakest = min(group, key=lambda delivery: (delivery.gate, not delivery.unfilled))
        unfilled = next((delivery for delivery in group if delivery.unfilled), None)
        cost = max(_UNGATED[weakest.gate], 0.5 if unfilled else 0.0)
        bad += cost
        if cost:
            findings.append(_finding(unfilled if unfilled and weakest.gate is Gate.TESTS else weakest))
        else:
            good.append(weakest.step.place())
    untested = sum(finding.rule != "pipeline-not-filled-in" for finding in findings)
    summary = f"{plural(len(groups), 'pipeline')} {'delivers' if len(groups) == 1 else 'deliver'} the product, "
    summary += f"{untested} of them without tests on the same commit." if untested else "after the tests have passed."
    return Assessed(bad, len(groups), summary, findings=tuple(dict.fromkeys(findings)), evidence=tuple(good[:3]), signals=signals)


def _finding(delivery: Delivery) -> Finding:
    place = delivery.step.place()
    job = delivery.step.caller.name
    if delivery.gate is Gate.TESTS:
        message = f"The job {job} delivers with {delivery.unfilled} still set to a stand-in: it cannot have brought anything out yet."
        return Finding("pipeline-not-filled-in", place.path, message, place.line, place.line, detector="ci")
    if delivery.gate is Gate.QUALITY:
        message = f"The job {job} delivers after linting or building alone: broken behaviour that compiles goes out."
        return Finding("delivered-without-tests", place.path, message, place.line, place.line, detector="ci")
    message = f"The job {job} delivers without waiting for any check of the same commit: a red test does not stop it."
    return Finding("delivered-unchecked", place.path, message, place.line, place.line, detector="ci")


def _gated_platform(platform: PlatformFile) -> Place | None:
    gated = any(_AFTER_CHECKS.search(key) and value == "checksPass" for key, value in platform.settings)
    return Place(platform.path, 1) if gated else None


def _serves_documentation(platform: PlatformFile) -> bool:
    built = [
        value
        for key, value in platform.settings
        if key.rpartition(".")[2] in {"publish", "command", "buildCommand", "outputDirectory", "base"}
    ]
    return any(_OF_DOCUMENTATION.search(text) for text in [*built, *(script.command for script in platform.commands)])


def _deploys_itself(platform: PlatformFile) -> bool:
    return not any(_SWITCHED_OFF.search(key) and value.lower() in {"false", "no", "off"} for key, value in platform.settings)


def _scripts(manifests: Manifests, tasks: tuple[TaskFile, ...], deployment: Deployment) -> Iterator[tuple[str, Place]]:
    for path, task in deploying_tasks(tasks):
        yield task.name, Place(path, task.place.line)
    for manifest in manifests.manifests:
        for script in manifest.scripts:
            if deploys(script.command):
                yield script.name, script.place
    for platform in deployment.platforms:
        if platform.platform == "replit" and any(key.startswith("deployment.") for key, _ in platform.settings):
            yield "the workspace's deploy button", Place(platform.path, 1)
        elif platform.platform in {"kamal", "ansible", "serverless"}:
            yield platform.platform, Place(platform.path, 1)


def _without_pipeline(
    platforms: list[PlatformFile], scripts: list[tuple[str, Place]], workflows: tuple[CiWorkflow, ...], signals: tuple[str, ...]
) -> Assessed:
    itself = next((platform for platform in platforms if _deploys_itself(platform)), None)
    if itself is not None:
        message = f"{itself.platform.capitalize()} deploys each push by itself; nothing in the repository makes it wait for a check, so a broken commit is live at once."
        finding = Finding("platform-deploys-unchecked", itself.path, message, 1, detector="deployment", confidence=Confidence.MEDIUM)
        return Assessed(0.5, 1, message, findings=(finding,), signals=signals)
    if scripts:
        name, place = scripts[0]
        message = f"A person deploys by hand ({name}): what goes out is what lies on that machine, tested or not, committed or not."
        finding = Finding("deployed-by-hand", place.path, message, place.line, place.line, detector="deployment")
        return Assessed(_BY_HAND, 1, message, findings=(finding,), signals=signals)
    seen = (
        f"the {plural(len(workflows), 'pipeline file')} only {'checks' if len(workflows) == 1 else 'check'} changes"
        if workflows
        else "there is no pipeline"
    )
    message = f"Nothing in the repository delivers the product: {seen}, and no platform file or script does it either."
    path = workflows[0].path if workflows else ""
    return Assessed(1, 1, message, findings=(Finding("no-delivery", path, message, detector="deployment"),), signals=signals)
