"""Exceptions declared in comments beside the code: `auditor: ignore[item] reason owner=NAME until=YYYY-MM-DD`.

They are read from every text of the tree and obeyed by nobody but a gate that its owner runs. A comment on a line of its own speaks of the statement
that follows, one behind code of the statement it stands in; of a definition that is its header with the decorators. What is written wrongly is kept with what is wrong with it: silence would be obeyed by accident.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from auditor.catalogue import catalogue
from auditor.classify import role_by_path
from auditor.errors import UsageError
from auditor.fingerprints import GRAMMARS, Reader
from auditor.languages.tree import encoded, parse
from auditor.model.settings import Suppression
from auditor.model.snapshot import Language

_MARK = "auditor:"
_COMMENT = re.compile(r"(?:#|//|/\*+|<!--|--|;|\{#)[ \t]{0,8}auditor:[ \t]{0,8}ignore\b(.{0,600})", re.IGNORECASE)
_IDS = re.compile(r"^\s{0,8}\[([^\[\]]{0,300})\](.{0,600})$")
_OPTION = re.compile(r"\b(owner|until)\s{0,3}=\s{0,3}(\S{1,80})")
_CLOSING = re.compile(r"\s{0,8}(?:\*+/\s{0,3}\}?|-->|#\})\s{0,8}$")
_ONLY_COMMENT = re.compile(r"^(?:#|//|/\*|\*|<!--|--|;|\{/\*)")
_PROSE = frozenset({Language.MARKDOWN, Language.TEXT})
_LONGEST_LINE = 2_000
_MOST = 2_000


def declared(texts: Mapping[str, str]) -> tuple[Suppression, ...]:
    """The suppressions written into the texts (path -> text), in path and line order; at most 2,000."""
    found: list[Suppression] = []
    for path, text in sorted(texts.items()):
        if _MARK in text and len(found) < _MOST:
            found += _of_text(path, text)
    return tuple(found[:_MOST])


def _of_text(path: str, text: str) -> Iterator[Suppression]:
    lines = text.split("\n")
    is_comment = _recogniser(path, text)
    reader = Reader(path, text)
    for number, line in enumerate(lines, 1):
        if _MARK not in line or len(line) > _LONGEST_LINE:
            continue
        comment = _COMMENT.search(line)
        if comment is None or not is_comment(line, number, comment):
            continue
        before = line[: comment.start()].strip(" \t{")
        reach = reader.reach(number if before else _next_code(lines, number))
        yield from _read(_CLOSING.sub("", comment[1]), path, reach, f"{path}:{number}")


def _recogniser(path: str, text: str) -> Callable[[str, int, re.Match[str]], bool]:
    """Tells whether a mark in a line is a comment: by the syntax tree where there is one, or a sentence or literal that shows how marks are written."""
    language = role_by_path(path)[0]
    if language in GRAMMARS:
        root = parse(GRAMMARS[language], encoded(text)).root_node

        def in_tree(line: str, number: int, mark: re.Match[str]) -> bool:
            point = (number - 1, len(line[: mark.start()].encode("utf-8", "replace")) + 1)
            node = root.descendant_for_point_range(point, point)
            return node is not None and node.type == "comment"

        return in_tree
    if language in _PROSE:
        return lambda _line, _number, mark: mark[0].startswith("<!--")
    return lambda line, _number, mark: not _inside_text(line[: mark.start()])


def _inside_text(before: str) -> bool:
    """Whether a quote is open at the end of the text: the mark is then part of a literal, not a comment."""
    open_quote = ""
    for character in before:
        if character in "\"'`" and not open_quote:
            open_quote = character
        elif character == open_quote:
            open_quote = ""
    return bool(open_quote)


def _next_code(lines: list[str], number: int) -> int:
    """The number of the first line after `number` that is neither empty nor only a comment."""
    for later in range(number, min(len(lines), number + 30)):
        stripped = lines[later].strip()
        if stripped and not _ONLY_COMMENT.match(stripped):
            return later + 1
    return number


def _read(text: str, path: str, reach: tuple[int, int], place: str) -> Iterator[Suppression]:
    named = _IDS.match(text)
    ids = [one.strip() for one in named[1].split(",") if one.strip()] if named else []
    rest = named[2] if named else ""
    options = dict(_OPTION.findall(rest))
    reason = " ".join(_OPTION.sub("", rest).split()).strip(" ;,-:()")
    owner, until = (options.get(name, "").strip("();,") for name in ("owner", "until"))
    shared = Suppression("", "", path, reach[0], reason, owner, until, place, end_line=reach[1])
    if not ids:
        yield completed(shared, "", "it names no item: write `auditor: ignore[item] reason`")
    for one in ids:
        yield completed(shared, one)


def completed(declared_: Suppression, named: str, problem: str = "") -> Suppression:
    """The suppression of the item or rule `named` ("item" or "item/rule"), with the first thing that is wrong with it."""
    item, _, rule = named.partition("/")
    return replace(declared_, item=item, rule=rule, problem=problem or _wrong_item(item, rule) or _wrong_words(declared_))


def _wrong_item(item: str, rule: str) -> str:
    try:
        known = catalogue().item(item)
    except UsageError as error:
        return str(error)
    if rule and known.rule(rule) is None:
        return f"{item} has no rule {rule!r}; its rules are {', '.join(one.id for one in known.rules[:8])}"
    return ""


def _wrong_words(declared_: Suppression) -> str:
    if not any(character.isalpha() for character in declared_.reason):
        return "it gives no reason"
    if declared_.until:
        try:
            dt.date.fromisoformat(declared_.until)
        except ValueError:
            return f"until={declared_.until} is not a date: write it as YYYY-MM-DD"
    return ""
