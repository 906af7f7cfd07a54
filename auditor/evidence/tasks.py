"""Evidence TASKS: files of named commands that pipelines, containers and people call."""

from __future__ import annotations

from auditor.evidence.registry import Context, own_stamp, provides
from auditor.languages.tasks import read_tasks, tox_of_toml
from auditor.model.artifacts import TaskFile
from auditor.model.need import Known
from auditor.model.needs import SNAPSHOT, TASKS, TEXTS
from auditor.model.snapshot import Role, Snapshot


@provides(TASKS, needs=(SNAPSHOT, TEXTS))
def tasks(_context: Context, snapshot: Snapshot, texts: dict[str, str]) -> Known[tuple[TaskFile, ...]]:
    """The task files in path order."""
    found: list[TaskFile] = []
    for file in snapshot.files:
        if file.path not in texts or file.role in {Role.VENDORED, Role.GENERATED, Role.MINIFIED}:
            continue
        text = texts[file.path]
        name = file.path.rpartition("/")[2]
        task_file = tox_of_toml(file.path, text) if name in {"tox.toml", "pyproject.toml"} else read_tasks(file.path, text)
        if task_file:
            found.append(task_file)
    return Known(tuple(found), own_stamp())
