"""The flows of a product that must not break unnoticed: signing in and up, new passwords, money, the main data. Found among the endpoints and hosted tables."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from auditor.checks.incoming_webhooks import IncomingWebhooks
from auditor.checks.query_texts import query_texts
from auditor.checks.reach import Reach, within
from auditor.model.evidence import Route, RouteKind, Routes
from auditor.model.project import Project
from auditor.model.syntax import Syntax
from auditor.model.verdict import Place

_WRITING = frozenset({"POST", "PUT", "PATCH", "DELETE", "ANY"})
_NO_ENTRY = frozenset({RouteKind.PAGE, RouteKind.WEBSOCKET})
_SIGN_IN = re.compile(r"(?:^|-)(?:log-?in|sign-?in|authenticate|access-token|auth-token)$|^(?:token|sessions)$")
_SIGN_UP = re.compile(r"(?:^|-)(?:sign-?up|register|registration)$")
_NEW_PASSWORD = re.compile(r"(?:^|-)(?:(?:reset|forgot|recover|change|set)-?password|password-?(?:reset|recovery|forgot|change))(?:-|$)")
_MONEY = re.compile(
    r"(?:^|-)(?:checkout|payments?|pay|charges?|purchase|refunds?|create-(?:checkout|payment)-\w+|subscribe-plan)(?:-session|-intent)?$"
)
_NO_MONEY = re.compile(r"(?:^|-)(?:push|newsletter|topic)(?:-|$)")
_VERSION = re.compile(r"^(?:api|rest|v\d+|graphql|trpc|rpc|internal|public|app|actions?|server)$")
_AROUND = re.compile(
    r"auth|log-?in|log-?out|sign-|session|token|password|register|account|users?$|^me$|profile|settings?|preferences?|config|health|ping|status|metrics|webhook|hooks?$|admin|setup|test|debug|seed|upload|files?$|language|theme|cookie|telemetry|analytics|track|cron|mfa|2fa|totp|oauth|csrf|verify|(?:^|-)logs?$|search|chat|notif"
)
_ACTIONS = re.compile(r"^(?:add|create|new|edit|update|delete|remove|save|insert|list|get|info|search|all|bulk|batch)$")
_READS = re.compile(r"^(?:get|list|fetch|check|search|load|read|find|export|preview|validate|calculate|generate)(?:-|$)")
_HOSTED_WRITE = re.compile(r"(?:^|\.)from\(\)\.(?:insert|upsert|update|delete)(?:\(\)|$)|^(?:addDoc|setDoc|updateDoc|deleteDoc)$")
_KEEPS = re.compile(
    r"(?:^|\.)(?:save|commit|insert(?:_?[oO]ne|_?[mM]any)?|insertInto|upsert|bulk_create|bulkCreate|perform_create|add_(?!header|middleware|argument)\w+|findByIdAnd\w+|findOneAnd\w+"
    r"|addDoc|setDoc|updateDoc|deleteDoc|(?:update|delete)_?(?:[oO]ne|[mM]any)|create[mM]any)$"
    r"|(?:^|\.)(?:prisma|tx|db|\w*[rR]epo(?:sitory)?|objects|from\(\)|table\(\)|[A-Z]\w+)(?:\.\w+)?\.(?:create|update|delete|insert|save|destroy|add)$"
)
_WRITES = re.compile(r"\s*(?:INSERT|UPDATE|DELETE|REPLACE|MERGE)\b", re.IGNORECASE)
_PAYS = re.compile(
    r"stripe|paypal|paddle|razorpay|mollie|adyen|braintree|klarna|checkout|charge|payment|(?:^|\.)(?:post|fetch)$", re.IGNORECASE
)
_NO_RECORD = re.compile(
    r"^(?:Object|Headers|URL|Set|Map|Promise|Array|Response|NextResponse|Math|JSON|OpenAI)\.|completions|messages\.create$|cookies|embeddings"
)
_GENERATED = frozenset({"drf"})
"""Classes of these write without a line of their own."""
_MAIN = 3
"""Which data is the main data is a guess; a test of any of the few that most endpoints write is enough."""


@dataclass(frozen=True, slots=True)
class Flow:
    """One flow by its `name` in words, with the endpoints any of which starts it; `places` are where it begins: the endpoints, and calls of a hosted database."""

    name: str
    routes: tuple[Route, ...]
    places: tuple[Place, ...]


def flows(project: Project, texts: dict[str, str], syntax: Syntax, routes: Routes) -> list[Flow]:
    """The flows of a product in the order of what their break costs."""
    writing = [
        route
        for route in routes.routes
        if route.method in _WRITING and route.kind not in _NO_ENTRY and route.place.path in project.production
    ]
    kept = _Kept(project, syntax)
    found: defaultdict[str, list[Route]] = defaultdict(list)
    money = {id(hook.route) for hook in IncomingWebhooks(routes, syntax, project, texts).all() if hook.payment}
    for route in writing:
        name = "the notice of a payment" if id(route) in money else _named(route)
        brought = route.handler_scope < 0 and route.place.path.endswith(".py")  # a view of the framework or a library
        if name and not brought and (name != "paying" or kept.by(route) or kept.pays(route)):
            found[name].append(route)
    keeping = (route for route in writing if not _named(route) and id(route) not in money and resource(route) and not _only_reads(route))
    main = _main([route for route in keeping if kept.by(route)])
    listed = [Flow(name, tuple(found[name]), tuple(route.place for route in found[name])) for name in _ORDER if name in found]
    places = (*_hosted(project, syntax), *(route.place for route in main))
    return [*listed, Flow("writing the main data", tuple(main), places)] if places else listed


_ORDER = ("signing in", "signing up", "setting a new password", "paying", "the notice of a payment")


def accepts_data(routes: Routes) -> bool:
    """Whether an endpoint takes something in, kept or not."""
    return any(route.method in _WRITING - {"ANY"} and route.kind not in _NO_ENTRY for route in routes.routes)


def parts(path: str) -> tuple[str, ...]:
    """The segments of an address in lower-case words joined by hyphens; "*" for one that varies."""
    path = re.sub(r"\(\?P<[^)]*\)|\{[^}]*\}|<[^>]*>|\[+[^\]]*\]+|\$\{[^}]*\}", "*", path)
    found = (segment.strip("^$?\\") for segment in path.split("/"))
    return tuple("*" if segment.startswith(":") or "*" in segment else plain(segment) for segment in found if segment)


def plain(text: str) -> str:
    """A name in lower-case words joined by hyphens: `resetPassword` and `reset_password` are the same."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|[_.\s:]+", "-", text).strip("-").lower()


