"""Reach of the tests: which production modules they load, and whether there are enough of them to notice a break.

Passing title: Tests run the product and would notice if its main behaviour broke
Failing title: Nothing would notice if the main behaviour broke
Grading: Only tests that can fail count. Two shares decide: production modules with logic that the tests load, directly or through other modules (half is enough;
    beside a server, modules that run in the browser only count half, because much of them is mark-up), and tests for each function or method of the product (one for
    every ten is enough). Both reached passes; anything real below that is partial, the less the worse; no test at all, a scaffold's example, tests that cannot
    fail, and tests that never touch the product fail. Tests that drive the running product through a browser or over HTTP load no module: each of them counts for a
    hundredth of the reach, up to two fifths.
Done when: Each module with logic is loaded by a test that asserts what it returns, changes or refuses, the flows that earn money first.
What it cannot see: Whether the assertions are the right ones, which lines the tests execute (no test is run), and tests kept in another repository.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from auditor.checks.registry import check
from auditor.checks.suites import Case, suite
from auditor.model.evidence import ModuleGraph
from auditor.model.needs import MODULE_GRAPH, PROJECT, SNAPSHOT, SYNTAX
from auditor.model.project import SERVING, Project, Side
from auditor.model.snapshot import Role, Snapshot
from auditor.model.syntax import DefinitionKind, FileFacts, ImportKind, Syntax
from auditor.model.verdict import Assessed, Finding, NotApplicable, Place
from auditor.words import percent, plural

REACH = 0.5
DENSITY = 0.1
_DRIVEN, _MOST_DRIVEN = 0.01, 0.4
_BROWSER_ONLY = 0.5
_LEAST_LINES = 5
_MOST_PARTIAL, _LEAST_PARTIAL = 0.55, 0.1
_DRIVERS = re.compile(
    r"^(?:@playwright/test|playwright|puppeteer|webdriverio|selenium|selenium-webdriver|testcafe|nightwatch|detox|supertest|requests|httpx|urllib|pexpect|streamlit)(?:$|[./])"
)
_DRIVES = re.compile(
    r"^(?:cy\.(?:visit|request)|page\.goto|subprocess\.(?:run|check_output|check_call|Popen|call)|(?:execa|execFile|execFileSync|execSync|spawn|spawnSync|fetch)$)"
)
_DJANGO = re.compile(r"^(?:django\.test|rest_framework\.test|pytest_django|ninja\.testing|model_bakery|django\.urls)(?:$|\.)")
_DJANGO_ENTRY = re.compile(
    r"(?:^|/)(?:urls|models|apps|settings|admin|middleware|signals)(?:/\w+)?\.py$|/management/commands/|/templatetags/"
)


@dataclass(frozen=True, slots=True)
class _Reach:
    """What the real tests touch: production paths they load, and how many drive the product from outside."""

    loaded: frozenset[str]
    loading: int
    driving: int


@check(
    "tests.meaningful",
    needs=(SNAPSHOT, PROJECT),
    corroborating=(MODULE_GRAPH, SYNTAX),
    roles=(Role.TEST,),
)
def meaningful(snapshot: Snapshot, project: Project, graph: ModuleGraph, syntax: Syntax) -> Assessed | NotApplicable:
    """Compare what the tests load with what there is."""
    logic = [facts for facts in syntax.of(project.production) if _has_logic(facts)]
    if not logic:
        return NotApplicable("There is no production code with logic of its own.")
    cases = suite(snapshot, syntax).cases
    real = [case for case in cases if case.is_real]
    reach = _reach(real, graph, syntax, project)
    unread = tuple((facts.path, f"does not parse (line {facts.error_line})") for facts in _broken(snapshot, syntax, cases))
    functions = max(1, sum(_functions(facts) for facts in logic))
    loaded = [facts for facts in logic if facts.path in reach.loaded]
    counted = reach.loading + reach.driving
    share = min(1.0, _weight(loaded, project) / _weight(logic, project) + min(_MOST_DRIVEN, _DRIVEN * reach.driving))
    badness = _badness(share, counted / functions) if counted else 1.0
    return Assessed(
        bad=round(badness * len(logic), 3),
        total=len(logic),
        floor=badness,
        summary=_summary(cases, counted, functions, _loaded(loaded, logic, project), reach.driving),
        findings=tuple(_findings(cases, counted, logic, reach.loaded) if badness else ()),
        evidence=tuple(Place(case.path, case.line, case.end_line) for case in real[:5]),
        signals=(
            f"{plural(len(cases), 'test')}, {len(real):,} of them can fail; {counted:,} touch the product, {reach.driving:,} of these from outside",
            f"{len(loaded):,} of {plural(len(logic), 'module')} with logic are loaded; {plural(functions, 'function')} in them",
        ),
        unexamined=unread,
    )


def _badness(share: float, density: float) -> float:
    if share >= REACH and density >= DENSITY:
        return 0.0
    reached = min(1.0, share / REACH) * min(1.0, density / DENSITY)
    return min(_MOST_PARTIAL, max(_LEAST_PARTIAL, 1 - reached))


def _weight(modules: list[FileFacts], project: Project) -> float:
    """The modules by what breaks with them; without a server side all count alike."""
    browser_only = {path for path, side in project.sides.items() if side is Side.BROWSER} if project.has(*SERVING) else frozenset()
    return sum(_BROWSER_ONLY if facts.path in browser_only else 1.0 for facts in modules)


def _loaded(loaded: list[FileFacts], logic: list[FileFacts], project: Project) -> str:
    weighed = _weight(loaded, project) / _weight(logic, project)
    suffix = "" if _weight(logic, project) == len(logic) else " (those of the browser counted half)"
    return f"{percent(weighed)} of the modules with logic{suffix}"


def _has_logic(facts: FileFacts) -> bool:
    return facts.code_lines >= _LEAST_LINES and _functions(facts) > 0


def _functions(facts: FileFacts) -> int:
    """Named functions and methods that are not inside another function."""
    return sum(
        definition.kind is not DefinitionKind.CLASS
        and bool(definition.name)
        and (definition.parent < 0 or facts.definitions[definition.parent].kind is DefinitionKind.CLASS)
        for definition in facts.definitions
    )


def _broken(snapshot: Snapshot, syntax: Syntax, cases: tuple[Case, ...]) -> Iterable[FileFacts]:
    """Test files that do not parse and show no case."""
    known = {case.path for case in cases}
    tests = frozenset(file.path for file in snapshot.with_role(Role.TEST))
    return (facts for facts in syntax.of(tests) if facts.error_line and facts.path not in known)


def _reach(real: list[Case], graph: ModuleGraph, syntax: Syntax, project: Project) -> _Reach:
    targets = _targets(graph)
    by_file: defaultdict[str, int] = defaultdict(int)
    for case in real:
        by_file[case.path] += 1
    entries = frozenset(path for path in project.production if _DJANGO_ENTRY.search(path)) if project.uses("django") else frozenset()
    loaded: set[str] = set()
    loading = driving = 0
    for path, count in by_file.items():
        support = {path, *_conftests(path, syntax)}
        found = _closure(support, targets)
        if entries and any(
            _DJANGO.match(statement.module) for one in found if one in syntax.files for statement in syntax.files[one].imports
        ):
            found |= _closure(entries, targets)
        own = found & project.production
        if own:
            loading += count
            loaded |= own
        elif any(_drives(syntax.files[one]) for one in found if one in syntax.files):
            driving += count
    return _Reach(frozenset(loaded), loading, driving)


def _targets(graph: ModuleGraph) -> dict[str, set[str]]:
    """Whom each file imports when it runs."""
    paths = {module.id: module.path for module in graph.modules}
    found: defaultdict[str, set[str]] = defaultdict(set)
    for edge in graph.edges:
        if edge.kind is not ImportKind.TYPE_ONLY and edge.source in paths and edge.target in paths:
            found[paths[edge.source]].add(paths[edge.target])
    return found


def _conftests(path: str, syntax: Syntax) -> Iterable[str]:
    """The files pytest loads for every test below their directory."""
    if path.endswith(".py"):
        parts = path.split("/")[:-1]
        for length in range(len(parts) + 1):
            candidate = "/".join([*parts[:length], "conftest.py"])
            if candidate in syntax.files:
                yield candidate


def _closure(start: Iterable[str], targets: dict[str, set[str]]) -> set[str]:
    found = set(start)
    waiting = list(found)
    while waiting:
        for target in targets.get(waiting.pop(), ()):
            if target not in found:
                found.add(target)
                waiting.append(target)
    return found


def _drives(facts: FileFacts) -> bool:
    """Whether a test file drives a running product: a browser, requests over HTTP, a command of its own."""
    return any(_DRIVERS.match(statement.module) for statement in facts.imports) or any(_DRIVES.match(call.callee) for call in facts.calls)


def _findings(cases: tuple[Case, ...], counted: int, logic: list[FileFacts], loaded: frozenset[str]) -> Iterable[Finding]:
    if not cases:
        largest = max(logic, key=lambda facts: (facts.code_lines, facts.path))
        yield Finding(
            "no-tests", largest.path, "There is not one test: whether this still works after a change, the customers find out.", 1, 1
        )
        return
    if not counted:
        first = cases[0]
        why = "cannot fail" if not any(case.is_real for case in cases) else "never loads or drives the product"
        message = f"What there is of tests {why}: whether the product still works after a change, the customers find out."
        yield Finding("no-real-tests", first.path, message, first.line, first.end_line)
        return
    left = sorted((facts for facts in logic if facts.path not in loaded), key=lambda facts: (-facts.code_lines, facts.path))
    for facts in left:
        message = f"No test loads this module with {plural(_functions(facts), 'function')}: a mistake in it shows only in production."
        yield Finding("module-without-test", facts.path, message, 1, 1)


def _summary(cases: tuple[Case, ...], counted: int, functions: int, loaded: str, driving: int) -> str:
    if not cases:
        return "There are no tests."
    if not counted:
        return f"{plural(len(cases), 'test')}, and none that can fail touches the product."
    outside = f", {driving:,} drive the running product" if driving else ""
    return f"{plural(counted, 'test')} that can fail for {plural(functions, 'function')}; they load {loaded}{outside}."
