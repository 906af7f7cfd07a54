"""Reads dotenv files (`NAME=value`, `export NAME=value`, quoted values over several lines) without a shell and without expanding anything."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

_ENTRY = re.compile(r"^[ \t]*(?:export[ \t]+|set[ \t]+)?([A-Za-z_][A-Za-z0-9_.-]{0,120})[ \t]*(?:=|:[ \t])[ \t]*(.*)$")
_QUOTED_LINES = 200
"""Longest quoted value in lines; an unclosed quote must not swallow the file."""

_TEMPLATE = re.compile(
    r"(?:^|[._-])(?:example|examples|sample|template|tmpl|tpl|dist|default|defaults|schema|skeleton|stub|exemple|ejemplo)(?:[._-]|$)"
)
_NAME = re.compile(r"^(?:\.?env(?:[._-][\w.-]*)?|[\w.-]+\.env|\.envrc|\.flaskenv|\.dev\.vars[\w.-]*|dotenv)$")
_CODE = re.compile(r"\.(?:py|[cm]?[jt]sx?|d\.ts|md|sh|json|ya?ml|html|go|rb|php|ps1|txt|vue|css)$")


def is_dotenv(path: str) -> bool:
    """Whether the file at `path` is a dotenv file or the template of one, by its name."""
    name = PurePosixPath(path).name.lower()
    return bool(_NAME.match(name)) and not _CODE.search(name)


def is_template(path: str) -> bool:
    """Whether the name of a settings file says that it is to be copied and filled in."""
    return bool(_TEMPLATE.search(PurePosixPath(path).name.lower()))


def entries(text: str) -> Iterator[tuple[str, str, int]]:
    """(name, value, line) in file order; quotes and trailing comments are taken off, nothing is expanded."""
    lines = text.split("\n")
    number = 0
    while number < len(lines):
        match = _ENTRY.match(lines[number][:10_000])
        first = number + 1
        number += 1
        if not match or lines[first - 1].lstrip().startswith("#"):
            continue
        value = match[2].strip()
        if value[:1] in {'"', "'", "`"}:
            value, number = _quoted(value, lines, number)
        else:
            value = re.split(r"(?:^|\s)#", value, maxsplit=1)[0].strip()
        yield match[1], value, first


def _quoted(value: str, lines: list[str], number: int) -> tuple[str, int]:
    """The text between the quotes, and the number of the next line to read."""
    quote = value[0]
    end = value.find(quote, 1)
    if end > 0:
        return value[1:end], number
    collected = [value[1:]]
    for position in range(number, min(len(lines), number + _QUOTED_LINES)):
        end = lines[position].find(quote)
        if end >= 0:
            collected.append(lines[position][:end])
            return "\n".join(collected), position + 1
        collected.append(lines[position])
    return value[1:], number
