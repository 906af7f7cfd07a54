"""All migrations of a tree judged one after the other against the schema their elders left, and the end state judged by itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.languages import operations as ops
from auditor.languages.migration_risks import risks_of
from auditor.languages.migration_set import MigrationSet
from auditor.languages.migrations import Migration
from auditor.languages.migrations_sql import Problem
from auditor.languages.operations import Operation
from auditor.languages.risk_context import Risk
from auditor.languages.schema_state import Schema, Table, end_state


@dataclass(frozen=True, slots=True)
class Assessment:
    """The judged operations of each migration by path, and what is wrong with where they lead."""

    risks: dict[str, tuple[Risk, ...]]
    problems: tuple[Problem, ...]


def assess(changes: MigrationSet) -> Assessment:
    """Judge every migration; those that share a database (all of Django's, those of one folder) are followed together."""
    risks: dict[str, tuple[Risk, ...]] = {}
    problems: list[Problem] = []
    for group in _groups(changes).values():
        end = end_state((m.path, m.up.operations) for entries in group for m in entries)
        schema = Schema()
        for entries in group:
            for position, migration in enumerate(entries):
                first = position == 0 and len(entries) > 1
                risks[migration.path] = risks_of(migration, schema, end, first=first)
        for table in _open_tables(group, end, changes.exposed):
            made = Operation(ops.CREATE_TABLE, table.line, table.name)
            why = "the API serves it, and no migration turns on row-level security for it"
            risks[table.path] = (*risks.get(table.path, ()), Risk(made, "missing_rls", unsafe=True, why=why))
            problems.append(
                ("missing_rls", table.path, f"the table {table.name} can be reached through the API and has no row-level security")
            )
    return Assessment(risks, tuple(problems))


def _groups(changes: MigrationSet) -> dict[str, list[tuple[Migration, ...]]]:
    groups: defaultdict[str, list[tuple[Migration, ...]]] = defaultdict(list)
    for name, entries in changes.series.items():
        groups["django" if entries[0].framework == "django" else name].append(entries)
    return groups


def _open_tables(group: list[tuple[Migration, ...]], end: Schema, exposed: tuple[str, ...]) -> Iterator[Table]:
    """Tables of Supabase in an exposed schema on which row-level security is never turned on."""
    if not any(migration.framework == "supabase" for entries in group for migration in entries):
        return
    for table in end.tables.values():
        schema, _, _ = table.name.rpartition(".")
        if not table.secured and table.made and (schema or "public") in exposed:
            yield table
