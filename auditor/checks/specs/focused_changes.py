"""Commits change one thing; unrelated files and giant drops are rare.

Passing title: Changes are small enough to be read and taken back
Failing title: Changes come in drops too large to be read or taken back
Grading: The share of unfocused commits among the newest 200 that change code: more than a thousand new lines or more than twenty files of code, a fix that reaches into more than five areas, or
    (for a half) several files under a message that says nothing. Up to 10 % passes, more than 35 % fails. The first commit, updates of dependencies, moves, renames and formatting, removals,
    sweeps of a line or two through many files, and everything that is not code (documents, locks, translations, generated and vendored files) count for nothing. Evidence from the history.
Done when: for three months at most one commit in ten is larger than what a colleague reads in half an hour, and each has a message that says what it is for.
What it cannot see: whether large commits are squashed branches that were read piece by piece, and whether what changes together belongs together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.checks.commits import SHALLOW, day_of, is_code, is_fix
from auditor.checks.registry import check
from auditor.model.evidence import Commit, History
from auditor.model.needs import HISTORY
from auditor.model.verdict import Assessed, Finding, Judgement, NotApplicable, Undecided
from auditor.words import percent, plural

COMMITS = 200
FEWEST = 30
"""With fewer commits there is no habit to see."""
_FILES = 20
_LINES = 1_000
_AREAS = 5
_SWEEP = 4
"""New lines per file up to which a change of many files is a rename or the like."""
_UPDATES = re.compile(
    r"\b(?:bump|upgrade|update)s?\b.{0,60}\b(?:deps?|dependenc\w+|packages?|vendor\w*|from v?\d|to v?\d)|^\s*(?:chore|build|fix)\(deps|\bprettier\b|\breformat|\bformat(?:ting)?\b|\brename\b|\bmove[sd]?\b|^\s*merge\b|\blicen[sc]e headers?\b",
    re.IGNORECASE,
)
_SAYS_NOTHING = re.compile(
    r"^\s*(?:\W*|wip|update[sd]?|changes?|fix(?:es|ed)?|commit|misc|stuff|save[ds]?|work|progress|temp|tmp|test|asdf\w*|minor(?: changes| fixes)?|various(?: fixes| changes)?|final|new|more|edit(?:s|ed)?|cleanup|code|update(?:d)? (?:code|files?|project|app|everything)|small (?:fix(?:es)?|changes)|checkpoint|saved (?:your )?(?:changes|progress).{0,80}|\d{1,3})[\s.!]*$",
    re.IGNORECASE,
)
_PASS = 0.10
_FAIL = 0.35
_PARTIAL_AT_LEAST = 0.2
_PARTIAL_AT_MOST = 0.58


@dataclass(frozen=True, slots=True)
class _Size:
    """What a commit really changes: files of code, new lines in them, the areas they lie in, and how many of the files had lines replaced."""

    files: int
    lines: int
    areas: int
    replaced: int

    @property
    def is_sweep(self) -> bool:
        """A line or two replaced in each of many files."""
        return self.lines <= _SWEEP * self.files and self.replaced * 2 > self.files


@check("specs.focused-changes", needs=(HISTORY,))
def focused_changes(history: History) -> Judgement:
    """Measure every commit and count the unfocused ones."""
    if len(history.commits) < FEWEST:
        if history.shallow:
            return Undecided(SHALLOW)
        return NotApplicable(f"There are only {plural(len(history.commits), 'commit')}: too few to show a habit.")
    whole = not history.truncated and not history.shallow
    commits = history.commits[: -1 if whole else None][:COMMITS]
    sizes = [(commit, size) for commit in commits if (size := _size(commit)).files]
    if len(sizes) < FEWEST:
        return NotApplicable(
            f"Only {plural(len(sizes), 'commit')} of the newest {len(commits)} {'changes' if len(sizes) == 1 else 'change'} code: too few to show a habit."
        )
    unfocused = [(commit, size, reason, weight) for commit, size in sizes for reason, weight in _reasons(commit, size)]
    share = sum(weight for *_, weight in unfocused) / len(sizes)
    large = [(commit, size, reason) for commit, size, reason, weight in unfocused if weight == 1]
    summary = f"{len(large)} of the newest {plural(len(sizes), 'commit')} that change code {'is' if len(large) == 1 else 'are'} larger than one thing ({percent(share)} with those whose message says nothing)."
    return Assessed(
        bad=_badness(share) * len(sizes),
        total=len(sizes),
        summary=summary,
        findings=tuple(_findings(large)) if share > _PASS else (),
        signals=(
            f"{plural(len(commits), 'commit')} read, {len(sizes)} change code, {len(large)} too large, {len(unfocused) - len(large)} with a message that says nothing",
        ),
    )


def _badness(share: float) -> float:
    if share <= _PASS:
        return 0.0
    if share > _FAIL:
        return max(0.6, share)
    return _PARTIAL_AT_LEAST + (share - _PASS) / (_FAIL - _PASS) * (_PARTIAL_AT_MOST - _PARTIAL_AT_LEAST)


def _size(commit: Commit) -> _Size:
    """Only lines count that the commit does not take away elsewhere: moved and re-indented code is no new code."""
    changes = [change for change in commit.changes if is_code(change.path)]
    removed = {line for change in changes for line in change.removed_hashes}
    fresh = {change.path: len(set(change.added_hashes) - removed) for change in changes}
    touched = [path for path, lines in fresh.items() if lines]
    replaced = sum(bool(change.removed_hashes) for change in changes if fresh[change.path])
    return _Size(len(touched), sum(fresh.values()), len({_area(path) for path in touched}), replaced)


def _area(path: str) -> str:
    """The part of the tree a file belongs to: its first two folders; tests belong to what they test."""
    folders = [part for part in path.split("/")[:-1] if part not in {"src", "app", "packages", "apps", "lib", "tests", "test", "__tests__"}]
    return "/".join(folders[:2])


def _reasons(commit: Commit, size: _Size) -> Iterator[tuple[str, float]]:
    """Why a commit is unfocused, once, with its weight."""
    if _UPDATES.search(commit.subject):
        return
    if size.lines > _LINES:
        yield f"{size.lines:,} new lines in {plural(size.files, 'file')}", 1.0
    elif size.files > _FILES and not size.is_sweep:
        yield f"{plural(size.files, 'file')} of code", 1.0
    elif is_fix(commit) and size.areas > _AREAS and not size.is_sweep:
        yield f"a fix in {size.areas} areas", 1.0
    elif size.files > 2 and _SAYS_NOTHING.match(commit.subject):
        yield "a message that says nothing", 0.5


def _findings(large: list[tuple[Commit, _Size, str]]) -> Iterator[Finding]:
    for commit, _, reason in sorted(large, key=lambda entry: (-entry[1].lines, entry[0].id)):
        biggest = min((change for change in commit.changes if is_code(change.path)), key=lambda change: (-change.added, change.path))
        message = f"Commit {commit.id[:8]} of {day_of(commit.when)} brings {reason} at once: nobody can read it, and taking it back takes everything back."
        yield Finding("giant-change", biggest.path, message, detector="history")
