"""Reads the small language in which PostgREST is told what to select: `id, total, buyer:users!orders_buyer_fkey(name), notes->>text`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_LIMIT = 4_000
_DEPTH = 6
_NAME = re.compile(r"^\"?([A-Za-z_]\w*)\"?$")
_CONDITION = re.compile(
    r"^\"?(\w+)\"?\.(?:not\.)?(?:eq|neq|gte?|lte?|i?like|is|in|cs|cd|ov|fts|plfts|phfts|wfts|match|imatch|sl|sr|nxr|nxl|adj)[.(]"
)


@dataclass(frozen=True, slots=True)
class Selected:
    """One column of the table that is asked, or with `inside` something of a related one: `relation` names it, `inside` is its own list."""

    column: str = ""
    relation: str = ""
    inside: str = ""


def selected(text: str) -> Iterator[Selected]:
    """What a select list names, holes (`{}`), stars and counts left out."""
    for piece in _pieces(text[:_LIMIT]):
        name, bracket, rest = piece.partition("(")
        if bracket:
            relation = name.rpartition(":")[2].strip().removeprefix("...").partition("!")[0].strip()
            if _NAME.match(relation) and rest.endswith(")"):
                yield Selected(relation=relation, inside=rest[:-1])
            continue
        plain = re.split(r"::|->|\.", _without_alias(piece), maxsplit=1)[0].strip()
        found = _NAME.match(plain)
        if found and found[1] != "count":
            yield Selected(column=found[1])


def conditions(text: str) -> Iterator[str]:
    """The columns of a condition: `a.eq.1,and(b.gt.2,c.is.null)`."""
    pending = [(text[:_LIMIT], 0)]
    while pending:
        inner, depth = pending.pop()
        for piece in _pieces(inner):
            group = re.match(r"^(?:not\.)?(?:and|or)\(([\s\S]*)\)$", piece)
            if group and depth < _DEPTH:
                pending.append((group[1], depth + 1))
                continue
            found = _CONDITION.match(piece)
            if found:
                yield found[1]


def _without_alias(piece: str) -> str:
    """The column of `alias:column`; `column::type` has no alias."""
    return re.sub(r"^\s*\"?\w+\"?\s*:(?!:)", "", piece)


def _pieces(text: str) -> Iterator[str]:
    """The parts between commas that stand in no bracket and no quotes."""
    depth, start, quoted = 0, 0, False
    for place, sign in enumerate(text):
        if sign == '"':
            quoted = not quoted
        elif quoted:
            continue
        elif sign == "(":
            depth += 1
        elif sign == ")":
            depth -= 1
        elif sign == "," and depth <= 0:
            yield text[start:place].strip()
            start = place + 1
    yield text[start:].strip()
