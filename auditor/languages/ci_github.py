"""GitHub Actions: workflows, reusable workflows and composite actions as `CiWorkflow`."""

from __future__ import annotations

from auditor.languages.ci_shell import permission_pairs, swallows_failure
from auditor.languages.yaml_nodes import Node, read_yaml
from auditor.model.artifacts import CiJob, CiStep, CiWorkflow

_NEW_COMMITS = frozenset({"opened", "synchronize", "reopened", "ready_for_review"})
_MATRIX_LIMIT = 60


def read_workflow(path: str, text: str) -> CiWorkflow:
    """A file of `.github/workflows`."""
    read = read_yaml(text)
    root = read.root
    name = root.get("name").text
    if not root.is_mapping:
        return CiWorkflow(path, "github", name, (), (), (), problem=read.problem or "holds no workflow")
    on = root.get("on") or root.get("true")
    directory = root.get("defaults", "run", "working-directory").text
    shared = root.get("env").pairs()
    jobs = tuple(_job(name, node, directory, shared) for name, node in root.get("jobs").items() if node.is_mapping)
    problem = read.problem or ("" if jobs else "holds no job")
    return CiWorkflow(
        path, "github", name, _triggers(on), _branches(on), jobs, permission_pairs(root.get("permissions")), problem, inputs=_inputs(on)
    )


def read_action(path: str, text: str) -> CiWorkflow:
    """An `action.yml`: a composite action as a workflow with the trigger "action" and one job."""
    read = read_yaml(text)
    runs = read.root.get("runs")
    steps = tuple(_step(node, ()) for node in runs.get("steps").elements() if node.is_mapping)
    inputs = tuple(name for name, _ in read.root.get("inputs").items())
    job = CiJob("composite", runs.key_line, steps)
    return CiWorkflow(path, "github", read.root.get("name").text, ("action",), (), (job,), (), read.problem, inputs=inputs)


def _triggers(on: Node) -> tuple[str, ...]:
    if not on.is_mapping:
        return tuple(dict.fromkeys(on.texts()))
    found = []
    for name, node in on.items():
        if name == "push" and node.get("tags") and not (node.get("branches") or node.get("branches-ignore")):
            found.append("tag")
        elif name == "pull_request" and node.get("types") and not _NEW_COMMITS.intersection(node.get("types").texts()):
            continue  # runs when one is closed or labelled, never on its commits
        else:
            found.append(name)
    return tuple(found)


def _branches(on: Node) -> tuple[str, ...]:
    filters = [on.get("push", "branches").texts(), on.get("pull_request", "branches").texts()]
    wanted = [event for event in ("push", "pull_request") if any(name == event for name, _ in on.items())]
    if len(wanted) > len([entry for entry in filters if entry]):
        return ()  # one of the two events has no filter
    return tuple(dict.fromkeys(name for entry in filters for name in entry))


def _inputs(on: Node) -> tuple[str, ...]:
    found = [name for event in ("workflow_dispatch", "workflow_call") for name, _ in on.get(event, "inputs").items()]
    return tuple(dict.fromkeys(found))


def _job(key: str, node: Node, directory: str, shared: tuple[tuple[str, str], ...]) -> CiJob:
    called = node.get("uses")
    environment = (*shared, *node.get("env").pairs())
    if called:
        steps: tuple[CiStep, ...] = (CiStep(called.line, uses=called.text, with_=node.get("with").pairs()),)
    else:
        steps = tuple(_step(step, environment) for step in node.get("steps").elements() if step.is_mapping)
    container = node.get("container")
    runner = node.get("runs-on")
    return CiJob(
        name=key,
        line=node.key_line,
        steps=steps,
        ignores_failure=node.get("continue-on-error").text == "true",
        condition=node.get("if").text,
        image=container.text or container.get("image").text,
        directory=node.get("defaults", "run", "working-directory").text or directory,
        permissions=permission_pairs(node.get("permissions")),
        needs=tuple(node.get("needs").texts()),
        environment=node.get("environment").text or node.get("environment", "name").text,
        matrix=_matrix(node.get("strategy", "matrix")),
        runner=", ".join(runner.texts() or runner.get("labels").texts() or runner.get("group").texts()),
    )


def _matrix(matrix: Node) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    for name, values in matrix.items():
        if name == "exclude":
            continue
        for value in values.elements()[:_MATRIX_LIMIT]:
            if value.is_scalar:
                found.append((name, value.text))
            else:
                prefix = "" if name == "include" else f"{name}."
                found.extend((prefix + key, text) for key, text in value.pairs())
    return tuple(dict.fromkeys(found))[:_MATRIX_LIMIT]


def _step(node: Node, shared: tuple[tuple[str, str], ...]) -> CiStep:
    run, uses = node.get("run"), node.get("uses")
    directory = node.get("working-directory").text
    environment = tuple({**dict(shared), **dict(node.get("env").pairs())}.items())
    return CiStep(
        line=run.key_line or uses.key_line or node.line,
        run=run.text,
        uses=uses.text,
        name=node.get("name").text,
        ignores_failure=node.get("continue-on-error").text == "true" or swallows_failure(run.text),
        condition=node.get("if").text,
        with_=node.get("with").pairs(),
        environment=environment,
        directory=directory,
    )
