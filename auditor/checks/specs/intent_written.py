"""What the system should do, and should not do, is written down in the repository and still describes this code.

Passing title: What the system should do is written down beside its code
Failing title: What the system should do stands nowhere but in the code
Grading: Pass when specifications, decision records, executable scenarios or documents of behaviour state what happens, with limits or errors and criteria, and name
    things of this code. Partial when there is only a list of features, a text without limits and criteria, one that names files that are gone, or a pile of
    status reports. Fail when there is nothing beyond the README's pitch.
Done when: each main function has a page that says what it does, what it refuses, and how to tell that it works, changed together with the code.
What it cannot see: whether the text is true, whether anybody reads it, and intent written down in a ticket system or a wiki outside the repository.
"""

from __future__ import annotations

from auditor.checks.intent import Intent, IntentText, in_another_language, read_intent
from auditor.checks.registry import check
from auditor.checks.repository_names import RepositoryNames
from auditor.model.artifacts import Documents, Manifests, TaskFile
from auditor.model.needs import DOCUMENTS, MANIFESTS, SNAPSHOT, TASKS, TEXTS
from auditor.model.snapshot import READ_LANGUAGES, UNREAD_LANGUAGES, Role, Snapshot
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable, Place
from auditor.words import listed, plural


@check("specs.intent-written", needs=(DOCUMENTS, SNAPSHOT, TEXTS, MANIFESTS, TASKS), roles=(Role.DOC,))
def intent_written(
    documents: Documents, snapshot: Snapshot, texts: dict[str, str], manifests: Manifests, tasks: tuple[TaskFile, ...]
) -> Judgement:
    """Judge the documents that say what should happen."""
    if not any(file.language in READ_LANGUAGES | UNREAD_LANGUAGES for file in snapshot.files):
        return NotApplicable("There is no code that intent could be compared with.")
    intent = read_intent(documents, snapshot, texts, RepositoryNames(snapshot, manifests, tasks))
    linked = sum(entry.names for entry in intent.good) >= 1 or len(intent.good) >= 3
    told = intent.told
    if intent.scenarios or (intent.good and linked) or (len(told) >= 3 and any(entry.criteria for entry in told)):
        return _written(intent.good, told, intent.scenarios)
    return _partly(intent)


def _written(good: tuple[IntentText, ...], told: tuple[IntentText, ...], scenarios: tuple[str, ...]) -> Assessed:
    places = [Place(path, 1) for path in scenarios[:5]] + [Place(entry.document.path, 1) for entry in (good or told)[:8]]
    what = (
        f"{plural(len(scenarios), 'file')} of executable scenarios"
        if scenarios
        else f"{plural(len(good), 'specification')}"
        if good
        else f"{plural(len(told), 'page')} of behaviour"
    )
    summary = f"What should happen is written down: {what}, with limits and criteria ({listed([place.path for place in places])})."
    return Assessed(0, 0, summary, 0.0, evidence=tuple(places), confidence=Confidence.HIGH if scenarios else Confidence.MEDIUM)


def _partly(intent: Intent) -> Judgement:
    stale = [entry for entry in intent.specs if entry.stale]
    thin = [entry for entry in intent.specs if entry.document.words >= 60 and not entry.stale]
    status, listed_features, told = intent.status, intent.features, intent.told
    weakness: tuple[str, str, str, int] | None = None
    if stale:
        message = "The specification names files that are gone: it describes a system that no longer exists."
        weakness = ("outdated-spec", stale[0].document.path, message, 1)
    elif thin:
        message = "The specification lists functions, but not what is refused, where the limits are, and how to tell that it works."
        weakness = ("thin-spec", thin[0].document.path, message, 1)
    elif told:
        message = "Some behaviour is described, but most functions have no page that says what should happen."
        weakness = ("few-pages", told[0].document.path, message, 1)
    elif listed_features:
        document, section = listed_features[0]
        message = "Behaviours are listed for assistants, without criteria: whether something is a bug or meant cannot be looked up."
        weakness = ("features-only", document.path, message, section.line)
    elif len(status) >= 2:
        message = "Status reports stand in for a specification: they say what was done on one day, not what should happen."
        weakness = ("status-reports", status[0].path, message, 1)
    if weakness is None and intent.unread:
        return in_another_language(intent.unread, "what they say of behaviour, limits and criteria")
    if weakness is None:
        return _nothing_written()
    summary = "Something is written down, but not so that a behaviour could be checked against it."
    return Assessed(0, 0, summary, 0.5, (_finding(*weakness),), confidence=Confidence.MEDIUM)


def _nothing_written() -> Assessed:
    message = "No specification, decision record or page of behaviour is in the repository: whether something is a bug or meant is known to nobody but its author."
    searched = ("searched: docs/, specs/, ADR, PRD, requirements, .specify, .kiro, openspec, .feature files, agent files",)
    return Assessed(
        0,
        0,
        "Nothing beyond the README says what the system should do.",
        1.0,
        (_finding("no-intent", "", message, 0),),
        signals=searched,
        confidence=Confidence.MEDIUM,
    )


def _finding(rule: str, path: str, message: str, line: int = 1) -> Finding:
    return Finding(rule, path, message, line, line, Confidence.MEDIUM, "documents")
