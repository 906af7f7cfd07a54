"""Passwords are stored with a slow hash and tokens come from a secure generator and current algorithms.

Passing title: Passwords, tokens and keys are made by methods that hold
Failing title: Passwords or tokens can be guessed from what is stored
Grading: A password that is hashed fast or compared as plain text, and a token, code or key drawn from a predictable generator, fail the item; an outdated
    cipher or hash in another security use, fixed vectors, salts and keys, short keys, too few rounds and comparisons that leak time are partial. Hashes for caches, checksums and identicons, and protocols that prescribe old
    methods (HTTP digest, NTLM) do not count.
Done when: Passwords go through argon2, bcrypt, scrypt or PBKDF2 (or a hosted identity provider), tokens come from `secrets` or `crypto.randomBytes`, and signatures are compared in constant time.
What it cannot see: How passwords are stored by a service outside the repository, and secrets that are hashed under names that do not say so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.checks.ciphers import cipher_faults
from auditor.checks.password_hashers import fast_hashers
from auditor.checks.plain_passwords import plain_passwords
from auditor.checks.registry import check
from auditor.checks.weak_values import BROKEN, hashed, makers, predictable
from auditor.model.evidence import ToolHits
from auditor.model.needs import BANDIT, PROJECT, SYNTAX, TEXTS
from auditor.model.project import Project
from auditor.model.syntax import FileFacts, Syntax
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable, Place
from auditor.words import plural

ITEM = "security.crypto-sound"
_PASSWORD = re.compile(r"passw(?:or)?d|\bpwd\b|passphrase|senha|contrase[nñ]a", re.IGNORECASE)
_SLOW = re.compile(
    r"(?:^|\.)(?:bcrypt|bcryptjs|argon2|scrypt|scryptSync|pbkdf2\w*|PasswordHasher|CryptContext|generate_password_hash|check_password_hash|make_password|check_password|set_password|hashpw|checkpw|PBKDF2HMAC|hash_password|verify_password)\b|^(?:secrets\.|crypto\.random|randomBytes|randomUUID|uuid)"
)
_PLAIN = re.compile(
    r"(?:\b(?P<owner>\w*(?:user|account|row|record|admin|member|customer|employee|doc|found|existing|db\w*)\w*)(?:\??\.|\[['\"])(?:password|passwd|pwd)(?:['\"]\])?)\s*(?:===?|!==?)\s*(?:\w+(?:\.\w+){0,3}\.)?(?:password|passwd|pwd)\b"
    r"|\b(?:password|passwd|pwd)\s*(?:===?|!==?)\s*(?:user|account|row|record|admin|member)\w*(?:\.|\[['\"])(?:password|passwd|pwd)",
    re.IGNORECASE,
)
_CONFIRMATION = re.compile(r"confirm|repeat|again|retype|verify_?pass|new_?pass|old_?pass|password2", re.IGNORECASE)
_CHANGED = re.compile(r"(?:password|passwd|pwd)['\"\])]*\s*!==?\s", re.IGNORECASE)
_HASHED_NEXT = re.compile(
    r"\b(?:bcrypt\w*|argon2|scrypt)\.(?:hash\w*|gen_?salt)|\b(?:hash_?password|make_password|generate_password_hash|set_password)\(",
    re.IGNORECASE,
)
_NEXT_LINES = 5
_LEAKS_TIME = re.compile(
    r"(?:hexdigest\(\)|\bdigest\(\s*['\"](?:hex|base64)['\"]\s*\)|\b(?:expected|computed|calculated)_?(?:signature|hmac|hash|sig))\s*(?:===?|!==?)(?!\s*['\"]{2})",
    re.IGNORECASE,
)
_PROTOCOL = re.compile(r"\bcnonce\b|\bNTLMSSP\b|\bntlm\b", re.IGNORECASE)
"""HTTP digest and NTLM prescribe old hashes and ciphers: whoever speaks them has no choice."""
_SEEDS = re.compile(
    r"(?:^|/)(?:prisma|db|database|scripts)/seeds?/|(?:^|/)(?:seeds?|seeders?|seeding|fixtures?)(?:/|[-_.][\w-]*\.?\w*$)", re.IGNORECASE
)
"""What fills a database for development: its tokens open nothing."""
_HANDLES = re.compile(
    r"password|passwd|\bjwt\b|token|crypto|hashlib|bcrypt|argon2|hmac|cipher|fernet|\botp\b|session|remember", re.IGNORECASE
)


@check(ITEM, needs=(SYNTAX, PROJECT, TEXTS), corroborating=(BANDIT,))
def crypto_sound(syntax: Syntax, project: Project, texts: dict[str, str], bandit: ToolHits) -> Judgement:
    """Read what is done with passwords, tokens, hashes and ciphers."""
    files = [facts for facts in syntax.of(project.production) if not _SEEDS.search(facts.path)]
    if not any(_HANDLES.search(texts.get(facts.path, "")) for facts in files):
        return NotApplicable("The code handles no passwords, tokens or encryption.")
    failing: list[Finding] = []
    partial: list[Finding] = [
        Finding(hit.rule, hit.path, hit.message, hit.line, hit.end_line, hit.confidence, "bandit", hit.cwe)
        for hit in bandit.of(ITEM)
        if hit.path in project.production
    ]
    reported = {(finding.path, finding.line) for finding in partial}
    drawn, broken = makers(files)
    sound: list[Place] = []
    for facts in files:
        if _PROTOCOL.search(texts.get(facts.path, "")):
            continue
        server = project.on_server(facts.path)
        weak = [*predictable(facts, drawn, server=server), *hashed(facts, texts.get(facts.path, ""), broken, server=server)]
        failing += [finding for finding in weak if finding.rule != BROKEN]
        partial += [finding for finding in weak if finding.rule == BROKEN]
        partial += [finding for finding in cipher_faults(facts) if (finding.path, finding.line) not in reported]
        sound += [Place(facts.path, call.line) for call in facts.calls if _SLOW.search(call.callee)]
        failing += fast_hashers(facts)
        if server:
            failing += [*_compared(facts, texts.get(facts.path, "")), *plain_passwords(facts)]
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


def _compared(facts: FileFacts, text: str) -> Iterator[Finding]:
    """A stored password compared with the one that was typed: it is stored as plain text."""
    if not _PASSWORD.search(text):
        return
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        if _CHANGED.search(line) and _HASHED_NEXT.search("\n".join(lines[number : number + _NEXT_LINES])):
            continue  # whether a form sends the stored hash back, or a new password that is hashed now
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
