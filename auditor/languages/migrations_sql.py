"""Folders of SQL migrations: Prisma, Supabase, Drizzle, Flyway, golang-migrate, dbmate, goose and plain numbered files.

The way up is told from the way down before anything is read, since most of what looks dangerous stands in the way down.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from auditor.languages import operations as ops
from auditor.languages.migrations import Migration, Way
from auditor.languages.operations import Operation
from auditor.languages.sql import read_script

_SECTION = re.compile(r"^--\s*(?:\+goose\s+|migrate:\s*|\+migrate\s+)(up|down)\b.*$", re.IGNORECASE | re.MULTILINE)
_FLYWAY = re.compile(r"^(?:([VU])(\d+(?:[._]\d+)*)|R)__.+\.sql$")
_BREAKPOINT = "--> statement-breakpoint"
_NUMBERED = re.compile(r"^(?:\d{1,4}|\d{8}|\d{10,14}|\d{4}[-_.]\d\d[-_.]\d\d)[-_.T\w]*\.sql$")
_UNDOING = re.compile(r"(?:[._-](?:down|undo|rollback|revert)\.sql$)|^(?:down|rollback|undo)\.sql$|^U\d[\d._]*__", re.IGNORECASE)
_SEED = re.compile(r"^seeds?\b.*\.sql$", re.IGNORECASE)
_FOLDER = re.compile(r"(?:^|/)(?:[\w-]*migrations?|migrate|drizzle)(?:/|$)", re.IGNORECASE)


Problem = tuple[str, str, str]
"""Kind, path and message of what is wrong with a set of migrations."""


@dataclass(frozen=True, slots=True)
class _Script:
    path: str
    text: str
    framework: str
    series: str
    order: str
    revision: str


def read_folder_migrations(
    texts: Mapping[str, str], dialect: Callable[[str], str] = lambda _series: "", *, every: bool = False
) -> tuple[tuple[Migration, ...], tuple[Problem, ...]]:
    """Migrations of all SQL folders among `texts` (path -> SQL, journal or settings), and what is wrong with a folder.

    `dialect` gives the database of a series where it is known. `every`: each SQL file is taken for a migration, whatever its name and folder.
    """
    scripts = [script for path in sorted(texts) if path.endswith(".sql") and (script := _script(path, texts, every=every)) is not None]
    migrations = tuple(_migration(script, texts, dialect(script.series)) for script in scripts)
    return migrations, (*_duplicates(scripts), *_missing_downs(migrations), *_journals(texts))


def is_undo(path: str) -> bool:
    """Whether a SQL file is the way down of another one."""
    return bool(_UNDOING.search(PurePosixPath(path).name))


def _script(path: str, texts: Mapping[str, str], *, every: bool) -> _Script | None:
    """The file as a migration, None when it is no migration (or the way down of one)."""
    place = PurePosixPath(path)
    folder = str(place.parent)
    text = texts[path]
    if is_undo(path):
        return None
    if (
        place.name == "migration.sql"
        and (every or place.parent.parent.name in {"migrations", "migration"})
        and not _is_drizzle(place, texts)
    ):
        return _Script(path, text, "prisma", str(place.parent.parent), place.parent.name, place.parent.name.split("_")[0])
    if _is_drizzle(place, texts):
        return _Script(path, text, "drizzle", str(place.parent.parent), place.parent.name, place.parent.name.split("_")[0])
    if "supabase/migrations" in folder:
        return _Script(path, text, "supabase", folder, place.name, place.name.split("_")[0])
    if f"{folder}/meta/_journal.json" in texts or _BREAKPOINT in text:
        return _Script(path, text, "drizzle", folder, place.name, place.name.split("_")[0])
    flyway = _FLYWAY.match(place.name)
    if flyway:
        version = flyway[2] or ""
        return _Script(path, text, "flyway", folder, _natural(version) if version else "~", version)
    return _by_name(place, text, texts, every=every)


def _is_drizzle(place: PurePosixPath, texts: Mapping[str, str]) -> bool:
    """Drizzle's newer folders: a snapshot beside each script."""
    return place.name == "migration.sql" and (place.parent.parent.name == "drizzle" or f"{place.parent}/snapshot.json" in texts)


