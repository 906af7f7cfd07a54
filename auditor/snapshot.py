"""Walks the audited tree, bounds it, and reads every file once; the only place that looks into the tree.

With git the files are those of the index plus the untracked ones that git does not ignore; without git, every file below the directory.
Symbolic links are never followed, special files never opened, nothing is written. Classification stands in `auditor.classify`.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pygit2

from auditor.classify import classify, role_by_path
from auditor.errors import NothingToAuditError, UsageError
from auditor.model.snapshot import READ_LANGUAGES, Skipped, Snapshot, SourceFile

PRUNED = frozenset(
    {
        ".git",
        ".hg",
        ".svn",
        "node_modules",
        ".venv",
        "__pycache__",
        ".tox",
        ".nox",
        ".mypy_cache",
        ".pytest_cache",
        ".ruff_cache",
        ".next",
        ".nuxt",
        ".svelte-kit",
        ".turbo",
        ".gradle",
        ".terraform",
        ".auditor-cache",
    }
)
"""Directories never entered when there is no git to say what belongs to the project (with git: `.git` only)."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Limits of one audit; what exceeds them is listed as skipped and stays unexamined.

    `file_bytes`: largest file that is read; `text_bytes`: total of text kept in memory; `files`: number of files; `depth`: directory levels.
    """

    file_bytes: int = 20_000_000
    text_bytes: int = 400_000_000
    files: int = 100_000
    depth: int = 60


@dataclass(frozen=True, slots=True)
class Reading:
    """A snapshot and the decoded text of its text files (path -> text)."""

    snapshot: Snapshot
    texts: dict[str, str]


pygit2.option(pygit2.enums.Option.SET_OWNER_VALIDATION, False)
pygit2.settings.cache_max_size(32 * 1024 * 1024)  # its default of 256 MB is more than the rest of an audit needs
pygit2.settings.mwindow_size = 16 * 1024 * 1024
pygit2.settings.mwindow_mapped_limit = 96 * 1024 * 1024
for _level in (pygit2.enums.ConfigLevel.SYSTEM, pygit2.enums.ConfigLevel.GLOBAL, pygit2.enums.ConfigLevel.XDG):
    pygit2.settings.search_path[_level] = ""  # the user's own git settings (ignore files) must not change a report


def read_tree(root: Path, bounds: Bounds = Bounds(), should_stop: Callable[[], bool] = lambda: False) -> Reading:
    """Read the tree below `root`.

    Raises:
        UsageError: the path does not exist, is no directory or cannot be read.
        NothingToAuditError: there is no file in it.
    """
    _require_directory(root)
    listing = _git_listing(root, bounds) or _tree_listing(root, bounds)
    files: list[SourceFile] = []
    texts: dict[str, str] = {}
    skipped = list(listing.skipped)
    kept_bytes = 0
    for path, tracked in listing.paths:
        if should_stop():
            skipped.append(Skipped(path, "not read: the time limit was reached"))
            continue
        content = _read(root, path, bounds)
        if isinstance(content, Skipped):
            skipped.append(content)
            continue
        text = _decode(path, content)
        if text is not None:
            kept_bytes += len(content)
            if kept_bytes > bounds.text_bytes:
                skipped.append(Skipped(path, f"not read: more than {bounds.text_bytes // 1_000_000} MB of text"))
                continue
            texts[path] = text
        if text is None and _claims_to_be_code(path, content):
            skipped.append(Skipped(path, "named like source code and not text"))
            continue
        language, role = classify(path, text)
        digest = hashlib.sha256(content).hexdigest()
        files.append(SourceFile(path, language, role, digest, len(content), _line_count(text), tracked))
    if not files and not skipped:
        raise NothingToAuditError(f"{root} holds no files: nothing to audit")
    files.sort(key=lambda file: file.path)
    skipped.sort(key=lambda entry: entry.path)
    digest = _digest(files, skipped)
    return Reading(Snapshot(tuple(files), tuple(skipped), listing.origin, listing.commit, digest), texts)


@dataclass(frozen=True, slots=True)
class _Listing:
    paths: tuple[tuple[str, bool], ...]
    skipped: tuple[Skipped, ...]
    origin: str
    commit: str = ""


def _require_directory(root: Path) -> None:
    try:
        mode = root.stat().st_mode
        if not stat.S_ISDIR(mode):
            raise UsageError(f"{root} is not a directory: give the path of a repository")
        with os.scandir(root):
            pass
    except FileNotFoundError:
        raise UsageError(f"{root} does not exist: give the path of a repository") from None
    except OSError as error:
        raise UsageError(f"{root} cannot be read: {error.strerror or error}") from None
    except ValueError:
        raise UsageError("the path holds a NUL character: give the path of a repository") from None


def _git_listing(root: Path, bounds: Bounds) -> _Listing | None:
    """What git tracks and does not ignore below `root`; None when `root` is not in a git work tree."""
    try:
        found = pygit2.discover_repository(str(root))
        repository = pygit2.Repository(found) if found else None
        if repository is None or repository.workdir is None:
            return None
        prefix = _prefix(Path(repository.workdir), root)
        if prefix is None:
            return None
        commit = "" if repository.head_is_unborn else str(repository.head.target)
        index = {entry.path: entry.mode for entry in repository.index}
    except (pygit2.GitError, KeyError, ValueError, OSError):
        return None
    special = {pygit2.enums.FileMode.LINK: "a symbolic link: not followed", pygit2.enums.FileMode.COMMIT: "a submodule: its own repository"}
    tracked = {path[len(prefix) :]: mode for path, mode in index.items() if path.startswith(prefix)}
    if prefix and not tracked and _ignored(repository, prefix):
        return None  # an export unpacked where a surrounding repository ignores it
    skipped = [Skipped(_shown(path), special[mode]) for path, mode in tracked.items() if mode in special]
    paths = {}
    outside = _Outside(root, sparse=_is_sparse(repository))
    for path in (path for path, mode in tracked.items() if mode not in special):
        reason = outside.reason(path)
        if reason:
            skipped.append(Skipped(_shown(path), reason))
        else:
            paths[path] = True
    try:
        folders = {folder for path in tracked for folder in _folders(path)}
        for path in _walk(
            root, bounds, skipped, frozenset({".git"}), lambda p: p not in tracked and p not in folders and _ignored(repository, prefix + p)
        ):
            paths.setdefault(path, False)
    except (pygit2.GitError, KeyError, ValueError):
        return None
    return _bounded(paths, skipped, bounds, "git", commit)


class _Outside:
    """Tells which paths of an index lead out of the tree: git itself refuses to write such an index, a hostile repository may bring one."""

    def __init__(self, root: Path, *, sparse: bool) -> None:
        self._root = root
        self._sparse = sparse
        self._folders: dict[str, str] = {}

    def reason(self, path: str) -> str:
        """Why the path must not be opened, "" when it may."""
        parts = path.split("/")
        if path.startswith("/") or ".." in parts or ".git" in parts or not _printable_bytes(path) or "\0" in path:
            return "a path that leads out of the tree"
        for end in range(1, len(parts)):
            folder = "/".join(parts[:end])
            if folder not in self._folders:
                self._folders[folder] = self._state(folder)
            if self._folders[folder]:
                return self._folders[folder]
        if self._sparse and not os.path.lexists(self._root / path):
            return "left out by a sparse checkout"
        return ""

    def _state(self, folder: str) -> str:
        try:
            mode = (self._root / folder).lstat().st_mode
        except OSError:
            return ""  # the file below it is missing as well and says so itself
        return "" if stat.S_ISDIR(mode) else "below a symbolic link: not followed"


def _is_sparse(repository: pygit2.Repository) -> bool:
    try:
        return bool(repository.config.get_bool("core.sparseCheckout"))
    except (KeyError, ValueError, pygit2.GitError):
        return False


def _shown(path: str) -> str:
    return path.encode("utf-8", "backslashreplace").decode()


def _folders(path: str) -> list[str]:
    """Every folder above `path`, with the trailing slash the walk uses for folders."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[: end + 1]) + "/" for end in range(len(parts))]


