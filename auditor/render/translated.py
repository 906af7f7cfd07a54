"""Lets templates be written in plain English and rendered in any language.

A Jinja extension: while a template is compiled, every run of text between two tags, with the expressions inside it, becomes one look-up. `<p>{{ n }}
of {{ m }} shown</p>` looks up "{0} of {1} shown". The same for attributes a reader hears. Code and style are left alone. Values are escaped and their hidden
characters written out, like everything a template prints.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from jinja2 import nodes
from jinja2.environment import Environment
from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream
from markupsafe import Markup, escape

from auditor.render.language import tr

LOOK_UP = "look_up_"
_READ_ALOUD = frozenset({"aria-label", "title", "placeholder", "alt"})
_LEFT_ALONE = frozenset({"code", "pre", "style", "script"})
_OWN_MARKUP = frozenset({"m", "t", "block", "excerpt", "places", "gaps", "words", "place_of", "item_of", "verdict_or_none", "caller"})
"""Names of macros: what they print is mark-up of ours, which has been looked up inside them."""
_LETTERS = re.compile(r"[^\W\d_]{2}")
_ENTITY = re.compile(r"&\w+;")
_TAG_NAME = re.compile(r"/?[a-zA-Z][\w-]*")
_ATTRIBUTE = re.compile(r"([\w-]+)=\Z")

Part = str | list[Token]


class Translated(Extension):
    """The extension; `keys` collects what is looked up, for the test of the catalogues."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        environment.globals[LOOK_UP] = look_up(environment.finalize or (lambda value: value))
        environment.globals["_"] = tr
        self.keys: set[str] = set()

    def filter_stream(self, stream: TokenStream) -> Iterable[Token]:
        """The tokens of one template, with look-ups in place of its texts."""
        return _Walk(self.keys).tokens(stream)


def look_up(finalize: Callable[[Any], Any]) -> Callable[..., Markup]:
    """The function templates call: a text of ours with values of anybody's in it."""

    def found(text: str, *values: Any) -> Markup:
        return Markup(tr(text, *(escape(finalize(value)) for value in values)))  # noqa: S704 - the text is ours, the values are escaped

    return found


class _Walk:
    """Reads the tokens of a template and knows where in the HTML it stands."""

    def __init__(self, keys: set[str]) -> None:
        self._keys = keys
        self._mode = "text"
        self._tag = ""
        self._alone = ""
        self._run: list[Part] = []

    def tokens(self, stream: Iterable[Token]) -> Iterator[Token]:
        expression: list[Token] | None = None
        in_block = False
        for token in stream:
            if token.type == "data" and not in_block:
                yield from self._data(token)
            elif token.type == "variable_begin":
                expression = []
            elif token.type == "variable_end" and expression is not None:
                yield from self._expression(expression, token.lineno)
                expression = None
            elif expression is not None:
                expression.append(token)
            else:
                if token.type == "block_begin":
                    yield from self._flush(token.lineno)
                in_block = token.type == "block_begin" or (in_block and token.type != "block_end")
                yield token
        yield from self._flush(0)

    def _expression(self, inside: list[Token], line: int) -> Iterator[Token]:
        macro = bool(inside) and inside[0].type == "name" and inside[0].value in _OWN_MARKUP
        if self._mode in {"text", "read"} and not self._alone and not macro:
            self._run.append(inside)
        else:
            yield from self._flush(line)
            yield from _printed(inside, line)

    def _data(self, token: Token) -> Iterator[Token]:
        text, at = token.value, 0
        while at < len(text):
            ends = {"text": "<", "tag": '">', "value": '"', "read": '"'}[self._mode]
            stop = next((n for n in range(at, len(text)) if text[n] in ends), len(text))
            piece, mark = text[at:stop], text[stop : stop + 1]
            at = stop + 1
            yield from self._piece(piece, mark, token.lineno)

    def _piece(self, piece: str, mark: str, line: int) -> Iterator[Token]:
        if self._mode in {"text", "read"} and not self._alone:
            self._run.append(piece)
            if mark:
                yield from self._flush(line)
        else:
            self._tag += piece if self._mode == "tag" else ""
            yield Token(line, "data", piece)
        if mark:
            self._turn(mark)
            yield Token(line, "data", mark)

    def _turn(self, mark: str) -> None:
        """What comes after a quote, the beginning of a tag, or its end."""
        if mark == "<":
            self._mode, self._tag = "tag", ""
        elif mark == ">":
            self._mode = "text"
            name = _TAG_NAME.match(self._tag)
            if name and not self._alone and name[0] in _LEFT_ALONE:
                self._alone = name[0]
            elif name and name[0] == f"/{self._alone}":
                self._alone = ""
        elif self._mode == "tag":
            attribute = _ATTRIBUTE.search(self._tag)
            self._mode = "read" if attribute and attribute[1] in _READ_ALOUD and not self._alone else "value"
        else:
            self._mode = "tag"
            self._tag += '""'

    def _flush(self, line: int) -> Iterator[Token]:
        run, self._run = self._run, []
        texts = "".join(part for part in run if isinstance(part, str))
        if not _LETTERS.search(_ENTITY.sub("", texts)):
            for part in run:
                yield from _printed(part, line) if isinstance(part, list) else [Token(line, "data", part)]
            return
        values = [part for part in run if isinstance(part, list)]
        numbers = iter(range(len(values)))
        whole = "".join(part if isinstance(part, str) else f"{{{next(numbers)}}}" for part in run)
        key = " ".join(whole.split())
        self._keys.add(key)
        before, after = whole[: len(whole) - len(whole.lstrip())], whole[len(whole.rstrip()) :]
        yield Token(line, "data", before)
        yield from _printed(list(_call(key, values, line)), line)
        yield Token(line, "data", after)


def _call(key: str, values: list[list[Token]], line: int) -> Iterator[Token]:
    yield from (Token(line, "name", LOOK_UP), Token(line, "lparen", "("), Token(line, "string", key))
    for value in values:
        yield from (Token(line, "comma", ","), Token(line, "lparen", "("), *value, Token(line, "rparen", ")"))
    yield Token(line, "rparen", ")")


def _printed(inside: list[Token], line: int) -> Iterator[Token]:
    yield from (Token(line, "variable_begin", "{{"), *inside, Token(line, "variable_end", "}}"))


def marked(environment: Environment, source: str) -> tuple[set[str], set[str]]:
    """Texts a template marks by `_` in its expressions, and the nouns it counts with."""
    tree = environment.parse(source)
    texts = {
        call.args[0].value
        for call in tree.find_all(nodes.Call)
        if isinstance(call.node, nodes.Name) and call.node.name == "_" and call.args and isinstance(call.args[0], nodes.Const)
    }
    nouns = {
        filtered.args[0].value
        for filtered in tree.find_all(nodes.Filter)
        if filtered.name == "plural" and filtered.args and isinstance(filtered.args[0], nodes.Const)
    }
    return texts, nouns
