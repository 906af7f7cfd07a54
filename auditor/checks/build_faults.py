"""Builds that cannot work as written: files that are copied or applied and not there, build arguments nobody takes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.checks.pipelines import RunStep
from auditor.checks.shell import joined
from auditor.model.artifacts import CiWorkflow, Deployment, Dockerfile
from auditor.model.snapshot import Snapshot
from auditor.model.verdict import Finding

_MADE_BY_A_BUILD = re.compile(
    r"(?:^|/)(?:dist|build|out|output|target|bin|\.next|\.output|\.nuxt|node_modules|coverage|public/build|release|artifacts?|wheels?|generated|\.venv|vendor|publish|staging|tmp)(?:/|$)|\.(?:whl|jar|war|tgz|tar|gz|zip|exe|deb)$|(?:^|/)\.env"
)
_PREDEFINED = re.compile(
    r"^(?:(?:HTTPS?|FTP|NO|ALL)_PROXY|(?:TARGET|BUILD)(?:PLATFORM|OS|ARCH|VARIANT)|BUILDKIT_\w+|SOURCE_DATE_EPOCH|COMPOSE_\w+|DOCKER_\w+)$",
    re.IGNORECASE,
)
_FOR_DEVELOPMENT = re.compile(r"(?:override|dev|local|test|ci|debug)[\w-]*\.ya?ml$")
_APPLIED = re.compile(r"\bkubectl\s+(?:apply|create|replace)\b[^\n]{0,200}?\s(?:-f|--filename)[ =]([\w./-]{1,200}\.ya?ml)\b")
_STARTED = re.compile(r"\bdocker(?:-compose|\s+compose)\s+(?:-f|--file)[ =]([\w./-]{1,200}\.ya?ml)\b")


def known_paths(snapshot: Snapshot) -> frozenset[str]:
    """Files, links, submodules and folders of the tree."""
    files = [file.path for file in snapshot.files] + [entry.path for entry in snapshot.skipped]
    folders = {path.rsplit("/", depth)[0] for path in files for depth in range(1, path.count("/") + 1)}
    return frozenset(files) | folders


def missing_sources(dockerfile: Dockerfile, known: frozenset[str]) -> Iterator[Finding]:
    """Files a COPY names that are not in the build context."""
    for instruction in dockerfile.instructions:
        if (
            instruction.keyword not in {"COPY", "ADD"}
            or any(flag.startswith("--from") for flag in instruction.flags)
            or "<<" in instruction.text
        ):
            continue
        words = instruction.exec_form or tuple(instruction.text.split())
        for word in words[:-1]:
            source = word.strip("\"'")
            path = joined(dockerfile.context, source.lstrip("/"))
            if re.search(r"[*?$\[{]", source) or "://" in source or path in known or path == "" or _MADE_BY_A_BUILD.search(source):
                continue
            message = f"The image copies {source}, which is not in the repository: building it from a clean clone stops here."
            yield Finding("missing-source", dockerfile.path, message, instruction.line, instruction.end_line, detector="dockerfile")


def missing_manifests(steps: tuple[RunStep, ...], known: frozenset[str]) -> Iterator[Finding]:
    """Manifests a deploying step applies that are neither in the tree nor written by the job."""
    for step in steps:
        for pattern in (_APPLIED, _STARTED):
            for match in pattern.finditer(step.step.run[:20_000]):
                path, name = joined(step.directory, match[1]), match[1].rpartition("/")[2]
                elsewhere = " ".join(other.run for other in step.job.steps if other is not step.step) + step.step.run.replace(match[0], "")
                if path == "?" or path in known or name in elsewhere:
                    continue
                place = step.place(step.step.run.count("\n", 0, match.start()))
                message = f"The deployment applies {match[1]}, which is not in the repository: from a clean clone it stops here."
                yield Finding("missing-manifest", place.path, message, place.line, place.line, detector="ci")


def lost_arguments(deployment: Deployment, workflows: tuple[CiWorkflow, ...]) -> Iterator[Finding]:
    """Build arguments that are handed over and that no ARG of the container file takes: they vanish without a word."""
    by_path = {dockerfile.path: dockerfile for dockerfile in deployment.dockerfiles}
    for workflow in workflows:
        for job in workflow.jobs:
            for step in job.steps:
                settings = dict(step.with_)
                if step.uses.startswith("docker/build-push-action") and settings.get("build-args"):
                    context = joined("", settings.get("context", "."))
                    dockerfile = by_path.get(joined("", settings["file"]) if "file" in settings else joined(context, "Dockerfile"))
                    names = [line.partition("=")[0].strip() for line in settings["build-args"].splitlines() if line.strip()]
                    yield from _lost(dockerfile, names, workflow.path, step.line)
    for service in deployment.compose:
        if service.build and not _FOR_DEVELOPMENT.search(service.path):
            context = joined(service.path.rpartition("/")[0], service.build)
            named = dict(service.settings).get("build.dockerfile", "Dockerfile")
            pairs = [(key.removeprefix("build.args."), value) for key, value in service.settings if key.startswith("build.args.")]
            names = [value.partition("=")[0] if key.isdigit() else key for key, value in pairs]
            yield from _lost(by_path.get(joined(context, named)), names, service.path, service.line)


def _lost(dockerfile: Dockerfile | None, names: list[str], path: str, line: int) -> Iterator[Finding]:
    if dockerfile is None or dockerfile.problem or dockerfile.purpose != "production":
        return
    taken = {word.partition("=")[0] for i in dockerfile.instructions if i.keyword == "ARG" for word in i.text.split()}
    for name in names:
        if re.fullmatch(r"[A-Za-z_]\w{0,80}", name) and name not in taken and not _PREDEFINED.match(name):
            message = f"The build is given {name}, and {dockerfile.path} has no ARG of that name: the value is dropped and the image is built with its fallback."
            yield Finding("lost-build-argument", path, message, line, line, detector="dockerfile")
