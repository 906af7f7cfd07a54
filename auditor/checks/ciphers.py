"""Ciphers, modes, keys, initialisation vectors, salts and rounds that do not protect what they are used for."""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.checks.secret_purposes import is_password_name
from auditor.model.syntax import Call, FileFacts, Value, ValueKind
from auditor.model.verdict import Confidence, Finding

FEWEST_ROUNDS = 10_000
"""Iterations of PBKDF2 below which guessing is cheap (NIST SP 800-63B, 5.1.1.2; today's advice is far higher)."""
FEWEST_COST = 10
"""bcrypt's cost (OWASP Password Storage Cheat Sheet)."""
SMALLEST_RSA = 2048
"""Bits of an RSA or DSA key (NIST SP 800-57, part 1)."""

_OLD_PYTHON = re.compile(
    r"(?:^|\.)(?:DES3?|ARC2|ARC4|RC4|Blowfish|CAST)\.new$|(?:^|\.)algorithms\.(?:TripleDES|ARC4|Blowfish|IDEA|CAST5|SEED)$"
)
_OLD_SCRIPT = re.compile(r"^(?:crypto\.)?create(?:Cipher|Decipher)$|^CryptoJS\.(?:DES|TripleDES|RC4|RC4Drop)\.(?:encrypt|decrypt)$")
_OLD_NAME = re.compile(r"-ecb\b|^(?:des|rc[24]|bf|blowfish|cast|idea|seed)\b", re.IGNORECASE)
_WITH_IV = re.compile(r"^(?:crypto\.)?create(?:Cipher|Decipher)iv$")
_CIPHER = re.compile(r"(?:^|\.)(?:AES|DES3?|Blowfish|CAST|ARC2|ChaCha20(?:_Poly1305)?|Salsa20)\.new$")
_MODE = re.compile(r"(?:^|\.)modes\.(?:CBC|CTR|CFB8?|OFB|GCM|XTS)$")
_ECB = re.compile(r"\bMODE_ECB\b|\bmode\.ECB\b")
_AEAD = re.compile(r"^(?:AESGCM|ChaCha20Poly1305|AESCCM|AESOCB3)$")
_ALGORITHM = re.compile(r"(?:^|\.)algorithms\.(?:AES|AES128|AES256|ChaCha20|TripleDES)$")
_DECODERS = re.compile(r"(?:^|\.)(?:Buffer\.from|fromhex|unhexlify|b64decode|parse|bytes|bytearray|encode|TextEncoder\(\)\.encode)$")
_ZEROS = re.compile(r"^(?:Buffer\.alloc|bytes|bytearray|new Uint8Array)$")
_FILLS = re.compile(r"(?:^|\.)(?:getRandomValues|randomFillSync|randomFill)$")
_DERIVES = re.compile(r"(?:^|\.)(?:pbkdf2_hmac|pbkdf2|pbkdf2Sync|scrypt|scryptSync)$")
_DERIVER = re.compile(r"(?:^|\.)(?:PBKDF2HMAC|Scrypt)$")
_BCRYPT = re.compile(r"(?:^|\.)bcrypt\w*\.(?:hash|hashSync|genSalt|genSaltSync|gensalt)$")
_RSA = re.compile(r"(?:^|\.)(?:generateKeyPair|generateKeyPairSync|new NodeRSA)$|^new NodeRSA$")


def cipher_faults(facts: FileFacts) -> Iterator[Finding]:
    """Everything that is wrong with ciphers and key derivation in one file, in the order of its calls."""
    for call in facts.calls:
        for rule, cwe, message in (
            *_outdated(call),
            *_fixed(call, facts),
            *_salted(call, facts),
            *_rounds(call, facts),
            *_short_key(call),
        ):
            yield Finding(rule, facts.path, message, call.line, call.end_line, Confidence.HIGH, "syntax", cwe)


