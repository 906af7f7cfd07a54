"""Settings in layers: a module that others build on by `from .base import *`, and what those for production set anew."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Mapping

_PRODUCTION = re.compile(r"^(?:prod|production|live|deploy|deployment)$", re.IGNORECASE)
_LONGEST = 200_000


def set_in_production(path: str, texts: Mapping[str, str]) -> frozenset[str]:
    """Names of the Python module at `path` that every module for production beside it sets anew, so that its own values never apply there.

    Empty when no module for production builds on it.
    """
    folder, stem = posixpath.split(path.removesuffix(".py"))
    if not path.endswith(".py") or not stem:
        return frozenset()
    builds_on = re.compile(rf"^from\s+(?:\.|[\w.]+\.){re.escape(stem)}\s+import\s+\*", re.MULTILINE)
    layers = [
        _always_set(text[:_LONGEST])
        for other, text in texts.items()
        if posixpath.dirname(other) == folder
        and other.endswith(".py")
        and _PRODUCTION.match(posixpath.basename(other).removesuffix(".py"))
        and builds_on.search(text[:_LONGEST])
    ]
    return frozenset.intersection(*layers) if layers else frozenset()


def _always_set(text: str) -> frozenset[str]:
    """Names a module sets whatever happens: at its margin, or in both ways of a branch or a `try`."""
    set_at = re.findall(r"^([ \t]*)([A-Z][A-Z0-9_]*)\s*(?::[^=\n]+)?=(?!=)", text, re.MULTILINE)
    inside = Counter(name for indent, name in set_at if indent)
    return frozenset(name for indent, name in set_at if not indent) | frozenset(name for name, count in inside.items() if count > 1)
