"""Passwords are stored with a slow hash and tokens come from a secure generator and current algorithms.

Passing title: Passwords, tokens and keys are made by methods that hold
Failing title: Passwords or tokens can be guessed from what is stored
Grading: A password that is hashed fast or compared as plain text, and a token, code or key drawn from a predictable generator, fail the item; an outdated
    cipher or hash in another security use, too few rounds and comparisons that leak time are partial. Hashes for caches, checksums and identicons, and protocols that prescribe old
    methods (HTTP digest, NTLM) do not count.
Done when: Passwords go through argon2, bcrypt, scrypt or PBKDF2 (or a hosted identity provider), tokens come from `secrets` or `crypto.randomBytes`, and signatures are compared in constant time.
What it cannot see: How passwords are stored by a service outside the repository, and secrets that are hashed under names that do not say so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.checks.registry import check
from auditor.model.evidence import ToolHits
from auditor.model.needs import BANDIT, PROJECT, SYNTAX, TEXTS
from auditor.model.project import Project
from auditor.model.syntax import Call, FileFacts, Syntax, ValueKind
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable, Place
from auditor.words import plural

ITEM = "security.crypto-sound"
_PASSWORD = re.compile(r"passw(?:or)?d|\bpwd\b|passphrase|senha|contrase[nñ]a", re.IGNORECASE)
_TOKEN = re.compile(
    r"token|secret|\botp\b|otp_|_otp|passw(?:or)?d|session_?id|api_?key|nonce|\bsalt\b|csrf|invite_?(?:code|key)|remember_?me|(?:verif\w*|reset|auth|login|2fa|mfa|confirm\w*|security|recovery|access|activation)_?(?:code|key|pin)",
    re.IGNORECASE,
)
_NOT_A_TOKEN = re.compile(
    r"tokeni[sz]|token_?(?:count|limit|usage|s_used|color|length|ids?\b)|max_?token|num_?token|tokens\b|mock|placeholder|sample",
    re.IGNORECASE,
)
_FAST_HASH = re.compile(
    r"^(?:hashlib\.(?:md5|sha1|sha224|sha256|sha384|sha512|new|blake2[bs])|(?:crypto\.)?createHash|md5|sha1|sha256|sha512|CryptoJS\.(?:MD5|SHA1|SHA256|SHA512))$"
)
_WEAK_HASH = re.compile(r"md5|sha-?1\b|\brc4\b|\bdes\b", re.IGNORECASE)
_PREDICTABLE = re.compile(
    r"^(?:random\.(?:random|randint|randrange|choice|choices|sample|getrandbits|uniform|randbytes)|np\.random\.\w+|numpy\.random\.\w+|Math\.random|Faker?\(\)\.\w+)$"
)
_SLOW = re.compile(
    r"(?:^|\.)(?:bcrypt|bcryptjs|argon2|scrypt|scryptSync|pbkdf2\w*|PasswordHasher|CryptContext|generate_password_hash|check_password_hash|make_password|check_password|set_password|hashpw|checkpw|PBKDF2HMAC|hash_password|verify_password)\b|^(?:secrets\.|crypto\.random|randomBytes|randomUUID|uuid)"
)
_PLAIN = re.compile(
    r"(?:\b(?P<owner>\w*(?:user|account|row|record|admin|member|customer|employee|doc|found|existing|db\w*)\w*)(?:\??\.|\[['\"])(?:password|passwd|pwd)(?:['\"]\])?)\s*(?:===?|!==?)\s*(?:\w+(?:\.\w+){0,3}\.)?(?:password|passwd|pwd)\b"
    r"|\b(?:password|passwd|pwd)\s*(?:===?|!==?)\s*(?:user|account|row|record|admin|member)\w*(?:\.|\[['\"])(?:password|passwd|pwd)",
    re.IGNORECASE,
)
_CONFIRMATION = re.compile(r"confirm|repeat|again|retype|verify_?pass|new_?pass|old_?pass|password2", re.IGNORECASE)
_LEAKS_TIME = re.compile(
    r"(?:hexdigest\(\)|\bdigest\(\s*['\"](?:hex|base64)['\"]\s*\)|\b(?:expected|computed|calculated)_?(?:signature|hmac|hash|sig))\s*(?:===?|!==?)(?!\s*['\"]{2})",
    re.IGNORECASE,
)
_OLD_CIPHER = re.compile(r"^(?:crypto\.)?create(?:Cipher|Decipher)$")
_ECB = re.compile(r"-ecb\b|^des|^rc4|^bf-|^blowfish", re.IGNORECASE)
_PROTOCOL = re.compile(r"\bcnonce\b|\bNTLMSSP\b|\bntlm\b", re.IGNORECASE)
"""HTTP digest and NTLM prescribe old hashes and ciphers: whoever speaks them has no choice."""
_HANDLES = re.compile(r"password|passwd|\bjwt\b|token|crypto|hashlib|bcrypt|argon2|hmac|cipher|fernet", re.IGNORECASE)


@check(ITEM, needs=(SYNTAX, PROJECT, TEXTS), corroborating=(BANDIT,))
def crypto_sound(syntax: Syntax, project: Project, texts: dict[str, str], bandit: ToolHits) -> Judgement:
    """Read what is done with passwords, tokens, hashes and ciphers."""
    files = syntax.of(project.production)
    if not any(_HANDLES.search(texts.get(facts.path, "")) for facts in files):
        return NotApplicable("The code handles no passwords, tokens or encryption.")
    failing: list[Finding] = []
    partial: list[Finding] = [
        Finding(hit.rule, hit.path, hit.message, hit.line, hit.end_line, hit.confidence, "bandit", hit.cwe)
        for hit in bandit.of(ITEM)
        if hit.rule in {"B304", "B305", "B505"} and hit.path in project.production
    ]
    sound: list[Place] = []
    for facts in files:
        if _PROTOCOL.search(texts.get(facts.path, "")):
            continue
        server = project.on_server(facts.path)
        failing += [*_hashed_fast(facts, texts.get(facts.path, "")), *_guessable(facts, server=server)]
        partial += _outdated(facts)
        sound += [Place(facts.path, call.line) for call in facts.calls if _SLOW.search(call.callee)]
        if server:
            failing += _compared(facts, texts.get(facts.path, ""))
            partial += _leaking(facts, texts.get(facts.path, ""))
    return Assessed(
        bad=0,
        total=0,
        floor=1.0 if failing else 0.5 if partial else 0.0,
        summary=_summary(len(failing), len(partial), len(sound)),
        findings=(*failing, *partial),
        evidence=tuple(sound[:3]),
        signals=(f"{plural(len(files), 'source file')} read for hashes, ciphers, generators and comparisons of secrets",),
        confidence=Confidence.HIGH,
    )


def _summary(failing: int, partial: int, sound: int) -> str:
    if failing:
        return f"{plural(failing, 'password or token', 'passwords or tokens')} can be guessed from what is stored or drawn."
    if partial:
        return f"{plural(partial, 'outdated method', 'outdated methods')} in a security use."
    return (
        f"Passwords and tokens are made and checked by sound methods in {plural(sound, 'place')}."
        if sound
        else "No unsound method for passwords, tokens or keys."
    )


def _scope_name(facts: FileFacts, scope: int) -> str:
    return facts.definitions[scope].qualname if scope >= 0 else ""


def _words(call: Call) -> str:
    names = [
        name
        for argument in call.arguments
        for name in (*argument.value.names, argument.value.literal if argument.value.kind is ValueKind.NAME else "")
    ]
    return " ".join(names)


def _hashed_fast(facts: FileFacts, text: str) -> Iterator[Finding]:
    """A password handed to a hash made to be fast; the k-anonymity look-up of leaked passwords is one on purpose."""
    if "pwnedpasswords" in text:
        return
    lines = text.split("\n")
    for call in facts.calls:
        if not _FAST_HASH.match(call.callee):
            continue
        line = lines[call.line - 1] if call.line <= len(lines) else ""
        updated = _PASSWORD.search(line[line.find("createHash") :]) if "createHash" in call.callee else None
        if _PASSWORD.search(_words(call)) or updated:
            message = "A password is hashed with a function made to be fast: whoever gets the table tries billions of passwords a second."
            yield Finding("fast-password-hash", facts.path, message, call.line, call.end_line, Confidence.HIGH, "syntax", 916)


def _guessable(facts: FileFacts, *, server: bool) -> Iterator[Finding]:
    """A token, code or key drawn from a generator whose next values can be computed from earlier ones."""
    bound = {entry.line: entry.target for entry in facts.assignments}
    for call in facts.calls:
        if not _PREDICTABLE.match(call.callee):
            continue
        name = " ".join((bound.get(call.line, ""), call.target, _scope_name(facts, call.scope).rpartition(".")[2]))
        if _TOKEN.search(name) and not _NOT_A_TOKEN.search(name) and (server or re.search(r"token|passw|secret|otp", name, re.IGNORECASE)):
            message = f"{call.callee} draws a secret here: its next values can be computed from earlier ones, so somebody else's token can be guessed."
            yield Finding("predictable-token", facts.path, message, call.line, call.end_line, Confidence.HIGH, "syntax", 330)


def _compared(facts: FileFacts, text: str) -> Iterator[Finding]:
    """A stored password compared with the one that was typed: it is stored as plain text."""
    if not _PASSWORD.search(text):
        return
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) < 400 and _PLAIN.search(line) and not _CONFIRMATION.search(line) and not line.lstrip().startswith(("#", "//", "*")):
            message = (
                "The stored password is compared with the typed one: it is kept as plain text, and a copy of the table opens every account."
            )
            yield Finding("plain-password", facts.path, message, number, number, Confidence.MEDIUM, "syntax", 256)


def _leaking(facts: FileFacts, text: str) -> Iterator[Finding]:
    """A signature compared character by character."""
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) < 400 and _LEAKS_TIME.search(line) and re.search(r"sign|hmac|token|secret|sig\b", line, re.IGNORECASE):
            message = "A signature is compared character by character: the time it takes tells how much of a forged one was right."
            yield Finding("comparison-leaks-time", facts.path, message, number, number, Confidence.MEDIUM, "syntax", 208)


def _outdated(facts: FileFacts) -> Iterator[Finding]:
    """Ciphers and hashes that no longer hold in a use that is about security, and too few rounds."""
    for call in facts.calls:
        first = call.arguments[0].value if call.arguments else None
        literal = first.literal if first is not None and first.kind is ValueKind.STRING else ""
        security = _TOKEN.search(_words(call)) or _TOKEN.search(call.target) or _TOKEN.search(_scope_name(facts, call.scope))
        if _OLD_CIPHER.match(call.callee) or (call.callee.endswith(("createCipheriv", "createDecipheriv")) and _ECB.search(literal)):
            message = "This cipher does not hide what it encrypts: equal texts give equal results, or its key is derived from a password in one step."
            yield Finding("outdated-cipher", facts.path, message, call.line, call.end_line, Confidence.HIGH, "syntax", 327)
        elif (
            _FAST_HASH.match(call.callee)
            and _WEAK_HASH.search(f"{call.callee} {literal}")
            and security
            and not _PASSWORD.search(_words(call))
        ):
            if not any(argument.name == "usedforsecurity" for argument in call.arguments):
                message = "A broken hash protects a token or signature here: two texts with the same hash can be made."
                yield Finding("broken-hash", facts.path, message, call.line, call.end_line, Confidence.MEDIUM, "syntax", 327)
        elif re.search(r"(?:^|\.)(?:bcrypt\w*\.(?:hash|hashSync|genSalt|genSaltSync|gensalt))$", call.callee):
            rounds = [argument.value.literal for argument in call.arguments if argument.value.kind is ValueKind.NUMBER]
            if rounds and rounds[-1].isdigit() and int(rounds[-1]) < 10:
                message = f"bcrypt runs {rounds[-1]} rounds here: ten or more are needed to slow an attacker down."
                yield Finding("few-rounds", facts.path, message, call.line, call.end_line, Confidence.HIGH, "syntax", 916)
