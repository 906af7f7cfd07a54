"""Every server endpoint that changes state or returns private data checks on the server who is calling.

Passing title: The server asks who is calling before it changes or reveals anything
Failing title: A stranger can change or read data without logging in
Grading: Every endpoint that changes state, or returns data about people, orders, money or the running of the system, is taken together with what runs before it: dependencies,
    decorators, middleware, guards of the framework, base classes, and checks in its own body, each followed to the code that refuses. Pass when at most a tenth is open and
    none of it is dangerous. Partial when a guard exists and ordinary writes or private reads are open. Fail when nothing is guarded although there is something to guard, or
    when an open endpoint deletes, administers, pays, restores, or lists people, or when a right is read from metadata an account can change for itself. Login, sign-up, health, documentation, webhooks, links with a secret in them and
    public reads are not counted. Where the browser talks to a hosted database, each table it can change counts as one endpoint and the row policies as its guard; a table that any
    account may change, and a hosted function that asks only for the key every browser has, count half.
Done when: Everything is denied by default at the router or the application, each open endpoint is opened by name, and one test per endpoint expects 401 without a login.
What it cannot see: Whether a guard's own logic is right, guards in front of the program (a gateway, a private network), and endpoints that are put together while the
    program runs. A guard that could be found by its name only is counted, at medium confidence.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from auditor.checks.authorization import Guards
from auditor.checks.editable_claims import editable_claims
from auditor.checks.endpoint_effects import Effects
from auditor.checks.guard import Guard, Strength
from auditor.checks.registry import check
from auditor.model.evidence import Access, PolicyTable, Route, RouteKind, Routes, RowPolicies, Stores
from auditor.model.needs import POLICIES, PROJECT, ROUTES, STORES, SYNTAX, TEXTS
from auditor.model.project import SERVING, Project
from auditor.model.syntax import Syntax
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable, Undecided
from auditor.words import plural

_EXEMPT = re.compile(
    r"log-?in|sign-?in|sign-?up|log-?out|sign-?out|^register|registration|forgot|reset-?password|password-?(?:reset|recovery)|verif(?:y|ication)|otp$|two-?factor|2fa|mfa|totp|magic-?link|access-?token|^refresh|oauth|oidc|saml|^sso$|^callback|^auth$|authenticat|authoriz|csrf|"
    r"^health|^live(?:ness|z)?$|^ready|^docs$|^api-docs|openapi|swagger|redoc|robots\.txt|sitemap|favicon|^static$|^assets$|^public$|webhooks?$|^hooks?$|passkey|webauthn|unsubscribe|captcha|(?:with|by|from)-(?:\w+-)?token$"
)
"""Words that exempt an endpoint wherever they stand in its path or its handler's name."""
_EXEMPT_LAST = re.compile(
    r"^(?:tokens?|session|ping|status|version|metrics|manifest\S*|setup\S*|install\S*|onboarding\S*|revoke|introspect|bot|contact(?:-us|-form)?|feedback|newsletter|subscribe|wait-?list|track\S*|collect\S*|telemetry|beacon|batch|log-?error|jserror|error-?reports?|csp-?reports?|confirm\S*|activate\S*|"
    r"share|shares|shared|embed\S*|locales?|language|theme|cookie\S*|consent|demo|validat\S*|available|availability|exists|check-?(?:username|email)|search|preview\S*|cron-?preview|graphql|i18n)$"
)
"""Words that exempt an endpoint as the last fixed part of its path."""
_CAPABILITY = re.compile(
    r"[:{<\[](?:\w+:)?(?:\w*(?:token|secret|signature|signed|hash|nonce|capability|payload)\w*|uuid:\w+|(?:push|ping|badge|share|invite|api)_?-?key)\b",
    re.IGNORECASE,
)
_WEBHOOK = re.compile(
    r"webhook|constructEvent|construct_event|hmac|timingSafeEqual|compare_digest|verify_?signature|x-[\w-]{0,30}signature|svix|check_?mac|\bipn\b",
    re.IGNORECASE,
)
_BY_SECRET = re.compile(
    r"\{\s*token\s*\}\s*=\s*(?:input|await|req|body)|\bwhere:\s*\{\s*(?:\w*[tT]oken|secret|slug_token)\b|\bfilter(?:_by)?\(\s*(?:\w*_)?token\s*=|get_object_or_404\([^()]{0,60}\btoken\s*="
)
"""A record that is found by a secret from a mailed link: the link is the right."""
_TRIES_PASSWORD = re.compile(
    r"\b(?:check_password(?:_hash)?|verify_password|verifyPassword|comparePassword|bcrypt\w*\.(?:compare\w*|checkpw)|argon2\.verify|pwd_context\.verify)\("
)
_LETS_IN = re.compile(
    r"\bsession\[|\bsession\.\w+\s*=|login_user\(|set_cookie\(|\.cookie\(|(?:create|sign|issue|generate)\w*[tT]oken\w*\(|jwt\.(?:encode|sign)\("
)
"""What a login does, whatever its address: it tries a password and remembers who came in."""
_FIRST_RUN = frozenset({"setup", "install", "installer", "onboarding", "first-run", "bootstrap"})
_ONCE = re.compile(r"complete|already|is_?setup|isSetup|installed|initiali[sz]ed|first_?run|count\(", re.IGNORECASE)
"""What an endpoint asks that makes the first account and closes behind it."""
_DANGEROUS = re.compile(
    r"(?:^|-)(?:delete|remove|destroy|purge|wipe|truncate|drop|admin\w*|payments?|pay|refunds?|payouts?|backups?|restore|seed\w*|reset-?(?:db|database|data|all)|impersonate|grant|promote|export-?(?:all|users|data))(?:-|$)"
)
_PRIVATE = re.compile(
    r"^(?:users|customers?|clients?|patients?|employees?|members|invoices?|orders?|payments?|transactions?|quotations?|sales|payroll|salar\w*|accounts?|messages?|conversations?|chats?|admin\w*|backups?|exports?|audit\w*|logs|secrets?|credentials?|contacts|leads?|dashboard|profile|me|health-?records?|prescriptions?)$"
)
_PEOPLE = re.compile(r"^(?:users|customers|patients|employees|members|backups?)$")
_KEYLESS = re.compile(r"^\[functions\.([\w.\"-]{1,100})\]\s*\n(?:[^\[\n][^\n]*\n){0,20}?\s*verify_jwt\s*=\s*false", re.MULTILINE)
_OWNER = re.compile(
    r"^(?:(?:user|owner|author|creator|member|account|profile|customer|client|tenant|team|org|organi[sz]ation|company|workspace|household|group|project|studio|vendor|seller|patient|student|teacher)_?(?:id|uuid|uid)?|created_by|uploaded_by|owned_by|uid|email|user_email)$"
)
_ADMINISTERS = re.compile(
    r"(?:^|-)(?:admin\w*|broadcast\w*|restart|reboot|shutdown|exec|eval|shell|sql|deploy|ban|unban|kick|promote|demote|wipe|purge|backup|restore|add-?admin|set-?role|refunds?|payouts?|delete-(?:all|users?|database))(?:-|$)"
)
"""Commands of a bot that nobody means for everybody."""
_SENDER = re.compile(
    r"effective_user|effective_chat|from_user|\bchat\.id|chat_id|user_?id|sender|author|interaction\.(?:user|member)|\bfrom\.id|ctx\.(?:from|chat)|\bmember\b|permissions?|is_?owner|has_(?:any_)?role|is_?admin|admin|allowed|authoriz|restricted|filters\.(?:User|Chat)",
    re.IGNORECASE,
)
"""Something about who sent a command."""
_TOLERANCE = 0.1
_HALF = 0.5
_DANGER = 0.8


