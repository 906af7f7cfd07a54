"""Settings of session and login libraries that take a protection off in so many words.

A single cookie is in `auditor.checks.cookie_calls`, what is missing rather than switched off in `auditor.checks.session_cookies`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.checks.cross_origin import in_development_branch
from auditor.checks.session_tokens import Gap
from auditor.model.syntax import FileFacts, Value, ValueKind

_SESSION = re.compile(r"session|cookie|auth|iron|login|remember|token|lucia|passport", re.IGNORECASE)
_COOKIE = re.compile(r"cookie|session", re.IGNORECASE)
_OTHER = re.compile(r"csrf|xsrf|callback|state|pkce|nonce|theme|locale|consent|flash|preference", re.IGNORECASE)
_BESIDE = frozenset({"httponly", "ishttponly", "samesite", "issamesite", "maxage", "expires", "domain", "path", "signed", "ttl"})
_OPEN = re.compile(r"(?:^|_)(?:JWT|REMEMBER|SESSION)_COOKIE_SECURE$|^cookie_secure$")
_READABLE = re.compile(r"(?:^|_)(?:REMEMBER|SESSION)_COOKIE_HTTPONLY$|^cookie_httponly$")
_DEVELOPMENT = re.compile(r"(?:^|[._/-])(?:dev|develop\w*|local\w*|test\w*|debug)(?:[._/-]|$)|^(?:Dev|Test|Local)", re.IGNORECASE)


def settings_gaps(facts: FileFacts, text: str) -> Iterator[Gap]:
    """Each place of one server file where a flag of a login cookie is written out as switched off."""
    if _DEVELOPMENT.search(facts.path):
        return
    seen: set[tuple[str, int]] = set()
    for kind, line in (*_of_objects(facts), *_of_names(facts)):
        if (kind, line) not in seen and not in_development_branch(text, line):
            seen.add((kind, line))
            yield _gap(kind, facts.path, line)


def _gap(kind: str, path: str, line: int) -> Gap:
    if kind == "script-readable-cookie":
        message = "Every script of the page can read the login cookie: one foreign script takes over the accounts of its visitors."
        return Gap(kind, path, line, line, message, 1004)
    message = "The login cookie is also sent without encryption: whoever listens on the same network can take it."
    return Gap(kind, path, line, line, message, 614)


def _of_objects(facts: FileFacts) -> Iterator[tuple[str, int]]:
    """`{ cookie: { httpOnly: false } }` handed to a session library, or kept as its options."""
    for call in facts.calls:
        if _SESSION.search(call.callee) and call.callee.rsplit(".", 1)[-1] not in {"set", "cookie", "setCookie", "serialize"}:
            for argument in call.arguments:
                yield from ((kind, call.line) for kind in _switched_off(argument.value, call.callee))
    for assignment in facts.assignments:
        if assignment.value is not None and _SESSION.search(assignment.target):
            yield from ((kind, assignment.line) for kind in _switched_off(assignment.value, assignment.target))


def _switched_off(value: Value, name: str) -> Iterator[str]:
    pending = [(value, name)]
    while pending:
        current, parent = pending.pop()
        if current.kind is not ValueKind.COLLECTION or _OTHER.search(parent):
            continue
        given = {key.lower(): item for key, item in current.items}
        if any(_false(given.get(key)) for key in ("httponly", "ishttponly")):
            yield "script-readable-cookie"
        if any(_false(given.get(key)) for key in ("secure", "issecure")) and (_BESIDE & set(given) or _COOKIE.search(parent)):
            yield "cookie-over-http"
        if _false(given.get("usesecurecookies")):
            yield "cookie-over-http"
        pending += [(item, key) for key, item in current.items]


def _of_names(facts: FileFacts) -> Iterator[tuple[str, int]]:
    """`JWT_COOKIE_SECURE = False`, `CookieTransport(cookie_secure=False)`; the session cookie of Flask and Django is judged with its defaults."""
    pairs = [(a.target, a.value, a.line, a.scope) for a in facts.assignments]
    pairs += [(a.name, a.value, c.line, c.scope) for c in facts.calls for a in c.arguments if a.name]
    for target, value, line, scope in pairs:
        name = re.sub(r"[\"'\]]+$", "", target).rsplit(".", 1)[-1].rsplit("[", 1)[-1].strip("\"'")
        if name.startswith("SESSION") or not _false(value) or (scope >= 0 and _DEVELOPMENT.search(facts.definitions[scope].name)):
            continue
        if _OPEN.search(name):
            yield "cookie-over-http", line
        elif _READABLE.search(name):
            yield "script-readable-cookie", line


def _false(value: Value | None) -> bool:
    return value is not None and value.kind is ValueKind.BOOLEAN and value.text.lower() == "false"
