"""State that lives in one process or on one machine's disk: sessions and registries in memory, uploads and records in local files, sockets without a common channel."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from auditor.checks.processes import COMMAND
from auditor.checks.reach import Reach, within
from auditor.model.evidence import Route, Routes
from auditor.model.syntax import Call, FileFacts, Syntax, Value, ValueKind

_DEPTH = 3
_COMMON_CHANNEL = re.compile(r"(?:^|\.)(?:createAdapter|adapter|setupPrimary)$|Redis(?:Manager|PubSub)$|PostgresPubSub$|KafkaPubSub$")
_ONE_PROCESS = frozenset(
    {
        ("socket.io", "Server"),
        ("socket.io", "default"),
        ("socketio", "Server"),
        ("socketio", "AsyncServer"),
        ("graphql-subscriptions", "PubSub"),
    }
)
"""Makers (module, name) of what reaches only those who are connected to the same process."""
_MEMORY_NAME = re.compile(
    r"session|token(?!iz)|otp|nonce|verification|reset_?codes?|cart|basket|room|game|lobby|player|online|presence|conversation|chat_?(?:history|messages)|attempts|rate_?limit|(?:request|hit)_?counts?|jobs?$|tasks?$|progress|pending",
    re.IGNORECASE,
)
"""Names of registries whose entries a visitor needs again with the next request."""
_CONNECTIONS = re.compile(r"connection|socket|subscriber|client|listener", re.IGNORECASE)
_PASSING = re.compile(
    r"cache|memo|lock|timer|handler|registry|plugin|config|module|factory|schema|template|_types?$|mapping|strateg|provider|interval|timeout|inflight|in_flight|abort|mutex|debounce",
    re.IGNORECASE,
)
_EMPTY_MAKERS = re.compile(r"^(?:new )?(?:Map|Set|WeakMap|dict|list|set|defaultdict|OrderedDict|collections\.(?:defaultdict|OrderedDict))$")
_PUTS = re.compile(r"^(?:set|add|push|append|setdefault|update|insert|unshift)$")
_DISK_WRITES = re.compile(
    r"(?:^|\.)(?:writeFile|writeFileSync|appendFile|appendFileSync|createWriteStream|write_bytes|write_text|copyfileobj|save_upload|outputFile|outputJson|writeJson|writeJsonSync)$"
)
_OPENS = re.compile(r"^(?:open|aiofiles\.open|io\.open|codecs\.open)$")
_PASSING_FILE = re.compile(
    r"te?mp|cache|log|/dev/|lock|pid\b|sock\b|report|export|seed|sample|fixture|manifest|settings|config|secret|key\b|\.env|backup|preview|thumb|debug|dump",
    re.IGNORECASE,
)
_REMOVES = re.compile(r"(?:^|\.)(?:unlink|unlinkSync|remove|rm|rmSync|rmtree|cleanup)$")
_SAVES_FILE = re.compile(r"(?:^|\.)(?:file|upload\w*|image|photo|avatar|f)\.save$")
_UPLOAD_LAYER = re.compile(r"upload|Files?Interceptor|multer", re.IGNORECASE)
_UPLOAD_TYPE = re.compile(r"UploadFile|Multer\.File|FileStorage")
_SENT_FILE = re.compile(r"^(?:req|request|ctx\.req|ctx\.request)\.files?(?:$|[.\[(])|\.formData\(?")
_AS_JSON = re.compile(r"JSON\.stringify|json\.dumps")
_SESSION_MAKERS = frozenset({"express-session", "fastify-session", "@fastify/session"})
_SESSION_SETTING = re.compile(r"\bSESSION_(?:TYPE|ENGINE)\b")
_LOCAL_SESSIONS = re.compile(r"^(?:filesystem|cachelib)$|sessions\.backends\.file$", re.IGNORECASE)
_OBJECT_STORES = re.compile(
    r"^(?:boto3|aioboto3|aiobotocore|botocore|minio|storages|s3fs|google\.cloud\.storage|azure\.storage|cloudinary|django_storages|@aws-sdk/client-s3|@aws-sdk/lib-storage|aws-sdk|multer-s3|@google-cloud/storage|@azure/storage-blob|@vercel/blob|uploadthing|@supabase/storage-js|multer-storage-cloudinary)(?:[./]|$)"
)


@dataclass(frozen=True, slots=True)
class State:
    """One piece of state: `rule` says of which kind, `what` names it; `data`: users' own data, not only what they are doing."""

    rule: str
    path: str
    line: int
    what: str
    data: bool = False


