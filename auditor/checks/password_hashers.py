"""Settings that tell Django how passwords are hashed: the first hasher makes the new ones, the others only read old ones."""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.model.syntax import FileFacts, ValueKind
from auditor.model.verdict import Confidence, Finding

_FAST = re.compile(r"(?:^|\.)(?:Unsalted)?(?:MD5|SHA1)PasswordHasher$|(?:^|\.)CryptPasswordHasher$")
_TESTS = re.compile(r"(?:^|[._/-])(?:tests?|testing|ci|dev|develop\w*|local\w*)(?:[._/-]|$)", re.IGNORECASE)
"""Settings of tests use a fast hasher on purpose."""


def fast_hashers(facts: FileFacts) -> Iterator[Finding]:
    """Each list of hashers that begins with a fast one; none that holds under a condition alone."""
    if _TESTS.search(facts.path):
        return
    for assignment in facts.assignments:
        value = assignment.value
        if assignment.target != "PASSWORD_HASHERS" or assignment.scope >= 0 or value is None or value.kind is not ValueKind.COLLECTION:
            continue
        conditional = any(branch.line <= assignment.line <= branch.last_line for branch in facts.branches)
        first = value.items[0][1] if value.items else None
        if first is not None and first.kind is ValueKind.STRING and _FAST.search(first.literal) and not conditional:
            message = "Passwords are hashed with a method made to be fast: whoever has a copy of the table tries billions of them a second."
            yield Finding("fast-password-hasher", facts.path, message, assignment.line, assignment.line, Confidence.HIGH, "syntax", 916)
