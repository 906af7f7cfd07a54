"""Data models declared in code and schema files. Part of the evidence STORES."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from auditor.evidence.tables_classes import PythonClasses
from auditor.evidence.tables_django import django_tables
from auditor.evidence.tables_entities import entity_tables
from auditor.evidence.tables_prisma import prisma_tables
from auditor.evidence.tables_script import script_tables
from auditor.evidence.tables_sqlalchemy import alchemy_tables, core_tables
from auditor.model.syntax import FileFacts
from auditor.model.tables import Table


def declared(files: Iterable[FileFacts], schemas: Iterable[tuple[str, str]], texts: dict[str, str]) -> Iterator[Table]:
    """Every table that production code and Prisma's schema files (path, text) declare."""
    read = list(files)
    python = [facts for facts in read if facts.path.endswith(".py")]
    scripts = [facts for facts in read if not facts.path.endswith(".py")]
    classes = PythonClasses(python)
    yield from alchemy_tables(classes, texts)
    yield from core_tables(python)
    yield from django_tables(classes)
    yield from prisma_tables(schemas)
    yield from script_tables(scripts, texts)
    yield from entity_tables(scripts)
