"""Every push or pull request runs the tests automatically and a failure blocks.

Passing title: Every change is tested by the pipeline before it counts
Failing title: Nobody and nothing runs the tests when the code changes
Grading: Pass when a step started by pushes or pull requests runs the tests of every part that has some, and its exit status counts. Partial when
    the pipeline only lints or builds, ignores the result, runs the tests by hand, on a schedule or after the merge only, leaves out a part or the browser tests
    (by their share of the test files), or calls a test command although there are no tests. Fail without a pipeline that checks changes.
Done when: a pull request that breaks one test is shown as failed by the pipeline, for every part of the repository that has tests.
What it cannot see: whether the hosting platform requires the check before merging, which branch is the default one, and what reusable workflows of other repositories do.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

from auditor.checks.commands import Commands
from auditor.checks.pipeline_tests import PipelineTest, is_quality, pipeline_tests
from auditor.checks.pipelines import RunStep, When, run_steps
from auditor.checks.registry import check
from auditor.checks.test_runs import TestRun
from auditor.model.artifacts import CiWorkflow, Deployment, Manifests, TaskFile
from auditor.model.needs import CI, DEPLOYMENT, MANIFESTS, SNAPSHOT, TASKS
from auditor.model.snapshot import READ_LANGUAGES, UNREAD_LANGUAGES, Language, Role, Snapshot
from auditor.model.verdict import Assessed, Finding, Judgement, NotApplicable, Place, Undecided
from auditor.words import listed, percent, plural

_REMOTE = re.compile(r"^[\w.-]+/[\w.-]+/\.github/workflows/")
_HELPER = re.compile(
    r"(?:^|/)(?:fixtures?|__fixtures__|mocks?|__mocks__|support|helpers?|utils?|data|snapshots|__snapshots__|factories|conftest|setup\w*|settings|__init__|common)(?:[./]|$)",
    re.IGNORECASE,
)
_TEST_FILE = re.compile(
    r"(?:^|/)(?:test_[^/]*|[^/]*_tests?|tests)\.py$|\.(?:test|spec|cy|e2e|e2e-spec)\.[cm]?[jt]sx?$|(?:^|/)(?:tests?|__tests__|specs?)/(?:.*/)?[^/]+\.[cm]?[jt]sx?$"
)
_BROWSER = re.compile(r"(?:^|/)(?:cypress|playwright)/|\.cy\.[jt]sx?$")
_END_TO_END = re.compile(r"(?:^|/)e2e(?:-tests)?/|\.e2e\.[jt]sx?$")
_BROWSER_CONFIGURATION = re.compile(r"(?:^|/)(?:playwright|cypress|wdio)[\w.-]*\.(?:config|conf)\.[cm]?[jt]s$|(?:^|/)cypress\.json$")
_CONFIGURATION = re.compile(r"(?:^|/)[^/]*\.config\.[cm]?[jt]s$|\.d\.ts$")


@check("tests.run-in-ci", needs=(SNAPSHOT, CI, MANIFESTS, TASKS, DEPLOYMENT))
def run_in_ci(
    snapshot: Snapshot, workflows: tuple[CiWorkflow, ...], manifests: Manifests, tasks: tuple[TaskFile, ...], deployment: Deployment
) -> Judgement:
    """Judge what the pipelines run on changes."""
    if not any(file.language in READ_LANGUAGES | UNREAD_LANGUAGES | {Language.SHELL, Language.SQL} for file in snapshot.files):
        return NotApplicable("There is no code in the repository.")
    if not workflows:
        finding = Finding(
            "no-pipeline",
            "",
            "No file of any CI service is in the repository: a broken commit reaches the main line with nothing looking at it.",
            detector="ci",
        )
        return Assessed(
            1,
            1,
            "There is no CI configuration.",
            findings=(finding,),
            signals=("searched for GitHub, GitLab, CircleCI, Azure, Travis and six other CI services",),
        )
    steps = list(run_steps(workflows))
    runs = pipeline_tests(steps, Commands(manifests, tasks), deployment)
    suites = _suites(snapshot, manifests)
    signals = (
        f"{plural(len(workflows), 'pipeline file')} with {plural(len(steps), 'step')}; {plural(len(runs), 'step')} run tests; {plural(sum(map(len, suites.values())), 'test file')}",
    )
    good = [run for run in runs if run.step.when is When.ON_CHANGE and run.blocks]
    if good:
        return _complete(good, suites, signals, has_tests=_has_tests(snapshot))
    remote = next((step for step in steps if _REMOTE.match(step.step.uses) and step.when is not When.NEVER), None)
    if remote is not None:
        return Undecided(
            f"The pipeline calls {remote.step.uses.split('@')[0]}, which is another repository: whether it runs the tests stands there.",
            (remote.place(),),
        )
    if runs:
        return _weak(runs, signals)
    return _without_tests(workflows, steps, Commands(manifests, tasks), signals)


def _has_tests(snapshot: Snapshot) -> bool:
    return any(file.role is Role.TEST and file.language in READ_LANGUAGES for file in snapshot.files) or any(
        file.language in UNREAD_LANGUAGES for file in snapshot.files
    )


def _suites(snapshot: Snapshot, manifests: Manifests) -> dict[tuple[str, str, bool], list[str]]:
    """Test files by (root of the part, language, browser tests)."""
    roots = {"python": {""}, "script": {""}}
    for manifest in manifests.manifests:
        roots["script" if manifest.kind == "package.json" else "python"].add(manifest.root)
    driven = [file.path.rpartition("/")[0] for file in snapshot.files if _BROWSER_CONFIGURATION.search(file.path)]
    found: defaultdict[tuple[str, str, bool], list[str]] = defaultdict(list)
    for file in snapshot.files:
        path = file.path
        if (
            file.role is Role.TEST
            and file.language in READ_LANGUAGES
            and _TEST_FILE.search(path)
            and not _HELPER.search(path)
            and not _CONFIGURATION.search(path)
        ):
            language = "python" if file.language is Language.PYTHON else "script"
            root = max((root for root in roots[language] if not root or path.startswith(f"{root}/")), key=len)
            end_to_end = bool(_END_TO_END.search(path)) and any(not folder or path.startswith(f"{folder}/") for folder in driven)
            found[root, language, language == "script" and (end_to_end or bool(_BROWSER.search(path)))].append(path)
    return dict(found)


def _complete(
    good: list[PipelineTest], suites: dict[tuple[str, str, bool], list[str]], signals: tuple[str, ...], *, has_tests: bool
) -> Assessed:
    evidence = tuple(dict.fromkeys(run.place for run in good))[:3]
    if not has_tests:
        place = good[0].place
        message = "The pipeline calls a test command, but there is not one test in the repository: it succeeds by finding nothing."
        finding = Finding("no-tests-to-run", place.path, message, place.line, place.line, detector="ci")
        return Assessed(0.5, 1, "The pipeline calls a test command without any tests.", findings=(finding,), signals=signals)
    missed = {
        key: paths for key, paths in suites.items() if not any(_covers(run.run, key, paths) for run in good) and _matters(paths, suites)
    }
    if not missed:
        return Assessed(0, 1, "Pushes or pull requests run the tests, and a failure stops them.", evidence=evidence, signals=signals)
    total = sum(map(len, suites.values()))
    left = sum(map(len, missed.values()))
    findings = tuple(
        Finding(
            "suite-left-out",
            paths[0],
            f"{plural(len(paths), 'test file')} {'with browser tests ' if browser else ''}in {root or 'the repository'} {'is' if len(paths) == 1 else 'are'} never run by the pipeline: what they would catch goes live.",
            detector="ci",
        )
        for (root, _language, browser), paths in sorted(missed.items())
    )
    summary = f"Changes are tested, but {percent(left / total)} of the test files are left out."
    return Assessed(0.55 * left, total, summary, floor=0.2, findings=findings, evidence=evidence, signals=signals)


def _matters(paths: list[str], suites: dict[tuple[str, str, bool], list[str]]) -> bool:
    """A single odd file in a large tree is no suite."""
    return len(paths) * 20 >= sum(map(len, suites.values()))


def _covers(run: TestRun, suite: tuple[str, str, bool], paths: list[str]) -> bool:
    root, language, browser = suite
    if run.language not in {language, "any"} or (browser and not run.browser and run.language != "any" and not _names_browser(run)):
        return False
    reach = run.paths or (run.leaf.directory,)
    return any(
        place in {"", "?", root}
        or any(path == place or path.startswith(f"{place}/") for path in paths)
        or f"{root}/".startswith(f"{place}/")
        for place in reach
    )


def _names_browser(run: TestRun) -> bool:
    return bool(re.search(r"e2e|cypress|playwright|browser", run.leaf.text))


def _weak(runs: list[PipelineTest], signals: tuple[str, ...]) -> Assessed:
    """Tests are run, but not on each change or without effect."""
    best = max(runs, key=lambda run: (run.step.when, run.blocks))
    place = best.place
    if not best.blocks and best.step.when >= When.AFTER_MERGE:
        rule, message = "failure-ignored", "The pipeline runs the tests and ignores the result: a red test still ends in a green tick."
    elif best.step.when is When.AFTER_MERGE:
        rule, message = (
            "after-merge-only",
            "The tests run only after a change is on the main line, so a failure is news about the past and blocks nothing.",
        )
    else:
        rule, message = (
            "by-hand-only",
            "The tests run only when somebody starts them, on a schedule or for a release, not when the code changes.",
        )
    return Assessed(0.5, 1, message, findings=(Finding(rule, place.path, message, place.line, place.line, detector="ci"),), signals=signals)


def _without_tests(workflows: tuple[CiWorkflow, ...], steps: list[RunStep], commands: Commands, signals: tuple[str, ...]) -> Judgement:
    quality = next((step for step in steps if step.when >= When.AFTER_MERGE and is_quality(step, commands)), None)
    if quality is not None:
        place = quality.place()
        message = "The pipeline lints or builds each change but runs no test: broken behaviour that still compiles goes through."
        return Assessed(
            0.5,
            1,
            "The pipeline checks changes without running tests.",
            findings=(Finding("no-test-step", place.path, message, place.line, place.line, detector="ci"),),
            signals=signals,
        )
    broken = [workflow.path for workflow in workflows if workflow.problem]
    if broken and not steps:
        return Undecided(
            f"The pipeline could not be read ({listed(broken)}): {next(w.problem for w in workflows if w.problem)}.",
            tuple(Place(path) for path in broken[:3]),
        )
    path = workflows[0].path
    message = f"The pipeline ({listed(_names(workflows))}) neither tests nor checks a change: a broken commit passes it unseen."
    return Assessed(
        1, 1, "No pipeline checks changes.", findings=(Finding("no-quality-step", path, message, detector="ci"),), signals=signals
    )


def _names(workflows: Iterable[CiWorkflow]) -> list[str]:
    return [workflow.path.rpartition("/")[2] for workflow in workflows]
