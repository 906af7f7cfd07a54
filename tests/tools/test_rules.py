"""Every semgrep rule is run over its fixture: `ruleid:` lines must match on the next line, `ok:` lines must not."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from auditor.cache import Cache
from auditor.resources import data_dir
from auditor.tools import semgrep
from auditor.tools.rules import RuleError, load_bundle
from tests.support.repositories import FIXTURES

LANGUAGES = {".py": "python", ".js": "javascript", ".ts": "typescript", ".tsx": "tsx"}
MARK = re.compile(r"(?:#|//|/\*)\s*(ruleid|ok):\s*([a-z0-9, -]+)")


def fixtures() -> list[Path]:
    return sorted(path for path in (FIXTURES / "rules").glob("*/*") if path.suffix in LANGUAGES)


def marks(path: Path) -> Iterator[tuple[str, str, int]]:
    """(ruleid or ok, rule, line it speaks of)."""
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        found = MARK.search(line)
        if found:
            for rule in found[2].strip().rstrip("*").split(","):
                yield found[1], rule.strip(), number + 1


def target(path: Path) -> semgrep.Target:
    bundle = load_bundle(data_dir("rules"), Cache(None))
    language, text = LANGUAGES[path.suffix], path.read_text()
    return semgrep.Target(str(path), language, text, bundle.applicable(language, text))


@cache
def scanned() -> semgrep.Scan:
    bundle = load_bundle(data_dir("rules"), Cache(None))
    targets = [target(path) for path in fixtures()]
    return semgrep.scan(
        bundle.rules, targets, root=FIXTURES, workers=2, timeout=120, cancelled=threading.Event(), core=semgrep.core_binary(), cli=None
    )


@pytest.mark.tools
def test_no_rule_is_rejected_and_every_fixture_is_read() -> None:
    assert scanned().broken_rules == {}
    assert scanned().unread == {}


@pytest.mark.tools
@pytest.mark.parametrize("path", fixtures(), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_rules_match_their_fixture_line_by_line(path: Path) -> None:
    matched = {(match.rule, line) for match in scanned().matches[str(path)] for line in range(match.line, match.end_line + 1)}
    missed = [(rule, line) for kind, rule, line in marks(path) if kind == "ruleid" and (rule, line) not in matched]
    wrong = [(rule, line) for kind, rule, line in marks(path) if kind == "ok" and (rule, line) in matched]
    assert (missed, wrong) == ([], [])


@pytest.mark.tools
@pytest.mark.parametrize("path", fixtures(), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_failing_rules_match_only_where_the_fixture_says_so(path: Path) -> None:
    facts = load_bundle(data_dir("rules"), Cache(None)).facts
    expected = {(rule, line) for kind, rule, line in marks(path) if kind == "ruleid"}
    surprising = [
        match for match in scanned().matches[str(path)] if facts[match.rule].grade == "fail" and (match.rule, match.line) not in expected
    ]
    assert surprising == []


def test_every_rule_has_a_matching_and_a_clean_example() -> None:
    bundle = load_bundle(data_dir("rules"), Cache(None))
    seen = {(kind, rule) for path in fixtures() for kind, rule, _ in marks(path)}
    lacking = [(kind, rule) for rule in bundle.facts for kind in ("ruleid", "ok") if (kind, rule) not in seen]
    strangers = {rule for _, rule in seen} - set(bundle.facts)
    assert (lacking, strangers) == ([], set())


def test_every_rule_belongs_to_a_checklist_item() -> None:
    from auditor.catalogue import catalogue

    items = {item.id for item in catalogue().items}
    bundle = load_bundle(data_dir("rules"), Cache(None))
    assert {facts.item for facts in bundle.facts.values()} <= items


GOOD = "rules:\n- {id: a-rule, languages: [python], severity: ERROR, message: m, pattern: f(), metadata: {cwe: 1, grade: fail, confidence: high, needs: [f]}}\n"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (GOOD.replace("[f]", "['(']"), "not a rule file"),
        (GOOD.replace("a-rule", "a.rule"), "lower-case words"),
        (GOOD.replace("fail", "awful"), "needs metadata"),
        (GOOD + GOOD.removeprefix("rules:\n"), "two semgrep rules"),
        ("rules: 3", "not a rule file"),
        ("a: [", "not a rule file"),
    ],
)
def test_a_wrong_rule_file_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "security").mkdir()
    (tmp_path / "security" / "x.yaml").write_text(text)
    with pytest.raises(RuleError, match=reason):
        load_bundle(tmp_path, Cache(None))


def test_the_bundle_is_the_same_from_the_cache(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    assert load_bundle(data_dir("rules"), cache) == load_bundle(data_dir("rules"), cache)
