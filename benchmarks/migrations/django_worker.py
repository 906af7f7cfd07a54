"""One Django process for one step of one migration, since Django's settings are global: started by `runners` and `others`, prints one line of JSON."""

from __future__ import annotations

import contextlib
import io
import json
import re
import sys
from pathlib import Path


def main(folder: str, dsn: str, app: str, name: str, action: str) -> None:
    """Bring the database to before the migration, apply it, take it back, or lint it."""
    sys.path.insert(0, folder)
    sys.dont_write_bytecode = True
    _configure(folder, dsn)
    with contextlib.redirect_stdout(io.StringIO()):
        told = _lint(folder, app, name) if action == "lint" else _step(dsn, app, name, action)
    print(json.dumps(told))


def _configure(folder: str, dsn: str) -> None:
    import django
    from django.conf import settings

    parts = dict(re.findall(r"(\w+)=(\S+)", dsn))
    database = {"ENGINE": "django.db.backends.postgresql", "NAME": parts["dbname"], "HOST": parts["host"], "USER": parts["user"]}
    settings.configure(
        INSTALLED_APPS=sorted(place.parent.name for place in Path(folder).glob("*/migrations")),
        DATABASES={"default": database},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=True,
    )
    django.setup()


def _step(dsn: str, app: str, name: str, action: str) -> dict:
    import psycopg
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    from benchmarks.migrations.observe import locks_of

    executor = MigrationExecutor(connection)
    parents = [node.key for node in executor.loader.graph.node_map[app, name].parents] or [(app, None)]
    told: dict = {"error": "", "state": "", "statements": [], "locks": []}
    with psycopg.connect(dsn, autocommit=True) as watch:
        original = connection._commit  # noqa: SLF001 - the last moment at which the locks are held

        def commit() -> None:
            told["locks"] += locks_of(watch, connection.connection.info.backend_pid)
            original()

        connection._commit = commit  # noqa: SLF001 - as above

        def note(execute, sql, params, many, context):
            told["statements"].append(str(sql))
            return execute(sql, params, many, context)

        try:
            with connection.execute_wrapper(note):
                executor.migrate([(app, name)] if action == "up" else parents)
        except Exception as error:  # noqa: BLE001 - a migration may raise anything
            cause = error.__cause__ or error
            told["error"] = f"{type(error).__name__}: {error}".split("\n")[0]
            told["state"] = getattr(cause, "sqlstate", None) or ("25001" if "atomic" in str(error).lower() else "?")
    return told


def _lint(folder: str, app: str, name: str) -> dict:
    from django.db import connection
    from django.db.migrations.loader import MigrationLoader
    from django_migration_linter import MigrationLinter

    linter = MigrationLinter(path=folder, no_cache=True, warnings_as_errors_tests=[])
    linter.lint_migration(MigrationLoader(connection).get_migration(app, name))
    return {"erroneous": linter.nb_erroneous, "warnings": linter.nb_warnings}


if __name__ == "__main__":
    main(*sys.argv[1:])
