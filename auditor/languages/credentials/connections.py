"""Connection strings and addresses with a password in them, and whether the host is the developer's own machine or a private network."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from auditor.languages.credentials.match import Match, Strength
from auditor.placeholders import is_common, is_placeholder, is_reference, is_stand_in, looks_random

_URL = re.compile(
    r"(?<![A-Za-z0-9+.-])([A-Za-z][A-Za-z0-9+.-]{1,30})://([^\s:/@\"'<>`\\,;|(){}]{0,100}):([^\s/\"'<>`\\|,;]{1,200})@([A-Za-z0-9._-]{1,200}|\[[0-9a-fA-F:]{2,45}\]|\$\{?\w{1,60}\}?|\{\w{1,60}\}|<[\w -]{1,60}>)"
)
_ADO = re.compile(
    r"(?:Server|Data Source|Host|Addr|Address)\s*=\s*([^;\"'\n=]{1,200});[^\"'\n]{0,400}?(?:Password|Pwd)\s*=\s*([^;\"'\s]{1,200})",
    re.IGNORECASE,
)
_JDBC = re.compile(r"jdbc:[a-z0-9:]{2,40}//([^/\s\"']{1,200})/[^\s\"']{0,200}[?&;]password=([^&;\s\"']{1,200})", re.IGNORECASE)
_STORES = re.compile(r"^(?:postgres(?:ql)?|cockroachdb|mysql2?|mariadb|mongodb|rediss?|valkeys?|amqps?|mssql|sqlserver|oracle|clickhouse|nats|kafka|smtps?|ldaps?|ftps?|sftp|ssh|cloudinary|elasticsearch|neo4j|bolt|couchdb|cassandra|snowflake|libsql)(?:\+[\w.]+)*$", re.IGNORECASE)  # fmt: skip
_PROVIDERS = re.compile(r"(?:amazonaws\.com|supabase\.(?:co|com)|neon\.tech|mongodb\.net|azure\.com|windows\.net|render\.com|rlwy\.net|railway\.(?:app|internal)|upstash\.io|cloudamqp\.com|redislabs\.com|redis-cloud\.com|ondigitalocean\.com|aivencloud\.com|planetscale\.com|psdb\.cloud|elephantsql\.com|heroku\w*\.com|fly\.dev|cockroachlabs\.cloud|timescale\.com|tursodb\.com|clever-cloud\.com|gcp\.cloud|cloud\.com)$", re.IGNORECASE)  # fmt: skip
_PRIVATE_SUFFIX = re.compile(r"\.(?:local|localhost|localdomain|internal|test|example|invalid|lan|home|corp|svc|cluster\.local|docker)$|(?:^|\.)example\.(?:com|org|net|edu)$|(?:^|\.)(?:host|domain|server|yourdomain|mydomain|your-?\w*|myhost|company)\.(?:com|org|net|io)$", re.IGNORECASE)  # fmt: skip
_SAMPLE_NAME = re.compile(r"xxx|cluster0?\.mongodb|your|example|ep-cool|abc|project|host", re.IGNORECASE)
_INTERPOLATED = re.compile(r"^[$\{<\[%*]|\$\{|\{\{|#\{")
_SAMPLE_USERS = {
    "user",
    "username",
    "usr",
    "login",
    "foo",
    "u",
    "name",
    "myuser",
    "your_user",
    "dbuser",
    "db_user",
    "myusername",
    "your_username",
}
_SAMPLE_PASSWORDS = {
    "pass",
    "p",
    "pw",
    "pwd",
    "p4ss",
    "password",
    "mypassword",
    "my_password",
    "db_pass",
    "db_password",
    "dbpass",
    "secret",
}
_SAMPLE_HOSTS = {"host", "hostname", "server", "proxy", "proxyserver", "endpoint", "registry", "url", "address", "domain"}


@dataclass(frozen=True, slots=True)
class _Login:
    """A password at `span` of the text, with the user and the host it is for."""

    kind: str
    span: tuple[int, int]
    user: str
    password: str
    host: str


def connection_matches(text: str) -> Iterator[Match]:
    """Addresses of the form scheme://user:password@host and keyword connection strings."""
    for login in _logins(text):
        match = _weighed(login)
        if match:
            yield match


def _logins(text: str) -> Iterator[_Login]:
    if "@" in text and "://" in text:
        for found in _URL.finditer(text):
            kind = _kind_of_scheme(found[1])
            if kind:
                yield _Login(kind, found.span(3), found[2], unquote(found[3]), found[4])
    if any(word in text for word in ("assword=", "ASSWORD=", "assword =", "wd=", "WD=")):
        for pattern in (_ADO, _JDBC):
            for found in pattern.finditer(text):
                yield _Login("connection-string", found.span(2), "", found[2], found[1].split(",", maxsplit=1)[0])


def _kind_of_scheme(scheme: str) -> str:
    """A store's scheme, that of another service, or one that takes no password ("")."""
    scheme = scheme.lower().split("+", maxsplit=1)[0]
    if _STORES.match(scheme):
        return "connection-string"
    return "url-password" if scheme in {"http", "https", "git", "wss", "ws", "socks5", "rtsp", "rtmp", "svn"} else ""


def _weighed(login: _Login) -> Match | None:
    password, host = login.password, login.host
    filler = is_placeholder(password) or is_common(password)
    if _INTERPOLATED.search(password) or is_stand_in(password):
        return None
    if login.user.lower() in _SAMPLE_USERS and (filler or password.lower() in _SAMPLE_PASSWORDS):
        return None
    if is_reference(host) or host.startswith(("$", "{", "<")):
        return None if filler else _match(login, Strength.HUMAN, "it is a password inside an address", local=True)
    if host.lower() in _SAMPLE_HOSTS and filler:
        return None
    if is_local(host) and not (looks_random(password) and "." in host and not _is_this_machine(host)):
        where = "this machine" if _is_this_machine(host) else "a host of a private network"
        return _match(login, Strength.WEAK, f"it is a password for {where}", local=True) if login.kind == "connection-string" else None
    own_database = (
        bool(_PROVIDERS.search(host))
        and host.count(".") >= 3
        and password.lower() not in _SAMPLE_PASSWORDS
        and not _SAMPLE_NAME.search(host)
    )
    if (filler or password == login.user) and not (own_database and is_common(password)):
        return None
    strength = Strength.PROVEN if _PROVIDERS.search(host) else Strength.FORMAT
    return _match(login, strength, "it is a password in the address of a server")


def _match(login: _Login, strength: Strength, reason: str, *, local: bool = False) -> Match:
    return Match(login.kind, *login.span, login.password, strength, reason, local=local)


def _is_this_machine(host: str) -> bool:
    return host.lower() == "localhost" or host.startswith(("127.", "[::1", "0.0.0.0"))  # noqa: S104 - compared, not bound


def is_local(host: str) -> bool:
    """Whether a host name only means something on one machine or inside a private network (names without a dot are services of a compose file)."""
    name = host.strip("[]").split(":")[0] if host.count(":") == 1 else host.strip("[]")
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return "." not in name or bool(_PRIVATE_SUFFIX.search(name))
    return address.is_private or address.is_loopback or address.is_unspecified
