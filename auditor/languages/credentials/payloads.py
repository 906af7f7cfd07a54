"""Credentials that carry a structure to look into: JSON web tokens, private keys in PEM armour, service-account files."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator
from itertools import islice

from auditor.languages.credentials.match import Match, Strength
from auditor.placeholders import entropy, is_placeholder

_JWT = re.compile(r"(?<![A-Za-z0-9_-])(eyJ[A-Za-z0-9_-]{8,2000})\.(eyJ[A-Za-z0-9_-]{8,6000})\.([A-Za-z0-9_-]{16,1500})(?![A-Za-z0-9_-])")
_PEM = re.compile(r"-----BEGIN ((?:RSA |EC |DSA |OPENSSH |ENCRYPTED |PGP )?PRIVATE KEY(?: BLOCK)?)-----")
_PEM_HEADER = re.compile(r"\s*(?:(?:Proc-Type|DEK-Info|Version|Comment|Hash|Charset): [^\n]{0,200}\n\s*)*+")
_PEM_LINE = re.compile(r"[\s\"'`+,;.\\#*/|>-]{0,80}+(?:[A-Za-z0-9+/=]{16,})")
"""One line of the body with what a language puts round the pieces of a text (quotes, plus signs, line ends, comment marks)."""
_LONGEST_PEM = 12_000
_BLOCKS = 500
_SAMPLE_SUBJECTS = {"1234567890", "John Doe", "user", "test", "test@example.com", "0", "1"}
_LOCAL_ISSUERS = {"supabase-demo"}


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


def _material(body: str) -> str:
    """The encoded lines that follow the head of a key block without anything between; a placeholder or a search text has none."""
    body = body.replace("\\n", "\n").replace("\\r", "")
    position = _PEM_HEADER.match(body)
    lines, at = [], position.end() if position else 0
    while line := _PEM_LINE.match(body, at):
        lines.append(line[0].strip(" \t\r\n\"'`+,;.\\#*|>-"))
        at = line.end()
    return "".join(lines)


def key_matches(text: str) -> Iterator[Match]:
    """Private key blocks with a body; a service account's file is told by its neighbouring entries."""
    if "PRIVATE KEY" not in text:
        return
    for found in islice(_PEM.finditer(text), _BLOCKS):
        body = text[found.end() : found.end() + _LONGEST_PEM]
        end = body.find("-----END")
        body = body[:end] if end >= 0 else body[:4_000]
        material = _material(body)
        if len(material) < 90 or entropy(material) < 4.0:
            continue
        around = text[max(0, found.start() - 600) : found.start()]
        service = '"service_account"' in around or '"private_key_id"' in around
        kind = "gcp-service-account" if service else "private-key"
        encrypted = "ENCRYPTED" in found[1] or "ENCRYPTED" in body[:200]
        reason = "it is the private key of a Google service account" if service else "it is a complete private key block"
        if encrypted:
            reason = "it is a private key, locked with a pass phrase"
        strength = Strength.PROVEN if service else Strength.FORMAT
        yield Match(kind, found.start(), found.end(), found[0], strength, reason, local=encrypted, signing=not service)
