"""Predictable numbers and broken or fast hashes in the places where a secret is needed.

A generator or a hash is judged by what becomes of its value: a shuffled list, a jitter, a cache key, an ETag or an avatar harm nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from auditor.checks.cookie_calls import carries_login, sets_cookie
from auditor.checks.reach import within
from auditor.checks.secret_purposes import is_password_name, is_salt_name, is_secret_name
from auditor.checks.value_origins import Origin, Origins, Use
from auditor.model.syntax import Call, FileFacts, Value, ValueKind
from auditor.model.verdict import Confidence, Finding

_PYTHON_RANDOM = re.compile(
    r"^(?:random|rnd|np\.random|numpy\.random)\.(?:random|randint|randrange|getrandbits|randbytes|uniform|gauss|normalvariate|triangular|betavariate|expovariate|random_sample|rand|integers|bytes|choice|choices|sample)$"
    r"|^(?:randint|randrange|getrandbits|choices|randbytes)$"
)
_DRAWS_FROM = re.compile(r"(?:^|\.)(?:choice|choices|sample)$")
_ALPHABET = re.compile(
    r"^string\.|chars?\b|characters|alphabet|letters|digits|charset|ascii|symbols|pool\b|possible|hexdig|alnum|chr", re.IGNORECASE
)
_LITERAL_ALPHABET = re.compile(r"(?:choices?|sample)\(\s*(?:list\()?\s*[rbu]?['\"]|\brange\(")
_SCRIPT_RANDOM = re.compile(r"^Math\.random$|^(?:_|lodash)\.random$")
_SECURE = re.compile(
    r"SystemRandom|secrets\.|randomBytes|getRandomValues|randomUUID|urandom|uuid4|token_(?:hex|urlsafe|bytes)|nanoid|randomInt"
)
_LEARNING = frozenset({"torch", "tensorflow", "transformers", "jax", "keras", "sklearn", "gym", "gymnasium", "spacy", "nltk", "tiktoken"})
_MAKES_TOKEN = re.compile(r"(?:generate|create|make|gen|new)_?(?=[A-Z_a-z])\w{2,20}_?[tT]oken$")
_CLAIMS = re.compile(
    r"\bunpredictable\b|\bunguessable\b|cryptographic(?:ally)?\s+(?:secure|strong|random)|\bsecure(?:ly)?\s+(?:generated?\s+)?random",
    re.IGNORECASE,
)
_BROKEN = re.compile(
    r"^(?:hashlib\.)?(?:md5|sha1|md4)$|^(?:CryptoJS|forge\.md)\.(?:MD5|SHA1|md5|sha1)$|^Crypto\.Hash\.(?:MD5|SHA)\.new$|^(?:MD5|SHA1?|MD2|MD4)\.new$"
)
_FAST = re.compile(
    r"^(?:hashlib\.)?(?:sha224|sha256|sha384|sha512|sha3_\d+|blake2[bs])$|^CryptoJS\.(?:SHA224|SHA256|SHA384|SHA512|SHA3)$|^(?:SHA224|SHA256|SHA384|SHA512)\.new$"
)
_NAMED_HASH = re.compile(r"^(?:hashlib\.new|(?:crypto\.)?createHash)$")
_BROKEN_NAME = re.compile(r"^(?:md[245]|sha-?1|ripemd(?:128)?)$", re.IGNORECASE)
_SLOW = re.compile(
    r"bcrypt|argon2|scrypt|pbkdf2|PBKDF2|hashpw|checkpw|make_password|generate_password_hash|PasswordHasher|CryptContext|pwd_context"
)
_SECRET_FILE = re.compile(r"passw(?:or)?d|credential|shadow\b|htpasswd", re.IGNORECASE)
_CERTIFICATE = re.compile(r"\b(?:certificate|public_?key|signature)\b", re.IGNORECASE)

_NEAR = 6
"""Lines a chain of calls that makes a digest may be long."""
_MANY = 10
"""Draws in a file that makes sample data."""
PREDICTABLE = "predictable-token"
FAST = "fast-password-hash"
BROKEN = "broken-hash"


def makers(files: Iterable[FileFacts]) -> tuple[dict[str, Origin], dict[str, Origin]]:
    """Functions of the audited code that give back predictable values, and broken digests, by name; a name defined twice says nothing."""
    predictable: dict[str, Origin] = {}
    broken: dict[str, Origin] = {}
    defined: dict[str, int] = {}
    for facts in files:
        for definition in facts.definitions:
            defined[definition.name] = defined.get(definition.name, 0) + 1
        predictable.update(Origins(facts, _draws).makers if _mentions(facts, _draws) else {})
        broken.update(Origins(facts, _breaks).makers if _mentions(facts, _breaks) else {})
    return tuple({name: origin for name, origin in table.items() if defined.get(name) == 1} for table in (predictable, broken))  # type: ignore[return-value]


def _mentions(facts: FileFacts, makes: object) -> bool:
    return any(makes(_as_value(call)) for call in facts.calls)  # type: ignore[operator]


def _as_value(call: Call) -> Value:
    return Value(ValueKind.CALL, "", call.callee, (), tuple((a.name, a.value) for a in call.arguments))


# -- generators ----------------------------------------------------------------------------------------------------------------


def _draws(value: Value) -> str:
    """The name of the predictable generator a call draws from; picking one of several given things makes no secret."""
    callee = value.literal
    if _SCRIPT_RANDOM.match(callee):
        return "" if _SECURE.search(" ".join(value.names)) else callee
    if not _PYTHON_RANDOM.match(callee) or _SECURE.search(" ".join(value.names)):
        return ""
    if not _DRAWS_FROM.search(callee):
        return callee
    first = value.items[0][1] if value.items and value.kind is ValueKind.CALL else None
    if first is None:
        return callee if any(_ALPHABET.search(name) for name in value.names) or _LITERAL_ALPHABET.search(value.text) else ""
    alphabet = first.kind is ValueKind.STRING or any(_ALPHABET.search(name) for name in first.names) or "range" in first.names
    return callee if alphabet else ""


def predictable(facts: FileFacts, elsewhere: Mapping[str, Origin], *, server: bool) -> Iterator[Finding]:
    """Tokens, codes, keys and passwords drawn from a generator whose next values can be computed from earlier ones."""
    draws = sum(bool(_draws(_as_value(call)) or call.callee in elsewhere) for call in facts.calls)
    if not draws:
        return
    found = list(_drawn_secrets(facts, elsewhere, server=server))
    if draws < _MANY or len(found) * 5 > draws:  # whatever draws names, prices, colours and a password besides makes sample data
        yield from found


def _drawn_secrets(facts: FileFacts, elsewhere: Mapping[str, Origin], *, server: bool) -> Iterator[Finding]:
    learning = any(statement.module.split(".")[0] in _LEARNING for statement in facts.imports)
    seen: set[int] = set()
    origins = Origins(facts, _draws, elsewhere)
    for use in origins.uses():
        line = use.line if use.origin in origins.foreign else use.origin.line
        if line in seen or not _needs_secret(use, facts, strict=learning or not server):
            continue
        seen.add(line)
        message = f"{use.origin.callee} draws a secret here: its next values can be computed from earlier ones, so somebody else's token can be guessed."
        yield Finding(PREDICTABLE, facts.path, message, line, line, Confidence.HIGH, "syntax", 330)


def _needs_secret(use: Use, facts: FileFacts, *, strict: bool) -> bool:
    if use.kind == "call":
        call = next((c for c in facts.calls if c.line == use.line and c.callee == use.name), None)
        return call is not None and sets_cookie(call) and carries_login(call, facts)
    if use.kind == "file":
        return bool(_SECRET_FILE.search(use.name))
    if use.kind == "return" and _CLAIMS.search(facts.definitions[use.scope].docstring):
        return True
    maker = strict and use.kind == "return" and bool(_MAKES_TOKEN.match(use.name))
    return is_secret_name(use.name, strict=strict and not maker)


# -- hashes --------------------------------------------------------------------------------------------------------------------


def _algorithm(value: Value) -> str:
    """The algorithm a call asks for by name ("" when it is not a literal)."""
    first = value.items[0][1] if value.items else None
    if first is not None:
        return first.literal if first.kind is ValueKind.STRING else ""
    found = re.search(r"(?:createHash|hashlib\.new)\(\s*['\"]([\w-]{2,12})['\"]", value.text)
    return found[1] if found else ""


def _breaks(value: Value) -> str:
    """The name of a broken hash a call computes, unless it says that nothing depends on it."""
    callee = value.literal
    harmless = value.item("usedforsecurity") is not None or "usedforsecurity" in value.text
    if harmless or not (_BROKEN.match(callee) or _NAMED_HASH.match(callee)):
        return ""
    if _NAMED_HASH.match(callee):
        name = _algorithm(value)
        return name if _BROKEN_NAME.match(name) else ""
    return callee


def _hashes(value: Value) -> str:
    """The name of any hash made to be fast."""
    return value.literal if _FAST.match(value.literal) or _NAMED_HASH.match(value.literal) else _breaks(value)


def hashed(facts: FileFacts, text: str, elsewhere: Mapping[str, Origin], *, server: bool) -> Iterator[Finding]:
    """Passwords hashed fast, and broken hashes where somebody could gain from a second text with the same digest."""
    if not any(_hashes(_as_value(call)) or call.callee in elsewhere for call in facts.calls):
        return
    seen: set[int] = set()
    for line, end_line in (*_password_in(facts, text), *_password_out(facts, text)):
        if line not in seen:
            seen.add(line)
            message = "A password is hashed with a function made to be fast: whoever gets the table tries billions of passwords a second."
            yield Finding(FAST, facts.path, message, line, end_line, Confidence.HIGH, "syntax", 916)
    for line in _broken_uses(facts, elsewhere, server=server):
        if line not in seen:
            seen.add(line)
            message = "A broken hash protects a token, a credential or a signature here: two texts with the same hash can be made."
            yield Finding(BROKEN, facts.path, message, line, line, Confidence.MEDIUM, "syntax", 328)


def _password_in(facts: FileFacts, text: str) -> Iterator[tuple[int, int]]:
    """A password handed to a hash; the look-up of leaked passwords and the step before a slow hash do it on purpose."""
    if "pwnedpasswords" in text:
        return
    hashers = {call.target for call in facts.calls if call.target and _hashes(_as_value(call))}
    for call in facts.calls:
        root, _, last = call.callee.rpartition(".")
        chained = last == "update" and (
            root in hashers or any(_hashes(Value(ValueKind.CALL, "", inner)) for inner in (root.removesuffix("()"),))
        )
        if not (_hashes(_as_value(call)) or chained):
            continue
        handed = [name for argument in call.arguments for name in _sources(argument.value, facts, call.scope)]
        if any(is_password_name(part) for name in handed for part in _parts(name)) and not _slow_follows(facts, call.scope):
            yield call.line, call.end_line


def _written(value: Value) -> list[str]:
    """The names an expression is written with, those inside the holes of a text included."""
    holes = " ".join(re.findall(r"\{([^{}]{1,80})\}", value.text))
    return [*value.names, value.literal, *re.findall(r"[A-Za-z_][\w.]*", holes)]


def _parts(name: str) -> list[str]:
    """`user.password.encode` by its attributes; calls and whole names of functions left out."""
    return [part for part in name.split(".") if "(" not in part]


def _sources(value: Value, facts: FileFacts, scope: int) -> Iterator[str]:
    """The names an argument is made of, and those its own variables were made of."""
    names = _written(value) if value.kind is not ValueKind.STRING else []
    yield from names
    for assignment in facts.assignments:
        if assignment.target in names and assignment.scope == scope and assignment.value is not None:
            yield from (name for name in assignment.value.names if not name.endswith("()"))


def _slow_follows(facts: FileFacts, scope: int) -> bool:
    inside = within(facts, scope)
    return any(_SLOW.search(call.callee) for call in facts.calls if call.scope in inside)


def _password_out(facts: FileFacts, text: str) -> Iterator[tuple[int, int]]:
    """A digest that is kept as somebody's password."""
    if "pwnedpasswords" in text:
        return
    for use in Origins(facts, _hashes).uses():
        if use.kind in {"name", "field", "return"} and is_password_name(_noun(use)) and not _slow_follows(facts, use.scope):
            yield use.origin.line, use.origin.line


