"""What is written down about what the system should do: which documents are specifications or pages of behaviour, and how much each states."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from auditor.checks.repository_names import RepositoryNames
from auditor.model.artifacts import Document, Documents, Section
from auditor.model.snapshot import Role, Snapshot
from auditor.model.verdict import Place, Undecided
from auditor.words import listed

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
class IntentText:
    """What a document states, in counted lines, and how many things of this repository a specification names (0 for other documents)."""

    document: Document
    behaviours: int
    limits: int
    criteria: int
    names: int
    gone: int
    files: int

    @property
    def substantial(self) -> bool:
        """Long enough, with behaviour and limits."""
        return self.document.words >= 120 and self.behaviours >= 5 and self.limits >= 3

    @property
    def stale(self) -> bool:
        """Most of the files it names are gone."""
        return self.files >= 5 and self.gone * 5 > self.files * 3


@dataclass(frozen=True, slots=True)
class Intent:
    """Everything that states intent.

    `specs`: documents that stand or are named as specifications; `good`: those of them that state something checkable and still fit; `told`: pages of behaviour;
    `scenarios`: paths of executable ones; `features`: (document, section) lists of features; `status`: reports of what was done;
    `unread`: such documents in another language than English, of which nothing can be said here.
    """

    specs: tuple[IntentText, ...]
    good: tuple[IntentText, ...]
    told: tuple[IntentText, ...]
    scenarios: tuple[str, ...]
    features: tuple[tuple[Document, Section], ...]
    status: tuple[Document, ...]
    unread: tuple[Document, ...]


def read_intent(documents: Documents, snapshot: Snapshot, texts: dict[str, str], names: RepositoryNames) -> Intent:
    """Weigh every document and look for executable scenarios."""
    weighed = [_weigh(document, names) for document in documents.documents if _is_spec(document) or _is_manual(document)]
    specs = tuple(entry for entry in weighed if _is_spec(entry.document))
    manuals = [entry for entry in weighed if _is_manual(entry.document)]
    scenarios = tuple(
        file.path
        for file in snapshot.files
        if file.path.endswith(".feature")
        and file.role not in _FOREIGN
        and not _SAMPLES.search(file.path)
        and _SCENARIO.search(texts.get(file.path, "")[:200_000])
    )
    features = tuple(
        (document, section)
        for document in documents.documents
        if document.purpose in {"agent-rules", "other"}
        for section in _intent_sections(document)
    )
    return Intent(
        specs=specs,
        good=tuple(entry for entry in specs if entry.substantial and entry.criteria and not entry.stale),
        told=tuple(entry for entry in manuals if entry.substantial and entry.limits >= 5 and not entry.stale),
        scenarios=scenarios,
        features=features,
        status=tuple(document for document in documents.documents if _STATUS.search(document.path) and document.words >= 100),
        unread=tuple(entry.document for entry in weighed if not entry.document.english and not entry.substantial),
    )


def _weigh(document: Document, names: RepositoryNames) -> IntentText:
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
    named = len(names.named_in(document)) if _is_spec(document) else 0
    return IntentText(document, behaviours, limits, criteria, named, gone, len(files))


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


def in_another_language(documents: Sequence[Document], what: str) -> Undecided:
    """The answer where the texts that could decide are not in English."""
    paths = [document.path for document in documents]
    return Undecided(
        f"{listed(paths)} {'is' if len(paths) == 1 else 'are'} not written in English, and {what} is read here in English only: somebody who knows the language has to look.",
        tuple(Place(path, 1) for path in paths[:5]),
    )
