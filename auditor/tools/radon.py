"""The port to radon: McCabe complexity of Python functions from a syntax tree of our own, so that no `radon.cfg` is read and no file skipped in silence."""

from __future__ import annotations

import ast
import importlib.metadata
import sys
import warnings
from collections.abc import Iterable
from typing import Any


def version() -> str:
    """The installed version, "" when radon is not installed."""
    try:
        return importlib.metadata.version("radon")
    except importlib.metadata.PackageNotFoundError:
        return ""


def complexities(text: str) -> dict[tuple[int, str], int] | str:
    """Complexity by (line of `def`, name) of every function, method and closure in `text`, or the reason why there is none."""
    from radon.complexity import cc_visit_ast

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
        blocks = cc_visit_ast(tree)
        return {(block.lineno, block.name): int(block.complexity) for block in _flat(blocks)}
    except (SyntaxError, ValueError) as error:
        line = error.lineno if isinstance(error, SyntaxError) else 0
        return f"Python {sys.version_info.major}.{sys.version_info.minor} cannot parse it (line {line or 0})"
    except RecursionError:
        return "it is nested too deeply"
    except MemoryError:
        return "it needs too much memory"


def _flat(blocks: Iterable[Any]) -> Iterable[Any]:
    """Functions, methods and closures; classes only for what they hold."""
    for block in blocks:
        if hasattr(block, "methods"):
            yield from _flat(block.methods)
            yield from _flat(block.inner_classes)
        else:
            yield block
            yield from _flat(block.closures)
