"""Judges a value that stands where the layout of a file leaves no doubt that it is a password or a key."""

from __future__ import annotations

import base64
import binascii

from auditor.languages.credentials.connections import is_local
from auditor.languages.credentials.match import Match, Strength
from auditor.placeholders import is_common, is_monotonous, is_placeholder, is_reference, is_stand_in, looks_random

_SWITCHES = frozenset({"true", "false", "yes", "no", "on", "off", "none", "null", "nil", "undefined", "required", "ask", "prompt"})


def placed(span: tuple[int, int], value: str, reason: str, kind: str = "password", host: str = "") -> Match | None:
    """The match of `value` at `span`; None for an empty value, a switch or one that is to be filled in. `host`: where it opens something, "" when unknown."""
    if len(value) < 3 or value.lower() in _SWITCHES or is_reference(value) or is_stand_in(value):
        return None
    if is_common(value):
        return Match(kind, *span, value, Strength.WEAK, f"{reason}, and one that everybody tries first", local=True)
    if is_monotonous(value) and len(value) > 3:
        return None
    if is_placeholder(value):
        return Match(kind, *span, value, Strength.WEAK, f"{reason}, with words of an example in it", local=True)
    strength = Strength.FORMAT if looks_random(value) else Strength.PLACED
    return Match(kind, *span, value, strength, reason, local=bool(host) and is_local(host))


def decoded(value: str) -> str:
    """The text behind base 64, "" when there is none."""
    try:
        return base64.b64decode(value + "=" * (-len(value) % 4), validate=True).decode("utf-8").strip()
    except (binascii.Error, ValueError):
        return ""


def password_of_pair(encoded: str) -> str:
    """The password in the base 64 of "user:password"; "" when it is no such pair."""
    user, separator, password = decoded(encoded).partition(":")
    return password if user and separator else ""