@dataclass(frozen=True, slots=True)
class _Endpoint:
    """One endpoint in question; `danger`: what a stranger could do with it is worse than an ordinary write."""

    route: Route
    guard: Guard
    danger: bool
    writes: bool
    weight: float = 1.0


@check(
    "security.endpoint-authorization",
    needs=(PROJECT, TEXTS),
    corroborating=(SYNTAX, ROUTES, POLICIES),
    optional=(STORES,),
    tolerance=_TOLERANCE,
)
def endpoint_authorization(  # noqa: PLR0917 - evidence comes by position
    project: Project, texts: dict[str, str], syntax: Syntax, routes: Routes, policies: RowPolicies, stores: Stores | None
) -> Judgement:
    """Every endpoint that changes or reveals something, with what guards it."""
    tables = [table for table in policies.tables if _changeable(table)] if project.uses("supabase") is not None else []
    if not routes.routes and not routes.unresolved and not tables:
        if project.has(*SERVING):
            return Undecided(
                "No endpoint could be found, although something here answers over a network: name the place where addresses are tied to code."
            )
        return NotApplicable("Nothing here answers over a network.")
    guards = Guards(project, texts, syntax, routes)
    effects = Effects(project, syntax, guards.reach, stores)
    endpoints = [endpoint for route in routes.routes if (endpoint := _endpoint(route, guards, effects)) is not None]
    keyless = frozenset(
        name.strip('"')
        for path in sorted(texts)
        if path.endswith("supabase/config.toml")
        for name in _KEYLESS.findall(texts[path][:400_000])
    )
    endpoints = [_weighed(endpoint, keyless) for endpoint in endpoints]
    endpoints += [_table(table) for table in tables]
    unknown = [endpoint for endpoint in endpoints if endpoint.guard.strength is Strength.UNKNOWN]
    counted = [endpoint for endpoint in endpoints if endpoint.guard.strength is not Strength.UNKNOWN]
    unexamined = tuple(
        (f"{e.route.place.path}:{e.route.place.line}", f"the handler of {e.route.method} {e.route.path} could not be followed")
        for e in unknown
    )
    claims = editable_claims(
        syntax.of(project.server), {path: texts[path] for path in sorted(texts) if project.uses("supabase") is not None}
    )
    if not counted and not unexamined and not claims:
        return NotApplicable("No endpoint changes state or returns private data: what is served is public and read-only.")
    return _assessed(counted, unexamined, claims)


