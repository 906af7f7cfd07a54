"""Supplies MANIFESTS: every dependency manifest and lock file of the audited tree. How each is read is in `auditor.languages`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from posixpath import normpath

import msgspec

from auditor.cache import cache_key
from auditor.evidence.registry import Context, own_stamp, provides
from auditor.languages.locks_npm import read_bun_lock, read_deno_lock, read_package_lock
from auditor.languages.locks_pnpm import read_pnpm_lock
from auditor.languages.locks_python import read_pipfile_lock, read_poetry_lock, read_pylock, read_uv_lock
from auditor.languages.locks_yarn import read_yarn_lock
from auditor.languages.manifests_npm import read_package_json, read_pnpm_workspace, with_workspace
from auditor.languages.manifests_python import read_environment_yml, read_pipfile, read_pyproject
from auditor.languages.manifests_setuptools import read_setup_cfg, read_setup_py
from auditor.languages.requirement_lines import pinned_lock, read_requirements
from auditor.model.artifacts import Ecosystem, LockFile, Manifest, Manifests
from auditor.model.need import Known, Unavailable
from auditor.model.needs import MANIFESTS, SNAPSHOT, TEXTS
from auditor.model.snapshot import Role, Snapshot
from auditor.version import __version__

_FOREIGN = frozenset({Role.VENDORED, Role.GENERATED, Role.MINIFIED, Role.TEST, Role.EXAMPLE, Role.MIGRATION})
_EXAMPLE_FOLDERS = frozenset({"example", "examples", "sample", "samples", "demos", "playground", "playgrounds", "template", "templates"})
_REQUIREMENTS = re.compile(
    r"(?:^|/)(?:requirements|reqs?)(?:[-_.][\w.-]*)?\.(?:txt|in|pip|lock)$|(?:^|/)[\w.]+[-_.]requirements\.(?:txt|in)$|(?:^|/)requirements/[\w.-]+\.(?:txt|in)$"
)
_CONSTRAINTS = re.compile(r"(?:^|/)constraints?(?:[-_.][\w.-]*)?\.txt$")
_ENVIRONMENT = re.compile(r"(?:^|/)(?:conda[-_])?(?:environment|env)(?:[-_.][\w.-]*)?\.ya?ml$")
_FORMAT = f"lock-2-{__version__}"
_SLOW_FROM = 20_000
"""Size in characters from which remembering a lock is cheaper than reading it again."""

_MANIFEST_READERS: dict[str, Callable[[str, str], Manifest]] = {
    "package.json": read_package_json,
    "pyproject.toml": read_pyproject,
    "Pipfile": read_pipfile,
    "setup.cfg": read_setup_cfg,
    "setup.py": read_setup_py,
}
_LOCK_READERS: dict[str, Callable[[str, str], LockFile]] = {
    "package-lock.json": read_package_lock,
    "npm-shrinkwrap.json": read_package_lock,
    "pnpm-lock.yaml": read_pnpm_lock,
    "bun.lock": read_bun_lock,
    "deno.lock": read_deno_lock,
    "uv.lock": read_uv_lock,
    "pdm.lock": read_poetry_lock,
    "Pipfile.lock": read_pipfile_lock,
    "pylock.toml": read_pylock,
}
_LOCK_READERS_WITH_MANIFESTS: dict[str, Callable[[str, str, tuple[Manifest, ...]], LockFile]] = {
    "yarn.lock": read_yarn_lock,
    "poetry.lock": read_poetry_lock,
}


@provides(MANIFESTS, needs=(SNAPSHOT, TEXTS))
def manifests(context: Context, snapshot: Snapshot, texts: dict[str, str]) -> Known[Manifests] | Unavailable:
    """All manifests and locks, in path order; what could not be read of one is in its `problem`."""
    own = [file.path for file in snapshot.files if _is_own(file.path, file.role)]
    found = list(_manifests(own, texts))
    suites = [file.path for file in snapshot.files if file.role is Role.TEST and file.path.endswith("/package.json")]
    declared = _with_members(sorted([*found, *_suites(suites, texts, found)], key=lambda manifest: manifest.path))
    locks = sorted(_locks(context, own, texts, tuple(declared)), key=lambda lock: lock.path)
    known = Manifests(tuple(manifest for manifest in declared if not _only_tools(manifest)), tuple(locks))
    every: list[Manifest | LockFile] = [*known.manifests, *known.locks]
    broken = tuple((entry.path, entry.problem) for entry in every if entry.problem)
    return Known(known, own_stamp(), frozenset(entry.path for entry in every) - {path for path, _ in broken}, broken)


def _is_own(path: str, role: Role) -> bool:
    """Whether a file speaks for the product. A lock's own banner must not make it "generated", so its place decides."""
    if any(folder in _EXAMPLE_FOLDERS or folder.endswith(("-examples", "_examples")) for folder in path.lower().split("/")[:-1]):
        return False
    name = path.rsplit("/", 1)[-1]
    return role not in _FOREIGN or (role is Role.GENERATED and (name in _LOCK_READERS or _REQUIREMENTS.search(path) is not None))


def _only_tools(manifest: Manifest) -> bool:
    """A setup.cfg or setup.py that describes no package."""
    return manifest.kind in {"setup.cfg", "setup.py"} and not (
        manifest.name or manifest.requirements or manifest.problem or manifest.publishable
    )


