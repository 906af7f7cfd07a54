"""Values under a name that means a secret: assignments, settings, headers, query parameters, command-line options.

The name makes the case, the value has to bear it out: something that reads like a word, a path, a message or another identifier is no secret.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from enum import Enum

from auditor.languages.credentials.match import Match, Strength
from auditor.languages.credentials.placed import decoded
from auditor.placeholders import is_common, is_placeholder, is_reference, looks_random
from auditor.secret_names import NameKind, kind_of_name


class Style(Enum):
    """How values are written in the file."""

    CODE = "code"  # only quoted literals are values
    SETTINGS = "settings"  # bare values too
    DECLARED = "declared"  # settings in a programming language: quoted literals, of which weak ones count
    PROSE = "prose"  # documents: quoted literals, and NAME=value
    MARKUP = "markup"


_HIT = re.compile(
    r"p(?:ass(?:w|phrase|code|\b)|wd|w\b|sk\b)|secret|token|api[_-]?key|access[_-]?key|[_-]key\b|authorization|(?:signing|encryption|private|master|service|auth|jwt|role)[_-]?key|senha|contrasena|credential|_salt\b|identified by|[?&](?:key|appid)="
)
_ALONE = frozenset({"pass", "pw"})
"""Words that are part of a password's name only behind another one."""
_WORD_BEFORE = re.compile(r"[a-z0-9_-]")
_BEFORE, _AFTER = 200, 600
_WINDOWS = 8_000
"""Most places of one text that are looked at closely: a bound against texts that consist of names of secrets."""

