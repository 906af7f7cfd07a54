"""Routers that nothing includes and nothing imports: what is written on them answers nobody. Part of the evidence ROUTES.

Only what is certain counts: where modules are loaded by computed names, or a loop mounts whatever it is given, nothing is said to be unmounted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from auditor.evidence.route_names import Names, Spot
from auditor.evidence.route_table import Table
from auditor.model.syntax import FileFacts, Value, ValueKind

_LOADERS = re.compile(
    r"^(?:importlib\.)?import_module$|^__import__$|^pkgutil\.|(?:^|\.)(?:iter_modules|walk_packages|entry_points|autodiscover\w*)$|^(?:import\.meta\.glob\w*|require\.context|\w*[aA]uto[lL]oad)$"
)
_COMPUTED = frozenset({"require", "import"})


def unmounted_routers(names: Names, table: Table, files: Iterable[FileFacts]) -> frozenset[Spot]:
    """The routers of a finished table that no line of `files` mounts or mentions; none where there is no application to mount them on."""
    listed = tuple(files)
    mounted = {mount.child for mount in table.mounts}
    left = table.parts - mounted
    has_application = any(entry.router not in table.parts for entry in table.entries) or any(
        mount.parent not in table.parts for mount in table.mounts
    )
    if not left or table.loops or not has_application or any(_loads_by_name(facts) for facts in listed):
        return frozenset()
    named = {spot for facts in listed for spot in _imported(names, facts)}
    texts = frozenset(literal.text for facts in listed for literal in facts.literals if len(literal.text) < 200)
    return frozenset(spot for spot in left if not (_is_named(spot, named) or _is_used_at_home(names, spot) or _is_written(spot, texts)))


def _loads_by_name(facts: FileFacts) -> bool:
    return any(
        _LOADERS.search(call.callee)
        or (call.callee in _COMPUTED and bool(call.arguments) and call.arguments[0].value.kind is not ValueKind.STRING)
        for call in facts.calls
    )


def _imported(names: Names, facts: FileFacts) -> Iterator[Spot]:
    """What a file's imports bring in: names, and whole modules under the name ""."""
    for statement in facts.imports:
        module = names.resolved_module(facts.path, statement.module)
        if module and (not statement.names or not facts.path.endswith(".py") or any(original == "*" for original, _ in statement.names)):
            yield Spot(module, "")
        for _, local in statement.names:
            spot = names.spot(facts.path, local)
            if spot is not None and spot.path != facts.path:
                yield spot
    for call in facts.calls:  # require("./orders")
        if call.callee == "require" and call.arguments and call.arguments[0].value.kind is ValueKind.STRING:
            module = names.resolved_module(facts.path, call.arguments[0].value.literal)
            if module:
                yield Spot(module, "")


def _is_named(spot: Spot, named: set[Spot]) -> bool:
    return Spot(spot.path, "") in named or spot in named or Spot(spot.path, spot.name.partition(".")[0]) in named


def _is_used_at_home(names: Names, spot: Spot) -> bool:
    """Whether the router's own file hands it on: to a call, a list, a caller."""
    facts = names.facts[spot.path]
    values = [argument.value for call in facts.calls for argument in call.arguments]
    values += [a.value for a in (*facts.assignments, *facts.returns) if a.value is not None and not a.target.endswith("exports")]
    return any(_mentions(value, spot.name) for value in values)


def _mentions(value: Value, name: str) -> bool:
    return value.kind is not ValueKind.FUNCTION and name in value.names


def _is_written(spot: Spot, texts: frozenset[str]) -> bool:
    """Whether a text names the module: "app.api.orders:router", "./routes/orders"."""
    place = PurePosixPath(spot.path)
    tail = "/".join(place.with_suffix("").parts[-2:])
    return any(tail in text or tail.replace("/", ".") in text for text in texts)