def _by_name(place: PurePosixPath, text: str, texts: Mapping[str, str], *, every: bool) -> _Script | None:
    folder = str(place.parent)
    first = _SECTION.search(text[:20_000])
    if place.name.endswith(".up.sql"):
        return _Script(str(place), text, "golang-migrate", folder, _natural(place.name), place.name.split("_")[0])
    if first:
        framework = "goose" if "goose" in first[0].lower() else "sql-migrate" if "+migrate" in first[0].lower() else "dbmate"
        return _Script(str(place), text, framework, folder, _natural(place.name), re.split(r"[-_.]", place.name)[0])
    named = _NUMBERED.match(place.name) is not None
    if (every and not _SEED.match(place.name)) or (named and (_FOLDER.search(folder) or _ordered_siblings(folder, texts))):
        return _Script(str(place), text, "sql", folder, _natural(place.name), re.split(r"[-_.]", place.name)[0])
    return None


def _ordered_siblings(folder: str, texts: Mapping[str, str]) -> bool:
    """Whether the scripts of a folder are numbered or dated, two at least, so that the folder itself is the order of changes."""
    names = [PurePosixPath(path).name for path in texts if path.endswith(".sql") and str(PurePosixPath(path).parent) == folder]
    return len(names) >= 2 and sum(1 for name in names if _NUMBERED.match(name)) >= max(2, len(names) // 2)


def _natural(name: str) -> str:
    """A key that sorts numbers as numbers."""
    return re.sub(r"\d+", lambda found: found[0].zfill(20) if len(found[0]) < 20 else found[0], name)


def _migration(script: _Script, texts: Mapping[str, str], dialect: str) -> Migration:
    up, down = _ways(script, texts)
    spoken, operations = read_script(up, dialect)
    return Migration(
        path=script.path,
        framework=script.framework,
        series=script.series,
        order=script.order,
        up=Way(operations),
        down=Way(read_script(down, dialect)[1]) if down is not None else None,
        revision=script.revision,
        transaction=_transaction(script, texts, operations),
        dialect=dialect or (spoken if spoken != "postgres" else ""),
        opaque=any(operation.kind in {ops.UNREAD, ops.RENAME_TABLE} for operation in operations),
    )


_NO_TRANSACTION = re.compile(
    r"^--\s*(?:migrate:\s*up\b.*\btransaction\s*:\s*false|\+goose\s+NO\s+TRANSACTION|\+migrate\s+up\b.*\bnotransaction)\b",
    re.IGNORECASE | re.MULTILINE,
)
_CONF = re.compile(r"^\s*executeInTransaction\s*=\s*false\b", re.IGNORECASE | re.MULTILINE)
_FLYWAY_LOCK = re.compile(r"postgresql\.transactional\.lock\s*=\s*false", re.IGNORECASE)


def _transaction(script: _Script, texts: Mapping[str, str], operations: tuple[Operation, ...]) -> bool:
    """Whether the runner puts the way up into a transaction."""
    match script.framework:
        case "sql":
            return False
        case "golang-migrate" | "prisma":
            return len({operation.line for operation in operations}) > 1 or len(operations) > 1
        case "flyway":
            if _CONF.search(texts.get(f"{script.path}.conf", "")):
                return False
            # A statement that cannot run in a transaction is run outside of one, but Flyway's own lock is a transaction that it then waits for.
            return not any(
                _FLYWAY_LOCK.search(text)
                for path, text in texts.items()
                if path.endswith((".conf", ".toml", ".properties", ".yml", ".yaml"))
            )
        case _:
            return not _NO_TRANSACTION.search(script.text[:20_000])


def _ways(script: _Script, texts: Mapping[str, str]) -> tuple[str, str | None]:
    """The text of the way up, its line numbers kept, and that of the way down, None when there is none."""
    marks = list(_SECTION.finditer(script.text))
    if marks:
        ways: dict[str, str] = {}
        for mark, following in zip(marks, [*marks[1:], None], strict=True):
            end = following.start() if following else len(script.text)
            ways.setdefault(mark[1].lower(), "\n" * script.text.count("\n", 0, mark.end()) + script.text[mark.end() : end])
        return ways.get("up", ""), ways.get("down")
    return script.text, next((texts[path] for path in _undo_paths(script) if path in texts), None)


def _undo_paths(script: _Script) -> tuple[str, ...]:
    place = PurePosixPath(script.path)
    stem = place.name.removesuffix(".sql").removesuffix(".up")
    named = [f"{stem}{mark}.sql" for mark in (".down", "_down", ".undo", "_undo", ".rollback", "_rollback", "-down")]
    flyway = [f"U{place.name[1:]}"] if place.name.startswith("V") else []
    beside = [str(place.with_name(name)) for name in (*named, *flyway, "down.sql")] if place.name != "migration.sql" else []
    prisma = [str(place.with_name("down.sql"))] if place.name == "migration.sql" else []
    folders = [
        str(place.parent / folder / name)
        for folder in ("down", "rollback", "rollbacks")
        for name in (place.name, f"{stem}.sql", f"{stem}.down.sql")
    ]
    return (*beside, *prisma, *folders)


def _missing_downs(migrations: tuple[Migration, ...]) -> list[Problem]:
    """Tools whose ways down are files or sections of their own: one without breaks the line when somebody goes back."""
    expecting = {
        (m.framework, m.series)
        for m in migrations
        if m.down is not None and m.framework in {"golang-migrate", "dbmate", "goose", "sql-migrate"}
    }
    expecting |= {(m.framework, m.series) for m in migrations if m.framework == "golang-migrate"}
    return [
        ("missing_down", m.path, f"{PurePosixPath(m.path).name} has no way down, which its siblings have")
        for m in migrations
        if m.down is None and (m.framework, m.series) in expecting
    ]


_VERSIONED = frozenset({"flyway", "golang-migrate", "supabase", "dbmate", "goose"})
_DATE_DIGITS = 8
"""Plain files named by their day are no versions: two on one day are in order."""


def _duplicates(scripts: list[_Script]) -> list[Problem]:
    """Two files with one version: the tool runs one of them, or stops."""
    seen: defaultdict[tuple[str, str], list[_Script]] = defaultdict(list)
    for script in scripts:
        numbered = script.framework == "sql" and script.revision.isdigit() and len(script.revision) != _DATE_DIGITS
        if (numbered or script.framework in _VERSIONED) and script.revision:
            seen[script.series, script.revision].append(script)
    return [
        (
            "duplicate_version",
            same[1].path,
            f"{PurePosixPath(same[0].path).name} and {PurePosixPath(same[1].path).name} have the same version",
        )
        for same in seen.values()
        if len(same) > 1
    ]


def _journals(texts: Mapping[str, str]) -> list[Problem]:
    """Drizzle applies what its journal lists: files that are not in it never run, entries without a file stop it."""
    found = []
    for path in sorted(texts):
        if not path.endswith("meta/_journal.json"):
            continue
        folder = str(PurePosixPath(path).parent.parent)
        try:
            tags = {str(entry["tag"]) for entry in json.loads(texts[path])["entries"]}
        except (ValueError, KeyError, TypeError, RecursionError):
            continue
        files = {PurePosixPath(other).stem for other in texts if other.endswith(".sql") and str(PurePosixPath(other).parent) == folder}
        found += [("journal_mismatch", path, f"the journal lists {tag}, and there is no such file") for tag in sorted(tags - files)]
        found += [
            ("journal_mismatch", f"{folder}/{name}.sql", "is not in the journal, so it never runs")
            for name in sorted(files - tags)
            if not is_undo(f"{name}.sql")
        ]
    return found
