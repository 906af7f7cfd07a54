"""Passwords that are kept as they were typed, or in a form everybody can turn back: seen where a typed one is compared with what is stored."""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.checks.secret_purposes import is_password_name
from auditor.model.syntax import Call, FileFacts, Value, ValueKind
from auditor.model.verdict import Confidence, Finding

_DECODES = re.compile(r"(?:^|\.)(?:b(?:16|32|64|85)decode|urlsafe_b64decode|unhexlify|atob|fromhex)$")
_EQUAL = frozenset({"==", "===", "!=", "!=="})
_COMPARES = re.compile(
    r"(?:compare|check|verify|validate|match(?:es)?|is_?valid)_?passwords?$|^passwords?_?(?:matches|match|is_?valid)$", re.IGNORECASE
)
_STORED = re.compile(
    r"^(?:self|this)\.(?:password|passwd|pwd)$|^(?:\w*from_?db|db_?\w+|stored\w*|saved\w*|actual\w*|existing\w*)$", re.IGNORECASE
)
_HASHED = re.compile(r"hash|crypt|digest|md5|sha\d|argon|scrypt|encod|encrypt|derive", re.IGNORECASE)
_ASKS = re.compile(r"(?:^|\.)(?:execute|executemany|query|raw|fetch\w*|get|all|run|first|one|\$queryRaw\w*|exec)$")
_WHERE = re.compile(
    r"\bwhere\b.{0,300}\b(?:password|passwd|pwd)\b[`\"\]]?\s*(?:=|LIKE)\s*['\"]?(?:\?|%s|:\w+|\$\d|@\w+|\{|%\(\w+\)s)",
    re.IGNORECASE | re.DOTALL,
)
_FINDS = re.compile(
    r"(?:^|\.)(?:filter_by|filter|find_?one|find|findFirst|findUnique|findOneBy|findAll|where|count_documents)$|\.objects\.(?:get|filter|exclude)$|(?:^|\.)query\(?\)?\.get$"
)


def plain_passwords(facts: FileFacts) -> Iterator[Finding]:
    """Each place of one server file, beside comparisons in a line of their own."""
    for line, end_line, encoded in (
        *_compared(facts),
        *((call.line, call.end_line, False) for call in facts.calls if _looked_up(call, facts)),
    ):
        if encoded:
            message = "The stored password is only encoded, and anybody can turn that back: a copy of the table opens every account."
            yield Finding("encoded-password", facts.path, message, line, end_line, Confidence.HIGH, "syntax", 261)
        else:
            message = "A typed password is looked for among the stored ones: they are kept as plain text, and a copy of the table opens every account."
            yield Finding("plain-password", facts.path, message, line, end_line, Confidence.HIGH, "syntax", 256)


def _compared(facts: FileFacts) -> Iterator[tuple[int, int, bool]]:
    for bound in (*facts.returns, *facts.assignments):
        value = bound.value
        if value is None or value.kind is not ValueKind.OPERATION or not value.items or value.items[0][0] not in _EQUAL:
            continue
        sides = [item for _, item in value.items]
        decoded = any(side.kind is ValueKind.CALL and _DECODES.search(side.literal) for side in sides)
        if decoded and any(_is_typed(side) for side in sides):
            yield bound.line, bound.line, True
        name = facts.definitions[bound.scope].name if bound.scope >= 0 else ""
        plain = all(side.kind is ValueKind.NAME and not _HASHED.search(side.literal) for side in sides)
        if plain and _COMPARES.search(name) and any(_STORED.match(side.literal) for side in sides):
            yield bound.line, bound.line, False


def _is_typed(value: Value) -> bool:
    return value.kind is ValueKind.NAME and is_password_name(value.literal.removesuffix("[]").rsplit(".", 1)[-1])


def _looked_up(call: Call, facts: FileFacts) -> bool:
    """Whether a query finds an account by its password as it was typed; a digest would have been computed before."""
    if _ASKS.search(call.callee) and call.arguments:
        first = call.arguments[0].value
        text = _bound(first.literal, facts, call.scope) if first.kind is ValueKind.NAME else first
        if text is None or not _WHERE.search(text.literal):
            return False
        names = [*text.names, *(name for argument in call.arguments for name in argument.value.names)]
    elif _FINDS.search(call.callee):
        given = [(argument.name, argument.value) for argument in call.arguments if argument.name]
        given += [entry for argument in call.arguments for entry in _conditions(argument.value)]
        names = [value.literal for key, value in given if is_password_name(key.strip("'\"")) and value.kind is ValueKind.NAME]
    else:
        return False
    typed = [name for name in names if is_password_name(name.removesuffix("[]").rsplit(".", 1)[-1])]
    return (
        bool(typed) and not any(_HASHED.search(name) for name in names) and not any(_was_hashed(name, facts, call.scope) for name in typed)
    )


def _conditions(value: Value) -> list[tuple[str, Value]]:
    """The entries of a condition, those under `where` too."""
    if value.kind is not ValueKind.COLLECTION:
        return []
    inner = value.item("where")
    return [*value.items, *(inner.items if inner is not None else ())]


def _bound(name: str, facts: FileFacts, scope: int) -> Value | None:
    return next((a.value for a in reversed(facts.assignments) if a.target == name and a.scope == scope), None)


def _was_hashed(name: str, facts: FileFacts, scope: int) -> bool:
    return any(
        a.target == name and a.scope == scope and a.value is not None and _HASHED.search(" ".join((*a.value.names, a.value.text)))
        for a in facts.assignments
    )
