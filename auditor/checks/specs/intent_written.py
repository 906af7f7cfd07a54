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

import re
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.checks.registry import check
from auditor.checks.repository_names import RepositoryNames
from auditor.model.artifacts import Document, Documents, Manifests, Section, TaskFile
from auditor.model.needs import DOCUMENTS, MANIFESTS, SNAPSHOT, TASKS, TEXTS
from auditor.model.snapshot import READ_LANGUAGES, UNREAD_LANGUAGES, Role, Snapshot
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable, Place
from auditor.words import listed, plural

_SPEC_PLACE = re.compile(
    r"(?:^|/)(?:specs?|\.specify/specs|\.kiro/specs|openspec/specs|adrs?|decisions|rfcs?|prds?|requirements|user[-_]?stories|design[-_]?docs?)/|(?:^|/)[\w.-]*(?:\bspec|_spec|-spec|specification|prd|requirements?|design[-_]?doc|user[-_]?stor(?:y|ies)|acceptance|functional[-_]design|use[-_]?cases?)[\w-]*\.(?:md|mdx|rst|adoc)$",
    re.IGNORECASE,
)
_NOT_SPEC = re.compile(
    r"(?:^|/)(?:templates?|prompts?|history|\.claude|\.github|\.cursor|agents|commands|node_modules|memory|checklists|tests?)/|template|checklist|(?:^|/)(?:tasks|plan|research|quickstart)\.md$",
    re.IGNORECASE,
)
_STATUS = re.compile(
    r"(?:^|/)[\w .-]*(?:SUMMARY|COMPLETE|COMPLETED|REPORT|STATUS|FIXES|FIX|PROGRESS|IMPLEMENTED|IMPLEMENTATION|CHECKLIST|DELIVERABLES|HANDOFF|CHANGES|UPDATES?|RESULTS|VERIFICATION|FINAL)[\w .-]*\.md$"
)
_DOCS_PLACE = re.compile(r"(?:^|/)(?:docs?|documentation|manual|reference)/", re.IGNORECASE)
_HOW_TO = re.compile(
    r"set-?up|install|deploy|quick-?start|getting-?started|troubleshoot|migrat|summary|report|status|checklist|todo|roadmap|changelog|fix|contribut|release|docker|third[-_]party|index\.md$|readme|testing|development|environment",
    re.IGNORECASE,
)
_INTENT_TITLE = re.compile(
    r"\b(?:features?|requirements?|business (?:logic|rules)|user (?:flows?|stories)|behaviou?r|use cases?|design decisions|decisions|functional\w*)\b",
    re.IGNORECASE,
)

_BEHAVIOUR = re.compile(
    r"\b(?:must|shall|should|will|when|if|can(?:not)?|returns?|responds?|allows?|accepts?|shows?|sends?|creates?|receives?)\b",
    re.IGNORECASE,
)
_LIMIT = re.compile(
    r"\b(?:errors?|invalid|reject\w*|refus\w+|fail(?:s|ed|ure)?|[45]\d\d\b|limit\w*|max(?:imum)?|min(?:imum)?|at most|at least|timeout|not allowed|must not|cannot|edge cases?|duplicate\w*|unauthori[sz]ed|forbidden|expire[sd]?|exceeds?|optional|required|default|only)\b",
    re.IGNORECASE,
)
_CRITERION = re.compile(
    r"\b(?:acceptance|success) criteria\b|\bgiven\b[^\n]{0,200}\bwhen\b|^\s*[-*]?\s*\**(?:given|when|then)\b|\bscenario\b|\bdefinition of done\b|^\s*[-*] \[[ x]\]|\bexpected (?:result|behaviou?r|response|output)\b|\bresponse codes?\b|\breturn(?:s|ed)? codes?\b|\bnon-goals?\b|\bout of scope\b|^#* ?status:? *accepted|\b(?:2|4)\d\d (?:OK|Created|Bad|Not|Un|For|Con)\b|\bexample (?:returns|responses?|request)",
    re.IGNORECASE | re.MULTILINE,
)
_FOREIGN = frozenset({Role.VENDORED, Role.EXAMPLE, Role.GENERATED})
_SAMPLES = re.compile(r"(?:^|/)(?:fixtures?|examples?|samples?|testdata)/")
_SCENARIO = re.compile(r"^\s*(?:Scenario|Scenario Outline|Example):.*\n(?:\s*(?:Given|When|Then|And|But)\b.*\n?){2,}", re.MULTILINE)
_FILE_LIKE = re.compile(r"`([\w./-]+\.(?:py|[cm]?[jt]sx?|vue|sql|ya?ml|toml))`")


