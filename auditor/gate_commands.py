"""The commands of the gate: parse, call, print. What a gate says stands in `auditor.gate`, the file in `auditor.baseline`."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from auditor import outputs
from auditor.advisory_commands import default_advisories
from auditor.command_line import command, complain, reporter, say
from auditor.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from auditor.baseline import Baseline
    from auditor.gate import Comparison
    from auditor.model.report import Report
    from auditor.model.settings import Settings
    from auditor.tools.revisions import Base

_PATH = typer.Argument(help="The repository, your own: its configuration is used.", metavar="PATH")
_CONFIG = typer.Option("--config", metavar="FILE", help="The configuration.  [default: auditor.toml or pyproject.toml of PATH]")
_BASELINE = typer.Option("--baseline", metavar="FILE", help="The baseline.  [default: as configured, or auditor-baseline.txt of PATH]")
_DATE = typer.Option(metavar="YYYY-MM-DD", help="Date of the audit.  [default: today]")
_NO_CACHE = typer.Option("--no-cache", help="Neither use nor fill the cache.")
_CACHE_DIR = typer.Option(metavar="DIR", help="Where to keep the cache.  [default: the user's]")
_WORKERS = typer.Option(metavar="N", help="Processes to use.  [default: one per core]")
_ADVISORIES = typer.Option(metavar="FILE", help="Known vulnerabilities: a store or an OSV archive.  [default: the user's store]")
_ONLY = typer.Option(metavar="ITEM", help="Judge this item only (repeatable); the grade is not compared then.")
_PART = typer.Option(metavar="FOLDER", help="One part of a monorepo, with what it stands on.")
_PROGRESS = typer.Option("--progress/--no-progress", help="Progress on stderr.  [default: in a terminal]")
_DEBUG = typer.Option("--debug", help="Show the trace of an internal error.")


@command
def gate(
    path: Annotated[Path, _PATH],
    *,
    profile: Annotated[
        str | None, typer.Option(metavar="NAME", help="experimental, standard or critical, instead of the configured one.")
    ] = None,
    baseline: Annotated[Path | None, _BASELINE] = None,
    changed_since: Annotated[
        str | None,
        typer.Option(
            metavar="REV", help="Only what changed since REV can fail; all of it is examined. REV's own baseline and settings count."
        ),
    ] = None,
    config: Annotated[Path | None, _CONFIG] = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the HTML report.")] = None,
    json: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the whole result as JSON.")] = None,
    sarif: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the findings as SARIF 2.1.0.")] = None,
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
    date: Annotated[str | None, _DATE] = None,
    no_cache: Annotated[bool, _NO_CACHE] = False,
    cache_dir: Annotated[Path | None, _CACHE_DIR] = None,
    workers: Annotated[int | None, _WORKERS] = None,
    advisories: Annotated[Path | None, _ADVISORIES] = None,
    part: Annotated[str, _PART] = "",
    only: Annotated[list[str] | None, _ONLY] = None,
    progress: Annotated[bool | None, _PROGRESS] = None,
    debug: Annotated[bool, _DEBUG] = False,
) -> None:
    """Fail on what is new: blocker and high findings, copies, a falling grade; what stood there before never fails.

    Without a baseline every finding counts, unless --changed-since names a revision: then that revision is audited too and is the baseline.

    Exit codes: 0 passed, 1 failed, 2 wrong use, 3 cannot say (too much undecided, or a baseline of other rules), 4 nothing to audit.
    """
    from auditor.gate import judge
    from auditor.render.files import check_target

    for target in (html, json, sarif):
        if target is not None:
            check_target(target)
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
    audit = _auditor(
        date=date,
        no_cache=no_cache,
        cache_dir=cache_dir,
        workers=workers,
        advisories=advisories,
        only=only,
        part=part,
        progress=progress,
        debug=debug,
    )
    base = _base(path, changed_since)
    settings = _with_profile(_settings(path, config, base), profile)
    comparison = _comparison(path, base, settings, baseline, audit)
    report = audit(path, settings)
    if not report.scope.languages:
        _nothing_to_audit(path)
    report = dataclasses.replace(report, gate=judge(report, settings, dataclasses.replace(comparison, partial=bool(only))))
    shown = outputs.filtered(report, others)
    _write(shown, html=html, json=json, sarif=sarif)
    outputs.write(shown, others)
    _answer(shown, quiet=quiet)


@command
def baseline(
    path: Annotated[Path, _PATH],
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to write it.  [default: as `gate` reads it]")
    ] = None,
    accept: Annotated[bool, typer.Option("--accept", help="Take in everything that stands now, new findings too.")] = False,
    config: Annotated[Path | None, _CONFIG] = None,
    date: Annotated[str | None, _DATE] = None,
    no_cache: Annotated[bool, _NO_CACHE] = False,
    cache_dir: Annotated[Path | None, _CACHE_DIR] = None,
    workers: Annotated[int | None, _WORKERS] = None,
    advisories: Annotated[Path | None, _ADVISORIES] = None,
    part: Annotated[str, _PART] = "",
    only: Annotated[list[str] | None, _ONLY] = None,
    progress: Annotated[bool | None, _PROGRESS] = None,
    debug: Annotated[bool, _DEBUG] = False,
) -> None:
    """Write the baseline of a gate: what stands now and shall not fail it.

    Where there is one already it is pruned: what is gone is taken out, what is new is not taken in unless --accept is given.
    """
    from auditor.baseline import foreign, of_report, pruned, read, to_text
    from auditor.render.files import check_target, write_file
    from auditor.words import plural

    settings = _settings(path, config, None)
    target = output or _baseline_path(path, settings)
    check_target(target)
    audit = _auditor(
        date=date,
        no_cache=no_cache,
        cache_dir=cache_dir,
        workers=workers,
        advisories=advisories,
        only=only,
        part=part,
        progress=progress,
        debug=debug,
    )
    old = read(target) if target.exists() and not accept else None
    report = audit(path, settings)
    if not report.scope.languages:
        _nothing_to_audit(path)
    if old is None:
        made = of_report(report, settings.layers)
        write_file(target, to_text(made).encode())
        say(
            f"{target}: {plural(len(made.findings), 'finding')} of {plural(len({one.item for one in made.findings}), 'item')} accepted as they stand\n"
        )
        return
    reason = foreign(old, report)
    if reason:
        raise UsageError(f"{reason}: it cannot be pruned; --accept writes it anew with everything that stands now")
    kept = pruned(old, report, settings.layers)
    write_file(target, to_text(kept.baseline).encode())
    new = f"; {kept.left_out:,} new not taken in (--accept does)" if kept.left_out else ""
    say(f"{target}: {plural(kept.kept, 'finding')} kept, {kept.gone:,} gone and taken out{new}\n")


def _auditor(
    *,
    date: str | None,
    no_cache: bool,
    cache_dir: Path | None,
    workers: int | None,
    advisories: Path | None,
    only: list[str] | None,
    part: str,
    progress: bool | None,
    debug: bool,
) -> Callable[[Path, Settings], Report]:
    """The audit with everything but its path and settings."""

    def audit(path: Path, settings: Settings) -> Report:
        from auditor import engine

        return engine.audit(
            path,
            date=date,
            cache_dir=engine.DEFAULT_CACHE if cache_dir is None else cache_dir,
            use_cache=not no_cache,
            workers=workers,
            advisories=advisories or default_advisories(),
            only=tuple(only or ()),
            settings=settings,
            part=part,
            progress=reporter(sys.stderr.isatty() if progress is None else progress),
            debug=debug,
        )

    return audit


def _base(path: Path, revision: str | None) -> Base | None:
    from auditor.tools.revisions import base_of

    if revision is None:
        return None
    if not path.is_dir():
        raise UsageError(f"{path} is not a directory: give the path of a repository")
    return base_of(path, revision)


def _settings(path: Path, config: Path | None, base: Base | None) -> Settings:
    """The configuration: the one named, or the repository's own; as it stood at the base where there is one, so that a change cannot loosen its own gate."""
    from auditor import configuration
    from auditor.model.settings import Settings
    from auditor.tools.revisions import content, tracked

    if not path.is_dir():
        raise UsageError(f"{path} {'is not a directory' if path.exists() else 'does not exist'}: give the path of a repository")
    if base is None:
        found = config or configuration.find(path)
        return configuration.load(found) if found else Settings()
    own = _inside(config, path) if config else None
    if config and (own is None or (content(base, own) is None and not tracked(base, own))):
        return configuration.load(config)
    for name in (own,) if own else configuration.FILES:
        data = content(base, name)
        if data is not None and (name != "pyproject.toml" or b"[tool.auditor" in data):
            return dataclasses.replace(configuration.parse(data, Path(name).name), source=f"{name} of {base.name}")
    if config or configuration.find(path):
        complain(f"the configuration is new in this change and counts from the next one on: {base.name} has none")
    return Settings()


