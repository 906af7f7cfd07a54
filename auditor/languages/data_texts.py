"""JSON (comments allowed) and TOML read without ever raising, and the line a key stands on."""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any

SIZE_LIMIT = 1_000_000
_WALK_LIMIT = 20_000
_DEPTH_LIMIT = 40
_COMMENT = re.compile(r'("(?:[^"\\\n]|\\.){0,5000}")|//[^\n]{0,2000}|/\*.{0,20000}?\*/', re.DOTALL)
_TRAILING = re.compile(r",(\s{0,200}[}\]])")


def read_json(text: str) -> tuple[dict[str, Any], str]:
    """The object a JSON text holds, and the problem if it holds none."""
    if len(text) > SIZE_LIMIT:
        return {}, "larger than 1 MB: not read"
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        plain = _TRAILING.sub(r"\1", _COMMENT.sub(lambda match: match[1] or "", text))
        try:
            value = json.loads(plain)
        except (ValueError, RecursionError) as error:
            return {}, f"not valid JSON ({type(error).__name__})"
    return (value, "") if isinstance(value, dict) else ({}, "holds no object")


def read_toml(text: str) -> tuple[dict[str, Any], str]:
    """The table a TOML text holds, and the problem if it holds none."""
    if len(text) > SIZE_LIMIT:
        return {}, "larger than 1 MB: not read"
    try:
        return tomllib.loads(text), ""
    except (ValueError, RecursionError) as error:
        return {}, f"not valid TOML: {str(error)[:120]}"


def flat(value: Any, limit: int = 300) -> tuple[tuple[str, str], ...]:
    """Scalars below a decoded value as (dotted path, text cut at 300 characters)."""
    found: list[tuple[str, str]] = []
    pending: list[tuple[str, Any, int]] = [("", value, 0)]
    steps = 0
    while pending and steps < _WALK_LIMIT and len(found) < limit:
        steps += 1
        path, here, depth = pending.pop()
        prefix = f"{path}." if path else ""
        if isinstance(here, dict) and depth < _DEPTH_LIMIT:
            pending.extend((f"{prefix}{key}", inner, depth + 1) for key, inner in reversed(list(here.items())))
        elif isinstance(here, list) and depth < _DEPTH_LIMIT:
            pending.extend((f"{prefix}{index}", inner, depth + 1) for index, inner in reversed(list(enumerate(here))))
        elif path and not isinstance(here, dict | list):
            found.append((path, _text(here)))
    return tuple(found)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)[:300]


def line_of(text: str, *words: str) -> int:
    """The line that holds the last of `words`, each searched behind the one before; 0 when one is missing."""
    position = 0
    for word in words:
        position = text.find(word, position)
        if position < 0:
            return 0
    return text.count("\n", 0, position) + 1
