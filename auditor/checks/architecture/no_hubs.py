"""Modules that everything depends on and that depend on everything, and files that hold most of the program.

Passing title: No module is known by everything and knows everything
Failing title: A few modules stand between everything
Grading: The share of the code in modules that many import and that import many themselves: at least 8 % of the modules lead in and 3 % lead out, never fewer than 8
    (in small programs a third and a quarter of the modules). Modules that only pass names on are left out. Above 10 % is partial, above 40 % fails. A single file with more
    than a fifth of the code is partial, with more than 30 % it fails; tables and files of fewer than 500 lines do not count.
Done when: what many modules use depends on little, and what puts the program together is used by nothing.
What it cannot see: Modules coupled through a database, messages or names looked up at run time, and hubs inside one large file.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.checks.registry import check
from auditor.model.evidence import ModuleGraph
from auditor.model.needs import MODULE_GRAPH, PROJECT, STRUCTURE, SYNTAX
from auditor.model.project import Project
from auditor.model.structure import Measure, Structure
from auditor.model.syntax import FileFacts, Syntax
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable
from auditor.words import percent, plural

_FEWEST_MODULES = 10
_TOLERANCE = 0.1
_FAIL_SHARE = 0.4
_FEW = 8
_MANY_IN, _MANY_OUT = 0.08, 0.03
_SMALL_IN, _SMALL_OUT = 0.35, 0.25
_LARGE_FILE = 500
_PARTIAL_FILE, _FAIL_FILE = 0.2, 0.3
_DECISIONS_PER_LINE = 0.03
"""Below it a file is a table or a set of declarations."""
_MARKUP = 0.3
_OWN_LINES = 40
"""A module with less code of its own only passes names on or puts others together."""


@dataclass(frozen=True, slots=True)
class _Module:
    """A module with its weighed lines of code."""

    path: str
    lines: float
    is_table: bool
    measure: Measure


@check("architecture.no-hubs", needs=(MODULE_GRAPH, PROJECT, SYNTAX, STRUCTURE), tolerance=_TOLERANCE)
def no_hubs(graph: ModuleGraph, project: Project, syntax: Syntax, structure: Structure) -> Judgement:
    """Weigh the code of hubs, and the largest file, against all code."""
    modules = list(_modules(graph, project, syntax, structure))
    if len(modules) < _FEWEST_MODULES:
        return NotApplicable(f"Only {plural(len(modules), 'module')}: too few for one to stand between the others.")
    total = sum(module.lines for module in modules) or 1.0
    hubs = sorted((module for module in modules if _is_hub(module, len(modules))), key=lambda one: (-one.lines, one.path))
    share = sum(module.lines for module in hubs) / total
    largest = max((module for module in modules if not module.is_table), key=lambda one: (one.lines, one.path), default=modules[0])
    part = largest.lines / total if largest.lines >= _LARGE_FILE else 0.0
    badness = max(_badness(share, _TOLERANCE, _FAIL_SHARE), _badness(part, _PARTIAL_FILE, _FAIL_FILE))
    findings = [_hub(module) for module in hubs]
    findings += [_large(largest, part)] if part > _PARTIAL_FILE else []
    summary = (
        f"{plural(len(hubs), 'module')} that {'is' if len(hubs) == 1 else 'are'} imported by many and {'imports' if len(hubs) == 1 else 'import'} many "
        f"{'holds' if len(hubs) == 1 else 'hold'} {percent(share)} of the code; the largest file holds {percent(largest.lines / total)}."
        if hubs
        else f"No module is both imported by many and imports many; the largest file holds {percent(largest.lines / total)} of the code."
    )
    signals = (
        f"modules: {len(modules)}; hubs: {', '.join(module.path for module in hubs[:3]) or 'none'}",
        f"a change reaches {percent(structure.propagation_cost)} of the modules on average (propagation cost)",
    )
    return Assessed(badness, 1, summary, findings=tuple(findings), signals=signals, confidence=Confidence.MEDIUM)


def _modules(graph: ModuleGraph, project: Project, syntax: Syntax, structure: Structure) -> Iterator[_Module]:
    paths = {module.id: module.path for module in graph.modules}
    for measure in structure.measures:
        path = paths[measure.id]
        facts = syntax.files[path]
        if path in project.production and facts.code_lines:
            lines = _lines(facts)
            decisions = sum(entry.complexity - 1 for entry in facts.definitions)
            yield _Module(path, lines, decisions < _DECISIONS_PER_LINE * lines, measure)


def _lines(facts: FileFacts) -> float:
    """Lines of code, mark-up and long texts at less."""
    light = sum(entry.jsx_lines + entry.string_lines for entry in facts.definitions if entry.parent < 0)
    return max(0.0, facts.code_lines - (1 - _MARKUP) * light)


def _is_hub(module: _Module, count: int) -> bool:
    """Whether many modules lead in and many lead out, as counted in a program of `count` modules."""
    many_in = max(_MANY_IN * count, min(_FEW, _SMALL_IN * count))
    many_out = max(_MANY_OUT * count, min(_FEW, _SMALL_OUT * count))
    measure = module.measure
    own = module.lines - measure.fan_out
    return measure.fan_in >= math.ceil(many_in) and measure.fan_out >= math.ceil(many_out) and own >= _OWN_LINES


def _badness(share: float, tolerated: float, failing: float) -> float:
    """The tolerance of the item at `tolerated`, the failing grade from `failing`."""
    if share <= tolerated:
        return _TOLERANCE * share / tolerated
    return min(1.0, 0.15 + 0.45 * (share - tolerated) / (failing - tolerated))


def _hub(module: _Module) -> Finding:
    measure = module.measure
    message = (
        f"{module.path} is imported by {plural(measure.fan_in, 'module')} and imports {measure.fan_out} itself: "
        f"a change in it can break {measure.dependents}, and a change in any of {measure.dependencies} can break it."
    )
    return Finding("hub", module.path, message, 0, confidence=Confidence.MEDIUM, cwe=1048)


def _large(module: _Module, part: float) -> Finding:
    message = f"{module.path} holds {percent(part)} of the code: nearly every change touches this one file, and everybody waits for it."
    return Finding("file-with-everything", module.path, message, 0, cwe=1080)
