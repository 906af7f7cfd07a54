"""What requests share: stored quantities that are changed in one step, or read, computed and written back; and data kept in the memory of one process.

Passing title: What requests share is changed in one step and kept in one place
Failing title: Two requests at once lose each other's changes
Grading: Looked at are stored quantities that are written as their old value plus or minus something, and variables of the server's process that changing requests keep
    data in. Letting the database compute, a row lock, a transaction that is repeated, and a compared version or old value are safe; so are caches, measurements, connections and other
    things that may be lost. Fails when money, stock, credit or places can be lost, or when the records of the product live in a variable of the process; other counters, and locks that each call
    makes for itself, are partial.
Done when: Quantities are changed by one statement of the database or under a row lock, records live in a store that all processes share, and a test runs two of the same requests at once.
What it cannot see: Rows that are looked for and then added without a unique index, levels of isolation that are set at the database, and how many processes are started.
"""

from __future__ import annotations

from auditor.checks.database_calls import database_calls
from auditor.checks.local_locks import local_locks
from auditor.checks.lost_updates import LostUpdate, lost_updates
from auditor.checks.process_memory import Kept, ProcessMemory
from auditor.checks.reach import Reach
from auditor.checks.registry import check
from auditor.model.evidence import Routes
from auditor.model.needs import PROJECT, ROUTES, SYNTAX, TEXTS
from auditor.model.project import SERVING, Project
from auditor.model.syntax import Syntax
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable
from auditor.words import plural

_FAIL, _PARTIAL = 0.7, 0.4


@check("resilience.shared-state-safe", needs=(PROJECT, ROUTES, SYNTAX, TEXTS))
def shared_state_safe(project: Project, routes: Routes, syntax: Syntax, texts: dict[str, str]) -> Judgement:
    """Judge every change of what several requests share."""
    files = syntax.of(project.production)
    databases = database_calls(files)
    if not (routes.routes or project.has(*SERVING) or databases):
        return NotApplicable("Nothing here serves several users at once: no endpoint, and no store that others change.")
    lost = [found for facts in files for found in lost_updates(facts, databases.get(facts.path, ()), texts.get(facts.path, ""))]
    server = syntax.of(project.server)
    memory = ProcessMemory(server, Reach(syntax, project.server), routes)
    kept = memory.kept()
    unread = {place.rpartition(":")[0] or place for place, _ in routes.unresolved} | {
        r.place.path for r in routes.routes if r.handler_scope < 0
    }
    unseen = memory.unreached(kept, unread)
    worst = any(each.worth for each in lost) or any(not each.counter for each in kept)
    findings = [
        *(_lost(each) for each in sorted(lost, key=lambda each: (not each.worth, each.path, each.line))),
        *(_kept(each) for each in kept),
        *(finding for facts in files for finding in local_locks(facts, texts.get(facts.path, ""))),
    ]
    changes = sum(len(calls) for calls in databases.values())
    return Assessed(
        bad=0,
        total=0,
        floor=_FAIL if worst else _PARTIAL if findings else 0.0,
        summary=_summary(lost, kept, len(findings)),
        findings=tuple(findings),
        signals=(
            f"{plural(changes, 'database call')} looked at for quantities computed from what was read",
            f"variables of the process that requests keep data in: {len(kept)}",
        ),
        unexamined=tuple((path, f"whether a request keeps its data in {name} could not be followed") for path, name in unseen),
        confidence=Confidence.MEDIUM,
    )


def _lost(each: LostUpdate) -> Finding:
    message = f"{each.what} is read, changed in the program and written back: of two requests at the same moment, the second overwrites what the first one did."
    rule = "lost-update" if each.worth else "lost-count"
    return Finding(rule, each.path, message, each.line, each.end_line, Confidence.MEDIUM, cwe=362)


def _kept(each: Kept) -> Finding:
    if each.counter:
        message = (
            f"{each.request} counts in {each.name}, a variable of one process: every process counts for itself, and a restart begins anew."
        )
        return Finding("count-in-process", each.changed_path, message, each.changed_line, each.changed_line, Confidence.MEDIUM, cwe=362)
    message = f"{each.request} keeps its data in {each.name}, a variable of one process: a second process never sees it, and every restart loses it."
    return Finding("records-in-process", each.changed_path, message, each.changed_line, each.changed_line, Confidence.MEDIUM, cwe=362)


def _summary(lost: list[LostUpdate], kept: list[Kept], findings: int) -> str:
    parts = []
    if lost:
        parts.append(f"{plural(len(lost), 'stored quantity', 'stored quantities')} read, changed and written back without a lock")
    if kept:
        parts.append(f"{plural(len(kept), 'variable')} of the process that requests keep data in")
    locks = findings - len(lost) - len(kept)
    if locks:
        parts.append(f"{plural(locks, 'lock')} that nobody waits for")
    return (
        f"{' and '.join(parts)}." if parts else "No quantity is computed from what was read, and no request keeps its data in the process."
    )