@dataclass(frozen=True, slots=True)
class _Weight:
    """What a document states, in counted lines, and how much of this repository it names."""

    document: Document
    behaviours: int
    limits: int
    criteria: int
    names: int
    gone: int
    files: int

    @property
    def substantial(self) -> bool:
        return self.document.words >= 120 and self.behaviours >= 5 and self.limits >= 3

    @property
    def stale(self) -> bool:
        """Most of the files it names are gone."""
        return self.files >= 5 and self.gone * 5 > self.files * 3


@check("specs.intent-written", needs=(DOCUMENTS, SNAPSHOT, TEXTS, MANIFESTS, TASKS), roles=(Role.DOC,))
def intent_written(
    documents: Documents, snapshot: Snapshot, texts: dict[str, str], manifests: Manifests, tasks: tuple[TaskFile, ...]
) -> Judgement:
    """Judge the documents that say what should happen."""
    if not any(file.language in READ_LANGUAGES | UNREAD_LANGUAGES for file in snapshot.files):
        return NotApplicable("There is no code that intent could be compared with.")
    names = RepositoryNames(snapshot, manifests, tasks)
    weighed = [_weigh(document, names) for document in documents.documents]
    specs = [entry for entry in weighed if _is_spec(entry.document)]
    manuals = [entry for entry in weighed if _is_manual(entry.document)]
    scenarios = [
        file.path
        for file in snapshot.files
        if file.path.endswith(".feature")
        and file.role not in _FOREIGN
        and not _SAMPLES.search(file.path)
        and _SCENARIO.search(texts.get(file.path, "")[:200_000])
    ]
    good = [entry for entry in specs if entry.substantial and entry.criteria and not entry.stale]
    told = [entry for entry in manuals if entry.substantial and entry.limits >= 5 and not entry.stale]
    linked = sum(entry.names for entry in good) >= 1 or len(good) >= 3
    if scenarios or (good and linked) or (len(told) >= 3 and any(entry.criteria for entry in told)):
        return _written(good, told, scenarios)
    return _partly(specs, told, documents)


def _weigh(document: Document, names: RepositoryNames) -> _Weight:
    behaviours = limits = criteria = 0
    files: list[str] = []
    for section in document.sections:
        body = f"{section.title}\n{section.text[:50_000]}"
        lines = body.split("\n")
        behaviours += sum(bool(_BEHAVIOUR.search(line)) for line in lines)
        limits += sum(bool(_LIMIT.search(line)) for line in lines)
        criteria += len(_CRITERION.findall(body)) + sum(bool(_CRITERION.search(code[:5_000])) for _, code, _ in section.code)
        files += _FILE_LIKE.findall(section.text[:50_000])
    gone = sum(file.rsplit("/", maxsplit=1)[-1] not in names.names for file in files)
    return _Weight(document, behaviours, limits, criteria, len(names.named_in(document)), gone, len(files))


def _is_spec(document: Document) -> bool:
    if document.purpose in {"readme", "changelog", "licence", "contributing", "security", "agent-rules"}:
        return False
    return bool(_SPEC_PLACE.search(document.path)) and not _NOT_SPEC.search(document.path) and not _STATUS.search(document.path)


def _is_manual(document: Document) -> bool:
    """A document of behaviour: a page of the manual that is not about installing or operating."""
    if document.purpose != "other" and not (document.purpose == "runbook" and _DOCS_PLACE.search(document.path)):
        return False
    name = document.path.rsplit("/", maxsplit=1)[-1]
    return (
        bool(_DOCS_PLACE.search(document.path))
        and not _HOW_TO.search(name)
        and not _is_spec(document)
        and not _STATUS.search(document.path)
    )


def _written(good: list[_Weight], told: list[_Weight], scenarios: list[str]) -> Assessed:
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


def _partly(specs: list[_Weight], told: list[_Weight], documents: Documents) -> Assessed:
    stale = [entry for entry in specs if entry.stale]
    thin = [entry for entry in specs if entry.document.words >= 60 and not entry.stale]
    status = [document for document in documents.documents if _STATUS.search(document.path) and document.words >= 100]
    listed_features = [
        (document, section)
        for document in documents.documents
        if document.purpose in {"agent-rules", "other"}
        for section in _intent_sections(document)
    ]
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


def _intent_sections(document: Document) -> Iterator[Section]:
    """Sections under a heading of intent with enough below them to be read as behaviour."""
    if _NOT_SPEC.search(document.path):
        return
    for number, section in enumerate(document.sections):
        if not _INTENT_TITLE.search(section.title):
            continue
        below = section.text
        for following in document.sections[number + 1 : number + 20]:
            if following.level <= section.level:
                break
            below += "\n" + following.text
        if len(below.split()) >= 80 and sum(bool(_BEHAVIOUR.search(line) or _LIMIT.search(line)) for line in below.split("\n")) >= 4:
            yield section


def _finding(rule: str, path: str, message: str, line: int = 1) -> Finding:
    return Finding(rule, path, message, line, line, Confidence.MEDIUM, "documents")
