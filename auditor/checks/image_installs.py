"""What container builds install beside or without the lock. Shared by the checks on dependencies."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch

from auditor.model.artifacts import Deployment, Dockerfile, Instruction, TaskFile

_SEPARATOR = re.compile(r"&&|\|\||[;|\n]")
_PIP = re.compile(r"(?:^|\s)(?:pip3?|python3?\s+-m\s+pip|uv\s+pip)\s+(?:[-\w=]+\s+)*?(?:install|wheel)\s(.*)")
_NPM = re.compile(
    r"(?:^|\s)(?:(?:npm|pnpm)\s+(?:-[-\w='\"@/.]+\s+)*(?:install|i|add)|yarn\s+(?:global\s+)?add|bun\s+(?:add|i|install))\s(.*)"
)
_OPTIONS = r"(?:\s+-[-\w=./@]{1,60}){0,5}"
_FROM_LOCK = re.compile(
    rf"(?:^|\s)(?:(npm){_OPTIONS}\s+(?:ci|install|i)|(pnpm){_OPTIONS}\s+(?:install|i)|(yarn)(?:\s+install)?|(bun)\s+(?:install|i)"
    r"|(poetry)\s+install|(uv)\s+sync|(pipenv)\s+(?:install|sync))(?=\s+-|\s*$)"
)
_LOCK_NAMES = {
    "npm": ("package-lock.json", "npm-shrinkwrap.json"),
    "pnpm": ("pnpm-lock.yaml",),
    "yarn": ("yarn.lock",),
    "bun": ("bun.lock", "bun.lockb"),
    "poetry": ("poetry.lock",),
    "uv": ("uv.lock",),
    "pipenv": ("Pipfile.lock",),
}
_VALUED = {"-r", "-c", "-e", "-i", "-t", "-f", "--requirement", "--constraint", "--index-url", "--extra-index-url", "--target", "--find-links", "--prefix", "-C", "--wheel-dir", "-w", "--python", "--platform", "--group", "--extra", "--filter", "--index-strategy", "--python-preference", "--resolution", "--link-mode", "--index", "--default-index", "--keyring-provider", "--torch-backend", "--platform-tag", "--only-binary", "--no-binary", "--progress-bar", "--registry", "--loglevel", "--cache", "--cache-dir", "--root", "--upgrade-strategy", "--trusted-host", "--retries", "--timeout", "--omit", "--include", "--src", "-F", "--workspace"}  # fmt: skip
_DEVELOPMENT = re.compile(r"dev|debug|test|lint|ci$")
_INSTALLERS = {"pip", "setuptools", "wheel", "uv", "poetry", "pipenv", "pdm", "virtualenv", "build", "npm", "pnpm", "yarn", "bun", "corepack", "node-gyp"}  # fmt: skip
_REQUIREMENT = re.compile(r"([A-Za-z0-9][\w.-]{0,200})(?:\[[^\]]{0,200}\])?\s*(.*)")


@dataclass(frozen=True, slots=True)
class Install:
    """Packages that a build step fetches by name; `loose` are those whose version it leaves open."""

    path: str
    line: int
    names: tuple[str, ...]
    loose: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lockless:
    """A build step that installs a whole project in a stage where its lock was not brought."""

    path: str
    line: int
    tool: str
    lock: str


def _steps(deployment: Deployment) -> Iterator[tuple[Dockerfile, Instruction]]:
    """RUN instructions of production images, stages for development and tests left out."""
    for file in deployment.dockerfiles:
        names = {number: name for name, number in _stage_names(file).items()}
        for step in file.instructions:
            if file.purpose == "production" and step.keyword == "RUN" and not _DEVELOPMENT.search(names.get(step.stage, "")):
                yield file, step


def named_installs(deployment: Deployment) -> tuple[Install, ...]:
    """Every `pip install NAME`, `npm install NAME` and the like of production images, package managers themselves left out."""
    found: list[Install] = []
    for file, step in _steps(deployment):
        names = [name for command in _SEPARATOR.split(step.text[:20_000]) for name in _names(command)]
        if names:
            every = tuple(dict.fromkeys(name for name, _ in names))
            loose = tuple(dict.fromkeys(name for name, exact in names if not exact))
            found.append(Install(file.path, step.line, every, loose))
    return tuple(found)


def _names(command: str) -> Iterator[tuple[str, bool]]:
    """Names and whether their version is exact."""
    pip, npm = _PIP.search(f"{command} "), _NPM.search(f"{command} ")
    words = _words((pip or npm)[1]) if pip or npm else []  # type: ignore[index]
    for word in words:
        if pip:
            found = _REQUIREMENT.fullmatch(word)
            if found and not word.endswith((".whl", ".txt", ".gz", ".zip")) and "/" not in word:
                name, exact = found[1], found[2].startswith("==")
                if name.lower() not in _INSTALLERS:
                    yield name, exact
        else:
            at_sign = word.find("@", 1)
            name, version = (word[:at_sign], word[at_sign + 1 :]) if at_sign > 0 else (word, "")
            if re.fullmatch(r"(?:@[\w.-]{1,100}/)?[\w.-]{1,100}", name) and name not in _INSTALLERS and name != ".":
                yield name, bool(re.match(r"\d+\.\d+\.\d|\$", version))


def _words(text: str) -> list[str]:
    words: list[str] = []
    skip = False
    for raw in text.split():
        word = raw.strip("\"'")
        if skip or word.startswith("-"):
            skip = not skip and word in _VALUED
        elif word and not word.startswith(("$", "#", ">", "<", "2>", ".", "/", "http", "git+")):
            words.append(word)
    return words


def lockless_installs(deployment: Deployment, locks: tuple[str, ...], tasks: tuple[TaskFile, ...] = ()) -> tuple[Lockless, ...]:
    """Installations in production images that cannot see any of the repository's locks (paths) of their tool; shell scripts are followed."""
    scripts = {file.path: file.tasks[0].command for file in tasks if file.kind == "shell" and file.tasks}
    found: list[Lockless] = []
    for file, step in _steps(deployment):
        tool = _whole_install(step.text) or next(filter(None, map(_whole_install, _called(step.text, scripts))), "")
        own = [path for path in locks if path.rsplit("/", 1)[-1] in _LOCK_NAMES.get(tool, ())]
        if own and _copies_manifest(file, step) and not any(_brought(file, step, path) for path in own):
            found.append(Lockless(file.path, step.line, tool, own[0]))
    return tuple(found)


