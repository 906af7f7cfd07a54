"""Endpoints that other services call (webhooks, payment notices), and what their handlers do to make sure of the sender."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from auditor.checks.reach import Reach, within
from auditor.model.evidence import Route, RouteKind, Routes
from auditor.model.project import Project
from auditor.model.syntax import FileFacts, Syntax


class Proof(StrEnum):
    """How far the sender is proven."""

    SIGNATURE = "signature"  # a signature, shared secret or look-up at the sender decides
    SKIPPED = "skipped"  # only when a setting is there: a missing setting lets everybody in
    IN_ADDRESS = "in-address"  # a secret that is part of the address, where logs keep it
    STUB = "stub"  # a function called verification that verifies nothing
    NONE = "none"
    HARMLESS = "harmless"  # nothing is changed
    UNKNOWN = "unknown"  # the handler could not be read


@dataclass(frozen=True, slots=True)
class Hook:
    """One incoming webhook; `payment`: it speaks of money."""

    route: Route
    proof: Proof
    payment: bool
    line: int
    end_line: int


_HOOK = re.compile(r"(?:^|-)(?:webhooks?|ipn|hooks?)(?:$|-)")
_NOTICE = re.compile(r"(?:^|-)(?:notify|notification|callback|postback)(?:$|-)")
_MONEY = re.compile(
    r"stripe|paypal|paddle|lemon-?squeezy|razorpay|mercado-?pago|iyzico|ecpay|mollie|adyen|braintree|square|alipay|wechat-?pay|payu|paystack|flutterwave|midtrans|xendit|paytm|momo|vnpay|payment|\bpay\b|checkout|billing|invoice|subscription",
    re.IGNORECASE,
)
_LOGIN = re.compile(r"oauth|(?:^|-)(?:auth|login|sso|oidc|saml|signin|google|github|linkedin|microsoft|facebook|discord|apple)(?:$|-)")
_MANAGES = re.compile(
    r"^(?:add|create|new|edit|update|delete|remove|list|register|configure|settings|test|send|trigger|rerun|retry|deliveries|logs?|admin|manage|push)$"
)
_OTHER_METHOD = re.compile(r"\bcase\s+['\"](?:PUT|DELETE|PATCH)['\"]|method\s*===?\s*['\"](?:PUT|DELETE|PATCH)['\"]")
"""Services only ever post their messages."""
_GUARDED = re.compile(
    r"login_?required|authenticat|authori[sz]|current_?user|require_?(?:user|auth|admin|login)|protected|AuthGuard|is_?admin|permission|session|jwt|api_?key|basic|verify|signature|webhook\w*guard",
    re.IGNORECASE,
)
_VERIFIES = re.compile(
    r"(?:^|[._])(?:construct_?event(?:_?async)?|construct_?webhook_?event|timingSafeEqual|compare_digest|safe_?compare|safeEqual|constant_?time_?(?:compare|equals?)|secure_?compare|tsscmp|scmp|validateRequest\w*|RequestValidator\(?\)?"
    r"|validate_request|createVerify|subtle\.verify|verifyAndReceive|unwrap|unmarshal|webhooks\.verify\w*|receiver\.verify|verify_?webhook\w*|verify_?signature\w*|verify_?hmac\w*|verify\w*Signature|verify\w*Webhook\w*|is_?valid_?signature|validate\w*signature\w*|check_?signature\w*"
    r"|check_?mac\w*|verify_?key|verify_?ipn|verify_?notification\w*|verify_?header|verify_?token|verify_?secret|verify_?sign|authenticate_?webhook\w*|is_?authentic\w*|Webhook\(?\)?\.verify|hmac\.verify|jwt\.(?:verify|decode)|jwtVerify)$",
    re.IGNORECASE,
)
_CRYPTO = re.compile(
    r"(?:^|[._ ])(?:construct_?event(?:_?async)?|timingSafeEqual|compare_digest|createHmac|createVerify|hmac\.new|hmac\.HMAC|hmac\.digest|subtle\.(?:verify|sign)|subtle\.importKey|validateRequest\w*|RequestValidator|Webhook|verify_webhook|webhooks\.\w+|md5|sha256|createHash|new|digest"
    r"|jwt\.verify|jwt\.decode|jwtVerify|HmacSHA256|fetch|(?:axios|https?|client|requests|httpx|session|got|httpService)\.(?:post|get|request)|constant_time_compare|safe_?compare|verify)(?:\(\))?$",
    re.IGNORECASE,
)
_COMPARES = re.compile(
    r"(?:\b\w*(?:signature|sig|secret|token|hmac|digest|mac|apikey|api_key|x_?key|password|provided|expected|authorization|authHeader|checksum)\w*\]?|\))\s*(?:!==?|===?|!=)\s*[`'\"f]{0,2}(?:Bearer \$?\{)?[\w.\[\]]*(?:signature|sig|secret|token|hmac|digest|mac|expected|key|env|checksum|settings|config)",
    re.IGNORECASE,
)
_READS_BACK = re.compile(
    r"(?:^|\.)(?:events|payments?|paymentIntents|orders|sessions|transactions?|invoices|subscriptions|charges)\.(?:retrieve|get|findById|fetch|verify)$|(?:^|\.)(?:getPayment|get_payment_by_id|verify_?transaction|verify_?payment)$",
    re.IGNORECASE,
)
_WRITES = re.compile(
    r"(?:^|\.)(?:insert\w*|update\w*|upsert|delete\w*|save|create\w*|add|commit|execute|exec|set|put|send\w*|rpc|enqueue|delay|apply_async|publish|emit|push|handle\w*|process\w*|run|query|activate\w*|grant\w*|mark\w*)$",
    re.IGNORECASE,
)
_ADDRESS_SECRET = re.compile(r"(?:query|searchParams|args)\b[^\n]{0,30}(?:secret|token|key|signature)", re.IGNORECASE)
_ONLY_IF = re.compile(
    r"\bif\s*\(?\s*((?:\w+\.)*\w*(?:secret|_key|token|hash_key|signing)\w*)(?:\s*(?:&&|and)\s*[\w.]+){0,3}\s*\)?\s*[{:]", re.IGNORECASE
)
_LIBRARIES = re.compile(
    r"^(?:svix|standardwebhooks|@octokit/webhooks(?:-methods)?|twilio(?:\..+)?|@paddle/.+|postmark|@slack/.+|slack_sdk\.signature|google-auth-library|@line/bot-sdk|linebot.*|resend|cloudevents.*)$"
)


class IncomingWebhooks:
    """Finds the webhooks among the routes and looks into each handler."""

    def __init__(self, routes: Routes, syntax: Syntax, project: Project, texts: dict[str, str]) -> None:
        self._routes = routes.routes
        self._syntax = syntax
        self._texts = texts
        self._files = syntax.of(project.server)
        self._reach = Reach(syntax, project.server)
        self._functions: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
        for facts in self._files:
            for index, definition in enumerate(facts.definitions):
                if definition.name:
                    self._functions[definition.name].append((facts.path, index))

    def all(self) -> Iterator[Hook]:
        """Every incoming webhook in the order of the routes, each handler once."""
        seen = set()
        for route in self._routes:
            key = (route.place.path, route.place.line, route.path)
            if key not in seen and self._is_incoming(route):
                seen.add(key)
                yield self._hook(route)

    def verified_elsewhere(self) -> list[tuple[str, int]]:
        """Places that check a sender's signature, for handlers that are no routes of a known kind."""
        return [
            (facts.path, call.line)
            for facts in self._files
            for call in facts.calls
            if re.search(
                r"webhooks\.construct_?event(?:_?async)?$|Webhook\.construct_event$|(?:^|\.)wh\.verify$|new Webhook\(\)\.verify$|webhooks\.verifyAndReceive$",
                call.callee,
                re.IGNORECASE,
            )
        ]

    def _is_incoming(self, route: Route) -> bool:
        if (
            route.method not in {"POST", "ANY", "PUT"}
            or route.kind in {RouteKind.PAGE, RouteKind.WEBSOCKET, RouteKind.ACTION, RouteKind.COMMAND}
            or route.path.startswith("/trpc/")
        ):
            return False
        parts = [_plain(part) for part in route.path.strip("/^$").split("/") if part and part[:1] not in "{:<["]
        hooked = any(_HOOK.search(part) for part in parts)
        if any(_MANAGES.match(word) for part in parts for word in part.split("-")) or (
            not hooked and any(_LOGIN.search(part) for part in parts)
        ):
            return False
        named = hooked or (any(_NOTICE.search(part) for part in parts) and any(_MONEY.search(part) for part in parts))
        return named and not self._managed(route) and not any(_is_login(name) for name in route.through)

    def _managed(self, route: Route) -> bool:
        """Whether the same address is also listed, changed or deleted: records of the user's own outgoing webhooks."""
        base = re.sub(r"/[{:<\[][^/]*.*$", "", route.path).rstrip("/")
        if route.method == "ANY" and route.handler_scope >= 0 and self._answers_by_method(route):
            return True
        return any(
            other.path.rstrip("/").startswith(base)
            and (other.method in {"DELETE", "PATCH"} or (other.method in {"PUT", "GET"} and re.search(r"[{:<\[]", other.path)))
            for other in self._routes
            if other is not route
        )

    def _answers_by_method(self, route: Route) -> bool:
        """Whether one handler also deletes or changes: `switch (req.method) { case "DELETE": ... }`."""
        facts = self._syntax.files.get(route.place.path)
        if facts is None:
            return False
        definition = facts.definitions[route.handler_scope]
        lines = self._texts.get(facts.path, "").split("\n")[definition.line - 1 : definition.end_line]
        return any(_OTHER_METHOD.search(line) for line in lines)

    def _hook(self, route: Route) -> Hook:
        facts = self._syntax.files.get(route.place.path)
        if facts is None or route.handler_scope < 0:
            return Hook(route, Proof.UNKNOWN, _is_money(route.path), route.place.line, route.place.end_line)
        definition = facts.definitions[route.handler_scope]
        text = "\n".join(self._texts.get(facts.path, "").split("\n")[definition.line - 1 : definition.end_line])[:60_000]
        code = "\n".join(line for line in text.split("\n") if not line.lstrip().startswith(("//", "#", "*")))
        payment = _is_money(f"{route.path} {route.handler}") or bool(
            re.search(r"payment_intent|checkout\.session|invoice\.paid|subscription_created|PAYMENT\.CAPTURE", code)
        )
        return Hook(route, self._proof(route, facts, code), payment, definition.line, min(definition.end_line, definition.line + 3))

    def _proof(self, route: Route, facts: FileFacts, code: str) -> Proof:
        if any(_GUARDED.search(name) for name in route.through):
            return Proof.SIGNATURE
        stub = False
        calls = list(self._reach.calls(facts.path, route.handler_scope, 2))
        own = within(facts, route.handler_scope)
        found = False
        for path, call in calls:
            if not _VERIFIES.search(call.callee):
                found = found or bool(_READS_BACK.search(call.callee)) or self._by_library(path, call.callee)
            elif self._is_stub(call.callee):
                stub = True
            else:
                found = found or call.scope in own or path != facts.path or call.used
        if not found and not stub:
            found = bool(_COMPARES.search(code)) or "verify-webhook-signature" in code or "cmd=_notify-validate" in code
        if found:
            if _skippable(code):
                return Proof.SKIPPED
            return Proof.IN_ADDRESS if _ADDRESS_SECRET.search(code) and "header" not in code.lower() else Proof.SIGNATURE
        if stub:
            return Proof.STUB
        if not any(_WRITES.search(call.callee) for _, call in calls):
            return Proof.HARMLESS
        return Proof.NONE

    def _by_library(self, path: str, callee: str) -> bool:
        """A verifying method of a library that is there for webhooks."""
        return callee.rsplit(".", 1)[-1] in {"verify", "validate", "receive"} and any(
            _LIBRARIES.match(statement.module) for statement in self._syntax.files[path].imports
        )

    def _is_stub(self, callee: str) -> bool:
        """A first-party function whose name promises a verification and that neither computes nor asks anything."""
        places = self._functions.get(callee.rsplit(".", 1)[-1], [])
        return bool(places) and all(self._proves_nothing(path, index) for path, index in places)

    def _proves_nothing(self, path: str, index: int) -> bool:
        definition = self._syntax.files[path].definitions[index]
        body = "\n".join(self._texts.get(path, "").split("\n")[definition.line - 1 : definition.end_line])
        return not any(_CRYPTO.search(call.callee) for _, call in self._reach.calls(path, index, 2)) and not _COMPARES.search(body)


