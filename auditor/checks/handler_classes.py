"""What stands before a handler: the guards and middleware of its route, and the classes it is a method of."""

from __future__ import annotations

from auditor.model.evidence import Route
from auditor.model.syntax import DefinitionKind, Syntax


def names_before(route: Route, syntax: Syntax) -> tuple[str, ...]:
    """The names a caller passes on the way to the handler; for a method, the bases of its class, which often hold the check."""
    facts = syntax.files.get(route.place.path)
    if facts is None or not 0 <= route.handler_scope < len(facts.definitions):
        return route.through
    parent = facts.definitions[route.handler_scope].parent
    if parent < 0 or facts.definitions[parent].kind is not DefinitionKind.CLASS:
        return route.through
    return (*route.through, *facts.definitions[parent].bases)
