"""The page's own triage in a real browser: what is exported is what `--triage` reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.model.triage import Decision
from auditor.triage import read
from tests.render.sample import rich
from tests.render.test_report_in_browser import SIDEWAYS, opened

pytestmark = pytest.mark.browser
TIMEOUTS = "#item-resilience\\.outbound-timeouts"


def exported(page, tmp_path: Path) -> tuple:
    with page.expect_download() as download:
        page.click("text=Export triage.toml")
    target = tmp_path / "triage.toml"
    download.value.save_as(target)
    return read(target)


def test_what_the_report_was_made_with_is_exported_again(chromium, pages: dict[str, Path], tmp_path: Path) -> None:
    with opened(chromium, pages["rich"], accept_downloads=True) as page:
        assert page.locator(".triage-form").count() == 0
        page.click("#triage")
        assert "As this report was made." in page.locator(".triage-bar p").inner_text()
        found = exported(page, tmp_path)
        assert page.complaints == []
    keys = ("decision", "item", "fingerprint", "path", "reason", "note", "owner", "until", "by", "date")
    stated, given = ([[getattr(one, key) for key in keys] for one in rulings] for rulings in (found, rich().triage.rulings))
    assert sorted(stated) == sorted(given)


def test_a_ruling_is_kept_completed_and_exported(chromium, pages: dict[str, Path], tmp_path: Path) -> None:
    with opened(chromium, pages["rich"], accept_downloads=True) as page:
        page.click("#triage")
        form = page.locator(f"{TIMEOUTS} .witness .triage-form").nth(1)
        form.locator("select").select_option("accepted risk")
        assert form.locator(".missing").inner_text() == "Still needed: reason, owner, until."
        assert "1 unfinished" in page.locator(".triage-bar p").inner_text()
        form.locator("input[name=reason]").fill('a "quoted" \\ reason\u202e')
        form.locator("input[name=owner]").fill("Bo")
        form.locator("input[name=until]").fill("2027-03-01")
        assert "not yet applied" in page.locator(".triage-bar p").inner_text()
        page.reload()
        page.click("#triage")
        kept = page.locator(f"{TIMEOUTS} .witness .triage-form").nth(1)
        assert kept.locator("input[name=owner]").input_value() == "Bo"
        whole = page.locator("#item-ops\\.runbook .triage-form")
        page.locator("#item-ops\\.runbook .triage-whole summary").click()
        whole.locator("select").select_option("false positive")
        whole.locator("input[name=reason]").fill("It is in the wiki.")
        found = exported(page, tmp_path)
        page.click("#triage")
        assert page.locator(".triage-form, .triage-bar, .triage-whole").count() == 0
    new = next(one for one in found if one.owner == "Bo")
    assert (new.decision, new.until, new.reason) == (Decision.ACCEPTED, "2027-03-01", 'a "quoted" \\ reason\u202e')
    assert any(one.item == "ops.runbook" and one.decision is Decision.FALSE_POSITIVE for one in found)


@pytest.mark.parametrize("width", [320, 1280])
def test_it_fits_and_can_be_used_by_everybody(chromium, pages: dict[str, Path], width: int) -> None:
    from axe_playwright_python.sync_playwright import Axe

    with opened(chromium, pages["rich"], viewport={"width": width, "height": 900}) as page:
        page.click("#triage")
        page.evaluate("document.querySelectorAll('details').forEach((node) => (node.open = true))")
        assert page.evaluate(SIDEWAYS) == [0, []]
        found = (
            Axe().run(page, options={"resultTypes": ["violations"], "runOnly": ["wcag2a", "wcag2aa", "wcag22aa"]}).response["violations"]
        )
        assert not found, [(v["id"], v["nodes"][0]["html"][:200]) for v in found]


def test_a_hostile_report_can_be_triaged(chromium, pages: dict[str, Path]) -> None:
    with opened(chromium, pages["hostile"]) as page:
        page.click("#triage")
        assert page.locator(".triage-bar").count() == 1
        assert page.complaints == []
