"""There is a stated or scripted way back to the previous working version.

Passing title: A bad release can be taken back by a written or scripted step
Failing title: Once a bad release is out, there is no way back
Grading: Pass for a written procedure with its commands or steps, or a script or pipeline that brings an older version back (a version to choose, an undo, an automatic rollback). Partial
    when versions are kept (images tagged by commit or version, releases, tags, a platform that keeps its deployments) and nothing says how to go back. Fail when a deployment writes over
    what runs, when `latest` is the only tag, or when nothing is said about releases at all.
Done when: the documents or a script name the commands that put the previous version back, and somebody has tried them once.
What it cannot see: procedures kept outside the repository, how long the platform keeps old deployments, and whether the data still fits the older version.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.checks.pipelines import RunStep, When, run_steps
from auditor.checks.recipes import KEEPS_RELEASES, deploying_steps, deploying_tasks
from auditor.checks.registry import check
from auditor.model.artifacts import CiWorkflow, Deployment, Document, Documents, Manifests, Section, TaskFile
from auditor.model.evidence import History
from auditor.model.needs import CI, DEPLOYMENT, DOCUMENTS, HISTORY, MANIFESTS, PROJECT, TASKS
from auditor.model.project import RUNNING, Kind, Project
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable, Place
from auditor.words import listed

_UNDO = re.compile(
    r"\bkubectl\s+rollout\s+undo\b|\bhelm\s+rollback\b|\bhelm\s+upgrade\b[^\n]{0,300}--(?:atomic|rollback-on-failure)\b|\b(?:vercel|heroku|railway|kamal|wrangler|netlify|argocd\s+app|cap\s+\w+\s+deploy:|dokku|waypoint|nomad\s+job)\s*(?:rollback|revert)\b"
    r"|\b(?:fly|flyctl)\s+(?:releases\s+rollback|deploy\s+(?:--\S+\s+)*(?:--image|-i)\s)|\beb\s+deploy\b[^\n]{0,80}--version|\bgcloud\s+run\s+services\s+update-traffic\b|\bfirebase\s+hosting:(?:rollback|clone)\b|\bdocker\s+service\s+(?:update\s+--rollback|rollback)\b|\bwrangler\s+(?:rollback|versions\s+deploy)\b|\bdep\s+rollback\b|\bheroku\s+releases:rollback\b|\bvercel\s+(?:promote|alias\s+set)\b|\bgcloud\s+app\s+services\s+set-traffic\b"
)
_AUTOMATIC = re.compile(
    r"(?:^|\.)(?:auto_rollback|rollback_config\.\w+|update_config\.failure_action|deploy\.update_config\.failure_action|deploymentPreference\.type|deployment_circuit_breaker|kind)$"
)
_TITLE = re.compile(
    r"\b(?:roll(?:ing)?[- ]?back|rollback|roll back|backing out|back ?out|(?:go(?:ing)?|get(?:ting)?) back to (?:the |an? )?(?:previous|older|earlier)|downgrad(?:e|ing)|revert(?:ing)? (?:a |the |to )?(?:bad )?(?:deploy\w*|release|version|previous|an? (?:older|earlier|previous))|undo(?:ing)? (?:a |the )?(?:deploy\w*|release)"
    r"|r[üu]ckg[äa]ngig|zur[üu]ckrollen|restaurar versi[óo]n|version pr[ée]c[ée]dente|vuelta atr[áa]s|回滚|ロールバック)",
    re.IGNORECASE,
)
_STEP = re.compile(r"^\s{0,8}(?:\d{1,2}[.)]|[-*+])\s+\S", re.MULTILINE)
_ABOUT_RELEASES = re.compile(
    r"\b(?:deploy\w*|release\w*|version\w*|image\w*|revision\w*|tag\w*|container\w*|previous|older|restart|redeploy|checkout|kubectl|helm|docker|pull|snapshot|promote)\b",
    re.IGNORECASE,
)
_BACK_STEP = re.compile(
    r"\b(?:re-?deploy|deploy|revert|check ?out|restore|switch|promote|re-?run|set|pin|pull|push|start|install|select|choose|pick|click|point|re-?tag|use|run|apply|go back|roll(?:ing)?[- ]?back)\b[^\n]{0,80}"
    r"\b(?:previous|older|earlier|prior|last|known|tag|image|release|commit|revision|version|snapshot|backup|deployment|history)",
    re.IGNORECASE,
)
"""Something to do with an older version, as instructions in words say it."""
_COMMAND = re.compile(r"`[^`\n]{4,200}`")
_DATABASE_ONLY = re.compile(
    r"\b(?:migration|alembic|schema|transaction|savepoint|session\.rollback|downgrade base|migrate:rollback|database)\b", re.IGNORECASE
)
_PLANS = re.compile(
    r"(?:^|/)(?:\.[a-z]+|skills?|specs?|plans?|prds?|prompts?|history|adr|adrs|rfcs?|proposals?|agents?|commands)/", re.IGNORECASE
)
_REFUSED = re.compile(
    r"\b(?:todo|tbd|coming soon|not (?:yet )?(?:supported|possible|available|implemented)|to be (?:written|defined|done)|no rollback|cannot be rolled back|n/a)\b",
    re.IGNORECASE,
)
_VERSION_INPUT = re.compile(r"version|tag|ref|sha|commit|image|release|revision|rollback|build", re.IGNORECASE)
_VERSIONED = re.compile(
    r"type=(?:sha|semver|pep440|match)|type=ref,event=tag|github\.sha|github\.ref_name|github\.run_(?:number|id)|github\.event\.release\.tag_name|steps\.[\w-]+\.outputs\.(?:tags?|version|sha\w*|hash)|CI_COMMIT_(?:SHORT_)?SHA|CI_COMMIT_TAG|BUILD_(?:NUMBER|SOURCEVERSION)|git rev-parse|git describe|GITHUB_SHA|SHORT_SHA|CIRCLE_SHA1|Build\.BuildId|\$\{?(?:VERSION|TAG|IMAGE_TAG|RELEASE)\b|inputs\.\w*(?:version|tag)"
)
_PUBLISHES = re.compile(
    r"\bdocker(?:x)?\s+(?:buildx\s+)?(?:build|push|tag)\b|\bdocker buildx imagetools create\b|^docker/(?:metadata-action|build-push-action)|docker-build-push",
    re.IGNORECASE,
)
_RELEASES = re.compile(
    r"softprops/action-gh-release|googleapis/release-please|google-github-actions/release-please|changesets/action|ncipollo/release-action|actions/create-release|cycjimmy/semantic-release|goreleaser|\bgh release create\b|\bsemantic-release\b|\brelease-it\b|svenstaro/upload-release|\bchangeset publish\b"
)
_VERSION_TAG = re.compile(r"^(?:[\w.-]{0,40}[@/_-])?v?\d+(?:\.\d+){1,3}(?:[-+.][\w.]+)?$")
_OVERWRITES = re.compile(
    r"\bgit\s+(?:pull|fetch\b[^\n]{0,80}&&[^\n]{0,40}git\s+reset|reset\s+--hard)|\brsync\b[^\n]{0,300}|\bscp\b[^\n]{0,200}|lftp|SamKirkland/FTP|appleboy/scp|easingthemes|burnett01/rsync",
    re.IGNORECASE,
)
_KEEPS_ONE = re.compile(r"\breleases?/|\$\(date|\bln -s\w*\b|current\b[^\n]{0,40}symlink|backup", re.IGNORECASE)


@check("deploy.rollback-path", needs=(PROJECT, DOCUMENTS, DEPLOYMENT, CI, TASKS), optional=(MANIFESTS, HISTORY))
def rollback_path(  # noqa: PLR0917 - evidence comes by position
    project: Project,
    documents: Documents,
    deployment: Deployment,
    workflows: tuple[CiWorkflow, ...],
    tasks: tuple[TaskFile, ...],
    manifests: Manifests | None,
    history: History | None,
) -> Judgement:
    """Look for the way back, then for kept versions, then for what writes over them."""
    if not any(part.kinds & (RUNNING | {Kind.FRONTEND}) for part in project.parts):
        return NotApplicable("Nothing here is deployed as a running system: " + listed(sorted(part.reason for part in project.parts)) + ".")
    ways = [*_written(documents), *_scripted(workflows, tasks, manifests), *_automatic(deployment)]
    signals = (
        "searched: headings and commands about going back in the documents, pipelines with a version to choose, scripts, automatic rollback of platforms",
    )
    if ways:
        reason, _ = ways[0]
        return Assessed(0, 1, f"There is a way back: {reason}.", evidence=tuple(place for _, place in ways[:3]), signals=signals)
    kept = [*_versioned(workflows, deployment), *_platforms(deployment), *_released(workflows, history)]
    over = list(_overwriting(workflows, tasks))
    if kept:
        reason, place = kept[0]
        message = f"Versions are kept ({reason}), but nothing says how to go back to one: at night that is found out by trying."
        finding = Finding("no-procedure", place.path, message, place.line, place.line, detector="deployment")
        return Assessed(0.5, 1, message, findings=(finding,), evidence=tuple(place for _, place in kept[:3] if place.path), signals=signals)
    if over:
        reason, place = over[0]
        message = f"The deployment writes over what runs ({reason}) and keeps no earlier version: after a bad release there is nothing to go back to."
        return Assessed(
            1,
            1,
            message,
            findings=(Finding("overwrites-in-place", place.path, message, place.line, place.line, detector="deployment"),),
            signals=signals,
        )
    message = "Nothing is said about releases: no version, tag, platform or procedure to go back by when a release is bad."
    confidence = Confidence.HIGH if history is not None and not history.shallow else Confidence.MEDIUM
    return Assessed(
        1, 1, message, findings=(Finding("no-releases", "", message, detector="deployment"),), signals=signals, confidence=confidence
    )


def _written(documents: Documents) -> Iterator[tuple[str, Place]]:
    """Sections that tell how to go back; one that stands below a heading about it counts, an empty heading does not."""
    for document in documents.documents:
        if document.purpose in {"changelog", "licence"} or _PLANS.search(document.path):
            continue
        for number, section in enumerate(document.sections):
            undo = next((Place(document.path, line) for _, text, line in section.code if _UNDO.search(text)), None) or _undo_in_text(
                document, section
            )
            if undo is not None:
                yield f"{document.path} names the command", undo
            elif section.level and _TITLE.search(section.title) and _is_procedure(_with_subsections(document, number)):
                yield f"{document.path} has a section “{section.title[:60]}”", Place(document.path, section.line)


def _undo_in_text(document: Document, section: Section) -> Place | None:
    return Place(document.path, section.line) if any(_UNDO.search(match[0]) for match in _COMMAND.finditer(section.text[:20_000])) else None


def _with_subsections(document: Document, number: int) -> list[Section]:
    first = document.sections[number]
    found = [first]
    for section in document.sections[number + 1 : number + 12]:
        if section.level <= first.level:
            break
        found.append(section)
    return found


def _is_procedure(sections: list[Section]) -> bool:
    """Commands or at least two steps about releases; a sentence of intent, or one about the database only, is none."""
    text = "\n".join(section.text for section in sections)[:20_000]
    code = "\n".join(body for section in sections for _, body, _ in section.code)
    if _REFUSED.search(text[:400]) and len(text.split()) < 60:
        return False
    if _DATABASE_ONLY.search(sections[0].title) or (code and not _ABOUT_RELEASES.search(code) and _DATABASE_ONLY.search(code)):
        return False
    if not _ABOUT_RELEASES.search(text + code):
        return False
    told = bool(_BACK_STEP.search(text)) and (len(_STEP.findall(text)) >= 2 or len(text.split()) >= 40)
    return told or bool(code.strip()) or any(_ABOUT_RELEASES.search(match[0]) for match in _COMMAND.finditer(text))


def _scripted(workflows: tuple[CiWorkflow, ...], tasks: tuple[TaskFile, ...], manifests: Manifests | None) -> Iterator[tuple[str, Place]]:
    by_path = {workflow.path: workflow for workflow in workflows}
    for step in run_steps(workflows):
        if _UNDO.search(step.step.run) and step.when != When.NEVER:
            yield "the pipeline undoes a deployment", step.place()
    for step in deploying_steps(workflows):
        workflow = by_path.get(step.path)
        if workflow is not None and "workflow_dispatch" in workflow.triggers and (name := _chosen_version(workflow, step)):
            yield f"the deploying pipeline can be started with a version ({name})", step.place()
    for task_file in tasks:
        for task in task_file.tasks:
            named = re.search(r"roll-?_?back|revert-deploy|downgrade-release", task.name, re.IGNORECASE)
            if (named and _does_something(task.command) and not _DATABASE_ONLY.search(task.command)) or _UNDO.search(task.command):
                yield f"{task_file.path} has the step {task.name}", Place(task_file.path, task.place.line)
    for path, task in deploying_tasks(tasks):
        if re.search(r"\$\{?(?:1\b|TAG|VERSION|IMAGE_TAG|REF|RELEASE|COMMIT)", task.command) and re.search(
            r"docker (?:pull|compose)|kubectl set image|git checkout|helm upgrade", task.command
        ):
            yield f"{path} deploys a version it is given", Place(path, task.place.line)
    for manifest in manifests.manifests if manifests else ():
        for script in manifest.scripts:
            if _UNDO.search(script.command) or (
                re.search(r"rollback", script.name)
                and not _DATABASE_ONLY.search(f"{script.name} {script.command}")
                and not re.search(r"migrat|knex|sequelize|typeorm|prisma|db", script.command)
            ):
                yield f"the script {script.name} of {manifest.path}", script.place


def _does_something(command: str) -> bool:
    return any(line.strip() and not re.match(r"\s*(?:#|echo\b|exit\b|set\b|:)", line) for line in command.splitlines())


def _chosen_version(workflow: CiWorkflow, step: RunStep) -> str:
    """The input by which an older version can be deployed, "" when none reaches the job's steps."""
    texts = " ".join(
        [*(other.run for other in step.job.steps), *(value for other in step.job.steps for _, value in (*other.with_, *other.environment))]
    )
    return next((name for name in workflow.inputs if _VERSION_INPUT.search(name) and re.search(rf"inputs\.{re.escape(name)}\b", texts)), "")


