"""Reads that return collections have an upper bound, and main paths do not query once per row.

Passing title: Lists have an upper bound and are read in one go
Failing title: Lists grow without bound, or ask the database once per row
Grading: Looked at are reads of lists in code that answers requests, with what limits them: a limit, a page, a window of time, a list of keys, the children of one record; and queries
    inside of loops on the way of reading requests. Counts reads of whole tables and queries per row, of all reads of lists; children of one record in the order of time count
    four tenths, and so do all children where nothing at all is ever limited. Short look-up tables, jobs, exports and commands are left out, and the hosted database's client limits by
    itself. One query per row is at least partial, three fail where they are a fifth of all that is read.
Done when: Every list has a page size with a maximum, related rows come by a join or one query for all keys, and a test counts the queries of the main list.
What it cannot see: How large the tables are, relations that a template or a serialiser loads one by one, and querysets that are cut elsewhere.
"""

from __future__ import annotations

import re
from collections import defaultdict

from auditor.checks.collection_reads import Bound, CollectionRead, collection_reads
from auditor.checks.database_calls import database_calls
from auditor.checks.list_views import list_views
from auditor.checks.model_names import words
from auditor.checks.per_row_queries import PerRow, asking_helpers, per_row_queries
from auditor.checks.processes import COMMAND
from auditor.checks.query_texts import QueryText, query_texts
from auditor.checks.reach import Reach
from auditor.checks.registry import check
from auditor.checks.stored_writes import writes
from auditor.model.evidence import Routes, Stores
from auditor.model.needs import PROJECT, ROUTES, STORES, SYNTAX, TEXTS
from auditor.model.project import Project
from auditor.model.syntax import FileFacts, Syntax
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable, Place, Undecided
from auditor.words import plural

_FAIL, _PARTIAL, _CHILD = 0.7, 0.3, 0.4
_SEVERAL, _MANY = 3, 0.2
_ASIDE_WORDS = "export exports exporter import imports importer csv backup backups restore migrate migration migrations seed seeds demo cleanup purge prune sitemap cron prometheus forms"
_ASIDE = frozenset(_ASIDE_WORDS.split())
"""Words of files and functions that go over everything on purpose, or fill a form."""
_JOBS = re.compile(r"(?:^|/)(?:tasks?|jobs?|commands?|queues?|processors?|workers?|schedulers?|scripts?|bin|fixes)(?:/|\.\w+$)")
_ENTRIES = re.compile(r"(?:^|/)(?:routes?|routers?|api|endpoints?|controllers?|views?|pages|app)/")
_SLICED = re.compile(r"\)\s*\[\s*[\w.+ ]*:\s*[\w.+ ]+\]|\bPaginator\(|\bpaginate_by\b")


@check("data.lists-bounded", needs=(STORES, PROJECT, ROUTES, SYNTAX, TEXTS), tolerance=0.1)
def lists_bounded(stores: Stores, project: Project, routes: Routes, syntax: Syntax, texts: dict[str, str]) -> Judgement:
    """Judge every read of a list, and every query in a loop of a reading request."""
    if not (stores.relational or stores.document or stores.data.tables):
        return NotApplicable("No collection is stored here.")
    files = syntax.of(project.production)
    databases = database_calls(files)
    queries: defaultdict[str, list[QueryText]] = defaultdict(list)
    for query in query_texts(files):
        queries[query.path].append(query)
    reads = [
        read
        for facts in files
        for read in collection_reads(facts, databases.get(facts.path, ()), tuple(queries[facts.path]))
        if not _is_aside(facts, read.scope)
    ]
    reads += list_views(files)
    models = frozenset(table.name for table in stores.data.tables)
    helpers = asking_helpers(files, databases)
    ways = _reading_ways(routes, syntax, project)
    rows = [
        row
        for facts in files
        for row in per_row_queries(
            facts,
            databases.get(facts.path, ()),
            tuple(queries[facts.path]),
            writes(facts, databases.get(facts.path, ()), tuple(queries[facts.path]), models),
            helpers,
        )
        if _on_the_way(facts, row, ways) and not _is_aside(facts, row.scope)
    ]
    if not reads and not rows:
        if databases:
            return NotApplicable("No read of a list that grows with use was found in code that answers requests.")
        return Undecided("A database is used, and no query in the code could be recognised.", (stores.relational or stores.document)[:3])
    return _judged(reads, rows, sliced=any(_SLICED.search(texts.get(facts.path, "")) for facts in files if facts.path.endswith(".py")))


