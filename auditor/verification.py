"""Whether one item, or one finding of it, is settled now: the answer to whoever has just tried to put it right. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from auditor.fingerprints import base_of
from auditor.matching import Known, match
from auditor.model.report import Report
from auditor.model.verdict import Finding, Outcome, Verdict

PLACES = 20


class Answer(StrEnum):
    """What a verification says."""

    SETTLED = "settled"
    OPEN = "open"
    CANNOT_SAY = "cannot say"


@dataclass(frozen=True, slots=True)
class Verification:
    """The answer for one item: why in one sentence, and the first places that are still open, of `open_places`."""

    item: str
    finding: str
    answer: Answer
    sentence: str
    places: tuple[Finding, ...]
    open_places: int


def verify(report: Report, item: str, finding: str = "", before: Report | None = None) -> Verification:
    """Judge `item` by a report made now; with `finding` (a fingerprint) only that one, followed from the report `before` where it was moved or changed.

    A finding counts as settled only where its item was decided, or where its own file was examined.

    Raises:
        LookupError: the report did not judge that item.
    """
    outcome = next((outcome for outcome in report.outcomes if outcome.id == item), None)
    if outcome is None:
        raise LookupError(item)
    return _one(outcome, finding, before) if finding else _whole(outcome)


def _whole(outcome: Outcome) -> Verification:
    if outcome.verdict in {Verdict.PASS, Verdict.NOT_APPLICABLE}:
        return _answer(outcome, "", Answer.SETTLED, f"{outcome.verdict.value.replace('_', ' ')}: {outcome.reason}")
    if outcome.verdict is Verdict.UNKNOWN:
        return _answer(outcome, "", Answer.CANNOT_SAY, outcome.reason)
    return _answer(outcome, "", Answer.OPEN, outcome.reason, outcome.findings)


def _one(outcome: Outcome, finding: str, before: Report | None) -> Verification:
    still = _followed(outcome, finding, before)
    if still is not None:
        return _answer(outcome, finding, Answer.OPEN, still.message, (still,))
    old = _known(before, outcome.id, finding)
    path = old.path if old else ""
    hidden = next((reason for name, reason in outcome.unexamined if path and (name == path or name.startswith(f"{path}:"))), "")
    if hidden or (outcome.verdict is Verdict.UNKNOWN and not outcome.findings):
        return _answer(outcome, finding, Answer.CANNOT_SAY, f"it is not found any more, but {hidden or outcome.reason}")
    others = f"; {len(outcome.findings):,} other places of the item are open" if outcome.verdict in {Verdict.FAIL, Verdict.PARTIAL} else ""
    return _answer(outcome, finding, Answer.SETTLED, f"it is not found any more{others}")


def _followed(outcome: Outcome, finding: str, before: Report | None) -> Finding | None:
    """The finding as it stands now, wherever it went."""
    same = next((one for one in outcome.findings if one.fingerprint == finding), None)
    old = _known(before, outcome.id, finding)
    if same is not None or old is None or before is None:
        return same
    earlier = next(one for one in before.outcomes if one.id == outcome.id)
    olds = [Known(outcome.id, one.rule, one.path, one.fingerprint) for one in earlier.findings]
    news = [Known(outcome.id, one.rule, one.path, one.fingerprint) for one in outcome.findings]
    wanted = next(position for position, one in enumerate(earlier.findings) if one is old)
    now = next((new for was, new in match(olds, news).pairs if was == wanted), None)
    return None if now is None else outcome.findings[now]


def _known(before: Report | None, item: str, finding: str) -> Finding | None:
    findings = [one for outcome in before.outcomes if outcome.id == item for one in outcome.findings] if before else []
    exact = next((one for one in findings if one.fingerprint == finding), None)
    return exact or next((one for one in findings if base_of(one.fingerprint) == finding), None)


def _answer(outcome: Outcome, finding: str, answer: Answer, sentence: str, places: tuple[Finding, ...] = ()) -> Verification:
    return Verification(outcome.id, finding, answer, sentence, places[:PLACES], len(places))
