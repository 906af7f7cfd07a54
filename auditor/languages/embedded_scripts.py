"""Browser scripts inside pages, templates and texts of other languages, each character at its own line; everything else is blanked.

What a template or an f-string fills in stands as `0`: it is nothing the script itself decides.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_SCRIPT = re.compile(
    r"<script\b(?![^>]{0,300}\bsrc\s*=)(?![^>]{0,300}\btype\s*=\s*[\"']?(?:application/(?:ld\+)?json|text/(?:x-|template|html)))[^>]{0,300}>",
    re.IGNORECASE,
)
_END = "</script"
_TEMPLATE_HOLE = re.compile(r"\{\{.{0,400}?\}\}", re.DOTALL)
_TEMPLATE_STEP = re.compile(r"\{%.{0,400}?%\}|\{#.{0,400}?#\}|<%.{0,400}?%>|<\?php.{0,2000}?\?>", re.DOTALL)
_FORMAT_HOLE = re.compile(r"(?<!\{)\{(?!\{)[^{}\n]{1,200}\}(?!\})")


def page_scripts(text: str) -> str:
    """The inline scripts of a page or template; "" when there is none."""
    return _scripts(text, _without_template_marks)


def text_scripts(text: str) -> str:
    """The scripts inside the string literals of Python code; "" when there is none."""
    return _scripts(text, _without_format_marks)


def _scripts(text: str, clean: Callable[[str], str]) -> str:
    parts: list[str] = []
    position = 0
    while (opening := _SCRIPT.search(text, position)) is not None:
        end = text.find(_END, opening.end())
        if end < 0:
            break
        parts += [_blank(text[position : opening.end()]), clean(text[opening.end() : end]), ";"]
        position = end
    return "".join(parts)


def _blank(text: str) -> str:
    return "\n" * text.count("\n")


def _hole(match: re.Match[str]) -> str:
    return "0" + _blank(match[0])


def _without_template_marks(script: str) -> str:
    return _TEMPLATE_STEP.sub(lambda match: _blank(match[0]), _TEMPLATE_HOLE.sub(_hole, script))


def _without_format_marks(script: str) -> str:
    """Undo the doubled braces of an f-string; a script without doubled braces is a plain text."""
    if "{{" not in script:
        return script
    return _FORMAT_HOLE.sub(_hole, script).replace("{{", "{").replace("}}", "}")
