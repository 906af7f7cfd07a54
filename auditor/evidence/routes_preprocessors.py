"""Flask's preprocessors of the values in a path (`url_value_preprocessor`): they run before the handler and may refuse for it.

One that takes a value out of the path stands before the routes which have that value, and says nothing about the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from auditor.languages.migrations import last
from auditor.model.syntax import FileFacts, ValueKind

_HOOKS = frozenset({"url_value_preprocessor", "app_url_value_preprocessor"})


@dataclass(frozen=True, slots=True)
class Preprocessor:
    """One of them; `router` is the dotted name it is put on in the file `path`, `values` what it takes out of a path, `whole`: before every router."""

    path: str
    router: str
    name: str
    values: tuple[str, ...]
    whole: bool

    def takes(self, path: str) -> bool:
        """Whether a route's path holds one of its values."""
        return any(re.search(rf"[<:]{re.escape(value)}>", path) for value in self.values)


def preprocessors(files: Iterable[FileFacts]) -> Iterator[Preprocessor]:
    """All preprocessors that are put on by their decorator."""
    for facts in files:
        for index, definition in enumerate(facts.definitions):
            for decorator in definition.decorators:
                base, _, hook = decorator.callee.rpartition(".")
                if hook in _HOOKS:
                    taken = [call for call in facts.calls if call.scope == index and last(call.callee) in {"pop", "get"} and call.arguments]
                    values = tuple(call.arguments[0].value.literal for call in taken if call.arguments[0].value.kind is ValueKind.STRING)
                    yield Preprocessor(facts.path, base, definition.name, values, whole=hook.startswith("app_") or last(base) == "app")
