"""The judgement of a gate: a report, what stood before, and the owner's rules in; passed, failed or cannot say out. Pure.

A gate compares: what was there before never closes it, whatever its severity. It says that it cannot say where a comparison would mislead: when too much
could not be decided, or when the baseline was made under other rules. The grade is not touched.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from pathspec import GitIgnoreSpec

from auditor.baseline import Baseline, foreign, other_rules
from auditor.fingerprints import COPIES, base_of
from auditor.matching import Placed, match, placed
from auditor.model.gate import Applied, Fixed, Gate, Judged, Standing, State, Use
from auditor.model.report import Report
from auditor.model.settings import Fall, Settings, Suppression, Unknown
from auditor.model.verdict import Severity, Verdict
from auditor.narrowing import left_out
from auditor.score import LETTERS
from auditor.words import decimal, listed, percent, plural

_SEVERITIES = tuple(Severity)
_SERIOUS = frozenset({Severity.BLOCKER, Severity.HIGH})
_KEPT_PER_ITEM = 500
"""Findings an audit keeps of one item; beyond them a gate sees nothing."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a report is compared with.

    `before`: the baseline, None when there is none. `against` names it in words. `changed`: paths that can close the gate, None for all, and
    `changed_since` the revision they changed since. `audited`: the baseline is an audit of that very revision. `vouched`: the suppressions
    that stood there before the change; None when nothing is known of it, and every suppression counts. `partial`: only some items were judged.
    """

    before: Baseline | None = None
    against: str = ""
    changed: frozenset[str] | None = None
    changed_since: str = ""
    audited: bool = False
    vouched: tuple[Suppression, ...] | None = None
    partial: bool = False


def judge(report: Report, settings: Settings, comparison: Comparison) -> Gate:
    """The gate's answer on a report."""
    found = _in_scope(placed(report, settings.layers), settings)
    before = comparison.before
    matched = match(before.findings if before else (), [one.known for one in found])
    use = _Suppressions((*report.suppressions, *settings.suppressions), report.date, settings, comparison)
    findings = _judged(found, frozenset(matched.new), use, settings, comparison)
    doubts, faults = _doubts(report, settings, comparison, findings), _faults(report, settings, comparison, findings, use)
    standing = Standing.CANNOT_SAY if doubts and (not faults or _incomparable(report, before)) else Standing.PASSED
    standing = Standing.FAILED if faults and standing is Standing.PASSED else standing
    fixed = _fixed(report, before, matched.gone)
    gate = Gate(
        standing=standing,
        sentence="",
        reasons=tuple(doubts if standing is Standing.CANNOT_SAY else faults),
        profile=settings.policy.profile,
        against=comparison.against,
        changed_since=comparison.changed_since,
        findings=tuple(sorted(findings, key=_rank)),
        fixed=fixed,
        suppressions=use.applied(),
        off=settings.off,
        weights=settings.weights,
        letter_before=before.letter if before else None,
        score_before=before.value if before else None,
        notes=(*_gone(comparison, fixed), *_notes(report, settings, findings)),
    )
    return replace(gate, sentence=_sentence(gate))


def _in_scope(found: Iterable[Placed], settings: Settings) -> list[Placed]:
    """What the owner's rules leave: items that are not off, paths that are not left out."""
    off = {item for item, _ in settings.off}
    return [one for one in found if one.known.item not in off and not (one.known.path and left_out(settings, one.known.path))]


def _judged(found: Sequence[Placed], new: frozenset[int], use: _Suppressions, settings: Settings, comparison: Comparison) -> list[Judged]:
    weights = dict(settings.weights)
    judged = []
    for position, one in enumerate(found):
        if not one.is_open:
            continue
        severity = weights.get(one.known.item, one.severity)
        cover = use.covering(one, severity)
        state = State.SUPPRESSED if cover >= 0 and use.obeyed(cover) else State.NEW if position in new else State.UNCHANGED
        weighty = severity in settings.policy.fail_on or (one.known.item == COPIES and settings.policy.copies)
        expired = cover >= 0 and use.expired(cover)
        counts = weighty and (state is State.NEW or expired) and state is not State.SUPPRESSED and _may_fail(one, comparison)
        known, (path, line, message) = one.known, _shown(one, comparison)
        judged.append(Judged(known.item, known.rule, path, line, message, known.fingerprint, severity, state, counts, cover))
    return judged


