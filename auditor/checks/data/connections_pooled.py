"""Database connections: made once and lent to everybody, or made again with every request; given back, or left open.

Passing title: Requests share a few connections to the database
Failing title: Every request makes its own way to the database
Grading: Looked at is every place that makes a pool, an engine, a client or a connection to a database server. It fails when a request makes one anew (a single one that is closed
    again, beside a pool for everything else, is partial). Partial is also: the same client made by several modules, so that one process holds several pools; a client on a host for
    functions that goes to the database server directly, without a pooler in between; a mapper's session or a pool's connection that is not given back; a client that every reload of
    a development server makes anew. One connection or pool for a whole process is right for programs that run for long, with the defaults of the driver.
Done when: One module makes the pool, its size times the number of processes stays below what the database allows, functions go through a pooler, and each session is closed by a context manager.
What it cannot see: The address that is really used (a pooler may be behind it), how many processes run, the limit of the database, and connections that a library makes for itself.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.checks.connection_purposes import answers_requests
from auditor.checks.database_handles import Handle, Shape, database_handles, prisma_opens_file
from auditor.checks.lifetimes import Lifetime, Lifetimes
from auditor.checks.outgoing_python import expand, imported
from auditor.checks.processes import COMMAND, run_as_functions
from auditor.checks.registry import check
from auditor.checks.releases import Fate, fate
from auditor.model.artifacts import Deployment
from auditor.model.evidence import Routes, Stores
from auditor.model.needs import DEPLOYMENT, PROJECT, ROUTES, STORES, SYNTAX, TEXTS
from auditor.model.project import RUNNING, Project
from auditor.model.syntax import Call, FileFacts, Syntax
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable, Place, Undecided
from auditor.words import listed, plural

_FAIL, _ONE_OF_MANY, _PARTIAL, _WEAK = 0.8, 0.5, 0.4, 0.2
_MARKUP = (".vue", ".svelte", ".tsx", ".jsx")
_IDEMPOTENT = re.compile(
    r"^(?:mongoose\.)?connect$|Module\.forRoot(?:Async)?$|^SQLAlchemy$|^PyMongo$|^MongoEngine$|register_tortoise$|Tortoise\.init$|^peewee\.|Database$"
)
"""Makers that go on with the connection there is, or register themselves with the application."""
_POOLER = re.compile(
    r"pgbouncer|:6543\b|-pooler\.|pooler\.supabase|prisma\+postgres://|prisma://|extension-accelerate|withAccelerate|\bdirectUrl\b|\bDIRECT_(?:DATABASE_)?URL\b|DATABASE_URL_UNPOOLED|POSTGRES_PRISMA_URL|POSTGRES_URL_NON_POOLING|"
    r"connection_limit=|rds-?proxy|hyperdrive|attachDatabasePool|pgcat|odyssey|supavisor|proxysql|NullPool",
    re.IGNORECASE,
)
_ONE = re.compile(r"\bmax\s*:\s*[12]\b|connectionLimit\s*:\s*[12]\b|maxPoolSize\s*[:=]\s*\d|pool_size\s*=\s*[12]\b|\bpoolclass\b")
_INSIDE = re.compile(
    r"^(?:ueberdb2|redbean-node|typeorm|sequelize|knex|drizzle-orm|django|sqlalchemy|sqlmodel|tortoise|peewee|prisma|@prisma/client)(?:[./]|$)"
)
"""Libraries that make connections; where none was seen to be made, they make them somewhere out of sight."""
_HTTP_DRIVERS = re.compile(
    r"@neondatabase/serverless|@prisma/adapter-neon|@planetscale/database|@prisma/adapter-planetscale|drizzle-orm/neon-http|@prisma/client/edge"
)
_HOSTED = re.compile(
    r"^(?:npm:|https?://\S*/)?@?(?:supabase|firebase|firebase[-_]admin|upstash|aws-sdk/client-dynamodb|convex|appwrite|pocketbase|google\.cloud\.firestore)(?:[./@]|$)"
)
_POOLER_FILES = re.compile(r"(?:^|/)(?:\.env[\w.-]*|[\w.-]*\.(?:prisma|ya?ml|toml|json|md|ts|js|mjs|py|ini))$")
_FILES = re.compile(
    r"^(?:aio)?sqlite3?$|^better-sqlite3$|^node:sqlite$|^bun:sqlite$|^sqlalchemy|^sqlmodel$|^django|^flask_sqlalchemy$|^peewee$|^@libsql/"
)
_DJANGO_SERVER = re.compile(
    r"django\.db\.backends\.(?:postgresql|mysql|oracle)|django\.contrib\.gis\.db\.backends\.(?:postgis|mysql)|dj_database_url|\benv(?:iron)?\.db(?:_url)?\("
)
_SESSION_MAKERS = frozenset(
    {"sqlalchemy.orm.sessionmaker", "sqlalchemy.ext.asyncio.async_sessionmaker", "sqlalchemy.orm.session.sessionmaker", "sqlalchemy.ext.asyncio.session.async_sessionmaker"}
)  # fmt: skip
_SESSIONS = frozenset({"sqlalchemy.orm.Session", "sqlmodel.Session", "sqlalchemy.ext.asyncio.AsyncSession", "sqlmodel.ext.asyncio.session.AsyncSession", "sqlalchemy.orm.session.Session"})  # fmt: skip
_BORROWS = re.compile(r"(?:^|[._])(?:pool|pgPool|db_?pool|connection_?pool|\w*Pool)\.(?:connect|getConnection|acquire|getconn)$")
_MESSAGES = {
    "connection-per-request": "{request} makes a connection to the database of its own ({what}): at some dozens of visitors the server refuses more, to everybody.",
    "pool-per-request": "{request} makes a whole pool of connections of its own ({what}): each request leaves several behind, until the database refuses more to everybody.",
    "client-in-several-modules": "{what} is made here and in {others}: one process holds a pool for each of them, where one for all is enough.",
    "function-without-pooler": "{what} goes straight to the database server from functions: each of the many instances holds its own connections, and nothing between bundles them.",
    "session-left-open": "The session that {what} opens here is never closed: its connection stays lent until the garbage collector comes by, and the pool runs dry under load.",
    "connection-not-given-back": "The connection that {what} lends is never given back: after as many calls as the pool is large, every request waits for ever.",
    "client-made-on-reload": "Each reload of the development server makes another {what}: it is not kept at the global object.",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One place; `weight` is the least badness it stands for."""

    rule: str
    handle: Handle
    weight: float
    message: str


