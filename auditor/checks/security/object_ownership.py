"""A record addressed by an id from the request is only read or changed when it belongs to the caller or the caller's tenant.

Passing title: Nobody reaches another customer's records by changing a number
Failing title: A user can read or change other people's records by changing an id
Grading: Counted are endpoints for people with an account that take an id and reach a table with an owner column, followed through services, and the tables of a hosted database with
    their row policies as they stand after all SQL files. Pass when each compares the owner. Partial when some do not and nothing personal, paid or secret is among
    them. Fail when such data is, when none compares it, when row security is off, or when a policy, a rule of a document store or a view past the policies lets everybody at them. Tables without an owner column are shared on purpose
    and endpoints for administrators are meant to reach everything: neither is counted. Where more than a tenth of the endpoints cannot be followed, a pass is not proven.
Done when: Every query is scoped to the caller in one helper or by row policies, and a test with two users expects 404 for each other's records.
What it cannot see: Whether a comparison is the right one, ids that are hidden in request bodies, and stores that are reached through layers that build their queries from texts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.checks.authorization import Guards
from auditor.checks.guard import Strength
from auditor.checks.hosted_rules import Grant, hosted_grants
from auditor.checks.ownership import Access as Reached
from auditor.checks.ownership import Addressed, Ownership
from auditor.checks.ownership_tables import OWNER, PERSONAL, PERSONAL_TABLE, known_tables, owned_tables, shared_tables
from auditor.checks.registry import check
from auditor.model.evidence import Access, PolicyTable, Routes, RowPolicies
from auditor.model.needs import POLICIES, PROJECT, ROUTES, SNAPSHOT, SYNTAX, TEXTS
from auditor.model.project import Project
from auditor.model.snapshot import NOT_OURS, Snapshot
from auditor.model.syntax import Syntax
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable, Place, Undecided
from auditor.words import plural

_UNSEEN = 0.1
"""Share of the endpoints with an id that may stay unfollowed in a pass."""
_SERIOUS = 0.8
_SOME = 0.5
_SLIGHT = 0.3
_MOST = 0.5
_OWN_CLIENT = re.compile(r"\b(?:createClient|createServer\w*Client|createRouteHandlerClient|createServerActionClient)\(")
"""A client of the hosted database that is made for one request, with the caller's cookies or token."""
_ALL_RIGHTS = re.compile(r"service_?-?role|serviceRole|service_?key|createServiceClient|[aA]dmin_?[cC]lient|supabaseAdmin", re.IGNORECASE)
"""Signs of a client that passes by the row policies."""
_ACCOUNTS = frozenset({"users", "profiles", "accounts", "members"})


@dataclass(frozen=True, slots=True)
class _Hole:
    """One way to somebody else's records; `badness` what it alone makes of the item."""

    finding: Finding
    badness: float


@check("security.object-ownership", needs=(PROJECT, TEXTS, SNAPSHOT), corroborating=(SYNTAX, ROUTES, POLICIES), tolerance=_UNSEEN)
def object_ownership(  # noqa: PLR0917 - evidence comes by position
    project: Project, texts: dict[str, str], snapshot: Snapshot, syntax: Syntax, routes: Routes, policies: RowPolicies
) -> Judgement:
    """Endpoints with ids and row policies together."""
    guards = Guards(project, texts, syntax, routes)
    own = {file.path: texts[file.path] for file in snapshot.files if file.path in texts and file.role not in NOT_OURS}
    known = known_tables(project, own, syntax)
    tables = owned_tables(known)
    hosted = policies.tables if project.uses("supabase") is not None else ()
    owned_hosted = [table for table in hosted if any(OWNER.match(column) for column in table.columns)]
    ownership = Ownership(guards, tables, routes, shared_tables(known))
    addressed = [found for route in routes.routes if (found := ownership.of(route)) is not None and found.access is not Reached.SHARED]
    decided = {table.name for table in owned_hosted if _narrow(table)}
    opened = [found for found in addressed if found.access is Reached.OPEN and not _decided_by_policy(found, decided, guards, texts)]
    scoped = [found for found in addressed if found.access is Reached.SCOPED or (found.access is Reached.OPEN and found not in opened)]
    grants = hosted_grants(own)
    holes = [*_policy_holes(hosted, policies), *_rule_holes(grants)]
    good = [table.place for table in owned_hosted if _narrow(table)] + [found.route.place for found in scoped] + _good_rules(grants)
    holes += _open_holes(opened, alone=not scoped)
    if not holes and (not good or _mostly_unseen(addressed, scoped, good, routes)):
        accounts = bool(hosted) or any(guards.of(route).strength in {Strength.SEEN, Strength.NAMED} for route in routes.routes)
        return _nothing(tables=bool(known or hosted), owned=bool(tables or owned_hosted), accounts=accounts)
    unseen = [found.route.place for found in addressed if found.access not in {Reached.OPEN, Reached.SCOPED}]
    return _assessed(holes, good, unseen, len(addressed) - len(unseen), len(hosted))


