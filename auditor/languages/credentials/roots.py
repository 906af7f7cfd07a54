"""Numbers the values that were found, so that places with the same value can be named as one root cause. The values are compared here and not handed out."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable

from auditor.languages.credentials.scan import Located
from auditor.model.evidence import Secret

_BREAKS = re.compile(r"\s|\\[nr]")
"""What is put between the lines of a key when it is wrapped, indented or written into one line."""


class Roots:
    """The values of one tree; a value gets its number where it is seen first."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def numbered(self, text: str, found: Iterable[Located]) -> list[Secret]:
        """The credentials that were found in `text`, with the numbers of their values."""
        secrets = []
        for place in found:
            value = _BREAKS.sub("", text[place.start : place.end])
            number = self._numbers.setdefault(value, len(self._numbers) + 1)
            secrets.append(dataclasses.replace(place.secret, root=number))
        return secrets
