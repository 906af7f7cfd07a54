"""A badge with the grade: which grade it is (of the code, or for production), the letter, the date and the commit always stand together."""

from __future__ import annotations

from html import escape

from auditor.model.report import Report
from auditor.render import summary
from auditor.render.json_report import canonical
from auditor.render.text import visible
from auditor.words import decimal

_COLOURS = {"A": "#00664f", "B": "#00664f", "C": "#7a5200", "D": "#a63c00", "E": "#a63c00"}
_NONE = "#555555"
_HEIGHT, _PAD = 20, 7
_NARROW, _WIDE = frozenset("fijlrtI1.,:;|'·- "), frozenset("mwMW%@")


def to_badge(report: Report) -> bytes:
    """The badge as SVG without any outside reference; contrast of at least 4.5:1 in both halves."""
    stored = canonical(report)
    score = stored.score
    left = "auditor code grade"
    grade = "no grade" if score.letter is None or score.value is None else f"{score.letter} {decimal(score.value)}"
    if stored.production is not None and stored.production.letter is not None and stored.interview is not None and stored.interview.held:
        grade += f" · production {stored.production.letter}"
    right = f"{grade} · {stored.date} · {visible(summary.revision(stored))}"
    first, second = _width(left), _width(right)
    colour = _COLOURS.get(score.letter or "", _NONE)
    words = escape(f"{left}: {right}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{first + second}" height="{_HEIGHT}" role="img" aria-label="{words}">\n'
        f"<title>{words}</title>\n"
        f'<rect width="{first + second}" height="{_HEIGHT}" rx="3" fill="#333333"/>\n'
        f'<path d="M{first} 0h{second - 3}a3 3 0 0 1 3 3v{_HEIGHT - 6}a3 3 0 0 1-3 3h-{second - 3}z" fill="{colour}"/>\n'
        f'<g fill="#ffffff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">\n'
        f'<text x="{_PAD}" y="14" textLength="{first - 2 * _PAD}" lengthAdjust="spacingAndGlyphs">{escape(left)}</text>\n'
        f'<text x="{first + _PAD}" y="14" textLength="{second - 2 * _PAD}" lengthAdjust="spacingAndGlyphs">{escape(right)}</text>\n'
        "</g>\n</svg>\n"
    ).encode("utf-8", "backslashreplace")


def _width(text: str) -> int:
    """Width of a text in pixels with its padding, from rough widths of Verdana at 11 pixels."""
    return round(sum(4.2 if character in _NARROW else 10.0 if character in _WIDE else 7.0 for character in text)) + 2 * _PAD
