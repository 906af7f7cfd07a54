"""The ways a repository says how it is built and started: container images, platform manifests, deploying pipelines and scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from auditor.checks.commands import Commands, Leaf
from auditor.checks.images import (
    Builds,
    Image,
    base_files,
    builds_of,
    images_of,
    is_development_server,
    is_own_base,
    is_pinned,
    start_leaves,
)
from auditor.checks.pipelines import RunStep, run_steps
from auditor.model.artifacts import CiWorkflow, Deployment, Dockerfile, Manifests, PlatformFile, Script, TaskFile
from auditor.model.syntax import FileFacts, Syntax, ValueKind
from auditor.model.verdict import Place


class Start(StrEnum):
    """What a recipe starts."""

    PRODUCTION = "production"
    DEVELOPMENT = "development"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Recipe:
    """One way to build and start the system.

    `kind`: "container", "platform", "pipeline" or "script"; `name`: what it is in words; `root`: the directory it is about; `pinned`: it fixes the
    run-time's version itself; `command`: the start command as far as known.
    """

    kind: str
    name: str
    root: str
    place: Place
    start: Start
    pinned: bool = False
    command: str = ""


KEEPS_RELEASES = frozenset({"vercel", "netlify", "fly", "render", "railway", "heroku", "appengine", "cloudflare", "firebase", "kubernetes", "helm", "procfile", "digitalocean", "elasticbeanstalk", "replit", "kamal"})  # fmt: skip
"""Platforms that keep what was deployed before and can go back to it."""

_BUILDS_ITSELF = frozenset({"vercel", "netlify", "cloudflare", "firebase", "serverless", "elasticbeanstalk"})
_NEEDS_START = frozenset(
    {"procfile", "fly", "render", "railway", "heroku", "appengine", "nixpacks", "digitalocean", "systemd", "pm2", "replit"}
)
_BUILDERS = frozenset({"render", "railway", "nixpacks", "digitalocean", "heroku", "appengine"})
_SERVES_BY_ITSELF = re.compile(
    r"(?:^|/)(?:nginx|nginx-unprivileged|caddy|httpd|haproxy|traefik|static-web-server|joseluisq/static-web-server|php|tomcat|wordpress|ghost|redis|postgres|mysql|mariadb|mongo|keycloak|uvicorn-gunicorn\S*)(?::|@|$)"
)
_PINNED_SETTING = re.compile(
    r"(?:NODE_VERSION|PYTHON_VERSION|BUN_VERSION|RUBY_VERSION|\.runtime|^runtime|modules\.\d+|nixpkgs|nixPkgs|pkgs|stack|compatibility_date)$",
    re.IGNORECASE,
)
_DEPLOYS = re.compile(
    r"\b(?:flyctl|fly) deploy\b|\bvercel\b(?!.{0,40}\b(?:pull|build|link)\b)[^\n]{0,120}(?:--prod|deploy)|\bnetlify deploy\b|\brailway up\b|\bfirebase deploy\b|\bwrangler (?:deploy|publish|pages deploy)\b|\bgcloud (?:run|app|functions) deploy\b|\baz (?:webapp|containerapp|functionapp)\b"
    r"|\baws (?:ecs update-service|s3 sync|deploy|lambda update|elasticbeanstalk)|\bkubectl (?:apply|set image|rollout)|\bhelm (?:upgrade|install)|\bheroku (?:container:release|git:)|\bgit push (?:heroku|dokku)|\bserverless deploy|\bsls deploy|\bsam deploy|\bcdk deploy|\bpulumi up|\bterraform apply|\bansible-playbook|\bkamal deploy|\beb deploy|\bcap \w+ deploy"
    r"|\brsync\b[^\n]{0,200}\S:|\bscp\b[^\n]{0,200}\S:|\bssh\b[^\n]{0,200}(?:git pull|docker|systemctl|pm2|deploy)|\bgh-pages\b|\bsupabase (?:functions deploy|db push)|\bdocker stack deploy|\brender deploy|\bsupervisorctl (?:restart|reread)|\bsystemctl (?:restart|reload)\b|\bpm2 (?:reload|restart|start)\b"
)
_DEPLOY_ACTION = re.compile(
    r"(?:actions/deploy-pages|peaceiris/actions-gh-pages|JamesIves/github-pages-deploy|superfly/flyctl|amondnet/vercel|cloudflare/(?:wrangler|pages)-action|FirebaseExtended/action-hosting|google-github-actions/deploy|azure/(?:webapps|k8s|container-apps)-deploy|akhileshns/heroku-deploy|appleboy/(?:ssh|scp)-action|nwtgck/actions-netlify|aws-actions/amazon-ecs-deploy|easingthemes/ssh-deploy|burnett01/rsync|SamKirkland/FTP|bervProject/railway)",
    re.IGNORECASE,
)


def recipes_of(
    deployment: Deployment, manifests: Manifests, tasks: tuple[TaskFile, ...], workflows: tuple[CiWorkflow, ...], syntax: Syntax | None
) -> tuple[Recipe, ...]:
    """Every recipe of the tree, containers first."""
    commands = Commands(manifests, tasks)
    builds = builds_of(workflows, deployment, manifests, tasks)
    return (
        *_containers(deployment, commands, builds, syntax),
        *(recipe for platform in deployment.platforms if (recipe := _platform(platform, commands, syntax))),
        *_pipelines(workflows),
        *_scripts(tasks),
    )


_RUN_TIME = re.compile(
    r"(?:^|/)(?:node|python|ruby|golang|php|openjdk|eclipse-temurin|bun|deno|denoland/deno|elixir|erlang|rust|debian|ubuntu|alpine|nodejs\S*|astral/uv|uv|dotnet\S*|aspnet|sdk)(?::|@|$)"
)
"""Images that decide which version of a language runs; a web server or helper image in front of it does not."""


def _containers(deployment: Deployment, commands: Commands, builds: Builds, syntax: Syntax | None) -> Iterator[Recipe]:
    started = {service.build: service.command for service in deployment.compose if service.command and service.build}
    bases = base_files(deployment)
    for dockerfile in deployment.dockerfiles:
        if dockerfile.purpose != "production" or dockerfile.problem or dockerfile.path in bases:
            continue
        for image in images_of(dockerfile, builds):
            if image.is_empty:
                continue
            start, command = _image_start(image, commands, syntax)
            if start is Start.MISSING and (
                override := next((c for build, c in started.items() if build.strip("./") in {"", dockerfile.context}), "")
            ):
                start, command = Start.PRODUCTION, override
            place = Place(dockerfile.path, image.start.line, image.start.end_line) if image.start else Place(dockerfile.path, 1, 1)
            pinned = all(
                is_pinned(reference) or is_own_base(reference, bases)
                for reference in outside_images(dockerfile)
                if _RUN_TIME.search(reference)
            )
            yield Recipe("container", "a container image", dockerfile.context, place, start, pinned, command)


def outside_images(dockerfile: Dockerfile) -> tuple[str, ...]:
    """The base images that are no earlier stage of the same file."""
    names = {words[2].lower() for i in dockerfile.instructions if i.keyword == "FROM" and len(words := i.text.split()) >= 3}
    return tuple(image for image in dockerfile.base_images if image.lower() not in names and "$" not in image)


def _image_start(image: Image, commands: Commands, syntax: Syntax | None) -> tuple[Start, str]:
    leaves = start_leaves(image, commands)
    if not leaves:
        return (Start.PRODUCTION, "") if _SERVES_BY_ITSELF.search(image.base) else (Start.MISSING, "")
    return _start(leaves, syntax)


def _start(leaves: tuple[Leaf, ...], syntax: Syntax | None) -> tuple[Start, str]:
    server = next((leaf for leaf in leaves if is_development_server(leaf) or _runs_development_server(leaf, syntax)), None)
    return (Start.DEVELOPMENT, server.text) if server else (Start.PRODUCTION, leaves[-1].text)


_PYTHON_FILE = re.compile(r"^(?:\S{0,80}/)?python[\d.]*\s+(?:-\S\s+)*([\w./-]{1,200}\.py)\b")


def _runs_development_server(leaf: Leaf, syntax: Syntax | None) -> bool:
    """`python app.py` whose main part calls Flask's own server, or uvicorn with reloading."""
    match = _PYTHON_FILE.match(leaf.text)
    if match is None or syntax is None:
        return False
    name = match[1].removeprefix("./").rpartition("/")[2]
    candidates = [
        facts
        for path, facts in syntax.files.items()
        if path == name or path.endswith(f"/{match[1].removeprefix('./')}") or path == match[1].removeprefix("./")
    ]
    return len(candidates) == 1 and starts_development_server(candidates[0])


