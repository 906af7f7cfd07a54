"""Addresses from outside that are let through because they *contain* the name of a host: `https://evil.example/?acme.com` contains it too.

Looked at are tests that lead to a redirect, a call of the address or an answer to another origin.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.model.syntax import Branch, FileFacts
from auditor.model.verdict import Confidence, Finding

_TOP = r"(?:com|org|net|io|dev|app|ai|co|edu|gov|de|fr|uk|eu|ru|cn|jp|br|in|info|me|xyz|site|cloud|local)"
_HOST = rf"(?:[\w-]{{1,60}}\.){{1,4}}{_TOP}"
_CONTAINS = (
    re.compile(rf"['\"](?:https?://)?{_HOST}['\"]\s+in\s+(?P<name>[A-Za-z_][\w.]{{0,60}})\s*(?:$|[)&|]|\band\b|\bor\b)"),
    re.compile(rf"(?P<name>[A-Za-z_$][\w$.]{{0,60}})\??\.(?:includes|indexOf|search)\(\s*['\"](?:https?://)?{_HOST}['\"]"),
    re.compile(rf"(?P<name>[A-Za-z_$][\w$.]{{0,60}})\??\.(?:ends_?[wW]ith)\(\s*['\"](?!\.){_HOST}['\"]"),
    re.compile(rf"(?P<name>[A-Za-z_$][\w$.]{{0,60}})\??\.(?:starts_?[wW]ith)\(\s*['\"]https?://{_HOST}['\"]"),
)
_LOOSE_PATTERN = re.compile(rf"(?<![\\\]])\.{_TOP}(?![\w-])")
"""A dot that stands for any character before the end of a host's name."""
_MATCHED = re.compile(r"\b(?P<pattern>[A-Za-z_$][\w$]*)\.(?:match|search|test)\(\s*(?P<name>[A-Za-z_$][\w$.]*)")
_MATCHED_AT_ONCE = re.compile(
    r"\bre\.(?:match|search)\(\s*r?(?P<pattern>['\"].{1,200}?['\"])\s*,\s*(?P<name>[A-Za-z_][\w.]*)|(?P<script>/[^/\n]{3,200}/)[a-z]*\.test\(\s*(?P<other>[A-Za-z_$][\w$.]*)"
)
_GOES = re.compile(
    r"(?:^|[._])(?:redirect\w*|HttpResponseRedirect|RedirectResponse|sendRedirect|urlopen|urlretrieve|fetch|axios(?:\.\w+)?|got|navigate|location\.(?:assign|replace))(?:\(\))?$|^(?:requests|httpx)\.\w+$"
)
_ORIGIN = re.compile(r"(?:^|\.)origin$", re.IGNORECASE)
_ANSWERS_ORIGIN = re.compile(r"(?:^|\.)(?:callback|cb|setHeader|header|set|postMessage)$")


def host_checks(facts: FileFacts) -> Iterator[Finding]:
    """Each loose test of one file."""
    for branch in facts.branches:
        name = _contained(branch, facts)
        if name and _lets_through(branch, name, facts):
            message = f"Whether {name} may be followed is decided by whether it contains a host's name: an address of somebody else can contain it as well."
            yield Finding("host-checked-by-part", facts.path, message, branch.line, branch.line, Confidence.MEDIUM, "syntax", 20)


def _contained(branch: Branch, facts: FileFacts) -> str:
    """The name whose text a test only looks into; "" when it compares properly."""
    for pattern in _CONTAINS:
        found = pattern.search(branch.test)
        if found:
            return found["name"]
    at_once = _MATCHED_AT_ONCE.search(branch.test)
    if at_once and _LOOSE_PATTERN.search(at_once["pattern"] or at_once["script"]):
        return at_once["name"] or at_once["other"]
    compiled = _MATCHED.search(branch.test)
    if compiled:
        made = (a.value for a in facts.assignments if a.target == compiled["pattern"] and a.value is not None)
        if any(_LOOSE_PATTERN.search(value.text) and re.match(r"re\.compile\(|/|new RegExp\(", value.text) for value in made):
            return compiled["name"]
    return ""


def _lets_through(branch: Branch, name: str, facts: FileFacts) -> bool:
    """Whether the address is used where the test holds; where the test sends others away, in what follows it."""
    refuses = re.match(r"\s*(?:not\b|!)", branch.test) is not None or re.search(r"===?\s*-1|<\s*0", branch.test) is not None
    for call in facts.calls:
        inside = branch.line <= call.line <= branch.end_line
        if call.scope != branch.scope or inside is refuses or call.line < branch.line:
            continue
        given = {found for argument in call.arguments for found in argument.value.names}
        if (_GOES.search(call.callee) and name in given) or (_ORIGIN.search(name) and _ANSWERS_ORIGIN.search(call.callee)):
            return True
    return False
