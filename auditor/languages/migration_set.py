"""All migrations of a tree read together, in the order they are applied, with what is wrong with them as a set.

The one place that knows which reader a file belongs to. Broken files are named and never stop the others.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from auditor.languages.database_kind import database_of, family
from auditor.languages.django_models import Models
from auditor.languages.migration_back import judged_back
from auditor.languages.migration_order import by_series, order_problems
from auditor.languages.migrations import Migration, Way
from auditor.languages.migrations_alembic import is_alembic, read_alembic
from auditor.languages.migrations_django import Raw, is_django, linked, read_django, resolved
from auditor.languages.migrations_script import framework_of, grammar_of, is_script_migration, read_script_migration
from auditor.languages.migrations_sql import Problem, read_folder_migrations
from auditor.languages.schema_state import Schema, end_state
from auditor.languages.tree import Grammar, encoded, error_line, parse

_SCRIPTS = (".js", ".ts", ".cjs", ".mjs", ".cts", ".mts")
_SCRIPT_FOLDER = re.compile(r"(?:^|/)(?:[\w-]*migrations?|migrate)/(?:[^/]+/)?[^/]+$", re.IGNORECASE)
_LOCK = re.compile(r"^\s*provider\s*=\s*\"(\w+)\"", re.MULTILINE)
_NO_TRANSACTIONS = (
    ("knex", re.compile(r"\bdisableTransactions[\"']?\s*:\s*true\b")),
    ("typeorm", re.compile(r"\bmigrationsTransactionMode[\"']?\s*:\s*[\"'`]none\b")),
)
_SETTINGS_LIMIT = 100_000
SIZE_LIMIT = 2_000_000
"""Characters of one migration written in code that are read."""


@dataclass(frozen=True, slots=True)
class MigrationSet:
    """Migrations by series in the order they are applied; `problems` are (kind, path, message); `unread` (path, reason).

    `exposed`: the schemas a hosted API serves.
    """

    series: dict[str, tuple[Migration, ...]]
    problems: tuple[Problem, ...]
    unread: tuple[tuple[str, str], ...]
    exposed: tuple[str, ...] = ("public",)

    @property
    def migrations(self) -> tuple[Migration, ...]:
        """All of them, series after series."""
        return tuple(migration for entries in self.series.values() for migration in entries)

    def schema(self, *series: str) -> Schema:
        """The schema that the series (all, when none are named) leave behind."""
        chosen = series or tuple(self.series)
        return end_state((m.path, m.up.operations) for name in chosen for m in self.series.get(name, ()))


def read_migrations(texts: Mapping[str, str], *, dialect: str = "", every: bool = False) -> MigrationSet:
    """Read every migration among `texts` (path -> text; settings beside them, such as journals and locks, belong in as well).

    `dialect`: the database ("postgres", "mysql", "sqlite", "tsql"); by itself it is looked for in the settings among `texts`. `every`: the caller says that all files are migrations.
    """
    database = _databases(texts, dialect or database_of(texts))
    folders, problems = read_folder_migrations(
        {p: t for p, t in texts.items() if not p.endswith((".py", *_SCRIPTS))}, database, every=every
    )
    found: list[Migration] = list(folders)
    raw: list[Raw] = []
    unread: list[tuple[str, str]] = []
    for path in sorted(texts):
        if not path.endswith((".py", *_SCRIPTS)):
            continue
        try:
            read = _code(path, texts[path], database, every=every)
        except RecursionError:
            unread.append((path, "nested deeper than people write it"))
            continue
        broken = _broken(path, texts[path]) if read is not None or _claims(path, texts[path], every=every) else 0
        if broken:
            unread.append((path, f"does not parse (line {broken}): only what stands around it was read"))
        if isinstance(read, Raw):
            raw.append(replace(read, migration=replace(read.migration, broken=broken)))
        elif read is not None or broken:
            found.append(replace(read or _unreadable(path, texts[path]), broken=broken))
    found += _django(raw, unread)
    alone = _without_transactions(texts)
    found = [replace(migration, transaction=False) if migration.framework in alone else migration for migration in found]
    series = {name: _judged(entries) for name, entries in by_series(found).items()}
    wrong = (*problems, *order_problems({name: list(entries) for name, entries in series.items()}))
    return MigrationSet(series, wrong, tuple(unread), _exposed(texts))


def _code(path: str, text: str, database: Callable[[str], str], *, every: bool) -> Migration | Raw | None:
    if len(text) > SIZE_LIMIT:
        return None
    dialect = database(str(PurePosixPath(path).parent))
    if path.endswith(".py"):
        if is_alembic(text):
            return read_alembic(path, text, dialect)
        return read_django(path, text, dialect) if is_django(path, text, anywhere=every) else None
    if (every or _SCRIPT_FOLDER.search(path)) and is_script_migration(text):
        return read_script_migration(path, text, dialect)
    return None


def _claims(path: str, text: str, *, every: bool) -> bool:
    """Whether a file that no reader took calls itself a migration, so that it is worth a look why."""
    if path.endswith(".py"):
        return is_alembic(text)
    return (every or _SCRIPT_FOLDER.search(path) is not None) and is_script_migration(text)


def _unreadable(path: str, text: str) -> Migration:
    """A migration nothing is known of but its place."""
    framework = "alembic" if path.endswith(".py") else framework_of(text)
    return Migration(path, framework, str(PurePosixPath(path).parent), PurePosixPath(path).name, Way())


def _broken(path: str, text: str) -> int:
    """The first line that does not parse, 0 when all do."""
    grammar = Grammar.PYTHON if path.endswith(".py") else grammar_of(path)
    return error_line(parse(grammar, encoded(text)).root_node)


def _django(raw: list[Raw], unread: list[tuple[str, str]]) -> list[Migration]:
    """Django's migrations in the order of their graph, each read with the models its elders described."""
    by_path = {entry.migration.path: entry for entry in linked(raw)}
    models = Models()
    done: list[Migration] = []
    for entries in by_series(entry.migration for entry in by_path.values()).values():
        replaced = {name for migration in entries for name in migration.replaces}
        for migration in entries:
            own = Models() if migration.replaces and replaced & {other.revision for other in entries} else models
            try:
                done.append(resolved(by_path[migration.path], own))
            except RecursionError:
                unread.append((migration.path, "nested deeper than people write it"))
    return done


