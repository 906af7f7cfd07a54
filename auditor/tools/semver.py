"""Order of npm versions (semver.org), for comparing locked versions with advisory ranges."""

from __future__ import annotations

import re

_VERSION = re.compile(r"v?(\d{1,15})(?:\.(\d{1,15}))?(?:\.(\d{1,15}))?(?:\.\d+)*-?([0-9A-Za-z.-]*)?(?:\+.*)?")

SemverKey = tuple[tuple[int, int, int], int, tuple[tuple[int, int, str], ...]]


def semver_key(text: str) -> SemverKey | None:
    """A sortable key of a version, None when it is none; missing parts count as 0, a pre-release sorts before its release."""
    found = _VERSION.fullmatch(text.strip().split("(", 1)[0])
    if found is None:
        return None
    numbers = (int(found[1]), int(found[2] or 0), int(found[3] or 0))
    parts = [part for part in (found[4] or "").split(".") if part]
    return numbers, 0 if parts else 1, tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts)
