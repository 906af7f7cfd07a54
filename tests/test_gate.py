"""The judgement of the gate: what is new fails it, what was there never does, and where a comparison would mislead it says that it cannot say."""

from __future__ import annotations

import dataclasses

import pytest

from auditor.baseline import Baseline, of_report
from auditor.gate import Comparison, judge
from auditor.model.evidence import CloneFamily, Edge, Fragment, Module
from auditor.model.gate import Gate, Standing, State, Use
from auditor.model.report import CloneReport, Copy, GraphReport, Report
from auditor.model.settings import POLICIES, Fall, Profile, Settings, Suppression, Unknown
from auditor.model.syntax import ImportKind
from auditor.model.verdict import Severity, Verdict
from tests.gates import DEBUG, KEYS, OWNERSHIP, SQL, finding, outcome, report

STANDARD, CRITICAL, EXPERIMENTAL = (
    Settings(policy=POLICIES[profile]) for profile in (Profile.STANDARD, Profile.CRITICAL, Profile.EXPERIMENTAL)
)
CLEAN = report()
OLD = report(outcome(SQL, finding("a.py", 3)))
NEW = report(outcome(SQL, finding("a.py", 3), finding("b.py", 7)))
MEDIUM = report(outcome("architecture.complexity-bounded", finding("c.py", 1, rule="complex")))


def baseline(of: Report, **changes: object) -> Baseline:
    return dataclasses.replace(of_report(of), source="auditor-baseline.txt", **changes)


def against(now: Report, before: Report | None, settings: Settings = STANDARD, **comparison: object) -> Gate:
    return judge(now, settings, Comparison(baseline(before) if before else None, "the baseline", **comparison))


def suppression(item: str = SQL, line: int = 7, path: str = "b.py", **words: str) -> Suppression:
    shared = {"reason": "checked", "owner": "", "until": "", "place": f"{path}:{line}"} | words
    return Suppression(item, "", path, line, **shared)


def test_what_stood_there_before_never_fails() -> None:
    for settings in (STANDARD, CRITICAL, EXPERIMENTAL):
        gate = against(NEW, NEW, settings)
        assert gate.standing is Standing.PASSED
        assert {one.state for one in gate.findings} == {State.UNCHANGED}


def test_a_new_finding_fails_and_is_named() -> None:
    gate = against(NEW, OLD)
    assert gate.standing is Standing.FAILED
    assert [(one.path, one.line) for one in gate.counting] == [("b.py", 7)]
    assert gate.sentence == f"Gate failed: 1 new blocker finding; first {SQL} in b.py:7 (standard, against the baseline)"


def test_without_a_baseline_everything_counts() -> None:
    assert against(OLD, None).standing is Standing.FAILED
    assert against(CLEAN, None).standing is Standing.PASSED


def test_what_is_fixed_is_told() -> None:
    gate = against(OLD, NEW)
    assert (gate.standing, [one.path for one in gate.fixed]) == (Standing.PASSED, ["b.py"])
    assert "1 old finding fixed" in gate.sentence
    assert gate.notes == ("1 line of the baseline is gone; `auditor baseline` prunes it",)


@pytest.mark.parametrize(("settings", "fails"), [(EXPERIMENTAL, False), (STANDARD, False), (CRITICAL, True)])
def test_profiles_differ_in_what_fails(settings: Settings, *, fails: bool) -> None:
    quiet = dataclasses.replace(settings, policy=dataclasses.replace(settings.policy, fall=Fall.OFF))
    assert (against(MEDIUM, CLEAN, quiet).standing is Standing.FAILED) is fails


def test_own_weights_and_items_off_hold_for_the_gate_and_not_for_the_grade() -> None:
    item = "architecture.complexity-bounded"
    weighty = dataclasses.replace(STANDARD, weights=((item, Severity.HIGH),))
    gate = against(MEDIUM, CLEAN, weighty)
    assert (gate.standing, gate.counting[0].severity) == (Standing.FAILED, Severity.HIGH)
    off = against(
        NEW, CLEAN, dataclasses.replace(STANDARD, off=((SQL, "elsewhere"),), policy=dataclasses.replace(STANDARD.policy, fall=Fall.OFF))
    )
    assert off.standing is Standing.PASSED
    assert any("the grade counts all items" in note for note in off.notes)


