"""Two or more libraries that do the same job in one part of the system.

Passing title: There is one library for each job
Failing title: Several libraries do the same job side by side
Grading: For each deployable part: jobs for which production code of one language and side (browser or server) imports libraries of more than one family, and test
    runners that one manifest installs and starts. One contested job is partial; two, or three libraries for one job, fail. A library imported by one file beside ten or
    more that use the other is a left-over and counts half: two of them are partial, one beside a contested job fails. Types, optional imports, plain `fetch` and tests do not count.
Done when: One library of each group is chosen and written into the rules for contributors, the others are gone from the code and the manifest.
What it cannot see: Libraries that are not in its table, helpers of the code's own that do a library's job, and transitions that are agreed on and under way.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.checks.registry import check
from auditor.checks.rival_libraries import BROWSER_TESTS, PYTHON_JOBS, SCRIPT_JOBS, TEST_RUNNERS, Job
from auditor.distributions import normalise
from auditor.model.artifacts import Ecosystem, Manifest, Manifests
from auditor.model.evidence import External, ModuleGraph
from auditor.model.needs import MANIFESTS, MODULE_GRAPH, PROJECT, SYNTAX
from auditor.model.project import Project, Side
from auditor.model.syntax import ImportKind, Syntax
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable, Place
from auditor.words import listed, plural

_FEWEST_PACKAGES = 5
_LEFT_OVER_BESIDE = 10
_TRIPLE = 3
_TWO_JOBS = 1.5
"""Two contested jobs, one of them perhaps by a left-over alone."""
_PARTIAL, _HALF, _FAIL, _STEP = 0.4, 0.2, 0.6, 0.05
_CLIENT_CALLS = {
    "httpx": re.compile(r"^(?:httpx\.)?(?:AsyncClient|Client|get|post|put|patch|delete|request|stream)$"),
    "aiohttp": re.compile(r"^(?:aiohttp\.)?(?:ClientSession|request)$"),
    "requests": re.compile(r"^(?:requests\.)?(?:Session|session|get|post|put|patch|delete|head|request)$"),
    "urllib3": re.compile(r"^(?:urllib3\.)?(?:PoolManager|request|ProxyManager)$"),
}
"""Calls that show a client at work: other code imports these packages for their errors and types, or as a server."""


@dataclass(frozen=True, slots=True)
class _Contest:
    """A job with the libraries that do it in one part, the most used first; `uses` are their first imports, `files` how many files each has."""

    job: str
    uses: tuple[tuple[str, Place], ...]
    files: tuple[int, ...]

    @property
    def weight(self) -> float:
        """How far it counts: a left-over half, a third library twice."""
        if self.files[0] >= _LEFT_OVER_BESIDE and all(count == 1 for count in self.files[1:]):
            return 0.5
        return 2.0 if sum(1 for count in self.files if count > 1 or self.files[0] < _LEFT_OVER_BESIDE) >= _TRIPLE else 1.0


@check("deps.one-library-per-job", needs=(MODULE_GRAPH, MANIFESTS, PROJECT), corroborating=(SYNTAX,), tolerance=0.05)
def one_library_per_job(graph: ModuleGraph, manifests: Manifests, project: Project, syntax: Syntax) -> Judgement:
    """Look for jobs with rivals part by part; the worst part decides."""
    names = {normalise(entry.name) for manifest in manifests.manifests for entry in manifest.requirements}
    names |= {normalise(use.package) for use in graph.externals if use.path in project.production}
    if len(names) < _FEWEST_PACKAGES:
        return NotApplicable(f"Only {plural(len(names), 'third-party package')}: hardly anything to choose between.")
    parts: defaultdict[str, list[_Contest]] = defaultdict(list)
    for root, contest in (*_imported(graph, project, syntax), *_test_runners(manifests, project)):
        parts[root].append(contest)
    worst = max((sum(contest.weight for contest in found) for found in parts.values()), default=0.0)
    contests = [contest for _, found in sorted(parts.items()) for contest in found]
    return Assessed(
        bad=0,
        total=0,
        floor=_badness(worst),
        summary=f"{plural(len(contests), 'job')} done by several libraries: {listed([one.job for one in contests], 4)}."
        if contests
        else f"No job is done by two libraries among {plural(len(names), 'package')}.",
        findings=tuple(_finding(contest) for contest in contests),
        signals=(f"jobs compared: {len(PYTHON_JOBS)} for Python, {len(SCRIPT_JOBS)} for scripts", f"third-party packages: {len(names)}"),
        confidence=Confidence.MEDIUM,
    )


def _badness(worst: float) -> float:
    if worst >= _TWO_JOBS:
        return min(1.0, _FAIL + _STEP * (worst - _TWO_JOBS))
    return _PARTIAL if worst >= 1 else _HALF if worst else 0.0


def _imported(graph: ModuleGraph, project: Project, syntax: Syntax) -> Iterator[tuple[str, _Contest]]:
    """Contests between imported libraries with the root of their part, for each language and side."""
    groups: defaultdict[tuple[str, bool, bool], list[External]] = defaultdict(list)
    for use in graph.externals:
        if use.path in project.production and use.kind is not ImportKind.TYPE_ONLY and not use.guarded and _works(use, syntax):
            python = use.path.endswith(".py")
            groups[project.part_of(use.path).root, python, project.sides.get(use.path) is Side.BROWSER].append(use)
    for (root, python, _), uses in sorted(groups.items()):
        for job in PYTHON_JOBS if python else SCRIPT_JOBS:
            contest = _contest(job, uses)
            if contest is not None:
                yield root, contest


def _works(use: External, syntax: Syntax) -> bool:
    """Whether a file that imports a client for other servers also calls one with it."""
    pattern = _CLIENT_CALLS.get(use.package) if use.path.endswith(".py") else None
    return pattern is None or any(pattern.match(call.callee) for call in syntax.files[use.path].calls)


def _contest(job: Job, uses: list[External]) -> _Contest | None:
    places: defaultdict[str, dict[str, Place]] = defaultdict(dict)
    for use in uses:
        family = job.families.get(_package(use))
        if family is not None:
            places[family].setdefault(use.path, Place(use.path, use.line))
    if len(places) < job.least:
        return None
    order = sorted(places, key=lambda family: (-len(places[family]), family))
    return _Contest(
        job.name, tuple((family, places[family][min(places[family])]) for family in order), tuple(len(places[f]) for f in order)
    )


def _package(use: External) -> str:
    name = use.package
    if use.path.endswith(".py"):
        return name.split(".")[0]
    return "lodash" if name.startswith("lodash.") else name


def _test_runners(manifests: Manifests, project: Project) -> Iterator[tuple[str, _Contest]]:
    """Test runners that one package.json both installs and starts."""
    for manifest in manifests.manifests:
        for job in (TEST_RUNNERS, BROWSER_TESTS) if manifest.ecosystem is Ecosystem.NPM else ():
            contest = _started(job, manifest)
            if contest is not None:
                yield project.part_of(manifest.path).root, contest


def _started(job: Job, manifest: Manifest) -> _Contest | None:
    uses = []
    for entry in manifest.requirements:
        family = job.families.get(entry.name)
        if family and any(re.search(rf"(?:^|[\s/]){family}(?:\s|$)", script.command[:2_000]) for script in manifest.scripts):
            uses.append((family, entry.place))
    return _Contest(job.name, tuple(uses), tuple(1 for _ in uses)) if len({family for family, _ in uses}) >= job.least else None


def _finding(contest: _Contest) -> Finding:
    names = [name for name, _ in contest.uses]
    first, last = contest.uses[0][1], contest.uses[-1][1]
    others = f" ({names[0]}: {first.path})" if first.path != last.path else ""
    both = "both" if len(names) == 2 else "all"
    message = f"{listed(names, 5)} {both} do one job, {contest.job}{others}: a fault is repaired with one of them and stays with the other, and updates come twice."
    return Finding("rival-libraries", last.path, message, last.line, last.line, Confidence.MEDIUM)
