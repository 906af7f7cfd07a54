"""Query texts are constants; what callers send travels beside them as bound values.

Passing title: Values travel to the database apart from the query text
Failing title: What a caller types becomes part of a database query
Grading: Every text that production code on the server hands to a database is followed to its pieces. One that holds a value of a request, an upload, a file
    or a language model fails the item. One that is put together from the program's own variables or settings is partial,
    and so is a field of a request that stands in a Mongo filter as it came, where an object in its place is an operator. Constants, numbers, placeholders,
    names from a fixed list or checked against one, the program's own environment, and tagged templates that bind are fine. Migrations, tests and scripts do not count.
Done when: No query text in the code holds a variable piece: values are bound, and a table or column that varies is looked up in a fixed list.
What it cannot see: Queries put together in stored procedures, in libraries or at run time from other files' pieces that it cannot follow; those it
    follows to a dead end count as the program's own values. Where a function of the code makes a clause of the query, the clause is left open unless all its pieces are known.
"""

from __future__ import annotations

import re

from auditor.checks.own_values import Origin, OwnValues
from auditor.checks.query_texts import QueryText, query_texts
from auditor.checks.registry import check
from auditor.model.evidence import Stores, ToolHit, ToolHits
from auditor.model.needs import BANDIT, FLOWS, PROJECT, SEMGREP, STORES, SYNTAX, TEXTS
from auditor.model.project import Project
from auditor.model.syntax import FileFacts, ImportKind, Syntax, ValueKind
from auditor.model.verdict import Assessed, Confidence, Finding, NotApplicable
from auditor.words import plural

ITEM = "security.sql-parameterised"
_HALF = 0.5
_SQL = 89
_PROVEN = {_SQL: "sql-injection", 943: "nosql-injection", 90: "directory-injection", 643: "xpath-injection"}
"""CWE number of outside text in a query."""
_DATABASES = re.compile(
    r"^(?:sqlite3|psycopg2?|asyncpg|pymysql|MySQLdb|mysql|aiomysql|aiosqlite|sqlalchemy|sqlmodel|flask_sqlalchemy|databases|tortoise|peewee|playhouse|pony|django\.db|"
    r"pymongo|motor|mongoengine|beanie|odmantic|duckdb|pyodbc|cx_Oracle|oracledb|snowflake|clickhouse_\w+|google\.cloud\.(?:firestore|bigquery|datastore|spanner)|firebase_admin|"
    r"supabase|cassandra|neo4j|dataset|records|edgedb|surrealdb|tinydb|"
    r"(?:node:|bun:)?sqlite|pg(?:-promise)?|mysql2?(?:/promise)?|better-sqlite3|@prisma/client|knex|sequelize(?:-typescript)?|typeorm|drizzle-orm|mongoose|mongodb|postgres|kysely|mssql|"
    r"tedious|objection|ueberdb2|oracledb|neo4j-driver|cassandra-driver|dexie|firebase(?:/firestore|/database)?|firebase-admin|@supabase/[\w-]+|@neondatabase/serverless|"
    r"@vercel/postgres|@planetscale/database|@libsql/client|@mikro-orm/\w+|@clickhouse/client|@google-cloud/(?:firestore|bigquery|datastore|spanner)|sql\.js|expo-sqlite)(?:[./]|$)"
)


_VALIDATION = re.compile(
    r"^(?:express-mongo-sanitize|mongo-sanitize|celebrate|express-validator|express-joi-validation|express-openapi-validator|@?hapi/joi|joi|zod|yup|ajv|class-validator|"
    r"superstruct|valibot|runtypes|io-ts|@sinclair/typebox|fastify)(?:/|$)"
)
_KEY_VALUE = re.compile(r"\.(?:get|set|all|run|each|findKeys|getSub|remove)\s*\(")
_QUERY_WORDS = re.compile(r"\b(?:select|insert|update|delete|where|from|values|execute|raw|query)\b", re.IGNORECASE)


@check(ITEM, needs=(FLOWS,), corroborating=(SEMGREP, SYNTAX, PROJECT, TEXTS, BANDIT), optional=(STORES,))
def sql_parameterised(  # noqa: PLR0917 - one parameter per kind of evidence
    flows: ToolHits, semgrep: ToolHits, syntax: Syntax, project: Project, texts: dict[str, str], bandit: ToolHits, stores: Stores | None
) -> Assessed | NotApplicable:
    """Follow every query text to its pieces."""
    server = project.server
    files = syntax.of(server)
    suspected = [
        hit
        for tool in (semgrep, bandit)
        for hit in tool.of(ITEM)
        if not flows.settles(hit) and not flows.composed_at(hit.path, hit.line, hit.end_line, hit.cwe)
    ]
    validated = _validates_bodies(syntax.of(project.production))
    followed = [hit for hit in flows.of(ITEM) if hit.rule != "nosql-operator" or not validated]
    hits = [hit for hit in (*followed, *suspected) if hit.path in server and _counts(hit, texts)]
    origins = OwnValues(syntax, project.production, texts)
    queries = query_texts(files)
    if not queries and not hits and not _has_store(syntax.of(project.production), stores):
        return NotApplicable("No database is queried: the code imports no database library and holds no query.")
    doubtful = tuple(
        query
        for query in queries
        if not flows.settled_at(query.path, query.line, query.end_line, _SQL)
        and not flows.composed_at(query.path, query.line, query.end_line, _SQL)
    )
    findings = _findings(doubtful, hits, origins)
    composed = tuple(query for query in queries if flows.composed_at(query.path, query.line, query.end_line, _SQL))
    worst = max((_weight(finding) for finding in findings), default=0.0)
    total = max(len(queries), len(findings))
    return Assessed(
        bad=sum(_weight(finding) for finding in findings),
        total=total,
        floor=worst,
        summary=_summary(findings, total),
        findings=tuple(sorted(findings, key=lambda finding: -_weight(finding))),
        signals=(f"{plural(len(queries), 'query text')} followed to {'its' if len(queries) == 1 else 'their'} pieces",),
        unexamined=tuple(
            (query.path, f"line {query.line}: functions of the code put pieces of the query together, and not all of theirs were followed")
            for query in composed
        ),
        confidence=min(
            (finding.confidence for finding in findings if _weight(finding) == worst), default=Confidence.HIGH, key=list(Confidence).index
        ),
    )


