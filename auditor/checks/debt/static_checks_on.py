"""Linters and type checkers: whether they are set up, strict, run by themselves, and listened to.

Passing title: Linter and type checker look at every change, and nobody told them to look away
Failing title: What a linter or compiler would find reaches users, because it is off, not run or silenced
Grading: For each language that makes up a fifth of the code: no linter, or none for types where types are to be expected (TypeScript, Python from 1,000 lines), is bad; set up and
    run by nothing, run with its result ignored, asked for a handful of rules or less than strict is half as bad. Many silenced findings for the amount of code, whole files without checks and
    groups of rules that matter switched off add to it. The languages are weighed by their code. Neither linter nor type checker fails; so does a build that goes on in spite of type
    errors that nothing else looks for.
Done when: Linter and type checker run in the pipeline on every change, strictly, and their failure stops it; old findings are in a baseline that only shrinks.
What it cannot see: What the tools would find, whether a commit hook is installed on anybody's machine, and rules that an editor or a hosting service applies.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from auditor.checks.checker_runs import CheckerRun, checker_runs
from auditor.checks.commands import Commands
from auditor.checks.pipelines import run_steps
from auditor.checks.registry import check
from auditor.checks.suppressions import Silence, loose_types, silences, weight_of_any
from auditor.model.artifacts import CiWorkflow, Deployment, Manifests, TaskFile
from auditor.model.needs import CI, DEPLOYMENT, MANIFESTS, PROJECT, STATIC_CHECKS, SYNTAX, TASKS, TEXTS
from auditor.model.project import Project
from auditor.model.static_checks import Checker, StaticChecks, Work
from auditor.model.syntax import FileFacts, Syntax
from auditor.model.verdict import Assessed, Finding, Judgement, NotApplicable, Place
from auditor.words import listed, percent, plural

_FEWEST = 50  # lines of code below which there is little to look at
_SHARE = 0.2
_TYPES_FROM = 1_000
_TYPED_SHARE = 0.2
_MANY = 8.0  # weighed silenced findings in 1,000 lines
_WHOLE_FILES = 0.1
_RULES_OFF = 3
_MISSING, _IDLE, _NARROW, _LOOSE, _ADDED = 1.0, 0.5, 0.35, 0.3, 0.2
_SET_UP_MOST = 0.55
_IGNORED = 0.7
_NAMES = {"python": "Python", "script": "JavaScript and TypeScript"}
_TOOLS = {Work.LINT: "linter", Work.TYPES: "type checker"}


@dataclass(frozen=True, slots=True)
class _Language:
    """One language of the tree: its files, its code, and whether types are to be expected."""

    name: str
    files: tuple[FileFacts, ...]
    lines: int
    typed: bool


@dataclass(frozen=True, slots=True)
class _Judged:
    """What one language comes to."""

    badness: float
    findings: list[Finding]
    evidence: list[Place]


@check("debt.static-checks-on", needs=(STATIC_CHECKS, CI, MANIFESTS, TASKS, DEPLOYMENT, PROJECT, SYNTAX, TEXTS), tolerance=0.05)
def static_checks_on(  # noqa: PLR0917 - one argument for each need
    checks: StaticChecks,
    workflows: tuple[CiWorkflow, ...],
    manifests: Manifests,
    tasks: tuple[TaskFile, ...],
    deployment: Deployment,
    project: Project,
    syntax: Syntax,
    texts: dict[str, str],
) -> Judgement:
    """Judge each language that matters, and weigh them by their code."""
    languages = _languages(syntax.of(project.production))
    if not languages:
        return NotApplicable(f"There are not even {_FEWEST} lines of code in a language that is read.")
    runs = checker_runs(run_steps(workflows), Commands(manifests, tasks), manifests, deployment, checks)
    judged = {language.name: _judge(language, checks, runs, texts) for language in languages}
    total = sum(language.lines for language in languages)
    badness = sum(judged[language.name].badness * language.lines for language in languages) / total
    ignored = list(_ignored_builds(checks, runs)) if any(language.name == "script" for language in languages) else []
    floor = _IGNORED if any(finding.rule == "build-ignores-type-errors" for finding in ignored) else 0.0
    findings = [*ignored, *(finding for language in languages for finding in judged[language.name].findings)]
    return Assessed(
        bad=badness,
        total=1,
        floor=floor,
        summary=_summary(findings, languages),
        findings=tuple(findings),
        evidence=tuple(place for language in languages for place in judged[language.name].evidence)[:3],
        signals=(
            f"checkers set up: {listed(sorted({checker.tool for checker in checks.checkers}), 8) or 'none'}; places that run one by themselves: {len(runs)}",
            *(_signal(language, texts) for language in languages),
        ),
    )


def _languages(files: tuple[FileFacts, ...]) -> list[_Language]:
    """The languages that make up enough of the code."""
    total = sum(facts.code_lines for facts in files)
    found: list[_Language] = []
    for name in ("python", "script"):
        own = tuple(facts for facts in files if facts.path.endswith((".py", ".pyw")) is (name == "python"))
        lines = sum(facts.code_lines for facts in own)
        if total >= _FEWEST and lines >= _SHARE * total:
            typescript = sum(facts.code_lines for facts in own if facts.path.endswith((".ts", ".tsx", ".mts", ".cts")))
            typed = lines >= _TYPES_FROM if name == "python" else typescript >= _TYPED_SHARE * lines
            found.append(_Language(name, own, lines, typed))
    return found


def _judge(language: _Language, checks: StaticChecks, runs: tuple[CheckerRun, ...], texts: dict[str, str]) -> _Judged:
    works = (Work.LINT, Work.TYPES) if language.typed else (Work.LINT,)
    findings: list[Finding] = []
    evidence: list[Place] = []
    parts: list[float] = []
    for work in works:
        own = [checker for checker in checks.checkers if checker.language == language.name and checker.work is work]
        mine = [run for run in runs if run.language == language.name and run.work is work]
        part, found = _part(language, work, own, mine)
        parts.append(part)
        findings += found
        evidence += [run.place for run in mine if run.effect]
    badness = sum(parts) / len(parts)
    for finding in (*_rules_off(language, checks), *_silenced(language, texts)):
        badness += _ADDED
        findings.append(finding)
    if _MISSING not in parts:
        badness = min(badness, _SET_UP_MOST)
    return _Judged(min(1.0, badness), findings, evidence)


def _part(language: _Language, work: Work, own: list[Checker], runs: list[CheckerRun]) -> tuple[float, list[Finding]]:
    """How bad it stands with the linter, or the type checker, of a language."""
    name, tool = _NAMES[language.name], _TOOLS[work]
    place = own[0].place if own else Place("")
    if not own and not runs:
        message = f"No {tool} is set up for {plural(language.lines, 'line')} of {name}: what it would find in seconds is found by users."
        return _MISSING, [Finding(f"no-{tool.replace(' ', '-')}", "", message, detector="manifest", cwe=1127)]
    if not runs:
        message = f"The {tool} for {name} is set up and nothing runs it: it says what it knows only to whoever remembers to ask."
        return _IDLE + _looseness(own)[0], [_finding("never-run", place, message), *_looseness(own)[1]]
    best = next((run for run in runs if run.effect and not run.narrow), None) or next((run for run in runs if run.effect), None)
    if best is None:
        message = f"The {tool} for {name} runs and its result is ignored: a change with errors gets the same green tick."
        return _IDLE, [_finding("result-ignored", runs[0].place, message)]
    if best.narrow:
        message = f"The {tool} for {name} is asked for a handful of errors only: everything else it knows stays unsaid."
        return _NARROW, [_finding("handful-of-rules", best.place, message)]
    return _looseness(own)


def _looseness(own: list[Checker]) -> tuple[float, list[Finding]]:
    """What a type checker was told not to look at, where every configuration of it was told so."""
    loose = [checker for checker in own if checker.work is Work.TYPES and checker.loosened]
    if not loose or len(loose) * 2 <= len(own):
        return 0.0, []
    first = loose[0]
    names = listed([setting for setting, _ in first.loosened], 3)
    message = f"The compiler's strict checks are off here ({names}): values that may be missing, or be anything, pass without a word."
    place = Place(first.place.path, first.loosened[0][1])
    return _LOOSE, [_finding("not-strict", place, message)]


def _rules_off(language: _Language, checks: StaticChecks) -> Iterator[Finding]:
    """One finding where most of a language's linters are told to let pass what matters."""
    own = [checker for checker in checks.checkers if checker.language == language.name and checker.work is Work.LINT]
    loose = [checker for checker in own if len({_group(setting) for setting, _ in checker.loosened}) >= _RULES_OFF]
    if loose and len(loose) * 2 > len(own):
        first = loose[0]
        names = listed([setting for setting, _ in first.loosened], 4)
        message = f"{plural(len(first.loosened), 'rule')} that matter are switched off ({names}): the linter runs and looks away."
        yield _finding("rules-off", Place(first.place.path, first.loosened[0][1]), message)