def _named(route: Route) -> str:
    """Which of the flows an endpoint is by the end of its path, or by its handler where it has no address of its own."""
    static = [part for part in parts(route.path) if part != "*"]
    last = static[-1] if static else ""
    words = [last] if route.kind is not RouteKind.ACTION else [plain(route.handler)]
    if _ACTIONS.match(last) and len(static) > 1:
        words.append(static[-2])
    for word in words:
        if _NEW_PASSWORD.search("-".join(static[-2:])) or _NEW_PASSWORD.search(word):
            return "setting a new password"
        if route.method in {"POST", "ANY"} and _SIGN_IN.search(word) and "*" not in parts(route.path):
            return "signing in"
        if route.method in {"POST", "ANY"} and _SIGN_UP.search(word) and "*" not in parts(route.path):
            return "signing up"
        if route.method in {"POST", "ANY"} and _MONEY.search(word) and not _NO_MONEY.search("-".join(static)):
            return "paying"
    return ""


def resource(route: Route) -> str:
    """What kind of record an endpoint is about: the first telling segment of its path, "" where there is none."""
    if route.kind is RouteKind.ACTION:
        return ""
    telling = [part for part in parts(route.path) if part != "*" and not _VERSION.match(part)]
    return telling[0] if telling and not any(_AROUND.search(part) for part in telling) and not _ACTIONS.match(telling[0]) else ""


def _only_reads(route: Route) -> bool:
    """Whether the last word of the address says that it hands something out, whatever it notes beside that."""
    return bool(_READS.match(next((part for part in reversed(parts(route.path)) if part != "*"), "")))


class _Kept:
    """What endpoints keep: calls of mappers and clients, and statements that write."""

    def __init__(self, project: Project, syntax: Syntax) -> None:
        self._syntax = syntax
        self._reach = Reach(syntax, project.production)
        self._statements: defaultdict[str, set[int]] = defaultdict(set)
        for text in query_texts(syntax.of(project.production)):
            if _WRITES.match(text.value.literal):
                self._statements[text.path].add(text.scope)

    def by(self, route: Route) -> bool:
        """Whether what the endpoint calls keeps or changes a record."""
        if route.handler_scope < 0 or route.framework in _GENERATED:
            return route.framework in _GENERATED
        path, scope = route.place.path, route.handler_scope
        calls = self._reach.calls(path, scope, 3, classes=True)
        if any(_KEEPS.search(call.callee) and not _NO_RECORD.search(call.callee) for _, call in calls):
            return True
        reached = self._reach.functions(path, scope, 3, classes=True)
        return any(not self._statements[home].isdisjoint(within(self._syntax.files[home], index)) for home, index in reached)

    def pays(self, route: Route) -> bool:
        """Whether the endpoint asks a service for money; a page that only shows prices does not. A handler that could not be read counts."""
        calls = self._reach.calls(route.place.path, route.handler_scope, 3)
        return route.handler_scope < 0 or any(_PAYS.search(call.callee) for _, call in calls)


def _main(writing: list[Route]) -> list[Route]:
    """The endpoints that write what most endpoints write."""
    counted = Counter(resource(route) for route in writing)
    del counted[""]
    return [route for name, _ in counted.most_common(_MAIN) for route in writing if resource(route) == name]


def _hosted(project: Project, syntax: Syntax) -> Iterable[Place]:
    """Where production code writes to a hosted database without an endpoint of its own, the file with most of it first."""
    if project.uses("supabase", "firebase") is None:
        return []
    found = [
        Place(facts.path, call.line, call.end_line)
        for facts in syntax.of(project.production)
        for call in facts.calls
        if _HOSTED_WRITE.search(call.callee)
    ]
    counted = Counter(place.path for place in found)
    return sorted(found, key=lambda place: (-counted[place.path], place.path, place.line))
