"""Data that enters from outside is checked against a declared shape, with limits, before use.

Passing title: What comes from outside is checked before it is used
Failing title: What comes from outside is used as it comes
Grading: The share of entry points that take data and use it as it comes, or test at most whether it is there; types without limits, and tests by hand, count
    a quarter. A text from outside that a pattern can read in countless ways is partial. A whole request body that is put into a record of people, rights or prices unchecked, a role taken from what was sent, and a form that takes every field of the account model fail the item by themselves. Forms a browser writes straight into a hosted database count
    as unchecked where the database sets no limits, and half where it does. Checks in the browser do not count.
Done when: Every entry point goes through a schema with types, lengths and ranges that refuses unknown fields, and a malformed body is answered with 400 or 422 in a test.
What it cannot see: Checks a gateway makes, messages of sockets and queues, and whether the limits that are set are the right ones.
"""

from __future__ import annotations

import re

from auditor.checks.entry_checks import Checked, Entry, EntryChecks
from auditor.checks.mass_assignment import open_forms
from auditor.checks.registry import check
from auditor.model.evidence import RouteKind, Routes, ToolHit, ToolHits
from auditor.model.needs import FLOWS, PROJECT, ROUTES, SYNTAX, TEXTS
from auditor.model.project import Project
from auditor.model.syntax import Syntax
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable, Place, Undecided
from auditor.words import plural

ITEM = "security.input-validated"
_WEIGHT = {Checked.RAW: 1.0, Checked.TYPED: 0.25}
_LARGE_SHARE = 0.4
"""From this share of entry points without limits on, the claim holds only in part, however well the rest is checked."""
_BROWSER_WRITE = re.compile(r"^\w*(?:supabase|client|db)\w*(?:\.schema\(\))?\.from\(\)\.(?:insert|update|upsert)$", re.IGNORECASE)
_DATABASE_LIMIT = re.compile(
    r"(?<!with )\bcheck\s*\(|\b(?:character\s+varying|varchar)\s*\(\d|\bcreate\s+type\s+\S+\s+as\s+enum\b|\bcreate\s+domain\b",
    re.IGNORECASE,
)


@check(ITEM, needs=(ROUTES, SYNTAX, PROJECT, TEXTS), corroborating=(FLOWS,), tolerance=0.15)
def input_validated(routes: Routes, syntax: Syntax, project: Project, texts: dict[str, str], flows: ToolHits) -> Judgement:
    """Each entry point that takes data counts once; one spread body in a sensitive record decides."""
    entries = EntryChecks(routes, syntax, project, texts).all()
    known = [entry for entry in entries if entry.checked is not Checked.UNKNOWN]
    direct = _written_from_browser(syntax, project)
    forms = open_forms(syntax.of(project.server))
    limits = any(_DATABASE_LIMIT.search(texts[path]) for path in sorted(texts) if path.endswith(".sql"))
    slow = [hit for hit in flows.of(ITEM) if hit.path in project.server]
    if not known and not direct and not slow:
        if any(route.kind is RouteKind.WEBSOCKET for route in routes.routes):
            return Undecided("Data enters through socket messages, which this version does not follow to a schema.")
        if entries:
            return Undecided("None of the handlers that take data could be read.")
        return NotApplicable("Nothing enters from outside: no endpoint takes data.")
    raw = [entry for entry in known if entry.checked is Checked.RAW]
    typed = [entry for entry in known if entry.checked is Checked.TYPED]
    spread = [entry for entry in known if entry.spread is not None]
    bad = len(raw) + _WEIGHT[Checked.TYPED] * len(typed) + (0.5 if limits else 1.0) * len(direct)
    return Assessed(
        bad=bad,
        total=len(known) + len(direct),
        floor=1.0 if spread or forms else 0.3 if slow or len(raw) + len(typed) >= max(1, _LARGE_SHARE * len(known)) else 0.0,
        summary=_summary(len(raw), len(typed), len(known), len(direct), len(slow)),
        findings=(
            *map(_spread, spread),
            *map(_form, forms),
            *map(_slow, slow),
            *map(_raw, raw),
            *map(_direct, direct),
            *map(_typed, typed),
        ),
        evidence=tuple(entry.place for entry in known if entry.checked is Checked.LIMITED)[:3],
        signals=(
            f"entry points that take data: {len(known)}",
            f"with a schema and limits: {len(known) - len(raw) - len(typed)}; types or tests by hand only: {len(typed)}; used as it comes: {len(raw)}",
            f"writes from the browser into the database: {len(direct)}",
        ),
        unexamined=_unfollowed(entries, routes),
        confidence=Confidence.MEDIUM,
    )


