"""Where a deployment keeps files: volumes that are declared, and descriptions of hosts whose disk is thrown away with each deployment."""

from __future__ import annotations

import re

from auditor.checks.starts import DEVELOPMENT_FILE
from auditor.model.artifacts import ComposeService, Deployment
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
_THROWN_AWAY = frozenset(
    {
        "vercel",
        "netlify",
        "cloudflare",
        "serverless",
        "firebase",
        "procfile",
        "heroku",
        "fly",
        "render",
        "railway",
        "appengine",
        "kubernetes",
        "helm",
        "digitalocean",
        "nixpacks",
    }
)
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


def thrown_away(deployment: Deployment | None) -> Place | None:
    """Where a host is described that begins every deployment with an empty disk; a container file alone says as much."""
    if deployment is None:
        return None
    for platform in deployment.platforms:
        if platform.platform in _THROWN_AWAY:
            return Place(platform.path)
    image = next((file for file in deployment.dockerfiles if file.purpose == "production"), None)
    return Place(image.path) if image is not None else None
