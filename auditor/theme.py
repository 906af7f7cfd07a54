"""Reads a theme file (`theme.toml`): whose report it is, its logo, its colour, its own texts. The logo is only ever shown as a picture, where nothing in it runs or loads."""

from __future__ import annotations

import base64
import colorsys
import re
from enum import StrEnum
from pathlib import Path

from auditor.catalogue import catalogue
from auditor.errors import UsageError
from auditor.model.theme import Theme
from auditor.toml_files import Table, read_toml

LOGO_BYTES = 200_000
CONTRAST = 4.5
"""Least contrast of text that is not large (WCAG 2.2, 1.4.3)."""
LIGHT_GROUNDS = ("#ffffff", "#f6f7f9", "#eceff3")
DARK_GROUNDS = ("#14171c", "#1b1f26", "#252a33")
"""What stands behind links and marks, from the page's style sheet."""

_LINES = ("company", "client", "contact", "classification", "number")
_KEYS = (*_LINES, "logo", "accent", "cover", "footer", "comments", "paper", "language")
_COLOUR = re.compile(r"#(?:[0-9a-f]{3}|[0-9a-f]{6})", re.IGNORECASE)
_PNG = b"\x89PNG\r\n\x1a\n"
_SVG = re.compile(rb"\A(?:\xef\xbb\xbf)?\s{0,200}(?:<\?xml[^>]{0,200}\?>\s{0,200})?(?:<!--.{0,4000}?-->\s{0,200}){0,5}<svg[\s>]", re.DOTALL)


class _Paper(StrEnum):
    A4 = "A4"
    LETTER = "letter"


def read_theme(path: Path) -> Theme:
    """The theme in a file; the logo's path is taken from the file's folder.

    Raises:
        UsageError: it or the logo cannot be read, or something in it is wrong; the message names the key.
    """
    root = read_toml(path)
    root.only(_KEYS)
    lines = {key: root.line(key, longest=200) for key in _LINES}
    logo = root.line("logo")
    return Theme(
        **lines,
        logo=_logo(root, path.parent / logo) if logo else "",
        accent=_accent(root),
        cover=root.text("cover"),
        footer=root.text("footer"),
        comments=_comments(root.table("comments")),
        language=root.line("language") or "en",
        paper=root.choice("paper", _Paper).value if "paper" in root.values else _Paper.A4.value,
    )


def _comments(table: Table) -> tuple[tuple[str, str], ...]:
    ids = [category.id for category in catalogue().categories]
    table.only(ids)
    said = [(name, table.text(name)) for name in ids]
    return tuple((name, text) for name, text in said if text)


def _logo(root: Table, path: Path) -> str:
    """The picture as a data URI."""
    try:
        with path.open("rb") as file:
            data = file.read(LOGO_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{root.name}: logo: cannot read {path}: {error.strerror or error}") from None
    if len(data) > LOGO_BYTES:
        root.wrong(f"logo: {path.name} is larger than {LOGO_BYTES // 1000} kB")
    if data.startswith(_PNG):
        kind = "image/png"
    elif _SVG.match(data):
        if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
            root.wrong(f"logo: {path.name} declares a document type or entities; save it as plain SVG")
        kind = "image/svg+xml"
    else:
        root.wrong(f"logo: {path.name} is neither a PNG nor an SVG picture")
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def _accent(root: Table) -> tuple[str, ...]:
    """The colour for light and for dark ground, moved as far as legible text needs."""
    colour = root.line("accent").lower()
    if not colour:
        return ()
    if not _COLOUR.fullmatch(colour):
        root.wrong(f"accent: {colour!r} is no colour; write it as #rrggbb")
    if len(colour) == 4:
        colour = "#" + "".join(digit * 2 for digit in colour[1:])
    return legible(colour, LIGHT_GROUNDS, darker=True), legible(colour, DARK_GROUNDS, darker=False)


def legible(colour: str, grounds: tuple[str, ...], *, darker: bool) -> str:
    """The nearest colour of the same hue that reaches `CONTRAST` against every ground, made darker or lighter."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*_channels(colour))
    steps = range(101)
    for step in steps:
        target = lightness * (1 - step / 100) if darker else lightness + (1 - lightness) * step / 100
        found = "#" + "".join(f"{round(channel * 255):02x}" for channel in colorsys.hls_to_rgb(hue, target, saturation))
        if all(contrast(found, ground) >= CONTRAST for ground in grounds):
            return found
    return "#000000" if darker else "#ffffff"


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, 1 to 21 (WCAG 2.2)."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _channels(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue
