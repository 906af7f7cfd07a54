"""CircleCI, Azure Pipelines, Travis, AppVeyor and Google Cloud Build as `CiWorkflow`."""

from __future__ import annotations

from auditor.languages.ci_shell import swallows_failure
from auditor.languages.yaml_nodes import NOTHING, Node, read_yaml
from auditor.model.artifacts import CiJob, CiStep, CiWorkflow

_NESTING = 6
_STEPS = 400


def _run(node: Node, **settings: bool) -> CiStep:
    return CiStep(node.line, run=node.text, ignores_failure=settings.get("ignores", False) or swallows_failure(node.text))


def read_circleci(path: str, text: str) -> CiWorkflow:
    """`.circleci/config.yml`: the jobs its workflows name, reusable commands put in place."""
    read = read_yaml(text)
    root = read.root
    workflows = [node for name, node in root.get("workflows").items() if name != "version" and node.is_mapping]
    commands = {name: node.get("steps") for name, node in root.get("commands").items()}
    jobs: list[CiJob] = []
    triggers: list[str] = []
    for workflow in workflows:
        scheduled = any(entry.get("schedule") for entry in workflow.get("triggers").elements())
        triggers.append("schedule" if scheduled else "push")
        for entry in workflow.get("jobs").elements():
            name, settings = (entry.text, NOTHING) if entry.is_scalar else next(iter(entry.items()), ("", entry))
            jobs.append(_circle_job(name, settings, root, commands, entry.line))
    if not workflows:
        triggers = ["push"]
        jobs = [
            _circle_job(name, NOTHING, root, commands, node.key_line)
            for name, node in root.get("jobs").items()
            if name == "build" or len(root.get("jobs").items()) == 1
        ]
    problem = read.problem or ("" if jobs else "holds no job")
    return CiWorkflow(path, "circleci", "", tuple(dict.fromkeys(triggers)), (), tuple(jobs), problem=problem)


def _circle_job(name: str, settings: Node, root: Node, commands: dict[str, Node], line: int) -> CiJob:
    job = root.get("jobs", name)
    if settings.get("type").text == "approval" or job.get("type").text == "approval":
        return CiJob(name, line, (), condition="manual", needs=tuple(settings.get("requires").texts()))
    steps = _circle_steps(job.get("steps"), commands) if job else [CiStep(line, uses=name)]
    filters = settings.get("filters")
    only_tags = filters.get("branches", "ignore").text == "/.*/" and filters.get("tags")
    executor = job.get("executor").text or job.get("executor", "name").text
    docker = next(iter(job.get("docker").elements() or root.get("executors", executor, "docker").elements()), None)
    return CiJob(
        name=name,
        line=job.key_line or line,
        steps=tuple(steps),
        condition="tags" if only_tags else ", ".join(filters.get("branches", "only").texts()),
        image=docker.get("image").text if docker else "",
        directory=job.get("working_directory").text,
        needs=tuple(settings.get("requires").texts()),
    )


def _circle_steps(node: Node, commands: dict[str, Node]) -> list[CiStep]:
    found: list[CiStep] = []
    pending = [(entry, 0) for entry in node.elements()]
    while pending and len(found) < _STEPS:
        entry, depth = pending.pop(0)
        name, value = (entry.text, entry) if entry.is_scalar else next(iter(entry.items()), ("", entry))
        if name == "run":
            command = value if value.is_scalar else value.get("command")
            if value.get("when").text != "on_fail":
                found.append(_run(command))
        elif name in {"when", "unless"}:
            pending[:0] = [(inner, depth + 1) for inner in value.get("steps").elements() if depth < _NESTING]
        elif name in commands and depth < _NESTING:
            pending[:0] = [(inner, depth + 1) for inner in commands[name].elements()]
        elif name:
            found.append(CiStep(entry.line, uses=name, with_=value.pairs() if value.is_mapping else ()))
    return found


def read_azure(path: str, text: str) -> CiWorkflow:
    """`azure-pipelines.yml`: stages, jobs and steps at any level; templates stay references."""
    read = read_yaml(text)
    root = read.root
    if not root.is_mapping:
        return CiWorkflow(path, "azure", "", (), (), (), problem=read.problem or "holds no pipeline")
    jobs: list[CiJob] = []
    if root.get("steps"):
        jobs.append(
            CiJob("steps", root.get("steps").key_line, tuple(_azure_steps(root.get("steps"))), image=root.get("pool", "vmImage").text)
        )
    for stage in [root, *root.get("stages").elements()]:
        jobs += [_azure_job(job, stage) for job in stage.get("jobs").elements()]
        if stage.get("template"):
            jobs.append(CiJob(stage.get("template").text, stage.line, (CiStep(stage.line, uses=stage.get("template").text),)))
    return CiWorkflow(path, "azure", root.get("name").text, _azure_triggers(root), _azure_branches(root), tuple(jobs), problem=read.problem)


def _azure_job(job: Node, stage: Node) -> CiJob:
    name = job.get("job").text or job.get("deployment").text or job.get("template").text
    steps = _azure_steps(job.get("steps"))
    for strategy in ("runOnce", "rolling", "canary"):
        steps += _azure_steps(job.get("strategy", strategy, "deploy", "steps"))
    if job.get("template"):
        steps.append(CiStep(job.line, uses=job.get("template").text))
    return CiJob(
        name=name,
        line=job.line,
        steps=tuple(steps),
        ignores_failure=job.get("continueOnError").text.lower() == "true",
        condition=job.get("condition").text or stage.get("condition").text,
        image=job.get("container").text,
        needs=tuple(job.get("dependsOn").texts() or stage.get("dependsOn").texts()),
        environment=job.get("environment").text or job.get("environment", "name").text,
        runner=job.get("pool", "name").text,
    )


def _azure_steps(node: Node) -> list[CiStep]:
    found: list[CiStep] = []
    pending = list(node.elements())
    while pending and len(found) < _STEPS:
        step = pending.pop(0)
        ignores = step.get("continueOnError").text.lower() == "true"
        command = next((step.get(key) for key in ("script", "bash", "pwsh", "powershell") if step.get(key)), None)
        inline = step.get("inputs", "script") or step.get("inputs", "command")
        if command is not None:
            found.append(
                CiStep(
                    command.key_line,
                    run=command.text,
                    name=step.get("displayName").text,
                    ignores_failure=ignores or swallows_failure(command.text),
                    condition=step.get("condition").text,
                    directory=step.get("workingDirectory").text,
                )
            )
        elif step.get("task") or step.get("template"):
            uses = step.get("task").text or step.get("template").text
            run = inline.text if step.get("inputs", "script") else ""
            found.append(CiStep(step.line, run=run, uses=uses, ignores_failure=ignores, with_=step.get("inputs").pairs()))
        else:  # `${{ if ... }}:` holds a list of steps
            pending[:0] = [inner for name, value in step.items() if name.startswith("${{") for inner in value.elements()]
    return found


def _azure_triggers(root: Node) -> tuple[str, ...]:
    found = []
    trigger, request = root.get("trigger"), root.get("pr")
    if trigger.text != "none":
        found.append("tag" if trigger.get("tags") and not trigger.get("branches") else "push")
    if request.text != "none":
        found.append("pull_request")
    if root.get("schedules"):
        found.append("schedule")
    return tuple(found)


def _azure_branches(root: Node) -> tuple[str, ...]:
    if root.get("pr").text != "none":
        return ()
    trigger = root.get("trigger")
    return tuple(text for text in trigger.texts() or trigger.get("branches", "include").texts() if text != "none")


def read_travis(path: str, text: str) -> CiWorkflow:
    """`.travis.yml`: its script, or the one Travis runs when none is given, and the jobs of its matrix."""
    read = read_yaml(text)
    root = read.root
    phases = ("before_install", "install", "before_script", "script")
    script = root.get("script")
    steps = [_run(node) for phase in phases for node in root.get(phase).scalars()]
    if not script and root.get("language").text == "node_js":
        steps.append(CiStep(root.get("language").line, run="npm test"))
    jobs = [CiJob("script", script.key_line or root.line, tuple(steps))] if steps else []
    include = (root.get("jobs") or root.get("matrix")).get("include").elements()
    for number, entry in enumerate(include[:60]):
        own = [_run(node) for phase in phases for node in (entry.get(phase) or root.get(phase)).scalars()]
        if entry.get("script") and own:
            jobs.append(CiJob(entry.get("name").text or f"job {number + 1}", entry.line, tuple(own), condition=entry.get("if").text))
    branches = tuple(root.get("branches", "only").texts())
    problem = read.problem or ("" if root.is_mapping else "holds no pipeline")
    return CiWorkflow(path, "travis", "", ("push", "pull_request"), branches, tuple(jobs), problem=problem)


def read_appveyor(path: str, text: str) -> CiWorkflow:
    """`appveyor.yml`: install, build and test commands."""
    read = read_yaml(text)
    root = read.root
    steps = []
    for phase in ("install", "before_build", "build_script", "before_test", "test_script"):
        for entry in root.get(phase).elements():
            node = entry if entry.is_scalar else next((value for _, value in entry.items() if value.is_scalar), entry)
            if node.is_scalar and root.get(phase).text != "off":
                steps.append(_run(node))
    jobs = (CiJob("build", root.line, tuple(steps)),) if steps else ()
    return CiWorkflow(
        path, "appveyor", "", ("push", "pull_request"), tuple(root.get("branches", "only").texts()), jobs, problem=read.problem
    )


def read_cloudbuild(path: str, text: str) -> CiWorkflow:
    """`cloudbuild.yaml`: each step's entry point and arguments as one command; its triggers stand outside the repository."""
    read = read_yaml(text)
    steps = []
    for step in read.root.get("steps").elements():
        image = step.get("name").text
        words = [step.get("entrypoint").text or image.rsplit("/", 1)[-1].split(":")[0], *step.get("args").texts()]
        script = step.get("script").text or " ".join(word for word in words if word)
        steps.append(
            CiStep(
                step.line, run=script, uses=image, ignores_failure=step.get("allowFailure").text == "true", directory=step.get("dir").text
            )
        )
    jobs = (CiJob("build", read.root.get("steps").key_line, tuple(steps)),) if steps else ()
    return CiWorkflow(path, "cloudbuild", "", ("push",), (), jobs, problem=read.problem)
