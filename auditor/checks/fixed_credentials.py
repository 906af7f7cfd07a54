"""Finds signing keys, passwords and accounts that are fixed in the code: literals, literal fallbacks, seeded accounts; and where they can apply."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from auditor.checks.kept_keys import is_kept
from auditor.model.syntax import Call, FileFacts, Value, ValueKind
from auditor.placeholders import is_reference
from auditor.secret_names import NameKind, kind_of_name, words_of


class Reach(IntEnum):
    """Where the fixed value can apply, the harmless first."""

    NOWHERE = 0
    DEVELOPMENT = 1
    """Only behind a check of the environment, in a development profile, or in a seed script somebody has to run."""
    PRODUCTION = 2


@dataclass(frozen=True, slots=True)
class Fixed:
    """A credential that is decided in the code; `how` is "literal", "fallback", "empty", "random", "borrowed" or "account"."""

    name: str
    how: str
    line: int
    kind: NameKind
    reach: Reach


_INBOUND = frozenset({"admin", "internal", "cron", "webhook", "jwt", "session", "cookie", "auth", "master", "root", "nextauth"})
_RANDOM = re.compile(
    r"token_(?:hex|urlsafe|bytes)|urandom|uuid4|randomBytes|randomUUID|random_secret|generate_key|nanoid|getRandomValues|randbytes|SystemRandom|generateSecret|random_string|randomString|gen_secret"
)
_READER = re.compile(r"(?:^|[._])(?:get|getenv|env|environ|config|conf|secret|setting|settings|var|str|option|lookup|envsecret|read_secret|get_secret|getOrDefault|getSetting|getConfig|setdefault|get_env|env_str|getEnv|requireEnv|envOr)$|env|secret|conf", re.IGNORECASE)  # fmt: skip
_SIGNS = re.compile(
    r"(?:^|[._ ])(?:jwt|jsonwebtoken|jose)\.(?:encode|decode|sign|verify)$|(?:^|\.)(?:jwt_?(?:encode|decode|sign|verify))$", re.IGNORECASE
)
_KEYED = re.compile(r"session|jwt|cookie|auth|token|sign|passport|strategy|serializer|hmac|fernet|csrf|secure|keygrip|iron", re.IGNORECASE)
_FIRST_IS_KEY = re.compile(
    r"(?:^|[._ ])(?:URLSafe(?:Timed)?Serializer|TimestampSigner|Signer|Fernet|cookieParser|Keygrip|TimedJSONWebSignatureSerializer)$"
)
_HASHES = re.compile(r"(?:^|[._])(?:generate_password_hash|make_password|hash_password|get_password_hash|hashPassword|set_password|setPassword|hashpw|create_password_hash|pwd_context\.hash|password_hasher\.hash)$|(?:^|\.)(?:bcrypt|bcryptjs|argon2|scrypt)\.(?:hash|hashSync)$", re.IGNORECASE)  # fmt: skip
_MAKES_ACCOUNT = re.compile(r"(?:^|[._ ])(?:create_?super_?user|create_?user|add_?user|register_?user|create_?admin|createUserWithEmailAndPassword|upsert|create|insert\w*|get_or_create|User|Admin|Account|AdminUser|UserCreate|signUp)(?:\(\))?$", re.IGNORECASE)  # fmt: skip
_DEVELOPMENT_NAME = re.compile(
    r"(?:^|[/._-])(?:dev|develop|development|local|localhost|sandbox|demo|seed|seeds|seeder|seeders|sample|mock|debug|playground)(?:[/._-]|$)|(?:^|[/_.-])seed",
    re.IGNORECASE,
)
_TEST_NAME = re.compile(r"(?:^|[/._-])(?:test|tests|testing|ci|e2e|spec|fixtures?|conftest|stories)(?:[/._-]|$)", re.IGNORECASE)
_DEVELOPMENT_SCOPE = re.compile(
    r"dev(?:elop|elopment)?(?:Config|Settings|Env)?\b|Dev(?:elopment)?(?:Config|Settings)|Local(?:Config|Settings)?\b|Test(?:ing)?(?:Config|Settings)?\b|seed|demo|mock|fake|sample|populate|test_?data|dummy",
    re.IGNORECASE,
)
_GUARD = re.compile(
    r"\b(?:DEBUG|is_?dev\w*|isDev\w*|dev_?mode|development|testing|TESTING|is_?local|NODE_ENV|FLASK_ENV|APP_ENV|ENVIRONMENT|ENV\b|is_?prod\w*|isProd\w*|production|prod)\b|import\.meta\.env\.(?:DEV|PROD)",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"([\"'])([^\"']{0,200})\1")
_ENVIRONMENTS = frozenset({"production", "prod", "development", "dev", "test", "local"})
_REFUSES = re.compile(r"prod|default|insecure|unsafe|debug|dev|chang|placeholder|weak|literal|must be set|example", re.IGNORECASE)
NO_KEY = re.compile(
    r"^(?:[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|[\w.]*\b(?:auth|header|cookie|field|param|query|body|session|token|secret)[._:-]\w+|https?://.*|/.*|\s*|true|false|none|null|undefined|HS\d+|RS\d+)$",
    re.IGNORECASE,
)
_OTHER_LOGIN = re.compile(
    r"^[!*_-]{0,3}(?:ldap|oidc|saml2?|oauth2?|sso|openid|kerberos|pam|radius|cas|google|github|gitlab|facebook|apple|microsoft|azure|discord|twitter|social|external|remote|proxy|passkey|webauthn|magic-?link)(?:[_-](?:auth|user|login|account|only))?[!*_-]{0,3}$",
    re.IGNORECASE,
)
_SLOT_NAME = re.compile(r"^_{0,2}[a-z]+(?:[-_.:][a-z]+)+$")
"""`NOTICE_SESSION_KEY = "_shown_notice"`: where something is kept in a session, no key."""
_REFUSES_EMPTY = re.compile(r"@(?:IsNotEmpty|IsHexadecimal|IsUUID|IsUrl|IsEmail|MinLength\(\s*[1-9]|Length\(\s*[1-9])")
_REFUSED_VALUES = frozenset(
    {
        "placeholder",
        "placeholders",
        "insecure",
        "forbidden",
        "banned",
        "blocked",
        "weak",
        "disallowed",
        "denied",
        "refused",
        "rejected",
        "unsafe",
        "leaked",
    }
)
"""Words in the names of tables of values that are not to be used: `PLACEHOLDER_SECRETS = {...}`."""
_SHOWN = re.compile(r"schema_extra$|^(?:openapi_)?examples?$", re.IGNORECASE)
"""What documentation shows as an example of a request."""
_CAPITALS = re.compile(r"[A-Z][A-Z_]*")
_LABEL = re.compile(r"\s\S+\s|[.!?:]$|^\W+$")


@dataclass(frozen=True, slots=True)
class _Source:
    """One file: its facts and its lines."""

    facts: FileFacts
    lines: list[str]


def fixed_credentials(facts: FileFacts, lines: list[str]) -> Iterator[Fixed]:
    """All fixed credentials of one file, with `lines` its text, one a place."""
    source = _Source(facts, lines)
    seen: set[int] = set()
    for found in (*_from_environment(source), *_from_assignments(source), *_from_calls(source)):
        if found.line not in seen and found.reach is not Reach.NOWHERE:
            seen.add(found.line)
            yield found


def concerns(name: str) -> NameKind | None:
    """The kind of secret if the name is one this system guards itself with: passwords, signing keys, keys for callers from outside."""
    kind = kind_of_name(name)
    if kind is NameKind.KEY and not _INBOUND.intersection(words_of(name)):
        return None
    return kind


def _from_environment(source: _Source) -> Iterator[Fixed]:
    facts = source.facts
    for read in facts.environment:
        kind = concerns(read.name)
        if kind is None or read.default is None:
            continue
        how = _fallback(read.default, facts, read.name)
        if how:
            yield _placed(source, read.name, how, kind, (read.line, read.scope))


def _from_assignments(source: _Source) -> Iterator[Fixed]:
    facts = source.facts
    for assignment in facts.assignments:
        name = _last_name(assignment.target)
        if assignment.value is None or _SHOWN.search(name):
            continue
        refused = not _REFUSED_VALUES.isdisjoint(words_of(name)) or _translates_names(assignment.value)
        for key, value in ((name, assignment.value), *(() if refused else _entries(assignment.value))):
            kind = concerns(key)
            if kind is None:
                continue
            how = _assigned(value, facts, key)
            if how and _credible(kind, key, value, facts, settings_like=_settings_like(assignment.target, assignment.scope, facts)):
                yield _placed(source, key, how, kind, (assignment.line, assignment.scope))


def _translates_names(value: Value) -> bool:
    """A table from names to names (`{"PASSWORD": "PASS", "DATABASE": "DB"}`): all of both sides are written in capitals."""
    entries = list(_entries(value))
    return len(entries) > 1 and all(_CAPITALS.fullmatch(key) and _CAPITALS.fullmatch(item.literal) for key, item in entries)


def _from_calls(source: _Source) -> Iterator[Fixed]:
    facts = source.facts
    for call in facts.calls:
        yield from _reader_default(call, source)
        yield from _key_arguments(call, source)
        yield from _accounts(call, source)


def _reader_default(call: Call, source: _Source) -> Iterator[Fixed]:
    """`config("SECRET_KEY", "value")`, `settings.get("JWT_SECRET", "value")`: a helper that reads a setting and has a fallback."""
    facts = source.facts
    name = call.argument("", 0)
    if name is None or name.kind is not ValueKind.STRING or not _READER.search(call.callee):
        return
    kind = concerns(name.literal)
    # `option("--password", "-p")`: what follows an option's long name is its short one
    position = -1 if name.literal.startswith("-") else 1
    default = call.argument("default", position) or call.argument("fallback", position)
    if kind is None or default is None or default.kind not in {ValueKind.STRING, ValueKind.NAME, ValueKind.CALL}:
        return
    how = _fallback(default, facts, name.literal)
    if how:
        yield _placed(source, name.literal, how, kind, (call.line, call.scope))


def _key_arguments(call: Call, source: _Source) -> Iterator[Fixed]:
    facts = source.facts
    candidates: list[tuple[str, Value]] = []
    if _SIGNS.search(call.callee):
        candidates = [("jwt secret", value) for value in (call.argument("key", 1), call.argument("secret")) if value is not None]
    elif _FIRST_IS_KEY.search(call.callee):
        candidates = [("signing key", value) for value in (call.argument("secret_key", 0),) if value is not None]
    if _KEYED.search(call.callee) or any(_KEYED.search(name) for argument in call.arguments for name in argument.value.names[:3]):
        for argument in call.arguments:
            candidates += [(argument.name, argument.value), *_entries(argument.value)]
    elif call.callee.endswith(("object", "config.update", "config.from_mapping", "BaseSettings", "Settings")):
        candidates = [(argument.name, argument.value) for argument in call.arguments]
        candidates += [entry for argument in call.arguments for entry in _entries(argument.value)]
    for name, value in candidates:
        kind = concerns(name) if name else None
        if kind is not NameKind.SIGNING:
            continue
        how = _assigned(value, facts, name)
        if how in {"literal", "fallback"} and _credible(kind, name, value, facts, settings_like=True):
            yield _placed(source, name, how, kind, (call.line, call.scope))


def _accounts(call: Call, source: _Source) -> Iterator[Fixed]:
    """Accounts made with a password that stands in the code."""
    facts = source.facts
    first = call.argument("", 0)
    if _HASHES.search(call.callee) or (call.callee in {"hash", "hashSync", "hashpw"} and _imports_hashing(facts)):
        literal = _literal(first, facts) if first is not None else ""
        if literal and _is_password(literal):
            yield _placed(source, "password", "account", NameKind.PASSWORD, (call.line, call.scope))
        return
    if not _MAKES_ACCOUNT.search(call.callee):
        return
    entries = [(argument.name, argument.value) for argument in call.arguments]
    entries += [entry for argument in call.arguments for entry in _entries(argument.value)]
    person = any(re.search(r"user|admin|account|mail|login|role", key, re.IGNORECASE) for key, _ in entries) or re.search(
        r"user|admin|account|signUp", call.callee
    )
    for key, value in entries:
        literal = _literal(value, facts) if value.kind is ValueKind.STRING else ""
        if person and concerns(key) is NameKind.PASSWORD and literal and _is_password(literal) and not names_other_login(literal):
            yield _placed(source, key, "account", NameKind.PASSWORD, (call.line, call.scope))
            return


def names_other_login(literal: str) -> bool:
    """`password="LDAP"`: not a password but a note that the account logs in another way; it matches no hash."""
    return bool(_OTHER_LOGIN.match(literal))


def _imports_hashing(facts: FileFacts) -> bool:
    return any(re.search(r"bcrypt|argon2|scrypt|passlib", entry.module) for entry in facts.imports)


def _entries(value: Value, depth: int = 3) -> Iterator[tuple[str, Value]]:
    """Named entries of collections, however they are nested (values are at most three deep)."""
    pending = [(value, depth)]
    while pending:
        current, left = pending.pop()
        if current.kind is not ValueKind.COLLECTION or not left:
            continue
        for key, entry in current.items:
            if key and key != "..." and not key.startswith("["):  # `[Brand.OnePassword]: "..."` is looked up by a value, not by this name
                yield key, entry
            pending.append((entry, left - 1))


def _last_name(target: str) -> str:
    """`app.config["SECRET_KEY"]` and `settings.secret_key` by what is set."""
    inside = re.search(r"\[[\"']([\w.-]+)[\"']\]$", target)
    return inside[1] if inside else target.rsplit(".", maxsplit=1)[-1]


def _fallback(default: Value, facts: FileFacts, name: str) -> str:
    """How a fallback decides the value: "" when it does not."""
    match default.kind:
        case ValueKind.STRING if not default.literal.strip():
            return "empty"
        case ValueKind.STRING:
            return "" if NO_KEY.match(default.literal) or is_reference(default.literal) else "fallback"
        case ValueKind.TEMPLATE:
            return ""
        case ValueKind.CALL:
            return "random" if _RANDOM.search(default.text) else ""
        case ValueKind.NAME if re.match(r"process\.env\.|import\.meta\.env\.|os\.environ", default.literal):
            return (
                "borrowed"
                if concerns(default.literal.rsplit(".", maxsplit=1)[-1]) is None and kind_of_name(name) is NameKind.SIGNING
                else ""
            )
        case ValueKind.NAME:
            return "fallback" if _literal(default, facts) else ""
        case ValueKind.OPERATION:
            return _operands(default, facts, name)
        case _:
            return ""


def _operands(value: Value, facts: FileFacts, name: str) -> str:
    if not any(operator in {"or", "||", "??", "?:", "if", "else", "?"} for operator, _ in value.items):
        return ""
    hows = {_fallback(operand, facts, name) for _, operand in value.items[1:]}
    return next((how for how in ("fallback", "random", "borrowed", "empty") if how in hows), "")


def _assigned(value: Value, facts: FileFacts, name: str) -> str:
    match value.kind:
        case ValueKind.STRING:
            return "literal" if value.literal.strip() else ""
        case ValueKind.OPERATION:
            return _operands(value, facts, name)
        case ValueKind.CALL if value.literal.rsplit(".", maxsplit=1)[-1] in {"Field", "SecretStr", "field"}:
            default = value.item("default") or (value.items[0][1] if value.items and not value.items[0][0] else None)
            return _assigned(default, facts, name) if default is not None and default.kind in {ValueKind.STRING, ValueKind.CALL} else ""
        case ValueKind.CALL if re.search(r"\.default\(\s*[\"'][^\"']{1,200}[\"']\s*\)", value.text):
            return "fallback"
        case ValueKind.CALL if _RANDOM.search(value.text) and not re.search(r"environ|getenv|process\.env", value.text):
            return "random"
        case _:
            return ""


def _literal(value: Value, facts: FileFacts) -> str:
    """The text of a literal, or of the module constant a name stands for."""
    if value.kind is ValueKind.STRING:
        return value.literal
    if value.kind is ValueKind.CALL and re.search(r"^(?:Buffer\.from|bytes|str\.encode|SecretStr)$", value.literal):
        inner = next((entry for _, entry in value.items if entry.kind is ValueKind.STRING), None)
        return inner.literal if inner else ""
    if value.kind is ValueKind.NAME and re.fullmatch(r"[A-Za-z_$][\w$]*", value.literal):
        for assignment in facts.assignments:
            if (
                assignment.target == value.literal
                and assignment.scope == -1
                and assignment.value
                and assignment.value.kind is ValueKind.STRING
            ):
                return assignment.value.literal
    return ""


def _credible(kind: NameKind, name: str, value: Value, facts: FileFacts, *, settings_like: bool) -> bool:
    """Whether a literal under the name is the credential itself, and not the name of a setting, a label or a field."""
    literal = (
        _literal(value, facts)
        if value.kind is not ValueKind.OPERATION
        else next((entry.literal for _, entry in value.items if entry.kind is ValueKind.STRING and entry.literal), "x")
    )
    if value.kind is ValueKind.CALL:
        return settings_like
    if not literal or NO_KEY.match(literal) or is_reference(literal) or _same_words(name, literal) or len(literal) > 300:
        return False
    if re.search(r"[\u3040-\u9fff\uac00-\ud7a3]", literal):
        return False  # a description in the readers' language
    if " ".join(words_of(name)[-2:]) in {"session key", "cookie key"} and _SLOT_NAME.match(literal) and "secret" not in literal:
        return False
    if kind is NameKind.KEY and re.fullmatch(r"[a-z]+(?:[-_.:][a-z]+)*", literal, re.IGNORECASE):
        return False
    if kind is NameKind.PASSWORD:
        return settings_like and _is_password(literal) and not _label_like(name, literal)
    return settings_like and not (_LABEL.search(literal) and len(literal.split()) > 4 and not literal.startswith("django-insecure"))


def _same_words(name: str, literal: str) -> bool:
    bare = re.sub(r"[^a-z0-9]", "", name.lower())
    return len(bare) > 6 and re.sub(r"[^a-z0-9]", "", literal.lower()).endswith(bare)


def _label_like(name: str, literal: str) -> bool:
    """`PASSWORD = "password"` names a field."""
    return (
        literal.lower() in set(words_of(name)) | {"password", "passwd", "text", "hidden", "string", "current-password", "new-password"}
        and len(words_of(name)) == 1
    )


def _is_password(literal: str) -> bool:
    return (
        3 <= len(literal) <= 100
        and not re.search(r"\s|^https?:|^[$%{<]|^/", literal)
        and not re.search(r"dummy|timing|invalid|unusable|nonexist|^!|not-?a-?real|^x+$", literal, re.IGNORECASE)
    )


def _settings_like(target: str, scope: int, facts: FileFacts) -> bool:
    """Module constants, class attributes and settings objects; a local variable named `password` may be anything."""
    if scope == -1 or "config" in target.lower() or "settings" in target.lower() or target.startswith(("app.", "self.app.", "server.")):
        return True
    definition = facts.definitions[scope] if 0 <= scope < len(facts.definitions) else None
    return definition is not None and definition.kind.value == "class" and not any(re.search(r"Enum\b", base) for base in definition.bases)


def _placed(source: _Source, name: str, how: str, kind: NameKind, place: tuple[int, int]) -> Fixed:
    """`place`: line and scope."""
    return Fixed(name, how, place[0], kind, _reach(source, name, how, place))


def _reach(source: _Source, name: str, how: str, place: tuple[int, int]) -> Reach:
    facts, (line, scope) = source.facts, place
    if _TEST_NAME.search(facts.path) or (how == "empty" and kind_of_name(name) is not NameKind.SIGNING):
        return Reach.NOWHERE
    if how == "random" and is_kept(facts, name, line, scope):
        return Reach.NOWHERE
    if how == "empty" and _declared_valid(source, line):
        return Reach.NOWHERE
    if how in {"fallback", "literal", "empty"} and _refused_later(source, name, how):
        return Reach.NOWHERE if how == "empty" else Reach.DEVELOPMENT
    around = _enclosing_names(facts, scope)
    if re.search(r"Test(?:ing)?(?:Config|Settings)?\b", around):
        return Reach.NOWHERE
    limited = _DEVELOPMENT_NAME.search(facts.path) or _DEVELOPMENT_SCOPE.search(around) or _guarded(source.lines, line)
    return Reach.DEVELOPMENT if limited or how in {"random", "borrowed", "empty"} else Reach.PRODUCTION


def _enclosing_names(facts: FileFacts, scope: int) -> str:
    names, bound = [], 0
    while 0 <= scope < len(facts.definitions) and bound < 50:
        names.append(facts.definitions[scope].name)
        scope, bound = facts.definitions[scope].parent, bound + 1
    return " ".join(names)


def _declared_valid(source: _Source, line: int) -> bool:
    """Whether decorators of a field of a settings class refuse an empty value; they begin at its line or stand above it."""
    if re.match(r"\s*@", source.lines[line - 1] if 1 <= line <= len(source.lines) else ""):
        return any(_REFUSES_EMPTY.search(text) for text in source.lines[line - 1 : line + 7])
    for text in reversed(source.lines[max(0, line - 9) : max(0, line - 1)]):
        if _REFUSES_EMPTY.search(text):
            return True
        if not text.strip() or text.rstrip().endswith(("*/", ";")):
            return False
    return False


def _refused_later(source: _Source, name: str, how: str) -> bool:
    """A raise or throw that speaks of the setting, next to words that show what it refuses."""
    pattern = re.compile(rf"\b{re.escape(name)}\b", re.IGNORECASE)
    for raised in source.facts.raises:
        around = "\n".join(source.lines[max(0, raised.line - 6) : raised.line + 3])
        if pattern.search(around) and (how == "empty" or _REFUSES.search(around)):
            return True
    return False


def _guarded(lines: list[str], line: int) -> bool:
    """Whether a condition on the kind of environment stands on the line or opens the block it is in."""
    if not 1 <= line <= len(lines):
        return False
    here = lines[line - 1]
    condition = _QUOTED.sub(lambda match: match[0] if match[2] in _ENVIRONMENTS else "", here)
    if re.search(r"\bif\b|(?<!\?)\?(?![?.:])", condition) and _GUARD.search(condition):
        return True
    indent = len(here) - len(here.lstrip())
    for number in range(line - 2, max(-1, line - 40), -1):
        text = lines[number]
        if not text.strip():
            continue
        depth = len(text) - len(text.lstrip())
        if depth >= indent:
            continue
        indent = depth
        if re.match(r"\s*(?:\}\s*)?(?:if|elif|else if|else)\b", text) and (_GUARD.search(text) or _branch_condition(lines, number, depth)):
            return True
        if depth == 0:
            return False
    return False


def _branch_condition(lines: list[str], number: int, depth: int) -> bool:
    """For an `else`: whether the `if` it belongs to asks for the environment."""
    if not re.match(r"\s*(?:\}\s*)?else\b", lines[number]):
        return False
    for above in range(number - 1, max(-1, number - 40), -1):
        text = lines[above]
        if text.strip() and len(text) - len(text.lstrip()) == depth and re.match(r"\s*(?:if|elif)\b", text):
            return bool(_GUARD.search(text))
    return False
