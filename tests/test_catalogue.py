"""The checklist as data, and the selection of items."""

from __future__ import annotations

import pytest

from auditor.catalogue import catalogue, select
from auditor.checks.registry import all_checks
from auditor.errors import UsageError


def test_items_come_category_by_category_and_know_whether_they_are_judged() -> None:
    known = catalogue()
    order = [category.id for category in known.categories]
    positions = [order.index(item.category) for item in known.items]
    assert positions == sorted(positions)
    assert {item.id for item in known.items if item.judged} == set(all_checks())
    for item in known.items:
        assert item.claim
        assert item.why
        assert item.fix
        assert item.effort in {"S", "M", "L"}
        assert bool(item.passing_title) == item.judged


@pytest.mark.parametrize(
    ("wrong", "near"),
    [
        ("security.sql-parametrised", "security.sql-parameterised"),
        ("sql-parameterised", "security.sql-parameterised"),
        ("tests.runs-in-ci", "tests.run-in-ci"),
        ("zzz", "auditor checks"),
        ("", "auditor checks"),
    ],
)
def test_a_wrong_id_names_the_nearest(wrong: str, near: str) -> None:
    with pytest.raises(UsageError, match=near.replace(".", r"\.")):
        catalogue().item(wrong)


def test_selecting() -> None:
    assert select([]) == frozenset()
    assert select(["deps.locked", "deps.locked"]) == {"deps.locked"}


def test_every_item_says_what_sets_its_harm_off_and_what_comes_first_is_no_circle() -> None:
    items = {item.id: item for item in catalogue().items}
    assert [item.id for item in items.values() if item.trigger is None] == []
    for name in items:
        pending, seen = list(items[name].after), set()
        while pending:
            first = pending.pop()
            if first not in seen:
                seen.add(first)
                pending += items[first].after
        assert name not in seen
