"""Calls that hang on one another: `client.from("orders").select("id").eq("state", 1)` step by step. Knows no library."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from auditor.languages.migrations import last
from auditor.model.syntax import Call, FileFacts, Value


@dataclass(frozen=True, slots=True)
class Chain:
    """The calls of one chain in the order they are carried out; `head`: the dotted name in front of the first one's own."""

    calls: tuple[Call, ...]

    @property
    def head(self) -> str:
        """What the first call is made on: `client` of `client.from(...)`, "" for a function by itself."""
        return self.calls[0].callee.rpartition(".")[0]

    @property
    def steps(self) -> tuple[str, ...]:
        """The names of the calls, in order."""
        return tuple(last(call.callee) for call in self.calls)

    @property
    def target(self) -> str:
        """The name the result is bound to."""
        return self.calls[-1].target

    def step(self, *names: str) -> Call | None:
        """The first call of one of the names."""
        return next((call for call in self.calls if last(call.callee) in names), None)

    def given(self, *names: str) -> Value | None:
        """The first argument of the first call of one of the names."""
        call = self.step(*names)
        return call.argument("", 0) if call is not None else None


def chains(facts: FileFacts) -> Iterator[Chain]:
    """Every chain of a file, a single call being one of one step: a reader notes the outermost call first."""
    held: list[Call] = []
    for call in facts.calls:
        inner = bool(held) and call.line == held[-1].line and call.scope == held[-1].scope
        if inner and held[-1].callee.startswith(call.callee + "()."):
            held.append(call)
            continue
        if held:
            yield Chain(tuple(reversed(held)))
        held = [call]
    if held:
        yield Chain(tuple(reversed(held)))
