"""Where pipelines bring the product to its users, by deploying or by publishing what others run, and what has to succeed before."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum

from auditor.checks.commands import Commands
from auditor.checks.pipeline_tests import PipelineTest, is_quality, pipeline_tests
from auditor.checks.pipelines import CHANGE_EVENTS, RunStep, When, run_steps
from auditor.checks.recipes import deploying_steps, deploys
from auditor.model.artifacts import CiJob, CiWorkflow, Deployment

_PUBLISHES = re.compile(
    r"^(?:sudo )?(?:docker|podman|buildah)(?: \S+)? push\b|^docker buildx build\b.{0,2000}--push\b|^docker buildx (?:imagetools create|bake\b.{0,500}--push)|^docker manifest push|^docker[ -]compose\b.{0,200}\bpush\b|^crane (?:push|copy)"
    r"|^skopeo copy|^(?:/kaniko/)?executor\b.{0,500}--destination|^helm push|^gcloud builds submit|^az acr build|^fastapi deploy\b|^(?:uv run|uvx|npx|bunx|pnpm dlx) (?:\S+ )?(?:fastapi|vercel|netlify|wrangler|firebase|serverless|sst) deploy\b"
)
_PUBLISH_ACTION = re.compile(
    r"(?:mr-smithers-excellent/docker-build-push|elgohr/publish-docker|redhat-actions/push-to-registry|helm/chart-releaser)", re.IGNORECASE
)
_BUILD_ACTION = re.compile(r"^[\w.-]+/(?:build-push|bake)-action@", re.IGNORECASE)
_LOGIN_ACTION = re.compile(r"^(?:docker/login-action|aws-actions/amazon-ecr-login|azure/docker-login)", re.IGNORECASE)
_NAMED = re.compile(r"(?:^|[\s_./:-])(?:deploy\w*|releas\w+|publish\w*|push|ship)(?:$|[\s_./:-])", re.IGNORECASE)
_ELSEWHERE = re.compile(r"^[\w.-]+/[\w.-]+/\.github/workflows/[^@]*(?:deploy|release|publish|docker|cd\b)", re.IGNORECASE)
_PULL_REQUEST_ONLY = re.compile(r"event_name\s*==\s*'pull_request|\$CI_MERGE_REQUEST|CI_PIPELINE_SOURCE\s*==\s*['\"]merge_request")
_PREVIEW = re.compile(r"(?:^|[\s/_.-])(?:previews?|review[-_ ]?apps?|pr|pull[-_ ]requests?)(?:$|[\s/_.-])", re.IGNORECASE)
_WHATEVER_HAPPENED = re.compile(r"\balways\(\)|!\s*cancelled\(\)|\bfailure\(\)")
_LOOKS_AT_RESULT = re.compile(r"needs\.[\w.-]+\.result\s*==\s*'success'|conclusion\s*==\s*'success'")
_TO_FILL_IN = re.compile(
    r"replace[_-]?me|\b(?:your|my)[_-](?:app|project|region|registry|account|cluster|org|bucket|server|domain|image)\b|<your\b",
    re.IGNORECASE,
)
_WAITS = re.compile(r"wait-on-check|wait-for-(?:check|status|ci)|action-wait-for", re.IGNORECASE)
_CHECKS_WAITED_FOR = re.compile(r"test|\bci\b|check|lint|unit|e2e", re.IGNORECASE)
_IN_SEQUENCE = frozenset(
    {"gitlab", "travis", "jenkins", "bitbucket", "drone", "woodpecker", "cloudbuild", "appveyor", "azure", "buildkite"}
)
"""Systems whose jobs run one stage after the other, in the order they are written, unless they name what they need."""


class Gate(IntEnum):
    """What has to succeed before a delivery, the weakest first."""

    NOTHING = 0
    QUALITY = 1  # lint, types or a build
    TESTS = 2


@dataclass(frozen=True, slots=True)
class Delivery:
    """A step that delivers; `unfilled`: a setting of it that says it is to be filled in ("" when none is)."""

    step: RunStep
    gate: Gate
    unfilled: str

    @property
    def automatic(self) -> bool:
        """Whether something else than a person's click can start it."""
        return bool(set(self.step.workflow.triggers) - {"workflow_dispatch"})


def deliveries(workflows: tuple[CiWorkflow, ...], commands: Commands, deployment: Deployment) -> tuple[Delivery, ...]:
    """Every delivering step; previews of pull requests are left out."""
    steps = [step for step in run_steps(workflows) if step.when is not When.NEVER]
    before = _Before(steps, pipeline_tests(steps, commands, deployment), [step for step in steps if is_quality(step, commands)])
    known = {(step.path, step.step.line) for step in deploying_steps(workflows)}
    return tuple(
        Delivery(step, before.gate(number), _unfilled(step))
        for number, step in enumerate(steps)
        if not _for_pull_requests(step) and _delivers(step, steps, commands, known)
    )


def _for_pull_requests(step: RunStep) -> bool:
    if step.workflow.triggers and CHANGE_EVENTS.issuperset(step.workflow.triggers):
        return True
    conditions = f"{step.caller.condition} {step.job.condition} {step.step.condition}"
    return bool(_PULL_REQUEST_ONLY.search(conditions) and "||" not in conditions) or any(
        _PREVIEW.search(name) for name in (step.job.environment, step.workflow.path, step.workflow.name)
    )


