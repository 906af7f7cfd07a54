"""Which database a project runs on, where that is known to be another than PostgreSQL."""

from __future__ import annotations

import pytest

from auditor.languages.database_kind import database_of


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        ({}, ""),
        ({"alembic.ini": "sqlalchemy.url = sqlite:///app.db"}, "sqlite"),
        ({"alembic.ini": "sqlalchemy.url = sqlite:///app.db", "requirements.txt": "psycopg2-binary==2.9\n"}, ""),
        ({"app/settings.py": 'ENGINE = "django.db.backends.mysql"'}, "mysql"),
        ({"app/settings.py": 'ENGINE = "django.db.backends.postgresql"\nOTHER = "django.db.backends.sqlite3"'}, ""),
        ({"server/database.js": "config = { client: 'mysql2' }", "package.json": '{"dependencies": {"pg": "8"}}'}, "mysql"),
        ({"knexfile.js": "client: 'better-sqlite3'"}, "sqlite"),
        ({"README.md": "mysql://"}, ""),
        ({"docker-compose.yml": "url: mysql://a", "config.json": '{"dialect": "mssql"}'}, ""),
    ],
)
def test_only_a_database_that_is_named_alone_is_known(texts: dict[str, str], found: str) -> None:
    assert database_of(texts) == found
