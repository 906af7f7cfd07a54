"""Runtime events by a configured logger with levels, or by print.

Passing title: What the program does is written to a proper log
Failing title: What the program does is only printed, or not recorded at all
Grading: The share of bare prints among all statements by which server code speaks of its running. Up to a fifth passes when a logger is configured; up to four
    fifths, or a logger that nobody configures in an application, is partial; more, or no logger at all, is a failure.
Done when: One module sets the logger up with levels and a format, every server module takes its logger from there, and prints remain only in commands.
What it cannot see: What a platform or a web server logs by itself, logging that is set up by a file outside the code, whether the messages say enough, and
    whether anybody reads them.
"""

from __future__ import annotations

from collections import Counter

from auditor.checks.log_statements import Statements, entry_of, read
from auditor.checks.registry import check
from auditor.model.needs import PROJECT, SYNTAX
from auditor.model.project import RUNNING, Kind, Part, Project
from auditor.model.syntax import FileFacts, Syntax
from auditor.model.verdict import Assessed, Finding, Judgement, NotApplicable
from auditor.words import percent, plural

TOLERANCE = 0.2
_PARTIAL_UP_TO = 0.8
_PARTIAL_AT_MOST = 0.59
_NOT_CONFIGURED = 0.5
_JUDGED = RUNNING | {Kind.PIPELINE}


@check("observability.real-logging", needs=(PROJECT, SYNTAX), tolerance=TOLERANCE)
def real_logging(project: Project, syntax: Syntax) -> Judgement:
    """Judge how the server code of running parts speaks of what happens."""
    parts = [part for part in project.parts if part.kinds & _JUDGED]
    if not parts:
        kinds = ", ".join(sorted(project.kinds)) or "unknown"
        return NotApplicable(
            f"Nothing here runs as a service of the owner ({kinds}): what a command prints is its output, and a page logs in the visitor's browser."
        )
    files = tuple(facts for facts in syntax.of(project.server) if project.part_of(facts.path).kinds & _JUDGED)
    if not files:
        return NotApplicable("No code of the repository runs on a server.")
    return _assess(parts, files, read(files), django=project.uses("django") is not None)


def _assess(parts: list[Part], files: tuple[FileFacts, ...], found: Statements, *, django: bool) -> Judgement:
    logged, printed = len(found.logged), len(found.printed)
    signals = (
        f"{plural(logged, 'call')} of a logger and {plural(printed, 'print')} in {plural(len(files), 'server file')}; commands left out",
        f"{plural(len(found.set_up), 'place')} that {'sets' if len(found.set_up) == 1 else 'set'} a logger up"
        + (", and Django's own logging" if django else ""),
    )
    if not logged:
        return _no_logger(parts, files, found, signals)
    share = printed / (logged + printed)
    configured = bool(found.set_up) or django or found.console_is_logger
    bad = min(share, _PARTIAL_AT_MOST) * (logged + printed) if share <= _PARTIAL_UP_TO else printed
    findings = list(_printing_files(found))
    if not configured:
        first = found.logged[0]
        message = (
            "Loggers are used and nobody configures them: below warning everything is lost, and what is left has neither time nor level."
        )
        findings.insert(0, Finding("logger-not-configured", first.path, message, first.line, cwe=778))
    summary = f"{percent(1 - share)} of {plural(logged + printed, 'statement')} go through a logger" + (
        "." if configured else ", which no place configures."
    )
    return Assessed(
        bad=bad,
        total=logged + printed,
        summary=summary,
        floor=0.0 if configured else _NOT_CONFIGURED,
        findings=tuple(findings),
        evidence=(*found.set_up[:3], *found.logged[:3]),
        signals=signals,
    )


def _no_logger(parts: list[Part], files: tuple[FileFacts, ...], found: Statements, signals: tuple[str, ...]) -> Assessed:
    if found.printed:
        summary = f"No logger anywhere: {plural(len(found.printed), 'print')} and nothing else tell what happens."
        return Assessed(1, 1, summary, floor=1.0, findings=tuple(_printing_files(found)), signals=signals)
    place = entry_of(parts, files)
    message = "Nothing in the server code records what happens: after a failure there is no trace of what was asked and what went wrong."
    return Assessed(
        1,
        1,
        "Server code records nothing about its running.",
        floor=1.0,
        findings=(Finding("no-logging", place.path, message, place.line, cwe=778),),
        signals=signals,
    )


def _printing_files(found: Statements) -> list[Finding]:
    """One finding for each file that prints, the loudest first."""
    count = Counter(place.path for place in found.printed)
    first = {place.path: place for place in reversed(found.printed)}
    ordered = sorted(count, key=lambda path: (-count[path], path))
    return [
        Finding(
            "printed-instead-of-logged",
            path,
            f"{plural(count[path], 'message')} of this file {'goes' if count[path] == 1 else 'go'} out by a bare print, "
            "without level, time or source: errors cannot be told from chatter, found or alerted on.",
            first[path].line,
            first[path].end_line,
            cwe=778,
        )
        for path in ordered
    ]
