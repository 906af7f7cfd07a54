"""What a container file builds: its resulting stages, the instructions each consists of, its user and its start command."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.checks.commands import Commands, Leaf
from auditor.checks.shell import joined
from auditor.model.artifacts import CiWorkflow, Deployment, Dockerfile, Instruction, Manifests, TaskFile
from auditor.model.verdict import Finding

_HELPER_STAGE = re.compile(
    r"(?:^|[-_.])(?:tests?\d*|testing|dev|development|debug|lint|ci|e2e|bench|devcontainer|docs)(?:[-_.]|$)", re.IGNORECASE
)
_FLOATING = re.compile(
    r"^(?:latest|lts|stable|current|edge|mainline|slim|alpine|bullseye|bookworm|trixie|main|master|nightly|dev)(?:[-.]\w[\w.-]*)?$"
)
_CODE_NAME = re.compile(r"^(?:[\w.]+/)*(?:debian|ubuntu):(?:bullseye|bookworm|trixie|buster|focal|jammy|noble)(?:-[\w.-]+)?$")
_DEVELOPMENT_SERVER = re.compile(
    r"^(?:next|nuxt|nuxi|astro|remix|gatsby|svelte-kit|vinxi|wrangler|expo|quasar|vike|rsbuild|rspack|farm|umi|max)\s+(?:dev|develop|start:dev)\b|^(?:nodemon|ts-node-dev|tsnd|webpack-dev-server|browser-sync|live-server|parcel|react-scripts\s+start|vue-cli-service\s+serve|ng\s+serve|webpack\s+serve)\b"
    r"|^vite(?:\s+(?:dev|serve|--\S+)|\s*$)|^(?:tsx|bun|node|deno)\b.{0,80}\s--?watch\b|^tsx\s+watch\b"
    r"|^(?:python[\d.]*\s+)?(?:-\S+\s+)*(?:\S{0,80}/)?manage\.py\s+runserver|^(?:python[\d.]*\s+-m\s+)?flask\s+(?:--\S+\s+\S+\s+){0,3}run\b|^(?:python[\d.]*\s+-m\s+)?(?:uvicorn|gunicorn|hypercorn|granian|daphne)\b.{0,300}\s--reload\b|^fastapi\s+dev\b|^sanic\b.{0,200}--(?:dev|debug|reload|auto-reload)\b|^python[\d.]*\s+-m\s+http\.server\b"
)


@dataclass(frozen=True, slots=True)
class Image:
    """One stage that is shipped: its name ("" without one) and the instructions of the stages it is built on, oldest first."""

    dockerfile: Dockerfile
    name: str
    base: str
    instructions: tuple[Instruction, ...]

    def of(self, *keywords: str) -> tuple[Instruction, ...]:
        """The instructions with the given keywords."""
        return tuple(instruction for instruction in self.instructions if instruction.keyword in keywords)

    @property
    def start(self) -> Instruction | None:
        """The instruction that starts it: its CMD, or its ENTRYPOINT where there is no CMD."""
        for keyword in ("CMD", "ENTRYPOINT"):
            found = [instruction for instruction in self.of(keyword) if instruction.text not in {"[]", ""}]
            if found:
                return found[-1]
        return None

    @property
    def is_empty(self) -> bool:
        """Nothing is put into it, so there is nothing it could start."""
        return not self.of("COPY", "ADD", "RUN") and (self.base.lower() == "scratch" or self.start is None)


_TARGET = re.compile(r"\b(?:docker|podman|buildah|buildx)\b.{0,600}?--target[ =]([\w.-]{1,60})")
_SCRIPT_ROUNDS = 4
LOCK_FILES = frozenset({"package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml", "yarn.lock", "bun.lock", "bun.lockb", "poetry.lock", "uv.lock", "Pipfile.lock", "pdm.lock"})  # fmt: skip
_BASE_WORDS = frozenset({"base", "builder", "runtime", "common", "deps", "dependencies"})


def base_files(deployment: Deployment) -> frozenset[str]:
    """Container files of the tree that others of it are built on: their path and the others' FROM share a word such as "base"."""
    found: set[str] = set()
    for dockerfile in deployment.dockerfiles:
        others = (reference for other in deployment.dockerfiles if other is not dockerfile for reference in other.base_images)
        words = _words(dockerfile.path) & _BASE_WORDS
        if words and any(words & _words(reference) for reference in others):
            found.add(dockerfile.path)
    return frozenset(found)