_ASSIGNED = re.compile(
    r"""(?P<open>["'`]?)(?<![\w$.])(?P<name>[A-Za-z_$][\w$.-]{0,99}+)(?:(?P=open))\]?\)?
        \s{0,20}(?:!?:\s{0,5}[A-Za-z][\w\[\]., |<>"]{0,40}?\s{0,5}(?==))?
        (?P<sep>=>|:=|===?|!==?|=|:|\?\?=?|\|\|=?|,|\bor\b)
        \s{0,20}(?:[bruf]{1,2}(?=["']))?(?P<quote>["'`])(?P<value>(?:(?!(?P=quote))[^\\\n]|\\.){3,500})(?P=quote)""",
    re.VERBOSE,
)
_FALLBACK = re.compile(
    r"""(?<![\w$.])(?P<name>[A-Za-z_][\w.-]{0,99}+)["']?\s{0,3}[)\]]{0,2}\s{0,5}(?P<sep>\?\?|\|\||\bor\b|,)\s{0,10}(?:default\s*=\s*)?(?P<quote>["'`])(?P<value>(?:(?!(?P=quote))[^\\\n]|\\.){3,500})(?P=quote)"""
)
_BARE = re.compile(
    r"""^[ \t]*(?:-[ \t]+)?(?:export[ \t]+|set[ \t]+|ENV[ \t]+|ARG[ \t]+|//[\w./:-]{1,100}/?:)?["']?(?P<name>[A-Za-z_][\w.-]{0,99})["']?[ \t]*(?:=|:[ \t]|[ \t](?=\S+$))[ \t]*(?P<value>[^\s"'`][^\n]{1,400}?)[ \t]*(?:[ \t]#[^\n]*)?$"""
)
_IN_PROSE = re.compile(r"(?<![\w.$-])(?P<name>[A-Z][A-Z0-9_]{4,60})=(?P<value>[^\s\"'`<>]{8,300})")
_INLINE = re.compile(
    r"(?<![\w.$/-])(?P<name>[A-Za-z_][\w.-]{0,60}(?:pass|password|passwd|secret|token|PASS|PASSWORD|SECRET|TOKEN))=(?P<value>[^\s\"'`<>&;|$(){}\\]{6,200})(?=\s|$)"
)
"""One of several pairs of a line: hosts of an inventory, a variable set for one command."""
_XML_PAIR = re.compile(r"""(?:key|name)\s*=\s*"(?P<name>[\w.:-]{2,80})"\s+value\s*=\s*"(?P<value>[^"\n]{4,300})\"""", re.IGNORECASE)
_XML_TAG = re.compile(
    r"<(?P<name>[A-Za-z][\w.-]{2,60})(?:\s[^<>]{0,200})?>(?:<!\[CDATA\[)?(?P<value>[^<>\n]{4,300}?)(?:\]\]>)?</(?P=name)>"
)
_XML_NAMED = re.compile(r"<\w{1,40}\s[^<>]{0,200}?\b(?:name|key)=\"(?P<name>[\w.:-]{2,80})\"[^<>]{0,200}>(?P<value>[^<>\n]{4,300})</")
_SPACED = re.compile(
    r"""^\s*(?:\#\s*define\s+|set\s+)?(?P<name>[A-Za-z_][\w.-]{2,80})\s+(?P<quote>["'])(?P<value>[^"'\\\n]{3,200})(?P=quote)\s*;?\s*(?://.*|\#.*)?$""",
)
"""`#define NAME "value"`, and `storePassword "value"` of build scripts."""
_HEADER = re.compile(r"authorization[\"'`]?\s{0,5}[\]:=,)]{1,2}\s{0,5}(?:[bruf]{1,2}(?=[\"']))?[\"'`]?(?P<scheme>Bearer|Basic|Token|ApiKey|Key)\s+(?P<value>[A-Za-z0-9+/=_.-]{12,400})", re.IGNORECASE)  # fmt: skip
_QUERY = re.compile(r"[?&](?P<name>api[_-]?key|apikey|key|token|access[_-]?token|auth[_-]?token|appid|app[_-]?key|client[_-]?secret|secret)=(?P<value>[A-Za-z0-9_.~-]{16,200})(?![\w{$])", re.IGNORECASE)  # fmt: skip
_SQL = re.compile(
    r"\b(?:IDENTIFIED\s+BY|(?:ROLE|USER)\s+[\w\"`'@.%-]{1,80}\s[^;\n]{0,80}?PASSWORD)\s+'(?P<value>[^'\n]{3,100})'", re.IGNORECASE
)
_DEFAULT = re.compile(r"\$\{[A-Za-z_]\w{0,80}:?-([^{}$]{1,200})\}")
"""`${NAME:-value}` of compose files and shells: the value holds wherever the variable is not set."""
_APP_PASSWORD = re.compile(r"[a-z]{4}(?: [a-z]{4}){3}|[a-z]{16}")
_HASHED = re.compile(r"^(?:\$2[abxy]?\$|\$argon2|\$apr1\$|\$[156]\$|pbkdf2|bcrypt|scrypt|sha\d*[$:]|md5[$:]|\{SHA|\{SSHA)")
_TOKEN = re.compile(r"eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}")
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
"""The public address of an account or contract of a block chain."""
_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_WELL_KNOWN = frozenset(
    {
        "d41d8cd98f00b204e9800998ecf8427e", "da39a3ee5e6b4b0d3255bfef95601890afd80709", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "5f4dcc3b5aa765d61d8327deb882cf99", "5baa61e4c9b93f3f0682250b6cf8331b7ee68fd8", "098f6bcd4621d373cade4e832627b4f6", "21232f297a57a5a743894a0e4a801fc3",
    }
)  # fmt: skip
"""Digests of the empty text, of "password", "test" and "admin"."""
_SWITCHES = frozenset({"true", "false", "yes", "no", "on", "off", "none", "null", "undefined"})
_PATTERN = re.compile(r"\[\^?[a-zA-Z0-9]-[a-zA-Z0-9]|\\[dwsb]|\(\?|\{\d{1,4},?\d{0,4}\}")
"""Character classes and counts of a search pattern that finds keys."""
_END_OF_SENTENCE = re.compile(r"[A-Za-z]+[.,:;)]")
_WORDLIKE = re.compile(r"^[A-Za-z]+(?:[-_.: /][A-Za-z]+)*$")
_TECHNICAL = re.compile(
    r"sha-?\d|md5|^\d+/(?:tcp|udp)|argon|bcrypt|scrypt|pbkdf|hmac|\brsa|\baes|utf-?8|base64|oauth2?|https?:|^/|\\|^\.{1,2}/|^[\w.+-]+@[\w-]+\.[\w.]+$|^#|\.(?:json|ya?ml|txt|pem|key|env|php|py|[jt]sx?|html|css|svg|png)$|^\d+(?:\.\d+)*$|^v\d",
    re.IGNORECASE,
)
_OWN_WORD = re.compile(r"pass|pwd|secret|token|api.?key|auth|login|user|admin|credential|private|encrypt", re.IGNORECASE)


