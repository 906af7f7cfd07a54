"""Whether the address of a call is that of an endpoint: parameters, catch-all parts and holes compared segment by segment."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

_ONE, _REST = "*", "**"
_GROUP = re.compile(r"\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)\??")
_WHOLE = re.compile(r"^(?:\{[^{}]*\}|<[^<>]*>|:\w+(?:\([^)]*\))?|\[[^\[\]]+\]|\*)\??$")
_SEVERAL = re.compile(
    r"^(?:\{\w*:path\}|\{\*?\}|<path:[^<>]*>|\*\*?\w*|:\w+[*+]|\[\[?\.\.\.[^\]]*\]?\]|\{\*?\w+\*\}|\{\*\w*\}|\{\.\.\.\w+\})$"
)
_OPTIONAL = re.compile(r"^:\w+\?$|^\{/?:?\w+\??\}\?$|\?$")


@cache
def route_segments(path: str) -> tuple[str, ...]:
    """The segments of a declared path: texts, "*" for one that varies, "**" for any number; a part that varies inside a segment is "*" too."""
    text = re.sub(r"^\^|\$$", "", path)
    if "(?" in text or "\\" in text or "[^" in text:
        text = _GROUP.sub("{x}", text).replace("\\Z", "").replace("\\A", "").replace("/?", "/").replace("\\", "")
    found = []
    for segment in text.strip("/").split("/"):
        if not segment:
            continue
        if _SEVERAL.match(segment):
            found.append(_REST)
        elif _WHOLE.match(segment):
            found.append(_ONE)
        else:
            found.append(re.sub(r"\{[^{}]*\}|<[^<>]*>|\[[^\[\]]+\]|:\w+", "*", segment))
    return tuple(found)


@cache
def call_segments(address: str) -> tuple[str, ...]:
    """The segments of an address as a call writes it, in the same signs."""
    return tuple(
        _REST if "{*}" in segment else _ONE if segment == "{}" else segment.replace("{}", "*")
        for segment in address.strip("/").split("/")
        if segment
    )


@dataclass(frozen=True, slots=True)
class Fit:
    """How an address fits an endpoint: `exact`, or by parts that are not known; `extra`: how many segments the endpoint (or the call, negative) has in front."""

    exact: bool
    extra: int = 0


def fit(route: tuple[str, ...], call: tuple[str, ...], *, prefixes: bool) -> Fit | None:
    """The best way an address fits an endpoint, None for none; `prefixes`: one of both may have more in front."""
    if _same(route, call, 0, 0):
        return Fit(_REST not in route and _REST not in call)
    if not prefixes:
        return None
    for extra in range(1, len(route)):
        if _is_telling(route[extra:]) and _same(route[extra:], call, 0, 0):
            return Fit(exact=False, extra=extra)
    for extra in range(1, min(3, len(call))):
        if _is_telling(call[extra:]) and route and _same(route, call[extra:], 0, 0):
            return Fit(exact=False, extra=-extra)
    return None


def _is_telling(segments: tuple[str, ...]) -> bool:
    return any(re.search(r"\w", segment) for segment in segments)


def _same(route: tuple[str, ...], call: tuple[str, ...], at: int, here: int) -> bool:
    if at == len(route) or here == len(call):
        return all(segment == _REST for segment in (*route[at:], *call[here:]))
    if route[at] == _REST:
        return any(_same(route, call, at + 1, after) for after in range(here, len(call) + 1))
    if call[here] == _REST:
        return any(_same(route, call, after, here + 1) for after in range(at, len(route) + 1))
    return _alike(route[at], call[here]) and _same(route, call, at + 1, here + 1)


def _alike(route: str, call: str) -> bool:
    if route == call or _ONE in {route, call}:
        return True
    if "*" in call and "*" in route:
        return True
    one, other = (route, call) if "*" in route else (call, route)
    return "*" in one and re.fullmatch(".*".join(re.escape(part) for part in one.split("*")), other) is not None
