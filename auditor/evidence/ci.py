"""Evidence CI: every pipeline the tree defines, whatever system runs it."""

from __future__ import annotations

from auditor.evidence.registry import Context, own_stamp, provides
from auditor.languages.ci import read_pipelines
from auditor.model.artifacts import CiWorkflow
from auditor.model.need import Known
from auditor.model.needs import CI, SNAPSHOT, TEXTS
from auditor.model.snapshot import Role, Snapshot


@provides(CI, needs=(SNAPSHOT, TEXTS))
def ci(_context: Context, snapshot: Snapshot, texts: dict[str, str]) -> Known[tuple[CiWorkflow, ...]]:
    """The pipelines in path order; one that cannot be read is there with its problem."""
    own = {file.path: texts[file.path] for file in snapshot.files if file.path in texts and file.role is not Role.VENDORED}
    return Known(read_pipelines(own), own_stamp())
