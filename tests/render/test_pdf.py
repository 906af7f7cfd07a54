"""The printed report: whole, numbered, the same each time, made without a network, and a clear word where nothing can print."""

from __future__ import annotations

import io
import re
import threading
import unicodedata
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from auditor.errors import MissingProgramError, PrintError
from auditor.model.theme import Theme
from auditor.model.verdict import Verdict
from auditor.render.html import to_html
from auditor.render.json_report import to_json
from auditor.tools import printer
from auditor.tools.printer import find_printer, to_pdf
from tests.render.reading import rendered
from tests.render.sample import REPORTS, rich
from tests.test_cli import auditor

browser = pytest.mark.browser
THEME = Theme(company="Nordlicht", classification="confidential", number="NL-7", accent=("#7a1fa2", "#d9b3ff"))


@pytest.fixture(scope="module")
def program() -> str:
    """The browser that prints."""
    try:
        return find_printer()
    except MissingProgramError:
        pytest.skip("no Chromium here: install it with `make browser` or the system's package manager")


@pytest.fixture(scope="module")
def printed(program: str) -> dict[str, bytes]:
    """The sample reports, printed."""
    return {name: to_pdf(rendered(name), date="2026-11-24", program=program) for name in REPORTS}


def pages_of(data: bytes) -> list:
    pypdf = pytest.importorskip("pypdf", reason="the reader of PDF files is a development dependency")
    return list(pypdf.PdfReader(io.BytesIO(data)).pages)


def squeezed(text: str) -> str:
    """Text without white space, hyphens and ligatures, so that line breaks and fonts do not matter."""
    return re.sub(r"[\s\u00ad\u2010-]+", "", unicodedata.normalize("NFKC", text))


@browser
@pytest.mark.parametrize("name", sorted(REPORTS))
def test_every_page_is_numbered_and_names_tool_and_versions(printed: dict[str, bytes], name: str) -> None:
    pages = pages_of(printed[name])
    assert 3 < len(pages) < 250
    for number, page in enumerate(pages, 1):
        text = squeezed(page.extract_text())
        assert f"Page{number}of{len(pages)}" in text
        assert "auditor0.1.0,scoremodel" in text


@browser
def test_no_text_is_cut_and_none_is_outside_the_paper(chromium, printed: dict[str, bytes], pages: dict[str, Path]) -> None:
    """Every word a reader would see on paper is in the PDF, between its edges."""
    context = chromium.new_context(viewport={"width": 680, "height": 960})
    tab = context.new_page()
    tab.emulate_media(media="print")
    tab.goto(pages["rich"].as_uri())
    tab.evaluate("document.querySelectorAll('.visually-hidden, .skip').forEach((node) => node.remove())")
    seen = tab.locator("body").inner_text()
    context.close()
    places: list[tuple[float, str]] = []
    whole = []
    for page in pages_of(printed["rich"]):
        width = float(page.mediabox.width)

        def visit(text: str, cm, tm, _font, _size, edge=width) -> None:
            if text.strip():
                x = tm[4] * cm[0] + tm[5] * cm[2] + cm[4]
                places.append((min(x, edge - x), text))

        whole.append(page.extract_text(visitor_text=visit))
    text = squeezed("".join(whole)).lower()
    missing = {word for word in re.findall(r"[A-Za-z]{5,}", seen) if word.lower() not in text}
    assert not missing, sorted(missing)[:20]
    assert not [place for place in places if place[0] < 20]
    for item in rich().items:
        if any(one.id == item.id and one.verdict in (Verdict.FAIL, Verdict.PARTIAL) for one in rich().outcomes):
            assert squeezed(item.failing_title or item.claim.rstrip(".")).lower() in text


@browser
def test_the_same_report_gives_the_same_bytes(program: str, printed: dict[str, bytes]) -> None:
    assert to_pdf(rendered("rich"), date="2026-11-24", program=program) == printed["rich"]
    assert b"D:20261124000000" in printed["rich"]


@browser
def test_the_margins_carry_what_the_theme_says(program: str) -> None:
    pages = pages_of(to_pdf(to_html(rich(), theme=THEME), date="2026-11-24", program=program))
    for page in pages:
        text = squeezed(page.extract_text())
        assert "confidential·shopapp·NL7" in text
        assert "Nordlicht·auditor" in text


@browser
def test_printing_asks_nobody(program: str) -> None:
    asked: list[str] = []

    class Listener(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        address = f"http://127.0.0.1:{server.server_port}/x.png"
        page = f'<p>text</p><img src="{address}"><link rel="stylesheet" href="{address}"><script>fetch("{address}")</script>'
        assert to_pdf(page.encode(), date="2026-11-24", program=program).startswith(b"%PDF-")
    finally:
        server.shutdown()
        server.server_close()
    assert asked == []


@pytest.fixture
def without_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(printer, "find_program", lambda _name, _beside: None)
    monkeypatch.setattr(printer, "PLACES", ())


@pytest.mark.usefixtures("without_browser")
def test_without_a_browser_the_message_says_what_to_do() -> None:
    with pytest.raises(MissingProgramError, match=r"apt-get install chromium.*--html"):
        to_pdf(b"<p>x", date="2026-11-24")


@pytest.mark.parametrize("program", ["/bin/false", "/bin/true", "/nowhere/chromium"])
def test_a_browser_that_does_not_print_is_named(program: str) -> None:
    with pytest.raises(PrintError, match=rf"{Path(program).name} did not print"):
        to_pdf(b"<p>x", date="2026-11-24", program=program)


def test_the_command_ends_with_code_7_before_any_work(tmp_path: Path) -> None:
    stored = tmp_path / "r.json"
    stored.write_bytes(to_json(rich()))
    for arguments in (("render", stored), ("audit", tmp_path)):
        done = auditor(*arguments, "--pdf", tmp_path / "r.pdf", PATH="")
        assert done.returncode == 7
        assert done.stderr.count("\n") == 1
        assert "needs Chromium" in done.stderr
    assert not (tmp_path / "r.pdf").exists()
