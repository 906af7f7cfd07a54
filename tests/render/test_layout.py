"""The module picture: few enough boxes, none over another, importers above, the same each time."""

from __future__ import annotations

import itertools
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.graphs import circles, layers
from auditor.model.evidence import Edge, Module
from auditor.model.report import GraphReport
from auditor.model.syntax import ImportKind
from auditor.render.grouping import BOXES, fold
from auditor.render.layout import BOX_HEIGHT, BOX_WIDTH, draw
from tests.render.sample import graph, hostile

EAGER, LAZY, TYPES = ImportKind.IMPORT_TIME, ImportKind.LAZY, ImportKind.TYPE_ONLY


def made(paths: list[str], edges: list[tuple[str, str, ImportKind]]) -> GraphReport:
    eager = [(source, target) for source, target, kind in edges if kind is EAGER]
    running = [(source, target) for source, target, kind in edges if kind is not TYPES]
    return GraphReport(
        tuple(Module(path, path, "python", 10) for path in sorted(paths)),
        tuple(Edge(source, target, kind, 1) for source, target, kind in sorted(edges)),
        layers(paths, eager),
        circles(paths, eager),
        circles(paths, running),
    )


names = st.lists(st.sampled_from(["a", "b", "core", "api", "web"]), min_size=1, max_size=4)
paths = st.lists(
    names.flatmap(lambda parts: st.integers(0, 40).map(lambda n: "/".join([*parts, f"m{n}.py"]))), min_size=1, max_size=80, unique=True
)


@st.composite
def graphs(draw_from: st.DrawFn) -> GraphReport:
    found = draw_from(paths)
    one = st.sampled_from(found)
    return made(
        found, draw_from(st.lists(st.tuples(one, one, st.sampled_from([EAGER, LAZY, TYPES])), max_size=120, unique_by=lambda e: e[:2]))
    )


@settings(max_examples=40, deadline=None)
@given(graph=graphs())
def test_any_graph_becomes_a_readable_picture(graph: GraphReport) -> None:
    boxes = fold(graph)
    assert len(boxes.boxes) <= BOXES
    assert sorted(module for box in boxes.boxes for module in box.modules) == sorted(module.id for module in graph.modules)
    picture = draw(boxes)
    assert draw(fold(graph)) == picture
    assert len(picture.boxes) == len(boxes.boxes)
    assert len(picture.arrows) + picture.implied == len(boxes.links)
    for placed in picture.boxes:
        assert 0 <= placed.x <= picture.width - BOX_WIDTH
        assert 0 <= placed.y <= picture.height - BOX_HEIGHT
    for one, other in itertools.combinations(picture.boxes, 2):
        assert abs(one.x - other.x) >= BOX_WIDTH - 0.2 or abs(one.y - other.y) >= BOX_HEIGHT
    at = {placed.box.name: placed.y for placed in picture.boxes}
    assert all(at[arrow.link.source] < at[arrow.link.target] for arrow in picture.arrows if arrow.kind == "down")


@settings(max_examples=15, deadline=None)
@given(count=st.integers(1, 400))
def test_however_many_files_there_are_the_boxes_stay_few(count: int) -> None:
    files = [f"part{n % 37}/deep{n % 5}/f{n}.py" for n in range(count)]
    boxes = fold(made(files, [(files[n], files[n // 2], EAGER) for n in range(1, count)])).boxes
    assert 1 <= len(boxes) <= BOXES
    assert sum(len(box.modules) for box in boxes) == count


def test_an_import_for_types_only_is_no_arrow() -> None:
    assert not fold(made(["a.py", "b.py"], [("a.py", "b.py", TYPES)])).links


def test_only_circles_at_import_time_are_drawn_as_circles() -> None:
    eager = draw(fold(made(["a.py", "b.py"], [("a.py", "b.py", EAGER), ("b.py", "a.py", EAGER)])))
    later = draw(fold(made(["a.py", "b.py"], [("a.py", "b.py", EAGER), ("b.py", "a.py", LAZY)])))
    assert [arrow.kind for arrow in eager.arrows] == ["circle", "circle"]
    assert [arrow.kind for arrow in later.arrows] == ["down", "back"]


def test_a_longer_way_replaces_the_short_cut() -> None:
    picture = draw(fold(made(["a.py", "b.py", "c.py"], [("a.py", "b.py", EAGER), ("b.py", "c.py", EAGER), ("a.py", "c.py", EAGER)])))
    assert picture.implied == 1
    assert len(picture.links) == 3


def test_folders_are_told_from_files() -> None:
    labels = {box.label for box in fold(graph()).boxes}
    assert {"main.py", "services/", "components/"} <= labels


def test_paths_hold_figures_only() -> None:
    for report in (graph(), hostile().graph):
        assert report is not None
        for arrow in draw(fold(report)).arrows:
            assert re.fullmatch(r"[MLC0-9. -]+", arrow.path)


def test_a_folder_with_more_folders_than_boxes_is_opened_all_the_same() -> None:
    modules = tuple(
        Module(f"src/app/f{n:03}/m{k}.py", f"src/app/f{n:03}/m{k}.py", "python", 10) for n in range(90) for k in range(1 + n % 3)
    )
    folded = fold(GraphReport(modules, (), (tuple(module.id for module in modules),), (), ()))
    assert len(folded.boxes) == 40
    assert sum(len(box.modules) for box in folded.boxes) == len(modules)
    assert [box.name for box in folded.boxes if box.name.startswith("(")] == ["(everything else)/*"]
