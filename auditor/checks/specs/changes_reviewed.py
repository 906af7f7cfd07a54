"""Changes reach the main line through somebody else's hands.

Passing title: Changes come in through requests that somebody else can read first
Failing title: Changes reach the main line without anybody having looked at them
Grading: The newest 200 steps of the main line that change code, those of machine accounts left out. A step counts as looked at when it came through a pull or merge request (by its merge, or squashed
    with the request's number by the hosting service), names a reviewer, or was applied by another person than its author. Seven in ten pass, fewer are partial, and so are requests that one person
    alone opens and merges. Where most steps were written and put on the main line by a coding agent's own account, nobody having touched them, it fails. When nothing of the kind is visible the item
    stays open: how a team reviews need not show in git. The confidence is medium at most.
Done when: the main line takes changes through requests only, and those to login, payment, data and deployment need the consent of somebody other than their author, agents included.
What it cannot see: approvals, comments and protected branches, which the hosting service keeps outside git; requests merged by rebasing; reviews before a push or in a call; and how well anybody read.
"""

from __future__ import annotations

from collections import Counter

from auditor.checks.commits import SHALLOW, day_of, is_code
from auditor.checks.registry import check
from auditor.model.evidence import History, Landing
from auditor.model.needs import HISTORY, SNAPSHOT
from auditor.model.snapshot import Snapshot
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, Place, Undecided
from auditor.words import percent, plural

LANDINGS = 200
FEWEST = 10
"""With fewer steps there is no habit to see."""
_PASS = 0.7
_VISIBLE = 0.03
"""One request among hundreds of steps is an outsider's, not a habit."""
_MACHINE = 0.5
_PARTLY_MACHINE = 0.2
_AGREED = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS")
_ASK = "Ask who looks at a change before it goes live, or see the rules of the main branch at the hosting service."


@check("specs.changes-reviewed", needs=(HISTORY, SNAPSHOT))
def changes_reviewed(history: History, snapshot: Snapshot) -> Judgement:
    """Count how the newest changes of code reached the main line."""
    landings = [landing for landing in history.landings if _counts(landing)][:LANDINGS]
    if len(landings) < FEWEST:
        few = plural(len(landings), "change") + " of code on the main line"
        return Undecided(SHALLOW if history.shallow else f"Only {few}: too few to show who looks at them. {_ASK}")
    seen = [landing for landing in landings if _looked_at(landing)]
    machine = [landing for landing in landings if _by_machine_alone(landing)]
    present = {file.path for file in snapshot.files}
    agreed = tuple(Place(path) for path in _AGREED if path in present)
    signals = (_signal(landings, seen, machine),)
    if len(machine) >= _MACHINE * len(landings) or (not _visible(seen, landings) and len(machine) >= _PARTLY_MACHINE * len(landings)):
        return _unattended(machine, landings, signals)
    if not _visible(seen, landings):
        return Undecided(_nothing_seen(landings, agreed), evidence=agreed)
    summary = f"{len(seen)} of the newest {plural(len(landings), 'change')} of code ({percent(len(seen) / len(landings))}) reached the main line through a request or another person's hands."
    findings: tuple[Finding, ...]
    if _alone(landings):
        bad, findings = 0.4, (_solo(landings),)
    elif len(seen) >= _PASS * len(landings):
        bad, findings = 0.0, ()
    else:
        bad, findings = 0.2 + 0.35 * (1 - len(seen) / len(landings)), (_past_requests(landings, seen),)
    return Assessed(bad, 1, summary, findings=findings, evidence=agreed, signals=signals, confidence=Confidence.MEDIUM)


def _counts(landing: Landing) -> bool:
    """Whether a step is a change of code by people or agents; what robots do (updates, translations, versions) follows rules that were read once."""
    authors = set(landing.brought) or {landing.author}
    robots = all(author.startswith("robot") for author in authors)
    return not landing.synced and not robots and any(is_code(path) for path in landing.paths)


