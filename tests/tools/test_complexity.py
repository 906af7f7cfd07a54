"""Complexity from radon where it can read, from our own facts where it cannot: no function is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.cache import Cache
from auditor.evidence.complexity import complexity
from auditor.evidence.registry import Context
from auditor.model.need import Known
from auditor.model.snapshot import Language, Role, Snapshot, SourceFile
from auditor.model.syntax import Definition, DefinitionKind, FileFacts, Syntax
from auditor.tools import radon

BRANCHES = "@decorated(\n    1\n)\ndef f(a):\n    if a and a > 1:\n        return 1\n    def inner():\n        for x in a:\n            pass\n    return [y for y in a if y]\n"


@pytest.mark.tools
def test_radon_counts_functions_methods_and_closures() -> None:
    found = radon.complexities(
        BRANCHES + "class A:\n    def m(self):\n        while self:\n            pass\n    class B:\n        def n(self): pass\n"
    )
    assert isinstance(found, dict)
    assert {name: count for (_, name), count in found.items()} == {"f": 5, "inner": 2, "m": 2, "n": 1}


@pytest.mark.tools
@pytest.mark.parametrize("text", ["def f(:", "x = " + "(" * 5_000, "x = " + "a." * 50_000 + "a", "\x00"])
def test_what_it_cannot_read_has_a_reason(text: str) -> None:
    assert isinstance(radon.complexities(text), str)


def evidence(texts: dict[str, str], definitions: dict[str, tuple[Definition, ...]], cache: Path | None = None) -> Known:
    files = tuple(
        SourceFile(path, Language.PYTHON if path.endswith(".py") else Language.TYPESCRIPT, Role.FIRST_PARTY, str(hash(text)), len(text), 1)
        for path, text in sorted(texts.items())
    )
    syntax = Syntax({path: FileFacts(path, definitions=found) for path, found in definitions.items()})
    found = complexity(Context(Path("/nowhere"), Cache(cache), "2026-01-01"), Snapshot(files, (), "tree", "", ""), texts, syntax)
    assert isinstance(found, Known)
    return found


def definition(name: str, line: int, end: int, count: int) -> Definition:
    return Definition(DefinitionKind.FUNCTION, name, name, line, end, -1, code_lines=end - line + 1, complexity=count)


@pytest.mark.tools
def test_units_are_our_definitions_with_radons_number_where_there_is_one(tmp_path: Path) -> None:
    texts = {"a.py": BRANCHES, "new.py": "def g(:\n", "b.ts": "function h() {}", "lost.py": "x = 1"}
    definitions = {
        "a.py": (definition("f", 1, 10, 99), definition("inner", 7, 9, 99)),
        "new.py": (definition("g", 1, 1, 7),),
        "b.ts": (definition("h", 1, 1, 3),),
    }
    cold = evidence(texts, definitions, tmp_path)
    assert cold == evidence(texts, definitions, tmp_path)
    assert [(unit.path, unit.qualname, unit.complexity, unit.code_lines) for unit in cold.value] == [
        ("a.py", "f", 5, 10),
        ("a.py", "inner", 2, 3),
        ("b.ts", "h", 3, 1),
        ("new.py", "g", 7, 1),
    ]
    assert cold.unexamined == (("lost.py", "its syntax could not be read"),)