@check("data.connections-pooled", needs=(PROJECT, TEXTS, SYNTAX), corroborating=(ROUTES,), optional=(STORES, DEPLOYMENT))
def connections_pooled(  # noqa: PLR0917 - evidence comes by position
    project: Project, texts: dict[str, str], syntax: Syntax, routes: Routes, stores: Stores | None, deployment: Deployment | None
) -> Judgement:
    """Find what is made, then how long it lives and whether it is given back."""
    if not project.has(*RUNNING):
        return NotApplicable("Nothing here runs for long and answers several people: there are no connections to share.")
    paths = frozenset(path for path in project.server if not COMMAND.search(path))
    files = syntax.of(paths)
    handles = database_handles(files, texts)
    django = _django(files)
    if not handles and django is None:
        return _without(files, texts, stores)
    lifetimes = Lifetimes(syntax, paths, routes)
    lives = {handle: Lifetime.PROCESS if _IDEMPOTENT.search(handle.named) else lifetimes.of(handle.path, handle.call) for handle in handles}
    faults = [
        *_per_request(handles, lives, lifetimes, syntax, texts),
        *_several(handles, lives, syntax),
        *_from_functions(handles, lives, project, deployment, syntax, texts),
        *_reloaded(handles, lives, project, texts),
        *_left_open(files, lifetimes, texts),
    ]
    unread = tuple(
        (facts.path, f"does not parse (line {facts.error_line})")
        for facts in files
        if facts.error_line and not facts.path.endswith(_MARKUP)
    )
    return _assessed(handles, lives, faults, django, unread)


def _assessed(
    handles: tuple[Handle, ...],
    lives: dict[Handle, Lifetime],
    faults: list[Fault],
    django: Place | None,
    unread: tuple[tuple[str, str], ...],
) -> Judgement:
    shared = [handle for handle in handles if lives[handle] is Lifetime.PROCESS]
    total = len(handles) + (1 if django is not None else 0)
    faults = sorted(faults, key=lambda fault: (-fault.weight, fault.handle.path, fault.handle.line))
    evidence = tuple(Place(handle.path, handle.line) for handle in shared[:3]) or ((django,) if django is not None else ())
    return Assessed(
        bad=0,
        total=0,
        floor=max((fault.weight for fault in faults), default=0.0),
        summary=_summary(faults, shared, django),
        findings=tuple(
            Finding(
                fault.rule,
                fault.handle.path,
                fault.message,
                fault.handle.line,
                fault.handle.call.end_line,
                Confidence.MEDIUM,
                cwe=_CWES.get(fault.rule, 0),
            )
            for fault in faults
        ),
        evidence=evidence,
        unexamined=unread,
        signals=(
            f"places that make a pool, a client or a connection: {total}",
            f"made once for the process: {len(shared) + (1 if django is not None else 0)}; with each request: {sum(1 for life in lives.values() if life is Lifetime.REQUEST)}",
        ),
        confidence=Confidence.MEDIUM,
    )


