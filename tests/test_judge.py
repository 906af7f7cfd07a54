"""From evidence to outcomes: a check can neither pass by not looking nor break an audit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from auditor.checks.registry import Check
from auditor.judge import judge, out_of_time
from auditor.model.need import Known, Need, ToolStamp, Unavailable
from auditor.model.snapshot import Language, Role, Skipped, Snapshot, SourceFile
from auditor.model.verdict import Assessed, Judgement, NotApplicable, Outcome, Undecided, Verdict

ITEM = "resilience.outbound-timeouts"
FACTS: Need[Any] = Need("facts", "Install it.")
TOOL: Need[Any] = Need("tool")
STAMP = ToolStamp("t", "1")


def snapshot(*skipped: Skipped) -> Snapshot:
    files = [SourceFile(f"app/{n}.py", Language.PYTHON, Role.FIRST_PARTY, "", 1, 1) for n in range(10)]
    files.append(SourceFile("tests/test_a.py", Language.PYTHON, Role.TEST, "", 1, 1))
    return Snapshot(tuple(files), skipped, "tree", "", "")


def run(
    function: Callable[..., Judgement],
    evidence: dict[str, Known[Any] | Unavailable],
    *,
    tolerance: float = 0.0,
    skipped: tuple[Skipped, ...] = (),
    reraise: bool = False,
) -> Outcome:
    check = Check(ITEM, (FACTS,), (), (TOOL,), (Role.FIRST_PARTY,), tolerance, function, {})
    return judge(check, evidence, snapshot(*skipped), reraise=reraise)


def known(*unexamined: tuple[str, str], examined: int = 10) -> dict[str, Known[Any] | Unavailable]:
    return {"facts": Known(1, STAMP, frozenset(f"app/{n}.py" for n in range(examined)), unexamined)}


def clean(_facts: Any, _tool: Any) -> Assessed:
    return Assessed(0, 10, "All have one.")


def test_a_complete_look_that_found_nothing_passes() -> None:
    result = run(clean, known())
    assert (result.verdict, result.examined, result.scope, result.ceiling) == (Verdict.PASS, 10, 10, 0)


@pytest.mark.parametrize("evidence", [{"facts": Unavailable("semgrep", "it is not installed.")}, {}])
def test_missing_evidence_is_unknown_and_says_what_to_do(evidence: dict[str, Any]) -> None:
    result = run(clean, evidence)
    assert (result.verdict, result.ceiling) == (Verdict.UNKNOWN, 1.0)
    assert not evidence or "semgrep is not available: it is not installed. Install it." in result.reason


def test_optional_evidence_may_be_missing() -> None:
    seen: list[Any] = []

    def look(_facts: Any, tool: Any) -> Assessed:
        seen.append(tool)
        return Assessed(0, 0, "")

    assert run(look, known() | {"tool": Unavailable("t", "gone")}).verdict is Verdict.PASS
    assert seen == [None]


def test_a_crash_is_unknown_and_not_the_end() -> None:
    def broken(_facts: Any, _tool: Any) -> Assessed:
        raise RecursionError

    result = run(broken, known())
    assert (result.verdict, "RecursionError" in result.reason) == (Verdict.UNKNOWN, True)
    with pytest.raises(RecursionError):
        run(broken, known(), reraise=True)


def test_one_unexamined_file_stands_against_a_pass() -> None:
    result = run(clean, known(("app/9.py", "does not parse: line 3"), examined=9))
    assert result.verdict is Verdict.UNKNOWN
    assert "9 of 10 files examined; app/9.py: does not parse: line 3." in result.reason


def test_an_unexamined_test_does_not() -> None:
    assert run(clean, known(("tests/test_a.py", "does not parse"))).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("entry", "verdict"),
    [
        (Skipped("app/big.py", "larger than 20 MB"), Verdict.UNKNOWN),
        (Skipped("app/old.py", "missing from the work tree"), Verdict.PASS),
        (Skipped("app/link.py", "a symbolic link: not followed"), Verdict.PASS),
        (Skipped("film.mp4", "larger than 20 MB"), Verdict.PASS),
        (Skipped("tests/big.py", "larger than 20 MB"), Verdict.PASS),
    ],
)
def test_files_the_snapshot_left_out(entry: Skipped, verdict: Verdict) -> None:
    assert run(clean, known(), skipped=(entry,)).verdict is verdict


def test_an_unexamined_declaration_file_does_not() -> None:
    assert run(clean, known(("app/types.d.ts", "does not parse"))).verdict is Verdict.PASS


def test_a_share_is_moved_by_its_part_only() -> None:
    result = run(lambda *_: Assessed(0, 10, ""), known(("app/9.py", "x"), examined=9), tolerance=0.2)
    assert (result.verdict, result.ceiling) == (Verdict.PASS, 0.0)
    result = run(lambda *_: Assessed(0, 10, ""), known(("app/9.py", "x"), ("app/8.py", "x"), ("app/7.py", "x"), examined=7), tolerance=0.2)
    assert result.verdict is Verdict.UNKNOWN


def test_places_that_could_not_be_resolved_count_as_bad() -> None:
    result = run(lambda *_: Assessed(0, 10, "", unexamined=(("app/1.py", "unclear"),)), known())
    assert result.verdict is Verdict.UNKNOWN
    result = run(lambda *_: Assessed(4, 10, "", unexamined=(("app/1.py", "unclear"),)), known(), tolerance=0.05)
    assert (result.verdict, round(result.ceiling, 3)) == (Verdict.PARTIAL, round(5 / 11, 3))


@pytest.mark.parametrize(
    ("bad", "total", "floor", "verdict", "badness"),
    [
        (0, 0, 0, Verdict.PASS, 0),
        (1, 10, 0, Verdict.PARTIAL, 0.1),
        (6, 10, 0, Verdict.FAIL, 0.6),
        (1, 1000, 1, Verdict.FAIL, 1),
        (0, 0, 0.5, Verdict.PARTIAL, 0.5),
        (30, 10, 0, Verdict.FAIL, 1),
    ],
)
def test_badness(bad: float, total: float, floor: float, verdict: Verdict, badness: float) -> None:
    result = run(lambda *_: Assessed(bad, total, "", floor=floor), known())
    assert (result.verdict, result.badness) == (verdict, badness)


def test_a_witness_is_enough_however_little_was_examined() -> None:
    assert run(lambda *_: Assessed(1, 1, "", floor=1.0), known(("app/9.py", "x"), examined=1)).verdict is Verdict.FAIL


def test_other_judgements() -> None:
    assert run(lambda *_: NotApplicable("no calls"), known()).ceiling == 0
    assert run(lambda *_: Undecided("nobody knows"), known()).ceiling == 1


def test_out_of_time() -> None:
    check = Check(ITEM, (FACTS,), (), (), (Role.FIRST_PARTY,), 0.0, clean, {})
    assert out_of_time(check).verdict is Verdict.UNKNOWN
