"""Which modules of small trees the product reaches, and which nothing starts or imports."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from auditor.cache import Cache
from auditor.evidence.registry import Context
from auditor.gather import gather
from auditor.model.need import Known
from auditor.model.needs import REACHABILITY
from auditor.model.structure import Reachability
from auditor.snapshot import read_tree
from tests.support.repositories import from_texts

PYTHON = {
    "requirements.txt": "fastapi\n",
    "shop/__init__.py": "",
    "shop/main.py": "from fastapi import FastAPI\nfrom shop import orders\napp = FastAPI()\n@app.get('/')\ndef home():\n    return orders.place()\n",
    "shop/orders.py": "def place():\n    return 1\n",
    "shop/old_orders.py": "from shop import old_prices\ndef place():\n    return old_prices.of(1)\n",
    "shop/old_prices.py": "def of(number):\n    return number\n",
}
SCRIPT = {
    "package.json": '{"name": "shop", "dependencies": {"vue": "3"}, "scripts": {"jobs": "node tools/nightly.mjs"}}',
    "index.html": "<div id=app></div><script type=module src=/src/main.ts></script>\n",
    "src/main.ts": "import { createApp } from 'vue'\nimport App from './App.vue'\ncreateApp(App).mount('#app')\n",
    "src/App.vue": "<template><OrderList /><user-badge /></template>\n<script setup lang='ts'>\nimport OrderList from './OrderList.vue'\n</script>\n",
    "src/OrderList.vue": "<template><p>1</p></template>\n<script setup lang='ts'>\nconst a = 1\n</script>\n",
    "src/OldList.vue": "<template><p>1</p></template>\n<script setup lang='ts'>\nimport { sum } from './sums'\nconst a = sum(1)\n</script>\n",
    "src/sums.ts": "export const sum = (a: number) => a\n",
}


def reached(tmp_path: Path, texts: Mapping[str, str]) -> Reachability:
    root = from_texts(tmp_path / "app", texts)
    found: Known[Any] | Any = gather(Context(root, Cache(None), "2026-03-01"), read_tree(root), [REACHABILITY])["reachability"]
    assert isinstance(found, Known), found
    value: Reachability = found.value
    return value


def test_what_nothing_imports_and_what_only_that_needs(tmp_path: Path) -> None:
    found = reached(tmp_path, PYTHON)
    assert found.unreachable == ("shop/old_orders.py", "shop/old_prices.py")
    assert "shop/main.py" in found.entries


@pytest.mark.parametrize(
    "more",
    [
        {"shop/config.py": "PLUGINS = ['shop.old_orders']\n", "shop/main.py": "from shop import config\nprint(config.PLUGINS)\n"},
        {"Procfile": "web: python -m shop.old_orders\n"},
        {"setup.cfg": "[options.entry_points]\nconsole_scripts =\n    orders = shop.old_orders:place\n"},
        {"shop/old_orders.py": "from shop import old_prices\nif __name__ == '__main__':\n    print(old_prices.of(1))\n"},
        {"shop/admin.py": "from shop import old_orders\nVALUE = old_orders\n"},
    ],
)
def test_what_starts_a_module(tmp_path: Path, more: dict[str, str]) -> None:
    assert reached(tmp_path, {**PYTHON, **more}).unreachable == ()


def test_a_module_that_only_tests_use(tmp_path: Path) -> None:
    found = reached(
        tmp_path, {**PYTHON, "tests/test_old.py": "from shop.old_orders import place\ndef test_place():\n    assert place() == 1\n"}
    )
    assert found.unreachable == ()
    assert found.tested_only == ("shop/old_orders.py", "shop/old_prices.py")


def test_a_text_with_a_hole_that_begins_with_a_package(tmp_path: Path) -> None:
    text = "from fastapi import FastAPI\nfrom load import load\napp = FastAPI()\ndef pick(name):\n    return load(f'shop.old.{name}')\n"
    found = reached(tmp_path, {**PYTHON, "shop/main.py": text, "shop/old/__init__.py": "", "shop/old/square.py": "def area(): ...\n"})
    assert found.unknown == ("shop/old/square.py",)


def test_nothing_is_said_where_names_are_computed(tmp_path: Path) -> None:
    loader = "import importlib, pkgutil\ndef load():\n    for module in pkgutil.iter_modules(['shop']):\n        importlib.import_module('shop.' + module.name)\n"
    found = reached(
        tmp_path,
        {
            **PYTHON,
            "shop/loader.py": loader,
            "shop/main.py": "from fastapi import FastAPI\nfrom shop import loader\napp = FastAPI()\nloader.load()\n",
        },
    )
    assert found.unreachable == ()
    assert "shop/old_orders.py" in found.unknown


def test_a_document_that_lists_the_files_starts_nothing(tmp_path: Path) -> None:
    found = reached(tmp_path, {**PYTHON, "README.md": "# Shop\n\n- `shop/old_orders.py`: orders\n"})
    assert found.unreachable == ("shop/old_orders.py", "shop/old_prices.py")


def test_pages_components_and_scripts(tmp_path: Path) -> None:
    more = {
        "src/UserBadge.vue": "<template><b>1</b></template>\n<script setup lang='ts'>\nconst a = 1\n</script>\n",
        "tools/nightly.mjs": "import { run } from './runs.mjs'\nrun()\n",
        "tools/runs.mjs": "export const run = () => 1\n",
    }
    found = reached(tmp_path, {**SCRIPT, **more})
    assert found.unreachable == ("src/OldList.vue", "src/sums.ts")
