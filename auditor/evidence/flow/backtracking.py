"""Whether a constant regular expression can keep a backtracking engine busy for time exponential in the length of the text.

The test is exact on what it reads: in the position automaton (Glushkov) a text can be read in exponentially many ways if, and only if, some position
comes back to itself on one word by two different ways (Weber and Seidl 1991, "On the degree of ambiguity of finite automata"). Ways that differ only
in which of two nested loops is repeated count as different, as engines try both. An expression with back references, atomic groups,
or assertions inside a loop is not decided, nor is one whose loop may end in a match whatever follows. Nothing here matches anything.
"""

from __future__ import annotations

import functools
import importlib
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import networkx as nx

_parser: Any = importlib.import_module("re._parser")  # the standard library's own reader of expressions; it has no public name
_LETTERS = 129
"""ASCII, and one letter for everything else."""
_OTHER, _END = 128, 129
_ALL = (1 << _LETTERS) - 1
_COPIES = 6
"""A counted repetition is written out this often at most."""
_MOST_POSITIONS = 90
_LONGEST = 1_000
_JS_GROUP = re.compile(r"\(\?<(?=[A-Za-z_])")


class _UndecidedError(Exception):
    """The expression holds something this reading does not cover."""


@dataclass(slots=True)
class _Automaton:
    """Positions with the letters they read, and how often one follows another."""

    ascii_words: bool
    letters: list[int] = field(default_factory=list)
    follows: Counter[tuple[int, int]] = field(default_factory=Counter)

    def add(self, letters: int) -> _Part:
        """A new position."""
        if len(self.letters) >= _MOST_POSITIONS:
            raise _UndecidedError
        self.letters.append(letters)
        number = frozenset({len(self.letters) - 1})
        return _Part(number, number, empty=False)

    def link(self, ends: frozenset[int], starts: frozenset[int]) -> None:
        """Every one of `starts` may come after every one of `ends`."""
        for end in ends:
            for start in starts:
                self.follows[end, start] += 1


@dataclass(frozen=True, slots=True)
class _Part:
    """What a piece of an expression begins with, ends with, and whether it can be empty."""

    first: frozenset[int] = frozenset()
    last: frozenset[int] = frozenset()
    empty: bool = True


@functools.lru_cache(maxsize=2_000)
def is_exponential(pattern: str, *, whole: bool = False, ascii_words: bool = False) -> bool:
    r"""Whether some text takes exponential time; False where that is not decided.

    `whole`: all of the text has to match. `ascii_words`: `\w` and `\d` mean ASCII alone, as in JavaScript.
    """
    if len(pattern) > _LONGEST or "\n" in pattern or not re.search(r"[+*},]", pattern):
        return False
    automaton = _Automaton(ascii_words)
    try:
        tree = _parser.parse(_JS_GROUP.sub("(?P<", pattern))
        part = _sequence(list(tree), automaton, looped=False)
        if whole:
            part = _joined(part, automaton.add(1 << _END), automaton)
    except (re.error, _UndecidedError, OverflowError, RecursionError):
        return False
    return _ambiguous(automaton, part.last)


def _ambiguous(automaton: _Automaton, accepting: frozenset[int]) -> bool:
    graph: nx.DiGraph[Any] = nx.DiGraph(list(automaton.follows))
    for component in nx.strongly_connected_components(graph):
        inner = [(a, b) for a, b in automaton.follows if a in component and b in component]
        if inner and not component & accepting and _two_ways(automaton, inner) and _can_fail(automaton, component, graph):
            return True
    return False


def _two_ways(automaton: _Automaton, edges: list[tuple[int, int]]) -> bool:
    """Whether one word leads from a position back to it by two ways."""
    if any(automaton.follows[edge] > 1 for edge in edges):
        return True
    pairs: nx.DiGraph[Any] = nx.DiGraph()
    pairs.add_edges_from(((a, b), (c, d)) for a, c in edges for b, d in edges if automaton.letters[c] & automaton.letters[d])
    return any(
        any(a == b for a, b in component) and any(a != b for a, b in component) for component in nx.strongly_connected_components(pairs)
    )


def _can_fail(automaton: _Automaton, component: set[int], graph: nx.DiGraph[Any]) -> bool:
    """Whether a letter exists that nothing takes once the loop has run: without one the first try succeeds."""
    read = 0
    for position in component:
        read |= automaton.letters[position]
    reached, pending = set(component), list(component)
    taken = 0
    while pending:
        for after in graph.successors(pending.pop()):
            taken |= automaton.letters[after]
            if after not in reached and automaton.letters[after] & read:
                reached.add(after)
                pending.append(after)
    return taken & _ALL != _ALL