def _outdated(call: Call) -> Iterator[tuple[str, int, str]]:
    first = call.arguments[0].value if call.arguments else None
    name = first.literal if first is not None and first.kind is ValueKind.STRING else ""
    ecb = any(_ECB.search(used) for argument in call.arguments for used in (*argument.value.names, argument.value.literal)) and (
        _CIPHER.search(call.callee) or call.callee.startswith("CryptoJS.")
    )
    old = (
        _OLD_PYTHON.search(call.callee)
        or _OLD_SCRIPT.match(call.callee)
        or (_WITH_IV.match(call.callee) and _OLD_NAME.search(name))
        or re.search(r"(?:^|\.)modes\.ECB$", call.callee)
    )
    if old or ecb:
        message = "This cipher does not hide what it encrypts: equal texts give equal results, it can be broken, or its key is derived from a password in one step."
        yield "outdated-cipher", 327, message


# -- vectors and keys ----------------------------------------------------------------------------------------------------------


def _fixed(call: Call, facts: FileFacts) -> Iterator[tuple[str, int, str]]:
    if any(_constant(value, facts, call) for value in _vectors(call, facts)):
        message = "Every text is encrypted with the same initialisation vector: equal beginnings show, and with a stream mode two texts reveal each other."
        yield "fixed-vector", 329, message
    if any(_constant(value, facts, call) for value in _keys(call)):
        message = "The key of this cipher stands in the code: whoever reads the repository decrypts everything that was encrypted with it."
        yield "key-in-code", 321, message


def _vectors(call: Call, facts: FileFacts) -> list[Value]:
    """What a call encrypts with beside the key."""
    found: list[Value | None] = []
    if _CIPHER.search(call.callee):
        found = [call.argument(name) for name in ("iv", "IV", "nonce")]
        mode = call.argument("mode", 1)
        found += [call.argument("iv", 2)] if mode is not None and not _ECB.search(" ".join((*mode.names, mode.literal))) else []
    elif _MODE.search(call.callee):
        found = [call.argument("initialization_vector", 0), call.argument("nonce"), call.argument("tweak")]
    elif call.callee.endswith(".encrypt"):
        found = _encrypts(call, facts)
    elif re.search(r"^(?:crypto\.)?createCipheriv$", call.callee):
        found = [call.argument("iv", 2)]
    return [value for value in found if value is not None]


def _encrypts(call: Call, facts: FileFacts) -> list[Value | None]:
    root = call.callee.removesuffix(".encrypt")
    if root.endswith("subtle"):
        options = call.argument("algorithm", 0)
        return [options.item("iv"), options.item("counter")] if options is not None else []
    if root.startswith("CryptoJS."):
        options = call.argument("cfg", 2)
        return [options.item("iv")] if options is not None else []
    made = any(
        a.target == root and a.value is not None and a.value.kind is ValueKind.CALL and _AEAD.match(a.value.literal.rsplit(".", 1)[-1])
        for a in facts.assignments
    )
    return [call.argument("nonce", 0)] if made or _AEAD.match(root.removesuffix("()").rsplit(".", 1)[-1]) else []


def _keys(call: Call) -> list[Value]:
    found: list[Value | None] = []
    if _CIPHER.search(call.callee) or _ALGORITHM.search(call.callee) or _AEAD.match(call.callee.rsplit(".", 1)[-1]):
        found = [call.argument("key", 0)]
    elif _WITH_IV.match(call.callee) or re.match(r"^CryptoJS\.\w+\.encrypt$", call.callee):
        found = [call.argument("key", 1)]
    return [value for value in found if value is not None]


def _constant(value: Value, facts: FileFacts, call: Call, depth: int = 2) -> bool:
    """Whether a value is the same in every run: a literal, a run of equal bytes, or a name that is bound to one alone."""
    match value.kind:
        case ValueKind.STRING:
            return len(value.literal) > 3
        case ValueKind.OPERATION:
            return bool(value.items) and value.items[0][1].kind is ValueKind.STRING and value.items[0][0] == "*"
        case ValueKind.COLLECTION:
            return len(value.items) > 3 and all(item.kind is ValueKind.NUMBER for _, item in value.items)
        case ValueKind.CALL if _ZEROS.match(value.literal) and value.items and value.items[0][1].kind is ValueKind.NUMBER:
            return all(item.kind is not ValueKind.NAME for _, item in value.items)
        case ValueKind.CALL if _DECODERS.search(value.literal) or value.literal == "new Uint8Array":
            given = [item for key, item in value.items if not key or key == "data"]
            return bool(given) and depth > 0 and _constant(given[0], facts, call, depth - 1)
        case ValueKind.NAME if depth > 0:
            return _bound_to_constant(value.literal, facts, call, depth)
        case _:
            return False


