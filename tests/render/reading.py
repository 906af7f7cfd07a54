"""Reads an HTML report the way the tests need it: tags with attributes, ids, links, and tables as texts."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser

from auditor.render.html import to_html
from tests.render.sample import REPORTS


@dataclass
class Page:
    """What stands in a page."""

    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    tables: dict[str, list[list[str]]] = field(default_factory=dict)
    text: str = ""

    @property
    def ids(self) -> list[str]:
        return [attributes["id"] or "" for _, attributes in self.tags if "id" in attributes]

    @property
    def links(self) -> list[str]:
        return [attributes["href"] or "" for _, attributes in self.tags if "href" in attributes]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page = Page()
        self.parts: list[str] = []
        self.table = ""
        self.silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.page.tags.append((tag, attributes))
        if tag == "table":
            self.table = attributes.get("class") or "?"
            self.page.tables.setdefault(self.table, [])
        elif tag == "tr":
            self.page.tables[self.table].append([])
        elif tag in ("td", "th") and self.table:
            self.page.tables[self.table][-1].append("")
        if tag in ("style", "script"):
            self.silent += 1

    def handle_endtag(self, tag: str) -> None:
        if tag == "table":
            self.table = ""
        if tag in ("style", "script"):
            self.silent -= 1

    def handle_data(self, data: str) -> None:
        if self.silent:
            return
        self.parts.append(data)
        rows = self.page.tables.get(self.table)
        if rows and rows[-1]:
            rows[-1][-1] += data


def read(html: bytes) -> Page:
    """The page's tags, tables (by class, cells stripped) and visible text."""
    reader = _Reader()
    reader.feed(html.decode())
    page = reader.page
    page.text = " ".join("".join(reader.parts).split())
    page.tables = {name: [[" ".join(cell.split()) for cell in row] for row in rows] for name, rows in page.tables.items()}
    return page


@cache
def rendered(name: str) -> bytes:
    """A sample report as HTML, rendered once."""
    return to_html(REPORTS[name]())


@cache
def page_of(name: str) -> Page:
    """A sample report's page, read once."""
    return read(rendered(name))
