"""Files, functions and packages that nothing uses, code that was switched off by making it a comment, and copies left beside what replaced them.

Passing title: What is in the repository is in use
Failing title: Much of the code is dead: nothing leads to it
Grading: The share of production code in files that nothing leads to (no import from an entry point, no page, no configuration, no framework), in functions and classes whose name
    stands nowhere else, and in comments that are code. Up to 3 % passes, above 15 % fails, between them is partial. A copy that was left beside its original, and three or more packages of
    npm that nothing uses, are partial at least. What is published, copied from a kit, loaded by computed names or found by a framework lives; routers and pages that nobody registers are counted there.
Done when: What nothing uses is deleted, the history keeps it; the pipeline runs a tool for dead code.
What it cannot see: Methods and attributes that nobody uses, branches that are never taken, functions that only call each other, code that tests alone use, and unused packages of Python.
"""

from __future__ import annotations

from auditor.checks.commented_code import CommentedCode, commented_code
from auditor.checks.dead_modules import DeadModule, dead_modules
from auditor.checks.dead_names import DeadName, dead_names
from auditor.checks.package_uses import idle_packages
from auditor.checks.registry import check
from auditor.checks.wiring.parts_registered import parts_registered
from auditor.model.artifacts import Manifest, Manifests, Requirement
from auditor.model.evidence import ModuleGraph, Routes
from auditor.model.needs import MANIFESTS, MODULE_GRAPH, PROJECT, ROUTES, SNAPSHOT, SYNTAX, TEXTS
from auditor.model.project import Kind, Project
from auditor.model.snapshot import Role, Snapshot
from auditor.model.syntax import Syntax
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable
from auditor.words import percent, plural

_TOLERATED = 0.05
_PASS_SHARE = 0.03
_FAIL_SHARE = 0.15
_LEAST = 0.1
_PACKAGES = 3
_ENOUGH = 100
_MUTE = frozenset({Role.VENDORED, Role.MINIFIED})


@check("debt.no-dead-code", needs=(MODULE_GRAPH, SYNTAX, PROJECT, MANIFESTS, ROUTES, SNAPSHOT, TEXTS), tolerance=_TOLERATED)
def no_dead_code(  # noqa: PLR0917 - one argument for each need
    graph: ModuleGraph, syntax: Syntax, project: Project, manifests: Manifests, routes: Routes, snapshot: Snapshot, texts: dict[str, str]
) -> Judgement:
    """The share of dead lines, file by file, name by name, comment by comment."""
    files = syntax.of(project.production)
    total = sum(facts.code_lines for facts in files)
    if total < _ENOUGH:
        return NotApplicable(f"Under {_ENOUGH} lines of production code ({total}): whoever opens it sees all of it.")
    if project.kinds == {Kind.LIBRARY}:
        return NotApplicable("This is a library: what of it is used is decided by whoever installs it.")
    spoken = {file.path: texts[file.path] for file in snapshot.files if file.path in texts and file.role not in _MUTE}
    unregistered = _unregistered(parts_registered(routes, graph, syntax, project, snapshot, texts))
    modules = [each for each in dead_modules(graph, syntax, project, manifests, spoken) if each.path not in unregistered]
    dead = frozenset(each.path for each in modules) | unregistered
    names = list(dead_names(syntax, project, manifests, spoken, dead))
    comments = [each for facts in files if facts.path not in dead for each in commented_code(facts, texts.get(facts.path, ""))]
    packages = list(idle_packages(manifests, graph, spoken))
    lines = sum(each.lines for each in modules) + sum(each.lines for each in names) + sum(each.lines for each in comments)
    share = min(1.0, lines / total)
    badness = max(_badness(share), _LEAST if any(each.original for each in modules) or len(packages) >= _PACKAGES else 0.0)
    findings = (*_of_modules(modules), *_of_names(names), *_of_comments(comments), *_of_packages(packages))
    return Assessed(
        bad=badness,
        total=1,
        summary=_summary(share, modules, names, comments, packages),
        findings=findings,
        signals=(
            f"files that nothing leads to: {len(modules)} of {len(files)}; functions and classes that nothing names: {len(names)}; code in comments: {len(comments)}",
            f"dead lines: {lines:,} of {total:,} ({percent(share)}); packages of npm that nothing uses: {len(packages)}",
        ),
        confidence=Confidence.MEDIUM,
    )


def _badness(share: float) -> float:
    if share > _FAIL_SHARE:
        return min(1.0, 0.6 + share)
    if share > _PASS_SHARE:
        return _LEAST + 0.45 * (share - _PASS_SHARE) / (_FAIL_SHARE - _PASS_SHARE)
    return _TOLERATED * share / _PASS_SHARE


def _unregistered(judged: Judgement) -> frozenset[str]:
    """Files that are told as written and never registered."""
    return frozenset(finding.path for finding in judged.findings) if isinstance(judged, Assessed) else frozenset()


def _of_modules(modules: list[DeadModule]) -> list[Finding]:
    found = []
    for each in sorted(modules, key=lambda module: (not module.original, -module.lines, module.path)):
        if each.original:
            message = f"{plural(each.lines, 'line')} are a copy left beside {each.original}, and nothing leads to them: the next repair may go into the wrong one."
        else:
            message = f"Nothing leads to these {plural(each.lines, 'line')}: no import, no page, no setting names the file, and whoever repairs something in it repairs nothing."
        found.append(
            Finding("left-over-copy" if each.original else "dead-file", each.path, message, 1, confidence=Confidence.MEDIUM, cwe=561)
        )
    return found


def _of_names(names: list[DeadName]) -> list[Finding]:
    found = []
    for each in sorted(names, key=lambda name: (-name.lines, name.path, name.line)):
        message = f"The {each.kind} {each.name} ({plural(each.lines, 'line')}) is named nowhere else: nobody can call it, and everybody has to read it."
        found.append(Finding("dead-definition", each.path, message, each.line, each.end_line, Confidence.MEDIUM, cwe=561))
    return found


def _of_comments(comments: list[CommentedCode]) -> list[Finding]:
    longest = sorted(comments, key=lambda comment: (-comment.lines, comment.path, comment.line))
    why = "nobody knows whether they are the past, the future or a mistake"
    return [
        Finding(
            "code-in-comment",
            each.path,
            f"{each.lines:,} lines of code are kept as a comment: {why}.",
            each.line,
            each.end_line,
            Confidence.MEDIUM,
            cwe=1164,
        )
        for each in longest
    ]


def _of_packages(packages: list[tuple[Manifest, Requirement]]) -> list[Finding]:
    return [
        Finding(
            "unused-package",
            manifest.path,
            f"{entry.name} is installed with the product and nothing imports or names it: code of strangers that brings nothing but its holes.",
            entry.place.line,
            entry.place.line,
            Confidence.MEDIUM,
            detector="manifest",
            cwe=1164,
        )
        for manifest, entry in packages
    ]


def _summary(
    share: float,
    modules: list[DeadModule],
    names: list[DeadName],
    comments: list[CommentedCode],
    packages: list[tuple[Manifest, Requirement]],
) -> str:
    if not (modules or names or comments or packages):
        return "Everything that could be looked up is used by something."
    parts = [
        f"{plural(len(modules), 'file')} that nothing leads to" if modules else "",
        f"{plural(len(names), 'definition')} that nothing names" if names else "",
        f"{plural(len(comments), 'block')} of code in comments" if comments else "",
        f"{plural(len(packages), 'package')} that nothing uses" if packages else "",
    ]
    return f"{percent(share)} of the code is dead: {', '.join(part for part in parts if part)}."
