"""What became of an earlier audit's findings: each has one state, and moving code changes nothing."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor import audit
from auditor.comparison import compare
from auditor.errors import UsageError
from auditor.model.comparison import Comparison, Match, State
from auditor.model.report import Report
from auditor.model.verdict import Finding, Verdict
from auditor.render.before_after import changes_view
from auditor.render.changes import to_terminal
from auditor.render.html import changes_page, to_html
from auditor.render.json_report import from_json, to_json
from auditor.score import MODEL
from auditor.score import score as scored
from tests.render.reading import read
from tests.render.sample import build, hostile, outcome, rich
from tests.support.repositories import from_texts

FAIL, PARTIAL, UNKNOWN, PASS, NOT_APPLICABLE = Verdict.FAIL, Verdict.PARTIAL, Verdict.UNKNOWN, Verdict.PASS, Verdict.NOT_APPLICABLE
ITEM, OTHER = "resilience.no-swallowed-errors", "resilience.outbound-timeouts"


def finding(code: str, path: str = "a.py", line: int = 3, symbol: str = "", rule: str = "r") -> Finding:
    """A finding with a fingerprint as the engine makes it: a part for the definition around it, a part for the code."""
    parts = (f"{rule} {symbol or code}", f"{rule} {symbol} {code}")
    return Finding(
        rule, path, f"{code} is wrong", line, line, fingerprint="".join(hashlib.sha256(one.encode()).hexdigest()[:10] for one in parts)
    )


def report(*findings: Finding, verdict: Verdict = FAIL, item: str = ITEM, others: tuple = ()) -> Report:
    """A report of one item with these findings."""
    return build([outcome(item, verdict, 1.0 if verdict is FAIL else 0.0, "Some.", [*findings]), *others])


def states(comparison: Comparison) -> dict[str, State]:
    return {change.message or change.item: change.state for change in comparison.changes}


def test_fixed_new_and_still_open() -> None:
    found = compare(report(finding("a"), finding("b", line=9)), report(finding("b", line=70), finding("c")))
    assert states(found) == {"a is wrong": State.FIXED, "b is wrong": State.STILL_OPEN, "c is wrong": State.NEW}
    assert found.worse
    moved = next(change for change in found.changes if change.message == "b is wrong")
    assert (moved.match, moved.line, moved.was) == (Match.SAME, 70, "a.py:9")


def test_a_renamed_file_changes_nothing() -> None:
    found = compare(report(finding("a", symbol="f")), report(finding("a", "core/b.py", 90, "f")))
    assert [(c.state, c.match, c.was) for c in found.changes] == [(State.STILL_OPEN, Match.MOVED, "a.py:3")]


def test_of_several_files_with_equal_code_the_nearest_is_the_one_that_moved() -> None:
    old = report(finding("a", "old/v2.py"), finding("a", "api/coupons.py"), finding("a", "api/orders.py"))
    new = report(finding("a", "api/vouchers.py"), finding("a", "core/orders.py"))
    assert {(c.path, c.was) for c in compare(old, new).of(State.STILL_OPEN)} == {
        ("api/vouchers.py", "api/coupons.py:3"),
        ("core/orders.py", "api/orders.py:3"),
    }


def test_the_same_code_in_another_function_of_another_file_is_another_finding() -> None:
    found = compare(report(finding("pass", symbol="f")), report(finding("pass", "b.py", symbol="g")))
    assert Counter(c.state for c in found.changes) == {State.FIXED: 1, State.NEW: 1}


def test_an_edited_line_with_the_same_fault_is_still_open_and_says_so() -> None:
    found = compare(report(finding("a", symbol="f")), report(finding("a2", symbol="f")))
    assert [(c.state, c.match) for c in found.changes] == [(State.STILL_OPEN, Match.CHANGED)]


def test_of_two_findings_in_one_function_one_is_edited_and_one_fixed() -> None:
    found = compare(report(finding("a", symbol="f"), finding("b", symbol="f")), report(finding("c", symbol="f")))
    assert Counter((c.state, c.match) for c in found.changes) == {(State.FIXED, Match.NONE): 1, (State.STILL_OPEN, Match.CHANGED): 1}


def test_what_is_not_judged_again_is_not_fixed() -> None:
    old = report(finding("a"))
    assert states(compare(old, report(verdict=NOT_APPLICABLE))) == {"a is wrong": State.NOT_APPLICABLE}
    assert states(compare(old, report(verdict=UNKNOWN))) == {"a is wrong": State.UNDECIDED}
    assert states(compare(old, report(item=OTHER, verdict=PASS))) == {"a is wrong": State.UNDECIDED}
    unread = dataclasses.replace(report(finding("z", "z.py")).outcomes[0], unexamined=(("a.py", "does not parse"),))
    assert states(compare(old, build([unread])))["a is wrong"] is State.UNDECIDED


def test_within_the_tolerance_is_not_fixed_either() -> None:
    assert states(compare(report(finding("a")), report(finding("a"), verdict=PASS))) == {"a is wrong": State.TOLERATED}
    assert states(compare(report(finding("a"), verdict=PASS), report(finding("a")))) == {"a is wrong": State.STILL_OPEN}


def test_what_nobody_decided_before_is_not_new() -> None:
    new = report(finding("a"))
    for old in (report(verdict=UNKNOWN), report(item=OTHER, verdict=PASS)):
        found = compare(old, new)
        assert states(found) == {"a is wrong": State.FIRST_SEEN}
        assert not found.worse
    assert states(compare(report(verdict=NOT_APPLICABLE), new)) == {"a is wrong": State.NEW}


def test_what_comes_back_is_reopened_over_any_number_of_audits() -> None:
    first, second, third = report(finding("a")), report(finding("b")), report(finding("c"))
    second = dataclasses.replace(second, before=compare(first, second))
    third = dataclasses.replace(third, before=compare(second, third))
    fourth = report(finding("a", "renamed.py"))
    found = compare(from_json(to_json(third)), fourth)
    assert states(found) == {"a is wrong": State.REOPENED, "c is wrong": State.FIXED}
    assert found.worse
    assert {one.fingerprint for one in found.closed} == {finding("b").fingerprint, finding("c").fingerprint}


def test_an_absence_is_a_finding_too() -> None:
    absent = report()
    assert [(c.state, c.path) for c in compare(absent, absent).changes] == [(State.STILL_OPEN, "")]
    assert [c.state for c in compare(absent, report(verdict=PASS)).changes] == [State.FIXED]
    assert [(c.state, c.match) for c in compare(absent, report(finding("a"))).changes] == [(State.STILL_OPEN, Match.CHANGED)]


def test_reports_whose_findings_cannot_be_recognised_are_refused() -> None:
    with pytest.raises(UsageError, match=r"schema version 1\.1.*audit that revision again"):
        compare(dataclasses.replace(rich(), schema="1.1"), rich())


_FINDINGS = st.lists(
    st.builds(
        finding,
        st.sampled_from("abc"),
        st.sampled_from(("a.py", "b.py", "d/a.py")),
        st.integers(0, 9),
        st.sampled_from(("", "f")),
        st.sampled_from("rs"),
    ),
    max_size=8,
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(first=_FINDINGS, second=_FINDINGS, was=st.sampled_from(Verdict), now=st.sampled_from(Verdict))
def test_the_lists_partition_the_findings(first: list[Finding], second: list[Finding], was: Verdict, now: Verdict) -> None:
    """Each finding of an open item, old or new, stands in exactly one list; those in both runs count once."""
    old, new = report(*first, verdict=was), report(*second, verdict=now)
    found = compare(old, new)
    assert sum(len(found.of(state)) for state in State) == len(found.changes)
    both = [c for c in found.changes if c.match is not Match.NONE]
    gone = [c for c in found.changes if c.match is Match.NONE and c.state in (State.FIXED, State.UNDECIDED, State.NOT_APPLICABLE)]
    come = [c for c in found.changes if c.match is Match.NONE and c.state in (State.NEW, State.REOPENED, State.FIRST_SEEN, State.ACCEPTED)]
    assert len(both) + len(gone) + len(come) == len(found.changes)
    sides = [(first, was), (second, now)]
    olds, news = (max(len(f), 1) if v in (FAIL, PARTIAL) else 0 for f, v in sides)
    if was in (FAIL, PARTIAL):
        assert len(gone) + len(both) >= olds
    if now in (FAIL, PARTIAL):
        assert len(come) + len(both) == news
    assert Counter(c.state for c in compare(old, old).changes) == ({State.STILL_OPEN: olds} if olds else {})


def test_another_score_model_is_worked_out_again_and_said() -> None:
    old, new = rich(), rich()
    old = dataclasses.replace(old, score=dataclasses.replace(old.score, model="1", value=99.0, letter="A"))
    found = compare(old, new)
    assert (found.grade.old, found.grade.old_letter) == (new.score.value, new.score.letter)
    assert found.old.model == found.new.model == MODEL
    assert "scored with model 1" in " ".join(found.caveats)


def test_runs_that_judged_different_items_are_compared_on_those_both_judged() -> None:
    old, new = build(list(rich().outcomes[:10])), rich()
    found = compare(old, new)
    assert found.common is not None
    assert found.common.old == found.common.new == scored(rich().outcomes[:10]).value
    assert "did not judge the same items" in " ".join(found.caveats)
    assert compare(new, new).common is None
    assert compare(new, new).caveats == ()


def test_a_swapped_order_and_another_repository_are_said() -> None:
    late = dataclasses.replace(rich(), date="2027-01-01")
    other = dataclasses.replace(rich(), scope=dataclasses.replace(rich().scope, name="other"))
    assert "younger" in " ".join(compare(late, rich()).caveats)
    assert "different repositories" in " ".join(compare(other, rich()).caveats)


def test_two_audits_of_a_tree_that_was_moved_about(tmp_path: Path) -> None:
    """The real thing: a file renamed, lines moved, one fault put right, one added."""
    call = "import requests\n\n\ndef {name}(url):\n    return requests.get(url).json()\n"
    files = {"app/one.py": call.format(name="one"), "app/two.py": call.format(name="two"), "requirements.txt": "requests==2.32.0\n"}
    before = audit(from_texts(tmp_path / "old" / "app", files), date="2026-03-01", only=[OTHER], use_cache=False)
    files["app/renamed.py"] = "# moved\n\n" + files.pop("app/one.py")
    files["app/two.py"] = files["app/two.py"].replace("get(url)", "get(url, timeout=5)")
    files["app/three.py"] = call.format(name="three").replace("get(", "post(")
    after = audit(from_texts(tmp_path / "new" / "app", files), date="2026-03-31", only=[OTHER], use_cache=False)
    found = compare(before, after)
    assert {(c.path, c.state, c.match) for c in found.changes} == {
        ("app/renamed.py", State.STILL_OPEN, Match.MOVED),
        ("app/two.py", State.FIXED, Match.NONE),
        ("app/three.py", State.NEW, Match.NONE),
    }


def test_the_page_and_the_terminal_show_every_state() -> None:
    old = report(finding("a"), finding("b"), others=(outcome(OTHER, UNKNOWN, 0.0, "x"),))
    new = report(finding("b", line=8), finding("c"), others=(outcome(OTHER, FAIL, 1.0, "x"),))
    compared = dataclasses.replace(new, before=compare(old, new))
    page, text = read(changes_page(compared)), to_terminal(compared.before)
    for words in ("New: 1", "Fixed: 1", "Still open: 1", "Seen for the first time: 3"):
        assert words in page.text
    assert "1 new, 3 seen for the first time, 1 fixed, 1 still open" in text
    assert len(page.tables["slope-table"]) == 1 + 13
    whole = read(to_html(compared))
    assert "#changes" in whole.links
    assert to_html(from_json(to_json(compared))) == to_html(compared)


def test_the_labels_of_the_chart_do_not_overlap() -> None:
    view = changes_view(dataclasses.replace(rich(), before=compare(build(list(rich().outcomes[:12])), rich())))
    assert view is not None
    for labels in ([one.old_label for one in view.slopes], [one.new_label for one in view.slopes]):
        ordered = sorted(labels)
        assert all(b - a >= 16.9 for a, b in itertools.pairwise(ordered))
        assert ordered[0] > 0


def test_hostile_findings_stay_text() -> None:
    wild = dataclasses.replace(hostile(), before=compare(rich(), hostile()))
    html = changes_page(wild)
    assert len(html) < 1_000_000
    assert {tag for tag, _ in read(html).tags} <= {
        tag for tag, _ in read(changes_page(dataclasses.replace(rich(), before=compare(hostile(), rich())))).tags
    }
    assert b"onerror=alert(1)>" not in html
    assert "\x1b" not in to_terminal(wild.before)