def _with_profile(settings: Settings, profile: str | None) -> Settings:
    from auditor.model.settings import POLICIES, Profile

    if profile is None:
        return settings
    try:
        return dataclasses.replace(settings, policy=POLICIES[Profile(profile)])
    except ValueError:
        raise UsageError(f"--profile {profile!r} is none of {', '.join(one.value for one in Profile)}") from None


def _baseline_path(path: Path, settings: Settings) -> Path:
    from auditor.baseline import NAME

    return path / (settings.baseline or NAME)


def _comparison(
    path: Path, base: Base | None, settings: Settings, named: Path | None, audit: Callable[[Path, Settings], Report]
) -> Comparison:
    """What the report will be compared with; read before the audit, so that a mistake is told at once."""
    from auditor import baseline as file
    from auditor.gate import Comparison
    from auditor.tools.revisions import changed

    target = named or _baseline_path(path, settings)
    if base is None:
        if not target.exists() and (named or settings.baseline):
            raise UsageError(f"there is no baseline {target}: `auditor baseline {path}` writes one")
        if target.exists():
            return Comparison(file.read(target), target.name)
        return Comparison(None, "nothing: there is no baseline, every finding counts")
    change = changed(base)
    shared: dict[str, Any] = {"changed": change.now, "changed_since": base.name, "vouched": _vouched(base, settings, change.then)}
    stored = _baseline_at(base, path, target)
    if stored is not None:
        return Comparison(stored, stored.source, **shared)
    if named and not target.exists():
        raise UsageError(f"there is no baseline {target}: `auditor baseline {path}` writes one")
    return Comparison(_audited(base, settings, audit), f"an audit of {base.name}", audited=True, **shared)


