"""The structure of the database changes only through ordered migration files kept in the repository.

Passing title: Every change of the database structure is a file in the repository
Failing title: Nothing in the repository says how the database gets the structure the code expects
Grading: Pass when a migration tool has its files here, they know every model and column the code declares, and nothing else makes tables.
    Partial when tables are also made at start, when models, columns, unique rules or foreign keys are in no migration, when the migrations leave a required column
    that no model fills, when the order of the files has a fork or a gap, or when numbered SQL files are there that nothing applies. Fail when tables are made at start only, by one SQL file only, by a schema push, or by nothing in the repository.
Done when: A fresh database gets its whole structure from the migrations, `create_all`, `CREATE TABLE IF NOT EXISTS`, `sync` and schema pushes are gone
    from the start path, and a check in the pipeline compares models and migrations.
What it cannot see: What was changed by hand in a running database, and migrations whose names are computed.
"""

from __future__ import annotations

from collections.abc import Iterator

from auditor.checks.migrations import State, state_of
from auditor.checks.registry import PRODUCTION, check
from auditor.model.evidence import Stores
from auditor.model.needs import STORES
from auditor.model.snapshot import Role
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable, Place, Undecided
from auditor.words import listed, plural

_LAG = frozenset({"model_without_migration", "column_without_migration"})
_PARTIAL = 0.5


@check("data.migrations-versioned", needs=(STORES,), roles=(*PRODUCTION, Role.MIGRATION))
def migrations_versioned(stores: Stores) -> Judgement:
    """Judge by the state, then by what contradicts the migrations."""
    match state_of(stores):
        case State.NO_STORE:
            kept = "data goes to a store without a fixed structure" if stores.document else "no model, driver or script of one was found"
            return NotApplicable(f"The system owns no relational database: {kept}.", stores.document[:3])
        case State.UNSEEN:
            reason = (
                "The code opens a relational database, and neither a model nor a script in the repository makes its tables: "
                "say whose database it is, or add the scripts that make it."
            )
            return Undecided(reason, stores.relational[:3])
        case State.UNMANAGED:
            return _unmanaged(stores)
        case State.BY_HAND:
            return _by_hand(stores)
        case State.MANAGED:
            return _managed(stores)


def _unmanaged(stores: Stores) -> Assessed:
    findings = [*_at_start(stores, alone=True), *_base(stores), *_ignored(stores), *_elsewhere(stores)]
    if not findings:
        findings = [_missing(stores)]
    if stores.created_at_start:
        summary = "Tables are made by the program itself when it starts, and no migration file is in the repository."
    elif stores.base_sql:
        summary = "The structure stands in a script that somebody runs by hand, and no migration file is in the repository."
    else:
        summary = "The code expects tables that nothing in the repository makes."
    return Assessed(
        bad=1, total=1, floor=1.0, summary=summary, findings=tuple(findings), signals=_signals(stores), confidence=_sure(stores)
    )


def _sure(stores: Stores) -> Confidence:
    return Confidence.HIGH if stores.created_at_start or stores.base_sql or stores.models else Confidence.MEDIUM


def _missing(stores: Stores) -> Finding:
    place = (stores.relational or tuple(place for _, place in stores.models) or (Place(""),))[0]
    tool = f", although {stores.tools[0][0]} is set up" if stores.tools else ""
    message = f"The code works with tables that no file of the repository makes{tool}: a second database cannot be set up, and a change cannot be repeated."
    return Finding("no-migrations", place.path, message, place.line, place.end_line)


def _managed(stores: Stores) -> Assessed:
    findings = [*_at_start(stores, alone=False), *_problems(stores), *_ignored(stores)]
    series = sorted({(step.framework, step.series) for step in stores.migrations})
    named = listed([f"{framework} in {folder or '.'}" for framework, folder in series])
    contradicted = f", and {plural(len(findings), 'place contradicts', 'places contradict')} them" if findings else ""
    return Assessed(
        bad=0,
        total=0,
        floor=_PARTIAL if findings else 0.0,
        summary=f"{plural(len(stores.migrations), 'migration')} ({named}){contradicted}.",
        findings=tuple(findings),
        evidence=tuple(Place(step.path, step.line, step.line) for step in stores.migrations[-3:]),
        signals=_signals(stores),
    )


def _by_hand(stores: Stores) -> Assessed:
    first = stores.migrations[0]
    message = "These numbered SQL files are applied by nobody in particular: no tool here runs them, so which of them a database has seen is known to people only."
    findings = [Finding("no-runner", first.path, message, first.line, first.line), *_at_start(stores, alone=False), *_problems(stores)]
    return Assessed(
        bad=0,
        total=0,
        floor=_PARTIAL,
        summary=f"{plural(len(stores.migrations), 'numbered SQL file')} without a tool that applies them.",
        findings=tuple(findings),
        signals=_signals(stores),
        confidence=Confidence.MEDIUM,
    )


def _at_start(stores: Stores, *, alone: bool) -> Iterator[Finding]:
    if alone:
        message = "The program makes this table when it starts: a database that is already there never gets a later change of it."
    else:
        message = "The program makes tables when it starts, beside the migrations: a fresh database gets another structure than one that was migrated."
    for place in stores.created_at_start:
        yield Finding("made-at-start", place.path, message, place.line, place.end_line)


def _base(stores: Stores) -> Iterator[Finding]:
    for place in stores.base_sql:
        message = "This script is the only description of the database: what has been changed in the running one since then is not in the repository."
        yield Finding("base-script-only", place.path, message, place.line, place.end_line)


def _ignored(stores: Stores) -> Iterator[Finding]:
    for kind, place, message in stores.problems:
        if kind == "migrations_ignored":
            yield Finding("migrations-ignored", place.path, f"{message[:1].upper()}{message[1:]}.", place.line, place.end_line)


def _elsewhere(stores: Stores) -> Iterator[Finding]:
    for kind, place, message in stores.problems:
        if kind == "structure_elsewhere":
            sentence = (
                f"{message[:1].upper()}{message[1:]}: nobody can set up a second one, and no change of it can be reviewed or repeated."
            )
            yield Finding("structure-elsewhere", place.path, sentence, place.line, place.end_line)


def _problems(stores: Stores) -> Iterator[Finding]:
    for kind, place, message in stores.problems[:60]:
        if kind in {"migrations_ignored", "structure_elsewhere"}:
            continue
        sentence = f"{message[:1].upper()}{message[1:]}"
        if kind in _LAG:
            sentence += ": queries that need it fail on every database that was built by the migrations"
        yield Finding(kind.replace("_", "-"), place.path, f"{sentence}.", place.line, place.end_line)


def _signals(stores: Stores) -> tuple[str, ...]:
    tools = listed([name for name, _ in stores.tools], 6) or "none"
    return (
        f"migration tools: {tools}",
        f"migrations: {len(stores.migrations)}",
        f"models: {len(stores.models)}",
        f"places that make tables at start: {len(stores.created_at_start)}",
        f"SQL scripts outside of migrations: {len(stores.base_sql)}",
    )
