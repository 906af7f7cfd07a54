"""Rules for coding agents and people are in the repository: standards, tests, what not to touch, definition of done.

Passing title: People and assistants find the rules of this repository in it
Failing title: Nobody has written down what a change must keep to
Grading: Pass when the rule files together state, in terms of this repository, at least three of: standards, architecture, test duty, security, errors and logs, review and
    definition of done, do-not-touch or ask-first. Partial for fewer, or for general advice that names nothing of this repository. Fail when there is no such
    file, or only empty ones.
Done when: one page names the commands to run, the boundaries to keep, what must not be touched, when to ask, and when a change is done.
What it cannot see: whether the rules are followed, and rules kept in a tool or a wiki outside the repository.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.checks.intent import in_another_language
from auditor.checks.registry import check
from auditor.checks.repository_names import RepositoryNames
from auditor.model.artifacts import Document, Documents, Manifests, TaskFile
from auditor.model.needs import DOCUMENTS, MANIFESTS, SNAPSHOT, TASKS
from auditor.model.snapshot import Role, Snapshot
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, Place
from auditor.words import listed, plural

_ENOUGH = 3
_LEAST_WORDS = 25
_LEAST_NAMES = 2
"""Names of this repository that a rule file uses at least; a CONTRIBUTING file is seldom a download, there one is enough."""

_TOPICS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("standards", re.compile(r"\b(?:coding (?:style|standards?|conventions?)|code style|style ?guide|formatt(?:er|ing|ed)|lint(?:er|ing)?|naming|type hints?|typed|indent\w*|snake_case|camelCase|PascalCase|PEP ?8|eslint|prettier|black|ruff|biome|docstrings?|single quotes|conventions?|functional components?|strict mode)\b", re.IGNORECASE)),
    ("architecture", re.compile(r"\b(?:architecture|layers?|boundar(?:y|ies)|belongs? in|lives? in|(?:directory|folder|project|domain) structure|business logic|service layer|must not import|data access|separation|modules?|single (?:file|source)|repository pattern|app factory|blueprints?)\b", re.IGNORECASE)),
    ("tests", re.compile(r"\b(?:tests?|pytest|vitest|jest|TDD|test-first|coverage|regression)\b", re.IGNORECASE)),
    ("security", re.compile(r"\b(?:secrets?|credentials?|passwords?|sanit\w+|escap\w+ (?:user|output|html)|sql injection|authori[sz]\w+|authenticat\w+|hard-?cod\w+|XSS|CSRF|parameteri[sz]ed|least privilege|\.env files?)\b", re.IGNORECASE)),
    ("errors and logs", re.compile(r"\b(?:error (?:handling|format|responses?|messages?|codes?|logs?)|exceptions?|logg(?:ing|er)|log (?:levels?|messages?)|try/?catch|HTTPException|error boundar\w+|status codes?)\b", re.IGNORECASE)),
    ("review and done", re.compile(r"\b(?:pull requests?|merge requests?|PRs?|code review|definition of done|acceptance criteria|before (?:committing|submitting|finishing|merging|you commit|opening)|commit messages?|conventional commits|done when|checklist|must pass|feature branch|changelog)\b", re.IGNORECASE)),
    ("do not touch, ask first", re.compile(r"\b(?:(?:do not|don['’]t|never|must not|avoid) (?:\w+ ){0,2}?(?:edit|modify|touch|change|delete|remove|refactor|rename|rewrite|add new dependenc\w+|invent|create new|push|force|commit directly|bump|break)\w*|ask (?:first|before|the user|for|us)|confirm with|without (?:approval|permission|asking|discuss\w*)|(?:open|create|file) an issue (?:first|before|to discuss)|smallest (?:viable )?(?:diff|change)|unrelated (?:code|changes?|files?)|discuss\w* (?:it |this |them )?(?:first|before)|not accept\w*|backwards?[- ]compatib\w+|deprecat\w+|read-?only)\b", re.IGNORECASE)),
)  # fmt: skip
_NORMATIVE = re.compile(
    r"\b(?:must|should|shall|always|never|do not|don['’]t|avoid|prefer|use|uses|require[sd]?|ensure|make sure|keep|follow|write|add|include|only|please|need(?:s|ed)? to|has to|have to|run|enforce[sd]?|forbidden|not allowed|not accept\w*|mandatory|ask|per|via|all|every|no)\b",
    re.IGNORECASE,
)
_SKIPS = re.compile(
    r"(?:skip|disable|bypass|ignore) (?:the )?(?:tests?|lint\w*|checks?|type ?check\w*|hooks?)|--no-verify|dangerously-skip-permissions",
    re.IGNORECASE,
)
_REPORT_ONLY = re.compile(r"report\w*|vulnerab\w+|disclos\w+", re.IGNORECASE)


@check("specs.agent-rules", needs=(DOCUMENTS, SNAPSHOT, MANIFESTS, TASKS), roles=(Role.DOC,))
def agent_rules(documents: Documents, snapshot: Snapshot, manifests: Manifests, tasks: tuple[TaskFile, ...]) -> Judgement:
    """Judge what the rule files say, taken together."""
    candidates = [document for document in documents.documents if document.purpose in {"agent-rules", "contributing"}]
    rules = [document for document in candidates if document.words >= _LEAST_WORDS]
    if not rules:
        return _none(candidates)
    names = RepositoryNames(snapshot, manifests, tasks)
    own = sorted({name for document in rules for name in names.named_in(document)})
    topics: dict[str, Place] = {}
    for document in rules:
        for topic, place in _topics(document):
            topics.setdefault(topic, place)
    if len(topics) < _ENOUGH and (foreign := [document for document in rules if not document.english]):
        return in_another_language(foreign, "which rules they state")
    general = len(own) < (1 if any(document.purpose == "contributing" for document in rules) else _LEAST_NAMES)
    findings = _weaknesses(rules, topics, general=general)
    floor = 0.0
    if len(topics) < _ENOUGH:
        floor = 0.55 - 0.05 * len(topics)
    elif general:
        floor = 0.4
    if floor:
        summary = f"{listed([document.path for document in rules])}: {plural(len(topics), 'kind')} of rule of the seven, {plural(len(own), 'name')} of this repository."
    else:
        summary = f"{listed([document.path for document in rules])} state{'s' if len(rules) == 1 else ''} {len(topics)} of seven kinds of rule: {listed(sorted(topics), 7)}."
    sure = Confidence.MEDIUM if len(topics) in {_ENOUGH - 1, _ENOUGH} else Confidence.HIGH
    return Assessed(
        0,
        0,
        summary,
        floor,
        findings,
        tuple(topics.values()),
        (f"names of this repository used: {listed(own, 5) or 'none'}",),
        confidence=sure,
    )


def _none(empty: list[Document]) -> Assessed:
    if empty:
        finding = Finding(
            "empty-rules",
            empty[0].path,
            "The file for rules is there and says next to nothing: whoever changes the code has to guess what holds here.",
            1,
            1,
            detector="documents",
        )
    else:
        finding = Finding(
            "no-rules",
            "",
            "No AGENTS.md, CLAUDE.md, editor rules or CONTRIBUTING: every assistant and every new colleague guesses what holds here, each differently.",
            detector="documents",
        )
    searched = (
        "searched: AGENTS, CLAUDE, GEMINI, replit, copilot-instructions, cursor, windsurf and cline rules, CONTRIBUTING, style guides",
    )
    return Assessed(
        0, 0, "There are no written rules for changes." if not empty else "The rule file is empty.", 1.0, (finding,), signals=searched
    )


def _topics(document: Document) -> Iterator[tuple[str, Place]]:
    """Kinds of rule the document states: in a sentence that asks for something, or under a heading of that name with text below it."""
    for section in document.sections:
        body = section.text[:50_000]
        for topic, pattern in _TOPICS:
            if (
                pattern.search(section.title)
                and len(body.split()) + sum(len(code.split()) for _, code, _ in section.code) >= 15
                and not _only_reports(topic, section.title + body)
            ):
                yield topic, Place(document.path, section.line)
        for offset, line in enumerate(body.split("\n")):
            if not _NORMATIVE.search(line):
                continue
            for topic, pattern in _TOPICS:
                if pattern.search(line) and not _only_reports(topic, line):
                    yield topic, Place(document.path, section.line + offset)
        if any(
            re.search(
                r"\b(?:pytest|vitest|jest|playwright test|(?:npm|pnpm|yarn|bun)(?: run)? test|make test|manage\.py test|tox|go test)\b",
                code,
            )
            for _, code, _ in section.code
        ):
            yield "tests", Place(document.path, section.line)


def _only_reports(topic: str, text: str) -> bool:
    """How to report a hole is no rule for code."""
    return topic == "security" and bool(_REPORT_ONLY.search(text))


def _weaknesses(rules: list[Document], topics: dict[str, Place], *, general: bool) -> tuple[Finding, ...]:
    first = rules[0]
    found = []
    if len(topics) < _ENOUGH:
        missing = [topic for topic, _ in _TOPICS if topic not in topics]
        message = f"The rules leave open: {listed(missing, 7)}; an assistant decides these anew in every session."
        found.append(Finding("few-rules", first.path, message, 1, 1, Confidence.MEDIUM, "documents"))
    elif general:
        message = "The rules are general advice: they name no file, folder or command of this repository, so they decide nothing here."
        found.append(Finding("general-rules", first.path, message, 1, 1, Confidence.MEDIUM, "documents"))
    for document in rules:
        for section in document.sections:
            if _SKIPS.search(section.text[:50_000]) and not re.search(
                r"(?:never|do not|don['’]t|must not|not)\b[^.\n]{0,40}(?:skip|disable|bypass|ignore|--no-verify)",
                section.text[:50_000],
                re.IGNORECASE,
            ):
                message = "The rules tell assistants to pass by a check: what it would have stopped goes through."
                found.append(Finding("rules-skip-checks", document.path, message, section.line, section.line, Confidence.LOW, "documents"))
                return tuple(found)
    return tuple(found)
