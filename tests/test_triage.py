"""What people rule about findings: read strictly, shown everywhere, and never a change of the grade."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from auditor.comparison import compare, ruled
from auditor.errors import UsageError
from auditor.model.comparison import State
from auditor.model.triage import Decision, Ruling, Standing
from auditor.model.verdict import Finding, Verdict
from auditor.render.html import to_html
from auditor.render.json_report import from_json, to_json
from auditor.render.rulings import sentence
from auditor.render.terminal import to_terminal
from auditor.triage import apply, complaints, read
from tests.render.reading import page_of
from tests.render.reading import read as page
from tests.render.sample import build, outcome, rich

ITEM, OTHER = "security.sql-parameterised", "ops.runbook"
FINDING = f'[[finding]]\nfingerprint = "{"a" * 20}"\nitem = "{ITEM}"\n'


def rulings(tmp_path: Path, text: str) -> tuple[Ruling, ...]:
    path = tmp_path / "triage.toml"
    path.write_text(text)
    return read(path)


def test_a_file_with_everything(tmp_path: Path) -> None:
    found = rulings(
        tmp_path,
        FINDING
        + 'path = "a.py"\ndecision = "accepted risk"\nreason = " two\\n lines "\nowner = "Ada"\nuntil = 2027-01-31\nby = "Bo"\ndate = "2026-11-20"\n'
        + f'[[item]]\nid = "{OTHER}"\ndecision = "note"\nnote = "later"\n',
    )
    assert found == (
        Ruling(Decision.ACCEPTED, ITEM, "a" * 20, "a.py", "two lines", "", "Ada", "2027-01-31", "Bo", "2026-11-20"),
        Ruling(Decision.NOTE, OTHER, note="later"),
    )
    assert rulings(tmp_path, "") == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[[findings]]\nfingerprint = "x"\n', ["'findings'", "did you mean 'finding'?"]),
        (FINDING + 'desicion = "note"\n', ["finding 1", "'desicion'", "did you mean 'decision'?"]),
        (FINDING + 'decision = "false positiv"\nreason = "r"\n', ["'false positiv'", "did you mean 'false positive'?"]),
        (FINDING, ["decision is missing"]),
        (FINDING + 'decision = "false positive"\n', ["'false positive' needs reason"]),
        (FINDING + 'decision = "accepted risk"\nreason = "r"\nowner = "o"\n', ["needs until"]),
        (FINDING + 'decision = "accepted risk"\nreason = "r"\nuntil = 2027-01-01\n', ["needs owner"]),
        (FINDING + 'decision = "note"\n', ["needs note"]),
        (FINDING + 'decision = "note"\nnote = "n"\nuntil = "soon"\n', ["until", "YYYY-MM-DD"]),
        (FINDING + 'decision = "note"\nnote = 3\n', ["note should be a text"]),
        ('[[finding]]\nitem = "ops.runbook"\ndecision = "confirmed"\n', ["fingerprint is missing"]),
        ('[[finding]]\nfingerprint = "x"\ndecision = "confirmed"\n', ["item is missing"]),
        ('[[item]]\nid = "ops.runbok"\ndecision = "confirmed"\n', ["item 1", "did you mean ops.runbook?"]),
        ('[[item]]\nid = "ops.runbook"\nfingerprint = "x"\ndecision = "confirmed"\n', ["'fingerprint'"]),
        ((FINDING + 'decision = "confirmed"\n') * 2, ["two rulings on aaaa"]),
        ("[finding]\n", ["[[finding]]"]),
        ("finding = [1]\n", ["list of tables"]),
        ("x = \n", ["not valid TOML", "line 1"]),
        ("x = " + "[" * 5_000, ["not valid TOML"]),
    ],
)
def test_a_mistake_is_one_line_that_says_where(tmp_path: Path, text: str, words: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        rulings(tmp_path, text)
    assert "\n" not in str(caught.value)
    for word in ("triage.toml", *words):
        assert word in str(caught.value)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read"):
        read(tmp_path / "none.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="not valid TOML"):
        read(tmp_path / "bytes.toml")
    (tmp_path / "large.toml").write_bytes(b"#" * 1_000_001)
    with pytest.raises(UsageError, match="larger than"):
        read(tmp_path / "large.toml")


def test_nothing_but_the_triage_changes() -> None:
    bare = dataclasses.replace(rich(), triage=None, before=None)
    with_rulings = apply(bare, [dataclasses.replace(one) for one in rich().triage.rulings])
    assert dataclasses.replace(with_rulings, triage=None) == bare
    assert with_rulings.triage.rulings == rich().triage.rulings


def test_standing_and_counts() -> None:
    triage = rich().triage
    assert [one.standing for one in triage.rulings] == [Standing.APPLIES] * 4 + [Standing.EXPIRED, Standing.STALE]
    assert dict(triage.counts) == {Decision.CONFIRMED: 1, Decision.FALSE_POSITIVE: 1, Decision.ACCEPTED: 1, Decision.NOTE: 1}
    said = list(complaints(triage.rulings))
    assert len(said) == 2
    assert "ended on 2026-10-31" in said[0]
    assert "tests.meaningful" in said[1]


def test_the_last_day_still_counts() -> None:
    one = Ruling(Decision.ACCEPTED, ITEM, "a" * 20, reason="r", owner="o", until=rich().date)
    assert apply(rich(), [one]).triage.rulings[0].standing is Standing.APPLIES


def test_a_ruling_follows_a_renamed_file_and_not_an_edit() -> None:
    def one(path: str, fingerprint: str) -> Finding:
        return Finding("r", path, "m", 3, 3, fingerprint=fingerprint)

    first, edited, third = "1" * 20, "1" * 10 + "2" * 10, "3" * 20
    given = [Ruling(Decision.CONFIRMED, ITEM, first, "old.py"), Ruling(Decision.CONFIRMED, ITEM, third, "c.py")]
    report = build([outcome(ITEM, Verdict.FAIL, 1.0, "x", [one("new.py", first), one("c.py", edited)])])
    placed = apply(report, given).triage.rulings
    assert [ruling.standing for ruling in placed] == [Standing.APPLIES, Standing.STALE]
    assert "edited code" in placed[1].hint


def test_of_equal_places_the_one_in_the_ruled_file_is_meant() -> None:
    same = "1" * 20
    places = [Finding("r", "a.py", "m", 3, 3, fingerprint=same), Finding("r", "b.py", "m", 3, 3, fingerprint=f"{same}-2")]
    report = build([outcome(ITEM, Verdict.FAIL, 1.0, "x", places[1:])])
    fixed_first = build([outcome(ITEM, Verdict.FAIL, 1.0, "x", [dataclasses.replace(places[1], fingerprint=same)])])
    given = [Ruling(Decision.CONFIRMED, ITEM, f"{same}-2", "b.py")]
    assert apply(report, given).triage.rulings[0].fingerprint == f"{same}-2"
    assert apply(fixed_first, given).triage.rulings[0].fingerprint == same


def test_a_wrong_fingerprint_names_the_nearest_and_a_wrong_item_the_right_one() -> None:
    given = [Ruling(Decision.CONFIRMED, ITEM, "a" * 19 + "f"), Ruling(Decision.CONFIRMED, OTHER, "a" * 20)]
    hints = [one.hint for one in apply(rich(), given).triage.rulings]
    assert hints == [f"did you mean {'a' * 20}?", f"that fingerprint belongs to {ITEM}"]


def test_a_comparison_tells_what_was_accepted_and_what_was_called_false() -> None:
    before = {change.fingerprint: change.state for change in rich().before.changes}
    assert (before["a" * 20], before["b" * 20]) == (State.ACCEPTED, State.FALSE_POSITIVE)
    plain = ruled(rich().before, None)
    assert {change.state for change in plain.changes if change.fingerprint in ("a" * 20, "b" * 20)} == {State.STILL_OPEN}
    assert len(plain.changes) == len(rich().before.changes)
    assert ruled(plain, rich().triage) == rich().before


def test_a_new_finding_that_is_accepted_or_false_makes_nothing_worse() -> None:
    new = apply(rich(), rich().triage.rulings)
    old = build([outcome(ITEM, Verdict.PASS, 0.0, "x")])
    assert {c.state for c in compare(old, new).changes if c.item == ITEM} == {State.ACCEPTED, State.FALSE_POSITIVE}


def test_every_output_says_that_the_grade_is_untouched() -> None:
    said = sentence(rich())
    assert "1 accepted risk" in said
    assert "grade count every finding all the same" in said
    assert said in page_of("rich").text
    assert said in " ".join(to_terminal(rich()).split())
    assert sentence(build([])) == ""


def test_a_ruling_stands_at_its_finding_and_in_the_appendix() -> None:
    html = to_html(rich()).decode()
    block = html.split(f'id="item-{ITEM}"')[1].split("</details>\n", 1)[0]
    assert "Accepted risk" in block
    assert "answered for by Ada, until 2027-01-31" in block
    assert "<code>order</code> is checked" in block
    rows = page(html.encode()).tables["rulings"]
    assert len([row for row in rows if row and row[0] != "Item"]) == 6
    assert to_html(from_json(to_json(rich()))).decode() == html