def test_paths_left_out_do_not_count() -> None:
    assert against(NEW, OLD, dataclasses.replace(STANDARD, exclude=("b.py",))).standing is Standing.PASSED


def test_a_falling_grade_fails() -> None:
    worse = report(
        outcome("debt.no-dead-code", verdict=Verdict.FAIL), *(outcome(i, verdict=Verdict.FAIL) for i in ("ops.config-from-environment",))
    )
    strict = dataclasses.replace(CRITICAL, policy=dataclasses.replace(CRITICAL.policy, fail_on=frozenset()))
    gate = against(worse, CLEAN, strict)
    assert gate.standing is Standing.FAILED
    assert gate.reasons[0].startswith("the grade fell from A 100 to A ")
    assert (
        against(worse, CLEAN, dataclasses.replace(strict, policy=dataclasses.replace(strict.policy, fall=Fall.LETTER))).standing
        is Standing.PASSED
    )


def test_a_lowest_letter_holds_whatever_was_before() -> None:
    strict = dataclasses.replace(STANDARD, policy=dataclasses.replace(STANDARD.policy, lowest="C"))
    gate = against(OLD, OLD, strict)
    assert (gate.standing, gate.reasons) == (Standing.FAILED, ("the grade is D, at least C is asked for",))


def test_too_much_undecided_is_no_answer() -> None:
    undecided = report(*(outcome(item, verdict=Verdict.UNKNOWN) for item in (SQL, KEYS, OWNERSHIP, DEBUG)))
    for before in (CLEAN, undecided):
        strict = dataclasses.replace(STANDARD, policy=dataclasses.replace(STANDARD.policy, assurance=0.95, unknown=Unknown.OFF))
        gate = against(undecided, before, strict)
        assert gate.standing is Standing.CANNOT_SAY
        assert "95 % is asked for" in gate.sentence


def test_a_blocker_that_could_be_decided_before_and_cannot_now_is_no_answer() -> None:
    undecided = report(outcome(OWNERSHIP, verdict=Verdict.UNKNOWN))
    assert against(undecided, CLEAN).standing is Standing.CANNOT_SAY
    assert OWNERSHIP in against(undecided, CLEAN).sentence
    assert against(undecided, undecided).standing is Standing.PASSED
    assert against(undecided, undecided, CRITICAL).standing is Standing.CANNOT_SAY
    assert against(undecided, CLEAN, EXPERIMENTAL).standing is Standing.PASSED


def test_a_new_blocker_fails_even_where_something_else_is_undecided() -> None:
    both = report(outcome(SQL, finding("b.py", 7)), outcome(OWNERSHIP, verdict=Verdict.UNKNOWN))
    assert against(both, CLEAN).standing is Standing.FAILED


@pytest.mark.parametrize(("change", "words"), [({"model": "2"}, "score model 2"), ({"format": 1}, "has format 1")])
def test_a_baseline_of_another_kind_is_no_answer(change: dict[str, object], words: str) -> None:
    gate = judge(NEW, STANDARD, Comparison(baseline(OLD, **change), "the baseline"))
    assert gate.standing is Standing.CANNOT_SAY
    assert words in gate.sentence
    assert "auditor baseline --accept" in gate.sentence


def test_a_baseline_of_other_rules_answers_only_where_nothing_is_new() -> None:
    other = baseline(OLD, rules="0123456789ab")
    assert judge(NEW, STANDARD, Comparison(other, "the baseline")).standing is Standing.CANNOT_SAY
    assert judge(OLD, STANDARD, Comparison(other, "the baseline")).standing is Standing.PASSED


