"""Layers of a program: which one a module belongs to by the name of its folder, and which imports lead upwards. Paths and names in, nothing read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath

_NAMES = {
    "ui": "components component screens widgets pages templates",
    "routes": "routes route routers router controllers controller endpoints handlers resolvers blueprints",
    "services": "services service usecases use_cases use-cases domain",
    "data": "models model db database repositories repository entities entity dao dal daos queries",
}
ORDER = ("routes", "services", "data")
"""Inferred layers between which the direction counts, the uppermost first. The pages' own code is left out: its services open dialogs and show parts of pages by design."""
_LAYER = {word: layer for layer, words in _NAMES.items() for word in words.split()}
_KIND = re.compile(r"\.(controller|service|resolver|repository|entity|model)\.[cm]?[jt]s$")
_SETS_UP = re.compile(r"(?:^|[_-])(?:init|seeds?|seeders?|bootstrap|setup|populate|fixtures?|migrat\w*|registry|factory)(?:[_-]|$)")
"""Modules that put a program together stand in some layer's folder and in none of the layers."""
_FEWEST_DOWN = 6
"""Imports downwards between layers from which their order is known."""
_PUTS_TOGETHER = 3
"""A module that imports so many from above puts the program together, whatever its folder is called."""
_MOST_UP = 0.2
"""Where a larger share of the imports between layers leads upwards, the names do not mean layers."""

Placed = Mapping[str, str]
Pair = tuple[str, str]


def inferred_layer(path: str, *, browser: bool) -> str:
    """The layer that the innermost telling name of a path stands for, "" for none; code for the browser belongs to the pages."""
    if browser:
        return "ui"
    kind = _KIND.search(path)
    place = PurePosixPath(path)
    stem = place.name.split(".", 1)[0]
    if _SETS_UP.search(stem.lower()):
        return ""
    words = [kind[1]] if kind else [stem, *reversed(place.parts[:-1])]
    return next((layer for word in words if (layer := _LAYER.get(word.lower(), ""))), "")


def upward(edges: Iterable[Pair], placed: Placed, order: Sequence[str] = ORDER, *, declared: bool = False) -> tuple[Pair, ...]:
    """The edges (lower, upper) from a layer to one above it. Of inferred layers they count only where nearly all imports between layers lead down."""
    height = {name: number for number, name in enumerate(order)}
    between = [(one, two) for one, two in edges if placed.get(one) in height and placed.get(two) in height and placed[one] != placed[two]]
    up = sorted((one, two) for one, two in between if height[placed[two]] < height[placed[one]])
    down = len(between) - len(up)
    if not declared:
        counts = Counter(one for one, _ in up)
        up = [(one, two) for one, two in up if counts[one] < _PUTS_TOGETHER]
    return tuple(up) if declared or (down >= _FEWEST_DOWN and len(up) <= _MOST_UP * len(between)) else ()