def _skippable(code: str) -> bool:
    """Whether the check is made only if a setting is there, and nothing refuses when it is not."""
    for match in _ONLY_IF.finditer(code):
        name = match[1].rsplit(".", 1)[-1]
        after = code[match.end() : match.end() + 700]
        refuses = re.search(rf"!\s*(?:\w+\.)*{re.escape(name)}\b|\bnot\s+(?:\w+\.)*{re.escape(name)}\b", code)
        setting = name.isupper() or re.search(rf"\b{re.escape(name)}\b[^\n]{{0,40}}(?:env|settings|config|getenv)", code)
        if (
            setting
            and not refuses
            and (
                _COMPARES.search(after)
                or re.search(r"verify|construct_?event|timingSafeEqual|compare_digest|CheckMac", after, re.IGNORECASE)
            )
            and not re.search(r"^\s*\}?\s*else\b[^\n]*\n[^\n]{0,200}(?:40[013]|throw|raise|return)", after, re.MULTILINE)
        ):
            return True
    return False


def _is_login(name: str) -> bool:
    return bool(
        re.search(
            r"login_?required|authenticated|current_?user|require_?(?:user|auth|login|admin)|protected|JwtAuthGuard|is_?admin|permission|session_?required",
            name,
            re.IGNORECASE,
        )
    )


def _is_money(text: str) -> bool:
    return bool(_MONEY.search(re.sub(r"(?<=[a-z])(?=[A-Z])", "-", text).lower()))


def _plain(text: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])|[_.\s]+", "-", text).lower()
