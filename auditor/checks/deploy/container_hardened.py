"""Container images are small, pinned, unprivileged and free of secrets.

Passing title: The container image carries only what it needs and runs without special rights
Failing title: The container image gives an intruder more than the program
Grading: Five sub-claims for each image: it runs as an ordinary user and without the rights of its host; its base images are pinned to a version and downloads are checked; what it copies leaves `.git` and
    environment files out; it holds no secret; it is built for production (no development server, no compilers left from the build). b is the share not met by the worst image. A
    secret in a layer fails at once. Images for development and CI are left out, and one that nothing is put into is no image. A start script that
    drops root itself, a supervisor that starts each service as an ordinary user, and a compose file that sets one count as an ordinary user.
Done when: each production image has a USER that is not root, a versioned base, an ignore file that keeps `.git` and `.env` out of `COPY .`, no secret in ENV, ARG or files, and starts the production server.
What it cannot see: what the base image itself contains, build arguments given outside the repository, and rights the platform takes away (read-only root, dropped capabilities).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.checks.commands import Commands
from auditor.checks.image_rights import services_of, special_rights
from auditor.checks.image_secrets import image_secrets
from auditor.checks.images import (
    Image,
    base_files,
    builds_of,
    image_finding,
    images_of,
    is_development_server,
    is_own_base,
    is_pinned,
    leftovers,
    start_leaves,
    start_scripts,
)
from auditor.checks.registry import check
from auditor.model.artifacts import CiWorkflow, ComposeService, Deployment, Dockerfile, EnvironmentFile, Manifests, TaskFile
from auditor.model.needs import CI, DEPLOYMENT, ENVIRONMENT_FILES, MANIFESTS, TASKS
from auditor.model.verdict import Assessed, Finding, Judgement, NotApplicable, Place
from auditor.words import plural

_DROPS_RIGHTS = re.compile(
    r"(?:^|/)(?:nginx|httpd|postgres|postgis|mysql|mariadb|redis|mongo|rabbitmq|memcached|haproxy|elasticsearch|opensearch|supabase/\w+|timescaledb|pgvector)(?::|@|$)"
)
_USER_PRESET = re.compile(
    r"nonroot|unprivileged|rootless|^(?:cgr\.dev/|docker\.io/bitnami/|bitnami/)|^jupyter/|^quay\.io/jupyter/|^apache/airflow|^grafana/|^selenium/|^hashicorp/|^public\.ecr\.aws/lambda/|^gcr\.io/distroless/.{0,60}nonroot"
)
_SWITCHES_USER = re.compile(
    r"\b(?:gosu|su-exec|setpriv|runuser|s6-setuidgid|chpst|dropprivs)\b|\bsu\s+(?:-\s*)?\w+\s+-c|^[ \t]*USER=|\bstart-stop-daemon\b.{0,80}--chuid|\buid\s*=\s*\w",
    re.MULTILINE,
)
_FULL_BASE = re.compile(
    r"^(?:docker\.io/(?:library/)?)?(?:node|python|ruby|golang|rust|openjdk|gradle|maven)(?::|$)(?!.{0,80}(?:slim|alpine|distroless|minimal))"
)
_UNCHECKED = re.compile(
    r"\bcurl\b[^\n|;&]{0,200}\s(?:-[a-zA-Z]{0,6}k[a-zA-Z]{0,6}|--insecure)(?=\s|$)|\bwget\b[^\n|;&]{0,200}--no-check-certificate|\bstrict-ssl[ =]false|--trusted-host\b|--allow-unauthenticated\b|--force-yes\b"
    r"|\bNODE_TLS_REJECT_UNAUTHORIZED=[\"']?0|\bGIT_SSL_NO_VERIFY=|\bhttp\.sslVerify[ =]false|--no-?gpg-?check\b|--allow-untrusted\b"
)
"""Downloads whose sender is not asked who it is."""
_BUILD_TOOLS = re.compile(r"\b(?:build-essential|build-base|gcc|g\+\+|linux-headers|clang|cargo|rustc)(?=\s|$)")
_REMOVED_AGAIN = re.compile(r"\b(?:apk del|apt-get (?:purge|remove|autoremove)|apt (?:purge|remove))\b")


@check("deploy.container-hardened", needs=(DEPLOYMENT, MANIFESTS, TASKS, ENVIRONMENT_FILES, CI), tolerance=0.05)
def container_hardened(
    deployment: Deployment,
    manifests: Manifests,
    tasks: tuple[TaskFile, ...],
    environment_files: tuple[EnvironmentFile, ...],
    workflows: tuple[CiWorkflow, ...],
) -> Judgement:
    """Judge every production image."""
    based_on = base_files(deployment)
    passed_over = based_on | leftovers(deployment, manifests)
    production = [d for d in deployment.dockerfiles if d.purpose == "production" and d.path not in passed_over]
    builds = builds_of(workflows, deployment, manifests, tasks)
    dotenv = any(file.path.rpartition("/")[2].startswith(".env") for file in environment_files)
    unreadable = tuple((dockerfile.path, dockerfile.problem) for dockerfile in production if dockerfile.problem)
    images = [image for dockerfile in production if not dockerfile.problem for image in images_of(dockerfile, builds) if not image.is_empty]
    if not images and not unreadable:
        others = len(deployment.dockerfiles)
        reason = (
            "No production image is built here; the container files are for development or CI."
            if others
            else "The repository has no container file."
        )
        return NotApplicable(reason, tuple(Place(dockerfile.path, 1, 1) for dockerfile in deployment.dockerfiles[:3]))
    around = _Around(
        Commands(manifests, tasks), tasks, dotenv, tuple(d for d in deployment.dockerfiles if d.path in based_on), deployment.compose
    )
    judged = [(image, list(_findings(image, around))) for image in images]
    findings = tuple(dict.fromkeys(finding for _, found in judged for _, finding in found))
    worst = max((len({claim for claim, _ in found}) for _, found in judged), default=0)
    baked = any(claim == "secret" and finding.rule != "default-secret" for _, found in judged for claim, finding in found)
    good = tuple(Place(image.dockerfile.path, 1, 1) for image, found in judged if not found)
    summary = (
        "A secret is built into the image."
        if baked
        else f"The worst of {plural(len(images), 'image')} misses {worst} of five safeguards."
        if worst
        else f"{plural(len(images), 'image')} examined: pinned, unprivileged, lean and free of secrets."
    )
    return Assessed(
        worst,
        5,
        summary,
        1.0 if baked else 0.0,
        findings,
        good[:3],
        (f"{plural(len(images), 'production image')} of {plural(len(production), 'container file')}",),
        unreadable,
    )


@dataclass(frozen=True, slots=True)
class _Around:
    """What an image is judged with: the commands and scripts of the tree, whether it uses environment files, the base images it makes itself."""

    commands: Commands
    tasks: tuple[TaskFile, ...]
    dotenv: bool
    bases: tuple[Dockerfile, ...]
    services: tuple[ComposeService, ...]


def _findings(image: Image, around: _Around) -> Iterator[tuple[str, Finding]]:
    """(sub-claim, finding) for everything one image misses."""
    yield from _base(image, around.bases)
    yield from _unchecked(image)
    yield from _user(image, around)
    yield from special_rights(image, around.services)
    yield from _copied(image, around.dotenv)
    yield from image_secrets(image)
    yield from _lean(image, around.commands)


def _base(image: Image, bases: tuple[Dockerfile, ...]) -> Iterator[tuple[str, Finding]]:
    names = {word.lower() for i in image.dockerfile.instructions if i.keyword == "FROM" for word in i.text.split()[2:3]}
    for instruction in (i for i in image.dockerfile.instructions if i.keyword == "FROM"):
        reference = image.dockerfile.base_images[instruction.stage]
        known = reference.lower() in names or "$" in reference or is_own_base(reference, frozenset(base.path for base in bases))
        if not known and not is_pinned(reference):
            yield (
                "pinned",
                image_finding(
                    "floating-base",
                    image,
                    instruction,
                    f"The image is built on {reference}, whatever that is on the day: two builds of the same commit can differ, and one of them breaks.",
                ),
            )
            return


def _user(image: Image, around: _Around) -> Iterator[tuple[str, Finding]]:
    own = is_own_base(image.base, frozenset(base.path for base in around.bases))
    inherited = [i for base in around.bases if own for i in base.instructions if i.keyword == "USER"]
    users = image.of("USER") or tuple(inherited)
    if users:
        name = users[-1].text.split(":")[0].strip("\"' ")
        if name not in {"root", "0"}:
            return
    elif _DROPS_RIGHTS.search(image.base) or _USER_PRESET.search(image.base):
        return
    scripts = start_scripts(image, around.tasks)
    if any(_SWITCHES_USER.search(text) for text in (*scripts, *(i.text for i in image.of("ENTRYPOINT", "CMD")))):
        return
    if _user_of_services(image, around.services):
        return
    message = "The program runs as root in its container: a hole in it hands the whole container over, and with a mounted volume or kernel hole the host."
    yield "user", image_finding("runs-as-root", image, image.of("USER")[-1] if image.of("USER") else image.start, message, cwe=250)


def _unchecked(image: Image) -> Iterator[tuple[str, Finding]]:
    """What is downloaded into the image without its sender or content being checked."""
    for instruction in image.dockerfile.instructions:
        if instruction.keyword in {"RUN", "ENV"} and _UNCHECKED.search(instruction.text):
            message = "Something is downloaded into the image with the check of its sender switched off: whoever sits on the line decides what is installed."
            yield "pinned", image_finding("unchecked-download", image, instruction, message, cwe=295)
            return
        remote = instruction.keyword == "ADD" and re.match(r"\s*http://", instruction.text)
        if remote and not any(flag.startswith("--checksum") for flag in instruction.flags):
            message = (
                "A file is fetched into the image over an open line and taken as it comes: whoever sits on the line decides what it holds."
            )
            yield "pinned", image_finding("unchecked-download", image, instruction, message, cwe=494)
            return


def _user_of_services(image: Image, services: tuple[ComposeService, ...]) -> bool:
    """Whether every compose service that builds the image sets an ordinary user."""
    users = [dict(service.settings).get("user", "") for service in services_of(image, services)]
    return bool(users) and all(user and user.split(":")[0].strip("\"' ") not in {"root", "0"} for user in users)


def _copied(image: Image, dotenv: bool) -> Iterator[tuple[str, Finding]]:
    for instruction in image.of("COPY", "ADD"):
        if any(flag.startswith("--from") for flag in instruction.flags):
            continue
        words = instruction.exec_form or tuple(instruction.text.split("\n", 1)[0].split())
        if not {word.rstrip("/") for word in words[:-1]} & {".", "./.", "./*", "*", ""}:
            continue
        wanted = [".git", *([".env"] if dotenv else [])]
        missing = [name for name in wanted if name not in image.dockerfile.ignored]
        if missing:
            why = (
                f"{image.dockerfile.ignore_file} does not leave out {' and '.join(missing)}"
                if image.dockerfile.ignore_file
                else "there is no .dockerignore"
            )
            yield (
                "copied",
                image_finding(
                    "copies-everything",
                    image,
                    instruction,
                    f"The whole directory is copied into the image and {why}: keys in a local environment file and the history travel to everybody who can pull it.",
                    cwe=538,
                ),
            )
            return


def _lean(image: Image, commands: Commands) -> Iterator[tuple[str, Finding]]:
    server = next((leaf for leaf in start_leaves(image, commands) if is_development_server(leaf)), None)
    if server is not None:
        last = f"The stage {image.name} stands last, so an ordinary build gives it: the" if image.name else "The"
        message = f"{last} container starts a development server ({server.text[:60]}): slow, chatty with internals, and by its makers' word not for the internet."
        yield "lean", image_finding("development-server", image, image.start, message, cwe=489)
        return
    tools = next((i for i in image.of("RUN") if _BUILD_TOOLS.search(i.text) and not _REMOVED_AGAIN.search(i.text)), None)
    single = sum(i.keyword == "FROM" for i in image.dockerfile.instructions) == 1
    if tools is not None and not _FULL_BASE.search(image.base):
        yield (
            "lean",
            image_finding(
                "build-tools-shipped",
                image,
                tools,
                "Compilers of the build stay in the shipped image: larger to pull, and a workshop for whoever gets in.",
            ),
        )
    elif single and _FULL_BASE.search(image.base):
        yield (
            "lean",
            image_finding(
                "full-base",
                image,
                image.of("FROM")[0],
                f"The image is built in one stage on the full {image.base.split(':')[0]} image: hundreds of megabytes with compilers and tools the program never uses.",
            ),
        )
