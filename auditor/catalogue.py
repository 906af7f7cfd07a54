"""The checklist as data: 105 items in thirteen categories, completed with the words of the checks that judge them and the rules their findings carry."""

from __future__ import annotations

import dataclasses
import difflib
import json
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from auditor.checks.registry import Check, all_checks
from auditor.errors import UsageError
from auditor.model.report import Category, Item, Rule, Trigger
from auditor.model.verdict import Severity

_CHECKLIST = Path(__file__).with_name("checklist.json")
_RULES = Path(__file__).with_name("rules.toml")
_CONSEQUENCES = Path(__file__).with_name("consequences.toml")


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All items in checklist order and the categories in report order."""

    items: tuple[Item, ...]
    categories: tuple[Category, ...]

    def item(self, item_id: str) -> Item:
        """The item of that id.

        Raises:
            UsageError: there is none; the message names the nearest ids.
        """
        for item in self.items:
            if item.id == item_id:
                return item
        ids = [item.id for item in self.items]
        tails = {name.split(".")[1]: name for name in ids}
        near = [
            *difflib.get_close_matches(item_id, ids, n=2),
            *(tails[tail] for tail in difflib.get_close_matches(item_id.rsplit(".", maxsplit=1)[-1], list(tails), n=2)),
        ]
        hint = f"; did you mean {' or '.join(dict.fromkeys(near))}?" if near else "; `auditor checks` lists them"
        raise UsageError(f"there is no item {item_id!r}{hint}")


@cache
def catalogue() -> Catalogue:
    """Load the checklist and the documentation of every check."""
    data = json.loads(_CHECKLIST.read_text(encoding="utf-8"))
    checks = all_checks()
    known = {entry["id"] for entry in data["items"]}
    rules = tomllib.loads(_RULES.read_text(encoding="utf-8"))
    triggers, after = _consequences()
    strangers = sorted({*checks, *rules, *triggers, *after, *(name for names in after.values() for name in names)} - known)
    if strangers:
        raise ValueError(f"checks, rules or consequences without a checklist item: {', '.join(strangers)}")
    categories = tuple(Category(entry["id"], entry["title"], entry["question"]) for entry in data["categories"])
    order = [category.id for category in categories]
    items = sorted(
        (
            dataclasses.replace(
                _item(entry, checks.get(entry["id"]), rules.get(entry["id"], {})),
                trigger=triggers.get(entry["id"]),
                after=after.get(entry["id"], ()),
            )
            for entry in data["items"]
        ),
        key=lambda item: order.index(item.category),
    )
    return Catalogue(tuple(items), categories)


def select(ids: Iterable[str]) -> frozenset[str]:
    """The given ids, each checked to exist; an empty selection means all."""
    return frozenset(catalogue().item(item_id).id for item_id in ids)


def _consequences() -> tuple[dict[str, Trigger], dict[str, tuple[str, ...]]]:
    """What sets each item's harm off, and which items are better put right before it."""
    stated = tomllib.loads(_CONSEQUENCES.read_text(encoding="utf-8"))
    triggers = {name: Trigger(trigger) for trigger, names in stated["trigger"].items() for name in names}
    return triggers, {name: tuple(first) for name, first in stated["after"].items()}


def _item(entry: dict[str, str], check: Check | None, rules: dict[str, Any]) -> Item:
    sections = check.sections if check else {}
    return Item(
        id=entry["id"],
        category=entry["id"].split(".", maxsplit=1)[0],
        claim=entry["claim"],
        severity=Severity(entry["severity"]),
        effort=entry["effort"],
        how=entry["how"],
        not_applicable_when=entry["not_applicable_when"],
        why=entry["why"],
        fix=entry["fix"],
        references=entry["references"],
        judged=check is not None,
        passing_title=sections.get("Passing title", ""),
        failing_title=sections.get("Failing title", ""),
        done_when=_capitalised(sections.get("Done when", "")),
        cannot_see=_capitalised(sections.get("What it cannot see", "")),
        rules=tuple(Rule(name, tuple(rule["cwe"]), rule["says"], rule.get("per", "place")) for name, rule in sorted(rules.items())),
    )


def _capitalised(text: str) -> str:
    """The text as a sentence: check authors write these sections as sentences or as clauses."""
    return text[:1].upper() + text[1:]
