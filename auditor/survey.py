"""What the report pictures beside its verdicts: the measures of files, the time line of the history, the code of copies. Nothing is judged here."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from auditor.checks.commits import is_fix, touches_test
from auditor.checks.specs.no_fix_loops import find_runs, is_revert
from auditor.excerpts import safe_lines
from auditor.model.evidence import CloneFamily, Clones, Commit, Fragment, History, Secrets, UnitComplexity
from auditor.model.report import CloneReport, CommitMark, CopySample, FileMeasure, HistorySummary, Loop, Stretch
from auditor.model.snapshot import Snapshot

FILES = 4_000
"""The largest files of a tree, as far as the report carries them."""
FAMILIES = 200
SAMPLES = 12
SAMPLE_LINES = 36
_SHORT = 8


def measures(
    snapshot: Snapshot,
    production: frozenset[str],
    units: Iterable[UnitComplexity],
    clones: Clones | None,
    history: History | None,
) -> tuple[FileMeasure, ...]:
    """The production files in path order; where there are more than `FILES`, the largest."""
    branches: defaultdict[str, list[int]] = defaultdict(list)
    for unit in units:
        branches[unit.path].append(unit.complexity)
    changes = Counter(path for commit in (history.commits if history else ()) for path in {change.path for change in commit.changes})
    copied = _copied(clones.families if clones else ())
    own = sorted((file for file in snapshot.files if file.path in production), key=lambda file: (-file.lines, file.path))[:FILES]
    return tuple(
        FileMeasure(
            path=file.path,
            language=file.language.value,
            lines=file.lines,
            complexity=sum(branches[file.path]),
            worst=max(branches[file.path], default=0),
            changes=changes[file.path],
            copied=min(file.lines, copied[file.path]),
        )
        for file in sorted(own, key=lambda file: file.path)
    )


def _copied(families: Iterable[CloneFamily]) -> Counter[str]:
    """Lines per file that stand in another place too."""
    lines: defaultdict[str, set[int]] = defaultdict(set)
    for family in families:
        for part in family.fragments:
            lines[part.path].update(range(part.line, part.end_line + 1))
    return Counter({path: len(found) for path, found in lines.items()})


def time_line(history: History) -> HistorySummary:
    """The commits that were read as marks, oldest first, and the runs of attempts among them. Subjects and names of people stay out."""
    commits = tuple(reversed(history.commits))
    marks = tuple(
        CommitMark(
            id=commit.id[:_SHORT],
            when=commit.when,
            author=commit.author,
            files=len(commit.changes),
            lines=sum(change.added + change.removed for change in commit.changes),
            fix=is_fix(commit),
            revert=is_revert(commit),
            tested=touches_test(commit),
            assisted=bool(commit.trailers) or commit.author.startswith("assistant"),
        )
        for commit in commits
    )
    return HistorySummary(len(commits), history.total, history.shallow, marks, _loops(commits))


def _loops(commits: tuple[Commit, ...]) -> tuple[Loop, ...]:
    found = []
    for run in find_runs(commits):
        own = [commits[position] for position in sorted(run.positions)]
        times = [commit.when for commit in own]
        found.append(Loop(run.path, run.kind, tuple(commit.id[:_SHORT] for commit in own), min(times), max(times)))
    return tuple(sorted(found, key=lambda loop: (loop.start, loop.path)))


def copies(clones: Clones, texts: Mapping[str, str], secrets: Secrets | None) -> CloneReport:
    """The largest families, and the code of two members of those that would save most lines; without code when credentials were not looked for."""
    families = clones.families[:FAMILIES]
    ranked = sorted(range(len(families)), key=lambda n: (-families[n].lines * (len(families[n].fragments) - 1), n))[:SAMPLES]
    samples = []
    for number in sorted(ranked) if secrets is not None else ():
        left, right = (_stretch(part, texts, secrets) for part in _furthest(families[number]))
        if left.text and right.text:
            samples.append(CopySample(number, left, right))
    return CloneReport(families, clones.duplicated_lines, clones.total_lines, tuple(samples))


def _furthest(family: CloneFamily) -> tuple[Fragment, Fragment]:
    """The first member and the one most like it in length, of another file where there is one: copies across files are the ones that drift apart."""
    first, *others = family.fragments
    length = first.end_line - first.line
    return first, min(others, key=lambda part: (part.path == first.path, abs(part.end_line - part.line - length)), default=first)


def _stretch(part: Fragment, texts: Mapping[str, str], secrets: Secrets | None) -> Stretch:
    last = min(part.end_line, part.line + SAMPLE_LINES - 1)
    return Stretch(part.path, part.line, safe_lines(part.path, part.line, last, texts, secrets))
