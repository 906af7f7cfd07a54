"""Figures and plurals as words, the same in checks and renderers."""

from __future__ import annotations


def plural(count: int, one: str, many: str = "") -> str:
    """`3 files`, `1 file`; `many` for words that do not just take an s."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def decimal(value: float) -> str:
    """A figure with one decimal, cut and never rounded up, without a trailing `.0`."""
    tenths = int(value * 10 + 1e-9) if value >= 0 else -int(-value * 10 + 1e-9)
    whole, rest = divmod(abs(tenths), 10)
    sign = "-" if tenths < 0 else ""
    return f"{sign}{whole:,}" + (f".{rest}" if rest else "")


def percent(share: float) -> str:
    """A share as a percentage, cut and never rounded up, so that 100 % means all of it."""
    return f"{int(share * 100 + 1e-9)} %"


def listed(names: list[str], shown: int = 3) -> str:
    """`a, b, c and 4 more`."""
    head = ", ".join(names[:shown])
    more = len(names) - shown
    return f"{head} and {more:,} more" if more > 0 else head
