"""Routers, what is mounted where, and the full path of each endpoint. Part of the evidence ROUTES; knows no framework."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from auditor.evidence.route_names import Spot
from auditor.model.evidence import Route, RouteKind, Routes
from auditor.model.verdict import Place

_MOST_PLACES = 6
_DEPTH = 12


@dataclass(frozen=True, slots=True)
class Mount:
    """`child` is served by `parent` below `prefix`, behind what `through` names; `apart`: what the parent runs before its own routes does not apply to it."""

    parent: Spot
    child: Spot
    prefix: str
    line: int
    through: tuple[str, ...] = ()
    apart: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """An endpoint of one router: a route whose path is still relative to the router. `line` is that of the registration."""

    router: Spot | None
    route: Route
    line: int


@dataclass(frozen=True, slots=True)
class Layer:
    """Something a router runs before what is registered after `line` (or everywhere, `line` 0) below `prefix`."""

    router: Spot
    prefix: str
    name: str
    line: int


@dataclass(slots=True)
class Table:
    """What the readers of the frameworks collect."""

    prefixes: dict[Spot, str] = field(default_factory=dict)
    mounts: list[Mount] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    layers: list[Layer] = field(default_factory=list)
    unresolved: list[tuple[str, str]] = field(default_factory=list)
    parts: set[Spot] = field(default_factory=set)
    """Routers that serve nothing until something mounts them."""
    loops: list[Mount] = field(default_factory=list)
    """Mounts of whatever a loop or a parameter holds: `child` is the parent again."""
    opaque: list[Mount] = field(default_factory=list)
    """Mounts of what is not read, such as a library's router: `child` is the parent again."""

    def add(self, router: Spot | None, route: Route, line: int) -> None:
        """An endpoint of a router, or (None) one whose path is complete."""
        self.entries.append(Entry(router, route, line))

    def routes(self, unmounted: frozenset[Spot] = frozenset()) -> Routes:
        """All endpoints with full paths, by path of the file, line, method and path; those of `unmounted` routers apart."""
        placement = _Placement(self, unmounted)
        served = (entry for entry in self.entries if not placement.is_lost(entry.router))
        lost = (entry for entry in self.entries if placement.is_lost(entry.router))
        return Routes(
            _ordered(route for entry in served for route in placement.of(entry)),
            tuple(sorted(set(self.unresolved))),
            _ordered(route for entry in lost for route in placement.of(entry)),
            tuple(sorted({below for mount in self.opaque for below in placement.below(mount)}, key=lambda b: (b[0], b[1].path, b[1].line))),
        )


class _Placement:
    """Where the entries of a finished table are served."""

    def __init__(self, table: Table, unmounted: frozenset[Spot]) -> None:
        self._unmounted = unmounted
        self._prefixes = table.prefixes
        self._above: defaultdict[Spot, list[Mount]] = defaultdict(list)
        for mount in table.mounts:
            self._above[mount.child].append(mount)
        self._layers: defaultdict[Spot, list[Layer]] = defaultdict(list)
        for layer in table.layers:
            self._layers[layer.router].append(layer)
        if len({(loop.parent, loop.through) for loop in table.loops}) == 1:  # one loop mounts everything no other line mounts
            loop = table.loops[0]
            for spot in sorted(table.parts - self._above.keys() - {loop.parent}, key=lambda part: (part.path, part.name)):
                self._above[spot].append(replace(loop, child=spot))

    def is_lost(self, router: Spot | None, depth: int = _DEPTH) -> bool:
        """Whether a router, or all that it is mounted on, is mounted nowhere."""
        if router is None or router in self._unmounted or not depth:
            return router is not None and router in self._unmounted
        parents = {mount.parent for mount in self._above.get(router, ()) if mount.parent != router}
        return bool(parents) and all(self.is_lost(parent, depth - 1) for parent in parents)

    def below(self, mount: Mount) -> Iterator[tuple[str, Place]]:
        """Every path below which something is mounted that is not read."""
        place = place_of(mount.parent.path, mount.line)
        for number, (prefix, _) in enumerate(self._ways(mount.parent, mount.line, mount.prefix, frozenset())):
            if number < _MOST_PLACES:
                yield joined(prefix, mount.prefix) or "/", place

    def of(self, entry: Entry) -> Iterator[Route]:
        """The route once per place its router is mounted at."""
        if entry.router is None:
            yield _finished(entry.route, entry.route.path)
            return
        path = entry.route.path
        for number, (prefix, through) in enumerate(self._ways(entry.router, entry.line, path, frozenset())):
            if number == _MOST_PLACES:
                return
            names = tuple(dict.fromkeys((*through, *entry.route.through)))
            yield _finished(replace(entry.route, through=names), joined(prefix, path))

    def _ways(self, router: Spot, line: int, path: str, seen: frozenset[Spot]) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Every prefix a router is served below, with what runs before it."""
        layers = self._layers.get(router, ())
        own = tuple(layer.name for layer in layers if (layer.line == 0 or layer.line < line) and _covers(layer.prefix, path))
        prefix = self._prefixes.get(router, "")
        mounts = [mount for mount in self._above.get(router, ()) if mount.parent not in seen and mount.parent != router]
        if not mounts or len(seen) >= _DEPTH:
            yield prefix, own
            return
        for mount in mounts:
            inner = joined(mount.prefix, joined(prefix, path))
            for outer, through in self._ways(mount.parent, mount.line, inner, seen | {router}):
                yield joined(joined(outer, mount.prefix), prefix), (*(() if mount.apart else through), *mount.through, *own)


def _ordered(routes: Iterable[Route]) -> tuple[Route, ...]:
    return tuple(sorted(set(routes), key=lambda r: (r.place.path, r.place.line, r.method, r.path, r.handler, r.through)))


def _covers(prefix: str, path: str) -> bool:
    bare = prefix.rstrip("/*")
    return not bare or path == bare or path.startswith(bare + "/")


def joined(prefix: str, path: str) -> str:
    """Two parts of a path with one slash between them."""
    if path in {"", "/"}:
        return prefix or path
    return f"{prefix.rstrip('/')}/{path.lstrip('/')}" if prefix else path


def _finished(route: Route, path: str) -> Route:
    path = path if path.startswith(("/", "^", "{")) or route.kind in {RouteKind.WEBSOCKET, RouteKind.ACTION} else f"/{path}"
    kind = route.kind
    if kind is RouteKind.HTTP and route.method in {"POST", "ANY"} and _is_webhook(path):
        kind = RouteKind.WEBHOOK
    return replace(route, kind=kind, path=path)


def _is_webhook(path: str) -> bool:
    parts = path.lower().replace("_", "-").split("/")
    return any(part in {"webhook", "webhooks"} or part.endswith(("-webhook", "-webhooks")) or part.startswith("webhook-") for part in parts)


def place_of(path: str, line: int) -> Place:
    """The place of one line."""
    return Place(path, line, line)