def _judged(reads: list[CollectionRead], rows: list[PerRow], *, sliced: bool) -> Assessed:
    whole = [read for read in reads if read.bound is Bound.NONE]
    children = [read for read in reads if read.bound is Bound.PARENT]
    limited = sliced or any(read.bound is Bound.LIMITED for read in reads)
    growing = [read for read in reads if read.bound is Bound.GROWING]
    loose = growing if limited else [*growing, *children]
    bad = len(whole) + len(rows) + _CHILD * len(loose)
    open_ = [read for read in reads if read.bound is Bound.UNKNOWN]
    total = len(reads) - len(open_) + len(rows)
    several = len(rows) >= _SEVERAL and len(rows) >= _MANY * total
    floor = _FAIL if several else _PARTIAL if rows else 0.0
    findings = [*(_row(row) for row in rows), *(_read(read) for read in whole), *(_read(read) for read in loose)]
    kept = [Place(read.path, read.line, read.end_line) for read in reads if read.bound is Bound.LIMITED]
    return Assessed(
        bad=bad,
        total=total,
        floor=floor,
        summary=_summary(len(whole), len(loose), len(rows), len(reads)),
        findings=tuple(findings),
        evidence=tuple(kept[:3]),
        unexamined=tuple(
            (read.path, f"how much the read of {read.table or 'a table'} at line {read.line} returns is settled elsewhere")
            for read in open_
        ),
        signals=(
            f"reads of lists: {len(reads)}",
            *(f"{words_}: {sum(1 for read in reads if read.bound is bound)}" for bound, words_ in _WORDS.items()),
            f"queries per row on the way of a reading request: {len(rows)}",
        ),
        confidence=Confidence.MEDIUM,
    )


_WORDS = {
    Bound.LIMITED: "limited by number, page, window of time or list of keys",
    Bound.PARENT: "children of one record",
    Bound.GROWING: "children of one record in the order of time",
    Bound.NONE: "whole tables",
    Bound.UNKNOWN: "not settled",
}


def _summary(whole: int, loose: int, rows: int, reads: int) -> str:
    parts = []
    if whole:
        parts.append(f"{whole} of {plural(reads, 'read')} of lists return whatever the table holds")
    if loose:
        parts.append(f"{plural(loose, 'list')} of one record's children without a limit")
    if rows:
        parts.append(f"{plural(rows, 'query', 'queries')} asked once per row")
    return f"{'; '.join(parts)}." if parts else f"{plural(reads, 'read')} of lists, none of a whole growing table, and no query per row."


def _row(row: PerRow) -> Finding:
    asked = f"{row.through}() asks the database" if row.through else "this query is asked"
    message = (
        f"Inside of a loop {asked} once for each row: with ten rows nobody notices, with a thousand the page waits for a thousand answers."
    )
    return Finding("query-per-row", row.path, message, row.line, row.end_line, Confidence.MEDIUM, cwe=1073)


def _read(read: CollectionRead) -> Finding:
    what = read.table or "the table"
    if read.bound is Bound.GROWING:
        message = f"All rows of {what} that belong to one record are read at once in the order of time: that list gets longer with every day of use, and so does the answer."
        return Finding("children-without-limit", read.path, message, read.line, read.end_line, Confidence.LOW, cwe=770)
    if read.bound is Bound.PARENT:
        message = f"All rows of {what} that belong to one record are read at once, and no list here has a limit: it gets slower with every day of use."
        return Finding("children-without-limit", read.path, message, read.line, read.end_line, Confidence.LOW, cwe=770)
    message = f"All of {what} is read at once, without a limit or a page: the answer grows with the table until it no longer fits into memory or time."
    return Finding("list-without-limit", read.path, message, read.line, read.end_line, Confidence.MEDIUM, cwe=770)


def _is_aside(facts: FileFacts, scope: int) -> bool:
    """Whether a place is a command, a job, an export or the like."""
    named = {word for part in facts.path.split("/") for word in words(part.rpartition(".")[0] or part)}
    while scope >= 0:
        named |= set(words(facts.definitions[scope].name))
        scope = facts.definitions[scope].parent
    job = _JOBS.search(facts.path) is not None and _ENTRIES.search(facts.path) is None
    return bool(_ASIDE & named) or job or COMMAND.search(facts.path) is not None


def _reading_ways(routes: Routes, syntax: Syntax, project: Project) -> frozenset[tuple[str, int]]:
    """Functions that requests which only read run through, two calls deep."""
    reach = Reach(syntax, project.production)
    found: set[tuple[str, int]] = set()
    for route in routes.routes:
        if route.handler_scope >= 0 and route.method == "GET":
            found.update(reach.surely(route.place.path, route.handler_scope, 2))
    return frozenset(found)


def _on_the_way(facts: FileFacts, row: PerRow, ways: frozenset[tuple[str, int]]) -> bool:
    scope = row.scope
    while scope >= 0:
        if (facts.path, scope) in ways:
            return True
        scope = facts.definitions[scope].parent
    return False
