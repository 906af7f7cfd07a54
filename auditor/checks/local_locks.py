"""Locks that keep nobody out: made anew by each call of the function that takes them, and never handed to anybody else."""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.model.syntax import Call, DefinitionKind, FileFacts
from auditor.model.verdict import Confidence, Finding

_LOCKS = re.compile(
    r"^(?:threading|asyncio|multiprocessing|trio|anyio)\.(?:R?Lock|Semaphore|BoundedSemaphore)$|^new (?:Mutex|AsyncLock|AwaitLock)$"
)
_IMPORTED = frozenset({"Lock", "RLock"})
_TAKES = frozenset({"acquire", "runExclusive", "lock"})


def local_locks(facts: FileFacts, text: str) -> Iterator[Finding]:
    """Each of them in one file."""
    names = {name for entry in facts.imports if entry.module in {"threading", "asyncio", "multiprocessing"} for name, _ in entry.names}
    lines = text.split("\n")
    for call in facts.calls:
        is_lock = _LOCKS.match(call.callee) is not None or (call.callee in _IMPORTED and call.callee in names)
        if is_lock and re.fullmatch(r"[A-Za-z_$][\w$]*", call.target) and _is_own(call, facts) and _is_taken(call, facts, lines):
            message = f"The lock {call.target} is made anew by each call of this function, so nobody ever waits for it: two at once still get in each other's way."
            yield Finding("lock-of-one-call", facts.path, message, call.line, call.end_line, Confidence.HIGH, "syntax", 667)


def _is_own(call: Call, facts: FileFacts) -> bool:
    """Whether nobody but this one call of the function can hold the lock."""
    if call.scope < 0 or facts.definitions[call.scope].kind is DefinitionKind.CLASS:
        return False
    if any(definition.parent == call.scope for definition in facts.definitions):
        return False  # functions inside may run side by side
    given = {name for other in facts.calls if other.scope == call.scope for argument in other.arguments for name in argument.value.names}
    kept = {
        name
        for entry in (*facts.assignments, *facts.returns)
        if entry.scope == call.scope and entry.value is not None and entry.line != call.line
        for name in entry.value.names
    }
    used = {
        other.callee.rpartition(".")[2]
        for other in facts.calls
        if other.scope == call.scope and other.callee.partition(".")[0] == call.target
    }
    return call.target not in given | kept and used <= _TAKES | {"release", "locked"}


def _is_taken(call: Call, facts: FileFacts, lines: list[str]) -> bool:
    taken = any(
        other.scope == call.scope and other.callee.partition(".")[0] == call.target and other.callee.rpartition(".")[2] in _TAKES
        for other in facts.calls
    )
    body = "\n".join(lines[call.line : facts.definitions[call.scope].end_line])
    return taken or re.search(rf"\bwith\s+{re.escape(call.target)}\s*:", body) is not None
