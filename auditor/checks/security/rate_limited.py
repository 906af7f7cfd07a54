"""Login, sign-up and endpoints that cost money per call have a rate limit.

Passing title: Guessing passwords and burning money are slowed down
Failing title: Anybody can guess passwords or run up the bill as fast as the network allows
Grading: The endpoints in question are the product's own logins, sign-ups and password resets, and those that call a language model, send mail or messages, or take
    uploads. Pass when nearly all of them are behind a limiter (in code, in a middleware for everything, in a committed gateway configuration), or when logins are left to a
    hosted identity provider and nothing else is there. Partial when some are and some are not, when a limiter stands before other endpoints only, or when it
    counts in the memory of one process although several run. Fail when none are.
Done when: Every such endpoint answers 429 after a few calls from one client, the counters live in a shared store, and the accounts at paid services have a spending cap.
What it cannot see: Limits set in the console of a platform, firewall or identity provider, and limiters whose names say nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from auditor.checks.handler_classes import names_before
from auditor.checks.limiters import LIMITER, before_everything, counts_in_memory, limits_somewhere
from auditor.checks.processes import several_processes
from auditor.checks.reach import Reach, within
from auditor.checks.registry import check
from auditor.model.artifacts import Deployment
from auditor.model.evidence import Route, RouteKind, Routes
from auditor.model.needs import DEPLOYMENT, PROJECT, ROUTES, SYNTAX, TEXTS
from auditor.model.project import RUNNING, Project
from auditor.model.syntax import Call, Syntax
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable, Place
from auditor.words import listed, plural

_LOGIN = re.compile(
    r"^(?:log-?in(?:-(?:access-?token|user|json|form|post|for-access-token|page|view|with-[\w-]{1,30}))?|access-?token|token-?obtain-?pair|obtain-?token|sign-?in|register|sign-?up|registration|forgot-?(?:password|username)?|reset-?password|password-?reset|request-?reset|resend-?(?:verification|code|otp)?|verify-?(?:otp|code|2fa)|otp|magic-?link|create-?account|authenticate"
    r"|signin-?magic-?link|\w*-?log-?in|\w*-?sign-?up|\w*-?register)$"
)
_MAKES_ACCOUNT = re.compile(r"(?:create-?account|sign-?up|register|registration)$")
"""For people who are logged in already, accounts are of another kind (at a bank, for a talk)."""
_UNCLEAR = re.compile(r"^(?:auth|token|tokens|session|sessions|accounts?|users?|join)$")
_PASSWORD = re.compile(
    r"(?:^|[._])(?:check_password(?:_hash)?|verify_?password|checkPassword|comparePassword|compareSync|pwd_context\.verify|verifyPassword|authenticate|argon2\.verify|bcrypt\.(?:compare|checkpw)|ph\.verify|checkpw|validatePassword)$",
    re.IGNORECASE,
)
_HASHES = re.compile(
    r"(?:^|[._])(?:hash_?password|get_password_hash|make_password|set_password|generate_password_hash|bcrypt\.(?:hash|hashSync|hashpw)|hashpw|argon2\.hash|pwd_context\.hash|create_user)$",
    re.IGNORECASE,
)
_DELEGATED = re.compile(
    r"(?:auth\.(?:signIn\w*|signUp|sign_in\w*|sign_up|admin\.\w+)|signInWith\w+|createUserWithEmailAndPassword|sendPasswordResetEmail|signInWithPassword|clerkClient|loginWithRedirect|initiate_auth)$"
)
_PROVIDERS = re.compile(
    r"^(?:@clerk/|@auth0/|auth0|@supabase/auth|@workos|@kinde|@stytch|@descope|firebase/auth|@okta/|aws-amplify/auth|authlib)"
)
_COSTLY = re.compile(
    r"(?:chat\.completions\.(?:create|parse)|responses\.create|completions\.create|messages\.(?:create|stream)|generate_?[cC]ontent(?:Stream|_stream)?|\bgenerateText|\bstreamText|\bgenerateObject|\bstreamObject|embeddings\.create|images\.(?:generate|edit)"
    r"|audio\.(?:transcriptions|speech)\.create|ChatCompletion\.create|emails\.send|\.sendMail|send_?mail|send_?email|sendEmail|sendgrid\w*\.send|sgMail\.send|send_raw_email|send_templated_email|sendSms|send_sms|verifications\.create|EmailMessage\(\)\.send"
    r"|mail\.send|replicate\.run|textract\w*\.\w+|chat\.sendMessage|sendMessageStream|bedrock\w*\.invoke_model|client\.invoke_model|llm\.(?:a?invoke|a?predict|stream)|chain\.a?invoke|agent\.a?invoke|Runner\.run(?:_sync|_streamed)?)$"
)
_PAID_HOST = re.compile(
    r"^https?://(?:[\w-]+\.)*(?:api\.openai\.com|api\.anthropic\.com|generativelanguage\.googleapis\.com|openrouter\.ai|api\.groq\.com|api\.mistral\.ai|api\.deepseek\.com|api\.cohere\.(?:ai|com)|api\.perplexity\.ai|api\.x\.ai|ai\.gateway\.lovable\.dev"
    r"|api\.replicate\.com|api-inference\.huggingface\.co|api\.elevenlabs\.io|api\.resend\.com|api\.sendgrid\.com|api\.twilio\.com|api\.mailgun\.net|api\.postmarkapp\.com|api\.brevo\.com|api\.sendinblue\.com|api\.stability\.ai|openai\.azure\.com)\b"
)
_SENDS = re.compile(r"(?:^|\.)(?:fetch|post|request|axios|urlopen|send)$")
_UPLOAD = re.compile(r"(?:^|[._])(?:multer|busboy|upload_file|uploadFile)(?:$|[._(])|\bUploadFile\b|(?:^|\.)save_upload$")
_UPLOAD_LAYER = re.compile(r"upload\w*\.(?:single|array|fields|any)$|Files?Interceptor|multer")
_ADMINISTRATOR = re.compile(r"admin|staff|superuser", re.IGNORECASE)
_GUARDED = re.compile(
    r"auth|login|admin|staff|superuser|permission|current_?\w*user|require_?\w*user|principal|jwt|guard|protect", re.IGNORECASE
)
_PERMITS = re.compile(
    r"(?:^|\.)(?:(?:check|ensure|assert|require|verify)_?(?:[lL]ogged_?[iI]n|[lL]ogin|[aA]uth(?:enticated|entication)?|[sS]ession)|can[A-Z]\w*|is_?[aA]dmin|check_?[pP]ermission\w*|require\w*|getServerSession|getSession|current_?[uU]ser)$"
)
_OWN_ACCOUNT = re.compile(r"(?:^|/)(?:me|profile|account|settings|preferences|change[-_]?password|password)(?:/|$)", re.IGNORECASE)
_MOST = 0.8


@dataclass(frozen=True, slots=True)
class _Endpoint:
    """One endpoint in question: what it does, and whether something slows it down."""

    route: Route
    what: str
    limited: bool


@check("security.rate-limited", needs=(PROJECT, TEXTS), corroborating=(SYNTAX, ROUTES), optional=(DEPLOYMENT,))
def rate_limited(project: Project, texts: dict[str, str], syntax: Syntax, routes: Routes, deployment: Deployment | None) -> Judgement:
    """Find the endpoints in question, then what stands before each."""
    reach = Reach(syntax, project.production)
    everything = before_everything(syntax, project, texts)
    endpoints = [endpoint for route in routes.routes if (endpoint := _endpoint(route, reach, syntax, everything=everything is not None))]
    provider = _provider(syntax, project)
    if not endpoints:
        return _without_endpoints(project, provider)
    limited = [endpoint for endpoint in endpoints if endpoint.limited]
    share = len(limited) / len(endpoints)
    elsewhere = any(LIMITER.search(name) for route in routes.routes for name in route.through) or limits_somewhere(syntax, project)
    memory = bool(limited) and everything is None and counts_in_memory(syntax, project, texts) and several_processes(deployment) is not None
    badness = _badness(share, elsewhere=elsewhere, memory=memory)
    missing = [endpoint for endpoint in endpoints if not endpoint.limited]
    return Assessed(
        bad=0,
        total=0,
        floor=badness,
        summary=_summary(endpoints, limited, memory=memory),
        findings=tuple(_finding(endpoint) for endpoint in _worst_first(missing)) if badness else (),
        evidence=tuple(endpoint.route.place for endpoint in limited[:3]) or ((everything,) if everything is not None else ()),
        signals=(
            f"endpoints in question: {listed([f'{e.route.method} {e.route.path}' for e in endpoints], 6)}",
            f"limited: {len(limited)} of {len(endpoints)}",
            f"limiter for everything: {'yes' if everything is not None else 'no'}",
        ),
        confidence=Confidence.MEDIUM,
    )


def _badness(share: float, *, elsewhere: bool, memory: bool) -> float:
    if share >= _MOST:
        return 0.4 if memory else 0.0
    if share > 0 or elsewhere:
        return 0.5
    return 1.0


def _worst_first(endpoints: list[_Endpoint]) -> list[_Endpoint]:
    return sorted(endpoints, key=lambda endpoint: (endpoint.what != "login", endpoint.route.place.path, endpoint.route.place.line))


def _without_endpoints(project: Project, provider: Place | None) -> Judgement:
    if provider is not None:
        summary = (
            "Logins are left to a hosted identity provider, which limits them itself; no endpoint that costs money per call was found."
        )
        return Assessed(bad=0, total=1, summary=summary, evidence=(provider,), confidence=Confidence.MEDIUM)
    if not project.has(*RUNNING):
        return NotApplicable("Nothing here answers over a network.")
    return NotApplicable("There is no login of its own and no endpoint that costs money per call.")


def _summary(endpoints: list[_Endpoint], limited: list[_Endpoint], *, memory: bool) -> str:
    counted = f"{len(limited)} of {plural(len(endpoints), 'endpoint')} with passwords or costs behind {'it' if len(endpoints) == 1 else 'them'} {'is' if len(limited) == 1 else 'are'} limited"
    return f"{counted}, in the memory of one process although several run." if memory else f"{counted}."


def _finding(endpoint: _Endpoint) -> Finding:
    route = endpoint.route
    message = {
        "login": f"{route.method} {route.path} can be called as fast as the network allows: passwords and codes can be guessed, or accounts made by the thousand.",
        "costly": f"{route.method} {route.path} calls a paid service each time: one visitor with a loop runs up the bill or gets the account blocked.",
        "upload": f"{route.method} {route.path} takes uploads without a limit: one visitor with a loop fills the disk.",
    }[endpoint.what]
    return Finding(
        f"unlimited-{endpoint.what}",
        route.place.path,
        message,
        route.place.line,
        route.place.end_line,
        confidence=Confidence.MEDIUM,
        cwe=307 if endpoint.what == "login" else 770,
    )


# -- endpoints ---------------------------------------------------------------------------------------------------------------------


def _endpoint(route: Route, reach: Reach, syntax: Syntax, *, everything: bool) -> _Endpoint | None:
    if route.method in {"GET", "HEAD", "OPTIONS"} and route.kind is not RouteKind.PAGE and not _maybe_costly_read(route):
        return None
    what = _what(route, _calls(route, reach, syntax), syntax)
    if not what:
        return None
    limited = everything or any(LIMITER.search(name) for name in route.through) or _limits_itself(route, syntax)
    limited = limited or any(LIMITER.search(call.callee) for call in _calls(route, reach, syntax, deep=True))
    limited = limited or any(LIMITER.search(kind) for kind in _expected(route, syntax))
    return _Endpoint(route, what, limited)


def _expected(route: Route, syntax: Syntax) -> list[str]:
    """The exceptions a handler expects: whoever answers `except AccountLockedOut` calls something that counts."""
    facts = syntax.files.get(route.place.path)
    if facts is None or route.handler_scope < 0:
        return []
    return [kind for handler in facts.handlers if handler.scope == route.handler_scope for kind in handler.types]


def _limits_itself(route: Route, syntax: Syntax) -> bool:
    """Views of django-allauth, which limits logins, sign-ups and resets unless its setting is emptied."""
    facts = syntax.files.get(route.place.path)
    names = {local: entry.module for entry in facts.imports for _, local in entry.names} if facts is not None else {}
    handler = route.handler.split(".", maxsplit=1)[0]
    if not ("allauth" in route.handler or names.get(handler, "").startswith("allauth")):
        return False
    settings = (entry for other in syntax.files.values() for entry in other.assignments if entry.target == "ACCOUNT_RATE_LIMITS")
    return not any(entry.value is not None and entry.value.text in {"False", "None", "{}"} for entry in settings)


def _maybe_costly_read(route: Route) -> bool:
    """Reads that stream an answer of a model."""
    return bool(re.search(r"chat|stream|generate|complet|summar|ask|insight|\bai\b", route.path, re.IGNORECASE))


def _calls(route: Route, reach: Reach, syntax: Syntax, *, deep: bool = False) -> list[Call]:
    """What a handler does; `deep` to look for a limiter, where a name more costs nothing."""
    if route.kind is RouteKind.PAGE:
        facts = syntax.files.get(route.place.path)
        return list(facts.calls) if facts is not None and route.framework in {"streamlit", "gradio"} else []
    if route.handler_scope < 0:
        return []
    return [call for _, call in reach.calls(route.place.path, route.handler_scope, 3 if deep else 2, classes=deep)]


def _what(route: Route, calls: list[Call], syntax: Syntax) -> str:
    parts = [_plain(part) for part in route.path.removeprefix("action:").strip("/").split("/") if part]
    names = [parts[-1] if parts else "", _plain(route.handler.rsplit(".", 1)[-1])]
    writes = route.method not in {"GET", "HEAD"} and route.kind is not RouteKind.PAGE
    delegated = any(_DELEGATED.search(call.callee) for call in calls)
    open_to_all = _is_open(route, syntax)
    named = any(_LOGIN.match(name) and (open_to_all or not _MAKES_ACCOUNT.search(name)) for name in names if name)
    checks = any(_PASSWORD.search(call.callee) for call in calls)
    compares = any(_PASSWORD.search(call.callee) and "authenticate" not in call.callee.lower() for call in calls)
    makes = any(_HASHES.search(call.callee) for call in calls)
    unclear = any(_UNCLEAR.match(name) for name in names)
    if any(_ADMINISTRATOR.search(name) for name in names_before(route, syntax)):
        return ""
    proves = (unclear and checks) or (open_to_all and (compares or (unclear and makes) or _takes_password(route, syntax)))
    if writes and (named or proves) and not delegated:
        return "login"
    if any(_COSTLY.search(call.callee) for call in calls) or _asks_paid_host(route, calls, syntax):
        return "costly"
    uploads = any(_UPLOAD_LAYER.search(name) for name in route.through) or any(_UPLOAD.search(call.callee) for call in calls)
    return "upload" if writes and uploads else ""


def _asks_paid_host(route: Route, calls: list[Call], syntax: Syntax) -> bool:
    """Whether a handler sends something and its file names a paid service, in the handler or as a constant."""
    facts = syntax.files.get(route.place.path)
    if facts is None or route.handler_scope < 0 or not any(_SENDS.search(call.callee) for call in calls):
        return False
    inside = within(facts, route.handler_scope)
    return any((literal.scope in inside or literal.scope == -1) and _PAID_HOST.match(literal.text) for literal in facts.literals)


def _is_open(route: Route, syntax: Syntax) -> bool:
    """Whether nothing has looked at the caller before, and the endpoint is not one of somebody's own account."""
    facts = syntax.files.get(route.place.path)
    if (
        facts is None
        or route.handler_scope < 0
        or _OWN_ACCOUNT.search(route.path)
        or any(_GUARDED.search(name) for name in names_before(route, syntax))
    ):
        return False
    inside = within(facts, route.handler_scope)
    return not any(call.scope in inside and _PERMITS.search(call.callee) for call in facts.calls)


def _takes_password(route: Route, syntax: Syntax) -> bool:
    """Whether a handler takes a name and a password out of one request."""
    facts = syntax.files[route.place.path]
    inside = within(facts, route.handler_scope)
    pattern = re.compile(r"^\{(?=.*\bpassword\b)(?=.*\b(?:login|user\w*|e?mail)\b)")
    return any(assignment.scope in inside and pattern.match(assignment.target) for assignment in facts.assignments)


def _plain(text: str) -> str:
    """A name in lower case with dashes between its words."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|[_.\s]+", "-", text).lower().removesuffix(".php")


def _provider(syntax: Syntax, project: Project) -> Place | None:
    """Where logins are handed to a hosted identity provider."""
    for facts in syntax.of(project.production):
        for call in facts.calls:
            if re.search(r"auth\.(?:signIn\w*|signUp)$|signInWithEmailAndPassword$|signInWithPopup$|loginWithRedirect$", call.callee):
                return Place(facts.path, call.line, call.line)
        for statement in facts.imports:
            if _PROVIDERS.match(statement.module):
                return Place(facts.path, statement.line, statement.line)
    return None