def test_only_what_changed_can_fail_and_all_of_it_is_told() -> None:
    narrow = {"changed": frozenset({"c.py"}), "changed_since": "main"}
    gate = against(NEW, OLD, **narrow)
    assert gate.standing is Standing.PASSED
    assert [(one.path, one.state) for one in gate.findings] == [("a.py", State.UNCHANGED), ("b.py", State.NEW)]
    assert any("outside of the change" in note for note in gate.notes)
    assert against(NEW, OLD, changed=frozenset({"b.py"}), changed_since="main").standing is Standing.FAILED


def test_an_item_that_is_open_without_a_place_is_one_finding() -> None:
    missing = report(outcome("observability.error-reporting"))
    gate = against(missing, CLEAN)
    assert [(one.item, one.path) for one in gate.counting] == [("observability.error-reporting", "")]
    assert against(missing, missing).standing is Standing.PASSED


def test_findings_within_tolerance_are_known_once_they_exceed_it() -> None:
    few = report(outcome("resilience.outbound-timeouts", finding("a.py", 1), verdict=Verdict.PASS))
    more = report(outcome("resilience.outbound-timeouts", finding("a.py", 1), finding("b.py", 1), verdict=Verdict.PARTIAL))
    assert [one.path for one in against(more, few).counting] == ["b.py"]


def test_a_suppression_is_obeyed_counted_and_listed() -> None:
    declared = dataclasses.replace(NEW, suppressions=(suppression(),))
    gate = against(declared, OLD)
    assert gate.standing is Standing.PASSED
    assert [(one.use, one.findings) for one in gate.suppressions] == [(Use.OBEYED, 1)]
    elsewhere = dataclasses.replace(NEW, suppressions=(suppression(line=6),))
    assert against(elsewhere, OLD).standing is Standing.FAILED
    assert against(elsewhere, OLD).suppressions[0].use is Use.UNUSED


def test_an_ended_suppression_fails_even_for_old_debt() -> None:
    ended = dataclasses.replace(NEW, suppressions=(suppression(until="2026-05-31"),))
    gate = against(ended, NEW)
    assert (gate.standing, gate.suppressions[0].use) == (Standing.FAILED, Use.EXPIRED)
    assert gate.reasons == ("1 blocker finding whose exception has ended",)
    last_day = dataclasses.replace(NEW, suppressions=(suppression(until="2026-06-01"),))
    assert against(last_day, OLD).standing is Standing.PASSED


def test_a_suppression_that_cannot_be_used_fails() -> None:
    broken = dataclasses.replace(CLEAN, suppressions=(suppression(problem="it gives no reason"),))
    gate = against(broken, CLEAN)
    assert gate.standing is Standing.FAILED
    assert "b.py:7: it gives no reason" in gate.sentence


def test_a_change_cannot_suppress_its_own_findings() -> None:
    declared = dataclasses.replace(NEW, suppressions=(suppression(),))
    change = {"changed": frozenset({"b.py"}), "changed_since": "main"}
    gate = against(declared, OLD, vouched=(), **change)
    assert (gate.standing, gate.suppressions[0].use) == (Standing.FAILED, Use.NOT_OBEYED)
    assert against(declared, OLD, vouched=(suppression(line=2),), **change).standing is Standing.PASSED
    assert against(declared, OLD, vouched=(suppression(path="old_name.py"),), **change).standing is Standing.PASSED
    twice = dataclasses.replace(declared, suppressions=(suppression(), suppression(path="c.py")))
    assert [one.use for one in against(twice, OLD, vouched=(suppression(),), **change).suppressions] == [Use.OBEYED, Use.NOT_OBEYED]


def test_a_critical_gate_wants_an_owner_and_an_end() -> None:
    declared = dataclasses.replace(NEW, suppressions=(suppression(),))
    assert against(declared, OLD, CRITICAL).standing is Standing.FAILED
    answered = dataclasses.replace(NEW, suppressions=(suppression(owner="ann", until="2026-12-31"),))
    assert against(answered, OLD, CRITICAL).standing is Standing.PASSED


