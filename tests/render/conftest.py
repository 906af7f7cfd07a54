"""A Chromium for the report's browser tests; they are skipped where none is installed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.render.reading import rendered
from tests.render.sample import REPORTS

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="session")
def chromium() -> Iterator:
    """A running browser without network; Playwright's own download is not needed."""
    program = next((found for name in NAMES if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip("no Chromium here: install it with `make browser` or the system's package manager")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every sample report as a file."""
    folder = tmp_path_factory.mktemp("reports")
    files = {}
    for name in REPORTS:
        files[name] = folder / f"{name}.html"
        files[name].write_bytes(rendered(name))
    return files