def is_own_base(reference: str, bases: frozenset[str]) -> bool:
    """Whether an image reference is one that a container file of the tree makes."""
    words = _words(reference) & _BASE_WORDS
    return "/" in reference and any(words & _words(path) for path in bases)


def _words(text: str) -> set[str]:
    return {re.sub(r"\d+$", "", word) for word in re.split(r"[^a-z0-9]+", text.lower())}


@dataclass(frozen=True, slots=True)
class Builds:
    """How pipelines and compose files build: `targets`: stages they ask for; `whole`: container files a pipeline builds without asking for a stage."""

    targets: frozenset[str] = frozenset()
    whole: frozenset[str] = frozenset()


def builds_of(workflows: tuple[CiWorkflow, ...], deployment: Deployment, manifests: Manifests, tasks: tuple[TaskFile, ...]) -> Builds:
    """The builds that stand in pipelines, compose files, package scripts and task files."""
    commands = [script.command for manifest in manifests.manifests for script in manifest.scripts]
    commands += [task.command for task_file in tasks for task in task_file.tasks]
    targets = {name for command in commands for name in _TARGET.findall(command[:20_000])}
    targets |= {value for service in deployment.compose for key, value in service.settings if key == "build.target"}
    whole: set[str] = set()
    for step in (step for workflow in workflows for job in workflow.jobs for step in job.steps):
        settings = dict(step.with_)
        targets.update(_TARGET.findall(step.run[:20_000]))
        if settings.get("target"):
            targets.add(settings["target"])
        elif step.uses.startswith("docker/build-push-action"):
            context = joined("", settings.get("context", "."))
            whole.add(joined("", settings["file"]) if "file" in settings else joined(context, "Dockerfile"))
    return Builds(frozenset(name.lower() for name in targets), frozenset(whole))


def images_of(dockerfile: Dockerfile, builds: Builds = Builds()) -> tuple[Image, ...]:
    """The stages that are shipped: those asked for by name, else the last one, which is what a build gives, and others that start something.

    Stages for tests and development are left out, unless such a one stands last and nobody asks for another.
    """
    starts = [instruction for instruction in dockerfile.instructions if instruction.keyword == "FROM"]
    if not starts:
        return ()
    names = {_alias(instruction): instruction.stage for instruction in starts if _alias(instruction)}
    parents = {i.stage: names.get(dockerfile.base_images[i.stage].lower(), -1) for i in starts if i.stage < len(dockerfile.base_images)}
    used = {parent for stage, parent in parents.items() if parent != stage}
    for instruction in dockerfile.instructions:
        for flag in instruction.flags:
            if flag.startswith("--from="):
                source = flag.removeprefix("--from=").lower()
                used.add(names.get(source, int(source) if source.isdigit() else -1))
    last = starts[-1].stage
    own = [i.stage for i in starts if not _HELPER_STAGE.search(_alias(i))]
    starting = {i.stage for i in dockerfile.instructions if i.keyword in {"CMD", "ENTRYPOINT"}}
    asked = [stage for stage in own if any(name in builds.targets and number == stage for name, number in names.items())]
    if asked and dockerfile.path in builds.whole:
        asked = sorted({*asked, last})
    wanted = asked or [i.stage for i in starts if i.stage == last or (i.stage in own and i.stage in starting and i.stage not in used)]
    by_stage = {stage: name for name, stage in names.items()}
    return tuple(_image(dockerfile, stage, parents, by_stage.get(stage, "")) for stage in wanted)


def _alias(instruction: Instruction) -> str:
    words = instruction.text.split()
    return words[2].lower() if len(words) >= 3 and words[1].lower() == "as" else ""


def _image(dockerfile: Dockerfile, stage: int, parents: dict[int, int], name: str) -> Image:
    chain = [stage]
    while (parent := parents.get(chain[0], -1)) >= 0 and parent not in chain:
        chain.insert(0, parent)
    instructions = tuple(i for number in chain for i in dockerfile.instructions if i.stage == number)
    base = dockerfile.base_images[chain[0]] if chain[0] < len(dockerfile.base_images) else ""
    return Image(dockerfile, name, base, instructions)


def is_pinned(reference: str) -> bool:
    """Whether an image reference names a version: a digest, a tag with a figure, a release of Debian or Ubuntu by its code name."""
    name, _, tag = reference.rpartition("/")[2].partition(":")
    if "@sha256:" in reference or name.lower() == "scratch" or _CODE_NAME.match(reference):
        return True
    if not tag or _FLOATING.match(tag):
        return False
    return bool(re.search(r"\d", tag) or re.search(r"\d", name))  # `nodejs22-debian12:nonroot` has its version in the name


