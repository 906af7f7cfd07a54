"""The commands for coding assistants: a plan of fixes, the check of one, rules for the assistant, a server. Parse, call, print."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auditor.advisory_commands import default_advisories
from auditor.command_line import command, reporter, say
from auditor.errors import ExitCode, UsageError
from auditor.report_commands import read_report

if TYPE_CHECKING:
    from auditor.model.report import Report


class Assistant(StrEnum):
    """Where an assistant looks for rules."""

    AGENTS = "agents"
    CLAUDE = "claude"
    CURSOR = "cursor"
    COPILOT = "copilot"
    SKILL = "skill"


@command
def fixes(
    path: Annotated[Path, typer.Argument(help="The repository, or a report stored with --json.", metavar="PATH")],
    *,
    json: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the plan as JSON.")] = None,
    markdown: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the plan as Markdown.  [default: print it]")] = None,
    most: Annotated[int | None, typer.Option(metavar="N", min=1, help="Show the first N tasks only.")] = None,
    advisories: Annotated[Path | None, typer.Option(metavar="FILE", help="Known vulnerabilities.  [default: the user's store]")] = None,
    progress: Annotated[bool | None, typer.Option("--progress/--no-progress", help="Progress on stderr.  [default: in a terminal]")] = None,
) -> None:
    """Make an ordered plan of fixes: one task per root cause, with the files it may change, the check that must turn green, and a stop rule."""
    from auditor.render.files import check_target, write_file
    from auditor.render.plan import plan, to_json, to_markdown

    for target in (json, markdown):
        if target is not None:
            check_target(target)
    report = read_report(path) if path.is_file() and path.suffix == ".json" else _audit(path, advisories=advisories, progress=progress)
    made = plan(report)
    if json is not None:
        write_file(json, to_json(made))
    if markdown is not None:
        write_file(markdown, to_markdown(made, most).encode("utf-8", "backslashreplace"))
    if json is None and markdown is None:
        say(to_markdown(made, most))


@command
def verify(
    what: Annotated[str, typer.Argument(help="An item, or ITEM:FINGERPRINT for one finding of it.", metavar="WHAT")],
    path: Annotated[Path, typer.Argument(help="The repository.", metavar="PATH")] = Path(),
    *,
    since: Annotated[
        Path | None, typer.Option(metavar="OLD.json", help="The report the finding is of: follows it where it was moved or changed.")
    ] = None,
    advisories: Annotated[Path | None, typer.Option(metavar="FILE", help="Known vulnerabilities.  [default: the user's store]")] = None,
    progress: Annotated[bool | None, typer.Option("--progress/--no-progress", help="Progress on stderr.  [default: in a terminal]")] = None,
) -> None:
    """Judge one item again, or one finding of it: is it settled?

    Exit codes: 0 settled, 1 open, 2 wrong use, 3 cannot say, 4 nothing to audit.
    """
    from auditor.render.text import visible
    from auditor.verification import Answer
    from auditor.verification import verify as verified

    item, _, finding = what.partition(":")
    before = read_report(since) if since else None
    report = _audit(path, only=(item,), advisories=advisories, progress=progress)
    if not report.scope.languages:
        raise SystemExit(int(ExitCode.NOTHING_TO_AUDIT))
    answer = verified(report, item, finding, before)
    say(f"{answer.answer.value}: {answer.item}: {visible(answer.sentence)}\n")
    for place in answer.places:
        say(f"  {visible(place.path)}{f':{place.line}' if place.line else ''}  {visible(place.message)}\n")
    if answer.open_places > len(answer.places):
        say(f"  and {answer.open_places - len(answer.places):,} more\n")
    codes = {Answer.SETTLED: ExitCode.OK, Answer.OPEN: ExitCode.GATE_FAILED, Answer.CANNOT_SAY: ExitCode.CANNOT_SAY}
    if answer.answer is not Answer.SETTLED:
        raise SystemExit(int(codes[answer.answer]))


@command
def agent_rules(
    assistant: Annotated[Assistant, typer.Option("--for", help="For whom.")] = Assistant.AGENTS,
    *,
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write it here.  [default: print it]")] = None,
) -> None:
    """Print rules that make a coding assistant work with this program: what to run, what never to do, when to stop."""
    from auditor.render.agent_rules import FILES, rules
    from auditor.render.files import check_target, write_file

    text = rules(assistant.value)
    if output is None:
        say(text)
        return
    check_target(output)
    write_file(output, text.encode())
    say(f"{output} (an assistant looks for it at {FILES[assistant.value]})\n")


@command
def mcp(
    root: Annotated[Path, typer.Option(metavar="DIR", help="Only repositories in this directory are audited.")] = Path(),
) -> None:
    """Serve the Model Context Protocol on stdin and stdout: audit, list_findings, explain, next_fix, verify, compare."""
    from auditor.mcp_server import serve

    if not root.is_dir():
        raise UsageError(f"{root} is not a directory")
    serve(root.resolve())
    raise SystemExit(int(ExitCode.OK))  # the SDK has closed stdout: nothing is left to flush


def _audit(path: Path, *, only: tuple[str, ...] = (), advisories: Path | None, progress: bool | None) -> Report:
    from auditor import engine

    return engine.audit(
        path,
        only=only,
        advisories=advisories or default_advisories(),
        progress=reporter(sys.stderr.isatty() if progress is None else progress),
    )