def _baseline_at(base: Base, path: Path, target: Path) -> Baseline | None:
    """The baseline as it stood at the base; one that git does not know at all comes from whoever runs the gate and counts as it is."""
    from auditor import baseline as file
    from auditor.tools.revisions import content, tracked

    own = _inside(target, path)
    if own is not None:
        data = content(base, own)
        if data is not None:
            return file.parse(data, f"{own} of {base.name}")
        if tracked(base, own):
            complain(f"{target} is new in this change: {base.name} is audited instead")
            return None
    return file.read(target) if target.exists() else None


def _audited(base: Base, settings: Settings, audit: Callable[[Path, Settings], Report]) -> Baseline:
    import tempfile

    from auditor.baseline import of_report
    from auditor.errors import NothingToAuditError
    from auditor.tools.revisions import lay_out

    with tempfile.TemporaryDirectory(prefix="auditor-base-", ignore_cleanup_errors=True) as folder:
        root = lay_out(base, Path(folder))
        try:
            return dataclasses.replace(of_report(audit(root, settings), settings.layers), source=base.name)
        except (NothingToAuditError, UsageError) as error:
            raise UsageError(f"--changed-since {base.name}: {error}") from None


def _vouched(base: Base, settings: Settings, paths: frozenset[str]) -> tuple[Any, ...]:
    """The suppressions that stood at the base in files the change touches, and those of files it does not touch as they are."""
    from auditor.suppressions import declared
    from auditor.tools.revisions import content

    texts = {
        path: data.decode("utf-8", "replace") for path in sorted(paths) if (data := content(base, path)) is not None and b"auditor:" in data
    }
    return (*declared(texts), *settings.suppressions)


def _inside(path: Path, root: Path) -> str | None:
    try:
        return path.resolve().relative_to(root.resolve()).as_posix()
    except ValueError:
        return None


def _nothing_to_audit(path: Path) -> None:
    from auditor.errors import NothingToAuditError

    raise NothingToAuditError(f"{path} holds no source code that is read: nothing to audit")


def _write(report: Report, *, html: Path | None, json: Path | None, sarif: Path | None) -> None:
    from auditor.render.files import write_file

    if html is not None:
        from auditor.render.html import to_html

        write_file(html, to_html(report))
    if json is not None:
        from auditor.render.json_report import to_json

        write_file(json, to_json(report))
    if sarif is not None:
        from auditor.render.sarif import to_sarif

        write_file(sarif, to_sarif(report))


def _answer(report: Report, *, quiet: bool) -> None:
    from auditor.model.gate import Standing
    from auditor.render.gate import to_text

    assert report.gate is not None
    say(to_text(report.gate, quiet=quiet))
    codes = {Standing.FAILED: ExitCode.GATE_FAILED, Standing.CANNOT_SAY: ExitCode.CANNOT_SAY}
    if report.gate.standing in codes:
        raise SystemExit(int(codes[report.gate.standing]))
