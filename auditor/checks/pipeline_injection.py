"""Text that strangers write, pasted into the commands of a pipeline: directly, through variables, through the inputs of actions and of local actions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.model.artifacts import CiJob, CiStep, CiWorkflow

_OUTSIDE = (
    r"github\.(?:event\.(?:issue|pull_request|discussion)\.(?:title|body)|event\.(?:comment|review|review_comment)\.body|event\.pull_request\.head\.(?:ref|label|repo\.(?:default_branch|description|homepage))"
    r"|event\.head_commit\.(?:message|(?:author|committer)\.(?:email|name))|event\.commits\b[^}]{0,40}\.(?:message|author)|event\.pages\b[^}]{0,40}page_name"
    r"|event\.workflow_run\.(?:head_branch|head_commit\.(?:message|author)|display_title|head_repository\.description)|head_ref)"
)
_INJECTION = re.compile(r"\$\{\{[^}]{0,200}" + _OUTSIDE + r"[^}]{0,200}\}\}")
_COMPARED = re.compile(r"(?:==|!=|contains\(|startsWith\(|endsWith\()")
_VARIABLE = re.compile(r"\$\{\{\s*env\.(\w{1,80})\s*\}\}")
_INPUT = re.compile(r"\$\{\{\s*(?:github\.event\.)?inputs\.([\w-]{1,80})\s*\}\}")
_SCRIPT_INPUTS = frozenset(
    {"script", "run", "command", "commands", "cmd", "inlinescript", "inline-script", "shell-command", "pre-script", "post-script"}
)
"""Inputs of actions that are run as a program, whatever the action."""
_GITLAB_OUTSIDE = re.compile(
    r"\beval\b[^\n]{0,120}\$\{?CI_(?:COMMIT_(?:MESSAGE|TITLE|DESCRIPTION|REF_NAME|BRANCH)|MERGE_REQUEST_(?:TITLE|DESCRIPTION|SOURCE_BRANCH_NAME))|\b(?:ba)?sh -c [\"'][^\n]{0,120}\$\{?CI_COMMIT_(?:MESSAGE|TITLE)"
)


@dataclass(frozen=True, slots=True)
class Injection:
    """One place: its line in the file of the workflow, and the name of what is pasted."""

    path: str
    line: int
    what: str
    job: str


def injections(workflow: CiWorkflow, job: CiJob, others: dict[str, CiWorkflow]) -> Iterator[Injection]:
    """Every place of a job where outside text becomes part of a command; `others` are the pipeline files of the tree by path."""
    for step in job.steps:
        if workflow.system == "gitlab" and (match := _GITLAB_OUTSIDE.search(step.run)):
            yield Injection(workflow.path, line_of(step, match.start()), "a commit or merge request", job.name)
        if workflow.system == "github":
            yield from _direct(workflow, job, step)
            yield from _through_variables(workflow, job, step)
            yield from _through_inputs(workflow, step, others)


def line_of(step: CiStep, position: int) -> int:
    """The file's line of a character of the step's text."""
    return step.line + (1 + step.run.count("\n", 0, position) if "\n" in step.run else 0)


def _programs(step: CiStep) -> tuple[str, ...]:
    """The texts of a step that are run: its own command, or those handed to an action."""
    return (step.run,) if step.run else tuple(value for key, value in step.with_ if key.lower() in _SCRIPT_INPUTS)


def _outside(workflow: CiWorkflow, text: str) -> list[re.Match[str]]:
    return [match for match in _INJECTION.finditer(text) if not _COMPARED.search(match[0]) and _reachable(workflow, match[0])]


def _direct(workflow: CiWorkflow, job: CiJob, step: CiStep) -> Iterator[Injection]:
    for text in _programs(step):
        for match in _outside(workflow, text):
            yield Injection(workflow.path, line_of(step, match.start()) if step.run else step.line, _named(match[0]), job.name)


def _through_variables(workflow: CiWorkflow, job: CiJob, step: CiStep) -> Iterator[Injection]:
    """`${{ env.TITLE }}` is pasted as the event's text is; only the shell's own `$TITLE` is not."""
    variables = dict(step.environment)
    for text in _programs(step):
        for match in _VARIABLE.finditer(text):
            found = _outside(workflow, variables.get(match[1], ""))
            if found:
                yield Injection(workflow.path, line_of(step, match.start()) if step.run else step.line, _named(found[0][0]), job.name)


def _through_inputs(workflow: CiWorkflow, step: CiStep, others: dict[str, CiWorkflow]) -> Iterator[Injection]:
    """Outside text handed to an action or workflow of the same tree that pastes its input into a command."""
    if not step.uses.startswith("./"):
        return
    path = step.uses.removeprefix("./").rstrip("/")
    called = others.get(path) or others.get(f"{path}/action.yml") or others.get(f"{path}/action.yaml")
    handed = {key: found[0][0] for key, value in step.with_ if (found := _outside(workflow, value))}
    for job in called.jobs if called is not None and handed else ():
        for inner in job.steps:
            for text in _programs(inner):
                for match in _INPUT.finditer(text):
                    if match[1] in handed and called is not None:
                        line = line_of(inner, match.start()) if inner.run else inner.line
                        yield Injection(called.path, line, _named(handed[match[1]]), job.name)


def _named(expression: str) -> str:
    match = re.search(r"github\.[\w.]+", expression)
    return match[0] if match else "an event"


def _reachable(workflow: CiWorkflow, expression: str) -> bool:
    """Whether an event of the workflow carries the text, from somebody without write access."""
    triggers = set(workflow.triggers)
    if "head_commit" in expression and "workflow_run" not in expression:
        return bool(triggers & {"push", "workflow_call", "action"})
    if "event.commits" in expression:
        return bool(triggers & {"push", "workflow_call", "action"})
    if "head_ref" in expression or "pull_request" in expression:
        return bool(
            triggers
            & {"pull_request", "pull_request_target", "pull_request_review", "pull_request_review_comment", "workflow_call", "action"}
        )
    return True