def _open_holes(opened: list[Addressed], *, alone: bool) -> list[_Hole]:
    """One hole for each handler, however many methods and paths lead to it."""
    holes: dict[Place, _Hole] = {}
    handlers = {found.route.place for found in opened}
    for found in opened:
        place, table = found.route.place, found.table
        what = f"everybody's {table.name}" if table is not None else "what belongs to other people"
        never = "the id" if table is not None else found.parameter
        message = f"Any user with an account can reach {what} through {found.route.method} {found.route.path}: {never} is never compared with the caller."
        finding = Finding("unscoped-id", place.path, message, place.line, place.end_line, confidence=Confidence.MEDIUM, cwe=639)
        serious = table is None or table.personal or (alone and len(handlers) > 1)
        holes[place] = _Hole(finding, _SERIOUS if serious else _SOME)
    return list(holes.values())


def _decided_by_policy(found: Addressed, decided: set[str], guards: Guards, texts: dict[str, str]) -> bool:
    """Whether the record is in a table of the hosted database whose policies ask for its owner, and is reached with the caller's own rights."""
    path = found.route.place.path
    own = _OWN_CLIENT.search(guards.body(path, found.route.handler_scope)) is not None
    return found.table is not None and found.table.name in decided and own and _ALL_RIGHTS.search(texts.get(path, "")) is None


def _mostly_unseen(addressed: list[Addressed], scoped: list[Addressed], good: list[Place], routes: Routes) -> bool:
    """Whether too little was followed to say that everything asks: most ids, or a server whose endpoints take ids elsewhere than in the path."""
    if addressed:
        return len(scoped) < len(addressed) * _MOST
    return len(routes.routes) > len(good)


def _nothing(*, tables: bool, owned: bool, accounts: bool) -> Judgement:
    if not accounts and not owned:
        return NotApplicable("There are no accounts, so no record belongs to a caller.")
    if tables and not owned:
        return NotApplicable("No table says whose its rows are: there is no data of single users.")
    return Undecided(
        "Too few endpoints could be followed to where a record is fetched by its id; name the place where queries are scoped to the caller."
    )


def _assessed(holes: list[_Hole], good: list[Place], unseen: list[Place], endpoints: int, hosted: int) -> Assessed:
    floor = max((hole.badness for hole in holes), default=0.0)
    holes.sort(key=lambda hole: (-hole.badness, hole.finding.path, hole.finding.line))
    summary = f"{plural(len(good), 'place')} with records of single users {'asks' if len(good) == 1 else 'ask'} whose they are, {len(holes)} {'does' if len(holes) == 1 else 'do'} not."
    return Assessed(
        bad=0,
        total=max(endpoints, len(good)),
        floor=floor,
        summary=summary,
        findings=tuple(hole.finding for hole in holes),
        unexamined=tuple((place.path, f"the endpoint at line {place.line} could not be followed to its record") for place in unseen),
        evidence=tuple(dict.fromkeys(good))[:3],
        signals=(
            f"endpoints with an id, for people with an account: {endpoints + len(unseen)}, followed to their record: {endpoints}",
            f"tables of a hosted database: {hosted}",
        ),
        confidence=Confidence.MEDIUM,
    )


# -- row policies ------------------------------------------------------------------------------------------------------------------


def _narrow(table: PolicyTable) -> bool:
    return table.secured and all(table.to(command) in {Access.CALLER, Access.NOBODY} for command in ("update", "delete"))


def _policy_holes(tables: tuple[PolicyTable, ...], policies: RowPolicies) -> Iterator[_Hole]:
    dynamic = bool(policies.unread)
    for table in tables:
        if not table.revoked and not (dynamic and not table.secured):
            yield from _table_holes(table)
    if tables:
        yield from _view_holes(tables, policies)
        for function in policies.functions:
            if function.writes:
                message = f"Anybody can call {function.name}() with any id: it runs with its owner's rights and never looks at the caller."
                place = function.place
                yield _Hole(
                    Finding(
                        "unasking-function",
                        place.path,
                        message,
                        place.line,
                        place.end_line,
                        confidence=Confidence.MEDIUM,
                        detector="policies",
                        cwe=639,
                    ),
                    _SLIGHT,
                )


