"""What a gate needs of git: the commit a change began at, what it changed, files as they were then, and that whole state in a directory of its own.

All through libgit2, which runs no hook, filter, external diff or file-system monitor of the repository.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pygit2
from pygit2.enums import CheckoutStrategy, DiffFind, DiffOption

from auditor.errors import UsageError
from auditor.tools.history import HistoryError, open_repository

_BLOB_BYTES = 20_000_000


@dataclass(frozen=True, slots=True)
class Base:
    """Where a change began: the last common commit of the work tree's HEAD and the revision `name`; `prefix` as in `history.Head`."""

    name: str
    commit: str
    prefix: str
    repository: pygit2.Repository


@dataclass(frozen=True, slots=True)
class Changed:
    """Paths below the audited directory that differ from the base: as they are now, and as they were then."""

    now: frozenset[str]
    then: frozenset[str]


def base_of(root: Path, revision: str) -> Base:
    """Where the change in the work tree of `root` began, seen from `revision`.

    Raises:
        UsageError: there is no git history, or it does not hold the revision.
    """
    try:
        repository, head = open_repository(root)
    except HistoryError as error:
        raise UsageError(f"--changed-since {revision}: {error}") from None
    try:
        target = repository.revparse_single(revision).peel(pygit2.Commit)
        found = repository.merge_base(target.id, head.commit)
    except (pygit2.GitError, KeyError, ValueError):
        raise UsageError(
            f"--changed-since {revision}: the repository has no such revision; in a pipeline, fetch the whole history (fetch-depth: 0)"
        ) from None
    if found is None:
        raise UsageError(
            f"--changed-since {revision}: it has no commit in common with HEAD; in a pipeline, fetch the whole history (fetch-depth: 0)"
        )
    return Base(revision, str(found), head.prefix, repository)


def changed(base: Base) -> Changed:
    """What differs between the base and the work tree, uncommitted and untracked files included."""
    flags = DiffOption.INCLUDE_UNTRACKED | DiffOption.RECURSE_UNTRACKED_DIRS | DiffOption.IGNORE_SUBMODULES | DiffOption.SKIP_BINARY_CHECK
    try:
        diff = _commit(base).tree.diff_to_workdir(flags=flags, context_lines=0)
        diff.find_similar(flags=DiffFind.FIND_RENAMES | DiffFind.FIND_FOR_UNTRACKED)
        pairs = [(delta.old_file.path, delta.new_file.path) for delta in diff.deltas]
    except (pygit2.GitError, KeyError, ValueError, OSError) as error:
        raise UsageError(f"--changed-since {base.name}: the change cannot be read ({type(error).__name__})") from None
    start = f"{base.prefix}/" if base.prefix else ""
    then, now = (
        ({path[len(start) :] for path in side if path.startswith(start)} for side in zip(*pairs, strict=True)) if pairs else (set(), set())
    )
    return Changed(frozenset(now), frozenset(then))


def content(base: Base, path: str) -> bytes | None:
    """A file as it was at the base, None when it was not there; `path` is relative to the audited directory."""
    try:
        found = _commit(base).tree[f"{base.prefix}/{path}" if base.prefix else path]
    except (KeyError, pygit2.GitError):
        return None
    return found.data if isinstance(found, pygit2.Blob) and found.size <= _BLOB_BYTES else None


def tracked(base: Base, path: str) -> bool:
    """Whether git tracks the file now."""
    return (f"{base.prefix}/{path}" if base.prefix else path) in base.repository.index


def lay_out(base: Base, folder: Path) -> Path:
    """Write the state at the base below `folder` and return its audited directory; history is shared with the repository, which is only read.

    Raises:
        UsageError: objects are missing, or it cannot be written.
    """
    source = Path(base.repository.path)
    try:
        made = pygit2.init_repository(str(folder / Path(base.repository.workdir or "repository").name))
        objects = (
            Path(base.repository.path if not (source / "commondir").exists() else source / (source / "commondir").read_text().strip())
            / "objects"
        )
        (Path(made.path) / "objects" / "info" / "alternates").write_text(f"{objects.resolve()}\n")
        if (objects.parent / "shallow").exists():
            shutil.copy(objects.parent / "shallow", Path(made.path) / "shallow")
        made = pygit2.Repository(made.path)
        for name in base.repository.references:
            if name.startswith("refs/tags/"):
                made.references.create(name, base.repository.references[name].resolve().target, force=True)
        commit = made[base.commit].peel(pygit2.Commit)
        made.checkout_tree(commit, strategy=CheckoutStrategy.FORCE | CheckoutStrategy.DONT_UPDATE_INDEX)  # type: ignore[no-untyped-call]  # pygit2
        made.index.read_tree(commit.tree)
        made.index.write()
        made.set_head(commit.id)
    except (pygit2.GitError, KeyError, ValueError, OSError) as error:
        raise UsageError(f"--changed-since {base.name}: its state cannot be laid out ({error})") from None
    return Path(made.workdir or folder) / base.prefix


def _commit(base: Base) -> pygit2.Commit:
    return base.repository[base.commit].peel(pygit2.Commit)
