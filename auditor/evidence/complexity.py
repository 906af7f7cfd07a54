"""Evidence COMPLEXITY: McCabe complexity of every function of production code.

Python numbers come from radon; where it cannot read a file (newer syntax than the interpreter's) or loses a function (one inside a class inside a
function), and for JavaScript and TypeScript, our own count in the syntax facts is used: it follows the same rules, so nothing is lost.
"""

from __future__ import annotations

import json
import sys
import time

from auditor.cache import cache_key
from auditor.evidence.registry import Context, provides
from auditor.model.evidence import UnitComplexity
from auditor.model.need import Known, ToolStamp, Unavailable
from auditor.model.needs import COMPLEXITY, SNAPSHOT, SYNTAX, TEXTS
from auditor.model.snapshot import READ_LANGUAGES, Language, Role, Snapshot, SourceFile
from auditor.model.syntax import Definition, DefinitionKind, Syntax
from auditor.tools import radon

_FORMAT = "radon-1"
_Counts = dict[tuple[int, str], int]


@provides(COMPLEXITY, needs=(SNAPSHOT, TEXTS, SYNTAX))
def complexity(
    context: Context, snapshot: Snapshot, texts: dict[str, str], syntax: Syntax
) -> Known[tuple[UnitComplexity, ...]] | Unavailable:
    """The complexity of all functions and methods, by path and line."""
    installed = radon.version()
    if not installed:
        return Unavailable("radon", "it is not installed.", "Install radon beside auditor (`pip install radon`).")
    files = [file for file in snapshot.with_role(Role.FIRST_PARTY) if file.language in READ_LANGUAGES]
    python = [file for file in files if file.language is Language.PYTHON and file.path in texts]
    counts = _python_counts(context, python, texts, installed)
    units: list[UnitComplexity] = []
    unexamined: list[tuple[str, str]] = []
    for file in files:
        facts = syntax.files.get(file.path)
        if facts is None:
            unexamined.append((file.path, "its syntax could not be read"))
            continue
        found = counts.get(file.path, {})
        functions = (definition for definition in facts.definitions if definition.kind is not DefinitionKind.CLASS)
        units.extend(_unit(file.path, definition, found) for definition in functions)
    examined = frozenset(file.path for file in files) - {path for path, _ in unexamined}
    return Known(tuple(units), ToolStamp("radon", installed), examined, tuple(unexamined))


def _unit(path: str, definition: Definition, counts: _Counts) -> UnitComplexity:
    lines = range(definition.line, definition.end_line + 1)  # a decorated definition may begin above its `def`
    measured = next((counts[line, definition.name] for line in lines[:200] if (line, definition.name) in counts), definition.complexity)
    return UnitComplexity(path, definition.qualname, definition.line, definition.end_line, measured, definition.code_lines)


def _python_counts(context: Context, files: list[SourceFile], texts: dict[str, str], installed: str) -> dict[str, _Counts]:
    """Radon's numbers per path; a path it cannot read has none."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    keys = {file.path: cache_key(_FORMAT, installed, python, file.digest) for file in files}
    stored = context.cache.get_many(keys.values())
    found: dict[str, _Counts] = {}
    entries: dict[str, bytes] = {}
    started = time.monotonic()
    for file in files:
        if keys[file.path] in stored:
            found[file.path] = {(line, name): count for line, name, count in json.loads(stored[keys[file.path]])}
            continue
        if context.cancelled.is_set():
            break
        counts = radon.complexities(texts[file.path])
        found[file.path] = {} if isinstance(counts, str) else counts
        entries[keys[file.path]] = json.dumps([[line, name, count] for (line, name), count in found[file.path].items()]).encode()
    context.cache.put_many(entries)
    if entries:
        context.progress(f"radon: {len(entries)} files, {time.monotonic() - started:.1f} s")
    return found
