"""Where a deployment keeps files: volumes that are declared, and descriptions of hosts whose disk is thrown away with each deployment."""

from __future__ import annotations

import posixpath
import re

from auditor.checks.processes import FUNCTION_HOSTS, run_as_functions
from auditor.checks.starts import DEVELOPMENT_FILE
from auditor.model.artifacts import ComposeService, Deployment
from auditor.model.project import Project
from auditor.model.verdict import Place

_CODE = re.compile(
    r"^\.{0,2}/?(?::|$)|^\.{1,2}/(?:src|app|backend|frontend|server|api|web)/?:|node_modules|:ro$|docker\.sock|nginx|init\w*\.sql|requirements|package",
    re.IGNORECASE,
)
"""Mounts of the code itself, of settings and of start-up scripts."""
_DATABASE_IMAGE = re.compile(
    r"postgres|postgis|mysql|mariadb|mongo|redis|valkey|elastic|opensearch|minio|rabbit|nginx|caddy|traefik|clickhouse|meili|qdrant|kafka|zookeeper|grafana|prometheus",
    re.IGNORECASE,
)
_DISK_KEY = re.compile(
    r"(?:^|\.)(?:mounts?(?:\.|$)|disk(?:\.|$)|persistentVolumeClaim|volumeClaimTemplates|hostPath|requiredMountPath|persistence\.)"
)
_THROWN_AWAY = frozenset({"procfile", "heroku", "fly", "render", "railway", "appengine", "kubernetes", "helm", "digitalocean", "nixpacks"})
_CLUSTERS = frozenset({"kubernetes", "helm"})
_RUN_WITH_VOLUME = re.compile(r"\bdocker\s+run\b[^\n]{0,400}(?:\s-v[ =]|\s--volume[ =]|\s--mount[ =])")
_CONTINUED = re.compile(r"\\\n\s*")


def volume(deployment: Deployment | None, texts: dict[str, str]) -> Place | None:
    """Where a disk that outlives the process is declared for the product itself, in a description or in the documents."""
    if deployment is not None:
        for service in deployment.compose:
            if not DEVELOPMENT_FILE.search(service.path) and _keeps(service):
                return Place(service.path, service.line)
        for file in deployment.dockerfiles:
            for instruction in file.instructions:
                if instruction.keyword == "VOLUME":
                    return Place(file.path, instruction.line)
        for platform in deployment.platforms:
            if any(_DISK_KEY.search(key) for key, _ in platform.settings):
                return Place(platform.path)
    for path in sorted(texts):
        if path.endswith(".md") and _RUN_WITH_VOLUME.search(_CONTINUED.sub(" ", texts[path][:200_000])):
            return Place(path)
    return None


def _keeps(service: ComposeService) -> bool:
    foreign = not service.build and (not service.image or _DATABASE_IMAGE.search(service.image) or _DATABASE_IMAGE.search(service.name))
    if foreign:
        return False
    mounts = [value for key, value in service.settings if re.match(r"volumes\.\d+(?:$|\.source$|\.type$)", key)]
    return any(not _CODE.search(mount) for mount in mounts)


def thrown_away(path: str, project: Project, deployment: Deployment | None) -> Place | None:
    """Where the host of a file is described that begins every deployment with an empty disk.

    A container file alone does not say so: who starts it may give it a volume.
    """
    if deployment is None:
        return None
    for platform in deployment.platforms:
        folder = platform.path.rpartition("/")[0]
        own = path.startswith(f"{folder}/") or not folder or platform.platform in _CLUSTERS
        if (platform.platform in _THROWN_AWAY and own) or (
            platform.platform in FUNCTION_HOSTS
            and run_as_functions(path, project, deployment)
            and project.part_of(platform.path) is project.part_of(path)
        ):
            return Place(platform.path)
    for service in deployment.compose:
        if _builds(service, path) and not DEVELOPMENT_FILE.search(service.path) and not _keeps(service):
            return Place(service.path, service.line)
    return None


def _builds(service: ComposeService, path: str) -> bool:
    """Whether a service is built from the folder of a file."""
    if not service.build or "$" in service.build or "://" in service.build:
        return False
    context = posixpath.normpath(posixpath.join(service.path.rpartition("/")[0], service.build))
    return context == "." or path.startswith(f"{context}/")