def _noun(use: Use) -> str:
    """`hash_password` as a function gives back a hashed password; as a variable it is one."""
    return (
        re.sub(r"^(?:get|make|create|compute|calc(?:ulate)?|generate|do)_?", "", use.name, flags=re.IGNORECASE)
        if use.kind == "return"
        else use.name
    )


def _holds_secret(use: Use, facts: FileFacts) -> bool:
    """Whether something nobody else knows goes into the digest: then a second text with the same one is of no use to anybody."""
    names = [
        name
        for call in facts.calls
        if call.scope == use.scope
        and abs(call.line - use.origin.line) <= _NEAR
        and (call.callee.endswith("update") or _hashes(_as_value(call)))
        for argument in call.arguments
        for name in _written(argument.value)
    ]
    return any(_SECURE.search(name) or is_secret_name(part) for name in names for part in name.split("."))


def _broken_uses(facts: FileFacts, elsewhere: Mapping[str, Origin], *, server: bool) -> Iterator[int]:
    origins = Origins(facts, _breaks, elsewhere)
    for use in origins.uses():
        if _needs_secret(use, facts, strict=not server) and not is_salt_name(use.name) and not _holds_secret(use, facts):
            yield use.line if use.origin in origins.foreign else use.origin.line
    for call in facts.calls:
        names = " ".join(name for argument in call.arguments for name in argument.value.names)
        if _breaks(_as_value(call)).lower().endswith("md5") and _CERTIFICATE.search(names):
            yield call.line
