"""Two members of a family of copies side by side, with what differs marked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from auditor.model.report import CloneReport, CopySample, Stretch

LINES, EXACT_LINES = 18, 8
"""Lines of a pair that are printed: where something differs, and where nothing does."""
_TOKEN = re.compile(r"\w+|\s+|[^\w\s]")
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a line, and whether the other side has something else there."""

    text: str
    differs: bool


@dataclass(frozen=True, slots=True)
class Side:
    """A line of one side; `number` is 0 where the other side has a line and this one has none."""

    number: int
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """The pair of one family: its rows, how many words were exchanged, and whether it goes on."""

    left: Stretch
    right: Stretch
    rows: tuple[tuple[Side, Side], ...]
    renamed: int
    more: bool


_NONE = Side(0, ())


def pairs(clones: CloneReport | None) -> dict[int, Pair]:
    """The pairs by the number of their family in the report."""
    return {sample.family: _pair(sample) for sample in (clones.samples if clones else ())}


def _pair(sample: CopySample) -> Pair:
    left, right = (_dedented(part.text) for part in (sample.left, sample.right))
    rows: list[tuple[Side, Side]] = []
    exchanged: set[tuple[str, str]] = set()
    plain = ([line.strip() for line in left], [line.strip() for line in right])
    for kind, a, b, c, d in _shared(SequenceMatcher(None, *plain, autojunk=False).get_opcodes()):
        for step in range(max(b - a, d - c)):
            one = left[a + step] if a + step < b else None
            other = right[c + step] if c + step < d else None
            pieces = ((Piece(one or "", False),), (Piece(other or "", False),)) if kind == "equal" else _compared(one, other, exchanged)
            rows.append(
                (
                    _NONE if one is None else Side(sample.left.line + a + step, pieces[0]),
                    _NONE if other is None else Side(sample.right.line + c + step, pieces[1]),
                )
            )
    shown = LINES if exchanged else EXACT_LINES
    return Pair(sample.left, sample.right, tuple(rows[:shown]), len(exchanged), len(rows) > shown)


def _shared(steps: Sequence[tuple[str, int, int, int, int]]) -> Sequence[tuple[str, int, int, int, int]]:
    """The steps without what only one side has at the beginning and the end, where a member reaches further than the other."""
    both = [number for number, (_, a, b, c, d) in enumerate(steps) if b - a == d - c]
    return steps[both[0] : both[-1] + 1] if both else steps


def _dedented(lines: tuple[str, ...]) -> list[str]:
    margin = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return [line[margin:].replace("\n", " ") for line in lines]


def _compared(one: str | None, other: str | None, exchanged: set[tuple[str, str]]) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """Both lines in pieces; a line without a twin differs as a whole."""
    if one is None or other is None:
        return (Piece(one or "", True),), (Piece(other or "", True),)
    tokens = _TOKEN.findall(one.lstrip()), _TOKEN.findall(other.lstrip())
    found = ([Piece(_margin(one), False)], [Piece(_margin(other), False)])
    for kind, a, b, c, d in SequenceMatcher(None, *tokens, autojunk=False).get_opcodes():
        for side, part in ((0, tokens[0][a:b]), (1, tokens[1][c:d])):
            if part:
                found[side].append(Piece("".join(part), kind != "equal"))
        if kind == "replace":
            words = (_WORD.findall("".join(tokens[0][a:b])), _WORD.findall("".join(tokens[1][c:d])))
            exchanged.update(pair for pair in zip(*words, strict=False) if pair[0] != pair[1])
    return tuple(found[0]), tuple(found[1])


def _margin(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]
