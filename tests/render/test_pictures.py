"""The figures behind the report's pictures: areas that add up, marks on the right side, nothing lost between picture and table."""

from __future__ import annotations

import dataclasses

from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.model.evidence import CloneFamily, Fragment
from auditor.model.report import CloneReport, CopySample, HistorySummary, Phase, Stretch
from auditor.model.verdict import Verdict
from auditor.render import dsm, executive, heat, mass, past, structure, summary, twins, way
from auditor.render.categories import categories
from auditor.render.grouping import fold
from auditor.render.layout import draw
from tests.render.sample import build, graph, history, hostile, outcome, rich, undecided


@given(st.lists(st.integers(1, 50_000), min_size=1, max_size=40))
@settings(max_examples=60, deadline=None)
def test_a_treemap_covers_its_field_in_proportion_and_without_overlap(sizes: list[int]) -> None:
    sizes = sorted(sizes, reverse=True)
    found = mass.squarified(sizes, (0.0, 0.0, 860.0, 440.0))
    unit = 860 * 440 / sum(sizes)
    for size, (x, y, width, height) in zip(sizes, found, strict=True):
        assert abs(width * height - size * unit) < 1e-3 * 860 * 440
        assert x >= -0.01
        assert y >= -0.01
        assert x + width <= 860.01
        assert y + height <= 440.01
    middles = [(x + width / 2, y + height / 2) for x, y, width, height in found]
    for number, (x, y, width, height) in enumerate(found):
        inside = [n for n, (mx, my) in enumerate(middles) if x + 0.01 < mx < x + width - 0.01 and y + 0.01 < my < y + height - 0.01]
        assert set(inside) <= {number}


def test_the_tiles_hold_every_line() -> None:
    tiles = mass.tiles(rich())
    assert sum(tile.lines for tile in tiles) == sum(file.lines for file in rich().files)
    assert sum(tile.files for tile in tiles) == len(rich().files)
    assert len(tiles) <= mass.TILES
    assert mass.tiles(dataclasses.replace(rich(), files=())) == ()


def test_hot_files_are_top_right_and_named_without_overlap() -> None:
    found = mass.scatter(rich())
    assert found is not None
    assert [file.changes * file.complexity for file in found.ranked] == sorted(
        (f.changes * f.complexity for f in found.ranked), reverse=True
    )
    assert 1 <= sum(spot.named for spot in found.spots) <= mass.NAMED
    labels = [(spot.at_x, spot.at_y) for spot in found.spots if spot.label]
    assert len(labels) == len(set(labels))
    for spot in found.spots:
        assert found.left <= spot.x <= found.width
        assert 0 <= spot.y <= found.height - found.bottom


def test_a_short_history_has_no_hot_files_and_no_time_line() -> None:
    short = dataclasses.replace(history(), read=12, commits=history().commits[:6])
    assert mass.scatter(dataclasses.replace(rich(), history=short)) is None
    assert past.time_line(short) is None
    assert past.time_line(None) is None
    assert past.time_line(HistorySummary(400, 900, False)) is None


def test_marks_above_the_diagonal_are_what_leans_back() -> None:
    folded = fold(graph(), dsm.MOST)
    found = dsm.matrix(folded)
    assert found is not None
    place = {row.name: row.number for row in found.rows}
    assert len(found.marks) == len(folded.links)
    above = {(link.source, link.target) for link, _ in found.against}
    assert above == {(link.source, link.target) for link in folded.links if place[link.target] < place[link.source]}
    for mark in found.marks:
        assert mark.kind == "circle" or (mark.kind == "back") == ((mark.link.source, mark.link.target) in above)
    framed = [range(round(f.at / found.cell) + 1, round((f.at + f.size) / found.cell) + 1) for f in found.frames]
    assert all(any(place[s] in group and place[t] in group for group in framed) for s, t in above)
    assert len(found.rows) + found.alone == len(folded.boxes)


def test_an_opened_folder_holds_just_its_own_modules() -> None:
    whole = draw(fold(graph(), 12))
    found = structure.insides(graph(), whole)
    assert found
    sizes = {placed.box.name: len(placed.box.modules) for placed in whole.boxes}
    for inside in found:
        assert sum(row.files for row in inside.rows) == inside.files == sizes[inside.name]