def _prefix(workdir: Path, root: Path) -> str | None:
    try:
        relative = root.resolve().relative_to(workdir.resolve())
    except ValueError:
        return None
    return "" if relative == Path() else relative.as_posix() + "/"


def _ignored(repository: pygit2.Repository, path: str) -> bool:
    try:
        return repository.path_is_ignored(path)
    except (pygit2.GitError, ValueError, UnicodeError):
        return False


def _tree_listing(root: Path, bounds: Bounds) -> _Listing:
    skipped: list[Skipped] = []
    paths = dict.fromkeys(_walk(root, bounds, skipped, PRUNED, lambda _path: False), False)
    return _bounded(dict.fromkeys(paths, True), skipped, bounds, "tree", "")


def _bounded(paths: dict[str, bool], skipped: list[Skipped], bounds: Bounds, origin: str, commit: str) -> _Listing:
    ordered = sorted(paths.items())
    skipped.extend(Skipped(path, f"not read: more than {bounds.files} files") for path, _ in ordered[bounds.files :])
    return _Listing(tuple(ordered[: bounds.files]), tuple(skipped), origin, commit)


def _walk(root: Path, bounds: Bounds, skipped: list[Skipped], pruned: frozenset[str], ignored: Callable[[str], bool]) -> list[str]:
    """Regular files below `root` as relative POSIX paths; links and special files go to `skipped`."""
    found: list[str] = []
    links: set[str] = set()
    pending = [("", 0)]
    while pending:
        directory, depth = pending.pop()
        try:
            entries = sorted(os.scandir(root / directory), key=lambda entry: entry.name)
        except OSError as error:
            skipped.append(Skipped(directory or ".", f"cannot be listed: {error.strerror or 'unreadable'}"))
            continue
        for entry in entries:
            path = f"{directory}/{entry.name}" if directory else entry.name
            if not _printable_bytes(path):
                skipped.append(Skipped(path.encode("utf-8", "backslashreplace").decode(), "a file name that is not UTF-8"))
            elif entry.is_symlink():
                if not ignored(path):
                    links.add(path)
            elif entry.is_dir(follow_symlinks=False):
                if entry.name in pruned or ignored(path + "/"):
                    continue
                if depth >= bounds.depth:
                    skipped.append(Skipped(path, f"deeper than {bounds.depth} directories"))
                else:
                    pending.append((path, depth + 1))
            elif not entry.is_file(follow_symlinks=False):
                skipped.append(Skipped(path, "not a regular file"))
            elif len(found) <= 2 * bounds.files and not ignored(path):
                found.append(path)
    known = {entry.path for entry in skipped}
    skipped.extend(Skipped(path, "a symbolic link: not followed") for path in sorted(links - known))
    return found


