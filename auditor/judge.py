"""Turns evidence into outcomes. Only this module decides `unknown`; a check can neither pass nor crash an audit."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from auditor.catalogue import catalogue
from auditor.checks.registry import Check
from auditor.classify import role_by_path
from auditor.gather import TIME_LIMIT, Evidence
from auditor.model.need import Known, Need, Unavailable
from auditor.model.needs import CLONES, COMPLEXITY, FLOWS, MODULE_GRAPH, ROUTES, SYNTAX
from auditor.model.report import Item
from auditor.model.snapshot import READ_LANGUAGES, UNREAD_LANGUAGES, Role, Snapshot
from auditor.model.verdict import Assessed, Confidence, Judgement, NotApplicable, Outcome, Undecided, Verdict
from auditor.score import verdict_of
from auditor.words import listed, plural

_log = logging.getLogger(__name__)

_NOT_CONTENT = ("a symbolic link", "a submodule", "below a symbolic link", "missing from the work tree")
"""Beginnings of reasons that say there is nothing to read: what a link leads to is not part of the tree, what was deleted is gone."""
_DECLARATIONS = (".d.ts", ".d.mts", ".d.cts", ".pyi")
"""Files that declare types only: nothing in them runs."""
_UNEXAMINED_SHOWN = 50
_FACTS_OF_CODE = frozenset(need.name for need in (SYNTAX, ROUTES, MODULE_GRAPH, CLONES, COMPLEXITY, FLOWS))
"""Evidence that exists for the languages that are read."""
_UNREAD_SHARE = 0.1
"""Share of the product's lines in other languages from which nothing can be said of the product as a whole."""


def judge(check: Check, evidence: Evidence, snapshot: Snapshot, *, reraise: bool = False) -> Outcome:
    """The outcome of one check. With `reraise` a crash of the check is not caught (for its author)."""
    item = catalogue().item(check.id)
    required = (*check.needs, *check.corroborating)
    for need in required:
        match evidence.get(need.name):
            case Known():
                continue
            case Unavailable() as missing:
                return _unknown(item, _missing(need, missing))
            case _:
                return _unknown(item, f"{need.name}: {TIME_LIMIT}")
    values = [_value(evidence, need) for need in (*required, *check.optional)]
    try:
        judgement = check.function(*values)
    except Exception as error:  # the one broad handler: a broken check is an unknown verdict, not a broken audit
        if reraise:
            raise
        _log.debug("check %s crashed", check.id, exc_info=True)
        return _unknown(item, f"the check crashed ({type(error).__name__}); this is a defect of auditor, please report it")
    outcome = _outcome(item, check, judgement, _examination(check, evidence, snapshot))
    return _held_back(outcome, check, _in_unread_languages(snapshot))


def out_of_time(check: Check) -> Outcome:
    """The outcome of a check that could not run any more."""
    return _unknown(catalogue().item(check.id), f"not judged: {TIME_LIMIT}")


def _in_unread_languages(snapshot: Snapshot) -> str:
    """The part of the product's code in languages that are not read, in words; "" where it is too small to matter."""
    code = [file for file in snapshot.with_role(Role.FIRST_PARTY) if file.language in READ_LANGUAGES | UNREAD_LANGUAGES]
    unread = [file for file in code if file.language in UNREAD_LANGUAGES]
    lines = sum(file.lines for file in unread)
    if not unread or lines < _UNREAD_SHARE * sum(file.lines for file in code):
        return ""
    names = sorted({file.language.value for file in unread})
    return f"{plural(len(unread), 'file')} of the product ({lines:,} lines of {listed(names)}) are in a language this version does not read"


def _held_back(outcome: Outcome, check: Check, unread: str) -> Outcome:
    """Neither a pass nor “does not arise” where much of the code could not be looked at."""
    of_code = Role.FIRST_PARTY in check.roles and any(need.name in _FACTS_OF_CODE for need in (*check.needs, *check.corroborating))
    if not unread or not of_code or outcome.verdict not in {Verdict.PASS, Verdict.NOT_APPLICABLE}:
        return outcome
    return replace(outcome, verdict=Verdict.UNKNOWN, ceiling=1.0, reason=f"{outcome.reason} Not proven: {unread}.")


def _value(evidence: Evidence, need: Need[Any]) -> Any:
    found = evidence.get(need.name)
    return found.value if isinstance(found, Known) else None


def _missing(need: Need[Any], missing: Unavailable) -> str:
    remedy = missing.remedy or need.remedy
    return f"{missing.tool} is not available: {missing.reason}" + (f" {remedy}" if remedy else "")


class _Examination:
    """Which files the check's evidence covers, and which of those in its scope it does not."""

    __slots__ = ("examined", "unexamined")

    def __init__(self, examined: int, unexamined: tuple[tuple[str, str], ...]) -> None:
        self.examined = examined
        self.unexamined = unexamined


