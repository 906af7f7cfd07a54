"""All kinds of evidence that exist, as tokens: a check names them, a provider in `auditor.evidence` supplies them."""

from __future__ import annotations

from auditor.model.artifacts import CiWorkflow, Deployment, Documents, EnvironmentFile, Manifests, TaskFile, Upkeep
from auditor.model.evidence import (
    Clones,
    History,
    ModuleGraph,
    OwnCalls,
    Routes,
    RowPolicies,
    SecretHistory,
    Secrets,
    Stores,
    ToolHits,
    UnitComplexity,
)
from auditor.model.need import Need
from auditor.model.project import Project
from auditor.model.schema_names import SchemaNames
from auditor.model.snapshot import Snapshot
from auditor.model.static_checks import StaticChecks
from auditor.model.structure import Structure
from auditor.model.syntax import Syntax

SNAPSHOT: Need[Snapshot] = Need("snapshot")
TEXTS: Need[dict[str, str]] = Need("texts")
"""Decoded text of every text file the snapshot read (path -> text)."""
SYNTAX: Need[Syntax] = Need("syntax")
MANIFESTS: Need[Manifests] = Need("manifests")
CI: Need[tuple[CiWorkflow, ...]] = Need("ci")
DEPLOYMENT: Need[Deployment] = Need("deployment")
TASKS: Need[tuple[TaskFile, ...]] = Need("tasks")
"""Makefiles, justfiles, tox and nox sessions, shell scripts: what pipelines and people call by name."""
UPKEEP: Need[Upkeep] = Need("upkeep")
"""Who updates the dependencies, and which versions of run-times are in use."""
DOCUMENTS: Need[Documents] = Need("documents")
ENVIRONMENT_FILES: Need[tuple[EnvironmentFile, ...]] = Need("environment-files")
PROJECT: Need[Project] = Need("project")
STATIC_CHECKS: Need[StaticChecks] = Need("static-checks")
"""Linters and type checkers that are set up, commit hooks, and builds that ignore errors."""
ROUTES: Need[Routes] = Need("routes")
OWN_CALLS: Need[OwnCalls] = Need("own-calls")
"""Calls over HTTP that may be meant for this system's own endpoints."""
POLICIES: Need[RowPolicies] = Need("policies")
"""Row-level security as it stands after all SQL files; nothing in it when no file speaks of it."""
MODULE_GRAPH: Need[ModuleGraph] = Need("module-graph")
STRUCTURE: Need[Structure] = Need("structure")
CLONES: Need[Clones] = Need("clones")
COMPLEXITY: Need[tuple[UnitComplexity, ...]] = Need("complexity")
STORES: Need[Stores] = Need("stores")
SCHEMA_NAMES: Need[SchemaNames] = Need("schema-names")
SECRETS: Need[Secrets] = Need("secrets")
HISTORY: Need[History] = Need("history", "Audit a full git clone (not a shallow one or an export) so that the history can be read.")
SECRET_HISTORY: Need[SecretHistory] = Need(
    "secret-history", "Audit a full git clone (not a shallow or partial one) so that the whole history can be read."
)
"""Credentials in earlier versions of the tree; no commits where there is no git history at all."""
SEMGREP: Need[ToolHits] = Need("semgrep", "Install semgrep beside auditor (`pip install semgrep`); `auditor doctor` shows what is there.")
BANDIT: Need[ToolHits] = Need("bandit", "Install bandit beside auditor (`pip install bandit`); `auditor doctor` shows what is there.")
FLOWS: Need[ToolHits] = Need("flows")
"""Values from outside that arrive where they do harm, followed through our own intermediate form."""
ADVISORIES: Need[ToolHits] = Need(
    "advisories",
    "Fetch advisory data with `auditor advisories update` (or make it from files with `auditor advisories build`), give some with `--advisories FILE`, or allow look-ups with `--online`.",
)
