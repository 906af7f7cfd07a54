"""Logins everybody can look up: a password compared with a literal, an account that SQL puts into a new database."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from auditor.checks.fixed_credentials import NO_KEY, names_other_login

_COMPARED = re.compile(
    r"\b(?P<name>[\w.]{0,60}(?:password|passwd|passcode|pwd|passphrase|\bpw\b)\w{0,20}(?:\.value|\.trim\(\))?)[\"']?[\])]{0,2}\s{0,3}(?:===?|!==?)\s{0,3}(?P<quote>[\"'])(?P<value>[^\"'\n]{4,80})(?P=quote)",
    re.IGNORECASE,
)
_NO_LOGIN = frozenset(["password", "text", "true", "false", "none", "null", "undefined", "hidden", "visible", "required", "invalid", "missing", "string", "number", "empty", "show", "hide"])  # fmt: skip


def compared_passwords(text: str) -> Iterator[tuple[int, str]]:
    """(line, name) of comparisons of a password with a literal: a login whose password stands in the code."""
    for found in _COMPARED.finditer(text):
        if (
            found["value"].lower() not in _NO_LOGIN
            and not NO_KEY.match(found["value"])
            and not names_other_login(found["value"])
            and not re.search(r"\s", found["value"])
            and not re.search(r"type|error|mode|step|field|name|status|view", found["name"], re.IGNORECASE)
        ):
            yield text.count("\n", 0, found.start()) + 1, found["name"]


_SEEDED = re.compile(r"\bINSERT\s+INTO\s+[\"`\[]?(?:\w+[\"`\]]?\.[\"`\[]?)?\w*(?:user|account|admin|member|staff)\w*[\"`\]]?[^;]{0,2000}?(?:'\$2[abxy]\$\d\d\$[^']{20,}'|'\$argon2[^']{20,}'|crypt\(\s*'[^']{3,60}'|'pbkdf2_[^']{20,}'|\bMD5\(\s*'[^']{3,60}')", re.IGNORECASE)  # fmt: skip


def seeded_accounts(texts: Mapping[str, str], paths: list[str]) -> Iterator[tuple[str, int]]:
    """(path, line) of SQL that puts an account with a known password hash into the database."""
    for path in paths:
        text = texts.get(path, "")[:2_000_000]
        if "nsert" in text.lower():
            for found in _SEEDED.finditer(text):
                yield path, text.count("\n", 0, found.start()) + 1
                break
