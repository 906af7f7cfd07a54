"""Which files are pipelines, and their reading as `CiWorkflow`; each system's own module knows its format."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase

from auditor.languages.ci_github import read_action, read_workflow
from auditor.languages.ci_gitlab import included_paths, read_gitlab
from auditor.languages.ci_hosted import read_appveyor, read_azure, read_circleci, read_cloudbuild, read_travis
from auditor.languages.ci_runners import read_bitbucket, read_buildkite, read_drone, read_jenkins
from auditor.model.artifacts import CiWorkflow

_SYSTEMS = (
    ("github", re.compile(r"^\.(?:github|gitea|forgejo)/workflows/[^/]+\.ya?ml$")),
    ("gitlab", re.compile(r"^\.gitlab-ci\.ya?ml$")),
    ("circleci", re.compile(r"^\.circleci/config\.ya?ml$")),
    ("azure", re.compile(r"^(?:[\w.-]+/){0,3}[\w.-]*azure-pipelines?[\w.-]*\.ya?ml$")),
    ("travis", re.compile(r"^\.travis\.ya?ml$")),
    ("appveyor", re.compile(r"^\.?appveyor\.ya?ml$")),
    ("cloudbuild", re.compile(r"^(?:[\w.-]+/){0,3}cloudbuild[\w.-]*\.(?:ya?ml|json)$")),
    ("bitbucket", re.compile(r"^bitbucket-pipelines\.ya?ml$")),
    ("jenkins", re.compile(r"^(?:[\w.-]+/){0,3}(?:Jenkinsfile[\w.-]*|[\w.-]+\.jenkinsfile)$")),
    ("drone", re.compile(r"^\.drone\.ya?ml$")),
    ("woodpecker", re.compile(r"^\.woodpecker(?:/[\w./-]+)?\.ya?ml$")),
    ("buildkite", re.compile(r"^\.buildkite/(?:[\w.-]+/){0,3}[\w.-]+\.ya?ml$|^buildkite\.ya?ml$")),
)
_ACTION = re.compile(r"(?:^|/)action\.ya?ml$")
_INCLUDE_DEPTH = 3


def system_of(path: str) -> str:
    """The CI system that would run the file at this place, "" for none; workflows below the root's `.github` only, as GitHub does."""
    return next((system for system, pattern in _SYSTEMS if pattern.match(path)), "")


def read_ci(path: str, text: str, included: Mapping[str, str] | None = None) -> CiWorkflow | None:
    """The pipeline at `path`, None when it is none; `included`: texts of the files a GitLab pipeline includes."""
    readers = {
        "github": read_workflow,
        "circleci": read_circleci,
        "azure": read_azure,
        "travis": read_travis,
        "appveyor": read_appveyor,
        "cloudbuild": read_cloudbuild,
        "bitbucket": read_bitbucket,
        "jenkins": read_jenkins,
        "buildkite": read_buildkite,
    }
    system = system_of(path)
    if system == "gitlab":
        return read_gitlab(path, text, included or {})
    if system in {"drone", "woodpecker"}:
        return read_drone(path, text, system)
    return readers[system](path, text) if system else None


def read_pipelines(texts: Mapping[str, str]) -> tuple[CiWorkflow, ...]:
    """All pipelines among `texts` in path order: workflows, the composite actions they use, and the files GitLab pipelines include."""
    found: dict[str, CiWorkflow] = {}
    for path in sorted(texts):
        if system_of(path) == "gitlab":
            included = _included(path, texts)
            found[path] = read_gitlab(path, texts[path], included)
            for inner, text in included.items():
                others = {name: content for name, content in included.items() if name != inner} | {path: texts[path]}
                found[inner] = read_gitlab(inner, text, others)
        elif workflow := read_ci(path, texts[path]):
            found[path] = workflow
    called = {
        step.uses.rstrip("/") for workflow in found.values() for job in workflow.jobs for step in job.steps if step.uses.startswith("./")
    }
    for path in sorted(texts):
        folder = path.rpartition("/")[0]
        if _ACTION.search(path) and (path.startswith(".github/") or f"./{folder}".rstrip("/") in called):
            found[path] = read_action(path, texts[path])
    return tuple(found[path] for path in sorted(found))


def _included(path: str, texts: Mapping[str, str]) -> dict[str, str]:
    """Texts of the local files a GitLab pipeline includes, directly or through another."""
    found: dict[str, str] = {}
    level = [path]
    for _ in range(_INCLUDE_DEPTH):
        patterns = [pattern for name in level for pattern in included_paths(texts[name])]
        level = [
            name
            for name in sorted(texts)
            if name not in found
            and name != path
            and name.endswith((".yml", ".yaml"))
            and any(fnmatchcase(name, pattern) for pattern in patterns)
        ]
        if not level:
            break
        found.update((name, texts[name]) for name in level)
    return found
