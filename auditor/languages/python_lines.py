"""Which lines of a Python file hold code, and how many between two lines; answers in constant time after one pass."""

from __future__ import annotations

from itertools import accumulate


class Lines:
    """Running totals of code lines and of lines inside multi-line literals.

    `strings` and `prose` are (first, last) rows, counted from 0, of multi-line literals and of docstrings; prose does not count as code.
    """

    __slots__ = ("_code", "_strings")

    def __init__(self, source: bytes, strings: list[tuple[int, int]], prose: list[tuple[int, int]]) -> None:
        rows = source.split(b"\n")
        code = bytearray(len(rows))
        inside = bytearray(len(rows))
        filled = bytearray(len(rows))
        for index, row in enumerate(rows):
            text = row.lstrip()
            if text and text != b"\\":
                filled[index] = 1
                code[index] = text[0] != 35  # "#"
        for first, last in strings:
            for index in range(first, min(last + 1, len(rows))):
                code[index] = inside[index] = filled[index]
        for first, last in prose:
            for index in range(first, min(last + 1, len(rows))):
                code[index] = inside[index] = 0
        self._code = [0, *accumulate(code)]
        self._strings = [0, *accumulate(inside)]

    @property
    def total(self) -> int:
        """Code lines of the file."""
        return self._code[-1]

    def code(self, line: int, end_line: int) -> int:
        """Code lines between two 1-based lines, both included."""
        return self._code[min(end_line, len(self._code) - 1)] - self._code[line - 1]

    def inside_strings(self, line: int, end_line: int) -> int:
        """Those of them inside multi-line literals."""
        return self._strings[min(end_line, len(self._strings) - 1)] - self._strings[line - 1]
