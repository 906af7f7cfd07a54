"""What a theme adds to the page: its style, its texts as HTML, and the lines that stand on every printed page."""

from __future__ import annotations

import re
from functools import cache

from markdown_it import MarkdownIt
from markupsafe import Markup

from auditor.model.report import Report
from auditor.model.theme import Theme
from auditor.render.language import tr
from auditor.render.text import is_hidden, name_of

_PLAIN = re.compile(r"[A-Za-z0-9 .,:/()-]")
_MARGIN_TEXT = 90
"""Characters of one line in a page's margin."""


def page_style(report: Report, theme: Theme) -> str:
    """Style sheet of this one report: the accent colour, and what stands in the margins of every printed page."""
    name = theme.classification and f"{theme.classification} · "
    by = f"{theme.company} · " if theme.company else ""
    number = f" · {theme.number}" if theme.number else ""
    page, of, _ = re.split(r"\{\d\}", tr("Page {0} of {1}"))
    boxes = {
        "top-left": css_string(f"{name}{report.scope.name}{number}"),
        "bottom-left": css_string(f"{by}{tr('auditor {0}, score model {1}', report.version, report.score.model)}"),
        "bottom-right": f"{css_string(page)} counter(page) {css_string(of)} counter(pages)",
    }
    colour = f":root {{ --accent: light-dark({theme.accent[0]}, {theme.accent[1]}); }}\n" if theme.accent else ""
    margins = " ".join(f"@{place} {{ content: {content}; font: 8pt sans-serif; color: #525b68; }}" for place, content in boxes.items())
    return f"\n{colour}@page {{ size: {theme.paper}; {margins} }}\n"


def css_string(text: str) -> str:
    """The text as a CSS string: every character that could end it, or the style sheet, is escaped."""
    text = "".join(name_of(c) if is_hidden(c) else c for c in text)
    text = text if len(text) <= _MARGIN_TEXT else f"{text[: _MARGIN_TEXT - 1]}…"
    return '"' + "".join(c if _PLAIN.fullmatch(c) else f"\\{ord(c):06x}" for c in text) + '"'


def markdown(text: str) -> Markup:
    """A consultant's text: emphasis, lists, links, code and quotes. No HTML, no picture, no heading, so that it can neither load anything nor break the order of the page."""
    return Markup(_markdown().render(text))  # noqa: S704 - HTML is off in it, and link addresses are checked


@cache
def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).disable(["image", "heading", "lheading", "html_block", "html_inline"])
