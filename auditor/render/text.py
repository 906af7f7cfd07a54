"""Text for people: makes hostile characters visible, cuts and aligns by display width. Plurals and figures: `auditor.words`."""

from __future__ import annotations

import unicodedata

_HARMLESS = frozenset("\t\n")
_NAMES = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Control, format (bidi and zero-width), surrogate, private and unassigned characters, line separators: nothing a reader would see."""

_INVISIBLE_LETTERS = frozenset("\u115f\u1160\u3164\uffa0\u2800\u034f")
"""Letters and marks that print as nothing (Hangul fillers, blank Braille, grapheme joiner)."""


def is_hidden(character: str) -> bool:
    """Whether a reader would not see the character, or would see the text around it in another order."""
    return character in _INVISIBLE_LETTERS or unicodedata.category(character) in _HIDDEN_CATEGORIES


def name_of(character: str) -> str:
    """How a hidden character is written out: a backslash escape."""
    code = ord(character)
    return _NAMES.get(character) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")


def visible(text: str) -> str:
    """The text on one line with every hidden character written out, so that a file name can neither colour nor reorder a terminal."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(name_of(character) if is_hidden(character) else character for character in text)


def width(text: str) -> int:
    """Columns the text takes in a terminal."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def cut(text: str, columns: int) -> str:
    """The text, shortened with an ellipsis to at most `columns` columns."""
    if width(text) <= columns:
        return text
    kept, used = [], 0
    for character in text:
        used += width(character)
        if used > columns - 1:
            break
        kept.append(character)
    return "".join(kept).rstrip() + "…"


def cut_path(path: str, columns: int) -> str:
    """A path shortened from the left: its end says more than its beginning."""
    if width(path) <= columns:
        return path
    kept: list[str] = []
    used = 0
    for character in reversed(path):
        used += width(character)
        if used > columns - 1:
            break
        kept.append(character)
    return "…" + "".join(reversed(kept))


def pad(text: str, columns: int) -> str:
    """The text, cut or filled with blanks to exactly `columns` columns."""
    text = cut(text, columns)
    return text + " " * (columns - width(text))


def wrap(text: str, columns: int, lines: int) -> list[str]:
    """The text broken at blanks into at most `lines` lines; the last one is cut."""
    result: list[str] = []
    words = text.split()
    while words and len(result) < lines:
        if len(result) == lines - 1:
            result.append(cut(" ".join(words), columns))
            break
        line = words.pop(0)
        while words and width(line) + 1 + width(words[0]) <= columns:
            line += " " + words.pop(0)
        result.append(cut(line, columns))
    return result
