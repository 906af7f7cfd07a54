"""Whether a declared package is used at all: imported, or named by configuration, scripts, styles or templates."""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.checks.declared_names import Declarations
from auditor.model.artifacts import Ecosystem, Manifest, Manifests, Requirement
from auditor.model.evidence import ModuleGraph

UNUSED_FROM = 1 / 3
"""Share of a manifest's packages from which unused ones are a fault of the declarations as a whole."""
UNUSED_LEAST = 5
"""Packages a manifest must declare for that."""
_IMPLICIT = """
    uvicorn gunicorn hypercorn waitress daphne psycopg psycopg2 psycopg2-binary asyncpg pymysql mysqlclient python-multipart email-validator greenlet aiosqlite
    cryptography bcrypt argon2-cffi httptools uvloop websockets orjson tzdata whitenoise alembic setuptools wheel pip lxml html5lib openpyxl xlrd pyarrow tabulate
    watchfiles brotli aiodns itsdangerous jinja2 protobuf grpcio-tools ruff black isort flake8 mypy pytest pytest-asyncio pytest-cov pytest-django coverage tox
    pre-commit ipython debugpy django-stubs
"""
_RUNS_UNIMPORTED = frozenset(_IMPLICIT.split())
"""Python packages that do their work without an import in the code: servers, drivers, helpers of frameworks, tools."""


_WORKS_UNIMPORTED = re.compile(
    r"^(?:react-dom|react-is|core-js|tslib|zone\.js|regenerator-runtime|globalthis|sharp|encoding|bufferutil|utf-8-validate|pino-pretty|graphql|ajv|typescript|nodemon|concurrently|dotenv|rimraf|pg|mysql2?|sqlite3|better-sqlite3|tedious|mongodb|redis|ioredis"
    r"|@types/.+|@angular/.+|@next/.+|@swc/.+|@nestjs/platform.+|@react-router/.+|@remix-run/.+|@fortawesome/.+|@emotion/.+|@babel/.+|@graphql-typed.+|@capacitor/.+|@popperjs/.+|y-protocols|@expo/.+|expo.*|react-native.*|workbox.*)$"
    r"|^(?:@[\w-]+/)?(?:eslint|prettier|stylelint|babel|postcss|tailwind|vite|webpack|rollup|autoprefixer|sass|less|ts-|jest|vitest|cypress|playwright|husky|lint-staged|patch-package)|(?:plugin|loader|preset|cli|polyfill|adapter|driver|font|fonts|types|store-kv)(?:-|$)|^@fontsource"
)
"""Packages of npm that do their work without an import in the code: run-time helpers, peers, drivers, tools."""


def is_imported(entry: Requirement, manifest: Manifest, imported: set[str]) -> bool:
    """Whether code imports the package, or it does its work without."""
    if manifest.ecosystem is Ecosystem.NPM:
        return entry.name in imported or entry.name.startswith("@types/")
    if entry.name in _RUNS_UNIMPORTED or entry.name.startswith(("types-", "pytest-", "opentelemetry-")):
        return True
    declared = Declarations(Ecosystem.PYPI, (manifest,), ())
    only = frozenset({entry.name})
    return any(declared.supplies(only, package) for package in imported)


def is_mentioned(name: str, manifest: Manifest, files: set[str], texts: dict[str, str]) -> bool:
    """Whether any text beside manifests, locks and prose names the package: configuration, scripts, styles, templates."""
    if any(name in script.command for script in manifest.scripts) or any(name in value for _, value in manifest.settings):
        return True
    plain = name.replace("-", "_") if manifest.ecosystem is Ecosystem.PYPI else name
    return any(
        name in text or plain in text
        for path, text in texts.items()
        if path not in files and not path.endswith((".md", ".txt", ".rst", ".lock", "lock.json", "lock.yaml"))
    )


def idle_packages(manifests: Manifests, graph: ModuleGraph, texts: dict[str, str]) -> Iterator[tuple[Manifest, Requirement]]:
    """Packages of npm that nothing imports, names or needs beside it, where they are too few to make the declarations faulty as a whole.

    Left out: manifests that are published or written by a tool, whatever another package asks for, and tools, plug-ins and drivers, which work without an import.
    """
    files = {manifest.path for manifest in manifests.manifests} | {lock.path for lock in manifests.locks}
    imported = {use.package for use in graph.externals}
    wanted = {name for lock in manifests.locks if lock.ecosystem is Ecosystem.NPM for package in lock.packages for name, _ in package.wants}
    for manifest in manifests.manifests:
        if manifest.ecosystem is not Ecosystem.NPM or manifest.publishable or any(key == "generated-by" for key, _ in manifest.settings):
            continue
        entries = [entry for entry in manifest.requirements if entry.group == "runtime" and entry.source == "registry"]
        idle = [
            entry
            for entry in entries
            if entry.name not in wanted
            and not _WORKS_UNIMPORTED.search(entry.name)
            and not is_imported(entry, manifest, imported)
            and not is_mentioned(entry.name, manifest, files, texts)
        ]
        if len(entries) < UNUSED_LEAST or len(idle) <= UNUSED_FROM * len(entries):
            yield from ((manifest, entry) for entry in idle)