def _has_store(files: tuple[FileFacts, ...], stores: Stores | None) -> bool:
    if stores is not None and (stores.relational or stores.document):
        return True
    return any(_DATABASES.match(entry.module) for facts in files for entry in facts.imports if entry.kind is not ImportKind.TYPE_ONLY)


def _validates_bodies(files: tuple[FileFacts, ...]) -> bool:
    """Whether the program has a library that makes sure a field is a text; which routes it stands before is not looked into."""
    return any(_VALIDATION.match(entry.module) for facts in files for entry in facts.imports)


def _counts(hit: ToolHit, texts: dict[str, str]) -> bool:
    """Bandit is unsure of every text that begins like a query, web pages included; and `get` or `run` may be no query at all."""
    if hit.grade == "note" or hit.confidence is Confidence.LOW:
        return False
    code = "\n".join(texts.get(hit.path, "").split("\n")[hit.line - 1 : hit.end_line])[:2_000]
    return not _KEY_VALUE.search(code) or _QUERY_WORDS.search(code) is not None


def _findings(queries: tuple[QueryText, ...], hits: list[ToolHit], origins: OwnValues) -> list[Finding]:
    """One finding per place: what a rule proves counts first, then what the pieces show, then what a tool suspects elsewhere."""
    found: dict[tuple[str, int], Finding] = {}
    for hit in hits:
        if hit.grade == "fail" or hit.rule == "python-query-is-request":
            found[hit.path, hit.line] = _of_hit(hit)
    places: set[tuple[str, int]] = set()
    for query in queries:
        own = {(query.path, line) for line in (*range(query.line, query.end_line + 1), query.made_line)}
        places |= own
        origin = origins.of(query.value, query.path, query.scope, query.line)
        if origin is not Origin.CONSTANT and not own & found.keys():
            found[query.path, query.line] = _of_query(query, origin)
    for hit in hits:
        seen = {(hit.path, line) for line in range(hit.line, hit.end_line + 1)}
        if not seen & (places | found.keys()):
            found[hit.path, hit.line] = _of_hit(hit)
    return [found[key] for key in sorted(found)]


def _of_hit(hit: ToolHit) -> Finding:
    detector = (
        "bandit" if hit.rule.startswith("B6") else "semgrep" if hit.rule.startswith(("python-", "javascript-", "typescript-")) else "flows"
    )
    rule = _PROVEN.get(hit.cwe, _PROVEN[_SQL]) if hit.grade == "fail" else "assembled-query"
    return Finding(rule, hit.path, hit.message, hit.line, hit.end_line, hit.confidence, detector, hit.cwe)


def _of_query(query: QueryText, origin: Origin) -> Finding:
    if origin is Origin.FOREIGN:
        message = "What somebody else wrote, into a file or to a language model, becomes part of this query text; one apostrophe breaks the query, a crafted value reads or destroys the database."
        return Finding(_PROVEN[_SQL], query.path, message, query.line, query.end_line, Confidence.MEDIUM, cwe=89)
    if query.value.kind is ValueKind.NAME and not query.assembled:
        message = "This query is not written in the code: its whole text comes from a setting or a record, and whoever may change that can run any query."
        return Finding("stored-query", query.path, message, query.line, query.end_line, Confidence.LOW, cwe=89)
    message = "This query text is put together from variables of the program; the day one of them comes from a visitor, they can read or destroy the database."
    return Finding("assembled-query", query.path, message, query.line, query.end_line, Confidence.MEDIUM, cwe=89)


def _weight(finding: Finding) -> float:
    return 1.0 if finding.rule in _PROVEN.values() else _HALF


def _summary(findings: list[Finding], total: int) -> str:
    outside = sum(_weight(finding) == 1 for finding in findings)
    if outside:
        return (
            f"{plural(outside, 'query', 'queries')} of {total:,} hold{'s' if outside == 1 else ''} what a caller sends as part of the text."
        )
    if findings:
        return f"{plural(len(findings), 'query', 'queries')} of {total:,} {'is' if len(findings) == 1 else 'are'} put together from the program's own variables."
    return (
        f"None of {plural(total, 'query text')} holds a variable piece; the rest goes through a query builder."
        if total
        else "All queries go through a query builder that binds values."
    )
