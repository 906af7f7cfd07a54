"""The outputs that every command with a report can write: options, the filter, and the one place where a format's name meets its renderer."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auditor.command_line import say
from auditor.errors import UsageError

if TYPE_CHECKING:
    from auditor.model.report import Report

_FILE = "FILE"
Junit = Annotated[Path | None, typer.Option(metavar=_FILE, help="Write JUnit XML: a suite for each category, a case for each item.")]
Gitlab = Annotated[Path | None, typer.Option(metavar=_FILE, help="Write GitLab's Code Quality report.")]
Markdown = Annotated[Path | None, typer.Option(metavar=_FILE, help="Write a pull-request comment of at most 30 lines.")]
Summary = Annotated[Path | None, typer.Option(metavar=_FILE, help="Append a step summary: the comment and the categories.")]
Register = Annotated[Path | None, typer.Option("--csv", metavar=_FILE, help="Write the open items as a risk register.")]
Badge = Annotated[Path | None, typer.Option(metavar=_FILE, help="Write an SVG badge with grade, date and commit.")]
Annotations = Annotated[bool, typer.Option("--annotations", help="Print GitHub workflow commands that annotate the lines.")]
Severities = Annotated[
    list[str] | None, typer.Option("--severity", metavar="NAME", help="Show this severity only (repeatable), in every output.")
]
Categories = Annotated[
    list[str] | None, typer.Option("--category", metavar="NAME", help="Show this category only (repeatable), in every output.")
]


@dataclasses.dataclass(frozen=True, slots=True)
class Wanted:
    """What to write besides the page, the JSON and SARIF, and what to leave in."""

    targets: Mapping[str, Path | None]
    annotations: bool = False
    severities: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that will be written."""
        return tuple(path for path in self.targets.values() if path is not None)


def wanted(
    *,
    junit: Path | None,
    gitlab: Path | None,
    markdown: Path | None,
    summary: Path | None,
    csv: Path | None,
    badge: Path | None,
    annotations: bool,
    severity: list[str] | None,
    category: list[str] | None,
) -> Wanted:
    """The options as one value, checked before any work is done.

    Raises:
        UsageError: a file cannot be written, or there is no such severity or category.
    """
    from auditor.render.files import check_target

    targets = {"junit": junit, "gitlab": gitlab, "markdown": markdown, "summary": summary, "csv": csv, "badge": badge}
    for path in targets.values():
        if path is not None:
            check_target(path)
    return Wanted(targets, annotations, _severities(severity), _categories(category))


def filtered(report: Report, wanted_: Wanted) -> Report:
    """The report with what the options leave in."""
    from auditor.model.verdict import Severity
    from auditor.render.entries import filtered as narrowed

    return narrowed(report, frozenset(Severity(one) for one in wanted_.severities), frozenset(wanted_.categories))


def write(report: Report, wanted_: Wanted) -> None:
    """Write every file that is wanted, and the annotations to stdout."""
    from auditor.render.files import write_file

    for name, path in wanted_.targets.items():
        if path is not None:
            data = _renderer(name)(report)
            before = path.read_bytes() if name == "summary" and path.is_file() else b""
            write_file(path, before + data)
    if wanted_.annotations:
        from auditor.render.github import to_annotations

        say(to_annotations(report))
        sys.stdout.flush()


def _renderer(name: str) -> Callable[[Report], bytes]:
    from auditor.render import badge, gitlab, junit, markdown, register

    return {
        "junit": junit.to_junit,
        "gitlab": gitlab.to_gitlab,
        "markdown": markdown.to_comment,
        "summary": markdown.to_summary,
        "csv": register.to_register,
        "badge": badge.to_badge,
    }[name]


def _severities(names: list[str] | None) -> tuple[str, ...]:
    from auditor.model.verdict import Severity

    return tuple(_known(name, [one.value for one in Severity], "--severity") for name in _split(names))


def _categories(names: list[str] | None) -> tuple[str, ...]:
    if not names:
        return ()
    from auditor.catalogue import catalogue

    return tuple(_known(name, [one.id for one in catalogue().categories], "--category") for name in _split(names))


def _split(names: list[str] | None) -> list[str]:
    return [name.strip() for given in names or () for name in given.split(",") if name.strip()]


def _known(name: str, known: list[str], option: str) -> str:
    if name in known:
        return name
    import difflib

    near = difflib.get_close_matches(name, known, n=1)
    raise UsageError(f"{option} {name!r} is none of {', '.join(known)}{f'; did you mean {near[0]!r}?' if near else ''}")
