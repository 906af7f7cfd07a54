"""Reads small TOML files that people write. Every key is checked, because a misspelt one would silently be none; a mistake is one line that names its place."""

from __future__ import annotations

import datetime as dt
import difflib
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from auditor.errors import UsageError

MOST_BYTES = 1_000_000
LONGEST = 4_000
"""Characters of one text."""
Choice = TypeVar("Choice", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Table:
    """One table of such a file: `name` is the file's, `place` the table's ("" for the file itself)."""

    name: str
    place: str
    values: dict[str, Any]

    def only(self, known: Sequence[str]) -> None:
        """Refuse every key but these, naming the nearest right one."""
        for key in self.values:
            if key not in known:
                near = difflib.get_close_matches(key, known, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
                self.wrong(f"there is no key {key!r}; {hint}")

    def text(self, key: str, *, longest: int = LONGEST) -> str:
        """The text under a key with its edges trimmed, "" when it is not there."""
        value = self.values.get(key, "")
        if not isinstance(value, str):
            self.wrong(f"{key} should be a text")
        if len(value) > longest:
            self.wrong(f"{key} is longer than {longest:,} characters")
        return value.strip()

    def line(self, key: str, *, longest: int = LONGEST) -> str:
        """The text under a key on one line."""
        return " ".join(self.text(key, longest=longest).split())

    def day(self, key: str) -> str:
        """The day under a key as ISO 8601, "" when it is not there; a TOML date or a text."""
        value = self.values.get(key, "")
        if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
            return value.isoformat()
        try:
            return dt.date.fromisoformat(value).isoformat() if value != "" else ""
        except (TypeError, ValueError):
            return self.wrong(f"{key}: {value!s} is not a date; write it as YYYY-MM-DD")

    def choice(self, key: str, choices: type[Choice]) -> Choice:
        """The value under a key that must be one of a closed set."""
        value, known = self.values.get(key), [one.value for one in choices]
        if value in known:
            return choices(value)
        near = difflib.get_close_matches(str(value), known, n=1)
        said = f"{key} is missing; it is" if value is None else f"{key} {value!r} is not"
        return self.wrong(f"{said} one of {', '.join(known)}{f'; did you mean {near[0]!r}?' if near and value is not None else ''}")

    def tables(self, key: str) -> Iterable[Table]:
        """The tables of a list of tables, in order."""
        value = self.values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            self.wrong(f"{key} is a list of tables: [[{key}]]")
        for number, one in enumerate(value, 1):
            yield Table(self.name, f"{key} {number}", one)

    def table(self, key: str) -> Table:
        """The table under a key, an empty one when it is not there."""
        value = self.values.get(key, {})
        if not isinstance(value, dict):
            self.wrong(f"{key} is a table: [{key}]")
        return Table(self.name, key, value)

    def wrong(self, what: str) -> NoReturn:
        """Complain in one line that names the file and the place."""
        raise UsageError(f"{self.name}: {self.place}: {what}" if self.place else f"{self.name}: {what}")


def read_toml(path: Path) -> Table:
    """The file at `path`.

    Raises:
        UsageError: it cannot be read, is too large, or is not TOML.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from None
    if len(data) > MOST_BYTES:
        raise UsageError(f"{path.name} is larger than {MOST_BYTES // 1000:,} kB")
    try:
        return Table(path.name, "", tomllib.loads(data.decode()))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path.name} is not valid TOML: {error}") from None