def test_the_import_to_cut_makes_the_circle_smaller() -> None:
    for circle in structure.circles(graph()):
        assert circle.cut is not None
        left = [(e.source, e.target) for e in graph().edges if (e.source, e.target) != (circle.cut.source, circle.cut.target)]
        again = structure.circles(dataclasses.replace(graph(), edges=tuple(e for e in graph().edges if (e.source, e.target) in left)))
        assert circle.cut.source in circle.members
        assert again == () or all(len(other.members) <= len(circle.members) for other in again if set(other.members) & set(circle.members))


def test_two_members_side_by_side_differ_where_they_differ() -> None:
    left = Stretch("a.py", 3, ("    total = price * count", "    log(total)", "    return total"))
    right = Stretch("b.py", 9, ("total = price * weight", "log(total)", "return total"))
    family = CloneFamily((Fragment("a.py", 3, 5), Fragment("b.py", 9, 11)), 60, 3, exact=False)
    pair = twins.pairs(CloneReport((family,), 3, 30, (CopySample(0, left, right),)))[0]
    assert [(one.number, other.number) for one, other in pair.rows] == [(3, 9), (4, 10), (5, 11)]
    assert pair.renamed == 1
    marked = [piece.text for sides in pair.rows for side in sides for piece in side.pieces if piece.differs]
    assert marked == ["count", "weight"]
    assert "".join(piece.text for piece in pair.rows[-1][0].pieces) == "return total"


def test_the_time_line_counts_every_commit_and_frames_the_run() -> None:
    found = past.time_line(history())
    assert found is not None
    assert sum(bar.commits for bar in found.bars) == len(history().commits)
    assert sum(bar.fixes for bar in found.bars) == sum(mark.fix for mark in history().commits)
    assert sum(month.commits for month in found.months) == len(history().commits)
    assert [span.number for span in found.spans] == [1]
    assert len(found.reverts) == 1
    assert [name for name, _ in found.people] == ["assistant 1", "person 1", "person 2"]
    assert "6 versions" in found.loops[0].says


def test_impossible_times_do_not_bend_the_time_line() -> None:
    found = past.time_line(hostile().history)
    assert found is not None
    assert all(past.LEFT <= bar.x <= past.WIDTH for bar in found.bars)
    assert len(found.bars) < 400


def test_heat_holds_every_point_that_has_a_place() -> None:
    opened = summary.open_items(rich())
    found = heat.heat_map(rich(), opened)
    assert found is not None
    places = sum(len(entry.outcome.findings) for entry in opened)
    assert sum(row.places for row in found.rows) == places or found.left_out
    assert any(field.blocker for row in found.rows for field in row.fields)
    assert heat.heat_map(rich(), []) is None


def test_nothing_comes_before_what_it_needs() -> None:
    found = [
        outcome(name, Verdict.FAIL, 1.0, "So.")
        for name in ("deploy.rollback-path", "deploy.build-defined", "deps.locked", "deps.declared-and-real", "data.integrity-constraints")
    ]
    report = build([*found, outcome("data.migrations-versioned", Verdict.FAIL, 1.0, "So.")])
    stages = way.stages(report, summary.open_items(report), categories(report))
    number = {step.entry.outcome.id: step.number for stage in stages for step in stage.steps}
    assert sorted(number.values()) == list(range(1, 7))
    for stage in stages:
        for step in stage.steps:
            assert all(number[name] < step.number for name in step.entry.item.after if name in number)
            assert step.needs == tuple(sorted(number[name] for name in step.entry.item.after if name in number))
    assert [stage.reached.phase for stage in stages] == [Phase.BLEEDING, Phase.RECOVERABLE]


def test_work_is_added_up_as_a_range() -> None:
    opened = summary.open_items(rich())
    stages = way.stages(rich(), opened, categories(rich()))
    *phases, whole = executive.budget(stages)
    assert sum(row.items for row in phases) == whole.items == len(opened)
    assert executive.outlook(rich(), stages).endswith("to a sound state.")
    assert executive.outlook(undecided(), way.stages(undecided(), [], categories(undecided()))) == ""


def test_the_step_line_ends_where_the_last_phase_ends() -> None:
    stages = way.stages(rich(), summary.open_items(rich()), categories(rich()))
    found = way.climb(rich(), stages)
    assert found is not None
    assert (found.landings[0].value, found.landings[-1].value) == (rich().score.value, 100.0)
    heights = [landing.y for landing in found.landings]
    assert heights == sorted(heights, reverse=True)
