"""Compares two audits of one repository: what was fixed, what is new, what is still there. Pure: two reports in, data out.

Which findings are the same one is decided in `auditor.matching`; here each gets its state. One is called fixed only where its item was judged again
and its file was looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from auditor.errors import UsageError
from auditor.fingerprints import base_of, of_item
from auditor.matching import Known, match
from auditor.model.comparison import CategoryStanding, Change, Closed, Comparison, ItemChange, Match, Run, Standing, State
from auditor.model.report import Report, Score
from auditor.model.triage import Decision, Triage
from auditor.model.verdict import Outcome, Severity, Verdict
from auditor.score import MODEL, letter_of, score
from auditor.words import plural

CLOSED_KEPT = 20_000
"""How many fixed findings a report remembers; the newest are kept."""
COMPARABLE_SINCE = (1, 2)
"""Schema version from which fingerprints are made as they are now (`auditor.fingerprints`)."""
KEPT_PER_ITEM = 500
"""An audit keeps this many findings of an item (`auditor.engine`); beyond it the comparison sees only a part."""

_OPEN = (Verdict.FAIL, Verdict.PARTIAL)
_SEVERITIES = tuple(Severity)
_STATES = tuple(State)
_OPEN_STATES = (State.NEW, State.STILL_OPEN, State.REOPENED, State.FIRST_SEEN, State.ACCEPTED, State.FALSE_POSITIVE)


@dataclass(frozen=True, slots=True)
class _Subject:
    """A finding with its item; an open item without any place stands for itself, with an empty path."""

    known: Known
    line: int = 0
    message: str = ""

    @property
    def item(self) -> str:
        return self.known.item

    @property
    def where(self) -> str:
        return f"{self.known.path}:{self.line}" if self.line else self.known.path


@dataclass(frozen=True, slots=True)
class _Pair:
    """A finding before and after; one of the two is None when it was not known again."""

    old: _Subject | None
    new: _Subject | None
    match: Match


def compare(old: Report, new: Report) -> Comparison:
    """What changed from `old` to `new`, with what people ruled about the findings of `new`.

    Scores of another model are worked out again from the outcomes, so that both figures are of one model.

    Raises:
        UsageError: a report is of a time when findings were recognised by other marks.
    """
    for report in (old, new):
        if tuple(int(part) for part in report.schema.split(".")) < COMPARABLE_SINCE:
            raise UsageError(
                f"the report of {report.scope.name} of {report.date} has schema version {report.schema}, whose findings cannot be recognised in others: "
                "audit that revision again with this version"
            )
    old_score, new_score = _in_one_model(old, new)
    pairs = _paired(_subjects(old), _subjects(new))
    before, after = _by_id(old.outcomes), _by_id(new.outcomes)
    closed_before = old.before.closed if old.before else ()
    returned = _returned(closed_before, [pair.new for pair in pairs if pair.new and not pair.old])
    changes, closed = [], []
    for pair in pairs:
        state = _state(pair, before, after, returned)
        if state is None:
            continue
        changes.append(_change(pair, state, before, after))
        if state is State.FIXED and pair.old:
            known = pair.old.known
            closed.append(Closed(known.item, known.rule, known.path, known.fingerprint))
    comparison = Comparison(
        old=_run(old, old_score),
        new=_run(new, new_score),
        grade=Standing(old_score.value, new_score.value, old_score.letter, new_score.letter),
        common=_common(old, new),
        assurance=(old_score.assurance, new_score.assurance),
        categories=_categories(new, old_score, new_score),
        items=_items(before, after),
        changes=tuple(changes),
        caveats=tuple(_caveats(old, new)),
        closed=tuple([*(one for one in closed_before if one not in returned.values()), *closed][-CLOSED_KEPT:]),
    )
    return ruled(comparison, new.triage)


def ruled(comparison: Comparison, triage: Triage | None) -> Comparison:
    """The comparison with what people ruled about the open findings, and nothing of earlier rulings."""
    changes = [replace(change, state=_ruled(change, triage)) for change in comparison.changes]
    return replace(comparison, changes=tuple(sorted(changes, key=_rank)))


def _ruled(change: Change, triage: Triage | None) -> State:
    if change.state not in _OPEN_STATES:
        return change.state
    fingerprint = change.fingerprint if change.path else ""
    if triage and triage.decided(change.item, fingerprint, Decision.FALSE_POSITIVE):
        return State.FALSE_POSITIVE
    if triage and triage.decided(change.item, fingerprint, Decision.ACCEPTED):
        return State.ACCEPTED
    if change.state in (State.FALSE_POSITIVE, State.ACCEPTED):
        return State.NEW if change.match is Match.NONE else State.STILL_OPEN
    return change.state


def _by_id(outcomes: Iterable[Outcome]) -> dict[str, Outcome]:
    return {outcome.id: outcome for outcome in outcomes}


def _subjects(report: Report) -> list[_Subject]:
    found = []
    for outcome in report.outcomes:
        found += [_Subject(Known(outcome.id, one.rule, one.path, one.fingerprint), one.line, one.message) for one in outcome.findings]
        if not outcome.findings and outcome.verdict in _OPEN:
            found.append(_Subject(Known(outcome.id, "", "", of_item(outcome.id)), message=outcome.reason))
    return found


def _paired(old: list[_Subject], new: list[_Subject]) -> list[_Pair]:
    """Every finding of both runs exactly once, alone or with its other half."""
    found = match([one.known for one in old], [one.known for one in new])
    pairs = [_Pair(old[before], new[now], _how(old[before].known, new[now].known)) for before, now in found.pairs]
    gone, come = [old[position] for position in found.gone], [new[position] for position in found.new]
    lone = {one.item for one in (*gone, *come) if not one.known.path}
    for item in sorted(lone):  # an item that had no place and has one now, or the other way round, is the same open item
        first, second = (next((one for one in side if one.item == item), None) for side in (gone, come))
        if first and second:
            pairs.append(_Pair(first, second, Match.CHANGED))
            gone.remove(first)
            come.remove(second)
    return [*pairs, *(_Pair(one, None, Match.NONE) for one in gone), *(_Pair(None, one, Match.NONE) for one in come)]


def _how(before: Known, now: Known) -> Match:
    if base_of(before.fingerprint) != base_of(now.fingerprint):
        return Match.CHANGED
    return Match.SAME if before.path == now.path else Match.MOVED


def _returned(closed: Sequence[Closed], new: list[_Subject]) -> dict[tuple[str, str], Closed]:
    """Findings that had been fixed and are here again, by item and fingerprint; edited code does not count as coming back."""
    found = match([Known(one.item, one.rule, one.path, one.fingerprint) for one in closed], [one.known for one in new])
    pairs = [(closed[then], new[now].known) for then, now in found.pairs]
    return {(now.item, now.fingerprint): then for then, now in pairs if base_of(then.fingerprint) == base_of(now.fingerprint)}


def _state(pair: _Pair, before: dict[str, Outcome], after: dict[str, Outcome], returned: dict[tuple[str, str], Closed]) -> State | None:
    """The state of a finding; None where its item is open in neither run."""
    if pair.new and after[pair.new.item].verdict in _OPEN:
        known = pair.new.known
        if pair.old:
            return State.STILL_OPEN
        if (known.item, known.fingerprint) in returned:
            return State.REOPENED
        return State.FIRST_SEEN if _not_looked_at(before.get(known.item), known.path) else State.NEW
    if not pair.old or before[pair.old.item].verdict not in _OPEN:
        return None
    later = after.get(pair.old.item)
    if later is not None and later.verdict is Verdict.NOT_APPLICABLE:
        return State.NOT_APPLICABLE
    if _not_looked_at(later, pair.old.known.path):
        return State.UNDECIDED
    return State.TOLERATED if pair.new else State.FIXED


def _not_looked_at(outcome: Outcome | None, path: str) -> bool:
    """Whether a run said nothing about this place: the item was not judged or not decided, or the file was not examined."""
    if outcome is None or outcome.verdict is Verdict.UNKNOWN:
        return True
    return bool(path) and any(place == path for place, _ in outcome.unexamined)


def _change(pair: _Pair, state: State, before: dict[str, Outcome], after: dict[str, Outcome]) -> Change:
    shown = pair.new or pair.old
    assert shown is not None
    outcome = (after if pair.new else before)[shown.item]
    was = pair.old.where if pair.old and pair.new and pair.old.where != pair.new.where else ""
    known = shown.known
    return Change(
        state, pair.match, known.item, outcome.severity, known.rule, known.path, shown.line, shown.message, known.fingerprint, was
    )


def _rank(change: Change) -> tuple[int, int, str, str, int, str]:
    return (
        _SEVERITIES.index(change.severity),
        _STATES.index(change.state),
        change.item,
        change.path,
        change.line,
        change.fingerprint,
    )


def _in_one_model(old: Report, new: Report) -> tuple[Score, Score]:
    """Both scores in one model: as stored where they agree, worked out again by this version's where they do not."""
    if old.score.model == new.score.model:
        return old.score, new.score
    return _rescored(old), _rescored(new)


