"""Whose report it is: read strictly, legible in every colour, harmless whatever stands in it, and never instead of what the tool must say."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor.errors import UsageError
from auditor.model.theme import Theme
from auditor.render.branding import css_string, markdown
from auditor.render.html import to_html
from auditor.resources import data_dir
from auditor.theme import CONTRAST, DARK_GROUNDS, LIGHT_GROUNDS, contrast, legible, read_theme
from tests.render.reading import read
from tests.render.sample import HOSTILE_TEXTS, rich

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><script>alert(1)</script><rect width="9" height="9"/></svg>'
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20


def themed(tmp_path: Path, text: str, **files: bytes | str) -> Theme:
    for name, content in files.items():
        (tmp_path / name.replace("_", ".")).write_bytes(content.encode() if isinstance(content, str) else content)
    path = tmp_path / "theme.toml"
    path.write_text(text)
    return read_theme(path)


def test_a_theme_with_everything(tmp_path: Path) -> None:
    theme = themed(
        tmp_path,
        'company = "C"\nclient = "K"\ncontact = "a@b"\nclassification = "secret"\nnumber = "7"\nlogo = "logo.svg"\naccent = "#23508F"\n'
        'cover = "**x**"\nfooter = "f"\n[comments]\nsecurity = "s"\n',
        logo_svg=SVG,
    )
    assert theme.logo == "data:image/svg+xml;base64," + base64.b64encode(SVG.encode()).decode()
    assert theme.accent == ("#23508f", theme.accent[1])
    assert theme.comment("security") == "s"
    assert theme.comment("data") == ""
    html = to_html(rich(), theme=theme).decode()
    assert html == to_html(rich(), theme=theme).decode()
    page = read(html.encode())
    for words in ("secret", "not part of the audit's findings"):
        assert words in page.text
    assert [a["src"] for tag, a in page.tags if tag == "img"] == [theme.logo]
    assert "<strong>x</strong>" in html


@pytest.mark.parametrize(
    ("text", "files", "words"),
    [
        ('compani = "x"\n', {}, ["'compani'", "did you mean 'company'?"]),
        ('accent = "blue"\n', {}, ["accent", "#rrggbb"]),
        ("company = 3\n", {}, ["company should be a text"]),
        (f'company = "{"x" * 201}"\n', {}, ["longer than 200"]),
        ('logo = "none.png"\n', {}, ["logo", "cannot read"]),
        ('logo = "logo.png"\n', {"logo_png": b"GIF89a"}, ["neither a PNG nor an SVG"]),
        ('logo = "logo.png"\n', {"logo_png": b"<html><svg></svg></html>"}, ["neither a PNG nor an SVG"]),
        ('logo = "logo.png"\n', {"logo_png": PNG + b"\0" * 200_000}, ["larger than 200 kB"]),
        ('logo = "logo.svg"\n', {"logo_svg": "<svg ><!DOCTYPE x [<!ENTITY a 'b'>]></svg>"}, ["document type"]),
        ('[comments]\nsecrity = "x"\n', {}, ["comments", "did you mean 'security'?"]),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_that_names_the_key(tmp_path: Path, text: str, files: dict, words: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        themed(tmp_path, text, **files)
    assert "\n" not in str(caught.value)
    for word in ("theme.toml", *words):
        assert word in str(caught.value)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_every_accent_is_legible_on_every_ground(channels: tuple[int, int, int]) -> None:
    colour = "#" + "".join(f"{channel:02x}" for channel in channels)
    for grounds, darker in ((LIGHT_GROUNDS, True), (DARK_GROUNDS, False)):
        found = legible(colour, grounds, darker=darker)
        assert min(contrast(found, ground) for ground in grounds) >= CONTRAST


def test_a_legible_accent_stays_as_it_is() -> None:
    assert legible("#23508f", LIGHT_GROUNDS, darker=True) == "#23508f"
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


def test_the_grounds_are_those_of_the_style_sheet() -> None:
    style = (data_dir("templates") / "style.css").read_text()
    for name, light, dark in zip(("paper", "panel", "panel-deep"), LIGHT_GROUNDS, DARK_GROUNDS, strict=True):
        assert f"--{name}: light-dark({light}, {dark});" in style


@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_nothing_in_a_theme_becomes_markup_or_style(text: str) -> None:
    theme = Theme(text, text, text, text, text, cover=text, footer=text, comments=(("security", text),))
    html = to_html(rich(), theme=theme).decode()
    page = read(html.encode())
    allowed = {"ul", "li", "p", "code", "em", "strong", "blockquote", "pre", "hr", "ol", "a", "br"}
    assert {tag for tag, _ in page.tags} <= {tag for tag, _ in read(to_html(rich())).tags} | allowed
    assert not [attributes for _, attributes in page.tags if any(key.startswith("on") or key == "style" for key in attributes)]
    style = re.search(r"<style>(.*?)</style>", html, re.DOTALL)
    assert style is not None
    assert f"style-src &#39;sha256-{base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()}&#39;" in html
    margin = css_string(text)
    assert re.fullmatch(r'"(?:[A-Za-z0-9 .,:/()-]|\\[0-9a-f]{6})*"', margin)


def test_a_text_may_hold_words_lists_and_links_and_nothing_that_loads() -> None:
    made = markdown("# big\n\n**b** ![p](https://x.example/p.png) [l](https://x.example) [j](javascript:alert(1)) <img src=x>\n\n* one")
    assert "<h1>" not in made
    assert "<img" not in made
    assert 'href="javascript' not in made
    assert 'href="https://x.example"' in made
    assert "<li>one</li>" in made


def test_tool_versions_and_limits_cannot_be_removed() -> None:
    theme = Theme("C", cover="x", footer="y", comments=(("security", "z"),))
    text = read(to_html(rich(), theme=theme)).text
    report = rich()
    for words in (
        f"auditor {report.version}",
        f"score model {report.score.model}",
        f"rules {report.rules}",
        "Limits",
        "no proof of absence of a fault",
    ):
        assert words in text
    assert "Production-readiness audit" in text


def test_the_documented_theme_is_read(tmp_path: Path) -> None:
    document = (Path(__file__).parents[1] / "docs" / "report.md").read_text()
    theme = themed(tmp_path, document.split("## Theme")[1].split("```toml\n")[1].split("```")[0], logo_svg=SVG)
    assert (theme.paper, theme.language, theme.comment("security")) == (
        "A4",
        "en",
        "We would **not** go live before the two open doors are shut.",
    )
