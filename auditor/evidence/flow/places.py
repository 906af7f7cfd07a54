"""How much is known of the places where values do harm, from everywhere that leads to them: what one run saw, and what all runs together say.

A function is also followed on its own, its parameters unknown. Where the code that calls it is in sight and was followed, that says nothing: what
comes there is what its callers hand over.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from auditor.evidence.flow.values import Value
from auditor.languages import flow_ir as ir


class Certainty(IntEnum):
    """What is known of all values that came to a place; the smaller, the less."""

    OPEN = 0
    COMPOSED = 1
    """None is harmful, and what is not known stands inside of texts that functions of the code write."""
    SETTLED = 2
    """Every piece was seen, and none is harmful."""


Root = tuple[str, int, str]
"""A function that was followed on its own: path, line, name; line 0 for what runs when the file is loaded."""
Place = tuple[str, int, int, str]
"""Path, first and last line, weakness; "*" for a call that could not be followed to its end."""
UNFOLLOWED = "*"


@dataclass(slots=True)
class Places:
    """What one run saw; `within` is what the call that is being followed did, as it is said of the line it stands on."""

    root: Root = ("", 0, "")
    seen: dict[tuple[Place, Root], Certainty] = field(default_factory=dict)
    entries: set[Root] = field(default_factory=set)
    called: set[Root] = field(default_factory=set)
    dropped: set[Root] = field(default_factory=set)
    within: dict[str, Certainty] = field(default_factory=dict)

    def judge(self, path: str, lines: tuple[int, int], weakness: str, value: Value) -> None:
        """A value came to a place."""
        certainty = Certainty.SETTLED if value.settled(weakness) else Certainty.COMPOSED if value.closed(weakness) else Certainty.OPEN
        self.note((path, *lines, weakness), certainty)
        self.include({weakness: certainty})

    def note(self, place: Place, certainty: Certainty) -> None:
        """Remember the least that is known of a place."""
        key = (place, self.root)
        self.seen[key] = min(self.seen.get(key, certainty), certainty)

    def include(self, done: dict[str, Certainty]) -> None:
        """What was done on the way belongs to the call that is being followed."""
        for weakness, certainty in done.items():
            self.within[weakness] = min(self.within.get(weakness, certainty), certainty)

    def drop(self, function: ir.Function, path: str, given: Iterable[Value]) -> None:
        """A call was not followed; with nothing unknown in its hands it does no harm."""
        if not all(value.settled("") for value in given):
            self.dropped.add((path, function.line, function.name))
            self.include({UNFOLLOWED: Certainty.OPEN})

    def of_call(self, path: str, call: ir.Call, outside: dict[str, Certainty]) -> None:
        """A call was followed: all it did is said of its lines too, and belongs to the call around it."""
        inside, self.within = self.within, outside
        for weakness, certainty in inside.items():
            self.note((path, call.line, call.end_line, weakness), certainty)
        self.include(inside)

    def stored(self) -> list[list[tuple[str | int, ...]]]:
        """Everything as rows of plain values."""
        seen: list[tuple[str | int, ...]] = [(*place, *root, int(certainty)) for (place, root), certainty in self.seen.items()]
        return [seen, sorted(self.entries), sorted(self.called), sorted(self.dropped)]

    @staticmethod
    def of(rows: list[list[list[Any]]]) -> Places:
        """What `stored` gave."""
        seen = {((row[0], row[1], row[2], row[3]), (row[4], row[5], row[6])): Certainty(row[7]) for row in rows[0]}
        entries, called, dropped = ({(row[0], row[1], row[2]) for row in part} for part in rows[1:])
        return Places(seen=seen, entries=entries, called=called, dropped=dropped)


def together(runs: Iterable[Places], mentioned: Callable[[str], bool]) -> dict[Place, Certainty]:
    """What all runs together say of each place; `mentioned` tells whether code that was not followed has a name in it."""
    given = list(runs)
    called = set().union(*(run.called - run.dropped for run in given)) - set().union(*(run.entries | run.dropped for run in given))
    contexts: defaultdict[Place, dict[Root, Certainty]] = defaultdict(dict)
    for run in given:
        for (place, root), certainty in run.seen.items():
            contexts[place][root] = min(contexts[place].get(root, certainty), certainty)
    elsewhere: dict[Root, bool] = {}

    def counts(root: Root) -> bool:
        if root not in called:
            return True
        if root not in elsewhere:
            elsewhere[root] = bool(root[2]) and mentioned(root[2])
        return elsewhere[root]

    found: dict[Place, Certainty] = {}
    for place, by_root in contexts.items():
        certain = [c for root, c in by_root.items() if root not in called]
        doubtful = [c for root, c in by_root.items() if root in called and c < min(certain, default=Certainty.OPEN) and counts(root)]
        if certain:
            found[place] = min([*certain, *doubtful])
    return found