def _rescored(report: Report) -> Score:
    return report.score if report.score.model == MODEL else score(report.outcomes, report.score.no_grade)


def _common(old: Report, new: Report) -> Standing | None:
    """The grades over the items that both runs judged, when one of them judged more."""
    both = {outcome.id for outcome in old.outcomes} & {outcome.id for outcome in new.outcomes}
    if not both or (len(both) == len(old.outcomes) == len(new.outcomes)):
        return None
    first, second = (score([o for o in report.outcomes if o.id in both], report.score.no_grade) for report in (old, new))
    return Standing(first.value, second.value, first.letter, second.letter)


def _categories(new: Report, old_score: Score, new_score: Score) -> tuple[CategoryStanding, ...]:
    first = {category.id: category.value for category in old_score.categories}
    second = {category.id: category.value for category in new_score.categories}

    def letter(value: float | None) -> str | None:
        return None if value is None else letter_of(value)

    return tuple(
        CategoryStanding(
            category.id,
            Standing(first.get(category.id), second.get(category.id), letter(first.get(category.id)), letter(second.get(category.id))),
        )
        for category in new.categories
    )


def _items(before: dict[str, Outcome], after: dict[str, Outcome]) -> tuple[ItemChange, ...]:
    found = []
    for item in dict.fromkeys((*after, *before)):
        first, second = before.get(item), after.get(item)
        shown = second or first
        assert shown is not None
        old, new = (first.verdict if first else None), (second.verdict if second else None)
        if old is not new:
            found.append(ItemChange(item, shown.severity, old, new))
    return tuple(sorted(found, key=lambda change: (_SEVERITIES.index(change.severity), change.item)))