def _assessed(counted: list[_Endpoint], unexamined: tuple[tuple[str, str], ...], claims: list[Finding]) -> Assessed:
    opened = [endpoint for endpoint in counted if endpoint.guard.strength is Strength.NONE]
    guarded = [endpoint for endpoint in counted if endpoint.guard.strength is not Strength.NONE]
    seen = [endpoint for endpoint in guarded if endpoint.guard.strength is Strength.SEEN]
    dangerous = [endpoint for endpoint in opened if endpoint.danger]
    floor = 0.0
    if dangerous or claims:
        floor = _DANGER
    if opened and not guarded:
        floor = max(endpoint.weight for endpoint in opened)
    opened.sort(key=lambda e: (not e.danger, not e.writes, e.route.place.path, e.route.place.line))
    summary = f"{len(guarded)} of {plural(len(counted), 'endpoint')} that change or reveal something check who is calling."
    if opened and not guarded and floor == 1:
        summary = f"Nothing checks who is calling: {plural(len(opened), 'endpoint')} can be used by anybody."
    if claims and not opened:
        summary = "Who may administer is read from something every account can change for itself."
    by_name = len(guarded) - len(seen)
    return Assessed(
        bad=sum(endpoint.weight for endpoint in opened),
        total=len(counted),
        floor=floor,
        summary=summary,
        findings=(*claims, *(_finding(endpoint, alone=not guarded) for endpoint in opened)),
        evidence=tuple(dict.fromkeys(e.guard.place for e in seen if e.guard.place is not None))[:3],
        signals=(
            f"guarded: {len(seen)} by code that was read, {by_name} by name only",
            f"open: {len(opened)}, of them dangerous: {len(dangerous)}",
        ),
        unexamined=unexamined,
        confidence=Confidence.HIGH if not by_name and (not opened or not guarded) else Confidence.MEDIUM,
    )


