"""A private PostgreSQL in a temporary folder: started as a user that is not root, reached through a socket, gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

PLACES = ("/usr/lib/postgresql", "/usr/local/pgsql")
SETTINGS = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "autovacuum=off", "listen_addresses=", "max_connections=40")
STAND_IN = """
CREATE SCHEMA auth;
CREATE TABLE auth.users (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), email text);
CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE AS $$ SELECT nullif(current_setting('request.sub', true), '')::uuid $$;
CREATE FUNCTION auth.role() RETURNS text LANGUAGE sql STABLE AS $$ SELECT current_setting('request.role', true) $$;
CREATE SCHEMA storage;
CREATE TABLE storage.buckets (id text PRIMARY KEY, name text, public boolean);
CREATE TABLE storage.objects (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), bucket_id text, name text);
CREATE FUNCTION storage.foldername(name text) RETURNS text[] LANGUAGE sql IMMUTABLE AS $$ SELECT string_to_array(name, '/') $$;
"""
"""What a Supabase project brings along, as far as migrations speak of it."""
ROLES = "CREATE ROLE anon; CREATE ROLE authenticated; CREATE ROLE service_role BYPASSRLS;"


class Cluster:
    """A running server; hands out fresh databases."""

    def __init__(self, socket: Path) -> None:
        self.socket = socket
        self.count = 0

    def dsn(self, database: str) -> str:
        """How to reach one of its databases."""
        return f"host={self.socket} dbname={database} user=postgres"

    def fresh(self, *, supabase: bool) -> str:
        """A new empty database, by name."""
        self.count += 1
        name = f"case{self.count}"
        with psycopg.connect(self.dsn("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        if supabase:
            with psycopg.connect(self.dsn(name), autocommit=True) as connection:
                connection.execute(STAND_IN)
        return name

    def drop(self, name: str) -> None:
        """Remove a database and whoever is still in it."""
        with psycopg.connect(self.dsn("postgres"), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@contextmanager
def running() -> Iterator[Cluster]:
    """Start a cluster, and stop and remove it in the end."""
    folder = Path(tempfile.mkdtemp(prefix="migrations-"))
    try:
        user = _give_to_somebody(folder)
        data = folder / "data"
        _run(user, _program("initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C")
        options = " ".join([f"-k {folder}", *(f"-c {setting}" for setting in SETTINGS)])
        _run(user, _program("pg_ctl"), "-D", str(data), "-l", str(folder / "log"), "-o", options, "-w", "start")
        try:
            cluster = Cluster(folder)
            with psycopg.connect(cluster.dsn("postgres"), autocommit=True) as connection:
                connection.execute(ROLES)
            yield cluster
        finally:
            _run(user, _program("pg_ctl"), "-D", str(data), "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _program(name: str) -> str:
    """Debian keeps the server's programs outside of the path, one folder per version."""
    found = sorted(path for place in PLACES for path in Path(place).glob(f"*/bin/{name}"))
    program = str(found[-1]) if found else shutil.which(name)
    if program is None:
        raise SystemExit(f"{name} is not installed: apt-get install postgresql")
    return program


def _give_to_somebody(folder: Path) -> str | None:
    """PostgreSQL refuses to run as root; then it runs as the user Debian makes for it, or as nobody."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        os.chown(folder, entry.pw_uid, entry.pw_gid)
        folder.chmod(0o755)
        return name
    raise SystemExit("no user to run PostgreSQL as")


def _run(user: str | None, *command: str) -> None:
    subprocess.run(command, check=True, user=user, group=user and "nogroup", stdout=subprocess.DEVNULL, cwd="/")
