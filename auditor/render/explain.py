"""The checklist in words: one item explained, all items listed, the answers of an interview."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from auditor.model.interview import Answer, Statement
from auditor.model.report import Category, Item, Rule
from auditor.render.text import cut, pad, visible, wrap

_COLUMNS = 80
_EFFORT = {"S": "small, under half a day", "M": "medium, up to three days", "L": "large, more than three days"}


def to_text(item: Item) -> str:
    """Everything there is to say about one item."""
    judged = "judged by this version" if item.judged else "not yet judged by this version"
    head = [item.id, "=" * len(item.id), *wrap(item.claim + ".", _COLUMNS, 10), ""]
    facts = [f"Severity: {item.severity.value}    Effort: {_EFFORT.get(item.effort, item.effort)}    ({judged})"]
    sections = (
        ("When it holds", item.passing_title),
        ("When it does not", item.failing_title),
        ("Why it matters", item.why),
        ("How to fix it", item.fix),
        ("Done when", item.done_when),
        ("Does not apply when", item.not_applicable_when),
        ("What it cannot see", item.cannot_see),
        ("References", item.references),
    )
    body = [line for title, text in sections if text for line in ("", title, *(f"  {part}" for part in wrap(text, _COLUMNS - 2, 100)))]
    rules = [line for rule in item.rules for line in _rule(rule)]
    return "".join(f"{line}\n" for line in [*head, *facts, *body, *(["", "What a finding can say"] if rules else []), *rules])


def _rule(rule: Rule) -> list[str]:
    """One rule: its name, the weaknesses it stands for, and what it reports."""
    weaknesses = f" ({', '.join(f'CWE-{cwe}' for cwe in rule.cwes)})" if rule.cwes else ""
    name = "others" if rule.id == "*" else rule.id
    first, *rest = wrap(f"{name}{weaknesses}: {rule.says}", _COLUMNS - 4, 10)
    return [f"  {first}", *(f"    {line}" for line in rest)]


def list_text(items: Iterable[Item], categories: Iterable[Category]) -> str:
    """All items by category, one line each; the ones this version does not judge yet are marked."""
    lines = []
    everything = list(items)
    for category in categories:
        lines += ["", f"{category.title}: {category.question}"]
        lines += [
            f"  {pad(item.id, 40)} {pad(item.severity.value, 8)} {'' if item.judged else 'not yet judged'}".rstrip()
            for item in everything
            if item.category == category.id
        ]
    judged = sum(item.judged for item in everything)
    lines += ["", f"{judged} of {len(everything)} items are judged by this version. `auditor explain ID` says more."]
    return "".join(f"{line}\n" for line in lines[1:])


def list_json(items: Iterable[Item]) -> bytes:
    """All items as JSON."""
    return msgspec.json.format(msgspec.json.encode(list(items)), indent=1) + b"\n"


def answers_text(statements: Iterable[Statement]) -> str:
    """What a filled form of the interview says, one line each, and what is still open."""
    said = list(statements)
    lines = [
        cut(f"{pad(one.question or one.items[0], 5)} {pad(one.answer.value, 15)} {visible(one.evidence)}", _COLUMNS).rstrip()
        for one in said
    ]
    still = sum(one.answer is Answer.OPEN for one in said)
    lines += ["", f"{len(said) - still} answered, {still} open; what is open counts as unknown in the production grade."]
    return "".join(f"{line}\n" for line in lines)