def _looked_at(landing: Landing) -> bool:
    if landing.reviewed:
        return True
    if landing.request:
        return not _by_machine_alone(landing)
    return (
        landing.author != landing.committer
        and landing.author.startswith(("person", "assistant"))
        and landing.committer.startswith("person")
    )


def _by_machine_alone(landing: Landing) -> bool:
    """Whether an agent's account wrote a step and put it there itself, or merged its own request.

    A squashed request carries its author's name whoever pressed the button, so the host's hand on a single commit is no such witness.
    """
    hands = {landing.author, landing.committer, *landing.brought}
    squashed = landing.hosted and not landing.brought
    return not landing.reviewed and not squashed and all(hand.startswith("assistant") for hand in hands)


def _visible(seen: list[Landing], landings: list[Landing]) -> bool:
    return len(seen) >= max(2, _VISIBLE * len(landings))


def _alone(landings: list[Landing]) -> bool:
    """Whether one person does everything: no second person, no reviewer, and no agent whose requests that person takes or refuses."""
    people = {hand for landing in landings for hand in (landing.author, landing.committer, *landing.brought) if hand.startswith("person")}
    of_agents = [
        landing
        for landing in landings
        if _looked_at(landing) and any(hand.startswith("assistant") for hand in (landing.author, *landing.brought))
    ]
    return len(people) == 1 and not any(landing.reviewed for landing in landings) and len(of_agents) < _PASS * len(landings)


def _signal(landings: list[Landing], seen: list[Landing], machine: list[Landing]) -> str:
    people = {hand for landing in landings for hand in (landing.author, landing.committer, *landing.brought) if hand.startswith("person")}
    return f"{plural(len(landings), 'change')} of code on the main line by {plural(len(people), 'person', 'people')}: {len(seen)} through a request or other hands, {len(machine)} by an agent's account alone"


def _unattended(machine: list[Landing], landings: list[Landing], signals: tuple[str, ...]) -> Assessed:
    newest = machine[0]
    message = (
        f"{len(machine)} of the newest {plural(len(landings), 'change')} of code were written and put on the main line by a coding agent's own account, the last one "
        f"in commit {newest.id[:8]} of {day_of(newest.when)}: nobody has to have read a line of them."
    )
    bad = 0.7 if len(machine) >= _MACHINE * len(landings) else 0.5
    finding = Finding("agent-alone", _most_changed(machine), message, confidence=Confidence.MEDIUM, detector="history")
    return Assessed(bad, 1, message, findings=(finding,), signals=signals, confidence=Confidence.MEDIUM)


def _solo(landings: list[Landing]) -> Finding:
    message = f"One person alone opens and merges the requests (the newest {plural(len(landings), 'change')} of code): nothing in git shows that a second pair of eyes looks."
    return Finding("one-person", _most_changed(landings), message, confidence=Confidence.MEDIUM, detector="history")


def _past_requests(landings: list[Landing], seen: list[Landing]) -> Finding:
    past = [landing for landing in landings if landing not in seen]
    message = (
        f"{len(past)} of the newest {plural(len(landings), 'change')} of code went straight to the main line, past the requests that others go through "
        f"(the last one in commit {past[0].id[:8]} of {day_of(past[0].when)})."
    )
    return Finding("past-requests", _most_changed(past), message, confidence=Confidence.MEDIUM, detector="history")


def _most_changed(landings: list[Landing]) -> str:
    counts = Counter(path for landing in landings for path in landing.paths if is_code(path))
    return min(counts, key=lambda path: (-counts[path], path))


def _nothing_seen(landings: list[Landing], agreed: tuple[Place, ...]) -> str:
    rule = f" {agreed[0].path} names who should look, but not whether they did." if agreed else ""
    return f"None of the newest {plural(len(landings), 'change')} of code shows a request, a reviewer or another person's hands, and git alone does not tell whether somebody looked.{rule} {_ASK}"