def _group(rule: str) -> str:
    """Rules that are one in several parts count once."""
    return "no-unsafe" if rule.startswith("no-unsafe-") else rule


def _silenced(language: _Language, texts: dict[str, str]) -> Iterator[Finding]:
    """One finding where silenced places are many for the amount of code, at the file that holds most."""
    found, anys, whole = _measure(language, texts)
    rate = (sum(silence.weight for silence in found) + weight_of_any(sum(anys.values()))) * 1_000 / language.lines
    if rate <= _MANY and whole <= _WHOLE_FILES * language.lines:
        return
    weights: dict[str, float] = {}
    for silence in found:
        weights[silence.path] = weights.get(silence.path, 0.0) + silence.weight
    for path, count in anys.items():
        weights[path] = weights.get(path, 0.0) + weight_of_any(count)
    worst = max(sorted(weights), key=lambda path: weights[path])
    line = next((silence.line for silence in found if silence.path == worst), 0)
    said = f"{len(found)} comments silence the checkers" + (
        f", {sum(anys.values()):,} values are typed `any`" if sum(anys.values()) else ""
    )
    extra = f", {percent(whole / language.lines)} of the code stands in files that are not checked at all" if whole else ""
    message = f"{said}{extra} in {plural(language.lines, 'line')} of {_NAMES[language.name]}, most of them in {worst}: what they would find there is unknown."
    yield _finding("silenced-in-bulk", Place(worst, line), message)


