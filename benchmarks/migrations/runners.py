"""Applies the migrations of one case the way their own runner does: which files, in which order, in which transaction."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg
import sqlalchemy
import sqlparse
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from benchmarks.migrations.cases import Case
from benchmarks.migrations.observe import Outcome, locks_of

SQL = {"sql", "supabase", "flyway", "dbmate", "golang-migrate", "prisma", "drizzle"}
RUNNABLE = SQL | {"alembic", "django"}
Run = Callable[[str], Outcome]
"""Does one thing to the database that a connection string names."""


@dataclass(frozen=True, slots=True)
class Steps:
    """How to bring a database to where one file is applied, how to apply it, to take it back (None when it cannot be), and to apply all later ones."""

    before: Run
    up: Run
    down: Run | None
    rest: Run | None = None


def steps(case: Case, path: str, folder: Path) -> Steps:
    """The steps for one judged file; `folder` is a private copy of the case."""
    framework = next(expected.framework for expected in case.files if expected.path == path)
    if framework == "alembic":
        return _alembic(path, folder)
    if framework == "django":
        return _django(path, folder)
    return _sql(framework, path, folder)


def copy_of(case: Case) -> tempfile.TemporaryDirectory[str]:
    """A copy that may be written to: Python leaves compiled files behind."""
    folder = tempfile.TemporaryDirectory(prefix="case-")
    shutil.copytree(case.root, folder.name, dirs_exist_ok=True)
    return folder


# SQL files


def _sql(framework: str, path: str, folder: Path) -> Steps:
    files = _ordered(framework, path, folder)
    position = files.index(path)

    def several(names: list[str]) -> Run:
        def run(dsn: str) -> Outcome:
            outcome = Outcome()
            for name in names:
                outcome = _apply(dsn, *way_up(framework, folder / name))
                if outcome.error:
                    break
            return outcome

        return run

    down = _way_down(framework, folder / path)
    return Steps(several(files[:position]), several([path]), down and (lambda dsn: _apply(dsn, *down)), several(files[position + 1 :]))


def _ordered(framework: str, path: str, folder: Path) -> list[str]:
    """The ways up, in the order in which they are applied."""
    place = (folder / path).parent
    if framework == "prisma":
        return [found.relative_to(folder).as_posix() for found in sorted(place.parent.glob("*/migration.sql"))]
    found = [file for file in place.glob("*.sql") if not re.search(r"\.down\.sql$|^U\d", file.name)]
    return [file.relative_to(folder).as_posix() for file in sorted(found, key=_version)]


def _version(file: Path) -> tuple[object, ...]:
    """Numbers as numbers; what can be repeated comes last."""
    number = re.match(r"V?(\d+(?:[._]\d+)*)", file.name)
    return (0, [int(part) for part in re.split(r"[._]", number[1])], file.name) if number else (1, [], file.name)


def way_up(framework: str, file: Path) -> tuple[list[str], bool]:
    """Statements, and whether they run in one transaction."""
    text = file.read_text()
    if framework == "dbmate":
        return _section(text, "up")
    if framework == "flyway":
        text = text.replace("${schema}", "public").replace("${defaultLocale}", "en")
        conf = file.with_name(file.name + ".conf")
        return _statements(text), not (conf.exists() and "executeInTransaction=false" in conf.read_text())
    statements = _statements(text)
    if framework in {"golang-migrate", "prisma"}:  # the whole file in one message: several statements make an implicit transaction
        return statements, len(statements) > 1
    return statements, framework != "sql"


def _way_down(framework: str, file: Path) -> tuple[list[str], bool] | None:
    text = file.read_text()
    if framework == "dbmate":
        return _section(text, "down") if "-- migrate:down" in text else None
    other = {
        "flyway": file.with_name("U" + file.name[1:]),
        "prisma": file.with_name("down.sql"),
        "golang-migrate": file.with_name(file.name.replace(".up.sql", ".down.sql")),
    }.get(framework, file.with_name(file.stem + ".down.sql"))
    if not other.exists() or other == file:
        return None
    statements = _statements(other.read_text())
    return statements, framework == "flyway" or len(statements) > 1


def _section(text: str, name: str) -> tuple[list[str], bool]:
    """One section of a dbmate file."""
    parts = re.split(r"^-- migrate:(up|down)(.*)$", text, flags=re.MULTILINE)
    options, body = next((parts[i + 1], parts[i + 2]) for i in range(1, len(parts), 3) if parts[i] == name)
    return _statements(body), "transaction:false" not in options


def _statements(text: str) -> list[str]:
    text = re.sub(r"^\\.*$", "", text, flags=re.MULTILINE)  # psql's own commands
    pieces = [piece for piece in sqlparse.split(text) if sqlparse.format(piece, strip_comments=True).strip(" \n;")]
    return [re.sub(r"^\s*(?:--[^\n]*\n\s*)+", "", piece) for piece in pieces]


def _apply(dsn: str, statements: list[str], together: bool) -> Outcome:
    outcome = Outcome()
    with psycopg.connect(dsn, autocommit=True) as connection, psycopg.connect(dsn, autocommit=True) as watch:
        pid = connection.info.backend_pid
        ask = connection.execute
        try:
            if together:
                ask("BEGIN")
            explicit = together
            for statement in statements:
                outcome.statements.append(statement)
                word = statement.strip(" \n;").upper()
                if word in {"BEGIN", "COMMIT"}:
                    if not together:
                        outcome.locks |= locks_of(watch, pid)
                        ask(word)
                        explicit = word == "BEGIN"
                elif explicit:
                    ask(statement)
                else:
                    _alone(connection, watch, statement, outcome)
            outcome.locks |= locks_of(watch, pid)
            if together:
                ask("COMMIT")
        except psycopg.Error as error:
            outcome.error, outcome.state = str(error).split("\n")[0], error.sqlstate or "?"
    return outcome


def _alone(connection: psycopg.Connection, watch: psycopg.Connection, statement: str, outcome: Outcome) -> None:
    """In a transaction of its own, so that its locks can be seen; without one where the statement refuses."""
    connection.execute("BEGIN")
    try:
        connection.execute(statement)
    except psycopg.errors.ActiveSqlTransaction:
        connection.execute("ROLLBACK")
        connection.execute(statement)
        return
    outcome.locks |= locks_of(watch, connection.info.backend_pid)
    connection.execute("COMMIT")


# Alembic

_ENVIRONMENT = """
from alembic import context