def _called(text: str, scripts: dict[str, str]) -> Iterator[str]:
    """The texts of the repository's shell scripts that a step runs."""
    for word in re.findall(r"[\w./-]{1,200}\.sh\b", text[:20_000]):
        plain = word.removeprefix("./").lstrip("/")
        yield from (command for path, command in scripts.items() if path == plain or path.endswith(f"/{plain}"))


def _whole_install(text: str) -> str:
    """The tool by which a text of shell commands installs everything its project asks for."""
    for command in _SEPARATOR.split(text[:20_000]):
        found = _FROM_LOCK.search(command.strip())
        if found and not re.search(r"\s-g\b|--global|^\s*#", command) and not _names_a_directory(command.strip()[found.end() :]):
            return next(part for part in found.groups() if part)
    return ""


def _names_a_directory(rest: str) -> bool:
    """Whether what follows `install` names a directory to be added (`pnpm install -w plugins/one/`): nothing else is resolved then."""
    words = [word.strip("\"'") for word in rest.split()]
    return any(
        "/" in word
        and not word.startswith(("-", ">", "<", "2>", "&"))
        and not (before.startswith("--") or before in _VALUED | {">", ">>", "2>"})
        for before, word in zip(["", *words], words, strict=False)
    )


def _copied(file: Dockerfile, step: Instruction) -> list[str]:
    """Sources that COPY and ADD bring from the context before `step`, in its stage and those it stands on."""
    stages = {step.stage, *_ancestors(file, step.stage)}
    sources: list[str] = []
    for other in file.instructions:
        before = other.stage != step.stage or other.line < step.line
        if other.keyword not in {"COPY", "ADD"} or other.stage not in stages or not before:
            continue
        if not any(flag.startswith("--from") for flag in other.flags):
            words = [word.strip("\"',[]") for word in (other.exec_form or other.text.split())]
            renamed = "." in words[-1].rsplit("/", 1)[-1].strip(".") if words else False
            sources += [word for word in words[:-1] if word and not word.startswith("--") and not (renamed and "$" in word)]
    return sources


def _stage_names(file: Dockerfile) -> dict[str, int]:
    """Stages by the name that `FROM image AS name` gives them."""
    names: dict[str, int] = {}
    for step in file.instructions:
        words = [word.lower() for word in step.text.split() if not word.startswith("--")]
        if step.keyword == "FROM" and len(words) >= 3 and words[1] == "as":
            names[words[2]] = step.stage
    return names


def _ancestors(file: Dockerfile, stage: int) -> list[int]:
    """The stages that a stage stands on through `FROM name`."""
    names = _stage_names(file)
    bases = {
        step.stage: next((word.lower() for word in step.text.split() if not word.startswith("--")), "")
        for step in file.instructions
        if step.keyword == "FROM"
    }
    found: list[int] = []
    waiting = [stage]
    while waiting:
        base = bases.get(waiting.pop(), "")
        for number in [names[base]] if base in names else _chosen(base, names):
            if number not in found and number != stage:
                found.append(number)
                waiting.append(number)
    return sorted(found)


def _chosen(base: str, names: dict[str, int]) -> list[int]:
    """All stages that a base with a build argument in its name (`build_${MODE}`) may mean."""
    if "$" not in base:
        return []
    pattern = re.compile(re.sub(r"\\\$(?:\\\{[^}]{1,80}\\\}|\w+)", r"[\\w-]{0,80}", re.escape(base)))
    return [number for name, number in names.items() if pattern.fullmatch(name)]


def _copies_manifest(file: Dockerfile, step: Instruction) -> bool:
    """Whether the manifest comes from the context at all: otherwise the stage is fed in a way that is not followed."""
    return any(_matches(source, name) for source in _copied(file, step) for name in ("package.json", "pyproject.toml", "Pipfile"))


def _brought(file: Dockerfile, step: Instruction, lock: str) -> bool:
    name = lock.rsplit("/", 1)[-1]
    if name in step.text or any(name in flag for flag in step.flags):
        return True
    ignored = any(fnmatch(name, pattern.strip("/").removeprefix("**/")) for pattern in file.ignored)
    return not ignored and any(_matches(source, lock) for source in _copied(file, step))


def _matches(source: str, path: str) -> bool:
    """Whether a COPY source brings the file: all of the context, the file itself, a pattern of its name, or a directory it lies in."""
    plain = source.removeprefix("./").rstrip("/")
    if plain in {"", ".", "*", "**"} or "$" in plain:
        return True
    return fnmatch(path.rsplit("/", 1)[-1], plain.rsplit("/", 1)[-1]) or f"/{plain}/" in f"/{path}"
