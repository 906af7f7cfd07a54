"""Makes the sample reports and the README's picture from the fixture applications: `python -m tests.report_samples`.

Every application below `fixtures/apps/` is audited as it would be for a client; the reports go to `audits/`, the picture of one to `docs/report.png`.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from auditor import audit
from auditor.render.html import to_html
from tests.support.repositories import FIXTURES, from_fixture

ROOT = Path(__file__).parents[1]
DATE = "2026-03-01"
PICTURED = "bad-shop"
SIZE = {"width": 1240, "height": 1500}


def main() -> None:
    """Write the reports, then the picture where there is a Chromium."""
    target = ROOT / "audits"
    target.mkdir(exist_ok=True)
    for app in sorted(path for path in (FIXTURES / "apps").iterdir() if path.is_dir()):
        with tempfile.TemporaryDirectory() as folder:
            report = audit(from_fixture(app, Path(folder) / app.name), date=DATE, use_cache=False)
        page = target / f"{app.name}.html"
        page.write_bytes(to_html(report))
        print(f"{page.relative_to(ROOT)}: {report.score.sentence}, {report.score.letter} {report.score.value}")  # noqa: T201 - the script's answer
    picture(target / f"{PICTURED}.html", ROOT / "docs" / "report.png")


def picture(page: Path, target: Path) -> None:
    """A picture of the report's first screen."""
    program = next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None)
    if program is None:
        sys.exit(f"no Chromium here: {target.name} was not made")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        tab = browser.new_page(viewport=SIZE, color_scheme="light")
        tab.goto(page.as_uri())
        tab.screenshot(path=target)
        browser.close()
    print(target.relative_to(ROOT))  # noqa: T201 - the script's answer


if __name__ == "__main__":
    main()
