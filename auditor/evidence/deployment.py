"""Evidence DEPLOYMENT: container files with the context they are built in, compose services, descriptions of platforms."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping

from auditor.evidence.registry import Context, own_stamp, provides
from auditor.languages.containers import in_context, read_compose, read_dockerfile
from auditor.languages.platforms import read_platform
from auditor.model.artifacts import CiWorkflow, ComposeService, Deployment, Dockerfile, PlatformFile
from auditor.model.need import Known
from auditor.model.needs import CI, DEPLOYMENT, SNAPSHOT, TEXTS
from auditor.model.snapshot import NOT_OURS, Language, Role, Snapshot, SourceFile

_NOT_OWN = NOT_OURS | {Role.GENERATED}
_ELSEWHERE = re.compile(
    r"(?:^|/)(?:examples?|samples?|demos?|docs?|tests?|__tests__|e2e|cypress|fixtures|node_modules|vendor|third_party|tutorials?|cookbook|templates?/boilerplate|skills)/",
    re.IGNORECASE,
)
_AGENT_FILES = re.compile(r"^\.(?:claude|cursor|agents?|gemini|codex|specify|windsurf|kiro)/")
_COMPOSE = re.compile(r"(?:^|/)(?:[\w.-]*compose[\w.-]*|docker-stack[\w.-]*|stack)\.ya?ml$")
_NO_DOCKERFILE = (".dockerignore", ".md", ".sh", ".py", ".json", ".txt", ".yml", ".yaml", ".js", ".ts")
_PLATFORM_FILES = 400
_DOCKERFILES = 100


@provides(DEPLOYMENT, needs=(SNAPSHOT, TEXTS, CI))
def deployment(_context: Context, snapshot: Snapshot, texts: dict[str, str], workflows: tuple[CiWorkflow, ...]) -> Known[Deployment]:
    """Everything in the tree that says how it is built and shipped, tests, examples and documentation left out."""
    own = [file for file in snapshot.files if _is_own(file) and file.path in texts]
    compose = tuple(service for file in own if _COMPOSE.search(file.path) for service in read_compose(file.path, texts[file.path]))
    paths = frozenset(file.path for file in snapshot.files)
    stated = {**_contexts_of_pipelines(workflows), **_contexts_of_compose(compose)}
    dockerfiles = []
    for file in [file for file in own if file.language is Language.DOCKERFILE and not file.path.endswith(_NO_DOCKERFILE)][:_DOCKERFILES]:
        read = read_dockerfile(file.path, texts[file.path])
        context = stated[file.path] if file.path in stated else _context_by_sources(read, paths)
        dockerfiles.append(in_context(read, context, texts))
    return Known(Deployment(tuple(dockerfiles), compose, _platforms(own, texts)), own_stamp())


def _is_own(file: SourceFile) -> bool:
    return file.role not in _NOT_OWN and not _ELSEWHERE.search(file.path) and not _AGENT_FILES.search(file.path)


def _platforms(own: list[SourceFile], texts: Mapping[str, str]) -> tuple[PlatformFile, ...]:
    charts = frozenset(file.path.rpartition("/")[0] for file in own if file.path.rpartition("/")[2] == "Chart.yaml")
    found: list[PlatformFile] = []
    for file in own:
        if len(found) >= _PLATFORM_FILES:
            break
        if not _COMPOSE.search(file.path) and not file.path.startswith(".github/"):
            platform = read_platform(file.path, texts[file.path], charts)
            if platform:
                found.append(platform)
    return tuple(found)


def _joined(base: str, relative: str) -> str:
    """A path relative to a directory, "" for the root; one that leaves the tree stays as a path that matches nothing."""
    path = posixpath.normpath(posixpath.join(base, relative or "."))
    return "" if path == "." else path


def _contexts_of_compose(services: Iterable[ComposeService]) -> dict[str, str]:
    found: dict[str, str] = {}
    for service in services:
        if service.build and "://" not in service.build and "$" not in service.build:
            context = _joined(service.path.rpartition("/")[0], service.build)
            named = dict(service.settings).get("build.dockerfile", "Dockerfile")
            found.setdefault(_joined(context, named), context)
    return found


_BUILD = re.compile(r"\bdocker\s+(?:buildx\s+)?build\b([^\n&|;]{0,500})")


def _contexts_of_pipelines(workflows: Iterable[CiWorkflow]) -> dict[str, str]:
    found: dict[str, str] = {}
    for step, base in ((step, job.directory) for workflow in workflows for job in workflow.jobs for step in job.steps):
        if step.uses.startswith("docker/build-push-action"):
            settings = dict(step.with_)
            context = settings.get("context", ".")
            if "$" not in context and "://" not in context:
                context = _joined("", context)
                found.setdefault(_joined("", settings.get("file", f"{context}/Dockerfile")).removeprefix("./"), context)
        for match in _BUILD.finditer(re.sub(r"\\\n", " ", step.run[:20_000])):
            words = match[1].split()
            named = next((words[i + 1] for i, word in enumerate(words[:-1]) if word in {"-f", "--file"}), "")
            context = words[-1] if words and not words[-1].startswith(("-", "$")) else ""
            if context and "$" not in context + named:
                folder = _joined(step.directory or base, context)
                found.setdefault(_joined(step.directory or base, named) if named else _joined(folder, "Dockerfile"), folder)
    return found


def _context_by_sources(dockerfile: Dockerfile, paths: frozenset[str]) -> str:
    """The directory at or above the container file in which most of what it copies exists; its own when that says nothing."""
    own = dockerfile.path.rpartition("/")[0]
    folders = own.split("/") if own else []
    candidates = ["/".join(folders[:end]) for end in range(len(folders), -1, -1)]
    known = paths | {folder for path in paths for folder in _folders(path)}
    sources = [
        source.removeprefix("./").strip("/")
        for instruction in dockerfile.instructions
        if instruction.keyword in {"COPY", "ADD"} and not any(flag.startswith("--from") for flag in instruction.flags)
        for source in copied(instruction.exec_form or tuple(instruction.text.split("\n", 1)[0].split()))
    ]
    plain = [source for source in sources if source and source != "." and "*" not in source and "$" not in source]
    scores = [sum(_joined(candidate, source) in known for source in plain) for candidate in candidates]
    return candidates[scores.index(max(scores))]


def copied(words: tuple[str, ...]) -> tuple[str, ...]:
    """The sources of a COPY or ADD with the given words (the last one is the target)."""
    return tuple(word for word in words[:-1] if not word.startswith("<<") and "://" not in word)


def _folders(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[: end + 1]) for end in range(len(parts))]
