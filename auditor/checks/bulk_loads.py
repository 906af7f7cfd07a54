"""Places that load many rows at once into a store, and what a second run with the same rows would do. Where the rows come from stands in `load_sources`."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.checks.frame_loads import frame_load, resources
from auditor.checks.loads import Load
from auditor.checks.row_loads import row_load
from auditor.model.syntax import FileFacts


def bulk_loads(facts: FileFacts) -> Iterator[Load]:
    """The loads of one file in line order."""
    python = facts.path.endswith(".py")
    found = [load for call in facts.calls if (load := (frame_load(facts, call) if python else None) or row_load(facts, call)) is not None]
    found += resources(facts)
    yield from sorted(found, key=lambda load: (load.line, load.what))
