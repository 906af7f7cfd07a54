"""Signed tokens (JWT) as the code makes, reads and keeps them: which are trusted without a look at the signature, never end, or lie open to scripts.

Cookies and forged requests are in `auditor.checks.session_cookies`; nothing here gives a verdict.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.checks.reach import within
from auditor.model.project import Kind, Project, Side
from auditor.model.syntax import Call, FileFacts, Syntax, Value, ValueKind

LONGEST_DAYS = 180
"""A login that holds longer than half a year outlives the device it was made on (ASVS 7.3.2 asks for a limit of its own)."""


@dataclass(frozen=True, slots=True)
class Gap:
    """One missing protection; gaps of one `kind` count once. `forged`: somebody can pretend to be another user through it."""

    kind: str
    path: str
    line: int
    end_line: int
    message: str
    cwe: int
    forged: bool = False
    certain: bool = True


_TOKEN_MODULES = frozenset({"jwt", "jose.jwt", "authlib.jose.jwt"})
_PYTHON_DECODE = re.compile(r"(?:^|\.)(?:jwt|jose_jwt|pyjwt|_jwt)\.decode$")
_PYTHON_PEEK = re.compile(r"(?:^|\.)(?:get_unverified_claims|process_jwt)$")
_SCRIPT_DECODE = re.compile(
    r"(?:^|\.)(?:jwt|jsonwebtoken|JWT|jose)\.(?:decode|decodeJwt)$|(?:^|\.)(?:jwtService|jwt_service|_jwtService)\.decode$"
)
_PARSED_BY_HAND = re.compile(
    r"(?:atob|Buffer\.from|b64decode|urlsafe_b64decode)\(\s*\w*(?:[tT]oken|jwt|JWT)\w*\.split\(\s*['\"]\.['\"]\s*\)\s*\[1\]"
)
_VERIFIES = re.compile(
    r"(?:^|\.)_?(?:verify\w*|jwtVerify|compactVerify|authenticate\w*|getUser|get_user_from_token|introspect\w*|validate\w*token\w*|check_token\w*|authorize_access_token|parse_id_token)$",
    re.IGNORECASE,
)
_EXCHANGES = re.compile(
    r"(?:^|\.)(?:requests|httpx|axios|client|session|http|oauth\w*)\.(?:post|request|fetch_token|fetch_access_token|getToken)$|^fetch$|(?:^|\.)(?:exchange\w*|acquire_token\w*|fetch_token|getToken|authorizationCodeGrant|validateAuthorizationCode)$",
    re.IGNORECASE,
)
_IDENTITY = r"(?:sub|identity|user|user_?id|uid|e?mail|id|_id|role|roles|username|preferred_username|oid|is_?admin|admin|scope|permissions|tenant_?id|org_?id)"
_READ_AT_ONCE = re.compile(rf"\)\s*(?:\.get\(|\[)\s*['\"]{_IDENTITY}['\"]", re.IGNORECASE)
"""`decode(token, ...)["sub"]`: a claim is taken from the token in the statement that opens it."""
_IDENTIFIES = re.compile(
    r"current_?user|authenticat|get_?user|user_?from|require_?(?:auth|user|login)|is_?admin|authorize|auth_?(?:middleware|guard)|protect"
    r"|(?:^|(?<=_))(?:verify|validate|check)_?(?:\w{0,12}_?)?(?:token|jwt|session|auth|login|credentials)",
    re.IGNORECASE,
)
"""Names of functions whose answer says who is calling; one that is called "verify..." promises the check it leaves out."""
_TOKEN_MAKER = re.compile(r"token|jwt|login|sign_?in|auth|session", re.IGNORECASE)
_IDENTITY_KEY = re.compile(rf"^{_IDENTITY}$", re.IGNORECASE)
_ENDS = re.compile(r"['\"]exp['\"]|\bexp\s*[:=]|expiresIn|setExpirationTime|expires_delta|\bexp\b\s*,")
_STORED_KEY = re.compile(
    r"^(?:[\w.:@-]*[_.:-])?(?:(?:access|auth|refresh|bearer|user|session|login|admin|jwt|id)[_.:-]?)?(?:token|jwt)$", re.IGNORECASE
)
_NO_LOGIN_KEY = re.compile(r"csrf|xsrf|push|fcm|device|invite|github|gitlab|mapbox|temp|captcha|api|share|reset", re.IGNORECASE)
_STORED_VALUE = re.compile(
    r"(?:^|[._])(?:access|auth|refresh|jwt|session|bearer|id)_?token$|(?:^|\.)jwt$|(?:access|auth|refresh|bearer)Token$", re.IGNORECASE
)
_LIFETIME = re.compile(r"^\s*(\d{1,6})\s*(d|days?|y|yrs?|years?|w|weeks?)\s*$", re.IGNORECASE)
_DAYS = {"d": 1, "w": 7, "y": 365}


def token_gaps(syntax: Syntax, project: Project, texts: dict[str, str]) -> list[Gap]:
    """Everything that is wrong with signed tokens, in path and line order within each kind of question."""
    gaps: list[Gap] = []
    ends_somewhere = _ends_somewhere(syntax, project, texts)
    for facts in syntax.of(project.production):
        text = texts.get(facts.path, "")
        if runs_on_server(facts.path, project):
            gaps += _unverified(facts, text, syntax, project, texts)
            gaps += _expiry(facts, text, ends_somewhere=ends_somewhere)
        if not facts.path.endswith(".py"):
            gaps += [*_stored(facts), *_persisted(facts, text)]
    return gaps


def runs_on_server(path: str, project: Project) -> bool:
    """Python, scripts known to run on the server, and scripts of unknown side in a part that serves and has no pages."""
    if path.endswith(".py"):
        return True
    side = project.sides.get(path, Side.UNKNOWN)
    return side is Side.SERVER or (side is Side.UNKNOWN and project.part_of(path).kinds == frozenset({Kind.SERVICE}))


def uses_tokens(syntax: Syntax, project: Project) -> tuple[str, int] | None:
    """The first place where a token is made or checked with its signature."""
    for facts in syntax.of(project.server):
        for call in facts.calls:
            if re.search(
                r"(?:^|\.)jwt\.(?:encode|decode|sign|verify)$|jwtVerify$|SignJWT|(?:^|\.)jwtService\.(?:sign|verify)\w*$", call.callee
            ):
                return facts.path, call.line
    return None


# -- signatures ----------------------------------------------------------------------------------------------------------------


def _unverified(facts: FileFacts, text: str, syntax: Syntax, project: Project, texts: dict[str, str]) -> Iterator[Gap]:
    lines = text.split("\n")
    yield from _none_allowed(facts)
    for line, end_line, scope, target in _peeks(facts, lines):
        calls = [call for call in facts.calls if call.scope in within(facts, _function(facts, scope))]
        if any(_VERIFIES.search(call.callee) or _is_checked_decode(call, facts) for call in calls if call.line != line):
            continue
        if any(_EXCHANGES.search(call.callee) for call in calls) or "supabase/functions/" in facts.path:
            continue
        if _is_from_provider(facts, scope):
            continue
        if not _identifies(facts, (line, end_line, scope, target), syntax, project, texts):
            continue
        gate = bool(re.search(r"(?:^|/)(?:middleware|proxy)\.[cm]?[jt]s$", facts.path))
        message = (
            "The token is read without a check of its signature to decide which page is shown: anybody can write such a token."
            if gate
            else "Who is calling is read from a token whose signature nobody checks: anybody can write a token that says they are the administrator."
        )
        yield Gap("unverified-token", facts.path, line, end_line, message, 347, forged=not gate, certain=not gate)


def _is_from_provider(facts: FileFacts, scope: int) -> bool:
    """Whether a library of logins hands the tokens over that it has just fetched from the provider: OpenID Connect lets the connection vouch for them."""
    while scope >= 0:
        definition = facts.definitions[scope]
        if {parameter.name for parameter in definition.parameters} >= {"accessToken", "refreshToken"}:
            return True
        scope = definition.parent
    return False


def _peeks(facts: FileFacts, lines: list[str]) -> Iterator[tuple[int, int, int, str]]:
    """(line, end line, scope, target) of each place that opens a token without its signature."""
    local = {
        alias
        for statement in facts.imports
        if statement.module in {"jwt-decode", "jose"}
        for name, alias in statement.names
        if name in {"default", "jwtDecode", "jwt_decode", "decodeJwt"}
    }
    python = facts.path.endswith(".py")
    for call in facts.calls:
        if (python and (_PYTHON_PEEK.search(call.callee) or (_decodes(call, facts) and _switched_off(call, facts)))) or (
            not python and (call.callee in local or (_SCRIPT_DECODE.search(call.callee) and len(call.arguments) < 4))
        ):
            yield call.line, call.end_line, call.scope, call.target
    for number, line in enumerate(lines, 1):
        if len(line) < 400 and _PARSED_BY_HAND.search(line):
            bound = re.search(r"(?:const|let|var)?\s*(\w+)\s*=[^=]", line)
            yield number, number, _scope_at(facts, number), bound[1] if bound else ""


def _switched_off(call: Call, facts: FileFacts) -> bool:
    options = _resolved(call.argument("options", 3), facts)
    if options is not None:
        flag = options.item("verify_signature") or options.item('"verify_signature"') or options.item("'verify_signature'")
        if (flag is not None and flag.text == "False") or re.search(r"verify_signature['\"]?\s*[:=]\s*False", options.text):
            return True
    verify = call.argument("verify")
    return verify is not None and verify.text == "False"


def _is_checked_decode(call: Call, facts: FileFacts) -> bool:
    return facts.path.endswith(".py") and _decodes(call, facts) and not _switched_off(call, facts)


def _decodes(call: Call, facts: FileFacts) -> bool:
    """Whether a call of Python opens a token: `jwt.decode`, or `decode` where it was imported from there."""
    if _PYTHON_DECODE.search(call.callee):
        return True
    return any(
        name == "decode" and alias == call.callee
        for statement in facts.imports
        if statement.module in _TOKEN_MODULES
        for name, alias in statement.names
    )


def _none_allowed(facts: FileFacts) -> Iterator[Gap]:
    """A decoder that accepts tokens without any signature, a maker that gives them none."""
    for call in facts.calls:
        if re.search(r"(?:^|\.)(?:jwt|jsonwebtoken|jose_jwt|pyjwt)\.(?:sign|encode)$", call.callee):
            chosen = call.argument("algorithm", 2) if facts.path.endswith(".py") else _item(call.argument("options", 2), "algorithm")
            if chosen is not None and chosen.kind in {ValueKind.STRING, ValueKind.NONE} and chosen.literal.lower() in {"none", ""}:
                message = "Tokens are made without any signature: anybody can write one that says they are the administrator."
                yield Gap("unverified-token", facts.path, call.line, call.end_line, message, 347, forged=True)
        if not (_decodes(call, facts) or re.search(r"(?:^|\.)jwt\.verify$|jwtVerify$", call.callee)):
            continue
        options = call.argument("options", 2)
        listed = call.argument("algorithms", 2) or (options.item("algorithms") if options is not None else None)
        if options is not None and options.item("algorithms") is not None:
            listed = options.item("algorithms")
        if listed is not None and any(value.kind is ValueKind.STRING and value.literal.lower() == "none" for _, value in listed.items):
            message = "Tokens without any signature are accepted here: anybody can write one that says they are the administrator."
            yield Gap("unverified-token", facts.path, call.line, call.end_line, message, 347, forged=True)


def _item(value: Value | None, key: str) -> Value | None:
    return value.item(key) if value is not None else None


def _identifies(facts: FileFacts, peek: tuple[int, int, int, str], syntax: Syntax, project: Project, texts: dict[str, str]) -> bool:
    """Whether what was read from the token says who is calling: here, or in a function that calls this one."""
    line, end_line, scope, target = peek
    lines = texts.get(facts.path, "").split("\n")
    function = _function(facts, scope)
    if function < 0:
        return False
    definition = facts.definitions[function]
    if _reads_identity(lines, line, definition.end_line, target) or (
        not target and _READ_AT_ONCE.search(" ".join(lines[line - 1 : end_line + 1])[:2_000])
    ):
        return True
    if _IDENTIFIES.search(definition.name):
        return True
    if len(definition.name) < 6:
        return False
    for other in syntax.of(project.server):
        for call in other.calls:
            if call.target and call.callee.rsplit(".", 1)[-1] == definition.name and runs_on_server(other.path, project):
                place = _function(other, call.scope)
                around = within(other, place) if place >= 0 else frozenset()
                if any(one.scope in around and (_VERIFIES.search(one.callee) or _is_checked_decode(one, other)) for one in other.calls):
                    continue  # who is calling is looked up to know which key the token has to be signed with
                end = other.definitions[place].end_line if place >= 0 else call.line
                if _reads_identity(texts.get(other.path, "").split("\n"), call.line, end, call.target):
                    return True
    return False


def _reads_identity(lines: list[str], line: int, end_line: int, target: str) -> bool:
    body = "\n".join(lines[line - 1 : min(end_line, line + 60)])[:8_000]
    if target.startswith("{"):
        return any(_IDENTITY_KEY.match(name) for name in re.findall(r"\w+", target))
    if not target:
        return False
    name = re.escape(target.rsplit(".", 1)[-1])
    if re.search(rf"\b{name}\s*(?:\)|as\s+[\w.]{{1,40}}\))?\s*(?:\??\.(?:get\(\s*)?|\[\s*)\(?['\"]?{_IDENTITY}\b", body, re.IGNORECASE):
        return True
    return bool(re.search(rf"\b(?:req|request|ctx|g|c)\.(?:state\.)?(?:user|auth|currentUser)\s*=\s*{name}\b", body))


# -- expiry --------------------------------------------------------------------------------------------------------------------


def _ends_somewhere(syntax: Syntax, project: Project, texts: dict[str, str]) -> bool:
    """Whether a shared setting gives tokens an end, or one is put into the payload before it is handed on."""
    return any(
        re.search(r"signOptions|expiresIn|['\"]exp['\"]\s*[:\]]", texts.get(facts.path, ""))
        for facts in syntax.of(project.server)
        if runs_on_server(facts.path, project)
    )


def _expiry(facts: FileFacts, text: str, *, ends_somewhere: bool) -> Iterator[Gap]:
    lines = text.split("\n")
    for call in facts.calls:
        python = facts.path.endswith(".py")
        if re.search(r"(?:^|\.)(?:jwt|jsonwebtoken|jose_jwt|pyjwt)\.(?:sign|encode)$", call.callee) and len(call.arguments) >= 2:
            yield from _endless(facts, call, lines, ends_somewhere=ends_somewhere)
            lifetime = (call.argument("options", 2) or call.arguments[-1].value).item("expiresIn")
            if not python and lifetime is not None and lifetime.kind is ValueKind.STRING and _days(lifetime.literal) > LONGEST_DAYS:
                message = f"A login holds for {lifetime.literal} here: a token stolen from an old laptop still opens the account."
                yield Gap("no-expiry", facts.path, call.line, call.end_line, message, 613)
        if re.search(r"(?:^|\.)jwt\.(?:verify|decode)$|jwtVerify$|^new JwtStrategy$|^super$", call.callee):
            off = [a.value.item("ignoreExpiration") or a.value.item("verify_exp") for a in call.arguments]
            if any(value is not None and value.text in {"true", "False"} and value.kind is ValueKind.BOOLEAN for value in off):
                if any(value is not None and value.text == "True" for value in off):
                    continue
                message = "Tokens are accepted after their end: a token stolen last year still opens the account."
                yield Gap("no-expiry", facts.path, call.line, call.end_line, message, 613)


def _endless(facts: FileFacts, call: Call, lines: list[str], *, ends_somewhere: bool) -> Iterator[Gap]:
    payload = call.arguments[0].value
    function = _function(facts, call.scope)
    name = facts.definitions[function].name if function >= 0 else ""
    keys = [key for key, _ in payload.items] if payload.kind is ValueKind.COLLECTION else []
    identity = any(_IDENTITY_KEY.match(key.strip("'\"")) for key in keys) or (not keys and bool(_TOKEN_MAKER.search(name)))
    if not identity:
        return
    start, end = (
        (facts.definitions[function].line, facts.definitions[function].end_line) if function >= 0 else (call.line - 30, call.end_line)
    )
    if _ENDS.search("\n".join(lines[max(0, start - 1) : end])[:20_000]):
        return
    options = call.argument("options", 2)
    if not facts.path.endswith(".py") and options is not None and options.kind is not ValueKind.COLLECTION:
        return
    if payload.kind is not ValueKind.COLLECTION and ends_somewhere:
        return
    message = "The login token has no end: whoever gets hold of one stays logged in for ever."
    yield Gap("no-expiry", facts.path, call.line, call.end_line, message, 613)


def _days(text: str) -> int:
    found = _LIFETIME.match(text)
    return int(found[1]) * _DAYS[found[2][0].lower()] if found else 0


# -- storage -------------------------------------------------------------------------------------------------------------------


def _stored(facts: FileFacts) -> Iterator[Gap]:
    """Login tokens kept where every script of the page can read them."""
    for call in facts.calls:
        if not re.search(r"(?:^|\.)localStorage\.setItem$|^Cookies\.set$", call.callee) or len(call.arguments) < 2:
            continue
        key, value = call.arguments[0].value, call.arguments[1].value
        words = key.literal if key.kind is ValueKind.STRING else ""
        name = value.literal if value.kind is ValueKind.NAME else ""
        if _NO_LOGIN_KEY.search(words) or (call.callee == "Cookies.set" and words.lower() == "token" and not _STORED_VALUE.search(name)):
            continue
        if _STORED_KEY.match(words) or (words and _STORED_VALUE.search(name)):
            message = "The login token is kept where every script of the page can read it: one foreign script takes over the accounts of its visitors."
            yield Gap("token-in-storage", facts.path, call.line, call.end_line, message, 922)


def _persisted(facts: FileFacts, text: str) -> Iterator[Gap]:
    """A state store that writes its login token into the browser's storage by itself."""
    if not any(statement.module == "zustand/middleware" for statement in facts.imports) or "sessionStorage" in text:
        return
    call = next((call for call in facts.calls if call.callee == "persist"), None)
    chosen = text.find("partialize")
    kept = text[chosen : chosen + 600] if chosen >= 0 else text
    if call is not None and re.search(r"\b(?:access|auth|refresh)?_?[tT]oken\s*:", kept):
        message = "The login token is kept where every script of the page can read it: one foreign script takes over the accounts of its visitors."
        yield Gap("token-in-storage", facts.path, call.line, call.line, message, 922)


# -- scopes --------------------------------------------------------------------------------------------------------------------


def _function(facts: FileFacts, scope: int) -> int:
    """The innermost named function around a scope."""
    while scope >= 0 and not facts.definitions[scope].name and facts.definitions[scope].parent >= 0:
        scope = facts.definitions[scope].parent
    return scope


def _scope_at(facts: FileFacts, line: int) -> int:
    inside = [i for i, d in enumerate(facts.definitions) if d.line <= line <= d.end_line]
    return inside[-1] if inside else -1


def _resolved(value: Value | None, facts: FileFacts) -> Value | None:
    """A name replaced by the collection it is bound to in this file."""
    if value is None or value.kind is not ValueKind.NAME:
        return value
    return next((a.value for a in facts.assignments if a.target == value.literal and a.value is not None), value)