def _measure(language: _Language, texts: dict[str, str]) -> tuple[list[Silence], dict[str, int], int]:
    """The silencing comments, how often each file says `any`, and the code in files that are not checked at all."""
    found = [silence for facts in language.files for silence in silences(facts)]
    anys = {facts.path: count for facts in language.files if (count := loose_types(facts.path, texts.get(facts.path, "")))}
    blind = {silence.path for silence in found if silence.whole}
    return found, anys, sum(facts.code_lines for facts in language.files if facts.path in blind)


def _ignored_builds(checks: StaticChecks, runs: tuple[CheckerRun, ...]) -> Iterator[Finding]:
    """Builds that go on in spite of errors, where no other step looks for them."""
    for work, place, setting in checks.ignored:
        looked = any(run.language == "script" and run.work is work and run.effect and not _builds(run) for run in runs)
        if not looked:
            kind = "type" if work is Work.TYPES else "lint"
            message = f"{setting} lets the build go on in spite of {kind} errors, and nothing else looks for them: what the compiler knows is shipped all the same."
            yield _finding(f"build-ignores-{kind}-errors", place, message)


def _builds(run: CheckerRun) -> bool:
    """Whether the run is the build that ignores errors itself."""
    return run.place.path.endswith("package.json") or "ockerfile" in run.place.path


def _finding(rule: str, place: Place, message: str) -> Finding:
    return Finding(rule, place.path, message, place.line, place.line, detector="manifest", cwe=1127)


def _signal(language: _Language, texts: dict[str, str]) -> str:
    found, anys, _ = _measure(language, texts)
    return f"{_NAMES[language.name]}: {language.lines:,} lines; silencing comments: {len(found)}; `any`: {sum(anys.values())}"


def _summary(findings: list[Finding], languages: list[_Language]) -> str:
    names = listed([_NAMES[language.name] for language in languages])
    if not findings:
        return f"Linter and type checker for {names} run by themselves, and what they find stops the change."
    return f"{plural(len(findings), 'gap')} in what linter and type checker see of {names}."
