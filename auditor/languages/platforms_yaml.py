"""Deployment descriptions in YAML: Kubernetes, Helm, Kustomize, Render, App Engine, Heroku, serverless, Ansible, Kamal, DigitalOcean."""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.languages.yaml_nodes import Node, flattened, read_yaml, without_template
from auditor.model.artifacts import Container, PlatformFile, Script
from auditor.model.verdict import Place

_PROBES = frozenset(
    {
        "livenessProbe",
        "readinessProbe",
        "startupProbe",
        "healthCheckPath",
        "health_check",
        "healthcheck",
        "liveness_check",
        "readiness_check",
    }
)
_IMAGE_LINE = re.compile(r"^\s*(?:-\s*)?image:\s*[\"']?([^\s\"'#]{1,300})", re.MULTILINE)
_PLACE_OF_SETTINGS = re.compile(
    r"(?:^|\.)(?:replicas|kind|strategy|revisionHistoryLimit|runAsNonRoot|runAsUser|namespace|apiVersion|type)(?:\.|$)"
)
_COMMANDS = 60
_WORKLOADS = frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Pod"})


def _command(name: str, node: Node, path: str) -> list[Script]:
    if node.is_scalar:
        return [Script(name, node.text, Place(path, node.line))] if node.text else []
    words = [scalar.text for scalar in node.scalars()]
    return [Script(name, " ".join(words), Place(path, node.line))] if words else []


def _probed(node: Node) -> bool:
    return any(path and path[-1] in _PROBES and below for path, below in node.walk())


def read_kubernetes(path: str, text: str, platform: str = "kubernetes") -> PlatformFile:
    """A manifest or a Helm template; of a template that is no YAML even without its holes, images and probes are read as lines."""
    read = read_yaml(without_template(text))
    commands: list[Script] = []
    images: list[str] = []
    settings: list[tuple[str, str]] = []
    health = False
    for document in read.documents[:200]:
        health = health or _probed(document)
        settings += [pair for pair in flattened(document, 2_000) if _PLACE_OF_SETTINGS.search(pair[0])][:60]
        for keys, node in document.walk():
            if keys and keys[-1] == "image" and node.is_scalar:
                images.append(node.text)
            elif (
                keys
                and keys[-1] in {"command", "args"}
                and ("containers" in keys or "initContainers" in keys)
                and len(commands) < _COMMANDS
            ):
                commands += _command(keys[-1], node, path)
    if read.problem:
        images += _IMAGE_LINE.findall(without_template(text))
        health = health or any(f"{probe}:" in text for probe in ("livenessProbe", "readinessProbe"))
    problem = "" if platform == "helm" else read.problem
    containers = tuple(_containers(read.documents[:200])) if platform == "kubernetes" else ()  # a chart fills them in from its values
    return PlatformFile(path, platform, tuple(commands), health, tuple(dict.fromkeys(images)), tuple(settings[:300]), problem, containers)


def _containers(documents: tuple[Node, ...]) -> Iterator[Container]:
    """The containers of every Deployment, StatefulSet, DaemonSet, ReplicaSet and Pod."""
    for document in documents:
        if document.get("kind").text in _WORKLOADS:
            for keys, node in document.walk():
                if len(keys) > 1 and keys[-2] == "containers" and node.is_mapping:
                    memory = node.get("resources", "limits", "memory").text
                    yield Container(node.get("name").text, node.get("image").text, memory, node.line)


def read_helm(path: str, text: str) -> PlatformFile:
    """`Chart.yaml`, a values file or a template of a chart."""
    if "/templates/" in path or path.endswith(".tpl"):
        return read_kubernetes(path, text, "helm")
    root = read_yaml(without_template(text)).root
    images = [
        f"{node.get('repository').text}:{node.get('tag').text}" if node.is_mapping else node.text
        for keys, node in root.walk()
        if keys and keys[-1].lower().endswith("image") and (node.get("repository") or node.is_scalar)
    ]
    return PlatformFile(path, "helm", (), _probed(root), tuple(dict.fromkeys(images)), flattened(root))


