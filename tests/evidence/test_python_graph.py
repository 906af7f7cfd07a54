"""The module graph of small Python trees, from real facts; and the complexity and syntax evidence that stand on the same facts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import grimp
import pytest

from auditor.cache import Cache
from auditor.evidence.registry import Context
from auditor.evidence.syntax import MAX_BYTES
from auditor.gather import gather
from auditor.model.evidence import ModuleGraph
from auditor.model.need import Known, Need
from auditor.model.needs import COMPLEXITY, MODULE_GRAPH, SYNTAX
from auditor.model.syntax import ImportKind
from auditor.snapshot import read_tree
from tests.support.repositories import from_texts


def known(root: Path, need: Need[Any], cache: Path | None = None) -> Known[Any]:
    found = gather(Context(root, Cache(cache), "2026-03-01"), read_tree(root), [need])[need.name]
    assert isinstance(found, Known), found
    return found


def graph(tmp_path: Path, texts: Mapping[str, str]) -> ModuleGraph:
    value: ModuleGraph = known(from_texts(tmp_path / "app", texts), MODULE_GRAPH).value
    return value


def edges(found: ModuleGraph) -> dict[tuple[str, str], ImportKind]:
    return {(edge.source, edge.target): edge.kind for edge in found.edges}


def test_absolute_relative_lazy_and_type_only_imports(tmp_path: Path) -> None:
    found = graph(
        tmp_path,
        {
            "shop/__init__.py": "from .orders import place\n",
            "shop/orders.py": "from typing import TYPE_CHECKING\nfrom . import db\nif TYPE_CHECKING:\n    from shop.mail import Mail\ndef place(): ...\n",
            "shop/db.py": "def connect():\n    from shop.mail import send\n    return send\n",
            "shop/mail.py": "class Mail: ...\ndef send(): ...\n",
        },
    )
    assert edges(found) == {
        ("shop", "shop.orders"): ImportKind.IMPORT_TIME,
        ("shop.orders", "shop.db"): ImportKind.IMPORT_TIME,
        ("shop.orders", "shop.mail"): ImportKind.TYPE_ONLY,
        ("shop.db", "shop.mail"): ImportKind.LAZY,
        **{edge: kind for edge, kind in edges(found).items() if edge[1] == "shop"},
    }
    assert found.unresolved == ()


def test_a_source_root_and_a_script_beside_the_package(tmp_path: Path) -> None:
    found = graph(
        tmp_path,
        {
            "src/shop/__init__.py": "",
            "src/shop/db.py": "",
            "src/shop/app.py": "from shop.db import *\nimport shop.db as d\n",
            "manage.py": "from shop import app\n",
        },
    )
    assert ("shop.app", "shop.db") in edges(found)
    assert any(target == "shop.app" for _, target in edges(found))


def test_what_leads_nowhere_and_what_comes_from_outside(tmp_path: Path) -> None:
    found = graph(
        tmp_path,
        {
            "requirements.txt": "requests\n",
            "shop/__init__.py": "",
            "shop/app.py": "import os\nimport requests\nfrom shop.missing import x\nfrom .db import nothing, connect\n",
            "shop/db.py": "def connect(): ...\n",
        },
    )
    assert {(gap.module, gap.name, gap.line) for gap in found.unresolved} == {("shop.missing", "", 3), (".db", "nothing", 4)}
    assert [outside.package for outside in found.externals] == ["requests"]


@pytest.mark.parametrize(
    ("call", "wrong"),
    [
        ("connect('a')", False),
        ("connect('a', timeout=1)", False),
        ("connect()", True),
        ("connect('a', 'b', 'c')", True),
        ("connect('a', retries=1)", True),
        ("connect(*everything)", False),
    ],
)
def test_calls_that_cannot_fit(tmp_path: Path, call: str, wrong: bool) -> None:
    texts = {
        "shop/__init__.py": "",
        "shop/db.py": "def connect(host, timeout=5): ...\n",
        "shop/app.py": f"from shop.db import connect\neverything = []\n{call}\n",
    }
    assert bool(graph(tmp_path, texts).miscalls) is wrong


def test_our_own_package_agrees_with_grimp() -> None:
    root = Path(__file__).parents[2]
    theirs = grimp.build_graph("auditor", cache_dir=None)
    expected = {(source, target) for source in theirs.modules for target in theirs.find_modules_directly_imported_by(source)}
    ours = {edge for edge in edges(known(root, MODULE_GRAPH).value) if all(end.split(".")[0] == "auditor" for end in edge)}
    by_name = {("auditor.evidence.registry", "auditor.evidence"), ("auditor.checks.registry", "auditor.checks")}  # importlib.import_module
    assert ours - by_name == expected - by_name


def test_complexity_uses_our_count_where_radon_cannot_read(tmp_path: Path) -> None:
    root = from_texts(
        tmp_path / "app",
        {"old.py": "def f(x):\n    return 1 if x else 2\n", "new.py": "type A = int\ndef g(x):\n    if x and x > 1:\n        return 1\n"},
    )
    assert {unit.qualname: unit.complexity for unit in known(root, COMPLEXITY).value} == {"f": 2, "g": 3}


def test_syntax_accounts_for_what_it_could_not_read_and_is_the_same_warm(tmp_path: Path) -> None:
    root = from_texts(
        tmp_path / "app",
        {
            "app/good.py": "import os\nTOKEN = os.environ['TOKEN']\n",
            "app/copy.py": "import os\nTOKEN = os.environ['TOKEN']\n",
            "app/broken.py": "def f(:\n    pass\n\ndef g():\n    return 1\n",
            "app/page.ts": "export const a: number = 1;\n",
            "tests/test_good.py": "def test(): assert True\n",
            "app/huge.py": "x = '" + "a" * MAX_BYTES + "'\n",
        },
    )
    cold = known(root, SYNTAX, tmp_path / "cache")
    warm = known(root, SYNTAX, tmp_path / "cache")
    assert cold == warm
    assert cold.examined == {"app/good.py", "app/copy.py", "app/page.ts", "tests/test_good.py"}
    assert cold.unexamined == (("app/broken.py", "does not parse: line 1"), ("app/huge.py", "larger than 1.5 MB"))
    assert cold.value.files["app/copy.py"].path == "app/copy.py"
    assert "g" in {definition.name for definition in cold.value.files["app/broken.py"].definitions}
