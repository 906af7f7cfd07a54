"""Attempts that undo each other: the same lines written, rewritten and written again within hours.

Passing title: Fixes hold; the history shows no guessing in circles
Failing title: The history shows the same code fixed, undone and fixed again
Grading: The last 200 non-merge commits are read, and of them only the changes to production code. A run is either (a) five or more versions of one
    file, each at most three hours after the one whose lines it replaces, of which one is called a fix or a try or which took away most of what they wrote, or (b) four or more
    commits that call themselves fixes within 48 hours on one file, each of which undoes lines of another or is undone by one, or (c) the same lines written, removed, written and removed again within a week.
    A run that touches a test is no run: somebody wrote down what was wrong. Runs that share commits are one. Two runs, or three reverts
    that make more than 5 % of the commits, fail; one run, or two reverts that make 2 %, is partial. A single revert is how a careful team goes back.
    This is evidence from the history, not from the present code. How many commits are called "fix" is deliberately not judged: it measures a convention.
Done when: The next three months of history show no such run: after two failed attempts a failing test was written, the cause was found, and one fix followed.
What it cannot see: Attempts that were squashed into one commit or never committed, and loops spread over many files that share no line.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from auditor.checks.commits import DAY, HOUR, SHALLOW, day_of, is_production, touches_test
from auditor.checks.registry import check
from auditor.model.evidence import Commit, History
from auditor.model.needs import HISTORY
from auditor.model.verdict import Assessed, Finding, NotApplicable, Undecided
from auditor.words import plural

COMMITS = 200
FEWEST = 30
"""With fewer commits there is no habit to see."""
FIXES = 4
CHAIN = 5
"""Versions of one file in a chain: the first attempt and four that replace parts of each other. Three are ordinary polishing."""
_LINK = 3 * HOUR
_SETTLE = 60
"""Commits less than a minute apart were rebased or made by a script: their order in time says nothing."""
_RESTORED = 2
_UNDONE = 0.5
"""Share of the lines of a chain that its own later commits take away again."""
_WINDOW = 48 * HOUR
_WHOLE = 20
_SAME = 0.8
_RETURN = 7 * DAY
_RETURNED = 3
_SUBJECT = re.compile(
    r"\b(?:fix(?:e[sd]|ing)?|hot-?fix(?:es)?|bug-?fix(?:es)?|again|try|trying|tried|retry|still|revert(?:s|ed|ing)?|undo|attempt)\b",
    re.IGNORECASE,
)
_REVERT = re.compile(r"\s*(?:\w+(?:\([^)]{0,60}\))?:\s*)?revert(?:s|ed|ing)?\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Version:
    """What one commit did to one file; `position` counts the commits, oldest first."""

    position: int
    commit: Commit
    added: frozenset[int]
    removed: frozenset[int]


@dataclass(frozen=True, slots=True)
class Run:
    """A run of attempts: the file, "chain", "fixes" or "return", and the positions of its commits among those read, oldest first."""

    path: str
    kind: str
    positions: frozenset[int]


@check("specs.no-fix-loops", needs=(HISTORY,))
def no_fix_loops(history: History) -> Assessed | NotApplicable | Undecided:
    """Look for runs of attempts and for reverts."""
    commits = tuple(reversed(history.commits[:COMMITS]))
    runs = find_runs(commits)
    reverts = [commit for commit in commits if is_revert(commit)]
    if history.shallow and len(commits) < COMMITS and not runs:
        return Undecided(SHALLOW)
    if len(commits) < FEWEST:
        return NotApplicable(f"There are only {plural(len(commits), 'commit')}: too few to show how problems get solved here.")
    share = len(reverts) / len(commits)
    if len(runs) >= 2 or (len(reverts) >= 3 and share > 0.05):
        floor = 1.0
    elif runs or (len(reverts) >= 2 and share >= 0.02):
        floor = 0.5
    else:
        floor = 0.0
    return Assessed(
        bad=len({position for run in runs for position in run.positions}) if floor else 0,
        total=len(commits),
        floor=floor,
        summary=_summary(runs, reverts, commits),
        findings=tuple(_finding(run, commits) for run in runs),
        signals=(f"{plural(len(commits), 'commit')} read, {plural(len(runs), 'run')} of attempts, {plural(len(reverts), 'revert')}",),
    )


def find_runs(commits: tuple[Commit, ...]) -> list[Run]:
    """The runs of attempts among commits, given oldest first."""
    return _merged([run for path, versions in sorted(_versions(commits).items()) for run in _runs(path, versions, commits)])


def is_revert(commit: Commit) -> bool:
    """Whether a commit says that it takes an earlier one back."""
    return bool(_REVERT.match(commit.subject))


def _versions(commits: tuple[Commit, ...]) -> dict[str, list[_Version]]:
    """The versions of every production source file, oldest first."""
    found: defaultdict[str, list[_Version]] = defaultdict(list)
    for position, commit in enumerate(commits):
        for change in commit.changes:
            if is_production(change):
                added, removed = frozenset(change.added_hashes), frozenset(change.removed_hashes)
                found[change.path].append(_Version(position, commit, added - removed, removed - added))
    return {path: _without_moves(versions) for path, versions in found.items()}


def _without_moves(versions: list[_Version]) -> list[_Version]:
    """The versions without those that took a whole file away and put it back: it was moved, or built into another folder for a while."""
    moved: set[int] = set()
    for earlier, later in pairwise(versions):
        whole = len(earlier.removed) >= _WHOLE and not earlier.added and not later.removed
        if whole and len(earlier.removed & later.added) >= _SAME * len(earlier.removed):
            moved |= {earlier.position, later.position}
    return [version for version in versions if version.position not in moved]


def _runs(path: str, versions: list[_Version], commits: tuple[Commit, ...]) -> list[Run]:
    if len(versions) < FIXES:
        return []
    candidates = [("chain", _attempts(versions, _longest_chain(versions))), ("fixes", _fixes(versions)), ("return", _returned(versions))]
    return [
        Run(path, kind, frozenset(positions))
        for kind, positions in candidates
        if positions and not any(touches_test(commits[position]) for position in positions)
    ]


def _longest_chain(versions: list[_Version]) -> list[int]:
    """The longest sequence of versions each of which replaces lines of the one before, within hours."""
    length = [1] * len(versions)
    before = [-1] * len(versions)
    for later, version in enumerate(versions):
        for earlier in range(later - 1, -1, -1):
            distance = version.commit.when - versions[earlier].commit.when
            if distance > _LINK:
                break
            replaces = distance >= _SETTLE and not version.removed.isdisjoint(versions[earlier].added)
            if replaces and length[earlier] >= length[later]:
                length[later], before[later] = length[earlier] + 1, earlier
    end = max(range(len(versions)), key=lambda index: length[index])
    if length[end] < CHAIN:
        return []
    chain = []
    while end >= 0:
        chain.append(versions[end].position)
        end = before[end]
    return chain


def _attempts(versions: list[_Version], chain: list[int]) -> list[int]:
    """A chain, unless it may as well be the building of something new: nothing in it is called a fix or a try, and most of what it wrote stayed."""
    own = [version for version in versions if version.position in set(chain)]
    if any(_SUBJECT.search(version.commit.subject) for version in own):
        return chain
    written: set[int] = set()
    undone: set[int] = set()
    for version in own:
        undone |= version.removed & written
        written |= version.added
    return chain if len(undone) > _UNDONE * len(written) else []


def _fixes(versions: list[_Version]) -> list[int]:
    """The first four or more self-declared fixes within 48 hours that are tied together by undoing each other's lines."""
    fixes = [version for version in versions if _SUBJECT.search(version.commit.subject)]
    for start, first in enumerate(fixes):
        window = [version for version in fixes[start:] if 0 <= version.commit.when - first.commit.when <= _WINDOW]
        tied, reworked = _tied(window)
        if len(tied) >= FIXES and reworked >= 2:
            return [version.position for version in tied]
    return []


