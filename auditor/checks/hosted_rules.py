"""Rules of hosted document stores (Firestore, its file storage, the Realtime Database): which documents they open, and to whom."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.model.evidence import Access
from auditor.model.verdict import Place

_RULES_FILE = re.compile(r"(?:^|/)(?:firestore|storage|[\w.-]+)\.rules$")
_DATABASE_FILE = re.compile(r"(?:^|/)(?:database|firebase)[\w.-]*rules[\w.-]*\.json$")
_COMMENT = re.compile(r"(?<!:)//[^\n]*|/\*(?:[^*]|\*(?!/))*+\*/")
_TOKEN = re.compile(
    r"match\s+(?P<match>(?:/(?:\{[^{}]{0,80}\}|\$\([^()]{0,80}\)|[^\s{}/]{1,80})){1,20})\s*\{"
    r"|allow\s+(?P<operations>[\w,\s]{1,80}?)\s*(?::\s*if\s+(?P<condition>[^;]{1,2000}))?;"
    r"|(?P<open>\{)|(?P<close>\})"
)
_FUNCTION = re.compile(r"function\s+(\w{1,60})\s*\([^)]{0,200}\)\s*\{([^{}]{0,1500}?)return\s+([^;{}]{1,1500});?\s*\}")
_LOGIN = re.compile(
    r"(?:request\.)?auth(?:\.uid)?\s*!==?\s*null|null\s*!==?\s*(?:request\.)?auth(?:\.uid)?|request\.auth\.token\.email_verified(?:\s*==\s*true)?"
)
_ALWAYS = re.compile(
    r"true|request\.time\s*<=?\s*timestamp\.\w+\([^)]*\)|now\s*<=?\s*\d+|1\s*==\s*1|true\s*==\s*true|request\.auth\s*==\s*request\.auth"
)
_CALLER = re.compile(r"\b(?:request\.)?auth\b|\b(?:get|exists)(?:After)?\(|root\.child\(")
_RANK = {access: number for number, access in enumerate(Access)}
_OPERATIONS = {"read": frozenset({"get", "list"}), "write": frozenset({"create", "update", "delete"})}
_DEPTH = 12
_MOST_RULES = 500


@dataclass(frozen=True, slots=True)
class Grant:
    """One rule: `match` is the path it opens, `collection` the last fixed part of it ("" for everything), `operations` in single words, `files`: of a file storage."""

    match: str
    collection: str
    operations: frozenset[str]
    access: Access
    condition: str
    place: Place
    files: bool = False


def hosted_grants(texts: dict[str, str]) -> tuple[Grant, ...]:
    """Every rule of every rules file, in path and line order."""
    found: list[Grant] = []
    for path in sorted(texts):
        if _RULES_FILE.search(path) and "service " in texts[path][:2_000]:
            found += _service_rules(path, texts[path][:400_000])
        elif _DATABASE_FILE.search(path):
            found += _database_rules(path, texts[path][:400_000])
    return tuple(found[: _MOST_RULES * 4])


def _service_rules(path: str, raw: str) -> Iterator[Grant]:
    text = _COMMENT.sub(lambda found: "\n" * found[0].count("\n"), raw)
    functions = {found[1]: found[3] for found in _FUNCTION.finditer(text)}
    around: list[str] = []
    for number, token in enumerate(_TOKEN.finditer(text)):
        if number > _MOST_RULES * 10:
            return
        if token["match"] is not None:
            around.append(token["match"])
        elif token["open"] is not None:
            around.append("")
        elif token["close"] is not None:
            around = around[:-1]
        else:
            line = text.count("\n", 0, token.start()) + 1
            condition = " ".join((token["condition"] or "true").split())
            match = re.sub(r"^/(?:databases/\{\w+\}/documents|b/\{\w+\}/o)", "", "".join(around))
            yield Grant(
                match,
                _collection(match),
                _single(token["operations"]),
                _access(_expanded(condition, functions), _DEPTH),
                condition,
                Place(path, line, line),
                "firebase.storage" in text,
            )


def _database_rules(path: str, raw: str) -> Iterator[Grant]:
    text = _COMMENT.sub(lambda found: "\n" * found[0].count("\n"), raw)
    try:
        rules = json.loads(text)
    except ValueError:
        return
    lines = [text.count("\n", 0, found.start()) + 1 for found in re.finditer(r'"\.(?:read|write)"\s*:', text)]
    entries = list(_entries(rules.get("rules") if isinstance(rules, dict) else None, "", _DEPTH))
    for (match, operation, value), line in zip(entries, lines, strict=False):
        condition = " ".join(str(value).split()) if isinstance(value, str) else str(value).lower()
        yield Grant(match, _collection(match), _OPERATIONS[operation], _access(condition, _DEPTH), condition, Place(path, line, line))


def _entries(node: object, match: str, depth: int) -> Iterator[tuple[str, str, object]]:
    """(path, operation, condition) in the order they are written."""
    if not isinstance(node, dict) or not depth:
        return
    for key, value in node.items():
        if key in {".read", ".write"}:
            yield match, key[1:], value
        elif not key.startswith("."):
            yield from _entries(value, f"{match}/{key}", depth - 1)


def _collection(match: str) -> str:
    fixed = [part for part in match.split("/") if part and not part.startswith(("{", "$"))]
    return fixed[-1] if fixed else ""


def _single(operations: str) -> frozenset[str]:
    words = [word.strip() for word in operations.split(",")]
    return frozenset(single for word in words for single in _OPERATIONS.get(word, {word}))


# -- conditions --------------------------------------------------------------------------------------------------------------------


def _expanded(condition: str, functions: dict[str, str]) -> str:
    """A condition with the bodies of the file's own functions in place of their calls."""
    for _ in range(3):
        changed = re.sub(
            r"(?<![\w.])(\w{1,60})\((?:[^()]|\([^()]*\))*\)",
            lambda found: f"({functions[found[1]]})" if found[1] in functions else found[0],
            condition,
        )
        if changed == condition or len(changed) > 8_000:
            break
        condition = " ".join(changed.split())
    return condition


def _access(condition: str, depth: int) -> Access:
    condition = _bare(condition)
    if not depth:
        return Access.CALLER
    for sign, choose in (("||", min), ("&&", max)):
        parts = _split(condition, sign)
        if len(parts) > 1:
            return choose((_access(part, depth - 1) for part in parts), key=_RANK.__getitem__)
    if condition == "false":
        return Access.NOBODY
    if _ALWAYS.fullmatch(condition):
        return Access.ANYBODY
    if _LOGIN.fullmatch(condition):
        return Access.LOGGED_IN
    return Access.CALLER if _CALLER.search(condition) else Access.CONDITION


def _bare(condition: str) -> str:
    """A condition without the brackets around all of it."""
    condition = condition.strip()
    while condition.startswith("(") and condition.endswith(")") and _closes_at(condition) == len(condition) - 1:
        condition = condition[1:-1].strip()
    return condition


def _closes_at(text: str) -> int:
    level = 0
    for position, character in enumerate(text):
        level += {"(": 1, ")": -1}.get(character, 0)
        if not level:
            return position
    return -1


def _split(condition: str, sign: str) -> list[str]:
    """The parts between an operator outside of brackets."""
    parts, level, start = [], 0, 0
    for position, character in enumerate(condition):
        level += {"(": 1, "[": 1, ")": -1, "]": -1}.get(character, 0)
        if not level and condition.startswith(sign, position):
            parts.append(condition[start:position])
            start = position + len(sign)
    return [*parts, condition[start:]]
