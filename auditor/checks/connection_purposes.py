"""What a connection that a request makes is for: asking the product's own database, or something that is done once, or a database that somebody else names."""

from __future__ import annotations

import re

from auditor.checks.database_handles import Handle
from auditor.checks.lifetimes import Lifetimes
from auditor.model.syntax import Call, FileFacts

_ONCE = re.compile(
    r"set-?_?up|migrat|init(?:ial)?[-_]?(?:db|database)|(?:db|database)[-_]is|back-?_?up|restore|install|upgrade|import|test[-_]?connection|connection[-_]?test",
    re.IGNORECASE,
)
"""Names of files, functions and requests that do something once, or try an address out."""


def answers_requests(facts: FileFacts, handle: Handle, lifetimes: Lifetimes) -> bool:
    """Whether a connection that is made with a request serves that request from the product's own database, day by day."""
    return not _somebody_elses(facts, handle.call) and not any(_ONCE.search(name) for name in _names(facts, handle, lifetimes))


def _names(facts: FileFacts, handle: Handle, lifetimes: Lifetimes) -> tuple[str, ...]:
    """What the file, the function and the request around a handle are called."""
    function = facts.definitions[handle.scope].name if handle.scope >= 0 else ""
    return facts.path.rpartition("/")[2], function, lifetimes.request(handle.path, handle.scope)


def _somebody_elses(facts: FileFacts, call: Call) -> bool:
    """Whether the address comes in through a parameter: a product that opens databases its users name."""
    definition = facts.definitions[call.scope] if call.scope >= 0 else None
    if definition is None:
        return False
    given = {parameter.name for parameter in definition.parameters if parameter.default is None} - {"self", "cls", "req", "request", "res", "ctx", "event", "context", "settings", "config", "env", "app"}  # fmt: skip
    names = {name.partition(".")[0] for argument in call.arguments for name in argument.value.names}
    return bool(given & names)
