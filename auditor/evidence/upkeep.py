"""Evidence UPKEEP: who updates the dependencies, and which versions of run-times the tree says are in use."""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.evidence.registry import Context, own_stamp, provides
from auditor.languages.runtime_versions import VERSION_FILES, of_file, of_image, of_setting, of_text
from auditor.languages.updaters import DEPENDABOT, RENOVATE, read_dependabot, read_renovate
from auditor.model.artifacts import (
    CiJob,
    CiWorkflow,
    Deployment,
    Dockerfile,
    Ecosystem,
    Firmness,
    Manifests,
    RuntimeStatement,
    Updater,
    Upkeep,
)
from auditor.model.need import Known
from auditor.model.needs import CI, DEPLOYMENT, MANIFESTS, SNAPSHOT, TEXTS, UPKEEP
from auditor.model.snapshot import Role, Snapshot
from auditor.model.verdict import Place

_FOREIGN = frozenset({Role.VENDORED, Role.GENERATED, Role.MINIFIED, Role.TEST, Role.EXAMPLE})
_UPDATING = re.compile(
    r"\b(?:npx\s+npm-check-updates|ncu\s+-u|npm\s+update|pnpm\s+(?:-r\s+)?up(?:date)?|yarn\s+up(?:grade)?|uv\s+lock\s+(?:-U|--upgrade)|pip-compile\b[^\n]*(?:-U|--upgrade)|poetry\s+update|pdm\s+update|pipenv\s+update|bun\s+update|renovate)\b"
)
_SETUP = re.compile(r"^actions/setup-(node|python)@")
_MATRIX = re.compile(r"\$\{\{\s*matrix\.([\w-]+)\s*\}\}")


@provides(UPKEEP, needs=(SNAPSHOT, TEXTS, MANIFESTS, DEPLOYMENT, CI))
def upkeep(  # noqa: PLR0917 - one argument for each need
    context: Context,
    snapshot: Snapshot,
    texts: dict[str, str],
    manifests: Manifests,
    deployment: Deployment,
    pipelines: tuple[CiWorkflow, ...],
) -> Known[Upkeep]:
    """All updaters and statements, in path order."""
    updaters = [*_configured(texts, manifests), *_scheduled(pipelines)]
    own = [file.path for file in snapshot.files if file.role not in _FOREIGN]
    statements = {
        *_images(deployment),
        *_platforms(deployment),
        *_files(own, texts),
        *_engines(manifests),
        *_pipelines(pipelines),
    }
    ordered = sorted(statements, key=lambda one: (one.firmness, one.place.path, one.place.line, one.product, one.version))
    return Known(Upkeep(tuple(updaters), tuple(ordered), context.date), own_stamp())


def _configured(texts: dict[str, str], manifests: Manifests) -> Iterator[Updater]:
    wanted: dict[Ecosystem, frozenset[str]] = {}
    for manifest in manifests.manifests:
        if manifest.requirements:
            wanted[manifest.ecosystem] = wanted.get(manifest.ecosystem, frozenset()) | {manifest.root}
    for path, text in sorted(texts.items()):
        if DEPENDABOT.match(path):
            yield from read_dependabot(path, text, wanted)
        elif RENOVATE.match(path):
            yield read_renovate(path, text, wanted)
    for manifest in manifests.manifests:
        if any(key.startswith("renovate.") for key, _ in manifest.settings) and not manifest.root:
            off = ("renovate.enabled", "False") in manifest.settings or ("renovate.enabled", "false") in manifest.settings
            yield Updater("renovate", Place(manifest.path, 1), "it is switched off" if off else "")


def _scheduled(pipelines: tuple[CiWorkflow, ...]) -> Iterator[Updater]:
    """Pipelines that run by the clock and update what is locked."""
    for workflow in pipelines:
        if "schedule" not in workflow.triggers:
            continue
        for job in workflow.jobs:
            for step in job.steps:
                if _UPDATING.search(step.run) or step.uses.startswith("renovatebot/"):
                    yield Updater("pipeline", Place(workflow.path, step.line))


def _images(deployment: Deployment) -> Iterator[RuntimeStatement]:
    for dockerfile in deployment.dockerfiles:
        if dockerfile.purpose != "production" or not dockerfile.base_images:
            continue
        running = _running(dockerfile)
        for stage, image in enumerate(dockerfile.base_images):
            firmness = Firmness.IMAGE if stage in running else Firmness.BUILD
            line = next((one.line for one in dockerfile.instructions if one.keyword == "FROM" and one.stage == stage), 1)
            for product, version in of_image(image):
                yield RuntimeStatement(product, version, firmness, Place(dockerfile.path, line))


def _running(dockerfile: Dockerfile) -> set[int]:
    """The last stage and the stages it is built on."""
    names = {}
    for instruction in dockerfile.instructions:
        named = re.search(r"\sas\s+(\S+)\s*$", instruction.text, re.IGNORECASE) if instruction.keyword == "FROM" else None
        if named:
            names[named[1].lower()] = instruction.stage
    found, stage = set(), len(dockerfile.base_images) - 1
    while stage not in found:
        found.add(stage)
        stage = names.get(dockerfile.base_images[stage].lower(), stage)
    return found


def _platforms(deployment: Deployment) -> Iterator[RuntimeStatement]:
    for platform in deployment.platforms:
        for key, value in platform.settings:
            told = of_setting(key, value)
            if told:
                yield RuntimeStatement(*told, Firmness.PLATFORM, Place(platform.path, 1))


def _files(own: list[str], texts: dict[str, str]) -> Iterator[RuntimeStatement]:
    for path in own:
        name = path.rsplit("/", 1)[-1]
        if path in texts and (name in VERSION_FILES or name == ".tool-versions"):
            for product, version, line in of_file(name, texts[path]):
                yield RuntimeStatement(product, version, Firmness.FILE, Place(path, line))


def _engines(manifests: Manifests) -> Iterator[RuntimeStatement]:
    for manifest in manifests.manifests:
        for name, wanted in manifest.engines:
            if name in {"node", "nodejs", "python"} and wanted.strip():
                product = "python" if name == "python" else "node"
                yield RuntimeStatement(product, wanted.strip(), Firmness.FILE, Place(manifest.path, 1))


def _pipelines(pipelines: tuple[CiWorkflow, ...]) -> Iterator[RuntimeStatement]:
    """Versions the tests run on: set up by name, from a matrix, or an image of the job."""
    for workflow in pipelines:
        for job in workflow.jobs:
            for product, version in of_image(job.image) if job.image else ():
                if product in {"python", "node"}:
                    yield RuntimeStatement(product, version, Firmness.PIPELINE, Place(workflow.path, job.line))
            for step in job.steps:
                setup = _SETUP.match(step.uses)
                for text in _versions(dict(step.with_).get(f"{setup[1]}-version", ""), job) if setup else ():
                    yield RuntimeStatement(setup[1], of_text(setup[1], text), Firmness.PIPELINE, Place(workflow.path, step.line))  # type: ignore[index]


def _versions(stated: str, job: CiJob) -> list[str]:
    """The versions a step sets up, those of the matrix where it refers to one."""
    variable = _MATRIX.search(stated)
    found = [value for key, value in job.matrix if key == variable[1]] if variable else [stated]
    return [text for text in found if text and "${{" not in text]
