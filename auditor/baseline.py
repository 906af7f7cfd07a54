"""The baseline file: what stood in a repository when its owner accepted it, so that a gate fails for more than that only.

Plain text in a fixed order, one finding a line: small, readable in a review, and merged by keeping the lines of both branches. It holds fingerprints, items
and paths, and never a piece of code.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

from auditor.errors import UsageError
from auditor.fingerprints import FORMAT
from auditor.matching import LAYERS, Known, Layers, known_findings, match
from auditor.model.report import Report
from auditor.model.verdict import Severity, Verdict
from auditor.version import __version__

NAME = "auditor-baseline.txt"
"""Where a baseline stands when nobody says otherwise, below the audited directory."""
_HEAD = (
    "# What stood here when it was accepted: `auditor gate` fails for more than this.",
    "# Written by `auditor baseline`. One finding a line, in order; when branches meet, keep the lines of both.",
)
_MOST_BYTES = 50_000_000
_CONFLICT = ("<<<<<<<", "=======", ">>>>>>>", "|||||||")
_NONE = "-"


@dataclass(frozen=True, slots=True)
class Baseline:
    """What was accepted: findings, serious items that could not be decided, and the grade (`letter` None: there was none).

    `format`, `model`, `version` and `rules` say what it was made with, `source` where it was read.
    """

    findings: tuple[Known, ...]
    unknown: frozenset[str]
    letter: str | None
    value: float | None
    format: int
    model: str
    version: str
    rules: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class Pruned:
    """A baseline brought up to date, and how many of its findings stayed, were dropped because they are gone, and were left out as new."""

    baseline: Baseline
    kept: int
    gone: int
    left_out: int


def of_report(report: Report, layers: Layers = ()) -> Baseline:
    """Everything a report holds, as a baseline; with breaches of an owner's `layers`."""
    serious = (Severity.BLOCKER, Severity.HIGH)
    return Baseline(
        findings=tuple(sorted(known_findings(report, layers))),
        unknown=frozenset(o.id for o in report.outcomes if o.verdict is Verdict.UNKNOWN and o.severity in serious),
        letter=report.score.letter,
        value=report.score.value,
        format=FORMAT,
        model=report.score.model,
        version=report.version,
        rules=report.rules,
    )


def pruned(old: Baseline, report: Report, layers: Layers = ()) -> Pruned:
    """The old baseline without what is gone, at today's places; nothing new is taken in, and a better grade is kept from now on."""
    now = of_report(report, layers)
    found = match(old.findings, now.findings)
    kept = tuple(sorted(now.findings[position] for _, position in found.pairs))
    judged = {outcome.id for outcome in report.outcomes} | {LAYERS}
    unseen = tuple(old.findings[position] for position in found.gone if old.findings[position].item not in judged)
    better = now.value is not None and (old.value is None or now.value > old.value)
    fresh = replace(
        now,
        findings=tuple(sorted((*kept, *unseen))),
        unknown=now.unknown & old.unknown,
        letter=now.letter if better else old.letter,
        value=now.value if better else old.value,
    )
    return Pruned(fresh, len(kept) + len(unseen), len(found.gone) - len(unseen), len(found.new))


def to_text(baseline: Baseline) -> str:
    """The file's content, the same for equal baselines."""
    lines = [*_HEAD, f"format {baseline.format}", f"model {baseline.model}", f"auditor {baseline.version} rules {baseline.rules}"]
    if baseline.letter is not None and baseline.value is not None:
        lines.append(f"grade {baseline.letter} {baseline.value:.1f}")
    lines += [f"unknown {item}" for item in sorted(baseline.unknown)]
    lines += sorted(
        f"{one.item} {one.rule or _NONE} {one.fingerprint} {_written(one.path)}".rstrip() for one in dict.fromkeys(baseline.findings)
    )
    return "\n".join(lines) + "\n"