def _run(report: Report, scored: Score) -> Run:
    scope = report.scope
    return Run(scope.name, scope.commit, report.date, report.version, report.rules, scored.model, len(report.outcomes))


def _caveats(old: Report, new: Report) -> Iterable[str]:
    """What a reader must know before trusting the figures."""
    if old.scope.name != new.scope.name:
        yield f"The two reports name different repositories: {old.scope.name} and {new.scope.name}."
    if old.date > new.date:
        yield f"The earlier report is the younger one: {old.date}, after {new.date}."
    if old.score.model != new.score.model:
        for which, report in (("earlier", old), ("later", new)):
            if report.score.model != MODEL:
                yield (
                    f"The {which} run was scored with model {report.score.model}; its figures here are worked out again from its verdicts with model {MODEL}."
                )
    if (old.version, old.rules) != (new.version, new.rules):
        yield "Different versions of the auditor or its rules made the two reports: a finding can be new or gone because another version sees more or less."
    judged_old, judged_new = {o.id for o in old.outcomes}, {o.id for o in new.outcomes}
    if judged_old != judged_new:
        yield (
            f"The runs did not judge the same items: {plural(len(judged_new - judged_old), 'item')} only later, {plural(len(judged_old - judged_new), 'item')} only before."
        )
    cut = sorted({o.id for report in (old, new) for o in report.outcomes if len(o.findings) >= KEPT_PER_ITEM})
    if cut:
        yield f"Of {', '.join(cut[:5])}{' and others' if len(cut) > 5 else ''} only the first {KEPT_PER_ITEM} places are kept: what lies beyond may seem new or fixed."