_CWES = {
    "connection-per-request": 1072,
    "pool-per-request": 1072,
    "session-left-open": 772,
    "connection-not-given-back": 772,
    "function-without-pooler": 1072,
}


def _summary(faults: list[Fault], shared: list[Handle], django: Place | None) -> str:
    if faults:
        kinds = listed(sorted({fault.rule.replace("-", " ") for fault in faults}))
        return f"{plural(len(faults), 'place')} that {'makes' if len(faults) == 1 else 'make'} or {'keeps' if len(faults) == 1 else 'keep'} more connections than needed: {kinds}."
    if shared:
        return f"Connections to the database are made once for the process ({listed(sorted({handle.named.removeprefix('new ') for handle in shared}))}) and lent from there."
    if django is not None:
        return "Django opens one connection a worker and closes it by itself."
    return "No request was seen to make a connection of its own."


def _without(files: tuple[FileFacts, ...], texts: dict[str, str], stores: Stores | None) -> Judgement:
    modules = {entry.module for facts in files for entry in facts.imports}
    hosted = sorted(module for module in modules if _HTTP_DRIVERS.search(module) or _HOSTED.match(module))
    if hosted:
        return NotApplicable(f"The database is asked through a hosted service ({hosted[0]}), which keeps the connections itself.")
    if stores is not None and stores.relational and (prisma_opens_file(texts) or any(_FILES.search(module) for module in modules)):
        return NotApplicable("The database is a file: no connection goes over a network.", stores.relational[:1])
    inside = sorted(module for module in modules if _INSIDE.search(module))
    if inside:
        return Undecided(
            f"{inside[0]} is used here, but the place where its connections are made was not found.",
            stores.relational[:2] if stores is not None else (),
        )
    return NotApplicable("No connection to a database server is made here.")


def _django(files: tuple[FileFacts, ...]) -> Place | None:
    """Where Django's settings name a database server: it opens a connection for each worker and closes it by itself."""
    settings = [
        Place(facts.path, a.line) for facts in files for a in facts.assignments if a.scope < 0 and a.target.partition("[")[0] == "DATABASES"
    ]
    if not settings:
        return None
    texts = (text for facts in files for text in (*(entry.text for entry in facts.literals), *(f"{call.callee}(" for call in facts.calls)))
    return settings[0] if any(_DJANGO_SERVER.search(text) for text in texts) else None


# -- with every request ------------------------------------------------------------------------------------------------------------------


def _per_request(
    handles: tuple[Handle, ...], lives: dict[Handle, Lifetime], lifetimes: Lifetimes, syntax: Syntax, texts: dict[str, str]
) -> Iterator[Fault]:
    shared = any(life is Lifetime.PROCESS for life in lives.values())
    made = [
        handle for handle in handles if lives[handle] is Lifetime.REQUEST and answers_requests(syntax.files[handle.path], handle, lifetimes)
    ]
    for handle in made:
        closed = fate(syntax.files[handle.path], handle.call, texts.get(handle.path, "")) is Fate.RELEASED
        weight = _ONE_OF_MANY if shared and closed and len(made) == 1 else _FAIL
        rule = "pool-per-request" if handle.shape is Shape.POOL and not closed else "connection-per-request"
        request = lifetimes.request(handle.path, handle.scope) or "A request"
        yield Fault(rule, handle, weight, _MESSAGES[rule].format(request=request, what=handle.named.removeprefix("new ")))


# -- several pools in one process ----------------------------------------------------------------------------------------------------------


def _several(handles: tuple[Handle, ...], lives: dict[Handle, Lifetime], syntax: Syntax) -> Iterator[Fault]:
    """The same client, made for the process by several modules with the same arguments."""
    alike: defaultdict[tuple[str, str], list[Handle]] = defaultdict(list)
    for handle in handles:
        if handle.scope < 0 and lives[handle] is Lifetime.PROCESS and not _IDEMPOTENT.search(handle.named):
            address = handle.call.arguments[0].value.text if handle.call.arguments else ""
            alike[handle.named, address].append(handle)
    for (named, _), same in alike.items():
        paths = sorted({handle.path for handle in same})
        if len(paths) < 2 or not all(_is_used(syntax.files[path]) for path in paths):
            continue
        first = same[0]
        others = listed(paths[1:], 2)
        message = _MESSAGES["client-in-several-modules"].format(what=named.removeprefix("new "), others=others)
        yield Fault("client-in-several-modules", first, min(0.55, 0.2 + 0.1 * len(paths)), message)


