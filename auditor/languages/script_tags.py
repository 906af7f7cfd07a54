"""Type arguments of tagged templates (``sql<boolean>`…```, ``styled(Box)<{ wide: boolean }>`…```), which the TypeScript grammar does not read."""

from __future__ import annotations

import re

_LONGEST = 3_000
_END = re.compile(rb">(?=`)")
_TAG = re.compile(rb"[\w$)\]]")


def without_tag_types(source: bytes) -> bytes:
    """The source with such type arguments left out; every line keeps its number."""
    parts: list[bytes] = []
    done = 0
    for match in _END.finditer(source):
        start = _start(source, match.start(), done)
        if start >= 0:
            parts += [source[done:start], b"\n" * source.count(b"\n", start, match.end())]
            done = match.end()
    return b"".join([*parts, source[done:]])


def _start(source: bytes, end: int, floor: int) -> int:
    """Where the bracket that closes at `end` was opened behind a tag, -1 when it is none."""
    depth = 0
    for position in range(end, max(floor, end - _LONGEST), -1):
        byte = source[position : position + 1]
        if byte == b">" and source[position - 1 : position] != b"=":
            depth += 1
        elif byte == b"<":
            depth -= 1
            if not depth:
                return position if _TAG.match(source[position - 1 : position]) else -1
        elif byte == b"`":
            return -1
    return -1