def starts_development_server(facts: FileFacts) -> bool:
    """Whether a Python file calls a framework's development server."""
    flask = any(statement.module.split(".")[0] in {"flask", "dash", "quart"} for statement in facts.imports)
    for call in facts.calls:
        reload = call.argument("reload")
        if (
            call.callee in {"uvicorn.run", "run"}
            and reload is not None
            and reload.kind is ValueKind.BOOLEAN
            and reload.literal.lower() == "true"
        ):
            return True
        if flask and re.fullmatch(r"(?:app|application|server|flask_app|create_app\(\))\.run(?:_server)?", call.callee):
            return True
    return False


def _platform(platform: PlatformFile, commands: Commands, syntax: Syntax | None) -> Recipe | None:
    name = platform.platform
    root = platform.path.rpartition("/")[0]
    place = Place(platform.path, platform.commands[0].place.line if platform.commands else 1)
    pinned = any(_PINNED_SETTING.search(key) and re.search(r"\d", value) for key, value in platform.settings)
    if name in _BUILDS_ITSELF:
        return Recipe("platform", f"a {name} manifest", root, place, Start.PRODUCTION, pinned)
    if name in {"kubernetes", "helm"} and platform.images:
        return Recipe("platform", f"a {name} manifest", "", place, Start.PRODUCTION, all(is_pinned(image) for image in platform.images))
    if name in {"ansible", "kamal", "terraform"} and (platform.commands or platform.images):
        return Recipe("platform", f"{name} files", "", place, Start.PRODUCTION if name == "kamal" else Start.MISSING, pinned)
    if name not in _NEEDS_START:
        return None
    starts = [command for command in platform.commands if command.name not in {"build", "release", "install", "dev", "ignore"}]
    if name == "replit" and not starts:
        return None  # what the workspace's run button does is not a deployment
    leaves = tuple(leaf for command in starts for leaf in commands.leaves(command.command, root if name != "systemd" else "?"))
    if name == "systemd" and any(re.search(r"\b(?:docker|podman)\b", leaf.text) for leaf in leaves):
        return Recipe("platform", "a systemd unit", "", place, Start.PRODUCTION, pinned, leaves[0].text)
    if not leaves:
        assumed = name in _BUILDERS | {"fly"}  # they find out themselves, or use the container file
        return Recipe("platform", f"a {name} manifest", root, place, Start.PRODUCTION if assumed else Start.MISSING, pinned)
    start, command = _start(leaves, syntax)
    return Recipe("platform", f"a {name} manifest", root, place, start, pinned, command)


