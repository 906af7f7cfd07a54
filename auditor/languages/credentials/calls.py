"""Logins in code and on command lines that no name tells: arguments of a login or of a connection, options of clients."""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.languages.credentials.connections import is_local
from auditor.languages.credentials.match import Match, Strength
from auditor.placeholders import is_common, is_placeholder, is_reference, is_stand_in, looks_random

_LOGIN = re.compile(
    r"(?<![A-Za-z0-9_])(?P<call>login|logIn|log_in|authenticate|auth|HTTPBasicAuth|HTTPDigestAuth|HTTPProxyAuth|signIn|sign_in|signInWithPassword|signInWithEmailAndPassword|basicAuth|basic_auth|setCredentials|UsernamePasswordCredentials|PasswordAuthentication|NetworkCredential)(?:\(|\s{0,3}=\s{0,3}\()\s{0,40}(?P<q>[\"'])(?P<user>[^\"'\s]{2,100})(?P=q)\s{0,40},\s{0,40}(?P<r>[\"'])(?P<value>[^\"'\s]{4,100})(?P=r)"
)
_CONNECT = re.compile(
    r"\b(?P<call>mysqli?_connect|mysql_pconnect|new\s+mysqli|new\s+PDO|PDO|mysqli_real_connect|getConnection|FTP|FTP_TLS|ftp_login|imap_open|odbc_connect|oci_connect|sqlsrv_connect|ssh2_auth_password|ldap_bind)\s{0,3}\((?P<arguments>[^()\n;]{0,300}?),\s{0,10}(?P<q>[\"'])(?P<user>[^\"'\s]{1,100})(?P=q)\s{0,10},\s{0,10}(?P<r>[\"'])(?P<value>[^\"'\s]{3,100})(?P=r)"
)
_HOST = re.compile(r"[\"'](?:[\w:]{2,20}host=|jdbc:\w+://)?([\w.-]{3,100})")
_CURL = re.compile(r"\bcurl\b[^\n]{0,300}?\s(?:-u|--user)[ =]?[\"']?[\w.@-]{1,80}:(?P<value>[^\s\"'$<>{}]{6,120})")
_VALUE = r"[\"']?(?P<value>[^\s\"'$<>{}|;&-][^\s\"'$<>{}|;&]{5,120})"
_CLIENTS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (word, re.compile(rf"\b{command}\b[^\n|;&]{{0,300}}?\s(?:{option}){_VALUE}"))
    for word, command, option in (
        ("mysql", r"mysql(?:dump|admin|import)?", r"-p|--password="),
        ("mariadb", r"mariadb(?:-dump|-admin)?", r"-p|--password="),
        ("mongo", r"mongo(?:sh|dump|restore|import|export)?", r"-p ?|--password[ =]"),
        ("sshpass", r"sshpass", r"-p ?"),
        ("sqlcmd", r"sqlcmd", r"-P ?"),
        ("ldap", r"ldap(?:search|add|modify|whoami)", r"-w ?"),
        ("redis-cli", r"redis-cli", r"-a ?|--pass "),
        ("smbclient", r"smbclient", r"-U ?[\w.\\-]{1,60}%"),
        ("wget", r"wget", r"--(?:http-|ftp-)?password="),
        (" login", r"(?:docker|podman|helm registry|az|oc|cf|heroku|skopeo) login", r"-p[ =]?|--password[ =]"),
        ("rdp", r"[wx]freerdp", r"/p:"),
    )
)
"""Clients that take a password on the command line, each with its own option for it."""
_LOGIN_WORDS = (
    "login(",
    "logIn(",
    "log_in(",
    "authenticate(",
    "auth(",
    "auth=(",
    "auth = (",
    "Auth(",
    "_auth(",
    "Password(",
    "signIn(",
    "sign_in(",
    "Credentials(",
    "Credential(",
    "PasswordAuthentication(",
)
_CONNECT_WORDS = ("_connect", "_pconnect", "mysqli", "PDO", "getConnection", "FTP", "ftp_login", "imap_open", "ldap_bind", "ssh2_auth")
_USER = re.compile(
    r"^[\w.+-]+@[\w-]+\.[\w.]+$|^(?:root|admin|administrator|sa|postgres|dbo|system|service|deploy|ubuntu|user|guest|anonymous)$",
    re.IGNORECASE,
)
_NO_PASSWORD = re.compile(
    r"^[/.#]|^\w+://|[(){}<>\[\]]|^[A-Z][A-Z_]+$|^(?:GET|POST|popup|redirect|local|jwt|session|google|github|facebook|oauth2?)$"
)
_LENGTH = 1_000_000


def call_matches(text: str) -> Iterator[Match]:
    """Passwords among the arguments of calls and commands."""
    body = text[:_LENGTH]
    if any(word in body for word in _LOGIN_WORDS):
        for found in _LOGIN.finditer(body):
            yield from _argument(found, "it is the password in a call that logs in", host="")
    if any(word in body for word in _CONNECT_WORDS):
        for found in _CONNECT.finditer(body):
            host = _HOST.search(found["arguments"])
            yield from _argument(found, "it is the password in a call that connects", host=host[1] if host else "")
    if "curl" in body and (" -u" in body or "--user" in body):
        yield from _command(_CURL, body)
    for word, pattern in _CLIENTS:
        if word in body:
            yield from _command(pattern, body)


def _argument(found: re.Match[str], reason: str, host: str) -> Iterator[Match]:
    user, value = found["user"], found["value"]
    if (
        is_reference(value)
        or is_stand_in(value)
        or is_reference(user)
        or _NO_PASSWORD.search(value)
        or value == user
        or user.lower() in {"anonymous", "ftp"}
    ):
        return
    if is_common(value) or is_placeholder(value):
        return  # also what every introduction shows
    if len(value) < 6 or not re.search(r"[\d!@#$%^&*?+=]", value):
        if _USER.match(user):
            yield Match("password", *found.span("value"), value, Strength.WEAK, f"{reason}, made of plain words", local=True)
        return
    strength = Strength.NAMED if looks_random(value) else Strength.HUMAN
    yield Match("password", *found.span("value"), value, strength, reason, local=bool(host) and is_local(host))


def _command(pattern: re.Pattern[str], text: str) -> Iterator[Match]:
    for found in pattern.finditer(text):
        value = found["value"]
        if (
            not is_placeholder(value)
            and not is_common(value)
            and not is_reference(value)
            and re.search(r"\d", value)
            and not _NO_PASSWORD.search(value)
            and not re.fullmatch(r"[\d:.]+(?:/\w+)?", value)
        ):
            yield Match("basic-auth", *found.span("value"), value, Strength.HUMAN, "it is a password on a command line")
