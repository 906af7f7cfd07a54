"""Evidence SECRETS: credential-like values in every text file of the snapshot, whatever its role, and key stores by their name.

The values themselves never leave `auditor.languages.credentials`.
"""

from __future__ import annotations

import datetime as dt
import re

from auditor.evidence.registry import Context, own_stamp, provides
from auditor.languages.credentials import find_credentials, surroundings_of
from auditor.model.evidence import Secret, Secrets
from auditor.model.need import Known
from auditor.model.needs import SECRETS, SNAPSHOT, TEXTS
from auditor.model.snapshot import Snapshot, SourceFile

_KEY_STORE = re.compile(r"(?:^|/)[\w.-]+\.(?:p12|pfx|jks|keystore|kdbx|ppk)$", re.IGNORECASE)
_DEBUG_STORE = re.compile(r"(?:^|/)debug\.keystore$|(?:^|/)(?:tests?|fixtures?|testdata|examples?)/", re.IGNORECASE)


@provides(SECRETS, needs=(SNAPSHOT, TEXTS))
def secrets(context: Context, snapshot: Snapshot, texts: dict[str, str]) -> Known[Secrets]:
    """Look through all texts in path order."""
    today = _seconds(context.date)
    found: list[Secret] = []
    examined: set[str] = set()
    unexamined: list[tuple[str, str]] = []
    for file in snapshot.files:
        found.extend(_key_store(file))
        if file.path not in texts:
            continue
        if context.cancelled.is_set() or context.remaining() == 0:
            unexamined.append((file.path, "not read: the time limit was reached"))
            continue
        found.extend(find_credentials(texts[file.path], surroundings_of(file.path, file.language, file.role), today))
        examined.add(file.path)
    return Known(Secrets(tuple(found)), own_stamp(), frozenset(examined), tuple(unexamined))


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
