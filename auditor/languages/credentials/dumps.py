"""Accounts that were taken out of a database: rows of SQL dumps and of tables, and entries of data files, with passwords or their hashes."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from auditor.languages.credentials.logins import CRYPT
from auditor.languages.credentials.match import Match, Strength
from auditor.languages.credentials.placed import placed

_DUMP = re.compile(
    r"^(?:--|/\*|#)[^\n]{0,40}\bdump\b|^-- (?:Dumping data for table|Data for Name:|Host: )|^PRAGMA foreign_keys=OFF;|^COPY [^\n]{1,300} FROM stdin;",
    re.IGNORECASE | re.MULTILINE,
)
_DUMP_NAME = re.compile(r"dump|backup|(?:^|[._/-])(?:bak|export|prod|production|live|data|users?)(?:[._-]|$)", re.IGNORECASE)
_PREPARED = re.compile(
    r"(?:^|[/._-])(?:seeds?|seeders?|samples?|demo|tests?|fixtures?|examples?|dev|init|migrations?|schema|setup|install)(?:[/._-]|\d|$)",
    re.IGNORECASE,
)
"""What is made for an installation: an account in it is a built-in one, which is judged as such, and no person's."""
_INSERT = re.compile(
    r"\b(?:INSERT|REPLACE)\s+(?:IGNORE\s+)?INTO\s+(?P<table>[\w\"`\[\].]{1,120})\s*(?:\((?P<columns>[^()]{1,4000})\))?\s*VALUES\s*\(|^COPY\s+(?P<copied>[\w\".]{1,120})\s*\((?P<fields>[^()]{1,4000})\)\s+FROM stdin;\n",
    re.IGNORECASE | re.MULTILINE,
)
_PASSWORD_COLUMN = re.compile(
    r"(?:\w*_)?(?:pass(?:word|wd|code)?|pwd|pw)(?:_?(?:hash|hashed|digest|enc|encrypted|crypt))?|(?:encrypted|hashed|crypted)_?password|authentication_string|passhash|hash",
    re.IGNORECASE,
)
_HASH = re.compile(
    rf"{CRYPT}|\*[0-9A-F]{{40}}|(?:pbkdf2|scrypt|argon2|bcrypt)[_:$][^\s',\"]{{40,300}}|sha(?:1|256|512)\$[^\s',\"]{{40,200}}|SCRAM-SHA-256\$[^\s',\"]{{60,200}}|[0-9a-fA-F]{{32}}|[0-9a-fA-F]{{40}}|[0-9a-fA-F]{{64}}|[0-9a-fA-F]{{128}}"
)
_HASHED_ENTRY = re.compile(
    rf"[Pp](?:ass|ASS)(?:word|WORD|wd|WD)?[\w.-]{{0,20}}[\"']?\s{{0,5}}[:=]\s{{0,5}}[\"']?(?P<value>(?:argon2:)?{CRYPT}|sha1:[0-9a-f]{{12}}:[0-9a-f]{{40}}|pbkdf2_\w{{3,12}}\$[^\s\"',]{{40,200}}|(?:pbkdf2|scrypt):[^\s\"',]{{40,300}})"
)
_HASH_MARKS = ("$2", "$6$", "$5$", "$y$", "$argon2", "$apr1$", "pbkdf2", "scrypt:", "{SSHA", "sha1:")
_BARE_HASH = re.compile(r"[0-9a-fA-F]+")
_VALUE = re.compile(r"\s*(?:'(?P<text>(?:[^'\\]|\\.|''){0,4000})'|(?P<bare>[^',()]{1,200}))\s*(?P<end>[,)])")
_NEXT_ROW = re.compile(r"\s*,\s*\(")
_LONGEST = 5_000_000
_ROWS = 25
"""Rows of one table that are named; a dump with thousands of people is one finding many times over."""


