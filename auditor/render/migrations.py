"""Judged schema changes as text for people and as JSON for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import msgspec

from auditor.model.migrations import JudgedOperation, MigrationReport, MigrationVerdict
from auditor.render.terminal import COLUMNS, Painter
from auditor.render.text import visible, wrap
from auditor.words import listed, plural

_SHOWN = 200
"""Files shown in full; of more than that the newest matter and JSON has the rest."""
_BACK = {
    True: "can be taken back",
    False: "cannot be taken back",
    "partial": "can be taken back in part",
    None: "its way back could not be judged",
}


def to_json(report: MigrationReport) -> bytes:
    """`files`, `problems` and `unexamined`; keys in the order of the model."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n"


def to_text(report: MigrationReport, *, colour: bool = False, steps: bool = True) -> str:
    """Each unsafe operation with its place, what it does and the safe steps; then the problems of the set and a line that sums up."""
    paint = Painter(colour)
    unsafe = [file for file in report.files if file.unsafe]
    lines: list[str] = []
    told: set[tuple[str, str]] = set()
    for file in unsafe[-_SHOWN:]:
        lines += _file(file, paint, told, steps=steps)
    if len(unsafe) > _SHOWN:
        lines += [f"{plural(len(unsafe) - _SHOWN, 'earlier file')} with unsafe operations are left out here; --json has them all.", ""]
    lines += [
        line for problem in report.problems for line in _wrapped(f"{problem.kind}: {problem.path}: {problem.message}", "", paint, "yellow")
    ]
    lines += [line for path, reason in report.unexamined for line in _wrapped(f"not examined: {path}: {reason}", "  ", paint, "dim")]
    unread = [(file.path, entry) for file in report.files for entry in file.unread]
    lines += [line for path, entry in unread[:_SHOWN] for line in _wrapped(f"not examined: {path}: {entry}", "  ", paint, "dim")]
    if lines and lines[-1]:
        lines.append("")
    return "".join(f"{line}\n" for line in [*lines, *wrap(_sum(report), COLUMNS, 5)])


def _file(file: MigrationVerdict, paint: Painter, told: set[tuple[str, str]], *, steps: bool) -> Iterator[str]:
    head = f"{visible(file.path)}  ({file.framework}; {_BACK[file.reversible]})"
    yield paint(head, "bold")
    for operation in file.operations:
        if not operation.unsafe:
            continue
        yield from _wrapped(
            f"line {operation.line}, {operation.kind}{_target(operation)}: {operation.why}.", "      ", paint, "red", indent="  "
        )
        if not steps:
            continue
        seen = (file.framework, operation.kind)
        if seen in told:
            continue
        told.add(seen)
        yield from _wrapped(operation.harm, "      ", paint, indent="      ")
        for number, step in enumerate(operation.steps, start=1):
            yield from _wrapped(f"{number}. {step}", "         ", paint, indent="      ")
    yield ""


def _target(operation: JudgedOperation) -> str:
    place = ".".join(part for part in (operation.table, operation.column) if part)
    return f" {place}" if place else ""


def _wrapped(text: str, hanging: str, paint: Painter, style: str = "", *, indent: str = "") -> Iterator[str]:
    """Lines of at most `COLUMNS` columns; the first begins with `indent`, the others with `hanging`."""
    first, *rest = wrap(visible(text), COLUMNS - len(hanging or indent), 20) or [""]
    styles = (style,) if style else ()
    yield indent + paint(first, *styles)
    for line in rest:
        yield (hanging or indent) + paint(line, *styles)


def _sum(report: MigrationReport) -> str:
    counted = Counter(kind for file in report.files for kind in file.unsafe)
    unsafe = sum(1 for file in report.files if file.unsafe)
    stuck = sum(1 for file in report.files if file.reversible is False)
    kinds = listed([f"{kind} in {count}" for kind, count in sorted(counted.items(), key=lambda entry: (-entry[1], entry[0]))], 4)
    told = f"{unsafe} with something unsafe ({kinds})" if unsafe else "nothing unsafe"
    problems = f", {plural(len(report.problems), 'problem')} of the set" if report.problems else ""
    return f"{plural(len(report.files), 'migration')}: {told}; {stuck} without a way back{problems}."