def test_an_entry_of_the_configuration_covers_a_pattern_or_a_fingerprint() -> None:
    by_path = Suppression(SQL, "", "b*", 0, "r", "", "", "auditor.toml, suppress[1]")
    by_print = Suppression(SQL, "", "", 0, "r", "", "", "auditor.toml, suppress[1]", fingerprint=finding("b.py", 7).fingerprint)
    for entry in (by_path, by_print):
        assert against(NEW, OLD, dataclasses.replace(STANDARD, suppressions=(entry,))).standing is Standing.PASSED
    other = dataclasses.replace(by_path, rule="nosql-injection")
    assert against(NEW, OLD, dataclasses.replace(STANDARD, suppressions=(other,))).standing is Standing.FAILED


def copied(*copies: Copy) -> Report:
    family = CloneFamily((Fragment("a.py", 1, 20), Fragment("b.py", 1, 20)), 80, 20, exact=True)
    item = outcome("debt.no-duplication", finding("a.py", 1, rule="copied-block"), verdict=Verdict.PARTIAL)
    return dataclasses.replace(report(item), clones=CloneReport((family,), 20, 100, copies=copies))


def test_a_new_copy_fails_place_by_place_whatever_families_the_report_shows() -> None:
    one, two = Copy("b.py", 1, 20, "f" * 20, "a.py", 1), Copy("c.py", 5, 20, "f" * 20 + "-2", "a.py", 1)
    assert against(copied(one), copied(one)).standing is Standing.PASSED
    gate = against(copied(one, two), copied(one))
    assert (gate.standing, [place.path for place in gate.counting]) == (Standing.FAILED, ["c.py"])
    assert "1 new copy of code" in gate.sentence
    assert against(copied(one, two), copied(one), EXPERIMENTAL).standing is Standing.PASSED


def test_a_copy_counts_where_either_side_changed() -> None:
    one = Copy("z.py", 1, 20, "f" * 20, "a_new.py", 1)
    change = {"changed": frozenset({"a_new.py"}), "changed_since": "main"}
    gate = against(copied(one), copied(), **change)
    assert (gate.standing, gate.counting[0].path, gate.counting[0].line) == (Standing.FAILED, "a_new.py", 1)
    assert "repeat z.py:1" in gate.counting[0].message


def test_imports_against_declared_layers_are_findings() -> None:
    modules = tuple(Module(name, f"app/{name}.py", "python", 9) for name in ("web", "data", "free"))
    up, down = Edge("data", "web", ImportKind.IMPORT_TIME, 4), Edge("web", "data", ImportKind.IMPORT_TIME, 2)
    layered = dataclasses.replace(STANDARD, layers=(("web", ("app/web.py",)), ("data", ("app/data.py",))))

    def graphed(*edges: Edge) -> Report:
        return dataclasses.replace(CLEAN, graph=GraphReport(modules, edges, (), (), ()))

    gate = against(graphed(up, down, Edge("free", "web", ImportKind.IMPORT_TIME, 1)), graphed(down), layered)
    assert [(one.rule, one.path, one.line) for one in gate.counting] == [("declared-layer", "app/data.py", 4)]
    before = dataclasses.replace(of_report(graphed(up), layered.layers), source="b")
    assert judge(graphed(up), layered, Comparison(before, "b")).standing is Standing.PASSED
    assert against(graphed(dataclasses.replace(up, kind=ImportKind.TYPE_ONLY)), graphed(), layered).standing is Standing.PASSED


def test_selected_items_are_judged_without_grade_and_assurance() -> None:
    part = dataclasses.replace(
        OLD, score=dataclasses.replace(OLD.score, value=None, letter=None, no_grade="only selected items were judged")
    )
    assert against(part, OLD, partial=True).standing is Standing.PASSED
    assert against(part, OLD).standing is Standing.CANNOT_SAY
