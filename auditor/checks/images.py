"""What a container file builds: its resulting stages, the instructions each consists of, its user and its start command."""

from __future__ import annotations

import re
from dataclasses import dataclass

from auditor.checks.commands import Commands, Leaf
from auditor.checks.shell import joined
from auditor.model.artifacts import CiWorkflow, Deployment, Dockerfile, Instruction

_HELPER_STAGE = re.compile(
    r"(?:^|[-_.])(?:test|tests|testing|dev|development|debug|lint|ci|e2e|bench|devcontainer|docs)(?:[-_.]|$)", re.IGNORECASE
)
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


@dataclass(frozen=True, slots=True)
class Builds:
    """How pipelines and compose files build: `targets`: stages they ask for; `whole`: container files a pipeline builds without asking for a stage."""

    targets: frozenset[str] = frozenset()
    whole: frozenset[str] = frozenset()


def builds_of(workflows: tuple[CiWorkflow, ...], deployment: Deployment) -> Builds:
    """The builds that stand in pipelines and compose files."""
    targets = {value for service in deployment.compose for key, value in service.settings if key == "build.target"}
    whole: set[str] = set()
    for step in (step for workflow in workflows for job in workflow.jobs for step in job.steps):
        settings = dict(step.with_)
        targets.update(re.findall(r"--target[ =]([\w.-]{1,60})", step.run[:20_000]))
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
