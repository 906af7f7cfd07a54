"""The HTML report in a real browser: nothing leaves, nothing breaks, everything fits, everybody can read it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from auditor.model.comparison import State
from auditor.model.verdict import Verdict
from auditor.render.html import to_html
from auditor.render.view import Edition, view
from tests.render.sample import REPORTS, rich

pytestmark = pytest.mark.browser
named = pytest.mark.parametrize("name", sorted(REPORTS))

SIDEWAYS = """() => {
  const wide = document.documentElement.clientWidth;
  const cut = [...document.querySelectorAll('body *')].filter((e) => {
    if (e.closest('.scroll, svg') || e.closest('.visually-hidden, .skip, thead')) return false;
    const box = e.getBoundingClientRect();
    return box.width > 1 && (box.right > wide + 1 || box.left < -1);
  });
  return [document.documentElement.scrollWidth - wide, cut.slice(0, 5).map((e) => e.outerHTML.slice(0, 120))];
}"""


GREY = """() => {
  const shade = (text) => {
    const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number);
    const linear = (c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4);
    return [0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b), a];
  };
  const ground = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const [light, a] = shade(getComputedStyle(at).backgroundColor);
      if (a > 0.99) return light;
    }
    return 1;
  };
  const weak = [];
  for (const node of document.querySelectorAll('body *')) {
    const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
    if (!own || node.closest('svg, .visually-hidden, .skip, script, style')) continue;
    const [a, b] = [shade(getComputedStyle(node).color)[0], ground(node)];
    if ((Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) < 4.5) weak.push(node.outerHTML.slice(0, 120));
  }
  return weak.slice(0, 5);
}"""
"""Texts whose lightness alone is less than 4.5 : 1 away from their ground."""


@contextmanager
def opened(chromium, file: Path, **options) -> Iterator:
    """A tab with the report; whatever it asks for or complains about is collected on it."""
    context = chromium.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
    page = context.new_page()
    page.asked, page.complaints = [], []
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("console", lambda message: page.complaints.append(message.text))
    page.on("dialog", lambda dialog: (page.complaints.append(dialog.message), dialog.dismiss()))
    page.goto(file.as_uri())
    yield page
    context.close()


@named
def test_it_asks_for_nothing_and_complains_of_nothing(chromium, pages: dict[str, Path], name: str) -> None:
    with opened(chromium, pages[name]) as page:
        page.evaluate("document.querySelectorAll('details').forEach((node) => (node.open = true))")
        page.mouse.move(400, 400)
        page.wait_for_timeout(100)
        assert page.asked == [pages[name].as_uri()]
        assert page.complaints == []
        assert page.title().endswith("production-readiness audit")


def test_everything_can_be_read_without_scripts(chromium, pages: dict[str, Path]) -> None:
    with opened(chromium, pages["rich"], java_script_enabled=False) as page:
        assert page.locator("h1").inner_text() == "shop-app"
        assert page.locator(".sentence .first").inner_text() == "Not ready for production."
        assert not page.locator(".filter").is_visible()
        folded = page.locator("#item-tests\\.can-fail")
        folded.locator("summary").first.click()
        assert folded.locator(".reason").is_visible()


@pytest.mark.parametrize(
    ("width", "settings"),
    [(320, {}), (640, {"device_scale_factor": 2}), (768, {}), (1280, {})],
    ids=["320px", "zoom-200", "768px", "1280px"],
)
@named
def test_no_sideways_scrolling(chromium, pages: dict[str, Path], name: str, width: int, settings: dict) -> None:
    """640 pixels at twice the density are what a window of 1280 shows at 200 % zoom."""
    with opened(chromium, pages[name], viewport={"width": width, "height": 800}, **settings) as page:
        page.evaluate("document.querySelectorAll('details').forEach((node) => (node.open = true))")
        assert page.evaluate(SIDEWAYS) == [0, []]


@pytest.mark.parametrize(
    ("name", "scheme", "width"),
    [
        ("rich", "light", 1280),
        ("rich", "dark", 1280),
        ("rich", "light", 320),
        ("hostile", "light", 1280),
        ("undecided", "light", 1280),
        ("no_grade", "dark", 1280),
    ],
)
def test_axe_finds_no_violation(chromium, pages: dict[str, Path], name: str, scheme: str, width: int) -> None:
    from axe_playwright_python.sync_playwright import Axe

    with opened(chromium, pages[name], color_scheme=scheme, viewport={"width": width, "height": 900}) as page:
        page.evaluate("document.querySelectorAll('details').forEach((node) => (node.open = true))")
        tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
        found = Axe().run(page, options={"resultTypes": ["violations"], "runOnly": tags}).response["violations"]
        assert not found, json.dumps([(v["id"], v["impact"], v["nodes"][0]["html"][:200]) for v in found], indent=1)


def test_filtering_shows_what_fits(chromium, pages: dict[str, Path]) -> None:
    failing = sum(o.verdict is Verdict.FAIL for o in rich().outcomes)
    with opened(chromium, pages["rich"]) as page:
        page.select_option("#by-verdict", "fail")
        assert page.locator("details.item:visible").count() == failing
        assert page.locator("#filter-state").inner_text() == f"{failing} of {len(rich().outcomes)} items shown"
        page.fill("#by-text", "Invoices.py")
        assert page.locator("details.item:visible").count() == 1
        page.fill("#by-text", "")
        page.select_option("#by-verdict", "")
        assert page.locator("details.item:visible").count() == len(rich().outcomes)
        page.click("#close-all")
        assert page.locator("details.item[open]").count() == 0


def test_a_link_opens_the_item_it_leads_to(chromium, pages: dict[str, Path]) -> None:
    with opened(chromium, pages["rich"]) as page:
        page.click("#close-all")
        page.locator(".glance a", has_text="Query text is assembled").first.click()
        page.wait_for_selector("#item-security\\.sql-parameterised[open]", timeout=5_000)


def test_an_item_can_be_copied_as_a_ticket(chromium, pages: dict[str, Path]) -> None:
    with opened(chromium, pages["rich"]) as page:
        page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: {writeText: async (text) => { window.copied = text; }}})")
        page.locator("#item-security\\.sql-parameterised button[data-copy=ticket]").click()
        ticket = page.evaluate("window.copied")
        page.locator("#item-security\\.sql-parameterised button[data-copy=assistant]").click()
        assert page.evaluate("window.copied").endswith(f"\n\n{ticket}")
    assert ticket.startswith("# fails: Query text is assembled from outside values\n")
    for part in ("security.sql-parameterised (blocker)", "## How to fix it", "## Done when", "- backend/api/invoices.py:41\n"):
        assert part in ticket


def test_dark_and_light_can_be_changed_by_hand(chromium, pages: dict[str, Path]) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    with opened(chromium, pages["rich"], color_scheme="light") as page:
        before = page.evaluate(ground)
        page.click("#theme")
        assert page.evaluate(ground) != before
        page.click("#theme")
        assert page.evaluate(ground) == before


def test_a_keyboard_reaches_the_verdict_first(chromium, pages: dict[str, Path]) -> None:
    with opened(chromium, pages["rich"]) as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        assert page.url.endswith("#verdict")


@named
def test_it_prints(chromium, pages: dict[str, Path], name: str) -> None:
    with opened(chromium, pages[name]) as page:
        pdf = page.pdf(prefer_css_page_size=True, format="A4")
        page.emulate_media(media="print")
        page.set_viewport_size({"width": 680, "height": 960})  # the printable width of A4
        assert page.evaluate(SIDEWAYS) == [0, []]
        for part in (".filter", ".contents", ".skip"):
            assert not page.locator(part).is_visible()
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert pdf.startswith(b"%PDF-")
    assert 3 < pdf.count(b"/Type /Page\n") < 200


def test_what_fails_is_open_on_paper(chromium, pages: dict[str, Path]) -> None:
    with opened(chromium, pages["rich"], java_script_enabled=False) as page:
        page.emulate_media(media="print")
        assert page.locator("#item-security\\.cors-restricted .reason").is_visible()
        assert page.locator("#item-deploy\\.rollback-path .reason").is_visible()


def test_a_folder_of_the_picture_opens_where_it_is_drawn_again(chromium, pages: dict[str, Path]) -> None:
    with opened(chromium, pages["rich"]) as page:
        page.locator("g.box[data-opens]").first.click()
        page.wait_for_selector("details.inside[open] svg.modules", timeout=5_000)


def test_a_table_is_sorted_by_the_column_that_is_clicked(chromium, pages: dict[str, Path]) -> None:
    cells = "[...document.querySelectorAll('table.hotspots tbody tr')].map((row) => Number(row.cells[4].textContent.replace(/,/g, '')))"
    with opened(chromium, pages["rich"]) as page:
        head = page.locator("table.hotspots thead th").nth(4)
        head.locator("button").click()
        found = page.evaluate(cells)
        assert found == sorted(found, reverse=True)
        assert head.get_attribute("aria-sort") == "descending"
        head.locator("button").click()
        assert page.evaluate(cells) == sorted(found)


def test_the_tint_of_the_treemap_can_be_chosen_without_a_script(chromium, pages: dict[str, Path]) -> None:
    filled = "getComputedStyle(document.querySelector('.treemap .tile:nth-of-type(3) rect')).fill"
    shown = "[...document.querySelectorAll('.treemap text.tint-copies')].every((text) => getComputedStyle(text).display !== 'none')"
    with opened(chromium, pages["rich"]) as page:
        assert not page.evaluate(shown)
        before = page.evaluate(filled)
        page.check("#tint-copies")
        assert page.evaluate(shown)
        page.check("#tint-branches")
        assert page.evaluate(filled) == before


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_read_in_greyscale(chromium, pages: dict[str, Path], scheme: str) -> None:
    """Without any colour text still stands out from its ground, and every verdict has a sign or a word of its own."""
    with opened(chromium, pages["rich"], color_scheme=scheme) as page:
        page.evaluate("document.querySelectorAll('details').forEach((node) => (node.open = true))")
        assert page.evaluate(GREY) == []
        signs = page.evaluate(
            "[...document.querySelectorAll('.cell')].map((cell) => [cell.className.split(' ')[1], cell.innerText.trim()[0]])"
        )
        assert len({sign for _, sign in signs}) == len({verdict for verdict, _ in signs})
        marks = page.evaluate("[...document.querySelectorAll('.all .verdict-word')].map((word) => [word.className, word.innerText.trim()])")
        assert len({word for _, word in marks}) == len({name for name, _ in marks})


def test_the_executive_edition_is_short_and_whole(chromium, tmp_path: Path) -> None:
    file = tmp_path / "short.html"
    file.write_bytes(to_html(rich(), Edition.EXECUTIVE))
    with opened(chromium, file) as page:
        assert page.complaints == []
        assert page.locator("main section").count() == len(view(rich(), Edition.EXECUTIVE).sections)
        page.click("#theme")
        assert 3 <= page.pdf(prefer_css_page_size=True, format="A4").count(b"/Type /Page\n") <= 7
        page.set_viewport_size({"width": 320, "height": 800})
        assert page.evaluate(SIDEWAYS) == [0, []]


def test_what_is_new_since_the_audit_before_can_be_seen_alone(chromium, pages: dict[str, Path]) -> None:
    new = {change.item for change in rich().before.changes if change.state in (State.NEW, State.REOPENED)}
    with opened(chromium, pages["rich"]) as page:
        page.check("#by-fresh")
        shown = page.evaluate("[...document.querySelectorAll('details.item:not([hidden])')].map((item) => item.id)")
        assert set(shown) == {f"item-{name}" for name in new}
        assert page.locator("details.item:visible .witness .fresh").count() > 0
        page.locator("button[type=reset]").click()
        page.wait_for_function("!document.querySelector('details.item[hidden]')")
