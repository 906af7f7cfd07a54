"""Assertions that can fail: tests that assert nothing, only what is always true, or that nobody waits for.

Passing title: The tests can fail
Failing title: Tests that stay green whatever the code does
Grading: Every test case of the repository counts once. Hollow is one that asserts nothing (unless its name says that running through is the point, or it takes a
    callback), asserts only constants or a thing against itself, catches its own failure, forgets to wait for an asserted promise, is skipped without a condition, or
    tests nothing but its own mocks; their share is the badness, up to a twentieth is tolerated. A focused test (`.only`) in the repository fails the item, because it
    silences all others. A test script that swallows the result (`|| true`) makes it at least partial.
Done when: Every test has an assertion that was seen to fail once, no test is focused, and a rule of the linter (expect-expect, no-focused-tests, PT) keeps it so.
What it cannot see: Assertions that are true for the wrong reason, tests that were bent to agree with wrong behaviour, conditions inside a test that skip its assertions, and
    helpers outside the test code that assert.
"""

from __future__ import annotations

import re
from collections import Counter

from auditor.checks.registry import check
from auditor.checks.suites import Case, suite
from auditor.model.artifacts import Manifests
from auditor.model.needs import MANIFESTS, SNAPSHOT, SYNTAX
from auditor.model.snapshot import Role, Snapshot
from auditor.model.syntax import Syntax
from auditor.model.verdict import Assessed, Finding, NotApplicable, Place
from auditor.words import plural

_PARTIAL = 0.5
_IGNORES_RESULT = re.compile(
    r"(?:jest|vitest|mocha|playwright|cypress|ava|pytest|\btest\b).{0,200}(?:\|\|\s*(?:true|:|exit 0|echo\b)|;\s*exit 0)"
)
_MESSAGES = {
    "asserts nothing": "runs code and asserts nothing: it stays green whatever the code returns.",
    "is empty": "is empty: it counts as passed and checks nothing.",
    "asserts only what is always true": "asserts only what is always true: no change of the code can turn it red.",
    "catches its own failure": "catches the failure of its own assertion: it is green when the check fails.",
    "forgets to wait for its assertion": "does not wait for the promise it asserts: the test is over before the assertion can fail.",
    "tests nothing but its own mocks": "replaces everything it imports by mocks: it tests what it wrote itself.",
}


@check("tests.can-fail", needs=(SNAPSHOT, SYNTAX, MANIFESTS), roles=(Role.TEST,), tolerance=0.05)
def can_fail(snapshot: Snapshot, syntax: Syntax, manifests: Manifests) -> Assessed | NotApplicable:
    """Weigh every test case."""
    every = suite(snapshot, syntax).cases
    cases = [case for case in every if not (case.smoke and case.focused)]
    focused = [case for case in every if case.focused]
    if not cases and not focused:
        return NotApplicable("There are no tests; that is charged where the tests themselves are judged.")
    hollow = [case for case in cases if case.hollow]
    skipped = [case for case in cases if case.skipped]
    swallowed = _swallowed(manifests)
    findings = [
        *(_focused(case) for case in focused),
        *swallowed,
        *(_hollow(case) for case in hollow),
        *(_skipped(case) for case in skipped),
    ]
    bad = len(hollow) + len(skipped)
    kinds = Counter([case.hollow for case in hollow] + ["is skipped"] * len(skipped))
    return Assessed(
        bad=bad,
        total=len(cases),
        floor=1.0 if focused else _PARTIAL if swallowed else 0.0,
        summary=_summary(len(cases), bad, len(focused)),
        findings=tuple(findings),
        evidence=tuple(Place(case.path, case.line, case.end_line) for case in cases if case.is_real)[:5],
        signals=tuple(f"{reason}: {count:,}" for reason, count in sorted(kinds.items())),
    )


def _focused(case: Case) -> Finding:
    message = f"“{case.name}” is focused: all other tests of the file are silently left out."
    return Finding("focused-test", case.path, message, case.line, case.line)


def _hollow(case: Case) -> Finding:
    return Finding("hollow-test", case.path, f"“{case.name}” {_MESSAGES[case.hollow]}", case.line, case.end_line)


def _skipped(case: Case) -> Finding:
    return Finding(
        "skipped-test", case.path, f"“{case.name}” is switched off: what it once protected is unprotected.", case.line, case.line
    )


def _swallowed(manifests: Manifests) -> list[Finding]:
    """Test scripts that report success whatever happened."""
    found = []
    for manifest in manifests.manifests:
        for script in manifest.scripts:
            if "test" in script.name and _IGNORES_RESULT.search(script.command[:2_000]):
                message = f"The script `{script.name}` reports success even when tests fail."
                found.append(Finding("result-ignored", script.place.path, message, script.place.line, script.place.line))
    return found


def _summary(total: int, bad: int, focused: int) -> str:
    if focused:
        return f"{plural(focused, 'focused test silences', 'focused tests silence')} the others."
    if not bad:
        return f"All {plural(total, 'test')} can fail."
    return f"{bad} of {plural(total, 'test')} cannot fail."