def _shown(one: Placed, comparison: Comparison) -> tuple[str, int, str]:
    """Place and words of a finding; of a copy, the side that the change brought where that is known."""
    path, line = one.known.path, one.line
    if one.twin and comparison.changed is not None and one.twin in comparison.changed and path not in comparison.changed:
        return one.twin, one.twin_line, one.message.replace(f"{one.twin}:{one.twin_line}", f"{path}:{line}")
    return path, line, one.message


def _may_fail(one: Placed, comparison: Comparison) -> bool:
    """Whether the change can have brought it: its file, or that of its twin, was changed; what has no place only where a baseline shows it is new."""
    if comparison.changed is None:
        return True
    if not one.known.path:
        return comparison.before is not None
    return one.known.path in comparison.changed or one.twin in comparison.changed


class _Suppressions:
    """The declared exceptions, what each covers, and what became of it."""

    def __init__(self, declared: Sequence[Suppression], date: str, settings: Settings, comparison: Comparison) -> None:
        self._declared = declared
        self._covered: Counter[int] = Counter()
        self._answered_for = settings.policy.answered_for
        self._specs = [GitIgnoreSpec.from_lines([one.path]) if not one.line and one.path else None for one in declared]
        unvouched = _unvouched(declared, comparison.vouched)
        self._use: list[tuple[Use, str]] = []
        for position, one in enumerate(declared):
            if one.problem:
                self._use.append((Use.MALFORMED, one.problem))
            elif one.until and one.until < date:
                self._use.append((Use.EXPIRED, f"it ended on {one.until}"))
            elif position in unvouched:
                self._use.append((Use.NOT_OBEYED, f"it came with this change: it counts once it is part of {comparison.changed_since}"))
            else:
                self._use.append((Use.OBEYED, ""))

    def covering(self, one: Placed, severity: Severity) -> int:
        """The position of the suppression that speaks of a finding, -1 for none; one that is obeyed comes before one that is not."""
        speaking = [
            position for position, entry in enumerate(self._declared) if not entry.problem and self._speaks_of(position, entry, one)
        ]
        if not speaking:
            return -1
        if self._answered_for and severity in _SERIOUS:
            for position in speaking:
                entry = self._declared[position]
                if self._use[position][0] is Use.OBEYED and not (entry.owner and entry.until):
                    self._use[position] = (Use.NOT_OBEYED, "here an exception from a blocker or high item needs an owner and an end")
        best = min(speaking, key=lambda position: (self._use[position][0] is not Use.OBEYED, self._use[position][0] is not Use.EXPIRED))
        self._covered[best] += 1
        return best

    def obeyed(self, position: int) -> bool:
        """Whether it is obeyed."""
        return self._use[position][0] is Use.OBEYED

    def expired(self, position: int) -> bool:
        """Whether its time is over."""
        return self._use[position][0] is Use.EXPIRED

    def applied(self) -> tuple[Applied, ...]:
        """All of them with what became of them."""
        found = []
        for position, entry in enumerate(self._declared):
            use, why = self._use[position]
            covered = self._covered[position]
            found.append(Applied(entry, Use.UNUSED if use is Use.OBEYED and not covered else use, covered, why))
        return tuple(found)

    def malformed(self) -> list[Suppression]:
        """Those that cannot be used."""
        return [entry for entry, (use, _) in zip(self._declared, self._use, strict=True) if use is Use.MALFORMED]

    def _speaks_of(self, position: int, entry: Suppression, one: Placed) -> bool:
        known = one.known
        if entry.item != known.item or (entry.rule and entry.rule != known.rule):
            return False
        if entry.fingerprint and entry.fingerprint not in {known.fingerprint, base_of(known.fingerprint)}:
            return False
        if entry.line:
            return entry.path == known.path and entry.line <= one.line <= max(entry.line, entry.end_line)
        spec = self._specs[position]
        return spec is None or spec.match_file(known.path)


