"""Evidence ENVIRONMENT_FILES: names and value shapes of all dotenv files and their templates; no value leaves this module."""

from __future__ import annotations

from auditor.evidence.registry import Context, own_stamp, provides
from auditor.languages.dotenv import entries, is_dotenv, is_template
from auditor.model.artifacts import EnvironmentFile
from auditor.model.need import Known
from auditor.model.needs import ENVIRONMENT_FILES, SNAPSHOT, TEXTS
from auditor.model.snapshot import Role, Snapshot
from auditor.placeholders import shape

_ENTRIES = 5_000


@provides(ENVIRONMENT_FILES, needs=(SNAPSHOT, TEXTS))
def environment_files(context: Context, snapshot: Snapshot, texts: dict[str, str]) -> Known[tuple[EnvironmentFile, ...]]:
    """Read all dotenv files that are not vendored, in path order."""
    del context
    found = []
    for file in snapshot.files:
        if file.role is Role.VENDORED or file.path not in texts or not is_dotenv(file.path):
            continue
        shaped = tuple((name, shape(value), line) for name, value, line in entries(texts[file.path]))[:_ENTRIES]
        found.append(EnvironmentFile(file.path, is_template(file.path), file.tracked, shaped))
    return Known(tuple(found), own_stamp(), frozenset(entry.path for entry in found))
