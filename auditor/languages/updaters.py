"""Settings of the services that open pull requests for new versions: Dependabot and Renovate. Content counts, not the name of a file."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

from auditor.languages.structured import load_json, strings, table
from auditor.languages.yaml_nodes import read_yaml
from auditor.model.artifacts import Ecosystem, Updater
from auditor.model.verdict import Place

DEPENDABOT = re.compile(r"^\.github/dependabot\.ya?ml$")
RENOVATE = re.compile(r"^(?:\.github/|\.gitlab/)?renovate\.json5?$|^\.renovaterc(?:\.json5?)?$")
_SERVES = {
    "npm": Ecosystem.NPM,
    "bun": Ecosystem.NPM,
    "pip": Ecosystem.PYPI,
    "uv": Ecosystem.PYPI,
    "pip-compile": Ecosystem.PYPI,
    "pipenv": Ecosystem.PYPI,
    "poetry": Ecosystem.PYPI,
}
_MANAGERS = {
    Ecosystem.NPM: {"npm", "bun"},
    Ecosystem.PYPI: {"pip_requirements", "pip_setup", "pip-compile", "pep621", "poetry", "pipenv", "setup-cfg", "pixi"},
}


def read_dependabot(path: str, text: str, wanted: dict[Ecosystem, frozenset[str]]) -> list[Updater]:
    """The updaters a dependabot file sets up; `wanted` are the ecosystems of the repository with the directories of their manifests."""
    read = read_yaml(text)
    if read.problem or not read.root.get("updates").children:
        return [Updater("dependabot", Place(path, 1), read.problem or "it lists no updates")]
    found = []
    for entry in read.root.get("updates").elements():
        ecosystem = _SERVES.get(entry.get("package-ecosystem").text)
        folders = [*entry.get("directory").texts(), *entry.get("directories").texts()]
        fault = ""
        if ecosystem is None or ecosystem not in wanted:
            fault = f"it watches {entry.get('package-ecosystem').text or 'nothing'} only"
        elif not any(_covers(folder, root) for folder in folders for root in wanted[ecosystem]):
            fault = f"it looks in {', '.join(folders) or 'no directory'}, where no manifest is"
        found.append(Updater("dependabot", Place(path, entry.line), fault))
    return found


def _covers(folder: str, root: str) -> bool:
    pattern = folder.strip("/") if folder.strip("/") != "." else ""
    return pattern == root or (any(sign in pattern for sign in "*?[") and fnmatchcase(root, pattern))


def read_renovate(path: str, text: str, wanted: dict[Ecosystem, frozenset[str]]) -> Updater:
    """The updater a renovate file sets up."""
    value, _ = load_json(text)
    if not isinstance(value, dict):  # JSON5, which Renovate takes too: only what matters is looked for
        off = re.search(r"(?m)^\s*[\"']?enabled[\"']?\s*:\s*false", text)
        return Updater("renovate", Place(path, 1), "it is switched off" if off else "" if "{" in text else "it is empty")
    return Updater("renovate", Place(path, 1), _renovate_fault(table(value), wanted))


def _renovate_fault(settings: dict[str, object], wanted: dict[Ecosystem, frozenset[str]]) -> str:
    if settings.get("enabled") is False:
        return "it is switched off"
    managers = set(strings(settings.get("enabledManagers")))
    if managers and not any(managers & _MANAGERS[ecosystem] for ecosystem in wanted):
        return f"it watches {', '.join(sorted(managers))} only"
    return ""