def _printable_bytes(path: str) -> bool:
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _read(root: Path, path: str, bounds: Bounds) -> bytes | Skipped:
    """The file's content, opened without following links and without blocking on special files."""
    try:
        descriptor = os.open(root / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return Skipped(path, "missing from the work tree")
    except OSError as error:
        return Skipped(path, f"cannot be read: {error.strerror or 'unreadable'}")
    try:
        with os.fdopen(descriptor, "rb") as handle:
            info = os.fstat(handle.fileno())
            if not stat.S_ISREG(info.st_mode):
                return Skipped(path, "not a regular file")
            content = handle.read(bounds.file_bytes + 1)
    except OSError as error:
        return Skipped(path, f"cannot be read: {error.strerror or 'unreadable'}")
    if len(content) > bounds.file_bytes:
        return Skipped(path, f"larger than {bounds.file_bytes // 1_000_000} MB")
    return content


def _line_count(text: str | None) -> int:
    return text.count("\n") + (not text.endswith("\n")) if text else 0


def _claims_to_be_code(path: str, content: bytes) -> bool:
    """Whether a binary file's name makes a run time read it as source; MPEG transport streams share TypeScript's suffix."""
    if path.endswith(".ts") and content[:1] == b"G" and content[188:189] in {b"G", b""}:
        return False
    return role_by_path(path)[0] in READ_LANGUAGES


def _decode(path: str, content: bytes) -> str | None:
    """The text, or None for binary content. Invalid UTF-8 is replaced; UTF-16 with a byte-order mark is read as such."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _unified(content.decode("utf-16", "replace"))
    head = content[:8192]
    if b"\x00" in head and head.count(b"\x00") * 100 > len(head):
        return None
    text = content.decode("utf-8", "replace")
    is_code = b"\x00" not in head and role_by_path(path)[0] in READ_LANGUAGES  # in an older encoding, with comments full of accents
    if not is_code and text[:8192].count("\ufffd") * 10 > len(text[:8192]) > 0:
        return None
    return _unified(text)


def _unified(text: str) -> str:
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def _digest(files: list[SourceFile], skipped: list[Skipped]) -> str:
    joined = hashlib.sha256()
    for file in files:
        joined.update(f"{file.path}\x00{file.digest}\x00".encode())
    for entry in skipped:
        joined.update(f"{entry.path}\x00{entry.reason}\x00".encode())
    return joined.hexdigest()
