"""Credentials in files with a layout of their own: Kubernetes secrets, .netrc, .pgpass, .npmrc, .htpasswd, WordPress settings, container environments."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath

from auditor.languages.credentials.connections import is_local
from auditor.languages.credentials.match import Match, Strength
from auditor.placeholders import is_common, is_placeholder, is_reference, is_stand_in, looks_random
from auditor.secret_names import kind_of_name

_SECRET_OBJECT = re.compile(r"^kind:[ \t]*[\"']?Secret[\"']?[ \t]*$", re.MULTILINE)
_ENTRY = re.compile(r"^([ \t]+)([\w.-]{1,100}):[ \t]*[\"']?([^\s\"'#]{4,4000})[\"']?[ \t]*(?:#.*)?$")
_NAME_VALUE = re.compile(
    r"^[ \t]*-?[ \t]*name:[ \t]*[\"']?([\w.-]{2,100})[\"']?[ \t]*\n[ \t]+value:[ \t]*[\"']?([^\s\"'#][^\n\"']{2,300})[\"']?[ \t]*$",
    re.MULTILINE,
)
_NETRC = re.compile(r"machine\s+(\S{1,200})\s+login\s+\S{1,200}\s+password\s+(\S{3,200})")
_PGPASS = re.compile(r"^([^:#\s]{1,200}):(?:\d+|\*):[^:\s]{1,100}:[^:\s]{1,100}:(\S{3,200})$", re.MULTILINE)
_NPMRC = re.compile(r"^[^#;\n]{0,200}?(?:_authToken|_password|_auth)\s*=\s*[\"']?([^\s\"'#]{8,400})", re.MULTILINE)
_HTPASSWD = re.compile(r"^[\w.@-]{1,80}:(\$2[aby]\$\S{40,80}|\$apr1\$\S{20,60}|\{SHA\}\S{20,40}|\$[56]\$\S{20,200})$", re.MULTILINE)
_WORDPRESS = re.compile(r"define\(\s*['\"]((?:SECURE_|LOGGED_IN_|NONCE_)?(?:AUTH_)?(?:KEY|SALT))['\"]\s*,\s*'([^'\n]{32,120})'")
_SCRIPT_LENGTH = 1_000_000
_CURL = re.compile(r"\bcurl\b[^\n]{0,300}?\s(?:-u|--user)[ =]?[\"']?[\w.@-]{1,80}:([^\s\"'$<>{}]{6,120})")


def layout_matches(path: str, text: str) -> Iterator[Match]:
    """Values that only the layout of the file at `path` shows to be secrets."""
    name = PurePosixPath(path).name.lower()
    for pattern, reader in _BY_NAME:
        if pattern.search(name):
            yield from reader(text)
    if name.endswith((".yml", ".yaml", ".tpl", ".tf")):
        if "Secret" in text:
            yield from _kubernetes_secrets(text)
        if "value:" in text:
            yield from _name_value_pairs(text)
    if "curl" in text and (" -u" in text or "--user" in text):
        yield from _request_users(text)


def _kubernetes_secrets(text: str) -> Iterator[Match]:
    position = 0
    for document in text.split("\n---"):
        if _SECRET_OBJECT.search(document):
            yield from _secret_entries(document, position)
        position += len(document) + 4


def _secret_entries(document: str, position: int) -> Iterator[Match]:
    mode = ""
    for line in document.split("\n"):
        if not line.startswith((" ", "\t")) and ":" in line:
            mode = line.split(":")[0].strip()
        found = _ENTRY.match(line) if mode in {"data", "stringData"} else None
        if found:
            value = _plain(found[3]) if mode == "data" else found[3]
            match = _entry_match(found, value, position)
            if match:
                yield match
        position += len(line) + 1


def _plain(encoded: str) -> str:
    try:
        return base64.b64decode(encoded, validate=True).decode("utf-8").strip()
    except (binascii.Error, ValueError):
        return ""


def _entry_match(found: re.Match[str], value: str, position: int) -> Match | None:
    if not value or is_reference(value) or is_stand_in(value) or not re.search(r"\d|[A-Za-z]", value):
        return None
    if kind_of_name(found[2], settings=True) is None and not ("://" in value and "@" in value):
        return None
    start, end = found.start(3) + position, found.end(3) + position
    if is_common(value) or is_placeholder(value):
        return Match("password", start, end, found[3], Strength.WEAK, "it is a well-known value in a Kubernetes secret", local=True)
    strength = Strength.NAMED if looks_random(value) or "://" in value else Strength.HUMAN
    return Match("kubernetes-secret", start, end, found[3], strength, "it is a value of a Kubernetes secret", signing=False)


def _name_value_pairs(text: str) -> Iterator[Match]:
    for found in _NAME_VALUE.finditer(text):
        kind, value = kind_of_name(found[1], settings=True), found[2].strip()
        if kind is None or is_reference(value) or is_stand_in(value) or "://" in value:
            continue
        weak = is_common(value) or is_placeholder(value) or not looks_random(value)
        reason = "it is set in the environment of a container"
        yield Match(kind.value, found.start(2), found.end(2), found[2], Strength.WEAK if weak else Strength.NAMED, reason)


def _request_users(text: str) -> Iterator[Match]:
    for found in _CURL.finditer(text[:_SCRIPT_LENGTH]):
        if not is_placeholder(found[1]) and not is_common(found[1]) and re.search(r"\d", found[1]):
            yield Match("basic-auth", found.start(1), found.end(1), found[1], Strength.HUMAN, "it is a password on a command line")


def _netrc(text: str) -> Iterator[Match]:
    for found in _NETRC.finditer(text):
        if not is_placeholder(found[2]):
            yield Match(
                "password",
                found.start(2),
                found.end(2),
                found[2],
                Strength.FORMAT,
                "it is a login of a .netrc file",
                local=is_local(found[1]),
            )


def _pgpass(text: str) -> Iterator[Match]:
    for found in _PGPASS.finditer(text):
        if not is_placeholder(found[2]):
            yield Match(
                "password",
                found.start(2),
                found.end(2),
                found[2],
                Strength.FORMAT,
                "it is a database login of a .pgpass file",
                local=is_local(found[1]),
            )


def _npmrc(text: str) -> Iterator[Match]:
    for found in _NPMRC.finditer(text):
        if not is_placeholder(found[1]):
            yield Match("npm-token", found.start(1), found.end(1), found[1], Strength.FORMAT, "it is a registry token of an .npmrc file")


def _htpasswd(text: str) -> Iterator[Match]:
    for found in _HTPASSWD.finditer(text):
        yield Match(
            "password-hash",
            found.start(1),
            found.end(1),
            found[1],
            Strength.FORMAT,
            "it is the password hash of a web server login, open to guessing",
        )


def _wordpress(text: str) -> Iterator[Match]:
    for found in _WORDPRESS.finditer(text):
        if not is_placeholder(found[2]) and len(set(found[2])) > 12:
            yield Match(
                "signing-key",
                found.start(2),
                found.end(2),
                found[2],
                Strength.NAMED,
                "it is a key that WordPress signs logins with",
                signing=True,
            )


_BY_NAME: tuple[tuple[re.Pattern[str], Callable[[str], Iterator[Match]]], ...] = (
    (re.compile(r"^[._]netrc$"), _netrc),
    (re.compile(r"^\.?pgpass(?:\.conf)?$"), _pgpass),
    (re.compile(r"^\.?npmrc$"), _npmrc),
    (re.compile(r"htpasswd"), _htpasswd),
    (re.compile(r"^wp-config.*\.php$"), _wordpress),
)