def _unfollowed(entries: list[Entry], routes: Routes) -> tuple[tuple[str, str], ...]:
    """Doors that are there and were not looked behind."""
    sockets = {route.place.path for route in routes.routes if route.kind is RouteKind.WEBSOCKET}
    unread = {
        (entry.route.place.path, f"the handler of {entry.route.path} could not be read")
        for entry in entries
        if entry.checked is Checked.UNKNOWN
    }
    return tuple(sorted(unread | {(path, "messages of sockets are not followed to a schema") for path in sockets}))


def _written_from_browser(syntax: Syntax, project: Project) -> list[Place]:
    return [
        Place(facts.path, call.line, call.end_line)
        for facts in syntax.of(project.production)
        if not facts.path.endswith(".py")
        and not re.search(r"(?:^|/)(?:supabase/functions|api|server)/", facts.path)
        and facts.path in project.browser
        for call in facts.calls
        if _BROWSER_WRITE.search(call.callee)
    ]


def _summary(raw: int, typed: int, known: int, direct: int, slow: int) -> str:
    parts = []
    if known:
        parts.append(f"{raw} of {plural(known, 'entry point')} use what they get as it comes, {typed} check types or single values only")
    if direct:
        parts.append(f"{plural(direct, 'form')} in the browser {'writes' if direct == 1 else 'write'} straight into the database")
    if slow:
        parts.append(f"{plural(slow, 'pattern')} can be kept busy by a crafted text")
    return "; ".join(parts) + "."


def _raw(entry: Entry) -> Finding:
    message = f"{entry.route.method} {entry.route.path} uses what it is sent as it comes: a wrong type, a missing field or forty megabytes of text go straight through."
    return Finding("body-unchecked", entry.place.path, message, entry.place.line, entry.place.end_line, Confidence.MEDIUM, "syntax", 20)


def _typed(entry: Entry) -> Finding:
    message = f"{entry.route.method} {entry.route.path} checks types or single values, but sets no limits to what it is sent."
    if entry.limits:
        message = f"{entry.route.method} {entry.route.path} checks what it is sent field by field, by hand: what nobody thought of goes through as it comes."
    return Finding("no-limits", entry.place.path, message, entry.place.line, entry.place.end_line, Confidence.LOW, "syntax", 20)


def _spread(entry: Entry) -> Finding:
    assert entry.spread is not None
    message = f"{entry.route.method} {entry.route.path} puts the whole body into the record: whoever adds a field such as a role or a price to it sets it."
    if entry.right:
        message = f"{entry.route.method} {entry.route.path} takes a role or an administrator's flag from what it is sent: whoever adds it gives it to themselves."
    return Finding(
        "mass-assignment", entry.spread.path, message, entry.spread.line, entry.spread.end_line, Confidence.MEDIUM, "syntax", 915
    )


def _slow(hit: ToolHit) -> Finding:
    return Finding(hit.rule, hit.path, hit.message, hit.line, hit.end_line, hit.confidence, "flows", hit.cwe)


def _form(place: Place) -> Finding:
    message = "This form of the account model takes fields nobody means to offer: whoever adds is_superuser to what they send is an administrator."
    return Finding("mass-assignment", place.path, message, place.line, place.end_line, Confidence.MEDIUM, "syntax", 915)


def _direct(place: Place) -> Finding:
    message = "The browser writes into the database without a server in between: what is checked in the form can be left out by whoever calls the database directly."
    return Finding("written-from-browser", place.path, message, place.line, place.end_line, Confidence.MEDIUM, "syntax", 602)
