"""Where rows of which tables are removed: single writes, records and repositories, generic helpers behind an address that names the table.

What a framework makes by itself stands in `framework_removals`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.checks.database_calls import database_calls
from auditor.checks.framework_removals import framework_removals
from auditor.checks.model_names import singular, words
from auditor.checks.query_texts import QueryText, query_texts
from auditor.checks.reach import Reach, within
from auditor.checks.stored_writes import Verb, Write, steps, writes
from auditor.checks.table_words import TableWords
from auditor.model.evidence import Route, Routes
from auditor.model.project import Project
from auditor.model.syntax import Call, DefinitionKind, FileFacts, Syntax, ValueKind
from auditor.model.tables import Table
from auditor.model.verdict import Place

_RECORD = re.compile(
    r"^(?P<owner>[\w$.()]+?)\.(?P<verb>(?:a|hard|permanently)?_?(?:delete|remove|destroy)(?:_?one|_?by_?id|With\w+|_?permanently|_?forever)?)$",
    re.IGNORECASE,
)
_SESSION = re.compile(r"(?:^|\.)(?:\w*[sS]ession|db|tx|em|entityManager|manager)(?:\.session)?\.(?:delete|remove|softRemove)$")
_KEEPER = re.compile(r"(?:repos?|repository|repositories|dao|crud|model|models|prisma)$", re.IGNORECASE)
_QUERY = re.compile(r"(?:^|[.\])])(?:query|filter|filter_by|where|objects|delete)(?:\(\)|\.|$)")
_ASIDE = frozenset({"seed", "seeds", "seeder", "demo", "dummy", "sample", "fixture", "fixtures", "populate", "reset", "wipe", "truncate"})
"""Words of functions that empty whole tables while somebody develops."""
_MIGRATES = frozenset({"migrate", "migration", "migrations"})
_ENDS = re.compile(r"(?:delete|remove|destroy|erase|close|purge|forget)", re.IGNORECASE)
_MANNERS = frozenset({"ctx", "context", "options", "opts", "transaction", "session", "db", "self"})
"""What a record is given that says how it is removed, not which."""
_BEGINS = frozenset({"create", "creates", "register", "signup", "invite", "add", "import", "onboard"})
_OWN = frozenset({"me", "self", "account", "profile"})
_BY_TIME = re.compile(
    r"cut_?off|older|expir|threshold|retention|\bdays\b|timedelta|__lte?\b|\blte?\b|interval|max_?age|<=?\s", re.IGNORECASE
)
_GENERIC_PAGES = re.compile(
    r"^(?:react-admin|ra-core|ra-\w+|@refinedev/|adminjs|@adminjs/|payload|@payloadcms/|@strapi/|@keystone-6/|@directus/|flask_appbuilder)"
)
_CONDITION = re.compile(r"\bwhere\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Removal:
    """One place that takes rows of a table away; `by_time`: those that are old enough."""

    table: Table
    place: Place
    by_time: bool = False


@dataclass(frozen=True, slots=True)
class Removals:
    """All removals in the order of path and line; `unsettled`: places that remove rows of a table nobody can name."""

    found: tuple[Removal, ...]
    unsettled: tuple[Place, ...] = ()

    def of(self, table: Table) -> tuple[Removal, ...]:
        """The removals of one table's rows."""
        return tuple(removal for removal in self.found if removal.table is table)


@dataclass(frozen=True, slots=True)
class _Site:
    """A call that removes rows; `tables` is empty where their table cannot be named."""

    facts: FileFacts
    line: int
    scope: int
    tables: tuple[Table, ...]


def removals(project: Project, syntax: Syntax, routes: Routes, names: TableWords, texts: dict[str, str]) -> Removals:
    """Every removal of rows in code that something enters."""
    files = syntax.of(project.production)
    entries = _Entries(files, routes)
    sites = [
        site for site in _sites(files, project.server, names) if entries.entered(site) and not _is_aside(site) and not _makes_good(site)
    ]
    found = [Removal(table, Place(site.facts.path, site.line), _by_time(site)) for site in sites for table in site.tables]
    generic = {(site.facts.path, site.scope) for site in sites if not site.tables}
    led = dict(_through_addresses(syntax, files, routes, names, generic))
    found += [Removal(table, place) for table, place in (*((t, p) for p, t in led), *framework_removals(files, names, texts))]
    reached = {place for places in led.values() for place in places}
    unsettled = _generic_pages(files) or sorted(
        {(site.facts.path, site.line) for site in sites if not site.tables and (site.facts.path, site.scope) not in reached}
    )
    ordered = sorted(set(found), key=lambda removal: (removal.place.path, removal.place.line, removal.table.name))
    return Removals(tuple(ordered), tuple(Place(path, line) for path, line in unsettled))