def _finding(endpoint: _Endpoint, *, alone: bool) -> Finding:
    route = endpoint.route
    if route.framework == "row policies":
        who = "Anybody with the key that every browser gets" if endpoint.weight == 1 else "Everybody who has an account, or makes one,"
        message = f"{who} can change or delete all rows of {route.handler}: no row policy asks whose they are or for a role."
        return Finding("open-table", route.place.path, message, route.place.line, route.place.end_line, detector="policies", cwe=862)
    if endpoint.weight < 1:
        message = f"{route.path} answers to the key that every browser gets, and acts without asking who the caller is."
        return Finding(
            "open-hosted-function", route.place.path, message, route.place.line, route.place.end_line, confidence=Confidence.MEDIUM, cwe=306
        )
    does = "change data" if endpoint.writes else "read what it returns"
    if endpoint.danger:
        does = "use it to delete, restore or administer" if endpoint.writes else "read everybody's records"
    named = route.path if route.method == "ANY" else f"{route.method} {route.path}"
    message = f"Anybody who reaches {named} can {does} without logging in: nothing before it or in it checks who is calling."
    return Finding(
        "open-dangerous-endpoint" if endpoint.danger else "open-endpoint",
        route.place.path,
        message,
        route.place.line,
        route.place.end_line,
        confidence=Confidence.HIGH if alone else Confidence.MEDIUM,
        cwe=306,
    )


# -- hosted database and functions -------------------------------------------------------------------------------------------------


def _weighed(endpoint: _Endpoint, keyless: frozenset[str]) -> _Endpoint:
    """A hosted function that the platform lets nobody call without a key: the key is public, so it counts half."""
    if endpoint.route.framework == "supabase" and endpoint.guard.strength is Strength.NONE and endpoint.route.handler not in keyless:
        return replace(endpoint, weight=_HALF)
    return endpoint


def _changeable(table: PolicyTable) -> bool:
    return not table.revoked and any(table.to(command) is not Access.NOBODY for command in ("insert", "update", "delete"))


def _table(table: PolicyTable) -> _Endpoint:
    """A table as the endpoint it is for a browser: what its policies let happen to rows that are there."""
    widest = min((table.to(command) for command in ("update", "delete")), key=list(Access).index)
    command = next(command for command in ("update", "delete") if table.to(command) is widest)
    route = Route(RouteKind.HTTP, "POST", f"table {table.name}", table.name, table.decided(command), "row policies")
    shared = not any(_OWNER.match(column) for column in table.columns)
    if widest is Access.ANYBODY:
        return _Endpoint(route, Guard(Strength.NONE), danger=True, writes=True)
    if widest is Access.LOGGED_IN and shared:
        return _Endpoint(route, Guard(Strength.NONE), danger=False, writes=True, weight=_HALF)
    return _Endpoint(route, Guard(Strength.SEEN, "row policies", route.place), danger=False, writes=True)


# -- which endpoints are in question -----------------------------------------------------------------------------------------------


def _endpoint(route: Route, guards: Guards, effects: Effects) -> _Endpoint | None:
    """The endpoint, when a stranger's call of it would matter; None for public, exempt and harmless ones."""
    if route.kind in {RouteKind.WEBHOOK, RouteKind.PAGE} or route.method in {"HEAD", "OPTIONS", "TRACE"}:
        return None
    if route.kind is RouteKind.COMMAND:
        return _bot_command(route, guards)
    guard = guards.of(route)
    writes = route.method not in {"GET", "ANY"} or route.kind is not RouteKind.HTTP
    if guard.strength in {Strength.SEEN, Strength.NAMED}:
        return _Endpoint(route, guard, danger=False, writes=writes)
    path, name = _parts(route)
    last = path[-1] if path else ""
    if (
        any(_EXEMPT.search(part) for part in (*path, name))
        or _EXEMPT_LAST.match(last)
        or _EXEMPT_LAST.match(name)
        or _CAPABILITY.search(route.path)
    ):
        return None
    if guard.strength is Strength.UNKNOWN or (route.framework == "node-http" and path in ([], ["{}"])):
        guard = Guard(Strength.UNKNOWN)
        return (
            _Endpoint(route, guard, danger=False, writes=True)
            if (writes or route.framework == "node-http") and route.kind is RouteKind.HTTP
            else None
        )
    return _open(route, guard, guards, effects)


