"""Manifests of Python projects in TOML and YAML: pyproject.toml (PEP 621, PEP 735, Poetry, PDM, uv), Pipfile, environment.yml."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from packaging.utils import canonicalize_name

from auditor.languages.requirement_lines import requirement
from auditor.languages.structured import LONGEST_MANIFEST, Lines, at, flattened, load_toml, strings, table
from auditor.languages.yaml_nodes import YamlText, read_yaml
from auditor.model.artifacts import Ecosystem, Manifest, Requirement, Script
from auditor.model.verdict import Place

_EXACT_VERSION = re.compile(r"={0,3}\s*v?\d[\w.!+-]{0,80}")
_CONDA = re.compile(r"(?:[\w./-]{1,100}::)?([A-Za-z0-9_][\w.-]{0,200})(?:\s*([=<>!~].*)|\s+([\d*].*))?$")
_TASK_RUNNERS = (("taskipy", "tasks"), ("poe", "tasks"), ("pdm", "scripts"), ("rye", "scripts"))


@dataclass(frozen=True, slots=True)
class _Source:
    """What every reader here needs: the file and the lines of its names."""

    path: str
    lines: Lines

    @property
    def root(self) -> str:
        return self.path.rpartition("/")[0]

    def place(self, name: str, after: int = 0) -> Place:
        line = self.lines.of(name, after)
        return Place(self.path, line, line)


def read_pyproject(path: str, text: str) -> Manifest:
    """The manifest a pyproject.toml is."""
    data, problem = load_toml(text)
    source = _Source(path, Lines(text))
    project, tool = table(data.get("project")), table(data.get("tool"))
    poetry, flit = table(tool.get("poetry")), table(at(tool, "flit", "metadata"))
    found = [
        *_pep621(source, project),
        *_dependency_groups(source, data, tool),
        *_poetry(source, poetry),
        *_flit(source, flit),
    ]
    dynamic = _included(tool)
    rest = {"project": {k: v for k, v in project.items() if k in {"license", "version", "requires-python"}}, "tool": tool}
    settings = (
        *flattened(rest),
        *((f"build-system.{key}", ", ".join(strings(value))) for key, value in sorted(table(data.get("build-system")).items())),
        *(("include", name) for name in dynamic),
        *((("console-scripts", ", ".join(_console(project, poetry))),) if _console(project, poetry) else ()),
    )
    return Manifest(
        path,
        "pyproject.toml",
        Ecosystem.PYPI,
        source.root,
        name=_text(project.get("name")) or _text(poetry.get("name")) or _text(flit.get("module")),
        requirements=tuple(_with_sources(found, table(at(tool, "uv", "sources")))),
        scripts=tuple(_scripts(source, project, poetry, tool)),
        workspaces=tuple(strings(at(tool, "uv", "workspace", "members"))),
        engines=tuple(_engines(project, poetry, flit)),
        publishable=_publishable(data, project, poetry),
        settings=settings,
        problem=problem or _computed(project, dynamic, found),
    )


def _included(tool: dict[str, Any]) -> list[str]:
    """Requirement files that a build back end reads the dependencies from."""
    dynamic = table(at(tool, "setuptools", "dynamic"))
    files = [at(dynamic, "dependencies", "file"), at(tool, "hatch", "metadata", "hooks", "requirements_txt", "files")]
    files += [at(entry, "file") for entry in table(dynamic.get("optional-dependencies")).values()]
    return [name for value in files for name in strings(value)]


def _computed(project: dict[str, Any], included: list[str], found: list[Requirement]) -> str:
    """Why the dependencies are not known: the back end works them out when it builds."""
    computed = "dependencies" in strings(project.get("dynamic")) and not included and not found
    return "its dependencies are worked out when it is built" if computed else ""


def _flit(source: _Source, flit: dict[str, Any]) -> Iterator[Requirement]:
    """The older metadata of flit, from before PEP 621."""
    yield from _listed(source, "runtime", flit.get("requires"), source.lines.of("requires"))
    for name, entries in table(flit.get("requires-extra")).items():
        yield from _listed(source, name, entries, source.lines.of(name))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _pep621(source: _Source, project: dict[str, Any]) -> Iterator[Requirement]:
    groups = [("runtime", project.get("dependencies"), "dependencies")]
    groups += [(name, entries, name) for name, entries in table(project.get("optional-dependencies")).items()]
    for group, entries, heading in groups:
        yield from _listed(source, group, entries, source.lines.of(heading))


def _listed(source: _Source, group: str, entries: Any, after: int) -> Iterator[Requirement]:
    for text in strings(entries):
        name = re.match(r"\s*([\w.-]{1,200})", text)
        found = requirement(text, group, source.place(name[1] if name else "", after))
        if found:
            yield found


def _dependency_groups(source: _Source, data: dict[str, Any], tool: dict[str, Any]) -> Iterator[Requirement]:
    groups = list(table(data.get("dependency-groups")).items())
    groups += list(table(at(tool, "pdm", "dev-dependencies")).items())
    groups += [("dev", at(tool, "uv", "dev-dependencies")), ("dev", at(tool, "rye", "dev-dependencies"))]
    for environment, settings in table(at(tool, "hatch", "envs")).items():
        groups += [(environment, at(settings, key)) for key in ("dependencies", "extra-dependencies")]
    for group, entries in groups:
        yield from _listed(source, group, entries, source.lines.of(group))


def _poetry(source: _Source, poetry: dict[str, Any]) -> Iterator[Requirement]:
    groups = [("runtime", poetry.get("dependencies")), ("dev", poetry.get("dev-dependencies"))]
    groups += [(name, at(entry, "dependencies")) for name, entry in table(poetry.get("group")).items()]
    for group, entries in groups:
        for name, specified in table(entries).items():
            if name.lower() != "python":
                yield _poetry_requirement(source, group, name, specified)


def _poetry_requirement(source: _Source, group: str, name: str, specified: Any) -> Requirement:
    """Poetry and Pipfile entries: a version text, a table, or a list of tables for several platforms."""
    entry = specified[0] if isinstance(specified, list) and specified else specified
    several = isinstance(specified, list) and len(specified) > 1
    place = source.place(name)
    details = table(entry)
    origin = next(
        (kind for key, kind in (("git", "git"), ("url", "url"), ("path", "path"), ("file", "path")) if details.get(key)), "registry"
    )
    version = _text(details.get("version") if details else entry)
    group = "optional" if details.get("optional") is True and group == "runtime" else group
    if origin != "registry":
        address = re.sub(r"://[^/@\s]{1,300}@", "://", _text(details.get(origin)))
        pinned = re.fullmatch(r"[0-9a-f]{40}", _text(details.get("rev") or details.get("ref"))) is not None
        return Requirement(canonicalize_name(name), address, group, place, origin, pinned)
    pinned = _EXACT_VERSION.fullmatch(version) is not None and not several
    return Requirement(canonicalize_name(name), version, group, place, pinned=pinned)


def _with_sources(found: list[Requirement], sources: dict[str, Any]) -> Iterator[Requirement]:
    """Requirements with the places uv is told to take them from."""
    where: dict[str, Any] = {
        canonicalize_name(name): entry[0] if isinstance(entry, list) and entry else entry for name, entry in sources.items()
    }
    for entry in found:
        details = table(where.get(entry.name))
        kind = next((kind for kind in ("git", "url", "path", "workspace") if details.get(kind)), "")
        if kind:
            pinned = re.fullmatch(r"[0-9a-f]{40}", _text(details.get("rev"))) is not None
            yield Requirement(entry.name, entry.specifier, entry.group, entry.place, kind, pinned)
        else:
            yield entry


def _console(project: dict[str, Any], poetry: dict[str, Any]) -> list[str]:
    return sorted({**table(project.get("scripts")), **table(project.get("gui-scripts")), **table(poetry.get("scripts"))})


def _scripts(source: _Source, project: dict[str, Any], poetry: dict[str, Any], tool: dict[str, Any]) -> Iterator[Script]:
    tables = [project.get("scripts"), project.get("gui-scripts"), poetry.get("scripts")]
    tables += [at(tool, *keys) for keys in _TASK_RUNNERS]
    tables += [at(settings, "scripts") for settings in table(at(tool, "hatch", "envs")).values()]
    for entries in tables:
        for name, command in table(entries).items():
            text = _command(command)
            if text:
                yield Script(name, text, source.place(name))


def _command(value: Any) -> str:
    """The command of a task, whatever the runner calls it."""
    if isinstance(value, dict):
        value = next(
            (value[key] for key in ("cmd", "shell", "script", "reference", "callable", "composite", "sequence") if key in value), ""
        )
    if isinstance(value, list):
        return " && ".join(filter(None, map(_plain_command, value)))
    return _text(value)


def _plain_command(value: Any) -> str:
    return (
        next((_text(value[key]) for key in ("cmd", "shell", "script", "ref") if key in value), "")
        if isinstance(value, dict)
        else _text(value)
    )


def _engines(project: dict[str, Any], poetry: dict[str, Any], flit: dict[str, Any]) -> Iterator[tuple[str, str]]:
    wanted = _text(project.get("requires-python")) or _text(at(poetry, "dependencies", "python")) or _text(flit.get("requires-python"))
    if wanted:
        yield "python", wanted


def _publishable(data: dict[str, Any], project: dict[str, Any], poetry: dict[str, Any]) -> bool:
    """Whether it is built as a package: a build back end and a name, unless the tool is told that it is none."""
    if at(data, "tool", "poetry", "package-mode") is False or at(data, "tool", "uv", "package") is False:
        return False
    return bool(data.get("build-system")) and bool(project.get("name") or poetry.get("name"))


def read_pipfile(path: str, text: str) -> Manifest:
    """The manifest a Pipfile is."""
    data, problem = load_toml(text)
    source = _Source(path, Lines(text))
    groups = {"packages": "runtime", "dev-packages": "dev"}
    known = {"source", "requires", "scripts", "pipenv"}
    found = [
        _poetry_requirement(source, groups.get(key, key), name, "" if specified == "*" else specified)
        for key, entries in data.items()
        if key not in known
        for name, specified in table(entries).items()
    ]
    python = _text(at(data, "requires", "python_full_version")) or _text(at(data, "requires", "python_version"))
    scripts = tuple(Script(name, _command(command), source.place(name)) for name, command in table(data.get("scripts")).items())
    engines = (("python", python),) if python else ()
    return Manifest(
        path, "Pipfile", Ecosystem.PYPI, source.root, requirements=tuple(found), scripts=scripts, engines=engines, problem=problem
    )


def read_environment_yml(path: str, text: str) -> Manifest:
    """The manifest a conda environment file is; names of conda packages are taken for those of PyPI, which mostly agree."""
    read = read_yaml(text) if len(text) <= LONGEST_MANIFEST else YamlText((), "too large to read")
    found: list[Requirement] = []
    engines: list[tuple[str, str]] = []
    settings: list[tuple[str, str]] = []
    lines = Lines(text)
    for entry in read.root.get("dependencies").children:
        named = _CONDA.match(entry.text.strip()) if entry.is_scalar else None
        if named and named[1].lower() in {"python", "nodejs"}:
            engines.append((named[1].lower(), (named[2] or named[3] or "").lstrip("=").removesuffix(".*")))
        elif named and named[1].lower() != "pip":
            specifier = (named[2] or (f"={named[3]}" if named[3] else "")).strip()
            found.append(_conda(named[1], specifier, Place(path, entry.line, entry.line)))
        elif entry.is_mapping:
            listed = entry.get("pip").texts()
            found.extend(_listed(_Source(path, lines), "runtime", listed, entry.line))
            files = (re.match(r"(?:-r|--requirement)[=\s]+(\S+)", text.strip()) for text in listed)
            settings.extend(("include", named_file[1]) for named_file in files if named_file)
    return Manifest(
        path,
        "environment.yml",
        Ecosystem.PYPI,
        path.rpartition("/")[0],
        name=read.root.get("name").text,
        requirements=tuple(found),
        engines=tuple(engines),
        settings=tuple(settings),
        problem=read.problem,
    )


def _conda(name: str, specifier: str, place: Place) -> Requirement:
    """`name=1.2.3` is a prefix to conda; with three parts it is as good as exact, as is `==` or a build string."""
    pinned = re.fullmatch(r"==?\d+(?:\.\d+){2,4}[\w.]{0,20}(?:=[\w.]{1,60})?|==[\w.]{1,60}", specifier) is not None
    return Requirement(canonicalize_name(name), specifier, "runtime", place, pinned=pinned)
