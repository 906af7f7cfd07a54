"""Which commits mend a fault of the product."""

from __future__ import annotations

import pytest

from auditor.checks.commits import is_fix
from auditor.model.evidence import Commit, FileChange


def commit(subject: str, path: str = "app/orders.py") -> Commit:
    return Commit("a" * 40, 0, "person 1", subject, (), (FileChange(path, 1, 1),))


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("fix: newest order is missing", True),
        ("Fix newest order missing (#12)", True),
        ("fix(orders)!: refuse empty ones", True),
        ("hotfix for lost orders", True),
        ("Bug: orders are lost", True),
        ("修复 lost orders", True),
        ("fix typo in orders", False),
        ("fix(ci): cache", False),
        ("fix(deps): update", False),
        ("feat: fixed price for orders", False),
        ("Fix lint", False),
        ("Fix flaky test", False),
        ("Add prefixes", False),
    ],
)
def test_subjects(subject: str, expected: bool) -> None:
    assert is_fix(commit(subject)) is expected


def test_only_code_of_the_product_counts() -> None:
    assert not is_fix(commit("Fix lost orders", "docs/orders.md"))
    assert not is_fix(commit("Fix lost orders", "tests/test_orders.py"))