context.configure(connection=context.config.attributes["connection"], transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
"""


def _alembic(path: str, folder: Path) -> Steps:
    scripts = folder / "runner"
    scripts.mkdir(exist_ok=True)
    (scripts / "env.py").write_text(_ENVIRONMENT)
    config = Config()
    config.set_main_option("script_location", str(scripts))
    config.set_main_option("version_locations", str((folder / path).parent))
    config.set_main_option("path_separator", "os")
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # two files with one revision id are only warned of
        directory = ScriptDirectory.from_config(config)
        revision = next(script for script in directory.walk_revisions("base", "heads") if Path(script.path).name == Path(path).name)
    parents = revision.down_revision
    several = isinstance(parents, tuple)
    target = parents if parents and not several else "base"

    def before(dsn: str) -> Outcome:
        outcome = Outcome()
        for parent in parents if several else [parents]:
            outcome = _migrate(config, dsn, lambda parent=parent: command.upgrade(config, parent)) if parent else outcome
        return outcome

    return Steps(
        before,
        lambda dsn: _migrate(config, dsn, lambda: command.upgrade(config, revision.revision)),
        None if several else lambda dsn: _migrate(config, dsn, lambda: command.downgrade(config, target)),
    )


def _migrate(config: Config, dsn: str, action: Callable[[], None]) -> Outcome:
    outcome = Outcome()
    engine = sqlalchemy.create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(dsn), poolclass=sqlalchemy.pool.NullPool)
    with psycopg.connect(dsn, autocommit=True) as watch, engine.connect() as connection:

        @sqlalchemy.event.listens_for(engine, "commit")
        def _commit(current: sqlalchemy.Connection) -> None:
            outcome.locks |= locks_of(watch, current.connection.dbapi_connection.info.backend_pid)

        @sqlalchemy.event.listens_for(engine, "before_cursor_execute")
        def _sent(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
            outcome.statements.append(statement)

        config.attributes["connection"] = connection
        try:
            action()
        except Exception as error:  # noqa: BLE001 - a migration may raise anything
            cause = getattr(error, "orig", error)
            outcome.error, outcome.state = f"{type(error).__name__}: {cause}".split("\n")[0], getattr(cause, "sqlstate", None) or "?"
    engine.dispose()
    return outcome


# Django


def _django(path: str, folder: Path) -> Steps:
    app, name = Path(path).parents[1].name, Path(path).stem
    for place in folder.glob("*/migrations"):
        (place / "__init__.py").touch()
        (place.parent / "__init__.py").touch()

    def run(action: str) -> Run:
        return lambda dsn: Outcome(**_worker(folder, dsn, app, name, action))

    return Steps(run("before"), run("up"), run("down"))


def _worker(folder: Path, dsn: str, app: str, name: str, action: str) -> dict:
    command_line = [sys.executable, "-W", "ignore", "-m", "benchmarks.migrations.django_worker", str(folder), dsn, app, name, action]
    done = subprocess.run(command_line, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.strip().split("\n")[-1])
    told = json.loads(done.stdout.splitlines()[-1])
    told["locks"] = {(relation, mode) for relation, mode in told["locks"]}
    return told
