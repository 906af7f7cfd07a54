"""Rights that are read from something its owner may change: metadata an account sets for itself, in row policies and in code of the server."""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.model.syntax import FileFacts
from auditor.model.verdict import Finding

_CLAIM = re.compile(
    r"(?:user_metadata|userMetadata|unsafeMetadata|unsafe_metadata|raw_user_meta_data)\??(?:\.|\[['\"])(?:\w*role\w*|is_?admin|admin|permissions?|is_?staff)\b",
    re.IGNORECASE,
)
_POLICY = re.compile(
    r"\bcreate\s+policy\s+(?P<name>\"[^\"]{1,200}\"|\w{1,100})\s+on\s+(?P<table>[\w.\"]{1,200})(?P<rest>[^;]{0,4000});", re.IGNORECASE
)
_DROP = re.compile(
    r"\bdrop\s+policy\s+(?:if\s+exists\s+)?(?P<name>\"[^\"]{1,200}\"|\w{1,100})\s+on\s+(?P<table>[\w.\"]{1,200})", re.IGNORECASE
)
_METADATA = re.compile(r"user_metadata|raw_user_meta_data")
_RIGHT = re.compile(r"role|admin|staff|permission|tenant|org", re.IGNORECASE)


def editable_claims(files: tuple[FileFacts, ...], texts: dict[str, str]) -> list[Finding]:
    """Every test of a right on such metadata; policies as they stand after all files in order."""
    return [*_policies(texts), *(finding for facts in files for finding in _tests(facts))]


def _tests(facts: FileFacts) -> Iterator[Finding]:
    for branch in facts.branches:
        made = " ".join(
            a.value.text for a in facts.assignments if a.value is not None and a.scope == branch.scope and a.target in branch.names
        )
        if _CLAIM.search(f"{branch.test} {made}"):
            message = "Whether somebody is an administrator is read from metadata every account can change for itself: whoever writes a role there has it."
            yield Finding("editable-claim", facts.path, message, branch.line, branch.line, cwe=302)


def _policies(texts: dict[str, str]) -> Iterator[Finding]:
    standing: dict[tuple[str, str], Finding] = {}
    for path in sorted(path for path in texts if path.endswith(".sql")):
        text = re.sub(r"--[^\n]*", "", texts[path][:400_000])
        events = sorted([*_POLICY.finditer(text), *_DROP.finditer(text)], key=lambda found: found.start())
        for found in events:
            key = (found["name"].strip('"'), found["table"].replace('"', "").rpartition(".")[2])
            standing.pop(key, None)
            rest = found.groupdict().get("rest") or ""
            claim = _METADATA.search(rest)
            if claim and _RIGHT.search(rest[claim.start() : claim.start() + 80]):
                line = text.count("\n", 0, found.start()) + 1
                message = f"The row policy of {key[1]} asks for a right in metadata every account can change for itself: whoever writes it there has it."
                standing[key] = Finding("editable-claim", path, message, line, line, detector="policies", cwe=302)
    yield from standing.values()
