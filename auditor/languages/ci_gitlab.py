"""GitLab CI: jobs with `extends`, `!reference`, defaults and local includes as `CiWorkflow`."""

from __future__ import annotations

import re
from collections.abc import Mapping

from auditor.languages.ci_shell import swallows_failure
from auditor.languages.yaml_nodes import NOTHING, Node, YamlText, read_yaml
from auditor.model.artifacts import CiJob, CiStep, CiWorkflow

_KEYWORDS = frozenset(
    {"stages", "default", "variables", "include", "workflow", "image", "services", "cache", "before_script", "after_script", "spec"}
)
_EXTENDS_DEPTH = 8
_INCLUDES = 30
_COMMIT = re.compile(r"/[0-9a-f]{40}/")
_FLOATING = re.compile(r"@(?:~latest|main|master|HEAD)$")
_ON_CHANGE = re.compile(r"merge_requests?|external_pull_requests?|pull_request")


def included_paths(text: str) -> tuple[str, ...]:
    """Repository-relative paths of the local files a pipeline includes (patterns as written)."""
    found = []
    for node in read_yaml(text).root.get("include").elements():
        local = node.text if node.is_scalar else node.get("local").text
        if local and "://" not in local:
            found.append(local.lstrip("/"))
    return tuple(found[:_INCLUDES])


def read_gitlab(path: str, text: str, included: Mapping[str, str]) -> CiWorkflow:
    """A pipeline file; `included` are the texts of other pipeline files, where its templates may stand."""
    read = read_yaml(text)
    root = read.root
    if not root.is_mapping:
        return CiWorkflow(path, "gitlab", "", (), (), (), problem=read.problem or "holds no pipeline")
    templates = _Templates(read, [read_yaml(included[name]) for name in sorted(included)[:_INCLUDES]])
    jobs = tuple(
        _job(name, node, root, templates)
        for name, node in root.items()
        if node.is_mapping and name not in _KEYWORDS and not name.startswith(".") and (name != "pages" or node.get("script"))
    )
    runnable = tuple(job for job in jobs if job.steps)
    return CiWorkflow(path, "gitlab", "", _triggers(root, runnable), (), runnable, problem=read.problem, includes=_moving(root))


def _moving(root: Node) -> tuple[tuple[str, int], ...]:
    """Files of other places that are included without a fixed state: an address without a checksum, a project without a tag or commit."""
    found: list[tuple[str, int]] = []
    for node in root.get("include").elements()[:_INCLUDES]:
        address = node.text if node.is_scalar else node.get("remote").text
        if "://" in address and not node.get("integrity") and not _COMMIT.search(address):
            found.append((address.partition("?")[0], node.line))
        component = node.get("component").text
        if component and _FLOATING.search(component):
            found.append((component, node.line))
        if node.get("project").text and node.get("ref").text in {"", "main", "master", "HEAD", "develop"}:
            found.append((node.get("project").text, node.line))
    return tuple(found)


class _Templates:
    """Looks a job's keys up in the job itself and in what it extends."""

    def __init__(self, own: YamlText, others: list[YamlText]) -> None:
        self._roots = [own.root, *(other.root for other in others)]

    def named(self, name: str) -> Node:
        return next((node for root in self._roots if (node := root.get(name))), NOTHING)

    def get(self, job: Node, key: str) -> Node:
        """The value of `key`, from the nearest template that has it."""
        level = [job]
        for _ in range(_EXTENDS_DEPTH):
            for node in level:
                found = node.get(key)
                if found:
                    return found
            level = [self.named(name) for node in level for name in reversed(node.get("extends").texts())][:20]
        return NOTHING

    def commands(self, node: Node) -> list[Node]:
        """The script lines of a node, `!reference [.template, key]` replaced by what it points to."""
        found: list[Node] = []
        pending = [(node, 0)]
        while pending and len(found) < 300:
            here, depth = pending.pop(0)
            if here.tag == "reference" and here.is_sequence and depth < _EXTENDS_DEPTH:
                target = NOTHING
                keys = here.texts()
                if keys:
                    target = self.named(keys[0]).get(*keys[1:])
                pending.insert(0, (target, depth + 1))
            elif here.is_sequence and depth < _EXTENDS_DEPTH:
                pending[:0] = [(child, depth + 1) for child in here.children[:300]]
            elif here.is_scalar and here.text:
                found.append(here)
        return found


def _job(name: str, node: Node, root: Node, templates: _Templates) -> CiJob:
    def setting(key: str) -> Node:
        return templates.get(node, key) or root.get("default", key) or (root.get(key) if key in _KEYWORDS else NOTHING)

    before, script = setting("before_script"), templates.get(node, "script")
    steps = [CiStep(line.line, run=line.text, ignores_failure=swallows_failure(line.text)) for line in templates.commands(before)]
    steps += [CiStep(line.line, run=line.text, ignores_failure=swallows_failure(line.text)) for line in templates.commands(script)]
    if not script:
        steps = [CiStep(node.get("trigger").line, uses="trigger")] if node.get("trigger") else []
    image = setting("image")
    allow = templates.get(node, "allow_failure")
    return CiJob(
        name=name,
        line=node.key_line,
        steps=tuple(steps),
        ignores_failure=allow.text == "true",
        condition=_condition(node, templates),
        image=image.text or image.get("name").text,
        needs=tuple(need.text or need.get("job").text for need in templates.get(node, "needs").elements()),
        environment=templates.get(node, "environment").text or templates.get(node, "environment").get("name").text,
        matrix=_variables(node, templates),
        runner=", ".join(setting("tags").texts()),
    )


def _variables(node: Node, templates: _Templates) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    for entry in templates.get(node, "parallel").get("matrix").elements()[:40]:
        for name, values in entry.items():
            found.extend((name, text) for text in values.texts()[:40])
    return tuple(dict.fromkeys(found))[:60]


def _condition(node: Node, templates: _Templates) -> str:
    """When the job runs, in words GitLab uses: "manual", "schedules", "tags", rules joined; "" for always."""
    when = templates.get(node, "when").text
    if when in {"manual", "never", "delayed"}:
        return when
    rules = templates.get(node, "rules").elements()
    if rules:
        parts = [f"{rule.get('if').text} {rule.get('when').text}".strip() for rule in rules if rule.is_mapping]
        if all(rule.get("when").text in {"manual", "never"} for rule in rules if rule.is_mapping):
            return "manual"
        return "; ".join(part for part in parts if part)[:300]
    only = templates.get(node, "only")
    refs = only.texts() or only.get("refs").texts()
    return ", ".join(refs)[:300]


def _triggers(root: Node, jobs: tuple[CiJob, ...]) -> tuple[str, ...]:
    rules = root.get("workflow", "rules").elements()
    texts = [rule.get("if").text for rule in rules if rule.get("when").text != "never"]
    every = not rules or any(not text for text in texts)
    found = ["push"] if every or any(re.search(r"CI_COMMIT_BRANCH|CI_DEFAULT_BRANCH|\bpush\b", text) for text in texts) else []
    if any(_ON_CHANGE.search(text) for text in (*texts, *(job.condition for job in jobs))):
        found.append("pull_request")
    if any("schedule" in text for text in texts):
        found.append("schedule")
    if any("CI_COMMIT_TAG" in text for text in texts):
        found.append("tag")
    return tuple(found)