def _generic_pages(files: tuple[FileFacts, ...]) -> list[tuple[str, int]]:
    """Where pages of a framework are used that remove rows of whatever table they show."""
    return [(facts.path, entry.line) for facts in files for entry in facts.imports if _GENERIC_PAGES.match(entry.module)][:1]


def _sites(files: tuple[FileFacts, ...], server: frozenset[str], names: TableWords) -> Iterator[_Site]:
    databases = database_calls(files)
    texts: defaultdict[str, list[QueryText]] = defaultdict(list)
    for query in query_texts(files):
        texts[query.path].append(query)
    models = frozenset(table.name for table in names.tables)
    for facts in files:
        seen: set[tuple[int, int]] = set()
        for write in writes(facts, databases.get(facts.path, ()), tuple(texts[facts.path]), models):
            if write.verb is not Verb.REMOVE or not write.table or _is_session(write):
                continue
            seen.add((write.line, write.scope))
            tables = tuple(names.of(write.table))
            if (tables or "{}" in write.table) and not any(_empties(query) for query in texts[facts.path] if query.line == write.line):
                yield _Site(facts, write.line, write.scope, tables)
        for call in facts.calls:
            unseen = facts.path in server and (call.line, call.scope) not in seen  # a browser reaches tables through its client alone
            site = _of_call(facts, call, names) if unseen else None
            if site is not None:
                yield site


def _is_session(write: Write) -> bool:
    """Whether a session is given a record, whose table `_of_call` finds out."""
    return write.pending and write.what.endswith("delete()")


def _empties(query: QueryText) -> bool:
    """Whether a statement empties a whole table, which forgets nobody in particular."""
    return query.value.kind is ValueKind.STRING and _CONDITION.search(query.value.literal) is None


def _of_call(facts: FileFacts, call: Call, names: TableWords) -> _Site | None:
    """`session.delete(user)`, `user.delete()`, `User.query.filter_by(id=1).delete()`, `userRepository.remove(user)`, `repos.users.delete(id)`."""
    if call.callee == "delete" and facts.path.endswith(".py"):  # SQLAlchemy's statement
        tables = tuple(table for argument in call.arguments for table in names.classed(argument.value.literal))
        return _Site(facts, call.line, call.scope, tables) if tables else None
    found = _RECORD.match(call.callee)
    if found is None:
        return None
    given = [argument.value for argument in call.arguments if not argument.name]
    if _SESSION.search(call.callee):
        if not given or given[0].kind not in {ValueKind.NAME, ValueKind.CALL}:
            return None
        tables = (
            tuple(names.held(facts, given[0], call.scope, call.line))
            or _of_function(facts, call.scope, names)
            or names.spoken_of(facts, call.scope, call.line)
        )
        unnamed = names.is_placeholder(given[0].literal)
        return _Site(facts, call.line, call.scope, tables) if tables or unnamed else None
    owner = found["owner"].removeprefix("this.").removeprefix("self.")
    segments = owner.replace("()", "").split(".")
    if "()" in owner and _QUERY.search(owner):
        tables = tuple(table for name in _chain_names(facts, call) for table in names.classed(name))
        return _Site(facts, call.line, call.scope, tables[:1]) if tables else None
    kept = any(_KEEPER.search(segment) for segment in segments)
    told = [value for value in given if value.kind is not ValueKind.COLLECTION and value.literal not in _MANNERS]
    if not kept and (told or not _is_record(segments[-1]) or _in_memory(facts, owner)):
        return None
    tables = tuple(names.of(segments[-1]))
    if kept and not tables:
        tables = _of_function(facts, call.scope, names)
        return _Site(facts, call.line, call.scope, tables) if tables or names.is_placeholder(segments[-1]) or len(segments) == 1 else None
    return _Site(facts, call.line, call.scope, tables) if tables else None


def _chain_names(facts: FileFacts, call: Call) -> Iterator[str]:
    """What the steps of a chain of calls name: `session.query(User).filter(...)`."""
    for each in steps(facts, call):
        yield each.callee
        yield from (argument.value.literal for argument in each.arguments)


def _is_record(name: str) -> bool:
    """Whether a name stands for one thing."""
    parts = words(name)
    return bool(parts) and singular(parts[-1]) == parts[-1]


def _in_memory(facts: FileFacts, owner: str) -> bool:
    made = (a.value.literal for a in facts.assignments if a.target == owner and a.value is not None)
    return any(re.match(r"^(?:new )?(?:Map|Set|WeakMap|WeakSet|dict|set|defaultdict|OrderedDict)$", name) for name in made)


