"""The HTML report as bytes: self-contained, escaped, complete, the same each time, and its account adds up."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import re
from collections import Counter
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.model.verdict import Finding, Verdict
from auditor.render import view as views
from auditor.render.html import prose, to_html
from auditor.render.json_report import from_json, to_json
from auditor.render.view import Edition
from auditor.score import BORDERS, score
from auditor.words import decimal
from tests.render.reading import page_of, read, rendered
from tests.render.sample import HOSTILE_TEXTS, REPORTS, build, hostile, outcome, rich

LIMIT = 5_000_000
TYPICAL = 1_000_000


named = pytest.mark.parametrize("name", sorted(REPORTS))


@named
def test_equal_reports_give_equal_bytes_stored_ones_too(name: str) -> None:
    assert to_html(from_json(to_json(REPORTS[name]()))) == rendered(name)


@named
def test_nothing_is_loaded_from_anywhere(name: str) -> None:
    page = page_of(name)
    assert all(link.startswith("#") for link in page.links)
    loading = {"src", "srcset", "action", "data", "poster", "background", "formaction", "ping", "xlink:href"}
    assert not [(tag, attributes) for tag, attributes in page.tags if loading & set(attributes)]
    style = re.search(rb"<style>(.*?)</style>", rendered(name), re.DOTALL)
    assert style is not None
    assert b"@import" not in style[1]
    assert set(re.findall(rb"url\(([^)]*)\)", style[1])) <= {b"#hatch", b"#hatch-amber"}


@named
def test_the_policy_allows_just_this_style_and_this_script(name: str) -> None:
    html = rendered(name).decode()
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', html)
    assert policy is not None
    text = policy[1].replace("&#39;", "'")
    assert text.startswith("default-src 'none'")
    assert "unsafe" not in text
    for tag in ("style", "script"):
        content = re.search(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        assert content is not None
        digest = base64.b64encode(hashlib.sha256(content[1].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in text


@named
def test_no_attribute_runs_or_styles_anything(name: str) -> None:
    page = page_of(name)
    assert not [attributes for _, attributes in page.tags if any(key == "style" or key.startswith("on") for key in attributes)]
    assert Counter(tag for tag, _ in page.tags)["script"] == 1


def test_a_hostile_repository_adds_no_tag_and_no_attribute() -> None:
    harmless, wild = (page_of("rich"), page_of("hostile"))
    kinds = [{(tag, key) for tag, attributes in page.tags for key in attributes} for page in (harmless, wild)]
    assert kinds[1] <= kinds[0] | {("details", "open")}
    assert {tag for tag, _ in wild.tags} <= {tag for tag, _ in harmless.tags}
    assert "\u202e" not in wild.text
    assert "\x1b" not in wild.text


@settings(max_examples=15, deadline=None)
@given(text=st.text(max_size=60), other=st.text(alphabet="<>\"'&/`={}%-!\\ \n\x00ab", max_size=60))
def test_no_text_of_a_repository_becomes_markup(text: str, other: str) -> None:
    finding = Finding(other, f"x{text}", other, 3, 3, excerpt=(text, other), excerpt_start=2, fingerprint="f")
    plain = dataclasses.replace(finding, rule="r", path="p", message="m", excerpt=("a", "b"))
    pages = [
        read(to_html(build([outcome("security.sql-parameterised", Verdict.FAIL, 1.0, reason, [found])], name=name)))
        for found, reason, name in ((finding, text, other), (plain, "r", "n"))
    ]
    ours = [[tag for tag, _ in page.tags if tag not in ("p", "code")] for page in pages]
    assert ours[0] == ours[1]


def test_ten_thousand_findings_and_a_line_of_two_megabytes_stay_small() -> None:
    assert sum(len(one.findings) for one in hostile().outcomes) >= 10_000
    assert len(rendered("hostile")) < LIMIT
    line = "<b>" * 700_000
    finding = Finding(line, line, line, 1, 1, excerpt=(line,), excerpt_start=1, fingerprint="f")
    report = build([outcome("security.sql-parameterised", Verdict.FAIL, 1.0, line, [finding] * 3)], name=line)
    html = to_html(report)
    assert len(html) < LIMIT
    assert b"<b>" not in html


def test_every_link_leads_somewhere_and_ids_are_unique() -> None:
    for name in REPORTS:
        page = page_of(name)
        assert not {link[1:] for link in page.links} - set(page.ids)
        assert not [name for name, count in Counter(page.ids).items() if count > 1]


@named
def test_every_outcome_has_its_place_and_its_row(name: str) -> None:
    report = REPORTS[name]()
    page = page_of(name)
    for one in report.outcomes:
        assert f"item-{one.id}" in page.ids
    rows = page.tables["all"][1:]
    assert len(rows) == len(report.items)
    assert sum("not yet judged by this version" in " ".join(row) for row in rows) == views.view(report).later


def test_every_open_item_shows_a_place_or_says_that_it_searched() -> None:
    html = rendered("rich").decode()
    for one in rich().outcomes:
        if one.verdict in (Verdict.FAIL, Verdict.PARTIAL):
            block = html.split(f'id="item-{one.id}"')[1].split("</details>\n", 1)[0]
            assert 'class="witness"' in block or "looked for and is not there" in block, one.id


@named
def test_the_statement_of_account_adds_up_to_the_last_digit(name: str) -> None:
    report = REPORTS[name]()
    rows = page_of(name).tables.get("account")
    if rows is None:
        assert not report.score.account
        return
    lines, total = [row[3:6] for row in rows[2:-1]], rows[-1][3:6]
    assert sum(Decimal(risk.replace(",", "")) for risk, _, _ in lines) == Decimal(total[0].replace(",", ""))
    assert sum(Decimal(lost) for _, lost, _ in lines) == Decimal(total[1])
    assert Decimal(100) - Decimal(total[1]) == Decimal(total[2])
    left = Decimal(100)
    for _, lost, after in lines:
        left -= Decimal(lost)
        assert left == Decimal(after)
    if report.score.value is not None:
        assert Decimal(total[2]) == Decimal(str(report.score.value))


def test_odd_shares_still_add_up() -> None:
    ids = [one.id for one in rich().outcomes][:9]
    report = build([outcome(item, Verdict.PARTIAL, 1 / 3 + number / 70, "Some.") for number, item in enumerate(ids)])
    rows = read(to_html(report)).tables["account"]
    assert sum(Decimal(row[3]) for row in rows[2:-1]) == Decimal(rows[-1][3])


def test_the_last_step_of_the_way_has_nothing_left_to_lose() -> None:
    for report in (rich(), REPORTS["undecided"]()):
        shown = views.view(report)
        final = shown.stages[-1].reached
        assert (final.value, final.letter, final.risk) == (100.0, "A", 0.0)
        assert len(shown.stages) == len(report.score.milestones)
        grades = [milestone.value for milestone in report.score.milestones]
        assert grades == sorted(grades)


def test_the_printed_borders_are_the_scores_own() -> None:
    assert tuple((letter, int(border)) for border, letter in BORDERS) == views.LETTERS


@named
def test_the_letters_of_the_roadmap_are_what_scoring_again_gives(name: str) -> None:
    """What the page prints after each phase is the score of the report in which its rows, and those before, hold."""
    report, page = REPORTS[name](), page_of(name)
    stages = views.view(report).stages
    done: set[str] = set()
    for stage in stages:
        done |= {step.entry.outcome.id for step in stage.steps} | {entry.outcome.id for entry in stage.settle}
        again = score(
            [dataclasses.replace(o, verdict=Verdict.PASS, badness=0.0, ceiling=0.0) if o.id in done else o for o in report.outcomes]
        )
        assert f"grade afterwards: {again.letter}, {decimal(again.value or 0.0)} of 100" in page.text
    if stages:
        assert done == {line.id for line in report.score.account}


def test_without_a_grade_the_reason_stands_on_the_first_page() -> None:
    page = page_of("no_grade")
    assert "cannot be judged" in page.text
    assert "9,000 lines of go" in page.text
    assert not [attributes for _, attributes in page.tags if "seal" in (attributes.get("class") or "")]


def test_the_first_pages_speak_business() -> None:
    """On the pages of the verdict and for those who decide no path, weakness number or tool is named."""
    html = rendered("rich").decode()
    first = html.split('<section aria-labelledby="verdict"')[1].split('<section aria-labelledby="account"')[0]
    for jargon in ("CWE", "semgrep", "bandit", "backend/"):
        assert jargon not in first


def test_hidden_characters_are_written_out() -> None:
    html = rendered("hostile").decode()
    for character in ("\u202e", "\u2066", "\u200b", "\x07", "\x00"):
        assert character not in html
    assert "invoice\\u202egpj.exe" in html
    assert HOSTILE_TEXTS[0] not in html


def test_code_in_a_sentence_is_set_as_code() -> None:
    assert prose("Run `make <x>` or `b`.") == "Run <code>make &lt;x&gt;</code> or <code>b</code>."
    assert prose("one ` is <no> code") == "one ` is &lt;no&gt; code"
    assert prose("`\x1b[31m`") == "<code>\\x1b[31m</code>"


def test_an_excerpt_loses_the_indentation_its_lines_share() -> None:
    lines = ("        if a:", "", "            b()", "        c()")
    finding = Finding("r", "p.py", "m", 3, 3, excerpt=lines, excerpt_start=1, fingerprint="f")
    shown = views.view(build([outcome("ops.runbook", Verdict.FAIL, 1.0, "r", [finding])]))
    entry = next(category.open[0].shown[0] for category in shown.categories if category.open)
    assert [line.text for line in entry.lines] == ["if a:", "", "    b()", "c()"]
    assert [line.marked for line in entry.lines] == [False, False, True, False]


def test_the_executive_edition_says_the_same_in_fewer_words() -> None:
    """Its links lead somewhere, its numbers are those of the full edition, and the limits are in it."""
    for name in REPORTS:
        html = to_html(REPORTS[name](), Edition.EXECUTIVE)
        page, full = read(html), page_of(name)
        assert not {link[1:] for link in page.links} - set(page.ids)
        assert all(link.startswith("#") for link in page.links)
        assert page.tables["questions"] == full.tables["questions"]
        assert page.tables.get("falls") == full.tables.get("falls")
        assert page.tables.get("budget") == full.tables.get("budget")
        assert "What could not be seen" in page.text
        assert "auditor 0.1.0" in page.text
        assert len(html) < len(rendered(name))


def test_the_fall_by_category_adds_up_and_agrees_with_the_lines() -> None:
    for name in REPORTS:
        tables = page_of(name).tables
        if "falls" not in tables:
            continue
        _, start, *falls, score_row = tables["falls"]
        lost = sum(Decimal(row[2].lstrip("−")) for row in falls)
        assert Decimal(start[2]) - lost == Decimal(score_row[2])
        assert lost == Decimal(tables["account"][-1][4])


def test_a_typical_report_is_small() -> None:
    """One megabyte opens at once even from a slow disk; the size is what the time depends on."""
    assert len(rendered("rich")) < TYPICAL


def test_no_more_is_drawn_than_can_be_read() -> None:
    for name in REPORTS:
        shown = views.view(REPORTS[name]())
        drawn = shown.architecture
        assert not drawn.drawing or len(drawn.drawing.boxes) <= 40
        assert all(len(inside.drawing.boxes) <= 40 for inside in drawn.insides)
        assert not drawn.matrix or len(drawn.matrix.rows) <= 60
        assert not shown.hot or len(shown.hot.rows) <= 25
        assert len(shown.risks) <= 5
        assert all(len(entry.shown) <= 3 for category in shown.categories for entry in category.judged)


def test_the_matrix_of_risks_counts_every_open_item_once() -> None:
    for name in REPORTS:
        shown = views.view(REPORTS[name]())
        counted = sum(len(cell.risks) + cell.others for row in shown.matrix for cell in row.cells)
        assert counted == sum(len(category.open) for category in shown.categories)
        assert {risk.number for row in shown.matrix for cell in row.cells for risk in cell.risks} == {risk.number for risk in shown.risks}