def _tied(window: list[_Version]) -> tuple[list[_Version], int]:
    """The largest group of versions of which each removes lines another wrote or restores some it removed; and how many of them do so to an earlier one.

    Fixes of one large file in two days are many, and mostly of different things; only those that meddle with each other are attempts at one.
    """
    groups: list[tuple[list[_Version], int]] = []
    for version in window:
        meddled = [group for group in groups if any(_undoes(version, earlier) for earlier in group[0])]
        groups = [group for group in groups if group not in meddled]
        members = [member for group in meddled for member in group[0]]
        groups.append(([*members, version], sum(group[1] for group in meddled) + bool(meddled)))
    members, reworked = max(groups, key=lambda group: len(group[0]), default=([], 0))
    return sorted(members, key=lambda version: version.position), reworked


def _undoes(later: _Version, earlier: _Version) -> bool:
    return not later.removed.isdisjoint(earlier.added) or len(later.added & earlier.removed) >= _RESTORED


def _returned(versions: list[_Version]) -> list[int]:
    """The commits of lines that were written, removed, written again and removed again within a week."""
    events: defaultdict[int, list[tuple[bool, _Version]]] = defaultdict(list)
    for version in versions:
        for present, hashes in ((True, version.added), (False, version.removed)):
            for line in hashes:
                if not events[line] or events[line][-1][0] is not present:
                    events[line].append((present, version))
    groups: defaultdict[tuple[int, ...], int] = defaultdict(int)
    for sequence in events.values():
        for start in range(len(sequence) - 3):
            turn = [version for _, version in sequence[start : start + 4]]
            if turn[-1].commit.when - turn[0].commit.when <= _RETURN:
                groups[tuple(version.position for version in turn)] += 1
    return list(min((turn for turn, lines in groups.items() if lines >= _RETURNED), default=()))


