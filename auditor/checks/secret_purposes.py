"""Which names say that a value must not be guessed or forged: session ids, reset codes, one-time passwords, keys; and which only sound like it."""

from __future__ import annotations

import re

from auditor.secret_names import words_of

_SECRET = re.compile(
    r"\b(?:otp|totp|one time (?:code|password|pin)|secret|passw(?:or)?d|passwd|pwd|passphrase|passcode|senha|csrf|xsrf|jwt|api ?key|remember(?: me)?(?: token)?|sessionid"
    r"|(?:session|sess) (?:id|key|token|secret)|(?:reset|verif\w*|confirm\w*|activation|access|auth|authentication|authori[sz]ation|login|signin|security|recovery|backup|invit\w*|2fa|mfa|two factor|magic|password|passwd|forgot \w+)"
    r" (?:code|key|pin|link|hash|token|string)|code verifier|pkce verifier|(?:crypto|encryption|encrypt|signing|private|secret|aes|cipher|master|hmac|bearer|refresh|api|id|user|account|device|unsubscribe|share|download|webhook)"
    r" (?:key|token|secret)|license key|licence key)\b"
)
_BARE = re.compile(r"(?:^|\b(?:get|gen|generate|make|new|create|my|the|random|unique|\w+) )(?:token|sid|auth)$")
_SALT = re.compile(r"\b(?:salt|nonce|iv|initiali[sz]ation vector)$")
_NO_SECRET = re.compile(
    r"\btokens\b|\btoken (?:count|limit|usage|used|color|colour|length|ids?|type|types|index|idx|name|size|budget|price|cost|address|symbol|amount|balance|weight|probs?|logits?|embed\w*)\b"
    r"|\b(?:max|num|min|next|prev|prompt|completion|input|output|pad|eos|bos|mask|masked|unk|vocab|word|cancel|abort|design|css|lex\w*|page|continuation|total|sample|mock|fake|dummy|test|demo|example|placeholder|render|request"
    r"|stale|animation|upload|refresh count|request id|cache|etag|checksum|fingerprint|gravatar|avatar|color|colour|theme|strength|score|length|len|count|policy|visible|show|hide|error|field|label|hint|level|attempts?|age|expiry|expires"
    r"|expiration|ttl|delay|interval|jitter|timeout|date|time|at|nonce str)\b"
    r"|^nonces?tr"
)
_CONFIRMED = re.compile(r"\b(?:token|pin|code) (?:id|ids)$")


def is_secret_name(name: str, *, strict: bool = False) -> bool:
    """Whether a value under the name lets somebody in; `strict` leaves out bare `token` and `session_id`, which may only tell requests apart."""
    words = " ".join(words_of(name))
    if not words or len(name) > 100 or _NO_SECRET.search(words) or _CONFIRMED.search(words):
        return False
    if _SECRET.search(words):
        return not (
            strict and re.search(r"\b(?:session|sess) (?:id|key)\b|\bsessionid\b|\b(?:user|device|id|download|upload|share) token\b", words)
        )
    return not strict and bool(_BARE.search(words))


def is_password_name(name: str) -> bool:
    """Whether the value under a name is a password somebody types, or what is kept of it: `password`, `password_hash`, `hashedPassword`."""
    words = words_of(name)
    return (
        bool(
            re.search(
                r"\b(?:passw(?:or)?d|passwd|pwd|passphrase|senha|contrase[nñ]a|kennwort|passwort)(?: (?:hash|hashed|digest|enc\w*|md5|sha\w*|bytes|plain|raw))?$",
                " ".join(words),
            )
        )
        and not name.isupper()
        and not re.search(r"reset|token|secret|master key", " ".join(words))
    )


def is_salt_name(name: str) -> bool:
    """Whether the value must differ from one use to the next: salts, nonces and initialisation vectors."""
    words = " ".join(words_of(name))
    return bool(_SALT.search(words)) and "nonce str" not in words
