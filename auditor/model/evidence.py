"""Other evidence checks ask for: texts, tool hits, graph, clones, history, routes, migrations."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from auditor.model.schema_names import TableSources
from auditor.model.syntax import ImportKind
from auditor.model.tables import DataModel
from auditor.model.verdict import Confidence, Place


@dataclass(frozen=True, slots=True)
class ToolHit:
    """One result of an outside tool, already mapped to an item; `rule` is the tool's rule id ("B602", "sql-from-request").

    `grade`: "fail" when the hit alone proves the claim false, "partial" for a weaker one, "note" for context only. `source`: where a value that was
    followed comes from ("request", "model", ...), "" for tools that do not say.
    """

    item: str
    rule: str
    path: str
    line: int
    end_line: int
    message: str
    cwe: int = 0
    confidence: Confidence = Confidence.HIGH
    grade: str = "fail"
    source: str = ""


@dataclass(frozen=True, slots=True)
class ToolHits:
    """All hits of one tool in path and line order.

    `unexamined` repeats the files the tool could not read, with the reason, for checks that use the tool to corroborate their own facts.
    `settled`: places (path, line, CWE number) where the tool saw every value that arrives and knows that none does harm; `composed`: those where
    none does as far as it saw, and the rest stands inside of texts that functions of the code write.
    `notes` are facts about the tool's data a verdict should state, such as the age of advisories.
    """

    hits: tuple[ToolHit, ...]
    unexamined: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    settled: frozenset[tuple[str, int, int]] = frozenset()
    composed: frozenset[tuple[str, int, int]] = frozenset()

    def of(self, item: str) -> tuple[ToolHit, ...]:
        """The hits that belong to one checklist item."""
        return tuple(hit for hit in self.hits if hit.item == item)

    def settles(self, hit: ToolHit) -> bool:
        """Whether this tool knows that what another tool suspects at a place is harmless."""
        return self.settled_at(hit.path, hit.line, hit.end_line, hit.cwe)

    def settled_at(self, path: str, line: int, end_line: int, cwe: int) -> bool:
        """Whether the tool knows that nothing does this harm on these lines."""
        return any((path, number, cwe) in self.settled for number in range(line, end_line + 1))

    def composed_at(self, path: str, line: int, end_line: int, cwe: int) -> bool:
        """Whether the tool knows nothing that does this harm on these lines, but did not see every piece of the texts that functions write."""
        return any((path, number, cwe) in self.composed for number in range(line, end_line + 1))


@dataclass(frozen=True, slots=True)
class UnitComplexity:
    """McCabe complexity of one function or method, from radon (Python) or our own facts (JS/TS); `code_lines` as in `Definition`."""

    path: str
    qualname: str
    line: int
    end_line: int
    complexity: int
    code_lines: int


@dataclass(frozen=True, slots=True)
class Module:
    """A node of the module graph; `id` is the dotted name for Python, the path for JS/TS."""

    id: str
    path: str
    language: str
    lines: int


@dataclass(frozen=True, slots=True)
class Edge:
    """`source` imports `target` (module ids); the strongest kind of all its imports wins (import-time, lazy, type-only)."""

    source: str
    target: str
    kind: ImportKind
    line: int


@dataclass(frozen=True, slots=True)
class Unresolved:
    """A first-party-looking import that leads nowhere: `reason` says what was looked for; `guarded` as in `Import`; `name` is set when the module exists but the name does not."""

    path: str
    line: int
    module: str
    name: str
    reason: str
    guarded: bool
    kind: ImportKind


@dataclass(frozen=True, slots=True)
class External:
    """An import of a third-party package: `package` is the top-level import name (Python; dotted where a namespace is shared, "google.cloud.storage") or package name (npm)."""

    path: str
    line: int
    package: str
    kind: ImportKind
    guarded: bool


@dataclass(frozen=True, slots=True)
class Miscall:
    """A call of a first-party Python function that cannot work: `problem` says which argument does not fit, or that the module has no such name."""

    path: str
    line: int
    callee: str
    problem: str


@dataclass(frozen=True, slots=True)
class ModuleGraph:
    """Modules of first-party, script and test code and the imports between them, in id order."""

    modules: tuple[Module, ...]
    edges: tuple[Edge, ...]
    unresolved: tuple[Unresolved, ...] = ()
    externals: tuple[External, ...] = ()
    miscalls: tuple[Miscall, ...] = ()


@dataclass(frozen=True, slots=True)
class Fragment:
    """A stretch of one file, lines inclusive."""

    path: str
    line: int
    end_line: int


@dataclass(frozen=True, slots=True)
class CloneFamily:
    """Places that hold the same code; `tokens` is the length of the shared run, `exact` whether they agree to the letter (white space aside).

    Functions that were changed since they were copied stand there whole: `alike` is the least share of them that still agrees, `renamed` says which names differ
    ("book → order").
    """

    fragments: tuple[Fragment, ...]
    tokens: int
    lines: int
    exact: bool
    alike: float = 1.0
    renamed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Clones:
    """All families over production code, longest first; `duplicated_lines` counts each line that has an older twin once."""

    families: tuple[CloneFamily, ...]
    duplicated_lines: int
    total_lines: int


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file of a commit; `added` and `removed` in lines; hashes of the added and removed non-trivial lines serve to find restored code."""

    path: str
    added: int
    removed: int
    added_hashes: tuple[int, ...] = ()
    removed_hashes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Commit:
    """One non-merge commit; `when` in seconds since the epoch (committer), `author` a pseudonym ("person 1", see `Landing`), `subject` the first line."""

    id: str
    when: int
    author: str
    subject: str
    trailers: tuple[str, ...]
    changes: tuple[FileChange, ...]