def _merged(runs: Iterable[Run]) -> list[Run]:
    """Runs that share commits are one effort; it stands at the file with most of them."""
    pending = sorted(runs, key=lambda run: (-len(run.positions), run.path, run.kind))
    result: list[Run] = []
    for run in pending:
        shared = next((index for index, other in enumerate(result) if len(run.positions & other.positions) >= 2), None)
        if shared is None:
            result.append(run)
        else:
            other = result[shared]
            result[shared] = Run(other.path, other.kind, other.positions | run.positions)
    return result


def _finding(run: Run, commits: tuple[Commit, ...]) -> Finding:
    own = [commits[position] for position in sorted(run.positions)]
    when = day_of(min(commit.when for commit in own))
    hours = max(1, round((max(commit.when for commit in own) - min(commit.when for commit in own)) / HOUR))
    what = {
        "chain": f"{len(own)} versions within {plural(hours, 'hour')} replace each other's lines",
        "fixes": f"{len(own)} commits within {plural(hours, 'hour')} call themselves fixes and undo each other's lines",
        "return": f"the same lines are written, removed, written again and removed again in {len(own)} commits",
    }[run.kind]
    return Finding(
        "attempts-in-circles",
        run.path,
        f"From {when} on, {what}, without a test: the cause was guessed, so whichever bug came first may still be there "
        f"(commits {own[0].id[:8]} to {own[-1].id[:8]}).",
        detector="history",
    )


def _summary(runs: list[Run], reverts: list[Commit], commits: tuple[Commit, ...]) -> str:
    read = f"In the last {plural(len(commits), 'commit')}"
    if not runs and not reverts:
        return f"{read} no run of attempts on the same lines and no revert was found."
    taken_back = f"{plural(len(reverts), 'commit')} {'takes' if len(reverts) == 1 else 'take'} an earlier one back"
    return f"{read} there {'is' if len(runs) == 1 else 'are'} {plural(len(runs), 'run')} of attempts on the same lines, and {taken_back}."