def _manifests(own: list[str], texts: dict[str, str]) -> Iterator[Manifest]:
    workspaces = {path.rpartition("/")[0]: read_pnpm_workspace(path, texts[path]) for path in own if _is_workspace(path) and path in texts}
    for path in own:
        text = texts.get(path)
        if text is None:
            continue
        reader = _MANIFEST_READERS.get(path.rsplit("/", 1)[-1])
        if reader is not None:
            manifest = reader(path, text)
            workspace = workspaces.pop(manifest.root, None) if manifest.kind == "package.json" else None
            yield with_workspace(manifest, workspace) if workspace else _with_lists(manifest, texts)
        elif _ENVIRONMENT.search(path) and "dependencies" in text:
            yield read_environment_yml(path, text)
    yield from workspaces.values()
    yield from _requirement_files(own, texts)


def _with_lists(manifest: Manifest, texts: dict[str, str]) -> Manifest:
    """The manifest, with a problem where it reads its requirements from lists of which none is in the tree."""
    named = [name for key, name in manifest.settings if key == "include"]
    if manifest.requirements or not named or any(_beside(manifest, name) in texts for name in named):
        return manifest
    return replace(manifest, problem=manifest.problem or f"it reads its requirements from {named[0]}, which is not there")


def _beside(manifest: Manifest, name: str) -> str:
    return normpath(f"{manifest.root}/{name}" if manifest.root else name)


def _suites(paths: list[str], texts: dict[str, str], declared: list[Manifest]) -> Iterator[Manifest]:
    """Workspace members that hold tests: the scripts that run them. What only tests install is nobody's dependency."""
    patterns = [
        normpath(f"{top.root}/{pattern}").lstrip("/") for top in declared for pattern in top.workspaces if not pattern.startswith("!")
    ]
    for path in paths:
        if path in texts and any(fnmatchcase(path.removesuffix("/package.json"), pattern) for pattern in patterns):
            yield replace(read_package_json(path, texts[path]), requirements=())


def _with_members(declared: list[Manifest]) -> list[Manifest]:
    """The manifests with dependencies on members of their workspace marked so: npm links these from the tree, whatever version is asked for."""
    members: dict[str, set[str]] = {}
    packages = tuple(manifest for manifest in declared if manifest.ecosystem is Ecosystem.NPM)
    for top in packages:
        below = _near(top.root, packages) if top.workspaces else ()
        for manifest in below:
            members.setdefault(manifest.path, set()).update(one.name for one in below if one.name)
    return [_linked(manifest, members.get(manifest.path, set()) - {manifest.name}) for manifest in declared]


def _linked(manifest: Manifest, members: set[str]) -> Manifest:
    if manifest.ecosystem is not Ecosystem.NPM or not any(entry.name in members for entry in manifest.requirements):
        return manifest
    linked = (replace(entry, source="workspace") if entry.name in members else entry for entry in manifest.requirements)
    return replace(manifest, requirements=tuple(linked))


def _is_workspace(path: str) -> bool:
    return path.rsplit("/", 1)[-1] == "pnpm-workspace.yaml"


def _requirement_files(own: list[str], texts: dict[str, str]) -> Iterator[Manifest]:
    """Requirements files by name, and those that another one includes whatever their name."""
    waiting = [path for path in own if _REQUIREMENTS.search(path)]
    seen = set(waiting)
    while waiting:
        path = waiting.pop(0)
        if path not in texts:
            continue
        manifest = read_requirements(path, texts[path])
        yield manifest
        for key, name in manifest.settings:
            target = _beside(manifest, name)
            if key == "include" and target in texts and target not in seen and target.endswith((".txt", ".in", ".pip")):
                seen.add(target)
                waiting.append(target)


def _locks(context: Context, own: list[str], texts: dict[str, str], declared: tuple[Manifest, ...]) -> Iterator[LockFile]:
    for path in own:
        name = path.rsplit("/", 1)[-1]
        text = texts.get(path)
        if name == "bun.lockb":
            reason = "a binary lock file; `bun install --save-text-lockfile` writes one that can be read"
            yield LockFile(path, "bun.lock", Ecosystem.NPM, path.rpartition("/")[0], problem=reason)
        elif text is None:
            continue
        elif name in _LOCK_READERS:
            yield _remembered(context, path, text, _LOCK_READERS[name], "")
        elif name in _LOCK_READERS_WITH_MANIFESTS:
            near = _near(path.rpartition("/")[0], declared)
            reader = _LOCK_READERS_WITH_MANIFESTS[name]
            asked = repr([(entry.name, entry.specifier, entry.group) for manifest in near for entry in manifest.requirements])
            yield _remembered(context, path, text, lambda path, text, reader=reader, near=near: reader(path, text, near), asked)
        elif _CONSTRAINTS.search(path):
            yield from filter(None, [pinned_lock(read_requirements(path, text), text)])
    for manifest in declared:
        if manifest.kind == "requirements.txt" and manifest.path.endswith((".txt", ".pip", ".lock")):
            yield from filter(None, [pinned_lock(manifest, texts[manifest.path])])


def _near(root: str, declared: tuple[Manifest, ...]) -> tuple[Manifest, ...]:
    """The manifests a lock speaks for: in its directory and below."""
    return tuple(manifest for manifest in declared if not root or manifest.root == root or manifest.root.startswith(root + "/"))


def _remembered(context: Context, path: str, text: str, reader: Callable[..., LockFile], more: str) -> LockFile:
    """The lock, from the cache when the same text was read before."""
    if len(text) < _SLOW_FROM:
        return reader(path, text)
    key = cache_key(_FORMAT, path, text, more)
    stored = context.cache.get_many([key]).get(key)
    if stored is not None:
        try:
            return msgspec.msgpack.decode(stored, type=LockFile)
        except msgspec.MsgspecError:
            pass
    lock = reader(path, text)
    context.cache.put_many({key: msgspec.msgpack.encode(lock)})
    return lock
