"""Which names mean a secret: `DB_PASSWORD`, `stripeSecretKey`, `auth-token`, and which only sound like it: `passwordField`, `token_url`, `primary_key`."""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache


class NameKind(Enum):
    """What a value under the name would be."""

    PASSWORD = "password"  # noqa: S105 - a kind, no password
    SIGNING = "signing-key"
    KEY = "api-key"


def _set(words: str, separator: str = " ") -> frozenset[str]:
    return frozenset(words.split(separator))


_QUALIFIERS = _set(
    "prod production dev development test testing staging stage local live default value val str string literal raw plain b64 base64 v1 v2 main primary secondary old new backup env 1 2 3"
)
_PASSWORDS = _set("password passwd passwords passphrase pwd passcode kennwort passwort contrasena senha pw pswd psk")
_SIGNING_PAIRS = frozenset(
    [
        "or key",
        "secret key",
        "signing key",
        "signature key",
        "session secret",
        "session key",
        "cookie secret",
        "cookie key",
        "jwt secret",
        "jwt key",
        "token secret",
        "app secret",
        "app key",
        "encryption key",
        "encrypt key",
        "hmac key",
        "hmac secret",
        "csrf secret",
        "auth secret",
        "nextauth secret",
        "hash key",
        "cipher key",
        "aes key",
        "private key",
        "salt key",
        "security key",
        "crypto key",
        "flask secret",
        "django secret",
        "access secret",
        "refresh secret",
        "signing secret",
        "base secret",
        "key base",
        "master key",
    ]
)
_KEY_PAIRS = frozenset(
    [
        "api key",
        "api secret",
        "api token",
        "access key",
        "access token",
        "auth token",
        "auth key",
        "bearer token",
        "refresh token",
        "client secret",
        "consumer secret",
        "service key",
        "role key",
        "admin key",
        "account key",
        "webhook secret",
        "bot token",
        "server key",
        "subscription key",
        "shared key",
        "preshared key",
        "shared secret",
        "deploy key",
        "deploy token",
        "write key",
        "personal token",
        "id token",
        "session token",
        "secret token",
        "function key",
        "rest key",
        "license key",
        "integration key",
        "user key",
        "user token",
        "token key",
        "oauth secret",
        "oauth token",
        "project key",
    ]
)
_PUBLIC_PAIRS = frozenset(["verification key", "verifying key", "verify key", "validation key"])
"""What others check a signature or an ownership with is handed out."""
_KEY_WORDS = _set("apikey apitoken authtoken accesstoken secretkey apisecret clientsecret accesskey authkey servicekey pat bearer")
_SIGNING_WORDS = _set("jwtsecret sessionsecret cookiesecret signingkey encryptionkey secretkeybase")
_PUBLIC = _set(
    "public publishable anon site pk recaptcha vapidpublic csrf xsrf cancel cancellation abort next page continuation cursor design css syntax tokenizer lexer parser word bos eos pad unk mask stop start end max min num total prompt completion usage cached input output"
)
_OTHER_PASSES = _set("by for full season boarding first second single multi render verdict result outcome status test to must ci checks")
"""Words before "pass" that speak of a ticket, a test or a run."""
_RUN_TOGETHER = re.compile(
    r"(?!(?:no|non|not|forgot|forgotten|reset|show|hide|toggle|has|have|is|need|needs|require|requires|check|verify|valid|validate|invalid|wrong|weak|strong|one|1|bit|last|text|input|change|update|set|get)pass)[a-z0-9]{1,20}(?:password|passwd|passphrase)"
    r"|(?:db|user|root|admin|bind|ldap|smtp|mail|email|imap|pop3?|ftp|sftp|ssh|sudo|sql|mysql|pgsql|pg|postgres|mongo|redis|rpc|rcon|http|proxy|sasl|auth|become|ssl|key|store|wifi|wlan|remote|site|vpn|irc|nick|serv|server|sys|svn|git)(?:pass|pwd|pw)"
)
"""Passwords of old settings files that are written in one word: `dbpasswd`, `userpassword`, `bindpw`, `rootpw`."""
_SPLIT = re.compile(r"[^A-Za-z0-9]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def words_of(name: str) -> list[str]:
    """The words of an identifier in lower case: camel case, snake case, kebab case and dots taken apart."""
    return [word.lower() for part in _SPLIT.split(name) for word in _CAMEL.split(part) if word]


@lru_cache(maxsize=20_000)
def kind_of_name(name: str, *, settings: bool = False) -> NameKind | None:
    """What kind of secret a value under `name` is, None when the name says nothing of the sort.

    `settings`: the name stands in a settings file, where a bare `..._KEY` or `..._TOKEN` is a key as well.
    """
    words = words_of(name)
    while len(words) > 1 and words[-1] in _QUALIFIERS:
        words.pop()
    if not words or len(name) > 100:
        return None
    last, pair = words[-1], " ".join(words[-2:])
    passes = last == "pass" and len(words) > 1 and words[-2] not in _OTHER_PASSES
    if passes or last in _PASSWORDS or _RUN_TOGETHER.fullmatch(last):
        if pair in {"one password", "one passwords", "1 password"}:
            return None  # a product
        return NameKind.PASSWORD if last != "pw" or len(words) > 1 else None
    if _PUBLIC.intersection(words) or pair in _PUBLIC_PAIRS:
        return None
    if pair in _SIGNING_PAIRS or last in _SIGNING_WORDS:
        return (
            NameKind.KEY
            if pair == "secret key" and {"aws", "stripe", "s3", "paypal", "access", "razorpay", "minio"}.intersection(words)
            else NameKind.SIGNING
        )
    if pair in _KEY_PAIRS or last in _KEY_WORDS:
        return NameKind.KEY
    if last == "secret":
        return NameKind.SIGNING if len(words) == 1 else NameKind.KEY
    if last == "token" or (settings and last in {"key", "credentials", "credential", "dsn"} and "id" not in words):
        return NameKind.KEY
    return None
