"""The command line: parses, calls, prints. What an audit is stands in `auditor.engine`, how it looks in `auditor.render`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from auditor import agent_commands, outputs
from auditor.advisory_commands import app as advisory_commands
from auditor.advisory_commands import default_advisories
from auditor.command_line import command, interrupted, reporter, say, wants_colour
from auditor.errors import ExitCode
from auditor.gate_commands import baseline as baseline_command
from auditor.gate_commands import gate
from auditor.report_commands import compare, read_look, read_report, read_rulings, with_baseline, with_triage
from auditor.version import __version__

app = typer.Typer(
    name="auditor",
    help="Production-readiness audit of a repository, with evidence for every verdict.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(advisory_commands, name="advisories")
app.command()(compare)
app.command()(gate)
for _command in (agent_commands.fixes, agent_commands.verify, agent_commands.agent_rules, agent_commands.mcp):
    app.command()(_command)
app.command("baseline")(baseline_command)


def main() -> None:
    """Entry point of the `auditor` program."""
    try:
        app()
    except KeyboardInterrupt:
        interrupted()


def _version(wanted: bool) -> None:
    if wanted:
        say(f"auditor {__version__}\n")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")] = False,
) -> None:
    """Production-readiness audit of a repository, with evidence for every verdict.

    Exit codes: 0 fine, 1 gate failed, 2 wrong use, 3 gate cannot say, 4 nothing to audit, 5 internal error, 6 a server was not reached,
    7 no program to print a PDF with, 130 interrupted.
    """


@app.command()
@command
def audit(
    path: Annotated[
        str, typer.Argument(help="The repository: a directory, an archive (zip, tar), or the address of a git repository.", metavar="PATH")
    ],
    *,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the HTML report.")] = None,
    edition: Annotated[str, typer.Option(metavar="EDITION", help="How much of the HTML report: full or executive.")] = "full",
    json: Annotated[str | None, typer.Option(metavar="FILE", help="Write the whole result as JSON; - for stdout.")] = None,
    sarif: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the findings as SARIF 2.1.0.")] = None,
    pdf: Annotated[Path | None, typer.Option(metavar="FILE", help="Print the report as PDF, with an installed Chromium.")] = None,
    junit: outputs.Junit = None,
    gitlab: outputs.Gitlab = None,
    markdown: outputs.Markdown = None,
    summary: outputs.Summary = None,
    csv: outputs.Register = None,
    badge: outputs.Badge = None,
    annotations: outputs.Annotations = False,
    severity: outputs.Severities = None,
    category: outputs.Categories = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print one line only.")] = False,
    date: Annotated[str | None, typer.Option(metavar="YYYY-MM-DD", help="Date of the audit.  [default: today]")] = None,
    timeout: Annotated[float | None, typer.Option(metavar="SECONDS", help="Time for everything; what is not finished is unknown.")] = None,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Neither use nor fill the cache.")] = False,
    cache_dir: Annotated[Path | None, typer.Option(metavar="DIR", help="Where to keep the cache.  [default: the user's]")] = None,
    workers: Annotated[int | None, typer.Option(metavar="N", help="Processes to use.  [default: one per core]")] = None,
    interview: Annotated[Path | None, typer.Option(metavar="FILE", help="Answers of people, a form of `auditor interview`.")] = None,
    baseline: Annotated[Path | None, typer.Option(metavar="OLD.json", help="An earlier report: show what changed since.")] = None,
    triage: Annotated[Path | None, typer.Option(metavar="FILE", help="What people ruled about findings, a triage.toml.")] = None,
    theme: Annotated[Path | None, typer.Option(metavar="FILE", help="Whose report it is: name, logo, colour, texts, a theme.toml.")] = None,
    language: Annotated[
        str, typer.Option(metavar="CODE", help="Language of the HTML report's frame: en or de.  [default: the theme's]")
    ] = "",
    advisories: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Known vulnerabilities: a store or an OSV archive.  [default: the user's store]")
    ] = None,
    online: Annotated[bool, typer.Option("--online", help="Allow look-ups of known vulnerabilities over the network.")] = False,
    osv_service: Annotated[
        str, typer.Option(metavar="URL", help="Address of the OSV service for --online.  [default: https://api.osv.dev]")
    ] = "",
    only: Annotated[list[str] | None, typer.Option(metavar="ITEM", help="Judge this item only (repeatable); gives no grade.")] = None,
    part: Annotated[str, typer.Option(metavar="FOLDER", help="Audit one part of a monorepo, with what it stands on.")] = "",
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Settings of yours; those of the repository are never used unasked.")
    ] = None,
    progress: Annotated[bool | None, typer.Option("--progress/--no-progress", help="Progress on stderr.  [default: in a terminal]")] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show the trace of an internal error.")] = False,
) -> None:
    """Audit a repository: a summary here, the whole report with --html and --json."""
    from auditor.render.files import check_target
    from auditor.tools.printer import find_printer

    _check_edition(edition)
    to_stdout = json == "-"
    targets = {"html": html, "json": None if json is None or to_stdout else Path(json), "sarif": sarif, "pdf": pdf}
    for target in targets.values():
        if target is not None:
            check_target(target)
    if pdf is not None:
        find_printer()
    earlier, rulings, look = (read_report(baseline) if baseline else None), read_rulings(triage), read_look(theme, language)
    others = outputs.wanted(
        junit=junit,
        gitlab=gitlab,
        markdown=markdown,
        summary=summary,
        csv=csv,
        badge=badge,
        annotations=annotations,
        severity=severity,
        category=category,
    )
    from auditor import engine
    from auditor.configuration import load
    from auditor.sources import opened

    settings = load(config) if config else None
    told = reporter(sys.stderr.isatty() if progress is None else progress)
    with opened(path, told) as root:
        report = engine.audit(
            root,
            date=date,
            timeout=timeout,
            cache_dir=engine.DEFAULT_CACHE if cache_dir is None else cache_dir,
            use_cache=not no_cache,
            workers=workers,
            advisories=advisories or default_advisories(),
            interview=interview,
            online=online,
            osv_service=osv_service,
            only=tuple(only or ()),
            settings=settings,
            part=part,
            progress=told,
            debug=debug,
        )
    report = with_baseline(with_triage(report, rulings), earlier)
    shown = outputs.filtered(report, others)
    _deliver(shown, look, edition=edition, **targets)
    outputs.write(shown, others)
    if to_stdout:
        _say_json(shown)
    else:
        _print_summary(shown, quiet=quiet, saved=tuple(str(target) for target in (*targets.values(), *others.files) if target is not None))
    if not report.scope.languages:
        raise SystemExit(int(ExitCode.NOTHING_TO_AUDIT))


def _check_edition(edition: str) -> None:
    """Refuse an edition there is none of, before any work is done."""
    from auditor.errors import UsageError

    if edition not in {"full", "executive"}:
        raise UsageError(f"--edition {edition!r} is unknown: write full or executive")


def _deliver(
    report: Any,
    theme: Any,
    *,
    edition: str,
    html: Path | None = None,
    json: Path | None = None,
    sarif: Path | None = None,
    pdf: Path | None = None,
) -> None:
    from auditor.render.files import write_file

    if html is not None or pdf is not None:
        from auditor.render.html import to_html
        from auditor.render.view import Edition

        page = to_html(report, Edition(edition), theme=theme)
        if html is not None:
            write_file(html, page)
        if pdf is not None:
            from auditor.tools.printer import to_pdf

            write_file(pdf, to_pdf(page, date=report.date))
    if json is not None:
        from auditor.render.json_report import to_json

        write_file(json, to_json(report))
    if sarif is not None:
        from auditor.render.sarif import to_sarif

        write_file(sarif, to_sarif(report))


def _say_json(report: Any) -> None:
    from auditor.render.json_report import to_json

    sys.stdout.buffer.write(to_json(report))


def _print_summary(report: Any, *, quiet: bool, saved: tuple[str, ...]) -> None:
    from auditor.render.terminal import to_line, to_terminal

    say(to_line(report) if quiet else to_terminal(report, colour=wants_colour(), saved=saved))


@app.command()
@command
def render(
    report: Annotated[Path, typer.Argument(help="A report written with --json.", metavar="REPORT.json")],
    *,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the HTML report.")] = None,
    edition: Annotated[str, typer.Option(metavar="EDITION", help="How much of the HTML report: full or executive.")] = "full",
    sarif: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the findings as SARIF 2.1.0.")] = None,
    pdf: Annotated[Path | None, typer.Option(metavar="FILE", help="Print the report as PDF, with an installed Chromium.")] = None,
    json: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the result again, with the answers given.")] = None,
    junit: outputs.Junit = None,
    gitlab: outputs.Gitlab = None,
    markdown: outputs.Markdown = None,
    summary: outputs.Summary = None,
    csv: outputs.Register = None,
    badge: outputs.Badge = None,
    annotations: outputs.Annotations = False,
    severity: outputs.Severities = None,
    category: outputs.Categories = None,
    interview: Annotated[Path | None, typer.Option(metavar="FILE", help="Answers of people, a form of `auditor interview`.")] = None,
    baseline: Annotated[Path | None, typer.Option(metavar="OLD.json", help="An earlier report: show what changed since.")] = None,
    triage: Annotated[Path | None, typer.Option(metavar="FILE", help="What people ruled about findings, a triage.toml.")] = None,
    theme: Annotated[Path | None, typer.Option(metavar="FILE", help="Whose report it is: name, logo, colour, texts, a theme.toml.")] = None,
    language: Annotated[
        str, typer.Option(metavar="CODE", help="Language of the HTML report's frame: en or de.  [default: the theme's]")
    ] = "",
    terminal: Annotated[bool, typer.Option("--terminal", help="Print the summary (the default without an output file).")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the trace of an internal error.")] = False,  # noqa: ARG001 - read by command
) -> None:
    """Make reports or the summary from a stored JSON report, with the answers of an interview where one was held since."""
    _check_edition(edition)
    others = outputs.wanted(
        junit=junit,
        gitlab=gitlab,
        markdown=markdown,
        summary=summary,
        csv=csv,
        badge=badge,
        annotations=annotations,
        severity=severity,
        category=category,
    )
    stored = read_report(report)
    if interview is not None or stored.interview is None:
        from auditor.interview import hold, read

        stored = hold(stored, read(interview) if interview else ())
    look = read_look(theme, language)
    stored = with_baseline(with_triage(stored, read_rulings(triage)), read_report(baseline) if baseline else None)
    stored = outputs.filtered(stored, others)
    _deliver(stored, look, edition=edition, html=html, json=json, sarif=sarif, pdf=pdf)
    outputs.write(stored, others)
    saved = tuple(str(target) for target in (html, json, sarif, pdf, *others.files) if target is not None)
    if terminal or not (saved or annotations):
        _print_summary(stored, quiet=False, saved=saved)


@app.command()
@command
def interview(
    form: Annotated[Path, typer.Argument(help="The form: written when it is not there, read and checked when it is.", metavar="FILE")],
    debug: Annotated[bool, typer.Option("--debug", help="Show the trace of an internal error.")] = False,  # noqa: ARG001 - read by command
) -> None:
    """Write an empty form of the questions only people can answer, or check a filled one; `audit --interview` weighs it."""
    from auditor import interview as asked
    from auditor.render.explain import answers_text
    from auditor.render.files import write_file

    if form.exists():
        say(answers_text(asked.read(form)))
    else:
        write_file(form, asked.form().encode())
        say(f"{form}: {len(asked.questions())} questions to fill in, then `auditor audit PATH --interview {form}`\n")


@app.command()
@command
def sbom(
    path: Annotated[Path, typer.Argument(help="The repository.", metavar="PATH")],
    *,
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to write it.  [default: stdout]")] = None,
    cyclonedx: Annotated[str, typer.Option(metavar="VERSION", help="Version of CycloneDX: 1.6 or 1.5.")] = "1.6",
    date: Annotated[str | None, typer.Option(metavar="YYYY-MM-DD", help="Date of the document.  [default: today]")] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show the trace of an internal error.")] = False,  # noqa: ARG001 - read by command
) -> None:
    """Write the bill of materials of a repository's lock files as CycloneDX JSON.

    Nothing is installed or looked up: hashes, licences and relations stand in it where the lock files hold them.
    """
    from auditor.command_line import complain, today
    from auditor.render.files import check_target, write_file
    from auditor.sbom import sbom as make

    if output is not None:
        check_target(output)
    made = make(path, date=date or today(), version=cyclonedx)
    if output is None:
        sys.stdout.buffer.write(made.document)
    else:
        write_file(output, made.document)
    for place, reason in made.gaps:
        complain(f"{place}: {reason}")


@app.command()
@command
def migrations(
    path: Annotated[Path, typer.Argument(help="A repository, a folder of migrations, or one migration.", metavar="PATH")],
    *,
    json: Annotated[bool, typer.Option("--json", help="Every operation of every file as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="One line for each finding, without the safe steps.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the trace of an internal error.")] = False,  # noqa: ARG001 - read by command
) -> None:
    """Judge schema changes: what locks, loses data or breaks code that still runs, what cannot be taken back, and the safe way instead.

    Reads Alembic, Django, SQL files, Supabase, Flyway, dbmate, golang-migrate, Prisma, Knex, TypeORM, Sequelize and Drizzle; runs nothing and needs no database.

    Exit codes: 0 nothing unsafe, 1 something unsafe or a problem of the set, 2 wrong use, 4 no migrations.
    """
    from auditor.migrations import classify_path
    from auditor.render.migrations import to_json, to_text

    report = classify_path(path)
    if json:
        sys.stdout.buffer.write(to_json(report))
    else:
        say(to_text(report, colour=wants_colour(), steps=not quiet))
    if not report.files:
        raise SystemExit(int(ExitCode.NOTHING_TO_AUDIT))
    if not report.sound:
        raise SystemExit(int(ExitCode.GATE_FAILED))


@app.command()
@command
def explain(
    item: Annotated[str, typer.Argument(help="An item's id, such as secrets.none-committed.", metavar="ID")],
    debug: Annotated[bool, typer.Option("--debug", help="Show the trace of an internal error.")] = False,  # noqa: ARG001 - read by command
) -> None:
    """Explain one item of the checklist: what it claims, why it matters, how to fix it, what it cannot see."""
    from auditor.catalogue import catalogue
    from auditor.render.explain import to_text

    say(to_text(catalogue().item(item)))


@app.command()
@command
def checks(
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the trace of an internal error.")] = False,  # noqa: ARG001 - read by command
) -> None:
    """List the items of the checklist and which of them this version judges."""
    from auditor.catalogue import catalogue
    from auditor.render.explain import list_json, list_text

    known = catalogue()
    if json:
        sys.stdout.buffer.write(list_json(known.items))
    else:
        say(list_text(known.items, known.categories))


@app.command()
@command
def doctor(
    debug: Annotated[bool, typer.Option("--debug", help="Show the trace of an internal error.")] = False,  # noqa: ARG001 - read by command
) -> None:
    """Show which tools and data are there, and what would be unknown without them."""
    from auditor.engine import doctor as examine

    for line in examine():
        state = f"{line.version or 'found'}" if line.available else "MISSING"
        say(f"{line.name:<14} {state:<12} needed for {', '.join(line.needed_for) or 'nothing'}\n")
        if not line.available:
            say(f"{'':<14} {'':<12} {line.remedy}\n")


if __name__ == "__main__":
    main()
