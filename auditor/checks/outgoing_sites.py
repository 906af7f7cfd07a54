"""All outgoing network calls of production code, Python and scripts together: the one place where checks ask for them."""

from __future__ import annotations

from auditor.checks.outgoing import Site
from auditor.checks.outgoing_python import PythonSites
from auditor.checks.outgoing_scripts import ScriptSites
from auditor.model.project import Project
from auditor.model.syntax import FileFacts


def outgoing_sites(files: tuple[FileFacts, ...], project: Project) -> list[Site]:
    """Every outgoing call of the given files, in path and line order."""
    python = tuple(facts for facts in files if facts.path.endswith((".py", ".pyw")))
    scripts = tuple(facts for facts in files if not facts.path.endswith((".py", ".pyw", ".pyi")))
    return sorted([*PythonSites(python).find(), *ScriptSites(scripts, project).find()], key=lambda each: (each.path, each.line))
