"""Folders of SQL migrations: Prisma, Supabase, Drizzle, Flyway, golang-migrate, dbmate, goose and plain numbered files.

The way up is told from the way down before anything is read, since most of what looks dangerous stands in the way down.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import PurePosixPath

from auditor.languages import sql
from auditor.languages.migrations import NO, PARTIAL, TRIVIAL, UNKNOWN, YES, Back, Migration, loses
from auditor.languages.sql import Operation, read_sql

_SECTION = re.compile(r"^--\s*(?:\+goose\s+|migrate:\s*|\+migrate\s+)(up|down)\b.*$", re.IGNORECASE | re.MULTILINE)
_FLYWAY = re.compile(r"^([VU])(\d+(?:[._]\d+)*)__.+\.sql$")
_NUMBERED = re.compile(r"^(?:\d{1,4}|\d{8}|\d{10,14}|\d{4}[-_.]\d\d[-_.]\d\d)[-_.T\w]*\.sql$")
_UNDOING = re.compile(r"(?:[._-](?:down|undo|rollback|revert)\.sql$)|^(?:down|rollback|undo)\.sql$|^U\d[\d._]*__", re.IGNORECASE)
_NOTHING = frozenset({sql.SELECT, sql.OTHER})
_FOLDER = re.compile(r"(?:^|/)(?:[\w-]*migrations?|migrate|drizzle)(?:/|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Script:
    path: str
    text: str
    framework: str
    series: str
    order: str
    revision: str


def read_folder_migrations(texts: dict[str, str]) -> tuple[tuple[Migration, ...], tuple[tuple[str, str, str], ...]]:
    """Migrations of all SQL folders among `texts` (path -> SQL or journal), and (kind, path, message) of what is wrong with a folder."""
    scripts = [script for path in sorted(texts) if path.endswith(".sql") and (script := _script(path, texts)) is not None]
    migrations = tuple(_migration(script, texts) for script in scripts)
    return migrations, (*_duplicates(scripts), *_journals(texts))


def is_undo(path: str) -> bool:
    """Whether a SQL file is the way down of another one."""
    return bool(_UNDOING.search(PurePosixPath(path).name))


def _script(path: str, texts: dict[str, str]) -> _Script | None:
    """The file as a migration, None when it is no migration (or the way down of one)."""
    place = PurePosixPath(path)
    folder = str(place.parent)
    text = texts[path]
    if is_undo(path):
        return None
    if place.name == "migration.sql" and place.parent.parent.name in {"migrations", "migration"}:
        return _Script(path, text, "prisma", str(place.parent.parent), place.parent.name, place.parent.name.split("_")[0])
    if "supabase/migrations" in folder:
        return _Script(path, text, "supabase", folder, place.name, place.name.split("_")[0])
    if f"{folder}/meta/_journal.json" in texts:
        return _Script(path, text, "drizzle", folder, place.name, place.name.split("_")[0])
    flyway = _FLYWAY.match(place.name)
    if flyway:
        return _Script(path, text, "flyway", folder, _natural(flyway[2]), flyway[2])
    return _by_name(place, text, texts)


def _by_name(place: PurePosixPath, text: str, texts: dict[str, str]) -> _Script | None:
    folder = str(place.parent)
    first = _SECTION.search(text[:20_000])
    if place.name.endswith(".up.sql"):
        return _Script(str(place), text, "golang-migrate", folder, _natural(place.name), place.name.split("_")[0])
    if first:
        framework = "goose" if "goose" in first[0].lower() else "sql-migrate" if "+migrate" in first[0].lower() else "dbmate"
        return _Script(str(place), text, framework, folder, _natural(place.name), re.split(r"[-_.]", place.name)[0])
    named = _NUMBERED.match(place.name) is not None
    if named and (_FOLDER.search(folder) or _ordered_siblings(folder, texts)):
        return _Script(str(place), text, "sql", folder, _natural(place.name), re.split(r"[-_.]", place.name)[0])
    return None


def _ordered_siblings(folder: str, texts: dict[str, str]) -> bool:
    """Whether the scripts of a folder are numbered or dated, two at least, so that the folder itself is the order of changes."""
    names = [PurePosixPath(path).name for path in texts if path.endswith(".sql") and str(PurePosixPath(path).parent) == folder]
    return len(names) >= 2 and sum(1 for name in names if _NUMBERED.match(name)) >= max(2, len(names) // 2)


def _natural(name: str) -> str:
    """A key that sorts numbers as numbers."""
    return re.sub(r"\d+", lambda found: found[0].zfill(20) if len(found[0]) < 20 else found[0], name)


def _migration(script: _Script, texts: dict[str, str]) -> Migration:
    up, down = _ways(script, texts)
    operations = read_sql(up)
    created = tuple(sorted({o.table for o in operations if o.kind in {sql.CREATE_TABLE, sql.CREATE_VIEW} and not o.temporary}))
    columns = {(o.table, column.name) for o in operations if o.kind in {sql.CREATE_TABLE, sql.ADD_COLUMN} for column in o.columns}
    columns |= {(o.table, o.name) for o in operations if o.kind == sql.RENAME_COLUMN}
    renamed = any(o.kind in {sql.UNREAD, sql.RENAME_TABLE} for o in operations)
    return Migration(
        path=script.path,
        framework=script.framework,
        series=script.series,
        order=script.order,
        back=_back(operations, down),
        revision=script.revision,
        created=created,
        columns=tuple(sorted(columns)),
        opaque=renamed,
    )


def _ways(script: _Script, texts: dict[str, str]) -> tuple[str, str | None]:
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


def _back(operations: tuple[Operation, ...], down: str | None) -> Back:
    real = [operation for operation in operations if operation.kind not in _NOTHING]
    destructive = loses(operations)
    line = real[0].line if real else 1
    if not real:
        return Back(TRIVIAL, "changes nothing that would have to be undone", line=line)
    if down is None:
        return Back(NO, "has no way down", destructive, line)
    undone = [operation for operation in read_sql(down) if operation.kind not in _NOTHING]
    if not undone:
        return Back(NO, "has an empty way down", destructive, line)
    if any(operation.kind == sql.UNREAD for operation in undone):
        return Back(UNKNOWN, "has a way down that could not be read", destructive, line)
    left = _left_behind(real, undone)
    if left:
        return Back(PARTIAL, f"has a way down that leaves {left} behind", destructive, line)
    return Back(YES, "has a way down", destructive, line)


def _left_behind(up: list[Operation], down: list[Operation]) -> str:
    """A table or column made on the way up that the way down does not take away, "" when there is none."""
    gone = {operation.table for operation in down if operation.kind in {sql.DROP_TABLE, sql.RENAME_TABLE}}
    dropped = {(operation.table, operation.name) for operation in down if operation.kind in {sql.DROP_COLUMN, sql.RENAME_COLUMN}}
    renamed = any(operation.kind in {sql.RENAME_TABLE, sql.RENAME_COLUMN} for operation in up)
    if renamed or any(operation.kind in {sql.DROP_OTHER, sql.ALTER_OTHER} for operation in down):
        return ""  # names change on the way, or a schema is dropped as a whole
    for operation in up:
        if operation.kind == sql.CREATE_TABLE and not operation.temporary and operation.table not in gone:
            return f"the table {operation.table}"
        column = (operation.table, operation.name)
        if operation.kind == sql.ADD_COLUMN and operation.table not in gone and column not in dropped:
            return f"the column {operation.table}.{operation.name}"
    return ""


def _duplicates(scripts: list[_Script]) -> list[tuple[str, str, str]]:
    """Two files with one version: the tool runs one of them, or stops."""
    seen: defaultdict[tuple[str, str], list[_Script]] = defaultdict(list)
    for script in scripts:
        if script.framework in {"flyway", "golang-migrate", "supabase", "dbmate", "goose"} and script.revision:
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


def _journals(texts: dict[str, str]) -> list[tuple[str, str, str]]:
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