def states_of(syntax: Syntax, paths: frozenset[str], routes: Routes, *, stores: bool) -> list[State]:
    """Everything one process or machine keeps for itself; `stores`: the product has a database, so that lists in memory are not its records."""
    files = syntax.of(paths)
    handlers = {(r.place.path, r.handler_scope): r.method for r in routes.routes if r.handler_scope >= 0}
    reached = _reached(syntax, paths, handlers)
    found = [
        state for facts in files for state in (*_sessions(facts), *_registries(facts, handlers, reached, stores=stores), *_multer(facts))
    ]
    found += _sockets(files)
    if not keeps_objects_outside(files):
        found += _file_fields(files)
        found += _written(syntax, paths, routes)
    else:
        found = [state for state in found if state.rule != "uploads-on-local-disk"]
    return sorted(dict.fromkeys(found), key=lambda s: (s.path, s.line, s.rule))


def keeps_objects_outside(files: tuple[FileFacts, ...]) -> bool:
    """Whether the product can keep files in an object store."""
    return (
        any(_OBJECT_STORES.match(entry.module) for facts in files for entry in facts.imports)
        or any("storage.from()" in call.callee for facts in files for call in facts.calls)
        or any(
            each.value is not None and re.search(r"storages\.backends|S3|GoogleCloud|AzureStorage", each.value.text)
            for facts in files
            for each in facts.assignments
            if each.target in {"STORAGES", "DEFAULT_FILE_STORAGE"}
        )
    )


# -- sessions and registries in memory ---------------------------------------------------------------------------------------------------


def _sessions(facts: FileFacts) -> Iterator[State]:
    makers = {local for entry in facts.imports if entry.module in _SESSION_MAKERS for _, local in entry.names}
    for call in facts.calls:
        options = call.argument("", 0) if call.callee in makers else None
        if options is not None and options.kind is ValueKind.COLLECTION and options.item("store") is None and options.item("...") is None:
            yield State("session-in-memory", facts.path, call.line, "express-session")
    for each in facts.assignments:
        if (
            each.value is not None
            and (named := _SESSION_SETTING.search(each.target)) is not None
            and _LOCAL_SESSIONS.search(each.value.literal)
        ):
            yield State("session-on-local-disk", facts.path, each.line, named[0])


def _reached(syntax: Syntax, paths: frozenset[str], handlers: dict[tuple[str, int], str]) -> frozenset[tuple[str, int]]:
    """(file, definition) of everything that handlers run, with what is nested in it."""
    reach = Reach(syntax, paths)
    ran = {each for path, scope in handlers if path in paths for each in reach.functions(path, scope, _DEPTH)}
    return frozenset((path, inner) for path, scope in ran for inner in within(syntax.files[path], scope))


def _registries(
    facts: FileFacts, handlers: dict[tuple[str, int], str], reached: frozenset[tuple[str, int]], *, stores: bool
) -> Iterator[State]:
    """Empty collections of a module that functions fill."""
    for each in facts.assignments:
        name = each.target
        if each.scope >= 0 or not _is_empty(each.value) or not re.fullmatch(r"\w+", name) or _PASSING.search(name):
            continue
        fillers = [scope for scope in _fillers(facts, name) if (facts.path, scope) in reached]
        if not fillers:
            continue
        if any(handlers.get((facts.path, scope)) in {"POST", "PUT", "PATCH"} for scope in fillers) and not stores:
            yield State("records-in-memory", facts.path, each.line, name, data=True)
        elif _MEMORY_NAME.search(name):
            yield State("registry-in-memory", facts.path, each.line, name)
        elif _CONNECTIONS.search(name):
            yield State("connections-in-memory", facts.path, each.line, name)