def read_kustomization(path: str, text: str) -> PlatformFile:
    """`kustomization.yaml`: the images it sets."""
    root = read_yaml(text).root
    images = [f"{node.get('newName').text or node.get('name').text}:{node.get('newTag').text}" for node in root.get("images").elements()]
    return PlatformFile(path, "kubernetes", (), images=tuple(images), settings=flattened(root))


def read_render(path: str, text: str) -> PlatformFile:
    """`render.yaml`."""
    read = read_yaml(text)
    commands: list[Script] = []
    images = []
    for service in read.root.get("services").elements():
        for key, name in (
            ("buildCommand", "build"),
            ("preDeployCommand", "release"),
            ("startCommand", "start"),
            ("dockerCommand", "start"),
        ):
            commands += _command(name, service.get(key), path)
        images += [service.get("image", "url").text] if service.get("image", "url") else []
    return PlatformFile(path, "render", tuple(commands), _probed(read.root), tuple(images), flattened(read.root), read.problem)


def read_digitalocean(path: str, text: str) -> PlatformFile:
    """`.do/app.yaml`."""
    read = read_yaml(text)
    root = read.root.get("spec") or read.root
    commands: list[Script] = []
    for kind in ("services", "workers", "jobs", "static_sites"):
        for service in root.get(kind).elements():
            commands += _command("build", service.get("build_command"), path) + _command("start", service.get("run_command"), path)
    return PlatformFile(path, "digitalocean", tuple(commands), _probed(root), settings=flattened(root), problem=read.problem)


def read_appengine(path: str, text: str) -> PlatformFile:
    """`app.yaml` of App Engine."""
    read = read_yaml(text)
    return PlatformFile(
        path,
        "appengine",
        tuple(_command("start", read.root.get("entrypoint"), path)),
        _probed(read.root),
        settings=flattened(read.root),
        problem=read.problem,
    )


def read_heroku(path: str, text: str) -> PlatformFile:
    """`heroku.yml`."""
    read = read_yaml(text)
    commands: list[Script] = []
    for name, node in read.root.get("run").items():
        commands += _command(name, node.get("command") if node.is_mapping else node, path)
    commands += _command("release", read.root.get("release", "command"), path)
    return PlatformFile(path, "heroku", tuple(commands), settings=flattened(read.root), problem=read.problem)


def read_serverless(path: str, text: str) -> PlatformFile:
    """`serverless.yml` or an AWS SAM template."""
    read = read_yaml(text)
    return PlatformFile(path, "serverless", (), settings=flattened(read.root), problem=read.problem)


def read_kamal(path: str, text: str) -> PlatformFile:
    """Kamal's `config/deploy.yml`."""
    read = read_yaml(without_template(text))
    commands: list[Script] = []
    for name, node in read.root.get("servers").items():
        commands += _command(name, node.get("cmd"), path)
    image = read.root.get("image").text
    return PlatformFile(path, "kamal", tuple(commands), _probed(read.root), (image,) if image else (), flattened(read.root), read.problem)


_ANSIBLE_COMMANDS = frozenset({"shell", "command", "script", "raw", "ansible.builtin.shell", "ansible.builtin.command"})


def read_ansible(path: str, text: str) -> PlatformFile:
    """An Ansible playbook: its shell commands, and the modules used as settings ("module.git": "true")."""
    read = read_yaml(text)
    commands: list[Script] = []
    modules: dict[str, str] = {}
    for play in read.root.elements()[:50]:
        for phase in ("pre_tasks", "tasks", "post_tasks", "handlers"):
            for task in play.get(phase).elements()[:300]:
                modules.update(
                    (f"module.{name.rpartition('.')[2]}", "true") for name, _ in task.items() if name not in {"name", "when", "register"}
                )
                for name in _ANSIBLE_COMMANDS:
                    node = task.get(name)
                    commands += _command(task.get("name").text or "task", node.get("cmd") if node.is_mapping else node, path)
    return PlatformFile(path, "ansible", tuple(commands[:_COMMANDS]), settings=tuple(sorted(modules.items())), problem=read.problem)
