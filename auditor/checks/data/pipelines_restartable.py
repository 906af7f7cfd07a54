"""Jobs that move rows in bulk can be run again, go on where they stopped, and notice a changed source.

Passing title: Data jobs can be run again without loss or double counting
Failing title: A data job that is run again counts rows twice or loses some
Grading: Looked at are places that load many rows at once (data frames, Spark, warehouses' clients and operators, batches of statements, documents and records, incremental models of dbt) in code written for an
    orchestrator, run by hand or by the clock; requests, seeds and notes of what was done are left out. Four things are asked of each file with such loads: a second run finds the rows by a key, writes the
    target or its partition anew, or knows how far it came; it does not read the whole of another database's table each time, keeps a stream's checkpoint, and notes a message as done after the work; columns or
    types are stated or checked where formats without types are read; and a load that fails is not passed over in silence. Each counts a quarter, by the share of files that miss it. Rows that a second run would
    add again are at least partial.
Done when: a job was killed in the middle and run again, and the target holds what one whole run leaves; and a renamed column at the source ends the run with a message.
What it cannot see: unique rules made by hand in the target, jobs whose steps are put together while they run, and what an orchestrator is told outside of the repository.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from auditor.checks.bulk_loads import bulk_loads
from auditor.checks.dbt_models import DbtProject, dbt_projects
from auditor.checks.load_sources import (
    answers_requests,
    commits_before_work,
    guessed,
    is_job,
    is_orchestrated,
    knows_how_far,
    moves_rows,
    passed_over,
    reads_from_outside,
    whole_reads,
)
from auditor.checks.loads import Load, Manner
from auditor.checks.model_names import TableNames, words
from auditor.checks.registry import check
from auditor.model.evidence import Stores
from auditor.model.needs import PROJECT, SNAPSHOT, STORES, SYNTAX, TEXTS
from auditor.model.project import SERVING, Kind, Project
from auditor.model.snapshot import NOT_OURS, Snapshot
from auditor.model.syntax import FileFacts, Syntax
from auditor.model.tables import DataModel
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable, Place, Undecided
from auditor.words import plural

_CLAIMS = 4
_TWICE = 0.1
_MOST_CALLERS = 12
_ASIDE = frozenset(
    [
        "seed",
        "seeds",
        "seeder",
        "demo",
        "sample",
        "samples",
        "fixture",
        "fixtures",
        "mock",
        "mocks",
        "fake",
        "faker",
        "generate",
        "generator",
        "init",
        "benchmark",
        "benchmarks",
        "migrate",
        "migration",
        "migrations",
        "restore",
        "dummy",
        "populate",
        "archive",
        "example",
        "examples",
    ]
)
"""Words of files that fill a store once, for a show or a test."""
_LANDING = re.compile(r"(?:^|[._/])(?:raw|landing|bronze|lake|inbox)(?:[._/]|$)", re.IGNORECASE)
_DEDUPLICATES = re.compile(r"row_number\s*\(\s*\)|\bqualify\b|select\s+distinct|drop_?[dD]uplicates|distinct\s+on", re.IGNORECASE)
_REPLACING = re.compile(r"\b(?:Replacing|Collapsing)MergeTree\b")
"""Tables of ClickHouse that take repeats out by themselves."""
_DELETES_ANY = re.compile(r"\b(?:delete\s+from|truncate\s+(?:table\s+)?|drop\s+table\s+(?:if\s+exists\s+)?)\s*[\w.\"]*\{", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Job:
    """A file with loads."""

    facts: FileFacts
    loads: list[Load]


@check("data.pipelines-restartable", needs=(PROJECT, SNAPSHOT, SYNTAX, STORES, TEXTS), tolerance=0.05)
def pipelines_restartable(project: Project, snapshot: Snapshot, syntax: Syntax, stores: Stores, texts: dict[str, str]) -> Judgement:
    """Find the jobs that load rows in bulk, then ask the four questions of each."""
    files = [facts for facts in syntax.of(project.server) if not _is_aside(facts)]
    started = _started(files)
    jobs = [job for facts in files if (job := _job(facts, project, started)) is not None]
    own = {file.path: texts[file.path] for file in snapshot.files if file.role not in NOT_OURS and file.path in texts}
    dbt = tuple(dbt_projects(own))
    written = [facts for facts in files if is_orchestrated(facts) or moves_rows(facts)]
    if not jobs and not any(each.models for each in dbt):
        if written:
            return Undecided(
                "Code that moves rows is here, for an orchestrator or by its name, and where it loads them could not be recognised.",
                (Place(written[0].path, 1),),
            )
        return NotApplicable("No job that loads rows in bulk was found: no data frames, batches or streams that are written to a store.")
    settled = _settled(jobs, files, own, stores.data)
    return _judged(settled, dbt)


def _is_aside(facts: FileFacts) -> bool:
    spoken = {word for part in facts.path.rpartition(".")[0].split("/")[-2:] for word in words(part)}
    return bool(spoken & _ASIDE) or any(entry.module.partition(".")[0] in {"faker", "@faker-js/faker", "pytest"} for entry in facts.imports)


def _job(facts: FileFacts, project: Project, started: frozenset[str]) -> _Job | None:
    """A file as a job; None where it loads nothing, or does so for a request."""
    loads = list(bulk_loads(facts))
    if not loads:
        return None
    kinds = project.part_of(facts.path).kinds
    moving = Kind.PIPELINE in kinds
    called = not kinds & SERVING and any(d.parent < 0 and d.name in started for d in facts.definitions)
    runs = (
        is_orchestrated(facts)
        or (is_job(facts) and reads_from_outside(facts) is not None)
        or ((moving or called) and not answers_requests(facts))
    )
    return _Job(facts, loads) if runs else None


def _started(files: list[FileFacts]) -> frozenset[str]:
    """Functions that jobs which read from outside call, by name."""
    jobs = [facts for facts in files if is_job(facts) and reads_from_outside(facts) is not None]
    names = {call.callee.rpartition(".")[2] for facts in jobs for call in facts.calls}
    return frozenset(name for name in names if len(words(name)) > 1)


# -- what a second run does --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Beside:
    """What other places of the repository say: its tables, and texts that take repeats out or empty tables by a name put in while they run."""

    files: list[FileFacts]
    names: TableNames
    deduplicates: bool
    cleared: bool
    replacing: bool


def _settled(jobs: list[_Job], files: list[FileFacts], texts: dict[str, str], model: DataModel) -> list[_Job]:
    """The jobs with what other places say of their loads: how far a run came, a unique rule, a later step that takes repeats out."""
    written = [texts[path] for path in sorted(texts) if path.endswith((".sql", ".py"))]
    beside = _Beside(
        files,
        TableNames(model.tables),
        deduplicates=any(_DEDUPLICATES.search(text) for text in written),
        cleared=any(_DELETES_ANY.search(literal.text) for facts in files for literal in facts.literals),
        replacing=any(_REPLACING.search(text) for text in written),
    )
    return [replace(job, loads=[_told(load, job, beside) for load in job.loads]) for job in jobs]


def _told(load: Load, job: _Job, beside: _Beside) -> Load:
    if load.manner is not Manner.ADDS:
        return load
    if _resumes(load, job.facts, beside.files):
        return replace(load, manner=Manner.MERGES)
    if _is_unique(load, beside.names):
        return replace(load, manner=Manner.REFUSES)
    merged = load.target != "" and any(each.manner is Manner.MERGES and each.target == load.target for each in job.loads)
    landing = beside.deduplicates and _LANDING.search(load.target) is not None
    itself = beside.replacing and load.what == "insert_df"
    varies = not load.target or "{" in load.target or ("." not in load.target and load.what.endswith("Operator"))
    return replace(load, manner=Manner.CHOSEN) if merged or landing or itself or (beside.cleared and varies) else load


def _resumes(load: Load, facts: FileFacts, files: list[FileFacts]) -> bool:
    """Whether the function of a load, or all that call it, know how far an earlier run came."""
    if knows_how_far(facts, load.scope):
        return True
    name = facts.definitions[load.scope].name if load.scope >= 0 else ""
    callers = [(other, call.scope) for other in files for call in other.calls if name and call.callee.rpartition(".")[2] == name]
    return 0 < len(callers) <= _MOST_CALLERS and all(knows_how_far(other, scope) for other, scope in callers)


def _is_unique(load: Load, names: TableNames) -> bool:
    """Whether the table has a key of its own that a repeated row would break."""
    named = names.named(load.target)
    return any(table.uniques or any(column.unique and not column.primary for column in table.columns) for table in named)


# -- the four questions ------------------------------------------------------------------------------------------------------------------


def _judged(jobs: list[_Job], dbt: tuple[DbtProject, ...]) -> Assessed:
    questions: tuple[Callable[[_Job], Iterator[Finding]], ...] = (_twice, _from_the_start, _guessed, _passed_over)
    answers = [[list(question(job)) for question in questions] for job in jobs]
    models = [model for each in dbt for model in each.incremental]
    doubled = [_model_twice(model.place, model.name) for model in models if not model.keyed]
    count = len(jobs) + len(models)
    missed = [sum(1 for answer in answers if answer[number]) for number in range(_CLAIMS)]
    missed[0] += len(doubled)
    findings = [*doubled, *(finding for number in range(_CLAIMS) for answer in answers for finding in answer[number])]
    loads = [load for job in jobs for load in job.loads]
    good = [Place(load.path, load.line, load.end_line) for load in loads if load.manner in {Manner.MERGES, Manner.REPLACES}]
    good += [model.place for model in models if model.keyed]
    return Assessed(
        bad=sum(missed) / _CLAIMS,
        total=max(count, 1),
        floor=_TWICE if missed[0] else 0.0,
        summary=_summary(len(jobs), loads, dbt, missed),
        findings=tuple(findings),
        evidence=tuple(good[:3]),
        unexamined=tuple(
            (load.path, f"what a second run does to {load.target or 'the target'} at line {load.line} is settled elsewhere")
            for load in loads
            if load.manner is Manner.CHOSEN
        ),
        signals=(
            f"files that load rows in bulk: {len(jobs)}, with {plural(len(loads), 'load')}",
            f"loads by a key or a mark of an earlier run: {sum(1 for load in loads if load.manner is Manner.MERGES)}",
            f"loads that write the target anew: {sum(1 for load in loads if load.manner is Manner.REPLACES)}",
            f"incremental models of dbt: {len(models)}, with a key: {sum(1 for model in models if model.keyed)}",
        ),
        confidence=Confidence.MEDIUM,
    )


def _summary(jobs: int, loads: list[Load], dbt: tuple[DbtProject, ...], missed: list[int]) -> str:
    where = f"{plural(jobs, 'file')} with {plural(len(loads), 'load')} of many rows" if jobs else ""
    models = sum(each.models for each in dbt)
    parts = " and ".join(part for part in (where, f"{plural(models, 'model')} of dbt" if models else "") if part)
    said = ("count rows twice when run again", "begin at the start each time", "take columns as they come", "pass over a failed load")
    wrong = [f"{number} {text}" for number, text in zip(missed, said, strict=True) if number]
    open_ = sum(1 for load in loads if load.manner is Manner.CHOSEN)
    rest = f"; what a second run does is settled elsewhere for {open_}" if open_ else ""
    return f"{parts}; {'; '.join(wrong) or 'none seen that counts rows twice or passes over a failed load'}{rest}."


def _twice(job: _Job) -> Iterator[Finding]:
    for load in job.loads:
        if load.manner is Manner.ADDS:
            target = load.target if load.target and "{" not in load.target else "the target"
            message = f"A second run adds the same rows to {target} again: nothing finds them by a key, writes the target anew, or knows how far the last run came."
            yield Finding("rows-loaded-twice", load.path, message, load.line, load.end_line, Confidence.MEDIUM, cwe=837)


def _model_twice(place: Place, name: str) -> Finding:
    message = (
        f"The incremental model {name} has no unique key and writes no partition anew: a run that is repeated adds the same rows again."
    )
    return Finding("rows-loaded-twice", place.path, message, place.line, place.end_line, Confidence.MEDIUM, cwe=837)


def _from_the_start(job: _Job) -> Iterator[Finding]:
    for load in job.loads:
        if not load.checkpointed:
            message = "The stream keeps no checkpoint: after a restart it begins anew and loses or repeats what it had read."
            yield Finding("stream-without-checkpoint", load.path, message, load.line, load.end_line, Confidence.MEDIUM)
    for call in commits_before_work(job.facts):
        message = "Messages are noted as done when they are fetched, not when their rows are stored: those that were being worked on when the process ends are lost."
        yield Finding("message-done-before-work", job.facts.path, message, call.line, call.end_line, Confidence.MEDIUM)
    if all(load.manner is Manner.REPLACES for load in job.loads):
        return
    for place, table in whole_reads(job.facts):
        message = (
            f"Each run reads the whole of {table} again: it takes longer with every day, and a run that broke off begins at the start."
        )
        yield Finding("whole-source-each-run", place.path, message, place.line, place.end_line, Confidence.LOW)


def _guessed(job: _Job) -> Iterator[Finding]:
    place = guessed(job.facts) if any(load.frame for load in job.loads) else None
    if place is not None:
        message = "Columns and types are taken as they come: a renamed column or a number that becomes text at the source is stored without a word."
        yield Finding("columns-as-they-come", place.path, message, place.line, place.end_line, Confidence.LOW)


def _passed_over(job: _Job) -> Iterator[Finding]:
    for handler in passed_over(job.facts, job.loads):
        message = "A load that fails is passed over and the run ends as if it had worked: the rows are missing, and nobody is told."
        yield Finding("failed-load-passed-over", job.facts.path, message, handler.line, handler.end_line, Confidence.MEDIUM, cwe=390)