def read(path: Path) -> Baseline:
    """The baseline in a file.

    Raises:
        UsageError: it cannot be read, or a line of it is none.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise UsageError(f"cannot read the baseline {path}: {error.strerror or error}; `auditor baseline` writes one") from None
    return parse(data, str(path))


def parse(data: bytes, name: str) -> Baseline:
    """The baseline in the bytes of a file called `name`.

    Raises:
        UsageError: a line of it is none; the message names the line.
    """
    try:
        lines = data.decode().split("\n") if len(data) <= _MOST_BYTES else []
    except UnicodeDecodeError:
        lines = []
    if not any(line.startswith("format ") for line in lines):
        raise UsageError(f"{name} is no baseline of auditor: `auditor baseline` writes one")
    parser = _Parser(name)
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.startswith("#"):
            parser.read(number, line.rstrip())
    return parser.baseline()


class _Parser:
    """Collects the lines of one file. Where a merge left two lines of a kind, the more cautious one counts."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._findings: list[Known] = []
        self._unknown: set[str] = set()
        self._grades: list[tuple[float, str]] = []
        self._head: dict[str, list[str]] = {"format": [], "model": [], "auditor": []}

    def read(self, number: int, line: str) -> None:
        if line.startswith(_CONFLICT):
            raise self._wrong(number, "a merge was not finished here: keep the lines of both sides, without the markers")
        word, _, rest = line.partition(" ")
        if word in self._head:
            self._head[word].append(rest)
        elif word == "grade":
            self._grade(number, rest)
        elif word == "unknown":
            self._unknown.add(rest)
        else:
            self._finding(number, line)

    def baseline(self) -> Baseline:
        value, letter = min(self._grades, default=(None, None))
        version, _, rules = max(self._head["auditor"], default="").partition(" rules ")
        return Baseline(
            findings=tuple(sorted(dict.fromkeys(self._findings))),
            unknown=frozenset(self._unknown),
            letter=letter,
            value=value,
            format=min(int(one) if one.isdecimal() else 0 for one in self._head["format"]),
            model=min(self._head["model"], default=""),
            version=version,
            rules=rules,
            source=self._name,
        )

    def _grade(self, number: int, rest: str) -> None:
        letter, _, value = rest.partition(" ")
        try:
            self._grades.append((float(value), letter))
        except ValueError:
            raise self._wrong(number, f"{rest!r} is no grade") from None

    def _finding(self, number: int, line: str) -> None:
        parts = line.split(" ", 3)
        if len(parts) < 3 or "." not in parts[0]:
            raise self._wrong(number, "this is no line of a baseline")
        path = parts[3] if len(parts) == 4 else ""
        if path.startswith('"'):
            try:
                path = str(json.loads(path))
            except ValueError:
                raise self._wrong(number, f"{path} is no path") from None
        self._findings.append(Known(parts[0], "" if parts[1] == _NONE else parts[1], path, parts[2]))

    def _wrong(self, number: int, what: str) -> UsageError:
        return UsageError(f"{self._name}, line {number}: {what}")


def _written(path: str) -> str:
    """The path as it is, or as a JSON text where a line could not hold it."""
    plain = path.isprintable() and not path.startswith('"') and path == path.strip()
    return path if plain else json.dumps(path)


def foreign(baseline: Baseline, report: Report) -> str:
    """Why a report cannot be compared with the baseline at all, "" when it can."""
    if baseline.format != FORMAT:
        return f"{baseline.source} has format {baseline.format}, this version of auditor writes {FORMAT}"
    if baseline.model != report.score.model:
        return f"{baseline.source} was written under score model {baseline.model or '(none)'}, this version uses {report.score.model}"
    return ""


def other_rules(baseline: Baseline, report: Report) -> str:
    """What other version wrote the baseline, "" when it was this one: new findings may then be those of new rules."""
    if (baseline.version, baseline.rules) == (report.version, report.rules):
        return ""
    return f"{baseline.source} was written by auditor {baseline.version} with rules {baseline.rules}, this is {__version__} with rules {report.rules}"
