"""One audit from a path to a `Report`: read, gather, judge, score. The command line is a thin layer on `audit`."""

from __future__ import annotations

import datetime as dt
import hashlib
import importlib.metadata
import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from auditor import stored_reports, survey
from auditor.cache import Cache, default_cache_dir
from auditor.catalogue import catalogue, select
from auditor.checks.registry import Check, all_checks
from auditor.errors import UsageError
from auditor.evidence.graph_analysis import analyse
from auditor.evidence.registry import Context
from auditor.excerpts import seal
from auditor.fingerprints import copies, identified
from auditor.gather import Evidence, gather
from auditor.interview import hold, read
from auditor.judge import judge, out_of_time
from auditor.model.need import Known, Need, ToolStamp, Unavailable
from auditor.model.needs import CLONES, COMPLEXITY, HISTORY, MODULE_GRAPH, PROJECT, SECRETS, STRUCTURE
from auditor.model.report import (
    SCHEMA_VERSION,
    CloneReport,
    EvidenceNote,
    FileMeasure,
    GraphReport,
    HistorySummary,
    LanguageCount,
    Report,
    Scope,
)
from auditor.model.settings import Settings
from auditor.model.snapshot import READ_LANGUAGES, UNREAD_LANGUAGES, Role, Snapshot
from auditor.model.verdict import Outcome
from auditor.narrowing import narrowed, part_of
from auditor.resources import data_dir
from auditor.score import score
from auditor.snapshot import Reading, read_tree
from auditor.suppressions import declared
from auditor.tools.advisory_store import default_store, holdings
from auditor.tools.osv import AdvisoryError
from auditor.version import __version__
from auditor.words import listed, plural

SKIPPED_SHOWN = 100
FINDINGS_PER_ITEM = 500
DEFAULT_CACHE = object()


def audit(
    path: str | Path,
    *,
    date: str | None = None,
    timeout: float | None = None,
    cache_dir: Path | object = DEFAULT_CACHE,
    use_cache: bool = True,
    workers: int | None = None,
    advisories: Path | None = None,
    interview: Path | None = None,
    online: bool = False,
    osv_service: str = "",
    only: Iterable[str] = (),
    settings: Settings | None = None,
    part: str = "",
    progress: Callable[[str], None] | None = None,
    debug: bool = False,
) -> Report:
    """Audit the repository at `path` and return the whole result as data.

    `date`: the audit date, ISO 8601 (today in UTC when None); `timeout`: seconds for everything, what is not finished is unknown;
    `workers`: processes to use (default: the machine's cores); `advisories`: an OSV archive or a store; `interview`: a filled form of
    answers; `online`: allow look-ups, `osv_service`: where; `only`: item ids to judge
    (no grade then); `settings`: the owner's, where the owner wants them used; `part`: a folder to audit instead of the whole; `progress`: called with short texts; `debug`: let a crashing check raise.

    Raises:
        UsageError: the path, an id, the date or a limit is wrong.
        NothingToAuditError: there are no files.
    """
    chosen = select(only) if only else frozenset()
    _validate(timeout, workers, advisories)
    statements = read(interview) if interview else ()
    directory = default_cache_dir() if cache_dir is DEFAULT_CACHE else cache_dir
    assert directory is None or isinstance(directory, Path)
    context = Context(
        root=Path(path),
        cache=Cache(directory if use_cache else None),
        date=_valid_date(date),
        workers=workers or _cores(),
        deadline=None if timeout is None else time.monotonic() + timeout,
        advisories=advisories,
        online=online,
        osv_service=osv_service,
        settings=settings or Settings(),
        part=part,
        progress=progress or (lambda _text: None),
    )
    try:
        return hold(_audited(context, chosen, debug=debug), statements)
    finally:
        context.cancelled.set()
        context.cache.close()


def _audited(context: Context, chosen: frozenset[str], *, debug: bool) -> Report:
    """The report of the tree as it stands, before anybody's statements are weighed: a stored one if nothing has changed."""
    context.progress("reading the tree")
    whole = read_tree(context.root, should_stop=lambda: context.remaining() == 0.0)
    reading, out = narrowed(part_of(whole, context.part) if context.part else whole, context.settings)
    key = None if debug else stored_reports.key_of(context, reading, chosen)
    stored = stored_reports.load(context.cache, key)
    if stored is not None:
        context.progress("nothing has changed since the last audit")
        return stored
    checks = [check for check in all_checks().values() if not chosen or check.id in chosen]
    wanted: list[Need[Any]] = [need for check in checks for need in (*check.needs, *check.corroborating, *check.optional)]
    extra: list[Need[Any]] = [] if chosen else [PROJECT, MODULE_GRAPH, STRUCTURE, CLONES, COMPLEXITY, HISTORY]
    evidence = gather(context, reading, [*wanted, *extra, SECRETS])
    context.progress("judging")
    outcomes = _judge_all(context, checks, evidence, reading, debug=debug)
    report = replace(
        _report(context, reading, evidence, outcomes, partial=bool(chosen)),
        configuration=_configuration(context.settings, reading, out),
        suppressions=declared(reading.texts),
    )
    stored_reports.save(context.cache, key, report)
    return report