def _bound_to_constant(name: str, facts: FileFacts, call: Call, depth: int) -> bool:
    """Whether all a name is given in the function of the call, or else in the module, is constant, and nothing fills it later."""
    if any(_FILLS.search(other.callee) and any(name in argument.value.names for argument in other.arguments) for other in facts.calls):
        return False
    scope = call.scope
    while True:
        if scope >= 0 and any(parameter.name == name for parameter in facts.definitions[scope].parameters):
            return False
        bound = [a.value for a in facts.assignments if a.target == name and a.scope == scope and a.value is not None]
        if bound:
            return all(_constant(value, facts, call, depth - 1) for value in bound)
        if scope < 0:
            return False
        scope = facts.definitions[scope].parent


# -- passwords -----------------------------------------------------------------------------------------------------------------


def _is_password(value: Value | None) -> bool:
    return value is not None and any(is_password_name(part) for name in value.names for part in name.split("."))


def _salted(call: Call, facts: FileFacts) -> Iterator[tuple[str, int, str]]:
    salt: Value | None = None
    if _DERIVES.search(call.callee):
        hmac = call.callee.endswith("pbkdf2_hmac")
        password = call.argument("password", 1 if hmac else 0)
        salt = call.argument("salt", 2 if hmac else 1) if _is_password(password) else None
    elif _DERIVER.search(call.callee) and _derives_password(call, facts):
        salt = call.argument("salt")
    elif re.search(r"(?:^|\.)bcrypt\w*\.(?:hash|hashSync|hashpw)$", call.callee):
        salt = call.argument("salt", 1)
    if salt is not None and _constant(salt, facts, call):
        message = "All passwords are hashed with the same salt: equal passwords look equal, and one table of guesses opens all of them."
        yield "fixed-salt", 760, message


def _derives_password(call: Call, facts: FileFacts) -> bool:
    return any(
        other.scope == call.scope
        and re.search(r"\.(?:derive|verify)$", other.callee)
        and other.arguments
        and _is_password(other.arguments[0].value)
        for other in facts.calls
    )


def _rounds(call: Call, facts: FileFacts) -> Iterator[tuple[str, int, str]]:
    if _BCRYPT.search(call.callee):
        rounds = [argument.value.literal for argument in call.arguments if argument.value.kind is ValueKind.NUMBER]
        if rounds and rounds[-1].isdigit() and int(rounds[-1]) < FEWEST_COST:
            yield "few-rounds", 916, f"bcrypt runs {rounds[-1]} rounds here: ten or more are needed to slow an attacker down."
    given: Value | None = None
    if re.search(r"(?:^|\.)pbkdf2_hmac$", call.callee) and _is_password(call.argument("password", 1)):
        given = call.argument("iterations", 3)
    elif re.search(r"(?:^|\.)pbkdf2(?:Sync)?$", call.callee) and _is_password(call.argument("password", 0)):
        given = call.argument("iterations", 2)
    elif call.callee.endswith("PBKDF2HMAC") and _derives_password(call, facts):
        given = call.argument("iterations")
    number = given.literal.replace("_", "") if given is not None and given.kind is ValueKind.NUMBER else ""
    if number.isdigit() and int(number) < FEWEST_ROUNDS:
        yield "few-rounds", 916, f"PBKDF2 runs {number} rounds here: hundreds of thousands are needed to slow an attacker down."


def _short_key(call: Call) -> Iterator[tuple[str, int, str]]:
    if not _RSA.search(call.callee) and not call.callee.endswith("rsa.generateKeyPair"):
        return
    sizes = [
        size
        for argument in call.arguments
        for size in (argument.value, *(argument.value.item(key) for key in ("modulusLength", "b", "bits")))
        if size is not None and size.kind is ValueKind.NUMBER and size.literal.isdigit()
    ]
    if sizes and 256 < int(sizes[0].literal) < SMALLEST_RSA:
        yield "short-key", 326, f"A key of {sizes[0].literal} bits is made here: keys of this kind hold from {SMALLEST_RSA} bits."
