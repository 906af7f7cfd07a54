"""The `check` decorator and the documentation every check carries. Discovery is by folder: no list to edit."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from auditor.model.need import Need
from auditor.model.snapshot import Role
from auditor.model.verdict import Judgement

SECTIONS = ("Passing title", "Failing title", "Grading", "Done when", "What it cannot see")
"""Sections every check module's docstring must have; why it matters and how to fix it stand in the checklist."""

PRODUCTION = (Role.FIRST_PARTY,)


@dataclass(frozen=True, slots=True)
class Check:
    """One registered check. `roles`: unexamined files of other roles do not matter to it. `tolerance`: badness up to which the item passes."""

    id: str
    needs: tuple[Need[Any], ...]
    corroborating: tuple[Need[Any], ...]
    optional: tuple[Need[Any], ...]
    roles: tuple[Role, ...]
    tolerance: float
    function: Callable[..., Judgement]
    sections: dict[str, str]


_checks: dict[str, Check] = {}


def check(
    item: str,
    *,
    needs: tuple[Need[Any], ...],
    corroborating: tuple[Need[Any], ...] = (),
    optional: tuple[Need[Any], ...] = (),
    roles: tuple[Role, ...] = PRODUCTION,
    tolerance: float = 0.0,
) -> Callable[[Callable[..., Judgement]], Callable[..., Judgement]]:
    """Register the decorated function as the judge of a checklist item.

    It gets the values of `needs`, `corroborating` and `optional` (None where an optional one is unavailable), in that order. It must
    not read files or run anything. A missing need or corroborating need makes the item unknown. Files that `needs` left unexamined stand against a
    pass by themselves; of `corroborating` evidence (tools that grade what the syntax facts already found) the check weighs
    them itself, through `ToolHits.unexamined` and `Assessed.unexamined`.
    `tolerance` is the badness up to which the item still passes (0 for blockers, usually 0.05 for shares).
    """

    def register(function: Callable[..., Judgement]) -> Callable[..., Judgement]:
        module = inspect.getmodule(function)
        text = inspect.getdoc(module) if module else ""
        _checks[item] = Check(item, needs, corroborating, optional, roles, tolerance, function, read_sections(text or ""))
        return function

    return register


def read_sections(text: str) -> dict[str, str]:
    """The `Title: text` sections of a check's module docstring, white space folded."""
    pattern = re.compile(rf"^({'|'.join(SECTIONS)}):", re.MULTILINE)
    parts = pattern.split(text)
    return {title: " ".join(body.split()) for title, body in zip(parts[1::2], parts[2::2], strict=True)}


def all_checks() -> dict[str, Check]:
    """Every check by item id, in id order; imports each module of this package once."""
    package = importlib.import_module("auditor.checks")
    for module in pkgutil.walk_packages(package.__path__, prefix="auditor.checks."):
        importlib.import_module(module.name)
    return dict(sorted(_checks.items()))
