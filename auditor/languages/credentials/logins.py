"""Files that hold one login a line: .netrc, .pgpass, .git-credentials, password files of servers, secrets of tunnels and dial-up lines."""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.languages.credentials.match import Match, Strength
from auditor.languages.credentials.placed import placed

CRYPT = r"(?:\$(?:1|5|6|7|y|gy|apr1|2[abxy])\$[^\s:\"',;]{20,200}|\$argon2(?:id|i|d)\$[^\s:\"';]{30,300}|\{(?:SSHA\d*|SHA\d*|SMD5|MD5|CRYPT|BLF-CRYPT|ARGON2\w*|PBKDF2\w*)\}[^\s:\"']{16,300}|\$[PH]\$[A-Za-z0-9./]{31})"
"""Hashes in the modular crypt format and in that of LDAP: the beginning names the function."""
_HASH_LINE = re.compile(rf"^[ \t]*[\w.@+-]{{1,80}}:({CRYPT})(?=[\s:]|$)", re.MULTILINE)
_OLD_HASH = re.compile(r"^[\w.@-]{1,80}:([./0-9A-Za-z]{13})$", re.MULTILINE)
_DIGEST = re.compile(r"^[\w.@-]{1,80}:[^:\n]{1,120}:([0-9a-f]{32})$", re.MULTILINE)
_SAMBA = re.compile(r"^[\w.@$-]{1,80}:\d+:[0-9A-FX]{32}:([0-9A-F]{32}):\[", re.MULTILINE)
_PLAIN = re.compile(r"^[\w.@-]{1,80}:\{(?:PLAIN|CLEARTEXT|CLEAR)\}([^\s:]{3,100})", re.MULTILINE)

_NETRC = re.compile(
    r"(?:machine\s+(?P<host>\S{1,200})|default)\s+(?:(?:login|account|port)\s+\S{1,200}\s+){0,3}password\s+[\"']?(?P<value>[^\s\"']{3,200})"
)
_PGPASS = re.compile(
    r"^(?P<host>(?:[^:#\s\\]|\\.){1,200}):(?:\d+|\*):(?:[^:\s\\]|\\.){1,100}:(?:[^:\s\\]|\\.){1,100}:(?P<value>\S{3,200})$", re.MULTILINE
)
_GIT = re.compile(r"^[a-z][a-z+]{2,12}://(?:[^\s:/]{0,200}):(?P<value>\S{1,300})@(?P<host>[\w.-]{1,200})(?::\d+)?(?:/\S*)?$", re.MULTILINE)
_RELAY = re.compile(r"^(?P<host>\[?[\w.-]{1,200}\]?(?::[\w-]{1,10})?)[ \t]+[^\s:]{1,200}:(?P<value>\S{3,200})$", re.MULTILINE)
_EXIM = re.compile(r"^(?P<host>[\w.*-]{1,200}):[^\s:#]{1,200}:(?P<value>\S{3,200})$", re.MULTILINE)
_DIAL_UP = re.compile(
    r"^[ \t]*(?:\"[^\"\n]{1,100}\"|[^\s\"#]{1,100})[ \t]+(?:\"[^\"\n]{1,100}\"|[^\s\"]{1,100})[ \t]+(?:\"(?P<quoted>[^\"\n]{3,100})\"|(?P<value>[^\s\"]{3,100}))",
    re.MULTILINE,
)
_TUNNEL = re.compile(r":[ \t]*(?:PSK|XAUTH|EAP|NTLM)[ \t]+\"(?P<value>[^\"\n]{3,200})\"")
_PAIR = re.compile(r"^(?:[^\s:#]{1,100}:){1,2}(?P<value>[^\s:]{3,200})$", re.MULTILINE)
_QUOTED_PAIR = re.compile(r"^\"[^\"\n]{1,100}\"[ \t]+\"(?P<value>[^\"\n]{3,300})\"", re.MULTILINE)
_CURL = re.compile(r"^[ \t]*-{0,2}(?:proxy-)?u(?:ser)?[ \t]*[=: \t][ \t]*\"?[^\s:\"]{1,100}:(?P<value>[^\s\"]{3,200})", re.MULTILINE)
_CVS = re.compile(r"^(?:/1[ \t]+)?:pserver:[^\s@]{1,100}@(?P<host>[^\s:]{1,200}):\S{1,200}[ \t]+(?P<value>A\S{3,100})$", re.MULTILINE)

