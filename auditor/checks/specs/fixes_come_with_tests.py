"""A bug fix brings a test that would have caught it.

Passing title: Faults that were mended stay mended: fixes bring tests
Failing title: Faults are mended without a test that would catch them again
Grading: Of the commits that call themselves a fix and change code of the product, the share that changes a test too, in the same commit or in one of the next two of the same person within a day. From
    40 % on pass, from 10 % on partial, below fail. Fixes of spelling, looks, types, documents, tests and pipelines are left out, and so are those from before there was a first test. With fewer than ten fixes, or
    without any tests (which is another item's finding), the question does not arise. This is evidence from the history.
Done when: for three months nearly every fix begins with a test that fails without it.
What it cannot see: tests kept in another repository, faults mended under another name, whether the test would have failed before, and what squashed commits held.
"""

from __future__ import annotations

from collections import Counter

from auditor.checks.commits import DAY, SHALLOW, day_of, is_fix, is_production, touches_test
from auditor.checks.registry import check
from auditor.model.evidence import Commit, History
from auditor.model.needs import HISTORY, SNAPSHOT
from auditor.model.snapshot import READ_LANGUAGES, Role, Snapshot
from auditor.model.verdict import Assessed, Finding, Judgement, NotApplicable, Undecided
from auditor.words import listed, percent, plural

FEWEST = 10
"""With fewer fixes there is no habit to see."""
_PASS = 0.4
_PARTIAL = 0.1
_PARTIAL_AT_MOST = 0.58
_PARTIAL_AT_LEAST = 0.2
_FOLLOWING = 2


@check("specs.fixes-come-with-tests", needs=(HISTORY, SNAPSHOT))
def fixes_come_with_tests(history: History, snapshot: Snapshot) -> Judgement:
    """Count the fixes that brought a test."""
    if not any(file.role is Role.TEST and file.language in READ_LANGUAGES for file in snapshot.files):
        return NotApplicable("There are no tests at all, which the items on tests say.")
    commits = _since_first_test(tuple(reversed(history.commits)))
    fixes = [number for number, commit in enumerate(commits) if is_fix(commit)]
    if len(fixes) < FEWEST:
        if history.shallow:
            return Undecided(SHALLOW)
        return NotApplicable(
            f"Only {plural(len(fixes), 'commit')} since the first test {'mends' if len(fixes) == 1 else 'mend'} a fault: too few to show a habit."
        )
    tested = [number for number in fixes if _brings_test(commits, number)]
    share = len(tested) / len(fixes)
    bare = [commits[number] for number in fixes if number not in set(tested)]
    return Assessed(
        bad=_badness(share) * len(fixes),
        total=len(fixes),
        summary=f"{len(tested)} of {plural(len(fixes), 'fix', 'fixes')} ({percent(share)}) in the last {plural(len(commits), 'commit')} came with a test.",
        findings=(_finding(bare),) if share < _PASS else (),
        signals=(f"{plural(len(history.commits), 'commit')} read; tests from {day_of(commits[0].when)} on",),
    )


def _since_first_test(commits: tuple[Commit, ...]) -> tuple[Commit, ...]:
    """The commits, oldest first, from the one on that first changes a test."""
    first = next((number for number, commit in enumerate(commits) if touches_test(commit)), len(commits))
    return commits[first:]


def _brings_test(commits: tuple[Commit, ...], number: int) -> bool:
    fix = commits[number]
    near = [
        commit
        for commit in commits[number + 1 : number + 1 + _FOLLOWING]
        if commit.author == fix.author and 0 <= commit.when - fix.when <= DAY
    ]
    return touches_test(fix) or any(touches_test(commit) for commit in near)


def _badness(share: float) -> float:
    if share >= _PASS:
        return 0.0
    if share < _PARTIAL:
        return 1.0 - share
    return _PARTIAL_AT_MOST - (share - _PARTIAL) / (_PASS - _PARTIAL) * (_PARTIAL_AT_MOST - _PARTIAL_AT_LEAST)


def _finding(bare: list[Commit]) -> Finding:
    count = Counter(change.path for commit in bare for change in commit.changes if is_production(change))
    path, times = min(count.items(), key=lambda entry: (-entry[1], entry[0]))
    newest = listed([f"{commit.id[:8]} of {day_of(commit.when)}" for commit in reversed(bare)], 3)
    message = f"{plural(len(bare), 'fix', 'fixes')} brought no test, {times} of them in this file: nothing keeps the fault from coming back ({newest})."
    return Finding("fix-without-test", path, message, detector="history")