def named_matches(text: str, style: Style) -> Iterator[Match]:
    """Every value that stands under a secret's name and is made like a secret."""
    lowered = text.lower()
    if len(lowered) != len(text):  # a few letters change their length; offsets must not
        lowered = text
    done, windows = -1, 0
    for hit in _HIT.finditer(lowered):
        if hit.start() < done or (hit[0] in _ALONE and not _WORD_BEFORE.match(lowered, max(0, hit.start() - 1))):
            continue
        windows += 1
        if windows > _WINDOWS:
            return
        start = max(lowered.rfind("\n", 0, hit.start()) + 1, hit.start() - _BEFORE, 0)
        end = lowered.find("\n", hit.end())
        end = min(len(text) if end < 0 else end, hit.end() + _AFTER)
        done = end
        yield from _line_matches(text[start:end], start, style)


def _line_matches(line: str, offset: int, style: Style) -> Iterator[Match]:
    for pattern in (_ASSIGNED, _FALLBACK):
        for found in _overlapping(pattern, line):
            yield from _named(found, offset, style)
    if style is Style.SETTINGS and (bare := _BARE.match(line)):
        yield from _named(bare, offset, style)
    if style is not Style.PROSE and (spaced := _SPACED.match(line)):
        yield from _named(spaced, offset, style)
    if style is Style.SETTINGS:
        for found in _INLINE.finditer(line):
            yield from (match for match in _named(found, offset, style) if match.strength > Strength.WEAK)
    if style is Style.PROSE:
        for found in _IN_PROSE.finditer(line):
            yield from _named(found, offset, style)
    if "<" in line and style in {Style.SETTINGS, Style.MARKUP}:
        for pattern in (_XML_PAIR, _XML_TAG, _XML_NAMED):
            for found in pattern.finditer(line):
                yield from _named(found, offset, style)
    yield from _requests(line, offset)


def _overlapping(pattern: re.Pattern[str], line: str) -> Iterator[re.Match[str]]:
    """All matches; what stands behind a comma may be the name of the next pair as well as a value."""
    position = 0
    while found := pattern.search(line, position):
        yield found
        position = found.start("quote") if found["sep"] == "," else found.end()


def _requests(line: str, offset: int) -> Iterator[Match]:
    for found in _HEADER.finditer(line):
        value = found["value"]
        password = _basic_password(value) if found["scheme"].lower() == "basic" else ""
        if password:
            yield Match(
                "basic-auth",
                found.start("value") + offset,
                found.end("value") + offset,
                value,
                Strength.NAMED,
                "it is a user name and password in a request header",
            )
        elif found["scheme"].lower() != "basic" and not _TOKEN.fullmatch(value) and looks_random(value) and not is_placeholder(value):
            yield Match(
                "bearer-token",
                found.start("value") + offset,
                found.end("value") + offset,
                value,
                Strength.NAMED,
                "it is a token in a request header",
            )
    for found in _QUERY.finditer(line):
        if looks_random(found["value"]) and not is_placeholder(found["value"]):
            yield Match(
                "api-key",
                found.start("value") + offset,
                found.end("value") + offset,
                found["value"],
                Strength.NAMED,
                "it is a key in the address of a request",
            )
    for found in _SQL.finditer(line):
        strength = _strength_of_password(found["value"])
        if strength:
            yield Match(
                "password",
                found.start("value") + offset,
                found.end("value") + offset,
                found["value"],
                strength,
                "it is the password of a database account",
            )


def _basic_password(value: str) -> str:
    try:
        user, _, password = base64.b64decode(value + "=" * (-len(value) % 4), validate=True).decode("ascii").partition(":")
    except (binascii.Error, ValueError):
        return ""
    return "" if not user or is_placeholder(password) or is_common(password) or password == user else password


