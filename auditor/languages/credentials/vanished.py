"""Credentials in earlier versions of files: which of them stand nowhere in the present tree, and how sure it is that they open something.

The present tree is asked for the value itself, so that a moved or renamed credential is not taken for a removed one.
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
import secrets
from collections.abc import Collection

from auditor.classify import role_by_path
from auditor.languages.credentials.match import Match, Strength
from auditor.languages.credentials.named import Style
from auditor.languages.credentials.scan import LOCKS, Surroundings, matched_credentials, surroundings_of
from auditor.languages.dotenv import is_dotenv
from auditor.model.evidence import Secret
from auditor.model.snapshot import Language, Role

_SETTINGS_NAME = re.compile(r"(?:^|/)[^/]{0,60}(?:settings|config|database|credentials|secrets?|\.env|mail|smtp)[^/]{0,60}$", re.IGNORECASE)
_MEDIA = re.compile(
    r"\.(?:png|jpe?g|gif|webp|avif|ico|bmp|tiff?|psd|pdf|woff2?|ttf|otf|eot|mp[34]|webm|mov|wav|ogg|zip|gz|tgz|bz2|xz|7z|jar|whl|exe|dll|so|dylib|wasm|pyc|mo)$",
    re.IGNORECASE,
)
"""Names of what holds no text; asked for before the content, which a clone may lack."""
_NOT_OWN = frozenset({Role.VENDORED, Role.MINIFIED, Role.GENERATED})
_COMPARED = 24
"""Characters of a value that are looked for: a key block may have been indented or wrapped anew since."""


def searched(path: str) -> Surroundings | None:
    """The surroundings of earlier versions of a file, as far as its path tells them; None for what programs or other people wrote."""
    language, role = role_by_path(path)
    if role in _NOT_OWN or language is Language.BINARY or LOCKS.search(path) or _MEDIA.search(path):
        return None
    return surroundings_of(path, language, role)


class Vanished:
    """Looks for values of earlier versions that `present`, the texts of the tree, do not hold; names every value once."""

    def __init__(self, present: Collection[str], today: int) -> None:
        self._present = present
        self._today = today
        self._salt = secrets.token_bytes(16)  # digests of short passwords can be guessed: these stay in this process and fit no other
        self._known: set[bytes] = set()

    def find(self, text: str, surroundings: Surroundings) -> list[Secret]:
        """The credentials of an earlier text that look real, are gone, and were not named before."""
        found = []
        for secret, match in matched_credentials(text, surroundings, self._today):
            if secret.certainty == "working" and self._is_news(match.value):
                found.append(dataclasses.replace(secret, certainty=_certainty(match, surroundings)))
        return found

    def _is_news(self, value: str) -> bool:
        mark = hashlib.blake2b(value.encode("utf-8", "replace"), key=self._salt, digest_size=16).digest()
        if mark in self._known:
            return False
        self._known.add(mark)
        wanted = _telling_part(value)
        return not any(wanted in text for text in self._present)


def _telling_part(value: str) -> str:
    """What to look for: the value, or the middle of a long body without the breaks of its lines (keys of one kind begin alike)."""
    pieces = re.split(r"\s+|\\n", value)
    if len(pieces) == 1:
        return value
    length = max(map(len, pieces))
    longest = [piece for piece in pieces if len(piece) == length]
    return longest[len(longest) // 2][-_COMPARED:] if length >= _COMPARED else value


def _certainty(match: Match, surroundings: Surroundings) -> str:
    """How sure it is that a value that looked real at its time opened something."""
    if match.strength >= Strength.PLACED:
        return "working"
    in_settings = surroundings.style is Style.SETTINGS
    if match.strength is Strength.NAMED:
        return "working" if is_dotenv(surroundings.path) and not match.signing else "likely"
    return "likely" if in_settings or _SETTINGS_NAME.search(surroundings.path) else "possible"
