"""Evidence STORES: where the system keeps its data, and by which migrations the structure of that data changes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from auditor.evidence.data_model import Scripts, data_model
from auditor.evidence.registry import Context, own_stamp, provides
from auditor.evidence.stores_drift import drift
from auditor.evidence.stores_models import declared
from auditor.evidence.stores_places import (
    CACHE_FILE,
    document_places,
    is_base_sql,
    migrated_at_start,
    pushes,
    relational_places,
    supabase_tables,
    tables_made_at_start,
)
from auditor.evidence.table_sources import table_sources
from auditor.evidence.tables_prisma import provider, relation_mode
from auditor.languages import operations as ops
from auditor.languages.database_kind import database_of
from auditor.languages.migration_assessment import assess
from auditor.languages.migration_risks import shown, target_of
from auditor.languages.migration_set import MigrationSet, read_migrations
from auditor.languages.migrations import Migration
from auditor.languages.migrations_sql import is_undo
from auditor.languages.risk_context import Risk
from auditor.model.artifacts import Manifests
from auditor.model.evidence import MigrationRisk, MigrationStep, Stores
from auditor.model.need import Known, Unavailable
from auditor.model.needs import MANIFESTS, SNAPSHOT, STORES, SYNTAX, TEXTS
from auditor.model.snapshot import NOT_OURS, Language, Role, Snapshot, SourceFile
from auditor.model.syntax import Syntax
from auditor.model.tables import Table
from auditor.model.verdict import Place

_TOOL_PACKAGES = {
    "alembic": "alembic", "flask-migrate": "alembic", "yoyo-migrations": "yoyo", "aerich": "aerich", "knex": "knex", "typeorm": "typeorm",
    "sequelize-cli": "sequelize", "umzug": "umzug", "drizzle-kit": "drizzle", "node-pg-migrate": "node-pg-migrate", "db-migrate": "db-migrate", "dbmate": "dbmate",
}  # fmt: skip
_TOOL_FILES = (
    (re.compile(r"(?:^|/)alembic\.ini$"), "alembic"),
    (re.compile(r"(?:^|/)knexfile\.[cm]?[jt]s$"), "knex"),
    (re.compile(r"(?:^|/)\.sequelizerc$"), "sequelize"),
    (re.compile(r"(?:^|/)drizzle\.config\.[cm]?[jt]s$"), "drizzle"),
    (re.compile(r"(?:^|/)supabase/config\.toml$"), "supabase"),
    (re.compile(r"(?:^|/)(?:flyway\.(?:conf|toml))$"), "flyway"),
)
_IGNORED = re.compile(r"^/?(?:\*\*/)?(?:[\w.-]+/){0,3}(?:migrations|alembic/versions|versions|drizzle)/?(?:\*\*?(?:\.(?:py|sql|ts|js))?)?$")
_SIGNS = re.compile(
    r"create_all|CREATE\s+TABLE|synchronize|supabase|sequelize|[Pp]risma|typeorm|drizzle|knex|models\.Model|\bColumn\(|SQLModel|create_engine|down_revision|sqlite|\.sync\(",
    re.IGNORECASE,
)
"""Words without which a file can hold nothing this evidence is about, whether it parses or not."""
_COMMENTS = re.compile(r"--[^\n]*|/\*[^*]{0,5000}(?:\*(?!/)[^*]{0,5000}){0,200}\*/")
"""A file of comments is no step of anything."""
_CHANGES_TABLES = re.compile(r"\b(?:CREATE|ALTER)\s+(?:\w+\s+)?(?:TABLE|VIEW)\b", re.IGNORECASE)
_RELATIONAL_PROVIDERS = frozenset({"postgresql", "postgres", "mysql", "sqlite", "sqlserver", "cockroachdb"})


@provides(STORES, needs=(SNAPSHOT, TEXTS, SYNTAX, MANIFESTS))
def stores(
    _context: Context, snapshot: Snapshot, texts: dict[str, str], syntax: Syntax, manifests: Manifests
) -> Known[Stores] | Unavailable:
    """Read stores, models and migrations; files that do not parse are unexamined."""
    files = [file for file in snapshot.files if file.role not in NOT_OURS and file.path in texts]
    production = [syntax.files[file.path] for file in files if file.role is Role.FIRST_PARTY and file.path in syntax.files]
    keeping = [facts for facts in production if not CACHE_FILE.search(facts.path)]
    scripts = [syntax.files[file.path] for file in files if file.role is Role.SCRIPT and file.path in syntax.files]
    changes = _migrations(files, texts)
    assessment = assess(changes)
    found = changes.migrations
    known = {migration.path for migration in found}
    schemas = [(file.path, texts[file.path]) for file in files if file.language is Language.PRISMA]
    models = tuple(declared(production, schemas, texts))
    hosted = tuple(supabase_tables(production))
    base = tuple(_base_sql(files, texts, found))
    by_hand = [(path, texts[path]) for path in base]
    value = Stores(
        relational=_places(
            (*relational_places(keeping), *_prisma_places(files, texts), *_django_places(models), *(p for _, p in hosted[:1]))
        ),
        document=_places(document_places(production)),
        tools=_tools(files, manifests, found),
        migrations=tuple(_step(migration, assessment.risks.get(migration.path, ())) for migration in found),
        created_at_start=_places((*tables_made_at_start(facts for facts in keeping if facts.path not in known), *pushes(manifests, texts))),
        base_sql=_places((*(Place(path, 1, 1) for path in base), *tables_made_at_start(scripts))),
        migrated_at_start=_places(migrated_at_start(keeping)),
        models=tuple((model.name, model.place) for model in models),
        problems=(
            *((kind, Place(path, 1, 1), message) for kind, path, message in changes.problems),
            *drift(models, changes, texts, keyless=any(relation_mode(path, text) is not None for path, text in schemas)),
            *_missing_hosted(hosted, found, texts, files),
            *_ignored(texts),
        ),
        data=data_model(models, changes, production, Scripts(schemas, by_hand), manifests),
        table_sources=table_sources(changes, list(_scripts(files, texts, found)), tuple(production), texts),
    )
    read = [*production, *(syntax.files[file.path] for file in files if file.role is Role.MIGRATION and file.path in syntax.files)]
    unread = [facts for facts in read if facts.error_line and _SIGNS.search(texts[facts.path])]
    broken = tuple((facts.path, f"does not parse (line {facts.error_line})") for facts in unread)
    examined = frozenset(facts.path for facts in read) - {path for path, _ in broken}
    return Known(value, own_stamp(), examined, broken)


def _places(places: Iterable[Place]) -> tuple[Place, ...]:
    return tuple(sorted(set(places), key=lambda place: (place.path, place.line)))


_CHANGES = (".py", ".sql", ".js", ".ts", ".cjs", ".mjs", ".cts", ".mts", "meta/_journal.json", "migration_lock.toml", ".sql.conf")
"""Endings of migrations and of what their tools write down beside them."""


def _migrations(files: list[SourceFile], texts: dict[str, str]) -> MigrationSet:
    """The migrations of the tree, files of comments alone left out."""
    kept = {f.path: texts[f.path] for f in files if f.path.endswith(_CHANGES)}
    real = {path: text for path, text in kept.items() if not path.endswith(".sql") or _COMMENTS.sub("", text).strip()}
    return read_migrations(real, dialect=database_of(texts))


def _step(migration: Migration, risks: tuple[Risk, ...]) -> MigrationStep:
    back = migration.back
    return MigrationStep(
        path=migration.path,
        framework=migration.framework,
        order=migration.order,
        reversible=back.reversible,
        destructive=back.destructive,
        line=back.line or migration.line,
        reason=back.reason,
        series=migration.series,
        risks=tuple(
            MigrationRisk(r.kind, r.operation.line, shown(r.operation.table), shown(target_of(r.operation)), r.why)
            for r in risks
            if r.unsafe
        ),
        unread=tuple(_unread(migration)),
    )


def _unread(migration: Migration) -> Iterator[tuple[int, str]]:
    """What of the way up nobody understood: lines and words."""
    if migration.broken:
        yield migration.broken, "the file does not parse"
    for operation in migration.up.operations:
        if operation.kind == ops.UNREAD or (operation.kind == ops.CODE and operation.name):
            yield operation.line, operation.name or "a statement no grammar here reads"


def _prisma_places(files: list[SourceFile], texts: dict[str, str]) -> Iterator[Place]:
    for file in files:
        if file.language is Language.PRISMA and provider(texts[file.path]) in _RELATIONAL_PROVIDERS:
            line = texts[file.path].count("\n", 0, max(0, texts[file.path].find("datasource"))) + 1
            yield Place(file.path, line, line)


def _django_places(models: tuple[Table, ...]) -> Iterator[Place]:
    return (model.place for model in models if model.mapper == "django")


def _tools(files: list[SourceFile], manifests: Manifests, migrations: tuple[Migration, ...]) -> tuple[tuple[str, Place], ...]:
    """Migration tools by what they left in the tree: migrations, their configuration, their package."""
    tools: dict[str, Place] = {}
    for migration in migrations:
        if migration.framework not in {"sql", "script"}:
            tools.setdefault(migration.framework, Place(migration.path, migration.line, migration.line))
    for file in files:
        for pattern, tool in _TOOL_FILES:
            if pattern.search(file.path):
                tools.setdefault(tool, Place(file.path, 1, 1))
    for manifest in manifests.manifests:
        for requirement in manifest.requirements:
            if requirement.name in _TOOL_PACKAGES and requirement.name not in {"knex", "typeorm"}:
                tools.setdefault(_TOOL_PACKAGES[requirement.name], requirement.place)
    return tuple(sorted(tools.items()))


def _base_sql(files: list[SourceFile], texts: dict[str, str], migrations: tuple[Migration, ...]) -> Iterator[str]:
    """SQL files outside of any series that make tables."""
    known = {migration.path for migration in migrations}
    series = {migration.series for migration in migrations}
    for file in files:
        inside = str(PurePosixPath(file.path).parent) in series
        if (
            file.language is Language.SQL
            and file.path not in known
            and not inside
            and not is_undo(file.path)
            and is_base_sql(file.path, texts[file.path])
        ):
            yield file.path


def _scripts(files: list[SourceFile], texts: dict[str, str], migrations: tuple[Migration, ...]) -> Iterator[tuple[str, str]]:
    """SQL files that make or change tables and are no migrations, as (path, text)."""
    known = {migration.path for migration in migrations}
    for file in files:
        if file.language is Language.SQL and file.path not in known and _CHANGES_TABLES.search(texts[file.path][:400_000]):
            yield file.path, texts[file.path]


def _missing_hosted(
    hosted: tuple[tuple[str, Place], ...], migrations: tuple[Migration, ...], texts: dict[str, str], files: list[SourceFile]
) -> Iterator[tuple[str, Place, str]]:
    """Tables that code queries at a hosted database and that no script of the repository makes, where it keeps scripts at all."""
    scripts = [file.path for file in files if file.language is Language.SQL]
    if not migrations and not scripts:
        for table, place in hosted[:1]:
            names = sorted({name for name, _ in hosted})
            shown = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
            yield (
                "structure_elsewhere",
                place,
                f"the tables {shown} exist only in the hosted database"
                if len(names) > 1
                else f"the table {table} exists only in the hosted database",
            )
        return
    if not scripts:
        return
    made = {name.rsplit(".", 1)[-1] for migration in migrations for name in migration.created}
    words = frozenset(word for path in scripts for word in re.findall(r"\w+", texts[path][:1_000_000]))
    seen = set(made) | words
    for table, place in hosted:
        if table not in seen:
            seen.add(table)
            yield "model_without_migration", place, f"the table {table} is used here and made by no script of the repository"


def _ignored(texts: dict[str, str]) -> Iterator[tuple[str, Place, str]]:
    """Ignore rules that keep migrations out of the repository."""
    for path in sorted(texts):
        if PurePosixPath(path).name != ".gitignore":
            continue
        for number, line in enumerate(texts[path].split("\n")[:5_000], start=1):
            if len(line) < 200 and _IGNORED.match(line.strip()):
                yield "migrations_ignored", Place(path, number, number), f"git ignores {line.strip()}, so migrations stay on one machine"
