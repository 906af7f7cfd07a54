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
from benchmarks.graph import differences, our_graphs
from benchmarks.graph_references import grimp_reference
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


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("import importlib\nimportlib.import_module('shop.db')\n", ImportKind.IMPORT_TIME),
        ("from importlib import import_module\ndef load():\n    return import_module('.db', __package__)\n", ImportKind.LAZY),
        ("import importlib\nNAME = 'shop.db'\nimportlib.import_module(NAME)\n", ImportKind.IMPORT_TIME),
        (
            "import importlib\nNAMES = ['.db', '.mail']\nfor name in NAMES:\n    importlib.import_module(name, 'shop')\n",
            ImportKind.IMPORT_TIME,
        ),
        ("import importlib\nfor name in ('shop.db', 'shop.mail'):\n    importlib.import_module(name)\n", ImportKind.IMPORT_TIME),
        ("import importlib\ndef load(name):\n    importlib.import_module(name)\n", None),
        ("import importlib\nNAME = 'shop.db'\nNAME = find()\nimportlib.import_module(NAME)\n", None),
        ("import importlib\nimportlib.import_module('.db', __name__)\n", None),
    ],
)
def test_modules_imported_by_a_constant_name(tmp_path: Path, text: str, kind: ImportKind | None) -> None:
    found = graph(tmp_path, {"shop/__init__.py": "", "shop/db.py": "", "shop/mail.py": "", "shop/app.py": text})
    assert edges(found).get(("shop.app", "shop.db")) is kind


@pytest.mark.parametrize(("ending", "found"), [("if __name__ == '__main__':\n    print(db)\n", True), ("print(db)\n", False)])
def test_a_file_started_by_its_path_finds_its_neighbours(tmp_path: Path, ending: str, found: bool) -> None:
    texts = {"shop/__init__.py": "", "shop/db.py": "", "shop/app.py": f"import db\n{ending}"}
    assert (("shop.app", "shop.db") in edges(graph(tmp_path, texts))) is found


def test_layouts_agree_with_grimp(tmp_path: Path) -> None:
    """A source folder, a second root, packages that pass names on, and imports at every time."""
    root = from_texts(
        tmp_path / "tree",
        {
            "src/shop/__init__.py": "from shop.api import *\nfrom .db import connect as connect\n",
            "src/shop/api/__init__.py": "from . import orders\nfrom .orders import place\n",
            "src/shop/api/orders.py": "from typing import TYPE_CHECKING\nimport shop.db\nif TYPE_CHECKING:\n    from ..mail import Mail\ndef place():\n    from shop import mail\n    from billing.invoices import write\n",
            "src/shop/db.py": "class Base:\n    from shop.mail import Mail\ndef connect(): ...\n",
            "src/shop/mail.py": "try:\n    import shop.api.orders as orders\nexcept ImportError:\n    orders = None\nclass Mail: ...\n",
            "services/billing/__init__.py": "",
            "services/billing/invoices.py": "import shop\nfrom shop.api import place\n",
        },
    )
    ours = our_graphs(root)[0]
    theirs = grimp_reference(root, ours.files)
    assert theirs.files == ours.files
    assert not list(differences(ours, theirs))
    assert len(theirs.edges) == 10


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
