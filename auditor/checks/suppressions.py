"""Remarks and types that tell a linter or type checker to look away, weighed: with a rule or a reason they weigh little, for a whole file they weigh as much as the file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.model.syntax import FileFacts

_PYTHON = re.compile(
    r"^\s*(?P<tool>noqa|type:\s*ignore|pyright:\s*ignore|pylint:\s*disable|mypy:\s*ignore-errors|ruff:\s*noqa|flake8:\s*noqa)(?P<rest>.{0,80})",
    re.IGNORECASE,
)
_SCRIPT = re.compile(
    r"^\W{0,6}(?P<tool>@ts-(?:ignore|expect-error|nocheck)|eslint-disable(?:-next-line|-line)?|oxlint-disable(?:-next-line|-line)?|biome-ignore(?:-all)?|tslint:disable)(?P<rest>.{0,120})"
)
_WHOLE_FILE = re.compile(
    r"^(?:@ts-nocheck|(?:eslint|oxlint)-disable|tslint:disable|biome-ignore-all|(?:ruff|flake8):\s*noqa|mypy:\s*ignore-errors)$",
    re.IGNORECASE,
)
_NAMES_RULE = re.compile(r"^\s*[\[(:=]?\s*[\w@/-]{2,}")
_REASON = re.compile(r"--\s*\w|[:\s]\s*\w+ \w+ \w+")
_ANY = re.compile(r"(?::\s*|\bas\s+|<|\|\s*)any\b(?:\[\])*(?=\s*[;,)=>{}\]|&\n]|$)|\bany\[\]")
_TYPESCRIPT = (".ts", ".tsx", ".mts", ".cts", ".vue")
_ONE, _NAMED, _ANY_WEIGHT = 1.0, 0.3, 0.5


@dataclass(frozen=True, slots=True)
class Silence:
    """A place that silences a checker: `weight` in single silenced findings, `whole`: it holds for the whole file."""

    path: str
    line: int
    what: str
    weight: float
    whole: bool


def silences(facts: FileFacts) -> Iterator[Silence]:
    """The silencing comments of one file, in order."""
    python = facts.path.endswith((".py", ".pyi"))
    for comment in facts.comments:
        found = (_PYTHON if python else _SCRIPT).match(comment.text)
        if found is None:
            continue
        tool, rest = re.sub(r"\s+", " ", found["tool"]), found["rest"].strip(" */")
        whole = bool(_WHOLE_FILE.match(found["tool"])) and (tool == "@ts-nocheck" or not _NAMES_RULE.match(rest))
        light = tool == "@ts-expect-error" or bool(_NAMES_RULE.match(rest)) or bool(_REASON.search(rest))
        yield Silence(facts.path, comment.line, tool, _NAMED if light else _ONE, whole)


def loose_types(path: str, text: str) -> int:
    """How often a TypeScript text says `any`, by which the compiler is told to check nothing."""
    return len(_ANY.findall(text)) if path.endswith(_TYPESCRIPT) else 0


def weight_of_any(count: int) -> float:
    """The weight of so many `any` in single silenced findings."""
    return _ANY_WEIGHT * count