def _is_empty(value: Value | None) -> bool:
    if value is None:
        return False
    if value.kind is ValueKind.COLLECTION:
        return not value.items
    return (
        value.kind is ValueKind.CALL
        and bool(_EMPTY_MAKERS.match(value.literal))
        and not any(i.kind is ValueKind.COLLECTION and i.items for _, i in value.items)
    )


def _fillers(facts: FileFacts, name: str) -> list[int]:
    """The functions that put something into a collection."""
    puts = [
        call.scope
        for call in facts.calls
        if call.scope >= 0 and call.callee.rpartition(".")[0] == name and _PUTS.match(call.callee.rpartition(".")[2])
    ]
    return puts + [each.scope for each in facts.assignments if each.scope >= 0 and each.target.startswith(f"{name}[")]


def _sockets(files: tuple[FileFacts, ...]) -> Iterator[State]:
    """Socket.IO servers and channels of subscriptions that only one process hears."""
    if any(_COMMON_CHANNEL.search(call.callee) for facts in files for call in facts.calls):
        return
    for facts in files:
        given = {local: (entry.module, name) for entry in facts.imports for name, local in entry.names}
        for call in facts.calls:
            first, _, last = call.callee.removeprefix("new ").partition(".")
            module, name = given.get(first, ("", ""))
            if (module, last or name) in _ONE_PROCESS and call.argument("client_manager") is None:
                yield State("sockets-of-one-process", facts.path, call.line, call.callee.removeprefix("new "))
        for definition in facts.definitions:
            if any(mark.callee == "WebSocketGateway" for mark in definition.decorators):
                yield State("sockets-of-one-process", facts.path, definition.line, definition.name)


# -- files on the local disk -------------------------------------------------------------------------------------------------------------


def _multer(facts: FileFacts) -> Iterator[State]:
    for call in facts.calls:
        options = call.argument("", 0)
        target = options.item("dest") if call.callee == "multer" and options is not None else options
        if call.callee in {"multer.diskStorage", "diskStorage", "multer"} and target is not None and not _PASSING_FILE.search(target.text):
            yield State("uploads-on-local-disk", facts.path, call.line, call.callee, data=True)


def _file_fields(files: tuple[FileFacts, ...]) -> Iterator[State]:
    """Fields of Django models whose files go where the default storage keeps them: the local disk."""
    for facts in files:
        if "/migrations/" in f"/{facts.path}":
            continue
        for each in facts.assignments:
            if (
                each.value is not None
                and each.scope >= 0
                and re.fullmatch(r"models\.(?:File|Image)Field", each.value.literal)
                and each.value.item("storage") is None
            ):
                yield State("uploads-on-local-disk", facts.path, each.line, each.target, data=True)


def _written(syntax: Syntax, paths: frozenset[str], routes: Routes) -> Iterator[State]:
    """Files that handlers write and leave: what users sent, or records kept as JSON."""
    reach = Reach(syntax, paths)
    for route in routes.routes:
        path, scope = route.place.path, route.handler_scope
        if route.method not in {"POST", "PUT", "PATCH", "ANY"} or scope < 0 or path not in paths:
            continue
        calls = list(reach.calls(path, scope, 2))
        if any(_REMOVES.search(call.callee) for _, call in calls):
            continue  # a file of the moment
        brings = _brings_file(syntax.files[path], route)
        left = (each for each in calls if _leaves_file(each[1]) and (brings or _keeps_records(each[1])) and not COMMAND.search(each[0]))
        for place, call in islice(left, 1):
            yield State("files-on-local-disk", place, call.line, call.callee, data=True)


def _brings_file(facts: FileFacts, route: Route) -> bool:
    """Whether a request to a handler carries a file."""
    inside = within(facts, route.handler_scope)
    given = (p.annotation for index in inside for p in facts.definitions[index].parameters)
    names = (name for call in facts.calls if call.scope in inside for a in call.arguments for name in a.value.names)
    values = (name for each in facts.assignments if each.scope in inside and each.value is not None for name in each.value.names)
    return (
        any(_UPLOAD_LAYER.search(name) for name in route.through)
        or any(_UPLOAD_TYPE.search(each) for each in given)
        or any(_SENT_FILE.search(name) for name in (*names, *values))
    )