LINES: tuple[tuple[re.Pattern[str], re.Pattern[str], str, str], ...] = (
    (re.compile(r"^[._]?(?:netrc|authinfo)$"), _NETRC, "it is a login of a .netrc file", "password"),
    (re.compile(r"^\.?pgpass(?:\.conf)?$"), _PGPASS, "it is a database login of a .pgpass file", "password"),
    (re.compile(r"^\.?git-credentials?(?:-store)?$"), _GIT, "it is a login that git has kept", "url-password"),
    (re.compile(r"^(?:sasl|smtp|relay|generic)_?passw(?:d|ords?)$|^smtp_auth$"), _RELAY, "it is the login at a mail relay", "password"),
    (re.compile(r"^passwd\.client$"), _EXIM, "it is the login at a mail relay", "password"),
    (re.compile(r"^(?:chap|pap)-secrets$"), _DIAL_UP, "it is the secret of a dial-up line", "password"),
    (re.compile(r"^ipsec(?:\.[\w.-]+)?\.secrets$"), _TUNNEL, "it is the shared secret of a tunnel", "password"),
    (re.compile(r"^\.?rsyncd?\.secrets$|^\.?rsync_?pass(?:wd|word)?$"), _PAIR, "it is a login of an rsync server", "password"),
    (re.compile(r"^\.?passwd-s3fs$"), _PAIR, "it is the secret key of a bucket", "password"),
    (re.compile(r"^userlist\.txt$"), _QUOTED_PAIR, "it is a login of a database pooler", "password"),
    (re.compile(r"^[._]curlrc$"), _CURL, "it is a login of curl's settings", "password"),
    (re.compile(r"^\.cvspass$"), _CVS, "it is a login that CVS has kept, in a form that hides nothing", "password"),
)
"""(name of the file, form of its lines, what a login in it is, its kind)."""
_PASSWORD_FILE = re.compile(r"htpasswd|(?:^|[._-])g?shadow(?:$|[-._])|passwd|^\.?users?(?:\.(?:db|conf|list|txt))?$|^passwords?(?:\.txt)?$")
_DIGEST_FILE = re.compile(r"htdigest|^\.?digest")
_HASHED = "it is the password hash of a server's login, open to guessing"


def login_lines(name: str, text: str) -> Iterator[Match]:
    """The logins of a file with the (lower-case) `name`, if it is one that holds them by the line."""
    for pattern, line, reason, kind in LINES:
        if pattern.search(name):
            for found in line.finditer(text):
                yield from _login(found, reason, kind)
    if _PASSWORD_FILE.search(name):
        for pattern in (_OLD_HASH,) if "htpasswd" in name else ():
            yield from _hashes(pattern, text, Strength.FORMAT)
        for found in _PLAIN.finditer(text):
            if match := placed(found.span(1), found[1], "it is the password of a server's login"):
                yield match
    if _DIGEST_FILE.search(name):
        yield from _hashes(_DIGEST, text, Strength.FORMAT)


def hash_lines(name: str, text: str) -> Iterator[Match]:
    """`user:hash` at the beginning of a line, whatever the file is called; a file of passwords by name is sure to be one."""
    if ":$" in text or ":{" in text:
        yield from _hashes(_HASH_LINE, text, Strength.FORMAT if _PASSWORD_FILE.search(name) else Strength.NAMED)
    if ":[" in text:
        yield from _hashes(_SAMBA, text, Strength.FORMAT)


def _login(found: re.Match[str], reason: str, kind: str) -> Iterator[Match]:
    groups = found.groupdict()
    part = "quoted" if groups.get("quoted") else "value"
    host = (groups.get("host") or "").strip("[]")
    if match := placed(found.span(part), found[part], reason, kind, host="" if host == "*" else host):
        yield match


def _hashes(pattern: re.Pattern[str], text: str, strength: Strength) -> Iterator[Match]:
    for found in pattern.finditer(text):
        if len(set(found[1])) > 6:
            yield Match("password-hash", found.start(1), found.end(1), found[1], strength, _HASHED)