# -- reading -----------------------------------------------------------------------------------------------------------------------


def _joined(left: _Part, right: _Part, automaton: _Automaton) -> _Part:
    automaton.link(left.last, right.first)
    first = left.first | right.first if left.empty else left.first
    last = left.last | right.last if right.empty else right.last
    return _Part(first, last, left.empty and right.empty)


def _sequence(items: list[Any], automaton: _Automaton, *, looped: bool) -> _Part:
    whole = _Part()
    for operation, argument in items:
        whole = _joined(whole, _piece(str(operation), argument, automaton, looped=looped), automaton)
    return whole


def _piece(operation: str, argument: Any, automaton: _Automaton, *, looped: bool) -> _Part:
    if operation in {"LITERAL", "NOT_LITERAL", "ANY", "IN"}:
        return automaton.add(_letters(operation, argument, beyond=0 if automaton.ascii_words else 1 << _OTHER))
    if operation == "SUBPATTERN":
        return _sequence(list(argument[-1]), automaton, looped=looped)
    if operation == "BRANCH":
        parts = [_sequence(list(branch), automaton, looped=looped) for branch in argument[1]]
        return _Part(
            frozenset().union(*(part.first for part in parts)),
            frozenset().union(*(part.last for part in parts)),
            any(part.empty for part in parts),
        )
    if operation in {"MAX_REPEAT", "MIN_REPEAT"}:
        return _repeated(argument, automaton, looped=looped)
    if operation == "AT" and not looped:
        return automaton.add(1 << _END) if str(argument).startswith("AT_END") else _Part()
    if operation in {"ASSERT", "ASSERT_NOT"} and not looped:
        return _Part()
    raise _UndecidedError


def _repeated(argument: Any, automaton: _Automaton, *, looped: bool) -> _Part:
    """`x{2,4}` is read as `xx(x(x)?)?`, `x{2,}` as `xx+`: neither adds a choice that an engine does not have."""
    least, most, items = int(argument[0]), argument[1], list(argument[2])
    endless = str(most) == "MAXREPEAT"
    whole = _Part()
    if endless:
        whole = _sequence(items, automaton, looped=True)
        automaton.link(whole.last, whole.first)
        whole = _Part(whole.first, whole.last, whole.empty or least == 0)
        least -= 1
    else:
        for _ in range(min(int(most), _COPIES) - min(least, _COPIES)):
            inner = _joined(_sequence(items, automaton, looped=looped), whole, automaton)
            whole = _Part(inner.first, inner.last, empty=True)
    for _ in range(min(least, _COPIES)):
        whole = _joined(_sequence(items, automaton, looped=looped), whole, automaton)
    return whole


def _letters(operation: str, argument: Any, beyond: int) -> int:
    """The letters an item reads; `beyond` is what of the letters outside ASCII belongs to words."""
    if operation == "LITERAL":
        return 1 << min(int(argument), _OTHER)
    if operation == "NOT_LITERAL":
        return _ALL & ~(1 << int(argument)) if int(argument) < _OTHER else _ALL
    if operation == "ANY":
        return _ALL & ~(1 << ord("\n"))
    found, negated = 0, False
    for kind, value in argument:
        name = str(kind)
        if name == "NEGATE":
            negated = True
        elif name == "LITERAL":
            found |= 1 << min(int(value), _OTHER)
        elif name == "RANGE":
            found |= sum(1 << code for code in range(min(value[0], _OTHER), min(value[1], _OTHER) + 1))
        elif name == "CATEGORY":
            found |= _category(str(value), beyond)
        else:
            raise _UndecidedError
    # what lies beyond ASCII is one letter: a class that names some of it leaves some of it
    return _ALL & ~(found & ~(1 << _OTHER)) if negated else found


def _category(name: str, beyond: int) -> int:
    kind = name.rpartition("_")[2]
    tests: dict[str, Callable[[str], bool]] = {
        "DIGIT": str.isdigit,
        "SPACE": str.isspace,
        "WORD": lambda letter: letter.isalnum() or letter == "_",
    }
    if kind not in tests:
        raise _UndecidedError
    found = sum(1 << code for code in range(_OTHER) if tests[kind](chr(code)))
    if kind == "WORD":
        found |= beyond
    return _ALL & ~found if "_NOT_" in name else found