def _named(found: re.Match[str], offset: int, style: Style) -> Iterator[Match]:
    groups = found.groupdict()
    if groups.get("sep") == "," and not _quoted_name(found):
        return
    name, value = found["name"], found["value"].strip()
    if style is Style.SETTINGS and (default := _DEFAULT.fullmatch(value.strip("\"'"))):
        value = default[1]
    kind = kind_of_name(name, settings=style is Style.SETTINGS)
    if kind is None or not value or is_reference(value) or "${" in value or "{{" in value or _HASHED.match(value):
        return
    if _TOKEN.fullmatch(value):
        return  # its payload says more than its name
    hidden = decoded(value) if len(value) >= 8 else ""
    if hidden.isprintable() and hidden and (is_placeholder(hidden) or is_common(hidden)):
        return  # base 64 of a stand-in
    strength = _strength(kind, name, value, style, bare=groups.get("quote") is None)
    if strength is None:
        return
    start = found.start("value") + offset
    reason = f"it stands under a name that means {_meaning(kind)}"
    yield Match(kind.value, start, start + len(found["value"]), value, strength, reason, signing=kind is NameKind.SIGNING)


def _quoted_name(found: re.Match[str]) -> bool:
    """In `get("NAME", "value")` the name is quoted; `(password, "text")` passes a variable beside a message."""
    before = found.string[max(0, found.start("name") - 1) : found.start("name")]
    return before in {'"', "'"}


def _meaning(kind: NameKind) -> str:
    return {NameKind.PASSWORD: "a password", NameKind.SIGNING: "a signing or encryption key", NameKind.KEY: "a key or token"}[kind]


def _strength(kind: NameKind, name: str, value: str, style: Style, *, bare: bool) -> Strength | None:
    if bare and (
        value.startswith(("|", ">", "&", "*", "!", "{", "[", "("))
        or (value.endswith(("(", "{", "[", ",", ";")) and style is not Style.SETTINGS)
    ):
        return None
    if kind is NameKind.PASSWORD:
        mail = any(word in name.lower() for word in ("mail", "smtp", "gmail", "google"))
        if mail and _APP_PASSWORD.fullmatch(value) and not is_common(value) and len(set(value)) > 6 and not is_placeholder(value):
            return Strength.NAMED
        return _strength_of_password(value, weak=style in {Style.SETTINGS, Style.DECLARED})
    value = value.removeprefix("base64:")
    if _PATTERN.search(value) or (kind is NameKind.KEY and re.search(r"[()\[\]{}|\\]", value)):
        return None
    if value in _WELL_KNOWN or is_placeholder(value) or is_common(value) or _TECHNICAL.search(value) or _ADDRESS.fullmatch(value):
        return None
    if _UUID.fullmatch(value):
        return Strength.NAMED if style is Style.SETTINGS and len(set(value)) > 8 else None
    return Strength.NAMED if looks_random(value) else None


def _strength_of_password(value: str, *, weak: bool = False) -> Strength | None:
    """How much a value under a password's name looks like a password that opens something."""
    if (
        value in _WELL_KNOWN
        or re.search(r"\s", value)
        or not 3 <= len(value) <= 128
        or is_reference(value)
        or value.rstrip(",;").lower() in _SWITCHES
    ):
        return None
    if _UUID.fullmatch(value) and not weak:
        return None  # in code an id of something that has to do with passwords; in a settings file it may be one
    if _END_OF_SENTENCE.fullmatch(value):
        return None
    if is_common(value):
        return Strength.WEAK if weak else None
    if is_placeholder(value) or _TECHNICAL.search(value) or re.search(r"[(){}<>\[\]\\]|://", value):
        return None
    if looks_random(value):
        return Strength.NAMED
    if _OWN_WORD.search(value) or _WORDLIKE.match(value):
        return Strength.WEAK if weak and len(value) < 30 and re.fullmatch(r"[\w@!#.-]+", value) else None
    letters, digits = re.search(r"[A-Za-z]", value), re.search(r"\d", value)
    marks = re.search(r"[!@#$%^&*?+=]", value)
    if len(value) >= 8 and letters and (digits or marks) and not re.fullmatch(r"[a-z]+(?:[-_.][a-z0-9]+)+", value):
        return Strength.HUMAN
    return Strength.WEAK if weak and (letters or digits) else None