def _cores() -> int:
    """Processor cores this process may use; not every system lets a process be bound to some of them."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _validate(timeout: float | None, workers: int | None, advisories: Path | None) -> None:
    if timeout is not None and timeout <= 0:
        raise UsageError("--timeout must be more than 0 seconds")
    if workers is not None and workers < 1:
        raise UsageError("--workers must be at least 1")
    if advisories is not None and not advisories.is_file():
        raise UsageError(
            f"{advisories} is not a file: give an archive of advisories in OSV format, or make a store with `auditor advisories build`"
        )


def _valid_date(date: str | None) -> str:
    if date is None:
        return dt.datetime.fromtimestamp(time.time(), tz=dt.UTC).date().isoformat()
    try:
        return dt.date.fromisoformat(date).isoformat()
    except ValueError:
        raise UsageError(f"--date {date!r} is not a date: write it as YYYY-MM-DD") from None


def _judge_all(context: Context, checks: list[Check], evidence: Evidence, reading: Reading, *, debug: bool) -> tuple[Outcome, ...]:
    found = evidence.get(SECRETS.name)
    secrets = found.value if isinstance(found, Known) else None
    judged = [
        out_of_time(check) if context.remaining() == 0.0 else judge(check, evidence, reading.snapshot, reraise=debug) for check in checks
    ]
    outcomes = {outcome.id: seal(outcome, reading.texts, secrets) for outcome in identified(judged, reading.texts, FINDINGS_PER_ITEM)}
    return tuple(outcomes[item.id] for item in catalogue().items if item.id in outcomes)


def _report(context: Context, reading: Reading, evidence: Evidence, outcomes: tuple[Outcome, ...], *, partial: bool) -> Report:
    project = _value(evidence, PROJECT.name)
    no_grade = "only selected items were judged" if partial else _why_no_grade(reading.snapshot)
    return Report(
        schema=SCHEMA_VERSION,
        tool="auditor",
        version=__version__,
        rules=rules_digest(),
        date=context.date,
        scope=_scope(context, reading.snapshot),
        parts=project.parts if project else (),
        score=score(outcomes, no_grade),
        outcomes=outcomes,
        items=catalogue().items,
        categories=catalogue().categories,
        evidence=_notes(evidence),
        graph=_graph(evidence),
        clones=_clones(evidence, reading),
        history=_history(evidence),
        tools=_stamps(evidence),
        files=_files(evidence, reading.snapshot),
    )


def _why_no_grade(snapshot: Snapshot) -> str:
    """Why this tree gets no grade, "" when it gets one."""
    lines: Counter[str] = Counter()
    for file in snapshot.with_role(Role.FIRST_PARTY):
        if file.language in READ_LANGUAGES | UNREAD_LANGUAGES:
            lines[file.language.value] += file.lines
    read = sum(count for language, count in lines.items() if language in READ_LANGUAGES)
    unread = {language: count for language, count in lines.items() if language in UNREAD_LANGUAGES}
    if not read and not unread:
        return "nothing to audit: there is no first-party source code in the tree"
    if sum(unread.values()) > read:
        names = ", ".join(f"{count:,} lines of {name}" for name, count in sorted(unread.items(), key=lambda pair: (-pair[1], pair[0]))[:3])
        return f"more than half of the first-party code is in languages this version does not read ({names}; {read:,} lines read)"
    return ""


def _scope(context: Context, snapshot: Snapshot) -> Scope:
    own = snapshot.with_role(Role.FIRST_PARTY)
    code = [file for file in own if file.language in READ_LANGUAGES | UNREAD_LANGUAGES]
    languages = sorted({file.language for file in code})
    counted = [
        LanguageCount(name.value, sum(f.language is name for f in code), sum(f.lines for f in code if f.language is name))
        for name in languages
    ]
    return Scope(
        name="/".join(filter(None, (context.root.resolve().name or "repository", context.part.strip("/")))),
        commit=snapshot.commit,
        origin=snapshot.origin,
        digest=snapshot.digest,
        files=len(snapshot.files),
        lines=sum(file.lines for file in code),
        roles=tuple(sorted(Counter(file.role.value for file in snapshot.files).items())),
        languages=tuple(sorted(counted, key=lambda count: (-count.lines, count.language))),
        skipped=tuple((entry.path, entry.reason) for entry in snapshot.skipped[:SKIPPED_SHOWN]),
        skipped_total=len(snapshot.skipped),
    )


def _configuration(settings: Settings, reading: Reading, out: int) -> str:
    """Whether settings were used, and what they changed; or that some lie in the tree and were not."""
    if settings.source:
        rules = "Items off, own weights and suppressions hold for the gate only: the grade counts everything."
        scope = [
            *([f"{plural(out, 'file')} left out by its paths"] if out else []),
            *([f"kinds stated for {plural(len(settings.kinds), 'part')}"] if settings.kinds else []),
        ]
        return f"{settings.source} was used: {listed(scope) or 'nothing is left out'}. {rules}"
    text = reading.texts.get("pyproject.toml", "")
    found = [name for name in ("auditor.toml",) if name in reading.texts] + (["pyproject.toml"] if "[tool.auditor" in text else [])
    return f"{listed(found)} of the repository was not used: an audit is not configured by what it audits." if found else ""


def _value(evidence: Evidence, name: str) -> Any:
    found = evidence.get(name)
    return found.value if isinstance(found, Known) else None


def _notes(evidence: Evidence) -> tuple[EvidenceNote, ...]:
    notes = []
    for name, found in sorted(evidence.items()):
        match found:
            case Known(source=source, examined=examined, unexamined=unexamined):
                notes.append(EvidenceNote(name, source.name, source.version, True, len(examined), unexamined[:SKIPPED_SHOWN], "", ""))
            case Unavailable(tool=tool, reason=reason, remedy=remedy):
                notes.append(EvidenceNote(name, tool, "", False, 0, (), reason, remedy))
    return tuple(notes)


def _stamps(evidence: Evidence) -> tuple[ToolStamp, ...]:
    stamps = {found.source for found in evidence.values() if isinstance(found, Known)}
    return tuple(sorted(stamps, key=lambda stamp: (stamp.name, stamp.version)))


def _graph(evidence: Evidence) -> GraphReport | None:
    graph, project = _value(evidence, MODULE_GRAPH.name), _value(evidence, PROJECT.name)
    structure = _value(evidence, STRUCTURE.name)
    return analyse(graph, project.production, structure) if graph is not None and project is not None else None


def _clones(evidence: Evidence, reading: Reading) -> CloneReport | None:
    clones = _value(evidence, CLONES.name)
    if clones is None:
        return None
    pictured = survey.copies(clones, reading.texts, _value(evidence, SECRETS.name))
    return replace(pictured, copies=copies(clones.families, reading.texts))


def _history(evidence: Evidence) -> HistorySummary | None:
    history = _value(evidence, HISTORY.name)
    return survey.time_line(history) if history is not None else None


def _files(evidence: Evidence, snapshot: Snapshot) -> tuple[FileMeasure, ...]:
    project = _value(evidence, PROJECT.name)
    if project is None:
        return ()
    units = _value(evidence, COMPLEXITY.name) or ()
    return survey.measures(snapshot, project.production, units, _value(evidence, CLONES.name), _value(evidence, HISTORY.name))


def rules_digest() -> str:
    """Digest of the shipped rules, so that two reports can be told to come from the same ones."""
    joined = hashlib.sha256()
    for rule in sorted(data_dir("rules").rglob("*.yaml")):
        joined.update(rule.read_bytes())
    return joined.hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class DoctorLine:
    """One tool or data set: whether it is there and what would be unknown without it."""

    name: str
    version: str
    available: bool
    needed_for: tuple[str, ...]
    remedy: str


def doctor() -> tuple[DoctorLine, ...]:
    """What this installation can use. Nothing is started; versions come from the package metadata."""
    lines = []
    for tool in ("semgrep", "bandit", "radon", "pip-audit"):
        version = _installed(tool)
        lines.append(DoctorLine(tool, version, bool(version), _items_needing(tool), f"pip install {tool}"))
    lines.append(_advisory_line())
    for tool, purpose in (("chromium", "printing the report to PDF"),):
        found = shutil.which(tool)
        lines.append(DoctorLine(tool, "", bool(found), (purpose,), "install it with the system's package manager"))
    return tuple(lines)


def _advisory_line() -> DoctorLine:
    """The user's store of advisories, with the date of each ecosystem's data."""
    try:
        held = holdings(default_store()) if default_store().is_file() else ()
    except AdvisoryError:
        held = ()
    state = ", ".join(f"{one.ecosystem} of {one.modified or 'no date'}{' (partial)' if one.gap else ''}" for one in held)
    return DoctorLine("advisories", state, bool(held), _items_needing("advisories"), "auditor advisories update, or build from files")


def _installed(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _items_needing(tool: str) -> tuple[str, ...]:
    names = {"radon": {"complexity"}, "pip-audit": {"advisories"}}.get(tool, {tool})
    return tuple(
        check.id
        for check in all_checks().values()
        if names.intersection(need.name for need in (*check.needs, *check.corroborating, *check.optional))
    )