def _delivers(step: RunStep, steps: list[RunStep], commands: Commands, known: set[tuple[str, int]]) -> bool:
    uses = step.step.uses
    if uses:
        settings = dict(step.step.with_)
        if _BUILD_ACTION.match(uses):
            pushed = settings.get("push", "false").lower() != "false"
            return pushed or any("push=true" in settings.get(key, "") for key in ("outputs", "output", "set"))
        return (
            (step.path, step.step.line) in known
            or bool(_PUBLISH_ACTION.search(uses))
            or bool(_ELSEWHERE.match(uses) and uses.count("/") > 2)
        )
    leaves = [leaf for leaf in commands.leaves(step.step.run, step.directory) if leaf.words[0] not in {"echo", "printf", "#"}]
    if any(_PUBLISHES.match(leaf.text) or deploys(leaf.text) for leaf in leaves):
        return True
    return bool(leaves) and _after_login(step, steps) and any(_NAMED.search(text) for text in (step.step.name, step.step.run[:400]))


def _after_login(step: RunStep, steps: list[RunStep]) -> bool:
    """Whether the job has logged in to a registry, so that a script called "release" there publishes."""
    return any(
        _LOGIN_ACTION.match(other.step.uses)
        for other in steps
        if other.workflow is step.workflow and other.caller is step.caller and other.job is step.job and other.step.line < step.step.line
    )


def _unfilled(step: RunStep) -> str:
    values = [*step.step.with_, *step.step.environment]
    return next((name for name, value in values if _TO_FILL_IN.search(value)), "")


class _Before:
    """Knows which steps must have succeeded before another one runs."""

    def __init__(self, steps: list[RunStep], tests: list[PipelineTest], quality: list[RunStep]) -> None:
        self._steps = steps
        self._position = {id(step): number for number, step in enumerate(steps)}
        self._tests = [test.step for test in tests if test.blocks]
        self._quality = [step for step in quality if step.blocks]

    def gate(self, number: int) -> Gate:
        """The strongest check that stands before the step at this position."""
        step = self._steps[number]
        if any(self._is_before(test, step) for test in self._tests) or self._waits_for_others(step):
            return Gate.TESTS
        return Gate.QUALITY if any(self._is_before(check, step) for check in self._quality) else Gate.NOTHING

    def _is_before(self, check: RunStep, step: RunStep) -> bool:
        if (
            check.workflow is not step.workflow
            or check is step
            or _PULL_REQUEST_ONLY.search(f"{check.job.condition} {check.step.condition}")
        ):
            return False
        if check.caller is not step.caller:
            return self._waits(step.caller, check.caller, step.workflow.jobs, step.workflow.system)
        if check.job is step.job:
            return self._position[id(check)] < self._position[id(step)]
        siblings = tuple({id(s.job): s.job for s in self._steps if s.workflow is step.workflow and s.caller is step.caller}.values())
        return self._waits(step.job, check.job, siblings, step.workflow.system)

    @staticmethod
    def _waits(job: CiJob, for_job: CiJob, jobs: tuple[CiJob, ...], system: str) -> bool:
        """Whether `job` runs only after `for_job` has succeeded."""
        if _WHATEVER_HAPPENED.search(job.condition) and not _LOOKS_AT_RESULT.search(job.condition):
            return False
        if system in _IN_SEQUENCE and not job.needs:
            return jobs.index(for_job) < jobs.index(job) if for_job in jobs and job in jobs else False
        return for_job.name in _closure(job, {other.name: other for other in jobs})

    def _waits_for_others(self, step: RunStep) -> bool:
        """Started by the end of another workflow whose result it looks at, or waiting for named checks."""
        own = [other for other in self._steps if other.workflow is step.workflow]
        elsewhere = any(test.workflow is not step.workflow for test in self._tests)
        if not elsewhere:
            return False
        if "workflow_run" in step.workflow.triggers:
            return any("conclusion" in f"{other.caller.condition} {other.step.condition} {other.step.run}" for other in own)
        needed = _closure(step.caller, {job.name: job for job in step.workflow.jobs}) | {step.caller.name}
        return any(
            _WAITS.search(other.step.uses) and _CHECKS_WAITED_FOR.search(" ".join(value for _, value in other.step.with_) or "checks")
            for other in own
            if other.caller.name in needed
        )


def _closure(job: CiJob, jobs: dict[str, CiJob]) -> frozenset[str]:
    """The names of all jobs that must have succeeded before this one."""
    found: set[str] = set()
    pending = list(job.needs)
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending.extend(jobs[name].needs if name in jobs else ())
    return frozenset(found)


def by_workflow(found: Iterable[Delivery]) -> Iterator[tuple[CiWorkflow, list[Delivery]]]:
    """The deliveries of each workflow, in the order of the workflows."""
    grouped: dict[str, list[Delivery]] = {}
    for delivery in found:
        grouped.setdefault(delivery.step.workflow.path, []).append(delivery)
    for group in grouped.values():
        yield group[0].step.workflow, group
