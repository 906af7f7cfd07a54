"""The language of a report's frame: headings, labels, verdict words and sentences. What is said of the audited code stays as the checks wrote it.

English is the source: a text is its own key. Another language is one TOML file in `reports/templates/languages/`, which the standard library reads,
so that nothing has to be compiled and nothing compiled can be stale; a test finds every key that is missing or not used any more. In texts `{0}`
stands for the first value. Templates are written in plain English: what stands between tags, or in an attribute that is read aloud, is looked up by
`Translated` while a template is compiled. Elsewhere a text is marked by `tr` (now) or `N_` (looked up later).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeVar

from auditor import words
from auditor.errors import UsageError
from auditor.resources import data_dir

Key = TypeVar("Key")
SOURCE = "en"


@dataclass(frozen=True, slots=True)
class Language:
    """Texts by their English, and nouns with their plurals; `comma` and `thousands` are the marks in figures."""

    code: str = SOURCE
    texts: Mapping[str, str] = field(default_factory=dict)
    nouns: Mapping[str, list[str]] = field(default_factory=dict)
    comma: str = "."
    thousands: str = ","


_ENGLISH = Language()
_current: ContextVar[Language] = ContextVar("language", default=_ENGLISH)


def codes() -> tuple[str, ...]:
    """The languages there are."""
    return (SOURCE, *sorted(file.stem for file in (data_dir("templates") / "languages").glob("*.toml")))


@cache
def language(code: str) -> Language:
    """The language of that code.

    Raises:
        UsageError: there is none.
    """
    if code not in codes():
        raise UsageError(f"there is no language {code!r}; there are {', '.join(codes())}")
    if code == SOURCE:
        return _ENGLISH
    data = tomllib.loads((data_dir("templates") / "languages" / f"{code}.toml").read_text(encoding="utf-8"))
    return Language(code, data["texts"], data["nouns"], data["figures"]["comma"], data["figures"]["thousands"])


@contextmanager
def speaking(code: str) -> Iterator[Language]:
    """Everything rendered inside is in this language."""
    chosen = language(code)
    token = _current.set(chosen)
    try:
        yield chosen
    finally:
        _current.reset(token)


def tr(text: str, *values: object) -> str:
    """The text in the language spoken, with its values filled in."""
    found = _current.get().texts.get(text, text)
    return _fill(found, values) if values else found


def N_(text: str) -> str:  # noqa: N802 - the name every translator's tool knows
    """Marks a text that is looked up later, where it is shown."""
    return text


def plural(count: int, one: str, many: str = "") -> str:
    """A count with its noun, as `auditor.words.plural` in English."""
    spoken = _current.get()
    if one not in spoken.nouns:
        return words.plural(count, one, many)
    return f"{thousands(count)} {spoken.nouns[one][count != 1]}"


def decimal(value: float) -> str:
    """A figure with one decimal, cut and never rounded up."""
    return figure(words.decimal(value))


def thousands(count: int) -> str:
    """A whole number with its groups of three."""
    return figure(f"{count:,}")


def figure(text: str) -> str:
    """A figure as English writes it, in the marks of the language spoken."""
    spoken = _current.get()
    return text.translate({ord("."): spoken.comma, ord(","): spoken.thousands})


def _fill(text: str, values: tuple[object, ...]) -> str:
    return re.sub(r"\{(\d)\}", lambda match: str(values[int(match[1])]), text)


class Spoken(dict[Key, str]):
    """A table of marked texts that is read in the language spoken."""

    def __getitem__(self, key: Key) -> str:
        """The text of a key."""
        return tr(super().__getitem__(key))

    def get(self, key: Key, default: Any = None) -> Any:
        """The text of a key, the default (looked up too) without one."""
        return tr(super().get(key, default)) if key in self or isinstance(default, str) else default

    def pairs(self) -> list[tuple[Key, str]]:
        """Keys with their texts, in order."""
        return [(key, self[key]) for key in self]
