"""How a session begins and what it is made of: the identifier a visitor had before the login, contents nobody signed, contents that are unpickled.

Flags of cookies are in `auditor.checks.session_cookies`, tokens in `auditor.checks.session_tokens`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.checks.reach import Reach, within
from auditor.checks.session_tokens import Gap, runs_on_server
from auditor.model.evidence import Routes
from auditor.model.project import Project
from auditor.model.syntax import Call, FileFacts, Syntax, Value, ValueKind

_LOGIN = re.compile(r"log-?_?in|sign-?_?in|authenticate|^session$", re.IGNORECASE)
_KEEPS = re.compile(
    r"^(?:req|request)\.session(?:\.|\[['\"])(?:\w*(?:user|account|member|auth|admin|customer|uid|logged|role)\w*|id)['\"\]]*$"
    r"|^session\[?\.?\[?['\"]?(?:user\w*|uid|account\w*|auth\w*|logged\w*|identity)['\"]?\]?$",
    re.IGNORECASE,
)
_RENEWS = re.compile(
    r"(?:^|\.)(?:regenerate|regenerateSession|new_session|cycle_key|rotate\w*|invalidate|login|logIn|saveSession|createSession)$"
)
_SESSION_COOKIE = re.compile(
    r"(?:^|[_.-])(?:session|sess|sid|auth|login|user|account|identity)(?:$|[_.-])|^(?:session|user)", re.IGNORECASE
)
_SETS = re.compile(r"(?:^|\.)set_cookie$|^(?:res|response|reply)(?:\.status\(\))?\.(?:cookie|setCookie)$|(?:^|\.)cookies(?:\(\))?\.set$")
_ENCODES = re.compile(r"b(?:64|32|16|85)encode|\bbtoa\b|toString\(\s*['\"](?:base64|hex)|json\.dumps|JSON\.stringify")
_IDENTITY = re.compile(r"user|account|e_?-?mail|\buid\b|login|member|customer|profile", re.IGNORECASE)
_PROTECTS = re.compile(
    r"sign|encrypt|seal|jwt|fernet|hmac|itsdangerous|serializer|cipher|uuid|secrets|random|hash|nanoid|token|createSession|create_session|session_?id",
    re.IGNORECASE,
)
_DECODES = re.compile(r"(?:^|\.)(?:b(?:64|32|16|85)decode|atob|Buffer\.from|json\.loads|JSON\.parse)$")


def session_gaps(syntax: Syntax, project: Project, routes: Routes, texts: dict[str, str]) -> list[Gap]:
    """Everything that is missing, in path order."""
    files = [facts for facts in syntax.of(project.server) if runs_on_server(facts.path, project)]
    found = [gap for facts in files for gap in (*_unsigned(facts, files, texts), *_unpickled(facts))]
    return sorted([*found, *_not_renewed(files, syntax, project, routes)], key=lambda gap: (gap.path, gap.line))


# -- the identifier ----------------------------------------------------------------------------------------------------------------


def _not_renewed(files: list[FileFacts], syntax: Syntax, project: Project, routes: Routes) -> Iterator[Gap]:
    """Logins that put the account into the session the visitor already had; only where the server keeps sessions by identifier."""
    modules = {statement.module for facts in files for statement in facts.imports}
    if not modules & {"express-session", "aiohttp_session", "@fastify/session"}:
        return
    reach, seen = Reach(syntax, project.production), set()
    for route in routes.routes:
        key = (route.place.path, route.handler_scope)
        if route.handler_scope < 0 or key in seen or route.method not in {"POST", "ANY", "PUT"}:
            continue
        seen.add(key)
        facts = syntax.files[route.place.path]
        inside = within(facts, route.handler_scope)
        kept = next((a for a in facts.assignments if a.scope in inside and _KEEPS.match(a.target) and not _empties(a.value)), None)
        if kept is None or not (_LOGIN.search(route.path) or _LOGIN.search(route.handler) or _checks_password(facts, inside)):
            continue
        if not any(_RENEWS.search(call.callee) for _, call in reach.calls(*key, 2)):
            message = "The login keeps the session the visitor had before it: whoever has planted its identifier in the browser is logged in as well."
            yield Gap("session-not-renewed", facts.path, kept.line, kept.line, message, 384, certain=False)


def _empties(value: Value | None) -> bool:
    return value is None or value.kind in {ValueKind.NONE, ValueKind.BOOLEAN}


def _checks_password(facts: FileFacts, inside: frozenset[int]) -> bool:
    return any(
        call.scope in inside and re.search(r"check_?password|compare(?:Sync)?$|verify_?password", call.callee, re.IGNORECASE)
        for call in facts.calls
    )


# -- the contents ------------------------------------------------------------------------------------------------------------------


def _unsigned(facts: FileFacts, files: list[FileFacts], texts: dict[str, str]) -> Iterator[Gap]:
    """Cookies that say who is calling in an encoding everybody can write."""
    for call in facts.calls:
        name = call.argument("key", 0) if _SETS.search(call.callee) else None
        value = call.argument("value", 1)
        if name is None or value is None or name.kind is not ValueKind.STRING or not _SESSION_COOKIE.search(name.literal):
            continue
        options = call.argument("options", 2)
        made = _made(facts, call, value)
        signed = options is not None and options.item("signed") is not None
        if (
            not signed
            and _ENCODES.search(made)
            and _IDENTITY.search(made)
            and not _PROTECTS.search(made)
            and _decoded(name.literal, files, texts)
        ):
            message = f"Who is logged in stands unsigned in the cookie {name.literal}: whoever writes another name into it is that user."
            yield Gap("unverified-token", facts.path, call.line, call.end_line, message, 565, forged=True)


def _made(facts: FileFacts, call: Call, value: Value) -> str:
    """The text a value is made of, a variable of the same function followed once; names of variables say nothing."""
    if value.kind is ValueKind.NAME:
        texts = [a.value.text for a in facts.assignments if a.target == value.literal and a.scope == call.scope and a.value is not None]
        return " ".join(texts)
    return value.text


def _decoded(name: str, files: list[FileFacts], texts: dict[str, str]) -> bool:
    """Whether a file reads the cookie and decodes something."""
    return any(
        name in text and "cookies" in text and any(_DECODES.search(call.callee) for call in facts.calls)
        for facts in files
        if (text := texts.get(facts.path, ""))
    )


def _unpickled(facts: FileFacts) -> Iterator[Gap]:
    """Django's setting for sessions that run code when they are read."""
    for assignment in facts.assignments:
        if assignment.target == "SESSION_SERIALIZER" and assignment.value is not None and "PickleSerializer" in assignment.value.text:
            message = "Sessions are read with pickle: whoever gets hold of the signing key, or of the place they are kept in, runs code on the server."
            yield Gap("session-unpickled", facts.path, assignment.line, assignment.line, message, 502)