def dump_matches(path: str, text: str) -> Iterator[Match]:
    """Hashes of passwords in the rows that a SQL file inserts."""
    if "nsert" not in text.lower() and "COPY " not in text:
        return
    body = text[:_LONGEST]
    real = bool(_DUMP.search(body[:20_000]) or _DUMP_NAME.search(path.rsplit("/", maxsplit=1)[-1]))
    if _PREPARED.search(path):
        return
    for table in _INSERT.finditer(body):
        rows = _copied(body, table) if table["copied"] else _inserted(body, table)
        for count, (start, value) in enumerate(rows):
            if count == _ROWS:
                break
            reason = f"it is the password hash of an account in a {'dump of a database' if real else 'script that fills a database'}, open to guessing"
            yield Match("password-hash", start, start + len(value), value, Strength.FORMAT, reason, local=not real)


def hashed_entries(text: str) -> Iterator[Match]:
    """Hashes under a password's name in data files: exports of people, settings with a login of their own."""
    if not any(mark in text for mark in _HASH_MARKS):
        return
    for found in islice(_HASHED_ENTRY.finditer(text[:_LONGEST]), _ROWS):
        if len(set(found["value"])) > 6:
            reason = "it is the password hash of an account, open to guessing"
            yield Match("password-hash", *found.span("value"), found["value"], Strength.HUMAN, reason)


def table_matches(text: str, separator: str) -> Iterator[Match]:
    """Passwords and hashes of a table in text, whose first line names the columns: what browsers, password managers and databases export."""
    head, _, body = text[:_LONGEST].partition("\n")
    names = [name.strip().strip('"').lower() for name in head.split(separator)]
    wanted = _column(",".join(names))
    if wanted is None or not any(re.search(r"user|mail|login|name|account|url", name) for name in names):
        return
    position, count = len(head) + 1, 0
    for line in body.split("\n"):
        columns = next(csv.reader([line[:10_000]], delimiter=separator), [])
        value = columns[wanted].strip() if len(columns) == len(names) else ""
        start = line.find(value) if value else -1
        match = _of_table(position + start, value) if start >= 0 else None
        position += len(line) + 1
        if match and count < _ROWS:
            count += 1
            yield match


def _of_table(start: int, value: str) -> Match | None:
    span = (start, start + len(value))
    if _is_hash(value, named=True):
        return Match("password-hash", *span, value, Strength.HUMAN, "it is the password hash of an account, open to guessing")
    if re.search(r"\s", value):
        return None
    match = placed(span, value, "it stands in the column of passwords of a table")
    return replace(match, strength=min(match.strength, Strength.HUMAN)) if match else None


def _inserted(text: str, table: re.Match[str]) -> Iterator[tuple[int, str]]:
    """(position, hash) of the rows behind VALUES."""
    wanted = _column(table["columns"])
    position = table.end()
    while True:
        column = 0
        while found := _VALUE.match(text, position):
            value = found["text"]
            if value is not None and _is_hash(value, named=column == wanted) and (wanted is None or column == wanted):
                yield found.start("text"), value
            position, column = found.end(), column + 1
            if found["end"] == ")":
                break
        else:
            return
        following = _NEXT_ROW.match(text, position)
        if following is None:
            return
        position = following.end()


def _copied(text: str, table: re.Match[str]) -> Iterator[tuple[int, str]]:
    """(position, hash) of the lines behind COPY, whose columns are set off by tabulators."""
    wanted = _column(table["fields"])
    position = table.end()
    while wanted is not None and position < len(text) and not text.startswith("\\.", position):
        end = text.find("\n", position)
        line = text[position : end if end >= 0 else len(text)]
        columns = line.split("\t")
        if wanted < len(columns) and _is_hash(columns[wanted], named=True):
            yield position + sum(len(column) + 1 for column in columns[:wanted]), columns[wanted]
        position += len(line) + 1


def _column(columns: str | None) -> int | None:
    """Which column holds passwords; None when the names are not given or none does."""
    if columns is None:
        return None
    names = [name.strip().strip('"`[]') for name in columns.split(",")]
    return next((position for position, name in enumerate(names) if _PASSWORD_COLUMN.fullmatch(name)), None)


def _is_hash(value: str, *, named: bool) -> bool:
    """Whether the value is the hash of a password; bare digits are only under the name of one."""
    return bool(_HASH.fullmatch(value)) and len(set(value)) > 6 and (named or not _BARE_HASH.fullmatch(value))
