"""Which reader of a layout fits which file: by its name, its ending or a word in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath

from auditor.languages.credentials import registries
from auditor.languages.credentials.calls import call_matches
from auditor.languages.credentials.clusters import cluster_matches
from auditor.languages.credentials.dumps import dump_matches, hashed_entries, table_matches
from auditor.languages.credentials.logins import hash_lines, login_lines
from auditor.languages.credentials.match import Match, Strength
from auditor.languages.credentials.placed import placed
from auditor.languages.credentials.stores import record_matches, store_matches
from auditor.model.snapshot import READ_LANGUAGES, UNREAD_LANGUAGES, Language
from auditor.placeholders import entropy, is_placeholder, looks_random

_WORDPRESS = re.compile(
    r"define\(\s*['\"](?P<name>DB_PASSWORD|FTP_PASS|(?:SECURE_|LOGGED_IN_|NONCE_)?(?:AUTH_)?(?:KEY|SALT))['\"]\s*,\s*'(?P<value>[^'\n]{3,120})'"
)
_KEY_FILE = re.compile(
    r"^(?:master|secret|token|password|passwd|passphrase|credentials?|\.?vault[_-]?pass(?:word)?|\.?secret[_-]?key(?:[_-]base)?|\.?api[_-]?key|encrypted_data_bag_secret|\.erlang\.cookie|[\w-]{1,40}[_-](?:token|secret|password|api[_-]?key))(?:\.(?:key|txt|secret|token))?$|^credentials/[\w-]+\.key$|^(?:production|staging|development)\.key$"
)
"""Names of files whose whole content is one key or password, as frameworks and tools for deployment keep them."""
_DATA = frozenset(Language) - READ_LANGUAGES - UNREAD_LANGUAGES - {Language.HTML, Language.CSS, Language.BINARY}


def layout_matches(path: str, language: Language, text: str) -> Iterator[Match]:
    """Values that only the layout of the file at `path` shows to be secrets."""
    name = PurePosixPath(path).name.lower()
    yield from login_lines(name, text)
    for pattern, reader in _BY_NAME:
        if pattern.search(name):
            yield from reader(text)
    yield from store_matches(path, text)
    if _KEY_FILE.search(name) and len(text) < 500:
        yield from _whole_file(text)
    if name.endswith((".yml", ".yaml", ".tpl", ".tf")):
        yield from cluster_matches(text)
    if '"auths"' in text:
        yield from registries.docker(text)
    if language is Language.SQL:
        yield from dump_matches(path, text)
    if language in _DATA:
        yield from hash_lines(name, text)
        yield from hashed_entries(text)
    if language is Language.JSON:
        yield from record_matches(text)
    if name.endswith((".csv", ".tsv")):
        yield from table_matches(text, "\t" if name.endswith(".tsv") else ",")
    if language not in {Language.JSON, Language.CSS, Language.XML}:
        yield from call_matches(text)


def _wordpress(text: str) -> Iterator[Match]:
    for found in _WORDPRESS.finditer(text):
        value = found["value"]
        if "PASS" in found["name"]:
            if match := placed(found.span("value"), value, "it is the password of a WordPress installation"):
                yield match
        elif len(value) >= 32 and not is_placeholder(value) and len(set(value)) > 12:
            yield Match(
                "signing-key", *found.span("value"), value, Strength.NAMED, "it is a key that WordPress signs logins with", signing=True
            )


def _whole_file(text: str) -> Iterator[Match]:
    value = text.strip()
    cookie = re.fullmatch(r"[A-Z]{16,40}", value) and entropy(value) > 3.3  # Erlang draws capitals
    if (looks_random(value) or cookie) and not is_placeholder(value) and not re.search(r"\s", value):
        start = text.index(value)
        yield Match("signing-key", start, start + len(value), value, Strength.FORMAT, "it is all there is in a file for a key")


_BY_NAME: tuple[tuple[re.Pattern[str], Callable[[str], Iterator[Match]]], ...] = (
    (re.compile(r"^(?:.*[._-])?npmrc$"), registries.npmrc),
    (re.compile(r"^\.yarnrc(?:\.yml)?$"), registries.yarnrc),
    (re.compile(r"^\.?dockercfg$|^\.?dockerconfig(?:json|\.json)$"), registries.docker),
    (re.compile(r"^auth\.json$"), registries.composer),
    (re.compile(r"^config$"), registries.bundler),
    (re.compile(r"^credentials$"), registries.gems),
    (re.compile(r"^wp-config.*\.php$"), _wordpress),
)