def _automatic(deployment: Deployment) -> Iterator[tuple[str, Place]]:
    for platform in deployment.platforms:
        for key, value in platform.settings:
            if _AUTOMATIC.search(key) and (
                value.lower() in {"true", "rollback", "rollout", "canary"} or value.startswith(("Canary", "Linear"))
            ):
                yield f"{platform.platform} goes back by itself ({key.rpartition('.')[2]})", Place(platform.path, 1)
    for service in deployment.compose:
        if any(key.endswith("failure_action") and value == "rollback" for key, value in service.settings):
            yield "the swarm goes back by itself", Place(service.path, service.line)


def _versioned(workflows: tuple[CiWorkflow, ...], deployment: Deployment) -> Iterator[tuple[str, Place]]:
    for step in run_steps(workflows):
        settings = " ".join(value for key, value in step.step.with_ if key in {"tags", "tag", "images", "image", "imageName"})
        if _PUBLISHES.search(f"{step.step.uses} {step.step.run}".strip()) and _VERSIONED.search(
            settings if step.step.uses else step.step.run
        ):
            yield "images are tagged by commit or version", step.place()
    for platform in deployment.platforms:
        for image in platform.images:
            if platform.platform in {"kubernetes", "helm"} and re.search(r":v?\d+\.\d+", image) and "/" not in image.partition(":")[0]:
                yield f"{platform.path} names a version ({image})", Place(platform.path, 1)