@dataclass(frozen=True, slots=True)
class Landing:
    """One step of the main line: a commit made on it, or a merge that brought others.

    `author` and `committer` are pseudonyms: "person 2", "assistant 1" (a coding agent's own account), "robot 1" (any other machine account); `hosted`: the
    hosting service itself is the committer, as after its button was pressed. `request`: the pull or merge request it came through ("#12", "!4", "" = none
    visible); `reviewed`: a trailer names a reviewer other than the author. `brought`: authors of the merged commits. `synced`: it only brings the main
    line's own commits together. `paths`: changed files, bounded.
    """

    id: str
    when: int
    author: str
    committer: str
    hosted: bool
    request: str
    reviewed: bool
    brought: tuple[str, ...]
    synced: bool
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class History:
    """The newest non-merge commits, newest first (at most 400). `total` counts all reachable commits; `shallow`: history was cut when cloned; `tags`: names, newest first.

    `landings`: the newest steps of the main line, newest first (at most 400), only those that touch the audited directory.
    """

    commits: tuple[Commit, ...]
    total: int
    shallow: bool
    tags: tuple[str, ...] = ()
    truncated: bool = False
    landings: tuple[Landing, ...] = ()


class RouteKind(StrEnum):
    """What kind of entry from outside a route is."""

    HTTP = "http"
    PAGE = "page"
    ACTION = "action"
    WEBSOCKET = "websocket"
    WEBHOOK = "webhook"
    COMMAND = "command"  # of a chat bot


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint: upper-case `method` ("ANY" when all), full `path` as far as resolvable, its handler's name and place.

    `handler_scope` indexes the definitions of `place.path`'s facts (-1 unknown). `registered`: where the route is declared, when that is another place than
    the handler. `through`: dotted names of what runs before the handler, outermost first: router-level and mounted middleware, dependencies, decorators,
    guards, mixins. GraphQL queries count as GET, mutations as POST.
    """

    kind: RouteKind
    method: str
    path: str
    handler: str
    place: Place
    framework: str
    handler_scope: int = -1
    registered: Place | None = None
    through: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Routes:
    """Every endpoint found, by path and line; `unresolved` are places whose path or handler could not be read.

    `unmounted`: endpoints of routers that nothing includes or imports, which nobody can reach; their paths lack the prefix they would get.
    `opaque`: paths below which something serves whose endpoints are not seen: a library's router, a mounted application.
    """

    routes: tuple[Route, ...]
    unresolved: tuple[tuple[str, str], ...] = ()
    unmounted: tuple[Route, ...] = ()
    opaque: tuple[tuple[str, Place], ...] = ()


@dataclass(frozen=True, slots=True)
class OwnCall:
    """A call over HTTP whose address may be one of this system's own.

    `method`: upper case, "ANY" when it could not be read. `base`: what stands before the path: "" for the caller's own host, "host:localhost:8000", "setting:API_URL",
    "name:apiUrl" for what could not be followed, "functions:" for a hosted function called by name. `address` begins with a slash; "{}" stands for a segment or a
    part of one that varies, "{*}" for what may be several segments.
    `loose`: the base may hold a part of the path too. `callee`: what is called, as written.
    """

    place: Place
    method: str
    base: str
    address: str
    callee: str
    loose: bool = False


@dataclass(frozen=True, slots=True)
class OwnCalls:
    """Calls of production code and pages over HTTP, other people's hosts left out, by path and line; `unread`: places whose address could not be read.

    `brought`: how many calls go where a record or a page says, so that the code states no address.
    """

    calls: tuple[OwnCall, ...]
    unread: tuple[tuple[str, str], ...] = ()
    brought: int = 0


class Access(StrEnum):
    """Whom a row policy lets through, the widest first."""

    ANYBODY = "anybody"  # always true, or no policy applies because row security is off
    CONDITION = "condition"  # a condition on the row alone, such as `published`
    LOGGED_IN = "logged-in"  # whoever has an account
    CALLER = "caller"  # a condition that names the caller, or a function that may
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class PolicyTable:
    """One table in the end state of all SQL: `columns` in lower case, `secured` whether row security is on.

    `access`: command ("select", "insert", "update", "delete") -> whom its policies let through. `place`: where the table is made; `places`: the policy (or
    the table) that decides each command. `revoked`: rights were taken from the public roles.
    """

    name: str
    columns: tuple[str, ...]
    secured: bool
    access: tuple[tuple[str, Access], ...]
    place: Place
    places: tuple[tuple[str, Place], ...] = ()
    revoked: bool = False

    def to(self, command: str) -> Access:
        """Whom a command is open to."""
        return dict(self.access).get(command, Access.NOBODY)

    def decided(self, command: str) -> Place:
        """The place that decides about a command."""
        return dict(self.places).get(command, self.place)


@dataclass(frozen=True, slots=True)
class PolicyView:
    """A view that anybody may ask and that runs with its owner's rights, past the row policies: `columns` it shows ("*" for all) of `tables`."""

    name: str
    tables: tuple[str, ...]
    columns: tuple[str, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class PolicyFunction:
    """A database function that runs with its owner's rights, can be called from outside, takes arguments and never looks at the caller.

    `writes`: it changes or deletes rows that are there.
    """

    name: str
    writes: bool
    place: Place


@dataclass(frozen=True, slots=True)
class RowPolicies:
    """Row-level security of a hosted PostgreSQL after all SQL files in order; `files` were read, `unread` are (place, reason)."""

    tables: tuple[PolicyTable, ...]
    functions: tuple[PolicyFunction, ...]
    files: tuple[str, ...]
    ordered: bool
    unread: tuple[tuple[str, str], ...] = ()
    views: tuple[PolicyView, ...] = ()


@dataclass(frozen=True, slots=True)
class Secret:
    """A credential-like value; never the value: `prefix` is at most its first 4 characters, `length` its length.

    `kind`: "aws-access-key", "private-key", "connection-string", "jwt-service-role", "password", ... `certainty`: "working" looks real,
    "local" a local-development password, "publishable" public by design, "test" a dummy in test code.
    """

    kind: str
    path: str
    line: int
    prefix: str
    length: int
    certainty: str
    reason: str
    root: int = 0
    """Number of the value among all values found: places with the same number hold the same value. 0 where no value is known."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """All credential-like values of the tracked text files."""

    found: tuple[Secret, ...]


@dataclass(frozen=True, slots=True)
class PastSecret:
    """A credential-like value that stood in the tree once and does not any more: where and since when; never the value.

    `secret.path` and `secret.line` hold for the version of the file in `commit`, the first that had the value; `time` is that commit's, in seconds since the epoch.
    `secret.certainty`: "working" looks real, "likely" is drawn at random or in a settings file, "possible" looks like a password a person chose.
    """

    secret: Secret
    commit: str
    time: int


@dataclass(frozen=True, slots=True)
class SecretHistory:
    """Credentials of the history that are gone from the tree, the oldest first, and how far the search got.

    `commits` of `total` reachable commits were read; `gap` says in words why the rest, or part of a commit, was not ("" when everything was).
    """

    found: tuple[PastSecret, ...]
    commits: int
    total: int
    gap: str = ""


@dataclass(frozen=True, slots=True)
class MigrationRisk:
    """An operation on the way up that hurts a running system: `kind` as in `auditor/migration_kinds.toml`, `why` in words."""

    kind: str
    line: int
    table: str
    column: str
    why: str


@dataclass(frozen=True, slots=True)
class MigrationStep:
    """One migration file, in the order of its series.

    `reversible`: "yes", "no", "partial" (the way down restores some of it), "refused" (raises on purpose, with a reason), "trivial" (nothing to undo) or
    "unknown". `destructive`: drops or rewrites data on the way up. `series`: the folder it is ordered within. `risks`: what is dangerous in it; `unread`: lines and
    words of what could not be understood.
    """

    path: str
    framework: str
    order: str
    reversible: str
    destructive: bool
    line: int
    reason: str
    series: str = ""
    risks: tuple[MigrationRisk, ...] = ()
    unread: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Stores:
    """Where the system keeps its data and how its structure changes.

    `relational`: places that show a relational store owned by this system; `document`: schema-less ones. `base_sql`: SQL files and development scripts outside of
    migrations that make tables. `created_at_start`: places that create tables when the
    program starts (create_all, CREATE TABLE IF NOT EXISTS, sync). `models`: (table or model name, place). `tools`: migration tools with their place.
    `problems`: (kind, place, message), such as two heads or models without migrations. `migrated_at_start`: places where the program itself applies migrations when it starts.
    `data`: the tables and collections themselves; `table_sources`: what SQL makes, source by source.
    """

    relational: tuple[Place, ...]
    document: tuple[Place, ...]
    tools: tuple[tuple[str, Place], ...]
    migrations: tuple[MigrationStep, ...]
    created_at_start: tuple[Place, ...]
    base_sql: tuple[Place, ...]
    models: tuple[tuple[str, Place], ...]
    problems: tuple[tuple[str, Place, str], ...]
    migrated_at_start: tuple[Place, ...] = ()
    data: DataModel = field(default_factory=DataModel)
    table_sources: TableSources = field(default_factory=TableSources)
