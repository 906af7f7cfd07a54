"""Bitbucket, Jenkins, Drone, Woodpecker and Buildkite pipelines as `CiWorkflow`."""

from __future__ import annotations

import re

from auditor.languages.ci_shell import swallows_failure
from auditor.languages.yaml_nodes import Node, read_yaml
from auditor.model.artifacts import CiJob, CiStep, CiWorkflow

_JENKINS_LIMIT = 300_000
_STEPS = 400


def _step(node: Node, *, ignores: bool = False) -> CiStep:
    return CiStep(node.line, run=node.text, ignores_failure=ignores or swallows_failure(node.text))


def read_bitbucket(path: str, text: str) -> CiWorkflow:
    """`bitbucket-pipelines.yml`: each pipeline's steps; custom ones are manual, tag ones run on tags."""
    read = read_yaml(text)
    pipelines = read.root.get("pipelines")
    jobs: list[CiJob] = []
    triggers: list[str] = []
    groups = [("push", "", pipelines.get("default"))]
    kinds = (("branches", "push"), ("pull-requests", "pull_request"), ("tags", "tag"), ("custom", "workflow_dispatch"))
    groups += [(event, name, node) for key, event in kinds for name, node in pipelines.get(key).items()]
    for event, name, node in groups:
        found = _bitbucket_jobs(node, f"{name} ".lstrip())
        condition = {"workflow_dispatch": "manual", "tag": "tags"}.get(event, "")
        jobs += [CiJob(job.name, job.line, job.steps, condition=job.condition or condition, image=job.image) for job in found]
        triggers += [event] if found else []
    problem = read.problem or ("" if jobs else "holds no pipeline")
    return CiWorkflow(path, "bitbucket", "", tuple(dict.fromkeys(triggers)), (), tuple(jobs), problem=problem)


def _bitbucket_jobs(node: Node, prefix: str) -> list[CiJob]:
    jobs: list[CiJob] = []
    pending = list(node.elements())
    while pending and len(jobs) < _STEPS:
        entry = pending.pop(0)
        step, nested = entry.get("step"), entry.get("parallel") or entry.get("stage")
        if nested:
            pending[:0] = (nested.get("steps") or nested).elements()
        elif step:
            steps = [
                _step(command) if command.is_scalar else CiStep(command.line, uses=command.get("pipe").text)
                for command in step.get("script").elements()
            ]
            condition = "manual" if step.get("trigger").text == "manual" else ""
            jobs.append(
                CiJob(
                    f"{prefix}{step.get('name').text or 'step'}", step.line, tuple(steps), condition=condition, image=step.get("image").text
                )
            )
    return jobs


_STAGE = re.compile(r"\bstage\s*\(?\s*['\"]([^'\"]{1,120})['\"]")
_COMMAND = re.compile(r"\b(?:sh|bat|powershell|pwsh)\b\s*\(?\s*(?:script\s*:\s*)?('''|\"\"\"|'|\")")


def read_jenkins(path: str, text: str) -> CiWorkflow:
    """A `Jenkinsfile`, read as lines of text: stages and the shell commands in them. A multibranch pipeline runs on each push."""
    if len(text) > _JENKINS_LIMIT:
        return CiWorkflow(path, "jenkins", "", ("push",), (), (), problem="larger than 300 kB: not read")
    source = re.sub(r"/\*.{0,20000}?\*/", lambda match: "\n" * match[0].count("\n"), text, flags=re.DOTALL)
    source = re.sub(r"(?m)^([ \t]*)//.*$", r"\1", source)
    jobs: list[CiJob] = []
    stages = [(match.start(), match[1]) for match in _STAGE.finditer(source)] or [(0, "pipeline")]
    for number, (start, name) in enumerate(stages[:_STEPS]):
        end = stages[number + 1][0] if number + 1 < len(stages) else len(source)
        part = source[start:end]
        steps = _jenkins_steps(part, source.count("\n", 0, start) + 1)
        if steps:
            ignores = "catchError" in part or "returnStatus: true" in part
            jobs.append(CiJob(name, source.count("\n", 0, start) + 1, tuple(steps), ignores_failure=ignores))
    return CiWorkflow(path, "jenkins", "", ("push",), (), tuple(jobs), problem="" if jobs else "holds no shell command")


def _jenkins_steps(part: str, first_line: int) -> list[CiStep]:
    steps: list[CiStep] = []
    position = 0
    while len(steps) < _STEPS and (match := _COMMAND.search(part, position)):
        end = part.find(match[1], match.end())
        if end < 0:
            break
        run = part[match.end() : end].strip()
        steps.append(CiStep(first_line + part.count("\n", 0, match.start()), run=run, ignores_failure=swallows_failure(run)))
        position = end + len(match[1])
    return steps


def read_drone(path: str, text: str, system: str) -> CiWorkflow:
    """`.drone.yml` or a Woodpecker file: every pipeline document's steps."""
    read = read_yaml(text)
    jobs = []
    events: list[str] = []
    for document in read.documents:
        steps = document.get("steps") or document.get("pipeline")
        events += _drone_events(document)
        named = steps.items() if steps.is_mapping else [(entry.get("name").text, entry) for entry in steps.elements()]
        for name, step in named[:_STEPS]:
            ignores = step.get("failure").text == "ignore"
            commands = [_step(node, ignores=ignores) for node in step.get("commands").scalars()]
            run = commands or [CiStep(step.line, uses=step.get("image").text, with_=step.get("settings").pairs())]
            condition = ", ".join((step.get("when", "event")).texts() or (step.get("when").get("event")).texts())
            jobs.append(CiJob(name, step.line, tuple(run), condition=condition, image=step.get("image").text))
    triggers = tuple(dict.fromkeys(events)) or ("push", "pull_request")
    return CiWorkflow(path, system, "", triggers, (), tuple(jobs), problem=read.problem or ("" if jobs else "holds no pipeline"))


def _drone_events(document: Node) -> list[str]:
    names = {"cron": "schedule", "promote": "workflow_dispatch", "manual": "workflow_dispatch", "custom": "workflow_dispatch"}
    trigger, when = document.get("trigger"), document.get("when")
    found = trigger.get("event").texts() or trigger.get("event", "include").texts()
    for entry in when.elements():
        found += entry.get("event").texts()
    return [names.get(event, event) for event in found]


def read_buildkite(path: str, text: str) -> CiWorkflow:
    """A pipeline of `.buildkite`: command steps, groups entered; a step behind a block step waits for a person."""
    read = read_yaml(text)
    root = read.root
    jobs: list[CiJob] = []
    pending = list((root.get("steps") or root).elements())
    blocked = False
    while pending and len(jobs) < _STEPS:
        step = pending.pop(0)
        if step.get("group") or step.get("steps"):
            pending[:0] = step.get("steps").elements()
        elif step.get("block") or step.get("input"):
            blocked = True
        else:
            commands = (step.get("commands") or step.get("command")).scalars()
            ignores = step.get("soft_fail").text == "true"
            if commands:
                name = step.get("label").text or step.get("name").text or "step"
                steps = tuple(_step(node) for node in commands)
                jobs.append(CiJob(name, step.line, steps, ignores_failure=ignores, condition="manual" if blocked else step.get("if").text))
    return CiWorkflow(
        path, "buildkite", "", ("push", "pull_request"), (), tuple(jobs), problem=read.problem or ("" if jobs else "holds no step")
    )
