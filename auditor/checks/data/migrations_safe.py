"""Schema changes run as a step of their own and do not lock, lose or break what the version that still runs uses.

Passing title: Changes of the database leave the running system alone
Failing title: A change of the database locks it, loses data, or breaks the version that still runs
Grading: Of the ten newest migrations, the first of each series left out, one that loses data, fails, or takes away what old code asks for counts in full, one that makes others wait counts half.
    Up to a fifth passes. Migrations that every start of the server applies are partial, whatever they hold. A command in production that resets the
    database fails. Row policies are judged elsewhere. Locks count where the database is PostgreSQL or not known to be another.
Done when: Each newest migration only adds, builds indexes and checks constraints beside running reads and writes, and takes nothing away that the last release still uses; they
    are applied by one step of the deployment.
What it cannot see: How large the tables are, whether a deployment stops the old version first, and what migrations do that put their statements together while they run.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from auditor.checks.migrations import State, newest, state_of
from auditor.checks.processes import several_processes
from auditor.checks.registry import PRODUCTION, check
from auditor.checks.starts import DEVELOPMENT_FILE, Start, starts_of
from auditor.migration_advice import advice
from auditor.model.artifacts import Deployment, Manifests, TaskFile
from auditor.model.evidence import MigrationRisk, MigrationStep, Stores
from auditor.model.needs import DEPLOYMENT, MANIFESTS, STORES, TASKS
from auditor.model.snapshot import Role
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable, Place
from auditor.words import listed, plural

_MOST = 0.2
_POLICIES = frozenset({"missing_rls", "permissive_policy", "disable_rls"})
"""Judged with the owners of rows, not here."""
_BREAKING = frozenset(
    {
        "drop_column",
        "drop_table",
        "rename_column",
        "rename_table",
        "rename_enum_value",
        "data_loss_dml",
        "concurrent_in_transaction",
        "add_not_null_no_default",
    }
)
_FILLED = "filled once"
"""A required column that is filled for the rows that are there: old code breaks, and nothing is lost."""
_AT_START, _AT_EVERY_START, _RESET = 0.25, 0.4, 0.65
_APPLIES = re.compile(
    r"\b(?:alembic(?:\s+-\S+(?:\s+\S+)?)*\s+upgrade|flask\s+db\s+upgrade|manage\.py\s+migrate|django-admin\s+migrate|prisma\s+migrate\s+deploy|prisma\s+migrate\s+dev|knex\s+migrate:(?:latest|up)"
    r"|sequelize(?:-cli)?\s+db:migrate|typeorm\S*\s+(?:\S+\s+){0,4}migration:run|drizzle-kit\s+migrate|dbmate\s+(?:\S+\s+){0,4}(?:up|migrate)|supabase\s+db\s+push|flyway\s+migrate|node-pg-migrate\s+up)\b"
)
_RESETS = re.compile(
    r"\b(?:prisma\s+migrate\s+reset|prisma\s+db\s+push\b[^;&|]*--(?:force-reset|accept-data-loss)|sequelize(?:-cli)?\s+db:drop|typeorm\S*\s+(?:\S+\s+){0,4}schema:drop|knex\s+migrate:rollback\s+--all"
    r"|manage\.py\s+(?:flush|reset_db)|alembic(?:\s+-\S+(?:\s+\S+)?)*\s+downgrade\s+base|drizzle-kit\s+push\b[^;&|]*--force|supabase\s+db\s+reset|dropdb)\b"
)
_WAITS = re.compile(r"^(?:echo|sleep|set|export|cd|exit|until|while|wait-for\S*|\S*wait[-_]for\S*|pg_isready|nc|true|test|\[)\b")
_SHOWN_STEPS = 3


@check(
    "data.migrations-safe",
    needs=(STORES,),
    optional=(DEPLOYMENT, MANIFESTS, TASKS),
    roles=(*PRODUCTION, Role.MIGRATION),
    tolerance=_MOST,
)
def migrations_safe(
    stores: Stores, deployment: Deployment | None, manifests: Manifests | None, tasks: tuple[TaskFile, ...] | None
) -> Judgement:
    """Weigh the newest migrations, then how they are applied."""
    if state_of(stores) not in {State.MANAGED, State.BY_HAND}:
        return NotApplicable("There are no migrations that could do harm: see how the database changes at all.")
    steps, total = newest(stores)
    risky = {step: _risks(step) for step in steps}
    dangers = [step for step in steps if risky[step]]
    starts = starts_of(deployment, manifests, tasks or ()) if manifests is not None else ()
    applied = [*_applied(stores, starts, deployment)]
    return Assessed(
        bad=sum(_weight(risky[step]) for step in dangers),
        total=len(steps),
        floor=max((floor for _, floor in applied), default=0.0),
        summary=_summary(len(steps), len(dangers), applied),
        findings=(*(finding for step in dangers for finding in _findings(step, risky[step])), *(finding for finding, _ in applied)),
        evidence=tuple(Place(step.path, step.line, step.line) for step in steps if not risky[step])[-3:],
        signals=(f"migrations: {total}", f"newest that were weighed: {len(steps)}", f"dangerous among them: {len(dangers)}"),
        unexamined=tuple((f"{step.path}:{line}", f"not understood: {what}") for step in steps for line, what in step.unread),
        confidence=Confidence.MEDIUM,
    )


def _risks(step: MigrationStep) -> tuple[MigrationRisk, ...]:
    return tuple(risk for risk in step.risks if risk.kind not in _POLICIES)


def _weight(risks: tuple[MigrationRisk, ...]) -> float:
    return max(1.0 if risk.kind in _BREAKING and _FILLED not in risk.why else 0.5 for risk in risks)


def _summary(judged: int, dangerous: int, applied: list[tuple[Finding, float]]) -> str:
    told = (
        f"{judged - dangerous} of the {plural(judged, 'newest migration')} leave the running system alone"
        if judged
        else "There is only the first migration"
    )
    return f"{told}{', and the server applies them when it starts' if applied else ''}."


def _findings(step: MigrationStep, risks: tuple[MigrationRisk, ...]) -> Iterator[Finding]:
    """One finding for each kind in a file, at its first place."""
    kinds: defaultdict[str, list[MigrationRisk]] = defaultdict(list)
    for risk in risks:
        kinds[risk.kind].append(risk)
    for kind, same in kinds.items():
        first, words = same[0], advice()[kind]
        places = listed(sorted({".".join(part for part in (risk.table, risk.column) if part) for risk in same} - {""}), 4)
        steps = " ".join(
            f"({number}) {text}"
            for number, text in enumerate(words.steps(step.framework, first.table, first.column)[:_SHOWN_STEPS], start=1)
        )
        message = f"{words.title}{': ' if places else ''}{places}. {words.harm(first.table, first.column)} Safe instead: {steps}"
        yield Finding(kind.replace("_", "-"), step.path, message, first.line, first.line, confidence=Confidence.MEDIUM)


def _prepares(command: str) -> bool:
    """Whether a command only prepares: a container that runs nothing else is a step of its own."""
    return bool(_APPLIES.search(command) or _WAITS.match(command))


def _applied(stores: Stores, starts: tuple[Start, ...], deployment: Deployment | None) -> Iterator[tuple[Finding, float]]:
    """What production does with migrations each time a server starts, and the least badness of it."""
    seen: set[tuple[str, int]] = set()
    several = several_processes(deployment)
    floor = _AT_EVERY_START if several is not None else _AT_START
    told = (
        "several of them start side by side and race"
        if several is not None
        else "a second instance would race with the first, and a change that fails keeps the server down"
    )
    serving = {start.place for start in starts if not _prepares(start.leaf.text)}
    for start in starts:
        place = start.place
        if (place.path, place.line) in seen or DEVELOPMENT_FILE.search(place.path):
            continue
        reset = _RESETS.search(start.leaf.text)
        if reset:
            seen.add((place.path, place.line))
            yield (
                Finding(
                    "reset-in-production",
                    place.path,
                    f"The start of production runs `{reset[0]}`, which empties the database.",
                    place.line,
                    place.end_line,
                ),
                _RESET,
            )
        elif start.by != "package" and place in serving and _APPLIES.search(start.leaf.text):
            seen.add((place.path, place.line))
            message = f"Every start of the server applies migrations first: {told}."
            yield Finding("migrated-at-start", place.path, message, place.line, place.end_line), floor
    by_file = {place.path: place for place in reversed(stores.migrated_at_start)}
    for _, place in sorted(by_file.items()):
        message = f"The program applies its migrations itself when it starts: {told}."
        yield Finding("migrated-at-start", place.path, message, place.line, place.end_line), floor