def _is_used(facts: FileFacts) -> bool:
    """A module that does nothing but start (a worker, a script with a main part) is a process of its own."""
    return facts.main_lines == (0, 0)


# -- functions ---------------------------------------------------------------------------------------------------------------------------


def _from_functions(  # noqa: PLR0917 - the evidence of one judgement
    handles: tuple[Handle, ...],
    lives: dict[Handle, Lifetime],
    project: Project,
    deployment: Deployment | None,
    syntax: Syntax,
    texts: dict[str, str],
) -> Iterator[Fault]:
    direct = [
        handle
        for handle in handles
        if lives[handle] is not Lifetime.REQUEST
        and run_as_functions(handle.path, project, deployment)
        and not _is_small(syntax.files[handle.path], handle)
    ]
    if not direct or any(_POOLER.search(texts[path][:200_000]) for path in sorted(texts) if _POOLER_FILES.search(path)):
        return
    handle = direct[0]
    yield Fault(
        "function-without-pooler", handle, _PARTIAL, _MESSAGES["function-without-pooler"].format(what=handle.named.removeprefix("new "))
    )


def _is_small(facts: FileFacts, handle: Handle) -> bool:
    """Whether the client is kept to one or two connections, or speaks HTTP in truth."""
    texts = [argument.value.text for argument in handle.call.arguments]
    return any(_ONE.search(text) for text in texts) or any(_HTTP_DRIVERS.search(entry.module) for entry in facts.imports)


def _reloaded(handles: tuple[Handle, ...], lives: dict[Handle, Lifetime], project: Project, texts: dict[str, str]) -> Iterator[Fault]:
    """Prisma in Next.js: modules are read anew with each change, what they made stays."""
    for handle in handles:
        plain = handle.named == "new PrismaClient" and handle.scope < 0 and lives[handle] is Lifetime.PROCESS
        if plain and project.part_of(handle.path).uses("nextjs") and "global" not in texts.get(handle.path, ""):
            yield Fault("client-made-on-reload", handle, _WEAK, _MESSAGES["client-made-on-reload"].format(what="PrismaClient"))
            return


# -- given back --------------------------------------------------------------------------------------------------------------------------


def _left_open(files: tuple[FileFacts, ...], lifetimes: Lifetimes, texts: dict[str, str]) -> Iterator[Fault]:
    """Sessions of a mapper and connections of a pool that a function opens and nobody closes."""
    factories = _factories(files)
    opened: list[tuple[FileFacts, Call, str]] = []
    for facts in files:
        full = imported(facts) if facts.path.endswith((".py", ".pyw")) else {}
        for call in facts.calls:
            if call.scope < 0:
                continue
            if full and (call.callee.rpartition(".")[2] in factories or expand(full, call.callee) in _SESSIONS):
                opened.append((facts, call, "session-left-open"))
            elif _BORROWS.search(call.callee) and call.used:
                opened.append((facts, call, "connection-not-given-back"))
    left = [(facts, call, rule) for facts, call, rule in opened if _is_left(facts, call, texts, lifetimes)]
    weight = 0.65 if left and len(left) * 2 > len(opened) and len(left) > 1 else _PARTIAL
    for facts, call, rule in left:
        handle = Handle(facts.path, call.line, call.scope, Shape.CONNECTION, call.callee, call)
        yield Fault(rule, handle, weight, _MESSAGES[rule].format(what=call.callee.removeprefix("new ")))


def _factories(files: tuple[FileFacts, ...]) -> frozenset[str]:
    """Names of the session makers of the program."""
    return frozenset(
        call.target
        for facts in files
        if facts.path.endswith((".py", ".pyw"))
        for call in facts.calls
        if call.scope < 0 and call.target.isidentifier() and expand(imported(facts), call.callee) in _SESSION_MAKERS
    )


def _is_left(facts: FileFacts, call: Call, texts: dict[str, str], lifetimes: Lifetimes) -> bool:
    """Whether nobody closes it: neither here nor, where a dependency returns it, the framework."""
    what = fate(facts, call, texts.get(facts.path, ""))
    if what is Fate.HANDED_ON:
        return _is_dependency(facts, call.scope, texts)
    return what is Fate.LEFT_OPEN and bool(lifetimes.request(facts.path, call.scope))


def _is_dependency(facts: FileFacts, scope: int, texts: dict[str, str]) -> bool:
    """Whether a function is handed to FastAPI as a dependency: what such a function returns, and does not yield, is never closed."""
    name = facts.definitions[scope].name
    pattern = re.compile(rf"\bDepends\(\s*(?:\w+\.)*{re.escape(name)}\s*\)")
    return bool(name) and any(path.endswith(".py") and pattern.search(text) for path, text in texts.items())
