"""The report in its other forms in a real browser: another language with longer words, a client's theme, and the comparison's own page."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from auditor.model.theme import Theme
from auditor.render.html import changes_page, to_html
from tests.render.sample import hostile, rich
from tests.render.test_report_in_browser import SIDEWAYS, opened

pytestmark = pytest.mark.browser
LOGO = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 3"><script>document.title = "ran"</script><rect width="9" height="3" fill="teal"/></svg>'
THEME = Theme(
    company="Nordlicht Beratungsgesellschaft mit beschränkter Haftung",
    client="Söhne & Töchter <AG>",
    contact="ada.lovelace@nordlicht-beratungsgesellschaft.example",
    classification="streng vertraulich",
    number="NL-2026-031",
    logo=f"data:image/svg+xml;base64,{base64.b64encode(LOGO.encode()).decode()}",
    accent=("#9c1aff", "#c77dff"),
    cover="Für den **Vorstand**.\n\n* [Verweis](https://example.com)\n* Donaudampfschifffahrtsgesellschaftskapitänspatent",
    footer="Haftung wie vereinbart.",
    comments=(("security", "So **nicht**."), ("data", "> Zitat")),
    language="de",
)
FORMS = {
    "german": lambda: to_html(rich(), theme=THEME),
    "german-hostile": lambda: to_html(hostile(), theme=THEME),
    "comparison": lambda: changes_page(rich()),
    "comparison-hostile": lambda: changes_page(hostile(), language="de"),
}


@pytest.fixture(scope="module")
def forms(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each form as a file."""
    folder = tmp_path_factory.mktemp("forms")
    files = {name: folder / f"{name}.html" for name in FORMS}
    for name, make in FORMS.items():
        files[name].write_bytes(make())
    return files


@pytest.mark.parametrize("name", FORMS)
def test_it_asks_for_nothing_complains_of_nothing_and_fits(chromium, forms: dict[str, Path], name: str) -> None:
    for width in (320, 1280):
        with opened(chromium, forms[name], viewport={"width": width, "height": 800}) as page:
            page.evaluate("document.querySelectorAll('details').forEach((node) => (node.open = true))")
            page.wait_for_timeout(100)
            assert [address for address in page.asked if not address.startswith("data:")] == [forms[name].as_uri()]
            assert page.complaints == []
            assert page.title() != "ran"
            assert page.evaluate(SIDEWAYS) == [0, []], width


@pytest.mark.parametrize(("name", "scheme"), [("german", "light"), ("german", "dark"), ("comparison", "light"), ("comparison", "dark")])
def test_axe_finds_no_violation(chromium, forms: dict[str, Path], name: str, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    with opened(chromium, forms[name], color_scheme=scheme) as page:
        page.evaluate("document.querySelectorAll('details').forEach((node) => (node.open = true))")
        tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
        found = Axe().run(page, options={"resultTypes": ["violations"], "runOnly": tags}).response["violations"]
        assert not found, json.dumps([(v["id"], v["impact"], v["nodes"][0]["html"][:200]) for v in found], indent=1)


def test_the_scripts_speak_the_language(chromium, forms: dict[str, Path]) -> None:
    with opened(chromium, forms["german"]) as page:
        page.select_option("#by-verdict", "fail")
        assert "Prüfpunkten gezeigt" in page.locator("#filter-state").inner_text()
        page.click("#triage")
        assert "Einschätzungen." in page.locator(".triage-bar p").inner_text()