def _unvouched(declared: Sequence[Suppression], vouched: tuple[Suppression, ...] | None) -> frozenset[int]:
    """Suppressions that did not stand there before the change: in the same words, in the same file or in one that lost them."""
    if vouched is None:
        return frozenset()
    here, anywhere = Counter(_words(one, one.path) for one in vouched), Counter(_words(one, "") for one in vouched)
    left = []
    for position, one in enumerate(declared):
        if here[_words(one, one.path)] > 0:
            here[_words(one, one.path)] -= 1
            anywhere[_words(one, "")] -= 1
        else:
            left.append(position)
    unvouched = set()
    for position in left:
        words = _words(declared[position], "")
        if anywhere[words] > 0:
            anywhere[words] -= 1
        else:
            unvouched.add(position)
    return frozenset(unvouched)


def _words(one: Suppression, path: str) -> tuple[str, ...]:
    return (one.item, one.rule, one.reason, one.owner, one.until, one.fingerprint, path)


def _incomparable(report: Report, before: Baseline | None) -> str:
    return (foreign(before, report) or other_rules(before, report)) if before else ""


def _doubts(report: Report, settings: Settings, comparison: Comparison, findings: Sequence[Judged]) -> list[str]:
    """Why the gate cannot say."""
    policy, before, score = settings.policy, comparison.before, report.score
    doubts = []
    renew = "write it anew with `auditor baseline --accept` where the code is sound"
    if before and (reason := foreign(before, report)):
        doubts.append(f"{reason}: {renew}")
    elif before and (reason := other_rules(before, report)) and any(finding.counts for finding in findings):
        doubts.append(f"{reason}: what looks new may only be seen anew; {renew}")
    if not comparison.partial:
        if score.value is None:
            doubts.append(f"there is no grade: {score.no_grade}")
        elif score.assurance < policy.assurance:
            doubts.append(f"only {percent(score.assurance)} of what counts could be decided, {percent(policy.assurance)} is asked for")
    undecided = _undecided(report, settings, before)
    if undecided:
        count = plural(len(undecided), "blocker item")
        doubts.append(f"{count} could not be decided: {listed(undecided)}")
    elif _fallen(report, settings, comparison, findings) and _perhaps_not_fallen(report, before):
        doubts.append("the grade may have fallen only because more could not be decided than before")
    return doubts


def _undecided(report: Report, settings: Settings, before: Baseline | None) -> list[str]:
    if settings.policy.unknown is Unknown.OFF:
        return []
    weights, off = dict(settings.weights), {item for item, _ in settings.off}
    accepted = before.unknown if before and settings.policy.unknown is Unknown.NEW else frozenset()
    return [
        outcome.id
        for outcome in report.outcomes
        if outcome.verdict is Verdict.UNKNOWN
        and weights.get(outcome.id, outcome.severity) is Severity.BLOCKER
        and outcome.id not in off | accepted
    ]


def _faults(report: Report, settings: Settings, comparison: Comparison, findings: Sequence[Judged], use: _Suppressions) -> list[str]:
    """Why the gate is closed, the gravest first."""
    faults = []
    counting = [finding for finding in findings if finding.counts]
    for severity in _SEVERITIES:
        own = [finding for finding in counting if finding.severity is severity and finding.item != COPIES]
        for state, word in ((State.NEW, "new "), (State.UNCHANGED, "")):
            some = [finding for finding in own if finding.state is state]
            if some:
                what = plural(len(some), f"{word}{severity} finding")
                faults.append(what if word else f"{what} whose exception has ended")
    copies = [finding for finding in counting if finding.item == COPIES]
    if copies:
        faults.append(plural(len(copies), "new copy of code", "new copies of code"))
    malformed = [one for one in use.malformed() if comparison.changed is None or one.path in comparison.changed]
    if malformed:
        first = malformed[0]
        faults.append(f"{plural(len(malformed), 'exception')} cannot be used, the first: {first.place}: {first.problem}")
    score, before = report.score, comparison.before
    if _fallen(report, settings, comparison, findings) and before and not _perhaps_not_fallen(report, before):
        faults.append(f"the grade fell from {before.letter} {decimal(before.value or 0)} to {score.letter} {decimal(score.value or 0)}")
    lowest = settings.policy.lowest
    if lowest and score.letter and LETTERS.index(score.letter) > LETTERS.index(lowest) and not comparison.partial:
        faults.append(f"the grade is {score.letter}, at least {lowest} is asked for")
    return faults