def start_leaves(image: Image, commands: Commands) -> tuple[Leaf, ...]:
    """What the start instruction comes to in the end; package scripts and shell scripts of the context are followed."""
    start = image.start
    if start is None:
        return ()
    directory = image.dockerfile.context
    text = " ".join(start.exec_form) if start.exec_form and start.exec_form[0] not in {"sh", "bash", "/bin/sh", "/bin/bash"} else ""
    if start.exec_form and not text:
        text = start.exec_form[-1]
    return commands.leaves(text or start.text, directory)


def is_development_server(leaf: Leaf) -> bool:
    """Whether a command starts a server that its makers say is for development only."""
    return bool(_DEVELOPMENT_SERVER.search(leaf.text))


def leftovers(deployment: Deployment, manifests: Manifests) -> frozenset[str]:
    """Variants (`Dockerfile.bun`) that nobody can be building: they copy a lock file the tree does not have, and another container file does the work."""
    missing = LOCK_FILES - {lock.path.rpartition("/")[2] for lock in manifests.locks}
    production = [d for d in deployment.dockerfiles if d.purpose == "production"]
    broken = [d for d in production if missing & set(_copied_names(d))]
    variants = frozenset(d.path for d in broken if d.path.rpartition("/")[2].lower() not in {"dockerfile", "containerfile"})
    return variants if len(broken) < len(production) else frozenset()


def _copied_names(dockerfile: Dockerfile) -> Iterator[str]:
    for instruction in dockerfile.instructions:
        if instruction.keyword == "COPY" and not any(flag.startswith("--from") for flag in instruction.flags):
            yield from (word.rpartition("/")[2] for word in (instruction.exec_form or tuple(instruction.text.split()))[:-1])


def start_scripts(image: Image, tasks: tuple[TaskFile, ...]) -> tuple[str, ...]:
    """Texts of the shell scripts that run when the image starts: named by its start instructions, under the name they are copied to, or by one another.

    Where a supervisor starts it (s6-overlay's `/init`), every script of the directories that are copied in counts.
    """
    scripts = {file.path: file.tasks[0].command for file in tasks if file.kind == "shell" and file.tasks}
    names = _copied_scripts(image, scripts)
    text = "\n".join(i.text for i in image.of("ENTRYPOINT", "CMD"))
    folders = _copied_folders(image) if re.search(r"(?:^|[\"'\s\[])/init\b|\bs6-svscan\b", text) else ()
    found = {path: command for path, command in scripts.items() if path.startswith(folders)} if folders else {}
    for _ in range(_SCRIPT_ROUNDS):
        new = {path: scripts[path] for path, name in names if path not in found and _names(text, name)}
        found |= new
        text = "\n".join(new.values())
    return tuple(found.values())


def _names(text: str, name: str) -> bool:
    return re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", text) is not None


def _copied_scripts(image: Image, scripts: dict[str, str]) -> list[tuple[str, str]]:
    """(path in the tree, name in the image) of scripts: each under its own name, and under the one a COPY gives it."""
    found = [(path, path.rpartition("/")[2]) for path in scripts]
    for source, target in _copies(image):
        found += [(path, target.rstrip("/").rpartition("/")[2]) for path in scripts if path == source]
    return [(path, name) for path, name in found if name]


def _copied_folders(image: Image) -> tuple[str, ...]:
    return tuple(sorted({f"{source}/" if source else "" for source, _ in _copies(image) if source != "?"}))


def _copies(image: Image) -> Iterator[tuple[str, str]]:
    """(path in the tree, place in the image) of what is copied from the build context."""
    for instruction in image.of("COPY", "ADD"):
        words = instruction.exec_form or tuple(instruction.text.split("\n", 1)[0].split())
        if not any(flag.startswith("--from") for flag in instruction.flags):
            yield from ((joined(image.dockerfile.context, word), words[-1]) for word in words[:-1])


def image_finding(rule: str, image: Image, instruction: Instruction | None, message: str, cwe: int = 0) -> Finding:
    """A finding at an instruction of the container file, at its first line without one."""
    line = instruction.line if instruction else 1
    return Finding(
        rule, image.dockerfile.path, message, line, instruction.end_line if instruction else line, detector="dockerfile", cwe=cwe
    )
