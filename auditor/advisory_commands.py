"""The commands of `auditor advisories`: parse, call, print. What the store is stands in `auditor.tools.advisory_store`."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from auditor.command_line import command, reporter, say, today

app = typer.Typer(
    help="Known vulnerabilities, kept on this machine for audits without a network.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
_STORE = typer.Option("--store", metavar="FILE", help="The store to use.  [default: the user's]")
_DEBUG = typer.Option("--debug", help="Show the trace of an internal error.")


def default_advisories() -> Path | None:
    """The user's store, None before it is made."""
    from auditor.tools.advisory_store import default_store

    store = default_store()
    return store if store.is_file() else None


@app.command()
@command
def update(
    ecosystems: Annotated[list[str] | None, typer.Argument(metavar="[pypi|npm]...", help="What to fetch.  [default: both]")] = None,
    *,
    source: Annotated[
        str, typer.Option("--from", metavar="URL", help="A mirror's root, or an address with {ecosystem} in it.  [default: OSV's own]")
    ] = "",
    timeout: Annotated[float, typer.Option(metavar="SECONDS", help="Time for everything.")] = 900.0,
    store: Annotated[Path | None, _STORE] = None,
    progress: Annotated[bool | None, typer.Option("--progress/--no-progress", help="Progress on stderr.  [default: in a terminal]")] = None,
    debug: Annotated[bool, _DEBUG] = False,  # noqa: ARG001 - read by command
) -> None:
    """Fetch all known vulnerabilities of PyPI and npm from OSV (npm's are a few hundred megabytes).

    Proxies and certificates come from the environment (HTTPS_PROXY, NO_PROXY, REQUESTS_CA_BUNDLE). What cannot be fetched leaves the store as it was.

    Exit codes: 0 everything fetched, 2 wrong use, 6 something was not fetched.
    """
    from auditor.errors import UnreachableError, UsageError
    from auditor.tools import advisory_update
    from auditor.tools.osv import ECOSYSTEMS, AdvisoryError

    wanted = [name.lower() for name in ecosystems or ECOSYSTEMS]
    for name in wanted:
        if name not in ECOSYSTEMS:
            raise UsageError(f"{name} is no ecosystem that is looked up: {' or '.join(ECOSYSTEMS)}")
    if timeout <= 0:
        raise UsageError("--timeout must be more than 0 seconds")
    source = source or advisory_update.SOURCE
    if not source.startswith(("https://", "http://")):
        raise UsageError(
            f"--from {source!r} is no address: give one that begins with https:// or http://, or use `auditor advisories build` for files"
        )
    report = reporter(sys.stderr.isatty() if progress is None else progress)
    target = _store(store)
    try:
        failed = advisory_update.update(target, dict.fromkeys(wanted), source=source, seconds=timeout, progress=report)
    except AdvisoryError as error:
        raise UsageError(str(error)) from None
    _say_holdings(target, [name for name in wanted if name not in failed])
    if failed:
        raise UnreachableError(
            "; ".join(f"{name}: {reason}" for name, reason in failed.items()) + "; what the store held of it is unchanged"
        )


@app.command()
@command
def build(
    sources: Annotated[list[Path], typer.Argument(metavar="SOURCE...", help="OSV exports: zips, JSON files, or checkouts.")],
    *,
    store: Annotated[Path | None, _STORE] = None,
    debug: Annotated[bool, _DEBUG] = False,  # noqa: ARG001 - read by command
) -> None:
    """Make the store from files, where there is no network.

    An ecosystem that the files speak of is replaced, others stay. Files: OSV's all.zip of an ecosystem, a checkout of an advisory database (OSV records in
    JSON or YAML), rows of Retire.js.

    Exit codes: 0 made, 2 a file cannot be read or holds nothing about PyPI or npm.
    """
    from auditor.errors import UsageError
    from auditor.tools import osv
    from auditor.tools.advisory_store import replace_ecosystems

    for source in sources:
        if not source.exists():
            raise UsageError(f"{source} does not exist")
    target = _store(store)
    try:
        data = osv.load(*sources)
        replace_ecosystems(target, data, dict.fromkeys(data.modified, ", ".join(source.name for source in sources)))
    except osv.AdvisoryError as error:
        raise UsageError(str(error)) from None
    _say_holdings(target, list(data.modified))


@app.command()
@command
def status(
    *,
    store: Annotated[Path | None, _STORE] = None,
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    debug: Annotated[bool, _DEBUG] = False,  # noqa: ARG001 - read by command
) -> None:
    """Show what the store holds: ecosystems, advisories, date, age, and whether that is all there is.

    Exit codes: 0 shown (also when there is no store yet), 2 the store cannot be read.
    """
    target = _store(store)
    if json:
        import msgspec

        found = [{**msgspec.to_builtins(one), "age_days": _age(one.modified)} for one in _holdings(target)] if target.is_file() else []
        say(msgspec.json.format(msgspec.json.encode({"store": str(target), "ecosystems": found})).decode() + "\n")
    elif target.is_file():
        _say_holdings(target)
        say(f"{target}\n")
    else:
        say(f"There is no store at {target}. `auditor advisories update` fetches one, `auditor advisories build` makes one from files.\n")


def _store(store: Path | None) -> Path:
    from auditor.tools.advisory_store import default_store

    return store or default_store()


def _holdings(store: Path) -> tuple[Any, ...]:
    from auditor.errors import UsageError
    from auditor.tools.advisory_store import holdings
    from auditor.tools.osv import AdvisoryError

    try:
        return holdings(store)
    except AdvisoryError as error:
        raise UsageError(str(error)) from None


def _say_holdings(store: Path, names: list[str] | None = None) -> None:
    """One line for each ecosystem of the store, or for those named."""
    if names == []:
        return
    from auditor.render.text import visible
    from auditor.words import plural

    for one in _holdings(store):
        if names is not None and one.ecosystem not in names:
            continue
        age = _age(one.modified)
        old = "without a date" if age is None else f"newest of {one.modified}, {plural(age, 'day')} old"
        coverage = f"PARTIAL: {one.gap}" if one.gap else "complete export"
        broken = f"; {plural(one.broken, 'record')} could not be read" if one.broken else ""
        line = f"{one.ecosystem:<6} {plural(one.advisories, 'advisory', 'advisories')} for {plural(one.packages, 'package')}, {old}; {coverage}; from {one.source}{broken}"
        say(f"{visible(line)}\n")


def _age(modified: str) -> int | None:
    """Days from the data's date to today."""
    try:
        return (dt.date.fromisoformat(today()) - dt.date.fromisoformat(modified)).days
    except ValueError:
        return None
