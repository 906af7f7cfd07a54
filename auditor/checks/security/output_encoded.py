"""Text from users, databases or models is shown as text, not as mark-up or script.

Passing title: Text from outside is shown as text
Failing title: Text from outside becomes part of the page
Grading: Text of a request, of the page's address, of a language model or of the server's data that is pasted into mark-up without being escaped fails the
    item; mark-up whose source cannot be seen, escapes switched off in templates or for a whole template engine, and a content type that a request chooses count as partial. Constants and sanitised text pass.
Done when: Every place listed writes text (`textContent`, an escaping template) or sanitises what it writes, and a name such as `<img src=x onerror=alert(1)>` is shown as it was typed.
What it cannot see: Escaping done by a server before it stores a text, templates in languages this version does not read, and content security policies set outside the repository.
"""

from __future__ import annotations

from auditor.checks.filtered_scripts import filtered_scripts
from auditor.checks.markup_suppliers import MarkupSuppliers
from auditor.checks.registry import check
from auditor.checks.unescaped_templates import engines_that_do_not_escape, makes_pages, unescaped_places
from auditor.model.evidence import ToolHit, ToolHits
from auditor.model.needs import BANDIT, FLOWS, PROJECT, SNAPSHOT, SYNTAX, TEXTS
from auditor.model.project import Kind, Project
from auditor.model.snapshot import Language, Role, Snapshot
from auditor.model.syntax import Syntax
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable, Place
from auditor.words import plural

ITEM = "security.output-encoded"


@check(ITEM, needs=(FLOWS, PROJECT, SNAPSHOT, TEXTS), corroborating=(BANDIT, SYNTAX))
def output_encoded(  # noqa: PLR0917 - one parameter per kind of evidence
    flows: ToolHits, project: Project, snapshot: Snapshot, texts: dict[str, str], bandit: ToolHits, syntax: Syntax
) -> Judgement:
    """Flows into mark-up fail; escapes that are switched off for something unknown are partial."""
    pages = [file.path for file in snapshot.with_role(Role.FIRST_PARTY) if file.language in {Language.HTML, Language.VUE, Language.SVELTE}]
    if not project.has(Kind.FULLSTACK, Kind.FRONTEND, Kind.APP) and not pages and not flows.of(ITEM):
        return NotApplicable("Nothing is shown in a browser: no page, no template, no component.")
    certain = [hit for hit in flows.of(ITEM) if hit.grade == "fail"]
    suppliers = MarkupSuppliers(syntax, project.production, texts)
    doubtful = [hit for hit in flows.of(ITEM) if hit.grade != "fail" and not (hit.source == "unclear" and suppliers.hands_on(hit))]
    seen = {(hit.path, hit.line) for hit in (*certain, *doubtful)}
    doubtful += [
        hit
        for hit in bandit.of(ITEM)
        if hit.grade == "partial"
        and (hit.path, hit.line) not in seen
        and hit.path in project.production
        and not flows.settles(hit)
        and not suppliers.hands_on(hit)
        and not (hit.rule == "B701" and not makes_pages(hit, syntax, project.production))
    ]
    findings = [
        *(_finding(hit, "flows") for hit in certain),
        *(_finding(hit, "flows") for hit in doubtful),
        *unescaped_places(snapshot, texts, suppliers),
        *engines_that_do_not_escape(syntax.of(project.server)),
        *(finding for facts in syntax.of(project.production) for finding in filtered_scripts(facts)),
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
