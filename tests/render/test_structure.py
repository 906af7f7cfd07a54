"""The code's structure in words: what is shown of many copies, circles and crowded files, and in which order."""

from __future__ import annotations

from auditor.model.evidence import CloneFamily, Fragment
from auditor.model.report import CloneReport
from auditor.render import structure
from auditor.render.grouping import fold
from auditor.render.heat import CROWDED
from auditor.render.layout import draw
from auditor.render.view import view
from tests.render.sample import clones, graph, hostile, rich


def test_families_that_would_save_most_lines_come_first() -> None:
    found = structure.copies(clones())
    saved = [copy.family.lines * (len(copy.family.fragments) - 1) for copy in found]
    assert saved == sorted(saved, reverse=True)
    assert found[0].places[0] == "frontend/src/pages/Page0.tsx:20–78"


def test_many_copies_are_cut_and_counted() -> None:
    wide = CloneFamily(tuple(Fragment(f"f{n:02}.py", 1, 9) for n in range(30)), 60, 9, exact=True)
    found = structure.copies(CloneReport((wide,) * 40, 1, 1))
    assert len(found) == structure.FAMILIES
    assert len(found[0].places) + found[0].left_out == 30
    assert structure.copies(None) == ()


def test_a_circle_of_three_shows_a_way_round_and_one_of_two_does_not() -> None:
    three, two = structure.circles(graph())
    assert three.shortest[0] == three.shortest[-1]
    assert set(three.shortest) <= set(three.members)
    assert two.shortest == ()
    assert structure.circles(None) == ()


def test_the_table_says_what_the_picture_shows() -> None:
    drawing = draw(fold(graph()))
    rows = {row.name: row for row in structure.boxes(drawing)}
    assert len(rows) == len(drawing.boxes)
    assert sum(len(row.imports) for row in rows.values()) == len(drawing.links)
    assert sum(row.imported_by for row in rows.values()) == len(drawing.links)
    assert sum(row.files for row in rows.values()) == len(graph().modules)
    assert structure.boxes(None) == ()


def test_files_named_by_several_items_are_listed_with_them() -> None:
    found = view(rich()).crowded
    assert found[0].path == "backend/services/part_0.py"
    assert all(len(set(file.items)) > 1 for file in found)
    assert len(view(hostile()).crowded) <= CROWDED