def _judged(entries: list[Migration]) -> tuple[Migration, ...]:
    return tuple(replace(migration, back=judged_back(migration)) for migration in entries)


def _without_transactions(texts: Mapping[str, str]) -> frozenset[str]:
    """Frameworks whose settings say that no migration is put into a transaction."""
    said = [text for path, text in texts.items() if path.endswith((*_SCRIPTS, ".json")) and len(text) < _SETTINGS_LIMIT]
    return frozenset(framework for framework, pattern in _NO_TRANSACTIONS if any(pattern.search(text) for text in said))


def _exposed(texts: Mapping[str, str]) -> tuple[str, ...]:
    """The schemas Supabase's API serves, by its settings."""
    for path in sorted(texts):
        if path.endswith("supabase/config.toml") or path == "config.toml":
            try:
                named = tomllib.loads(texts[path]).get("api", {}).get("schemas")
            except (tomllib.TOMLDecodeError, AttributeError, RecursionError):
                continue
            if isinstance(named, list) and named:
                return tuple(str(name) for name in named)
    return ("public",)


def _databases(texts: Mapping[str, str], dialect: str) -> Callable[[str], str]:
    """The database of a series: what its tool wrote down beside it (Prisma's lock, Drizzle's journal), else the one given."""
    known: dict[str, str] = {}
    for path, text in texts.items():
        place = PurePosixPath(path)
        if place.name == "migration_lock.toml":
            found = _LOCK.search(text[:5_000])
            if found:
                known[str(place.parent)] = family(found[1])
        elif place.name == "_journal.json":
            known[str(place.parent.parent)] = _journal_dialect(text)
    return lambda series: known.get(series) or dialect


def _journal_dialect(text: str) -> str:
    try:
        named = json.loads(text).get("dialect")
    except (ValueError, AttributeError, RecursionError):
        return ""
    return family(str(named))
