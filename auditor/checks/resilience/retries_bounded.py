"""How often, and how soon, something is tried again after a failure.

Passing title: Retries end, wait longer each time, and repeat nothing that must happen once
Failing title: Retries go on without end or without a pause
Grading: Every place that tries again is counted: own loops, functions that call themselves after a failure, and the options of libraries. A retry without end that does not
    wait longer each time fails, unless it only waits for the start of the system or for the person at a terminal; that, and one without end that does wait longer, is partial. A retry
    without any pause, and one that repeats a payment or a message without a key, counts half, one with the same pause each time a quarter; a tenth of all is
    tolerated. A worker or consumer that serves for ever retries nothing.
Done when: Each retry has a largest number of attempts, pauses that grow and differ by chance, and repeats only what may happen twice.
What it cannot see: Retries of the platform, a proxy or a library it does not know, limits that another function sets, and whether a repeated write is harmless.
"""

from __future__ import annotations

import re
from collections import defaultdict

from auditor.checks.outgoing import Target
from auditor.checks.outgoing_sites import outgoing_sites
from auditor.checks.registry import check
from auditor.checks.retries import Retry, Spacing, retries_of
from auditor.model.needs import PROJECT, SYNTAX
from auditor.model.project import Project
from auditor.model.syntax import Syntax
from auditor.model.verdict import Assessed, Finding, Judgement, NotApplicable, Place
from auditor.words import plural

_TOLERANCE = 0.1
_FAIL, _WAITING = 0.65, 0.3
_NO_PAUSE, _SAME_PAUSE, _TWICE = 0.5, 0.25, 0.5
_PATIENT = re.compile(
    r"(?:^|/)(?:cli|management/commands|commands|bin|docker|scripts?)/|(?:^|[/_.-])(?:cli|manage|ping|wait\w*|entrypoint|pre_?start|init_?db|bootstrap|setup\w*)(?:[_.-]|$)",
    re.IGNORECASE,
)
"""Places where waiting is the purpose: for the database at the start, for a person at a terminal."""


@check("resilience.retries-bounded", needs=(PROJECT, SYNTAX), tolerance=_TOLERANCE)
def retries_bounded(project: Project, syntax: Syntax) -> Judgement:
    """Weigh every retry of production code by its end and its pauses."""
    files = syntax.of(project.production)
    named: defaultdict[str, set[str]] = defaultdict(set)
    for site in outgoing_sites(files, project):
        if site.target is not Target.DATABASE:
            named[site.path].add(site.what)
    retries = [retry for facts in files for retry in retries_of(facts, named[facts.path])]
    if not retries:
        return NotApplicable(
            "Production code tries nothing again by itself; what happens when a dependency is down is judged in resilience.dependency-outage."
        )
    weighed = [(retry, *_weigh(retry)) for retry in retries]
    bad = [(retry, weight, finding) for retry, weight, finding in weighed if finding is not None]
    endless = [retry for retry in retries if retry.endless]
    floor = 0.0
    if endless:
        floor = _FAIL if any(not _is_patient(retry) for retry in endless) else _WAITING
    ordered = sorted(bad, key=lambda each: (not each[0].endless, -each[1], each[0].path, each[0].line))
    return Assessed(
        bad=sum(weight for _, weight, _ in bad),
        total=len(retries),
        floor=floor,
        summary=_summary(retries, bad, endless),
        findings=tuple(finding for _, _, finding in ordered),
        evidence=tuple(Place(retry.path, retry.line) for retry, _, finding in weighed if finding is None)[:5],
        signals=(_spacings(retries),),
    )


def _spacings(retries: list[Retry]) -> str:
    growing = sum(retry.spacing in {Spacing.GROWING, Spacing.LIBRARY} for retry in retries)
    same = sum(retry.spacing is Spacing.CONSTANT for retry in retries)
    return f"{plural(len(retries), 'retry', 'retries')}: {growing} with growing pauses, {same} with the same pause, {len(retries) - growing - same} without"


def _is_patient(retry: Retry) -> bool:
    """Whether a retry without end does little harm: its pauses grow, or waiting is what the place is for."""
    if retry.spacing in {Spacing.GROWING, Spacing.LIBRARY}:
        return True
    return retry.spacing is Spacing.CONSTANT and bool(_PATIENT.search(retry.path))


def _weigh(retry: Retry) -> tuple[float, Finding | None]:
    if retry.endless:
        how = {Spacing.NONE: "at once", Spacing.CONSTANT: "after the same pause each time"}.get(retry.spacing, "with growing pauses")
        message = f"When {retry.what} keeps failing it is tried again {how}, and nothing ever ends it: a short outage becomes traffic without end, and whoever waits for the result waits for ever."
        return _WAITING if _is_patient(retry) else 1.0, Finding("endless-retry", retry.path, message, retry.line, retry.end_line, cwe=835)
    if retry.pays:
        message = f"{retry.pays} is repeated after a failure without a key that makes it count once: what did arrive the first time happens twice."
        return _TWICE, Finding("repeats-what-must-happen-once", retry.path, message, retry.line, retry.end_line, cwe=837)
    if retry.spacing is Spacing.NONE:
        message = f"{retry.what} is tried again at once: all attempts are used up within the same hiccup, which they make worse."
        return _NO_PAUSE, Finding("retry-without-pause", retry.path, message, retry.line, retry.end_line)
    if retry.spacing is Spacing.CONSTANT and not _PATIENT.search(retry.path):
        message = f"{retry.what} is tried again after the same pause each time: everybody comes back at the same moment, however long the outage lasts."
        return _SAME_PAUSE, Finding("retry-without-backoff", retry.path, message, retry.line, retry.end_line)
    return 0.0, None


def _summary(retries: list[Retry], bad: list[tuple[Retry, float, Finding]], endless: list[Retry]) -> str:
    if not bad:
        return (
            "The only retry ends after a few attempts, with pauses between them."
            if len(retries) == 1
            else f"All {len(retries)} retries end after a few attempts, with pauses between them."
        )
    what = f"{len(bad)} of {plural(len(retries), 'retry', 'retries')} can be improved"
    return (
        f"{what}; {len(endless)} of them never {'ends' if len(endless) == 1 else 'end'}."
        if endless
        else f"{what}: no pause, the same pause each time, or a repeated payment or message."
    )
