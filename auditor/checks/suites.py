"""Test cases as the syntax facts show them, Python and JavaScript alike: where each stands, what it asserts, why it may never fail.

Shared by the checks on tests. Nothing here knows how tests are run.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from auditor.model.snapshot import READ_LANGUAGES, Role, Snapshot
from auditor.model.syntax import Assertion, Call, Definition, DefinitionKind, FileFacts, Handler, HandlerEffect, Syntax, Value, ValueKind

_CASE = re.compile(
    r"(?:(?P<head>it|test|specify|fit|xit|xtest|xspecify|Deno\.test|t\.test|suite\.test))(?P<mods>(?:\.(?:only|skip|todo|fixme|fail|fails|failing|concurrent|sequential|serial|each\(\)|for\(\)|skipIf\(\)|runIf\(\)|extend\(\)))*)"
)
_BLOCK = re.compile(
    r"(?P<head>f?describe|xdescribe|context|suite|test\.describe)(?P<mods>(?:\.(?:only|skip|fixme|serial|parallel|concurrent|each\(\)|skipIf\(\)|runIf\(\)))*)"
)
_LITERALS = frozenset({ValueKind.STRING, ValueKind.NUMBER, ValueKind.BOOLEAN, ValueKind.NONE})
_SMOKE = re.compile(
    r"smoke|crash|import|does[_ ]?n[o']?t|without[_ ]|no[_ ](?:error|exception|crash)|not[_ ](?:raise|throw|fail)|[_ ](?:runs?|works?|starts?|loads?|boots?|resolves|compiles?|mounts?)\b|bench",
    re.IGNORECASE,
)
_CALLBACK = re.compile(r"(?:async\s{0,9})?(?:function\s{0,9}\w{0,40}\s{0,9})?\(?\s{0,9}(?:done|cb|callback|next)\b")
_SCRIPT_ASSERTION = re.compile(
    r"(?:chai\.)?expect(?:\.soft|\.poll)?\(\)\.|(?:chai\.|node_assert\.|t\.)?assert(?:\.|\(|$|[A-Z])|(?:.*\.)?(?:should|toMatchSnapshot)(?:\.|$|\(\))|.+\)\.expect$|cy\.(?:contains|get|find|url|location|title)\b|sinon\.assert\.|expect(?:TypeOf|\.fail|\.unreachable)"
    r"|(?:screen|within\(\)|page|wrapper|view|container|result|utils)?\.?(?:getBy|findBy|getAllBy|findAllBy)\w+$|.*\.(?:waitForSelector|waitForURL|waitFor|waitForResponse)$|fail$|(?:\w+\.)?verify\w*$"
)
_AVA = re.compile(r"t\.(?:is|not|deepEqual|notDeepEqual|true|false|truthy|falsy|throws|throwsAsync|notThrows|regex|like|snapshot|pass|fail|equal|equals|same|ok|notOk|strictSame|match|end|plan|rejects|error|isEqual|strictEqual|deepStrictEqual)$")  # fmt: skip
_NODE_ASSERT = frozenset({"ok", "equal", "notEqual", "strictEqual", "notStrictEqual", "deepEqual", "deepStrictEqual", "notDeepStrictEqual", "throws", "rejects", "doesNotThrow", "doesNotReject", "match", "fail"})  # fmt: skip
_PYTHON_ASSERTION = re.compile(
    r"(?:.*\.)?(?:assert\w*|raises|warns|fail|raise_for_status|deprecated_call|check_call|should\w*)$|expect\(\)\.|verify\w*$"
)
_SKIPS = re.compile(r"(?:pytest\.mark\.|mark\.|unittest\.)?(?:skip|xfail|expectedFailure)$")
_TEST_CLASS = re.compile(r"Test|Tests$|TestCase|Spec$|Case$")
_SWALLOWED = frozenset({HandlerEffect.PRINT, HandlerEffect.CONTINUE, HandlerEffect.EMPTY, HandlerEffect.RETURN_CONSTANT})
_BROAD = frozenset({"Exception", "BaseException", "AssertionError"})
_ROUNDS = 4
_SHORTEST_HELPER = 4


@dataclass(frozen=True, slots=True)
class Case:
    """One test. `hollow` says why it cannot fail ("" when it can), `asserts` counts its assertions that can.

    `skipped` and `focused` as marked in the source; `smoke`: it asserts nothing and says by its name that running through is the point.
    """

    path: str
    name: str
    line: int
    end_line: int
    asserts: int
    hollow: str = ""
    skipped: bool = False
    focused: bool = False
    smoke: bool = False

    @property
    def is_real(self) -> bool:
        """Whether it runs and can fail on an assertion."""
        return not self.hollow and not self.skipped and not self.smoke


@dataclass(frozen=True, slots=True)
class Suite:
    """All cases of the tree in path and line order."""

    cases: tuple[Case, ...]

    def in_file(self, path: str) -> tuple[Case, ...]:
        """The cases of one file."""
        return tuple(case for case in self.cases if case.path == path)


def suite(snapshot: Snapshot, syntax: Syntax) -> Suite:
    """Read the cases of every test file."""
    paths = [
        file.path for file in snapshot.files if file.role is Role.TEST and file.language in READ_LANGUAGES and file.path in syntax.files
    ]
    files = [_File(syntax.files[path]) for path in paths]
    helpers = _helpers(files)
    return Suite(tuple(case for file in files for case in file.cases(helpers)))


class _File:
    """One test file with its facts arranged for look-ups by line."""

    def __init__(self, facts: FileFacts) -> None:
        self.facts = facts
        self.python = facts.path.endswith(".py")
        self._calls = sorted(facts.calls, key=lambda call: call.line)
        self._lines = [call.line for call in self._calls]

    def calls(self, line: int, end_line: int) -> list[Call]:
        """The calls that begin between two lines."""
        return self._calls[bisect_left(self._lines, line) : bisect_left(self._lines, end_line + 1)]

    def assertions(self, line: int, end_line: int) -> list[Assertion]:
        return [one for one in self.facts.assertions if line <= one.line <= end_line]

    @cached_property
    def node_asserts(self) -> frozenset[str]:
        """Local names that stand for functions of an assertion library."""
        libraries = ("assert", "node:assert", "chai", "std/assert", "@std/assert", "asserts", "uvu/assert", "tap", "should")
        found = set()
        for statement in self.facts.imports:
            if statement.module.endswith(libraries) or "/assert" in statement.module:
                found |= {
                    local
                    for name, local in statement.names
                    if name in _NODE_ASSERT or name in {"default", "*", "strict", "expect", "assert", "should"}
                }
        return frozenset(found)

    def cases(self, helpers: frozenset[str]) -> list[Case]:
        """The cases of the file; `helpers` are names of test functions that assert."""
        found = self._python_cases(helpers) if self.python else self._script_cases(helpers)
        mocked = "" if self.python else _only_mocks(self.facts)
        return [_replaced(case, mocked) if mocked and not case.hollow else case for case in found]

    # -- Python --------------------------------------------------------------------------------------------------------------------

    def _python_cases(self, helpers: frozenset[str]) -> list[Case]:
        every = self.facts.definitions
        all_skipped = any(
            one.target == "pytestmark" and one.value is not None and re.search(r"mark\.skip\b", one.value.text)
            for one in self.facts.assignments
        )
        found = []
        for definition in every:
            owner = every[definition.parent] if definition.parent >= 0 else None
            if not _is_python_case(definition, owner):
                continue
            marks = [*definition.decorators, *(owner.decorators if owner else ())]
            skipped = all_skipped or any(_SKIPS.match(mark.callee) for mark in marks)
            name = definition.name
            found.append(
                self._case(
                    name, (definition.line, definition.end_line), helpers, skipped=skipped, words=f"{name} {definition.docstring[:200]}"
                )
            )
        return found

    # -- JavaScript ------------------------------------------------------------------------------------------------------------------

    def _script_cases(self, helpers: frozenset[str]) -> list[Case]:
        blocks = [(call, found) for call in self.facts.calls if (found := _BLOCK.fullmatch(call.callee))]
        skipped = [(call.line, call.end_line) for call, found in blocks if _is_skipped(found) and _has_body(call)]
        focused = [call for call, found in blocks if _is_focused(found) and _has_body(call)]
        cases = []
        for call in self.facts.calls:
            match = _CASE.fullmatch(call.callee)
            if match is None or not _has_body(call) or "todo" in match["mods"]:
                continue
            place = (call.line, call.end_line)
            cases.append(
                self._case(
                    _name_of(call),
                    place,
                    helpers,
                    skipped=_is_skipped(match) or any(line <= call.line <= end for line, end in skipped),
                    focused=_is_focused(match),
                    words=_name_of(call),
                    callback=_CALLBACK.match(call.arguments[-1].value.text) is not None,
                )
            )
        return cases + [Case(self.facts.path, _name_of(call), call.line, call.line, 0, focused=True, smoke=True) for call in focused]

    # -- both --------------------------------------------------------------------------------------------------------------------

    def _case(
        self,
        name: str,
        place: tuple[int, int],
        helpers: frozenset[str],
        *,
        skipped: bool = False,
        focused: bool = False,
        words: str = "",
        callback: bool = False,
    ) -> Case:
        calls = self.calls(*place)
        statements = self.assertions(*place)
        asserting = [call for call in calls if self._asserts(call, helpers)]
        solid = [call for call in asserting if not self._is_trivial(call, calls) and not _is_forgotten(call)]
        raises = [one for one in self.facts.raises if place[0] <= one.line <= place[1]]
        count = len(solid) + sum(not one.trivial for one in statements) + len(raises)
        lines = [call.line for call in solid] + [one.line for one in statements if not one.trivial] + [one.line for one in raises]
        every = len(asserting) + len(statements) + len(raises)
        smoke = not every and (callback or _SMOKE.search(words) is not None) and bool(calls)
        hollow = "" if skipped or smoke else self._why_hollow(count, every, calls, lines, place)
        return Case(self.facts.path, name, place[0], place[1], count, hollow, skipped, focused, smoke)

    def _why_hollow(self, count: int, every: int, calls: list[Call], lines: list[int], place: tuple[int, int]) -> str:
        if not every:
            return "asserts nothing" if len(calls) > (0 if self.python else 1) else "is empty"
        if not count:
            forgotten = any(_is_forgotten(call) for call in calls)
            return "forgets to wait for its assertion" if forgotten else "asserts only what is always true"
        if self._swallows(lines, place):
            return "catches its own failure"
        return ""

    def _swallows(self, lines: list[int], place: tuple[int, int]) -> bool:
        """Whether every assertion stands in a try whose handler goes on as if nothing had happened."""
        handlers = [one for one in self.facts.handlers if place[0] <= one.line <= place[1] and _hides(one)]
        return bool(handlers) and all(any(one.line - one.tried_lines - 1 <= line < one.line for one in handlers) for line in lines)

    def _asserts(self, call: Call, helpers: frozenset[str]) -> bool:
        head, _, tail = call.callee.rpartition(".")
        if tail in helpers and head.count(".") == 0 and "(" not in head:
            return True
        if self.python:
            return _PYTHON_ASSERTION.match(call.callee) is not None
        if _SCRIPT_ASSERTION.match(call.callee) or _AVA.match(call.callee) or {call.callee, head} & self.node_asserts:
            return True
        return (
            call.callee == "expect"
            and call.used
            and not any(other.callee.startswith("expect()") for other in self.calls(call.line, call.line))
        )

    def _is_trivial(self, call: Call, calls: list[Call]) -> bool:
        """Whether the assertion compares constants, or a thing with itself."""
        values = [argument.value for argument in call.arguments]
        if self.python:
            return _always_true(call.callee.removeprefix("self."), values)
        if call.callee.startswith("expect()"):
            inner = next((other for other in calls if other.callee == "expect" and other.line == call.line), None)
            given = [argument.value for argument in inner.arguments[:1]] if inner else []
            return bool(given) and (_constant([*given, *values]) or (len(values) == 1 and _same([*given, *values])))
        if call.callee.startswith("assert"):
            return len(values) >= (1 if call.callee in {"assert", "assert.ok"} else 2) and (_constant(values[:2]) or _same(values))
        return False


def _always_true(name: str, values: list[Value]) -> bool:
    """Whether a unittest assertion is about constants only, or compares a thing with itself."""
    if name in {"assertTrue", "assertFalse", "assertIsNotNone", "assertIsNone"}:
        return bool(values) and _constant(values[:1])
    return name in {"assertEqual", "assertEquals", "assertIs", "assertIn"} and len(values) >= 2 and (_constant(values[:2]) or _same(values))


def _constant(values: Iterable[Value]) -> bool:
    return all(value.kind in _LITERALS for value in values)


def _same(values: list[Value]) -> bool:
    return len(values) >= 2 and values[0].text == values[1].text and values[0].kind is ValueKind.NAME


def _is_forgotten(call: Call) -> bool:
    """`expect(promise).resolves…` is a promise: nobody sees it fail when nobody waits for it."""
    return bool(re.match(r"expect\(\)\.(?:resolves|rejects)\b", call.callee)) and not call.awaited and not call.used


def _hides(handler: Handler) -> bool:
    broad = not handler.types or any(name.rsplit(".", 1)[-1] in _BROAD for name in handler.types)
    return broad and handler.effect in _SWALLOWED and handler.kind != "suppress"


def _is_python_case(definition: Definition, owner: Definition | None) -> bool:
    if definition.kind is DefinitionKind.CLASS or not definition.name.startswith("test"):
        return False
    if any("fixture" in decorator.callee for decorator in definition.decorators):
        return False
    if owner is None:
        return definition.name == "test" or definition.name.startswith("test_")
    if owner.kind is not DefinitionKind.CLASS:
        return False
    return _TEST_CLASS.search(owner.name) is not None or any(_TEST_CLASS.search(base) for base in owner.bases)


def _has_body(call: Call) -> bool:
    """Whether the call names a case and gives it something to run."""
    if len(call.arguments) < 2:
        return False
    return call.arguments[0].value.kind in {
        ValueKind.STRING,
        ValueKind.TEMPLATE,
        ValueKind.NAME,
        ValueKind.CALL,
        ValueKind.OPERATION,
    } and any(argument.value.kind in {ValueKind.FUNCTION, ValueKind.CALL, ValueKind.NAME} for argument in call.arguments[1:])


def _is_skipped(match: re.Match[str]) -> bool:
    return match["head"].startswith("x") or ".skip" in match["mods"].replace(".skipIf", "") or ".fixme" in match["mods"]


def _is_focused(match: re.Match[str]) -> bool:
    return match["head"] in {"fit", "fdescribe"} or ".only" in match["mods"]


def _name_of(call: Call) -> str:
    value = call.arguments[0].value
    return (value.literal or value.text)[:120]


def _helpers(files: list[_File]) -> frozenset[str]:
    """Names of functions in test code that assert, directly or through each other."""
    known: frozenset[str] = frozenset()
    for _ in range(_ROUNDS):
        found = set(known)
        for file in files:
            for definition in file.facts.definitions:
                name = definition.name
                if len(name) < _SHORTEST_HELPER or name in found or definition.kind is DefinitionKind.CLASS or name.startswith("test"):
                    continue
                place = (definition.line, definition.end_line)
                if file.assertions(*place) or any(file._asserts(call, known) for call in file.calls(*place)):  # noqa: SLF001 - one module
                    found.add(name)
        if found == known:
            break
        known = frozenset(found)
    return known


def _only_mocks(facts: FileFacts) -> str:
    """Why every case of a script test is hollow: all it imports from the project is replaced by mocks."""
    mocked = {
        call.arguments[0].value.literal
        for call in facts.calls
        if call.callee in {"jest.mock", "vi.mock", "vitest.mock"}
        and call.arguments
        and not re.search(r"[iI]mportActual|requireActual|importOriginal|spy", _text(call))
    }
    own = {
        statement.module
        for statement in facts.imports
        if statement.module.startswith((".", "@/", "~/", "src/"))
        and statement.names
        and "type" not in statement.kind.value
        and not re.search(r"test|mock|fixture|setup|helper|util", statement.module)
    }
    return "tests nothing but its own mocks" if own and own <= mocked else ""


def _text(call: Call) -> str:
    return " ".join(argument.value.text for argument in call.arguments)


def _replaced(case: Case, hollow: str) -> Case:
    return Case(
        case.path, case.name, case.line, case.end_line, case.asserts, "" if case.skipped else hollow, case.skipped, case.focused, case.smoke
    )
