"""Tests of what goes wrong: wrong input, refused access, edge values, failing dependencies.

Passing title: The tests also cover what goes wrong
Failing title: Only the happy path is tested
Grading: Every test that can fail counts once. It covers a failure when it expects an exception, an answer with a status from 400 to 599 or a non-zero exit code, makes a
    dependency fail, is run with edge values, or names a refusal, an error or an edge in its title and asserts something. A fifth of all tests, or ten, is a pass; at
    least one is partial; none is a failure.
Done when: Each rule that refuses something, and each dependency that can fail, has a test that was seen to fail once without it.
What it cannot see: Which failure paths of the product are left out, failures that tests provoke through data whose meaning only the product knows, and expectations
    in helpers whose names say nothing of them.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter

from auditor.checks.registry import check
from auditor.checks.suites import Case, suite
from auditor.model.needs import SNAPSHOT, SYNTAX
from auditor.model.snapshot import Role, Snapshot
from auditor.model.syntax import Call, FileFacts, Syntax, Value, ValueKind
from auditor.model.verdict import Assessed, Finding, NotApplicable, Place
from auditor.words import percent, plural

ENOUGH_SHARE = 0.2
ENOUGH = 10
_PARTIAL, _LEAST_PARTIAL = 0.5, 0.2
_CLIENT_ERRORS = range(400, 600)
_RAISES = re.compile(
    r"(?:^|\.)(?:raises|assertRaises\w*|assertFormError|assert_raises\w*|assertWarns\w*|toThrow\w*|throws\w*|toBeRejected\w*|rejectedWith|isRejected"
    r"|rejects|doesNotMatch|toBeInvalid|toHaveErrorMessage|expectError|mockRejected\w*|assert(?:Forbidden|Unauthorized|NotFound|Denied|Error)\w*)$"
    r"|\.rejects(?:\.|$)|\.to\.throw\w*$|^(?:chai\.)?expect\(\)\.to\.be\.rejected"
)
_REFUSED_BY_NAME = re.compile(
    r"(?:HTTP_|HTTPStatus\.|StatusCodes?\.|HttpStatus\.|codes\.)\w{0,4}_?(?:4\d\d|5\d\d|BAD_|UNAUTHORI[SZ]ED|FORBIDDEN|NOT_FOUND|CONFLICT|UNPROCESSABLE|TOO_MANY|METHOD_NOT|GONE|PAYLOAD|INTERNAL|SERVICE_UN|GATEWAY)",
    re.IGNORECASE,
)
_STATUS_ASSERTED = re.compile(
    r"(?:status|code)\w{0,20}\W{0,6}(?:==|is|in|===)\s*[\[({]?\s*[45]\d\d\b|[45]\d\d\s*==\s*[\w.]{0,60}status|exit_code\s*(?:!=\s*0|==\s*[1-9])|returncode\s*(?:!=\s*0|==\s*[1-9])"
)
_STATUS = re.compile(r"status|code|\bexpect\b", re.IGNORECASE)
_FAILING_DOUBLE = re.compile(r"Error|Exception|Timeout|Failure|\bthrow\b|reject")
_REFUSAL = re.compile(
    r"(?<!no )(?<!without )(?:invalid|unauthori[sz]ed|unauthenticated|unauth\b|forbid|denie[ds]|deny|reject|refus|fail(?!over|back)|error|exception|raises|throws?\b|missing|not[ _]found|malformed|wrong"
    r"|expired|unknown|nonexist|non[ _-]exist|does[ _]?n[o']?t[ _]exist|not[ _]allowed|disallow|cannot|can[' ]?not|can't|requires|required|bad[ _]|illegal|corrupt|broken|duplicate"
    r"|already[ _](?:exists|used|taken)|time[ds]?[ _]?out|unavailable|rate[ _-]?limit|too[ _](?:long|large|many|short|big)|exceed|overflow|empty|negative|boundar|edge[ _]case|null\b|undefined\b|nan\b"
    r"|[45]\d\d(?![\d]))",
    re.IGNORECASE,
)
_OPPOSITE = re.compile(r"(?:no|without(?: any)?|zero)[ _](?:errors?|exceptions?|failures?)|does[ _]?n[o']?t[ _](?:fail|throw|raise|crash)|(?:not|never)[ _](?:fail|throw|raise|crash)", re.IGNORECASE)  # fmt: skip
_EDGE_VALUES = re.compile(r"(?<![\w.])(?:None|null|undefined|NaN|Infinity|-1|\"\"|'')(?![\w.])")
_WORDS_OF_NAME = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_CALLS_LOOKED_AT = 400  # of one test


@check("tests.failure-paths", needs=(SNAPSHOT,), corroborating=(SYNTAX,), roles=(Role.TEST,))
def failure_paths(snapshot: Snapshot, syntax: Syntax) -> Assessed | NotApplicable:
    """Count the tests that check a failure."""
    cases = [case for case in suite(snapshot, syntax).cases if not (case.smoke and case.focused)]
    if not cases:
        return NotApplicable("There are no tests; that is charged where the tests themselves are judged.")
    readers: dict[str, _Failures] = {}
    covering: list[Case] = []
    kinds: Counter[str] = Counter()
    real = [case for case in cases if case.is_real]
    for case in real:
        reader = readers.setdefault(case.path, _Failures(syntax.files[case.path]))
        kind = reader.kind(case)
        if kind:
            covering.append(case)
            kinds[kind] += 1
    share = len(covering) / len(real) if real else 0.0
    enough = len(covering) >= ENOUGH or share >= ENOUGH_SHARE
    return Assessed(
        bad=0,
        total=0,
        floor=0.0 if enough else max(_LEAST_PARTIAL, _PARTIAL * (1 - share / ENOUGH_SHARE)) if covering else 1.0,
        summary=_summary(len(covering), len(real), len(cases), share),
        findings=() if enough else (_finding(cases, covering),),
        evidence=tuple(Place(case.path, case.line, case.end_line) for case in covering[:5]),
        signals=tuple(f"{kind}: {count:,}" for kind, count in sorted(kinds.items())),
        unexamined=() if enough else _broken(snapshot, syntax),
    )


def _broken(snapshot: Snapshot, syntax: Syntax) -> tuple[tuple[str, str], ...]:
    tests = frozenset(file.path for file in snapshot.with_role(Role.TEST))
    return tuple((facts.path, f"does not parse (line {facts.error_line})") for facts in syntax.of(tests) if facts.error_line)


def _summary(covering: int, real: int, cases: int, share: float) -> str:
    if not real:
        return f"{plural(cases, 'test')}, and none that can fail: no failure is tested."
    if not covering:
        return f"None of {plural(real, 'test')} checks wrong input, a refusal or a failing dependency."
    return f"{covering:,} of {plural(real, 'test')} ({percent(share)}) check wrong input, a refusal, an edge or a failing dependency."


def _finding(cases: list[Case], covering: list[Case]) -> Finding:
    first = cases[0]
    if covering:
        message = (
            "Hardly any test covers what goes wrong: whether wrong input or a stranger is refused, is mostly found out by whoever tries it."
        )
        return Finding("few-failure-tests", first.path, message, first.line, first.end_line)
    message = "The tests follow the happy path alone: whether wrong input or a stranger is refused, is found out by whoever tries it."
    return Finding("no-failure-tests", first.path, message, first.line, first.end_line)


class _Failures:
    """The failures that the cases of one test file check."""

    def __init__(self, facts: FileFacts) -> None:
        self._facts = facts
        self._calls = sorted(facts.calls, key=lambda call: call.line)
        self._lines = [call.line for call in self._calls]
        self._doubles = [
            one.line
            for one in facts.assignments
            if one.target.endswith("side_effect") and one.value is not None and _FAILING_DOUBLE.search(one.value.text)
        ]
        self._marks = {definition.line: definition.decorators for definition in facts.definitions}

    def kind(self, case: Case) -> str:
        """What failure a case checks, "" for none."""
        calls = self._calls[bisect_left(self._lines, case.line) : bisect_left(self._lines, case.end_line + 1)][:_CALLS_LOOKED_AT]
        if any(_RAISES.search(call.callee) for call in calls):
            return "an error is expected"
        if self._refused(case, calls):
            return "a refusal is expected"
        if any(case.line <= line <= case.end_line for line in self._doubles) or any(_makes_fail(call) for call in calls):
            return "a dependency is made to fail"
        words = _WORDS_OF_NAME.sub(" ", case.name)
        if case.asserts and _REFUSAL.search(_OPPOSITE.sub("", words)):
            return "a refusal or an edge is named"
        marks = self._marks.get(case.line, ())
        if any(mark.callee.endswith("parametrize") and _has_edges(mark) for mark in marks):
            return "edge values are given"
        return ""

    def _refused(self, case: Case, calls: list[Call]) -> bool:
        stated = (one.text for one in self._facts.assertions if case.line <= one.line <= case.end_line)
        if any(_STATUS_ASSERTED.search(text) or _REFUSED_BY_NAME.search(text) for text in stated):
            return True
        about_status = {call.line for call in calls if call.callee == "expect" and _STATUS.search(_text(call))}
        return any(_expects_refusal(call, about_status) for call in calls)


def _expects_refusal(call: Call, about_status: set[int]) -> bool:
    """`assertEqual(r.status_code, 403)`, `.expect(401)`, `expect(res.status).toBe(404)`, `assertContains(r, "", status_code=403)`."""
    last = call.callee.rpartition(".")[2]
    refused = any(_is_refusal(argument.value) for argument in call.arguments)
    if call.callee.startswith("expect()"):
        return refused and (call.line in about_status or "tatus" in last)
    if last == "expect":
        return "." in call.callee and refused
    if last.lower().startswith("assert") or call.callee.startswith(("assert.", "t.")) or last in {"equal", "strictEqual", "is"}:
        named = any("status" in argument.name for argument in call.arguments) or bool(_STATUS.search(_text(call)))
        return refused and (named or "tatus" in last)
    return False


def _is_refusal(value: Value) -> bool:
    if value.kind is ValueKind.NUMBER:
        return value.literal.isdigit() and int(value.literal) in _CLIENT_ERRORS
    return bool(_REFUSED_BY_NAME.search(value.text))


def _makes_fail(call: Call) -> bool:
    last = call.callee.rpartition(".")[2]
    for argument in call.arguments:
        if argument.name == "side_effect" and _FAILING_DOUBLE.search(argument.value.text):
            return True
    return last in {"mockImplementation", "mockImplementationOnce", "throws", "rejects"} and bool(
        re.search(r"\bthrow\b|reject", _text(call))
    )


def _has_edges(mark: Call) -> bool:
    return any(_EDGE_VALUES.search(argument.value.text) for argument in mark.arguments[1:])


def _text(call: Call) -> str:
    return " ".join(argument.value.text for argument in call.arguments)
