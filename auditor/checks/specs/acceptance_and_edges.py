"""The written intent names acceptance criteria, error states, limits and non-goals.

Passing title: What is written says how to tell that it works, and what must not happen
Failing title: What is written names the wish and leaves out errors, limits and limits of the wish
Grading: Six aspects of the specifications, pages of behaviour, scenarios or lists of features, a sixth each: behaviour, acceptance criteria, errors and edges, security, what is logged or
    measured, and what is out of scope. An aspect counts when a quarter of these texts
    state it, in at least two lines each (one for what is out of scope). Not applicable where no intent is written, or only reports of what was
    done: that is another item's finding.
Done when: each page on a main function answers all six, and whoever builds it need not ask what happens to wrong input.
What it cannot see: whether the statements are right and complete for each function, and specifications outside the repository or in languages other than those searched for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from math import ceil

from auditor.checks.intent import Intent, in_another_language, read_intent
from auditor.checks.registry import check
from auditor.checks.repository_names import RepositoryNames
from auditor.model.artifacts import Documents, Manifests, TaskFile
from auditor.model.needs import DOCUMENTS, MANIFESTS, SNAPSHOT, TASKS, TEXTS
from auditor.model.snapshot import READ_LANGUAGES, UNREAD_LANGUAGES, Role, Snapshot
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable, Place
from auditor.words import listed, plural

_ASPECTS: dict[str, tuple[re.Pattern[str], int]] = {
    "behaviour": (
        re.compile(
            r"\b(?:must|shall|should|will|when|returns?|responds?|allows?|accepts?|shows?|sends?|creates?|receives?|debe|deve|muss|doit|permite|zeigt|affiche)\b|必須|應|应|可以|顯示|显示",
            re.IGNORECASE,
        ),
        2,
    ),
    "acceptance criteria": (
        re.compile(
            r"\b(?:acceptance|success) criteria\b|^\s*[-*]?\s*\**(?:given|scenario)\b|\bdefinition of done\b|\bexpected (?:result|behaviou?r|response|output)s?\b|^\s*[-*] \[[ x]\]|\bAC-?\d|\bcriterios de aceptaci[óo]n\b|\bcrit[ée]rios? d[e'] ?aceita[çc][ãa]o\b|\bakzeptanzkriterien\b|驗收|验收",
            re.IGNORECASE,
        ),
        2,
    ),
    "errors and edges": (
        re.compile(
            r"\b(?:errors?|invalid|reject\w*|refus\w+|fail(?:s|ed|ure|ures)?|[45]\d\d\b|edge cases?|time-?outs?|not found|duplicates?|empty|at most|at least|max(?:imum)?|min(?:imum)?|exceeds?|limits?|expire[sd]?|fehler|erro[rs]?|erreurs?)\b|錯誤|错误|失敗|失败|限制",
            re.IGNORECASE,
        ),
        2,
    ),
    "security": (
        re.compile(
            r"\b(?:auth(?:enticat\w+|oriz\w+|oris\w+)?|permission\w*|roles?|owner(?:ship)?|session\w*|tokens?|password\w*|encrypt\w*|csrf|xss|rate limit\w*|row[- ]level|rls|hash(?:ed|ing)?|secrets?|forbidden|40[13]|privacy|gdpr|only (?:the )?(?:owner|admin\w*|logged))\b|權限|权限|驗證|身份",
            re.IGNORECASE,
        ),
        2,
    ),
    "what is logged or measured": (
        re.compile(
            r"\b(?:logs?|logged|logging|audit\w*|metrics?|monitor\w*|alerts?|trac(?:e|es|ing)|telemetry|observab\w+|protokolliert|registro de auditor[íi]a)\b|日誌|日志|監控|监控",
            re.IGNORECASE,
        ),
        2,
    ),
    "what is out of scope": (
        re.compile(
            r"\bnon-?goals?\b|\bout[- ]of[- ]scope\b|\bnot in scope\b|\b(?:must|shall) (?:not|never)\b|\bnever\b|\bnot (?:supported|included|planned|allowed)\b|\bfuera de alcance\b|\bfora do escopo\b|\bnicht (?:teil|ziel)\b|\bhors p[ée]rim[èe]tre\b|不得|不支援|不支持|禁止",
            re.IGNORECASE,
        ),
        1,
    ),
}

_SHARE = 0.25
"""Share of the texts that have to state an aspect: one page of a hundred that speaks of errors speaks for itself only."""


@check("specs.acceptance-and-edges", needs=(DOCUMENTS, SNAPSHOT, TEXTS, MANIFESTS, TASKS), roles=(Role.DOC,))
def acceptance_and_edges(
    documents: Documents, snapshot: Snapshot, texts: dict[str, str], manifests: Manifests, tasks: tuple[TaskFile, ...]
) -> Judgement:
    """Count the aspects that the written intent states."""
    if not any(file.language in READ_LANGUAGES | UNREAD_LANGUAGES for file in snapshot.files):
        return NotApplicable("There is no code that intent could be compared with.")
    intent = read_intent(documents, snapshot, texts, RepositoryNames(snapshot, manifests, tasks))
    stated = list(_stated(intent, texts))
    if not stated and intent.unread:
        return in_another_language(intent.unread, "what they say of criteria and limits")
    if not stated:
        return NotApplicable("No intent is written down that could name criteria and limits; the item on written intent says so.")
    counts = {name: sum(_states(text, *aspect) for _, text in stated) for name, aspect in _ASPECTS.items()}
    fewest = ceil(len(stated) * _SHARE)
    missing = [name for name, count in counts.items() if count < fewest]
    first = stated[0][0]
    places = tuple(place for place, _ in stated[:3])
    signals = (f"{plural(len(stated), 'text')} read; state {listed([f'{name}: {count}' for name, count in counts.items()], 6)}",)
    if not missing:
        return Assessed(
            0,
            len(_ASPECTS),
            f"What is written states all {len(_ASPECTS)} aspects ({first.path}).",
            evidence=places,
            signals=signals,
            confidence=Confidence.MEDIUM,
        )
    message = f"What is written says little or nothing on {listed(missing, 6)}: whoever builds it has to guess, and every guess is as good as any other."
    finding = Finding("aspects-missing", first.path, message, first.line, first.line, Confidence.MEDIUM, "documents")
    summary = f"{len(_ASPECTS) - len(missing)} of {len(_ASPECTS)} aspects are stated."
    return Assessed(
        len(missing), len(_ASPECTS), summary, findings=(finding,), evidence=places, signals=signals, confidence=Confidence.MEDIUM
    )


def _states(text: str, pattern: re.Pattern[str], fewest: int) -> bool:
    """Whether enough lines of a text state an aspect."""
    found = (line for line in text.split("\n") if pattern.search(line))
    return len(list(islice(found, fewest))) == fewest


def _stated(intent: Intent, texts: dict[str, str]) -> Iterator[tuple[Place, str]]:
    """The texts that state intent: the best there are, or else the thin ones and the lists of features."""
    for path in intent.scenarios:
        yield Place(path, 1), texts.get(path, "")[:100_000]
    written = (*intent.good, *intent.told) or tuple(entry for entry in intent.specs if not entry.stale and entry.document.words >= 60)
    for entry in written:
        yield Place(entry.document.path, 1), "\n".join(f"{section.title}\n{section.text[:50_000]}" for section in entry.document.sections)
    if not written and not intent.scenarios:
        for document, section in intent.features:
            number = document.sections.index(section)
            below = document.sections[number + 1 : number + 20]
            inner = next((n for n, s in enumerate(below) if s.level <= section.level), len(below))
            yield Place(document.path, section.line), "\n".join(f"{s.title}\n{s.text[:50_000]}" for s in (section, *below[:inner]))