def deploying_steps(workflows: tuple[CiWorkflow, ...]) -> tuple[RunStep, ...]:
    """Steps that bring the system to where it runs; sites of documentation are something else."""
    return tuple(
        step
        for step in run_steps(workflows)
        if (_DEPLOY_ACTION.search(step.step.uses) or _DEPLOYS.search(step.step.run)) and not _is_documentation(step)
    )


def deploys(text: str) -> bool:
    """Whether a command brings something to where it runs."""
    return bool(_DEPLOYS.search(text))


def _is_documentation(step: RunStep) -> bool:
    name = f"{step.path} {step.job.name} {step.step.name}".lower()
    pages = "pages" in step.step.uses.lower() or "gh-pages" in step.step.run
    return pages and (
        bool(re.search(r"\bdocs?\b|documentation|storybook|mkdocs|sphinx", name))
        or any(re.search(r"docs|mkdocs|sphinx|typedoc|storybook", s.run) for s in step.job.steps)
    )


def _pipelines(workflows: tuple[CiWorkflow, ...]) -> Iterator[Recipe]:
    for step in deploying_steps(workflows):
        yield Recipe("pipeline", "a deploying pipeline", "", step.place(), Start.PRODUCTION if _starts_by_platform(step) else Start.MISSING)


def _starts_by_platform(step: RunStep) -> bool:
    """The target starts what it gets; copying files to a server and restarting something there says nothing of how."""
    text = f"{step.step.uses} {step.step.run}"
    return not re.search(r"\brsync\b|\bscp\b|\bssh\b|appleboy|FTP|ssh-deploy", text)


def _scripts(tasks: tuple[TaskFile, ...]) -> Iterator[Recipe]:
    for path, task in deploying_tasks(tasks):
        start = (
            Start.PRODUCTION
            if re.search(
                r"\b(?:gunicorn|uwsgi|uvicorn|docker compose up|docker-compose up|pm2 start|node \S+\.js|kubectl|helm|fly|vercel|serverless|docker run)\b",
                task.command,
            )
            else Start.MISSING
        )
        yield Recipe("script", "a deployment script", "", Place(path, task.place.line), start)


def deploying_tasks(tasks: tuple[TaskFile, ...]) -> list[tuple[str, Script]]:
    """Scripts and targets that deploy: their name says so and what they do fits."""
    return [
        (task_file.path, task)
        for task_file in tasks
        for task in task_file.tasks
        if _DEPLOYING_NAME.search(task.name) and _ships(task.command)
    ]


_DEPLOYING_NAME = re.compile(r"deploy|release|ship|publish|rollout|update-server|^up(?:date|grade)?(?:\.sh)?$", re.IGNORECASE)


def _ships(command: str) -> bool:
    return bool(_DEPLOYS.search(command) or re.search(r"\bgit pull\b|\bdocker(?: |-)compose\b.{0,80}\bup\b|\bdocker push\b", command))
