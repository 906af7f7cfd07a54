"""The answer of a gate for a terminal or a pipeline's log: one line, then what counts, then what a reader must know."""

from __future__ import annotations

from auditor.model.gate import Gate, Judged, State, Use
from auditor.render.text import visible
from auditor.words import plural

_SHOWN = 20


def to_text(gate: Gate, *, quiet: bool = False) -> str:
    """The sentence; without `quiet` also the findings that count, the exceptions and the notes."""
    lines = [visible(gate.sentence)]
    if not quiet:
        counting = gate.counting
        lines += [_finding(finding) for finding in counting[:_SHOWN]]
        lines += [f"  and {len(counting) - _SHOWN:,} more"] if len(counting) > _SHOWN else []
        lines += [f"  exception {use}" for use in _exceptions(gate)]
        lines += [f"  {visible(note)}" for note in gate.notes]
    return "\n".join(lines) + "\n"


def _finding(finding: Judged) -> str:
    place = f"{finding.path}:{finding.line}" if finding.line else finding.path or "the repository"
    return visible(f"  {finding.severity.upper():<8} {finding.item}  {place}  {finding.message}")


def _exceptions(gate: Gate) -> list[str]:
    """Suppressions in one line each where something has to be done about them, the others counted."""
    lines = [
        visible(f"{one.use}: {one.declared.place}: {one.why}")
        for one in gate.suppressions
        if one.use in {Use.EXPIRED, Use.MALFORMED, Use.NOT_OBEYED}
    ]
    suppressed = sum(finding.state is State.SUPPRESSED for finding in gate.findings)
    obeyed = sum(one.use is Use.OBEYED for one in gate.suppressions)
    unused = [visible(one.declared.place) for one in gate.suppressions if one.use is Use.UNUSED]
    if obeyed:
        lines.append(f"obeyed: {plural(obeyed, 'exception')} for {plural(suppressed, 'finding')}")
    if unused:
        lines.append(f"unused, can be removed: {', '.join(unused[:5])}{f' and {len(unused) - 5:,} more' if len(unused) > 5 else ''}")
    return lines
