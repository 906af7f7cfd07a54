"""The build pipeline cannot be used to steal secrets or inject code.

Passing title: The pipeline gives strangers' code neither rights nor secrets
Failing title: The pipeline can be turned against the project
Grading: Fail when a stranger can run code with the project's rights: code of a pull request checked out and used under `pull_request_target` or `workflow_run`, text of an issue, title or
    branch pasted into a shell command, or a secret printed into the log. Partial for third-party actions that are not pinned to a commit while they hold rights or secrets,
    jobs with all rights or all secrets, pull requests on the owner's own machine, jobs included from files elsewhere that move, and a script downloaded and run unchecked. Actions of the platform's maker by tag are accepted; rights that are not
    written down are named, since the repository's settings decide them.
Done when: outside text reaches commands through `env:` only, third-party actions are pinned by commit, each workflow states the least `permissions`, and nothing under `pull_request_target` runs code of the pull request.
What it cannot see: the default rights in the repository's settings, environment protection rules, and what pinned actions themselves do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from auditor.checks.pipeline_injection import injections, line_of
from auditor.checks.registry import check
from auditor.model.artifacts import CiJob, CiStep, CiWorkflow
from auditor.model.needs import CI
from auditor.model.verdict import Assessed, Finding, Judgement, NotApplicable, Place
from auditor.words import plural

_PR_HEAD = re.compile(
    r"github\.event\.pull_request\.(?:head|number|merge_commit_sha)|github\.head_ref|refs/pull/|github\.event\.workflow_run\.head|github\.event\.(?:issue\.)?number"
)
_CHECKOUT = re.compile(r"^actions/checkout@")
_FETCHES_HEAD = re.compile(r"\bgh pr checkout\b|\bgit (?:fetch|checkout)\b[^\n]{0,200}(?:pull/|head_ref|pull_request\.head)")
_RUNS_CODE = re.compile(
    r"\b(?:npm|pnpm|yarn|bun|pip|pip3|poetry|uv|make|tox|nox|pytest|python3?|node|npx|cargo|go|mvn|gradlew?|bundle|docker(?: compose)? (?:build|up|run)|turbo|nx)\b|(?:^|\s)\./[\w./-]+|\b(?:ba)?sh [\w./-]+",
    re.MULTILINE,
)
_BUILDING_ACTIONS = re.compile(
    r"^(?:docker/(?:build-push-action|bake-action)|bahmutov/npm-install|pre-commit/action|gradle/(?:gradle-build-action|actions/\S*)|pnpm/action-setup|borales/actions-yarn|cypress-io/github-action|golangci/golangci-lint-action|changesets/action|pypa/cibuildwheel|actions-rs/\w+|JamesIves/\S+)@",
    re.IGNORECASE,
)
"""Actions that run what the checked-out tree says: its Dockerfile, its package scripts, its build files."""
_OWN_MACHINE = re.compile(r"\bself-hosted\b")
_ALL_SECRETS = re.compile(r"toJSON\(\s*secrets\s*\)", re.IGNORECASE)
_PRINTED = re.compile(
    r"^[ \t]*(?:echo|printf|cat\s*<<<|Write-(?:Host|Output))\b(?![^\n]{0,300}(?:\||>))[^\n]{0,300}\$\{\{\s*secrets\.(?!GITHUB_TOKEN)\w{1,80}\s*\}\}",
    re.MULTILINE,
)
_MASKED = re.compile(r"::add-mask::|\[\s|!=|==|wc -c|set-output|test -|length|md5sum|sha\d+sum")
_PINNED = re.compile(r"@[0-9a-f]{40}(?:[0-9a-f]{24})?$|@sha256:[0-9a-f]{64}$")
_TRUSTED = re.compile(
    r"^(?:actions|github|docker/(?:build-push-action|login-action|metadata-action|setup-buildx-action|setup-qemu-action|bake-action)|azure|aws-actions|google-github-actions|hashicorp|pypa/gh-action-pypi-publish|microsoft|octokit)(?:/|@)"
)
_MOVING = re.compile(r"@(?:main|master|develop|dev|latest|HEAD|trunk|nightly)$")
_PIPE_TO_SHELL = re.compile(
    r"\b(?:curl|wget)\b[^\n|]{0,300}\|\s*(?:sudo\s+(?:-\S+\s+)?)?(?:ba|z|da)?sh\b|\b(?:ba)?sh\s+<\(\s*(?:curl|wget)\b"
)
_OWN_REMOTE = re.compile(r"https://(?:raw\.githubusercontent\.com/\$\{\{ ?github\.repository|localhost|127\.0\.0\.1)|\bsha256sum\b")


@check("deploy.ci-hardened", needs=(CI,))
def ci_hardened(workflows: tuple[CiWorkflow, ...]) -> Judgement:
    """Judge every pipeline file that could be read."""
    if not workflows:
        return NotApplicable("There is no CI pipeline in the repository.")
    grave: list[Finding] = []
    weak: list[Finding] = []
    others = {workflow.path: workflow for workflow in workflows}
    for workflow in workflows:
        weak += _moving_includes(workflow)
        for job in workflow.jobs:
            grave += _grave(workflow, job, others)
            weak += _weak(workflow, job)
    weak = _grouped(weak)
    unreadable = tuple((workflow.path, workflow.problem) for workflow in workflows if workflow.problem and not workflow.jobs)
    steps = sum(len(job.steps) for workflow in workflows for job in workflow.jobs)
    unstated = [
        w.path
        for w in workflows
        if w.system == "github" and "action" not in w.triggers and not w.permissions and not all(job.permissions for job in w.jobs)
    ]
    signals = [f"{plural(len(workflows), 'pipeline file')} with {plural(steps, 'step')}"]
    if unstated:
        signals.append(f"{plural(len(unstated), 'workflow')} state no permissions: the repository's settings decide them")
    if grave:
        summary = "A stranger can run commands with the pipeline's rights or read its secrets."
    elif weak:
        summary = "Nothing lets a stranger in directly; the pipeline trusts more than it needs to."
    else:
        summary = f"{plural(len(workflows), 'pipeline file')} examined: no outside text in commands, no code of strangers with rights, third-party actions pinned."
    bad = 1.0 if grave else min(0.5, 0.3 + 0.1 * (len({finding.rule for finding in weak}) - 1)) if weak else 0.0
    evidence = () if grave or weak else tuple(Place(workflow.path) for workflow in workflows[:3])
    return Assessed(bad, 1, summary, 0.0, tuple(grave + weak), evidence, tuple(signals), unreadable)


def _finding(rule: str, workflow: CiWorkflow, line: int, message: str, cwe: int) -> Finding:
    return Finding(rule, workflow.path, message, line, line, detector="ci", cwe=cwe)


def _grave(workflow: CiWorkflow, job: CiJob, others: dict[str, CiWorkflow]) -> Iterator[Finding]:
    for place in dict.fromkeys(injections(workflow, job, others)):
        message = f"The text of {place.what}, which anybody outside can write, is pasted into a command: a branch or title with a quote in it runs their code on the runner of job {place.job}."
        if workflow.system == "gitlab":
            message = f"The text of {place.what} is evaluated as a shell command: its author runs what they like on the runner."
        yield Finding("script-injection", place.path, message, place.line, place.line, detector="ci", cwe=94)
    for step in job.steps:
        match = _PRINTED.search(step.run)
        if match and not _MASKED.search(match[0]) and workflow.system == "github":
            message = "A secret is echoed: the log hides only its exact text, and anybody who may read the log gets every other form of it."
            yield _finding("secret-printed", workflow, line_of(step, match.start()), message, 532)
    if {"pull_request_target", "workflow_run", "issue_comment"} & set(workflow.triggers):
        yield from _stranger_code(workflow, job)


def _stranger_code(workflow: CiWorkflow, job: CiJob) -> Iterator[Finding]:
    """A pull request's code checked out and then used, under an event that has the project's rights and secrets."""
    if (
        "issue_comment" in workflow.triggers
        and not {"pull_request_target", "workflow_run"} & set(workflow.triggers)
        and "author_association" in job.condition
    ):
        return
    fetched: CiStep | None = None
    for step in job.steps:
        settings = dict(step.with_)
        if (
            _CHECKOUT.match(step.uses) and _PR_HEAD.search(settings.get("ref", "") + settings.get("repository", ""))
        ) or _FETCHES_HEAD.search(step.run):
            fetched = step
        elif fetched is not None and (_RUNS_CODE.search(step.run) or step.uses.startswith("./") or _BUILDING_ACTIONS.match(step.uses)):
            if _by_members_only(job) or _limited(workflow, job):
                return
            message = f"Code of any stranger's pull request is fetched and run in job {job.name} with the project's own rights and secrets."
            yield _finding("untrusted-checkout", workflow, fetched.line, message, 829)
            return


def _by_members_only(job: CiJob) -> bool:
    return bool(
        re.search(
            r"head\.repo\.full_name\s*==\s*github\.repository|head\.repo\.fork\s*==\s*false|workflow_run\.event\s*==\s*'(?:push|schedule|release|workflow_dispatch)'|head_repository\.(?:full_name\s*==\s*github\.repository|fork\s*==\s*false)|author_association|github\.actor\s*==|event\.label\.name|event\.pull_request\.user\.login\s*==",
            job.condition,
        )
    ) or bool(job.environment)


def _limited(workflow: CiWorkflow, job: CiJob) -> bool:
    """No secret is named in the job and its token may write nothing."""
    permissions = job.permissions or workflow.permissions
    reads = bool(permissions) and all(value in {"read", "none", "read-all"} for _, value in permissions)
    texts = " ".join([*(step.run for step in job.steps), *(value for step in job.steps for _, value in (*step.with_, *step.environment))])
    return reads and "secrets." not in texts


def _trusting(workflow: CiWorkflow, job: CiJob) -> Iterator[Finding]:
    """Settings of a whole job that trust more than they need to."""
    strangers = {"pull_request", "pull_request_target", "issue_comment"} & set(workflow.triggers)
    if workflow.system == "github" and strangers and _OWN_MACHINE.search(job.runner) and not _by_members_only(job):
        message = f"Job {job.name} runs pull requests on the owner's own machine: where strangers may open one, their code stays there after the run."
        yield _finding("own-machine", workflow, job.line, message, 829)
    for step in job.steps:
        variables = (*step.environment, *step.with_)
        if any(key == "ACTIONS_ALLOW_UNSECURE_COMMANDS" and value.lower() == "true" for key, value in variables):
            message = (
                "The old commands of the log are switched on again: whoever gets a line into the log sets variables and paths of the job."
            )
            yield _finding("log-commands", workflow, step.line, message, 77)
        if _ALL_SECRETS.search(step.run) or any(_ALL_SECRETS.search(value) for _, value in variables):
            message = "All secrets of the project are handed to this step, not only those it needs."
            yield _finding("all-secrets", workflow, step.line, message, 250)


def _moving_includes(workflow: CiWorkflow) -> Iterator[Finding]:
    for target, line in workflow.includes:
        message = f"The pipeline takes jobs from {target} as it is on the day: whoever can change that file runs commands here, with this project's variables."
        yield _finding("moving-include", workflow, line, message, 829)


def _weak(workflow: CiWorkflow, job: CiJob) -> Iterator[Finding]:
    yield from _trusting(workflow, job)
    permissions = job.permissions or workflow.permissions
    if ("*", "write-all") in permissions:
        yield _finding(
            "all-rights",
            workflow,
            job.line,
            f"Job {job.name} may write everything in the project: each action it uses can change code, releases and packages.",
            250,
        )
    for step in job.steps:
        match = _PIPE_TO_SHELL.search(step.run)
        if match and not _OWN_REMOTE.search(step.run):
            yield _finding(
                "downloaded-script",
                workflow,
                line_of(step, match.start()),
                "A script is downloaded and run unchecked: whoever controls that address controls the build.",
                494,
            )
        if (
            step.uses
            and workflow.system == "github"
            and "/" in step.uses
            and "@" in step.uses
            and not step.uses.startswith(("./", "docker://"))
        ):
            if _PINNED.search(step.uses) or _TRUSTED.match(step.uses) or _same_owner(step.uses):
                continue
            name, _, reference = step.uses.partition("@")
            if _MOVING.search(step.uses):
                yield _finding(
                    "unpinned-action",
                    workflow,
                    step.line,
                    f"{name} is used at {reference}, a branch that moves every day: what it does tomorrow nobody here has seen.",
                    829,
                )
            elif not _limited(workflow, job):
                yield _finding(
                    "unpinned-action",
                    workflow,
                    step.line,
                    f"{name} is used at {reference}, a tag that its owner can move: if that account is taken over, its code runs here with the project's rights.",
                    829,
                )


def _same_owner(uses: str) -> bool:
    """Reusable workflows are their callers' own more often than not; only actions are judged."""
    return "/.github/workflows/" in uses


def _grouped(findings: list[Finding]) -> list[Finding]:
    """One finding for the same fault: the first place stands for the others, which are counted."""
    places: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        places.setdefault((finding.rule, finding.message), []).append(finding)
    return [
        replace(same[0], message=f"{same[0].message.rstrip('.')} ({plural(len(same), 'place')}).") if len(same) > 1 else same[0]
        for same in places.values()
    ]
