"""How a repository changes the structure of its data, as the checks on migrations need it: managed by a tool, made some other way, or not at all."""

from __future__ import annotations

import re
from collections import defaultdict
from enum import Enum

from auditor.model.evidence import MigrationStep, Stores

_DATED = re.compile(r"^\d{4}-\d\d-\d\d")
_BY_HAND = frozenset({"sql"})
"""Frameworks of numbered files for which no tool was found that runs them."""


class State(Enum):
    """What the structure of the data rests on."""

    NO_STORE = "no store"
    UNMANAGED = "unmanaged"  # made at start, by one SQL file, or by nothing in the repository
    UNSEEN = "unseen"  # a driver is used, and nothing shows whose database it is
    BY_HAND = "by hand"  # numbered files that nothing in the repository applies
    MANAGED = "managed"


def state_of(stores: Stores) -> State:
    """Which of the states a repository is in."""
    if stores.migrations:
        by_tool = any(step.framework not in _BY_HAND for step in stores.migrations) or any(name not in _BY_HAND for name, _ in stores.tools)
        return State.MANAGED if by_tool else State.BY_HAND
    if stores.created_at_start or stores.base_sql:
        return State.UNMANAGED
    if not stores.relational:
        return State.NO_STORE
    return State.UNMANAGED if stores.models or _named_tables(stores) else State.UNSEEN


def _named_tables(stores: Stores) -> bool:
    return any(kind in {"model_without_migration", "migrations_ignored", "structure_elsewhere"} for kind, _, _ in stores.problems)


def newest(stores: Stores, count: int = 10) -> tuple[tuple[MigrationStep, ...], int]:
    """The newest migrations that have something before them, oldest first, and how many there are altogether.

    The first one of a series starts from nothing, so nobody has to go back before it. Several series are merged by date where all
    are dated, else the longest speaks for the repository.
    """
    series: defaultdict[str, list[MigrationStep]] = defaultdict(list)
    for step in stores.migrations:
        series[step.series].append(step)
    later = {name: steps[1:] for name, steps in sorted(series.items())}
    together = [step for steps in later.values() for step in steps]
    if len(later) > 1 and not all(_DATED.match(step.order) for step in together):
        together = max(later.values(), key=len)
    else:
        together.sort(key=lambda step: (step.order, step.path))
    return tuple(together[-count:]), len(stores.migrations)
