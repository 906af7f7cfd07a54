"""Tokens that say what they are for and until when: JSON web tokens and the shared access signatures of Azure storage."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
import re
from collections.abc import Iterator
from itertools import islice
from urllib.parse import unquote

from auditor.languages.credentials.match import Match, Strength
from auditor.placeholders import entropy, is_placeholder

_JWT = re.compile(r"(?<![A-Za-z0-9_-])(eyJ[A-Za-z0-9_-]{8,2000})\.(eyJ[A-Za-z0-9_-]{8,6000})\.([A-Za-z0-9_-]{16,1500})(?![A-Za-z0-9_-])")
_SHARED_ACCESS = re.compile(
    r"\bs[vpe]=[^&\s\"'<>]{1,80}(?:&(?:amp;)?\w{2,6}=[^&\s\"'<>]{0,120}){2,14}?&(?:amp;)?sig=([A-Za-z0-9%+/_-]{40,70}=?)"
)
_EXPIRY = re.compile(r"\bse=(\d{4}-[^&\s]{4,40})")
_RIGHTS = re.compile(r"\bsp=([a-z]{1,12})")
_BLOCKS = 500
_SAMPLE_SUBJECTS = {"1234567890", "John Doe", "user", "test", "test@example.com", "0", "1"}
_LOCAL_ISSUERS = {"supabase-demo"}


def depends_on_day(text: str) -> bool:
    """Whether what is found in the text depends on the day it is looked at: something in it may run out."""
    return "eyJ" in text or "sig=" in text


def token_matches(text: str, today: int) -> Iterator[Match]:
    """JSON web tokens; `today` in seconds since the epoch decides what has run out."""
    if "eyJ" not in text:
        return
    for found in islice(_JWT.finditer(text), 10 * _BLOCKS):
        header, payload = _decoded(found[1]), _decoded(found[2])
        if not isinstance(header, dict) or not isinstance(payload, dict) or "alg" not in header:
            continue
        if entropy(found[3]) < 3.0 or is_placeholder(found[3]):
            continue
        yield _token_match(found, payload, today)


def _token_match(found: re.Match[str], payload: dict[str, object], today: int) -> Match:
    role, issuer = str(payload.get("role", "")), str(payload.get("iss", ""))
    local = issuer in _LOCAL_ISSUERS
    kind, strength, public, reason = "jwt", Strength.FORMAT, False, "it is a signed token"
    if issuer.startswith("supabase") or payload.get("ref"):
        strength = Strength.PROVEN
        if role == "service_role":
            kind, reason = "jwt-service-role", "its payload says role service_role: it passes by every row policy"
        elif role == "anon":
            kind, public, reason = "jwt-anon", True, "its payload says role anon, which is meant for the browser"
        if local:
            reason = "it is the key every local Supabase installation has"
    expiry = payload.get("exp")
    if isinstance(expiry, int | float) and expiry < today:
        strength, local, reason = Strength.WEAK, True, "it is a signed token that has run out"
    elif kind == "jwt" and (
        str(payload.get("sub")) in _SAMPLE_SUBJECTS or str(payload.get("name")) in _SAMPLE_SUBJECTS or len(payload) < 2
    ):
        strength, local, reason = Strength.WEAK, True, "it is a sample token"
    return Match(kind, found.start(), found.end(), found[0], strength, reason, public=public, local=local)


def _decoded(part: str) -> object:
    try:
        return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return None


def signature_matches(text: str, today: int) -> Iterator[Match]:
    """Shared access signatures of Azure: an address with rights in it, good until the moment that stands beside the signature."""
    if "sig=" not in text:
        return
    for found in islice(_SHARED_ACCESS.finditer(text), _BLOCKS):
        expiry = _EXPIRY.search(found[0])
        gone = expiry is not None and _moment(unquote(expiry[1])) < today
        if is_placeholder(found[1]) or entropy(found[1]) < 3.5:
            continue
        rights = _RIGHTS.search(found[0])
        reads_only = rights is None or set(rights[1]) <= set("rl")
        strength = Strength.WEAK if gone else Strength.NAMED if reads_only else Strength.PROVEN
        reason = "it is a signed Azure address that has run out" if gone else "it is a signed Azure address: whoever has it has its rights"
        yield Match("azure-signature", found.start(1), found.end(1), found[1], strength, reason, local=gone)


def _moment(written: str) -> float:
    """Seconds since the epoch of a date in ISO 8601; infinity when it cannot be read."""
    try:
        moment = dt.datetime.fromisoformat(written)
    except ValueError:
        return float("inf")
    return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).timestamp()