def _of_function(facts: FileFacts, scope: int, names: TableWords) -> tuple[Table, ...]:
    """The tables that the function round a place, or its class, is named for: `UserService.delete`, `delete_user`."""
    if scope < 0:
        return ()
    for name in reversed(facts.definitions[scope].qualname.split(".")):
        rest = [word for word in words(name) if not _ENDS.fullmatch(word)]
        tables = names.of("_".join(rest)) if rest else []
        if tables:
            return tuple(tables)
    return ()


def _is_aside(site: _Site) -> bool:
    name = site.facts.definitions[site.scope].name if site.scope >= 0 else ""
    spoken = {*words(name), *words(site.facts.path.rpartition("/")[2])}
    return bool(spoken & (_ASIDE | _MIGRATES)) or any(part in _ASIDE for part in site.facts.path.split("/"))


def _makes_good(site: _Site) -> bool:
    """Whether a removal takes back what failed half way."""
    name = site.facts.definitions[site.scope].name if site.scope >= 0 else ""
    begins = words(name)[:1] if name else words(site.facts.path.split("/")[-2])[:1] if "/" in site.facts.path else ()
    return bool(_BEGINS & set(begins)) or any(handler.line <= site.line <= handler.end_line for handler in site.facts.handlers)


def _by_time(site: _Site) -> bool:
    """Whether the rows that go are those that are old enough."""
    near = [c for c in site.facts.calls if c.scope == site.scope and c.line <= site.line <= c.end_line]
    return any(_BY_TIME.search(argument.name) or _BY_TIME.search(argument.value.text) for call in near for argument in call.arguments)


# -- what leads to a place ---------------------------------------------------------------------------------------------------------------


class _Entries:
    """Whether anything calls a function: an address, a decorator, a base class, a name somewhere else."""

    def __init__(self, files: tuple[FileFacts, ...], routes: Routes) -> None:
        self._handlers = {(route.place.path, route.handler_scope) for route in routes.routes}
        self._spoken: set[str] = set()
        for facts in files:
            for call in facts.calls:
                self._spoken.add(call.callee.rpartition(".")[2].removesuffix("()"))
                self._spoken.update(name.rpartition(".")[2] for argument in call.arguments for name in argument.value.names)
            self._spoken.update(name.rpartition(".")[2] for a in facts.assignments if a.value is not None for name in a.value.names)
            self._spoken.update(name.rpartition(".")[2] for r in facts.returns if r.value is not None for name in r.value.names)

    def entered(self, site: _Site) -> bool:
        """Whether a place can be reached at all."""
        scope, facts = site.scope, site.facts
        while scope >= 0:
            definition = facts.definitions[scope]
            if (facts.path, scope) in self._handlers or definition.decorators or not definition.name:
                return True
            if definition.kind is DefinitionKind.CLASS:
                return True
            around = facts.definitions[definition.parent] if definition.parent >= 0 else None
            of_framework = around is not None and around.kind is DefinitionKind.CLASS and bool(around.bases)
            if definition.name in self._spoken or of_framework or "use server" in facts.directives:
                return True
            if around is None or around.kind is DefinitionKind.CLASS:
                return False
            scope = definition.parent
        return True


def _through_addresses(
    syntax: Syntax, files: tuple[FileFacts, ...], routes: Routes, names: TableWords, generic: set[tuple[str, int]]
) -> Iterator[tuple[tuple[Place, Table], list[tuple[str, int]]]]:
    """Addresses that name a table and lead to a removal that does not, with those removals."""
    if not generic:
        return
    reach = Reach(syntax, frozenset(facts.path for facts in files))
    for route in routes.routes:
        tables = _named_by(route, syntax, names) if route.method == "DELETE" or _ENDS.search(f"{route.path} {route.handler}") else []
        if not tables or route.handler_scope < 0:
            continue
        reached = [place for place in reach.functions(route.place.path, route.handler_scope, 4) if place in generic]
        own = within(syntax.files[route.place.path], route.handler_scope)
        if reached or any(c.scope in own and _ENDS.search(c.callee.rpartition(".")[2]) for c in syntax.files[route.place.path].calls):
            yield from (((route.place, table), reached) for table in tables)


def _named_by(route: Route, syntax: Syntax, names: TableWords) -> list[Table]:
    """The tables that the last fixed part of an address means."""
    fixed = [part for part in route.path.strip("/").split("/") if part and not re.search(r"[:{<\[*]", part)]
    for part in reversed(fixed):
        if part.lower() in _OWN:
            return list(names.accounts)
        tables = names.of(_ENDS.sub("", part.replace("-", "_")))
        if tables:
            return tables
    facts = syntax.files.get(route.place.path)
    return list(_of_function(facts, route.handler_scope, names)) if facts is not None else []
