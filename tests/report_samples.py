"""Makes the sample reports and the README's picture from the fixture applications: `python -m tests.report_samples`.

Every application below `fixtures/apps/` is audited as it would be for a client, with an invented history; the reports, whole and in the executive edition, go to `audits/`, the picture of one to `docs/report.png`.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from auditor import audit
from auditor.render.html import to_html
from auditor.render.view import Edition
from tests.support.repositories import FIXTURES, from_fixture, replay

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
            root = from_fixture(app, Path(folder) / app.name)
            replay(root, lived(root, guessing=app.name == PICTURED))
            report = audit(root, date=DATE, use_cache=False)
        page = target / f"{app.name}.html"
        page.write_bytes(to_html(report))
        page.with_suffix(".executive.html").write_bytes(to_html(report, Edition.EXECUTIVE))
        print(f"{page.relative_to(ROOT)}: {report.score.sentence}, {report.score.letter} {report.score.value}")  # noqa: T201 - the script's answer
    picture(target / f"{PICTURED}.html", ROOT / "docs" / "report.png")


def lived(root: Path, *, guessing: bool) -> list[dict]:
    """A history that ends at the files as they are: they come one by one, the largest are worked on, and with `guessing` one is tried at in circles."""
    texts = {str(path.relative_to(root)): path.read_text() for path in sorted(root.rglob("*")) if path.is_file()}
    for name in texts:
        (root / name).unlink()
    code = [name for name in sorted(texts, key=lambda name: -len(texts[name])) if name.endswith((".py", ".ts", ".tsx", ".js"))]
    history = [{"message": f"Add {name}", "files": {name: text}, "days": number * 0.6} for number, (name, text) in enumerate(texts.items())]
    day = len(history) * 0.6
    for number in range(36):
        name = code[number * number % min(len(code), 6)]
        addition = (
            f"def draft_{number}(value):\n    return value + {number}"
            if name.endswith(".py")
            else f"export const draft{number} = (value) => value + {number};"
        )
        draft = f"{texts[name]}\n\n{addition}\n"
        message = f"Fix rounding in {name}" if number % 4 == 0 else f"Try a draft of part {number}"
        history += [
            {"message": message, "author": ("One", "Two")[number % 2], "files": {name: draft}, "days": day + number},
            {"message": f"Finish part {number}", "author": "One", "files": {name: texts[name]}, "days": day + number + 0.4},
        ]
    if guessing:
        name, start = code[0], day + 36.5
        history += [
            {"message": f"fix login again ({k})", "files": {name: f"{texts[name]}\n\nSESSION_MODE = {k}\n"}, "days": start + k / 24}
            for k in range(7)
        ]
        history.append({"message": 'Revert "fix login again (6)"', "files": {name: texts[name]}, "days": start + 1})
    return history


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