def _bot_command(route: Route, guards: Guards) -> _Endpoint | None:
    """A command of a chat bot that administers: most are meant for everybody, these are not."""
    if not any(_ADMINISTERS.search(part) for part in _words(route)):
        return None
    if route.handler_scope < 0:
        return _Endpoint(route, Guard(Strength.UNKNOWN), danger=False, writes=True)
    asked = any(_SENDER.search(name) for name in route.through)
    for home, index in guards.reach.functions(route.place.path, route.handler_scope, 2):
        asked = asked or any(_SENDER.search(test) for test in guards.tests(home, index))
    strength = Strength.SEEN if asked else Strength.NONE
    return _Endpoint(route, Guard(strength, route.handler, route.place if asked else None), danger=not asked, writes=True)


def _words(route: Route) -> tuple[str, str]:
    """The command and its handler in words joined by hyphens."""
    path, name = _parts(route)
    return "-".join(path), name


def _open(route: Route, guard: Guard, guards: Guards, effects: Effects) -> _Endpoint | None:
    if route.kind is RouteKind.WEBSOCKET or _WEBHOOK.search(guards.body(route.place.path, route.handler_scope)):
        return None
    path, name = _parts(route)
    last = path[-1] if path else ""
    own = guards.body(route.place.path, route.handler_scope)
    if _TRIES_PASSWORD.search(own) and _LETS_IN.search(own):
        return None
    if _signs_up(route, path, own) or (_FIRST_RUN & set(path) and _ONCE.search(own)) or _BY_SECRET.search(own):
        return None
    named_dangerous = any(_DANGEROUS.search(part) for part in (*path, name))
    if route.method != "GET" and effects.changes(route):
        danger = route.method == "DELETE" or named_dangerous or effects.removes(route)
        return _Endpoint(route, guard, danger=danger, writes=True)
    if route.method == "GET" and named_dangerous and effects.removes(route):
        return _Endpoint(route, guard, danger=True, writes=True)
    if route.method in {"GET", "ANY"} and any(_PRIVATE.match(part) for part in path) and effects.fetches(route):
        return _Endpoint(route, guard, danger=_PEOPLE.match(last) is not None, writes=False)
    return None


def _signs_up(route: Route, path: list[str], body: str) -> bool:
    """Whether a stranger makes an account of their own here, whatever the endpoint is called."""
    last = path[-1] if path else ""
    people = any(part in {"user", "users", "account", "accounts"} for part in path)
    makes = last in {"user", "users", "account", "accounts"} or bool(re.match(r"(?:create|new|add)(?:-|$)", last))
    return (
        people
        and makes
        and not {"admin", "private", "internal"} & set(path)
        and route.method in {"POST", "ANY"}
        and "password" in body.lower()
        and not route.path.rstrip("/").endswith(("}", ">"))
    )


def _parts(route: Route) -> tuple[list[str], str]:
    """The fixed words of a path and the handler's own name, in lower case with dashes."""
    whole = route.path.removeprefix("action:").replace("?/", "/").strip("/^$")
    fixed = [part for part in whole.split("/") if part and part[0] not in ":{<[(*"]
    name = "" if route.handler in fixed else route.handler.rsplit(".", 1)[-1]
    return [_plain(part) for part in fixed], _plain(name)


def _plain(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])|[_\s]+", "-", name).lower()
