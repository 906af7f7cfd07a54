"""Important technical decisions and their reasons are recorded where the next person or agent reads them.

Passing title: Why it is built like this can be read beside the code
Failing title: Why it is built like this stands nowhere
Grading: Pass for three decision records that name a decision and its reason, or for one text on the architecture (a document of its own, or a part of the rules for agents and contributors) that
    gives at least four reasons and names things of this code that are still there. Partial for less: one or two records, a text with a reason or two, a description of the architecture without any, or reasons that stand only in
    comments (one in a thousand lines and at least ten). Fail when no text gives a reason. Templates of records, changelogs, plans and reports of what was done give none.
Done when: each choice that is costly to take back (store, sign-in, framework, hosting) has ten lines that say what was chosen, what else there was and why.
What it cannot see: decisions kept in a ticket system or a wiki, whether the reasons are good, and whether anybody reads them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.checks.intent import in_another_language
from auditor.checks.registry import check
from auditor.checks.repository_names import RepositoryNames
from auditor.model.artifacts import Document, Documents, Manifests, Section, TaskFile
from auditor.model.needs import DOCUMENTS, MANIFESTS, SNAPSHOT, SYNTAX, TASKS
from auditor.model.snapshot import READ_LANGUAGES, Role, Snapshot
from auditor.model.syntax import Syntax
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable, Place
from auditor.words import listed, plural

FEWEST_MODULES = 10
_RECORD_PLACE = re.compile(
    r"(?:^|/)(?:adrs?|decisions?|decision[-_]records?|rfcs?|architecture[-_]decisions?)/|(?:^|/)(?:adr|rfc)[-_]?\d+[\w.-]*\.(?:md|mdx|rst|adoc|txt)$",
    re.IGNORECASE,
)
_NO_RECORD = re.compile(r"template|(?:^|/)(?:readme|index)\.\w+$|(?:^|/)\.?(?:prompts?|history|commands|skills?|agents)/", re.IGNORECASE)
_PLANS = re.compile(
    r"(?:^|/)(?:plans?|prompts?|history|tasks|skills?|commands|\.claude|\.opencode|blog|content/blog|examples?)/|migrat|install|quick-?start|getting-?started|(?:^|/)[\w .-]*(?:SUMMARY|COMPLETE|REPORT|STATUS|PROGRESS|IMPLEMENTATION|CHECKLIST|HANDOFF|PLAN|TODO|PROMPT)[\w .-]*\.\w+$|prompt"
)
_ARCHITECTURE = re.compile(
    r"architect|design[-_ ]?(?:doc|notes?|decisions?|principles)?\.|(?:^|/)(?:design|internals?|concepts?|rationale|decisions?|how-it-works|overview|tech-?notes?|technical\w*)[\w.-]*\.\w+$|(?:^|/)(?:architecture|internals|design|contribut\w+)/",
    re.IGNORECASE,
)
_OVERVIEW = re.compile(r"architect[\w.-]*\.\w+$", re.IGNORECASE)
_OVERVIEW_WORDS = 120
_HEADING = re.compile(
    r"\b(?:architect\w*|design|decisions?|why\b|rationale|trade-?offs?|alternatives|principles|conventions?|gotchas?|pitfalls|constraints|invariants|how it works|notes?|key (?:concepts|choices)|overview|structure)",
    re.IGNORECASE,
)
_DECISION = re.compile(
    r"\bdecisions?\b|\bdecided\b|\bwe (?:will|chose|choose|use|adopt)\b|\baccepted\b|\bentscheidung\b|決定|决定", re.IGNORECASE
)
_REASON = re.compile(
    r"\b(?:because|so that|since (?:the|it|we|this|a|they)\b|in order to|rather than|the reason|reason(?:s|ed)? (?:for|is|why)|on purpose|deliberate(?:ly)?|intentional(?:ly)?|that is why|which is why|to (?:avoid|prevent)|we chose|chosen (?:for|over)|uses?\b[^.\n]{0,60}\binstead of|weil|damit|statt|porque|para evitar|parce que|pour éviter)\b|因為|因为|避免|為了|为了",
    re.IGNORECASE,
)
_COMMENT_REASON = re.compile(
    r"\b(?:because|rather than|instead of|otherwise|work-?around|on purpose|deliberately|intentionally|so that|to avoid|to prevent)\b",
    re.IGNORECASE,
)
_FEW = 2
_MANY = 4
_NAMES = 3
_RECORDS = 3
_COMMENTS = 10
_LINES_PER_COMMENT = 1_000
_WORDS = 40


@dataclass(frozen=True, slots=True)
class _Text:
    """A text about how things are built: how many reasons it gives and how many things of this code it names."""

    place: Place
    reasons: int
    names: int


@check("specs.decisions-recorded", needs=(DOCUMENTS, SNAPSHOT, SYNTAX, MANIFESTS, TASKS), roles=(Role.DOC,))
def decisions_recorded(
    documents: Documents, snapshot: Snapshot, syntax: Syntax, manifests: Manifests, tasks: tuple[TaskFile, ...]
) -> Judgement:
    """Look for records, then for texts with reasons, then for comments with reasons."""
    own = [file for file in snapshot.files if file.role is Role.FIRST_PARTY and file.language in READ_LANGUAGES]
    if len(own) < FEWEST_MODULES:
        return NotApplicable(f"The product consists of {plural(len(own), 'module')}: what was decided can be seen at a glance.")
    names = RepositoryNames(snapshot, manifests, tasks)
    records = [Place(document.path, 1) for document in documents.documents if _is_record(document)]
    texts = sorted(_texts(documents, names), key=lambda text: (-min(text.reasons, text.names), -text.reasons, text.place.path))
    comments = [
        (facts.path, c.line)
        for facts in syntax.of(frozenset(f.path for f in own))
        for c in facts.comments
        if _COMMENT_REASON.search(c.text)
    ]
    signals = (
        f"{plural(len(records), 'decision record')}, {plural(len(texts), 'text')} with reasons, {plural(len(comments), 'comment')} that {'gives' if len(comments) == 1 else 'give'} one",
    )
    good = [text for text in texts if text.reasons >= _MANY and text.names >= _NAMES]
    if len(records) >= _RECORDS or good:
        shown = records[:3] if len(records) >= _RECORDS else [text.place for text in good[:3]]
        summary = f"Decisions and their reasons can be read: {listed([place.path for place in shown])}."
        return Assessed(0, 1, summary, evidence=tuple(shown), signals=signals)
    thin = [text for text in texts if text.reasons >= _FEW or _OVERVIEW.search(text.place.path)]
    if records or thin:
        place = records[0] if records else thin[0].place
        what = f"{plural(len(records), 'record')}" if records else f"{thin[0].place.path} with {plural(thin[0].reasons, 'reason')}"
        return _partial(place, f"There is little more than {what}: most choices would have to be guessed from the code.", signals)
    lines = sum(file.lines for file in own)
    if len(comments) >= _COMMENTS and len(comments) * _LINES_PER_COMMENT >= lines:
        place = Place(*comments[0])
        return _partial(
            place,
            f"Reasons stand only in {plural(len(comments), 'comment')}: nobody finds them before touching the line, and none says why the whole is built this way.",
            signals,
        )
    foreign = [document for document in documents.documents if not document.english and _may_give_reasons(document)]
    if foreign:
        return in_another_language(foreign, "which reasons they give")
    asides = [*(["one aside"] if texts else []), *([plural(len(comments), "comment")] if comments else [])]
    aside = f"{listed(asides).capitalize()} apart, no" if asides else "No"
    message = (
        f"{aside} text in the repository says why anything was chosen: every settled question is opened again, and answered differently."
    )
    finding = Finding("no-reasons", "", message, confidence=Confidence.MEDIUM, detector="documents")
    return Assessed(
        1,
        1,
        "Next to no decision and no reason is written down." if asides else "No decision and no reason is written down.",
        findings=(finding,),
        signals=signals,
        confidence=Confidence.MEDIUM,
    )


def _partial(place: Place, message: str, signals: tuple[str, ...]) -> Assessed:
    finding = Finding("few-reasons", place.path, message, place.line, place.line, Confidence.MEDIUM, "documents")
    return Assessed(0.5, 1, message, findings=(finding,), evidence=(place,), signals=signals)


def _is_record(document: Document) -> bool:
    if not _RECORD_PLACE.search(document.path) or _NO_RECORD.search(document.path) or document.words < _WORDS:
        return False
    text = "\n".join(f"{section.title}\n{section.text}" for section in document.sections)[:30_000]
    return bool(_DECISION.search(text) and _REASON.search(text))


def _texts(documents: Documents, names: RepositoryNames) -> Iterator[_Text]:
    """Documents on the architecture as a whole, and fitting parts of READMEs and of rules for agents and contributors."""
    for document in documents.documents:
        if document.purpose in {"changelog", "licence"} or _PLANS.search(document.path):
            continue
        if document.purpose == "agent-rules" or (
            document.purpose in {"other", "contributing", "readme"} and _ARCHITECTURE.search(document.path)
        ):
            sections = document.sections
        elif document.purpose in {"readme", "contributing", "other"}:
            sections = tuple(section for section in document.sections if section.level and _HEADING.search(section.title))
        else:
            continue
        reasons = sum(bool(_REASON.search(line)) for section in sections for line in section.text[:30_000].split("\n"))
        named = len(names.named_in(document))
        if reasons or (_OVERVIEW.search(document.path) and document.words >= _OVERVIEW_WORDS and named >= _NAMES):
            yield _Text(Place(document.path, _line(sections)), reasons, named)


def _may_give_reasons(document: Document) -> bool:
    """A README, rules, or a page on the architecture: where a reason would stand."""
    place = document.purpose in {"readme", "agent-rules", "contributing"} or bool(_ARCHITECTURE.search(document.path))
    return place and not _PLANS.search(document.path)


def _line(sections: tuple[Section, ...]) -> int:
    """The line of the section that gives the first reason."""
    return max(1, next((section.line for section in sections if _REASON.search(section.text[:30_000])), 1))
