"""Evidence SECRETS: credential-like values in every text file of the snapshot, whatever its role, and key stores by their name.

The values themselves never leave `auditor.languages.credentials`.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import re

import msgspec

from auditor.cache import Cache, cache_key
from auditor.evidence.registry import Context, own_stamp, provides
from auditor.languages.credentials import Located, Roots, depends_on_day, located_credentials, scanner_digest, surroundings_of
from auditor.model.evidence import Secret, Secrets
from auditor.model.need import Known
from auditor.model.needs import SECRETS, SNAPSHOT, TEXTS
from auditor.model.snapshot import Snapshot, SourceFile
from auditor.settings_layers import set_in_production

_KEY_STORE = re.compile(
    r"(?:^|/)(?:[\w.-]+\.(?:p12|pkcs12|pfx|jks|jceks|bks|keystore|kdbx?|psafe3|kwallet|keychain|keychain-db|keytab|agilekeychain)|key[34]\.db|signons\.sqlite|wallet\.dat|\.mylogin\.cnf|login data)$",
    re.IGNORECASE,
)
"""Stores of keys and of saved logins: certificates with their keys, password managers, browsers, wallets, Kerberos."""
_BATCH = 500  # files remembered at once, so that an interrupted audit does not start from nothing
_DEBUG_STORE = re.compile(r"(?:^|/)debug\.keystore$|(?:^|/)(?:tests?|fixtures?|testdata|examples?)/", re.IGNORECASE)


@provides(SECRETS, needs=(SNAPSHOT, TEXTS))
def secrets(context: Context, snapshot: Snapshot, texts: dict[str, str]) -> Known[Secrets]:
    """Look through all texts in path order; what was found in a file is remembered under its path and content."""
    keys = {file.path: _key(context.date, file, texts[file.path]) for file in snapshot.files if file.path in texts}
    places = _remembered(context.cache, keys)
    unexamined = _search(context, [file for file in snapshot.files if file.path in keys and file.path not in places], texts, keys, places)
    roots = Roots()
    found: list[Secret] = []
    for file in snapshot.files:
        found.extend(_key_store(file))
        found.extend(_layered(secret, texts) for secret in roots.numbered(texts.get(file.path, ""), places.get(file.path, ())))
    return Known(Secrets(tuple(found)), own_stamp(), frozenset(places), unexamined)


def _layered(secret: Secret, texts: dict[str, str]) -> Secret:
    """A key of settings that are for development, because those for production bring one of their own, opens nothing outside."""
    if secret.certainty != "working" or secret.kind != "signing-key":
        return secret
    lines = texts.get(secret.path, "").split("\n")
    name = re.match(r"\s*([A-Z][A-Z0-9_]*)\s*=", lines[secret.line - 1]) if 0 < secret.line <= len(lines) else None
    if name is None or name[1] not in set_in_production(secret.path, texts):
        return secret
    return dataclasses.replace(secret, certainty="local", reason="the settings for production set another one")


def _search(
    context: Context, files: list[SourceFile], texts: dict[str, str], keys: dict[str, str], places: dict[str, list[Located]]
) -> tuple[tuple[str, str], ...]:
    """Fill `places` for files that are not remembered; what could not be read in time, with the reason."""
    today = _seconds(context.date)
    unexamined: list[tuple[str, str]] = []
    fresh: dict[str, bytes] = {}
    for file in files:
        if context.cancelled.is_set() or context.remaining() == 0:
            unexamined.append((file.path, "not read: the time limit was reached"))
            continue
        places[file.path] = located_credentials(texts[file.path], surroundings_of(file.path, file.language, file.role), today)
        fresh[keys[file.path]] = msgspec.msgpack.encode(places[file.path])
        if len(fresh) == _BATCH:
            context.cache.put_many(fresh)
            fresh.clear()
    context.cache.put_many(fresh)
    return tuple(unexamined)


def _key(date: str, file: SourceFile, text: str) -> str:
    day = date if depends_on_day(text) else ""
    return cache_key("secrets-1", scanner_digest(), file.digest, file.path, file.language, file.role, day)


def _remembered(cache: Cache, keys: dict[str, str]) -> dict[str, list[Located]]:
    """What is stored of these files: kinds and places, never a value; an entry that cannot be decoded any more is searched anew."""
    stored = cache.get_many(keys.values())
    decoder = msgspec.msgpack.Decoder(list[Located])
    places = {}
    for path, key in keys.items():
        if key in stored:
            try:
                places[path] = decoder.decode(stored[key])
            except msgspec.MsgspecError:
                continue
    return places


def _seconds(date: str) -> int:
    try:
        return int(dt.datetime.fromisoformat(date).replace(tzinfo=dt.UTC).timestamp())
    except ValueError:
        return 0


def _key_store(file: SourceFile) -> list[Secret]:
    if not _KEY_STORE.search(file.path) or file.size < 200:
        return []
    certainty = "test" if _DEBUG_STORE.search(file.path) else "working"
    return [Secret("key-store", file.path, 0, "", 0, certainty, "it is a file that keeps private keys")]
