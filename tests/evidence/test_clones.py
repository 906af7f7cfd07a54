"""Copies among production files: exact ones, renamed ones, families, and what looks like a copy and is none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from auditor.cache import Cache
from auditor.evidence.registry import Context
from auditor.gather import gather
from auditor.model.evidence import Clones
from auditor.model.need import Known
from auditor.model.needs import CLONES
from auditor.snapshot import read_tree
from tests.support.repositories import from_texts

PYTHON = """\
def save_{name}(request, store, log):
    errors = []
    if not request.get("title"):
        errors.append("title is missing")
    if len(request.get("title", "")) > 80:
        errors.append("title is too long")
    if request.get("price") is not None and request["price"] < 0:
        errors.append("price is negative")
    if errors:
        return {{"errors": errors}}, 400
    row = {{"title": request["title"].strip(), "price": request.get("price", 0)}}
    for key, value in request.get("labels", {{}}).items():
        if key and value:
            row[key] = value.lower()
    store.insert("{name}", row)
    log.info("saved %s", row["title"])
    return row, 201
"""
SCRIPT = """\
export async function load{name}(api, setError) {{
  const answer = await api.get('/{name}')
  if (!answer.ok) {{
    setError(answer.message)
    return []
  }}
  const rows = []
  for (const row of answer.rows) {{
    if (row.deleted || !row.title) {{
      continue
    }}
    rows.push({{ ...row, title: row.title.trim(), price: row.price ?? 0 }})
  }}
  return rows.sort((a, b) => a.title.localeCompare(b.title))
}}
"""
OTHER = """\
def other(values):
    result = {}
    while values:
        value = values.pop()
        result.setdefault(value % 7, set()).add(value // 7)
        if value > 900:
            break
    return sorted(result.items(), reverse=True)
"""


def clones(tmp_path: Path, texts: Mapping[str, str]) -> Clones:
    root = from_texts(tmp_path / "app", texts)
    found: Known[Any] | Any = gather(Context(root, Cache(None), "2026-03-01"), read_tree(root), [CLONES])["clones"]
    assert isinstance(found, Known), found
    value: Clones = found.value
    return value


@pytest.mark.parametrize(("template", "ending"), [(PYTHON, "py"), (SCRIPT, "js"), (SCRIPT, "ts")])
def test_an_exact_copy(tmp_path: Path, template: str, ending: str) -> None:
    text = template.format(name="books")
    found = clones(tmp_path, {f"a.{ending}": "\n\n" + text, f"b.{ending}": text})
    (family,) = found.families
    assert family.exact
    assert [(fragment.path, fragment.line) for fragment in family.fragments] == [(f"a.{ending}", 3), (f"b.{ending}", 1)]
    assert found.duplicated_lines == family.lines == len(text.splitlines())
    assert found.total_lines == 2 * len(text.splitlines())


def test_a_copy_with_other_names(tmp_path: Path) -> None:
    text = PYTHON.format(name="books")
    found = clones(tmp_path, {"a.py": text, "b.py": text.replace("row", "entry").replace("request", "body")})
    (family,) = found.families
    assert not family.exact
    assert len(family.fragments) == 2


def test_a_family(tmp_path: Path) -> None:
    found = clones(tmp_path, {f"{name}.py": PYTHON.format(name=name) for name in ("books", "films", "games", "songs")})
    assert max(len(family.fragments) for family in found.families) == 4
    assert found.duplicated_lines == pytest.approx(3 * len(PYTHON.splitlines()), abs=6)


def test_a_copy_within_one_file(tmp_path: Path) -> None:
    found = clones(tmp_path, {"a.py": PYTHON.format(name="books") + "\n\n" + OTHER + "\n\n" + PYTHON.format(name="books")})
    (family,) = found.families
    assert [fragment.path for fragment in family.fragments] == ["a.py", "a.py"]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("tables.py", "ROWS = {\n" + "".join(f'    "key{i}": ("name", {i}, True, None),\n' for i in range(60)) + "}\n"),
        (
            "columns.js",
            "export const columns = [\n" + "".join("  { key: 'a', title: 'A', width: 1, sortable: true },\n" for _ in range(60)) + "]\n",
        ),
        ("imports.py", "".join(f"from package.module_{i} import name_{i}, other_{i}\n" for i in range(60))),
        ("types.d.ts", SCRIPT.format(name="x")),
        ("models.py", "class A(Model):\n" + "".join(f"    field_{i} = Column(String(50), nullable=False)\n" for i in range(60))),
    ],
)
def test_tables_imports_and_declarations_are_no_logic(tmp_path: Path, path: str, text: str) -> None:
    found = clones(tmp_path, {f"one/{path}": text, f"two/{path}": text})
    assert found.families == ()
    assert found.duplicated_lines == 0


def test_different_code_of_the_same_shape_is_no_copy(tmp_path: Path) -> None:
    one = "".join(
        f"def load_{i}(path_{i}):\n    if path_{i}.exists():\n        return parse_{i}(path_{i})\n    return None\n\n\n" for i in range(8)
    )
    two = "".join(
        f"def send_{i}(mail_{i}):\n    if mail_{i}.valid():\n        return post_{i}(mail_{i})\n    return None\n\n\n" for i in range(8)
    )
    found = clones(tmp_path, {"one.py": one.replace("\n\n\n", "\n"), "two.py": two.replace("\n\n\n", "\n")})
    assert not any({fragment.path for fragment in family.fragments} == {"one.py", "two.py"} for family in found.families)


CHANGED = (
    PYTHON.replace("def save_{name}(request, store, log):", "def keep_{name}(form, shelf, log):")
    .replace("request", "form")
    .replace("store", "shelf")
)


def test_a_function_that_was_changed_since_it_was_copied(tmp_path: Path) -> None:
    lines = CHANGED.format(name="films").splitlines(keepends=True)
    lines[4:6] = ["    if form.get('rating') in (None, 0):\n", "        log.info('unrated')\n", "        form['rating'] = 3\n"]
    lines.insert(9, "    audit.write(form, who=shelf.owner)\n")
    found = clones(tmp_path, {"a.py": OTHER + "\n\n" + PYTHON.format(name="books"), "b.py": "".join(lines)})
    (family,) = found.families
    assert [fragment.path for fragment in family.fragments] == ["a.py", "b.py"]
    assert 0.45 <= family.alike < 1.0
    assert "request → form" in family.renamed
    assert not family.exact


def test_a_function_changed_so_often_that_it_is_another(tmp_path: Path) -> None:
    lines = CHANGED.format(name="films").splitlines(keepends=True)
    mixed = "".join(
        line if number % 3 == 0 else f"    step_{number}(form, {number}, shelf.part[{number}])\n" for number, line in enumerate(lines)
    )
    assert clones(tmp_path, {"a.py": PYTHON.format(name="books"), "b.py": mixed}).families == ()


def test_the_shape_of_a_function_is_no_copy_of_it(tmp_path: Path) -> None:
    words = iter(f"name{number}" for number in range(1_000))
    kept = frozenset(["def", "if", "not", "return", "for", "in", "is", "and", "or", "None", "else", "while", "len"])
    scrambled = re.sub(r"[a-z_]{3,}", lambda match: match[0] if match[0] in kept else next(words), PYTHON.format(name="books"))
    assert clones(tmp_path, {"a.py": PYTHON.format(name="books"), "b.py": scrambled}).families == ()


def test_only_production_code_is_searched(tmp_path: Path) -> None:
    text = PYTHON.format(name="books")
    found = clones(
        tmp_path,
        {
            "app.py": text,
            "tests/test_app.py": text,
            "migrations/0001_initial.py": text,
            "node_modules/x/index.js": SCRIPT.format(name="a"),
            "src/components/ui/button.tsx": "import { cva } from 'class-variance-authority'\n" + SCRIPT.format(name="a"),
            "src/lib/button.ts": SCRIPT.format(name="a"),
        },
    )
    assert found.families == ()


def test_the_longest_family_comes_first_and_order_of_files_does_not_matter(tmp_path: Path) -> None:
    texts = {
        "a.py": PYTHON.format(name="a"),
        "b.py": PYTHON.format(name="a"),
        "c.js": SCRIPT.format(name="a"),
        "d.js": SCRIPT.format(name="a"),
    }
    first = clones(tmp_path / "1", texts)
    second = clones(tmp_path / "2", dict(reversed(texts.items())))
    assert first == second
    assert first.families[0].tokens >= first.families[-1].tokens


@pytest.mark.parametrize("text", ["", "\n" * 1000, "x = 1\n", '"""' + "a\n" * 5000, "'" * 50_000, "(" * 50_000, "\0\0\0", "a" * 1_000_000])
def test_odd_texts_are_survived(tmp_path: Path, text: str) -> None:
    assert clones(tmp_path, {"a.py": text, "b.js": text, "c.py": text}).duplicated_lines >= 0
