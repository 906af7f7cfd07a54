"""JSON and TOML texts of strangers as plain values, and the lines at which names stand in them. YAML is read by `yaml_nodes`.

A loader never raises: it returns what it could read and a sentence about what it could not.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from typing import Any

LONGEST_MANIFEST = 200_000
"""Characters up to which manifests in YAML are read."""
_DEEPEST = 60
_LONGEST_TOML = 8_000_000
"""Characters; locks of large workspaces have about a quarter of that."""
_LONGEST_LINE = 200_000
_COMMENT_OR_STRING = re.compile(r'"(?:[^"\\]|\\.)*+"|//[^\n]*|/\*.*?\*/|,(?=\s{0,200}[}\]])', re.DOTALL)
_NAMED = re.compile(r"""\s*(?:-\s+)?["']?(@?[\w.@/~+ -]{1,214}?)["']?\s*(?:[:=@\[<>~!;,\]]|$)""")


def load_json(text: str) -> tuple[Any, str]:
    """The value of a JSON text and what is wrong with it; comments and trailing commas are forgiven."""
    try:
        return json.loads(text.removeprefix("\ufeff")), ""
    except RecursionError:
        return None, "nested too deeply"
    except ValueError as error:
        problem = f"not valid JSON ({_first_line(error)})"
    try:
        return json.loads(_without_comments(text)), ""
    except (ValueError, RecursionError):
        return None, problem


def _without_comments(text: str) -> str:
    return _COMMENT_OR_STRING.sub(lambda found: found[0] if found[0].startswith('"') else " ", text.removeprefix("\ufeff"))


def load_toml(text: str) -> tuple[dict[str, Any], str]:
    """The tables of a TOML text; where one of them is broken, those that can be read without it."""
    if len(text) > _LONGEST_TOML or _has_endless_line(text):
        return {}, "too large to read"
    try:
        return tomllib.loads(text.removeprefix("\ufeff")), ""
    except RecursionError:
        return {}, "nested too deeply"
    except ValueError as error:
        problem = f"not valid TOML ({_first_line(error)})"
    return _readable_tables(text), problem


def _has_endless_line(text: str) -> bool:
    """Whether a line is longer than any a tool or a person writes: the reader goes through them letter by letter."""
    start = 0
    while len(text) - start > _LONGEST_LINE:
        end = text.rfind("\n", start, start + _LONGEST_LINE)
        if end <= start:
            return True
        start = end
    return False


def _readable_tables(text: str) -> dict[str, Any]:
    """Every top-level table that is valid by itself, merged; at most 400 of them."""
    merged: dict[str, Any] = {}
    for part in re.split(r"(?m)^(?=\[)", text)[:400]:
        try:
            _merge(merged, tomllib.loads(part))
        except (ValueError, RecursionError):
            continue
    return merged


def _merge(target: dict[str, Any], source: dict[str, Any], depth: int = 0) -> None:
    for key, value in source.items():
        known = target.get(key)
        if isinstance(known, dict) and isinstance(value, dict) and depth < _DEEPEST:
            _merge(known, value, depth + 1)
        elif isinstance(known, list) and isinstance(value, list):
            known.extend(value)
        else:
            target[key] = value


def _first_line(error: Exception) -> str:
    return " ".join(str(error).split())[:120]


class Lines:
    """Where names stand in a text: the first line, from a given one on, that begins with the name."""

    __slots__ = ("_at",)

    def __init__(self, text: str) -> None:
        self._at: dict[str, list[int]] = {}
        for number, line in enumerate(text.split("\n"), 1):
            found = _NAMED.match(line[:300])
            if found:
                self._at.setdefault(found[1].strip().lower(), []).append(number)

    def of(self, name: str, after: int = 0) -> int:
        """The line that starts with `name`, quotes and list dashes aside; `after` (or 1) when there is none."""
        return next((line for line in self._at.get(name.lower(), ()) if line >= after), max(after, 1))


def strings(value: Any) -> list[str]:
    """The texts of a list, or a single text; anything else is left out."""
    if isinstance(value, str):
        return [value]
    return [entry for entry in value if isinstance(entry, str)] if isinstance(value, list) else []


def table(value: Any) -> dict[str, Any]:
    """The value if it is a table with names as keys, else an empty one."""
    return {str(key): entry for key, entry in value.items()} if isinstance(value, dict) else {}


def at(value: Any, *keys: str) -> Any:
    """The value below the given keys, None when a step is missing."""
    for key in keys:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def flattened(value: dict[str, Any], *, depth: int = 4, limit: int = 400) -> tuple[tuple[str, str], ...]:
    """Scalars and lists of scalars of nested tables under dotted names, at most `limit`, each cut at 300 characters."""
    entries = sorted(dict(list(_scalars(value, "", depth, limit))).items())
    return tuple(entries[:limit])


def _scalars(value: dict[str, Any], prefix: str, depth: int, limit: int) -> Iterator[tuple[str, str]]:
    for key, entry in list(value.items())[:limit]:
        name = f"{prefix}{key}"
        if isinstance(entry, dict):
            if depth > 1:
                yield from _scalars(entry, f"{name}.", depth - 1, limit)
        elif isinstance(entry, bool):
            yield name, str(entry).lower()
        elif isinstance(entry, str | int | float):
            yield name, str(entry)[:300]
        elif isinstance(entry, list) and all(isinstance(one, str | int | float) for one in entry):
            yield name, ", ".join(str(one) for one in entry)[:300]
