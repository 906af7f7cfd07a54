"""Cuts source text into tokens for the clone search: comments dropped, literals one class, import lists left out. Text in, arrays out."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count

import numpy as np
from numpy.typing import NDArray

from auditor.model.snapshot import Language

_PYTHON = re.compile(
    r"\n|#[^\n]*"
    r"|[rbuftRBUFT]{0,3}(?:\"\"\"(?:[^\\\"]|\\.|\"(?!\"\"))*\"\"\"|'''(?:[^\\']|\\.|'(?!''))*'''|\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*')"
    r"|[^\W\d]\w*|\d[\w.]*|->|:=|==|!=|<=|>=|\*\*|//|[-+*/%&|^@]=|[^\s\\]",
    re.DOTALL,
)
_SCRIPT = re.compile(
    r"\n|//[^\n]*|/\*.*?\*/|<!--.*?-->"
    r"|\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`"
    r"|[#$]?[^\W\d][\w$]*|\$[\w$]*|\d[\w.]*|=>|===|!==|==|!=|<=|>=|&&|\|\||\?\?|\?\.|\.\.\.|[-+*/%]=|\S",
    re.DOTALL,
)
_PYTHON_IMPORT = re.compile(r"^[ \t]*(?:from[ \t]+[\w.]+[ \t]+import[ \t]*(?:\([^)]*\)|(?:[^\n\\]|\\\n)*)|import[ \t][^\n]*)", re.MULTILINE)
_SCRIPT_IMPORT = re.compile(
    r"^[ \t]*(?:import\b(?!\s*\()[^;'\"`()]*['\"][^'\"\n]*['\"];?|export\s*(?:type\s*)?(?:\*(?:\s*as\s+\w+)?|\{[^}]*\})\s*from\s*['\"][^'\"\n]*['\"];?|export\s*\{[^}]*\};?"
    r"|(?:const|let|var)\s+[\w${},:\s]+=\s*require\([^)\n]*\)[\w.]*;?)[^\S\n]*$",
    re.MULTILINE,
)
_SCRIPT_BLOCK = re.compile(r"(<script\b[^>]*>)(.*?)</script\s*>", re.DOTALL | re.IGNORECASE)
_DOCSTRING = re.compile(r"(?m)^[ \t]*(?:[rRuU]?(?:\"\"\"(?:[^\\\"]|\\.|\"(?!\"\"))*\"\"\"|'''(?:[^\\']|\\.|'(?!''))*'''))[ \t]*$")
_MARK_UP = re.compile(r"(?m)^[ \t]*(?:</?[\w.>]|/?>[ \t]*$|[\w:@.-]+=(?:\{|\"|')|\{\.\.\.\w+\}[ \t]*$|\)\}[ \t]*$)")

_KEYWORDS = """
False None True and as assert async await break class continue def del elif else except finally for from global if import in is lambda nonlocal not or pass raise
return try while with yield match case self cls catch const debugger default delete do export extends false function instanceof let new null of static super
switch this throw true typeof undefined var void interface type enum implements public private protected readonly string number boolean any unknown never object
"""
_CONTROL = "if elif else for while return await try except catch raise throw yield with switch match lambda => && || ?? and or not ?"
KEYWORDS = frozenset(_KEYWORDS.split())
CONTROL = frozenset(_CONTROL.split())
"""Tokens that show that something is decided or done; tables and declarations hold hardly any."""

SKIP, BREAK, STRING, NUMBER, NAME, MARK = range(6)

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Stream:
    """The tokens of many files in one row. Arrays run in parallel; `file` indexes `paths`.

    `symbol` tells equal tokens (all strings are equal, all numbers too), `name` is the identifier's number or -1, `control` and
    `call` mark tokens that decide or call something, `mark_up` those on lines of pure mark-up. `words` spells the identifiers' numbers. `code_lines` counts lines with tokens, imports included.
    """

    paths: tuple[str, ...]
    file: Ints
    line: Ints
    symbol: Ints
    name: Ints
    control: Bools
    call: Bools
    mark_up: Bools
    code_lines: int
    words: tuple[str, ...] = ()


def read_stream(sources: Iterable[tuple[str, str, Language]], *, python: bool) -> Stream:
    """Tokens of all `sources` (path, text, language), which are all Python or all script."""
    pattern = _PYTHON if python else _SCRIPT
    vocabulary: defaultdict[str, int] = defaultdict(count().__next__)
    rows: list[Ints] = []
    paths: list[str] = []
    code_lines = 0
    flags: list[Bools] = []
    for path, text, language in sources:
        own = _only_scripts(text) if language in {Language.VUE, Language.SVELTE} else text
        plain = _blank(_DOCSTRING, _blank(_PYTHON_IMPORT, own)) if python else _blank(_SCRIPT_IMPORT, own)
        code_lines += own.count("\n") - len(re.findall(r"(?m)^[ \t]*(?:#|//|\*|/\*|$)", own)) + 1
        rows.append(np.array([vocabulary[token] for token in pattern.findall(plain)], dtype=np.int64))
        paths.append(path)
        flags.append(_mark_up_lines(plain, python=python))
    return _stream(tuple(paths), rows, flags, list(vocabulary), max(code_lines, 0), python=python)


def _mark_up_lines(text: str, *, python: bool) -> Bools:
    found = np.zeros(text.count("\n") + 2, dtype=bool)
    if not python:
        line, end = 1, 0
        for match in _MARK_UP.finditer(text):
            line += text.count("\n", end, match.start())
            end = match.start()
            found[line] = True
    return found


def _stream(paths: tuple[str, ...], rows: list[Ints], flags: list[Bools], words: list[str], code_lines: int, *, python: bool) -> Stream:
    classes, breaks, symbols = _classify(words, python=python)
    ids = np.concatenate(rows) if rows else np.zeros(0, dtype=np.int64)
    file = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    below = np.cumsum(breaks[ids]) if len(ids) else ids
    before = below - breaks[ids]
    starts = np.cumsum([0, *(len(row) for row in rows)])[:-1]
    base = np.array([before[start] if start < len(before) else 0 for start in starts], dtype=np.int64)
    line = before - (base[file] if len(ids) else 0) + 1
    kept = np.flatnonzero(classes[ids] >= STRING)
    kind, token = classes[ids][kept], ids[kept]
    file, line = file[kept], line[kept]
    is_name = kind == NAME
    opening = np.array([word == "(" for word in words], dtype=bool)[token] if len(words) else np.zeros(0, dtype=bool)
    call = opening & np.concatenate(([False], is_name[:-1])) if len(token) else opening
    control = np.array([word in CONTROL for word in words], dtype=bool)[token] if len(words) else opening
    offsets = np.cumsum([0, *(len(flag) for flag in flags)])
    mark_up = np.concatenate(flags)[offsets[file] + np.minimum(line, np.diff(offsets)[file] - 1)] if len(token) else opening
    return Stream(paths, file, line, symbols[token], np.where(is_name, token, -1), control, call, mark_up, code_lines, tuple(words))


def _classify(words: list[str], *, python: bool) -> tuple[Ints, Ints, Ints]:
    """Per word of the vocabulary: its class, the line breaks it holds, and the symbol it is compared by."""
    classes = np.full(len(words) + 1, MARK, dtype=np.int64)
    breaks = np.zeros(len(words) + 1, dtype=np.int64)
    symbols = np.arange(len(words) + 1, dtype=np.int64) + NAME
    for index, word in enumerate(words):
        first = word[0]
        if word == "\n":
            classes[index], breaks[index] = BREAK, 1
        elif (first == "#" and python) or (not python and word[:2] in {"//", "/*"}) or word[:4] == "<!--":
            classes[index], breaks[index] = SKIP, word.count("\n")
        elif (first in "\"'`" and len(word) > 1) or (python and word[-1] in "\"'" and len(word) > 1):
            classes[index], breaks[index], symbols[index] = STRING, word.count("\n"), STRING
        elif first.isdigit():
            classes[index], symbols[index] = NUMBER, NUMBER
        elif (first.isidentifier() or first in "$#") and word not in KEYWORDS and len(word.strip("$#")) > 0:
            classes[index] = NAME
    return classes, breaks, symbols


def _blank(pattern: re.Pattern[str], text: str) -> str:
    """The text with every match replaced by its line breaks, so that lines keep their numbers."""
    return pattern.sub(lambda match: "\n" * match[0].count("\n"), text)


def _only_scripts(text: str) -> str:
    """The script parts of a single-file component, everything else as empty lines."""
    kept, end = [], 0
    for match in _SCRIPT_BLOCK.finditer(text):
        kept.append("\n" * text.count("\n", end, match.start(2)))
        kept.append(match[2])
        end = match.end(2)
    kept.append("\n" * text.count("\n", end))
    return "".join(kept)
