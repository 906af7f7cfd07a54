"""Stubs, stand-ins and announcements on the way a user takes.

Passing title: What is there is finished: no stub stands in for the real thing
Failing title: Parts of the product are stubs that only look finished
Grading: Fails when something that logging in, paying, subscribing, deleting or checking depends on is a stub: it raises that it is not implemented, does nothing under its
    own remark, answers what is written into it, only waits, or says yes without looking. Other stubs, controls and links that do nothing, endpoints and messages that say the
    feature is missing, and pages that only announce themselves are partial, the more the worse; up to one in 20,000 lines passes. A remark counts only where the code
    behind it proves it. Abstract methods, interfaces, functions and files that nobody uses, ordinary TODO notes, and files made for tests, stories, demonstrations and previews do not count,
    and neither does what is told under invented success.
Done when: Each place is built, hidden from users or deleted, and the pipeline refuses new ones.
What it cannot see: Stubs that carry no remark and answer something plausible, controls in the
    templates of Vue, Svelte and servers, and whether a half-built feature is hidden behind a switch elsewhere.
"""

from __future__ import annotations

import re

from auditor.checks.dead_controls import Dead, dead_controls
from auditor.checks.dead_modules import dead_modules
from auditor.checks.invented_data import is_made_for_it
from auditor.checks.registry import check
from auditor.checks.simulated_work import Uses, simulations
from auditor.checks.stubs import Extended, Stub, stubs
from auditor.model.artifacts import Manifests
from auditor.model.evidence import ModuleGraph
from auditor.model.needs import MANIFESTS, MODULE_GRAPH, PROJECT, SYNTAX, TEXTS
from auditor.model.project import Project
from auditor.model.syntax import FileFacts, Syntax
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable
from auditor.words import plural

_FAIL = 0.7
_FIRST, _EACH, _MOST_PARTIAL = 0.12, 0.04, 0.55
_TOLERATED = 0.05
_LINES_FOR_ONE = 20_000
_LINK = 0.5
_CODE = re.compile(r"\.(?:py|[cm]?[jt]sx?|vue|svelte|html|toml|json|ya?ml)$")
_NOTES = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b")
_STUBS = {
    "stand-in": "{what} {how} and says so itself (“{quoted}”): whoever relies on it gets something that looks done and is not.",
    "check-left-out": "{what} leaves a check out and says so itself (“{quoted}”): nobody is stopped here who should be.",
    "not-implemented": "{what} {how}: whoever gets there sees an error in place of the feature.",
    "empty-function": "{what} {how}, under the note “{quoted}”: whoever calls it goes on as if it had worked.",
    "says-yes-to-everything": "{what} is named after a check, looks at none of what it is given and says yes: nothing is checked.",
    "told-unfinished": "Whoever uses this is told “{quoted}”: the control is there and the feature is not.",
    "unfinished-endpoint": "{what} {how}: the address exists and the feature does not.",
}
_DEAD = {
    "dead-button": "{what} can be pressed and does nothing: whoever uses it waits for something that never comes.",
    "dead-link": "{what} leads nowhere: whoever follows it stays where they are.",
    "page-to-come": "This page only announces what is to come: it can be reached and there is nothing on it.",
}


