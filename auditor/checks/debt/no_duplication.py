"""The same logic written more than once.

Passing title: Logic is written once
Failing title: The same logic is written several times
Grading: The share of production lines that have an older twin elsewhere (exact, or with names changed consistently; tables, imports and declarations left
    out, mark-up half). Up to 3 % passes, up to 15 % is partial, more fails; so do families of four or more copies of substance that make up more than 5 % of the code.
    Functions that were changed since they were copied are named, and count only where four fifths of them still agree.
Done when: Under 3 % of the lines are copies, and no block exists four times.
What it cannot see: The same rule written in different words, copies in other languages and in templates, and whether two twins are meant to part ways.
"""

from __future__ import annotations

from auditor.checks.registry import check
from auditor.model.evidence import CloneFamily, Clones
from auditor.model.needs import CLONES
from auditor.model.verdict import Assessed, Finding, Judgement, NotApplicable
from auditor.words import listed, percent, plural

_SMALLEST = 300
_PASS_SHARE = 0.03
_FAIL_SHARE = 0.15
_FAMILY = 4
_SUBSTANCE = 10
_FAMILY_SHARE = 0.05
_ALIKE = 0.8
_SAME = 0.98


@check("debt.no-duplication", needs=(CLONES,), tolerance=0.05)
def no_duplication(clones: Clones) -> Judgement:
    """The share of copied lines, and the largest family."""
    if clones.total_lines < _SMALLEST:
        return NotApplicable(f"Under {_SMALLEST} lines of production code ({clones.total_lines}): too little to be written twice.")
    share = clones.duplicated_lines / clones.total_lines
    families = sorted(
        (
            family
            for family in clones.families
            if family.lines >= _SUBSTANCE and len(family.fragments) >= _FAMILY and family.alike >= _ALIKE
        ),
        key=_weight,
    )
    copied = _repeated(families) / clones.total_lines
    badness = _badness(share, copied)
    signals = (
        f"lines with an older twin: {clones.duplicated_lines:,} of {clones.total_lines:,} ({percent(share)})",
        f"families of copies: {len(clones.families)}; with {_FAMILY} or more members: {len(families)} ({percent(copied)} of the code)",
    )
    summary = f"{percent(share)} of the code has a twin elsewhere ({plural(len(clones.families), 'family', 'families')} of copies)."
    if not clones.families:
        summary = f"No copied block among {clones.total_lines:,} lines."
    shown = sorted(clones.families, key=_weight) if badness > 0.05 else ()
    return Assessed(bad=badness, total=1, summary=summary, findings=tuple(_finding(family) for family in shown), signals=signals)


def _weight(family: CloneFamily) -> tuple[float, str, int]:
    first = family.fragments[0]
    return (-family.lines * family.alike * (len(family.fragments) - 1), first.path, first.line)


def _repeated(families: list[CloneFamily]) -> int:
    """Lines of large families beyond the first member, each line of a file counted once."""
    lines = {
        (fragment.path, line)
        for family in families
        for fragment in family.fragments[1:]
        for line in range(fragment.line, fragment.end_line + 1)
    }
    return len(lines)


def _badness(share: float, copied: float) -> float:
    if share > _FAIL_SHARE or copied > _FAMILY_SHARE:
        return min(1.0, 0.6 + max(0.0, share - _FAIL_SHARE) * 2)
    if share > _PASS_SHARE:
        return 0.1 + 0.45 * (share - _PASS_SHARE) / (_FAIL_SHARE - _PASS_SHARE)
    return 0.05 * share / _PASS_SHARE


def _finding(family: CloneFamily) -> Finding:
    first = family.fragments[0]
    others = listed([f"{fragment.path}:{fragment.line}" for fragment in family.fragments[1:]], 3)
    how = "to the letter" if family.exact else "with other names" if family.alike > _SAME else f"{percent(family.alike)} alike"
    names = f" ({listed(list(family.renamed), 3)})" if family.renamed else ""
    count = len(family.fragments)
    lines = min(fragment.end_line - fragment.line + 1 for fragment in family.fragments)
    message = f"{plural(lines, 'line')} stand {'twice' if count == 2 else f'{count} times'}, {how}{names}: whoever repairs one has to find {others} too."
    return Finding("copied-block", first.path, message, first.line, first.end_line, cwe=1041)