def _keeps_records(call: Call) -> bool:
    """Whether a call writes a whole structure as JSON: a database of a kind."""
    return any(_AS_JSON.search(argument.value.text) for argument in call.arguments)


def _leaves_file(call: Call) -> bool:
    shown = " ".join(argument.value.text for argument in call.arguments)
    if _PASSING_FILE.search(f"{call.callee} {shown}"):
        return False
    if _OPENS.match(call.callee) or (call.callee.endswith(".open") and "b" in shown):
        mode = call.argument("mode", 0 if "." in call.callee and not _OPENS.match(call.callee) else 1)
        return mode is not None and mode.kind is ValueKind.STRING and mode.literal[:1] in {"w", "a", "x"}
    if _DISK_WRITES.search(call.callee):
        return True
    return bool(_SAVES_FILE.search(call.callee)) and bool(call.arguments)


# -- databases that are a file ---------------------------------------------------------------------------------------------------------

_SQLITE_ADDRESS = re.compile(r"^sqlite(?:\+\w+)?:///(?!:memory:)(?=\S)")
_SQLITE_CALL = re.compile(
    r"^(?:sqlite3|aiosqlite)\.connect$|^new (?:BetterSqlite3|DatabaseSync|sqlite3(?:\.verbose\(\))?\.Database|Database)$"
)
_SQLITE_MODULES = frozenset({"sqlite3", "aiosqlite", "better-sqlite3", "node:sqlite", "bun:sqlite"})
_SERVER_DRIVERS = re.compile(
    r"^(?:psycopg2?|asyncpg|pymysql|MySQLdb|mysql|mysql2|pg|postgres|@neondatabase/serverless|mongoose|mongodb|pymongo|motor|@supabase/|supabase|@prisma/adapter-pg)(?:[./]|$|\w*)"
)
_SERVER_ADDRESS = re.compile(r"^(?:postgres(?:ql)?|mysql|mariadb|mongodb)(?:\+\w+)?(?::|$)|^django\.db\.backends\.(?:postgresql|mysql)")
_SQLITE_SCHEMA = re.compile(r"provider\s{0,9}=\s{0,9}\"sqlite\"")
_DEVELOPMENT = re.compile(r"(?:^|[._/-])(?:dev|develop\w*|local|test\w*|debug|scripts?)(?:[._/-]|$)", re.IGNORECASE)


def database_files(syntax: Syntax, paths: frozenset[str], routes: Routes, texts: dict[str, str]) -> list[State]:
    """The database of the product where it is a file and cannot be anything else."""
    files = syntax.of(paths)
    if any(_SERVER_DRIVERS.match(entry.module) for facts in files for entry in facts.imports) or any(
        _SERVER_ADDRESS.match(literal.text) for facts in files for literal in facts.literals
    ):
        return []
    found = [state for facts in files if not (_DEVELOPMENT.search(facts.path) or COMMAND.search(facts.path)) for state in _opened(facts)]
    schemas = [path for path in sorted(texts) if path.endswith(".prisma") and _SQLITE_SCHEMA.search(texts[path][:200_000])]
    found += [State("database-in-a-file", path, 1, "SQLite", data=True) for path in schemas]
    answering = {route.place.path for route in routes.routes}
    return sorted(found, key=lambda state: state.path not in answering)[:1]


def _opened(facts: FileFacts) -> Iterator[State]:
    chosen = {read.line for read in facts.environment}  # the address is a setting, this one only stands in for it
    modules = {entry.module for entry in facts.imports}
    for call in facts.calls:
        first = call.argument("", 0)
        if (
            _SQLITE_CALL.match(call.callee)
            and modules & _SQLITE_MODULES
            and first is not None
            and ":memory:" not in first.text
            and call.line not in chosen
        ):
            yield State("database-in-a-file", facts.path, call.line, "SQLite", data=True)
    if facts.environment:
        return
    for literal in facts.literals:
        if _SQLITE_ADDRESS.match(literal.text):
            yield State("database-in-a-file", facts.path, literal.line, "SQLite", data=True)
    for each in facts.assignments:
        if each.target == "DATABASES" and each.value is not None and "db.backends.sqlite3" in each.value.text:
            yield State("database-in-a-file", facts.path, each.line, "SQLite", data=True)
