"""Finds the rules and templates that stand outside the package in a checkout and inside it in a wheel."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent
_CHECKOUT = {"rules": _PACKAGE.parent / "rules", "templates": _PACKAGE.parent / "reports" / "templates"}


def data_dir(name: str) -> Path:
    """Directory of the shipped `rules` or `templates`."""
    installed = _PACKAGE / "_data" / name
    return installed if installed.is_dir() else _CHECKOUT[name]
