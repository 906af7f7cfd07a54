"""Data models declared in code and schema files, and whether migrations know their tables and columns. Part of the evidence STORES."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from auditor.languages.migrations import Migration, last
from auditor.model.syntax import Assignment, DefinitionKind, FileFacts, Value, ValueKind
from auditor.model.verdict import Place


@dataclass(frozen=True, slots=True)
class Model:
    """A table as the code declares it: `columns` are (column, line) the database should have; `mapper` is "sqlalchemy", "django", "prisma", "drizzle", "typeorm" or "sequelize"."""

    name: str
    table: str
    place: Place
    mapper: str
    columns: tuple[tuple[str, int], ...] = ()


_COLUMN_CALLS = frozenset({"Column", "mapped_column"})
_FIELD_CALL = re.compile(r"(?:Field|ForeignKey)$")
_SNAKE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def snake(name: str) -> str:
    """CamelCase as snake_case, the way mappers name tables."""
    return _SNAKE.sub("_", name).lower()


def python_models(facts: FileFacts, text: str) -> Iterator[Model]:
    """SQLAlchemy, SQLModel and Django models of a file."""
    modules = {statement.module.split(".", maxsplit=1)[0] for statement in facts.imports}
    inside = defaultdict(list)
    for assignment in facts.assignments:
        inside[assignment.scope].append(assignment)
    lines = text.split("\n") if modules else []
    for index, definition in enumerate(facts.definitions):
        if definition.kind is not DefinitionKind.CLASS:
            continue
        place = Place(facts.path, definition.line, definition.line)
        own = inside[index]
        if any(base in {"models.Model", "AbstractUser", "AbstractBaseUser"} or base.endswith(".models.Model") for base in definition.bases):
            if "django" in modules and not _unmanaged(facts, index, inside):
                yield Model(definition.name, snake(definition.name), place, "django", tuple(_django_columns(own)))
            continue
        header = " ".join(lines[definition.line - 1 : definition.line + 3])[:400]
        table = _table_name(definition.name, definition.bases, own, header)
        if table:
            yield Model(definition.name, table, place, "sqlalchemy", tuple(_alchemy_columns(own, sqlmodel="SQLModel" in header)))


def _table_name(name: str, bases: tuple[str, ...], own: list[Assignment], header: str) -> str:
    values = {assignment.target: assignment.value for assignment in own}
    if "__abstract__" in values:
        return ""
    declared = values.get("__tablename__")
    if declared is not None:
        return declared.literal if declared.kind is ValueKind.STRING else ""
    if any(base in {"db.Model", "database.Model"} for base in bases):
        return snake(name)
    return name.lower() if re.search(r"\btable\s*=\s*True\b", header.split("):", maxsplit=1)[0]) else ""


def _alchemy_columns(own: list[Assignment], *, sqlmodel: bool) -> Iterator[tuple[str, int]]:
    for assignment in own:
        value = assignment.value
        if assignment.target.startswith("_") or "." in assignment.target:
            continue
        if value is not None and value.kind is ValueKind.CALL and last(value.literal) in _COLUMN_CALLS:
            first = value.items[0][1] if value.items and value.items[0][0] in {"", "name"} else None
            yield (first.literal if first is not None and first.kind is ValueKind.STRING else assignment.target), assignment.line
        elif sqlmodel and _is_field(assignment):
            yield assignment.target, assignment.line


def _is_field(assignment: Assignment) -> bool:
    """Whether an annotated attribute of an SQLModel table is a column."""
    if not assignment.annotation or re.search(r"\b(?:ClassVar|list|List|Relationship)\b", assignment.annotation):
        return False
    value = assignment.value
    return value is None or (value.kind is ValueKind.CALL and last(value.literal) == "Field")


def _django_columns(own: list[Assignment]) -> Iterator[tuple[str, int]]:
    for assignment in own:
        value = assignment.value
        if (
            value is not None
            and value.kind is ValueKind.CALL
            and _FIELD_CALL.search(last(value.literal))
            and "Generic" not in value.literal
        ):
            yield assignment.target, assignment.line


def _unmanaged(facts: FileFacts, index: int, inside: dict[int, list[Assignment]]) -> bool:
    """Whether a Django model is abstract, a proxy or unmanaged, so that no migration makes it."""
    for number, definition in enumerate(facts.definitions):
        if definition.parent == index and definition.name == "Meta":
            values = {a.target: a.value.text for a in inside[number] if a.value is not None}
            return values.get("abstract") == "True" or values.get("proxy") == "True" or values.get("managed") == "False"
    return False


_PRISMA_BLOCK = re.compile(r"^[ \t]*model[ \t]+(\w+)[ \t]*\{([^}]{0,60000})\}", re.MULTILINE)
_PRISMA_FIELD = re.compile(r"^[ \t]*(\w+)[ \t]+(\w+)(\[\])?(\?)?([^\n]*)$", re.MULTILINE)
_PRISMA_MAP = re.compile(r"@map\(\s*(?:name:\s*)?\"([^\"]+)\"")
_PRISMA_PROVIDER = re.compile(r"datasource\s+\w+\s*\{[^}]{0,2000}?provider\s*=\s*(?:\[\s*)?\"(\w+)\"")


def prisma_provider(text: str) -> str:
    """The database a Prisma schema is for, "" when it names none."""
    found = _PRISMA_PROVIDER.search(text[:200_000])
    return found[1] if found else ""


def prisma_models(path: str, text: str, known: frozenset[str]) -> Iterator[Model]:
    """Models of a Prisma schema file; `known` are the models of all schema files, whose fields are relations and no columns."""
    for block in _PRISMA_BLOCK.finditer(text[:2_000_000]):
        first = text.count("\n", 0, block.start(1)) + 1
        body = re.sub(r"//[^\n]*", "", block[2])
        mapped = re.search(r"@@map\(\s*(?:name:\s*)?\"([^\"]+)\"", body)
        columns = []
        for field in _PRISMA_FIELD.finditer(body):
            if field[2] in known or "@relation" in field[5] or "@ignore" in field[5]:
                continue
            renamed = _PRISMA_MAP.search(field[5])
            columns.append((renamed[1] if renamed else field[1], first + body.count("\n", 0, field.start(1))))
        yield Model(block[1], mapped[1] if mapped else block[1], Place(path, first, first), "prisma", tuple(columns))


def prisma_names(text: str) -> Iterator[str]:
    """The names of the models of a schema file."""
    return (found[1] for found in _PRISMA_BLOCK.finditer(text[:2_000_000]))


_DRIZZLE_TABLE = re.compile(r"^(?:pg|mysql|sqlite)Table$")


def script_models(facts: FileFacts) -> Iterator[Model]:
    """Tables declared for Drizzle, TypeORM and Sequelize."""
    for call in facts.calls:
        first = call.argument("", 0)
        if _DRIZZLE_TABLE.match(call.callee) and first is not None and first.kind is ValueKind.STRING:
            yield Model(call.target or first.literal, first.literal, Place(facts.path, call.line, call.line), "drizzle")
        elif re.search(r"sequelize\.define$", call.callee, re.IGNORECASE) and first is not None and first.kind is ValueKind.STRING:
            yield Model(first.literal, first.literal, Place(facts.path, call.line, call.line), "sequelize")
    for definition in facts.definitions:
        for decorator in definition.decorators:
            if decorator.callee == "Entity" and definition.kind is DefinitionKind.CLASS and _imports(facts, "typeorm"):
                yield Model(
                    definition.name,
                    _entity_table(decorator.argument("", 0)),
                    Place(facts.path, definition.line, definition.line),
                    "typeorm",
                )


def _imports(facts: FileFacts, package: str) -> bool:
    return any(statement.module == package for statement in facts.imports)


def _entity_table(value: Value | None) -> str:
    if value is None:
        return ""
    if value.kind is ValueKind.STRING:
        return value.literal
    name = value.item("name")
    return name.literal if name is not None and name.kind is ValueKind.STRING else ""


# -- models against migrations -----------------------------------------------------------------------------------------------------

_WORD = re.compile(r"\w+")
_MAPPER_TOOLS = {
    "sqlalchemy": frozenset({"alembic", "sql", "flyway", "dbmate", "golang-migrate", "goose", "supabase"}),
    "django": frozenset({"django"}),
    "prisma": frozenset({"prisma"}),
    "drizzle": frozenset({"drizzle"}),
    "typeorm": frozenset({"typeorm", "script"}),
    "sequelize": frozenset({"sequelize", "script"}),
}


def lag(models: Iterable[Model], migrations: tuple[Migration, ...], texts: dict[str, str]) -> Iterator[tuple[str, Place, str]]:
    """Models and columns that no migration makes, as problems; nothing is said where migrations compute their names."""
    for mapper, declared in sorted(_by_mapper(models).items()):
        relevant = [migration for migration in migrations if migration.framework in _MAPPER_TOOLS[mapper]]
        if not relevant:
            continue
        if mapper == "django":
            yield from _django_lag(declared, relevant, texts)
        elif not any(migration.opaque for migration in relevant):
            yield from _table_lag(declared, relevant, texts)


def _by_mapper(models: Iterable[Model]) -> dict[str, list[Model]]:
    grouped: defaultdict[str, list[Model]] = defaultdict(list)
    for model in models:
        grouped[model.mapper].append(model)
    return grouped


def _words(migrations: Iterable[Migration], texts: dict[str, str]) -> frozenset[str]:
    return frozenset(word for migration in migrations for word in _WORD.findall(texts.get(migration.path, "")))


def _table_lag(models: list[Model], migrations: list[Migration], texts: dict[str, str]) -> Iterator[tuple[str, Place, str]]:
    words = _words(migrations, texts)
    lower = {word.lower() for word in words}
    made = {name for migration in migrations for name in migration.created}
    columns = {pair for migration in migrations for pair in migration.columns}
    anywhere = {column for table, column in columns if not table}
    for model in models:
        if not model.table:
            if not lower & {model.name.lower(), snake(model.name), f"{snake(model.name)}s"}:
                yield "model_without_migration", model.place, f"the table of {model.name} is made by no migration"
            continue
        if model.mapper == "sqlalchemy" and not model.columns:
            continue  # lives in the table of its parent class
        if model.table not in words:
            yield "model_without_migration", model.place, f"the table {model.table} of {model.name} is made by no migration"
            continue
        if model.table not in made:
            continue  # renamed or made by a helper: columns cannot be compared
        for column, line in model.columns:
            known = (model.table, column) in columns or column in anywhere
            if not known and _compared(model.table, columns):
                place = Place(model.place.path, line, line)
                yield "column_without_migration", place, f"the column {column} of {model.table} is made by no migration"


def _compared(table: str, columns: set[tuple[str, str]]) -> bool:
    """Whether the columns of a table show in the migration that makes it."""
    return any(name == table for name, _ in columns)


def _django_lag(models: list[Model], migrations: list[Migration], texts: dict[str, str]) -> Iterator[tuple[str, Place, str]]:
    """Per app: models and fields whose name occurs in none of the app's migrations."""
    apps: defaultdict[str, list[Migration]] = defaultdict(list)
    for migration in migrations:
        apps[str(PurePosixPath(migration.series).parent)].append(migration)
    words = {app: _words(entries, texts) for app, entries in apps.items()}
    for model in models:
        app = _app_of(model.place.path, frozenset(apps))
        if app is None:
            if _is_model_file(model.place.path):
                yield "model_without_migration", model.place, f"the model {model.name} stands in an app without migrations"
            continue
        if model.name not in words[app] and model.name.lower() not in words[app]:
            yield "model_without_migration", model.place, f"the model {model.name} is made by no migration of its app"
            continue
        for field, line in model.columns:
            if field not in words[app]:
                place = Place(model.place.path, line, line)
                yield "column_without_migration", place, f"the field {field} of {model.name} is made by no migration"


def _app_of(path: str, apps: frozenset[str]) -> str | None:
    """The nearest folder above a file that has migrations."""
    for folder in PurePosixPath(path).parents:
        name = str(folder)
        if name in apps and name != ".":
            return name
    return "." if "." in apps else None


def _is_model_file(path: str) -> bool:
    place = PurePosixPath(path)
    return place.name == "models.py" or place.parent.name == "models"
