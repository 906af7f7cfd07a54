"""The catalogues: every text of the frame is in them, none is left over, and a German report has no English heading."""

from __future__ import annotations

import ast
import dataclasses
import json
import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import jinja2
import pytest

from auditor.catalogue import catalogue
from auditor.errors import UsageError
from auditor.model.interview import Answer
from auditor.model.theme import Theme
from auditor.model.verdict import Severity
from auditor.render import html
from auditor.render.html import changes_page, to_html
from auditor.render.json_report import to_json
from auditor.render.language import codes, decimal, language, plural, speaking, thousands, tr
from auditor.render.translated import Translated, marked
from auditor.resources import data_dir
from tests.render.reading import read
from tests.render.sample import HOSTILE_TEXTS, REPORTS, rich

RENDER = Path(html.__file__).parent
OTHERS = [code for code in codes() if code != "en"]


@cache
def used() -> tuple[frozenset[str], frozenset[str]]:
    """All texts that are looked up, and all nouns that are counted with."""
    environment = html._environment()
    extension = environment.extensions[Translated.identifier]
    texts: set[str] = {*Severity, *Answer}
    texts |= {text for category in catalogue().categories for text in (category.title, category.question)}
    nouns: set[str] = set()
    for file in sorted(data_dir("templates").glob("*.html.j2")):
        source = file.read_text(encoding="utf-8")
        environment.compile(source)
        found, counted = marked(environment, source)
        texts |= found
        nouns |= counted
    for file in sorted(data_dir("templates").glob("*.js")):
        texts |= set(html.SAID.findall(file.read_text(encoding="utf-8")))
    for file in sorted(RENDER.glob("*.py")):
        if "from auditor.render.language import" in file.read_text(encoding="utf-8"):  # the other outputs speak English
            found, counted = in_python(file)
            texts |= found
            nouns |= counted
    return frozenset({str(text) for text in texts} | extension.keys), frozenset(nouns)


