"""The commands on reports that exist: parse, call, print. What a comparison is stands in `auditor.comparison`."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from auditor.command_line import command, complain, say, wants_colour
from auditor.errors import ExitCode, UsageError
from auditor.model.report import Report
from auditor.model.theme import Theme
from auditor.model.triage import Ruling


def read_report(path: Path) -> Report:
    """The stored report at `path`.

    Raises:
        UsageError: it cannot be read, or it is no report of a version that can be read.
    """
    from auditor.render.json_report import from_json

    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from None
    return from_json(data, str(path))


def read_rulings(path: Path | None) -> Sequence[Ruling] | None:
    """The rulings of a triage file, None without one."""
    from auditor.triage import read

    return read(path) if path else None


def read_look(path: Path | None, language: str = "") -> Theme:
    """The theme of a file, the tool's own look without one; a `language` that is named counts more than the theme's."""
    from auditor.render.language import language as known
    from auditor.theme import read_theme

    theme = read_theme(path) if path else Theme()
    if language:
        theme = dataclasses.replace(theme, language=language)
    return dataclasses.replace(theme, language=known(theme.language).code)


def with_triage(report: Report, rulings: Sequence[Ruling] | None) -> Report:
    """The report with what people ruled about its findings; what does not count is said on stderr."""
    from auditor.comparison import ruled
    from auditor.triage import apply, complaints

    if rulings is None:
        return report
    report = apply(report, rulings)
    if report.triage:
        for line in complaints(report.triage.rulings):
            complain(line)
    return report if report.before is None else dataclasses.replace(report, before=ruled(report.before, report.triage))


def with_baseline(report: Report, earlier: Report | None) -> Report:
    """The report with what changed since an earlier one."""
    from auditor.comparison import compare as compared

    return report if earlier is None else dataclasses.replace(report, before=compared(earlier, report))


@command
def compare(
    old: Annotated[Path, typer.Argument(help="The earlier report, written with --json.", metavar="OLD.json")],
    new: Annotated[Path, typer.Argument(help="The later report.", metavar="NEW.json")],
    *,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write before and after as a page.")] = None,
    json: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the comparison as JSON.")] = None,
    language: Annotated[str, typer.Option(metavar="CODE", help="Language of the page: en or de.")] = "en",
    exit_code: Annotated[bool, typer.Option("--exit-code", help="End with 1 when something is new or reopened.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the trace of an internal error.")] = False,  # noqa: ARG001 - read by command
) -> None:
    """Compare two reports: what was fixed, what is new, reopened or still open, and both grades in one score model.

    Findings are known again by their code, not by line numbers: a moved line or a renamed file changes nothing.

    Exit codes: 0 compared, 1 something is new or reopened (only with --exit-code), 2 wrong use.
    """
    from auditor.render.changes import to_json, to_terminal
    from auditor.render.files import check_target, write_file

    for target in (html, json):
        if target is not None:
            check_target(target)
    report = with_baseline(read_report(new), read_report(old))
    assert report.before is not None
    if html is not None:
        from auditor.render.html import changes_page

        write_file(html, changes_page(report, language=read_look(None, language).language))
    if json is not None:
        write_file(json, to_json(report.before))
    say(to_terminal(report.before, colour=wants_colour()))
    if exit_code and report.before.worse:
        raise SystemExit(int(ExitCode.GATE_FAILED))
