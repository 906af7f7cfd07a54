"""auditor: a production-readiness audit of a repository, with evidence for every verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from auditor.version import __version__

if TYPE_CHECKING:
    from auditor.engine import audit
    from auditor.model.report import Report

__all__ = ["Report", "__version__", "audit"]


def __getattr__(name: str) -> Any:
    """Import the library's two public names only when they are used, so that `auditor --help` stays quick."""
    if name == "audit":
        from auditor.engine import audit

        return audit
    if name == "Report":
        from auditor.model.report import Report

        return Report
    raise AttributeError(name)
