"""Gives findings their excerpt, which never shows a secret: what looks like one is cut to its first characters."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping

from auditor.model.evidence import Secrets
from auditor.model.verdict import Finding, Outcome
from auditor.placeholders import looks_random

CONTEXT_LINES = 2
LONGEST_EXCERPT = 12
LINE_LIMIT = 200
_MASKED_LENGTH = 4_000
"""Masking looks at much more of a line than is shown, so that no value is cut to a piece that looks harmless."""
_KEY_LINES = 80
EXCERPTS_PER_ITEM = 25

_QUOTED = re.compile(r"""(["'`])((?:(?!\1)[^\\]|\\.)*)\1""")
_SHORTEST = 4
"""Characters from which a literal is cut; shorter ones are read too, or the end of one would be taken for the beginning of the next."""
_BESIDE_CREDENTIALS = frozenset({256, 258, 259, 321, 329, 760, 798})
"""CWE numbers of findings that stand where a key, a password or a salt is written, whatever item they belong to."""
_BARE_VALUE = re.compile(r"([:=]\s*)([^\s\"'`,;#{}()\[\]]{4,})")
_BARE_REST = re.compile(r"^([^\"'`:=\n]{1,200}[:=]\s*)([^\"'`\n]{4,})$")
_AFTER_WORD = re.compile(r"(\b(?:password|passwd|pwd|secret|token|login|bearer|basic|by)\s+)([^\s\"'`]{4,})", re.IGNORECASE)
_BETWEEN_TAGS = re.compile(r"(>)([^<>\n]{4,})(?=</)")
_TOKEN = re.compile(r"[A-Za-z0-9+/_=.-]{24,}")
_URL_PASSWORD = re.compile(r"(://[^\s:/@]{0,80}:)([^\s@/]{1,200})(@)")


def seal(outcome: Outcome, texts: Mapping[str, str], secrets: Secrets | None) -> Outcome:
    """The outcome with excerpts on its findings (the first `EXCERPTS_PER_ITEM` of them)."""
    hidden = {(secret.path, secret.line) for secret in secrets.found} if secrets else set()
    everywhere = outcome.category == "secrets"
    lines_of: dict[str, list[str]] = {}
    sealed = list(outcome.findings)
    for position, finding in enumerate(outcome.findings[:EXCERPTS_PER_ITEM]):
        lines = lines_of.setdefault(finding.path, texts.get(finding.path, "").split("\n"))
        strict = everywhere or finding.cwe in _BESIDE_CREDENTIALS
        start, excerpt = _excerpt(finding, lines, hidden, everywhere=strict)
        sealed[position] = dataclasses.replace(finding, excerpt=excerpt, excerpt_start=start)
    return dataclasses.replace(outcome, findings=tuple(sealed))


def safe_lines(path: str, first: int, last: int, texts: Mapping[str, str], secrets: Secrets | None) -> tuple[str, ...]:
    """Lines `first` to `last` of a file as they may be shown; none where the file is not there."""
    hidden = {(secret.path, secret.line) for secret in secrets.found} if secrets else set()
    lines = texts.get(path, "").split("\n")
    return tuple(
        _safe(lines, number, strict=(path, number) in hidden) for number in range(max(1, first), min(last, len(lines)) + 1) if path in texts
    )


def _safe(lines: list[str], number: int, *, strict: bool) -> str:
    """One line, credential-like values cut, no longer than is shown."""
    return mask(lines[number - 1][:_MASKED_LENGTH], strict=strict or _in_key_block(lines, number))[:LINE_LIMIT]


def _excerpt(finding: Finding, lines: list[str], hidden: set[tuple[str, int]], *, everywhere: bool) -> tuple[int, tuple[str, ...]]:
    if not 1 <= finding.line <= len(lines):
        return 0, ()
    start = max(1, finding.line - CONTEXT_LINES)
    end = min(len(lines), max(finding.end_line, finding.line) + CONTEXT_LINES, start + LONGEST_EXCERPT - 1)
    shown = [_safe(lines, number, strict=everywhere or (finding.path, number) in hidden) for number in range(start, end + 1)]
    return start, tuple(shown)


def _in_key_block(lines: list[str], number: int) -> bool:
    """Whether the line belongs to a private key in PEM armour, whose body carries the secret and no name."""
    for position in range(number - 1, max(-1, number - _KEY_LINES), -1):
        if "PRIVATE KEY" in lines[position][:_MASKED_LENGTH]:
            return "-----END" not in lines[position][:_MASKED_LENGTH] or position == number - 1
    return False


def mask(line: str, *, strict: bool) -> str:
    """The line with credential-like values cut to their first characters; `strict` cuts every literal value."""
    line = _URL_PASSWORD.sub(lambda match: f"{match[1]}…{match[3]}", line)
    if strict:
        line = _QUOTED.sub(lambda match: f"{match[1]}{_cut(match[2])}{match[1]}" if len(match[2]) >= _SHORTEST else match[0], line)
        for pattern in (_BARE_REST, _AFTER_WORD, _BETWEEN_TAGS, _BARE_VALUE):
            line = pattern.sub(lambda match: match[0] if "…" in match[2] else match[1] + _cut(match[2]), line)
        return _TOKEN.sub(lambda match: _cut(match[0]), line)
    return _TOKEN.sub(lambda match: _cut(match[0]) if _looks_secret(match[0]) else match[0], line)


def _cut(value: str) -> str:
    return f"{value[:4] if len(value) >= 16 else value[:1]}… ({len(value)} characters)"


def _looks_secret(token: str) -> bool:
    if len(token) >= 40 and looks_random(token.strip("=")):
        return True
    digits = sum(character.isdigit() for character in token)
    return digits >= 3 and any(c.isalpha() for c in token) and not re.search(r"[a-z]{5,}[._/-][a-z]{4,}", token)
