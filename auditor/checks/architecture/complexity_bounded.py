"""Functions with more branches than a person can hold in the head.

Passing title: Functions branch no more than a person can follow
Failing title: Much of the code sits in functions with too many branches to follow
Grading: The share of production code in functions of a cyclomatic complexity above 15 (mark-up and flat tables discounted). Above 15 % is partial; above 30 %, or
    with 3 % of the code in functions above 50, it fails. A single function above 50 is partial where it is more than half a per cent of the code.
Done when: Less than 15 % of the code is in functions above 15, none is above 50, and the linter refuses new ones.
What it cannot see: Whether the branches are covered by tests, and complexity spread over many small functions that call each other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from auditor.checks.registry import check
from auditor.model.evidence import UnitComplexity
from auditor.model.needs import COMPLEXITY, PROJECT, SYNTAX
from auditor.model.project import Project
from auditor.model.syntax import Definition, Syntax
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable
from auditor.words import percent, plural

_HIGH = 15
_EXTREME = 50
_PARTIAL_SHARE = 0.15
_FAIL_SHARE = 0.30
_EXTREME_SHARE = 0.03
_NOTED_SHARE = 0.005
_SMALLEST = 30
_FLAT = 1  # deepest nesting of a table of cases or a row of guards


@dataclass(frozen=True, slots=True)
class _Unit:
    """A function with its complexity, mark-up and tables discounted; `lines` are its own, nested functions left out."""

    unit: UnitComplexity
    complexity: float
    lines: int
    nesting: int


@check("architecture.complexity-bounded", needs=(COMPLEXITY, PROJECT), corroborating=(SYNTAX,), tolerance=0.05)
def complexity_bounded(units: tuple[UnitComplexity, ...], project: Project, syntax: Syntax) -> Judgement:
    """A risk profile: how much of the code is in complex and in extreme functions."""
    total = sum(facts.code_lines for facts in syntax.of(project.production))
    measured = list(_measured(units, project, syntax))
    if total < _SMALLEST or not measured:
        return NotApplicable(f"There is hardly any code to branch: {plural(total, 'line')} and {plural(len(measured), 'function')}.")
    complex_units = sorted(
        (unit for unit in measured if unit.complexity > _HIGH), key=lambda unit: (-unit.complexity, unit.unit.path, unit.unit.line)
    )
    high = sum(unit.lines for unit in complex_units) / total
    extreme = sum(unit.lines for unit in complex_units if unit.complexity > _EXTREME) / total
    badness = _badness(high, extreme)
    signals = (
        f"functions measured: {len(measured):,} in {total:,} lines of code",
        f"in functions above {_HIGH}: {percent(high)} of the code ({len(complex_units)}); above {_EXTREME}: {percent(extreme)}",
    )
    summary = (
        f"{percent(high)} of the code is in {plural(len(complex_units), 'function')} with more than {_HIGH} branches."
        if complex_units
        else f"None of {plural(len(measured), 'function')} has more than {_HIGH} branches."
    )
    findings = tuple(_finding(unit) for unit in complex_units)
    return Assessed(bad=badness, total=1, summary=summary, findings=findings, signals=signals, confidence=Confidence.HIGH)


def _badness(high: float, extreme: float) -> float:
    """0.05 up to 15 %, then rising to the failing grade at 30 %."""
    if high > _FAIL_SHARE or extreme > _EXTREME_SHARE:
        return min(1.0, 0.6 + max(high - _FAIL_SHARE, extreme - _EXTREME_SHARE, 0.0))
    badness = 0.05 * high / _PARTIAL_SHARE
    if high > _PARTIAL_SHARE:
        badness = 0.1 + 0.45 * (high - _PARTIAL_SHARE) / (_FAIL_SHARE - _PARTIAL_SHARE)
    return max(badness, 0.2) if extreme > _NOTED_SHARE else badness


def _measured(units: tuple[UnitComplexity, ...], project: Project, syntax: Syntax) -> Iterator[_Unit]:
    wanted = {(unit.path, unit.qualname, unit.line): unit for unit in units if unit.path in project.production}
    for facts in syntax.of(project.production):
        nested: dict[int, int] = {}
        for definition in facts.definitions:
            if definition.parent >= 0:
                nested[definition.parent] = nested.get(definition.parent, 0) + definition.code_lines
        for index, definition in enumerate(facts.definitions):
            unit = wanted.get((facts.path, definition.qualname, definition.line))
            if unit is not None:
                own = max(1, definition.code_lines - nested.get(index, 0))
                yield _Unit(unit, _discounted(unit.complexity, definition), own, definition.nesting)


def _discounted(complexity: int, definition: Definition) -> float:
    """Conditions in mark-up and the cases of a flat table are read line by line."""
    markup = definition.jsx_lines / definition.code_lines if definition.code_lines else 0.0
    counted = complexity * (1 - 0.7 * markup)
    return counted / 2 if definition.nesting <= _FLAT and complexity > _HIGH else counted


def _finding(unit: _Unit) -> Finding:
    name = unit.unit.qualname.rsplit(".", 1)[-1] or "a function"
    depth = f", nested {unit.nesting} deep" if unit.nesting > 3 else ""
    message = f"{name} has {unit.unit.complexity} paths through {unit.lines} lines{depth}: nobody can say what it does in every case, and no test covers them all."
    return Finding("complex-function", unit.unit.path, message, unit.unit.line, unit.unit.end_line, cwe=1121)
