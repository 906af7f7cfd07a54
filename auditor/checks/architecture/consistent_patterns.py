"""Recurring concerns that are solved in several ways side by side.

Passing title: What recurs is solved in one way
Failing title: The same concern is solved in several ways
Grading: For each concern that occurs at least ten times (reading settings, answering with an error, calling the own server, bringing modules in, the language and the names of files) the share of
    the most frequent way, each deployable part by itself: from 80 % on nothing is charged, at 50 % all of it. The mean over the concerns is the grade: above 0.2 is partial, from 0.6 fails; a single concern is partial at most.
Done when: one way of each is written down, and the others are gone or listed with a reason.
What it cannot see: Which way is the better one, a move from one to another that is under way, and concerns it does not know.
"""

from __future__ import annotations

from auditor.checks.concern_variants import Variants, variants
from auditor.checks.registry import check
from auditor.model.evidence import OwnCalls
from auditor.model.needs import OWN_CALLS, PROJECT, SYNTAX
from auditor.model.project import Project
from auditor.model.syntax import Syntax
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable, Place
from auditor.words import percent, plural

_FEWEST_MODULES = 10
_FEWEST = 10
_TOLERANCE = 0.2
_ONE_WAY, _NO_WAY = 0.8, 0.5
_MOST_OF_ONE = 0.55
"""A single concern says little about the rest."""
_WAYS_NAMED = 4


@check("architecture.consistent-patterns", needs=(SYNTAX, PROJECT, OWN_CALLS), tolerance=_TOLERANCE)
def consistent_patterns(syntax: Syntax, project: Project, calls: OwnCalls) -> Judgement:
    """Dominance of the main way of each concern, averaged."""
    if len(project.production) < _FEWEST_MODULES:
        return NotApplicable(f"Only {plural(len(project.production), 'module')}: too few for habits to form.")
    found = [one for one in variants(syntax, project, calls) if one.count >= _FEWEST]
    if not found:
        return NotApplicable("Nothing that is known recurs often enough to be solved in several ways.")
    weights = [_charged(one) for one in found]
    badness = min(sum(weights) / len(weights), 1.0 if len(found) > 1 else _MOST_OF_ONE)
    mixed = sorted((one for one, weight in zip(found, weights, strict=True) if weight), key=lambda one: (one.share, one.concern))
    signals = tuple(f"{one.concern}: {_ways(one)}" for one in found[:8])
    summary = (
        f"{len(mixed)} of {plural(len(found), 'recurring concern')} {'is' if len(mixed) == 1 else 'are'} solved in several ways side by side."
        if mixed
        else f"What recurs ({plural(len(found), 'concern')}) is solved in one way in at least {percent(_ONE_WAY)} of the places."
    )
    findings = tuple(_finding(one) for one in mixed) if badness > _TOLERANCE else ()
    evidence = tuple(places[0] for one in found if one not in mixed for _, places in one.ways[:1])[:3]
    return Assessed(badness, 1, summary, 0.0, findings, evidence, signals, confidence=Confidence.LOW)


def _charged(one: Variants) -> float:
    return min(1.0, max(0.0, (_ONE_WAY - one.share) / (_ONE_WAY - _NO_WAY)))


def _ways(one: Variants) -> str:
    named = ", ".join(f"{way} {len(places)}" for way, places in one.ways[:_WAYS_NAMED])
    more = len(one.ways) - _WAYS_NAMED
    return f"{named} and {more} more" if more > 0 else named


def _finding(one: Variants) -> Finding:
    """The first place that does not do it as the rest of its part."""
    place: Place = min(one.odd, key=lambda spot: (spot.path, spot.line))
    message = f"{one.concern[0].upper()}{one.concern[1:]} is done in {len(one.ways)} ways ({_ways(one)}): who repairs or monitors one of them misses the others."
    return Finding("several-ways", place.path, message, place.line, place.line, Confidence.LOW)
