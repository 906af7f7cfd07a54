"""Text from users, databases or models is shown as text, not as mark-up or script.

Passing title: Text from outside is shown as text
Failing title: Text from outside becomes part of the page
Grading: Text of a request, of the page's address, of a language model or of the server's data that is pasted into mark-up without being escaped fails the
    item; mark-up whose source cannot be seen, and escapes switched off in templates, count as partial. Constants and sanitised text pass.
Done when: Every place listed writes text (`textContent`, an escaping template) or sanitises what it writes, and a name such as `<img src=x onerror=alert(1)>` is shown as it was typed.
What it cannot see: Escaping done by a server before it stores a text, templates in languages this version does not read, and content security policies set outside the repository.
"""

from __future__ import annotations

import re

from auditor.checks.registry import check
from auditor.model.evidence import ToolHit, ToolHits
from auditor.model.needs import BANDIT, FLOWS, PROJECT, SNAPSHOT, TEXTS
from auditor.model.project import Kind, Project
from auditor.model.snapshot import Language, Role, Snapshot
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable, Place
from auditor.words import plural

ITEM = "security.output-encoded"
_SAFE_FILTER = re.compile(r"\{\{-?\s*([\w.\[\]'\"()]{1,80})[^{}|]{0,80}(\|[^{}]{0,120})?\|\s*safe\b[^{}]{0,40}\}\}")
_CLEANED = re.compile(r"\|\s*(?:escape|e|tojson|json_script|striptags|bleach|sanitize|clean|nh3|forceescape|urlencode|int|float)\b")
_OWN_TEXT = re.compile(r"^(?:_|gettext|trans|csrf\w*|form\b|field\b|forms?\.|loop\.|config\.|settings\.|Configs?\.|icon|svg|ngettext)")
_TAG = re.compile(r"</(?:p|a|div|span|td|li|body|html|h\d|button|label|section|main|form)>")
_VUE_HTML = re.compile(r"\bv-html\s*=\s*[\"']([^\"']{1,200})[\"']")
_SVELTE_HTML = re.compile(r"\{@html\s+([^}]{1,200})\}")
_SANITISES = re.compile(r"\bsaniti[sz]e\w*\(|purify\w*[.(]|\bescape_?html\(|\bxss\(", re.IGNORECASE)
_SANITISER = re.compile(r"sanitiz|purify|escape|clean|highlight|\bt\(|\$t\(|i18n", re.IGNORECASE)


@check(ITEM, needs=(FLOWS, PROJECT, SNAPSHOT, TEXTS), corroborating=(BANDIT,))
def output_encoded(flows: ToolHits, project: Project, snapshot: Snapshot, texts: dict[str, str], bandit: ToolHits) -> Judgement:
    """Flows into mark-up fail; escapes that are switched off for something unknown are partial."""
    pages = [file.path for file in snapshot.with_role(Role.FIRST_PARTY) if file.language in {Language.HTML, Language.VUE, Language.SVELTE}]
    if not project.has(Kind.FULLSTACK, Kind.FRONTEND, Kind.APP) and not pages and not flows.of(ITEM):
        return NotApplicable("Nothing is shown in a browser: no page, no template, no component.")
    certain = [hit for hit in flows.of(ITEM) if hit.grade == "fail"]
    doubtful = [hit for hit in flows.of(ITEM) if hit.grade != "fail"]
    seen = {(hit.path, hit.line) for hit in (*certain, *doubtful)}
    doubtful += [
        hit for hit in bandit.of(ITEM) if hit.grade == "partial" and (hit.path, hit.line) not in seen and hit.path in project.production
    ]
    findings = [
        *(_finding(hit, "flows") for hit in certain),
        *(_finding(hit, "flows") for hit in doubtful),
        *_switched_off(snapshot, texts),
    ]
    floor = 1.0 if certain else 0.5 if findings else 0.0
    return Assessed(
        bad=0,
        total=0,
        floor=floor,
        summary=_summary(len(certain), len(findings) - len(certain), len(project.production)),
        findings=tuple(findings),
        evidence=tuple(Place(path) for path in pages[:3]),
        signals=(
            f"{plural(len(project.production), 'source file')} and {plural(len(pages), 'page or template', 'pages and templates')} read",
        ),
        confidence=Confidence.HIGH if certain or not findings else Confidence.MEDIUM,
    )


def _summary(certain: int, doubtful: int, files: int) -> str:
    if certain:
        return (
            f"{plural(certain, 'place')} paste text from outside into mark-up."
            if certain > 1
            else "1 place pastes text from outside into mark-up."
        )
    if doubtful:
        return f"{plural(doubtful, 'place')} may show text as mark-up; where it comes from cannot be seen."
    return f"In {plural(files, 'source file')} no text from outside is shown as mark-up."


def _finding(hit: ToolHit, detector: str) -> Finding:
    return Finding(hit.rule, hit.path, hit.message, hit.line, hit.end_line, hit.confidence, detector, hit.cwe or 79)


def _switched_off(snapshot: Snapshot, texts: dict[str, str]) -> list[Finding]:
    """Templates that show a variable without escaping it."""
    found = []
    for file in snapshot.with_role(Role.FIRST_PARTY):
        text = texts.get(file.path, "")
        if file.language is Language.HTML and _TAG.search(text):
            patterns = [(match, match[1], match[2] or "") for match in _SAFE_FILTER.finditer(text)]
        elif file.language is Language.VUE:
            patterns = [(match, match[1], "") for match in _VUE_HTML.finditer(text)]
        elif file.language is Language.SVELTE:
            patterns = [(match, match[1], "") for match in _SVELTE_HTML.finditer(text)]
        else:
            continue
        for match, name, filters in patterns:
            if (
                not _CLEANED.search(filters)
                and not _OWN_TEXT.match(name)
                and not _SANITISER.search(name)
                and not name.startswith(("'", '"'))
                and not (file.language in {Language.VUE, Language.SVELTE} and _cleaned_in_script(name, text))
            ):
                line = text.count("\n", 0, match.start()) + 1
                message = f"The template shows {name[:40]} without escaping it: if a user can influence it, their script runs in other people's browsers."
                found.append(Finding("escaping-switched-off", file.path, message, line, line, Confidence.LOW, "text", 79))
    return found


def _cleaned_in_script(expression: str, text: str) -> bool:
    """Whether the script of a component makes what it shows with a sanitiser: `html = computed(() => DOMPurify.sanitize(...))`."""
    name = re.match(r"[\w$]+", expression.strip())
    if name is None:
        return False
    made = re.compile(
        rf"(?:^|[\s;{{(]){re.escape(name[0])}(?:<[^<>\n]{{1,80}}>|:[^=\n]{{1,80}})?\s*(?:=(?!=)|\([^()\n]{{0,200}}\)\s*\{{|:\s*\()"
    )
    return any(_SANITISES.search(_block(text, found.start())) for found in made.finditer(text))


def _block(text: str, start: int) -> str:
    """The lines of a definition: those indented deeper than the line it begins on."""
    lines = text[text.rfind("\n", 0, start + 1) + 1 : start + 6_000].split("\n")
    if not lines[0].strip():
        lines = lines[1:]
    indent = len(lines[0]) - len(lines[0].lstrip()) if lines else 0
    kept = lines[:1]
    for line in lines[1:120]:
        if line.strip() and len(line) - len(line.lstrip()) <= indent:
            break
        kept.append(line)
    return "\n".join(kept)
