"""The HTML report: one file that needs nothing else. Texts and looks stand in `reports/templates/`.

Everything from the repository is escaped by the template engine; hidden characters are written out. The page may load nothing and run only its own script.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from functools import cache
from typing import Any

import jinja2
from markupsafe import Markup, escape

from auditor import words
from auditor.model.report import Report, Trigger
from auditor.model.theme import Theme
from auditor.model.verdict import CURVE, POINTS, Confidence, Severity, Verdict
from auditor.render import before_after, branding, dsm, executive, layout, mass, past, summary, text, way
from auditor.render.before_after import changes_view
from auditor.render.categories import anchor, title_of
from auditor.render.grouping import group_name
from auditor.render.json_report import canonical
from auditor.render.language import N_, SOURCE, Spoken, decimal, figure, plural, speaking, thousands, tr
from auditor.render.rulings import rulings_view
from auditor.render.translated import Translated
from auditor.render.view import GAPS, LETTERS, Edition, view
from auditor.resources import data_dir

SAID = re.compile(r'\bsay\("([^"]+)"')
_SHOWN_AS_IS = frozenset("\n\t")
TEXT_LIMIT = 2_000
"""Longest text of the repository that is printed; the JSON holds the whole of it."""


def to_html(report: Report, edition: Edition = Edition.FULL, *, theme: Theme | None = None) -> bytes:
    """The report as one UTF-8 HTML file, whole or the executive edition; the same bytes for equal reports and themes, stored ones included."""
    theme = theme or Theme()
    report = canonical(report)
    with speaking(theme.language):
        style, script = _style() + branding.page_style(report, theme), _script()
        page = (
            _environment()
            .get_template("report.html.j2")
            .render(
                v=view(report, edition),
                changes=changes_view(report),
                ruled=rulings_view(report),
                theme=theme,
                language=theme.language,
                logo=Markup(theme.logo),  # noqa: S704 - made of a fixed beginning and base64
                own_facts=_own_facts(theme),
                style=Markup(style),  # noqa: S704 - our own file
                script=Markup(script),  # noqa: S704 - our own file
                policy=_policy(style, script),
            )
        )
    return page.encode("utf-8", "backslashreplace")


def _own_facts(theme: Theme) -> list[tuple[str, str]]:
    """What a theme says of the parties, as the cover's labels and texts."""
    facts = ((tr("Client"), theme.client), (tr("Contact"), theme.contact), (tr("Report number"), theme.number))
    return [(label, said) for label, said in facts if said]


def changes_page(report: Report, *, language: str = SOURCE) -> bytes:
    """What changed since the earlier audit that the report is compared with, as one UTF-8 HTML file without a script."""
    style = _style()
    with speaking(language):
        page = (
            _environment()
            .get_template("comparison.html.j2")
            .render(
                changes=changes_view(canonical(report)),
                version=report.version,
                language=language,
                style=Markup(style),  # noqa: S704 - our own file
                policy=_policy(style, ""),
            )
        )
    return page.encode("utf-8", "backslashreplace")


def _style() -> str:
    return "".join(_asset(name) for name in ("style.css", "changes.css", "triage.css", "theme.css", "print.css"))


def _script() -> str:
    """The page's scripts, and in front of them what they say where the page is not English."""
    code = "".join(_asset(name) for name in ("words.js", "script.js", "triage.js"))
    said = {text: tr(text) for text in sorted(set(SAID.findall(code)))}
    return f'"use strict";\nconst WORDS = {json.dumps({text: words for text, words in said.items() if text != words})};\n{code}'


def _asset(name: str) -> str:
    return (data_dir("templates") / name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    """Content security policy: nothing is loaded, and only this style and this script run."""
    return (
        f"default-src 'none'; style-src {_digest(style)}; script-src {_digest(script)}; img-src data:; base-uri 'none'; form-action 'none'"
    )


def _digest(content: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(data_dir("templates")),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        extensions=[Translated],
        finalize=printable,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        decimal=decimal,
        percent=words.percent,
        plural=plural,
        thousands=thousands,
        figure=figure,
        cut=text.cut,
        cut_path=text.cut_path,
        group_name=group_name,
        printable=printable,
        prose=prose,
        markdown=branding.markdown,
    )
    environment.globals.update(
        Verdict=Verdict,
        slope=before_after,
        Severity=Severity,
        Trigger=Trigger,
        title_of=title_of,
        anchor=anchor,
        box_width=layout.BOX_WIDTH,
        box_height=layout.BOX_HEIGHT,
        verdict_words=Spoken(VERDICT_WORDS),
        confidence_words=Spoken(CONFIDENCE_WORDS),
        effort_words=Spoken(summary.EFFORT_WORDS),
        tones=TONES,
        points=POINTS,
        curve=CURVE,
        letters=LETTERS,
        gaps_shown=GAPS,
        impact_words=Spoken(executive.IMPACT),
        likelihood_words=Spoken(executive.LIKELIHOOD),
        climb_top=way.TOP,
        climb_bottom=way.BOTTOM,
        climb_left=way.LEFT,
        mass_width=mass.WIDTH,
        mass_height=mass.HEIGHT,
        dsm_label=dsm.LABEL,
        dsm_head=dsm.HEAD,
        time=past,
        steps_shown=way.SHORT,
    )
    return environment


VERDICT_WORDS = {
    Verdict.FAIL: N_("fails"),
    Verdict.PARTIAL: N_("in part"),
    Verdict.UNKNOWN: N_("unknown"),
    Verdict.PASS: N_("holds"),
    Verdict.NOT_APPLICABLE: N_("does not apply"),
}
CONFIDENCE_WORDS = {
    Confidence.HIGH: N_("seen in the code"),
    Confidence.MEDIUM: N_("inferred from the code"),
    Confidence.LOW: N_("a weak signal"),
}
TONES = {"ready": "pass", "ready with conditions": "partial", "not ready": "fail", "cannot be judged": "unknown"}
"""The mark and colour of each verdict sentence."""


def printable(value: Any) -> Any:
    """Texts with their hidden characters written out and cut to a printable length; everything else as it is."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    if len(value) > TEXT_LIMIT:
        value = f"{value[:TEXT_LIMIT]}… ({len(value):,} characters)"
    if value.isascii() and value.isprintable():
        return value
    return "".join(c if c in _SHOWN_AS_IS or not text.is_hidden(c) else text.name_of(c) for c in value)


def prose(value: str) -> Markup:
    """A sentence with what stands between backticks set as code; escaped like everything else."""
    parts = str(printable(value)).split("`")
    if len(parts) % 2 == 0:
        return escape("`".join(parts))
    return Markup("").join(Markup("<code>{}</code>").format(part) if number % 2 else escape(part) for number, part in enumerate(parts))
