"""The structure of small graphs: reach, cuts, communities, folders, and imports against the layers."""

from __future__ import annotations

from pathlib import Path

from auditor.cache import Cache
from auditor.evidence.registry import Context
from auditor.gather import gather
from auditor.graphs import betweenness, cheapest_cuts, circles, communities, reach
from auditor.layers import inferred_layer, upward
from auditor.model.need import Known
from auditor.model.needs import STRUCTURE
from auditor.model.structure import Structure
from auditor.snapshot import read_tree
from tests.support.repositories import from_texts

LAYERED = {
    "requirements.txt": "fastapi\n",
    "shop/__init__.py": "",
    "shop/main.py": "from fastapi import FastAPI\nfrom shop.routes import orders, users, stock\napp = FastAPI()\nprint(orders, users, stock)\n",
    **{
        f"shop/routes/{name}.py": f"from shop.services import {name}\nfrom shop.models import {name} as record\n"
        for name in ("orders", "users", "stock")
    },
    **{f"shop/services/{name}.py": f"from shop.models import {name} as record\n" for name in ("orders", "users")},
    "shop/services/stock.py": "from shop.models import stock as record\nfrom shop.routes.orders import record as other\n",
    **{f"shop/models/{name}.py": "class Record: ...\n" for name in ("orders", "users", "stock")},
    **{f"shop/{folder}/__init__.py": "" for folder in ("routes", "services", "models")},
}


def test_reach_counts_both_ways_and_circles_once() -> None:
    edges = [("a", "b"), ("b", "c"), ("c", "b"), ("c", "d")]
    assert reach("abcd", edges) == {"a": (3, 0), "b": (2, 2), "c": (2, 2), "d": (0, 3)}


def test_the_cheapest_edges_open_a_circle() -> None:
    edges = [("a", "b"), ("b", "c"), ("c", "a"), ("c", "d"), ("d", "c")]
    prices = dict.fromkeys(edges, 5) | {("c", "a"): 1, ("d", "c"): 2}
    cut = cheapest_cuts("abcd", edges, prices)
    assert cut == (("c", "a"), ("d", "c"))
    assert not circles("abcd", set(edges) - set(cut))


def test_a_go_between_and_two_groups() -> None:
    left = [("a1", "a2"), ("a2", "a3"), ("a1", "a3"), ("a3", "m")]
    right = [("m", "b1"), ("b1", "b2"), ("b2", "b3"), ("b1", "b3")]
    nodes = ["a1", "a2", "a3", "m", "b1", "b2", "b3"]
    between = betweenness(nodes, left + right, 100)
    assert max(between, key=lambda name: between[name]) in {"m", "b1", "a3"}
    assert between["a1"] == 0
    groups = communities(nodes, left + right)
    assert {frozenset(group) - {"m"} for group in groups} == {frozenset({"a1", "a2", "a3"}), frozenset({"b1", "b2", "b3"})}


def test_layers_by_name() -> None:
    assert inferred_layer("app/services/mail.py", browser=False) == "services"
    assert inferred_layer("app/routes/models.py", browser=False) == "data"
    assert inferred_layer("src/order/order.controller.ts", browser=False) == "routes"
    assert inferred_layer("app/db/init_db.py", browser=False) == ""
    assert inferred_layer("src/services/mail.ts", browser=True) == "ui"


def test_layers_whose_imports_lead_both_ways_are_none() -> None:
    placed = {**{f"r{n}": "routes" for n in range(4)}, **{f"m{n}": "data" for n in range(4)}}
    down = [(f"r{n}", f"m{n}") for n in range(4)] + [(f"r{n}", f"m{(n + 1) % 4}") for n in range(4)]
    assert upward([*down, ("m0", "r1")], placed) == (("m0", "r1"),)
    assert upward([*down, *((f"m{n}", f"r{n}") for n in range(4))], placed) == ()
    assert upward([("m0", "r1")], placed, declared=True) == (("m0", "r1"),)
    assert upward([*down, *(("m0", f"r{n}") for n in range(3))], placed) == ()


def test_the_structure_of_a_layered_service(tmp_path: Path) -> None:
    root = from_texts(tmp_path / "app", LAYERED)
    found = gather(Context(root, Cache(None), "2026-03-01"), read_tree(root), [STRUCTURE])["structure"]
    assert isinstance(found, Known)
    inferred: Structure = found.value
    assert [(breach.source, breach.target, breach.lower, breach.upper) for breach in inferred.breaches] == [
        ("shop.services.stock", "shop.routes.orders", "services", "routes")
    ]
    measures = {measure.id: measure for measure in inferred.measures}
    assert (measures["shop.models.orders"].fan_in, measures["shop.models.orders"].dependencies) == (2, 0)
    assert 0 < inferred.propagation_cost < 0.5
    assert {folder.path: folder.instability for folder in inferred.folders}["shop/models"] == 0