def _examination(check: Check, evidence: Evidence, snapshot: Snapshot) -> _Examination:
    roles = {file.path: file.role for file in snapshot.files}
    examined: set[str] = set()
    unexamined: dict[str, str] = {}
    reads_code = False
    for need in check.needs:
        known = evidence[need.name]
        assert isinstance(known, Known)
        examined.update(path for path in known.examined if roles.get(path) in check.roles)
        unexamined.update(
            (path, reason)
            for path, reason in known.unexamined
            if roles.get(path, Role.FIRST_PARTY) in check.roles and not path.endswith(_DECLARATIONS)
        )
        reads_code = reads_code or bool(known.examined or known.unexamined)
    if reads_code:
        unexamined.update(_unread(check, snapshot))
    return _Examination(len(examined - set(unexamined)), tuple(sorted(unexamined.items())))


def _unread(check: Check, snapshot: Snapshot) -> Iterable[tuple[str, str]]:
    """Files the snapshot could not read that would have been in the check's scope."""
    for skipped in snapshot.skipped:
        language, role = role_by_path(skipped.path)
        if language in READ_LANGUAGES and role in check.roles and not skipped.reason.startswith(_NOT_CONTENT):
            yield skipped.path, skipped.reason


def _outcome(item: Item, check: Check, judgement: Judgement, examination: _Examination) -> Outcome:
    scope = examination.examined + len(examination.unexamined)
    match judgement:
        case NotApplicable(reason=reason, evidence=places):
            return _blank(item, Verdict.NOT_APPLICABLE, reason, evidence=places, ceiling=0.0)
        case Undecided(reason=reason, evidence=places):
            return _blank(item, Verdict.UNKNOWN, reason, evidence=places, ceiling=1.0)
        case Assessed():
            pass
    share = judgement.bad / judgement.total if judgement.total else 0.0
    badness = min(1.0, max(judgement.floor, share))
    ceiling = _ceiling(check, judgement, badness, examination, scope)
    verdict = verdict_of(badness, check.tolerance)
    reason = judgement.summary
    if verdict is Verdict.PASS and ceiling > check.tolerance:
        verdict = Verdict.UNKNOWN
        reason = f"{judgement.summary} Not proven: {_gap(judgement, examination, scope)}"
        ceiling = 1.0
    return Outcome(
        id=item.id,
        category=item.category,
        severity=item.severity,
        verdict=verdict,
        badness=badness,
        ceiling=badness if verdict is Verdict.PASS else max(badness, ceiling),
        confidence=judgement.confidence,
        reason=reason,
        findings=judgement.findings,
        evidence=judgement.evidence,
        signals=judgement.signals,
        examined=examination.examined,
        scope=scope,
        bad=judgement.bad,
        total=judgement.total,
        unexamined=(*judgement.unexamined, *examination.unexamined)[:_UNEXAMINED_SHOWN],
    )


def _ceiling(check: Check, judgement: Assessed, badness: float, examination: _Examination, scope: int) -> float:
    """Badness if everything that was not examined were bad.

    An item without tolerance is decided by one witness, so any gap may hide it; a share can only be moved by its part.
    """
    places, files = len(judgement.unexamined), len(examination.unexamined)
    if not places and not files:
        return badness
    if check.tolerance == 0:
        return 1.0
    worst = (judgement.bad + places) / (judgement.total + places) if judgement.total + places else 0.0
    worst = max(judgement.floor, worst)
    return min(1.0, worst + (1 - worst) * (files / scope if scope else 0.0))


def _gap(judgement: Assessed, examination: _Examination, scope: int) -> str:
    gaps = []
    if examination.unexamined:
        path, reason = examination.unexamined[0]
        gaps.append(f"{examination.examined} of {scope} files examined; {path}: {reason}.")
    if judgement.unexamined:
        path, reason = judgement.unexamined[0]
        count = len(judgement.unexamined)
        gaps.append(f"{count} place{'s' if count > 1 else ''} could not be resolved, the first: {path}: {reason}.")
    return " ".join(gaps)


def _unknown(item: Item, reason: str) -> Outcome:
    return _blank(item, Verdict.UNKNOWN, reason, ceiling=1.0)


def _blank(item: Item, verdict: Verdict, reason: str, *, ceiling: float, evidence: tuple[Any, ...] = ()) -> Outcome:
    return Outcome(
        id=item.id,
        category=item.category,
        severity=item.severity,
        verdict=verdict,
        badness=0.0,
        ceiling=ceiling,
        confidence=Confidence.HIGH,
        reason=reason,
        findings=(),
        evidence=evidence,
        signals=(),
        examined=0,
        scope=0,
        bad=0,
        total=0,
    )
