"""Every folder `fixtures/checks/<item>/<verdict>-<slug>` is a small repository whose verdict stands in its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor import audit
from auditor.catalogue import catalogue
from auditor.checks.registry import SECTIONS, all_checks
from auditor.model.verdict import Verdict
from tests.support.repositories import FIXTURES, from_fixture

CASES = sorted(path for path in (FIXTURES / "checks").glob("*/*") if path.is_dir())
VERDICTS = sorted((verdict.value for verdict in Verdict), key=len, reverse=True)
OUTSIDE_EVIDENCE = {"deps.no-known-vulnerabilities"}
"""Items whose fixtures need data the harness cannot put into a folder; they have tests of their own."""


def expected(case: Path) -> str:
    return next(verdict for verdict in VERDICTS if case.name.startswith(f"{verdict}-"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.name}")
def test_fixture_gets_the_verdict_in_its_name(case: Path, tmp_path: Path, fixture_cache: Path) -> None:
    repository = from_fixture(case, tmp_path / "app")
    report = audit(repository, only=[case.parent.name], date="2026-03-01", cache_dir=fixture_cache, workers=1, debug=True)
    outcome = report.outcomes[0]
    shown = [f"{finding.path}:{finding.line} {finding.rule}: {finding.message}" for finding in outcome.findings]
    assert outcome.verdict.value == expected(case), (outcome.reason, outcome.badness, shown, outcome.unexamined)
    item = catalogue().item(case.parent.name)
    for finding in outcome.findings:
        rule = item.rule(finding.rule)
        assert rule, f"auditor/rules.toml does not document {item.id}/{finding.rule}"
        assert not finding.cwe or finding.cwe in rule.cwes, f"auditor/rules.toml documents {item.id}/{rule.id} without CWE-{finding.cwe}"


def test_every_fixture_names_a_judged_item_and_a_verdict() -> None:
    judged = set(all_checks())
    for case in CASES:
        assert case.parent.name in judged, case
        assert any(case.name.startswith(f"{verdict}-") for verdict in VERDICTS), case


@pytest.mark.parametrize("item", sorted(all_checks()))
def test_every_check_has_a_passing_and_a_failing_example(item: str) -> None:
    if item in OUTSIDE_EVIDENCE:
        return
    names = [case.name for case in CASES if case.parent.name == item]
    assert any(name.startswith("pass-") for name in names), f"{item} has no pass fixture"
    assert any(name.startswith("fail-") for name in names), f"{item} has no fail fixture"


@pytest.mark.parametrize("item", sorted(all_checks()))
def test_every_check_is_documented_and_stands_at_its_place(item: str) -> None:
    check = all_checks()[item]
    category, name = item.split(".")
    assert check.function.__module__ == f"auditor.checks.{category}.{name.replace('-', '_')}"
    missing = [section for section in SECTIONS if len(check.sections.get(section, "")) < 15]
    assert not missing, f"{item} lacks {missing}"


def test_the_catalogue_has_105_items_in_13_categories() -> None:
    assert len(catalogue().items) == 105
    assert len(catalogue().categories) == 13
