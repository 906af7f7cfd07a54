"""What each kind of dangerous schema change does to a running system, and the safe steps for it in each framework: the table `migration_kinds.toml` as values."""

from __future__ import annotations

import functools
import tomllib
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Advice:
    """The words for one kind; `{table}` and `{column}` in them are put in by `harm` and `steps`."""

    kind: str
    title: str
    locks: str
    lost: str
    old_code: str
    usual: tuple[str, ...]
    own: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def harm(self, table: str = "", column: str = "") -> str:
        """What waits, what is lost and what happens to the version that still runs, as sentences."""
        return " ".join(_filled(text, table, column) for text in (self.locks, self.lost, self.old_code) if text)

    def steps(self, framework: str = "", table: str = "", column: str = "") -> tuple[str, ...]:
        """The safe sequence for a framework ("alembic", "django", ...), SQL's for one without its own."""
        return tuple(_filled(step, table, column) for step in self.own.get(framework, self.usual))


def _filled(text: str, table: str, column: str) -> str:
    """Only these two names are put in: the words of steps hold braces of their own."""
    return text.replace("{table}", table or "the table").replace("{column}", column or "the column")


@functools.cache
def advice() -> dict[str, Advice]:
    """Every kind in the order of the table."""
    table = tomllib.loads((Path(__file__).with_name("migration_kinds.toml")).read_text(encoding="utf-8"))
    return {
        kind: Advice(
            kind,
            entry["title"],
            entry["locks"],
            entry["lost"],
            entry["old_code"],
            tuple(entry["steps"]),
            {name: tuple(steps) for name, steps in entry.get("in", {}).items()},
        )
        for kind, entry in table.items()
    }
