"""JSON and TOML manifests of platforms: the object of a JSON text, scalars under dotted names, and the line a key stands on."""

from __future__ import annotations

from typing import Any

from auditor.languages.structured import load_json

SIZE_LIMIT = 1_000_000
_WALK_LIMIT = 20_000
_DEPTH_LIMIT = 40


def read_json(text: str) -> tuple[dict[str, Any], str]:
    """The object a JSON text holds, and the problem if it holds none."""
    if len(text) > SIZE_LIMIT:
        return {}, "larger than 1 MB: not read"
    value, problem = load_json(text)
    return (value, problem) if isinstance(value, dict) else ({}, problem or "holds no object")


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
