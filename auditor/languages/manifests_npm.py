"""Manifests of JavaScript and TypeScript packages: package.json and pnpm-workspace.yaml."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from auditor.languages.structured import LONGEST_MANIFEST, Lines, at, flattened, load_json, strings, table
from auditor.languages.yaml_nodes import YamlText, read_yaml
from auditor.languages.yaml_nodes import flattened as yaml_flattened
from auditor.model.artifacts import Ecosystem, Manifest, Requirement, Script
from auditor.model.verdict import Place

_GROUPS = {
    "dependencies": "runtime",
    "devDependencies": "dev",
    "peerDependencies": "peer",
    "optionalDependencies": "optional",
}
_EXACT = re.compile(r"=?\s*v?\d+\.\d+\.\d+(?:-[\w.-]{1,60})?(?:\+[\w.-]{1,60})?")
_GIT = re.compile(
    r"git(?:\+|:|@)|(?:github|gitlab|bitbucket|gist):|(?:https?|ssh)://[^\s#]{1,400}\.git(?:#|$)|[\w-]{1,100}/[\w.-]{1,100}(?:#.*)?$"
)
_COMMIT = re.compile(r"#[0-9a-f]{40}$")
_DEFAULT_MAIN = {"index.js", "server.js", "app.js", "main.js", "index.ts", "server.ts"}
_LIBRARY = ("exports", "module", "types", "typings", "files", "publishConfig")


def read_package_json(path: str, text: str) -> Manifest:
    """The manifest a package.json is."""
    root = path.rpartition("/")[0]
    value, problem = load_json(text)
    if not isinstance(value, dict):
        return Manifest(path, "package.json", Ecosystem.NPM, root, problem=problem or "it holds no object")
    data = table(value)
    lines = Lines(text)
    found, odd = _requirements(path, data, lines)
    return Manifest(
        path,
        "package.json",
        Ecosystem.NPM,
        root,
        name=data["name"] if isinstance(data.get("name"), str) else "",
        requirements=found,
        scripts=_scripts(path, data, lines),
        workspaces=tuple(strings(data.get("workspaces")) or strings(at(data, "workspaces", "packages"))),
        engines=_engines(data),
        private=data.get("private") is True,
        publishable=_publishable(data),
        settings=_settings(data),
        problem=odd,
    )


def _requirements(path: str, data: dict[str, Any], lines: Lines) -> tuple[tuple[Requirement, ...], str]:
    found: list[Requirement] = []
    odd = ""
    optional_peers = {name for name, entry in table(data.get("peerDependenciesMeta")).items() if at(entry, "optional") is True}
    for key, group in _GROUPS.items():
        start = lines.of(key)
        if not isinstance(data.get(key, {}), dict):
            odd = f"{key} is not an object"
        for name, specifier in table(data.get(key)).items():
            if not isinstance(specifier, str):
                odd = f"the version of {name[:80]} is not a text"
                continue
            line = lines.of(name, start)
            kind = "optional" if group == "peer" and name in optional_peers else group
            found.append(npm_requirement(name, specifier.strip(), kind, Place(path, line, line)))
    return tuple(found), odd


def npm_requirement(name: str, specifier: str, group: str, place: Place) -> Requirement:
    """One dependency of a package.json, classified by where its version points."""
    source = _source(specifier)
    version = specifier.rsplit("@", 1)[-1] if source == "alias" else specifier
    pinned = _EXACT.fullmatch(version) is not None if source in {"registry", "alias"} else _COMMIT.search(specifier) is not None
    return Requirement(name, re.sub(r"://[^/@\s]{1,300}@", "://", specifier), group, place, source, pinned)


def _source(specifier: str) -> str:
    for prefix, source in (("workspace:", "workspace"), ("npm:", "alias"), ("file:", "path"), ("link:", "path"), ("portal:", "path")):
        if specifier.startswith(prefix):
            return source
    if specifier.startswith((".", "/", "~/")):
        return "path"
    if _GIT.match(specifier[:1_000]):
        return "git"
    return "url" if specifier.startswith(("http://", "https://")) else "registry"


def _scripts(path: str, data: dict[str, Any], lines: Lines) -> tuple[Script, ...]:
    start = lines.of("scripts")
    return tuple(
        Script(name, command, Place(path, line, line))
        for name, command in table(data.get("scripts")).items()
        if isinstance(command, str)
        for line in [lines.of(name, start)]
    )


def _engines(data: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    found = {name: value for name, value in table(data.get("engines")).items() if isinstance(value, str)}
    for name, value in table(data.get("volta")).items():
        if isinstance(value, str):
            found.setdefault(name, value)
    return tuple(sorted(found.items()))


def _publishable(data: dict[str, Any]) -> bool:
    """Whether others are meant to import it: entry points beyond the `main` every generator writes."""
    if any(data.get(key) for key in _LIBRARY):
        return True
    main = data.get("main")
    return isinstance(main, str) and main.removeprefix("./") not in _DEFAULT_MAIN and "start" not in table(data.get("scripts"))


def _settings(data: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    rest = {key: value for key, value in data.items() if key not in {*_GROUPS, "scripts", "workspaces", "engines", "name"}}
    if isinstance(rest.get("bin"), dict):
        rest["bin"] = ", ".join(sorted(table(rest["bin"])))
    return flattened(rest)


def read_pnpm_workspace(path: str, text: str) -> Manifest:
    """The workspace file of pnpm: members, and its settings under their own names; `catalog.NAME` holds shared versions."""
    root = path.rpartition("/")[0]
    read = read_yaml(text) if len(text) <= LONGEST_MANIFEST else YamlText((), "too large to read")
    members = tuple(read.root.get("packages").texts())
    settings = tuple(sorted(entry for entry in yaml_flattened(read.root) if not entry[0].startswith("packages.")))
    return Manifest(path, "pnpm-workspace.yaml", Ecosystem.NPM, root, workspaces=members, settings=settings, problem=read.problem)


def with_workspace(manifest: Manifest, workspace: Manifest) -> Manifest:
    """A package.json with what the pnpm-workspace.yaml beside it adds, its settings under `pnpm.`."""
    settings = dict(manifest.settings) | {f"pnpm.{key}": value for key, value in workspace.settings}
    members = tuple(dict.fromkeys((*manifest.workspaces, *workspace.workspaces)))
    problem = manifest.problem or (f"{workspace.path}: {workspace.problem}" if workspace.problem else "")
    return replace(manifest, workspaces=members, settings=tuple(sorted(settings.items())), problem=problem)
