"""The build pipeline cannot be used to steal secrets or inject code.

Passing title: The pipeline gives strangers' code neither rights nor secrets
Failing title: The pipeline can be turned against the project
Grading: Fail when a stranger can run code with the project's rights: code of a pull request checked out and used under `pull_request_target` or `workflow_run`, text of an issue, title or
    branch pasted into a shell command, or a secret printed into the log. Partial for third-party actions that are not pinned to a commit while they hold rights or secrets,
    jobs with all rights, and a script downloaded and run unchecked. Actions of the platform's maker by tag are accepted; rights that are not
    written down are named, since the repository's settings decide them.
Done when: outside text reaches commands through `env:` only, third-party actions are pinned by commit, each workflow states the least `permissions`, and nothing under `pull_request_target` runs code of the pull request.
What it cannot see: the default rights in the repository's settings, environment protection rules, and what pinned actions themselves do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from auditor.checks.registry import check
from auditor.model.artifacts import CiJob, CiStep, CiWorkflow
from auditor.model.needs import CI
from auditor.model.verdict import Assessed, Finding, Judgement, NotApplicable, Place
from auditor.words import plural

_OUTSIDE = (
    r"github\.(?:event\.(?:issue|pull_request|discussion)\.(?:title|body)|event\.(?:comment|review|review_comment)\.body|event\.pull_request\.head\.(?:ref|label|repo\.default_branch)"
    r"|event\.head_commit\.(?:message|author\.(?:email|name))|event\.commits\b[^}]{0,40}\.(?:message|author)|event\.pages\b[^}]{0,40}page_name|event\.workflow_run\.(?:head_branch|head_commit\.message|display_title)|head_ref)"
)
_INJECTION = re.compile(r"\$\{\{[^}]{0,200}" + _OUTSIDE + r"[^}]{0,200}\}\}")
_COMPARED = re.compile(r"(?:==|!=|contains\(|startsWith\(|endsWith\()")
_SCRIPT_ACTIONS = re.compile(r"^actions/github-script@")
_GITLAB_OUTSIDE = re.compile(
    r"\beval\b[^\n]{0,120}\$\{?CI_(?:COMMIT_(?:MESSAGE|TITLE|DESCRIPTION|REF_NAME|BRANCH)|MERGE_REQUEST_(?:TITLE|DESCRIPTION|SOURCE_BRANCH_NAME))|\b(?:ba)?sh -c [\"'][^\n]{0,120}\$\{?CI_COMMIT_(?:MESSAGE|TITLE)"
)
_PR_HEAD = re.compile(
    r"github\.event\.pull_request\.(?:head|number|merge_commit_sha)|github\.head_ref|refs/pull/|github\.event\.workflow_run\.head|github\.event\.(?:issue\.)?number"
)
_CHECKOUT = re.compile(r"^actions/checkout@")
_FETCHES_HEAD = re.compile(r"\bgh pr checkout\b|\bgit (?:fetch|checkout)\b[^\n]{0,200}(?:pull/|head_ref|pull_request\.head)")
_RUNS_CODE = re.compile(
    r"\b(?:npm|pnpm|yarn|bun|pip|pip3|poetry|uv|make|tox|nox|pytest|python3?|node|npx|cargo|go|mvn|gradlew?|bundle|docker(?: compose)? (?:build|up|run)|turbo|nx)\b|(?:^|\s)\./[\w./-]+|\b(?:ba)?sh [\w./-]+",
    re.MULTILINE,
)
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
_SHOWN = 40


@check("deploy.ci-hardened", needs=(CI,))
def ci_hardened(workflows: tuple[CiWorkflow, ...]) -> Judgement:
    """Judge every pipeline file that could be read."""
    if not workflows:
        return NotApplicable("There is no CI pipeline in the repository.")
    grave: list[Finding] = []
    weak: list[Finding] = []
    for workflow in workflows:
        for job in workflow.jobs:
            grave += _grave(workflow, job)
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
    return Assessed(bad, 1, summary, 0.0, tuple((grave + weak)[:_SHOWN]), evidence, tuple(signals), unreadable)


def _finding(rule: str, workflow: CiWorkflow, line: int, message: str, cwe: int) -> Finding:
    return Finding(rule, workflow.path, message, line, line, detector="ci", cwe=cwe)


def _line(step: CiStep, position: int) -> int:
    """The file's line of a character of the step's text."""
    return step.line + (1 + step.run.count("\n", 0, position) if "\n" in step.run else 0)


def _grave(workflow: CiWorkflow, job: CiJob) -> Iterator[Finding]:
    for step in job.steps:
        yield from _injections(workflow, job, step)
        match = _PRINTED.search(step.run)
        if match and not _MASKED.search(match[0]) and workflow.system == "github":
            message = "A secret is echoed: the log hides only its exact text, and anybody who may read the log gets every other form of it."
            yield _finding("secret-printed", workflow, _line(step, match.start()), message, 532)
    if {"pull_request_target", "workflow_run", "issue_comment"} & set(workflow.triggers):
        yield from _stranger_code(workflow, job)


def _injections(workflow: CiWorkflow, job: CiJob, step: CiStep) -> Iterator[Finding]:
    if workflow.system == "gitlab" and (match := _GITLAB_OUTSIDE.search(step.run)):
        yield _finding(
            "script-injection",
            workflow,
            _line(step, match.start()),
            "The text of a commit or merge request is evaluated as a shell command: its author runs what they like on the runner.",
            94,
        )
    if workflow.system != "github":
        return
    script = dict(step.with_).get("script", "") if _SCRIPT_ACTIONS.match(step.uses) else ""
    for match in _INJECTION.finditer(step.run or script):
        if not _COMPARED.search(match[0]) and _reachable(workflow, match[0]):
            line = _line(step, match.start()) if step.run else step.line
            what = re.search(r"github\.[\w.]+", match[0])
            message = f"The text of {what[0] if what else 'an event'}, which anybody outside can write, is pasted into a command: a branch or title with a quote in it runs their code on the runner of job {job.name}."
            yield _finding("script-injection", workflow, line, message, 94)


def _reachable(workflow: CiWorkflow, expression: str) -> bool:
    """Whether an event of the workflow carries the text, from somebody without write access."""
    triggers = set(workflow.triggers)
    if "head_commit" in expression or "commits" in expression:
        return bool(triggers & {"push", "workflow_call", "action"})
    if "head_ref" in expression or "pull_request" in expression:
        return bool(
            triggers
            & {"pull_request", "pull_request_target", "pull_request_review", "pull_request_review_comment", "workflow_call", "action"}
        )
    return True


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
        elif fetched is not None and (_RUNS_CODE.search(step.run) or step.uses.startswith("./")):
            if _by_members_only(job) or _limited(workflow, job):
                return
            message = f"Code of any stranger's pull request is fetched and run in job {job.name} with the project's own rights and secrets."
            yield _finding("untrusted-checkout", workflow, fetched.line, message, 829)
            return


def _by_members_only(job: CiJob) -> bool:
    return bool(
        re.search(
            r"head\.repo\.full_name\s*==\s*github\.repository|head\.repo\.fork\s*==\s*false|author_association|github\.actor\s*==|event\.label\.name|event\.pull_request\.user\.login\s*==",
            job.condition,
        )
    ) or bool(job.environment)


def _limited(workflow: CiWorkflow, job: CiJob) -> bool:
    """No secret is named in the job and its token may write nothing."""
    permissions = job.permissions or workflow.permissions
    reads = bool(permissions) and all(value in {"read", "none", "read-all"} for _, value in permissions)
    texts = " ".join([*(step.run for step in job.steps), *(value for step in job.steps for _, value in (*step.with_, *step.environment))])
    return reads and "secrets." not in texts


def _weak(workflow: CiWorkflow, job: CiJob) -> Iterator[Finding]:
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
                _line(step, match.start()),
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
