"""How many processes a deployment starts, and whether it is run as functions that live for one request: what state in memory and timers depend on."""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.model.artifacts import Deployment
from auditor.model.project import Project
from auditor.model.verdict import Place

COMMAND = re.compile(
    r"(?:^|/)(?:management/commands|commands|cli|bin|scripts?|docker|deploy|migrations?|benchmarks?)/|(?:^|/)(?:manage|cli|populate\w*|seed\w*|backup\w*)\.\w+$"
)
"""Files that are started by hand or by a deployment, not by the process that answers requests."""
_SEVERAL = re.compile(r"(?:--workers?[ =]|-w[ =]?)(?:[2-9]|\d\d|\$)|\bcluster\b|-i (?:max|[2-9])|WEB_CONCURRENCY")
FUNCTION_HOSTS = frozenset({"vercel", "netlify", "cloudflare", "firebase", "serverless"})
_FUNCTION_FILE = re.compile(r"(?:^|/)supabase/functions/[^/]+/")
_FUNCTION_FRAMEWORKS = ("nextjs", "serverless", "lambda", "workers", "cloud-functions")


def several_processes(deployment: Deployment | None) -> Place | None:
    """Where a start command or a platform asks for more than one process."""
    if deployment is None:
        return None
    for platform in deployment.platforms:
        if any(re.search(r"replicas", key) and value.isdigit() and int(value) > 1 for key, value in platform.settings):
            return Place(platform.path)
    return next((place for place, text in _start_texts(deployment) if _SEVERAL.search(text)), None)


def loads_before_it_forks(deployment: Deployment | None) -> bool:
    """Whether the application is loaded once, before its processes are made: threads and timers started then live in the first alone."""
    return deployment is not None and any("--preload" in text for _, text in _start_texts(deployment))


def _start_texts(deployment: Deployment) -> Iterator[tuple[Place, str]]:
    for file in deployment.dockerfiles:
        for each in file.instructions:
            if each.keyword in {"CMD", "ENTRYPOINT"}:
                yield Place(file.path, each.line, each.end_line), each.text.replace('", "', " ")
    for platform in deployment.platforms:
        yield from ((script.place, script.command) for script in platform.commands)
    yield from ((Place(service.path, service.line), service.command) for service in deployment.compose)


def run_as_functions(path: str, project: Project, deployment: Deployment | None) -> bool:
    """Whether a file runs in functions that a host freezes or ends after each answer."""
    if _FUNCTION_FILE.search(path):
        return True
    part = project.part_of(path)
    if deployment is None or not part.uses(*_FUNCTION_FRAMEWORKS):
        return False
    hosts = {each.platform for each in deployment.platforms if project.part_of(each.path) is part}
    images = any(project.part_of(file.path) is part for file in deployment.dockerfiles)
    return bool(hosts & FUNCTION_HOSTS) and not images and hosts <= FUNCTION_HOSTS | {"supabase", "replit"}