def _platforms(deployment: Deployment) -> Iterator[tuple[str, Place]]:
    for platform in deployment.platforms:
        serving = platform.platform != "replit" or any(key.startswith("deployment.") for key, _ in platform.settings)
        deploys = platform.platform not in {"kubernetes", "helm"} or bool(platform.images)
        if platform.platform in KEEPS_RELEASES and serving and deploys:
            yield f"{platform.platform} keeps earlier deployments", Place(platform.path, 1)


def _released(workflows: tuple[CiWorkflow, ...], history: History | None) -> Iterator[tuple[str, Place]]:
    for step in run_steps(workflows):
        if _RELEASES.search(f"{step.step.uses} {step.step.run}"):
            yield "releases are made by the pipeline", step.place()
    tags = [tag for tag in history.tags if _VERSION_TAG.match(tag)] if history else []
    if tags:
        yield f"version tags such as {tags[0]}", Place("", 0)
    for step in deploying_steps(workflows):
        if re.search(
            r"vercel|netlify|flyctl|fly deploy|render|railway|heroku|wrangler|cloudflare|gcloud (?:run|app)|firebase",
            f"{step.step.uses} {step.step.run}",
            re.IGNORECASE,
        ):
            yield "the platform the pipeline deploys to keeps earlier deployments", step.place()


def _overwriting(workflows: tuple[CiWorkflow, ...], tasks: tuple[TaskFile, ...]) -> Iterator[tuple[str, Place]]:
    for step in deploying_steps(workflows):
        match = _OVERWRITES.search(f"{step.step.uses} {step.step.run} {dict(step.step.with_).get('script', '')}")
        if match and not _KEEPS_ONE.search(step.step.run):
            yield match[0].split("\n")[0][:60].strip(), step.place()
    for path, task in deploying_tasks(tasks):
        match = _OVERWRITES.search(task.command)
        if match and not _KEEPS_ONE.search(task.command):
            yield match[0].split("\n")[0][:60].strip(), Place(path, task.place.line + task.command.count("\n", 0, match.start()))
    for step in run_steps(workflows):
        if re.search(r"docker push\s+\S+:latest\b", step.step.run) or dict(step.step.with_).get("tags", "").strip().endswith(":latest"):
            yield "only the tag latest is published", step.place()
