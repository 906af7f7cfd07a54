"""Changes that belong together are saved together or not at all.

Passing title: What belongs together is saved together
Failing title: Half of a change can be saved
Grading: Looked at are functions that write to two different tables on one way through them, one after the other, or that commit between two records. Counts those without a
    transaction: neither in the function, nor round it, nor in all who call it, nor by a setting of the framework. Step-by-step removal counts half; logs,
    notifications, tokens, times of changes, and writes that can simply be repeated stand by themselves. Fails from six tenths where there are three or more, and
    where money, orders or stock can be written by half.
Done when: Each use case is one transaction (in the hosted database's client, which has none, one database function), what goes to other systems is sent after it, and a test
    fails the second write and finds nothing of the first.
What it cannot see: Writes behind several calls of the program's own, triggers of the database, and how isolated the transactions are.
"""

from __future__ import annotations

from collections.abc import Iterator

from auditor.checks.registry import check
from auditor.checks.units_of_work import Unit, units
from auditor.model.evidence import Stores
from auditor.model.needs import PROJECT, STORES, SYNTAX, TEXTS
from auditor.model.project import Project
from auditor.model.syntax import FileFacts, Syntax, Value
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable, Place, Undecided
from auditor.words import plural

_FAIL, _HALF = 0.7, 0.5
_SEVERAL = 3
_HOSTED = ("supabase", ".from(", "from_(")


@check("data.transactions", needs=(STORES, PROJECT, SYNTAX, TEXTS), tolerance=0.05)
def transactions(stores: Stores, project: Project, syntax: Syntax, texts: dict[str, str]) -> Judgement:
    """Judge every function with several writes."""
    if not (stores.relational or stores.document or stores.data.tables):
        return NotApplicable("Nothing is written to a database here.")
    files = syntax.of(project.production)
    models = frozenset(table.name for table in stores.data.tables)
    found, seen = units(files, models, texts)
    if not found and not seen and stores.models:
        return Undecided("There are models of a database, and no write to it could be told apart: name the place where records are stored.")
    if not found:
        return NotApplicable("No function was found that writes to several tables one after the other.")
    setting = _atomic_requests(files)
    loose = [unit for unit in found if not unit.held and not (setting is not None and unit.path.endswith(".py"))]
    weight = sum(unit.weight for unit in loose)
    worth = [unit for unit in loose if unit.worth and unit.weight == 1]
    bad = weight if worth or len(loose) >= _SEVERAL else min(weight, _HALF * len(found))
    kept = [Place(unit.path, unit.first.line, unit.last.end_line) for unit in found if unit not in loose]
    return Assessed(
        bad=bad,
        total=len(found),
        floor=_FAIL if worth else 0.0,
        summary=_summary(len(loose), len(found), setting),
        findings=tuple(_finding(unit) for unit in sorted(loose, key=lambda unit: (not unit.worth, -unit.weight, unit.path, unit.line))),
        evidence=((setting,) if setting is not None else tuple(kept[:3])),
        signals=(f"functions that write to several tables: {len(found)}", f"of them within a transaction: {len(found) - len(loose)}"),
        confidence=Confidence.MEDIUM,
    )


def _summary(loose: int, found: int, setting: Place | None) -> str:
    if setting is not None and not loose:
        return "Every request runs in one transaction, by the setting of the framework."
    if not loose:
        return f"{plural(found, 'function')} with several writes, each held by a transaction."
    return f"{loose} of {plural(found, 'function')} that write to several tables can stop half way."


def _finding(unit: Unit) -> Finding:
    first, last = unit.first.table, unit.last.table
    between = f"If the second write fails, or the process stops between them, {first} is changed and {last} never hears of it"
    if unit.commits:
        rule = "commits-apart"
        message = f"{unit.name} commits {first} before it writes {last}: what fails after the first commit leaves half a record that nobody repairs."
    elif unit.worth:
        rule = "money-apart"
        message = (
            f"{unit.name} writes {first} and then {last} without a transaction. {between}: money or goods are counted on one side only."
        )
    else:
        rule = "writes-apart"
        message = f"{unit.name} writes {first} and then {last} without a transaction. {between}."
    if any(word in unit.first.what for word in _HOSTED) or "from()" in unit.first.what:
        message += " The client of the hosted database has no transactions: this belongs into one database function."
    return Finding(rule, unit.path, message, unit.first.line, unit.last.end_line, Confidence.MEDIUM, cwe=662)


def _atomic_requests(files: tuple[FileFacts, ...]) -> Place | None:
    """Where Django is told to run each request in a transaction."""
    for facts in files:
        if not facts.path.endswith(".py"):
            continue
        for assignment in facts.assignments:
            value = assignment.value
            if value is None or "DATABASES" not in assignment.target:
                continue
            named = "ATOMIC_REQUESTS" in assignment.target and value.text != "False"
            if named or any(entry.text != "False" for entry in _entries(value)):
                return Place(facts.path, assignment.line, assignment.line)
    return None


def _entries(value: Value) -> Iterator[Value]:
    for _, inner in value.items:
        entry = inner.item("ATOMIC_REQUESTS")
        if entry is not None:
            yield entry
