"""Whether a tsconfig asks for strict checks, its `extends` followed inside the tree. Reads texts only."""

from __future__ import annotations

import posixpath
import re
from typing import Any

from auditor.evidence.script_config import read_json
from auditor.languages.structured import Lines

_DEPTH = 6
_STRICT_PARTS = ("strictNullChecks", "noImplicitAny")
_STRICT_BY_ITSELF = 6  # the major version of TypeScript from which `strict` is on unless it is switched off


def loose_options(path: str, texts: dict[str, str]) -> tuple[tuple[str, int], ...] | None:
    """What makes a configuration less than strict: (setting, line); empty when it is strict, None where it checks nothing by itself."""
    data = read_json(texts.get(path, ""))
    if not isinstance(data, dict) or _only_refers(data):
        return None
    options, known = _options(path, texts, 0)
    if not known and "strict" not in options:
        return ()  # what it extends comes from a package and is not in sight
    lines = Lines(texts[path])
    loose = [(f"{part} off", lines.of(part)) for part in _STRICT_PARTS if options.get(part) is False]
    strict = options.get("strict")
    if all(options.get(part) is True for part in _STRICT_PARTS):
        return ()
    if strict is False or (strict is None and not loose and not _is_strict_by_itself(path, texts)):
        loose.insert(0, ("strict off" if strict is False else "strict not set", lines.of("strict")))
    return tuple(loose)


def _only_refers(data: dict[str, Any]) -> bool:
    """Whether a file only lists other configurations."""
    return "references" in data and (data.get("files") == [] or not {"include", "files", "extends"} & data.keys())


def _options(path: str, texts: dict[str, str], depth: int) -> tuple[dict[str, Any], bool]:
    """The compiler options that hold, and whether everything they come from is in the tree."""
    data = read_json(texts.get(path, ""))
    if not isinstance(data, dict) or depth > _DEPTH:
        return {}, False
    found: dict[str, Any] = {}
    known = True
    wanted = data.get("extends")
    for name in wanted if isinstance(wanted, list) else [wanted] if wanted else []:
        place = posixpath.normpath(posixpath.join(posixpath.dirname(path), name)) if isinstance(name, str) and name.startswith(".") else ""
        parent = next((one for one in (place, f"{place}.json", f"{place}/tsconfig.json") if place and one in texts), "")
        inherited, complete = _options(parent, texts, depth + 1) if parent else ({}, False)
        found.update(inherited)
        known = known and complete
    own = data.get("compilerOptions")
    found.update(own if isinstance(own, dict) else {})
    return found, known


def _is_strict_by_itself(path: str, texts: dict[str, str]) -> bool:
    """Whether the nearest manifest asks for a TypeScript that is strict without being told."""
    folder = posixpath.dirname(path)
    while True:
        data = read_json(texts.get(posixpath.join(folder, "package.json"), ""))
        for group in ("devDependencies", "dependencies"):
            wanted = data.get(group) if isinstance(data, dict) else None
            version = wanted.get("typescript") if isinstance(wanted, dict) else None
            major = re.search(r"\d+", version) if isinstance(version, str) else None
            if major:
                return int(major[0]) >= _STRICT_BY_ITSELF
        if not folder:
            return False
        folder = posixpath.dirname(folder)
