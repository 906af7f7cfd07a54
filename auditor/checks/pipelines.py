"""When a job or step of a pipeline runs, and the steps it comes to when reusable workflows and composite actions are followed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from auditor.model.artifacts import CiJob, CiStep, CiWorkflow
from auditor.model.verdict import Place


class When(IntEnum):
    """How soon after a change something runs, the later the higher."""

    NEVER = 0
    BY_HAND = 1  # manual, scheduled, on tags and releases
    AFTER_MERGE = 2  # on pushes of certain branches only
    ON_CHANGE = 3  # on pull requests, or on pushes of any branch


CHANGE_EVENTS = frozenset({"pull_request", "pull_request_target", "merge_group", "merge_request", "external_pull_request"})
"""Events of changes that are not merged yet."""
_EVERY_BRANCH = re.compile(r"^(?:\*\*?|\*\*/\*|/\.\*/|\.\*)$")
_BY_HAND = re.compile(
    r"^\$?\{?\{?\s*(?:github\.event_name\s*==\s*'(?:workflow_dispatch|schedule|release)'|startsWith\(\s*github\.ref\s*,\s*'refs/tags|github\.ref_type\s*==\s*'tag')|^(?:manual|delayed|tags|schedules|triggers|web|api)$"
    r"|\$CI_COMMIT_TAG\s*$|\$CI_PIPELINE_SOURCE\s*==\s*['\"]schedule['\"]\s*$|eq\(variables\['Build\.Reason'\],\s*'(?:Manual|Schedule)'\)"
)
_AFTER_MERGE = re.compile(
    r"github\.ref(?:_name)?\s*==\s*'|github\.event_name\s*==\s*'push'|\$CI_COMMIT_BRANCH\s*==|github\.event\.pull_request\.merged|variables\['Build\.SourceBranch'\]"
)
_NEVER = re.compile(r"^\s*(?:\$\{\{\s*)?(?:false|0)(?:\s*\}\})?\s*$|^never$|^(?:\$\{\{\s*)?false\s*&&", re.IGNORECASE)
_CALL_DEPTH = 3


def when_workflow(workflow: CiWorkflow) -> When:
    """When a workflow runs by its triggers and branch filters."""
    if CHANGE_EVENTS.intersection(workflow.triggers):
        return When.ON_CHANGE
    if "push" in workflow.triggers:
        everywhere = not workflow.branches or any(_EVERY_BRANCH.match(branch) for branch in workflow.branches)
        return When.ON_CHANGE if everywhere else When.AFTER_MERGE
    return When.BY_HAND if workflow.triggers else When.NEVER


def when_condition(condition: str) -> When:
    """When an `if:` lets its job or step run, as far as it can be told; what cannot be told runs."""
    text = condition.strip()
    if _NEVER.search(text):
        return When.NEVER
    if "||" in text:
        return When.ON_CHANGE
    if _BY_HAND.search(text):
        return When.BY_HAND
    return When.AFTER_MERGE if _AFTER_MERGE.search(text) else When.ON_CHANGE


@dataclass(frozen=True, slots=True)
class RunStep:
    """A step as it runs: in which file it stands, for which job, when, and whether its failure counts.

    `workflow` and `caller`: the workflow that was started and its job, which is another one than `job` when it calls a workflow or an action.
    """

    path: str
    job: CiJob
    step: CiStep
    when: When
    blocks: bool
    workflow: CiWorkflow
    caller: CiJob

    @property
    def directory(self) -> str:
        """Its working directory as written, the job's where it has none; "" for the root."""
        directory = (self.step.directory or self.job.directory).removeprefix("./").strip("/").removeprefix(".")
        root = next((path for step in self.job.steps if (path := _checkout_path(step))), "")
        return directory if not root else directory.removeprefix(root).lstrip("/")

    def place(self, offset: int = 0) -> Place:
        """The line of the step, or of the `offset`th line of its text."""
        line = self.step.line + (offset + 1 if "\n" in self.step.run.strip("\n") or self.step.run.endswith("\n") else 0)
        return Place(self.path, line, line)


def _checkout_path(step: CiStep) -> str:
    """The directory that this repository is checked out to, "" when it is the working directory or another repository."""
    settings = dict(step.with_) if step.uses.startswith("actions/checkout") else {}
    return settings.get("path", "").removeprefix("./").strip("/") if "repository" not in settings else ""


def run_steps(workflows: tuple[CiWorkflow, ...]) -> Iterator[RunStep]:
    """Every step of every workflow that something starts; called workflows and actions are entered, files that cannot be read left out."""
    by_path = {workflow.path: workflow for workflow in workflows}
    for workflow in workflows:
        when = when_workflow(workflow)
        if not workflow.problem and workflow.triggers not in {("workflow_call",), ("action",)}:
            for job in workflow.jobs:
                for path, own, step, now, blocks in _job_steps(workflow, job, when, by_path):
                    yield RunStep(path, own, step, now, blocks, workflow, job)


def _job_steps(
    workflow: CiWorkflow, job: CiJob, when: When, by_path: dict[str, CiWorkflow], *, blocks: bool = True, depth: int = 0
) -> Iterator[tuple[str, CiJob, CiStep, When, bool]]:
    here = min(when, when_condition(job.condition))
    counts = blocks and not job.ignores_failure
    for step in job.steps:
        now = min(here, when_condition(step.condition))
        called = _called(step.uses, by_path)
        if called is not None and depth < _CALL_DEPTH:
            for inner in called.jobs:
                yield from _job_steps(called, inner, now, by_path, blocks=counts and not step.ignores_failure, depth=depth + 1)
        else:
            yield workflow.path, job, step, now, counts and not step.ignores_failure


def _called(uses: str, by_path: dict[str, CiWorkflow]) -> CiWorkflow | None:
    """The workflow or composite action of this tree that a `uses:` names."""
    if not uses.startswith("./"):
        return None
    path = uses.removeprefix("./").rstrip("/")
    return by_path.get(path) or by_path.get(f"{path}/action.yml") or by_path.get(f"{path}/action.yaml")


def with_matrix(run: str, job: CiJob) -> list[str]:
    """A command text with the values of the job's matrix put in; itself when it mentions none."""
    texts = [run]
    for name in dict.fromkeys(re.findall(r"\$\{\{\s*matrix\.([\w.-]{1,60})\s*\}\}", run[:5_000])):
        values = [value for key, value in job.matrix if key == name][:8]
        pattern = re.compile(r"\$\{\{\s*matrix\." + re.escape(name) + r"\s*\}\}")
        if values:
            texts = [value.join(pattern.split(text)) for text in texts for value in values][:16]
    return texts