def _view_holes(tables: tuple[PolicyTable, ...], policies: RowPolicies) -> Iterator[_Hole]:
    """Views that show personal data of tables whose policies would not."""
    for view in policies.views:
        for table in tables:
            if table.name not in view.tables or not table.secured or table.to("select") not in {Access.CALLER, Access.NOBODY}:
                continue
            shown = table.columns if "*" in view.columns else view.columns
            if any(PERSONAL.search(column) for column in shown if column in table.columns):
                message = f"Anybody can read everybody's {table.name} through the view {view.name}: it runs with its owner's rights, past the row policies."
                yield _hole("view-past-the-policies", view.place, message, _SERIOUS)
                break


def _table_holes(table: PolicyTable) -> Iterator[_Hole]:
    owned = any(OWNER.match(column) for column in table.columns)
    personal = PERSONAL_TABLE.search(table.name) is not None or any(PERSONAL.search(column) for column in table.columns)
    if not table.secured:
        yield _hole(
            "row-security-off",
            table.place,
            f"Row security is off for {table.name}: anybody with the key of the browser can read, change and delete all its rows.",
            _SERIOUS,
        )
        return
    for command in ("update", "delete"):
        if table.to(command) is Access.ANYBODY:
            yield _hole(
                "policy-always-true",
                table.decided(command),
                f"Anybody can {command} {_rows(table)}: the policy is always true.",
                _SERIOUS,
            )
            return
    if not owned:
        return
    for command in ("update", "delete"):
        if table.to(command) is Access.LOGGED_IN:
            message = f"Anybody with an account can {command} {_rows(table)}: the policy asks for a login, not for the owner."
            yield _hole("policy-any-account", table.decided(command), message, _SERIOUS if personal else _SOME)
            return
    columns = any(PERSONAL.search(column) for column in table.columns)
    if table.to("select") is Access.ANYBODY and columns:
        yield _hole(
            "policy-public-personal-data",
            table.decided("select"),
            f"Anybody can read everybody's rows of {table.name}, personal data included: the policy is always true.",
            _SERIOUS,
        )
    elif table.to("select") is Access.LOGGED_IN and columns:
        yield _hole(
            "policy-any-account-reads",
            table.decided("select"),
            f"Anybody with an account can read everybody's rows of {table.name}, personal data included.",
            _SLIGHT,
        )


def _rows(table: PolicyTable) -> str:
    return "other people's stored files" if table.name == "storage.objects" else f"every row of {table.name}"


def _hole(rule: str, place: Place, message: str, badness: float) -> _Hole:
    return _Hole(Finding(rule, place.path, message, place.line, place.end_line, detector="policies", cwe=639), badness)


# -- rules of hosted document stores -----------------------------------------------------------------------------------------------


def _rule_holes(grants: tuple[Grant, ...]) -> Iterator[_Hole]:
    for grant in grants:
        personal = PERSONAL_TABLE.search(grant.collection) is not None
        changes = bool(grant.operations & {"update", "delete"})
        what = f"documents of `{grant.collection}`" if grant.collection else "all documents"
        what = "stored files" if grant.files else what
        if changes and grant.access is Access.ANYBODY:
            yield _hole("rule-always-true", grant.place, f"Anybody can change or delete {what}: the rule is always true.", _SERIOUS)
        elif changes and grant.access is Access.LOGGED_IN:
            message = f"Anybody with an account can change or delete everybody's {what}: the rule asks for a login, not for the owner."
            yield _hole("rule-any-account", grant.place, message, _SERIOUS if personal else _SOME)
        elif "list" in grant.operations and not grant.files and (personal or not grant.collection or grant.collection in _ACCOUNTS):
            if grant.access is Access.ANYBODY:
                badness = _SOME if grant.collection in _ACCOUNTS else _SERIOUS
                yield _hole(
                    "rule-public-personal-data", grant.place, f"Anybody can read {what} of everybody: the rule is always true.", badness
                )
            elif grant.access is Access.LOGGED_IN:
                yield _hole("rule-any-account-reads", grant.place, f"Anybody with an account can read {what} of everybody.", _SLIGHT)


def _good_rules(grants: tuple[Grant, ...]) -> list[Place]:
    return [grant.place for grant in grants if grant.access is Access.CALLER]