@check("debt.no-placeholders", needs=(PROJECT, SYNTAX, TEXTS, MODULE_GRAPH, MANIFESTS), tolerance=_TOLERATED)
def no_placeholders(project: Project, syntax: Syntax, texts: dict[str, str], graph: ModuleGraph, manifests: Manifests) -> Judgement:
    """Collect stubs and dead controls of production code, the critical ones first."""
    files = syntax.of(project.production)
    lines = sum(facts.code_lines for facts in files)
    if not lines:
        return NotApplicable("There is no production code in a language that is read.")
    uses, extended = Uses(files), Extended.of(files)
    serious: list[Finding] = []
    lesser: list[Finding] = []
    for facts in files:
        if is_made_for_it(facts.path):
            continue
        text = texts.get(facts.path, "")
        found = list(stubs(facts, text, extended))
        charged = [(each.line, each.end_line) for each in simulations(facts, text) if uses.of(facts, each)] if found else []
        for stub in found:
            if any(first <= stub.line <= last for first, last in charged) or not _is_used(facts, stub, texts, uses):
                continue  # what tells of a success is counted as invented, and what nobody reaches deceives nobody
            (serious if stub.critical else lesser).append(_stubbed(stub))
        lesser += [_dead(dead) for dead in dead_controls(facts, text)]
    if serious or lesser:
        dead = {module.path for module in dead_modules(graph, syntax, project, manifests, texts)}  # nobody gets there
        serious = [finding for finding in serious if finding.path not in dead]
        lesser = [finding for finding in lesser if finding.path not in dead]
    weight = sum(_LINK if finding.rule == "dead-link" else 1.0 for finding in lesser)
    floor = _FAIL if serious else _lesser_badness(weight, lines)
    notes = sum(1 for facts in files for comment in facts.comments if _NOTES.search(comment.text))
    return Assessed(
        bad=0,
        total=0,
        floor=floor,
        summary=_summary(serious, lesser, passes=floor <= _TOLERATED),
        findings=(*serious, *lesser),
        signals=(f"{plural(len(files), 'file')} searched; TODO and FIXME notes in {lines:,} lines of code: {notes}",),
        confidence=Confidence.MEDIUM,
    )


def _lesser_badness(weight: float, lines: int) -> float:
    if weight * _LINES_FOR_ONE <= lines:
        return _TOLERATED * min(1.0, weight)
    return min(_MOST_PARTIAL, _FIRST + _EACH * max(0.0, weight - 1))


def _is_used(facts: FileFacts, stub: Stub, texts: dict[str, str], uses: Uses) -> bool:
    """Whether something names the function besides its own definition; one with a decorator is registered by it."""
    definition = next((d for d in facts.definitions if d.name == stub.what and d.line <= stub.line <= d.end_line), None)
    if definition is None or definition.decorators or uses.calls(definition.name):
        return True
    word = re.compile(rf"(?<![\w$]){re.escape(definition.name)}(?![\w$])")
    if definition.exported and definition.parent < 0:
        return uses.reach(facts, definition) or any(
            word.search(text) for path, text in texts.items() if path != facts.path and _CODE.search(path)
        )
    return len(word.findall(texts.get(facts.path, ""))) > 1


def _stubbed(stub: Stub) -> Finding:
    what = f"{stub.what}()" if stub.what != "this function" else "A function here"
    message = _STUBS[stub.rule].format(what=what, how=stub.how, quoted=stub.quoted)
    return Finding(
        stub.rule, stub.path, message, stub.line, stub.end_line, Confidence.MEDIUM, cwe=1071 if stub.rule == "empty-function" else 0
    )


def _dead(dead: Dead) -> Finding:
    named = "" if dead.what in {"", "{}"} else f" “{dead.what}”"
    what = f"The link{named}" if dead.rule == "dead-link" else f"The control{named}"
    return Finding(dead.rule, dead.path, _DEAD[dead.rule].format(what=what), dead.line, dead.line, Confidence.MEDIUM)


def _summary(serious: list[Finding], lesser: list[Finding], *, passes: bool) -> str:
    if passes and not lesser:
        return "No stub was found where users or other code rely on it."
    if passes:
        return f"In code of this size {plural(len(lesser), 'unfinished place weighs', 'unfinished places weigh')} little."
    parts = []
    if serious:
        parts.append(f"{plural(len(serious), 'stub stands', 'stubs stand')} where logging in, paying, deleting or checking depends on it")
    if lesser:
        parts.append(
            f"{plural(len(lesser), 'other place is', 'other places are') if serious else plural(len(lesser), 'place is', 'places are')} unfinished"
        )
    text = "; ".join(parts)
    return text[:1].upper() + text[1:] + "."
