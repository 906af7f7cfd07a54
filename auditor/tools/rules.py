"""Builds the one JSON bundle of all semgrep rules from `rules/<category>/<item>.yaml`.

Loading rules dominates a semgrep run, and one JSON file loads about ten times faster than the same rules as YAML files. The folder and
file name say which checklist item a rule belongs to; its metadata says how much a match proves.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from auditor.cache import Cache, cache_key
from auditor.model.verdict import Confidence

GRADES = ("fail", "partial", "note")
_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_FORMAT = "rules-1"


class RuleError(Exception):
    """A shipped rule file is wrong; the message names it."""


@dataclass(frozen=True, slots=True)
class RuleFacts:
    """What a match of a rule means: item, CWE number (0 for none), grade and confidence; and where it can match at all.

    `needs` are expressions that all occur in any text the rule matches: most texts need not be scanned for most rules. They save four
    fifths of the time, since semgrep's own filter looks for mere substrings ("or" is in every "for").
    """

    item: str
    cwe: int
    grade: str
    confidence: Confidence
    languages: frozenset[str]
    needs: tuple[re.Pattern[str], ...]


@dataclass(frozen=True, slots=True)
class Bundle:
    """All rules as JSON texts by id, the digest of their source files, and the meaning of each rule."""

    rules: dict[str, str]
    digest: str
    facts: dict[str, RuleFacts]

    def applicable(self, language: str, text: str) -> frozenset[str]:
        """Ids of the rules that can match in `text`."""
        language = "typescript" if language == "tsx" else language
        held: dict[re.Pattern[str], bool] = {}

        def holds(need: re.Pattern[str]) -> bool:
            if need not in held:
                held[need] = need.search(text) is not None
            return held[need]

        return frozenset(name for name, facts in self.facts.items() if language in facts.languages and all(map(holds, facts.needs)))


def load_bundle(directory: Path, cache: Cache) -> Bundle:
    """The bundle of all rule files below `directory`, remembered by content.

    Raises:
        RuleError: a file is no valid rule file, or an id occurs twice (semgrep would drop one silently).
    """
    sources = [(path.relative_to(directory).as_posix(), path.read_text(encoding="utf-8")) for path in sorted(directory.rglob("*.yaml"))]
    digest = hashlib.sha256("\x00".join(part for source in sources for part in source).encode()).hexdigest()
    key = cache_key(_FORMAT, digest)
    stored = cache.get_many([key]).get(key)
    rules = json.loads(stored) if stored is not None else [rule for name, text in sources for rule in _read(name, text)]
    if stored is None:
        cache.put_many({key: json.dumps(rules).encode()})
    facts = _facts(rules)
    return Bundle({entry["rule"]["id"]: json.dumps(entry["rule"]) for entry in rules}, digest, facts)


def _read(name: str, text: str) -> list[dict[str, Any]]:
    category, _, item = name.removesuffix(".yaml").partition("/")
    if not item or "/" in item:
        raise RuleError(f"rules/{name}: a rule file stands at rules/<category>/<item>.yaml")
    try:
        data = YAML(typ="safe", pure=True).load(text)
        return [{"item": f"{category}.{item}", "rule": _checked(name, rule)} for rule in data["rules"]]
    except (YAMLError, KeyError, TypeError, re.error) as error:
        raise RuleError(f"rules/{name}: not a rule file ({type(error).__name__}: {error})") from error


def _checked(name: str, rule: dict[str, Any]) -> dict[str, Any]:
    metadata = rule["metadata"]
    if not _ID.fullmatch(str(rule["id"])):
        raise RuleError(f"rules/{name}: rule id {rule['id']!r} must be lower-case words joined by hyphens")
    if metadata["grade"] not in GRADES or metadata["confidence"] not in set(Confidence) or not isinstance(metadata["cwe"], int):
        raise RuleError(f"rules/{name}: {rule['id']} needs metadata cwe (number), grade ({', '.join(GRADES)}) and confidence")
    for expression in metadata["needs"]:
        re.compile(expression)
    return rule


def _facts(rules: list[dict[str, Any]]) -> dict[str, RuleFacts]:
    facts: dict[str, RuleFacts] = {}
    for entry in rules:
        rule, metadata = entry["rule"], entry["rule"]["metadata"]
        if rule["id"] in facts:
            raise RuleError(f"two semgrep rules are called {rule['id']!r}")
        needs = tuple(re.compile(expression) for expression in metadata["needs"])
        confidence = Confidence(metadata["confidence"])
        facts[rule["id"]] = RuleFacts(entry["item"], metadata["cwe"], metadata["grade"], confidence, frozenset(rule["languages"]), needs)
    return facts
