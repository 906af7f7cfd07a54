"""Features that reach outside can be switched off without a release, and on again.

Passing title: Risky features can be switched off while the system runs
Failing title: A feature that goes wrong can only be stopped by a new release
Grading: Looked at where production code has two or more kinds of outside effect (mail, text messages, payments, push and chat messages, answers of a model). A switch stands before a kind when
    its name speaks of it or, for one that is asked while the system runs, when it is asked in a file with that effect. Pass when a switch that is asked while the system runs (a library of switches, a table of settings, a column called enabled) stands before one of them. Partial when only settings of the environment do,
    a key without which nothing is sent included: they need a restart. Fail when there are only constants or settings built into the browser's code, or nothing. A switch that any text turns on,
    "false" too, works in one direction only and counts for nothing. Where none is seen and the system keeps settings of its own, the item stays open.
Done when: each outside effect has a switch that somebody has used in both directions, and the code behind it is tested both ways.
What it cannot see: switches of hosting platforms and gateways, keys revoked at the other side, whether anybody dares to use a switch, and switches several calls away from what they guard.
"""

from __future__ import annotations

from auditor.checks.feature_switches import Effect, Reach, Switch, covers, effects_of, keeps_settings, switches_of
from auditor.checks.registry import check
from auditor.model.evidence import Stores
from auditor.model.needs import PROJECT, STORES, SYNTAX, TEXTS
from auditor.model.project import RUNNING, Kind, Project
from auditor.model.syntax import Syntax
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable, Place, Undecided
from auditor.words import listed, plural

_DEPLOYED = RUNNING | {Kind.FRONTEND}
_OWN_TRADE = 3
"""With more kinds than these, sending is what the product is for: its users set up the channels, and take them away."""
_RESTART = 0.4
_RELEASE = 0.7


@check("deploy.reversible-features", needs=(PROJECT, SYNTAX, STORES, TEXTS))
def reversible_features(project: Project, syntax: Syntax, stores: Stores, texts: dict[str, str]) -> Judgement:
    """Find the outside effects, then what stands before them."""
    if not any(part.kinds & _DEPLOYED for part in project.parts):
        return NotApplicable("Nothing here is deployed as a running system: " + listed(sorted(part.reason for part in project.parts)) + ".")
    effects = effects_of(syntax.of(project.server))
    kinds = sorted({effect.kind for effect in effects})
    if len(kinds) < 2:
        found = f"only {kinds[0]}" if kinds else "no mail, payment, message or model"
        return NotApplicable(
            f"Fewer than two kinds of outside effect are in the code ({found}), so there is little to switch off.", _places(effects)
        )
    switches = [switch for switch in switches_of(syntax.of(project.production), stores, texts) if covers(switch, effects)]
    working = [switch for switch in switches if not switch.fault]
    one_way = [switch for switch in switches if switch.fault]
    if not switches and (keeps_settings(stores) or len(kinds) > _OWN_TRADE):
        reason = f"No switch is seen before {listed(kinds)}, but what the system keeps in its own database may decide whether they are used. Ask how each is stopped while it runs."
        return Undecided(reason, _places(effects))
    signals = (
        f"{listed(kinds)}: {plural(len(working), 'switch', 'switches')} before them, {len(one_way)} that work in one direction only",
    )
    best = min((switch.reach for switch in working), default=Reach.RELEASE)
    findings = tuple(_broken(switch) for switch in one_way)
    places = tuple(switch.place for switch in working if switch.reach is best)[:4]
    if best is Reach.RUNNING:
        before = sorted(set().union(*(covers(switch, effects) for switch in working if switch.reach is best)))
        summary = f"What goes wrong can be switched off while the system runs ({listed(before)})."
        bad = 0.2 if findings else 0.0
        return Assessed(bad, 1, summary, findings=findings, evidence=places, signals=signals, confidence=Confidence.MEDIUM)
    finding = _needs_restart(working, effects) if best is Reach.RESTART else _needs_release(working, effects, kinds)
    bad = _RESTART if best is Reach.RESTART else _RELEASE
    return Assessed(bad, 1, finding.message, findings=(finding, *findings), evidence=places, signals=signals, confidence=Confidence.MEDIUM)


def _places(effects: tuple[Effect, ...]) -> tuple[Place, ...]:
    return tuple(effect.place for effect in effects)[:4]


def _broken(switch: Switch) -> Finding:
    message = f"{switch.name} can be switched on but not off: {switch.fault}."
    return Finding("one-way-switch", switch.place.path, message, switch.place.line, switch.place.line)


def _needs_restart(working: list[Switch], effects: tuple[Effect, ...]) -> Finding:
    switch = next(switch for switch in working if switch.reach is Reach.RESTART)
    before = listed(sorted(covers(switch, effects)))
    message = f"{before[:1].upper()}{before[1:]} can be stopped by a setting of the environment ({switch.name}) only: that needs access to the host and a restart."
    return Finding("restart-to-switch", switch.place.path, message, switch.place.line, switch.place.line, confidence=Confidence.MEDIUM)


def _needs_release(working: list[Switch], effects: tuple[Effect, ...], kinds: list[str]) -> Finding:
    if working:
        switch = working[0]
        message = f"{switch.name} is fixed when the program is built: to switch off what stands behind it a new release is needed."
        return Finding("release-to-switch", switch.place.path, message, switch.place.line, switch.place.line, confidence=Confidence.MEDIUM)
    message = f"No switch stands before {listed(kinds)}: when one of them does harm, a new release is needed, or its key is taken away and what calls it breaks."
    place = effects[0].place
    return Finding("no-switch", place.path, message, place.line, place.line, confidence=Confidence.MEDIUM)
