"""Tests run from a clean clone without live services, secrets, order or luck.

Passing title: The tests give the same answer on every machine and every day
Failing title: Tests depend on other people's servers, on secrets or on the clock
Grading: The share of tests that ask a real server of others, need a credential of somebody's account, read a file of somebody's machine, or (for a half) wait for a fixed time and hope. Up to 5 % passes;
    the rest is graded by the share. What tests need that are marked or filed apart as live, integration or slow ones, skipped without the credential, or run behind a stand-in of the network (a mock,
    a recorder, fake timers) does not count; waiting does wherever it is done. Databases that a container or a file of the tests' own provides are no dependence.
Done when: a clean clone without network passes all tests twice in a row and in random order; what needs the outside is marked and run apart.
What it cannot see: dependence on order, on the date and on shared databases, and fixtures that reach out on behalf of the tests.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.checks.registry import check
from auditor.checks.suites import Case, suite
from auditor.model.needs import SNAPSHOT, SYNTAX
from auditor.model.snapshot import Role, Snapshot
from auditor.model.syntax import Call, FileFacts, Syntax, Value, ValueKind
from auditor.model.verdict import Assessed, Finding, Judgement, NotApplicable, Place
from auditor.secret_names import kind_of_name
from auditor.words import percent, plural

TOLERANCE = 0.05
_REQUEST = re.compile(
    r"^(?:requests|httpx|aiohttp|axios|got|ky|superagent|undici|needle|urllib\.request|urllib3)\.(?:get|post|put|patch|delete|head|request|urlopen|stream)$|^(?:fetch|axios|got|urlopen|request\.urlopen|ky|requests\.Session\(\)\.\w+|session\.(?:get|post)|httpx\.(?:Async)?Client\(\)\.\w+|page\.goto|cy\.visit|driver\.get)$"
)
_LIVE = re.compile(r"^https?://(?P<host>[A-Za-z0-9.-]+\.[A-Za-z]{2,24})(?::\d+)?(?:[/?#{]|$)")
_OWN = re.compile(
    r"(?:^|\.)(?:example\.(?:com|org|net)|localhost|testserver|(?:[\w-]+\.)*(?:test|local|localdomain|invalid|example|internal|localhost))$|^(?:test|mock|fake|dummy|foo|bar|my|some|host|api)[\w-]*\.(?:com|org|net|io)$",
    re.IGNORECASE,
)
_STAND_IN = re.compile(
    r"^(?:responses|respx|requests_mock|httpretty|vcr|pytest_recording|pytest_httpx|aioresponses|betamax|pook|pytest_httpserver|nock|msw(?:/.*)?|fetch-mock|jest-fetch-mock|vitest-fetch-mock|axios-mock-adapter|moxios|sinon|mock|unittest\.mock|unittest|pytest_mock|freezegun|time_machine|@mswjs/.*|undici|moto|wiremock\w*|talkback|@pollyjs/.*)$"
)
_MOCKS = re.compile(
    r"^(?:jest|vi|vitest)\.(?:mock|fn|spyOn|stubGlobal|doMock|useFakeTimers)$|(?:^|\.)(?:patch|patch\.\w+|setattr|MagicMock|Mock|AsyncMock|intercept|route|stub|fakeAsync|install|useFakeTimers)$|^cy\.intercept$|^mock\.\w+$"
)
_APART = re.compile(
    r"(?:^|[/_.-])(?:integrations?|live|online|external|network|e2e|end[-_]to[-_]end|smoke|manual|slow|load|perf\w*|bench\w*|acceptance|contract)(?:[/_.-]|$)",
    re.IGNORECASE,
)
_APART_MARK = re.compile(
    r"(?:^|\.)(?:integration|live|online|external|network|e2e|slow|vcr|skip\w*|smoke|flaky|requires_\w+|needs_\w+|tag|xfail)$"
)
_SKIPS = re.compile(r"(?:^|\.)(?:skipif|skipIf|skipUnless|skip|runIf|skip_unless_\w+|importorskip|skipTest)$")
_SLEEP = re.compile(
    r"^(?:time\.sleep|sleep|asyncio\.sleep|anyio\.sleep|trio\.sleep|page\.waitForTimeout|\w+\.waitForTimeout|\w+\.wait_for_timeout|cy\.wait|browser\.pause|delay|setTimeout|wait)$"
)
_SECONDS = frozenset({"time.sleep", "sleep", "asyncio.sleep", "anyio.sleep", "trio.sleep"})
_SHORT_SECONDS = 0.5
_SHORT_MILLISECONDS = 500.0
_OPENS = re.compile(r"(?:^|\.)(?:open|Path|readFile|readFileSync|read_text|read_csv|load|exists|existsSync|chdir|listdir)$")
_MACHINE = re.compile(r"^(?:/home/(?!user/|runner/|app/|node/|test\w*/)[\w.-]+/|/Users/(?!test\w*/)[\w.-]+/|[A-Z]:\\\\?Users\\)")
_WEIGHT = {"live-server": 1.0, "needs-credential": 1.0, "file-of-one-machine": 1.0, "waits-and-hopes": 0.5}
_MESSAGES = {
    "live-server": "{count} of this file {ask} {what}: when that server is slow, changed or gone, the tests are red and nobody has broken anything.",
    "needs-credential": "{count} of this file {need} {what} from the environment: whoever has no account there cannot run them.",
    "file-of-one-machine": "{count} of this file {read} {what}: on every other machine they fail.",
    "waits-and-hopes": "{count} of this file {wait} a fixed time ({what}): on a busy machine it is too short, everywhere else it is lost.",
}


@dataclass(frozen=True, slots=True)
class _Dependence:
    """One test and what it depends on."""

    case: Case
    rule: str
    line: int
    what: str


@check("tests.repeatable", needs=(SNAPSHOT, SYNTAX), roles=(Role.TEST,), tolerance=TOLERANCE)
def repeatable(snapshot: Snapshot, syntax: Syntax) -> Judgement:
    """Judge every test that runs by what it needs."""
    cases = [case for case in suite(snapshot, syntax).cases if not case.skipped]
    if not cases:
        return NotApplicable("There are no tests in a language this version reads.")
    by_file: defaultdict[str, list[Case]] = defaultdict(list)
    for case in cases:
        by_file[case.path].append(case)
    found = [dependence for path, own in sorted(by_file.items()) for dependence in _of_file(syntax.files[path], own)]
    worst: dict[Case, _Dependence] = {}
    for dependence in found:
        known = worst.get(dependence.case)
        if known is None or _WEIGHT[dependence.rule] > _WEIGHT[known.rule]:
            worst[dependence.case] = dependence
    bad = sum(_WEIGHT[dependence.rule] for dependence in worst.values())
    return Assessed(
        bad=bad,
        total=len(cases),
        summary=f"{len(worst)} of {plural(len(cases), 'test')} {'depends' if len(worst) == 1 else 'depend'} on something outside the repository or on the clock ({percent(1 - bad / len(cases))} do not).",
        findings=tuple(_findings(list(worst.values()))),
        evidence=tuple(Place(case.path, case.line) for case in cases[:2]) if not worst else (),
        signals=(
            f"{plural(len(cases), 'test')} in {plural(len(by_file), 'file')}; files of live, integration and load tests counted as set apart",
        ),
    )


def _of_file(facts: FileFacts, cases: list[Case]) -> Iterator[_Dependence]:
    mocked = any(_STAND_IN.match(statement.module) for statement in facts.imports) or any(
        _MOCKS.search(call.callee) for call in facts.calls
    )
    skips = any(
        _SKIPS.search(call.callee) for call in (*facts.calls, *(d for definition in facts.definitions for d in definition.decorators))
    )
    for case in cases:
        apart = bool(_APART.search(facts.path)) or _set_apart(facts, case)
        for call in facts.calls:
            if case.line <= call.line <= case.end_line and (found := _of_call(call, mocked=mocked)):
                if apart and found[0] != "waits-and-hopes":
                    continue  # it is run where what it needs is there; waiting is luck there too
                yield _Dependence(case, found[0], call.line, found[1])
        if not skips and not apart:
            for read in facts.environment:
                if case.line <= read.line <= case.end_line and read.required and kind_of_name(read.name, settings=True):
                    yield _Dependence(case, "needs-credential", read.line, read.name)


def _set_apart(facts: FileFacts, case: Case) -> bool:
    """Whether a mark on the test, its class or its file, or its name, says that it is run separately."""
    around = [definition for definition in facts.definitions if definition.line <= case.line <= definition.end_line]
    marks = [mark.callee for definition in around for mark in definition.decorators]
    marks += [name for a in facts.assignments if a.target == "pytestmark" and a.value is not None for name in a.value.names]
    return any(_APART_MARK.search(mark) for mark in marks) or bool(_APART.search(case.name))


def _of_call(call: Call, *, mocked: bool) -> tuple[str, str] | None:
    first = call.argument("", 0) or call.argument("url")
    if _REQUEST.match(call.callee) and not mocked and first is not None:
        host = _live_host(first)
        if host:
            return "live-server", host
    if _SLEEP.match(call.callee) and not mocked and (waited := _waited(call)):
        return "waits-and-hopes", waited
    if _OPENS.search(call.callee) and first is not None and first.kind is ValueKind.STRING and _MACHINE.match(first.literal):
        return "file-of-one-machine", first.literal[:60]
    return None


def _live_host(value: Value) -> str:
    found = _LIVE.match(value.literal) if value.kind in {ValueKind.STRING, ValueKind.TEMPLATE} else None
    return found["host"] if found and not _OWN.search(found["host"]) else ""


def _waited(call: Call) -> str:
    """How long a call waits, in words; "" for a moment, or for a time that is not written here."""
    position = 1 if call.callee == "setTimeout" else 0
    given = [argument.value for argument in call.arguments if not argument.name]
    if position >= len(given) or given[position].kind is not ValueKind.NUMBER:
        return ""
    try:
        amount = float(given[position].literal.replace("_", ""))
    except ValueError:
        return ""
    in_seconds = call.callee in _SECONDS
    if amount < (_SHORT_SECONDS if in_seconds else _SHORT_MILLISECONDS):
        return ""
    return f"{amount:g} s" if in_seconds else f"{amount:g} ms"


def _findings(found: list[_Dependence]) -> Iterator[Finding]:
    """One finding per file and kind, the heaviest first."""
    groups: defaultdict[tuple[str, str], list[_Dependence]] = defaultdict(list)
    for dependence in found:
        groups[dependence.rule, dependence.case.path].append(dependence)
    for (rule, path), own in sorted(groups.items(), key=lambda entry: (-_WEIGHT[entry[0][0]] * len(entry[1]), entry[0])):
        one = len(own) == 1
        words = {verb: verb + "s" if one else verb for verb in ("ask", "need", "read", "wait")}
        message = _MESSAGES[rule].format(count=plural(len(own), "test"), what=own[0].what, **words)
        yield Finding(rule, path, message, own[0].line, own[0].line)