def _fallen(report: Report, settings: Settings, comparison: Comparison, findings: Sequence[Judged]) -> bool:
    """Whether the grade fell below the one before, as far as this change can have done it."""
    before, score = comparison.before, report.score
    if comparison.partial or before is None or foreign(before, report):
        return False
    if before.letter is None or before.value is None or score.letter is None or score.value is None:
        return False
    if comparison.changed is not None and not comparison.audited:
        touched = any(finding.state is State.NEW and finding.path in comparison.changed for finding in findings)
        if not touched:
            return False
    match settings.policy.fall:
        case Fall.LETTER:
            return LETTERS.index(score.letter) > LETTERS.index(before.letter)
        case Fall.SCORE:
            return score.value < before.value - 0.05 or LETTERS.index(score.letter) > LETTERS.index(before.letter)
        case Fall.OFF:
            return False


def _perhaps_not_fallen(report: Report, before: Baseline | None) -> bool:
    """Whether more is unknown than before, and the grade would not have fallen if all of it turned out well."""
    if before is None or before.value is None or report.score.optimistic_value is None:
        return False
    newly = {
        outcome.id for outcome in report.outcomes if outcome.verdict is Verdict.UNKNOWN and outcome.severity in _SERIOUS
    } - before.unknown
    return bool(newly) and report.score.optimistic_value >= before.value


def _fixed(report: Report, before: Baseline | None, gone: Iterable[int]) -> tuple[Fixed, ...]:
    """Findings of the baseline that are gone, where their item was judged again and decided."""
    if before is None:
        return ()
    decided = {outcome.id for outcome in report.outcomes if outcome.verdict is not Verdict.UNKNOWN}
    lost = (before.findings[position] for position in gone)
    return tuple(Fixed(one.item, one.rule, one.path, one.fingerprint) for one in sorted(lost) if one.item in decided)


def _gone(comparison: Comparison, fixed: tuple[Fixed, ...]) -> list[str]:
    """A word on a baseline file that has become too long."""
    if not fixed or comparison.audited:
        return []
    return [f"{plural(len(fixed), 'line')} of the baseline {'is' if len(fixed) == 1 else 'are'} gone; `auditor baseline` prunes it"]


def _notes(report: Report, settings: Settings, findings: Sequence[Judged]) -> list[str]:
    notes = []
    if settings.off:
        notes.append(f"{plural(len(settings.off), 'item')} off for the gate: {listed([item for item, _ in settings.off])}")
    if settings.weights:
        notes.append(f"own weights for {listed([f'{item} ({severity})' for item, severity in settings.weights])}")
    if settings.off or settings.weights:
        notes.append("the grade counts all items with the checklist's weights")
    cut = [outcome.id for outcome in report.outcomes if len(outcome.findings) >= _KEPT_PER_ITEM]
    if cut:
        notes.append(f"of {listed(cut)} only the first {_KEPT_PER_ITEM} findings are compared")
    elsewhere = sum(finding.state is State.NEW and not finding.counts for finding in findings)
    if elsewhere:
        notes.append(f"{plural(elsewhere, 'new finding')} of lesser weight or outside of the change")
    return notes


def _rank(finding: Judged) -> tuple[bool, int, str, str, int, str]:
    return (not finding.counts, _SEVERITIES.index(finding.severity), finding.item, finding.path, finding.line, finding.fingerprint)


def _sentence(gate: Gate) -> str:
    """The answer in one line, with the first place where there is one, and what it was measured against."""
    against = f", against {gate.against}" if gate.against else ""
    setting = f"({gate.profile}{against}{f', changed since {gate.changed_since}' if gate.changed_since else ''})"
    first = next(iter(gate.counting), None) if gate.standing is Standing.FAILED else None
    place = f"; first {first.item} in {_at(first)}" if first else ""
    return f"{gate.answer}{place} {setting}"


def _at(finding: Judged) -> str:
    return f"{finding.path}:{finding.line}" if finding.path and finding.line else finding.path or "the repository"