def in_python(file: Path) -> tuple[set[str], set[str]]:
    texts, nouns = set(), set()
    for call in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name):
            constants = [arg.value for arg in call.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
            if call.func.id in {"tr", "N_"} and isinstance(call.args[0], ast.Constant):
                texts.add(constants[0])
            elif call.func.id == "plural" and constants:
                nouns.add(constants[0])
    return texts, nouns


@pytest.mark.parametrize("code", OTHERS)
def test_a_catalogue_is_complete_and_holds_nothing_else(code: str) -> None:
    texts, nouns = used()
    known = language(code)
    assert not texts - set(known.texts), sorted(texts - set(known.texts))
    assert not set(known.texts) - texts, sorted(set(known.texts) - texts)
    assert not nouns - set(known.nouns), sorted(nouns - set(known.nouns))
    assert not set(known.nouns) - nouns, sorted(set(known.nouns) - nouns)


@pytest.mark.parametrize("code", OTHERS)
def test_a_translation_keeps_the_values_and_the_markup(code: str) -> None:
    for text, said in language(code).texts.items():
        assert set(re.findall(r"\{\d\}|%[ds]", said)) <= set(re.findall(r"\{\d\}|%[ds]", text)), text
        if text not in ENGLISH_PLURALS:
            assert sorted(re.findall(r"\{\d\}|%[ds]", said)) == sorted(re.findall(r"\{\d\}|%[ds]", text)), text
        assert "<" not in said
        assert said.strip() == said
    for noun, forms in language(code).nouns.items():
        assert len(forms) == 2, noun


ENGLISH_PLURALS = {"{0} close{1} only later, through an import inside a function."}
"""Texts with a value that is an English ending."""

FRAME = ("h1", "h2", "h3", "h4", "th", "caption", "summary", "dt", "label", "button", "figcaption", "title", "desc")


class _Headings(HTMLParser):
    """Own texts of headings, labels and captions, one for each piece between tags."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: set[str] = set()
        self.depth = self.code = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.depth += tag in FRAME
        self.code += tag == "code"
        self.found |= {" ".join((value or "").split()) for name, value in attrs if name == "aria-label"}

    def handle_endtag(self, tag: str) -> None:
        self.depth -= tag in FRAME
        self.code -= tag == "code"

    def handle_data(self, data: str) -> None:
        if self.depth and not self.code and data.strip():
            self.found.add(" ".join(data.split()))


def headings(page: bytes) -> set[str]:
    reader = _Headings()
    reader.feed(page.decode())
    return {text for text in reader.found if re.search(r"[^\W\d_]{3}", text)}


@pytest.mark.parametrize("code", OTHERS)
@pytest.mark.parametrize("name", ["rich", "all_pass", "no_grade", "undecided"])
def test_no_heading_label_or_caption_of_the_frame_stays_english(code: str, name: str) -> None:
    """What is the same in both languages comes from the audited code or the checklist, or is spelt alike."""
    report = REPORTS[name]()
    english, other = headings(to_html(report)), headings(to_html(report, theme=Theme(language=code)))
    alike = {text for text, said in language(code).texts.items() if text == said}
    data = " ".join(to_json(dataclasses.replace(report, categories=())).decode().split())
    left = {text for text in english & other if text not in alike and json.dumps(text, ensure_ascii=False)[1:-1].rstrip(".:") not in data}
    assert not left, sorted(left)


def test_verdict_grade_and_figures_are_said_in_german() -> None:
    report = rich()
    text = read(to_html(report, theme=Theme(language="de"))).text
    for words in (
        "Nicht reif für den Betrieb.",
        "2 Blocker",
        f"{decimal(report.score.value).replace('.', ',')} von 100",
        "Die größten Risiken",
        "nicht erfüllt",
        "Wie es behoben wird",
    ):
        assert words in text
    assert "18.412 Zeilen Code" in text
    html_ = to_html(report, theme=Theme(language="de")).decode()
    assert '<html lang="de">' in html_
    assert "Seite" in html_.split("@bottom-right")[-1]


def test_the_data_and_its_digest_are_the_same_in_every_language() -> None:
    pages = [to_html(rich(), theme=Theme(language=code)).decode() for code in codes()]
    digests = {re.search(r"<code>([0-9a-f]{64})</code>", page)[1] for page in pages}
    assert len(digests) == 1
    shapes = [[tag for tag, _ in read(page.encode()).tags] for page in pages]
    assert all(shape == shapes[0] for shape in shapes)


def test_pictures_are_drawn_in_plain_numbers_in_every_language() -> None:
    """A comma in a figure is for readers; in a coordinate it would be an error."""
    drawn = [
        [(tag, {key: value for key, value in attributes.items() if key in GEOMETRY}) for tag, attributes in read(page).tags]
        for page in (to_html(rich(), theme=Theme(language=code)) for code in codes())
    ]
    assert all(one == drawn[0] for one in drawn)


GEOMETRY = {"x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "d", "width", "height", "viewbox", "viewBox", "points"}


def test_the_comparison_speaks_it_too() -> None:
    text = read(changes_page(rich(), language="de")).text
    assert "Vorher und nachher" in text
    assert "Was aus den Befunden wurde" in text


def test_english_is_spoken_again_afterwards() -> None:
    with speaking("de"):
        assert (tr("Verdict"), plural(2, "file"), decimal(1234.5), thousands(1234)) == ("Urteil", "2 Dateien", "1.234,5", "1.234")
    assert (tr("Verdict"), plural(2, "file"), decimal(1234.5), thousands(1234)) == ("Verdict", "2 files", "1,234.5", "1,234")


def test_an_unknown_language_is_named_with_those_there_are() -> None:
    with pytest.raises(UsageError, match="no language 'fr'; there are en, de"):
        language("fr")


@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_values_in_a_text_are_escaped(text: str) -> None:
    environment = jinja2.Environment(autoescape=True, extensions=[Translated], finalize=html.printable)
    made = environment.from_string('<p title="Read {{ x }} aloud">Some {{ x }} in text, {{ _("all") }}</p>').render(x=text)
    page = read(made.encode("utf-8", "backslashreplace"))
    assert [tag for tag, _ in page.tags] == ["p"]
    assert page.text.startswith("Some")
    assert "\u202e" not in made
    assert "\x1b" not in made


def test_what_is_looked_up_and_what_is_left_alone() -> None:
    environment = jinja2.Environment(autoescape=True, extensions=[Translated])
    source = (
        '<h2 class="number">Two {{ n }} words</h2><code>left alone {{ n }}</code><a href="{{ n }}" title="Read me">x</a>'
        "{% if n %}Yes{% else %}No {{ n|upper }}{% endif %}&nbsp;<b>·</b> {{ n }} <style>p { color: red }</style>"
    )
    assert environment.from_string(source).render(n="n") == source.split("{% if")[0].replace("{{ n }}", "n") + (
        "Yes&nbsp;<b>·</b> n <style>p { color: red }</style>"
    )
    assert environment.extensions[Translated.identifier].keys == {"Two {0} words", "Read me", "Yes", "No {0}"}
