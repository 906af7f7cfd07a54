"""What the module graph says about the structure of the code: what hangs together, what a change reaches, and what stands where it should not."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measure:
    """How one module is tied to the others of production code by imports that run.

    `fan_in`, `fan_out`: modules that import it, and that it imports; `dependents`, `dependencies`: the same over any number of steps.
    `betweenness`: the share of shortest ways between two other modules that lead through it (0 to 1).
    """

    id: str
    fan_in: int
    fan_out: int
    dependents: int
    dependencies: int
    betweenness: float


@dataclass(frozen=True, slots=True)
class Cut:
    """An import whose removal, together with the others of the same circle, leaves the circle open; `names`: how many names it brings."""

    source: str
    target: str
    line: int
    names: int


@dataclass(frozen=True, slots=True)
class Folder:
    """One folder of modules in Martin's terms: `incoming` and `outgoing` count modules elsewhere that import its modules, or that its modules import.

    `instability` is outgoing / (incoming + outgoing), `abstractness` the share of its definitions that only describe (interfaces, protocols, abstract
    classes, types), `distance` how far it is from their balance, abs(abstractness + instability - 1); all 0 to 1.
    """

    path: str
    modules: int
    lines: int
    incoming: int
    outgoing: int
    instability: float
    abstractness: float
    distance: float


@dataclass(frozen=True, slots=True)
class Community:
    """Modules that hang together by their imports: `folder` is where most of them lie, `share` how many of them do (0 to 1)."""

    members: tuple[str, ...]
    folder: str
    share: float


@dataclass(frozen=True, slots=True)
class Breach:
    """An import from a layer to one above it."""

    source: str
    target: str
    line: int
    lower: str
    upper: str


@dataclass(frozen=True, slots=True)
class Structure:
    """Production modules measured as a graph.

    `propagation_cost`: the mean share of modules that a change in one can reach (MacCormack 2006), 0 to 1. `cuts` are those that open the circles of
    import time.
    """

    measures: tuple[Measure, ...]
    folders: tuple[Folder, ...]
    communities: tuple[Community, ...]
    cuts: tuple[Cut, ...]
    breaches: tuple[Breach, ...]
    propagation_cost: float
