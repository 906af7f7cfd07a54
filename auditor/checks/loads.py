"""What a load of many rows is, and what a second run of it does."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from auditor.checks.model_names import words
from auditor.model.syntax import Call, FileFacts, Value, ValueKind


class Manner(StrEnum):
    """What becomes of rows that are loaded a second time."""

    ADDS = "adds"  # they stand there twice
    REPLACES = "replaces"  # the whole target, or its partition, is written anew
    MERGES = "merges"  # they are found by a key
    REFUSES = "refuses"  # the run ends with an error
    CHOSEN = "chosen"  # somebody else says which


@dataclass(frozen=True, slots=True)
class Load:
    """One load; `target` is the table, file or stream as written, "" where it does not show; `frame`: a data frame is written as it stands."""

    path: str
    line: int
    end_line: int
    scope: int
    what: str
    target: str
    manner: Manner
    frame: bool = False
    checkpointed: bool = True


_MODES = {
    "append": Manner.ADDS, "a": Manner.ADDS, "overwrite": Manner.REPLACES, "replace": Manner.REPLACES, "truncate": Manner.REPLACES, "w": Manner.REPLACES, "overwrite_partitions": Manner.REPLACES,
    "delete_rows": Manner.REPLACES, "upsert": Manner.MERGES, "merge": Manner.MERGES, "ignore": Manner.REFUSES, "error": Manner.REFUSES, "errorifexists": Manner.REFUSES, "fail": Manner.REFUSES,
    "write_append": Manner.ADDS, "write_truncate": Manner.REPLACES, "write_empty": Manner.REFUSES, "create": Manner.REFUSES, "create_append": Manner.ADDS,
}  # fmt: skip
_HISTORY = frozenset({"history", "log", "logs", "audit", "trace", "traces", "runs", "run", "errors", "error", "rejected", "quarantine"})
"""Words of tables that note what was done: to add to them is their purpose."""


def mode_of(said: Value | None, otherwise: Manner) -> Manner:
    """The manner an argument names."""
    if said is None:
        return otherwise
    if said.kind is ValueKind.BOOLEAN:
        return Manner.REPLACES if said.text == "True" else Manner.ADDS
    return _MODES.get(said.literal.rpartition(".")[2].lower(), Manner.CHOSEN)


def load_of(
    facts: FileFacts, call: Call, what: str, target: str, manner: Manner, *, frame: bool = False, checkpointed: bool = True
) -> Load | None:
    """The load of a call; None where rows are added to a table that notes what was done."""
    if manner is Manner.ADDS and _HISTORY & set(words(target.rpartition(".")[2])):
        return None
    return Load(facts.path, call.line, call.end_line, call.scope, what, target, manner, frame, checkpointed)
