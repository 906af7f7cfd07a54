"""What a logged expression shows: the names whose values reach the text, and which of them are credentials, personal data or whole objects."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum

from auditor.model.syntax import Value, ValueKind
from auditor.secret_names import kind_of_name, words_of

_SHOWS_ALL = re.compile(
    r"^(?:JSON\.stringify|util\.inspect|inspect|str|repr|dict|list|String|json\.dumps|pprint\.pformat|pformat|vars|format|decodeURIComponent|safe_str|\"\"\.join)$"
)
_DUMPS = re.compile(
    r"^(.{1,80})\.(?:dict|model_dump|model_dump_json|to_dict|toJSON|toObject|as_dict|toString|json|decode|trim|strip|items|get_json)(?:\(\))?$"
)
_KEYED = re.compile(r"\[\s*['\"]([\w-]{1,80})['\"]\s*\]$")
_JOINED = frozenset({"or", "||", "??", "+", "and", "&&"})
_WHOLE = re.compile(
    r"^(?:(?:self\.|this\.|ctx\.|c\.|event\.)?(?:req|request)\.(?:body|headers|cookies|META|POST|form|data|json|rawHeaders|environ)|process\.env|os\.environ|import\.meta\.env|event\.(?:headers|body)|\w{1,30}\.__dict__)$"
)
_SESSION = re.compile(r"^(?:\w{1,30}\.){0,3}(?:session|credentials|tokens?Set|tokenResponse|token_response|oauth_?tokens?)$")
_PERSON = re.compile(
    r"^(?:(?:req|request|ctx|data|session|res|result|response\.data|context|locals|state)\.)?(?:user|currentUser|current_user|loggedInUser|customer|profile|userData|user_data|patient|guest)$"
)
_PERSONAL = re.compile(
    r"^(?:(?:user|customer|client|patient|contact|guest|recipient|sender|billing|shipping|invitee|owner)_)?(?:email|e_mail|email_address|phone|phone_number|mobile|mobile_number|whatsapp|date_of_birth|dob|birth_date|birthday|home_address|street_address|passport_number|iban|national_id|tax_id|nik|cpf)$"
)
_CARD = re.compile(
    r"^(?:\w{1,20}_)?(?:card_number|credit_card|credit_card_number|cvv|cvc|ssn|social_security_number|otp|otp_code|totp_secret|one_time_code)$"
)
_LINK = re.compile(r"^(?:password_)?(?:reset|magic|verification|verify|activation|login|confirmation|signin)_(?:url|link|href)$")
_ABOUT = frozenset(
    {"is", "has", "had", "no", "needs", "need", "requires", "require", "required", "should", "show", "hide", "use", "uses", "with", "without", "valid", "invalid", "check", "verify", "validate",
     "missing", "masked", "redacted", "hidden", "encrypted", "hashed", "obfuscated", "truncated", "short", "forgot", "forget", "num", "n", "count", "supports", "allow", "enable", "enabled", "total", "max", "min"}
)  # fmt: skip
_ACTIONS = frozenset(
    {
        "set",
        "get",
        "generate",
        "reset",
        "change",
        "update",
        "create",
        "handle",
        "on",
        "send",
        "confirm",
        "request",
        "fetch",
        "load",
        "refresh",
        "verify",
    }
)
_LETS_IN = frozenset({"access", "refresh", "auth", "authorization", "api", "session", "id", "bearer", "bot", "reset", "verification", "invite", "invitation", "activation", "jwt", "secret", "login", "magic", "admin", "user", "oauth", "personal", "service", "deploy"})  # fmt: skip
"""What kinds of token let their holder in; others may be meant for everybody."""
_NO_CREDENTIAL = re.compile(
    r"(?:^|_)(?:device|push|expo|fcm|apns|page|continuation|cursor|csrf|xsrf|public|site|design|cancel\w*|next|sync|subword|current|last|first|prev|previous|eos|bos|pad|unk|mask|word|input|output|parser?|lexer?|start|end|stop)_token$|^(?:cache|row|sort|partition|primary|foreign|idempotency|translation|i18n|storage|react|object|dict|map|query|public|item|index|group|route|s3|file)_?key$"
)


class Exposure(StrEnum):
    """What kind of thing is shown, the worst first."""

    CREDENTIAL = "credential"
    WHOLE = "whole object"
    PERSONAL = "personal data"


def shown(value: Value, depth: int = 4) -> Iterator[tuple[str, Value]]:
    """(key, name value) of everything whose own value becomes part of the text; what a function or a comparison makes of it does not count."""
    if depth == 0:
        return
    if value.kind is ValueKind.NAME:
        named = _entry(value)
        if named is not None:
            yield "", named
    elif value.kind in {ValueKind.TEMPLATE, ValueKind.COLLECTION}:
        for key, inner in value.items:
            for own, name in shown(inner, depth - 1):
                yield own or key, name
    elif value.kind is ValueKind.OPERATION:
        for operator, inner in value.items:
            if operator in _JOINED:
                yield from shown(inner, depth - 1)
    elif value.kind is ValueKind.CALL:
        if _SHOWS_ALL.match(value.literal):
            for _, inner in value.items[:1]:
                yield from shown(inner, depth - 1)
        elif (dumped := _DUMPS.match(value.literal)) is not None:
            yield "", Value(ValueKind.NAME, value.text, dumped[1], (dumped[1],))


def _entry(value: Value) -> Value | None:
    """The name itself; of a subscript the entry it names, None for a slice or a computed one."""
    if not value.literal.endswith("[]"):
        return value
    key = _KEYED.search(value.text)
    return Value(ValueKind.NAME, value.text, f"{value.literal[:-2]}.{key[1]}", value.names) if key else None


def exposure(path: str, *, script: bool, direct: bool) -> Exposure | None:
    """What showing the value behind a dotted name gives away; `direct`: the object itself is handed to the log, and not its text."""
    path = path.replace("?.", ".").replace("!", "")
    last = path.rpartition(".")[2]
    snake = "_".join(words_of(last))
    if _is_credential(last, snake):
        return Exposure.CREDENTIAL
    if _WHOLE.match(path):
        return Exposure.WHOLE
    if direct and script and (_SESSION.match(path) or _PERSON.match(path)):
        return Exposure.WHOLE
    return Exposure.PERSONAL if _PERSONAL.match(snake) else None


def _is_credential(name: str, snake: str) -> bool:
    words = snake.split("_")
    if _CARD.match(snake) or _LINK.match(snake):
        return True
    if snake in {"authorization", "jwt", "bearer"}:
        return True
    if not kind_of_name(name) or _NO_CREDENTIAL.search(snake) or _ABOUT.intersection(words):
        return False
    if words[-1] == "token":
        return len(words) > 1 and words[-2] in _LETS_IN
    return not (words[0] in _ACTIONS and len(words) > 1) and snake not in {"key", "pass"}
